//! Runs as points among columns: scatter, contour, parallel coordinates, and what matters for a metric.

use super::columns::{Cell, Column, Laid, lay};
use super::curves::real;
use super::spec::BetterIs;
use super::{Job, Made, Mark, ParallelColumn, ValueTable, say};
use crate::ApiError;
use crate::tracking::runs::Run;
use cairn_chart::axis::{Axis, Measure, Scale};
use cairn_chart::look::{Look, assign};
use cairn_chart::marks::{Bar, Dot, bars, dots};
use cairn_chart::text::number;
use cairn_chart::{grid, parallel};
use cairn_stats::forest::importances;
use cairn_stats::relate::{pareto, pearson, spearman};
use std::collections::{BTreeMap, BTreeSet};

fn nothing(what: &str) -> ApiError {
    ApiError::new("not_found", format!("No run has {what}")).hint("Choose other columns, or another set of runs.")
}

/// The runs that have all of some columns, and each column of them.
fn having<'j>(job: &'j Job<'_>, columns: &[&Column]) -> Vec<&'j Run> {
    let has = |run: &&Run| columns.iter().all(|c| !matches!(c.cell(run, &job.chosen), Cell::Nothing));
    job.chosen.runs.iter().filter(has).collect()
}

fn left_out(made: &mut Made, job: &Job<'_>, shown: usize) {
    let rest = job.chosen.runs.len() - shown;
    if rest > 0 {
        made.notes.push(format!("{rest} of {} runs lack one of the columns and are left out.", job.chosen.runs.len()));
    }
}

/// The cells of some columns for each run, as a table.
fn table_of(job: &Job<'_>, runs: &[&Run], columns: &[&Column]) -> ValueTable {
    let text = |c: &Column, run: &Run| match c.cell(run, &job.chosen) {
        Cell::Number(v) => v.to_string(),
        Cell::Text(t) => t,
        Cell::Nothing => String::new(),
    };
    ValueTable {
        head: std::iter::once("Run".to_owned()).chain(columns.iter().map(|c| c.name.clone())).collect(),
        rows: runs
            .iter()
            .take(job.rows)
            .map(|run| std::iter::once(run.name().to_owned()).chain(columns.iter().map(|c| text(c, run))).collect())
            .collect(),
        more: runs.len().saturating_sub(job.rows) as u64,
    }
}

/// A text for each value of a laid column.
fn said(laid: &Laid, i: usize) -> String {
    match &laid.axis.measure {
        Measure::Names(names) if laid.values[i].is_finite() => names.get(laid.values[i] as usize).cloned().unwrap_or_default(),
        Measure::Time => cairn_chart::text::clock(laid.values[i], 60e3),
        Measure::Duration => cairn_chart::text::span_of_time(laid.values[i]),
        _ => number(laid.values[i]),
    }
}

