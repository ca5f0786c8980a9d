//! By how much one group of runs is better than another, and how sure that is.

use crate::summary::Summary;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// A difference of means with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Mean of the second minus mean of the first.
    pub mean: f64,
    pub low: f64,
    pub high: f64,
    /// Of Student's distribution.
    pub degrees: f64,
    /// Two-sided probability of a difference as large if there were none.
    pub p: f64,
}

/// Why no interval can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsure {
    /// Fewer than two values in a group, or fewer than two pairs.
    TooFew,
    /// All values are the same: there is nothing to measure chance by.
    NoSpread,
}

/// The interval of a mean (Student). `level` is 0.95 for the usual one.
pub fn mean_interval(values: &[f64], level: f64) -> Result<(f64, f64, f64), Unsure> {
    let (s, spread) = summed(values)?;
    if spread == 0.0 {
        return Err(Unsure::NoSpread);
    }
    let error = spread / (s.count as f64).sqrt();
    let reach = error * t_at(level, s.count as f64 - 1.0);
    Ok((s.mean - reach, s.mean, s.mean + reach))
}

/// The interval of a share: `hits` of `count`, by Wilson's score (J. Am. Stat. Assoc. 22, 1927). None without cases, or where
/// the hits are not among them.
pub fn wilson(hits: f64, count: f64, level: f64) -> Option<(f64, f64)> {
    if !(count >= 1.0 && (0.0..=count).contains(&hits) && (0.0..1.0).contains(&level)) {
        return None;
    }
    let z = Normal::standard().inverse_cdf(f64::midpoint(1.0, level));
    let (share, z2) = (hits / count, z * z);
    let middle = share + z2 / (2.0 * count);
    let reach = z * (share * (1.0 - share) / count + z2 / (4.0 * count * count)).sqrt();
    let whole = 1.0 + z2 / count;
    Some((((middle - reach) / whole).max(0.0), ((middle + reach) / whole).min(1.0)))
}

/// The difference of two independent groups: Welch's interval, which does not believe that both spread alike
/// (Biometrika 34, 1947), with Satterthwaite's degrees of freedom.
pub fn welch(first: &[f64], second: &[f64], level: f64) -> Result<Difference, Unsure> {
    let ((a, sa), (b, sb)) = (summed(first)?, summed(second)?);
    let (na, nb) = (a.count as f64, b.count as f64);
    let (va, vb) = (sa * sa / na, sb * sb / nb);
    if va + vb == 0.0 {
        return Err(Unsure::NoSpread);
    }
    let degrees = (va + vb).powi(2) / (va * va / (na - 1.0) + vb * vb / (nb - 1.0));
    Ok(difference(b.mean - a.mean, (va + vb).sqrt(), degrees, level))
}

/// The difference of pairs that belong together, such as the same seed or fold with both settings.
pub fn paired(first: &[f64], second: &[f64], level: f64) -> Result<Difference, Unsure> {
    let each: Vec<f64> = first.iter().zip(second).map(|(a, b)| b - a).collect();
    let (s, spread) = summed(&each)?;
    if spread == 0.0 {
        return Err(Unsure::NoSpread);
    }
    let n = s.count as f64;
    Ok(difference(s.mean, spread / n.sqrt(), n - 1.0, level))
}

fn summed(values: &[f64]) -> Result<(Summary, f64), Unsure> {
    let mut s = Summary::default();
    values.iter().for_each(|v| s.push(*v));
    let spread = s.std_dev().ok_or(Unsure::TooFew)?;
    Ok((s, spread))
}

fn difference(mean: f64, error: f64, degrees: f64, level: f64) -> Difference {
    let reach = error * t_at(level, degrees);
    let p = student(degrees).map_or(f64::NAN, |t| 2.0 * t.sf((mean / error).abs()));
    Difference { mean, low: mean - reach, high: mean + reach, degrees, p }
}

fn student(degrees: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, degrees).ok()
}

/// How many standard errors an interval of this level reaches.
fn t_at(level: f64, degrees: f64) -> f64 {
    student(degrees).map_or(f64::NAN, |t| t.inverse_cdf(f64::midpoint(1.0, level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_wilsons_interval_as_statsmodels_computes_it() {
        let (low, high) = wilson(154.0, 200.0, 0.95).unwrap();
        assert!((low - 0.706_916_956_3).abs() < 1e-9 && (high - 0.822_906_567_4).abs() < 1e-9, "{low} {high}");
        let (low, high) = wilson(0.0, 10.0, 0.95).unwrap();
        assert!(low < 1e-12 && high > 0.2, "no hit in ten tries proves little");
        assert!(wilson(3.0, 2.0, 0.95).is_none() && wilson(0.0, 0.0, 0.95).is_none() && wilson(f64::NAN, 5.0, 0.95).is_none());
    }

    fn check(found: Difference, mean: f64, low: f64, high: f64, p: f64) {
        for (f, w) in [(found.mean, mean), (found.low, low), (found.high, high), (found.p, p)] {
            assert!((f - w).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn intervals_are_those_of_scipy() {
        let (a, b) = ([0.81, 0.83, 0.80, 0.84, 0.82], [0.85, 0.88, 0.84, 0.86, 0.85]);
        // scipy.stats.ttest_ind(b, a, equal_var=False) and ttest_rel(b, a), with confidence_interval()
        check(welch(&a, &b, 0.95).unwrap(), 0.036, 0.013_399_036_475_636_62, 0.058_600_963_524_363, 0.006_289_962_171_858_014);
        check(paired(&a, &b, 0.95).unwrap(), 0.036, 0.021_842_852_230_177_283, 0.050_157_147_769_822_7, 0.002_122_883_053_839_463);
    }

    #[test]
    fn one_run_is_no_certainty() {
        assert_eq!(welch(&[0.8], &[0.9, 0.91], 0.95), Err(Unsure::TooFew));
        assert_eq!(paired(&[0.8], &[0.9], 0.95), Err(Unsure::TooFew));
        assert_eq!(welch(&[0.8, 0.8], &[0.9, 0.9], 0.95), Err(Unsure::NoSpread));
        assert_eq!(paired(&[1.0, 2.0], &[2.0, 3.0], 0.95), Err(Unsure::NoSpread));
        assert_eq!(mean_interval(&[f64::NAN, 1.0], 0.95), Err(Unsure::TooFew));
        assert_eq!(mean_interval(&[0.9, 0.9], 0.95), Err(Unsure::NoSpread));
        let (low, mean, high) = mean_interval(&[1.0, 2.0, 3.0], 0.95).unwrap();
        assert!((mean - 2.0).abs() < 1e-12 && (low + 0.484_137_7).abs() < 1e-6 && (high - 4.484_137_7).abs() < 1e-6);
    }
}
