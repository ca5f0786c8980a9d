//! What Neptune's exporter wrote: Parquet files of attributes, a run in one or more parts, and a folder of files.
//!
//! Form: the README of `neptune-exporter` (columns `project_id`, `run_id`, `attribute_path`, `attribute_type`,
//! `step` as decimal(18,6), `timestamp`, and a column for each kind of value).

use crate::mlflow_db::files_below;
use crate::source::{Content, Event, Held, Outcome, Run, SourceError, Status, Take, modified_ms, plain_name, run_id};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// Parts that were read, with their size.
    parts: BTreeMap<String, u64>,
}

fn parts(root: &Path) -> Vec<(String, PathBuf)> {
    if root.is_file() {
        let name = root.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        return vec![(name, root.to_owned())];
    }
    files_below(root).into_iter().filter(|(name, _)| name.ends_with(".parquet")).collect()
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    SerializedFileReader::new(file).map_err(|e| e.to_string())
}

/// Whether a folder holds parts of an export.
pub(crate) fn is_export(root: &Path) -> bool {
    if !root.is_dir() {
        return false;
    }
    let first = parts(root).into_iter().next();
    first.and_then(|(_, path)| open(&path).ok()).is_some_and(|reader| {
        let columns = reader.metadata().file_metadata().schema_descr().columns().iter().map(|c| c.name().to_owned()).collect::<Vec<_>>();
        ["run_id", "attribute_path", "attribute_type"].iter().all(|c| columns.iter().any(|n| n == c))
    })
}

/// One attribute, as its row has it.
#[derive(Default)]
struct Attribute {
    project: String,
    run: String,
    path: String,
    kind: String,
    /// In millionths.
    step: Option<i128>,
    ms: Option<i64>,
    text: Option<String>,
    number: Option<f64>,
    file: Option<String>,
}

fn decimal(field: &Field) -> Option<i128> {
    let Field::Decimal(d) = field else {
        return match field {
            Field::Double(v) if v.is_finite() => {
                #[allow(clippy::cast_possible_truncation)] // steps; what is absurd is cut to the ends
                Some((v * 1e6).round() as i128)
            }
            Field::Long(v) => Some(i128::from(*v) * 1_000_000),
            _ => None,
        };
    };
    let mut value = d.data().iter().fold(0_i128, |n, b| (n << 8) | i128::from(*b));
    let bits = d.data().len() * 8;
    if bits > 0 && bits < 128 && value >> (bits - 1) == 1 {
        value -= 1 << bits;
    }
    let scale = u32::try_from(d.scale()).ok()?;
    if scale <= 6 { value.checked_mul(10_i128.pow(6 - scale)) } else { Some(value / 10_i128.checked_pow(scale - 6)?) }
}

fn attribute(row: &Row) -> Attribute {
    let mut out = Attribute::default();
    for (name, field) in row.get_column_iter() {
        let text = || match field {
            Field::Str(text) => text.clone(),
            _ => String::new(),
        };
        match (name.as_str(), field) {
            (_, Field::Null) => {}
            ("project_id", _) => out.project = text(),
            ("run_id", _) => out.run = text(),
            ("attribute_path", _) => out.path = text(),
            ("attribute_type", _) => out.kind = text(),
            ("step", field) => out.step = decimal(field),
            ("timestamp", Field::TimestampMillis(ms)) => out.ms = Some(*ms),
            ("timestamp", Field::TimestampMicros(us)) => out.ms = Some(us / 1000),
            ("float_value", Field::Double(v)) => out.number = Some(*v),
            ("float_value", Field::Float(v)) => out.number = Some(f64::from(*v)),
            ("int_value", Field::Long(v)) => out.text = Some(v.to_string()),
            ("int_value", Field::Int(v)) => out.text = Some(v.to_string()),
            ("string_value", Field::Str(v)) => out.text = Some(v.clone()),
            ("bool_value", Field::Bool(v)) => out.text = Some(v.to_string()),
            ("datetime_value", Field::TimestampMillis(ms)) => {
                out.ms = Some(*ms);
                out.text = jiff::Timestamp::from_millisecond(*ms).ok().map(|t| t.to_string());
            }
            ("string_set_value", Field::ListInternal(list)) => {
                let words = list.elements().iter().map(|f| if let Field::Str(t) = f { t.clone() } else { f.to_string() });
                out.text = Some(words.collect::<Vec<_>>().join(", "));
            }
            ("file_value", Field::Group(group)) => {
                out.file = group.get_column_iter().find_map(|(n, f)| match f {
                    Field::Str(t) if n == "path" => Some(t.clone()),
                    _ => None,
                });
            }
            ("histogram_value", field) => out.text = Some(field.to_string()),
            _ => {}
        }
    }
    out
}

