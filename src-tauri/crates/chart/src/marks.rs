//! Marks that stand alone: points, bars with intervals, boxes, violins.

use crate::ChartError;
use crate::frame::{Frame, Plot, SCALE, failed};
use crate::line::marker;
use crate::look::Look;
use plotters::prelude::*;

/// A point of a scatter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    pub x: f64,
    pub y: f64,
    /// Radius in CSS pixels.
    pub radius: f64,
    pub look: Look,
    /// Between 0 and 1: a colour of the ramp instead of the look's.
    pub shade: Option<f64>,
    /// Whether nobody beats it.
    pub front: bool,
}

/// Points, and the line that joins those whom nobody beats.
pub fn dots(frame: &Frame, dots: &[Dot]) -> Result<Vec<String>, ChartError> {
    let mut layers = Vec::new();
    let mut front: Vec<(f64, f64)> =
        dots.iter().filter(|d| d.front).map(|d| frame.place(d.x, d.y)).filter(|p| p.0.is_finite() && p.1.is_finite()).collect();
    if front.len() > 1 {
        front.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        layers.push(frame.layer("front", None, Look { colour: 0, dash: 2 }, |plot| {
            plot.draw_series(LineSeries::new(front, frame.palette.text.stroke_width(12))).map_err(failed)?;
            Ok(())
        })?);
    }
    for (i, dot) in dots.iter().enumerate() {
        let at = frame.place(dot.x, dot.y);
        if !(at.0.is_finite() && at.1.is_finite()) {
            continue;
        }
        layers.push(frame.layer("series", Some(i), Look::default(), |plot| {
            let colour = dot.shade.map_or_else(|| frame.palette.line(dot.look.colour), |s| frame.palette.shade(s));
            let size = (dot.radius * f64::from(SCALE)) as u32;
            marker(plot, at, dot.look.dash, size, colour.mix(0.8).filled())?;
            if dot.front {
                marker(plot, at, dot.look.dash, size + 20, frame.palette.text.stroke_width(12))?;
            }
            Ok(())
        })?);
    }
    Ok(layers)
}

/// A bar from zero to a value, with an interval where there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    pub value: f64,
    pub interval: Option<(f64, f64)>,
    pub look: Look,
}

/// Height of a bar or box within its place, which is 1.
const THICK: f64 = 0.62;

/// Bars to the right, one for each place of the y axis, the first on top.
pub fn bars(frame: &Frame, bars: &[Bar]) -> Result<Vec<String>, ChartError> {
    rows(frame, bars.len(), |plot, i, middle, half| {
        let bar = &bars[i];
        if !bar.value.is_finite() {
            return Ok(());
        }
        let zero = frame.place(0.0, 0.0).0;
        let (a, b) = (if zero.is_finite() { zero } else { 0.0 }, frame.place(bar.value, 0.0).0);
        let colour = frame.palette.line(bar.look.colour);
        plot.draw_series([Rectangle::new([(a.min(b), middle - half), (a.max(b), middle + half)], colour.mix(0.85).filled())])
            .map_err(failed)?;
        if let Some((low, high)) = bar.interval {
            whisker(frame, plot, middle, half / 2.0, low, high)?;
        }
        Ok(())
    })
}

fn whisker(frame: &Frame, plot: &mut Plot<'_, '_>, middle: f64, half: f64, low: f64, high: f64) -> Result<(), ChartError> {
    let (a, b) = (frame.place(low, 0.0).0, frame.place(high, 0.0).0);
    let style = frame.palette.text.stroke_width(14);
    for path in [[(a, middle), (b, middle)], [(a, middle - half), (a, middle + half)], [(b, middle - half), (b, middle + half)]] {
        plot.draw_series(LineSeries::new(path, style)).map_err(failed)?;
    }
    Ok(())
}

/// How the values of a group spread.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    pub look: Look,
    /// Low whisker, first quartile, median, third quartile, high whisker.
    pub five: [f64; 5],
    pub outliers: Vec<f64>,
    /// A violin: values and their density; empty: a box.
    pub density: Vec<(f64, f64)>,
}

