//! `cairn log`: a run from a shell script, in one line.

use cairn_api::tracking::runs::{self, Batch, NewRun, put_artifact};
use cairn_api::tracking::{Point, RecordKind, RunStatus, TrackingError, experiments};
use cairn_api::{ApiError, Workspace};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Log {
    #[arg(long, default_value = "Default")]
    experiment: String,
    #[arg(long)]
    name: Option<String>,
    /// key=value; may stand several times.
    #[arg(long = "param")]
    params: Vec<String>,
    /// key=value or key=value@step; may stand several times.
    #[arg(long = "metric")]
    metrics: Vec<String>,
    /// key=value; may stand several times.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// A file to keep with the run; may stand several times.
    #[arg(long = "file")]
    files: Vec<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), ApiError> {
    let (key, value) = text.split_once('=').ok_or_else(|| ApiError::invalid(format!("\"{text}\" is not of the form key=value")))?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Log {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<Value, ApiError> {
        let now = workspace.edge.now_ms();
        let mut metrics = Vec::new();
        for text in &self.metrics {
            let (key, value) = pair(text)?;
            let (value, step) = value.split_once('@').unwrap_or((&value, "0"));
            let bad = || ApiError::invalid(format!("\"{text}\" is not of the form key=number or key=number@step"));
            metrics.push((key, Point { step: step.parse().map_err(|_| bad())?, ts: now, value: value.parse().map_err(|_| bad())? }));
        }
        let params = self.params.iter().map(|p| pair(p)).collect::<Result<Vec<_>, _>>()?;
        let tags = self.tags.iter().map(|p| pair(p)).collect::<Result<Vec<_>, _>>()?;
        let number = match experiments::by_name(workspace, &self.experiment) {
            Ok(found) => found.number,
            Err(TrackingError::NotFound(_)) => experiments::create(workspace, &self.experiment, std::collections::BTreeMap::new())?,
            Err(error) => return Err(error.into()),
        };
        let user = std::env::var("USER").unwrap_or_default();
        let run = runs::create(
            workspace,
            NewRun { experiment: number.to_string(), user, name: self.name.clone(), start_ms: now, ..NewRun::default() },
        )?;
        let logged = (|| {
            runs::log_batch(workspace, &run.id, Batch { metrics, params, tags, ..Batch::default() })?;
            for path in &self.files {
                let bytes =
                    std::fs::read(path).map_err(|e| TrackingError::Invalid(format!("{} could not be read: {e}", path.display())))?;
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                put_artifact(workspace, RecordKind::Run, &run.id, &name, &bytes)?;
            }
            Ok::<_, TrackingError>(())
        })();
        // A run that was begun is ended either way, so that nothing seems to run for ever.
        let status = if logged.is_ok() { RunStatus::Finished } else { RunStatus::Failed };
        runs::update(workspace, &run.id, Some(status), Some(workspace.edge.now_ms()), None)?;
        logged?;
        Ok(json!({ "run_id": run.id, "name": run.name() }))
    }
}
