//! Statistics: summaries, smoothing, bands, intervals, what matters for what. Only numbers: no I/O, no clock, no chance
//! that a seed does not fix.

pub mod band;
pub mod compare;
pub mod forest;
pub mod judge;
pub mod quantile;
pub mod relate;
pub mod smooth;
pub mod summary;
