//! The bare repository of our own: objects and refs, without index or work tree.
//!
//! Refs: `refs/heads/cairn/log/<device>` own branch and accepted tips · `refs/cairn/in/<device>` what
//! the remote last showed · `refs/cairn/evidence/<device>/<commit>` kept when a remote was rewritten ·
//! `refs/heads/cairn/seg/<device>/<volume>` metric segments, own and fetched.

mod configuration;

use crate::keys::{DeviceKey, KeyError};
use cairn_core::canonical::sha256;
use cairn_core::id::{DeviceId, Digest};
use git2::{Oid, Repository, RepositoryInitOptions, Signature, Time};
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
/// Where each device's log lies, by its name.
pub(crate) const LOG: &str = "refs/heads/cairn/log/";

/// The device that a branch is the log of, if its name says exactly that. A test branch that a host's rule kept from being
/// deleted is no device.
pub(crate) fn device_of_ref(name: &str, folder: &str) -> Option<DeviceId> {
    name.strip_prefix(folder).filter(|n| !n.contains('/') && !n.starts_with("probe-")).and_then(|n| DeviceId::parse(n).ok())
}

pub struct Repo {
    git: Repository,
    path: PathBuf,
}

impl Repo {
    /// Opens the store at `path`, making it if it is not there.
    pub fn open(path: &Path) -> Result<Self, RepoError> {
        if std::fs::symlink_metadata(path).is_ok() {
            configuration::ours(path)?;
        }
        let git = match Repository::open_bare(path) {
            Ok(git) => git,
            Err(_) => {
                let mut options = RepositoryInitOptions::new();
                options.bare(true).external_template(false).initial_head("cairn");
                drop(Repository::init_opts(path, &options)?);
                configuration::ours(path)?;
                Repository::open_bare(path)?
            }
        };
        Ok(Self { git, path: path.to_owned() })
    }

    /// Before another program looks at the store: its configuration is still ours.
    pub(crate) fn secure(&self) -> Result<(), RepoError> {
        configuration::ours(&self.path)
    }

    pub(crate) fn git(&self) -> &Repository {
        &self.git
    }
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn log_ref(device: &DeviceId) -> String {
        format!("{LOG}{device}")
    }

    /// The branch of one volume of a device's metric segments.
    pub fn segments_ref(device: &str, volume: u32) -> String {
        format!("refs/heads/cairn/seg/{device}/{volume}")
    }

    /// Adds a segment to a volume of this computer's own, as a signed commit. One that is there stays as it is.
    pub fn add_segment(&self, key: &DeviceKey, volume: u32, digest: &Digest, bytes: &[u8], now_ms: i64) -> Result<(), RepoError> {
        let device = key.id();
        let name = Self::segments_ref(device.as_str(), volume);
        let file = format!("{digest}.parquet");
        let tip = self.git.find_reference(&name).ok().and_then(|r| r.peel_to_commit().ok());
        let before = tip.as_ref().map(git2::Commit::tree).transpose()?;
        if before.as_ref().is_some_and(|tree| tree.get_name(&file).is_some()) {
            return Ok(());
        }
        let mut tree = self.git.treebuilder(before.as_ref())?;
        tree.insert(&file, self.git.blob(bytes)?, 0o100_644)?;
        let tree = self.git.find_tree(tree.write()?)?;
        let who = Signature::new("Cairn", &format!("{device}@cairn.invalid"), &Time::new(now_ms.div_euclid(1000), 0))?;
        let message = format!("cairn-segments/1 dev={device} volume={volume} [skip ci]\n");
        let buffer = self.git.commit_create_buffer(&who, &who, &message, &tree, &tip.iter().collect::<Vec<_>>())?;
        let text = std::str::from_utf8(&buffer).map_err(|e| RepoError::Form(e.to_string()))?;
        let signature = key.sign(crate::keys::GIT, text.as_bytes())?;
        let oid = self.git.commit_signed(text, signature.trim_end(), Some("gpgsig"))?;
        self.git.reference(&name, oid, true, "cairn")?;
        Ok(())
    }

    /// Reads a segment of a volume that was fetched; its size is known before it is read.
    pub fn segment(&self, device: &str, volume: u32, digest: &Digest, size: u64) -> Result<Option<Vec<u8>>, RepoError> {
        let Ok(reference) = self.git.find_reference(&Self::segments_ref(device, volume)) else { return Ok(None) };
        let tree = reference.peel_to_commit()?.tree()?;
        let Some(entry) = tree.get_name(&format!("{digest}.parquet")) else { return Ok(None) };
        let (found, kind) = self.git.odb()?.read_header(entry.id())?;
        if kind != git2::ObjectType::Blob || found as u64 != size || found > crate::segment::BYTES_MAX {
            return Err(RepoError::Form(format!("a segment of {found} bytes where {size} were signed")));
        }
        let bytes = self.git.find_blob(entry.id())?.content().to_vec();
        if sha256(&bytes) != *digest {
            return Err(RepoError::Form("a segment does not have the digest that was signed".to_owned()));
        }
        Ok(Some(bytes))
    }

