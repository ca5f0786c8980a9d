//! The files of runs and logged models: content that the workspace holds by its digest, and references
//! to files that stay where they are.

use super::TrackingError;
use super::runs::not_found;
use super::validate::artifact_path;
use crate::host::Workspace;
use cairn_core::id::Digest;
use cairn_core::op::{Kind, Op, Subject};
use cairn_ingest::mlflow_db::files_below;
use cairn_objects::{Objects, is_address, local_address};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde_json::Value;
use std::path::Path;

/// The most files of a folder that are referred to at once.
const FOLDER_MAX: usize = 10_000;

/// A file of a run or of a logged model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub path: String,
    /// Of a reference: nobody may have computed it.
    pub digest: Option<Digest>,
    pub size: Option<u64>,
    /// Where a file lies that the workspace does not hold.
    pub reference: Option<Reference>,
}

/// A file that stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub address: String,
    /// What its keeper said of this very content.
    pub version: Option<String>,
}

impl Artifact {
    /// The digest of content that the workspace holds.
    pub fn stored(&self) -> Option<&Digest> {
        if self.reference.is_none() { self.digest.as_ref() } else { None }
    }
}

pub fn artifacts(r: &Reader<'_>, kind: Kind, id: &str) -> Result<Vec<Artifact>, TrackingError> {
    let owner = r.record(kind, id)?.ok_or_else(|| not_found(id))?;
    Ok(artifacts_of(&owner))
}

pub(crate) fn artifacts_of(owner: &Record) -> Vec<Artifact> {
    owner
        .pairs("artifact")
        .into_iter()
        .filter_map(|(path, value)| {
            let value: Value = serde_json::from_str(&value).ok()?;
            let text = |name: &str| value[name].as_str().map(str::to_owned);
            let digest = text("digest").and_then(|d| Digest::parse(d).ok());
            let reference = text("address").map(|address| Reference { address, version: text("version") });
            // What says neither is from a later version of the program; a path that leads out of its folder is
            // from a hostile one, and nobody may ever write to it.
            (artifact_path(&path).is_ok() && (digest.is_some() || reference.is_some())).then(|| Artifact {
                path,
                digest,
                size: value["size"].as_u64(),
                reference,
            })
        })
        .collect()
}

/// Stores a file of a run or logged model; the same content is kept once.
pub fn put_artifact(workspace: &Workspace, kind: Kind, id: &str, path: &str, bytes: &[u8]) -> Result<(), TrackingError> {
    artifact_path(path)?;
    let digest = workspace.store.put_blob(bytes)?;
    add_artifact(workspace, kind, id, path, digest, bytes.len() as u64)
}

/// Says that a file whose content is stored belongs to a run or logged model.
pub fn add_artifact(workspace: &Workspace, kind: Kind, id: &str, path: &str, digest: Digest, size: u64) -> Result<(), TrackingError> {
    artifact_path(path)?;
    workspace.write(|w| {
        let known = w.record(kind, id)?.ok_or_else(|| not_found(id))?;
        // A client that sends a file again because an answer got lost changes nothing.
        if artifacts_of(&known).iter().any(|a| a.path == path && a.stored() == Some(&digest)) {
            return Ok(());
        }
        let owner = Subject { kind, id: id.to_owned() };
        w.append(Op::ArtifactLogged { owner, path: path.to_owned(), digest, size })?;
        Ok(())
    })
}

/// A file to refer to, as far as it is known.
struct Referred {
    path: String,
    address: String,
    digest: Option<Digest>,
    size: Option<u64>,
    version: Option<String>,
}

/// Refers to a file that stays where it is, or to each file of a folder. `address` is a path of this
/// computer, or an address in an object store; with `/` at its end: a folder there.
/// Returns how many files that are.
pub fn refer(workspace: &Workspace, kind: Kind, id: &str, path: &str, address: &str) -> Result<usize, TrackingError> {
    artifact_path(path)?;
    let found = if is_address(address) && !address.starts_with("file:") {
        stored_elsewhere(workspace, path, address)?
    } else {
        on_this_computer(path, address)?
    };
    if found.is_empty() {
        return Err(TrackingError::NotFound(format!("{address} holds no files")));
    }
    for file in &found {
        artifact_path(&file.path)?;
    }
    let count = found.len();
    workspace.write(|w| {
        let known = artifacts_of(&w.record(kind, id)?.ok_or_else(|| not_found(id))?);
        for file in found {
            let same = |a: &&Artifact| {
                a.path == file.path
                    && a.digest == file.digest
                    && a.reference.as_ref().is_some_and(|r| r.address == file.address && r.version == file.version)
            };
            if known.iter().find(same).is_none() {
                w.append(Op::ArtifactReferenced {
                    owner: Subject { kind, id: id.to_owned() },
                    path: file.path,
                    address: file.address,
                    digest: file.digest,
                    size: file.size,
                    version: file.version,
                })?;
            }
        }
        Ok::<_, TrackingError>(())
    })?;
    Ok(count)
}

