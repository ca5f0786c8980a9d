//! The views: records, their cells, and the edits of shared texts.

use crate::StoreError;
pub use crate::cells::Cell;
use crate::cells::{Cells, Names};
use crate::store::Reader;
use crate::text_index;
use cairn_core::authority::{Past, knows};
use cairn_core::fold::{Effect, PART, effects};
use cairn_core::hlc::Hlc;
use cairn_core::id::{DeviceId, OpId};
use cairn_core::op::{Kind, Op, OpLine};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A record with its cells.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: String,
    pub parent: Option<String>,
    /// When it was created, as its author claimed.
    pub at_ms: i64,
    /// Where it was created.
    pub device: String,
    pub cells: Cells,
}

impl Record {
    /// The one cell of a field.
    pub fn cell(&self, field: &str) -> Option<&Cell> {
        self.cell_of(field, "")
    }
    pub fn cell_of(&self, field: &str, key: &str) -> Option<&Cell> {
        self.cells.get(field, key)
    }
    /// The one value of a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.get_key(field, "")
    }
    pub fn get_key(&self, field: &str, key: &str) -> Option<&str> {
        self.cell_of(field, key).map(|c| c.value.as_str())
    }
    /// The value of a field, empty if it has none.
    pub fn text(&self, field: &str) -> String {
        self.get(field).unwrap_or_default().to_owned()
    }
    /// A field as a whole number.
    pub fn int(&self, field: &str) -> Option<i64> {
        self.get(field)?.parse().ok()
    }
    /// A field as JSON; null if it has none.
    pub fn json(&self, field: &str) -> Value {
        self.get(field).and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
    }
    /// All keys and values of a field.
    pub fn pairs(&self, field: &str) -> BTreeMap<String, String> {
        self.cells.of(field).map(|(k, c)| (k.to_owned(), c.value.clone())).collect()
    }
    pub fn deleted(&self) -> bool {
        self.get("deleted").is_some()
    }
}

/// One of several edits of a text that did not know of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub op: String,
    pub value: String,
    pub device: String,
    pub at_ms: i64,
    /// The edits that it was based on.
    pub base: Vec<String>,
}

/// A record that was deleted and changed at the same time: who did what, and when they say it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contested {
    pub kind: String,
    pub id: String,
    pub deleted: (String, i64),
    pub edits: Vec<(String, i64)>,
}

/// What orders an operation's writes: the hybrid clock, then the computer's name, then its number.
struct Stamp<'a> {
    conn: &'a Connection,
    hlc: Hlc,
    /// This file's number for the computer.
    device: i64,
    n: u64,
}

/// A stamp as four columns `ms, counter, device, n`: is the new one greater than that of the row?
const LATER: &str = "(excluded.ms > ms OR excluded.ms = ms AND (excluded.counter > counter OR excluded.counter = counter AND
    CASE WHEN excluded.device = device THEN excluded.n > n
         ELSE (SELECT id FROM device_name WHERE num = excluded.device) > (SELECT id FROM device_name WHERE num = device) END))";

/// This file's number for a computer.
pub(crate) fn device_number(conn: &Connection, device: &str) -> Result<i64, StoreError> {
    number(conn, device, "SELECT num FROM device_name WHERE id = ?1", "INSERT INTO device_name (id) VALUES (?1)").map(|(num, _)| num)
}

/// The number of a text that has one, else a new one; and whether it is new.
pub(crate) fn number(conn: &Connection, text: &str, find: &str, add: &str) -> Result<(i64, bool), StoreError> {
    if let Some(num) = conn.prepare_cached(find)?.query_row([text], |row| row.get(0)).optional()? {
        return Ok((num, false));
    }
    conn.prepare_cached(add)?.execute([text])?;
    Ok((conn.last_insert_rowid(), true))
}

