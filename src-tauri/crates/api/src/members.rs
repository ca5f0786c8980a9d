//! Members, their roles and computers.

use crate::ApiError;
use crate::host::Host;
use crate::people::{RoleName, roles};
use crate::projects::members_of;
use crate::sharing::{self, DEVICE};
use crate::workspaces::Nothing;
use cairn_core::authority::{Acl, Ended};
use cairn_core::id::{DeviceId, MemberId, OpId};
use cairn_core::op::{Admission, Change, Kind, Op, PublicKey, Removal};
use cairn_core::role::Role;
use cairn_core::text::Title;
use cairn_sync::keys;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Members {
    pub members: Vec<MemberRow>,
    /// Computers that ask to be let in.
    pub requests: Vec<Knock>,
    /// Requests beyond those that are shown.
    pub more_requests: u32,
    /// Whether I may let people in and change roles.
    pub i_may_manage: bool,
    pub i_am_owner: bool,
    /// Decisions that the owners were asked for.
    pub proposals: Vec<Proposed>,
    pub recovery: RecoveryState,
    /// Changes that had no effect, because somebody of higher standing decided otherwise meanwhile.
    pub without_effect: Vec<WithoutEffect>,
}

/// A decision that needs more than half of the owners.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Proposed {
    pub id: String,
    pub by: String,
    pub sentence: String,
    pub votes: Vec<String>,
    pub needed: u32,
    pub decided: bool,
    /// Whether my vote is among them.
    pub mine: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RecoveryState {
    /// There is a printed key.
    pub printed: bool,
    /// The four words that stand on the sheet which is in force.
    pub phrase: Option<String>,
    /// It was used: everybody should know.
    pub used: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct WithoutEffect {
    pub operation: String,
    pub by: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MemberRow {
    pub id: String,
    pub name: String,
    pub email: String,
    pub roles: Vec<RoleName>,
    pub devices: Vec<DeviceRow>,
    pub me: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeviceRow {
    pub id: String,
    pub name: String,
    pub removed: bool,
    /// How it came to be removed: `retired`, `compromised`, `sealed` or `rotated`.
    pub ended: Option<String>,
    /// What was written after it was removed and is held.
    pub held: u64,
    pub this_one: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Knock {
    pub device: String,
    pub name: String,
    pub email: String,
    pub device_name: String,
    /// Four words to compare with those on the other screen.
    pub phrase: String,
    /// Whose further computer it is: an older one of theirs gave its word.
    pub of: Option<String>,
    /// A member whose name looks the same, with their roles: nobody vouched that this is them.
    pub looks_like: Option<String>,
    /// Why the name could pass for another.
    pub odd: Option<String>,
}

/// Requests that are shown; a flood of them hides nobody's work.
const REQUESTS_SHOWN: usize = 20;

fn look(name: &str) -> String {
    cairn_core::name::looks(name)
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Admit {
    pub device: String,
    pub roles: Vec<String>,
    /// Yourself, when this is your own further computer.
    #[serde(default)]
    #[ts(optional)]
    pub member: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MemberRole {
    pub member: String,
    pub role: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RevokeRole {
    pub member: String,
    pub role: String,
    /// Required: it stays in the trail beside what the role did.
    pub reason: String,
}

/// What taking a role away would mean.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RoleRests {
    /// Others who hold the role.
    pub others: u32,
    /// What this person signed in that role stays: in sentences.
    pub stays: String,
    /// Projects that name the person for it.
    pub projects: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeclineRequest {
    pub device: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RemoveDevice {
    pub device: String,
    pub reason: String,
    /// Somebody else may have had it since then (milliseconds since 1970): what came after does not
    /// count, not even what is here already. Without it the computer just leaves service.
    #[serde(default)]
    #[ts(optional)]
    pub compromised_since_ms: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReadmitDevice {
    pub device: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ProposalRef {
    pub id: String,
}

pub fn list(host: &Host, _: Nothing) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let acl = r.acl()?;
        let me = workspace.me(r)?;
        let own = r.device()?;
        let held = r.held_by_device()?;
        let device = |id: &DeviceId, d: &cairn_core::authority::Device| DeviceRow {
            id: id.to_string(),
            name: d.name.clone(),
            removed: d.cut.is_some(),
            ended: d.ended.map(|e| ended(e).to_owned()),
            held: held.get(id.as_str()).copied().unwrap_or(0),
            this_one: *id == own,
        };
        let members = acl
            .members
            .iter()
            .map(|(id, m)| MemberRow {
                id: id.to_string(),
                name: m.shown.clone(),
                email: m.email.clone(),
                roles: m.roles.iter().map(|role| RoleName::from(*role)).collect(),
                devices: acl.devices.iter().filter(|(_, d)| &d.member == id).map(|(id, d)| device(id, d)).collect(),
                me: me.as_ref() == Some(id),
            })
            .collect();
        let declined = r.record(Kind::Setting, "join_requests")?.map(|d| d.pairs("declined")).unwrap_or_default();
        let waiting = acl.requests.iter().filter(|q| !declined.contains_key(q.device.as_str()));
        // Who asks most often under one name comes last, and no flood hides the others.
        let mut asked: Vec<_> = waiting.collect();
        let same = |q: &cairn_core::authority::Request| acl.requests.iter().filter(|o| look(&o.name) == look(&q.name)).count();
        asked.sort_by_cached_key(|q| (same(q), q.device.clone()));
        let more_requests = u32::try_from(asked.len().saturating_sub(REQUESTS_SHOWN)).unwrap_or(u32::MAX);
        let requests = asked
            .into_iter()
            .take(REQUESTS_SHOWN)
            .map(|q| Knock {
                looks_like: acl
                    .members
                    .values()
                    .find(|m| look(&m.name) == look(&q.name) && vouched(&acl, q).is_none())
                    .map(|m| format!("{} ({})", m.shown, m.roles.iter().map(|r| r.label()).collect::<Vec<_>>().join(", "))),
                odd: cairn_core::name::check(&q.name).err().map(|e| e.to_string()),
                device: q.device.to_string(),
                name: q.name.clone(),
                email: q.email.clone(),
                device_name: q.device_name.clone(),
                phrase: keys::phrase(&q.key).unwrap_or_default(),
                of: vouched(&acl, q).map(|(_, m)| m.to_string()),
            })
            .collect();
        let mine = me.as_ref().and_then(|id| acl.members.get(id));
        let holds = |role: Role| mine.is_some_and(|m| m.roles.contains(&role));
        Ok(Members {
            members,
            requests,
            more_requests,
            i_may_manage: holds(Role::Owner) || holds(Role::Administrator),
            i_am_owner: holds(Role::Owner),
            proposals: acl
                .proposals
                .iter()
                .map(|p| Proposed {
                    id: p.id.to_string(),
                    by: name(&acl, &p.by),
                    sentence: change_sentence(&acl, &p.change),
                    votes: p.votes.iter().map(|m| name(&acl, m)).collect(),
                    needed: u32::try_from(p.needed).unwrap_or(u32::MAX),
                    decided: p.decided,
                    mine: me.as_ref().is_some_and(|m| p.votes.contains(m)),
                })
                .collect(),
            recovery: RecoveryState {
                printed: acl.recovery.is_some(),
                phrase: acl.recovery.as_ref().and_then(|d| keys::phrase(acl.key_of(d)?).ok()),
                used: acl.recovery_used,
            },
            without_effect: acl
                .void
                .iter()
                .map(|v| WithoutEffect {
                    operation: v.id.to_string(),
                    by: acl.member_of(&v.id.device).map_or_else(|| "Somebody".to_owned(), |(_, m)| m.name.clone()),
                    reason: v.reason.to_string(),
                })
                .collect(),
        })
    })
}

fn ended(how: Ended) -> &'static str {
    match how {
        Ended::Removed(Removal::Retired) => "retired",
        Ended::Removed(Removal::Compromised) => "compromised",
        Ended::Sealed => "sealed",
        Ended::Rotated => "rotated",
    }
}

fn name(acl: &Acl, member: &MemberId) -> String {
    acl.members.get(member).map_or_else(|| "Somebody".to_owned(), |m| m.shown.clone())
}

/// What the owners are asked to decide, as the end of "… asks the owners to".
pub fn change_sentence(acl: &Acl, change: &Change) -> String {
    let computer = |device: &DeviceId| match acl.member_of(device) {
        Some((_, m)) => format!("{}'s computer \u{201c}{}\u{201d}", m.name, acl.devices.get(device).map_or("", |d| d.name.as_str())),
        None => "a computer".to_owned(),
    };
    match change {
        Change::GrantOwner { member, .. } => format!("make {} an owner", name(acl, member)),
        Change::RevokeOwner { member, .. } => format!("take the owner's role from {}", name(acl, member)),
        Change::RevokeDevice { device, removal: Removal::Retired, .. } => format!("put {} out of service", computer(device)),
        Change::RevokeDevice { device, removal: Removal::Compromised, .. } => format!("remove {} as compromised", computer(device)),
        Change::ReadmitDevice { device, .. } => format!("let {} in again", computer(device)),
        Change::SetRecovery { .. } => "put a newly printed recovery key in force".to_owned(),
    }
}

/// The member whose older computer gave its word for one that asks to be let in.
fn vouched<'a>(acl: &'a Acl, request: &cairn_core::authority::Request) -> Option<(&'a MemberId, &'a str)> {
    let vouch = request.vouch.as_ref()?;
    keys::verify(acl.key_of(&vouch.device)?, DEVICE, request.device.as_str().as_bytes(), &vouch.signature).ok()?;
    acl.member_of(&vouch.device).map(|(id, m)| (id, m.name.as_str()))
}

pub fn admit(host: &Host, request: Admit) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    let device = DeviceId::parse(request.device)?;
    let acl = workspace.read(|r| r.acl())?;
    let asked = acl.requests.iter().find(|q| q.device == device).cloned().ok_or_else(|| ApiError::not_found("This request"))?;
    let roles = roles(&request.roles)?;
    let older = vouched(&acl, &asked).map(|(id, _)| id.clone());
    let member = match request.member.map(MemberId::parse).transpose()?.or(older) {
        Some(id) => id,
        None if roles.is_empty() => {
            return Err(ApiError::invalid("A new member needs at least one role").hint("Choose what this person does."));
        }
        // A member bears the id of their first computer.
        None => MemberId::from(device),
    };
    workspace.append(Op::MemberAdmitted(Admission {
        member,
        name: Title::parse(&asked.name).map_err(|e| ApiError::invalid(e.to_string()))?,
        email: asked.email,
        device: asked.device,
        device_name: Title::parse(&asked.device_name).map_err(|e| ApiError::invalid(e.to_string()))?,
        key: PublicKey(asked.key),
        roles,
        vouch: asked.vouch,
    }))?;
    list(host, Nothing {})
}

/// Says that somebody who asked to join is not let in. They may ask again from another computer.
pub fn decline(host: &Host, request: DeclineRequest) -> Result<Members, ApiError> {
    let why = reason(&request.reason, "Declining needs a reason", "For example: nobody here knows this person.")?;
    let device = DeviceId::parse(request.device)?;
    host.workspace()?.write(|w| {
        if !w.acl()?.requests.iter().any(|q| q.device == device) {
            return Err(ApiError::not_found("This request"));
        }
        w.append_why(Op::RequestDeclined { device }, Some(&why)).map(drop).map_err(ApiError::from)
    })?;
    list(host, Nothing {})
}

pub fn grant(host: &Host, request: MemberRole) -> Result<Members, ApiError> {
    let (member, role) = member_role(request)?;
    let workspace = host.workspace()?;
    if role == Role::Owner {
        let acl = workspace.read(|r| r.acl())?;
        let device = acl.devices.iter().find(|(_, d)| d.member == member && d.cut.is_none()).map(|(id, _)| id.clone());
        let device = device.ok_or_else(|| ApiError::conflict("This member has no computer that counts"))?;
        workspace.append(Op::QuorumProposed { change: Change::GrantOwner { member, device } })?;
    } else {
        workspace.append(Op::RoleGranted { member, role })?;
    }
    list(host, Nothing {})
}

/// What rests on somebody's role, for whoever is about to take it away.
pub fn role_rests(host: &Host, request: MemberRole) -> Result<RoleRests, ApiError> {
    let (member, role) = member_role(request)?;
    host.workspace()?.read(|r| {
        let acl = r.acl()?;
        let mut projects = Vec::new();
        for project in r.records(Kind::Project, None)?.iter().filter(|p| !p.deleted()) {
            if members_of(project).iter().any(|(m, named)| m == member.as_str() && *named == role) {
                projects.push(project.text("title"));
            }
        }
        let others = acl.members.iter().filter(|(id, m)| **id != member && m.roles.contains(&role)).count();
        Ok(RoleRests {
            others: u32::try_from(others).unwrap_or(u32::MAX),
            stays: "What was signed in this role stays signed; from now on it cannot be used.".to_owned(),
            projects,
        })
    })
}

/// Takes a role away; the reason stays in the trail.
pub fn revoke(host: &Host, request: RevokeRole) -> Result<Members, ApiError> {
    let why = reason(&request.reason, "Taking a role away needs a reason", "For example: changed to another team.")?;
    let (member, role) = member_role(MemberRole { member: request.member, role: request.role })?;
    host.workspace()?.write(|w| {
        let (acl, seen) = (w.acl()?, w.frontier()?);
        let theirs = acl.devices.iter().filter(|(_, d)| d.member == member);
        let cuts = theirs.map(|(id, _)| (id.clone(), seen.get(id).copied().unwrap_or(0))).collect();
        let op = match role {
            Role::Owner => Op::QuorumProposed { change: Change::RevokeOwner { member: member.clone(), cuts } },
            role => Op::RoleRevoked { member: member.clone(), role, cuts },
        };
        w.append_why(op, Some(&why))
    })?;
    list(host, Nothing {})
}

/// Removes a computer. One that leaves service keeps what it wrote until now; of one that somebody
/// else may have had nothing counts since then.
pub fn remove_device(host: &Host, request: RemoveDevice) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    let device = DeviceId::parse(request.device)?;
    let reason = reason(&request.reason, "Removing a computer needs a reason", "For example: lost, or the person left.")?;
    if device == workspace.device() {
        return Err(
            ApiError::conflict("This is the computer you sit at").hint("Remove it from another computer, or put it out of service.")
        );
    }
    workspace.write(|w| {
        let (last, removal) = match request.compromised_since_ms {
            None => (w.frontier()?.get(&device).copied().unwrap_or(0), Removal::Retired),
            Some(since) => (w.last_before(&device, since)?, Removal::Compromised),
        };
        let op = Op::DeviceRevoked { device: device.clone(), last, removal };
        let (acl, own, n) = (w.acl()?, w.device()?, w.next_id()?.n);
        // Of an equal rank: then the owners must decide together.
        let op = if acl.check(&own, n, &op, None).is_ok() {
            op
        } else {
            Op::QuorumProposed { change: Change::RevokeDevice { device, last, removal } }
        };
        w.append_why(op, Some(&reason))
    })?;
    list(host, Nothing {})
}

pub fn readmit_device(host: &Host, request: ReadmitDevice) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    let device = DeviceId::parse(request.device)?;
    let reason = reason(&request.reason, "Letting a computer in again needs a reason", "For example: it was found, nobody had it.")?;
    workspace.write(|w| {
        let op = Op::DeviceReadmitted { device: device.clone(), last: None };
        let (acl, own, n) = (w.acl()?, w.device()?, w.next_id()?.n);
        let op = if acl.check(&own, n, &op, None).is_ok() {
            op
        } else {
            Op::QuorumProposed { change: Change::ReadmitDevice { device, last: None } }
        };
        w.append_why(op, Some(&reason))
    })?;
    list(host, Nothing {})
}

/// Adds the own vote to a decision that the owners were asked for.
pub fn second(host: &Host, request: ProposalRef) -> Result<Members, ApiError> {
    host.workspace()?.append(Op::QuorumSeconded { proposal: OpId::parse(request.id)? })?;
    list(host, Nothing {})
}

/// Gives this computer a new key; the old one ends with that.
pub fn rotate(host: &Host, _: Nothing) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    sharing::change_key(&workspace)?;
    list(host, Nothing {})
}

/// Puts this computer out of service: its last operation says so.
pub fn seal(host: &Host, request: SealDevice) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    let reason = reason(&request.reason, "Putting a computer out of service needs a reason", "For example: replaced by a new laptop.")?;
    workspace.write(|w| w.append_why(Op::DeviceSealed {}, Some(&reason)).map(drop))?;
    sharing::seal(&workspace)?;
    list(host, Nothing {})
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SealDevice {
    pub reason: String,
}

fn reason(given: &str, missing: &str, hint: &str) -> Result<String, ApiError> {
    match given.trim() {
        "" => Err(ApiError::invalid(missing).hint(hint)),
        text => Ok(text.to_owned()),
    }
}

fn member_role(request: MemberRole) -> Result<(MemberId, Role), ApiError> {
    let role = roles(std::slice::from_ref(&request.role))?;
    Ok((MemberId::parse(request.member)?, role[0]))
}
