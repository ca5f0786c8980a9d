//! The stages of a project, what each asks for, and whose turn it is.
//!
//! What a stage asks for is data (`assets/lifecycle/`, or a template of the team's own); what can be asked for at all is the
//! closed set of checks here.

use crate::checklist::{Checklist, ItemKind};
use crate::op::Watch;
use crate::role::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a project stands. The order is the trail's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    BusinessProblem,
    Data,
    Training,
    Validation,
    Approval,
    Operation,
}

impl Stage {
    pub const ALL: [Self; 6] = [Self::BusinessProblem, Self::Data, Self::Training, Self::Validation, Self::Approval, Self::Operation];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::BusinessProblem => "business_problem",
            Self::Data => "data",
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Approval => "approval",
            Self::Operation => "operation",
        }
    }

    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == raw)
    }

    /// The next stage; after operation a new cycle begins.
    pub fn next(self) -> (Self, u32) {
        match self {
            Self::BusinessProblem => (Self::Data, 0),
            Self::Data => (Self::Training, 0),
            Self::Training => (Self::Validation, 0),
            Self::Validation => (Self::Approval, 0),
            Self::Approval => (Self::Operation, 0),
            Self::Operation => (Self::BusinessProblem, 1),
        }
    }
}

/// What Cairn sees in its own records. A closed set: a template is judged before anybody uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", deny_unknown_fields)]
pub enum Check {
    /// A text field of the project is filled.
    FieldFilled {
        field: String,
    },
    /// A question about the project is answered (`assets/forms/`).
    Answered {
        question: String,
    },
    /// All of these questions are answered.
    AllAnswered {
        questions: Vec<String>,
    },
    /// The answer to a question is a number of at least so much.
    AnsweredAtLeast {
        question: String,
        at_least: u32,
    },
    /// The risk questions are answered, a class is chosen, and a lower one than follows has its reason.
    RiskDecided,
    /// Acceptance criteria of this cycle are signed by these roles, each by another person.
    CriteriaSigned {
        by: Vec<Role>,
    },
    /// They were signed before any run looked at their test data, as the history proves.
    CriteriaBeforeTest,
    /// The newest version reaches each criterion, by its interval.
    CriteriaMet,
    /// Metrics of groups and of their overlaps were logged for the newest version, with how many cases each has.
    SlicesReported,
    /// The newest version was compared on the same data with what is done today.
    BenchmarkCompared,
    /// No finding of high severity is open; the others have somebody and a day, or were settled.
    FindingsSettled,
    /// Each of these is watched by a monitor that has reported a value since this cycle began.
    MonitorsLive {
        watch: Vec<Watch>,
    },
    /// What began the cycle is recorded, with evidence.
    TriggerRecorded,
    /// At least one member with this role belongs to the project.
    MemberNamed {
        role: Role,
    },
    /// Somebody is named for each of these roles, and nobody who is `apart` also holds one of `from`.
    RolesApart {
        roles: Vec<Role>,
        apart: Role,
        from: Vec<Role>,
    },
    /// What a model inventory lists is there: problem, value, risk class, and who answers for it.
    InInventory,
    DatasetRegistered,
    /// The newest version of every dataset has digest, columns and rows, and runs say by digest what they trained and tested on.
    DataDescribed,
    /// Data that a run used for testing was used by no run for training.
    TestDataApart,
    /// Every finished run says by digest which data it used.
    LineageKnown,
    RunFinished,
    /// A finished run has this tag with this value.
    RunTagged {
        tag: String,
        value: String,
    },
    /// How many runs there were, and which parameters they varied.
    SearchRecorded,
    /// Runs tagged `baseline`, repeated with other seeds, stand beside repeated others.
    BaselineCompared,
    /// No run that saw test data was deleted.
    TestRunsKept,
    ModelVersionRegistered,
    /// The newest version's run knows its commit, packages, parameters and data.
    Reproducible,
    /// Another person's run measured what the newest version's run did, with the same result.
    RecomputedByOther,
    /// The newest version's run has a file whose path ends so.
    FileKept {
        ending: String,
    },
    /// Every required section of the newest version's card is filled.
    CardComplete,
    /// The handoff checklist of this gate is completed in this cycle, and nothing that it needs is missing any more.
    ChecklistCompleted {
        gate: String,
    },
    ReleaseApproved,
    /// No approval of the project is stale.
    ApprovalsFresh,
    DeployedToProduction,
    /// What runs in production is a version whose release is approved.
    DeployedAsApproved,
    /// Before the version in production there was another one, and its files are still known.
    PreviousRestorable,
}

/// Something that a stage asks for, as the template states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub id: String,
    /// One plain sentence.
    pub text: String,
    /// Whose turn it is when this is missing.
    pub owner: Role,
    pub check: Check,
}

