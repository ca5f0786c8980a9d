//! What the system tells the person about while they do something else: what waits for them now and did not a moment ago.
//!
//! What was told is kept on this computer alone. Nothing that already waited when Cairn was first opened is told of.

use super::{InboxItem, list};
use crate::ApiError;
use crate::host::Host;
use crate::workspaces::Nothing;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use ts_rs::TS;

/// A message of the system: what waits, and in which project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub title: String,
    pub text: String,
    /// What to open when somebody clicks on it; none: several things, so the first page.
    pub kind: Option<String>,
    pub id: Option<String>,
    pub project: Option<String>,
}

/// Whether this computer tells of what waits.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Notices {
    pub on: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetNotices {
    pub on: bool,
}

/// The local setting, `off` or nothing, and what was told.
const SETTING: &str = "notices";
const TOLD: &str = "told";
/// Titles that a message about several things names.
const NAMED: usize = 3;

pub fn notices(host: &Host, _: Nothing) -> Result<Notices, ApiError> {
    Ok(Notices { on: host.workspace()?.read(|r| r.local(SETTING))?.as_deref() != Some("off") })
}

pub fn set_notices(host: &Host, request: SetNotices) -> Result<Notices, ApiError> {
    host.workspace()?.write(|w| w.set_local(SETTING, if request.on { "on" } else { "off" }).map_err(ApiError::from))?;
    Ok(Notices { on: request.on })
}

/// One thing in the inbox, as told of once. Several questions may be about one record, and several items of one handoff be given
/// to one person; a monitor that reports its alarm anew is the same alarm.
fn key(item: &InboxItem) -> String {
    let which = match item.kind.as_str() {
        "question" | "mention" => item.since_ms.to_string(),
        "item" => item.title.clone(),
        _ => String::new(),
    };
    format!("{}/{}/{which}", item.kind, item.id)
}

/// That its day is over is another thing to tell.
fn over(item: &InboxItem) -> String {
    format!("overdue/{}", key(item))
}

/// What is new in the inbox since this was asked last, as one message; none where there is nothing, or nobody wants to hear.
pub fn news(host: &Host) -> Result<Option<Notice>, ApiError> {
    let workspace = host.workspace()?;
    // Whoever is not let in yet has nothing that waits, and must not be told of all of it at once later.
    if workspace.read(|r| workspace.me(r))?.is_none() {
        return Ok(None);
    }
    let items = list(host, Nothing {})?;
    let told = workspace.read(|r| r.local(TOLD))?;
    let before: Option<BTreeSet<String>> = told.and_then(|t| serde_json::from_str(&t).ok());
    let now: BTreeSet<String> = items.iter().map(key).chain(items.iter().filter(|i| i.overdue).map(over)).collect();
    if before.as_ref() != Some(&now) {
        workspace.write(|w| w.set_local(TOLD, &serde_json::json!(now).to_string()).map_err(ApiError::from))?;
    }
    let Some(before) = before else { return Ok(None) };
    let fresh: Vec<&InboxItem> = items.iter().filter(|i| !before.contains(&key(i)) || i.overdue && !before.contains(&over(i))).collect();
    Ok(if notices(host, Nothing {})?.on { message(&fresh) } else { None })
}

fn message(fresh: &[&InboxItem]) -> Option<Notice> {
    let named = |i: &InboxItem| match &i.project_title {
        Some(project) => format!("{}: {}", project, i.title),
        None => i.title.clone(),
    };
    match fresh {
        [] => None,
        [one] => Some(Notice {
            title: one.title.clone(),
            text: one.project_title.clone().unwrap_or_default(),
            kind: Some(one.kind.clone()),
            id: Some(one.id.clone()),
            project: one.project.clone(),
        }),
        several => {
            let mut text: Vec<String> = several.iter().take(NAMED).map(|i| named(i)).collect();
            if several.len() > NAMED {
                text.push(format!("and {} more", several.len() - NAMED));
            }
            let title = format!("{} things wait for you", several.len());
            Some(Notice { title, text: text.join("\n"), kind: None, id: None, project: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(title: &str, project: Option<&str>, overdue: bool) -> InboxItem {
        InboxItem {
            kind: "finding".into(),
            title: title.into(),
            text: String::new(),
            project: project.map(str::to_owned),
            project_title: project.map(str::to_owned),
            id: title.into(),
            role: None,
            since_ms: 0,
            due: None,
            overdue,
        }
    }

    #[test]
    fn one_thing_is_named_and_of_many_the_first_three() {
        let (a, b) = (item("a", Some("P"), false), item("b", None, false));
        assert_eq!(message(&[]), None);
        let one = message(&[&a]).unwrap();
        assert_eq!((one.title.as_str(), one.text.as_str(), one.id.as_deref()), ("a", "P", Some("a")));
        let five = message(&[&a, &b, &b, &b, &b]).unwrap();
        assert_eq!((five.title.as_str(), five.text.as_str()), ("5 things wait for you", "P: a\nb\nb\nand 2 more"));
        assert_eq!(five.id, None, "several things are on the first page");
    }

    #[test]
    fn a_day_that_is_over_is_another_thing_to_tell() {
        assert_eq!(key(&item("a", None, false)), key(&item("a", None, true)), "moving the day makes it no new thing");
        assert_ne!(over(&item("a", None, true)), key(&item("a", None, true)));
        let question = |since_ms| InboxItem { kind: "question".into(), since_ms, ..item("a", None, false) };
        assert_ne!(key(&question(1)), key(&question(2)), "two questions about one record are two");
    }
}
