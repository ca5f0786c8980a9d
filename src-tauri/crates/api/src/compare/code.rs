//! What differs between the code of two runs: between their commits, and in what was not committed.

use crate::ApiError;
use crate::host::{Host, Workspace};
use crate::reproduce::origin_of;
use cairn_core::id::Digest;
use cairn_core::op::Kind;
use cairn_ingest::checkout;
use serde::{Deserialize, Serialize};
use similar::TextDiff;
use std::path::Path;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TwoRuns {
    pub first: String,
    pub second: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct CodeDifference {
    /// From the first run's commit to the second's, as git says it; none: the same commit, or not to be had.
    pub commits: Option<String>,
    /// Why the commits could not be compared.
    pub why: Option<String>,
    /// How what was not committed differs, line by line; none: it does not.
    pub changes: Option<String>,
}

/// Characters of a difference; what is longer nobody reads.
const MOST: usize = 400_000;

pub fn difference(host: &Host, request: TwoRuns) -> Result<CodeDifference, ApiError> {
    let workspace = host.workspace()?;
    let (a, b) = workspace.read(|r| {
        Ok::<_, ApiError>((origin_of(&r.require(Kind::Run, &request.first)?), origin_of(&r.require(Kind::Run, &request.second)?)))
    })?;
    let mut found = CodeDifference::default();
    let (Some(a), Some(b)) = (a.code, b.code) else {
        found.why = Some("Of at least one of the runs it is not known which code it ran.".to_owned());
        return Ok(found);
    };
    match (&a.commit, &b.commit) {
        (Some(x), Some(y)) if x != y => {
            // The work tree of either run, where it is on this computer.
            let tried = [&b.root, &a.root].into_iter().filter(|r| is_local(r)).map(|root| checkout::between(Path::new(root), x, y, MOST));
            let mut why = "The folder of the code is not on this computer.".to_owned();
            for one in tried {
                match one {
                    Ok(text) => {
                        found.commits = Some(text);
                        break;
                    }
                    Err(error) => why = error.to_string(),
                }
            }
            found.why = found.commits.is_none().then_some(why);
        }
        (Some(_), Some(_)) => {}
        _ => found.why = Some("At least one of the runs was made before there was a commit.".to_owned()),
    }
    let here = |digest: &Option<Digest>| digest.as_ref().is_none_or(|d| workspace.store.blob_path(d).is_file());
    if a.changes != b.changes && !(here(&a.changes) && here(&b.changes)) {
        found.changes = Some("What was not committed is not on this computer yet.".to_owned());
    } else if a.changes != b.changes {
        let (old, new) = (text(&workspace, a.changes.as_ref()), text(&workspace, b.changes.as_ref()));
        let diff = TextDiff::configure().timeout(std::time::Duration::from_secs(2)).diff_lines(&old, &new);
        let said: String =
            diff.unified_diff().context_radius(3).header("first run, not committed", "second run, not committed").to_string();
        found.changes = Some(said.chars().take(MOST).collect());
    }
    Ok(found)
}

/// Whether a path, which another computer may have written, names a folder of this one: a network address would be asked
/// with this person's password.
fn is_local(root: &str) -> bool {
    !root.is_empty() && !root.starts_with("\\\\") && !root.starts_with("//") && Path::new(root).is_absolute()
}

fn text(workspace: &Workspace, digest: Option<&Digest>) -> String {
    digest
        .and_then(|d| std::fs::read(workspace.store.blob_path(d)).ok())
        .map(|b| String::from_utf8_lossy(&b).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_this_computer_are_opened() {
        assert!(is_local(&std::env::temp_dir().display().to_string()));
        for other in ["", r"\\server\share", "//server/share", "code"] {
            assert!(!is_local(other), "{other}");
        }
    }
}
