//! Metric points: append-only, of one run, kept to the last bit.

use crate::StoreError;
use crate::store::Reader;
use crate::writer::Writer;
use cairn_core::fold::PART;
use cairn_core::id::{DeviceId, RunId};
use cairn_core::op::{Kind, Num, Op, OutlinePoint};
use rusqlite::{OptionalExtension, params};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The computer of series that were logged here, whatever its name is or was.
pub(crate) const OWN: &str = "";

/// The greatest point that went into a segment: step, time, bits.
type Mark = (i64, i64, i64);

/// How many points the signed outline of a metric has at most.
pub const OUTLINE: usize = 256;

/// One point: step, milliseconds since 1970, value. NaN and infinities are values.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub step: i64,
    pub ts: i64,
    pub value: f64,
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        (self.step, self.ts, self.value.to_bits()) == (other.step, other.ts, other.value.to_bits())
    }
}

/// What is known of a metric of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub key: String,
    pub count: u64,
    pub last: Point,
    /// Over the values that are numbers; none if all are NaN.
    pub min: Option<f64>,
    pub max: Option<f64>,
}

pub(crate) fn bits(value: f64) -> i64 {
    value.to_bits().cast_signed()
}
pub(crate) fn value(bits: i64) -> f64 {
    f64::from_bits(bits.cast_unsigned())
}

/// MLflow's rule for the latest value: greatest step, then time, then value. A NaN loses a tie.
fn later(a: &Point, b: &Point) -> bool {
    let rank = |v: f64| if v.is_nan() { f64::NEG_INFINITY } else { v };
    (a.step, a.ts).cmp(&(b.step, b.ts)).then(rank(a.value).total_cmp(&rank(b.value))).is_gt()
}

/// What one computer signed of a metric.
struct MetricPart {
    key: String,
    device: String,
    summary: Summary,
    outline: Vec<OutlinePoint>,
}

fn merge(bound: Option<f64>, v: f64, pick: fn(f64, f64) -> f64) -> Option<f64> {
    if v.is_nan() { bound } else { Some(bound.map_or(v, |b| pick(b, v))) }
}

