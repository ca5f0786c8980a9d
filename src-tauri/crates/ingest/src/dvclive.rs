//! The folder that DVCLive writes: tables of each metric, parameters, pictures.

use crate::mlflow_db::files_below;
use crate::source::{Content, Event, Outcome, Run, SourceError, Take, modified_ms, plain_name, run_id};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    run: Option<String>,
    /// Bytes read of each table.
    tables: BTreeMap<String, u64>,
    /// When other files were taken, by their change.
    files: BTreeMap<String, i64>,
    /// How often the folder was begun anew.
    generation: u64,
    /// The beginning of the first table: another one is another training.
    head: String,
}

pub(crate) fn read(root: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let mut at: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let mut outcome = Outcome::default();
    std::fs::read_dir(root).map_err(|e| SourceError::Io(root.to_owned(), e))?;
    let tables: Vec<_> = files_below(&root.join("plots/metrics")).into_iter().filter(|(name, _)| name.ends_with(".tsv")).collect();
    if let Some((name, path)) = tables.first() {
        let text = std::fs::read(path).map_err(|e| SourceError::Io(path.clone(), e))?;
        let shorter = at.tables.get(name).is_some_and(|read| *read > text.len() as u64);
        let head: String = String::from_utf8_lossy(&text).lines().take(2).collect::<Vec<_>>().join("\n");
        if shorter || (!at.head.is_empty() && !head.starts_with(&at.head)) {
            // DVCLive begins its folder anew with each training.
            at = Position { generation: at.generation + 1, ..Position::default() };
        }
        if text.iter().filter(|b| **b == b'\n').count() >= 2 {
            at.head = head;
        }
    }
    let run = match &at.run {
        Some(run) => run.clone(),
        None => {
            let id = run_id(&["dvclive", &root.to_string_lossy(), &at.generation.to_string(), &at.head]);
            let folder = |p: Option<&Path>| p.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
            let own = folder(Some(root)).unwrap_or_default();
            let experiment = folder(root.parent()).unwrap_or_else(|| "DVCLive".to_owned());
            let start_ms = tables.iter().map(|(_, p)| modified_ms(p)).min().unwrap_or_else(|| modified_ms(root));
            let name = if at.generation == 0 { own } else { format!("{own} {}", at.generation + 1) };
            take(Event::Run(Run { id: id.clone(), experiment, name: Some(name), start_ms, ..Run::default() }))?;
            let source = vec![("cairn.source".to_owned(), format!("dvclive:{}", root.display()))];
            take(Event::Tags { run: id.clone(), pairs: source })?;
            at.run = Some(id.clone());
            id
        }
    };
    for (name, path) in tables {
        table(&name, &path, &run, &mut at, take, &mut outcome)?;
    }
    params(root, &run, &mut at, take, &mut outcome)?;
    for (name, path) in files_below(root) {
        let wanted = !name.starts_with("plots/metrics/") && !matches!(name.as_str(), "params.yaml" | "metrics.json" | "dvc.yaml");
        let changed = modified_ms(&path);
        if wanted && at.files.get(&name) != Some(&changed) {
            at.files.insert(name.clone(), changed);
            take(Event::File { run: run.clone(), path: name, content: Content::At(path) })?;
        }
    }
    outcome.position = serde_json::to_value(&at).unwrap_or_default();
    Ok(outcome)
}

/// Tab-separated, with a head: `step`, then `timestamp` where DVCLive was told to write it, then the value.
fn table(name: &str, path: &Path, run: &str, at: &mut Position, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
    let bytes = std::fs::read(path).map_err(|e| SourceError::Io(path.to_owned(), e))?;
    let read = at.tables.entry(name.to_owned()).or_default();
    let from = usize::try_from(*read).unwrap_or(0).min(bytes.len());
    let Some(end) = bytes[from..].iter().rposition(|b| *b == b'\n').map(|i| from + i + 1) else { return Ok(()) };
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let key = plain_name(name.strip_suffix(".tsv").unwrap_or(name));
    let head: Vec<&str> = text.lines().next().unwrap_or_default().split('\t').map(str::trim).collect();
    let column = |wanted: &str| head.iter().position(|h| *h == wanted);
    let (Some(step_at), time_at) = (column("step"), column("timestamp")) else {
        outcome.problem(path, "line 1", "there is no column called step");
        return Ok(());
    };
    let value_at = head.iter().rposition(|h| *h != "step" && *h != "timestamp").unwrap_or(head.len() - 1);
    let fallback = modified_ms(path);
    let skip = bytes[..from].iter().filter(|b| **b == b'\n').count().max(1);
    let mut points = Vec::new();
    for (i, line) in text.lines().enumerate().skip(skip) {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        let number = |text: &str| match text {
            "nan" | "NaN" => Some(f64::NAN),
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            other => other.parse::<f64>().ok(),
        };
        #[allow(clippy::cast_possible_truncation)] // milliseconds since 1970
        let at_ms = time_at
            .and_then(|t| number(cell(t)))
            .filter(|t| t.is_finite())
            .map_or(fallback, |t| if t > 1e11 { t as i64 } else { (t * 1e3) as i64 });
        match (cell(step_at).parse::<i64>(), number(cell(value_at))) {
            (Ok(step), Some(value)) => points.push((step, at_ms, value)),
            (_, _) => outcome.problem(path, format!("line {}", i + 1), "it has no whole step and a number"),
        }
    }
    *read = end as u64;
    if !points.is_empty() {
        take(Event::Points { run: run.to_owned(), key, points })?;
    }
    Ok(())
}

fn params(root: &Path, run: &str, at: &mut Position, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
    let path = root.join("params.yaml");
    let changed = modified_ms(&path);
    if !path.is_file() || at.files.get("params.yaml") == Some(&changed) {
        return Ok(());
    }
    let text = std::fs::read_to_string(&path).map_err(|e| SourceError::Io(path.clone(), e))?;
    match serde_saphyr::from_str::<Value>(&text) {
        Ok(value) => {
            let mut pairs = Vec::new();
            flatten("", &value, &mut pairs);
            if !pairs.is_empty() {
                take(Event::Params { run: run.to_owned(), pairs })?;
            }
            at.files.insert("params.yaml".to_owned(), changed);
        }
        Err(error) => outcome.problem(&path, "the file", error.to_string()),
    }
    Ok(())
}

fn flatten(before: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    let name = |key: &str| if before.is_empty() { key.to_owned() } else { format!("{before}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, v)| flatten(&name(key), v, pairs)),
        Value::String(text) => pairs.push((plain_name(before), text.clone())),
        other => pairs.push((plain_name(before), other.to_string())),
    }
}
