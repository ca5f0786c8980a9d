//! Keeping a computer's set-up in order: rebuild the views, and tell what is wrong.

use crate::ApiError;
use crate::host::Host;
use crate::sharing::check_content;
use crate::workspaces::Nothing;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Rebuilt {
    /// Operations folded.
    pub operations: u64,
    /// Whether the views are the same, byte for byte, as before.
    pub same: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Finding {
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

pub fn doctor(host: &Host, _: Nothing) -> Result<Vec<Finding>, ApiError> {
    let good = |what: &str| Finding { good: true, what: what.to_owned(), mend: None };
    let bad = |what: &str, mend: &str| Finding { good: false, what: what.to_owned(), mend: Some(mend.to_owned()) };
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
