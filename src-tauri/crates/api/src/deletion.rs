//! Deleting is hiding with a mark: nothing governed is erased, what rests on a record is named first, and whoever hides
//! something that others build on says why.

use crate::ApiError;
use crate::checklists::{EvidenceLink, title_of};
use crate::host::Host;
use crate::notes::SubjectRef;
use crate::people::person_at;
use crate::tracking::registry::project_of;
use cairn_core::op::{Kind, Op, Subject};
use cairn_store::Reader;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeleteRecord {
    pub subject: SubjectRef,
    /// Undo of a deletion.
    #[serde(default)]
    pub restore: bool,
    /// Required for what others build on: it stays beside the mark.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// What a deletion would touch.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Resting {
    /// A reason must be given.
    pub governed: bool,
    /// What rests on the record, releases first.
    pub rests: Vec<EvidenceLink>,
    pub more: u32,
}

/// What is named; more is counted.
const NAMED: usize = 20;

pub fn resting(host: &Host, request: SubjectRef) -> Result<Resting, ApiError> {
    host.workspace()?.read(|r| {
        let subject = request.parse()?;
        r.require(subject.kind, &subject.id)?;
        let all = rests_on(r, &subject)?;
        let more = u32::try_from(all.len().saturating_sub(NAMED)).unwrap_or(u32::MAX);
        let link = |s: &Subject| Ok(EvidenceLink { kind: s.kind.as_str().to_owned(), id: s.id.clone(), title: title_of(r, s)? });
        let rests = all.iter().take(NAMED).map(link).collect::<Result<_, ApiError>>()?;
        Ok(Resting { governed: is_governed(subject.kind) || !all.is_empty(), rests, more })
    })
}

/// Kinds that others build on by their nature.
fn is_governed(kind: Kind) -> bool {
    match kind {
        Kind::Project | Kind::Dataset | Kind::DatasetVersion | Kind::Model | Kind::ModelVersion | Kind::Checklist | Kind::Template => true,
        Kind::Experiment
        | Kind::Run
        | Kind::LoggedModel
        | Kind::Note
        | Kind::View
        | Kind::Panel
        | Kind::Pin
        | Kind::Comment
        | Kind::Assessment
        | Kind::Monitor
        | Kind::Release
        | Kind::Signoff
        | Kind::Deployment
        | Kind::Segment
        | Kind::Setting
        | Kind::Criteria
        | Kind::Finding => false,
    }
}

/// The releases, versions and deployments that rest on a record.
fn rests_on(r: &Reader<'_>, subject: &Subject) -> Result<Vec<Subject>, ApiError> {
    let contents = r.contents()?;
    let mut versions: Vec<String> = Vec::new();
    match subject.kind {
        Kind::ModelVersion => versions.push(subject.id.clone()),
        Kind::Model => versions.extend(r.ids_below(Kind::ModelVersion, &subject.id)?),
        Kind::Run | Kind::LoggedModel | Kind::Experiment | Kind::DatasetVersion => {
            let fields = Some(["run", "logged_model", "datasets"].as_slice());
            for v in r.records_with(Kind::ModelVersion, None, fields)? {
                let run = v.get("run").unwrap_or_default();
                let hit = match subject.kind {
                    Kind::Run => run == subject.id,
                    Kind::LoggedModel => v.get("logged_model") == Some(&subject.id),
                    Kind::DatasetVersion => v.get("datasets").is_some_and(|d| d.contains(&format!("\"{}\"", subject.id))),
                    _ => !run.is_empty() && r.parent_of(Kind::Run, run)?.as_deref() == Some(&subject.id),
                };
                if hit {
                    versions.push(v.id);
                }
            }
        }
        Kind::Dataset => {
            let mut all = Vec::new();
            for id in r.ids_below(Kind::DatasetVersion, &subject.id)? {
                all.extend(rests_on(r, &Subject { kind: Kind::DatasetVersion, id })?);
            }
            all.sort();
            all.dedup();
            return Ok(all);
        }
        Kind::Project => {
            let releases = r.ids_below(Kind::Release, &subject.id)?.into_iter().map(|id| Subject { kind: Kind::Release, id });
            let mut all: Vec<Subject> = releases.collect();
            for model in r.records(Kind::Model, None)? {
                if project_of(&model).as_deref() == Some(&subject.id) {
                    all.extend(r.ids_below(Kind::ModelVersion, &model.id)?.into_iter().map(|id| Subject { kind: Kind::ModelVersion, id }));
                }
            }
            return Ok(all);
        }
        _ => return Ok(Vec::new()),
    }
    let mut all: Vec<Subject> = Vec::new();
    for v in &versions {
        all.extend(contents.releases_of(v).iter().map(|id| Subject { kind: Kind::Release, id: id.clone() }));
    }
    if subject.kind != Kind::ModelVersion {
        all.extend(versions.into_iter().map(|id| Subject { kind: Kind::ModelVersion, id }));
    }
    Ok(all)
}

/// Hides a record, or shows it again. Nothing governed is ever erased.
pub fn delete(host: &Host, request: DeleteRecord) -> Result<SubjectRef, ApiError> {
    let workspace = host.workspace()?;
    let subject = request.subject.parse()?;
    if matches!(subject.kind, Kind::Release | Kind::Signoff | Kind::Deployment) {
        return Err(ApiError::conflict("Decisions and deployments stay in the history for ever")
            .hint("Withdraw the release, or record a new deployment."));
    }
    if matches!(subject.kind, Kind::Criteria | Kind::Finding) {
        return Err(ApiError::conflict("Criteria and findings stay in the history for ever")
            .hint("Write criteria anew, which replaces them, or settle the finding."));
    }
    let reason = request.reason.as_deref().map(str::trim).filter(|t| !t.is_empty());
    workspace.write(|w| {
        let record = w.require(subject.kind, &subject.id)?;
        let acl = w.acl()?;
        let me = acl.member_of(&w.device()?).map(|(id, _)| id.to_string()).unwrap_or_default();
        if subject.kind == Kind::Comment && person_at(&acl, &record.device).id != me {
            return Err(ApiError::conflict("Only whoever wrote a comment deletes it").hint("Resolve the thread instead."));
        }
        if !request.restore && subject.kind == Kind::Template {
            let named = format!("team/{}/", subject.id);
            let users: Vec<String> = w
                .records(Kind::Project, None)?
                .iter()
                .filter(|p| !p.deleted() && p.get("template").is_some_and(|t| t.starts_with(&named)))
                .map(|p| p.text("title"))
                .collect();
            if !users.is_empty() {
                return Err(ApiError::conflict(format!("Projects keep to this lifecycle: {}", users.join(", ")))
                    .hint("Move them to another one first, each with its reason."));
            }
        }
        let resting = if request.restore { Vec::new() } else { rests_on(w, &subject)? };
        if !request.restore && reason.is_none() && (is_governed(subject.kind) || !resting.is_empty()) {
            let named: Vec<String> = resting.iter().take(NAMED).map(|s| title_of(w, s)).collect::<Result<_, _>>()?;
            let rests = if named.is_empty() { String::new() } else { format!(" These rest on it: {}.", named.join(", ")) };
            return Err(ApiError::new("reason", format!("Deleting this needs a reason.{rests}"))
                .hint("Say in a sentence why. It is hidden and can be shown again; the reason stays beside the mark."));
        }
        let op = if request.restore { Op::RecordRestored { subject } } else { Op::RecordDeleted { subject } };
        w.append_why(op, reason).map(drop).map_err(ApiError::from)
    })?;
    Ok(request.subject)
}