/// This file's number for a record, which need not be created yet.
pub(crate) fn record_number(conn: &Connection, kind: Kind, id: &str) -> Result<i64, StoreError> {
    let found = conn
        .prepare_cached("SELECT num FROM record WHERE kind = ?1 AND id = ?2")?
        .query_row([kind.as_str(), id], |row| row.get(0))
        .optional()?;
    if let Some(num) = found {
        return Ok(num);
    }
    conn.prepare_cached("INSERT INTO record (kind, id) VALUES (?1, ?2)")?.execute([kind.as_str(), id])?;
    let num = conn.last_insert_rowid();
    if kind == Kind::Run {
        conn.prepare_cached("INSERT INTO run (num, id) VALUES (?1, ?2)")?.execute(params![num, id])?;
    }
    Ok(num)
}

/// What folding an operation changed.
#[derive(Default)]
pub(crate) struct Folded {
    pub tags: Vec<&'static str>,
    /// Every effect of an operation is on one record.
    pub record: Option<(Kind, String)>,
}

/// Folds one operation into the views.
pub(crate) fn apply(conn: &Connection, op: &Op, hlc: Hlc, id: &OpId, at_ms: i64) -> Result<Folded, StoreError> {
    let effects = effects(op);
    let mut tags = Vec::with_capacity(effects.len());
    if effects.is_empty() {
        return Ok(Folded::default());
    }
    let stamp = Stamp { conn, hlc, device: device_number(conn, id.device.as_str())?, n: id.n };
    let mut last: Option<(Kind, String, i64)> = None;
    let mut texts: BTreeSet<(Kind, i64)> = BTreeSet::new();
    for effect in effects {
        let (kind, record) = match &effect {
            Effect::Record { kind, id, .. }
            | Effect::Cell { kind, id, .. }
            | Effect::Part { kind, id, .. }
            | Effect::Edit { kind, id, .. } => (*kind, id),
        };
        let num = match &last {
            Some((k, id, num)) if *k == kind && id == record => *num,
            Some(_) | None => {
                let num = record_number(conn, kind, record)?;
                last = Some((kind, record.clone(), num));
                num
            }
        };
        let text = match &effect {
            Effect::Record { .. } => false,
            Effect::Cell { field, .. } | Effect::Part { field, .. } | Effect::Edit { field, .. } => text_index::is_text(kind, field),
        };
        if text {
            texts.insert((kind, num));
        }
        match effect {
            Effect::Record { parent, .. } => stamp.create(kind, num, parent.as_deref(), at_ms)?,
            Effect::Cell { field, key, value, .. } => stamp.put(kind, num, field, &key, value.as_deref())?,
            Effect::Part { field, key, value, .. } => {
                stamp.put(kind, num, field, &format!("{key}{PART}{}", id.device), Some(&value))?;
            }
            Effect::Edit { field, key, value, base, .. } => {
                stamp.put(kind, num, field, &key, Some(&value))?;
                stamp.remember(num, field, &key, &value, &base)?;
            }
        }
        tags.push(kind.as_str());
    }
    for (kind, num) in texts {
        text_index::follow(conn, kind, num)?;
    }
    Ok(Folded { tags, record: last.map(|(kind, id, _)| (kind, id)) })
}

