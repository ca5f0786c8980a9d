//! Models and their versions: made from a run, frozen by digest, with a card drafted from the run.

use crate::error::{body, title};
use crate::host::Host;
use crate::people::{Person, person_at};
use crate::projects::ProjectRef;
use crate::releases::{self, Judged};
use crate::tracking::files::{Artifact, artifacts_of};
use crate::tracking::registry::{Group, is_prompt, project_of};
use crate::tracking::runs::{Run, view as run_view};
use crate::workspaces::Nothing;
use crate::{ApiError, cards};
use cairn_core::canonical::manifest_digest;
use cairn_core::id::{DatasetVersionId, Digest, ModelId, ModelVersionId, ProjectId, RunId};
use cairn_core::op::{Kind, Op};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Model {
    pub id: String,
    pub name: String,
    /// None: a script registered it, and nobody has linked it to a project.
    pub project: Option<String>,
    pub aliases: Vec<Alias>,
    /// Newest first.
    pub versions: Vec<ModelVersion>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Alias {
    pub alias: String,
    pub version: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ModelVersion {
    pub id: String,
    pub model: String,
    pub model_name: String,
    pub project: String,
    pub number: u32,
    /// MLflow's stage, a label that a script set. No approval.
    pub stage: Option<String>,
    pub description: String,
    pub tags: BTreeMap<String, String>,
    /// Empty: it was registered from elsewhere than a run.
    pub run: String,
    pub run_name: String,
    pub files: Vec<ModelFile>,
    /// Over all files: what "this model" means in a signature.
    pub digest: String,
    pub datasets: Vec<DatasetLink>,
    pub card_missing: Vec<String>,
    pub by: Person,
    pub at_ms: i64,
    /// The newest release's state, if there is one.
    pub release: Option<String>,
    pub environments: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ModelFile {
    pub path: String,
    pub digest: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DatasetLink {
    pub id: String,
    pub title: String,
    pub digest: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RegisterVersion {
    pub project: String,
    /// An existing model's name makes this its next version.
    pub model: String,
    pub run: String,
    /// The dataset versions that it was trained and tested on.
    pub datasets: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LinkModel {
    pub model: String,
    pub project: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetAlias {
    pub model: String,
    pub alias: String,
    /// None: take the alias away.
    #[serde(default)]
    #[ts(optional)]
    pub version: Option<String>,
}

pub fn list(host: &Host, request: ProjectRef) -> Result<Vec<Model>, ApiError> {
    host.workspace()?.read(|r| of_project(r, &request.project)?.iter().map(|m| model_view(r, m)).collect())
}

/// The models of a project: those that were made in it, and those that scripts registered and
/// somebody linked to it.
pub(crate) fn of_project(r: &Reader<'_>, project: &str) -> Result<Vec<Record>, ApiError> {
    let mut found = r.records(Kind::Model, None)?;
    found.retain(|m| !m.deleted() && project_of(m).as_deref() == Some(project));
    Ok(found)
}

/// The models that scripts registered and that belong to no project yet. Prompts are none.
pub fn loose(host: &Host, _: Nothing) -> Result<Vec<Model>, ApiError> {
    host.workspace()?.read(|r| {
        let found = r.records(Kind::Model, None)?;
        found.iter().filter(|m| !m.deleted() && project_of(m).is_none() && !is_prompt(m)).map(|m| model_view(r, m)).collect()
    })
}

/// Makes a model that a script registered part of a project, where its versions get cards and releases.
pub fn link(host: &Host, request: LinkModel) -> Result<Model, ApiError> {
    let workspace = host.workspace()?;
    let model = ModelId::parse(request.model)?;
    let project = ProjectId::parse(request.project)?;
    workspace.write(|w| {
        let record = w.require(Kind::Model, model.as_str())?;
        w.require(Kind::Project, project.as_str())?;
        // A decision belongs to the project that it was made in.
        if let Some(before) = project_of(&record).filter(|p| p != project.as_str()) {
            for release in w.records(Kind::Release, Some(&before))? {
                let of = w.require(Kind::ModelVersion, &release.text("version"))?;
                if of.parent.as_deref() == Some(model.as_str()) {
                    return Err(ApiError::conflict("A release of this model was requested in its project; it stays there"));
                }
            }
        }
        w.append(Op::ModelLinked { model: model.clone(), project: Some(project) }).map(drop).map_err(ApiError::from)
    })?;
    workspace.read(|r| model_view(r, &r.require(Kind::Model, model.as_str())?))
}

pub fn version(host: &Host, request: cards::VersionRef) -> Result<ModelVersion, ApiError> {
    host.workspace()?.read(|r| version_view(r, &r.require(Kind::ModelVersion, &request.version)?))
}

/// Makes a version from a run: its files by digest, its datasets, and a first draft of its card.
pub fn register(host: &Host, request: RegisterVersion) -> Result<ModelVersion, ApiError> {
    let workspace = host.workspace()?;
    let name = title("Name of the model", &request.model)?;
    let project = ProjectId::parse(request.project)?;
    let run_id = RunId::parse(request.run)?;
    let version = ModelVersionId::parse(workspace.edge.new_id())?;
    let fresh = ModelId::parse(workspace.edge.new_id())?;
    let datasets = request.datasets.into_iter().map(DatasetVersionId::parse).collect::<Result<Vec<_>, _>>()?;
    workspace.write(|w| {
        w.require(Kind::Project, project.as_str())?;
        let run = run_view(w, &w.require(Kind::Run, run_id.as_str())?).map_err(|e| ApiError::invalid(format!("{e:?}")))?;
        let files = model_files(w, &run)?;
        if files.is_empty() {
            return Err(ApiError::conflict("This run has no model files").hint(
                "Log the model in the training script, for example with mlflow.sklearn.log_model, and make the version from that run.",
            ));
        }
        let mut data = Vec::new();
        for id in &datasets {
            data.push(w.require(Kind::DatasetVersion, id.as_str())?);
        }
        let known = of_project(w, project.as_str())?;
        let (model, number) = match known.iter().find(|m| m.get("name") == Some(name.as_str())) {
            Some(found) => (ModelId::parse(found.id.clone())?, Group::around(w, found)?.next()),
            None => {
                w.append(Op::ModelCreated { model: fresh.clone(), project: project.clone(), name })?;
                (fresh, 1)
            }
        };
        w.append(Op::ModelVersionAdded { version: version.clone(), model, number, run: run_id, files, datasets: datasets.clone() })?;
        for (section, text) in draft(w, &run, &data)? {
            let text = body(&section, &text)?;
            w.append(Op::CardEdited { version: version.clone(), section, text, base: Vec::new() })?;
        }
        Ok::<_, ApiError>(())
    })?;
    self::version(host, cards::VersionRef { version: version.to_string() })
}

pub fn set_alias(host: &Host, request: SetAlias) -> Result<Model, ApiError> {
    let workspace = host.workspace()?;
    let alias = request.alias.trim().to_owned();
    let good =
        !alias.is_empty() && alias.len() <= 255 && alias.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') && alias != "latest";
    if !good {
        return Err(ApiError::invalid("An alias has letters, digits, '-' and '_', and is not \"latest\""));
    }
    let model = ModelId::parse(request.model)?;
    let version = request.version.map(ModelVersionId::parse).transpose()?;
    workspace.read(|r| r.require(Kind::Model, model.as_str()))?;
    workspace.append(Op::ModelAliasSet { model: model.clone(), alias, version })?;
    workspace.read(|r| model_view(r, &r.require(Kind::Model, model.as_str())?))
}

/// The files of the run's logged models; without any, the run's own folders that hold an `MLmodel`.
fn model_files(r: &Reader<'_>, run: &Run) -> Result<BTreeMap<String, Digest>, ApiError> {
    let mut files = BTreeMap::new();
    let mut take = |artifacts: Vec<Artifact>, prefix: &str| {
        for a in artifacts {
            let path = format!("{prefix}{}", a.path);
            files.insert(path.clone(), fingerprint(a, &path)?);
        }
        Ok::<_, ApiError>(())
    };
    for (model, _) in &run.outputs {
        if let Some(logged) = r.record(Kind::LoggedModel, model)? {
            let prefix = if run.outputs.len() > 1 { format!("{}/", logged.text("name")) } else { String::new() };
            take(artifacts_of(&logged), &prefix)?;
        }
    }
    if files.is_empty() {
        let own = artifacts_of(&r.require(Kind::Run, &run.id)?);
        let folders: Vec<String> = own.iter().filter_map(|a| a.path.strip_suffix("MLmodel").map(str::to_owned)).collect();
        for a in own.into_iter().filter(|a| folders.iter().any(|f| a.path.starts_with(f.as_str()))) {
            files.insert(a.path.clone(), fingerprint(a.clone(), &a.path)?);
        }
    }
    Ok(files)
}

/// A decision binds to the content of every file: one that nobody has a fingerprint of cannot be in a version.
fn fingerprint(file: Artifact, path: &str) -> Result<Digest, ApiError> {
    file.digest.ok_or_else(|| {
        ApiError::invalid(format!("The model's file {path} is only known by its address, and nobody has its fingerprint"))
            .hint("Log the file itself, or refer to it by a path of this computer: then its fingerprint is taken.")
    })
}

/// What the run itself can say in the card.
fn draft(r: &Reader<'_>, run: &Run, datasets: &[Record]) -> Result<Vec<(String, String)>, ApiError> {
    let mut out = Vec::new();
    let mut add = |id: &str, text: String| out.push((id.to_owned(), text));
    if !run.metrics.is_empty() {
        let mut text = String::from("| Metric | Value |\n|---|---|\n");
        for m in &run.metrics {
            let _ = writeln!(text, "| {} | {} |", plain(&m.key), cairn_chart::text::number(m.last.value));
        }
        let _ = write!(
            text,
            "\nMeasured in the run *{}*. These are single values from one run; they carry no interval yet.",
            plain(run.name())
        );
        add("performance", text);
    }
    let mut text = String::new();
    for data in datasets {
        let name = r.record(Kind::Dataset, data.parent.as_deref().unwrap_or_default())?.map(|d| d.text("name")).unwrap_or_default();
        let columns = data.json("columns").as_array().map_or(0, Vec::len);
        let _ = writeln!(
            text,
            "- **{}**, version {}: {} rows, {columns} columns (`{}`)",
            plain(&name),
            data.text("number"),
            data.text("rows"),
            data.text("file")
        );
    }
    if !text.is_empty() {
        add("training_data", text);
    }
    let mut text = String::new();
    for (label, tag) in [("Script", "mlflow.source.name"), ("Code version", "mlflow.source.git.commit"), ("Method", "estimator_name")] {
        if let Some(value) = run.tags.get(tag) {
            let _ = writeln!(text, "- {label}: `{}`", value.replace('`', "'"));
        }
    }
    if !run.params.is_empty() {
        text.push_str("\n| Setting | Value |\n|---|---|\n");
        for (key, value) in run.params.iter().take(40) {
            let _ = writeln!(text, "| {} | {} |", plain(key), plain(&value.chars().take(120).collect::<String>()));
        }
    }
    if !text.is_empty() {
        add("training_procedure", text);
    }
    Ok(out)
}

fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

pub(crate) fn files_of(version: &Record) -> Vec<(String, Digest)> {
    let files: BTreeMap<String, Digest> = serde_json::from_value(version.json("files")).unwrap_or_default();
    files.into_iter().collect()
}

fn model_view(r: &Reader<'_>, model: &Record) -> Result<Model, ApiError> {
    let mut versions = r
        .records(Kind::ModelVersion, Some(&model.id))?
        .iter()
        .filter(|v| !v.deleted())
        .map(|v| version_view(r, v))
        .collect::<Result<Vec<_>, _>>()?;
    versions.reverse();
    Ok(Model {
        id: model.id.clone(),
        name: model.text("name"),
        project: project_of(model),
        aliases: model.pairs("alias").into_iter().map(|(alias, version)| Alias { alias, version }).collect(),
        versions,
    })
}

pub(crate) fn version_view(r: &Reader<'_>, v: &Record) -> Result<ModelVersion, ApiError> {
    version_beside(r, v, None)
}

/// The same, beside a release that is judged already.
pub(crate) fn version_beside(r: &Reader<'_>, v: &Record, judged: Option<(&Record, &Judged)>) -> Result<ModelVersion, ApiError> {
    let acl = r.acl()?;
    let model = r.require(Kind::Model, v.parent.as_deref().unwrap_or_default())?;
    let project = project_of(&model).unwrap_or_default();
    let number = Group::around(r, &model)?.versions.iter().find(|(_, x)| x.id == v.id).map_or_else(|| cards::number(v), |(n, _)| *n);
    let run = r.record(Kind::Run, &v.text("run"))?;
    let files = files_of(v);
    let ids: Vec<String> = serde_json::from_value(v.json("datasets")).unwrap_or_default();
    let mut datasets = Vec::new();
    for id in ids {
        if let Some(data) = r.record(Kind::DatasetVersion, &id)? {
            let name = r.record(Kind::Dataset, data.parent.as_deref().unwrap_or_default())?.map(|d| d.text("name")).unwrap_or_default();
            datasets.push(DatasetLink { id, title: format!("{name} version {}", data.text("number")), digest: data.text("digest") });
        }
    }
    let requests = r.records(Kind::Release, Some(&project))?;
    let release = match requests.iter().rev().find(|x| x.get("version") == Some(&v.id)) {
        Some(found) => Some(match judged.filter(|(release, _)| release.id == found.id) {
            Some((_, judged)) => judged.standing.state.as_str().to_owned(),
            None => releases::state_of(r, found)?.standing.state.as_str().to_owned(),
        }),
        None => None,
    };
    // Where it runs: the newest deployment of each environment decides.
    let mut newest: BTreeMap<String, String> = BTreeMap::new();
    for d in r.records(Kind::Deployment, Some(&project))? {
        newest.insert(d.text("environment"), d.text("version"));
    }
    Ok(ModelVersion {
        id: v.id.clone(),
        model: model.id.clone(),
        model_name: model.text("name"),
        project,
        number,
        stage: v.get("stage").map(str::to_owned),
        description: v.text("description"),
        tags: v.pairs("tag"),
        run: v.text("run"),
        run_name: run.and_then(|r| r.get_key("tag", "mlflow.runName").map(str::to_owned)).unwrap_or_default(),
        digest: manifest_digest(&files).to_string(),
        files: files.into_iter().map(|(path, digest)| ModelFile { path, digest: digest.to_string() }).collect(),
        datasets,
        card_missing: cards::missing(v).into_iter().map(|s| s.title.clone()).collect(),
        by: person_at(&acl, &v.device),
        at_ms: v.at_ms,
        release,
        environments: newest.into_iter().filter(|(_, version)| *version == v.id).map(|(env, _)| env).collect(),
    })
}
