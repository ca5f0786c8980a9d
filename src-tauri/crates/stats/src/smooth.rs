//! Smoothing of a metric's curve.

/// One value of a curve, or the mean of several neighbouring ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// How many values it stands for, at least one.
    pub count: u64,
    /// Not finite: a gap, which smoothing leaves as it is.
    pub value: f64,
}

/// Exponential smoothing with the bias of its start taken out, as TensorBoard's scalar charts do it:
/// `s = w·s + (1 − w)·v`, divided by `1 − wⁿ`. `weight` is 0 (none) to below 1. A mean of k values counts as k
/// times its value, so that a curve looks the same however finely it is drawn.
pub fn exponential(values: &[Mean], weight: f64) -> Vec<f64> {
    let weight = if weight.is_finite() { weight.clamp(0.0, 0.999_999) } else { 0.0 };
    let mut numbers = values.iter().map(|v| v.value).filter(|v| v.is_finite());
    // The bias is taken out exactly for a constant; by rounding it would waver.
    let constant = numbers.next().is_some_and(|first| numbers.all(|v| v == first));
    let (mut last, mut bias) = (0.0, 1.0_f64);
    values
        .iter()
        .map(|v| {
            if constant || !v.value.is_finite() {
                return v.value;
            }
            let kept = weight.powi(i32::try_from(v.count).unwrap_or(i32::MAX));
            last = last * kept + (1.0 - kept) * v.value;
            bias *= kept;
            last / (1.0 - bias)
        })
        .collect()
}

/// The mean of a value and those before it, `window` in all or as many as there are: pandas'
/// `rolling(window, min_periods=1).mean()`. Gaps stay gaps and are not counted.
pub fn moving(values: &[Mean], window: u64) -> Vec<f64> {
    let window = window.max(1);
    let mut inside: std::collections::VecDeque<Mean> = std::collections::VecDeque::new();
    let mut count = 0;
    values
        .iter()
        .map(|v| {
            if !v.value.is_finite() {
                return v.value;
            }
            inside.push_back(*v);
            count += v.count;
            while let Some(first) = inside.front()
                && inside.len() > 1
                && count - first.count >= window
            {
                count -= first.count;
                inside.pop_front();
            }
            // Summed anew: a running sum would keep the rounding of a huge value that left.
            let total = count as f64;
            inside.iter().map(|m| m.value * (m.count as f64 / total)).sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(values: &[f64]) -> Vec<Mean> {
        values.iter().map(|v| Mean { count: 1, value: *v }).collect()
    }
    fn check(found: &[f64], wanted: &[f64]) {
        assert_eq!(found.len(), wanted.len());
        for (f, w) in found.iter().zip(wanted) {
            assert!((f - w).abs() <= 1e-12 * w.abs().max(1.0) || (f.is_nan() && w.is_nan()), "{found:?}, wanted {wanted:?}");
        }
    }

    #[test]
    fn exponential_smoothing_is_tensorboards() {
        // TensorBoard's loop in Python over [1, 2, 3, 2, 1] with a weight of 0.6.
        let wanted = [1.0, 1.625, 2.326_530_612_244_898, 2.176_470_588_235_294, 1.666_204_024_982_651];
        check(&exponential(&each(&[1.0, 2.0, 3.0, 2.0, 1.0]), 0.6), &wanted);
        check(&exponential(&each(&[5.0, 7.0]), 0.0), &[5.0, 7.0]);
    }

    #[test]
    fn edges_of_smoothing() {
        assert!(exponential(&[], 0.9).is_empty() && moving(&[], 3).is_empty());
        check(&exponential(&each(&[4.0]), 0.99), &[4.0]);
        assert_eq!(exponential(&each(&[0.1; 50]), 0.7), [0.1; 50], "a constant stays one, to the bit");
        check(&exponential(&each(&[f64::NAN, f64::NAN]), 0.5), &[f64::NAN, f64::NAN]);
        let gap = exponential(&each(&[1.0, f64::NAN, 3.0]), 0.5);
        check(&gap, &[1.0, f64::NAN, (0.5 * 0.5 + 0.5 * 3.0) / 0.75]);
        assert!(exponential(&each(&[1e308, -1e308, 1e308]), 0.9).iter().all(|v| v.is_finite()));
        assert!(moving(&each(&[1e308, 1e308, 1e308]), 3).iter().all(|v| v.is_finite()));
        assert!(exponential(&each(&[1.0, f64::INFINITY, 2.0]), 0.5)[2].is_finite(), "an infinite value does not spoil what follows");
    }

    #[test]
    fn a_curve_drawn_coarsely_is_smoothed_to_the_same_end() {
        let fine: Vec<f64> = (0..1_000).map(|i| (f64::from(i) / 300.0).sin()).collect();
        let coarse: Vec<Mean> = fine.chunks(5).map(|c| Mean { count: 5, value: c.iter().sum::<f64>() / 5.0 }).collect();
        let (a, b) = (exponential(&each(&fine), 0.98), exponential(&coarse, 0.98));
        assert!((a[999] - b[199]).abs() < 0.002, "{} and {}", a[999], b[199]);
        let (a, b) = (moving(&each(&fine), 50), moving(&coarse, 50));
        assert!((a[999] - b[199]).abs() < 1e-12);
    }

    #[test]
    fn the_moving_mean_is_that_of_pandas() {
        // pandas.Series([1, 2, 6, 4]).rolling(3, min_periods=1).mean()
        check(&moving(&each(&[1.0, 2.0, 6.0, 4.0]), 3), &[1.0, 1.5, 3.0, 4.0]);
        check(&moving(&each(&[1.0, 2.0]), 0), &[1.0, 2.0]);
    }
}
