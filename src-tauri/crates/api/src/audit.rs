//! The audit trail: who did what, when, in which role, why, before and after; and its export.

mod export;
mod pick;

pub use export::{ExportAudit, Exported, export};
pub use pick::TrailPick;

use crate::host::Host;
use crate::notes::SubjectRef;
use crate::people::{Person, person_at};
use crate::workspaces::Nothing;
use crate::{ApiError, checklists, templates};
use cairn_core::authority::Acl;
use cairn_core::fold::{Effect, effects};
use cairn_core::id::{DeviceId, OpId};
use cairn_core::op::{Kind, Op, Party, Removal, Subject};
use cairn_report::audit::words;
use cairn_store::Reader;
use cairn_store::log::{TrailFilter, TrailRow};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct TrailQuery {
    #[serde(default)]
    #[ts(optional)]
    pub subject: Option<SubjectRef>,
    /// Such as `release.`.
    #[serde(default)]
    #[ts(optional)]
    pub kind: Option<String>,
    /// A word of what was written, or of the name of whoever wrote it.
    #[serde(default)]
    #[ts(optional)]
    pub text: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub only: Option<TrailPick>,
    /// Also the many small lines of tracking.
    #[serde(default)]
    pub tracking: bool,
    #[serde(default)]
    pub problems: bool,
    #[serde(default)]
    pub offset: u32,
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Trail {
    pub entries: Vec<TrailEntry>,
    pub total: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TrailEntry {
    pub id: String,
    pub at_ms: i64,
    pub received_ms: Option<i64>,
    pub by: Person,
    pub device: String,
    pub operation: String,
    /// In plain words.
    pub sentence: String,
    pub subject: Option<SubjectRef>,
    pub subject_title: String,
    pub why: Option<String>,
    pub before: Option<String>,
    pub after: String,
    pub state: String,
    pub state_reason: Option<String>,
    pub commit: Option<String>,
}

pub fn list(host: &Host, query: TrailQuery) -> Result<Trail, ApiError> {
    host.workspace()?.read(|r| {
        let acl = r.acl()?;
        let text = query.text.filter(|t| !t.trim().is_empty());
        let mut filter = TrailFilter {
            subject: query.subject.map(|s| (s.kind, s.id)),
            type_prefix: query.kind,
            text_devices: text.as_deref().map(|t| pick::computers_named(r, t)).transpose()?.unwrap_or_default(),
            text,
            only_problems: query.problems,
            without_tracking: !query.tracking,
            limit: query.limit.unwrap_or(100).min(1_000),
            offset: query.offset,
            ..TrailFilter::default()
        };
        if let Some(only) = &query.only {
            pick::ask(r, &pick::filter(r, only)?, &mut filter)?;
        }
        let (rows, total) = r.trail(&filter)?;
        let entries = rows.iter().map(|row| entry(r, &acl, row)).collect::<Result<Vec<_>, ApiError>>()?;
        Ok(Trail { entries, total })
    })
}

/// One of the meanings that the trail is filtered by.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Meaning {
    pub id: String,
    pub label: String,
}

/// The closed set of meanings.
pub fn meanings(_: &Host, _: Nothing) -> Result<Vec<Meaning>, ApiError> {
    Ok(words::meanings().into_iter().map(|(id, label)| Meaning { id: id.to_owned(), label: label.to_owned() }).collect())
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OperationRef {
    /// `<device>.<n>`.
    pub operation: String,
}

/// Somebody who had seen an operation when they wrote something themselves.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Witness {
    pub person: Person,
    pub device: String,
    /// What their clock said when they first wrote in knowledge of it.
    pub at_ms: i64,
    /// The commit that proves it.
    pub commit: String,
}

/// Who can say that an operation was there, and since when: its own time is only what its author claimed.
pub fn witnesses(host: &Host, request: OperationRef) -> Result<Vec<Witness>, ApiError> {
    let id = OpId::parse(request.operation)?;
    host.workspace()?.read(|r| {
        let acl = r.acl()?;
        let found = r.witnesses(&id)?;
        Ok(found
            .into_iter()
            .map(|w| Witness { person: person_at(&acl, &w.device), device: w.device, at_ms: w.at_ms, commit: w.oid })
            .collect())
    })
}

fn entry(r: &Reader<'_>, acl: &Acl, row: &TrailRow) -> Result<TrailEntry, ApiError> {
    let line = row.op();
    let subject = match (&row.kind, &row.record) {
        (Some(kind), Some(id)) => Some(SubjectRef { kind: kind.clone(), id: id.clone() }),
        _ => None,
    };
    let subject_title = match &subject {
        Some(s) => checklists::title_of(r, &s.parse()?)?,
        None => String::new(),
    };
    let before = match &line {
        Some(line) => before(r, &line.op)?,
        None => None,
    };
    Ok(TrailEntry {
        id: row.id.clone(),
        at_ms: row.at_ms,
        received_ms: row.received_ms,
        by: person_at(acl, &row.device),
        device: row.device.clone(),
        operation: row.r#type.clone(),
        sentence: line.as_ref().map_or_else(|| "did something that this program does not know yet".to_owned(), |l| sentence(acl, &l.op)),
        subject,
        subject_title,
        why: line.as_ref().and_then(|l| l.why.clone()),
        before,
        after: line.map(|l| after(&l.op)).unwrap_or_default(),
        state: row.state.clone(),
        state_reason: row.reason.clone(),
        commit: row.envelope.clone(),
    })
}

/// What an edit replaced: the text that it was based on.
fn before(r: &Reader<'_>, op: &Op) -> Result<Option<String>, ApiError> {
    for effect in effects(op) {
        if let Effect::Edit { kind, id, field, key, base, .. } = effect
            && let Some(base) = base.first()
        {
            let history = r.history(kind, &id, field, &key)?;
            return Ok(history.into_iter().find(|h| h.op == base.to_string()).map(|h| h.value));
        }
    }
    Ok(None)
}

/// What was written, without the wrapping.
fn after(op: &Op) -> String {
    match op {
        Op::ProjectEdited { value, .. } | Op::ProjectAnswered { value, .. } => value.as_str().to_owned(),
        Op::CommentWritten { text, .. }
        | Op::CommentEdited { text, .. }
        | Op::FindingRaised { text, .. }
        | Op::FindingEdited { text, .. } => text.as_str().to_owned(),
        Op::CardEdited { text, .. } | Op::NoteEdited { text, .. } | Op::NoteCreated { text, .. } => text.as_str().to_owned(),
        other => serde_json::to_value(other).ok().map(|v| v["d"].to_string()).unwrap_or_default(),
    }
}

/// What happened, to stand after a person's name.
pub(crate) fn sentence(acl: &Acl, op: &Op) -> String {
    let name = |id: &cairn_core::id::MemberId| acl.members.get(id).map_or_else(|| "somebody".to_owned(), |m| m.shown.clone());
    let computer = |id: &DeviceId| match acl.member_of(id) {
        Some((_, m)) => format!("{}'s computer \u{201c}{}\u{201d}", m.name, acl.devices.get(id).map_or("", |d| d.name.as_str())),
        None => "a computer".to_owned(),
    };
    match op {
        Op::WorkspaceCreated { name, .. } => format!("created the workspace {name}"),
        Op::DeviceRequested { name, .. } => format!("asked to join as {name}"),
        Op::MemberAdmitted(a) => format!("let {} in", a.name),
        Op::RoleGranted { member, role } => format!("gave {} the role {}", name(member), role.label()),
        Op::DeviceReadmitted { device, .. } => format!("let {} in again", computer(device)),
        Op::DeviceSealed {} => "put this computer out of service".to_owned(),
        Op::DeviceRotated { .. } => "gave this computer a new key".to_owned(),
        Op::QuorumProposed { change } => format!("asked the owners to {}", crate::members::change_sentence(acl, change)),
        Op::QuorumSeconded { .. } => "agreed to a decision of the owners".to_owned(),
        Op::RoleRevoked { member, role, .. } => format!("took the role {} from {}", role.label(), name(member)),
        Op::DeviceRevoked { device, removal, .. } => match removal {
            Removal::Retired => format!("put {} out of service", computer(device)),
            Removal::Compromised => format!("removed {} as compromised", computer(device)),
        },
        Op::ProjectCreated { title, .. } => format!("started the project {title}"),
        Op::ProjectEdited { field, .. } => format!("changed the {}", field.as_str().replace('_', " ")),
        Op::ProjectMemberAdded { member, role, .. } => format!("named {} as {}", name(member), role.label().to_lowercase()),
        Op::ProjectMemberRemoved { member, role, .. } => format!("took {} off as {}", name(member), role.label().to_lowercase()),
        Op::ProjectStageEntered { stage, cycle, waived, .. } => {
            let waiver = if waived.is_empty() { String::new() } else { format!(", waiving {}", waived.join(", ")) };
            format!("moved the project to {}, cycle {cycle}{waiver}", stage.as_str().replace('_', " "))
        }
        Op::ExperimentCreated { name, .. } => format!("created the experiment {name}"),
        Op::ExperimentRenamed { name, .. } => format!("renamed the experiment to {name}"),
        Op::ExperimentLinked { .. } => "linked an experiment to a project".to_owned(),
        Op::ExperimentTagged { .. } => "tagged an experiment".to_owned(),
        Op::RunCreated { .. } => "started a run".to_owned(),
        Op::RunUpdated { status, .. } => format!("set a run to {}", status.as_str().to_lowercase()),
        Op::RunParamsLogged { params, .. } => format!("logged {} parameters", params.len()),
        Op::RunTagged { .. } => "tagged a run".to_owned(),
        Op::DeviceWitnessed {} => "has seen the work of the others up to here".to_owned(),
        Op::SegmentStored { runs, .. } => format!("stored {} metric points in a file", runs.values().sum::<u64>()),
        Op::RunMetricSummarised { key, count, .. } => format!("logged {count} points of {key}"),
        Op::RunMetricsSummarised { metrics, .. } => {
            format!("logged {} points of {} metrics", metrics.iter().map(|m| m.count).sum::<u64>(), metrics.len())
        }
        Op::RunInputsLogged { .. } => "logged the data of a run".to_owned(),
        Op::RunOutputsLogged { .. } => "logged the model of a run".to_owned(),
        Op::LoggedModelCreated { name, .. } => format!("logged the model {name}"),
        Op::LoggedModelUpdated { .. } | Op::LoggedModelTagged { .. } | Op::LoggedModelParamsLogged { .. } => {
            "updated a logged model".to_owned()
        }
        Op::LoggedModelMetricsSummarised { metrics, .. } => format!("logged {} values of a logged model", metrics.len()),
        Op::ArtifactRemoved { path, .. } => format!("removed the file {path}"),
        Op::ArtifactReferenced { path, address, .. } => format!("named {address} as the file {path}"),
        Op::RunSourceRecorded { .. } => "noted which code made a run".to_owned(),
        Op::ViewCreated { name, .. } => format!("saved the view {name}"),
        Op::ViewEdited { name, .. } => format!("changed the view {name}"),
        Op::NoteFrozen { .. } => "kept what a report showed, as evidence".to_owned(),
        Op::PanelCreated { .. } => "put a chart on a page".to_owned(),
        Op::PanelEdited { .. } => "changed a chart on a page".to_owned(),
        Op::PinCreated { metric, step, .. } => format!("pinned a remark at step {step} of {metric}"),
        Op::PinEdited { .. } => "changed a remark on a curve".to_owned(),
        Op::TemplateSaved { .. } => "saved a lifecycle of the team".to_owned(),
        Op::ProjectTemplateSet { template, .. } => format!("moved the project to the lifecycle {}", templates::spoken(template)),
        Op::ProjectAnswered { question, .. } => format!("answered \u{201c}{}\u{201d}", crate::problem::heading(question)),
        Op::ProjectTriggered { cycle, trigger, .. } => format!("recorded what began cycle {cycle}: {}", trigger.as_str()),
        Op::ProjectEnded { ending, .. } => format!("ended the project as {}", ending.as_str()),
        Op::ProjectResumed { .. } => "took the project up again".to_owned(),
        Op::RecordAttached { name, .. } => format!("attached the file {name}"),
        Op::MonitorPlanned { plan, base, .. } => {
            format!("{} the monitor \u{201c}{}\u{201d}", if base.is_empty() { "planned" } else { "changed" }, plan.metric)
        }
        Op::MonitorReported { value, .. } => format!("reported {} from operation", String::from(*value)),
        Op::MaturityAssessed { model, .. } => format!("assessed the team's maturity by {model}"),
        Op::CommentWritten { asks: Some(who), .. } => format!("asked {} a question", party(acl, who)),
        Op::CommentWritten { reply_to: Some(_), .. } => "replied".to_owned(),
        Op::CommentWritten { .. } => "wrote a comment".to_owned(),
        Op::CommentEdited { .. } => "changed a comment".to_owned(),
        Op::CommentResolved { .. } => "resolved a thread".to_owned(),
        Op::CommentReopened { .. } => "opened a thread again".to_owned(),
        Op::CriteriaWritten { list, cycle, .. } => {
            format!("wrote {} acceptance {} for cycle {cycle}", list.len(), if list.len() == 1 { "criterion" } else { "criteria" })
        }
        Op::CriteriaSigned { role, .. } => format!("signed the acceptance criteria as {}", role.label().to_lowercase()),
        Op::FindingRaised { title, severity, .. } => format!("raised a finding of {} severity: {title}", severity.as_str()),
        Op::FindingEdited { title, .. } => format!("changed the finding {title}"),
        Op::FindingGraded { severity, .. } => format!("graded a finding as {}", severity.as_str()),
        Op::FindingAssigned { to, due, .. } => {
            let by = due.as_ref().map(|d| format!(" until {}", d.as_str())).unwrap_or_default();
            to.as_ref().map_or_else(|| format!("left a finding to nobody{by}"), |to| format!("gave a finding to {}{by}", party(acl, to)))
        }
        Op::FindingSettled { outcome, .. } => format!("settled a finding as {}", outcome.as_str().replace('_', " ")),
        Op::FindingReopened { .. } => "reopened a finding".to_owned(),
        Op::ChecklistAssigned { item, to, .. } => {
            let what = if item.is_empty() { "a handoff".to_owned() } else { format!("item {item}") };
            to.as_ref().map_or_else(|| format!("took {what} from whoever had it"), |to| format!("gave {what} to {}", party(acl, to)))
        }
        Op::ChecklistDueSet { item, due, .. } => {
            let what = if item.is_empty() { "a handoff".to_owned() } else { format!("item {item}") };
            due.as_ref().map_or_else(|| format!("took the date off {what}"), |due| format!("set {what} due on {}", due.as_str()))
        }
        Op::ChecklistBlocked { .. } => "said that a handoff is blocked".to_owned(),
        Op::ChecklistUnblocked { .. } => "said that a handoff can go on".to_owned(),
        Op::ChecklistReceived { .. } => "took a handoff to look at it".to_owned(),
        Op::ChecklistAccepted { .. } => "accepted a handoff".to_owned(),
        Op::SettingChanged { setting, value } => {
            format!("set {} to \u{201c}{}\u{201d}", setting.as_str().replace('_', " "), value.as_str())
        }
        Op::ArtifactLogged { path, .. } => format!("logged the file {path}"),
        Op::DatasetCreated { name, .. } => format!("registered the dataset {name}"),
        Op::DatasetVersionAdded { number, rows, .. } => format!("added version {number} of a dataset ({rows} rows)"),
        Op::ModelCreated { name, .. } => format!("registered the model {name}"),
        Op::ModelVersionAdded { number, .. } => format!("made model version {number} from a run"),
        Op::ModelAliasSet { alias, .. } => format!("set the alias {alias}"),
        Op::ModelRegistered { name, .. } => format!("registered the model {name} from a script"),
        Op::ModelRenamed { name, .. } => format!("renamed a model to {name}"),
        Op::ModelLinked { .. } => "linked a model to a project".to_owned(),
        Op::ModelDescribed { .. } => "described a model".to_owned(),
        Op::ModelTagged { .. } => "tagged a model".to_owned(),
        Op::ModelVersionRegistered { number, .. } => format!("registered model version {number} from a script"),
        Op::ModelVersionDescribed { .. } => "described a model version".to_owned(),
        Op::ModelVersionTagged { .. } => "tagged a model version".to_owned(),
        Op::ModelVersionStaged { stage, .. } => format!("set the stage label {stage} on a model version"),
        Op::CardEdited { section, .. } => format!("wrote \"{}\" in the model card", section.replace('_', " ")),
        Op::NoteCreated { title, .. } => format!("wrote the note {title}"),
        Op::NoteEdited { title, .. } => format!("edited the note {title}"),
        Op::ChecklistStarted { gate, .. } => format!("started the checklist {gate}"),
        Op::ChecklistPickedUp { .. } => "picked a checklist up".to_owned(),
        Op::ChecklistItemDone { item, .. } => format!("did item {item}"),
        Op::ChecklistItemReopened { item, .. } => format!("reopened item {item}"),
        Op::ChecklistHandedBack { .. } => "handed a checklist back".to_owned(),
        Op::ChecklistCompleted { .. } => "completed a checklist".to_owned(),
        Op::ReleaseRequested { .. } => "requested a release".to_owned(),
        Op::ReleaseSubmitted { frozen, .. } => {
            format!("requested a release, judged as {} risk by {}", frozen.class.as_str(), frozen.policy)
        }
        Op::ReleaseDecided { decision, role, .. } => {
            format!("{} (a release), as {}", decision.did(), role.label().to_lowercase())
        }
        Op::ReleaseAnswered { .. } => "answered what a colleague brought up against a release".to_owned(),
        Op::ProjectClassSet { class, role, .. } => format!("stated the risk class {} as {}", class.as_str(), role.label().to_lowercase()),
        Op::ProjectClassAgreed { role, .. } => format!("agreed to a lower risk class as {}", role.label().to_lowercase()),
        Op::RulesAdopted { rules } => format!("adopted the rules for releases, version {rules}"),
        Op::RequestDeclined { .. } => "declined a request to join".to_owned(),
        Op::ReleaseSigned { decision, role, .. } => {
            format!("signed \"{}\" as {}", decision.as_str().replace('_', " "), role.label().to_lowercase())
        }
        Op::ReleaseWithdrawn { .. } => "withdrew a release request".to_owned(),
        Op::DeploymentRecorded { environment, .. } => format!("recorded a deployment to {}", environment.as_str()),
        Op::RecordDeleted { subject } => format!("deleted a {}", subject.kind.as_str().replace('_', " ")),
        Op::RecordRestored { subject } => format!("restored a {}", subject.kind.as_str().replace('_', " ")),
    }
}

/// The project that a record belongs to, by way of what it is part of; none where it belongs to none.
pub(crate) fn project_of(r: &Reader<'_>, subject: &SubjectRef) -> Result<Option<String>, ApiError> {
    let mut at = subject.parse()?;
    // A comment on a note about a run of an experiment of a project: no way is longer than this.
    for _ in 0..6 {
        if at.kind == Kind::Project {
            return Ok(Some(at.id));
        }
        // Only two kinds keep it in a field.
        if matches!(at.kind, Kind::Model | Kind::Experiment) {
            let Some(record) = r.record(at.kind, &at.id)? else { return Ok(None) };
            return Ok(crate::tracking::registry::project_of(&record));
        }
        let Some(parent) = r.parent_of(at.kind, &at.id)? else { return Ok(None) };
        let of = |kind: Kind| Subject { kind, id: parent.clone() };
        at = match at.kind {
            Kind::Dataset
            | Kind::Checklist
            | Kind::Monitor
            | Kind::Release
            | Kind::Deployment
            | Kind::Criteria
            | Kind::Finding
            | Kind::View => of(Kind::Project),
            Kind::DatasetVersion => of(Kind::Dataset),
            Kind::ModelVersion => of(Kind::Model),
            Kind::Run | Kind::LoggedModel => of(Kind::Experiment),
            Kind::Pin => of(Kind::Run),
            Kind::Signoff if r.record(Kind::Criteria, &parent)?.is_some() => of(Kind::Criteria),
            Kind::Signoff => of(Kind::Release),
            Kind::Note | Kind::Comment | Kind::Panel => match parent.split_once('/') {
                Some((kind, id)) => SubjectRef { kind: kind.to_owned(), id: id.to_owned() }.parse()?,
                None => return Ok(None),
            },
            Kind::Project | Kind::Experiment | Kind::Model | Kind::Setting | Kind::Template | Kind::Assessment | Kind::Segment => {
                return Ok(None);
            }
        };
    }
    Ok(None)
}

/// Who is meant, by name or by role.
fn party(acl: &Acl, who: &Party) -> String {
    match who {
        Party::Member(id) => acl.members.get(id).map_or_else(|| "somebody".to_owned(), |m| m.shown.clone()),
        Party::Role(role) => format!("the {}", role.label().to_lowercase()),
    }
}
