//! Trackio's SQLite file of one project. Opened read-only; only tables and columns that are known are read.
//!
//! Form seen in Trackio 0.43: `metrics` (a JSON object a row), `configs`, `system_metrics`, `alerts`; older
//! files have no `run_id`, and then a run is its name.

use crate::mlflow_db::{failed, open_read_only};
use crate::source::{
    Event, Held, Outcome, Run, SourceError, Take, as_number, as_text, flat, iso_ms, modified_ms, own_or_made_id, plain_name,
};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Points that are handed over at once.
const POINTS: usize = 10_000;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// The newest rows that were read, by table.
    rows: BTreeMap<String, i64>,
    /// Runs by their own name: id, and the time of the newest row.
    runs: BTreeMap<String, (String, i64)>,
}

/// Whether an SQLite file is one of Trackio's.
pub(crate) fn is_trackio(path: &Path) -> bool {
    let open = || {
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.query_row("SELECT count(*) FROM sqlite_master WHERE name IN ('metrics', 'configs')", [], |row| row.get::<_, i64>(0))?;
        conn.query_row("SELECT count(*) FROM pragma_table_info('metrics') WHERE name IN ('run_name', 'metrics', 'step')", [], |row| {
            row.get::<_, i64>(0)
        })
    };
    open().is_ok_and(|columns| columns == 3)
}

pub(crate) fn quiet_runs(path: &Path, position: &Value, now_ms: i64, patience_ms: i64) -> Vec<(String, i64)> {
    let at: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let quiet = |last: i64| now_ms - modified_ms(path).max(last) > patience_ms;
    at.runs.into_values().filter(|(_, last)| quiet(*last)).collect()
}

struct Row {
    n: i64,
    run_id: Option<String>,
    name: String,
    time: String,
    step: Option<i64>,
    json: String,
}

pub(crate) fn read(path: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let mut at: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let conn = open_read_only(path)?;
    let sql = |e: rusqlite::Error| failed(path, &e);
    let project = path.file_stem().map_or_else(|| "Trackio".to_owned(), |s| s.to_string_lossy().into_owned());
    let mut outcome = Outcome::default();
    let mut held = Held::default();
    for (table, body, time) in
        [("configs", "config", "created_at"), ("metrics", "metrics", "timestamp"), ("system_metrics", "metrics", "timestamp")]
    {
        let columns: Vec<String> = conn
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
            .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
            .map_err(sql)?;
        let has = |name: &str| columns.iter().any(|c| c == name);
        if !has("run_name") || !has(body) {
            continue;
        }
        let column = |name: &str| if has(name) { name.to_owned() } else { "NULL".to_owned() };
        let query = format!(
            "SELECT rowid, {}, run_name, {}, {}, CAST({body} AS TEXT) FROM {table} WHERE rowid > ?1 ORDER BY rowid",
            column("run_id"),
            column(time),
            column("step")
        );
        let from = at.rows.get(table).copied().unwrap_or(0);
        let mut statement = conn.prepare(&query).map_err(sql)?;
        let mut rows = statement.query([from]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let read = || -> rusqlite::Result<Row> {
                Ok(Row {
                    n: row.get(0)?,
                    run_id: row.get(1)?,
                    name: row.get(2)?,
                    time: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                    step: row.get(4)?,
                    json: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                })
            };
            match read() {
                Ok(found) => {
                    at.rows.insert(table.to_owned(), found.n);
                    one(table, path, &project, &found, &mut at, &mut held, take, &mut outcome)?;
                }
                Err(error) => outcome.problem(path, format!("table {table}"), error.to_string()),
            }
            if held.count >= POINTS {
                held.flush(take)?;
            }
        }
    }
    held.flush(take)?;
    outcome.position = serde_json::to_value(&at).unwrap_or_default();
    Ok(outcome)
}

