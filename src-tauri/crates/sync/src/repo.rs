//! The bare repository of our own: objects and refs, without index or work tree.
//!
//! Refs: `refs/heads/cairn/log/<device>` own branch and accepted tips · `refs/cairn/in/<device>` what
//! the remote last showed · `refs/cairn/evidence/<device>/<commit>` kept when a remote was rewritten.

use crate::keys::KeyError;
use cairn_core::id::DeviceId;
use git2::{Oid, Repository, RepositoryInitOptions};
use std::path::{Path, PathBuf};

/// What can go wrong with our repository.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    #[error("the local git store failed: {0}")]
    Git(String),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{0}")]
    Form(String),
}

impl From<git2::Error> for RepoError {
    fn from(error: git2::Error) -> Self {
        Self::Git(error.message().to_owned())
    }
}

/// The most commits of one branch that one round looks at.
const WALK_MAX: usize = 20_000;
/// The most branches of a shared place that are looked at.
pub const REFS_MAX: usize = 5_000;

pub struct Repo {
    git: Repository,
    path: PathBuf,
}

impl Repo {
    /// Opens the store at `path`, making it if it is not there.
    pub fn open(path: &Path) -> Result<Self, RepoError> {
        let git = match Repository::open_bare(path) {
            Ok(git) => git,
            Err(_) => {
                let mut options = RepositoryInitOptions::new();
                options.bare(true).external_template(false).initial_head("cairn");
                Repository::init_opts(path, &options)?
            }
        };
        Ok(Self { git, path: path.to_owned() })
    }

    pub(crate) fn git(&self) -> &Repository {
        &self.git
    }
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn log_ref(device: &DeviceId) -> String {
        format!("refs/heads/cairn/log/{device}")
    }

    /// Points a device's branch at a commit that was made or accepted here.
    pub fn set_tip(&self, device: &DeviceId, oid: &str) -> Result<(), RepoError> {
        self.git.reference(&Self::log_ref(device), Oid::from_str(oid)?, true, "cairn")?;
        Ok(())
    }

    /// The tips that the remote showed at the last fetch, by device. Names that are no device are left out.
    pub fn incoming(&self) -> Result<Vec<(DeviceId, String)>, RepoError> {
        let mut tips = Vec::new();
        for reference in self.git.references_glob("refs/cairn/in/*")? {
            let reference = reference?;
            let name = reference.name().unwrap_or_default();
            let device = name.rsplit('/').next().and_then(|n| DeviceId::parse(n).ok());
            if let (Some(device), Some(oid)) = (device, reference.target()) {
                tips.push((device, oid.to_string()));
            }
            if tips.len() >= REFS_MAX {
                break;
            }
        }
        tips.sort();
        Ok(tips)
    }

    /// Does the store hold this object?
    pub fn has(&self, oid: &str) -> bool {
        Oid::from_str(oid).is_ok_and(|oid| self.git.odb().is_ok_and(|odb| odb.exists(oid)))
    }

    /// Whose envelope a commit says it is, for a first look.
    pub fn device_of(&self, oid: &str) -> Option<DeviceId> {
        let commit = self.git.find_commit(Oid::from_str(oid).ok()?).ok()?;
        let message = commit.message_raw().ok()?;
        message.split(' ').find_map(|w| w.strip_prefix("dev=")).and_then(|d| DeviceId::parse(d).ok())
    }

    /// The accepted tips as they stand here.
    pub fn tip(&self, device: &DeviceId) -> Option<String> {
        Some(self.git.find_reference(&Self::log_ref(device)).ok()?.target()?.to_string())
    }

    /// The raw bytes of a commit.
    pub fn commit_bytes(&self, oid: &str) -> Result<Vec<u8>, RepoError> {
        Ok(self.git.odb()?.read(Oid::from_str(oid)?)?.data().to_vec())
    }

    /// Writes a commit as it was, byte for byte; returns its id.
    pub fn write_commit(&self, bytes: &[u8]) -> Result<String, RepoError> {
        Ok(self.git.odb()?.write(git2::ObjectType::Commit, bytes)?.to_string())
    }

    /// Takes a branch out of quarantine: what it showed is not to be looked at again.
    pub fn forget_incoming(&self, device: &DeviceId) -> Result<(), RepoError> {
        match self.git.find_reference(&format!("refs/cairn/in/{device}")) {
            Ok(mut reference) => Ok(reference.delete()?),
            Err(_) => Ok(()),
        }
    }

    /// Keeps a commit that must not be forgotten.
    pub fn keep_evidence(&self, device: &DeviceId, oid: &str) -> Result<(), RepoError> {
        self.git.reference(&format!("refs/cairn/evidence/{device}/{oid}"), Oid::from_str(oid)?, true, "cairn")?;
        Ok(())
    }

    /// The commits of a branch after `accepted`, oldest first, along first parents. `None`: the
    /// branch does not lead back to `accepted`, so the remote was rewound or rewritten.
    pub fn news(&self, tip: &str, accepted: Option<&str>) -> Result<Option<Vec<String>>, RepoError> {
        let mut found = Vec::new();
        let mut at = tip.to_owned();
        while Some(at.as_str()) != accepted {
            if found.len() >= WALK_MAX {
                return Err(RepoError::Form(format!("more than {WALK_MAX} commits at once")));
            }
            let commit = self.git.find_commit(Oid::from_str(&at)?)?;
            found.push(at);
            match commit.parent_id(0) {
                // The first commit of a branch may have other devices' tips as parents only.
                Ok(parent) if self.is_same_branch(&commit, parent)? => at = parent.to_string(),
                _ if accepted.is_none() => break,
                _ => return Ok(None),
            }
        }
        found.reverse();
        Ok(Some(found))
    }

    fn is_same_branch(&self, commit: &git2::Commit<'_>, parent: Oid) -> Result<bool, RepoError> {
        let device =
            |c: &git2::Commit<'_>| c.message_raw().ok().and_then(|m| m.split(' ').find_map(|w| w.strip_prefix("dev=").map(str::to_owned)));
        let first = commit.message_raw().ok().is_some_and(|m| m.contains(" seq=1 "));
        Ok(!first && device(commit) == device(&self.git.find_commit(parent)?))
    }
}
