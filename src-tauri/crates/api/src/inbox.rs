//! What waits for the person who sits here, what they wait for, and what others did meanwhile.

mod elsewhere;
mod mentions;
mod news;

pub use elsewhere::{Change, Elsewhere, elsewhere, looked};
pub use news::{Notice, Notices, SetNotices, news, notices, set_notices};

use crate::checks::acceptance::{cycle_of, digest_of};
use crate::checks::handed_over;
use crate::findings::title_in;
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::overview::{Overview, Standing};
use crate::people::{PartyName, Person, RoleName, party, party_in, person_at};
use crate::workspaces::Nothing;
use crate::{ApiError, checklists, comments, members, monitors, recovery, releases, templates};
use cairn_core::criterion;
use cairn_core::decision::State;
use cairn_core::lifecycle::{Check, Lifecycle};
use cairn_core::op::{Ending, Kind};
use cairn_core::role::{Act, Role, permits};
use cairn_store::records::{Cell, Record};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct InboxItem {
    /// `decide`, `sign_again`, `alarm`, `handoff`, `handed_back`, `receive`, `item`, `question`, `finding`, `criteria`, `mention`,
    /// `next_step`, `admit`, `second` or `deleted`.
    pub kind: String,
    pub title: String,
    /// One sentence: what to do and why.
    pub text: String,
    pub project: Option<String>,
    pub project_title: Option<String>,
    /// The release, checklist, finding, device, proposal or (as `kind/id`) record that it is about.
    pub id: String,
    pub role: Option<RoleName>,
    pub since_ms: i64,
    /// A day, `2026-11-25`.
    pub due: Option<String>,
    /// The day is over.
    pub overdue: bool,
}

pub fn list(host: &Host, _: Nothing) -> Result<Vec<InboxItem>, ApiError> {
    let mut out = about_the_team(host)?;
    let workspace = host.workspace()?;
    workspace.read(|r| {
        out.extend(contested(&workspace, r)?);
        let all = Overview::new(&workspace, r)?;
        let questions = questions(&all);
        let mut by_project: BTreeMap<String, Vec<InboxItem>> = BTreeMap::new();
        for item in asked_of_me(&all, &questions)? {
            by_project.entry(item.project.clone().unwrap_or_default()).or_default().push(item);
        }
        for project in all.projects.iter().filter(|p| p.get("ended").is_none()) {
            let mut items = by_project.remove(&project.id).unwrap_or_default();
            let standing = all.standing(project)?;
            decisions(&workspace, &all, project, &mut items)?;
            criteria(&all, project, &standing, &mut items)?;
            handoffs(&all, project, &standing, &mut items)?;
            findings(&all, project, &mut items)?;
            alarms(&all, project, &mut items);
            if items.is_empty()
                && let Some(next) = &standing.missing
                && crate::projects::is_turn_of(&all.acl, all.me.as_ref(), &crate::projects::members_of(project), next.owner)
            {
                let text = format!("It is your turn: {}.", lower_first(&next.text));
                items.push(item(&all, "next_step", project.text("title"), text, Some(project), project.id.clone(), None, 0, None));
                if let Some(last) = items.last_mut() {
                    last.role = Some(next.owner.into());
                }
            }
            out.extend(items);
        }
        // What was completed may run all the same.
        for project in all.projects.iter().filter(|p| p.get("ended") == Some(Ending::Completed.as_str())) {
            alarms(&all, project, &mut out);
        }
        // What is about no project.
        out.extend(by_project.into_values().flatten());
        out.extend(mentions::list(&workspace, &all)?);
        // What has a day comes by its day, and what is over first; the rest as it came.
        out.sort_by(|a, b| (a.due.is_none(), &a.due).cmp(&(b.due.is_none(), &b.due)));
        Ok(out)
    })
}

#[allow(clippy::too_many_arguments)] // the fields of an item, in their order
fn item(
    all: &Overview<'_, '_>,
    kind: &str,
    title: String,
    text: String,
    project: Option<&Record>,
    id: String,
    role: Option<Role>,
    since_ms: i64,
    due: Option<&str>,
) -> InboxItem {
    InboxItem {
        kind: kind.to_owned(),
        title,
        text,
        project: project.map(|p| p.id.clone()),
        project_title: project.map(|p| p.text("title")),
        id,
        role: role.map(RoleName::from),
        since_ms,
        due: due.map(str::to_owned),
        overdue: due.is_some_and(|d| d < all.today.as_str()),
    }
}

