//! `cairn chart`: any chart of the window as a file, and its sentence.

use crate::print;
use cairn_api::ApiError;
use cairn_api::charts::spec::{Band, BetterIs, ChartKind, ChartSpec, RunSet, Smoothing};
use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Draw a chart of all runs that fit, or of some.
#[derive(Args)]
pub(crate) struct ChartArgs {
    /// What to draw: a metric; may stand several times.
    #[arg(long = "metric")]
    metrics: Vec<String>,
    /// lines, bars, box, violin, histogram, scatter, contour, parallel, importance, correlation, distribution, confusion,
    /// roc, precision-recall, calibration, residuals or table.
    #[arg(long, value_parser = word::<ChartKind>, default_value = "lines")]
    kind: ChartKind,
    /// Where to write it: .svg, .png, .pdf or .csv (all numbers).
    #[arg(long)]
    out: PathBuf,
    /// A run's id; may stand several times.
    #[arg(long = "run")]
    runs: Vec<String>,
    /// Only runs that fit, as in `cairn runs --filter`.
    #[arg(long)]
    filter: Option<String>,
    /// Lines: step, time, relative or metrics.NAME. Else a column such as params.lr.
    #[arg(long, default_value = "")]
    x: String,
    #[arg(long, default_value = "")]
    y: String,
    /// What the colour says: a column.
    #[arg(long, default_value = "")]
    shade: String,
    /// What the size of points says: a column.
    #[arg(long, default_value = "")]
    size: String,
    /// A column of a table or of parallel coordinates; may stand several times.
    #[arg(long = "column")]
    columns: Vec<String>,
    /// Bring runs together that have the same in this column; may stand several times.
    #[arg(long = "group")]
    group: Vec<String>,
    /// Around the mean of a group: std-dev, std-err, min-max, quartiles, wide or none.
    #[arg(long, value_parser = word::<Band>, default_value = "std-dev")]
    band: Band,
    /// Smooth as TensorBoard does, 0 to below 1.
    #[arg(long, conflicts_with = "mean_of")]
    smooth: Option<f64>,
    /// Smooth by the mean of the last N points.
    #[arg(long)]
    mean_of: Option<u32>,
    #[arg(long)]
    log_x: bool,
    #[arg(long)]
    log_y: bool,
    #[arg(long)]
    ignore_outliers: bool,
    #[arg(long, conflicts_with = "lower_is_better")]
    higher_is_better: bool,
    #[arg(long)]
    lower_is_better: bool,
    /// The file of predictions in the run, and its columns.
    #[arg(long, default_value = "")]
    file: String,
    #[arg(long, default_value = "")]
    truth: String,
    #[arg(long, default_value = "")]
    said: String,
    #[arg(long, default_value = "")]
    positive: String,
    /// The run that the others are measured by: its id.
    #[arg(long, default_value = "")]
    baseline: String,
    #[arg(long, default_value = "")]
    title: String,
    #[arg(long, default_value_t = 800)]
    width: u32,
    #[arg(long, default_value_t = 400)]
    height: u32,
    #[arg(long)]
    dark: bool,
}

/// A word of the descriptions as it is written on a command line: `precision-recall`.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.replace('-', "_"))).map_err(|e| e.to_string().replace('_', "-"))
}

impl ChartArgs {
    fn spec(&self) -> ChartSpec {
        let (smoothing, amount) = match (self.smooth, self.mean_of) {
            (Some(weight), _) => (Smoothing::Exponential, weight),
            (None, Some(n)) => (Smoothing::Mean, f64::from(n)),
            (None, None) => (Smoothing::None, 0.0),
        };
        ChartSpec {
            kind: self.kind,
            title: self.title.clone(),
            metrics: self.metrics.clone(),
            x: self.x.clone(),
            y: self.y.clone(),
            size: self.size.clone(),
            shade: self.shade.clone(),
            columns: self.columns.clone(),
            group: self.group.clone(),
            band: self.band,
            smoothing,
            amount,
            log_x: self.log_x,
            log_y: self.log_y,
            ignore_outliers: self.ignore_outliers,
            better: match (self.higher_is_better, self.lower_is_better) {
                (true, _) => BetterIs::Higher,
                (_, true) => BetterIs::Lower,
                (false, false) => BetterIs::Unsaid,
            },
            file: self.file.clone(),
            truth: self.truth.clone(),
            said: self.said.clone(),
            positive: self.positive.clone(),
            baseline: self.baseline.clone(),
            ..ChartSpec::default()
        }
    }

    pub(crate) fn run(&self, as_json: bool, call: &dyn Fn(&str, Value) -> Result<Value, ApiError>) -> Result<(), ApiError> {
        let format = match self.out.extension().and_then(|e| e.to_str()) {
            Some("svg") => "svg",
            Some("png") => "png",
            Some("pdf") => "pdf",
            Some("csv") => "csv",
            _ => {
                return Err(ApiError::invalid("A chart is written as SVG, PNG, PDF or CSV")
                    .hint("Let the file's name end in .svg, .png, .pdf or .csv."));
            }
        };
        let to = std::path::absolute(&self.out).map_err(|e| ApiError::invalid(e.to_string()))?;
        let of = RunSet { runs: self.runs.clone(), filter: self.filter.clone(), ..RunSet::default() };
        let chart = json!({ "spec": self.spec(), "of": of, "width": self.width, "height": self.height, "dark": self.dark });
        let done = call("chart.export", json!({ "chart": chart, "format": format, "to": to }))?;
        print::record(as_json, &done, |v| v["summary"].as_str().unwrap_or_default().to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_descriptions() {
        assert_eq!(word::<ChartKind>("precision-recall"), Ok(ChartKind::PrecisionRecall));
        assert_eq!(word::<Band>("min-max"), Ok(Band::MinMax));
        assert!(word::<ChartKind>("pie").is_err_and(|e| e.contains("precision-recall")), "what there is instead is said");
    }
}
