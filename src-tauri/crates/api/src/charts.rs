//! Charts: what is drawn is decided here, from a description that can be kept and shared; plotters draws it.

pub mod browse;
pub mod cloud;
pub mod columns;
pub mod cost;
pub mod curves;
pub mod export;
pub mod judged;
pub mod layers;
pub mod lines;
pub mod say;
pub mod spec;
pub mod spread;

use crate::ApiError;
use crate::host::{Host, Workspace};
use crate::runs::{RunQuery, search_of};
use crate::tracking::TrackingError;
use crate::tracking::filter::Field;
use crate::tracking::runs::{self as tracked, Run};
use cairn_chart::ChartError;
use cairn_chart::axis::{Axis, Measure, Scale};
use cairn_chart::frame::Frame;
use cairn_chart::look::{DASHES, Look};
use cairn_chart::text::number;
use cairn_chart::theme::{Palette, Theme, hex};
use cairn_core::op::Kind;
use cairn_store::Reader;
use columns::{Cell, Column};
use serde::{Deserialize, Serialize};
use spec::{ChartKind, ChartSpec, RunSet};
use std::collections::BTreeMap;
use ts_rs::TS;

impl From<ChartError> for ApiError {
    fn from(error: ChartError) -> Self {
        match error {
            ChartError::Size => Self::invalid(error.to_string()),
            ChartError::Draw(_) => Self::new("internal", error.to_string()),
        }
    }
}

/// A chart to draw.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct DrawChart {
    pub spec: ChartSpec,
    #[serde(default)]
    pub of: RunSet,
    /// CSS pixels, 120 to 4,000.
    pub width: u32,
    pub height: u32,
    #[serde(default)]
    pub dark: bool,
    /// The part that is looked at: from and to of x, in its own units; all when left out.
    #[serde(default)]
    #[ts(optional)]
    pub view: Option<[f64; 2]>,
    /// The same of y.
    #[serde(default)]
    #[ts(optional)]
    pub view_y: Option<[f64; 2]>,
}

/// A picture, and what somebody needs to look into it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct Chart {
    /// Empty where the window shows it itself: pictures by step, tables.
    pub svg: String,
    pub title: String,
    /// One sentence that says what is to be seen.
    pub summary: String,
    /// What could not be shown, and why.
    pub notes: Vec<String>,
    /// Left, top, right, bottom of the plot in CSS pixels.
    pub area: [f64; 4],
    pub x: ChartAxis,
    pub y: ChartAxis,
    /// Whether its x axis can be zoomed into.
    pub zoom: bool,
    pub series: Vec<ChartSeries>,
    /// Kinds of series that share a look, such as the points of a group; empty: the series are the legend.
    pub legend: Vec<ChartSeries>,
    /// Places that say something when pointed at; of lines they come with the values.
    pub marks: Vec<Mark>,
    /// The axes of parallel coordinates.
    pub columns: Vec<ParallelColumn>,
    #[ts(type = "number")]
    pub points: u64,
    #[ts(type = "number")]
    pub drawn: u64,
    /// Whether all points are on this computer; else the signed outline was drawn.
    pub complete: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ChartAxis {
    pub label: String,
    pub from: f64,
    pub to: f64,
    pub log: bool,
    /// `number`, `time`, `duration` or `names`.
    pub measure: String,
}

/// One thing of the legend: a run, or a group of runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ChartSeries {
    pub name: String,
    pub runs: Vec<String>,
    /// `#rrggbb`.
    pub colour: String,
    /// As SVG's `stroke-dasharray`; empty: a whole line.
    pub dash: String,
    /// Its last value, as people read it.
    pub last: String,
    /// By how much that is more or less than the baseline's: `+0.02`; empty where there is no baseline.
    pub delta: String,
    /// Whether it is the baseline.
    pub baseline: bool,
    /// Of lines the metric.
    pub metric: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct Mark {
    /// The number of its series.
    #[ts(type = "number")]
    pub series: usize,
    /// CSS pixels.
    pub x: f64,
    pub y: f64,
    pub text: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ParallelColumn {
    pub name: String,
    /// CSS pixels from the left.
    pub x: f64,
    /// Where each series meets it: 0 below, 1 above; none: nowhere.
    pub at: Vec<Option<f64>>,
}

/// The numbers behind a chart.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ChartValues {
    pub series: Vec<ValueSeries>,
    pub table: ValueTable,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ValueSeries {
    pub x: Vec<f64>,
    /// None: no number there.
    pub y: Vec<Option<f64>>,
    /// The band around it, where there is one.
    pub low: Vec<Option<f64>>,
    pub high: Vec<Option<f64>>,
}

/// The data as a table; numbers are text, so that every digit survives.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ValueTable {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Rows beyond those that are here.
    #[ts(type = "number")]
    pub more: u64,
}

