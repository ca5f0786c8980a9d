//! The fault list of the sharing design: what goes wrong, and what must hold then.

mod copies;
mod remote;
