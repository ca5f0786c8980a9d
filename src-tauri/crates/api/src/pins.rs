//! Remarks at points of curves: "the learning rate was halved here".

use crate::ApiError;
use crate::error::body;
use crate::host::Host;
use crate::people::{Person, person_at};
use crate::projects::{base_of, bases};
use cairn_core::id::{PinId, RunId};
use cairn_core::op::{Kind, Op};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PinView {
    pub id: String,
    pub run: String,
    pub metric: String,
    #[ts(type = "number")]
    pub step: i64,
    /// Where two people changed it without knowing of each other, both texts, one below the other.
    pub text: String,
    pub by: Person,
    pub at_ms: i64,
    pub base: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PinQuery {
    pub runs: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SavePin {
    /// None: a new one.
    #[serde(default)]
    #[ts(optional)]
    pub pin: Option<String>,
    pub run: String,
    pub metric: String,
    #[ts(type = "number")]
    pub step: i64,
    pub text: String,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

/// Pins that are shown at once.
const MOST: usize = 500;

pub fn list(host: &Host, request: PinQuery) -> Result<Vec<PinView>, ApiError> {
    host.workspace()?.read(|r| {
        let mut out = Vec::new();
        for run in &request.runs {
            for record in r.records(Kind::Pin, Some(run))? {
                if !record.deleted() && out.len() < MOST {
                    out.push(view(r, &record)?);
                }
            }
        }
        out.sort_by(|a: &PinView, b| (a.step, &a.id).cmp(&(b.step, &b.id)));
        Ok(out)
    })
}

fn view(r: &Reader<'_>, record: &Record) -> Result<PinView, ApiError> {
    let acl = r.acl()?;
    let heads = r.heads(Kind::Pin, &record.id, "text", "")?;
    let texts: Vec<&str> = heads.iter().map(|h| h.value.as_str()).collect();
    Ok(PinView {
        id: record.id.clone(),
        run: record.parent.clone().unwrap_or_default(),
        metric: record.text("metric"),
        step: record.text("step").parse().unwrap_or(0),
        text: texts.join("\n"),
        by: person_at(&acl, &record.device),
        at_ms: record.at_ms,
        base: base_of(&heads).unwrap_or_default(),
    })
}

pub fn save(host: &Host, request: SavePin) -> Result<PinView, ApiError> {
    let workspace = host.workspace()?;
    let text = body("Text of the remark", request.text.trim())?;
    if text.as_str().is_empty() {
        return Err(ApiError::invalid("A remark needs some words"));
    }
    let run = RunId::parse(request.run)?;
    let pin = match request.pin {
        Some(id) => {
            let pin = PinId::parse(id)?;
            let base = bases(request.base.as_deref())?;
            workspace.write(|w| {
                w.require(Kind::Pin, pin.as_str())?;
                w.append(Op::PinEdited { pin: pin.clone(), text, base }).map_err(ApiError::from)
            })?;
            pin
        }
        None => {
            workspace.read(|r| r.require(Kind::Run, run.as_str()))?;
            let pin = PinId::parse(workspace.edge.new_id())?;
            workspace.append(Op::PinCreated { pin: pin.clone(), run, metric: request.metric, step: request.step, text })?;
            pin
        }
    };
    workspace.read(|r| view(r, &r.require(Kind::Pin, pin.as_str())?))
}
