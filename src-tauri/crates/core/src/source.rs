//! What a run knows about itself: the command that made it, the code that the command ran, and the
//! environment that it ran in. Enough to make it again.

use crate::id::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The origin of a run. Every part may be missing: what could not be found out is not guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSource {
    /// The folder that the command ran in, on the computer that made the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The program and its arguments, without secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The script or notebook, relative to `folder` where it lies below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notebook: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

/// The state of a git work tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// 40 or 64 hexadecimal digits; none before the first commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Where it can be cloned from, without names and secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The top of the work tree on the computer that made the run.
    pub root: String,
    /// The folder of the command below `root`; empty: `root` itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub below: String,
    /// Files that differ from the commit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changed: u64,
    /// What differs, as `git apply` takes it; small files that git does not follow are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Digest>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changes_bytes: u64,
    /// Files that differ and are not in `changes`: too large, or no text. At most a hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// What a command ran in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The version of Python, such as `3.11.7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// Packages and versions, a requirement a line, as pip takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<Digest>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub packages_count: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub packages_bytes: u64,
    /// The system's own name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cores: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub memory_bytes: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl RunSource {
    /// What a recorded source says; a part of another form is as if it were not there.
    pub fn read(recorded: &Map<String, Value>) -> Self {
        let part = |name: &str| recorded.get(name).cloned();
        let text = |name: &str| part(name).and_then(|v| v.as_str().map(str::to_owned));
        Self {
            folder: text("folder"),
            command: part("command").and_then(|v| serde_json::from_value(v).ok()).unwrap_or_default(),
            script: text("script"),
            notebook: text("notebook"),
            code: part("code").and_then(|v| serde_json::from_value(v).ok()),
            environment: part("environment").and_then(|v| serde_json::from_value(v).ok()),
        }
    }

    /// The form that is recorded.
    pub fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            Ok(_) | Err(_) => Map::new(),
        }
    }

    /// The files that it speaks of, with their sizes.
    pub fn files(&self) -> impl Iterator<Item = (&Digest, u64)> {
        let changes = self.code.as_ref().and_then(|c| c.changes.as_ref().map(|d| (d, c.changes_bytes)));
        let packages = self.environment.as_ref().and_then(|e| e.packages.as_ref().map(|d| (d, e.packages_bytes)));
        changes.into_iter().chain(packages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_written() {
        let source = RunSource { command: vec!["sh".into(), "train.sh".into()], ..RunSource::default() };
        assert_eq!(serde_json::to_string(&source).unwrap(), r#"{"command":["sh","train.sh"]}"#);
        assert_eq!(source.files().count(), 0);
    }

    #[test]
    fn a_part_in_a_form_of_tomorrow_does_not_hide_the_others() {
        let recorded =
            serde_json::json!({ "folder": "/work", "code": { "vcs": "moon" }, "command": 7, "environment": { "python": "3.14" } });
        let source = RunSource::read(recorded.as_object().unwrap());
        assert_eq!(source.folder.as_deref(), Some("/work"));
        assert_eq!((source.code, source.command.len()), (None, 0));
        assert_eq!(source.environment.unwrap().python.as_deref(), Some("3.14"));
    }
}
