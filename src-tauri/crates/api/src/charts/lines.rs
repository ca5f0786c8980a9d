//! Metrics as lines, one a run, or one a group with a band.

use super::columns::{Column, Group, groups};
use super::curves::{Curve, Wanted, X, read};
use super::say;
use super::spec::{Band, Smoothing};
use super::{ChartSeries, Job, Made, ValueSeries, delta, each, scale};
use crate::ApiError;
use cairn_chart::axis::{Axis, Measure};
use cairn_chart::line::{Line, layers};
use cairn_chart::look::{Look, assign};
use cairn_chart::text::number;
use cairn_stats::band::{self, at_places, span};
use cairn_stats::quantile::{quantile, sorted};

/// One line to be: which run or group, which metric.
struct Drawn {
    name: String,
    runs: Vec<String>,
    line: Line,
    values: ValueSeries,
    last: f64,
    /// Its metric's place among the chart's.
    metric: usize,
    /// Whether any of it is looked at.
    seen: bool,
}

/// Metrics of one chart: a description that somebody else wrote must not keep this computer busy.
const METRICS_MAX: usize = 24;

pub(crate) fn make(job: &Job<'_>) -> Result<Made, ApiError> {
    let spec = job.spec;
    let metrics: Vec<&str> = spec.metrics.iter().map(|m| m.trim()).filter(|m| !m.is_empty()).collect();
    if metrics.is_empty() {
        return Err(ApiError::invalid("A chart of lines needs a metric").hint("Choose one, such as loss."));
    }
    if metrics.len() > METRICS_MAX {
        return Err(ApiError::invalid(format!("A chart of lines takes at most {METRICS_MAX} metrics, not {}", metrics.len()))
            .hint("Put them into several charts."));
    }
    let x = X::parse(&spec.x)?;
    let runs = &job.chosen.runs;
    let grouped = spec.group.iter().any(|g| !g.trim().is_empty());
    // A line is as wide as two pixels: so are the columns, and of many lines a little wider, which nobody could tell apart.
    // The window's engine needs long to draw long paths.
    let width = job.request.width as usize;
    let columns = if runs.len() * metrics.len() > 20 { width / 3 } else { width / 2 }.max(60);
    let pairs: Vec<(usize, &str)> = (0..runs.len()).flat_map(|i| metrics.iter().map(move |m| (i, *m))).collect();
    let curves = each(job.workspace, &pairs, |r, (i, metric)| {
        let wanted = Wanted { metric, x: &x, view: job.request.view, columns };
        read(r, &runs[*i].id, &wanted, spec)
    })?;
    let mut made = Made { zoom: true, ..Made::default() };
    if curves.iter().all(|c| c.total == 0) {
        return Err(missing(&metrics, runs.len()));
    }
    made.points = curves.iter().map(|c| c.total).sum();
    made.partly = curves.iter().any(|c| !c.complete);
    let together = groups(&spec.group, &job.chosen)?;
    let mut drawn = if grouped { bring_together(job, &together, &metrics, &curves, columns) } else { one_by_one(job, &metrics, &curves) };
    notes(&mut made, job, &metrics, &curves);
    // A group keeps its colour when a run joins it.
    let plain = |d: &Drawn| d.name.rsplit_once(" (").map_or(d.name.clone(), |(name, _)| name.to_owned());
    let key = |d: &Drawn| if grouped { plain(d) } else { format!("{}\n{}", d.runs.join(","), d.name) };
    let keys: Vec<String> = drawn.iter().map(key).collect();
    for (d, look) in drawn.iter_mut().zip(looks(&keys, &drawn_names(job, grouped))) {
        d.line.look = look;
    }
    let frame = job.frame(x_axis(&x, job, &drawn), y_axis(job, &metrics, &drawn))?;
    made.drawn = drawn.iter().map(|d| (d.line.points.len() + d.line.raw.len()) as u64).sum();
    let lines: Vec<Line> = drawn.iter().map(|d| d.line.clone()).collect();
    made.layers = layers(&frame, &lines)?;
    made.frame = Some(frame);
    made.title = title(job, &metrics, &drawn);
    made.summary = summary(job, &metrics, &curves, &drawn, grouped);
    let from = baselines(job, &metrics, &drawn);
    made.series = drawn
        .iter()
        .map(|d| {
            let last = if d.seen { number(d.last) } else { String::new() };
            let one = job.series(d.name.clone(), d.runs.clone(), d.line.look, last);
            let by = if one.baseline { String::new() } else { delta(d.last, from[d.metric]) };
            ChartSeries { delta: by, metric: metrics[d.metric].to_owned(), ..one }
        })
        .collect();
    table(&mut made, job, &x, &drawn);
    made.values.series = drawn.into_iter().map(|d| d.values).collect();
    Ok(made)
}

