//! Names for members and computers.

use cairn_core::authority::Acl;
use cairn_core::id::{DeviceId, MemberId};
use cairn_core::op::Party;
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
        name: member.map_or_else(|| "Somebody unknown".to_owned(), |m| m.shown.clone()),
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

/// Who is meant by a task or a question: a person or a role, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PartyRef {
    /// `member` or `role`.
    pub kind: String,
    pub id: String,
}

impl PartyRef {
    pub fn parse(&self) -> Result<Party, crate::ApiError> {
        match self.kind.as_str() {
            "member" => Ok(Party::Member(MemberId::parse(self.id.clone())?)),
            "role" => Role::parse(&self.id).map(Party::Role).ok_or_else(|| crate::ApiError::invalid(format!("\"{}\" is no role", self.id))),
            other => Err(crate::ApiError::invalid(format!("\"{other}\" is neither member nor role"))),
        }
    }
}

/// Who is meant, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PartyName {
    /// `member` or `role`.
    pub kind: String,
    pub id: String,
    pub label: String,
    /// That is me, or I hold the role.
    pub mine: bool,
}

/// Who is meant, and whether that is `me`.
pub fn party(acl: &Acl, me: Option<&MemberId>, who: &Party) -> PartyName {
    match who {
        Party::Member(id) => {
            PartyName { kind: "member".to_owned(), id: id.to_string(), label: person(acl, id.as_str()).name, mine: me == Some(id) }
        }
        Party::Role(role) => PartyName {
            kind: "role".to_owned(),
            id: role.as_str().to_owned(),
            label: role.label().to_owned(),
            mine: me.and_then(|m| acl.members.get(m)).is_some_and(|m| m.roles.contains(role)),
        },
    }
}

/// Who is meant by a cell that holds a party as JSON.
pub fn party_in(acl: &Acl, me: Option<&MemberId>, cell: Option<&str>) -> Option<PartyName> {
    let who: Party = serde_json::from_str(cell?).ok()?;
    Some(party(acl, me, &who))
}

/// Checks that a person who is meant belongs to the workspace.
pub fn known_party(acl: &Acl, who: &Party) -> Result<(), crate::ApiError> {
    match who {
        Party::Member(id) if !acl.members.contains_key(id) => Err(crate::ApiError::not_found("This member")),
        Party::Member(_) | Party::Role(_) => Ok(()),
    }
}
