//! Where things lie on this computer.

use etcetera::BaseStrategy;
use std::path::{Path, PathBuf};

/// Cairn's folder for what belongs to this computer and no workspace. `CAIRN_HOME` moves it.
pub fn home() -> PathBuf {
    if let Some(dir) = std::env::var_os("CAIRN_HOME") {
        return PathBuf::from(dir);
    }
    match etcetera::choose_base_strategy() {
        Ok(strategy) => strategy.data_dir().join("cairn"),
        Err(_) => PathBuf::from(".cairn"),
    }
}

/// Where new workspaces go unless the person says otherwise.
pub fn default_workspace(home: &Path, name: &str) -> PathBuf {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    let base = home.join("workspaces");
    let first = base.join(if plain.is_empty() { "workspace" } else { plain });
    if !first.exists() {
        return first;
    }
    (2..).map(|i| base.join(format!("{plain}-{i}"))).find(|p| !p.exists()).unwrap_or(first)
}

/// Where people look for what a program saved for them: `XDG_DOWNLOAD_DIR`, the folder Downloads, or the home folder.
pub fn downloads() -> PathBuf {
    if let Some(dir) = std::env::var_os("XDG_DOWNLOAD_DIR").map(PathBuf::from).filter(|d| d.is_dir()) {
        return dir;
    }
    let home = etcetera::home_dir().unwrap_or_else(|_| PathBuf::from("."));
    let usual = home.join("Downloads");
    if usual.is_dir() { usual } else { home }
}

/// Writes a file that only its owner may read, also where one with wider rights is there already.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // Before the first byte: a file that was there keeps its mode otherwise.
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(bytes)
}

/// The workspace that was opened last.
pub fn last_workspace(home: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(home.join("last")).ok()?;
    Some(PathBuf::from(text.trim())).filter(|p| !p.as_os_str().is_empty())
}

/// Remembers the workspace for the next start.
pub fn remember_workspace(home: &Path, dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(home)?;
    std::fs::write(home.join("last"), dir.as_os_str().as_encoded_bytes())
}
