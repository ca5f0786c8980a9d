//! What is shared, what waits to be, and taking in what others shared.

use crate::error::StoreError;
use crate::judge;
use crate::judge::{Arrived, SignoffCheck};
use crate::log::{self, State};
use crate::records::apply;
use crate::store::Reader;
use crate::writer::Writer;
use cairn_core::authority::Past;
use cairn_core::envelope::{ATTACHMENTS_MAX, BATCH_MAX, OPS_MAX};
use cairn_core::hlc::Hlc;
use cairn_core::id::{DeviceId, Digest};
use cairn_core::op::{Op, OpLine, ReadLine};
use rusqlite::{OptionalExtension, Row, params};

/// How far another computer's clock may run ahead before its time is no longer followed.
const CLOCK_AHEAD_MS: i64 = 15 * 60 * 1000;

/// The accepted tip of a device's branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    pub device: DeviceId,
    pub seq: u64,
    pub n: u64,
    pub tip: String,
    pub sha256: Digest,
    /// When its last envelope was accepted or made here.
    pub at_ms: i64,
}

/// Operations that are ready to be sealed into one envelope: authority first, as their numbers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub first: u64,
    pub acl: Vec<String>,
    pub ops: Vec<String>,
}

impl Batch {
    pub fn count(&self) -> u64 {
        (self.acl.len() + self.ops.len()) as u64
    }
}

/// An envelope that was verified (or made here), as the store keeps it.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub oid: String,
    pub sha256: Digest,
    pub device: DeviceId,
    pub seq: u64,
    pub first: u64,
    pub count: u64,
    /// What its parents stand for, the own branch left out.
    pub past: Past,
}

/// A commit that was not accepted.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub device: String,
    pub oid: String,
    pub code: String,
    pub reason: String,
    pub at_ms: i64,
}

fn branch(row: &Row<'_>) -> rusqlite::Result<(String, u64, u64, String, String, i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
}

fn to_branch(raw: (String, u64, u64, String, String, i64)) -> Result<Branch, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::Line(e.to_string());
    Ok(Branch {
        device: DeviceId::parse(raw.0).map_err(|e| bad(&e))?,
        seq: raw.1,
        n: raw.2,
        tip: raw.3,
        sha256: Digest::parse(raw.4).map_err(|e| bad(&e))?,
        at_ms: raw.5,
    })
}

