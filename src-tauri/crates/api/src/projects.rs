//! Projects: what they are for, where they stand, what is missing, whose turn it is.

use crate::checklists::EvidenceLink;
use crate::checks::{Found, Looker, template_of};
use crate::cycles::{Ended, TriggerView, ended_of, trigger_of};
use crate::error::{body, title};
use crate::host::{Host, Workspace};
use crate::people::{Person, RoleName, person, person_at, roles};
use crate::risk::RiskView;
use crate::workspaces::Nothing;
use crate::{ApiError, risk, templates};
use cairn_core::authority::Acl;
use cairn_core::id::{MemberId, OpId, ProjectId};
use cairn_core::lifecycle::{self, Check, Lifecycle, Stage};
use cairn_core::op::{Kind, Op, ProjectField};
use cairn_core::role::Role;
use cairn_store::Reader;
use cairn_store::records::{Head, Record};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Project {
    pub id: String,
    pub title: String,
    pub fields: Vec<Field>,
    pub members: Vec<ProjectMember>,
    pub created_ms: i64,
    pub created_by: Person,
    pub cycle: u32,
    pub stage: String,
    pub stages: Vec<StageView>,
    /// The lifecycle that it keeps to.
    pub template: TemplateName,
    /// What the present stage still asks for, and what is done.
    pub gate: Vec<Requirement>,
    /// Whose turn it is; none when the gate is open.
    pub turn: Option<RoleName>,
    pub my_turn: bool,
    /// It ended; nothing waits any more.
    pub ended: Option<Ended>,
    /// Which class holds, what it rests on, and what was proposed.
    pub risk: RiskView,
    /// Said where the lifecycle is made for a lower class than the project's.
    pub lifecycle_word: Option<String>,
    /// What was recorded to begin the next cycle.
    pub trigger: Option<TriggerView>,
}

/// The operations that an edit says it was based on: all versions that its author was shown.
pub(crate) fn bases(base: Option<&str>) -> Result<Vec<OpId>, ApiError> {
    Ok(base.unwrap_or_default().split_whitespace().map(OpId::parse).collect::<Result<_, _>>()?)
}

/// What an edit of a text must say it was based on; none where there is no text yet.
pub(crate) fn base_of(heads: &[Head]) -> Option<String> {
    if heads.is_empty() { None } else { Some(heads.iter().map(|h| h.op.as_str()).collect::<Vec<_>>().join(" ")) }
}

