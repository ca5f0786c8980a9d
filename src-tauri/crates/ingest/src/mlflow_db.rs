//! `mlflow.db`, the SQLite file that MLflow writes by default. Opened read-only; only tables and columns
//! that are known are read, and what a newer or older schema does not have is left out.

use crate::source::{Content, Dataset, Event, Held, Outcome, Run, SourceError, Status, Take};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Points that are handed over at once.
const POINTS: usize = 10_000;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// The newest rows that were read.
    run: i64,
    metric: i64,
    /// Runs that had not ended then.
    open: Vec<String>,
}

/// Opens an SQLite file of another program, to read and never to write.
pub(crate) fn open_read_only(file: &Path) -> Result<Connection, SourceError> {
    let open = || {
        let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.busy_timeout(Duration::from_secs(3))?;
        conn.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))?;
        Ok(conn)
    };
    open().map_err(|e| failed(file, &e))
}

pub(crate) fn failed(path: &Path, error: &rusqlite::Error) -> SourceError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, NotADatabase};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked) => SourceError::Busy(path.to_owned()),
        Some(NotADatabase) => SourceError::Foreign { file: path.to_owned(), what: "it is no SQLite file".to_owned() },
        _ => SourceError::Foreign { file: path.to_owned(), what: error.to_string() },
    }
}

/// The file: named itself, or inside the folder.
fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("mlflow.db") } else { path.to_owned() }
}

pub(crate) fn read(path: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let file = file_of(path);
    let position: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let conn = open_read_only(&file)?;
    let mut reader = Reader { conn: &conn, file: &file, outcome: Outcome::default(), was: position, now: Position::default() };
    for table in ["experiments", "runs", "metrics", "params", "tags"] {
        if !reader.has(table)? {
            return Err(SourceError::Foreign {
                file: file.clone(),
                what: format!("there is no table {table}, so MLflow did not write it"),
            });
        }
    }
    reader.runs(take)?;
    reader.metrics(take)?;
    let Reader { mut outcome, now, .. } = reader;
    outcome.position = serde_json::to_value(&now).unwrap_or_default();
    Ok(outcome)
}

struct Reader<'c> {
    conn: &'c Connection,
    file: &'c Path,
    outcome: Outcome,
    was: Position,
    now: Position,
}

