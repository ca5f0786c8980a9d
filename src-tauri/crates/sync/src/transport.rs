//! The network: the person's own `git` program where there is one, with a hardened profile; git2's
//! own transport for plain files and https with a token where there is none.

mod failure;
mod program;

pub use failure::TransportError;
pub use program::{AskPass, ReadSecret, git_program};

use crate::errand::Errand;
use crate::repo::{self, Repo, device_of_ref};
use cairn_core::id::DeviceId;
use failure::from_git2;
use program::Git;
use std::path::Path;

/// What a round knows before it asks the shared place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Computers that are let in, or were: whoever else has a branch there comes after them.
    pub known: &'a [DeviceId],
    /// Branches that were refused as git objects, at the commit that they showed then.
    pub bad: &'a [(DeviceId, String)],
}

/// How many branches of computers that nobody knows are asked for one by one.
const STRANGERS_MAX: usize = 1_000;
/// How many bad ones of those are looked for in a round.
const BAD_STRANGERS_MAX: usize = 20;

/// The branches of the log, brought into quarantine.
const LOG: &str = "+refs/heads/cairn/log/*:refs/cairn/in/*";

/// A shared place. The one for real is [`Transport`]; tests have one with faults.
pub trait Remote {
    /// Brings every device's branch into quarantine (`refs/cairn/in/*`), but for those that hold objects which must not come in:
    /// these are returned, each with the commit that it shows. One that was bad is asked for again as soon as it shows another.
    fn fetch(&self, repo: &Repo, wanted: Wanted<'_>, errand: &Errand) -> Result<Vec<(DeviceId, String)>, TransportError>;

    /// Sends one branch: exactly one ref, never forced.
    fn push(&self, repo: &Repo, name: &str, errand: &Errand) -> Result<(), TransportError>;
}

/// A way to one remote.
pub struct Transport {
    url: String,
    askpass: Option<AskPass>,
    in_process: bool,
}

/// Turns what a person types into an address: a path becomes `file://`.
pub fn address(typed: &str) -> String {
    let typed = typed.trim();
    let path = Path::new(typed);
    if path.is_absolute() { format!("file://{typed}") } else { typed.to_owned() }
}

/// Runs the git program on a store, without a network, with the same profile as all else.
pub fn run_git(repo: &Repo, args: &[&str], errand: &Errand) -> Result<String, TransportError> {
    Git { repo, askpass: None, errand }.run(args)
}

/// What trying out a shared place found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A test branch was sent and taken away again.
    Good,
    /// It may be written but a branch cannot be deleted again: the name of the one that stays.
    CannotDelete { branch: String, details: String },
}

impl Transport {
    pub fn new(address_: &str) -> Self {
        Self { url: address(address_), askpass: None, in_process: !git_program() }
    }

    /// Answers the server's question for a name and a secret from the system keyring.
    #[must_use]
    pub fn with_askpass(mut self, askpass: Option<AskPass>) -> Self {
        self.askpass = askpass;
        self
    }

