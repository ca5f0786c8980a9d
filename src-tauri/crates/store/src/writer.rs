//! Writing: check authority, append to the log, fold into the views.

use crate::records::apply;
use crate::store::Reader;
use crate::{StoreError, log};
use cairn_core::authority::Past;
use cairn_core::edge::Edge;
use cairn_core::hlc::Hlc;
use cairn_core::id::{DeviceId, OpId};
use cairn_core::op::{Op, OpLine};
use cairn_core::strict::LINE_MAX;
use rusqlite::OptionalExtension;
use std::collections::BTreeSet;
use std::ops::Deref;

/// Who writes, and what they ask the world.
#[derive(Clone, Copy)]
pub struct Author<'a> {
    pub device: &'a DeviceId,
    pub edge: &'a dyn Edge,
}

/// A transaction under way.
pub struct Writer<'a> {
    reader: Reader<'a>,
    author: Author<'a>,
    touched: BTreeSet<String>,
    next: Option<(u64, Hlc)>,
}

impl<'a> Deref for Writer<'a> {
    type Target = Reader<'a>;
    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> Writer<'a> {
    pub(crate) fn new(reader: Reader<'a>, author: &Author<'a>) -> Self {
        Self { reader, author: *author, touched: BTreeSet::new(), next: None }
    }

    pub(crate) fn edge(&self) -> &dyn Edge {
        self.author.edge
    }

    /// Says that something under this cache tag changed.
    pub fn touch(&mut self, tag: &str) {
        if !self.touched.contains(tag) {
            self.touched.insert(tag.to_owned());
        }
    }

    /// Appends an operation of this computer.
    pub fn append(&mut self, op: Op) -> Result<OpId, StoreError> {
        self.append_why(op, None)
    }

    /// Appends an operation with the reason that its author gave.
    pub fn append_why(&mut self, op: Op, why: Option<&str>) -> Result<OpId, StoreError> {
        let device = self.author.device;
        let (n, hlc) = match self.next {
            Some(next) => next,
            None => self.head()?,
        };
        let hlc = hlc.tick(self.author.edge.now_ms());
        // Before the append: the author's causal past is everything accepted here so far.
        self.acl()?.check(device, n, &op, why)?;
        let line = OpLine {
            id: OpId::parse(self.author.edge.new_id()).map_err(|e| StoreError::Line(e.to_string()))?,
            hlc,
            tz: self.author.edge.tz_minutes(),
            why: why.map(str::to_owned),
            op,
        };
        let text = line.to_text();
        if text.len() > LINE_MAX {
            return Err(StoreError::TooLong(text.len()));
        }
        let past = if line.op.is_authority() { self.frontier()? } else { Past::new() };
        let stamp = log::stamp(hlc, device, n);
        log::insert(
            self.conn,
            &log::NewRow {
                line: &line,
                text: &text,
                device,
                n,
                stamp: &stamp,
                past: &past,
                state: log::State::Accepted,
                reason: None,
                envelope: None,
                received_ms: None,
            },
        )?;
        for tag in apply(self.conn, &line.op, &stamp, &line.id, i64::try_from(hlc.ms).unwrap_or(i64::MAX), device)? {
            self.touch(tag);
        }
        self.touch(if line.op.is_authority() { "member" } else { "sharing" });
        self.next = Some((n + 1, hlc));
        Ok(line.id)
    }

    /// The number of this computer's next operation and the clock of the last one that it saw.
    fn head(&self) -> Result<(u64, Hlc), StoreError> {
        let device = self.author.device.as_str();
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

    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        if let Some((_, hlc)) = self.next {
            self.saw(hlc)?;
        }
        if self.touched.is_empty() {
            return Ok(());
        }
        let tags: Vec<&str> = self.touched.iter().map(String::as_str).collect();
        self.conn.prepare_cached("INSERT INTO change (tags) VALUES (?1)")?.execute([tags.join(" ")])?;
        self.conn.prepare_cached("DELETE FROM change WHERE seq < (SELECT max(seq) FROM change) - 2000")?.execute([])?;
        Ok(())
    }
}
