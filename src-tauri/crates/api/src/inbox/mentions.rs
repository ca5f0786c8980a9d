//! Where others named the person who sits here since they looked: in notes, cards, answers, findings, comments and handoffs.

use super::elsewhere::LOOKED;
use super::{InboxItem, item};
use crate::host::Workspace;
use crate::notes::SubjectRef;
use crate::overview::Overview;
use crate::people::person_at;
use crate::{ApiError, audit, checklists, comments};
use cairn_core::op::Kind;
use cairn_store::Reader;
use cairn_store::records::Record;
use cairn_store::text_index::{body_of, links};

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
    let since = all.r.first_after(looked, workspace.device().as_str())?;
    if since.is_empty() {
        return Ok(Vec::new());
    }
    let is_new = |device: &str, n: u64| since.get(device).is_some_and(|first| n >= *first);
    let mut out = Vec::new();
    for hit in all.r.linked_from("member", me)? {
        // Of most records nothing is new, and their texts need not be read.
        if !all.r.numbers_about(&hit.kind, &hit.id)?.iter().any(|(device, n)| is_new(device, *n)) {
            continue;
        }
        let subject = SubjectRef { kind: hit.kind, id: hit.id };
        let parsed = subject.parse()?;
        let Some(record) = all.r.record(parsed.kind, &parsed.id)? else { continue };
        let mut namings = namings(all.r, parsed.kind, &record, me)?;
        namings.retain(|n| is_new(&n.device, n.n) && person_at(&all.acl, &n.device).id != me);
        let Some(naming) = namings.into_iter().max_by_key(|n| n.at_ms) else { continue };
        let by = person_at(&all.acl, &naming.device);
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

/// The operations that put the name into texts of a record that still hold it. Who only edits a text that names somebody does
/// not name them.
fn namings(r: &Reader<'_>, kind: Kind, record: &Record, me: &str) -> Result<Vec<Naming>, ApiError> {
    let mut out = Vec::new();
    for (field, key, cell) in record.cells.iter().filter(|(_, _, c)| names(&c.value, me)) {
        let edits = r.history(kind, &record.id, field, key)?;
        if edits.is_empty() {
            // Texts without a history are what their last writer wrote.
            out.push(Naming { device: cell.device().to_owned(), n: cell.n, at_ms: cell.at_ms });
            continue;
        }
        let named = |op: &str| edits.iter().any(|e| e.op == op && names(&e.value, me));
        for edit in edits.iter().filter(|e| names(&e.value, me) && !e.base.iter().any(|b| named(b))) {
            if let Some(n) = edit.op.rsplit_once('.').and_then(|(_, n)| n.parse().ok()) {
                out.push(Naming { device: edit.device.clone(), n, at_ms: edit.at_ms });
            }
        }
    }
    Ok(out)
}
