//! A metric of a run as a curve: as many pieces as the picture has columns, however many points there are.

use super::spec::{ChartSpec, Smoothing};
use crate::ApiError;
use cairn_stats::smooth::{self, Mean};
use cairn_store::Reader;
use cairn_store::chunk::Stretch;
use cairn_store::metrics::{Along, Edges, Point};

/// What runs along the x axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum X {
    Step,
    Time,
    /// Since the metric's first point.
    Relative,
    /// The value of another metric at the same step.
    Metric(String),
}

impl X {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        match text.trim() {
            "" | "step" => Ok(Self::Step),
            "time" => Ok(Self::Time),
            "relative" => Ok(Self::Relative),
            other => match other.strip_prefix("metrics.") {
                Some(name) if !name.trim().is_empty() => Ok(Self::Metric(name.trim_matches('`').to_owned())),
                _ => Err(ApiError::invalid(format!("\"{other}\" cannot run along a chart of lines"))
                    .hint("There are step, time, relative and metrics.<name>.")),
            },
        }
    }
}

/// Neighbouring points, or one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    pub from: f64,
    pub to: f64,
    pub count: u64,
    pub numbers: u64,
    /// `min > max`: no finite value.
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub last: f64,
    pub nan: bool,
    pub above: bool,
    pub below: bool,
}

/// A metric of a run, as far as it is looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Curve {
    pub pieces: Vec<Piece>,
    /// The pieces' values after smoothing; the same where there is none.
    pub smooth: Vec<f64>,
    /// Of the whole metric.
    pub total: u64,
    pub complete: bool,
    /// The last value of what is looked at, whatever it is.
    pub last: f64,
}

/// What of a metric to read.
pub(crate) struct Wanted<'a> {
    pub metric: &'a str,
    pub x: &'a X,
    /// From and to, in units of x.
    pub view: Option<[f64; 2]>,
    /// About as many pieces.
    pub columns: usize,
}

/// Points of another metric that are looked up one by one; beyond, both are brought together in pieces.
const JOINED: u64 = 200_000;
/// Pieces of what lies before the view, by which smoothing knows its past.
const PAST: usize = 400;

pub(crate) fn read(r: &Reader<'_>, run: &str, wanted: &Wanted<'_>, spec: &ChartSpec) -> Result<Curve, ApiError> {
    let (total, complete) = r.extent(run, wanted.metric)?;
    if total == 0 {
        return Ok(Curve { complete, ..Curve::default() });
    }
    let (mut pieces, past) = match wanted.x {
        X::Metric(name) => (joined(r, run, wanted, name)?, Vec::new()),
        X::Step => along(r, run, wanted, Along::Step, 0, total, spec)?,
        X::Time => along(r, run, wanted, Along::Time, 0, total, spec)?,
        X::Relative => {
            let zero = r.along(run, wanted.metric, Along::Time, Edges::Near, None, 1)?.first().map_or(0, |s| s.first_ts);
            along(r, run, wanted, Along::Time, zero, total, spec)?
        }
    };
    let last = pieces.last().map_or(f64::NAN, |p| p.last);
    if let X::Metric(_) = wanted.x {
        pieces.sort_by(|a, b| a.from.total_cmp(&b.from));
    }
    let means: Vec<Mean> = past.iter().chain(&pieces).map(mean).collect();
    let smoothed = match spec.smoothing {
        Smoothing::None => means.iter().map(|m| m.value).collect(),
        Smoothing::Exponential => smooth::exponential(&means, spec.amount),
        Smoothing::Mean => smooth::moving(&means, spec.amount.clamp(1.0, 10_000.0) as u64),
    };
    Ok(Curve { smooth: smoothed.into_iter().skip(past.len()).collect(), pieces, total, complete, last })
}

fn mean(p: &Piece) -> Mean {
    Mean { count: p.count.max(1), value: if p.numbers > 0 { p.mean } else { f64::NAN } }
}

type Pieces = (Vec<Piece>, Vec<Piece>);

/// The pieces that are looked at, and those before them where smoothing needs them.
fn along(
    r: &Reader<'_>,
    run: &str,
    wanted: &Wanted<'_>,
    along: Along,
    zero: i64,
    total: u64,
    spec: &ChartSpec,
) -> Result<Pieces, ApiError> {
    let whole = |v: f64| (v.clamp(-9e18, 9e18) as i64).saturating_add(zero);
    let range = wanted.view.map(|[from, to]| (whole(from.floor()), whole(to.ceil())));
    let few = wanted.columns as u64 * 2;
    let key = wanted.metric;
    let past = match range {
        Some((from, _)) if spec.smoothing != Smoothing::None => {
            let before = r.along(run, key, along, Edges::Near, Some((i64::MIN / 4, from.saturating_sub(1))), 1)?;
            match before.first() {
                Some(all) => {
                    let (low, high) = if along == Along::Step { (all.first_step, all.last_step) } else { (all.first_ts, all.last_ts) };
                    let found = r.along(run, key, along, Edges::Near, Some((low, high)), PAST)?;
                    found.iter().map(|s| piece(s, along, zero)).collect()
                }
                None => Vec::new(),
            }
        }
        _ => Vec::new(),
    };
    let exact = |points: &[Point]| -> Vec<Piece> {
        points.iter().filter_map(|p| Stretch::of(std::slice::from_ref(p))).map(|s| piece(&s, along, zero)).collect()
    };
    if total <= few {
        let range = range.unwrap_or((i64::MIN, i64::MAX));
        return Ok((exact(&r.points_between(run, key, along, range)?), past));
    }
    let found = r.along(run, key, along, Edges::Near, range, wanted.columns)?;
    if let Some(range) = range
        && found.iter().map(|s| s.count).sum::<u64>() <= few
    {
        return Ok((exact(&r.points_between(run, key, along, range)?), past));
    }
    Ok((found.iter().map(|s| piece(s, along, zero)).collect(), past))
}

