//! Notice of writes by other processes on this computer.

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Watches one folder, not its subfolders.
pub struct FolderWatch {
    // Dropping it ends the watch.
    _watcher: RecommendedWatcher,
    events: Receiver<()>,
}

impl FolderWatch {
    /// Begins to watch for changed or new files in `dir`.
    pub fn start(dir: &Path) -> Result<Self, notify::Error> {
        let (send, events) = channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let changed = event.is_ok_and(|e| matches!(e.kind, EventKind::Modify(_) | EventKind::Create(_)));
            if changed {
                // The receiver is gone only when the watch is about to end.
                let _ = send.send(());
            }
        })?;
        watcher.watch(dir, RecursiveMode::NonRecursive)?;
        Ok(Self { _watcher: watcher, events })
    }

    /// Waits for a change, at most `patience`; several at once count as one. `false`: none came.
    pub fn wait(&self, patience: Duration) -> bool {
        let came = self.events.recv_timeout(patience).is_ok();
        while self.events.try_recv().is_ok() {}
        came
    }
}

/// Watches whole trees, each a file or a folder with all below it.
pub struct TreeWatch {
    watcher: Option<RecommendedWatcher>,
    events: Receiver<PathBuf>,
    roots: Vec<PathBuf>,
    looked: Instant,
}

impl Default for TreeWatch {
    fn default() -> Self {
        let (send, events) = channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Modify(_) | EventKind::Create(_)) {
                for path in event.paths {
                    // The receiver is gone only when the watch is about to end.
                    let _ = send.send(path);
                }
            }
        });
        // Without notice from the system there is still the regular look.
        Self { watcher: watcher.ok(), events, roots: Vec::new(), looked: Instant::now() }
    }
}

impl TreeWatch {
    /// Watches these and no others.
    pub fn follow(&mut self, roots: &[PathBuf]) {
        if self.roots == roots {
            return;
        }
        if let Some(watcher) = &mut self.watcher {
            for gone in self.roots.iter().filter(|r| !roots.contains(r)) {
                let _ = watcher.unwatch(gone);
            }
            for new in roots.iter().filter(|r| !self.roots.contains(r)) {
                if let Err(error) = watcher.watch(new, RecursiveMode::Recursive) {
                    tracing::info!("{} is looked at from time to time only: {error}", new.display());
                }
            }
        }
        self.roots = roots.to_vec();
    }

    /// The roots in which something changed, waiting at most `patience`; all of them once `poll` has
    /// passed since they all were named. A burst of changes is waited out for a moment.
    pub fn wait(&mut self, patience: Duration, poll: Duration) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        let mut note = |path: &Path, roots: &[PathBuf]| {
            for root in roots.iter().filter(|r| path.starts_with(r)) {
                if !changed.contains(root) {
                    changed.push(root.clone());
                }
            }
        };
        if let Ok(path) = self.events.recv_timeout(patience) {
            note(&path, &self.roots);
            let until = Instant::now() + Duration::from_millis(300);
            while let Ok(path) = self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                note(&path, &self.roots);
            }
        }
        if self.looked.elapsed() > poll {
            self.looked = Instant::now();
            return self.roots.clone();
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_by_somebody_else_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let watch = FolderWatch::start(dir.path()).unwrap();
        std::fs::write(dir.path().join("cairn.db-wal"), b"x").unwrap();
        assert!(watch.wait(Duration::from_secs(10)));
    }

    #[test]
    fn a_write_far_below_names_the_tree_that_it_is_in() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let (a, b) = (dir.join("a"), dir.join("b"));
        std::fs::create_dir_all(a.join("deep/er")).unwrap();
        std::fs::create_dir_all(&b).unwrap();
        let mut watch = TreeWatch::default();
        watch.follow(&[a.clone(), b]);
        std::fs::write(a.join("deep/er/file"), b"x").unwrap();
        assert_eq!(watch.wait(Duration::from_secs(10), Duration::from_secs(1_000)), [a]);
    }
}
