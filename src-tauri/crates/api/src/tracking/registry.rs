//! The model registry as MLflow's clients see it: models by name, versions by whole number.
//!
//! Its models are the workspace's models: a version that a script registers can get a card and go to
//! release. What a script sets here (stage, alias, tag, description) is a label and never an approval.

use super::files::artifacts_of;
use super::filter::{self, Expr, Field, Fields, Order};
use super::{TrackingError, validate};
use crate::host::Workspace;
use cairn_core::id::{Digest, LoggedModelId, ModelId, ModelVersionId, ProjectId, RunId};
use cairn_core::op::{Kind, Op, Subject};
use cairn_core::text::Title;
use cairn_store::records::Record;
use cairn_store::{Reader, Writer};
use std::collections::{BTreeMap, BTreeSet};

/// A registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredModel {
    pub name: String,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub description: String,
    pub tags: BTreeMap<String, String>,
    /// Alias and version number.
    pub aliases: Vec<(String, u32)>,
    /// The newest version of each stage.
    pub latest: Vec<ModelVersion>,
}

/// A version of a registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelVersion {
    pub id: String,
    pub name: String,
    pub number: u32,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub stage: String,
    pub description: String,
    pub source: String,
    pub run: String,
    pub run_link: String,
    pub logged_model: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub aliases: Vec<String>,
}

/// MLflow's stages; the first is that of a version that has none.
pub const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];
/// The tag of a prompt: MLflow keeps prompts among the models.
const PROMPT: &str = "mlflow.prompt.is_prompt";
const TAG_VALUE_MAX: usize = 100_000;

fn not_found(name: &str) -> TrackingError {
    TrackingError::NotFound(format!("Registered Model with name={name} not found"))
}

fn no_version(name: &str, version: &str) -> TrackingError {
    TrackingError::NotFound(format!("Model Version (name={name}, version={version}) not found"))
}

/// The project that a model belongs to, if it does.
pub(crate) fn project_of(model: &Record) -> Option<String> {
    model.get("project").map(str::to_owned).or_else(|| model.parent.clone())
}

pub(crate) fn is_prompt(model: &Record) -> bool {
    model.get_key("tag", PROMPT) == Some("true")
}

/// All that goes by one name. Two people who register a name at the same time make two records of it;
/// here they are one model.
pub(crate) struct Group {
    /// In the order of their creation; the first is the one that is written to.
    models: Vec<Record>,
    /// By number, without the deleted ones.
    pub(crate) versions: Vec<(u32, Record)>,
    next: u32,
}

impl Group {
    /// The group of a name; none if there is no such model.
    fn named(r: &Reader<'_>, name: &str) -> Result<Option<Self>, TrackingError> {
        let all = r.records(Kind::Model, None)?;
        let same = all.into_iter().filter(|m| !m.deleted() && m.get("name") == Some(name)).collect();
        Self::among(r, same)
    }

    /// Of models of one name. Two projects may each have one: those are two, and the older one is meant.
    fn among(r: &Reader<'_>, mut models: Vec<Record>) -> Result<Option<Self>, TrackingError> {
        let project = models.iter().find_map(project_of);
        models.retain(|m| project_of(m).is_none_or(|p| project.as_ref() == Some(&p)));
        if models.is_empty() { Ok(None) } else { Self::of(r, models).map(Some) }
    }

    /// The group that a model is in.
    pub(crate) fn around(r: &Reader<'_>, model: &Record) -> Result<Self, TrackingError> {
        match Self::named(r, &model.text("name"))? {
            Some(group) if group.models.iter().any(|m| m.id == model.id) => Ok(group),
            Some(_) | None => Self::of(r, vec![model.clone()]),
        }
    }

    fn of(r: &Reader<'_>, models: Vec<Record>) -> Result<Self, TrackingError> {
        let mut claimed = Vec::new();
        for model in &models {
            claimed.extend(r.records(Kind::ModelVersion, Some(&model.id))?);
        }
        let numbers = numbered(&claimed);
        let next = numbers.values().max().copied().unwrap_or(0).saturating_add(1);
        let mut versions: Vec<(u32, Record)> =
            claimed.into_iter().filter(|v| !v.deleted()).map(|v| (numbers.get(&v.id).copied().unwrap_or(0), v)).collect();
        versions.sort_by_key(|(number, _)| *number);
        Ok(Self { models, versions, next })
    }

