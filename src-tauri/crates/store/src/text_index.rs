//! Finding anything by its words, and what links to what. Follows the cells of records that hold text; runs, of which
//! there are many, are found by their names instead.

use crate::StoreError;
use crate::records::Record;
use crate::store::Reader;
use cairn_core::op::Kind;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// The fields whose text is found, by kind: which are a title, and which a body.
fn fields(kind: Kind) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some(match kind {
        Kind::Project => (&["title"], &["problem", "hypothesis", "value_metric", "cost_false_positive", "cost_false_negative", "answer"]),
        Kind::Experiment | Kind::Dataset => (&["name"], &[]),
        Kind::Model => (&["name"], &["description"]),
        Kind::ModelVersion => (&[], &["card", "description"]),
        Kind::Note | Kind::Finding => (&["content"], &["content"]),
        Kind::Comment => (&[], &["text"]),
        Kind::Checklist => (&[], &["item"]),
        Kind::Criteria => (&[], &["list"]),
        Kind::Run
        | Kind::LoggedModel
        | Kind::DatasetVersion
        | Kind::Release
        | Kind::Signoff
        | Kind::Deployment
        | Kind::Segment
        | Kind::View
        | Kind::Setting
        | Kind::Panel
        | Kind::Pin
        | Kind::Template
        | Kind::Assessment
        | Kind::Monitor => return None,
    })
}

/// Whether a write to a field changes what is found.
pub(crate) fn is_text(kind: Kind, field: &str) -> bool {
    fields(kind).is_some_and(|(titles, bodies)| field == "deleted" || titles.contains(&field) || bodies.contains(&field))
}

/// The words of a cell: of cells that hold JSON only the texts in it that people wrote.
fn words(field: &str, value: &str, title: bool) -> String {
    match field {
        "content" => {
            let value: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
            value[if title { "title" } else { "text" }].as_str().unwrap_or_default().to_owned()
        }
        "item" => {
            let value: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
            value["comment"].as_str().unwrap_or_default().to_owned()
        }
        "list" => {
            let value: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
            let all = value.as_array().into_iter().flatten();
            all.flat_map(|c| [c["metric"].as_str(), c["slice"].as_str(), c["data"].as_str()]).flatten().collect::<Vec<_>>().join(" ")
        }
        _ => value.to_owned(),
    }
}

/// The text of a record that is found by its words, without its title.
pub fn body_of(kind: Kind, record: &Record) -> String {
    let Some((_, bodies)) = fields(kind) else { return String::new() };
    let all = bodies.iter().flat_map(|f| record.cells.of(f).map(|(_, c)| words(f, &c.value, false)));
    all.collect::<Vec<_>>().join("\n")
}

/// Reads the text of a record anew into the index, and what it links to.
pub(crate) fn follow(conn: &Connection, kind: Kind, num: i64) -> Result<(), StoreError> {
    let Some((titles, bodies)) = fields(kind) else { return Ok(()) };
    forget(conn, num)?;
    let (mut title, mut body) = (String::new(), String::new());
    let mut statement = conn.prepare_cached("SELECT field, value FROM cell WHERE record = ?1 AND value IS NOT NULL")?;
    let mut rows = statement.query([num])?;
    while let Some(row) = rows.next()? {
        let (field, value) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
        if field == "deleted" {
            return Ok(());
        }
        if titles.contains(&field) {
            title.push_str(&words(field, value, true));
            title.push('\n');
        }
        if bodies.contains(&field) {
            body.push_str(&words(field, value, false));
            body.push('\n');
        }
    }
    conn.prepare_cached("INSERT INTO text_index (rowid, title, body) VALUES (?1, ?2, ?3)")?.execute(params![num, title, body])?;
    for (kind, id) in links(&body) {
        conn.prepare_cached("INSERT OR IGNORE INTO link (source, kind, id) VALUES (?1, ?2, ?3)")?.execute(params![num, kind, id])?;
    }
    Ok(())
}

pub(crate) fn forget(conn: &Connection, num: i64) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM text_index WHERE rowid = ?1")?.execute([num])?;
    conn.prepare_cached("DELETE FROM link WHERE source = ?1")?.execute([num])?;
    Ok(())
}

pub(crate) fn forget_all(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch("INSERT INTO text_index (text_index) VALUES ('delete-all'); DELETE FROM link;")?;
    Ok(())
}

/// The scheme of links to records and people in texts.
pub const SCHEME: &str = "cairn:";

