//! The views: records, their cells, and the edits of shared texts.

use crate::StoreError;
use crate::store::Reader;
use cairn_core::authority::{Past, knows};
use cairn_core::fold::{Effect, PART, effects};
use cairn_core::id::{DeviceId, OpId};
use cairn_core::op::{Kind, Op};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One cell as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub value: String,
    /// The operation that wrote it: the base of the next edit.
    pub op: String,
    pub stamp: String,
}

/// A record with its cells.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: String,
    pub parent: Option<String>,
    /// When it was created, as its author claimed.
    pub at_ms: i64,
    /// Where it was created.
    pub device: String,
    /// By field, then key; removed cells are left out.
    pub cells: BTreeMap<String, BTreeMap<String, Cell>>,
}

impl Record {
    /// The one value of a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.get_key(field, "")
    }
    pub fn get_key(&self, field: &str, key: &str) -> Option<&str> {
        self.cells.get(field)?.get(key).map(|c| c.value.as_str())
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
        self.cells.get(field).map(|m| m.iter().map(|(k, c)| (k.clone(), c.value.clone())).collect()).unwrap_or_default()
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

/// Folds one operation into the views; returns the cache tags that it touched.
pub(crate) fn apply(
    conn: &Connection,
    op: &Op,
    stamp: &str,
    id: &OpId,
    at_ms: i64,
    device: &DeviceId,
) -> Result<Vec<&'static str>, StoreError> {
    let mut tags = Vec::new();
    for effect in effects(op) {
        let kind = match effect {
            Effect::Record { kind, id, parent } => {
                conn.prepare_cached(
                    "INSERT INTO record (kind, id, parent, stamp, at_ms, device) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (kind, id) DO UPDATE SET parent = excluded.parent, stamp = excluded.stamp,
                       at_ms = excluded.at_ms, device = excluded.device WHERE excluded.stamp < stamp",
                )?
                .execute(params![kind.as_str(), id, parent, stamp, at_ms, device.as_str()])?;
                kind
            }
            Effect::Cell { kind, id: record, field, key, value } => {
                put(conn, kind, &record, field, &key, value.as_deref(), stamp, id)?;
                kind
            }
            Effect::Part { kind, id: record, field, key, value } => {
                put(conn, kind, &record, field, &format!("{key}{PART}{device}"), Some(&value), stamp, id)?;
                kind
            }
            Effect::Edit { kind, id: record, field, key, value, base } => {
                put(conn, kind, &record, field, &key, Some(&value), stamp, id)?;
                conn.prepare_cached(
                    "INSERT OR IGNORE INTO edit (op, kind, id, field, key, value, base, stamp)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    id.to_string(),
                    kind.as_str(),
                    record,
                    field,
                    key,
                    value,
                    base.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                    stamp
                ])?;
                kind
            }
        };
        tags.push(kind.as_str());
    }
    Ok(tags)
}

/// Takes a record out of the views, to be made again.
pub(crate) fn forget(conn: &Connection, kind: &str, record: &str) -> Result<(), StoreError> {
    for table in ["record", "cell", "edit"] {
        conn.prepare_cached(&format!("DELETE FROM {table} WHERE kind = ?1 AND id = ?2"))?.execute([kind, record])?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)] // a cell has this many parts
fn put(
    conn: &Connection,
    kind: Kind,
    record: &str,
    field: &str,
    key: &str,
    value: Option<&str>,
    stamp: &str,
    op: &OpId,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO cell (kind, id, field, key, value, stamp, op) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (kind, id, field, key) DO UPDATE SET value = excluded.value, stamp = excluded.stamp, op = excluded.op
         WHERE excluded.stamp > stamp",
    )?
    .execute(params![kind.as_str(), record, field, key, value, stamp, op.to_string()])?;
    Ok(())
}

fn base_record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record { id: row.get(0)?, parent: row.get(1)?, at_ms: row.get(2)?, device: row.get(3)?, cells: BTreeMap::new() })
}

impl Reader<'_> {
    /// One record, deleted or not.
    pub fn record(&self, kind: Kind, id: &str) -> Result<Option<Record>, StoreError> {
        let found = self
            .conn
            .prepare_cached("SELECT id, parent, at_ms, device FROM record WHERE kind = ?1 AND id = ?2")?
            .query_row([kind.as_str(), id], base_record)
            .optional()?;
        let Some(mut record) = found else { return Ok(None) };
        self.fill(kind, &mut record)?;
        Ok(Some(record))
    }

    /// Like [`Self::record`], where a missing one is an error.
    pub fn require(&self, kind: Kind, id: &str) -> Result<Record, StoreError> {
        self.record(kind, id)?.ok_or_else(|| StoreError::NotFound(format!("{}/{id}", kind.as_str())))
    }

    /// The records of a kind, of one parent or of all, in the order of their creation.
    pub fn records(&self, kind: Kind, parent: Option<&str>) -> Result<Vec<Record>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, parent, at_ms, device FROM record WHERE kind = ?1 AND (?2 IS NULL OR parent = ?2) ORDER BY stamp",
        )?;
        let mut found = statement.query_map(params![kind.as_str(), parent], base_record)?.collect::<Result<Vec<_>, _>>()?;
        for record in &mut found {
            self.fill(kind, record)?;
        }
        Ok(found)
    }

    /// How many records of a kind there are, deleted ones included.
    pub fn count(&self, kind: Kind) -> Result<u64, StoreError> {
        Ok(self.conn.query_row("SELECT count(*) FROM record WHERE kind = ?1", [kind.as_str()], |row| row.get(0))?)
    }

    fn fill(&self, kind: Kind, record: &mut Record) -> Result<(), StoreError> {
        let mut statement =
            self.conn.prepare_cached("SELECT field, key, value, op, stamp FROM cell WHERE kind = ?1 AND id = ?2 AND value IS NOT NULL")?;
        let mut rows = statement.query([kind.as_str(), &record.id])?;
        while let Some(row) = rows.next()? {
            let cell = Cell { value: row.get(2)?, op: row.get(3)?, stamp: row.get(4)? };
            record.cells.entry(row.get(0)?).or_default().insert(row.get(1)?, cell);
        }
        Ok(())
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
            "SELECT e.op, e.value, o.device, o.at_ms, e.base FROM edit e
             JOIN op o ON o.device || '.' || o.n = e.op AND o.kind = e.kind AND o.record = e.id
             WHERE e.kind = ?1 AND e.id = ?2 AND e.field = ?3 AND e.key = ?4 ORDER BY e.stamp DESC",
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
            "SELECT kind, id, op FROM cell WHERE field = 'deleted' AND key = '' AND value IS NOT NULL ORDER BY stamp DESC",
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
    fn commit_of(&self, op: &OpId) -> Result<Option<String>, StoreError> {
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
