//! What Cairn sees in its records when a gate asks: met or not, in a sentence, with the records that show it.
//!
//! Everything is computed anew from the records when somebody looks, so it is the same on every computer that has the same
//! records, and an item that was met is not met any more when what it stood on is gone.

pub(crate) mod acceptance;
mod guided;

use crate::checklists::statements::Answers;
use crate::checklists::{EvidenceLink, title_of};
use crate::people::{person, person_at};
use crate::projects::members_of;
use crate::releases::Judged;
use crate::reproduce::origin_of;
use crate::tracking::files::artifacts_of;
use crate::tracking::runs::{self as tracked, Run};
use crate::{ApiError, cards, models, releases, templates};
use cairn_core::authority::Acl;
use cairn_core::checklist::{Checklist, ItemKind};
use cairn_core::decision::State;
use cairn_core::lifecycle::{Check, Lifecycle};
use cairn_core::op::{Environment, Kind, Subject};
use cairn_core::role::Role;
use cairn_store::Reader;
use cairn_store::records::Record;
use cairn_store::search::{Compare, Expr, Field, RunSearch, Test, View};
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What became of a check.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub met: bool,
    /// What was seen, or what is missing, in one sentence.
    pub said: String,
    pub evidence: Vec<Subject>,
}

/// Records that stand for all: more nobody follows.
const SHOWN: usize = 5;
/// Runs that are looked at, the newest first.
const RUNS_MAX: usize = 20_000;
/// Runs whose metrics are looked at one by one.
const MEASURED: usize = 200;
/// Words for the purpose of data, as scripts give them to `mlflow.log_input`.
const TRAINING: [&str; 2] = ["train", "training"];
const TESTING: [&str; 5] = ["test", "testing", "eval", "evaluation", "holdout"];

impl Found {
    fn new(met: bool, said: impl Into<String>) -> Self {
        Self { met, said: said.into(), evidence: Vec::new() }
    }
    fn with(mut self, kind: Kind, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.evidence.extend(ids.into_iter().take(SHOWN).map(|id| Subject { kind, id: id.into() }));
        self
    }
    /// The evidence as people follow it.
    pub(crate) fn links(&self, r: &Reader<'_>) -> Result<Vec<EvidenceLink>, ApiError> {
        let link = |s: &Subject| Ok(EvidenceLink { kind: s.kind.as_str().to_owned(), id: s.id.clone(), title: title_of(r, s)? });
        self.evidence.iter().map(link).collect()
    }
}

/// "1 run", "3 runs".
fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// A dataset that a run says it used.
struct Use {
    purpose: String,
    name: String,
    digest: String,
}

fn uses(run: &Run) -> Vec<Use> {
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let purpose = |i: &serde_json::Value| {
        i["tags"].as_array().and_then(|t| t.iter().find(|t| t["key"] == "mlflow.data.context")).map(|t| text(&t["value"]).to_lowercase())
    };
    let one = |i: &serde_json::Value| Use {
        purpose: purpose(i).unwrap_or_default(),
        name: text(&i["dataset"]["name"]),
        digest: text(&i["dataset"]["digest"]),
    };
    run.inputs.iter().map(one).collect()
}

/// Records of many projects that were read in one go.
#[derive(Clone, Default)]
pub(crate) struct Shared {
    /// By project, without the answers to their items.
    pub checklists: BTreeMap<String, Vec<Record>>,
}

/// Looks at one project in one cycle; what several checks need is read once.
pub(crate) struct Looker<'r, 'c> {
    r: &'r Reader<'c>,
    project: &'r Record,
    cycle: u32,
    template: Arc<Lifecycle>,
    runs: OnceCell<Vec<Run>>,
    evaluations: OnceCell<Vec<Run>>,
    releases: OnceCell<Vec<(Record, Arc<Judged>)>>,
    versions: OnceCell<Vec<Record>>,
    shared: Option<&'r Shared>,
    acl: OnceCell<Arc<Acl>>,
    /// Records outside the project were looked at.
    wide: Cell<bool>,
}

impl<'r, 'c> Looker<'r, 'c> {
    pub(crate) fn new(r: &'r Reader<'c>, project: &'r Record, cycle: u32, template: Arc<Lifecycle>) -> Self {
        Self {
            r,
            project,
            cycle,
            template,
            runs: OnceCell::new(),
            evaluations: OnceCell::new(),
            releases: OnceCell::new(),
            versions: OnceCell::new(),
            shared: None,
            acl: OnceCell::new(),
            wide: Cell::new(false),
        }
    }

