//! Deployments: which version runs where, recorded by whoever put it there.

use crate::host::Host;
use crate::people::{Person, person_at};
use crate::projects::ProjectRef;
use crate::tracking::registry::project_of;
use crate::{ApiError, gate};
use cairn_core::id::{DeploymentId, ModelVersionId, ProjectId, ReleaseId};
use cairn_core::op::{Environment, Kind, Op, Subject};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Deployment {
    pub id: String,
    pub version: String,
    pub title: String,
    pub environment: String,
    pub by: Person,
    pub at_ms: i64,
    /// The newest of its environment.
    pub current: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RecordDeployment {
    pub version: String,
    /// `development`, `test` or `production`.
    pub environment: String,
}

pub fn list(host: &Host, request: ProjectRef) -> Result<Vec<Deployment>, ApiError> {
    host.workspace()?.read(|r| {
        let acl = r.acl()?;
        let mut seen = Vec::new();
        let mut out = Vec::new();
        for d in r.records(Kind::Deployment, Some(&request.project))?.iter().rev() {
            let environment = d.text("environment");
            let subject = Subject { kind: Kind::ModelVersion, id: d.text("version") };
            out.push(Deployment {
                id: d.id.clone(),
                title: crate::checklists::title_of(r, &subject)?,
                version: subject.id,
                current: !seen.contains(&environment),
                by: person_at(&acl, &d.device),
                at_ms: d.at_ms,
                environment: environment.clone(),
            });
            seen.push(environment);
        }
        Ok(out)
    })
}

/// Records a deployment. Production takes only what is approved now.
pub fn record(host: &Host, request: RecordDeployment) -> Result<Vec<Deployment>, ApiError> {
    let workspace = host.workspace()?;
    let environment = [Environment::Development, Environment::Test, Environment::Production]
        .into_iter()
        .find(|e| e.as_str() == request.environment)
        .ok_or_else(|| ApiError::invalid("An environment is development, test or production"))?;
    let version = ModelVersionId::parse(request.version)?;
    let deployment = DeploymentId::parse(workspace.edge.new_id())?;
    let project = workspace.write(|w| {
        let record = w.require(Kind::ModelVersion, version.as_str())?;
        let model = w.require(Kind::Model, record.parent.as_deref().unwrap_or_default())?;
        let project = ProjectId::parse(project_of(&model).ok_or_else(|| ApiError::conflict("This model belongs to no project yet"))?)?;
        let mut release = None;
        let mut held_up = Vec::new();
        for found in w.records(Kind::Release, Some(project.as_str()))?.iter().filter(|f| f.get("version") == Some(version.as_str())) {
            let answer = gate::judge(&workspace, w, found)?;
            if answer.verdict == "pass" {
                release = Some(ReleaseId::parse(found.id.clone())?);
            } else if answer.state == "approved" {
                held_up.extend(answer.reasons.into_iter().filter(|x| x.blocks).map(|x| x.sentence));
            }
        }
        if environment == Environment::Production && release.is_none() {
            let error = ApiError::conflict("Only an approved version goes to production, and one that nothing holds up");
            return Err(if held_up.is_empty() {
                error.hint("Request a release and have it approved; a stale approval does not count.")
            } else {
                error.hint(held_up.join(" "))
            });
        }
        w.append(Op::DeploymentRecorded { deployment, project: project.clone(), version, release, environment })?;
        Ok(project)
    })?;
    list(host, ProjectRef { project: project.to_string() })
}
