//! A metric of a run as a curve: as many pieces as the picture has columns, however many points there are.

use super::spec::{ChartSpec, Smoothing};
use crate::ApiError;
use cairn_stats::smooth::{self, Mean};
use cairn_store::Reader;
use cairn_store::chunk::Stretch;
use cairn_store::metrics::{Along, Edges, Point};
use std::ops::Range;

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
    /// The pieces that are looked at; beside them may stand a neighbour, by which the line goes on to the edge.
    pub seen: Range<usize>,
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
/// Pieces of what lies before the view, by which smoothing knows its past, and points of its end that are read one by one.
const PAST: usize = 400;
const NEAR_PAST: u64 = 2_000;

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
    // Over another metric the last one in time is not the one furthest right.
    let last = match wanted.x {
        X::Metric(_) => pieces.last().map(|p| p.last),
        X::Step | X::Time | X::Relative => pieces.get(seen(&pieces, wanted.view)).and_then(|all| all.last()).map(|p| p.last),
    };
    if let X::Metric(_) = wanted.x {
        pieces.sort_by(|a, b| a.from.total_cmp(&b.from));
        pieces = by_column(pieces, wanted.columns * 2, spec.log_x);
    }
    let means: Vec<Mean> = past.iter().chain(&pieces).map(mean).collect();
    let smoothed = match spec.smoothing {
        Smoothing::None => means.iter().map(|m| m.value).collect(),
        Smoothing::Exponential => smooth::exponential(&means, spec.amount),
        Smoothing::Mean => smooth::moving(&means, spec.amount.clamp(1.0, 10_000.0) as u64),
    };
    let smooth = smoothed.into_iter().skip(past.len()).collect();
    Ok(Curve { smooth, total, complete, last: last.unwrap_or(f64::NAN), seen: seen(&pieces, wanted.view), pieces })
}

/// The pieces that a view meets.
fn seen(pieces: &[Piece], view: Option<[f64; 2]>) -> Range<usize> {
    let Some([from, to]) = view else { return 0..pieces.len() };
    let first = pieces.partition_point(|p| p.to < from);
    first..pieces.partition_point(|p| p.from <= to).max(first)
}

/// Pieces in order of x, those within one of `n` columns of equal width as one: drawing follows the width of the
/// picture, not the number of points.
fn by_column(pieces: Vec<Piece>, n: usize, log: bool) -> Vec<Piece> {
    if pieces.len() <= n {
        return pieces;
    }
    let place = |x: f64| if log { x.log10() } else { x / 2.0 };
    let finite = || pieces.iter().map(|p| place(p.from)).filter(|x| x.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    // What has no place keeps apart from what has one.
    let column =
        |p: &Piece| if place(p.from).is_finite() { ((place(p.from) - low) / (high - low) * n as f64) as usize } else { usize::MAX };
    let mut out: Vec<(usize, Piece)> = Vec::with_capacity(n + 1);
    for piece in pieces {
        let at = column(&piece);
        match out.last_mut() {
            Some((same, all)) if *same == at => all.take_in(&piece),
            _ => out.push((at, piece)),
        }
    }
    out.into_iter().map(|(_, piece)| piece).collect()
}

impl Piece {
    /// Another piece that follows becomes part of this one.
    fn take_in(&mut self, next: &Self) {
        let numbers = self.numbers + next.numbers;
        if next.numbers > 0 {
            let part = next.numbers as f64 / numbers as f64;
            self.mean = if self.numbers == 0 { next.mean } else { self.mean * (1.0 - part) + next.mean * part };
        }
        (self.count, self.numbers, self.to, self.last) = (self.count + next.count, numbers, next.to, next.last);
        (self.min, self.max) = (self.min.min(next.min), self.max.max(next.max));
        (self.nan, self.above, self.below) = (self.nan || next.nan, self.above || next.above, self.below || next.below);
    }
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
    let exact = |points: &[Point]| -> Vec<Piece> {
        points.iter().filter_map(|p| Stretch::of(std::slice::from_ref(p))).map(|s| piece(&s, along, zero)).collect()
    };
    let pieces: Vec<Piece> = if total <= few {
        exact(&r.points_between(run, key, along, range.unwrap_or((i64::MIN, i64::MAX)))?)
    } else {
        let found = r.along(run, key, along, Edges::Near, range, wanted.columns)?;
        match range {
            Some(range) if found.iter().map(|s| s.count).sum::<u64>() <= few => exact(&r.points_between(run, key, along, range)?),
            _ => found.iter().map(|s| piece(s, along, zero)).collect(),
        }
    };
    let first = pieces.first().map(|p| whole(p.from));
    let (Some(_), Some(first), true) = (range, first, spec.smoothing != Smoothing::None) else { return Ok((pieces, Vec::new())) };
    // What lies before the first piece, each point once: the nearer to it, the finer, and the last of it point by point.
    let before = first.saturating_sub(1);
    let begins = |s: &Stretch| if along == Along::Step { s.first_step } else { s.first_ts };
    let whole_past = r.along(run, key, along, Edges::Near, Some((i64::MIN / 4, before)), 1)?;
    let Some(mut from) = whole_past.first().map(begins).filter(|from| *from < first) else { return Ok((pieces, Vec::new())) };
    let mut past = Vec::new();
    loop {
        let found = r.along(run, key, along, Edges::Near, Some((from, before)), PAST)?;
        let mut points = 0;
        let near = found.iter().rev().take_while(|s| {
            points += s.count;
            points <= NEAR_PAST
        });
        let (far, near) = found.split_at(found.len() - near.count());
        let Some(last) = near.first().or(far.last()) else { break };
        let start = begins(last);
        let far = far.len() - usize::from(near.is_empty());
        past.extend(found.iter().take(far).map(|s| piece(s, along, zero)));
        if !near.is_empty() || start <= from {
            let mut points = r.points_between(run, key, along, (start, before))?;
            points.retain(|p| (start..first).contains(&along.of(p)));
            past.extend(exact(&points));
            break;
        }
        from = start;
    }
    Ok((pieces, past))
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
    /// A piece without a number is a gap.
    pub(crate) fn middle(&self) -> Vec<(f64, f64)> {
        self.pieces
            .iter()
            .zip(&self.smooth)
            .map(|(p, v)| (f64::midpoint(p.from, p.to), if v.is_finite() { *v } else { f64::NAN }))
            .collect()
    }

    /// The pieces that are looked at.
    pub(crate) fn looked(&self) -> &[Piece] {
        self.pieces.get(self.seen.clone()).unwrap_or_default()
    }

    pub(crate) fn bounds(&self) -> (f64, f64) {
        self.looked().iter().filter(|p| p.min <= p.max).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p.min), b.max(p.max)))
    }
}
