//! Whether a release is approved, by the rules that its request froze: what every receiver computes from the accepted
//! operations and what their authors could know.
//!
//! Never from clocks or the order of arrival, and never from what the project says today where the request says what judged
//! it. An approval is a person's word over subjects by digest; what happened since makes it stale, blocks it, or stands
//! beside it as a challenge: only those whom the frozen rule names can say no, so that no colleague closes a gate at will.

mod judge;
#[cfg(test)]
mod model;
mod people;
mod statement;

pub use judge::{Case, content_keys, is_data, judge};
pub use people::{is_small, named};
pub use statement::{PREDICATE_TYPE, Read, Shown, StatementParts, read, statement};

use crate::authority::{Adopted, Past, knows};
use crate::criterion::Verdict;
use crate::id::{CriteriaId, Digest, FindingId, MemberId, MonitorId, OpId, ReleaseId, RunId};
use crate::lifecycle::Stage;
use crate::op::{Num, Op, RiskClass, Ruling, Subject};
use crate::release::Bound;
use crate::role::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The rules of this program, as an owner adopts them.
pub const RULES: u32 = 2;

/// What a request holds fast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    pub class: RiskClass,
    pub policy: String,
    pub policy_digest: Digest,
    pub lifecycle: String,
    pub lifecycle_digest: Digest,
    pub cycle: u32,
    /// The signed sets of acceptance criteria, by id and digest.
    pub criteria: Vec<Bound>,
}

/// What a frozen criterion came to, as a signer was shown it: the numbers that a decision rests on are part of it, so that
/// nothing that is logged later moves them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    pub criteria: CriteriaId,
    /// Its place in the set, from zero.
    pub place: u32,
    /// None: not evaluated.
    pub verdict: Option<Verdict>,
    pub value: Option<Num>,
    /// The bounds of the interval that was compared.
    pub low: Option<Num>,
    pub high: Option<Num>,
    /// The run that was measured.
    pub run: Option<RunId>,
}

/// Whether an operation stands under the older rules: nobody had adopted newer ones, or it was known to whoever did so first. Adopting
/// them again brings nothing more under the older ones.
pub fn made_before(adopted: &[Adopted], id: &OpId) -> bool {
    let newer: Vec<&Adopted> = adopted.iter().filter(|a| a.rules >= RULES).collect();
    let first = |a: &&&Adopted| !newer.iter().any(|b| b.id != a.id && knows(&a.past, &b.id.device, b.id.n));
    newer.is_empty() || newer.iter().filter(first).any(|a| knows(&a.past, &id.device, id.n))
}

/// An accepted operation with what its author could know.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub id: OpId,
    pub by: MemberId,
    /// The author's own earlier operations included.
    pub past: Arc<Past>,
    /// What the author's clock said; for people to read, never for an order.
    pub at_ms: i64,
    pub why: Option<String>,
    pub op: Op,
}

impl Said {
    pub fn knows(&self, id: &OpId) -> bool {
        knows(&self.past, &id.device, id.n)
    }
}

/// What a team that is too small for independence must put up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Independence {
    /// Whoever built a version decides nothing about it.
    Required,
    /// In a team of one to three signers a builder's approval counts, and everywhere it is said that independence is not met.
    SaidInSmallTeams,
}

/// What one risk class asks for: data in `assets/policies/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub risk_class: RiskClass,
    /// One approval from each of these roles, each by another person.
    pub signoffs: Vec<Role>,
    /// Whose no holds the release up, beside those who must approve.
    pub may_block: Vec<Role>,
    pub independence: Independence,
    /// Days in which a challenge is to be answered, from when somebody who may answer it could know of it.
    pub challenge_days: u32,
    /// A gate that knows nothing newer than this says no.
    pub knowledge_hours: u32,
}

impl Rule {
    /// The roles whose word decides here.
    pub fn names(&self, role: Role) -> bool {
        self.signoffs.contains(&role) || self.may_block.contains(&role)
    }
}

/// A release policy of the rules of this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub id: String,
    pub rules: Vec<Rule>,
}

impl Policy {
    pub fn rule(&self, class: RiskClass) -> Option<&Rule> {
        self.rules.iter().find(|r| r.risk_class == class)
    }
}

/// How many signers a team has at most that may work without independence.
pub const SMALL_TEAM: usize = 3;

/// Where a release stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody can say here: a newer rule, or one that has not arrived.
    Undetermined(Unclear),
    /// The request itself does not hold.
    Void(Flaw),
    Withdrawn,
    Rejected,
    /// Somebody took an approval back, and nobody in that role has approved since.
    TakenBack,
    SentBack,
    /// Something that was signed, or the class, is another now.
    Stale(Vec<Moved>),
    /// These sign-offs are missing.
    Waiting(Vec<Role>),
    Approved,
}

impl State {
    /// The word on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Undetermined(_) => "undetermined",
            Self::Void(_) => "void",
            Self::Withdrawn => "withdrawn",
            Self::Rejected => "rejected",
            Self::TakenBack => "taken_back",
            Self::SentBack => "sent_back",
            Self::Stale(_) => "stale",
            Self::Waiting(_) => "waiting",
            Self::Approved => "approved",
        }
    }
    /// Whether another decision can still be made on it.
    pub fn open(&self) -> bool {
        match self {
            Self::TakenBack | Self::SentBack | Self::Stale(_) | Self::Waiting(_) => true,
            Self::Undetermined(_) | Self::Void(_) | Self::Withdrawn | Self::Rejected | Self::Approved => false,
        }
    }
}

/// Why nobody can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    NewerAuthority,
    UnknownPolicy,
    /// The request, or the version that it is about, has not arrived.
    Incomplete,
}

