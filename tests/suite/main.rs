//! The whole system but the window: several people on several computers with a real remote.
#![allow(clippy::unwrap_used)]

mod architecture;
mod authority;
mod charts;
mod decisions;
mod faults;
mod files;
mod fuzz;
mod golden;
mod guide;
mod hands;
mod hostile;
mod log;
mod seat;
mod segments;
mod sharing;
mod simulator;
mod together;
mod tracking;
mod transports;
