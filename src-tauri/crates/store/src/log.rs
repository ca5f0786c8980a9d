//! The log: rows of operations, and reading them for audit and authority.

use crate::StoreError;
use crate::store::{AuthorityVersion, Reader};
use cairn_core::authority::{Acl, Entry, Level, Past};
use cairn_core::fold;
use cairn_core::hlc::{Hlc, MS_MAX};
use cairn_core::id::{DeviceId, OpId};
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
    /// Kept for operations of authority only.
    pub past: Option<&'a Past>,
    pub level: Option<Level>,
    pub state: State,
    pub reason: Option<&'a str>,
    pub received_ms: Option<i64>,
}

/// The clock as one number, for the order of the trail.
pub(crate) fn clock(hlc: Hlc) -> i64 {
    let ms = i64::try_from(hlc.ms.min(MS_MAX)).unwrap_or(i64::MAX >> 20);
    (ms << 20) | i64::from(hlc.counter.min(0xf_ffff))
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
        "INSERT INTO op (device, n, clock, at_ms, type, authority, level, kind, record, line, past, state, reason, received_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        row.device.as_str(),
        row.n,
        clock(row.line.hlc),
        row.line.at_ms(),
        row.line.op.name(),
        row.line.op.is_authority(),
        row.level.map(level_number),
        subject.as_ref().map(|s| s.kind.as_str()),
        subject.as_ref().map(|s| s.id.as_str()),
        row.text,
        row.past.map(past_text),
        row.state.as_str(),
        row.reason,
        row.received_ms,
    ])?;
    Ok(())
}

const LEVELS: [Level; 7] =
    [Level::Member, Level::Administrator, Level::Owner, Level::Quorum, Level::Recovery, Level::Lineage, Level::Genesis];

fn level_number(level: Level) -> u8 {
    level as u8
}

fn read_level(number: u8) -> Result<Level, StoreError> {
    LEVELS.into_iter().find(|l| *l as u8 == number).ok_or_else(|| StoreError::Damaged(format!("{number} is no standing")))
}

