//! Members, their roles and computers.

use crate::ApiError;
use crate::host::Host;
use crate::people::{RoleName, roles};
use crate::workspaces::Nothing;
use cairn_core::id::{DeviceId, MemberId};
use cairn_core::op::{Admission, Op, PublicKey};
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
    /// Whether I may let people in and change roles.
    pub i_may_manage: bool,
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
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Knock {
    pub device: String,
    pub name: String,
    pub email: String,
    pub device_name: String,
    /// Four words to compare with those on the other screen.
    pub phrase: String,
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
pub struct RemoveDevice {
    pub device: String,
    pub reason: String,
}

pub fn list(host: &Host, _: Nothing) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let acl = r.acl()?;
        let me = workspace.me(r)?;
        let members = acl
            .members
            .iter()
            .map(|(id, m)| MemberRow {
                id: id.to_string(),
                name: m.name.clone(),
                email: m.email.clone(),
                roles: m.roles.iter().map(|role| RoleName::from(*role)).collect(),
                devices: acl
                    .devices
                    .iter()
                    .filter(|(_, d)| &d.member == id)
                    .map(|(id, d)| DeviceRow { id: id.to_string(), name: d.name.clone(), removed: d.cut.is_some() })
                    .collect(),
                me: me.as_ref() == Some(id),
            })
            .collect();
        let requests = acl
            .requests
            .iter()
            .map(|q| Knock {
                device: q.device.to_string(),
                name: q.name.clone(),
                email: q.email.clone(),
                device_name: q.device_name.clone(),
                phrase: keys::phrase(&q.key).unwrap_or_default(),
            })
            .collect();
        let i_may_manage =
            me.and_then(|id| acl.members.get(&id)).is_some_and(|m| m.roles.iter().any(|r| matches!(r, Role::Owner | Role::Administrator)));
        Ok(Members { members, requests, i_may_manage })
    })
}

pub fn admit(host: &Host, request: Admit) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    let device = DeviceId::parse(request.device)?;
    let asked = workspace
        .read(|r| Ok::<_, ApiError>(r.acl()?.requests.iter().find(|q| q.device == device).cloned()))?
        .ok_or_else(|| ApiError::not_found("This request"))?;
    let roles = roles(&request.roles)?;
    let member = match request.member {
        Some(id) => MemberId::parse(id)?,
        None if roles.is_empty() => {
            return Err(ApiError::invalid("A new member needs at least one role").hint("Choose what this person does."));
        }
        // A member bears the id of their first computer.
        None => MemberId::parse(device.as_str())?,
    };
    workspace.append(Op::MemberAdmitted(Admission {
        member,
        name: Title::parse(&asked.name).map_err(|e| ApiError::invalid(e.to_string()))?,
        email: asked.email,
        device: asked.device,
        device_name: Title::parse(&asked.device_name).map_err(|e| ApiError::invalid(e.to_string()))?,
        key: PublicKey(asked.key),
        roles,
    }))?;
    list(host, Nothing {})
}

pub fn grant(host: &Host, request: MemberRole) -> Result<Members, ApiError> {
    let (member, role) = member_role(request)?;
    host.workspace()?.append(Op::RoleGranted { member, role })?;
    list(host, Nothing {})
}

pub fn revoke(host: &Host, request: MemberRole) -> Result<Members, ApiError> {
    let (member, role) = member_role(request)?;
    host.workspace()?.append(Op::RoleRevoked { member, role })?;
    list(host, Nothing {})
}

/// Removes a computer: what it wrote until now counts, what comes after is held.
pub fn remove_device(host: &Host, request: RemoveDevice) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    let device = DeviceId::parse(request.device)?;
    if request.reason.trim().is_empty() {
        return Err(ApiError::invalid("Removing a computer needs a reason").hint("For example: lost, or the person left."));
    }
    if device == workspace.device {
        return Err(ApiError::conflict("This is the computer you sit at").hint("Remove it from another computer."));
    }
    workspace.write(|w| {
        let last = w.frontier()?.get(&device).copied().unwrap_or(0);
        w.append_why(Op::DeviceRevoked { device, last }, Some(request.reason.trim()))
    })?;
    list(host, Nothing {})
}

fn member_role(request: MemberRole) -> Result<(MemberId, Role), ApiError> {
    let role = roles(std::slice::from_ref(&request.role))?;
    Ok((MemberId::parse(request.member)?, role[0]))
}
