//! The operations: everything that can happen in a workspace, and their wire form.
//!
//! The set is closed. A new meaning gets a new type name; a released one is never changed, because
//! signed lines of it exist. `docs/format.md` describes each for strangers.

mod words;

pub use words::{
    Column, Day, Decision, Ending, Environment, MaturityAnswer, Met, MonitorPlan, Outcome, Party, ProjectField, RiskClass, Ruling,
    RunStatus, Severity, Trigger, Watch,
};

use crate::criterion::Criterion;
use crate::decision::Frozen;
use crate::hlc::Hlc;
use crate::id::{
    AssessmentId, ChecklistId, CommentId, CriteriaId, DatasetId, DatasetVersionId, DeploymentId, DeviceId, Digest, ExperimentId, FindingId,
    LoggedModelId, MemberId, ModelId, ModelVersionId, MonitorId, NoteId, OpId, PanelId, PinId, ProjectId, ReleaseId, RunId, TemplateId,
    ViewId,
};
use crate::lifecycle::Stage;
use crate::role::{Act, Role};
use crate::setting::Setting;
use crate::source::RunSource;
use crate::strict;
use crate::text::{Body, Title};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A measured number on the wire: text, so that NaN and infinities survive and every digit counts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Num(pub f64);

impl Eq for Num {}
impl PartialEq for Num {
    fn eq(&self, other: &Self) -> bool {
        // Bits, not values: a NaN that survived a round trip is the same NaN.
        self.0.to_bits() == other.0.to_bits()
    }
}
impl From<Num> for String {
    fn from(num: Num) -> String {
        match num.0 {
            x if x.is_nan() => "NaN".to_owned(),
            x if x == f64::INFINITY => "Infinity".to_owned(),
            x if x == f64::NEG_INFINITY => "-Infinity".to_owned(),
            x => format!("{x}"),
        }
    }
}
impl TryFrom<String> for Num {
    type Error = String;
    fn try_from(raw: String) -> Result<Self, String> {
        match raw.as_str() {
            "NaN" => Ok(Self(f64::NAN)),
            "Infinity" => Ok(Self(f64::INFINITY)),
            "-Infinity" => Ok(Self(f64::NEG_INFINITY)),
            text => text.parse().ok().filter(|x: &f64| x.is_finite()).map(Self).ok_or_else(|| format!("\"{text}\" is no number")),
        }
    }
}

/// What one computer knows of a metric of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSummary {
    pub key: String,
    pub count: u64,
    pub last: OutlinePoint,
    pub min: Num,
    pub max: Num,
    /// Up to 256 points that keep the extremes; empty where it would hold `last` alone.
    pub outline: Vec<OutlinePoint>,
}

/// A value that was measured of a logged model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelMetric {
    pub key: String,
    /// Name and digest of the dataset; both empty: on none.
    pub dataset: String,
    pub digest: String,
    /// Step, milliseconds, value.
    pub last: OutlinePoint,
}

/// The kinds of record that the views hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Project,
    Experiment,
    Run,
    LoggedModel,
    Dataset,
    DatasetVersion,
    Model,
    ModelVersion,
    Note,
    Checklist,
    Release,
    Signoff,
    Deployment,
    /// Metric points in one file beside the log.
    Segment,
    /// A way to look at a table of runs that people kept.
    View,
    /// Something that holds for the whole workspace; its id is the setting's name.
    Setting,
    /// A chart that people kept on a page of charts.
    Panel,
    /// A remark at a point of a metric's curve.
    Pin,
    /// A lifecycle of the team's own: stages, what each asks for, and its handoffs.
    Template,
    /// What a model must reach on the test data, stated before anybody looks.
    Criteria,
    /// Something that was found and must be dealt with.
    Finding,
    /// A remark or a question about any record.
    Comment,
    /// How far the team says it is on a scale of maturity.
    Assessment,
    /// What is watched in operation, from which value on, and who is told.
    Monitor,
}

impl Kind {
    pub const ALL: [Self; 24] = [
        Self::Project,
        Self::Experiment,
        Self::Run,
        Self::LoggedModel,
        Self::Dataset,
        Self::DatasetVersion,
        Self::Model,
        Self::ModelVersion,
        Self::Note,
        Self::Checklist,
        Self::Release,
        Self::Signoff,
        Self::Deployment,
        Self::Segment,
        Self::View,
        Self::Setting,
        Self::Panel,
        Self::Pin,
        Self::Template,
        Self::Criteria,
        Self::Finding,
        Self::Comment,
        Self::Assessment,
        Self::Monitor,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Experiment => "experiment",
            Self::Run => "run",
            Self::LoggedModel => "logged_model",
            Self::Dataset => "dataset",
            Self::DatasetVersion => "dataset_version",
            Self::Model => "model",
            Self::ModelVersion => "model_version",
            Self::Note => "note",
            Self::Checklist => "checklist",
            Self::Release => "release",
            Self::Signoff => "signoff",
            Self::Deployment => "deployment",
            Self::Segment => "segment",
            Self::View => "view",
            Self::Setting => "setting",
            Self::Panel => "panel",
            Self::Pin => "pin",
            Self::Template => "template",
            Self::Criteria => "criteria",
            Self::Finding => "finding",
            Self::Comment => "comment",
            Self::Assessment => "assessment",
            Self::Monitor => "monitor",
        }
    }
}

/// One record, by kind and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    pub kind: Kind,
    pub id: String,
}

