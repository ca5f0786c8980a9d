//! The MLflow REST surface (tracking, artifacts, logged models) over `cairn-api`.
//!
//! A training script must never pay for Cairn: every answer is local, and nothing that a user does
//! wrong is a 5xx, because the client would retry it for minutes. Wire rules: `docs/mlflow.md`.

mod artifacts;
mod calls;
mod wire;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::any;
use cairn_api::Host;
use std::sync::Arc;
use wire::{Failure, Input, json_response};

/// The largest request: MLflow's clients send files whole.
pub const BODY_MAX: usize = 2 * 1024 * 1024 * 1024;

/// The routes, to be mounted at the root.
pub fn routes(host: Arc<Host>) -> Router {
    Router::new()
        .route("/version", any(|| async { "3.18.0" }))
        .route("/api/2.0/mlflow/{*path}", any(call))
        .route("/api/3.0/mlflow/{*path}", any(call))
        .route("/ajax-api/2.0/mlflow/{*path}", any(call))
        .route("/api/2.0/mlflow-artifacts/{*path}", any(artifact))
        .route("/ajax-api/2.0/mlflow-artifacts/{*path}", any(artifact))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX))
        .with_state(host)
}

async fn call(State(host): State<Arc<Host>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path();
    let name = path.split_once("/mlflow/").map(|(_, rest)| rest.trim_end_matches('/').to_owned()).unwrap_or_default();
    if method == Method::GET && name == "server-info" {
        return json_response(StatusCode::OK, &wire::server_info());
    }
    let input = match Input::read(&method, uri.query().unwrap_or_default(), &headers, &body) {
        Ok(input) => input,
        Err(failure) => return failure.response(),
    };
    // SQLite blocks; the async threads must stay free for other clients.
    let done = tokio::task::spawn_blocking(move || {
        let workspace =
            host.workspace().map_err(|e| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", e.message))?;
        calls::dispatch(&workspace, &method, &name, &input)
    })
    .await;
    match done {
        Ok(Ok(value)) => json_response(StatusCode::OK, &value),
        Ok(Err(failure)) => failure.response(),
        Err(error) => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", error.to_string()).response(),
    }
}

async fn artifact(State(host): State<Arc<Host>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let done = tokio::task::spawn_blocking(move || {
        let workspace =
            host.workspace().map_err(|e| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", e.message))?;
        artifacts::serve(&workspace, &method, &uri, &body)
    })
    .await;
    match done {
        Ok(Ok(artifacts::Answer::Json(value))) => json_response(StatusCode::OK, &value),
        Ok(Ok(artifacts::Answer::File { name, bytes })) => {
            let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._- ".contains(*c)).collect();
            Response::builder()
                .header(header::CONTENT_TYPE, artifacts::media_type(&name))
                .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{plain}\""))
                .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
                .body(Body::from(bytes))
                .unwrap_or_default()
        }
        Ok(Err(failure)) => failure.response(),
        Err(error) => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", error.to_string()).response(),
    }
}
