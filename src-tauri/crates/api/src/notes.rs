//! Notes in Markdown, about any record.

pub mod attach;
pub mod history;
pub mod notebooks;
pub mod report;

use crate::ApiError;
use crate::error::{body, title};
use crate::host::Host;
use crate::people::{Person, person_at};
use crate::projects::{Version, base_of, bases};
use cairn_core::fold::subject_key;
use cairn_core::id::{NoteId, OpId};
use cairn_core::op::{Kind, Op, Subject};
use cairn_store::Reader;
use cairn_store::records::{Head, Record};
use cairn_sync::note::{self, NoMerge};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Note {
    pub id: String,
    pub about: SubjectRef,
    pub title: String,
    pub text: String,
    /// The text as it is read, with charts in their places.
    pub parts: Vec<report::NotePart>,
    /// What it showed when somebody kept it as evidence.
    pub frozen: Vec<report::Frozen>,
    pub base: String,
    pub by: Person,
    pub created_ms: i64,
    pub edited_ms: i64,
    /// Whose edits, made without knowing of each other, were brought together in this text.
    pub merged: Vec<Person>,
    /// More than one: edits that could not be brought together.
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

pub fn list(host: &Host, request: NotesAbout) -> Result<Vec<Note>, ApiError> {
    let about = request.about.parse()?;
    let workspace = host.workspace()?;
    let mut all: Vec<Note> = workspace.read(|r| {
        let mut found = r.records(Kind::Note, Some(&subject_key(&about)))?;
        found.reverse();
        found.iter().filter(|n| !n.deleted()).map(|n| view(r, n)).collect::<Result<_, ApiError>>()
    })?;
    for note in &mut all {
        note.parts = report::ready(&workspace, std::mem::take(&mut note.parts));
    }
    Ok(all)
}

pub fn save(host: &Host, request: SaveNote) -> Result<Note, ApiError> {
    let workspace = host.workspace()?;
    let heading = title("Title of the note", &request.title)?;
    let text = body("Text of the note", &request.text)?;
    let seed = workspace.edge.new_id();
    let note = match request.note {
        Some(id) => {
            let note = NoteId::parse(id)?;
            let base = bases(request.base.as_deref())?;
            workspace.write(|w| {
                w.require(Kind::Note, note.as_str())?;
                let edits = w.history(Kind::Note, note.as_str(), "content", "")?;
                let update = update(&known_to(&edits, &base), text.as_str(), &seed);
                w.append(Op::NoteEdited { note: note.clone(), title: heading, text, base, update }).map_err(ApiError::from)
            })?;
            note
        }
        None => {
            let about = request.about.parse()?;
            workspace.read(|r| r.require(about.kind, &about.id))?;
            let note = NoteId::parse(workspace.edge.new_id())?;
            let update = update(&[], text.as_str(), &seed);
            workspace.append(Op::NoteCreated { note: note.clone(), about, title: heading, text, update })?;
            note
        }
    };
    workspace.read(|r| view(r, &r.require(Kind::Note, note.as_str())?))
}

/// The edits that an edit based on `base` builds on, newest first like `edits`.
fn known_to<'e>(edits: &'e [Head], base: &[OpId]) -> Vec<&'e Head> {
    let mut wanted: BTreeSet<String> = base.iter().map(ToString::to_string).collect();
    let mut known = Vec::new();
    // Newest first, so whoever builds on an edit comes before it.
    for edit in edits {
        if wanted.contains(&edit.op) {
            wanted.extend(edit.base.iter().cloned());
            known.push(edit);
        }
    }
    known
}

fn content(edit: &Head) -> Value {
    serde_json::from_str(&edit.value).unwrap_or_default()
}

/// The updates of edits; an error where one has none, so that the texts can only stand side by side.
fn updates<'e>(edits: impl IntoIterator<Item = &'e Head>) -> Result<Vec<String>, NoMerge> {
    let one = |edit: &Head| content(edit)["update"].as_str().map(str::to_owned).ok_or_else(|| NoMerge("an edit has no update".to_owned()));
    edits.into_iter().map(one).collect()
}

/// What a new text is as an update; none where that cannot be said, then the plain text must do.
fn update(known: &[&Head], text: &str, seed: &str) -> Option<String> {
    let made = updates(known.iter().copied()).and_then(|u| note::edit(&u, text, seed));
    made.inspect_err(|e| tracing::debug!("this edit of a note is kept as plain text: {e}")).ok()
}

fn view(r: &Reader<'_>, note: &Record) -> Result<Note, ApiError> {
    let acl = r.acl()?;
    let parent = note.parent.clone().unwrap_or_default();
    let (kind, id) = parent.split_once('/').unwrap_or_default();
    let newest = note.json("content");
    let mut text = newest["text"].as_str().unwrap_or_default().to_owned();
    let mut heads = r.heads(Kind::Note, &note.id, "content", "")?;
    let base = base_of(&heads).unwrap_or_default();
    let edited_ms = heads.first().map_or(note.at_ms, |h| h.at_ms);
    let mut merged = Vec::new();
    if heads.len() > 1 {
        let all = r.history(Kind::Note, &note.id, "content", "")?;
        if let Ok(together) = updates(&all).and_then(|u| note::merge(&u)) {
            text = together;
            merged = heads.iter().map(|h| person_at(&acl, &h.device)).collect();
            heads.clear();
        }
    } else {
        heads.clear();
    }
    let version = |h: Head| Version {
        value: content(&h)["text"].as_str().unwrap_or_default().to_owned(),
        by: person_at(&acl, &h.device),
        at_ms: h.at_ms,
        op: h.op,
    };
    Ok(Note {
        id: note.id.clone(),
        about: SubjectRef { kind: kind.to_owned(), id: id.to_owned() },
        title: newest["title"].as_str().unwrap_or_default().to_owned(),
        parts: report::parts(&text),
        frozen: report::frozen(r, &note.id)?,
        text,
        base,
        by: person_at(&acl, &note.device),
        created_ms: note.at_ms,
        edited_ms,
        merged,
        versions: heads.into_iter().map(version).collect(),
    })
}
