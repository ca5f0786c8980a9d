//! Handoff checklists: picked up, worked through with evidence, completed or handed back.

use crate::checks::{Found, Looker, template_of as lifecycle_of};
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::people::{Person, RoleName, person, person_at};
use crate::projects::{ProjectRef, stage_of};
use crate::{ApiError, templates};
use cairn_core::checklist::{Checklist as Template, ItemKind, blocking};
use cairn_core::id::{ChecklistId, ProjectId};
use cairn_core::lifecycle::{Check, Lifecycle};
use cairn_core::op::{Kind, Op, Subject};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Checklist {
    pub id: String,
    pub project: String,
    pub gate: String,
    /// The lifecycle that it began with.
    pub template: String,
    pub title: String,
    pub from: RoleName,
    pub to: RoleName,
    pub cycle: u32,
    /// `open`, `picked_up`, `handed_back` or `completed`.
    pub state: String,
    pub holder: Option<Person>,
    pub mine: bool,
    /// Why it was handed back last.
    pub handed_back_why: Option<String>,
    pub items: Vec<ChecklistItem>,
    /// How many blocking items are still open.
    pub blocking: u32,
    pub done: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ChecklistItem {
    pub id: String,
    pub text: String,
    pub role: RoleName,
    pub kind: String,
    pub blocks: bool,
    pub source: String,
    pub done: bool,
    pub comment: String,
    pub evidence: Vec<EvidenceLink>,
    pub by: Option<Person>,
    pub at_ms: Option<i64>,
    /// Of items that Cairn sees in its records: what it saw, or what is missing. Nobody ticks these.
    pub said: Option<String>,
    /// Nobody in the workspace holds the role, so nobody can do it.
    pub nobody: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EvidenceLink {
    pub kind: String,
    pub id: String,
    pub title: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StartChecklist {
    pub project: String,
    pub gate: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ChecklistRef {
    pub checklist: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ItemDone {
    pub checklist: String,
    pub item: String,
    #[serde(default)]
    pub comment: String,
    #[serde(default)]
    pub evidence: Vec<SubjectRef>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ItemRef {
    pub checklist: String,
    pub item: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct HandBack {
    pub checklist: String,
    pub reason: String,
}

pub fn list(host: &Host, request: ProjectRef) -> Result<Vec<Checklist>, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let found = r.records(Kind::Checklist, Some(&request.project))?;
        let shown = found.iter().filter(|c| !c.deleted()).rev().filter_map(|c| match view(&workspace, r, c) {
            // Its lifecycle has not arrived yet, or a later program wrote it: the others are shown all the same.
            Err(error) if error.code == "not_found" => None,
            shown => Some(shown),
        });
        shown.collect()
    })
}

pub fn get(host: &Host, request: ChecklistRef) -> Result<Checklist, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| view(&workspace, r, &r.require(Kind::Checklist, &request.checklist)?))
}

pub fn start(host: &Host, request: StartChecklist) -> Result<Checklist, ApiError> {
    let workspace = host.workspace()?;
    let checklist = ChecklistId::parse(workspace.edge.new_id())?;
    let project = ProjectId::parse(request.project)?;
    workspace.write(|w| {
        let record = w.require(Kind::Project, project.as_str())?;
        let (lifecycle, here) = lifecycle_of(w, &record)?;
        if !here {
            return Err(ApiError::conflict("The lifecycle of this project has not arrived on this computer yet")
                .hint("Share now; then its handoffs can begin."));
        }
        let template =
            lifecycle.checklist(&request.gate).ok_or_else(|| ApiError::invalid(format!("There is no checklist {}", request.gate)))?;
        let (stage, cycle) = stage_of(&record);
        let running = w.records(Kind::Checklist, Some(project.as_str()))?;
        let completed = |gate: &String| {
            running.iter().any(|c| {
                !c.deleted()
                    && c.get("gate") == Some(gate)
                    && c.int("cycle") == Some(i64::from(cycle))
                    && c.get("state") == Some("completed")
            })
        };
        // Of a stage that the project has left, by a waiver or under another lifecycle, nothing is waited for.
        let left = |gate: &String| {
            let asks = |s: &cairn_core::lifecycle::StageTemplate| {
                s.requirements.iter().any(|q| matches!(&q.check, Check::ChecklistCompleted { gate: g } if g == gate))
            };
            lifecycle.stages.iter().find(|s| asks(s)).is_some_and(|s| s.stage < stage)
        };
        if let Some(before) = template.after.iter().find(|gate| !completed(gate) && !left(gate)) {
            return Err(ApiError::conflict(format!("{} comes after {before}, which is not completed in this cycle", template.gate)));
        }
        // One that began with another lifecycle asks for other things; it stays, and another may begin beside it.
        let same = |c: &Record| {
            !c.deleted()
                && c.get("gate") == Some(&template.gate)
                && c.int("cycle") == Some(i64::from(cycle))
                && c.get("template") == Some(&lifecycle.id)
        };
        if running.iter().any(same) {
            return Err(ApiError::conflict(format!("The checklist {} is already there for this cycle", template.gate)));
        }
        w.append(Op::ChecklistStarted {
            checklist: checklist.clone(),
            project,
            gate: template.gate.clone(),
            template: lifecycle.id.clone(),
            cycle,
        })
        .map_err(ApiError::from)
    })?;
    get(host, ChecklistRef { checklist: checklist.to_string() })
}

pub fn pick_up(host: &Host, request: ChecklistRef) -> Result<Checklist, ApiError> {
    change(host, &request.checklist, |workspace, r, record| {
        if record.get("state") == Some("completed") {
            return Err(ApiError::conflict("This checklist is completed"));
        }
        let member = workspace.me(r)?.ok_or_else(|| ApiError::conflict("This computer has not been let in yet"))?;
        Ok((Op::ChecklistPickedUp { checklist: ChecklistId::parse(record.id.clone())?, member }, None))
    })
}

pub fn item_done(host: &Host, request: ItemDone) -> Result<Checklist, ApiError> {
    change(host, &request.checklist, |workspace, r, record| {
        held_by_me(workspace, r, record)?;
        known_item(r, record, &request.item)?;
        let mut evidence: Vec<Subject> = Vec::new();
        for link in &request.evidence {
            let subject = link.parse()?;
            r.require(subject.kind, &subject.id)?;
            evidence.push(subject);
        }
        if request.comment.trim().is_empty() && evidence.is_empty() {
            return Err(ApiError::invalid("An item is done with a word or a link to evidence")
                .hint("Say in a sentence how you know, or link the run, dataset, card or note that shows it."));
        }
        let checklist = ChecklistId::parse(record.id.clone())?;
        let comment = request.comment.trim().chars().take(2_000).collect();
        Ok((Op::ChecklistItemDone { checklist, item: request.item.clone(), comment, evidence }, None))
    })
}

pub fn item_reopen(host: &Host, request: ItemRef) -> Result<Checklist, ApiError> {
    change(host, &request.checklist, |workspace, r, record| {
        held_by_me(workspace, r, record)?;
        known_item(r, record, &request.item)?;
        let checklist = ChecklistId::parse(record.id.clone())?;
        Ok((Op::ChecklistItemReopened { checklist, item: request.item.clone() }, None))
    })
}

pub fn hand_back(host: &Host, request: HandBack) -> Result<Checklist, ApiError> {
    let reason = request.reason.trim().to_owned();
    if reason.is_empty() {
        return Err(ApiError::invalid("Handing back needs a reason").hint("Say what is missing, so that the others know what to do."));
    }
    change(host, &request.checklist, |workspace, r, record| {
        held_by_me(workspace, r, record)?;
        Ok((Op::ChecklistHandedBack { checklist: ChecklistId::parse(record.id.clone())? }, Some(reason.clone())))
    })
}

pub fn complete(host: &Host, request: ChecklistRef) -> Result<Checklist, ApiError> {
    change(host, &request.checklist, |workspace, r, record| {
        held_by_me(workspace, r, record)?;
        let lifecycle = lifecycle_by(r, record)?;
        let template = template_of(&lifecycle, record)?;
        let project = r.require(Kind::Project, record.parent.as_deref().unwrap_or_default())?;
        let done = all_done(r, &project, record, &lifecycle, template)?;
        let open = blocking(template, &done);
        if !open.is_empty() {
            let ids: Vec<&str> = open.iter().map(|i| i.id.as_str()).collect();
            return Err(ApiError::conflict(format!("These items must be done first: {}", ids.join(", "))));
        }
        Ok((Op::ChecklistCompleted { checklist: ChecklistId::parse(record.id.clone())? }, None))
    })
}

/// Checks and writes in one transaction, so that two windows cannot both pass the check.
fn change(
    host: &Host,
    id: &str,
    make: impl FnOnce(&Workspace, &Reader<'_>, &Record) -> Result<(Op, Option<String>), ApiError>,
) -> Result<Checklist, ApiError> {
    let workspace = host.workspace()?;
    workspace.write(|w| {
        let record = w.require(Kind::Checklist, id)?;
        let (op, why) = make(&workspace, w, &record)?;
        w.append_why(op, why.as_deref()).map_err(ApiError::from)
    })?;
    get(host, ChecklistRef { checklist: id.to_owned() })
}

fn held_by_me(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<(), ApiError> {
    if record.get("state") == Some("completed") {
        return Err(ApiError::conflict("This checklist is completed"));
    }
    let me = workspace.me(r)?;
    if me.is_some() && record.get("holder") == me.as_ref().map(cairn_core::id::MemberId::as_str) {
        return Ok(());
    }
    Err(ApiError::conflict("Somebody works on a checklist after picking it up")
        .hint("Pick it up first; then everybody sees that it is yours."))
}

/// The lifecycle that the checklist began with.
fn lifecycle_by(r: &Reader<'_>, record: &Record) -> Result<Arc<Lifecycle>, ApiError> {
    templates::lifecycle(r, record.get("template").unwrap_or_default())?
        .ok_or_else(|| ApiError::not_found("The lifecycle of this checklist").hint("It has not arrived on this computer yet; share now."))
}

fn template_of<'l>(lifecycle: &'l Lifecycle, record: &Record) -> Result<&'l Template, ApiError> {
    lifecycle.checklist(record.get("gate").unwrap_or_default()).ok_or_else(|| ApiError::not_found("The template of this checklist"))
}

fn known_item(r: &Reader<'_>, record: &Record, item: &str) -> Result<(), ApiError> {
    let lifecycle = lifecycle_by(r, record)?;
    let known = template_of(&lifecycle, record)?.items.iter().find(|i| i.id == item);
    match known.map(|i| i.kind) {
        None => Err(ApiError::not_found(&format!("Item {item}"))),
        Some(ItemKind::Records) => Err(ApiError::conflict(format!("Cairn sees {item} in its records; nobody ticks it"))
            .hint("Do what it says is missing, and it is done by itself.")),
        Some(ItemKind::Statement | ItemKind::Tick) => Ok(()),
    }
}

/// The items that people did, and those that Cairn sees in the records.
fn all_done(
    r: &Reader<'_>,
    project: &Record,
    record: &Record,
    lifecycle: &Arc<Lifecycle>,
    template: &Template,
) -> Result<Vec<String>, ApiError> {
    let looker = Looker::new(r, project, cycle_of(record), lifecycle.clone());
    let mut done = done_items(record);
    for item in &template.items {
        if let Some(check) = &item.check {
            done.retain(|id| *id != item.id);
            if looker.look(check)?.met {
                done.push(item.id.clone());
            }
        }
    }
    Ok(done)
}

fn cycle_of(record: &Record) -> u32 {
    record.int("cycle").and_then(|c| u32::try_from(c).ok()).unwrap_or(1)
}

fn done_items(record: &Record) -> Vec<String> {
    record.pairs("item").into_keys().collect()
}

fn view(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Checklist, ApiError> {
    let acl = r.acl()?;
    let lifecycle = lifecycle_by(r, record)?;
    let template = template_of(&lifecycle, record)?;
    let project = r.require(Kind::Project, record.parent.as_deref().unwrap_or_default())?;
    let looker = Looker::new(r, &project, cycle_of(record), lifecycle.clone());
    let nobody = |role| acl.members.values().all(|m| !m.roles.contains(&role));
    let cells = record.cells.get("item");
    let mut items = Vec::new();
    for item in &template.items {
        if let Some(check) = &item.check {
            // What was handed over in an earlier cycle is history: it is not judged by what is there today.
            let past = record.get("state") == Some("completed") && cycle_of(record) != stage_of(&project).1;
            let found = if past {
                Found { met: true, said: "Seen when it was completed.".into(), evidence: Vec::new() }
            } else {
                looker.look(check)?
            };
            items.push(ChecklistItem {
                id: item.id.clone(),
                text: item.text.clone(),
                role: item.role.into(),
                kind: "records".to_owned(),
                blocks: item.blocks,
                source: item.source.clone(),
                done: found.met,
                comment: String::new(),
                evidence: found.links(r)?,
                by: None,
                at_ms: None,
                nobody: !found.met && nobody(item.role),
                said: Some(found.said),
            });
            continue;
        }
        let cell = cells.and_then(|m| m.get(&item.id));
        let value: serde_json::Value = cell.and_then(|c| serde_json::from_str(&c.value).ok()).unwrap_or_default();
        let subjects: Vec<Subject> = serde_json::from_value(value["evidence"].clone()).unwrap_or_default();
        let mut evidence = Vec::new();
        for subject in subjects {
            let title = title_of(r, &subject)?;
            evidence.push(EvidenceLink { kind: subject.kind.as_str().to_owned(), id: subject.id, title });
        }
        let at_ms = cell.map(|c| c.at_ms);
        let by = cell.map(|c| person_at(&acl, c.device()));
        items.push(ChecklistItem {
            id: item.id.clone(),
            text: item.text.clone(),
            role: item.role.into(),
            kind: serde_json::to_value(item.kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default(),
            blocks: item.blocks,
            source: item.source.clone(),
            done: cell.is_some(),
            comment: value["comment"].as_str().unwrap_or_default().to_owned(),
            evidence,
            by,
            at_ms,
            said: None,
            nobody: cell.is_none() && nobody(item.role),
        });
    }
    let done: Vec<String> = items.iter().filter(|i| i.done).map(|i| i.id.clone()).collect();
    let state = record.text("state");
    let handed_back_why = if state == "handed_back" {
        let op = record.cells.get("state").and_then(|m| m.get("")).map(|c| c.op.clone()).unwrap_or_default();
        r.why(&op)?
    } else {
        None
    };
    let me = workspace.me(r)?;
    Ok(Checklist {
        id: record.id.clone(),
        project: record.parent.clone().unwrap_or_default(),
        gate: template.gate.clone(),
        template: lifecycle.id.clone(),
        title: template.title.clone(),
        from: template.from.into(),
        to: template.to.into(),
        cycle: cycle_of(record),
        holder: record.get("holder").map(|id| person(&acl, id)),
        mine: me.is_some() && record.get("holder") == me.as_ref().map(cairn_core::id::MemberId::as_str),
        state,
        handed_back_why,
        items,
        blocking: u32::try_from(blocking(template, &done).len()).unwrap_or(0),
        done: u32::try_from(done.len()).unwrap_or(0),
    })
}

/// What a record is called, for links.
pub fn title_of(r: &Reader<'_>, subject: &Subject) -> Result<String, ApiError> {
    let Some(record) = r.record(subject.kind, &subject.id)? else { return Ok("not received yet".to_owned()) };
    let named = |field: &str| record.get(field).map(str::to_owned).unwrap_or_default();
    let parent_name = |kind: Kind| -> Result<String, ApiError> {
        Ok(match &record.parent {
            Some(id) => r.record(kind, id)?.map(|p| p.text("name")).unwrap_or_default(),
            None => String::new(),
        })
    };
    Ok(match subject.kind {
        Kind::Project => named("title"),
        Kind::Experiment | Kind::LoggedModel | Kind::Dataset | Kind::Model => named("name"),
        Kind::Run => record.get_key("tag", "mlflow.runName").map_or_else(|| record.id.clone(), str::to_owned),
        Kind::DatasetVersion => format!("{} version {}", parent_name(Kind::Dataset)?, named("number")),
        Kind::ModelVersion => format!("{} version {}", parent_name(Kind::Model)?, named("number")),
        Kind::Note => record.json("content")["title"].as_str().unwrap_or_default().to_owned(),
        Kind::Checklist => format!("Checklist {}", named("gate")),
        Kind::Segment => "Metric points".to_owned(),
        Kind::View => record.json("state")["name"].as_str().unwrap_or_default().to_owned(),
        Kind::Panel => "A chart".to_owned(),
        Kind::Pin => "A remark on a curve".to_owned(),
        Kind::Template => "A lifecycle".to_owned(),
        Kind::Setting => format!("Setting {}", record.id),
        Kind::Release => "Release request".to_owned(),
        Kind::Signoff => format!("Sign-off: {}", named("decision")),
        Kind::Deployment => format!("Deployment to {}", named("environment")),
    })
}
