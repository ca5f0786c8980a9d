//! Verdicts over operations: what arrives, what an operation of authority changes, or all anew.
//!
//! Validity depends on an operation's own past only and never changes. Whether it counts depends on
//! everything that is known of authority, so an operation of authority may turn earlier verdicts;
//! then only the computers that it touches are judged again, and only the records that they wrote
//! are folded again.

use crate::StoreError;
use crate::log::{self, State};
use crate::records::{apply, forget, forget_all};
use crate::store::Reader;
use crate::writer::Writer;
use cairn_core::authority::{Acl, History, Line, Past, Verdict, View};
use cairn_core::id::{DeviceId, OpId};
use cairn_core::op::{Op, OpLine, ReadLine};
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Checks what only keys can tell: signatures inside operations, ids that belong to keys. Passed
/// in, because keys and signatures are `sync`'s matter.
pub type SignoffCheck<'a> = dyn Fn(&Op, &Acl, &DeviceId) -> Result<(), String> + 'a;

/// Why a line of a type that this program does not know has no effect.
pub(crate) const NOT_KNOWN: &str = "written by a newer Cairn";

pub(crate) fn state_of(verdict: Verdict) -> (State, Option<String>) {
    match verdict {
        Verdict::Accepted => (State::Accepted, None),
        Verdict::Refused(denied) => (State::Refused, Some(denied.to_string())),
        Verdict::Held(denied) => (State::Held, Some(denied.to_string())),
    }
}

/// An accepted envelope as it is kept.
#[derive(Debug, Clone)]
pub struct Envelope {
    pub oid: String,
    pub device: DeviceId,
    pub seq: u64,
    pub first: u64,
    pub count: u64,
    /// The sha256 of the commit object.
    pub sha256: String,
    /// What its parents stand for, the own branch left out.
    pub past: Past,
}

impl Reader<'_> {
    /// The commits of all devices along causality, or of one device from an operation on.
    pub fn envelope_order(&self, of: Option<(&DeviceId, u64)>) -> Result<Vec<String>, StoreError> {
        let (device, from) = of.map_or((None, 0), |(d, n)| (Some(d.as_str()), n));
        let mut statement = self.prepare_cached(
            "SELECT oid FROM envelope WHERE (?1 IS NULL OR device = ?1) AND first + count > ?2 ORDER BY weight, device, seq",
        )?;
        let rows = statement.query_map(params![device, from], |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    }

    pub fn envelope(&self, oid: &str) -> Result<Envelope, StoreError> {
        let mut statement = self.prepare_cached("SELECT oid, device, seq, first, count, sha256, past FROM envelope WHERE oid = ?1")?;
        let mut rows = statement.query([oid])?;
        let Some(row) = rows.next()? else { return Err(StoreError::NotFound(format!("commit/{oid}"))) };
        Ok(Envelope {
            oid: row.get(0)?,
            device: DeviceId::parse(row.get::<_, String>(1)?).map_err(|e| StoreError::Line(e.to_string()))?,
            seq: row.get(2)?,
            first: row.get(3)?,
            count: row.get(4)?,
            sha256: row.get(5)?,
            past: log::read_past(&row.get::<_, String>(6)?)?,
        })
    }

    /// The lines of an accepted envelope.
    pub fn lines_in(&self, envelope: &Envelope) -> Result<Vec<log::TrailRow>, StoreError> {
        self.lines_of(envelope.device.as_str(), envelope.first, envelope.count)
    }

    /// What is written here and not sealed yet, as if it were one more envelope.
    fn unsealed_lines(&self, device: &DeviceId) -> Result<Vec<log::TrailRow>, StoreError> {
        self.lines_from(device.as_str(), self.sealed_up_to(device)? + 1)
    }
}

fn read(row: &log::TrailRow) -> Result<Option<OpLine>, StoreError> {
    Ok(match OpLine::read(&row.line).map_err(StoreError::Line)? {
        ReadLine::Known(line) => Some(*line),
        ReadLine::Unknown { .. } => None,
    })
}

