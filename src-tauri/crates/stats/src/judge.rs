//! What predictions are worth, from labels and scores: curves, counts and calibration.
//! Checked against scikit-learn.

/// A row of predictions of two classes: whether it is positive, and its score.
pub type Scored = (bool, f64);

/// Places of a curve, in drawing order.
pub type Curve = Vec<(f64, f64)>;

/// True and false positives at each different score, from the greatest down, after (0, 0).
fn steps(rows: &[Scored]) -> Vec<(f64, f64, f64)> {
    let mut all: Vec<Scored> = rows.iter().filter(|r| !r.1.is_nan()).copied().collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut out = vec![(f64::INFINITY, 0.0, 0.0)];
    let (mut tp, mut fp) = (0.0, 0.0);
    for (i, (positive, score)) in all.iter().enumerate() {
        if *positive {
            tp += 1.0;
        } else {
            fp += 1.0;
        }
        if all.get(i + 1).is_none_or(|next| next.1 != *score) {
            out.push((*score, tp, fp));
        }
    }
    out
}

/// The receiver's curve: false positive rate to true positive rate; and the area below it. None without both classes.
pub fn roc(rows: &[Scored]) -> Option<(Curve, f64)> {
    let steps = steps(rows);
    let (_, tp, fp) = *steps.last()?;
    if tp == 0.0 || fp == 0.0 {
        return None;
    }
    let curve: Curve = steps.iter().map(|(_, t, f)| (f / fp, t / tp)).collect();
    let area = curve.windows(2).map(|w| (w[1].0 - w[0].0) * f64::midpoint(w[0].1, w[1].1)).sum();
    Some((curve, area))
}

/// Recall to precision, from the greatest score down; and average precision, its area by steps. None without positives.
pub fn precision_recall(rows: &[Scored]) -> Option<(Curve, f64)> {
    let steps = steps(rows);
    let (_, all, _) = *steps.last()?;
    if all == 0.0 {
        return None;
    }
    let mut curve = vec![(0.0, 1.0)];
    let (mut area, mut before) = (0.0, 0.0);
    for (_, tp, fp) in &steps[1..] {
        let (recall, precision) = (tp / all, tp / (tp + fp));
        area += (recall - before) * precision;
        before = recall;
        curve.push((recall, precision));
    }
    Some((curve, area))
}

/// What a model answered where it says yes from a score on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answers {
    /// It says yes from this score on; infinity: never.
    pub from: f64,
    pub true_positive: f64,
    pub false_positive: f64,
    pub false_negative: f64,
    pub true_negative: f64,
}

/// The answers at each different score, from never saying yes down to always.
pub fn answers(rows: &[Scored]) -> Vec<Answers> {
    let steps = steps(rows);
    let (_, positives, negatives) = steps.last().copied().unwrap_or_default();
    let at = |(from, tp, fp): &(f64, f64, f64)| Answers {
        from: *from,
        true_positive: *tp,
        false_positive: *fp,
        false_negative: positives - tp,
        true_negative: negatives - fp,
    };
    steps.iter().map(at).collect()
}

/// One bin of a calibration curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Mean of the scores in it.
    pub said: f64,
    /// Share of positives in it.
    pub was: f64,
    pub count: u64,
}

/// Bins of equal width over scores from 0 to 1, empty ones left out (scikit-learn's `calibration_curve`), and the
/// mean squared error of the scores (Brier 1950). None where a score lies outside of 0 to 1.
pub fn calibration(rows: &[Scored], bins: usize) -> Option<(Vec<Bin>, f64)> {
    if rows.is_empty() || rows.iter().any(|r| !(0.0..=1.0).contains(&r.1)) {
        return None;
    }
    let bins = bins.max(1);
    let mut sums = vec![(0.0, 0.0, 0_u64); bins];
    for (positive, score) in rows {
        // A score on an edge belongs to the bin below it, as numpy's searchsorted puts it.
        let bin = ((score * bins as f64).ceil() as usize).saturating_sub(1).min(bins - 1);
        sums[bin].0 += score;
        sums[bin].1 += f64::from(u8::from(*positive));
        sums[bin].2 += 1;
    }
    let brier = rows.iter().map(|(p, s)| (s - f64::from(u8::from(*p))).powi(2)).sum::<f64>() / rows.len() as f64;
    let found = sums.iter().filter(|s| s.2 > 0).map(|s| Bin { said: s.0 / s.2 as f64, was: s.1 / s.2 as f64, count: s.2 });
    Some((found.collect(), brier))
}

