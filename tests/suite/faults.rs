//! The fault list of the sharing design: what goes wrong, and what must hold then.

mod clocks;
mod copies;
mod damage;
mod disk;
pub(crate) mod kill;
mod objects;
mod remote;
mod skew;
