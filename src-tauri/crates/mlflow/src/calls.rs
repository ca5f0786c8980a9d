//! The calls, one arm each. MLflow's own names and fields.

use crate::wire::{Failure, Input, compact, double, key_values};
use axum::http::Method;
use cairn_api::Workspace;
use cairn_api::tracking::experiments::{self, Experiment};
use cairn_api::tracking::filter::{self, Dialect, Entity};
use cairn_api::tracking::logged_models::{self, LoggedModel, NewLoggedModel};
use cairn_api::tracking::runs::{self, Batch, NewRun, Run, stage};
use cairn_api::tracking::validate::{METRICS_MAX, PARAMS_MAX, TAGS_MAX};
use cairn_api::tracking::{Point, RunSearch, RunStatus, View};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Answer = Result<Value, Failure>;

pub(crate) fn dispatch(w: &Workspace, method: &Method, name: &str, input: &Input) -> Answer {
    match (method.as_str(), name) {
        ("POST", "experiments/create") => experiment_create(w, input),
        ("GET", "experiments/get") => Ok(json!({ "experiment": experiment(&experiments::get(w, &input.require("experiment_id")?)?) })),
        ("GET", "experiments/get-by-name") => {
            Ok(json!({ "experiment": experiment(&experiments::by_name(w, &input.require("experiment_name")?)?) }))
        }
        ("POST" | "GET", "experiments/search") => experiment_search(w, input),
        ("POST", "experiments/delete") => done(experiments::set_deleted(w, &input.require("experiment_id")?, true)),
        ("POST", "experiments/restore") => done(experiments::set_deleted(w, &input.require("experiment_id")?, false)),
        ("POST", "experiments/update") => done(experiments::rename(w, &input.require("experiment_id")?, &input.require("new_name")?)),
        ("POST", "experiments/set-experiment-tag") => {
            let value = input.text("value")?.unwrap_or_default();
            done(experiments::set_tag(w, &input.require("experiment_id")?, &input.require("key")?, &value))
        }
        ("POST", "runs/create") => run_create(w, input),
        ("GET", "runs/get") => Ok(json!({ "run": run(&runs::get(w, &input.run_id()?)?) })),
        ("POST", "runs/update") => run_update(w, input),
        ("POST", "runs/search") => run_search(w, input),
        ("POST", "runs/log-metric") => {
            let (key, point) = metric(input)?;
            done(runs::log_metric(w, &input.run_id()?, &key, point))
        }
        ("POST", "runs/log-parameter") => {
            let params = vec![(input.require("key")?, input.text("value")?.unwrap_or_default())];
            done(runs::log_batch(w, &input.run_id()?, Batch { params, ..Batch::default() }))
        }
        ("POST", "runs/set-tag") => {
            let tags = vec![(input.require("key")?, input.text("value")?.unwrap_or_default())];
            done(runs::log_batch(w, &input.run_id()?, Batch { tags, ..Batch::default() }))
        }
        ("POST", "runs/log-batch") => log_batch(w, input),
        ("POST", "runs/delete-tag") => done(runs::delete_tag(w, &input.run_id()?, &input.require("key")?)),
        ("POST", "runs/delete") => done(runs::set_deleted(w, &input.run_id()?, true)),
        ("POST", "runs/restore") => done(runs::set_deleted(w, &input.run_id()?, false)),
        ("POST", "runs/log-inputs") => log_inputs(w, input),
        ("POST", "runs/outputs") => run_outputs(w, input),
        ("POST", "runs/log-model") => {
            // 2.x clients: the model's description becomes a tag, as MLflow keeps it.
            let tags = vec![("mlflow.log-model.history".to_owned(), format!("[{}]", input.require("model_json")?))];
            done(runs::log_batch(w, &input.run_id()?, Batch { tags, ..Batch::default() }))
        }
        ("GET", "metrics/get-history") => metric_history(w, input),
        ("POST", "logged-models") => logged_model_create(w, input),
        ("POST", "logged-models/search") => logged_model_search(w, input),
        ("GET", "artifacts/list") => crate::artifacts::list_of_run(w, &input.run_id()?, input.text("path")?.as_deref()),
        (verb, other) => match (verb, other.strip_prefix("logged-models/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))) {
            ("GET", Some((id, ""))) => Ok(json!({ "model": logged_model(&logged_models::get(w, id)?) })),
            ("PATCH", Some((id, ""))) => Ok(json!({ "model": logged_model(&logged_models::finalize(w, id, &input.require("status")?)?) })),
            ("PATCH", Some((id, "tags"))) => done(logged_models::set_tags(w, id, input.map("tags")?)),
            _ => Err(Failure::unknown_endpoint(method, other)),
        },
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

fn run_info(r: &Run) -> Value {
    compact(vec![
        ("run_uuid", json!(r.id)),
        ("experiment_id", json!(r.experiment.to_string())),
        ("run_name", json!(r.name())),
        ("user_id", json!(r.user)),
        ("status", json!(r.status)),
        ("start_time", json!(r.start_ms)),
        ("end_time", json!(r.end_ms)),
        ("artifact_uri", json!(format!("mlflow-artifacts:/{}/{}/artifacts", r.experiment, r.id))),
        ("lifecycle_stage", json!(stage(r.deleted))),
        ("run_id", json!(r.id)),
    ])
}

fn metric_json(key: &str, p: &Point) -> Value {
    json!({ "key": key, "value": double(p.value), "timestamp": p.ts, "step": p.step })
}

fn run(r: &Run) -> Value {
    let metrics: Vec<Value> = r.metrics.iter().map(|m| metric_json(&m.key, &m.last)).collect();
    let outputs: Vec<Value> = r.outputs.iter().map(|(id, step)| json!({ "model_id": id, "step": step })).collect();
    compact(vec![
        ("info", run_info(r)),
        (
            "data",
            compact(vec![("metrics", json!(metrics)), ("params", json!(key_values(&r.params))), ("tags", json!(key_values(&r.tags)))]),
        ),
        ("inputs", compact(vec![("dataset_inputs", json!(r.inputs))])),
        ("outputs", if outputs.is_empty() { Value::Null } else { json!({ "model_outputs": outputs }) }),
    ])
}

fn logged_model(m: &LoggedModel) -> Value {
    json!({
        "info": compact(vec![
            ("model_id", json!(m.id)),
            ("experiment_id", json!(m.experiment.to_string())),
            ("name", json!(m.name)),
            ("creation_timestamp_ms", json!(m.created_ms)),
            ("last_updated_timestamp_ms", json!(m.updated_ms)),
            ("artifact_uri", json!(format!("mlflow-artifacts:/{}/models/{}/artifacts", m.experiment, m.id))),
            ("status", json!(m.status)),
            ("model_type", json!(m.model_type)),
            ("source_run_id", json!(m.run)),
            ("tags", json!(key_values(&m.tags))),
        ]),
        "data": compact(vec![("params", json!(key_values(&m.params)))]),
    })
}

fn experiment_create(w: &Workspace, input: &Input) -> Answer {
    let number = experiments::create(w, &input.require("name")?, input.map("tags")?)?;
    Ok(json!({ "experiment_id": number.to_string() }))
}

fn experiment_search(w: &Workspace, input: &Input) -> Answer {
    let max = page_size(input.int("max_results")?, 1_000, 50_000)?;
    if input.text("filter")?.is_some_and(|f| !f.trim().is_empty()) {
        return Err(Failure::invalid("Cairn does not filter experiments on this endpoint yet; leave 'filter' empty."));
    }
    let view = input.text("view_type")?;
    let all: Vec<Experiment> = experiments::all(w)?.into_iter().filter(|e| seen(view.as_deref(), e.deleted)).collect();
    let (page, token) = page(&all, input.text("page_token")?.as_deref(), max)?;
    Ok(compact(vec![("experiments", json!(page.iter().map(experiment).collect::<Vec<_>>())), ("next_page_token", json!(token))]))
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
        tags: input.map("tags")?,
    };
    Ok(json!({ "run": run(&runs::create(w, new)?) }))
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

fn run_search(w: &Workspace, input: &Input) -> Answer {
    let max = page_size(input.int("max_results")?, 1_000, 50_000)?;
    let (entity, dialect) = (Entity::Run, Dialect::Mlflow);
    let offset = page_start(input.text("page_token")?.as_deref())?;
    let search = RunSearch {
        filter: filter::parse(entity, dialect, &input.text("filter")?.unwrap_or_default())?,
        order: input.texts("order_by")?.iter().map(|o| filter::parse_order(entity, dialect, o)).collect::<Result<Vec<_>, _>>()?,
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
    Ok(compact(vec![("runs", json!(page.runs.iter().map(run).collect::<Vec<_>>())), ("next_page_token", json!(token))]))
}

fn metric(input: &Input) -> Result<(String, Point), Failure> {
    let key = input.require("key")?;
    let value = input.number("value")?;
    let ts = input.int("timestamp")?.ok_or_else(|| Failure::missing("timestamp"))?;
    Ok((key, Point { step: input.int("step")?.unwrap_or(0), ts, value }))
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
    let metrics = metrics.iter().map(|m| metric(&Input::of(m)?)).collect::<Result<Vec<_>, _>>()?;
    done(runs::log_batch(w, &id, Batch { metrics, params, tags }))
}

fn log_inputs(w: &Workspace, input: &Input) -> Answer {
    let datasets = input.list("datasets")?;
    for item in &datasets {
        let dataset = Input::of(item.get("dataset").unwrap_or(&Value::Null))?;
        dataset.require("name")?;
        dataset.require("digest")?;
    }
    done(runs::log_inputs(w, &input.run_id()?, &datasets))
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

fn logged_model_create(w: &Workspace, input: &Input) -> Answer {
    let made = logged_models::create(
        w,
        NewLoggedModel {
            experiment: input.require("experiment_id")?,
            name: input.text("name")?.unwrap_or_default(),
            model_type: input.text("model_type")?.unwrap_or_default(),
            run: input.text("source_run_id")?,
            params: input.map("params")?,
            tags: input.map("tags")?,
        },
    )?;
    Ok(json!({ "model": logged_model(&made) }))
}

/// The client asks for one name, or for everything.
fn logged_model_search(w: &Workspace, input: &Input) -> Answer {
    let all = logged_models::of_experiments(w, &input.texts("experiment_ids")?)?;
    let asked = input.text("filter")?.unwrap_or_default();
    let value = |field: &str| -> Option<String> {
        let rest = asked.trim().strip_prefix(field)?.trim_start().strip_prefix('=')?.trim();
        let inner = rest.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?;
        Some(inner.to_owned())
    };
    let found: Vec<Value> = match (asked.trim(), value("name"), value("source_run_id")) {
        ("", _, _) => all.iter().map(logged_model).collect(),
        (_, Some(name), _) => all.iter().filter(|m| m.name == name).map(logged_model).collect(),
        (_, _, Some(run)) => all.iter().filter(|m| m.run.as_deref() == Some(&run)).map(logged_model).collect(),
        (other, None, None) => {
            return Err(Failure::invalid(format!("Cairn filters logged models by name or source_run_id only yet. Got '{other}'.")));
        }
    };
    Ok(compact(vec![("models", json!(found))]))
}
