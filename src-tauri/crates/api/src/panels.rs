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
use cairn_store::records::{Head, Record};
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

/// What is kept of a chart: what it shows, and where it stands.
const SHOWS: [&str; 2] = ["spec", "of"];
const STANDS: [&str; 2] = ["section", "place"];

fn state_of(head: &Head) -> Value {
    serde_json::from_str(&head.value).unwrap_or_default()
}

/// Of two states that came from one the part that somebody changed; both must not have changed it.
fn changed<'v>(from: &Value, a: &'v Value, b: &'v Value, part: &[&str]) -> Option<&'v Value> {
    let same = |x: &Value, y: &Value| part.iter().all(|name| x[name] == y[name]);
    if same(a, b) || same(b, from) {
        Some(a)
    } else if same(a, from) {
        Some(b)
    } else {
        None
    }
}

/// Two states as one, where one person changed what the chart shows and the other where it stands: nobody has to decide
/// anything then.
fn together(history: &[Head], heads: &[Head]) -> Option<Value> {
    let [a, b] = heads else { return None };
    let from = history.iter().find(|h| a.base.contains(&h.op) && b.base.contains(&h.op))?;
    let (from, a, b) = (state_of(from), state_of(a), state_of(b));
    let mut merged = a.clone();
    for part in [SHOWS, STANDS] {
        let kept = changed(&from, &a, &b, &part)?;
        part.iter().for_each(|name| merged[name] = kept[name].clone());
    }
    Some(merged)
}

/// A panel as it is; more than one where people changed the same of it without knowing of each other.
fn versions(r: &Reader<'_>, record: &Record) -> Result<Vec<Panel>, ApiError> {
    let acl = r.acl()?;
    let heads = r.heads(Kind::Panel, &record.id, "state", "")?;
    let base = base_of(&heads).unwrap_or_default();
    let merged = if heads.len() == 2 { together(&r.history(Kind::Panel, &record.id, "state", "")?, &heads) } else { None };
    let both_changed = heads.len() > 1 && merged.is_none();
    let shown: Vec<(&Head, Value)> = match (merged, heads.first()) {
        (Some(merged), Some(newest)) => vec![(newest, merged)],
        _ => heads.iter().map(|head| (head, state_of(head))).collect(),
    };
    Ok(shown
        .into_iter()
        .map(|(head, kept)| {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn head(op: &str, value: &Value, base: &[&str]) -> Head {
        Head {
            op: op.into(),
            value: value.to_string(),
            device: String::new(),
            at_ms: 0,
            base: base.iter().map(|b| (*b).to_owned()).collect(),
        }
    }

    #[test]
    fn who_moves_a_chart_and_who_changes_it_do_not_stand_in_each_others_way() {
        let old = json!({ "spec": { "title": "a" }, "of": {}, "section": "", "place": 1.0 });
        let (mut moved, mut edited) = (old.clone(), old.clone());
        moved["place"] = json!(7.0);
        edited["spec"]["title"] = json!("b");
        let first = head("d.1", &old, &[]);
        let (a, b) = (head("d.2", &moved, &["d.1"]), head("e.1", &edited, &["d.1"]));
        let all = [a.clone(), b.clone(), first.clone()];
        let merged = together(&all, &[a.clone(), b.clone()]).unwrap();
        assert_eq!((&merged["place"], &merged["spec"]["title"]), (&json!(7.0), &json!("b")));
        assert_eq!(together(&all, &[b.clone(), a]), Some(merged), "in whatever order they came");
        let mut other = old.clone();
        other["spec"]["title"] = json!("c");
        let c = head("f.1", &other, &["d.1"]);
        assert_eq!(together(&[b.clone(), c.clone(), first], &[b, c]), None, "two titles: people decide");
    }
}
