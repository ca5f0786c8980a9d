//! The calls, one arm each. MLflow's own names and fields.

use crate::wire::{Failure, Input, compact, double, key_values};
use axum::http::{HeaderMap, Method, header};
use cairn_api::Workspace;
use cairn_api::tracking::experiments::{self, Experiment};
use cairn_api::tracking::filter::{self, Dialect, Entity, Expr, Order};
use cairn_api::tracking::runs::{self, Batch, ModelValue, NewRun, Run, stage};
use cairn_api::tracking::validate::{METRICS_MAX, PARAMS_MAX, TAGS_MAX};
use cairn_api::tracking::{Point, RunSearch, RunStatus, View};
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

mod logged_models;
mod registry;
mod text;

pub(crate) type Answer = Result<Value, Failure>;

pub(crate) fn dispatch(w: &Workspace, method: &Method, name: &str, input: &Input) -> Answer {
    match name.split_once('/').unwrap_or((name, "")) {
        ("experiments", call) => experiments(w, method, call, input),
        ("runs", call) => runs(w, method, call, input),
        ("metrics", "get-history") if method == Method::GET => metric_history(w, input),
        ("metrics", "get-history-bulk-interval") if method == Method::GET => metric_intervals(w, input),
        ("metrics", "get-history-bulk") if method == Method::GET => metric_histories(w, input),
        ("artifacts", "list") if method == Method::GET => {
            crate::artifacts::list_of_run(w, &input.run_id()?, input.text("path")?.as_deref())
        }
        ("logged-models", call) => logged_models::call(w, method, call, input),
        ("registered-models", call) => registry::models(w, method, call, input),
        ("model-versions", call) => registry::versions(w, method, call, input),
        (_, _) => Err(Failure::unknown_endpoint(method, name)),
    }
}

fn experiments(w: &Workspace, method: &Method, call: &str, input: &Input) -> Answer {
    let id = || input.require("experiment_id");
    match (method.as_str(), call) {
        ("POST", "create") => experiment_create(w, input),
        ("GET", "get") => Ok(json!({ "experiment": experiment(&experiments::get(w, &id()?)?) })),
        ("GET", "get-by-name") => Ok(json!({ "experiment": experiment(&experiments::by_name(w, &input.require("experiment_name")?)?) })),
        ("POST" | "GET", "search") => experiment_search(w, input),
        ("POST", "delete") => done(experiments::set_deleted(w, &id()?, true)),
        ("POST", "restore") => done(experiments::set_deleted(w, &id()?, false)),
        ("POST", "update") => done(experiments::rename(w, &id()?, &input.require("new_name")?)),
        ("POST", "set-experiment-tag") => {
            done(experiments::set_tag(w, &id()?, &input.require("key")?, &input.text("value")?.unwrap_or_default()))
        }
        ("POST", "delete-experiment-tag") => done(experiments::delete_tag(w, &id()?, &input.require("key")?)),
        ("POST", "search-datasets") => dataset_search(w, input),
        (_, _) => Err(Failure::unknown_endpoint(method, &format!("experiments/{call}"))),
    }
}

fn runs(w: &Workspace, method: &Method, call: &str, input: &Input) -> Answer {
    let id = || input.run_id();
    let pair = || Ok::<_, Failure>((input.require("key")?, input.text("value")?.unwrap_or_default()));
    match (method.as_str(), call) {
        ("POST", "create") => run_create(w, input),
        ("GET", "get") => Ok(json!({ "run": run(&runs::get(w, &id()?)?) })),
        ("POST", "update") => run_update(w, input),
        ("POST", "log-metric") => {
            let (metric, of_model) = metric(input)?;
            let of_models = of_model.into_iter().collect();
            done(runs::log_batch(w, &id()?, Batch { metrics: vec![metric], of_models, ..Batch::default() }))
        }
        ("POST", "log-parameter") => done(runs::log_batch(w, &id()?, Batch { params: vec![pair()?], ..Batch::default() })),
        ("POST", "set-tag") => done(runs::log_batch(w, &id()?, Batch { tags: vec![pair()?], ..Batch::default() })),
        ("POST", "log-batch") => log_batch(w, input),
        ("POST", "delete-tag") => done(runs::delete_tag(w, &id()?, &input.require("key")?)),
        ("POST", "delete") => done(runs::set_deleted(w, &id()?, true)),
        ("POST", "restore") => done(runs::set_deleted(w, &id()?, false)),
        ("POST", "log-inputs") => log_inputs(w, input),
        ("POST", "outputs") => run_outputs(w, input),
        ("POST", "log-model") => {
            // 2.x clients: the model's description becomes a tag, as MLflow keeps it.
            let model: Value = serde_json::from_str(&input.require("model_json")?)
                .map_err(|e| Failure::invalid(format!("Malformed model info. The JSON cannot be read: {e}")))?;
            done(runs::log_model(w, &id()?, model))
        }
        (_, _) => Err(Failure::unknown_endpoint(method, &format!("runs/{call}"))),
    }
}

