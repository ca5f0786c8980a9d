//! Names for members and computers.

use cairn_core::authority::Acl;
use cairn_core::id::{DeviceId, MemberId};
use cairn_core::role::Role;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A person, as shown beside what they did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub roles: Vec<RoleName>,
}

/// A role, with the word that people read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RoleName {
    pub id: String,
    pub label: String,
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        Self { id: role.as_str().to_owned(), label: role.label().to_owned() }
    }
}

/// A member by id.
pub fn person(acl: &Acl, id: &str) -> Person {
    let member = MemberId::parse(id).ok().and_then(|m| acl.members.get(&m));
    Person {
        id: id.to_owned(),
        name: member.map_or_else(|| "Somebody unknown".to_owned(), |m| m.name.clone()),
        roles: member.map(|m| m.roles.iter().map(|r| RoleName::from(*r)).collect()).unwrap_or_default(),
    }
}

/// Whoever sits at a computer.
pub fn person_at(acl: &Acl, device: &str) -> Person {
    match DeviceId::parse(device).ok().as_ref().and_then(|d| acl.member_of(d)) {
        Some((id, _)) => person(acl, id.as_str()),
        None => Person { id: String::new(), name: "A computer that is not let in".to_owned(), roles: Vec::new() },
    }
}

/// Parses roles from the wire.
pub fn roles(raw: &[String]) -> Result<Vec<Role>, crate::ApiError> {
    raw.iter().map(|r| Role::parse(r).ok_or_else(|| crate::ApiError::invalid(format!("\"{r}\" is no role")))).collect()
}
