//! Registered models and their versions.

use super::{Answer, done, filter_and_order, page, page_size};
use crate::wire::{Failure, Input, compact, key_values};
use axum::http::Method;
use cairn_api::Workspace;
use cairn_api::tracking::filter::Entity;
use cairn_api::tracking::registry::{self, ModelVersion, NewModel, NewVersion, Others, RegisteredModel};
use serde_json::{Value, json};

pub(super) fn models(w: &Workspace, method: &Method, call: &str, input: &Input) -> Answer {
    let name = || input.require("name");
    let alias = || input.require("alias");
    match (method.as_str(), call) {
        ("POST", "create") => {
            let new = NewModel { name: name()?, description: input.text("description")?.unwrap_or_default(), tags: input.map("tags")? };
            Ok(json!({ "registered_model": model(&registry::create(w, new)?) }))
        }
        ("GET", "get") => Ok(json!({ "registered_model": model(&registry::get(w, &name()?)?) })),
        ("GET", "search") => search_models(w, input),
        ("PATCH", "update") => {
            let described = registry::describe(w, &name()?, input.text("description")?.unwrap_or_default())?;
            Ok(json!({ "registered_model": model(&described) }))
        }
        ("DELETE", "delete") => done(registry::delete(w, &name()?)),
        ("POST", "rename") => Ok(json!({ "registered_model": model(&registry::rename(w, &name()?, &input.require("new_name")?)?) })),
        ("POST" | "GET", "get-latest-versions") => {
            let found = registry::latest_versions(w, &name()?, &input.texts("stages")?)?;
            Ok(compact(vec![("model_versions", json!(found.iter().map(version).collect::<Vec<_>>()))]))
        }
        ("POST", "set-tag") => done(registry::set_tag(w, &name()?, &input.require("key")?, input.text("value")?.unwrap_or_default())),
        ("DELETE", "delete-tag") => done(registry::delete_tag(w, &name()?, &input.require("key")?)),
        ("POST", "alias") => done(registry::set_alias(w, &name()?, &alias()?, &input.require("version")?)),
        ("DELETE", "alias") => done(registry::delete_alias(w, &name()?, &alias()?)),
        ("GET", "alias") => Ok(json!({ "model_version": version(&registry::by_alias(w, &name()?, &alias()?)?) })),
        (_, _) => Err(Failure::unknown_endpoint(method, &format!("registered-models/{call}"))),
    }
}

pub(super) fn versions(w: &Workspace, method: &Method, call: &str, input: &Input) -> Answer {
    let name = || input.require("name");
    let number = || input.require("version");
    let one = |v: ModelVersion| Ok(json!({ "model_version": version(&v) }));
    match (method.as_str(), call) {
        ("POST", "create") => {
            let new = NewVersion {
                name: name()?,
                source: input.require("source")?,
                run: input.text("run_id")?,
                run_link: input.text("run_link")?.unwrap_or_default(),
                logged_model: input.text("model_id")?,
                description: input.text("description")?.unwrap_or_default(),
                tags: input.map("tags")?,
            };
            one(registry::create_version(w, new)?)
        }
        ("GET", "get") => one(registry::version(w, &name()?, &number()?)?),
        ("GET", "search") => search_versions(w, input),
        ("PATCH", "update") => one(registry::describe_version(w, &name()?, &number()?, input.text("description")?.unwrap_or_default())?),
        ("DELETE", "delete") => done(registry::delete_version(w, &name()?, &number()?)),
        ("POST", "transition-stage") => {
            let archive = matches!(input.value("archive_existing_versions"), Some(Value::Bool(true)));
            let others = if archive { Others::Archived } else { Others::Stay };
            one(registry::transition(w, &name()?, &number()?, &input.require("stage")?, others)?)
        }
        ("GET", "get-download-uri") => Ok(json!({ "artifact_uri": registry::download_uri(w, &name()?, &number()?)? })),
        ("POST", "set-tag") => {
            let value = input.text("value")?.unwrap_or_default();
            done(registry::set_version_tag(w, &name()?, &number()?, &input.require("key")?, value))
        }
        ("DELETE", "delete-tag") => done(registry::delete_version_tag(w, &name()?, &number()?, &input.require("key")?)),
        (_, _) => Err(Failure::unknown_endpoint(method, &format!("model-versions/{call}"))),
    }
}

fn model(m: &RegisteredModel) -> Value {
    let aliases: Vec<Value> = m.aliases.iter().map(|(alias, number)| json!({ "alias": alias, "version": number.to_string() })).collect();
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    compact(vec![
        ("name", json!(m.name)),
        ("creation_timestamp", json!(m.created_ms)),
        ("last_updated_timestamp", json!(m.updated_ms)),
        ("description", text(&m.description)),
        ("latest_versions", json!(m.latest.iter().map(listed).collect::<Vec<_>>())),
        ("tags", json!(key_values(&m.tags))),
        ("aliases", json!(aliases)),
    ])
}

/// A version within a list: MLflow leaves its aliases out there.
fn listed(v: &ModelVersion) -> Value {
    let mut value = version(v);
    if let Value::Object(fields) = &mut value {
        fields.remove("aliases");
    }
    value
}

fn version(v: &ModelVersion) -> Value {
    compact(vec![
        ("name", json!(v.name)),
        ("version", json!(v.number.to_string())),
        ("creation_timestamp", json!(v.created_ms)),
        ("last_updated_timestamp", json!(v.updated_ms)),
        ("current_stage", json!(v.stage)),
        ("description", json!(v.description)),
        ("source", json!(v.source)),
        ("run_id", json!(v.run)),
        ("status", json!("READY")),
        ("tags", json!(key_values(&v.tags))),
        ("run_link", json!(v.run_link)),
        ("aliases", json!(v.aliases)),
    ])
}

fn search_models(w: &Workspace, input: &Input) -> Answer {
    let max = page_size(input.int("max_results")?, 100, 1_000)?;
    let (wanted, orders) = filter_and_order(input, Entity::RegisteredModel)?;
    let all = registry::search(w, &wanted, &orders)?;
    let (page, token) = page(&all, input.text("page_token")?.as_deref(), max)?;
    Ok(compact(vec![("registered_models", json!(page.iter().map(model).collect::<Vec<_>>())), ("next_page_token", json!(token))]))
}

fn search_versions(w: &Workspace, input: &Input) -> Answer {
    let max = page_size(input.int("max_results")?, 10_000, 200_000)?;
    let (wanted, orders) = filter_and_order(input, Entity::ModelVersion)?;
    let all = registry::search_versions(w, &wanted, &orders)?;
    let (page, token) = page(&all, input.text("page_token")?.as_deref(), max)?;
    Ok(compact(vec![("model_versions", json!(page.iter().map(listed).collect::<Vec<_>>())), ("next_page_token", json!(token))]))
}
