//! Points as bytes: the newly logged ones plain, the others in compressed chunks with an outline.
//!
//! A chunk holds up to [`CHUNK`] points in order. Its three columns (step, time, value) are pco
//! streams; what pco gives back is what went in, to the last bit of a NaN.

use crate::StoreError;
use crate::metrics::{Point, bits, value};
use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

/// Points in a full chunk.
pub(crate) const CHUNK: usize = 2_048;
/// Points in a stretch of the outline.
pub(crate) const STRETCH: usize = 256;
/// A point on its own: step, time, bits.
const PLAIN: usize = 24;
/// Below this a pco header costs more than it saves.
const FEW: usize = 8;

const AS_IS: u8 = 0;
const PCO: u8 = 1;

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("a chunk of metric points {what}"))
}

/// The order of points within a series.
pub(crate) fn place(p: &Point) -> (i64, i64, i64) {
    (p.step, p.ts, bits(p.value))
}

/// Points as they are, 24 bytes each.
pub(crate) fn plain(points: &[Point]) -> Vec<u8> {
    let mut out = Vec::with_capacity(points.len() * PLAIN);
    for p in points {
        let (step, ts, bits) = place(p);
        out.extend_from_slice(&step.to_le_bytes());
        out.extend_from_slice(&ts.to_le_bytes());
        out.extend_from_slice(&bits.to_le_bytes());
    }
    out
}

/// Reads what [`plain`] wrote.
pub(crate) fn read_plain(bytes: &[u8], out: &mut Vec<Point>) -> Result<(), StoreError> {
    let (points, rest) = bytes.as_chunks::<PLAIN>();
    if !rest.is_empty() {
        return Err(damaged("ends in the middle of a point"));
    }
    let number = |b: &[u8]| b.try_into().map_or(0, i64::from_le_bytes);
    out.extend(points.iter().map(|p| Point { step: number(&p[..8]), ts: number(&p[8..16]), value: value(number(&p[16..])) }));
    Ok(())
}

/// Compresses points that are in order.
pub(crate) fn encode(points: &[Point]) -> Result<Vec<u8>, StoreError> {
    if points.len() < FEW {
        let mut out = vec![AS_IS];
        out.extend(plain(points));
        return Ok(out);
    }
    let config = ChunkConfig::default().with_compression_level(6);
    let pack = |e: pco::errors::PcoError| StoreError::Io(std::io::Error::other(e.to_string()));
    let steps: Vec<i64> = points.iter().map(|p| p.step).collect();
    let times: Vec<i64> = points.iter().map(|p| p.ts).collect();
    let values: Vec<f64> = points.iter().map(|p| p.value).collect();
    let steps = simple_compress(&steps, &config).map_err(pack)?;
    let times = simple_compress(&times, &config).map_err(pack)?;
    let mut out = vec![PCO];
    for column in [&steps, &times] {
        out.extend(u32::try_from(column.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend(column);
    }
    out.extend(simple_compress(&values, &config).map_err(pack)?);
    Ok(out)
}

/// Whether times are wanted too; a third of the work of unpacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Read,
    /// They are 0.
    Skipped,
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8], out: &mut Vec<Point>) -> Result<(), StoreError> {
    decode_some(bytes, Times::Read, out)
}

pub(crate) fn decode_some(bytes: &[u8], times: Times, out: &mut Vec<Point>) -> Result<(), StoreError> {
    let (kind, mut rest) = bytes.split_first().ok_or_else(|| damaged("is empty"))?;
    match *kind {
        AS_IS => return read_plain(rest, out),
        PCO => {}
        other => return Err(damaged(&format!("is of kind {other}, which this program does not know"))),
    }
    let unpack = |_| damaged("cannot be unpacked");
    let mut column = || -> Result<&[u8], StoreError> {
        let (length, tail) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("is cut"))?;
        let length = u32::from_le_bytes(*length) as usize;
        let (column, tail) = tail.split_at_checked(length).ok_or_else(|| damaged("is cut"))?;
        rest = tail;
        Ok(column)
    };
    let (steps, stamps) = (column()?, column()?);
    let steps = simple_decompress::<i64>(steps).map_err(unpack)?;
    let times = match times {
        Times::Read => simple_decompress::<i64>(stamps).map_err(unpack)?,
        Times::Skipped => vec![0; steps.len()],
    };
    let values = simple_decompress::<f64>(rest).map_err(unpack)?;
    if steps.len() != times.len() || steps.len() != values.len() {
        return Err(damaged("has columns of different lengths"));
    }
    out.extend(steps.into_iter().zip(times).zip(values).map(|((step, ts), value)| Point { step, ts, value }));
    Ok(())
}

