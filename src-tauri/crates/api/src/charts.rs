//! Charts: one metric of one or more runs, drawn by plotters.

use crate::ApiError;
use crate::host::Host;
use crate::tracking::filter::{Expr, Field, Of, Test};
use crate::tracking::runs::{self as tracked, Run};
use crate::tracking::{RunSearch, TrackingError};
use cairn_chart::line::{ChartError, Drawn, Request, Series, draw};
use cairn_chart::theme::Theme;
use cairn_core::op::Kind;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct ChartQuery {
    pub metric: String,
    /// Empty: every run that has the metric.
    #[serde(default)]
    pub runs: Vec<String>,
    /// CSS pixels.
    pub width: u32,
    pub height: u32,
    #[serde(default)]
    pub dark: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Chart {
    pub svg: String,
    pub summary: String,
    /// Left, top, right, bottom of the plot in CSS pixels.
    pub area: [f64; 4],
    pub x_range: [f64; 2],
    pub y_range: [f64; 2],
    pub points: u32,
    pub drawn: u32,
    /// Whether all points are on this computer; else the signed outline was drawn.
    pub complete: bool,
    pub series: Vec<ChartSeries>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ChartSeries {
    pub run: String,
    pub name: String,
    /// At most 200 points, as text, for the table beside the chart.
    pub points: Vec<[String; 2]>,
}

/// The most runs that one chart draws when none are named: the newest.
const RUNS_MAX: usize = 500;

pub fn metric(host: &Host, query: ChartQuery) -> Result<Chart, ApiError> {
    let workspace = host.workspace()?;
    match tracked::freshen(&workspace) {
        Ok(()) | Err(TrackingError::Denied(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let (runs, data, complete) = workspace.read(|r| {
        let mut runs: Vec<Run> = Vec::new();
        if query.runs.is_empty() {
            let having = Expr::Is(Field::Metric(query.metric.clone(), Of::Last), Test::NotNull);
            runs = tracked::found(r, &RunSearch { filter: having, limit: RUNS_MAX, ..RunSearch::default() })?.runs;
            runs.reverse();
        } else {
            for id in &query.runs {
                runs.push(tracked::view(r, &r.require(Kind::Run, id)?)?);
            }
        }
        let mut complete = true;
        let mut data = Vec::new();
        for run in &runs {
            let (points, all) = r.points(&run.id, &query.metric)?;
            complete &= all;
            data.push(points);
        }
        Ok::<_, ApiError>((runs, data, complete))
    })?;
    if data.iter().all(Vec::is_empty) {
        return Err(ApiError::new("not_found", format!("No run has a metric called \"{}\"", query.metric))
            .hint("Names are case-sensitive; `cairn runs --json` lists them."));
    }
    #[allow(clippy::cast_precision_loss)] // steps stay below 2^53
    let series: Vec<Series> = runs
        .iter()
        .zip(&data)
        .map(|(run, points)| Series { name: run.name().to_owned(), points: points.iter().map(|p| (p.step as f64, p.value)).collect() })
        .collect();
    let title = match runs.as_slice() {
        [one] => format!("{} of run {}", query.metric, one.name()),
        many => format!("{} of {} runs", query.metric, many.len()),
    };
    let named: Vec<Series> =
        if let [one] = series.as_slice() { vec![Series { name: query.metric.clone(), points: one.points.clone() }] } else { series };
    let drawn: Drawn = draw(&Request {
        title: &title,
        x_label: "step",
        y_label: "",
        width: query.width,
        height: query.height,
        theme: if query.dark { Theme::Dark } else { Theme::Light },
        series: &named,
    })
    .map_err(|e| match e {
        ChartError::Size => ApiError::invalid(e.to_string()),
        ChartError::Draw(_) => ApiError::new("internal", e.to_string()),
    })?;
    let table = |points: &[cairn_store::metrics::Point]| -> Vec<[String; 2]> {
        let every = points.len().div_ceil(200).max(1);
        points.iter().step_by(every).map(|p| [p.step.to_string(), cairn_chart::line::number(p.value)]).collect()
    };
    Ok(Chart {
        svg: drawn.svg,
        summary: drawn.summary,
        area: drawn.area,
        x_range: drawn.x_range,
        y_range: drawn.y_range,
        points: u32::try_from(drawn.points).unwrap_or(u32::MAX),
        drawn: u32::try_from(drawn.drawn).unwrap_or(u32::MAX),
        complete,
        series: runs
            .iter()
            .zip(&data)
            .map(|(run, points)| ChartSeries { run: run.id.clone(), name: run.name().to_owned(), points: table(points) })
            .collect(),
    })
}