pub(crate) fn scatter(job: &Job<'_>) -> Result<Made, ApiError> {
    let spec = job.spec;
    let (cx, cy) = (Column::parse(&spec.x)?, Column::parse(&spec.y)?);
    let more = |text: &str| if text.trim().is_empty() { Ok(None) } else { Column::parse(text).map(Some) };
    let (csize, cshade) = (more(&spec.size)?, more(&spec.shade)?);
    let runs = having(job, &[&cx, &cy]);
    if runs.is_empty() {
        return Err(nothing(&format!("both {} and {}", cx.name, cy.name)));
    }
    let x = lay(&cx, &job.chosen, &runs, spec.log_x, 0.05)?;
    let y = lay(&cy, &job.chosen, &runs, spec.log_y, 0.05)?;
    let size = csize.as_ref().map(|c| lay(c, &job.chosen, &runs, false, 0.0)).transpose()?;
    let shade = cshade.as_ref().map(|c| lay(c, &job.chosen, &runs, false, 0.0)).transpose()?;
    // What somebody said of better is about what stands upright.
    let (bx, by) = (say::direction(&cx.name, BetterIs::Unsaid), say::direction(&cy.name, spec.better));
    let front: BTreeSet<usize> = match (bx, by) {
        (Some(bx), Some(by)) if !x.names && !y.names => {
            let points: Vec<(f64, f64)> = x.values.iter().zip(&y.values).map(|(a, b)| (*a, *b)).collect();
            pareto(&points, bx, by).into_iter().collect()
        }
        _ => BTreeSet::new(),
    };
    let groups = spec.group.first().filter(|g| !g.is_empty()).map(|g| Column::parse(g)).transpose()?;
    let kinds: Vec<String> = runs.iter().map(|r| groups.as_ref().and_then(|g| g.text(r, &job.chosen)).unwrap_or_default()).collect();
    let mut different: Vec<String> = kinds.clone();
    different.sort();
    different.dedup();
    let looks = assign(&different);
    let look = |i: usize| {
        if groups.is_some() { different.iter().position(|d| *d == kinds[i]).map_or(Look::default(), |n| looks[n]) } else { Look::default() }
    };
    let frame = job.frame(x.axis.clone(), y.axis.clone())?;
    let all: Vec<Dot> = (0..runs.len())
        .map(|i| Dot {
            x: x.values[i],
            y: y.values[i],
            // The area says how much, not the radius.
            radius: size
                .as_ref()
                .map_or(5.0, |s| 3.0 + 11.0 * Some(s.axis.at(s.values[i])).filter(|v| v.is_finite()).unwrap_or(0.0).clamp(0.0, 1.0).sqrt()),
            look: look(i),
            shade: shade.as_ref().map(|s| 0.2 + 0.8 * s.axis.at(s.values[i]).clamp(0.0, 1.0)).filter(|s| s.is_finite()),
            front: front.contains(&i),
        })
        .collect();
    let mut made = Made { zoom: true, points: runs.len() as u64, drawn: runs.len() as u64, ..Made::default() };
    made.layers = dots(&frame, &all)?;
    for (i, run) in runs.iter().enumerate() {
        let [px, py] = frame.pixel(x.values[i], y.values[i]);
        let mut text = vec![run.name().to_owned(), format!("{} {}", cx.name, said(&x, i)), format!("{} {}", cy.name, said(&y, i))];
        text.extend(size.as_ref().zip(csize.as_ref()).map(|(s, c)| format!("{} {}", c.name, said(s, i))));
        text.extend(shade.as_ref().zip(cshade.as_ref()).map(|(s, c)| format!("{} {}", c.name, said(s, i))));
        let by = if y.names { String::new() } else { super::delta(y.values[i], job.baseline_in(&cy)) };
        if !by.is_empty() {
            text.push(format!("{} {by} beside the baseline", cy.name));
        }
        if front.contains(&i) {
            text.push("Nobody beats it in both".to_owned());
        }
        made.marks.push(Mark { series: i, x: px, y: py, text });
        made.series.push(job.series(run.name().to_owned(), vec![run.id.clone()], look(i), String::new()));
    }
    if groups.is_some() {
        for (kind, look) in different.iter().zip(&looks) {
            let members = runs.iter().zip(&kinds).filter(|(_, k)| *k == kind).map(|(r, _)| r.id.clone()).collect();
            made.legend.push(job.series(kind.clone(), members, *look, String::new()));
        }
    }
    made.title = format!("{} over {}", cy.name, cx.name);
    made.summary = scatter_summary(&cx.name, &cy.name, &x, &y, front.len(), &runs, &front);
    left_out(&mut made, job, runs.len());
    let columns: Vec<&Column> = [Some(&cx), Some(&cy), csize.as_ref(), cshade.as_ref(), groups.as_ref()].into_iter().flatten().collect();
    made.values.table = table_of(job, &runs, &columns);
    made.frame = Some(frame);
    Ok(made)
}

fn scatter_summary(cx: &str, cy: &str, x: &Laid, y: &Laid, front: usize, runs: &[&Run], on_front: &BTreeSet<usize>) -> String {
    let together = if x.names || y.names { None } else { spearman(&x.values, &y.values) };
    let mut text = match together {
        Some(r) if r.abs() < 0.2 => format!("In {} runs {cy} hardly goes with {cx}", say::many(runs.len() as u64)),
        Some(r) => format!(
            "In {} runs {cy} {} {} with {cx} (Spearman's correlation {})",
            say::many(runs.len() as u64),
            say::strength(r),
            if r > 0.0 { "rises" } else { "falls" },
            number((r * 100.0).round() / 100.0)
        ),
        None => format!("{} runs by {cx} and {cy}", say::many(runs.len() as u64)),
    };
    if front > 0 && front < runs.len() {
        let names: Vec<&str> = on_front.iter().take(3).filter_map(|i| runs.get(*i).map(|r| r.name())).collect();
        let more = if front > 3 { format!(" and {} more", front - 3) } else { String::new() };
        text.push_str(&format!("; nobody beats {}{more} in both", names.join(", ")));
    }
    text + "."
}

