//! Where others named the person who sits here since they looked: in notes, cards, answers, findings, comments and handoffs.

use super::elsewhere::{BATCHES, LOOKED};
use super::{InboxItem, item};
use crate::host::Workspace;
use crate::notes::SubjectRef;
use crate::overview::Overview;
use crate::people::person_at;
use crate::{ApiError, audit, checklists, comments};
use cairn_core::op::Kind;
use cairn_store::Reader;
use cairn_store::records::{Cell, Record};
use cairn_store::text_index::{body_of, links};
use std::collections::BTreeMap;

/// An operation that put a name into a text.
struct Naming {
    device: String,
    n: u64,
    at_ms: i64,
}

pub(super) fn list(workspace: &Workspace, all: &Overview<'_, '_>) -> Result<Vec<InboxItem>, ApiError> {
    let Some(me) = all.me.as_ref().map(|m| m.as_str()) else { return Ok(Vec::new()) };
    let looked = all.r.local(LOOKED)?.and_then(|t| serde_json::from_str::<(i64, i64)>(&t).ok()).map_or(0, |l| l.0);
    // What has arrived since: from the first new operation of each computer on.
    let mut since: BTreeMap<String, u64> = BTreeMap::new();
    for batch in all.r.arrived_after(looked, workspace.device().as_str(), BATCHES)? {
        let first = since.entry(batch.device).or_insert(batch.first);
        *first = batch.first.min(*first);
    }
    if since.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    for hit in all.r.linked_from("member", me)? {
        let subject = SubjectRef { kind: hit.kind, id: hit.id };
        let parsed = subject.parse()?;
        let Some(record) = all.r.record(parsed.kind, &parsed.id)? else { continue };
        let Some(naming) = newest(all.r, parsed.kind, &record, me)? else { continue };
        let by = person_at(&all.acl, &naming.device);
        if by.id == me || since.get(&naming.device).is_none_or(|first| naming.n < *first) {
            continue;
        }
        let about = if parsed.kind == Kind::Comment { comments::about_of(&record) } else { subject.clone() };
        let project = audit::project_of(all.r, &subject)?;
        let project = project.as_ref().and_then(|id| all.projects.iter().find(|p| p.id == *id));
        let title = format!("{} mentioned you in {}", by.name, checklists::title_of(all.r, &about.parse()?)?);
        let text = body_of(parsed.kind, &record).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
        out.push(item(all, "mention", title, text, project, format!("{}/{}", about.kind, about.id), None, naming.at_ms, None));
    }
    Ok(out)
}

fn names(text: &str, me: &str) -> bool {
    links(text).iter().any(|(kind, id)| kind == "member" && id == me)
}

/// The latest operation that put the name into a text of a record that still holds it. Who only edits a text that names
/// somebody does not name them.
fn newest(r: &Reader<'_>, kind: Kind, record: &Record, me: &str) -> Result<Option<Naming>, ApiError> {
    let mut found: Option<Naming> = None;
    for (field, key, cell) in record.cells.iter().filter(|(_, _, c)| names(&c.value, me)) {
        let naming = introduced(r, kind, &record.id, (field, key), cell, me)?;
        if found.as_ref().is_none_or(|f| f.at_ms < naming.at_ms) {
            found = Some(naming);
        }
    }
    Ok(found)
}

fn introduced(r: &Reader<'_>, kind: Kind, id: &str, (field, key): (&str, &str), cell: &Cell, me: &str) -> Result<Naming, ApiError> {
    let edits = r.history(kind, id, field, key)?;
    let naming = |op: &str| edits.iter().any(|e| e.op == op && names(&e.value, me));
    // The newest first: the first of those that name me whose bases did not.
    let first = edits.iter().find(|e| names(&e.value, me) && !e.base.iter().any(|b| naming(b)));
    Ok(match first.and_then(|e| Some((e, e.op.rsplit_once('.')?.1.parse().ok()?))) {
        Some((edit, n)) => Naming { device: edit.device.clone(), n, at_ms: edit.at_ms },
        // Texts without a history are what their last writer wrote.
        None => Naming { device: cell.device().to_owned(), n: cell.n, at_ms: cell.at_ms },
    })
}
