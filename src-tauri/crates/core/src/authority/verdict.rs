//! Verdicts over operations: one at a time as they come, or a whole history.

use super::{Acl, Denied, Entry, Level, Past, View, knows};
use crate::id::DeviceId;
use crate::op::Op;
use std::collections::HashMap;
use std::sync::Arc;

/// One operation, to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub device: &'a DeviceId,
    pub n: u64,
    /// The author's causal past, without the author's own earlier operations.
    pub past: &'a Past,
    pub op: &'a Op,
    pub why: Option<&'a str>,
}

impl Line<'_> {
    /// The past with the author's own earlier operations.
    fn whole_past(&self) -> Past {
        let mut past = self.past.clone();
        past.remove(self.device);
        if self.n > 1 {
            past.insert(self.device.clone(), self.n - 1);
        }
        past
    }
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// Its author had no right to it.
    Refused(Denied),
    /// Valid where it was written, but what it rests on does not stand: kept, shown, not folded.
    Held(Denied),
}

/// The valid operations of authority, with the states that were already computed from parts of them.
#[derive(Debug, Default)]
pub struct History {
    entries: Vec<Entry>,
    states: HashMap<Vec<u64>, Arc<Acl>>,
}

impl History {
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { entries, states: HashMap::new() }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The state that an author with this past could see.
    fn seen(&mut self, past: &Past) -> Arc<Acl> {
        let mut key = vec![0_u64; self.entries.len().div_ceil(64)];
        for (i, entry) in self.entries.iter().enumerate() {
            key[i / 64] |= u64::from(knows(past, &entry.device, entry.n)) << (i % 64);
        }
        while key.last() == Some(&0) {
            key.pop();
        }
        if let Some(state) = self.states.get(&key) {
            return Arc::clone(state);
        }
        // Enough for every computer of a team to be somewhere else; beyond that memory matters more.
        if self.states.len() >= 512 {
            self.states.clear();
        }
        let state = Arc::new(Acl::at(&self.entries, Some(past)));
        self.states.insert(key, Arc::clone(&state));
        state
    }

    /// Was the operation permitted where it was written? Everything in its past must have been taken
    /// in before. A valid operation of authority becomes part of the history.
    pub fn take(&mut self, line: &Line<'_>) -> Result<Level, Denied> {
        let past = line.whole_past();
        let state = self.seen(&past);
        state.check(line.device, line.n, line.op, line.why)?;
        let level = state.level(line.device, line.n, line.op);
        if line.op.is_authority() {
            self.entries.push(Entry { device: line.device.clone(), n: line.n, past: Arc::new(past), op: line.op.clone(), level });
        }
        Ok(level)
    }

    /// The state that its author saw: for questions that only keys can answer.
    pub fn seen_by(&mut self, line: &Line<'_>) -> Arc<Acl> {
        let past = line.whole_past();
        self.seen(&past)
    }

    /// The state that an author could see before the `n`-th operation of a device, whose commit has this past.
    pub fn seen_before(&mut self, device: &DeviceId, n: u64, past: &Past) -> Arc<Acl> {
        let mut past = past.clone();
        past.remove(device);
        if n > 1 {
            past.insert(device.clone(), n - 1);
        }
        self.seen(&past)
    }

    /// The state of everything together.
    pub fn now(&self) -> Acl {
        Acl::at(&self.entries, None)
    }
}

impl Acl {
    /// Does a valid operation count, with everything that is known now?
    pub fn verdict(&self, line: &Line<'_>) -> Verdict {
        let outcome = if line.op.is_authority() {
            self.void.iter().find(|v| v.id.n == line.n && &v.id.device == line.device).map_or(Ok(()), |v| Err(v.reason.clone()))
        } else {
            self.check_in(line.device, line.n, line.op, line.why, Some(View { past: line.past, own: Some((line.device, line.n)) }))
        };
        outcome.map_or_else(Verdict::Held, |()| Verdict::Accepted)
    }
}

/// Judges a whole history from nothing. The order of `lines` does not matter.
pub fn judge(lines: &[Line<'_>]) -> Vec<Verdict> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_cached_key(|i| (lines[*i].whole_past().values().sum::<u64>(), lines[*i].device.clone(), lines[*i].n));
    let mut history = History::default();
    let mut verdicts = vec![Verdict::Accepted; lines.len()];
    for i in order {
        if let Err(denied) = history.take(&lines[i]) {
            verdicts[i] = Verdict::Refused(denied);
        }
    }
    let now = history.now();
    for (line, verdict) in lines.iter().zip(&mut verdicts).filter(|(_, v)| **v == Verdict::Accepted) {
        *verdict = now.verdict(line);
    }
    verdicts
}