impl Stamp<'_> {
    /// The first creation counts.
    fn create(&self, kind: Kind, record: i64, parent: Option<&str>, at_ms: i64) -> Result<(), StoreError> {
        let done = self
            .conn
            .prepare_cached(
                "UPDATE record SET parent = ?2, at_ms = ?3, ms = ?4, counter = ?5, device = ?6, n = ?7 WHERE num = ?1 AND
                 (ms IS NULL OR ms > ?4 OR ms = ?4 AND (counter > ?5 OR counter = ?5 AND CASE WHEN device = ?6 THEN n > ?7
                  ELSE (SELECT id FROM device_name WHERE num = device) > (SELECT id FROM device_name WHERE num = ?6) END))",
            )?
            .execute(params![record, parent, at_ms, self.hlc.ms, self.hlc.counter, self.device, self.n])?;
        if done > 0 && kind == Kind::Run {
            self.conn
                .prepare_cached(
                    "UPDATE run SET experiment = ?2, deleted = own_deleted OR EXISTS (SELECT 1 FROM record e JOIN cell c ON c.record = e.num
                       WHERE e.kind = 'experiment' AND e.id = ?2 AND c.field = 'deleted' AND c.key = '' AND c.value IS NOT NULL)
                     WHERE num = ?1",
                )?
                .execute(params![record, parent])?;
        }
        Ok(())
    }

    fn put(&self, kind: Kind, record: i64, field: &str, key: &str, value: Option<&str>) -> Result<(), StoreError> {
        let searched = kind == Kind::Run && matches!(field, "param" | "tag");
        let before = if searched { text_of(self.conn, record, field, key)? } else { None };
        let done = self
            .conn
            .prepare_cached(&format!(
                "INSERT INTO cell (record, field, key, value, ms, counter, device, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (record, field, key) DO UPDATE SET value = excluded.value, ms = excluded.ms, counter = excluded.counter,
                   device = excluded.device, n = excluded.n WHERE {LATER}"
            ))?
            .execute(params![record, field, key, value, self.hlc.ms, self.hlc.counter, self.device, self.n])?;
        if done > 0 && searched && before.as_deref() != value {
            follow_text(self.conn, record, field, key, before.as_deref(), value)?;
        }
        if done > 0 && kind == Kind::Run {
            follow_run(self.conn, record, field, key, value)?;
        }
        if done > 0 && kind == Kind::Experiment && field == "deleted" {
            self.conn
                .prepare_cached("UPDATE run SET deleted = own_deleted OR ?2 WHERE experiment = (SELECT id FROM record WHERE num = ?1)")?
                .execute(params![record, value.is_some()])?;
        }
        Ok(())
    }

    fn remember(&self, record: i64, field: &str, key: &str, value: &str, base: &[OpId]) -> Result<(), StoreError> {
        let base = base.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        self.conn
            .prepare_cached(
                "INSERT OR IGNORE INTO edit (record, field, key, value, base, ms, counter, device, n)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![record, field, key, value, base, self.hlc.ms, self.hlc.counter, self.device, self.n])?;
        Ok(())
    }
}

/// The first characters of a parameter or tag: what the index of them holds.
pub(crate) const HEAD: usize = 64;

pub(crate) fn head(text: &str) -> &str {
    text.char_indices().nth(HEAD).map_or(text, |(at, _)| &text[..at])
}

/// A parameter or tag of a record.
pub(crate) fn text_of(conn: &Connection, record: i64, field: &str, key: &str) -> Result<Option<String>, StoreError> {
    let mut found = conn.prepare_cached("SELECT value FROM cell WHERE record = ?1 AND field = ?2 AND key = ?3")?;
    Ok(found.query_row(params![record, field, key], |row| row.get(0)).optional()?.flatten())
}

fn follow_text(conn: &Connection, run: i64, field: &str, key: &str, before: Option<&str>, now: Option<&str>) -> Result<(), StoreError> {
    let found: Option<i64> = conn
        .prepare_cached("SELECT num FROM text_name WHERE field = ?1 AND key = ?2")?
        .query_row([field, key], |row| row.get(0))
        .optional()?;
    let name = match found {
        Some(name) => name,
        None => {
            conn.prepare_cached("INSERT INTO text_name (field, key) VALUES (?1, ?2)")?.execute([field, key])?;
            conn.last_insert_rowid()
        }
    };
    if let Some(before) = before {
        conn.prepare_cached("DELETE FROM run_text WHERE name = ?1 AND head = ?2 AND run = ?3")?.execute(params![
            name,
            head(before),
            run
        ])?;
    }
    if let Some(now) = now {
        conn.prepare_cached("INSERT OR IGNORE INTO run_text (name, head, run) VALUES (?1, ?2, ?3)")?.execute(params![
            name,
            head(now),
            run
        ])?;
    }
    Ok(())
}

