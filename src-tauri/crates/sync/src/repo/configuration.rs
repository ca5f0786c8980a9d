//! The git store's own configuration: ours, written before each use, so that a folder that somebody else prepared (a zip, a
//! shared drive, a backup) decides nothing about what git does here.
//!
//! Never: reading a setting from inside the folder, writing through a link, or following one out of it. The person's own
//! configuration (credentials, ssh, proxies) is git's to read, as ever; it does not lie in the folder.

use super::RepoError;
use std::path::Path;

/// All that a bare store of ours needs to say.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";

/// Files by which git would look elsewhere, or see another history than the objects hold. No program of ours writes them.
const ELSEWHERE: [&str; 8] = [
    "config.worktree",
    "commondir",
    "gitdir",
    "shallow",
    "info/grafts",
    "info/attributes",
    "objects/info/alternates",
    "objects/info/http-alternates",
];

/// Folders that must be folders, and lie here.
const FOLDERS: [&str; 4] = ["", "objects", "objects/info", "refs"];

/// Makes sure that a store that is there is configured as ours and by nobody else.
pub(super) fn ours(store: &Path) -> Result<(), RepoError> {
    for name in FOLDERS {
        let path = store.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(found) if !found.is_dir() => {
                return Err(RepoError::Form(format!("{} is no folder of its own; move it away, and it is made again", path.display())));
            }
            Ok(_) | Err(_) => {}
        }
    }
    for name in ELSEWHERE {
        let path = store.join(name);
        if std::fs::symlink_metadata(&path).is_ok() {
            tracing::warn!("{} is removed: no setting of this store comes from its folder", path.display());
            std::fs::remove_file(&path).map_err(|e| RepoError::Git(format!("{}: {e}", path.display())))?;
        }
    }
    let config = store.join("config");
    let own = std::fs::symlink_metadata(&config).is_ok_and(|m| m.is_file()) && std::fs::read(&config).is_ok_and(|t| t == CONFIG.as_bytes());
    if own {
        return Ok(());
    }
    // Beside it and then in its place: never through a link that somebody put there.
    let failed = |e: std::io::Error| RepoError::Git(format!("{}: {e}", config.display()));
    let mut new = tempfile::Builder::new().prefix("config-").tempfile_in(store).map_err(failed)?;
    std::io::Write::write_all(&mut new, CONFIG.as_bytes()).map_err(failed)?;
    new.persist(&config).map_err(|e| failed(e.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Repo;
    use super::*;

    #[test]
    fn what_a_folder_says_to_git_is_not_heard() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("git");
        drop(Repo::open(&store).unwrap());
        std::fs::write(store.join("config"), "[core]\n\tbare = true\n\talternateRefsCommand = touch x\n").unwrap();
        std::fs::create_dir_all(store.join("objects/info")).unwrap();
        for name in ELSEWHERE {
            std::fs::create_dir_all(store.join(name).parent().unwrap()).unwrap();
            std::fs::write(store.join(name), "/elsewhere\n").unwrap();
        }
        drop(Repo::open(&store).unwrap());
        assert_eq!(std::fs::read_to_string(store.join("config")).unwrap(), CONFIG);
        assert!(ELSEWHERE.iter().all(|name| !store.join(name).exists()));
    }

    #[test]
    fn nothing_is_written_through_a_link_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("git");
        drop(Repo::open(&store).unwrap());
        let theirs = dir.path().join("precious");
        std::fs::write(&theirs, "precious").unwrap();
        std::fs::remove_file(store.join("config")).unwrap();
        std::os::unix::fs::symlink(&theirs, store.join("config")).unwrap();
        drop(Repo::open(&store).unwrap());
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "precious");
        assert_eq!(std::fs::read_to_string(store.join("config")).unwrap(), CONFIG);
        std::fs::rename(store.join("objects"), dir.path().join("objects")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("objects"), store.join("objects")).unwrap();
        assert!(Repo::open(&store).is_err());
        // A file that says where git is to look.
        let named = dir.path().join("other");
        std::fs::write(&named, format!("gitdir: {}\n", store.display())).unwrap();
        assert!(Repo::open(&named).is_err());
    }
}
