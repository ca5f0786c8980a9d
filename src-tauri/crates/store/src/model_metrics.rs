//! What was measured of logged models: the latest value of each metric on each dataset.

use crate::StoreError;
use crate::metrics::{Point, bits, later, value};
use crate::store::Reader;
use crate::writer::Writer;
use cairn_core::fold::PART;
use cairn_core::id::{LoggedModelId, RunId};
use cairn_core::op::{Kind, ModelMetric, Num, Op, OutlinePoint};
use rusqlite::params;
use std::collections::BTreeMap;

/// A value that a run measured of a logged model.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub run: String,
    pub key: String,
    /// Name and digest of the dataset; both empty: on none.
    pub dataset: String,
    pub digest: String,
    pub last: Point,
}

impl Writer<'_> {
    /// Takes note of a value; an earlier one than what is known changes nothing.
    pub fn log_model_metric(&mut self, model: &LoggedModelId, run: &RunId, metric: &Measured) -> Result<(), StoreError> {
        let p = &metric.last;
        self.prepare_cached(
            "INSERT INTO model_metric (model, run, key, dataset, digest, step, ts, bits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (model, run, key, dataset, digest) DO UPDATE SET step = excluded.step, ts = excluded.ts, bits = excluded.bits,
               summarised = 0 WHERE (excluded.step, excluded.ts) >= (step, ts)",
        )?
        .execute(params![model.as_str(), run.as_str(), metric.key, metric.dataset, metric.digest, p.step, p.ts, bits(p.value)])?;
        self.touch("run");
        self.touch_record(Kind::Run, run.as_str());
        self.touch_record(Kind::LoggedModel, model.as_str());
        Ok(())
    }

    /// Says in the log what was measured, of one run or of all.
    pub(crate) fn summarise_models(&mut self, run: Option<&RunId>) -> Result<(), StoreError> {
        type Row = (String, String, ModelMetric);
        let of_run = if run.is_some() { "run = ?1" } else { "?1 IS NULL" };
        let rows: Vec<Row> = {
            let mut statement = self.prepare_cached(&format!(
                "SELECT model, run, key, dataset, digest, step, ts, bits FROM model_metric WHERE summarised = 0 AND {of_run}
                 ORDER BY model, run, key, dataset, digest"
            ))?;
            statement
                .query_map([run.map(RunId::as_str)], |row| {
                    let last = (row.get(5)?, row.get(6)?, Num(value(row.get(7)?)));
                    Ok((row.get(0)?, row.get(1)?, ModelMetric { key: row.get(2)?, dataset: row.get(3)?, digest: row.get(4)?, last }))
                })?
                .collect::<Result<_, _>>()?
        };
        // A line of the log has room for a few hundred.
        for (model, run, metrics) in rows.chunk_by(|a, b| (&a.0, &a.1) == (&b.0, &b.1)).flat_map(|same| {
            same.chunks(100).map(|some| (some[0].0.clone(), some[0].1.clone(), some.iter().map(|row| row.2.clone()).collect()))
        }) {
            let model = LoggedModelId::parse(model).map_err(|e| StoreError::Line(e.to_string()))?;
            let run = RunId::parse(run).map_err(|e| StoreError::Line(e.to_string()))?;
            self.append(Op::LoggedModelMetricsSummarised { model, run, metrics })?;
        }
        self.prepare_cached(&format!("UPDATE model_metric SET summarised = 1 WHERE summarised = 0 AND {of_run}"))?
            .execute([run.map(RunId::as_str)])?;
        Ok(())
    }
}

impl Reader<'_> {
    /// What was measured of a logged model, here and elsewhere, by run and name.
    pub fn model_metrics(&self, model: &str) -> Result<Vec<Measured>, StoreError> {
        let mut found: BTreeMap<String, Measured> = BTreeMap::new();
        let name = |m: &Measured| [m.run.as_str(), &m.key, &m.dataset, &m.digest].join(&PART.to_string());
        if let Some(record) = self.number_of(Kind::LoggedModel, model)? {
            let mut statement =
                self.prepare_cached("SELECT key, value FROM cell WHERE record = ?1 AND field = 'metric' AND value IS NOT NULL")?;
            let mut rows = statement.query([record])?;
            while let Some(row) = rows.next()? {
                let key: String = row.get(0)?;
                let [run, metric, dataset, digest] = key.split(PART).collect::<Vec<_>>()[..] else { continue };
                let Ok((step, ts, last)) = serde_json::from_str::<OutlinePoint>(row.get_ref(1)?.as_str()?) else { continue };
                let text = str::to_owned;
                let last = Point { step, ts, value: last.0 };
                let m = Measured { run: text(run), key: text(metric), dataset: text(dataset), digest: text(digest), last };
                found.insert(name(&m), m);
            }
        }
        let mut statement = self.prepare_cached("SELECT run, key, dataset, digest, step, ts, bits FROM model_metric WHERE model = ?1")?;
        let mut rows = statement.query([model])?;
        while let Some(row) = rows.next()? {
            let last = Point { step: row.get(4)?, ts: row.get(5)?, value: value(row.get(6)?) };
            let m = Measured { run: row.get(0)?, key: row.get(1)?, dataset: row.get(2)?, digest: row.get(3)?, last };
            if found.get(&name(&m)).is_none_or(|known| !later(&known.last, &m.last)) {
                found.insert(name(&m), m);
            }
        }
        Ok(found.into_values().collect())
    }
}