/// One metric point: step, milliseconds since 1970, value.
pub type OutlinePoint = (i64, i64, Num);

/// A key from the keyring: OpenSSH public key text, `ssh-ed25519 AAAA…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicKey(pub String);

impl TryFrom<String> for PublicKey {
    type Error = String;
    fn try_from(raw: String) -> Result<Self, String> {
        let one_word = |text: &str| !text.is_empty() && text.len() <= 200 && !text.contains(char::is_whitespace);
        if raw.strip_prefix("ssh-ed25519 ").is_some_and(one_word) {
            Ok(Self(raw))
        } else {
            Err("no Ed25519 key without a comment".to_owned())
        }
    }
}

/// A person and the computer that asks for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    pub member: MemberId,
    pub name: Title,
    pub email: String,
    pub device: DeviceId,
    pub device_name: Title,
    pub key: PublicKey,
    pub roles: Vec<Role>,
    /// For a further computer of somebody who is in already: their older computer's word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouch: Option<Vouch>,
}

/// The word of one computer for another of the same person: an SSHSIG in the namespace
/// `device@cairn` over the new computer's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouch {
    pub device: DeviceId,
    pub signature: String,
}

/// Why a computer is removed, which decides where the cut lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// It left service: everything that was known of it counts.
    #[default]
    Retired,
    /// Somebody else may have had it: the cut may lie in the past.
    Compromised,
}

/// What only more than half of the owners can decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Names the computer too: an owner's standing must not hang on who once let it in.
    GrantOwner {
        member: MemberId,
        device: DeviceId,
    },
    RevokeOwner {
        member: MemberId,
        cuts: BTreeMap<DeviceId, u64>,
    },
    RevokeDevice {
        device: DeviceId,
        last: u64,
        removal: Removal,
    },
    ReadmitDevice {
        device: DeviceId,
        last: Option<u64>,
    },
    /// The offline key that is printed and put in a safe: alone it can let an owner in again.
    SetRecovery {
        device: DeviceId,
        key: PublicKey,
    },
}

/// What can happen. The names on the wire are the field's words: noun, dot, what happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "d")]
pub enum Op {
    // ---- authority: travels in acl.jsonl, fails closed ----
    #[serde(rename = "workspace.created")]
    WorkspaceCreated { name: Title, first: Admission },
    /// A computer asks to be let in. Anyone may ask; only an administrator's answer counts.
    #[serde(rename = "device.requested")]
    DeviceRequested {
        name: Title,
        email: String,
        device_name: Title,
        key: PublicKey,
        /// The word of an older computer of the same person, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vouch: Option<Vouch>,
    },
    #[serde(rename = "member.admitted")]
    MemberAdmitted(Admission),
    #[serde(rename = "role.granted")]
    RoleGranted { member: MemberId, role: Role },
    /// `cuts`: of each of the member's computers the last operation that may still use the role.
    #[serde(rename = "role.revoked")]
    RoleRevoked { member: MemberId, role: Role, cuts: BTreeMap<DeviceId, u64> },
    /// `last` is the number of the device's last operation that still counts.
    #[serde(rename = "device.revoked")]
    DeviceRevoked { device: DeviceId, last: u64, removal: Removal },
    /// Takes back the revocations that its author knew of; with `last`, up to that operation only.
    #[serde(rename = "device.readmitted")]
    DeviceReadmitted { device: DeviceId, last: Option<u64> },
    /// The last operation of a computer that is put out of service by its own user.
    #[serde(rename = "device.sealed")]
    DeviceSealed {},
    /// The same computer goes on with a new key; the old one ends here. `proof` is the new key's
    /// SSHSIG in the namespace `device@cairn` over the old device's id.
    #[serde(rename = "device.rotated")]
    DeviceRotated { device: DeviceId, key: PublicKey, proof: String },
    /// An owner asks the other owners for a decision, and votes for it. A sole owner, or the recovery
    /// key, has decided by asking.
    #[serde(rename = "quorum.proposed")]
    QuorumProposed { change: Change },
    #[serde(rename = "quorum.seconded")]
    QuorumSeconded { proposal: OpId },
    /// From here on releases are judged by these rules (`decision`); whoever does not know them must not say yes.
    #[serde(rename = "rules.adopted")]
    RulesAdopted { rules: u32 },

    // ---- projects ----
    #[serde(rename = "project.created")]
    ProjectCreated { project: ProjectId, title: Title, template: String },
    #[serde(rename = "project.edited")]
    ProjectEdited { project: ProjectId, field: ProjectField, value: Body, base: Vec<OpId> },
    #[serde(rename = "project.member_added")]
    ProjectMemberAdded { project: ProjectId, member: MemberId, role: Role },
    #[serde(rename = "project.member_removed")]
    ProjectMemberRemoved { project: ProjectId, member: MemberId, role: Role },
    /// `waived` names the criteria that were not met; then the line's `why` is required.
    #[serde(rename = "project.stage_entered")]
    ProjectStageEntered { project: ProjectId, stage: Stage, cycle: u32, waived: Vec<String> },

    /// From now on the project keeps to another lifecycle, or to another version of it.
    #[serde(rename = "project.template_set")]
    ProjectTemplateSet { project: ProjectId, template: String },

