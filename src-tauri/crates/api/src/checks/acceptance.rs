//! Acceptance criteria as gates see them: who signed, whether before anybody looked at the test data, and what the newest
//! model version reaches.

use super::{Found, Looker, TESTING, count, uses};
use crate::ApiError;
use crate::people::person_at;
use crate::tracking::runs::Run;
use cairn_core::criterion::{self, Criterion, Verdict, key};
use cairn_core::id::OpId;
use cairn_core::lifecycle::Check;
use cairn_core::op::{Kind, Num};
use cairn_core::role::Role;
use cairn_stats::compare::wilson;
use cairn_store::order::{Intake, Order, Orders};
use cairn_store::records::Record;
use std::collections::{BTreeMap, BTreeSet};

/// Shares of cases: with how many cases there were, their interval follows.
const SHARES: [&str; 13] =
    ["accuracy", "acc", "recall", "sensitivity", "specificity", "precision", "npv", "tpr", "tnr", "fpr", "fnr", "error_rate", "coverage"];

/// A signature over a set that stands over exactly what the set says.
pub(crate) struct Signed {
    pub record: Record,
    pub role: Role,
    pub member: String,
    pub claimed_at: String,
    pub op: OpId,
    /// Over what the set says, not over something else.
    pub fits: bool,
}

/// What the history proves of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Unsigned,
    /// Signed, and no run has looked at the test data yet.
    Untested,
    Before,
    After,
    Unproven,
}

impl Proof {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Untested => "untested",
            Self::Before => "before",
            Self::After => "after",
            Self::Unproven => "unproven",
        }
    }
}

pub(crate) struct Proven {
    pub proof: Proof,
    pub said: String,
    pub runs: Vec<String>,
}

/// What a criterion comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reached {
    pub verdict: Option<Verdict>,
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub count: Option<f64>,
    pub run: Option<String>,
    /// Where the interval comes from, or why there is none.
    pub said: String,
}

pub(crate) fn list_of(set: &Record) -> Vec<Criterion> {
    serde_json::from_value(set.json("list")).unwrap_or_default()
}

pub(crate) fn cycle_of(set: &Record) -> u32 {
    set.int("cycle").and_then(|c| u32::try_from(c).ok()).unwrap_or(1)
}

/// What a signature over a set binds to.
pub(crate) fn digest_of(set: &Record) -> String {
    criterion::digest(set.parent.as_deref().unwrap_or_default(), cycle_of(set), &list_of(set)).to_string()
}

impl Looker<'_, '_> {
    /// The sets of this cycle that no other replaces; more than one: two people wrote one each.
    pub(crate) fn standing(&self) -> Result<Vec<Record>, ApiError> {
        let all = self.r.records(Kind::Criteria, Some(&self.project.id))?;
        let replaced: BTreeSet<String> =
            all.iter().flat_map(|s| serde_json::from_value::<Vec<String>>(s.json("replaces")).unwrap_or_default()).collect();
        Ok(all.into_iter().filter(|s| cycle_of(s) == self.cycle && !replaced.contains(&s.id)).collect())
    }

    pub(crate) fn signatures(&self, set: &Record) -> Result<Vec<Signed>, ApiError> {
        let acl = self.r.acl()?;
        let mut out = Vec::new();
        for record in self.r.records(Kind::Signoff, Some(&set.id))? {
            let Ok(says) = criterion::read(&record.text("statement")) else { continue };
            let person = person_at(&acl, &record.device);
            let Some(op) = self.r.creation_of(Kind::Signoff.as_str(), &record.id)? else { continue };
            let fits = says.sha256 == digest_of(set) && says.criteria == set.id;
            out.push(Signed { role: says.role, member: person.id, claimed_at: says.claimed_at, op, fits, record });
        }
        Ok(out)
    }

    /// The operation that began this cycle; none for the first.
    pub(super) fn cycle_began(&self) -> Result<Option<OpId>, ApiError> {
        if self.cycle < 2 {
            return Ok(None);
        }
        Ok(self.r.stage_moves(&self.project.id)?.into_iter().filter(|m| m.cycle == self.cycle).map(|m| m.op).next())
    }