    /// Who may do what; asked for once.
    pub(crate) fn acl(&self) -> Result<Arc<Acl>, ApiError> {
        if let Some(acl) = self.acl.get() {
            return Ok(Arc::clone(acl));
        }
        let acl = self.r.acl()?;
        Ok(Arc::clone(self.acl.get_or_init(|| acl)))
    }

    /// Whether the answer also rests on records outside the project.
    pub(crate) fn looked_wide(&self) -> bool {
        self.wide.get()
    }

    /// The same, with what was read for many projects at once.
    pub(crate) fn with<'s>(self, shared: &'s Shared) -> Looker<'s, 'c>
    where
        'r: 's,
    {
        Looker { shared: Some(shared), ..self }
    }

    fn experiments(&self) -> Result<Vec<String>, ApiError> {
        let all = self.r.records(Kind::Experiment, None)?;
        Ok(all.into_iter().filter(|e| e.get("project") == Some(self.project.id.as_str())).map(|e| e.id).collect())
    }

    /// The runs that evaluated the newest version, the newest first: its own, and those that name it in the tag `model_version`.
    fn evaluations(&self) -> Result<&[Run], ApiError> {
        if let Some(found) = self.evaluations.get() {
            return Ok(found);
        }
        let Some(version) = self.versions()?.last() else { return Ok(&[]) };
        let run = version.text("run");
        let own = Expr::Is(Field::Text("run_id"), Test::Text(Compare::Equal, run.clone()));
        let named = Expr::Is(Field::Tag("model_version".to_owned()), Test::Like(format!("%{}%", version.id)));
        let filter = Expr::Or(vec![own, named]);
        let search = RunSearch { experiments: Some(self.experiments()?), filter, limit: RUNS_MAX, ..RunSearch::default() };
        let mut found = tracked::views(self.r, &self.r.search_runs(&search)?.runs, Some(&[]))?;
        found.retain(|r| r.id == run || r.tags.get("model_version").is_some_and(|v| v.trim() == version.id));
        Ok(self.evaluations.get_or_init(|| found))
    }

    /// The project's runs, also deleted ones, the newest first, without their metrics.
    fn all_runs(&self) -> Result<&[Run], ApiError> {
        if let Some(runs) = self.runs.get() {
            return Ok(runs);
        }
        let search = RunSearch { experiments: Some(self.experiments()?), view: View::All, limit: RUNS_MAX, ..RunSearch::default() };
        let found = tracked::views(self.r, &self.r.search_runs(&search)?.runs, Some(&[]))?;
        Ok(self.runs.get_or_init(|| found))
    }

    /// What a sentence about all runs adds where not all were looked at.
    fn among(&self) -> Result<String, ApiError> {
        let cut = self.all_runs()?.len() >= RUNS_MAX;
        Ok(if cut { format!(" Only the newest {RUNS_MAX} runs were looked at.") } else { String::new() })
    }

    fn live_runs(&self) -> Result<Vec<&Run>, ApiError> {
        Ok(self.all_runs()?.iter().filter(|r| !r.deleted).collect())
    }

    fn finished(&self) -> Result<Vec<&Run>, ApiError> {
        Ok(self.live_runs()?.into_iter().filter(|r| r.status == "FINISHED").collect())
    }

    fn live(&self, kind: Kind, parent: &str) -> Result<Vec<Record>, ApiError> {
        Ok(self.r.records(kind, Some(parent))?.into_iter().filter(|x| !x.deleted()).collect())
    }

    /// Looks at this version only, whichever is the newest.
    pub(crate) fn of_version(r: &'r Reader<'c>, project: &'r Record, cycle: u32, template: Arc<Lifecycle>, version: Record) -> Self {
        Self { versions: OnceCell::from(vec![version]), ..Self::new(r, project, cycle, template) }
    }

    /// The model versions of the project, the oldest first.
    fn versions(&self) -> Result<&[Record], ApiError> {
        if let Some(all) = self.versions.get() {
            return Ok(all);
        }
        let mut all = Vec::new();
        for model in models::of_project(self.r, &self.project.id)? {
            all.extend(self.live(Kind::ModelVersion, &model.id)?);
        }
        all.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.id.cmp(&b.id)));
        Ok(self.versions.get_or_init(|| all))
    }

    /// The run that made the newest version, and that version.
    fn newest(&self) -> Result<Result<(Record, Record), Found>, ApiError> {
        let Some(version) = self.versions()?.last() else { return Ok(Err(Found::new(false, "There is no model version yet."))) };
        let run = match version.get("run").filter(|r| !r.is_empty()) {
            Some(run) => self.r.record(Kind::Run, run)?,
            None => None,
        };
        if let Some(run) = &run {
            let experiment = self.r.record(Kind::Experiment, run.parent.as_deref().unwrap_or_default())?;
            if experiment.is_none_or(|e| e.get("project") != Some(&self.project.id)) {
                self.wide.set(true);
            }
        }
        Ok(match run {
            Some(run) => Ok((version.clone(), run)),
            None => Err(Found::new(false, "Of the newest model version it is not known which run made it.")
                .with(Kind::ModelVersion, [version.id.as_str()])),
        })
    }

    fn filled(&self, field: &str) -> bool {
        self.project.get(field).is_some_and(|t| !t.trim().is_empty())
    }

    pub(crate) fn look(&self, check: &Check) -> Result<Found, ApiError> {
        match check {
            Check::FieldFilled { field } if field == "risk_class" => {
                Ok(Found::new(!crate::risk::class_word(self.r, &self.project.id)?.is_empty(), ""))
            }
            Check::FieldFilled { field } => Ok(Found::new(self.filled(field), "")),
            Check::MemberNamed { role } => self.named(*role),
            Check::Answered { question } => Ok(self.answered(std::slice::from_ref(question))),
            Check::AllAnswered { questions } => Ok(self.answered(questions)),
            Check::AnsweredAtLeast { question, at_least } => Ok(self.answered_at_least(question, *at_least)),
            Check::RiskDecided => self.risk_decided(),
            Check::CriteriaSigned { by } => self.criteria_signed(by),
            Check::CriteriaBeforeTest => self.criteria_before_test(),
            Check::CriteriaMet => self.criteria_met(),
            Check::SlicesReported => self.slices_reported(),
            Check::BenchmarkCompared => self.benchmark_compared(),
            Check::FindingsSettled => self.findings_settled(),
            Check::MonitorsLive { watch } => self.monitors_live(watch),
            Check::TriggerRecorded => Ok(self.trigger_recorded()),
            Check::RolesApart { roles, apart, from } => self.roles_apart(roles, *apart, from),
            Check::InInventory => self.in_inventory(),
            Check::DatasetRegistered => self.dataset_registered(),
            Check::DataDescribed => self.data_described(),
            Check::TestDataApart => self.test_data_apart(),
            Check::LineageKnown => self.lineage_known(),
            Check::RunFinished => {
                let mut done = 0;
                for experiment in
                    self.r.records(Kind::Experiment, None)?.iter().filter(|e| e.get("project") == Some(self.project.id.as_str()))
                {
                    done += self.r.finished_runs_of(&experiment.id)? as usize;
                }
                Ok(Found::new(done > 0, format!("{} finished.", count(done, "run"))))
            }
            Check::RunTagged { tag, value } => self.run_tagged(tag, value),
            Check::SearchRecorded => self.search_recorded(),
            Check::BaselineCompared => self.baseline_compared(),
            Check::TestRunsKept => self.test_runs_kept(),
            Check::ModelVersionRegistered => {
                let all = self.versions()?;
                Ok(Found::new(!all.is_empty(), format!("{}.", count(all.len(), "model version")))
                    .with(Kind::ModelVersion, all.iter().rev().map(|v| &*v.id)))
            }
            Check::Reproducible => self.reproducible(),
            Check::RecomputedByOther => self.recomputed(),
            Check::FileKept { ending } => self.file_kept(ending),
            Check::CardComplete => self.card_complete(),
            Check::ChecklistCompleted { gate } => self.checklist_completed(gate),
            Check::ReleaseApproved => {
                let approved = self.approved()?;
                let said = if approved.is_empty() { "No release is approved." } else { "" };
                Ok(Found::new(!approved.is_empty(), said).with(Kind::Release, approved.into_keys()))
            }
            Check::ApprovalsFresh => self.approvals_fresh(),
            Check::DeployedToProduction => self.deployed(),
            Check::DeployedAsApproved => self.deployed_as_approved(),
            Check::PreviousRestorable => self.previous_restorable(),
        }
    }

    fn named(&self, role: Role) -> Result<Found, ApiError> {
        let acl = self.acl()?;
        let names: Vec<String> =
            members_of(self.project).into_iter().filter(|(_, r)| *r == role).map(|(m, _)| person(&acl, &m).name).collect();
        Ok(if names.is_empty() {
            Found::new(false, format!("Nobody is named as {} yet.", role.label().to_lowercase()))
        } else {
            Found::new(true, format!("{}.", names.join(", ")))
        })
    }

    fn roles_apart(&self, roles: &[Role], apart: Role, from: &[Role]) -> Result<Found, ApiError> {
        let acl = self.acl()?;
        let members = members_of(self.project);
        let missing: Vec<String> =
            roles.iter().filter(|role| members.iter().all(|m| m.1 != **role)).map(|role| role.label().to_lowercase()).collect();
        if !missing.is_empty() {
            return Ok(Found::new(false, format!("Nobody is named yet as {}.", missing.join(", "))));
        }
        for (member, _) in members.iter().filter(|m| m.1 == apart) {
            if let Some((_, other)) = members.iter().find(|(m, role)| m == member && from.contains(role)) {
                let name = person(&acl, member).name;
                return Ok(Found::new(
                    false,
                    format!("{name} is {} and {} at once.", apart.label().to_lowercase(), other.label().to_lowercase()),
                ));
            }
        }
        Ok(Found::new(true, "Every role is named, and who checks does not build."))
    }

    fn in_inventory(&self) -> Result<Found, ApiError> {
        let mut missing: Vec<&str> = [("problem", "the problem"), ("value_metric", "the value metric")]
            .into_iter()
            .filter(|(field, _)| !self.filled(field))
            .map(|(_, name)| name)
            .collect();
        if crate::risk::class_word(self.r, &self.project.id)?.is_empty() {
            missing.push("the risk class");
        }
        if members_of(self.project).iter().all(|m| m.1 != Role::BusinessOwner) {
            missing.push("a business owner");
        }
        Ok(if missing.is_empty() { Found::new(true, "") } else { Found::new(false, format!("Missing: {}.", missing.join(", "))) })
    }

    pub(crate) fn dataset_versions(&self) -> Result<Vec<(Record, Record)>, ApiError> {
        let mut all = Vec::new();
        for dataset in self.live(Kind::Dataset, &self.project.id)? {
            for version in self.live(Kind::DatasetVersion, &dataset.id)? {
                all.push((dataset.clone(), version));
            }
        }
        Ok(all)
    }

    /// The data that runs say they used, by digest, with its name.
    pub(crate) fn data_of_runs(&self) -> Result<BTreeMap<String, String>, ApiError> {
        Ok(self.live_runs()?.into_iter().flat_map(uses).map(|u| (u.digest, u.name)).collect())
    }

    /// The metrics that the project's newest runs logged.
    pub(crate) fn metric_names(&self) -> Result<Vec<String>, ApiError> {
        let mut names = BTreeSet::new();
        for run in self.live_runs()?.into_iter().take(20) {
            names.extend(self.r.summaries(&run.id)?.into_iter().map(|m| m.key));
        }
        Ok(names.into_iter().collect())
    }

    fn dataset_registered(&self) -> Result<Found, ApiError> {
        let all = self.dataset_versions()?;
        Ok(Found::new(!all.is_empty(), format!("{}.", count(all.len(), "dataset version")))
            .with(Kind::DatasetVersion, all.iter().rev().map(|(_, v)| &*v.id)))
    }

    fn data_described(&self) -> Result<Found, ApiError> {
        let mut newest: BTreeMap<String, (Record, Record)> = BTreeMap::new();
        for (dataset, version) in self.dataset_versions()? {
            let later = |old: &Record| version.int("number") > old.int("number");
            if newest.get(&dataset.id).is_none_or(|(_, old)| later(old)) {
                newest.insert(dataset.id.clone(), (dataset, version));
            }
        }
        if newest.is_empty() {
            return Ok(Found::new(false, "No dataset version is registered."));
        }
        for (dataset, version) in newest.values() {
            let columns = version.json("columns").as_array().map_or(0, Vec::len);
            if version.text("digest").is_empty() || columns == 0 || version.int("rows").unwrap_or(0) == 0 {
                return Ok(Found::new(false, format!("The newest version of {} has no columns or no rows.", dataset.text("name")))
                    .with(Kind::DatasetVersion, [version.id.as_str()]));
            }
        }
        let runs = self.live_runs()?;
        let says = |purposes: &[&str]| runs.iter().any(|r| uses(r).iter().any(|u| purposes.contains(&&*u.purpose) && !u.digest.is_empty()));
        let said = match (says(&TRAINING), says(&TESTING)) {
            (true, true) => "Digest, columns and rows of every dataset are recorded, and those of the splits.",
            (false, _) => "No run says by digest what it trained on (mlflow.log_input with context \"training\").",
            (true, false) => "No run says by digest what it tested on (mlflow.log_input with context \"test\").",
        };
        let met = says(&TRAINING) && says(&TESTING);
        Ok(Found::new(met, said).with(Kind::DatasetVersion, newest.into_values().map(|(_, v)| v.id)))
    }

    fn test_data_apart(&self) -> Result<Found, ApiError> {
        let runs = self.live_runs()?;
        let mut tested: BTreeMap<String, String> = BTreeMap::new();
        for u in runs.iter().flat_map(|r| uses(r)).filter(|u| TESTING.contains(&&*u.purpose) && !u.digest.is_empty()) {
            tested.insert(u.digest, u.name);
        }
        if tested.is_empty() {
            return Ok(Found::new(false, "No run says by digest what it tested on (mlflow.log_input with context \"test\")."));
        }
        let guilty = |r: &&&Run| uses(r).iter().any(|u| TRAINING.contains(&&*u.purpose) && tested.contains_key(&u.digest));
        let guilty: Vec<&str> = runs.iter().filter(guilty).map(|r| &*r.id).collect();
        Ok(if guilty.is_empty() {
            Found::new(
                true,
                format!(
                    "No run trained on the test data ({}).{}",
                    tested.into_values().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", "),
                    self.among()?
                ),
            )
        } else {
            Found::new(false, format!("{} trained on data that is also used for testing.", count(guilty.len(), "run")))
        }
        .with(Kind::Run, guilty))
    }

    fn lineage_known(&self) -> Result<Found, ApiError> {
        let done = self.finished()?;
        if done.is_empty() {
            return Ok(Found::new(false, "No run has finished yet."));
        }
        let silent: Vec<&str> = done.iter().filter(|r| uses(r).iter().all(|u| u.digest.is_empty())).map(|r| &*r.id).collect();
        Ok(if silent.is_empty() {
            Found::new(true, format!("All {} say by digest which data they used.{}", count(done.len(), "finished run"), self.among()?))
        } else {
            Found::new(false, format!("{} of {} do not say which data they used.", silent.len(), count(done.len(), "finished run")))
        }
        .with(Kind::Run, silent))
    }

    fn run_tagged(&self, tag: &str, value: &str) -> Result<Found, ApiError> {
        let done = self.finished()?;
        let fits = |r: &&&Run| r.tags.get(tag).is_some_and(|v| v.trim().eq_ignore_ascii_case(value.trim()));
        let found: Vec<&str> = done.iter().filter(fits).map(|r| &*r.id).collect();
        Ok(if found.is_empty() {
            Found::new(false, format!("No finished run has the tag {tag} = {value}."))
        } else {
            Found::new(true, format!("{} with {tag} = {value}.", count(found.len(), "run"))).with(Kind::Run, found)
        })
    }

    fn search_recorded(&self) -> Result<Found, ApiError> {
        let done = self.finished()?;
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, value) in done.iter().flat_map(|r| &r.params) {
            values.entry(name).or_default().insert(value);
        }
        let varied: Vec<&str> = values.into_iter().filter(|(_, v)| v.len() > 1).map(|(n, _)| n).take(8).collect();
        let tries = count(done.len(), "finished run");
        Ok(if done.len() < 2 || varied.is_empty() {
            Found::new(false, format!("{tries}, and no parameter was varied."))
        } else {
            Found::new(true, format!("{tries} varied {}.", varied.join(", ")))
        }
        .with(Kind::Run, done.iter().map(|r| &*r.id)))
    }

    fn baseline_compared(&self) -> Result<Found, ApiError> {
        let done = self.finished()?;
        let is_base = |r: &&&Run| r.tags.get("baseline").is_some_and(|v| !v.trim().is_empty() && !v.eq_ignore_ascii_case("false"));
        let (base, others): (Vec<&&Run>, Vec<&&Run>) = done.iter().partition(is_base);
        let measured = |all: &[&&Run]| -> Result<BTreeMap<String, usize>, ApiError> {
            let mut names = BTreeMap::new();
            for run in all.iter().take(MEASURED) {
                self.r.summaries(&run.id)?.into_iter().for_each(|m| *names.entry(m.key).or_default() += 1);
            }
            Ok(names)
        };
        let (a, b) = (measured(&base)?, measured(&others)?);
        let shared = a.iter().find(|(name, n)| **n > 1 && b.get(*name).is_some_and(|n| *n > 1)).map(|(name, _)| name.clone());
        Ok(match shared {
            Some(metric) => {
                Found::new(true, format!("{} of a baseline and {} others measured {metric} repeatedly.", base.len(), others.len()))
            }
            None if base.is_empty() => Found::new(false, "No finished run has the tag baseline."),
            None => Found::new(false, "For an interval, baseline and others must measure the same metric in at least two runs each."),
        }
        .with(Kind::Run, base.iter().map(|r| &*r.id)))
    }

    fn test_runs_kept(&self) -> Result<Found, ApiError> {
        let saw: Vec<&Run> = self.all_runs()?.iter().filter(|r| uses(r).iter().any(|u| TESTING.contains(&&*u.purpose))).collect();
        let gone: Vec<&str> = saw.iter().filter(|r| r.deleted).map(|r| &*r.id).collect();
        Ok(if saw.is_empty() {
            Found::new(false, "No run says that it saw test data (mlflow.log_input with context \"test\").")
        } else if gone.is_empty() {
            Found::new(true, format!("{} saw the test data; all are listed.{}", count(saw.len(), "run"), self.among()?))
                .with(Kind::Run, saw.iter().map(|r| &*r.id))
        } else {
            Found::new(
                false,
                format!(
                    "{} that saw the test data {} deleted; restore {}.",
                    count(gone.len(), "run"),
                    if gone.len() == 1 { "was" } else { "were" },
                    if gone.len() == 1 { "it" } else { "them" }
                ),
            )
            .with(Kind::Run, gone)
        })
    }

    fn reproducible(&self) -> Result<Found, ApiError> {
        let (version, run) = match self.newest()? {
            Ok(both) => both,
            Err(found) => return Ok(found),
        };
        let source = origin_of(&run);
        let mut missing = Vec::new();
        let code = source.code.as_ref();
        if code.is_none_or(|c| c.commit.as_ref().is_none_or(String::is_empty)) {
            missing.push("the commit");
        } else if code.is_some_and(|c| c.changed > 0 && c.changes.is_none()) {
            missing.push("what was not committed");
        }
        if source.environment.as_ref().is_none_or(|e| e.packages.is_none()) {
            missing.push("the packages");
        }
        if run.pairs("param").is_empty() {
            missing.push("parameters");
        }
        let inputs = run.pairs("input");
        if inputs.is_empty() && version.json("datasets").as_array().is_none_or(Vec::is_empty) {
            missing.push("the data by digest");
        }
        Ok(if missing.is_empty() {
            Found::new(true, "Commit, packages, parameters and data of its run are known.")
        } else {
            Found::new(false, format!("Of the run of the newest model version is not known: {}.", missing.join(", ")))
        }
        .with(Kind::Run, [run.id]))
    }

    fn recomputed(&self) -> Result<Found, ApiError> {
        let (_, run) = match self.newest()? {
            Ok(both) => both,
            Err(found) => return Ok(found),
        };
        let acl = self.acl()?;
        let author = person_at(&acl, &run.device).id;
        let own = tracked::view(self.r, &run)?;
        let headline = crate::compare::likeliest(std::slice::from_ref(&own));
        let tested = |r: &Run| -> BTreeSet<String> {
            uses(r).into_iter().filter(|u| TESTING.contains(&&*u.purpose) && !u.digest.is_empty()).map(|u| u.digest).collect()
        };
        let data = tested(&own);
        let values: BTreeMap<&str, f64> = own.metrics.iter().map(|m| (&*m.key, m.last.value)).filter(|m| m.1.is_finite()).collect();
        let by_others = self.finished()?.into_iter().filter(|r| person_at(&acl, &r.device).id != author);
        for other in by_others.filter(|r| data.is_empty() || !data.is_disjoint(&tested(r))) {
            let theirs = self.r.summaries(&other.id)?;
            let shared: Vec<(&str, f64, f64)> =
                theirs.iter().filter_map(|m| values.get(&*m.key).map(|v| (&*m.key, *v, m.last.value))).collect();
            // The measure that decides, and everything else that both measured, to a millionth.
            let same = shared.iter().all(|(_, a, b)| (a - b).abs() <= 1e-6 * a.abs().max(b.abs()));
            let decides = headline.as_deref().or(shared.first().map(|s| s.0));
            if let Some(metric) = decides.filter(|m| same && shared.iter().any(|s| s.0 == *m)) {
                let by = person_at(&acl, &other.device).name;
                return Ok(Found::new(true, format!("{by} measured {metric} again with the same result.")).with(Kind::Run, [&*other.id]));
            }
        }
        Ok(Found::new(false, "No run of another person on the same data measured the same with the same result.").with(Kind::Run, [run.id]))
    }

    fn file_kept(&self, ending: &str) -> Result<Found, ApiError> {
        let (_, run) = match self.newest()? {
            Ok(both) => both,
            Err(found) => return Ok(found),
        };
        let ending = ending.to_lowercase();
        let file = artifacts_of(&run).into_iter().find(|a| a.path.to_lowercase().ends_with(&ending));
        Ok(match file {
            Some(file) => Found::new(true, format!("{}.", file.path)),
            None => Found::new(false, format!("The run of the newest model version has no file that ends in {ending}.")),
        }
        .with(Kind::Run, [run.id]))
    }

    fn card_complete(&self) -> Result<Found, ApiError> {
        let Some(version) = self.versions()?.last() else { return Ok(Found::new(false, "There is no model version yet.")) };
        let missing = cards::missing(version);
        let names: Vec<&str> = missing.iter().map(|s| s.title.as_str()).collect();
        Ok(if names.is_empty() { Found::new(true, "") } else { Found::new(false, format!("Empty: {}.", names.join(", "))) }
            .with(Kind::ModelVersion, [version.id.as_str()]))
    }

    /// What a checklist still needs from the records.
    pub(crate) fn unmet(&self, list: &Checklist) -> Result<Vec<String>, ApiError> {
        let mut open = Vec::new();
        for item in list.items.iter().filter(|i| i.blocks && i.kind == ItemKind::Records) {
            if let Some(check) = &item.check
                && !self.look(check)?.met
            {
                open.push(item.id.clone());
            }
        }
        Ok(open)
    }

    fn checklist_completed(&self, gate: &str) -> Result<Found, ApiError> {
        let all: Vec<Record> = match self.shared {
            // Of those in question the answers are read too.
            Some(shared) => {
                let known = shared.checklists.get(&self.project.id).map(Vec::as_slice).unwrap_or_default();
                let asked = known.iter().filter(|c| c.get("gate") == Some(gate) && c.int("cycle") == Some(i64::from(self.cycle)));
                asked.filter_map(|c| self.r.record(Kind::Checklist, &c.id).transpose()).collect::<Result<_, _>>()?
            }
            None => self.live(Kind::Checklist, &self.project.id)?,
        };
        let in_cycle: Vec<&Record> =
            all.iter().filter(|c| c.get("gate") == Some(gate) && c.int("cycle") == Some(i64::from(self.cycle))).collect();
        let mut said = String::new();
        for done in in_cycle.iter().filter(|c| handed_over(c)) {
            // One that was done under another lifecycle counts as far as it asked for what this one needs.
            let (open, never) = match self.template.checklist(gate) {
                Some(list) => (self.unmet(list)?, unasked(self.r, list, done)?),
                None => (Vec::new(), Vec::new()),
            };
            match (open.is_empty(), never.is_empty()) {
                (true, true) => return Ok(Found::new(true, "").with(Kind::Checklist, [&*done.id])),
                (false, _) => said = format!("Completed, but the records do not show {} any more.", open.join(", ")),
                (true, false) => said = format!("Completed without what this lifecycle asks people for: {}.", never.join(", ")),
            }
        }
        Ok(Found::new(false, said).with(Kind::Checklist, in_cycle.iter().map(|c| &*c.id)))
    }

    /// The project's releases, each judged once.
    pub(crate) fn releases(&self) -> Result<&[(Record, Arc<Judged>)], ApiError> {
        if let Some(all) = self.releases.get() {
            return Ok(all);
        }
        let mut all = Vec::new();
        for release in self.r.records(Kind::Release, Some(&self.project.id))? {
            let judged = Arc::new(releases::state_of(self.r, &release)?);
            all.push((release, judged));
        }
        Ok(self.releases.get_or_init(|| all))
    }

    /// Approved releases and their versions.
    fn approved(&self) -> Result<BTreeMap<String, String>, ApiError> {
        let approved = self.releases()?.iter().filter(|(_, judged)| judged.standing.approved());
        Ok(approved.map(|(release, _)| (release.id.clone(), release.text("version"))).collect())
    }

    fn approvals_fresh(&self) -> Result<Found, ApiError> {
        let stale = self.releases()?.iter().filter(|(_, judged)| matches!(judged.standing.state, State::Stale(_)));
        let stale: Vec<String> = stale.map(|(release, _)| release.id.clone()).collect();
        Ok(if stale.is_empty() {
            Found::new(true, "No approval is stale.")
        } else {
            Found::new(
                false,
                format!(
                    "{} stale: something that was signed has changed.",
                    if stale.len() == 1 { "One approval is".to_owned() } else { format!("{} approvals are", stale.len()) }
                ),
            )
        }
        .with(Kind::Release, stale))
    }

    /// Deployments to production, the oldest first.
    fn production(&self) -> Result<Vec<Record>, ApiError> {
        let mut all = self.r.records(Kind::Deployment, Some(&self.project.id))?;
        all.retain(|d| d.get("environment") == Some(Environment::Production.as_str()));
        all.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// Deployments to production by model, each with the newest last.
    fn production_by_model(&self) -> Result<Vec<Vec<Record>>, ApiError> {
        let mut all: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for deployment in self.production()? {
            let version = self.r.record(Kind::ModelVersion, &deployment.text("version"))?;
            all.entry(version.and_then(|v| v.parent).unwrap_or_default()).or_default().push(deployment);
        }
        Ok(all.into_values().collect())
    }

    fn deployed(&self) -> Result<Found, ApiError> {
        let versions: BTreeSet<String> = self.approved()?.into_values().collect();
        let all = self.production()?;
        Ok(match all.iter().rev().find(|d| versions.contains(&d.text("version"))) {
            Some(found) => Found::new(true, "An approved version was put into production.").with(Kind::Deployment, [&*found.id]),
            None => Found::new(false, "No approved version was put into production."),
        })
    }

    fn deployed_as_approved(&self) -> Result<Found, ApiError> {
        let versions: BTreeSet<String> = self.approved()?.into_values().collect();
        let all = self.production_by_model()?;
        let newest: Vec<&Record> = all.iter().filter_map(|d| d.last()).collect();
        let wrong: Vec<&str> = newest.iter().filter(|d| !versions.contains(&d.text("version"))).map(|d| &*d.id).collect();
        Ok(if newest.is_empty() {
            Found::new(false, "Nothing runs in production.")
        } else if wrong.is_empty() {
            Found::new(true, "What runs in production is approved.").with(Kind::Deployment, newest.iter().map(|d| &*d.id))
        } else {
            Found::new(false, "What runs in production is not an approved version.").with(Kind::Deployment, wrong)
        })
    }

    fn previous_restorable(&self) -> Result<Found, ApiError> {
        let all = self.production_by_model()?;
        if all.is_empty() {
            return Ok(Found::new(false, "Nothing runs in production."));
        }
        let (mut earlier, mut lost) = (Vec::new(), Vec::new());
        for model in &all {
            let last = model.last().map(|d| d.text("version"));
            let Some(before) = model.iter().rev().map(|d| d.text("version")).find(|v| Some(v) != last.as_ref()) else { continue };
            let version = self.r.record(Kind::ModelVersion, &before)?;
            let known = version.is_some_and(|v| v.json("files").as_object().is_some_and(|f| !f.is_empty()));
            if known { earlier.push(before) } else { lost.push(before) }
        }
        Ok(if !lost.is_empty() {
            Found::new(false, "The files of the version before are not known.").with(Kind::ModelVersion, lost)
        } else if earlier.is_empty() {
            Found::new(true, "There is no earlier version to go back to.")
        } else {
            Found::new(true, "The files of the version before are known by digest.").with(Kind::ModelVersion, earlier)
        })
    }
}

/// Whether a checklist was completed; whoever receives it may have it in hand or have accepted it.
pub(crate) fn handed_over(checklist: &Record) -> bool {
    matches!(checklist.get("state"), Some("completed" | "received" | "accepted"))
}

/// Items that a completed checklist never asked people for, though this list needs them.
fn unasked(r: &Reader<'_>, list: &Checklist, done: &Record) -> Result<Vec<String>, ApiError> {
    let (acl, answers) = (r.acl()?, Answers::new(r, done));
    let mut open = Vec::new();
    for item in list.items.iter().filter(|i| i.blocks && i.kind != ItemKind::Records) {
        if !answers.is_done(&acl, item)? {
            open.push(item.id.clone());
        }
    }
    Ok(open)
}

/// The lifecycle that a project keeps to; the program's first one stands in where it has not arrived.
pub(crate) fn template_of(r: &Reader<'_>, project: &Record) -> Result<(Arc<Lifecycle>, bool), ApiError> {
    let id = project.text("template");
    match templates::lifecycle(r, &id)? {
        Some(found) => Ok((found, true)),
        None => Ok((templates::built_in()[0].0.clone(), false)),
    }
}
