//! What the table of runs needs beside its rows: groups, and help with filters.

use crate::ApiError;
use crate::host::Host;
use crate::runs::{RunQuery, search_of};
use crate::tracking::complete;
use cairn_core::op::{Kind, Num};
use cairn_store::search::groups::GroupBy;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Groups that are shown at once.
const GROUPS: usize = 300;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct GroupQuery {
    #[serde(flatten)]
    pub query: RunQuery,
    /// `experiment`, `status`, `user`, `params.<name>` or `tags.<name>`.
    pub by: String,
    /// A metric whose last values are summed up for each group.
    #[serde(default)]
    #[ts(optional)]
    pub metric: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RunGroup {
    /// What the runs have in common, as people read it; none: they have none.
    pub value: Option<String>,
    #[ts(type = "number")]
    pub runs: u64,
    /// The condition that finds just these runs, to be joined with AND; none where it cannot be written.
    pub filter: Option<String>,
    /// Runs of the group that have the metric.
    #[ts(type = "number")]
    pub measured: u64,
    pub mean: Option<String>,
    pub lowest: Option<String>,
    pub highest: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RunGroups {
    pub groups: Vec<RunGroup>,
    /// How many groups there are in all.
    #[ts(type = "number")]
    pub total: u64,
}

pub fn groups(host: &Host, request: GroupQuery) -> Result<RunGroups, ApiError> {
    let by = match request.by.as_str() {
        "experiment" => GroupBy::Experiment,
        "status" => GroupBy::Status,
        "user" => GroupBy::User,
        other => match (other.strip_prefix("params."), other.strip_prefix("tags.")) {
            (Some(key), _) => GroupBy::Param(key.to_owned()),
            (_, Some(key)) => GroupBy::Tag(key.to_owned()),
            (None, None) => {
                return Err(ApiError::invalid(format!("Runs are not grouped by \"{other}\""))
                    .hint("There are experiment, status, user, params.<name> and tags.<name>."));
            }
        },
    };
    let workspace = host.workspace()?;
    let (search, _) = search_of(&workspace, &request.query, 0, 0)?;
    workspace.read(|r| {
        let (groups, total) = r.group_runs(&search, &by, request.metric.as_deref(), GROUPS)?;
        let mut out = Vec::new();
        for g in groups {
            let text = |v: f64| (g.measured > 0).then(|| String::from(Num(v)));
            let filter = condition(&by, g.value.as_deref());
            let (value, filter) = match (&by, &g.value) {
                (GroupBy::Experiment, Some(id)) => {
                    let name = r.record(Kind::Experiment, id)?.map(|e| e.text("name")).unwrap_or_default();
                    let filter = complete::quoted(&name).map(|n| format!("experiment = {n}"));
                    (Some(name), filter)
                }
                _ => (g.value.clone(), filter),
            };
            out.push(RunGroup {
                value,
                runs: g.runs,
                filter,
                measured: g.measured,
                mean: text(g.mean),
                lowest: text(g.lowest),
                highest: text(g.highest),
            });
        }
        Ok(RunGroups { groups: out, total: total as u64 })
    })
}

fn condition(by: &GroupBy, value: Option<&str>) -> Option<String> {
    let name = match by {
        GroupBy::Param(key) => format!("params.`{key}`"),
        GroupBy::Tag(key) => format!("tags.`{key}`"),
        GroupBy::Status => "status".to_owned(),
        GroupBy::User => "user_id".to_owned(),
        GroupBy::Experiment => return None,
    };
    let Some(value) = value else { return Some(format!("{name} IS NULL")) };
    // The index holds the first 64 characters of a text.
    let (sign, value) = if value.chars().count() >= 64 { ("LIKE", format!("{value}%")) } else { ("=", value.to_owned()) };
    complete::quoted(&value).map(|v| format!("{name} {sign} {v}"))
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CompleteFilter {
    pub text: String,
    /// Where the cursor is, counted in characters.
    pub cursor: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Completions {
    /// What a suggestion takes the place of, in characters.
    pub from: u32,
    pub to: u32,
    pub suggestions: Vec<Completion>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Completion {
    pub text: String,
    /// What it is, in a word or two.
    pub about: String,
}

/// What may stand next in a filter.
pub fn complete(host: &Host, request: CompleteFilter) -> Result<Completions, ApiError> {
    let workspace = host.workspace()?;
    let found = complete::suggest(&workspace, &request.text, request.cursor as usize)?;
    let position = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Completions {
        from: position(found.from),
        to: position(found.to),
        suggestions: found.all.into_iter().map(|s| Completion { text: s.text, about: s.about.to_owned() }).collect(),
    })
}