/// Cells of a contour on each side.
const CELLS: usize = 60;

pub(crate) fn contour(job: &Job<'_>) -> Result<Made, ApiError> {
    let spec = job.spec;
    let (cx, cy, cz) = (Column::parse(&spec.x)?, Column::parse(&spec.y)?, Column::parse(&spec.shade)?);
    let runs = having(job, &[&cx, &cy, &cz]);
    let x = lay(&cx, &job.chosen, &runs, spec.log_x, 0.04)?;
    let y = lay(&cy, &job.chosen, &runs, spec.log_y, 0.04)?;
    let z = lay(&cz, &job.chosen, &runs, false, 0.0)?;
    if z.names {
        return Err(ApiError::invalid(format!("\"{}\" has no numbers to fill a plane with", cz.name)).hint("Choose a metric."));
    }
    let known: Vec<(f64, f64, f64)> = (0..runs.len())
        .map(|i| (x.axis.at(x.values[i]), y.axis.at(y.values[i]), z.axis.at(z.values[i])))
        .filter(|k| k.0.is_finite() && k.1.is_finite() && k.2.is_finite())
        .collect();
    if known.len() < 3 {
        return Err(nothing(&format!("{}, {} and {} often enough: at least three runs are needed", cx.name, cy.name, cz.name)));
    }
    let frame = job.frame(x.axis.clone(), y.axis.clone())?;
    // Between the runs: Shepard's mean by the inverse square of the distance (ACM 1968).
    let at = |i: usize| {
        let place = |n: usize| (n as f64 + 0.5) / CELLS as f64;
        let (px, py) = (frame.x.value(place(i % CELLS)), frame.y.value(place(i / CELLS)));
        let (px, py) = (x.axis.at(px), y.axis.at(py));
        let (mut sum, mut weights) = (0.0, 0.0);
        for (kx, ky, kz) in &known {
            let weight = 1.0 / ((px - kx).powi(2) + (py - ky).powi(2)).max(1e-9);
            sum += kz * weight;
            weights += weight;
        }
        sum / weights
    };
    let cells: Vec<f64> = (0..CELLS * CELLS).map(at).collect();
    let mut made = Made { zoom: true, points: runs.len() as u64, drawn: runs.len() as u64, ..Made::default() };
    made.layers.push(grid::shades(&frame, CELLS, &cells)?);
    let all: Vec<Dot> = (0..runs.len())
        .map(|i| Dot { x: x.values[i], y: y.values[i], radius: 3.5, look: Look { colour: 1, dash: 0 }, shade: None, front: false })
        .collect();
    made.layers.extend(dots(&frame, &all)?);
    for (i, run) in runs.iter().enumerate() {
        let [px, py] = frame.pixel(x.values[i], y.values[i]);
        let text = vec![
            run.name().to_owned(),
            format!("{} {}", cx.name, said(&x, i)),
            format!("{} {}", cy.name, said(&y, i)),
            format!("{} {}", cz.name, said(&z, i)),
        ];
        made.marks.push(Mark { series: i, x: px, y: py, text });
        made.series.push(job.series(run.name().to_owned(), vec![run.id.clone()], Look { colour: 1, dash: 0 }, said(&z, i)));
    }
    made.title = format!("{} over {} and {}", cz.name, cx.name, cy.name);
    let best = best_of(&z.values, say::direction(&cz.name, spec.better));
    made.summary = match best {
        Some(i) => format!(
            "The best {} of {} runs, {}, is at {} {} and {} {}. Darker (in the dark: lighter) is more; between the dots the colour is a guess from the runs around.",
            cz.name,
            runs.len(),
            said(&z, i),
            cx.name,
            said(&x, i),
            cy.name,
            said(&y, i)
        ),
        None => format!(
            "{} of {} runs over {} and {}; between the dots the colour is a guess from the runs around.",
            cz.name,
            runs.len(),
            cx.name,
            cy.name
        ),
    };
    left_out(&mut made, job, runs.len());
    made.values.table = table_of(job, &runs, &[&cx, &cy, &cz]);
    made.frame = Some(frame);
    Ok(made)
}

