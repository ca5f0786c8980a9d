//! The stages of a project, what each asks for, and whose turn it is.
//!
//! What a stage asks for is data (`assets/lifecycle/`); how each criterion is decided is here.

use crate::role::Role;
use serde::{Deserialize, Serialize};

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

/// A criterion that Cairn decides from its own records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Criterion {
    /// A text field of the project is filled.
    FieldFilled {
        field: String,
    },
    /// At least one member with this role belongs to the project.
    MemberNamed {
        role: Role,
    },
    DatasetRegistered,
    RunFinished,
    ModelVersionRegistered,
    /// Every required section of the newest version's card is filled.
    CardComplete,
    /// The handoff checklist of this gate is completed in this cycle.
    ChecklistCompleted {
        gate: String,
    },
    ReleaseApproved,
    DeployedToProduction,
}

/// A criterion as the template states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub id: String,
    /// One plain sentence.
    pub text: String,
    /// Whose turn it is when this is missing.
    pub owner: Role,
    #[serde(flatten)]
    pub criterion: Criterion,
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
    pub stages: Vec<StageTemplate>,
}

impl Lifecycle {
    pub fn stage(&self, stage: Stage) -> Option<&StageTemplate> {
        self.stages.iter().find(|s| s.stage == stage)
    }
}

/// What is known of a project when a gate is judged.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Names of filled text fields.
    pub filled: Vec<String>,
    pub roles: Vec<Role>,
    pub dataset_versions: usize,
    pub finished_runs: usize,
    pub model_versions: usize,
    pub card_complete: bool,
    /// Gates whose checklist is completed in the present cycle.
    pub completed_gates: Vec<String>,
    pub release_approved: bool,
    pub in_production: bool,
}

impl Facts {
    /// Is the criterion met?
    pub fn meet(&self, criterion: &Criterion) -> bool {
        match criterion {
            Criterion::FieldFilled { field } => self.filled.contains(field),
            Criterion::MemberNamed { role } => self.roles.contains(role),
            Criterion::DatasetRegistered => self.dataset_versions > 0,
            Criterion::RunFinished => self.finished_runs > 0,
            Criterion::ModelVersionRegistered => self.model_versions > 0,
            Criterion::CardComplete => self.card_complete,
            Criterion::ChecklistCompleted { gate } => self.completed_gates.contains(gate),
            Criterion::ReleaseApproved => self.release_approved,
            Criterion::DeployedToProduction => self.in_production,
        }
    }
}

/// A requirement and whether it is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub requirement: Requirement,
    pub met: bool,
}

/// Judges the gate out of `stage`.
pub fn judge(lifecycle: &Lifecycle, stage: Stage, facts: &Facts) -> Vec<Judged> {
    let requirements = lifecycle.stage(stage).map(|s| s.requirements.clone()).unwrap_or_default();
    requirements.into_iter().map(|r| Judged { met: facts.meet(&r.criterion), requirement: r }).collect()
}

/// Whose turn it is: the owner of the first thing that is missing.
pub fn turn(judged: &[Judged]) -> Option<Role> {
    judged.iter().find(|j| !j.met).map(|j| j.requirement.owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Lifecycle {
        let requirement = |id: &str, owner, criterion| Requirement { id: id.into(), text: id.into(), owner, criterion };
        Lifecycle {
            id: "t/1".into(),
            name: "t".into(),
            stages: vec![StageTemplate {
                stage: Stage::Data,
                name: "Data".into(),
                purpose: String::new(),
                requirements: vec![
                    requirement("problem", Role::BusinessOwner, Criterion::FieldFilled { field: "problem".into() }),
                    requirement("data", Role::DataEngineer, Criterion::DatasetRegistered),
                ],
            }],
        }
    }

    #[test]
    fn it_is_the_turn_of_whoever_owns_the_first_thing_that_is_missing() {
        let mut facts = Facts::default();
        assert_eq!(turn(&judge(&gate(), Stage::Data, &facts)), Some(Role::BusinessOwner));
        facts.filled.push("problem".into());
        assert_eq!(turn(&judge(&gate(), Stage::Data, &facts)), Some(Role::DataEngineer));
        facts.dataset_versions = 1;
        assert_eq!(turn(&judge(&gate(), Stage::Data, &facts)), None, "nothing missing: the gate is open");
    }

    #[test]
    fn operation_leads_into_a_new_cycle() {
        assert_eq!(Stage::Operation.next(), (Stage::BusinessProblem, 1));
        assert_eq!(Stage::Approval.next(), (Stage::Operation, 0));
    }
}
