//! Several runs as one line: their mean, and a band that says how far they lie apart.

use crate::quantile::{quantile, sorted};
use crate::summary::Summary;

/// What the band around a mean shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Mean ± one sample standard deviation (n − 1).
    StdDev,
    /// Mean ± the standard error of the mean.
    StdErr,
    MinMax,
    /// Between two quantiles, 0 to 1, around the median instead of the mean.
    Quantiles(f64, f64),
}

/// One place of a band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub low: f64,
    pub middle: f64,
    pub high: f64,
    /// How many values it is made of.
    pub n: usize,
}

/// The band over some values of one place; values that are not finite are left out, none if none is left.
/// Of one value low, middle and high are that value.
pub fn span(values: &[f64], kind: Kind) -> Option<Span> {
    let mut all = Summary::default();
    // Scaled, so that the squares of huge values do not overflow.
    let size = values.iter().filter(|v| v.is_finite()).fold(0.0_f64, |m, v| m.max(v.abs()));
    let unit = if size > 1e100 { size } else { 1.0 };
    values.iter().filter(|v| v.is_finite()).for_each(|v| all.push(v / unit));
    if all.count == 0 {
        return None;
    }
    let n = all.count as usize;
    let around = |by: f64| Span { low: (all.mean - by) * unit, middle: all.mean * unit, high: (all.mean + by) * unit, n };
    let spread = all.std_dev().unwrap_or(0.0);
    Some(match kind {
        Kind::StdDev => around(spread),
        Kind::StdErr => around(spread / (n as f64).sqrt()),
        Kind::MinMax => Span { low: all.min * unit, middle: all.mean * unit, high: all.max * unit, n },
        Kind::Quantiles(low, high) => {
            let ordered = sorted(values.iter().copied());
            Span { low: quantile(&ordered, low), middle: quantile(&ordered, 0.5), high: quantile(&ordered, high), n }
        }
    })
}

/// A curve at some places, by straight lines between its points, which are in order of x. Nothing before its
/// first and after its last point: a run that ended says nothing of what it would have become.
pub fn at_places(points: &[(f64, f64)], places: &[f64]) -> Vec<f64> {
    let mut next = 0;
    places
        .iter()
        .map(|x| {
            while next < points.len() && points[next].0 < *x {
                next += 1;
            }
            match (next.checked_sub(1).map(|i| points[i]), points.get(next)) {
                (_, Some(b)) if b.0 == *x => b.1,
                (Some(a), Some(b)) => {
                    let part = (x - a.0) / (b.0 - a.0);
                    a.1 * (1.0 - part) + b.1 * part
                }
                _ => f64::NAN,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, low: f64, middle: f64, high: f64) {
        let s = span(&[1.0, 2.0, 4.0, 9.0, f64::NAN], kind).unwrap();
        for (found, wanted) in [(s.low, low), (s.middle, middle), (s.high, high)] {
            assert!((found - wanted).abs() < 1e-12, "{kind:?}: {s:?}");
        }
        assert_eq!(s.n, 4, "a NaN is no value");
    }

    #[test]
    fn bands_are_those_of_numpy() {
        // numpy: mean 4, std(ddof=1) 3.559026084010437, quantile .1 and .9 1.3 and 7.5
        check(Kind::StdDev, 0.440_973_915_989_563, 4.0, 7.559_026_084_010_437);
        check(Kind::StdErr, 2.220_486_957_994_781_4, 4.0, 5.779_513_042_005_218);
        check(Kind::MinMax, 1.0, 4.0, 9.0);
        check(Kind::Quantiles(0.1, 0.9), 1.3, 3.0, 7.5);
    }

    #[test]
    fn edges_of_bands() {
        assert_eq!(span(&[], Kind::StdDev), None);
        assert_eq!(span(&[f64::NAN, f64::INFINITY], Kind::MinMax), None);
        assert_eq!(span(&[3.0], Kind::StdErr), Some(Span { low: 3.0, middle: 3.0, high: 3.0, n: 1 }));
        let huge = span(&[1e308, -1e308, 1e308], Kind::StdDev).unwrap();
        assert!(huge.middle.is_finite() && huge.n == 3);
    }

    #[test]
    fn curves_of_different_steps_meet_between_their_points_only() {
        let curve = [(0.0, 0.0), (10.0, 1.0), (10.0, 2.0), (20.0, 4.0)];
        let found = at_places(&curve, &[-1.0, 0.0, 5.0, 10.0, 15.0, 20.0, 21.0]);
        assert!(found[0].is_nan() && found[6].is_nan());
        assert_eq!(&found[1..6], [0.0, 0.5, 1.0, 3.0, 4.0], "numpy.interp agrees inside");
        assert!(at_places(&[], &[1.0])[0].is_nan());
    }
}