/// Why a request does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It froze a lower class than its author could know to hold, here or in another project with the same model.
    ClassTooLow { frozen: RiskClass, held: RiskClass, project: String },
    /// The version belongs to another project.
    OtherProject,
    /// What it is about was deleted when it was made, or by those who signed it.
    Deleted(Subject, OpId),
    /// It does not answer an earlier rejection that its author knew of.
    Unanswered(String),
    /// An owner had not adopted the rules that it goes by.
    NotAdopted,
    /// It froze another cycle, another lifecycle or other criteria than its author could know to stand.
    Frozen(&'static str),
}

/// What is another now than what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// A subject, by name.
    Subject(String),
    /// The class, by an operation.
    Class { now: Option<RiskClass>, by: Vec<OpId> },
}

/// What holds an approved release up, by the word of those whom its rule names or by its own conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Cancelled(OpId),
    Deleted(Subject, OpId),
    Finding(FindingId, OpId),
    /// A named signer rejected the same model elsewhere, and nobody in that role has approved in knowledge of it.
    EarlierRejection(String),
    /// The project stands before approval in the request's own cycle.
    Stage(Stage),
    /// An approval (by its sign-off) says that a frozen criterion was not passed, or does not say that it was.
    Criterion {
        signoff: String,
        criteria: CriteriaId,
        place: u32,
        verdict: Option<Verdict>,
    },
}

/// What a colleague did who cannot block: it is named, and is to be answered by a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub id: OpId,
    pub by: MemberId,
    pub what: Challenged,
    /// By an answer of somebody who may decide, or by their approval in knowledge of it.
    pub answered: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenged {
    Cancelled,
    Deleted(Subject),
    Finding(FindingId),
    /// Somebody who cannot block decided against it.
    Objection(Ruling, Role),
    /// A stricter class was proposed, or stated where the same model stands elsewhere.
    Class(RiskClass),
    /// Other criteria were written and nobody who may has signed them.
    Criteria(String),
    /// A withdrawal by somebody else than the requester, or after the decision.
    Withdrawn,
    /// The project was moved back.
    Stage(Stage),
    /// A run says that a criterion that was passed when it was signed is not.
    Evaluation {
        run: RunId,
        criteria: CriteriaId,
        place: u32,
        verdict: Option<Verdict>,
    },
    /// A monitor of the project is beyond its threshold.
    Alarm(MonitorId),
}

/// What the records outside the history's own judgement speak against an approved release: what a script or a monitor
/// reported. Whoever gathers it decides nothing by it: it becomes a challenge until it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Concern {
    pub what: Challenged,
    /// The operations that say so.
    pub said: Vec<Said>,
}

/// What somebody did to make a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Made {
    Run,
    Files,
    Version,
    Card,
    Criteria,
}

/// An earlier decision on the same model, anywhere in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub signoff: String,
    pub release: ReleaseId,
    pub project: String,
    pub by: MemberId,
    pub role: Role,
    pub ruling: Ruling,
    pub at_ms: i64,
    /// Its signer decides here too: the release waits until that role approves in knowledge of it.
    pub blocks: bool,
    /// What the request says to it.
    pub answer: Option<String>,
}

/// Why a sign-off does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discounted {
    /// The frozen rule asks for no such role.
    RoleNotAsked,
    /// The project names others for this role.
    NotNamed,
    /// Whoever built the version decides nothing about it.
    Builder,
    /// Whoever asked for the release does not approve it.
    Requester,
    /// The role is theirs by their own word, and they had a hand in what it is about.
    OwnRole,
    /// The signed statement is about something else than the request.
    OtherRequest,
    /// It passes over an earlier decision that its author knew of.
    SilentOnEarlier,
    /// It was taken back.
    TakenBack,
    /// Made under older rules by somebody who could not show that it was before newer ones were adopted.
    OlderRules,
}

/// A sign-off as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub id: OpId,
    pub signoff: String,
    pub by: MemberId,
    pub role: Role,
    pub ruling: Ruling,
    pub subjects: Vec<Bound>,
    /// Over exactly what stands now.
    pub fresh: bool,
    pub discounted: Option<Discounted>,
    /// What the frozen criteria had come to, by the signed statement.
    pub measured: Vec<Measured>,
    /// It counts though its author built the version, because the team is small.
    pub not_independent: bool,
}

/// Everything that follows for a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub state: State,
    /// The operation that requested it.
    pub request: Option<OpId>,
    pub signed: Vec<Signed>,
    pub blocks: Vec<Block>,
    pub challenges: Vec<Challenge>,
    pub builders: BTreeMap<MemberId, Vec<Made>>,
    pub requester: Option<MemberId>,
    pub earlier: Vec<Earlier>,
    /// The rule by which it was judged; none where that is not known here.
    pub rule: Option<Rule>,
    pub frozen: Option<Frozen>,
    /// The class that holds for the project now.
    pub class_now: Option<RiskClass>,
    /// Roles that must approve: the rule's, and those of earlier rejections.
    pub needed: Vec<Role>,
    /// In a small team: an approval that counts was given by somebody who built it.
    pub independence_met: bool,
    /// Requested by an earlier program, under its rules.
    pub older: bool,
}

impl Standing {
    /// Approved, and nothing that follows from the records holds it up. Overdue challenges and the age of what is known are
    /// looked at where the clock is.
    pub fn stands(&self) -> bool {
        self.state == State::Approved && self.blocks.is_empty()
    }

    /// Approved, wherever its project stands: what the gate out of the stage of approval asks for.
    pub fn approved(&self) -> bool {
        self.state == State::Approved && self.blocks.iter().all(|b| matches!(b, Block::Stage(_)))
    }
}