fn done(result: Result<(), cairn_api::tracking::TrackingError>) -> Answer {
    result?;
    Ok(json!({}))
}

fn experiment(e: &Experiment) -> Value {
    compact(vec![
        ("experiment_id", json!(e.number.to_string())),
        ("name", json!(e.name)),
        ("artifact_location", json!(format!("mlflow-artifacts:/{}", e.number))),
        ("lifecycle_stage", json!(stage(e.deleted))),
        ("last_update_time", json!(e.updated_ms)),
        ("creation_time", json!(e.created_ms)),
        ("tags", json!(key_values(&e.tags))),
        ("workspace", json!("default")),
    ])
}

fn metric_json(key: &str, p: &Point) -> Value {
    json!({ "key": key, "value": double(p.value), "timestamp": p.ts, "step": p.step })
}

fn run(r: &Run) -> Value {
    serde_json::to_value(text::Run::of(r)).unwrap_or_default()
}

fn run_info(r: &Run) -> Value {
    run(r)["info"].take()
}

fn experiment_create(w: &Workspace, input: &Input) -> Answer {
    let number = experiments::create(w, &input.require("name")?, input.map("tags")?)?;
    Ok(json!({ "experiment_id": number.to_string() }))
}

fn experiment_search(w: &Workspace, input: &Input) -> Answer {
    let max = page_size(input.int("max_results")?, 1_000, 50_000)?;
    let (wanted, orders) = filter_and_order(input, Entity::Experiment)?;
    let view = input.text("view_type")?;
    let all = experiments::search(w, &wanted, &orders, |deleted| seen(view.as_deref(), deleted))?;
    let (page, token) = page(&all, input.text("page_token")?.as_deref(), max)?;
    Ok(compact(vec![("experiments", json!(page.iter().map(experiment).collect::<Vec<_>>())), ("next_page_token", json!(token))]))
}

/// The filter and the order of a search, in MLflow's grammar.
pub(crate) fn filter_and_order(input: &Input, entity: Entity) -> Result<(Expr, Vec<Order>), Failure> {
    let wanted = filter::parse(entity, Dialect::Mlflow, &input.text("filter")?.unwrap_or_default())?;
    let orders = input.texts("order_by")?.iter().map(|o| filter::parse_order(entity, Dialect::Mlflow, o)).collect::<Result<_, _>>()?;
    Ok((wanted, orders))
}

fn dataset_search(w: &Workspace, input: &Input) -> Answer {
    let found = runs::datasets(w, &input.texts("experiment_ids")?)?;
    let summary = |d: &runs::DatasetSummary| {
        compact(vec![
            ("experiment_id", json!(d.experiment)),
            ("name", json!(d.name)),
            ("digest", json!(d.digest)),
            ("context", Some(&d.context).filter(|c| !c.is_empty()).map_or(Value::Null, |c| json!(c))),
        ])
    };
    Ok(compact(vec![("dataset_summaries", json!(found.iter().map(summary).collect::<Vec<_>>()))]))
}

fn seen(view: Option<&str>, deleted: bool) -> bool {
    match view {
        Some("ALL") => true,
        Some("DELETED_ONLY") => deleted,
        _ => !deleted,
    }
}

fn page_size(asked: Option<i64>, default: usize, most: usize) -> Result<usize, Failure> {
    match asked {
        None => Ok(default),
        Some(n) => usize::try_from(n).ok().filter(|n| (1..=most).contains(n)).ok_or_else(|| {
            Failure::invalid(format!("Invalid value {n} for parameter 'max_results' supplied: It must be at least 1 and at most {most}"))
        }),
    }
}

fn page_start(token: Option<&str>) -> Result<usize, Failure> {
    match token {
        None => Ok(0),
        Some(text) => {
            text.strip_prefix('o').and_then(|n| n.parse().ok()).ok_or_else(|| Failure::invalid("Invalid page token, could not decode"))
        }
    }
}

fn page<'a, T>(all: &'a [T], token: Option<&str>, max: usize) -> Result<(&'a [T], Option<String>), Failure> {
    let start = page_start(token)?.min(all.len());
    let end = start.saturating_add(max).min(all.len());
    Ok((&all[start..end], (end < all.len()).then(|| format!("o{end}"))))
}