    fn first(&self) -> Result<&Record, TrackingError> {
        self.models.first().ok_or_else(|| not_found(""))
    }

    pub(crate) fn id(&self) -> Result<ModelId, TrackingError> {
        Ok(ModelId::parse(self.first()?.id.clone())?)
    }

    /// The number that the next version gets.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    fn name(&self) -> String {
        self.models.first().map(|m| m.text("name")).unwrap_or_default()
    }

    /// Alias and version; where two were set at the same time the later one holds.
    fn aliases(&self) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, (i64, String)> = BTreeMap::new();
        for (alias, cell) in self.models.iter().flat_map(|m| m.cells.of("alias")) {
            let newer = found.get(alias).is_none_or(|(at, _)| *at < cell.at_ms);
            if newer {
                found.insert(alias.to_owned(), (cell.at_ms, cell.value.clone()));
            }
        }
        found.into_iter().map(|(alias, (_, version))| (alias, version)).collect()
    }

    fn version(&self, number: &str) -> Result<&(u32, Record), TrackingError> {
        let parsed: u32 =
            number.parse().map_err(|_| TrackingError::Invalid(format!("Parameter 'version' must be an integer, got '{number}'.")))?;
        self.versions.iter().find(|(n, _)| *n == parsed).ok_or_else(|| no_version(&self.name(), number))
    }

    fn version_view(&self, (number, v): &(u32, Record)) -> ModelVersion {
        let aliases = self.aliases().into_iter().filter(|(_, id)| *id == v.id).map(|(alias, _)| alias).collect();
        ModelVersion {
            id: v.id.clone(),
            name: self.name(),
            number: *number,
            created_ms: v.at_ms,
            updated_ms: updated(v).max(v.at_ms),
            stage: v.get("stage").unwrap_or(STAGES[0]).to_owned(),
            description: v.text("description"),
            source: v.get("source").map_or_else(|| format!("runs:/{}", v.text("run")), str::to_owned),
            run: v.text("run"),
            run_link: v.text("run_link"),
            logged_model: v.get("logged_model").map(str::to_owned),
            tags: v.pairs("tag"),
            aliases,
        }
    }

    fn view(&self) -> RegisteredModel {
        let versions: Vec<ModelVersion> = self.versions.iter().map(|v| self.version_view(v)).collect();
        let created_ms = self.models.iter().map(|m| m.at_ms).min().unwrap_or(0);
        let numbers: BTreeMap<&str, u32> = self.versions.iter().map(|(n, v)| (v.id.as_str(), *n)).collect();
        let mut tags = BTreeMap::new();
        for model in self.models.iter().rev() {
            tags.extend(model.pairs("tag"));
        }
        RegisteredModel {
            name: self.name(),
            created_ms,
            updated_ms: self.models.iter().map(updated).chain(versions.iter().map(|v| v.created_ms)).max().unwrap_or(created_ms),
            description: self.models.iter().map(|m| m.text("description")).find(|d| !d.is_empty()).unwrap_or_default(),
            tags,
            aliases: self.aliases().into_iter().filter_map(|(alias, id)| Some((alias, *numbers.get(id.as_str())?))).collect(),
            latest: latest(&versions, &STAGES),
        }
    }
}

/// The newest version of each stage.
fn latest(versions: &[ModelVersion], stages: &[&str]) -> Vec<ModelVersion> {
    stages.iter().filter_map(|stage| versions.iter().rev().find(|v| v.stage == *stage).cloned()).collect()
}

fn updated(record: &Record) -> i64 {
    record.cells.iter().map(|(_, _, c)| c.at_ms).max().unwrap_or(record.at_ms)
}

