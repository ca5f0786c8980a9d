//! Sharing: what a person can ask for, and what they are told about it. The work is in `round`.

mod background;
mod content;
mod fork;
mod round;
mod segments;
mod verify;

pub use background::{Load, due_ms, keep_sharing, share_if_due};
pub use content::{DEVICE, check_content, signoff_id};
pub(crate) use fork::{change_key, finish};
pub(crate) use round::{follow, git_is_whole, take_in_own_store, write_as};
pub use round::{round, seal};
pub use segments::{FetchPoints, Fetched, Prune, Pruned, fetch_points, prune};
pub use verify::{Verified, verify};

use crate::ApiError;
use crate::host::{Host, Workspace};
use crate::people::{Person, person_at};
use crate::repair::{self, Mended};
use crate::workspaces::Nothing;
use cairn_core::id::{DeviceId, Digest};
use cairn_core::op::{Op, ReadLine};
use cairn_store::log::TrailFilter;
use cairn_sync::envelope::inspect;
use cairn_sync::transport::{AskPass, Probe, Wanted};
use cairn_sync::{Errand, Remote, Transport};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use ts_rs::TS;

/// What one round did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Round {
    /// Operations sent.
    pub sent: u64,
    /// Operations received and counted.
    pub received: u64,
    /// Commits refused in this round.
    pub refused: u64,
    /// This computer's name was in use twice; it goes on under a new one.
    pub renamed: bool,
    /// Large files sent to the object store.
    pub files: u64,
    /// Why large files could not be sent; everything else was.
    pub files_error: Option<ApiError>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SharingStatus {
    pub remote: Option<String>,
    /// Changes that are not shared yet.
    pub waiting: u64,
    pub last_ok_ms: Option<i64>,
    /// Why the last try failed; none if it went well.
    pub last_error: Option<ApiError>,
    pub devices: Vec<DeviceSeen>,
    pub refused: Vec<Refused>,
    /// How many operations are kept but do not count, and why, newest first.
    pub not_counted: Vec<NotCounted>,
    /// What the shared place shows differently from what was accepted here.
    pub alarms: Vec<Alarmed>,
    /// Lines that wait to be written again under this computer's new name.
    pub set_aside: u64,
    /// Branches of computers that nobody let in which were not looked at in the last round: each round looks at some of them.
    pub strangers_left: u64,
    /// Whether Cairn shares by itself.
    pub automatic: bool,
    /// What was damaged on this computer and is whole again.
    pub mended: Vec<Mended>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Alarmed {
    pub device: String,
    pub person: Person,
    /// `missing`, `rewound`, `rewritten` or `withheld`.
    pub kind: String,
    pub sentence: String,
    pub since_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeviceSeen {
    pub device: String,
    pub name: String,
    pub person: Person,
    pub last_seen_ms: Option<i64>,
    pub this_one: bool,
    pub removed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Refused {
    pub device: String,
    pub person: Person,
    pub commit: String,
    pub code: String,
    pub reason: String,
    pub at_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct NotCounted {
    pub operation: String,
    pub person: Person,
    pub device: String,
    pub state: String,
    pub reason: String,
    pub at_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetRemote {
    /// Empty: share with nobody.
    pub address: String,
}

pub fn status(host: &Host, _: Nothing) -> Result<SharingStatus, ApiError> {
    let workspace = host.workspace()?;
    let me = workspace.device();
    let mended = repair::mended(&workspace)?;
    workspace.read(|r| {
        let acl = r.acl()?;
        let branches = r.branches()?;
        let filter = TrailFilter { only_problems: true, limit: 200, ..TrailFilter::default() };
        let (problems, _) = r.trail(&filter)?;
        Ok(SharingStatus {
            remote: r.local("remote")?,
            waiting: r.to_share(&workspace.device())?,
            last_ok_ms: r.local("shared_at")?.and_then(|t| t.parse().ok()),
            last_error: r.local("share_error")?.and_then(|t| serde_json::from_str(&t).ok()),
            devices: acl
                .devices
                .iter()
                .map(|(id, d)| DeviceSeen {
                    device: id.to_string(),
                    name: d.name.clone(),
                    person: person_at(&acl, id.as_str()),
                    last_seen_ms: branches.iter().find(|b| &b.device == id).map(|b| b.at_ms),
                    this_one: *id == me,
                    removed: d.cut.is_some(),
                })
                .collect(),
            refused: r
                .refusals()?
                .into_iter()
                .map(|f| Refused {
                    person: person_at(&acl, &f.device),
                    device: f.device,
                    commit: f.oid,
                    code: f.code,
                    reason: f.reason,
                    at_ms: f.at_ms,
                })
                .collect(),
            not_counted: problems
                .into_iter()
                .map(|row| NotCounted {
                    person: person_at(&acl, &row.device),
                    operation: row.r#type,
                    device: row.device,
                    state: row.state,
                    reason: row.reason.unwrap_or_default(),
                    at_ms: row.at_ms,
                })
                .collect(),
            alarms: r.alarms()?.into_iter().map(|a| alarmed(&person_at(&acl, a.device.as_str()), a)).collect(),
            set_aside: r.set_aside()?.len() as u64,
            strangers_left: r.local("strangers_left")?.and_then(|n| n.parse().ok()).unwrap_or(0),
            automatic: r.local("share_by_hand")?.as_deref() != Some("1"),
            mended,
        })
    })
}

fn alarmed(person: &Person, alarm: cairn_store::sharing::Alarm) -> Alarmed {
    let name = &person.name;
    let sentence = match alarm.kind.as_str() {
        "missing" => format!("The shared place no longer holds what {name} shared. It is kept here and can be put back."),
        "rewound" => {
            format!("The shared place shows an older state of what {name} shared. The newer one is kept here and can be put back.")
        }
        "bad_objects" => format!(
            "The shared place shows something in {name}'s branch that git itself refuses. What {name} shared before is kept here and can be put back."
        ),
        "rewritten" => format!("Somebody wrote over what {name} shared. What was accepted is kept here, the other one as evidence."),
        _ => format!("The shared place holds back some of what {name} shared. It came along with the work of others and was taken in."),
    };
    Alarmed { device: alarm.device.to_string(), person: person.clone(), kind: alarm.kind, sentence, since_ms: alarm.at_ms }
}

pub fn set_remote(host: &Host, request: SetRemote) -> Result<SharingStatus, ApiError> {
    host.workspace()?.write(|w| {
        w.set_local("remote", request.address.trim())?;
        // Another place may hold nothing of this yet.
        w.set_local("sent", "0")?;
        w.set_local("share_error", "null")
    })?;
    status(host, Nothing {})
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetAutomatic {
    pub automatic: bool,
}

/// Whether Cairn shares by itself, or only when asked.
pub fn set_automatic(host: &Host, request: SetAutomatic) -> Result<SharingStatus, ApiError> {
    host.workspace()?.write(|w| w.set_local("share_by_hand", if request.automatic { "0" } else { "1" }))?;
    status(host, Nothing {})
}

/// Shares now. A failure is remembered for the status line, and is never a loss.
pub fn share(host: &Host, _: Nothing) -> Result<Round, ApiError> {
    share_once(host, &*host.workspace()?)
}

pub(crate) fn share_once(host: &Host, workspace: &Workspace) -> Result<Round, ApiError> {
    let errand = Arc::new(Errand::default());
    host.set_errand(Some(Arc::clone(&errand)));
    let began = workspace.edge.now_ms();
    workspace.write(|w| w.set_local("share_began", &began.to_string()))?;
    let result = transport(host, workspace).and_then(|remote| {
        let first = round(workspace, &remote, &errand);
        // A store that cannot be read is made again, once; then it must do.
        match first {
            Err(error) if !git_is_whole(workspace) => {
                tracing::warn!("the git store is damaged: {error}");
                repair::git_store(workspace)?;
                round(workspace, &remote, &errand)
            }
            other => other,
        }
    });
    host.set_errand(None);
    let now = workspace.edge.now_ms();
    workspace.write(|w| {
        match &result {
            Ok(_) => {
                w.set_local("shared_at", &now.to_string())?;
                w.set_local("share_failures", "0")?;
                w.set_local("share_error", "null")?;
            }
            Err(error) => {
                let failures = w.local("share_failures")?.and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
                w.set_local("share_failures", &failures.saturating_add(1).to_string())?;
                w.set_local("share_error", &serde_json::json!(error).to_string())?;
            }
        }
        w.touch("sharing");
        Ok::<_, ApiError>(())
    })?;
    repair::remember(workspace)?;
    result
}

/// The way to the shared place, with the sign-in that is kept for it.
pub(crate) fn transport(host: &Host, workspace: &Workspace) -> Result<Transport, ApiError> {
    let (remote, user) = workspace.read(|r| Ok::<_, ApiError>((r.local("remote")?, r.local("remote_user")?)))?;
    let remote = remote.filter(|r| !r.is_empty()).ok_or_else(|| {
        ApiError::new("no_remote", "This workspace is not shared with anybody yet")
            .hint("Enter the address of a shared place in the settings: an empty git repository that your team can reach.")
    })?;
    Ok(Transport::new(&remote).with_askpass(askpass(host, &remote, user)))
}

fn askpass(host: &Host, remote: &str, user: Option<String>) -> Option<AskPass> {
    let (user, program) = (user.filter(|u| !u.is_empty())?, host.askpass.clone()?);
    let secrets = Arc::clone(&host.secrets);
    let read = Arc::new(move |entry: &str| secrets.get(entry).ok());
    Some(AskPass { program, entry: secret_name(remote), user, read })
}

/// What the secret for a shared place is called in the keyring.
fn secret_name(remote: &str) -> String {
    format!("remote {remote}")
}

/// Answers git's question, if this program was started to do so: `CAIRN_ASKPASS` names the entry.
pub fn answer_askpass() -> Option<String> {
    let entry = std::env::var("CAIRN_ASKPASS").ok()?;
    let question = std::env::args().nth(1).unwrap_or_default().to_lowercase();
    if question.starts_with("username") {
        return Some(std::env::var("CAIRN_ASKPASS_USER").unwrap_or_default());
    }
    use cairn_os::secrets::SecretStore;
    Some(cairn_os::secrets::SystemKeyring.get(&entry).unwrap_or_default())
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignIn {
    pub user: String,
    /// A password or, better, a token that may only write to this one place.
    pub secret: String,
}

/// Keeps the sign-in for the shared place in the system keyring. An empty secret forgets it.
pub fn sign_in(host: &Host, request: SignIn) -> Result<SharingStatus, ApiError> {
    let workspace = host.workspace()?;
    let remote = transport(host, &workspace)?.url().to_owned();
    let address = workspace.read(|r| r.local("remote"))?.unwrap_or_default();
    if !remote.starts_with("http") {
        return Err(ApiError::invalid("This shared place is not reached with a name and a secret")
            .hint("For an ssh address, use your usual ssh key; a folder needs none."));
    }
    if request.secret.is_empty() {
        host.secrets.delete(&secret_name(&address))?;
    } else {
        host.secrets.set(&secret_name(&address), &request.secret)?;
    }
    let user = if request.secret.is_empty() { "" } else { request.user.trim() };
    workspace.write(|w| w.set_local("remote_user", user))?;
    status(host, Nothing {})
}

/// What the round that runs now is at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Progress {
    pub what: String,
    pub done: u64,
    pub total: Option<u64>,
}

pub fn progress(host: &Host, _: Nothing) -> Result<Option<Progress>, ApiError> {
    Ok(host.errand().and_then(|e| e.step()).map(|s| Progress { what: s.what, done: s.done, total: s.total }))
}

/// Stops the round that runs now at the next safe place.
pub fn cancel(host: &Host, _: Nothing) -> Result<bool, ApiError> {
    let errand = host.errand();
    if let Some(errand) = &errand {
        errand.cancel();
    }
    Ok(errand.is_some())
}

/// What trying out the shared place found, in words.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Probed {
    pub good: bool,
    pub sentence: String,
    pub details: Option<String>,
}

/// Sends a test branch to the shared place and deletes it again.
pub fn probe(host: &Host, _: Nothing) -> Result<Probed, ApiError> {
    let workspace = host.workspace()?;
    let remote = transport(host, &workspace)?;
    seal(&workspace)?;
    let repo = round::repo(&workspace)?;
    let own = workspace.read(|r| r.branch(&workspace.device()))?;
    let own = own.ok_or_else(|| ApiError::conflict("There is nothing to try it with yet").hint("Write something first."))?;
    let errand = Errand::default();
    Ok(match remote.probe(&repo, &workspace.device().as_str()[..8], &own.tip, &errand)? {
        Probe::Good => {
            Probed { good: true, sentence: "The shared place takes a branch and lets go of it again.".to_owned(), details: None }
        }
        Probe::CannotDelete { branch, details } => Probed {
            good: true,
            sentence: format!(
                "The shared place takes branches. A rule keeps them from being deleted, which is good for a log; the test branch {branch} stays there."
            ),
            details: Some(details),
        },
    })
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Restore {
    pub device: String,
}

/// Puts a branch of the shared place back to what was accepted here, after an alarm.
pub fn restore(host: &Host, request: Restore) -> Result<SharingStatus, ApiError> {
    let workspace = host.workspace()?;
    let device = DeviceId::parse(request.device)?;
    let remote = transport(host, &workspace)?;
    {
        let _one = round::lock(&workspace)?;
        let repo = round::repo(&workspace)?;
        follow(&workspace, &repo)?;
        let shown = repo.incoming()?.into_iter().chain(round::bad_branches(&workspace)?);
        let seen = shown.filter(|(d, _)| *d == device).map(|(_, oid)| oid).next_back();
        remote.restore(&repo, &device, seen.as_deref(), &Errand::default())?;
    }
    share_once(host, &workspace)?;
    status(host, Nothing {})
}

/// The first look at a place that somebody wants to join: finds the workspace and pins it.
pub(crate) fn first_contact(host: &Host, workspace: &Workspace, address: &str, pin: Option<&Digest>) -> Result<(), ApiError> {
    let _one = round::lock(workspace)?;
    let repo = round::repo(workspace)?;
    let remote = Transport::new(address).with_askpass(askpass(host, address, None));
    remote.fetch(&repo, Wanted::default(), &Errand::default())?;
    let mut found: Vec<Digest> = Vec::new();
    for (device, tip) in repo.incoming()? {
        let Ok(Some(commits)) = repo.news(&tip, None) else { continue };
        let Some(first) = commits.first() else { continue };
        let Ok(inspected) = inspect(&repo, first, &device, None) else { continue };
        let begins = matches!(inspected.read.first(), Some(ReadLine::Known(l)) if matches!(l.op, Op::WorkspaceCreated { .. }));
        if begins && inspected.header.workspace.is_none() && pin.is_none_or(|p| *p == inspected.sha256) {
            found.push(inspected.sha256);
        }
    }
    let genesis = match (found.as_slice(), pin) {
        ([one], _) => one,
        ([], Some(_)) => {
            return Err(ApiError::new("other_workspace", "This place holds another workspace than the one you were invited to")
                .hint("Do not go on. Ask whoever invited you whether the address is right."));
        }
        ([], None) => {
            return Err(ApiError::new("empty_remote", "There is no workspace at this address yet")
                .hint("Whoever created the workspace must share it once first."));
        }
        _ => {
            return Err(ApiError::new("many_workspaces", "There is more than one workspace at this address")
                .hint("Ask an administrator for the whole invitation, with the part behind #."));
        }
    };
    workspace.write(|w| {
        w.set_local("remote", address)?;
        w.set_local("genesis", genesis.as_str())
    })?;
    Ok(())
}
