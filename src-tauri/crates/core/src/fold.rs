//! From operations to views: each operation becomes writes to cells, and of two writes to one cell
//! the later stamp wins.
//!
//! Every effect commutes with every other and applying one twice changes nothing, so all replicas
//! that accepted the same operations hold the same cells, whatever the order of arrival. An effect
//! that reads the view before it writes would break that.

use crate::id::{OpId, ProjectId};
use crate::op::{Kind, Num, Op, OutlinePoint, Subject};
use serde_json::{Value, json};

/// A write to the views.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The record exists. Of several, the earliest stamp is the creation.
    Record { kind: Kind, id: String, parent: Option<String> },
    /// Last writer wins. `None` removes.
    Cell { kind: Kind, id: String, field: &'static str, key: String, value: Option<String> },
    /// Like `Cell`, but each computer has its own, whose key ends with [`PART`] and its name: what
    /// several computers say of one thing stands side by side.
    Part { kind: Kind, id: String, field: &'static str, key: String, value: String },
    /// Like `Cell`, and remembered together with what it was based on, so that two edits of one
    /// text are both seen.
    Edit { kind: Kind, id: String, field: &'static str, key: String, value: String, base: Vec<OpId> },
}

/// Raised when cells come out otherwise than before, or operations are known that were not: then a
/// program that opens an older file makes the views again.
pub const VERSION: u32 = 7;

/// Stands between the key of a computer's own cell and the computer's name.
pub const PART: char = '\u{1f}';

struct Writes {
    kind: Kind,
    id: String,
    out: Vec<Effect>,
}

impl Writes {
    fn on(kind: Kind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), out: Vec::new() }
    }
    fn record(mut self, parent: Option<&str>) -> Self {
        self.out.push(Effect::Record { kind: self.kind, id: self.id.clone(), parent: parent.map(str::to_owned) });
        self
    }
    fn put(self, field: &'static str, value: impl Into<String>) -> Self {
        self.put_key(field, "", Some(value.into()))
    }
    fn put_key(mut self, field: &'static str, key: impl Into<String>, value: Option<String>) -> Self {
        let (kind, id, key) = (self.kind, self.id.clone(), key.into());
        self.out.push(Effect::Cell { kind, id, field, key, value });
        self
    }
    fn part(mut self, field: &'static str, key: impl Into<String>, value: String) -> Self {
        let (kind, id, key) = (self.kind, self.id.clone(), key.into());
        self.out.push(Effect::Part { kind, id, field, key, value });
        self
    }
    fn edit(mut self, field: &'static str, key: impl Into<String>, value: String, base: &[OpId]) -> Self {
        let (kind, id, key) = (self.kind, self.id.clone(), key.into());
        self.out.push(Effect::Edit { kind, id, field, key, value, base: base.to_vec() });
        self
    }
    fn all<'a>(self, field: &'static str, pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        pairs.into_iter().fold(self, |w, (k, v)| w.put_key(field, k.clone(), Some(v.clone())))
    }
    fn none<'a>(self, field: &'static str, keys: impl IntoIterator<Item = &'a String>) -> Self {
        keys.into_iter().fold(self, |w, k| w.put_key(field, k.clone(), None))
    }
    fn done(self) -> Vec<Effect> {
        self.out
    }
}

/// The value of a run's `metric` cell: what is known of a metric without its points.
pub fn metric_summary(count: u64, last: OutlinePoint, min: Num, max: Num, outline: &[OutlinePoint]) -> Value {
    json!({ "count": count, "last": last, "min": min, "max": max, "outline": outline })
}

