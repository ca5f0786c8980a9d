//! Files through the server: `mlflow-artifacts:/<experiment>/<run>/artifacts/…`.
//!
//! A file is written to disk and hashed as it comes, whatever its size; one that comes in parts is put
//! together when the client says that it is complete.

use crate::wire::{Failure, Input, compact, decode, json_response};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use cairn_api::tracking::files::{self, Artifact};
use cairn_api::tracking::runs;
use cairn_api::tracking::{RecordKind, logged_models, validate};
use cairn_api::{Host, Workspace, content};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use tower_http::services::ServeFile;

/// The most parts that one file comes in.
const PARTS_MAX: i64 = 10_000;

/// Whose files a path speaks of, and which.
#[derive(Debug, Clone)]
struct Place {
    kind: RecordKind,
    id: String,
    path: String,
}

fn invalid_path() -> Failure {
    Failure::invalid("Invalid path")
}

fn missing(what: impl Into<String>) -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", what)
}

/// `<experiment>/<run>/artifacts[/path]` or `<experiment>/models/<model>/artifacts[/path]`.
fn place(path: &str) -> Result<Place, Failure> {
    let path = path.trim_end_matches('/');
    validate::artifact_path(path).map_err(|_| invalid_path())?;
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [_, "models", id, "artifacts", rest @ ..] => {
            Ok(Place { kind: RecordKind::LoggedModel, id: (*id).to_owned(), path: rest.join("/") })
        }
        [_, id, "artifacts", rest @ ..] => Ok(Place { kind: RecordKind::Run, id: (*id).to_owned(), path: rest.join("/") }),
        _ => Err(invalid_path()),
    }
}

fn file_place(path: &str) -> Result<Place, Failure> {
    place(path).and_then(|p| if p.path.is_empty() { Err(invalid_path()) } else { Ok(p) })
}

/// Runs what blocks off the async threads.
async fn off<T: Send + 'static>(
    host: &Arc<Host>,
    work: impl FnOnce(&Workspace) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let host = Arc::clone(host);
    let done = tokio::task::spawn_blocking(move || work(&*crate::workspace(&host)?)).await;
    done.map_err(|e| Failure::internal(&e)).and_then(|done| done)
}

pub(crate) async fn serve(State(host): State<Arc<Host>>, request: Request) -> Response {
    match answer(&host, request).await {
        Ok(response) => response,
        Err(failure) => failure.response(),
    }
}

async fn answer(host: &Arc<Host>, request: Request) -> Result<Response, Failure> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let path = uri.path().split_once("/mlflow-artifacts/").map(|(_, rest)| decode(&rest.replace('+', "%2B"))).unwrap_or_default();
    if path == "artifacts" && method == Method::GET {
        let input = Input::read(&method, uri.query().unwrap_or_default(), &HeaderMap::new(), b"")?;
        let place = place(&input.require("path")?)?;
        let listed = off(host, move |w| list(w, place.kind, &place.id, Some(&place.path), false)).await?;
        return Ok(json_response(StatusCode::OK, &listed));
    }
    if let Some(file) = path.strip_prefix("artifacts/") {
        return match method {
            Method::PUT => put(host, file_place(file)?, request.into_body()).await,
            Method::GET | Method::HEAD => get(host, file_place(file)?, request).await,
            Method::DELETE => {
                let place = file_place(file)?;
                off(host, move |w| Ok(files::remove_artifact(w, place.kind, &place.id, &place.path)?)).await?;
                Ok(json_response(StatusCode::OK, &json!({})))
            }
            _ => Err(Failure::unknown_endpoint(&method, uri.path())),
        };
    }
    match (method.as_str(), path.strip_prefix("mpu/").and_then(|rest| rest.split_once('/'))) {
        ("POST", Some(("create", folder))) => parts_begin(host, folder, request).await,
        ("POST", Some(("complete", folder))) => parts_end(host, folder, request).await,
        ("POST", Some(("abort", _))) => {
            let upload = body_of(request).await?.require("upload_id")?;
            off(host, move |w| std::fs::remove_dir_all(upload_dir(w, &upload)?).or(Ok(()))).await?;
            Ok(json_response(StatusCode::OK, &json!({})))
        }
        ("PUT", Some(("part", which))) => part(host, which, request.into_body()).await,
        (_, _) => Err(Failure::unknown_endpoint(&method, uri.path())),
    }
}

