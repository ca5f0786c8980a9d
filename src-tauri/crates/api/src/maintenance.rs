//! Keeping a computer's set-up in order: rebuild the views, and tell what is wrong.

use crate::ApiError;
use crate::host::Host;
use crate::sharing::check_content;
use crate::workspaces::Nothing;
use cairn_core::authority::Member;
use cairn_core::op::Kind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Rebuilt {
    /// Operations folded.
    pub operations: u64,
    /// Whether the views are the same, byte for byte, as before.
    pub same: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Symptom {
    pub good: bool,
    pub what: String,
    pub mend: Option<String>,
}

pub fn rebuild(host: &Host, _: Nothing) -> Result<Rebuilt, ApiError> {
    let workspace = host.workspace()?;
    workspace.write(|w| {
        let before = w.view_digest()?;
        let operations = w.rebuild(&check_content)?;
        Ok(Rebuilt { operations, same: before == w.view_digest()? })
    })
}

/// Everything that follows from the log, for whoever compares it with what another reader makes of it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Views {
    pub members: BTreeMap<String, MemberView>,
    pub devices: BTreeMap<String, DeviceView>,
    /// By operation: `accepted`, `refused`, `held` or `unknown`.
    pub operations: BTreeMap<String, String>,
    pub records: Vec<RecordView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MemberView {
    pub name: String,
    pub roles: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeviceView {
    pub member: String,
    /// After this operation nothing of it counts.
    pub cut: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RecordView {
    pub kind: String,
    pub id: String,
    pub parent: Option<String>,
    /// Field, key, value; removed ones are left out.
    pub cells: Vec<[String; 3]>,
}

pub fn views(host: &Host, _: Nothing) -> Result<Views, ApiError> {
    host.workspace()?.read(|r| {
        let acl = r.acl()?;
        let member = |m: &Member| MemberView { name: m.name.clone(), roles: m.roles.iter().map(|r| r.as_str().to_owned()).collect() };
        let mut records = Vec::new();
        for kind in Kind::ALL {
            for record in r.records(kind, None)? {
                let cells = record.cells.iter().map(|(field, key, cell)| [field.to_owned(), key.to_owned(), cell.value.clone()]).collect();
                records.push(RecordView { kind: kind.as_str().to_owned(), id: record.id, parent: record.parent, cells });
            }
        }
        Ok(Views {
            members: acl.members.iter().map(|(id, m)| (id.to_string(), member(m))).collect(),
            devices: acl.devices.iter().map(|(id, d)| (id.to_string(), DeviceView { member: d.member.to_string(), cut: d.cut })).collect(),
            operations: r.states()?.into_iter().collect(),
            records,
        })
    })
}

pub fn doctor(host: &Host, _: Nothing) -> Result<Vec<Symptom>, ApiError> {
    let good = |what: &str| Symptom { good: true, what: what.to_owned(), mend: None };
    let bad = |what: &str, mend: &str| Symptom { good: false, what: what.to_owned(), mend: Some(mend.to_owned()) };
    let mut out = vec![
        if cairn_sync::transport::git_program() {
            good("The git program is there; sharing uses it.")
        } else {
            bad("There is no git program.", "Install git 2.41 or later. Without it, only shared folders work.")
        },
        if cairn_os::secrets::keyring_answers() {
            good("The system keyring answers.")
        } else {
            bad("The system keyring does not answer.", "Install or unlock one, or use a passphrase when you create or join a workspace.")
        },
    ];
    match host.workspace() {
        Err(error) => out.push(bad(&error.message, error.hint.as_deref().unwrap_or_default())),
        Ok(workspace) => {
            out.push(good(&format!("The workspace in {} opens.", workspace.dir().display())));
            out.push(match workspace.key() {
                Ok(_) => good("This computer's key can be used."),
                Err(error) => bad(&error.message, error.hint.as_deref().unwrap_or_default()),
            });
            let (remote, member) = workspace.read(|r| Ok::<_, ApiError>((r.local("remote")?, workspace.me(r)?)))?;
            out.push(match remote {
                Some(place) if !place.is_empty() => good(&format!("Shared through {place}.")),
                // A choice, not a fault.
                _ => good("The workspace is not shared with anybody."),
            });
            if member.is_none() {
                out.push(bad("This computer has not been let in yet.", "Ask an administrator, and compare the four words."));
            }
        }
    }
    Ok(out)
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Clean {
    /// Of runs that were deleted at least so many days ago; 30 when left out.
    #[serde(default)]
    #[ts(optional)]
    pub days: Option<u32>,
    /// False: only say what would be freed.
    #[serde(default)]
    #[ts(optional, type = "boolean")]
    pub now: bool,
}

/// Room that nothing needs, or that was freed.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Room {
    /// Whether it was freed.
    pub done: bool,
    #[ts(type = "number")]
    pub files: u64,
    #[ts(type = "number")]
    pub file_bytes: u64,
    /// Deleted runs whose points are still here.
    #[ts(type = "number")]
    pub runs: u64,
    #[ts(type = "number")]
    pub points: u64,
    #[ts(type = "number")]
    pub point_bytes: u64,
    /// Free room inside the workspace file.
    #[ts(type = "number")]
    pub slack: u64,
}

/// Says what room could be freed, or frees it. What a model version or a release stands on stays.
pub fn clean(host: &Host, request: Clean) -> Result<Room, ApiError> {
    const DAY_MS: i64 = 24 * 3_600_000;
    let workspace = host.workspace()?;
    let now_ms = workspace.edge.now_ms();
    let before_ms = now_ms - i64::from(request.days.unwrap_or(30)) * DAY_MS;
    let found = workspace.read(|r| r.unneeded(before_ms, now_ms).map_err(ApiError::from))?;
    let room = Room {
        done: request.now,
        files: found.files.len() as u64,
        file_bytes: found.file_bytes(),
        runs: found.runs.len() as u64,
        points: found.points,
        point_bytes: found.point_bytes,
        slack: found.slack,
    };
    if request.now {
        workspace.write(|w| w.drop_points(before_ms).map(drop).map_err(ApiError::from))?;
        for (path, _) in &found.files {
            std::fs::remove_file(path).map_err(|e| ApiError::new("io", format!("{} could not be removed: {e}", path.display())))?;
        }
        workspace.store.pack()?;
    }
    Ok(room)
}