impl Writer<'_> {
    /// Adds points to a run's metrics. A point that is already there is taken once.
    pub fn log_points<'k>(&mut self, run: &RunId, points: impl IntoIterator<Item = (&'k str, Point)>) -> Result<(), StoreError> {
        let mut by_key: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
        for (key, point) in points {
            by_key.entry(key).or_default().push(point);
        }
        for (key, points) in by_key {
            self.log_series(run, key, OWN, &points)?;
        }
        self.touch("metric");
        Ok(())
    }

    pub(crate) fn log_series(&self, run: &RunId, key: &str, device: &str, points: &[Point]) -> Result<(), StoreError> {
        let Some(first) = points.first() else { return Ok(()) };
        let found = self
            .prepare_cached(
                "SELECT id, count, last_step, last_ts, last_bits, min, max, mark_step, mark_ts, mark_bits FROM metric_series
                 WHERE run = ?1 AND key = ?2 AND device = ?3",
            )?
            .query_row([run.as_str(), key, device], |row| {
                let last = Point { step: row.get(2)?, ts: row.get(3)?, value: value(row.get(4)?) };
                let mark: Option<Mark> =
                    row.get::<_, Option<i64>>(7)?.map(|step| Ok::<_, rusqlite::Error>((step, row.get(8)?, row.get(9)?))).transpose()?;
                let sum = Summary { key: String::new(), count: row.get(1)?, last, min: row.get(5)?, max: row.get(6)? };
                Ok((row.get::<_, i64>(0)?, sum, mark))
            })
            .optional()?;
        let (id, mut sum, mark) = match found {
            Some(found) => found,
            None => {
                self.prepare_cached(
                    "INSERT INTO metric_series (run, key, device, count, last_step, last_ts, last_bits) VALUES (?1, ?2, ?3, 0, 0, 0, 0)",
                )?
                .execute([run.as_str(), key, device])?;
                let id = self.last_insert_rowid();
                (id, Summary { key: String::new(), count: 0, last: *first, min: None, max: None }, None)
            }
        };
        let mut insert = self.prepare_cached("INSERT OR IGNORE INTO metric_point (series, step, ts, bits) VALUES (?1, ?2, ?3, ?4)")?;
        for p in points {
            if insert.execute(params![id, p.step, p.ts, bits(p.value)])? == 0 {
                continue;
            }
            if mark.is_some_and(|mark| (p.step, p.ts, bits(p.value)) <= mark) {
                self.prepare_cached("INSERT OR IGNORE INTO metric_late (series, step, ts, bits) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![id, p.step, p.ts, bits(p.value)])?;
            }
            if sum.count == 0 || later(p, &sum.last) {
                sum.last = *p;
            }
            sum.count += 1;
            sum.min = merge(sum.min, p.value, f64::min);
            sum.max = merge(sum.max, p.value, f64::max);
        }
        self.prepare_cached(
            "UPDATE metric_series SET count = ?2, last_step = ?3, last_ts = ?4, last_bits = ?5, min = ?6, max = ?7 WHERE id = ?1",
        )?
        .execute(params![id, sum.count, sum.last.step, sum.last.ts, bits(sum.last.value), sum.min, sum.max])?;
        Ok(())
    }

    /// Appends the signed summaries of metrics that have new points: of one run, or of all that are not running.
    pub fn summarise(&mut self, run: Option<&RunId>) -> Result<u64, StoreError> {
        let rows: Vec<(i64, String)> = {
            let mut statement = self.prepare_cached(
                "SELECT id, run FROM metric_series WHERE device = '' AND count <> summarised AND (?1 IS NULL OR run = ?1) ORDER BY run, key",
            )?;
            statement.query_map([run.map(RunId::as_str)], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?
        };
        for (series, run) in &rows {
            let run = RunId::parse(run.clone()).map_err(|e| StoreError::Line(e.to_string()))?;
            let (key, count, last, min, max) = self
                .prepare_cached("SELECT key, count, last_step, last_ts, last_bits, min, max FROM metric_series WHERE id = ?1")?
                .query_row([series], |row| {
                    let last = (row.get(2)?, row.get(3)?, Num(value(row.get(4)?)));
                    let bound = |v: Option<f64>| Num(v.unwrap_or(f64::NAN));
                    Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, last, bound(row.get(5)?), bound(row.get(6)?)))
                })?;
            let points = self.series_points(*series)?;
            let outline = outline(&points);
            self.append(Op::RunMetricSummarised { run, key, count, last, min, max, outline })?;
            self.prepare_cached("UPDATE metric_series SET summarised = ?2 WHERE id = ?1")?.execute(params![series, count])?;
        }
        Ok(rows.len() as u64)
    }
}

/// At most [`OUTLINE`] points that keep the first, the last and the extremes of every stretch.
pub fn outline(points: &[Point]) -> Vec<OutlinePoint> {
    let pick = |p: &Point| (p.step, p.ts, Num(p.value));
    if points.len() <= OUTLINE {
        return points.iter().map(pick).collect();
    }
    // First and last are always kept; each stretch between gives its smallest and greatest.
    let inner = &points[1..points.len() - 1];
    let buckets = (OUTLINE - 2) / 2;
    let mut out = vec![pick(&points[0])];
    for b in 0..buckets {
        let stretch = &inner[b * inner.len() / buckets..(b + 1) * inner.len() / buckets];
        let low = stretch.iter().enumerate().min_by(|a, b| a.1.value.total_cmp(&b.1.value));
        let high = stretch.iter().enumerate().max_by(|a, b| a.1.value.total_cmp(&b.1.value));
        if let (Some((i, low)), Some((j, high))) = (low, high) {
            let (a, b) = if i <= j { (low, high) } else { (high, low) };
            out.push(pick(a));
            if i != j {
                out.push(pick(b));
            }
        }
    }
    out.push(pick(&points[points.len() - 1]));
    out
}