/// A text that people edit, with what an edit must say it was based on.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Field {
    pub name: String,
    pub value: String,
    /// The operations of the versions shown, with spaces between.
    pub base: Option<String>,
    /// More than one: two people changed it without knowing of each other.
    pub versions: Vec<Version>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Version {
    pub op: String,
    pub value: String,
    pub by: Person,
    pub at_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TemplateName {
    pub id: String,
    pub name: String,
    /// Whether this computer has it; else the standard one stands in, and its gates stay closed.
    pub here: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ProjectMember {
    pub person: Person,
    pub role: RoleName,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StageView {
    pub id: String,
    pub name: String,
    pub purpose: String,
    /// `done`, `here` or `ahead`.
    pub state: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Requirement {
    pub id: String,
    pub text: String,
    pub owner: RoleName,
    pub met: bool,
    /// What kind of record settles it: the window links there.
    pub kind: String,
    /// The handoff that it asks for, if it does.
    pub gate: Option<String>,
    /// What was seen in the records, or what is missing there.
    pub said: String,
    pub evidence: Vec<EvidenceLink>,
    /// Nobody in the workspace holds the owner's role, so nobody can do it.
    pub nobody: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CreateProject {
    pub title: String,
    #[serde(default)]
    #[ts(optional)]
    pub problem: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub hypothesis: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub value_metric: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub risk_class: Option<String>,
    /// The lifecycle that it keeps to; the standard one when left out.
    #[serde(default)]
    #[ts(optional)]
    pub template: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ProjectRef {
    pub project: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EditProject {
    pub project: String,
    pub field: String,
    pub value: String,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
    /// Required for another risk class.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetProjectMember {
    pub project: String,
    pub member: String,
    pub role: String,
    pub belongs: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EnterStage {
    pub project: String,
    /// The next stage, or an earlier one.
    pub stage: String,
    /// Required when something is missing (a waiver), or when moving back.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
}

pub fn list(host: &Host, _: Nothing) -> Result<Vec<Project>, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let records = r.records(Kind::Project, None)?;
        records.iter().filter(|p| !p.deleted()).map(|p| view(&workspace, r, p)).collect()
    })
}

pub fn get(host: &Host, request: ProjectRef) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| view(&workspace, r, &r.require(Kind::Project, &request.project)?))
}

pub fn create(host: &Host, request: CreateProject) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    let name = title("Title", &request.title)?;
    let project = ProjectId::parse(workspace.edge.new_id())?;
    let texts = [
        (ProjectField::Problem, request.problem),
        (ProjectField::Hypothesis, request.hypothesis),
        (ProjectField::ValueMetric, request.value_metric),
    ];
    let class = request.risk_class.filter(|t| !t.trim().is_empty()).map(|c| risk::parse(&c)).transpose()?;
    workspace.write(|w| {
        let template = request.template.unwrap_or_else(|| templates::built_in()[0].0.id.clone());
        known_template(w, &template)?;
        w.append(Op::ProjectCreated { project: project.clone(), title: name, template })?;
        for (field, text) in texts {
            if let Some(text) = text.filter(|t| !t.trim().is_empty()) {
                let value = body(field.as_str(), &text)?;
                w.append(Op::ProjectEdited { project: project.clone(), field, value, base: Vec::new() })?;
            }
        }
        if let Some(class) = class {
            risk::state(w, project.as_str(), class, FIRST_CLASS)?;
        }
        Ok::<_, ApiError>(())
    })?;
    get(host, ProjectRef { project: project.to_string() })
}

/// The reason of a class that is stated before there is another, where nobody gave one.
const FIRST_CLASS: &str = "The first class of this project";

pub fn edit(host: &Host, request: EditProject) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    let field = ProjectField::ALL
        .into_iter()
        .find(|f| f.as_str() == request.field)
        .ok_or_else(|| ApiError::invalid(format!("\"{}\" is no field of a project", request.field)))?;
    if field == ProjectField::Title {
        title("Title", &request.value)?;
    }
    if field == ProjectField::RiskClass {
        let class = risk::parse(&request.value)?;
        workspace.write(|w| {
            let known = risk::classed(w, &request.project)?.0;
            let first = known.class.is_none() && known.proposals.is_empty();
            let reason = request.reason.clone().unwrap_or_else(|| if first { FIRST_CLASS.to_owned() } else { String::new() });
            if known.class == Some(class) && !known.contested {
                return Ok(());
            }
            risk::state(w, &request.project, class, &reason)
        })?;
        return get(host, ProjectRef { project: request.project });
    }
    let value = body(field.as_str(), &request.value)?;
    let base = bases(request.base.as_deref())?;
    let project = ProjectId::parse(request.project.clone())?;
    workspace.read(|r| r.require(Kind::Project, project.as_str()))?;
    workspace.append(Op::ProjectEdited { project, field, value, base })?;
    get(host, ProjectRef { project: request.project })
}

pub fn set_member(host: &Host, request: SetProjectMember) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    let project = ProjectId::parse(request.project.clone())?;
    let member = MemberId::parse(request.member)?;
    let role = roles(std::slice::from_ref(&request.role))?[0];
    workspace.write(|w| {
        w.require(Kind::Project, project.as_str())?;
        let known = w.acl()?.members.get(&member).cloned().ok_or_else(|| ApiError::not_found("This member"))?;
        if request.belongs && !known.roles.contains(&role) {
            return Err(ApiError::conflict(format!("{} does not hold the role {}", known.name, role.label()))
                .hint("An administrator can give the role on the Team page."));
        }
        let op = if request.belongs {
            Op::ProjectMemberAdded { project, member, role }
        } else {
            Op::ProjectMemberRemoved { project, member, role }
        };
        w.append(op).map_err(ApiError::from)
    })?;
    get(host, ProjectRef { project: request.project })
}

