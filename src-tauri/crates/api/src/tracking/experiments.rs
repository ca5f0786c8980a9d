//! Experiments as MLflow's clients see them: by whole number and by name.

use super::TrackingError;
use super::filter::{self, Expr, Field, Fields, Order};
use crate::host::Workspace;
use cairn_core::id::ExperimentId;
use cairn_core::op::{Kind, Op, Subject};
use cairn_core::text::Title;
use cairn_store::records::Record;
use cairn_store::{Reader, Writer};
use std::collections::BTreeMap;

/// An experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// This computer's whole number for it.
    pub number: i64,
    pub id: String,
    pub name: String,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub deleted: bool,
    pub tags: BTreeMap<String, String>,
    pub project: Option<String>,
}

fn not_found(number: &str) -> TrackingError {
    TrackingError::NotFound(format!("No Experiment with id={number} exists"))
}

pub(crate) fn view(r: &Reader<'_>, record: &Record) -> Result<Experiment, TrackingError> {
    let updated = record.cells.iter().map(|(_, _, c)| c.at_ms).max();
    Ok(Experiment {
        number: r.experiment_number(&record.id)?.unwrap_or(-1),
        id: record.id.clone(),
        name: record.text("name"),
        created_ms: record.at_ms,
        updated_ms: updated.unwrap_or(record.at_ms),
        deleted: record.deleted(),
        tags: record.pairs("tag"),
        project: record.get("project").map(str::to_owned),
    })
}

/// Gives a number to every experiment that came from elsewhere, and makes sure that "Default" exists
/// as number 0, which every client expects.
pub fn ensure_numbers(workspace: &Workspace) -> Result<(), TrackingError> {
    let (missing, has_default) =
        workspace.read(|r| Ok::<_, TrackingError>((r.unnumbered_experiments()?, r.numbered_experiment(0)?.is_some())))?;
    if missing.is_empty() && has_default {
        return Ok(());
    }
    workspace.write(|w| {
        if w.numbered_experiment(0)?.is_none() {
            let all = w.records(Kind::Experiment, None)?;
            let shared = all.iter().find(|e| e.get("name") == Some("Default")).map(|e| e.id.clone());
            let id = match shared {
                Some(id) => id,
                None => {
                    let id = ExperimentId::parse(workspace.edge.new_id())?;
                    let name = Title::parse("Default").map_err(|e| TrackingError::Internal(e.to_string()))?;
                    w.append(Op::ExperimentCreated { experiment: id.clone(), name, project: None })?;
                    id.to_string()
                }
            };
            w.number_experiment(&id, Some(0))?;
        }
        for id in w.unnumbered_experiments()? {
            w.number_experiment(&id, None)?;
        }
        Ok(())
    })
}

pub fn create(workspace: &Workspace, name: &str, tags: BTreeMap<String, String>) -> Result<i64, TrackingError> {
    ensure_numbers(workspace)?;
    let title = Title::parse(name).map_err(|_| {
        TrackingError::Invalid(format!(
            "Invalid value {} for parameter 'name' supplied: Experiment name must be a non-empty string of at most 500 characters.",
            serde_json::Value::from(name)
        ))
    })?;
    let id = ExperimentId::parse(workspace.edge.new_id())?;
    workspace.write(|w| {
        if let Some(same) = find_by_name(w, name)? {
            let extra = if same.deleted {
                " in deleted state. You can restore the experiment, or permanently delete the experiment to create a new one."
            } else {
                "."
            };
            return Err(TrackingError::AlreadyExists(format!("Experiment '{name}' already exists{extra}")));
        }
        w.append(Op::ExperimentCreated { experiment: id.clone(), name: title, project: None })?;
        if !tags.is_empty() {
            w.append(Op::ExperimentTagged { experiment: id.clone(), set: tags, removed: Vec::new() })?;
        }
        Ok(w.number_experiment(id.as_str(), None)?)
    })
}

/// The experiment of a name; a new one where there is none.
pub(crate) fn named_or_new(workspace: &Workspace, w: &mut Writer<'_>, name: &str) -> Result<ExperimentId, TrackingError> {
    let title = super::import::title(name);
    if let Some(found) = find_by_name(w, title.as_str())?.filter(|e| !e.deleted) {
        return Ok(ExperimentId::parse(found.id)?);
    }
    let id = ExperimentId::parse(workspace.edge.new_id())?;
    w.append(Op::ExperimentCreated { experiment: id.clone(), name: title, project: None })?;
    w.number_experiment(id.as_str(), None)?;
    Ok(id)
}

fn find_by_name(r: &Reader<'_>, name: &str) -> Result<Option<Experiment>, TrackingError> {
    let all = r.records(Kind::Experiment, None)?;
    all.iter().find(|e| e.get("name") == Some(name)).map(|e| view(r, e)).transpose()
}

pub fn by_name(workspace: &Workspace, name: &str) -> Result<Experiment, TrackingError> {
    ensure_numbers(workspace)?;
    workspace
        .read(|r| find_by_name(r, name)?.ok_or_else(|| TrackingError::NotFound(format!("Could not find experiment with name '{name}'"))))
}

