//! Notes in Markdown, about any record.

use crate::ApiError;
use crate::error::{body, title};
use crate::host::Host;
use crate::people::{Person, person_at};
use crate::projects::Version;
use cairn_core::fold::subject_key;
use cairn_core::id::{NoteId, OpId};
use cairn_core::op::{Kind, Op, Subject};
use cairn_report::markdown::to_html;
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Note {
    pub id: String,
    pub about: SubjectRef,
    pub title: String,
    pub text: String,
    pub html: String,
    pub base: String,
    pub by: Person,
    pub created_ms: i64,
    pub edited_ms: i64,
    pub versions: Vec<Version>,
}

/// A record by kind and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SubjectRef {
    pub kind: String,
    pub id: String,
}

impl SubjectRef {
    pub fn parse(&self) -> Result<Subject, ApiError> {
        let kind: Kind = serde_json::from_value(Value::from(self.kind.clone()))
            .map_err(|_| ApiError::invalid(format!("\"{}\" is no kind of record", self.kind)))?;
        Ok(Subject { kind, id: self.id.clone() })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct NotesAbout {
    pub about: SubjectRef,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveNote {
    /// None: a new note.
    #[serde(default)]
    #[ts(optional)]
    pub note: Option<String>,
    pub about: SubjectRef,
    pub title: String,
    pub text: String,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeleteRecord {
    pub subject: SubjectRef,
    /// Undo of a deletion.
    #[serde(default)]
    pub restore: bool,
}

pub fn list(host: &Host, request: NotesAbout) -> Result<Vec<Note>, ApiError> {
    let about = request.about.parse()?;
    host.workspace()?.read(|r| {
        let mut found = r.records(Kind::Note, Some(&subject_key(&about)))?;
        found.reverse();
        found.iter().filter(|n| !n.deleted()).map(|n| view(r, n)).collect()
    })
}

pub fn save(host: &Host, request: SaveNote) -> Result<Note, ApiError> {
    let workspace = host.workspace()?;
    let heading = title("Title of the note", &request.title)?;
    let text = body("Text of the note", &request.text)?;
    let note = match request.note {
        Some(id) => {
            let note = NoteId::parse(id)?;
            workspace.read(|r| r.require(Kind::Note, note.as_str()))?;
            let base = request.base.map(OpId::parse).transpose()?;
            workspace.append(Op::NoteEdited { note: note.clone(), title: heading, text, base })?;
            note
        }
        None => {
            let about = request.about.parse()?;
            workspace.read(|r| r.require(about.kind, &about.id))?;
            let note = NoteId::parse(workspace.edge.new_id())?;
            workspace.append(Op::NoteCreated { note: note.clone(), about, title: heading, text })?;
            note
        }
    };
    workspace.read(|r| view(r, &r.require(Kind::Note, note.as_str())?))
}

/// Hides a record, or shows it again. Nothing governed is ever erased.
pub fn delete(host: &Host, request: DeleteRecord) -> Result<SubjectRef, ApiError> {
    let workspace = host.workspace()?;
    let subject = request.subject.parse()?;
    if matches!(subject.kind, Kind::Release | Kind::Signoff | Kind::Deployment) {
        return Err(ApiError::conflict("Decisions and deployments stay in the history for ever")
            .hint("Withdraw the release, or record a new deployment."));
    }
    workspace.read(|r| r.require(subject.kind, &subject.id))?;
    workspace.append(if request.restore { Op::RecordRestored { subject } } else { Op::RecordDeleted { subject } })?;
    Ok(request.subject)
}

fn view(r: &Reader<'_>, note: &Record) -> Result<Note, ApiError> {
    let acl = r.acl()?;
    let parent = note.parent.clone().unwrap_or_default();
    let (kind, id) = parent.split_once('/').unwrap_or_default();
    let content = note.json("content");
    let text = content["text"].as_str().unwrap_or_default().to_owned();
    let heads = r.heads(Kind::Note, &note.id, "content", "")?;
    let base = note.cells.get("content").and_then(|m| m.get("")).map(|c| c.op.clone()).unwrap_or_default();
    let edited_ms = heads.first().map_or(note.at_ms, |h| h.at_ms);
    let versions: Vec<Version> = heads
        .into_iter()
        .map(|h| {
            let value: Value = serde_json::from_str(&h.value).unwrap_or_default();
            let text = value["text"].as_str().unwrap_or_default().to_owned();
            Version { op: h.op, value: text, by: person_at(&acl, &h.device), at_ms: h.at_ms }
        })
        .collect();
    Ok(Note {
        id: note.id.clone(),
        about: SubjectRef { kind: kind.to_owned(), id: id.to_owned() },
        title: content["title"].as_str().unwrap_or_default().to_owned(),
        html: to_html(&text),
        text,
        base,
        by: person_at(&acl, &note.device),
        created_ms: note.at_ms,
        edited_ms,
        versions: if versions.len() > 1 { versions } else { Vec::new() },
    })
}