/// Keeps what runs are searched by in step with their cells.
fn follow_run(conn: &Connection, run: i64, field: &str, key: &str, value: Option<&str>) -> Result<(), StoreError> {
    let number = || value.and_then(|v| v.parse::<i64>().ok());
    match (field, key) {
        ("status", _) => conn.prepare_cached("UPDATE run SET status = ?2 WHERE num = ?1")?.execute(params![run, value.unwrap_or_default()]),
        ("user", _) => conn.prepare_cached("UPDATE run SET user = ?2 WHERE num = ?1")?.execute(params![run, value.unwrap_or_default()]),
        ("start_ms", _) => conn.prepare_cached("UPDATE run SET start_ms = ?2 WHERE num = ?1")?.execute(params![run, number().unwrap_or(0)]),
        ("end_ms", _) => conn.prepare_cached("UPDATE run SET end_ms = ?2 WHERE num = ?1")?.execute(params![run, number()]),
        ("deleted", _) => conn
            .prepare_cached(
                "UPDATE run SET own_deleted = ?2, deleted = ?2 OR EXISTS (SELECT 1 FROM record e JOIN cell c ON c.record = e.num
                   WHERE e.kind = 'experiment' AND e.id = run.experiment AND c.field = 'deleted' AND c.key = '' AND c.value IS NOT NULL)
                 WHERE num = ?1",
            )?
            .execute(params![run, value.is_some()]),
        ("tag", "mlflow.runName") => conn.prepare_cached("UPDATE run SET name = ?2 WHERE num = ?1")?.execute(params![run, value]),
        ("metric", part) => {
            let key = crate::metrics::name_number(conn, part.rsplit_once(PART).map_or(part, |(key, _)| key))?;
            crate::metrics::stale(conn, run, key)?;
            Ok(1)
        }
        ("input", _) => {
            let input: Value = value.and_then(|v| serde_json::from_str(v).ok()).unwrap_or_default();
            if !input["dataset"].is_object() {
                return Ok(());
            }
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let context =
                input["tags"].as_array().and_then(|t| t.iter().find(|t| t["key"] == "mlflow.data.context")).map(|t| text(&t["value"]));
            conn.prepare_cached("INSERT OR REPLACE INTO run_dataset (run, key, name, digest, context) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![run, key, text(&input["dataset"]["name"]), text(&input["dataset"]["digest"]), context.unwrap_or_default()])
        }
        (_, _) => Ok(0),
    }?;
    Ok(())
}

const EMPTY_RUN: &str = "experiment = NULL, own_deleted = 0, deleted = 0, start_ms = 0, end_ms = NULL, status = '', name = NULL, user = ''";
const UNCREATED: &str = "parent = NULL, at_ms = NULL, ms = NULL, counter = NULL, device = NULL, n = NULL";

