//! The state of authority that follows from a set of operations.

use super::{Denied, Entry, Level, Past, View, knows};
use crate::id::{DeviceId, MemberId, OpId};
use crate::name;
use crate::op::{Change, Needs, Op, Removal};
use crate::release::release_id;
use crate::role::{Act, Role, permits};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A member as the past sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// The name as it is shown: with the beginning of the id where others look like it, or where it is written so that it could
    /// pass for another. For people to read; nothing is decided by it.
    pub shown: String,
    pub email: String,
    /// What they may use now.
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
    /// Why there is a cut.
    pub ended: Option<Ended>,
}

/// How a device came to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Removed(Removal),
    Sealed,
    Rotated,
}

/// A computer that asked to be let in and has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub device: DeviceId,
    pub name: String,
    pub email: String,
    pub device_name: String,
    pub key: String,
    /// The member whose older computer gave its word; the word itself is in the operation.
    pub vouch: Option<crate::op::Vouch>,
}

/// A decision that the owners were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub id: OpId,
    pub by: MemberId,
    pub change: Change,
    pub votes: BTreeSet<MemberId>,
    /// How many votes decide, as the owners are now.
    pub needed: usize,
    pub decided: bool,
}

/// An owner's word that releases are judged by newer rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    pub id: OpId,
    pub rules: u32,
    pub past: Arc<Past>,
}

/// An operation that was valid where it was written and has no effect now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    pub id: OpId,
    pub reason: Denied,
}

/// Who said something, and what they knew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    /// All of these must be known for it to be known.
    by: Vec<(DeviceId, u64)>,
    past: Arc<Past>,
    level: Level,
}

