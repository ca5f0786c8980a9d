//! The window's pages for a browser: for journeys in tests, and for computers without the shell.

use crate::Shared;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; media-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn index(State(shared): State<Arc<Shared>>) -> Response {
    let mut response = file(&shared, "index.html").await;
    if let Ok(cookie) = format!("cairn={}; Path=/; HttpOnly; SameSite=Strict", shared.serving.token).parse() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub(crate) async fn asset(State(shared): State<Arc<Shared>>, Path(path): Path<String>) -> Response {
    if path.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return StatusCode::NOT_FOUND.into_response();
    }
    file(&shared, &format!("assets/{path}")).await
}

async fn file(shared: &Shared, name: &str) -> Response {
    let Some(root) = &shared.serving.pages else {
        return (StatusCode::NOT_FOUND, "The pages were not built. Run `make ui`.").into_response();
    };
    let Ok(bytes) = tokio::fs::read(root.join(name)).await else { return StatusCode::NOT_FOUND.into_response() };
    let media = match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "woff2" => "font/woff2",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    };
    Response::builder()
        .header(header::CONTENT_TYPE, media)
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(Body::from(bytes))
        .unwrap_or_default()
}
