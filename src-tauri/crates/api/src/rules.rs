//! By which rules releases are judged: an owner adopts newer ones for the whole workspace, so that earlier programs say
//! "undetermined" instead of a yes that means less.

use crate::ApiError;
use crate::host::Host;
use crate::releases::view;
use crate::workspaces::Nothing;
use cairn_core::decision::RULES;
use cairn_core::op::{Kind, Op};
use cairn_core::role::Role;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Rules {
    /// The newest rules that an owner adopted; 1 where none did.
    pub adopted: u32,
    /// Those of this program.
    pub known: u32,
    pub i_may_adopt: bool,
    /// What becomes of what is approved now.
    pub would_change: Vec<RulesEffect>,
}

/// An approval of older rules, and what it means once newer ones are adopted.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RulesEffect {
    pub release: String,
    pub title: String,
    pub project_title: String,
    /// `stays` or `held_up`.
    pub effect: String,
    pub sentence: String,
}

pub fn get(host: &Host, _: Nothing) -> Result<Rules, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let acl = r.acl()?;
        let adopted = acl.adopted.iter().map(|a| a.rules).max().unwrap_or(1);
        let owner = workspace.me(r)?.and_then(|m| acl.members.get(&m).map(|m| m.roles.contains(&Role::Owner))).unwrap_or(false);
        let mut would_change = Vec::new();
        if adopted < RULES {
            for record in r.records(Kind::Release, None)? {
                let shown = view(&workspace, r, &record)?;
                if shown.state != "approved" {
                    continue;
                }
                let (effect, sentence) = match shown.blocks.first() {
                    Some(block) => ("held_up", format!("Stays approved under the older rules, and is held up: {}", block.sentence)),
                    None if shown.independence.is_some() => {
                        ("stays", "Stays approved, marked as made under the older rules; whoever approved it also built it.".to_owned())
                    }
                    None => ("stays", "Stays approved, marked as made under the older rules.".to_owned()),
                };
                would_change.push(RulesEffect {
                    release: shown.id,
                    title: format!("{} version {}", shown.version.model_name, shown.version.number),
                    project_title: shown.project_title,
                    effect: effect.to_owned(),
                    sentence,
                });
            }
        }
        Ok(Rules { adopted, known: RULES, i_may_adopt: owner && adopted < RULES, would_change })
    })
}

/// Adopts the rules of this program for the workspace. Members with earlier Cairns then see "undetermined" until they update.
pub fn adopt(host: &Host, _: Nothing) -> Result<Rules, ApiError> {
    let workspace = host.workspace()?;
    workspace.write(|w| {
        if w.acl()?.adopted.iter().any(|a| a.rules >= RULES) {
            return Err(ApiError::conflict("These rules are adopted already"));
        }
        w.append(Op::RulesAdopted { rules: RULES }).map(drop).map_err(ApiError::from)
    })?;
    get(host, Nothing {})
}
