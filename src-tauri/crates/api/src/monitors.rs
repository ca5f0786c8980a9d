//! What is watched in operation: from which value on who is told how, and the newest value that somebody or something reported.
//!
//! Cairn watches nothing by itself: a job in the pipeline, or a person, reports (`cairn call monitor.report`).

use crate::ApiError;
use crate::error::{body, title};
use crate::host::{Host, Workspace};
use crate::people::{PartyName, PartyRef, Person, known_party, party, person_at};
use crate::problem::number;
use crate::projects::{ProjectRef, Version, base_of, bases};
use cairn_core::criterion::Comparator;
use cairn_core::id::{MonitorId, ProjectId};
use cairn_core::op::{Kind, MonitorPlan, Num, Op, Watch};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

const DAY_MS: i64 = 86_400_000;
/// Days between two values, at most.
const EVERY_MAX: u32 = 366;
/// Characters of the place that a value comes from.
const SOURCE_MAX: usize = 200;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Monitor {
    pub id: String,
    pub project: String,
    /// `inputs`, `drift`, `staleness`, `numeric_stability`, `quality`, `dependencies`, `skew` or `performance`.
    pub watch: String,
    /// The same as people say it.
    pub watch_name: String,
    pub metric: String,
    /// `at_least` or `at_most`: how the value stands to the threshold while all is well.
    pub comparator: String,
    pub threshold: String,
    pub owner: PartyName,
    pub route: String,
    pub every_days: u32,
    pub reading: Option<Reading>,
    /// `silent` (no value yet), `overdue`, `alarm` or `good`.
    pub state: String,
    pub base: String,
    /// More than one: edits that did not know of each other.
    pub versions: Vec<Version>,
    /// For each of them what to save to keep it.
    pub choices: Vec<SaveMonitor>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Reading {
    pub value: String,
    /// When it was seen.
    pub at_ms: i64,
    pub source: String,
    pub by: Person,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveMonitor {
    /// None: a new one.
    #[serde(default)]
    #[ts(optional)]
    pub monitor: Option<String>,
    pub project: String,
    pub watch: String,
    pub metric: String,
    pub comparator: String,
    pub threshold: String,
    pub owner: PartyRef,
    pub route: String,
    pub every_days: u32,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReportValue {
    pub monitor: String,
    /// A number; `NaN` and `Infinity` are values, too.
    pub value: String,
    /// None: now.
    #[serde(default)]
    #[ts(optional)]
    pub at_ms: Option<i64>,
    /// Where it comes from, such as a job or a dashboard.
    #[serde(default)]
    pub source: String,
}

pub(crate) fn plan_of(monitor: &Record) -> Option<MonitorPlan> {
    serde_json::from_value(monitor.json("plan")).ok()
}

pub fn list(host: &Host, request: ProjectRef) -> Result<Vec<Monitor>, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| of_project(&workspace, r, &request.project))
}

fn of_project(workspace: &Workspace, r: &Reader<'_>, project: &str) -> Result<Vec<Monitor>, ApiError> {
    let all = r.records(Kind::Monitor, Some(project))?;
    let mut out: Vec<Monitor> =
        all.iter().filter(|m| !m.deleted()).filter_map(|m| view(workspace, r, m).transpose()).collect::<Result<_, ApiError>>()?;
    let place = |m: &Monitor| Watch::ALL.iter().position(|w| w.as_str() == m.watch);
    out.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.metric.cmp(&b.metric)));
    Ok(out)
}

