//! What there is to draw: the names of metrics, parameters, histograms, pictures and tables of some runs.

use super::layers::picture_of;
use super::spec::{ChartKind, ChartSpec, RunSet};
use super::{choose, say};
use crate::ApiError;
use crate::host::Host;
use crate::tracking::TrackingError;
use crate::tracking::files::artifacts_of;
use crate::tracking::runs as tracked;
use cairn_core::op::Kind;
use cairn_stats::relate::Better;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct BrowseCharts {
    #[serde(default)]
    pub of: RunSet,
    /// Only names that hold all of these words.
    #[serde(default)]
    #[ts(optional)]
    pub search: Option<String>,
}

/// What some runs have. Long lists are cut; a search finds the rest.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct Drawable {
    pub metrics: Vec<DrawableMetric>,
    /// How many metrics there are in all that fit.
    #[ts(type = "number")]
    pub metrics_total: u64,
    pub params: Vec<DrawableParam>,
    pub tags: Vec<String>,
    pub histograms: Vec<String>,
    /// Pictures by step, by name.
    pub pictures: Vec<String>,
    /// Files that may hold predictions.
    pub tables: Vec<String>,
    #[ts(type = "number")]
    pub runs: u64,
    /// The metric that most likely says which run is better.
    pub target: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DrawableMetric {
    pub name: String,
    /// How many of the runs have it.
    #[ts(type = "number")]
    pub runs: u64,
    /// The most points that a run has of it.
    #[ts(type = "number")]
    pub points: u64,
    /// `higher`, `lower`, or empty where its name does not tell.
    pub better: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DrawableParam {
    pub name: String,
    /// How many different values it has.
    #[ts(type = "number")]
    pub values: u64,
}

/// Names that are listed at once.
const NAMES: usize = 1_000;
/// Runs whose files are looked at.
const FILES_OF: usize = 50;

pub fn browse(host: &Host, request: BrowseCharts) -> Result<Drawable, ApiError> {
    let workspace = host.workspace()?;
    match tracked::freshen(&workspace) {
        Ok(()) | Err(TrackingError::Denied(_)) => {}
        Err(error) => return Err(error.into()),
    }
    // Any kind but lines: what runs have is asked for, not which have one metric.
    let chosen = choose(&workspace, &request.of, &ChartSpec { kind: ChartKind::Table, ..ChartSpec::default() }, None)?;
    let words: Vec<String> = request.search.unwrap_or_default().to_lowercase().split_whitespace().map(str::to_owned).collect();
    let fits = |name: &str| words.is_empty() || words.iter().all(|w| name.to_lowercase().contains(w));
    let mut metrics: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut params: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut tags: BTreeSet<&str> = BTreeSet::new();
    for run in &chosen.runs {
        for m in run.metrics.iter().filter(|m| fits(&m.key)) {
            let known = metrics.entry(&m.key).or_default();
            *known = (known.0 + 1, known.1.max(m.count));
        }
        for (name, value) in run.params.iter().filter(|(name, _)| fits(name)) {
            params.entry(name).or_default().insert(value);
        }
        tags.extend(run.tags.keys().map(String::as_str).filter(|t| !t.starts_with("mlflow.") && fits(t)));
    }
    let mut found = Drawable { metrics_total: metrics.len() as u64, runs: chosen.runs.len() as u64, ..Drawable::default() };
    found.target = crate::compare::likeliest(&chosen.runs);
    // What most runs have comes first where not all can be listed.
    let mut often: Vec<(&str, (u64, u64))> = metrics.into_iter().collect();
    if often.len() > NAMES {
        often.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
        often.truncate(NAMES);
        often.sort_by(|a, b| a.0.cmp(b.0));
    }
    found.metrics = often
        .into_iter()
        .map(|(name, (runs, points))| DrawableMetric {
            better: match say::direction(name, super::spec::BetterIs::Unsaid) {
                Some(Better::Higher) => "higher",
                Some(Better::Lower) => "lower",
                None => "",
            }
            .to_owned(),
            name: name.to_owned(),
            runs,
            points,
        })
        .collect();
    found.params =
        params.into_iter().take(NAMES).map(|(name, values)| DrawableParam { name: name.to_owned(), values: values.len() as u64 }).collect();
    found.tags = tags.into_iter().take(NAMES).map(str::to_owned).collect();
    let (mut histograms, mut pictures, mut tables) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    workspace.read(|r| {
        for run in chosen.runs.iter().rev().take(FILES_OF) {
            for file in artifacts_of(&r.require(Kind::Run, &run.id)?) {
                if let Some((name, _)) = file.path.strip_prefix("histograms/").and_then(|p| p.rsplit_once('/')) {
                    histograms.insert(name.to_owned());
                } else if let Some((name, _)) = picture_of(&file.path) {
                    pictures.insert(name);
                } else if [".csv", ".tsv", ".parquet"].iter().any(|e| file.path.to_lowercase().ends_with(e)) {
                    tables.insert(file.path);
                }
            }
        }
        Ok::<_, ApiError>(())
    })?;
    let list = |all: BTreeSet<String>| all.into_iter().filter(|n| fits(n)).take(NAMES).collect();
    (found.histograms, found.pictures, found.tables) = (list(histograms), list(pictures), list(tables));
    Ok(found)
}
