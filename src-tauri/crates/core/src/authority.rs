//! Who may do what, decided from the signed history alone.
//!
//! An operation is *valid* if its author held the permission in its own causal past. It *counts* if
//! it is valid and what it rests on still stands when everything that is known is taken together:
//! its computer is not cut before it, and the rights it used were given by somebody who had them.
//! Clocks and the order of arrival never matter. Broken here, two computers would disagree about who
//! approved a model.
//!
//! Everything that is known of authority is folded in one fixed order, by seniority: the recovery key
//! before the owners' joint decisions, those before single owners, those before administrators. So
//! nobody's revocation can be undone by somebody below them, whatever was written at the same time.
//! The rules are judged by an exhaustive small model in `model`.
//!
//! What no rule can help: an old print of the recovery key that was replaced still convinces those who
//! do not know of its replacement. It must be destroyed; every use of a recovery key is shown to all.

mod acl;
#[cfg(test)]
mod model;
mod verdict;

pub use acl::{Acl, Adopted, Device, Ended, Member, Proposal, Request, Void};
pub use verdict::{History, Line, Verdict, judge};

use crate::id::DeviceId;
use crate::op::Op;
use std::collections::BTreeMap;
use std::sync::Arc;

/// For each device the number of its last operation that is in the past. Dense: 7 means 1 to 7.
pub type Past = BTreeMap<DeviceId, u64>;

/// By what standing an authority operation acts. The order is the order of the fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What every member may do: for example add a computer of their own.
    Member,
    Administrator,
    Owner,
    /// More than half of the owners; a sole owner is that alone.
    Quorum,
    /// The offline recovery key.
    Recovery,
    /// What a computer says of itself, or of those that it let in for the same person. First of all:
    /// it touches nobody else, and a stolen younger computer must not outrun its elder.
    Lineage,
    Genesis,
}

impl Level {
    /// Whose word outweighs whose, when one takes back what another said.
    pub fn rank(self) -> u8 {
        match self {
            Self::Member | Self::Lineage => 0,
            Self::Administrator => 1,
            Self::Owner => 2,
            Self::Quorum => 3,
            Self::Recovery | Self::Genesis => 4,
        }
    }
}

/// One valid authority operation, with what its author could know.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub device: DeviceId,
    /// The operation's number on its device, from 1.
    pub n: u64,
    /// Everything that was in the author's past, its own earlier operations included.
    pub past: Arc<Past>,
    pub op: Op,
    /// By what standing it was valid.
    pub level: Level,
}

impl Entry {
    /// The size of the past: grows strictly along causality, so it is an order that respects it.
    fn weight(&self) -> u64 {
        self.past.values().sum()
    }
}

/// Does `past` hold the `n`-th operation of `device`?
pub fn knows(past: &Past, device: &DeviceId, n: u64) -> bool {
    past.get(device).is_some_and(|last| *last >= n)
}

/// What somebody could know: a past, and all that their own computer wrote before.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub past: &'a Past,
    /// The own computer, and the number of the operation that looks.
    pub own: Option<(&'a DeviceId, u64)>,
}

impl<'a> View<'a> {
    pub fn of(past: &'a Past) -> Self {
        Self { past, own: None }
    }
    pub fn knows(&self, device: &DeviceId, n: u64) -> bool {
        match self.own {
            Some((own, next)) if own == device => n < next,
            _ => knows(self.past, device, n),
        }
    }
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
    #[error("this needs more than half of the owners")]
    Quorum,
    #[error("the workspace would be left without an owner who can act")]
    LastOwner,
    #[error("only the member themselves can add another computer under their name")]
    Impersonation,
    #[error("a computer that left service keeps what is known of it; only a compromised one is cut earlier")]
    CutTooEarly,
    #[error("an owner's first computer is not sealed; give it a new key, or let the owners decide")]
    OwnersFirst,
    #[error("this key is already in use in the workspace")]
    KeyInUse,
    #[error("there is no such request for a decision")]
    NoProposal,
    #[error("a workspace begins only once")]
    SecondGenesis,
    #[error("passing a gate that is not met needs a reason")]
    NoReason,
    #[error("this needs a reason")]
    Reason,
    #[error("the record is not named after the operation that makes it")]
    Name,
}
