//! Runs as MLflow's clients see them.

use super::validate::{PARAM_VALUE_MAX, TAG_VALUE_MAX, name, shorten};
use super::{TrackingError, experiments};
use crate::host::Workspace;
use cairn_core::id::{ExperimentId, LoggedModelId, RunId};
use cairn_core::op::{Kind, Op, RunStatus, Subject};
use cairn_store::metrics::{Point, Summary};
use cairn_store::model_metrics::Measured;
use cairn_store::records::Record;
use cairn_store::search::RunSearch;
use cairn_store::{Reader, Writer};
use serde_json::Value;
use std::collections::BTreeMap;

/// A run with everything that `get_run` tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    pub id: String,
    pub experiment: i64,
    pub experiment_id: String,
    pub user: String,
    pub status: String,
    pub start_ms: i64,
    pub end_ms: Option<i64>,
    pub deleted: bool,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub metrics: Vec<Summary>,
    pub inputs: Vec<Value>,
    /// The logged models that it evaluated.
    pub model_inputs: Vec<String>,
    pub outputs: Vec<(String, i64)>,
    pub device: String,
}

impl Run {
    pub fn name(&self) -> &str {
        self.tags.get("mlflow.runName").map_or(&self.id, String::as_str)
    }
}

/// MLflow's word for the life cycle.
pub fn stage(deleted: bool) -> &'static str {
    if deleted { "deleted" } else { "active" }
}

/// A run to begin.
#[derive(Debug, Clone, Default)]
pub struct NewRun {
    pub experiment: String,
    pub user: String,
    pub name: Option<String>,
    pub start_ms: i64,
    pub tags: BTreeMap<String, String>,
}

/// Many things logged at once: all of it is taken or none.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub metrics: Vec<(String, Point)>,
    pub params: Vec<(String, String)>,
    pub tags: Vec<(String, String)>,
    /// Those of the metrics that also tell of a logged model.
    pub of_models: Vec<ModelValue>,
}

pub(super) fn not_found(id: &str) -> TrackingError {
    TrackingError::NotFound(format!("Run with id={id} not found"))
}

fn record(r: &Reader<'_>, id: &str) -> Result<Record, TrackingError> {
    r.record(Kind::Run, id)?.ok_or_else(|| not_found(id))
}

fn active(r: &Reader<'_>, id: &str) -> Result<Record, TrackingError> {
    let found = record(r, id)?;
    if r.run_is_deleted(id)? {
        return Err(TrackingError::Invalid(format!("The run {id} must be in the 'active' state. Current state is deleted.")));
    }
    Ok(found)
}

/// Inputs are datasets under name and digest, and logged models under their id with this before it.
const MODEL_INPUT: &str = "model:";

fn model_inputs(inputs: BTreeMap<String, String>) -> Vec<String> {
    inputs.into_keys().filter_map(|key| key.strip_prefix(MODEL_INPUT).map(str::to_owned)).collect()
}

fn dataset_inputs(inputs: BTreeMap<String, String>) -> Vec<Value> {
    inputs.into_iter().filter(|(key, _)| !key.starts_with(MODEL_INPUT)).filter_map(|(_, v)| serde_json::from_str(&v).ok()).collect()
}

pub(crate) fn view(r: &Reader<'_>, run: &Record) -> Result<Run, TrackingError> {
    let experiment_id = run.parent.clone().unwrap_or_default();
    Ok(Run {
        id: run.id.clone(),
        experiment: r.experiment_number(&experiment_id)?.unwrap_or(-1),
        experiment_id,
        user: run.text("user"),
        status: run.text("status"),
        start_ms: run.int("start_ms").unwrap_or(run.at_ms),
        end_ms: run.int("end_ms"),
        deleted: r.run_is_deleted(&run.id)?,
        params: run.pairs("param"),
        tags: run.pairs("tag"),
        metrics: r.summaries(&run.id)?,
        inputs: dataset_inputs(run.pairs("input")),
        model_inputs: model_inputs(run.pairs("input")),
        outputs: run.pairs("output").into_iter().map(|(m, step)| (m, step.parse().unwrap_or(0))).collect(),
        device: run.device.clone(),
    })
}