    /// The runs anywhere in the workspace that took this data to test on.
    fn intakes(&self, digest: &str) -> Result<Vec<Intake>, ApiError> {
        self.wide.set(true);
        Ok(self.r.intakes(digest, &TESTING)?)
    }

    /// Whether a set was signed before anybody looked at its test data.
    pub(crate) fn proof(&self, set: &Record, signed: &[Signed]) -> Result<Proven, ApiError> {
        let orders = Orders::new(self.r);
        let digests: BTreeSet<String> = list_of(set).into_iter().map(|c| c.digest).collect();
        let mut looked: Vec<Intake> = Vec::new();
        for digest in &digests {
            looked.extend(self.intakes(digest)?);
        }
        let mut earlier = 0;
        if let Some(began) = self.cycle_began()? {
            let all = std::mem::take(&mut looked);
            for intake in all {
                if orders.of(&intake.op, &began)? == Order::Before { earlier += 1 } else { looked.push(intake) }
            }
        }
        let mut note = String::new();
        if earlier > 0 {
            note = format!(" In earlier cycles the same data was looked at {}.", times(earlier));
        }
        let signed: Vec<&Signed> = signed.iter().filter(|s| s.fits).collect();
        let names = |all: &[&Intake]| all.iter().map(|i| i.run.clone()).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        if signed.is_empty() {
            let said = if looked.is_empty() {
                format!("Nobody has signed them yet.{note}")
            } else {
                format!(
                    "Nobody has signed them, and {} looked at the test data already.{note}",
                    count(names(&looked.iter().collect::<Vec<_>>()).len(), "run")
                )
            };
            return Ok(Proven { proof: Proof::Unsigned, said, runs: names(&looked.iter().collect::<Vec<_>>()) });
        }
        // Of each role that must sign its earliest signature counts: one more that comes late spoils nothing.
        let required = self.required_roles();
        let roles: BTreeSet<Role> = signed.iter().map(|s| s.role).filter(|r| required.is_empty() || required.contains(r)).collect();
        let roles = if roles.is_empty() { signed.iter().map(|s| s.role).collect() } else { roles };
        let (mut after, mut apart) = (Vec::new(), Vec::new());
        for intake in &looked {
            let mut worst = Order::Before;
            for role in &roles {
                let of_role = signed.iter().filter(|s| s.role == *role);
                let orders = of_role.map(|s| orders.of(&s.op, &intake.op)).collect::<Result<Vec<_>, _>>()?;
                let best = [Order::Before, Order::Apart].into_iter().find(|o| orders.contains(o)).unwrap_or(Order::After);
                if best == Order::After || worst == Order::Before {
                    worst = best;
                }
            }
            match worst {
                Order::After => after.push(intake),
                Order::Apart => apart.push(intake),
                Order::Before => {}
            }
        }
        let all = names(&looked.iter().collect::<Vec<_>>());
        Ok(if looked.is_empty() {
            Proven { proof: Proof::Untested, said: format!("Signed, and no run has looked at the test data yet.{note}"), runs: all }
        } else if !after.is_empty() {
            let runs = names(&after);
            let said = format!("Signed after {} had looked at the test data. This mark stays.{note}", count(runs.len(), "run"));
            Proven { proof: Proof::After, said, runs }
        } else if !apart.is_empty() {
            let runs = names(&apart);
            let said = format!(
                "Not proven: {} looked at the test data on a computer that did not know of the signature.{note}",
                count(runs.len(), "run")
            );
            Proven { proof: Proof::Unproven, said, runs }
        } else {
            let said = format!("Signed before anybody looked: {} saw the test data, all of them later.{note}", count(all.len(), "run"));
            Proven { proof: Proof::Before, said, runs: all }
        })
    }