    /// An answer to one of the questions about a project; the questions are data (`assets/forms/`).
    #[serde(rename = "project.answered")]
    ProjectAnswered { project: ProjectId, question: String, value: Body, base: Vec<OpId> },
    /// What began a cycle; the line's `why` says it in words.
    #[serde(rename = "project.triggered")]
    ProjectTriggered { project: ProjectId, cycle: u32, trigger: Trigger, evidence: Vec<Subject> },
    /// The project ended; the line's `why` says why.
    #[serde(rename = "project.ended")]
    ProjectEnded { project: ProjectId, ending: Ending },
    #[serde(rename = "project.resumed")]
    ProjectResumed { project: ProjectId },
    /// How much an error of the model can cost, stated by somebody who may; the line's `why` is required.
    #[serde(rename = "project.class_set")]
    ProjectClassSet { project: ProjectId, class: RiskClass, role: Role },
    /// A second person, in another role, agrees to a lower class (`proposal` is a `project.class_set`); `why` is required.
    #[serde(rename = "project.class_agreed")]
    ProjectClassAgreed { project: ProjectId, proposal: OpId, role: Role },

    // ---- tracking ----
    #[serde(rename = "experiment.created")]
    ExperimentCreated { experiment: ExperimentId, name: Title, project: Option<ProjectId> },
    #[serde(rename = "experiment.renamed")]
    ExperimentRenamed { experiment: ExperimentId, name: Title },
    #[serde(rename = "experiment.linked")]
    ExperimentLinked { experiment: ExperimentId, project: Option<ProjectId> },
    #[serde(rename = "experiment.tagged")]
    ExperimentTagged { experiment: ExperimentId, set: BTreeMap<String, String>, removed: Vec<String> },
    #[serde(rename = "run.created")]
    RunCreated { run: RunId, experiment: ExperimentId, user: String, start_ms: i64, tags: BTreeMap<String, String> },
    #[serde(rename = "run.updated")]
    RunUpdated { run: RunId, status: RunStatus, end_ms: Option<i64> },
    #[serde(rename = "run.params_logged")]
    RunParamsLogged { run: RunId, params: BTreeMap<String, String> },
    #[serde(rename = "run.tagged")]
    RunTagged { run: RunId, set: BTreeMap<String, String>, removed: Vec<String> },
    #[serde(rename = "run.metric_summarised")]
    RunMetricSummarised { run: RunId, key: String, count: u64, last: OutlinePoint, min: Num, max: Num, outline: Vec<OutlinePoint> },
    /// What is known of several metrics of a run without their points.
    #[serde(rename = "run.metrics_summarised")]
    RunMetricsSummarised { run: RunId, metrics: Vec<MetricSummary> },
    /// Points of many runs in one Parquet file, `<segment>.parquet` on `cairn/seg/<device>/<volume>`; of
    /// each run it says how many. Whoever needs them gets the file; it may be pruned one day.
    #[serde(rename = "segment.stored")]
    SegmentStored { segment: Digest, volume: u32, bytes: u64, runs: BTreeMap<RunId, u64> },
    /// Dataset inputs as MLflow's client sends them; `key` is name and digest.
    #[serde(rename = "run.inputs_logged")]
    RunInputsLogged { run: RunId, inputs: BTreeMap<String, serde_json::Value> },
    #[serde(rename = "run.outputs_logged")]
    RunOutputsLogged { run: RunId, models: BTreeMap<String, i64> },
    #[serde(rename = "logged_model.created")]
    LoggedModelCreated {
        model: LoggedModelId,
        experiment: ExperimentId,
        run: Option<RunId>,
        name: String,
        model_type: String,
        created_ms: i64,
        params: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    },
    #[serde(rename = "logged_model.updated")]
    LoggedModelUpdated { model: LoggedModelId, status: String, updated_ms: i64 },
    #[serde(rename = "logged_model.tagged")]
    LoggedModelTagged { model: LoggedModelId, set: BTreeMap<String, String>, removed: Vec<String> },
    #[serde(rename = "logged_model.params_logged")]
    LoggedModelParamsLogged { model: LoggedModelId, params: BTreeMap<String, String> },
    /// The latest values that a run measured of a logged model, each on a dataset or on none.
    #[serde(rename = "logged_model.metrics_summarised")]
    LoggedModelMetricsSummarised { model: LoggedModelId, run: RunId, metrics: Vec<ModelMetric> },
    /// A file of a run or logged model. Files up to 256 KiB travel with the log.
    #[serde(rename = "artifact.logged")]
    ArtifactLogged { owner: Subject, path: String, digest: Digest, size: u64 },