/// What `op` writes. Authority operations write nothing here: `authority` folds them.
pub fn effects(op: &Op) -> Vec<Effect> {
    match op {
        Op::WorkspaceCreated { .. }
        | Op::DeviceRequested { .. }
        | Op::MemberAdmitted(_)
        | Op::RoleGranted { .. }
        | Op::RoleRevoked { .. }
        | Op::DeviceRevoked { .. }
        | Op::DeviceReadmitted { .. }
        | Op::DeviceSealed {}
        | Op::DeviceRotated { .. }
        | Op::QuorumProposed { .. }
        | Op::QuorumSeconded { .. }
        | Op::RulesAdopted { .. } => Vec::new(),

        Op::ProjectCreated { project, title, template } => Writes::on(Kind::Project, project.as_str())
            .record(None)
            .edit("title", "", title.to_string(), &[])
            .put("template", template)
            .done(),
        Op::ProjectEdited { project, field, value, base } => {
            Writes::on(Kind::Project, project.as_str()).edit(field.as_str(), "", value.as_str().to_owned(), base).done()
        }
        Op::ProjectMemberAdded { project, member, role } => Writes::on(Kind::Project, project.as_str())
            .put_key("member", format!("{member}/{}", role.as_str()), Some("1".to_owned()))
            .done(),
        Op::ProjectMemberRemoved { project, member, role } => {
            Writes::on(Kind::Project, project.as_str()).put_key("member", format!("{member}/{}", role.as_str()), None).done()
        }
        Op::ProjectStageEntered { project, stage, cycle, waived } => Writes::on(Kind::Project, project.as_str())
            // One cell, so that stage and cycle can never come from two different moves.
            .put("stage", json!({ "stage": stage, "cycle": cycle, "waived": waived }).to_string())
            .done(),

        Op::ProjectTemplateSet { project, template } => Writes::on(Kind::Project, project.as_str()).put("template", template).done(),

        Op::ProjectAnswered { project, question, value, base } => {
            Writes::on(Kind::Project, project.as_str()).edit("answer", question, value.as_str().to_owned(), base).done()
        }
        Op::ProjectTriggered { project, cycle, trigger, evidence } => Writes::on(Kind::Project, project.as_str())
            .put_key("trigger", cycle.to_string(), Some(json!({ "trigger": trigger, "evidence": evidence }).to_string()))
            .done(),
        Op::ProjectEnded { project, ending } => Writes::on(Kind::Project, project.as_str()).put("ended", ending.as_str()).done(),
        // An edit, so that each statement stays beside the others: which one holds follows from what their authors knew.
        Op::ProjectClassSet { project, class, .. } => {
            Writes::on(Kind::Project, project.as_str()).edit("class", "", class.as_str().to_owned(), &[]).done()
        }
        Op::ProjectClassAgreed { project, proposal, .. } => {
            Writes::on(Kind::Project, project.as_str()).put_key("class_agreed", proposal.to_string(), Some("1".to_owned())).done()
        }
        Op::ProjectResumed { project } => Writes::on(Kind::Project, project.as_str()).put_key("ended", "", None).done(),

        Op::ExperimentCreated { experiment, name, project } => Writes::on(Kind::Experiment, experiment.as_str())
            .record(None)
            .put("name", name.as_str())
            .put_key("project", "", project.as_ref().map(ToString::to_string))
            .done(),
        Op::ExperimentRenamed { experiment, name } => Writes::on(Kind::Experiment, experiment.as_str()).put("name", name.as_str()).done(),
        Op::ExperimentLinked { experiment, project } => {
            Writes::on(Kind::Experiment, experiment.as_str()).put_key("project", "", project.as_ref().map(ToString::to_string)).done()
        }
        Op::ExperimentTagged { experiment, set, removed } => {
            Writes::on(Kind::Experiment, experiment.as_str()).all("tag", set).none("tag", removed).done()
        }
        Op::RunCreated { run, experiment, user, start_ms, tags } => Writes::on(Kind::Run, run.as_str())
            .record(Some(experiment.as_str()))
            .put("user", user)
            .put("start_ms", start_ms.to_string())
            .put("status", "RUNNING")
            .all("tag", tags)
            .done(),
        Op::RunUpdated { run, status, end_ms } => {
            let writes = Writes::on(Kind::Run, run.as_str()).put("status", status.as_str());
            match end_ms {
                Some(ms) => writes.put("end_ms", ms.to_string()).done(),
                None => writes.done(),
            }
        }
        Op::RunParamsLogged { run, params } => Writes::on(Kind::Run, run.as_str()).all("param", params).done(),
        Op::RunTagged { run, set, removed } => Writes::on(Kind::Run, run.as_str()).all("tag", set).none("tag", removed).done(),
        Op::RunMetricSummarised { run, key, count, last, min, max, outline } => {
            Writes::on(Kind::Run, run.as_str()).part("metric", key, metric_summary(*count, *last, *min, *max, outline).to_string()).done()
        }
        Op::RunMetricsSummarised { run, metrics } => metrics
            .iter()
            .fold(Writes::on(Kind::Run, run.as_str()), |w, m| {
                w.part("metric", &m.key, metric_summary(m.count, m.last, m.min, m.max, &m.outline).to_string())
            })
            .done(),
        // A record of its own, so that every effect of an operation is on one record.
        Op::SegmentStored { segment, volume, bytes, runs } => runs
            .iter()
            .fold(Writes::on(Kind::Segment, segment.as_str()).record(None), |w, (run, points)| {
                let value = json!({ "volume": volume, "bytes": bytes, "points": points }).to_string();
                w.part("run", run.as_str(), value)
            })
            .done(),
        Op::RunInputsLogged { run, inputs } => {
            inputs.iter().fold(Writes::on(Kind::Run, run.as_str()), |w, (k, v)| w.put_key("input", k.clone(), Some(v.to_string()))).done()
        }
        Op::RunOutputsLogged { run, models } => models
            .iter()
            .fold(Writes::on(Kind::Run, run.as_str()), |w, (k, step)| w.put_key("output", k.clone(), Some(step.to_string())))
            .done(),
        Op::LoggedModelCreated { model, experiment, run, name, model_type, created_ms, params, tags } => {
            Writes::on(Kind::LoggedModel, model.as_str())
                .record(Some(experiment.as_str()))
                .put("name", name)
                .put("type", model_type)
                .put("status", "LOGGED_MODEL_PENDING")
                .put("created_ms", created_ms.to_string())
                .put("updated_ms", created_ms.to_string())
                .put_key("run", "", run.as_ref().map(ToString::to_string))
                .all("param", params)
                .all("tag", tags)
                .done()
        }
        Op::LoggedModelUpdated { model, status, updated_ms } => {
            Writes::on(Kind::LoggedModel, model.as_str()).put("status", status).put("updated_ms", updated_ms.to_string()).done()
        }
        Op::LoggedModelTagged { model, set, removed } => {
            Writes::on(Kind::LoggedModel, model.as_str()).all("tag", set).none("tag", removed).done()
        }
        Op::LoggedModelParamsLogged { model, params } => Writes::on(Kind::LoggedModel, model.as_str()).all("param", params).done(),
        Op::LoggedModelMetricsSummarised { model, run, metrics } => metrics
            .iter()
            .fold(Writes::on(Kind::LoggedModel, model.as_str()), |w, m| {
                let key = [run.as_str(), &m.key, &m.dataset, &m.digest].join(&PART.to_string());
                w.put_key("metric", key, Some(json!(m.last).to_string()))
            })
            .done(),
        Op::ArtifactLogged { owner, path, digest, size } => Writes::on(owner.kind, owner.id.clone())
            .put_key("artifact", path, Some(json!({ "digest": digest, "size": size }).to_string()))
            .done(),

        Op::ArtifactRemoved { owner, path } => Writes::on(owner.kind, owner.id.clone()).put_key("artifact", path, None).done(),

        Op::ArtifactReferenced { owner, path, address, digest, size, version } => Writes::on(owner.kind, owner.id.clone())
            .put_key("artifact", path, Some(json!({ "address": address, "digest": digest, "size": size, "version": version }).to_string()))
            .done(),
        Op::RunSourceRecorded { run, source } => Writes::on(Kind::Run, run.as_str()).put("source", json!(source).to_string()).done(),

        Op::DatasetCreated { dataset, project, name } => {
            Writes::on(Kind::Dataset, dataset.as_str()).record(Some(project.as_str())).put("name", name.as_str()).done()
        }
        Op::DatasetVersionAdded { version, dataset, number, file, digest, size, rows, columns } => {
            Writes::on(Kind::DatasetVersion, version.as_str())
                .record(Some(dataset.as_str()))
                .put("number", number.to_string())
                .put("file", file)
                .put("digest", digest.as_str())
                .put("size", size.to_string())
                .put("rows", rows.to_string())
                .put("columns", json!(columns).to_string())
                .done()
        }
        Op::ModelCreated { model, project, name } => {
            Writes::on(Kind::Model, model.as_str()).record(Some(project.as_str())).put("name", name.as_str()).done()
        }
        Op::ModelVersionAdded { version, model, number, run, files, datasets } => Writes::on(Kind::ModelVersion, version.as_str())
            .record(Some(model.as_str()))
            .put("number", number.to_string())
            .put("run", run.as_str())
            .put("files", json!(files).to_string())
            .put("datasets", json!(datasets).to_string())
            .done(),
        Op::ModelAliasSet { model, alias, version } => {
            Writes::on(Kind::Model, model.as_str()).put_key("alias", alias, version.as_ref().map(ToString::to_string)).done()
        }
        Op::ModelRegistered { model, name } => Writes::on(Kind::Model, model.as_str()).record(None).put("name", name.as_str()).done(),
        Op::ModelRenamed { model, name } => Writes::on(Kind::Model, model.as_str()).put("name", name.as_str()).done(),
        Op::ModelLinked { model, project } => {
            Writes::on(Kind::Model, model.as_str()).put_key("project", "", project.as_ref().map(ToString::to_string)).done()
        }
        Op::ModelDescribed { model, description } => Writes::on(Kind::Model, model.as_str()).put("description", description).done(),
        Op::ModelTagged { model, set, removed } => Writes::on(Kind::Model, model.as_str()).all("tag", set).none("tag", removed).done(),
        Op::ModelVersionRegistered { version, model, number, source, run, logged_model, run_link, files } => {
            Writes::on(Kind::ModelVersion, version.as_str())
                .record(Some(model.as_str()))
                .put("number", number.to_string())
                .put("source", source)
                .put_key("run", "", run.as_ref().map(ToString::to_string))
                .put_key("logged_model", "", logged_model.as_ref().map(ToString::to_string))
                .put("run_link", run_link)
                .put("files", json!(files).to_string())
                .done()
        }
        Op::ModelVersionDescribed { version, description } => {
            Writes::on(Kind::ModelVersion, version.as_str()).put("description", description).done()
        }
        Op::ModelVersionTagged { version, set, removed } => {
            Writes::on(Kind::ModelVersion, version.as_str()).all("tag", set).none("tag", removed).done()
        }
        Op::ModelVersionStaged { version, stage } => Writes::on(Kind::ModelVersion, version.as_str()).put("stage", stage).done(),
        Op::CardEdited { version, section, text, base } => {
            Writes::on(Kind::ModelVersion, version.as_str()).edit("card", section, text.as_str().to_owned(), base).done()
        }

        Op::NoteCreated { note, about, title, text, update } => Writes::on(Kind::Note, note.as_str())
            .record(Some(&subject_key(about)))
            .edit("content", "", json!({ "title": title, "text": text, "update": update }).to_string(), &[])
            .done(),
        Op::NoteEdited { note, title, text, base, update } => Writes::on(Kind::Note, note.as_str())
            .edit("content", "", json!({ "title": title, "text": text, "update": update }).to_string(), base)
            .done(),
        Op::ViewCreated { view, project, name, state } => Writes::on(Kind::View, view.as_str())
            .record(project.as_ref().map(ProjectId::as_str))
            .edit("state", "", json!({ "name": name, "state": state }).to_string(), &[])
            .done(),
        Op::ViewEdited { view, name, state, base } => {
            Writes::on(Kind::View, view.as_str()).edit("state", "", json!({ "name": name, "state": state }).to_string(), base).done()
        }
        Op::NoteFrozen { note, digest, size } => {
            Writes::on(Kind::Note, note.as_str()).put_key("frozen", digest.as_str(), Some(json!({ "size": size }).to_string())).done()
        }
        Op::PanelCreated { panel, about, state } => Writes::on(Kind::Panel, panel.as_str())
            .record(about.as_ref().map(subject_key).as_deref())
            .edit("state", "", state.as_str().to_owned(), &[])
            .done(),
        Op::PanelEdited { panel, state, base } => {
            Writes::on(Kind::Panel, panel.as_str()).edit("state", "", state.as_str().to_owned(), base).done()
        }
        Op::PinCreated { pin, run, metric, step, text } => Writes::on(Kind::Pin, pin.as_str())
            .record(Some(run.as_str()))
            .put("metric", metric.as_str())
            .put("step", step.to_string())
            .edit("text", "", text.as_str().to_owned(), &[])
            .done(),
        Op::PinEdited { pin, text, base } => Writes::on(Kind::Pin, pin.as_str()).edit("text", "", text.as_str().to_owned(), base).done(),
        Op::TemplateSaved { template, text, base } => {
            Writes::on(Kind::Template, template.as_str()).record(None).edit("text", "", text.as_str().to_owned(), base).done()
        }
        Op::RecordAttached { subject, name, digest, size } => Writes::on(subject.kind, subject.id.clone())
            // By content: two files of one name are both there.
            .put_key("attachment", digest.as_str(), Some(json!({ "name": name, "size": size }).to_string()))
            .done(),
        Op::CommentWritten { comment, about, anchor, text, reply_to, asks } => Writes::on(Kind::Comment, comment.as_str())
            .record(Some(&subject_key(about)))
            .put("anchor", anchor)
            .put_key("reply_to", "", reply_to.as_ref().map(ToString::to_string))
            .put_key("asks", "", asks.as_ref().map(|p| json!(p).to_string()))
            .edit("text", "", text.as_str().to_owned(), &[])
            .done(),
        Op::CommentEdited { comment, text, base } => {
            Writes::on(Kind::Comment, comment.as_str()).edit("text", "", text.as_str().to_owned(), base).done()
        }
        Op::MonitorPlanned { monitor, project, plan, base } => Writes::on(Kind::Monitor, monitor.as_str())
            .record(Some(project.as_str()))
            .edit("plan", "", json!(plan).to_string(), base)
            .done(),
        Op::MonitorReported { monitor, value, at_ms, source } => Writes::on(Kind::Monitor, monitor.as_str())
            .put("reading", json!({ "value": value, "at_ms": at_ms, "source": source }).to_string())
            .done(),
        Op::MaturityAssessed { assessment, model, answers } => Writes::on(Kind::Assessment, assessment.as_str())
            .record(None)
            .put("model", model)
            .put("answers", json!(answers).to_string())
            .done(),
        Op::CommentResolved { comment } => Writes::on(Kind::Comment, comment.as_str()).put("resolved", "1").done(),
        Op::CommentReopened { comment } => Writes::on(Kind::Comment, comment.as_str()).put_key("resolved", "", None).done(),

        Op::CriteriaWritten { criteria, project, cycle, list, replaces } => Writes::on(Kind::Criteria, criteria.as_str())
            .record(Some(project.as_str()))
            .put("cycle", cycle.to_string())
            .put("list", json!(list).to_string())
            .put("replaces", json!(replaces).to_string())
            .done(),
        Op::CriteriaSigned { criteria, signoff, role, statement, signature } => Writes::on(Kind::Signoff, signoff)
            .record(Some(criteria.as_str()))
            .put("decision", "approved")
            .put("role", role.as_str())
            .put("statement", statement)
            .put("signature", signature)
            .done(),
        Op::FindingRaised { finding, project, title, text, severity, about } => Writes::on(Kind::Finding, finding.as_str())
            .record(Some(project.as_str()))
            .edit("content", "", json!({ "title": title, "text": text }).to_string(), &[])
            .put("severity", severity.as_str())
            .put_key("about", "", about.as_ref().map(subject_key))
            .done(),
        Op::FindingEdited { finding, title, text, base } => Writes::on(Kind::Finding, finding.as_str())
            .edit("content", "", json!({ "title": title, "text": text }).to_string(), base)
            .done(),
        Op::FindingGraded { finding, severity } => Writes::on(Kind::Finding, finding.as_str()).put("severity", severity.as_str()).done(),
        Op::FindingAssigned { finding, to, due } => Writes::on(Kind::Finding, finding.as_str())
            .put_key("assigned", "", to.as_ref().map(|p| json!(p).to_string()))
            .put_key("due", "", due.as_ref().map(|d| d.as_str().to_owned()))
            .done(),
        Op::FindingSettled { finding, outcome } => Writes::on(Kind::Finding, finding.as_str()).put("outcome", outcome.as_str()).done(),
        Op::FindingReopened { finding } => Writes::on(Kind::Finding, finding.as_str()).put_key("outcome", "", None).done(),

        // Every change creates the record: a setting has no other beginning.
        Op::SettingChanged { setting, value } => {
            Writes::on(Kind::Setting, setting.as_str()).record(None).put("value", value.as_str()).done()
        }
        Op::ChecklistStarted { checklist, project, gate, template, cycle } => Writes::on(Kind::Checklist, checklist.as_str())
            .record(Some(project.as_str()))
            .put("gate", gate)
            .put("template", template)
            .put("cycle", cycle.to_string())
            .put("state", "open")
            .done(),
        Op::ChecklistPickedUp { checklist, member } => {
            Writes::on(Kind::Checklist, checklist.as_str()).put("holder", member.as_str()).put("state", "picked_up").done()
        }
        Op::ChecklistItemDone { checklist, item, comment, evidence } => Writes::on(Kind::Checklist, checklist.as_str())
            .put_key("item", item, Some(json!({ "comment": comment, "evidence": evidence }).to_string()))
            .done(),
        Op::ChecklistItemReopened { checklist, item } => Writes::on(Kind::Checklist, checklist.as_str()).put_key("item", item, None).done(),
        Op::ChecklistHandedBack { checklist } => {
            Writes::on(Kind::Checklist, checklist.as_str()).put_key("holder", "", None).put("state", "handed_back").done()
        }
        Op::ChecklistCompleted { checklist } => Writes::on(Kind::Checklist, checklist.as_str()).put("state", "completed").done(),
        Op::ChecklistAssigned { checklist, item, to } => {
            Writes::on(Kind::Checklist, checklist.as_str()).put_key("assigned", item, to.as_ref().map(|p| json!(p).to_string())).done()
        }
        Op::ChecklistDueSet { checklist, item, due } => {
            Writes::on(Kind::Checklist, checklist.as_str()).put_key("due", item, due.as_ref().map(|d| d.as_str().to_owned())).done()
        }
        Op::ChecklistBlocked { checklist } => Writes::on(Kind::Checklist, checklist.as_str()).put("blocked", "1").done(),
        Op::ChecklistUnblocked { checklist } => Writes::on(Kind::Checklist, checklist.as_str()).put_key("blocked", "", None).done(),
        Op::ChecklistReceived { checklist, member } => {
            Writes::on(Kind::Checklist, checklist.as_str()).put("receiver", member.as_str()).put("state", "received").done()
        }
        Op::ChecklistAccepted { checklist } => Writes::on(Kind::Checklist, checklist.as_str()).put("state", "accepted").done(),

        Op::ReleaseRequested { release, project, version, policy, policy_digest } => Writes::on(Kind::Release, release.as_str())
            .record(Some(project.as_str()))
            .put("version", version.as_str())
            .put("policy", policy)
            .put("policy_digest", policy_digest.as_str())
            .done(),
        Op::ReleaseSigned { release, signoff, decision, role, statement, signature } => Writes::on(Kind::Signoff, signoff)
            .record(Some(release.as_str()))
            .put("decision", decision.as_str())
            .put("role", role.as_str())
            .put("statement", statement)
            .put("signature", signature)
            .done(),
        Op::ReleaseSubmitted { release, project, version, frozen, answers } => Writes::on(Kind::Release, release.as_str())
            .record(Some(project.as_str()))
            .put("version", version.as_str())
            .put("policy", &frozen.policy)
            .put("policy_digest", frozen.policy_digest.as_str())
            .put("frozen", json!(frozen).to_string())
            .put("answers", json!(answers).to_string())
            .done(),
        Op::ReleaseDecided { release, signoff, decision, role, statement, signature, page, page_size } => {
            Writes::on(Kind::Signoff, signoff)
                .record(Some(release.as_str()))
                .put("decision", decision.as_str())
                .put("role", role.as_str())
                .put("statement", statement)
                .put("signature", signature)
                .put("page", json!({ "digest": page, "size": page_size }).to_string())
                .done()
        }
        Op::ReleaseAnswered { release, challenge, role } => {
            Writes::on(Kind::Release, release.as_str()).put_key("answered", challenge.to_string(), Some(role.as_str().to_owned())).done()
        }
        Op::ReleaseWithdrawn { release } => Writes::on(Kind::Release, release.as_str()).put("withdrawn", "1").done(),
        Op::DeploymentRecorded { deployment, project, version, release, environment } => Writes::on(Kind::Deployment, deployment.as_str())
            .record(Some(project.as_str()))
            .put("version", version.as_str())
            .put("environment", environment.as_str())
            .put_key("release", "", release.as_ref().map(ToString::to_string))
            .done(),

        // Beside the settings, because a kind of its own would be malformed to programs that do not know it.
        Op::RequestDeclined { device } => {
            Writes::on(Kind::Setting, "join_requests").record(None).put_key("declined", device.as_str(), Some("1".to_owned())).done()
        }
        Op::RecordDeleted { subject } if deletable(subject.kind) => Writes::on(subject.kind, subject.id.clone()).put("deleted", "1").done(),
        Op::RecordDeleted { .. } | Op::DeviceWitnessed {} => Vec::new(),
        Op::RecordRestored { subject } => Writes::on(subject.kind, subject.id.clone()).put_key("deleted", "", None).done(),
    }
}

