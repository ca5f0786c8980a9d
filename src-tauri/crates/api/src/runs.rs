//! Runs as the window and the command line show them.

use crate::ApiError;
use crate::host::{Host, Workspace};
use crate::people::{Person, person_at};
use crate::tracking::files::artifacts_of;
use crate::tracking::{TrackingError, experiments, filter, runs as tracked};
use crate::workspaces::Nothing;
use cairn_core::id::{ExperimentId, ProjectId};
use cairn_core::op::{Kind, Num, Op};
use cairn_store::chunk::Stretch;
use cairn_store::search::RunSearch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

impl From<TrackingError> for ApiError {
    fn from(error: TrackingError) -> Self {
        match error {
            TrackingError::Invalid(m) | TrackingError::AlreadyExists(m) | TrackingError::State(m) => Self::invalid(m),
            TrackingError::NotFound(m) => Self::new("not_found", m),
            TrackingError::Denied(m) => Self::new("denied", m).hint("Ask an administrator of the workspace for the role."),
            TrackingError::Internal(m) => Self::new("internal", m),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Experiment {
    pub id: String,
    /// The whole number that MLflow's clients on this computer see.
    pub number: i64,
    pub name: String,
    pub project: Option<String>,
    pub runs: u32,
    pub running: u32,
    pub created_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RunRow {
    pub id: String,
    pub name: String,
    pub experiment: String,
    pub experiment_name: String,
    pub project: Option<String>,
    pub status: String,
    pub start_ms: i64,
    pub end_ms: Option<i64>,
    pub by: Person,
    pub parent: Option<String>,
    pub params: BTreeMap<String, String>,
    /// The last value of each metric, as text: NaN and every digit survive.
    pub metrics: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RunDetail {
    pub run: RunRow,
    pub metrics: Vec<MetricRow>,
    pub artifacts: Vec<ArtifactRow>,
    pub models: Vec<LoggedModelRow>,
    pub inputs: Vec<InputRow>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MetricRow {
    pub key: String,
    pub count: u64,
    pub last: String,
    pub min: Option<String>,
    pub max: Option<String>,
    pub step: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ArtifactRow {
    pub path: String,
    /// Of a reference: nobody may know it.
    #[ts(type = "number | null")]
    pub size: Option<u64>,
    pub digest: Option<String>,
    /// Whether this computer holds the content.
    pub here: bool,
    /// Where a file lies that the workspace does not hold.
    pub address: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LoggedModelRow {
    pub id: String,
    pub name: String,
    pub status: String,
    pub files: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct InputRow {
    pub name: String,
    pub digest: String,
    pub context: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct RunQuery {
    /// Only runs of this project's experiments.
    #[serde(default)]
    #[ts(optional)]
    pub project: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub experiment: Option<String>,
    /// MLflow's filter grammar, such as `metrics.accuracy > 0.9 AND params.model = 'forest'`.
    #[serde(default)]
    #[ts(optional)]
    pub filter: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub order_by: Option<String>,
    /// At most this many; 1,000 when left out.
    #[serde(default)]
    #[ts(optional, type = "number")]
    pub limit: Option<u32>,
}

/// How many runs a list has when nobody says.
const LIST_MAX: u32 = 1_000;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RunRef {
    pub run: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LinkExperiment {
    pub experiment: String,
    /// None: belongs to no project.
    #[serde(default)]
    #[ts(optional)]
    pub project: Option<String>,
}

pub fn experiments(host: &Host, _: Nothing) -> Result<Vec<Experiment>, ApiError> {
    let workspace = host.workspace()?;
    // Somebody who may not log runs still reads: numbering is only for MLflow's clients.
    let all = match experiments::all(&workspace) {
        Err(TrackingError::Denied(_)) => workspace
            .read(|r| r.records(Kind::Experiment, None)?.iter().rev().map(|e| experiments::view(r, e)).collect::<Result<Vec<_>, _>>())?,
        other => other?,
    };
    workspace.read(|r| {
        let mut out = Vec::new();
        for e in all.into_iter().filter(|e| !e.deleted) {
            let (runs, running) = r.runs_of(&e.id)?;
            out.push(Experiment { id: e.id, number: e.number, name: e.name, project: e.project, runs, running, created_ms: e.created_ms });
        }
        Ok(out)
    })
}

pub fn link(host: &Host, request: LinkExperiment) -> Result<Vec<Experiment>, ApiError> {
    let workspace = host.workspace()?;
    let experiment = ExperimentId::parse(request.experiment)?;
    let project = request.project.map(ProjectId::parse).transpose()?;
    workspace.write(|w| {
        w.require(Kind::Experiment, experiment.as_str())?;
        if let Some(project) = &project {
            w.require(Kind::Project, project.as_str())?;
        }
        w.append(Op::ExperimentLinked { experiment, project }).map(drop).map_err(ApiError::from)
    })?;
    experiments(host, Nothing {})
}

pub fn list(host: &Host, query: RunQuery) -> Result<Vec<RunRow>, ApiError> {
    found(host, &query, 0, query.limit.unwrap_or(LIST_MAX)).map(|(rows, _)| rows)
}

/// A stretch of a table of runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct RunPageQuery {
    #[serde(flatten)]
    pub query: RunQuery,
    pub offset: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RunPage {
    pub rows: Vec<RunRow>,
    /// How many runs there are in all.
    #[ts(type = "number")]
    pub total: u64,
}

/// The part of a table that is looked at, and how long the table is.
pub fn page(host: &Host, request: RunPageQuery) -> Result<RunPage, ApiError> {
    let limit = request.query.limit.unwrap_or(100).min(LIST_MAX);
    let (rows, search) = found(host, &request.query, request.offset, limit)?;
    let total = host.workspace()?.read(|r| r.count_runs(&search).map_err(ApiError::from))?;
    Ok(RunPage { rows, total })
}

type ExperimentNames = BTreeMap<String, (String, Option<String>)>;

/// The search behind a query, and the experiments that it is about: name and project by id.
pub(crate) fn search_of(
    workspace: &Workspace,
    query: &RunQuery,
    offset: u32,
    limit: u32,
) -> Result<(RunSearch, ExperimentNames), ApiError> {
    let (entity, wide) = (filter::Entity::Run, filter::Dialect::Wide);
    let wanted = filter::parse(entity, wide, query.filter.as_deref().unwrap_or_default())?;
    let order = query.order_by.as_deref().filter(|o| !o.trim().is_empty()).map(|o| filter::parse_order(entity, wide, o)).transpose()?;
    match tracked::freshen(workspace) {
        // Somebody who may not write still reads what is there.
        Ok(()) | Err(TrackingError::Denied(_)) => {}
        Err(error) => return Err(error.into()),
    }
    workspace.read(|r| {
        let names: ExperimentNames = r
            .records(Kind::Experiment, None)?
            .into_iter()
            .filter(|e| {
                !e.deleted()
                    && query.project.as_deref().is_none_or(|p| e.get("project") == Some(p))
                    && query.experiment.as_deref().is_none_or(|x| e.id == x)
            })
            .map(|e| (e.id.clone(), (e.text("name"), e.get("project").map(str::to_owned))))
            .collect();
        let search = RunSearch {
            experiments: Some(names.keys().cloned().collect()),
            filter: wanted,
            order: order.into_iter().collect(),
            offset: offset as usize,
            limit: limit as usize,
            ..RunSearch::default()
        };
        Ok((search, names))
    })
}

fn found(host: &Host, query: &RunQuery, offset: u32, limit: u32) -> Result<(Vec<RunRow>, RunSearch), ApiError> {
    let workspace = host.workspace()?;
    let (search, names) = search_of(&workspace, query, offset, limit)?;
    workspace.read(|r| {
        let acl = r.acl()?;
        let runs = tracked::found(r, &search)?.runs;
        Ok((runs.into_iter().map(|run| row(&acl, &names, run)).collect(), search))
    })
}

fn row(acl: &cairn_core::authority::Acl, names: &BTreeMap<String, (String, Option<String>)>, run: tracked::Run) -> RunRow {
    let (experiment_name, project) = names.get(&run.experiment_id).cloned().unwrap_or_default();
    RunRow {
        name: run.name().to_owned(),
        id: run.id,
        experiment: run.experiment_id,
        experiment_name,
        project,
        status: run.status,
        start_ms: run.start_ms,
        end_ms: run.end_ms,
        by: person_at(acl, &run.device),
        parent: run.tags.get("mlflow.parentRunId").cloned(),
        params: run.params,
        metrics: run.metrics.into_iter().map(|m| (m.key, String::from(Num(m.last.value)))).collect(),
        tags: run.tags.into_iter().filter(|(_, v)| v.len() <= 500).collect(),
    }
}

pub fn get(host: &Host, request: RunRef) -> Result<RunDetail, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let acl = r.acl()?;
        let record = r.require(Kind::Run, &request.run)?;
        let run = tracked::view(r, &record)?;
        let experiment = r.require(Kind::Experiment, &run.experiment_id)?;
        let names = [(experiment.id.clone(), (experiment.text("name"), experiment.get("project").map(str::to_owned)))].into();
        let text = |v: f64| String::from(Num(v));
        let metrics = run
            .metrics
            .iter()
            .map(|m| MetricRow {
                key: m.key.clone(),
                count: m.count,
                last: text(m.last.value),
                min: m.min.map(text),
                max: m.max.map(text),
                step: m.last.step,
            })
            .collect();
        let artifacts = artifacts_of(&record)
            .into_iter()
            .map(|a| ArtifactRow {
                here: a.stored().is_some_and(|d| workspace.store.blob_path(d).is_file()),
                path: a.path,
                size: a.size,
                digest: a.digest.map(|d| d.to_string()),
                address: a.reference.map(|r| r.address),
            })
            .collect();
        let mut models = Vec::new();
        for (id, _) in &run.outputs {
            if let Some(m) = r.record(Kind::LoggedModel, id)? {
                models.push(LoggedModelRow {
                    name: m.text("name"),
                    status: m.text("status"),
                    files: u32::try_from(m.pairs("artifact").len()).unwrap_or(0),
                    id: m.id,
                });
            }
        }
        let string = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        let inputs = run
            .inputs
            .iter()
            .map(|i| InputRow {
                name: string(&i["dataset"]["name"]),
                digest: string(&i["dataset"]["digest"]),
                context: i["tags"]
                    .as_array()
                    .and_then(|t| t.iter().find(|t| t["key"] == "mlflow.data.context"))
                    .map(|t| string(&t["value"]))
                    .unwrap_or_default(),
            })
            .collect();
        Ok(RunDetail { run: row(&acl, &names, run), metrics, artifacts, models, inputs })
    })
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StretchQuery {
    pub run: String,
    pub metric: String,
    /// How many stretches of equal width over the steps, 1 to 10,000.
    pub count: u32,
    /// The steps that are looked at; all when left out.
    #[serde(default)]
    #[ts(optional, type = "[number, number]")]
    pub range: Option<(i64, i64)>,
}

/// Neighbouring points of a metric, as a chart needs them. Numbers are text: NaN and every digit survive.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StretchView {
    #[ts(type = "number")]
    pub first_step: i64,
    #[ts(type = "number")]
    pub last_step: i64,
    #[ts(type = "number")]
    pub count: u64,
    /// Over the finite values; none if there is none.
    pub min: Option<String>,
    pub max: Option<String>,
    pub last: String,
    /// Whether a value is no number, or infinite.
    pub nan: bool,
    pub infinite: bool,
}

/// A metric in stretches: what is drawn costs what is drawn, however many points there are.
pub fn stretches(host: &Host, query: StretchQuery) -> Result<Vec<StretchView>, ApiError> {
    let count = query.count as usize;
    if !(1..=10_000).contains(&count) {
        return Err(ApiError::invalid("A metric is shown in 1 to 10,000 stretches"));
    }
    let found = host.workspace()?.read(|r| {
        r.require(Kind::Run, &query.run)?;
        r.stretches(&query.run, &query.metric, query.range, count).map_err(ApiError::from)
    })?;
    let text = |v: f64| String::from(Num(v));
    let view = |s: &Stretch| StretchView {
        first_step: s.first_step,
        last_step: s.last_step,
        count: s.count,
        min: (s.min <= s.max).then(|| text(s.min)),
        max: (s.min <= s.max).then(|| text(s.max)),
        last: text(s.last),
        nan: s.nan,
        infinite: s.above || s.below,
    };
    Ok(found.iter().map(view).collect())
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TagRuns {
    /// These runs; or all that fit the filter.
    #[serde(default)]
    #[ts(optional)]
    pub runs: Option<Vec<String>>,
    #[serde(default)]
    #[ts(optional)]
    pub filter: Option<String>,
    /// With a filter: only runs of this project.
    #[serde(default)]
    #[ts(optional)]
    pub project: Option<String>,
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    #[serde(default)]
    pub remove: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TaggedRuns {
    /// Runs that changed.
    #[ts(type = "number")]
    pub runs: u64,
}

/// The most runs that are tagged at once.
const TAG_MAX: u32 = 100_000;

/// Sets and removes tags of many runs at once; of all or of none.
pub fn tag(host: &Host, request: TagRuns) -> Result<TaggedRuns, ApiError> {
    let workspace = host.workspace()?;
    if request.set.is_empty() && request.remove.is_empty() {
        return Err(ApiError::invalid("There is no tag to set or remove"));
    }
    let ids = match (request.runs, request.filter) {
        (Some(ids), None) => ids,
        (None, Some(filter)) => {
            let query = RunQuery { filter: Some(filter), project: request.project, ..RunQuery::default() };
            found(host, &query, 0, TAG_MAX)?.0.into_iter().map(|r| r.id).collect()
        }
        (_, _) => return Err(ApiError::invalid("Name either the runs or a filter")),
    };
    let changed = tracked::tag_all(&workspace, &ids, &request.set, &request.remove)?;
    Ok(TaggedRuns { runs: changed })
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReferFile {
    pub run: String,
    /// What it is called in the run.
    pub path: String,
    /// A file or folder of this computer, or an address (s3, gs, az, http); with `/` at its end: a folder there.
    pub address: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Referred {
    #[ts(type = "number")]
    pub files: u64,
}

/// Refers to a file or folder that stays where it is.
pub fn refer(host: &Host, request: ReferFile) -> Result<Referred, ApiError> {
    let workspace = host.workspace()?;
    let files = crate::tracking::files::refer(&workspace, Kind::Run, &request.run, &request.path, request.address.trim())?;
    Ok(Referred { files: files as u64 })
}