    #[serde(rename = "artifact.removed")]
    ArtifactRemoved { owner: Subject, path: String },
    /// A file of a run or logged model that stays where it is: an address (`file:`, `s3:`, `gs:`, `az:`,
    /// `http:`, `https:`, `dvc:`), with what is known of its content.
    #[serde(rename = "artifact.referenced")]
    ArtifactReferenced {
        owner: Subject,
        path: String,
        address: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
        /// What its keeper says of this very content, such as an entity tag, or `md5:…`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
    /// Which code, command and environment made a run, in the form of `source::RunSource`. Its digests name
    /// files that travel like artifacts.
    #[serde(rename = "run.source_recorded")]
    RunSourceRecorded { run: RunId, source: serde_json::Map<String, serde_json::Value> },

    // ---- datasets and models ----
    #[serde(rename = "dataset.created")]
    DatasetCreated { dataset: DatasetId, project: ProjectId, name: Title },
    #[serde(rename = "dataset.version_added")]
    DatasetVersionAdded {
        version: DatasetVersionId,
        dataset: DatasetId,
        number: u32,
        file: String,
        digest: Digest,
        size: u64,
        rows: u64,
        columns: Vec<Column>,
    },
    #[serde(rename = "model.created")]
    ModelCreated { model: ModelId, project: ProjectId, name: Title },
    #[serde(rename = "model.version_added")]
    ModelVersionAdded {
        version: ModelVersionId,
        model: ModelId,
        number: u32,
        run: RunId,
        /// Path and digest of each model file, as they were when the version was made.
        files: BTreeMap<String, Digest>,
        datasets: Vec<DatasetVersionId>,
    },
    #[serde(rename = "model.alias_set")]
    ModelAliasSet { model: ModelId, alias: String, version: Option<ModelVersionId> },
    /// A model that a script registered by name. It may be linked to a project later.
    #[serde(rename = "model.registered")]
    ModelRegistered { model: ModelId, name: Title },
    #[serde(rename = "model.renamed")]
    ModelRenamed { model: ModelId, name: Title },
    #[serde(rename = "model.linked")]
    ModelLinked { model: ModelId, project: Option<ProjectId> },
    #[serde(rename = "model.described")]
    ModelDescribed { model: ModelId, description: String },
    #[serde(rename = "model.tagged")]
    ModelTagged { model: ModelId, set: BTreeMap<String, String>, removed: Vec<String> },
    #[serde(rename = "model_version.registered")]
    ModelVersionRegistered {
        version: ModelVersionId,
        model: ModelId,
        number: u32,
        /// Where the script said that the files are, such as `models:/m-…`.
        source: String,
        run: Option<RunId>,
        logged_model: Option<LoggedModelId>,
        run_link: String,
        /// Path and digest of each model file, as they were when the version was made.
        files: BTreeMap<String, Digest>,
    },
    #[serde(rename = "model_version.described")]
    ModelVersionDescribed { version: ModelVersionId, description: String },
    #[serde(rename = "model_version.tagged")]
    ModelVersionTagged { version: ModelVersionId, set: BTreeMap<String, String>, removed: Vec<String> },
    /// MLflow's stage: a label that a script sets. No approval.
    #[serde(rename = "model_version.staged")]
    ModelVersionStaged { version: ModelVersionId, stage: String },
    #[serde(rename = "card.edited")]
    CardEdited { version: ModelVersionId, section: String, text: Body, base: Vec<OpId> },

    // ---- together ----
    #[serde(rename = "note.created")]
    NoteCreated {
        note: NoteId,
        about: Subject,
        title: Title,
        text: Body,
        /// The same text as an update of a Loro document, in base64; none where it would be too large.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        update: Option<String>,
    },
    #[serde(rename = "note.edited")]
    NoteEdited {
        note: NoteId,
        title: Title,
        text: Body,
        base: Vec<OpId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        update: Option<String>,
    },
    /// A way to look at a table of runs, kept under a name for everybody; `state` is the window's own.
    #[serde(rename = "view.created")]
    ViewCreated { view: ViewId, project: Option<ProjectId>, name: Title, state: Body },
    #[serde(rename = "view.edited")]
    ViewEdited { view: ViewId, name: Title, state: Body, base: Vec<OpId> },
    /// What a note with charts and tables showed at that time, kept as a file: evidence that does not change.
    #[serde(rename = "note.frozen")]
    NoteFrozen { note: NoteId, digest: Digest, size: u64 },
    /// A chart on the page of an experiment or a project, or on that of all runs; `state` says what it shows and where it stands.
    #[serde(rename = "panel.created")]
    PanelCreated { panel: PanelId, about: Option<Subject>, state: Body },
    #[serde(rename = "panel.edited")]
    PanelEdited { panel: PanelId, state: Body, base: Vec<OpId> },
    /// A remark at a step of a metric of a run.
    #[serde(rename = "pin.created")]
    PinCreated { pin: PinId, run: RunId, metric: String, step: i64, text: Body },
    #[serde(rename = "pin.edited")]
    PinEdited { pin: PinId, text: Body, base: Vec<OpId> },
    /// A lifecycle of the team's own, as its whole text; every text that it ever had stays, and projects name the one they
    /// keep to.
    #[serde(rename = "template.saved")]
    TemplateSaved { template: TemplateId, text: Body, base: Vec<OpId> },
    /// A small file that belongs to a record, such as a picture in a note.
    #[serde(rename = "record.attached")]
    RecordAttached { subject: Subject, name: String, digest: Digest, size: u64 },
    /// A remark about a record, or at a place in it (`anchor`: an item, a card's section, a line); with `asks` a question.
    #[serde(rename = "comment.written")]
    CommentWritten {
        comment: CommentId,
        about: Subject,
        anchor: String,
        text: Body,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<CommentId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asks: Option<Party>,
    },
    #[serde(rename = "comment.edited")]
    CommentEdited { comment: CommentId, text: Body, base: Vec<OpId> },
    #[serde(rename = "comment.resolved")]
    CommentResolved { comment: CommentId },
    #[serde(rename = "comment.reopened")]
    CommentReopened { comment: CommentId },
    /// What the team says of itself on a scale of maturity: an answer to each of its statements. Another assessment follows it;
    /// none replaces it.
    #[serde(rename = "maturity.assessed")]
    MaturityAssessed { assessment: AssessmentId, model: String, answers: BTreeMap<String, MaturityAnswer> },

    // ---- criteria and findings ----
    /// A set of criteria; it never changes, another one replaces it.
    #[serde(rename = "criteria.written")]
    CriteriaWritten { criteria: CriteriaId, project: ProjectId, cycle: u32, list: Vec<Criterion>, replaces: Vec<CriteriaId> },
    /// `statement` holds the exact bytes that were signed, `signature` the SSHSIG over them.
    #[serde(rename = "criteria.signed")]
    CriteriaSigned { criteria: CriteriaId, signoff: String, role: Role, statement: String, signature: String },
    #[serde(rename = "finding.raised")]
    FindingRaised {
        finding: FindingId,
        project: ProjectId,
        title: Title,
        text: Body,
        severity: Severity,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Subject>,
    },
    #[serde(rename = "finding.edited")]
    FindingEdited { finding: FindingId, title: Title, text: Body, base: Vec<OpId> },
    /// How much it matters is judged anew; the line's `why` says why.
    #[serde(rename = "finding.graded")]
    FindingGraded { finding: FindingId, severity: Severity },
    #[serde(rename = "finding.assigned")]
    FindingAssigned { finding: FindingId, to: Option<Party>, due: Option<Day> },
    /// The line's `why` says how it was dealt with.
    #[serde(rename = "finding.settled")]
    FindingSettled { finding: FindingId, outcome: Outcome },
    #[serde(rename = "finding.reopened")]
    FindingReopened { finding: FindingId },

    #[serde(rename = "setting.changed")]
    SettingChanged { setting: Setting, value: Body },
    #[serde(rename = "checklist.started")]
    ChecklistStarted { checklist: ChecklistId, project: ProjectId, gate: String, template: String, cycle: u32 },
    #[serde(rename = "checklist.picked_up")]
    ChecklistPickedUp { checklist: ChecklistId, member: MemberId },
    #[serde(rename = "checklist.item_done")]
    ChecklistItemDone { checklist: ChecklistId, item: String, comment: String, evidence: Vec<Subject> },
    #[serde(rename = "checklist.item_reopened")]
    ChecklistItemReopened { checklist: ChecklistId, item: String },
    /// Returned to whoever worked before; the line's `why` says what is missing.
    #[serde(rename = "checklist.handed_back")]
    ChecklistHandedBack { checklist: ChecklistId },
    #[serde(rename = "checklist.completed")]
    ChecklistCompleted { checklist: ChecklistId },
    /// Whose an item is; an empty `item` is the whole handoff.
    #[serde(rename = "checklist.assigned")]
    ChecklistAssigned { checklist: ChecklistId, item: String, to: Option<Party> },
    #[serde(rename = "checklist.due_set")]
    ChecklistDueSet { checklist: ChecklistId, item: String, due: Option<Day> },
    /// Work cannot go on; the line's `why` says what it waits for.
    #[serde(rename = "checklist.blocked")]
    ChecklistBlocked { checklist: ChecklistId },
    #[serde(rename = "checklist.unblocked")]
    ChecklistUnblocked { checklist: ChecklistId },
    /// Somebody takes what was handed over, to look at it.
    #[serde(rename = "checklist.received")]
    ChecklistReceived { checklist: ChecklistId, member: MemberId },
    /// The receiver has all that they need.
    #[serde(rename = "checklist.accepted")]
    ChecklistAccepted { checklist: ChecklistId },

    // ---- release and operation ----
    /// What is watched in operation; an edit is the whole plan anew.
    #[serde(rename = "monitor.planned")]
    MonitorPlanned { monitor: MonitorId, project: ProjectId, plan: MonitorPlan, base: Vec<OpId> },
    /// A value that was seen in operation, when, and where it comes from.
    #[serde(rename = "monitor.reported")]
    MonitorReported { monitor: MonitorId, value: Num, at_ms: i64, source: String },
    #[serde(rename = "release.requested")]
    ReleaseRequested { release: ReleaseId, project: ProjectId, version: ModelVersionId, policy: String, policy_digest: Digest },
    /// `statement` holds the exact bytes that were signed, `signature` the SSHSIG over them.
    #[serde(rename = "release.signed")]
    ReleaseSigned { release: ReleaseId, signoff: String, decision: Decision, role: Role, statement: String, signature: String },
    #[serde(rename = "release.withdrawn")]
    ReleaseWithdrawn { release: ReleaseId },
    /// A request that holds what judges it, and answers what earlier decisions asked for (by the sign-off's name).
    #[serde(rename = "release.submitted")]
    ReleaseSubmitted { release: ReleaseId, project: ProjectId, version: ModelVersionId, frozen: Frozen, answers: BTreeMap<String, String> },
    /// A signed decision on a submitted request. `page` is what was shown to the signer, kept as a file that always travels.
    #[serde(rename = "release.decided")]
    ReleaseDecided {
        release: ReleaseId,
        signoff: String,
        decision: Ruling,
        role: Role,
        statement: String,
        signature: String,
        page: Digest,
        page_size: u64,
    },
    /// A signer deals with what a colleague did meanwhile (`challenge`, an operation); the line's `why` says how.
    #[serde(rename = "release.answered")]
    ReleaseAnswered { release: ReleaseId, challenge: OpId, role: Role },
    #[serde(rename = "deployment.recorded")]
    DeploymentRecorded {
        deployment: DeploymentId,
        project: ProjectId,
        version: ModelVersionId,
        release: Option<ReleaseId>,
        environment: Environment,
    },

    /// Whoever asked to join is not let in; asking again from another computer stays possible.
    #[serde(rename = "request.declined")]
    RequestDeclined { device: DeviceId },

    /// Nothing happened but that this computer saw what its parents stand for.
    #[serde(rename = "device.witnessed")]
    DeviceWitnessed {},

    // ---- any record ----
    #[serde(rename = "record.deleted")]
    RecordDeleted { subject: Subject },
    #[serde(rename = "record.restored")]
    RecordRestored { subject: Subject },
}

/// What permission an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// An operation of authority: standing decides, in `authority`.
    Standing,
    /// One of the author's roles must permit this.
    Permission(Act),
    /// Permission in this very role, which the operation names.
    AsRole(Act, Role),
}

