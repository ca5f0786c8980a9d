//! Acceptance criteria: written, signed before the test, and what became of them.

use crate::checklists::{EvidenceLink, title_of};
use crate::checks::acceptance::{Reached, cycle_of, digest_of, list_of};
use crate::checks::{Looker, template_of};
use crate::host::{Host, Workspace};
use crate::people::{Person, RoleName, person, person_at};
use crate::projects::{ProjectRef, stage_of};
use crate::{ApiError, edge, problem};
use cairn_core::criterion::{self, Comparator, Criterion, MOST};
use cairn_core::id::{CriteriaId, ProjectId};
use cairn_core::op::{Kind, Num, Op, Subject};
use cairn_core::release;
use cairn_core::role::{Act, Role, permits};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CriteriaPage {
    pub project: String,
    pub cycle: u32,
    /// The newest first; those of earlier cycles too.
    pub sets: Vec<CriteriaSet>,
    /// Test data that is known by digest.
    pub data: Vec<TestData>,
    /// Metrics that the project's runs logged.
    pub metrics: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TestData {
    pub name: String,
    pub digest: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CriteriaSet {
    pub id: String,
    pub cycle: u32,
    pub criteria: Vec<CriterionView>,
    pub by: Person,
    pub at_ms: i64,
    /// `stands`, `replaced` or `past` (of an earlier cycle).
    pub state: String,
    /// What a signature binds to.
    pub digest: String,
    pub signatures: Vec<CriteriaSignature>,
    /// The roles in which I could sign now.
    pub i_may_sign_as: Vec<RoleName>,
    /// `unsigned`, `untested`, `before`, `after` or `unproven`.
    pub proof: String,
    /// What is proven, in a sentence.
    pub said: String,
    pub runs: Vec<EvidenceLink>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CriterionView {
    pub metric: String,
    pub slice: String,
    /// `at_least` or `at_most`.
    pub comparator: String,
    pub threshold: String,
    pub level: String,
    pub data: String,
    pub digest: String,
    /// In one line.
    pub words: String,
    /// `passed`, `failed` or `inconclusive`; none: not evaluated.
    pub verdict: Option<String>,
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub count: Option<f64>,
    pub run: Option<String>,
    /// Where the interval comes from, or why there is none.
    pub said: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CriteriaSignature {
    pub by: Person,
    pub role: RoleName,
    /// The signer's claim, RFC 3339.
    pub claimed_at: String,
    pub at_ms: i64,
    /// Over exactly this set.
    pub fits: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CriterionText {
    pub metric: String,
    #[serde(default)]
    pub slice: String,
    /// `at_least` or `at_most`.
    pub comparator: String,
    pub threshold: String,
    /// Per cent or share: `95` and `0.95` are the same.
    pub level: String,
    #[serde(default)]
    pub data: String,
    pub digest: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct WriteCriteria {
    pub project: String,
    pub criteria: Vec<CriterionText>,
    /// The sets that it stands in for: all that were shown.
    #[serde(default)]
    pub replaces: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignCriteria {
    pub criteria: String,
    pub role: String,
    /// What was shown.
    pub digest: String,
}

pub fn list(host: &Host, request: ProjectRef) -> Result<CriteriaPage, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| page(&workspace, r, &r.require(Kind::Project, &request.project)?))
}

fn page(workspace: &Workspace, r: &Reader<'_>, project: &Record) -> Result<CriteriaPage, ApiError> {
    let (_, cycle) = stage_of(project);
    let (template, _) = template_of(r, project)?;
    let looker = Looker::new(r, project, cycle, template);
    let mut sets = Vec::new();
    let all = r.records(Kind::Criteria, Some(&project.id))?;
    let replaced: BTreeSet<String> =
        all.iter().flat_map(|s| serde_json::from_value::<Vec<String>>(s.json("replaces")).unwrap_or_default()).collect();
    for record in all.iter().rev() {
        sets.push(set_view(workspace, r, &looker, record, cycle, replaced.contains(&record.id))?);
    }
    let mut data: BTreeMap<String, String> = BTreeMap::new();
    for (dataset, version) in looker.dataset_versions()? {
        data.insert(version.text("digest"), format!("{} version {}", dataset.text("name"), version.text("number")));
    }
    data.extend(looker.data_of_runs()?);
    data.remove("");
    Ok(CriteriaPage {
        project: project.id.clone(),
        cycle,
        sets,
        data: data.into_iter().map(|(digest, name)| TestData { name, digest }).collect(),
        metrics: looker.metric_names()?,
    })
}

fn set_view(
    workspace: &Workspace,
    r: &Reader<'_>,
    looker: &Looker<'_, '_>,
    record: &Record,
    cycle: u32,
    replaced: bool,
) -> Result<CriteriaSet, ApiError> {
    let acl = r.acl()?;
    let me = workspace.me(r)?;
    let list = list_of(record);
    let past = cycle_of(record) != cycle;
    // What an earlier cycle reached is told by its releases; here it would be measured by another version.
    let reached = if past || replaced { vec![Reached::default(); list.len()] } else { looker.reached(&list)? };
    let signed = looker.signatures(record)?;
    let proven = looker.proof(record, &signed)?;
    let mine: Vec<Role> = signed.iter().filter(|s| s.fits && me.as_ref().is_some_and(|m| m.as_str() == s.member)).map(|s| s.role).collect();
    let i_may = me.as_ref().and_then(|id| acl.members.get(id)).filter(|_| !replaced && !past).map(|m| {
        m.roles.iter().copied().filter(|role| permits(*role, Act::SignRelease) && !mine.contains(role)).map(RoleName::from).collect()
    });
    let link = |id: String| -> Result<EvidenceLink, ApiError> {
        let title = title_of(r, &Subject { kind: Kind::Run, id: id.clone() })?;
        Ok(EvidenceLink { kind: Kind::Run.as_str().to_owned(), id, title })
    };
    Ok(CriteriaSet {
        id: record.id.clone(),
        cycle: cycle_of(record),
        criteria: list.iter().zip(reached).map(|(c, found)| criterion_view(c, found)).collect(),
        by: person_at(&acl, &record.device),
        at_ms: record.at_ms,
        state: if replaced {
            "replaced"
        } else if past {
            "past"
        } else {
            "stands"
        }
        .to_owned(),
        digest: digest_of(record),
        signatures: signed
            .iter()
            .map(|s| CriteriaSignature {
                by: person(&acl, &s.member),
                role: s.role.into(),
                claimed_at: s.claimed_at.clone(),
                at_ms: s.record.at_ms,
                fits: s.fits,
            })
            .collect(),
        i_may_sign_as: i_may.unwrap_or_default(),
        proof: proven.proof.as_str().to_owned(),
        said: proven.said,
        runs: proven.runs.into_iter().take(20).map(link).collect::<Result<_, _>>()?,
    })
}

fn criterion_view(c: &Criterion, found: Reached) -> CriterionView {
    CriterionView {
        metric: c.metric.clone(),
        slice: c.slice.clone(),
        comparator: match c.comparator {
            Comparator::AtLeast => "at_least",
            Comparator::AtMost => "at_most",
        }
        .to_owned(),
        threshold: String::from(c.threshold),
        level: String::from(c.level),
        data: c.data.clone(),
        digest: c.digest.clone(),
        words: c.words(),
        verdict: found.verdict.map(|v| v.as_str().to_owned()),
        value: found.value,
        low: found.low,
        high: found.high,
        count: found.count,
        run: found.run,
        said: found.said,
    }
}

fn parse(text: &CriterionText) -> Result<Criterion, ApiError> {
    let name = text.metric.trim();
    let of = |e: ApiError| {
        ApiError::invalid(format!("{name}: {}", e.message)).hint("A threshold is a number such as 0.8, a confidence a number such as 95.")
    };
    let level = problem::number(&text.level).map_err(of)?;
    let criterion = Criterion {
        metric: name.to_owned(),
        slice: text.slice.split('/').map(str::trim).collect::<Vec<_>>().join("/"),
        comparator: Comparator::parse(&text.comparator)
            .ok_or_else(|| ApiError::invalid(format!("{name}: a criterion says at_least or at_most")))?,
        threshold: Num(problem::number(&text.threshold).map_err(of)?),
        level: Num(if level > 1.0 { level / 100.0 } else { level }),
        data: text.data.trim().to_owned(),
        digest: text.digest.trim().to_owned(),
    };
    match criterion.wrong() {
        None => Ok(criterion),
        Some(why) => Err(ApiError::invalid(why)),
    }
}

/// Writes a set; those that it replaces stay in the history with their signatures.
pub fn write(host: &Host, request: WriteCriteria) -> Result<CriteriaPage, ApiError> {
    let workspace = host.workspace()?;
    if request.criteria.is_empty() {
        return Err(ApiError::invalid("A set has at least one criterion"));
    }
    if request.criteria.len() > MOST {
        return Err(ApiError::invalid(format!("A set has at most {MOST} criteria")));
    }
    let list = request.criteria.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let mut keys = BTreeSet::new();
    if let Some(twice) = list.iter().find(|c| !keys.insert((c.key(), c.digest.clone(), matches!(c.comparator, Comparator::AtLeast)))) {
        return Err(ApiError::invalid(format!("{} is there twice", twice.words())));
    }
    let project = ProjectId::parse(request.project.clone())?;
    let replaces = request.replaces.into_iter().map(CriteriaId::parse).collect::<Result<Vec<_>, _>>()?;
    let criteria = CriteriaId::parse(workspace.edge.new_id())?;
    workspace.write(|w| {
        let record = w.require(Kind::Project, project.as_str())?;
        for old in &replaces {
            w.require(Kind::Criteria, old.as_str())?;
        }
        let (_, cycle) = stage_of(&record);
        w.append(Op::CriteriaWritten { criteria, project, cycle, list, replaces }).map_err(ApiError::from)
    })?;
    self::list(host, ProjectRef { project: request.project })
}

/// Signs a set with this computer's key, over exactly what was shown.
pub fn sign(host: &Host, request: SignCriteria) -> Result<CriteriaPage, ApiError> {
    let workspace = host.workspace()?;
    let role = Role::parse(&request.role).ok_or_else(|| ApiError::invalid(format!("\"{}\" is no role", request.role)))?;
    let id = CriteriaId::parse(request.criteria)?;
    let key = workspace.key()?;
    let project = workspace.write(|w| {
        let record = w.require(Kind::Criteria, id.as_str())?;
        let project = record.parent.clone().unwrap_or_default();
        if digest_of(&record) != request.digest {
            return Err(
                ApiError::new("changed", "The criteria are not those that were shown").hint("Read them once more: you sign what you saw.")
            );
        }
        let owner = w.require(Kind::Project, &project)?;
        if cycle_of(&record) != stage_of(&owner).1 {
            return Err(ApiError::conflict("These criteria are of an earlier cycle"));
        }
        let acl = w.acl()?;
        let (member, known) =
            acl.member_of(&workspace.device()).ok_or_else(|| ApiError::conflict("This computer has not been let in yet"))?;
        for old in w.records(Kind::Signoff, Some(&record.id))? {
            if old.get("role") == Some(role.as_str()) && person_at(&acl, &old.device).id == member.as_str() {
                return Err(ApiError::conflict("You have signed these criteria in this role already"));
            }
        }
        let claimed = edge::rfc3339_at(workspace.edge.now_ms(), workspace.edge.tz_minutes());
        let list = list_of(&record);
        let statement = criterion::statement(&criterion::Parts {
            criteria: &id,
            project: &project,
            cycle: cycle_of(&record),
            list: &list,
            role,
            name: &known.name,
            member,
            fingerprint: &key.fingerprint(),
            signed_at: &claimed,
        });
        let signature = key.sign(release::NAMESPACE, statement.as_bytes())?;
        let signoff = crate::sharing::signoff_id(&signature);
        w.append(Op::CriteriaSigned { criteria: id, signoff, role, statement, signature })?;
        Ok::<_, ApiError>(project)
    })?;
    list(host, ProjectRef { project })
}