fn on_this_computer(path: &str, address: &str) -> Result<Vec<Referred>, TrackingError> {
    let bad = |why: &dyn std::fmt::Display| TrackingError::Invalid(format!("{address} cannot be referred to: {why}"));
    let given = cairn_objects::local_path(address).unwrap_or_else(|| address.into());
    let top = given.canonicalize().map_err(|e| bad(&e))?;
    let files = if top.is_dir() { files_below(&top) } else { vec![(String::new(), top)] };
    if files.len() > FOLDER_MAX {
        return Err(bad(&format!("the folder holds more than {FOLDER_MAX} files")));
    }
    let mut found = Vec::new();
    for (below, file) in files {
        let (digest, size) = cairn_ingest::source::digest_of(&file).map_err(|e| bad(&e))?;
        let path = if below.is_empty() { path.to_owned() } else { format!("{path}/{below}") };
        let address = local_address(&file).ok_or_else(|| bad(&"its path has no address"))?;
        found.push(Referred { path, address, digest: Some(digest), size: Some(size), version: None });
    }
    Ok(found)
}

fn stored_elsewhere(workspace: &Workspace, path: &str, address: &str) -> Result<Vec<Referred>, TrackingError> {
    let login = crate::content::login(workspace, address);
    let place =
        Objects::open(address, login.as_ref()).map_err(|e| TrackingError::Invalid(format!("{address} cannot be referred to: {e}")))?;
    let failed = |e: cairn_objects::ObjectError| TrackingError::Invalid(format!("{address} cannot be referred to: {e}"));
    if cairn_objects::is_folder(address) {
        let found = place.list(FOLDER_MAX + 1).map_err(failed)?;
        if found.len() > FOLDER_MAX {
            return Err(TrackingError::Invalid(format!("{address} cannot be referred to: it holds more than {FOLDER_MAX} files")));
        }
        return Ok(found
            .into_iter()
            .map(|(name, about)| Referred {
                path: format!("{path}/{name}"),
                address: cairn_objects::below(address, &name),
                digest: None,
                size: Some(about.size),
                version: about.version,
            })
            .collect());
    }
    let about = place.about("").map_err(failed)?;
    Ok(vec![Referred { path: path.to_owned(), address: address.to_owned(), digest: None, size: Some(about.size), version: about.version }])
}

/// Whether a file of this computer is still what a reference says; in words what differs.
///
/// A path that a colleague wrote is followed only to the content that they named by its fingerprint: else a
/// reference could show, or serve to other programs, any file of whoever looks at it.
pub(crate) fn changed_since(file: &Path, artifact: &Artifact) -> Option<String> {
    let size = match std::fs::metadata(file) {
        // A device or a pipe has no end, and no content of its own.
        Ok(about) if !about.is_file() => return Some("it is no file".to_owned()),
        Ok(about) => about.len(),
        Err(error) => return Some(format!("it cannot be read any more: {error}")),
    };
    if artifact.size.is_some_and(|was| was != size) {
        return Some(format!("it has {size} bytes now, and had {}", artifact.size.unwrap_or(0)));
    }
    let md5 = artifact.reference.as_ref().and_then(|r| r.version.as_deref()).and_then(|v| v.strip_prefix("md5:"));
    let same = match (&artifact.digest, md5) {
        (Some(digest), _) => cairn_ingest::source::digest_of(file).is_ok_and(|(found, _)| found == *digest),
        (None, Some(md5)) => cairn_ingest::dvc::md5_of_file(file).is_ok_and(|found| found == md5),
        (None, None) => return Some("nobody took its fingerprint, so what it is cannot be told".to_owned()),
    };
    (!same).then(|| "its content is another one now".to_owned())
}

/// Takes a file out of the list of a run or logged model; others may still use its content.
pub fn remove_artifact(workspace: &Workspace, kind: Kind, id: &str, path: &str) -> Result<(), TrackingError> {
    workspace.write(|w| {
        let found = w.record(kind, id)?.ok_or_else(|| not_found(id))?;
        let below = format!("{path}/");
        let gone: Vec<String> = artifacts_of(&found).into_iter().map(|a| a.path).filter(|p| p == path || p.starts_with(&below)).collect();
        if gone.is_empty() {
            return Err(TrackingError::NotFound(format!("No artifact at {path}")));
        }
        for path in gone {
            w.append(Op::ArtifactRemoved { owner: Subject { kind, id: id.to_owned() }, path })?;
        }
        Ok(())
    })
}
