//! Sharing: seal what was written, fetch, check, accept, push.

use crate::host::{Host, Workspace};
use crate::people::{Person, person_at};
use crate::workspaces::Nothing;
use crate::{ApiError, edge};
use cairn_core::authority::Acl;
use cairn_core::id::{DeviceId, Digest};
use cairn_core::op::{Kind, Op, OpLine, ReadLine};
use cairn_core::release;
use cairn_store::log::TrailFilter;
use cairn_store::sharing::{Sealed, union};
use cairn_sync::envelope::{Draft, Fault, Inspected, inspect, make};
use cairn_sync::{Repo, Transport, keys};
use serde::{Deserialize, Serialize};
use std::fs::File;
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
    workspace.read(|r| {
        let acl = r.acl()?;
        let branches = r.branches()?;
        let filter = TrailFilter { only_problems: true, limit: 200, ..TrailFilter::default() };
        let (problems, _) = r.trail(&filter)?;
        Ok(SharingStatus {
            remote: r.local("remote")?,
            waiting: r.to_share(&workspace.device)?,
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
                    this_one: id == &workspace.device,
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
        })
    })
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

/// Shares now. A failure is remembered for the status line, and is never a loss.
pub fn share(host: &Host, _: Nothing) -> Result<Round, ApiError> {
    let workspace = host.workspace()?;
    let result = round(&workspace);
    let now = workspace.edge.now_ms();
    workspace.write(|w| {
        match &result {
            Ok(_) => {
                w.set_local("shared_at", &now.to_string())?;
                w.set_local("share_error", "null")?;
            }
            Err(error) => w.set_local("share_error", &serde_json::json!(error).to_string())?,
        }
        w.touch("sharing");
        Ok::<_, ApiError>(())
    })?;
    result
}

/// One process at a time works on the git store; the others wait their turn.
fn lock(workspace: &Workspace) -> Result<File, ApiError> {
    let file = File::create(workspace.dir().join("sharing.lock")).map_err(cairn_store::StoreError::from)?;
    file.lock().map_err(cairn_store::StoreError::from)?;
    Ok(file)
}

fn repo(workspace: &Workspace) -> Result<Repo, ApiError> {
    Ok(Repo::open(&workspace.dir().join("git"))?)
}

/// Turns everything that was written here into signed commits, without any network.
pub fn seal(workspace: &Workspace) -> Result<(), ApiError> {
    let _one = lock(workspace)?;
    seal_locked(workspace, &repo(workspace)?)
}

fn seal_locked(workspace: &Workspace, repo: &Repo) -> Result<(), ApiError> {
    let device = &workspace.device;
    loop {
        let (batch, own, branches, genesis, author) = workspace.read(|r| {
            let acl = r.acl()?;
            let author = acl.member_of(device).map_or_else(|| "Cairn".to_owned(), |(_, m)| m.name.clone());
            Ok::<_, ApiError>((r.outbox(device)?, r.branch(device)?, r.branches()?, r.genesis()?, author))
        })?;
        let Some(batch) = batch else { return Ok(()) };
        let key = workspace.key()?;
        let own_past = match &own {
            Some(branch) => workspace.read(|r| r.past_of(&branch.tip))?.unwrap_or_default(),
            None => cairn_core::authority::Past::new(),
        };
        // Parents are accepted tips that the own branch does not know of yet; each makes this
        // computer a witness of the other.
        let others: Vec<&cairn_store::sharing::Branch> =
            branches.iter().filter(|b| &b.device != device && own_past.get(&b.device).is_none_or(|n| *n < b.n)).take(32).collect();
        let mut pasts = vec![own_past];
        for branch in &others {
            pasts.push(workspace.read(|r| r.past_of(&branch.tip))?.unwrap_or_default());
        }
        let mut past = union(&pasts);
        past.remove(device);
        let attachments = attachments(workspace, &batch.ops)?;
        let tips: Vec<String> = others.iter().map(|b| b.tip.clone()).collect();
        let seq = own.as_ref().map_or(1, |b| b.seq + 1);
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
        let sealed = Sealed {
            oid: made.oid.clone(),
            sha256: made.sha256,
            device: device.clone(),
            seq,
            first: batch.first,
            count: batch.count(),
            past,
        };
        workspace.write(|w| w.sealed(&sealed))?;
        repo.set_tip(device, &made.oid)?;
    }
}