/// People who ask to be let in, and decisions of the owners.
fn about_the_team(host: &Host) -> Result<Vec<InboxItem>, ApiError> {
    let team = members::list(host, Nothing {})?;
    let plain = |kind: &str, title: String, text: String, id: String| InboxItem {
        kind: kind.to_owned(),
        title,
        text,
        project: None,
        project_title: None,
        id,
        role: None,
        since_ms: 0,
        due: None,
        overdue: false,
    };
    let mut out = Vec::new();
    if team.i_may_manage {
        for knock in team.requests {
            let text = "Compare the four words with the other screen, then let this computer in.".to_owned();
            out.push(plain("admit", format!("{} asks to join", knock.name), text, knock.device));
        }
    }
    let used = host.workspace()?.read(|r| {
        let acl = r.acl()?;
        let mut told = Vec::new();
        for id in recovery::unseen(r)? {
            let row = r.lines_of(id.device.as_str(), id.n, 1)?;
            let what = row.first().and_then(|row| row.op()).map(|l| crate::audit::sentence(&acl, &l.op)).unwrap_or_default();
            told.push((id.to_string(), what, row.first().map_or(0, |row| row.at_ms)));
        }
        Ok::<_, ApiError>(told)
    })?;
    for (id, what, at_ms) in used {
        let text = format!("Somebody with the printed key {what}. If no owner of yours did that, somebody else holds the print.");
        let mut made = plain("recovery_used", "The recovery key was used".to_owned(), text, id);
        made.since_ms = at_ms;
        out.push(made);
    }
    for proposal in team.proposals.into_iter().filter(|p| team.i_am_owner && !p.mine && !p.decided) {
        let text = format!("{} asks the owners to {}.", proposal.by, proposal.sentence);
        out.push(plain("second", "The owners must decide".to_owned(), text, proposal.id));
    }
    Ok(out)
}

fn decisions(workspace: &Workspace, all: &Overview<'_, '_>, project: &Record, out: &mut Vec<InboxItem>) -> Result<(), ApiError> {
    for record in all.releases.get(&project.id).map(Vec::as_slice).unwrap_or_default().iter().rev() {
        let judged = all.release(project, record)?;
        let standing = &judged.standing;
        // What is decided, or waits for other roles than mine, and nobody spoke against, waits for me in no case.
        let mine = match &standing.state {
            State::Waiting(roles) => roles.iter().any(|role| all.i_am(*role)),
            State::Stale(_) | State::TakenBack => standing.needed.iter().any(|role| all.i_am(*role)),
            State::SentBack => true,
            State::Approved | State::Rejected | State::Withdrawn | State::Void(_) | State::Undetermined(_) => false,
        };
        if !mine && standing.challenges.iter().all(|c| c.answered) {
            continue;
        }
        let release = releases::view_of(workspace, all.r, record, &judged)?;
        let name = format!("{} version {}", release.version.model_name, release.version.number);
        for c in release.challenges.iter().filter(|c| c.mine_to_answer) {
            let due = c.due_ms.map(|at| crate::edge::day(at, 0));
            let title = format!("Answer {} about {name}", c.by.name);
            out.push(item(all, "challenge", title, c.sentence.clone(), Some(project), release.id.clone(), None, c.at_ms, due.as_deref()));
        }
        let for_me = release.i_may_sign_as.iter().find(|r| release.missing.iter().any(|m| m.id == r.id)).cloned();
        let (kind, title, text) = match (release.state.as_str(), &for_me) {
            ("waiting", Some(_)) => (
                "decide",
                format!("Decide on {name}"),
                format!("{} asks to put it live. Read one page, then approve, reject or send back.", release.requested_by.name),
            ),
            ("stale", Some(_)) => ("sign_again", format!("Look again at {name}"), release.sentence),
            ("taken_back", Some(_)) => ("sign_again", format!("Look again at {name}"), release.sentence),
            ("sent_back", _) if release.mine => ("sign_again", format!("{name} was sent back to you"), release.sentence),
            _ => continue,
        };
        let role = for_me.filter(|_| release.state != "sent_back");
        let mut made = item(all, kind, title, text, Some(project), release.id, None, release.requested_ms, None);
        made.role = role;
        out.push(made);
    }
    Ok(())
}

