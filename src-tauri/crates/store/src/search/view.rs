//! Runs as searches show them.

use super::RunView;
use crate::StoreError;
use crate::metrics::{Point, Summary};
use crate::store::Reader;
use rusqlite::OptionalExtension;
use std::collections::BTreeMap;

impl Reader<'_> {
    /// Runs as searches show them, in the order asked for.
    pub fn run_views(&self, runs: &[i64]) -> Result<Vec<RunView>, StoreError> {
        runs.iter().map(|run| self.run_view(*run)).filter_map(Result::transpose).collect()
    }

    fn run_view(&self, num: i64) -> Result<Option<RunView>, StoreError> {
        let found = self
            .prepare_cached(
                "SELECT u.id, u.experiment, u.status, u.start_ms, u.end_ms, u.user, u.deleted, d.id FROM run u
                 JOIN record r ON r.num = u.num JOIN device_name d ON d.num = r.device WHERE u.num = ?1 AND u.experiment IS NOT NULL",
            )?
            .query_row([num], |row| {
                Ok(RunView {
                    id: row.get(0)?,
                    experiment: row.get(1)?,
                    status: row.get(2)?,
                    start_ms: row.get(3)?,
                    end_ms: row.get(4)?,
                    user: row.get(5)?,
                    deleted: row.get(6)?,
                    device: row.get(7)?,
                    params: BTreeMap::new(),
                    tags: BTreeMap::new(),
                    inputs: BTreeMap::new(),
                    outputs: Vec::new(),
                    metrics: Vec::new(),
                })
            })
            .optional()?;
        let Some(mut view) = found else { return Ok(None) };
        let mut cells = self.prepare_cached(
            "SELECT field, key, value FROM cell WHERE record = ?1 AND field IN ('input', 'output', 'param', 'tag') AND value IS NOT NULL",
        )?;
        let mut rows = cells.query([num])?;
        while let Some(row) = rows.next()? {
            match row.get_ref(0)?.as_str()? {
                "param" => drop(view.params.insert(row.get(1)?, row.get(2)?)),
                "tag" => drop(view.tags.insert(row.get(1)?, row.get(2)?)),
                "input" => drop(view.inputs.insert(row.get(1)?, row.get(2)?)),
                _ => view.outputs.push((row.get(1)?, row.get(2)?)),
            }
        }
        let mut metrics = self.prepare_cached(
            "SELECT k.text, m.value, m.step, m.ts, m.count, m.min, m.max FROM run_metric m JOIN metric_name k ON k.num = m.key
             WHERE m.run = ?1 ORDER BY k.text",
        )?;
        let mut rows = metrics.query([num])?;
        while let Some(row) = rows.next()? {
            let last = Point { step: row.get(2)?, ts: row.get(3)?, value: row.get::<_, Option<f64>>(1)?.unwrap_or(f64::NAN) };
            view.metrics.push(Summary { key: row.get(0)?, count: row.get(4)?, last, min: row.get(5)?, max: row.get(6)? });
        }
        Ok(Some(view))
    }
}
