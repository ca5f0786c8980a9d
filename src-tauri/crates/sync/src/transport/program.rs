//! Running the `git` program: the hardened profile, patience, progress, and killing all of it.

use super::failure::{TransportError, from_words};
use crate::errand::Errand;
use crate::repo::Repo;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long nothing at all may happen.
const SILENCE: Duration = Duration::from_secs(90);
/// The largest file that one exchange may write, in blocks of 512 bytes: 2 GiB.
const FILE_MAX_BLOCKS: &str = "4194304";

/// Reads a secret from the keyring by the name of its entry.
pub type ReadSecret = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How to answer a server that asks who we are.
#[derive(Clone)]
pub struct AskPass {
    /// A program that prints the name or the secret: ours, started with `CAIRN_ASKPASS`.
    pub program: PathBuf,
    /// What the secret is called in the system keyring.
    pub entry: String,
    pub user: String,
    /// The secret, for git2, which has no use for a program.
    pub read: ReadSecret,
}

impl AskPass {
    pub(super) fn secret(&self) -> String {
        (self.read)(&self.entry).unwrap_or_default()
    }
}

/// Is there a `git` program?
pub fn git_program() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let hidden = std::env::var_os("CAIRN_WITHOUT_GIT").is_some();
    !hidden
        && *FOUND.get_or_init(|| {
            Command::new("git").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
        })
}

/// What of the environment is the person's own way to the network; all else that speaks to git is left out.
const KEPT: [&str; 12] = [
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
];

pub(super) struct Git<'a> {
    pub repo: &'a Repo,
    pub askpass: Option<&'a AskPass>,
    pub errand: &'a Errand,
}

impl Git<'_> {
    pub(super) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<String, TransportError> {
        self.repo.secure().map_err(|e| TransportError::Other(e.to_string()))?;
        // Through the shell only for `ulimit`: a hostile remote must not fill the disk.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "ulimit -f \"$0\" 2>/dev/null; exec git \"$@\"", FILE_MAX_BLOCKS]);
        command.arg("--git-dir").arg(self.repo.path());
        // The profile: nothing of the remote's or the machine's configuration runs a program here,
        // every object is checked as it arrives, and nothing asks on a terminal that nobody sees.
        for setting in [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "submodule.recurse=false",
            // No program but git's own ways to the network, whatever an address says.
            "protocol.allow=never",
            "protocol.file.allow=always",
            "protocol.git.allow=always",
            "protocol.http.allow=always",
            "protocol.https.allow=always",
            "protocol.ssh.allow=always",
            "transfer.fsckObjects=true",
            "fetch.fsckObjects=true",
            "core.fsync=all",
            "gc.auto=0",
            "maintenance.auto=0",
            "push.gpgSign=false",
            // Deltas between signed batches save little and cost most of a push.
            "pack.window=0",
        ] {
            command.args(["-c", setting]);
        }
        for (name, _) in std::env::vars_os() {
            let git = name.to_string_lossy().starts_with("GIT_");
            if git && !KEPT.iter().any(|kept| name == *kept) {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if std::env::var_os("GIT_SSH_COMMAND").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=20");
        }
        match self.askpass {
            Some(askpass) => {
                command.env("GIT_ASKPASS", &askpass.program).env("CAIRN_ASKPASS", &askpass.entry).env("CAIRN_ASKPASS_USER", &askpass.user);
            }
            None if std::env::var_os("GIT_ASKPASS").is_none() => {
                command.env("GIT_ASKPASS", "/bin/false");
            }
            None => {}
        }
        let child = command.spawn().map_err(|e| TransportError::Other(e.to_string()))?;
        self.finish(child)
    }

    fn finish(&self, mut child: Child) -> Result<String, TransportError> {
        let heard = Arc::new(AtomicU64::new(0));
        let out = listen(child.stdout.take().map(|p| Box::new(p) as Box<dyn Read + Send>), &heard);
        let err = listen(child.stderr.take().map(|p| Box::new(p) as Box<dyn Read + Send>), &heard);
        let status = self.wait(&mut child, &heard)?;
        let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        if status.success() { Ok(out) } else { Err(from_words(&without_progress(&format!("{out}{err}")))) }
    }

    fn wait(&self, child: &mut Child, heard: &AtomicU64) -> Result<ExitStatus, TransportError> {
        let mut last = (0, Instant::now());
        let mut pause = Duration::from_millis(1);
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(error) => return Err(TransportError::Other(error.to_string())),
            }
            let now = heard.load(Ordering::Relaxed);
            if now != last.0 {
                last = (now, Instant::now());
            }
            let gone = if self.errand.cancelled() {
                Some(TransportError::Cancelled)
            } else if last.1.elapsed() > SILENCE {
                Some(TransportError::Timeout)
            } else {
                None
            };
            if let Some(error) = gone {
                if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
                    // The whole group: ssh and helpers must not outlive the program that started them.
                    let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
                }
                let _ = child.wait();
                return Err(error);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

/// Reads on a thread: a pipe that fills up would stop the program for ever.
fn listen(pipe: Option<Box<dyn Read + Send>>, heard: &Arc<AtomicU64>) -> std::thread::JoinHandle<String> {
    /// The most that is kept of what a program says.
    const WORDS_MAX: usize = 1 << 20;
    let heard = Arc::clone(heard);
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let mut buffer = [0_u8; 8192];
        if let Some(mut pipe) = pipe {
            // What was read until the pipe broke is still worth showing.
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                heard.fetch_add(1, Ordering::Relaxed);
                if text.len() < WORDS_MAX {
                    text.extend_from_slice(&buffer[..n]);
                }
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Counting lines overwrite themselves with carriage returns; of each only the end is worth showing.
fn without_progress(words: &str) -> String {
    let lines = words.lines().map(|line| line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default());
    lines.filter(|line| !line.contains("% (")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_counting_lines_only_the_words_remain() {
        let words = "Counting objects:  50% (1/2)\rCounting objects: 100% (2/2), done.\nfatal: it broke\n";
        assert_eq!(without_progress(words), "fatal: it broke");
    }

    #[test]
    fn what_was_stopped_is_gone_with_all_that_it_started() {
        let errand = Errand::default();
        errand.cancel();
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::open(&dir.path().join("git")).unwrap();
        let git = Git { repo: &repo, askpass: None, errand: &errand };
        let child = Command::new("/bin/sh")
            .args(["-c", "sleep 60 & sleep 60"])
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(git.finish(child), Err(TransportError::Cancelled));
    }
}
