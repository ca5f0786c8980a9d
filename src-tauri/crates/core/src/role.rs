//! Roles, and the one table that says what each may do.

use serde::{Deserialize, Serialize};

/// What a member is in the workspace. One person may hold several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Administrator,
    BusinessOwner,
    DataScientist,
    DataEngineer,
    MlEngineer,
    Validator,
    Compliance,
}

impl Role {
    pub const ALL: [Self; 8] = [
        Self::Owner,
        Self::Administrator,
        Self::BusinessOwner,
        Self::DataScientist,
        Self::DataEngineer,
        Self::MlEngineer,
        Self::Validator,
        Self::Compliance,
    ];

    /// The word in the log and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Administrator => "administrator",
            Self::BusinessOwner => "business_owner",
            Self::DataScientist => "data_scientist",
            Self::DataEngineer => "data_engineer",
            Self::MlEngineer => "ml_engineer",
            Self::Validator => "validator",
            Self::Compliance => "compliance",
        }
    }

    /// The word that people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::Owner => "Workspace owner",
            Self::Administrator => "Administrator",
            Self::BusinessOwner => "Business owner",
            Self::DataScientist => "Data scientist",
            Self::DataEngineer => "Data engineer",
            Self::MlEngineer => "ML engineer",
            Self::Validator => "Validator",
            Self::Compliance => "Compliance",
        }
    }

    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == raw)
    }

    /// Standing in the workspace: only a strictly higher rank may take a role away.
    pub fn rank(self) -> u8 {
        match self {
            Self::Owner => 2,
            Self::Administrator => 1,
            Self::BusinessOwner | Self::DataScientist | Self::DataEngineer | Self::MlEngineer | Self::Validator | Self::Compliance => 0,
        }
    }
}

/// Something that the log can be asked to record, as far as permission is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Let people and devices in, give and take roles.
    ManageMembers,
    /// Start a project, state its problem, name its members, move its stage.
    ShapeProject,
    /// Pass a gate that is not met.
    WaiveGate,
    /// Experiments, runs, logged models.
    Track,
    /// Datasets and their versions.
    RegisterData,
    /// Models, versions, aliases, cards.
    RegisterModel,
    /// Notes and the work on checklists: everyone who is in.
    Collaborate,
    RequestRelease,
    /// Approve or reject; which role's sign-off counts is the policy's question.
    SignRelease,
    RecordDeployment,
    /// State a project's risk class, which decides who must approve: those who answer for it, not those who build.
    ClassifyRisk,
    /// Say that a finding is dealt with: those who check, not those who build.
    SettleFinding,
}

impl Act {
    /// The right's name in `docs/format.md`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ManageMembers => "manage",
            Self::ShapeProject => "shape",
            Self::WaiveGate => "waive",
            Self::Track => "track",
            Self::RegisterData => "data",
            Self::RegisterModel => "model",
            Self::Collaborate => "collaborate",
            Self::RequestRelease => "release",
            Self::SignRelease => "sign",
            Self::RecordDeployment => "deploy",
            Self::ClassifyRisk => "classify",
            Self::SettleFinding => "settle",
        }
    }

    /// What the person tried, to stand after "may not".
    pub fn phrase(self) -> &'static str {
        match self {
            Self::ManageMembers => "manage members and roles",
            Self::ShapeProject => "create or change projects",
            Self::WaiveGate => "waive a gate",
            Self::Track => "log experiments and runs",
            Self::RegisterData => "register datasets",
            Self::RegisterModel => "register models or edit model cards",
            Self::Collaborate => "write notes or work on checklists",
            Self::RequestRelease => "request a release",
            Self::SignRelease => "sign a release",
            Self::RecordDeployment => "record a deployment",
            Self::ClassifyRisk => "state a risk class",
            Self::SettleFinding => "settle a finding or say how much it matters",
        }
    }
}

/// The one table: may this role do this?
pub fn permits(role: Role, act: Act) -> bool {
    use Role::{Administrator, BusinessOwner, Compliance, DataEngineer, DataScientist, MlEngineer, Owner, Validator};
    match act {
        Act::ManageMembers => matches!(role, Owner | Administrator),
        Act::ShapeProject => !matches!(role, Compliance),
        Act::WaiveGate => matches!(role, BusinessOwner | Compliance),
        Act::Track => matches!(role, DataScientist | DataEngineer | MlEngineer | Validator),
        Act::RegisterData => matches!(role, DataEngineer | DataScientist),
        Act::RegisterModel => matches!(role, DataScientist | MlEngineer),
        Act::Collaborate => true,
        Act::RequestRelease => matches!(role, DataScientist | MlEngineer),
        Act::SignRelease => matches!(role, BusinessOwner | Validator | Compliance),
        Act::RecordDeployment => matches!(role, MlEngineer),
        Act::SettleFinding | Act::ClassifyRisk => matches!(role, BusinessOwner | Validator | Compliance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_of_the_system_cannot_approve_its_records() {
        for role in [Role::Owner, Role::Administrator] {
            assert!(!permits(role, Act::SignRelease), "running the workspace is not a business role");
            assert!(!permits(role, Act::WaiveGate));
        }
    }

    #[test]
    fn whoever_builds_a_model_cannot_approve_it_by_that_role() {
        for role in [Role::DataScientist, Role::DataEngineer, Role::MlEngineer] {
            assert!(!permits(role, Act::SignRelease));
            assert!(!permits(role, Act::SettleFinding), "nobody settles what was found in their own work");
        }
        assert!(permits(Role::BusinessOwner, Act::SignRelease));
    }

    #[test]
    fn every_role_has_one_word_and_reads_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
    }
}
