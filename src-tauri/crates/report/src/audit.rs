//! The audit bundle as text: entries, table, signers, and the page that tells how to check it all
//! with tools that are not ours.
//!
//! Every field of an entry follows from the signed history alone, so that `verify.py` can work it out again.

mod page;
pub mod words;

pub use page::verify_page;

use crate::sheet::harmless;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The program that checks a bundle, the same in every bundle of a release.
pub const VERIFY_PY: &str = include_str!("../../../../assets/audit/verify.py");

/// One entry of the trail, as an auditor reads it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// UTC, RFC 3339; the author's claim.
    pub claimed_at: String,
    /// Minutes east of UTC where the author sat.
    pub utc_offset_minutes: i16,
    /// What the first other computer claimed that wrote in knowledge of it; none where none did.
    pub witnessed_at: Option<String>,
    /// The commit that proves it.
    pub witnessed_in: Option<String>,
    pub who: String,
    pub member: String,
    /// The roles that the member held, as far as they knew when they wrote.
    pub roles: String,
    pub device: String,
    pub number: u64,
    pub operation: String,
    /// What it is about, of a small closed set.
    pub meaning: String,
    pub what: String,
    /// How the record is called now.
    pub title: String,
    pub record: String,
    /// The project that the record belongs to, if any.
    pub project: String,
    pub why: Option<String>,
    pub before: Option<String>,
    pub after: String,
    /// The right that the author needed; empty where standing decides.
    pub needs: String,
    pub state: String,
    pub state_reason: Option<String>,
    /// The commit that carries it.
    pub commit: Option<String>,
    pub id: String,
    /// The claimed time, for filters; not written.
    #[serde(skip)]
    pub at_ms: i64,
}

/// Why an entry does not count, in words that follow from the history; `verify.py` has the same.
pub mod reason {
    pub const UNKNOWN: &str = "this kind of operation is not known to the program that made the bundle";
    pub const HELD: &str = "what it rested on does not stand any more";
    pub const REFUSED: &str = "its author had no right to it, or what it carries is not true";
    pub const NOT_LET_IN: &str = "its computer was not let in, as far as its author knew";
}

/// Which entries an extract holds. What is absent leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Held when it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// `<kind>/<id>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// Claimed at or after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Claimed before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// Only what does not count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_counted: bool,
}

impl Filter {
    pub fn fits(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, said: &str| wanted.as_deref().is_none_or(|w| w == said);
        is(&self.person, &entry.member)
            && self.role.as_deref().is_none_or(|role| entry.roles.split(' ').any(|r| r == role))
            && is(&self.record, &entry.record)
            && is(&self.project, &entry.project)
            && is(&self.meaning, &entry.meaning)
            && self.since_ms.is_none_or(|ms| entry.at_ms >= ms)
            && self.until_ms.is_none_or(|ms| entry.at_ms < ms)
            && (!self.not_counted || entry.state != "accepted")
    }
}

/// One public key that the history introduced.
#[derive(Debug, Clone)]
pub struct Signer {
    /// None for recovery keys and computers that were not let in.
    pub member: Option<String>,
    pub device: String,
    /// `ssh-ed25519 AAAA…`
    pub key: String,
}

/// A signed statement that lies in the bundle.
#[derive(Debug, Clone)]
pub struct Signed {
    /// File name below `statements/`, without extension.
    pub name: String,
    pub member: String,
}

/// The word of the computer that exported: `bundle.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Export {
    pub format: &'static str,
    pub workspace: String,
    /// The sha256 of the workspace's first commit object.
    pub fingerprint: String,
    pub made_at: String,
    pub program: String,
    pub exporter: Exporter,
    pub filter: Filter,
    pub entries: usize,
    pub entries_in_all: usize,
    pub commits: usize,
    pub tips: BTreeMap<String, Tip>,
    /// The texts in `policy/` by their sha256, with what they are.
    pub texts: BTreeMap<String, String>,
    /// Digests that the history names and whose texts this computer does not have.
    pub texts_missing: Vec<String>,
    /// Digests of pages that sign-offs name and that this computer does not have; the others are in `pages/`.
    pub pages_missing: Vec<String>,
    pub missing: Vec<String>,
}

