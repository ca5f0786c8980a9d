//! The recovery key: printed once, kept offline, and able to make an owner when no owner can act.

use crate::ApiError;
use crate::host::Host;
use crate::members::{self, Members};
use crate::sharing;
use crate::workspaces::Nothing;
use cairn_core::id::{MemberId, OpId};
use cairn_core::op::{Admission, Change, Op, PublicKey};
use cairn_core::role::Role;
use cairn_core::text::Title;
use cairn_report::recovery::{Sheet, pdf};
use cairn_store::Reader;
use cairn_sync::{DeviceKey, keys};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use ts_rs::TS;

/// A new recovery key. The words are shown once and kept nowhere.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Printed {
    pub words: Vec<String>,
    /// Four words for its public half: they tell which print is in force.
    pub phrase: String,
    /// Whether it is in force already, or waits for the other owners.
    pub in_force: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveSheet {
    pub words: Vec<String>,
    /// The file to write, `…/recovery-key.pdf`.
    pub path: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SavedSheet {
    pub path: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UseRecovery {
    /// The 24 words, as typed or scanned.
    pub words: String,
    /// The member whose place is taken: yourself, if you were in before. None: a new member.
    #[serde(default)]
    #[ts(optional)]
    pub member: Option<String>,
}

/// Makes a new key and asks the owners to put it in force; a sole owner has decided by asking.
pub fn create(host: &Host, _: Nothing) -> Result<Printed, ApiError> {
    let workspace = host.workspace()?;
    let key = DeviceKey::generate()?;
    let change = Change::SetRecovery { device: key.id(), key: PublicKey(key.public()) };
    workspace.append(Op::QuorumProposed { change })?;
    let in_force = workspace.read(|r| r.acl())?.recovery == Some(key.id());
    Ok(Printed { words: key.words()?, phrase: keys::phrase(&key.public())?, in_force })
}

/// Writes the sheet to print.
pub fn sheet(host: &Host, request: SaveSheet) -> Result<SavedSheet, ApiError> {
    let workspace = host.workspace()?;
    let key = key_of(&request.words.join(" "))?;
    let (name, address) =
        workspace.read(|r| Ok::<_, ApiError>((r.acl()?.workspace.clone().unwrap_or_default(), r.local("remote")?.unwrap_or_default())))?;
    let (phrase, day) = (keys::phrase(&key.public())?, crate::edge::day(workspace.edge.now_ms(), workspace.edge.tz_minutes()));
    let bytes = pdf(&Sheet { workspace: &name, words: &request.words, phrase: &phrase, day: &day, address: &address })
        .map_err(|e| ApiError::new("internal", e.to_string()))?;
    let path = PathBuf::from(&request.path);
    // The words are in it: for its owner's eyes only, also where the file is there already with wider rights.
    cairn_os::paths::write_private(&path, &bytes).map_err(|e| {
        ApiError::new("io", format!("{} could not be written: {e}", path.display())).hint("Choose another folder, such as a memory stick.")
    })?;
    Ok(SavedSheet { path: request.path })
}

/// Lets the computer at which somebody types the words in as an owner's.
pub fn use_it(host: &Host, request: UseRecovery) -> Result<Members, ApiError> {
    let workspace = host.workspace()?;
    let key = key_of(&request.words)?;
    sharing::share(host, Nothing {})?;
    let acl = workspace.read(|r| r.acl())?;
    if acl.recovery.as_ref() != Some(&key.id()) {
        return Err(ApiError::conflict("These words are of no recovery key that is in force")
            .hint("A newer sheet may have been printed, or the words belong to another workspace."));
    }
    let me = workspace.device();
    let asked = acl.requests.iter().find(|q| q.device == me).ok_or_else(|| {
        ApiError::conflict("This computer is in the workspace already")
            .hint("The recovery key lets a new computer in. Join the workspace from one that is not in it.")
    })?;
    let title = |text: &str| Title::parse(text).map_err(|e| ApiError::invalid(e.to_string()));
    let (member, name, email) = match request.member.map(MemberId::parse).transpose()? {
        Some(id) => {
            let known = acl.members.get(&id).ok_or_else(|| ApiError::not_found("This member"))?;
            (id, known.name.clone(), known.email.clone())
        }
        None => (MemberId::from(me), asked.name.clone(), asked.email.clone()),
    };
    let admission = Admission {
        member,
        name: title(&name)?,
        email,
        device: asked.device.clone(),
        device_name: title(&asked.device_name)?,
        key: PublicKey(asked.key.clone()),
        roles: vec![Role::Owner],
        vouch: None,
    };
    sharing::write_as(host, &workspace, &key, Op::MemberAdmitted(admission), "The recovery key was used.")?;
    sharing::share(host, Nothing {})?;
    members::list(host, Nothing {})
}

/// What somebody did with the recovery key and this computer's person has not said to have seen.
pub(crate) fn unseen(r: &Reader<'_>) -> Result<Vec<OpId>, ApiError> {
    let seen = r.local(SEEN)?.unwrap_or_default();
    let seen: Vec<&str> = seen.split(' ').collect();
    Ok(r.acl()?.recovery_uses.iter().filter(|id| !seen.contains(&id.to_string().as_str())).cloned().collect())
}

const SEEN: &str = "recovery_seen";

/// Says that the person at this computer knows of every use of the recovery key.
pub fn seen(host: &Host, _: Nothing) -> Result<bool, ApiError> {
    host.workspace()?.write(|w| {
        let all: Vec<String> = w.acl()?.recovery_uses.iter().map(ToString::to_string).collect();
        w.set_local(SEEN, &all.join(" "))?;
        w.touch("member");
        Ok::<_, ApiError>(true)
    })
}

fn key_of(words: &str) -> Result<DeviceKey, ApiError> {
    DeviceKey::from_words(words).map_err(|e| {
        ApiError::invalid(format!("These are not the words of a recovery key: {e}"))
            .hint("There are 24 words; type them in their order, with spaces between. Capital letters do not matter.")
    })
}
