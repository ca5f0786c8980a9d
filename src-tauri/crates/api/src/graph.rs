//! Where a record comes from and what comes of it: lineage and links, walked both ways.

use crate::ApiError;
use crate::checklists::title_of;
use crate::host::Host;
use crate::notes::SubjectRef;
use crate::tracking::registry::project_of;
use cairn_core::op::{Kind, Subject};
use cairn_store::Reader;
use cairn_store::records::Record;
use cairn_store::search::{RunSearch, View};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Around {
    pub here: Node,
    /// What it comes from or is part of.
    pub from: Vec<Edge>,
    /// What came of it.
    pub to: Vec<Edge>,
    /// Neighbours beyond those listed.
    pub more: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Node {
    pub kind: String,
    pub id: String,
    pub title: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Edge {
    /// Such as "made by" or "mentioned in".
    pub how: String,
    pub node: Node,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AroundQuery {
    pub subject: SubjectRef,
}

/// Neighbours on one side.
const SIDE: usize = 40;
/// Runs of an experiment, or of some data, that are listed.
const RUNS: usize = 20;

struct Walk<'r, 'c> {
    r: &'r Reader<'c>,
    from: Vec<(String, Subject)>,
    to: Vec<(String, Subject)>,
}

impl Walk<'_, '_> {
    fn up(&mut self, how: &str, kind: Kind, id: impl Into<String>) {
        let id = id.into();
        if !id.is_empty() {
            self.from.push((how.to_owned(), Subject { kind, id }));
        }
    }
    fn down(&mut self, how: &str, kind: Kind, id: impl Into<String>) {
        self.to.push((how.to_owned(), Subject { kind, id: id.into() }));
    }
    fn children(&mut self, how: &str, kind: Kind, parent: &str) -> Result<(), ApiError> {
        for record in self.r.records_with(kind, Some(parent), Some(&["deleted"]))?.iter().filter(|x| !x.deleted()) {
            self.down(how, kind, record.id.clone());
        }
        Ok(())
    }
    /// Records of a kind that name something in a field.
    fn naming(&mut self, how: &str, kind: Kind, field: &str, id: &str) -> Result<(), ApiError> {
        for record in self.r.records_with(kind, None, Some(&[field, "deleted"]))? {
            if !record.deleted() && record.get(field) == Some(id) {
                self.down(how, kind, record.id);
            }
        }
        Ok(())
    }
    fn runs(&mut self, how: &str, experiments: Option<Vec<String>>, data: Option<&str>) -> Result<(), ApiError> {
        let found = match data {
            Some(digest) => self.r.runs_with_data(digest, RUNS)?,
            None => {
                let search = RunSearch { experiments, view: View::Active, limit: RUNS, ..RunSearch::default() };
                self.r.run_ids(&self.r.search_runs(&search)?.runs)?
            }
        };
        for id in found {
            self.down(how, Kind::Run, id);
        }
        Ok(())
    }
}

pub fn around(host: &Host, query: AroundQuery) -> Result<Around, ApiError> {
    let subject = query.subject.parse()?;
    host.workspace()?.read(|r| {
        let record = r.require(subject.kind, &subject.id)?;
        let mut walk = Walk { r, from: Vec::new(), to: Vec::new() };
        lineage(&mut walk, subject.kind, &record)?;
        for hit in r.links_of(subject.kind, &subject.id)? {
            if let Ok(other) = (SubjectRef { kind: hit.kind, id: hit.id }).parse() {
                walk.from.push(("mentions".to_owned(), other));
            }
        }
        for hit in r.linked_from(subject.kind.as_str(), &subject.id)? {
            if let Ok(other) = (SubjectRef { kind: hit.kind, id: hit.id }).parse() {
                walk.to.push(("mentioned in".to_owned(), other));
            }
        }
        let (from, left) = named(r, walk.from)?;
        let (to, right) = named(r, walk.to)?;
        Ok(Around {
            here: Node { kind: subject.kind.as_str().to_owned(), title: title_of(r, &subject)?, id: subject.id.clone() },
            from,
            to,
            more: u32::try_from(left + right).unwrap_or(u32::MAX),
        })
    })
}

/// The neighbours with their titles, each once; and how many more there are.
fn named(r: &Reader<'_>, side: Vec<(String, Subject)>) -> Result<(Vec<Edge>, usize), ApiError> {
    let mut seen = BTreeSet::new();
    let all: Vec<(String, Subject)> = side.into_iter().filter(|(_, s)| seen.insert(s.clone())).collect();
    let more = all.len().saturating_sub(SIDE);
    let mut out = Vec::new();
    for (how, subject) in all.into_iter().take(SIDE) {
        let title = title_of(r, &subject)?;
        out.push(Edge { how, node: Node { kind: subject.kind.as_str().to_owned(), id: subject.id, title } });
    }
    Ok((out, more))
}

fn lineage(walk: &mut Walk<'_, '_>, kind: Kind, record: &Record) -> Result<(), ApiError> {
    let parent = record.parent.clone().unwrap_or_default();
    let id = record.id.as_str();
    match kind {
        Kind::Project => {
            for (how, kind) in [
                ("data", Kind::Dataset),
                ("criteria", Kind::Criteria),
                ("handoff", Kind::Checklist),
                ("finding", Kind::Finding),
                ("release", Kind::Release),
                ("deployment", Kind::Deployment),
            ] {
                walk.children(how, kind, id)?;
            }
            walk.naming("experiment", Kind::Experiment, "project", id)?;
            for model in crate::models::of_project(walk.r, id)? {
                walk.down("model", Kind::Model, model.id);
            }
            walk.children("note", Kind::Note, &format!("project/{id}"))?;
        }
        Kind::Dataset => {
            walk.up("for", Kind::Project, parent);
            walk.children("version", Kind::DatasetVersion, id)?;
        }
        Kind::DatasetVersion => {
            walk.up("version of", Kind::Dataset, parent);
            walk.runs("used by", None, record.get("digest"))?;
            for version in walk.r.records_with(Kind::ModelVersion, None, Some(&["datasets", "deleted"]))? {
                let used: Vec<String> = serde_json::from_value(version.json("datasets")).unwrap_or_default();
                if !version.deleted() && used.iter().any(|d| d == id) {
                    walk.down("trained", Kind::ModelVersion, version.id);
                }
            }
        }
        Kind::Experiment => {
            walk.up("for", Kind::Project, record.text("project"));
            walk.runs("run", Some(vec![id.to_owned()]), None)?;
        }
        Kind::Run => {
            walk.up("try of", Kind::Experiment, parent);
            walk.up("part of", Kind::Run, record.get_key("tag", "mlflow.parentRunId").unwrap_or_default());
            let inputs: Vec<serde_json::Value> = record.pairs("input").values().filter_map(|v| serde_json::from_str(v).ok()).collect();
            let digests: BTreeSet<&str> = inputs.iter().filter_map(|i| i["dataset"]["digest"].as_str()).collect();
            if !digests.is_empty() {
                for version in walk.r.records_with(Kind::DatasetVersion, None, Some(&["digest", "deleted"]))? {
                    if version.get("digest").is_some_and(|d| digests.contains(d)) {
                        walk.up("used", Kind::DatasetVersion, version.id);
                    }
                }
            }
            walk.naming("made", Kind::ModelVersion, "run", id)?;
            walk.naming("logged", Kind::LoggedModel, "run", id)?;
            walk.children("remark", Kind::Pin, id)?;
        }
        Kind::LoggedModel => walk.up("logged by", Kind::Run, record.text("run")),
        Kind::Model => {
            walk.up("for", Kind::Project, project_of(record).unwrap_or_default());
            walk.children("version", Kind::ModelVersion, id)?;
        }
        Kind::ModelVersion => {
            walk.up("version of", Kind::Model, parent);
            walk.up("made by", Kind::Run, record.text("run"));
            for dataset in serde_json::from_value::<Vec<String>>(record.json("datasets")).unwrap_or_default() {
                walk.up("learned from", Kind::DatasetVersion, dataset);
            }
            walk.naming("asked to release", Kind::Release, "version", id)?;
            walk.naming("deployed", Kind::Deployment, "version", id)?;
        }
        Kind::Release => {
            walk.up("of", Kind::ModelVersion, record.text("version"));
            walk.children("decision", Kind::Signoff, id)?;
            walk.naming("deployed", Kind::Deployment, "release", id)?;
        }
        Kind::Deployment => {
            walk.up("of", Kind::ModelVersion, record.text("version"));
            walk.up("approved by", Kind::Release, record.text("release"));
            // From operation back to the problem: the next cycle.
            walk.down("for", Kind::Project, parent);
        }
        Kind::Criteria | Kind::Checklist => {
            walk.up("for", Kind::Project, parent);
            walk.children("signed", Kind::Signoff, id)?;
        }
        Kind::Finding => {
            walk.up("in", Kind::Project, parent);
            if let Some((kind, id)) = record.get("about").and_then(|a| a.split_once('/'))
                && let Ok(about) = (SubjectRef { kind: kind.to_owned(), id: id.to_owned() }).parse()
            {
                walk.from.push(("about".to_owned(), about));
            }
        }
        Kind::Note | Kind::Comment | Kind::Panel => {
            if let Some((kind, id)) = parent.split_once('/')
                && let Ok(about) = (SubjectRef { kind: kind.to_owned(), id: id.to_owned() }).parse()
            {
                walk.from.push(("about".to_owned(), about));
            }
        }
        Kind::Signoff => {
            let of = if walk.r.record(Kind::Criteria, &parent)?.is_some() { Kind::Criteria } else { Kind::Release };
            walk.up("decides", of, parent);
        }
        Kind::Pin => walk.up("on", Kind::Run, parent),
        Kind::View => walk.up("of", Kind::Project, parent),
        Kind::Monitor => walk.up("watches", Kind::Project, parent),
        Kind::Segment | Kind::Setting | Kind::Template | Kind::Assessment => {}
    }
    if !matches!(kind, Kind::Project | Kind::Comment) {
        walk.children("note", Kind::Note, &format!("{}/{id}", kind.as_str()))?;
    }
    Ok(())
}
