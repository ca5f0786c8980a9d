//! Building an envelope as a signed commit, and checking one that came from elsewhere.
//!
//! Nothing from the remote is ever checked out, used as a path, or parsed before its size is known.

use crate::keys::{self, DeviceKey};
use crate::repo::{Repo, RepoError};
use cairn_core::canonical::sha256;
use cairn_core::envelope::{ATTACHMENT_MAX, ATTACHMENTS_BYTES_MAX, ATTACHMENTS_MAX, BATCH_MAX, COMMIT_MAX, Header, OPS_MAX, PARENTS_MAX};
use cairn_core::id::{DeviceId, Digest};
use cairn_core::op::{Op, OpLine, ReadLine};
use git2::{ObjectType, Oid, Signature, Time};

/// What goes into a new envelope.
#[derive(Debug)]
pub struct Draft<'a> {
    pub seq: u64,
    pub first: u64,
    pub acl: &'a [String],
    pub ops: &'a [String],
    /// Digest and content of the small files that travel along.
    pub attachments: &'a [(Digest, Vec<u8>)],
    pub workspace: Option<Digest>,
    /// Commit id and sha256 of the own previous envelope.
    pub previous: Option<(String, Digest)>,
    /// Accepted tips of other devices.
    pub others: &'a [String],
    pub author: &'a str,
    pub now_ms: i64,
    pub tz_minutes: i16,
}

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub oid: String,
    pub sha256: Digest,
    /// The commit, byte for byte: with its lines the store can be made again from it.
    pub object: Vec<u8>,
}

/// Why a commit is not accepted. The words go into the list of refused commits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is not signed")]
    Unsigned,
    #[error("it is not signed with this computer's key")]
    WrongKey,
    #[error("it was written under the name of another computer")]
    WrongDevice,
    #[error("it exceeds a limit: {0}")]
    Limit(String),
    #[error("it is not in the form of an envelope: {0}")]
    Form(String),
    #[error("it does not follow the commit before it: {0}")]
    Chain(String),
    #[error("its content does not have the digest that was signed")]
    Digest,
    #[error("it belongs to another workspace")]
    Workspace,
    #[error("it builds on commits that are not accepted here")]
    Parents,
    #[error("its computer has not been let in yet")]
    Unanswered,
    #[error("it was written under a name that was used twice")]
    SetAside,
    #[error("its branch holds an object that git itself refuses")]
    Objects,
    #[error("the repository does not hold it: {0}")]
    Missing(String),
}

impl Fault {
    /// A short word for filters and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::WrongKey => "wrong-key",
            Self::WrongDevice => "wrong-device",
            Self::Limit(_) => "limit",
            Self::Form(_) => "form",
            Self::Chain(_) => "chain",
            Self::Digest => "digest",
            Self::Workspace => "workspace",
            Self::Parents => "parents",
            Self::Unanswered => "unanswered",
            Self::SetAside => "set-aside",
            Self::Objects => "objects",
            Self::Missing(_) => "missing",
        }
    }
}

impl From<git2::Error> for Fault {
    fn from(error: git2::Error) -> Self {
        Self::Missing(error.message().to_owned())
    }
}

/// A commit whose form, signature and digests are good. Whether its parents are accepted and its
/// operations permitted is the caller's question.
#[derive(Debug, Clone)]
pub struct Inspected {
    pub header: Header,
    pub sha256: Digest,
    pub parents: Vec<String>,
    /// Authority lines first, as their numbers are.
    pub lines: Vec<String>,
    /// What the lines say.
    pub read: Vec<ReadLine>,
    /// How many of the lines stood in `acl.jsonl`.
    pub authority: u64,
    pub attachments: Vec<(Digest, Vec<u8>)>,
    pub public_key: String,
}

/// A person's name as a commit can hold it. For people who look with git; whose envelope it is, its key says.
fn author(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_control() || matches!(c, '<' | '>') { ' ' } else { c }).collect();
    let says_something = plain.chars().any(char::is_alphanumeric);
    if says_something { plain } else { "Somebody".to_owned() }
}

