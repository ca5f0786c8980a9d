//! Which risk class holds for a project: not the last word by some clock, but what follows from what its authors knew.
//!
//! Of statements that did not know of each other the strictest holds, until somebody settles it in knowledge of them; what
//! comes later from somebody who had not heard of the settlement is a proposal. A lower class than the one that held, once
//! there are data, takes a second person in another role. Nothing here may look at times: a fast clock would win.

use crate::authority::Adopted;
use crate::decision::{Said, made_before};
use crate::id::{OpId, ProjectId};
use crate::op::{Op, ProjectField, RiskClass};
use std::collections::BTreeSet;

/// What is known of a project's class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classed {
    /// None: nobody who may has stated one; such a project is judged by the strictest rule.
    pub class: Option<RiskClass>,
    /// The operations that the class rests on.
    pub by: Vec<OpId>,
    /// More than one class was stated by people who did not know of each other.
    pub contested: bool,
    /// What was said and does not hold: by somebody who may not, or a lower class that waits for a second person.
    pub proposals: Vec<Proposal>,
}

/// A class that somebody named and that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub id: OpId,
    pub class: RiskClass,
    pub why: Open,
}

/// Why a statement is a proposal only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Written with the general right to edit, under rules that ask for the right to state a class.
    NotEntitled,
    /// Lower than what held: somebody else in another role must agree.
    WaitsForSecond,
    /// Its author had not heard that it was settled.
    Settled,
}

/// A statement that has effect, under the name of the operation that gave it effect.
struct Stated<'a> {
    at: &'a Said,
    /// Whose knowledge it speaks from: an agreement lowers what the proposal knew of, and nothing that was raised since.
    basis: &'a Said,
    class: RiskClass,
}

/// The class of a project, by those of `said` that `seen` admits. `data` says, for a statement and another operation,
/// whether the other means that data exist.
pub fn class_of(
    project: &ProjectId,
    said: &[Said],
    adopted: &[Adopted],
    seen: &dyn Fn(&Said) -> bool,
    data: &dyn Fn(&Said, &Said) -> bool,
) -> Classed {
    let mut about: Vec<&Said> = said.iter().filter(|s| seen(s)).filter(|s| names(&s.op, project)).collect();
    // Along causality: the class that a statement lowers is known when its turn comes.
    about.sort_by_cached_key(|s| (s.past.values().sum::<u64>(), s.id.clone()));
    let mut holds: Vec<Stated<'_>> = Vec::new();
    let mut proposals = Vec::new();
    for s in &about {
        match &s.op {
            Op::ProjectEdited { value, .. } => {
                let Some(class) = RiskClass::parse(value.as_str()) else { continue };
                if made_before(adopted, &s.id) {
                    holds.push(Stated { at: s, basis: s, class });
                } else {
                    proposals.push(Proposal { id: s.id.clone(), class, why: Open::NotEntitled });
                }
            }
            Op::ProjectClassSet { class, role, .. } => {
                let before = heads(holds.iter().filter(|h| s.knows(&h.at.id))).0;
                let lower = before.is_some_and(|b| *class < b);
                if !lower || !said.iter().any(|d| seen(d) && data(s, d) && !d.knows(&s.id)) {
                    holds.push(Stated { at: s, basis: s, class: *class });
                    continue;
                }
                let agreed = about.iter().find(|a| match &a.op {
                    Op::ProjectClassAgreed { proposal, role: other, .. } => {
                        *proposal == s.id && other != role && a.by != s.by && a.knows(&s.id)
                    }
                    _ => false,
                });
                match agreed {
                    Some(agreement) => holds.push(Stated { at: agreement, basis: s, class: *class }),
                    None => proposals.push(Proposal { id: s.id.clone(), class: *class, why: Open::WaitsForSecond }),
                }
            }
            _ => {}
        }
    }
    // Who settles knows of two statements that did not know of each other.
    let apart = |a: &Stated<'_>, b: &Stated<'_>| !a.basis.knows(&b.at.id) && !b.basis.knows(&a.at.id) && a.at.id != b.at.id;
    let settles = |s: &Said| {
        let known: Vec<&Said> = holds.iter().map(|h| h.at).filter(|h| s.knows(&h.id)).collect();
        let open: Vec<&&Said> = known.iter().filter(|k| !known.iter().any(|l| l.knows(&k.id))).collect();
        open.len() > 1
    };
    let settled: BTreeSet<OpId> = holds.iter().filter(|h| settles(h.basis)).map(|h| h.at.id.clone()).collect();
    let late = |s: &Stated<'_>| !settled.contains(&s.at.id) && holds.iter().any(|h| settled.contains(&h.at.id) && apart(h, s));
    for h in holds.iter().filter(|h| late(h)) {
        proposals.push(Proposal { id: h.at.id.clone(), class: h.class, why: Open::Settled });
    }
    let (class, by) = heads(holds.iter().filter(|h| !late(h)));
    let classes: BTreeSet<RiskClass> = holds.iter().filter(|h| by.contains(&h.at.id)).map(|h| h.class).collect();
    proposals.sort_by(|a, b| a.id.cmp(&b.id));
    Classed { class, by, contested: classes.len() > 1, proposals }
}

/// The strictest of the statements that no other knew of, and all of those.
fn heads<'a, 'b: 'a>(all: impl Iterator<Item = &'a Stated<'b>>) -> (Option<RiskClass>, Vec<OpId>) {
    let all: Vec<&Stated<'_>> = all.collect();
    let open: Vec<&&Stated<'_>> = all.iter().filter(|a| !all.iter().any(|b| b.basis.knows(&a.at.id))).collect();
    (open.iter().map(|h| h.class).max(), open.iter().map(|h| h.at.id.clone()).collect())
}

fn names(op: &Op, project: &ProjectId) -> bool {
    match op {
        Op::ProjectEdited { project: p, field: ProjectField::RiskClass, .. }
        | Op::ProjectClassSet { project: p, .. }
        | Op::ProjectClassAgreed { project: p, .. } => p == project,
        _ => false,
    }
}
