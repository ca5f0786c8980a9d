//! Which parameters matter for a metric: a random forest of regression trees (Breiman 2001) and the share of
//! the variance that its splits on each column take away ("mean decrease in impurity"), as
//! scikit-learn's `RandomForestRegressor.feature_importances_`.
//!
//! It says what goes together in the runs there are, not what causes what; of few runs it says nothing.

/// Trees in a forest. More change the second digit no more.
const TREES: usize = 64;
/// Deeper trees only learn single runs by heart.
const DEPTH: usize = 12;
/// Rows that a forest is grown from; more are thinned out evenly.
const ROWS: usize = 2_000;

/// Numbers that look random and are the same for ever: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub struct SplitMix(u64);

impl SplitMix {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }
}

/// The importance of each column for the target, in sum 1, or all 0 where nothing can be told apart. Columns and
/// target are of equal length and finite.
pub fn importances(columns: &[Vec<f64>], target: &[f64], seed: u64) -> Vec<f64> {
    let every = target.len().div_ceil(ROWS).max(1);
    let rows: Vec<usize> = (0..target.len()).step_by(every).collect();
    let mut random = SplitMix::new(seed);
    let mut sum = vec![0.0; columns.len()];
    if rows.is_empty() {
        return sum;
    }
    let unit = scale(target);
    for _ in 0..TREES {
        let drawn: Vec<usize> = (0..rows.len()).map(|_| rows[random.below(rows.len())]).collect();
        let one = of_tree(columns, target, unit, drawn, DEPTH);
        sum.iter_mut().zip(one).for_each(|(s, v)| *s += v);
    }
    normal(sum)
}

/// The largest size of a value: squares of huge ones overflow.
fn scale(target: &[f64]) -> f64 {
    target.iter().fold(0.0_f64, |m, v| m.max(v.abs())).max(f64::MIN_POSITIVE)
}

fn normal(mut all: Vec<f64>) -> Vec<f64> {
    let total: f64 = all.iter().sum();
    if total > 0.0 {
        all.iter_mut().for_each(|v| *v /= total);
    }
    all
}

/// The importances of one tree over some rows, in sum 1.
fn of_tree(columns: &[Vec<f64>], target: &[f64], unit: f64, rows: Vec<usize>, depth: usize) -> Vec<f64> {
    let mut out = vec![0.0; columns.len()];
    let mut waiting = vec![(rows, depth)];
    while let Some((rows, depth)) = waiting.pop() {
        if depth == 0 {
            continue;
        }
        let Some(split) = best_split(columns, target, unit, &rows) else { continue };
        out[split.column] += split.gain;
        let (left, right): (Vec<usize>, Vec<usize>) = rows.into_iter().partition(|r| columns[split.column][*r] <= split.at);
        waiting.push((left, depth - 1));
        waiting.push((right, depth - 1));
    }
    normal(out)
}

struct Split {
    column: usize,
    at: f64,
    /// By how much the sum of squares about the mean falls.
    gain: f64,
}

fn best_split(columns: &[Vec<f64>], target: &[f64], unit: f64, rows: &[usize]) -> Option<Split> {
    let n = rows.len() as f64;
    let mean = rows.iter().map(|r| target[*r] / unit).sum::<f64>() / n;
    let mut best: Option<Split> = None;
    let mut order = rows.to_vec();
    for (column, values) in columns.iter().enumerate() {
        order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
        // Sums about the mean: of them the gain is exact where sums of squares would cancel.
        let mut left = 0.0;
        for (i, pair) in order.windows(2).enumerate() {
            left += target[pair[0]] / unit - mean;
            let (a, b) = (values[pair[0]], values[pair[1]]);
            if a == b {
                continue;
            }
            let count = (i + 1) as f64;
            let gain = left * left / count + left * left / (n - count);
            if gain > 1e-14 && best.as_ref().is_none_or(|b| gain > b.gain * (1.0 + 1e-12)) {
                let middle = a / 2.0 + b / 2.0;
                best = Some(Split { column, at: if middle < b { middle } else { a }, gain });
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 60 rows: y = 3·a + b² with c as noise, by arithmetic that Python repeats.
    fn sample() -> (Vec<Vec<f64>>, Vec<f64>) {
        let column = |k: u32| -> Vec<f64> { (0..60).map(|i: u32| f64::from((i * k + k) % 61) / 61.0).collect() };
        let (a, b, c) = (column(7), column(23), column(41));
        let y = a.iter().zip(&b).map(|(a, b)| 3.0 * a + b * b).collect();
        (vec![a, b, c], y)
    }

    #[test]
    fn a_tree_weighs_columns_as_scikit_learns_does() {
        let (columns, y) = sample();
        let found = of_tree(&columns, &y, scale(&y), (0..60).collect(), 3);
        for (f, w) in found.iter().zip(TREE) {
            assert!((f - w).abs() < 1e-12, "{found:?}, scikit-learn's DecisionTreeRegressor(max_depth=3) says {TREE:?}");
        }
    }
    const TREE: [f64; 3] = [0.918_230_913_266_46, 0.081_769_086_733_54, 0.0];

    #[test]
    fn a_forest_agrees_with_scikit_learns_and_with_itself() {
        let (columns, y) = sample();
        let found = importances(&columns, &y, 1);
        for (f, w) in found.iter().zip(FOREST) {
            assert!((f - w).abs() < 0.05, "{found:?}, scikit-learn's RandomForestRegressor says {FOREST:?}");
        }
        assert_eq!(found, importances(&columns, &y, 1), "the same runs give the same picture");
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    const FOREST: [f64; 3] = [0.913_320_47, 0.071_937_29, 0.014_742_24];

    #[test]
    fn edges_of_importance() {
        assert_eq!(importances(&[vec![1.0]], &[2.0], 1), [0.0]);
        assert_eq!(importances(&[vec![1.0, 1.0], vec![0.0, 1.0]], &[2.0, 2.0], 1), [0.0, 0.0], "a constant needs no reason");
        assert_eq!(importances(&[], &[], 1), [0.0; 0]);
        let found = importances(&[vec![0.0, 1.0, 0.0, 1.0], vec![5.0; 4]], &[-1e308, 1e308, -1e308, 1e308], 1);
        assert_eq!(found, [1.0, 0.0]);
    }
}