pub fn create(workspace: &Workspace, new: NewRun) -> Result<Run, TrackingError> {
    experiments::ensure_numbers(workspace)?;
    let id = workspace.edge.new_id().replace('-', "");
    let run = RunId::parse(id)?;
    let mut tags = BTreeMap::new();
    for (key, value) in &new.tags {
        // MLflow looks at the names of tags only when they are set later.
        tags.insert(key.clone(), shorten(value, TAG_VALUE_MAX));
    }
    let given = new.name.filter(|n| !n.is_empty());
    match (&given, tags.get("mlflow.runName")) {
        (Some(name), Some(tag)) if name != tag => {
            return Err(TrackingError::Invalid(format!(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{name}', mlflow.runName='{tag}')."
            )));
        }
        (Some(name), None) => {
            tags.insert("mlflow.runName".to_owned(), name.clone());
        }
        (None, None) => {
            tags.insert("mlflow.runName".to_owned(), invented_name(run.as_str()));
        }
        (Some(_) | None, Some(_)) => {}
    }
    let start_ms = if new.start_ms > 0 { new.start_ms } else { workspace.edge.now_ms() };
    workspace.write(|w| {
        let experiment = experiments::by_number(w, &new.experiment)?;
        if experiment.deleted {
            return Err(TrackingError::Invalid(format!(
                "The experiment {} must be in the 'active' state. Current state is deleted.",
                experiment.number
            )));
        }
        let experiment = ExperimentId::parse(experiment.id)?;
        w.append(Op::RunCreated { run: run.clone(), experiment, user: new.user, start_ms, tags })?;
        view(w, &record(w, run.as_str())?)
    })
}

/// A name for a run that nobody named: adjective, animal, number, as MLflow does it.
fn invented_name(id: &str) -> String {
    const ADJECTIVES: [&str; 16] = [
        "able", "brave", "calm", "clever", "eager", "gentle", "grand", "happy", "honest", "keen", "lively", "merry", "nimble", "quiet",
        "swift", "wise",
    ];
    const ANIMALS: [&str; 16] =
        ["ant", "bear", "crane", "deer", "eel", "finch", "goat", "hare", "ibex", "jay", "koala", "lynx", "mole", "newt", "otter", "wren"];
    // The end of a UUID v7 is random; its beginning is the time.
    let tail = id.get(id.len().saturating_sub(8)..).and_then(|t| u32::from_str_radix(t, 16).ok()).unwrap_or(0) as usize;
    format!("{}-{}-{}", ADJECTIVES[tail & 15], ANIMALS[tail >> 4 & 15], (tail >> 8) % 1000)
}

pub fn get(workspace: &Workspace, id: &str) -> Result<Run, TrackingError> {
    experiments::ensure_numbers(workspace)?;
    workspace.read(|r| view(r, &record(r, id)?))
}

/// A page of what a search finds.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub runs: Vec<Run>,
    pub more: bool,
}

/// Makes sure that searches see the newest values of metrics.
pub fn freshen(workspace: &Workspace) -> Result<(), TrackingError> {
    if workspace.read(|r| r.is_stale().map_err(TrackingError::from))? {
        workspace.write(|w| w.freshen().map(drop).map_err(TrackingError::from))?;
    }
    Ok(())
}

/// Searches the runs of experiments, given by this computer's numbers; unknown ones have none.
pub fn search(workspace: &Workspace, numbers: &[String], mut search: RunSearch) -> Result<Page, TrackingError> {
    experiments::ensure_numbers(workspace)?;
    freshen(workspace)?;
    workspace.read(|r| {
        let mut ids = Vec::new();
        for number in numbers {
            ids.extend(number.parse().ok().map(|n| r.numbered_experiment(n)).transpose()?.flatten());
        }
        search.experiments = Some(ids);
        found(r, &search)
    })
}

/// The runs that a search finds; the metrics must be fresh.
pub(crate) fn found(r: &Reader<'_>, search: &RunSearch) -> Result<Page, TrackingError> {
    let page = r.search_runs(search)?;
    Ok(Page { runs: views(r, &page.runs, None)?, more: page.more })
}

