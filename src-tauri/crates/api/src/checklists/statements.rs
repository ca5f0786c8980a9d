//! Statements on a checklist: the word of somebody who holds the item's role. Whoever works on the list may tick what is to
//! be ticked; what a role stands for only that role can say, and nobody says it over.

use crate::ApiError;
use cairn_core::authority::Acl;
use cairn_core::checklist::{Item, ItemKind};
use cairn_core::decision::{Said, made_before};
use cairn_core::op::{Kind, Op, Subject};
use cairn_core::role::Role;
use cairn_store::Reader;
use cairn_store::order::Orders;
use cairn_store::records::Record;
use std::cell::OnceCell;

/// The answers to a checklist's items, with what their authors were.
pub(crate) struct Answers<'r, 'c> {
    r: &'r Reader<'c>,
    record: &'r Record,
    said: OnceCell<Vec<Said>>,
}

impl<'r, 'c> Answers<'r, 'c> {
    pub(crate) fn new(r: &'r Reader<'c>, record: &'r Record) -> Self {
        Self { r, record, said: OnceCell::new() }
    }

    fn said(&self) -> Result<&[Said], ApiError> {
        if let Some(all) = self.said.get() {
            return Ok(all);
        }
        let subject = Subject { kind: Kind::Checklist, id: self.record.id.clone() };
        let all = self.r.said_about(&Orders::new(self.r), &subject, &["checklist.item_done", "checklist.item_reopened"])?;
        Ok(self.said.get_or_init(|| all))
    }

    /// Whether an item that people answer is answered by somebody who may.
    pub(crate) fn is_done(&self, acl: &Acl, item: &Item) -> Result<bool, ApiError> {
        Ok(match item.kind {
            ItemKind::Records => false,
            ItemKind::Tick => self.record.get_key("item", &item.id).is_some(),
            ItemKind::Statement => self.stated(acl, item)?.is_some(),
        })
    }

    /// The word that stands for a statement: of somebody who held its role when they gave it, and not taken back since in
    /// knowledge of it. What was said before the newer rules were adopted stands as it was.
    pub(crate) fn stated(&self, acl: &Acl, item: &Item) -> Result<Option<&Said>, ApiError> {
        let said = self.said()?;
        let about = |id: &str| id == item.id;
        let back = |s: &Said| {
            said.iter().any(|r| {
                matches!(&r.op, Op::ChecklistItemReopened { item, .. } if about(item))
                    && r.knows(&s.id)
                    && (may_state(acl, r, item.role) || r.by == s.by)
            })
        };
        let stands =
            |s: &&Said| matches!(&s.op, Op::ChecklistItemDone { item, .. } if about(item)) && may_state(acl, s, item.role) && !back(s);
        Ok(said.iter().filter(stands).max_by_key(|s| (s.at_ms, s.id.clone())))
    }
}

fn may_state(acl: &Acl, s: &Said, role: Role) -> bool {
    made_before(&acl.adopted, &s.id) || acl.roles_for(&s.id.device, s.id.n, &s.past).contains(&role)
}