pub fn get(workspace: &Workspace, number: &str) -> Result<Experiment, TrackingError> {
    ensure_numbers(workspace)?;
    workspace.read(|r| by_number(r, number))
}

pub(crate) fn by_number(r: &Reader<'_>, number: &str) -> Result<Experiment, TrackingError> {
    let parsed: i64 = number.parse().map_err(|_| not_found(number))?;
    let id = r.numbered_experiment(parsed)?.ok_or_else(|| not_found(number))?;
    let record = r.record(Kind::Experiment, &id)?.ok_or_else(|| not_found(number))?;
    view(r, &record)
}

/// All experiments, newest first.
pub fn all(workspace: &Workspace) -> Result<Vec<Experiment>, TrackingError> {
    ensure_numbers(workspace)?;
    workspace.read(|r| r.records(Kind::Experiment, None)?.iter().rev().map(|e| view(r, e)).collect())
}

fn change(
    workspace: &Workspace,
    number: &str,
    make: impl FnOnce(&Writer<'_>, &Experiment, ExperimentId) -> Result<Op, TrackingError>,
) -> Result<(), TrackingError> {
    ensure_numbers(workspace)?;
    workspace.write(|w| {
        let found = by_number(w, number)?;
        let id = ExperimentId::parse(found.id.clone())?;
        let op = make(w, &found, id)?;
        w.append(op)?;
        Ok(())
    })
}

pub fn rename(workspace: &Workspace, number: &str, name: &str) -> Result<(), TrackingError> {
    change(workspace, number, |w, found, experiment| {
        if found.deleted {
            return Err(TrackingError::State("Cannot rename a non-active experiment.".to_owned()));
        }
        if find_by_name(w, name)?.is_some_and(|e| e.id != found.id) {
            return Err(TrackingError::AlreadyExists(format!("Experiment '{name}' already exists.")));
        }
        let name = Title::parse(name).map_err(|e| TrackingError::Invalid(e.to_string()))?;
        Ok(Op::ExperimentRenamed { experiment, name })
    })
}

/// Deletes an experiment with its runs, or brings both back.
pub fn set_deleted(workspace: &Workspace, number: &str, deleted: bool) -> Result<(), TrackingError> {
    ensure_numbers(workspace)?;
    workspace.write(|w| {
        let found = by_number(w, number)?;
        if found.deleted == deleted {
            return Err(not_found(number));
        }
        let subject = |kind, id: String| Subject { kind, id };
        if deleted {
            w.append_why(Op::RecordDeleted { subject: subject(Kind::Experiment, found.id) }, Some(super::BY_SCRIPT))?;
            return Ok(());
        }
        // MLflow's clients expect the runs back that were deleted before, too.
        for run in w.deleted_runs_of(&found.id)? {
            w.append(Op::RecordRestored { subject: subject(Kind::Run, run) })?;
        }
        w.append(Op::RecordRestored { subject: subject(Kind::Experiment, found.id) })?;
        Ok(())
    })
}

fn active(found: &Experiment) -> Result<(), TrackingError> {
    if found.deleted {
        let number = found.number;
        return Err(TrackingError::Invalid(format!("The experiment {number} must be in the 'active' state. Current state is deleted.")));
    }
    Ok(())
}

pub fn set_tag(workspace: &Workspace, number: &str, key: &str, value: &str) -> Result<(), TrackingError> {
    super::validate::name("key", key)?;
    change(workspace, number, |_, found, experiment| {
        active(found)?;
        Ok(Op::ExperimentTagged {
            experiment,
            set: [(key.to_owned(), super::validate::shorten(value, 20_000))].into(),
            removed: Vec::new(),
        })
    })
}

pub fn delete_tag(workspace: &Workspace, number: &str, key: &str) -> Result<(), TrackingError> {
    change(workspace, number, |_, found, experiment| {
        active(found)?;
        if !found.tags.contains_key(key) {
            return Err(TrackingError::NotFound(format!("No tag with name: {key} in experiment with id {number}")));
        }
        Ok(Op::ExperimentTagged { experiment, set: BTreeMap::new(), removed: vec![key.to_owned()] })
    })
}

impl Fields for Experiment {
    fn text(&self, field: &Field) -> Option<String> {
        match field {
            Field::Text("name") => Some(self.name.clone()),
            Field::Text("experiment_id") => Some(self.number.to_string()),
            Field::Tag(key) => self.tags.get(key).cloned(),
            _ => None,
        }
    }

    fn number(&self, field: &Field) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // times stay below 2^53
        match field {
            Field::Number("creation_time") => Some(self.created_ms as f64),
            Field::Number("last_update_time") => Some(self.updated_ms as f64),
            _ => None,
        }
    }
}

/// The experiments that a filter finds, newest first where nothing else is asked.
pub fn search(
    workspace: &Workspace,
    wanted: &Expr,
    orders: &[Order],
    seen: impl Fn(bool) -> bool,
) -> Result<Vec<Experiment>, TrackingError> {
    let mut found = all(workspace)?;
    found.retain(|e| seen(e.deleted) && filter::holds(wanted, e));
    found.sort_by(|a, b| filter::compare(a, b, orders).then_with(|| b.created_ms.cmp(&a.created_ms)).then_with(|| a.number.cmp(&b.number)));
    Ok(found)
}