fn best_of(values: &[f64], better: Option<cairn_stats::relate::Better>) -> Option<usize> {
    let better = better?;
    let all = (0..values.len()).filter(|i| values[*i].is_finite());
    all.reduce(|a, b| if better.beats(values[b], values[a]) { b } else { a })
}

/// Lines of parallel coordinates; more are a wall.
const PARALLEL_MAX: usize = 1_000;

pub(crate) fn parallel(job: &Job<'_>) -> Result<Made, ApiError> {
    let spec = job.spec;
    let texts: Vec<&String> = spec.columns.iter().filter(|c| !c.trim().is_empty()).collect();
    if !(2..=16).contains(&texts.len()) {
        return Err(ApiError::invalid("Parallel coordinates take 2 to 16 columns").hint("Choose some parameters, and a metric at the end."));
    }
    let columns = texts.iter().map(|c| Column::parse(c)).collect::<Result<Vec<_>, _>>()?;
    let some = |run: &&Run| columns.iter().filter(|c| !matches!(c.cell(run, &job.chosen), Cell::Nothing)).count() > 1;
    let mut runs: Vec<&Run> = job.chosen.runs.iter().filter(some).collect();
    if runs.is_empty() {
        return Err(nothing("two of these columns"));
    }
    let mut made = Made::default();
    left_out(&mut made, job, runs.len());
    if runs.len() > PARALLEL_MAX {
        made.notes.push(format!("The newest {PARALLEL_MAX} of {} runs are drawn.", runs.len()));
        runs = runs.split_off(runs.len() - PARALLEL_MAX);
    }
    let laid: Vec<Laid> = columns.iter().map(|c| lay(c, &job.chosen, &runs, false, 0.0)).collect::<Result<_, _>>()?;
    let shaded = if spec.shade.trim().is_empty() { columns.last().cloned() } else { Some(Column::parse(&spec.shade)?) };
    let shade = match &shaded {
        Some(c) => lay(c, &job.chosen, &runs, false, 0.0)?,
        None => laid[0].clone(),
    };
    let shades: Vec<f64> = shade.values.iter().map(|v| shade.axis.at(*v).clamp(0.0, 1.0)).collect();
    let all: Vec<parallel::Column> = laid.iter().map(|l| parallel::Column { axis: l.axis.clone(), values: l.values.clone() }).collect();
    let frame = parallel::frame(job.request.width, job.request.height, job.palette.clone(), &all)?;
    made.layers = parallel::layers(&frame, &all, &shades)?;
    for (c, column) in all.iter().enumerate() {
        let at = column.values.iter().map(|v| Some(column.axis.at(*v)).filter(|v| v.is_finite())).collect();
        made.columns.push(ParallelColumn { name: column.axis.label.clone(), x: frame.pixel(c as f64, 0.0)[0], at });
    }
    for (i, run) in runs.iter().enumerate() {
        let last = said(&shade, i);
        let mut one = job.series(run.name().to_owned(), vec![run.id.clone()], Look::default(), last);
        let colour = if shades[i].is_nan() { job.palette.axis } else { job.palette.shade(0.15 + 0.85 * shades[i]) };
        one.colour = cairn_chart::theme::hex(colour);
        made.series.push(one);
    }
    let target = shaded.map(|c| c.name).unwrap_or_default();
    made.title =
        format!("{} by {}", target, columns.iter().map(|c| c.name.as_str()).filter(|n| *n != target).collect::<Vec<_>>().join(", "));
    let best = best_of(&shade.values, say::direction(&target, spec.better));
    made.summary = match best {
        Some(i) => {
            let with: Vec<String> = columns
                .iter()
                .zip(&laid)
                .filter(|(c, l)| c.name != target && l.values[i].is_finite())
                .map(|(c, l)| format!("{} {}", c.name, said(l, i)))
                .collect();
            format!("The best {target} of {} runs, {}, has {}.", runs.len(), said(&shade, i), with.join(", "))
        }
        None => format!("{} runs, each a line through its values; the colour says {target}.", runs.len()),
    };
    (made.points, made.drawn) = (runs.len() as u64, runs.len() as u64);
    made.values.table = table_of(job, &runs, &columns.iter().collect::<Vec<_>>());
    made.frame = Some(frame);
    Ok(made)
}

