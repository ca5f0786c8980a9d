//! The ML Test Score (Breck et al., "The ML Test Score: A Rubric for ML Production Readiness", IEEE Big Data 2017), as far as
//! the records of a project show it.
//!
//! Of each of the 28 tests: 0 not done, 0.5 done by hand with a word or a link, 1 seen in the records by Cairn. A section is
//! the sum of its seven; the score is the least of the four sections. Which item of the handoffs is which test stands in the
//! lifecycle, in the item's source.

use crate::ApiError;
use crate::checks::{Looker, handed_over, template_of};
use crate::host::Host;
use crate::projects::{ProjectRef, stage_of};
use cairn_core::checklist::ItemKind;
use cairn_core::op::Kind;
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

const TESTS: [(&str, &str, [&str; 7]); 4] = [
    (
        "D",
        "Features and data",
        [
            "Expectations of the data are captured in a schema",
            "All features are beneficial",
            "No feature costs more than it brings",
            "Features keep to meta-level requirements",
            "The data pipeline has privacy controls",
            "New features can be added quickly",
            "All feature code is tested",
        ],
    ),
    (
        "M",
        "Model development",
        [
            "Specifications are reviewed and checked in",
            "Offline and online metrics go together",
            "All parameters were tuned",
            "It is known what staleness does",
            "A simpler model is not better",
            "Quality is good on all important groups",
            "It was looked at with inclusion in mind",
        ],
    ),
    (
        "I",
        "Infrastructure",
        [
            "Training can be repeated",
            "Specifications are unit tested",
            "The pipeline is tested as a whole",
            "Quality is checked before serving",
            "One prediction can be looked into",
            "Models go through a canary",
            "There is a way back",
        ],
    ),
    (
        "Mon",
        "Monitoring",
        [
            "Changes of dependencies are noticed",
            "Inputs keep to what is expected",
            "Training and serving do not drift apart",
            "Models are not too old",
            "Numbers stay stable",
            "Performance of computing has not fallen",
            "Quality of predictions has not fallen",
        ],
    ),
];

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TestScore {
    /// The least of the four sections, 0 to 7.
    pub score: f64,
    /// What that means, in the words of the paper.
    pub meaning: String,
    pub sections: Vec<ScoreSection>,
    /// Of each cycle, the oldest first; of past ones what their completed handoffs showed.
    pub trend: Vec<CycleScore>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ScoreSection {
    pub id: String,
    pub title: String,
    pub sum: f64,
    pub tests: Vec<ScoredTest>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ScoredTest {
    /// Such as `D1`.
    pub id: String,
    pub text: String,
    /// 0, 0.5 or 1.
    pub score: f64,
    /// The item of a handoff that shows it; none: the lifecycle does not ask for it.
    pub item: Option<String>,
    /// What was seen or said.
    pub said: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CycleScore {
    pub cycle: u32,
    pub score: f64,
}

/// The tests that an item's source names: `ML Test Score D2, D3` or `ML Test Score Mon1-7`.
fn tests_in(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in source.split(';').filter_map(|p| p.trim().strip_prefix("ML Test Score")) {
        for word in part.split([',', ' ']).map(str::trim).filter(|w| !w.is_empty()) {
            let letters: String = word.chars().take_while(|c| c.is_alphabetic()).collect();
            let numbers = &word[letters.len()..];
            let (from, to) = numbers.split_once('-').unwrap_or((numbers, numbers));
            if let (Ok(from), Ok(to)) = (from.parse::<u32>(), to.parse::<u32>())
                && TESTS.iter().any(|t| t.0 == letters)
            {
                found.extend((from..=to.min(7)).map(|n| format!("{letters}{n}")));
            }
        }
    }
    found
}

pub fn score(host: &Host, request: ProjectRef) -> Result<TestScore, ApiError> {
    host.workspace()?.read(|r| {
        let project = r.require(Kind::Project, &request.project)?;
        let (_, cycle) = stage_of(&project);
        let now = scored(r, &project, cycle, true)?;
        let mut trend = Vec::new();
        for past in 1..cycle {
            trend.push(CycleScore { cycle: past, score: least(&sections(&scored(r, &project, past, false)?)) });
        }
        let sections = sections(&now);
        let score = least(&sections);
        trend.push(CycleScore { cycle, score });
        Ok(TestScore { meaning: meaning(score).to_owned(), score, sections, trend })
    })
}

/// What is known of each test: score, item, words.
type Known = BTreeMap<String, (f64, String, String)>;

fn scored(r: &Reader<'_>, project: &Record, cycle: u32, present: bool) -> Result<Known, ApiError> {
    let (template, _) = template_of(r, project)?;
    let looker = Looker::new(r, project, cycle, template.clone());
    let lists = r.records(Kind::Checklist, Some(&project.id))?;
    let mut known = Known::new();
    for list in &template.checklists {
        let of_gate: Vec<&Record> = lists
            .iter()
            .filter(|c| !c.deleted() && c.get("gate") == Some(&list.gate) && c.int("cycle") == Some(i64::from(cycle)))
            .collect();
        for item in &list.items {
            let (score, said) = match (&item.check, item.kind) {
                (Some(check), ItemKind::Records) if present => {
                    let found = looker.look(check)?;
                    (if found.met { 1.0 } else { 0.0 }, found.said)
                }
                // What a completed handoff needed was seen when it was completed.
                (Some(_), _) => {
                    let seen = item.blocks && of_gate.iter().any(|c| handed_over(c));
                    (if seen { 1.0 } else { 0.0 }, if seen { "Seen when the handoff was completed.".to_owned() } else { String::new() })
                }
                (None, _) => {
                    let answer = of_gate.iter().find_map(|c| c.get_key("item", &item.id));
                    let value: serde_json::Value = answer.and_then(|a| serde_json::from_str(a).ok()).unwrap_or_default();
                    (if answer.is_some() { 0.5 } else { 0.0 }, value["comment"].as_str().unwrap_or_default().to_owned())
                }
            };
            for test in tests_in(&item.source) {
                let entry = known.entry(test).or_insert((0.0, item.id.clone(), String::new()));
                if score > entry.0 || entry.2.is_empty() {
                    *entry = (score.max(entry.0), item.id.clone(), said.clone());
                }
            }
        }
    }
    Ok(known)
}

fn sections(known: &Known) -> Vec<ScoreSection> {
    let section = |(id, title, texts): &(&str, &str, [&str; 7])| {
        let tests: Vec<ScoredTest> = texts
            .iter()
            .enumerate()
            .map(|(i, text)| {
                let name = format!("{id}{}", i + 1);
                let found = known.get(&name);
                ScoredTest {
                    text: (*text).to_owned(),
                    score: found.map_or(0.0, |f| f.0),
                    item: found.map(|f| f.1.clone()),
                    said: found.map(|f| f.2.clone()).unwrap_or_default(),
                    id: name,
                }
            })
            .collect();
        ScoreSection { id: (*id).to_owned(), title: (*title).to_owned(), sum: tests.iter().map(|t| t.score).sum(), tests }
    };
    TESTS.iter().map(section).collect()
}

fn least(sections: &[ScoreSection]) -> f64 {
    sections.iter().map(|s| s.sum).fold(f64::INFINITY, f64::min)
}

/// The paper's reading of a score.
fn meaning(score: f64) -> &'static str {
    if score <= 0.0 {
        "More of a research project than a system in production."
    } else if score <= 1.0 {
        "Not without tests, but there may be serious holes in reliability."
    } else if score <= 2.0 {
        "A first step towards production; more investment may be needed."
    } else if score <= 3.0 {
        "Reasonably tested, but more of it could be automated."
    } else if score <= 5.0 {
        "Strong testing and monitoring, fit for what is critical."
    } else {
        "Exceptional testing and monitoring."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_items_source_names_its_tests() {
        assert_eq!(tests_in("CRISP-ML(Q); ML Test Score D2, D3"), ["D2", "D3"]);
        assert_eq!(tests_in("ML Test Score Mon1-7; AI Act Annex IV 9").len(), 7);
        assert_eq!(tests_in("ML Test Score I6, Mon3, Mon6"), ["I6", "Mon3", "Mon6"]);
        assert!(tests_in("AI Act Art. 10").is_empty() && tests_in("ML Test Score X1").is_empty());
    }

    #[test]
    fn the_score_is_the_least_of_the_four_sections() {
        let mut known = Known::new();
        for (test, score) in [("D1", 1.0), ("D2", 0.5), ("M1", 1.0), ("I1", 1.0), ("Mon1", 0.5)] {
            known.insert(test.to_owned(), (score, "G".into(), String::new()));
        }
        let found = sections(&known);
        assert_eq!(found.iter().map(|s| s.sum).collect::<Vec<_>>(), [1.5, 1.0, 1.0, 0.5]);
        assert!((least(&found) - 0.5).abs() < f64::EPSILON);
        assert!(meaning(0.5).contains("holes"));
    }
}
