//! The risk class of a project as people see and state it; which class holds is `core::risk`'s matter.

use crate::ApiError;
use crate::host::{Host, Workspace};
use crate::people::{Person, person};
use crate::projects::ProjectRef;
use cairn_core::authority::Acl;
use cairn_core::decision::{Said, is_data};
use cairn_core::id::{MemberId, OpId, ProjectId};
use cairn_core::op::{Kind, Op, RiskClass, Subject};
use cairn_core::risk::{Classed, Open, class_of};
use cairn_core::role::{Act, Role, permits};
use cairn_store::order::Orders;
use cairn_store::{Reader, Writer};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The class that holds, what it rests on, and what was proposed beside it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RiskView {
    /// `low`, `medium` or `high`; none: judged by the strictest rule.
    pub class: Option<String>,
    /// Two people stated different classes without knowing of each other: the strictest holds until somebody settles it.
    pub contested: bool,
    pub stated: Vec<ClassStatement>,
    pub proposals: Vec<ClassStatement>,
    /// Whether I may state a class, and in which roles.
    pub i_may_state_as: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ClassStatement {
    /// The operation, by which somebody agrees to it.
    pub id: String,
    pub class: String,
    pub by: Person,
    pub at_ms: i64,
    pub reason: String,
    /// Why it does not hold, where it does not.
    pub open: Option<String>,
    /// I could agree to it.
    pub i_may_agree: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetClass {
    pub project: String,
    /// `low`, `medium` or `high`.
    pub class: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AgreeClass {
    pub project: String,
    /// The statement's operation.
    pub proposal: String,
    pub reason: String,
}

pub fn get(host: &Host, request: ProjectRef) -> Result<RiskView, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| view(&workspace, r, &request.project))
}

/// States the class of a project. A lower one than holds, once there are data, waits for a second person.
pub fn set(host: &Host, request: SetClass) -> Result<RiskView, ApiError> {
    let workspace = host.workspace()?;
    let class = parse(&request.class)?;
    workspace.write(|w| state(w, &request.project, class, &request.reason))?;
    get(host, ProjectRef { project: request.project })
}

/// Agrees, in another role than whoever stated it, that a lower class is right.
pub fn agree(host: &Host, request: AgreeClass) -> Result<RiskView, ApiError> {
    let workspace = host.workspace()?;
    let proposal = OpId::parse(request.proposal.clone())?;
    let reason = said(&request.reason)?;
    workspace.write(|w| {
        let project = ProjectId::parse(request.project.clone())?;
        let all = statements(w, &request.project)?;
        let stated = all.iter().find(|s| s.id == proposal).ok_or_else(|| ApiError::not_found("This statement of a class"))?;
        let Op::ProjectClassSet { role, .. } = &stated.op else {
            return Err(ApiError::conflict("Only the statement of somebody who may state a class can be agreed to"));
        };
        let mine = my_roles(w)?;
        let me = me(w)?;
        if me.as_ref() == Some(&stated.by) {
            return Err(ApiError::conflict("Agreeing to a lower class takes somebody else than who stated it"));
        }
        let Some(mine) = mine.into_iter().find(|r| r != role) else {
            return Err(ApiError::conflict(format!("Agreeing takes another role than {}", role.label().to_lowercase()))
                .hint("A business owner, a validator or compliance can agree, each to what another of them stated."));
        };
        w.append_why(Op::ProjectClassAgreed { project, proposal, role: mine }, Some(&reason)).map(drop).map_err(ApiError::from)
    })?;
    get(host, ProjectRef { project: request.project })
}

pub(crate) fn parse(class: &str) -> Result<RiskClass, ApiError> {
    RiskClass::parse(class).ok_or_else(|| ApiError::invalid("A risk class is low, medium or high"))
}

fn said(reason: &str) -> Result<String, ApiError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(ApiError::new("reason", "A risk class needs a reason")
            .hint("One sentence: what an error costs whom. It stays beside every decision that rests on the class."));
    }
    Ok(reason.to_owned())
}

/// Appends the statement of a class in the first of the author's roles that may; whoever may not can only propose.
pub(crate) fn state(w: &mut Writer<'_>, project: &str, class: RiskClass, reason: &str) -> Result<(), ApiError> {
    let reason = said(reason)?;
    w.require(Kind::Project, project)?;
    let project = ProjectId::parse(project.to_owned())?;
    match my_roles(w)?.first() {
        Some(role) => w.append_why(Op::ProjectClassSet { project, class, role: *role }, Some(&reason))?,
        None => {
            let value = crate::error::body("Risk class", class.as_str())?;
            let op = Op::ProjectEdited { project, field: cairn_core::op::ProjectField::RiskClass, value, base: Vec::new() };
            w.append_why(op, Some(&reason))?
        }
    };
    Ok(())
}

fn me(r: &Reader<'_>) -> Result<Option<MemberId>, ApiError> {
    Ok(r.acl()?.member_of(&r.device()?).map(|(id, _)| id.clone()))
}

fn my_roles(r: &Reader<'_>) -> Result<Vec<Role>, ApiError> {
    let acl = r.acl()?;
    let found = acl.member_of(&r.device()?).map(|(_, m)| m.roles.clone()).unwrap_or_default();
    Ok(found.into_iter().filter(|r| permits(*r, Act::ClassifyRisk)).collect())
}

