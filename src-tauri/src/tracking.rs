//! Keeps the loopback service running: a process of its own that stays when the window closes.

use crate::changes::tell;
use cairn_api::Host;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tauri::AppHandle;

pub(crate) fn keep(app: AppHandle, host: Arc<Host>) {
    std::thread::spawn(move || {
        loop {
            if let Some(workspace) = host.current() {
                let url = running(workspace.dir()).or_else(|| start(workspace.dir()));
                if host.tracking() != url {
                    host.set_tracking(url);
                    tell(&app, &["settings".to_owned()]);
                }
            }
            std::thread::sleep(Duration::from_millis(1_000));
        }
    });
}

/// The address of the service that its note speaks of, if it answers.
fn running(dir: &Path) -> Option<String> {
    let note: Value = serde_json::from_str(&std::fs::read_to_string(dir.join("serve.json")).ok()?).ok()?;
    let url = note["url"].as_str()?.to_owned();
    healthy(url.strip_prefix("http://")?).then_some(url)
}

fn healthy(address: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address.parse().map_err(std::io::Error::other)?, Duration::from_millis(500))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

/// Starts the service beside this program and waits until it answers.
fn start(dir: &Path) -> Option<String> {
    let program = std::env::current_exe().ok()?.with_file_name("cairn");
    let child = Command::new(&program)
        .arg("--workspace")
        .arg(dir)
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A group of its own: closing the window or a terminal must not end a training's log.
        .process_group(0)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            tracing::warn!("{} could not be started: {error}", program.display());
            return None;
        }
    };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        if let Some(url) = running(dir) {
            // Collected when it ends, so that no dead process stays in the table.
            std::thread::spawn(move || child.wait());
            return Some(url);
        }
        if let Ok(Some(status)) = child.try_wait() {
            tracing::warn!("the loopback service ended at once: {status}");
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}
