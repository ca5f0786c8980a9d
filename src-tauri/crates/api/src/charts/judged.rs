//! What predictions are worth: from a table of labels and scores that a run logged.

use super::spec::ChartKind;
use super::{Job, Made, Mark, ValueTable, say};
use crate::ApiError;
use crate::content::file_of;
use crate::tracking::files::artifacts_of;
use crate::tracking::runs::Run;
use cairn_chart::axis::{Axis, Measure, Scale};
use cairn_chart::frame::Frame;
use cairn_chart::grid;
use cairn_chart::line::{self, Line};
use cairn_chart::look::{Look, assign};
use cairn_chart::marks::{self, Dot};
use cairn_chart::text::number;
use cairn_core::op::Kind;
use cairn_ingest::table::{Head, parquet, separated};
use cairn_stats::judge::{self, Curve, Scored};
use std::collections::BTreeSet;

/// Rows of predictions that are read.
const ROWS: usize = 200_000;
/// No larger file is fetched for a chart.
const FILE_MAX: u64 = 64 * 1024 * 1024;
/// Runs whose curves can be told apart.
const RUNS: usize = 16;

/// The names that columns mostly have, best first.
const TRUTH: [&str; 10] = ["y_true", "label", "target", "truth", "actual", "true", "y", "ground_truth", "class", "outcome"];
pub(super) const SCORE: [&str; 10] = ["y_score", "score", "y_prob", "proba", "probability", "prob", "prob_1", "y_proba", "p", "confidence"];
const SAID: [&str; 8] = ["y_pred", "prediction", "predicted", "pred", "predictions", "output", "y_hat", "forecast"];

/// A run's predictions: two columns of one file.
pub(super) struct Predictions {
    truth: Vec<String>,
    said: Vec<String>,
    pub(super) names: (String, String),
    pub(super) cut: bool,
}

pub(super) fn read(job: &Job<'_>, run: &Run, likely: &[&str]) -> Result<Predictions, ApiError> {
    let all = job.workspace.read(|r| Ok::<_, ApiError>(artifacts_of(&r.require(Kind::Run, &run.id)?)))?;
    let is_table = |p: &str| [".csv", ".tsv", ".parquet"].iter().any(|e| p.to_lowercase().ends_with(e));
    let wanted = job.spec.file.trim();
    let file = if wanted.is_empty() {
        all.iter().filter(|a| is_table(&a.path)).min_by_key(|a| (!a.path.to_lowercase().contains("pred"), a.path.clone()))
    } else {
        all.iter().find(|a| a.path == wanted)
    };
    let Some(file) = file else {
        let message = if wanted.is_empty() {
            format!("Run {} has no table of predictions among its files", run.name())
        } else {
            format!("Run {} has no file {wanted}", run.name())
        };
        return Err(ApiError::new("not_found", message).hint(
            "Log a CSV or Parquet file with the true value and the score of each row, for example predictions.csv with y_true and y_score.",
        ));
    };
    if file.reference.as_ref().is_some_and(|r| !r.address.starts_with("file:")) {
        return Err(
            ApiError::new("elsewhere", format!("{} lies at an address", file.path)).hint("Open it under Files first; then it is here.")
        );
    }
    let path = file_of(job.workspace, file, FILE_MAX)?;
    let table = if file.path.to_lowercase().ends_with(".parquet") { parquet(&path, ROWS) } else { separated(&path, ROWS) };
    let table = table.map_err(|e| ApiError::invalid(format!("{}: {e}", file.path)))?;
    let truth = column(&table, &job.spec.truth, &TRUTH, &file.path, "the true value")?;
    let said = column(&table, &job.spec.said, likely, &file.path, "what the model said")?;
    // 1 and 1.0 are one class.
    let plain = |v: &String| v.trim().parse::<f64>().ok().filter(|v| v.is_finite()).map_or_else(|| v.trim().to_owned(), |v| v.to_string());
    let values = |at: usize| table.rows.iter().map(|r| r.get(at).map(plain).unwrap_or_default()).collect();
    Ok(Predictions {
        truth: values(truth),
        said: values(said),
        names: (table.columns[truth].clone(), table.columns[said].clone()),
        cut: table.rows.len() >= ROWS || table.total.is_some_and(|t| t > table.rows.len() as u64),
    })
}