/// Runs by the file's numbers; of their metrics all, or only some.
pub(crate) fn views(r: &Reader<'_>, nums: &[i64], metrics: Option<&[String]>) -> Result<Vec<Run>, TrackingError> {
    let mut numbers: BTreeMap<String, i64> = BTreeMap::new();
    let mut runs = Vec::with_capacity(nums.len());
    for v in r.run_views(nums, metrics)? {
        let experiment = match numbers.get(&v.experiment) {
            Some(number) => *number,
            None => {
                let number = r.experiment_number(&v.experiment)?.unwrap_or(-1);
                numbers.insert(v.experiment.clone(), number);
                number
            }
        };
        runs.push(Run {
            id: v.id,
            experiment,
            experiment_id: v.experiment,
            user: v.user,
            status: v.status,
            start_ms: v.start_ms,
            end_ms: v.end_ms,
            deleted: v.deleted,
            params: v.params,
            tags: v.tags,
            metrics: v.metrics,
            model_inputs: model_inputs(v.inputs.clone()),
            inputs: dataset_inputs(v.inputs),
            outputs: v.outputs.into_iter().map(|(m, step)| (m, step.parse().unwrap_or(0))).collect(),
            device: v.device,
        });
    }
    Ok(runs)
}

pub fn update(
    workspace: &Workspace,
    id: &str,
    status: Option<RunStatus>,
    end_ms: Option<i64>,
    new_name: Option<&str>,
) -> Result<Run, TrackingError> {
    workspace.write(|w| {
        let run = RunId::parse(id).map_err(|_| not_found(id))?;
        let found = active(w, id)?;
        if let Some(new_name) = new_name.filter(|n| !n.is_empty()) {
            w.append(Op::RunTagged {
                run: run.clone(),
                set: [("mlflow.runName".to_owned(), shorten(new_name, TAG_VALUE_MAX))].into(),
                removed: Vec::new(),
            })?;
        }
        if status.is_some() || end_ms.is_some() {
            let present = RunStatus::parse(found.get("status").unwrap_or_default()).unwrap_or(RunStatus::Running);
            let status = status.unwrap_or(present);
            w.append(Op::RunUpdated { run: run.clone(), status, end_ms })?;
            if matches!(status, RunStatus::Finished | RunStatus::Failed | RunStatus::Killed) {
                // The signed outline of its metrics travels with the log from now on.
                w.summarise(Some(&run))?;
                w.settle(&run)?;
                w.freshen_run(&run)?;
            }
        }
        view(w, &record(w, id)?)
    })
}

pub fn log_metric(workspace: &Workspace, id: &str, key: &str, point: Point) -> Result<(), TrackingError> {
    log_batch(workspace, id, Batch { metrics: vec![(key.to_owned(), point)], ..Batch::default() })
}

/// A value of a metric that tells of a logged model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelValue {
    pub model: String,
    pub key: String,
    pub point: Point,
    /// Name and digest of the dataset that it was measured on; empty: none was named.
    pub dataset: (String, String),
}

/// MLflow stores an infinity as the largest number; its clients read that back.
pub(crate) fn clamped(mut point: Point) -> Point {
    if point.value.is_infinite() {
        point.value = f64::MAX.copysign(point.value);
    }
    point
}

/// Points are no operations, so their permission is checked here.
fn may_log(workspace: &Workspace, w: &Writer<'_>, id: &str) -> Result<RunId, TrackingError> {
    let run = RunId::parse(id).map_err(|_| not_found(id))?;
    active(w, id)?;
    let acl = w.acl()?;
    let allowed = acl
        .member_of(&workspace.device())
        .is_some_and(|(_, m)| m.roles.iter().any(|r| cairn_core::role::permits(*r, cairn_core::role::Act::Track)));
    if allowed { Ok(run) } else { Err(TrackingError::Denied("The member at this computer may not log runs.".to_owned())) }
}