/// The small files that the operations of a batch speak of and that are here.
fn attachments(workspace: &Workspace, lines: &[String]) -> Result<Vec<(Digest, Vec<u8>)>, ApiError> {
    let mut found: Vec<(Digest, Vec<u8>)> = Vec::new();
    for text in lines.iter().filter(|l| l.contains("artifact.logged")) {
        let Ok(ReadLine::Known(line)) = OpLine::read(text) else { continue };
        let Op::ArtifactLogged { digest, size, .. } = line.op else { continue };
        if size > cairn_core::envelope::ATTACHMENT_MAX || found.iter().any(|(d, _)| *d == digest) {
            continue;
        }
        if let Some(bytes) = workspace.store.blob(&digest)? {
            found.push((digest, bytes));
        }
    }
    Ok(found)
}

/// One round: summarise, seal, fetch, accept, push.
pub fn round(workspace: &Workspace) -> Result<Round, ApiError> {
    let _one = lock(workspace)?;
    let repo = repo(workspace)?;
    let enrolled = workspace.read(|r| Ok::<_, ApiError>(workspace.me(r)?.is_some()))?;
    if enrolled {
        workspace.write(|w| w.summarise(None).map(drop))?;
    }
    let remote = workspace.read(|r| r.local("remote"))?.filter(|r| !r.is_empty());
    // Sealed before anything is accepted: what was written without knowledge of the news must not
    // claim to have known of it.
    seal_locked(workspace, &repo)?;
    let Some(remote) = remote else {
        return Err(ApiError::new("no_remote", "This workspace is not shared with anybody yet")
            .hint("Enter the address of a shared place in the settings: an empty git repository that your team can reach."));
    };
    let transport = Transport::new(&repo, &remote);
    transport.fetch()?;
    let mut done = Round::default();
    accept_all(workspace, &repo, &mut done)?;
    seal_locked(workspace, &repo)?;
    done.sent = push(workspace, &repo, &transport)?;
    Ok(done)
}

fn push(workspace: &Workspace, repo: &Repo, transport: &Transport<'_>) -> Result<u64, ApiError> {
    let device = &workspace.device;
    let Some(own) = workspace.read(|r| r.branch(device))? else { return Ok(0) };
    let there = repo.incoming()?.into_iter().find(|(d, _)| d == device).map(|(_, oid)| oid);
    if there.as_deref() == Some(own.tip.as_str()) {
        workspace.write(|w| w.set_local("sent", &own.n.to_string()))?;
        return Ok(0);
    }
    let known = match &there {
        Some(oid) => workspace.read(|r| r.past_of(oid))?,
        None => None,
    };
    if there.is_some() && known.is_none() {
        return Err(cairn_sync::TransportError::Forked(format!("the shared place holds commit {there:?} of this computer")).into());
    }
    transport.push(device)?;
    workspace.write(|w| w.set_local("sent", &own.n.to_string()))?;
    Ok(own.n - known.and_then(|p| p.get(device).copied()).unwrap_or(0))
}

