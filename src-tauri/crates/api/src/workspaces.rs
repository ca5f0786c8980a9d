//! Creating, joining, opening and unlocking a workspace: the first run.

use crate::error::{person_name, title};
use crate::host::{Host, Workspace};
use crate::people::{Person, RoleName, person, roles};
use crate::{ApiError, sharing};
use cairn_core::decision::RULES;
use cairn_core::id::{Digest, MemberId};
use cairn_core::op::{Admission, Op, PublicKey};
use cairn_core::role::Role;
use cairn_os::secrets;
use cairn_sync::{DeviceKey, keys};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ts_rs::TS;

/// A request that needs nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct Nothing {}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AppStatus {
    pub version: String,
    /// None: the first run.
    pub workspace: Option<WorkspaceInfo>,
    /// Whether the system keyring answers; if not, a passphrase is needed.
    pub keyring: bool,
    pub roles: Vec<RoleName>,
    /// The address that training scripts log to, while it answers.
    pub tracking: Option<String>,
    pub demo: bool,
    /// Why the workspace that was to be opened at the start is not open.
    pub trouble: Option<ApiError>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct WorkspaceInfo {
    pub name: String,
    pub dir: String,
    pub device: String,
    /// Four words that an administrator compares before letting this computer in.
    pub phrase: String,
    /// None: this computer has not been let in yet.
    pub me: Option<Person>,
    pub remote: Option<String>,
    /// What a colleague enters to join: the address, and the fingerprint of this workspace.
    pub invitation: Option<String>,
    /// The sha256 of the workspace's first commit: what an auditor must be told by another way than the bundle.
    pub fingerprint: Option<String>,
    /// The key is locked with a passphrase that has not been entered.
    pub locked: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct CreateWorkspace {
    pub name: String,
    pub person: String,
    #[serde(default)]
    pub email: String,
    /// Working roles; the founder is owner and administrator besides.
    pub roles: Vec<String>,
    #[serde(default)]
    #[ts(optional)]
    pub remote: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub dir: Option<String>,
    /// Keeps the device key in an encrypted file instead of the keyring.
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct JoinWorkspace {
    /// An address, or an invitation with the workspace's fingerprint behind `#`.
    pub address: String,
    pub person: String,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    #[ts(optional)]
    pub dir: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OpenWorkspace {
    pub dir: String,
    /// It belongs to another user of this computer, and is to be opened all the same, from now on.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub adopt: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Unlock {
    pub passphrase: String,
}

pub fn status(host: &Host, _: Nothing) -> Result<AppStatus, ApiError> {
    let workspace = host.current().map(|w| info(&w)).transpose()?;
    let demo = match host.current() {
        Some(w) => w.read(|r| r.local("demo"))?.is_some(),
        None => false,
    };
    Ok(AppStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        keyring: secrets::keyring_answers(),
        roles: Role::ALL.into_iter().map(RoleName::from).collect(),
        tracking: host.tracking(),
        workspace,
        demo,
        trouble: host.trouble(),
    })
}

pub fn info(workspace: &Workspace) -> Result<WorkspaceInfo, ApiError> {
    workspace.read(|r| {
        let acl = r.acl()?;
        let me = workspace.me(r)?;
        let remote = r.local("remote")?;
        let genesis = r.genesis()?;
        let invitation = match (&remote, &genesis) {
            (Some(remote), Some(genesis)) => Some(format!("{remote}#{genesis}")),
            _ => None,
        };
        let public = r.local("public_key")?.unwrap_or_default();
        Ok(WorkspaceInfo {
            name: acl.workspace.clone().unwrap_or_else(|| "A workspace to join".to_owned()),
            dir: workspace.dir().display().to_string(),
            device: workspace.device().to_string(),
            phrase: keys::phrase(&public).unwrap_or_default(),
            me: me.map(|id| person(&acl, id.as_str())),
            remote,
            invitation,
            fingerprint: genesis.map(|g| g.to_string()),
            locked: workspace.key_is_in_file() && workspace.key().is_err(),
        })
    })
}

pub fn create(host: &Host, request: CreateWorkspace) -> Result<AppStatus, ApiError> {
    let name = title("Name of the workspace", &request.name)?;
    let who = person_name("Your name", &request.person)?;
    let mut granted = vec![Role::Owner, Role::Administrator];
    for role in roles(&request.roles)? {
        if !granted.contains(&role) {
            granted.push(role);
        }
    }
    let dir = folder(host, request.dir.as_deref(), name.as_str())?;
    let workspace = begin(host, &dir, request.passphrase.as_deref())?;
    let key = workspace.key()?;
    let first = Admission {
        member: MemberId::from(workspace.device()),
        name: who,
        email: request.email,
        device: workspace.device(),
        device_name: title("Name of this computer", &computer_name())?,
        key: PublicKey(key.public()),
        roles: granted,
        vouch: None,
    };
    workspace.write(|w| {
        w.append(Op::WorkspaceCreated { name, first })?;
        // A new workspace has no releases by older rules, so there is nothing to decide.
        w.append(Op::RulesAdopted { rules: RULES })?;
        if let Some(remote) = request.remote.as_deref().map(str::trim).filter(|r| !r.is_empty()) {
            w.set_local("remote", remote)?;
        }
        Ok::<_, ApiError>(())
    })?;
    // Sealed at once, so that an invitation can name the workspace's fingerprint.
    sharing::seal(&workspace)?;
    enter(host, workspace)
}

pub fn join(host: &Host, request: JoinWorkspace) -> Result<AppStatus, ApiError> {
    let who = person_name("Your name", &request.person)?;
    let typed = request.address.trim();
    if typed.is_empty() {
        return Err(ApiError::invalid("The address is empty").hint("Paste the invitation that an administrator gave you."));
    }
    let (address, pin) = match typed.rsplit_once('#') {
        Some((address, pin)) => {
            let pin = Digest::parse(pin)
                .map_err(|_| ApiError::invalid("The invitation is not complete").hint("Copy all of it, up to the last character."))?;
            (address, Some(pin))
        }
        None => (typed, None),
    };
    let dir = folder(host, request.dir.as_deref(), "joined")?;
    let workspace = begin(host, &dir, request.passphrase.as_deref())?;
    let joined = (|| {
        sharing::first_contact(host, &workspace, address, pin.as_ref())?;
        let key = workspace.key()?;
        workspace.append(Op::DeviceRequested {
            name: who,
            email: request.email.clone(),
            device_name: title("Name of this computer", &computer_name())?,
            key: PublicKey(key.public()),
            vouch: None,
        })?;
        sharing::share_once(host, &workspace)
    })();
    if let Err(error) = joined {
        // Nothing was joined, so nothing is left behind that would stand in the way of a second try.
        let device = workspace.device().to_string();
        drop(workspace);
        if let Err(e) = host.secrets.delete(&device) {
            tracing::debug!("no key to remove: {e}");
        }
        std::fs::remove_dir_all(&dir).map_err(|e| ApiError::from(cairn_store::StoreError::from(e)))?;
        return Err(error);
    }
    enter(host, workspace)
}

pub fn open(host: &Host, request: OpenWorkspace) -> Result<AppStatus, ApiError> {
    let dir = PathBuf::from(&request.dir);
    if request.adopt {
        cairn_os::paths::adopt(&host.home, &dir).map_err(cairn_store::StoreError::from)?;
    }
    host.open(&dir)?;
    remember(host, &dir);
    status(host, Nothing {})
}

pub fn unlock(host: &Host, request: Unlock) -> Result<AppStatus, ApiError> {
    host.workspace()?.unlock(&request.passphrase)?;
    status(host, Nothing {})
}

/// A key, safely kept, and an empty workspace file for it: in that order, so that there is never a
/// workspace whose key was lost.
fn begin(host: &Host, dir: &Path, passphrase: Option<&str>) -> Result<Workspace, ApiError> {
    let key = DeviceKey::generate()?;
    let in_file = passphrase.filter(|p| !p.is_empty());
    if let Some(phrase) = in_file {
        if phrase.chars().count() < 8 {
            return Err(ApiError::invalid("The passphrase is too short").hint("Take at least eight characters, better a few words."));
        }
        std::fs::create_dir_all(dir).map_err(cairn_store::StoreError::from)?;
        secrets::write_key_file(dir, key.id().as_str(), &key.to_encrypted_text(phrase)?)?;
    } else {
        host.secrets.set(key.id().as_str(), &key.to_text()?)?;
    }
    let public = key.public();
    let workspace = Workspace::create(dir, key, Arc::clone(&host.edge), Arc::clone(&host.secrets))?;
    workspace.write(|w| w.set_local("public_key", &public))?;
    Ok(workspace)
}

fn enter(host: &Host, workspace: Workspace) -> Result<AppStatus, ApiError> {
    remember(host, workspace.dir());
    host.set_current(Arc::new(workspace));
    status(host, Nothing {})
}

fn remember(host: &Host, dir: &Path) {
    // Only a convenience for the next start: the workspace itself is there and open.
    if let Err(error) = cairn_os::paths::remember_workspace(&host.home, dir) {
        tracing::warn!("the last workspace was not remembered: {error}");
    }
}

fn folder(host: &Host, asked: Option<&str>, name: &str) -> Result<PathBuf, ApiError> {
    let dir = match asked.map(str::trim).filter(|d| !d.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => cairn_os::paths::default_workspace(&host.home, name),
    };
    let in_use = dir.join("cairn.db").exists() || std::fs::read_dir(&dir).is_ok_and(|mut d| d.next().is_some());
    if in_use {
        return Err(ApiError::conflict(format!("The folder {} is not empty", dir.display()))
            .hint("Choose another folder, or open the workspace that is there."));
    }
    Ok(dir)
}

fn computer_name() -> String {
    std::fs::read_to_string("/etc/hostname")
        .ok()
        .map(|n| n.trim().to_owned())
        .filter(|n| !n.is_empty())
        .unwrap_or_else(|| "This computer".to_owned())
}

/// The workspace that was opened last on this computer.
pub fn last() -> Option<PathBuf> {
    cairn_os::paths::last_workspace(&cairn_os::paths::home())
}
