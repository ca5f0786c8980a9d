//! Axes: where a value lies between 0 and 1, and which ticks people expect there.
//!
//! Everything is brought to 0..1 before it is drawn: plotters looks for ticks for ever on spans that overflow, and has
//! one type for each kind of scale.

use crate::text::{clock, number, span_of_time};

/// What an axis measures.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    Number,
    /// Milliseconds since 1970, UTC.
    Time,
    /// Milliseconds.
    Duration,
    /// Places 0, 1, 2 … with these names.
    Names(Vec<String>),
}

/// How distances on an axis go with values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    #[default]
    Linear,
    /// Powers of ten; only values above 0 have a place.
    Log,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub label: String,
    pub measure: Measure,
    pub scale: Scale,
    /// The values at its ends, from < to.
    pub from: f64,
    pub to: f64,
}

impl Axis {
    /// An axis over some values with a little room on both sides; of values that a logarithm does not have, only the others count.
    pub fn over(label: &str, measure: Measure, scale: Scale, values: impl Iterator<Item = f64>, room: f64) -> Self {
        let fits = |v: &f64| v.is_finite() && (scale == Scale::Linear || *v > 0.0);
        let (low, high) = values.filter(fits).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let mut axis = Self { label: label.to_owned(), measure, scale, from: low, to: high };
        if low > high {
            (axis.from, axis.to) = if scale == Scale::Log { (1.0, 10.0) } else { (0.0, 1.0) };
        } else if low == high {
            let by = (low.abs() * 0.1).max(1e-9);
            (axis.from, axis.to) = if scale == Scale::Log { (low / 2.0, low * 2.0) } else { (low - by, low + by) };
        } else if room > 0.0 {
            (axis.from, axis.to) = (axis.value(-room), axis.value(1.0 + room));
        }
        // The least number that a logarithm can tell from 0 well.
        axis.from = axis.from.max(if scale == Scale::Log { 1e-320 } else { f64::MIN });
        axis.to = axis.to.min(f64::MAX);
        if axis.from >= axis.to {
            // Neighbours that no double lies between.
            let by = low.abs().max(1e-300) * 1e-9;
            (axis.from, axis.to) = if scale == Scale::Log { (1e-320, 1e-319) } else { (low - by, low + by) };
        }
        axis
    }

    /// An axis of names, one place each.
    pub fn named(label: &str, names: Vec<String>) -> Self {
        let last = names.len().max(1) as f64 - 0.5;
        Self { label: label.to_owned(), measure: Measure::Names(names), scale: Scale::Linear, from: -0.5, to: last }
    }

    fn turned(&self, v: f64) -> f64 {
        // Halved: the distance between the two ends of all doubles is infinite.
        if self.scale == Scale::Log { v.log10() } else { v / 2.0 }
    }

    /// Where a value lies: 0 at `from`, 1 at `to`; NaN where it has no place.
    pub fn at(&self, v: f64) -> f64 {
        if self.scale == Scale::Log && v <= 0.0 {
            return f64::NAN;
        }
        let (a, b) = (self.turned(self.from), self.turned(self.to));
        (self.turned(v) - a) / (b - a)
    }

    /// The value at a place.
    pub fn value(&self, at: f64) -> f64 {
        let (a, b) = (self.turned(self.from), self.turned(self.to));
        let turned = a + (b - a) * at;
        if self.scale == Scale::Log { 10_f64.powf(turned) } else { (turned * 2.0).clamp(f64::MIN, f64::MAX) }
    }

    /// The same axis between other values.
    pub fn between(mut self, from: f64, to: f64) -> Self {
        if from < to && from.is_finite() && to.is_finite() && (self.scale == Scale::Linear || from > 0.0) {
            (self.from, self.to) = (from, to);
        }
        self
    }

    /// About `count` ticks inside: places and what stands at them.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let values: Vec<f64> = match &self.measure {
            Measure::Names(names) => {
                let every = names.len().div_ceil(count.max(1)).max(1);
                (0..names.len()).step_by(every).map(|i| i as f64).collect()
            }
            Measure::Time | Measure::Duration => steps(self.from, self.to, time_step((self.to - self.from) / count.max(1) as f64)),
            Measure::Number if self.scale == Scale::Log => decades(self.from, self.to, count),
            Measure::Number => {
                let span = self.to / 2.0 - self.from / 2.0;
                steps(self.from, self.to, tidy_step(span / count.max(1) as f64 * 2.0))
            }
        };
        // A tick says enough to be told from its neighbour.
        let apart = values.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
        values.into_iter().map(|v| (self.at(v), self.text(v, apart))).filter(|(at, _)| (-1e-9..=1.0 + 1e-9).contains(at)).collect()
    }

    fn text(&self, v: f64, apart: f64) -> String {
        match &self.measure {
            Measure::Names(names) => names.get(v.max(0.0) as usize).cloned().unwrap_or_default(),
            Measure::Time => clock(v, apart),
            Measure::Duration => span_of_time(v),
            Measure::Number => {
                let short = number(v);
                // 1,000,001 and 1,000,002 are both "1M".
                let same = apart.is_finite() && v != 0.0 && apart < v.abs() * 2e-3 && self.scale == Scale::Linear;
                if same { exact(v, apart) } else { short }
            }
        }
    }
}