/// The numbers of versions. Each has the number that it claimed; of two that claimed one at the same
/// time the older keeps it and the other gets the next free one, the same on every computer.
pub(crate) fn numbered(versions: &[Record]) -> BTreeMap<String, u32> {
    let claim = |v: &Record| v.int("number").and_then(|n| u32::try_from(n).ok()).unwrap_or(0).max(1);
    let mut next = versions.iter().map(claim).max().unwrap_or(0);
    let mut taken = BTreeSet::new();
    let mut numbers = BTreeMap::new();
    let mut order: Vec<&Record> = versions.iter().collect();
    order.sort_by(|a, b| (a.at_ms, &a.id).cmp(&(b.at_ms, &b.id)));
    for version in order {
        let mut number = claim(version);
        if !taken.insert(number) {
            next = next.saturating_add(1);
            number = next;
            taken.insert(number);
        }
        numbers.insert(version.id.clone(), number);
    }
    numbers
}

fn group(r: &Reader<'_>, name: &str) -> Result<Group, TrackingError> {
    Group::named(r, name)?.ok_or_else(|| not_found(name))
}

fn model_name(name: &str) -> Result<Title, TrackingError> {
    if name.is_empty() {
        return Err(TrackingError::Invalid("Registered model name cannot be empty.".to_owned()));
    }
    if name.contains(['/', ':']) {
        return Err(TrackingError::Invalid(format!(
            "Invalid model name: '{name}'. Registered model names cannot contain the characters '/' and ':'."
        )));
    }
    Title::parse(name).map_err(|e| TrackingError::Invalid(format!("Invalid model name: '{name}'. {e}")))
}

fn alias_text(alias: &str) -> Result<(), TrackingError> {
    let good = alias.chars().count() <= 255 && alias.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') && !alias.is_empty();
    if !good {
        return Err(TrackingError::Invalid(format!(
            "Invalid alias name: '{alias}'. Aliases have letters, digits, '_' and '-', at most 255."
        )));
    }
    Ok(())
}

/// An alias that may be set: some words have a meaning of their own.
fn alias_name(alias: &str) -> Result<(), TrackingError> {
    alias_text(alias)?;
    if alias.eq_ignore_ascii_case("latest") {
        return Err(TrackingError::Invalid("'latest' alias name (case insensitive) is reserved.".to_owned()));
    }
    let number = alias.strip_prefix(['v', 'V']).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if number {
        return Err(TrackingError::Invalid(format!("Version alias name '{alias}' is reserved.")));
    }
    Ok(())
}