/// Takes a record out of the views, to be made again. It keeps its number.
pub(crate) fn forget(conn: &Connection, kind: &str, record: &str) -> Result<(), StoreError> {
    let found: Option<i64> = conn
        .prepare_cached("SELECT num FROM record WHERE kind = ?1 AND id = ?2")?
        .query_row([kind, record], |row| row.get(0))
        .optional()?;
    let Some(num) = found else { return Ok(()) };
    if kind == Kind::Run.as_str() {
        let texts: Vec<(String, String, String)> = {
            let mut statement = conn.prepare_cached(
                "SELECT field, key, value FROM cell WHERE record = ?1 AND field IN ('param', 'tag') AND value IS NOT NULL",
            )?;
            statement.query_map([num], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?
        };
        for (field, key, value) in texts {
            follow_text(conn, num, &field, &key, Some(&value), None)?;
        }
    }
    for sql in ["DELETE FROM cell WHERE record = ?1", "DELETE FROM edit WHERE record = ?1", "DELETE FROM run_dataset WHERE run = ?1"] {
        conn.prepare_cached(sql)?.execute([num])?;
    }
    text_index::forget(conn, num)?;
    conn.prepare_cached(&format!("UPDATE record SET {UNCREATED} WHERE num = ?1"))?.execute([num])?;
    if kind == Kind::Experiment.as_str() {
        conn.prepare_cached("UPDATE run SET deleted = own_deleted WHERE experiment = ?1")?.execute([record])?;
    }
    conn.prepare_cached(&format!("UPDATE run SET {EMPTY_RUN} WHERE num = ?1"))?.execute([num])?;
    conn.prepare_cached("INSERT OR IGNORE INTO metric_stale (run, key) SELECT run, key FROM run_metric WHERE run = ?1")?.execute([num])?;
    Ok(())
}

/// Empties the views, to be made again from the log.
pub(crate) fn forget_all(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(&format!(
        "DELETE FROM cell; DELETE FROM edit; DELETE FROM run_text; DELETE FROM run_dataset; DELETE FROM run_metric;
         UPDATE record SET {UNCREATED}; UPDATE run SET {EMPTY_RUN};
         INSERT OR IGNORE INTO metric_stale (run, key) SELECT DISTINCT run, key FROM metric_series;"
    ))?;
    text_index::forget_all(conn)
}

fn base_record(row: &Row<'_>) -> rusqlite::Result<(i64, Record)> {
    Ok((row.get(0)?, Record { id: row.get(1)?, parent: row.get(2)?, at_ms: row.get(3)?, device: row.get(4)?, cells: Cells::default() }))
}

const RECORD: &str = "SELECT r.num, r.id, r.parent, r.at_ms, d.id FROM record r JOIN device_name d ON d.num = r.device";

impl Reader<'_> {
    /// One record, deleted or not.
    pub fn record(&self, kind: Kind, id: &str) -> Result<Option<Record>, StoreError> {
        let found = self
            .conn
            .prepare_cached(&format!("{RECORD} WHERE r.kind = ?1 AND r.id = ?2 AND r.ms IS NOT NULL"))?
            .query_row([kind.as_str(), id], base_record)
            .optional()?;
        let Some((num, mut record)) = found else { return Ok(None) };
        self.fill(num, &mut record)?;
        Ok(Some(record))
    }

    /// What a record belongs to; none where it belongs to nothing, or is not known.
    pub fn parent_of(&self, kind: Kind, id: &str) -> Result<Option<String>, StoreError> {
        let mut statement = self.prepare_cached("SELECT parent FROM record WHERE kind = ?1 AND id = ?2 AND ms IS NOT NULL")?;
        Ok(statement.query_row([kind.as_str(), id], |row| row.get(0)).optional()?.flatten())
    }

    /// Like [`Self::record`], where a missing one is an error.
    pub fn require(&self, kind: Kind, id: &str) -> Result<Record, StoreError> {
        self.record(kind, id)?.ok_or_else(|| StoreError::NotFound(format!("{}/{id}", kind.as_str())))
    }

    /// The records of a kind, of one parent or of all, in the order of their creation.
    pub fn records(&self, kind: Kind, parent: Option<&str>) -> Result<Vec<Record>, StoreError> {
        self.records_with(kind, parent, None)
    }

    /// Like [`Self::records`], with some of their fields only: what many records need is read in one go.
    pub fn records_with(&self, kind: Kind, parent: Option<&str>, fields: Option<&[&str]>) -> Result<Vec<Record>, StoreError> {
        let of_parent = if parent.is_some() { "r.parent = ?2" } else { "?2 IS NULL" };
        let mut statement = self.conn.prepare_cached(&format!(
            "{RECORD} WHERE r.kind = ?1 AND {of_parent} AND r.ms IS NOT NULL ORDER BY r.ms, r.counter, d.id, r.n"
        ))?;
        let mut found = statement.query_map(params![kind.as_str(), parent], base_record)?.collect::<Result<Vec<_>, _>>()?;
        // Record by record only where there are few: the whole table of cells is walked in its own order.
        if found.len() < 8 && fields.is_none() {
            for (num, record) in &mut found {
                self.fill(*num, record)?;
            }
            return Ok(found.into_iter().map(|(_, record)| record).collect());
        }
        let place: HashMap<i64, usize> = found.iter().enumerate().map(|(i, (num, _))| (*num, i)).collect();
        let wanted = fields.map(|f| serde_json::json!(f).to_string());
        // Of many fields a record's cells are walked side by side (the plus); only a few are looked for one by one.
        let of_fields = match fields {
            Some(fields) if fields.len() > 4 => "+c.field IN (SELECT value FROM json_each(?3))",
            Some(_) => "c.field IN (SELECT value FROM json_each(?3))",
            None => "?3 IS NULL",
        };
        let (names, nobody) = (self.device_names()?, Arc::from(""));
        let mut fields = Names::default();
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT c.record, c.field, c.key, c.value, c.device, c.n, c.ms FROM record r CROSS JOIN cell c ON c.record = r.num
             WHERE r.kind = ?1 AND {of_parent} AND r.ms IS NOT NULL AND c.value IS NOT NULL AND {of_fields}"
        ))?;
        let mut rows = statement.query(params![kind.as_str(), parent, wanted])?;
        while let Some(row) = rows.next()? {
            let Some(at) = place.get(&row.get(0)?) else { continue };
            let device = names.get(&row.get(4)?).unwrap_or(&nobody);
            let cell = Cell::new(row.get(3)?, Arc::clone(device), row.get(5)?, row.get(6)?);
            found[*at].1.cells.put(fields.of(row.get_ref(1)?.as_str()?), row.get(2)?, cell);
        }
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    fn device_names(&self) -> Result<HashMap<i64, Arc<str>>, StoreError> {
        let mut statement = self.prepare_cached("SELECT num, id FROM device_name")?;
        Ok(statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?.into())))?.collect::<Result<_, _>>()?)
    }

    /// This file's number for a record that exists.
    pub fn number_of(&self, kind: Kind, id: &str) -> Result<Option<i64>, StoreError> {
        Ok(self
            .prepare_cached("SELECT num FROM record WHERE kind = ?1 AND id = ?2")?
            .query_row([kind.as_str(), id], |row| row.get(0))
            .optional()?)
    }

    /// How many records of a kind there are, deleted ones included.
    pub fn count(&self, kind: Kind) -> Result<u64, StoreError> {
        Ok(self.conn.query_row("SELECT count(*) FROM record WHERE kind = ?1 AND ms IS NOT NULL", [kind.as_str()], |row| row.get(0))?)
    }

    fn fill(&self, num: i64, record: &mut Record) -> Result<(), StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT c.field, c.key, c.value, d.id, c.n, c.ms FROM cell c JOIN device_name d ON d.num = c.device
             WHERE c.record = ?1 AND c.value IS NOT NULL",
        )?;
        let mut rows = statement.query([num])?;
        let (mut fields, mut devices) = (Names::default(), Names::default());
        while let Some(row) = rows.next()? {
            let device = devices.of(row.get_ref(3)?.as_str()?);
            let cell = Cell::new(row.get(2)?, device, row.get(4)?, row.get(5)?);
            record.cells.put(fields.of(row.get_ref(0)?.as_str()?), row.get(1)?, cell);
        }
        Ok(())
    }

    /// The accepted operations about a record, in the order of the trail: what became of it, and who did what.
    pub fn operations_on(&self, kind: Kind, id: &str) -> Result<Vec<(OpId, OpLine)>, StoreError> {
        let mut found = Vec::new();
        for row in self.lines_about(kind.as_str(), id)?.into_iter().filter(|row| row.state == "accepted") {
            if let Some(line) = row.op() {
                found.push((OpId::parse(row.id).map_err(|e| StoreError::Line(e.to_string()))?, line));
            }
        }
        found.sort_by(|(a, x), (b, y)| (x.hlc, a).cmp(&(y.hlc, b)));
        Ok(found)
    }

    /// The newest edits of a text that no other edit was based on. More than one: both changed.
    pub fn heads(&self, kind: Kind, id: &str, field: &str, key: &str) -> Result<Vec<Head>, StoreError> {
        let mut all = self.history(kind, id, field, key)?;
        if all.len() > 1 {
            let replaced: BTreeSet<String> = all.iter().flat_map(|e| e.base.iter().cloned()).collect();
            all.retain(|e| !replaced.contains(&e.op));
        }
        Ok(all)
    }

    /// Every value of a text that there was, newest first.
    pub fn history(&self, kind: Kind, id: &str, field: &str, key: &str) -> Result<Vec<Head>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT o.device || '.' || o.n, e.value, o.device, o.at_ms, e.base FROM record r
             JOIN edit e ON e.record = r.num AND e.field = ?3 AND e.key = ?4
             JOIN device_name d ON d.num = e.device JOIN op o ON o.device = d.id AND o.n = e.n
             WHERE r.kind = ?1 AND r.id = ?2 ORDER BY e.ms DESC, e.counter DESC, d.id DESC, e.n DESC",
        )?;
        let all = statement
            .query_map([kind.as_str(), id, field, key], |row| {
                let base: Option<String> = row.get(4)?;
                let base = base.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
                Ok(Head { op: row.get(0)?, value: row.get(1)?, device: row.get(2)?, at_ms: row.get(3)?, base })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(all)
    }

    /// Records that somebody deleted while others changed them, neither knowing of the other. A later
    /// deletion, or a restoration, settles it.
    pub fn contested(&self) -> Result<Vec<Contested>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT r.kind, r.id, d.id || '.' || c.n FROM cell c JOIN record r ON r.num = c.record JOIN device_name d ON d.num = c.device
             WHERE c.field = 'deleted' AND c.key = '' AND c.value IS NOT NULL ORDER BY c.ms DESC, c.counter DESC, d.id DESC, c.n DESC",
        )?;
        let deleted: Vec<(String, String, String)> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for (kind, id, op) in deleted {
            let Ok(deletion) = OpId::parse(op) else { continue };
            let Some((known, at_ms)) = self.written_in_knowledge_of(&deletion)? else { continue };
            let mut edits = Vec::new();
            for row in self.lines_about(&kind, &id)? {
                let Ok(device) = DeviceId::parse(row.device.clone()) else { continue };
                let edit = OpId { device, n: row.n };
                if row.state != "accepted" || edit.device == deletion.device || knows(&known, &edit.device, edit.n) {
                    continue;
                }
                if let Some((past, at_ms)) = self.written_in_knowledge_of(&edit)?
                    && !knows(&past, &deletion.device, deletion.n)
                {
                    edits.push((row.device, at_ms));
                }
            }
            if !edits.is_empty() {
                found.push(Contested { kind, id, deleted: (deletion.device.to_string(), at_ms), edits });
            }
        }
        Ok(found)
    }

    /// The commit that an operation is in; none while it is not sealed.
    pub(crate) fn commit_of(&self, op: &OpId) -> Result<Option<String>, StoreError> {
        Ok(self
            .prepare_cached(
                "SELECT oid FROM envelope WHERE device = ?1 AND first <= ?2 AND ?2 < first + count ORDER BY first DESC LIMIT 1",
            )?
            .query_row(params![op.device.as_str(), op.n], |row| row.get(0))
            .optional()?)
    }

    /// What the author of an operation could know of other computers, and when they say they wrote it.
    fn written_in_knowledge_of(&self, op: &OpId) -> Result<Option<(Past, i64)>, StoreError> {
        let at_ms = self
            .prepare_cached("SELECT at_ms FROM op WHERE device = ?1 AND n = ?2")?
            .query_row(params![op.device.as_str(), op.n], |row| row.get(0))
            .optional()?;
        let Some(at_ms) = at_ms else { return Ok(None) };
        let past = match self.commit_of(op)? {
            Some(oid) => self.envelope(&oid)?.past,
            // Not sealed yet: written in knowledge of all that is here.
            None => self.frontier()?,
        };
        Ok(Some((past, at_ms)))
    }

    /// A setting of this computer.
    pub fn local(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.conn.prepare_cached("SELECT value FROM local WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()?)
    }
}