/// Judges again what a change of authority may have turned. `before` is the state without it.
pub(crate) fn anew(writer: &mut Writer<'_>, before: &Acl) -> Result<(), StoreError> {
    let now = writer.acl()?;
    // Operations of authority: the fold said which have no effect.
    let void: BTreeMap<&OpId, String> = now.void.iter().map(|v| (&v.id, v.reason.to_string())).collect();
    for v in before.void.iter().filter(|v| !void.contains_key(&v.id)) {
        writer.execute(
            "UPDATE op SET state = 'accepted', reason = NULL WHERE device = ?1 AND n = ?2",
            params![v.id.device.as_str(), v.id.n],
        )?;
    }
    for (id, reason) in void {
        writer
            .execute("UPDATE op SET state = 'held', reason = ?3 WHERE device = ?1 AND n = ?2", params![id.device.as_str(), id.n, reason])?;
    }
    weigh_unknown(writer, &now)?;
    let mut turned: BTreeSet<(String, String)> = BTreeSet::new();
    for (device, from) in now.changed_since(before) {
        for oid in writer.envelope_order(Some((&device, from)))? {
            let envelope = writer.envelope(&oid)?;
            let rows = writer.lines_in(&envelope)?;
            judge_again(writer, &now, &device, &envelope.past, rows, &mut turned)?;
        }
        let rows = writer.unsealed_lines(&device)?;
        let frontier = writer.frontier()?;
        judge_again(writer, &now, &device, &frontier, rows, &mut turned)?;
    }
    for (kind, record) in &turned {
        refold(writer, kind, record)?;
    }
    if !turned.is_empty() {
        touch_all(writer);
    }
    Ok(())
}

/// Which operations of authority that nobody here understands could mean anything, with everything that is known now: those
/// whose author is not cut before them and still had the right to manage who is in.
fn weigh_unknown(writer: &mut Writer<'_>, now: &Acl) -> Result<(), StoreError> {
    let rows = {
        let mut statement = writer.prepare_cached(
            "SELECT device, n, past, state FROM op
             WHERE authority = 1 AND level IS NULL AND state IN ('unknown', 'held') AND state <> 'accepted'",
        )?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?));
        statement.query_map([], row)?.collect::<Result<Vec<(String, u64, String, String)>, _>>()?
    };
    for (device, n, past, before) in rows {
        let device = DeviceId::parse(device).map_err(|e| StoreError::Line(e.to_string()))?;
        let past = log::read_past(&past)?;
        let (state, reason) = match now.may_be_newer(&device, n, Some(View { past: &past, own: Some((&device, n)) })) {
            Ok(()) => (State::Unknown, NOT_KNOWN.to_owned()),
            Err(denied) => (State::Held, denied.to_string()),
        };
        if before != state.as_str() {
            writer.execute(
                "UPDATE op SET state = ?3, reason = ?4 WHERE device = ?1 AND n = ?2",
                params![device.as_str(), n, state.as_str(), reason],
            )?;
            // Who may do what is known again, or not any more, and with it every decision.
            touch_all(writer);
        }
    }
    Ok(())
}

fn judge_again(
    writer: &Writer<'_>,
    now: &Acl,
    device: &DeviceId,
    past: &Past,
    rows: Vec<log::TrailRow>,
    turned: &mut BTreeSet<(String, String)>,
) -> Result<(), StoreError> {
    for row in rows {
        // What was never valid stays refused; what is not understood waits for an upgrade.
        if row.state != State::Accepted.as_str() && row.state != State::Held.as_str() {
            continue;
        }
        let Some(line) = read(&row)?.filter(|l| !l.op.is_authority()) else { continue };
        let verdict = now.verdict(&Line { device, n: row.n, past, op: &line.op, why: line.why.as_deref() });
        let (state, reason) = state_of(verdict);
        if row.state == state.as_str() {
            continue;
        }
        writer.prepare_cached("UPDATE op SET state = ?3, reason = ?4 WHERE device = ?1 AND n = ?2")?.execute(params![
            device.as_str(),
            row.n,
            state.as_str(),
            reason
        ])?;
        if let (Some(kind), Some(record)) = (row.kind, row.record) {
            turned.insert((kind, record));
        }
    }
    Ok(())
}

