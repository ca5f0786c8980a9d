//! The work on a handoff: claimed, worked through with evidence, handed over, received, asked about, accepted or handed back.
//!
//! Two people may do any of this at once on two computers. Of two claims, or of a claim and a hand-back, the later by the
//! hybrid clock stands, on every computer alike; both stay in the history, and a tick is a cell of its own, so that no
//! claim or hand-back takes a tick away.

use super::{Checklist, ChecklistRef, all_done, get, lifecycle_by, template_of};
use crate::ApiError;
use crate::checks::{handed_over, template_of as lifecycle_of};
use crate::comments::{Thread, threads};
use crate::findings::day;
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::people::{PartyRef, known_party, party_in};
use crate::projects::stage_of;
use cairn_core::checklist::{ItemKind, blocking};
use cairn_core::id::{ChecklistId, MemberId, ProjectId};
use cairn_core::lifecycle::Check;
use cairn_core::op::{Kind, Op, Party, Subject};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StartChecklist {
    pub project: String,
    pub gate: String,
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

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AssignChecklist {
    pub checklist: String,
    /// Empty: the whole handoff.
    #[serde(default)]
    pub item: String,
    /// None: nobody in particular.
    #[serde(default)]
    #[ts(optional)]
    pub to: Option<PartyRef>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DateChecklist {
    pub checklist: String,
    /// Empty: the whole handoff.
    #[serde(default)]
    pub item: String,
    /// A day, `2026-11-25`; none: no day.
    #[serde(default)]
    #[ts(optional)]
    pub due: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BlockChecklist {
    pub checklist: String,
    /// What it waits for; none: it can go on.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
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
            running
                .iter()
                .any(|c| !c.deleted() && c.get("gate") == Some(gate) && c.int("cycle") == Some(i64::from(cycle)) && handed_over(c))
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
        if handed_over(record) {
            return Err(ApiError::conflict("This checklist is completed"));
        }
        let member = workspace.me(r)?.ok_or_else(|| ApiError::conflict("This computer has not been let in yet"))?;
        Ok((Op::ChecklistPickedUp { checklist: ChecklistId::parse(record.id.clone())?, member }, None))
    })
}

pub fn item_done(host: &Host, request: ItemDone) -> Result<Checklist, ApiError> {
    change(host, &request.checklist, |workspace, r, record| {
        may_do(workspace, r, record, &request.item)?;
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
        may_do(workspace, r, record, &request.item)?;
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
        match record.get("state") {
            Some("received") => received_by_me(workspace, r, record)?,
            Some("accepted") => {
                return Err(ApiError::conflict("This handoff was accepted").hint("What is found now is a finding; raise one."));
            }
            _ => held_by_me(workspace, r, record)?,
        }
        Ok((Op::ChecklistHandedBack { checklist: ChecklistId::parse(record.id.clone())? }, Some(reason.clone())))
    })
}

pub fn complete(host: &Host, request: ChecklistRef) -> Result<Checklist, ApiError> {
    change(host, &request.checklist, |workspace, r, record| {
        held_by_me(workspace, r, record)?;
        if record.get("blocked").is_some() {
            return Err(ApiError::conflict("It is said to be blocked").hint("Say first that it can go on."));
        }
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

/// Says whose an item is, or the whole handoff.
pub fn assign(host: &Host, request: AssignChecklist) -> Result<Checklist, ApiError> {
    let to = request.to.as_ref().map(PartyRef::parse).transpose()?;
    change(host, &request.checklist, |_, r, record| {
        not_accepted(record)?;
        whole_or_item(r, record, &request.item)?;
        if let Some(to) = &to {
            let acl = r.acl()?;
            known_party(&acl, to)?;
            let lifecycle = lifecycle_by(r, record)?;
            let statement = template_of(&lifecycle, record)?.items.iter().find(|i| i.id == request.item && i.kind == ItemKind::Statement);
            if let (Some(statement), Party::Member(member)) = (statement, to)
                && !acl.members.get(member).is_some_and(|m| m.roles.contains(&statement.role))
            {
                let role = statement.role.label().to_lowercase();
                return Err(ApiError::conflict(format!("{} is a statement of the {role}, which this person is not", request.item))
                    .hint(format!("Give it to somebody who is {role}.")));
            }
        }
        let checklist = ChecklistId::parse(record.id.clone())?;
        Ok((Op::ChecklistAssigned { checklist, item: request.item.clone(), to: to.clone() }, None))
    })
}

pub fn set_due(host: &Host, request: DateChecklist) -> Result<Checklist, ApiError> {
    let due = day(request.due.as_deref())?;
    change(host, &request.checklist, |_, r, record| {
        not_accepted(record)?;
        whole_or_item(r, record, &request.item)?;
        let checklist = ChecklistId::parse(record.id.clone())?;
        Ok((Op::ChecklistDueSet { checklist, item: request.item.clone(), due: due.clone() }, None))
    })
}

/// Says that work cannot go on, or that it can again.
pub fn block(host: &Host, request: BlockChecklist) -> Result<Checklist, ApiError> {
    let reason = request.reason.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    change(host, &request.checklist, |_, _, record| {
        not_accepted(record)?;
        let checklist = ChecklistId::parse(record.id.clone())?;
        Ok(match (&reason, record.get("blocked")) {
            (Some(why), _) => (Op::ChecklistBlocked { checklist }, Some(why.clone())),
            (None, Some(_)) => (Op::ChecklistUnblocked { checklist }, None),
            (None, None) => return Err(ApiError::invalid("Say what it waits for").hint("Then whoever can help knows what to do.")),
        })
    })
}

/// Takes what was handed over, to look at it.
pub fn receive(host: &Host, request: ChecklistRef) -> Result<Checklist, ApiError> {
    change(host, &request.checklist, |workspace, r, record| {
        match record.get("state") {
            Some("completed" | "received") => {}
            Some("accepted") => return Err(ApiError::conflict("This handoff was accepted already")),
            _ => return Err(ApiError::conflict("Nothing was handed over yet").hint("It is still being worked on.")),
        }
        let member = workspace.me(r)?.ok_or_else(|| ApiError::conflict("This computer has not been let in yet"))?;
        let acl = r.acl()?;
        let lifecycle = lifecycle_by(r, record)?;
        let to = template_of(&lifecycle, record)?.to;
        let meant = party_in(&acl, Some(&member), record.get("assigned")).is_some_and(|p| p.mine);
        if !meant && acl.members.get(&member).is_none_or(|m| !m.roles.contains(&to)) {
            return Err(ApiError::conflict(format!("It was handed to the {}", to.label().to_lowercase()))
                .hint("Whoever holds that role takes it; an administrator gives roles on the Team page."));
        }
        Ok((Op::ChecklistReceived { checklist: ChecklistId::parse(record.id.clone())?, member }, None))
    })
}

/// Says that the receiver has all that they need.
pub fn accept(host: &Host, request: ChecklistRef) -> Result<Checklist, ApiError> {
    change(host, &request.checklist, |workspace, r, record| {
        received_by_me(workspace, r, record)?;
        let about = SubjectRef { kind: Kind::Checklist.as_str().to_owned(), id: record.id.clone() };
        let threads = threads(workspace, r, &format!("checklist/{}", record.id), &about)?;
        let mine = |t: &&Thread| t.asks.is_some() && !t.answered && !t.resolved && t.comments.first().is_some_and(|c| c.mine);
        let open = threads.iter().filter(mine).count();
        if open > 0 {
            return Err(ApiError::conflict(format!("{open} of your questions {} not answered yet", if open == 1 { "is" } else { "are" }))
                .hint("Wait for the answer, or resolve the question; then accept."));
        }
        Ok((Op::ChecklistAccepted { checklist: ChecklistId::parse(record.id.clone())? }, None))
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
    if handed_over(record) {
        return Err(ApiError::conflict("This checklist is completed"));
    }
    let me = workspace.me(r)?;
    if me.is_some() && record.get("holder") == me.as_ref().map(MemberId::as_str) {
        return Ok(());
    }
    Err(ApiError::conflict("Somebody works on a checklist after picking it up")
        .hint("Pick it up first; then everybody sees that it is yours."))
}

fn received_by_me(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<(), ApiError> {
    let me = workspace.me(r)?;
    if record.get("state") == Some("received") && me.is_some() && record.get("receiver") == me.as_ref().map(MemberId::as_str) {
        return Ok(());
    }
    Err(ApiError::conflict("Whoever takes a handoff accepts it or hands it back")
        .hint("Take it first; then everybody sees that you look at it."))
}

/// An item is done by whoever works on the checklist, or by whom the item was given to.
fn may_do(workspace: &Workspace, r: &Reader<'_>, record: &Record, item: &str) -> Result<(), ApiError> {
    let acl = r.acl()?;
    let me = workspace.me(r)?;
    let lifecycle = lifecycle_by(r, record)?;
    let statement = template_of(&lifecycle, record)?.items.iter().find(|i| i.id == item && i.kind == ItemKind::Statement);
    if let Some(statement) = statement {
        if handed_over(record) {
            return Err(ApiError::conflict("This checklist is completed"));
        }
        let mine = me.as_ref().and_then(|m| acl.members.get(m)).is_some_and(|m| m.roles.contains(&statement.role));
        return if mine {
            Ok(())
        } else {
            let role = statement.role.label().to_lowercase();
            Err(ApiError::new("not_your_role", format!("{item} is a statement of the {role}"))
                .hint(format!("Give the item to somebody who is {role}: whoever ticks it says that it is so.")))
        };
    }
    let given = party_in(&acl, me.as_ref(), record.get_key("assigned", item)).is_some_and(|p| p.mine);
    if given && !handed_over(record) { Ok(()) } else { held_by_me(workspace, r, record) }
}

fn not_accepted(record: &Record) -> Result<(), ApiError> {
    if record.get("state") == Some("accepted") { Err(ApiError::conflict("This handoff was accepted")) } else { Ok(()) }
}

fn whole_or_item(r: &Reader<'_>, record: &Record, item: &str) -> Result<(), ApiError> {
    let lifecycle = lifecycle_by(r, record)?;
    let known = item.is_empty() || template_of(&lifecycle, record)?.items.iter().any(|i| i.id == item);
    if known { Ok(()) } else { Err(ApiError::not_found(&format!("Item {item}"))) }
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
