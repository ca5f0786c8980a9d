//! Somebody else writes under this computer's name: its folder was copied, or restored from a backup.
//!
//! Found when the shared place holds commits of this name that this computer never made. Then it
//! takes what is there, gives itself a new key and name, and writes again what it had not shared.
//! Decisions are not written again: a signature is given by a person, who must look again.

use super::content::DEVICE;
use super::round::{self, point};
use super::{Round, check_content};
use crate::ApiError;
use crate::host::Workspace;
use cairn_core::authority::Acl;
use cairn_core::id::{DeviceId, OpId};
use cairn_core::op::{Op, OpLine, PublicKey, ReadLine, Vouch};
use cairn_core::text::Title;
use cairn_sync::envelope::inspect;
use cairn_sync::{DeviceKey, Errand, Fault, Remote, Repo};
use std::collections::BTreeMap;

/// Does the shared place hold commits of this name that were not made here?
pub(super) fn forked(workspace: &Workspace, repo: &Repo) -> Result<bool, ApiError> {
    let device = workspace.device();
    let Some((_, there)) = repo.incoming()?.into_iter().find(|(d, _)| *d == device) else { return Ok(false) };
    if workspace.read(|r| r.past_of(&there))?.is_some() {
        return Ok(false);
    }
    // Only whoever holds the key can fork it; anything else on this branch is vandalism.
    let acl = workspace.read(|r| r.acl())?;
    let Some(first) = unknown(workspace, repo, &there)?.into_iter().next() else { return Ok(false) };
    let key = workspace.key()?.public();
    match inspect(repo, &first, &device, Some(acl.key_of(&device).unwrap_or(&key))) {
        Ok(_) => Ok(true),
        Err(fault) => {
            repo.keep_evidence(&device, &there)?;
            round::refuse(workspace, &device, &there, &fault, &mut Round::default())?;
            Err(ApiError::new("overwritten", "Somebody without this computer's key wrote over its branch in the shared place")
                .hint("Nothing was lost. Ask whoever runs the shared place who can write there, then choose Restore under Sharing.")
                .details(fault.to_string()))
        }
    }
}

/// The commits from `tip` back to what is known here, oldest first.
fn unknown(workspace: &Workspace, repo: &Repo, tip: &str) -> Result<Vec<String>, ApiError> {
    let mut news = repo.news(tip, None)?.unwrap_or_default();
    let mut known = 0;
    for oid in &news {
        if workspace.read(|r| r.past_of(oid))?.is_none() {
            break;
        }
        known += 1;
    }
    Ok(news.split_off(known))
}

pub(super) fn go_on_under_a_new_name(workspace: &Workspace, repo: &Repo, remote: &dyn Remote, errand: &Errand) -> Result<(), ApiError> {
    let old = workspace.device();
    let old_key = workspace.key()?;
    let Some((_, there)) = repo.incoming()?.into_iter().find(|(d, _)| *d == old) else { return Ok(()) };
    let theirs = unknown(workspace, repo, &there)?;
    let all = repo.news(&there, None)?.unwrap_or_default();
    let common = all.len().checked_sub(theirs.len() + 1).and_then(|i| all.get(i));
    let last = match common {
        Some(oid) => workspace.read(|r| r.past_of(oid))?.and_then(|p| p.get(&old).copied()).unwrap_or(0),
        None => 0,
    };
    tracing::warn!("another computer writes under the name {old}; this one goes on under a new name");
    workspace.write(|w| w.set_aside_after(last, &check_content))?;
    point("fork.set_aside");
    if let Some(oid) = common {
        repo.set_tip(&old, oid)?;
    }
    let mut done = Round::default();
    round::accept_own(workspace, repo, &theirs, &mut done)?;
    let acl = workspace.read(|r| r.acl())?;
    if acl.devices.get(&old).is_some_and(|d| d.cut.is_none()) {
        let key = hand_over(workspace, repo)?;
        // Before the new name is used the old one must have handed over to it for everybody.
        remote.push(repo, &Repo::log_ref(&old), errand)?;
        point("fork.handed_over");
        take_name(workspace, &key)
    } else {
        let key = workspace.make_key()?;
        ask_again(workspace, &acl, &old, &old_key, &key)
    }
}

/// Gives this computer a new key, in good order: everything of the old one is sealed before.
pub(crate) fn change_key(workspace: &Workspace) -> Result<(), ApiError> {
    let _one = round::lock(workspace)?;
    let repo = round::repo(workspace)?;
    let key = hand_over(workspace, &repo)?;
    take_name(workspace, &key)
}

/// The old name's last operation: it goes on as the new one.
fn hand_over(workspace: &Workspace, repo: &Repo) -> Result<DeviceKey, ApiError> {
    let old = workspace.device();
    let key = workspace.make_key()?;
    let proof = key.sign(DEVICE, old.as_str().as_bytes())?;
    workspace.append(Op::DeviceRotated { device: key.id(), key: PublicKey(key.public()), proof })?;
    // A crash from here on is mended by `finish_handing_over`: the key is kept, the log names it.
    point("rotate.said");
    round::seal_locked(workspace, repo)?;
    Ok(key)
}

