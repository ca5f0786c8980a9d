//! Runs, logged models and registered models as a folder that stock MLflow opens: its file store (`mlruns`).
//!
//! MLflow 3.18 and later read it with `MLFLOW_ALLOW_FILE_STORE=true`, or turn it into an SQLite file with
//! `mlflow migrate-filestore`. Every point is written, never a sample.

use super::files::{Artifact, artifacts};
use super::filter::{self, Dialect, Entity};
use super::logged_models::{self, LoggedModel};
use super::runs::{self, Run};
use super::{TrackingError, experiments, registry, validate};
use crate::content;
use crate::host::Workspace;
use cairn_core::id::LoggedModelId;
use cairn_core::op::Kind;
use cairn_store::search::{RunSearch, View};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Runs that are read at once.
const PAGE: usize = 200;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    pub experiments: u64,
    pub runs: u64,
    pub points: u64,
    pub files: u64,
    pub models: u64,
    /// What is not in the folder, and why; at most a hundred.
    pub left_out: Vec<String>,
}

/// Which experiments are written: all, or those of these names.
pub struct Wanted<'a> {
    pub experiments: Option<&'a [String]>,
    pub go_on: &'a dyn Fn(u64) -> bool,
}

struct Out<'w> {
    workspace: &'w Workspace,
    dir: PathBuf,
    done: Exported,
}

fn io(path: &Path, error: &std::io::Error) -> TrackingError {
    TrackingError::Invalid(format!("{} could not be written: {error}", path.display()))
}

/// YAML of flat fields: JSON's scalars are YAML's too.
fn yaml(fields: &[(&str, Value)]) -> String {
    fields.iter().fold(String::new(), |mut out, (key, value)| {
        let _ = writeln!(out, "{key}: {value}");
        out
    })
}