fn column(table: &Head, wanted: &str, likely: &[&str], file: &str, what: &str) -> Result<usize, ApiError> {
    let find = |name: &str| table.columns.iter().position(|c| c.trim().eq_ignore_ascii_case(name));
    let found = if wanted.trim().is_empty() { likely.iter().find_map(|n| find(n)) } else { find(wanted.trim()) };
    found.ok_or_else(|| {
        let shown: Vec<&str> = table.columns.iter().take(12).map(String::as_str).collect();
        ApiError::invalid(format!("In {file} no column is known to be {what}")).hint(format!("Choose one of: {}.", shown.join(", ")))
    })
}

/// The class that counts as positive.
pub(super) fn positive(job: &Job<'_>, p: &Predictions) -> Result<String, ApiError> {
    let mut classes: Vec<&str> = p.truth.iter().map(String::as_str).filter(|t| !t.is_empty()).collect();
    classes.sort_unstable();
    classes.dedup();
    let wanted = job.spec.positive.trim();
    if !wanted.is_empty() {
        let wanted = wanted.parse::<f64>().ok().filter(|v| v.is_finite()).map_or_else(|| wanted.to_owned(), |v| v.to_string());
        let wanted = wanted.as_str();
        return if classes.contains(&wanted) {
            Ok(wanted.to_owned())
        } else {
            Err(ApiError::invalid(format!("No row has the class \"{wanted}\""))
                .hint(format!("There are: {}.", classes.iter().take(12).copied().collect::<Vec<_>>().join(", "))))
        };
    }
    if classes.len() > 2 {
        return Err(ApiError::invalid(format!("\"{}\" has {} classes", p.names.0, classes.len()))
            .hint("Say which class counts as positive; the others together are then the negative one."));
    }
    let usual = ["1", "1.0", "true", "True", "yes", "positive", "pos"];
    if let Some(known) = usual.iter().find(|u| classes.contains(u)) {
        return Ok((*known).to_owned());
    }
    match classes.as_slice() {
        [_, second] => Ok((*second).to_owned()),
        _ => Err(ApiError::invalid(format!("\"{}\" has {} classes, and none is plainly the positive one", p.names.0, classes.len()))
            .hint("Say which class counts as positive.")),
    }
}

/// The rows that have a score, and how many have none.
pub(super) fn scored(p: &Predictions, positive: &str) -> (Vec<Scored>, usize) {
    let rows: Vec<Scored> = p
        .truth
        .iter()
        .zip(&p.said)
        .filter(|(t, _)| !t.is_empty())
        .filter_map(|(t, s)| Some((t == positive, s.parse::<f64>().ok().filter(|v| v.is_finite())?)))
        .collect();
    let lost = p.truth.len() - rows.len();
    (rows, lost)
}

pub(super) fn runs<'j>(job: &'j Job<'_>, made: &mut Made) -> Result<Vec<&'j Run>, ApiError> {
    let all: Vec<&Run> = job.chosen.runs.iter().rev().take(RUNS).collect();
    if all.is_empty() {
        return Err(ApiError::not_found("The run"));
    }
    if job.chosen.runs.len() > RUNS {
        made.notes.push(format!("The newest {RUNS} of {} runs are drawn.", job.chosen.runs.len()));
    }
    Ok(all)
}

/// What was found of each run: name, id, and that.
pub(super) type Found<T> = Vec<(String, String, T)>;

