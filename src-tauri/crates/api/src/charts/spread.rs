//! How values lie: bars with intervals, boxes, violins, histograms, and the table itself.

use super::columns::{Cell, Column, groups};
use super::{ChartSeries, Job, Made, Mark, ValueTable, delta, say, scale};
use crate::ApiError;
use crate::tracking::runs::Run;
use cairn_chart::axis::{Axis, Measure};
use cairn_chart::look::{Look, assign};
use cairn_chart::marks::{self, Bar, Spread};
use cairn_chart::text::number;
use cairn_stats::compare::mean_interval;
use cairn_stats::quantile::{self, BoxOf, density, sorted};
use cairn_stats::relate::Better;

/// Rows of bars or boxes that can be told apart.
const ROWS_MAX: usize = 60;

/// The values of a group in one column.
struct Row {
    name: String,
    runs: Vec<String>,
    values: Vec<f64>,
}

fn measured(job: &Job<'_>) -> Result<Column, ApiError> {
    match job.spec.metrics.iter().find(|m| !m.trim().is_empty()) {
        Some(metric) => Ok(Column::of_metric(metric.trim())),
        None => Column::parse(&job.spec.y),
    }
}

/// Each group's numbers, without those that have none.
fn rows(job: &Job<'_>, column: &Column) -> Result<Vec<Row>, ApiError> {
    let number = |i: &usize| match column.cell(&job.chosen.runs[*i], &job.chosen) {
        Cell::Number(v) if v.is_finite() => Some(v),
        Cell::Text(t) => t.trim().parse().ok().filter(|v: &f64| v.is_finite()),
        Cell::Number(_) | Cell::Nothing => None,
    };
    let found: Vec<Row> = groups(&job.spec.group, &job.chosen)?
        .into_iter()
        .map(|g| Row {
            name: g.name,
            runs: g.members.iter().map(|i| job.chosen.runs[*i].id.clone()).collect(),
            values: g.members.iter().filter_map(number).collect(),
        })
        .filter(|r| !r.values.is_empty())
        .collect();
    if found.is_empty() {
        return Err(ApiError::new("not_found", format!("No run has a number for {}", column.name))
            .hint("Choose another column, or another set of runs."));
    }
    Ok(found)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().map(|v| v / values.len() as f64).sum()
}

fn best_first(found: &mut [Row], better: Option<Better>) {
    match better {
        Some(Better::Lower) => found.sort_by(|a, b| mean(&a.values).total_cmp(&mean(&b.values))),
        Some(Better::Higher) | None => found.sort_by(|a, b| mean(&b.values).total_cmp(&mean(&a.values))),
    }
}

fn cut(made: &mut Made, found: &mut Vec<Row>) {
    if found.len() > ROWS_MAX {
        made.notes.push(format!("The first {ROWS_MAX} of {} are shown.", found.len()));
        found.truncate(ROWS_MAX);
    }
}

/// On a logarithmic axis only what is above zero has a place.
fn above_zero(made: &mut Made, job: &Job<'_>, found: &mut Vec<Row>, column: &Column) -> Result<(), ApiError> {
    if !job.spec.log_x {
        return Ok(());
    }
    let before: usize = found.iter().map(|r| r.values.len()).sum();
    found.iter_mut().for_each(|r| r.values.retain(|v| *v > 0.0));
    found.retain(|r| !r.values.is_empty());
    let lost = before - found.iter().map(|r| r.values.len()).sum::<usize>();
    if found.is_empty() {
        return Err(ApiError::invalid(format!("No value of {} is above zero, as a logarithmic axis needs", column.name))
            .hint("Take the axis back to linear."));
    }
    if lost > 0 {
        made.notes.push(format!("{lost} values at or below zero have no place on a logarithmic axis and are left out."));
    }
    Ok(())
}

/// Where the 95 % interval of a mean lies, if there is more than one value.
fn interval(values: &[f64]) -> Option<(f64, f64)> {
    mean_interval(values, 0.95).ok().map(|(low, _, high)| (low, high))
}