impl Op {
    /// Operations about who may do what: they travel in `acl.jsonl` and are folded first.
    pub fn is_authority(&self) -> bool {
        matches!(
            self,
            Self::WorkspaceCreated { .. }
                | Self::DeviceRequested { .. }
                | Self::MemberAdmitted(_)
                | Self::RoleGranted { .. }
                | Self::RoleRevoked { .. }
                | Self::DeviceRevoked { .. }
                | Self::DeviceReadmitted { .. }
                | Self::DeviceSealed {}
                | Self::DeviceRotated { .. }
                | Self::QuorumProposed { .. }
                | Self::QuorumSeconded { .. }
                | Self::RulesAdopted { .. }
        )
    }

    /// What the author must hold. Sits beside the type so that every path checks the same rule.
    pub fn needs(&self) -> Needs {
        match self {
            Self::WorkspaceCreated { .. }
            | Self::DeviceRequested { .. }
            | Self::MemberAdmitted(_)
            | Self::RoleGranted { .. }
            | Self::RoleRevoked { .. }
            | Self::DeviceRevoked { .. }
            | Self::DeviceReadmitted { .. }
            | Self::DeviceSealed {}
            | Self::DeviceRotated { .. }
            | Self::QuorumProposed { .. }
            | Self::QuorumSeconded { .. }
            | Self::RulesAdopted { .. } => Needs::Standing,
            Self::ProjectStageEntered { waived, .. } if !waived.is_empty() => Needs::Permission(Act::WaiveGate),
            // Another template may ask for less: as much as a waiver.
            Self::ProjectTemplateSet { .. } => Needs::Permission(Act::WaiveGate),
            Self::ProjectCreated { .. }
            | Self::ProjectEdited { .. }
            | Self::ProjectMemberAdded { .. }
            | Self::ProjectMemberRemoved { .. }
            | Self::ProjectStageEntered { .. }
            | Self::ProjectAnswered { .. }
            | Self::ProjectTriggered { .. }
            | Self::ProjectEnded { .. }
            | Self::ProjectResumed { .. }
            | Self::ExperimentLinked { .. } => Needs::Permission(Act::ShapeProject),
            Self::ExperimentCreated { .. }
            | Self::ExperimentRenamed { .. }
            | Self::ExperimentTagged { .. }
            | Self::RunCreated { .. }
            | Self::RunUpdated { .. }
            | Self::RunParamsLogged { .. }
            | Self::RunTagged { .. }
            | Self::RunMetricSummarised { .. }
            | Self::RunMetricsSummarised { .. }
            | Self::SegmentStored { .. }
            | Self::RunInputsLogged { .. }
            | Self::RunOutputsLogged { .. }
            | Self::LoggedModelCreated { .. }
            | Self::LoggedModelUpdated { .. }
            | Self::LoggedModelTagged { .. }
            | Self::LoggedModelParamsLogged { .. }
            | Self::LoggedModelMetricsSummarised { .. }
            | Self::ArtifactLogged { .. }
            | Self::ArtifactRemoved { .. }
            | Self::ArtifactReferenced { .. }
            | Self::RunSourceRecorded { .. } => Needs::Permission(Act::Track),
            Self::SettingChanged { .. } | Self::RequestDeclined { .. } => Needs::Permission(Act::ManageMembers),
            Self::DatasetCreated { .. } | Self::DatasetVersionAdded { .. } => Needs::Permission(Act::RegisterData),
            Self::ModelCreated { .. }
            | Self::ModelVersionAdded { .. }
            | Self::ModelAliasSet { .. }
            | Self::ModelRegistered { .. }
            | Self::ModelRenamed { .. }
            | Self::ModelLinked { .. }
            | Self::ModelDescribed { .. }
            | Self::ModelTagged { .. }
            | Self::ModelVersionRegistered { .. }
            | Self::ModelVersionDescribed { .. }
            | Self::ModelVersionTagged { .. }
            | Self::ModelVersionStaged { .. }
            | Self::CardEdited { .. } => Needs::Permission(Act::RegisterModel),
            Self::NoteCreated { .. }
            | Self::NoteEdited { .. }
            | Self::ViewCreated { .. }
            | Self::ViewEdited { .. }
            | Self::NoteFrozen { .. }
            | Self::PanelCreated { .. }
            | Self::PanelEdited { .. }
            | Self::PinCreated { .. }
            | Self::PinEdited { .. }
            | Self::TemplateSaved { .. }
            | Self::DeviceWitnessed {}
            | Self::ChecklistStarted { .. }
            | Self::ChecklistPickedUp { .. }
            | Self::ChecklistItemDone { .. }
            | Self::ChecklistItemReopened { .. }
            | Self::ChecklistHandedBack { .. }
            | Self::ChecklistCompleted { .. }
            | Self::ChecklistAssigned { .. }
            | Self::ChecklistDueSet { .. }
            | Self::ChecklistBlocked { .. }
            | Self::ChecklistUnblocked { .. }
            | Self::ChecklistReceived { .. }
            | Self::ChecklistAccepted { .. }
            | Self::RecordAttached { .. }
            | Self::MaturityAssessed { .. }
            | Self::MonitorPlanned { .. }
            | Self::MonitorReported { .. }
            | Self::CommentWritten { .. }
            | Self::CommentEdited { .. }
            | Self::CommentResolved { .. }
            | Self::CommentReopened { .. }
            | Self::CriteriaWritten { .. }
            | Self::FindingRaised { .. }
            | Self::FindingEdited { .. }
            | Self::FindingAssigned { .. }
            | Self::FindingReopened { .. } => Needs::Permission(Act::Collaborate),
            Self::CriteriaSigned { role, .. } => Needs::AsRole(Act::SignRelease, *role),
            // Living with a finding is a waiver of it.
            Self::FindingSettled { outcome: Outcome::Accepted, .. } => Needs::Permission(Act::WaiveGate),
            // A gate asks for high findings only: who builds must not make theirs smaller.
            Self::FindingGraded { .. } | Self::FindingSettled { outcome: Outcome::Fixed | Outcome::NoProblem, .. } => {
                Needs::Permission(Act::SettleFinding)
            }
            Self::ReleaseRequested { .. } | Self::ReleaseSubmitted { .. } | Self::ReleaseWithdrawn { .. } => {
                Needs::Permission(Act::RequestRelease)
            }
            Self::ReleaseSigned { role, .. } | Self::ReleaseDecided { role, .. } | Self::ReleaseAnswered { role, .. } => {
                Needs::AsRole(Act::SignRelease, *role)
            }
            Self::ProjectClassSet { role, .. } | Self::ProjectClassAgreed { role, .. } => Needs::AsRole(Act::ClassifyRisk, *role),
            Self::DeploymentRecorded { .. } => Needs::Permission(Act::RecordDeployment),
            Self::RecordDeleted { subject } | Self::RecordRestored { subject } => Needs::Permission(delete_needs(subject.kind)),
        }
    }