/// What a chart needs to know of neighbouring points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    pub first_step: i64,
    pub last_step: i64,
    /// When the first and the last of them were logged, milliseconds since 1970.
    pub first_ts: i64,
    pub last_ts: i64,
    pub count: u64,
    /// How many of the values are finite.
    pub numbers: u64,
    /// Over the finite values; `min > max` if there is none.
    pub min: f64,
    pub max: f64,
    /// Over the finite values, to seven digits of where it lies between `min` and `max`.
    pub mean: f64,
    /// The value of the last point, whatever it is.
    pub last: f64,
    pub nan: bool,
    /// Whether a value is infinite, upwards and downwards.
    pub above: bool,
    pub below: bool,
}

impl Stretch {
    pub fn of(points: &[Point]) -> Option<Self> {
        let (first, last) = (points.first()?, points.last()?);
        let mut stretch = Self {
            first_step: first.step,
            last_step: last.step,
            first_ts: first.ts,
            last_ts: last.ts,
            count: points.len() as u64,
            numbers: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            mean: 0.0,
            last: last.value,
            nan: false,
            above: false,
            below: false,
        };
        for p in points {
            if p.value.is_nan() {
                stretch.nan = true;
            } else if p.value.abs() >= f64::MAX {
                // MLflow's servers write infinity as the greatest double.
                stretch.above |= p.value > 0.0;
                stretch.below |= p.value < 0.0;
            } else {
                stretch.numbers += 1;
                stretch.min = stretch.min.min(p.value);
                stretch.max = stretch.max.max(p.value);
                // Step by step: a sum of huge values overflows, a mean does not.
                let part = 1.0 / stretch.numbers as f64;
                stretch.mean = stretch.mean * (1.0 - part) + p.value * part;
            }
        }
        Some(stretch)
    }

    /// Adds what comes after it.
    pub fn extend(&mut self, next: &Self) {
        self.last_step = next.last_step;
        self.last_ts = next.last_ts;
        self.count += next.count;
        let numbers = self.numbers + next.numbers;
        if next.numbers > 0 {
            let part = next.numbers as f64 / numbers as f64;
            self.mean = self.mean * (1.0 - part) + next.mean * part;
        }
        self.numbers = numbers;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.last = next.last;
        self.nan |= next.nan;
        self.above |= next.above;
        self.below |= next.below;
    }
}

/// Begins an outline as it is written now; before, outlines were multiples of 49 bytes, which this is not.
const OUTLINE_MARK: u8 = 0xc2;
/// Bytes of a stretch whose length is fixed.
const FIXED: usize = 33;

