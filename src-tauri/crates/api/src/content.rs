//! The content of files, wherever it is: on this computer, at an address, or in the team's object store.

use crate::host::Workspace;
use crate::tracking::files::{Artifact, changed_since};
use crate::{ApiError, settings};
use cairn_core::id::Digest;
use cairn_core::op::files_of;
use cairn_core::setting::Setting;
use cairn_objects::{Login, ObjectError, Objects, local_path};
use cairn_sync::Errand;
use std::path::PathBuf;

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        let hint = match &error {
            ObjectError::Address(_) => "It looks like s3://bucket/folder, gs://…, az://…, https://… or file:///folder.",
            ObjectError::NotFound(_) => "Whoever has the file may not have shared it yet.",
            ObjectError::Denied | ObjectError::NoLogin => "Sign in to the object store under Sharing and settings.",
            ObjectError::Unreachable(_) => "Your work is safe here; it is tried again with the next round of sharing.",
            ObjectError::TooLarge(_) => "Get it with `cairn file`, which has no limit.",
            ObjectError::Stopped => return Self::new("stopped", error.to_string()),
            ObjectError::Io(_) | ObjectError::Other(_) => return Self::new("io", error.to_string()),
        };
        let code = if matches!(error, ObjectError::Unreachable(_)) { "offline" } else { "object_store" };
        Self::new(code, error.to_string()).hint(hint)
    }
}

/// An address without its folder: a login is for all of a bucket.
fn login_name(address: &str) -> String {
    let end = address.find("://").map_or(0, |at| at + 3);
    let host = address[end..].split(['/', '?']).next().unwrap_or_default();
    format!("objects {}{host}", &address[..end])
}

/// The login of this computer's user, if they gave one.
pub(crate) fn login(workspace: &Workspace, address: &str) -> Option<Login> {
    let kept = workspace.secrets().get(&login_name(address)).ok()?;
    let (name, secret) = kept.split_once('\n')?;
    Some(Login { name: name.to_owned(), secret: secret.to_owned() })
}

/// Keeps a login in the system keyring; without a secret it is forgotten.
pub(crate) fn set_login(workspace: &Workspace, address: &str, name: &str, secret: &str) -> Result<(), ApiError> {
    let entry = login_name(address);
    if secret.is_empty() {
        workspace.secrets().delete(&entry)?;
    } else {
        workspace.secrets().set(&entry, &format!("{}\n{secret}", name.trim()))?;
    }
    Ok(())
}

/// The team's object store, if it has one.
pub(crate) fn team_store(workspace: &Workspace) -> Result<Option<Objects>, ApiError> {
    let address = workspace.read(|r| settings::text(r, Setting::ObjectStore))?;
    if address.is_empty() {
        return Ok(None);
    }
    let login = login(workspace, &address);
    Ok(Some(Objects::open(&address, login.as_ref())?))
}

/// What a file is called in the store: its digest, spread over folders.
fn object_name(digest: &Digest) -> String {
    let (head, tail) = digest.as_str().split_at(2);
    format!("{head}/{tail}")
}

/// The file of a digest on this computer; fetched from the team's object store if it is not here.
pub fn stored(workspace: &Workspace, digest: &Digest, most: u64) -> Result<PathBuf, ApiError> {
    let path = workspace.store.blob_path(digest);
    if path.is_file() {
        return Ok(path);
    }
    let Some(store) = team_store(workspace)? else {
        return Err(ApiError::new("elsewhere", "The content lies on the computer that logged it: it is larger than what is shared")
            .hint("Whoever administers the workspace can name an object store for large files."));
    };
    let mut incoming = workspace.store.incoming()?;
    store.fetch(&object_name(digest), &mut incoming, most, &|| true)?;
    let (found, _) = workspace.store.keep_incoming(incoming)?;
    if found != *digest {
        // It lies under its own digest now, without an owner, until a clean-up takes it.
        return Err(ApiError::new("object_store", "The object store gave another content than the one that was logged")
            .hint("Somebody changed it there. The log still says which content it was."));
    }
    Ok(path)
}

