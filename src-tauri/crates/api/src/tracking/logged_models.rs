//! Logged models: MLflow 3's record of a model, made while a run goes on.

use super::runs::put_artifact;
use super::{TrackingError, experiments, validate};
use crate::host::Workspace;
use cairn_core::id::{ExperimentId, LoggedModelId, RunId};
use cairn_core::op::{Kind, Op};
use cairn_store::Reader;
use cairn_store::records::Record;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq)]
pub struct LoggedModel {
    pub id: String,
    pub experiment: i64,
    pub name: String,
    pub model_type: String,
    pub status: String,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub run: Option<String>,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
pub struct NewLoggedModel {
    pub experiment: String,
    pub name: String,
    pub model_type: String,
    pub run: Option<String>,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

fn not_found(id: &str) -> TrackingError {
    TrackingError::NotFound(format!("Logged model with ID '{id}' not found."))
}

fn view(r: &Reader<'_>, m: &Record) -> Result<LoggedModel, TrackingError> {
    Ok(LoggedModel {
        id: m.id.clone(),
        experiment: r.experiment_number(m.parent.as_deref().unwrap_or_default())?.unwrap_or(-1),
        name: m.text("name"),
        model_type: m.text("type"),
        status: m.text("status"),
        created_ms: m.int("created_ms").unwrap_or(m.at_ms),
        updated_ms: m.int("updated_ms").unwrap_or(m.at_ms),
        run: m.get("run").map(str::to_owned),
        params: m.pairs("param"),
        tags: m.pairs("tag"),
    })
}

pub fn create(workspace: &Workspace, new: NewLoggedModel) -> Result<LoggedModel, TrackingError> {
    experiments::ensure_numbers(workspace)?;
    let model = LoggedModelId::parse(format!("m-{}", workspace.edge.new_id().replace('-', "")))?;
    let run = new.run.filter(|r| !r.is_empty()).map(RunId::parse).transpose()?;
    let created_ms = workspace.edge.now_ms();
    workspace.write(|w| {
        let experiment = experiments::by_number(w, &new.experiment)?;
        w.append(Op::LoggedModelCreated {
            model: model.clone(),
            experiment: ExperimentId::parse(experiment.id)?,
            run,
            name: if new.name.is_empty() { "model".to_owned() } else { new.name },
            model_type: new.model_type,
            created_ms,
            params: new.params,
            tags: new.tags,
        })?;
        view(w, &w.record(Kind::LoggedModel, model.as_str())?.ok_or_else(|| not_found(model.as_str()))?)
    })
}

pub fn get(workspace: &Workspace, id: &str) -> Result<LoggedModel, TrackingError> {
    experiments::ensure_numbers(workspace)?;
    workspace.read(|r| view(r, &r.record(Kind::LoggedModel, id)?.ok_or_else(|| not_found(id))?))
}

pub fn finalize(workspace: &Workspace, id: &str, status: &str) -> Result<LoggedModel, TrackingError> {
    const KNOWN: [&str; 3] = ["LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED", "LOGGED_MODEL_PENDING"];
    if !KNOWN.contains(&status) {
        return Err(TrackingError::Invalid(format!("Invalid value \"{status}\" for parameter 'status' supplied")));
    }
    get(workspace, id)?;
    let model = LoggedModelId::parse(id)?;
    let updated_ms = workspace.edge.now_ms();
    workspace.write(|w| {
        w.append(Op::LoggedModelUpdated { model, status: status.to_owned(), updated_ms }).map(drop).map_err(TrackingError::from)
    })?;
    get(workspace, id)
}

pub fn set_tags(workspace: &Workspace, id: &str, tags: BTreeMap<String, String>) -> Result<(), TrackingError> {
    get(workspace, id)?;
    for key in tags.keys() {
        validate::name("key", key)?;
    }
    let model = LoggedModelId::parse(id)?;
    workspace.write(|w| w.append(Op::LoggedModelTagged { model, set: tags, removed: Vec::new() }).map(drop).map_err(TrackingError::from))
}

/// The logged models of some experiments, newest first.
pub fn of_experiments(workspace: &Workspace, numbers: &[String]) -> Result<Vec<LoggedModel>, TrackingError> {
    experiments::ensure_numbers(workspace)?;
    workspace.read(|r| {
        let mut found = Vec::new();
        for number in numbers {
            let Some(id) = number.parse().ok().map(|n| r.numbered_experiment(n)).transpose()?.flatten() else { continue };
            for model in r.records(Kind::LoggedModel, Some(&id))? {
                if !model.deleted() {
                    found.push(view(r, &model)?);
                }
            }
        }
        found.sort_by(|a, b| b.created_ms.cmp(&a.created_ms).then(a.id.cmp(&b.id)));
        Ok(found)
    })
}

/// Stores a file of a logged model.
pub fn put(workspace: &Workspace, id: &str, path: &str, bytes: &[u8]) -> Result<(), TrackingError> {
    put_artifact(workspace, Kind::LoggedModel, id, path, bytes)
}
