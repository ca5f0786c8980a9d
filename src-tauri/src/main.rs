//! The desktop shell: one window, one command, the keeper of the loopback service. Everything that
//! Cairn can do is in `cairn-api`; what stands here only a window needs.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod changes;
mod notices;
mod rpc;
mod start;
mod tracking;

use cairn_api::Host;
use std::sync::Arc;
use tauri::{Manager, WebviewUrl, WebviewWindowBuilder};

fn main() {
    if let Some(answer) = cairn_api::sharing::answer_askpass() {
        // git asks this very program for the sign-in, see `sharing::askpass`.
        use std::io::Write;
        let written = writeln!(std::io::stdout(), "{answer}");
        std::process::exit(i32::from(written.is_err()));
    }
    if let Some(code) = start::with_safe_renderer() {
        std::process::exit(code);
    }
    let filter = tracing_subscriber::EnvFilter::try_from_env("CAIRN_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let host = Arc::new(Host::system());
    start::open_workspace(&host);

    let shared = Arc::clone(&host);
    let built = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| {
            // A second start shows the window that is there.
            if let Some(window) = app.get_webview_window("main")
                && let Err(error) = window.set_focus()
            {
                tracing::warn!("the window could not be brought forward: {error}");
            }
        }))
        .plugin(tauri_plugin_dialog::init())
        .manage(Arc::clone(&host))
        .invoke_handler(tauri::generate_handler![rpc::rpc])
        .setup(move |app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
                .title("Cairn")
                .inner_size(1280.0, 800.0)
                .min_inner_size(480.0, 400.0)
                .build()?;
            let heard = Arc::new(changes::Heard::default());
            changes::follow(app.handle().clone(), Arc::clone(&shared), Arc::clone(&heard));
            notices::keep(app.handle().clone(), Arc::clone(&shared), heard);
            tracking::keep(app.handle().clone(), Arc::clone(&shared));
            cairn_api::sharing::keep_sharing(&shared);
            Ok(())
        })
        .run(tauri::generate_context!());
    if let Err(error) = built {
        tracing::error!("the window could not be opened: {error}");
        std::process::exit(2);
    }
}