async fn body_of(request: Request) -> Result<Input, Failure> {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let body = axum::body::to_bytes(request.into_body(), crate::CALL_MAX).await.map_err(|e| Failure::invalid(e.to_string()))?;
    Input::read(&method, "", &headers, &body)
}

/// Writes what comes to something, on a thread where that may block.
async fn pour<W: Write + Send + 'static>(mut body: Body, mut into: W) -> Result<W, Failure> {
    let (send, mut receive) = tokio::sync::mpsc::channel::<axum::body::Bytes>(16);
    let writer = tokio::task::spawn_blocking(move || {
        while let Some(bytes) = receive.blocking_recv() {
            into.write_all(&bytes)?;
        }
        into.flush()?;
        Ok::<W, std::io::Error>(into)
    });
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Failure::invalid(format!("The upload broke off: {e}")))?;
        if let Ok(bytes) = frame.into_data()
            && send.send(bytes).await.is_err()
        {
            break;
        }
    }
    drop(send);
    let written = writer.await.map_err(|e| Failure::internal(&e))?;
    written.map_err(|e| match e.kind() {
        std::io::ErrorKind::StorageFull => Failure::new(StatusCode::INSUFFICIENT_STORAGE, "RESOURCE_EXHAUSTED", "The disk is full."),
        _ => Failure::internal(&e),
    })
}

async fn put(host: &Arc<Host>, place: Place, body: Body) -> Result<Response, Failure> {
    let (kind, id) = (place.kind, place.id.clone());
    // Asked before the bytes come: a wrong address must not cost a gigabyte.
    let incoming = off(host, move |w| {
        files_of(w, kind, &id)?;
        w.store.incoming().map_err(|e| Failure::internal(&e))
    })
    .await?;
    let incoming = pour(body, incoming).await?;
    off(host, move |w| {
        let (digest, size) = w.store.keep_incoming(incoming).map_err(|e| Failure::internal(&e))?;
        Ok(files::add_artifact(w, place.kind, &place.id, &place.path, digest, size)?)
    })
    .await?;
    Ok(json_response(StatusCode::OK, &json!({})))
}

/// The content of a file, or the range of it that the request names.
async fn get(host: &Arc<Host>, place: Place, request: Request) -> Result<Response, Failure> {
    let name = place.path.rsplit('/').next().unwrap_or_default().to_owned();
    let file = off(host, move |w| {
        let all = files_of(w, place.kind, &place.id)?;
        let found = all.into_iter().find(|a| a.path == place.path).ok_or_else(|| missing(format!("No artifact at {}", place.path)))?;
        // What lies elsewhere is fetched by a person's click, never on the way of another program's call.
        if let Some(reference) = found.reference.as_ref().filter(|r| !r.address.starts_with("file:")) {
            return Err(missing(format!("{} was referred to and lies at {}", place.path, reference.address)));
        }
        content::file_of(w, &found, u64::MAX).map_err(|e| missing(e.message))
    })
    .await?;
    let served = ServeFile::new(file).try_call(request).await.map_err(|e| Failure::internal(&e))?;
    let mut response = served.map(Body::new);
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._- ".contains(*c)).collect();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(&name)));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = format!("attachment; filename=\"{plain}\"").parse() {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Where the parts of an upload lie until it is complete.
fn upload_dir(w: &Workspace, upload: &str) -> Result<PathBuf, Failure> {
    if upload.is_empty() || !upload.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return Err(Failure::invalid("Invalid value for parameter 'upload_id' supplied."));
    }
    Ok(w.store.dir().join("incoming").join(upload))
}

/// The folder is in the address; the client names the file by its own path, of which the last part counts.
fn part_place(folder: &str, local: &str) -> Result<Place, Failure> {
    let name = local.rsplit(['/', '\\']).next().unwrap_or_default();
    file_place(&format!("{}/{name}", folder.trim_end_matches('/')))
}

