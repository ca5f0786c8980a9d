//! The one command through which the window asks for anything.

use cairn_api::{ApiError, Host, commands::dispatch};
use serde_json::Value;
use std::sync::Arc;
use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt;

/// Runs a command of the list, off the threads that draw.
#[tauri::command]
pub(crate) async fn rpc(app: AppHandle, host: State<'_, Arc<Host>>, command: String, request: Value) -> Result<Value, ApiError> {
    let host = Arc::clone(&host);
    let done = tauri::async_runtime::spawn_blocking(move || match command.as_str() {
        // Only a window has a file chooser, so this one is not in the list.
        "window.pick_file" => Ok(pick_file(&app)),
        name => dispatch(&host, name, request),
    })
    .await;
    done.unwrap_or_else(|error| Err(ApiError::new("internal", error.to_string())))
}

fn pick_file(app: &AppHandle) -> Value {
    let chosen = app.dialog().file().add_filter("Tables", &["csv", "tsv", "txt"]).blocking_pick_file();
    chosen.and_then(|file| file.into_path().ok()).map_or(Value::Null, |path| Value::from(path.display().to_string()))
}