pub(crate) fn read(root: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let mut at: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let mut outcome = Outcome::default();
    std::fs::metadata(root).map_err(|e| SourceError::Io(root.to_owned(), e))?;
    // The parts of a run lie beside each other; its attributes are needed before it can be named.
    let mut runs: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
    for (name, path) in parts(root) {
        let stem = name.rsplit_once("_part_").map_or(name.as_str(), |(stem, _)| stem).to_owned();
        runs.entry(stem).or_default().push((name, path));
    }
    for parts in runs.into_values() {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
        if parts.iter().all(|(name, path)| at.parts.get(name) == Some(&size(path))) {
            continue;
        }
        one_run(root, &parts, take, &mut outcome)?;
        for (name, path) in &parts {
            at.parts.insert(name.clone(), size(path));
        }
    }
    outcome.position = serde_json::to_value(&at).unwrap_or_default();
    Ok(outcome)
}

/// Gives each attribute of some parts to `each`; a part that is damaged is named, and the others are read.
fn walk(
    parts: &[(String, PathBuf)],
    outcome: &mut Outcome,
    each: &mut dyn FnMut(Attribute, &mut Outcome) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    for (_, path) in parts {
        let reader = match open(path) {
            Ok(reader) => reader,
            Err(error) => {
                outcome.problem(path, "the file", error);
                continue;
            }
        };
        let rows = match reader.get_row_iter(None) {
            Ok(rows) => rows,
            Err(error) => {
                outcome.problem(path, "the file", error.to_string());
                continue;
            }
        };
        for (n, row) in rows.enumerate() {
            match row {
                Ok(row) => each(attribute(&row), outcome)?,
                Err(error) => {
                    outcome.problem(path, format!("row {}", n + 1), error.to_string());
                    break;
                }
            }
        }
    }
    Ok(())
}