impl Reader<'_> {
    /// How many operations of this computer the shared place does not have yet, sealed or not.
    pub fn to_share(&self, device: &DeviceId) -> Result<u64, StoreError> {
        let last: u64 =
            self.prepare_cached("SELECT coalesce(max(n), 0) FROM op WHERE device = ?1")?.query_row([device.as_str()], |row| row.get(0))?;
        let sent = self.local("sent")?.and_then(|n| n.parse().ok()).unwrap_or(0);
        Ok(last.saturating_sub(sent))
    }

    /// How many operations of this computer are not sealed into a commit yet.
    pub fn unsealed(&self, device: &DeviceId) -> Result<u64, StoreError> {
        Ok(self
            .prepare_cached("SELECT count(*) FROM op WHERE device = ?1 AND envelope IS NULL")?
            .query_row([device.as_str()], |row| row.get(0))?)
    }

    /// The next batch to seal, within an envelope's limits. `None`: everything is sealed.
    pub fn outbox(&self, device: &DeviceId) -> Result<Option<Batch>, StoreError> {
        let mut statement =
            self.prepare_cached("SELECT n, authority, line FROM op WHERE device = ?1 AND envelope IS NULL ORDER BY n LIMIT ?2")?;
        let mut rows = statement.query(params![device.as_str(), OPS_MAX])?;
        let mut batch: Option<Batch> = None;
        let (mut bytes, mut files) = (0, 0);
        while let Some(row) = rows.next()? {
            let (n, authority, line): (u64, bool, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let batch = batch.get_or_insert(Batch { first: n, acl: Vec::new(), ops: Vec::new() });
            bytes += line.len() + 1;
            files += usize::from(line.contains(r#""t":"artifact.logged""#));
            // Authority lines come first in an envelope, so one after a data line opens the next.
            if bytes > BATCH_MAX || files > ATTACHMENTS_MAX || (authority && !batch.ops.is_empty()) {
                break;
            }
            if authority { batch.acl.push(line) } else { batch.ops.push(line) }
        }
        Ok(batch)
    }

    pub fn branches(&self) -> Result<Vec<Branch>, StoreError> {
        let mut statement = self.prepare_cached("SELECT device, seq, n, tip, sha256, at_ms FROM branch ORDER BY device")?;
        let raw = statement.query_map([], branch)?.collect::<Result<Vec<_>, _>>()?;
        raw.into_iter().map(to_branch).collect()
    }

    pub fn branch(&self, device: &DeviceId) -> Result<Option<Branch>, StoreError> {
        let raw = self
            .prepare_cached("SELECT device, seq, n, tip, sha256, at_ms FROM branch WHERE device = ?1")?
            .query_row([device.as_str()], branch)
            .optional()?;
        raw.map(to_branch).transpose()
    }

    /// What an accepted commit stands for, itself included; `None` if it is not accepted here.
    pub fn past_of(&self, oid: &str) -> Result<Option<Past>, StoreError> {
        let found = self
            .prepare_cached("SELECT device, first + count - 1, past FROM envelope WHERE oid = ?1")?
            .query_row([oid], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, row.get::<_, String>(2)?)))
            .optional()?;
        let Some((device, n, past)) = found else { return Ok(None) };
        let mut past = log::read_past(&past)?;
        past.insert(DeviceId::parse(device).map_err(|e| StoreError::Line(e.to_string()))?, n);
        Ok(Some(past))
    }

    /// The sha256 of the workspace's first envelope: what an invitation pins.
    pub fn genesis(&self) -> Result<Option<Digest>, StoreError> {
        let Some(text) = self.local("genesis")? else { return Ok(None) };
        Digest::parse(text).map(Some).map_err(|e| StoreError::Line(e.to_string()))
    }

    pub fn refusals(&self) -> Result<Vec<Refusal>, StoreError> {
        let mut statement = self.prepare_cached("SELECT device, oid, code, reason, at_ms FROM refusal ORDER BY id DESC LIMIT 500")?;
        let all = statement
            .query_map([], |row| {
                Ok(Refusal { device: row.get(0)?, oid: row.get(1)?, code: row.get(2)?, reason: row.get(3)?, at_ms: row.get(4)? })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(all)
    }
}

fn merge(into: &mut Past, other: &Past) {
    for (device, n) in other {
        let known = into.entry(device.clone()).or_insert(0);
        *known = (*known).max(*n);
    }
}

/// The union of what several commits stand for.
pub fn union(pasts: &[Past]) -> Past {
    let mut all = Past::new();
    for past in pasts {
        merge(&mut all, past);
    }
    all
}

impl Writer<'_> {
    /// Records that a batch of this computer was sealed into a commit.
    pub fn sealed(&mut self, sealed: &Sealed) -> Result<(), StoreError> {
        self.keep(sealed)?;
        self.execute(
            "UPDATE op SET envelope = ?1, past = CASE authority WHEN 1 THEN ?5 ELSE past END
             WHERE device = ?2 AND n >= ?3 AND n < ?3 + ?4",
            params![sealed.oid, sealed.device.as_str(), sealed.first, sealed.count, log::past_text(&sealed.past)],
        )?;
        if sealed.seq == 1 && self.genesis()?.is_none() && self.acl()?.devices.contains_key(&sealed.device) {
            self.set_local("genesis", sealed.sha256.as_str())?;
        }
        self.touch("sharing");
        Ok(())
    }

    fn keep(&self, sealed: &Sealed) -> Result<(), StoreError> {
        // It may have been listed while it waited for the commits that it builds on.
        self.execute("DELETE FROM refusal WHERE oid = ?1", [&sealed.oid])?;
        self.execute(
            "INSERT INTO envelope (oid, device, seq, first, count, sha256, past) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                sealed.oid,
                sealed.device.as_str(),
                sealed.seq,
                sealed.first,
                sealed.count,
                sealed.sha256.as_str(),
                log::past_text(&sealed.past)
            ],
        )?;
        self.execute(
            "INSERT INTO branch (device, seq, n, tip, sha256, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (device) DO UPDATE SET seq = excluded.seq, n = excluded.n, tip = excluded.tip,
               sha256 = excluded.sha256, at_ms = excluded.at_ms",
            params![
                sealed.device.as_str(),
                sealed.seq,
                sealed.first + sealed.count - 1,
                sealed.oid,
                sealed.sha256.as_str(),
                self.edge().now_ms()
            ],
        )?;
        Ok(())
    }

    /// Takes in a verified envelope of another computer. Operations without permission are kept as
    /// refused and change nothing.
    pub fn accept(&mut self, sealed: &Sealed, lines: &[String], check: &SignoffCheck<'_>) -> Result<(), StoreError> {
        self.keep(sealed)?;
        let now = self.edge().now_ms();
        let mut must_judge_anew = false;
        for (i, text) in lines.iter().enumerate() {
            let n = sealed.first + i as u64;
            let line = match OpLine::read(text).map_err(StoreError::Line)? {
                ReadLine::Known(line) => *line,
                ReadLine::Unknown { id, hlc, name, .. } => {
                    self.execute(
                        "INSERT INTO op (id, device, n, stamp, at_ms, type, authority, line, past, state, reason, envelope, received_ms)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, '{}', 'unknown', 'written by a newer Cairn', ?8, ?9)",
                        params![
                            id.as_str(),
                            sealed.device.as_str(),
                            n,
                            log::stamp(hlc, &sealed.device, n),
                            i64::try_from(hlc.ms).unwrap_or(i64::MAX),
                            name,
                            text,
                            sealed.oid,
                            now
                        ],
                    )?;
                    continue;
                }
            };
            let arrived = Arrived { device: &sealed.device, n, past: &sealed.past, line: &line };
            let (state, reason) = judge::one(self, &arrived, check)?;
            let stamp = log::stamp(line.hlc, &sealed.device, n);
            let nothing = Past::new();
            log::insert(
                self.conn,
                &log::NewRow {
                    line: &line,
                    text,
                    device: &sealed.device,
                    n,
                    stamp: &stamp,
                    past: if line.op.is_authority() { &sealed.past } else { &nothing },
                    state,
                    reason: reason.as_deref(),
                    envelope: Some(&sealed.oid),
                    received_ms: Some(now),
                },
            )?;
            if state == State::Accepted {
                let at_ms = i64::try_from(line.hlc.ms).unwrap_or(i64::MAX);
                for tag in apply(self.conn, &line.op, &stamp, &line.id, at_ms, &sealed.device)? {
                    self.touch(tag);
                }
                // A revocation may reach back behind what was folded already.
                must_judge_anew |= matches!(line.op, Op::DeviceRevoked { .. });
            }
            if i64::try_from(line.hlc.ms).is_ok_and(|ms| ms <= now.saturating_add(CLOCK_AHEAD_MS)) {
                self.saw(Hlc { ms: line.hlc.ms, counter: line.hlc.counter })?;
            }
        }
        if must_judge_anew {
            judge::rebuild(self, check)?;
        }
        for tag in ["sharing", "member"] {
            self.touch(tag);
        }
        Ok(())
    }

    /// Records a commit that was not accepted. The same commit is recorded once.
    pub fn refuse(&mut self, device: &str, oid: &str, code: &str, reason: &str) -> Result<(), StoreError> {
        let now = self.edge().now_ms();
        let new = self.execute(
            "INSERT OR IGNORE INTO refusal (device, oid, code, reason, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![device, oid, code, reason, now],
        )?;
        if new > 0 {
            self.touch("sharing");
        }
        Ok(())
    }

    /// Makes all verdicts and views again from the log. Metric points, which are primary, stay.
    pub fn rebuild(&mut self, check: &SignoffCheck<'_>) -> Result<u64, StoreError> {
        judge::rebuild(self, check)
    }
}
