//! Charts that a team keeps on a page, each a record of its own: two people can put, change and move charts at the
//! same time, and both find what the other did.

use crate::ApiError;
use crate::charts::spec::{ChartSpec, RunSet};
use crate::host::Host;
use crate::notes::SubjectRef;
use crate::people::{Person, person_at};
use crate::projects::{base_of, bases};
use cairn_core::fold::subject_key;
use cairn_core::id::PanelId;
use cairn_core::op::{Kind, Op};
use cairn_core::text::Body;
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Panel {
    pub id: String,
    pub spec: ChartSpec,
    /// Narrower than the page: only these runs.
    pub of: RunSet,
    pub section: String,
    /// Its place among the charts of its section, the least first.
    pub place: f64,
    /// Why it cannot be drawn: a later program made it.
    pub broken: Option<String>,
    pub by: Person,
    pub saved_ms: i64,
    /// What a change is based on.
    pub base: String,
    /// Two people changed it without knowing of each other: this is one of the two.
    pub both_changed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PanelQuery {
    /// The page of this experiment or project; that of all runs when left out.
    #[serde(default)]
    #[ts(optional)]
    pub about: Option<SubjectRef>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SavePanel {
    /// None: a new chart.
    #[serde(default)]
    #[ts(optional)]
    pub panel: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub about: Option<SubjectRef>,
    pub spec: ChartSpec,
    #[serde(default)]
    pub of: RunSet,
    #[serde(default)]
    pub section: String,
    pub place: f64,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

/// Characters of the name of a section.
const SECTION_MAX: usize = 120;

pub fn list(host: &Host, request: PanelQuery) -> Result<Vec<Panel>, ApiError> {
    let about = request.about.map(|a| a.parse()).transpose()?;
    let wanted = about.as_ref().map(subject_key);
    host.workspace()?.read(|r| {
        let mut out = Vec::new();
        for record in r.records(Kind::Panel, None)? {
            if !record.deleted() && record.parent == wanted {
                out.extend(versions(r, &record)?);
            }
        }
        out.sort_by(|a, b| a.place.total_cmp(&b.place).then_with(|| (&a.id, a.saved_ms).cmp(&(&b.id, b.saved_ms))));
        Ok(out)
    })
}

/// A panel as it is; more than one where people changed it without knowing of each other.
fn versions(r: &Reader<'_>, record: &Record) -> Result<Vec<Panel>, ApiError> {
    let acl = r.acl()?;
    let heads = r.heads(Kind::Panel, &record.id, "state", "")?;
    let both_changed = heads.len() > 1;
    let base = base_of(&heads).unwrap_or_default();
    Ok(heads
        .iter()
        .map(|head| {
            let kept: Value = serde_json::from_str(&head.value).unwrap_or_default();
            let spec = serde_json::from_value::<ChartSpec>(kept["spec"].clone());
            Panel {
                id: record.id.clone(),
                broken: spec.as_ref().err().map(|e| format!("This chart was made by a later version of Cairn: {e}.")),
                spec: spec.unwrap_or_default(),
                of: serde_json::from_value(kept["of"].clone()).unwrap_or_default(),
                section: kept["section"].as_str().unwrap_or_default().to_owned(),
                place: kept["place"].as_f64().filter(|p| p.is_finite()).unwrap_or(0.0),
                by: person_at(&acl, &head.device),
                saved_ms: head.at_ms,
                base: base.clone(),
                both_changed,
            }
        })
        .collect())
}

pub fn save(host: &Host, request: SavePanel) -> Result<Panel, ApiError> {
    let workspace = host.workspace()?;
    let section = request.section.trim();
    if section.chars().count() > SECTION_MAX {
        return Err(ApiError::invalid(format!("The name of a section has at most {SECTION_MAX} characters")));
    }
    if !request.place.is_finite() {
        return Err(ApiError::invalid("The place of a chart is a number"));
    }
    let state = json!({ "spec": request.spec, "of": request.of, "section": section, "place": request.place }).to_string();
    let state = Body::parse(state).map_err(|e| ApiError::invalid(format!("The chart cannot be kept: {e}")))?;
    let panel = match request.panel {
        Some(id) => {
            let panel = PanelId::parse(id)?;
            let base = bases(request.base.as_deref())?;
            workspace.write(|w| {
                w.require(Kind::Panel, panel.as_str())?;
                w.append(Op::PanelEdited { panel: panel.clone(), state, base }).map_err(ApiError::from)
            })?;
            panel
        }
        None => {
            let about = request.about.map(|a| a.parse()).transpose()?;
            if let Some(about) = &about {
                if !matches!(about.kind, Kind::Project | Kind::Experiment) {
                    return Err(ApiError::invalid("A page of charts belongs to an experiment, a project or all runs"));
                }
                workspace.read(|r| r.require(about.kind, &about.id))?;
            }
            let panel = PanelId::parse(workspace.edge.new_id())?;
            workspace.append(Op::PanelCreated { panel: panel.clone(), about, state })?;
            panel
        }
    };
    let all = workspace.read(|r| versions(r, &r.require(Kind::Panel, panel.as_str())?))?;
    all.into_iter().next().ok_or_else(|| ApiError::not_found("The chart"))
}
