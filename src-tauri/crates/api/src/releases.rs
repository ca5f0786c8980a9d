//! Releases: the request, what a reviewer sees, the signed decision, and the state that follows.

mod case;
mod measure;
pub mod page;
mod words;

pub(crate) use case::signing;
pub use case::{Judged, state_of};
pub(crate) use measure::results;
pub(crate) use words::Words;

use crate::host::{Host, Workspace};
use crate::models::{ModelVersion, files_of, version_beside};
use crate::people::{Person, RoleName, person, person_at};
use crate::projects::{ProjectRef, stage_of};
use crate::tracking::registry::project_of;
use crate::{ApiError, cards, edge, risk, templates};
use cairn_core::canonical::sha256;
use cairn_core::checklist::ItemKind;
use cairn_core::decision::{self, Block, Frozen, Measured, RULES, Shown, Standing, State, StatementParts, statement};
use cairn_core::id::{MemberId, ModelVersionId, OpId, ProjectId, ReleaseId};
use cairn_core::op::{Kind, Op, RiskClass, Ruling};
use cairn_core::release;
use cairn_core::role::Role;
use cairn_store::Reader;
use cairn_store::records::{Cell, Record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Release {
    pub id: String,
    pub project: String,
    pub project_title: String,
    pub version: ModelVersion,
    /// `waiting`, `approved`, `rejected`, `sent_back`, `taken_back`, `stale`, `withdrawn`, `void` or `undetermined`.
    pub state: String,
    /// The state in a sentence.
    pub sentence: String,
    /// Approved, and nothing in the records holds it up.
    pub stands: bool,
    /// What holds it up, in sentences.
    pub blocks: Vec<BlockView>,
    /// What colleagues did who cannot block: named, and to be answered.
    pub challenges: Vec<ChallengeView>,
    /// What changed since it was signed.
    pub changed: Vec<String>,
    /// Whose sign-off is still missing.
    pub missing: Vec<RoleName>,
    pub requested_by: Person,
    pub requested_ms: i64,
    pub reason: Option<String>,
    /// The class by which it is judged.
    pub risk_class: String,
    /// What the request froze; none for requests of earlier programs.
    pub frozen: Option<FrozenView>,
    /// Whoever had a hand in the version, and in what.
    pub builders: Vec<BuilderView>,
    /// Said where an approval that counts is by somebody who built it.
    pub independence: Option<String>,
    /// Decisions on the same model before, anywhere in the workspace.
    pub earlier: Vec<EarlierView>,
    pub signoffs: Vec<SignoffView>,
    /// What a signature made now would bind to.
    pub binds: Vec<BoundView>,
    /// The roles in which I could sign now.
    pub i_may_sign_as: Vec<RoleName>,
    /// Why I cannot, when I cannot.
    pub why_not: Option<String>,
    /// My approval counts now; I may take it back.
    pub i_may_take_back: bool,
    pub mine: bool,
    /// Requested by an earlier program, under its rules.
    pub older: bool,
    /// Said where the lifecycle is made for a lower class than the release is judged by.
    pub lifecycle_word: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BlockView {
    /// Such as `deleted`; scripts may tell reasons by it.
    pub code: String,
    pub sentence: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ChallengeView {
    /// The operation, by which it is answered.
    pub id: String,
    pub sentence: String,
    pub by: Person,
    pub at_ms: i64,
    pub answered: bool,
    /// Until when it must be answered: counted from when somebody who may answer it could know of it. None: nobody could yet.
    pub due_ms: Option<i64>,
    /// I may answer it.
    pub mine_to_answer: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FrozenView {
    pub class: String,
    pub policy: String,
    pub policy_digest: String,
    pub lifecycle: String,
    pub lifecycle_digest: String,
    pub cycle: u32,
    pub criteria: Vec<BoundView>,
    /// The roles that must approve, as the rule says it.
    pub asks_for: Vec<RoleName>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BuilderView {
    pub person: Person,
    pub made: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EarlierView {
    /// The sign-off, by which a request answers it.
    pub signoff: String,
    pub release: String,
    pub project_title: String,
    pub by: Person,
    pub role: RoleName,
    pub decision: String,
    pub reason: String,
    pub at_ms: i64,
    /// That role must approve in knowledge of it.
    pub blocks: bool,
    /// What the request says to it.
    pub answer: Option<String>,
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
    /// Why it does not count, where it does not.
    pub not_counted: Option<String>,
    /// What the signer was shown, by digest; none for signatures of earlier programs.
    pub page: Option<String>,
    /// Said where the claimed time cannot be.
    pub clock: Option<String>,
    /// Who else could first be shown to know of it, and when: the signer's own time is only a claim.
    pub seen_by: Option<String>,
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
    /// What is said to each earlier rejection, by its sign-off.
    #[serde(default)]
    #[ts(optional)]
    pub answers: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReleaseRef {
    pub release: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignRelease {
    pub release: String,
    /// `approved`, `rejected`, `sent_back` or `taken_back`.
    pub decision: String,
    pub role: String,
    pub reason: String,
    /// The digest of the page that was shown (`release.page`). If anything on it changed meanwhile, nothing is signed.
    pub page: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AnswerChallenge {
    pub release: String,
    /// The challenge's operation.
    pub challenge: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct WithdrawRelease {
    pub release: String,
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// What stood in the way of this model before, for whoever is about to ask again.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct VersionAsked {
    pub version: String,
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

/// Decisions on the same model before, which a request must answer where they block.
pub fn earlier(host: &Host, request: VersionAsked) -> Result<Vec<EarlierView>, ApiError> {
    host.workspace()?.read(|r| {
        let version = r.require(Kind::ModelVersion, &request.version)?;
        let model = r.require(Kind::Model, version.parent.as_deref().unwrap_or_default())?;
        earlier_of(r, &version, &project_of(&model).unwrap_or_default())
    })
}

/// Earlier decisions on a version's content, with whether their signer decides in a project.
fn earlier_of(r: &Reader<'_>, version: &Record, project: &str) -> Result<Vec<EarlierView>, ApiError> {
    let acl = r.acl()?;
    let contents = r.contents()?;
    let policy = templates::policy();
    let class = risk::classed(r, project)?.0.class.unwrap_or(RiskClass::High);
    let rule = policy.rule(class).ok_or_else(|| ApiError::new("internal", "The release policy has no rule"))?;
    let mut found = Vec::new();
    for like in contents.like(&version.id) {
        for release in contents.releases_of(&like) {
            let record = r.require(Kind::Release, release)?;
            for s in r.records(Kind::Signoff, Some(release))? {
                let (Some(role), Some(ruling)) = (s.get("role").and_then(Role::parse), s.get("decision").and_then(Ruling::parse)) else {
                    continue;
                };
                let by = person_at(&acl, &s.device);
                found.push(EarlierView {
                    blocks: ruling == Ruling::Rejected && rule.names(role) && case::decides_now(r, project, role, &by.id)?,
                    signoff: s.id.clone(),
                    release: release.clone(),
                    project_title: title_of_project(r, record.parent.as_deref())?,
                    by,
                    role: role.into(),
                    decision: ruling.as_str().to_owned(),
                    reason: reason_of(&s),
                    at_ms: s.at_ms,
                    answer: None,
                });
            }
        }
    }
    found.sort_by_key(|e| (e.at_ms, e.signoff.clone()));
    Ok(found)
}

fn title_of_project(r: &Reader<'_>, id: Option<&str>) -> Result<String, ApiError> {
    Ok(r.record(Kind::Project, id.unwrap_or_default())?.map(|p| p.text("title")).unwrap_or_default())
}

/// The reason in a signed statement, of whichever version.
fn reason_of(signoff: &Record) -> String {
    let text = signoff.text("statement");
    decision::read(&text).map(|x| x.reason).or_else(|_| release::read(&text).map(|x| x.reason)).unwrap_or_default()
}

fn claimed_of(signoff: &Record) -> String {
    let text = signoff.text("statement");
    decision::read(&text).map(|x| x.claimed_at).or_else(|_| release::read(&text).map(|x| x.claimed_at)).unwrap_or_default()
}

pub fn request(host: &Host, request: RequestRelease) -> Result<Release, ApiError> {
    let workspace = host.workspace()?;
    let reason = request.reason.trim();
    if reason.is_empty() {
        return Err(ApiError::invalid("A release request says why").hint("One sentence for whoever decides: what is better, and for whom."));
    }
    let version = ModelVersionId::parse(request.version)?;
    let answers: BTreeMap<String, String> = request.answers.unwrap_or_default().into_iter().filter(|(_, a)| !a.trim().is_empty()).collect();
    let release = workspace.write(|w| {
        let acl = w.acl()?;
        if !acl.adopted.iter().any(|a| a.rules >= RULES) {
            return Err(ApiError::new("rules", "An owner must adopt the newer rules for releases first").hint(
                "On the Team page, or by `cairn call rules.adopt`: approvals then mean more, and earlier Cairns say \"undetermined\".",
            ));
        }
        let record = w.require(Kind::ModelVersion, version.as_str())?;
        let model = w.require(Kind::Model, record.parent.as_deref().unwrap_or_default())?;
        let project = ProjectId::parse(project_of(&model).ok_or_else(|| {
            ApiError::conflict("This model belongs to no project yet").hint("Link it to a project first; its policy says who decides.")
        })?)?;
        let home = w.require(Kind::Project, project.as_str())?;
        for (what, gone) in [("version", record.deleted()), ("model", model.deleted()), ("project", home.deleted())] {
            if gone {
                return Err(ApiError::conflict(format!("The {what} is deleted")).hint("Restore it first."));
            }
        }
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
            let open = |s: &Standing| s.state.open() && !s.older;
            if other.get("version") == Some(version.as_str()) && open(&state_of(w, &other)?.standing) {
                return Err(ApiError::conflict("There is an open request for this version already"));
            }
        }
        let earlier = earlier_of(w, &record, project.as_str())?;
        let open: Vec<&EarlierView> = earlier.iter().filter(|e| e.blocks && !answers.contains_key(&e.signoff)).collect();
        if !open.is_empty() {
            let said: Vec<String> =
                open.iter().map(|e| format!("{} ({}): \u{201c}{}\u{201d} [{}]", e.by.name, e.role.label, e.reason, e.signoff)).collect();
            return Err(ApiError::new("unanswered", "This model was rejected before, and the request does not answer that")
                .hint("Say to each rejection what is different now; whoever decides reads it beside the rejection.")
                .details(said.join("\n")));
        }
        let (_, cycle) = stage_of(&home);
        let lifecycle = home.text("template");
        let text = templates::text_of(w, &lifecycle)?.ok_or_else(|| {
            ApiError::conflict("The lifecycle of this project has not arrived on this computer yet").hint("Share now, and try again.")
        })?;
        let frozen = Frozen {
            class: strictest(w, &record, project.as_str())?,
            policy: templates::policy().id.clone(),
            policy_digest: templates::policy_digest(),
            lifecycle,
            lifecycle_digest: sha256(text.as_bytes()),
            cycle,
            criteria: case::criteria(w, project.as_str(), cycle)?,
        };
        // Named by the operation that requests it: nobody can request it again under their own name.
        let id = w.next_id()?;
        let release = release::release_id(&id.device, id.n);
        w.append_why(Op::ReleaseSubmitted { release: release.clone(), project, version, frozen, answers }, Some(reason))?;
        Ok::<_, ApiError>(release)
    })?;
    get(host, ReleaseRef { release: release.to_string() })
}

/// The class by which a new request is judged: the project's, or a stricter one that holds where the same model stands.
fn strictest(r: &Reader<'_>, version: &Record, project: &str) -> Result<RiskClass, ApiError> {
    let mut class = risk::classed(r, project)?.0.class.unwrap_or(RiskClass::High);
    let contents = r.contents()?;
    for like in contents.like(&version.id) {
        let mut projects: Vec<String> = Vec::new();
        if let Some(other) = r.record(Kind::ModelVersion, &like)?
            && let Some(model) = r.record(Kind::Model, other.parent.as_deref().unwrap_or_default())?
        {
            projects.extend(project_of(&model));
        }
        for release in contents.releases_of(&like) {
            projects.extend(r.parent_of(Kind::Release, release)?);
        }
        for other in projects.iter().filter(|p| *p != project) {
            if let Some(held) = risk::classed(r, other)?.0.class {
                class = class.max(held);
            }
        }
    }
    Ok(class)
}

/// Signs a decision with this computer's key, over exactly what was shown.
pub fn sign(host: &Host, request: SignRelease) -> Result<Release, ApiError> {
    let workspace = host.workspace()?;
    let decision =
        Ruling::parse(&request.decision).ok_or_else(|| ApiError::invalid("A decision is approved, rejected, sent_back or taken_back"))?;
    let role = Role::parse(&request.role).ok_or_else(|| ApiError::invalid(format!("\"{}\" is no role", request.role)))?;
    let reason = request.reason.trim().to_owned();
    if reason.is_empty() {
        return Err(ApiError::invalid("A decision needs a reason").hint("A sentence is enough; it stays with the signature."));
    }
    let key = workspace.key()?;
    // Rendered once for this signature, kept, and named in its statement.
    let shown = page::render(&workspace, &request.release)?;
    if shown.sha256 != request.page {
        return Err(ApiError::new("changed", "Something on the page changed while you were reading")
            .hint("Read it once more: you sign what you saw, and that is no longer what stands there."));
    }
    let digest = workspace.store.put_blob(shown.html.as_bytes())?;
    workspace.write(|w| {
        let record = w.require(Kind::Release, &request.release)?;
        let judged = state_of(w, &record)?;
        let Some(frozen) = judged.standing.frozen.clone().filter(|_| !judged.standing.older) else {
            return Err(ApiError::conflict("This request was made by an earlier Cairn; it is decided by asking anew")
                .hint("Request the release again: the newer rules freeze what it is judged by."));
        };
        let acl = w.acl()?;
        let (member, known) =
            acl.member_of(&workspace.device()).ok_or_else(|| ApiError::conflict("This computer has not been let in yet"))?;
        if let Some(why) = why_not(w, &judged, &record, member, role, decision)? {
            return Err(ApiError::conflict(why));
        }
        if judged.current != shown.current || judged.standing != shown.standing {
            return Err(ApiError::new("changed", "Something on the page changed while you were signing").hint("Read it once more."));
        }
        let request_op = judged.standing.request.clone().ok_or_else(|| ApiError::not_found("The request"))?;
        let version = w.require(Kind::ModelVersion, &record.text("version"))?;
        let measured: Vec<Measured> = results(w, &record, &version, &frozen)?.into_iter().map(|x| x.measured).collect();
        if measured != shown.measured {
            return Err(ApiError::new("changed", "The measured numbers changed while you were signing").hint("Read the page once more."));
        }
        let release = ReleaseId::parse(record.id)?;
        let earlier: Vec<String> = judged.standing.earlier.iter().map(|e| e.signoff.clone()).collect();
        let independent = !judged.standing.builders.contains_key(member) && judged.standing.requester.as_ref() != Some(member);
        let claimed = edge::rfc3339_at(workspace.edge.now_ms(), workspace.edge.tz_minutes());
        let size = shown.html.len() as u64;
        let text = statement(&StatementParts {
            release: &release,
            request: &request_op,
            frozen: &frozen,
            decision,
            role,
            name: &known.name,
            member,
            fingerprint: &key.fingerprint(),
            reason: &reason,
            signed_at: &claimed,
            subjects: &judged.current,
            shown: &Shown { sha256: digest.clone(), size },
            earlier: &earlier,
            measured: &measured,
            independent,
        });
        let signature = key.sign(release::NAMESPACE, text.as_bytes())?;
        let signoff = crate::sharing::signoff_id(&signature);
        let op = Op::ReleaseDecided { release, signoff, decision, role, statement: text, signature, page: digest, page_size: size };
        w.append_why(op, Some(&reason)).map_err(ApiError::from)
    })?;
    get(host, ReleaseRef { release: request.release })
}

pub fn withdraw(host: &Host, request: WithdrawRelease) -> Result<Release, ApiError> {
    let workspace = host.workspace()?;
    let reason = request.reason.as_deref().map(str::trim).filter(|t| !t.is_empty());
    workspace.write(|w| {
        let record = w.require(Kind::Release, &request.release)?;
        let judged = state_of(w, &record)?;
        let me = w.acl()?.member_of(&workspace.device()).map(|(id, _)| id.clone());
        if me != judged.standing.requester {
            return Err(ApiError::conflict("Only whoever asked for the release can withdraw the request")
                .hint("Raise a finding, or talk to whoever decides."));
        }
        if !judged.standing.state.open() {
            return Err(ApiError::conflict("This request is decided; it cannot be withdrawn")
                .hint("Whoever approved it can take the approval back."));
        }
        w.append_why(Op::ReleaseWithdrawn { release: ReleaseId::parse(record.id)? }, reason).map_err(ApiError::from)
    })?;
    get(host, ReleaseRef { release: request.release })
}

/// Says how something was dealt with that a colleague brought up against a release.
pub fn answer(host: &Host, request: AnswerChallenge) -> Result<Release, ApiError> {
    let workspace = host.workspace()?;
    let challenge = OpId::parse(request.challenge.clone())?;
    let reason = request.reason.trim();
    if reason.is_empty() {
        return Err(ApiError::invalid("An answer says how it was dealt with").hint("A sentence is enough."));
    }
    workspace.write(|w| {
        let record = w.require(Kind::Release, &request.release)?;
        let judged = state_of(w, &record)?;
        if !judged.standing.challenges.iter().any(|c| c.id == challenge) {
            return Err(ApiError::not_found("This challenge"));
        }
        let acl = w.acl()?;
        let me = acl.member_of(&workspace.device()).map(|(id, m)| (id.clone(), m.roles.clone()));
        let role = me.and_then(|(id, roles)| answering(w, &judged, &record, &id, &signing(&roles)).transpose()).transpose()?;
        let Some(role) = role else {
            return Err(ApiError::conflict("Only somebody who may decide on this release answers a challenge, and nobody who built it"));
        };
        w.append_why(Op::ReleaseAnswered { release: ReleaseId::parse(record.id)?, challenge, role }, Some(reason)).map_err(ApiError::from)
    })?;
    get(host, ReleaseRef { release: request.release })
}

/// The role in which a person may answer challenges here.
fn answering(r: &Reader<'_>, judged: &Judged, record: &Record, member: &MemberId, mine: &[Role]) -> Result<Option<Role>, ApiError> {
    let Some(rule) = &judged.standing.rule else { return Ok(None) };
    let small = rule.independence == decision::Independence::SaidInSmallTeams && case::is_small(r, judged)?;
    let had_a_hand = judged.standing.builders.contains_key(member) || judged.standing.requester.as_ref() == Some(member);
    if had_a_hand && !small {
        return Ok(None);
    }
    for role in mine.iter().filter(|role| rule.names(**role)) {
        if case::decides_now(r, record.parent.as_deref().unwrap_or_default(), *role, member.as_str())? {
            return Ok(Some(*role));
        }
    }
    Ok(None)
}

/// Why `member` cannot sign now in a role, in a sentence; `None` if they can.
fn why_not(
    r: &Reader<'_>,
    judged: &Judged,
    record: &Record,
    member: &MemberId,
    role: Role,
    ruling: Ruling,
) -> Result<Option<String>, ApiError> {
    let s = &judged.standing;
    let own_yes = s.signed.iter().any(|x| x.by == *member && x.ruling == Ruling::Approved && x.discounted.is_none());
    let closed = match (&s.state, ruling) {
        (_, _) if s.older => Some("The request was made by an earlier Cairn; ask anew"),
        (State::Withdrawn, _) => Some("The request was withdrawn"),
        (State::Void(_), _) => Some("The request does not hold; a new one is the way on"),
        (State::Rejected, _) => Some("The release was rejected; a new request is the way on"),
        (State::Undetermined(_), _) => Some("This Cairn cannot say where the release stands; update it, or share first"),
        (_, Ruling::TakenBack) if !own_yes => Some("Only somebody whose approval counts can take it back"),
        // By a measurement that is known now, an approval can take the place of one.
        (State::Approved, Ruling::Approved) if s.blocks.iter().any(|b| matches!(b, Block::Criterion { .. })) => None,
        (State::Approved, Ruling::Approved) => Some("The release is approved already"),
        (State::Approved | State::TakenBack | State::SentBack | State::Stale(_) | State::Waiting(_), _) => None,
    };
    if let Some(why) = closed {
        return Ok(Some(why.to_owned()));
    }
    let Some(rule) = &s.rule else { return Ok(Some("The policy of this release is not known here".to_owned())) };
    if !rule.names(role) && !s.needed.contains(&role) {
        return Ok(Some(format!("The rule of this release does not ask for {}", role.label().to_lowercase())));
    }
    if !case::decides_now(r, record.parent.as_deref().unwrap_or_default(), role, member.as_str())? {
        return Ok(Some(format!("The project names somebody else as {}", role.label().to_lowercase())));
    }
    if ruling != Ruling::Approved {
        return Ok(None);
    }
    let acl = r.acl()?;
    let frontier = r.frontier()?;
    let (built, asked) = (s.builders.contains_key(member), s.requester.as_ref() == Some(member));
    if (built || asked) && acl.gave_themself(member, role, &frontier) && acl.members.len() > 1 {
        return Ok(Some("You gave yourself that role; it does not decide on what you had a hand in".to_owned()));
    }
    let small = case::is_small(r, judged)?;
    if (built || asked) && !(small && rule.independence == decision::Independence::SaidInSmallTeams) {
        let words = s.builders.get(member).map_or_else(|| "asked for it".to_owned(), |m| words::made(m).join(", "));
        return Ok(Some(format!("Whoever built a version does not approve it: you {words}")));
    }
    Ok(None)
}

pub(crate) fn view(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Release, ApiError> {
    view_of(workspace, r, record, &state_of(r, record)?)
}

/// A release that is judged already, for people.
pub(crate) fn view_of(workspace: &Workspace, r: &Reader<'_>, record: &Record, judged: &Judged) -> Result<Release, ApiError> {
    let acl = r.acl()?;
    let standing = &judged.standing;
    let version = r.require(Kind::ModelVersion, &record.text("version"))?;
    let project = r.require(Kind::Project, record.parent.as_deref().unwrap_or_default())?;
    let me = workspace.me(r)?;
    let my_roles = me.as_ref().and_then(|id| acl.members.get(id)).map(|m| signing(&m.roles)).unwrap_or_default();
    let (mut may, mut reason_not) = (Vec::new(), None);
    match &me {
        None => reason_not = Some("This computer has not been let in yet".to_owned()),
        Some(_) if my_roles.is_empty() => reason_not = Some("Your roles carry no sign-off".to_owned()),
        Some(me) => {
            for role in &my_roles {
                match why_not(r, judged, record, me, *role, Ruling::Approved)? {
                    None => may.push(*role),
                    Some(why) if reason_not.is_none() => reason_not = Some(why),
                    Some(_) => {}
                }
            }
        }
    }
    if !may.is_empty() {
        reason_not = None;
    }
    let missing = match &standing.state {
        State::Waiting(roles) => roles.clone(),
        State::Stale(_) | State::SentBack | State::TakenBack => standing.needed.clone(),
        State::Withdrawn | State::Rejected | State::Approved | State::Undetermined(_) | State::Void(_) => Vec::new(),
    };
    let words = Words { r, acl: &acl, judged };
    let changed = if let State::Stale(moved) = &standing.state { moved.iter().map(|m| words.moved(m)).collect() } else { Vec::new() };
    let mut signoffs = Vec::new();
    for s in &standing.signed {
        let signed = r.record(Kind::Signoff, &s.signoff)?;
        let witnesses = r.witnesses(&s.id)?;
        signoffs.push(SignoffView {
            id: s.signoff.clone(),
            by: person(&acl, s.by.as_str()),
            role: s.role.into(),
            decision: s.ruling.as_str().to_owned(),
            reason: signed.as_ref().map(reason_of).unwrap_or_default(),
            claimed_at: signed.as_ref().map(claimed_of).unwrap_or_default(),
            at_ms: judged.said_of(&s.id).map_or(0, |x| x.at_ms),
            fresh: s.fresh,
            changed: release::changed(&s.subjects, &judged.current).iter().map(|n| words::subject(n)).collect(),
            not_counted: s.discounted.map(|d| words.discounted(d)),
            page: signed.as_ref().and_then(|x| x.json("page")["digest"].as_str().map(str::to_owned)),
            clock: words.clock(&s.id),
            seen_by: witnesses
                .first()
                .map(|w| format!("{} wrote in knowledge of it at {}", person_at(&acl, &w.device).name, edge::rfc3339(w.at_ms))),
        });
    }
    let mut blocks = Vec::new();
    for block in &standing.blocks {
        let (code, sentence) = words.block(block)?;
        blocks.push(BlockView { code: code.to_owned(), sentence });
    }
    let i_answer = match &me {
        Some(me) => answering(r, judged, record, me, &my_roles)?.is_some(),
        None => false,
    };
    let mut challenges = Vec::new();
    for c in &standing.challenges {
        challenges.push(ChallengeView {
            id: c.id.to_string(),
            sentence: words.challenge(c)?,
            by: person(&acl, c.by.as_str()),
            at_ms: judged.said_of(&c.id).map_or(0, |s| s.at_ms),
            answered: c.answered,
            due_ms: due_of(r, standing, &c.id)?,
            mine_to_answer: i_answer && !c.answered,
        });
    }
    let mut earlier = Vec::new();
    for e in &standing.earlier {
        earlier.push(EarlierView {
            signoff: e.signoff.clone(),
            release: e.release.to_string(),
            project_title: title_of_project(r, Some(&e.project))?,
            by: person(&acl, e.by.as_str()),
            role: e.role.into(),
            decision: e.ruling.as_str().to_owned(),
            reason: r.record(Kind::Signoff, &e.signoff)?.as_ref().map(reason_of).unwrap_or_default(),
            at_ms: e.at_ms,
            blocks: e.blocks,
            answer: e.answer.clone(),
        });
    }
    let op = record.cell("version").map(Cell::op).unwrap_or_default();
    let i_may_take_back = me.as_ref().is_some_and(|me| {
        standing.signed.iter().any(|x| x.by == *me && x.ruling == Ruling::Approved && x.discounted.is_none()) && !standing.older
    });
    Ok(Release {
        id: record.id.clone(),
        project: project.id.clone(),
        project_title: project.text("title"),
        version: version_beside(r, &version, Some((record, judged)))?,
        state: standing.state.as_str().to_owned(),
        sentence: words.state()?,
        stands: standing.stands(),
        blocks,
        challenges,
        changed,
        missing: missing.into_iter().map(RoleName::from).collect(),
        requested_by: person_at(&acl, &record.device),
        requested_ms: record.at_ms,
        reason: r.why(&op)?,
        risk_class: match &standing.frozen {
            Some(f) => f.class.as_str().to_owned(),
            None => risk::class_word(r, &project.id)?,
        },
        frozen: standing.frozen.as_ref().map(|f| frozen_view(f, standing)),
        builders: standing
            .builders
            .iter()
            .map(|(m, made)| BuilderView { person: person(&acl, m.as_str()), made: words::made(made) })
            .collect(),
        independence: words.independence(),
        earlier,
        signoffs,
        binds: judged.current.iter().map(|b| BoundView { name: b.name.clone(), sha256: b.sha256.to_string() }).collect(),
        i_may_sign_as: may.into_iter().map(RoleName::from).collect(),
        why_not: reason_not,
        i_may_take_back,
        mine: me.is_some() && standing.requester == me,
        older: standing.older,
        lifecycle_word: match &standing.frozen {
            Some(f) => templates::lifecycle(r, &f.lifecycle)?.and_then(|l| templates::too_light(&l, Some(f.class.as_str()))),
            None => None,
        },
    })
}

fn frozen_view(f: &Frozen, standing: &Standing) -> FrozenView {
    FrozenView {
        class: f.class.as_str().to_owned(),
        policy: f.policy.clone(),
        policy_digest: f.policy_digest.to_string(),
        lifecycle: f.lifecycle.clone(),
        lifecycle_digest: f.lifecycle_digest.to_string(),
        cycle: f.cycle,
        criteria: f.criteria.iter().map(|b| BoundView { name: b.name.clone(), sha256: b.sha256.to_string() }).collect(),
        asks_for: standing.needed.iter().map(|r| RoleName::from(*r)).collect(),
    }
}

const DAY_MS: i64 = 86_400_000;

/// Until when a challenge is to be answered: counted from the first writing of somebody who may answer it in knowledge of it,
/// else from when it arrived at this computer, so that no challenger's clock can set the day.
pub(crate) fn due_of(r: &Reader<'_>, standing: &Standing, challenge: &OpId) -> Result<Option<i64>, ApiError> {
    let Some(rule) = &standing.rule else { return Ok(None) };
    let acl = r.acl()?;
    let signer = |device: &str| {
        let found = cairn_core::id::DeviceId::parse(device).ok();
        found.and_then(|d| acl.member_of(&d).map(|(_, m)| m.roles.iter().any(|role| rule.names(*role)))).unwrap_or(false)
    };
    let first = r.witnesses(challenge)?.into_iter().filter(|w| signer(&w.device)).map(|w| w.at_ms).min();
    let first = match first {
        Some(at) => Some(at),
        None => r.received_ms(challenge)?,
    };
    Ok(first.map(|at| at.saturating_add(i64::from(rule.challenge_days) * DAY_MS)))
}

/// Whether the lifecycle that a request froze asks for acceptance criteria at all.
pub(crate) fn asks_for_criteria(lifecycle: &cairn_core::lifecycle::Lifecycle) -> bool {
    use cairn_core::lifecycle::Check;
    let items = lifecycle.checklists.iter().flat_map(|c| &c.items).filter(|i| i.kind == ItemKind::Records && i.blocks);
    let checks = items.filter_map(|i| i.check.as_ref()).chain(lifecycle.stages.iter().flat_map(|s| &s.requirements).map(|q| &q.check));
    checks.into_iter().any(|c| matches!(c, Check::CriteriaMet))
}
