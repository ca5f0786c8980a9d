//! What happens before there is a window.

use cairn_api::{Host, workspaces};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

const RENDERER: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// WebKitGTK shows an empty window on some graphics drivers unless this is set before GTK starts.
/// Setting it in a running process is not sound, so the program starts itself once more. Returns an
/// exit code only if that failed in a way that makes going on useless.
pub(crate) fn with_safe_renderer() -> Option<i32> {
    if std::env::var_os(RENDERER).is_some() {
        return None;
    }
    let program = std::env::current_exe().ok()?;
    // `exec` comes back only when it failed; the window may still work without the setting.
    let error = Command::new(program).args(std::env::args_os().skip(1)).env(RENDERER, "1").exec();
    eprintln_quietly(&format!("Starting without {RENDERER}: {error}"));
    None
}

fn eprintln_quietly(text: &str) {
    use std::io::Write;
    // Nobody may be reading; that must not stop the start.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Opens `--workspace DIR`, else `CAIRN_WORKSPACE`, else the one opened last. Without any, the
/// window shows the first run.
pub(crate) fn open_workspace(host: &Host) {
    let mut args = std::env::args_os().skip(1);
    let mut named = None;
    while let Some(arg) = args.next() {
        if arg == "--workspace" {
            named = args.next();
        }
    }
    let dir: Option<PathBuf> = named.or_else(|| std::env::var_os("CAIRN_WORKSPACE")).map(PathBuf::from).or_else(workspaces::last);
    if let Some(dir) = dir
        && let Err(error) = host.open(&dir)
    {
        tracing::warn!("{}: {error}", dir.display());
        host.set_trouble(Some(error));
    }
}
