//! Runs as searches show them.

use super::RunView;
use crate::StoreError;
use crate::metrics::{Point, Summary};
use crate::store::Reader;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

impl Reader<'_> {
    /// Runs as searches show them, in the order asked for; of their metrics all, or only some.
    pub fn run_views(&self, runs: &[i64], metrics: Option<&[String]>) -> Result<Vec<RunView>, StoreError> {
        let Some(names) = metrics else {
            return runs.iter().map(|run| self.run_view(*run, None)).filter_map(Result::transpose).collect();
        };
        let mut number = self.prepare_cached("SELECT num FROM metric_name WHERE text = ?1")?;
        let keys = names.iter().map(|name| number.query_row([name], |row| row.get(0)).optional());
        let keys: Vec<i64> = keys.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        runs.iter().map(|run| self.run_view(*run, Some(&keys))).filter_map(Result::transpose).collect()
    }

    fn run_view(&self, num: i64, keys: Option<&[i64]>) -> Result<Option<RunView>, StoreError> {
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
        let of_key = if keys.is_some() { "AND m.key = ?2" } else { "AND ?2 IS NULL" };
        let mut metrics = self.prepare_cached(&format!(
            "SELECT k.text, m.value, m.step, m.ts, m.count, m.min, m.max FROM run_metric m JOIN metric_name k ON k.num = m.key
             WHERE m.run = ?1 {of_key} ORDER BY k.text"
        ))?;
        let wanted: Vec<Option<i64>> = keys.map_or_else(|| vec![None], |keys| keys.iter().copied().map(Some).collect());
        for key in wanted {
            let mut rows = metrics.query(params![num, key])?;
            while let Some(row) = rows.next()? {
                let last = Point { step: row.get(2)?, ts: row.get(3)?, value: row.get::<_, Option<f64>>(1)?.unwrap_or(f64::NAN) };
                view.metrics.push(Summary { key: row.get(0)?, count: row.get(4)?, last, min: row.get(5)?, max: row.get(6)? });
            }
        }
        Ok(Some(view))
    }
}
