//! Pictures and notebooks that belong to a record, and what a link to a record shows before anybody follows it.

use super::SubjectRef;
use crate::checklists::title_of;
use crate::host::Host;
use crate::people::{Person, person, person_at};
use crate::{ApiError, audit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_core::op::{Kind, Op, Subject};
use cairn_core::setting::Setting;
use cairn_ingest::notebook;
use cairn_store::text_index::body_of;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AttachFile {
    pub subject: SubjectRef,
    pub name: String,
    /// The file, base64.
    pub content: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Attached {
    pub digest: String,
    /// To be put into a text.
    pub markdown: String,
}

/// The kind of a picture by its first bytes, whatever its name says; none of what is no picture.
pub(crate) fn picture_of(bytes: &[u8]) -> Option<&'static str> {
    let starts = |head: &[u8]| bytes.starts_with(head);
    if starts(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if starts(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if starts(b"GIF87a") || starts(b"GIF89a") {
        Some("image/gif")
    } else if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

/// By its name: so that a text says what it holds without the file.
pub(crate) fn is_notebook(name: &str) -> bool {
    name.trim().to_ascii_lowercase().ends_with(".ipynb")
}

/// Keeps a picture or a notebook with a record; it travels with the history like any small file.
pub fn attach(host: &Host, request: AttachFile) -> Result<Attached, ApiError> {
    let workspace = host.workspace()?;
    let subject = request.subject.parse()?;
    let bytes = STANDARD.decode(request.content.as_bytes()).map_err(|_| ApiError::invalid("The file did not arrive whole"))?;
    let most = workspace.read(|r| crate::settings::number(r, Setting::SharedFileMax))?;
    if bytes.len() as u64 > most {
        return Err(ApiError::invalid(format!(
            "The file has {} kB; with the notes of the team up to {} kB travel",
            bytes.len() / 1000,
            most / 1000
        ))
        .hint("Make it smaller (a notebook without its outputs), or log it as a file of a run; an administrator can raise the limit under Sharing and settings."));
    }
    if is_notebook(&request.name) {
        notebook::read(&bytes).map_err(|e| ApiError::invalid(format!("{}: {e}", request.name)))?;
    } else if picture_of(&bytes).is_none() {
        return Err(ApiError::invalid("This is neither a picture nor a notebook")
            .hint("PNG, JPEG, GIF, WebP and Jupyter notebooks (.ipynb) can be put into a note."));
    }
    // The end of a name says what it is, so that it stays.
    let long = request.name.chars().count().saturating_sub(150);
    let name: String = request.name.chars().skip(long).filter(|c| !c.is_control() && !matches!(c, '[' | ']' | '\\')).take(200).collect();
    let name = if name.trim().is_empty() { "picture".to_owned() } else { name.trim().to_owned() };
    workspace.read(|r| r.require(subject.kind, &subject.id))?;
    let digest = workspace.store.put_blob(&bytes)?;
    workspace.append(Op::RecordAttached { subject, name: name.clone(), digest: digest.clone(), size: bytes.len() as u64 })?;
    Ok(Attached { markdown: format!("![{name}](attachment:{digest})"), digest: digest.to_string() })
}

/// What a link shows when somebody points at it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RecordCard {
    pub kind: String,
    pub id: String,
    pub title: String,
    /// The beginning of its text, or what is known of a person.
    pub text: String,
    pub project: Option<String>,
    pub project_title: Option<String>,
    pub by: Option<Person>,
    pub at_ms: Option<i64>,
}

pub fn card(host: &Host, subject: SubjectRef) -> Result<RecordCard, ApiError> {
    host.workspace()?.read(|r| {
        if subject.kind == "member" {
            let who = person(&*r.acl()?, &subject.id);
            let roles: Vec<&str> = who.roles.iter().map(|role| role.label.as_str()).collect();
            return Ok(RecordCard {
                text: roles.join(", "),
                kind: subject.kind,
                id: subject.id,
                title: who.name,
                project: None,
                project_title: None,
                by: None,
                at_ms: None,
            });
        }
        let parsed = subject.parse()?;
        let record = r.require(parsed.kind, &parsed.id)?;
        let project = audit::project_of(r, &subject)?;
        let project_title = match &project {
            Some(id) => Some(title_of(r, &Subject { kind: Kind::Project, id: id.clone() })?),
            None => None,
        };
        Ok(RecordCard {
            title: title_of(r, &parsed)?,
            text: body_of(parsed.kind, &record).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect(),
            kind: subject.kind,
            id: subject.id,
            project,
            project_title,
            by: Some(person_at(&*r.acl()?, &record.device)),
            at_ms: Some(record.at_ms),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_bytes_not_by_its_name() {
        assert_eq!(picture_of(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(picture_of(b"<svg onload=run()>"), None, "a drawing could carry scripts");
        assert_eq!(picture_of(b"RIFF....WEBPVP8 "), Some("image/webp"));
        assert_eq!(picture_of(b""), None);
    }
}
