//! Errors as people meet them: what happened, and what they can do.

use cairn_core::text::BadText;
use cairn_store::StoreError;
use cairn_sync::{KeyError, TransportError};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An error on the wire. A code exists only where a client branches on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApiError {
    pub code: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub details: Option<String>,
}

impl ApiError {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: sentence(message.into()), hint: None, details: None }
    }
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into()).filter(|d| !d.is_empty());
        self
    }
    /// The request cannot be right, whatever the state.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new("invalid", message)
    }
    /// The request is right but the state does not allow it now.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new("conflict", message)
    }
    pub fn not_found(what: &str) -> Self {
        Self::new("not_found", format!("{what} does not exist")).hint("It may have been deleted, or not been received yet.")
    }
}

/// Messages are sentences: they begin with a capital and end with a full stop.
fn sentence(text: String) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return text };
    let mut out: String = first.to_uppercase().collect();
    out.push_str(chars.as_str());
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for ApiError {}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::NoWorkspace(_) => Self::new("no_workspace", message)
                .hint("Create one with the first-run page or `cairn init DIR --name NAME`, or choose another folder."),
            StoreError::Newer { .. } => Self::new("newer", message).hint("Update Cairn on this computer. Nothing was changed."),
            StoreError::Damaged(_) => Self::new("damaged", message)
                .hint("Keep the folder as it is and restore the file from a backup, or join the workspace again: what was shared is safe."),
            StoreError::NewerAuthority => Self::new("newer", message).hint("Update Cairn on this computer first."),
            StoreError::Unsealed => Self::new("busy", message).hint("Share again in a moment."),
            StoreError::DiskFull => Self::new("disk_full", message).hint("Free some space and try again. Nothing was lost."),
            StoreError::Busy => Self::new("busy", message).hint("Try again in a moment."),
            StoreError::Denied(_) => Self::new("denied", message)
                .hint("Ask an administrator of the workspace for the role, or somebody who holds it to do this."),
            StoreError::TooLong(_) => Self::new("too_long", message).hint("Shorten the text, or attach it as a file."),
            StoreError::NotFound(_) => Self::new("not_found", message).hint("It may have been deleted, or not been received yet."),
            StoreError::Io(_) => Self::new("io", message).hint("Check that the folder exists and can be written."),
            StoreError::Sql(_) | StoreError::Line(_) => Self::new("internal", message),
        }
    }
}

impl From<TransportError> for ApiError {
    fn from(error: TransportError) -> Self {
        Self::new(error.code(), error.to_string()).hint(error.hint()).details(error.details())
    }
}

impl From<cairn_sync::repo::RepoError> for ApiError {
    fn from(error: cairn_sync::repo::RepoError) -> Self {
        Self::new("git_store", error.to_string()).hint("Your work is safe in the workspace file.")
    }
}

impl From<cairn_sync::segment::SegmentError> for ApiError {
    fn from(error: cairn_sync::segment::SegmentError) -> Self {
        Self::new("segment", error.to_string()).hint("The chart is drawn from the outline that was signed; nothing else is affected.")
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        let message = error.to_string();
        match error {
            KeyError::Passphrase => Self::new("passphrase", message).hint("Try again. Nobody can recover a passphrase."),
            KeyError::Random(_) | KeyError::Form | KeyError::Signature | KeyError::Words(_) => Self::new("key", message),
        }
    }
}

impl From<cairn_os::secrets::SecretError> for ApiError {
    fn from(error: cairn_os::secrets::SecretError) -> Self {
        use cairn_os::secrets::SecretError;
        let message = error.to_string();
        let fallback =
            "Unlock or install a keyring (GNOME Keyring, KWallet), or choose a passphrase: then the key lies in an encrypted file.";
        match error {
            SecretError::NoKeyring => Self::new("no_keyring", message).hint(fallback),
            SecretError::Locked => Self::new("keyring_locked", message).hint(fallback),
            SecretError::Missing => Self::new("key_missing", message)
                .hint("Was the workspace folder copied from another computer? Join the workspace anew from this one."),
            SecretError::ReadBack | SecretError::Other(_) => Self::new("keyring", message).hint(fallback),
            SecretError::File(_) => Self::new("io", message),
        }
    }
}

impl From<cairn_core::id::BadId> for ApiError {
    fn from(error: cairn_core::id::BadId) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::new("internal", error.to_string())
    }
}

/// Parses a title, naming the field in the error.
pub fn title(field: &str, raw: &str) -> Result<cairn_core::text::Title, ApiError> {
    if let Some(hidden) = raw.chars().find(|c| cairn_core::name::is_hidden(*c) && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0f}')) {
        // Joiners and picture selectors are part of scripts and emoji; the others only deceive.
        return Err(ApiError::invalid(format!("{field}: it holds a character that cannot be seen (U+{:04X})", u32::from(hidden)))
            .hint("Type it anew; it may have come along when it was copied."));
    }
    cairn_core::text::Title::parse(raw).map_err(|e| ApiError::invalid(format!("{field}: {e}")))
}

/// Parses a person's name: nobody enters one that could pass for another's.
pub fn person_name(field: &str, raw: &str) -> Result<cairn_core::text::Title, ApiError> {
    cairn_core::name::check(raw.trim()).map_err(|e| {
        ApiError::invalid(format!("{field}: {e}"))
            .hint("Type the name in one script, whichever it is, with letters, spaces, hyphens and points.")
    })?;
    title(field, raw)
}

/// Parses a longer text, naming the field in the error.
pub fn body(field: &str, raw: &str) -> Result<cairn_core::text::Body, ApiError> {
    cairn_core::text::Body::parse(raw).map_err(|e| match e {
        BadText::TooLong(most) => {
            ApiError::invalid(format!("{field} is too long: it has {} KB, and {} KB is the most", raw.len() / 1024, most / 1024))
                .hint("Split it into several, or log it as a file of a run. What you wrote is still here.")
        }
        other => ApiError::invalid(format!("{field}: {other}")),
    })
}