impl Reader<'_> {
    fn series_points(&self, series: i64) -> Result<Vec<Point>, StoreError> {
        let mut statement = self.prepare_cached("SELECT step, ts, bits FROM metric_point WHERE series = ?1 ORDER BY step, ts")?;
        let points = statement
            .query_map([series], |row| Ok(Point { step: row.get(0)?, ts: row.get(1)?, value: value(row.get(2)?) }))?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(points)
    }

    /// The points of a metric by step and time, and whether they are all there is: of what another
    /// computer logged the signed outline stands in until its segments are here.
    pub fn points(&self, run: &str, key: &str) -> Result<(Vec<Point>, bool), StoreError> {
        let mut all = Vec::new();
        let mut here: BTreeMap<String, u64> = BTreeMap::new();
        let mut statement = self.prepare_cached("SELECT id, device, count FROM metric_series WHERE run = ?1 AND key = ?2")?;
        let series: Vec<(i64, String, u64)> =
            statement.query_map([run, key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
        let own = self.own_names()?;
        for (id, device, count) in series {
            all.extend(self.series_points(id)?);
            here.insert(device, count);
        }
        let mut complete = true;
        for part in self.parts(run)?.iter().filter(|p| p.key == key) {
            let mine = own.contains(&part.device) && here.contains_key(OWN);
            if mine || here.get(&part.device).is_some_and(|count| *count >= part.summary.count) {
                continue;
            }
            complete &= part.summary.count == part.outline.len() as u64;
            all.extend(part.outline.iter().map(|(step, ts, v)| Point { step: *step, ts: *ts, value: v.0 }));
        }
        all.sort_by_key(|p| (p.step, p.ts, bits(p.value)));
        all.dedup();
        Ok((all, complete))
    }

    /// What each computer signed of the metrics of a run.
    fn parts(&self, run: &str) -> Result<Vec<MetricPart>, StoreError> {
        let mut cells =
            self.prepare_cached("SELECT key, value FROM cell WHERE kind = ?1 AND id = ?2 AND field = 'metric' AND value IS NOT NULL")?;
        let mut rows = cells.query([Kind::Run.as_str(), run])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let Some((key, device)) = name.rsplit_once(PART) else { continue };
            let value: serde_json::Value = serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default();
            let Ok((step, ts, last)) = serde_json::from_value::<OutlinePoint>(value["last"].clone()) else { continue };
            let bound = |v: &serde_json::Value| serde_json::from_value::<Num>(v.clone()).ok().map(|n| n.0).filter(|v| !v.is_nan());
            found.push(MetricPart {
                key: key.to_owned(),
                device: device.to_owned(),
                summary: Summary {
                    key: key.to_owned(),
                    count: value["count"].as_u64().unwrap_or(0),
                    last: Point { step, ts, value: last.0 },
                    min: bound(&value["min"]),
                    max: bound(&value["max"]),
                },
                outline: serde_json::from_value(value["outline"].clone()).unwrap_or_default(),
            });
        }
        // A computer that went on under a new name counts its older points again.
        let acl = self.acl()?;
        let said: BTreeSet<(String, String)> = found.iter().map(|p| (p.key.clone(), p.device.clone())).collect();
        found.retain(|part| {
            let device = DeviceId::parse(part.device.clone()).ok();
            let next = device.and_then(|d| acl.successor(&d));
            next.is_none_or(|next| !said.contains(&(part.key.clone(), next.to_string())))
        });
        Ok(found)
    }

    /// The names that this computer has and had in the log.
    pub(crate) fn own_names(&self) -> Result<Vec<String>, StoreError> {
        let before = self.local("former_names")?.unwrap_or_default();
        let mut names: Vec<String> = before.split_whitespace().map(str::to_owned).collect();
        names.push(self.device()?.to_string());
        Ok(names)
    }

    /// The latest value and the bounds of every metric of a run, by name.
    pub fn summaries(&self, run: &str) -> Result<Vec<Summary>, StoreError> {
        let mut found: BTreeMap<String, Summary> = BTreeMap::new();
        let mut add = |part: Summary| match found.entry(part.key.clone()) {
            Entry::Vacant(empty) => drop(empty.insert(part)),
            Entry::Occupied(mut known) => {
                let sum = known.get_mut();
                sum.count += part.count;
                sum.min = part.min.map_or(sum.min, |v| merge(sum.min, v, f64::min));
                sum.max = part.max.map_or(sum.max, |v| merge(sum.max, v, f64::max));
                if later(&part.last, &sum.last) {
                    sum.last = part.last;
                }
            }
        };
        // Where the points themselves are here they are newer than any summary of them.
        let mut own: BTreeSet<String> = BTreeSet::new();
        let mut series = self.prepare_cached(
            "SELECT key, count, last_step, last_ts, last_bits, min, max FROM metric_series WHERE run = ?1 AND device = ''",
        )?;
        let mut rows = series.query([run])?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            let last = Point { step: row.get(2)?, ts: row.get(3)?, value: value(row.get(4)?) };
            own.insert(key.clone());
            add(Summary { key, count: row.get(1)?, last, min: row.get(5)?, max: row.get(6)? });
        }
        let names = if own.is_empty() { Vec::new() } else { self.own_names()? };
        for part in self.parts(run)? {
            if !(own.contains(&part.key) && names.contains(&part.device)) {
                add(part.summary);
            }
        }
        Ok(found.into_values().collect())
    }

    /// This computer's whole number for an experiment.
    pub fn experiment_number(&self, experiment: &str) -> Result<Option<i64>, StoreError> {
        Ok(self
            .prepare_cached("SELECT number FROM experiment_number WHERE experiment = ?1")?
            .query_row([experiment], |row| row.get(0))
            .optional()?)
    }

    /// The experiment of one of this computer's whole numbers.
    pub fn numbered_experiment(&self, number: i64) -> Result<Option<String>, StoreError> {
        Ok(self
            .prepare_cached("SELECT experiment FROM experiment_number WHERE number = ?1")?
            .query_row([number], |row| row.get(0))
            .optional()?)
    }

    /// Experiments that have no number yet: they came from another computer.
    pub fn unnumbered_experiments(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT id FROM record WHERE kind = 'experiment' AND id NOT IN (SELECT experiment FROM experiment_number) ORDER BY stamp",
        )?;
        let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(ids)
    }
}