    /// What an edit says it was based on, for a line that is written again under another name.
    pub fn base_mut(&mut self) -> &mut [OpId] {
        match self {
            Self::ProjectEdited { base, .. }
            | Self::CardEdited { base, .. }
            | Self::NoteEdited { base, .. }
            | Self::ViewEdited { base, .. }
            | Self::PanelEdited { base, .. }
            | Self::PinEdited { base, .. }
            | Self::TemplateSaved { base, .. }
            | Self::ProjectAnswered { base, .. }
            | Self::CommentEdited { base, .. }
            | Self::FindingEdited { base, .. } => base,
            _ => &mut [],
        }
    }

    /// The files that it speaks of, with their sizes: small ones travel beside it.
    pub fn files(&self) -> Vec<(Digest, u64)> {
        match self {
            Self::ArtifactLogged { digest, size, .. }
            | Self::NoteFrozen { digest, size, .. }
            | Self::RecordAttached { digest, size, .. } => vec![(digest.clone(), *size)],
            Self::ReleaseDecided { page, page_size, .. } => vec![(page.clone(), *page_size)],
            Self::RunSourceRecorded { source, .. } => RunSource::read(source).files().map(|(d, n)| (d.clone(), n)).collect(),
            _ => Vec::new(),
        }
    }

    /// The word on the wire, such as `run.created`.
    pub fn name(&self) -> String {
        // The name is the first thing that is written; no more than that is.
        let mut head = Head { bytes: [0; 64], len: 0 };
        let _ = serde_json::to_writer(&mut head, self);
        head.text().split('"').nth(3).unwrap_or_default().to_owned()
    }
}

