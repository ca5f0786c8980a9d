//! The envelope: a batch of operation lines as one signed commit, as text.
//!
//! Only the form is here; `sync` builds and checks the commits.

use crate::id::{DeviceId, Digest};

/// The most operations in one envelope.
pub const OPS_MAX: usize = 1_000;
/// The largest `ops.jsonl` or `acl.jsonl`, in bytes.
pub const BATCH_MAX: usize = 1024 * 1024;
/// The largest attachment that travels with the log, in bytes.
/// How much of it a team uses is a setting.
pub const ATTACHMENT_MAX: u64 = 8 * 1024 * 1024;
/// The most attachments in one envelope.
pub const ATTACHMENTS_MAX: usize = 60;
/// The bytes of all attachments of one envelope together.
pub const ATTACHMENTS_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The longest commit object, in bytes, signature included.
pub const COMMIT_MAX: usize = 16 * 1024;
/// The most parents of a commit: the own branch, and others' tips.
pub const PARENTS_MAX: usize = 33;

/// What the commit message of an envelope says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub device: DeviceId,
    /// From 1, without gaps.
    pub seq: u64,
    /// The number of the first operation, from 1, without gaps over the device's envelopes.
    pub first: u64,
    pub count: u64,
    /// The sha256 of the first envelope of the workspace; none in that first envelope itself.
    pub workspace: Option<Digest>,
    /// The sha256 of `ops.jsonl`, if the envelope has one.
    pub ops: Option<Digest>,
    /// The sha256 of `acl.jsonl`, if the envelope has one.
    pub acl: Option<Digest>,
    /// The sha256 of the device's previous commit object; none in its first.
    pub prev: Option<Digest>,
}

/// Why a commit message is no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is not that of an envelope: {0}")]
pub struct BadHeader(pub String);

impl Header {
    /// The commit message.
    pub fn to_message(&self) -> String {
        let or_none = |d: &Option<Digest>| d.as_ref().map_or("none".to_owned(), |d| format!("sha256:{d}"));
        format!(
            "cairn/1 dev={} seq={} ops={} [skip ci]\n\nCairn-Workspace: {}\nCairn-First: {}\nCairn-Ops: {}\nCairn-Acl: {}\nCairn-Prev: {}\n",
            self.device,
            self.seq,
            self.count,
            or_none(&self.workspace),
            self.first,
            or_none(&self.ops),
            or_none(&self.acl),
            or_none(&self.prev),
        )
    }

    /// Reads a commit message. One header has one text, so anything else is refused.
    pub fn parse(message: &str) -> Result<Self, BadHeader> {
        let bad = |what: &str| BadHeader(what.to_owned());
        let mut lines = message.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        if words.next() != Some("cairn/1") {
            return Err(bad("it does not begin with cairn/1"));
        }
        let mut word = |key: &str| words.next().and_then(|w| w.strip_prefix(key)?.strip_prefix('=')).ok_or_else(|| bad(key));
        let device = DeviceId::parse(word("dev")?).map_err(|e| BadHeader(e.to_string()))?;
        let seq = word("seq")?.parse().map_err(|_| bad("seq"))?;
        let count = word("ops")?.parse().map_err(|_| bad("ops"))?;
        lines.next();
        let mut trailer = |key: &str| lines.next().and_then(|l| l.strip_prefix(key)?.strip_prefix(": ")).ok_or_else(|| bad(key));
        let digest = |text: &str| -> Result<Option<Digest>, BadHeader> {
            if text == "none" {
                return Ok(None);
            }
            let hex = text.strip_prefix("sha256:").ok_or_else(|| bad("a digest"))?;
            Digest::parse(hex).map(Some).map_err(|e| BadHeader(e.to_string()))
        };
        let workspace = digest(trailer("Cairn-Workspace")?)?;
        let first = trailer("Cairn-First")?.parse().map_err(|_| bad("Cairn-First"))?;
        let ops = digest(trailer("Cairn-Ops")?)?;
        let acl = digest(trailer("Cairn-Acl")?)?;
        let prev = digest(trailer("Cairn-Prev")?)?;
        let header = Self { device, seq, first, count, workspace, ops, acl, prev };
        if header.to_message() != message {
            return Err(bad("it is not written in the one form"));
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_exactly_one_text() {
        let header = Header {
            device: DeviceId::parse("abc").unwrap(),
            seq: 4,
            first: 17,
            count: 3,
            workspace: Some(Digest::from_bytes(&[1; 32])),
            ops: Some(Digest::from_bytes(&[2; 32])),
            acl: None,
            prev: Some(Digest::from_bytes(&[3; 32])),
        };
        let text = header.to_message();
        assert_eq!(Header::parse(&text), Ok(header));
        for twisted in [text.replace("seq=4", "seq=+4"), text.replace("seq=4", "seq=04"), format!("{text}\n"), text.replace("none", "None")]
        {
            assert!(Header::parse(&twisted).is_err(), "{twisted}");
        }
        assert!(Header::parse("").is_err());
    }
}
