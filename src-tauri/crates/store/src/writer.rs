//! Writing: check authority, append to the log, fold into the views.

use crate::records::apply;
use crate::store::{AuthorityVersion, Reader};
use crate::{StoreError, judge, log};
use cairn_core::authority::History;
use cairn_core::edge::Edge;
use cairn_core::hlc::Hlc;
use cairn_core::id::{DeviceId, OpId};
use cairn_core::op::{Kind, Op, OpLine};
use cairn_core::strict::LINE_MAX;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeSet;
use std::ops::Deref;

/// More records than these are not named one by one: whoever keeps what was made of them makes all of it again.
const NAMED: usize = 300;

/// A transaction under way.
pub struct Writer<'a> {
    reader: Reader<'a>,
    device: DeviceId,
    edge: &'a dyn Edge,
    touched: BTreeSet<String>,
    /// What was made of these may be another now; none: of more than are worth naming.
    records: Option<BTreeSet<String>>,
    next: Option<(u64, Hlc)>,
    history: Option<History>,
}

impl<'a> Deref for Writer<'a> {
    type Target = Reader<'a>;
    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> Writer<'a> {
    /// The name is read inside the transaction: another process may have given this computer a new one.
    pub(crate) fn new(reader: Reader<'a>, edge: &'a dyn Edge) -> Result<Self, StoreError> {
        let device = reader.device()?;
        Ok(Self { reader, device, edge, touched: BTreeSet::new(), records: Some(BTreeSet::new()), next: None, history: None })
    }

    /// What the next operation of this computer will be called.
    pub fn next_id(&self) -> Result<OpId, StoreError> {
        let n = match self.next {
            Some((n, _)) => n,
            None => self.head()?.0,
        };
        Ok(OpId { device: self.device.clone(), n })
    }

    pub(crate) fn author_device(&self) -> &DeviceId {
        &self.device
    }

    pub(crate) fn edge(&self) -> &dyn Edge {
        self.edge
    }

    /// Says that something under this cache tag changed.
    pub fn touch(&mut self, tag: &str) {
        if !self.touched.contains(tag) {
            self.touched.insert(tag.to_owned());
        }
    }

    /// Says that this record is another now, or what is kept beside it.
    pub(crate) fn touch_record(&mut self, kind: Kind, id: &str) {
        if let Some(records) = &mut self.records {
            records.insert(format!("{}/{id}", kind.as_str()));
            if records.len() > NAMED {
                self.records = None;
            }
        }
    }

    /// Says that any record may be another now.
    pub(crate) fn touch_all_records(&mut self) {
        self.records = None;
    }

    /// Folds an operation that counts, and says what that changed.
    pub(crate) fn fold(&mut self, op: &Op, hlc: Hlc, id: &OpId, at_ms: i64) -> Result<(), StoreError> {
        let folded = apply(self.conn, op, hlc, id, at_ms)?;
        for tag in folded.tags {
            self.touch(tag);
        }
        if let Some((kind, id)) = folded.record {
            self.touch_record(kind, &id);
        }
        Ok(())
    }

    /// Appends an operation of this computer.
    pub fn append(&mut self, op: Op) -> Result<OpId, StoreError> {
        self.append_why(op, None)
    }

    /// Appends an operation with the reason that its author gave.
    pub fn append_why(&mut self, op: Op, why: Option<&str>) -> Result<OpId, StoreError> {
        let device = &self.device.clone();
        let (n, hlc) = match self.next {
            Some(next) => next,
            None => self.head()?,
        };
        let now = self.edge.now_ms();
        let hlc = hlc.tick(now);
        let at = (i64::try_from(hlc.ms).ok() != Some(now)).then_some(now);
        // Before the append: the author's causal past is everything accepted here so far.
        let before = self.acl()?;
        before.check(device, n, &op, why)?;
        // Taking away is always possible: an unknown line can be cut off with the computer that wrote it.
        let takes_away = matches!(op, Op::DeviceRevoked { .. } | Op::RoleRevoked { .. });
        if op.is_authority() && !takes_away && self.authority_is_newer()? {
            return Err(StoreError::NewerAuthority);
        }
        let line = OpLine { hlc, at, tz: self.edge.tz_minutes(), why: why.map(str::to_owned), op };
        let text = line.to_text();
        if text.len() > LINE_MAX {
            return Err(StoreError::TooLong(text.len()));
        }
        let authority = line.op.is_authority();
        let past = if authority { Some(self.frontier()?) } else { None };
        let id = OpId { device: device.clone(), n };
        log::insert(
            self.conn,
            &log::NewRow {
                line: &line,
                text: &text,
                device,
                n,
                past: past.as_ref(),
                level: authority.then(|| before.level(device, n, &line.op)),
                state: log::State::Accepted,
                reason: None,
                received_ms: None,
            },
        )?;
        self.fold(&line.op, hlc, &id, line.at_ms())?;
        self.touch(if authority { "member" } else { "sharing" });
        self.next = Some((n + 1, hlc));
        if authority {
            // It may reach back behind what was folded already.
            judge::anew(self, &before)?;
        }
        Ok(id)
    }

