//! What is shared, what waits to be, and taking in what others shared.

use crate::error::StoreError;
use crate::judge::{self, SignoffCheck};
use crate::log::{self, State};
use crate::store::Reader;
use crate::writer::Writer;
use cairn_core::authority::{Denied, History, Level, Line, Past};
use cairn_core::envelope::{ATTACHMENT_MAX, ATTACHMENTS_BYTES_MAX, ATTACHMENTS_MAX, BATCH_MAX, OPS_MAX};
use cairn_core::hlc::FOLLOW_MAX;
use cairn_core::id::{DeviceId, Digest, OpId};
use cairn_core::op::{Op, OpLine, ReadLine, claimed_ms, files_of};
use rusqlite::{OptionalExtension, Row, params};

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
    /// How many of its first operations stood in `acl.jsonl`.
    pub authority: u64,
    /// What its parents stand for, the own branch left out.
    pub past: Past,
    /// The commit byte for byte, for what this computer makes.
    pub object: Option<Vec<u8>>,
}

/// What the shared place shows differently from what was accepted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub device: DeviceId,
    /// `missing`, `rewound`, `rewritten` or `withheld`.
    pub kind: String,
    /// What it shows instead.
    pub oid: Option<String>,
    pub at_ms: i64,
}

/// An own envelope as it was made.
#[derive(Debug, Clone)]
pub struct OwnEnvelope {
    pub oid: String,
    pub object: Vec<u8>,
    pub acl: Vec<String>,
    pub ops: Vec<String>,
}

/// A line that waits to be written again under another name.
#[derive(Debug, Clone)]
pub struct SetAside {
    pub id: i64,
    /// What the operation was called.
    pub name: String,
    pub line: String,
    pub authority: bool,
}

/// A computer that wrote in knowledge of an operation.
#[derive(Debug, Clone)]
pub struct Witness {
    pub device: String,
    pub at_ms: i64,
    pub oid: String,
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

    /// Does something wait to be sent that others wait for: a decision, a change of rights?
    pub fn urgent_to_share(&self, device: &DeviceId) -> Result<bool, StoreError> {
        let sent: u64 = self.local("sent")?.and_then(|n| n.parse().ok()).unwrap_or(0);
        Ok(self
            .prepare_cached("SELECT 1 FROM op WHERE device = ?1 AND n > ?2 AND (authority = 1 OR substr(type, 1, 8) = 'release.') LIMIT 1")?
            .exists(params![device.as_str(), sent])?)
    }

    /// How many operations of this computer are not sealed into a commit yet.
    pub fn unsealed(&self, device: &DeviceId) -> Result<u64, StoreError> {
        Ok(self
            .prepare_cached("SELECT count(*) FROM op WHERE device = ?1 AND n > ?2")?
            .query_row(params![device.as_str(), self.sealed_up_to(device)?], |row| row.get(0))?)
    }

    /// The number of a computer's last operation that is in a commit.
    pub(crate) fn sealed_up_to(&self, device: &DeviceId) -> Result<u64, StoreError> {
        let found =
            self.prepare_cached("SELECT n FROM branch WHERE device = ?1")?.query_row([device.as_str()], |row| row.get(0)).optional()?;
        Ok(found.unwrap_or(0))
    }

