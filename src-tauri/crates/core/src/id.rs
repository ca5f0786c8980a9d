//! Typed identifiers. Each is a short ASCII word that is safe in a file name, a URL and a git ref.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an identifier: 1 to 64 letters, digits, '-' or '_' are allowed")]
pub struct BadId(pub String);

fn check(raw: &str) -> Result<(), BadId> {
    let good = (1..=64).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if good { Ok(()) } else { Err(BadId(raw.chars().take(80).collect())) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);
        impl $name {
            /// Reads an identifier; refuses anything that could not stand in a path or a ref.
            pub fn parse(raw: impl Into<String>) -> Result<Self, BadId> {
                let raw = raw.into();
                check(&raw)?;
                Ok(Self(raw))
            }
            /// The text form.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(raw: String) -> Result<Self, BadId> { Self::parse(raw) }
        }
        impl From<$name> for String { fn from(id: $name) -> String { id.0 } }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    )*};
}

/// One operation of the log: its computer and its number there. It is not written into the line,
/// so nobody can give two operations one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OpId {
    pub device: DeviceId,
    pub n: u64,
}

impl OpId {
    /// Reads `<device>.<n>`.
    pub fn parse(raw: impl Into<String>) -> Result<Self, BadId> {
        let raw = raw.into();
        let bad = || BadId(raw.chars().take(80).collect());
        let (device, n) = raw.split_once('.').ok_or_else(bad)?;
        let id = Self { device: DeviceId::parse(device)?, n: n.parse().map_err(|_| bad())? };
        // One operation has one name: "+1" or "01" would be a second.
        if id.to_string() == raw { Ok(id) } else { Err(bad()) }
    }
}
impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.device, self.n)
    }
}
impl TryFrom<String> for OpId {
    type Error = BadId;
    fn try_from(raw: String) -> Result<Self, BadId> {
        Self::parse(raw)
    }
}
impl From<OpId> for String {
    fn from(id: OpId) -> String {
        id.to_string()
    }
}

ids! {
    /// A computer that writes: 26 characters of base32 over the sha256 of its public key.
    DeviceId,
    /// A person.
    MemberId,
    ProjectId,
    ExperimentId,
    /// A run: 32 hexadecimal digits, as MLflow has them.
    RunId,
    /// A logged model: `m-` and 32 hexadecimal digits, as MLflow has them.
    LoggedModelId,
    DatasetId,
    DatasetVersionId,
    ModelId,
    ModelVersionId,
    NoteId,
    ViewId,
    PanelId,
    PinId,
    TemplateId,
    CriteriaId,
    FindingId,
    CommentId,
    AssessmentId,
    MonitorId,
    ChecklistId,
    ReleaseId,
    DeploymentId,
}

/// A sha256 digest: 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sha256 digest has 64 lower-case hexadecimal digits")]
pub struct BadDigest;

impl Digest {
    pub fn parse(raw: impl Into<String>) -> Result<Self, BadDigest> {
        let raw = raw.into();
        let good = raw.len() == 64 && raw.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if good { Ok(Self(raw)) } else { Err(BadDigest) }
    }

    /// From the 32 bytes that a hash function gives.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        use fmt::Write;
        let mut hex = String::with_capacity(64);
        for byte in bytes {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Digest {
    type Error = BadDigest;
    fn try_from(raw: String) -> Result<Self, BadDigest> {
        Self::parse(raw)
    }
}
impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DeviceId> for MemberId {
    /// A member bears the id of their first computer.
    fn from(device: DeviceId) -> Self {
        Self(device.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_leave_its_folder() {
        for bad in ["", "..", "a/b", "a b", "é", "x\0", &"a".repeat(65)] {
            assert!(RunId::parse(bad).is_err(), "{bad:?} must be refused: ids stand in paths and refs");
        }
        assert!(LoggedModelId::parse("m-0123456789abcdef").is_ok());
    }

    #[test]
    fn a_digest_is_64_lower_case_hex_digits() {
        assert!(Digest::parse("A".repeat(64)).is_err());
        assert!(Digest::parse("a".repeat(63)).is_err());
        assert_eq!(Digest::from_bytes(&[0xab; 32]).as_str(), "ab".repeat(32));
    }
}
