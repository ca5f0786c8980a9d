//! Gathers what a release is judged by, and judges it.

use super::measure;
use crate::checks::acceptance::digest_of;
use crate::models::files_of;
use crate::{ApiError, cards, risk, templates};
use cairn_core::canonical::manifest_digest;
use cairn_core::criterion;
use cairn_core::decision::{Case, Concern, Said, Standing, judge, read};
use cairn_core::id::{Digest, ReleaseId};
use cairn_core::op::{Kind, Op, Subject};
use cairn_core::release::Bound;
use cairn_core::role::{Act, Role, permits};
use cairn_store::Reader;
use cairn_store::order::Orders;
use cairn_store::records::Record;
use std::collections::BTreeSet;

/// A release's standing, with what it was computed from.
pub struct Judged {
    pub standing: Standing,
    /// What a signature made now would bind to.
    pub current: Vec<Bound>,
    /// The operations that it follows from, for sentences about them.
    pub said: Vec<Said>,
    /// The records that were looked at, beside those that belong to the release's project.
    pub rests: BTreeSet<Subject>,
}

impl Judged {
    pub(crate) fn said_of(&self, id: &cairn_core::id::OpId) -> Option<&Said> {
        self.said.iter().find(|s| s.id == *id)
    }
}

const DELETED: [&str; 2] = ["record.deleted", "record.restored"];
const PROJECT: [&str; 12] = [
    "project.created",
    "project.template_set",
    "project.edited",
    "project.class_set",
    "project.class_agreed",
    "project.member_added",
    "project.member_removed",
    "project.stage_entered",
    "project.ended",
    "project.resumed",
    DELETED[0],
    DELETED[1],
];
const VERSION: [&str; 5] = ["model_version.registered", "model.version_added", "card.edited", DELETED[0], DELETED[1]];
const MODEL: [&str; 5] = ["model.created", "model.registered", "model.linked", DELETED[0], DELETED[1]];
const RUN: [&str; 3] = ["run.created", DELETED[0], DELETED[1]];
const EXPERIMENT: [&str; 4] = ["experiment.created", "experiment.linked", DELETED[0], DELETED[1]];
const LOGGED_MODEL: [&str; 3] = ["logged_model.created", DELETED[0], DELETED[1]];
const FINDING: [&str; 4] = ["finding.raised", "finding.graded", "finding.settled", "finding.reopened"];

/// Reads each record's operations once.
pub(super) struct Gathering<'r, 'c> {
    pub(super) r: &'r Reader<'c>,
    pub(super) orders: Orders<'r, 'c>,
    done: BTreeSet<Subject>,
    pub(super) said: Vec<Said>,
}

impl Gathering<'_, '_> {
    fn take(&mut self, kind: Kind, id: &str, types: &[&str]) -> Result<(), ApiError> {
        let subject = Subject { kind, id: id.to_owned() };
        if self.done.insert(subject.clone()) {
            self.said.extend(self.r.said_about(&self.orders, &subject, types)?);
        }
        Ok(())
    }

    fn files(&mut self, kind: Kind, id: &str) -> Result<(), ApiError> {
        self.said.extend(self.r.said_of_files(&self.orders, &Subject { kind, id: id.to_owned() })?);
        Ok(())
    }

    fn in_order(&mut self) {
        self.said.sort_by(|a, b| a.id.cmp(&b.id));
        self.said.dedup_by(|a, b| a.id == b.id);
    }

    /// A request, with the decisions on it.
    fn release(&mut self, id: &str) -> Result<(), ApiError> {
        self.take(Kind::Release, id, &[])?;
        for signoff in self.r.ids_below(Kind::Signoff, id)? {
            self.take(Kind::Signoff, &signoff, &[])?;
        }
        Ok(())
    }

    /// A version with its model; returns the projects that its model ever belonged to.
    fn version(&mut self, version: &Record) -> Result<Vec<String>, ApiError> {
        self.take(Kind::ModelVersion, &version.id, &VERSION)?;
        let model = version.parent.clone().unwrap_or_default();
        self.take(Kind::Model, &model, &MODEL)?;
        Ok(self
            .said
            .iter()
            .filter_map(|s| match &s.op {
                Op::ModelCreated { model: m, project, .. } if m.as_str() == model => Some(project.to_string()),
                Op::ModelLinked { model: m, project: Some(project) } if m.as_str() == model => Some(project.to_string()),
                _ => None,
            })
            .collect())
    }
}