/// Makes one record again from the operations about it that count.
fn refold(writer: &Writer<'_>, kind: &str, record: &str) -> Result<(), StoreError> {
    forget(writer.conn, kind, record)?;
    for row in writer.lines_about(kind, record)? {
        if row.state == State::Accepted.as_str()
            && let Some(line) = read(&row)?
        {
            fold(writer, &row, &line)?;
        }
    }
    Ok(())
}

fn fold(writer: &Writer<'_>, row: &log::TrailRow, line: &OpLine) -> Result<(), StoreError> {
    let device = DeviceId::parse(row.device.clone()).map_err(|e| StoreError::Line(e.to_string()))?;
    apply(writer.conn, &line.op, line.hlc, &OpId { device, n: row.n }, row.at_ms)?;
    Ok(())
}

fn touch_all(writer: &mut Writer<'_>) {
    for tag in ["project", "run", "release", "model", "dataset", "note", "checklist", "member", "sharing"] {
        writer.touch(tag);
    }
    writer.touch_all_records();
}

/// Judges and folds the whole log from nothing; returns how many operations count.
pub(crate) fn rebuild(writer: &mut Writer<'_>, check: &SignoffCheck<'_>) -> Result<u64, StoreError> {
    forget_all(writer.conn)?;
    writer.execute_batch("UPDATE op SET level = NULL WHERE authority = 1;")?;
    let order = writer.envelope_order(None)?;
    let mut history = History::default();
    for oid in &order {
        let envelope = writer.envelope(oid)?;
        let rows = writer.lines_in(&envelope)?;
        take_authority(writer, &envelope.device, &envelope.past, &rows, &mut history, check)?;
    }
    // What is not sealed yet was written in knowledge of everything that is here.
    let own = writer.author_device().clone();
    let frontier = writer.frontier()?;
    let unsealed = writer.unsealed_lines(&own)?;
    take_authority(writer, &own, &frontier, &unsealed, &mut history, check)?;
    let now = history.now();
    for void in &now.void {
        let (id, reason) = (&void.id, void.reason.to_string());
        writer
            .execute("UPDATE op SET state = 'held', reason = ?3 WHERE device = ?1 AND n = ?2", params![id.device.as_str(), id.n, reason])?;
    }
    weigh_unknown(writer, &now)?;
    let mut folded = history.entries().len() as u64 - now.void.len() as u64;
    for oid in &order {
        let envelope = writer.envelope(oid)?;
        let rows = writer.lines_in(&envelope)?;
        folded += take_data(writer, &envelope.device, &envelope.past, rows, (&mut history, &now), check)?;
    }
    folded += take_data(writer, &own, &frontier, unsealed, (&mut history, &now), check)?;
    writer.settle_long_tails()?;
    writer.freshen()?;
    let times: i64 = writer.local("judged_anew")?.and_then(|n| n.parse().ok()).unwrap_or(0);
    writer.set_local("judged_anew", &(times + 1).to_string())?;
    writer.set_local("views", &cairn_core::fold::VERSION.to_string())?;
    touch_all(writer);
    Ok(folded)
}

fn take_authority(
    writer: &Writer<'_>,
    device: &DeviceId,
    past: &Past,
    rows: &[log::TrailRow],
    history: &mut History,
    check: &SignoffCheck<'_>,
) -> Result<(), StoreError> {
    for row in rows.iter().filter(|row| row.authority) {
        let Some(line) = read(row)? else {
            let denied = history.seen_before(device, row.n, past).may_be_newer(device, row.n, None).err();
            let (state, reason) =
                denied.map_or_else(|| (State::Unknown, NOT_KNOWN.to_owned()), |denied| (State::Refused, denied.to_string()));
            writer.execute(
                "UPDATE op SET state = ?3, reason = ?4 WHERE device = ?1 AND n = ?2",
                params![row.device, row.n, state.as_str(), reason],
            )?;
            continue;
        };
        understood(writer, row, &line)?;
        let judged = Line { device, n: row.n, past, op: &line.op, why: line.why.as_deref() };
        let level = match check(&line.op, &history.seen_by(&judged), device) {
            Ok(()) => history.take(&judged).map_err(|d| d.to_string()),
            Err(reason) => Err(reason),
        };
        log::judged(writer.conn, row, level)?;
    }
    Ok(())
}