pub fn log_batch(workspace: &Workspace, id: &str, batch: Batch) -> Result<(), TrackingError> {
    // Names first, as MLflow does it: a wrong name is the answer even for a run that is not there.
    for (key, _) in &batch.metrics {
        name("name", key)?;
    }
    let mut params: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in batch.params {
        name("key", &key)?;
        if params.contains_key(&key) {
            return Err(TrackingError::Invalid(format!(
                "Duplicate parameter keys have been submitted: ['{key}']. Please ensure the request contains only one param value per param key."
            )));
        }
        params.insert(key, shorten(&value, PARAM_VALUE_MAX));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in batch.tags {
        name("key", &key)?;
        tags.insert(key, shorten(&value, TAG_VALUE_MAX));
    }
    workspace.write(|w| {
        let run = may_log(workspace, w, id)?;
        if !params.is_empty() {
            let known = w.record(Kind::Run, id)?.map(|r| r.pairs("param")).unwrap_or_default();
            for (key, value) in &params {
                if let Some(old) = known.get(key).filter(|old| *old != value) {
                    return Err(TrackingError::Invalid(format!(
                        "Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}' for run ID='{id}'. Attempted logging new value '{value}'."
                    )));
                }
            }
            params.retain(|key, _| !known.contains_key(key));
        }
        for chunk in chunks(params) {
            w.append(Op::RunParamsLogged { run: run.clone(), params: chunk })?;
        }
        for chunk in chunks(tags) {
            w.append(Op::RunTagged { run: run.clone(), set: chunk, removed: Vec::new() })?;
        }
        if !batch.metrics.is_empty() {
            w.log_points(&run, batch.metrics.iter().map(|(k, p)| (k.as_str(), clamped(*p))))?;
        }
        for v in batch.of_models {
            let model = LoggedModelId::parse(v.model)?;
            let (dataset, digest) = v.dataset;
            let last = clamped(v.point);
            w.log_model_metric(&model, &run, &Measured { run: run.to_string(), key: v.key, dataset, digest, last })?;
        }
        Ok(())
    })
}

/// Splits what would not fit into one line of the log.
pub(crate) fn chunks(pairs: BTreeMap<String, String>) -> Vec<BTreeMap<String, String>> {
    let mut out: Vec<BTreeMap<String, String>> = Vec::new();
    let mut room = 0;
    for (key, value) in pairs {
        let size = 2 * (key.len() + value.len()) + 16;
        if out.is_empty() || room + size > cairn_core::strict::LINE_MAX / 2 {
            out.push(BTreeMap::new());
            room = 0;
        }
        room += size;
        if let Some(last) = out.last_mut() {
            last.insert(key, value);
        }
    }
    out
}

pub fn delete_tag(workspace: &Workspace, id: &str, key: &str) -> Result<(), TrackingError> {
    workspace.write(|w| {
        let run = RunId::parse(id).map_err(|_| not_found(id))?;
        if active(w, id)?.get_key("tag", key).is_none() {
            return Err(TrackingError::NotFound(format!("No tag with name: {key} in run with id {id}")));
        }
        w.append(Op::RunTagged { run, set: BTreeMap::new(), removed: vec![key.to_owned()] })?;
        Ok(())
    })
}

/// Sets and removes tags of many runs, of all or of none. Returns how many changed.
pub fn tag_all(workspace: &Workspace, ids: &[String], set: &BTreeMap<String, String>, remove: &[String]) -> Result<u64, TrackingError> {
    for key in set.keys() {
        name("key", key)?;
    }
    workspace.write(|w| {
        let mut changed = 0;
        for id in ids {
            let run = RunId::parse(id.as_str()).map_err(|_| not_found(id))?;
            let tags = active(w, id)?.pairs("tag");
            let new: BTreeMap<String, String> =
                set.iter().map(|(k, v)| (k.clone(), shorten(v, TAG_VALUE_MAX))).filter(|(k, v)| tags.get(k) != Some(v)).collect();
            let removed: Vec<String> = remove.iter().filter(|k| tags.contains_key(*k)).cloned().collect();
            if new.is_empty() && removed.is_empty() {
                continue;
            }
            changed += 1;
            w.append(Op::RunTagged { run, set: new, removed })?;
        }
        Ok(changed)
    })
}

pub fn set_deleted(workspace: &Workspace, id: &str, deleted: bool) -> Result<(), TrackingError> {
    workspace.write(|w| {
        if record(w, id)?.deleted() == deleted {
            return Ok(());
        }
        let subject = Subject { kind: Kind::Run, id: id.to_owned() };
        let op = if deleted { Op::RecordDeleted { subject } } else { Op::RecordRestored { subject } };
        w.append_why(op, Some(super::BY_SCRIPT))?;
        Ok(())
    })
}

/// Dataset inputs, each as the client sent it, and logged models that the run evaluates.
pub fn log_inputs(workspace: &Workspace, id: &str, inputs: &[Value], models: &[String]) -> Result<(), TrackingError> {
    workspace.write(|w| {
        let run = RunId::parse(id).map_err(|_| not_found(id))?;
        let known = active(w, id)?.pairs("input");
        for input in inputs {
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let key = format!("{}@{}", text(&input["dataset"]["name"]), text(&input["dataset"]["digest"]));
            // The first word on a dataset holds, its context too, as in MLflow.
            if !known.contains_key(&key) {
                w.append(Op::RunInputsLogged { run: run.clone(), inputs: [(key, input.clone())].into() })?;
            }
        }
        if !models.is_empty() {
            let inputs = models.iter().map(|id| (format!("{MODEL_INPUT}{id}"), serde_json::json!({ "model_id": id }))).collect();
            w.append(Op::RunInputsLogged { run, inputs })?;
        }
        Ok(())
    })
}

pub fn log_outputs(workspace: &Workspace, id: &str, models: BTreeMap<String, i64>) -> Result<(), TrackingError> {
    workspace.write(|w| {
        let run = RunId::parse(id).map_err(|_| not_found(id))?;
        active(w, id)?;
        w.append(Op::RunOutputsLogged { run, models })?;
        Ok(())
    })
}

/// The points of a metric as MLflow orders them: time, step, value. A run that is not there has none.
pub fn history(workspace: &Workspace, id: &str, key: &str) -> Result<Vec<Point>, TrackingError> {
    workspace.read(|r| {
        let (mut points, _) = r.points(id, key)?;
        points.sort_by(|a, b| (a.ts, a.step).cmp(&(b.ts, b.step)).then(a.value.total_cmp(&b.value)));
        Ok(points)
    })
}

/// Points of a metric of several runs at evenly spaced steps, by MLflow's rule: the steps of all runs
/// together are thinned to at most `max`, and the last step is always among them.
pub fn intervals(
    workspace: &Workspace,
    ids: &[String],
    key: &str,
    range: Option<(i64, i64)>,
    max: usize,
) -> Result<Vec<(String, Point)>, TrackingError> {
    let mut all = Vec::new();
    let mut steps = std::collections::BTreeSet::new();
    for id in ids {
        let mut points = history(workspace, id, key)?;
        points.retain(|p| range.is_none_or(|(from, to)| from <= p.step && p.step <= to));
        steps.extend(points.iter().map(|p| p.step));
        all.push((id, points));
    }
    let steps: Vec<i64> = steps.into_iter().collect();
    let mut kept: std::collections::BTreeSet<i64> =
        if steps.len() <= max { steps.iter().copied().collect() } else { (0..max).map(|i| steps[i * steps.len() / max]).collect() };
    kept.extend(steps.last());
    Ok(all
        .into_iter()
        .flat_map(|(id, points)| points.into_iter().filter(|p| kept.contains(&p.step)).map(|p| (id.clone(), p)).collect::<Vec<_>>())
        .collect())
}

/// A dataset that runs of an experiment took in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatasetSummary {
    pub experiment: String,
    pub name: String,
    pub digest: String,
    pub context: String,
}

