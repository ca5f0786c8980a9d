//! Handoff checklists: what each asks for, what is done, and who has it in hand.

pub(crate) mod statements;
pub mod work;

use self::statements::Answers;
use crate::checks::{Found, Looker, handed_over};
use crate::comments::threads;
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::people::{PartyName, Person, RoleName, party_in, person, person_at};
use crate::projects::{ProjectRef, stage_of};
use crate::{ApiError, templates};
use cairn_core::checklist::{Checklist as Template, ItemKind, blocking};
use cairn_core::id::{MemberId, OpId};
use cairn_core::lifecycle::Lifecycle;
use cairn_core::op::{Kind, Op, Subject};
use cairn_store::Reader;
use cairn_store::order::{Order, Orders};
use cairn_store::records::{Cell, Record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// `open`, `picked_up`, `handed_back`, `completed` (handed over), `received` or `accepted`.
    pub state: String,
    pub holder: Option<Person>,
    pub mine: bool,
    /// Who else picked it up at the same time, neither knowing of the other; the later claim stands.
    pub also_claimed: Vec<Person>,
    /// Who took it, of those to whom it was handed.
    pub receiver: Option<Person>,
    pub receiving: bool,
    /// I hold the role that it is handed to, or it was given to me.
    pub i_may_receive: bool,
    pub assigned: Option<PartyName>,
    /// A day, `2026-11-25`.
    pub due: Option<String>,
    /// What it waits for, and who said so.
    pub blocked: Option<Blocked>,
    /// Questions about it that nobody answered.
    pub questions: u32,
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
    pub assigned: Option<PartyName>,
    pub due: Option<String>,
    /// I may tick it now.
    pub i_may_do: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Blocked {
    pub why: String,
    pub by: Person,
    pub at_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EvidenceLink {
    pub kind: String,
    pub id: String,
    pub title: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ChecklistRef {
    pub checklist: String,
}

pub fn list(host: &Host, request: ProjectRef) -> Result<Vec<Checklist>, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let found = r.records(Kind::Checklist, Some(&request.project))?;
        let project = r.require(Kind::Project, &request.project)?;
        // What several of them look at is read once.
        let mut lookers: BTreeMap<(u32, String), Looker<'_, '_>> = BTreeMap::new();
        let shown = found.iter().filter(|c| !c.deleted()).rev().filter_map(|c| match view_with(&workspace, r, &project, c, &mut lookers) {
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

/// The lifecycle that the checklist began with.
fn lifecycle_by(r: &Reader<'_>, record: &Record) -> Result<Arc<Lifecycle>, ApiError> {
    templates::lifecycle(r, record.get("template").unwrap_or_default())?
        .ok_or_else(|| ApiError::not_found("The lifecycle of this checklist").hint("It has not arrived on this computer yet; share now."))
}

fn template_of<'l>(lifecycle: &'l Lifecycle, record: &Record) -> Result<&'l Template, ApiError> {
    lifecycle.checklist(record.get("gate").unwrap_or_default()).ok_or_else(|| ApiError::not_found("The template of this checklist"))
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
    let mut done = done_items(r, template, record)?;
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

/// The items that people answered, by whoever may answer them.
fn done_items(r: &Reader<'_>, template: &Template, record: &Record) -> Result<Vec<String>, ApiError> {
    let (acl, answers) = (r.acl()?, Answers::new(r, record));
    let mut done = Vec::new();
    for item in &template.items {
        if answers.is_done(&acl, item)? {
            done.push(item.id.clone());
        }
    }
    Ok(done)
}

/// What somebody said to an item, as the log keeps it.
#[derive(Default, Deserialize)]
struct ItemAnswer {
    comment: String,
    evidence: Vec<Subject>,
}

fn view(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Checklist, ApiError> {
    let project = r.require(Kind::Project, record.parent.as_deref().unwrap_or_default())?;
    view_with(workspace, r, &project, record, &mut BTreeMap::new())
}

fn view_with<'v, 'c>(
    workspace: &Workspace,
    r: &'v Reader<'c>,
    project: &'v Record,
    record: &Record,
    lookers: &mut BTreeMap<(u32, String), Looker<'v, 'c>>,
) -> Result<Checklist, ApiError> {
    let acl = r.acl()?;
    let me = workspace.me(r)?;
    let lifecycle = lifecycle_by(r, record)?;
    let template = template_of(&lifecycle, record)?;
    let looker = lookers
        .entry((cycle_of(record), lifecycle.id.clone()))
        .or_insert_with(|| Looker::new(r, project, cycle_of(record), lifecycle.clone()));
    let state = record.text("state");
    let mine = me.is_some() && record.get("holder") == me.as_ref().map(MemberId::as_str);
    let working = !handed_over(record);
    let given = |item: &str| party_in(&acl, me.as_ref(), record.get_key("assigned", item));
    let nobody = |role| acl.members.values().all(|m| !m.roles.contains(&role));
    let answers = Answers::new(r, record);
    let mut items = Vec::new();
    for item in &template.items {
        if let Some(check) = &item.check {
            // What was handed over in an earlier cycle is history: it is not judged by what is there today.
            let past = handed_over(record) && cycle_of(record) != stage_of(project).1;
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
                assigned: given(&item.id),
                due: record.get_key("due", &item.id).map(str::to_owned),
                i_may_do: false,
            });
            continue;
        }
        let cell = record.cell_of("item", &item.id);
        let done = answers.is_done(&acl, item)?;
        // A statement shows the word that stands, whoever wrote last.
        let stated = if item.kind == ItemKind::Statement { answers.stated(&acl, item)? } else { None };
        let answer = match (stated.map(|s| &s.op), cell) {
            (Some(Op::ChecklistItemDone { comment, evidence, .. }), _) => {
                ItemAnswer { comment: comment.clone(), evidence: evidence.clone() }
            }
            (_, Some(cell)) => serde_json::from_str(&cell.value)?,
            (_, None) => ItemAnswer::default(),
        };
        let not_theirs = cell.is_some() && !done;
        let role_is_mine = me.as_ref().and_then(|m| acl.members.get(m)).is_some_and(|m| m.roles.contains(&item.role));
        let mut evidence = Vec::new();
        for subject in answer.evidence {
            let title = title_of(r, &subject)?;
            evidence.push(EvidenceLink { kind: subject.kind.as_str().to_owned(), id: subject.id, title });
        }
        let at_ms = stated.map(|s| s.at_ms).or(cell.map(|c| c.at_ms));
        let by = match stated {
            Some(s) => Some(person(&acl, s.by.as_str())),
            None => cell.map(|c| person_at(&acl, c.device())),
        };
        items.push(ChecklistItem {
            id: item.id.clone(),
            text: item.text.clone(),
            role: item.role.into(),
            kind: serde_json::to_value(item.kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default(),
            blocks: item.blocks,
            source: item.source.clone(),
            done,
            comment: answer.comment,
            evidence,
            by,
            at_ms,
            said: not_theirs
                .then(|| format!("This was ticked by somebody who is no {}: it is that role's to say.", item.role.label().to_lowercase())),
            nobody: !done && nobody(item.role),
            i_may_do: working
                && match item.kind {
                    ItemKind::Statement => role_is_mine,
                    ItemKind::Tick | ItemKind::Records => mine && state == "picked_up" || given(&item.id).is_some_and(|p| p.mine),
                },
            assigned: given(&item.id),
            due: record.get_key("due", &item.id).map(str::to_owned),
        });
    }
    let done: Vec<String> = items.iter().filter(|i| i.done).map(|i| i.id.clone()).collect();
    let handed_back_why = if state == "handed_back" {
        let op = record.cell("state").map(Cell::op).unwrap_or_default();
        r.why(&op)?
    } else {
        None
    };
    let about = SubjectRef { kind: Kind::Checklist.as_str().to_owned(), id: record.id.clone() };
    let asked = threads(workspace, r, &format!("checklist/{}", record.id), &about)?;
    let questions = asked.iter().filter(|t| t.asks.is_some() && !t.answered && !t.resolved).count();
    let assigned = given("");
    let to_me = me.as_ref().and_then(|m| acl.members.get(m)).is_some_and(|m| m.roles.contains(&template.to));
    let blocked = match record.cell("blocked") {
        Some(cell) => Some(Blocked { why: r.why(&cell.op())?.unwrap_or_default(), by: person_at(&acl, cell.device()), at_ms: cell.at_ms }),
        None => None,
    };
    Ok(Checklist {
        also_claimed: if state == "picked_up" { also_claimed(r, record)? } else { Vec::new() },
        receiver: record.get("receiver").filter(|_| !working).map(|id| person(&acl, id)),
        receiving: state == "received" && me.is_some() && record.get("receiver") == me.as_ref().map(MemberId::as_str),
        i_may_receive: matches!(&*state, "completed" | "received") && (to_me || assigned.as_ref().is_some_and(|p| p.mine)),
        assigned,
        due: record.get("due").map(str::to_owned),
        blocked,
        questions: u32::try_from(questions).unwrap_or(u32::MAX),
        id: record.id.clone(),
        project: record.parent.clone().unwrap_or_default(),
        gate: template.gate.clone(),
        template: lifecycle.id.clone(),
        title: template.title.clone(),
        from: template.from.into(),
        to: template.to.into(),
        cycle: cycle_of(record),
        holder: record.get("holder").map(|id| person(&acl, id)),
        mine,
        state,
        handed_back_why,
        items,
        blocking: u32::try_from(blocking(template, &done).len()).unwrap_or(0),
        done: u32::try_from(done.len()).unwrap_or(0),
    })
}

/// Who else picked a checklist up without knowing of the claim that stands.
fn also_claimed(r: &Reader<'_>, record: &Record) -> Result<Vec<Person>, ApiError> {
    let Some(stands) = record.cell("holder") else { return Ok(Vec::new()) };
    let stands = OpId::parse(stands.op())?;
    let (acl, orders) = (r.acl()?, Orders::new(r));
    let mut out: Vec<Person> = Vec::new();
    for (op, line) in r.operations_on(Kind::Checklist, &record.id)? {
        if let Op::ChecklistPickedUp { member, .. } = line.op
            && op != stands
            && record.get("holder") != Some(member.as_str())
            && orders.of(&op, &stands)? == Order::Apart
        {
            out.push(person(&acl, member.as_str()));
        }
    }
    out.dedup_by(|a, b| a.id == b.id);
    Ok(out)
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
        Kind::Assessment => "An assessment of maturity".to_owned(),
        Kind::Monitor => record.json("plan")["metric"].as_str().unwrap_or_default().to_owned(),
        Kind::Criteria => format!("Acceptance criteria of cycle {}", named("cycle")),
        Kind::Finding => crate::findings::words_of(r, &*r.acl()?, &record)?.title,
        Kind::Comment => {
            let text = named("text");
            let mut line: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
            if line.len() < text.len() {
                line.push('…');
            }
            line
        }
        Kind::Setting => format!("Setting {}", record.id),
        Kind::Release => "Release request".to_owned(),
        Kind::Signoff => format!("Sign-off: {}", named("decision")),
        Kind::Deployment => format!("Deployment to {}", named("environment")),
    })
}
