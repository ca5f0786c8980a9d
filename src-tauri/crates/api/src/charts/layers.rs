//! What was logged in layers over steps: histograms and pictures.

use super::{Job, Made, Mark, say};
use crate::ApiError;
use crate::content::file_of;
use crate::tracking::files::{Artifact, artifacts_of};
use cairn_chart::axis::{Axis, Measure, Scale};
use cairn_chart::look::Look;
use cairn_chart::text::number;
use cairn_chart::{grid, line};
use cairn_core::op::Kind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

/// No more of the files of one histogram is read.
const READ_MAX: u64 = 64 * 1024 * 1024;
/// Steps and values that a picture tells apart.
const STEPS: usize = 160;
const VALUES: usize = 60;
/// Steps whose numbers are read by pointing at them.
const MARKS: usize = 1_000;

/// One step of a logged histogram, as the importers write it: `docs/handbook.md`, "Histograms".
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Layer {
    step: i64,
    edges: Vec<serde_json::Value>,
    counts: Vec<f64>,
}

impl Layer {
    /// Pairs of edges with what lies between them; edges that are no number end it.
    fn bins(&self) -> Vec<(f64, f64, f64)> {
        let edges: Vec<f64> = self.edges.iter().map(|e| e.as_f64().unwrap_or(f64::NAN)).collect();
        edges
            .windows(2)
            .zip(&self.counts)
            .map(|(e, c)| (e[0], e[1], *c))
            .filter(|(a, b, c)| a.is_finite() && b.is_finite() && a <= b && *c > 0.0)
            .collect()
    }
}

/// The values below which certain shares of a histogram lie, by straight lines inside of its bins.
fn quantiles(bins: &[(f64, f64, f64)], at: &[f64]) -> Vec<f64> {
    let total: f64 = bins.iter().map(|b| b.2).sum();
    at.iter()
        .map(|share| {
            let mut left = share * total;
            for (from, to, count) in bins {
                if left <= *count {
                    return from + (to - from) * (left / count).clamp(0.0, 1.0);
                }
                left -= count;
            }
            bins.last().map_or(f64::NAN, |b| b.1)
        })
        .collect()
}

/// Files of a run below a folder.
fn files(job: &Job<'_>, run: &str) -> Result<Vec<Artifact>, ApiError> {
    job.workspace.read(|r| Ok(artifacts_of(&r.require(Kind::Run, run)?)))
}

/// Name of the histogram that a file belongs to.
fn histogram_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("histograms/")?;
    let (key, file) = rest.rsplit_once('/')?;
    (file.starts_with("steps-") && file.ends_with(".jsonl")).then_some(key)
}

pub(crate) fn distribution(job: &Job<'_>) -> Result<Made, ApiError> {
    let Some(run) = job.chosen.runs.last() else { return Err(ApiError::not_found("The run")) };
    let all = files(job, &run.id)?;
    let mut names: Vec<&str> = all.iter().filter_map(|a| histogram_of(&a.path)).collect();
    names.sort_unstable();
    names.dedup();
    let wanted = job.spec.metrics.iter().map(|m| m.trim()).find(|m| !m.is_empty());
    let Some(key) = wanted.or(names.first().copied()) else {
        return Err(ApiError::new("not_found", format!("Run {} logged no histograms", run.name()))
            .hint("TensorBoard's add_histogram writes them; an import keeps them under histograms/ in the run's files."));
    };
    let mut layers: BTreeMap<i64, Vec<(f64, f64, f64)>> = BTreeMap::new();
    let (mut made, mut bad) = (Made::default(), 0);
    for file in all.iter().filter(|a| histogram_of(&a.path) == Some(key)) {
        let path = match file_of(job.workspace, file, READ_MAX) {
            Ok(path) => path,
            Err(error) => {
                made.partly = true;
                made.notes.push(format!("{} is missing: {}", file.path, error.message));
                continue;
            }
        };
        let open = std::fs::File::open(&path).map_err(|e| ApiError::new("io", format!("{}: {e}", file.path)))?;
        for text in BufReader::new(std::io::Read::take(open, READ_MAX)).lines() {
            match text.ok().and_then(|t| serde_json::from_str::<Layer>(&t).ok()) {
                Some(layer) => drop(layers.insert(layer.step, layer.bins())),
                None => bad += 1,
            }
        }
    }
    layers.retain(|_, bins| !bins.is_empty());
    if bad > 0 {
        made.notes.push(format!("{bad} lines of the files are no histograms and are left out."));
    }
    if layers.is_empty() {
        return Err(ApiError::new("not_found", format!("Run {} has no histogram called \"{key}\"", run.name()))
            .hint(format!("There are: {}.", names.join(", "))));
    }
    draw_distribution(job, &mut made, key, &layers)?;
    made.title = format!("Distribution of {key} over steps, run {}", run.name());
    if job.chosen.runs.len() > 1 {
        made.notes.push(format!("A distribution shows one run; this is {}, the newest.", run.name()));
    }
    Ok(made)
}