/// The datasets of some experiments, each once.
pub fn datasets(workspace: &Workspace, numbers: &[String]) -> Result<Vec<DatasetSummary>, TrackingError> {
    experiments::ensure_numbers(workspace)?;
    workspace.read(|r| {
        let mut found = Vec::new();
        for number in numbers {
            let Some(id) = number.parse().ok().map(|n| r.numbered_experiment(n)).transpose()?.flatten() else { continue };
            let of = |(name, digest, context)| DatasetSummary { experiment: number.clone(), name, digest, context };
            found.extend(r.datasets_of(&id)?.into_iter().map(of));
        }
        Ok(found)
    })
}

/// What a 2.x client says of a model that it stored in a run: one more entry of a tag.
pub fn log_model(workspace: &Workspace, id: &str, model: Value) -> Result<(), TrackingError> {
    const TAG: &str = "mlflow.log-model.history";
    workspace.write(|w| {
        let run = may_log(workspace, w, id)?;
        let before = record(w, id)?.get_key("tag", TAG).and_then(|t| serde_json::from_str::<Vec<Value>>(t).ok());
        let mut all = before.unwrap_or_default();
        all.push(model);
        w.append(Op::RunTagged { run, set: [(TAG.to_owned(), Value::from(all).to_string())].into(), removed: Vec::new() })?;
        Ok(())
    })
}
