//! The gate for pipelines: may this release go live, here and now, and as of when is that known?
//!
//! It says yes only where everything that is known says yes. What it does not know, or knows too long ago, is no yes.

use crate::host::{Host, Workspace};
use crate::releases::{BlockView, Judged, ReleaseRef, asks_for_criteria, due_of, state_of, view};
use crate::{ApiError, edge, templates};
use cairn_core::decision::State;
use cairn_core::op::Kind;
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct GateAnswer {
    /// `pass` or `fail`.
    pub verdict: String,
    /// When this computer last got the latest from the team, RFC 3339; the present where nothing is shared; none: never.
    pub as_of: Option<String>,
    /// Everything that was found, what stands in the way first.
    pub reasons: Vec<GateReason>,
    /// The release's own state: an approved release may be held up by something else.
    pub state: String,
    pub sentence: String,
    pub model: String,
    pub version: u32,
    /// The digest of the model's files: a pipeline compares it with what it is about to deploy.
    pub model_digest: String,
    pub release: String,
    pub risk_class: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GateReason {
    /// Such as `not_approved`, `deleted`, `project_cancelled`, `finding`, `criteria`, `stage`, `old_knowledge`, `challenge`,
    /// `independence`.
    pub code: String,
    pub sentence: String,
    /// Whether the gate says no because of it.
    pub blocks: bool,
    /// Until when it must be answered, RFC 3339.
    pub due: Option<String>,
}

pub fn check(host: &Host, request: ReleaseRef) -> Result<GateAnswer, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| judge(&workspace, r, &r.require(Kind::Release, &request.release)?))
}

/// The gate's answer for a release.
pub(crate) fn judge(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<GateAnswer, ApiError> {
    let now = workspace.edge.now_ms();
    let judged = state_of(r, record)?;
    let shown = view(workspace, r, record)?;
    let mut reasons = Vec::new();
    let mut no = |code: &str, sentence: String| reasons.push(GateReason { code: code.to_owned(), sentence, blocks: true, due: None });
    if judged.standing.state != State::Approved {
        no(if shown.state == "stale" { "stale" } else { "not_approved" }, shown.sentence.clone());
    }
    for BlockView { code, sentence } in shown.blocks {
        no(&code, sentence);
    }
    if let Some(sentence) = unjudged(r, &judged)? {
        no("criteria", sentence);
    }
    let shared = r.local("remote")?.is_some_and(|t| !t.is_empty());
    let last: Option<i64> = if shared { r.local("shared_at")?.and_then(|t| t.parse().ok()) } else { Some(now) };
    if let Some(rule) = &judged.standing.rule {
        let most = i64::from(rule.knowledge_hours) * 3_600_000;
        match last {
            None => no("old_knowledge", "This computer never got the latest from the team.".to_owned()),
            Some(at) if now.saturating_sub(at) > most => no(
                "old_knowledge",
                format!(
                    "This computer last got the latest from the team at {}; the policy allows {} hours.",
                    edge::rfc3339(at),
                    rule.knowledge_hours
                ),
            ),
            Some(_) => {}
        }
    }
    for (c, said) in judged.standing.challenges.iter().zip(&shown.challenges) {
        let due = due_of(r, &judged.standing, &c.id)?;
        let overdue = !c.answered && due.is_some_and(|d| now > d);
        reasons.push(GateReason {
            code: "challenge".to_owned(),
            sentence: match (c.answered, overdue) {
                (true, _) => format!("{} This was answered.", said.sentence),
                (false, true) => format!("{} Nobody who decides has answered it in time.", said.sentence),
                (false, false) => said.sentence.clone(),
            },
            blocks: overdue,
            due: due.filter(|_| !c.answered).map(edge::rfc3339),
        });
    }
    if let Some(sentence) = shown.lifecycle_word {
        reasons.push(GateReason { code: "lifecycle".to_owned(), sentence, blocks: false, due: None });
    }
    if let Some(sentence) = shown.independence {
        reasons.push(GateReason { code: "independence".to_owned(), sentence, blocks: false, due: None });
    }
    reasons.sort_by_key(|x| !x.blocks);
    let pass = !reasons.iter().any(|x| x.blocks);
    Ok(GateAnswer {
        verdict: if pass { "pass" } else { "fail" }.to_owned(),
        as_of: last.map(edge::rfc3339),
        reasons,
        state: shown.state,
        sentence: shown.sentence,
        model: shown.version.model_name,
        version: shown.version.number,
        model_digest: shown.version.digest,
        release: shown.id,
        risk_class: shown.risk_class,
    })
}

/// Where criteria are asked for and nobody can say what they come to. What they came to stands in the approvals.
fn unjudged(r: &Reader<'_>, judged: &Judged) -> Result<Option<String>, ApiError> {
    let Some(frozen) = judged.standing.frozen.as_ref() else { return Ok(None) };
    let Some(lifecycle) = templates::lifecycle(r, &frozen.lifecycle)? else {
        return Ok(Some("The lifecycle that the request froze has not arrived on this computer.".to_owned()));
    };
    let none = frozen.criteria.is_empty() && asks_for_criteria(&lifecycle);
    Ok(none.then(|| "The lifecycle asks for signed acceptance criteria, and there are none.".to_owned()))
}
