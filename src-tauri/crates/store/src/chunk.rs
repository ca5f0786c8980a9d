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

/// Reads what [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8], out: &mut Vec<Point>) -> Result<(), StoreError> {
    let (kind, mut rest) = bytes.split_first().ok_or_else(|| damaged("is empty"))?;
    match *kind {
        AS_IS => return read_plain(rest, out),
        PCO => {}
        other => return Err(damaged(&format!("is of kind {other}, which this program does not know"))),
    }
    let unpack = |_| damaged("cannot be unpacked");
    let mut column = || {
        let (length, tail) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("is cut"))?;
        let length = u32::from_le_bytes(*length) as usize;
        let (column, tail) = tail.split_at_checked(length).ok_or_else(|| damaged("is cut"))?;
        rest = tail;
        simple_decompress::<i64>(column).map_err(unpack)
    };
    let (steps, times) = (column()?, column()?);
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
    pub count: u64,
    /// Over the finite values; `min > max` if there is none.
    pub min: f64,
    pub max: f64,
    /// The value of the last point, whatever it is.
    pub last: f64,
    pub nan: bool,
    pub infinite: bool,
}

impl Stretch {
    pub fn of(points: &[Point]) -> Option<Self> {
        let (first, last) = (points.first()?, points.last()?);
        let mut stretch = Self {
            first_step: first.step,
            last_step: last.step,
            count: points.len() as u64,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            last: last.value,
            nan: false,
            infinite: false,
        };
        for p in points {
            if p.value.is_nan() {
                stretch.nan = true;
            } else if p.value.is_infinite() {
                stretch.infinite = true;
            } else {
                stretch.min = stretch.min.min(p.value);
                stretch.max = stretch.max.max(p.value);
            }
        }
        Some(stretch)
    }

    /// Adds what comes after it.
    pub fn extend(&mut self, next: &Self) {
        self.last_step = next.last_step;
        self.count += next.count;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.last = next.last;
        self.nan |= next.nan;
        self.infinite |= next.infinite;
    }
}

/// Bytes of a stretch in an outline.
const STRETCH_BYTES: usize = 49;

/// The outline of a chunk: its stretches one after the other.
pub(crate) fn outline(points: &[Point]) -> Vec<u8> {
    let mut out = Vec::with_capacity(points.len().div_ceil(STRETCH) * STRETCH_BYTES);
    for s in points.chunks(STRETCH).filter_map(Stretch::of) {
        out.extend(s.first_step.to_le_bytes());
        out.extend(s.last_step.to_le_bytes());
        out.extend(s.count.to_le_bytes());
        for v in [s.min, s.max, s.last] {
            out.extend(v.to_bits().to_le_bytes());
        }
        out.push(u8::from(s.nan) | u8::from(s.infinite) << 1);
    }
    out
}

/// Reads what [`outline`] wrote.
pub(crate) fn stretches(bytes: &[u8]) -> Result<Vec<Stretch>, StoreError> {
    let (all, rest) = bytes.as_chunks::<STRETCH_BYTES>();
    if !rest.is_empty() {
        return Err(damaged("has an outline that is cut"));
    }
    let word = |b: &[u8]| b.try_into().map_or(0, u64::from_le_bytes);
    Ok(all
        .iter()
        .map(|b| Stretch {
            first_step: word(&b[..8]).cast_signed(),
            last_step: word(&b[8..16]).cast_signed(),
            count: word(&b[16..24]),
            min: f64::from_bits(word(&b[24..32])),
            max: f64::from_bits(word(&b[32..40])),
            last: f64::from_bits(word(&b[40..48])),
            nan: b[48] & 1 != 0,
            infinite: b[48] & 2 != 0,
        })
        .collect())
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
        let read = stretches(&outline(&points)).unwrap();
        assert_eq!(read.iter().map(|s| s.count).sum::<u64>(), 700);
        assert!(read[1].nan && !read[0].nan && read[1].max == 99.0);
        assert!(read[2].infinite && read[2].last.is_infinite() && read[2].max.is_finite());
    }
}