/// Makes the commit of an envelope. The same draft gives the same commit: Ed25519 is deterministic.
pub fn make(repo: &Repo, key: &DeviceKey, draft: &Draft<'_>) -> Result<Made, RepoError> {
    let git = repo.git();
    let tree = git.find_tree(write_tree(git, draft.acl, draft.ops, draft.attachments)?)?;
    let (acl, ops) = (joined(draft.acl), joined(draft.ops));
    let header = Header {
        device: key.id(),
        seq: draft.seq,
        first: draft.first,
        count: (draft.acl.len() + draft.ops.len()) as u64,
        workspace: draft.workspace.clone(),
        ops: ops.as_deref().map(sha256),
        acl: acl.as_deref().map(sha256),
        prev: draft.previous.as_ref().map(|(_, digest)| digest.clone()),
    };
    let mut parents = Vec::new();
    for oid in draft.previous.iter().map(|(oid, _)| oid).chain(draft.others) {
        parents.push(git.find_commit(Oid::from_str(oid)?)?);
    }
    let who = Signature::new(
        &author(draft.author),
        &format!("{}@cairn.invalid", key.id()),
        &Time::new(draft.now_ms.div_euclid(1000), i32::from(draft.tz_minutes)),
    )?;
    let buffer = git.commit_create_buffer(&who, &who, &header.to_message(), &tree, &parents.iter().collect::<Vec<_>>())?;
    let text = std::str::from_utf8(&buffer).map_err(|e| RepoError::Form(e.to_string()))?;
    let signature = key.sign(keys::GIT, text.as_bytes())?;
    let oid = git.commit_signed(text, signature.trim_end(), Some("gpgsig"))?;
    let object = git.odb()?.read(oid)?.data().to_vec();
    Ok(Made { oid: oid.to_string(), sha256: sha256(&object), object })
}

/// Writes the commit of an envelope again from its bytes and what it holds; returns its id. `None`: these
/// files are not those that it was made with.
pub fn remake(
    repo: &Repo,
    object: &[u8],
    acl: &[String],
    ops: &[String],
    attachments: &[(Digest, Vec<u8>)],
) -> Result<Option<String>, RepoError> {
    let tree = write_tree(repo.git(), acl, ops, attachments)?;
    if !object.starts_with(format!("tree {tree}\n").as_bytes()) {
        return Ok(None);
    }
    repo.write_commit(object).map(Some)
}

fn joined(lines: &[String]) -> Option<Vec<u8>> {
    if lines.is_empty() { None } else { Some(lines.iter().flat_map(|l| [l.as_bytes(), b"\n"].concat()).collect()) }
}

fn write_tree(git: &git2::Repository, acl: &[String], ops: &[String], attachments: &[(Digest, Vec<u8>)]) -> Result<Oid, RepoError> {
    let mut tree = git.treebuilder(None)?;
    if let Some(bytes) = joined(acl) {
        tree.insert("acl.jsonl", git.blob(&bytes)?, 0o100_644)?;
    }
    if let Some(bytes) = joined(ops) {
        tree.insert("ops.jsonl", git.blob(&bytes)?, 0o100_644)?;
    }
    if !attachments.is_empty() {
        let mut folder = git.treebuilder(None)?;
        for (digest, bytes) in attachments {
            folder.insert(digest.as_str(), git.blob(bytes)?, 0o100_644)?;
        }
        tree.insert("att", folder.write()?, 0o040_000)?;
    }
    Ok(tree.write()?)
}

/// Checks a commit that claims to be `device`'s. `key` is the device's public key where it is known;
/// a first envelope may bring its own, which must then hash to the device's id.
pub fn inspect(repo: &Repo, oid: &str, device: &DeviceId, key: Option<&str>) -> Result<Inspected, Fault> {
    let git = repo.git();
    let oid = Oid::from_str(oid)?;
    let odb = git.odb()?;
    let (size, kind) = odb.read_header(oid)?;
    if kind != ObjectType::Commit || size > COMMIT_MAX {
        return Err(Fault::Limit(format!("a commit has at most {COMMIT_MAX} bytes")));
    }
    let raw = odb.read(oid)?;
    let commit = git.find_commit(oid)?;
    let parents: Vec<String> = commit.parent_ids().map(|p| p.to_string()).collect();
    if parents.len() > PARENTS_MAX {
        return Err(Fault::Limit(format!("a commit has at most {PARENTS_MAX} parents")));
    }
    let (signature, signed) = git.extract_signature(&oid, None).map_err(|_| Fault::Unsigned)?;
    let message = commit.message_raw().map_err(|_| Fault::Form("the message is no text".to_owned()))?;
    let header = Header::parse(message).map_err(|e| Fault::Form(e.to_string()))?;
    if &header.device != device {
        return Err(Fault::WrongDevice);
    }

    let mut files = Files::default();
    files.read(git, &commit.tree()?)?;
    if files.acl.as_deref().map(sha256) != header.acl || files.ops.as_deref().map(sha256) != header.ops {
        return Err(Fault::Digest);
    }
    let acl = lines(files.acl.as_deref())?;
    let public_key = match key {
        Some(key) => key.to_owned(),
        None => brought_key(&header, &acl)?,
    };
    if keys::device_id(&public_key).ok().as_ref() != Some(device) {
        return Err(Fault::WrongDevice);
    }
    let signature = signature.as_str().map_err(|_| Fault::Unsigned)?;
    keys::verify(&public_key, keys::GIT, &signed, signature).map_err(|_| Fault::WrongKey)?;

    let mut all = acl;
    let acl_count = all.len();
    all.extend(lines(files.ops.as_deref())?);
    if all.len() as u64 != header.count || all.is_empty() || all.len() > OPS_MAX {
        return Err(Fault::Limit(format!("an envelope holds 1 to {OPS_MAX} operations, and says how many")));
    }
    let mut read = Vec::with_capacity(all.len());
    for (i, line) in all.iter().enumerate() {
        let line = OpLine::read(line).map_err(|e| Fault::Form(format!("line {}: {e}", i + 1)))?;
        if matches!(&line, ReadLine::Known(known) if known.op.is_authority() != (i < acl_count)) {
            return Err(Fault::Form(format!("line {} stands in the wrong file", i + 1)));
        }
        read.push(line);
    }
    let sha256 = sha256(raw.data());
    Ok(Inspected { sha256, header, parents, lines: all, read, authority: acl_count as u64, attachments: files.attachments, public_key })
}