/// A stage as the template describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTemplate {
    pub stage: Stage,
    pub name: String,
    /// What the stage is for, in one plain sentence.
    pub purpose: String,
    pub requirements: Vec<Requirement>,
}

/// A lifecycle template: data that teams copy and change; a project keeps the one it began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    pub id: String,
    pub name: String,
    /// For which projects it is meant, in one plain sentence.
    pub summary: String,
    /// The risk classes that it is meant for.
    pub risk: Vec<String>,
    pub stages: Vec<StageTemplate>,
    pub checklists: Vec<Checklist>,
}

impl Lifecycle {
    pub fn stage(&self, stage: Stage) -> Option<&StageTemplate> {
        self.stages.iter().find(|s| s.stage == stage)
    }

    pub fn checklist(&self, gate: &str) -> Option<&Checklist> {
        self.checklists.iter().find(|c| c.gate == gate)
    }

    /// Everything that it asks for, each with a key that stays the same between versions, and in words.
    pub fn asks(&self) -> BTreeMap<String, String> {
        // Also what is looked at and who owes it: somebody decides by what this says.
        let looked = |check: &Check| {
            serde_json::to_string(check)
                .unwrap_or_default()
                .replace(['{', '}', '"'], "")
                .replace("is:", "")
                .replace(',', ", ")
                .replace(':', " ")
        };
        let stages = self.stages.iter().flat_map(|s| {
            s.requirements.iter().map(move |r| {
                let said = format!("{} ({}): {}", r.text, looked(&r.check), r.owner.label());
                (format!("{}: {}", s.stage.as_str().replace('_', " "), r.id), said)
            })
        });
        let orders = self
            .checklists
            .iter()
            .filter(|c| !c.after.is_empty())
            .map(|c| (format!("{} order", c.gate), format!("{} comes after {}", c.gate, c.after.join(", "))));
        let items = self.checklists.iter().flat_map(|c| {
            c.items.iter().map(|i| {
                let needed = if i.blocks { ", needed" } else { "" };
                let how = match (&i.check, i.kind) {
                    (Some(check), _) => looked(check),
                    (None, ItemKind::Statement) => "stated".to_owned(),
                    (None, ItemKind::Tick | ItemKind::Records) => "ticked".to_owned(),
                };
                (i.id.clone(), format!("{} ({how}{needed}): {}", i.text, i.role.label()))
            })
        });
        stages.chain(orders).chain(items).collect()
    }
}

/// What differs between two templates, for somebody who moves a project from one to the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    pub added: Vec<(String, String)>,
    pub removed: Vec<(String, String)>,
    /// Key, before, after.
    pub changed: Vec<(String, String, String)>,
}

pub fn difference(from: &Lifecycle, to: &Lifecycle) -> Difference {
    let (before, after) = (from.asks(), to.asks());
    let only = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
        a.iter().filter(|(k, _)| !b.contains_key(*k)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let changed =
        before.iter().filter_map(|(k, old)| after.get(k).filter(|new| *new != old).map(|new| (k.clone(), old.clone(), new.clone())));
    Difference { added: only(&after, &before), removed: only(&before, &after), changed: changed.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_leads_into_a_new_cycle() {
        assert_eq!(Stage::Operation.next(), (Stage::BusinessProblem, 1));
        assert_eq!(Stage::Approval.next(), (Stage::Operation, 0));
    }

    #[test]
    fn two_templates_differ_by_what_they_ask_for() {
        let requirement = |id: &str, text: &str| Requirement {
            id: id.into(),
            text: text.into(),
            owner: Role::DataEngineer,
            check: Check::DatasetRegistered,
        };
        let one = |requirements| Lifecycle {
            id: "t".into(),
            name: "t".into(),
            summary: String::new(),
            risk: Vec::new(),
            stages: vec![StageTemplate { stage: Stage::Data, name: "Data".into(), purpose: String::new(), requirements }],
            checklists: Vec::new(),
        };
        let found =
            difference(&one(vec![requirement("a", "A"), requirement("b", "B")]), &one(vec![requirement("b", "B!"), requirement("c", "C")]));
        assert_eq!(found.added, [("data: c".to_owned(), "C (dataset_registered): Data engineer".to_owned())]);
        assert_eq!(found.removed, [("data: a".to_owned(), "A (dataset_registered): Data engineer".to_owned())]);
        assert_eq!(found.changed.len(), 1);
        assert_eq!(found.changed[0].2, "B! (dataset_registered): Data engineer");
        let mut weaker = one(vec![requirement("a", "A")]);
        let strict = weaker.clone();
        weaker.stages[0].requirements[0].check = Check::FieldFilled { field: "title".into() };
        assert_eq!(difference(&strict, &weaker).changed.len(), 1, "the same words that look at less are not the same");
    }
}
