//! SQLite: the operation log with its outbox, the views, metric points and content-addressed files.
//!
//! One way to write: [`Store::write`]. It checks authority, appends to the log and folds into the
//! views in one transaction; whoever listens is told only after the commit. Views are never written
//! by any other path, so they can always be made again from the log.

pub mod blobs;
pub mod causal;
pub mod cells;
pub mod chunk;
pub mod clean;
pub mod error;
mod experiments;
pub mod judge;
pub mod log;
pub mod metrics;
mod migrate;
pub mod model_metrics;
pub mod moves;
pub mod order;
pub mod records;
pub mod salvage;
pub mod search;
pub mod segments;
pub mod sharing;
pub mod sources;
mod store;
pub mod text_index;
pub mod writer;

pub use error::StoreError;
pub use store::{Reader, Store};
pub use writer::Writer;