/// Moves a project on, past a gate that must be met or waived; or back, with a reason.
pub fn enter_stage(host: &Host, request: EnterStage) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    let to = Stage::parse(&request.stage).ok_or_else(|| ApiError::invalid(format!("\"{}\" is no stage", request.stage)))?;
    let reason = request.reason.as_deref().map(str::trim).filter(|t| !t.is_empty());
    let project = ProjectId::parse(request.project.clone())?;
    workspace.write(|w| {
        let record = w.require(Kind::Project, project.as_str())?;
        if record.get("ended").is_some() {
            return Err(ApiError::conflict("This project has ended").hint("Take it up again first."));
        }
        let (from, cycle) = stage_of(&record);
        let (next, more) = from.next();
        let (waived, cycle) = if to == next {
            let (template, judged) = judge(w, &record, from, cycle)?;
            if template.is_none() {
                return Err(ApiError::conflict("The lifecycle of this project has not arrived on this computer yet")
                    .hint("Share now; then its gates can be judged."));
            }
            let open: Vec<String> = judged.iter().filter(|j| !j.found.met).map(|j| j.requirement.id.clone()).collect();
            if !open.is_empty() && reason.is_none() {
                let texts: Vec<&str> = judged.iter().filter(|j| !j.found.met).map(|j| j.requirement.text.as_str()).collect();
                return Err(ApiError::new("gate_closed", format!("The gate is not met: {}", texts.join("; ")))
                    .hint("Finish what is missing, or let a business owner or compliance waive it with a reason."));
            }
            (open, cycle + more)
        } else if to < from {
            if reason.is_none() {
                return Err(ApiError::invalid("Moving back needs a reason").hint("Say in a few words what was found."));
            }
            (Vec::new(), cycle)
        } else {
            return Err(ApiError::conflict("A project moves one stage at a time"));
        };
        w.append_why(Op::ProjectStageEntered { project, stage: to, cycle, waived }, reason).map_err(ApiError::from)
    })?;
    get(host, ProjectRef { project: request.project })
}

/// Stage and cycle of a project; a new one stands at the beginning.
pub fn stage_of(record: &Record) -> (Stage, u32) {
    let cell = record.json("stage");
    let stage = cell["stage"].as_str().and_then(Stage::parse).unwrap_or(Stage::BusinessProblem);
    let cycle = cell["cycle"].as_u64().and_then(|c| u32::try_from(c).ok()).unwrap_or(1);
    (stage, cycle)
}

/// The members of a project with their roles in it.
pub fn members_of(record: &Record) -> Vec<(String, Role)> {
    record
        .pairs("member")
        .into_keys()
        .filter_map(|key| {
            let (member, role) = key.split_once('/')?;
            Some((member.to_owned(), Role::parse(role)?))
        })
        .collect()
}

/// Something that a stage asks for, and what became of it.
pub(crate) struct Judged {
    pub requirement: lifecycle::Requirement,
    pub found: Found,
}

/// Judges the gate out of a stage by the project's own lifecycle; none where that has not arrived.
pub(crate) fn judge(r: &Reader<'_>, project: &Record, stage: Stage, cycle: u32) -> Result<(Option<Arc<Lifecycle>>, Vec<Judged>), ApiError> {
    let (template, here) = template_of(r, project)?;
    let looker = Looker::new(r, project, cycle, template.clone());
    let requirements = template.stage(stage).map(|s| s.requirements.as_slice()).unwrap_or_default();
    let judged = requirements
        .iter()
        .map(|requirement| Ok(Judged { requirement: requirement.clone(), found: looker.look(&requirement.check)? }))
        .collect::<Result<_, ApiError>>()?;
    Ok((here.then_some(template), judged))
}

fn known_template(r: &Reader<'_>, id: &str) -> Result<Arc<Lifecycle>, ApiError> {
    // Asked of the records, not of what was read before: another workspace may have it and this one not.
    let here = templates::text_of(r, id)?.is_some();
    templates::lifecycle(r, id)?.filter(|_| here).ok_or_else(|| {
        ApiError::not_found(&format!("The lifecycle \"{id}\""))
            .hint("Choose one of those that `cairn lifecycle list` prints; a team's own may not have arrived yet.")
    })
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetTemplate {
    pub project: String,
    pub template: String,
    /// Required: another lifecycle may ask for less.
    pub reason: String,
}

/// Moves a project to another lifecycle, or to another version of its own.
pub fn set_template(host: &Host, request: SetTemplate) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    let project = ProjectId::parse(request.project.clone())?;
    let reason = request.reason.trim();
    if reason.is_empty() {
        return Err(ApiError::invalid("Another lifecycle needs a reason").hint("Say in a few words why; it stays in the history."));
    }
    workspace.write(|w| {
        let record = w.require(Kind::Project, project.as_str())?;
        known_template(w, &request.template)?;
        if record.get("template") == Some(request.template.as_str()) {
            return Err(ApiError::conflict("The project keeps to this lifecycle already"));
        }
        w.append_why(Op::ProjectTemplateSet { project, template: request.template.clone() }, Some(reason)).map_err(ApiError::from)
    })?;
    get(host, ProjectRef { project: request.project })
}

