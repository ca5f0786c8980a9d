//! Acceptance criteria: what a model must reach on the test data, stated and signed before anybody looks; and the verdict.
//!
//! The interval decides, never the point: what cannot be told from the data at hand is inconclusive, and inconclusive is
//! not passed. A criterion without a confidence level has no interval and cannot be judged at all, so there is none.

use crate::canonical::sha256;
use crate::id::{CriteriaId, Digest, MemberId};
use crate::op::Num;
use crate::role::Role;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The type of the statements over criteria.
pub const PREDICATE_TYPE: &str = "https://cairn.dev/attestation/criteria/v1";
/// How many criteria a set may hold.
pub const MOST: usize = 50;

/// On which side of the threshold the metric must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparator {
    AtLeast,
    AtMost,
}

impl Comparator {
    pub fn parse(raw: &str) -> Option<Self> {
        match raw {
            "at_least" => Some(Self::AtLeast),
            "at_most" => Some(Self::AtMost),
            _ => None,
        }
    }
    /// As people say it, before the threshold.
    pub fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::AtMost => "at most",
        }
    }
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// The metric's name, as runs log it.
    pub metric: String,
    /// A part of the data, `column:value`, several joined by `/`; empty: all of it.
    pub slice: String,
    pub comparator: Comparator,
    pub threshold: Num,
    /// The confidence of the interval whose bound is compared, such as 0.95.
    pub level: Num,
    /// The test data, by name and by the digest that runs name.
    pub data: String,
    pub digest: String,
}

impl Criterion {
    /// Why it cannot be one.
    pub fn wrong(&self) -> Option<String> {
        let long = |t: &str| t.len() > 250 || t.chars().any(char::is_control);
        if self.metric.trim().is_empty() || long(&self.metric) {
            return Some("A criterion names a metric, in up to 250 characters".to_owned());
        }
        if long(&self.slice) || self.slice.split('/').any(|part| !self.slice.is_empty() && !part.contains(':')) {
            return Some(format!("The slice \"{}\" is not in the form column:value", self.slice));
        }
        if !self.threshold.0.is_finite() {
            return Some("A threshold is a number".to_owned());
        }
        if !(0.5..1.0).contains(&self.level.0) {
            return Some("A confidence level lies between 0.5 and 1, such as 0.95".to_owned());
        }
        if self.digest.trim().is_empty() || long(&self.digest) || long(&self.data) {
            return Some("A criterion names its test data by digest".to_owned());
        }
        None
    }

    /// Metric and slice as a run logs them: `recall/age:old`.
    pub fn key(&self) -> String {
        key(&self.metric, &self.slice)
    }

    /// In one line.
    pub fn words(&self) -> String {
        let slice = if self.slice.is_empty() { String::new() } else { format!(" for {}", self.slice.replace('/', " and ")) };
        let number = String::from(self.threshold);
        format!("{}{slice} {} {number} with {} % confidence", self.metric, self.comparator.words(), round(self.level.0 * 100.0))
    }

    /// The verdict over an interval: its far bound must be on the right side.
    pub fn judge(&self, low: f64, high: f64) -> Verdict {
        let limit = self.threshold.0;
        let (holds, fails) = match self.comparator {
            Comparator::AtLeast => (low >= limit, high < limit),
            Comparator::AtMost => (high <= limit, low > limit),
        };
        if holds {
            Verdict::Passed
        } else if fails {
            Verdict::Failed
        } else {
            Verdict::Inconclusive
        }
    }
}

/// A metric of a slice, as a run logs it.
pub fn key(metric: &str, slice: &str) -> String {
    if slice.is_empty() { metric.to_owned() } else { format!("{metric}/{slice}") }
}

fn round(x: f64) -> f64 {
    (x * 1000.0).round() / 1000.0
}

/// What an interval says of a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    Failed,
    /// The interval lies on both sides: not passed.
    Inconclusive,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What a signature over a set binds to: its content, for which project and cycle.
///
/// # Panics
/// Never: numbers are texts in it, and those have one canonical form.
#[allow(clippy::expect_used)]
pub fn digest(project: &str, cycle: u32, list: &[Criterion]) -> Digest {
    let text = crate::canonical::canonical(&json!({ "project": project, "cycle": cycle, "list": list }));
    sha256(text.expect("texts and a small whole number are canonical").as_bytes())
}

/// Everything that goes into a statement over criteria.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    pub criteria: &'a CriteriaId,
    pub project: &'a str,
    pub cycle: u32,
    pub list: &'a [Criterion],
    pub role: Role,
    pub name: &'a str,
    pub member: &'a MemberId,
    pub fingerprint: &'a str,
    /// RFC 3339 with offset: the signer's claim.
    pub signed_at: &'a str,
}

