//! What the person who sits here asked of others, and what others did since they looked.

use super::{InboxItem, item, person_of, question_item, questions, template_of};
use crate::findings::title_in;
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::overview::Overview;
use crate::people::{Person, party_in, person_at};
use crate::projects::stage_of;
use crate::workspaces::Nothing;
use crate::{ApiError, audit, checklists, releases};
use cairn_core::decision::State;
use cairn_core::op::Op;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// What else there is to know: what I asked of others, and what they did.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Elsewhere {
    /// What I asked others for, and they have not done yet.
    pub asked: Vec<InboxItem>,
    /// What others did since I looked, the newest first.
    pub changed: Vec<Change>,
    /// More than are listed.
    pub more: bool,
    /// The same to be read in a minute.
    pub digest: Vec<String>,
    /// When I looked last; none: never.
    pub looked_ms: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Change {
    pub by: Person,
    /// To stand after the name.
    pub sentence: String,
    pub subject: Option<SubjectRef>,
    pub subject_title: String,
    pub project: Option<String>,
    pub project_title: Option<String>,
    pub why: Option<String>,
    pub at_ms: i64,
    /// In a project of mine, or about something that I wrote.
    pub mine: bool,
}

/// Arrivals that are looked through, and changes that are listed.
const BATCHES: u32 = 200;
const LISTED: usize = 100;

/// Where the last look of the person at this computer is kept.
pub(super) const LOOKED: &str = "looked";

/// What I asked others for, what they did since I looked, and that in short.
pub fn elsewhere(host: &Host, _: Nothing) -> Result<Elsewhere, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let all = Overview::new(&workspace, r)?;
        let me = all.me.as_ref().map(|m| m.as_str().to_owned()).unwrap_or_default();
        let mut asked = Vec::new();
        for q in questions(&all).iter().filter(|q| q.by.id == me) {
            asked.push(question_item(&all, q, format!("You asked {}", q.asks.label))?);
        }
        for project in all.projects.iter().filter(|p| p.get("ended").is_none()) {
            waiting_for(&workspace, &all, project, &me, &mut asked)?;
        }
        let looked = r.local(LOOKED)?.and_then(|t| serde_json::from_str::<(i64, i64)>(&t).ok());
        let (changed, more) = changes(&workspace, &all, looked.map_or(0, |l| l.0), &me)?;
        let digest = digest(&changed, more);
        Ok(Elsewhere { asked, changed, more, digest, looked_ms: looked.map(|l| l.1) })
    })
}

/// Releases that I requested, handoffs that I finished and findings that I gave away, while others have not done their part.
fn waiting_for(
    workspace: &Workspace,
    all: &Overview<'_, '_>,
    project: &Record,
    me: &str,
    out: &mut Vec<InboxItem>,
) -> Result<(), ApiError> {
    for record in all.releases.get(&project.id).map(Vec::as_slice).unwrap_or_default() {
        if person_at(&all.acl, &record.device).id != me {
            continue;
        }
        let judged = all.release(project, record)?;
        if let State::Waiting(_) = judged.standing.state {
            let release = releases::view_of(workspace, all.r, record, &judged)?;
            let title = format!("{} version {}", release.version.model_name, release.version.number);
            out.push(item(all, "decide", title, release.sentence, Some(project), release.id, None, release.requested_ms, None));
        }
    }
    let cycle = stage_of(project).1;
    for list in all.checklists(&project.id).iter().filter(|c| c.int("cycle") == Some(i64::from(cycle))) {
        let state = list.get("state").unwrap_or_default();
        if list.get("holder") == Some(me) && matches!(state, "completed" | "received") {
            let gate = list.get("gate").unwrap_or_default();
            let title = template_of(all, list)?.and_then(|l| l.checklist(gate).map(|c| (c.title.clone(), c.to)));
            let Some((title, to)) = title else { continue };
            let text = match list.get("receiver") {
                Some(who) if state == "received" => format!("{} looks at it.", person_of(all, Some(who))),
                _ => format!("No {} has taken it yet.", to.label().to_lowercase()),
            };
            let since = list.cell("state").map_or(list.at_ms, |c| c.at_ms);
            out.push(item(all, "receive", format!("{gate}: {title}"), text, Some(project), list.id.clone(), None, since, list.get("due")));
        }
    }
    for finding in all.findings.get(&project.id).map(Vec::as_slice).unwrap_or_default() {
        let with = party_in(&all.acl, all.me.as_ref(), finding.get("assigned"));
        if person_at(&all.acl, &finding.device).id == me
            && finding.get("outcome").is_none()
            && let Some(with) = with.filter(|w| !w.mine)
        {
            let title = format!("Finding: {}", title_in(all.r, &all.acl, finding)?);
            out.push(item(
                all,
                "finding",
                title,
                format!("With {}.", with.label),
                Some(project),
                finding.id.clone(),
                None,
                finding.at_ms,
                finding.get("due"),
            ));
        }
    }
    Ok(())
}

