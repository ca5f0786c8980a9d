//! Tells the window what changed in the workspace, whichever process of this computer wrote it.

use cairn_api::{FolderWatch, Host};
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tauri::{AppHandle, Emitter};

/// What changed since somebody in this process asked.
#[derive(Default)]
pub(crate) struct Heard {
    tags: Mutex<BTreeSet<String>>,
    more: Condvar,
}

impl Heard {
    fn add(&self, tags: &[String]) {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner).extend(tags.iter().cloned());
        self.more.notify_all();
    }

    /// The tags that were touched; waits for one, but not for longer than this.
    pub(crate) fn wait(&self, most: Duration) -> BTreeSet<String> {
        let tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut tags, _) = self.more.wait_timeout_while(tags, most, |t| t.is_empty()).unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *tags)
    }
}

pub(crate) fn follow(app: AppHandle, host: Arc<Host>, heard: Arc<Heard>) {
    std::thread::spawn(move || {
        loop {
            let Some(workspace) = host.current() else {
                std::thread::sleep(Duration::from_millis(300));
                continue;
            };
            let mut seen = workspace.store.changes_since(None).map_or(0, |(seq, _)| seq);
            // Another workspace: look at once.
            heard.add(&["workspace".to_owned()]);
            let watch = FolderWatch::start(workspace.dir());
            if let Err(error) = &watch {
                // Without it the loop below still looks once a second.
                tracing::warn!("changes on disk are looked for, not announced: {error}");
            }
            while host.current().is_some_and(|now| Arc::ptr_eq(&now, &workspace)) {
                match &watch {
                    Ok(watch) => {
                        watch.wait(Duration::from_secs(1));
                    }
                    Err(_) => std::thread::sleep(Duration::from_secs(1)),
                }
                match workspace.store.changes_since(Some(seen)) {
                    Ok((seq, tags)) if seq > seen => {
                        seen = seq;
                        tell(&app, &tags);
                        heard.add(&tags);
                        // A script may log hundreds of points a second; the eye needs ten pictures.
                        std::thread::sleep(Duration::from_millis(100));
                    }
                    Ok(_) => {}
                    Err(error) => tracing::warn!("changes could not be read: {error}"),
                }
            }
        }
    });
}

pub(crate) fn tell(app: &AppHandle, tags: &[String]) {
    if let Err(error) = app.emit("touched", tags) {
        tracing::warn!("the window was not told of a change: {error}");
    }
}
