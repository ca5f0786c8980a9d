//! The host of the commands: which workspace is open, and what the world looks like.

use crate::ApiError;
use crate::overview::Loaded;
use cairn_core::edge::Edge;
use cairn_core::id::{DeviceId, MemberId};
use cairn_core::op::Op;
use cairn_os::secrets::{SecretStore, key_file, write_key_file};
use cairn_store::{Reader, Store, StoreError, Writer};
use cairn_sync::{DeviceKey, Errand};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

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
    /// The round of sharing that runs in this process.
    errand: RwLock<Option<Arc<Errand>>>,
    /// The import of runs that goes on in this process.
    import: RwLock<Option<Arc<Errand>>>,
    /// Looks at the programs that begin runs.
    pub(crate) origins: crate::tracking::origin::Recorder,
    /// The program that answers git's question for a name and a secret: this one, usually.
    pub askpass: Option<PathBuf>,
}

/// An open workspace.
pub struct Workspace {
    pub store: Store,
    device: Mutex<DeviceId>,
    pub edge: Arc<dyn Edge>,
    secrets: Arc<dyn SecretStore>,
    /// Held for as long as the program runs, so that nobody is asked twice.
    unlocked: Mutex<Unlocked>,
    /// All projects as they were at a change: the first page, the list of all and others ask for the same. A panic while it is
    /// held leaves nothing kept.
    overview: Mutex<Option<(i64, Arc<Loaded>)>>,
}

#[derive(Default)]
struct Unlocked {
    key: Option<DeviceKey>,
    passphrase: Option<String>,
}

impl Host {
    pub fn new(edge: Arc<dyn Edge>, secrets: Arc<dyn SecretStore>, home: PathBuf) -> Self {
        Self {
            edge,
            secrets,
            home,
            workspace: RwLock::new(None),
            tracking: RwLock::new(None),
            trouble: RwLock::new(None),
            errand: RwLock::new(None),
            import: RwLock::new(None),
            origins: crate::tracking::origin::Recorder::default(),
            askpass: None,
        }
    }

