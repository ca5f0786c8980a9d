//! What went into a run and what came of it: data, parent and child runs, logged models, model versions, releases.

use crate::ApiError;
use crate::host::Host;
use crate::runs::RunRef;
use crate::tracking::{filter, runs as tracked};
use cairn_core::op::Kind;
use cairn_store::search::RunSearch;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Child runs that are named; a sweep may have thousands.
const CHILDREN: usize = 200;

/// A record that a run is linked with.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Linked {
    /// `run`, `dataset`, `logged_model`, `model_version` or `code`.
    pub kind: String,
    pub id: String,
    pub name: String,
    /// What it is to the run, in words; empty where the kind says it.
    pub role: String,
    /// A state that has a word of its own, such as a run's; empty otherwise.
    pub state: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct Lineage {
    pub went_in: Vec<Linked>,
    pub came_out: Vec<Linked>,
    /// Child runs beyond those that are named.
    #[ts(type = "number")]
    pub more_children: u64,
}

pub fn run(host: &Host, request: RunRef) -> Result<Lineage, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let record = r.require(Kind::Run, &request.run)?;
        let run = tracked::view(r, &record).map_err(ApiError::from)?;
        let mut out = Lineage::default();
        let link = |kind: &str, id: String, name: String, role: &str, state: String| Linked {
            kind: kind.to_owned(),
            id,
            name,
            role: role.to_owned(),
            state,
        };
        let run_name = |id: &str| -> Result<Option<(String, String)>, ApiError> {
            let found = r.record(Kind::Run, id)?;
            Ok(found.map(|p| (p.get_key("tag", "mlflow.runName").unwrap_or(id).to_owned(), p.text("status"))))
        };
        if let Some(parent) = run.tags.get("mlflow.parentRunId")
            && let Some((name, status)) = run_name(parent)?
        {
            out.went_in.push(link("run", parent.clone(), name, "Parent run", status));
        }
        let origin = crate::reproduce::origin_of(&record);
        if let Some(commit) = origin.code.as_ref().and_then(|c| c.commit.clone()) {
            let changed = origin.code.as_ref().map_or(0, |c| c.changed);
            let differs = if changed > 0 { format!(", {changed} files changed") } else { String::new() };
            out.went_in.push(link(
                "code",
                commit.clone(),
                format!("{}{differs}", commit.get(..12).unwrap_or(&commit)),
                "Code",
                String::new(),
            ));
        }
        for input in &run.inputs {
            let text = |name: &str| input["dataset"][name].as_str().unwrap_or_default().to_owned();
            let context = input["tags"].as_array().and_then(|t| t.iter().find(|t| t["key"] == "mlflow.data.context"));
            let context = context.and_then(|t| t["value"].as_str()).unwrap_or_default();
            out.went_in.push(link("dataset", text("digest"), text("name"), context, String::new()));
        }
        for model in &run.model_inputs {
            if let Some(m) = r.record(Kind::LoggedModel, model)? {
                out.went_in.push(link("logged_model", model.clone(), m.text("name"), "Evaluated model", String::new()));
            }
        }
        for (model, _) in &run.outputs {
            if let Some(m) = r.record(Kind::LoggedModel, model)? {
                out.came_out.push(link("logged_model", model.clone(), m.text("name"), "Logged model", String::new()));
            }
        }
        for version in r.records(Kind::ModelVersion, None)?.into_iter().filter(|v| !v.deleted() && v.get("run") == Some(run.id.as_str())) {
            let model = r.record(Kind::Model, version.parent.as_deref().unwrap_or_default())?.map(|m| m.text("name")).unwrap_or_default();
            let name = format!("{model} version {}", version.text("number"));
            out.came_out.push(link("model_version", version.id.clone(), name, "Model version", String::new()));
        }
        let children = filter::parse(
            filter::Entity::Run,
            filter::Dialect::Wide,
            &format!("tags.`mlflow.parentRunId` = '{}'", run.id.replace('\'', "")),
        )?;
        let search = RunSearch { filter: children, limit: CHILDREN, ..RunSearch::default() };
        out.more_children = r.count_runs(&search)?.saturating_sub(CHILDREN as u64);
        for child in tracked::found(r, &search).map_err(ApiError::from)?.runs {
            out.came_out.push(link("run", child.id.clone(), child.name().to_owned(), "Child run", child.status.clone()));
        }
        Ok(out)
    })
}
