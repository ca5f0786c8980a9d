//! Where the device key lies: in the system keyring, or, by the person's explicit choice, in a file
//! that a passphrase encrypts. Never in plain text, and never silently in the second place.

use std::io::Write;
use std::path::{Path, PathBuf};

const SERVICE: &str = "cairn";

/// Why a secret could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no keyring on this computer, or nothing answers for it.
    #[error("this computer has no system keyring that answers")]
    NoKeyring,
    /// There is one, but it is locked or was never set up.
    #[error("the system keyring is locked")]
    Locked,
    #[error("the system keyring does not hold this computer's key")]
    Missing,
    #[error("the system keyring kept something else than what was given to it")]
    ReadBack,
    #[error("the key file could not be written or read: {0}")]
    File(#[from] std::io::Error),
    #[error("the system keyring failed: {0}")]
    Other(String),
}

/// A place for one workspace's device key.
pub trait SecretStore: Send + Sync {
    fn set(&self, name: &str, secret: &str) -> Result<(), SecretError>;
    fn get(&self, name: &str) -> Result<String, SecretError>;
    fn delete(&self, name: &str) -> Result<(), SecretError>;
}

/// The keyring of the system: Secret Service, Keychain or Credential Manager.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemKeyring;

fn from_keyring(error: keyring::Error) -> SecretError {
    match error {
        keyring::Error::NoDefaultStore => SecretError::NoKeyring,
        keyring::Error::NoStorageAccess(_) => SecretError::Locked,
        keyring::Error::NoEntry => SecretError::Missing,
        keyring::Error::PlatformFailure(inner) => SecretError::Other(inner.to_string()),
        other => SecretError::Other(other.to_string()),
    }
}

impl SecretStore for SystemKeyring {
    fn set(&self, name: &str, secret: &str) -> Result<(), SecretError> {
        let entry = keyring::Entry::new(SERVICE, name).map_err(from_keyring)?;
        entry.set_secret(secret.as_bytes()).map_err(from_keyring)?;
        // Some keyrings accept and forget; a lost device key means a new identity, so look.
        let back = entry.get_secret().map_err(from_keyring)?;
        if back == secret.as_bytes() { Ok(()) } else { Err(SecretError::ReadBack) }
    }

    fn get(&self, name: &str) -> Result<String, SecretError> {
        let entry = keyring::Entry::new(SERVICE, name).map_err(from_keyring)?;
        let bytes = entry.get_secret().map_err(from_keyring)?;
        String::from_utf8(bytes).map_err(|_| SecretError::ReadBack)
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        let entry = keyring::Entry::new(SERVICE, name).map_err(from_keyring)?;
        entry.delete_credential().map_err(from_keyring)
    }
}

/// Is there a keyring that can be asked at all? It may still be locked.
pub fn keyring_answers() -> bool {
    keyring::Entry::store_status().is_ok()
}

/// The encrypted key file of a computer's name in a workspace. What is written must already be encrypted.
pub fn key_file(dir: &Path, device: &str) -> PathBuf {
    dir.join(format!("{device}.key"))
}

/// Writes the encrypted key, readable by its owner alone.
pub fn write_key_file(dir: &Path, device: &str, encrypted: &str) -> Result<(), SecretError> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(key_file(dir, device))?;
    file.write_all(encrypted.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