/// The file of an artifact on this computer, wherever it comes from.
pub fn file_of(workspace: &Workspace, artifact: &Artifact, most: u64) -> Result<PathBuf, ApiError> {
    if let Some(digest) = artifact.stored() {
        return stored(workspace, digest, most);
    }
    if let Some(digest) = artifact.digest.as_ref().filter(|d| workspace.store.blob_path(d).is_file()) {
        return Ok(workspace.store.blob_path(digest));
    }
    let Some(reference) = &artifact.reference else { return Err(ApiError::not_found("The file")) };
    if let Some(path) = local_path(&reference.address) {
        if let Some(why) = changed_since(&path, artifact) {
            return Err(ApiError::new("changed", format!("The file at {} is not what the run saw: {why}", path.display()))
                .hint("It was referred to, not copied. Log a file itself to keep it for ever."));
        }
        return Ok(path);
    }
    let login = login(workspace, &reference.address);
    let place = Objects::open(&reference.address, login.as_ref())?;
    let about = place.about("")?;
    if reference.version.is_some() && about.version != reference.version {
        return Err(ApiError::new(
            "changed",
            format!("What lies at {} is not what the run saw: it has another version now", reference.address),
        )
        .hint("It was referred to, not copied. Log a file itself to keep it for ever."));
    }
    let mut incoming = workspace.store.incoming()?;
    place.fetch("", &mut incoming, most, &|| true)?;
    // Kept like a cache: a clean-up takes it when nothing else has this content.
    let (digest, size) = workspace.store.keep_incoming(incoming)?;
    if artifact.size.is_some_and(|was| was != size) || artifact.digest.as_ref().is_some_and(|was| *was != digest) {
        return Err(ApiError::new("changed", format!("What lies at {} is not what the run saw", reference.address))
            .hint("It was referred to, not copied. Log a file itself to keep it for ever."));
    }
    Ok(workspace.store.blob_path(&digest))
}

/// The name of the smallest limit that this computer ever sealed under.
const SEALED_UNDER: &str = "sealed_under";

pub(crate) fn sealed_under(r: &cairn_store::Reader<'_>) -> Result<Option<u64>, ApiError> {
    Ok(r.local(SEALED_UNDER)?.and_then(|n| n.parse().ok()))
}

/// Takes note of the limit that is sealed under now.
pub(crate) fn seal_under(workspace: &Workspace, limit: u64) -> Result<(), ApiError> {
    if workspace.read(sealed_under)?.is_none_or(|least| limit < least) {
        workspace.write(|w| w.set_local(SEALED_UNDER, &limit.to_string()).map_err(ApiError::from))?;
    }
    Ok(())
}

/// Sends this computer's files that are too large for git to the team's object store. Returns how many.
pub(crate) fn send_large(workspace: &Workspace, errand: &Errand) -> Result<u64, ApiError> {
    let (address, small, most) = workspace.read(|r| {
        Ok::<_, ApiError>((
            settings::text(r, Setting::ObjectStore)?,
            // Git carried only what was small enough for every limit that this computer ever sealed under.
            sealed_under(r)?.unwrap_or(0).min(settings::number(r, Setting::SharedFileMax)?),
            settings::number(r, Setting::StoredFileMax)?,
        ))
    })?;
    if address.is_empty() {
        return Ok(0);
    }
    // Each store has seen the operations up to a number of its own; a smaller limit for git begins anew.
    let mark = format!("objects_sent {small} {most} {address}");
    let device = workspace.device();
    let from: u64 = workspace.read(|r| r.local(&mark))?.and_then(|n| n.parse().ok()).unwrap_or(0);
    let lines = workspace.read(|r| r.lines_with_files(&device, from))?;
    let Some((last, _)) = lines.last() else { return Ok(0) };
    let last = *last;
    // Opened when there is something to send: whoever has nothing needs no login.
    let mut open: Option<Objects> = None;
    let mut sent = 0;
    for (n, line) in &lines {
        for (digest, size) in files_of(line) {
            let path = workspace.store.blob_path(&digest);
            if size <= small || size > most || !path.is_file() {
                continue;
            }
            errand.at("Sending large files", sent, None);
            let store = match &mut open {
                Some(store) => store,
                none => none.insert(team_store(workspace)?.ok_or_else(|| ApiError::not_found("The object store"))?),
            };
            let there = match store.about(&object_name(&digest)) {
                Ok(about) => about.size == size,
                Err(ObjectError::NotFound(_)) => false,
                Err(error) => return Err(error.into()),
            };
            if !there {
                store.send(&object_name(&digest), &path, &|| !errand.cancelled())?;
                sent += 1;
            }
        }
        workspace.write(|w| w.set_local(&mark, &n.to_string()))?;
    }
    workspace.write(|w| w.set_local(&mark, &last.to_string()))?;
    Ok(sent)
}