/// Takes the beginning of a text and stops its writer.
struct Head {
    bytes: [u8; 64],
    len: usize,
}

impl Head {
    fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes[..self.len])
    }
}

impl std::io::Write for Head {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = buf.len().min(self.bytes.len() - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&buf[..n]);
        self.len += n;
        Ok(n)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn delete_needs(kind: Kind) -> Act {
    match kind {
        Kind::Experiment | Kind::Run | Kind::LoggedModel | Kind::Segment => Act::Track,
        Kind::Dataset | Kind::DatasetVersion => Act::RegisterData,
        Kind::Model | Kind::ModelVersion => Act::RegisterModel,
        Kind::Note
        | Kind::Checklist
        | Kind::View
        | Kind::Panel
        | Kind::Pin
        | Kind::Template
        | Kind::Comment
        | Kind::Assessment
        | Kind::Monitor => Act::Collaborate,
        Kind::Project => Act::ShapeProject,
        // Nothing that was decided or deployed is ever deleted; `fold` ignores the attempt too.
        // A setting has a value, or its default; it is not deleted.
        Kind::Release | Kind::Signoff | Kind::Deployment | Kind::Setting | Kind::Criteria | Kind::Finding => Act::ManageMembers,
    }
}

/// One line of the log: an operation, when its author's clock said it happened, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpLine {
    pub hlc: Hlc,
    /// What the author's clock said, in milliseconds since 1970, where `hlc` says something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Minutes east of UTC where the author sat.
    pub tz: i16,
    /// The reason that the author gave, where one is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(flatten)]
    pub op: Op,
}

