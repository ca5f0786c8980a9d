//! How a chart is described. Descriptions are kept in panels and reports and shared, so a field is never given
//! another meaning, and what a later program added is left alone.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Metrics over steps, time or another metric.
    #[default]
    Lines,
    /// The last value of a metric for each run or group.
    Bars,
    /// How a column spreads within groups.
    Box,
    Violin,
    /// How often values of a column come.
    Histogram,
    /// One column over another.
    Scatter,
    /// A column over two others, filled in between.
    Contour,
    Parallel,
    /// Which parameters go with a metric.
    Importance,
    /// How columns go with each other, pair by pair.
    Correlation,
    /// Logged histograms over steps.
    Distribution,
    Confusion,
    Roc,
    PrecisionRecall,
    Calibration,
    /// What errors cost in money, over the score from which on the model says yes.
    Cost,
    Residuals,
    /// Logged pictures by step.
    Images,
    Table,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Smoothing {
    #[default]
    None,
    /// `amount` is TensorBoard's weight, 0 to below 1.
    Exponential,
    /// The mean of the last `amount` points.
    Mean,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    #[default]
    StdDev,
    StdErr,
    MinMax,
    /// Median, and the middle half.
    Quartiles,
    /// Median, and the middle nine tenths.
    Wide,
    None,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BetterIs {
    /// By the name of the metric, where it tells.
    #[default]
    Unsaid,
    Higher,
    Lower,
}

/// What each kind of answer costs, in one currency; what it saves is below zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Costs {
    pub currency: String,
    pub false_positive: f64,
    pub false_negative: f64,
    pub true_positive: f64,
    pub true_negative: f64,
    /// The score that was agreed on, if one was.
    pub threshold: Option<f64>,
}

/// A chart. Columns are written as in filters: `params.lr`, `metrics.loss`, `min(metrics.loss)`, `duration`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ChartSpec {
    pub kind: ChartKind,
    /// Empty: made from what it shows.
    pub title: String,
    /// Names of metrics: lines, bars, boxes.
    pub metrics: Vec<String>,
    /// Lines: `step`, `time`, `relative` or `metrics.<name>`. Else a column.
    pub x: String,
    pub y: String,
    /// Scatter: the size of its points.
    pub size: String,
    /// Scatter, contour, parallel: what the colour says.
    pub shade: String,
    pub columns: Vec<String>,
    /// Columns by which runs are brought together.
    pub group: Vec<String>,
    pub band: Band,
    pub smoothing: Smoothing,
    pub amount: f64,
    pub log_x: bool,
    pub log_y: bool,
    /// The axis leaves out the lowest and highest twentieth.
    pub ignore_outliers: bool,
    pub better: BetterIs,
    /// Predictions: the file in the run, and its columns.
    pub file: String,
    pub truth: String,
    pub said: String,
    /// The class that counts as positive.
    pub positive: String,
    /// The run that others are measured by.
    pub baseline: String,
    /// What answers cost: for charts of costs.
    pub costs: Option<Costs>,
    /// What a later program said.
    #[serde(flatten)]
    #[ts(skip)]
    pub later: Map<String, Value>,
}

/// Which runs: those that are named, or all that fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct RunSet {
    pub runs: Vec<String>,
    pub project: Option<String>,
    pub experiment: Option<String>,
    pub filter: Option<String>,
    pub order_by: Option<String>,
    /// What a later program said.
    #[serde(flatten)]
    #[ts(skip)]
    pub later: Map<String, Value>,
}