/// The key that a first envelope brings along: of the founder, or of somebody who asks to be let in.
fn brought_key(header: &Header, acl: &[String]) -> Result<String, Fault> {
    let unknown = || Fault::WrongKey;
    if header.seq != 1 {
        return Err(unknown());
    }
    match acl.first().map(|line| OpLine::read(line)) {
        Some(Ok(ReadLine::Known(line))) => match line.op {
            Op::WorkspaceCreated { first, .. } => Ok(first.key.0),
            Op::DeviceRequested { key, .. } => Ok(key.0),
            _ => Err(unknown()),
        },
        _ => Err(unknown()),
    }
}

fn lines(bytes: Option<&[u8]>) -> Result<Vec<String>, Fault> {
    let Some(bytes) = bytes else { return Ok(Vec::new()) };
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Form("the lines are not UTF-8".to_owned()))?;
    let body = text.strip_suffix('\n').ok_or_else(|| Fault::Form("the last line does not end".to_owned()))?;
    Ok(body.split('\n').map(str::to_owned).collect())
}

#[derive(Default)]
struct Files {
    acl: Option<Vec<u8>>,
    ops: Option<Vec<u8>>,
    attachments: Vec<(Digest, Vec<u8>)>,
}

impl Files {
    fn read(&mut self, git: &git2::Repository, tree: &git2::Tree<'_>) -> Result<(), Fault> {
        for entry in tree {
            let name = entry.name().map_err(|_| Fault::Form("a file name is no text".to_owned()))?;
            match (name, entry.filemode()) {
                ("acl.jsonl", 0o100_644) if self.acl.is_none() => self.acl = Some(blob(git, entry.id(), BATCH_MAX)?),
                ("ops.jsonl", 0o100_644) if self.ops.is_none() => self.ops = Some(blob(git, entry.id(), BATCH_MAX)?),
                ("att", 0o040_000) if self.attachments.is_empty() => self.read_attachments(git, entry.id())?,
                _ => return Err(Fault::Form("it holds a file that does not belong there".to_owned())),
            }
        }
        Ok(())
    }

    fn read_attachments(&mut self, git: &git2::Repository, id: Oid) -> Result<(), Fault> {
        let folder = git.find_tree(id)?;
        if folder.len() > ATTACHMENTS_MAX {
            return Err(Fault::Limit(format!("an envelope carries at most {ATTACHMENTS_MAX} files")));
        }
        let mut room = usize::try_from(ATTACHMENTS_BYTES_MAX).unwrap_or(usize::MAX);
        for entry in &folder {
            let digest = entry.name().ok().and_then(|n| Digest::parse(n).ok());
            let (Some(digest), 0o100_644) = (digest, entry.filemode()) else {
                return Err(Fault::Form("an attachment is not named by its digest".to_owned()));
            };
            let bytes = blob(git, entry.id(), usize::try_from(ATTACHMENT_MAX).unwrap_or(usize::MAX).min(room))?;
            room -= bytes.len();
            if sha256(&bytes) != digest {
                return Err(Fault::Digest);
            }
            self.attachments.push((digest, bytes));
        }
        Ok(())
    }
}

/// Reads a file after its size was checked: inflating first would let a few bytes fill the memory.
fn blob(git: &git2::Repository, id: Oid, max: usize) -> Result<Vec<u8>, Fault> {
    let (size, kind) = git.odb()?.read_header(id)?;
    if kind != ObjectType::Blob || size > max {
        return Err(Fault::Limit(format!("a file of {size} bytes; {max} are allowed")));
    }
    Ok(git.find_blob(id)?.content().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_signs_of_git_in_it_stands_in_a_commit_all_the_same() {
        for name in ["Ann <ann@x>", "<>", "...", "", "a\nb\0c", "\u{738b}"] {
            let written = author(name);
            assert!(Signature::new(&written, "x@y", &Time::new(1, 0)).is_ok(), "{name:?}: {written:?}");
        }
        assert_eq!(author("Ana Berg"), "Ana Berg");
    }
}