pub(crate) fn bars(job: &Job<'_>) -> Result<Made, ApiError> {
    let column = measured(job)?;
    let better = say::direction(&column.name, job.spec.better);
    let mut made = Made::default();
    let mut found = rows(job, &column)?;
    best_first(&mut found, better);
    above_zero(&mut made, job, &mut found, &column)?;
    cut(&mut made, &mut found);
    let several = found.iter().any(|r| r.values.len() > 1);
    let names: Vec<String> = found.iter().map(named).collect();
    let looks = assign(&found.iter().map(|r| r.runs.join(",")).collect::<Vec<_>>());
    let all: Vec<Bar> = found
        .iter()
        .zip(&looks)
        .map(|(r, look)| Bar {
            value: mean(&r.values),
            interval: interval(&r.values).filter(|i| i.0 > 0.0 || !job.spec.log_x),
            look: *look,
        })
        .collect();
    let ends = all.iter().flat_map(|b| [b.value, b.interval.map_or(b.value, |i| i.0), b.interval.map_or(b.value, |i| i.1)]);
    // Bars begin at zero, or their lengths would lie; a logarithm has no zero.
    let zero = (!job.spec.log_x).then_some(0.0);
    let base = job.baseline_in(&column).filter(|b| *b > 0.0 || !job.spec.log_x);
    let mut x = Axis::over(&column.name, Measure::Number, scale(job.spec.log_x), ends.chain(zero).chain(base), 0.0);
    let room = (x.to / 2.0 - x.from / 2.0) * 0.08;
    if !job.spec.log_x {
        (x.from, x.to) = (if x.from < 0.0 { x.from - room } else { x.from }, if x.to > 0.0 { x.to + room } else { x.to });
    }
    let frame = job.frame(x, Axis::named("", names.iter().rev().cloned().collect()))?;
    made.layers = marks::bars(&frame, &all)?;
    if let Some(base) = base {
        made.layers.push(marks::rule(&frame, (base, frame.y.from), (base, frame.y.to))?);
        made.notes.push(format!("The dashed line is the baseline, {}: {}.", baseline_name(job), number(base)));
    }
    for (i, (row, bar)) in found.iter().zip(&all).enumerate() {
        let [px, py] = frame.pixel(bar.value, (found.len() - 1 - i) as f64);
        let mut text = vec![names[i].clone(), format!("{} {}", column.name, number(bar.value))];
        text.extend(bar.interval.map(|(low, high)| format!("95 % interval {} to {}", number(low), number(high))));
        let one = job.series(names[i].clone(), row.runs.clone(), Look { dash: 0, ..looks[i] }, number(bar.value));
        let by = if one.baseline { String::new() } else { delta(bar.value, base) };
        if !by.is_empty() {
            text.push(format!("{by} beside the baseline"));
        }
        made.marks.push(Mark { series: i, x: px, y: py, text });
        made.series.push(ChartSeries { delta: by, ..one });
    }
    made.title = if several {
        format!("Mean {} of {} groups", column.name, found.len())
    } else {
        format!("{} of {} runs", column.name, found.len())
    };
    let ends: Vec<(&str, f64)> = names.iter().map(String::as_str).zip(all.iter().map(|b| b.value)).collect();
    made.summary = match ends.as_slice() {
        [(name, value)] => format!("{}: {name} has {}.", column.name, number(*value)),
        many => say::curves(&column.name, many, better, if several { "groups" } else { "runs" }),
    };
    if several {
        made.summary.push_str(" The thin lines are 95 % intervals of the means; of one run there is none.");
    }
    made.points = found.iter().map(|r| r.values.len() as u64).sum();
    made.drawn = found.len() as u64;
    let text = |v: Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
    made.values.table = ValueTable {
        head: vec!["Name".into(), format!("Mean {}", column.name), "Low".into(), "High".into(), "Runs".into()],
        rows: names
            .iter()
            .zip(&all)
            .zip(&found)
            .map(|((n, b), r)| {
                vec![
                    n.clone(),
                    b.value.to_string(),
                    text(b.interval.map(|i| i.0)),
                    text(b.interval.map(|i| i.1)),
                    r.values.len().to_string(),
                ]
            })
            .collect(),
        more: 0,
    };
    made.frame = Some(frame);
    Ok(made)
}

fn baseline_name<'j>(job: &'j Job<'_>) -> &'j str {
    job.baseline.as_ref().map_or("", Run::name)
}

fn named(row: &Row) -> String {
    if row.runs.len() > 1 { format!("{} ({} runs)", row.name, row.values.len()) } else { row.name.clone() }
}

/// Points of a violin's outline.
const OUTLINE: usize = 80;

