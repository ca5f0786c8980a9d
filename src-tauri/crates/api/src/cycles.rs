//! How a project goes round: what began a cycle, what each stage took, what was waived, and how a project ends.

use crate::ApiError;
use crate::checklists::{EvidenceLink, title_of};
use crate::checks::template_of;
use crate::host::Host;
use crate::notes::SubjectRef;
use crate::people::{Person, person_at};
use crate::projects::{self, Project, ProjectRef, stage_of};
use cairn_core::id::ProjectId;
use cairn_core::lifecycle::{Lifecycle, Stage};
use cairn_core::op::{Ending, Kind, Op, Subject, Trigger};
use cairn_store::Reader;
use cairn_store::moves::Move;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What began a cycle, or will.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TriggerView {
    /// `monitor`, `date`, `change` or `incident`.
    pub trigger: String,
    pub why: String,
    pub evidence: Vec<EvidenceLink>,
    pub by: Person,
    pub at_ms: i64,
}

/// How a project ended.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Ended {
    /// `completed` or `cancelled`.
    pub ending: String,
    pub why: String,
    pub by: Person,
    pub at_ms: i64,
}

/// The way of a project so far.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Way {
    pub cycles: Vec<CycleView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CycleView {
    pub cycle: u32,
    pub trigger: Option<TriggerView>,
    pub steps: Vec<Step>,
}

/// A stay in a stage.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Step {
    pub stage: String,
    pub name: String,
    pub entered_ms: i64,
    /// None: it is still there.
    pub left_ms: Option<i64>,
    /// Who moved it here.
    pub by: Person,
    /// The project came back to an earlier stage.
    pub back: bool,
    pub why: Option<String>,
    /// What was missing when it moved here, as the lifecycle says it.
    pub waived: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TriggerCycle {
    pub project: String,
    /// `monitor`, `date`, `change` or `incident`.
    pub trigger: String,
    pub reason: String,
    #[serde(default)]
    pub evidence: Vec<SubjectRef>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EndProject {
    pub project: String,
    /// `completed` or `cancelled`; none: taken up again.
    #[serde(default)]
    #[ts(optional)]
    pub ending: Option<String>,
    pub reason: String,
}

pub fn way(host: &Host, request: ProjectRef) -> Result<Way, ApiError> {
    host.workspace()?.read(|r| {
        let project = r.require(Kind::Project, &request.project)?;
        let (template, _) = template_of(r, &project)?;
        let acl = r.acl()?;
        let mut cycles: Vec<CycleView> = Vec::new();
        for stay in stays(&project, &r.stage_moves(&project.id)?) {
            if cycles.last().is_none_or(|c| c.cycle != stay.cycle) {
                cycles.push(CycleView { cycle: stay.cycle, trigger: trigger_of(r, &project, stay.cycle)?, steps: Vec::new() });
            }
            let by = match &stay.from {
                Some(from) => person_at(&acl, from.op.device.as_str()),
                None => person_at(&acl, &project.device),
            };
            let waived = stay.from.iter().flat_map(|f| &f.waived).map(|id| asked(&template, id)).collect();
            let step = Step {
                stage: stay.stage.as_str().to_owned(),
                name: template.stage(stay.stage).map_or_else(|| stay.stage.as_str().to_owned(), |s| s.name.clone()),
                entered_ms: stay.entered_ms,
                left_ms: stay.left_ms,
                by,
                back: stay.back,
                why: stay.from.as_ref().and_then(|f| f.why.clone()),
                waived,
            };
            if let Some(last) = cycles.last_mut() {
                last.steps.push(step);
            }
        }
        Ok(Way { cycles })
    })
}

/// What a requirement asks for, in the words of the lifecycle; its id where the lifecycle has changed.
fn asked(template: &Lifecycle, id: &str) -> String {
    let all = template.stages.iter().flat_map(|s| &s.requirements);
    all.into_iter().find(|r| r.id == id).map_or_else(|| id.to_owned(), |r| r.text.clone())
}

/// A stay in a stage, as the moves have it.
pub(crate) struct Stay {
    pub stage: Stage,
    pub cycle: u32,
    pub entered_ms: i64,
    pub left_ms: Option<i64>,
    pub back: bool,
    pub from: Option<Move>,
}

/// The stays of a project, from its beginning; the last one has no end.
pub(crate) fn stays(project: &Record, moves: &[Move]) -> Vec<Stay> {
    let begin = Stay { stage: Stage::BusinessProblem, cycle: 1, entered_ms: project.at_ms, left_ms: None, back: false, from: None };
    let mut all = vec![begin];
    for step in moves {
        let back = all.last().is_some_and(|l| step.cycle == l.cycle && step.stage < l.stage);
        if let Some(last) = all.last_mut() {
            // Clocks of two computers may differ; a stay is never shorter than nothing.
            last.left_ms = Some(step.at_ms.max(last.entered_ms));
        }
        all.push(Stay { stage: step.stage, cycle: step.cycle, entered_ms: step.at_ms, left_ms: None, back, from: Some(step.clone()) });
    }
    all
}

pub(crate) fn trigger_of(r: &Reader<'_>, project: &Record, cycle: u32) -> Result<Option<TriggerView>, ApiError> {
    let Some(cell) = project.cell_of("trigger", &cycle.to_string()) else { return Ok(None) };
    let value: serde_json::Value = serde_json::from_str(&cell.value).unwrap_or_default();
    let subjects: Vec<Subject> = serde_json::from_value(value["evidence"].clone()).unwrap_or_default();
    let mut evidence = Vec::new();
    for subject in subjects {
        let title = title_of(r, &subject)?;
        evidence.push(EvidenceLink { kind: subject.kind.as_str().to_owned(), id: subject.id, title });
    }
    Ok(Some(TriggerView {
        trigger: value["trigger"].as_str().unwrap_or_default().to_owned(),
        why: r.why(&cell.op())?.unwrap_or_default(),
        evidence,
        by: person_at(&*r.acl()?, cell.device()),
        at_ms: cell.at_ms,
    }))
}

pub(crate) fn ended_of(r: &Reader<'_>, project: &Record) -> Result<Option<Ended>, ApiError> {
    let Some(cell) = project.cell("ended") else { return Ok(None) };
    Ok(Some(Ended {
        ending: cell.value.clone(),
        why: r.why(&cell.op())?.unwrap_or_default(),
        by: person_at(&*r.acl()?, cell.device()),
        at_ms: cell.at_ms,
    }))
}

/// Records what makes the next cycle begin.
pub fn trigger(host: &Host, request: TriggerCycle) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    let project = ProjectId::parse(request.project.clone())?;
    let trigger = Trigger::parse(&request.trigger).ok_or_else(|| ApiError::invalid("A trigger is monitor, date, change or incident"))?;
    let reason = said(&request.reason, "Say what happened")?;
    let evidence = request.evidence.iter().map(SubjectRef::parse).collect::<Result<Vec<_>, _>>()?;
    workspace.write(|w| {
        let record = w.require(Kind::Project, project.as_str())?;
        for subject in &evidence {
            w.require(subject.kind, &subject.id)?;
        }
        let (_, cycle) = stage_of(&record);
        w.append_why(Op::ProjectTriggered { project, cycle: cycle + 1, trigger, evidence }, Some(reason)).map_err(ApiError::from)
    })?;
    projects::get(host, ProjectRef { project: request.project })
}