impl Writer<'_> {
    /// Gives an experiment this computer's next whole number, or the one asked for.
    pub fn number_experiment(&mut self, experiment: &str, number: Option<i64>) -> Result<i64, StoreError> {
        if let Some(number) = self.experiment_number(experiment)? {
            return Ok(number);
        }
        self.prepare_cached(
            "INSERT INTO experiment_number (number, experiment)
             VALUES (coalesce(?2, (SELECT coalesce(max(number), 0) + 1 FROM experiment_number)), ?1)",
        )?
        .execute(params![experiment, number])?;
        Ok(self.last_insert_rowid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_keeps_first_last_and_every_spike() {
        let mut points: Vec<Point> = (0..10_000).map(|i| Point { step: i, ts: i, value: 1.0 }).collect();
        points[4_321].value = 99.0;
        points[7_777].value = -99.0;
        let short = outline(&points);
        assert!(short.len() <= OUTLINE);
        assert_eq!((short[0].0, short[short.len() - 1].0), (0, 9_999));
        assert!(short.iter().any(|p| p.0 == 4_321) && short.iter().any(|p| p.0 == 7_777), "spikes must stay visible");
    }

    #[test]
    fn the_latest_value_is_that_of_the_greatest_step_not_of_the_last_call() {
        let at = |step, ts, value| Point { step, ts, value };
        assert!(later(&at(2, 0, 0.0), &at(1, 9, 9.0)));
        assert!(later(&at(1, 1, 2.0), &at(1, 1, 1.0)));
        assert!(!later(&at(1, 1, f64::NAN), &at(1, 1, 1.0)));
    }
}