pub(crate) fn boxes(job: &Job<'_>) -> Result<Made, ApiError> {
    let column = measured(job)?;
    let better = say::direction(&column.name, job.spec.better);
    let mut made = Made::default();
    let mut found = rows(job, &column)?;
    if job.spec.group.iter().all(|g| g.trim().is_empty()) {
        // Without groups one box of all runs says more than a line for each.
        found = vec![Row {
            name: "all runs".to_owned(),
            runs: found.iter().flat_map(|r| r.runs.clone()).collect(),
            values: found.iter().flat_map(|r| r.values.clone()).collect(),
        }];
    }
    best_first(&mut found, better);
    above_zero(&mut made, job, &mut found, &column)?;
    cut(&mut made, &mut found);
    let violin = job.spec.kind == super::spec::ChartKind::Violin;
    let looks = assign(&found.iter().map(|r| r.name.clone()).collect::<Vec<_>>());
    let all: Vec<Spread> = found
        .iter()
        .zip(&looks)
        .filter_map(|(r, look)| {
            let ordered = sorted(r.values.iter().copied());
            let b = BoxOf::of(&ordered)?;
            let mut density = if violin { density(&ordered, OUTLINE).unwrap_or_default() } else { Vec::new() };
            // The outline reaches beyond the values; at or below zero a logarithm has no place.
            density.retain(|d| d.0 > 0.0 || !job.spec.log_x);
            Some(Spread { look: *look, five: [b.low_whisker, b.q1, b.median, b.q3, b.high_whisker], outliers: b.outliers, density })
        })
        .collect();
    let ends = all.iter().flat_map(|s| s.five.into_iter().chain(s.outliers.iter().copied()).chain(s.density.iter().map(|d| d.0)));
    let base = job.baseline_in(&column).filter(|b| *b > 0.0 || !job.spec.log_x);
    let x = Axis::over(&column.name, Measure::Number, scale(job.spec.log_x), ends.chain(base), 0.04);
    let names: Vec<String> = found.iter().map(named).collect();
    let frame = job.frame(x, Axis::named("", names.iter().rev().cloned().collect()))?;
    made.layers = marks::spreads(&frame, &all)?;
    if let Some(base) = base {
        made.layers.push(marks::rule(&frame, (base, frame.y.from), (base, frame.y.to))?);
        made.notes.push(format!("The dashed line is the baseline, {}: {}.", baseline_name(job), number(base)));
    }
    for (i, (row, s)) in found.iter().zip(&all).enumerate() {
        let [px, py] = frame.pixel(s.five[2], (found.len() - 1 - i) as f64);
        let mut text = vec![
            names[i].clone(),
            format!("median {}", number(s.five[2])),
            format!("middle half {} to {}", number(s.five[1]), number(s.five[3])),
            format!("{} outliers", s.outliers.len()),
        ];
        let by = delta(s.five[2], base);
        if !by.is_empty() {
            text.push(format!("{by} beside the baseline"));
        }
        made.marks.push(Mark { series: i, x: px, y: py, text });
        let one = job.series(names[i].clone(), row.runs.clone(), Look { dash: 0, ..looks[i] }, number(s.five[2]));
        made.series.push(ChartSeries { delta: by, ..one });
    }
    made.title = format!("How {} spreads", column.name);
    let ends: Vec<(&str, f64)> = names.iter().map(String::as_str).zip(all.iter().map(|s| s.five[2])).collect();
    made.summary = match (ends.as_slice(), all.as_slice()) {
        ([(name, median)], [one]) => {
            format!(
                "Half of {name} lie between {} and {}; the middle one is {}.",
                number(one.five[1]),
                number(one.five[3]),
                number(*median)
            )
        }
        (many, _) => say::curves(&format!("median {}", column.name), many, better, "groups"),
    };
    if violin && all.iter().any(|s| s.density.is_empty()) {
        made.notes.push("Where values do not differ there is no shape, only a box.".to_owned());
    }
    made.points = found.iter().map(|r| r.values.len() as u64).sum();
    made.drawn = found.len() as u64;
    made.values.table = ValueTable {
        head: ["Group", "Runs", "Low whisker", "First quartile", "Median", "Third quartile", "High whisker", "Outliers"]
            .map(str::to_owned)
            .to_vec(),
        rows: found
            .iter()
            .zip(&all)
            .map(|(r, s)| {
                let five = s.five.iter().map(f64::to_string);
                [r.name.clone(), r.values.len().to_string()].into_iter().chain(five).chain([s.outliers.len().to_string()]).collect()
            })
            .collect(),
        more: 0,
    };
    made.frame = Some(frame);
    Ok(made)
}

