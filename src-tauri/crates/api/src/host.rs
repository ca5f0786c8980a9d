//! The host of the commands: which workspace is open, and what the world looks like.

use crate::ApiError;
use cairn_core::edge::Edge;
use cairn_core::id::{DeviceId, MemberId};
use cairn_core::op::Op;
use cairn_os::secrets::{SecretStore, key_file};
use cairn_store::{Author, Reader, Store, StoreError, Writer};
use cairn_sync::DeviceKey;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// One per process.
pub struct Host {
    pub edge: Arc<dyn Edge>,
    pub secrets: Arc<dyn SecretStore>,
    /// Where new workspaces go when no folder is named.
    pub home: PathBuf,
    workspace: RwLock<Option<Arc<Workspace>>>,
    /// Where the loopback service of this workspace answers, if the host knows.
    tracking: RwLock<Option<String>>,
    /// Why the workspace that was to be opened at the start is not open.
    trouble: RwLock<Option<ApiError>>,
}

/// An open workspace.
pub struct Workspace {
    pub store: Store,
    pub device: DeviceId,
    pub edge: Arc<dyn Edge>,
    secrets: Arc<dyn SecretStore>,
    key: Mutex<Option<DeviceKey>>,
}

impl Host {
    pub fn new(edge: Arc<dyn Edge>, secrets: Arc<dyn SecretStore>, home: PathBuf) -> Self {
        Self { edge, secrets, home, workspace: RwLock::new(None), tracking: RwLock::new(None), trouble: RwLock::new(None) }
    }

    /// The host of the real program.
    pub fn system() -> Self {
        Self::new(Arc::new(crate::edge::SystemEdge), Arc::new(cairn_os::secrets::SystemKeyring), cairn_os::paths::home())
    }

    /// The open workspace; an error that says what to do when there is none.
    pub fn workspace(&self) -> Result<Arc<Workspace>, ApiError> {
        self.current().ok_or_else(|| {
            ApiError::new("no_workspace", "No workspace is open").hint("Create one, join one, or name its folder with --workspace.")
        })
    }

    pub fn current(&self) -> Option<Arc<Workspace>> {
        self.workspace.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the workspace in a folder and makes it the current one.
    pub fn open(&self, dir: &Path) -> Result<Arc<Workspace>, ApiError> {
        let opened = Arc::new(Workspace::open(dir, Arc::clone(&self.edge), Arc::clone(&self.secrets))?);
        self.set_current(Arc::clone(&opened));
        Ok(opened)
    }

    pub fn set_current(&self, workspace: Arc<Workspace>) {
        *self.workspace.write().unwrap_or_else(PoisonError::into_inner) = Some(workspace);
        self.set_trouble(None);
    }

    pub fn set_trouble(&self, trouble: Option<ApiError>) {
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
    pub fn trouble(&self) -> Option<ApiError> {
        self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_tracking(&self, url: Option<String>) {
        *self.tracking.write().unwrap_or_else(PoisonError::into_inner) = url;
    }
    pub fn tracking(&self) -> Option<String> {
        self.tracking.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Workspace {
    pub fn open(dir: &Path, edge: Arc<dyn Edge>, secrets: Arc<dyn SecretStore>) -> Result<Self, ApiError> {
        let store = Store::open(dir)?;
        let device = store.read(|r| r.local("device"))?;
        let device = device.ok_or_else(|| ApiError::new("damaged", "The workspace file does not say which computer it belongs to"))?;
        Ok(Self { store, device: DeviceId::parse(device)?, edge, secrets, key: Mutex::new(None) })
    }

    /// A new workspace file for this computer's new key.
    pub fn create(dir: &Path, key: DeviceKey, edge: Arc<dyn Edge>, secrets: Arc<dyn SecretStore>) -> Result<Self, ApiError> {
        let store = Store::create(dir)?;
        let device = key.id();
        let author = Author { device: &device, edge: edge.as_ref() };
        store.write(&author, |w| w.set_local("device", device.as_str()))?;
        Ok(Self { store, device, edge, secrets, key: Mutex::new(Some(key)) })
    }

    pub fn dir(&self) -> &Path {
        self.store.dir()
    }

    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, E>) -> Result<T, E> {
        self.store.read(work)
    }

    pub fn write<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>) -> Result<T, E> {
        self.store.write(&Author { device: &self.device, edge: self.edge.as_ref() }, work)
    }

    /// Appends one operation.
    pub fn append(&self, op: Op) -> Result<(), ApiError> {
        self.write(|w| w.append(op).map(drop)).map_err(ApiError::from)
    }

    /// The member that sits at this computer, once it has been let in.
    pub fn me(&self, reader: &Reader<'_>) -> Result<Option<MemberId>, StoreError> {
        Ok(reader.acl()?.member_of(&self.device).map(|(id, _)| id.clone()))
    }

    /// The device key: from memory, the keyring, or the passphrase file that was unlocked.
    pub fn key(&self) -> Result<DeviceKey, ApiError> {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = held.as_ref() {
            return Ok(key.clone());
        }
        let key = if key_file(self.dir()).is_file() {
            let Ok(passphrase) = std::env::var("CAIRN_PASSPHRASE") else {
                return Err(ApiError::new("locked", "This computer's key is locked with a passphrase")
                    .hint("Enter the passphrase in the window, or set CAIRN_PASSPHRASE for the command line."));
            };
            self.read_key_file(&passphrase)?
        } else {
            DeviceKey::from_text(&self.secrets.get(self.device.as_str())?, None)?
        };
        *held = Some(key.clone());
        Ok(key)
    }

    /// Opens the encrypted key file for as long as the program runs.
    pub fn unlock(&self, passphrase: &str) -> Result<(), ApiError> {
        let key = self.read_key_file(passphrase)?;
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(())
    }

    fn read_key_file(&self, passphrase: &str) -> Result<DeviceKey, ApiError> {
        let text = std::fs::read_to_string(key_file(self.dir())).map_err(cairn_os::secrets::SecretError::from)?;
        let key = DeviceKey::from_text(&text, Some(passphrase))?;
        if key.id() == self.device { Ok(key) } else { Err(ApiError::new("key", "The key file belongs to another workspace")) }
    }
}