fn checked(tags: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, TrackingError> {
    for (key, value) in &tags {
        validate::name("key", key)?;
        if value.chars().count() > TAG_VALUE_MAX {
            return Err(TrackingError::Invalid(format!(
                "The value of the tag '{key}' exceeds the maximum length of {TAG_VALUE_MAX} characters"
            )));
        }
    }
    Ok(tags)
}

/// A model to register.
#[derive(Debug, Clone, Default)]
pub struct NewModel {
    pub name: String,
    pub description: String,
    pub tags: BTreeMap<String, String>,
}

pub fn create(workspace: &Workspace, new: NewModel) -> Result<RegisteredModel, TrackingError> {
    let name = model_name(&new.name)?;
    let tags = checked(new.tags)?;
    let model = ModelId::parse(workspace.edge.new_id())?;
    workspace.write(|w| {
        if Group::named(w, name.as_str())?.is_some() {
            return Err(TrackingError::AlreadyExists(format!("Registered Model (name={}) already exists.", name.as_str())));
        }
        w.append(Op::ModelRegistered { model: model.clone(), name: name.clone() })?;
        if !new.description.is_empty() {
            w.append(Op::ModelDescribed { model: model.clone(), description: new.description })?;
        }
        if !tags.is_empty() {
            w.append(Op::ModelTagged { model, set: tags, removed: Vec::new() })?;
        }
        Ok(group(w, name.as_str())?.view())
    })
}

pub fn get(workspace: &Workspace, name: &str) -> Result<RegisteredModel, TrackingError> {
    workspace.read(|r| Ok(group(r, name)?.view()))
}

/// Changes a model and gives it back as it is then.
fn change(
    workspace: &Workspace,
    name: &str,
    make: impl FnOnce(&mut Writer<'_>, &Group) -> Result<Vec<Op>, TrackingError>,
) -> Result<Group, TrackingError> {
    workspace.write(|w| {
        let before = group(w, name)?;
        for op in make(w, &before)? {
            let why = matches!(op, Op::RecordDeleted { .. }).then_some(super::BY_SCRIPT);
            w.append_why(op, why)?;
        }
        let ids: Vec<String> = before.models.iter().map(|m| m.id.clone()).collect();
        let mut models = Vec::new();
        for id in ids {
            models.extend(w.record(Kind::Model, &id)?);
        }
        Group::of(w, models)
    })
}

pub fn rename(workspace: &Workspace, name: &str, new_name: &str) -> Result<RegisteredModel, TrackingError> {
    let title = model_name(new_name)?;
    let done = change(workspace, name, |w, found| {
        if name != new_name && Group::named(w, new_name)?.is_some() {
            return Err(TrackingError::AlreadyExists(format!("Registered Model (name={new_name}) already exists.")));
        }
        let ids = found.models.iter().map(|m| ModelId::parse(m.id.clone())).collect::<Result<Vec<_>, _>>()?;
        Ok(ids.into_iter().map(|model| Op::ModelRenamed { model, name: title.clone() }).collect())
    })?;
    Ok(done.view())
}

pub fn describe(workspace: &Workspace, name: &str, description: String) -> Result<RegisteredModel, TrackingError> {
    Ok(change(workspace, name, |_, found| Ok(vec![Op::ModelDescribed { model: found.id()?, description }]))?.view())
}

/// What somebody was asked to decide on, or decided, is not deleted by a script.
fn may_go(w: &Writer<'_>, versions: &[&Record]) -> Result<(), TrackingError> {
    for release in w.records(Kind::Release, None)? {
        if versions.iter().any(|v| release.get("version") == Some(&v.id)) {
            return Err(TrackingError::Invalid(
                "This version has a release request in Cairn and cannot be deleted. What was decided stays on record.".to_owned(),
            ));
        }
    }
    Ok(())
}

pub fn delete(workspace: &Workspace, name: &str) -> Result<(), TrackingError> {
    change(workspace, name, |w, found| {
        let versions: Vec<&Record> = found.versions.iter().map(|(_, v)| v).collect();
        may_go(w, &versions)?;
        let gone = |kind, id: &String| Op::RecordDeleted { subject: Subject { kind, id: id.clone() } };
        let models = found.models.iter().map(|m| gone(Kind::Model, &m.id));
        Ok(versions.iter().map(|v| gone(Kind::ModelVersion, &v.id)).chain(models).collect())
    })
    .map(drop)
}

pub fn set_tag(workspace: &Workspace, name: &str, key: &str, value: String) -> Result<(), TrackingError> {
    let set = checked([(key.to_owned(), value)].into())?;
    change(workspace, name, |_, found| Ok(vec![Op::ModelTagged { model: found.id()?, set, removed: Vec::new() }])).map(drop)
}

pub fn delete_tag(workspace: &Workspace, name: &str, key: &str) -> Result<(), TrackingError> {
    change(workspace, name, |_, found| {
        let ids = found.models.iter().map(|m| ModelId::parse(m.id.clone())).collect::<Result<Vec<_>, _>>()?;
        Ok(ids.into_iter().map(|model| Op::ModelTagged { model, set: BTreeMap::new(), removed: vec![key.to_owned()] }).collect())
    })
    .map(drop)
}

pub fn set_alias(workspace: &Workspace, name: &str, alias: &str, version: &str) -> Result<(), TrackingError> {
    alias_name(alias)?;
    change(workspace, name, |_, found| {
        let version = ModelVersionId::parse(found.version(version)?.1.id.clone())?;
        Ok(vec![Op::ModelAliasSet { model: found.id()?, alias: alias.to_owned(), version: Some(version) }])
    })
    .map(drop)
}

pub fn delete_alias(workspace: &Workspace, name: &str, alias: &str) -> Result<(), TrackingError> {
    alias_text(alias)?;
    change(workspace, name, |_, found| {
        let with = found.models.iter().filter(|m| m.get_key("alias", alias).is_some());
        let ids = with.map(|m| ModelId::parse(m.id.clone())).collect::<Result<Vec<_>, _>>()?;
        Ok(ids.into_iter().map(|model| Op::ModelAliasSet { model, alias: alias.to_owned(), version: None }).collect())
    })
    .map(drop)
}

pub fn by_alias(workspace: &Workspace, name: &str, alias: &str) -> Result<ModelVersion, TrackingError> {
    alias_text(alias)?;
    workspace.read(|r| {
        let found = group(r, name)?;
        let missing = || TrackingError::Invalid(format!("Registered model alias {alias} not found."));
        // As MLflow's client expects, `latest` is the newest version.
        if alias.eq_ignore_ascii_case("latest") {
            let none = || TrackingError::NotFound(format!("Latest version not found for model {name}."));
            return found.versions.last().map(|v| found.version_view(v)).ok_or_else(none);
        }
        let id = found.aliases().remove(alias).ok_or_else(missing)?;
        found.versions.iter().find(|(_, v)| v.id == id).map(|v| found.version_view(v)).ok_or_else(missing)
    })
}

pub fn latest_versions(workspace: &Workspace, name: &str, stages: &[String]) -> Result<Vec<ModelVersion>, TrackingError> {
    let wanted: Vec<&str> =
        if stages.is_empty() { STAGES.to_vec() } else { stages.iter().map(|s| stage(s)).collect::<Result<Vec<_>, _>>()? };
    workspace.read(|r| {
        let found = group(r, name)?;
        let versions: Vec<ModelVersion> = found.versions.iter().map(|v| found.version_view(v)).collect();
        Ok(latest(&versions, &wanted))
    })
}

fn stage(name: &str) -> Result<&'static str, TrackingError> {
    STAGES
        .into_iter()
        .find(|s| s.eq_ignore_ascii_case(name))
        .ok_or_else(|| TrackingError::Invalid(format!("Invalid Model Version stage: {name}. Value must be one of {}.", STAGES.join(", "))))
}

/// A version to register.
#[derive(Debug, Clone, Default)]
pub struct NewVersion {
    pub name: String,
    pub source: String,
    pub run: Option<String>,
    pub run_link: String,
    pub logged_model: Option<String>,
    pub description: String,
    pub tags: BTreeMap<String, String>,
}

/// What a source stands for.
#[derive(Default)]
struct Found {
    files: BTreeMap<String, Digest>,
    run: Option<String>,
    logged_model: Option<String>,
}

fn files_below(owner: &Record, folder: &str) -> BTreeMap<String, Digest> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{}/", folder.trim_matches('/')) };
    let below = artifacts_of(owner).into_iter().filter_map(|a| Some((a.path.strip_prefix(&prefix)?.to_owned(), a.digest)));
    // Of a model with a file that nobody has a fingerprint of, nobody can approve the content: no digests at all.
    below.map(|(path, digest)| digest.map(|d| (path, d))).collect::<Option<_>>().unwrap_or_default()
}