/// The in-toto Statement v1 (<https://in-toto.io/Statement/v1>) over a set of criteria, as the exact text to sign.
pub fn statement(parts: &Parts<'_>) -> String {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "criteria", "digest": { "sha256": digest(parts.project, parts.cycle, parts.list) } }],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "criteria": parts.criteria,
            "project": parts.project,
            "cycle": parts.cycle,
            "list": parts.list,
            "meaning": "acceptance criteria fixed before the test",
            "role": parts.role,
            "signer": { "printedName": parts.name, "principal": parts.member, "keyFingerprint": parts.fingerprint },
            "claimedAt": parts.signed_at,
            "timeSource": "signer's clock",
        }
    })
    .to_string()
}

/// What a statement says, read back from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub criteria: String,
    pub role: Role,
    pub principal: String,
    pub claimed_at: String,
    pub sha256: String,
}

/// Reads a statement. The signature is checked elsewhere, over the same bytes.
pub fn read(text: &str) -> Result<Read, String> {
    crate::strict::check(text)?;
    let value: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if value["_type"] != "https://in-toto.io/Statement/v1" || value["predicateType"] != PREDICATE_TYPE {
        return Err("it is no statement over criteria".to_owned());
    }
    let predicate = &value["predicate"];
    let text_of = |v: &Value, what: &str| v.as_str().map(str::to_owned).ok_or_else(|| format!("{what} is missing"));
    Ok(Read {
        criteria: text_of(&predicate["criteria"], "the criteria")?,
        role: predicate["role"].as_str().and_then(Role::parse).ok_or("the role is missing")?,
        principal: text_of(&predicate["signer"]["principal"], "the signer")?,
        claimed_at: text_of(&predicate["claimedAt"], "the time")?,
        sha256: text_of(&value["subject"][0]["digest"]["sha256"], "a digest")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recall(comparator: Comparator) -> Criterion {
        Criterion {
            metric: "recall".into(),
            slice: String::new(),
            comparator,
            threshold: Num(0.8),
            level: Num(0.95),
            data: "test".into(),
            digest: "d2".into(),
        }
    }

    #[test]
    fn the_bound_of_the_interval_decides_and_doubt_is_not_passed() {
        let least = recall(Comparator::AtLeast);
        assert_eq!(least.judge(0.8, 0.9), Verdict::Passed);
        assert_eq!(least.judge(0.79, 0.99), Verdict::Inconclusive, "a good point with a wide interval proves nothing");
        assert_eq!(least.judge(0.5, 0.79), Verdict::Failed);
        assert_eq!(least.judge(f64::NAN, f64::NAN), Verdict::Inconclusive);
        let most = recall(Comparator::AtMost);
        assert_eq!(most.judge(0.1, 0.8), Verdict::Passed);
        assert_eq!(most.judge(0.79, 0.81), Verdict::Inconclusive);
        assert_eq!(most.judge(0.81, 0.9), Verdict::Failed);
    }

    #[test]
    fn a_criterion_without_level_data_or_number_is_none() {
        let change = |f: &dyn Fn(&mut Criterion)| {
            let mut c = recall(Comparator::AtLeast);
            f(&mut c);
            c.wrong()
        };
        assert_eq!(change(&|_| ()), None);
        assert!(change(&|c| c.level = Num(1.0)).is_some() && change(&|c| c.level = Num(0.0)).is_some());
        assert!(change(&|c| c.digest.clear()).is_some());
        assert!(change(&|c| c.threshold = Num(f64::NAN)).is_some());
        assert!(change(&|c| c.slice = "old people".into()).is_some());
        assert_eq!(change(&|c| c.slice = "age:old/sex:f".into()), None);
    }

    #[test]
    fn a_statement_reads_back_and_binds_to_every_number() {
        let list = [recall(Comparator::AtLeast)];
        let (criteria, member) = (CriteriaId::parse("c1").unwrap(), MemberId::parse("m1").unwrap());
        let parts = Parts {
            criteria: &criteria,
            project: "p1",
            cycle: 1,
            list: &list,
            role: Role::BusinessOwner,
            name: "Ana",
            member: &member,
            fingerprint: "f",
            signed_at: "2026-11-25T10:00:00Z",
        };
        let says = read(&statement(&parts)).unwrap();
        assert_eq!((says.criteria.as_str(), says.role, says.sha256), ("c1", Role::BusinessOwner, digest("p1", 1, &list).to_string()));
        let mut other = list.clone();
        other[0].threshold = Num(0.81);
        assert_ne!(digest("p1", 1, &list), digest("p1", 1, &other));
        assert!(crate::release::read(&statement(&parts)).is_err(), "it never passes for an approval");
    }
}