/// Rows of a table beside a chart; an export has all.
pub(crate) const TABLE_ROWS: usize = 500;

/// What a kind of chart makes: a frame with layers, or nothing to draw.
#[derive(Default)]
pub(crate) struct Made {
    pub frame: Option<Frame>,
    pub layers: Vec<String>,
    pub title: String,
    pub summary: String,
    pub notes: Vec<String>,
    pub zoom: bool,
    pub series: Vec<ChartSeries>,
    pub legend: Vec<ChartSeries>,
    pub marks: Vec<Mark>,
    pub columns: Vec<ParallelColumn>,
    pub points: u64,
    pub drawn: u64,
    /// Whether something is not on this computer.
    pub partly: bool,
    pub values: ChartValues,
    /// Ids and names of the runs that it was made from.
    pub runs: Vec<(String, String)>,
}

/// The runs that a chart is about, and the names of their experiments.
pub(crate) struct Chosen {
    pub runs: Vec<Run>,
    pub experiments: BTreeMap<String, String>,
    /// How many more fit than are drawn.
    pub left_out: u64,
}

/// What every kind of chart needs.
pub(crate) struct Job<'a> {
    pub workspace: &'a Workspace,
    pub request: &'a DrawChart,
    pub spec: &'a ChartSpec,
    pub chosen: Chosen,
    pub palette: Palette,
    /// The run that the others are measured by, chosen or not.
    pub baseline: Option<Run>,
    /// Rows that a table has.
    pub rows: usize,
}

impl Job<'_> {
    pub(crate) fn frame(&self, x: Axis, y: Axis) -> Result<Frame, ApiError> {
        let (mut x, mut y) = (x, y);
        if let Some([from, to]) = self.request.view {
            x = x.between(from, to);
        }
        if let Some([from, to]) = self.request.view_y.filter(|_| !matches!(y.measure, Measure::Names(_))) {
            y = y.between(from, to);
        }
        Ok(Frame::new(self.request.width, self.request.height, self.palette.clone(), x, y)?)
    }

    pub(crate) fn series(&self, name: String, runs: Vec<String>, look: Look, last: String) -> ChartSeries {
        let dash: Vec<String> = DASHES[look.dash % DASHES.len()].iter().map(u32::to_string).collect();
        let baseline = self.baseline.as_ref().is_some_and(|b| runs.as_slice() == [b.id.as_str()]);
        let colour = hex(self.palette.line(look.colour));
        ChartSeries { name, runs, colour, dash: dash.join(" "), last, delta: String::new(), baseline, metric: String::new() }
    }

    /// What the baseline has in a column.
    pub(crate) fn baseline_in(&self, column: &Column) -> Option<f64> {
        match column.cell(self.baseline.as_ref()?, &self.chosen) {
            Cell::Number(v) => Some(v),
            Cell::Text(t) => t.trim().parse().ok(),
            Cell::Nothing => None,
        }
        .filter(|v: &f64| v.is_finite())
    }
}

/// Runs of which lines are drawn at once.
pub(crate) const LINES_MAX: usize = 500;
/// Runs that a cloud of points, a box or a forest is made of.
const RUNS_MAX: usize = 5_000;

/// The metrics that a chart needs of its runs' summaries: with hundreds of metrics most of the time would go into reading
/// the others. None: all.
fn needed(spec: &ChartSpec) -> Option<Vec<String>> {
    let columns = spec.columns.iter().chain(&spec.group).chain([&spec.x, &spec.y, &spec.size, &spec.shade]);
    let named = columns.filter_map(|text| match Column::parse(text).ok()?.field {
        Field::Metric(name, _) => Some(name),
        _ => None,
    });
    let all = spec.kind == ChartKind::Correlation && spec.columns.iter().all(|c| c.trim().is_empty());
    (!all).then(|| named.chain(spec.metrics.iter().map(|m| m.trim().to_owned())).collect())
}

