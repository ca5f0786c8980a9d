//! Grids of cells: values over two axes, counts of a confusion matrix.

use crate::ChartError;
use crate::frame::{Frame, SCALE, failed};
use crate::look::Look;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Shades that are told apart; neighbours of one shade are drawn as one.
const SHADES: f64 = 24.0;

/// Cells of equal size over the whole plot, row by row from below; between 0 and 1, NaN: nothing there.
pub fn shades(frame: &Frame, columns: usize, cells: &[f64]) -> Result<String, ChartError> {
    let rows = cells.len().div_ceil(columns.max(1)).max(1);
    frame.layer("cells", None, Look::default(), |plot| {
        for (r, row) in cells.chunks(columns.max(1)).enumerate() {
            let level = |v: &f64| if v.is_nan() { -1 } else { (v.clamp(0.0, 1.0) * SHADES).round() as i32 };
            let mut from = 0;
            for same in row.chunk_by(|a, b| level(a) == level(b)) {
                let to = from + same.len();
                let shade = level(&same[0]);
                if shade >= 0 {
                    let colour = frame.palette.shade(f64::from(shade) / SHADES);
                    let x = |c: usize| c as f64 / columns as f64;
                    let y = |r: usize| r as f64 / rows as f64;
                    plot.draw_series([Rectangle::new([(x(from), y(r)), (x(to), y(r + 1))], colour.filled())]).map_err(failed)?;
                }
                from = to;
            }
        }
        Ok(())
    })
}

/// A matrix with a text in each cell: rows from above; share (0 to 1, for the shade) and text.
pub fn matrix(frame: &Frame, cells: &[Vec<(f64, String)>]) -> Result<String, ChartError> {
    frame.layer("cells", None, Look::default(), |plot| {
        let rows = cells.len();
        for (r, row) in cells.iter().enumerate() {
            for (c, (share, text)) in row.iter().enumerate() {
                let (x, y) = (c as f64, (rows - 1 - r) as f64);
                let corner = |dx: f64, dy: f64| frame.place(x + dx, y + dy);
                plot.draw_series([Rectangle::new([corner(-0.48, -0.48), corner(0.48, 0.48)], frame.palette.shade(*share).filled())])
                    .map_err(failed)?;
                let ink = frame.palette.ink_on(*share);
                let size = if row.len() > 12 { 10 } else { 13 };
                let style = ("sans-serif", size * SCALE).into_font().color(&ink).pos(Pos::new(HPos::Center, VPos::Center));
                plot.draw_series([Text::new(text.clone(), frame.place(x, y), style)]).map_err(failed)?;
            }
        }
        Ok(())
    })
}
