//! Metric points: append-only, of one run, kept to the last bit.

use crate::StoreError;
use crate::chunk::{self, CHUNK, Stretch, Times, place};
use crate::records::{number, record_number};
use crate::store::Reader;
use crate::writer::Writer;
use cairn_core::fold::PART;
use cairn_core::id::{DeviceId, RunId};
use cairn_core::op::{Kind, MetricSummary, Num, Op, OutlinePoint};
use rusqlite::{Connection, OptionalExtension, params};
use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The computer of series that were logged here, whatever its name is or was.
pub(crate) const OWN: i64 = 0;

/// Step, time, bits of a point.
type Place = (i64, i64, i64);

/// How many points the signed outline of a metric has at most.
pub const OUTLINE: usize = 256;

/// How much one summary operation holds: a point takes some 50 bytes of a line.
const LINE_POINTS: usize = 1_500;
const LINE_METRICS: usize = 200;

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

/// MLflow's rule for the latest value: greatest step, then time, then value, where a NaN counts as
/// zero. Beside a true zero it loses, so that the order of arrival does not matter.
pub(crate) fn later(a: &Point, b: &Point) -> bool {
    let rank = |v: f64| if v.is_nan() { 0.0 } else { v };
    let by_value = || rank(a.value).partial_cmp(&rank(b.value)).unwrap_or(Ordering::Equal);
    let nan_first = || b.value.is_nan().cmp(&a.value.is_nan());
    (a.step, a.ts).cmp(&(b.step, b.ts)).then_with(by_value).then_with(nan_first).is_gt()
}

/// What one computer signed of a metric.
struct MetricPart {
    key: String,
    device: String,
    summary: Summary,
    outline: Vec<OutlinePoint>,
}

/// The value of a `metric` cell.
#[derive(serde::Deserialize)]
struct Signed {
    count: u64,
    last: OutlinePoint,
    min: Num,
    max: Num,
    outline: Vec<OutlinePoint>,
}

fn merge(bound: Option<f64>, v: f64, pick: fn(f64, f64) -> f64) -> Option<f64> {
    if v.is_nan() { bound } else { Some(bound.map_or(v, |b| pick(b, v))) }
}

/// This file's number for the name of a metric.
pub(crate) fn name_number(conn: &Connection, name: &str) -> Result<i64, StoreError> {
    number(conn, name, "SELECT num FROM metric_name WHERE text = ?1", "INSERT INTO metric_name (text) VALUES (?1)").map(|(num, _)| num)
}

/// Says that the row that searches use is no longer true.
pub(crate) fn stale(conn: &Connection, run: i64, key: i64) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR IGNORE INTO metric_stale (run, key) VALUES (?1, ?2)")?.execute([run, key])?;
    Ok(())
}

/// One metric of one run by one computer, as its row has it.
struct Series {
    id: i64,
    sum: Summary,
    tail: usize,
    /// The greatest point: what is beyond it is new.
    top: Option<Place>,
    /// The greatest point that went into a segment.
    mark: Option<Place>,
}