    /// The line of an operation that somebody else's key will sign, later than all that was seen here.
    pub fn compose(&mut self, op: Op, why: &str) -> Result<String, StoreError> {
        let (_, hlc) = match self.next {
            Some(next) => next,
            None => self.head()?,
        };
        let now = self.edge.now_ms();
        let hlc = hlc.tick(now);
        self.saw(hlc)?;
        let at = (i64::try_from(hlc.ms).ok() != Some(now)).then_some(now);
        Ok(OpLine { hlc, at, tz: self.edge.tz_minutes(), why: Some(why.to_owned()), op }.to_text())
    }

    /// The number of this computer's next operation and the clock of the last one that it saw.
    fn head(&self) -> Result<(u64, Hlc), StoreError> {
        let device = self.device.as_str();
        let n: u64 =
            self.conn.prepare_cached("SELECT coalesce(max(n), 0) + 1 FROM op WHERE device = ?1")?.query_row([device], |row| row.get(0))?;
        let seen = self
            .conn
            .prepare_cached("SELECT value FROM local WHERE key = 'hlc'")?
            .query_row([], |row| row.get::<_, String>(0))
            .optional()?;
        let hlc = seen.and_then(|text| Hlc::try_from(text).ok()).unwrap_or(Hlc::ZERO);
        Ok((n, hlc))
    }

    pub(crate) fn saw(&self, hlc: Hlc) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO local (key, value) VALUES ('hlc', ?1)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE excluded.value > value",
            )?
            .execute([hlc.to_string()])?;
        Ok(())
    }

    /// Sets something that belongs to this computer alone.
    pub fn set_local(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("INSERT INTO local (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value")?
            .execute([key, value])?;
        self.touch("settings");
        Ok(())
    }

    /// The valid operations of authority. Give it back with [`Self::give_back`].
    pub(crate) fn take_history(&mut self) -> Result<History, StoreError> {
        match self.history.take() {
            Some(history) => Ok(history),
            None => match self.store.take_history(self.authority_version()?) {
                Some(history) => Ok(history),
                None => Ok(History::new(self.entries()?)),
            },
        }
    }

    pub(crate) fn give_back(&mut self, history: History) {
        self.history = Some(history);
    }

    /// What is left to do before the commit; returns what may be kept for the next writer after it.
    pub(crate) fn finish(&mut self) -> Result<Option<(AuthorityVersion, History)>, StoreError> {
        let kept = match self.history.take() {
            Some(history) => Some((self.authority_version()?, history)).filter(|(version, h)| version.1 == h.entries().len() as i64),
            None => None,
        };
        if let Some((_, hlc)) = self.next {
            self.saw(hlc)?;
        }
        if self.touched.is_empty() {
            return Ok(kept);
        }
        let tags: Vec<&str> = self.touched.iter().map(String::as_str).collect();
        let records = self.records.as_ref().map(|r| serde_json::json!(r).to_string());
        self.conn.prepare_cached("INSERT INTO change (tags, records) VALUES (?1, ?2)")?.execute(params![tags.join(" "), records])?;
        self.conn.prepare_cached("DELETE FROM change WHERE seq < (SELECT max(seq) FROM change) - 2000")?.execute([])?;
        Ok(kept)
    }
}
