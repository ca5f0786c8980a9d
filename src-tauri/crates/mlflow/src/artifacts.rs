//! Files through the server: `mlflow-artifacts:/<experiment>/<run>/artifacts/…`.

use crate::wire::{Failure, Input, compact, decode};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use cairn_api::Workspace;
use cairn_api::tracking::runs::{self, Artifact};
use cairn_api::tracking::{RecordKind, validate};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) enum Answer {
    Json(Value),
    File { name: String, bytes: Vec<u8> },
}

/// Whose files a path speaks of, and which.
struct Place {
    kind: RecordKind,
    id: String,
    path: String,
}

fn invalid_path() -> Failure {
    Failure::invalid("Invalid path")
}

/// `<experiment>/<run>/artifacts[/path]` or `<experiment>/models/<model>/artifacts[/path]`.
fn place(path: &str) -> Result<Place, Failure> {
    validate::artifact_path(path.trim_end_matches('/')).map_err(|_| invalid_path())?;
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        [_, "models", id, "artifacts", rest @ ..] => {
            Ok(Place { kind: RecordKind::LoggedModel, id: (*id).to_owned(), path: rest.join("/") })
        }
        [_, id, "artifacts", rest @ ..] => Ok(Place { kind: RecordKind::Run, id: (*id).to_owned(), path: rest.join("/") }),
        _ => Err(invalid_path()),
    }
}

pub(crate) fn serve(w: &Workspace, method: &Method, uri: &Uri, body: &[u8]) -> Result<Answer, Failure> {
    let path = uri.path().split_once("/mlflow-artifacts/").map(|(_, rest)| decode(&rest.replace('+', "%2B"))).unwrap_or_default();
    if path == "artifacts" && method == Method::GET {
        let input = Input::read(method, uri.query().unwrap_or_default(), &HeaderMap::new(), b"")?;
        let place = place(&input.require("path")?)?;
        return list(w, place.kind, &place.id, Some(&place.path), false).map(Answer::Json);
    }
    let Some(path) = path.strip_prefix("artifacts/") else { return Err(Failure::unknown_endpoint(method, uri.path())) };
    let place = place(path)?;
    if place.path.is_empty() {
        return Err(invalid_path());
    }
    match *method {
        Method::PUT => {
            runs::put_artifact(w, place.kind, &place.id, &place.path, body)?;
            Ok(Answer::Json(json!({})))
        }
        Method::GET => {
            let missing = |what: String| Failure::new(StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", what);
            let all = files(w, place.kind, &place.id)?;
            let found = all.into_iter().find(|a| a.path == place.path).ok_or_else(|| missing(format!("No artifact at {path}")))?;
            let bytes = w
                .store
                .blob(&found.digest)
                .map_err(|e| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", e.to_string()))?
                .ok_or_else(|| missing(format!("The content of {path} is on another computer of the team and too large to be shared")))?;
            let name = place.path.rsplit('/').next().unwrap_or_default().to_owned();
            Ok(Answer::File { name, bytes })
        }
        _ => Err(Failure::unknown_endpoint(method, uri.path())),
    }
}

fn files(w: &Workspace, kind: RecordKind, id: &str) -> Result<Vec<Artifact>, Failure> {
    Ok(w.read(|r| runs::artifacts(r, kind, id))?)
}

pub(crate) fn list_of_run(w: &Workspace, run: &str, path: Option<&str>) -> Result<Value, Failure> {
    let found = runs::get(w, run)?;
    let mut value = list(w, RecordKind::Run, run, path, true)?;
    value["root_uri"] = json!(format!("mlflow-artifacts:/{}/{run}/artifacts", found.experiment));
    Ok(value)
}

/// One level of a folder. Paths are whole for `artifacts/list`, and names alone for the proxy.
fn list(w: &Workspace, kind: RecordKind, id: &str, folder: Option<&str>, whole: bool) -> Result<Value, Failure> {
    let folder = folder.unwrap_or_default().trim_matches('/');
    if !folder.is_empty() {
        validate::artifact_path(folder).map_err(|_| invalid_path())?;
    }
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut level: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for file in files(w, kind, id)? {
        let Some(rest) = file.path.strip_prefix(&prefix) else { continue };
        match rest.split_once('/') {
            Some((sub, _)) => level.insert(sub.to_owned(), None),
            None => level.insert(rest.to_owned(), Some(file.size)),
        };
    }
    let rows: Vec<Value> = level
        .into_iter()
        .map(|(name, size)| {
            let path = if whole { format!("{prefix}{name}") } else { name };
            compact(vec![("path", json!(path)), ("is_dir", json!(size.is_none())), ("file_size", json!(size))])
        })
        .collect();
    Ok(compact(vec![("files", json!(rows))]))
}

/// Guessed from the name; what is not known is bytes, so that no browser runs it.
pub(crate) fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "MLmodel" | "txt" | "log" | "yaml" | "yml" | "md" | "py" | "csv" => "text/plain",
        "json" => "application/json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        _ => "application/octet-stream",
    }
}
