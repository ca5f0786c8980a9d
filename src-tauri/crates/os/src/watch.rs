//! Notice of writes by other processes on this computer.

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

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
}