fn of_logged_model(r: &Reader<'_>, id: &str) -> Result<Found, TrackingError> {
    let model = r
        .record(Kind::LoggedModel, id)?
        .filter(|m| !m.deleted())
        .ok_or_else(|| TrackingError::NotFound(format!("Logged model with ID '{id}' not found.")))?;
    Ok(Found { files: files_below(&model, ""), run: model.get("run").map(str::to_owned), logged_model: Some(model.id) })
}

/// The files that a source names, so that a version is frozen by their digests. A script may name what
/// it logged, another version, or an object store; never a path of this computer.
fn resolve(r: &Reader<'_>, source: &str, run: Option<&str>) -> Result<Found, TrackingError> {
    let invalid = |why: &str| TrackingError::Invalid(format!("Invalid model version source: '{source}'. {why}"));
    if let Some(rest) = source.strip_prefix("models:/") {
        if rest.starts_with("m-") {
            return of_logged_model(r, rest);
        }
        let (name, number) = rest.rsplit_once('/').ok_or_else(|| invalid("It names no version."))?;
        let found = group(r, name)?;
        let version = &found.version(number)?.1;
        return Ok(Found {
            files: serde_json::from_value(version.json("files")).unwrap_or_default(),
            run: version.get("run").map(str::to_owned),
            logged_model: version.get("logged_model").map(str::to_owned),
        });
    }
    let path = source.strip_prefix("mlflow-artifacts:").or_else(|| source.strip_prefix("runs:"));
    if let Some(path) = path {
        let path = path.trim_start_matches('/');
        validate::artifact_path(path.trim_end_matches('/')).map_err(|_| invalid("It leaves its folder."))?;
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let (owner, rest) = match parts.as_slice() {
            [id, rest @ ..] if source.starts_with("runs:") => (*id, rest),
            [_, "models", id, "artifacts", ..] => return of_logged_model(r, id),
            [_, id, "artifacts", rest @ ..] => (*id, rest),
            _ => return Err(invalid("It names no run and no logged model.")),
        };
        if run.is_some_and(|run| run != owner) {
            return Err(invalid("It is not contained within the artifact directory of the run."));
        }
        let record = r.record(Kind::Run, owner)?.ok_or_else(|| TrackingError::NotFound(format!("Run with id={owner} not found")))?;
        return Ok(Found { files: files_below(&record, &rest.join("/")), run: Some(record.id), logged_model: None });
    }
    match source.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() && !scheme.eq_ignore_ascii_case("file") => {
            if rest.split('/').any(|part| part == "..") || source.contains(['?', '#', '\\']) {
                return Err(invalid("It leaves its folder."));
            }
            Ok(Found { run: run.map(str::to_owned), ..Found::default() })
        }
        Some(_) | None => {
            Err(invalid("To use a local path as a model version source, log the files to a run first and register them from there."))
        }
    }
}

