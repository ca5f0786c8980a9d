//! `cairn serve`: the small process that training scripts log to. It stays when the window closes.

use cairn_api::{ApiError, Host};
use serde_json::json;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

/// The first port that is tried; MLflow's own 5000 is often taken.
const FIRST_PORT: u16 = 5317;

pub(crate) fn run(host: &Arc<Host>, port: Option<u16>, pages: Option<PathBuf>, as_json: bool) -> Result<(), ApiError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| ApiError::new("internal", e.to_string()))?;
    runtime.block_on(async {
        let workspace = host.workspace()?;
        let kept: Option<u16> = workspace.read(|r| r.local("port"))?.and_then(|p| p.parse().ok());
        let listener = match port.or(kept) {
            Some(port) => cairn_http::bind(port).await?,
            None => free(FIRST_PORT).await?,
        };
        let address = listener.local_addr().map_err(|e| ApiError::new("internal", e.to_string()))?;
        // Chosen once and kept: scripts have the address in their settings.
        if kept.is_none() && port != Some(0) {
            workspace.write(|w| w.set_local("port", &address.port().to_string()))?;
        }
        let token = cairn_http::new_token()?;
        let url = format!("http://{address}");
        host.set_tracking(Some(url.clone()));
        cairn_api::sharing::keep_sharing(host);
        cairn_api::sources::keep_watching(host);
        write_note(&workspace.dir().join("serve.json"), &json!({ "url": url, "token": token, "pid": std::process::id() }).to_string())?;
        if as_json {
            println!("{}", json!({ "url": url, "token": token }));
        } else {
            println!("{url}");
            if pages.is_some() {
                println!("In a browser: {url}/?token={token}");
            }
        }
        // A pipe that nobody reads any more must not end the service.
        std::io::stdout().flush().unwrap_or_default();
        tokio::select! {
            result = cairn_http::serve(listener, cairn_http::Serving { host: Arc::clone(host), pages, token }) => result,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    })
}

async fn free(first: u16) -> Result<tokio::net::TcpListener, ApiError> {
    for port in first..first + 50 {
        if let Ok(listener) = cairn_http::bind(port).await {
            return Ok(listener);
        }
    }
    cairn_http::bind(0).await
}

/// Readable by its owner alone: it holds the token of this launch.
fn write_note(path: &std::path::Path, text: &str) -> Result<(), ApiError> {
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(|e| ApiError::new("io", format!("{} could not be written: {e}", path.display())))
}
