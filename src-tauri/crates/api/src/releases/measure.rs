//! What was measured of a version, as its signers are shown it, and what runs and monitors reported since.

use super::case::Gathering;
use crate::checks::Looker;
use crate::checks::acceptance::{Reached, list_of};
use crate::{ApiError, monitors, templates};
use cairn_core::criterion::{Criterion, Verdict};
use cairn_core::decision::{Challenged, Concern, Frozen, Measured, Said, Standing};
use cairn_core::id::{CriteriaId, MonitorId, RunId};
use cairn_core::op::{Kind, Num, Op, Ruling, Subject};
use cairn_store::Reader;
use cairn_store::records::Record;

/// A frozen criterion with what the version reaches of it now.
pub(crate) struct Outcome {
    pub criterion: Criterion,
    pub reached: Reached,
    pub measured: Measured,
}

/// What the version reaches now of each criterion that a request froze; nothing where the lifecycle is not known here.
pub(crate) fn results(r: &Reader<'_>, record: &Record, version: &Record, frozen: &Frozen) -> Result<Vec<Outcome>, ApiError> {
    let mut out = Vec::new();
    if frozen.criteria.is_empty() {
        return Ok(out);
    }
    let project = r.require(Kind::Project, record.parent.as_deref().unwrap_or_default())?;
    let Some(lifecycle) = templates::lifecycle(r, &frozen.lifecycle)? else { return Ok(out) };
    let looker = Looker::of_version(r, &project, frozen.cycle, lifecycle, version.clone());
    for set in &frozen.criteria {
        let id = CriteriaId::parse(set.name.strip_prefix("criteria/").unwrap_or(&set.name))?;
        let list = list_of(&r.require(Kind::Criteria, id.as_str())?);
        for (place, (criterion, reached)) in list.clone().into_iter().zip(looker.reached(&list)?).enumerate() {
            let measured = Measured {
                criteria: id.clone(),
                place: u32::try_from(place).map_err(|e| ApiError::new("internal", e.to_string()))?,
                verdict: reached.verdict,
                value: reached.value.map(Num),
                low: reached.low.map(Num),
                high: reached.high.map(Num),
                run: reached.run.clone().map(RunId::parse).transpose()?,
            };
            out.push(Outcome { criterion, reached, measured });
        }
    }
    Ok(out)
}

/// What would make a run say something else of a version.
const REPORTS: [&str; 5] = ["run.created", "run.tagged", "run.metric_summarised", "run.metrics_summarised", "run.inputs_logged"];

/// What runs and monitors say against what the approvals that count say.
pub(super) fn concerns(
    g: &mut Gathering<'_, '_>,
    record: &Record,
    version: &Record,
    standing: &Standing,
) -> Result<Vec<Concern>, ApiError> {
    let mut out = alarms(g, record)?;
    let Some(frozen) = &standing.frozen else { return Ok(out) };
    let yes: Vec<_> = standing.signed.iter().filter(|s| s.ruling == Ruling::Approved && s.discounted.is_none()).collect();
    if yes.is_empty() {
        return Ok(out);
    }
    for now in results(g.r, record, version, frozen)? {
        let m = &now.measured;
        let passed = |s: &Measured| s.criteria == m.criteria && s.place == m.place && s.verdict == Some(Verdict::Passed);
        let Some(run) = m.run.clone().filter(|_| m.verdict != Some(Verdict::Passed)) else { continue };
        if yes.iter().any(|s| s.measured.iter().any(passed)) {
            let said = g.reports(Kind::Run, run.as_str(), &REPORTS)?;
            let what = Challenged::Evaluation { run, criteria: m.criteria.clone(), place: m.place, verdict: m.verdict };
            out.push(Concern { what, said });
        }
    }
    Ok(out)
}

/// The project's monitors that are beyond their thresholds.
fn alarms(g: &mut Gathering<'_, '_>, record: &Record) -> Result<Vec<Concern>, ApiError> {
    let mut out = Vec::new();
    for monitor in g.r.records(Kind::Monitor, record.parent.as_deref())? {
        let Some(plan) = monitors::plan_of(&monitor).filter(|p| !monitor.deleted() && monitors::beyond(p, &monitor).is_some()) else {
            continue;
        };
        let beyond = |s: &Said| matches!(&s.op, Op::MonitorReported { value, .. } if !monitors::is_well(&plan, value.0));
        let mut said = g.reports(Kind::Monitor, &monitor.id, &["monitor.reported"])?;
        said.retain(beyond);
        out.push(Concern { what: Challenged::Alarm(MonitorId::parse(monitor.id)?), said });
    }
    Ok(out)
}

/// A set of criteria as its words, for sentences about one of them.
pub(crate) fn words_of(r: &Reader<'_>, criteria: &CriteriaId, place: u32) -> Result<String, ApiError> {
    let set = r.record(Kind::Criteria, criteria.as_str())?;
    let list = set.as_ref().map(list_of).unwrap_or_default();
    Ok(list.get(place as usize).map_or_else(|| "a criterion that cannot be read here".to_owned(), Criterion::words))
}

impl Gathering<'_, '_> {
    /// Operations about a record, which are also among those that sentences are made of.
    fn reports(&mut self, kind: Kind, id: &str, types: &[&str]) -> Result<Vec<Said>, ApiError> {
        let found = self.r.said_about(&self.orders, &Subject { kind, id: id.to_owned() }, types)?;
        self.said.extend(found.iter().cloned());
        Ok(found)
    }
}
