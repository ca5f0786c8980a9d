//! The log: rows of operations, and reading them for audit and authority.

use crate::StoreError;
use crate::store::Reader;
use cairn_core::authority::{Acl, Entry, Past};
use cairn_core::fold;
use cairn_core::hlc::Hlc;
use cairn_core::id::DeviceId;
use cairn_core::op::{OpLine, ReadLine};
use rusqlite::{Connection, Row, params};
use std::sync::Arc;

/// Whether an operation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Accepted,
    /// Its author had no right to it.
    Refused,
    /// Beyond a revocation's cut: kept and shown, not folded.
    Held,
    /// A type from a later version: kept, folded after an upgrade.
    Unknown,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::Unknown => "unknown",
        }
    }
}

pub(crate) struct NewRow<'a> {
    pub line: &'a OpLine,
    pub text: &'a str,
    pub device: &'a DeviceId,
    pub n: u64,
    pub stamp: &'a str,
    pub past: &'a Past,
    pub state: State,
    pub reason: Option<&'a str>,
    pub envelope: Option<&'a str>,
    pub received_ms: Option<i64>,
}

pub(crate) fn stamp(hlc: Hlc, device: &DeviceId, n: u64) -> String {
    format!("{hlc}.{device}.{n:012x}")
}

pub(crate) fn past_text(past: &Past) -> String {
    serde_json::to_string(past).unwrap_or_else(|_| "{}".to_owned())
}

pub(crate) fn read_past(text: &str) -> Result<Past, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Line(e.to_string()))
}

pub(crate) fn insert(conn: &Connection, row: &NewRow<'_>) -> Result<(), StoreError> {
    let subject = fold::subject(&row.line.op);
    conn.prepare_cached(
        "INSERT INTO op (id, device, n, stamp, at_ms, type, authority, kind, record, line, past, state, reason, envelope, received_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        row.line.id.as_str(),
        row.device.as_str(),
        row.n,
        row.stamp,
        i64::try_from(row.line.hlc.ms).unwrap_or(i64::MAX),
        row.line.op.name(),
        row.line.op.is_authority(),
        subject.as_ref().map(|s| s.kind.as_str()),
        subject.as_ref().map(|s| s.id.as_str()),
        row.text,
        past_text(row.past),
        row.state.as_str(),
        row.reason,
        row.envelope,
        row.received_ms,
    ])?;
    Ok(())
}

/// An entry of the trail.
#[derive(Debug, Clone)]
pub struct TrailRow {
    pub id: String,
    pub device: String,
    pub n: u64,
    pub at_ms: i64,
    pub kind: Option<String>,
    pub record: Option<String>,
    pub r#type: String,
    pub line: String,
    pub state: String,
    pub reason: Option<String>,
    pub envelope: Option<String>,
    pub received_ms: Option<i64>,
}

/// What to show of the trail.
#[derive(Debug, Clone, Default)]
pub struct TrailFilter {
    /// Only about this record: kind and id.
    pub subject: Option<(String, String)>,
    /// Only types that begin so, such as `release.`.
    pub type_prefix: Option<String>,
    /// Only what was written from these devices.
    pub devices: Option<Vec<String>>,
    /// Only lines that contain this text.
    pub text: Option<String>,
    pub only_problems: bool,
    /// Leave out the many lines of tracking: parameters, tags, files.
    pub without_tracking: bool,
    pub limit: u32,
    pub offset: u32,
}

const ROW: &str = "SELECT id, device, n, at_ms, kind, record, type, line, state, reason, envelope, received_ms FROM op";

fn row(row: &Row<'_>) -> rusqlite::Result<TrailRow> {
    Ok(TrailRow {
        id: row.get(0)?,
        device: row.get(1)?,
        n: row.get(2)?,
        at_ms: row.get(3)?,
        kind: row.get(4)?,
        record: row.get(5)?,
        r#type: row.get(6)?,
        line: row.get(7)?,
        state: row.get(8)?,
        reason: row.get(9)?,
        envelope: row.get(10)?,
        received_ms: row.get(11)?,
    })
}

impl TrailRow {
    /// The operation, if this program knows its type.
    pub fn op(&self) -> Option<OpLine> {
        match OpLine::read(&self.line) {
            Ok(ReadLine::Known(line)) => Some(*line),
            Ok(ReadLine::Unknown { .. }) | Err(_) => None,
        }
    }
}

