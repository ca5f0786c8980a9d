//! What the readers of runs have in common: what they tell, where they stopped, what they could not read.

use cairn_core::source::RunSource;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One thing that a source says. Runs are named by 32 hexadecimal digits that follow from the source
/// alone, so that reading it again, here or elsewhere, finds the same run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Run(Run),
    Params {
        run: String,
        pairs: Vec<(String, String)>,
    },
    Tags {
        run: String,
        pairs: Vec<(String, String)>,
    },
    Points {
        run: String,
        key: String,
        points: Vec<Measured>,
    },
    Input {
        run: String,
        dataset: Dataset,
    },
    /// A file to keep with the run, under this path.
    File {
        run: String,
        path: String,
        content: Content,
    },
    /// Which code and environment made a run, as far as the source says; with the files that it speaks of.
    Source {
        run: String,
        source: Box<RunSource>,
        changes: Vec<u8>,
        packages: Vec<u8>,
    },
    /// A file that stays where it is.
    Reference {
        run: String,
        path: String,
        address: String,
        size: Option<u64>,
        version: Option<String>,
    },
    Ended {
        run: String,
        status: Status,
        end_ms: Option<i64>,
    },
}

/// Step, milliseconds since 1970, value.
pub type Measured = (i64, i64, f64);

/// Points on their way, by run and metric.
#[derive(Default)]
pub(crate) struct Held {
    points: BTreeMap<(String, String), Vec<Measured>>,
    pub(crate) count: usize,
}

impl Held {
    pub(crate) fn push(&mut self, run: String, key: String, point: Measured) {
        self.points.entry((run, key)).or_default().push(point);
        self.count += 1;
    }

    /// Hands them over.
    pub(crate) fn flush(&mut self, take: Take<'_>) -> Result<(), SourceError> {
        self.count = 0;
        for ((run, key), points) in std::mem::take(&mut self.points) {
            take(Event::Points { run, key, points })?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    pub id: String,
    pub experiment: String,
    pub name: Option<String>,
    pub user: String,
    pub start_ms: i64,
    pub parent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    pub name: String,
    pub digest: String,
    pub context: String,
    pub source_type: String,
    pub source: String,
    pub schema: String,
    pub profile: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    At(PathBuf),
    Bytes(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Finished,
    Failed,
    Killed,
}

/// Why reading was stopped from outside: cancelled, or what was read could not be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop(pub String);

/// Takes what a source says, in order.
pub type Take<'a> = &'a mut dyn FnMut(Event) -> Result<(), Stop>;

/// What could not be read. The rest was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: PathBuf,
    /// The place in it: a line, a byte, a table.
    pub place: String,
    pub what: String,
}

/// What a reader leaves behind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Where to go on next time.
    pub position: Value,
    pub problems: Vec<Problem>,
    /// What was left out on purpose, and how often.
    pub left_out: BTreeMap<String, u64>,
}

impl Outcome {
    pub(crate) fn problem(&mut self, file: &Path, place: impl Into<String>, what: impl Into<String>) {
        // A file that is wrong everywhere is one finding, not a million.
        if self.problems.len() < 100 {
            self.problems.push(Problem { file: file.to_owned(), place: place.into(), what: what.into() });
        } else {
            *self.left_out.entry("further problems".to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn left_out(&mut self, what: &str) {
        *self.left_out.entry(what.to_owned()).or_default() += 1;
    }
}

/// Why a source could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{0} cannot be read: {1}")]
    Io(PathBuf, std::io::Error),
    #[error("{file} is not what it seems to be: {what}")]
    Foreign { file: PathBuf, what: String },
    #[error("{0} is in use by another program; it will be read when that is done")]
    Busy(PathBuf),
    #[error("{}", .0.0)]
    Stopped(Stop),
}

impl From<Stop> for SourceError {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// The formats of runs that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// MLflow's default store: an SQLite file.
    MlflowDb,
    /// MLflow's older store: a folder of text files.
    MlflowFolder,
    TensorBoard,
    DvcLive,
    /// One JSON object a line, see the handbook.
    Jsonl,
    /// Trackio's SQLite file of one project.
    Trackio,
    /// A folder of runs that W&B logged without a network.
    Wandb,
    /// What Neptune's exporter wrote: Parquet files and folders of files.
    Neptune,
    /// A pipeline of DVC as it was last run: `dvc.lock`.
    Dvc,
}

impl Format {
    pub const ALL: [Self; 9] = [
        Self::MlflowDb,
        Self::MlflowFolder,
        Self::TensorBoard,
        Self::DvcLive,
        Self::Jsonl,
        Self::Trackio,
        Self::Wandb,
        Self::Neptune,
        Self::Dvc,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::MlflowDb => "mlflow_db",
            Self::MlflowFolder => "mlflow_folder",
            Self::TensorBoard => "tensorboard",
            Self::DvcLive => "dvclive",
            Self::Jsonl => "jsonl",
            Self::Trackio => "trackio",
            Self::Wandb => "wandb",
            Self::Neptune => "neptune",
            Self::Dvc => "dvc",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == text)
    }

    /// The name that people know.
    pub fn label(self) -> &'static str {
        match self {
            Self::MlflowDb => "MLflow database",
            Self::MlflowFolder => "MLflow folder",
            Self::TensorBoard => "TensorBoard logs",
            Self::DvcLive => "DVCLive folder",
            Self::Jsonl => "JSON lines",
            Self::Trackio => "Trackio database",
            Self::Wandb => "W&B offline folder",
            Self::Neptune => "Neptune export",
            Self::Dvc => "DVC pipeline",
        }
    }