    /// Through git2 even where there is a `git` program.
    #[must_use]
    pub fn in_process(mut self) -> Self {
        self.in_process = true;
        self
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    fn git<'a>(&'a self, repo: &'a Repo, errand: &'a Errand) -> Git<'a> {
        Git { repo, askpass: self.askpass.as_ref(), errand }
    }

    /// Sends a test branch and deletes it again, so that a rule of the server shows before work hangs on it.
    pub fn probe(&self, repo: &Repo, name: &str, oid: &str, errand: &Errand) -> Result<Probe, TransportError> {
        let branch = format!("cairn/log/probe-{name}");
        let full = format!("refs/heads/{branch}");
        if self.in_process {
            return self
                .push_git2(repo, &format!("{oid}:{full}"))
                .and_then(|()| self.push_git2(repo, &format!(":{full}")))
                .map(|()| Probe::Good);
        }
        let git = self.git(repo, errand);
        git.run(["push", "--porcelain", "--", &self.url, &format!("{oid}:{full}")])?;
        match git.run(["push", "--porcelain", "--", &self.url, &format!(":{full}")]) {
            Ok(_) => Ok(Probe::Good),
            Err(TransportError::Rejected(details)) => Ok(Probe::CannotDelete { branch, details }),
            Err(other) => Err(other),
        }
    }

    /// Puts a branch of the shared place back to what was accepted here, if it still shows `seen`.
    /// The one push that may go backwards: a person asked for it after an alarm.
    pub fn restore(&self, repo: &Repo, device: &DeviceId, seen: Option<&str>, errand: &Errand) -> Result<(), TransportError> {
        let name = Repo::log_ref(device);
        let spec = format!("{name}:{name}");
        if self.in_process {
            return self.push_git2(repo, &spec);
        }
        let lease = format!("--force-with-lease={name}:{}", seen.unwrap_or_default());
        self.git(repo, errand).run(["push", "--porcelain", &lease, "--", &self.url, &spec]).map(drop)
    }

    /// Takes a branch out of the shared place.
    pub fn delete(&self, repo: &Repo, name: &str, errand: &Errand) -> Result<(), TransportError> {
        let spec = format!(":{name}");
        if !self.in_process {
            return self.git(repo, errand).run(["push", "--porcelain", "--", &self.url, &spec]).map(drop);
        }
        self.push_git2(repo, &spec)
    }

    /// Brings one ref of the shared place under another name here.
    pub fn fetch_ref(&self, repo: &Repo, from: &str, to: &str, errand: &Errand) -> Result<(), TransportError> {
        let spec = format!("+{from}:{to}");
        if !self.in_process {
            return self.fetch_git(repo, &[&spec], errand);
        }
        self.fetch_git2(repo, &spec)
    }

    fn fetch_git(&self, repo: &Repo, specs: &[&str], errand: &Errand) -> Result<(), TransportError> {
        let mut args =
            vec!["fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--prune", "--progress", "--", &self.url];
        args.extend(specs);
        self.git(repo, errand).run(args).map(drop)
    }

    fn fetch_git2(&self, repo: &Repo, spec: &str) -> Result<(), TransportError> {
        let mut remote = repo.git().remote_anonymous(&self.url).map_err(|e| from_git2(&e))?;
        let mut options = git2::FetchOptions::new();
        options.prune(git2::FetchPrune::On).remote_callbacks(self.callbacks());
        remote.fetch(&[spec], Some(&mut options), None).map_err(|e| from_git2(&e))
    }

    fn push_git2(&self, repo: &Repo, spec: &str) -> Result<(), TransportError> {
        let mut remote = repo.git().remote_anonymous(&self.url).map_err(|e| from_git2(&e))?;
        let refused = std::cell::RefCell::new(None);
        let mut callbacks = self.callbacks();
        callbacks.push_update_reference(|_, status| {
            if let Some(words) = status {
                *refused.borrow_mut() = Some(words.to_owned());
            }
            Ok(())
        });
        let mut options = git2::PushOptions::new();
        options.remote_callbacks(callbacks);
        remote.push(&[spec], Some(&mut options)).map_err(|e| from_git2(&e))?;
        drop(options);
        refused.into_inner().map_or(Ok(()), |words| Err(TransportError::Rejected(words)))
    }

    fn callbacks(&self) -> git2::RemoteCallbacks<'_> {
        let mut callbacks = git2::RemoteCallbacks::new();
        let mut asked = false;
        callbacks.credentials(move |_, name, _| {
            // Once: libgit2 asks again and again while the answer is wrong.
            match self.askpass.as_ref().filter(|_| !asked) {
                Some(askpass) => {
                    asked = true;
                    git2::Cred::userpass_plaintext(name.unwrap_or(&askpass.user), &askpass.secret())
                }
                None => Err(git2::Error::new(git2::ErrorCode::Auth, git2::ErrorClass::Http, "no sign-in is known")),
            }
        });
        callbacks
    }
}

impl Remote for Transport {
    fn fetch(&self, repo: &Repo, wanted: Wanted<'_>, errand: &Errand) -> Result<Vec<(DeviceId, String)>, TransportError> {
        if self.in_process {
            return self.fetch_git2(repo, LOG).map(|()| Vec::new());
        }
        let mut bad = wanted.bad.to_vec();
        if !bad.is_empty() {
            let devices: Vec<DeviceId> = bad.iter().map(|(device, _)| device.clone()).collect();
            let now = self.list(repo, &devices, errand)?;
            bad.retain(|b| now.contains(b));
        }
        let without: Vec<String> = bad.iter().map(|(d, _)| format!("^{}", Repo::log_ref(d))).collect();
        let mut specs = vec![LOG];
        specs.extend(without.iter().map(String::as_str));
        match self.fetch_git(repo, &specs, errand) {
            Ok(()) => self.is_git_indeed(repo, errand).map(|()| bad),
            Err(TransportError::BadObjects(_)) => self.fetch_apart(repo, wanted.known, bad, errand),
            Err(other) => Err(other),
        }
    }