/// A number in as few bytes as it needs (LEB128 of the zigzag).
fn put_varint(out: &mut Vec<u8>, v: i64) {
    let mut rest = ((v << 1) ^ (v >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

/// The outline of a chunk: its stretches one after the other. Small, so that SQLite keeps it on the page of the row:
/// a chart of ten million points reads five thousand of them.
pub(crate) fn outline(points: &[Point]) -> Vec<u8> {
    let mut out = vec![OUTLINE_MARK];
    let (mut step, mut ts) = (0_i64, 0_i64);
    for s in points.chunks(STRETCH).filter_map(Stretch::of) {
        put_varint(&mut out, s.first_step.wrapping_sub(step));
        put_varint(&mut out, s.last_step.wrapping_sub(s.first_step));
        put_varint(&mut out, s.first_ts.wrapping_sub(ts));
        put_varint(&mut out, s.last_ts.wrapping_sub(s.first_ts));
        (step, ts) = (s.last_step, s.last_ts);
        out.extend((s.count as u16).to_le_bytes());
        out.extend((s.numbers as u16).to_le_bytes());
        for v in [s.min, s.max, s.last] {
            out.extend(v.to_bits().to_le_bytes());
        }
        // Halved: the span may be wider than the greatest double.
        let between = (s.mean / 2.0 - s.min / 2.0) / (s.max / 2.0 - s.min / 2.0);
        out.extend((if between.is_finite() { between as f32 } else { 0.0 }).to_le_bytes());
        out.push(u8::from(s.nan) | u8::from(s.above) << 1 | u8::from(s.below) << 2);
    }
    out
}

/// Reads what [`outline`] wrote; none for that of an older program, which knew less.
pub(crate) fn stretches(bytes: &[u8]) -> Result<Option<Vec<Stretch>>, StoreError> {
    let Some((&OUTLINE_MARK, mut rest)) = bytes.split_first().filter(|_| !bytes.len().is_multiple_of(49)) else {
        return Ok(None);
    };
    let cut = || damaged("has an outline that is cut");
    let (mut step, mut ts) = (0_i64, 0_i64);
    let mut all = Vec::with_capacity(CHUNK / STRETCH);
    while !rest.is_empty() {
        let mut next = || varint(&mut rest).ok_or_else(cut);
        let first_step = step.wrapping_add(next()?);
        let last_step = first_step.wrapping_add(next()?);
        let first_ts = ts.wrapping_add(next()?);
        let last_ts = first_ts.wrapping_add(next()?);
        (step, ts) = (last_step, last_ts);
        let (b, tail) = rest.split_first_chunk::<FIXED>().ok_or_else(cut)?;
        rest = tail;
        let number = |at: usize| f64::from_bits(b[at..at + 8].try_into().map_or(0, u64::from_le_bytes));
        let (min, max) = (number(4), number(12));
        let between = f64::from(b[28..32].try_into().map_or(0.0, f32::from_le_bytes));
        all.push(Stretch {
            first_step,
            last_step,
            first_ts,
            last_ts,
            count: u64::from(u16::from_le_bytes([b[0], b[1]])),
            numbers: u64::from(u16::from_le_bytes([b[2], b[3]])),
            min,
            max,
            mean: if min <= max { min * (1.0 - between) + max * between } else { 0.0 },
            last: number(20),
            nan: b[32] & 1 != 0,
            above: b[32] & 2 != 0,
            below: b[32] & 4 != 0,
        });
    }
    Ok(Some(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(count: i64) -> Vec<Point> {
        let noise = |i: i64| f64::from(((i * 7_919 % 10_007) as f32 / 10_007.0).sin());
        (0..count).map(|step| Point { step, ts: 1_700_000_000_000 + step * 137 + step * 7_919 % 31, value: noise(step) }).collect()
    }

    #[test]
    fn every_bit_of_a_value_comes_back() {
        let odd = [f64::NAN, f64::from_bits(0x7ff8_0000_dead_beef), f64::from_bits(0xfff0_0000_0000_0001), f64::INFINITY];
        let more = [f64::NEG_INFINITY, -0.0, 0.0, 5e-324, f64::MAX, f64::MIN, 1e308];
        for many in [1, FEW - 1, FEW, 300, CHUNK] {
            let mut points = noisy(many as i64);
            for (p, v) in points.iter_mut().zip(odd.iter().chain(&more).cycle()).step_by(3) {
                p.value = *v;
            }
            points.push(Point { step: i64::MAX, ts: i64::MIN, value: 1.0 });
            let mut back = Vec::new();
            decode(&encode(&points).unwrap(), &mut back).unwrap();
            assert_eq!(back, points);
            let mut back = Vec::new();
            read_plain(&plain(&points), &mut back).unwrap();
            assert_eq!(back, points);
        }
    }

    #[test]
    fn a_noisy_loss_takes_less_than_five_bytes_a_point() {
        let points = noisy(CHUNK as i64);
        let size = encode(&points).unwrap().len() + outline(&points).len();
        assert!(size < 5 * points.len(), "{} bytes a point", size as f64 / points.len() as f64);
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic() {
        let good = encode(&noisy(500)).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x55;
            let _ = decode(&bad, &mut Vec::new());
            let _ = decode(&good[..at], &mut Vec::new());
        }
        assert!(decode(&[], &mut Vec::new()).is_err());
        assert!(decode(&[9, 1, 2], &mut Vec::new()).is_err());
    }

    #[test]
    fn an_outline_keeps_bounds_and_says_what_is_no_number() {
        let mut points = noisy(700);
        points[300].value = f64::NAN;
        points[301].value = 99.0;
        points[699].value = f64::INFINITY;
        let bytes = outline(&points);
        let read = stretches(&bytes).unwrap().unwrap();
        assert_eq!(read.iter().map(|s| s.count).sum::<u64>(), 700);
        assert!(read[1].nan && !read[0].nan && read[1].max == 99.0);
        assert!(read[2].above && !read[2].below && read[2].last.is_infinite() && read[2].max.is_finite());
        for (read, made) in read.iter().zip(points.chunks(STRETCH).filter_map(Stretch::of)) {
            assert!((read.mean - made.mean).abs() < 1e-6 * (made.max - made.min));
            assert_eq!(Stretch { mean: made.mean, ..*read }, made);
        }
        assert!((0..bytes.len()).all(|n| !matches!(stretches(&bytes[..n]), Ok(Some(s)) if s.len() == 3)), "a cut outline is not believed");
    }

    #[test]
    fn an_outline_stays_beside_its_row_and_survives_the_widest_numbers() {
        let noisy = noisy(CHUNK as i64);
        assert!(outline(&noisy).len() < 400, "{}", outline(&noisy).len());
        let ends = [Point { step: i64::MIN, ts: i64::MAX, value: f64::MIN }, Point { step: i64::MAX, ts: i64::MIN, value: f64::MAX }];
        let read = stretches(&outline(&ends)).unwrap().unwrap();
        assert_eq!((read[0].first_step, read[0].last_step, read[0].first_ts, read[0].last_ts), (i64::MIN, i64::MAX, i64::MAX, i64::MIN));
        assert_eq!(read[0].mean, 0.0);
        assert_eq!(stretches(&[0; 98]).unwrap(), None, "an older program wrote 49 bytes for each stretch");
    }
}
