//! Who built a version, who is named for a role, and how small the team is.

use super::{Case, Made, SMALL_TEAM, Said};
use crate::authority::{Acl, Past};
use crate::id::{LoggedModelId, MemberId, ModelVersionId, OpId, ProjectId, RunId};
use crate::op::{Kind, Op};
use crate::release::Bound;
use crate::role::{Act, Role, permits};
use std::collections::{BTreeMap, BTreeSet};

/// Roles whose word can decide on a release.
pub(super) fn signs(role: Role) -> bool {
    permits(role, Act::SignRelease)
}

/// Whoever made its run or files, registered it, wrote its card, or wrote its criteria. By everything that is known: nobody
/// else can make somebody a builder.
pub(super) fn builders(
    said: &[Said],
    version: &ModelVersionId,
    runs: &BTreeSet<&RunId>,
    logged_models: &BTreeSet<&LoggedModelId>,
    criteria: &[Bound],
) -> BTreeMap<MemberId, Vec<Made>> {
    let mut found: BTreeMap<MemberId, BTreeSet<Made>> = BTreeMap::new();
    for s in said {
        let made = match &s.op {
            Op::RunCreated { run, .. } if runs.contains(run) => Made::Run,
            Op::ArtifactLogged { owner, .. } | Op::ArtifactReferenced { owner, .. }
                if (owner.kind == Kind::Run && runs.iter().any(|r| r.as_str() == owner.id))
                    || (owner.kind == Kind::LoggedModel && logged_models.iter().any(|m| m.as_str() == owner.id)) =>
            {
                Made::Files
            }
            Op::LoggedModelCreated { model, .. } if logged_models.contains(model) => Made::Files,
            Op::ModelVersionAdded { version: v, .. } | Op::ModelVersionRegistered { version: v, .. } if v == version => Made::Version,
            Op::CardEdited { version: v, .. } if v == version => Made::Card,
            Op::CriteriaWritten { criteria: c, .. } if criteria.iter().any(|b| b.name == format!("criteria/{c}")) => Made::Criteria,
            _ => continue,
        };
        found.entry(s.by.clone()).or_default().insert(made);
    }
    found.into_iter().map(|(m, all)| (m, all.into_iter().collect())).collect()
}

/// The people whom a project names for a role, by what an author could know. Naming a signer takes another signer: what
/// others say chooses nobody, and a name is taken off by a signer, or by whoever bears it. For an act, names that were given
/// without knowing of it count too: leaving them out of one's own past makes nobody a signer.
pub fn named(said: &[Said], acl: &Acl, project: &ProjectId, role: Role, past: &Past, act: Option<&OpId>) -> BTreeSet<MemberId> {
    let known = |s: &Said| crate::authority::knows(past, &s.id.device, s.id.n);
    let earlier = |s: &Said| known(s) || act.is_some_and(|id| s.id != *id && !s.knows(id));
    let signer = |s: &Said| acl.roles_for(&s.id.device, s.id.n, &s.past).into_iter().any(signs);
    let mut adds: Vec<(&Said, &MemberId)> = Vec::new();
    let mut removes: Vec<(&Said, &MemberId)> = Vec::new();
    for s in said {
        match &s.op {
            Op::ProjectMemberAdded { project: p, member, role: r }
                if p == project && *r == role && s.by != *member && earlier(s) && signer(s) =>
            {
                adds.push((s, member));
            }
            Op::ProjectMemberRemoved { project: p, member, role: r }
                if p == project && *r == role && known(s) && (s.by == *member || signer(s)) =>
            {
                removes.push((s, member));
            }
            _ => {}
        }
    }
    let stands = |(add, member): &&(&Said, &MemberId)| !removes.iter().any(|(r, m)| m == member && r.knows(&add.id));
    adds.iter().filter(stands).map(|(_, m)| (*m).clone()).collect()
}

/// Did the author of an act decide in this role here, as far as they could know?
pub(super) fn decides(case: &Case<'_>, project: &ProjectId, role: Role, member: &MemberId, act: &Said) -> bool {
    let names = named(case.said, case.acl, project, role, &act.past, Some(&act.id));
    names.is_empty() || names.contains(member)
}

/// Whether so few people could ever sign that independence cannot be had; people taken away, or not heard of, count.
pub fn is_small(acl: &Acl, request: &OpId) -> bool {
    acl.ever_held(request).values().filter(|roles| roles.iter().any(|r| signs(*r))).count() <= SMALL_TEAM
}

/// Whether there is nobody else at all: then a role can come from nobody else.
pub(super) fn is_alone(case: &Case<'_>, request: &OpId) -> bool {
    case.acl.ever_held(request).len() <= 1
}
