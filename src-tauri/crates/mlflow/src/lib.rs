//! The MLflow REST surface (tracking, artifacts, logged models) over `cairn-api`.
//!
//! A training script must never pay for Cairn: every answer is local, and nothing that a user does
//! wrong is a 5xx, because the client would retry it for minutes. Wire rules: `docs/mlflow.md`.

mod artifacts;
mod calls;
mod wire;

use axum::body::Bytes;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::any;
use axum::serve::IncomingStream;
use axum::{Extension, Router};
use cairn_api::tracking::origin::{self, Connection};
use cairn_api::{Host, Workspace};
use std::sync::Arc;
use tokio::net::TcpListener;
use wire::{Failure, Input, json_response, text_response};

/// The largest call. Files are no calls: they are written to disk as they come, whatever their size.
pub(crate) const CALL_MAX: usize = 64 * 1024 * 1024;
/// MLflow's limit for one batch.
const BATCH_MAX: usize = 1_000_000;

/// The routes, to be mounted at the root.
pub fn routes(host: Arc<Host>) -> Router {
    Router::new()
        .route("/version", any(|| async { "3.18.0" }))
        .route("/api/2.0/mlflow/{*path}", any(call))
        .route("/api/2.11/mlflow/{*path}", any(call))
        .route("/api/3.0/mlflow/{*path}", any(call))
        .route("/ajax-api/2.0/mlflow/{*path}", any(call))
        .route("/ajax-api/2.11/mlflow/{*path}", any(call))
        .route("/ajax-api/3.0/mlflow/{*path}", any(call))
        .layer(axum::extract::DefaultBodyLimit::max(CALL_MAX))
        .route("/api/2.0/mlflow-artifacts/{*path}", any(artifacts::serve))
        .route("/ajax-api/2.0/mlflow-artifacts/{*path}", any(artifacts::serve))
        .with_state(host)
}

/// The workspace that is open.
pub(crate) fn workspace(host: &Host) -> Result<Arc<Workspace>, Failure> {
    host.workspace().map_err(|e| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", e.message))
}

/// Who calls: the routes are served with this as their connection's information.
#[derive(Debug, Clone, Copy)]
pub struct Caller(Connection);

impl Connected<IncomingStream<'_, TcpListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        let here = stream.io().local_addr().map_or(0, |a| a.port());
        Self(Connection::accepted(stream.remote_addr().port(), here))
    }
}

async fn call(
    State(host): State<Arc<Host>>,
    caller: Option<Extension<ConnectInfo<Caller>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path();
    let name = path.split_once("/mlflow/").map(|(_, rest)| rest.trim_end_matches('/').to_owned()).unwrap_or_default();
    if method == Method::GET && name == "server-info" {
        return json_response(StatusCode::OK, &wire::server_info());
    }
    // SQLite blocks; the async threads must stay free for other clients.
    let done = tokio::task::spawn_blocking(move || {
        if name == "runs/log-batch" {
            if body.len() > BATCH_MAX {
                return Err(Failure::invalid(format!(
                    "Batched logging API requests must be at most {BATCH_MAX} bytes, got a request of size {}.",
                    body.len()
                )));
            }
            if let Some(done) = calls::plain_batch(&*workspace(&host)?, &headers, &body) {
                return done.map(|value| value.to_string());
            }
        }
        let input = Input::read(&method, uri.query().unwrap_or_default(), &headers, &body)?;
        if name == "runs/search" && method == Method::POST {
            return calls::run_search(&*workspace(&host)?, &input);
        }
        let answer = calls::dispatch(&*workspace(&host)?, &method, &name, &input)?;
        if name == "runs/create"
            && let (Some(Extension(ConnectInfo(Caller(connection)))), Some(run)) = (caller, answer["run"]["info"]["run_id"].as_str())
        {
            origin::record_soon(&host, run, connection);
        }
        Ok(answer.to_string())
    })
    .await;
    match done {
        Ok(Ok(text)) => text_response(StatusCode::OK, text),
        Ok(Err(failure)) => failure.response(),
        Err(error) => Failure::internal(&error).response(),
    }
}