/// What became of reading a line.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadLine {
    Known(Box<OpLine>),
    /// A type that this program does not know: kept as it stands, skipped, read again after an upgrade.
    Unknown {
        hlc: Hlc,
        at: Option<i64>,
        tz: i16,
        name: String,
    },
}

#[derive(Deserialize)]
struct Header {
    hlc: Hlc,
    #[serde(default)]
    at: Option<i64>,
    tz: i16,
    t: String,
}

/// The wall clock that an author claimed: `at`, or else the time in the clock value.
pub fn claimed_ms(hlc: Hlc, at: Option<i64>) -> i64 {
    at.unwrap_or_else(|| i64::try_from(hlc.ms).unwrap_or(i64::MAX))
}

/// The types of operations that speak of files.
pub const FILE_OPS: [&str; 5] = ["artifact.logged", "run.source_recorded", "note.frozen", "record.attached", "release.decided"];

/// The files that a line speaks of. Most lines speak of none, and are not read for it.
pub fn files_of(line: &str) -> Vec<(Digest, u64)> {
    if !FILE_OPS.iter().any(|t| line.contains(&format!(r#""t":"{t}""#))) {
        return Vec::new();
    }
    match OpLine::read(line) {
        Ok(ReadLine::Known(line)) => line.op.files(),
        Ok(ReadLine::Unknown { .. }) | Err(_) => Vec::new(),
    }
}

impl OpLine {
    /// When its author's clock said that it happened. A claim, never an order.
    pub fn at_ms(&self) -> i64 {
        claimed_ms(self.hlc, self.at)
    }

    /// The exact text that is stored, signed and shared.
    ///
    /// # Panics
    /// Never: every field of an operation has a JSON form.
    #[allow(clippy::expect_used)]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("every operation has a JSON form")
    }

    /// Reads a line. Strict about its form, lenient about types that came later.
    pub fn read(text: &str) -> Result<ReadLine, String> {
        strict::check(text)?;
        match serde_json::from_str::<Self>(text) {
            Ok(line) => Ok(ReadLine::Known(Box::new(line))),
            Err(error) => {
                let head: Header = serde_json::from_str(text).map_err(|e| e.to_string())?;
                if is_known_name(&head.t) {
                    return Err(error.to_string());
                }
                Ok(ReadLine::Unknown { hlc: head.hlc, at: head.at, tz: head.tz, name: head.t })
            }
        }
    }
}

fn is_known_name(name: &str) -> bool {
    // serde names the variants it knows in the error for one that it does not.
    let probe = serde_json::json!({ "t": name, "d": null });
    match serde_json::from_value::<Op>(probe) {
        Ok(_) => true,
        Err(error) => !error.to_string().starts_with("unknown variant"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(op: Op) -> OpLine {
        OpLine { hlc: Hlc { ms: 5, counter: 0 }, at: None, tz: 60, why: None, op }
    }

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let run = RunId::parse("r1").unwrap();
        let before = line(Op::RunMetricSummarised {
            run,
            key: "loss".into(),
            count: 2,
            last: (1, 2, Num(f64::NAN)),
            min: Num(0.1),
            max: Num(f64::INFINITY),
            outline: vec![(0, 1, Num(-0.0)), (1, 2, Num(f64::NAN))],
        });
        let text = before.to_text();
        assert!(text.starts_with(r#"{"hlc":"000000000005.00000000","tz":60,"t":"run.metric_summarised","d":{"#), "{text}");
        let ReadLine::Known(after) = OpLine::read(&text).unwrap() else { panic!("known") };
        assert_eq!(*after, before, "NaN, infinity and minus zero survive");
        assert_eq!(after.to_text(), text);
    }

    #[test]
    fn a_type_from_a_later_version_is_kept_and_skipped() {
        let text = r#"{"hlc":"000000000005.00000000","tz":0,"t":"moon.landed","d":{"a":1}}"#;
        assert!(matches!(OpLine::read(text), Ok(ReadLine::Unknown { name, .. }) if name == "moon.landed"));
    }

    #[test]
    fn a_known_type_with_a_wrong_body_is_an_error_not_a_later_version() {
        let text = r#"{"hlc":"000000000005.00000000","tz":0,"t":"run.updated","d":{"run":"../x"}}"#;
        assert!(OpLine::read(text).is_err());
    }

    #[test]
    fn passing_a_gate_that_is_not_met_needs_the_right_to_waive() {
        let enter = |waived: Vec<String>| Op::ProjectStageEntered {
            project: ProjectId::parse("p").unwrap(),
            stage: Stage::Training,
            cycle: 1,
            waived,
        };
        assert_eq!(enter(vec![]).needs(), Needs::Permission(Act::ShapeProject));
        assert_eq!(enter(vec!["x".into()]).needs(), Needs::Permission(Act::WaiveGate));
        let other = Op::ProjectTemplateSet { project: ProjectId::parse("p").unwrap(), template: "light/1".into() };
        assert_eq!(other.needs(), Needs::Permission(Act::WaiveGate), "a lighter template would be a waiver of all gates");
    }
}
