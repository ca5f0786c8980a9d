//! What Cairn can do, as one list of commands, and the handlers behind it.
//!
//! Every host (window, loopback, command line) goes through [`commands::dispatch`]. Wire types live
//! here, beside their handlers, so that the domain can change without breaking a client. Handlers
//! are plain synchronous functions: hosts run them off their async threads.

pub mod artifacts;
pub mod audit;
pub mod cards;
pub mod charts;
pub mod checklists;
mod checks;
pub mod commands;
pub mod comments;
pub mod compare;
pub mod content;
pub mod criteria;
pub mod cycles;
pub mod datasets;
pub mod deletion;
pub mod deployments;
pub mod edge;
pub mod error;
pub mod find;
pub mod findings;
pub mod gate;
pub mod graph;
pub mod host;
pub mod inbox;
pub mod lead_times;
pub mod lineage;
pub mod maintenance;
pub mod maturity;
pub mod members;
pub mod models;
pub mod monitors;
pub mod notes;
pub mod overview;
pub mod panels;
pub mod people;
pub mod pins;
pub mod problem;
pub mod projects;
pub mod recovery;
pub mod releases;
pub mod repair;
pub mod reproduce;
pub mod risk;
pub mod rules;
pub mod run_table;
pub mod runs;
pub mod settings;
pub mod sharing;
pub mod sources;
pub mod templates;
pub mod test_score;
pub mod tracking;
pub mod views;
pub mod workspaces;

pub use cairn_os::watch::FolderWatch;
pub use error::ApiError;
pub use host::{Host, Workspace};
