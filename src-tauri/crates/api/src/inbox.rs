//! "Waiting for you": what needs a decision or a hand from the person at this computer.

use crate::ApiError;
use crate::checklists;
use crate::host::Host;
use crate::members;
use crate::notes::SubjectRef;
use crate::people::{RoleName, person_at};
use crate::projects::{self, ProjectRef};
use crate::releases;
use crate::workspaces::Nothing;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct InboxItem {
    /// `decide`, `sign_again`, `handoff`, `handed_back`, `next_step`, `admit`, `second` or `deleted`.
    pub kind: String,
    pub title: String,
    /// One sentence: what to do and why.
    pub text: String,
    pub project: Option<String>,
    pub project_title: Option<String>,
    /// The release, checklist, device, proposal or (as `kind/id`) deleted record that it is about.
    pub id: String,
    pub role: Option<RoleName>,
    pub since_ms: i64,
}

pub fn list(host: &Host, _: Nothing) -> Result<Vec<InboxItem>, ApiError> {
    let mut out = Vec::new();
    let team = members::list(host, Nothing {})?;
    let my_roles: Vec<String> =
        team.members.iter().find(|m| m.me).map(|m| m.roles.iter().map(|r| r.id.clone()).collect()).unwrap_or_default();
    if team.i_may_manage {
        for knock in team.requests {
            out.push(InboxItem {
                kind: "admit".into(),
                title: format!("{} asks to join", knock.name),
                text: "Compare the four words with the other screen, then let this computer in.".into(),
                project: None,
                project_title: None,
                id: knock.device,
                role: None,
                since_ms: 0,
            });
        }
    }
    for proposal in team.proposals.into_iter().filter(|p| team.i_am_owner && !p.mine && !p.decided) {
        out.push(InboxItem {
            kind: "second".into(),
            title: "The owners must decide".into(),
            text: format!("{} asks the owners to {}.", proposal.by, proposal.sentence),
            project: None,
            project_title: None,
            id: proposal.id,
            role: None,
            since_ms: 0,
        });
    }
    out.extend(contested(host)?);
    for project in projects::list(host, Nothing {})? {
        let of = |kind: &str, title: String, text: String, id: String, role: Option<RoleName>, since_ms: i64| InboxItem {
            kind: kind.into(),
            title,
            text,
            project: Some(project.id.clone()),
            project_title: Some(project.title.clone()),
            id,
            role,
            since_ms,
        };
        for release in releases::list(host, ProjectRef { project: project.id.clone() })? {
            let name = format!("{} version {}", release.version.model_name, release.version.number);
            let for_me = release.i_may_sign_as.iter().find(|r| release.missing.iter().any(|m| m.id == r.id)).cloned();
            match (release.state.as_str(), for_me) {
                ("waiting", Some(role)) => out.push(of(
                    "decide",
                    format!("Decide on {name}"),
                    format!("{} asks to put it live. Read one page, then approve, reject or send back.", release.requested_by.name),
                    release.id,
                    Some(role),
                    release.requested_ms,
                )),
                ("stale", Some(role)) => {
                    out.push(of(
                        "sign_again",
                        format!("Look again at {name}"),
                        release.sentence,
                        release.id,
                        Some(role),
                        release.requested_ms,
                    ));
                }
                ("sent_back", _) if release.mine => {
                    out.push(of(
                        "sign_again",
                        format!("{name} was sent back to you"),
                        release.sentence,
                        release.id,
                        None,
                        release.requested_ms,
                    ));
                }
                _ => {}
            }
        }
        let lists = checklists::list(host, ProjectRef { project: project.id.clone() })?;
        for list in lists {
            let open = matches!(list.state.as_str(), "open" | "handed_back");
            if list.mine && list.state == "picked_up" {
                out.push(of(
                    "handoff",
                    format!("Finish {}: {}", list.gate, list.title),
                    format!("You picked it up. {} of {} items are done.", list.done, list.items.len()),
                    list.id,
                    None,
                    0,
                ));
            } else if open && my_roles.contains(&list.from.id) {
                let (kind, text) = match &list.handed_back_why {
                    Some(why) => ("handed_back", format!("It was handed back: {why}")),
                    None => ("handoff", "Nobody has picked it up yet.".to_owned()),
                };
                out.push(of(kind, format!("Pick up {}: {}", list.gate, list.title), text, list.id, Some(list.from), 0));
            }
        }
        if project.my_turn
            && !out.iter().any(|i| i.project.as_deref() == Some(project.id.as_str()))
            && let Some(next) = project.gate.iter().find(|g| !g.met)
        {
            out.push(of(
                "next_step",
                project.title.clone(),
                format!("It is your turn: {}.", lower_first(&next.text)),
                project.id.clone(),
                project.turn.clone(),
                0,
            ));
        }
    }
    Ok(out)
}

/// What was deleted while others changed it comes back as a question to those who did either.
fn contested(host: &Host) -> Result<Vec<InboxItem>, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
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
            });
        }
        Ok(out)
    })
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