impl Reader<'_> {
    fn sql<T>(&self, result: rusqlite::Result<T>) -> Result<T, SourceError> {
        result.map_err(|e| failed(self.file, &e))
    }

    fn has(&self, table: &str) -> Result<bool, SourceError> {
        self.sql(
            self.conn.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)", [table], |r| r.get(0)),
        )
    }

    fn rows<T>(
        &self,
        sql: &str,
        args: impl rusqlite::Params,
        each: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, SourceError> {
        self.sql((|| self.conn.prepare_cached(sql)?.query_map(args, each)?.collect())())
    }

    /// Runs that are new, or had not ended when they were read last.
    fn runs(&mut self, take: Take<'_>) -> Result<(), SourceError> {
        struct Found {
            row: i64,
            run: Run,
            status: String,
            end_ms: Option<i64>,
            artifacts: Option<String>,
        }
        let open = serde_json::json!(self.was.open).to_string();
        let found = self.rows(
            "SELECT r.rowid, r.run_uuid, r.name, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri, e.name FROM runs r
             JOIN experiments e ON e.experiment_id = r.experiment_id
             WHERE r.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active'
               AND (r.rowid > ?1 OR r.run_uuid IN (SELECT value FROM json_each(?2))) ORDER BY r.rowid",
            params![self.was.run, open],
            |row| {
                Ok(Found {
                    row: row.get(0)?,
                    run: Run {
                        id: row.get(1)?,
                        name: row.get::<_, Option<String>>(2)?.filter(|n| !n.is_empty()),
                        user: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                        start_ms: row.get::<_, Option<i64>>(5)?.unwrap_or(0),
                        experiment: row.get(8)?,
                        parent: None,
                    },
                    status: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
                    end_ms: row.get(6)?,
                    artifacts: row.get(7)?,
                })
            },
        )?;
        self.now.run = self.was.run;
        for mut f in found {
            self.now.run = self.now.run.max(f.row);
            if f.run.id.len() != 32 || !f.run.id.bytes().all(|b| b.is_ascii_hexdigit()) {
                self.outcome.problem(self.file, format!("table runs, row {}", f.row), format!("\"{}\" is no run's id", f.run.id));
                continue;
            }
            let id = f.run.id.clone();
            let pair = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?.unwrap_or_default()));
            let tags = self.rows("SELECT key, value FROM tags WHERE run_uuid = ?1 ORDER BY key", [&id], pair)?;
            f.run.parent = tags.iter().find(|(k, _)| k == "mlflow.parentRunId").map(|(_, v)| v.clone());
            take(Event::Run(f.run))?;
            let params = self.rows("SELECT key, value FROM params WHERE run_uuid = ?1 ORDER BY key", [&id], pair)?;
            for (pairs, event) in [(params, true), (tags, false)] {
                if !pairs.is_empty() {
                    let run = id.clone();
                    take(if event { Event::Params { run, pairs } } else { Event::Tags { run, pairs } })?;
                }
            }
            self.inputs(&id, take)?;
            let status = match f.status.as_str() {
                "FINISHED" => Some(Status::Finished),
                "FAILED" => Some(Status::Failed),
                "KILLED" => Some(Status::Killed),
                _ => None,
            };
            match status {
                Some(status) => {
                    self.files(&id, f.artifacts.as_deref(), take)?;
                    take(Event::Ended { run: id, status, end_ms: f.end_ms })?;
                }
                None => self.now.open.push(id),
            }
        }
        Ok(())
    }

    fn inputs(&mut self, run: &str, take: Take<'_>) -> Result<(), SourceError> {
        if !self.has("inputs")? || !self.has("datasets")? || !self.has("input_tags")? {
            return Ok(());
        }
        let found = self.rows(
            "SELECT d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema, d.dataset_profile,
               (SELECT t.value FROM input_tags t WHERE t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context')
             FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
             WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ?1 ORDER BY 1, 2",
            [run],
            |row| {
                let text = |at: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(at)?.unwrap_or_default());
                Ok(Dataset {
                    name: text(0)?,
                    digest: text(1)?,
                    source_type: text(2)?,
                    source: text(3)?,
                    schema: text(4)?,
                    profile: text(5)?,
                    context: text(6)?,
                })
            },
        )?;
        for dataset in found {
            take(Event::Input { run: run.to_owned(), dataset })?;
        }
        Ok(())
    }

    /// The files of a run, where they lie on this computer.
    fn files(&mut self, run: &str, uri: Option<&str>, take: Take<'_>) -> Result<(), SourceError> {
        let Some(uri) = uri else { return Ok(()) };
        let base = self.file.parent().unwrap_or(Path::new("."));
        let dir = match uri.split_once(':') {
            Some(("file", rest)) => PathBuf::from(rest.trim_start_matches("//")),
            // `mlflow server` keeps them in mlartifacts beside its file unless told otherwise.
            Some(("mlflow-artifacts", rest)) => base.join("mlartifacts").join(rest.trim_start_matches('/')),
            Some(_) => {
                self.outcome.left_out("files in an object store");
                return Ok(());
            }
            None => base.join(uri),
        };
        for (path, from) in files_below(&dir) {
            take(Event::File { run: run.to_owned(), path, content: Content::At(from) })?;
        }
        Ok(())
    }

    /// New points, in the order that they were written.
    fn metrics(&mut self, take: Take<'_>) -> Result<(), SourceError> {
        self.now.metric = self.was.metric;
        // Deleted runs, and those whose id is none, were not taken, so their points are not either.
        let sql = "SELECT m.rowid, m.run_uuid, m.key, m.step, m.timestamp, m.value, m.is_nan FROM metrics m
            JOIN runs r ON r.run_uuid = m.run_uuid AND r.lifecycle_stage = 'active'
            JOIN experiments e ON e.experiment_id = r.experiment_id AND e.lifecycle_stage = 'active'
            WHERE m.rowid > ?1 AND length(m.run_uuid) = 32 AND m.run_uuid NOT GLOB '*[^0-9a-fA-F]*' ORDER BY m.rowid";
        let mut held = Held::default();
        let mut statement = self.sql(self.conn.prepare(sql))?;
        let mut rows = self.sql(statement.query([self.was.metric]))?;
        while let Some(row) = self.sql(rows.next())? {
            let read = || {
                let value: Option<f64> = row.get(5)?;
                let nan: Option<bool> = row.get(6)?;
                let value = if nan == Some(true) { f64::NAN } else { value.unwrap_or(f64::NAN) };
                let at = (row.get::<_, Option<i64>>(3)?.unwrap_or(0), row.get::<_, Option<i64>>(4)?.unwrap_or(0), value);
                Ok::<_, rusqlite::Error>((row.get::<_, i64>(0)?, (row.get::<_, String>(1)?, row.get::<_, String>(2)?), at))
            };
            match read() {
                Ok((rowid, (run, key), point)) => {
                    self.now.metric = rowid;
                    held.push(run, key, point);
                }
                Err(error) => self.outcome.problem(self.file, "table metrics", error.to_string()),
            }
            if held.count >= POINTS {
                held.flush(take)?;
            }
        }
        held.flush(take)
    }
}

