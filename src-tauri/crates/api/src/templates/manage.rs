//! Lifecycles in the window and from the command line: read, copied, changed, compared.

use super::read::{Problem, read};
use super::{TEAM, built_in, is_earlier, lifecycle, shown_name, team_id, text_of};
use crate::ApiError;
use crate::error::body;
use crate::host::Host;
use crate::people::{Person, RoleName, person_at};
use crate::projects::{base_of, bases};
use crate::workspaces::Nothing;
use cairn_core::checklist::ItemKind;
use cairn_core::id::TemplateId;
use cairn_core::lifecycle::{self, Lifecycle};
use cairn_core::op::{Kind, Op};
use cairn_core::role::Role;
use cairn_store::Reader;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A lifecycle that a project can keep to.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecycleRow {
    /// What a project names it by; of a team's own this very version.
    pub id: String,
    pub name: String,
    pub summary: String,
    /// The risk classes that it is meant for.
    pub risk: Vec<String>,
    /// The team's own record, to change it; none of those that come with the program.
    pub template: Option<String>,
    pub saved: Option<Saved>,
    /// Two people changed it without knowing of each other: this is one of the two.
    pub both_changed: bool,
    /// What a change is based on.
    pub base: Option<String>,
    /// Projects that keep to this version.
    pub projects: u32,
    /// Projects that keep to an earlier version of it.
    pub behind: u32,
    /// Nothing new should begin with it: it is there for projects that did.
    pub old: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Saved {
    pub by: Person,
    pub at_ms: i64,
}

/// A lifecycle, whole.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecycleView {
    pub id: String,
    pub name: String,
    pub summary: String,
    pub text: String,
    pub stages: Vec<LifecycleStage>,
    pub checklists: Vec<LifecycleList>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecycleStage {
    pub id: String,
    pub name: String,
    pub purpose: String,
    pub requirements: Vec<LifecycleItem>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecycleList {
    pub gate: String,
    pub title: String,
    pub from: RoleName,
    pub to: RoleName,
    pub items: Vec<LifecycleItem>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecycleItem {
    pub id: String,
    pub text: String,
    pub role: RoleName,
    /// `records`, `statement` or `tick`.
    pub kind: String,
    pub blocks: bool,
    pub source: String,
    /// Nobody in the workspace holds the role.
    pub nobody: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecycleRef {
    pub id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecycleText {
    pub text: String,
    /// The lifecycle that it was begun from: what differs is told.
    #[serde(default)]
    #[ts(optional)]
    pub from: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct LifecycleCheck {
    pub problems: Vec<Problem>,
    /// None while there are problems.
    pub view: Option<LifecycleView>,
    pub difference: LifecycleDifference,
}

/// What somebody who moves from one lifecycle to another should know.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct LifecycleDifference {
    pub added: Vec<LifecycleChange>,
    pub removed: Vec<LifecycleChange>,
    pub changed: Vec<LifecycleChange>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecycleChange {
    pub id: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LifecyclePair {
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveLifecycle {
    /// None: a new one.
    #[serde(default)]
    #[ts(optional)]
    pub template: Option<String>,
    pub text: String,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

pub fn list(host: &Host, _: Nothing) -> Result<Vec<LifecycleRow>, ApiError> {
    host.workspace()?.read(rows)
}

fn rows(r: &Reader<'_>) -> Result<Vec<LifecycleRow>, ApiError> {
    let acl = r.acl()?;
    let used: Vec<String> = r.records(Kind::Project, None)?.iter().filter(|p| !p.deleted()).map(|p| p.text("template")).collect();
    let count = |fits: &dyn Fn(&str) -> bool| u32::try_from(used.iter().filter(|u| fits(u)).count()).unwrap_or(u32::MAX);
    let mut out: Vec<LifecycleRow> = built_in()
        .iter()
        .map(|(t, _)| LifecycleRow {
            id: t.id.clone(),
            name: shown_name(t),
            summary: t.summary.clone(),
            risk: t.risk.clone(),
            template: None,
            saved: None,
            both_changed: false,
            base: None,
            projects: count(&|u| u == t.id),
            behind: 0,
            old: is_earlier(&t.id),
        })
        .collect();
    for record in r.records(Kind::Template, None)?.iter().filter(|t| !t.deleted()) {
        let heads = r.heads(Kind::Template, &record.id, "text", "")?;
        let ids: Vec<String> = heads.iter().map(|h| team_id(&record.id, &h.value)).collect();
        for (head, id) in heads.iter().zip(&ids) {
            let Some(t) = lifecycle(r, id)? else { continue };
            let own = format!("{TEAM}{}/", record.id);
            out.push(LifecycleRow {
                id: id.clone(),
                // A name that looks like one of the program's own says whose it is.
                name: if looks_built_in(&t.name) { format!("{} (of the team)", t.name) } else { t.name.clone() },
                summary: t.summary.clone(),
                risk: t.risk.clone(),
                template: Some(record.id.clone()),
                saved: Some(Saved { by: person_at(&acl, &head.device), at_ms: head.at_ms }),
                both_changed: heads.len() > 1,
                base: base_of(&heads),
                projects: count(&|u| u == id),
                behind: count(&|u| u.starts_with(&own) && !ids.iter().any(|id| id == u)),
                old: false,
            });
        }
    }
    Ok(out)
}

/// Whether a name could pass for a lifecycle that comes with the program.
fn looks_built_in(name: &str) -> bool {
    let look = cairn_core::name::looks(name);
    built_in().iter().any(|(t, _)| cairn_core::name::looks(&t.name) == look)
}

pub fn get(host: &Host, request: LifecycleRef) -> Result<LifecycleView, ApiError> {
    host.workspace()?.read(|r| {
        let missing = || ApiError::not_found(&format!("The lifecycle \"{}\"", request.id));
        let found = lifecycle(r, &request.id)?.ok_or_else(missing)?;
        let text = text_of(r, &request.id)?.ok_or_else(missing)?;
        view(r, &found, text)
    })
}

fn view(r: &Reader<'_>, found: &Lifecycle, text: String) -> Result<LifecycleView, ApiError> {
    let acl = r.acl()?;
    let nobody = |role: Role| acl.members.values().all(|m| !m.roles.contains(&role));
    let kind = |kind: ItemKind| match kind {
        ItemKind::Records => "records",
        ItemKind::Statement => "statement",
        ItemKind::Tick => "tick",
    };
    let stages = found.stages.iter().map(|s| LifecycleStage {
        id: s.stage.as_str().to_owned(),
        name: s.name.clone(),
        purpose: s.purpose.clone(),
        requirements: s
            .requirements
            .iter()
            .map(|q| LifecycleItem {
                id: q.id.clone(),
                text: q.text.clone(),
                role: q.owner.into(),
                kind: "records".into(),
                blocks: true,
                source: String::new(),
                nobody: nobody(q.owner),
            })
            .collect(),
    });
    let checklists = found.checklists.iter().map(|c| LifecycleList {
        gate: c.gate.clone(),
        title: c.title.clone(),
        from: c.from.into(),
        to: c.to.into(),
        items: c
            .items
            .iter()
            .map(|i| LifecycleItem {
                id: i.id.clone(),
                text: i.text.clone(),
                role: i.role.into(),
                kind: kind(i.kind).to_owned(),
                blocks: i.blocks,
                source: i.source.clone(),
                nobody: nobody(i.role),
            })
            .collect(),
    });
    Ok(LifecycleView {
        id: found.id.clone(),
        name: found.name.clone(),
        summary: found.summary.clone(),
        text,
        stages: stages.collect(),
        checklists: checklists.collect(),
    })
}

fn told(from: &Lifecycle, to: &Lifecycle) -> LifecycleDifference {
    let found = lifecycle::difference(from, to);
    let change = |id: String, before: Option<String>, after: Option<String>| LifecycleChange { id, before, after };
    LifecycleDifference {
        added: found.added.into_iter().map(|(id, after)| change(id, None, Some(after))).collect(),
        removed: found.removed.into_iter().map(|(id, before)| change(id, Some(before), None)).collect(),
        changed: found.changed.into_iter().map(|(id, before, after)| change(id, Some(before), Some(after))).collect(),
    }
}

/// Reads a text as it would be saved: what is wrong with it, or what it means.
pub fn check(host: &Host, request: LifecycleText) -> Result<LifecycleCheck, ApiError> {
    let found = match read(&request.text) {
        Ok(found) => found,
        Err(problems) => return Ok(LifecycleCheck { problems, ..LifecycleCheck::default() }),
    };
    host.workspace()?.read(|r| {
        let difference = match request.from.as_deref().map(|id| lifecycle(r, id)).transpose()?.flatten() {
            Some(from) => told(&from, &found),
            None => LifecycleDifference::default(),
        };
        Ok(LifecycleCheck { problems: Vec::new(), view: Some(view(r, &found, request.text.clone())?), difference })
    })
}

/// What a project that moves from one to the other gains and loses.
pub fn difference(host: &Host, request: LifecyclePair) -> Result<LifecycleDifference, ApiError> {
    host.workspace()?.read(|r| {
        let get = |id: &str| lifecycle(r, id)?.ok_or_else(|| ApiError::not_found(&format!("The lifecycle \"{id}\"")));
        Ok(told(&*get(&request.from)?, &*get(&request.to)?))
    })
}

pub fn save(host: &Host, request: SaveLifecycle) -> Result<LifecycleRow, ApiError> {
    let workspace = host.workspace()?;
    if let Err(problems) = read(&request.text) {
        let all: Vec<String> = problems
            .iter()
            .take(5)
            .map(|p| if p.line > 0 { format!("line {}: {}", p.line, p.message) } else { p.message.clone() })
            .collect();
        return Err(ApiError::invalid(format!("The lifecycle cannot be used: {}", all.join("; ")))
            .hint("Nothing was saved; mend the lines that are named."));
    }
    let text = body("The lifecycle", &request.text)?;
    if let Ok(found) = read(&request.text) {
        if looks_built_in(&found.name) {
            return Err(ApiError::invalid(format!("\u{201c}{}\u{201d} is the name of a lifecycle that comes with Cairn", found.name))
                .hint("Give yours a name of its own, so that nobody takes it for the other."));
        }
        if found.stages.iter().all(|s| s.requirements.is_empty()) {
            return Err(ApiError::invalid("This lifecycle asks for nothing at all: every gate would stand open")
                .hint("Begin from one of those that come with Cairn, and take away only what does not fit."));
        }
    }
    let template = match request.template {
        Some(id) => {
            let template = TemplateId::parse(id)?;
            workspace.read(|r| r.require(Kind::Template, template.as_str()))?;
            template
        }
        None => TemplateId::parse(workspace.edge.new_id())?,
    };
    let base = bases(request.base.as_deref())?;
    let id = team_id(template.as_str(), text.as_str());
    workspace.append(Op::TemplateSaved { template, text, base })?;
    let all = workspace.read(rows)?;
    all.into_iter().find(|row| row.id == id).ok_or_else(|| ApiError::not_found("The lifecycle"))
}