/// Runs below which a forest would learn noise.
const FOREST_MIN: usize = 10;
/// Words of a parameter that are told apart.
const KINDS: usize = 12;

pub(crate) fn importance(job: &Job<'_>) -> Result<Made, ApiError> {
    let spec = job.spec;
    let metric = spec.metrics.first().filter(|m| !m.trim().is_empty());
    let target = Column::parse(&metric.map_or_else(|| spec.y.clone(), |m| format!("metrics.`{m}`")))?;
    let finite = |run: &&Run| matches!(target.cell(run, &job.chosen), Cell::Number(v) if v.is_finite());
    let runs: Vec<&Run> = job.chosen.runs.iter().filter(finite).collect();
    if runs.len() < FOREST_MIN {
        return Err(ApiError::conflict(format!("Of {} runs with {} nothing can be said about what matters", runs.len(), target.name))
            .hint(format!("At least {FOREST_MIN} runs with different parameters are needed.")));
    }
    let y: Vec<f64> = runs.iter().map(|r| if let Cell::Number(v) = target.cell(r, &job.chosen) { v } else { f64::NAN }).collect();
    let names: BTreeSet<&String> = runs.iter().flat_map(|r| r.params.keys()).collect();
    let mut inputs = Vec::new();
    let mut skipped = 0;
    for name in names {
        match input(name, &runs) {
            Input::Constant => {}
            Input::Names => skipped += 1,
            Input::Columns(columns, correlated) => inputs.push((name.clone(), columns, correlated)),
        }
    }
    if inputs.is_empty() {
        return Err(
            ApiError::conflict("All of these runs have the same parameters").hint("Nothing can be told apart by what never differs.")
        );
    }
    let flat: Vec<Vec<f64>> = inputs.iter().flat_map(|(_, c, _)| c.iter().cloned()).collect();
    let mut each = importances(&flat, &y, 1).into_iter();
    let mut found: Vec<(String, f64, Option<f64>)> = inputs
        .iter()
        .map(|(name, columns, correlated)| {
            let share = each.by_ref().take(columns.len()).sum();
            let r = if *correlated { spearman(&columns[0], &y).or_else(|| pearson(&columns[0], &y)) } else { None };
            (name.clone(), share, r)
        })
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut made = Made { points: runs.len() as u64, ..Made::default() };
    if skipped > 0 {
        made.notes.push(format!("{skipped} parameters have too many different words to be compared."));
    }
    let shown = found.len().min(16);
    if shown < found.len() {
        made.notes.push(format!("The {shown} most important of {} parameters are shown.", found.len()));
    }
    draw_importance(job, &mut made, &found[..shown])?;
    made.title = format!("What matters for {}", target.name);
    let share = |v: f64| format!("{} %", (v * 100.0).round());
    made.summary = match found.first() {
        Some((_, v, _)) if *v == 0.0 => format!("In {} runs no parameter goes with {}.", runs.len(), target.name),
        Some((name, v, r)) => {
            let way = r
                .filter(|r| r.abs() >= 0.2)
                .map(|r| format!("; more of it goes with {} {}", if r > 0.0 { "higher" } else { "lower" }, target.name));
            format!(
                "In {} runs {name} explains most of {}: {} of what the parameters explain{}. What goes together need not be the cause.",
                runs.len(),
                target.name,
                share(*v),
                way.unwrap_or_default()
            )
        }
        None => String::new(),
    };
    made.values.table = ValueTable {
        head: vec!["Parameter".into(), "Importance".into(), "Spearman's correlation".into()],
        rows: found.iter().map(|(n, v, r)| vec![n.clone(), v.to_string(), r.map(|r| r.to_string()).unwrap_or_default()]).collect(),
        more: 0,
    };
    Ok(made)
}

