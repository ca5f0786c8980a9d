//! The loopback host: the MLflow surface, the command door, events, and the window's pages for a browser.
//!
//! Listens on 127.0.0.1 only. Every request is checked for its `Host` and `Origin`, so that a page in
//! somebody's browser cannot reach it; the command door and the pages need the token of this launch.

mod guard;
mod pages;

use axum::extract::{DefaultBodyLimit, Path as UrlPath, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cairn_api::{ApiError, Host};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The longest request of a page.
const RPC_MAX: usize = 64 * 1024 * 1024;

/// What the host serves.
pub struct Serving {
    pub host: Arc<Host>,
    /// `ui/dist`; none: no pages.
    pub pages: Option<PathBuf>,
    /// Needed for the command door and the pages.
    pub token: String,
}

struct Shared {
    serving: Serving,
}

/// A random token for one launch.
pub fn new_token() -> Result<String, ApiError> {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).map_err(|e| ApiError::new("internal", e.to_string()))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Binds the port, or says whose it is.
pub async fn bind(port: u16) -> Result<TcpListener, ApiError> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await.map_err(|e| {
        ApiError::new("port_in_use", format!("Port {port} on this computer cannot be used: {e}"))
            .hint("Another program has it, perhaps another Cairn. Choose another one with --port.")
    })
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, serving: Serving) -> Result<(), ApiError> {
    let address = listener.local_addr().map_err(|e| ApiError::new("internal", e.to_string()))?;
    let mlflow = cairn_mlflow::routes(Arc::clone(&serving.host));
    let shared = Arc::new(Shared { serving });
    let doors = Router::new()
        // What is too large for a record is refused by its command, in words; here only what no page would send.
        .route("/rpc/{command}", post(rpc).layer(DefaultBodyLimit::max(RPC_MAX)))
        .route("/events", get(events))
        .route("/", get(pages::index))
        .route("/assets/{*path}", get(pages::asset))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), guard::token))
        .with_state(Arc::clone(&shared));
    let app = Router::new()
        .route("/health", get(|| async { "OK" }))
        .merge(doors)
        .merge(mlflow)
        .fallback(|| async {
            (StatusCode::NOT_FOUND, Json(serde_json::json!({ "error_code": "ENDPOINT_NOT_FOUND", "message": "There is nothing here." })))
        })
        .layer(axum::middleware::from_fn_with_state(address.port(), guard::loopback))
        .layer(tower_http::catch_panic::CatchPanicLayer::new());
    let app = app.into_make_service_with_connect_info::<cairn_mlflow::Caller>();
    axum::serve(listener, app).await.map_err(|e| ApiError::new("internal", e.to_string()))
}

/// A command through the door: 200 with its answer, 400 with its error.
async fn rpc(State(shared): State<Arc<Shared>>, UrlPath(command): UrlPath<String>, body: axum::body::Bytes) -> Response {
    let host = Arc::clone(&shared.serving.host);
    let done = tokio::task::spawn_blocking(move || {
        let request = if body.is_empty() {
            serde_json::Value::Null
        } else {
            serde_json::from_slice(&body).map_err(|e| ApiError::invalid(format!("The request is no JSON: {e}")))?
        };
        cairn_api::commands::dispatch(&host, &command, request)
    })
    .await;
    match done {
        Ok(Ok(value)) => Json(value).into_response(),
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, Json(error)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Json(ApiError::new("internal", error.to_string()))).into_response(),
    }
}

#[derive(Deserialize)]
struct Since {
    since: Option<i64>,
}

/// Waits up to 20 seconds for a change and answers with the tags touched: `{seq, tags}`.
async fn events(State(shared): State<Arc<Shared>>, Query(query): Query<Since>) -> Response {
    for _ in 0..200 {
        let host = Arc::clone(&shared.serving.host);
        let looked = tokio::task::spawn_blocking(move || match host.current() {
            Some(workspace) => workspace.store.changes_since(query.since).map_err(ApiError::from),
            None => Ok((0, Vec::new())),
        })
        .await;
        match looked {
            Ok(Ok((seq, tags))) if query.since.is_none() || !tags.is_empty() => {
                return Json(serde_json::json!({ "seq": seq, "tags": tags })).into_response();
            }
            Ok(Ok(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
            Ok(Err(error)) => return (StatusCode::BAD_REQUEST, Json(error)).into_response(),
            Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
    Json(serde_json::json!({ "seq": query.since, "tags": [] })).into_response()
}
