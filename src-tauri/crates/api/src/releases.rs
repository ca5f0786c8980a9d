//! Releases: the request, what a reviewer sees, the signed decision, and the state that follows.

use crate::host::{Host, Workspace};
use crate::models::{ModelVersion, files_of, version_view};
use crate::people::{Person, RoleName, person, person_at};
use crate::projects::ProjectRef;
use crate::tracking::registry::project_of;
use crate::{ApiError, cards, edge, templates};
use cairn_core::authority::Acl;
use cairn_core::canonical::manifest_digest;
use cairn_core::id::{DeviceId, Digest, MemberId, ModelVersionId, ProjectId, ReleaseId};
use cairn_core::op::{Decision, Kind, Op};
use cairn_core::release::{self, Bound, Rule, Signoff, State, StatementParts};
use cairn_core::role::{Act, Role, permits};
use cairn_store::Reader;
use cairn_store::records::{Cell, Record};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Release {
    pub id: String,
    pub project: String,
    pub project_title: String,
    pub version: ModelVersion,
    /// `waiting`, `approved`, `rejected`, `sent_back`, `stale` or `withdrawn`.
    pub state: String,
    /// The state in a sentence.
    pub sentence: String,
    /// What changed since it was signed.
    pub changed: Vec<String>,
    /// Whose sign-off is still missing.
    pub missing: Vec<RoleName>,
    pub requested_by: Person,
    pub requested_ms: i64,
    pub reason: Option<String>,
    pub risk_class: String,
    pub signoffs: Vec<SignoffView>,
    /// What a signature made now would bind to.
    pub binds: Vec<BoundView>,
    /// The roles in which I could sign now.
    pub i_may_sign_as: Vec<RoleName>,
    /// Why I cannot, when I cannot.
    pub why_not: Option<String>,
    pub mine: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignoffView {
    pub id: String,
    pub by: Person,
    pub role: RoleName,
    pub decision: String,
    pub reason: String,
    /// The signer's claim, RFC 3339.
    pub claimed_at: String,
    pub at_ms: i64,
    /// Signed over exactly what stands now.
    pub fresh: bool,
    pub changed: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BoundView {
    pub name: String,
    pub sha256: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RequestRelease {
    pub version: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReleaseRef {
    pub release: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignRelease {
    pub release: String,
    /// `approved`, `rejected` or `sent_back`.
    pub decision: String,
    pub role: String,
    pub reason: String,
    /// What was shown: the card's digest. If it changed meanwhile, nothing is signed.
    pub card_digest: String,
}

/// A release's state, with what it was computed from.
pub struct Judged {
    pub state: State,
    pub signoffs: Vec<(Record, Signoff)>,
    pub current: Vec<Bound>,
    pub requester: Option<MemberId>,
    pub rule: Rule,
}

pub fn list(host: &Host, request: ProjectRef) -> Result<Vec<Release>, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let found = r.records(Kind::Release, Some(&request.project))?;
        found.iter().rev().map(|x| view(&workspace, r, x)).collect()
    })
}

pub fn get(host: &Host, request: ReleaseRef) -> Result<Release, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| view(&workspace, r, &r.require(Kind::Release, &request.release)?))
}

