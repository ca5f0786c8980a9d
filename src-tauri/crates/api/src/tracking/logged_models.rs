//! Logged models: MLflow 3's record of a model, made while a run goes on.

use super::filter::{self, Expr, Field, Fields, Order};
use super::{TrackingError, experiments, validate};
use crate::host::Workspace;
use cairn_core::id::{ExperimentId, LoggedModelId, RunId};
use cairn_core::op::{Kind, Op, Subject};
use cairn_store::Reader;
use cairn_store::model_metrics::Measured;
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
    pub metrics: Vec<Measured>,
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
        metrics: r.model_metrics(&m.id)?,
    })
}

fn live(r: &Reader<'_>, id: &str) -> Result<Record, TrackingError> {
    r.record(Kind::LoggedModel, id)?.filter(|m| !m.deleted()).ok_or_else(|| not_found(id))
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
    workspace.read(|r| view(r, &live(r, id)?))
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

pub fn delete_tag(workspace: &Workspace, id: &str, key: &str) -> Result<(), TrackingError> {
    let model = LoggedModelId::parse(id)?;
    workspace.write(|w| {
        if live(w, id)?.get_key("tag", key).is_none() {
            return Err(TrackingError::NotFound(format!("No tag with key '{key}' found for model with ID '{id}'.")));
        }
        w.append(Op::LoggedModelTagged { model, set: BTreeMap::new(), removed: vec![key.to_owned()] })
            .map(drop)
            .map_err(TrackingError::from)
    })
}

pub fn log_params(workspace: &Workspace, id: &str, params: BTreeMap<String, String>) -> Result<(), TrackingError> {
    for (key, value) in &params {
        validate::name("key", key)?;
        if value.chars().count() > validate::PARAM_VALUE_MAX {
            return Err(TrackingError::Invalid(format!("The value of the parameter '{key}' is too long")));
        }
    }
    let model = LoggedModelId::parse(id)?;
    workspace.write(|w| {
        live(w, id)?;
        w.append(Op::LoggedModelParamsLogged { model, params }).map(drop).map_err(TrackingError::from)
    })
}

pub fn delete(workspace: &Workspace, id: &str) -> Result<(), TrackingError> {
    workspace.write(|w| {
        let subject = Subject { kind: Kind::LoggedModel, id: live(w, id)?.id };
        w.append_why(Op::RecordDeleted { subject }, Some(super::BY_SCRIPT)).map(drop).map_err(TrackingError::from)
    })
}

/// What a search of logged models asks of metrics: only those on one of these datasets, by name and digest.
#[derive(Debug, Clone, Default)]
pub struct Datasets(pub Vec<(String, Option<String>)>);

/// One key to order logged models by.
#[derive(Debug, Clone)]
pub struct ModelOrder {
    pub order: Order,
    pub datasets: Datasets,
}

/// A logged model as a filter sees it, with the metrics on the datasets that are asked for.
struct Seen<'m> {
    model: &'m LoggedModel,
    datasets: &'m Datasets,
}

impl Fields for Seen<'_> {
    fn text(&self, field: &Field) -> Option<String> {
        let m = self.model;
        match field {
            Field::Param(key) => m.params.get(key).cloned(),
            Field::Tag(key) => m.tags.get(key).cloned(),
            Field::Text("name") => Some(m.name.clone()),
            Field::Text("model_id") => Some(m.id.clone()),
            Field::Text("model_type") => Some(m.model_type.clone()),
            Field::Text("status") => Some(m.status.strip_prefix("LOGGED_MODEL_").unwrap_or(&m.status).to_owned()),
            Field::Text("source_run_id") => m.run.clone(),
            Field::Text("experiment_id") => Some(m.experiment.to_string()),
            _ => None,
        }
    }

    fn number(&self, field: &Field) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // times stay below 2^53
        match field {
            Field::Metric(key, _) => {
                let on = |m: &&Measured| {
                    self.datasets.0.is_empty()
                        || self.datasets.0.iter().any(|(name, digest)| *name == m.dataset && digest.as_ref().is_none_or(|d| *d == m.digest))
                };
                let all = self.model.metrics.iter().filter(|m| m.key == *key).filter(on);
                all.max_by_key(|m| (m.last.step, m.last.ts)).map(|m| m.last.value)
            }
            Field::Number("creation_timestamp") => Some(self.model.created_ms as f64),
            Field::Number("last_updated_timestamp") => Some(self.model.updated_ms as f64),
            _ => None,
        }
    }
}

/// The logged models of experiments that a filter finds, newest first where nothing else is asked.
pub fn search(
    workspace: &Workspace,
    numbers: &[String],
    wanted: &Expr,
    datasets: &Datasets,
    orders: &[ModelOrder],
) -> Result<Vec<LoggedModel>, TrackingError> {
    let mut found = of_experiments(workspace, numbers)?;
    found.retain(|model| filter::holds(wanted, &Seen { model, datasets }));
    found.sort_by(|a, b| {
        let mut by = orders.iter().map(|o| {
            let seen = |model| Seen { model, datasets: &o.datasets };
            filter::compare(&seen(a), &seen(b), std::slice::from_ref(&o.order))
        });
        let newest_first = || b.created_ms.cmp(&a.created_ms).then_with(|| a.id.cmp(&b.id));
        by.find(|o| o.is_ne()).unwrap_or_else(newest_first)
    });
    Ok(found)
}

fn of_experiments(workspace: &Workspace, numbers: &[String]) -> Result<Vec<LoggedModel>, TrackingError> {
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
        Ok(found)
    })
}