/// None of one whose plan a later program wrote.
fn view(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Option<Monitor>, ApiError> {
    let Some(plan) = plan_of(record) else { return Ok(None) };
    let acl = r.acl()?;
    let me = workspace.me(r)?;
    let heads = r.heads(Kind::Monitor, &record.id, "plan", "")?;
    let base = base_of(&heads).unwrap_or_default();
    let several = heads.len() > 1;
    let versions: Vec<_> = heads.into_iter().filter(|_| several).collect();
    let choice = |value: &str| {
        let plan: MonitorPlan = serde_json::from_str(value).ok()?;
        let owner = party(&acl, me.as_ref(), &plan.owner);
        Some(SaveMonitor {
            monitor: Some(record.id.clone()),
            project: record.parent.clone().unwrap_or_default(),
            watch: plan.watch.as_str().to_owned(),
            metric: plan.metric.to_string(),
            comparator: word(plan.comparator).to_owned(),
            threshold: plan.threshold.into(),
            owner: PartyRef { kind: owner.kind, id: owner.id },
            route: plan.route.as_str().to_owned(),
            every_days: plan.every_days,
            base: Some(base.clone()),
        })
    };
    let choices = versions.iter().filter_map(|h| choice(&h.value)).collect();
    let in_words = |value: &str| {
        serde_json::from_str(value)
            .map_or_else(|_| value.to_owned(), |p: MonitorPlan| in_words(&p, &party(&acl, me.as_ref(), &p.owner).label))
    };
    let reading = record.cell("reading").and_then(|cell| {
        let value: serde_json::Value = serde_json::from_str(&cell.value).ok()?;
        Some(Reading {
            value: value["value"].as_str()?.to_owned(),
            at_ms: value["at_ms"].as_i64()?,
            source: value["source"].as_str().unwrap_or_default().to_owned(),
            by: person_at(&acl, cell.device()),
        })
    });
    let state = state(&plan, reading.as_ref(), workspace.edge.now_ms());
    Ok(Some(Monitor {
        id: record.id.clone(),
        project: record.parent.clone().unwrap_or_default(),
        watch: plan.watch.as_str().to_owned(),
        watch_name: plan.watch.words().to_owned(),
        comparator: word(plan.comparator).to_owned(),
        threshold: plan.threshold.into(),
        owner: party(&acl, me.as_ref(), &plan.owner),
        route: plan.route.as_str().to_owned(),
        every_days: plan.every_days,
        metric: plan.metric.to_string(),
        reading,
        state: state.to_owned(),
        base,
        choices,
        versions: versions
            .into_iter()
            .map(|h| Version { by: person_at(&acl, &h.device), value: in_words(&h.value), op: h.op, at_ms: h.at_ms })
            .collect(),
    }))
}

fn word(comparator: Comparator) -> &'static str {
    match comparator {
        Comparator::AtLeast => "at_least",
        Comparator::AtMost => "at_most",
    }
}

fn in_words(plan: &MonitorPlan, owner: &str) -> String {
    format!(
        "{} ({}): {} {}, every {} days, {owner} is told: {}",
        plan.metric,
        plan.watch.words(),
        plan.comparator.words(),
        String::from(plan.threshold),
        plan.every_days,
        plan.route.as_str()
    )
}

/// Whether a value is as the plan wants it; no number never is.
pub(crate) fn is_well(plan: &MonitorPlan, value: f64) -> bool {
    match plan.comparator {
        Comparator::AtLeast => value >= plan.threshold.0,
        Comparator::AtMost => value <= plan.threshold.0,
    }
}

fn read(value: &str) -> f64 {
    Num::try_from(value.to_owned()).map_or(f64::NAN, |n| n.0)
}

/// The newest value of a monitor, where it is not as it should be.
pub(crate) fn beyond(plan: &MonitorPlan, monitor: &Record) -> Option<String> {
    let reading = monitor.json("reading");
    let value = reading["value"].as_str()?;
    (!is_well(plan, read(value))).then(|| value.to_owned())
}

/// How a monitor stands. A value that is no number is never well.
fn state(plan: &MonitorPlan, reading: Option<&Reading>, now_ms: i64) -> &'static str {
    let Some(reading) = reading else { return "silent" };
    if !is_well(plan, read(&reading.value)) {
        "alarm"
    } else if now_ms.saturating_sub(reading.at_ms) > i64::from(plan.every_days).saturating_mul(DAY_MS) {
        "overdue"
    } else {
        "good"
    }
}

/// What was wrong with which of several numbers.
fn named(which: &str, mut error: ApiError) -> ApiError {
    error.message = format!("{which}: {}", error.message);
    error
}