/// The files below a folder, by their path in it; links are not followed.
pub fn files_below(dir: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(at) = dirs.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => dirs.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    let path = entry.path();
                    if let Ok(below) = path.strip_prefix(dir) {
                        found.push((below.to_string_lossy().into_owned(), path));
                    }
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    found.sort();
    found
}

/// Whether a file is one of MLflow's, by its tables.
pub fn is_mlflow(path: &Path) -> bool {
    let open = || {
        let conn = Connection::open_with_flags(file_of(path), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.query_row("SELECT 1 FROM sqlite_master WHERE name = 'latest_metrics'", [], |_| Ok(())).optional()
    };
    open().is_ok_and(|found: Option<()>| found.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(path: &Path, position: &Value) -> Result<(Vec<Event>, Outcome), SourceError> {
        let mut events = Vec::new();
        let outcome = read(path, position, &mut |e| {
            events.push(e);
            Ok(())
        })?;
        Ok((events, outcome))
    }

    #[test]
    fn a_file_of_somebody_else_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mlflow.db");
        std::fs::write(&path, "this is no database at all, only a text that is long enough to look at".repeat(20)).unwrap();
        assert!(matches!(all(&path, &Value::Null), Err(SourceError::Foreign { .. })));
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE experiments (a)").unwrap();
        let Err(SourceError::Foreign { what, .. }) = all(&path, &Value::Null) else { panic!() };
        assert!(what.contains("no table runs"));
    }

    #[test]
    fn a_run_whose_id_is_none_is_named_and_its_points_are_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mlflow.db");
        let (good, bad) = ("a".repeat(32), "7");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name, lifecycle_stage);
             INSERT INTO experiments VALUES (1, 'e', 'active');
             CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name, user_id, status, start_time, end_time, artifact_uri, lifecycle_stage, experiment_id);
             CREATE TABLE params (key, value, run_uuid); CREATE TABLE tags (key, value, run_uuid);
             CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, step INTEGER, run_uuid TEXT, is_nan INTEGER);",
        )
        .unwrap();
        for run in [good.as_str(), bad] {
            conn.execute("INSERT INTO runs VALUES (?1, 'r', '', 'FINISHED', 1, 2, NULL, 'active', 1)", [run]).unwrap();
            conn.execute("INSERT INTO metrics VALUES ('loss', 0.5, 1, 0, ?1, 0)", [run]).unwrap();
        }
        let (events, outcome) = all(&path, &Value::Null).unwrap();
        let points = events.iter().filter(|e| matches!(e, Event::Points { run, .. } if *run == good)).count();
        assert_eq!((points, events.iter().filter(|e| matches!(e, Event::Points { .. })).count()), (1, 1));
        assert_eq!(outcome.problems.len(), 1);
    }

    #[test]
    fn a_locked_file_waits_for_its_turn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mlflow.db");
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE experiments (a); BEGIN EXCLUSIVE").unwrap();
        assert!(matches!(all(&path, &Value::Null), Err(SourceError::Busy(_))));
    }
}