fn place_at(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Option<Place>> {
    row.get::<_, Option<i64>>(at)?.map(|step| Ok((step, row.get(at + 1)?, row.get(at + 2)?))).transpose()
}

impl Writer<'_> {
    /// Adds points to a run's metrics. A point that is already there is taken once.
    pub fn log_points<'k>(&mut self, run: &RunId, points: impl IntoIterator<Item = (&'k str, Point)>) -> Result<(), StoreError> {
        let mut by_key: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
        for (key, point) in points {
            by_key.entry(key).or_default().push(point);
        }
        let number = record_number(self.conn, Kind::Run, run.as_str())?;
        for (key, points) in by_key {
            self.log_series(number, key, OWN, points)?;
        }
        self.touch("metric");
        self.touch_record(Kind::Run, run.as_str());
        Ok(())
    }

    fn series(&self, run: i64, key: i64, device: i64, first: &Point) -> Result<Series, StoreError> {
        let found = self
            .prepare_cached(
                "SELECT id, count, last_step, last_ts, last_bits, min, max, tail, top_step, top_ts, top_bits, mark_step, mark_ts, mark_bits
                 FROM metric_series WHERE run = ?1 AND key = ?2 AND device = ?3",
            )?
            .query_row([run, key, device], |row| {
                let last = Point { step: row.get(2)?, ts: row.get(3)?, value: value(row.get(4)?) };
                Ok(Series {
                    id: row.get(0)?,
                    sum: Summary { key: String::new(), count: row.get(1)?, last, min: row.get(5)?, max: row.get(6)? },
                    tail: row.get(7)?,
                    top: place_at(row, 8)?,
                    mark: place_at(row, 11)?,
                })
            })
            .optional()?;
        if let Some(found) = found {
            return Ok(found);
        }
        self.prepare_cached(
            "INSERT INTO metric_series (run, key, device, count, last_step, last_ts, last_bits) VALUES (?1, ?2, ?3, 0, 0, 0, 0)",
        )?
        .execute([run, key, device])?;
        let sum = Summary { key: String::new(), count: 0, last: *first, min: None, max: None };
        Ok(Series { id: self.last_insert_rowid(), sum, tail: 0, top: None, mark: None })
    }

    pub(crate) fn log_series(&self, run: i64, key: &str, device: i64, mut points: Vec<Point>) -> Result<(), StoreError> {
        if !points.is_sorted_by(|a, b| place(a) < place(b)) {
            points.sort_by_key(place);
            points.dedup();
        }
        let Some(first) = points.first() else { return Ok(()) };
        let key = name_number(self.conn, key)?;
        let Series { id, mut sum, mut tail, mut top, mark } = self.series(run, key, device, first)?;
        // Only what is not beyond all others can be there already; clocks and steps mostly go forwards.
        if top.is_some_and(|top| place(first) <= top) {
            let known = self.known_among(id, &points)?;
            points.retain(|p| !known.contains(&place(p)));
        }
        let Some(last) = points.last() else { return Ok(()) };
        for p in &points {
            if mark.is_some_and(|mark| place(p) <= mark) {
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
        top = top.max(Some(place(last)));
        tail += points.len();
        if tail < CHUNK {
            self.prepare_cached("INSERT INTO metric_part (series, seq, points) VALUES (?1, ?2, ?3)")?.execute(params![
                id,
                sum.count,
                chunk::plain(&points)
            ])?;
        } else {
            self.consolidate(id, points)?;
            tail = 0;
        }
        self.prepare_cached(
            "UPDATE metric_series SET count = ?2, last_step = ?3, last_ts = ?4, last_bits = ?5, min = ?6, max = ?7, tail = ?8,
             top_step = ?9, top_ts = ?10, top_bits = ?11 WHERE id = ?1",
        )?
        .execute(params![
            id,
            sum.count,
            sum.last.step,
            sum.last.ts,
            bits(sum.last.value),
            sum.min,
            sum.max,
            tail,
            top.map(|t| t.0),
            top.map(|t| t.1),
            top.map(|t| t.2)
        ])?;
        stale(self.conn, run, key)
    }

    /// Which of some points, in order, the series has.
    fn known_among(&self, series: i64, points: &[Point]) -> Result<BTreeSet<Place>, StoreError> {
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(BTreeSet::new()) };
        let mut there = self.tail_points(series)?;
        self.chunks_between(series, place(first), place(last), |bytes| chunk::decode(bytes, &mut there))?;
        there.sort_by_key(place);
        let has = |p: &Point| there.binary_search_by_key(&place(p), place).is_ok();
        Ok(points.iter().filter(|p| has(p)).map(place).collect())
    }

    /// Brings the tail of a series and some more points into chunks. Chunks that they overlap, and a
    /// small one before them, are made again.
    fn consolidate(&self, series: i64, more: Vec<Point>) -> Result<(), StoreError> {
        let mut points = self.tail_points(series)?;
        points.extend(more);
        points.sort_by_key(place);
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(()) };
        let (first, last) = (place(first), place(last));
        let small: Option<Place> = self
            .prepare_cached(
                "SELECT first_step, first_ts, first_bits, count FROM metric_chunk WHERE series = ?1
                 AND (first_step, first_ts, first_bits) < (?2, ?3, ?4) ORDER BY first_step DESC, first_ts DESC, first_bits DESC LIMIT 1",
            )?
            .query_row(params![series, first.0, first.1, first.2], |row| Ok((place_at(row, 0)?, row.get::<_, usize>(3)?)))
            .optional()?
            .filter(|(_, count)| *count < CHUNK / 2)
            .and_then(|(place, _)| place);
        let from = small.unwrap_or(first);
        let before = points.len();
        self.chunks_between(series, from, last, |bytes| chunk::decode(bytes, &mut points))?;
        if points.len() > before {
            self.prepare_cached(
                "DELETE FROM metric_chunk WHERE series = ?1 AND (last_step, last_ts, last_bits) >= (?2, ?3, ?4)
                 AND (first_step, first_ts, first_bits) <= (?5, ?6, ?7)",
            )?
            .execute(params![series, from.0, from.1, from.2, last.0, last.1, last.2])?;
            points.sort_by_key(place);
        }
        for stretch in points.chunks(CHUNK) {
            let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { continue };
            let (first, last) = (place(first), place(last));
            self.prepare_cached(
                "INSERT INTO metric_chunk (series, first_step, first_ts, first_bits, last_step, last_ts, last_bits, count, outline, points)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                series,
                first.0,
                first.1,
                first.2,
                last.0,
                last.1,
                last.2,
                stretch.len(),
                chunk::outline(stretch),
                chunk::encode(stretch)?
            ])?;
        }
        self.prepare_cached("DELETE FROM metric_part WHERE series = ?1")?.execute([series])?;
        self.prepare_cached("UPDATE metric_series SET tail = 0 WHERE id = ?1")?.execute([series])?;
        Ok(())
    }

    fn summary_of(&self, series: i64) -> Result<MetricSummary, StoreError> {
        let mut summary = self
            .prepare_cached(
                "SELECT k.text, s.count, s.last_step, s.last_ts, s.last_bits, s.min, s.max FROM metric_series s
                 JOIN metric_name k ON k.num = s.key WHERE s.id = ?1",
            )?
            .query_row([series], |row| {
                let bound = |v: Option<f64>| Num(v.unwrap_or(f64::NAN));
                Ok(MetricSummary {
                    key: row.get(0)?,
                    count: row.get(1)?,
                    last: (row.get(2)?, row.get(3)?, Num(value(row.get(4)?))),
                    min: bound(row.get(5)?),
                    max: bound(row.get(6)?),
                    outline: Vec::new(),
                })
            })?;
        if summary.count > 1 {
            summary.outline = outline(&self.series_points(series)?);
        }
        Ok(summary)
    }

    /// Compresses what a run has logged so far: nothing more is expected of it.
    pub fn settle(&mut self, run: &RunId) -> Result<(), StoreError> {
        let run = record_number(self.conn, Kind::Run, run.as_str())?;
        let series: Vec<i64> = {
            let mut statement = self.prepare_cached("SELECT id FROM metric_series WHERE run = ?1 AND tail >= 8")?;
            statement.query_map([run], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        for id in series {
            self.consolidate(id, Vec::new())?;
        }
        Ok(())
    }

    /// Compresses tails that an older program left long.
    pub(crate) fn settle_long_tails(&mut self) -> Result<(), StoreError> {
        let series: Vec<i64> = {
            let mut statement = self.prepare_cached("SELECT id FROM metric_series WHERE tail >= 2048")?;
            statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        for id in series {
            self.consolidate(id, Vec::new())?;
        }
        Ok(())
    }

    /// Appends the signed summaries of metrics that have new points: of one run, or of all that are not running.
    pub fn summarise(&mut self, run: Option<&RunId>) -> Result<u64, StoreError> {
        self.summarise_models(run)?;
        let of_run = if run.is_some() { "r.kind = 'run' AND r.id = ?1" } else { "?1 IS NULL" };
        let rows: Vec<(i64, String)> = {
            let mut statement = self.prepare_cached(&format!(
                "SELECT s.id, r.id FROM metric_series s JOIN record r ON r.num = s.run JOIN metric_name k ON k.num = s.key
                 WHERE s.device = 0 AND s.count <> s.summarised AND {of_run} ORDER BY r.id, k.text"
            ))?;
            statement.query_map([run.map(RunId::as_str)], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?
        };
        for same in rows.chunk_by(|a, b| a.1 == b.1) {
            let Some((_, run)) = same.first() else { continue };
            let run = RunId::parse(run.clone()).map_err(|e| StoreError::Line(e.to_string()))?;
            let (mut metrics, mut points) = (Vec::new(), 0);
            for (series, _) in same {
                let summary = self.summary_of(*series)?;
                // A line has room for a few thousand points of outlines.
                if points + summary.outline.len() > LINE_POINTS || metrics.len() >= LINE_METRICS {
                    let metrics = std::mem::take(&mut metrics);
                    self.append(Op::RunMetricsSummarised { run: run.clone(), metrics })?;
                    points = 0;
                }
                self.prepare_cached("UPDATE metric_series SET summarised = ?2 WHERE id = ?1")?.execute(params![series, summary.count])?;
                points += summary.outline.len();
                metrics.push(summary);
            }
            self.append(Op::RunMetricsSummarised { run, metrics })?;
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
    /// The points of a series that are in no chunk yet, as they came.
    fn tail_points(&self, series: i64) -> Result<Vec<Point>, StoreError> {
        let mut points = Vec::new();
        let mut statement = self.prepare_cached("SELECT points FROM metric_part WHERE series = ?1")?;
        let mut rows = statement.query([series])?;
        while let Some(row) = rows.next()? {
            chunk::read_plain(blob(row, 0)?, &mut points)?;
        }
        Ok(points)
    }

    /// The chunks that may hold points from one place to another, both included.
    fn chunks_between(
        &self,
        series: i64,
        from: Place,
        to: Place,
        mut each: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT points FROM metric_chunk WHERE series = ?1 AND (last_step, last_ts, last_bits) >= (?2, ?3, ?4)
             AND (first_step, first_ts, first_bits) <= (?5, ?6, ?7) ORDER BY first_step, first_ts, first_bits",
        )?;
        let mut rows = statement.query(params![series, from.0, from.1, from.2, to.0, to.1, to.2])?;
        while let Some(row) = rows.next()? {
            each(blob(row, 0)?)?;
        }
        Ok(())
    }

    /// The points of a series in order.
    pub(crate) fn series_points(&self, series: i64) -> Result<Vec<Point>, StoreError> {
        self.points_after(series, None)
    }

    /// The points of a series beyond a place, in order.
    pub(crate) fn points_after(&self, series: i64, after: Option<Place>) -> Result<Vec<Point>, StoreError> {
        const FIRST: Place = (i64::MIN, i64::MIN, i64::MIN);
        let mut points = Vec::new();
        self.chunks_between(series, after.unwrap_or(FIRST), (i64::MAX, i64::MAX, i64::MAX), |bytes| chunk::decode(bytes, &mut points))?;
        points.extend(self.tail_points(series)?);
        if let Some(after) = after {
            points.retain(|p| place(p) > after);
        }
        if !points.is_sorted_by_key(place) {
            points.sort_by_key(place);
        }
        Ok(points)
    }

    /// The points of a metric by step and time, and whether they are all there is: of what another
    /// computer logged the signed outline stands in until its segments are here.
    pub fn points(&self, run: &str, key: &str) -> Result<(Vec<Point>, bool), StoreError> {
        let Some(run) = self.number_of(Kind::Run, run)? else { return Ok((Vec::new(), true)) };
        let mut all = Vec::new();
        let mut here: BTreeMap<String, u64> = BTreeMap::new();
        for (id, device, count) in self.series_of(run, key)? {
            all.extend(self.series_points(id)?);
            here.insert(device, count);
        }
        let own = self.own_names()?;
        let mut complete = true;
        for part in self.parts(run, Some(key), &[])? {
            let mine = own.contains(&part.device) && here.contains_key("");
            if mine || here.get(&part.device).is_some_and(|count| *count >= part.summary.count) {
                continue;
            }
            complete &= part.summary.count == part.outline.len() as u64;
            all.extend(part.outline.iter().map(|(step, ts, v)| Point { step: *step, ts: *ts, value: v.0 }));
        }
        if !all.is_sorted_by_key(place) {
            all.sort_by_key(place);
        }
        all.dedup();
        Ok((all, complete))
    }

    /// How many points a metric has, and whether all of them are on this computer; in the time of a few rows.
    pub fn extent(&self, run: &str, key: &str) -> Result<(u64, bool), StoreError> {
        let Some(run) = self.number_of(Kind::Run, run)? else { return Ok((0, true)) };
        let here: BTreeMap<String, u64> = self.series_of(run, key)?.into_iter().map(|(_, device, count)| (device, count)).collect();
        let own = self.own_names()?;
        let (mut count, mut complete) = (here.values().sum(), true);
        for part in self.parts(run, Some(key), &[])? {
            let mine = own.contains(&part.device) && here.contains_key("");
            let known = here.get(&part.device).copied().unwrap_or(0);
            if !mine && known < part.summary.count {
                count += part.summary.count - known;
                complete &= part.summary.count == part.outline.len() as u64;
            }
        }
        Ok((count, complete))
    }

    /// The series of a metric: number, computer (none for this one), how many points.
    fn series_of(&self, run: i64, key: &str) -> Result<Vec<(i64, String, u64)>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT s.id, d.id, s.count FROM metric_series s JOIN device_name d ON d.num = s.device
             WHERE s.run = ?1 AND s.key = (SELECT num FROM metric_name WHERE text = ?2)",
        )?;
        let found = statement.query_map(params![run, key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// A metric in `n` stretches of equal width over its steps, those without points left out; see [`Self::along`].
    pub fn stretches(&self, run: &str, key: &str, range: Option<(i64, i64)>, n: usize) -> Result<Vec<Stretch>, StoreError> {
        self.along(run, key, Along::Step, Edges::Exact, range, n)
    }

    /// A metric in `n` stretches of equal width over its steps or times, those without points left out. The cost
    /// follows the stretches, not the points, unless several computers logged the metric, its points are
    /// not all here, or its clock went backwards.
    pub fn along(
        &self,
        run: &str,
        key: &str,
        along: Along,
        edges: Edges,
        range: Option<(i64, i64)>,
        n: usize,
    ) -> Result<Vec<Stretch>, StoreError> {
        match self.whole_series(run, key)? {
            Some(id) => self.stretches_of(id, along, edges, range, n),
            None => Ok(bucketed(self.points(run, key)?.0, along, range, n)),
        }
    }

    /// The points of a metric in a range, and the nearest one on each side of it, in order.
    pub fn points_between(&self, run: &str, key: &str, along: Along, (from, to): (i64, i64)) -> Result<Vec<Point>, StoreError> {
        let mut points = match self.whole_series(run, key)? {
            Some(id) => self.series_between(id, along, from, to)?,
            None => self.points(run, key)?.0,
        };
        if along == Along::Time {
            points.sort_by_key(|p| (p.ts, p.step));
        }
        let first = points.partition_point(|p| along.of(p) < from).saturating_sub(1);
        let last = (points.partition_point(|p| along.of(p) <= to) + 1).min(points.len());
        Ok(points.get(first..last).unwrap_or_default().to_vec())
    }

    /// The chunks that meet a range, one more on each side, and the tail.
    fn series_between(&self, id: i64, along: Along, from: i64, to: i64) -> Result<Vec<Point>, StoreError> {
        let mut points = Vec::new();
        // Over time there is no index: all rows are looked at, but only those that meet the range are unpacked.
        let mut statement = self.prepare_cached(match along {
            Along::Step => {
                "SELECT points FROM metric_chunk WHERE series = ?1
                 AND first_step >= coalesce((SELECT first_step FROM metric_chunk WHERE series = ?1 AND first_step < ?2
                   ORDER BY first_step DESC LIMIT 1), ?2)
                 AND first_step <= coalesce((SELECT first_step FROM metric_chunk WHERE series = ?1 AND first_step > ?3
                   ORDER BY first_step LIMIT 1), ?3)
                 ORDER BY first_step, first_ts, first_bits"
            }
            Along::Time => {
                "SELECT points FROM metric_chunk WHERE series = ?1 AND last_ts >= ?2 AND first_ts <= ?3
                 ORDER BY first_step, first_ts, first_bits"
            }
        })?;
        let mut rows = statement.query(params![id, from, to])?;
        while let Some(row) = rows.next()? {
            chunk::decode(blob(row, 0)?, &mut points)?;
        }
        points.extend(self.tail_points(id)?);
        points.sort_by_key(place);
        Ok(points)
    }

    /// The one series that holds all points of a metric, if there is just one.
    fn whole_series(&self, run: &str, key: &str) -> Result<Option<i64>, StoreError> {
        let Some(num) = self.number_of(Kind::Run, run)? else { return Ok(None) };
        let [(id, _, count)] = self.series_of(num, key)?[..] else { return Ok(None) };
        Ok((!self.parts(num, Some(key), &[])?.iter().any(|part| part.summary.count > count)).then_some(id))
    }

    fn stretches_of(&self, id: i64, along: Along, edges: Edges, range: Option<(i64, i64)>, n: usize) -> Result<Vec<Stretch>, StoreError> {
        let tail = {
            let mut tail = self.tail_points(id)?;
            tail.sort_by_key(place);
            tail
        };
        let (low_column, high_column) = along.columns();
        // Chunks do not overlap: the first and the last of them bound all.
        let end = |column: &str, order: &str| -> Result<Option<i64>, StoreError> {
            let sql = format!(
                "SELECT {column} FROM metric_chunk WHERE series = ?1 ORDER BY first_step {order}, first_ts {order}, first_bits {order} LIMIT 1"
            );
            Ok(self.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?)
        };
        let ends = (end(low_column, "ASC")?, end(high_column, "DESC")?);
        let low = ends.0.into_iter().chain(tail.iter().map(|p| along.of(p)).min()).min();
        let high = ends.1.into_iter().chain(tail.iter().map(|p| along.of(p)).max()).max();
        let (Some(low), Some(high)) = (low, high) else { return Ok(Vec::new()) };
        let (from, to) = range.unwrap_or((low, high));
        let mut buckets = Buckets::new(along, (from, to), n);
        if edges == Edges::Near {
            buckets.slack = to.saturating_sub(from) / i64::try_from(n.max(1)).unwrap_or(i64::MAX) / 2;
        }
        // The tail may begin before the last chunk ends: then there is no cheap order.
        if ends.1.zip(tail.first()).is_some_and(|(end, first)| along.of(first) < end) {
            return Ok(bucketed(self.series_points(id)?, along, range, n));
        }
        let begin = match along {
            // The last chunk that begins before the range may reach into it; those before it cannot.
            Along::Step => {
                "AND first_step >= coalesce((SELECT first_step FROM metric_chunk WHERE series = ?1 AND first_step < ?2
                   ORDER BY first_step DESC LIMIT 1), ?2)"
            }
            Along::Time => "",
        };
        let mut statement = self.prepare_cached(&format!(
            "SELECT outline, points FROM metric_chunk WHERE series = ?1 {begin} AND {high_column} >= ?2 AND {low_column} <= ?3
             ORDER BY first_step, first_ts, first_bits"
        ))?;
        let times = if edges == Edges::Near && along == Along::Step { Times::Skipped } else { Times::Read };
        let mut rows = statement.query(params![id, from, to])?;
        let mut points = Vec::with_capacity(CHUNK);
        while let Some(row) = rows.next()? {
            let outline = chunk::stretches(blob(row, 0)?)?;
            if let Some(all) = &outline
                && all.iter().all(|s| buckets.holds(s))
            {
                all.iter().for_each(|s| buckets.put(s));
            } else {
                points.clear();
                chunk::decode_some(blob(row, 1)?, times, &mut points)?;
                let all = outline.unwrap_or_else(|| points.chunks(chunk::STRETCH).filter_map(Stretch::of).collect());
                for (s, points) in all.iter().zip(points.chunks(chunk::STRETCH)) {
                    if buckets.holds(s) {
                        buckets.put(s);
                    } else {
                        buckets.loose(points);
                    }
                }
            }
            if buckets.backwards {
                return Ok(bucketed(self.series_points(id)?, along, range, n));
            }
        }
        buckets.loose(&tail);
        if buckets.backwards {
            return Ok(bucketed(self.series_points(id)?, along, range, n));
        }
        Ok(buckets.done())
    }

    /// What each computer signed of the metrics of a run, or of one of them, but for some computers.
    fn parts(&self, run: i64, key: Option<&str>, without: &[String]) -> Result<Vec<MetricPart>, StoreError> {
        let (from, to) = key.map_or((String::new(), "\u{10ffff}".to_owned()), |key| (format!("{key}{PART}"), format!("{key} ")));
        let mut cells = self.prepare_cached(
            "SELECT key, value FROM cell WHERE record = ?1 AND field = 'metric' AND key >= ?2 AND key < ?3 AND value IS NOT NULL",
        )?;
        let mut rows = cells.query(params![run, from, to])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let Some((key, device)) = name.rsplit_once(PART) else { continue };
            if without.iter().any(|own| own == device) {
                continue;
            }
            let Ok(signed) = serde_json::from_str::<Signed>(row.get_ref(1)?.as_str()?) else { continue };
            let (step, ts, last) = signed.last;
            // A single point is its own outline.
            let outline = if signed.outline.is_empty() { vec![signed.last] } else { signed.outline };
            let bound = |v: Num| Some(v.0).filter(|v| !v.is_nan());
            found.push(MetricPart {
                key: key.to_owned(),
                device: device.to_owned(),
                summary: Summary {
                    key: key.to_owned(),
                    count: signed.count,
                    last: Point { step, ts, value: last.0 },
                    min: bound(signed.min),
                    max: bound(signed.max),
                },
                outline,
            });
        }
        if found.len() < 2 {
            return Ok(found);
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
        let Some(run) = self.number_of(Kind::Run, run)? else { return Ok(Vec::new()) };
        let series = self.own_series(run, None)?;
        let names = if series.is_empty() { Vec::new() } else { self.own_names()? };
        Ok(joined(series, self.parts(run, None, &[])?, &names).into_values().collect())
    }

    /// What was logged here of a run's metrics, or of one.
    fn own_series(&self, run: i64, key: Option<i64>) -> Result<Vec<Summary>, StoreError> {
        let of_key = if key.is_some() { "s.key = ?2" } else { "?2 IS NULL" };
        let mut statement = self.prepare_cached(&format!(
            "SELECT k.text, s.count, s.last_step, s.last_ts, s.last_bits, s.min, s.max FROM metric_series s
             JOIN metric_name k ON k.num = s.key WHERE s.run = ?1 AND {of_key} AND s.device = 0 AND s.count > 0"
        ))?;
        let found = statement
            .query_map(params![run, key], |row| {
                let last = Point { step: row.get(2)?, ts: row.get(3)?, value: value(row.get(4)?) };
                Ok(Summary { key: row.get(0)?, count: row.get(1)?, last, min: row.get(5)?, max: row.get(6)? })
            })?
            .collect::<Result<_, _>>()?;
        Ok(found)
    }
}

/// What a curve is followed along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    Step,
    /// Milliseconds since 1970.
    Time,
}

impl Along {
    /// Where a point lies.
    pub fn of(self, p: &Point) -> i64 {
        if self == Self::Step { p.step } else { p.ts }
    }

    fn ends(self, s: &Stretch) -> (i64, i64) {
        if self == Self::Step { (s.first_step, s.last_step) } else { (s.first_ts, s.last_ts) }
    }

    /// The columns of a chunk that bound it.
    fn columns(self) -> (&'static str, &'static str) {
        if self == Self::Step { ("first_step", "last_step") } else { ("first_ts", "last_ts") }
    }
}

/// How exactly stretches end where they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    Exact,
    /// Up to half of their width beside it, and without the times of points over steps: for pictures, where a stretch is
    /// a pixel. Much cheaper, as few points are unpacked.
    Near,
}

/// Any points in stretches of equal width.
fn bucketed(mut points: Vec<Point>, along: Along, range: Option<(i64, i64)>, n: usize) -> Vec<Stretch> {
    if along == Along::Time {
        points.sort_by_key(|p| (p.ts, p.step));
    }
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let mut buckets = Buckets::new(along, range.unwrap_or((along.of(first), along.of(last))), n);
    buckets.loose(&points);
    buckets.done()
}

/// Stretches of equal width, being filled in order.
struct Buckets {
    along: Along,
    from: i64,
    to: i64,
    all: Vec<Option<Stretch>>,
    /// The widest piece that is put where it begins although it ends in the next stretch; below 0: none.
    slack: i64,
    /// What came last, and whether something came after it that lies before it.
    at: i64,
    backwards: bool,
}

impl Buckets {
    fn new(along: Along, (from, to): (i64, i64), n: usize) -> Self {
        Self { along, from, to, all: vec![None; n.max(1)], slack: -1, at: i64::MIN, backwards: false }
    }

    fn bucket(&self, at: i64) -> usize {
        let span = (i128::from(self.to) - i128::from(self.from) + 1).max(1);
        usize::try_from((i128::from(at) - i128::from(self.from)) * self.all.len() as i128 / span).unwrap_or(usize::MAX)
    }

    /// Whether it lies inside the range, and in one bucket.
    fn holds(&self, s: &Stretch) -> bool {
        let (first, last) = self.along.ends(s);
        let inside = first <= last && first >= self.from && last <= self.to;
        inside && (last.saturating_sub(first) <= self.slack || self.bucket(first) == self.bucket(last))
    }

    fn put(&mut self, s: &Stretch) {
        let (first, last) = self.along.ends(s);
        self.backwards |= first < self.at;
        self.at = last;
        let at = self.bucket(first);
        match self.all.get_mut(at) {
            Some(Some(known)) => known.extend(s),
            Some(empty) => *empty = Some(*s),
            None => {}
        }
    }

    /// Points in order, of which some may lie outside.
    fn loose(&mut self, points: &[Point]) {
        let along = self.along;
        self.backwards |= !points.is_sorted_by_key(|p| along.of(p));
        let first = points.partition_point(|p| along.of(p) < self.from);
        let last = points.partition_point(|p| along.of(p) <= self.to);
        let inside = points.get(first..last).unwrap_or_default();
        let found: Vec<Stretch> =
            inside.chunk_by(|a, b| self.bucket(along.of(a)) == self.bucket(along.of(b))).filter_map(Stretch::of).collect();
        found.iter().for_each(|s| self.put(s));
    }

    fn done(self) -> Vec<Stretch> {
        self.all.into_iter().flatten().collect()
    }
}

/// What is known here and what others signed, put together by metric. Where the points themselves are
/// here they are newer than any summary of them.
fn joined(own: Vec<Summary>, parts: Vec<MetricPart>, own_names: &[String]) -> BTreeMap<String, Summary> {
    let here: BTreeSet<String> = own.iter().map(|s| s.key.clone()).collect();
    let others = parts.into_iter().filter(|p| !(here.contains(&p.key) && own_names.contains(&p.device))).map(|p| p.summary);
    let mut found: BTreeMap<String, Summary> = BTreeMap::new();
    for part in own.into_iter().chain(others) {
        match found.entry(part.key.clone()) {
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
        }
    }
    found
}

impl Writer<'_> {
    /// Brings the rows that searches use up to date; returns how many runs had stale ones.
    pub fn freshen(&mut self) -> Result<usize, StoreError> {
        let runs: Vec<i64> = {
            let mut statement = self.prepare_cached("SELECT DISTINCT run FROM metric_stale")?;
            statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        for run in &runs {
            self.freshen_number(*run)?;
        }
        Ok(runs.len())
    }

    /// The same for one run.
    pub fn freshen_run(&mut self, run: &RunId) -> Result<(), StoreError> {
        let run = record_number(self.conn, Kind::Run, run.as_str())?;
        self.freshen_number(run)
    }

    fn freshen_number(&self, run: i64) -> Result<(), StoreError> {
        let stale: Vec<(i64, String)> = {
            let mut statement =
                self.prepare_cached("SELECT m.key, k.text FROM metric_stale m JOIN metric_name k ON k.num = m.key WHERE m.run = ?1")?;
            statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?
        };
        // One metric of a run that goes on, or all of one that came whole.
        let one = if let [(key, name)] = &stale[..] { Some((*key, name.as_str())) } else { None };
        let own = self.own_series(run, one.map(|(key, _)| key))?;
        let names = self.own_names()?;
        // Where the points are here, what this computer signed of them need not be read.
        let all_here = stale.iter().all(|(_, name)| own.iter().any(|s| s.key == *name));
        let without = if all_here { &names[..] } else { &[] };
        let mut found = joined(own, self.parts(run, one.map(|(_, name)| name), without)?, &names);
        for (key, name) in &stale {
            match found.remove(name) {
                Some(sum) => {
                    let last = Some(sum.last.value).filter(|v| !v.is_nan());
                    self.prepare_cached(
                        "INSERT OR REPLACE INTO run_metric (run, key, value, step, ts, count, min, max) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![run, key, last, sum.last.step, sum.last.ts, sum.count, sum.min, sum.max])?;
                }
                None => {
                    self.prepare_cached("DELETE FROM run_metric WHERE run = ?1 AND key = ?2")?.execute([run, *key])?;
                }
            }
        }
        self.prepare_cached("DELETE FROM metric_stale WHERE run = ?1")?.execute([run])?;
        Ok(())
    }
}

fn blob<'r>(row: &'r rusqlite::Row<'_>, at: usize) -> Result<&'r [u8], StoreError> {
    Ok(row.get_ref(at)?.as_blob()?)
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
        assert!(later(&at(1, 1, f64::NAN), &at(1, 1, -1.0)), "a NaN counts as zero here, as in MLflow");
        assert!(!later(&at(1, 1, f64::NAN), &at(1, 1, 0.0)) && later(&at(1, 1, 0.0), &at(1, 1, f64::NAN)));
    }
}