/// Takes in every branch as far as it is good. One bad branch never stops the others.
fn accept_all(workspace: &Workspace, repo: &Repo, done: &mut Round) -> Result<(), ApiError> {
    let tips: Vec<(DeviceId, String)> = repo.incoming()?.into_iter().filter(|(d, _)| d != &workspace.device).collect();
    // A branch may build on another one that comes later in the list, so go round until nothing moves.
    let mut open = tips;
    loop {
        let before = done.received;
        let mut stuck = Vec::new();
        for (device, tip) in open {
            match accept_branch(workspace, repo, &device, &tip, done)? {
                Advance::Done => {}
                Advance::Waits => stuck.push((device, tip)),
            }
        }
        if stuck.is_empty() {
            return Ok(());
        }
        if before == done.received {
            for (device, tip) in stuck {
                refuse(workspace, &device, &tip, &Fault::Parents, done)?;
            }
            return Ok(());
        }
        open = stuck;
    }
}

enum Advance {
    Done,
    /// It builds on commits that may be accepted later in this round.
    Waits,
}

fn accept_branch(workspace: &Workspace, repo: &Repo, device: &DeviceId, tip: &str, done: &mut Round) -> Result<Advance, ApiError> {
    let accepted = workspace.read(|r| r.branch(device))?;
    if accepted.as_ref().is_some_and(|b| b.tip == tip) {
        return Ok(Advance::Done);
    }
    let news = match repo.news(tip, accepted.as_ref().map(|b| b.tip.as_str())) {
        Ok(news) => news,
        Err(error) => {
            refuse(workspace, device, tip, &Fault::Limit(error.to_string()), done)?;
            return Ok(Advance::Done);
        }
    };
    let Some(news) = news else {
        repo.keep_evidence(device, tip)?;
        refuse(workspace, device, tip, &Fault::Chain("the branch was rewound or rewritten".to_owned()), done)?;
        return Ok(Advance::Done);
    };
    for oid in news {
        let acl = workspace.read(|r| r.acl())?;
        let key = acl.devices.get(device).map(|d| d.key.clone());
        let own = workspace.read(|r| r.branch(device))?;
        if key.is_none() && own.is_some() {
            // It asked to be let in and has no answer yet: what it wrote since stays outside.
            return Ok(Advance::Done);
        }
        let found = match inspect(repo, &oid, device, key.as_deref()) {
            Ok(found) => found,
            Err(fault) => {
                refuse(workspace, device, &oid, &fault, done)?;
                return Ok(Advance::Done);
            }
        };
        match accept_one(workspace, repo, &oid, device, &found, own.as_ref(), &acl)? {
            Verdict::Accepted => done.received += found.header.count,
            Verdict::Refused(fault) => {
                refuse(workspace, device, &oid, &fault, done)?;
                return Ok(Advance::Done);
            }
            Verdict::Waits => return Ok(Advance::Waits),
        }
    }
    Ok(Advance::Done)
}

enum Verdict {
    Accepted,
    Refused(Fault),
    Waits,
}