    /// The host of the real program.
    pub fn system() -> Self {
        let mut host = Self::new(Arc::new(crate::edge::SystemEdge), Arc::new(cairn_os::secrets::SystemKeyring), cairn_os::paths::home());
        host.askpass = std::env::current_exe().ok();
        host
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
    ///
    /// # Errors
    /// `foreign_folder` where it belongs to another user of this computer and nobody here said to open it.
    pub fn open(&self, dir: &Path) -> Result<Arc<Workspace>, ApiError> {
        let files = ["cairn.db", "git"];
        if cairn_os::paths::is_foreign(dir, &files) && !cairn_os::paths::is_adopted(&self.home, dir) {
            return Err(ApiError::new("foreign_folder", format!("{} belongs to another user of this computer", dir.display())).hint(
                "Whoever it belongs to decides what is in it. If you trust it, open it once with `cairn adopt DIR`, or copy it to a folder of yours.",
            ));
        }
        let opened = Arc::new(Workspace::open(dir, Arc::clone(&self.edge), Arc::clone(&self.secrets))?);
        if let Err(error) = crate::sharing::finish(&opened) {
            // The key may be locked; the next round of sharing finishes it.
            tracing::info!("a change of keys waits: {error}");
        }
        self.set_current(Arc::clone(&opened));
        Ok(opened)
    }

    /// Lets go of the open workspace.
    pub fn close(&self) {
        *self.workspace.write().unwrap_or_else(PoisonError::into_inner) = None;
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

    pub fn set_errand(&self, errand: Option<Arc<Errand>>) {
        *self.errand.write().unwrap_or_else(PoisonError::into_inner) = errand;
    }
    pub fn errand(&self) -> Option<Arc<Errand>> {
        self.errand.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_import(&self, errand: Option<Arc<Errand>>) {
        *self.import.write().unwrap_or_else(PoisonError::into_inner) = errand;
    }
    pub(crate) fn import(&self) -> Option<Arc<Errand>> {
        self.import.read().unwrap_or_else(PoisonError::into_inner).clone()
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
        let store = crate::repair::open(dir, &edge, &secrets)?;
        if store.read(|r| r.local("views"))? != Some(cairn_core::fold::VERSION.to_string()) {
            // An earlier program made the views, and kept lines that it did not understand.
            store.write(edge.as_ref(), |w| w.rebuild(&crate::sharing::check_content))?;
        }
        let device = Mutex::new(store.read(|r| r.device())?);
        Ok(Self { store, device, edge, secrets, unlocked: Mutex::default(), overview: Mutex::default() })
    }

    /// A workspace whose file was just made again.
    pub(crate) fn from_store(store: Store, device: DeviceId, edge: Arc<dyn Edge>, secrets: Arc<dyn SecretStore>) -> Self {
        Self { store, device: Mutex::new(device), edge, secrets, unlocked: Mutex::default(), overview: Mutex::default() }
    }

    /// A new workspace file for this computer's new key.
    pub fn create(dir: &Path, key: DeviceKey, edge: Arc<dyn Edge>, secrets: Arc<dyn SecretStore>) -> Result<Self, ApiError> {
        let store = Store::create(dir, &key.id())?;
        let device = Mutex::new(key.id());
        Ok(Self {
            store,
            device,
            edge,
            secrets,
            unlocked: Mutex::new(Unlocked { key: Some(key), passphrase: None }),
            overview: Mutex::default(),
        })
    }

    pub fn dir(&self) -> &Path {
        self.store.dir()
    }

    /// What is kept of many records, with the change that it is up to.
    pub(crate) fn overview(&self) -> MutexGuard<'_, Option<(i64, Arc<Loaded>)>> {
        self.overview.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn secrets(&self) -> &dyn SecretStore {
        self.secrets.as_ref()
    }

    /// This computer's name in the log. It changes when the computer gets a new key.
    pub fn device(&self) -> DeviceId {
        let mut last = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        // Another process may have changed it; while the file cannot be read the last one stands.
        if let Ok(now) = self.store.read(|r| r.device()) {
            *last = now;
        }
        last.clone()
    }

    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, E>) -> Result<T, E> {
        self.store.read(work)
    }

    pub fn write<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>) -> Result<T, E> {
        self.store.write(self.edge.as_ref(), work)
    }

    /// Appends one operation.
    pub fn append(&self, op: Op) -> Result<(), ApiError> {
        self.write(|w| w.append(op).map(drop)).map_err(ApiError::from)
    }

    /// The member that sits at this computer, once it has been let in and while it counts.
    pub fn me(&self, reader: &Reader<'_>) -> Result<Option<MemberId>, StoreError> {
        Ok(reader.acl()?.member_of(&reader.device()?).map(|(id, _)| id.clone()))
    }

    /// The device key: from memory, the keyring, or the passphrase file that was unlocked.
    pub fn key(&self) -> Result<DeviceKey, ApiError> {
        let device = self.device();
        let mut held = self.unlocked();
        if let Some(key) = held.key.as_ref().filter(|key| key.id() == device) {
            return Ok(key.clone());
        }
        let key = if self.key_is_in_file() {
            let Some(passphrase) = held.passphrase.clone().or_else(|| std::env::var("CAIRN_PASSPHRASE").ok()) else {
                return Err(ApiError::new("locked", "This computer's key is locked with a passphrase")
                    .hint("Enter the passphrase in the window, or set CAIRN_PASSPHRASE for the command line."));
            };
            self.read_key_file(&device, &passphrase)?
        } else {
            DeviceKey::from_text(&self.secrets.get(device.as_str())?, None)?
        };
        held.key = Some(key.clone());
        Ok(key)
    }

    /// Opens the encrypted key file for as long as the program runs.
    pub fn unlock(&self, passphrase: &str) -> Result<(), ApiError> {
        let key = self.read_key_file(&self.device(), passphrase)?;
        *self.unlocked() = Unlocked { key: Some(key), passphrase: Some(passphrase.to_owned()) };
        Ok(())
    }

    /// Makes a new key and keeps it where the present one is kept, without using it yet.
    pub fn make_key(&self) -> Result<DeviceKey, ApiError> {
        let key = DeviceKey::generate()?;
        if self.key_is_in_file() {
            let passphrase = self.unlocked().passphrase.clone().or_else(|| std::env::var("CAIRN_PASSPHRASE").ok());
            let passphrase = passphrase
                .ok_or_else(|| ApiError::new("locked", "A new key for this computer needs the passphrase").hint("Enter it, and go on."))?;
            write_key_file(self.dir(), key.id().as_str(), &key.to_encrypted_text(&passphrase)?)?;
        } else {
            self.secrets.set(key.id().as_str(), &key.to_text()?)?;
        }
        Ok(key)
    }

    /// The key that is kept here for a name that this computer does not bear yet.
    pub fn kept_key(&self, device: &DeviceId) -> Result<DeviceKey, ApiError> {
        if key_file(self.dir(), device.as_str()).is_file() {
            let passphrase = self.unlocked().passphrase.clone().or_else(|| std::env::var("CAIRN_PASSPHRASE").ok());
            return self.read_key_file(device, &passphrase.unwrap_or_default());
        }
        Ok(DeviceKey::from_text(&self.secrets.get(device.as_str())?, None)?)
    }

    pub fn key_is_in_file(&self) -> bool {
        key_file(self.dir(), self.device().as_str()).is_file()
    }

    fn unlocked(&self) -> MutexGuard<'_, Unlocked> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_key_file(&self, device: &DeviceId, passphrase: &str) -> Result<DeviceKey, ApiError> {
        let text = std::fs::read_to_string(key_file(self.dir(), device.as_str())).map_err(cairn_os::secrets::SecretError::from)?;
        let key = DeviceKey::from_text(&text, Some(passphrase))?;
        if key.id() == *device { Ok(key) } else { Err(ApiError::new("key", "The key file belongs to another workspace")) }
    }
}
