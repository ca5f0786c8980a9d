//! Metric segments: own points on their way to others, and those of others that came here.

use crate::StoreError;
use crate::chunk::place;
use crate::metrics::{OUTLINE, OWN, Point, bits, value};
use crate::records::{device_number, record_number};
use crate::store::Reader;
use crate::writer::Writer;
use cairn_core::fold::PART;
use cairn_core::id::{DeviceId, Digest, RunId};
use cairn_core::op::{Kind, Op};
use rusqlite::params;
use std::collections::BTreeMap;

/// How many segments one volume (one branch) holds at most, and how many bytes.
const VOLUME_SEGMENTS: u64 = 64;
const VOLUME_BYTES: u64 = 64 * 1024 * 1024;
/// How many runs one segment serves at most: its operation names each.
const RUNS_MAX: usize = 500;
/// Points of a run that is still running travel once there are this many of a metric.
const RUNNING_MIN: u64 = 10_000;

/// Own points that are in no segment yet: run, metric, points by step, time and value.
#[derive(Debug, Clone, Default)]
pub struct Unpacked {
    pub series: Vec<UnpackedSeries>,
    /// Whether more wait.
    pub more: bool,
}

#[derive(Debug, Clone)]
pub struct UnpackedSeries {
    id: i64,
    pub run: RunId,
    pub key: String,
    pub points: Vec<Point>,
}

/// Where to get the points of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRef {
    pub device: DeviceId,
    pub digest: Digest,
    pub volume: u32,
    pub bytes: u64,
    /// How many points of the run it holds.
    pub points: u64,
    pub here: bool,
}

/// An own segment that others do not have yet.
#[derive(Debug, Clone)]
pub struct OwnSegment {
    pub device: String,
    pub digest: Digest,
    pub volume: u32,
    pub bytes: Vec<u8>,
}

