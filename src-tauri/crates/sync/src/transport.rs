//! The network: the person's own `git` program where there is one, with a hardened profile; git2's
//! own transport for plain files where there is none.

use crate::repo::Repo;
use cairn_core::id::DeviceId;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long one exchange with the remote may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why the remote could not be reached or refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    #[error("the shared place could not be reached")]
    Unreachable(String),
    #[error("there is nothing at this address that can be shared through")]
    NotFound(String),
    #[error("the shared place asks for a sign-in that this computer does not have")]
    Credentials(String),
    #[error("the identity of the server changed or is not known yet")]
    HostKey(String),
    #[error("the shared place refused what was sent")]
    Rejected(String),
    #[error("somebody else writes under this computer's name")]
    Forked(String),
    #[error("the shared place did not answer in time")]
    Timeout,
    #[error("sharing failed")]
    Other(String),
}

impl TransportError {
    /// A short word that clients may branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::NotFound(_) => "remote_not_found",
            Self::Credentials(_) => "credentials",
            Self::HostKey(_) => "host_key",
            Self::Rejected(_) => "rejected",
            Self::Forked(_) => "forked",
            Self::Timeout => "timeout",
            Self::Other(_) => "transport",
        }
    }

    /// What the person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::Timeout => "Your work is saved here. Sharing goes on by itself when the network is back.",
            Self::NotFound(_) => "Check the address, and that the place exists and is empty or already holds this workspace.",
            Self::Credentials(_) => {
                "Sign in once with your usual git program or key, or ask whoever runs the server for access; then try again."
            }
            Self::HostKey(_) => "Connect once from a terminal to check and accept the server's key; do not accept it blindly.",
            Self::Rejected(_) => {
                "A rule of the server stands in the way; its words are in the details. Ask whoever runs it to allow branches named cairn/log/…"
            }
            Self::Forked(_) => {
                "This happens when a folder was copied or restored from a backup. Ask an administrator to let this computer in anew."
            }
            Self::Other(_) => "The details say more. Your work is saved here.",
        }
    }

    /// What the program that failed said.
    pub fn details(&self) -> &str {
        match self {
            Self::Unreachable(t)
            | Self::NotFound(t)
            | Self::Credentials(t)
            | Self::HostKey(t)
            | Self::Rejected(t)
            | Self::Forked(t)
            | Self::Other(t) => t,
            Self::Timeout => "",
        }
    }
}

/// A way to one remote.
pub struct Transport<'a> {
    repo: &'a Repo,
    url: String,
}

/// Turns what a person types into an address: a path becomes `file://`.
pub fn address(typed: &str) -> String {
    let typed = typed.trim();
    let path = Path::new(typed);
    if path.is_absolute() { format!("file://{typed}") } else { typed.to_owned() }
}

