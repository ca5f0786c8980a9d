//! The state of the code that a command ran: commit, branch, and what differs from the commit.
//!
//! Only looks. The work tree, its index and its settings are never written.

use git2::{DiffOptions, Patch, Repository, Status, StatusOptions};
use std::path::{Path, PathBuf};

/// A file larger than this is named, not kept.
const FILE_MAX: u64 = 512 * 1024;
/// All changes together; what does not fit is named.
const CHANGES_MAX: usize = 4 * 1024 * 1024;
/// New files that are looked into; a folder of pictures is not code.
const NEW_MAX: usize = 1_000;
/// How many names are kept of what is left out.
const NAMES_MAX: usize = 100;

/// A git work tree as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkout {
    pub root: PathBuf,
    /// The folder that was asked about, below `root`.
    pub below: PathBuf,
    pub commit: Option<String>,
    pub branch: Option<String>,
    /// The address of `origin`, else of the only remote.
    pub remote: Option<String>,
    /// How many files differ from the commit, new ones included.
    pub changed: u64,
    /// What differs, for `git apply`.
    pub changes: Vec<u8>,
    /// Files that differ and are not in `changes`.
    pub left_out: Vec<String>,
}

/// The work tree that a folder is in. None: it is in no repository, or in a bare one.
pub fn look(folder: &Path) -> Option<Checkout> {
    let repository = Repository::discover(folder).ok()?;
    // One that cannot be read says as much as one that is not there.
    found(&repository, folder).unwrap_or_default()
}

fn found(repository: &Repository, folder: &Path) -> Result<Option<Checkout>, git2::Error> {
    let Some(root) = repository.workdir() else { return Ok(None) };
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let head = repository.head().ok();
    let commit = head.as_ref().and_then(|h| h.peel_to_commit().ok());
    let mut out = Checkout {
        below: folder.strip_prefix(&root).map(Path::to_owned).unwrap_or_default(),
        commit: commit.as_ref().map(|c| c.id().to_string()),
        branch: head.as_ref().filter(|h| h.is_branch()).and_then(|h| h.shorthand().ok().map(str::to_owned)),
        remote: remote(repository),
        root,
        ..Checkout::default()
    };
    let mut small_new = Vec::new();
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).exclude_submodules(true).update_index(false);
    for entry in repository.statuses(Some(&mut options))?.iter() {
        let Ok(path) = entry.path() else { continue };
        if entry.status() == Status::CURRENT || entry.status() == Status::IGNORED {
            continue;
        }
        out.changed += 1;
        if entry.status() == Status::WT_NEW {
            let size = std::fs::metadata(out.root.join(path)).map_or(u64::MAX, |m| m.len());
            if size <= FILE_MAX && small_new.len() < NEW_MAX && !may_be_secret(path) {
                small_new.push(path.to_owned());
            } else {
                out.leave(path);
            }
        }
    }
    let tree = commit.as_ref().map(git2::Commit::tree).transpose()?;
    let mut options = DiffOptions::new();
    options.context_lines(3).id_abbrev(40).disable_pathspec_match(true);
    let diff = repository.diff_tree_to_workdir_with_index(tree.as_ref(), Some(&mut options))?;
    keep(&diff, &mut out)?;
    if !small_new.is_empty() {
        let mut options = DiffOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .show_untracked_content(true)
            .id_abbrev(40)
            .disable_pathspec_match(true);
        for path in &small_new {
            options.pathspec(path);
        }
        // Against the index: a new file is in neither.
        let diff = repository.diff_index_to_workdir(None, Some(&mut options))?;
        keep(&diff, &mut out)?;
    }
    Ok(Some(out))
}

/// Whether a new file may hold a secret, by its name: what git does not follow is often there for that reason.
fn may_be_secret(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let begins = [".env", ".netrc", ".pypirc", ".npmrc", "id_rsa", "id_ed25519", "id_ecdsa", "id_dsa", "kaggle.json"];
    let ends = [".pem", ".key", ".p12", ".pfx", ".kdbx", ".jks", ".keystore", ".ovpn"];
    let holds = ["secret", "credential", "password", "passwd", "token", "apikey", "api_key", "service-account", "service_account"];
    begins.iter().any(|b| name.starts_with(b)) || ends.iter().any(|e| name.ends_with(e)) || holds.iter().any(|h| name.contains(h))
}

fn remote(repository: &Repository) -> Option<String> {
    let names = repository.remotes().ok()?;
    let only = || if names.len() == 1 { names.get(0).ok().flatten().and_then(|n| repository.find_remote(n).ok()) } else { None };
    let remote = repository.find_remote("origin").ok().or_else(only)?;
    remote.url().ok().map(str::to_owned)
}

/// Adds the text of a difference, file by file, as long as there is room.
fn keep(diff: &git2::Diff<'_>, out: &mut Checkout) -> Result<(), git2::Error> {
    for at in 0..diff.deltas().len() {
        let name = |d: &git2::DiffDelta<'_>| d.new_file().path().or_else(|| d.old_file().path()).map(|p| p.to_string_lossy().into_owned());
        let path = diff.get_delta(at).and_then(|d| name(&d)).unwrap_or_default();
        // No more is read once there is no room.
        if out.changes.len() >= CHANGES_MAX - 1024
            || diff.get_delta(at).is_some_and(|d| d.new_file().size().max(d.old_file().size()) > FILE_MAX)
        {
            out.leave(&path);
            continue;
        }
        let Some(mut patch) = Patch::from_diff(diff, at)? else {
            out.leave(&path);
            continue;
        };
        if patch.delta().flags().is_binary() {
            out.leave(&path);
            continue;
        }
        let text = patch.to_buf()?;
        if out.changes.len() + text.len() > CHANGES_MAX {
            out.leave(&path);
            continue;
        }
        out.changes.extend_from_slice(&text);
    }
    Ok(())
}

