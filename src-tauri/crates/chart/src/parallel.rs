//! Parallel coordinates: one upright axis a column, one line a run.

use crate::ChartError;
use crate::axis::{Axis, Measure, Scale};
use crate::frame::{Frame, SCALE, failed};
use crate::look::Look;
use crate::text::cut;
use crate::theme::Palette;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A column as an axis: numbers, or names in places 0, 1, 2 …
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub axis: Axis,
    /// Of each run; NaN: it has none.
    pub values: Vec<f64>,
}

/// The frame: the names of the columns below, room for the values at the ends.
pub fn frame(width: u32, height: u32, palette: Palette, columns: &[Column]) -> Result<Frame, ChartError> {
    let names = columns.iter().map(|c| c.axis.label.clone()).collect();
    let y = Axis { label: String::new(), measure: Measure::Names(Vec::new()), scale: Scale::Linear, from: -0.08, to: 1.08 };
    let mut frame = Frame::new(width, height, palette, Axis::named("", names), y)?;
    frame.grid = false;
    frame.left = 16;
    Ok(frame)
}

/// The lines, each of a shade of the ramp (NaN: grey), then the axes above them.
pub fn layers(frame: &Frame, columns: &[Column], shades: &[f64]) -> Result<Vec<String>, ChartError> {
    let mut out = Vec::new();
    for (i, shade) in shades.iter().enumerate() {
        let colour = if shade.is_nan() { frame.palette.axis } else { frame.palette.shade(0.15 + 0.85 * shade) };
        out.push(frame.layer("series", Some(i), Look::default(), |plot| {
            let at = |c: usize, column: &Column| frame.place(c as f64, column.axis.at(column.values[i]));
            let places: Vec<(f64, f64)> = columns.iter().enumerate().map(|(c, column)| at(c, column)).collect();
            for part in places.split(|p| p.1.is_nan()).filter(|p| p.len() > 1) {
                plot.draw_series(LineSeries::new(part.to_vec(), colour.mix(0.75).stroke_width(14))).map_err(failed)?;
            }
            Ok(())
        })?);
    }
    out.push(frame.layer("axes", None, Look::default(), |plot| {
        for (c, column) in columns.iter().enumerate() {
            let upright = [frame.place(c as f64, 0.0), frame.place(c as f64, 1.0)];
            plot.draw_series(LineSeries::new(upright, frame.palette.axis.stroke_width(12))).map_err(failed)?;
            let most = (frame.height as usize / 40).clamp(2, 8);
            for (at, text) in column.axis.ticks(most) {
                // At the right edge the texts stand to the left of their axis.
                let last = c + 1 == columns.len() && c > 0;
                let side = if last { HPos::Right } else { HPos::Left };
                let style = ("sans-serif", 11 * SCALE).into_font().color(&frame.palette.text).pos(Pos::new(side, VPos::Center));
                let text = cut(&text, 14);
                let shift = if last { -50 } else { 50 };
                plot.draw_series([EmptyElement::at(frame.place(c as f64, at)) + Text::new(text, (shift, 0), style)]).map_err(failed)?;
            }
        }
        Ok(())
    })?);
    Ok(out)
}