async fn parts_begin(host: &Arc<Host>, folder: &str, request: Request) -> Result<Response, Failure> {
    let address = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default().to_owned();
    let input = body_of(request).await?;
    let place = part_place(folder, &input.require("path")?)?;
    let parts = input.int("num_parts")?.unwrap_or(1);
    if !(1..=PARTS_MAX).contains(&parts) {
        return Err(Failure::invalid(format!("Invalid value {parts} for parameter 'num_parts' supplied: it is 1 to {PARTS_MAX}.")));
    }
    let upload = off(host, move |w| {
        files_of(w, place.kind, &place.id)?;
        let upload = w.edge.new_id();
        std::fs::create_dir_all(upload_dir(w, &upload)?).map_err(|e| Failure::internal(&e))?;
        Ok(upload)
    })
    .await?;
    let credential = |n: i64| {
        let url = format!("http://{address}/api/2.0/mlflow-artifacts/mpu/part/{upload}/{n}");
        json!({ "url": url, "part_number": n, "headers": {} })
    };
    let credentials: Vec<Value> = (1..=parts).map(credential).collect();
    Ok(json_response(StatusCode::OK, &json!({ "upload_id": upload, "credentials": credentials })))
}

async fn part(host: &Arc<Host>, which: &str, body: Body) -> Result<Response, Failure> {
    let (upload, n) = which.split_once('/').ok_or_else(invalid_path)?;
    let (upload, n): (String, u32) = (upload.to_owned(), n.parse().map_err(|_| invalid_path())?);
    let file = off(host, move |w| {
        let dir = upload_dir(w, &upload)?;
        if !dir.is_dir() {
            return Err(missing("This upload is not known, or was given up"));
        }
        std::fs::File::create(dir.join(n.to_string())).map_err(|e| Failure::internal(&e))
    })
    .await?;
    pour(body, std::io::BufWriter::new(file)).await?;
    let mut response = json_response(StatusCode::OK, &json!({}));
    if let Ok(tag) = n.to_string().parse() {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

async fn parts_end(host: &Arc<Host>, folder: &str, request: Request) -> Result<Response, Failure> {
    let input = body_of(request).await?;
    let place = part_place(folder, &input.require("path")?)?;
    let upload = input.require("upload_id")?;
    let mut numbers = input.list("parts")?.iter().map(|p| Input::of(p)?.int("part_number")).collect::<Result<Vec<_>, _>>()?;
    numbers.sort_unstable();
    off(host, move |w| {
        let dir = upload_dir(w, &upload)?;
        let mut incoming = w.store.incoming().map_err(|e| Failure::internal(&e))?;
        for n in numbers.into_iter().flatten() {
            let mut part =
                std::fs::File::open(dir.join(n.to_string())).map_err(|_| missing(format!("Part {n} of the upload is not here")))?;
            let mut buffer = vec![0_u8; 1 << 20];
            loop {
                let read = part.read(&mut buffer).map_err(|e| Failure::internal(&e))?;
                if read == 0 {
                    break;
                }
                incoming.write_all(&buffer[..read]).map_err(|e| Failure::internal(&e))?;
            }
        }
        let (digest, size) = w.store.keep_incoming(incoming).map_err(|e| Failure::internal(&e))?;
        files::add_artifact(w, place.kind, &place.id, &place.path, digest, size)?;
        std::fs::remove_dir_all(&dir).map_err(|e| Failure::internal(&e))
    })
    .await?;
    Ok(json_response(StatusCode::OK, &json!({})))
}

fn files_of(w: &Workspace, kind: RecordKind, id: &str) -> Result<Vec<Artifact>, Failure> {
    Ok(w.read(|r| files::artifacts(r, kind, id))?)
}

pub(crate) fn list_of_run(w: &Workspace, run: &str, path: Option<&str>) -> Result<Value, Failure> {
    let found = runs::get(w, run)?;
    let mut value = list(w, RecordKind::Run, run, path, true)?;
    value["root_uri"] = json!(format!("mlflow-artifacts:/{}/{run}/artifacts", found.experiment));
    Ok(value)
}

pub(crate) fn list_of_model(w: &Workspace, model: &str, path: Option<&str>) -> Result<Value, Failure> {
    let found = logged_models::get(w, model)?;
    let mut value = list(w, RecordKind::LoggedModel, model, path, true)?;
    value["root_uri"] = json!(format!("mlflow-artifacts:/{}/models/{model}/artifacts", found.experiment));
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
    for file in files_of(w, kind, id)? {
        let Some(rest) = file.path.strip_prefix(&prefix) else { continue };
        match rest.split_once('/') {
            Some((sub, _)) => level.insert(sub.to_owned(), None),
            None => level.insert(rest.to_owned(), Some(file.size.unwrap_or(0))),
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