/// The runs of a set, the newest last, with what is named of their metrics, or all.
pub(crate) fn choose(workspace: &Workspace, of: &RunSet, spec: &ChartSpec, metrics: Option<&[String]>) -> Result<Chosen, ApiError> {
    let most = if spec.kind == ChartKind::Lines { LINES_MAX } else { RUNS_MAX };
    let mut filter = of.filter.clone().unwrap_or_default();
    if of.runs.is_empty() && spec.kind == ChartKind::Lines {
        // Runs without the metric take no place of those that have it.
        let having = spec.metrics.iter().filter(|m| !m.contains('`')).map(|m| format!("metrics.`{m}` IS NOT NULL"));
        let having = having.collect::<Vec<_>>().join(" OR ");
        filter = match (filter.trim().is_empty(), having.is_empty()) {
            (_, true) => filter,
            (true, false) => having,
            (false, false) => format!("({filter}) AND ({having})"),
        };
    }
    let query = RunQuery {
        project: of.project.clone(),
        experiment: of.experiment.clone(),
        filter: Some(filter),
        order_by: of.order_by.clone(),
        ..RunQuery::default()
    };
    let (search, names) = search_of(workspace, &query, 0, u32::try_from(most).unwrap_or(u32::MAX))?;
    let experiments = names.into_iter().map(|(id, (name, _))| (id, name)).collect();
    workspace.read(|r| {
        if of.runs.is_empty() {
            let total = r.count_runs(&search)?;
            let mut runs = tracked::views(r, &r.search_runs(&search)?.runs, metrics)?;
            runs.reverse();
            let left_out = total.saturating_sub(runs.len() as u64);
            return Ok(Chosen { runs, experiments, left_out });
        }
        let number = |id: &String| r.number_of(Kind::Run, id)?.ok_or_else(|| ApiError::not_found("The run"));
        let numbers = of.runs.iter().take(most).map(number).collect::<Result<Vec<_>, _>>()?;
        let runs = tracked::views(r, &numbers, metrics)?;
        Ok(Chosen { left_out: (of.runs.len() - runs.len()) as u64, runs, experiments })
    })
}