/// Criteria that stand and that I may sign, where the lifecycle asks for my role's signature.
fn criteria(all: &Overview<'_, '_>, project: &Record, standing: &Standing, out: &mut Vec<InboxItem>) -> Result<(), ApiError> {
    let asked = |check: Option<&Check>| match check {
        Some(Check::CriteriaSigned { by }) => by.clone(),
        _ => Vec::new(),
    };
    let items = standing.template.checklists.iter().flat_map(|c| &c.items).map(|i| i.check.as_ref());
    let requirements = standing.template.stages.iter().flat_map(|s| &s.requirements).map(|q| Some(&q.check));
    let wanted: BTreeSet<Role> =
        items.chain(requirements).flat_map(asked).filter(|role| all.i_am(*role) && permits(*role, Act::SignRelease)).collect();
    let sets = all.criteria.get(&project.id).map(Vec::as_slice).unwrap_or_default();
    if wanted.is_empty() || sets.is_empty() {
        return Ok(());
    }
    let replaced: BTreeSet<String> =
        sets.iter().flat_map(|s| serde_json::from_value::<Vec<String>>(s.json("replaces")).unwrap_or_default()).collect();
    for set in sets.iter().filter(|s| cycle_of(s) == standing.cycle && !replaced.contains(&s.id)) {
        let digest = digest_of(set);
        let mut mine = false;
        let mut roles = BTreeSet::new();
        for sign in all.r.records(Kind::Signoff, Some(&set.id))? {
            let Ok(says) = criterion::read(&sign.text("statement")) else { continue };
            if says.sha256 == digest {
                mine |= all.me.as_ref().is_some_and(|m| m.as_str() == person_at(&all.acl, &sign.device).id);
                roles.insert(says.role);
            }
        }
        if let Some(role) = wanted.iter().find(|role| !mine && !roles.contains(*role)) {
            let by = person_at(&all.acl, &set.device).name;
            let text = format!("{by} wrote what the model must reach. Sign before anybody opens the test data.");
            let title = format!("Acceptance criteria of {}", project.text("title"));
            out.push(item(all, "criteria", title, text, Some(project), set.id.clone(), Some(*role), set.at_ms, None));
        }
    }
    Ok(())
}

fn template_of(all: &Overview<'_, '_>, list: &Record) -> Result<Option<std::sync::Arc<Lifecycle>>, ApiError> {
    templates::lifecycle(all.r, list.get("template").unwrap_or_default())
}