/// A line that an earlier program kept without knowing its type gets what is told of known ones.
fn understood(writer: &Writer<'_>, row: &log::TrailRow, line: &OpLine) -> Result<(), StoreError> {
    if row.state == State::Unknown.as_str() {
        let subject = cairn_core::fold::subject(&line.op);
        writer.prepare_cached("UPDATE op SET kind = ?3, record = ?4 WHERE device = ?1 AND n = ?2")?.execute(params![
            row.device,
            row.n,
            subject.as_ref().map(|s| s.kind.as_str()),
            subject.as_ref().map(|s| s.id.as_str())
        ])?;
    }
    Ok(())
}

fn take_data(
    writer: &Writer<'_>,
    device: &DeviceId,
    past: &Past,
    rows: Vec<log::TrailRow>,
    (history, now): (&mut History, &Acl),
    check: &SignoffCheck<'_>,
) -> Result<u64, StoreError> {
    let mut folded = 0;
    let mut then = None;
    for row in rows.into_iter().filter(|row| !row.authority) {
        let Some(line) = read(&row)? else { continue };
        understood(writer, &row, &line)?;
        let judged = Line { device, n: row.n, past, op: &line.op, why: line.why.as_deref() };
        // Nothing of authority lies between the data lines of one envelope.
        let then = then.get_or_insert_with(|| history.seen_by(&judged));
        let (state, reason) = data(then, now, &judged, check);
        if row.state != state.as_str() || row.reason != reason {
            writer.prepare_cached("UPDATE op SET state = ?3, reason = ?4 WHERE device = ?1 AND n = ?2")?.execute(params![
                row.device,
                row.n,
                state.as_str(),
                reason
            ])?;
        }
        if state == State::Accepted {
            fold(writer, &row, &line)?;
            folded += 1;
        }
    }
    Ok(folded)
}

/// The verdict over an operation that is not of authority.
pub fn data(then: &Acl, now: &Acl, line: &Line<'_>, check: &SignoffCheck<'_>) -> (State, Option<String>) {
    if let Err(denied) = then.check(line.device, line.n, line.op, line.why) {
        return (State::Refused, Some(denied.to_string()));
    }
    if let Err(reason) = check(line.op, then, line.device) {
        return (State::Refused, Some(reason));
    }
    state_of(now.verdict(line))
}

impl Reader<'_> {
    /// A digest of all views: equal on every computer that accepted the same operations.
    pub fn view_digest(&self) -> Result<String, StoreError> {
        let mut hash = cairn_core::canonical::Hasher::default();
        let mut text = String::new();
        for sql in [
            "SELECT r.kind, r.id, coalesce(r.parent, ''), r.at_ms, r.ms, r.counter, d.id, r.n, '' FROM record r
             JOIN device_name d ON d.num = r.device WHERE r.ms IS NOT NULL ORDER BY r.kind, r.id",
            "SELECT r.kind, r.id, c.field, c.key, c.value, c.ms, c.counter, d.id, c.n FROM cell c JOIN record r ON r.num = c.record
             JOIN device_name d ON d.num = c.device ORDER BY r.kind, r.id, c.field, c.key",
            "SELECT r.kind, r.id, e.field, e.key, e.value, e.base, e.ms, d.id, e.n FROM edit e JOIN record r ON r.num = e.record
             JOIN device_name d ON d.num = e.device ORDER BY r.kind, r.id, e.field, e.key, d.id, e.n",
            "SELECT device, n, state, '', '', '', '', '', '' FROM op ORDER BY device, n",
        ] {
            let mut statement = self.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                text.clear();
                for column in 0..9 {
                    // Lengths before texts, so that two rows never run into each other.
                    let value: rusqlite::types::Value = row.get(column)?;
                    let _ = match &value {
                        rusqlite::types::Value::Text(t) => write!(text, "{}:{t}", t.len()),
                        other => write!(text, "{other:?};"),
                    };
                }
                hash.add(text.as_bytes());
            }
        }
        Ok(hash.digest().to_string())
    }
}