fn draw_distribution(job: &Job<'_>, made: &mut Made, key: &str, layers: &BTreeMap<i64, Vec<(f64, f64, f64)>>) -> Result<(), ApiError> {
    let steps: Vec<f64> = layers.keys().map(|s| *s as f64).collect();
    let mut x = Axis::over("step", Measure::Number, Scale::Linear, steps.iter().copied(), 0.0);
    if steps.len() == 1 {
        (x.from, x.to) = (steps[0] - 0.5, steps[0] + 0.5);
    }
    let ends = layers.values().flatten().flat_map(|b| [b.0, b.1]);
    let y = Axis::over(key, Measure::Number, Scale::Linear, ends, 0.03);
    let frame = job.frame(x, y)?;
    let columns = STEPS.min(job.request.width as usize / 3);
    // Density by cell: each step's histogram, scaled to its own fullest cell.
    let mut cells = vec![f64::NAN; columns * VALUES];
    let all: Vec<&Vec<(f64, f64, f64)>> = layers.values().collect();
    for c in 0..columns {
        // A column shows the step that is nearest to its middle, so that shades and median stand over the same steps.
        let middle = frame.x.value((c as f64 + 0.5) / columns as f64);
        let after = steps.partition_point(|s| *s < middle).min(steps.len() - 1);
        let before = after.saturating_sub(1);
        let bins = all[if (middle - steps[before]).abs() <= (steps[after] - middle).abs() { before } else { after }];
        let mut column = vec![0.0; VALUES];
        for (from, to, count) in bins {
            let (a, b) = (frame.y.at(*from) * VALUES as f64, frame.y.at(*to) * VALUES as f64);
            let (first, last) = (a.max(0.0) as usize, (b.ceil() as usize).min(VALUES).max(a.max(0.0) as usize + 1));
            for (row, cell) in column.iter_mut().enumerate().take(last).skip(first) {
                let part = (b.min(row as f64 + 1.0) - a.max(row as f64)).max(0.0);
                *cell += if b > a { count * part / (b - a) } else { *count };
            }
        }
        let most = column.iter().copied().fold(0.0_f64, f64::max);
        for (row, v) in column.iter().enumerate() {
            if *v > 0.0 && most > 0.0 {
                cells[row * columns + c] = (v / most).sqrt();
            }
        }
    }
    made.layers.push(grid::shades(&frame, columns, &cells)?);
    let shares = [0.05, 0.25, 0.5, 0.75, 0.95];
    let found: Vec<Vec<f64>> = layers.values().map(|b| quantiles(b, &shares)).collect();
    // A file may have a million steps; a picture has not.
    let every = steps.len().div_ceil(MARKS).max(1);
    let middle: Vec<(f64, f64)> = steps.iter().zip(&found).step_by(every).map(|(s, q)| (*s, q[2])).collect();
    made.layers.extend(line::layers(&frame, &[line::Line { points: middle, look: Look { colour: 1, dash: 0 }, ..line::Line::default() }])?);
    for (step, q) in steps.iter().zip(&found).step_by(every) {
        let [px, py] = frame.pixel(*step, q[2]);
        let text = vec![
            format!("step {}", number(*step)),
            format!("median {}", number(q[2])),
            format!("middle half {} to {}", number(q[1]), number(q[3])),
        ];
        made.marks.push(Mark { series: 0, x: px, y: py, text });
    }
    let (first, last) = (&found[0], &found[found.len() - 1]);
    made.summary = format!(
        "Over {} steps the median of {key} went from {} to {}, and the middle half from a width of {} to {}.",
        say::many(steps.len() as u64),
        number(first[2]),
        number(last[2]),
        number(first[3] - first[1]),
        number(last[3] - last[1])
    );
    made.series.push(job.series("median".to_owned(), Vec::new(), Look { colour: 1, dash: 0 }, number(last[2])));
    (made.points, made.drawn, made.zoom) = (steps.len() as u64, columns as u64, true);
    made.values.table.head = ["Step", "5 %", "25 %", "Median", "75 %", "95 %"].map(str::to_owned).to_vec();
    made.values.table.rows = steps
        .iter()
        .zip(&found)
        .take(job.rows)
        .map(|(s, q)| std::iter::once(s.to_string()).chain(q.iter().map(f64::to_string)).collect())
        .collect();
    made.values.table.more = steps.len().saturating_sub(job.rows) as u64;
    made.frame = Some(frame);
    Ok(())
}

