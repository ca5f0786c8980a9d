//! The business problem as a guided form: questions that are data, answers that two people may give at once, a risk class
//! that follows from answers and is still a person's decision, and what errors cost.

use crate::ApiError;
use crate::error::body;
use crate::host::Host;
use crate::people::person_at;
use crate::projects::{self, Field, ProjectRef, Version, base_of, bases};
use cairn_core::id::ProjectId;
use cairn_core::op::{Day, Kind, Op, ProjectField};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use ts_rs::TS;

const FORM: &str = include_str!("../../../../assets/forms/problem-1.json");

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// A line.
    Text,
    /// Some sentences.
    Long,
    Number,
    Day,
    YesNo,
}

#[derive(Debug, Clone, Deserialize)]
struct Question {
    id: String,
    kind: QuestionKind,
    /// One of the fields that a project has had from the beginning.
    #[serde(default)]
    field: bool,
    #[serde(default)]
    required: bool,
    heading: String,
    question: String,
    example: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Group {
    id: String,
    title: String,
    why: String,
    questions: Vec<Question>,
}

#[derive(Debug, Clone, Deserialize)]
struct RiskQuestion {
    id: String,
    question: String,
    /// The class that follows from a yes.
    yes: String,
    /// To stand after "because".
    reason: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Form {
    groups: Vec<Group>,
    risk: Vec<RiskQuestion>,
}

#[allow(clippy::expect_used)] // the file is compiled in, and a test reads it
static READ: LazyLock<Form> = LazyLock::new(|| serde_json::from_str(FORM).expect("the form in assets/ is well formed"));

const CLASSES: [&str; 3] = ["low", "medium", "high"];
/// Why a class was chosen: it has no place in a group.
const RISK_REASON: &str = "risk_reason";
/// The score from which on the model says yes, as owner and scientist agreed.
const THRESHOLD: &str = "threshold";
const THRESHOLD_REASON: &str = "threshold_reason";

fn questions() -> impl Iterator<Item = &'static Question> {
    READ.groups.iter().flat_map(|g| &g.questions)
}

/// What a question is called, for the trail.
pub(crate) fn heading(id: &str) -> String {
    if let Some(question) = questions().find(|q| q.id == id) {
        return question.heading.clone();
    }
    if let Some(risk) = READ.risk.iter().find(|q| q.id == id) {
        return risk.question.clone();
    }
    match id {
        RISK_REASON => "Reason for the risk class".to_owned(),
        THRESHOLD => "Threshold".to_owned(),
        THRESHOLD_REASON => "Reason for the threshold".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Whether there is such a question, for templates that ask for its answer.
pub(crate) fn known(id: &str) -> bool {
    [RISK_REASON, THRESHOLD, THRESHOLD_REASON].contains(&id) || questions().any(|q| q.id == id) || READ.risk.iter().any(|q| q.id == id)
}

/// The answer to a question, wherever it is kept; none where it is empty.
pub(crate) fn answer_of<'p>(project: &'p Record, id: &str) -> Option<&'p str> {
    let field = questions().any(|q| q.field && q.id == id);
    let found = if field { project.get(id) } else { project.get_key("answer", id) };
    found.map(str::trim).filter(|t| !t.is_empty())
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ProblemForm {
    pub project: String,
    pub title: String,
    pub groups: Vec<ProblemGroup>,
    pub risk: Risk,
    pub costs: CostModel,
    /// Required questions that are answered, and how many there are.
    pub answered: u32,
    pub required: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ProblemGroup {
    pub id: String,
    pub title: String,
    pub why: String,
    pub questions: Vec<Answered>,
    /// No required question is open.
    pub done: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Answered {
    pub kind: QuestionKind,
    pub required: bool,
    pub heading: String,
    pub question: String,
    pub example: String,
    pub answer: Field,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Risk {
    pub questions: Vec<Answered>,
    /// What follows from the answers; none until all are given.
    pub suggested: Option<String>,
    /// Why, in a sentence.
    pub why: String,
    pub chosen: Field,
    pub reason: Field,
    /// The class is lower than the answers say: that needs a reason.
    pub lower: bool,
    pub done: bool,
}

/// What errors cost, as far as it was said in money.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct CostModel {
    pub currency: String,
    pub false_positive: Option<f64>,
    pub false_negative: Option<f64>,
    pub true_positive: Option<f64>,
    pub cases_per_month: Option<f64>,
    pub threshold: Answer,
    pub threshold_reason: Answer,
}

/// An answer without its versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Answer {
    pub value: String,
    pub base: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AnswerProblem {
    pub project: String,
    pub question: String,
    pub value: String,
    /// The operations of the versions shown, with spaces between.
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
    /// For the risk class: why. Left out: the reason that stands in the form, or what follows from the answers.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
}

fn versions(r: &Reader<'_>, record: &Record, field: &str, key: &str) -> Result<Field, ApiError> {
    let acl = r.acl()?;
    let heads = r.heads(Kind::Project, &record.id, field, key)?;
    let base = base_of(&heads);
    let several = heads.len() > 1;
    Ok(Field {
        name: if key.is_empty() { field.to_owned() } else { key.to_owned() },
        value: record.get_key(field, key).unwrap_or_default().to_owned(),
        base,
        versions: heads
            .into_iter()
            .filter(|_| several)
            .map(|h| Version { by: person_at(&acl, &h.device), op: h.op, value: h.value, at_ms: h.at_ms })
            .collect(),
    })
}

pub fn get(host: &Host, request: ProjectRef) -> Result<ProblemForm, ApiError> {
    host.workspace()?.read(|r| view(r, &r.require(Kind::Project, &request.project)?))
}

fn view(r: &Reader<'_>, record: &Record) -> Result<ProblemForm, ApiError> {
    let mut out = Vec::new();
    let (mut answered, mut required) = (0, 0);
    for group in &READ.groups {
        let mut questions = Vec::new();
        let mut done = true;
        for q in &group.questions {
            let answer = if q.field { versions(r, record, &q.id, "")? } else { versions(r, record, "answer", &q.id)? };
            let filled = !answer.value.trim().is_empty();
            required += u32::from(q.required);
            answered += u32::from(q.required && filled);
            done &= filled || !q.required;
            questions.push(Answered {
                kind: q.kind,
                required: q.required,
                heading: q.heading.clone(),
                question: q.question.clone(),
                example: q.example.clone(),
                answer,
            });
        }
        out.push(ProblemGroup { id: group.id.clone(), title: group.title.clone(), why: group.why.clone(), questions, done });
    }
    let risk = risk(r, record)?;
    required += 1;
    answered += u32::from(risk.done);
    let short = |id: &str| -> Result<Answer, ApiError> {
        let field = versions(r, record, "answer", id)?;
        Ok(Answer { value: field.value, base: field.base })
    };
    let costs = CostModel { threshold: short(THRESHOLD)?, threshold_reason: short(THRESHOLD_REASON)?, ..costs_of(record) };
    Ok(ProblemForm { project: record.id.clone(), title: record.text("title"), groups: out, risk, costs, answered, required })
}

/// What errors cost, as the project says.
pub(crate) fn costs_of(record: &Record) -> CostModel {
    let money = |id: &str| answer_of(record, id).and_then(|t| number(t).ok());
    CostModel {
        currency: answer_of(record, "currency").unwrap_or_default().to_owned(),
        false_positive: money("amount_false_positive"),
        false_negative: money("amount_false_negative"),
        true_positive: money("amount_true_positive"),
        cases_per_month: money("cases_per_month"),
        ..CostModel::default()
    }
}

/// What follows from the risk questions: the class, once it is certain, and why.
fn follows(record: &Record) -> (Option<String>, String) {
    let mut reasons: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let mut open = 0;
    for q in &READ.risk {
        match answer_of(record, &q.id) {
            Some("yes") => reasons.entry(rank(&q.yes)).or_default().push(&q.reason),
            Some("no") => {}
            _ => open += 1,
        }
    }
    let worst = reasons.last_key_value().map_or(0, |(class, _)| *class);
    // A high class is certain before all is answered; a lower one is not.
    let suggested = (open == 0 || worst == 2).then(|| CLASSES[worst].to_owned());
    let why = match (&suggested, reasons.get(&worst)) {
        (None, _) => format!("{open} of {} questions are open.", READ.risk.len()),
        (Some(class), Some(found)) => format!("{}, because {}.", spoken(class), found.join("; and ")),
        (Some(class), None) => format!("{}: none of this applies.", spoken(class)),
    };
    (suggested, why)
}

fn is_lower(chosen: &str, suggested: Option<&String>) -> bool {
    suggested.is_some_and(|s| !chosen.is_empty() && rank(chosen) < rank(s))
}

fn is_decided(record: &Record, chosen: &str, suggested: Option<&String>) -> bool {
    CLASSES.contains(&chosen) && suggested.is_some() && (!is_lower(chosen, suggested) || answer_of(record, RISK_REASON).is_some())
}

fn risk(r: &Reader<'_>, record: &Record) -> Result<Risk, ApiError> {
    let mut questions = Vec::new();
    for q in &READ.risk {
        questions.push(Answered {
            kind: QuestionKind::YesNo,
            required: true,
            heading: q.question.clone(),
            question: String::new(),
            example: String::new(),
            answer: versions(r, record, "answer", &q.id)?,
        });
    }
    let (suggested, why) = follows(record);
    let class = crate::risk::class_word(r, &record.id)?;
    Ok(Risk {
        questions,
        why,
        chosen: Field { name: "risk_class".to_owned(), value: class.clone(), base: None, versions: Vec::new() },
        reason: versions(r, record, "answer", RISK_REASON)?,
        lower: is_lower(&class, suggested.as_ref()),
        done: is_decided(record, &class, suggested.as_ref()),
        suggested,
    })
}

fn rank(class: &str) -> usize {
    CLASSES.iter().position(|c| *c == class).unwrap_or(0)
}

fn spoken(class: &str) -> &'static str {
    match class {
        "high" => "High",
        "medium" => "Medium",
        _ => "Low",
    }
}

/// Whether the risk questions are answered and the class that was chosen has its reason; and what is said of it.
pub(crate) fn risk_decided(record: &Record, chosen: &str) -> (bool, String) {
    let (suggested, why) = follows(record);
    let done = is_decided(record, chosen, suggested.as_ref());
    let said = if suggested.is_none() {
        why
    } else if chosen.is_empty() {
        format!("The answers say: {why} No class is chosen yet.")
    } else if is_lower(chosen, suggested.as_ref()) {
        let reason = answer_of(record, RISK_REASON).unwrap_or("A lower class was chosen, without a reason.");
        format!("{}, although the answers say: {why} {reason}", spoken(chosen))
    } else {
        why
    };
    (done, said)
}

/// A number as people type it: with a comma or a point, spaces between thousands.
pub(crate) fn number(text: &str) -> Result<f64, ApiError> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\u{a0}').collect();
    let (commas, points) = (plain.matches(',').count(), plain.matches('.').count());
    let plain = match (plain.rfind(','), plain.rfind('.')) {
        // The last of the two is the decimal point: 1,000.50 and 1.000,50 are one number.
        (Some(c), Some(p)) if c > p => plain.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => plain.replace(',', ""),
        // 6,000 may be six thousand or six: nobody's money is guessed.
        (Some(c), None) if commas == 1 && plain.len() - c == 4 => {
            return Err(ApiError::invalid(format!("\"{}\" can be read in two ways", text.trim()))
                .hint("Write a thousand without a comma, such as 6000, and a part with a point, such as 6.0."));
        }
        (Some(_), None) if commas == 1 => plain.replace(',', "."),
        (Some(_), None) => plain.replace(',', ""),
        (None, Some(_)) if points > 1 => plain.replace('.', ""),
        (None, _) => plain,
    };
    plain
        .parse::<f64>()
        .ok()
        .filter(|v| v.is_finite())
        .ok_or_else(|| ApiError::invalid(format!("\"{}\" is no number", text.trim())).hint("Write it without words, such as 2.50 or 6000."))
}

pub fn answer(host: &Host, request: AnswerProblem) -> Result<ProblemForm, ApiError> {
    let workspace = host.workspace()?;
    let id = request.question.as_str();
    let question = questions().find(|q| q.id == id);
    let title = heading(id);
    let value = request.value.trim();
    if !value.is_empty() {
        match question.map(|q| q.kind) {
            Some(QuestionKind::Number) => {
                if number(value)? < 0.0 {
                    return Err(ApiError::invalid(format!("{title}: a cost or a count is not below zero")));
                }
            }
            Some(QuestionKind::Day) => {
                Day::parse(value).map_err(|e| ApiError::invalid(format!("{title}: {e}")))?;
            }
            Some(QuestionKind::Text | QuestionKind::Long | QuestionKind::YesNo) | None => {}
        }
    }
    let field = ProjectField::ALL.into_iter().find(|f| f.as_str() == id && *f != ProjectField::Title);
    if let Some(field) = field {
        let reason = match request.reason.filter(|t| !t.trim().is_empty()) {
            None if field == ProjectField::RiskClass => {
                let record = workspace.read(|r| r.require(Kind::Project, &request.project))?;
                let (suggested, why) = follows(&record);
                let written = answer_of(&record, RISK_REASON).map(str::to_owned);
                written.or_else(|| (suggested.as_deref() == Some(value)).then(|| format!("Follows from the answers: {why}")))
            }
            given => given,
        };
        let edit = projects::EditProject {
            project: request.project.clone(),
            field: field.as_str().to_owned(),
            value: request.value,
            base: request.base,
            reason,
        };
        projects::edit(host, edit)?;
        return get(host, ProjectRef { project: request.project });
    }
    if !known(id) {
        return Err(ApiError::invalid(format!("\"{id}\" is no question about a project")));
    }
    if READ.risk.iter().any(|q| q.id == id) && !["yes", "no", ""].contains(&value) {
        return Err(ApiError::invalid("The answer is yes or no"));
    }
    if id == THRESHOLD && !value.is_empty() && !(0.0..=1.0).contains(&number(value)?) {
        return Err(ApiError::invalid("A threshold lies between 0 and 1").hint("It is the score from which on the model says yes."));
    }
    let project = ProjectId::parse(request.project.clone())?;
    let value = body(&title, &request.value)?;
    let base = bases(request.base.as_deref())?;
    workspace.read(|r| r.require(Kind::Project, project.as_str()))?;
    workspace.append(Op::ProjectAnswered { project, question: id.to_owned(), value, base })?;
    get(host, ProjectRef { project: request.project })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_store::cells::Cells;

    #[test]
    fn the_form_names_each_question_once_and_the_fields_that_there_are() {
        let mut ids: Vec<&str> = questions().map(|q| q.id.as_str()).chain(READ.risk.iter().map(|q| q.id.as_str())).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        for question in questions() {
            let is_field = ProjectField::ALL.iter().any(|f| f.as_str() == question.id);
            assert_eq!(question.field, is_field, "{}", question.id);
            assert!(!question.example.is_empty(), "an empty form shows an example: {}", question.id);
        }
        assert!(READ.risk.iter().all(|q| CLASSES.contains(&q.yes.as_str())));
    }

    #[test]
    fn a_class_is_decided_by_a_word_that_is_a_class() {
        let empty = Record { id: String::new(), parent: None, at_ms: 0, device: String::new(), cells: Cells::default() };
        let suggested = "low".to_owned();
        assert!(is_decided(&empty, "low", Some(&suggested)));
        assert!(!is_decided(&empty, "low", None), "before the questions are answered");
        assert!(!is_decided(&empty, "", Some(&suggested)), "nobody who may has stated one");
        assert!(!is_decided(&empty, "low", Some(&"high".to_owned())), "a lower one without a reason");
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, value) in [
            ("2.50", 2.5),
            ("2,50", 2.5),
            ("6 000", 6000.0),
            ("1,000.50", 1000.5),
            ("1,000,000", 1e6),
            ("1.000,50", 1000.5),
            ("1.000.000", 1e6),
            ("0", 0.0),
        ] {
            assert_eq!(number(text).ok(), Some(value), "{text}");
        }
        for bad in ["a lot", "", "6,000", "NaN", "inf", "90 €"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