impl Reader<'_> {
    /// The trail, newest first, and how many entries the filter finds in all.
    pub fn trail(&self, filter: &TrailFilter) -> Result<(Vec<TrailRow>, u64), StoreError> {
        let (kind, record) = filter.subject.clone().map_or((None, None), |(k, r)| (Some(k), Some(r)));
        let devices = filter.devices.as_ref().map(|d| serde_json::json!(d).to_string());
        let wheres = " WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR record = ?2)
             AND (?3 IS NULL OR substr(type, 1, length(?3)) = ?3)
             AND (?4 IS NULL OR device IN (SELECT value FROM json_each(?4)))
             AND (?5 IS NULL OR instr(lower(line), lower(?5)) > 0)
             AND (?6 = 0 OR state <> 'accepted')
             AND (?7 = 0 OR type NOT IN ('run.tagged', 'run.params_logged', 'run.metric_summarised', 'run.inputs_logged',
                  'run.outputs_logged', 'artifact.logged', 'logged_model.created', 'logged_model.updated', 'logged_model.tagged'))";
        let args = params![kind, record, filter.type_prefix, devices, filter.text, filter.only_problems, filter.without_tracking];
        let total = self.conn.prepare_cached(&format!("SELECT count(*) FROM op {wheres}"))?.query_row(args, |r| r.get(0))?;
        let sql = format!("{ROW} {wheres} ORDER BY stamp DESC LIMIT {} OFFSET {}", filter.limit, filter.offset);
        let mut statement = self.conn.prepare(&sql)?;
        let rows = statement.query_map(args, row)?.collect::<Result<Vec<_>, _>>()?;
        Ok((rows, total))
    }

    /// Every line of the log with its number, device by device: what `verify` and exports walk.
    pub fn all_lines(&self) -> Result<Vec<TrailRow>, StoreError> {
        let mut statement = self.conn.prepare(&format!("{ROW} ORDER BY stamp"))?;
        let rows = statement.query_map([], row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    /// The accepted operations of authority.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.authority("SELECT device, n, past, line FROM op WHERE authority = 1 AND state = 'accepted' ORDER BY device, n")
    }

    /// Those that were valid in their own past, held ones included: what others could rightly rely on
    /// when they wrote. With the accepted ones alone a verdict would depend on the order of arrival.
    pub(crate) fn valid_entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.authority("SELECT device, n, past, line FROM op WHERE authority = 1 AND state IN ('accepted', 'held') ORDER BY device, n")
    }

    fn authority(&self, sql: &str) -> Result<Vec<Entry>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let device: String = row.get(0)?;
            let device = DeviceId::parse(device).map_err(|e| StoreError::Line(e.to_string()))?;
            let n: u64 = row.get(1)?;
            let mut past = read_past(&row.get::<_, String>(2)?)?;
            if n > 1 {
                past.insert(device.clone(), n - 1);
            }
            let text: String = row.get(3)?;
            if let Ok(ReadLine::Known(line)) = OpLine::read(&text) {
                entries.push(Entry { device, n, past, op: line.op });
            }
        }
        Ok(entries)
    }

    /// Who may do what, by everything that is accepted here.
    pub fn acl(&self) -> Result<Arc<Acl>, StoreError> {
        let version = self
            .conn
            .prepare_cached(
                "SELECT (SELECT count(*) FROM op WHERE authority = 1 AND state = 'accepted'),
                        (SELECT count(*) FROM op WHERE state <> 'accepted')",
            )?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.store.cached_acl(version, || Ok(Acl::at(&self.entries()?, None)))
    }

    /// For each device the last operation that is held here: what the next operation may know.
    pub fn frontier(&self) -> Result<Past, StoreError> {
        let mut statement = self.conn.prepare_cached("SELECT device, max(n) FROM op GROUP BY device")?;
        let mut rows = statement.query([])?;
        let mut past = Past::new();
        while let Some(row) = rows.next()? {
            let device: String = row.get(0)?;
            past.insert(DeviceId::parse(device).map_err(|e| StoreError::Line(e.to_string()))?, row.get(1)?);
        }
        Ok(past)
    }
}

impl Reader<'_> {
    /// The reason that the author of an operation gave.
    pub fn why(&self, id: &str) -> Result<Option<String>, StoreError> {
        use rusqlite::OptionalExtension;
        let line: Option<String> =
            self.conn.prepare_cached("SELECT line FROM op WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
        Ok(line.and_then(|text| match OpLine::read(&text) {
            Ok(ReadLine::Known(line)) => line.why,
            Ok(ReadLine::Unknown { .. }) | Err(_) => None,
        }))
    }
}

impl Reader<'_> {
    /// Is there an operation of this id?
    pub fn has_op(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.conn.prepare_cached("SELECT 1 FROM op WHERE id = ?1")?.exists([id])?)
    }
}
