//! Runs side by side: what differs, by how much, and how sure that is.

pub mod code;
mod verdict;

pub(crate) use verdict::likeliest;

use crate::ApiError;
use crate::charts::curves::real;
use crate::charts::say;
use crate::charts::spec::{BetterIs, ChartKind, ChartSpec, RunSet};
use crate::charts::{Chosen, choose};
use crate::host::Host;
use crate::reproduce::origin_of;
use crate::tracking::TrackingError;
use crate::tracking::files::artifacts_of;
use crate::tracking::runs::{self as tracked, Run};
use cairn_core::op::{Kind, Num};
use cairn_core::source::RunSource;
use cairn_stats::relate::Better;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct CompareRuns {
    pub of: RunSet,
    /// The run that the others are measured by; the first when left out.
    #[serde(default)]
    #[ts(optional)]
    pub baseline: Option<String>,
    /// The metric that decides; the likeliest when left out.
    #[serde(default)]
    #[ts(optional)]
    pub metric: Option<String>,
    /// Whether more or less of it is better.
    #[serde(default)]
    pub better: BetterIs,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct Comparison {
    pub runs: Vec<ComparedRun>,
    pub baseline: String,
    /// The metric that decides.
    pub metric: Option<String>,
    /// Which is better on what, in a sentence or two.
    pub verdict: String,
    /// How sure that is, and what it rests on.
    pub certainty: String,
    /// Whether chance alone would hardly explain it.
    pub sure: bool,
    /// What is not shown, and why.
    pub notes: Vec<String>,
    pub metrics: Vec<ComparedMetric>,
    /// Metrics beyond those that are here.
    #[ts(type = "number")]
    pub more_metrics: u64,
    pub params: Vec<ComparedRow>,
    pub tags: Vec<ComparedRow>,
    pub code: Vec<ComparedRow>,
    pub environment: Vec<ComparedRow>,
    /// Packages whose versions differ.
    pub packages: Vec<ComparedRow>,
    pub data: Vec<ComparedRow>,
    pub files: Vec<ComparedRow>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ComparedRun {
    pub id: String,
    pub name: String,
    pub experiment: String,
    pub project: Option<String>,
    pub status: String,
    pub start_ms: i64,
    pub duration_ms: Option<i64>,
    /// What it was set to where the runs differ, without seeds: runs of one setting repeat each other.
    pub setting: String,
}

/// A row over all runs, in their order.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ComparedRow {
    pub name: String,
    /// None: the run has none.
    pub values: Vec<Option<String>>,
    pub differs: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ComparedMetric {
    pub name: String,
    /// `higher`, `lower`, or empty.
    pub better: String,
    pub last: Vec<Option<String>>,
    /// The best value that it ever had; of metrics whose direction is not known, none.
    pub best: Vec<Option<String>>,
    /// The last value minus the baseline's.
    pub delta: Vec<Option<f64>>,
    /// The places of the runs with the best last value.
    #[ts(type = "Array<number>")]
    pub winners: Vec<usize>,
    pub differs: bool,
}

/// Runs that are compared at once.
const RUNS: usize = 300;
/// Rows of a kind.
const ROWS: usize = 500;

pub fn compare(host: &Host, request: CompareRuns) -> Result<Comparison, ApiError> {
    let workspace = host.workspace()?;
    match tracked::freshen(&workspace) {
        Ok(()) | Err(TrackingError::Denied(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let mut chosen = choose(&workspace, &request.of, &ChartSpec { kind: ChartKind::Table, ..ChartSpec::default() }, None)?;
    if chosen.runs.is_empty() {
        return Err(ApiError::invalid("There are no runs to compare").hint("Choose some in the table of runs."));
    }
    if chosen.runs.len() > RUNS {
        return Err(ApiError::invalid(format!("{} runs are too many to stand side by side", chosen.runs.len()))
            .hint(format!("Choose at most {RUNS}, or group them in a chart.")));
    }
    if let Some(base) = &request.baseline {
        // The baseline stands first.
        let at = chosen.runs.iter().position(|r| r.id == *base).ok_or_else(|| ApiError::not_found("The baseline"))?;
        let run = chosen.runs.remove(at);
        chosen.runs.insert(0, run);
    }
    let (sources, files) = workspace.read(|r| {
        let (mut sources, mut files) = (Vec::new(), Vec::new());
        for run in &chosen.runs {
            let record = r.require(Kind::Run, &run.id)?;
            sources.push(origin_of(&record));
            files.push(artifacts_of(&record));
        }
        Ok::<_, ApiError>((sources, files))
    })?;
    let runs = &chosen.runs;
    let mut notes = Vec::new();
    let mut rows = |what: &str, all: Vec<BTreeMap<String, String>>| {
        let (rows, more) = rows(all);
        if more > 0 {
            notes.push(format!("{more} more {what} are not shown; what differs comes first."));
        }
        rows
    };
    let params = rows("parameters", runs.iter().map(|r| r.params.clone()).collect());
    let beyond: Vec<BTreeMap<String, String>> = sources.iter().zip(runs).map(|(s, r)| beyond_params(s, r)).collect();
    let settings = verdict::settings(runs, &beyond);
    let said = verdict::judge(runs, &settings, request.metric.as_deref(), request.better);
    let (metrics, more_metrics) = metrics(runs, said.metric.as_deref(), request.better);
    let file_rows = rows(
        "files",
        files
            .iter()
            .map(|all| {
                let text = |a: &crate::tracking::files::Artifact| {
                    a.digest.as_ref().map_or_else(|| "no fingerprint".to_owned(), ToString::to_string)
                };
                all.iter().map(|a| (a.path.clone(), text(a))).collect()
            })
            .collect(),
    );
    let tags = runs.iter().map(|r| r.tags.iter().filter(|t| !t.0.starts_with("mlflow.")).map(|(k, v)| (k.clone(), v.clone())).collect());
    let tags = rows("tags", tags.collect());
    let code = rows("facts about code", sources.iter().map(code_of).collect());
    let environment = rows("facts about computers", sources.iter().map(environment_of).collect());
    let packages = packages(&workspace, &sources, |all| rows("packages", all));
    let data = rows("datasets", runs.iter().map(data_of).collect());
    Ok(Comparison {
        runs: runs.iter().zip(&settings).map(|(r, s)| compared(r, s, &chosen)).collect(),
        baseline: runs.first().map(|r| r.id.clone()).unwrap_or_default(),
        metric: said.metric,
        verdict: said.verdict,
        certainty: said.certainty,
        sure: said.sure,
        metrics,
        more_metrics,
        params,
        notes,
        tags,
        code,
        environment,
        packages,
        data,
        files: file_rows,
    })
}

fn compared(run: &Run, setting: &str, chosen: &Chosen) -> ComparedRun {
    ComparedRun {
        id: run.id.clone(),
        name: run.name().to_owned(),
        experiment: chosen.experiments.get(&run.experiment_id).cloned().unwrap_or_default(),
        project: None,
        status: run.status.clone(),
        start_ms: run.start_ms,
        duration_ms: run.end_ms.map(|end| end - run.start_ms),
        setting: setting.to_owned(),
    }
}

/// One row for each name that any run has, and how many more there are.
fn rows(all: Vec<BTreeMap<String, String>>) -> (Vec<ComparedRow>, usize) {
    let names: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    let mut out: Vec<ComparedRow> = names
        .into_iter()
        .map(|name| {
            let values: Vec<Option<String>> = all.iter().map(|one| one.get(name).cloned()).collect();
            let differs = values.windows(2).any(|w| w[0] != w[1]);
            ComparedRow { name: name.clone(), values, differs }
        })
        .collect();
    // What differs first: it is what people look for, and what a cut must not take.
    out.sort_by_key(|row| !row.differs);
    let more = out.len().saturating_sub(ROWS);
    out.truncate(ROWS);
    (out, more)
}

fn metrics(runs: &[Run], decides: Option<&str>, said: BetterIs) -> (Vec<ComparedMetric>, u64) {
    let names: BTreeSet<&str> = runs.iter().flat_map(|r| r.metrics.iter().map(|m| m.key.as_str())).collect();
    let more = names.len().saturating_sub(ROWS) as u64;
    let by_name: Vec<BTreeMap<&str, &cairn_store::metrics::Summary>> =
        runs.iter().map(|r| r.metrics.iter().map(|m| (m.key.as_str(), m)).collect()).collect();
    let text = |v: f64| String::from(Num(v));
    let mut out: Vec<ComparedMetric> = names
        .into_iter()
        .map(|name| {
            let better = say::direction(name, if decides == Some(name) { said } else { BetterIs::Unsaid });
            let found: Vec<Option<&&cairn_store::metrics::Summary>> = by_name.iter().map(|m| m.get(name)).collect();
            let last: Vec<Option<f64>> = found.iter().map(|m| m.map(|m| real(m.last.value))).collect();
            let best = |m: &cairn_store::metrics::Summary| match better? {
                Better::Higher => m.max,
                Better::Lower => m.min,
            };
            let base = last.first().copied().flatten().filter(|v| v.is_finite());
            let top = better
                .and_then(|b| last.iter().flatten().copied().filter(|v| v.is_finite()).reduce(|x, y| if b.beats(y, x) { y } else { x }));
            ComparedMetric {
                better: match better {
                    Some(Better::Higher) => "higher",
                    Some(Better::Lower) => "lower",
                    None => "",
                }
                .to_owned(),
                best: found.iter().map(|m| m.and_then(|m| best(m)).map(text)).collect(),
                delta: last.iter().map(|v| Some((*v)? - base?).filter(|d| d.is_finite())).collect(),
                winners: last.iter().enumerate().filter(|(_, v)| v.is_some() && **v == top).map(|(i, _)| i).collect(),
                differs: last.windows(2).any(|w| w[0].map(f64::to_bits) != w[1].map(f64::to_bits)),
                last: last.into_iter().map(|v| v.map(text)).collect(),
                name: name.to_owned(),
            }
        })
        .collect();
    out.sort_by_key(|m| (!m.differs, m.better.is_empty()));
    out.truncate(ROWS);
    (out, more)
}

/// What, beside parameters, makes runs unlike: code and data.
fn beyond_params(source: &RunSource, run: &Run) -> BTreeMap<String, String> {
    let wanted = ["Script", "Notebook", "Commit", "What was not committed"];
    let mut map: BTreeMap<String, String> = code_of(source).into_iter().filter(|(n, _)| wanted.contains(&n.as_str())).collect();
    map.extend(data_of(run).into_iter().map(|(name, digest)| (format!("data {name}"), digest)));
    map
}

fn put(map: &mut BTreeMap<String, String>, name: &str, value: Option<String>) {
    if let Some(value) = value.filter(|v| !v.is_empty()) {
        map.insert(name.to_owned(), value);
    }
}

fn code_of(source: &RunSource) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    put(&mut map, "Command", Some(source.command.join(" ")));
    put(&mut map, "Script", source.script.clone());
    put(&mut map, "Notebook", source.notebook.clone());
    if let Some(code) = &source.code {
        put(&mut map, "Commit", code.commit.clone());
        put(&mut map, "Branch", code.branch.clone());
        put(&mut map, "Repository", code.remote.clone());
        put(&mut map, "Files that were not committed", Some(code.changed.to_string()));
        put(&mut map, "What was not committed", code.changes.as_ref().map(ToString::to_string));
    }
    map
}

fn environment_of(source: &RunSource) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    if let Some(e) = &source.environment {
        put(&mut map, "Python", e.python.clone());
        put(&mut map, "System", e.system.clone());
        put(&mut map, "Processor", e.cpu.clone());
        put(&mut map, "Cores", (e.cores > 0).then(|| e.cores.to_string()));
        put(&mut map, "Memory", (e.memory_bytes > 0).then(|| format!("{:.1} GB", e.memory_bytes as f64 / 1e9)));
        put(&mut map, "GPUs", Some(e.gpus.join(", ")));
        put(&mut map, "Packages", (e.packages_count > 0).then(|| e.packages_count.to_string()));
    }
    map
}

/// Packages that not all runs had in one version; of those whose list is on this computer.
fn packages(
    workspace: &crate::host::Workspace,
    sources: &[RunSource],
    rows: impl FnOnce(Vec<BTreeMap<String, String>>) -> Vec<ComparedRow>,
) -> Vec<ComparedRow> {
    let lists: Vec<BTreeMap<String, String>> = sources
        .iter()
        .map(|s| {
            let digest = s.environment.as_ref().and_then(|e| e.packages.clone());
            let text = digest.and_then(|d| std::fs::read_to_string(workspace.store.blob_path(&d)).ok()).unwrap_or_default();
            text.lines()
                .filter_map(|line| line.split_once("==").or_else(|| line.split_once(" @ ")))
                .map(|(name, version)| (name.trim().to_owned(), version.trim().to_owned()))
                .collect()
        })
        .collect();
    // Runs whose packages are not known differ in nothing.
    let known: Vec<usize> = (0..lists.len()).filter(|i| !lists[*i].is_empty()).collect();
    if known.len() < 2 {
        return Vec::new();
    }
    let among: Vec<BTreeMap<String, String>> = known.iter().map(|i| lists[*i].clone()).collect();
    rows(among)
        .into_iter()
        .filter(|row| row.differs)
        .map(|row| ComparedRow {
            values: (0..lists.len()).map(|i| known.iter().position(|k| *k == i).and_then(|k| row.values[k].clone())).collect(),
            ..row
        })
        .collect()
}

fn data_of(run: &Run) -> BTreeMap<String, String> {
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    run.inputs
        .iter()
        .map(|i| {
            let context =
                i["tags"].as_array().and_then(|t| t.iter().find(|t| t["key"] == "mlflow.data.context")).map(|t| text(&t["value"]));
            let name = text(&i["dataset"]["name"]);
            let name = context.filter(|c| !c.is_empty()).map_or(name.clone(), |c| format!("{name} ({c})"));
            (name, text(&i["dataset"]["digest"]))
        })
        .collect()
}