/// A value as it was meant: MLflow's servers keep infinity as the greatest double.
pub(crate) fn real(v: f64) -> f64 {
    if v.abs() >= f64::MAX { f64::INFINITY.copysign(v) } else { v }
}

fn piece(s: &Stretch, along: Along, zero: i64) -> Piece {
    let (from, to) = if along == Along::Step { (s.first_step, s.last_step) } else { (s.first_ts, s.last_ts) };
    Piece {
        from: from.saturating_sub(zero) as f64,
        to: to.saturating_sub(zero) as f64,
        count: s.count,
        numbers: s.numbers,
        min: s.min,
        max: s.max,
        mean: s.mean,
        last: real(s.last),
        nan: s.nan,
        above: s.above,
        below: s.below,
    }
}

/// The metric over another one, joined by step.
fn joined(r: &Reader<'_>, run: &str, wanted: &Wanted<'_>, other: &str) -> Result<Vec<Piece>, ApiError> {
    let (count, _) = r.extent(run, wanted.metric)?;
    let (others, _) = r.extent(run, other)?;
    let columns = if count.max(others) <= JOINED { usize::MAX } else { wanted.columns * 4 };
    let read = |key: &str| -> Result<Vec<Piece>, ApiError> {
        if columns == usize::MAX {
            let points = r.points_between(run, key, Along::Step, (i64::MIN, i64::MAX))?;
            return Ok(points.iter().filter_map(|p| Stretch::of(std::slice::from_ref(p))).map(|s| piece(&s, Along::Step, 0)).collect());
        }
        Ok(r.along(run, key, Along::Step, Edges::Near, None, columns)?.iter().map(|s| piece(s, Along::Step, 0)).collect())
    };
    let (mine, theirs) = (read(wanted.metric)?, read(other)?);
    let line: Vec<(f64, f64)> = theirs.iter().filter(|p| p.last.is_finite()).map(|p| (p.to, p.last)).collect();
    let places: Vec<f64> = mine.iter().map(|p| p.to).collect();
    let at = cairn_stats::band::at_places(&line, &places);
    let inside = |x: f64| x.is_finite() && wanted.view.is_none_or(|[from, to]| x >= from && x <= to);
    Ok(mine.into_iter().zip(at).filter(|(_, x)| inside(*x)).map(|(p, x)| Piece { from: x, to: x, ..p }).collect())
}

impl Curve {
    /// The line through all that the pieces hold: their extremes stay visible; a piece without a number is a gap.
    pub(crate) fn line(&self) -> Vec<(f64, f64)> {
        let mut out: Vec<(f64, f64)> = Vec::with_capacity(self.pieces.len() * 2);
        let mut before = f64::NAN;
        for p in &self.pieces {
            if p.numbers == 0 {
                out.push((p.from, f64::NAN));
                continue;
            }
            if p.numbers == 1 || p.min == p.max {
                out.push((p.to, p.min));
                before = p.min;
                continue;
            }
            // Begin at the extreme that is nearer to where the line comes from.
            let up = !before.is_finite() || (before - p.min).abs() <= (before - p.max).abs();
            let (a, b) = if up { (p.min, p.max) } else { (p.max, p.min) };
            out.push((p.from, a));
            out.push((p.to, b));
            before = b;
        }
        // It ends where the metric ends.
        if let Some(p) = self.pieces.last().filter(|p| p.numbers > 1 && p.last.is_finite()) {
            out.push((p.to, p.last));
        }
        out
    }

    /// One value a piece, after smoothing.
    pub(crate) fn smoothed(&self) -> Vec<(f64, f64)> {
        self.pieces.iter().zip(&self.smooth).map(|(p, v)| (p.to, *v)).collect()
    }

    /// The values that stand for the pieces: means, or smoothed ones; for bringing runs together.
    pub(crate) fn middle(&self) -> Vec<(f64, f64)> {
        self.pieces.iter().zip(&self.smooth).filter(|(_, v)| v.is_finite()).map(|(p, v)| (f64::midpoint(p.from, p.to), *v)).collect()
    }

    pub(crate) fn bounds(&self) -> (f64, f64) {
        self.pieces.iter().filter(|p| p.min <= p.max).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p.min), b.max(p.max)))
    }
}
