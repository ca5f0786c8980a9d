//! Summaries of one column of numbers, in one pass.

/// Count, extremes, mean and spread of the finite values seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    pub count: u64,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    m2: f64,
}

impl Summary {
    /// Takes in one value; values that are not finite are left out.
    /// Welford's method (Knuth, TAOCP 2, 4.2.2): exact enough where sums of squares would cancel.
    pub fn push(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        self.count += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        #[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
        let count = self.count as f64;
        let delta = value - self.mean;
        self.mean += delta / count;
        self.m2 += delta * (value - self.mean);
    }

    /// The sample standard deviation (n - 1); none below two values.
    pub fn std_dev(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)]
        let degrees = self.count.checked_sub(1).filter(|d| *d > 0)? as f64;
        Some((self.m2 / degrees).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_offset_does_not_swallow_the_spread() {
        let mut s = Summary::default();
        for v in [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0, f64::NAN] {
            s.push(v);
        }
        assert_eq!((s.count, s.min, s.max, s.mean), (4, 1e9 + 4.0, 1e9 + 16.0, 1e9 + 10.0));
        assert!((s.std_dev().unwrap() - 30.0_f64.sqrt()).abs() < 1e-9, "the reference is numpy's std(ddof=1)");
        assert_eq!(Summary::default().std_dev(), None);
    }
}