/// What was said of a project's class.
pub(crate) const CLASS_OPS: [&str; 3] = ["project.edited", "project.class_set", "project.class_agreed"];

/// The statements of a project's class, with what means that data exist.
fn statements(r: &Reader<'_>, project: &str) -> Result<Vec<Said>, ApiError> {
    let orders = Orders::new(r);
    let mut all = r.said_about(&orders, &Subject { kind: Kind::Project, id: project.to_owned() }, &CLASS_OPS)?;
    all.retain(|s| match &s.op {
        Op::ProjectEdited { field, .. } => *field == cairn_core::op::ProjectField::RiskClass,
        _ => true,
    });
    let several = all.iter().filter(|s| matches!(s.op, Op::ProjectClassSet { .. })).count() > 0 && all.len() > 1;
    if several {
        all.extend(data(r, &orders, project)?);
    }
    Ok(all)
}

/// The operations after which there are data or work to judge in a project.
pub(crate) fn data(r: &Reader<'_>, orders: &Orders<'_, '_>, project: &str) -> Result<Vec<Said>, ApiError> {
    let mut found = Vec::new();
    let mut take = |kind: Kind, id: String, types: &[&str]| -> Result<(), ApiError> {
        found.extend(r.said_about(orders, &Subject { kind, id }, types)?);
        Ok(())
    };
    for id in r.ids_below(Kind::Dataset, project)? {
        take(Kind::Dataset, id, &["dataset.created"])?;
    }
    // What was linked away again was here all the same.
    for (kind, types) in [(Kind::Model, ["model.created", "model.linked"]), (Kind::Experiment, ["experiment.created", "experiment.linked"])]
    {
        for record in r.records_with(kind, None, Some(&["project"]))? {
            take(kind, record.id, &types)?;
        }
    }
    for id in r.ids_below(Kind::Criteria, project)? {
        for signoff in r.ids_below(Kind::Signoff, &id)? {
            take(Kind::Signoff, signoff, &["criteria.signed"])?;
        }
        take(Kind::Criteria, id, &["criteria.written"])?;
    }
    for id in r.ids_below(Kind::Release, project)? {
        take(Kind::Release, id, &["release.submitted"])?;
    }
    Ok(found)
}

/// The class of a project, by everything that is known here.
pub(crate) fn classed(r: &Reader<'_>, project: &str) -> Result<(Classed, Vec<Said>), ApiError> {
    let all = statements(r, project)?;
    let acl = r.acl()?;
    let id = ProjectId::parse(project.to_owned())?;
    let classed = class_of(&id, &all, &acl.adopted, &|_| true, &|_, d| is_data(&all, &id, d));
    Ok((classed, all))
}

/// The class as a word; empty where none holds.
pub(crate) fn class_word(r: &Reader<'_>, project: &str) -> Result<String, ApiError> {
    Ok(classed(r, project)?.0.class.map(|c| c.as_str().to_owned()).unwrap_or_default())
}

pub(crate) fn view(workspace: &Workspace, r: &Reader<'_>, project: &str) -> Result<RiskView, ApiError> {
    let acl = r.acl()?;
    let me = workspace.me(r)?;
    let mine = my_roles(r)?;
    let (classed, all) = classed(r, project)?;
    let one = |id: &OpId, open: Option<Open>| statement(&acl, &all, id, open, me.as_ref(), &mine);
    Ok(RiskView {
        class: classed.class.map(|c| c.as_str().to_owned()),
        contested: classed.contested,
        stated: classed.by.iter().filter_map(|id| one(id, None)).collect(),
        proposals: classed.proposals.iter().filter_map(|p| one(&p.id, Some(p.why))).collect(),
        i_may_state_as: mine.iter().map(|r| r.as_str().to_owned()).collect(),
    })
}

fn statement(acl: &Acl, all: &[Said], id: &OpId, open: Option<Open>, me: Option<&MemberId>, mine: &[Role]) -> Option<ClassStatement> {
    let s = all.iter().find(|s| s.id == *id)?;
    let class = match &s.op {
        Op::ProjectClassSet { class, .. } => *class,
        Op::ProjectEdited { value, .. } => RiskClass::parse(value.as_str())?,
        Op::ProjectClassAgreed { proposal, .. } => match &all.iter().find(|x| x.id == *proposal)?.op {
            Op::ProjectClassSet { class, .. } => *class,
            _ => return None,
        },
        _ => return None,
    };
    let other_role = |role: &Role| mine.iter().any(|m| m != role);
    let i_may_agree = match &s.op {
        Op::ProjectClassSet { role, .. } => open == Some(Open::WaitsForSecond) && me != Some(&s.by) && other_role(role),
        _ => false,
    };
    Some(ClassStatement {
        id: s.id.to_string(),
        class: class.as_str().to_owned(),
        by: person(acl, s.by.as_str()),
        at_ms: s.at_ms,
        reason: s.why.clone().unwrap_or_default(),
        open: open.map(|why| {
            match why {
                Open::NotEntitled => "A proposal: a business owner, a validator or compliance states the class.",
                Open::WaitsForSecond => "Lower than what holds, and there are data: somebody else in another role must agree.",
                Open::Settled => "Written without knowing that it had been settled.",
            }
            .to_owned()
        }),
        i_may_agree,
    })
}