/// Bins that can be seen.
const BINS: usize = 60;

pub(crate) fn histogram(job: &Job<'_>) -> Result<Made, ApiError> {
    let column = if job.spec.x.trim().is_empty() { measured(job)? } else { Column::parse(&job.spec.x)? };
    let mut found = rows(job, &column)?;
    let mut made = Made::default();
    above_zero(&mut made, job, &mut found, &column)?;
    let ordered = sorted(found.iter().flat_map(|r| r.values.iter().copied()));
    // On a logarithmic axis bins of equal width there.
    let log = job.spec.log_x;
    let turned: Vec<f64> = if log { ordered.iter().map(|v| v.log10()).collect() } else { ordered.clone() };
    let mut h =
        quantile::histogram(&turned, BINS).ok_or_else(|| ApiError::new("not_found", format!("No run has a number for {}", column.name)))?;
    if log {
        h.edges.iter_mut().for_each(|e| *e = 10_f64.powf(*e));
    }
    (made.points, made.drawn) = (ordered.len() as u64, h.counts.len() as u64);
    let x = Axis {
        from: h.edges[0],
        to: h.edges[h.edges.len() - 1],
        ..Axis::over(&column.name, Measure::Number, scale(log), h.edges.iter().copied(), 0.0)
    };
    let most = h.counts.iter().copied().max().unwrap_or(1);
    let mut y = Axis::over("runs", Measure::Number, scale(false), [0.0, most as f64].into_iter(), 0.0);
    y.to *= 1.05;
    let frame = job.frame(x, y)?;
    made.layers = marks::columns(&frame, &h.edges, &h.counts)?;
    for (i, count) in h.counts.iter().enumerate() {
        let (from, to) = (h.edges[i], h.edges[i + 1]);
        let [px, py] = frame.pixel(f64::midpoint(from, to), *count as f64);
        let text = vec![format!("{} from {} to {}", column.name, number(from), number(to)), format!("{count} runs")];
        made.marks.push(Mark { series: i, x: px, y: py, text });
    }
    let fullest = h.counts.iter().enumerate().max_by_key(|c| *c.1).map_or(0, |c| c.0);
    made.title = format!("Distribution of {}", column.name);
    made.summary = format!(
        "{} of {} runs lies between {} and {}; most often ({} runs) between {} and {}.",
        column.name,
        say::many(ordered.len() as u64),
        number(ordered[0]),
        number(ordered[ordered.len() - 1]),
        h.counts[fullest],
        number(h.edges[fullest]),
        number(h.edges[fullest + 1])
    );
    made.values.table = ValueTable {
        head: vec!["From".into(), "To".into(), "Runs".into()],
        rows: h.counts.iter().enumerate().map(|(i, c)| vec![h.edges[i].to_string(), h.edges[i + 1].to_string(), c.to_string()]).collect(),
        more: 0,
    };
    made.frame = Some(frame);
    Ok(made)
}

pub(crate) fn table(job: &Job<'_>) -> Result<Made, ApiError> {
    let columns = job.spec.columns.iter().filter(|c| !c.trim().is_empty()).map(|c| Column::parse(c)).collect::<Result<Vec<_>, _>>()?;
    let runs: Vec<&Run> = job.chosen.runs.iter().rev().collect();
    let mut made = Made { points: runs.len() as u64, ..Made::default() };
    made.title = "Runs".to_owned();
    made.summary = format!("{} runs and {} of their columns.", say::many(runs.len() as u64), columns.len());
    made.series =
        runs.iter().take(job.rows).map(|r| job.series(r.name().to_owned(), vec![r.id.clone()], Look::default(), String::new())).collect();
    let text = |c: &Column, r: &Run| match c.cell(r, &job.chosen) {
        Cell::Number(v) => v.to_string(),
        Cell::Text(t) => t,
        Cell::Nothing => String::new(),
    };
    made.values.table = ValueTable {
        head: std::iter::once("Run".to_owned()).chain(columns.iter().map(|c| c.name.clone())).collect(),
        rows: runs
            .iter()
            .take(job.rows)
            .map(|r| std::iter::once(r.name().to_owned()).chain(columns.iter().map(|c| text(c, r))).collect())
            .collect(),
        more: runs.len().saturating_sub(job.rows) as u64,
    };
    Ok(made)
}
