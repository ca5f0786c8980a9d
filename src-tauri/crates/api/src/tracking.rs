//! Experiments, runs, logged models and their files, with MLflow's rules: what a training script may
//! do. Nothing here signs, approves, reads notes or changes a governed record.

/// The reason of what MLflow's interface does, which asks for none: the trail says that no person was asked.
pub(crate) const BY_SCRIPT: &str = "by a script, through MLflow's interface";

pub mod complete;
pub mod experiments;
pub mod export;
pub mod files;
pub mod filter;
pub mod import;
pub mod logged_models;
pub mod origin;
pub mod registry;
pub mod runs;
pub mod stream;
pub mod validate;

use cairn_store::StoreError;

/// Why a tracking request was not done, in MLflow's classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrackingError {
    /// 400 `INVALID_PARAMETER_VALUE`
    Invalid(String),
    /// 404 `RESOURCE_DOES_NOT_EXIST`
    NotFound(String),
    /// 400 `RESOURCE_ALREADY_EXISTS`
    AlreadyExists(String),
    /// 400 `INVALID_STATE`
    State(String),
    /// 403 `PERMISSION_DENIED`
    Denied(String),
    /// 500 `INTERNAL_ERROR`: never for what a user did wrong.
    Internal(String),
}

impl TrackingError {
    pub fn message(&self) -> &str {
        match self {
            Self::Invalid(m) | Self::NotFound(m) | Self::AlreadyExists(m) | Self::State(m) | Self::Denied(m) | Self::Internal(m) => m,
        }
    }
}

impl From<StoreError> for TrackingError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Denied(denied) => Self::Denied(denied.to_string()),
            StoreError::TooLong(bytes) => Self::Invalid(format!("A value of {bytes} bytes is longer than the log allows")),
            StoreError::NotFound(what) => Self::NotFound(format!("{what} does not exist")),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<cairn_core::id::BadId> for TrackingError {
    fn from(error: cairn_core::id::BadId) -> Self {
        Self::Invalid(error.to_string())
    }
}

pub use cairn_core::op::{Kind as RecordKind, RunStatus};
pub use cairn_os::process::Process;
pub use cairn_store::metrics::{Point, Summary};
pub use cairn_store::search::{RunSearch, View};