/// What was decided or put into operation stays visible for ever.
fn deletable(kind: Kind) -> bool {
    !matches!(kind, Kind::Release | Kind::Signoff | Kind::Deployment | Kind::Segment | Kind::Setting | Kind::Criteria | Kind::Finding)
}

/// How a record is named where a plain key is needed: `project/0198…`.
pub fn subject_key(subject: &Subject) -> String {
    format!("{}/{}", subject.kind.as_str(), subject.id)
}

/// The record that an operation is mainly about, for the audit trail. None for authority.
pub fn subject(op: &Op) -> Option<Subject> {
    effects(op).into_iter().next().map(|effect| match effect {
        Effect::Record { kind, id, .. } | Effect::Cell { kind, id, .. } | Effect::Part { kind, id, .. } | Effect::Edit { kind, id, .. } => {
            Subject { kind, id }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ReleaseId;

    #[test]
    fn a_decision_cannot_be_deleted() {
        let subject = Subject { kind: Kind::Release, id: "r".into() };
        assert!(effects(&Op::RecordDeleted { subject }).is_empty(), "a rejected release stays visible for ever");
    }

    #[test]
    fn what_an_operation_is_about_is_its_record() {
        let op = Op::ReleaseWithdrawn { release: ReleaseId::parse("r9").unwrap() };
        assert_eq!(subject(&op), Some(Subject { kind: Kind::Release, id: "r9".into() }));
    }
}
