//! Lines over steps, time or another metric, with the raw line and a band behind.

use crate::ChartError;
use crate::frame::{Frame, Plot, SCALE, failed};
use crate::look::Look;
use plotters::element::{Circle, Polygon, TriangleMarker};
use plotters::prelude::*;

/// One line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    pub look: Look,
    /// In order of x; a y that is not finite is a gap.
    pub points: Vec<(f64, f64)>,
    /// The line before it was smoothed, drawn faintly.
    pub raw: Vec<(f64, f64)>,
    /// x, low, high.
    pub band: Vec<(f64, f64, f64)>,
    /// Where values are no number.
    pub no_number: Vec<f64>,
    /// Where values are infinite, and whether upwards.
    pub infinite: Vec<(f64, bool)>,
}

/// Marks of values that have no place are thinned out to so many a line.
const SIGNS: usize = 40;

/// Each line as a layer of the frame.
pub fn layers(frame: &Frame, lines: &[Line]) -> Result<Vec<String>, ChartError> {
    let width = if lines.len() > 40 { 12 } else { 18 };
    lines.iter().enumerate().map(|(i, line)| frame.layer("series", Some(i), line.look, |plot| draw(frame, plot, line, width))).collect()
}

fn draw(frame: &Frame, plot: &mut Plot<'_, '_>, line: &Line, width: u32) -> Result<(), ChartError> {
    let colour = frame.palette.line(line.look.colour);
    for stretch in stretches(frame, line.band.iter().map(|b| (b.0, b.1, b.2))) {
        let under = stretch.iter().map(|(x, low, _)| (*x, *low));
        let over = stretch.iter().rev().map(|(x, _, high)| (*x, *high));
        plot.draw_series([Polygon::new(over.chain(under).collect::<Vec<_>>(), colour.mix(0.16).filled())]).map_err(failed)?;
    }
    let mut path = |points: &[(f64, f64)], style: ShapeStyle, end: bool| -> Result<(), ChartError> {
        let mut last = None;
        for stretch in stretches(frame, points.iter().map(|p| (p.0, p.1, p.1))) {
            let places: Vec<(f64, f64)> = stretch.iter().map(|p| (p.0, p.1)).collect();
            last = places.last().copied();
            if let [only] = places.as_slice() {
                // A line of one point is nothing to see.
                plot.draw_series([Circle::new(*only, 3 * SCALE, style.filled())]).map_err(failed)?;
            } else {
                plot.draw_series(LineSeries::new(places, style)).map_err(failed)?;
            }
        }
        match last {
            Some(at) if end => marker(plot, at, line.look.dash, 4 * SCALE, style.filled()),
            _ => Ok(()),
        }
    };
    path(&line.raw, colour.mix(0.3).stroke_width(10), false)?;
    path(&line.points, colour.stroke_width(width), line.look.dash > 0)?;
    signs(frame, plot, line)
}

/// Values that have no place stand at the edge: a cross for no number, a triangle for infinite ones.
fn signs(frame: &Frame, plot: &mut Plot<'_, '_>, line: &Line) -> Result<(), ChartError> {
    let colour = frame.palette.bad.stroke_width(14);
    let thin = |n: usize| n.div_ceil(SIGNS).max(1);
    let x = |v: f64| frame.x.at(v);
    let crosses: Vec<f64> =
        line.no_number.iter().step_by(thin(line.no_number.len())).map(|v| x(*v)).filter(|v| (0.0..=1.0).contains(v)).collect();
    plot.draw_series(crosses.into_iter().map(|v| Cross::new((v, 0.015), 3 * SCALE, colour))).map_err(failed)?;
    for (v, up) in line.infinite.iter().step_by(thin(line.infinite.len())).filter(|(v, _)| (0.0..=1.0).contains(&x(*v))) {
        if *up {
            plot.draw_series([TriangleMarker::new((x(*v), 0.985), 4 * SCALE, colour.filled())]).map_err(failed)?;
        } else {
            let (a, b, c) = ((-30, -40), (30, -40), (0, 20));
            let at = EmptyElement::at((x(*v), 0.015)) + Polygon::new(vec![a, b, c], colour.filled());
            plot.draw_series([at]).map_err(failed)?;
        }
    }
    Ok(())
}

/// A point of one of four shapes; `size` in the frame's large pixels.
pub fn marker(plot: &mut Plot<'_, '_>, at: (f64, f64), shape: usize, size: u32, style: ShapeStyle) -> Result<(), ChartError> {
    let r = size as i32;
    match shape % 4 {
        0 => plot.draw_series([Circle::new(at, size, style)]).map_err(failed)?,
        1 => plot.draw_series([TriangleMarker::new(at, size, style)]).map_err(failed)?,
        2 => plot.draw_series([EmptyElement::at(at) + Rectangle::new([(-r, -r), (r, r)], style)]).map_err(failed)?,
        _ => plot.draw_series([EmptyElement::at(at) + Polygon::new(vec![(0, -r), (r, 0), (0, r), (-r, 0)], style)]).map_err(failed)?,
    };
    Ok(())
}

/// Places in the plot, broken at gaps.
fn stretches(frame: &Frame, points: impl Iterator<Item = (f64, f64, f64)>) -> Vec<Vec<(f64, f64, f64)>> {
    let mut out: Vec<Vec<(f64, f64, f64)>> = vec![Vec::new()];
    for (x, low, high) in points {
        let (at, low) = frame.place(x, low);
        let (_, high) = frame.place(x, high);
        if at.is_finite() && low.is_finite() && high.is_finite() {
            if let Some(last) = out.last_mut() {
                last.push((at, low, high));
            }
        } else if out.last().is_some_and(|s| !s.is_empty()) {
            out.push(Vec::new());
        }
    }
    out.retain(|s| !s.is_empty());
    out
}
