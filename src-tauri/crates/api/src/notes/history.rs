//! What a note said before, and what each edit changed.

use crate::ApiError;
use crate::host::Host;
use crate::people::{Person, person_at};
use cairn_core::op::Kind;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct NoteRef {
    pub note: String,
}

/// One state of a note, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct NoteVersion {
    pub op: String,
    pub by: Person,
    pub at_ms: i64,
    pub title: String,
    pub text: String,
    /// By what it differs from the one that it was based on; of the first all lines are new.
    pub changes: Vec<LineChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LineChange {
    /// `same`, `added` or `removed`.
    pub what: String,
    pub line: String,
}

/// Lines around a change that are shown with it.
const AROUND: usize = 2;

pub fn history(host: &Host, request: NoteRef) -> Result<Vec<NoteVersion>, ApiError> {
    host.workspace()?.read(|r| {
        let acl = r.acl()?;
        r.require(Kind::Note, &request.note)?;
        let all = r.history(Kind::Note, &request.note, "content", "")?;
        let text_of = |value: &str| {
            let value: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            (text("title"), text("text"))
        };
        let before = |base: &[String]| all.iter().find(|e| base.contains(&e.op)).map(|e| text_of(&e.value).1).unwrap_or_default();
        Ok(all
            .iter()
            .map(|edit| {
                let (title, text) = text_of(&edit.value);
                let changes = changes(&before(&edit.base), &text);
                NoteVersion { op: edit.op.clone(), by: person_at(&acl, &edit.device), at_ms: edit.at_ms, title, text, changes }
            })
            .collect())
    })
}

/// The lines that changed, with some around them; an empty line of the kind `gap` stands for what was left out.
pub(crate) fn changes(before: &str, after: &str) -> Vec<LineChange> {
    let diff = TextDiff::from_lines(before, after);
    let mut out = Vec::new();
    for (i, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if i > 0 {
            out.push(LineChange { what: "gap".to_owned(), line: String::new() });
        }
        for op in group {
            for change in diff.iter_changes(op) {
                let what = match change.tag() {
                    ChangeTag::Equal => "same",
                    ChangeTag::Delete => "removed",
                    ChangeTag::Insert => "added",
                };
                out.push(LineChange { what: what.to_owned(), line: change.value().trim_end_matches(['\n', '\r']).to_owned() });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_shows_what_it_changed_and_a_little_around() {
        let before: String = (1..=20).map(|i| format!("line {i}\n")).collect();
        let after = before.replace("line 10\n", "line ten\n");
        let found: Vec<String> = changes(&before, &after).into_iter().map(|c| format!("{} {}", c.what, c.line)).collect();
        assert_eq!(found, ["same line 8", "same line 9", "removed line 10", "added line ten", "same line 11", "same line 12"]);
        assert!(changes("a", "a").is_empty());
    }
}
