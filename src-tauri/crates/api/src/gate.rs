//! The gate for pipelines: is this release approved, here and now?

use crate::ApiError;
use crate::host::Host;
use crate::releases::{ReleaseRef, get};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct GateAnswer {
    pub approved: bool,
    pub state: String,
    pub sentence: String,
    pub model: String,
    pub version: u32,
    /// The digest of the model's files: a pipeline compares it with what it is about to deploy.
    pub model_digest: String,
    pub release: String,
}

pub fn check(host: &Host, request: ReleaseRef) -> Result<GateAnswer, ApiError> {
    let release = get(host, request)?;
    Ok(GateAnswer {
        approved: release.state == "approved",
        state: release.state,
        sentence: release.sentence,
        model: release.version.model_name,
        version: release.version.number,
        model_digest: release.version.digest,
        release: release.id,
    })
}