impl Checkout {
    fn leave(&mut self, path: &str) {
        if self.left_out.len() < NAMES_MAX && !self.left_out.iter().any(|p| p == path) {
            self.left_out.push(path.to_owned());
        }
    }
}

/// Why two commits could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum NoComparison {
    #[error("The folder of the code, {0}, is not on this computer.")]
    NoFolder(String),
    #[error("The repository in {0} does not have both commits; fetch them and look again.")]
    NoCommit(String),
    #[error("The commits could not be compared: {0}")]
    Git(#[from] git2::Error),
}

/// What changed from one commit to another in a work tree, as a patch of at most `most` bytes.
pub fn between(root: &Path, first: &str, second: &str, most: usize) -> Result<String, NoComparison> {
    let named = root.display().to_string();
    let repository = Repository::open(root).map_err(|_| NoComparison::NoFolder(named.clone()))?;
    let tree = |commit: &str| -> Result<git2::Tree<'_>, NoComparison> {
        let id = git2::Oid::from_str(commit)?;
        Ok(repository.find_commit(id).map_err(|_| NoComparison::NoCommit(named.clone()))?.tree()?)
    };
    let (a, b) = (tree(first)?, tree(second)?);
    let diff = repository.diff_tree_to_tree(Some(&a), Some(&b), None)?;
    let mut out = Vec::new();
    let printed = diff.print(git2::DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-' | ' ') {
            out.push(line.origin() as u8);
        }
        out.extend_from_slice(line.content());
        out.len() < most
    });
    // Stopped by us is no failure.
    match printed {
        Err(error) if out.len() < most => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let mut text = String::from_utf8_lossy(&out).into_owned();
    if out.len() >= most {
        text.push_str("\n… and more; compare the commits with git to see all of it.\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(dir: &Path, args: &[&str]) -> String {
        let done = Command::new("git")
            .args(["-c", "user.name=T", "-c", "user.email=t@t.invalid", "-c", "init.defaultBranch=main"])
            .args(args)
            .current_dir(dir)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    #[test]
    fn what_differs_from_the_commit_is_applied_by_stock_git() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("work");
        std::fs::create_dir_all(root.join("src")).unwrap();
        git(&root, &["init", "-q"]);
        git(&root, &["remote", "add", "origin", "https://host.invalid/x.git"]);
        for (name, text) in [("train.py", "lr = 0.1\n"), ("src/old.py", "old\n"), ("data.bin", "a\0b")] {
            std::fs::write(root.join(name), text).unwrap();
        }
        std::fs::write(root.join(".gitignore"), "*.log\n").unwrap();
        git(&root, &["add", "."]);
        git(&root, &["commit", "-qm", "one"]);
        let clean = look(&root.join("src")).unwrap();
        assert_eq!(clean.commit.as_deref(), Some(git(&root, &["rev-parse", "HEAD"]).as_str()));
        assert_eq!((clean.branch.as_deref(), clean.changed, clean.changes.len()), (Some("main"), 0, 0));
        assert_eq!((clean.below.to_str(), clean.remote.as_deref()), (Some("src"), Some("https://host.invalid/x.git")));

        std::fs::write(root.join("train.py"), "lr = 0.2\n").unwrap();
        std::fs::write(root.join("src/new.py"), "no newline at the end").unwrap();
        std::fs::remove_file(root.join("src/old.py")).unwrap();
        std::fs::write(root.join("staged.py"), "staged\n").unwrap();
        git(&root, &["add", "staged.py"]);
        std::fs::write(root.join("data.bin"), "a\0c").unwrap();
        std::fs::write(root.join("huge.csv"), "1,2,3\n".repeat(200_000)).unwrap();
        std::fs::write(root.join("x.log"), "ignored").unwrap();
        std::fs::write(root.join(".env"), "PASSWORD=hunter2").unwrap();
        let dirty = look(&root).unwrap();
        assert_eq!(dirty.changed, 7, "{dirty:?}");
        assert_eq!(dirty.left_out, [".env", "huge.csv", "data.bin"], "what is large, no text or may be a secret is named");

        let copy = dir.path().join("copy");
        git(dir.path(), &["clone", "-q", root.to_str().unwrap(), "copy"]);
        std::fs::write(dir.path().join("changes.patch"), &dirty.changes).unwrap();
        git(&copy, &["apply", "../changes.patch"]);
        for (name, text) in [("train.py", "lr = 0.2\n"), ("src/new.py", "no newline at the end"), ("staged.py", "staged\n")] {
            assert_eq!(std::fs::read_to_string(copy.join(name)).unwrap(), text, "{name}");
        }
        assert!(!copy.join("src/old.py").exists());
    }

    #[test]
    fn a_folder_outside_of_any_repository_has_no_code_state() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look(dir.path()), None);
        git(dir.path(), &["init", "-q"]);
        std::fs::write(dir.path().join("a.py"), "a\n").unwrap();
        let fresh = look(dir.path()).unwrap();
        assert_eq!((fresh.commit, fresh.changed), (None, 1), "before the first commit everything is new");
    }
}