    /// The roles whose signature the lifecycle asks for.
    fn required_roles(&self) -> BTreeSet<Role> {
        let items = self.template.checklists.iter().flat_map(|c| &c.items).filter_map(|i| i.check.as_ref());
        let requirements = self.template.stages.iter().flat_map(|s| &s.requirements).map(|q| &q.check);
        let by = |check: &Check| if let Check::CriteriaSigned { by } = check { by.clone() } else { Vec::new() };
        items.chain(requirements).flat_map(by).collect()
    }

    /// The one set that stands, or why there is none.
    fn the_set(&self) -> Result<Result<Record, Found>, ApiError> {
        let mut all = self.standing()?;
        Ok(match (all.pop(), all.len()) {
            (None, _) => Err(Found::new(false, "No acceptance criteria are written for this cycle.")),
            (Some(set), 0) => Ok(set),
            (Some(last), more) => {
                Err(Found::new(false, format!("{} sets of criteria stand beside each other; write one that replaces them.", more + 1))
                    .with(Kind::Criteria, all.iter().map(|s| s.id.clone()).chain([last.id])))
            }
        })
    }

    pub(super) fn criteria_signed(&self, by: &[Role]) -> Result<Found, ApiError> {
        let set = match self.the_set()? {
            Ok(set) => set,
            Err(found) => return Ok(found),
        };
        let signed = self.signatures(&set)?;
        let good: Vec<&Signed> = signed.iter().filter(|s| s.fits).collect();
        // A person counts for one role: two signatures of one person are one opinion.
        let missing = unfilled(by, &good);
        let evidence = |found: Found| found.with(Kind::Criteria, [set.id.as_str()]);
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|r| r.label().to_lowercase()).collect();
            return Ok(evidence(Found::new(false, format!("The signature of {} is missing.", names.join(" and of ")))));
        }
        let proven = self.proof(&set, &signed)?;
        Ok(evidence(Found::new(true, proven.said)))
    }

    pub(super) fn criteria_before_test(&self) -> Result<Found, ApiError> {
        let set = match self.the_set()? {
            Ok(set) => set,
            Err(found) => return Ok(found),
        };
        let proven = self.proof(&set, &self.signatures(&set)?)?;
        let met = proven.proof == Proof::Before;
        Ok(Found::new(met, proven.said).with(Kind::Criteria, [set.id]).with(Kind::Run, proven.runs))
    }

    pub(super) fn criteria_met(&self) -> Result<Found, ApiError> {
        let set = match self.the_set()? {
            Ok(set) => set,
            Err(found) => return Ok(found),
        };
        let list = list_of(&set);
        if list.is_empty() || list.iter().any(|c| c.wrong().is_some()) {
            return Ok(Found::new(false, "These criteria cannot be judged; write them anew.").with(Kind::Criteria, [set.id]));
        }
        let reached = self.reached(&list)?;
        let mut said = Vec::new();
        let mut met = true;
        for (criterion, found) in list.iter().zip(&reached) {
            if found.verdict != Some(Verdict::Passed) {
                met = false;
                let word = found.verdict.map_or("not evaluated", Verdict::as_str);
                said.push(format!("{}: {word}. {}", criterion.words(), found.said));
            }
        }
        let said = if met {
            format!("All {} hold, by their intervals.", count(list.len(), "criterion").replace("criterions", "criteria"))
        } else {
            said.join(" ")
        };
        let runs: BTreeSet<String> = reached.into_iter().filter_map(|f| f.run).collect();
        Ok(Found::new(met, said).with(Kind::Criteria, [set.id]).with(Kind::Run, runs))
    }

    /// What the newest model version reaches of each criterion.
    pub(crate) fn reached(&self, list: &[Criterion]) -> Result<Vec<Reached>, ApiError> {
        let runs = self.evaluations()?;
        let mut values: Vec<(&Run, BTreeMap<String, f64>)> = Vec::new();
        for run in runs.iter().take(super::MEASURED) {
            values.push((run, self.r.summaries(&run.id)?.into_iter().map(|m| (m.key, m.last.value)).collect()));
        }
        // What was measured before this cycle began was known when its criteria were written.
        if let Some(began) = self.cycle_began()? {
            let orders = Orders::new(self.r);
            let mut now = BTreeSet::new();
            for digest in list.iter().map(|c| &c.digest).collect::<BTreeSet<_>>() {
                for intake in self.intakes(digest)? {
                    if orders.of(&intake.op, &began)? != Order::Before {
                        now.insert(intake.run);
                    }
                }
            }
            values.retain(|(run, _)| now.contains(&run.id));
        }
        Ok(list.iter().map(|c| reach(c, &values, self.versions().is_ok_and(|v| !v.is_empty()))).collect())
    }

    pub(super) fn slices_reported(&self) -> Result<Found, ApiError> {
        let runs = self.evaluations()?;
        if self.versions()?.is_empty() {
            return Ok(Found::new(false, "There is no model version yet."));
        }
        let (mut slices, mut both, mut small) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut counted, mut uncounted) = (BTreeSet::new(), BTreeSet::new());
        let mut seen = Vec::new();
        for run in runs.iter().take(super::MEASURED) {
            let values: BTreeMap<String, f64> = self.r.summaries(&run.id)?.into_iter().map(|m| (m.key, m.last.value)).collect();
            for (metric, slice) in values.keys().filter_map(|k| split(k)) {
                if is_part(metric) {
                    continue;
                }
                if seen.last() != Some(&run.id) {
                    seen.push(run.id.clone());
                }
                slices.insert(slice.to_owned());
                if slice.contains('/') {
                    both.insert(slice.to_owned());
                }
                match count_of(metric, slice, &values) {
                    Some(n) => {
                        counted.insert(slice.to_owned());
                        if n < 30.0 {
                            small.insert(slice.to_owned());
                        }
                    }
                    None => drop(uncounted.insert(slice.to_owned())),
                }
            }
        }
        // What one run did not count another may have.
        uncounted.retain(|slice| !counted.contains(slice));
        let mut said = format!("{} and {} of them", count(slices.len() - both.len(), "group"), count(both.len(), "overlap"));
        if !small.is_empty() {
            said.push_str(&format!("; fewer than 30 cases in {}", some(&small)));
        }
        let (met, said) = if slices.is_empty() {
            (
                false,
                "No metric of a group was logged for the newest version. Log them as metric/column:value, such as recall/age:old."
                    .to_owned(),
            )
        } else if !uncounted.is_empty() {
            (false, format!("{said}. It is not known how many cases there are in {}: log metric_n/column:value too.", some(&uncounted)))
        } else if both.is_empty() && slices.len() > 1 {
            (false, format!("{said}. No overlap of groups was looked at, such as recall/age:old/sex:f."))
        } else {
            (true, format!("{said}."))
        };
        Ok(Found::new(met, said).with(Kind::Run, seen))
    }

    /// Compared with what is done today: the version in production, or runs tagged `benchmark`, on the same data.
    pub(super) fn benchmark_compared(&self) -> Result<Found, ApiError> {
        let own = self.evaluations()?;
        if own.is_empty() {
            return Ok(Found::new(false, "There is no model version with a run yet."));
        }
        let tested = |r: &Run| -> BTreeSet<String> {
            uses(r).into_iter().filter(|u| TESTING.contains(&&*u.purpose) && !u.digest.is_empty()).map(|u| u.digest).collect()
        };
        let newest = self.versions()?.last().map(|v| v.text("run")).unwrap_or_default();
        let live: BTreeSet<String> = self
            .production()?
            .iter()
            .filter_map(|d| self.r.record(Kind::ModelVersion, &d.text("version")).ok().flatten())
            .map(|v| v.text("run"))
            .filter(|r| !r.is_empty() && *r != newest)
            .collect();
        let is_other = |r: &&&Run| {
            live.contains(&r.id) || r.tags.get("benchmark").is_some_and(|v| !v.trim().is_empty() && !v.eq_ignore_ascii_case("false"))
        };
        let others: Vec<&Run> = self.finished()?.iter().filter(is_other).copied().collect();
        for mine in own.iter().take(super::MEASURED) {
            let (data, names) = (tested(mine), self.measured(mine)?);
            for other in others.iter().filter(|o| o.id != mine.id && !tested(o).is_disjoint(&data)).take(super::MEASURED) {
                if let Some(metric) = self.measured(other)?.intersection(&names).next() {
                    return Ok(Found::new(true, format!("{} measured {metric} on the same data.", other.name()))
                        .with(Kind::Run, [&*mine.id, &*other.id]));
                }
            }
        }
        let said = if others.is_empty() {
            "Nothing to compare with: tag a run of today's way with benchmark, or record what runs in production."
        } else {
            "The benchmark and the newest version have no metric on the same test data."
        };
        Ok(Found::new(false, said).with(Kind::Run, others.iter().map(|r| &*r.id)))
    }

    fn measured(&self, run: &Run) -> Result<BTreeSet<String>, ApiError> {
        Ok(self.r.summaries(&run.id)?.into_iter().map(|m| m.key).collect())
    }
}