    /// The lines of a device after a number that speak of files, with their numbers; and its last line, so
    /// that whoever asks knows how far this goes.
    pub fn lines_with_files(&self, device: &DeviceId, after: u64) -> Result<Vec<(u64, String)>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT n, line FROM op WHERE device = ?1 AND n > ?2 AND (type IN ('artifact.logged', 'run.source_recorded', 'note.frozen')
               OR n = (SELECT max(n) FROM op WHERE device = ?1)) ORDER BY n",
        )?;
        let found =
            statement.query_map(params![device.as_str(), after], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// The next batch to seal, within an envelope's limits. `None`: everything is sealed.
    pub fn outbox(&self, device: &DeviceId) -> Result<Option<Batch>, StoreError> {
        let mut statement = self.prepare_cached("SELECT n, authority, line FROM op WHERE device = ?1 AND n > ?2 ORDER BY n LIMIT ?3")?;
        let mut rows = statement.query(params![device.as_str(), self.sealed_up_to(device)?, OPS_MAX])?;
        let mut batch: Option<Batch> = None;
        let (mut bytes, mut files, mut file_bytes) = (0, 0, 0);
        while let Some(row) = rows.next()? {
            let (n, authority, line): (u64, bool, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let batch = batch.get_or_insert(Batch { first: n, acl: Vec::new(), ops: Vec::new() });
            bytes += line.len() + 1;
            for (_, size) in files_of(&line).into_iter().filter(|(_, size)| *size <= ATTACHMENT_MAX) {
                files += 1;
                file_bytes += size;
            }
            // Authority lines come first in an envelope, so one after a data line opens the next.
            if bytes > BATCH_MAX || files > ATTACHMENTS_MAX || file_bytes > ATTACHMENTS_BYTES_MAX || (authority && !batch.ops.is_empty()) {
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

    pub fn alarms(&self) -> Result<Vec<Alarm>, StoreError> {
        let mut statement = self.prepare_cached("SELECT device, kind, oid, at_ms FROM alarm ORDER BY device")?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let device = DeviceId::parse(row.get::<_, String>(0)?).map_err(|e| StoreError::Line(e.to_string()))?;
            found.push(Alarm { device, kind: row.get(1)?, oid: row.get(2)?, at_ms: row.get(3)? });
        }
        Ok(found)
    }

    /// This computer's envelopes from the first one, for a git store that must be made again.
    pub fn own_envelopes(&self, device: &DeviceId) -> Result<Vec<OwnEnvelope>, StoreError> {
        let mut statement =
            self.prepare_cached("SELECT oid, first, count, object FROM envelope WHERE device = ?1 AND object IS NOT NULL ORDER BY seq")?;
        let mut rows = statement.query([device.as_str()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (oid, first, count): (String, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let mut envelope = OwnEnvelope { oid, object: row.get(3)?, acl: Vec::new(), ops: Vec::new() };
            for line in self.lines_of(device.as_str(), first, count)? {
                if line.authority { envelope.acl.push(line.line) } else { envelope.ops.push(line.line) }
            }
            found.push(envelope);
        }
        Ok(found)
    }

    /// The first commit of every other computer that was written in knowledge of an operation, by the
    /// time that its author claims.
    pub fn witnesses(&self, id: &OpId) -> Result<Vec<Witness>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT e.device, min(o.at_ms), e.oid FROM envelope e JOIN op o ON o.device = e.device AND o.n = e.first
             WHERE e.device <> ?1 AND coalesce(json_extract(e.past, '$.' || ?1), 0) >= ?2 GROUP BY e.device ORDER BY 2",
        )?;
        let rows = statement.query_map(params![id.device.as_str(), id.n], |row| {
            Ok(Witness { device: row.get(0)?, at_ms: row.get(1)?, oid: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    }

    pub fn set_aside(&self) -> Result<Vec<SetAside>, StoreError> {
        let mut statement = self.prepare_cached("SELECT id, name, line, authority FROM set_aside ORDER BY id")?;
        let rows = statement
            .query_map([], |row| Ok(SetAside { id: row.get(0)?, name: row.get(1)?, line: row.get(2)?, authority: row.get(3)? }))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
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

/// Where a line stood in its envelope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Authority,
    Data,
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
            "UPDATE op SET past = ?4 WHERE authority = 1 AND device = ?1 AND n >= ?2 AND n < ?2 + ?3",
            params![sealed.device.as_str(), sealed.first, sealed.authority, log::past_text(&sealed.past)],
        )?;
        if sealed.seq == 1 && self.genesis()?.is_none() && self.acl()?.devices.contains_key(&sealed.device) {
            self.set_local("genesis", sealed.sha256.as_str())?;
        }
        self.touch("sharing");
        Ok(())
    }

    /// Keeps an own commit byte for byte.
    pub fn keep_object(&mut self, oid: &str, object: &[u8]) -> Result<(), StoreError> {
        self.execute("UPDATE envelope SET object = ?2 WHERE oid = ?1", params![oid, object])?;
        Ok(())
    }

    fn keep(&self, sealed: &Sealed) -> Result<(), StoreError> {
        // It may have been listed while it waited for the commits that it builds on.
        self.execute("DELETE FROM refusal WHERE oid = ?1", [&sealed.oid])?;
        self.execute(
            "INSERT INTO envelope (oid, device, seq, first, count, sha256, past, weight, object)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                sealed.oid,
                sealed.device.as_str(),
                sealed.seq,
                sealed.first,
                sealed.count,
                sealed.sha256.as_str(),
                log::past_text(&sealed.past),
                sealed.past.values().sum::<u64>() + sealed.first,
                sealed.object
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
    ///
    /// # Errors
    /// [`StoreError::Unsealed`] while something written here is not sealed: what was written without
    /// knowledge of the news must not claim to have known of it, so seal first and come again.
    pub fn accept(&mut self, sealed: &Sealed, lines: &[String], read: &[ReadLine], check: &SignoffCheck<'_>) -> Result<(), StoreError> {
        if self.unsealed(self.author_device())? > 0 {
            return Err(StoreError::Unsealed);
        }
        self.keep(sealed)?;
        let before = self.acl()?;
        let mut history = self.take_history()?;
        let mut numbered = (sealed.first..).zip(lines.iter().zip(read)).peekable();
        while let Some((n, (text, line))) = numbered.next_if(|(n, _)| n - sealed.first < sealed.authority) {
            self.accept_authority(sealed, n, text, line, &mut history, check)?;
        }
        if sealed.authority > 0 {
            judge::anew(self, &before)?;
        }
        let now = self.acl()?;
        let first_data = sealed.first + sealed.authority;
        let probe = Line { device: &sealed.device, n: first_data, past: &sealed.past, op: &Op::DeviceSealed {}, why: None };
        let then = history.seen_by(&probe);
        self.give_back(history);
        for (n, (text, line)) in numbered {
            let ReadLine::Known(line) = line else {
                self.keep_unknown(sealed, n, text, line, Part::Data, None)?;
                continue;
            };
            let judged = Line { device: &sealed.device, n, past: &sealed.past, op: &line.op, why: line.why.as_deref() };
            let (state, reason) = judge::data(&then, &now, &judged, check);
            self.keep_line(sealed, n, text, line, (None, state, reason))?;
            if state == State::Accepted {
                let id = OpId { device: sealed.device.clone(), n };
                self.fold(&line.op, line.hlc, &id, line.at_ms())?;
            }
        }
        // The own clock follows, so that an edit of what was seen is later than what was seen.
        let newest = read.iter().map(|l| match l {
            ReadLine::Known(line) => line.hlc,
            ReadLine::Unknown { hlc, .. } => *hlc,
        });
        if let Some(newest) = newest.filter(|h| h.ms <= FOLLOW_MAX).max() {
            self.saw(newest)?;
        }
        for tag in ["sharing", "member"] {
            self.touch(tag);
        }
        Ok(())
    }

    fn accept_authority(
        &mut self,
        sealed: &Sealed,
        n: u64,
        text: &str,
        line: &ReadLine,
        history: &mut History,
        check: &SignoffCheck<'_>,
    ) -> Result<(), StoreError> {
        let ReadLine::Known(line) = line else {
            let then = history.seen_before(&sealed.device, n, &sealed.past);
            let denied = then.may_be_newer(&sealed.device, n, None).err();
            return self.keep_unknown(sealed, n, text, line, Part::Authority, denied);
        };
        let judged = Line { device: &sealed.device, n, past: &sealed.past, op: &line.op, why: line.why.as_deref() };
        let level = match check(&line.op, &history.seen_by(&judged), &sealed.device) {
            Ok(()) => history.take(&judged).map_err(|d| d.to_string()),
            Err(reason) => Err(reason),
        };
        let verdict = match level {
            Ok(level) => (Some(level), State::Accepted, None),
            Err(reason) => (None, State::Refused, Some(reason)),
        };
        self.keep_line(sealed, n, text, line, verdict)
    }

    fn keep_line(
        &self,
        sealed: &Sealed,
        n: u64,
        text: &str,
        line: &OpLine,
        (level, state, reason): (Option<Level>, State, Option<String>),
    ) -> Result<(), StoreError> {
        log::insert(
            self.conn,
            &log::NewRow {
                line,
                text,
                device: &sealed.device,
                n,
                past: line.op.is_authority().then_some(&sealed.past),
                level,
                state,
                reason: reason.as_deref(),
                received_ms: Some(self.edge().now_ms()),
            },
        )
    }

    /// Keeps a line of a type that is not known here. Of authority it binds nobody where its author could not manage who is in.
    fn keep_unknown(
        &mut self,
        sealed: &Sealed,
        n: u64,
        text: &str,
        line: &ReadLine,
        part: Part,
        denied: Option<Denied>,
    ) -> Result<(), StoreError> {
        let ReadLine::Unknown { hlc, at, name, .. } = line else { return Ok(()) };
        let (state, reason) = match denied {
            None => (State::Unknown, judge::NOT_KNOWN.to_owned()),
            Some(denied) => (State::Refused, denied.to_string()),
        };
        self.execute(
            "INSERT INTO op (device, n, clock, at_ms, type, authority, line, past, state, reason, received_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                sealed.device.as_str(),
                n,
                log::clock(*hlc),
                claimed_ms(*hlc, *at),
                name,
                part == Part::Authority,
                text,
                (part == Part::Authority).then(|| log::past_text(&sealed.past)),
                state.as_str(),
                reason,
                self.edge().now_ms()
            ],
        )?;
        if part == Part::Authority && state == State::Unknown {
            // Who may do what is not known any more, and with it no decision.
            self.touch_all_records();
        }
        Ok(())
    }

    /// Replaces the list of what the shared place shows differently.
    pub fn set_alarms(&mut self, alarms: &[Alarm]) -> Result<(), StoreError> {
        let before = self.alarms()?;
        let same = |a: &Alarm, b: &Alarm| (&a.device, &a.kind, &a.oid) == (&b.device, &b.kind, &b.oid);
        if before.len() == alarms.len() && before.iter().zip(alarms).all(|(a, b)| same(a, b)) {
            return Ok(());
        }
        self.execute("DELETE FROM alarm", [])?;
        for alarm in alarms {
            let since = before.iter().find(|b| same(alarm, b)).map_or(alarm.at_ms, |b| b.at_ms);
            self.execute(
                "INSERT INTO alarm (device, kind, oid, at_ms) VALUES (?1, ?2, ?3, ?4)",
                params![alarm.device.as_str(), alarm.kind, alarm.oid, since],
            )?;
        }
        self.touch("sharing");
        Ok(())
    }

    /// Takes back everything of this computer after its operation `last`, whose envelope is `tip`:
    /// somebody else wrote on under the same name. The lines wait to be written again.
    pub fn set_aside_after(&mut self, last: u64, check: &SignoffCheck<'_>) -> Result<u64, StoreError> {
        let device = self.author_device().as_str().to_owned();
        let count = self.execute(
            "INSERT INTO set_aside (name, line, authority)
             SELECT device || '.' || n, line, authority FROM op WHERE device = ?1 AND n > ?2 ORDER BY n",
            params![device, last],
        )?;
        self.execute("DELETE FROM op WHERE device = ?1 AND n > ?2", params![device, last])?;
        self.execute("DELETE FROM envelope WHERE device = ?1 AND first > ?2", params![device, last])?;
        self.execute("DELETE FROM branch WHERE device = ?1", [&device])?;
        self.execute(
            "INSERT INTO branch (device, seq, n, tip, sha256, at_ms)
             SELECT device, seq, first + count - 1, oid, sha256, ?2 FROM envelope WHERE device = ?1 ORDER BY seq DESC LIMIT 1",
            params![device, self.edge().now_ms()],
        )?;
        judge::rebuild(self, check)?;
        Ok(count as u64)
    }

    /// A line that was set aside is written again.
    pub fn took_back(&mut self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM set_aside WHERE id = ?1", [id])?;
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