/// Columns that a matrix of correlations has room for.
const PAIRED: usize = 16;

/// The columns whose correlations somebody wants, or what likely tells: parameters of numbers that differ, then metrics.
fn correlated(job: &Job<'_>, made: &mut Made) -> Result<Vec<(String, Vec<f64>)>, ApiError> {
    let runs = &job.chosen.runs;
    let numbers = |column: &Column| -> Option<Vec<f64>> {
        let of = |run: &Run| match column.cell(run, &job.chosen) {
            Cell::Number(v) => Some(v),
            Cell::Text(t) => t.trim().parse().ok(),
            Cell::Nothing => Some(f64::NAN),
        };
        runs.iter().map(of).collect()
    };
    let differs = |values: &[f64]| {
        let mut finite = values.iter().filter(|v| v.is_finite());
        finite.next().is_some_and(|first| finite.any(|v| v != first))
    };
    let wanted: Vec<&String> = job.spec.columns.iter().filter(|c| !c.trim().is_empty()).collect();
    let mut found = Vec::new();
    if wanted.is_empty() {
        // One pass over what each run has: looking for each column in each run would take long with hundreds of metrics.
        let (mut params, mut metrics) = (BTreeMap::<&str, Vec<f64>>::new(), BTreeMap::<&str, Vec<f64>>::new());
        let mut words = BTreeSet::new();
        let nothing = || vec![f64::NAN; runs.len()];
        for (i, run) in runs.iter().enumerate() {
            for (name, value) in &run.params {
                match value.trim().parse() {
                    Ok(v) => params.entry(name).or_insert_with(nothing)[i] = v,
                    Err(_) => drop(words.insert(name.as_str())),
                }
            }
            for m in &run.metrics {
                metrics.entry(&m.key).or_insert_with(nothing)[i] = real(m.last.value);
            }
        }
        params.retain(|name, _| !words.contains(name));
        let all = params.into_iter().chain(metrics).map(|(name, values)| (name.to_owned(), values));
        found.extend(all.filter(|(_, v)| differs(v)));
        if found.len() > PAIRED {
            made.notes.push(format!("The first {PAIRED} of {} columns are shown; choose the ones that matter.", found.len()));
            found.truncate(PAIRED);
        }
    } else {
        if wanted.len() > PAIRED {
            return Err(ApiError::invalid(format!("A matrix of correlations has room for {PAIRED} columns, not {}", wanted.len())));
        }
        for text in wanted {
            let column = Column::parse(text)?;
            match numbers(&column) {
                Some(values) if differs(&values) => found.push((column.name, values)),
                Some(_) => made.notes.push(format!("{} is the same everywhere, so nothing goes with it.", column.name)),
                None => made.notes.push(format!("{} has words, which have no order; it is left out.", column.name)),
            }
        }
    }
    if found.len() < 2 {
        return Err(ApiError::conflict("Fewer than two columns of these runs are numbers that differ")
            .hint("Choose parameters or metrics of numbers, or more runs."));
    }
    Ok(found)
}