fn run_create(w: &Workspace, input: &Input) -> Answer {
    let new = NewRun {
        experiment: input.text("experiment_id")?.unwrap_or_else(|| "0".to_owned()),
        user: input.text("user_id")?.unwrap_or_default(),
        name: input.text("run_name")?,
        start_ms: input.int("start_time")?.unwrap_or(0),
        tags: input.labels("tags")?,
    };
    let mut made = run(&runs::create(w, new)?);
    if let Value::Object(fields) = &mut made {
        fields.remove("outputs");
    }
    Ok(json!({ "run": made }))
}

fn run_update(w: &Workspace, input: &Input) -> Answer {
    let status = match input.text("status")? {
        None => None,
        Some(text) => Some(
            RunStatus::parse(&text)
                .ok_or_else(|| Failure::invalid(format!("Invalid value \"{text}\" for parameter 'status' supplied.")))?,
        ),
    };
    let updated = runs::update(w, &input.run_id()?, status, input.int("end_time")?, input.text("run_name")?.as_deref())?;
    Ok(json!({ "run_info": run_info(&updated) }))
}

/// A page of runs as text: hundreds of runs with dozens of values each are written without a tree in between.
pub(crate) fn run_search(w: &Workspace, input: &Input) -> Result<String, Failure> {
    let max = page_size(input.int("max_results")?, 1_000, 50_000)?;
    let (filter, order) = filter_and_order(input, Entity::Run)?;
    let offset = page_start(input.text("page_token")?.as_deref())?;
    let search = RunSearch {
        filter,
        order,
        view: match input.text("run_view_type")?.as_deref() {
            Some("ALL") => View::All,
            Some("DELETED_ONLY") => View::Deleted,
            _ => View::Active,
        },
        offset,
        limit: max,
        ..RunSearch::default()
    };
    let page = runs::search(w, &input.texts("experiment_ids")?, search)?;
    let token = page.more.then(|| format!("o{}", offset + max));
    let found = text::Found { runs: page.runs.iter().map(text::Run::of).collect(), next_page_token: token };
    serde_json::to_string(&found).map_err(|e| Failure::internal(&e))
}

type Logged = ((String, Point), Option<ModelValue>);

fn metric(input: &Input) -> Result<Logged, Failure> {
    let key = input.require("key")?;
    let value = input.number("value")?;
    let ts = input.int("timestamp")?.ok_or_else(|| Failure::missing("timestamp"))?;
    let point = Point { step: input.int("step")?.unwrap_or(0), ts, value };
    let of_model = match input.text("model_id")? {
        None => None,
        Some(model) => {
            let dataset = (input.text("dataset_name")?.unwrap_or_default(), input.text("dataset_digest")?.unwrap_or_default());
            Some(ModelValue { model, key: key.clone(), point, dataset })
        }
    };
    Ok(((key, point), of_model))
}

fn log_batch(w: &Workspace, input: &Input) -> Answer {
    let id = input.run_id()?;
    let metrics = input.list("metrics")?;
    let (params, tags) = (input.pairs("params")?, input.pairs("tags")?);
    for (what, count, most) in
        [("metrics", metrics.len(), METRICS_MAX), ("params", params.len(), PARAMS_MAX), ("tags", tags.len(), TAGS_MAX)]
    {
        if count > most {
            return Err(Failure::invalid(format!(
                "A batch logging request can contain at most {most} {what}. Got {count} {what}. Please split up {what} across multiple requests and try again."
            )));
        }
    }
    let total = metrics.len() + params.len() + tags.len();
    if total > 1_000 {
        return Err(Failure::invalid(format!(
            "A batch logging request can contain at most 1000 metrics, params, and tags in total. Got {total}."
        )));
    }
    let logged = metrics.iter().map(|m| metric(&Input::of(m)?)).collect::<Result<Vec<_>, _>>()?;
    let (metrics, of_models): (Vec<_>, Vec<_>) = logged.into_iter().unzip();
    done(runs::log_batch(w, &id, Batch { metrics, params, tags, of_models: of_models.into_iter().flatten().collect() }))
}

/// A batch in the form that clients send it, read without building a tree of it first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainBatch<'a> {
    #[serde(borrow)]
    run_id: Cow<'a, str>,
    #[serde(default)]
    metrics: Vec<PlainMetric<'a>>,
    #[serde(default)]
    params: Vec<PlainPair<'a>>,
    #[serde(default)]
    tags: Vec<PlainPair<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainMetric<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    value: f64,
    timestamp: i64,
    #[serde(default)]
    step: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainPair<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    value: Cow<'a, str>,
}