    /// What a file or folder holds, by looking at it.
    pub fn detect(path: &Path) -> Option<Self> {
        if path.is_file() {
            let name = path.file_name()?.to_string_lossy().into_owned();
            return match path.extension().and_then(|e| e.to_str()) {
                _ if name.contains(".tfevents.") => Some(Self::TensorBoard),
                Some("db" | "sqlite" | "sqlite3") => Some(if crate::trackio::is_trackio(path) { Self::Trackio } else { Self::MlflowDb }),
                Some("wandb") => Some(Self::Wandb),
                Some("lock") if name == "dvc.lock" => Some(Self::Dvc),
                Some("jsonl" | "ndjson") => Some(Self::Jsonl),
                _ => None,
            };
        }
        if path.join("mlflow.db").is_file() {
            return Some(Self::MlflowDb);
        }
        if path.join("0/meta.yaml").is_file() || crate::mlflow_folder::is_store(path) {
            return Some(Self::MlflowFolder);
        }
        if path.join("metrics.json").is_file() && path.join("plots").is_dir() || path.join("plots/metrics").is_dir() {
            return Some(Self::DvcLive);
        }
        if path.join("dvc.lock").is_file() {
            return Some(Self::Dvc);
        }
        if crate::wandb::has_runs(path) {
            return Some(Self::Wandb);
        }
        if crate::neptune::is_export(path) {
            return Some(Self::Neptune);
        }
        crate::tensorboard::has_events(path).then_some(Self::TensorBoard)
    }
}

/// Reads what is new in a source since `position` (null: everything).
///
/// # Errors
/// When nothing of it can be read, or when `take` says stop. What is wrong with a part of it is in
/// the outcome.
pub fn read(format: Format, path: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    match format {
        Format::MlflowDb => crate::mlflow_db::read(path, position, take),
        Format::MlflowFolder => crate::mlflow_folder::read(path, position, take),
        Format::TensorBoard => crate::tensorboard::read(path, position, take),
        Format::DvcLive => crate::dvclive::read(path, position, take),
        Format::Jsonl => crate::jsonl::read(path, position, take),
        Format::Trackio => crate::trackio::read(path, position, take),
        Format::Wandb => crate::wandb::read(path, position, take),
        Format::Neptune => crate::neptune::read(path, position, take),
        Format::Dvc => crate::dvc::read(path, position, take),
    }
}

/// The runs of a source that nobody writes to any more, in a format that has no word for the end: ids and the
/// time of the last that was heard of each. `patience_ms` without a change is the end.
pub fn quiet_runs(format: Format, path: &Path, position: &Value, now_ms: i64, patience_ms: i64) -> Vec<(String, i64)> {
    match format {
        Format::TensorBoard => crate::tensorboard::quiet_runs(path, position, now_ms, patience_ms),
        Format::Trackio => crate::trackio::quiet_runs(path, position, now_ms, patience_ms),
        Format::Wandb => crate::wandb::quiet_runs(path, position, now_ms, patience_ms),
        Format::MlflowDb | Format::MlflowFolder | Format::DvcLive | Format::Jsonl | Format::Neptune | Format::Dvc => Vec::new(),
    }
}

/// A nested object as flat pairs, `opt.lr` for a key in a key; lists and others as JSON.
pub(crate) fn flat(prefix: &str, value: &Value, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flat(&name, value, into);
            }
        }
        other => into.push((prefix.to_owned(), other.clone())),
    }
}

/// A value as the text of a parameter.
pub(crate) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A number, or one of the words that JSON has no number for; true and false are 1 and 0.
pub(crate) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(text) => match text.as_str() {
            "NaN" | "nan" => Some(f64::NAN),
            "Infinity" | "inf" => Some(f64::INFINITY),
            "-Infinity" | "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Milliseconds since 1970 of a time as ISO 8601 writes it; one without a zone is taken as UTC.
pub(crate) fn iso_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| format!("{text}Z").parse().ok())?;
    Some(at.as_millisecond())
}

/// Runs whose name is an id of MLflow's form keep it.
pub(crate) fn own_or_made_id(own: &str, parts: &[&str]) -> String {
    let plain = own.replace('-', "");
    if plain.len() == 32 && plain.bytes().all(|b| b.is_ascii_hexdigit()) { plain.to_lowercase() } else { run_id(parts) }
}

/// The name of a run that has none of its own: it follows from what identifies it.
pub(crate) fn run_id(parts: &[&str]) -> String {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    hash.update(b"cairn-run");
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// The sha256 of a file and its size, whatever its size.
pub fn digest_of(path: &Path) -> std::io::Result<(cairn_core::id::Digest, u64)> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut hash = cairn_core::canonical::Hasher::default();
    let mut buffer = vec![0_u8; 1 << 18];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hash.digest(), size));
        }
        hash.add(&buffer[..read]);
        size += read as u64;
    }
}

/// Milliseconds since 1970 of a file's last change.
pub(crate) fn modified_ms(path: &Path) -> i64 {
    let since = |t: std::time::SystemTime| t.duration_since(std::time::UNIX_EPOCH).ok();
    let found = std::fs::metadata(path).and_then(|m| m.modified()).ok().and_then(since);
    found.and_then(|d| i64::try_from(d.as_millis()).ok()).unwrap_or(0)
}

/// A name as MLflow allows it: other characters become `_`, and no path leaves its folder.
pub(crate) fn plain_name(raw: &str) -> String {
    let good = |c: char| if c.is_alphanumeric() || "_-. :/".contains(c) { c } else { '_' };
    let text: String = raw.chars().map(good).take(250).collect();
    let parts: Vec<&str> = text.split('/').filter(|p| !p.is_empty() && *p != "." && *p != "..").collect();
    if parts.is_empty() { "unnamed".to_owned() } else { parts.join("/") }
}