pub fn create_version(workspace: &Workspace, new: NewVersion) -> Result<ModelVersion, TrackingError> {
    let tags = checked(new.tags)?;
    let version = ModelVersionId::parse(workspace.edge.new_id())?;
    if new.source.is_empty() {
        return Err(TrackingError::Invalid("Missing value for required parameter 'source'.".to_owned()));
    }
    let made = change(workspace, &new.name, |w, found| {
        let run = new.run.as_deref().filter(|r| !r.is_empty());
        let mut what = resolve(w, &new.source, run)?;
        if let Some(run) = run {
            what.run = Some(run.to_owned());
        }
        if let Some(model) = new.logged_model.filter(|m| !m.is_empty()) {
            what.logged_model = Some(model);
        }
        let model = found.id()?;
        let mut ops = Vec::new();
        // The project of the experiment that it came from is its project.
        if let (None, Some(run)) = (project_of(found.first()?), &what.run)
            && let Some(experiment) = w.record(Kind::Run, run)?.and_then(|r| r.parent)
            && let Some(project) = w.record(Kind::Experiment, &experiment)?.and_then(|e| e.get("project").map(str::to_owned))
        {
            ops.push(Op::ModelLinked { model: model.clone(), project: Some(ProjectId::parse(project)?) });
        }
        ops.push(Op::ModelVersionRegistered {
            version: version.clone(),
            model,
            number: found.next(),
            source: new.source.clone(),
            run: what.run.map(RunId::parse).transpose()?,
            logged_model: what.logged_model.map(LoggedModelId::parse).transpose()?,
            run_link: new.run_link,
            files: what.files,
        });
        if !new.description.is_empty() {
            ops.push(Op::ModelVersionDescribed { version: version.clone(), description: new.description });
        }
        if !tags.is_empty() {
            ops.push(Op::ModelVersionTagged { version: version.clone(), set: tags, removed: Vec::new() });
        }
        Ok(ops)
    })?;
    made.versions
        .iter()
        .find(|(_, v)| v.id == version.as_str())
        .map(|v| made.version_view(v))
        .ok_or_else(|| TrackingError::Internal("the version that was just made is not there".to_owned()))
}

pub fn version(workspace: &Workspace, name: &str, number: &str) -> Result<ModelVersion, TrackingError> {
    workspace.read(|r| {
        // A model that is not there has no version: MLflow's answer names both.
        let Some(found) = Group::named(r, name)? else { return Err(no_version(name, number)) };
        Ok(found.version_view(found.version(number)?))
    })
}

