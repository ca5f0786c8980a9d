//! Messages of the system about what began to wait for the person, while the window is not in front.

use crate::changes::Heard;
use cairn_api::Host;
use cairn_api::inbox::{Notice, news};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tauri::{AppHandle, Emitter, Manager};

/// People are told at most this often, so that a burst of changes is one message.
const PAUSE: Duration = Duration::from_secs(5);
/// Days end without a change.
const LOOK: Duration = Duration::from_secs(600);
/// What does not change what waits for people.
/// (`sharing` stands beside every change that is made here.)
const QUIET: [&str; 8] = ["metric", "run", "settings", "sharing", "source", "segment", "panel", "view"];

pub(crate) fn keep(app: AppHandle, host: Arc<Host>, heard: Arc<Heard>) {
    std::thread::spawn(move || {
        let mut looked: Option<Instant> = None;
        let mut mute = false;
        loop {
            let changed = heard.wait(LOOK).iter().any(|tag| !QUIET.contains(&tag.as_str()));
            if host.current().is_none() || (!changed && looked.is_some_and(|at| at.elapsed() < LOOK)) {
                continue;
            }
            looked = Some(Instant::now());
            let in_front = is_in_front(&app);
            match news(&host) {
                // Whoever looks at the window sees it there.
                Ok(Some(notice)) if !in_front => {
                    if let Err(error) = show(&app, notice)
                        && !mute
                    {
                        mute = true;
                        tracing::warn!("this desktop shows no messages: {error}");
                    }
                }
                Ok(notice) => tracing::debug!("nobody is told: in front {in_front}, news {}", notice.is_some()),
                Err(error) => {
                    // Again at the next change, whatever it is.
                    looked = None;
                    tracing::warn!("what waits could not be read: {error}");
                }
            }
            std::thread::sleep(PAUSE);
        }
    });
}

fn is_in_front(app: &AppHandle) -> bool {
    app.get_webview_window("main").is_some_and(|w| w.is_focused().unwrap_or(false))
}

fn show(app: &AppHandle, notice: Notice) -> Result<(), notify_rust::error::Error> {
    let mut message = notify_rust::Notification::new();
    message.appname("Cairn").summary(&notice.title).body(&plain(&notice.text)).icon("cairn");
    let handle = message.action("default", "Open").show()?;
    let app = app.clone();
    // Ends when the message is gone, clicked or not.
    std::thread::spawn(move || handle.wait_for_action(|action| answer(&app, action, &notice)));
    Ok(())
}

/// A click brings the window forward and opens what the message is about.
fn answer(app: &AppHandle, action: &str, notice: &Notice) {
    if action != "default" {
        return;
    }
    if let Some(window) = app.get_webview_window("main")
        && let Err(error) = window.unminimize().and_then(|()| window.set_focus())
    {
        tracing::warn!("the window could not be brought forward: {error}");
    }
    if let Err(error) = app.emit("open", notice) {
        tracing::warn!("the window was not told what to open: {error}");
    }
}

/// Message servers read a few tags of HTML; what people wrote is text.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