/// Where the baseline ends, metric by metric: as far as it is looked at where it is drawn.
fn baselines(job: &Job<'_>, metrics: &[&str], drawn: &[Drawn]) -> Vec<Option<f64>> {
    let id = job.baseline.as_ref().map(|b| b.id.as_str());
    let own = |m: usize| drawn.iter().find(|d| d.metric == m && d.runs.len() == 1 && d.runs.first().map(String::as_str) == id);
    (0..metrics.len()).map(|m| own(m).map_or_else(|| job.baseline_in(&Column::of_metric(metrics[m])), |d| Some(d.last))).collect()
}

/// Looks by run, so that a run is the same in every chart; of several metrics of one run by both.
fn looks(keys: &[String], names: &Names) -> Vec<Look> {
    if *names == Names::Runs { assign(&keys.iter().map(|k| k.split('\n').next().unwrap_or(k)).collect::<Vec<_>>()) } else { assign(keys) }
}

#[derive(PartialEq)]
enum Names {
    Runs,
    Others,
}

fn drawn_names(job: &Job<'_>, grouped: bool) -> Names {
    if !grouped && job.spec.metrics.len() == 1 { Names::Runs } else { Names::Others }
}

fn missing(metrics: &[&str], runs: usize) -> ApiError {
    let named: Vec<String> = metrics.iter().map(|m| format!("\"{m}\"")).collect();
    let of = if runs == 1 { "The run has no" } else { "No run has a" };
    ApiError::new("not_found", format!("{of} metric called {}", named.join(" or ")))
        .hint("Names are case-sensitive; the list beside the chart has all there are.")
}

fn one_by_one(job: &Job<'_>, metrics: &[&str], curves: &[Curve]) -> Vec<Drawn> {
    let runs = &job.chosen.runs;
    let names: Vec<String> = runs
        .iter()
        .map(|r| {
            // Runs of one name are told apart by the beginning of their ids.
            let same = runs.iter().filter(|o| o.name() == r.name()).count() > 1;
            if same { format!("{} ({})", r.name(), r.id.get(..6).unwrap_or(&r.id)) } else { r.name().to_owned() }
        })
        .collect();
    let smooth = job.spec.smoothing != Smoothing::None;
    let mut out = Vec::new();
    for (n, curve) in curves.iter().enumerate() {
        let (i, metric) = (n / metrics.len(), metrics[n % metrics.len()]);
        if curve.total == 0 {
            continue;
        }
        let name = match (runs.len(), metrics.len()) {
            (1, _) => metric.to_owned(),
            (_, 1) => names[i].clone(),
            _ => format!("{}: {metric}", names[i]),
        };
        let (points, raw) = if smooth { (curve.smoothed(), curve.line()) } else { (curve.line(), Vec::new()) };
        let of = |pick: fn(&super::curves::Piece) -> f64| curve.pieces.iter().map(pick).collect::<Vec<f64>>();
        let line = Line {
            points,
            raw,
            no_number: curve.pieces.iter().filter(|p| p.nan).map(|p| p.to).collect(),
            infinite: curve
                .pieces
                .iter()
                .flat_map(|p| [(p.above, p.to, true), (p.below, p.to, false)])
                .filter(|s| s.0)
                .map(|s| (s.1, s.2))
                .collect(),
            ..Line::default()
        };
        let finite = |v: f64| v.is_finite().then_some(v);
        let several = curve.pieces.iter().any(|p| p.count > 1);
        let values = ValueSeries {
            x: of(|p| p.to),
            y: curve.pieces.iter().zip(&curve.smooth).map(|(p, s)| finite(if smooth { *s } else { p.last })).collect(),
            low: if several { curve.pieces.iter().map(|p| finite(p.min)).collect() } else { Vec::new() },
            high: if several { curve.pieces.iter().map(|p| finite(p.max)).collect() } else { Vec::new() },
        };
        out.push(Drawn {
            name,
            runs: vec![runs[i].id.clone()],
            line,
            values,
            last: curve.last,
            metric: n % metrics.len(),
            seen: !curve.seen.is_empty(),
        });
    }
    out
}

fn kind(band: Band) -> Option<band::Kind> {
    Some(match band {
        Band::StdDev => band::Kind::StdDev,
        Band::StdErr => band::Kind::StdErr,
        Band::MinMax => band::Kind::MinMax,
        Band::Quartiles => band::Kind::Quantiles(0.25, 0.75),
        Band::Wide => band::Kind::Quantiles(0.05, 0.95),
        Band::None => return None,
    })
}

/// What a band is, in words.
pub(crate) fn band_name(band: Band) -> &'static str {
    match band {
        Band::StdDev => "mean, and one standard deviation around it",
        Band::StdErr => "mean, and its standard error around it",
        Band::MinMax => "mean, and everything from lowest to highest around it",
        Band::Quartiles => "median, and the middle half around it",
        Band::Wide => "median, and the middle nine tenths around it",
        Band::None => "mean",
    }
}

