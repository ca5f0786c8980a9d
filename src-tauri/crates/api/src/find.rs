//! Finding anything: one search over all records and notes, and what links to what.

use crate::ApiError;
use crate::checklists::title_of;
use crate::host::Host;
use crate::notes::SubjectRef;
use crate::people::{Person, person_at};
use crate::{audit, comments};
use cairn_core::op::{Kind, Subject};
use cairn_store::Reader;
use cairn_store::records::Record;
use cairn_store::text_index::{Find, Hit, body_of};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FindQuery {
    /// Words that all must be there. `type:note` and `in:churn` (a word of the project's title) narrow it.
    pub words: String,
    /// Only these kinds; empty: all.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// At most 100; 20 when left out.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Found {
    pub kind: String,
    pub id: String,
    pub title: String,
    /// Where the words stand, with some around; empty where they stand in the title alone.
    pub snippet: String,
    pub project: Option<String>,
    pub project_title: Option<String>,
    pub by: Person,
    pub at_ms: i64,
    /// Of a comment: what it is about.
    pub about: Option<SubjectRef>,
}

/// Kinds that can be asked for, with other words that people use for them.
const WORDS: [(&str, &str); 16] = [
    ("note", "note"),
    ("notes", "note"),
    ("run", "run"),
    ("runs", "run"),
    ("project", "project"),
    ("dataset", "dataset"),
    ("data", "dataset"),
    ("model", "model"),
    ("card", "model_version"),
    ("version", "model_version"),
    ("finding", "finding"),
    ("comment", "comment"),
    ("question", "comment"),
    ("handoff", "checklist"),
    ("criteria", "criteria"),
    ("experiment", "experiment"),
];

pub fn find(host: &Host, query: FindQuery) -> Result<Vec<Found>, ApiError> {
    let limit = query.limit.unwrap_or(20).min(100);
    let mut kinds = query.kinds;
    let mut within = Vec::new();
    let mut words = Vec::new();
    for word in query.words.split_whitespace() {
        match word.split_once(':') {
            Some(("type" | "kind", kind)) if !kind.is_empty() => {
                let known = WORDS.iter().find(|(w, _)| w.eq_ignore_ascii_case(kind)).map(|(_, k)| *k);
                kinds.push(known.unwrap_or(kind).to_lowercase());
            }
            Some(("in", project)) if !project.is_empty() => within.push(project.to_lowercase()),
            _ => words.push(word),
        }
    }
    let mut text = words.join(" ");
    if query.words.ends_with(' ') {
        text.push(' ');
    }
    host.workspace()?.read(|r| {
        let mut asked =
            Find { words: text.clone(), kinds: kinds.clone(), projects: None, limit: if within.is_empty() { limit } else { 200 } };
        let mut hits = Vec::new();
        if !within.is_empty() {
            // First what belongs to the projects that are meant, then what does so by a longer way, such as cards.
            let all = r.records_with(Kind::Project, None, Some(&["title", "deleted"]))?;
            let meant = |p: &Record| within.iter().all(|w| p.text("title").to_lowercase().contains(w));
            asked.projects = Some(all.iter().filter(|p| !p.deleted() && meant(p)).map(|p| p.id.clone()).collect());
            hits = r.find_text(&asked)?;
            asked.projects = None;
        }
        hits.extend(r.find_text(&asked)?);
        if kinds.is_empty() || kinds.iter().any(|k| k == "run") {
            // Runs are found by their names; they come after what people wrote.
            hits.extend(r.find_runs(&text, if kinds.len() == 1 { limit } else { 8 })?);
        }
        let mut titles: BTreeMap<String, String> = BTreeMap::new();
        let mut out = Vec::new();
        let mut seen = BTreeSet::new();
        for hit in hits.into_iter().filter(|h| seen.insert((h.kind.clone(), h.id.clone()))) {
            if out.len() >= limit as usize {
                break;
            }
            if let Some(found) = shown(r, &hit, &words, &mut titles)? {
                let title = found.project_title.clone().unwrap_or_default().to_lowercase();
                if within.iter().all(|w| title.contains(w)) {
                    out.push(found);
                }
            }
        }
        Ok(out)
    })
}

fn shown(r: &Reader<'_>, hit: &Hit, words: &[&str], titles: &mut BTreeMap<String, String>) -> Result<Option<Found>, ApiError> {
    let subject = SubjectRef { kind: hit.kind.clone(), id: hit.id.clone() };
    let parsed = subject.parse()?;
    let Some(record) = r.record(parsed.kind, &parsed.id)? else { return Ok(None) };
    let project = audit::project_of(r, &subject)?;
    let project_title = match &project {
        Some(id) => Some(match titles.get(id) {
            Some(known) => known.clone(),
            None => {
                let title = title_of(r, &Subject { kind: Kind::Project, id: id.clone() })?;
                titles.entry(id.clone()).or_insert(title).clone()
            }
        }),
        None => None,
    };
    let title = match parsed.kind {
        Kind::Checklist => format!("Handoff {}", record.text("gate")),
        Kind::Comment => format!("Comment on {}", title_of(r, &comments::about_of(&record).parse()?)?),
        _ => title_of(r, &parsed)?,
    };
    Ok(Some(Found {
        snippet: snippet(&body_of(parsed.kind, &record), words),
        about: (parsed.kind == Kind::Comment).then(|| comments::about_of(&record)),
        kind: hit.kind.clone(),
        id: hit.id.clone(),
        title,
        project,
        project_title,
        by: person_at(&*r.acl()?, &record.device),
        at_ms: record.at_ms,
    }))
}

/// Characters before and after the first word that was found.
const AROUND: usize = 60;

/// A piece of a text around the first of the words.
fn snippet(text: &str, words: &[&str]) -> String {
    let lower: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let chars: Vec<char> = text.chars().collect();
    // Letters that become several in lower case would move every place after them.
    let place = |word: &str| {
        let word: Vec<char> = word.to_lowercase().chars().collect();
        (!word.is_empty() && lower.len() == chars.len()).then(|| lower.windows(word.len()).position(|w| w == word.as_slice())).flatten()
    };
    let Some(at) = words.iter().find_map(|w| place(w)) else { return String::new() };
    let (from, to) = (at.saturating_sub(AROUND), (at + AROUND * 2).min(chars.len()));
    let piece: String = chars[from..to].iter().map(|c| if c.is_whitespace() { ' ' } else { *c }).collect();
    format!("{}{}{}", if from > 0 { "…" } else { "" }, piece.trim(), if to < chars.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_the_word_with_some_around() {
        let text = format!("{} recall fell in May {}", "a ".repeat(100), "b ".repeat(100));
        let found = snippet(&text, &["Recall"]);
        assert!(found.starts_with('…') && found.ends_with('…') && found.contains("recall fell in May"), "{found}");
        assert_eq!(snippet("short", &["none"]), "");
        assert_eq!(snippet("İstanbul recall", &["recall"]), "", "a text that cannot be placed has none, and nothing breaks");
    }
}
