//! One round of sharing: seal, fetch, accept, push.
//!
//! Every step can be cut off anywhere and is taken up again by the next round: the store is the
//! truth, and the git store follows it.

use super::content::check_content;
use super::segments;
use super::{Round, fork};
use crate::ApiError;
use crate::host::{Host, Workspace};
use crate::releases::page::PAGE_MAX;
use cairn_core::authority::{Acl, Past};
use cairn_core::envelope::ATTACHMENT_MAX;
use cairn_core::id::{DeviceId, Digest};
use cairn_core::op::{Op, ReadLine, files_of};
use cairn_core::setting::Setting;
use cairn_store::StoreError;
use cairn_store::sharing::{Alarm, Branch, Sealed, union};
use cairn_sync::envelope::{Draft, Fault, Inspected, inspect, make, remake};
use cairn_sync::transport::Wanted;
use cairn_sync::{DeviceKey, Errand, Remote, Repo};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::sync::mpsc::{Receiver, sync_channel};

/// A place where a test may end the program, as a kill or a power cut would.
pub(super) fn point(name: &str) {
    #[cfg(debug_assertions)]
    if std::env::var_os("CAIRN_FAILPOINT").is_some_and(|at| at == name) {
        std::process::abort();
    }
    let _ = name;
}

/// One process at a time works on the git store; the others wait their turn.
pub(super) fn lock(workspace: &Workspace) -> Result<File, ApiError> {
    let file = File::create(workspace.dir().join("sharing.lock")).map_err(StoreError::from)?;
    file.lock().map_err(StoreError::from)?;
    Ok(file)
}

pub(super) fn repo(workspace: &Workspace) -> Result<Repo, ApiError> {
    Ok(Repo::open(&workspace.dir().join("git"))?)
}

/// Turns everything that was written here into signed commits, without any network.
pub fn seal(workspace: &Workspace) -> Result<(), ApiError> {
    let _one = lock(workspace)?;
    seal_locked(workspace, &repo(workspace)?)
}

/// Makes the git store follow the workspace file again, after a crash or damage.
pub(crate) fn follow(workspace: &Workspace, repo: &Repo) -> Result<(), ApiError> {
    let branches = workspace.read(|r| r.branches())?;
    for branch in branches {
        if !repo.has(&branch.tip) && branch.device == workspace.device() {
            for own in workspace.read(|r| r.own_envelopes(&branch.device))? {
                // The limit may have been another when it was sealed.
                let mut made = None;
                for most in [shared_file_max(workspace)?, Setting::SharedFileMax.default_number(), ATTACHMENT_MAX] {
                    let files = attachments(workspace, &own.ops, most)?;
                    made = remake(repo, &own.object, &own.acl, &own.ops, &files)?;
                    if made.is_some() {
                        break;
                    }
                }
                if made.as_deref() != Some(own.oid.as_str()) {
                    tracing::warn!("commit {} could not be written again from the workspace file", own.oid);
                }
            }
        }
        // A branch that leads to what is not here would make git believe that it is.
        let moved = repo.tip(&branch.device).as_deref() != Some(branch.tip.as_str());
        if moved && repo.has(&branch.tip) && repo.is_connected(&branch.tip) {
            repo.set_tip(&branch.device, &branch.tip)?;
        }
    }
    Ok(())
}

/// Can everything that was accepted be read from the git store?
pub(crate) fn git_is_whole(workspace: &Workspace) -> bool {
    let Ok(branches) = workspace.read(|r| r.branches()) else { return true };
    repo(workspace).is_ok_and(|repo| repo.refs_are_whole() && branches.iter().all(|b| repo.is_whole(&b.tip)))
}

/// Takes in every branch that the own git store holds: for a workspace file that must be made again.
pub(crate) fn take_in_own_store(workspace: &Workspace) -> Result<u64, ApiError> {
    let _one = lock(workspace)?;
    let repo = repo(workspace)?;
    let device = workspace.device();
    let mut own: VecDeque<String> = VecDeque::new();
    for (branch, tip) in repo.tips()? {
        if branch == device {
            own = repo.news(&tip, None)?.unwrap_or_default().into();
        } else {
            repo.show_again(&branch, &tip)?;
        }
    }
    let errand = Errand::default();
    let mut done = Round::default();
    loop {
        let before = done.received;
        accept_all(workspace, &repo, &errand, &mut done)?;
        while let Some(oid) = own.front().cloned() {
            let Next::Taken = accept_next(workspace, &repo, &device, &oid, None, &mut done)? else { break };
            let object = repo.commit_bytes(&oid)?;
            workspace.write(|w| w.keep_object(&oid, &object))?;
            own.pop_front();
        }
        if done.received == before {
            return Ok(done.received);
        }
    }
}

