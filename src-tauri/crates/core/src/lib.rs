//! The domain of Cairn: what can happen (`op`), what follows from it (`fold`), who may do it
//! (`authority`), how a project moves (`lifecycle`), and when a release is approved
//! (`decision`; by the rules of earlier programs `release`).
//!
//! Pure by rule: no input or output, no clock, no random numbers, no SQL. Whoever calls passes the
//! time, the actor and the state. `serde` appears only where a type is part of the operations' wire
//! form, which `docs/format.md` specifies.

pub mod authority;
pub mod canonical;
pub mod card;
pub mod checklist;
pub mod criterion;
pub mod decision;
pub mod edge;
pub mod envelope;
pub mod fold;
pub mod hlc;
pub mod id;
pub mod lifecycle;
pub mod name;
pub mod op;
pub mod release;
pub mod risk;
pub mod role;
pub mod setting;
pub mod source;
pub mod strict;
pub mod text;
