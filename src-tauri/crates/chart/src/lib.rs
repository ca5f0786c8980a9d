//! Charts, drawn by plotters as SVG: the same picture in the window, in a card and from the command
//! line. Cost follows pixels: a line comes here as the extremes of every pixel column.
//!
//! This crate only draws. What is drawn, and what is said of it, is decided above.

pub mod axis;
pub mod frame;
pub mod grid;
pub mod line;
pub mod look;
pub mod marks;
pub mod parallel;
pub mod picture;
pub mod text;
pub mod theme;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error("a chart is 120 to 4000 pixels wide and high")]
    Size,
    #[error("the chart could not be drawn: {0}")]
    Draw(String),
}