/// Groups as one line each: at places of equal distance each run counts by a straight line between its points.
fn bring_together(job: &Job<'_>, together: &[Group], metrics: &[&str], curves: &[Curve], columns: usize) -> Vec<Drawn> {
    let mut out = Vec::new();
    for group in together {
        for (m, metric) in metrics.iter().enumerate() {
            let members: Vec<Vec<(f64, f64)>> = group
                .members
                .iter()
                .map(|i| curves[i * metrics.len() + m].middle())
                .filter(|c| c.iter().any(|p| p.1.is_finite()))
                .collect();
            let bounds = members.iter().flatten().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p.0), b.max(p.0)));
            if bounds.0 > bounds.1 {
                continue;
            }
            let most = members.iter().map(Vec::len).max().unwrap_or(1);
            let n = most.min(columns / 2).max(2);
            // Where all runs have the same steps these are the places; else they are spread evenly.
            let same = members.iter().all(|c| c.len() == members[0].len() && c.iter().zip(&members[0]).all(|(a, b)| a.0 == b.0));
            let places: Vec<f64> = if same && most <= columns {
                members[0].iter().map(|p| p.0).collect()
            } else {
                (0..n).map(|i| bounds.0 + (bounds.1 - bounds.0) * i as f64 / (n - 1) as f64).collect()
            };
            let at: Vec<Vec<f64>> = members.iter().map(|c| at_places(c, &places)).collect();
            let which = kind(job.spec.band);
            let spans: Vec<Option<band::Span>> = (0..places.len())
                .map(|p| span(&at.iter().map(|c| c[p]).collect::<Vec<_>>(), which.unwrap_or(band::Kind::StdDev)))
                .collect();
            let points: Vec<(f64, f64)> = places.iter().zip(&spans).map(|(x, s)| (*x, s.map_or(f64::NAN, |s| s.middle))).collect();
            let band = match which {
                Some(_) => places
                    .iter()
                    .zip(&spans)
                    .map(|(x, s)| s.filter(|s| s.n > 1).map_or((*x, f64::NAN, f64::NAN), |s| (*x, s.low, s.high)))
                    .collect(),
                None => Vec::new(),
            };
            let name = if metrics.len() > 1 { format!("{}: {metric}", group.name) } else { group.name.clone() };
            let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
            let values = ValueSeries {
                x: places.clone(),
                y: spans.iter().map(|s| finite(s.map(|s| s.middle))).collect(),
                low: spans.iter().map(|s| finite(s.map(|s| s.low))).collect(),
                high: spans.iter().map(|s| finite(s.map(|s| s.high))).collect(),
            };
            out.push(Drawn {
                name: format!("{name} ({} {})", members.len(), if members.len() == 1 { "run" } else { "runs" }),
                runs: group.members.iter().map(|i| job.chosen.runs[*i].id.clone()).collect(),
                last: points.iter().rev().map(|p| p.1).find(|v| v.is_finite()).unwrap_or(f64::NAN),
                line: Line { points, band, ..Line::default() },
                values,
                metric: m,
                seen: true,
            });
        }
    }
    out
}

fn x_axis(x: &X, job: &Job<'_>, drawn: &[Drawn]) -> Axis {
    let (label, measure) = match x {
        X::Step => ("step", Measure::Number),
        X::Time => ("time (UTC)", Measure::Time),
        X::Relative => ("time since the first point", Measure::Duration),
        X::Metric(name) => (name.as_str(), Measure::Number),
    };
    let places = drawn.iter().flat_map(|d| d.line.points.iter().chain(&d.line.raw)).map(|p| p.0);
    let signs = drawn.iter().flat_map(|d| d.line.no_number.iter().copied().chain(d.line.infinite.iter().map(|i| i.0)));
    let mut axis = Axis::over(label, measure, scale(job.spec.log_x), places.chain(signs), 0.0);
    if *x == X::Step && axis.to - axis.from < 1e-6 && !job.spec.log_x {
        // One step only.
        (axis.from, axis.to) = (axis.from - 0.5, axis.to + 0.5);
    }
    axis
}

fn y_axis(job: &Job<'_>, metrics: &[&str], drawn: &[Drawn]) -> Axis {
    let lines = || drawn.iter().flat_map(|d| d.line.points.iter().map(|p| p.1));
    let bands = drawn.iter().flat_map(|d| d.line.band.iter().flat_map(|b| [b.1, b.2]));
    let raw = drawn.iter().flat_map(|d| d.line.raw.iter().map(|p| p.1));
    let label = if let [one] = metrics { one } else { "" };
    let all: Vec<f64> = lines().chain(bands).chain(raw).collect();
    let kept = if job.spec.ignore_outliers {
        let ordered = sorted(all);
        let (low, high) = (quantile(&ordered, 0.05), quantile(&ordered, 0.95));
        ordered.into_iter().filter(|v| *v >= low && *v <= high).collect()
    } else {
        all
    };
    Axis::over(label, Measure::Number, scale(job.spec.log_y), kept.into_iter(), 0.05)
}