/// The form of bundles that `verify.py` of this release reads.
pub const FORMAT: &str = "cairn-audit/1";

#[derive(Debug, Clone, Serialize)]
pub struct Exporter {
    pub device: String,
    pub member: String,
    pub name: String,
}

/// Up to where one computer's branch goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tip {
    pub commit: String,
    pub seq: u64,
    /// The number of its last operation.
    pub last: u64,
}

/// The trail as a table for spreadsheets.
pub fn csv(entries: &[Entry]) -> Result<String, String> {
    let mut plain = csv::Writer::from_writer(Vec::new());
    for entry in entries {
        plain.serialize(entry).map_err(|e| e.to_string())?;
    }
    let plain = plain.into_inner().map_err(|e| e.to_string())?;
    // Names, titles and reasons come from other people.
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in csv::ReaderBuilder::new().has_headers(false).from_reader(plain.as_slice()).records() {
        let row = row.map_err(|e| e.to_string())?;
        writer.write_record(row.iter().map(|cell| harmless(cell).into_owned())).map_err(|e| e.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|e| e.to_string())
}

/// The trail as one JSON object a line.
pub fn jsonl(entries: &[Entry]) -> Result<String, String> {
    let mut out = String::new();
    for entry in entries {
        out.push_str(&serde_json::to_string(entry).map_err(|e| e.to_string())?);
        out.push('\n');
    }
    Ok(out)
}

/// The file that `git verify-commit` and `ssh-keygen -Y verify` ask for.
pub fn allowed_signers(signers: &[Signer]) -> String {
    let mut out = String::new();
    for s in signers {
        out.push_str(&format!("{}@cairn.invalid namespaces=\"git,bundle@cairn\" {}\n", s.device, s.key));
        if let Some(member) = &s.member {
            out.push_str(&format!("{member} namespaces=\"approval@cairn\" {}\n", s.key));
        }
    }
    out
}

/// What the bundle covers, for its page.
#[derive(Debug, Clone)]
pub struct Cover<'a> {
    pub workspace: &'a str,
    pub made_at: &'a str,
    pub program: &'a str,
    /// The name of the person who exported, and their computer.
    pub exporter: &'a str,
    pub device: &'a str,
    /// The filter of an extract, as JSON.
    pub filter: Option<&'a str>,
    pub entries: usize,
    pub all: usize,
    pub commits: usize,
    /// What a reader must know to be missing.
    pub missing: &'a [String],
    /// How many pages lie in `pages/`.
    pub pages: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_commits_and_approvals_under_different_names() {
        let text = allowed_signers(&[Signer { member: Some("m1".into()), device: "d1".into(), key: "ssh-ed25519 AAAA".into() }]);
        assert_eq!(
            text,
            "d1@cairn.invalid namespaces=\"git,bundle@cairn\" ssh-ed25519 AAAA\nm1 namespaces=\"approval@cairn\" ssh-ed25519 AAAA\n"
        );
    }

    #[test]
    fn what_other_people_wrote_is_no_formula_in_a_spreadsheet() {
        let text = |t: &str| t.to_owned();
        let entry = Entry {
            claimed_at: text("2026-01-01T00:00:00Z"),
            utc_offset_minutes: -60,
            witnessed_at: None,
            witnessed_in: None,
            who: text("=HYPERLINK(\"http://evil\")"),
            member: text("m"),
            roles: text("owner"),
            device: text("d"),
            number: 1,
            operation: text("note.created"),
            meaning: text("discussion"),
            what: text("wrote a note"),
            title: text(""),
            project: text(""),
            needs: text("collaborate"),
            at_ms: 0,
            record: text("note/n"),
            why: Some(text("@SUM(A1)")),
            before: None,
            after: text("-0.5"),
            state: text("accepted"),
            state_reason: None,
            commit: None,
            id: text("d.1"),
        };
        let table = csv(&[entry]).unwrap();
        let (head, row) = table.split_once('\n').unwrap();
        assert!(head.starts_with("claimed_at,utc_offset_minutes,"), "{head}");
        assert!(row.contains(",-60,") && row.contains("\"'=HYPERLINK(") && row.contains(",'@SUM(A1),") && row.contains(",-0.5,"), "{row}");
    }
}
