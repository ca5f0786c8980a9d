//! Who may do what, decided from the signed history alone.
//!
//! An operation is valid if its author held the permission in its own causal past. Clocks and the
//! order of arrival never matter: every rule here looks only at which operation could have known
//! of which. Broken here, two computers would disagree about who approved a model.

use crate::id::{DeviceId, MemberId};
use crate::op::{Admission, Needs, Op};
use crate::role::{Act, Role, permits};
use std::collections::{BTreeMap, BTreeSet};

/// For each device the number of its last operation that is in the past. Dense: 7 means 1 to 7.
pub type Past = BTreeMap<DeviceId, u64>;

/// One accepted authority operation, with what its author could know.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub device: DeviceId,
    /// The operation's number on its device, from 1.
    pub n: u64,
    /// Everything that was in the author's past, its own earlier operations included.
    pub past: Past,
    pub op: Op,
}

impl Entry {
    fn knew(&self, other: &Self) -> bool {
        self.past.get(&other.device).is_some_and(|n| *n >= other.n)
    }
}

/// A member as the past sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub email: String,
    pub roles: BTreeSet<Role>,
}

/// A device as the past sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub member: MemberId,
    pub name: String,
    pub key: String,
    /// After this operation nothing of the device counts.
    pub cut: Option<u64>,
}

/// A computer that asked to be let in and has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub device: DeviceId,
    pub name: String,
    pub email: String,
    pub device_name: String,
    pub key: String,
}

/// The state of authority at some point of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acl {
    pub workspace: Option<String>,
    pub members: BTreeMap<MemberId, Member>,
    pub devices: BTreeMap<DeviceId, Device>,
    pub requests: Vec<Request>,
}