/// A number with as many digits as its distance to the next needs.
fn exact(v: f64, apart: f64) -> String {
    let digits = (-apart.log10().floor()).clamp(0.0, 12.0) as usize;
    if v.abs() < 1e15 { format!("{v:.digits$}") } else { format!("{v:.6e}") }
}

/// The next of 1, 2, 5 times a power of ten.
fn tidy_step(raw: f64) -> f64 {
    if !(raw.is_finite() && raw > 0.0) {
        return f64::MAX;
    }
    let power = 10_f64.powf(raw.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| *m * power >= raw * (1.0 - 1e-9)).unwrap_or(10.0);
    times * power
}

/// A step that clocks have.
fn time_step(raw_ms: f64) -> f64 {
    const STEPS: [f64; 24] = [
        1.0, 10.0, 100.0, 500.0, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1_800e3, 3_600e3, 7_200e3, 10_800e3,
        21_600e3, 43_200e3, 86_400e3, 172_800e3, 604_800e3,
    ];
    STEPS.into_iter().find(|s| *s >= raw_ms).unwrap_or_else(|| tidy_step(raw_ms / 604_800e3).max(1.0) * 604_800e3)
}

fn steps(from: f64, to: f64, step: f64) -> Vec<f64> {
    let first = (from / step).ceil();
    let mut out = Vec::new();
    for i in 0..100 {
        // Counted, not added up: 0.1 ten times is not 1.
        let v = (first + f64::from(i)) * step;
        if !(v <= to * (1.0 + f64::EPSILON) || v <= to) || !v.is_finite() {
            break;
        }
        out.push(if v == 0.0 { 0.0 } else { v });
    }
    out
}

fn decades(from: f64, to: f64, count: usize) -> Vec<f64> {
    let (low, high) = (from.log10().floor().clamp(-324.0, 308.0) as i32, to.log10().ceil().clamp(-323.0, 309.0) as i32);
    let every = usize::try_from(high - low).unwrap_or(1).div_ceil(count.max(1)).max(1);
    let whole: Vec<f64> = (low..=high).step_by(every).map(|p| 10_f64.powi(p)).filter(|v| *v >= from && *v <= to).collect();
    if whole.len() >= 3 || high - low > 3 {
        return whole;
    }
    let mut finer: Vec<f64> =
        (low..=high).flat_map(|p| [1.0, 2.0, 5.0].map(|m| m * 10_f64.powi(p))).filter(|v| *v >= from && *v <= to).collect();
    if finer.len() < 2 {
        // Less than a factor of two: as on a plain axis.
        finer = steps(from, to, tidy_step((to - from) / count.max(1) as f64));
    }
    finer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], scale: Scale, count: usize, wanted: &[&str]) {
        let axis = Axis::over("", Measure::Number, scale, values.iter().copied(), 0.0);
        let found: Vec<String> = axis.ticks(count).into_iter().map(|t| t.1).collect();
        assert_eq!(found, wanted, "{values:?}");
    }

    #[test]
    fn ticks_are_what_a_person_would_write() {
        check(&[0.0, 1.0], Scale::Linear, 5, &["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        check(&[0.0, 987.0], Scale::Linear, 5, &["0", "200", "400", "600", "800"]);
        check(&[-3.0, 3.0], Scale::Linear, 4, &["-2", "0", "2"]);
        check(&[1e-5, 1.0], Scale::Log, 6, &["1.0e-5", "1.0e-4", "0.001", "0.01", "0.1", "1"]);
        check(&[2.0, 60.0], Scale::Log, 5, &["2", "5", "10", "20", "50"]);
        check(&[1_000_000.0, 1_000_004.0], Scale::Linear, 4, &["1000000", "1000001", "1000002", "1000003", "1000004"]);
        check(&[], Scale::Linear, 2, &["0", "0.5", "1"]);
        check(&[f64::NAN, 5.0], Scale::Linear, 2, &["4.5", "5", "5.5"]);
    }

    #[test]
    fn no_span_is_too_wide_or_too_narrow() {
        for values in [[f64::MIN, f64::MAX], [0.0, 5e-324], [1.0, 1.0 + f64::EPSILON], [-1e308, 1e308], [1e-300, 1e300]] {
            for scale in [Scale::Linear, Scale::Log] {
                let axis = Axis::over("", Measure::Number, scale, values.into_iter(), 0.05);
                assert!(axis.from < axis.to, "{axis:?}");
                for count in [0, 1, 5, 50] {
                    let ticks = axis.ticks(count);
                    assert!(ticks.len() <= 120, "{values:?}: {}", ticks.len());
                    assert!(ticks.iter().all(|t| t.0.is_finite()));
                }
                let middle = axis.value(0.5);
                assert!((axis.at(middle) - 0.5).abs() < 1e-6 || values[1] - values[0] < 1e-15, "{axis:?}");
            }
        }
    }

    #[test]
    fn a_logarithm_has_no_place_for_zero() {
        let axis = Axis::over("", Measure::Number, Scale::Log, [0.0, -5.0, 1.0, 100.0].into_iter(), 0.0);
        assert_eq!((axis.from, axis.to), (1.0, 100.0));
        assert!(axis.at(0.0).is_nan() && axis.at(-1.0).is_nan());
        assert!((axis.at(10.0) - 0.5).abs() < 1e-12);
    }
}