impl Reader<'_> {
    /// Own points that are ready for a segment, at most `limit`. Metrics whose outline holds every
    /// point need none.
    pub fn unpacked(&self, limit: usize) -> Result<Unpacked, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT s.id, r.id, k.text, s.mark_step, s.mark_ts, s.mark_bits FROM metric_series s
             JOIN run r ON r.num = s.run JOIN metric_name k ON k.num = s.key
             WHERE s.device = 0 AND s.count <> s.packed AND s.count > ?1
               AND (s.count - s.packed >= ?2 OR r.status NOT IN ('', 'RUNNING'))
             ORDER BY r.id, k.text",
        )?;
        let mut rows = statement.query(params![OUTLINE as u64, RUNNING_MIN])?;
        let mut found = Unpacked::default();
        let (mut left, mut runs) = (limit, 0);
        while let Some(row) = rows.next()? {
            let run = RunId::parse(row.get::<_, String>(1)?).map_err(|e| StoreError::Line(e.to_string()))?;
            if found.series.last().is_none_or(|s| s.run != run) {
                runs += 1;
            }
            if left == 0 || runs > RUNS_MAX {
                found.more = true;
                break;
            }
            let id: i64 = row.get(0)?;
            let mark = match row.get::<_, Option<i64>>(3)? {
                Some(step) => Some((step, row.get(4)?, row.get(5)?)),
                None => None,
            };
            let points = self.unpacked_points(id, mark, left)?;
            left -= points.len();
            found.series.push(UnpackedSeries { id, run, key: row.get(2)?, points });
        }
        Ok(found)
    }

    fn unpacked_points(&self, series: i64, mark: Option<(i64, i64, i64)>, limit: usize) -> Result<Vec<Point>, StoreError> {
        let point = |row: &rusqlite::Row<'_>| Ok(Point { step: row.get(0)?, ts: row.get(1)?, value: value(row.get(2)?) });
        let mut late = self.prepare_cached("SELECT step, ts, bits FROM metric_late WHERE series = ?1 ORDER BY step, ts, bits LIMIT ?2")?;
        let mut points = late.query_map(params![series, limit as u64], point)?.collect::<Result<Vec<_>, _>>()?;
        let mut news = self.points_after(series, mark)?;
        news.truncate(limit - points.len());
        points.extend(news);
        points.sort_by_key(place);
        Ok(points)
    }

    /// The segments that hold points of a run which other computers logged.
    pub fn segments_of(&self, run: &str) -> Result<Vec<SegmentRef>, StoreError> {
        let own = self.own_names()?;
        let mut statement = self.prepare_cached(
            "SELECT r.id, c.key, c.value, EXISTS (SELECT 1 FROM segment s WHERE s.digest = r.id AND s.device = substr(c.key, ?3)) FROM cell c
             JOIN record r ON r.num = c.record AND r.kind = 'segment'
             WHERE c.field = 'run' AND c.key > ?1 AND c.key < ?2 AND c.value IS NOT NULL ORDER BY r.id, c.key",
        )?;
        let prefix = format!("{run}{PART}");
        let end = format!("{run} ");
        let mut rows = statement.query(params![prefix, end, prefix.chars().count() as u64 + 1])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (digest, key, value): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let device = key.strip_prefix(&prefix).unwrap_or_default();
            let value: serde_json::Value = serde_json::from_str(&value).unwrap_or_default();
            let (Ok(device), Ok(digest)) = (DeviceId::parse(device), Digest::parse(digest)) else { continue };
            if own.iter().any(|name| name == device.as_str()) {
                continue;
            }
            found.push(SegmentRef {
                device,
                digest,
                volume: value["volume"].as_u64().and_then(|v| u32::try_from(v).ok()).unwrap_or(0),
                bytes: value["bytes"].as_u64().unwrap_or(0),
                points: value["points"].as_u64().unwrap_or(0),
                here: row.get(3)?,
            });
        }
        Ok(found)
    }

    /// Own segments that are not in the shared place yet.
    pub fn unshared_segments(&self) -> Result<Vec<OwnSegment>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT device, digest, volume, bytes FROM segment WHERE bytes IS NOT NULL ORDER BY device, volume, at_ms, digest",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let digest = Digest::parse(row.get::<_, String>(1)?).map_err(|e| StoreError::Line(e.to_string()))?;
            found.push(OwnSegment { device: row.get(0)?, digest, volume: row.get(2)?, bytes: row.get(3)? });
        }
        Ok(found)
    }

    /// The volumes of this computer whose newest segment is older than a moment.
    pub fn volumes_before(&self, device: &DeviceId, moment_ms: i64) -> Result<Vec<u32>, StoreError> {
        let mut statement =
            self.prepare_cached("SELECT volume FROM segment WHERE device = ?1 GROUP BY volume HAVING max(at_ms) < ?2 ORDER BY volume")?;
        let found = statement.query_map(params![device.as_str(), moment_ms], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    fn next_volume(&self, device: &DeviceId, size: u64) -> Result<u32, StoreError> {
        let (volume, count, bytes): (u32, u64, u64) = self
            .prepare_cached(
                "SELECT volume, count(*), sum(size) FROM segment WHERE device = ?1 GROUP BY volume ORDER BY volume DESC LIMIT 1",
            )?
            .query_row([device.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .or_else(|e| if e == rusqlite::Error::QueryReturnedNoRows { Ok((1, 0, 0)) } else { Err(e) })?;
        Ok(if count >= VOLUME_SEGMENTS || bytes + size > VOLUME_BYTES { volume + 1 } else { volume })
    }
}

impl Writer<'_> {
    /// Keeps a segment that was made of own points and says so in the log.
    pub fn packed(&mut self, digest: &Digest, bytes: &[u8], unpacked: &Unpacked) -> Result<(), StoreError> {
        let device = self.author_device().clone();
        let size = bytes.len() as u64;
        let volume = self.next_volume(&device, size)?;
        self.execute(
            "INSERT OR IGNORE INTO segment (device, digest, volume, size, bytes, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![device.as_str(), digest.as_str(), volume, size, bytes, self.edge().now_ms()],
        )?;
        let mut runs: BTreeMap<RunId, u64> = BTreeMap::new();
        for series in &unpacked.series {
            let Some(last) = series.points.last() else { continue };
            *runs.entry(series.run.clone()).or_default() += series.points.len() as u64;
            let mut unlate = self.prepare_cached("DELETE FROM metric_late WHERE series = ?1 AND step = ?2 AND ts = ?3 AND bits = ?4")?;
            for p in &series.points {
                unlate.execute(params![series.id, p.step, p.ts, bits(p.value)])?;
            }
            drop(unlate);
            self.execute(
                "UPDATE metric_series SET packed = packed + ?2,
                   (mark_step, mark_ts, mark_bits) = (SELECT step, ts, bits FROM
                     (SELECT ?3 AS step, ?4 AS ts, ?5 AS bits UNION ALL
                      SELECT mark_step, mark_ts, mark_bits FROM metric_series WHERE id = ?1 AND mark_step IS NOT NULL)
                     ORDER BY step DESC, ts DESC, bits DESC LIMIT 1)
                 WHERE id = ?1",
                params![series.id, series.points.len() as u64, last.step, last.ts, bits(last.value)],
            )?;
        }
        self.append(Op::SegmentStored { segment: digest.clone(), volume, bytes: size, runs })?;
        Ok(())
    }

    /// Forgets the bytes of own segments of a volume: the shared place holds them.
    pub fn segments_shared(&mut self, device: &str, volume: u32) -> Result<(), StoreError> {
        self.execute("UPDATE segment SET bytes = NULL WHERE device = ?1 AND volume = ?2", params![device, volume])?;
        Ok(())
    }

    /// Takes in the points of a segment that another computer stored.
    pub fn take_segment<'k>(
        &mut self,
        segment: &SegmentRef,
        points: impl IntoIterator<Item = (&'k str, &'k str, Point)>,
    ) -> Result<(), StoreError> {
        let named: Vec<String> = {
            let number = record_number(self.conn, Kind::Segment, segment.digest.as_str())?;
            let mut statement = self.prepare_cached("SELECT key FROM cell WHERE record = ?1 AND field = 'run'")?;
            statement.query_map([number], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        let mut series: BTreeMap<(&str, &str), Vec<Point>> = BTreeMap::new();
        for (run, key, point) in points {
            series.entry((run, key)).or_default().push(point);
        }
        let device = device_number(self.conn, segment.device.as_str())?;
        for ((run, key), points) in series {
            // Only of runs that the signed operation names.
            if named.contains(&format!("{run}{PART}{}", segment.device)) {
                let run = RunId::parse(run).map_err(|e| StoreError::Line(e.to_string()))?;
                self.touch_record(Kind::Run, run.as_str());
                let run = record_number(self.conn, Kind::Run, run.as_str())?;
                self.log_series(run, key, device, points)?;
            }
        }
        self.execute(
            "INSERT OR IGNORE INTO segment (device, digest, volume, size, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![segment.device.as_str(), segment.digest.as_str(), segment.volume, segment.bytes, self.edge().now_ms()],
        )?;
        self.touch("metric");
        self.touch("run");
        Ok(())
    }

    /// Own points of a segment that nobody can get any more go into another one.
    pub fn unpack(&mut self, digest: &Digest, runs: impl IntoIterator<Item = RunId>) -> Result<(), StoreError> {
        self.execute("DELETE FROM segment WHERE digest = ?1", [digest.as_str()])?;
        for run in runs {
            let run = record_number(self.conn, Kind::Run, run.as_str())?;
            self.execute("DELETE FROM metric_late WHERE series IN (SELECT id FROM metric_series WHERE run = ?1 AND device = 0)", [run])?;
            self.execute(
                "UPDATE metric_series SET packed = 0, mark_step = NULL, mark_ts = NULL, mark_bits = NULL WHERE run = ?1 AND device = 0",
                [run],
            )?;
        }
        Ok(())
    }

    /// Forgets the points that came from other computers before a moment; their outlines stay, and the
    /// points can be got again while the shared place has them.
    pub fn forget_fetched(&mut self, moment_ms: i64) -> Result<u64, StoreError> {
        let own = serde_json::json!(self.own_names()?).to_string();
        let devices = "SELECT DISTINCT device FROM segment WHERE at_ms < ?1 AND device NOT IN (SELECT value FROM json_each(?2))";
        let series = format!(
            "SELECT s.id FROM metric_series s JOIN device_name d ON d.num = s.device WHERE s.device <> {OWN} AND d.id IN ({devices})"
        );
        let gone: u64 = self.query_row(
            &format!("SELECT coalesce(sum(count), 0) FROM metric_series WHERE id IN ({series})"),
            params![moment_ms, own],
            |row| row.get(0),
        )?;
        for table in ["metric_part", "metric_chunk"] {
            self.execute(&format!("DELETE FROM {table} WHERE series IN ({series})"), params![moment_ms, own])?;
        }
        self.execute(&format!("DELETE FROM metric_series WHERE id IN ({series})"), params![moment_ms, own])?;
        self.execute(&format!("DELETE FROM segment WHERE device IN ({devices})"), params![moment_ms, own])?;
        self.touch("metric");
        self.touch_all_records();
        Ok(gone)
    }
}