pub fn request(host: &Host, request: RequestRelease) -> Result<Release, ApiError> {
    let workspace = host.workspace()?;
    let reason = request.reason.trim();
    if reason.is_empty() {
        return Err(ApiError::invalid("A release request says why").hint("One sentence for whoever decides: what is better, and for whom."));
    }
    let version = ModelVersionId::parse(request.version)?;
    let release = workspace.write(|w| {
        let record = w.require(Kind::ModelVersion, version.as_str())?;
        let model = w.require(Kind::Model, record.parent.as_deref().unwrap_or_default())?;
        let project = ProjectId::parse(project_of(&model).ok_or_else(|| {
            ApiError::conflict("This model belongs to no project yet").hint("Link it to a project first; its policy says who decides.")
        })?)?;
        if files_of(&record).is_empty() {
            return Err(ApiError::conflict("This version has no files here, so nobody could say what was approved")
                .hint("Register it from a run or a logged model whose files are in Cairn."));
        }
        let missing = cards::missing(&record);
        if !missing.is_empty() {
            let titles: Vec<&str> = missing.iter().map(|s| s.title.as_str()).collect();
            return Err(ApiError::new("card_incomplete", format!("The model card is not complete: {}", titles.join(", ")))
                .hint("Fill these sections first: whoever decides reads the card."));
        }
        for other in w.records(Kind::Release, Some(project.as_str()))? {
            let open = matches!(state_of(w, &other)?.state, State::Waiting(_) | State::Stale(_) | State::SentBack);
            if open && other.get("version") == Some(version.as_str()) {
                return Err(ApiError::conflict("There is an open request for this version already"));
            }
        }
        // Named by the operation that requests it: nobody can request it again under their own name.
        let id = w.next_id()?;
        let release = release::release_id(&id.device, id.n);
        w.append_why(
            Op::ReleaseRequested {
                release: release.clone(),
                project,
                version,
                policy: templates::policy().id.clone(),
                policy_digest: templates::policy_digest(),
            },
            Some(reason),
        )?;
        Ok::<_, ApiError>(release)
    })?;
    get(host, ReleaseRef { release: release.to_string() })
}

/// Signs a decision with this computer's key, over exactly what was shown.
pub fn sign(host: &Host, request: SignRelease) -> Result<Release, ApiError> {
    let workspace = host.workspace()?;
    let decision = Decision::parse(&request.decision).ok_or_else(|| ApiError::invalid("A decision is approved, rejected or sent_back"))?;
    let role = Role::parse(&request.role).ok_or_else(|| ApiError::invalid(format!("\"{}\" is no role", request.role)))?;
    let reason = request.reason.trim().to_owned();
    if reason.is_empty() {
        return Err(ApiError::invalid("A decision needs a reason").hint("A sentence is enough; it stays with the signature."));
    }
    let key = workspace.key()?;
    workspace.write(|w| {
        let record = w.require(Kind::Release, &request.release)?;
        let judged = state_of(w, &record)?;
        let acl = w.acl()?;
        let (member, known) =
            acl.member_of(&workspace.device()).ok_or_else(|| ApiError::conflict("This computer has not been let in yet"))?;
        if let Some(why) = why_not(&judged, member, decision) {
            return Err(ApiError::conflict(why));
        }
        let card = judged.current.iter().find(|b| b.name == "card").map(|b| b.sha256.as_str());
        if card != Some(request.card_digest.as_str()) {
            return Err(ApiError::new("changed", "The model card changed while you were reading")
                .hint("Read it once more: you sign what you saw, and that is no longer what stands there."));
        }
        let claimed = edge::rfc3339_at(workspace.edge.now_ms(), workspace.edge.tz_minutes());
        let digest = Digest::parse(record.text("policy_digest")).map_err(|e| ApiError::new("internal", e.to_string()))?;
        let statement = release::statement(&StatementParts {
            release: &record.id,
            decision,
            role,
            name: &known.name,
            member,
            fingerprint: &key.fingerprint(),
            reason: &reason,
            policy: &record.text("policy"),
            policy_digest: &digest,
            signed_at: &claimed,
            subjects: &judged.current,
        });
        let signature = key.sign(release::NAMESPACE, statement.as_bytes())?;
        w.append_why(
            Op::ReleaseSigned {
                release: ReleaseId::parse(record.id)?,
                signoff: crate::sharing::signoff_id(&signature),
                decision,
                role,
                statement,
                signature,
            },
            Some(&reason),
        )
        .map_err(ApiError::from)
    })?;
    get(host, ReleaseRef { release: request.release })
}

