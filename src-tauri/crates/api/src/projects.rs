//! Projects: what they are for, where they stand, what is missing, whose turn it is.

use crate::error::{body, title};
use crate::host::{Host, Workspace};
use crate::people::{Person, RoleName, person, person_at, roles};
use crate::workspaces::Nothing;
use crate::{ApiError, cards, releases, templates};
use cairn_core::id::{MemberId, OpId, ProjectId};
use cairn_core::lifecycle::{self, Facts, Stage};
use cairn_core::op::{Environment, Kind, Op, ProjectField};
use cairn_core::release::State;
use cairn_core::role::Role;
use cairn_store::Reader;
use cairn_store::records::{Head, Record};
use serde::{Deserialize, Serialize};
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
    /// What the present stage still asks for, and what is done.
    pub gate: Vec<Requirement>,
    /// Whose turn it is; none when the gate is open.
    pub turn: Option<RoleName>,
    pub my_turn: bool,
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
        (ProjectField::RiskClass, request.risk_class),
    ];
    workspace.write(|w| {
        w.append(Op::ProjectCreated { project: project.clone(), title: name, template: templates::lifecycle().id.clone() })?;
        for (field, text) in texts {
            if let Some(text) = text.filter(|t| !t.trim().is_empty()) {
                let value = body(field.as_str(), &text)?;
                w.append(Op::ProjectEdited { project: project.clone(), field, value, base: Vec::new() })?;
            }
        }
        Ok::<_, ApiError>(())
    })?;
    get(host, ProjectRef { project: project.to_string() })
}

pub fn edit(host: &Host, request: EditProject) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    let field = ProjectField::ALL
        .into_iter()
        .find(|f| f.as_str() == request.field)
        .ok_or_else(|| ApiError::invalid(format!("\"{}\" is no field of a project", request.field)))?;
    if field == ProjectField::Title {
        title("Title", &request.value)?;
    }
    if field == ProjectField::RiskClass && !["low", "medium", "high"].contains(&request.value.as_str()) {
        return Err(ApiError::invalid("A risk class is low, medium or high"));
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
        let (from, cycle) = stage_of(&record);
        let (next, more) = from.next();
        let (waived, cycle) = if to == next {
            let judged = lifecycle::judge(templates::lifecycle(), from, &facts(w, &record, cycle)?);
            let open: Vec<String> = judged.iter().filter(|j| !j.met).map(|j| j.requirement.id.clone()).collect();
            if !open.is_empty() && reason.is_none() {
                let texts: Vec<&str> = judged.iter().filter(|j| !j.met).map(|j| j.requirement.text.as_str()).collect();
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

/// What the gates look at.
fn facts(r: &Reader<'_>, project: &Record, cycle: u32) -> Result<Facts, ApiError> {
    let filled = ProjectField::ALL
        .into_iter()
        .map(ProjectField::as_str)
        .filter(|f| project.get(f).is_some_and(|t| !t.trim().is_empty()))
        .map(str::to_owned)
        .collect();
    let live = |kind, parent: &str| -> Result<Vec<Record>, ApiError> {
        Ok(r.records(kind, Some(parent))?.into_iter().filter(|x| !x.deleted()).collect())
    };
    let mut dataset_versions = 0;
    for dataset in live(Kind::Dataset, &project.id)? {
        dataset_versions += live(Kind::DatasetVersion, &dataset.id)?.len();
    }
    let mut finished_runs = 0;
    for experiment in r.records(Kind::Experiment, None)?.iter().filter(|e| e.get("project") == Some(&project.id)) {
        finished_runs += r.finished_runs_of(&experiment.id)? as usize;
    }
    let mut versions = Vec::new();
    for model in crate::models::of_project(r, &project.id)? {
        versions.extend(live(Kind::ModelVersion, &model.id)?);
    }
    versions.sort_by_key(|v| v.at_ms);
    let card_complete = versions.last().is_some_and(|v| cards::missing(v).is_empty());
    let completed_gates = live(Kind::Checklist, &project.id)?
        .iter()
        .filter(|c| c.get("state") == Some("completed") && c.int("cycle") == Some(i64::from(cycle)))
        .map(|c| c.text("gate"))
        .collect();
    let mut approved_versions = Vec::new();
    for release in r.records(Kind::Release, Some(&project.id))? {
        if releases::state_of(r, &release)?.state == State::Approved {
            approved_versions.push(release.text("version"));
        }
    }
    let in_production = r
        .records(Kind::Deployment, Some(&project.id))?
        .iter()
        .any(|d| d.get("environment") == Some(Environment::Production.as_str()) && approved_versions.contains(&d.text("version")));
    Ok(Facts {
        filled,
        roles: members_of(project).into_iter().map(|(_, role)| role).collect(),
        dataset_versions,
        finished_runs,
        model_versions: versions.len(),
        card_complete,
        completed_gates,
        release_approved: !approved_versions.is_empty(),
        in_production,
    })
}

pub(crate) fn view(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Project, ApiError> {
    let acl = r.acl()?;
    let (stage, cycle) = stage_of(record);
    let judged = lifecycle::judge(templates::lifecycle(), stage, &facts(r, record, cycle)?);
    let turn = lifecycle::turn(&judged);
    let members = members_of(record);
    let me = workspace.me(r)?;
    let my_turn = match (&me, turn) {
        (Some(me), Some(role)) => {
            let named = members.iter().any(|(_, r)| *r == role);
            members.iter().any(|(m, r)| m == me.as_str() && *r == role)
                || (!named && acl.members.get(me).is_some_and(|m| m.roles.contains(&role)))
        }
        _ => false,
    };
    let mut fields = Vec::new();
    for field in ProjectField::ALL {
        let cell = record.cells.get(field.as_str()).and_then(|m| m.get(""));
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
    let stages = templates::lifecycle()
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
    let kind_of = |criterion: &lifecycle::Criterion| {
        serde_json::to_value(criterion).ok().and_then(|v| v["is"].as_str().map(str::to_owned)).unwrap_or_default()
    };
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
        gate: judged
            .iter()
            .map(|j| Requirement {
                id: j.requirement.id.clone(),
                text: j.requirement.text.clone(),
                owner: j.requirement.owner.into(),
                met: j.met,
                kind: kind_of(&j.requirement.criterion),
            })
            .collect(),
        turn: turn.map(RoleName::from),
        my_turn,
    })
}