/// What a program that was killed in the middle of a change of keys left undone.
pub(crate) fn finish(workspace: &Workspace) -> Result<(), ApiError> {
    let acl = workspace.read(|r| r.acl())?;
    if acl.successor(&workspace.device()).is_none() {
        return Ok(());
    }
    let _one = round::lock(workspace)?;
    finish_handing_over(workspace, &round::repo(workspace)?)
}

/// After a crash in the middle: the log says that this computer has a new name, and its key is here.
pub(super) fn finish_handing_over(workspace: &Workspace, repo: &Repo) -> Result<(), ApiError> {
    let old = workspace.device();
    let acl = workspace.read(|r| r.acl())?;
    let Some(next) = acl.successor(&old) else { return Ok(()) };
    round::seal_locked(workspace, repo)?;
    match workspace.kept_key(&next) {
        Ok(key) => take_name(workspace, &key),
        // Another copy of this computer has it; `go_on_under_a_new_name` sees to that.
        Err(_) => Ok(()),
    }
}

fn take_name(workspace: &Workspace, key: &DeviceKey) -> Result<(), ApiError> {
    workspace.write(|w| {
        // The old name's branch may still be on its way.
        let old = w.device()?;
        w.set_local("old_name", old.as_str())?;
        let former = w.local("former_names")?.unwrap_or_default();
        w.set_local("former_names", format!("{former} {old}").trim())?;
        w.set_local("device", key.id().as_str())?;
        w.set_local("public_key", &key.public())?;
        w.set_local("sent", "0")
    })?;
    Ok(())
}

/// The old name was handed over by the other copy, or never let in: ask to be let in under the new one.
fn ask_again(workspace: &Workspace, acl: &Acl, old: &DeviceId, old_key: &DeviceKey, key: &DeviceKey) -> Result<(), ApiError> {
    let device = acl.devices.get(old);
    let member = device.and_then(|d| acl.members.get(&d.member));
    let title = |text: &str| Title::parse(text).map_err(|e| ApiError::invalid(e.to_string()));
    take_name(workspace, key)?;
    workspace.append(Op::DeviceRequested {
        name: title(member.map_or("Somebody", |m| m.name.as_str()))?,
        email: member.map(|m| m.email.clone()).unwrap_or_default(),
        device_name: title(device.map_or("A copied computer", |d| d.name.as_str()))?,
        key: PublicKey(key.public()),
        vouch: Some(Vouch { device: old.clone(), signature: old_key.sign(DEVICE, key.id().as_str().as_bytes())? }),
    })
}

/// Writes again what was set aside, once this computer's name counts.
pub(super) fn write_again(workspace: &Workspace) -> Result<(), ApiError> {
    let waiting = workspace.read(|r| r.set_aside())?;
    if waiting.is_empty() {
        return Ok(());
    }
    let acl = workspace.read(|r| r.acl())?;
    if acl.devices.get(&workspace.device()).is_none_or(|d| d.cut.is_some()) {
        return Ok(());
    }
    workspace.write(|w| {
        let mut names: BTreeMap<OpId, OpId> = BTreeMap::new();
        for row in &waiting {
            w.took_back(row.id)?;
            let Ok(ReadLine::Known(mut line)) = OpLine::read(&row.line) else { continue };
            for base in line.op.base_mut() {
                if let Some(new) = names.get(base) {
                    *base = new.clone();
                }
            }
            if let Op::SegmentStored { segment, runs, .. } = line.op {
                // Its file lies under the old name; the points are packed again under the new one.
                w.unpack(&segment, runs.into_keys())?;
                continue;
            }
            let decision = line.op.is_authority()
                || matches!(
                    line.op,
                    Op::ReleaseSigned { .. } | Op::ReleaseRequested { .. } | Op::ReleaseDecided { .. } | Op::ReleaseSubmitted { .. }
                );
            let outcome = if decision { Err("a decision is not carried over to a new name; make it again".to_owned()) } else { Ok(()) };
            let outcome = outcome.and_then(|()| w.append_why(line.op.clone(), line.why.as_deref()).map_err(|e| e.to_string()));
            match outcome {
                Ok(new) => {
                    if let Ok(old) = OpId::parse(row.name.clone()) {
                        names.insert(old, new);
                    }
                }
                Err(reason) => {
                    let device = w.device()?;
                    w.refuse(device.as_str(), &row.name, Fault::SetAside.code(), &format!("{}: {reason}", line.op.name()))?;
                }
            }
        }
        Ok::<_, ApiError>(())
    })?;
    point("fork.written_again");
    Ok(())
}