pub(super) fn seal_locked(workspace: &Workspace, repo: &Repo) -> Result<(), ApiError> {
    let device = &workspace.device();
    loop {
        let (batch, own, branches, genesis, acl) =
            workspace.read(|r| Ok::<_, ApiError>((r.outbox(device)?, r.branch(device)?, r.branches()?, r.genesis()?, r.acl()?)))?;
        let Some(batch) = batch else { return Ok(()) };
        let author = acl.member_of(device).map_or_else(|| "Cairn".to_owned(), |(_, m)| m.name.clone());
        let key = workspace.key()?;
        let own_past = match &own {
            Some(branch) => workspace.read(|r| r.past_of(&branch.tip))?.unwrap_or_default(),
            None => Past::new(),
        };
        // Parents are accepted tips that the own branch does not know of yet; each makes this
        // computer a witness of the other. What is cut is not built upon.
        let news = |b: &&Branch| &b.device != device && own_past.get(&b.device).is_none_or(|n| *n < b.n) && repo.has(&b.tip);
        let others: Vec<&Branch> = branches.iter().filter(news).take(32).collect();
        let mut pasts = vec![own_past.clone()];
        for branch in &others {
            pasts.push(workspace.read(|r| r.past_of(&branch.tip))?.unwrap_or_default());
        }
        let mut past = union(&pasts);
        past.remove(device);
        let limit = shared_file_max(workspace)?;
        crate::content::seal_under(workspace, limit)?;
        let attachments = attachments(workspace, &batch.ops, limit)?;
        let tips: Vec<String> = others.iter().map(|b| b.tip.clone()).collect();
        let seq = own.as_ref().map_or(1, |b| b.seq + 1);
        let before = own.as_ref().map(|b| b.tip.clone());
        let made = make(
            repo,
            &key,
            &Draft {
                seq,
                first: batch.first,
                acl: &batch.acl,
                ops: &batch.ops,
                attachments: &attachments,
                workspace: genesis,
                previous: own.map(|b| (b.tip, b.sha256)),
                others: &tips,
                author: &author,
                now_ms: workspace.edge.now_ms(),
                tz_minutes: workspace.edge.tz_minutes(),
            },
        )?;
        point("seal.made");
        let sealed = Sealed {
            oid: made.oid.clone(),
            sha256: made.sha256,
            device: device.clone(),
            seq,
            first: batch.first,
            count: batch.count(),
            authority: batch.acl.len() as u64,
            past,
            object: Some(made.object),
        };
        workspace.write(|w| w.sealed(&sealed))?;
        point("seal.kept");
        if before.is_none_or(|tip| repo.tip(device) == Some(tip)) {
            repo.set_tip(device, &made.oid)?;
        }
        point("seal.done");
    }
}

/// Writes one operation of authority with another key than this computer's: the recovery key. It is in
/// the shared place before it counts here.
pub(crate) fn write_as(host: &Host, workspace: &Workspace, key: &DeviceKey, op: Op, why: &str) -> Result<(), ApiError> {
    let _one = lock(workspace)?;
    let repo = repo(workspace)?;
    follow(workspace, &repo)?;
    seal_locked(workspace, &repo)?;
    let remote = super::transport(host, workspace)?;
    let line = workspace.write(|w| w.compose(op, why))?;
    let (own, branches, genesis) = workspace.read(|r| Ok::<_, ApiError>((r.branch(&key.id())?, r.branches()?, r.genesis()?)))?;
    let tips = branches.iter().filter(|b| b.device != key.id() && repo.has(&b.tip)).take(32).map(|b| b.tip.clone()).collect::<Vec<_>>();
    let made = make(
        &repo,
        key,
        &Draft {
            seq: own.as_ref().map_or(1, |b| b.seq + 1),
            first: own.as_ref().map_or(1, |b| b.n + 1),
            acl: &[line],
            ops: &[],
            attachments: &[],
            workspace: genesis,
            previous: own.map(|b| (b.tip, b.sha256)),
            others: &tips,
            author: "Recovery key",
            now_ms: workspace.edge.now_ms(),
            tz_minutes: workspace.edge.tz_minutes(),
        },
    )?;
    let name = Repo::log_ref(&key.id());
    repo.set_tip(&key.id(), &made.oid)?;
    remote.push(&repo, &name, &Errand::default())?;
    let mut done = Round::default();
    match accept_next(workspace, &repo, &key.id(), &made.oid, None, &mut done)? {
        Next::Taken => Ok(()),
        Next::Stopped | Next::Waits(..) => Err(ApiError::conflict("The recovery key's operation was not accepted")),
    }
}

