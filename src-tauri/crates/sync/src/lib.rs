//! Sharing through git: device keys and signatures, envelopes as signed commits in a bare repository
//! of our own, their verification, and the transport.
//!
//! Knows nothing of SQLite: it turns batches into commits and commits into verified batches. What
//! is accepted is decided by whoever calls, with the rules of `cairn-core`.

pub mod envelope;
pub mod errand;
pub mod keys;
pub mod note;
pub mod repo;
pub mod segment;
pub mod transport;

pub use envelope::{Fault, Inspected};
pub use errand::Errand;
pub use keys::{DeviceKey, KeyError};
pub use repo::Repo;
pub use transport::{Remote, Transport, TransportError};