fn change_version(
    workspace: &Workspace,
    name: &str,
    number: &str,
    make: impl FnOnce(&Group, ModelVersionId, &Record) -> Result<Vec<Op>, TrackingError>,
) -> Result<ModelVersion, TrackingError> {
    let mut id = String::new();
    let done = change(workspace, name, |_, found| {
        let (_, record) = found.version(number)?;
        id.clone_from(&record.id);
        make(found, ModelVersionId::parse(record.id.clone())?, record)
    })
    .map_err(|error| match error {
        // No model, no version.
        TrackingError::NotFound(message) if message.starts_with("Registered Model") => no_version(name, number),
        other => other,
    })?;
    done.versions.iter().find(|(_, v)| v.id == id).map(|v| done.version_view(v)).ok_or_else(|| no_version(name, number))
}

pub fn describe_version(workspace: &Workspace, name: &str, number: &str, description: String) -> Result<ModelVersion, TrackingError> {
    change_version(workspace, name, number, |_, version, _| Ok(vec![Op::ModelVersionDescribed { version, description }]))
}

pub fn set_version_tag(workspace: &Workspace, name: &str, number: &str, key: &str, value: String) -> Result<(), TrackingError> {
    let set = checked([(key.to_owned(), value)].into())?;
    change_version(workspace, name, number, |_, version, _| Ok(vec![Op::ModelVersionTagged { version, set, removed: Vec::new() }]))
        .map(drop)
}

pub fn delete_version_tag(workspace: &Workspace, name: &str, number: &str, key: &str) -> Result<(), TrackingError> {
    let removed = vec![key.to_owned()];
    change_version(workspace, name, number, |_, version, _| Ok(vec![Op::ModelVersionTagged { version, set: BTreeMap::new(), removed }]))
        .map(drop)
}

/// What becomes of the versions that were in a stage before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    Stay,
    Archived,
}

pub fn transition(workspace: &Workspace, name: &str, number: &str, to: &str, others: Others) -> Result<ModelVersion, TrackingError> {
    let to = stage(to)?;
    if others == Others::Archived && matches!(to, "None" | "Archived") {
        return Err(TrackingError::Invalid(format!(
            "Model version transition cannot archive existing model versions because '{to}' is not an Active stage. Valid stages are Staging, Production"
        )));
    }
    change_version(workspace, name, number, |found, version, _| {
        let mut ops = Vec::new();
        if others == Others::Archived {
            for (_, v) in found.versions.iter().filter(|(_, v)| v.id != version.as_str() && v.get("stage") == Some(to)) {
                ops.push(Op::ModelVersionStaged { version: ModelVersionId::parse(v.id.clone())?, stage: "Archived".to_owned() });
            }
        }
        ops.push(Op::ModelVersionStaged { version, stage: to.to_owned() });
        Ok(ops)
    })
}

pub fn delete_version(workspace: &Workspace, name: &str, number: &str) -> Result<(), TrackingError> {
    change(workspace, name, |w, found| {
        let (_, record) = found.version(number)?;
        may_go(w, &[record])?;
        let aliases = found.aliases().into_iter().filter(|(_, id)| *id == record.id).map(|(alias, _)| alias);
        let model = found.id()?;
        let mut ops: Vec<Op> = aliases.map(|alias| Op::ModelAliasSet { model: model.clone(), alias, version: None }).collect();
        ops.push(Op::RecordDeleted { subject: Subject { kind: Kind::ModelVersion, id: record.id.clone() } });
        Ok(ops)
    })
    .map(drop)
}

/// Where a client gets the files of a version.
pub fn download_uri(workspace: &Workspace, name: &str, number: &str) -> Result<String, TrackingError> {
    workspace.read(|r| {
        let (mut name, mut number) = (name.to_owned(), number.to_owned());
        // A copy of a copy ends somewhere; a circle cannot be made, but would end here too.
        for _ in 0..64 {
            let found = Group::named(r, &name)?.ok_or_else(|| no_version(&name, &number))?;
            let version = found.version_view(found.version(&number)?);
            let of = |experiment: Option<&str>| Ok::<_, TrackingError>(r.experiment_number(experiment.unwrap_or_default())?.unwrap_or(-1));
            if let Some(rest) = version.source.strip_prefix("models:/") {
                if rest.starts_with("m-") {
                    let model = r.record(Kind::LoggedModel, rest)?.ok_or_else(|| no_version(&name, &number))?;
                    return Ok(format!("mlflow-artifacts:/{}/models/{rest}/artifacts", of(model.parent.as_deref())?));
                }
                let Some((next, n)) = rest.rsplit_once('/') else { break };
                (name, number) = (next.to_owned(), n.to_owned());
                continue;
            }
            if let Some(rest) = version.source.strip_prefix("runs:/") {
                let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
                let run = r.record(Kind::Run, id)?.ok_or_else(|| no_version(&name, &number))?;
                // A version that was made in the window: the folder of its files is that of its model.
                let outputs = run.pairs("output");
                if path.is_empty()
                    && let Some(model) = outputs.keys().next()
                {
                    return Ok(format!("mlflow-artifacts:/{}/models/{model}/artifacts", of(run.parent.as_deref())?));
                }
                let path = if path.is_empty() { model_folder(&run) } else { path.to_owned() };
                return Ok(format!("mlflow-artifacts:/{}/{id}/artifacts/{path}", of(run.parent.as_deref())?)
                    .trim_end_matches('/')
                    .to_owned());
            }
            return Ok(version.source);
        }
        Err(no_version(&name, &number))
    })
}

