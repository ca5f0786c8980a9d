//! Metric segments: the points of many runs in one Parquet file that any tool can read.
//!
//! Columns: `run` and `metric` (text), `step`, `time_ms` (whole numbers), `value` (double, every bit
//! kept, NaN and infinities too), sorted in that order. A signed operation names the file by its
//! sha256, so what is read here is what was written; still nothing is read before its size is known.

use bytes::Bytes;
use parquet::basic::{Compression, ConvertedType, Encoding, Repetition, Type as Physical, ZstdLevel};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, DataType};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The most points of one segment.
pub const POINTS_MAX: usize = 50_000;
/// The largest segment, in bytes.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most that its columns may unfold to, in bytes.
const UNFOLDED_MAX: i64 = 64 * 1024 * 1024;

/// One point of a metric of a run.
#[derive(Debug, Clone)]
pub struct SegmentPoint {
    pub run: String,
    pub metric: String,
    pub step: i64,
    /// Milliseconds since 1970.
    pub time_ms: i64,
    pub value: f64,
}

impl PartialEq for SegmentPoint {
    fn eq(&self, other: &Self) -> bool {
        (&self.run, &self.metric, self.step, self.time_ms, self.value.to_bits())
            == (&other.run, &other.metric, other.step, other.time_ms, other.value.to_bits())
    }
}

/// Why a file is no segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    #[error("the segment is larger than allowed")]
    Limit,
    #[error("the segment is no Parquet file of points: {0}")]
    Form(String),
}

impl From<parquet::errors::ParquetError> for SegmentError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Form(error.to_string())
    }
}

const COLUMNS: [&str; 5] = ["run", "metric", "step", "time_ms", "value"];

/// Writes points, which must be sorted by run, metric, step and time. The same points give the same bytes.
pub fn encode(points: &[SegmentPoint]) -> Result<Vec<u8>, SegmentError> {
    let text = |name: &str| {
        let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_repetition(Repetition::REQUIRED);
        column.with_converted_type(ConvertedType::UTF8).build().map(Arc::new)
    };
    let plain =
        |name: &str, physical| Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED).build().map(Arc::new);
    let fields = vec![
        text("run")?,
        text("metric")?,
        plain("step", Physical::INT64)?,
        plain("time_ms", Physical::INT64)?,
        plain("value", Physical::DOUBLE)?,
    ];
    let schema = Arc::new(Type::group_type_builder("cairn_points").with_fields(fields).build()?);
    let column = |name: &str| ColumnPath::from(name);
    let properties = WriterProperties::builder()
        .set_created_by("cairn".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(9)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_dictionary_enabled(column("step"), false)
        .set_column_dictionary_enabled(column("time_ms"), false)
        .set_column_dictionary_enabled(column("value"), false)
        .set_column_encoding(column("step"), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(column("time_ms"), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(column("value"), Encoding::BYTE_STREAM_SPLIT)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let mut at = 0;
    while let Some(mut column) = group.next_column()? {
        match column.untyped() {
            ColumnWriter::ByteArrayColumnWriter(w) => {
                let pick = |p: &SegmentPoint| ByteArray::from(if at == 0 { p.run.as_str() } else { p.metric.as_str() });
                w.write_batch(&points.iter().map(pick).collect::<Vec<_>>(), None, None)?;
            }
            ColumnWriter::Int64ColumnWriter(w) => {
                let pick = |p: &SegmentPoint| if at == 2 { p.step } else { p.time_ms };
                w.write_batch(&points.iter().map(pick).collect::<Vec<_>>(), None, None)?;
            }
            ColumnWriter::DoubleColumnWriter(w) => {
                w.write_batch(&points.iter().map(|p| p.value).collect::<Vec<_>>(), None, None)?;
            }
            _ => return Err(SegmentError::Form("a column of another type".to_owned())),
        }
        column.close()?;
        at += 1;
    }
    group.close()?;
    Ok(writer.into_inner()?)
}

/// Reads a segment. Never more than the limits allow, whatever the file says of itself. A panic of the
/// library is an error as any other: it is given what strangers wrote.
pub fn decode(bytes: &[u8]) -> Result<Vec<SegmentPoint>, SegmentError> {
    catch_unwind(AssertUnwindSafe(|| unfold(bytes))).unwrap_or_else(|_| Err(SegmentError::Form("it is malformed".to_owned())))
}

fn unfold(bytes: &[u8]) -> Result<Vec<SegmentPoint>, SegmentError> {
    if bytes.len() > BYTES_MAX {
        return Err(SegmentError::Limit);
    }
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes))?;
    let meta = reader.metadata();
    let names: Vec<&str> = meta.file_metadata().schema_descr().columns().iter().map(|c| c.name()).collect();
    if names != COLUMNS {
        return Err(SegmentError::Form(format!("its columns are {}", names.join(", "))));
    }
    let rows = meta.file_metadata().num_rows();
    let unfolded: i64 = meta.row_groups().iter().map(|g| g.total_byte_size()).sum();
    if !(0..=POINTS_MAX as i64).contains(&rows) || !(0..=UNFOLDED_MAX).contains(&unfolded) {
        return Err(SegmentError::Limit);
    }
    let mut points = Vec::new();
    for g in 0..reader.num_row_groups() {
        let group = reader.get_row_group(g)?;
        let count =
            usize::try_from(group.metadata().num_rows()).ok().filter(|n| points.len() + n <= POINTS_MAX).ok_or(SegmentError::Limit)?;
        let columns = (0..COLUMNS.len()).map(|i| read(group.get_column_reader(i)?, count)).collect::<Result<Vec<_>, _>>()?;
        let [Column::Text(run), Column::Text(metric), Column::Whole(step), Column::Whole(time), Column::Double(value)] = columns.as_slice()
        else {
            return Err(SegmentError::Form("a column of another type".to_owned()));
        };
        for i in 0..count {
            points.push(SegmentPoint { run: run[i].clone(), metric: metric[i].clone(), step: step[i], time_ms: time[i], value: value[i] });
        }
    }
    Ok(points)
}