/// How often each class was taken for each: the classes in order, and rows of what was true by what was said.
pub fn confusion<'t>(pairs: &[(&'t str, &'t str)]) -> (Vec<&'t str>, Vec<Vec<u64>>) {
    let mut classes: Vec<&str> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    // Numbers in the order of numbers: 10 comes after 9.
    classes.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then(a.cmp(b)),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    });
    classes.dedup();
    let mut counts = vec![vec![0; classes.len()]; classes.len()];
    let at = |class: &str| classes.iter().position(|c| *c == class).unwrap_or(0);
    for (truth, said) in pairs {
        counts[at(truth)][at(said)] += 1;
    }
    (classes, counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_at_each_score_add_up_to_all_rows() {
        let rows = [(true, 0.9), (false, 0.8), (true, 0.8), (false, 0.1), (true, f64::NAN)];
        let found = answers(&rows);
        let at =
            |i: usize| (found[i].from, found[i].true_positive, found[i].false_positive, found[i].false_negative, found[i].true_negative);
        assert_eq!(found.len(), 4);
        assert_eq!(at(0), (f64::INFINITY, 0.0, 0.0, 2.0, 2.0));
        assert_eq!(at(1), (0.9, 1.0, 0.0, 1.0, 2.0));
        assert_eq!(at(2), (0.8, 2.0, 1.0, 0.0, 1.0), "rows of one score are decided together");
        assert_eq!(at(3), (0.1, 2.0, 2.0, 0.0, 0.0));
    }

    fn rows() -> Vec<Scored> {
        [(false, 0.1), (false, 0.4), (true, 0.35), (true, 0.8), (true, 0.4), (false, 0.05)].to_vec()
    }

    #[test]
    fn curves_are_those_of_scikit_learn() {
        let (curve, area) = roc(&rows()).unwrap();
        assert_eq!(curve.first(), Some(&(0.0, 0.0)));
        assert_eq!(curve.last(), Some(&(1.0, 1.0)));
        assert!((area - ROC).abs() < 1e-12, "{area}");
        let (curve, area) = precision_recall(&rows()).unwrap();
        assert!((area - AP).abs() < 1e-12, "{area}");
        assert_eq!(curve.len(), 6);
    }
    const ROC: f64 = 0.833_333_333_333_333_4;
    const AP: f64 = 0.805_555_555_555_555_6;

    #[test]
    fn calibration_is_that_of_scikit_learn() {
        let (bins, brier) = calibration(&rows(), 5).unwrap();
        let found: Vec<(f64, f64)> = bins.iter().map(|b| (b.was, b.said)).collect();
        assert_eq!(found.len(), CALIBRATION.len());
        for (f, w) in found.iter().zip(CALIBRATION) {
            assert!((f.0 - w.0).abs() < 1e-12 && (f.1 - w.1).abs() < 1e-12, "{found:?}");
        }
        assert!((brier - BRIER).abs() < 1e-12, "{brier}");
        assert_eq!(calibration(&[(true, 1.5)], 5), None, "a score beyond 1 is no probability");
    }
    const CALIBRATION: [(f64, f64); 3] = [(0.0, 0.075), (2.0 / 3.0, 0.383_333_333_333_333_3), (1.0, 0.8)];
    const BRIER: f64 = 0.165_833_333_333_333_36;

    #[test]
    fn edges_of_curves() {
        assert_eq!(roc(&[(true, 0.5)]), None);
        assert_eq!(roc(&[]), None);
        assert_eq!(precision_recall(&[(false, 0.5)]), None);
        let (_, area) = roc(&[(true, 0.5), (false, 0.5)]).unwrap();
        assert!((area - 0.5).abs() < 1e-12, "equal scores are one step");
        assert_eq!(confusion(&[("10", "9"), ("9", "9")]), (vec!["9", "10"], vec![vec![1, 0], vec![1, 0]]));
        assert_eq!(confusion(&[]), (vec![], vec![]));
    }
}