/// Is there a `git` program?
pub fn git_program() -> bool {
    Command::new("git").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

impl<'a> Transport<'a> {
    pub fn new(repo: &'a Repo, address_: &str) -> Self {
        Self { repo, url: address(address_) }
    }

    /// Brings every device's branch into quarantine (`refs/cairn/in/*`).
    pub fn fetch(&self) -> Result<(), TransportError> {
        const REFS: &str = "+refs/heads/cairn/log/*:refs/cairn/in/*";
        if git_program() {
            return self.git(["fetch", "--no-tags", "--no-write-fetch-head", "--prune", "--quiet", "--", &self.url, REFS]).map(drop);
        }
        let mut remote = self.repo.git().remote_anonymous(&self.url).map_err(|e| from_git2(&e))?;
        remote.fetch(&[REFS], None, None).map_err(|e| from_git2(&e))
    }

    /// Sends one branch: exactly one ref, never forced.
    pub fn push(&self, device: &DeviceId) -> Result<(), TransportError> {
        let name = Repo::log_ref(device);
        let spec = format!("{name}:{name}");
        if git_program() {
            return self.git(["push", "--porcelain", "--quiet", "--", &self.url, &spec]).map(drop);
        }
        let mut remote = self.repo.git().remote_anonymous(&self.url).map_err(|e| from_git2(&e))?;
        remote.push(&[&spec], None).map_err(|e| from_git2(&e))
    }

    fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<String, TransportError> {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(self.repo.path());
        // The profile: nothing of the remote's or the machine's configuration runs a program here,
        // every object is checked as it arrives, and nothing asks on a terminal that nobody sees.
        for setting in [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "submodule.recurse=false",
            "protocol.ext.allow=never",
            "transfer.fsckObjects=true",
            "fetch.fsckObjects=true",
            "core.fsync=all",
            "gc.auto=0",
            "maintenance.auto=0",
            "push.gpgSign=false",
        ] {
            command.args(["-c", setting]);
        }
        command
            .args(args)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("LC_ALL", "C")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if std::env::var_os("GIT_SSH_COMMAND").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        if std::env::var_os("GIT_ASKPASS").is_none() {
            command.env("GIT_ASKPASS", "/bin/false");
        }
        let child = command.spawn().map_err(|e| TransportError::Other(e.to_string()))?;
        finish(child)
    }
}

fn finish(mut child: Child) -> Result<String, TransportError> {
    // Read on threads: a pipe that fills up would stop the program for ever.
    let drain = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(mut pipe) = pipe {
                // What was read until the pipe broke is still worth showing.
                let _ = pipe.read_to_end(&mut text);
            }
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = drain(child.stdout.take().map(|p| Box::new(p) as Box<dyn Read + Send>));
    let err = drain(child.stderr.take().map(|p| Box::new(p) as Box<dyn Read + Send>));
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() > PATIENCE => {
                if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
                    // The whole group: ssh and helpers must not outlive the program that started them.
                    let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
                }
                let _ = child.wait();
                return Err(TransportError::Timeout);
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(TransportError::Other(error.to_string())),
        }
    };
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    if status.success() { Ok(out) } else { Err(from_words(&format!("{out}{err}"))) }
}

/// The kind of failure by the words of the `git` program, asked for in English.
fn from_words(words: &str) -> TransportError {
    let text = words.trim().to_owned();
    let has = |needles: &[&str]| needles.iter().any(|n| text.contains(n));
    if has(&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"]) {
        TransportError::HostKey(text)
    } else if has(&[
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "Permission denied",
        "terminal prompts disabled",
        "returned error: 401",
        "returned error: 403",
    ]) {
        TransportError::Credentials(text)
    } else if has(&[
        "Could not resolve host",
        "Connection refused",
        "Connection timed out",
        "Network is unreachable",
        "Failed to connect",
        "Couldn't connect",
        "No route to host",
        "Connection reset",
    ]) {
        TransportError::Unreachable(text)
    } else if has(&["does not appear to be a git repository", "repository not found", "not found", "does not exist", "No such file"]) {
        TransportError::NotFound(text)
    } else if has(&["non-fast-forward", "fetch first"]) {
        TransportError::Forked(text)
    } else if has(&["[remote rejected]", "hook declined", "protected branch"]) {
        TransportError::Rejected(text)
    } else {
        TransportError::Other(text)
    }
}

fn from_git2(error: &git2::Error) -> TransportError {
    let text = error.message().to_owned();
    match error.code() {
        git2::ErrorCode::Auth => TransportError::Credentials(text),
        git2::ErrorCode::NotFound => TransportError::NotFound(text),
        git2::ErrorCode::NotFastForward => TransportError::Forked(text),
        _ if error.class() == git2::ErrorClass::Net => TransportError::Unreachable(text),
        _ => from_words(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_what_a_person_can_do() {
        let kind = |words: &str| from_words(words).code();
        assert_eq!(kind("fatal: could not read Username for 'http://x': terminal prompts disabled"), "credentials");
        assert_eq!(kind("ssh: connect to host x port 22: Connection refused"), "unreachable");
        assert_eq!(kind("fatal: '/x' does not appear to be a git repository"), "remote_not_found");
        assert_eq!(kind("! [remote rejected] a -> a (pre-receive hook declined)"), "rejected");
        assert_eq!(kind("! [rejected] a -> a (fetch first)"), "forked");
        assert_eq!(kind("Host key verification failed."), "host_key");
    }

    #[test]
    fn a_typed_path_becomes_an_address() {
        assert_eq!(address(" /srv/team.git "), "file:///srv/team.git");
        assert_eq!(address("git@host:team.git"), "git@host:team.git");
    }
}
