//! `mlruns/`, MLflow's older store: a folder of text files.

use crate::mlflow_db::files_below;
use crate::source::{Content, Dataset, Event, Outcome, Run, SourceError, Status, Take};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// Bytes read of each metric file, by run and name.
    metrics: BTreeMap<String, u64>,
    /// Runs that ended and were read whole.
    done: Vec<String>,
}

/// What stands in `meta.yaml` of an experiment or a run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Meta {
    name: Option<String>,
    run_name: Option<String>,
    run_id: Option<String>,
    run_uuid: Option<String>,
    lifecycle_stage: Option<String>,
    user_id: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    status: Option<Value>,
}

pub(crate) fn is_store(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().take(1_000).any(|e| {
        let meta = e.path().join("meta.yaml");
        meta.is_file() && std::fs::read_to_string(meta).is_ok_and(|text| text.contains("experiment_id"))
    })
}

fn meta(path: &Path, outcome: &mut Outcome) -> Option<Meta> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            outcome.problem(path, "the file", error.to_string());
            return None;
        }
    };
    match serde_saphyr::from_str(&text) {
        Ok(meta) => Some(meta),
        Err(error) => {
            outcome.problem(path, "the file", error.to_string());
            None
        }
    }
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

pub(crate) fn read(root: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let mut position: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let mut outcome = Outcome::default();
    std::fs::read_dir(root).map_err(|e| SourceError::Io(root.to_owned(), e))?;
    for experiment in folders(root) {
        let file = experiment.join("meta.yaml");
        if !file.is_file() || experiment.ends_with(".trash") || experiment.ends_with("models") {
            continue;
        }
        let Some(about) = meta(&file, &mut outcome) else { continue };
        if about.lifecycle_stage.as_deref() == Some("deleted") {
            continue;
        }
        let name = about.name.unwrap_or_else(|| experiment.file_name().unwrap_or_default().to_string_lossy().into_owned());
        for run in folders(&experiment) {
            if run.join("meta.yaml").is_file() {
                one_run(&run, &name, &mut position, take, &mut outcome)?;
            }
        }
    }
    outcome.position = serde_json::to_value(&position).unwrap_or_default();
    Ok(outcome)
}

/// The files of a folder as names and texts; names may hold `/`.
fn texts(dir: &Path, outcome: &mut Outcome) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, path) in files_below(dir) {
        match std::fs::read(&path) {
            Ok(bytes) => found.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) => outcome.problem(&path, "the file", error.to_string()),
        }
    }
    found
}

fn one_run(dir: &Path, experiment: &str, position: &mut Position, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
    let Some(about) = meta(&dir.join("meta.yaml"), outcome) else { return Ok(()) };
    let folder = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let id = about.run_id.or(about.run_uuid).unwrap_or(folder);
    if about.lifecycle_stage.as_deref() == Some("deleted") || position.done.contains(&id) {
        return Ok(());
    }
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        outcome.problem(dir, "meta.yaml", format!("\"{id}\" is no run's id"));
        return Ok(());
    }
    let tags = texts(&dir.join("tags"), outcome);
    let tag = |key: &str| tags.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    take(Event::Run(Run {
        id: id.clone(),
        experiment: experiment.to_owned(),
        name: about.run_name.filter(|n| !n.is_empty()).or_else(|| tag("mlflow.runName")),
        user: about.user_id.unwrap_or_default(),
        start_ms: about.start_time.unwrap_or(0),
        parent: tag("mlflow.parentRunId"),
    }))?;
    let params = texts(&dir.join("params"), outcome);
    if !params.is_empty() {
        take(Event::Params { run: id.clone(), pairs: params })?;
    }
    if !tags.is_empty() {
        take(Event::Tags { run: id.clone(), pairs: tags })?;
    }
    inputs(dir, &id, take, outcome)?;
    for (key, path) in files_below(&dir.join("metrics")) {
        metric(&path, &key, &id, position, take, outcome)?;
    }
    let word = match &about.status {
        Some(Value::Number(n)) => n.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    // MLflow writes the status as its number: 1 running, 3 finished, 4 failed, 5 killed.
    let status = match word {
        Some(3) => Some(Status::Finished),
        Some(4) => Some(Status::Failed),
        Some(5) => Some(Status::Killed),
        _ => None,
    };
    if let Some(status) = status {
        for (path, from) in files_below(&dir.join("artifacts")) {
            take(Event::File { run: id.clone(), path, content: Content::At(from) })?;
        }
        take(Event::Ended { run: id.clone(), status, end_ms: about.end_time })?;
        position.done.push(id);
    }
    Ok(())
}

fn inputs(dir: &Path, run: &str, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Input {
        source_id: String,
        tags: BTreeMap<String, String>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct About {
        name: String,
        digest: String,
        source_type: String,
        source: String,
        schema: Option<String>,
        profile: Option<String>,
    }
    for input in folders(&dir.join("inputs")) {
        let file = input.join("meta.yaml");
        let read = std::fs::read_to_string(&file).ok().and_then(|t| serde_saphyr::from_str::<Input>(&t).ok());
        let Some(read) = read else {
            outcome.problem(&file, "the file", "it is no description of an input");
            continue;
        };
        let of = dir.parent().unwrap_or(dir).join("datasets").join(&read.source_id).join("meta.yaml");
        let Some(about) = std::fs::read_to_string(&of).ok().and_then(|t| serde_saphyr::from_str::<About>(&t).ok()) else { continue };
        let dataset = Dataset {
            name: about.name,
            digest: about.digest,
            context: read.tags.get("mlflow.data.context").cloned().unwrap_or_default(),
            source_type: about.source_type,
            source: about.source,
            schema: about.schema.unwrap_or_default(),
            profile: about.profile.unwrap_or_default(),
        };
        take(Event::Input { run: run.to_owned(), dataset })?;
    }
    Ok(())
}

/// Lines of `milliseconds value step`; the oldest stores have no step.
fn metric(path: &Path, key: &str, run: &str, position: &mut Position, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            outcome.problem(path, "the file", error.to_string());
            return Ok(());
        }
    };
    let at = position.metrics.entry(format!("{run}/{key}")).or_default();
    let from = usize::try_from(*at).unwrap_or(0).min(bytes.len());
    // A last line without its end is still being written.
    let Some(end) = bytes[from..].iter().rposition(|b| *b == b'\n').map(|i| from + i + 1) else { return Ok(()) };
    let before = bytes[..from].iter().filter(|b| **b == b'\n').count();
    let mut points = Vec::new();
    for (i, line) in String::from_utf8_lossy(&bytes[from..end]).lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |text: &str| match text {
            "nan" | "NaN" => Some(f64::NAN),
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            other => other.parse().ok(),
        };
        let read = match words.as_slice() {
            [ts, value] => ts.parse().ok().zip(number(value)).map(|(ts, v)| (0, ts, v)),
            [ts, value, step, ..] => ts.parse().ok().zip(number(value)).zip(step.parse().ok()).map(|((ts, v), step)| (step, ts, v)),
            _ => None,
        };
        match read {
            Some(point) => points.push(point),
            None => outcome.problem(path, format!("line {}", before + i + 1), "it is not \"milliseconds value step\""),
        }
    }
    *at = end as u64;
    if !points.is_empty() {
        take(Event::Points { run: run.to_owned(), key: key.to_owned(), points })?;
    }
    Ok(())
}