pub fn save(host: &Host, request: SaveMonitor) -> Result<Vec<Monitor>, ApiError> {
    let workspace = host.workspace()?;
    let watch = Watch::parse(&request.watch).ok_or_else(|| {
        let known: Vec<&str> = Watch::ALL.iter().map(|w| w.as_str()).collect();
        ApiError::invalid(format!("\"{}\" is nothing that can be watched", request.watch)).hint(format!("Known are {}.", known.join(", ")))
    })?;
    let comparator =
        Comparator::parse(&request.comparator).ok_or_else(|| ApiError::invalid("A value is to be at least or at most something"))?;
    let threshold = number(&request.threshold).map_err(|e| named("The threshold", e))?;
    let route = body("How the owner is told", request.route.trim())?;
    if route.as_str().is_empty() {
        return Err(
            ApiError::invalid("Nobody would hear of an alarm").hint("Say how the owner is told: a channel, an address, a number to call.")
        );
    }
    if !(1..=EVERY_MAX).contains(&request.every_days) {
        return Err(ApiError::invalid(format!("A value is expected every 1 to {EVERY_MAX} days")));
    }
    let owner = request.owner.parse()?;
    let metric = title("What is measured", &request.metric)?;
    let plan = MonitorPlan { watch, metric, comparator, threshold: Num(threshold), owner, route, every_days: request.every_days };
    let project = ProjectId::parse(request.project)?;
    let monitor = MonitorId::parse(request.monitor.clone().unwrap_or_else(|| workspace.edge.new_id()))?;
    let base = bases(request.base.as_deref())?;
    workspace.write(|w| {
        known_party(&*w.acl()?, &plan.owner)?;
        w.require(Kind::Project, project.as_str())?;
        if request.monitor.is_some() {
            w.require(Kind::Monitor, monitor.as_str())?;
        }
        w.append(Op::MonitorPlanned { monitor, project: project.clone(), plan, base }).map_err(ApiError::from)
    })?;
    workspace.read(|r| of_project(&workspace, r, project.as_str()))
}

pub fn report(host: &Host, request: ReportValue) -> Result<Vec<Monitor>, ApiError> {
    let workspace = host.workspace()?;
    let monitor = MonitorId::parse(request.monitor)?;
    let value = match request.value.trim() {
        special @ ("NaN" | "Infinity" | "-Infinity") => Num::try_from(special.to_owned()).map_err(ApiError::invalid)?,
        text => Num(number(text).map_err(|e| named("The value", e))?),
    };
    if request.source.chars().count() > SOURCE_MAX {
        return Err(ApiError::invalid(format!("Where it comes from is said in up to {SOURCE_MAX} characters")));
    }
    let now = workspace.edge.now_ms();
    let at_ms = request.at_ms.unwrap_or(now);
    if at_ms < 0 {
        return Err(ApiError::invalid("A value was seen in 1970 or later").hint("The time is in milliseconds since then."));
    }
    if at_ms > now.saturating_add(DAY_MS) {
        return Err(ApiError::invalid("A value cannot have been seen in the future"));
    }
    let project = workspace.write(|w| {
        let record = w.require(Kind::Monitor, monitor.as_str())?;
        if record.deleted() {
            return Err(ApiError::conflict("This monitor was deleted"));
        }
        // What is newer stands: a job that catches up must not make last month the present.
        if record.json("reading")["at_ms"].as_i64().is_some_and(|known| known > at_ms) {
            return Err(ApiError::conflict("A newer value of this monitor is known")
                .hint("Only the newest value is kept; report what is seen now."));
        }
        w.append(Op::MonitorReported { monitor, value, at_ms, source: request.source.trim().to_owned() })?;
        Ok::<_, ApiError>(record.parent.unwrap_or_default())
    })?;
    workspace.read(|r| of_project(&workspace, r, &project))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::op::Party;
    use cairn_core::role::Role;
    use cairn_core::text::{Body, Title};

    #[test]
    fn a_value_beyond_its_threshold_or_no_number_is_an_alarm_and_an_old_one_is_overdue() {
        let plan = |comparator, threshold| MonitorPlan {
            watch: Watch::Quality,
            metric: Title::parse("recall").unwrap(),
            comparator,
            threshold: Num(threshold),
            owner: Party::Role(Role::MlEngineer),
            route: Body::parse("call".to_owned()).unwrap(),
            every_days: 7,
        };
        let nobody = Person { id: String::new(), name: String::new(), roles: Vec::new() };
        let read = |value: &str, at_ms| Reading { value: value.to_owned(), at_ms, source: String::new(), by: nobody.clone() };
        let least = plan(Comparator::AtLeast, 0.8);
        assert_eq!(state(&least, None, 0), "silent");
        assert_eq!(state(&least, Some(&read("0.8", 0)), 7 * DAY_MS), "good");
        assert_eq!(state(&least, Some(&read("0.8", 0)), 7 * DAY_MS + 1), "overdue");
        assert_eq!(state(&least, Some(&read("0.79", 0)), 0), "alarm");
        assert_eq!(state(&least, Some(&read("NaN", 0)), 0), "alarm", "what is no number is not well");
        assert_eq!(state(&plan(Comparator::AtMost, 0.2), Some(&read("Infinity", 0)), 0), "alarm");
        assert_eq!(state(&plan(Comparator::AtMost, 0.2), Some(&read("0.1", i64::MIN)), i64::MAX), "overdue", "any time overflows nothing");
    }
}
