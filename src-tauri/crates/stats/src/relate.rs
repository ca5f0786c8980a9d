//! How columns hang together: correlation, and which points nobody beats.

/// Which values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

impl Better {
    /// Whether a is better than b; a value that is no number never is.
    pub fn beats(self, a: f64, b: f64) -> bool {
        match self {
            Self::Higher => a > b || (b.is_nan() && !a.is_nan()),
            Self::Lower => a < b || (b.is_nan() && !a.is_nan()),
        }
    }
}

/// Pearson's correlation of two columns over the rows where both are finite; none below two such rows or where one
/// of them is constant.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let rows: Vec<(f64, f64)> = a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).map(|(a, b)| (*a, *b)).collect();
    if rows.len() < 2 {
        return None;
    }
    let size = |pick: fn(&(f64, f64)) -> f64| rows.iter().map(pick).fold(0.0_f64, |m, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
    // Scaled by the largest: squares of huge values overflow, correlation does not care.
    let (sa, sb) = (size(|r| r.0), size(|r| r.1));
    let n = rows.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64, scale: f64| rows.iter().map(|r| pick(r) / scale).sum::<f64>() / n;
    let (ma, mb) = (mean(|r| r.0, sa), mean(|r| r.1, sb));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in &rows {
        let (x, y) = (x / sa - ma, y / sb - mb);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    // What is left of a constant after its mean is rounding.
    let nothing = 1e-28 * n;
    (aa > nothing && bb > nothing).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}

/// Spearman's: Pearson's over ranks, so that any rising relation is 1.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let rows: Vec<(f64, f64)> = a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).map(|(a, b)| (*a, *b)).collect();
    let left: Vec<f64> = rows.iter().map(|r| r.0).collect();
    let right: Vec<f64> = rows.iter().map(|r| r.1).collect();
    pearson(&ranks(&left), &ranks(&right))
}

/// Ranks from 1; equal values share the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut out = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let end = order[start..].iter().position(|i| values[*i] != values[order[start]]).map_or(order.len(), |n| start + n);
        let rank = (start + end + 1) as f64 / 2.0;
        order[start..end].iter().for_each(|i| out[*i] = rank);
        start = end;
    }
    out
}

/// Which of some points nobody beats in one direction without losing in the other. Points with a
/// coordinate that is no number are never among them; equal points are together.
pub fn pareto(points: &[(f64, f64)], x: Better, y: Better) -> Vec<usize> {
    let turned = |v: f64, better: Better| if better == Better::Lower { v } else { -v };
    let mut order: Vec<usize> = (0..points.len()).filter(|i| !points[*i].0.is_nan() && !points[*i].1.is_nan()).collect();
    let key = |i: &usize| (turned(points[*i].0, x), turned(points[*i].1, y));
    order.sort_by(|a, b| key(a).0.total_cmp(&key(b).0).then(key(a).1.total_cmp(&key(b).1)));
    let mut front = Vec::new();
    let mut best: Option<(f64, f64)> = None;
    for i in order {
        let here = key(&i);
        if best.is_none_or(|b| here.1 < b.1 || here == b) {
            best = Some(here);
            front.push(i);
        }
    }
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_those_of_scipy() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, f64::NAN], [1.0, 4.0, 9.0, 20.0, 3.0]);
        // scipy.stats.pearsonr([1, 2, 3, 4], [1, 4, 9, 20])
        assert!((pearson(&a, &b).unwrap() - 0.958_966_748_579_106_2).abs() < 1e-12, "{:?}", pearson(&a, &b));
        assert_eq!(spearman(&a, &b), Some(1.0));
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0], "scipy.stats.rankdata");
    }

    #[test]
    fn edges_of_correlations() {
        assert_eq!(pearson(&[1.0], &[2.0]), None);
        assert_eq!(pearson(&[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]), None, "a constant hangs together with nothing");
        assert_eq!(pearson(&[f64::NAN, 1.0], &[1.0, f64::NAN]), None);
        assert_eq!(pearson(&[-1e308, 1e308], &[1.0, 2.0]), Some(1.0));
    }

    #[test]
    fn the_front_is_what_nobody_beats() {
        let points = [(1.0, 5.0), (2.0, 3.0), (3.0, 4.0), (4.0, 1.0), (2.0, 3.0), (f64::NAN, 0.0), (5.0, 1.0)];
        assert_eq!(pareto(&points, Better::Lower, Better::Lower), [0, 1, 4, 3], "brute force says the same below");
        for (x, y) in [(Better::Lower, Better::Higher), (Better::Higher, Better::Lower), (Better::Higher, Better::Higher)] {
            let mut found = pareto(&points, x, y);
            found.sort_unstable();
            let beaten = |i: usize| {
                points.iter().any(|p| {
                    let (q, not_worse) = (points[i], |b: Better, a: f64, c: f64| !b.beats(c, a));
                    not_worse(x, p.0, q.0) && not_worse(y, p.1, q.1) && (x.beats(p.0, q.0) || y.beats(p.1, q.1)) && !p.0.is_nan()
                })
            };
            let wanted: Vec<usize> = (0..points.len()).filter(|i| !points[*i].0.is_nan() && !beaten(*i)).collect();
            assert_eq!(found, wanted);
        }
        assert!(pareto(&[], Better::Lower, Better::Lower).is_empty());
        assert_eq!(pareto(&[(f64::INFINITY, 1.0)], Better::Lower, Better::Lower), [0]);
    }
}
