//! Taking runs from the files of other tools: once, or again and again while they are written.

use crate::ApiError;
use crate::host::{Host, Workspace};
use crate::sharing::Progress;
use crate::tracking::export;
use crate::tracking::import::{Files, Importer};
use crate::workspaces::Nothing;
use cairn_core::id::RunId;
use cairn_core::op::{Kind, Op, RunStatus};
use cairn_ingest::source::{self, Format, SourceError};
use cairn_os::watch::TreeWatch;
use cairn_store::sources::Source;
use cairn_sync::Errand;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use ts_rs::TS;

/// Files of runs are copied up to this size unless somebody says otherwise.
const FILE_MAX: u64 = 1 << 30;
/// A run that says nothing for so long, in a format that has no word for the end, has ended.
const QUIET_MS: i64 = 15 * 60_000;
/// Folders are looked at this often even if nobody says that something changed: network folders say nothing.
const POLL: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SourceView {
    #[ts(type = "number")]
    pub id: i64,
    pub path: String,
    /// The name of the format that people know.
    pub label: String,
    pub watched: bool,
    #[ts(type = "number | null")]
    pub looked_ms: Option<i64>,
    #[ts(type = "number")]
    pub runs: u64,
    #[ts(type = "number")]
    pub points: u64,
    /// What could not be read the last time.
    pub findings: Vec<String>,
    /// Why nothing of it could be read.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ImportSource {
    pub path: String,
    /// `mlflow_db`, `mlflow_folder`, `tensorboard`, `dvclive`, `jsonl`, `trackio`, `wandb`, `neptune`, `dvc`; found out when left out.
    #[serde(default)]
    #[ts(optional)]
    pub format: Option<String>,
    /// Go on taking what is written there.
    #[serde(default)]
    #[ts(optional, type = "boolean")]
    pub watch: bool,
    /// Do not copy the files of the runs.
    #[serde(default)]
    #[ts(optional, type = "boolean")]
    pub without_files: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Imported {
    pub source: SourceView,
    /// Runs that had news.
    #[ts(type = "number")]
    pub runs: u64,
    #[ts(type = "number")]
    pub points: u64,
    #[ts(type = "number")]
    pub files: u64,
    /// What was left out on purpose, and how often.
    #[ts(type = "Record<string, number>")]
    pub left_out: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SourceRef {
    #[ts(type = "number")]
    pub id: i64,
}

impl From<SourceError> for ApiError {
    fn from(error: SourceError) -> Self {
        match &error {
            SourceError::Io(..) => Self::new("io", error.to_string()).hint("Is the path right, and may you read it?"),
            SourceError::Foreign { .. } => Self::invalid(error.to_string()).hint("Nothing was taken."),
            SourceError::Busy(_) => Self::new("busy", error.to_string()).hint("Try again in a moment."),
            SourceError::Stopped(_) => Self::new("stopped", error.to_string()),
        }
    }
}

fn view(source: &Source) -> SourceView {
    SourceView {
        id: source.id,
        path: source.path.clone(),
        label: Format::parse(&source.format).map_or_else(|| source.format.clone(), |f| f.label().to_owned()),
        watched: source.watched,
        looked_ms: source.looked_ms,
        runs: source.runs,
        points: source.points,
        findings: serde_json::from_str(&source.findings).unwrap_or_default(),
        trouble: source.trouble.clone(),
    }
}

pub fn list(host: &Host, _: Nothing) -> Result<Vec<SourceView>, ApiError> {
    host.workspace()?.read(|r| Ok(r.sources()?.iter().map(view).collect()))
}

pub fn remove(host: &Host, request: SourceRef) -> Result<Vec<SourceView>, ApiError> {
    let gone = host.workspace()?.write(|w| w.forget_source(request.id).map_err(ApiError::from))?;
    if !gone {
        return Err(ApiError::not_found("This source"));
    }
    list(host, Nothing {})
}

/// Takes what a file or folder holds, and what is added to it later if it is to be watched.
pub fn import(host: &Host, request: ImportSource) -> Result<Imported, ApiError> {
    let workspace = host.workspace()?;
    let given = PathBuf::from(request.path.trim());
    let path = given.canonicalize().map_err(|e| {
        ApiError::new("io", format!("{} cannot be read: {e}", given.display())).hint("Name a file or folder that exists on this computer.")
    })?;
    let format = match request.format.as_deref() {
        Some(name) => Format::parse(name).ok_or_else(|| {
            let known: Vec<&str> = Format::ALL.iter().map(|f| f.as_str()).collect();
            ApiError::invalid(format!("\"{name}\" is no format of runs")).hint(format!("There are {}.", known.join(", ")))
        })?,
        None => Format::detect(&path).ok_or_else(|| {
            ApiError::invalid(format!("{} holds no runs in a format that Cairn knows", path.display())).hint(
                "It reads mlflow.db, mlruns folders, TensorBoard event files, DVCLive folders, dvc.lock, Trackio databases, W&B offline folders, Neptune exports and JSON lines. A folder is named itself, not its parent.",
            )
        })?,
    };
    let text = path.to_str().ok_or_else(|| ApiError::invalid("The path holds characters that no text has"))?;
    let source = workspace.write(|w| w.add_source(text, format.as_str(), request.watch).map_err(ApiError::from))?;
    let files = if request.without_files { Files::Leave } else { Files::UpTo(FILE_MAX) };
    let errand = Arc::new(Errand::default());
    host.set_import(Some(Arc::clone(&errand)));
    let done = lock(&workspace).and_then(|_one| look(&workspace, source, files, &errand));
    host.set_import(None);
    done
}

/// What the import that runs now has read so far.
pub fn progress(host: &Host, _: Nothing) -> Result<Option<Progress>, ApiError> {
    Ok(host.import().and_then(|e| e.step()).map(|s| Progress { what: s.what, done: s.done, total: s.total }))
}

/// Stops the import that runs now; what was read so far is kept.
pub fn cancel(host: &Host, _: Nothing) -> Result<bool, ApiError> {
    let errand = host.import();
    if let Some(errand) = &errand {
        errand.cancel();
    }
    Ok(errand.is_some())
}

/// One process of this computer reads sources at a time.
fn lock(workspace: &Workspace) -> Result<File, ApiError> {
    let open = File::options().create(true).write(true).truncate(false).open(workspace.dir().join("sources.lock"));
    let file = open.map_err(|e| ApiError::new("io", e.to_string()))?;
    file.lock().map_err(|e| ApiError::new("io", e.to_string()))?;
    Ok(file)
}

/// Reads what is new in a source.
fn look(workspace: &Workspace, mut source: Source, files: Files, errand: &Errand) -> Result<Imported, ApiError> {
    let format = Format::parse(&source.format).ok_or_else(|| ApiError::invalid(format!("{} is no format of runs", source.format)))?;
    let position = serde_json::from_str(&source.position).unwrap_or_default();
    let go_on = |points: u64| {
        errand.at("Points read", points, None);
        !errand.cancelled()
    };
    let mut importer = Importer::new(workspace, files, &go_on);
    let path = PathBuf::from(&source.path);
    let read = source::read(format, &path, &position, &mut |event| importer.take(event));
    let read = read.and_then(|outcome| importer.flush().map(|()| outcome).map_err(SourceError::from));
    let taken = std::mem::take(&mut importer.taken);
    let now = workspace.edge.now_ms();
    source.looked_ms = Some(now);
    source.runs += taken.runs.len() as u64;
    source.points += taken.points;
    let outcome = match read {
        Ok(outcome) => outcome,
        Err(error) => {
            source.trouble = Some(error.to_string());
            workspace.write(|w| w.looked_at_source(&source).map_err(ApiError::from))?;
            return Err(error.into());
        }
    };
    end_quiet_runs(workspace, format, &path, &outcome.position, now)?;
    let mut findings: Vec<String> = outcome.problems.iter().map(|p| format!("{}, {}: {}", p.file.display(), p.place, p.what)).collect();
    findings.extend(taken.refused);
    source.position = outcome.position.to_string();
    source.findings = serde_json::json!(findings).to_string();
    source.trouble = None;
    workspace.write(|w| w.looked_at_source(&source).map_err(ApiError::from))?;
    let mut left_out = outcome.left_out;
    if taken.large > 0 {
        left_out.insert("files larger than 1 GiB".to_owned(), taken.large);
    }
    Ok(Imported { source: view(&source), runs: taken.runs.len() as u64, points: taken.points, files: taken.files, left_out })
}

/// Some formats have no word for the end of a run: one that nobody writes to any more has ended.
fn end_quiet_runs(workspace: &Workspace, format: Format, path: &Path, position: &serde_json::Value, now: i64) -> Result<(), ApiError> {
    let quiet = source::quiet_runs(format, path, position, now, QUIET_MS);
    if quiet.is_empty() {
        return Ok(());
    }
    workspace.write(|w| {
        for (run, end_ms) in quiet {
            if w.record(Kind::Run, &run)?.is_some_and(|r| r.get("status") == Some("RUNNING")) {
                let run = RunId::parse(run)?;
                w.append(Op::RunUpdated { run: run.clone(), status: RunStatus::Finished, end_ms: Some(end_ms) })?;
                w.summarise(Some(&run))?;
                w.settle(&run)?;
            }
        }
        Ok(())
    })
}

/// Looks at all watched sources now.
pub fn look_now(host: &Host, _: Nothing) -> Result<Vec<SourceView>, ApiError> {
    let workspace = host.workspace()?;
    let _one = lock(&workspace)?;
    look_at(&workspace, |_| true);
    list(host, Nothing {})
}

fn look_at(workspace: &Workspace, wanted: impl Fn(&Source) -> bool) {
    let sources = workspace.read(|r| r.sources().map_err(ApiError::from)).unwrap_or_default();
    for source in sources.into_iter().filter(|s| s.watched && wanted(s)) {
        let path = source.path.clone();
        if let Err(error) = look(workspace, source, Files::UpTo(FILE_MAX), &Errand::default()) {
            // The person sees it beside the source.
            tracing::info!("{path}: {error}");
        }
    }
}

/// Takes what is written into watched sources, for as long as the program runs.
pub fn keep_watching(host: &Arc<Host>) {
    let host = Arc::clone(host);
    std::thread::spawn(move || {
        let mut watch = TreeWatch::default();
        loop {
            let Some(workspace) = host.current() else {
                std::thread::sleep(Duration::from_secs(1));
                continue;
            };
            let sources = workspace.read(|r| r.sources().map_err(ApiError::from)).unwrap_or_default();
            let paths: Vec<PathBuf> = sources.iter().filter(|s| s.watched).map(|s| PathBuf::from(&s.path)).collect();
            watch.follow(&paths);
            let changed = watch.wait(Duration::from_secs(2), POLL);
            if changed.is_empty() || paths.is_empty() {
                continue;
            }
            // Another process of this computer may be at it: then it sees the same change.
            let Ok(file) = File::options().create(true).write(true).truncate(false).open(workspace.dir().join("sources.lock")) else {
                continue;
            };
            if file.try_lock().is_ok() {
                look_at(&workspace, |s| changed.iter().any(|p| p == Path::new(&s.path)));
            }
        }
    });
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExportMlflow {
    /// A new or empty folder.
    pub dir: String,
    /// Only these experiments, by name; all when left out.
    #[serde(default)]
    #[ts(optional)]
    pub experiments: Option<Vec<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExportedRuns {
    pub dir: String,
    #[ts(type = "number")]
    pub experiments: u64,
    #[ts(type = "number")]
    pub runs: u64,
    #[ts(type = "number")]
    pub points: u64,
    #[ts(type = "number")]
    pub files: u64,
    /// Registered models.
    #[ts(type = "number")]
    pub models: u64,
    pub left_out: Vec<String>,
}

/// Writes runs and models as a folder that stock MLflow opens.
pub fn export_mlflow(host: &Host, request: ExportMlflow) -> Result<ExportedRuns, ApiError> {
    let workspace = host.workspace()?;
    let dir = PathBuf::from(request.dir.trim());
    let errand = Arc::new(Errand::default());
    host.set_import(Some(Arc::clone(&errand)));
    let go_on = |runs: u64| {
        errand.at("Runs written", runs, None);
        !errand.cancelled()
    };
    let done = export::mlruns(&workspace, &dir, &export::Wanted { experiments: request.experiments.as_deref(), go_on: &go_on });
    host.set_import(None);
    let done = done?;
    Ok(ExportedRuns {
        dir: dir.display().to_string(),
        experiments: done.experiments,
        runs: done.runs,
        points: done.points,
        files: done.files,
        models: done.models,
        left_out: done.left_out,
    })
}