pub(crate) fn correlation(job: &Job<'_>) -> Result<Made, ApiError> {
    let mut made = Made::default();
    let found = correlated(job, &mut made)?;
    let both = |a: &[f64], b: &[f64]| a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).count();
    let pairs: Vec<Vec<Option<f64>>> = found.iter().map(|a| found.iter().map(|b| spearman(&a.1, &b.1)).collect()).collect();
    let names: Vec<String> = found.iter().map(|f| f.0.clone()).collect();
    let upwards: Vec<String> = names.iter().rev().cloned().collect();
    let mut frame = job.frame(Axis::named("", names.clone()), Axis::named("", upwards))?;
    frame.grid = false;
    let text = |r: Option<f64>| r.map_or_else(|| "–".to_owned(), |r| format!("{r:.2}"));
    let cells: Vec<Vec<(f64, String)>> =
        pairs.iter().map(|row| row.iter().map(|r| (r.map_or(0.0, f64::abs), text(*r))).collect()).collect();
    made.layers.push(grid::matrix(&frame, &cells)?);
    let way = |r: f64| if r > 0.0 { "rises" } else { "falls" };
    for (i, a) in found.iter().enumerate() {
        for (j, b) in found.iter().enumerate().filter(|(j, _)| *j != i) {
            let [x, y] = frame.pixel(j as f64, (found.len() - 1 - i) as f64);
            let said = match pairs[i][j] {
                Some(r) if r.abs() < 0.2 => format!("{} hardly goes with {}", a.0, b.0),
                Some(r) => format!("{} {} {} with {}", a.0, say::strength(r), way(r), b.0),
                None => format!("{} and {} are known of too few runs", a.0, b.0),
            };
            let runs = format!("{} runs", both(&a.1, &b.1));
            made.marks.push(Mark { series: 0, x, y, text: vec![said, format!("correlation {}", text(pairs[i][j])), runs] });
            made.values.table.rows.push(vec![
                a.0.clone(),
                b.0.clone(),
                pairs[i][j].map(|r| r.to_string()).unwrap_or_default(),
                both(&a.1, &b.1).to_string(),
            ]);
        }
    }
    made.values.table.head = ["Column", "With", "Spearman's correlation", "Runs"].map(str::to_owned).to_vec();
    let strongest = (0..found.len())
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .filter_map(|(i, j)| Some((i, j, pairs[i][j]?)))
        .max_by(|a, b| a.2.abs().total_cmp(&b.2.abs()));
    made.title = format!("How {} columns go together", found.len());
    made.summary = match strongest {
        Some((i, j, r)) if r.abs() >= 0.2 => format!(
            "Of all pairs {} goes most with {}: it {} {} ({r:.2}). 1 is always together, −1 always against, 0 not at all. What goes together need not be the cause.",
            names[i],
            names[j],
            say::strength(r),
            way(r)
        ),
        _ => "None of these columns goes with another.".to_owned(),
    };
    (made.points, made.drawn) = (job.chosen.runs.len() as u64, (found.len() * found.len()) as u64);
    made.frame = Some(frame);
    Ok(made)
}

enum Input {
    Constant,
    /// Too many words.
    Names,
    /// What a forest is fed with, and whether it is one column of numbers.
    Columns(Vec<Vec<f64>>, bool),
}

fn input(name: &str, runs: &[&Run]) -> Input {
    let cells: Vec<Option<&String>> = runs.iter().map(|r| r.params.get(name)).collect();
    let mut kinds: Vec<Option<&String>> = cells.clone();
    kinds.sort();
    kinds.dedup();
    if kinds.len() < 2 {
        return Input::Constant;
    }
    let numbers: Option<Vec<f64>> = cells.iter().map(|c| c.and_then(|t| t.trim().parse::<f64>().ok()).filter(|v| v.is_finite())).collect();
    if let Some(numbers) = numbers {
        return Input::Columns(vec![numbers], true);
    }
    if kinds.len() > KINDS {
        return Input::Names;
    }
    let one = |kind: &Option<&String>| cells.iter().map(|c| f64::from(u8::from(c == kind))).collect();
    Input::Columns(kinds.iter().map(one).collect(), false)
}

fn draw_importance(job: &Job<'_>, made: &mut Made, found: &[(String, f64, Option<f64>)]) -> Result<(), ApiError> {
    let names: Vec<String> = found.iter().rev().map(|f| f.0.clone()).collect();
    let mut x = Axis::over("share of what the parameters explain", Measure::Number, Scale::Linear, found.iter().map(|f| f.1), 0.0);
    (x.from, x.to) = (0.0, x.to.max(0.01) * 1.05);
    let frame = job.frame(x, Axis::named("", names))?;
    let rows: Vec<Bar> = found.iter().map(|f| Bar { value: f.1, interval: None, look: Look::default() }).collect();
    made.layers = bars(&frame, &rows)?;
    for (i, (name, v, r)) in found.iter().enumerate() {
        let [x, y] = frame.pixel(*v, (found.len() - 1 - i) as f64);
        let mut text = vec![name.clone(), format!("{} % of what the parameters explain", (v * 100.0).round())];
        text.extend(r.map(|r| format!("correlation {}", number((r * 100.0).round() / 100.0))));
        made.marks.push(Mark { series: i, x, y, text });
        made.series.push(job.series(name.clone(), Vec::new(), Look::default(), number(*v)));
    }
    made.frame = Some(frame);
    Ok(())
}
