//! The way of projects through their stages, as the log has it: how long each took, and what was waived.

use crate::StoreError;
use crate::log::TrailRow;
use crate::store::Reader;
use cairn_core::id::{DeviceId, OpId};
use cairn_core::lifecycle::Stage;
use cairn_core::op::Op;
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet};

/// A project entered a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub project: String,
    pub op: OpId,
    pub stage: Stage,
    pub cycle: u32,
    pub waived: Vec<String>,
    pub why: Option<String>,
    /// What its author's clock said.
    pub at_ms: i64,
}

impl Reader<'_> {
    /// The moves of a project, in the order of the trail.
    pub fn stage_moves(&self, project: &str) -> Result<Vec<Move>, StoreError> {
        self.moves(Some(project))
    }

    /// The moves of all projects, in the order of the trail.
    pub fn all_stage_moves(&self) -> Result<Vec<Move>, StoreError> {
        self.moves(None)
    }

    fn moves(&self, project: Option<&str>) -> Result<Vec<Move>, StoreError> {
        // By the records, so that the log's index over them is used.
        let wanted = if project.is_some() { "= ?1" } else { "IN (SELECT id FROM record WHERE kind = 'project' AND ?1 IS NULL)" };
        let mut statement = self.prepare_cached(&format!(
            "SELECT device, n, at_ms, record, line FROM op WHERE record {wanted} AND kind = 'project' AND type = 'project.stage_entered'
             AND state = 'accepted' ORDER BY clock, device, n"
        ))?;
        let mut rows = statement.query(params![project])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let device = DeviceId::parse(row.get::<_, String>(0)?).map_err(|e| StoreError::Line(e.to_string()))?;
            let (op, at_ms, project) = (OpId { device, n: row.get(1)? }, row.get(2)?, row.get(3)?);
            let Some(line) = TrailRow::read(&row.get::<_, String>(4)?) else { continue };
            if let Op::ProjectStageEntered { stage, cycle, waived, .. } = line.op {
                found.push(Move { project, op, stage, cycle, waived, why: line.why, at_ms });
            }
        }
        Ok(found)
    }
}

/// A batch of operations of another computer that arrived here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub device: String,
    pub first: u64,
    pub count: u64,
}

impl Reader<'_> {
    /// The number of the last change that anybody made to this file: while it stays, so does everything.
    pub fn change(&self) -> Result<i64, StoreError> {
        Ok(self.prepare_cached("SELECT coalesce(max(seq), 0) FROM change")?.query_row([], |row| row.get(0))?)
    }

    /// The records that changes after `seq` touched, as kind and id; none where not all of that is known any more.
    pub fn records_changed_after(&self, seq: i64) -> Result<Option<BTreeSet<(String, String)>>, StoreError> {
        let first: Option<i64> = self.prepare_cached("SELECT min(seq) FROM change")?.query_row([], |row| row.get(0))?;
        if first.is_none_or(|first| first > seq + 1) {
            return Ok(None);
        }
        let mut statement = self.prepare_cached("SELECT records FROM change WHERE seq > ?1")?;
        let mut found = BTreeSet::new();
        for row in statement.query_map([seq], |row| row.get::<_, Option<String>>(0))? {
            let Some(names) = row?.and_then(|text| serde_json::from_str::<Vec<String>>(&text).ok()) else { return Ok(None) };
            found.extend(names.iter().filter_map(|name| name.split_once('/')).map(|(kind, id)| (kind.to_owned(), id.to_owned())));
        }
        Ok(Some(found))
    }

    /// How far what has arrived here goes; given to [`Self::arrived_after`] later, it tells what is new.
    pub fn arrivals(&self) -> Result<i64, StoreError> {
        Ok(self.prepare_cached("SELECT coalesce(max(seq), 0) FROM envelope")?.query_row([], |row| row.get(0))?)
    }

    /// The first operation of each other computer than `own` that arrived since.
    pub fn first_after(&self, seq: i64, own: &str) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut statement =
            self.prepare_cached("SELECT device, min(first) FROM envelope WHERE seq > ?1 AND device <> ?2 GROUP BY device")?;
        let rows = statement.query_map(params![seq, own], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The computers and numbers of the accepted operations about a record.
    pub fn numbers_about(&self, kind: &str, id: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let mut statement = self.prepare_cached("SELECT device, n FROM op WHERE record = ?1 AND kind = ?2 AND state = 'accepted'")?;
        let rows = statement.query_map([id, kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What other computers than `own` sent since, the newest first: as it arrived, whatever its clocks say.
    pub fn arrived_after(&self, seq: i64, own: &str, most: u32) -> Result<Vec<Arrival>, StoreError> {
        let mut statement =
            self.prepare_cached("SELECT device, first, count FROM envelope WHERE seq > ?1 AND device <> ?2 ORDER BY seq DESC LIMIT ?3")?;
        let rows = statement
            .query_map(params![seq, own, most], |row| Ok(Arrival { device: row.get(0)?, first: row.get(1)?, count: row.get(2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