/// A picture of a series of them: its key and step, by how TensorBoard's import and MLflow's `log_image` name them.
pub(crate) fn picture_of(path: &str) -> Option<(String, i64)> {
    let ending = path.rsplit('.').next()?.to_ascii_lowercase();
    if !matches!(ending.as_str(), "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp") {
        return None;
    }
    let rest = path.strip_prefix("images/")?;
    // MLflow joins the parts of the name by "+"; older versions by "%".
    for (mark, part) in [("+step+", '+'), ("%step%", '%')] {
        if let Some((key, tail)) = rest.rsplit_once(mark) {
            // A small copy stands beside each picture.
            if tail.contains("compressed") || ending == "webp" {
                return None;
            }
            return Some((key.replace('#', "/"), tail.split(part).next()?.parse().ok()?));
        }
    }
    let (key, file) = rest.rsplit_once('/')?;
    let step = file.strip_prefix("step-")?.rsplit_once('.')?.0.parse().ok()?;
    Some((key.to_owned(), step))
}

/// Runs whose pictures stand side by side.
const RUNS: usize = 24;

/// Pictures are shown by the window; here it is only said which there are.
pub(crate) fn images(job: &Job<'_>) -> Result<Made, ApiError> {
    let wanted = job.spec.metrics.iter().map(|m| m.trim()).find(|m| !m.is_empty());
    let mut made = Made::default();
    made.values.table.head = ["Run", "Run id", "Pictures", "Step", "File"].map(str::to_owned).to_vec();
    for run in job.chosen.runs.iter().rev() {
        if made.series.len() == RUNS {
            made.notes.push(format!("The newest {RUNS} runs with pictures are shown."));
            break;
        }
        let mut found: Vec<(String, i64, String)> = files(job, &run.id)?
            .into_iter()
            .filter_map(|a| picture_of(&a.path).map(|(key, step)| (key, step, a.path)))
            .filter(|p| wanted.is_none_or(|w| p.0 == w))
            .collect();
        found.sort();
        if found.is_empty() {
            continue;
        }
        made.series.push(job.series(run.name().to_owned(), vec![run.id.clone()], Look::default(), String::new()));
        for (key, step, path) in found {
            made.values.table.rows.push(vec![run.name().to_owned(), run.id.clone(), key, step.to_string(), path]);
        }
    }
    let count = made.values.table.rows.len() as u64;
    if count == 0 {
        return Err(ApiError::new("not_found", "None of these runs logged pictures by step")
            .hint("mlflow.log_image with a key and a step, or TensorBoard's add_image, writes them."));
    }
    made.title = wanted.map_or_else(|| "Pictures by step".to_owned(), str::to_owned);
    made.summary = format!("{} pictures of {} runs.", say::many(count), made.series.len());
    made.points = count;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_names() {
        let found = |p: &str| picture_of(p);
        assert_eq!(found("images/val/step-30.png"), Some(("val".into(), 30)));
        assert_eq!(found("images/a#b%step%7%timestamp%17%0f.png"), Some(("a/b".into(), 7)));
        assert_eq!(found("images/samples+step+100+timestamp+1795578044064+f08d5f3d-bcfe.png"), Some(("samples".into(), 100)));
        assert_eq!(found("images/a+step+7+timestamp+17+0f+compressed.webp"), None);
        assert_eq!(found("images/a%step%7%timestamp%17%0f%compressed.webp"), None);
        for other in ["images/val.png", "plots/step-3.png", "images/val/step-x.png", "images/val/step-3.txt"] {
            assert_eq!(found(other), None, "{other}");
        }
    }

    #[test]
    fn quantiles_of_bins_lie_inside_of_them() {
        let bins = [(0.0, 1.0, 10.0), (1.0, 3.0, 30.0)];
        let found = quantiles(&bins, &[0.0, 0.25, 0.5, 1.0]);
        assert_eq!(found[0], 0.0);
        assert_eq!(found[1], 1.0);
        assert!((found[2] - (1.0 + 2.0 / 3.0)).abs() < 1e-12, "numpy.interp over the summed counts says the same");
        assert_eq!(found[3], 3.0);
        assert!(quantiles(&[], &[0.5])[0].is_nan());
    }
}