fn make(workspace: &Workspace, request: &DrawChart, rows: usize) -> Result<Made, ApiError> {
    match tracked::freshen(workspace) {
        // Somebody who may not write still looks.
        Ok(()) | Err(TrackingError::Denied(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let spec = &request.spec;
    let chosen = choose(workspace, &request.of, spec, needed(spec).as_deref())?;
    let theme = if request.dark { Theme::Dark } else { Theme::Light };
    let baseline = match spec.baseline.trim() {
        "" => None,
        id => match chosen.runs.iter().find(|r| r.id == id) {
            Some(run) => Some(run.clone()),
            None => workspace.read(|r| r.record(Kind::Run, id)?.map(|run| tracked::view(r, &run)).transpose())?,
        },
    };
    let job = Job { workspace, request, spec, chosen, palette: theme.palette(), baseline, rows };
    let mut made = match spec.kind {
        ChartKind::Lines => lines::make(&job),
        ChartKind::Bars => spread::bars(&job),
        ChartKind::Box | ChartKind::Violin => spread::boxes(&job),
        ChartKind::Histogram => spread::histogram(&job),
        ChartKind::Scatter => cloud::scatter(&job),
        ChartKind::Contour => cloud::contour(&job),
        ChartKind::Parallel => cloud::parallel(&job),
        ChartKind::Importance => cloud::importance(&job),
        ChartKind::Correlation => cloud::correlation(&job),
        ChartKind::Distribution => layers::distribution(&job),
        ChartKind::Confusion => judged::confusion(&job),
        ChartKind::Roc | ChartKind::PrecisionRecall => judged::curve(&job),
        ChartKind::Calibration => judged::calibration(&job),
        ChartKind::Cost => cost::draw(&job),
        ChartKind::Residuals => judged::residuals(&job),
        ChartKind::Images => layers::images(&job),
        ChartKind::Table => spread::table(&job),
    }?;
    made.runs = job.chosen.runs.iter().map(|r| (r.id.clone(), r.name().to_owned())).collect();
    if job.chosen.left_out > 0 {
        made.notes.push(format!("{} more runs fit than can be drawn at once; narrow the filter to see them.", job.chosen.left_out));
    }
    if job.baseline.is_none() && !spec.baseline.trim().is_empty() {
        made.notes.push("The run that the others are measured by is not here.".to_owned());
    }
    if !spec.title.trim().is_empty() {
        spec.title.trim().clone_into(&mut made.title);
    }
    Ok(made)
}

/// Draws a chart.
pub fn draw(host: &Host, request: DrawChart) -> Result<Chart, ApiError> {
    draw_in(&*host.workspace()?, &request)
}

pub(crate) fn draw_in(workspace: &Workspace, request: &DrawChart) -> Result<Chart, ApiError> {
    drawn(make(workspace, request, TABLE_ROWS)?)
}

/// A chart with all that it stands on, for a page that is kept.
pub(crate) struct Kept {
    pub chart: Chart,
    pub table: ValueTable,
    /// Ids and names.
    pub runs: Vec<(String, String)>,
}

pub(crate) fn keep_in(workspace: &Workspace, request: &DrawChart) -> Result<Kept, ApiError> {
    let mut made = make(workspace, request, TABLE_ROWS)?;
    let (table, runs) = (std::mem::take(&mut made.values.table), std::mem::take(&mut made.runs));
    Ok(Kept { chart: drawn(made)?, table, runs })
}

fn drawn(made: Made) -> Result<Chart, ApiError> {
    let (mut svg, mut area, mut x, mut y) = (String::new(), [0.0; 4], ChartAxis::default(), ChartAxis::default());
    if let Some(frame) = &made.frame {
        svg = frame.finish(&made.title, &made.summary, &made.layers)?;
        (area, x, y) = (frame.area(), axis(&frame.x), axis(&frame.y));
    }
    Ok(Chart {
        svg,
        title: made.title,
        summary: made.summary,
        notes: made.notes,
        area,
        x,
        y,
        zoom: made.zoom,
        series: made.series,
        legend: made.legend,
        marks: made.marks,
        columns: made.columns,
        points: made.points,
        drawn: made.drawn,
        complete: !made.partly,
    })
}

/// The numbers that a chart shows, for a crosshair and a table.
pub fn values(host: &Host, request: DrawChart) -> Result<ChartValues, ApiError> {
    Ok(make(&*host.workspace()?, &request, TABLE_ROWS)?.values)
}

fn axis(axis: &Axis) -> ChartAxis {
    let measure = match axis.measure {
        Measure::Number => "number",
        Measure::Time => "time",
        Measure::Duration => "duration",
        Measure::Names(_) => "names",
    };
    ChartAxis { label: axis.label.clone(), from: axis.from, to: axis.to, log: axis.scale == Scale::Log, measure: measure.to_owned() }
}

/// A difference as people read it; nothing where there is none to speak of.
pub(crate) fn delta(value: f64, from: Option<f64>) -> String {
    let by = from.map_or(f64::NAN, |from| value - from);
    match by.is_finite() {
        true if by > 0.0 => format!("+{}", number(by)),
        true => number(by),
        false => String::new(),
    }
}

pub(crate) fn scale(log: bool) -> Scale {
    if log { Scale::Log } else { Scale::Linear }
}

/// Does the same for many things at once, on as many processors as there are, each with its own look at the file.
pub(crate) fn each<T: Sync, R: Send>(
    workspace: &Workspace,
    all: &[T],
    work: impl Fn(&Reader<'_>, &T) -> Result<R, ApiError> + Sync,
) -> Result<Vec<R>, ApiError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    if all.len() < 8 || threads == 1 {
        return workspace.read(|r| all.iter().map(|one| work(r, one)).collect());
    }
    let parts: Vec<&[T]> = all.chunks(all.len().div_ceil(threads)).collect();
    let done: Vec<Result<Vec<R>, ApiError>> = std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> =
            parts.into_iter().map(|part| scope.spawn(move || workspace.read(|r| part.iter().map(|one| work(r, one)).collect()))).collect();
        running.into_iter().map(|t| t.join().unwrap_or_else(|_| Err(ApiError::new("internal", "A part of the chart failed")))).collect()
    });
    let mut out = Vec::with_capacity(all.len());
    for part in done {
        out.extend(part?);
    }
    Ok(out)
}
