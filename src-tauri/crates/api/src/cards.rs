//! Model cards: reading, editing, completeness.

use crate::error::body;
use crate::host::Host;
use crate::notes::report::{self, NotePart};
use crate::people::{Person, RoleName, person_at};
use crate::projects::{Version, base_of, bases};
use crate::{ApiError, templates};
use cairn_core::card::{self, Section, Sections};
use cairn_core::id::{Digest, ModelVersionId};
use cairn_core::op::{Kind, Op};
use cairn_report::markdown::to_html;
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Card {
    pub version: String,
    pub model: String,
    pub number: u32,
    pub project: String,
    /// Changes with every letter; a sign-off binds to it.
    pub digest: String,
    pub sections: Vec<CardSection>,
    /// Titles of required sections that are empty.
    pub missing: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CardSection {
    pub id: String,
    pub title: String,
    pub question: String,
    pub required: bool,
    pub from_run: bool,
    pub owner: RoleName,
    pub source: String,
    pub text: String,
    /// What is read, safe to show, with charts in their places.
    pub parts: Vec<NotePart>,
    pub base: Option<String>,
    pub edited_by: Option<Person>,
    pub edited_ms: Option<i64>,
    pub versions: Vec<Version>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct VersionRef {
    pub version: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EditCard {
    pub version: String,
    pub section: String,
    pub text: String,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Rendered {
    pub html: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RenderMarkdown {
    pub text: String,
}

/// The texts of a version's card.
pub fn sections_of(version: &Record) -> Sections {
    version.pairs("card")
}

/// The required sections that are empty.
pub fn missing(version: &Record) -> Vec<&'static Section> {
    card::missing(templates::card(), &sections_of(version))
}

/// The digest that sign-offs bind to.
pub fn digest(model: &Record, version: &Record) -> Digest {
    card::digest(&model.text("name"), number(version), &sections_of(version))
}

pub fn number(version: &Record) -> u32 {
    version.int("number").and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

pub fn get(host: &Host, request: VersionRef) -> Result<Card, ApiError> {
    let workspace = host.workspace()?;
    let mut card = workspace.read(|r| view(r, &request.version))?;
    for section in &mut card.sections {
        section.parts = report::ready(&workspace, std::mem::take(&mut section.parts));
    }
    Ok(card)
}

pub fn edit(host: &Host, request: EditCard) -> Result<Card, ApiError> {
    let workspace = host.workspace()?;
    let version = ModelVersionId::parse(request.version.clone())?;
    if !templates::card().sections.iter().any(|s| s.id == request.section) {
        return Err(ApiError::invalid(format!("\"{}\" is no section of a model card", request.section)));
    }
    workspace.read(|r| r.require(Kind::ModelVersion, version.as_str()))?;
    let text = body("Text", &request.text)?;
    let base = bases(request.base.as_deref())?;
    workspace.append(Op::CardEdited { version, section: request.section, text, base })?;
    get(host, VersionRef { version: request.version })
}

pub fn render(_: &Host, request: RenderMarkdown) -> Result<Rendered, ApiError> {
    Ok(Rendered { html: to_html(&request.text) })
}

pub(crate) fn view(r: &Reader<'_>, id: &str) -> Result<Card, ApiError> {
    let acl = r.acl()?;
    let version = r.require(Kind::ModelVersion, id)?;
    let model = r.require(Kind::Model, version.parent.as_deref().unwrap_or_default())?;
    let mut sections = Vec::new();
    for section in &templates::card().sections {
        let cell = version.cell_of("card", &section.id);
        let heads = r.heads(Kind::ModelVersion, id, "card", &section.id)?;
        let newest = heads.first().cloned();
        let base = base_of(&heads);
        let versions: Vec<Version> =
            heads.into_iter().map(|h| Version { op: h.op, value: h.value, by: person_at(&acl, &h.device), at_ms: h.at_ms }).collect();
        let text = cell.map(|c| c.value.clone()).unwrap_or_default();
        sections.push(CardSection {
            id: section.id.clone(),
            title: section.title.clone(),
            question: section.question.clone(),
            required: section.required,
            from_run: section.from_run,
            owner: section.owner.into(),
            source: section.source.clone(),
            parts: report::parts(&text),
            text,
            base,
            edited_by: newest.as_ref().map(|h| person_at(&acl, &h.device)),
            edited_ms: newest.map(|h| h.at_ms),
            versions: if versions.len() > 1 { versions } else { Vec::new() },
        });
    }
    Ok(Card {
        version: id.to_owned(),
        project: crate::tracking::registry::project_of(&model).unwrap_or_default(),
        model: model.text("name"),
        number: number(&version),
        digest: digest(&model, &version).to_string(),
        sections,
        missing: missing(&version).into_iter().map(|s| s.title.clone()).collect(),
    })
}