impl Said {
    fn of(entry: &Entry) -> Self {
        Self { by: vec![(entry.device.clone(), entry.n)], past: entry.past.clone(), level: entry.level }
    }
    /// Not said by anybody: to look at what would be.
    fn supposed() -> Self {
        Self { by: Vec::new(), past: Arc::default(), level: Level::Quorum }
    }
    fn known_in(&self, view: View<'_>) -> bool {
        !self.by.is_empty() && self.by.iter().all(|(device, n)| view.knows(device, *n))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    role: Role,
    said: Said,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RoleCut {
    role: Role,
    cuts: BTreeMap<DeviceId, u64>,
    said: Said,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut {
    /// None: everything counts again.
    last: Option<u64>,
    /// None: a readmission.
    ended: Option<Ended>,
    said: Said,
}

/// How a device came to be a member's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Intro {
    member: MemberId,
    name: String,
    key: String,
    how: How,
    said: Said,
    void: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// By the genesis, the recovery key, or a decision of the owners: hangs on nobody.
    Grounded,
    /// By a member for their own further computer.
    Own,
    /// The next key of the device that said so.
    Rotated,
    /// By somebody else.
    Admitted,
    Recovery,
}

/// The state of authority at some point of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acl {
    pub workspace: Option<String>,
    pub members: BTreeMap<MemberId, Member>,
    pub devices: BTreeMap<DeviceId, Device>,
    pub requests: Vec<Request>,
    /// The offline key that is valid now.
    pub recovery: Option<DeviceId>,
    /// The recovery key was used: everybody should know.
    pub recovery_used: bool,
    /// What was done with it.
    pub recovery_uses: Vec<OpId>,
    /// Where owners adopted which rules for releases, each with what its author knew.
    pub adopted: Vec<Adopted>,
    pub proposals: Vec<Proposal>,
    pub void: Vec<Void>,
    intros: BTreeMap<DeviceId, Vec<Intro>>,
    grants: BTreeMap<MemberId, Vec<Grant>>,
    role_cuts: BTreeMap<MemberId, Vec<RoleCut>>,
    cuts: BTreeMap<DeviceId, Vec<Cut>>,
    ballots: BTreeMap<OpId, Ballot>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Ballot {
    by: MemberId,
    change: Change,
    past: Arc<Past>,
    votes: BTreeMap<MemberId, (DeviceId, u64)>,
    decided: bool,
}

/// Whoever acts: a member at a device, or the recovery key.
struct Actor {
    member: Option<MemberId>,
    name: String,
    roles: BTreeSet<Role>,
}

impl Actor {
    fn rank(&self) -> u8 {
        if self.member.is_none() { Level::Recovery.rank() } else { rank(&self.roles) }
    }
}

fn rank(roles: &BTreeSet<Role>) -> u8 {
    roles.iter().map(|r| r.rank()).max().unwrap_or(0)
}

impl Acl {
    /// The state that follows from those `entries` that lie in `past` (all of them if `None`).
    pub fn at(entries: &[Entry], past: Option<&Past>) -> Self {
        let mut seen: Vec<&Entry> = entries.iter().filter(|e| past.is_none_or(|p| knows(p, &e.device, e.n))).collect();
        let mut acl = Self::default();
        seen.sort_by_cached_key(|e| (e.weight(), e.device.clone(), e.n));
        for entry in &seen {
            acl.introduce(entry);
        }
        // An older recovery key first: whoever got hold of an owner's computer could set a new one.
        let generation = |e: &Entry| match e.level {
            Level::Recovery => acl.intros.get(&e.device).and_then(|all| all.first()).map(|i| i.said.past.values().sum::<u64>()),
            _ => None,
        };
        seen.sort_by_cached_key(|e| (std::cmp::Reverse(e.level), generation(e), e.weight(), e.device.clone(), e.n));
        for entry in &seen {
            if let Err(reason) = acl.permit(&entry.device, entry.n, &entry.op, Some(View::of(&entry.past)), Some(entry.level)) {
                acl.make_void(entry);
                acl.void.push(Void { id: OpId { device: entry.device.clone(), n: entry.n }, reason });
            } else {
                acl.apply(entry);
            }
        }
        acl.publish(&seen);
        acl
    }

    // ---- what is ----

    /// The person behind a device.
    pub fn member_of(&self, device: &DeviceId) -> Option<(&MemberId, &Member)> {
        let id = &self.devices.get(device)?.member;
        Some((id, self.members.get(id)?))
    }

    /// The public key of a device, or of a recovery key.
    pub fn key_of(&self, device: &DeviceId) -> Option<&str> {
        self.intros.get(device)?.first().map(|i| i.key.as_str())
    }

    /// Is this a recovery key, of now or of earlier, or the key that one was changed to?
    pub fn is_recovery_key(&self, device: &DeviceId) -> bool {
        let mut at = device.clone();
        for _ in 0..64 {
            let Some(all) = self.intros.get(&at) else { return false };
            if all.iter().any(|i| i.how == How::Recovery) {
                return true;
            }
            let older = all.iter().find(|i| i.how == How::Rotated).and_then(|i| i.said.by.first());
            let Some((older, _)) = older else { return false };
            at = older.clone();
        }
        false
    }

    /// The name under which a computer goes on that got a new key.
    pub fn successor(&self, device: &DeviceId) -> Option<DeviceId> {
        let next = |i: &Intro| !i.void && i.how == How::Rotated && i.said.by.first().is_some_and(|(old, _)| old == device);
        self.intros.iter().find(|(_, all)| all.iter().any(next)).map(|(id, _)| id.clone())
    }

    /// Owners who have a computer that counts.
    pub fn owners(&self) -> BTreeSet<MemberId> {
        self.grants
            .keys()
            .filter(|m| self.roles(m, None).contains(&Role::Owner))
            .filter(|m| {
                self.intros.iter().any(|(d, all)| self.cut_of(d).is_none() && all.iter().any(|i| i.member == **m && self.grounded(i)))
            })
            .cloned()
            .collect()
    }

    /// After which operation a device no longer counts.
    pub fn cut_of(&self, device: &DeviceId) -> Option<u64> {
        self.cut_and_end(device).0
    }

    fn cut_and_end(&self, device: &DeviceId) -> (Option<u64>, Option<Ended>) {
        let Some(all) = self.cuts.get(device) else { return (None, None) };
        // A readmission takes back what its author knew; of what is left the earliest cut holds.
        let stands = |cut: &&Cut| !all.iter().any(|r| r.ended.is_none() && cut.said.known_in(View::of(&r.said.past)));
        let standing: Vec<&Cut> = all.iter().filter(stands).collect();
        let last = standing.iter().filter_map(|c| c.last).min();
        let ended = standing.iter().filter(|c| c.last == last).find_map(|c| c.ended);
        (last, if last.is_some() { ended } else { None })
    }

    /// The roles of a member: now, or for the `n`-th operation of a device with a past.
    fn roles(&self, member: &MemberId, act: Option<(&DeviceId, u64, Option<View<'_>>)>) -> BTreeSet<Role> {
        let past = act.and_then(|(_, _, past)| past);
        let grants = self.grants.get(member).map(Vec::as_slice).unwrap_or_default();
        let role_cuts = self.role_cuts.get(member).map(Vec::as_slice).unwrap_or_default();
        grants
            .iter()
            .filter(|g| past.is_none_or(|p| g.said.known_in(p)))
            .filter(|g| {
                !role_cuts.iter().any(|r| {
                    let covers = match act {
                        None => true,
                        Some((device, n, past)) => n > r.cuts.get(device).copied().unwrap_or(0) || past.is_some_and(|p| r.said.known_in(p)),
                    };
                    // Of a grant and a revocation that did not know of each other the revocation wins.
                    r.role == g.role && covers && !r.said.known_in(View::of(&g.said.past))
                })
            })
            .map(|g| g.role)
            .collect()
    }

    /// The roles that the author of an operation could use, by what its author knew.
    pub fn roles_for(&self, device: &DeviceId, n: u64, past: &Past) -> BTreeSet<Role> {
        let view = View { past, own: Some((device, n)) };
        self.actor(device, n, Some(view)).map(|a| a.roles).unwrap_or_default()
    }

    /// Everybody to whom a role was ever given, whatever became of it, by somebody who did not know of `of`: taking people away
    /// makes a team no smaller, and neither does not having heard of them.
    pub fn ever_held(&self, of: &OpId) -> BTreeMap<MemberId, BTreeSet<Role>> {
        let earlier = |g: &&Grant| !knows(&g.said.past, &of.device, of.n);
        let roles = |all: &[Grant]| all.iter().filter(earlier).map(|g| g.role).collect::<BTreeSet<_>>();
        self.grants.iter().map(|(m, all)| (m.clone(), roles(all))).filter(|(_, all)| !all.is_empty()).collect()
    }

    /// Whether a member has a role only by their own word, as far as a past knows: nobody else gave it. What the founder began
    /// with is not their own word, as there was nobody else.
    pub fn gave_themself(&self, member: &MemberId, role: Role, past: &Past) -> bool {
        let Some(all) = self.grants.get(member) else { return false };
        let cuts = self.role_cuts.get(member).map(Vec::as_slice).unwrap_or_default();
        // A grant that was taken away, as far as the past knows, is nobody's word any more.
        let gone =
            |g: &Grant| cuts.iter().any(|r| r.role == role && r.said.known_in(View::of(past)) && !r.said.known_in(View::of(&g.said.past)));
        let mut of_role = all.iter().filter(|g| g.role == role && g.said.known_in(View::of(past)) && !gone(g)).peekable();
        let own = |g: &Grant| {
            let by = g.said.by.iter().filter_map(|(d, _)| self.intros.get(d)?.first());
            g.said.level != Level::Genesis && by.clone().count() > 0 && by.into_iter().all(|i| i.member == *member)
        };
        of_role.peek().is_some() && of_role.all(own)
    }

    /// Does this introduction hang on nobody but the member?
    fn grounded(&self, intro: &Intro) -> bool {
        match intro.how {
            _ if intro.void => false,
            How::Grounded => true,
            How::Rotated | How::Own => intro.said.by.first().is_some_and(|(elder, n)| {
                self.cuts_before(elder, *n).is_none()
                    && self.intros.get(elder).is_some_and(|all| {
                        all.iter().any(|i| i.member == intro.member && i.said.known_in(View::of(&intro.said.past)) && self.grounded(i))
                    })
            }),
            How::Admitted | How::Recovery => false,
        }
    }

    /// A cut of `device` that lies before its `n`-th operation.
    fn cuts_before(&self, device: &DeviceId, n: u64) -> Option<u64> {
        self.cut_of(device).filter(|cut| n > *cut)
    }

    /// The introduction by which a device is in, if what introduced it stands.
    fn standing_intro(&self, device: &DeviceId, past: Option<View<'_>>) -> Option<&Intro> {
        self.intros.get(device)?.iter().find(|i| {
            !i.void
                && past.is_none_or(|p| i.said.known_in(p))
                && (i.how == How::Grounded
                    || i.said.by.iter().all(|(by, n)| {
                        self.cuts_before(by, *n).is_none()
                            && (i.said.level == Level::Genesis || self.standing_intro(by, Some(View::of(&i.said.past))).is_some())
                    }))
        })
    }

    /// Is `elder` the device that let `younger` in for the same member, or did one it let in?
    fn elder(&self, elder: &DeviceId, younger: &DeviceId) -> bool {
        let mut at = self.place(younger);
        let elder = self.place(elder);
        for _ in 0..64 {
            let Some(intro) = self.standing_intro(&at, None).filter(|i| i.how == How::Own) else { return false };
            at = self.place(&intro.said.by[0].0);
            if at == elder {
                return true;
            }
        }
        false
    }

    /// The first device in the chain of keys that this one goes on with.
    fn place(&self, device: &DeviceId) -> DeviceId {
        let mut at = device.clone();
        for _ in 0..64 {
            match self.standing_intro(&at, None) {
                Some(i) if i.how == How::Rotated => at = i.said.by[0].0.clone(),
                _ => break,
            }
        }
        at
    }

    fn actor(&self, device: &DeviceId, n: u64, past: Option<View<'_>>) -> Result<Actor, Denied> {
        let intro = self.standing_intro(device, past).ok_or(Denied::UnknownDevice)?;
        if self.cuts_before(device, n).is_some() {
            return Err(Denied::Revoked);
        }
        if intro.how == How::Recovery {
            if past.is_none() && self.recovery.as_ref() != Some(device) {
                return Err(Denied::Revoked);
            }
            return Ok(Actor { member: None, name: "The recovery key".to_owned(), roles: BTreeSet::new() });
        }
        let member = intro.member.clone();
        let roles = self.roles(&member, Some((device, n, past)));
        let name = self.members.get(&member).map_or_else(|| intro.name.clone(), |m| m.name.clone());
        Ok(Actor { member: Some(member), name, roles })
    }

    /// The computers whose earlier operations may have to be judged again, and from which on. What
    /// was only added needs no second look: nobody could use a right before it was given.
    pub fn changed_since(&self, before: &Self) -> Vec<(DeviceId, u64)> {
        let lost = |member: &MemberId| {
            let (now, then) = (self.grants.get(member), before.grants.get(member));
            let kept = then.is_none_or(|t| t.iter().all(|g| now.is_some_and(|n| n.contains(g))));
            !kept || self.role_cuts.get(member) != before.role_cuts.get(member)
        };
        let mut found = Vec::new();
        for (device, intros) in &self.intros {
            let (cut, was_cut) = (self.cut_of(device), before.cut_of(device));
            let stands = self.standing_intro(device, None).map(|i| &i.said.by);
            let stood = before.standing_intro(device, None).map(|i| &i.said.by);
            let moved = if stood.is_some() { stood != stands } else { before.intros.contains_key(device) };
            if moved || intros.iter().any(|i| lost(&i.member)) {
                found.push((device.clone(), 1));
            } else if cut != was_cut {
                let from = cut.unwrap_or(u64::MAX).min(was_cut.unwrap_or(u64::MAX)).saturating_add(1);
                found.push((device.clone(), from));
            }
        }
        found
    }

    // ---- what may be ----

    /// May `device` write `op`, as its `n`-th operation? `self` must be the state of its causal past.
    pub fn check(&self, device: &DeviceId, n: u64, op: &Op, why: Option<&str>) -> Result<(), Denied> {
        self.check_in(device, n, op, why, None)
    }

    /// Like [`Self::check`] for an operation of the past: only rights that its author knew are used.
    pub fn check_in(&self, device: &DeviceId, n: u64, op: &Op, why: Option<&str>, past: Option<View<'_>>) -> Result<(), Denied> {
        match op.needs() {
            Needs::Standing => return self.permit(device, n, op, past, None),
            Needs::Permission(act) => {
                let actor = self.actor(device, n, past)?;
                if !actor.roles.iter().any(|role| permits(*role, act)) {
                    return Err(lacking(&actor.name, act));
                }
            }
            Needs::AsRole(act, role) => {
                let actor = self.actor(device, n, past)?;
                if !actor.roles.contains(&role) {
                    return Err(Denied::NotInRole { name: actor.name, role: role.label() });
                }
                if !permits(role, act) {
                    return Err(lacking(&actor.name, act));
                }
            }
        }
        match op {
            Op::ProjectStageEntered { waived, .. } if !waived.is_empty() && why.is_none_or(|w| w.trim().is_empty()) => {
                Err(Denied::NoReason)
            }
            // Named by its operation, so that nobody can write themselves in as another's requester.
            Op::ReleaseRequested { release, .. } | Op::ReleaseSubmitted { release, .. } if *release != release_id(device, n) => {
                Err(Denied::Name)
            }
            // What moves the ground under a decision says why, or it does not count anywhere.
            Op::ProjectClassSet { .. } | Op::ProjectClassAgreed { .. } | Op::ReleaseSubmitted { .. } | Op::ReleaseAnswered { .. }
                if why.is_none_or(|w| w.trim().is_empty()) =>
            {
                Err(Denied::Reason)
            }
            _ => Ok(()),
        }
    }

    /// Could an operation of authority of a type that this program does not know mean anything? Only from a computer that
    /// stands, and only by somebody who may manage who is in: whatever else it says, nobody is bound by it.
    pub fn may_be_newer(&self, device: &DeviceId, n: u64, past: Option<View<'_>>) -> Result<(), Denied> {
        let actor = self.actor(device, n, past)?;
        let manages = actor.member.is_none() || actor.roles.iter().any(|role| permits(*role, Act::ManageMembers));
        if manages { Ok(()) } else { Err(lacking(&actor.name, Act::ManageMembers)) }
    }

    /// By what standing would `device` write this? `self` must be the state of its causal past.
    pub fn level(&self, device: &DeviceId, n: u64, op: &Op) -> Level {
        let Ok(actor) = self.actor(device, n, None) else {
            return if matches!(op, Op::WorkspaceCreated { .. }) { Level::Genesis } else { Level::Member };
        };
        if actor.member.is_none() {
            return Level::Recovery;
        }
        match op {
            Op::DeviceSealed {} | Op::DeviceRotated { .. } => Level::Lineage,
            Op::DeviceRevoked { device: other, .. } | Op::DeviceReadmitted { device: other, .. } if self.elder(device, other) => {
                Level::Lineage
            }
            Op::QuorumProposed { .. } | Op::QuorumSeconded { .. } => Level::Quorum,
            _ => match actor.rank() {
                0 => Level::Member,
                1 => Level::Administrator,
                _ => Level::Owner,
            },
        }
    }

    /// The rank of whoever sits at a device, as far as it did not come in knowledge of an operation;
    /// of several claims the highest.
    fn rank_of(&self, device: &DeviceId, before: (&DeviceId, u64)) -> u8 {
        let all = self.intros.get(device).map(Vec::as_slice).unwrap_or_default();
        let rank_in = |member: &MemberId| {
            let now = self.roles(member, None);
            let grants = self.grants.get(member).map(Vec::as_slice).unwrap_or_default();
            let meanwhile = grants.iter().filter(|g| now.contains(&g.role) && !knows(&g.said.past, before.0, before.1));
            meanwhile.map(|g| g.role.rank()).max().unwrap_or(0)
        };
        all.iter().map(|i| if i.how == How::Recovery { Level::Recovery.rank() } else { rank_in(&i.member) }).max().unwrap_or(0)
    }

    /// The rules of authority: in the state of its own past (`level` none) an operation is valid, in
    /// the fold (`level` given) it has effect.
    fn permit(&self, me: &DeviceId, n: u64, op: &Op, past: Option<View<'_>>, level: Option<Level>) -> Result<(), Denied> {
        match op {
            Op::WorkspaceCreated { .. } => {
                return if self.workspace.is_none() { Ok(()) } else { Err(Denied::SecondGenesis) };
            }
            Op::DeviceRequested { .. } => return Ok(()),
            _ => {}
        }
        let actor = self.actor(me, n, past)?;
        let level = level.unwrap_or_else(|| self.level(me, n, op));
        let recovery = actor.member.is_none();
        let manage = || {
            if recovery || actor.roles.iter().any(|role| permits(*role, Act::ManageMembers)) {
                Ok(())
            } else {
                Err(lacking(&actor.name, Act::ManageMembers))
            }
        };
        let may_give = |role: Role| match role {
            // Owners are made by the owners' decision, which also names the computer; a print of the
            // recovery key names it by letting it in.
            Role::Owner if recovery && matches!(op, Op::MemberAdmitted(_)) => Ok(()),
            Role::Owner => Err(Denied::Quorum),
            role if recovery || role.rank() < actor.rank() => Ok(()),
            _ => Err(Denied::Rank("give this role")),
        };
        match op {
            Op::WorkspaceCreated { .. } | Op::DeviceRequested { .. } => Ok(()),
            Op::MemberAdmitted(a) => {
                let taken = self.standing_intro(&a.device, past).is_some_and(|i| i.member != a.member);
                if taken {
                    return Err(Denied::KeyInUse);
                }
                if Some(&a.member) == actor.member.as_ref() && a.roles.is_empty() {
                    // One's own further computer: every member may.
                    return Ok(());
                }
                manage()?;
                // A member bears the id of their first computer. Another one needs the word of one they
                // have: else an administrator could let in a key of their own under somebody's name.
                if a.member.as_str() != a.device.as_str() && !recovery {
                    let word = a.vouch.as_ref().is_some_and(|v| {
                        // Of two copies of one computer the second finds the name handed over by the first.
                        let good = matches!(self.cut_and_end(&v.device), (None, _) | (_, Some(Ended::Rotated)));
                        good && self.standing_intro(&v.device, past).is_some_and(|i| i.member == a.member)
                    });
                    if !word {
                        return Err(Denied::Impersonation);
                    }
                }
                a.roles.iter().try_for_each(|role| may_give(*role))
            }
            Op::RoleGranted { role, .. } => manage().and_then(|()| may_give(*role)),
            Op::RoleRevoked { role: Role::Owner, .. } => Err(Denied::Quorum),
            Op::RoleRevoked { member, role, .. } => {
                if actor.member.as_ref() == Some(member) || recovery {
                    return Ok(());
                }
                manage()?;
                if role.rank() < actor.rank() { Ok(()) } else { Err(Denied::Rank("take this role away")) }
            }
            Op::DeviceRevoked { device: other, last, removal } => {
                self.may_cut(&actor, (me, n), other, level)?;
                if *removal == Removal::Retired && past.is_some_and(|p| p.knows(other, last + 1)) {
                    return Err(Denied::CutTooEarly);
                }
                self.keeps_an_owner(|acl| acl.cut(other, Some(*last)))
            }
            Op::DeviceReadmitted { device: other, .. } => {
                self.may_cut(&actor, (me, n), other, level)?;
                let undone = self.cuts.get(other).map(Vec::as_slice).unwrap_or_default();
                let senior = undone.iter().filter(|c| past.is_none_or(|p| c.said.known_in(p))).any(|c| c.said.level.rank() > level.rank());
                if senior { Err(Denied::Rank("let this computer in again")) } else { Ok(()) }
            }
            Op::DeviceSealed {} => {
                let owner = actor.roles.contains(&Role::Owner);
                let first = self.standing_intro(me, past).is_none_or(|i| i.how != How::Own);
                if owner && first {
                    return Err(Denied::OwnersFirst);
                }
                self.keeps_an_owner(|acl| acl.cut(me, Some(n)))
            }
            Op::DeviceRotated { device: new, .. } => {
                let other = |i: &Intro| i.said.by != [(me.clone(), n)];
                if self.intros.get(new).is_some_and(|all| all.iter().any(|i| !i.void && other(i))) { Err(Denied::KeyInUse) } else { Ok(()) }
            }
            Op::RulesAdopted { .. } if !recovery && !actor.roles.contains(&Role::Owner) => {
                Err(Denied::NotInRole { name: actor.name, role: Role::Owner.label() })
            }
            Op::QuorumProposed { .. } | Op::QuorumSeconded { .. } if !recovery && !actor.roles.contains(&Role::Owner) => {
                Err(Denied::NotInRole { name: actor.name, role: Role::Owner.label() })
            }
            Op::QuorumProposed { change: Change::GrantOwner { member, device } } => {
                let theirs = self.standing_intro(device, past).is_some_and(|i| &i.member == member);
                if theirs { Ok(()) } else { Err(Denied::UnknownDevice) }
            }
            Op::QuorumProposed { change: Change::SetRecovery { device, .. } } => {
                let known = |i: &Intro| i.said.by != [(me.clone(), n)];
                if self.intros.get(device).is_some_and(|all| all.iter().any(known)) { Err(Denied::KeyInUse) } else { Ok(()) }
            }
            Op::QuorumSeconded { proposal } if !self.ballots.contains_key(proposal) => Err(Denied::NoProposal),
            _ => Ok(()),
        }
    }

    fn may_cut(&self, actor: &Actor, by: (&DeviceId, u64), other: &DeviceId, level: Level) -> Result<(), Denied> {
        if actor.member.is_none() || (level == Level::Lineage && self.elder(by.0, other)) {
            return Ok(());
        }
        if !actor.roles.iter().any(|role| permits(*role, Act::ManageMembers)) {
            return Err(lacking(&actor.name, Act::ManageMembers));
        }
        // Against the merged state too: whoever was raised meanwhile is no longer below.
        if self.rank_of(other, by) < actor.rank() { Ok(()) } else { Err(Denied::Rank("remove this computer")) }
    }

    /// Whatever is cut, an owner who can act must be left: else nobody could ever mend anything.
    fn keeps_an_owner(&self, change: impl FnOnce(&mut Self)) -> Result<(), Denied> {
        let mut after = self.clone();
        change(&mut after);
        if after.owners().is_empty() { Err(Denied::LastOwner) } else { Ok(()) }
    }

    #[cfg(test)]
    pub(super) fn standing_rank(&self, device: &DeviceId, before: (&DeviceId, u64)) -> u8 {
        self.rank_of(device, before)
    }

    // ---- the fold ----

    /// Notes how devices came in, before it is known whether that has effect: a senior operation may
    /// come from a device that somebody junior let in.
    fn introduce(&mut self, entry: &Entry) {
        let first = |device: &DeviceId| self.intros.get(device).and_then(|all| all.first());
        let (device, member, name, key, how) = match &entry.op {
            Op::WorkspaceCreated { first: a, .. } => (&a.device, a.member.clone(), a.name.to_string(), &a.key, How::Grounded),
            Op::MemberAdmitted(a) => {
                let how = match entry.level {
                    Level::Recovery => How::Grounded,
                    _ if first(&entry.device).is_some_and(|i| i.member == a.member) => How::Own,
                    _ => How::Admitted,
                };
                (&a.device, a.member.clone(), a.name.to_string(), &a.key, how)
            }
            Op::DeviceRotated { device, key, .. } => match first(&entry.device) {
                Some(old) => (device, old.member.clone(), old.name.clone(), key, How::Rotated),
                None => return,
            },
            Op::QuorumProposed { change: Change::SetRecovery { device, key } } => {
                (device, MemberId::from(device.clone()), "Recovery key".to_owned(), key, How::Recovery)
            }
            _ => return,
        };
        let intro = Intro { member, name, key: key.0.clone(), how, said: Said::of(entry), void: false };
        self.intros.entry(device.clone()).or_default().push(intro);
    }

    fn make_void(&mut self, entry: &Entry) {
        let by = [(entry.device.clone(), entry.n)];
        for intro in self.intros.values_mut().flatten().filter(|i| i.said.by == by) {
            intro.void = true;
        }
    }

    fn apply(&mut self, entry: &Entry) {
        let said = Said::of(entry);
        if entry.level == Level::Recovery {
            self.recovery_used = true;
            self.recovery_uses.push(OpId { device: entry.device.clone(), n: entry.n });
        }
        match &entry.op {
            Op::WorkspaceCreated { name, first } => {
                self.workspace = Some(name.to_string());
                self.give(&first.member, &first.roles, &said);
            }
            Op::MemberAdmitted(a) => self.give(&a.member, &a.roles, &said),
            Op::RoleGranted { member, role } => self.give(member, &[*role], &said),
            Op::RoleRevoked { member, role, cuts } => {
                self.role_cuts.entry(member.clone()).or_default().push(RoleCut { role: *role, cuts: cuts.clone(), said });
            }
            Op::DeviceRevoked { device, last, removal } => {
                let cut = Cut { last: Some(*last), ended: Some(Ended::Removed(*removal)), said };
                self.cuts.entry(device.clone()).or_default().push(cut);
            }
            Op::DeviceReadmitted { device, last } => {
                self.cuts.entry(device.clone()).or_default().push(Cut { last: *last, ended: None, said });
            }
            Op::DeviceSealed {} => {
                let cut = Cut { last: Some(entry.n), ended: Some(Ended::Sealed), said };
                self.cuts.entry(entry.device.clone()).or_default().push(cut);
            }
            Op::DeviceRotated { .. } => {
                let cut = Cut { last: Some(entry.n), ended: Some(Ended::Rotated), said };
                self.cuts.entry(entry.device.clone()).or_default().push(cut);
            }
            Op::QuorumProposed { change } => {
                let id = OpId { device: entry.device.clone(), n: entry.n };
                let Some(by) = self.intros.get(&entry.device).and_then(|all| all.first()).map(|i| i.member.clone()) else { return };
                let ballot = Ballot { by, change: change.clone(), past: entry.past.clone(), votes: BTreeMap::new(), decided: false };
                self.ballots.insert(id.clone(), ballot);
                self.vote(&id, entry);
            }
            Op::QuorumSeconded { proposal } => self.vote(proposal, entry),
            Op::RulesAdopted { rules } => {
                let id = OpId { device: entry.device.clone(), n: entry.n };
                self.adopted.push(Adopted { id, rules: *rules, past: entry.past.clone() });
            }
            _ => {}
        }
    }

    fn give(&mut self, member: &MemberId, roles: &[Role], said: &Said) {
        let grants = self.grants.entry(member.clone()).or_default();
        grants.extend(roles.iter().map(|role| Grant { role: *role, said: said.clone() }));
    }

    /// A new owner's computer no longer hangs on whoever once let it in.
    fn ground(&mut self, member: &MemberId, device: &DeviceId, said: &Said) {
        let Some(all) = self.intros.get_mut(device) else { return };
        if let Some(known) = all.iter().find(|i| &i.member == member).cloned() {
            all.push(Intro { how: How::Grounded, said: said.clone(), void: false, ..known });
        }
    }

    fn vote(&mut self, proposal: &OpId, entry: &Entry) {
        let Some(member) = self.intros.get(&entry.device).and_then(|all| all.first()).map(|i| i.member.clone()) else { return };
        let Some(ballot) = self.ballots.get_mut(proposal) else { return };
        ballot.votes.entry(member).or_insert_with(|| (entry.device.clone(), entry.n));
        if ballot.decided {
            return;
        }
        let ballot = ballot.clone();
        let owners = self.owners();
        let counted: Vec<(DeviceId, u64)> = ballot
            .votes
            .iter()
            .filter(|(m, (device, n))| owners.contains(*m) && self.cuts_before(device, *n).is_none())
            .map(|(_, by)| by.clone())
            .collect();
        let by_recovery = entry.level == Level::Recovery;
        if counted.len() * 2 <= owners.len() && !by_recovery {
            return;
        }
        let counted = if by_recovery { vec![(entry.device.clone(), entry.n)] } else { counted };
        let said = Said { by: counted, past: ballot.past.clone(), level: entry.level };
        let safe = match &ballot.change {
            Change::RevokeOwner { member, cuts } => self.keeps_an_owner(|acl| acl.take_owner(member, cuts)),
            Change::RevokeDevice { device, last, .. } => self.keeps_an_owner(|acl| acl.cut(device, Some(*last))),
            Change::GrantOwner { .. } | Change::ReadmitDevice { .. } | Change::SetRecovery { .. } => Ok(()),
        };
        if safe.is_err() {
            return;
        }
        if let Some(ballot) = self.ballots.get_mut(proposal) {
            ballot.decided = true;
        }
        match ballot.change {
            Change::GrantOwner { member, device } => {
                self.ground(&member, &device, &said);
                self.give(&member, &[Role::Owner], &said);
            }
            Change::RevokeOwner { member, cuts } => {
                self.role_cuts.entry(member).or_default().push(RoleCut { role: Role::Owner, cuts, said });
            }
            Change::RevokeDevice { device, last, removal } => {
                self.cuts.entry(device).or_default().push(Cut { last: Some(last), ended: Some(Ended::Removed(removal)), said });
            }
            Change::ReadmitDevice { device, last } => self.cuts.entry(device).or_default().push(Cut { last, ended: None, said }),
            Change::SetRecovery { device, .. } => self.recovery = Some(device),
        }
    }

    fn take_owner(&mut self, member: &MemberId, cuts: &BTreeMap<DeviceId, u64>) {
        let cut = RoleCut { role: Role::Owner, cuts: cuts.clone(), said: Said::supposed() };
        self.role_cuts.entry(member.clone()).or_default().push(cut);
    }

    fn cut(&mut self, device: &DeviceId, last: Option<u64>) {
        self.cuts.entry(device.clone()).or_default().push(Cut { last, ended: Some(Ended::Sealed), said: Said::supposed() });
    }

    /// Tells people apart whose names look alike.
    fn tell_apart(&mut self) {
        let looks: Vec<(MemberId, String)> = self.members.iter().map(|(id, m)| (id.clone(), name::looks(&m.name))).collect();
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, look) in &looks {
            *count.entry(look).or_insert(0) += 1;
        }
        for (id, look) in &looks {
            if let Some(member) = self.members.get_mut(id)
                && (count.get(look.as_str()).is_some_and(|n| *n > 1) || name::check(&member.name).is_err())
            {
                let plain: String = member.name.chars().filter(|c| !name::is_hidden(*c)).collect();
                member.shown = format!("{plain} [{}]", id.as_str().get(..6).unwrap_or(id.as_str()));
            }
        }
    }

    /// Fills what others read.
    fn publish(&mut self, seen: &[&Entry]) {
        for entry in seen {
            if let Op::WorkspaceCreated { first: a, .. } | Op::MemberAdmitted(a) = &entry.op {
                let stands = self.standing_intro(&a.device, None).is_some_and(|i| i.member == a.member);
                if !stands {
                    continue;
                }
                let roles = self.roles(&a.member, None);
                self.members.entry(a.member.clone()).or_insert_with(|| Member {
                    name: a.name.to_string(),
                    shown: a.name.to_string(),
                    email: a.email.clone(),
                    roles,
                });
                let (cut, ended) = self.cut_and_end(&a.device);
                self.devices.entry(a.device.clone()).or_insert_with(|| Device {
                    member: a.member.clone(),
                    name: a.device_name.to_string(),
                    key: a.key.0.clone(),
                    cut,
                    ended,
                });
            }
        }
        let mut rotated: Vec<&&Entry> = seen.iter().filter(|e| matches!(e.op, Op::DeviceRotated { .. })).collect();
        rotated.sort_by_key(|e| e.weight());
        for entry in rotated {
            if let Op::DeviceRotated { device, key, .. } = &entry.op
                && self.standing_intro(device, None).is_some()
                && let Some(old) = self.devices.get(&entry.device).cloned()
            {
                let (cut, ended) = self.cut_and_end(device);
                self.devices.insert(device.clone(), Device { key: key.0.clone(), cut, ended, ..old });
            }
        }
        for entry in seen {
            if let Op::DeviceRequested { name, email, device_name, key, vouch } = &entry.op
                && !self.devices.contains_key(&entry.device)
            {
                self.requests.push(Request {
                    device: entry.device.clone(),
                    name: name.to_string(),
                    email: email.clone(),
                    device_name: device_name.to_string(),
                    key: key.0.clone(),
                    vouch: vouch.clone(),
                });
            }
        }
        self.requests.sort_by(|a, b| a.device.cmp(&b.device));
        self.tell_apart();
        let owners = self.owners();
        self.proposals = self
            .ballots
            .iter()
            .map(|(id, b)| Proposal {
                id: id.clone(),
                by: b.by.clone(),
                change: b.change.clone(),
                votes: b.votes.keys().filter(|m| owners.contains(*m)).cloned().collect(),
                needed: owners.len() / 2 + 1,
                decided: b.decided,
            })
            .collect();
    }
}

fn lacking(name: &str, act: Act) -> Denied {
    let roles: Vec<&str> = Role::ALL.into_iter().filter(|r| permits(*r, act)).map(Role::label).collect();
    Denied::Permission { name: name.to_owned(), act: act.phrase(), roles: roles.join(", ") }
}