fn one_run(root: &Path, parts: &[(String, PathBuf)], take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
    // First what names the run, and how fine its steps are: MLflow's steps are whole numbers.
    let mut system: BTreeMap<String, Attribute> = BTreeMap::new();
    let (mut project, mut own) = (String::new(), String::new());
    let mut unit = 1_000_000_i128;
    let mut quiet = Outcome::default();
    walk(parts, &mut quiet, &mut |a, _| {
        if let Some(step) = a.step {
            while unit > 1 && step % unit != 0 {
                unit /= 10;
            }
        }
        if own.is_empty() {
            (project, own) = (a.project.clone(), a.run.clone());
        }
        if a.path.starts_with("sys/") {
            system.insert(a.path.clone(), a);
        }
        Ok(())
    })?;
    if own.is_empty() {
        outcome.problems.extend(quiet.problems);
        return Ok(());
    }
    let id = run_id(&["neptune", &project, &own]);
    let text = |path: &str| system.get(path).and_then(|a| a.text.clone()).filter(|t| !t.is_empty());
    let time = |path: &str| system.get(path).and_then(|a| a.ms);
    let made = parts.iter().map(|(_, p)| modified_ms(p)).min().unwrap_or(0);
    let start_ms = time("sys/creation_time").unwrap_or(made);
    take(Event::Run(Run {
        id: id.clone(),
        experiment: if project.is_empty() { "Neptune".to_owned() } else { project.clone() },
        name: text("sys/name").or_else(|| text("sys/custom_run_id")).or(Some(own.clone())),
        user: text("sys/owner").unwrap_or_default(),
        start_ms,
        parent: None,
    }))?;
    let mut tags = vec![("cairn.source".to_owned(), format!("neptune:{}", root.display())), ("neptune.id".to_owned(), own)];
    for (path, key) in [("sys/tags", "neptune.tags"), ("sys/group_tags", "neptune.group_tags"), ("sys/description", "mlflow.note.content")]
    {
        tags.extend(text(path).map(|t| (key.to_owned(), t)));
    }
    if unit != 1_000_000 {
        tags.push(("neptune.step_multiplier".to_owned(), (1_000_000 / unit).to_string()));
    }
    take(Event::Tags { run: id.clone(), pairs: tags })?;
    let mut held = Held::default();
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    let mut params = Vec::new();
    walk(parts, outcome, &mut |a, outcome| {
        // A step finer than a whole number is counted in the run's smallest unit.
        let step = a.step.map_or(0, |s| i64::try_from(s / unit).unwrap_or(i64::MAX));
        match a.kind.as_str() {
            _ if a.path.starts_with("sys/") => {}
            "float_series" => match a.number {
                Some(value) => held.push(id.clone(), plain_name(&a.path), (step, a.ms.unwrap_or(start_ms), value)),
                None => outcome.left_out("points without a value"),
            },
            "float" => params.extend(a.number.map(|v| (plain_name(&a.path), v.to_string()))),
            "int" | "string" | "bool" | "datetime" | "string_set" => params.extend(a.text.map(|t| (plain_name(&a.path), t))),
            "string_series" | "histogram_series" => {
                let line = serde_json::json!({ "step": step, "time": a.ms, "value": a.text });
                let folder = if a.kind == "string_series" { "text" } else { "histograms" };
                let file = lines.entry(format!("{folder}/{}.jsonl", plain_name(&a.path))).or_default();
                file.push_str(&line.to_string());
                file.push('\n');
            }
            "file" | "file_series" => match a.file.as_deref().and_then(|f| file_of(root, f)) {
                Some(from) => {
                    let ending = from.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
                    let name = plain_name(&a.path);
                    let name = if name.ends_with(&ending) { name } else { format!("{name}{ending}") };
                    let path = if a.kind == "file" { name } else { format!("{name}/step-{step}{ending}") };
                    take(Event::File { run: id.clone(), path, content: Content::At(from) })?;
                }
                None => outcome.left_out("files that are not in the export"),
            },
            other => outcome.left_out(if other.is_empty() { "attributes without a type" } else { other }),
        }
        if held.count > 10_000 {
            held.flush(take)?;
        }
        Ok(())
    })?;
    held.flush(take)?;
    if !params.is_empty() {
        take(Event::Params { run: id.clone(), pairs: params })?;
    }
    for (path, text) in lines {
        take(Event::File { run: id.clone(), path, content: Content::Bytes(text.into_bytes()) })?;
    }
    let failed = system.get("sys/failed").is_some_and(|a| a.text.as_deref() == Some("true"));
    let end_ms = time("sys/modification_time").or(Some(made));
    take(Event::Ended { run: id, status: if failed { Status::Failed } else { Status::Finished }, end_ms })?;
    Ok(())
}

/// Files lie in a folder of their own, beside or below the data.
fn file_of(root: &Path, name: &str) -> Option<PathBuf> {
    let plain = Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if !plain {
        return None;
    }
    let base = if root.is_file() { root.parent()? } else { root };
    [base.join("files"), base.to_owned(), base.parent()?.join("files"), base.parent()?.parent()?.join("files")]
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