fn model_folder(run: &Record) -> String {
    artifacts_of(run).iter().find_map(|a| a.path.strip_suffix("/MLmodel").map(str::to_owned)).unwrap_or_default()
}

impl Fields for RegisteredModel {
    fn text(&self, field: &Field) -> Option<String> {
        match field {
            Field::Text("name") => Some(self.name.clone()),
            Field::Tag(key) => self.tags.get(key).cloned(),
            _ => None,
        }
    }

    fn number(&self, field: &Field) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // times stay below 2^53
        match field {
            Field::Number("creation_timestamp") => Some(self.created_ms as f64),
            Field::Number("last_updated_timestamp") => Some(self.updated_ms as f64),
            _ => None,
        }
    }
}

impl Fields for ModelVersion {
    fn text(&self, field: &Field) -> Option<String> {
        match field {
            Field::Text("name") => Some(self.name.clone()),
            Field::Text("run_id") => Some(self.run.clone()),
            Field::Text("source_path") => Some(self.source.clone()),
            Field::Tag(key) => self.tags.get(key).cloned(),
            _ => None,
        }
    }

    fn number(&self, field: &Field) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // times stay below 2^53
        match field {
            Field::Number("version_number") => Some(f64::from(self.number)),
            Field::Number("creation_timestamp") => Some(self.created_ms as f64),
            Field::Number("last_updated_timestamp") => Some(self.updated_ms as f64),
            _ => None,
        }
    }
}

fn groups(r: &Reader<'_>) -> Result<Vec<Group>, TrackingError> {
    let mut by_name: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for model in r.records(Kind::Model, None)?.into_iter().filter(|m| !m.deleted()) {
        by_name.entry(model.text("name")).or_default().push(model);
    }
    by_name.into_values().map(|models| Group::among(r, models)).filter_map(Result::transpose).collect()
}

/// The models that a filter finds, by name where nothing else is asked.
pub fn search(workspace: &Workspace, wanted: &Expr, orders: &[Order]) -> Result<Vec<RegisteredModel>, TrackingError> {
    let mut found: Vec<RegisteredModel> = workspace.read(|r| Ok::<_, TrackingError>(groups(r)?.iter().map(Group::view).collect()))?;
    found.retain(|m| filter::holds(wanted, m));
    found.sort_by(|a, b| filter::compare(a, b, orders).then_with(|| a.name.cmp(&b.name)));
    Ok(found)
}

/// The versions that a filter finds, last changed first where nothing else is asked.
pub fn search_versions(workspace: &Workspace, wanted: &Expr, orders: &[Order]) -> Result<Vec<ModelVersion>, TrackingError> {
    let mut found: Vec<ModelVersion> = workspace.read(|r| {
        Ok::<_, TrackingError>(groups(r)?.iter().flat_map(|g| g.versions.iter().map(|v| g.version_view(v)).collect::<Vec<_>>()).collect())
    })?;
    found.retain(|v| filter::holds(wanted, v));
    found.sort_by(|a, b| {
        let default = || b.updated_ms.cmp(&a.updated_ms).then_with(|| a.name.cmp(&b.name)).then_with(|| b.number.cmp(&a.number));
        filter::compare(a, b, orders).then_with(default)
    });
    Ok(found)
}