/// The operations that a release is judged by.
fn gather<'r, 'c>(r: &'r Reader<'c>, record: &Record, version: &Record) -> Result<Gathering<'r, 'c>, ApiError> {
    let mut g = Gathering { r, orders: Orders::new(r), done: BTreeSet::new(), said: Vec::new() };
    let project = record.parent.clone().unwrap_or_default();
    g.release(&record.id)?;
    g.take(Kind::Project, &project, &PROJECT)?;
    g.version(version)?;
    let (mut runs, models) = made_of(&g.said, &version.id);
    runs.extend(measured_runs(&g.said));
    for run in &runs {
        g.take(Kind::Run, run, &RUN)?;
        g.files(Kind::Run, run)?;
        if let Some(experiment) = r.parent_of(Kind::Run, run)? {
            g.take(Kind::Experiment, &experiment, &EXPERIMENT)?;
        }
    }
    for model in &models {
        g.take(Kind::LoggedModel, model, &LOGGED_MODEL)?;
        g.files(Kind::LoggedModel, model)?;
    }
    for criteria in r.ids_below(Kind::Criteria, &project)? {
        g.take(Kind::Criteria, &criteria, &[])?;
        for signoff in r.ids_below(Kind::Signoff, &criteria)? {
            g.take(Kind::Signoff, &signoff, &[])?;
        }
    }
    for finding in r.ids_below(Kind::Finding, &project)? {
        g.take(Kind::Finding, &finding, &FINDING)?;
    }
    // The same model anywhere else: what was decided there, and which class holds there.
    let contents = r.contents()?;
    for other in contents.like(&version.id) {
        if other != version.id
            && let Some(other) = r.record(Kind::ModelVersion, &other)?
        {
            for elsewhere in g.version(&other)? {
                g.take(Kind::Project, &elsewhere, &risk::CLASS_OPS)?;
            }
        }
        for release in contents.releases_of(&other) {
            g.release(release)?;
        }
    }
    // Whether data exist matters where a class was stated more than once.
    let mut stated: std::collections::BTreeMap<String, u32> = std::collections::BTreeMap::new();
    for s in &g.said {
        if let Op::ProjectClassSet { project, .. } = &s.op {
            *stated.entry(project.to_string()).or_insert(0) += 1;
        }
    }
    for project in stated.into_iter().filter(|(_, n)| *n > 1).map(|(p, _)| p) {
        let data = risk::data(r, &g.orders, &project)?;
        g.said.extend(data);
    }
    g.in_order();
    Ok(g)
}

/// The runs whose numbers decisions rest on, by their statements.
fn measured_runs(said: &[Said]) -> BTreeSet<String> {
    let statements = said.iter().filter_map(|s| match &s.op {
        Op::ReleaseDecided { statement, .. } => read(statement).ok(),
        _ => None,
    });
    statements.flat_map(|says| says.measured.into_iter().filter_map(|m| m.run.map(|run| run.to_string()))).collect()
}

/// The runs and logged models that a version was ever said to be made of.
fn made_of(said: &[Said], version: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut runs, mut models) = (BTreeSet::new(), BTreeSet::new());
    for s in said {
        match &s.op {
            Op::ModelVersionAdded { version: v, run, .. } if v.as_str() == version => {
                runs.insert(run.to_string());
            }
            Op::ModelVersionRegistered { version: v, run, logged_model, .. } if v.as_str() == version => {
                runs.extend(run.as_ref().map(ToString::to_string));
                models.extend(logged_model.as_ref().map(ToString::to_string));
            }
            _ => {}
        }
    }
    (runs, models)
}

/// What a signature binds to: the model's files, its card, every dataset version, and the signed criteria of the cycle.
pub(super) fn bound(r: &Reader<'_>, version: &Record, project: &str, cycle: Option<u32>) -> Result<Vec<Bound>, ApiError> {
    let model = r.require(Kind::Model, version.parent.as_deref().unwrap_or_default())?;
    let mut out = vec![
        Bound { name: "model".to_owned(), sha256: manifest_digest(&files_of(version)) },
        Bound { name: "card".to_owned(), sha256: cards::digest(&model, version) },
    ];
    let ids: Vec<String> = match version.get("datasets") {
        // What a signature binds to is never read with a default: a list that cannot be read is an error.
        Some(text) => serde_json::from_str(text)?,
        None => Vec::new(),
    };
    for id in ids {
        let data = r.require(Kind::DatasetVersion, &id)?;
        let name = r.record(Kind::Dataset, data.parent.as_deref().unwrap_or_default())?.map(|d| d.text("name")).unwrap_or_default();
        let sha256 = Digest::parse(data.text("digest")).map_err(|e| ApiError::new("internal", e.to_string()))?;
        out.push(Bound { name: format!("dataset/{name}@{}", data.text("number")), sha256 });
    }
    if let Some(cycle) = cycle {
        out.extend(criteria(r, project, cycle)?);
    }
    Ok(out)
}