/// Ends a project, or takes it up again; nothing of it is lost either way.
pub fn end(host: &Host, request: EndProject) -> Result<Project, ApiError> {
    let workspace = host.workspace()?;
    let project = ProjectId::parse(request.project.clone())?;
    let reason = said(&request.reason, "Say why")?;
    let ending = request
        .ending
        .as_deref()
        .map(|e| Ending::parse(e).ok_or_else(|| ApiError::invalid("A project ends as completed or cancelled")))
        .transpose()?;
    workspace.write(|w| {
        let record = w.require(Kind::Project, project.as_str())?;
        let op = match (ending, record.get("ended")) {
            (Some(_), Some(_)) => return Err(ApiError::conflict("This project has ended already")),
            (None, None) => return Err(ApiError::conflict("This project goes on")),
            (Some(ending), None) => Op::ProjectEnded { project, ending },
            (None, Some(_)) => Op::ProjectResumed { project },
        };
        w.append_why(op, Some(reason)).map_err(ApiError::from)
    })?;
    projects::get(host, ProjectRef { project: request.project })
}

fn said<'t>(text: &'t str, what: &str) -> Result<&'t str, ApiError> {
    let text = text.trim();
    if text.is_empty() { Err(ApiError::invalid(what).hint("A sentence is enough; it stays in the history.")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::id::OpId;

    #[test]
    fn stays_are_counted_from_the_moves_and_going_back_is_told() {
        let project =
            Record { id: "p".into(), parent: None, at_ms: 100, device: "a".repeat(26), cells: cairn_store::cells::Cells::default() };
        let step = |stage, cycle, at_ms| Move {
            project: "p".into(),
            op: OpId::parse(format!("{}.1", "a".repeat(26))).unwrap(),
            stage,
            cycle,
            waived: Vec::new(),
            why: None,
            at_ms,
        };
        let moves =
            [step(Stage::Data, 1, 300), step(Stage::Training, 1, 250), step(Stage::Data, 1, 400), step(Stage::BusinessProblem, 2, 900)];
        let found: Vec<_> = stays(&project, &moves).into_iter().map(|s| (s.stage, s.cycle, s.entered_ms, s.left_ms, s.back)).collect();
        assert_eq!(
            found,
            [
                (Stage::BusinessProblem, 1, 100, Some(300), false),
                (Stage::Data, 1, 300, Some(300), false),
                (Stage::Training, 1, 250, Some(400), false),
                (Stage::Data, 1, 400, Some(900), true),
                (Stage::BusinessProblem, 2, 900, None, false),
            ]
        );
    }
}