/// Boxes or violins, the first on top.
pub fn spreads(frame: &Frame, all: &[Spread]) -> Result<Vec<String>, ChartError> {
    rows(frame, all.len(), |plot, i, middle, half| {
        let s = &all[i];
        let colour = frame.palette.line(s.look.colour);
        let x = |v: f64| frame.place(v, 0.0).0;
        let [low, q1, median, q3, high] = s.five;
        let greatest = s.density.iter().map(|d| d.1).fold(0.0_f64, f64::max);
        let (box_half, edge) = if greatest > 0.0 {
            let side = |sign: f64| s.density.iter().map(move |d| (x(d.0), middle + sign * half * d.1 / greatest));
            let around: Vec<(f64, f64)> = side(1.0).chain(side(-1.0).collect::<Vec<_>>().into_iter().rev()).collect();
            plot.draw_series([Polygon::new(around, colour.mix(0.35).filled())]).map_err(failed)?;
            (half * 0.16, frame.palette.text)
        } else {
            whisker(frame, plot, middle, half / 2.0, low, high)?;
            (half, colour)
        };
        let corners = [(x(q1), middle - box_half), (x(q3), middle + box_half)];
        plot.draw_series([Rectangle::new(corners, frame.palette.ground.filled())]).map_err(failed)?;
        plot.draw_series([Rectangle::new(corners, colour.mix(0.35).filled())]).map_err(failed)?;
        plot.draw_series([Rectangle::new(corners, edge.stroke_width(12))]).map_err(failed)?;
        let line = [(x(median), middle - box_half), (x(median), middle + box_half)];
        plot.draw_series(LineSeries::new(line, frame.palette.text.stroke_width(20))).map_err(failed)?;
        if greatest == 0.0 {
            plot.draw_series(s.outliers.iter().take(200).map(|v| Circle::new((x(*v), middle), 25, colour.filled()))).map_err(failed)?;
        }
        Ok(())
    })
}

/// One layer for each place of the y axis: its middle and half of its height, between 0 and 1.
fn rows(
    frame: &Frame,
    count: usize,
    mut draw: impl FnMut(&mut Plot<'_, '_>, usize, f64, f64) -> Result<(), ChartError>,
) -> Result<Vec<String>, ChartError> {
    (0..count)
        .map(|i| {
            // Places count from below, rows from above.
            let place = (count - 1 - i) as f64;
            let (middle, top) = (frame.y.at(place), frame.y.at(place + THICK / 2.0));
            frame.layer("series", Some(i), Look::default(), |plot| draw(plot, i, middle, top - middle))
        })
        .collect()
}

/// Columns that stand between edges, such as a histogram's.
pub fn columns(frame: &Frame, edges: &[f64], counts: &[u64]) -> Result<Vec<String>, ChartError> {
    counts
        .iter()
        .zip(edges.windows(2))
        .enumerate()
        .map(|(i, (count, ends))| {
            frame.layer("series", Some(i), Look::default(), |plot| {
                let corners = [frame.place(ends[0], 0.0), frame.place(ends[1], *count as f64)];
                plot.draw_series([Rectangle::new(corners, frame.palette.line(0).mix(0.75).filled())]).map_err(failed)?;
                plot.draw_series([Rectangle::new(corners, frame.palette.ground.stroke_width(SCALE))]).map_err(failed)?;
                Ok(())
            })
        })
        .collect()
}

/// A straight line between two places, for reference.
pub fn rule(frame: &Frame, from: (f64, f64), to: (f64, f64)) -> Result<String, ChartError> {
    frame.layer("rule", None, Look { colour: 0, dash: 2 }, |plot| {
        let ends = [frame.place(from.0, from.1), frame.place(to.0, to.1)];
        plot.draw_series(LineSeries::new(ends, frame.palette.axis.stroke_width(12))).map_err(failed)?;
        Ok(())
    })
}

/// Many points as one layer: none of them is a series of its own.
pub fn cloud(frame: &Frame, dots: &[Dot]) -> Result<String, ChartError> {
    frame.layer("series", Some(0), Look::default(), |plot| {
        let all = dots.iter().map(|d| (frame.place(d.x, d.y), d)).filter(|(p, _)| p.0.is_finite() && p.1.is_finite());
        let circle = |(at, d): ((f64, f64), &Dot)| {
            Circle::new(at, (d.radius * f64::from(SCALE)) as u32, frame.palette.line(d.look.colour).mix(0.55).filled())
        };
        plot.draw_series(all.map(circle)).map_err(failed)?;
        Ok(())
    })
}
