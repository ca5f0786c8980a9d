//! The statement that a signer signs: an in-toto Statement v1 with a predicate of our own, second version.
//!
//! It says everything that the decision rests on, so that its bytes and the history are enough to judge it: the request with
//! what it froze, the subjects, the page that was shown, earlier decisions, and whether independence was met.

use super::{Frozen, Measured};
use crate::id::{Digest, MemberId, OpId, ReleaseId};
use crate::op::Ruling;
use crate::release::Bound;
use crate::role::Role;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The type of our statements over submitted requests.
pub const PREDICATE_TYPE: &str = "https://cairn.dev/attestation/approval/v2";

/// The page that was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub sha256: Digest,
    pub size: u64,
}

/// Everything that goes into a statement.
#[derive(Debug, Clone)]
pub struct StatementParts<'a> {
    pub release: &'a ReleaseId,
    /// The operation that requested it.
    pub request: &'a OpId,
    pub frozen: &'a Frozen,
    pub decision: Ruling,
    pub role: Role,
    pub name: &'a str,
    pub member: &'a MemberId,
    pub fingerprint: &'a str,
    pub reason: &'a str,
    /// RFC 3339 with offset: the signer's claim.
    pub signed_at: &'a str,
    pub subjects: &'a [Bound],
    pub shown: &'a Shown,
    /// The sign-offs on the same model that the signer was shown.
    pub earlier: &'a [String],
    /// What each frozen criterion came to when it was signed.
    pub measured: &'a [Measured],
    /// The signer had a hand in what is decided on.
    pub independent: bool,
}

/// The exact text to sign.
pub fn statement(parts: &StatementParts<'_>) -> String {
    let subject: Vec<Value> = parts.subjects.iter().map(|s| json!({ "name": s.name, "digest": { "sha256": s.sha256 } })).collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "release": parts.release,
            "request": parts.request,
            "frozen": parts.frozen,
            "decision": parts.decision,
            "meaning": meaning(parts.decision),
            "gate": "validation->deployment",
            "role": parts.role,
            "signer": {
                "printedName": parts.name,
                "principal": parts.member,
                "keyFingerprint": parts.fingerprint,
            },
            "reason": parts.reason,
            "shown": parts.shown,
            "earlierDecisions": parts.earlier,
            "criteria": parts.measured,
            "independence": if parts.independent { "met" } else { "not met" },
            "claimedAt": parts.signed_at,
            "timeSource": "signer's clock",
            "conditions": [],
        }
    })
    .to_string()
}

fn meaning(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Approved => "deployment approval",
        Ruling::Rejected => "rejection",
        Ruling::SentBack => "return for changes",
        Ruling::TakenBack => "withdrawal of an approval",
    }
}

/// What a statement says, read back from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub release: ReleaseId,
    pub request: OpId,
    pub frozen: Frozen,
    pub decision: Ruling,
    pub role: Role,
    pub principal: MemberId,
    pub reason: String,
    pub claimed_at: String,
    pub subjects: Vec<Bound>,
    pub shown: Shown,
    pub earlier: Vec<String>,
    pub measured: Vec<Measured>,
}

#[derive(Deserialize)]
struct Whole {
    #[serde(rename = "_type")]
    form: String,
    subject: Vec<SubjectForm>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct SubjectForm {
    name: String,
    digest: Sha256Form,
}

#[derive(Deserialize)]
struct Sha256Form {
    sha256: Digest,
}

#[derive(Deserialize)]
struct Predicate {
    release: ReleaseId,
    request: OpId,
    frozen: Frozen,
    decision: Ruling,
    role: Role,
    signer: SignerForm,
    reason: String,
    shown: Shown,
    #[serde(rename = "earlierDecisions")]
    earlier: Vec<String>,
    #[serde(rename = "criteria")]
    measured: Vec<Measured>,
    #[serde(rename = "claimedAt")]
    claimed_at: String,
}

#[derive(Deserialize)]
struct SignerForm {
    principal: MemberId,
}

/// Reads a statement. The signature is checked elsewhere, over the same bytes.
pub fn read(text: &str) -> Result<Read, String> {
    crate::strict::check(text)?;
    let whole: Whole = serde_json::from_str(text).map_err(|e| format!("the signed statement does not fit: {e}"))?;
    if whole.form != "https://in-toto.io/Statement/v1" || whole.predicate_type != PREDICATE_TYPE {
        return Err("it is no approval statement of the second version".to_owned());
    }
    let p = whole.predicate;
    Ok(Read {
        release: p.release,
        request: p.request,
        frozen: p.frozen,
        decision: p.decision,
        role: p.role,
        principal: p.signer.principal,
        reason: p.reason,
        claimed_at: p.claimed_at,
        subjects: whole.subject.into_iter().map(|s| Bound { name: s.name, sha256: s.digest.sha256 }).collect(),
        shown: p.shown,
        earlier: p.earlier,
        measured: p.measured,
    })
}
