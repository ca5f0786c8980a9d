//! What came before what, as the signed history proves it: by what the author of an operation could know, never by clocks.

use crate::StoreError;
use crate::log::TrailRow;
use crate::store::Reader;
use cairn_core::authority::{Past, knows};
use cairn_core::id::{DeviceId, OpId};
use cairn_core::op::Op;
use rusqlite::{OptionalExtension, params};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// How two operations stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The author of the second could know the first.
    Before,
    /// The author of the first could know the second.
    After,
    /// Neither could know of the other: nothing is proven.
    Apart,
}

/// Answers many questions about order; what a commit knew is read once.
pub struct Orders<'r, 'c> {
    r: &'r Reader<'c>,
    /// By the commit's name; empty: what is not sealed yet.
    pasts: RefCell<HashMap<String, Rc<Past>>>,
}

impl<'r, 'c> Orders<'r, 'c> {
    pub fn new(r: &'r Reader<'c>) -> Self {
        Self { r, pasts: RefCell::default() }
    }

    pub(crate) fn past(&self, op: &OpId) -> Result<Rc<Past>, StoreError> {
        let oid = self.r.commit_of(op)?.unwrap_or_default();
        if let Some(found) = self.pasts.borrow().get(&oid) {
            return Ok(Rc::clone(found));
        }
        // What is not sealed was written in knowledge of all that is here: everything is sealed before more is fetched.
        let past = Rc::new(if oid.is_empty() { self.r.frontier()? } else { self.r.envelope(&oid)?.past });
        self.pasts.borrow_mut().insert(oid, Rc::clone(&past));
        Ok(past)
    }

    /// How `first` stands to `second`.
    pub fn of(&self, first: &OpId, second: &OpId) -> Result<Order, StoreError> {
        if first.device == second.device {
            return Ok(if first.n < second.n { Order::Before } else { Order::After });
        }
        if knows(&*self.past(second)?, &first.device, first.n) {
            return Ok(Order::Before);
        }
        if knows(&*self.past(first)?, &second.device, second.n) {
            return Ok(Order::After);
        }
        Ok(Order::Apart)
    }
}

/// A run that took in some data, and the operation that said so first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    pub run: String,
    pub op: OpId,
    pub at_ms: i64,
}

/// Whether a line says that data of this digest was taken in for one of these purposes.
fn takes_in(line: &str, digest: &str, purposes: &[&str]) -> bool {
    let Some(Op::RunInputsLogged { inputs, .. }) = TrailRow::read(line).map(|l| l.op) else { return false };
    let purpose = |input: &serde_json::Value| {
        let tags = input["tags"].as_array()?;
        tags.iter().find(|t| t["key"] == "mlflow.data.context")?["value"].as_str().map(str::to_lowercase)
    };
    inputs.values().any(|i| i["dataset"]["digest"] == digest && purpose(i).is_some_and(|p| purposes.contains(&p.as_str())))
}

impl Reader<'_> {
    /// Every operation by which a run, deleted or not, in whichever experiment, said that it took in data of this digest for
    /// one of these purposes (in lower case). Each time counts: saying it again later does not make it later.
    pub fn intakes(&self, digest: &str, purposes: &[&str]) -> Result<Vec<Intake>, StoreError> {
        // For whatever purpose it stands there now: the lines say what it was at each time.
        let mut runs = self.prepare_cached("SELECT DISTINCT r.id FROM run_dataset d JOIN run r ON r.num = d.run WHERE d.digest = ?1")?;
        let runs: Vec<String> = runs.query_map([digest], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for run in runs {
            let mut lines = self.prepare_cached(
                "SELECT device, n, at_ms, line FROM op WHERE record = ?1 AND kind = 'run' AND type = 'run.inputs_logged' AND state = 'accepted'
                 AND instr(line, ?2) > 0",
            )?;
            // The digest as it stands in the line.
            let quoted = serde_json::json!(digest).to_string();
            let quoted = quoted.trim_matches('"').to_owned();
            let rows = lines.query_map(params![run, quoted], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
            })?;
            for row in rows {
                let (device, n, at_ms, line) = row?;
                if !takes_in(&line, digest, purposes) {
                    continue;
                }
                let device = DeviceId::parse(device).map_err(|e| StoreError::Line(e.to_string()))?;
                found.push(Intake { run: run.clone(), op: OpId { device, n }, at_ms });
            }
        }
        Ok(found)
    }

    /// The operation that created a record.
    pub fn creation_of(&self, kind: &str, id: &str) -> Result<Option<OpId>, StoreError> {
        let found: Option<(String, u64)> = self
            .prepare_cached(
                "SELECT d.id, r.n FROM record r JOIN device_name d ON d.num = r.device WHERE r.kind = ?1 AND r.id = ?2 AND r.ms IS NOT NULL",
            )?
            .query_row(params![kind, id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((device, n)) = found else { return Ok(None) };
        Ok(Some(OpId { device: DeviceId::parse(device).map_err(|e| StoreError::Line(e.to_string()))?, n }))
    }
}