enum Column {
    Text(Vec<String>),
    Whole(Vec<i64>),
    Double(Vec<f64>),
}

fn read(reader: ColumnReader, count: usize) -> Result<Column, SegmentError> {
    Ok(match reader {
        ColumnReader::ByteArrayColumnReader(r) => {
            let text = |v: &ByteArray| v.as_utf8().map(str::to_owned);
            Column::Text(all(r, count)?.iter().map(text).collect::<Result<_, _>>()?)
        }
        ColumnReader::Int64ColumnReader(r) => Column::Whole(all(r, count)?),
        ColumnReader::DoubleColumnReader(r) => Column::Double(all(r, count)?),
        _ => return Err(SegmentError::Form("a column of another type".to_owned())),
    })
}

fn all<T: DataType>(mut reader: ColumnReaderImpl<T>, count: usize) -> Result<Vec<T::T>, SegmentError> {
    let mut values = Vec::new();
    while values.len() < count {
        if reader.read_records(count - values.len(), None, None, &mut values)?.1 == 0 {
            return Err(SegmentError::Form("a column is shorter than the others".to_owned()));
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(metric: &str, step: i64, value: f64) -> SegmentPoint {
        SegmentPoint {
            run: "r1".into(),
            metric: metric.into(),
            step,
            time_ms: 1_795_000_000_000_i64.wrapping_add(step.wrapping_mul(137)),
            value,
        }
    }

    #[test]
    fn every_bit_of_every_value_survives() {
        let mut points: Vec<SegmentPoint> = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.1, f64::MIN_POSITIVE, f64::MAX, 5e-324]
            .into_iter()
            .zip(0..)
            .map(|(v, i)| point("loss", i, v))
            .collect();
        points.push(point("loss", i64::MAX - 1, f64::from_bits(0x7ff8_0000_0000_0001)));
        points.push(point("\u{440}\u{43e}\u{441}\u{442}/a b", i64::MIN / 2, 1.0));
        let bytes = encode(&points).unwrap();
        assert_eq!(decode(&bytes).unwrap(), points);
        assert_eq!(encode(&points).unwrap(), bytes, "the same points give the same bytes");
        assert_eq!(decode(&encode(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn a_noisy_loss_costs_less_than_six_bytes_a_point() {
        // A decaying loss with deterministic noise, as a framework with 32-bit floats logs it.
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1_u64 << 24) as f64
        };
        let points: Vec<SegmentPoint> = (0..20_000)
            .map(|i| {
                let loss = (2.0 * (-f64::from(i) / 5_000.0).exp() + 0.1 * noise()) as f32;
                SegmentPoint {
                    time_ms: 1_795_000_000_000 + i64::from(i) * 100 + (noise() * 10.0) as i64,
                    ..point("loss", i64::from(i), f64::from(loss))
                }
            })
            .collect();
        let bytes = encode(&points).unwrap().len() as f64 / points.len() as f64;
        assert!(bytes < 6.0, "{bytes} bytes a point");
    }

    #[test]
    fn whatever_is_no_segment_is_an_error_and_nothing_else() {
        let good = encode(&[point("loss", 1, 0.5), point("loss", 2, 0.25)]).unwrap();
        assert!(decode(b"").is_err());
        assert!(decode(&vec![0; BYTES_MAX + 1]).is_err());
        for cut in 0..good.len() {
            assert!(decode(&good[..cut]).is_err());
        }
        for at in 0..good.len() {
            for bit in [1, 0x40, 0x80] {
                let mut bent = good.clone();
                bent[at] ^= bit;
                // The digest catches what still reads; here it only must not panic or run away.
                let _ = decode(&bent);
            }
        }
    }
}