/// Writes what became of an operation of authority: its standing, or why it has none.
pub(crate) fn judged(conn: &Connection, row: &TrailRow, level: Result<Level, String>) -> Result<(), StoreError> {
    let (state, reason, level) = match level {
        Ok(level) => (State::Accepted, None, Some(level_number(level))),
        Err(reason) => (State::Refused, Some(reason), None),
    };
    conn.prepare_cached("UPDATE op SET state = ?3, reason = ?4, level = ?5 WHERE device = ?1 AND n = ?2")?.execute(params![
        row.device,
        row.n,
        state.as_str(),
        reason,
        level
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
    /// The commit that it was shared in; only the trail says.
    pub envelope: Option<String>,
    pub received_ms: Option<i64>,
    /// Whether it stood among the operations of authority.
    pub authority: bool,
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
    /// Only lines that contain this text, or were written from one of `text_devices`.
    pub text: Option<String>,
    pub text_devices: Vec<String>,
    /// Only these stretches of operations: device, first, last.
    pub ranges: Option<Vec<(String, u64, u64)>>,
    /// Only about these records, `<kind>/<id>`.
    pub records: Option<Vec<String>>,
    pub types: Option<Vec<String>>,
    /// Claimed at or after this time.
    pub since_ms: Option<i64>,
    /// Claimed before this time.
    pub until_ms: Option<i64>,
    pub only_problems: bool,
    /// Leave out the many lines of tracking: parameters, tags, files.
    pub without_tracking: bool,
    pub limit: u32,
    pub offset: u32,
}

const ROW: &str = "SELECT device, n, at_ms, kind, record, type, line, state, reason, NULL, received_ms, authority FROM op";
const ROW_AND_COMMIT: &str = "SELECT device, n, at_ms, kind, record, type, line, state, reason,
    (SELECT e.oid FROM envelope e WHERE e.device = op.device AND e.first <= op.n AND op.n < e.first + e.count ORDER BY e.first DESC LIMIT 1),
    received_ms, authority FROM op";

fn row(row: &Row<'_>) -> rusqlite::Result<TrailRow> {
    Ok(TrailRow {
        id: format!("{}.{}", row.get_ref(0)?.as_str()?, row.get::<_, u64>(1)?),
        device: row.get(0)?,
        n: row.get(1)?,
        at_ms: row.get(2)?,
        kind: row.get(3)?,
        record: row.get(4)?,
        r#type: row.get(5)?,
        line: row.get(6)?,
        state: row.get(7)?,
        reason: row.get(8)?,
        envelope: row.get(9)?,
        received_ms: row.get(10)?,
        authority: row.get(11)?,
    })
}

impl TrailRow {
    /// The operation, if this program knows its type.
    pub fn op(&self) -> Option<OpLine> {
        Self::read(&self.line)
    }

    pub(crate) fn read(line: &str) -> Option<OpLine> {
        match OpLine::read(line) {
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
             AND (?5 IS NULL OR instr(lower(line), lower(?5)) > 0 OR device IN (SELECT value FROM json_each(?8)))
             AND (?9 IS NULL OR EXISTS (SELECT 1 FROM json_each(?9) AS j WHERE device = j.value ->> 0 AND n BETWEEN j.value ->> 1 AND j.value ->> 2))
             AND (?10 IS NULL OR kind || '/' || record IN (SELECT value FROM json_each(?10)))
             AND (?11 IS NULL OR type IN (SELECT value FROM json_each(?11)))
             AND (?12 IS NULL OR at_ms >= ?12) AND (?13 IS NULL OR at_ms < ?13)
             AND (?6 = 0 OR state <> 'accepted')
             AND (?7 = 0 OR type NOT IN ('run.tagged', 'run.params_logged', 'run.metric_summarised', 'run.metrics_summarised', 'segment.stored', 'device.witnessed', 'run.inputs_logged',
                  'run.outputs_logged', 'run.source_recorded', 'artifact.logged', 'artifact.removed', 'artifact.referenced', 'logged_model.created', 'logged_model.updated', 'logged_model.tagged', 'logged_model.params_logged', 'logged_model.metrics_summarised'))";
        let json = |list: Option<serde_json::Value>| list.map(|l| l.to_string());
        let args = params![
            kind,
            record,
            filter.type_prefix,
            devices,
            filter.text,
            filter.only_problems,
            filter.without_tracking,
            serde_json::json!(filter.text_devices).to_string(),
            json(filter.ranges.as_ref().map(|l| serde_json::json!(l))),
            json(filter.records.as_ref().map(|l| serde_json::json!(l))),
            json(filter.types.as_ref().map(|l| serde_json::json!(l))),
            filter.since_ms,
            filter.until_ms,
        ];
        let total = self.conn.prepare_cached(&format!("SELECT count(*) FROM op {wheres}"))?.query_row(args, |r| r.get(0))?;
        let sql =
            format!("{ROW_AND_COMMIT} {wheres} ORDER BY clock DESC, device DESC, n DESC LIMIT {} OFFSET {}", filter.limit, filter.offset);
        let mut statement = self.conn.prepare(&sql)?;
        let rows = statement.query_map(args, row)?.collect::<Result<Vec<_>, _>>()?;
        Ok((rows, total))
    }

    /// Every record that an operation is about, in whatever state: kind and id.
    pub fn recorded(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.conn.prepare("SELECT DISTINCT kind, record FROM op WHERE kind IS NOT NULL")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    /// The types that occur in the log.
    pub fn types(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.conn.prepare("SELECT DISTINCT type FROM op ORDER BY type")?;
        let rows = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    /// What became of every operation.
    pub fn states(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.conn.prepare("SELECT device || '.' || n, state FROM op ORDER BY device, n")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    /// Every line of the log with its number, device by device: what `verify` and exports walk.
    pub fn all_lines(&self) -> Result<Vec<TrailRow>, StoreError> {
        let mut statement = self.conn.prepare(&format!("{ROW_AND_COMMIT} ORDER BY clock, device, n"))?;
        let rows = statement.query_map([], row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    /// The lines of one commit, in the order of their numbers.
    pub fn lines_of(&self, device: &str, first: u64, count: u64) -> Result<Vec<TrailRow>, StoreError> {
        let mut statement = self.conn.prepare_cached(&format!("{ROW} WHERE device = ?1 AND n >= ?2 AND n < ?2 + ?3 ORDER BY n"))?;
        let rows = statement.query_map(params![device, first, count], row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    pub(crate) fn lines_from(&self, device: &str, first: u64) -> Result<Vec<TrailRow>, StoreError> {
        let mut statement = self.conn.prepare_cached(&format!("{ROW} WHERE device = ?1 AND n >= ?2 ORDER BY n"))?;
        let rows = statement.query_map(params![device, first], row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    pub(crate) fn lines_about(&self, kind: &str, record: &str) -> Result<Vec<TrailRow>, StoreError> {
        let mut statement = self.conn.prepare_cached(&format!("{ROW} WHERE kind = ?1 AND record = ?2"))?;
        let rows = statement.query_map(params![kind, record], row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    /// The valid operations of authority, those without effect included: what others could rightly
    /// rely on when they wrote.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT device, n, past, level, line FROM op WHERE authority = 1 AND level IS NOT NULL ORDER BY device, n")?;
        let mut rows = statement.query([])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let device: String = row.get(0)?;
            let device = DeviceId::parse(device).map_err(|e| StoreError::Line(e.to_string()))?;
            let n: u64 = row.get(1)?;
            let mut past = read_past(&row.get::<_, String>(2)?)?;
            past.remove(&device);
            if n > 1 {
                past.insert(device.clone(), n - 1);
            }
            let text: String = row.get(4)?;
            if let Ok(ReadLine::Known(line)) = OpLine::read(&text) {
                entries.push(Entry { device, n, past: Arc::new(past), op: line.op, level: read_level(row.get(3)?)? });
            }
        }
        Ok(entries)
    }

    /// Who may do what, by everything that is valid here.
    pub fn acl(&self) -> Result<Arc<Acl>, StoreError> {
        let version = self.authority_version()?;
        self.store.cached_acl(version, || Ok(Acl::at(&self.entries()?, None)))
    }

    /// The state of authority follows from the valid operations, which are only ever added until all
    /// is judged anew.
    pub(crate) fn authority_version(&self) -> Result<AuthorityVersion, StoreError> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM local WHERE key = 'judged_anew'), 0),
                   (SELECT count(*) FROM op WHERE authority = 1 AND level IS NOT NULL)",
            )?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Is there an operation of authority that this program does not understand? Then nobody can say
    /// here who may do what.
    pub fn authority_is_newer(&self) -> Result<bool, StoreError> {
        Ok(self.conn.prepare_cached("SELECT 1 FROM op WHERE authority = 1 AND state = 'unknown'")?.exists([])?)
    }

    /// How many operations of each computer are held.
    pub fn held_by_device(&self) -> Result<std::collections::BTreeMap<String, u64>, StoreError> {
        // The second condition says what the first implies: SQLite takes the small index only where it stands there.
        let mut statement =
            self.conn.prepare_cached("SELECT device, count(*) FROM op WHERE state = 'held' AND state <> 'accepted' GROUP BY device")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// The last operation of a computer before a moment. Its own clock is only its claim, so what
    /// counts is the earlier of the claim and the arrival here.
    pub fn last_before(&self, device: &DeviceId, since_ms: i64) -> Result<u64, StoreError> {
        let first_after: Option<u64> = self
            .conn
            .prepare_cached("SELECT min(n) FROM op WHERE device = ?1 AND max(at_ms, coalesce(received_ms, at_ms)) >= ?2")?
            .query_row(params![device.as_str(), since_ms], |row| row.get(0))?;
        Ok(match first_after {
            Some(n) => n - 1,
            None => self.frontier()?.get(device).copied().unwrap_or(0),
        })
    }

    /// This computer's name in the log.
    pub fn device(&self) -> Result<DeviceId, StoreError> {
        let raw = self.local("device")?.ok_or_else(|| StoreError::Damaged("it does not say which computer it belongs to".to_owned()))?;
        DeviceId::parse(raw).map_err(|e| StoreError::Damaged(e.to_string()))
    }

    /// For each device the last operation that is held here: what the next operation may know.
    pub fn frontier(&self) -> Result<Past, StoreError> {
        let mut past: Past = self.branches()?.into_iter().map(|b| (b.device, b.n)).collect();
        // What is written here and not sealed yet.
        let own = self.device()?;
        let last: Option<u64> =
            self.conn.prepare_cached("SELECT max(n) FROM op WHERE device = ?1")?.query_row([own.as_str()], |row| row.get(0))?;
        if let Some(last) = last {
            past.insert(own, last);
        }
        Ok(past)
    }

    /// The reason that the author of an operation gave.
    pub fn why(&self, id: &str) -> Result<Option<String>, StoreError> {
        use rusqlite::OptionalExtension;
        let Ok(id) = OpId::parse(id) else { return Ok(None) };
        let line: Option<String> = self
            .conn
            .prepare_cached("SELECT line FROM op WHERE device = ?1 AND n = ?2")?
            .query_row(params![id.device.as_str(), id.n], |row| row.get(0))
            .optional()?;
        Ok(line.and_then(|text| match OpLine::read(&text) {
            Ok(ReadLine::Known(line)) => line.why,
            Ok(ReadLine::Unknown { .. }) | Err(_) => None,
        }))
    }
}