fn accept_one(
    workspace: &Workspace,
    repo: &Repo,
    oid: &str,
    device: &DeviceId,
    found: &Inspected,
    own: Option<&cairn_store::sharing::Branch>,
    acl: &Acl,
) -> Result<Verdict, ApiError> {
    let header = &found.header;
    let genesis = workspace.read(|r| r.genesis())?;
    let begins =
        matches!(found.lines.first().map(|l| OpLine::read(l)), Some(Ok(ReadLine::Known(l))) if matches!(l.op, Op::WorkspaceCreated { .. }));
    if begins {
        if header.workspace.is_some() || genesis.as_ref() != Some(&found.sha256) {
            return Ok(Verdict::Refused(Fault::Workspace));
        }
    } else if header.workspace != genesis {
        return Ok(Verdict::Refused(Fault::Workspace));
    }
    if !begins && !acl.devices.contains_key(device) {
        let asks = found.lines.len() == 1
            && matches!(OpLine::read(&found.lines[0]), Ok(ReadLine::Known(l)) if matches!(l.op, Op::DeviceRequested { .. }));
        if !asks {
            return Ok(Verdict::Refused(Fault::WrongKey));
        }
    }
    let (seq, first, prev) = own.map_or((1, 1, None), |b| (b.seq + 1, b.n + 1, Some(&b.sha256)));
    if header.seq != seq || header.first != first || header.prev.as_ref() != prev {
        return Ok(Verdict::Refused(Fault::Chain("its numbers or the digest of its predecessor do not fit".to_owned())));
    }
    let mut pasts = Vec::new();
    for parent in &found.parents {
        match workspace.read(|r| r.past_of(parent))? {
            Some(past) => pasts.push(past),
            None => return Ok(Verdict::Waits),
        }
    }
    if let Some(own) = own
        && found.parents.first() != Some(&own.tip)
    {
        return Ok(Verdict::Refused(Fault::Chain("its first parent is not the commit before it".to_owned())));
    }
    let mut past = union(&pasts);
    past.remove(device);
    let mut ids = std::collections::BTreeSet::new();
    for line in &found.lines {
        let id = match OpLine::read(line) {
            Ok(ReadLine::Known(line)) => line.id,
            Ok(ReadLine::Unknown { id, .. }) => id,
            Err(reason) => return Ok(Verdict::Refused(Fault::Form(reason))),
        };
        let taken = workspace.read(|r| r.has_op(id.as_str()))?;
        if taken || !ids.insert(id) {
            return Ok(Verdict::Refused(Fault::Form("it repeats the id of another operation".to_owned())));
        }
    }
    for (_, bytes) in &found.attachments {
        workspace.store.put_blob(bytes)?;
    }
    let sealed = Sealed {
        oid: oid.to_owned(),
        sha256: found.sha256.clone(),
        device: device.clone(),
        seq: header.seq,
        first: header.first,
        count: header.count,
        past,
    };
    workspace.write(|w| w.accept(&sealed, &found.lines, &check_content))?;
    repo.set_tip(device, oid)?;
    Ok(Verdict::Accepted)
}

fn refuse(workspace: &Workspace, device: &DeviceId, oid: &str, fault: &Fault, done: &mut Round) -> Result<(), ApiError> {
    done.refused += 1;
    workspace.write(|w| w.refuse(device.as_str(), oid, fault.code(), &fault.to_string()))?;
    Ok(())
}

/// What only keys can tell: ids that must belong to a key, and the signature inside a sign-off.
pub fn check_content(op: &Op, acl: &Acl, device: &DeviceId) -> Result<(), String> {
    match op {
        Op::WorkspaceCreated { first, .. } | Op::MemberAdmitted(first) => match keys::device_id(&first.key.0) {
            Ok(id) if id == first.device => Ok(()),
            _ => Err("the computer's id does not belong to its key".to_owned()),
        },
        Op::ReleaseSigned { release, signoff, decision, role, statement, signature } => {
            // Named by its own signature, so that nobody can write over another's sign-off.
            if *signoff != signoff_id(signature) {
                return Err("the sign-off is not named by its signature".to_owned());
            }
            let (member, _) = acl.member_of(device).ok_or("the signer is unknown")?;
            let key = acl.devices.get(device).map(|d| d.key.as_str()).unwrap_or_default();
            keys::verify(key, release::NAMESPACE, statement.as_bytes(), signature)
                .map_err(|_| "the sign-off is not signed with the key of whoever sent it".to_owned())?;
            let says = release::read(statement)?;
            let same =
                says.release == release.as_str() && says.decision == *decision && says.role == *role && says.principal == member.as_str();
            if same { Ok(()) } else { Err("the signed statement says something else than the sign-off".to_owned()) }
        }
        _ => Ok(()),
    }
}

/// What a sign-off is called: the beginning of the sha256 over its signature.
pub fn signoff_id(signature: &str) -> String {
    cairn_core::canonical::sha256(signature.as_bytes()).as_str()[..32].to_owned()
}