fn title(job: &Job<'_>, metrics: &[&str], drawn: &[Drawn]) -> String {
    let what = match metrics {
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        many => format!("{} metrics", many.len()),
    };
    match job.chosen.runs.as_slice() {
        [one] => format!("{what} of run {}", one.name()),
        _ if job.spec.group.iter().any(|g| !g.is_empty()) => format!("{what} of {} groups of runs", drawn.len()),
        _ => format!("{what} of {} runs", drawn.len() / metrics.len().max(1)),
    }
}

fn summary(job: &Job<'_>, metrics: &[&str], curves: &[Curve], drawn: &[Drawn], grouped: bool) -> String {
    if let ([curve], [metric]) = (curves, metrics) {
        let first = curve.looked().iter().find(|p| p.numbers > 0);
        let first = first.map_or(f64::NAN, |p| if p.numbers == 1 { p.min } else { p.mean });
        let end =
            curve.looked().iter().rev().find(|p| p.numbers > 0).map_or(f64::NAN, |p| if p.last.is_finite() { p.last } else { p.mean });
        let (low, high) = curve.bounds();
        let looked: u64 = curve.looked().iter().map(|p| p.count).sum();
        return say::one_curve(metric, first, end, low, high, looked);
    }
    let better = say::direction(metrics[0], job.spec.better);
    let ends: Vec<(&str, f64)> = drawn.iter().map(|d| (d.name.as_str(), d.last)).collect();
    let what = if grouped {
        "groups"
    } else if job.chosen.runs.len() == 1 {
        "metrics"
    } else if metrics.len() > 1 {
        "lines"
    } else {
        "runs"
    };
    let mut text =
        say::curves(if metrics.len() == 1 { metrics[0] } else { "the value" }, &ends, if metrics.len() == 1 { better } else { None }, what);
    if grouped {
        text.push_str(&format!(" Each line is the {}.", band_name(job.spec.band)));
    }
    text
}

/// What the picture cannot show is said.
fn notes(made: &mut Made, job: &Job<'_>, metrics: &[&str], curves: &[Curve]) {
    let without = curves.iter().filter(|c| c.total == 0).count();
    if without > 0 && metrics.len() == 1 {
        made.notes.push(format!("{without} of {} runs have no {}.", job.chosen.runs.len(), metrics[0]));
    }
    let pieces = || curves.iter().flat_map(|c| &c.pieces);
    if pieces().any(|p| p.nan) {
        made.notes.push("Some values are no number (NaN); a cross at the bottom marks where.".to_owned());
    }
    if pieces().any(|p| p.above || p.below) {
        made.notes.push("Some values are infinite; a triangle at the edge marks where.".to_owned());
    }
    let lost = pieces().filter(|p| p.numbers > 0 && p.min <= 0.0).count();
    if job.spec.log_y && lost > 0 {
        made.notes.push("Values at or below zero have no place on a logarithmic axis and are left out.".to_owned());
    }
    if job.spec.log_x && pieces().any(|p| p.to <= 0.0) {
        made.notes.push("What lies at or before zero has no place on a logarithmic axis and is left out.".to_owned());
    }
    if job.spec.ignore_outliers {
        made.notes.push("The axis leaves out the lowest and the highest twentieth of the values.".to_owned());
    }
}

fn table(made: &mut Made, job: &Job<'_>, x: &X, drawn: &[Drawn]) {
    let x_name = match x {
        X::Step => "Step",
        X::Time => "Time (ms since 1970)",
        X::Relative => "Milliseconds since the first point",
        X::Metric(name) => name.as_str(),
    };
    made.values.table.head = vec!["Line".into(), x_name.into(), "Value".into(), "Low".into(), "High".into()];
    let all: usize = drawn.iter().map(|d| d.values.x.len()).sum();
    let every = all.div_ceil(job.rows).max(1);
    let text = |v: Option<&Option<f64>>| v.copied().flatten().map(|v| v.to_string()).unwrap_or_default();
    for d in drawn {
        for i in (0..d.values.x.len()).step_by(every) {
            let row =
                [d.name.clone(), d.values.x[i].to_string(), text(d.values.y.get(i)), text(d.values.low.get(i)), text(d.values.high.get(i))];
            made.values.table.rows.push(row.into());
        }
    }
    made.values.table.more = (all - made.values.table.rows.len()) as u64;
}
