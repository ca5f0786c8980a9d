//! Who may talk to the loopback host.

use crate::Shared;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Refuses foreign names and foreign pages: a web page that a person visits must not be able to
/// write runs or read files, neither directly nor through a name that it points at this computer.
pub(crate) async fn loopback(State(port): State<u16>, request: Request, next: Next) -> Response {
    match refuse(request.headers(), port) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    }
}

fn refuse(headers: &HeaderMap, port: u16) -> Option<&'static str> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    if !text(header::HOST).is_some_and(|host| is_local(host, port)) {
        return Some("Invalid Host header - possible DNS rebinding attack detected");
    }
    let foreign = text(header::ORIGIN).is_some_and(|o| !o.strip_prefix("http://").is_some_and(|host| is_local(host, port)));
    foreign.then_some("Cross-origin request blocked")
}

fn is_local(host: &str, port: u16) -> bool {
    ["127.0.0.1", "localhost"].iter().any(|name| host == format!("{name}:{port}") || (port == 80 && host == *name))
}

/// The token of this launch, in a header or in the cookie that the first page set.
pub(crate) async fn token(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let wanted = &shared.serving.token;
    let in_query = request.uri().query().is_some_and(|q| q.split('&').any(|p| p.strip_prefix("token=") == Some(wanted)));
    if in_query || carries(request.headers(), wanted) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, "This needs the token that `cairn serve` printed.").into_response()
}

fn carries(headers: &HeaderMap, token: &str) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let bearer = text(header::AUTHORIZATION).strip_prefix("Bearer ") == Some(token);
    bearer || text(header::COOKIE).split("; ").any(|c| c.strip_prefix("cairn=") == Some(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_s_own_names_are_taken() {
        assert!(is_local("127.0.0.1:5000", 5000) && is_local("localhost:5000", 5000));
        for foreign in ["evil.example:5000", "127.0.0.1:5001", "127.0.0.1.evil.example:5000", "", "localhost"] {
            assert!(!is_local(foreign, 5000), "{foreign}");
        }
    }
}