/// The sets of acceptance criteria of a cycle that somebody who may has signed and that no other signed set replaces.
pub(crate) fn criteria(r: &Reader<'_>, project: &str, cycle: u32) -> Result<Vec<Bound>, ApiError> {
    let mut signed = Vec::new();
    for set in r.records(Kind::Criteria, Some(project))? {
        if crate::checks::acceptance::cycle_of(&set) != cycle {
            continue;
        }
        let digest = digest_of(&set);
        let fits = |s: &Record| {
            criterion::read(&s.text("statement"))
                .is_ok_and(|says| says.sha256 == digest && says.criteria == set.id && permits(says.role, Act::SignRelease))
        };
        if r.records(Kind::Signoff, Some(&set.id))?.iter().any(fits) {
            signed.push((set, digest));
        }
    }
    let replaced: BTreeSet<String> =
        signed.iter().flat_map(|(s, _)| serde_json::from_value::<Vec<String>>(s.json("replaces")).unwrap_or_default()).collect();
    let mut out = Vec::new();
    for (set, digest) in signed.into_iter().filter(|(s, _)| !replaced.contains(&s.id)) {
        let sha256 = Digest::parse(digest).map_err(|e| ApiError::new("internal", e.to_string()))?;
        out.push(Bound { name: format!("criteria/{}", set.id), sha256 });
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}

/// Computes where a release stands, from the log as it is here.
pub fn state_of(r: &Reader<'_>, record: &Record) -> Result<Judged, ApiError> {
    let version = r.require(Kind::ModelVersion, &record.text("version"))?;
    let cycle = match record.get("frozen") {
        Some(text) => Some(serde_json::from_str::<cairn_core::decision::Frozen>(text)?.cycle),
        None => None,
    };
    let current = bound(r, &version, record.parent.as_deref().unwrap_or_default(), cycle)?;
    let mut g = gather(r, record, &version)?;
    let acl = r.acl()?;
    let release = ReleaseId::parse(record.id.clone())?;
    let newer_authority = r.authority_is_newer()?;
    let judged = |said: &[Said], concerns: &[Concern]| {
        judge(&Case {
            release: &release,
            said,
            acl: &acl,
            policy: templates::policy_of,
            older: templates::older_policy_of,
            current: &current,
            concerns,
            newer_authority,
        })
    };
    let mut standing = judged(&g.said, &[]);
    let concerns = measure::concerns(&mut g, record, &version, &standing)?;
    if !concerns.is_empty() {
        g.in_order();
        standing = judged(&g.said, &concerns);
    }
    Ok(Judged { standing, said: g.said, rests: g.done, current })
}

/// The roles whose word can decide on a release.
pub(crate) fn signing(roles: &BTreeSet<Role>) -> Vec<Role> {
    roles.iter().copied().filter(|r| permits(*r, Act::SignRelease)).collect()
}

/// Whether a person decides in a role of a project, as this computer knows it now.
pub(crate) fn decides_now(r: &Reader<'_>, project: &str, role: Role, member: &str) -> Result<bool, ApiError> {
    let orders = Orders::new(r);
    let types = ["project.member_added", "project.member_removed"];
    let said = r.said_about(&orders, &Subject { kind: Kind::Project, id: project.to_owned() }, &types)?;
    let acl = r.acl()?;
    let project = cairn_core::id::ProjectId::parse(project.to_owned())?;
    let names = cairn_core::decision::named(&said, &acl, &project, role, &r.frontier()?, None);
    Ok(names.is_empty() || names.iter().any(|m| m.as_str() == member))
}

/// Whether the team was too small for independence when a release was requested.
pub(crate) fn is_small(r: &Reader<'_>, judged: &Judged) -> Result<bool, ApiError> {
    let acl = r.acl()?;
    Ok(judged.standing.request.as_ref().is_some_and(|id| cairn_core::decision::is_small(&acl, id)))
}
