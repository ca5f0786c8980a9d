//! Room that nothing needs any more: files without an owner, points of runs that were deleted long ago.
//!
//! What a model version or a release stands on is never in it.

use crate::StoreError;
use crate::store::{Reader, Store};
use crate::writer::Writer;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// A file that was just stored may not have its owner yet.
const FRESH_MS: i64 = 3_600_000;

/// What could be freed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unneeded {
    /// Files that no live run, logged model, model version or dataset has, with their sizes.
    pub files: Vec<(PathBuf, u64)>,
    /// Runs that were deleted before the moment, by themselves or with their experiment.
    pub runs: Vec<String>,
    pub points: u64,
    /// Bytes that these points take.
    pub point_bytes: u64,
    /// Bytes inside the workspace file that are free already, and go back to the disk when it is packed.
    pub slack: u64,
}

impl Unneeded {
    pub fn file_bytes(&self) -> u64 {
        self.files.iter().map(|(_, size)| size).sum()
    }
}

/// Runs deleted before ?1 that no model version came from.
const GONE: &str = "SELECT u.num FROM run u WHERE u.deleted = 1
    AND coalesce((SELECT max(c.ms) FROM cell c WHERE c.field = 'deleted' AND c.record IN
          (u.num, (SELECT e.num FROM record e WHERE e.kind = 'experiment' AND e.id = u.experiment))), 0) < ?1
    AND NOT EXISTS (SELECT 1 FROM record v JOIN cell c ON c.record = v.num AND c.field = 'run' AND c.key = '' AND c.value = u.id
          WHERE v.kind = 'model_version')";

impl Reader<'_> {
    /// What could be freed of what was deleted before a moment.
    pub fn unneeded(&self, before_ms: i64, now_ms: i64) -> Result<Unneeded, StoreError> {
        let mut found = Unneeded::default();
        let mut statement = self.prepare(&format!("SELECT id FROM run WHERE num IN ({GONE}) ORDER BY id"))?;
        found.runs = statement.query_map([before_ms], |row| row.get(0))?.collect::<Result<_, _>>()?;
        (found.points, found.point_bytes) = self.query_row(
            &format!(
                "SELECT coalesce(sum(count), 0), coalesce(sum(
                   (SELECT coalesce(sum(length(points) + length(outline)), 0) FROM metric_chunk k WHERE k.series = s.id) +
                   (SELECT coalesce(sum(length(points)), 0) FROM metric_part p WHERE p.series = s.id)), 0)
                 FROM metric_series s WHERE s.run IN ({GONE})"
            ),
            [before_ms],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let page: u64 = self.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let free: u64 = self.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
        found.slack = page * free;
        let used = self.used_files()?;
        found.files = self
            .store
            .stored_files(now_ms - FRESH_MS)?
            .into_iter()
            .filter(|(digest, ..)| !used.contains(digest))
            .map(|(_, path, size)| (path, size))
            .collect();
        Ok(found)
    }

    /// The digests of all files that something has.
    fn used_files(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut used = BTreeSet::new();
        let mut take = |sql: &str| -> Result<(), StoreError> {
            let mut statement = self.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                // Digests stand in these texts as 64 hexadecimal digits, whatever is around them.
                let text = row.get_ref(0)?.as_str()?;
                used.extend(text.split(|c: char| !c.is_ascii_hexdigit()).filter(|w| w.len() == 64).map(str::to_owned));
            }
            Ok(())
        };
        take(
            "SELECT c.value FROM cell c WHERE c.field = 'artifact' AND c.value IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM run u WHERE u.num = c.record AND u.deleted = 1)
               AND NOT EXISTS (SELECT 1 FROM cell d WHERE d.record = c.record AND d.field = 'deleted' AND d.key = '' AND d.value IS NOT NULL)",
        )?;
        take("SELECT value FROM cell WHERE field IN ('files', 'digest', 'statement', 'source') AND value IS NOT NULL")?;
        // Texts that people wrote may name a file by its digest.
        take("SELECT value FROM edit")?;
        Ok(used)
    }
}

impl Store {
    /// The files of the store that are old enough: digest, path, size.
    fn stored_files(&self, before_ms: i64) -> Result<Vec<(String, PathBuf, u64)>, StoreError> {
        let mut found = Vec::new();
        let Ok(folders) = std::fs::read_dir(self.dir().join("objects")) else { return Ok(found) };
        for folder in folders {
            let folder = folder?;
            let head = folder.file_name().to_string_lossy().into_owned();
            if head.len() != 2 || !folder.file_type()?.is_dir() {
                continue;
            }
            for entry in std::fs::read_dir(folder.path())? {
                let entry = entry?;
                let about = entry.metadata()?;
                let since = about.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
                let old = since.and_then(|d| i64::try_from(d.as_millis()).ok()).is_some_and(|ms| ms < before_ms);
                if about.is_file() && old {
                    found.push((format!("{head}{}", entry.file_name().to_string_lossy()), entry.path(), about.len()));
                }
            }
        }
        Ok(found)
    }

    /// Gives the free room inside the workspace file back to the disk. Needs as much room again while it works.
    pub fn pack(&self) -> Result<(), StoreError> {
        self.with_writer(|conn| Ok(conn.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?))
    }
}

impl Writer<'_> {
    /// Takes the points of runs that were deleted before a moment out of the file. Their summaries stay.
    pub fn drop_points(&mut self, before_ms: i64) -> Result<u64, StoreError> {
        let series = format!("SELECT id FROM metric_series WHERE run IN ({GONE})");
        let gone: u64 =
            self.query_row(&format!("SELECT coalesce(sum(count), 0) FROM metric_series WHERE run IN ({GONE})"), [before_ms], |row| {
                row.get(0)
            })?;
        for table in ["metric_part", "metric_chunk", "metric_late"] {
            self.execute(&format!("DELETE FROM {table} WHERE series IN ({series})"), [before_ms])?;
        }
        self.execute(
            &format!("INSERT OR IGNORE INTO metric_stale (run, key) SELECT run, key FROM metric_series WHERE id IN ({series})"),
            [before_ms],
        )?;
        self.execute(&format!("DELETE FROM metric_series WHERE id IN ({series})"), [before_ms])?;
        self.touch("metric");
        self.touch_all_records();
        Ok(gone)
    }
}