/// What arrived from others after a look, without what scripts log.
fn changes(workspace: &Workspace, all: &Overview<'_, '_>, after: i64, me: &str) -> Result<(Vec<Change>, bool), ApiError> {
    let own = workspace.device();
    let mut out = Vec::new();
    let mut projects: BTreeMap<String, Option<String>> = BTreeMap::new();
    let arrivals = all.r.arrived_after(after, own.as_str(), BATCHES)?;
    let mut more = arrivals.len() >= BATCHES as usize;
    'all: for batch in arrivals {
        for row in all.r.lines_of(&batch.device, batch.first, batch.count)?.into_iter().rev() {
            let by = person_at(&all.acl, &row.device);
            if by.id == me || row.state != "accepted" {
                continue;
            }
            let Some(line) = row.op() else { continue };
            if !is_told(&line.op) {
                continue;
            }
            if out.len() >= LISTED {
                more = true;
                break 'all;
            }
            let subject = match (&row.kind, &row.record) {
                (Some(kind), Some(id)) => Some(SubjectRef { kind: kind.clone(), id: id.clone() }),
                _ => None,
            };
            let (mut title, mut project) = (String::new(), None);
            if let Some(subject) = &subject {
                title = checklists::title_of(all.r, &subject.parse()?)?;
                let key = format!("{}/{}", subject.kind, subject.id);
                project = match projects.get(&key) {
                    Some(known) => known.clone(),
                    None => projects.entry(key).or_insert(audit::project_of(all.r, subject)?).clone(),
                };
            }
            let record = project.as_ref().and_then(|id| all.projects.iter().find(|p| p.id == *id));
            out.push(Change {
                by,
                sentence: audit::sentence(&all.acl, &line.op),
                subject,
                subject_title: title,
                project_title: record.map(|p| p.text("title")),
                mine: record.is_some_and(|p| all.is_mine(p)),
                project,
                why: line.why,
                at_ms: row.at_ms,
            });
        }
    }
    Ok((out, more))
}

/// Whether people want to hear of it: not of what scripts log, nor of the workings of sharing.
fn is_told(op: &Op) -> bool {
    let name = op.name();
    let quiet = ["run.", "artifact.", "logged_model.", "segment.", "device.witnessed", "view.", "panel.", "pin.", "experiment."];
    !quiet.iter().any(|q| name.starts_with(q))
}

/// What happened, in a few sentences: what was decided first, then what moved, then how much of the rest.
fn digest(changed: &[Change], more: bool) -> Vec<String> {
    let mut out = Vec::new();
    let of = |c: &Change| c.project_title.clone().map_or_else(String::new, |t| format!("{t}: "));
    for change in changed {
        let weighty =
            ["signed ", "moved the project", "ended the project", "requested a release", "recorded a deployment", "took the project up"];
        if weighty.iter().any(|w| change.sentence.starts_with(w)) && out.len() < 8 {
            let why =
                change.why.as_ref().map(|w| format!(" \u{201c}{}\u{201d}", w.chars().take(120).collect::<String>())).unwrap_or_default();
            out.push(format!("{}{} {}.{why}", of(change), change.by.name, change.sentence));
        }
    }
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for change in changed {
        *counts.entry((change.project_title.clone().unwrap_or_else(|| "The workspace".to_owned()), change.by.name.clone())).or_default() +=
            1;
    }
    let mut by_project: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((project, who), n) in counts {
        by_project.entry(project).or_default().push(format!("{who} {n} {}", if n == 1 { "change" } else { "changes" }));
    }
    out.extend(by_project.into_iter().map(|(project, who)| format!("{project}: {}.", who.join(", "))));
    if more {
        out.push(format!("Only the newest {LISTED} changes were read for this."));
    }
    out
}

/// Remembers, on this computer, that everything up to now was looked at.
pub fn looked(host: &Host, _: Nothing) -> Result<Elsewhere, ApiError> {
    let workspace = host.workspace()?;
    let now = workspace.edge.now_ms();
    workspace.write(|w| {
        let place = serde_json::json!([w.arrivals()?, now]).to_string();
        w.set_local(LOOKED, &place).map_err(ApiError::from)
    })?;
    elsewhere(host, Nothing {})
}
