//! The file, its one writer and its readers.

use crate::causal::{Contents, ContentsVersion};
use crate::writer::Writer;
use crate::{StoreError, migrate};
use cairn_core::authority::{Acl, History};
use cairn_core::edge::Edge;
use cairn_core::id::DeviceId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The name of the workspace file inside its folder.
pub(crate) const FILE: &str = "cairn.db";

/// Which state of authority: how often all was judged anew, and how many valid operations there are.
pub(crate) type AuthorityVersion = (i64, i64);

/// A workspace on this computer. Shared by threads; other processes may have the same file open.
pub struct Store {
    dir: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// The state of authority, with the version that it was made from.
    acl: Mutex<Option<(AuthorityVersion, Arc<Acl>)>>,
    /// The valid operations of authority, as the last writer left them.
    history: Mutex<Option<(AuthorityVersion, History)>>,
    /// Which model versions are of the same content.
    contents: Mutex<Option<(ContentsVersion, Arc<Contents>)>>,
}

/// Read access. Derefs to the connection for the modules of this crate only.
pub struct Reader<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) store: &'a Store,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held cannot leave the file half written: SQLite rolls back.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Makes a new workspace file for a computer in `dir`, which may exist but must not hold one.
    pub fn create(dir: &Path, device: &DeviceId) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir)?;
        let store = Self::open_with(dir, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        lock(&store.writer).execute(
            "INSERT INTO local (key, value) VALUES ('device', ?1), ('views', ?2)",
            [device.as_str(), &cairn_core::fold::VERSION.to_string()],
        )?;
        Ok(store)
    }

    /// Opens the workspace in `dir`, bringing an older file up to date.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        if !dir.join(FILE).is_file() {
            return Err(StoreError::NoWorkspace(dir.to_owned()));
        }
        Self::open_with(dir, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    fn open_with(dir: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let mut conn = connect(&dir.join(FILE), flags)?;
        migrate::migrate(&mut conn)?;
        Ok(Self {
            dir: dir.to_owned(),
            writer: Mutex::new(conn),
            readers: Mutex::new(Vec::new()),
            acl: Mutex::new(None),
            history: Mutex::new(None),
            contents: Mutex::new(None),
        })
    }

    /// Where a folder's workspace file lies, or would.
    pub fn file(dir: &Path) -> PathBuf {
        dir.join(FILE)
    }

    /// The workspace's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Reads from one consistent state of the file.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, E>) -> Result<T, E> {
        let pooled = lock(&self.readers).pop();
        let conn = match pooled {
            Some(conn) => conn,
            None => connect(&self.dir.join(FILE), OpenFlags::SQLITE_OPEN_READ_WRITE)?,
        };
        let begin = conn.execute_batch("BEGIN DEFERRED").map_err(StoreError::from);
        let result = match begin {
            Ok(()) => work(&Reader { conn: &conn, store: self }),
            Err(error) => Err(error.into()),
        };
        if conn.is_autocommit() || conn.execute_batch("COMMIT").is_ok() {
            lock(&self.readers).push(conn);
        }
        result
    }

    /// Writes in one transaction: all of it or nothing. Other processes see it after the commit.
    pub fn write<T, E: From<StoreError>>(&self, edge: &dyn Edge, work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut conn = lock(&self.writer);
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let mut writer = Writer::new(Reader { conn: &tx, store: self }, edge)?;
        let value = work(&mut writer)?;
        let history = writer.finish()?;
        tx.commit().map_err(StoreError::from)?;
        if let Some((version, history)) = history {
            self.keep_history(version, history);
        }
        Ok(value)
    }

    /// The connection that writes, outside a transaction.
    pub(crate) fn with_writer<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&lock(&self.writer))
    }

    /// What changed since `seq`: the newest number, and the tags touched. `None` as `seq` asks only for the number.
    pub fn changes_since(&self, seq: Option<i64>) -> Result<(i64, Vec<String>), StoreError> {
        self.read(|r| {
            let newest: i64 = r.conn.query_row("SELECT coalesce(max(seq), 0) FROM change", [], |row| row.get(0))?;
            let Some(seq) = seq else { return Ok((newest, Vec::new())) };
            let mut tags: Vec<String> = Vec::new();
            let mut statement = r.conn.prepare_cached("SELECT tags FROM change WHERE seq > ?1")?;
            for row in statement.query_map([seq], |row| row.get::<_, String>(0))? {
                tags.extend(row?.split(' ').map(str::to_owned));
            }
            tags.sort();
            tags.dedup();
            Ok((newest, tags))
        })
    }

    /// The history of authority, if it is still as it was left. Whoever takes it gives it back after
    /// the commit; after a failure it is made anew.
    pub(crate) fn take_history(&self, version: AuthorityVersion) -> Option<History> {
        lock(&self.history).take().filter(|(at, _)| *at == version).map(|(_, history)| history)
    }

    pub(crate) fn keep_history(&self, version: AuthorityVersion, history: History) {
        *lock(&self.history) = Some((version, history));
    }

    pub(crate) fn cached_contents(
        &self,
        version: ContentsVersion,
        make: impl FnOnce() -> Result<Contents, StoreError>,
    ) -> Result<Arc<Contents>, StoreError> {
        if let Some((at, contents)) = lock(&self.contents).as_ref()
            && *at == version
        {
            return Ok(Arc::clone(contents));
        }
        let contents = Arc::new(make()?);
        *lock(&self.contents) = Some((version, Arc::clone(&contents)));
        Ok(contents)
    }

    pub(crate) fn cached_acl(
        &self,
        version: AuthorityVersion,
        make: impl FnOnce() -> Result<Acl, StoreError>,
    ) -> Result<Arc<Acl>, StoreError> {
        if let Some((at, acl)) = lock(&self.acl).as_ref()
            && *at == version
        {
            return Ok(Arc::clone(acl));
        }
        let acl = Arc::new(make()?);
        *lock(&self.acl) = Some((version, Arc::clone(&acl)));
        Ok(acl)
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.conn
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(10))?;
    // A statement is planned once. Without this SQLite looks at the bound values (for partial indexes, for
    // joins) and plans it anew whenever they change, which took a quarter of the time of an import.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // WAL with NORMAL: a killed process loses nothing that was committed; only a power cut can take
    // the last moments, and never damages the file.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;",
    )?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_workspace_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Store::open(dir.path()), Err(StoreError::NoWorkspace(p)) if p == dir.path()));
    }

    #[test]
    fn a_file_that_is_no_database_is_called_damaged() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "this is a letter, not a database, and long enough to be looked at".repeat(99)).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(StoreError::Damaged(_))));
    }
}
