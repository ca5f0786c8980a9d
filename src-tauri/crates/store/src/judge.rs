//! Verdicts over operations, one at a time as they arrive or all of them anew.

use crate::StoreError;
use crate::log::{self, State};
use crate::records::apply;
use crate::store::Reader;
use crate::writer::Writer;
use cairn_core::authority::{Acl, Line, Past, Verdict, judge};
use cairn_core::id::DeviceId;
use cairn_core::op::{Op, OpLine, ReadLine};
use rusqlite::params;
use std::collections::BTreeMap;

/// Checks the signature inside a sign-off against the author's key. Passed in, because keys and
/// signatures are `sync`'s matter.
pub type SignoffCheck<'a> = dyn Fn(&Op, &Acl, &DeviceId) -> Result<(), String> + 'a;

pub(crate) struct Arrived<'a> {
    pub device: &'a DeviceId,
    pub n: u64,
    pub past: &'a Past,
    pub line: &'a OpLine,
}

/// The verdict over one operation, given that everything in its past was judged before.
pub(crate) fn one(reader: &Reader<'_>, a: &Arrived<'_>, check: &SignoffCheck<'_>) -> Result<(State, Option<String>), StoreError> {
    let mut past = a.past.clone();
    past.insert(a.device.clone(), a.n - 1);
    let then = Acl::at(&reader.valid_entries()?, Some(&past));
    if let Err(denied) = then.check(a.device, a.n, &a.line.op, a.line.why.as_deref()) {
        return Ok((State::Refused, Some(denied.to_string())));
    }
    if let Err(reason) = check(&a.line.op, &then, a.device) {
        return Ok((State::Refused, Some(reason)));
    }
    let now = reader.acl()?;
    if now.devices.get(a.device).and_then(|d| d.cut).is_some_and(|cut| a.n > cut) {
        return Ok((State::Held, Some("written after this computer was removed from the workspace".to_owned())));
    }
    Ok((State::Accepted, None))
}

/// Judges and folds the whole log from nothing.
pub(crate) fn rebuild(writer: &mut Writer<'_>, check: &SignoffCheck<'_>) -> Result<u64, StoreError> {
    let rows = writer.all_lines()?;
    let pasts: BTreeMap<String, Past> = {
        let mut statement = writer.prepare("SELECT oid, past FROM envelope")?;
        let mut found = BTreeMap::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.insert(row.get(0)?, log::read_past(&row.get::<_, String>(1)?)?);
        }
        found
    };
    // What is not sealed yet was written in knowledge of everything that is here.
    let frontier = writer.frontier()?;
    let mut known: Vec<(DeviceId, &log::TrailRow, OpLine)> = Vec::with_capacity(rows.len());
    for row in &rows {
        if let ReadLine::Known(line) = OpLine::read(&row.line).map_err(StoreError::Line)? {
            let device = DeviceId::parse(row.device.clone()).map_err(|e| StoreError::Line(e.to_string()))?;
            known.push((device, row, *line));
        }
    }
    let lines: Vec<Line<'_>> = known
        .iter()
        .map(|(device, row, line)| Line {
            device,
            n: row.n,
            past: row.envelope.as_ref().and_then(|oid| pasts.get(oid)).unwrap_or(&frontier),
            op: &line.op,
            why: line.why.as_deref(),
        })
        .collect();
    let verdicts = judge(&lines);

    writer.execute_batch("DELETE FROM record; DELETE FROM cell; DELETE FROM edit;")?;
    {
        let mut update = writer.prepare("UPDATE op SET state = ?2, reason = ?3 WHERE id = ?1")?;
        for ((_, row, _), verdict) in known.iter().zip(&verdicts) {
            let (state, reason) = match verdict {
                Verdict::Accepted => (State::Accepted, None),
                Verdict::Refused(denied) => (State::Refused, Some(denied.to_string())),
                Verdict::Held => (State::Held, Some("written after this computer was removed from the workspace".to_owned())),
            };
            if row.state != state.as_str() {
                update.execute(params![row.id, state.as_str(), reason])?;
            }
        }
    }
    let acl = Acl::at(&writer.entries()?, None);
    let mut folded = 0;
    for ((device, row, line), verdict) in known.iter().zip(&verdicts) {
        if *verdict != Verdict::Accepted {
            continue;
        }
        // Keys never change once a device is in, so the present state serves for signatures.
        if let Err(reason) = check(&line.op, &acl, device) {
            writer.execute("UPDATE op SET state = 'refused', reason = ?2 WHERE id = ?1", params![row.id, reason])?;
            continue;
        }
        apply(writer.conn, &line.op, &log::stamp(line.hlc, device, row.n), &line.id, row.at_ms, device)?;
        folded += 1;
    }
    for tag in ["project", "run", "release", "model", "dataset", "note", "checklist", "member", "sharing"] {
        writer.touch(tag);
    }
    Ok(folded)
}

impl Reader<'_> {
    /// A digest of all views: equal on every computer that accepted the same operations.
    pub fn view_digest(&self) -> Result<String, StoreError> {
        use std::fmt::Write;
        let mut text = String::new();
        for sql in [
            "SELECT kind || '|' || id || '|' || coalesce(parent, '') || '|' || stamp || '|' || device FROM record ORDER BY kind, id",
            "SELECT kind || '|' || id || '|' || field || '|' || key || '|' || coalesce(value, '') || '|' || stamp || '|' || op FROM cell ORDER BY kind, id, field, key",
            "SELECT kind || '|' || id || '|' || field || '|' || key || '|' || value || '|' || coalesce(base, '') || '|' || op FROM edit ORDER BY kind, id, field, key, op",
            "SELECT id || '|' || state FROM op ORDER BY id",
        ] {
            let mut statement = self.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                // Writing into a String cannot fail.
                let _ = writeln!(text, "{}", row.get::<_, String>(0)?);
            }
        }
        Ok(cairn_core::canonical::sha256(text.as_bytes()).to_string())
    }
}
