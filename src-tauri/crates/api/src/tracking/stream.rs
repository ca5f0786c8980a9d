//! JSON lines of a program that is still running, logged as they come.

use super::TrackingError;
use super::import::{Files, Importer};
use crate::host::Workspace;
use cairn_ingest::jsonl::Lines;
use cairn_ingest::source::{SourceError, Stop};

/// Lines on their way into one run.
pub struct Stream<'w> {
    workspace: &'w Workspace,
    lines: Lines,
}

fn failed(error: &SourceError) -> TrackingError {
    TrackingError::Internal(error.to_string())
}

impl<'w> Stream<'w> {
    /// Lines that speak of this run unless they name another.
    pub fn into_run(workspace: &'w Workspace, run: &str) -> Self {
        Self { workspace, lines: Lines::about(run) }
    }

    /// Takes some lines and keeps what they say. Returns those that are no JSON objects.
    pub fn take<'l>(&mut self, lines: &[&'l [u8]]) -> Result<Vec<&'l [u8]>, TrackingError> {
        let now = self.workspace.edge.now_ms();
        let go_on = |_| true;
        let mut importer = Importer::new(self.workspace, Files::Leave, &go_on);
        let mut other = Vec::new();
        for line in lines {
            if !self.lines.line(line, now, &mut |event| importer.take(event)).map_err(|e| failed(&e))? {
                other.push(*line);
            }
        }
        self.lines.flush(&mut |event| importer.take(event)).map_err(|e| failed(&e))?;
        importer.flush().map_err(|Stop(why)| TrackingError::Internal(why))?;
        let refused = std::mem::take(&mut importer.taken.refused);
        for why in refused {
            self.lines.outcome.problems.push(cairn_ingest::source::Problem {
                file: "standard input".into(),
                place: "a value".to_owned(),
                what: why,
            });
        }
        Ok(other)
    }

    /// What could not be taken, each with its place.
    pub fn problems(&self) -> Vec<String> {
        self.lines.outcome.problems.iter().map(|p| format!("{}: {}", p.place, p.what)).collect()
    }
}