pub fn withdraw(host: &Host, request: ReleaseRef) -> Result<Release, ApiError> {
    let workspace = host.workspace()?;
    workspace.write(|w| {
        let record = w.require(Kind::Release, &request.release)?;
        let judged = state_of(w, &record)?;
        if matches!(judged.state, State::Approved | State::Rejected | State::Withdrawn) {
            return Err(ApiError::conflict("This request is decided; it cannot be withdrawn"));
        }
        w.append(Op::ReleaseWithdrawn { release: ReleaseId::parse(record.id)? }).map_err(ApiError::from)
    })?;
    get(host, request)
}

/// What a signature binds to: the model's files, its card, and every dataset version.
pub fn bound(r: &Reader<'_>, version: &Record) -> Result<Vec<Bound>, ApiError> {
    let model = r.require(Kind::Model, version.parent.as_deref().unwrap_or_default())?;
    let mut out = vec![
        Bound { name: "model".to_owned(), sha256: manifest_digest(&files_of(version)) },
        Bound { name: "card".to_owned(), sha256: cards::digest(&model, version) },
    ];
    let ids: Vec<String> = serde_json::from_value(version.json("datasets")).unwrap_or_default();
    for id in ids {
        let data = r.require(Kind::DatasetVersion, &id)?;
        let name = r.record(Kind::Dataset, data.parent.as_deref().unwrap_or_default())?.map(|d| d.text("name")).unwrap_or_default();
        let sha256 = Digest::parse(data.text("digest")).map_err(|e| ApiError::new("internal", e.to_string()))?;
        out.push(Bound { name: format!("dataset/{name}@{}", data.text("number")), sha256 });
    }
    Ok(out)
}

fn member_at(acl: &Acl, device: &str) -> Option<MemberId> {
    let device = DeviceId::parse(device).ok()?;
    acl.member_of(&device).map(|(id, _)| id.clone())
}

/// Computes the state of a release from the log as it is here.
pub fn state_of(r: &Reader<'_>, record: &Record) -> Result<Judged, ApiError> {
    let acl = r.acl()?;
    let version = r.require(Kind::ModelVersion, &record.text("version"))?;
    let current = bound(r, &version)?;
    let project = r.require(Kind::Project, record.parent.as_deref().unwrap_or_default())?;
    let rule = templates::policy()
        .rule(&project.text("risk_class"))
        .cloned()
        .ok_or_else(|| ApiError::new("internal", "The release policy has no rule"))?;
    let requester = member_at(&acl, &record.device);
    let mut signoffs = Vec::new();
    for s in r.records(Kind::Signoff, Some(&record.id))? {
        let (Some(member), Ok(read)) = (member_at(&acl, &s.device), release::read(&s.text("statement"))) else { continue };
        signoffs.push((s, Signoff { member, role: read.role, decision: read.decision, subjects: read.subjects }));
    }
    let counted: Vec<Signoff> = signoffs.iter().map(|(_, s)| s.clone()).collect();
    let nobody = MemberId::parse("nobody")?;
    let undetermined = r.authority_is_newer()?;
    let state = if undetermined {
        State::Undetermined
    } else {
        release::state(&rule, requester.as_ref().unwrap_or(&nobody), record.get("withdrawn").is_some(), &counted, &current)
    };
    Ok(Judged { state, signoffs, current, requester, rule })
}

/// Why `member` cannot sign now, in a sentence; `None` if they can.
fn why_not(judged: &Judged, member: &MemberId, decision: Decision) -> Option<String> {
    match &judged.state {
        State::Withdrawn => return Some("The request was withdrawn".to_owned()),
        State::Rejected => return Some("The release was rejected; a new request is the way on".to_owned()),
        State::Approved if decision == Decision::Approved => return Some("The release is approved already".to_owned()),
        State::Undetermined => return Some("Somebody changed who may do what with a newer Cairn; update this one first".to_owned()),
        State::Approved | State::SentBack | State::Stale(_) | State::Waiting(_) => {}
    }
    let own = judged.requester.as_ref() == Some(member);
    if own && !judged.rule.requester_may_sign && decision == Decision::Approved {
        return Some("Whoever requests a release may not approve it".to_owned());
    }
    None
}