#[allow(clippy::too_many_arguments)] // one row, and all that it may touch
fn one(
    table: &str,
    path: &Path,
    project: &str,
    row: &Row,
    at: &mut Position,
    held: &mut Held,
    take: Take<'_>,
    outcome: &mut Outcome,
) -> Result<(), SourceError> {
    let place = || format!("table {table}, row {}", row.n);
    let ms = iso_ms(&row.time).unwrap_or_else(|| modified_ms(path));
    let own = row.run_id.clone().unwrap_or_else(|| row.name.clone());
    let run = match at.runs.get_mut(&own) {
        Some((id, last)) => {
            *last = (*last).max(ms);
            id.clone()
        }
        None => {
            let id = own_or_made_id(row.run_id.as_deref().unwrap_or_default(), &["trackio", project, &own]);
            let experiment = project.to_owned();
            take(Event::Run(Run { id: id.clone(), experiment, name: Some(row.name.clone()), start_ms: ms, ..Run::default() }))?;
            let source = vec![("cairn.source".to_owned(), format!("trackio:{}", path.display()))];
            take(Event::Tags { run: id.clone(), pairs: source })?;
            at.runs.insert(own, (id.clone(), ms));
            id
        }
    };
    let value: Value = match serde_json::from_str(&row.json) {
        Ok(value) => value,
        Err(error) => {
            outcome.problem(path, place(), error.to_string());
            return Ok(());
        }
    };
    let mut pairs = Vec::new();
    flat("", &value, &mut pairs);
    if table == "configs" {
        // What begins with an underscore is Trackio's own.
        let (own, params): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(k, _)| k.starts_with('_'));
        let user = own.iter().find(|(k, v)| k == "_Username" && v.is_string());
        if let Some((_, user)) = user {
            take(Event::Tags { run: run.clone(), pairs: vec![("mlflow.user".to_owned(), as_text(user))] })?;
        }
        let pairs: Vec<_> = params.into_iter().map(|(k, v)| (plain_name(&k), as_text(&v))).collect();
        if !pairs.is_empty() {
            take(Event::Params { run, pairs })?;
        }
        return Ok(());
    }
    for (key, value) in pairs {
        match as_number(&value) {
            Some(number) => {
                let key = if table == "system_metrics" { format!("system/{key}") } else { key };
                held.push(run.clone(), plain_name(&key), (row.step.unwrap_or(row.n), ms, number));
            }
            None => outcome.left_out("values that are no numbers"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(path: &Path, position: &Value) -> (Vec<Event>, Outcome) {
        let mut events = Vec::new();
        let outcome = read(path, position, &mut |e| {
            events.push(e);
            Ok(())
        })
        .unwrap();
        (events, outcome)
    }

    #[test]
    fn an_older_file_without_run_ids_is_read_and_a_bad_row_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("churn.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT);
             INSERT INTO metrics VALUES (1, '2026-11-25T00:00:01+00:00', 'a', 0, '{\"loss\": 1, \"x\": {\"y\": \"NaN\"}}'),
               (2, '2026-11-25T00:00:02', 'a', 1, 'no json'), (3, 'x', 'a', 2, '{\"loss\": 0.5, \"note\": \"text\"}');",
        )
        .unwrap();
        assert!(is_trackio(&path));
        let (events, outcome) = all(&path, &Value::Null);
        let keys: Vec<&str> =
            events.iter().filter_map(|e| if let Event::Points { key, .. } = e { Some(key.as_str()) } else { None }).collect();
        assert_eq!(keys, ["loss", "x.y"]);
        assert_eq!(outcome.problems.iter().map(|p| p.place.as_str()).collect::<Vec<_>>(), ["table metrics, row 2"]);
        assert_eq!(all(&path, &outcome.position).0, [], "nothing twice");
        conn.execute_batch("INSERT INTO metrics VALUES (4, '', 'a', 3, '{\"loss\": 0.25}')").unwrap();
        assert_eq!(all(&path, &outcome.position).0.len(), 1);
    }
}
