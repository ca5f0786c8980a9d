//! Ways to look at a table of runs that people keep under a name, for everybody.

use crate::ApiError;
use crate::error::title;
use crate::host::Host;
use crate::people::{Person, person_at};
use crate::projects::{base_of, bases};
use cairn_core::id::{ProjectId, ViewId};
use cairn_core::op::{Kind, Op};
use cairn_core::text::Body;
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct View {
    pub id: String,
    pub name: String,
    /// What the window keeps in it: filter, order, columns, groups, pins.
    #[ts(type = "Record<string, unknown>")]
    pub state: Value,
    pub by: Person,
    pub saved_ms: i64,
    /// What a change is based on.
    pub base: String,
    /// Two people changed it without knowing of each other: this is one of the two.
    pub both_changed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ViewQuery {
    /// The views of this project's table; of the table of all runs when left out.
    #[serde(default)]
    #[ts(optional)]
    pub project: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveView {
    /// None: a new view.
    #[serde(default)]
    #[ts(optional)]
    pub view: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub project: Option<String>,
    pub name: String,
    #[ts(type = "Record<string, unknown>")]
    pub state: Value,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

pub fn list(host: &Host, request: ViewQuery) -> Result<Vec<View>, ApiError> {
    host.workspace()?.read(|r| {
        let mut out = Vec::new();
        for record in r.records(Kind::View, None)? {
            if !record.deleted() && record.parent == request.project {
                out.extend(versions(r, &record)?);
            }
        }
        out.sort_by(|a, b| (a.name.to_lowercase(), &a.id, a.saved_ms).cmp(&(b.name.to_lowercase(), &b.id, b.saved_ms)));
        Ok(out)
    })
}

/// A view as it is; more than one where people changed it without knowing of each other.
fn versions(r: &Reader<'_>, record: &Record) -> Result<Vec<View>, ApiError> {
    let acl = r.acl()?;
    let heads = r.heads(Kind::View, &record.id, "state", "")?;
    let both_changed = heads.len() > 1;
    // Keeping one settles it: a change is based on all that its author could see.
    let base = base_of(&heads).unwrap_or_default();
    Ok(heads
        .iter()
        .map(|head| {
            let kept: Value = serde_json::from_str(&head.value).unwrap_or_default();
            let state = kept["state"].as_str().and_then(|s| serde_json::from_str(s).ok()).unwrap_or_default();
            View {
                id: record.id.clone(),
                name: kept["name"].as_str().unwrap_or_default().to_owned(),
                state,
                by: person_at(&acl, &head.device),
                saved_ms: head.at_ms,
                base: base.clone(),
                both_changed,
            }
        })
        .collect())
}

pub fn save(host: &Host, request: SaveView) -> Result<View, ApiError> {
    let workspace = host.workspace()?;
    let name = title("Name of the view", &request.name)?;
    if !request.state.is_object() {
        return Err(ApiError::invalid("The state of a view is an object"));
    }
    let state = Body::parse(request.state.to_string()).map_err(|e| ApiError::invalid(format!("The view cannot be kept: {e}")))?;
    let view = match request.view {
        Some(id) => {
            let view = ViewId::parse(id)?;
            let base = bases(request.base.as_deref())?;
            workspace.write(|w| {
                w.require(Kind::View, view.as_str())?;
                w.append(Op::ViewEdited { view: view.clone(), name, state, base }).map_err(ApiError::from)
            })?;
            view
        }
        None => {
            let project = request.project.map(ProjectId::parse).transpose()?;
            if let Some(project) = &project {
                workspace.read(|r| r.require(Kind::Project, project.as_str()))?;
            }
            let view = ViewId::parse(workspace.edge.new_id())?;
            workspace.append(Op::ViewCreated { view: view.clone(), project, name, state })?;
            view
        }
    };
    let all = workspace.read(|r| versions(r, &r.require(Kind::View, view.as_str())?))?;
    all.into_iter().next().ok_or_else(|| ApiError::not_found("The view"))
}
