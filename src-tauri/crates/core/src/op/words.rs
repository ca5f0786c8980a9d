//! The closed sets of words that operations use, and the small shapes around them.

use super::{Num, Subject};
use crate::criterion::Comparator;
use crate::id::MemberId;
use crate::role::Role;
use crate::text::{Body, Title};
use serde::{Deserialize, Serialize};

/// The state of a run, in MLflow's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunStatus {
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

impl RunStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Scheduled => "SCHEDULED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Running, Self::Scheduled, Self::Finished, Self::Failed, Self::Killed].into_iter().find(|s| s.as_str() == raw)
    }
}

/// How much an error of a model can cost. The order is that of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskClass {
    Low,
    Medium,
    High,
}

impl RiskClass {
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == raw)
    }
}

/// What a signer decides on a submitted release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    Approved,
    Rejected,
    SentBack,
    /// An approval no longer holds: something became known after it.
    TakenBack,
}

impl Ruling {
    pub const ALL: [Self; 4] = [Self::Approved, Self::Rejected, Self::SentBack, Self::TakenBack];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::SentBack => "sent_back",
            Self::TakenBack => "taken_back",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == raw)
    }
    /// What somebody did, to stand after their name.
    pub fn did(self) -> &'static str {
        match self {
            Self::Approved => "approved it",
            Self::Rejected => "rejected it",
            Self::SentBack => "sent it back",
            Self::TakenBack => "took the approval back",
        }
    }
}

/// Where a model version runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    Development,
    Test,
    Production,
}

impl Environment {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Production => "production",
        }
    }
}

/// What of a model in operation is watched: the seven of the ML Test Score's monitoring section, and drift of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// Changes of what the model depends on.
    Dependencies,
    /// Inputs keep to what was said of them.
    Inputs,
    /// Features are the same in training and in service.
    Skew,
    /// How old the model, or the data that it answers from, is.
    Staleness,
    /// NaNs, infinities, values out of range.
    NumericStability,
    /// Time, memory and load.
    Performance,
    /// Quality of the predictions.
    Quality,
    /// Data are distributed as in training.
    Drift,
}

impl Watch {
    pub const ALL: [Self; 8] = [
        Self::Inputs,
        Self::Drift,
        Self::Staleness,
        Self::NumericStability,
        Self::Quality,
        Self::Dependencies,
        Self::Skew,
        Self::Performance,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dependencies => "dependencies",
            Self::Inputs => "inputs",
            Self::Skew => "skew",
            Self::Staleness => "staleness",
            Self::NumericStability => "numeric_stability",
            Self::Performance => "performance",
            Self::Quality => "quality",
            Self::Drift => "drift",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == raw)
    }
    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Dependencies => "dependencies",
            Self::Inputs => "inputs",
            Self::Skew => "training and service alike",
            Self::Staleness => "staleness",
            Self::NumericStability => "NaN and infinity",
            Self::Performance => "speed and load",
            Self::Quality => "quality",
            Self::Drift => "drift",
        }
    }
}

/// What is watched, from which value on somebody is told, and who.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonitorPlan {
    pub watch: Watch,
    /// What is measured, such as `recall, weekly`.
    pub metric: Title,
    /// All is well while the value is `comparator` `threshold`.
    pub comparator: Comparator,
    pub threshold: Num,
    pub owner: Party,
    /// How the owner hears of it, such as a channel or a number to call.
    pub route: Body,
    /// How often a value is expected.
    pub every_days: u32,
}

/// How far something that is said holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    Yes,
    Partly,
    No,
}

impl Met {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "no",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Yes, Self::Partly, Self::No].into_iter().find(|m| m.as_str() == raw)
    }
}

/// What the team says to a statement of a scale of maturity, and by what it knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaturityAnswer {
    pub met: Met,
    pub note: Body,
    pub evidence: Vec<Subject>,
}

/// What a reviewer decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Approved,
    Rejected,
    /// "Please change this first": neither a yes nor a final no.
    SentBack,
}

impl Decision {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::SentBack => "sent_back",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Approved, Self::Rejected, Self::SentBack].into_iter().find(|d| d.as_str() == raw)
    }
}

/// The fields of a project that people edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectField {
    Title,
    Problem,
    Hypothesis,
    ValueMetric,
    RiskClass,
    CostFalsePositive,
    CostFalseNegative,
}

impl ProjectField {
    pub const ALL: [Self; 7] = [
        Self::Title,
        Self::Problem,
        Self::Hypothesis,
        Self::ValueMetric,
        Self::RiskClass,
        Self::CostFalsePositive,
        Self::CostFalseNegative,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Problem => "problem",
            Self::Hypothesis => "hypothesis",
            Self::ValueMetric => "value_metric",
            Self::RiskClass => "risk_class",
            Self::CostFalsePositive => "cost_false_positive",
            Self::CostFalseNegative => "cost_false_negative",
        }
    }
}

/// One column of a dataset version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// `integer`, `number`, `boolean`, `date` or `text`.
    pub dtype: String,
    pub missing: u64,
    /// Distinct values, exact up to 10,000; none beyond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Num>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Num>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Num>,
}

/// Who is meant: a person, or whoever holds a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Member(MemberId),
    Role(Role),
}

/// A day, `2026-11-25`: due dates belong to no time zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(String);

impl Day {
    /// Reads a day of the years 1970 to 2199.
    pub fn parse(raw: impl Into<String>) -> Result<Self, String> {
        let raw = raw.into();
        let bad = || format!("\"{}\" is no day, such as 2026-11-25", raw.chars().take(40).collect::<String>());
        let digits = raw.len() == 10 && raw.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        if !digits {
            return Err(bad());
        }
        let number = |at: std::ops::Range<usize>| raw[at].parse::<u32>().unwrap_or(0);
        let (year, month, day) = (number(0..4), number(5..7), number(8..10));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        if (1970..2200).contains(&year) && (1..=last).contains(&day) { Ok(Self(raw)) } else { Err(bad()) }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl TryFrom<String> for Day {
    type Error = String;
    fn try_from(raw: String) -> Result<Self, String> {
        Self::parse(raw)
    }
}
impl From<Day> for String {
    fn from(day: Day) -> String {
        day.0
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Medium,
    High,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High].into_iter().find(|s| s.as_str() == raw)
    }
}

/// How a finding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Fixed,
    /// Somebody who may waive lives with it.
    Accepted,
    NoProblem,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Accepted => "accepted",
            Self::NoProblem => "no_problem",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Fixed, Self::Accepted, Self::NoProblem].into_iter().find(|o| o.as_str() == raw)
    }
}

/// How a project ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The model has done its work and is retired.
    Completed,
    Cancelled,
}

impl Ending {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Completed, Self::Cancelled].into_iter().find(|e| e.as_str() == raw)
    }
}

/// What began a new cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    Monitor,
    Date,
    Change,
    Incident,
}

impl Trigger {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Date => "date",
            Self::Change => "change",
            Self::Incident => "incident",
        }
    }
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::Monitor, Self::Date, Self::Change, Self::Incident].into_iter().find(|t| t.as_str() == raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_of_the_calendar() {
        for good in ["2026-11-25", "2024-02-29", "2000-02-29"] {
            assert!(Day::parse(good).is_ok(), "{good}");
        }
        for bad in ["2026-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "26-11-25", "2026-11-31", "2026-00-10", "\u{664}026-11-25"] {
            assert!(Day::parse(bad).is_err(), "{bad}");
        }
    }
}