fn shared_file_max(workspace: &Workspace) -> Result<u64, ApiError> {
    workspace.read(|r| crate::settings::number(r, Setting::SharedFileMax))
}

/// The files of at most so many bytes that the operations of a batch speak of and that are here.
fn attachments(workspace: &Workspace, lines: &[String], most: u64) -> Result<Vec<(Digest, Vec<u8>)>, ApiError> {
    let mut found: Vec<(Digest, Vec<u8>)> = Vec::new();
    let pages: Vec<Digest> =
        lines.iter().filter(|l| l.contains(r#""t":"release.decided""#)).flat_map(|l| files_of(l)).map(|(d, _)| d).collect();
    for (digest, size) in lines.iter().flat_map(|line| files_of(line)) {
        // What a signer was shown always travels: without it nobody else could see what was signed.
        let most = if pages.contains(&digest) { most.max(PAGE_MAX as u64) } else { most };
        if size > most || found.iter().any(|(d, _)| *d == digest) {
            continue;
        }
        if let Some(bytes) = workspace.store.blob(&digest)? {
            // What the line says of the size is a claim; the limit is about what is there.
            if bytes.len() as u64 <= most {
                found.push((digest, bytes));
            }
        }
    }
    Ok(found)
}

/// One round: summarise, seal, fetch, accept, push.
pub fn round(workspace: &Workspace, remote: &dyn Remote, errand: &Errand) -> Result<Round, ApiError> {
    let _one = lock(workspace)?;
    let repo = repo(workspace)?;
    follow(workspace, &repo)?;
    fork::finish_handing_over(workspace, &repo)?;
    let enrolled = workspace.read(|r| Ok::<_, ApiError>(workspace.me(r)?.is_some()))?;
    if enrolled {
        workspace.write(|w| w.summarise(None).map(drop))?;
        segments::pack(workspace)?;
    }
    // Sealed before anything is accepted: what was written without knowledge of the news must not
    // claim to have known of it.
    seal_locked(workspace, &repo)?;
    errand.at("Getting what others shared", 0, None);
    let mut done = Round::default();
    fetch(workspace, &repo, remote, errand, &mut done)?;
    point("fetched");
    follow(workspace, &repo)?;
    accept_all(workspace, &repo, errand, &mut done)?;
    if fork::forked(workspace, &repo)? {
        fork::go_on_under_a_new_name(workspace, &repo, remote, errand)?;
        done.renamed = true;
    }
    fork::write_again(workspace)?;
    seal_locked(workspace, &repo)?;
    errand.at("Sending your changes", 0, None);
    // Before the log that names them; but what keeps files out must not keep the log from being shared.
    let files = segments::push(workspace, &repo, remote, errand);
    done.sent = push(workspace, &repo, remote, errand)?;
    point("pushed");
    // After the log: a store that does not answer keeps back large files, and nothing else.
    let large = crate::content::send_large(workspace, errand);
    files?;
    match large {
        Ok(sent) => done.files = sent,
        Err(error) => done.files_error = Some(error),
    }
    Ok(done)
}

fn fetch(workspace: &Workspace, repo: &Repo, remote: &dyn Remote, errand: &Errand, done: &mut Round) -> Result<(), ApiError> {
    let before = bad_branches(workspace)?;
    let known: Vec<DeviceId> = known(workspace)?.into_iter().collect();
    let bad = remote.fetch(repo, Wanted { known: &known, bad: &before }, errand)?;
    if bad == before {
        return Ok(());
    }
    for (device, oid) in bad.iter().filter(|b| !before.contains(b)) {
        refuse(workspace, device, oid, &Fault::Objects, done)?;
    }
    let all: Vec<String> = bad.iter().map(|(device, oid)| format!("{device}:{oid}")).collect();
    workspace.write(|w| w.set_local("bad_branches", &all.join(" ")))?;
    Ok(())
}

/// Branches that hold objects which git refuses, each with the commit at which it did.
pub(super) fn bad_branches(workspace: &Workspace) -> Result<Vec<(DeviceId, String)>, ApiError> {
    let text = workspace.read(|r| r.local("bad_branches"))?.unwrap_or_default();
    let one = |t: &str| t.split_once(':').and_then(|(device, oid)| Some((DeviceId::parse(device).ok()?, oid.to_owned())));
    Ok(text.split(' ').filter_map(one).collect())
}

/// The computers that are in, or were, or of which something is accepted.
fn known(workspace: &Workspace) -> Result<BTreeSet<DeviceId>, ApiError> {
    workspace.read(|r| {
        let mut all: BTreeSet<DeviceId> = r.acl()?.devices.keys().cloned().collect();
        all.extend(r.branches()?.into_iter().map(|b| b.device));
        all.insert(workspace.device());
        Ok(all)
    })
}

/// How many branches of computers that nobody let in are looked at in a round.
const STRANGERS_MAX: usize = 500;

/// What the shared place shows, whoever is known first. Of strangers so many, in turn, that nobody hides others behind names that
/// come before theirs.
fn in_turn(workspace: &Workspace, repo: &Repo) -> Result<Vec<(DeviceId, String)>, ApiError> {
    let known = known(workspace)?;
    let (mut ours, mut strangers): (Vec<_>, Vec<_>) = repo.incoming()?.into_iter().partition(|(d, _)| known.contains(d));
    let many = strangers.len();
    let (last, left_before) = workspace
        .read(|r| Ok::<_, StoreError>((r.local("strangers_at")?.unwrap_or_default(), r.local("strangers_left")?.unwrap_or_default())))?;
    // To whoever has only begun to join everybody is a stranger.
    let begun = ours.iter().any(|(d, _)| *d != workspace.device());
    if many > STRANGERS_MAX && begun {
        let from = strangers.partition_point(|(d, _)| d.as_str() <= last.as_str());
        strangers.rotate_left(from % many);
        strangers.truncate(STRANGERS_MAX);
    }
    let next = strangers.last().filter(|_| many > strangers.len()).map(|(d, _)| d.to_string()).unwrap_or_default();
    let left = if many > strangers.len() { (many - strangers.len()).to_string() } else { String::new() };
    if next != last || left != left_before {
        workspace.write(|w| {
            w.set_local("strangers_at", &next)?;
            w.set_local("strangers_left", &left)
        })?;
    }
    ours.append(&mut strangers);
    Ok(ours)
}

fn push(workspace: &Workspace, repo: &Repo, remote: &dyn Remote, errand: &Errand) -> Result<u64, ApiError> {
    let old = workspace.read(|r| r.local("old_name"))?.and_then(|d| DeviceId::parse(d).ok());
    if let Some(old) = old.filter(|d| repo.tip(d).is_some()) {
        // The end of the old name, so that others see where the new one comes from.
        let there = repo.incoming()?.into_iter().find(|(d, _)| *d == old).map(|(_, oid)| oid);
        if there != repo.tip(&old) {
            remote.push(repo, &Repo::log_ref(&old), errand)?;
        }
        workspace.write(|w| w.set_local("old_name", ""))?;
    }
    let device = &workspace.device();
    let Some(own) = workspace.read(|r| r.branch(device))? else { return Ok(0) };
    let there = repo.incoming()?.into_iter().find(|(d, _)| d == device).map(|(_, oid)| oid);
    if there.as_deref() != Some(own.tip.as_str()) {
        remote.push(repo, &Repo::log_ref(device), errand)?;
    }
    let known = match &there {
        Some(oid) => workspace.read(|r| r.past_of(oid))?,
        None => None,
    };
    workspace.write(|w| {
        if w.local("sent")?.as_deref() == Some(&own.n.to_string()) { Ok(()) } else { w.set_local("sent", &own.n.to_string()) }
    })?;
    Ok(own.n - known.and_then(|p| p.get(device).copied()).unwrap_or(0))
}

/// What is still to be looked at of one branch.
struct Pending {
    device: DeviceId,
    tip: String,
    commits: VecDeque<String>,
    /// Why its next commit is not accepted, as far as is known.
    fault: Fault,
}

/// Takes in every branch as far as it is good. One bad branch never stops the others.
pub(super) fn accept_all(workspace: &Workspace, repo: &Repo, errand: &Errand, done: &mut Round) -> Result<(), ApiError> {
    let own = workspace.device();
    let accepted: BTreeMap<DeviceId, Branch> = workspace.read(|r| r.branches())?.into_iter().map(|b| (b.device.clone(), b)).collect();
    let incoming = in_turn(workspace, repo)?;
    let bad = bad_branches(workspace)?;
    let mut alarms = Vec::new();
    let mut open: Vec<Pending> = Vec::new();
    for (device, branch) in accepted.iter().filter(|(d, _)| **d != own) {
        if let Some((_, oid)) = bad.iter().find(|(d, _)| d == device) {
            alarms.push(alarm(workspace, device, "bad_objects", Some(oid)));
        } else if !incoming.iter().any(|(d, _)| d == device) {
            alarms.push(alarm(workspace, device, "missing", None));
            tracing::warn!("the branch of {device} is gone from the shared place; {} is kept", branch.tip);
        }
    }
    for (device, tip) in incoming.iter().filter(|(d, _)| *d != own) {
        let branch = accepted.get(device);
        if branch.is_some_and(|b| &b.tip == tip) {
            continue;
        }
        if let Some(kind) = look(workspace, repo, device, tip, branch, &mut open, done)? {
            alarms.push(alarm(workspace, device, kind, Some(tip)));
        }
    }
    let total = open.iter().map(|p| p.commits.len() as u64).sum();
    let mut taken = 0;
    // A branch may build on another one that comes later in the list, so go round until nothing moves.
    loop {
        let before = taken;
        let mut withheld = Vec::new();
        for pending in &mut open {
            let mut ahead = Ahead::of(workspace, repo, pending)?;
            while let Some(oid) = pending.commits.front().cloned() {
                if errand.cancelled() {
                    return Err(cairn_sync::TransportError::Cancelled.into());
                }
                match accept_next(workspace, repo, &pending.device, &oid, ahead.next(&oid), done)? {
                    Next::Taken => {
                        pending.commits.pop_front();
                        taken += 1;
                        errand.at("Checking what others shared", taken, Some(total));
                    }
                    Next::Stopped => pending.commits.clear(),
                    Next::Waits(parents, fault) => {
                        withheld.extend(parents);
                        pending.fault = fault;
                        break;
                    }
                }
            }
        }
        open.retain(|p| !p.commits.is_empty());
        if open.is_empty() {
            break;
        }
        if before == taken {
            // Somebody built on commits of another branch that the shared place does not show, but
            // which came along: whoever serves it cannot hide what one honest computer has seen.
            let hidden = witnessed(workspace, repo, &withheld, &mut open, &mut alarms, done)?;
            if !hidden {
                for pending in open.iter().filter(|p| p.fault != Fault::Unanswered) {
                    refuse(workspace, &pending.device, &pending.tip, &pending.fault, done)?;
                }
                break;
            }
        }
    }
    workspace.write(|w| w.set_alarms(&alarms))?;
    Ok(())
}

fn alarm(workspace: &Workspace, device: &DeviceId, kind: &str, oid: Option<&str>) -> Alarm {
    Alarm { device: device.clone(), kind: kind.to_owned(), oid: oid.map(str::to_owned), at_ms: workspace.edge.now_ms() }
}

/// Lines up the new commits of a branch; or says in which way it was bent.
fn look(
    workspace: &Workspace,
    repo: &Repo,
    device: &DeviceId,
    tip: &str,
    branch: Option<&Branch>,
    open: &mut Vec<Pending>,
    done: &mut Round,
) -> Result<Option<&'static str>, ApiError> {
    match repo.news(tip, branch.map(|b| b.tip.as_str())) {
        Ok(Some(news)) => {
            open.push(Pending { device: device.clone(), tip: tip.to_owned(), commits: news.into(), fault: Fault::Parents });
            Ok(None)
        }
        Ok(None) if repo.device_of(tip).as_ref() == Some(device) && workspace.read(|r| r.past_of(tip))?.is_some() => Ok(Some("rewound")),
        Ok(None) => {
            repo.keep_evidence(device, tip)?;
            refuse(workspace, device, tip, &Fault::Chain("the branch was rewritten".to_owned()), done)?;
            Ok(Some("rewritten"))
        }
        Err(error) => {
            refuse(workspace, device, tip, &Fault::Limit(error.to_string()), done)?;
            Ok(None)
        }
    }
}

fn witnessed(
    workspace: &Workspace,
    repo: &Repo,
    parents: &[String],
    open: &mut Vec<Pending>,
    alarms: &mut Vec<Alarm>,
    done: &mut Round,
) -> Result<bool, ApiError> {
    let mut found = false;
    for oid in parents {
        let Some(device) = repo.device_of(oid).filter(|d| *d != workspace.device()) else { continue };
        if open.iter().any(|p| p.device == device) {
            continue;
        }
        let branch = workspace.read(|r| r.branch(&device))?;
        if look(workspace, repo, &device, oid, branch.as_ref(), open, done)?.is_none() && open.iter().any(|p| p.device == device) {
            alarms.retain(|a| a.device != device);
            alarms.push(alarm(workspace, &device, "withheld", Some(oid)));
            found = true;
        }
    }
    Ok(found)
}

enum Next {
    Taken,
    /// Refused, and so is all that follows.
    Stopped,
    /// It builds on commits that may be accepted later in this round, or comes from a computer that
    /// one of them may let in. The fault, if nothing comes of it.
    Waits(Vec<String>, Fault),
}

/// Reads and checks the commits of a branch on another thread while those before are taken in.
struct Ahead {
    key: Option<String>,
    ready: Option<Receiver<(String, Result<Inspected, Fault>)>>,
}

impl Ahead {
    /// Below this many commits a thread costs more than it saves.
    const WORTH: usize = 4;
    /// How many checked commits wait at most: each may hold some megabytes.
    const WAITING: usize = 4;

    fn of(workspace: &Workspace, repo: &Repo, pending: &Pending) -> Result<Self, ApiError> {
        let key = workspace.read(|r| r.acl())?.key_of(&pending.device).map(str::to_owned);
        if pending.commits.len() < Self::WORTH || key.is_none() {
            return Ok(Self { key, ready: None });
        }
        let (send, ready) = sync_channel(Self::WAITING);
        let (path, device, commits, with) = (repo.path().to_owned(), pending.device.clone(), pending.commits.clone(), key.clone());
        std::thread::spawn(move || {
            let Ok(repo) = Repo::open(&path) else { return };
            for oid in commits {
                let found = inspect(&repo, &oid, &device, with.as_deref());
                // Nobody waits for it any more.
                if send.send((oid, found)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { key, ready: Some(ready) })
    }

    /// The commit, with the key that it was checked with; none if it was not looked at ahead.
    fn next(&mut self, oid: &str) -> Option<(&str, Result<Inspected, Fault>)> {
        let (found, result) = self.ready.as_ref()?.recv().ok()?;
        Some((self.key.as_deref()?, result)).filter(|_| found == oid)
    }
}

fn accept_next(
    workspace: &Workspace,
    repo: &Repo,
    device: &DeviceId,
    oid: &str,
    ahead: Option<(&str, Result<Inspected, Fault>)>,
    done: &mut Round,
) -> Result<Next, ApiError> {
    let (acl, own) = workspace.read(|r| Ok::<_, ApiError>((r.acl()?, r.branch(device)?)))?;
    let key = acl.key_of(device);
    if key.is_none() && own.is_some() {
        // It asked to be let in and has no answer yet: what it wrote since stays outside.
        return Ok(Next::Waits(Vec::new(), Fault::Unanswered));
    }
    let inspected = match ahead {
        Some((with, inspected)) if key == Some(with) => inspected,
        _ => inspect(repo, oid, device, key),
    };
    let found = match inspected {
        Ok(found) => found,
        Err(fault @ Fault::WrongKey) if key.is_none() => return Ok(Next::Waits(Vec::new(), fault)),
        Err(fault) => {
            refuse(workspace, device, oid, &fault, done)?;
            return Ok(Next::Stopped);
        }
    };
    match fits(workspace, &found, device, own.as_ref(), &acl)? {
        Fit::Good(past) => {
            take(workspace, repo, oid, device, &found, past)?;
            done.received += found.header.count;
            Ok(Next::Taken)
        }
        Fit::Bad(fault) => {
            refuse(workspace, device, oid, &fault, done)?;
            Ok(Next::Stopped)
        }
        Fit::Waits(parents) => Ok(Next::Waits(parents, Fault::Parents)),
    }
}

/// Takes in commits of this computer's own name that another copy of it made.
pub(super) fn accept_own(workspace: &Workspace, repo: &Repo, commits: &[String], done: &mut Round) -> Result<(), ApiError> {
    let device = workspace.device();
    for oid in commits {
        match accept_next(workspace, repo, &device, oid, None, done)? {
            Next::Taken => {}
            Next::Stopped | Next::Waits(..) => break,
        }
    }
    Ok(())
}

enum Fit {
    /// With what its parents stand for.
    Good(Past),
    Bad(Fault),
    Waits(Vec<String>),
}

/// Does a good commit follow what was accepted here?
fn fits(workspace: &Workspace, found: &Inspected, device: &DeviceId, own: Option<&Branch>, acl: &Acl) -> Result<Fit, ApiError> {
    let header = &found.header;
    let genesis = workspace.read(|r| r.genesis())?;
    let begins = matches!(found.read.first(), Some(ReadLine::Known(l)) if matches!(l.op, Op::WorkspaceCreated { .. }));
    let same = if begins { header.workspace.is_none() && genesis.as_ref() == Some(&found.sha256) } else { header.workspace == genesis };
    if !same {
        return Ok(Fit::Bad(Fault::Workspace));
    }
    if !begins && acl.key_of(device).is_none() {
        let asks = matches!(found.read.as_slice(), [ReadLine::Known(l)] if matches!(l.op, Op::DeviceRequested { .. }));
        if !asks || !found.attachments.is_empty() {
            return Ok(Fit::Bad(Fault::WrongKey));
        }
    }
    let (seq, first, prev) = own.map_or((1, 1, None), |b| (b.seq + 1, b.n + 1, Some(&b.sha256)));
    if header.seq != seq || header.first != first || header.prev.as_ref() != prev {
        return Ok(Fit::Bad(Fault::Chain("its numbers or the digest of its predecessor do not fit".to_owned())));
    }
    if own.is_some_and(|own| found.parents.first() != Some(&own.tip)) {
        return Ok(Fit::Bad(Fault::Chain("its first parent is not the commit before it".to_owned())));
    }
    let (mut pasts, mut missing) = (Vec::new(), Vec::new());
    for parent in &found.parents {
        match workspace.read(|r| r.past_of(parent))? {
            Some(past) => pasts.push(past),
            None => missing.push(parent.clone()),
        }
    }
    if !missing.is_empty() {
        return Ok(Fit::Waits(missing));
    }
    let mut past = union(&pasts);
    past.remove(device);
    Ok(Fit::Good(past))
}

fn take(workspace: &Workspace, repo: &Repo, oid: &str, device: &DeviceId, found: &Inspected, past: Past) -> Result<(), ApiError> {
    for (_, bytes) in &found.attachments {
        workspace.store.put_blob(bytes)?;
    }
    let header = &found.header;
    let sealed = Sealed {
        oid: oid.to_owned(),
        sha256: found.sha256.clone(),
        device: device.clone(),
        seq: header.seq,
        first: header.first,
        count: header.count,
        authority: found.authority,
        past,
        object: None,
    };
    point("accept.checked");
    // A script may log on while this runs: what it wrote is sealed first, then this is tried again.
    let mut tries = 0;
    loop {
        match workspace.write(|w| w.accept(&sealed, &found.lines, &found.read, &check_content)) {
            Err(StoreError::Unsealed) if tries < 100 => {
                tries += 1;
                seal_locked(workspace, repo)?;
            }
            other => break other?,
        }
    }
    point("accept.kept");
    repo.set_tip(device, oid)?;
    Ok(())
}

pub(super) fn refuse(workspace: &Workspace, device: &DeviceId, oid: &str, fault: &Fault, done: &mut Round) -> Result<(), ApiError> {
    done.refused += 1;
    workspace.write(|w| w.refuse(device.as_str(), oid, fault.code(), &fault.to_string()))?;
    Ok(())
}