    /// Is there a branch of this name here?
    pub fn has_ref(&self, name: &str) -> bool {
        self.git.find_reference(name).is_ok()
    }

    /// Forgets a branch.
    pub fn delete_ref(&self, name: &str) -> Result<(), RepoError> {
        if let Ok(mut reference) = self.git.find_reference(name) {
            reference.delete()?;
        }
        Ok(())
    }

    /// Points a device's branch at a commit that was made or accepted here.
    pub fn set_tip(&self, device: &DeviceId, oid: &str) -> Result<(), RepoError> {
        let (name, oid) = (Self::log_ref(device), Oid::from_str(oid)?);
        if self.git.reference(&name, oid, true, "cairn").is_ok() {
            return Ok(());
        }
        // A power cut left half a file, or a lock. Whoever comes here holds the lock on all of this store.
        for left in [self.path.join(&name), self.path.join(format!("{name}.lock"))] {
            match std::fs::remove_file(&left) {
                Ok(()) => tracing::warn!("{} was left by an interrupted program and is removed", left.display()),
                Err(error) => tracing::debug!("{}: {error}", left.display()),
            }
        }
        self.git.reference(&name, oid, true, "cairn")?;
        Ok(())
    }

    /// Is everything here that a commit leads back to?
    pub fn is_connected(&self, oid: &str) -> bool {
        let walk = || -> Result<(), git2::Error> {
            let mut walk = self.git.revwalk()?;
            walk.push(Oid::from_str(oid)?)?;
            for oid in walk {
                for parent in self.git.find_commit(oid?)?.parent_ids() {
                    self.git.odb()?.read_header(parent)?;
                }
            }
            Ok(())
        };
        walk().is_ok()
    }

    /// Does every branch of quarantine point to something that is here?
    pub fn refs_are_whole(&self) -> bool {
        let look = || -> Result<bool, git2::Error> {
            let odb = self.git.odb()?;
            for reference in self.git.references()? {
                if reference?.target().is_some_and(|oid| !odb.exists(oid)) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        look().unwrap_or(false)
    }

    /// The tips that the remote showed at the last fetch, by device, in the order of their names. Names that are no device are
    /// left out.
    pub fn incoming(&self) -> Result<Vec<(DeviceId, String)>, RepoError> {
        let mut tips = self.tips_below("refs/cairn/in/")?;
        tips.sort();
        Ok(tips)
    }

    /// Each device's tip: its branch bears exactly its name, nothing deeper stands for it.
    fn tips_below(&self, folder: &str) -> Result<Vec<(DeviceId, String)>, RepoError> {
        let mut tips = Vec::new();
        for reference in self.git.references_glob(&format!("{folder}*"))? {
            let reference = reference?;
            if let (Some(device), Some(oid)) = (device_of_ref(reference.name().unwrap_or_default(), folder), reference.target()) {
                tips.push((device, oid.to_string()));
            }
        }
        Ok(tips)
    }

    /// Does the store hold this object?
    pub fn has(&self, oid: &str) -> bool {
        Oid::from_str(oid).is_ok_and(|oid| self.git.odb().is_ok_and(|odb| odb.exists(oid)))
    }

    /// Can a branch be read to its beginning, with all that its commits hold?
    pub fn is_whole(&self, tip: &str) -> bool {
        let read = || -> Result<(), git2::Error> {
            let odb = self.git.odb()?;
            let mut at = Some(Oid::from_str(tip)?);
            while let Some(oid) = at {
                let commit = self.git.find_commit(oid)?;
                let mut trees = vec![commit.tree_id()];
                while let Some(tree) = trees.pop() {
                    for entry in &self.git.find_tree(tree)? {
                        match entry.kind() {
                            Some(git2::ObjectType::Tree) => trees.push(entry.id()),
                            _ => drop(odb.read(entry.id())?),
                        }
                    }
                }
                let same = |p: Oid| self.is_same_branch(&commit, p).unwrap_or(false);
                at = commit.parent_id(0).ok().filter(|p| same(*p));
            }
            Ok(())
        };
        read().is_ok()
    }

    /// The accepted tips of all devices.
    pub fn tips(&self) -> Result<Vec<(DeviceId, String)>, RepoError> {
        self.tips_below(LOG)
    }

    /// Puts an accepted branch into quarantine again, to be looked at anew.
    pub fn show_again(&self, device: &DeviceId, oid: &str) -> Result<(), RepoError> {
        self.git.reference(&format!("refs/cairn/in/{device}"), Oid::from_str(oid)?, true, "cairn")?;
        Ok(())
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
