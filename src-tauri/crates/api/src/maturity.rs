//! How far the team is: what it says of itself on a published scale, beside what the records show, over time.
//!
//! A scale is data (`assets/maturity/`): levels with statements. A level is reached when every statement of it and of those
//! below it holds; what holds partly does not count, and is shown. Each assessment stays; the newest is where the team stands.

mod seen;

use crate::checklists::{EvidenceLink, title_of};
use crate::error::body;
use crate::host::Host;
use crate::notes::SubjectRef;
use crate::people::{Person, person_at};
use crate::{ApiError, edge};
use cairn_chart::axis::{Axis, Measure, Scale};
use cairn_chart::frame::Frame;
use cairn_chart::line::{self, Line};
use cairn_chart::theme::Theme;
use cairn_core::id::AssessmentId;
use cairn_core::op::{Kind, MaturityAnswer, Met, Op, Subject};
use cairn_report::markdown::to_html;
use cairn_store::Reader;
use cairn_store::records::Record;
use cairn_store::text_index::links;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use ts_rs::TS;

pub use seen::Seen;

const SCALES: [&str; 2] =
    [include_str!("../../../../assets/maturity/google-1.json"), include_str!("../../../../assets/maturity/microsoft-1.json")];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scales {
    id: String,
    name: String,
    source: String,
    levels: Vec<Level>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Level {
    name: String,
    summary: String,
    statements: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    id: String,
    text: String,
    why: String,
    example: String,
    /// What of the records speaks for it; none: nothing can.
    seen: Option<seen::Look>,
}

static READ: LazyLock<Vec<Scales>> = LazyLock::new(|| SCALES.iter().filter_map(|text| serde_json::from_str(text).ok()).collect());

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MaturityQuery {
    /// `google/1` or `microsoft/1`.
    pub scale: String,
    /// CSS pixels of the drawing.
    pub width: u32,
    pub dark: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ScaleName {
    pub id: String,
    pub name: String,
}

/// Where the team stands on a scale, and how it came there.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Maturity {
    pub scales: Vec<ScaleName>,
    pub id: String,
    pub name: String,
    /// Whose scale it is.
    pub source: String,
    /// By the newest assessment, from 0; none: nobody has assessed yet.
    pub level: Option<u32>,
    pub levels: Vec<MaturityLevel>,
    /// The newest first.
    pub assessments: Vec<Assessment>,
    /// The level over time; empty where there is nothing to draw.
    pub svg: String,
    pub title: String,
    pub summary: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MaturityLevel {
    pub name: String,
    pub summary: String,
    pub statements: Vec<MaturityStatement>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MaturityStatement {
    pub id: String,
    pub text: String,
    pub why: String,
    pub example: String,
    /// What the records show now.
    pub seen: Option<Seen>,
    /// `yes`, `partly` or `no`, in the newest assessment.
    pub met: Option<String>,
    pub note: String,
    pub html: String,
    pub evidence: Vec<EvidenceLink>,
}

/// One assessment in short.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Assessment {
    pub id: String,
    pub by: Person,
    pub at_ms: i64,
    pub level: u32,
    pub yes: u32,
    pub partly: u32,
    pub no: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Assess {
    pub scale: String,
    /// By the statements' ids; what is left out is not answered.
    pub answers: BTreeMap<String, GivenAnswer>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct GivenAnswer {
    /// `yes`, `partly` or `no`.
    pub met: String,
    /// Markdown; what it links to is the evidence.
    #[serde(default)]
    pub note: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Assessed {
    pub id: String,
    pub level: u32,
}

fn scale(id: &str) -> Result<&'static Scales, ApiError> {
    let known = READ.iter().find(|s| s.id == id);
    known.ok_or_else(|| {
        let names: Vec<&str> = READ.iter().map(|s| s.id.as_str()).collect();
        ApiError::not_found(&format!("The scale {id}")).hint(format!("There are {}.", names.join(" and ")))
    })
}

/// The highest level of which, and of all below it, every statement holds.
fn reached(scale: &Scales, answers: &BTreeMap<String, MaturityAnswer>) -> u32 {
    let holds = |s: &Statement| answers.get(&s.id).is_some_and(|a| a.met == Met::Yes);
    let whole = scale.levels.iter().take_while(|level| level.statements.iter().all(holds)).count();
    u32::try_from(whole.saturating_sub(1)).unwrap_or(0)
}

fn answers_of(record: &Record) -> BTreeMap<String, MaturityAnswer> {
    serde_json::from_value(record.json("answers")).unwrap_or_default()
}

pub fn get(host: &Host, request: MaturityQuery) -> Result<Maturity, ApiError> {
    let scale = scale(&request.scale)?;
    host.workspace()?.read(|r| {
        let all: Vec<Record> =
            r.records(Kind::Assessment, None)?.into_iter().filter(|a| !a.deleted() && a.get("model") == Some(&scale.id)).collect();
        let newest = all.last().map(answers_of).unwrap_or_default();
        let looker = seen::Looker::new(r)?;
        let mut levels = Vec::new();
        for level in &scale.levels {
            let statements = level.statements.iter().map(|s| statement(r, &looker, s, newest.get(&s.id)));
            levels.push(MaturityLevel {
                name: level.name.clone(),
                summary: level.summary.clone(),
                statements: statements.collect::<Result<_, ApiError>>()?,
            });
        }
        let level = all.last().map(|_| reached(scale, &newest));
        let acl = r.acl()?;
        let mut assessments: Vec<Assessment> = all.iter().map(|a| in_short(scale, a, person_at(&acl, &a.device))).collect();
        let title = format!("Maturity over time ({})", scale.name);
        let summary = summary(scale, &assessments);
        let svg = if assessments.is_empty() { String::new() } else { draw(scale, &request, &title, &summary, &assessments)? };
        assessments.reverse();
        let scales = READ.iter().map(|s| ScaleName { id: s.id.clone(), name: s.name.clone() }).collect();
        let (id, name, source) = (scale.id.clone(), scale.name.clone(), scale.source.clone());
        Ok(Maturity { scales, id, name, source, level, levels, assessments, svg, title, summary })
    })
}

fn statement(
    r: &Reader<'_>,
    looker: &seen::Looker<'_, '_>,
    of: &Statement,
    said: Option<&MaturityAnswer>,
) -> Result<MaturityStatement, ApiError> {
    let note = said.map_or("", |a| a.note.as_str());
    let mut evidence = Vec::new();
    for subject in said.map(|a| a.evidence.as_slice()).unwrap_or_default() {
        evidence.push(EvidenceLink { kind: subject.kind.as_str().to_owned(), id: subject.id.clone(), title: title_of(r, subject)? });
    }
    Ok(MaturityStatement {
        id: of.id.clone(),
        text: of.text.clone(),
        why: of.why.clone(),
        example: of.example.clone(),
        seen: of.seen.map(|look| looker.look(look)).transpose()?,
        met: said.map(|a| a.met.as_str().to_owned()),
        html: to_html(note),
        note: note.to_owned(),
        evidence,
    })
}

fn in_short(scale: &Scales, record: &Record, by: Person) -> Assessment {
    let answers = answers_of(record);
    let count = |met: Met| u32::try_from(answers.values().filter(|a| a.met == met).count()).unwrap_or(u32::MAX);
    Assessment {
        id: record.id.clone(),
        by,
        at_ms: record.at_ms,
        level: reached(scale, &answers),
        yes: count(Met::Yes),
        partly: count(Met::Partly),
        no: count(Met::No),
    }
}

/// The oldest first.
fn summary(scale: &Scales, all: &[Assessment]) -> String {
    let name = |level: u32| scale.levels.get(level as usize).map_or_else(String::new, |l| format!("level {level} ({})", l.name));
    let day = |a: &Assessment| edge::rfc3339(a.at_ms).chars().take(10).collect::<String>();
    match (all.first(), all.last()) {
        (Some(first), Some(last)) if all.len() > 1 => {
            format!("From {} on {} to {} on {}, in {} assessments.", name(first.level), day(first), name(last.level), day(last), all.len())
        }
        (Some(only), _) => format!("{} on {}; one assessment so far.", name(only.level).replacen('l', "L", 1), day(only)),
        (None, _) => "Nobody has assessed yet.".to_owned(),
    }
}

fn draw(scale: &Scales, request: &MaturityQuery, title: &str, summary: &str, all: &[Assessment]) -> Result<String, ApiError> {
    const DAY_MS: f64 = 86_400_000.0;
    let theme = if request.dark { Theme::Dark } else { Theme::Light };
    let places: Vec<(f64, f64)> = all.iter().map(|a| (a.at_ms as f64, f64::from(a.level))).collect();
    let (from, to) = (places.first().map_or(0.0, |p| p.0), places.last().map_or(0.0, |p| p.0));
    let room = ((to - from) * 0.05).max(DAY_MS);
    let x = Axis::over("", Measure::Time, Scale::Linear, [from - room, to + room].into_iter(), 0.0);
    let names = scale.levels.iter().enumerate().map(|(i, l)| format!("{i} {}", l.name)).collect();
    let frame =
        Frame::new(request.width.clamp(200, 4_000), 60 + 34 * scale.levels.len() as u32, theme.palette(), x, Axis::named("", names))?;
    // A level holds until somebody says otherwise.
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (at, level) in places {
        if let Some((_, before)) = steps.last().copied() {
            steps.push((at, before));
        }
        steps.push((at, level));
    }
    let layers = line::layers(&frame, &[Line { points: steps, ..Line::default() }])?;
    Ok(frame.finish(title, summary, &layers)?)
}

pub fn assess(host: &Host, request: Assess) -> Result<Assessed, ApiError> {
    let scale = scale(&request.scale)?;
    let workspace = host.workspace()?;
    let known: Vec<&str> = scale.levels.iter().flat_map(|l| &l.statements).map(|s| s.id.as_str()).collect();
    let mut answers = BTreeMap::new();
    for (id, given) in request.answers {
        if !known.contains(&id.as_str()) {
            return Err(ApiError::invalid(format!("The scale {} has no statement {id}", scale.id)));
        }
        let met = Met::parse(&given.met)
            .ok_or_else(|| ApiError::invalid(format!("\"{}\" is no answer to {id}", given.met)).hint("Answers are yes, partly and no."))?;
        let note = body("What you know it by", given.note.trim())?;
        let link = |(kind, id): (String, String)| SubjectRef { kind, id }.parse().ok();
        let evidence: Vec<Subject> = links(note.as_str()).into_iter().filter_map(link).collect();
        answers.insert(id, MaturityAnswer { met, note, evidence });
    }
    if answers.is_empty() {
        return Err(ApiError::invalid("Nothing was answered yet").hint("Answer at least one statement."));
    }
    let assessment = AssessmentId::parse(workspace.edge.new_id())?;
    let level = reached(scale, &answers);
    workspace.append(Op::MaturityAssessed { assessment: assessment.clone(), model: scale.id.clone(), answers })?;
    Ok(Assessed { id: assessment.to_string(), level })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::text::Body;

    fn answered(scale: &Scales, met: impl Fn(&str) -> Met) -> BTreeMap<String, MaturityAnswer> {
        let all = scale.levels.iter().flat_map(|l| &l.statements);
        let answer = |s: &Statement| MaturityAnswer { met: met(&s.id), note: Body::parse(String::new()).unwrap(), evidence: Vec::new() };
        all.map(|s| (s.id.clone(), answer(s))).collect()
    }

    #[test]
    fn every_scale_is_read_and_every_statement_has_a_reason_and_an_example() {
        assert_eq!(READ.len(), SCALES.len(), "a scale that cannot be read would be missing without a word");
        let mut ids: Vec<&str> = READ.iter().flat_map(|s| &s.levels).flat_map(|l| &l.statements).map(|s| s.id.as_str()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        for scale in READ.iter() {
            assert!(scale.levels[0].statements.is_empty(), "the lowest level asks for nothing");
            assert!(scale.levels.iter().flat_map(|l| &l.statements).all(|s| !s.why.is_empty() && !s.example.is_empty()));
        }
    }

    #[test]
    fn a_level_is_reached_when_all_of_it_and_of_those_below_holds() {
        let google = scale("google/1").unwrap();
        assert_eq!(reached(google, &BTreeMap::new()), 0);
        assert_eq!(reached(google, &answered(google, |_| Met::Yes)), 2);
        assert_eq!(
            reached(google, &answered(google, |id| if id.starts_with("g1") { Met::Yes } else { Met::Partly })),
            1,
            "partly is not yes"
        );
        assert_eq!(reached(google, &answered(google, |id| if id == "g1.data" { Met::No } else { Met::Yes })), 0, "no level is skipped");
        assert!(scale("acme/1").unwrap_err().hint.unwrap().contains("google/1"));
    }
}
