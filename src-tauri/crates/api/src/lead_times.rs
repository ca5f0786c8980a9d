//! How long projects stay in each stage, from the log: drawn, and as a table.

use crate::ApiError;
use crate::cycles::stays;
use crate::host::Host;
use cairn_chart::axis::{Axis, Measure, Scale};
use cairn_chart::frame::Frame;
use cairn_chart::look::assign;
use cairn_chart::marks::{self, Spread};
use cairn_chart::text::number;
use cairn_chart::theme::Theme;
use cairn_core::lifecycle::Stage;
use cairn_core::op::Kind;
use cairn_stats::quantile::{BoxOf, sorted};
use cairn_store::moves::Move;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LeadTimesQuery {
    /// CSS pixels.
    pub width: u32,
    pub dark: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LeadTimes {
    /// Empty where nothing can be drawn yet.
    pub svg: String,
    pub title: String,
    pub summary: String,
    pub stages: Vec<StageTime>,
}

/// How long a stage took, over all stays that have ended.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StageTime {
    pub stage: String,
    pub name: String,
    /// Stays that have ended.
    pub ended: u32,
    pub median_days: Option<f64>,
    pub longest_days: Option<f64>,
    /// Projects that are in it now, and how long the one that waits longest has been.
    pub now: u32,
    pub waiting_days: Option<f64>,
    pub waiting_project: Option<String>,
}

const DAY_MS: f64 = 86_400_000.0;
const NAMES: [&str; 6] = ["Business problem", "Data", "Training", "Validation", "Approval", "Operation"];

pub fn lead_times(host: &Host, request: LeadTimesQuery) -> Result<LeadTimes, ApiError> {
    let workspace = host.workspace()?;
    let now = workspace.edge.now_ms();
    let mut ended: BTreeMap<Stage, Vec<f64>> = BTreeMap::new();
    let mut open: BTreeMap<Stage, Vec<(f64, String)>> = BTreeMap::new();
    workspace.read(|r| {
        let mut moves: BTreeMap<String, Vec<Move>> = BTreeMap::new();
        for step in r.all_stage_moves()? {
            moves.entry(step.project.clone()).or_default().push(step);
        }
        for project in r.records(Kind::Project, None)?.iter().filter(|p| !p.deleted()) {
            let own = moves.remove(&project.id).unwrap_or_default();
            for stay in stays(project, &own) {
                // Any number may stand in a line as its author's time.
                let days = |until: i64| until.saturating_sub(stay.entered_ms).max(0) as f64 / DAY_MS;
                match stay.left_ms {
                    Some(left) => ended.entry(stay.stage).or_default().push(days(left)),
                    None if project.get("ended").is_none() => open.entry(stay.stage).or_default().push((days(now), project.text("title"))),
                    None => {}
                }
            }
        }
        Ok::<_, ApiError>(())
    })?;
    let mut stages = Vec::new();
    let mut drawn = Vec::new();
    for (stage, name) in Stage::ALL.into_iter().zip(NAMES) {
        let times = sorted(ended.remove(&stage).unwrap_or_default());
        let found = BoxOf::of(&times);
        let here = open.remove(&stage).unwrap_or_default();
        let longest = here.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        stages.push(StageTime {
            stage: stage.as_str().to_owned(),
            name: name.to_owned(),
            ended: u32::try_from(times.len()).unwrap_or(u32::MAX),
            median_days: found.as_ref().map(|b| b.median),
            longest_days: times.last().copied(),
            now: u32::try_from(here.len()).unwrap_or(u32::MAX),
            waiting_days: longest.map(|l| l.0),
            waiting_project: longest.map(|l| l.1.clone()),
        });
        if let Some(b) = found {
            drawn.push((name, [b.low_whisker, b.q1, b.median, b.q3, b.high_whisker], b.outliers));
        }
    }
    // In the unit in which the longest is a number that people say.
    let longest = drawn.iter().flat_map(|d| d.1.iter().chain(&d.2)).copied().fold(0.0, f64::max);
    let (unit, each) = if longest >= 2.0 {
        ("days", 1.0)
    } else if longest >= 2.0 / 24.0 {
        ("hours", 24.0)
    } else {
        ("minutes", 24.0 * 60.0)
    };
    for (_, five, outliers) in &mut drawn {
        five.iter_mut().chain(outliers.iter_mut()).for_each(|v| *v *= each);
    }
    let slowest = drawn.iter().max_by(|a, b| a.1[2].total_cmp(&b.1[2]));
    let summary = match slowest {
        Some((name, five, _)) => format!("{name} takes longest: {} {unit} in the median.", number((five[2] * 10.0).round() / 10.0)),
        None => "No project has left a stage yet.".to_owned(),
    };
    let title = format!("{}{} in each stage", unit[..1].to_uppercase(), &unit[1..]);
    let svg = if drawn.is_empty() { String::new() } else { draw(&request, unit, &title, &summary, drawn)? };
    Ok(LeadTimes { svg, title, summary, stages })
}

fn draw(
    request: &LeadTimesQuery,
    unit: &str,
    title: &str,
    summary: &str,
    drawn: Vec<(&str, [f64; 5], Vec<f64>)>,
) -> Result<String, ApiError> {
    let theme = if request.dark { Theme::Dark } else { Theme::Light };
    let looks = assign(&vec![String::new(); drawn.len()]);
    let ends = drawn.iter().flat_map(|d| d.1.into_iter().chain(d.2.iter().copied())).chain([0.0]);
    let x = Axis::over(unit, Measure::Number, Scale::Linear, ends, 0.04);
    let names = drawn.iter().rev().map(|d| d.0.to_owned()).collect();
    let height = 60 + 34 * u32::try_from(drawn.len()).unwrap_or(6);
    let frame = Frame::new(request.width.clamp(200, 4_000), height, theme.palette(), x, Axis::named("", names))?;
    let all: Vec<Spread> =
        drawn.into_iter().zip(looks).map(|((_, five, outliers), look)| Spread { look, five, outliers, density: Vec::new() }).collect();
    let layers = marks::spreads(&frame, &all)?;
    Ok(frame.finish(title, summary, &layers)?)
}