/// What a text links to: `cairn:kind/id` wherever it stands.
pub fn links(text: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(SCHEME) {
        let rest = &text[at + SCHEME.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-'))).unwrap_or(rest.len());
        if let Some((kind, id)) = rest[..end].split_once('/')
            && !kind.is_empty()
            && !id.is_empty()
            && id.len() <= 64
            && !id.contains('/')
        {
            found.insert((kind.to_owned(), id.to_owned()));
        }
    }
    found
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Find {
    /// Words that all must be there, the last one perhaps not typed to its end.
    pub words: String,
    /// Only these kinds; empty: all.
    pub kinds: Vec<String>,
    /// Only these projects and what belongs to one at first hand; none: everything.
    pub projects: Option<Vec<String>>,
    pub limit: u32,
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub kind: String,
    pub id: String,
}

/// The words as the index is asked for them: each in quotes, so that nothing in them is a command.
fn asked(words: &str) -> Option<String> {
    let all: Vec<String> =
        words.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).take(16).map(|w| format!("\"{w}\"")).collect();
    let open = words.ends_with(|c: char| c.is_alphanumeric());
    (!all.is_empty()).then(|| format!("{}{}", all.join(" "), if open { "*" } else { "" }))
}

impl Reader<'_> {
    /// Records by their words, the best first: words in a title weigh ten times as much.
    pub fn find_text(&self, find: &Find) -> Result<Vec<Hit>, StoreError> {
        let Some(asked) = asked(&find.words) else { return Ok(Vec::new()) };
        let kinds = if find.kinds.is_empty() { None } else { Some(serde_json::json!(find.kinds).to_string()) };
        let mut statement = self.prepare_cached(
            "SELECT r.kind, r.id FROM text_index t CROSS JOIN record r ON r.num = t.rowid
             WHERE text_index MATCH ?1 AND (?2 IS NULL OR r.kind IN (SELECT value FROM json_each(?2))) AND r.ms IS NOT NULL
               AND (?4 IS NULL OR r.id IN (SELECT value FROM json_each(?4)) OR r.parent IN (SELECT value FROM json_each(?4))
                 OR r.parent IN (SELECT 'project/' || value FROM json_each(?4)))
             ORDER BY bm25(text_index, 10.0, 1.0), r.num DESC LIMIT ?3",
        )?;
        let projects = find.projects.as_ref().map(|p| serde_json::json!(p).to_string());
        let rows =
            statement.query_map(params![asked, kinds, find.limit, projects], |row| Ok(Hit { kind: row.get(0)?, id: row.get(1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Runs whose name holds a text, the newest first.
    pub fn find_runs(&self, words: &str, limit: u32) -> Result<Vec<Hit>, StoreError> {
        let words = words.trim();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let escaped = words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let mut statement = self.prepare_cached(
            "SELECT id FROM run WHERE deleted = 0 AND experiment IS NOT NULL AND (name LIKE ?1 ESCAPE '\\' OR id LIKE ?2 ESCAPE '\\')
             ORDER BY start_ms DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![format!("%{escaped}%"), format!("{escaped}%"), limit], |row| {
            Ok(Hit { kind: Kind::Run.as_str().to_owned(), id: row.get(0)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Runs that took in data of a digest, the newest first.
    pub fn runs_with_data(&self, digest: &str, most: usize) -> Result<Vec<String>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT DISTINCT r.id FROM run_dataset d JOIN run r ON r.num = d.run WHERE d.digest = ?1 AND r.deleted = 0
             ORDER BY r.start_ms DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![digest, most], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The ids of runs by this file's numbers for them.
    pub fn run_ids(&self, numbers: &[i64]) -> Result<Vec<String>, StoreError> {
        let mut statement = self.prepare_cached("SELECT id FROM run WHERE num = ?1")?;
        numbers.iter().map(|num| Ok(statement.query_row([num], |row| row.get(0))?)).collect()
    }

    /// The records whose texts link to something.
    pub fn linked_from(&self, kind: &str, id: &str) -> Result<Vec<Hit>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT r.kind, r.id FROM link l JOIN record r ON r.num = l.source WHERE l.kind = ?1 AND l.id = ?2 AND r.ms IS NOT NULL ORDER BY r.at_ms DESC",
        )?;
        let rows = statement.query_map([kind, id], |row| Ok(Hit { kind: row.get(0)?, id: row.get(1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the texts of a record link to.
    pub fn links_of(&self, kind: Kind, id: &str) -> Result<Vec<Hit>, StoreError> {
        let num: Option<i64> = self
            .prepare_cached("SELECT num FROM record WHERE kind = ?1 AND id = ?2")?
            .query_row([kind.as_str(), id], |row| row.get(0))
            .optional()?;
        let Some(num) = num else { return Ok(Vec::new()) };
        let mut statement = self.prepare_cached("SELECT kind, id FROM link WHERE source = ?1 ORDER BY kind, id")?;
        let rows = statement.query_map([num], |row| Ok(Hit { kind: row.get(0)?, id: row.get(1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_asked_for_in_quotes_and_the_last_may_be_unfinished() {
        assert_eq!(asked("drift rec").as_deref(), Some("\"drift\" \"rec\"*"));
        assert_eq!(asked("drift ").as_deref(), Some("\"drift\""));
        assert_eq!(asked("a OR (b) NEAR\"").as_deref(), Some("\"a\" \"OR\" \"b\" \"NEAR\""), "nothing in it is a command");
        assert_eq!(asked(" -- "), None);
    }

    #[test]
    fn links_are_found_wherever_they_stand() {
        let text = "See [the run](cairn:run/0a1b) and cairn:note/n-1, [@Ana](cairn:member/m1). cairn: cairn:x cairn:run/";
        let found: Vec<String> = links(text).into_iter().map(|(k, i)| format!("{k}/{i}")).collect();
        assert_eq!(found, ["member/m1", "note/n-1", "run/0a1b"]);
    }
}
