//! A chart as a file: the picture, or every number behind it.

use super::spec::{ChartKind, ChartSpec};
use super::{Chart, DrawChart, choose, draw_in, make};
use crate::ApiError;
use crate::host::{Host, Workspace};
use cairn_chart::picture::png;
use cairn_chart::theme::Theme;
use cairn_report::chart_pdf::{self, Figure};
use cairn_report::sheet::harmless;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use ts_rs::TS;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChartFormat {
    Svg,
    Png,
    /// One page, with its title and sentence.
    Pdf,
    /// Every point, whatever the picture shows.
    Csv,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExportChart {
    pub chart: DrawChart,
    pub format: ChartFormat,
    /// The file to write; left out: one named by the title, among the downloads.
    #[serde(default)]
    #[ts(optional)]
    pub to: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExportedChart {
    pub path: String,
    pub title: String,
    pub summary: String,
    /// Bytes.
    #[ts(type = "number")]
    pub size: u64,
}

/// How much larger than on the screen a picture in pixels is.
const ZOOM: f32 = 2.0;

pub fn export(host: &Host, request: ExportChart) -> Result<ExportedChart, ApiError> {
    let workspace = host.workspace()?;
    let chart = draw_in(&workspace, &request.chart)?;
    let bytes = match request.format {
        ChartFormat::Csv => csv(&workspace, &request.chart)?,
        _ if chart.svg.is_empty() => {
            return Err(ApiError::invalid("This chart has no picture of its own").hint("Save it as CSV, or save its files."));
        }
        ChartFormat::Svg => grounded(&chart, request.chart.dark).into_bytes(),
        ChartFormat::Pdf => chart_pdf::pdf(&Figure {
            svg: &chart.svg,
            title: &chart.title,
            said: std::iter::once(chart.summary.as_str()).chain(chart.notes.iter().map(String::as_str)).collect(),
        })
        .map_err(|e| ApiError::new("internal", e.to_string()))?,
        ChartFormat::Png => png(&chart.svg, ZOOM, theme(request.chart.dark).palette().ground)?,
    };
    let ending = match request.format {
        ChartFormat::Svg => "svg",
        ChartFormat::Png => "png",
        ChartFormat::Pdf => "pdf",
        ChartFormat::Csv => "csv",
    };
    let path = match request.to.as_deref().map(str::trim).filter(|t| !t.is_empty()) {
        Some(to) => PathBuf::from(to),
        None => free(&cairn_os::paths::downloads(), &chart.title, ending),
    };
    write_new(&path, &bytes)?;
    Ok(ExportedChart { path: path.display().to_string(), title: chart.title, summary: chart.summary, size: bytes.len() as u64 })
}

fn theme(dark: bool) -> Theme {
    if dark { Theme::Dark } else { Theme::Light }
}

/// The picture with its ground: alone, light lines on nothing would be seen on white paper by nobody.
fn grounded(chart: &Chart, dark: bool) -> String {
    let ground = cairn_chart::theme::hex(theme(dark).palette().ground);
    match chart.svg.find("</desc>") {
        Some(at) => {
            let (head, tail) = chart.svg.split_at(at + "</desc>".len());
            format!("{head}<rect width=\"100%\" height=\"100%\" fill=\"{ground}\"/>{tail}")
        }
        None => chart.svg.clone(),
    }
}

/// Never over a file that is there.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), ApiError> {
    use std::io::Write as _;
    let file = std::fs::File::create_new(path);
    let written = file.and_then(|mut f| {
        f.write_all(bytes).inspect_err(|_| {
            // Half a file would stand in the way of the next try; that it is left is no worse than that it was made.
            let _ = std::fs::remove_file(path);
        })
    });
    written.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            ApiError::conflict(format!("{} is there already", path.display())).hint("Choose another name; nothing was written over.")
        }
        _ => ApiError::new("io", format!("{} could not be written: {e}", path.display()))
            .hint("Check that the folder exists and can be written."),
    })
}

/// A name in a folder that is not taken.
pub(crate) fn free(folder: &Path, title: &str, ending: &str) -> PathBuf {
    let plain: String = title.chars().map(|c| if c.is_alphanumeric() || "-_. ".contains(c) { c } else { '-' }).take(80).collect();
    let plain = plain.trim().trim_start_matches('.');
    let name = if plain.is_empty() { "chart" } else { plain };
    let first = folder.join(format!("{name}.{ending}"));
    if !first.exists() {
        return first;
    }
    (2..).map(|i| folder.join(format!("{name} ({i}).{ending}"))).find(|p| !p.exists()).unwrap_or(first)
}

fn csv(workspace: &Workspace, request: &DrawChart) -> Result<Vec<u8>, ApiError> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let failed = |e: csv::Error| ApiError::new("internal", e.to_string());
    if request.spec.kind == ChartKind::Lines {
        out.write_record(["run_id", "run", "metric", "step", "time_ms", "value"]).map_err(failed)?;
        // As a table: a picture of lines draws fewer runs than there may be.
        let chosen = choose(workspace, &request.of, &ChartSpec { kind: ChartKind::Table, ..ChartSpec::default() }, None)?;
        if chosen.left_out > 0 {
            return Err(ApiError::invalid(format!("{} runs are too many for one file", chosen.runs.len() as u64 + chosen.left_out))
                .hint("Narrow the filter; nothing is left out of an export silently."));
        }
        for run in &chosen.runs {
            for metric in &request.spec.metrics {
                let (points, _) = workspace.read(|r| r.points(&run.id, metric))?;
                for p in points {
                    let (step, ts, value) = (p.step.to_string(), p.ts.to_string(), p.value.to_string());
                    out.write_record([run.id.as_str(), &harmless(run.name()), &harmless(metric), &step, &ts, &value]).map_err(failed)?;
                }
            }
        }
    } else {
        let table = make(workspace, request, usize::MAX)?.values.table;
        for row in std::iter::once(&table.head).chain(&table.rows) {
            out.write_record(row.iter().map(|cell| harmless(cell).into_owned())).map_err(failed)?;
        }
    }
    out.into_inner().map_err(|e| ApiError::new("internal", e.to_string()))
}
