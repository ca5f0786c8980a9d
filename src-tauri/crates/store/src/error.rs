//! What can go wrong with the store, in words for people.

use cairn_core::authority::Denied;
use std::path::PathBuf;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no Cairn workspace in {0}")]
    NoWorkspace(PathBuf),
    #[error("this workspace was written by a newer Cairn (file version {found}; this program knows {known})")]
    Newer { found: u32, known: u32 },
    #[error("somebody changed who may do what with a newer Cairn; this one does not understand it")]
    NewerAuthority,
    #[error("the workspace file is damaged: {0}")]
    Damaged(String),
    #[error("the disk is full")]
    DiskFull,
    #[error("another program holds the workspace file; nothing was written")]
    Busy,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("something that was written meanwhile must be sealed first")]
    Unsealed,
    #[error("an operation line of {0} bytes is longer than the log allows")]
    TooLong(usize),
    #[error("the record {0} does not exist")]
    NotFound(String),
    #[error("the file could not be stored: {0}")]
    Io(#[from] std::io::Error),
    #[error("the workspace file could not be read or written: {0}")]
    Sql(rusqlite::Error),
    #[error("the log holds a line that cannot be read: {0}")]
    Line(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase};
        match error.sqlite_error_code() {
            Some(DiskFull) => Self::DiskFull,
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy,
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Sql(error),
        }
    }
}

impl From<rusqlite::types::FromSqlError> for StoreError {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::Damaged(error.to_string())
    }
}
