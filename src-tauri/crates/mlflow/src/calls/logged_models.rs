//! MLflow 3's logged models.

use super::{Answer, done, metric_json, page, page_size};
use crate::wire::{Failure, Input, compact, key_values};
use axum::http::Method;
use cairn_api::Workspace;
use cairn_api::tracking::filter::{self, Dialect, Entity};
use cairn_api::tracking::logged_models::{self, Datasets, LoggedModel, ModelOrder, NewLoggedModel};
use serde_json::{Value, json};

pub(super) fn call(w: &Workspace, method: &Method, path: &str, input: &Input) -> Answer {
    let (id, rest) = path.split_once('/').unwrap_or((path, ""));
    match (method.as_str(), id, rest) {
        ("POST", "", "") => create(w, input),
        ("POST", "search", "") => search(w, input),
        (_, "" | "search", _) => Err(Failure::unknown_endpoint(method, &format!("logged-models/{path}"))),
        ("GET", id, "") => Ok(json!({ "model": model(&logged_models::get(w, id)?) })),
        ("PATCH", id, "") => Ok(json!({ "model": model(&logged_models::finalize(w, id, &input.require("status")?)?) })),
        ("DELETE", id, "") => done(logged_models::delete(w, id)),
        ("PATCH", id, "tags") => done(logged_models::set_tags(w, id, input.map("tags")?)),
        ("POST", id, "params") => done(logged_models::log_params(w, id, input.map("params")?)),
        ("GET", id, "artifacts/directories") => crate::artifacts::list_of_model(w, id, input.text("artifact_directory_path")?.as_deref()),
        ("DELETE", id, rest) => match rest.strip_prefix("tags/") {
            Some(key) => done(logged_models::delete_tag(w, id, &crate::wire::decode(key))),
            None => Err(Failure::unknown_endpoint(method, &format!("logged-models/{path}"))),
        },
        (_, _, _) => Err(Failure::unknown_endpoint(method, &format!("logged-models/{path}"))),
    }
}

fn model(m: &LoggedModel) -> Value {
    let metrics: Vec<Value> = m
        .metrics
        .iter()
        .map(|v| {
            let mut row = metric_json(&v.key, &v.last);
            row["run_id"] = json!(v.run);
            row["model_id"] = json!(m.id);
            if !v.dataset.is_empty() {
                row["dataset_name"] = json!(v.dataset);
                row["dataset_digest"] = json!(v.digest);
            }
            row
        })
        .collect();
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
        "data": compact(vec![("params", json!(key_values(&m.params))), ("metrics", json!(metrics))]),
    })
}

fn create(w: &Workspace, input: &Input) -> Answer {
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
    Ok(json!({ "model": model(&made) }))
}

fn search(w: &Workspace, input: &Input) -> Answer {
    let max = page_size(input.int("max_results")?, 100, 1_000)?;
    let wanted = filter::parse(Entity::LoggedModel, Dialect::Mlflow, &input.text("filter")?.unwrap_or_default())?;
    let mut datasets = Datasets::default();
    for item in input.list("datasets")? {
        let item = Input::of(&item)?;
        datasets.0.push((item.require("dataset_name")?, item.text("dataset_digest")?));
    }
    let orders = input.list("order_by")?.iter().map(order).collect::<Result<Vec<_>, _>>()?;
    let all = logged_models::search(w, &input.texts("experiment_ids")?, &wanted, &datasets, &orders)?;
    let (page, token) = page(&all, input.text("page_token")?.as_deref(), max)?;
    Ok(compact(vec![("models", json!(page.iter().map(model).collect::<Vec<_>>())), ("next_page_token", json!(token))]))
}

/// `{field_name, ascending, dataset_name, dataset_digest}`; the 3.x clients' own form.
fn order(item: &Value) -> Result<ModelOrder, Failure> {
    let input = Input::of(item)?;
    let field = input.require("field_name")?;
    let mut order = filter::parse_order(Entity::LoggedModel, Dialect::Mlflow, &field)?;
    order.descending = input.value("ascending") == Some(&Value::Bool(false));
    let mut datasets = Datasets::default();
    if let Some(name) = input.text("dataset_name")? {
        datasets.0.push((name, input.text("dataset_digest")?));
    }
    Ok(ModelOrder { order, datasets })
}
