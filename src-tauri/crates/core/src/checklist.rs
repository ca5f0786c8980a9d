//! Handoff checklists: the templates, and what is still open.

use crate::lifecycle::Check;
use crate::role::Role;
use serde::{Deserialize, Serialize};

/// How an item is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Cairn sees it in its records, and says where; nobody ticks it.
    Records,
    /// A statement that somebody stands for.
    Statement,
    /// A tick with a link to evidence.
    Tick,
}

/// One thing to hand over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Such as `G1.1`; scripts rely on these.
    pub id: String,
    pub text: String,
    pub role: Role,
    pub kind: ItemKind,
    /// The gate stays closed while this is open.
    pub blocks: bool,
    /// Where the item comes from in the field's standards.
    pub source: String,
    /// What Cairn looks at; of items of the kind `records`, and only of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
}

/// A checklist for the handoff out of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// `G1` to `G6`.
    pub gate: String,
    pub title: String,
    pub from: Role,
    pub to: Role,
    /// Checklists that come before it in a cycle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    pub items: Vec<Item>,
}

/// The blocking items that are not in `done`: while there are any, the checklist cannot be completed.
pub fn blocking<'a>(template: &'a Checklist, done: &[String]) -> Vec<&'a Item> {
    template.items.iter().filter(|item| item.blocks && !done.contains(&item.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocking_items_hold_a_checklist_open() {
        let item = |id: &str, blocks| Item {
            id: id.into(),
            text: id.into(),
            role: Role::DataScientist,
            kind: ItemKind::Tick,
            blocks,
            source: String::new(),
            check: None,
        };
        let template = Checklist {
            gate: "G1".into(),
            title: String::new(),
            from: Role::BusinessOwner,
            to: Role::DataEngineer,
            after: Vec::new(),
            items: vec![item("G1.1", true), item("G1.2", false)],
        };
        let open: Vec<_> = blocking(&template, &[]).into_iter().map(|i| i.id.as_str()).collect();
        assert_eq!(open, ["G1.1"]);
        assert!(blocking(&template, &["G1.1".into()]).is_empty());
    }
}