/// Logs a batch that is as clients mostly send it; none: it is not, and the general way reads it or
/// says what is wrong with it.
pub(crate) fn plain_batch(w: &Workspace, headers: &HeaderMap, body: &[u8]) -> Option<Answer> {
    if !headers.get(header::CONTENT_TYPE)?.to_str().ok()?.starts_with("application/json") {
        return None;
    }
    let batch: PlainBatch<'_> = serde_json::from_slice(body).ok()?;
    let total = batch.metrics.len() + batch.params.len() + batch.tags.len();
    if total > METRICS_MAX || batch.params.len() > PARAMS_MAX || batch.tags.len() > TAGS_MAX || batch.run_id.is_empty() {
        return None;
    }
    let keys = batch.metrics.iter().map(|m| &m.key).chain(batch.params.iter().chain(&batch.tags).map(|p| &p.key));
    if keys.into_iter().any(|key| key.is_empty()) {
        return None;
    }
    let metrics =
        batch.metrics.into_iter().map(|m| (m.key.into_owned(), Point { step: m.step, ts: m.timestamp, value: m.value })).collect();
    let pairs = |all: Vec<PlainPair<'_>>| all.into_iter().map(|p| (p.key.into_owned(), p.value.into_owned())).collect();
    let (params, tags) = (pairs(batch.params), pairs(batch.tags));
    Some(done(runs::log_batch(w, &batch.run_id, Batch { metrics, params, tags, ..Batch::default() })))
}

fn log_inputs(w: &Workspace, input: &Input) -> Answer {
    let datasets = input.list("datasets")?;
    for item in &datasets {
        let dataset = Input::of(item.get("dataset").unwrap_or(&Value::Null))?;
        dataset.require("name")?;
        dataset.require("digest")?;
    }
    let models = input.list("models")?.iter().map(|m| Input::of(m)?.require("model_id")).collect::<Result<Vec<_>, _>>()?;
    done(runs::log_inputs(w, &input.run_id()?, &datasets, &models))
}

fn run_outputs(w: &Workspace, input: &Input) -> Answer {
    let mut models = BTreeMap::new();
    for item in input.list("models")? {
        let item = Input::of(&item)?;
        models.insert(item.require("model_id")?, item.int("step")?.unwrap_or(0));
    }
    done(runs::log_outputs(w, &input.run_id()?, models))
}

fn metric_history(w: &Workspace, input: &Input) -> Answer {
    let key = input.require("metric_key")?;
    let all = runs::history(w, &input.run_id()?, &key)?;
    let max = page_size(input.int("max_results")?, usize::MAX, 25_000)?;
    let (page, token) = page(&all, input.text("page_token")?.as_deref(), max)?;
    let metrics: Vec<Value> = page.iter().map(|p| metric_json(&key, p)).collect();
    Ok(compact(vec![("metrics", json!(metrics)), ("next_page_token", json!(token))]))
}

/// At most so many points of a metric in one answer of [`metric_intervals`].
const INTERVALS_MAX: usize = 2_500;
const BULK_RUNS_MAX: usize = 100;

fn bulk_runs(input: &Input, field: &str) -> Result<Vec<String>, Failure> {
    let ids = input.texts(field)?;
    if ids.is_empty() {
        return Err(Failure::missing(field));
    }
    if ids.len() > BULK_RUNS_MAX {
        return Err(Failure::invalid(format!("GetMetricHistoryBulk request cannot specify more than {BULK_RUNS_MAX} run_ids.")));
    }
    Ok(ids)
}

/// The points of a metric of several runs, whole.
fn metric_histories(w: &Workspace, input: &Input) -> Answer {
    let key = input.require("metric_key")?;
    let max = page_size(input.int("max_results")?, 25_000, 25_000)?;
    let mut metrics = Vec::new();
    for id in bulk_runs(input, "run_id")? {
        for p in runs::history(w, &id, &key)?.into_iter().take(max - metrics.len()) {
            let mut row = metric_json(&key, &p);
            row["run_id"] = json!(id);
            metrics.push(row);
        }
    }
    Ok(json!({ "metrics": metrics }))
}

/// The points of a metric of several runs at evenly spaced steps; the last step is always there.
fn metric_intervals(w: &Workspace, input: &Input) -> Answer {
    let key = input.require("metric_key")?;
    let max = page_size(input.int("max_results")?, 320, INTERVALS_MAX)?;
    let bounds = (input.int("start_step")?, input.int("end_step")?);
    let range = match bounds {
        (Some(from), Some(to)) if from <= to => Some((from, to)),
        (Some(_), Some(_)) => return Err(Failure::invalid("end_step must be greater than start_step.")),
        (None, None) => None,
        (_, _) => return Err(Failure::invalid("If either start step or end step are specified, both must be specified.")),
    };
    let mut metrics = Vec::new();
    for (id, p) in runs::intervals(w, &bulk_runs(input, "run_ids")?, &key, range, max)? {
        let mut row = metric_json(&key, &p);
        row["run_id"] = json!(id);
        metrics.push(row);
    }
    Ok(compact(vec![("metrics", json!(metrics))]))
}
