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

/// Folders that belong to another user of this computer and that the person said to open all the same.
const ADOPTED: &str = "adopted.json";

/// Whether a folder, or one of these files in it, belongs to another user of this computer: what lies there, somebody else
/// decided, and may decide again.
pub fn is_foreign(dir: &Path, files: &[&str]) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let me = rustix::process::geteuid().as_raw();
    let foreign = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|m| m.uid() != me);
    std::fs::metadata(dir).is_ok_and(|m| m.uid() != me) || files.iter().any(|name| foreign(&dir.join(name)))
}

/// Whether the person said to open a foreign folder.
pub fn is_adopted(home: &Path, dir: &Path) -> bool {
    let Ok(dir) = std::fs::canonicalize(dir) else { return false };
    adopted(home).contains(&dir)
}

/// Remembers that a foreign folder is to be opened.
pub fn adopt(home: &Path, dir: &Path) -> std::io::Result<()> {
    let dir = std::fs::canonicalize(dir)?;
    let mut all = adopted(home);
    if !all.contains(&dir) {
        all.push(dir);
    }
    std::fs::create_dir_all(home)?;
    write_private(&home.join(ADOPTED), &serde_json::to_vec(&all)?)
}

/// A list that cannot be read adopts nothing.
fn adopted(home: &Path) -> Vec<PathBuf> {
    let text = std::fs::read(home.join(ADOPTED)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_another_user_is_foreign_until_it_is_adopted() {
        let home = tempfile::tempdir().unwrap();
        let own = tempfile::tempdir().unwrap();
        std::fs::write(own.path().join("cairn.db"), "").unwrap();
        assert!(!is_foreign(own.path(), &["cairn.db"]));
        // Nobody runs tests as this user; only the superuser can give files away, and others have the folder of the system.
        let theirs = if std::os::unix::fs::chown(own.path().join("cairn.db"), Some(65_534), None).is_ok() {
            own.path().to_owned()
        } else {
            PathBuf::from("/etc")
        };
        assert!(is_foreign(&theirs, &["cairn.db"]));
        assert!(!is_adopted(home.path(), &theirs));
        adopt(home.path(), &theirs).unwrap();
        assert!(is_adopted(home.path(), &theirs));
        std::fs::write(home.path().join(ADOPTED), "no list").unwrap();
        assert!(!is_adopted(home.path(), &theirs));
    }
}
