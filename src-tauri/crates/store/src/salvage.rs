//! What can still be read from a damaged workspace file. The log itself comes back from the git store;
//! here is what only this file had: settings, lines that were not sealed yet, points, numbers.

use crate::chunk;
use crate::metrics::{OWN, Point};
use crate::store::FILE;
use crate::{Store, StoreError};
use rusqlite::{Connection, OpenFlags, Row, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A damaged workspace file, put aside.
pub struct Damaged {
    conn: Option<Connection>,
    /// Whether something could not be read.
    pub lost: bool,
}

/// The points of one metric of a run.
#[derive(Debug, Clone)]
pub struct SavedSeries {
    pub run: String,
    pub key: String,
    pub points: Vec<Point>,
}

impl Store {
    /// Is the workspace file whole? Reads all of it.
    pub fn check(&self) -> Result<(), StoreError> {
        let found: String = self.read(|r| Ok::<_, StoreError>(r.conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
    }

    /// Moves the workspace file of a folder, with what belongs to it, into `aside`, where it stays as it is.
    pub fn put_aside(dir: &Path, aside: &Path) -> Result<PathBuf, StoreError> {
        std::fs::create_dir_all(aside)?;
        for name in [FILE.to_owned(), format!("{FILE}-wal"), format!("{FILE}-shm")] {
            match std::fs::rename(dir.join(&name), aside.join(&name)) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(aside.join(FILE))
    }
}

impl Damaged {
    pub fn open(file: &Path) -> Self {
        let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).ok();
        Self { lost: conn.is_none(), conn }
    }

    /// Rows as far as they can be read.
    fn rows<T>(&mut self, sql: &str, args: &[&dyn rusqlite::ToSql], each: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut found = Vec::new();
        let Some(conn) = &self.conn else { return found };
        let read = (|| {
            let mut statement = conn.prepare(sql)?;
            let mut rows = statement.query(args)?;
            while let Some(row) = rows.next()? {
                found.push(each(row)?);
            }
            Ok::<_, rusqlite::Error>(())
        })();
        if let Err(error) = read {
            tracing::warn!("a part of the damaged file cannot be read: {error}");
            self.lost = true;
        }
        found
    }

    /// What belonged to this computer alone.
    pub fn locals(&mut self) -> BTreeMap<String, String> {
        self.rows("SELECT key, value FROM local", &[], |row| Ok((row.get(0)?, row.get(1)?))).into_iter().collect()
    }

    /// The lines of a computer after its operation `last`, in their order.
    pub fn lines_after(&mut self, device: &str, last: u64) -> Vec<String> {
        // From the end: the newest are the ones that nobody else has.
        let sql = "SELECT line FROM op WHERE device = ?1 AND n > ?2 ORDER BY n DESC";
        let mut lines = self.rows(sql, params![device, last], |row| row.get(0));
        lines.reverse();
        lines
    }

    /// The whole numbers of experiments, which scripts know.
    pub fn numbers(&mut self) -> Vec<(i64, String)> {
        self.rows("SELECT number, experiment FROM experiment_number", &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The points that were logged here.
    pub fn points(&mut self) -> Vec<SavedSeries> {
        let series: Vec<(i64, String, String)> = self.rows(
            "SELECT s.id, r.id, k.text FROM metric_series s JOIN record r ON r.num = s.run JOIN metric_name k ON k.num = s.key
             WHERE s.device = ?1",
            params![OWN],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        );
        let bytes = |row: &Row<'_>| row.get::<_, Vec<u8>>(0);
        series
            .into_iter()
            .map(|(id, run, key)| {
                let mut points = Vec::new();
                for part in self.rows("SELECT points FROM metric_part WHERE series = ?1", params![id], bytes) {
                    self.lost |= chunk::read_plain(&part, &mut points).is_err();
                }
                for part in self.rows("SELECT points FROM metric_chunk WHERE series = ?1", params![id], bytes) {
                    self.lost |= chunk::decode(&part, &mut points).is_err();
                }
                SavedSeries { run, key, points }
            })
            .collect()
    }
}