/// The roles for which no person is left, each person counting for one.
fn unfilled(by: &[Role], signed: &[&Signed]) -> Vec<Role> {
    fn fill(by: &[Role], signed: &[&Signed], taken: &mut Vec<String>) -> usize {
        let Some((role, rest)) = by.split_first() else { return 0 };
        let mut best = fill(rest, signed, taken);
        for s in signed.iter().filter(|s| s.role == *role) {
            if !taken.contains(&s.member) {
                taken.push(s.member.clone());
                best = best.max(1 + fill(rest, signed, taken));
                taken.pop();
            }
        }
        best
    }
    let best = fill(by, signed, &mut Vec::new());
    if best == by.len() {
        return Vec::new();
    }
    // Those that nobody signed for; where each is signed for, somebody signed for two.
    let nobody: Vec<Role> = by.iter().copied().filter(|r| signed.iter().all(|s| s.role != *r)).collect();
    if nobody.is_empty() { by[best..].to_vec() } else { nobody }
}

fn times(n: usize) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

fn some(all: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = all.iter().take(4).map(String::as_str).collect();
    let more = if all.len() > 4 { format!(" and {} more", all.len() - 4) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// `recall/age:old` → metric and slice; none for a metric of all, or one whose name has a slash for other reasons.
fn split(key: &str) -> Option<(&str, &str)> {
    let (metric, slice) = key.split_once('/')?;
    slice.split('/').all(|p| p.split_once(':').is_some_and(|(c, v)| !c.is_empty() && !v.is_empty())).then_some((metric, slice))
}

const LOWER: [&str; 3] = ["_lower", "_ci_low", "_low"];
const UPPER: [&str; 3] = ["_upper", "_ci_high", "_high"];

/// Whether it is a bound or a count of another metric.
fn is_part(metric: &str) -> bool {
    LOWER.iter().chain(&UPPER).chain(&["_n"]).any(|e| metric.ends_with(e)) || metric == "n"
}

/// How many cases a value stands for: `recall_n/age:old`, of a share of all cases also `n/age:old`.
fn count_of(metric: &str, slice: &str, values: &BTreeMap<String, f64>) -> Option<f64> {
    let own = values.get(&key(&format!("{metric}_n"), slice));
    let of_all = || ["accuracy", "acc", "error_rate", "coverage"].contains(&metric).then(|| values.get(&key("n", slice))).flatten();
    own.or_else(of_all).or_else(|| values.get(&key("n", slice))).copied().filter(|n| *n >= 0.0)
}

fn reach(criterion: &Criterion, runs: &[(&Run, BTreeMap<String, f64>)], versioned: bool) -> Reached {
    let name = criterion.key();
    let on_data = |run: &Run| uses(run).iter().any(|u| TESTING.contains(&&*u.purpose) && u.digest == criterion.digest);
    let Some((run, values)) = runs.iter().find(|(run, values)| values.contains_key(&name) && on_data(run)) else {
        let said = if !versioned {
            "There is no model version yet.".to_owned()
        } else if runs.iter().any(|(_, v)| v.contains_key(&name)) {
            format!("{name} was measured, but not on this test data ({}).", criterion.digest)
        } else {
            format!("No run of the newest version measured {name}.")
        };
        return Reached { said, ..Reached::default() };
    };
    let value = values[&name];
    let bound = |ends: &[&str]| ends.iter().find_map(|e| values.get(&key(&format!("{}{e}", criterion.metric), &criterion.slice))).copied();
    // By its whole name: a mean of shares, such as balanced accuracy or average precision, is no share of cases.
    let short = ["val_", "test_", "eval_"].iter().find_map(|p| criterion.metric.strip_prefix(p)).unwrap_or(&criterion.metric);
    let is_share = SHARES.contains(&short);
    let count = values.get(&key(&format!("{}_n", criterion.metric), &criterion.slice)).copied().or_else(|| {
        // Of all cases only a share of all cases is one.
        matches!(short, "accuracy" | "acc" | "error_rate" | "coverage").then(|| values.get(&key("n", &criterion.slice)).copied()).flatten()
    });
    let mut out = Reached { value: Some(value), count, run: Some(run.id.clone()), ..Reached::default() };
    let logged = bound(&LOWER).zip(bound(&UPPER)).filter(|(l, h)| l <= h);
    // What was logged says at which confidence, or is taken for the usual 95 %.
    let level = values.get(&key(&format!("{}_level", criterion.metric), &criterion.slice)).copied().unwrap_or(0.95);
    if logged.is_some() && level + 1e-9 < criterion.level.0 {
        out.said = format!(
            "The interval that was logged has {} % confidence, and {} % are asked for: log {}_level with it.",
            level * 100.0,
            criterion.level.0 * 100.0,
            criterion.metric
        );
        return out;
    }
    if logged.is_some_and(|(l, h)| !(l..=h).contains(&value)) {
        out.said = "The value does not lie in the interval that was logged.".to_owned();
        return out;
    }
    let (low, high) = match (logged, count) {
        (Some(both), Some(n)) => {
            out.said = format!("The interval was logged, over {} cases.", String::from(Num(n)));
            both
        }
        (Some(_), None) => {
            out.said = format!("An interval was logged, but not over how many cases: log {}_n too.", criterion.metric);
            return out;
        }
        (None, Some(n)) if is_share && (0.0..=1.0).contains(&value) => match wilson((value * n).round(), n, criterion.level.0) {
            Some(both) => {
                out.said = format!("Wilson's interval over {} cases.", String::from(Num(n)));
                both
            }
            None => {
                out.said = "There are no cases.".to_owned();
                return out;
            }
        },
        (None, _) => {
            out.said = format!(
                "There is no interval: log {0}_lower and {0}_upper with {0}_n{1}.",
                criterion.metric,
                if is_share { ", or the count alone" } else { "" }
            );
            return out;
        }
    };
    (out.low, out.high) = (Some(low), Some(high));
    out.verdict = Some(criterion.judge(low, high));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::criterion::Comparator;
    use cairn_store::cells::Cells;

    fn criterion(metric: &str, slice: &str, threshold: f64) -> Criterion {
        Criterion {
            metric: metric.into(),
            slice: slice.into(),
            comparator: Comparator::AtLeast,
            threshold: Num(threshold),
            level: Num(0.95),
            data: "test".into(),
            digest: "d2".into(),
        }
    }

    fn run(digest: &str) -> Run {
        let input = serde_json::json!({ "dataset": { "name": "test", "digest": digest }, "tags": [{ "key": "mlflow.data.context", "value": "test" }] });
        Run { id: "r1".into(), inputs: vec![input], ..Run::default() }
    }

    fn one(c: &Criterion, digest: &str, values: &[(&str, f64)]) -> Reached {
        let run = run(digest);
        reach(c, &[(&run, values.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect())], true)
    }

    #[test]
    fn a_person_counts_for_one_role_however_many_they_sign_in() {
        let signed = |role, member: &str| Signed {
            record: Record { id: "s".into(), parent: None, at_ms: 0, device: String::new(), cells: Cells::default() },
            role,
            member: member.to_owned(),
            claimed_at: String::new(),
            op: OpId::parse(format!("{}.1", "a".repeat(26))).unwrap(),
            fits: true,
        };
        let by = [Role::BusinessOwner, Role::Validator];
        let one = [signed(Role::BusinessOwner, "ana"), signed(Role::Validator, "ana")];
        assert_eq!(unfilled(&by, &one.iter().collect::<Vec<_>>()).len(), 1, "two signatures of one person are one opinion");
        let two = [signed(Role::BusinessOwner, "ana"), signed(Role::Validator, "ana"), signed(Role::Validator, "vera")];
        assert!(unfilled(&by, &two.iter().collect::<Vec<_>>()).is_empty());
        assert_eq!(unfilled(&by, &[&two[2]]), [Role::BusinessOwner]);
    }

    #[test]
    fn a_share_with_its_count_has_an_interval_and_a_number_alone_has_none() {
        let c = criterion("recall", "", 0.7);
        let found = one(&c, "d2", &[("recall", 0.77), ("recall_n", 200.0)]);
        assert_eq!(found.verdict, Some(Verdict::Passed));
        assert!((found.low.unwrap() - 0.706_916_956_3).abs() < 1e-9);
        assert_eq!(one(&c, "d2", &[("recall", 0.77), ("recall_n", 50.0)]).verdict, Some(Verdict::Inconclusive), "few cases prove little");
        assert_eq!(one(&c, "d2", &[("recall", 0.99)]).verdict, None, "a point is no proof");
        assert_eq!(one(&c, "d2", &[("recall", 0.99), ("n", 1000.0)]).verdict, None, "of a thousand cases few may have been positive");
        assert_eq!(one(&c, "d9", &[("recall", 0.77), ("recall_n", 200.0)]).verdict, None, "other data");
        assert!(one(&c, "d9", &[("recall", 0.77)]).said.contains("not on this test data"));
    }

    #[test]
    fn a_logged_interval_counts_with_its_number_of_cases_and_a_slice_is_one_of_its_own() {
        let c = criterion("roc_auc", "age:old", 0.8);
        let all = [("roc_auc/age:old", 0.9), ("roc_auc_lower/age:old", 0.81), ("roc_auc_upper/age:old", 0.95), ("roc_auc_n/age:old", 60.0)];
        assert_eq!(one(&c, "d2", &all).verdict, Some(Verdict::Passed));
        assert_eq!(one(&c, "d2", &all[..3]).verdict, None, "criteria without a count are refused");
        assert_eq!(one(&c, "d2", &[("roc_auc", 0.9), ("roc_auc_lower", 0.81), ("roc_auc_upper", 0.95), ("roc_auc_n", 60.0)]).verdict, None);
        let mut sure = c.clone();
        sure.level = Num(0.99);
        assert_eq!(one(&sure, "d2", &all).verdict, None, "an interval of 95 % says nothing of 99 %");
        let with_level = [&all[..], &[("roc_auc_level/age:old", 0.99)]].concat();
        assert_eq!(one(&sure, "d2", &with_level).verdict, Some(Verdict::Passed));
        let outside = [("roc_auc/age:old", 0.5), all[1], all[2], all[3]];
        assert_eq!(one(&c, "d2", &outside).verdict, None, "a value outside of its interval");
        for mean in ["balanced_accuracy", "average_precision"] {
            let values = [(mean, 0.9), ("n", 1000.0), (&*format!("{mean}_n"), 1000.0)];
            assert_eq!(one(&criterion(mean, "", 0.5), "d2", &values).verdict, None, "{mean} is no share of cases");
        }
        assert_eq!(split("recall/age:old/sex:f"), Some(("recall", "age:old/sex:f")));
        assert_eq!((split("system/cpu"), split("recall")), (None, None));
    }
}