/// The first look at a place that somebody wants to join: finds the workspace and pins it.
pub fn first_contact(workspace: &Workspace, address: &str, pin: Option<&Digest>) -> Result<(), ApiError> {
    let _one = lock(workspace)?;
    let repo = repo(workspace)?;
    Transport::new(&repo, address).fetch()?;
    let mut found: Vec<Digest> = Vec::new();
    for (device, tip) in repo.incoming()? {
        let Ok(Some(commits)) = repo.news(&tip, None) else { continue };
        let Some(first) = commits.first() else { continue };
        let Ok(inspected) = inspect(&repo, first, &device, None) else { continue };
        let begins = matches!(inspected.lines.first().map(|l| OpLine::read(l)), Some(Ok(ReadLine::Known(l))) if matches!(l.op, Op::WorkspaceCreated { .. }));
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

/// The result of checking the whole history again.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Verified {
    pub commits: u64,
    pub operations: u64,
    /// Everything that is not as it should be, one sentence each.
    pub problems: Vec<String>,
    /// Not sealed into commits yet.
    pub waiting: u64,
    pub at: String,
}

/// Checks every commit again, from the first one, and that the store holds exactly what was signed.
pub fn verify(host: &Host, _: Nothing) -> Result<Verified, ApiError> {
    let workspace = host.workspace()?;
    let _one = lock(&workspace)?;
    let repo = repo(&workspace)?;
    let (branches, rows, waiting) =
        workspace.read(|r| Ok::<_, ApiError>((r.branches()?, r.all_lines()?, r.unsealed(&workspace.device)?)))?;
    let acl = workspace.read(|r| r.acl())?;
    let mut by_commit: std::collections::BTreeMap<&str, Vec<(u64, &str)>> = std::collections::BTreeMap::new();
    for row in &rows {
        if let Some(oid) = &row.envelope {
            by_commit.entry(oid).or_default().push((row.n, &row.line));
        }
    }
    let mut out = Verified { commits: 0, operations: 0, problems: Vec::new(), waiting, at: edge::rfc3339(workspace.edge.now_ms()) };
    for branch in &branches {
        let commits = repo.news(&branch.tip, None)?.unwrap_or_default();
        let mut previous: Option<Digest> = None;
        for (i, oid) in commits.iter().enumerate() {
            out.commits += 1;
            let key = acl.devices.get(&branch.device).map(|d| d.key.clone());
            let found = match inspect(&repo, oid, &branch.device, key.as_deref()) {
                Ok(found) => found,
                Err(fault) => {
                    out.problems.push(format!("Commit {oid} of {}: {fault}.", branch.device));
                    continue;
                }
            };
            if found.header.seq != i as u64 + 1 || found.header.prev != previous {
                out.problems.push(format!("Commit {oid} of {} does not follow the one before it.", branch.device));
            }
            previous = Some(found.sha256.clone());
            let mut stored = by_commit.remove(oid.as_str()).unwrap_or_default();
            stored.sort_by_key(|(n, _)| *n);
            let same = stored.len() == found.lines.len() && stored.iter().zip(&found.lines).all(|((_, a), b)| a == b);
            if !same {
                out.problems.push(format!("The workspace file and the signed commit {oid} do not hold the same operations."));
            }
            out.operations += found.header.count;
        }
    }
    for oid in by_commit.keys() {
        out.problems.push(format!("The workspace file speaks of commit {oid}, which no branch holds."));
    }
    for row in rows.iter().filter(|r| r.state != "accepted") {
        tracing::debug!("{} of {} is {}: {}", row.r#type, row.device, row.state, row.reason.as_deref().unwrap_or_default());
    }
    // The sign-offs' own signatures, over the exact bytes.
    for row in &rows {
        let (Some(line), Ok(device)) = (row.op(), DeviceId::parse(row.device.clone())) else { continue };
        if row.state == "accepted"
            && row.kind.as_deref() == Some(Kind::Signoff.as_str())
            && let Err(reason) = check_content(&line.op, &acl, &device)
        {
            out.problems.push(format!("Sign-off {}: {reason}.", row.record.as_deref().unwrap_or_default()));
        }
    }
    Ok(out)
}