fn handoffs(all: &Overview<'_, '_>, project: &Record, standing: &Standing, out: &mut Vec<InboxItem>) -> Result<(), ApiError> {
    let me = all.me.as_ref().map(cairn_core::id::MemberId::as_str);
    for list in all.checklists(&project.id).iter().filter(|c| c.int("cycle") == Some(i64::from(standing.cycle))) {
        let state = list.get("state").unwrap_or_default();
        if state == "accepted" {
            continue;
        }
        let Some(lifecycle) = template_of(all, list)? else { continue };
        let gate = list.get("gate").unwrap_or_default();
        let Some(template) = lifecycle.checklist(gate) else { continue };
        let given = party_in(&all.acl, all.me.as_ref(), list.get("assigned"));
        let to_me = given.as_ref().is_some_and(|g| g.mine);
        let to_other = given.as_ref().is_some_and(|g| !g.mine);
        let holding = me.is_some() && list.get("holder") == me;
        let due = list.get("due");
        let since = list.cell("state").map_or(list.at_ms, |c| c.at_ms);
        let blocked = list.cell("blocked");
        let mut add = |kind: &str, title: String, text: String, role: Option<Role>| {
            let text = match blocked.map(|b| all.r.why(&b.op())) {
                Some(Ok(Some(why))) => format!("{text} Blocked: {why}"),
                _ => text,
            };
            out.push(item(all, kind, title, text, Some(project), list.id.clone(), role, since, due));
        };
        match state {
            "picked_up" if holding => {
                add("handoff", format!("Finish {gate}: {}", template.title), "You picked it up.".to_owned(), None);
            }
            "open" | "handed_back" if to_me || (!to_other && all.i_am(template.from)) => {
                let op = list.cell("state").map(Cell::op).unwrap_or_default();
                let why = if state == "handed_back" { all.r.why(&op)? } else { None };
                let (kind, text) = match why {
                    Some(why) => ("handed_back", format!("It was handed back: {why}")),
                    None if to_me => ("handoff", "It was given to you.".to_owned()),
                    None => ("handoff", "Nobody has picked it up yet.".to_owned()),
                };
                add(kind, format!("Pick up {gate}: {}", template.title), text, Some(template.from));
            }
            "received" if me.is_some() && list.get("receiver") == me => {
                add(
                    "receive",
                    format!("Look at {gate}: {}", template.title),
                    "You took it. Accept it, ask, or hand it back.".to_owned(),
                    None,
                );
            }
            // Only while it is near: what is long behind nobody is asked to accept.
            "completed" if !holding && (to_me || (!to_other && all.i_am(template.to))) && is_near(&lifecycle, gate, standing) => {
                let by = person_of(all, list.get("holder"));
                add(
                    "receive",
                    format!("{gate} was handed to you: {}", template.title),
                    format!("{by} has finished it. Take it and see what you need."),
                    Some(template.to),
                );
            }
            _ => {}
        }
        if !handed_over(list) && list.cells.of("assigned").any(|(item, _)| !item.is_empty()) {
            items_for_me(all, project, list, template, out)?;
        }
    }
    Ok(())
}

/// The stage that asks for a gate is the present one, or the one just before.
fn is_near(lifecycle: &Lifecycle, gate: &str, standing: &Standing) -> bool {
    let asks = |s: &&cairn_core::lifecycle::StageTemplate| {
        s.requirements.iter().any(|q| matches!(&q.check, Check::ChecklistCompleted { gate: g } if g == gate))
    };
    let of = lifecycle.stages.iter().find(asks).map(|s| s.stage);
    of.is_some_and(|stage| stage == standing.stage || stage.next() == (standing.stage, 0))
}

fn items_for_me(
    all: &Overview<'_, '_>,
    project: &Record,
    list: &Record,
    template: &cairn_core::checklist::Checklist,
    out: &mut Vec<InboxItem>,
) -> Result<(), ApiError> {
    let whole = all.r.require(Kind::Checklist, &list.id)?;
    for one in &template.items {
        let mine = party_in(&all.acl, all.me.as_ref(), list.get_key("assigned", &one.id)).is_some_and(|p| p.mine);
        if mine && one.check.is_none() && whole.get_key("item", &one.id).is_none() {
            let title = format!("{}: {}", one.id, one.text);
            let text = "This item of a handoff was given to you.".to_owned();
            let due = list.get_key("due", &one.id);
            let since = list.cell_of("assigned", &one.id).map_or(0, |c| c.at_ms);
            out.push(item(all, "item", title, text, Some(project), list.id.clone(), None, since, due));
        }
    }
    Ok(())
}

fn person_of(all: &Overview<'_, '_>, member: Option<&str>) -> String {
    member.map_or_else(|| "Somebody".to_owned(), |id| crate::people::person(&all.acl, id).name)
}

fn findings(all: &Overview<'_, '_>, project: &Record, out: &mut Vec<InboxItem>) -> Result<(), ApiError> {
    for finding in all.findings.get(&project.id).map(Vec::as_slice).unwrap_or_default() {
        let mine = party_in(&all.acl, all.me.as_ref(), finding.get("assigned")).is_some_and(|p| p.mine);
        if mine && finding.get("outcome").is_none() {
            let title = format!("Finding: {}", title_in(all.r, &all.acl, finding)?);
            let text = format!("Of {} severity, with you.", finding.text("severity"));
            out.push(item(all, "finding", title, text, Some(project), finding.id.clone(), None, finding.at_ms, finding.get("due")));
        }
    }
    Ok(())
}

