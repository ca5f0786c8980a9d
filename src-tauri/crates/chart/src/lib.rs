//! Charts, drawn by plotters as SVG: the same picture in the window, in a card and from the command
//! line. Cost follows pixels: a line is reduced to the extremes of every pixel column first.

pub mod line;
pub mod reduce;
pub mod theme;
