//! The audit bundle as text: entries, table, signers, and the page that tells how to check it all
//! with tools that are not ours.

use crate::sheet::harmless;
use serde::Serialize;

/// One entry of the trail, as an auditor reads it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// UTC, RFC 3339; the author's claim.
    pub claimed_at: String,
    /// Minutes east of UTC where the author sat.
    pub utc_offset_minutes: i16,
    /// When this computer received it; none for its own.
    pub received_at: Option<String>,
    pub who: String,
    pub member: String,
    /// The roles that the member holds.
    pub roles: String,
    pub device: String,
    pub number: u64,
    pub operation: String,
    pub what: String,
    pub record: String,
    pub why: Option<String>,
    pub before: Option<String>,
    pub after: String,
    pub state: String,
    pub state_reason: Option<String>,
    /// The commit that carries it; none while it is not sealed.
    pub commit: Option<String>,
    pub id: String,
}

/// One signer.
#[derive(Debug, Clone)]
pub struct Signer {
    pub member: String,
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
        out.push_str(&format!("{}@cairn.invalid namespaces=\"git\" {}\n", s.device, s.key));
        out.push_str(&format!("{} namespaces=\"approval@cairn\" {}\n", s.member, s.key));
    }
    out
}

/// What the bundle covers.
#[derive(Debug, Clone)]
pub struct Cover<'a> {
    pub workspace: &'a str,
    pub made_at: &'a str,
    pub program: &'a str,
    pub entries: usize,
    pub commits: usize,
    /// What a reader must know to be missing.
    pub missing: &'a [String],
}

/// `VERIFY.md`: every line in it can be pasted into a shell that stands in the bundle's folder.
pub fn verify_page(cover: &Cover<'_>, signed: &[Signed]) -> String {
    let mut page = format!(
        "# Audit trail of {}\n\nMade {} by {}. It holds {} entries in {} signed commits.\n\n",
        cover.workspace, cover.made_at, cover.program, cover.entries, cover.commits
    );
    if cover.missing.is_empty() {
        page.push_str("Nothing that this computer knows of is missing.\n\n");
    } else {
        page.push_str("What is missing or does not count:\n\n");
        for line in cover.missing {
            page.push_str(&format!("- {line}\n"));
        }
        page.push('\n');
    }
    page.push_str(
        "| file | what |\n|---|---|\n| `trail.csv`, `trail.jsonl` | who did what, when, in which role, why, before and after |\n\
         | `statements/` | the exact bytes of every sign-off, and its signature |\n| `repo.bundle` | the signed history itself |\n\
         | `allowed_signers` | the public key of every member's computer |\n| `manifest.sha256` | the digest of every file |\n\n\
         You need only `sha256sum`, `git` (2.34 or later) and `ssh-keygen`. Stand in this folder and paste.\n\n\
         Every file is as it was written:\n\n```sh\nsha256sum --check --quiet manifest.sha256\n```\n\n\
         The history is complete and well formed:\n\n```sh\ngit init --quiet --bare repo.git\ngit -C repo.git fetch --quiet ../repo.bundle 'refs/*:refs/*'\ngit -C repo.git fsck --strict\n```\n\n\
         Every commit is signed by a member's computer:\n\n```sh\ngit -C repo.git rev-list --all > commits.txt\n\
         while read c; do git -C repo.git -c gpg.ssh.allowedSignersFile=\"$PWD/allowed_signers\" verify-commit \"$c\" || exit 1; done < commits.txt\n```\n",
    );
    if signed.is_empty() {
        page.push_str("\nNobody has signed off a release yet.\n");
    } else {
        page.push_str("\nEvery sign-off was signed by the person it names:\n\n```sh\n");
        for s in signed {
            page.push_str(&format!(
                "ssh-keygen -Y verify -f allowed_signers -I {} -n approval@cairn -s statements/{n}.json.sig < statements/{n}.json\n",
                s.member,
                n = s.name
            ));
        }
        page.push_str("```\n");
    }
    page.push_str(
        "\nA signature says who and what, not when: the times are the signers' own claims. \
         The order is proven by the history, because each commit names the commits its author knew.\n",
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_commits_and_approvals_under_different_names() {
        let text = allowed_signers(&[Signer { member: "m1".into(), device: "d1".into(), key: "ssh-ed25519 AAAA".into() }]);
        assert_eq!(text, "d1@cairn.invalid namespaces=\"git\" ssh-ed25519 AAAA\nm1 namespaces=\"approval@cairn\" ssh-ed25519 AAAA\n");
    }

    #[test]
    fn what_other_people_wrote_is_no_formula_in_a_spreadsheet() {
        let text = |t: &str| t.to_owned();
        let entry = Entry {
            claimed_at: text("2026-01-01T00:00:00Z"),
            utc_offset_minutes: -60,
            received_at: None,
            who: text("=HYPERLINK(\"http://evil\")"),
            member: text("m"),
            roles: text("owner"),
            device: text("d"),
            number: 1,
            operation: text("note.created"),
            what: text("wrote a note"),
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