/// Monitors whose newest value is beyond its threshold, and that I answer for.
fn alarms(all: &Overview<'_, '_>, project: &Record, out: &mut Vec<InboxItem>) {
    for monitor in all.monitors.get(&project.id).map(Vec::as_slice).unwrap_or_default() {
        let Some(plan) = monitors::plan_of(monitor) else { continue };
        if let Some(value) = monitors::beyond(&plan, monitor)
            && party(&all.acl, all.me.as_ref(), &plan.owner).mine
        {
            let title = format!("{} is {value}", plan.metric);
            let text = format!("All is well while it is {} {}.", plan.comparator.words(), String::from(plan.threshold));
            let since = monitor.cell("reading").map_or(0, |c| c.at_ms);
            out.push(item(all, "alarm", title, text, Some(project), monitor.id.clone(), None, since, None));
        }
    }
}

/// A question that nobody has answered.
struct Question<'a> {
    record: &'a Record,
    asks: PartyName,
    by: Person,
    project: Option<&'a str>,
}

/// All open questions: what was asked, is not resolved, and nobody but the asker replied to.
fn questions<'a>(all: &'a Overview<'_, '_>) -> Vec<Question<'a>> {
    let mut replied: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for reply in all.comments.values().flatten() {
        if let Some(root) = reply.get("reply_to") {
            replied.entry(root).or_default().insert(person_at(&all.acl, &reply.device).id);
        }
    }
    let mut out = Vec::new();
    for record in all.comments.values().flatten().filter(|c| c.get("resolved").is_none()) {
        let Some(asks) = party_in(&all.acl, all.me.as_ref(), record.get("asks")) else { continue };
        let by = person_at(&all.acl, &record.device);
        if replied.get(record.id.as_str()).is_some_and(|who| who.iter().any(|p| *p != by.id)) {
            continue;
        }
        out.push(Question { record, asks, by, project: all.home_of(record) });
    }
    out.sort_by(|a, b| (a.record.at_ms, &a.record.id).cmp(&(b.record.at_ms, &b.record.id)));
    out
}

fn asked_of_me(all: &Overview<'_, '_>, questions: &[Question<'_>]) -> Result<Vec<InboxItem>, ApiError> {
    let me = all.me.as_ref().map(cairn_core::id::MemberId::as_str).unwrap_or_default();
    let mine = questions.iter().filter(|q| q.asks.mine && q.by.id != me);
    mine.map(|q| question_item(all, q, format!("{} asks", q.by.name))).collect()
}

fn question_item(all: &Overview<'_, '_>, q: &Question<'_>, title: String) -> Result<InboxItem, ApiError> {
    let about = comments::about_of(q.record);
    let project = q.project.and_then(|id| all.projects.iter().find(|p| p.id == *id));
    let named = checklists::title_of(all.r, &about.parse()?)?;
    let text: String = q.record.text("text").chars().take(200).collect();
    let id = format!("{}/{}", about.kind, about.id);
    Ok(item(all, "question", format!("{title}: {named}"), text, project, id, None, q.record.at_ms, None))
}

/// What was deleted while others changed it comes back as a question to those who did either.
fn contested(workspace: &Workspace, r: &cairn_store::Reader<'_>) -> Result<Vec<InboxItem>, ApiError> {
    let acl = r.acl()?;
    let me = person_at(&acl, workspace.device().as_str());
    let mut out = Vec::new();
    for found in r.contested()? {
        let by = person_at(&acl, &found.deleted.0);
        let mut editors: Vec<_> = found.edits.iter().map(|(device, _)| person_at(&acl, device)).collect();
        editors.dedup_by(|a, b| a.id == b.id);
        if by.id != me.id && editors.iter().all(|e| e.id != me.id) {
            continue;
        }
        let subject = SubjectRef { kind: found.kind, id: found.id };
        let title = checklists::title_of(r, &subject.parse()?)?;
        let names: Vec<&str> = editors.iter().map(|e| e.name.as_str()).collect();
        out.push(InboxItem {
            kind: "deleted".into(),
            title: format!("Keep \u{201c}{title}\u{201d}?"),
            text: format!(
                "{} deleted it while {} changed it. Neither knew of the other, and nothing is lost.",
                by.name,
                names.join(" and ")
            ),
            project: None,
            project_title: None,
            id: format!("{}/{}", subject.kind, subject.id),
            role: None,
            since_ms: found.deleted.1,
            due: None,
            overdue: false,
        });
    }
    Ok(out)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