    fn push(&self, repo: &Repo, name: &str, errand: &Errand) -> Result<(), TransportError> {
        let spec = format!("{name}:{name}");
        if !self.in_process {
            return self.git(repo, errand).run(["push", "--porcelain", "--progress", "--", &self.url, &spec]).map(drop);
        }
        self.push_git2(repo, &spec)
    }
}

impl Transport {
    /// The page of a public network may look to git like an old web server with nothing on it. Only the
    /// way to push tells the two apart.
    fn is_git_indeed(&self, repo: &Repo, errand: &Errand) -> Result<(), TransportError> {
        let empty = repo.incoming().is_ok_and(|tips| tips.is_empty());
        let Some((device, _)) = repo.tips().ok().and_then(|tips| tips.into_iter().next()) else { return Ok(()) };
        if !self.url.starts_with("http") || !empty {
            return Ok(());
        }
        let name = Repo::log_ref(&device);
        match self.git(repo, errand).run(["push", "--dry-run", "--porcelain", "--", &self.url, &format!("{name}:{name}")]) {
            Err(error @ TransportError::NotGit(_)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Somebody's branch holds objects that git itself refuses. The others must not suffer for it: those who are known come
    /// first, and of strangers only so many are looked at.
    fn fetch_apart(
        &self,
        repo: &Repo,
        known: &[DeviceId],
        mut bad: Vec<(DeviceId, String)>,
        errand: &Errand,
    ) -> Result<Vec<(DeviceId, String)>, TransportError> {
        let listed = self.git(repo, errand).run(["ls-remote", "--", &self.url, &format!("{}*", repo::LOG)])?;
        let all = listed.lines().filter_map(shown).filter(|shown| !bad.contains(shown));
        let (ours, mut strangers): (Vec<_>, Vec<_>) = all.partition(|(device, _)| known.contains(device));
        strangers.truncate(STRANGERS_MAX);
        let mut patience = usize::MAX;
        self.fetch_halves(repo, &ours, &mut bad, &mut patience, errand)?;
        patience = BAD_STRANGERS_MAX;
        self.fetch_halves(repo, &strangers, &mut bad, &mut patience, errand)?;
        Ok(bad)
    }

    /// All at once where that is possible, else each half for itself.
    fn fetch_halves(
        &self,
        repo: &Repo,
        all: &[(DeviceId, String)],
        bad: &mut Vec<(DeviceId, String)>,
        patience: &mut usize,
        errand: &Errand,
    ) -> Result<(), TransportError> {
        if all.is_empty() || *patience == 0 {
            return Ok(());
        }
        let specs: Vec<String> = all.iter().map(|(device, _)| format!("+{}:refs/cairn/in/{device}", Repo::log_ref(device))).collect();
        match (self.fetch_git(repo, &specs.iter().map(String::as_str).collect::<Vec<_>>(), errand), all) {
            (Ok(()), _) => Ok(()),
            (Err(TransportError::BadObjects(_)), [one]) => {
                *patience -= 1;
                bad.push(one.clone());
                Ok(())
            }
            (Err(TransportError::BadObjects(_)), _) => {
                let (first, second) = all.split_at(all.len() / 2);
                self.fetch_halves(repo, first, bad, patience, errand)?;
                self.fetch_halves(repo, second, bad, patience, errand)
            }
            (Err(other), _) => Err(other),
        }
    }

    /// What the shared place shows for these branches now, without bringing anything.
    pub fn list(&self, repo: &Repo, devices: &[DeviceId], errand: &Errand) -> Result<Vec<(DeviceId, String)>, TransportError> {
        let names: Vec<String> = devices.iter().map(Repo::log_ref).collect();
        let mut args = vec!["ls-remote", "--", &self.url];
        args.extend(names.iter().map(String::as_str));
        let listed = self.git(repo, errand).run(args)?;
        Ok(listed.lines().filter_map(shown).collect())
    }
}

/// A line of what a shared place shows.
fn shown(line: &str) -> Option<(DeviceId, String)> {
    let (oid, name) = line.split_once('\t')?;
    Some((device_of_ref(name, repo::LOG)?, oid.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_path_becomes_an_address() {
        assert_eq!(address(" /srv/team.git "), "file:///srv/team.git");
        assert_eq!(address("git@host:team.git"), "git@host:team.git");
    }
}