/// The error of one run is the error of all only if no other can be drawn.
pub(super) fn all_of<T>(
    made: &mut Made,
    runs: &[&Run],
    mut one: impl FnMut(&Run, &mut Made) -> Result<T, ApiError>,
) -> Result<Found<T>, ApiError> {
    let (mut out, mut first) = (Vec::new(), None);
    for run in runs {
        match one(run, made) {
            Ok(found) => out.push((run.name().to_owned(), run.id.clone(), found)),
            Err(error) => {
                if runs.len() > 1 {
                    made.notes.push(error.message.clone());
                }
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if out.is_empty() => Err(error),
        _ => Ok(out),
    }
}

fn square(job: &Job<'_>, x: &str, y: &str) -> Result<Frame, ApiError> {
    let axis = |label: &str| Axis { label: label.to_owned(), measure: Measure::Number, scale: Scale::Linear, from: 0.0, to: 1.02 };
    job.frame(axis(x), axis(y))
}

pub(crate) fn curve(job: &Job<'_>) -> Result<Made, ApiError> {
    let roc = job.spec.kind == ChartKind::Roc;
    let mut made = Made { zoom: true, ..Made::default() };
    let chosen = runs(job, &mut made)?;
    let found: Found<(Curve, f64, usize)> = all_of(&mut made, &chosen, |run, made| {
        let p = read(job, run, &SCORE)?;
        let yes = positive(job, &p)?;
        let (rows, lost) = scored(&p, &yes);
        if lost > 0 {
            made.notes.push(format!("{lost} rows of {} have no number in \"{}\" and are left out.", run.name(), p.names.1));
        }
        if p.cut {
            made.notes.push(format!("Only the first {} rows of {} were read.", say::many(p.truth.len() as u64), run.name()));
        }
        let curve = if roc { judge::roc(&rows) } else { judge::precision_recall(&rows) };
        let (curve, area) = curve.ok_or_else(|| {
            ApiError::invalid(format!("Run {} has rows of one class only; a curve needs both", run.name()))
                .hint(format!("\"{yes}\" counts as positive in \"{}\".", p.names.0))
        })?;
        Ok((curve, area, rows.len()))
    })?;
    let (x, y, area) = if roc {
        ("false positive rate", "true positive rate", "area under the curve")
    } else {
        ("recall", "precision", "average precision")
    };
    let frame = square(job, x, y)?;
    let looks = assign(&found.iter().map(|f| f.1.clone()).collect::<Vec<_>>());
    let lines: Vec<Line> = found
        .iter()
        .zip(&looks)
        .map(|(f, look)| Line { look: *look, points: thinned(&f.2.0, job.request.width as usize * 2), ..Line::default() })
        .collect();
    if roc {
        made.layers.push(marks::rule(&frame, (0.0, 0.0), (1.0, 1.0))?);
    }
    made.layers.extend(line::layers(&frame, &lines)?);
    for (i, (name, id, (curve, value, rows))) in found.iter().enumerate() {
        made.series.push(job.series(format!("{name}: {area} {}", number(*value)), vec![id.clone()], looks[i], number(*value)));
        made.points += *rows as u64;
        made.drawn += lines[i].points.len() as u64;
        for point in thinned(curve, 120) {
            let [px, py] = frame.pixel(point.0, point.1);
            made.marks.push(Mark {
                series: i,
                x: px,
                y: py,
                text: vec![name.clone(), format!("{x} {}", number(point.0)), format!("{y} {}", number(point.1))],
            });
        }
        for p in thinned(curve, job.rows / found.len().max(1)) {
            made.values.table.rows.push(vec![name.clone(), p.0.to_string(), p.1.to_string()]);
        }
    }
    made.values.table.head = vec!["Run".into(), x.into(), y.into()];
    made.title = if roc { "ROC curve" } else { "Precision and recall" }.to_owned();
    let ends: Vec<(&str, f64)> = found.iter().map(|f| (f.0.as_str(), f.2.1)).collect();
    made.summary = match ends.as_slice() {
        [(name, value)] if roc => format!(
            "{name} ranks a positive row above a negative one in {} % of cases (area under the curve {}; guessing has 50 %).",
            number((value * 1000.0).round() / 10.0),
            number(*value)
        ),
        [(name, value)] => format!("{name} has an average precision of {}.", number(*value)),
        many => say::curves(area, many, Some(cairn_stats::relate::Better::Higher), "runs"),
    };
    made.frame = Some(frame);
    Ok(made)
}

/// No more points than can be seen; first and last stay.
fn thinned(curve: &Curve, most: usize) -> Curve {
    let every = curve.len().div_ceil(most.max(2)).max(1);
    let last = curve.len().saturating_sub(1);
    curve.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last).map(|(_, p)| *p).collect()
}

pub(crate) fn calibration(job: &Job<'_>) -> Result<Made, ApiError> {
    let mut made = Made::default();
    let chosen = runs(job, &mut made)?;
    let found: Found<(Vec<judge::Bin>, f64, usize)> = all_of(&mut made, &chosen, |run, _| {
        let p = read(job, run, &SCORE)?;
        let (rows, _) = scored(&p, &positive(job, &p)?);
        let (bins, brier) = judge::calibration(&rows, 10).ok_or_else(|| {
            ApiError::invalid(format!("The scores of run {} do not lie between 0 and 1, so they are no probabilities", run.name()))
                .hint("Choose a column of probabilities.")
        })?;
        Ok((bins, brier, rows.len()))
    })?;
    let frame = square(job, "probability that the model said", "share that it was")?;
    let looks = assign(&found.iter().map(|f| f.1.clone()).collect::<Vec<_>>());
    made.layers.push(marks::rule(&frame, (0.0, 0.0), (1.0, 1.0))?);
    let lines: Vec<Line> = found
        .iter()
        .zip(&looks)
        .map(|(f, look)| Line { look: *look, points: f.2.0.iter().map(|b| (b.said, b.was)).collect(), ..Line::default() })
        .collect();
    made.layers.extend(line::layers(&frame, &lines)?);
    for (i, (name, id, (bins, brier, rows))) in found.iter().enumerate() {
        made.series.push(job.series(format!("{name}: Brier score {}", number(*brier)), vec![id.clone()], looks[i], number(*brier)));
        made.points += *rows as u64;
        for b in bins {
            let [px, py] = frame.pixel(b.said, b.was);
            made.marks.push(Mark {
                series: i,
                x: px,
                y: py,
                text: vec![name.clone(), format!("said {}", number(b.said)), format!("was {}", number(b.was)), format!("{} rows", b.count)],
            });
            made.values.table.rows.push(vec![name.clone(), b.said.to_string(), b.was.to_string(), b.count.to_string()]);
        }
    }
    made.values.table.head = ["Run", "Said", "Was", "Rows"].map(str::to_owned).to_vec();
    made.title = "Calibration".to_owned();
    let widest = |bins: &[judge::Bin]| bins.iter().copied().max_by(|a, b| (a.was - a.said).abs().total_cmp(&(b.was - b.said).abs()));
    let percent = |v: f64| (v * 100.0).round();
    made.summary = match found.as_slice() {
        [(name, _, (bins, brier, _))] => {
            let far =
                widest(bins).map(|b| format!(" It is furthest off where it says {} %: there it is {} %.", percent(b.said), percent(b.was)));
            format!("{name} has a Brier score of {} (0 is perfect).{}", number(*brier), far.unwrap_or_default())
        }
        many => {
            let ends: Vec<(&str, f64)> = many.iter().map(|f| (f.0.as_str(), f.2.1)).collect();
            say::curves("Brier score", &ends, Some(cairn_stats::relate::Better::Lower), "runs")
        }
    };
    made.frame = Some(frame);
    Ok(made)
}

/// Classes that a matrix has room for.
const CLASSES: usize = 30;

pub(crate) fn confusion(job: &Job<'_>) -> Result<Made, ApiError> {
    let mut made = Made::default();
    let chosen = runs(job, &mut made)?;
    let run = chosen[0];
    if chosen.len() > 1 {
        made.notes.push(format!("A matrix shows one run; this is {}.", run.name()));
    }
    let p = match read(job, run, &SAID) {
        // Scores of two classes are cut in the middle where nothing says what was decided.
        Err(error) if job.spec.said.trim().is_empty() => {
            let mut p = read(job, run, &SCORE).map_err(|_| error)?;
            let yes = positive(job, &p)?;
            let no = p.truth.iter().find(|t| **t != yes && !t.is_empty()).cloned().unwrap_or_else(|| format!("not {yes}"));
            for said in &mut p.said {
                // A row without a score was not decided.
                *said = match said.parse::<f64>() {
                    Ok(v) if v >= 0.5 => yes.clone(),
                    Ok(_) => no.clone(),
                    Err(_) => String::new(),
                };
            }
            made.notes.push("Scores from 0.5 on count as positive.".to_owned());
            p
        }
        other => other?,
    };
    let pairs: Vec<(&str, &str)> =
        p.truth.iter().zip(&p.said).filter(|(t, s)| !t.is_empty() && !s.is_empty()).map(|(t, s)| (t.as_str(), s.as_str())).collect();
    let different: BTreeSet<&str> = pairs.iter().flat_map(|(t, s)| [*t, *s]).collect();
    if different.len() > CLASSES {
        return Err(ApiError::invalid(format!(
            "\"{}\" and \"{}\" have {} different values, which is no matrix of classes",
            p.names.0,
            p.names.1,
            different.len()
        ))
        .hint("Choose columns of classes, not of scores."));
    }
    let (classes, counts) = judge::confusion(&pairs);
    if classes.is_empty() {
        return Err(ApiError::invalid(format!(
            "\"{}\" and \"{}\" have {} different values, which is no matrix of classes",
            p.names.0,
            p.names.1,
            classes.len()
        ))
        .hint("Choose columns of classes, not of scores."));
    }
    let names: Vec<String> = classes.iter().map(|c| (*c).to_owned()).collect();
    let x = Axis::named(&format!("said ({})", p.names.1), names.clone());
    let y = Axis::named(&format!("true ({})", p.names.0), names.iter().rev().cloned().collect());
    let mut frame = job.frame(x, y)?;
    frame.grid = false;
    let cells: Vec<Vec<(f64, String)>> = counts
        .iter()
        .map(|row| {
            let all: u64 = row.iter().sum();
            row.iter().map(|c| (*c as f64 / all.max(1) as f64, say::many(*c))).collect()
        })
        .collect();
    made.layers.push(grid::matrix(&frame, &cells)?);
    let right: u64 = (0..classes.len()).map(|i| counts[i][i]).sum();
    let mut worst = (0, 0, 0);
    for (t, row) in counts.iter().enumerate() {
        for (s, count) in row.iter().enumerate() {
            let [px, py] = frame.pixel(s as f64, (classes.len() - 1 - t) as f64);
            let text = vec![
                format!("true {}, said {}", classes[t], classes[s]),
                format!("{} rows", say::many(*count)),
                format!("{} % of the true {}", (cells[t][s].0 * 100.0).round(), classes[t]),
            ];
            made.marks.push(Mark { series: 0, x: px, y: py, text });
            if t != s && *count > worst.2 {
                worst = (t, s, *count);
            }
        }
    }
    made.title = format!("Confusion matrix of {}", run.name());
    let share = (right as f64 / pairs.len().max(1) as f64 * 1000.0).round() / 10.0;
    made.summary = format!("{} of {} rows are right ({share} %).", say::many(right), say::many(pairs.len() as u64));
    if worst.2 > 0 {
        made.summary.push_str(&format!(
            " Most often {} is taken for {} ({} times).",
            classes[worst.0],
            classes[worst.1],
            say::many(worst.2)
        ));
    }
    made.points = pairs.len() as u64;
    made.values.table = ValueTable {
        head: std::iter::once("True".to_owned()).chain(names.iter().map(|n| format!("Said {n}"))).collect(),
        rows: names
            .iter()
            .zip(&counts)
            .map(|(n, row)| std::iter::once(n.clone()).chain(row.iter().map(u64::to_string)).collect())
            .collect(),
        more: 0,
    };
    made.frame = Some(frame);
    Ok(made)
}

/// Points of residuals that are drawn.
const DOTS: usize = 2_000;

pub(crate) fn residuals(job: &Job<'_>) -> Result<Made, ApiError> {
    let mut made = Made { zoom: true, ..Made::default() };
    let chosen = runs(job, &mut made)?;
    let run = chosen[0];
    if chosen.len() > 1 {
        made.notes.push(format!("Residuals are of one run; this is {}.", run.name()));
    }
    let likely: Vec<&str> = SAID.iter().chain(&SCORE).copied().collect();
    let p = read(job, run, &likely)?;
    let rows: Vec<(f64, f64)> = p
        .truth
        .iter()
        .zip(&p.said)
        .filter_map(|(t, s)| Some((s.parse::<f64>().ok()?, t.parse::<f64>().ok()?)))
        .filter(|(s, t)| s.is_finite() && t.is_finite())
        .map(|(s, t)| (s, t - s))
        .collect();
    if rows.is_empty() {
        return Err(ApiError::invalid(format!("\"{}\" and \"{}\" have no rows with two numbers", p.names.0, p.names.1))
            .hint("Residuals are of regressions; for classes there is the confusion matrix."));
    }
    let x = Axis::over("predicted", Measure::Number, Scale::Linear, rows.iter().map(|r| r.0), 0.04);
    let y = Axis::over("true minus predicted", Measure::Number, Scale::Linear, rows.iter().map(|r| r.1).chain([0.0]), 0.06);
    let frame = job.frame(x, y)?;
    let every = rows.len().div_ceil(DOTS).max(1);
    // The largest misses are always drawn: thinning out must not hide them.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| rows[*b].1.abs().total_cmp(&rows[*a].1.abs()));
    let kept: Vec<usize> = order.iter().take(50).copied().chain(order.iter().skip(50).step_by(every).copied()).collect();
    if kept.len() < rows.len() {
        made.notes.push(format!(
            "{} of {} rows are drawn, the largest misses among them.",
            say::many(kept.len() as u64),
            say::many(rows.len() as u64)
        ));
    }
    let dots: Vec<Dot> =
        kept.iter().map(|i| Dot { x: rows[*i].0, y: rows[*i].1, radius: 2.5, look: Look::default(), shade: None, front: false }).collect();
    made.layers.push(marks::rule(&frame, (frame.x.from, 0.0), (frame.x.to, 0.0))?);
    made.layers.push(marks::cloud(&frame, &dots)?);
    for i in kept.iter().take(200) {
        let [px, py] = frame.pixel(rows[*i].0, rows[*i].1);
        made.marks.push(Mark {
            series: 0,
            x: px,
            y: py,
            text: vec![format!("predicted {}", number(rows[*i].0)), format!("off by {}", number(rows[*i].1))],
        });
    }
    let n = rows.len() as f64;
    let bias = rows.iter().map(|r| r.1 / n).sum::<f64>();
    let rmse = (rows.iter().map(|r| r.1 * r.1 / n).sum::<f64>()).sqrt();
    made.title = format!("Residuals of {}", run.name());
    made.summary = format!(
        "Over {} rows the model is off by {} (root mean square), and on average {} by {}.",
        say::many(rows.len() as u64),
        number(rmse),
        if bias >= 0.0 { "too low" } else { "too high" },
        number(bias.abs())
    );
    made.series.push(job.series(run.name().to_owned(), vec![run.id.clone()], Look::default(), number(rmse)));
    (made.points, made.drawn) = (rows.len() as u64, kept.len() as u64);
    made.values.table = ValueTable {
        head: vec!["Predicted".into(), "True minus predicted".into()],
        rows: order.iter().take(job.rows).map(|i| vec![rows[*i].0.to_string(), rows[*i].1.to_string()]).collect(),
        more: rows.len().saturating_sub(job.rows) as u64,
    };
    made.frame = Some(frame);
    Ok(made)
}
