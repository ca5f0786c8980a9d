//! Quantiles, and how values spread: boxes, histograms, densities.

/// A quantile of sorted values, between 0 and 1, by linear interpolation: Hyndman and Fan's type 7,
/// which is numpy's and R's default. NaN if there is no value.
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = at.clamp(0.0, 1.0) * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let (a, b) = (sorted[low], sorted[(low + 1).min(last)]);
    // Weighted, not `a + (b - a) * part`: a difference of two huge values overflows.
    if part == 0.0 { a } else { a * (1.0 - part) + b * part }
}

/// The finite ones of some values, in order.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut all: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
    all.sort_by(f64::total_cmp);
    all
}

/// A box as Tukey drew it (Exploratory Data Analysis, 1977): whiskers reach to the last values within
/// one and a half boxes of it, and what lies beyond stands alone.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxOf {
    pub low_whisker: f64,
    pub q1: f64,
    pub median: f64,
    pub q3: f64,
    pub high_whisker: f64,
    pub outliers: Vec<f64>,
}

impl BoxOf {
    /// Of sorted values; none if there is none.
    pub fn of(sorted: &[f64]) -> Option<Self> {
        if sorted.is_empty() {
            return None;
        }
        let (q1, median, q3) = (quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75));
        let reach = 1.5 * (q3 - q1);
        let inside = |v: &&f64| **v >= q1 - reach && **v <= q3 + reach;
        Some(Self {
            low_whisker: sorted.iter().find(inside).copied().unwrap_or(q1),
            q1,
            median,
            q3,
            high_whisker: sorted.iter().rev().find(inside).copied().unwrap_or(q3),
            outliers: sorted.iter().filter(|v| !inside(v)).copied().collect(),
        })
    }
}

/// Counts of values in bins of equal width; the last bin holds its upper edge too.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// One more than there are counts.
    pub edges: Vec<f64>,
    pub counts: Vec<u64>,
}

/// As many bins as numpy's `auto` takes: the more of Sturges' and Freedman and Diaconis' numbers; at most `most`.
pub fn histogram(sorted: &[f64], most: usize) -> Option<Histogram> {
    let (low, high) = (*sorted.first()?, *sorted.last()?);
    let n = sorted.len() as f64;
    if low == high || !(high - low).is_finite() {
        let room = if low == high { 0.5 } else { 0.0 };
        return Some(Histogram { edges: vec![low - room, high + room], counts: vec![sorted.len() as u64] });
    }
    let sturges = (high - low) / (n.log2() + 1.0);
    let spread = quantile(sorted, 0.75) - quantile(sorted, 0.25);
    let diaconis = 2.0 * spread / n.cbrt();
    let width = if diaconis > 0.0 { diaconis.min(sturges) } else { sturges };
    let bins = (((high - low) / width).ceil() as usize).clamp(1, most.max(1));
    Some(histogram_between(sorted, low, high, bins))
}

/// Counts in a given number of bins between two edges; what lies outside is not counted.
pub fn histogram_between(values: &[f64], low: f64, high: f64, bins: usize) -> Histogram {
    let bins = bins.max(1);
    let width = (high - low) / bins as f64;
    let edges: Vec<f64> = (0..=bins).map(|i| if i == bins { high } else { low + width * i as f64 }).collect();
    let mut counts = vec![0; bins];
    for v in values.iter().filter(|v| **v >= low && **v <= high) {
        let mut bin = (((v - low) / width) as usize).min(bins - 1);
        // The edges decide, not the rounding of the division.
        if *v < edges[bin] {
            bin = bin.saturating_sub(1);
        } else if bin + 1 < bins && *v >= edges[bin + 1] {
            bin += 1;
        }
        counts[bin] += 1;
    }
    Histogram { edges, counts }
}

/// A smooth density over `points` places from a little below the least to a little above the greatest
/// value: Gaussian kernels with Scott's width, as scipy's `gaussian_kde`. None below two different values.
pub fn density(sorted: &[f64], points: usize) -> Option<Vec<(f64, f64)>> {
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let variance = sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let width = n.powf(-0.2) * variance.sqrt();
    if !(width.is_finite() && width > 0.0) {
        return None;
    }
    let (low, high) = (sorted.first()? - 2.0 * width, sorted.last()? + 2.0 * width);
    let scale = 1.0 / (n * width * (2.0 * std::f64::consts::PI).sqrt());
    let at = |x: f64| sorted.iter().map(|v| (-0.5 * ((x - v) / width).powi(2)).exp()).sum::<f64>() * scale;
    let step = (high - low) / (points.max(2) - 1) as f64;
    Some((0..points.max(2)).map(|i| low + step * i as f64).map(|x| (x, at(x))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs().max(1.0)
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let v = [1.0, 2.0, 4.0, 8.0, 16.0];
        // numpy.quantile([1, 2, 4, 8, 16], [0, .1, .25, .5, .9, 1])
        for (at, wanted) in [(0.0, 1.0), (0.1, 1.4), (0.25, 2.0), (0.5, 4.0), (0.9, 12.8), (1.0, 16.0)] {
            assert!(close(quantile(&v, at), wanted), "{at}");
        }
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(quantile(&[3.0], 0.9), 3.0);
        assert_eq!(quantile(&[-1e308, 1e308], 0.5), 0.0, "the difference of the two is infinite");
    }

    #[test]
    fn a_box_has_its_outliers_outside() {
        let b = BoxOf::of(&[1.0, 2.0, 3.0, 4.0, 100.0]).unwrap();
        assert_eq!((b.q1, b.median, b.q3, b.low_whisker, b.high_whisker), (2.0, 3.0, 4.0, 1.0, 4.0));
        assert_eq!(b.outliers, [100.0], "matplotlib's boxplot of the same values");
        assert_eq!(BoxOf::of(&[7.0]).unwrap().median, 7.0);
        assert_eq!(BoxOf::of(&[]), None);
    }

    #[test]
    fn bins_are_those_of_numpys_auto() {
        let v = sorted((0..100).map(|i| f64::from(i * i % 97)));
        let h = histogram(&v, 200).unwrap();
        // numpy.histogram([i * i % 97 for i in range(100)], bins="auto")
        assert_eq!(h.counts, [20, 8, 14, 8, 10, 12, 10, 18], "{:?}", h.edges);
        assert_eq!((h.edges[0], *h.edges.last().unwrap()), (0.0, 96.0));
        assert_eq!(histogram(&[2.0, 2.0], 10).unwrap().counts, [2]);
        assert_eq!(histogram(&[], 10), None);
        assert_eq!(histogram(&[-1e308, 1e308], 10).unwrap().counts, [2]);
    }

    #[test]
    fn a_density_is_that_of_scipy_and_sums_to_one() {
        let d = density(&[1.0, 2.0, 4.0], 201).unwrap();
        let sum: f64 = d.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
        assert!((sum - 1.0).abs() < 0.05, "{sum}");
        // scipy.stats.gaussian_kde([1, 2, 4])(2) = 0.21489537
        let near = d.iter().min_by(|a, b| (a.0 - 2.0).abs().total_cmp(&(b.0 - 2.0).abs())).unwrap();
        assert!((near.1 - 0.214_895_37).abs() < 0.002, "{near:?}");
        assert_eq!(density(&[1.0, 1.0], 10), None);
        assert_eq!(density(&[1.0], 10), None);
    }
}