pub(crate) fn view(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Release, ApiError> {
    let acl = r.acl()?;
    let judged = state_of(r, record)?;
    let version = r.require(Kind::ModelVersion, &record.text("version"))?;
    let project = r.require(Kind::Project, record.parent.as_deref().unwrap_or_default())?;
    let me = workspace.me(r)?;
    let my_roles: Vec<Role> = me
        .as_ref()
        .and_then(|id| acl.members.get(id))
        .map(|m| m.roles.iter().copied().filter(|role| permits(*role, Act::SignRelease)).collect())
        .unwrap_or_default();
    let reason_not = match &me {
        None => Some("This computer has not been let in yet".to_owned()),
        Some(_) if my_roles.is_empty() => Some("Your roles carry no sign-off".to_owned()),
        Some(me) => why_not(&judged, me, Decision::Approved),
    };
    let missing = match &judged.state {
        State::Waiting(roles) => roles.clone(),
        State::Stale(_) | State::SentBack => judged.rule.signoffs.clone(),
        State::Withdrawn | State::Rejected | State::Approved | State::Undetermined => Vec::new(),
    };
    let changed = if let State::Stale(names) = &judged.state { names.clone() } else { Vec::new() };
    let labels = |roles: &[Role]| roles.iter().map(|r| r.label()).collect::<Vec<_>>().join(" and ");
    let sentence = match &judged.state {
        State::Withdrawn => "The request was withdrawn.".to_owned(),
        State::Rejected => "The release was rejected. A new version and a new request are the way on.".to_owned(),
        State::SentBack => "Sent back: something should change before it is decided.".to_owned(),
        State::Stale(names) => {
            format!("Stale: {} changed after the approval, so it no longer counts. It must be signed again.", say(names))
        }
        State::Waiting(roles) => format!("Waits for the decision of: {}.", labels(roles)),
        State::Approved => "Approved. It may go live.".to_owned(),
        State::Undetermined => {
            "Undetermined: somebody changed who may do what with a newer Cairn. Update this one to see whether it is approved.".to_owned()
        }
    };
    let signoffs = judged
        .signoffs
        .iter()
        .map(|(s, signoff)| {
            let read = release::read(&s.text("statement"));
            SignoffView {
                id: s.id.clone(),
                by: person(&acl, signoff.member.as_str()),
                role: signoff.role.into(),
                decision: signoff.decision.as_str().to_owned(),
                reason: read.as_ref().map(|x| x.reason.clone()).unwrap_or_default(),
                claimed_at: read.map(|x| x.claimed_at).unwrap_or_default(),
                at_ms: s.at_ms,
                fresh: signoff.subjects == judged.current,
                changed: release::changed(&signoff.subjects, &judged.current),
            }
        })
        .collect();
    let op = record.cell("version").map(Cell::op).unwrap_or_default();
    Ok(Release {
        id: record.id.clone(),
        project: project.id.clone(),
        project_title: project.text("title"),
        version: version_view(r, &version)?,
        state: judged.state.as_str().to_owned(),
        sentence,
        changed,
        missing: missing.into_iter().map(RoleName::from).collect(),
        requested_by: person_at(&acl, &record.device),
        requested_ms: record.at_ms,
        reason: r.why(&op)?,
        risk_class: project.text("risk_class"),
        signoffs,
        binds: judged.current.iter().map(|b| BoundView { name: b.name.clone(), sha256: b.sha256.to_string() }).collect(),
        i_may_sign_as: if reason_not.is_none() { my_roles.into_iter().map(RoleName::from).collect() } else { Vec::new() },
        why_not: reason_not,
        mine: me.is_some() && judged.requester == me,
    })
}

/// `card` → "the model card".
fn say(names: &[String]) -> String {
    let words: Vec<String> = names
        .iter()
        .map(|n| match n.as_str() {
            "card" => "the model card".to_owned(),
            "model" => "the model's files".to_owned(),
            other => format!("the {}", other.replacen("dataset/", "dataset ", 1)),
        })
        .collect();
    words.join(" and ")
}