fn number(value: f64) -> String {
    // Python reads these words, and MLflow writes them.
    if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

/// Writes `mlruns` into a folder that is new or empty.
pub fn mlruns(workspace: &Workspace, dir: &Path, wanted: &Wanted<'_>) -> Result<Exported, TrackingError> {
    if std::fs::read_dir(dir).is_ok_and(|mut d| d.next().is_some()) {
        return Err(TrackingError::AlreadyExists(format!("The folder {} is not empty", dir.display())));
    }
    let mut all = experiments::all(workspace)?;
    all.retain(|e| !e.deleted && wanted.experiments.is_none_or(|names| names.contains(&e.name)));
    if let Some(name) = wanted.experiments.into_iter().flatten().find(|n| all.iter().all(|e| e.name != **n)) {
        return Err(TrackingError::NotFound(format!("There is no experiment called {name}")));
    }
    std::fs::create_dir_all(dir).map_err(|e| io(dir, &e))?;
    let dir = dir.canonicalize().map_err(|e| io(dir, &e))?;
    let mut out = Out { workspace, dir, done: Exported::default() };
    for e in &all {
        out.experiment(e, wanted.go_on)?;
    }
    for model in registry::search(workspace, &filter::parse(Entity::RegisteredModel, Dialect::Wide, "")?, &[])? {
        out.model(&model)?;
    }
    Ok(out.done)
}

impl Out<'_> {
    fn write(&self, below: &Path, text: &str) -> Result<(), TrackingError> {
        let path = self.dir.join(below);
        let make = || {
            std::fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
            std::fs::write(&path, text)
        };
        make().map_err(|e| io(&path, &e))
    }

    fn leave(&mut self, what: String) {
        if self.done.left_out.len() < 100 {
            self.done.left_out.push(what);
        }
    }

    /// A pair a file; a name that is no path, or is the folder of another name, cannot be one.
    fn pairs(&mut self, folder: &Path, what: &str, pairs: &BTreeMap<String, String>) -> Result<(), TrackingError> {
        for (key, value) in pairs {
            let path = folder.join(what).join(key);
            let inside = validate::name("key", key).is_ok();
            if !inside || self.dir.join(&path).is_dir() || self.write(&path, value).is_err() {
                self.leave(format!("{what} {key} of {}: its name is no file name beside the others", folder.display()));
            }
        }
        Ok(())
    }

    fn address(&self, below: &Path) -> String {
        cairn_objects::local_address(&self.dir.join(below)).unwrap_or_default()
    }

    fn experiment(&mut self, e: &experiments::Experiment, go_on: &dyn Fn(u64) -> bool) -> Result<(), TrackingError> {
        let folder = PathBuf::from(e.number.to_string());
        let meta = yaml(&[
            ("artifact_location", json!(self.address(&folder))),
            ("creation_time", json!(e.created_ms)),
            ("experiment_id", json!(e.number.to_string())),
            ("last_update_time", json!(e.updated_ms)),
            ("lifecycle_stage", json!("active")),
            ("name", json!(e.name)),
        ]);
        self.write(&folder.join("meta.yaml"), &meta)?;
        self.pairs(&folder, "tags", &e.tags)?;
        self.done.experiments += 1;
        let mut offset = 0;
        loop {
            let search = RunSearch { offset, limit: PAGE, view: View::Active, ..RunSearch::default() };
            let page = runs::search(self.workspace, &[e.number.to_string()], search)?;
            for run in &page.runs {
                if !go_on(self.done.runs) {
                    return Err(TrackingError::State("It was stopped; what was written so far is there.".to_owned()));
                }
                self.run(&folder, run)?;
            }
            offset += PAGE;
            if !page.more {
                return Ok(());
            }
        }
    }

    fn run(&mut self, experiment: &Path, run: &Run) -> Result<(), TrackingError> {
        let folder = experiment.join(&run.id);
        let status = match run.status.as_str() {
            "SCHEDULED" => 2,
            "FINISHED" => 3,
            "FAILED" => 4,
            "KILLED" => 5,
            _ => 1,
        };
        let meta = yaml(&[
            ("artifact_uri", json!(self.address(&folder.join("artifacts")))),
            ("end_time", json!(run.end_ms)),
            ("entry_point_name", json!("")),
            ("experiment_id", json!(run.experiment.to_string())),
            ("lifecycle_stage", json!("active")),
            ("run_id", json!(run.id)),
            ("run_name", json!(run.name())),
            ("run_uuid", json!(run.id)),
            ("source_name", json!("")),
            ("source_type", json!(4)),
            ("source_version", json!("")),
            ("start_time", json!(run.start_ms)),
            ("status", json!(status)),
            ("tags", json!([])),
            ("user_id", json!(run.user)),
        ]);
        self.write(&folder.join("meta.yaml"), &meta)?;
        // A folder that lacks one of these is no run to MLflow.
        for part in ["metrics", "params", "tags", "artifacts"] {
            let path = self.dir.join(&folder).join(part);
            std::fs::create_dir_all(&path).map_err(|e| io(&path, &e))?;
        }
        self.pairs(&folder, "params", &run.params)?;
        self.pairs(&folder, "tags", &run.tags)?;
        for metric in &run.metrics {
            self.points(&folder, &run.id, &metric.key, metric.count)?;
        }
        for (i, input) in run.inputs.iter().enumerate() {
            self.input(experiment, &folder, i, input)?;
        }
        for (model, step) in &run.outputs {
            // Ids come from other computers too: one that is no id must not become a path.
            let known = LoggedModelId::parse(model.as_str()).is_ok().then(|| logged_models::get(self.workspace, model));
            let Some(Ok(known)) = known else {
                self.leave(format!("the model {model} of run {}: it was deleted, or is not known here", run.id));
                continue;
            };
            let meta = yaml(&[
                ("destination_id", json!(model)),
                ("destination_type", json!("MODEL_OUTPUT")),
                ("source_id", json!(model)),
                ("source_type", json!("RUN_OUTPUT")),
                ("step", json!(step)),
                ("tags", json!({})),
            ]);
            self.write(&folder.join("outputs").join(model).join("meta.yaml"), &meta)?;
            self.logged_model(experiment, &known)?;
        }
        let files = self.workspace.read(|r| artifacts(r, Kind::Run, &run.id))?;
        self.files(&folder, &files)?;
        self.done.runs += 1;
        Ok(())
    }

    /// Every point that this computer holds, in the order they were logged.
    fn points(&mut self, folder: &Path, run: &str, key: &str, count: u64) -> Result<(), TrackingError> {
        let points = runs::history(self.workspace, run, key)?;
        let path = self.dir.join(folder).join("metrics").join(key);
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
            let mut out = BufWriter::new(std::fs::File::create(&path)?);
            for p in &points {
                writeln!(out, "{} {} {}", p.ts, number(p.value), p.step)?;
            }
            out.flush()
        };
        if validate::name("name", key).is_err() || path.is_dir() || write().is_err() {
            self.leave(format!("metric {key} of run {run}: its name is no file name beside the others"));
            return Ok(());
        }
        self.done.points += points.len() as u64;
        if (points.len() as u64) < count {
            self.leave(format!(
                "{} points of {key} of run {run}: they are not on this computer; get all points first",
                count - points.len() as u64
            ));
        }
        Ok(())
    }

    fn input(&mut self, experiment: &Path, run: &Path, at: usize, input: &Value) -> Result<(), TrackingError> {
        let dataset = &input["dataset"];
        let text = |name: &str| dataset[name].as_str().unwrap_or_default();
        let id = &cairn_core::canonical::sha256(format!("{}@{}", text("name"), text("digest")).as_bytes()).as_str()[..32].to_owned();
        let optional = |name: &str| dataset[name].as_str().map_or(Value::Null, Value::from);
        let meta = yaml(&[
            ("digest", json!(text("digest"))),
            ("name", json!(text("name"))),
            ("profile", optional("profile")),
            ("schema", optional("schema")),
            ("source", json!(text("source"))),
            ("source_type", json!(text("source_type"))),
        ]);
        self.write(&experiment.join("datasets").join(id).join("meta.yaml"), &meta)?;
        let mut tags = serde_json::Map::new();
        for tag in input["tags"].as_array().into_iter().flatten() {
            tags.insert(tag["key"].as_str().unwrap_or_default().to_owned(), tag["value"].clone());
        }
        let meta = yaml(&[
            ("destination_id", json!(id)),
            ("destination_type", json!("RUN")),
            ("source_id", json!(id)),
            ("source_type", json!("DATASET")),
            ("tags", Value::Object(tags)),
        ]);
        self.write(&run.join("inputs").join(format!("{at:032x}")).join("meta.yaml"), &meta)
    }

    fn logged_model(&mut self, experiment: &Path, model: &LoggedModel) -> Result<(), TrackingError> {
        let folder = experiment.join("models").join(&model.id);
        let status = match model.status.as_str() {
            "LOGGED_MODEL_READY" => 2,
            "LOGGED_MODEL_UPLOAD_FAILED" => 3,
            _ => 1,
        };
        let meta = yaml(&[
            ("artifact_location", json!(self.address(&folder.join("artifacts")))),
            ("creation_timestamp", json!(model.created_ms)),
            ("experiment_id", json!(model.experiment.to_string())),
            ("last_updated_timestamp", json!(model.updated_ms)),
            ("model_id", json!(model.id)),
            ("model_type", if model.model_type.is_empty() { Value::Null } else { json!(model.model_type) }),
            ("name", json!(model.name)),
            ("source_run_id", json!(model.run)),
            ("status", json!(status)),
            ("status_message", Value::Null),
        ]);
        self.write(&folder.join("meta.yaml"), &meta)?;
        self.pairs(&folder, "params", &model.params)?;
        self.pairs(&folder, "tags", &model.tags)?;
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        for m in &model.metrics {
            let line = lines.entry(&m.key).or_default();
            let _ = write!(line, "{} {} {} {}", m.last.ts, number(m.last.value), m.last.step, m.run);
            if !m.dataset.is_empty() {
                let _ = write!(line, " {} {}", m.dataset, m.digest);
            }
            line.push('\n');
        }
        for (key, text) in lines {
            if validate::name("name", key).is_err() {
                self.leave(format!("metric {key} of model {}: its name is no file name", model.id));
                continue;
            }
            self.write(&folder.join("metrics").join(key), &text)?;
        }
        let files = self.workspace.read(|r| artifacts(r, Kind::LoggedModel, &model.id))?;
        self.files(&folder, &files)
    }

    fn files(&mut self, folder: &Path, files: &[Artifact]) -> Result<(), TrackingError> {
        for file in files {
            let to = self.dir.join(folder).join("artifacts").join(&file.path);
            if let Some(reference) = file.reference.as_ref().filter(|r| !r.address.starts_with("file:")) {
                self.leave(format!("file {} of {}: it lies at {}", file.path, folder.display(), reference.address));
                continue;
            }
            match content::file_of(self.workspace, file, u64::MAX) {
                Ok(from) => {
                    let copy = || {
                        std::fs::create_dir_all(to.parent().unwrap_or(&self.dir))?;
                        std::fs::copy(&from, &to).map(drop)
                    };
                    match copy() {
                        Ok(()) => self.done.files += 1,
                        Err(error) => self.leave(format!("file {} of {}: {error}", file.path, folder.display())),
                    }
                }
                Err(error) => self.leave(format!("file {} of {}: {}", file.path, folder.display(), error.message)),
            }
        }
        Ok(())
    }

    fn model(&mut self, model: &registry::RegisteredModel) -> Result<(), TrackingError> {
        let folder = PathBuf::from("models").join(&model.name);
        if model.name.contains('/') || validate::name("name", &model.name).is_err() {
            self.leave(format!("model {}: its name is no file name", model.name));
            return Ok(());
        }
        if self.dir.join(&folder).exists() {
            self.leave(format!("a second model called {}: to MLflow a name is one model", model.name));
            return Ok(());
        }
        let optional = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let aliases: BTreeMap<&str, String> = model.aliases.iter().map(|(a, n)| (a.as_str(), n.to_string())).collect();
        let meta = yaml(&[
            ("aliases", json!(aliases)),
            ("creation_timestamp", json!(model.created_ms)),
            ("description", optional(&model.description)),
            ("last_updated_timestamp", json!(model.updated_ms)),
            ("name", json!(model.name)),
        ]);
        self.write(&folder.join("meta.yaml"), &meta)?;
        self.pairs(&folder, "tags", &model.tags)?;
        for (alias, n) in &model.aliases {
            if !alias.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)) {
                self.leave(format!("alias {alias} of model {}: it is no file name", model.name));
                continue;
            }
            self.write(&folder.join("aliases").join(alias), &n.to_string())?;
        }
        let filter = format!("name = '{}'", model.name.replace('\'', ""));
        let wanted = filter::parse(Entity::ModelVersion, Dialect::Wide, &filter)?;
        for v in registry::search_versions(self.workspace, &wanted, &[])? {
            let below = folder.join(format!("version-{}", v.number));
            let experiment = v.logged_model.as_deref().and_then(|m| logged_models::get(self.workspace, m).ok()).map(|m| m.experiment);
            let storage = match (&v.logged_model, experiment) {
                (Some(m), Some(e)) => self.address(&PathBuf::from(e.to_string()).join("models").join(m).join("artifacts")),
                _ => v.source.clone(),
            };
            let meta = yaml(&[
                ("creation_timestamp", json!(v.created_ms)),
                ("current_stage", json!(v.stage)),
                ("description", optional(&v.description)),
                ("last_updated_timestamp", json!(v.updated_ms)),
                ("model_id", json!(v.logged_model)),
                ("name", json!(v.name)),
                ("run_id", optional(&v.run)),
                ("run_link", optional(&v.run_link)),
                ("source", json!(v.source)),
                ("status", json!("READY")),
                ("status_message", Value::Null),
                ("storage_location", json!(storage)),
                ("user_id", Value::Null),
                ("version", json!(v.number)),
            ]);
            self.write(&below.join("meta.yaml"), &meta)?;
            self.pairs(&below, "tags", &v.tags)?;
        }
        self.done.models += 1;
        Ok(())
    }
}