/// Why an operation does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("this computer has not been let into the workspace")]
    UnknownDevice,
    #[error("this computer was removed from the workspace")]
    Revoked,
    #[error("{name} may not {act}; that needs one of these roles: {roles}")]
    Permission { name: String, act: &'static str, roles: String },
    #[error("{name} does not hold the role {role}")]
    NotInRole { name: String, role: &'static str },
    #[error("only someone of a higher rank can {0}")]
    Rank(&'static str),
    #[error("only the member themselves can add another computer under their name")]
    Impersonation,
    #[error("a workspace begins only once")]
    SecondGenesis,
    #[error("passing a gate that is not met needs a reason")]
    NoReason,
}

impl Acl {
    /// The state that follows from those `entries` that lie in `past` (all of them if `None`).
    pub fn at(entries: &[Entry], past: Option<&Past>) -> Self {
        let seen: Vec<&Entry> = entries.iter().filter(|e| past.is_none_or(|p| p.get(&e.device).is_some_and(|n| *n >= e.n))).collect();
        let mut acl = Self::default();
        for entry in &seen {
            match &entry.op {
                Op::WorkspaceCreated { name, first } => {
                    acl.workspace = Some(name.to_string());
                    acl.admit(first);
                }
                Op::MemberAdmitted(admission) => acl.admit(admission),
                _ => {}
            }
        }
        for entry in &seen {
            match &entry.op {
                Op::WorkspaceCreated { first, .. } => acl.grant_all(entry, &first.member, &first.roles, &seen),
                Op::MemberAdmitted(admission) => acl.grant_all(entry, &admission.member, &admission.roles, &seen),
                Op::RoleGranted { member, role } => acl.grant_all(entry, member, &[*role], &seen),
                Op::DeviceRevoked { device, last } => {
                    if let Some(known) = acl.devices.get_mut(device) {
                        // Two concurrent revocations: the earlier cut holds.
                        known.cut = Some(known.cut.map_or(*last, |cut| cut.min(*last)));
                    }
                }
                Op::DeviceRequested { name, email, device_name, key } if !acl.devices.contains_key(&entry.device) => {
                    acl.requests.push(Request {
                        device: entry.device.clone(),
                        name: name.to_string(),
                        email: email.clone(),
                        device_name: device_name.to_string(),
                        key: key.0.clone(),
                    });
                }
                _ => {}
            }
        }
        acl.requests.sort_by(|a, b| a.device.cmp(&b.device));
        acl
    }

    fn admit(&mut self, a: &Admission) {
        self.members.entry(a.member.clone()).or_insert_with(|| Member {
            name: a.name.to_string(),
            email: a.email.clone(),
            roles: BTreeSet::new(),
        });
        self.devices.entry(a.device.clone()).or_insert_with(|| Device {
            member: a.member.clone(),
            name: a.device_name.to_string(),
            key: a.key.0.clone(),
            cut: None,
        });
    }

    fn grant_all(&mut self, grant: &Entry, member: &MemberId, roles: &[Role], seen: &[&Entry]) {
        for role in roles {
            // A grant and a revocation that did not know of each other: the revocation wins.
            // Only a grant made in knowledge of the revocation undoes it.
            let revoked = seen.iter().any(|r| match &r.op {
                Op::RoleRevoked { member: m, role: x } => m == member && x == role && !grant.knew(r),
                _ => false,
            });
            if !revoked && let Some(known) = self.members.get_mut(member) {
                known.roles.insert(*role);
            }
        }
    }

    /// The person behind a device.
    pub fn member_of(&self, device: &DeviceId) -> Option<(&MemberId, &Member)> {
        let id = &self.devices.get(device)?.member;
        Some((id, self.members.get(id)?))
    }

    /// May `device` write `op`, as its `n`-th operation? `self` must be the state of its causal past.
    pub fn check(&self, device: &DeviceId, n: u64, op: &Op, why: Option<&str>) -> Result<(), Denied> {
        let needs = op.needs();
        match needs {
            Needs::Genesis => {
                return if self.workspace.is_none() { Ok(()) } else { Err(Denied::SecondGenesis) };
            }
            Needs::Nothing => return Ok(()),
            Needs::Permission(_) | Needs::AsRole(..) => {}
        }
        let known = self.devices.get(device).ok_or(Denied::UnknownDevice)?;
        if known.cut.is_some_and(|cut| n > cut) {
            return Err(Denied::Revoked);
        }
        let member = self.members.get(&known.member).ok_or(Denied::UnknownDevice)?;
        match needs {
            Needs::Permission(act) => {
                if !member.roles.iter().any(|role| permits(*role, act)) {
                    return Err(Self::lacking(member, act));
                }
            }
            Needs::AsRole(act, role) => {
                if !member.roles.contains(&role) {
                    return Err(Denied::NotInRole { name: member.name.clone(), role: role.label() });
                }
                if !permits(role, act) {
                    return Err(Self::lacking(member, act));
                }
            }
            Needs::Genesis | Needs::Nothing => {}
        }
        match op {
            Op::MemberAdmitted(admission) => {
                // A member bears the id of their first computer. Only they themselves add another one:
                // else an administrator could let in a key of their own under somebody else's name.
                let first = admission.member.as_str() == admission.device.as_str();
                if !first && admission.member != known.member {
                    return Err(Denied::Impersonation);
                }
                self.may_grant(member, &admission.roles)
            }
            Op::RoleGranted { role, .. } => self.may_grant(member, &[*role]),
            Op::RoleRevoked { member: other, role } => {
                let own = other == &known.member;
                if !own && role.rank() >= rank(member) {
                    return Err(Denied::Rank("take this role away"));
                }
                if *role == Role::Owner {
                    return Err(Denied::Rank("take the owner's role away; a quorum of owners must"));
                }
                Ok(())
            }
            Op::DeviceRevoked { device: other, .. } => {
                let other_rank = self.member_of(other).map_or(0, |(_, m)| rank(m));
                let own = self.devices.get(other).is_some_and(|d| d.member == known.member);
                if !own && other_rank >= rank(member) { Err(Denied::Rank("remove this computer")) } else { Ok(()) }
            }
            Op::ProjectStageEntered { waived, .. } if !waived.is_empty() && why.is_none_or(|w| w.trim().is_empty()) => {
                Err(Denied::NoReason)
            }
            _ => Ok(()),
        }
    }

    fn may_grant(&self, member: &Member, roles: &[Role]) -> Result<(), Denied> {
        // An owner may make owners; anyone else only what stands below them.
        let own = rank(member);
        let fits = |role: &Role| role.rank() < own || own == Role::Owner.rank();
        if roles.iter().all(fits) { Ok(()) } else { Err(Denied::Rank("give this role")) }
    }

    fn lacking(member: &Member, act: Act) -> Denied {
        let roles: Vec<&str> = Role::ALL.into_iter().filter(|r| permits(*r, act)).map(Role::label).collect();
        Denied::Permission { name: member.name.clone(), act: act.phrase(), roles: roles.join(", ") }
    }
}

/// One operation of the whole history, to be judged.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    pub device: &'a DeviceId,
    pub n: u64,
    /// The author's causal past, without the author's own earlier operations.
    pub past: &'a Past,
    pub op: &'a Op,
    pub why: Option<&'a str>,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    Refused(Denied),
    /// Valid when it was made, but beyond the cut of its device's revocation.
    Held,
}

/// Judges a whole history from nothing. The order of `lines` does not matter.
pub fn judge(lines: &[Line<'_>]) -> Vec<Verdict> {
    // The size of the past grows strictly along causality, so it is an order that respects it.
    let weight = |l: &Line<'_>| l.past.iter().filter(|(d, _)| *d != l.device).map(|(_, n)| *n).sum::<u64>() + l.n;
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_cached_key(|i| (weight(&lines[*i]), lines[*i].device.clone(), lines[*i].n));

    let mut verdicts = vec![Verdict::Accepted; lines.len()];
    let mut entries: Vec<Entry> = Vec::new();
    let mut known: BTreeMap<Vec<u64>, Acl> = BTreeMap::new();
    for i in &order {
        let line = &lines[*i];
        let mut past = line.past.clone();
        past.insert(line.device.clone(), line.n - 1);
        // Which authority operations the author knew decides the state, so it is the memo's key.
        let knew: Vec<u64> =
            entries.iter().enumerate().filter(|(_, e)| past.get(&e.device).is_some_and(|n| *n >= e.n)).map(|(at, _)| at as u64).collect();
        let acl = known.entry(knew).or_insert_with(|| Acl::at(&entries, Some(&past)));
        match acl.check(line.device, line.n, line.op, line.why) {
            Ok(()) if line.op.is_authority() => {
                if line.n == 1 {
                    past.remove(line.device);
                }
                entries.push(Entry { device: line.device.clone(), n: line.n, past, op: line.op.clone() });
            }
            Ok(()) => {}
            Err(denied) => verdicts[*i] = Verdict::Refused(denied),
        }
    }
    let cuts = cuts(&entries);
    for (line, verdict) in lines.iter().zip(&mut verdicts) {
        if *verdict == Verdict::Accepted && cuts.get(line.device).is_some_and(|cut| line.n > *cut) {
            *verdict = Verdict::Held;
        }
    }
    verdicts
}

/// After which operation each revoked device no longer counts. A revocation that itself lies beyond
/// its author's cut has no effect; rank is strict, so revocations cannot undo each other in a circle
/// and this comes to rest.
fn cuts(entries: &[Entry]) -> BTreeMap<DeviceId, u64> {
    let mut cuts: BTreeMap<DeviceId, u64> = BTreeMap::new();
    for _ in 0..=entries.len() {
        let mut next: BTreeMap<DeviceId, u64> = BTreeMap::new();
        for entry in entries.iter().filter(|e| cuts.get(&e.device).is_none_or(|cut| e.n <= *cut)) {
            if let Op::DeviceRevoked { device, last } = &entry.op {
                next.entry(device.clone()).and_modify(|cut| *cut = (*cut).min(*last)).or_insert(*last);
            }
        }
        if next == cuts {
            break;
        }
        cuts = next;
    }
    cuts
}

fn rank(member: &Member) -> u8 {
    member.roles.iter().map(|r| r.rank()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ReleaseId;
    use crate::op::{Decision, PublicKey};
    use crate::text::Title;

    fn dev(name: &str) -> DeviceId {
        DeviceId::parse(name).unwrap()
    }
    fn who(name: &str) -> MemberId {
        MemberId::parse(name).unwrap()
    }
    fn admission(name: &str, roles: &[Role]) -> Admission {
        Admission {
            member: who(name),
            name: Title::parse(name).unwrap(),
            email: String::new(),
            device: dev(name),
            device_name: Title::parse("laptop").unwrap(),
            key: PublicKey(format!("key of {name}")),
            roles: roles.to_vec(),
        }
    }
    fn entry(device: &str, n: u64, past: &[(&str, u64)], op: Op) -> Entry {
        Entry { device: dev(device), n, past: past.iter().map(|(d, n)| (dev(d), *n)).collect(), op }
    }
    fn genesis() -> Entry {
        let first = admission("olga", &[Role::Owner, Role::Administrator]);
        entry("olga", 1, &[], Op::WorkspaceCreated { name: Title::parse("W").unwrap(), first })
    }
    fn sign(role: Role) -> Op {
        Op::ReleaseSigned {
            release: ReleaseId::parse("r").unwrap(),
            signoff: "s".into(),
            decision: Decision::Approved,
            role,
            statement: String::new(),
            signature: String::new(),
        }
    }

    #[test]
    fn nobody_signs_in_a_role_that_they_do_not_hold() {
        let log = [genesis(), entry("olga", 2, &[("olga", 1)], Op::MemberAdmitted(admission("dan", &[Role::DataScientist])))];
        let acl = Acl::at(&log, None);
        assert!(matches!(acl.check(&dev("dan"), 1, &sign(Role::BusinessOwner), None), Err(Denied::NotInRole { .. })));
        assert!(
            matches!(acl.check(&dev("dan"), 1, &sign(Role::DataScientist), None), Err(Denied::Permission { .. })),
            "a data scientist's own role carries no sign-off"
        );
        assert_eq!(acl.check(&dev("eve"), 1, &sign(Role::BusinessOwner), None), Err(Denied::UnknownDevice));
    }

    #[test]
    fn a_right_that_came_later_does_not_reach_back() {
        let log = [
            genesis(),
            entry("olga", 2, &[("olga", 1)], Op::MemberAdmitted(admission("bea", &[Role::DataScientist]))),
            entry("olga", 3, &[("olga", 2)], Op::RoleGranted { member: who("bea"), role: Role::BusinessOwner }),
        ];
        let before: Past = [(dev("olga"), 2)].into();
        let after: Past = [(dev("olga"), 3)].into();
        assert!(Acl::at(&log, Some(&before)).check(&dev("bea"), 1, &sign(Role::BusinessOwner), None).is_err());
        assert!(Acl::at(&log, Some(&after)).check(&dev("bea"), 1, &sign(Role::BusinessOwner), None).is_ok());
    }

    #[test]
    fn of_a_grant_and_a_revocation_that_did_not_know_of_each_other_the_revocation_wins() {
        let grant = |past: &[(&str, u64)]| entry("adam", 1, past, Op::RoleGranted { member: who("bea"), role: Role::BusinessOwner });
        let base = vec![
            genesis(),
            entry("olga", 2, &[("olga", 1)], Op::MemberAdmitted(admission("adam", &[Role::Administrator]))),
            entry("olga", 3, &[("olga", 2)], Op::MemberAdmitted(admission("bea", &[Role::BusinessOwner]))),
            entry("olga", 4, &[("olga", 3)], Op::RoleRevoked { member: who("bea"), role: Role::BusinessOwner }),
        ];
        let holds = |extra: Entry| {
            let mut log = base.clone();
            log.push(extra);
            let forward = Acl::at(&log, None);
            log.reverse();
            assert_eq!(Acl::at(&log, None), forward, "the order of arrival must not matter");
            forward.members[&who("bea")].roles.contains(&Role::BusinessOwner)
        };
        assert!(!holds(grant(&[("olga", 3)])), "concurrent: revoked stays revoked");
        assert!(holds(grant(&[("olga", 4)])), "granted again in full knowledge");
    }

    #[test]
    fn an_administrator_cannot_make_or_unmake_an_owner_or_a_peer() {
        let log = [
            genesis(),
            entry("olga", 2, &[("olga", 1)], Op::MemberAdmitted(admission("adam", &[Role::Administrator]))),
            entry("olga", 3, &[("olga", 2)], Op::MemberAdmitted(admission("ada", &[Role::Administrator]))),
        ];
        let acl = Acl::at(&log, None);
        let adam = dev("adam");
        for role in [Role::Owner, Role::Administrator] {
            assert!(acl.check(&adam, 1, &Op::RoleGranted { member: who("adam"), role }, None).is_err());
            assert!(acl.check(&adam, 1, &Op::RoleRevoked { member: who("ada"), role }, None).is_err());
        }
        assert!(acl.check(&adam, 1, &Op::MemberAdmitted(admission("eve", &[Role::Owner])), None).is_err());
        assert!(acl.check(&adam, 1, &Op::DeviceRevoked { device: dev("olga"), last: 0 }, None).is_err());
        assert!(acl.check(&adam, 1, &Op::RoleGranted { member: who("ada"), role: Role::Validator }, None).is_ok());
        assert!(
            acl.check(&dev("olga"), 9, &Op::RoleRevoked { member: who("olga"), role: Role::Owner }, None).is_err(),
            "the last owner cannot leave the workspace without one"
        );
    }

    #[test]
    fn an_administrator_cannot_let_a_key_of_their_own_in_under_another_name() {
        let log = [
            genesis(),
            entry("olga", 2, &[("olga", 1)], Op::MemberAdmitted(admission("adam", &[Role::Administrator]))),
            entry("olga", 3, &[("olga", 2)], Op::MemberAdmitted(admission("bea", &[Role::BusinessOwner]))),
        ];
        let acl = Acl::at(&log, None);
        let second = |member: &str| Op::MemberAdmitted(Admission { member: who(member), ..admission("laptop2", &[]) });
        assert_eq!(acl.check(&dev("adam"), 1, &second("bea"), None), Err(Denied::Impersonation));
        assert!(acl.check(&dev("adam"), 1, &second("adam"), None).is_ok(), "one's own second computer");
    }

    #[test]
    fn a_revocation_beyond_its_own_author_s_cut_has_no_effect() {
        let revoke = |device: &str| Op::DeviceRevoked { device: dev(device), last: 0 };
        let log = [
            genesis(),
            entry("olga", 2, &[], Op::MemberAdmitted(admission("adam", &[Role::Administrator]))),
            entry("olga", 3, &[], Op::MemberAdmitted(admission("bea", &[Role::BusinessOwner]))),
            entry("adam", 1, &[("olga", 3)], revoke("bea")),
            entry("olga", 4, &[], revoke("adam")),
            entry("bea", 1, &[("olga", 3)], sign(Role::BusinessOwner)),
        ];
        let lines: Vec<Line<'_>> = log.iter().map(|e| Line { device: &e.device, n: e.n, past: &e.past, op: &e.op, why: None }).collect();
        let verdicts = judge(&lines);
        assert_eq!(verdicts[3], Verdict::Held);
        assert_eq!(verdicts[5], Verdict::Accepted, "what a removed administrator did cannot silence anybody");
    }

    #[test]
    fn after_its_cut_nothing_of_a_revoked_computer_counts() {
        let log = [
            genesis(),
            entry("olga", 2, &[("olga", 1)], Op::MemberAdmitted(admission("bea", &[Role::BusinessOwner]))),
            entry("olga", 3, &[("olga", 2)], Op::DeviceRevoked { device: dev("bea"), last: 5 }),
        ];
        let acl = Acl::at(&log, None);
        assert!(acl.check(&dev("bea"), 5, &sign(Role::BusinessOwner), None).is_ok());
        assert_eq!(acl.check(&dev("bea"), 6, &sign(Role::BusinessOwner), None), Err(Denied::Revoked));
    }

    #[test]
    fn a_workspace_begins_only_once() {
        let acl = Acl::at(&[genesis()], None);
        assert_eq!(acl.check(&dev("eve"), 1, &genesis().op, None), Err(Denied::SecondGenesis));
    }

    #[test]
    fn a_whole_history_gets_the_same_verdicts_in_whatever_order_it_arrives() {
        let bea = admission("bea", &[Role::BusinessOwner]);
        let log = [
            genesis(),
            entry("olga", 2, &[], Op::MemberAdmitted(bea)),
            entry("bea", 1, &[("olga", 2)], sign(Role::BusinessOwner)),
            entry("bea", 2, &[("olga", 2)], sign(Role::Validator)),
            entry("olga", 3, &[("bea", 1)], Op::DeviceRevoked { device: dev("bea"), last: 1 }),
            entry("bea", 3, &[("olga", 2)], sign(Role::BusinessOwner)),
            entry("eve", 1, &[("olga", 3)], sign(Role::BusinessOwner)),
        ];
        let verdict = |order: &[usize]| {
            let lines: Vec<Line<'_>> =
                order.iter().map(|i| &log[*i]).map(|e| Line { device: &e.device, n: e.n, past: &e.past, op: &e.op, why: None }).collect();
            let mut back = vec![Verdict::Accepted; log.len()];
            for (i, v) in order.iter().zip(judge(&lines)) {
                back[*i] = v;
            }
            back
        };
        let forward = verdict(&[0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(forward, verdict(&[6, 5, 4, 3, 2, 1, 0]));
        assert_eq!(forward, verdict(&[3, 6, 0, 5, 2, 4, 1]));
        assert_eq!(forward[2], Verdict::Accepted);
        assert!(matches!(forward[3], Verdict::Refused(Denied::NotInRole { .. })));
        assert_eq!(forward[5], Verdict::Held, "valid in its own past, but beyond the cut");
        assert_eq!(forward[6], Verdict::Refused(Denied::UnknownDevice));
    }
}