/// Whether it is a person's turn: those who are named for the role in the project, else whoever holds it.
pub(crate) fn is_turn_of(acl: &Acl, me: Option<&MemberId>, members: &[(String, Role)], role: Role) -> bool {
    let Some(me) = me else { return false };
    let named = members.iter().any(|(_, r)| *r == role);
    members.iter().any(|(m, r)| m == me.as_str() && *r == role) || (!named && acl.members.get(me).is_some_and(|m| m.roles.contains(&role)))
}

pub(crate) fn view(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Project, ApiError> {
    let acl = r.acl()?;
    let (stage, cycle) = stage_of(record);
    let (template, judged) = judge(r, record, stage, cycle)?;
    let here = template.is_some();
    let template = template.unwrap_or_else(|| templates::built_in()[0].0.clone());
    let ended = ended_of(r, record)?;
    let turn = judged.iter().find(|j| !j.found.met).map(|j| j.requirement.owner).filter(|_| ended.is_none());
    let members = members_of(record);
    let me = workspace.me(r)?;
    let my_turn = turn.is_some_and(|role| is_turn_of(&acl, me.as_ref(), &members, role));
    let risk = risk::view(workspace, r, &record.id)?;
    let mut fields = Vec::new();
    for field in ProjectField::ALL {
        if field == ProjectField::RiskClass {
            // Which class holds follows from who said what in knowledge of what, not from the last word.
            let value = risk.class.clone().unwrap_or_default();
            fields.push(Field { name: field.as_str().to_owned(), value, base: None, versions: Vec::new() });
            continue;
        }
        let cell = record.cell(field.as_str());
        let heads = r.heads(Kind::Project, &record.id, field.as_str(), "")?;
        let base = base_of(&heads);
        let versions = heads
            .into_iter()
            .map(|h| Version { op: h.op, value: h.value, by: person_at(&acl, &h.device), at_ms: h.at_ms })
            .collect::<Vec<_>>();
        fields.push(Field {
            name: field.as_str().to_owned(),
            value: cell.map(|c| c.value.clone()).unwrap_or_default(),
            base,
            versions: if versions.len() > 1 { versions } else { Vec::new() },
        });
    }
    let stages = template
        .stages
        .iter()
        .map(|s| StageView {
            id: s.stage.as_str().to_owned(),
            name: s.name.clone(),
            purpose: s.purpose.clone(),
            state: match s.stage.cmp(&stage) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "here",
                std::cmp::Ordering::Greater => "ahead",
            }
            .to_owned(),
        })
        .collect();
    let kind_of = |check: &Check| serde_json::to_value(check).ok().and_then(|v| v["is"].as_str().map(str::to_owned)).unwrap_or_default();
    Ok(Project {
        id: record.id.clone(),
        title: record.text("title"),
        fields,
        members: members.iter().map(|(member, role)| ProjectMember { person: person(&acl, member), role: (*role).into() }).collect(),
        created_ms: record.at_ms,
        created_by: person_at(&acl, &record.device),
        cycle,
        stage: stage.as_str().to_owned(),
        stages,
        template: TemplateName {
            id: record.text("template"),
            name: if here { templates::shown_name(&template) } else { "not received yet".to_owned() },
            here,
        },
        gate: judged
            .iter()
            .map(|j| {
                Ok(Requirement {
                    id: j.requirement.id.clone(),
                    text: j.requirement.text.clone(),
                    owner: j.requirement.owner.into(),
                    met: j.found.met,
                    kind: kind_of(&j.requirement.check),
                    gate: if let Check::ChecklistCompleted { gate } = &j.requirement.check { Some(gate.clone()) } else { None },
                    said: j.found.said.clone(),
                    evidence: j.found.links(r)?,
                    nobody: !j.found.met && acl.members.values().all(|m| !m.roles.contains(&j.requirement.owner)),
                })
            })
            .collect::<Result<_, ApiError>>()?,
        lifecycle_word: templates::too_light(&template, risk.class.as_deref()),
        risk,
        turn: turn.map(RoleName::from),
        my_turn,
        trigger: trigger_of(r, record, cycle + 1)?,
        ended,
    })
}
