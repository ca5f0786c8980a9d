//! The judgement over one release.

use super::people::{builders, decides, is_alone, is_small, signs};
use super::{
    Block, Challenge, Challenged, Concern, Discounted, Earlier, Flaw, Frozen, Independence, Moved, Policy, RULES, Rule, Said, Signed,
    Standing, State, Unclear, made_before, read,
};
use crate::authority::Acl;
use crate::canonical::manifest_digest;
use crate::criterion::{self, Verdict};
use crate::id::{CriteriaId, Digest, LoggedModelId, MemberId, ModelVersionId, OpId, ProjectId, ReleaseId, RunId};
use crate::lifecycle::Stage;
use crate::op::{Ending, Kind, Op, RiskClass, Ruling, Severity, Subject};
use crate::release::Bound;
use crate::risk::{Classed, class_of};
use crate::role::Role;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What a judgement rests on.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub release: &'a ReleaseId,
    /// The accepted operations about the release, its project, its version with run and files, and about every other release
    /// and version of the same model content; in any order.
    pub said: &'a [Said],
    /// Authority by everything that is known.
    pub acl: &'a Acl,
    /// The policy of a digest, if this program knows it.
    pub policy: fn(&Digest) -> Option<&'static Policy>,
    /// The policy of a digest by which earlier programs asked.
    pub older: fn(&Digest) -> Option<&'static crate::release::Policy>,
    /// What a signature made now would bind to, in the order of a statement.
    pub current: &'a [Bound],
    /// What runs and monitors said since against what was signed.
    pub concerns: &'a [Concern],
    /// An operation of authority is there that this program does not understand.
    pub newer_authority: bool,
}

/// Files that many models share and that say nothing of which model it is.
const BOILERPLATE: [&str; 9] = [
    "MLmodel",
    "conda.yaml",
    "python_env.yaml",
    "requirements.txt",
    "registered_model_meta",
    "README.md",
    "input_example.json",
    "serving_input_example.json",
    "metadata.json",
];

/// What tells whether two versions are the same model content. Of a version that was added more than once (a lying program can)
/// everything that was ever said counts: nobody hides a run, or files that were rejected, behind a second word.
#[derive(Default)]
struct Content<'a> {
    runs: BTreeSet<&'a RunId>,
    logged_models: BTreeSet<&'a LoggedModelId>,
    models: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Content<'_> {
    fn same(&self, other: &Self) -> bool {
        !self.keys.is_disjoint(&other.keys)
    }
}

/// What tells the content of a version: two versions are the same model where they share one of these. One extra file makes
/// another digest, so the files that tell something count one by one.
pub fn content_keys(run: Option<&str>, logged_model: Option<&str>, files: Option<&BTreeMap<String, Digest>>) -> BTreeSet<String> {
    let mut keys: BTreeSet<String> =
        run.map(|r| format!("run {r}")).into_iter().chain(logged_model.map(|m| format!("model {m}"))).collect();
    let Some(files) = files.filter(|f| !f.is_empty()) else { return keys };
    let whole: Vec<(String, Digest)> = files.iter().map(|(p, d)| (p.clone(), d.clone())).collect();
    keys.insert(format!("files {}", manifest_digest(&whole)));
    let telling = |path: &str| !BOILERPLATE.contains(&path.rsplit('/').next().unwrap_or_default());
    keys.extend(files.iter().filter(|(p, _)| telling(p)).map(|(_, d)| format!("file {d}")));
    keys
}

fn content<'a>(said: &'a [Said], version: &ModelVersionId) -> Option<Content<'a>> {
    let mut found = Content::default();
    for s in said {
        let (model, run, logged_model, files) = match &s.op {
            Op::ModelVersionAdded { version: v, model, run, files, .. } if v == version => (model, Some(run), None, files),
            Op::ModelVersionRegistered { version: v, model, run, logged_model, files, .. } if v == version => {
                (model, run.as_ref(), logged_model.as_ref(), files)
            }
            _ => continue,
        };
        found.models.insert(model.to_string());
        found.runs.extend(run);
        found.logged_models.extend(logged_model);
        found.keys.extend(content_keys(run.map(RunId::as_str), logged_model.map(LoggedModelId::as_str), Some(files)));
    }
    (!found.models.is_empty()).then_some(found)
}

/// The projects that a model ever belonged to, each with the operation that said so.
fn projects_of<'a>(said: &'a [Said], model: &'a str) -> impl Iterator<Item = (&'a Said, &'a ProjectId)> {
    said.iter().filter_map(move |s| match &s.op {
        Op::ModelCreated { model: m, project, .. } if m.as_str() == model => Some((s, project)),
        Op::ModelLinked { model: m, project: Some(project) } if m.as_str() == model => Some((s, project)),
        _ => None,
    })
}

/// A request, of whichever version of the rules.
struct Request<'a> {
    said: &'a Said,
    release: &'a ReleaseId,
    project: &'a ProjectId,
    version: &'a ModelVersionId,
    submitted: Option<(&'a Frozen, &'a BTreeMap<String, String>)>,
}

fn requests(said: &[Said]) -> impl Iterator<Item = Request<'_>> {
    said.iter().filter_map(|s| match &s.op {
        Op::ReleaseRequested { release, project, version, .. } => Some(Request { said: s, release, project, version, submitted: None }),
        Op::ReleaseSubmitted { release, project, version, frozen, answers } => {
            Some(Request { said: s, release, project, version, submitted: Some((frozen, answers)) })
        }
        _ => None,
    })
}

/// A decision on any release.
struct Decided<'a> {
    said: &'a Said,
    release: &'a ReleaseId,
    signoff: &'a str,
    role: Role,
    ruling: Ruling,
    statement: &'a str,
}

fn decisions(said: &[Said]) -> impl Iterator<Item = Decided<'_>> {
    use crate::op::Decision;
    said.iter().filter_map(|s| match &s.op {
        Op::ReleaseSigned { release, signoff, decision, role, statement, .. } => {
            let ruling = match decision {
                Decision::Approved => Ruling::Approved,
                Decision::Rejected => Ruling::Rejected,
                Decision::SentBack => Ruling::SentBack,
            };
            Some(Decided { said: s, release, signoff, role: *role, ruling, statement })
        }
        Op::ReleaseDecided { release, signoff, decision, role, statement, .. } => {
            Some(Decided { said: s, release, signoff, role: *role, ruling: *decision, statement })
        }
        _ => None,
    })
}

/// Judges a release.
pub fn judge(case: &Case<'_>) -> Standing {
    // In one order, whatever the order of arrival: of two that say the same the first is named.
    let mut sorted = Cow::Borrowed(case.said);
    if !sorted.is_sorted_by(|a, b| a.id <= b.id) {
        sorted.to_mut().sort_by(|a, b| a.id.cmp(&b.id));
    }
    // A yes by rules that this program does not know would be a guess.
    let newer = case.newer_authority || case.acl.adopted.iter().any(|a| a.rules > RULES);
    let case = &Case { newer_authority: newer, said: &sorted, ..*case };
    let mut out = Standing {
        state: State::Undetermined(Unclear::Incomplete),
        request: None,
        signed: Vec::new(),
        blocks: Vec::new(),
        challenges: Vec::new(),
        builders: BTreeMap::new(),
        requester: None,
        earlier: Vec::new(),
        rule: None,
        frozen: None,
        class_now: None,
        needed: Vec::new(),
        independence_met: true,
        older: false,
    };
    let Some(request) = requests(case.said).find(|r| r.release == case.release) else { return out };
    out.request = Some(request.said.id.clone());
    let Some((frozen, answers)) = request.submitted else { return older(case, &request, out) };
    out.requester = Some(request.said.by.clone());
    out.frozen = Some(frozen.clone());
    let Some(content) = content(case.said, request.version) else { return out };
    out.builders = builders(case.said, request.version, &content.runs, &content.logged_models, &frozen.criteria);
    let Some(rule) = (case.policy)(&frozen.policy_digest).and_then(|p| p.rule(frozen.class)) else {
        out.state = State::Undetermined(Unclear::UnknownPolicy);
        return out;
    };
    out.rule = Some(rule.clone());
    let court = Court { case, request: &request, frozen, answers, rule, content: &content, builders: out.builders.clone() };
    out.earlier = court.earlier();
    let mut needed = rule.signoffs.clone();
    for role in out.earlier.iter().filter(|e| e.blocks).map(|e| e.role).collect::<BTreeSet<_>>() {
        if !needed.contains(&role) {
            needed.push(role);
        }
    }
    out.needed = needed;
    out.signed = court.signed();
    let class = court.class(&|_| true);
    out.class_now = class.class;
    out.challenges = court.challenges(&class, &out.signed);
    out.blocks = court.blocks(&out);
    out.state = if case.newer_authority { State::Undetermined(Unclear::NewerAuthority) } else { court.state(&out, &class) };
    let counted = |s: &&Signed| s.ruling == Ruling::Approved && s.discounted.is_none();
    out.independence_met = !out.signed.iter().filter(counted).any(|s| s.not_independent);
    out
}

/// Judges a request of earlier programs: by the policy that it names and the strictest class, with the approvals that were
/// there when the owners adopted newer rules. Nothing of it comes out better than those programs said.
fn older(case: &Case<'_>, request: &Request<'_>, mut out: Standing) -> Standing {
    out.older = true;
    out.requester = Some(request.said.by.clone());
    let Op::ReleaseRequested { policy, policy_digest, .. } = &request.said.op else { return out };
    let Some(content) = content(case.said, request.version) else { return out };
    let none = BTreeMap::new();
    let Some(found) = (case.older)(policy_digest) else {
        out.state = State::Undetermined(Unclear::UnknownPolicy);
        return out;
    };
    let class = class_of(request.project, case.said, &case.acl.adopted, &|_| true, &|_, d| is_data(case.said, request.project, d));
    let Some(asked) = found.rule(class.class.map(RiskClass::as_str).unwrap_or_default()) else { return out };
    let frozen = Frozen {
        class: class.class.unwrap_or(RiskClass::High),
        policy: policy.clone(),
        policy_digest: policy_digest.clone(),
        lifecycle: String::new(),
        lifecycle_digest: policy_digest.clone(),
        cycle: 0,
        criteria: Vec::new(),
    };
    let rule = Rule {
        risk_class: frozen.class,
        signoffs: asked.signoffs.clone(),
        may_block: vec![Role::Validator, Role::BusinessOwner, Role::Compliance],
        independence: Independence::SaidInSmallTeams,
        challenge_days: 14,
        knowledge_hours: 336,
    };
    out.builders = builders(case.said, request.version, &content.runs, &content.logged_models, &[]);
    let court = Court { case, request, frozen: &frozen, answers: &none, rule: &rule, content: &content, builders: out.builders.clone() };
    out.earlier = court.earlier();
    out.needed = rule.signoffs.clone();
    out.class_now = class.class;
    let mut counted = Vec::new();
    for d in decisions(case.said).filter(|d| d.release == case.release) {
        let Ok(says) = crate::release::read(d.statement) else { continue };
        let in_time = made_before(&case.acl.adopted, &d.said.id);
        let yes = d.ruling == Ruling::Approved;
        let late = (yes && !in_time).then_some(Discounted::OlderRules);
        out.signed.push(Signed {
            id: d.said.id.clone(),
            signoff: d.signoff.to_owned(),
            by: d.said.by.clone(),
            role: d.role,
            ruling: d.ruling,
            fresh: says.subjects == case.current,
            subjects: says.subjects.clone(),
            discounted: late,
            measured: Vec::new(),
            not_independent: yes && out.builders.contains_key(&d.said.by),
        });
        if late.is_none() {
            counted.push(crate::release::Signoff {
                member: d.said.by.clone(),
                role: says.role,
                decision: says.decision,
                subjects: says.subjects,
            });
        }
    }
    let requester = request.said.by.clone();
    let withdrawn = court.withdrawals().next().is_some();
    out.challenges = court.challenges(&class, &out.signed);
    out.blocks = court.blocks(&out);
    out.blocks.retain(|b| !matches!(b, Block::Stage(_) | Block::EarlierRejection(_)));
    out.state = if case.newer_authority {
        State::Undetermined(Unclear::NewerAuthority)
    } else {
        match crate::release::state(asked, &requester, withdrawn, &counted, case.current) {
            crate::release::State::Withdrawn => State::Withdrawn,
            crate::release::State::Rejected => State::Rejected,
            crate::release::State::SentBack => State::SentBack,
            crate::release::State::Stale(names) => State::Stale(names.into_iter().map(Moved::Subject).collect()),
            crate::release::State::Waiting(roles) => State::Waiting(roles),
            crate::release::State::Approved => State::Approved,
        }
    };
    out.independence_met = !out.signed.iter().any(|s| s.ruling == Ruling::Approved && s.discounted.is_none() && s.not_independent);
    out.rule = Some(rule);
    out
}

struct Court<'a> {
    case: &'a Case<'a>,
    request: &'a Request<'a>,
    frozen: &'a Frozen,
    answers: &'a BTreeMap<String, String>,
    rule: &'a Rule,
    content: &'a Content<'a>,
    builders: BTreeMap<MemberId, Vec<super::Made>>,
}

impl Court<'_> {
    fn in_request(&self, s: &Said) -> bool {
        self.request.said.knows(&s.id)
    }

    /// May the author of an act say no here in a role, as far as they could know?
    fn may_block(&self, role: Role, act: &Said) -> bool {
        self.rule.names(role) && decides(self.case, self.request.project, role, &act.by, act)
    }

    /// Whether the author of something had a role then whose no counts here.
    fn blocks_by(&self, s: &Said) -> bool {
        let roles = self.case.acl.roles_for(&s.id.device, s.id.n, &s.past);
        roles.into_iter().any(|role| self.may_block(role, s))
    }

    fn class(&self, seen: &dyn Fn(&Said) -> bool) -> Classed {
        self.class_in(self.request.project, seen)
    }

    fn class_in(&self, project: &ProjectId, seen: &dyn Fn(&Said) -> bool) -> Classed {
        // What the requester could not know moves no statement that they could: else old parents would undo a class.
        let data = |class: &Said, s: &Said| is_data(self.case.said, project, s) && (self.in_request(s) || !self.in_request(class));
        class_of(project, self.case.said, &self.case.acl.adopted, seen, &data)
    }

    /// Decisions on the same content, elsewhere or in earlier requests.
    fn earlier(&self) -> Vec<Earlier> {
        let said = self.case.said;
        let mut found: Vec<Earlier> = Vec::new();
        for d in decisions(said).filter(|d| d.release != self.case.release) {
            let Some(other) = requests(said).find(|r| r.release == d.release) else { continue };
            let same =
                other.version == self.request.version || content(said, other.version).is_some_and(|theirs| theirs.same(self.content));
            if !same {
                continue;
            }
            let no = d.ruling == Ruling::Rejected;
            found.push(Earlier {
                signoff: d.signoff.to_owned(),
                release: d.release.clone(),
                project: other.project.to_string(),
                by: d.said.by.clone(),
                role: d.role,
                ruling: d.ruling,
                at_ms: d.said.at_ms,
                blocks: no && self.rule.names(d.role) && decides(self.case, self.request.project, d.role, &d.said.by, self.request.said),
                answer: self.answers.get(d.signoff).filter(|a| !a.trim().is_empty()).cloned(),
            });
        }
        found.sort_by(|a, b| (a.at_ms, &a.signoff).cmp(&(b.at_ms, &b.signoff)));
        found
    }

    fn signed(&self) -> Vec<Signed> {
        let small = is_small(self.case.acl, &self.request.said.id);
        let alone = is_alone(self.case, &self.request.said.id);
        let here: Vec<Decided<'_>> = decisions(self.case.said).filter(|d| d.release == self.case.release).collect();
        let mut out: Vec<Signed> = Vec::new();
        for d in &here {
            let says = match (read(d.statement), crate::release::read(d.statement)) {
                (Ok(says), _) => says,
                // A no in the older form is a no all the same; a yes in it says too little.
                (Err(_), Ok(_)) if d.ruling != Ruling::Approved => {
                    let named = self.may_block(d.role, d.said);
                    out.push(self.older_no(d, (!named).then_some(Discounted::NotNamed)));
                    continue;
                }
                (Err(_), _) => continue,
            };
            let (built, asked) = (self.builders.contains_key(&d.said.by), d.said.by == self.request.said.by);
            let forgiven = self.rule.independence == Independence::SaidInSmallTeams && small;
            let fits = says.frozen == *self.frozen && says.request == self.request.said.id && d.said.knows(&self.request.said.id);
            let yes = d.ruling == Ruling::Approved;
            let own = self.case.acl.gave_themself(&d.said.by, d.role, &d.said.past);
            let silent = || {
                let known = decisions(self.case.said).filter(|e| e.ruling == Ruling::Rejected && d.said.knows(&e.said.id));
                let earlier = self.earlier();
                known.into_iter().any(|e| earlier.iter().any(|x| x.signoff == e.signoff) && !says.earlier.iter().any(|x| x == e.signoff))
            };
            let taken_back = || here.iter().any(|t| t.ruling == Ruling::TakenBack && t.said.by == d.said.by && t.said.knows(&d.said.id));
            let discounted = if !fits {
                Some(Discounted::OtherRequest)
            } else if !self.rule.names(d.role) && !self.needs(d.role) {
                Some(Discounted::RoleNotAsked)
            } else if !decides(self.case, self.request.project, d.role, &d.said.by, d.said) {
                Some(Discounted::NotNamed)
            } else if yes && (built || asked) && own && !alone {
                Some(Discounted::OwnRole)
            } else if yes && built && !forgiven {
                Some(Discounted::Builder)
            } else if yes && asked && !forgiven {
                Some(Discounted::Requester)
            } else if yes && silent() {
                Some(Discounted::SilentOnEarlier)
            } else if yes && taken_back() {
                Some(Discounted::TakenBack)
            } else {
                None
            };
            out.push(Signed {
                id: d.said.id.clone(),
                signoff: d.signoff.to_owned(),
                by: d.said.by.clone(),
                role: d.role,
                ruling: d.ruling,
                fresh: says.subjects == self.case.current,
                subjects: says.subjects,
                discounted,
                measured: says.measured,
                not_independent: yes && (built || asked),
            });
        }
        out.sort_by(|a, b| a.id.cmp(&b.id));
        out
    }

    fn older_no(&self, d: &Decided<'_>, discounted: Option<Discounted>) -> Signed {
        Signed {
            id: d.said.id.clone(),
            signoff: d.signoff.to_owned(),
            by: d.said.by.clone(),
            role: d.role,
            ruling: d.ruling,
            subjects: Vec::new(),
            fresh: true,
            discounted,
            measured: Vec::new(),
            not_independent: false,
        }
    }

    fn needs(&self, role: Role) -> bool {
        self.earlier().iter().any(|e| e.blocks && e.role == role)
    }

    fn said_of(&self, id: &OpId) -> Option<&Said> {
        self.case.said.iter().find(|s| s.id == *id)
    }

    fn knows_of(&self, later: &OpId, earlier: &OpId) -> bool {
        self.said_of(later).is_some_and(|s| s.knows(earlier))
    }

    fn state(&self, out: &Standing, class: &Classed) -> State {
        if let Some(flaw) = self.flaw(out) {
            return State::Void(flaw);
        }
        let counted = |ruling: Ruling| out.signed.iter().filter(move |s| s.ruling == ruling && s.discounted.is_none());
        if self.withdrawn(out) {
            return State::Withdrawn;
        }
        if counted(Ruling::Rejected).next().is_some() {
            return State::Rejected;
        }
        // A yes of the same role in knowledge of it takes the place of what was taken back or sent back.
        let overcome = |no: &Signed| counted(Ruling::Approved).any(|yes| yes.role == no.role && self.knows_of(&yes.id, &no.id));
        if counted(Ruling::TakenBack).any(|t| !overcome(t)) {
            return State::TakenBack;
        }
        if counted(Ruling::SentBack).any(|b| b.fresh && !overcome(b)) {
            return State::SentBack;
        }
        let mut moved = Vec::new();
        if class.class != Some(self.frozen.class) && self.class_moved(class) {
            moved.push(Moved::Class { now: class.class, by: class.by.clone() });
        }
        let fresh: Vec<&Signed> = counted(Ruling::Approved).filter(|s| s.fresh).collect();
        let missing = unfilled(&out.needed, &fresh);
        if missing.is_empty() && moved.is_empty() {
            return State::Approved;
        }
        for old in counted(Ruling::Approved).filter(|s| !s.fresh) {
            moved.extend(crate::release::changed(&old.subjects, self.case.current).into_iter().map(Moved::Subject));
        }
        if moved.is_empty() {
            return State::Waiting(missing);
        }
        let mut seen = Vec::new();
        moved.retain(|m| {
            let new = !seen.contains(m);
            if new {
                seen.push(m.clone());
            }
            new
        });
        State::Stale(moved)
    }

    /// Whether the class is another by the word of somebody who may block here, or by an agreement.
    fn class_moved(&self, class: &Classed) -> bool {
        let at_request = self.class(&|s| self.in_request(s));
        if class.class == at_request.class {
            return false;
        }
        let new = class.by.iter().filter_map(|id| self.said_of(id)).filter(|s| !self.in_request(s));
        new.into_iter().any(|s| self.blocks_by(s))
    }

    /// Why the request does not hold, by what its author and the signers could know.
    fn flaw(&self, out: &Standing) -> Option<Flaw> {
        let case = self.case;
        // What the owners adopted since they could know of it; a computer that has not heard of it cannot ask by newer rules.
        if !case.acl.adopted.iter().any(|a| a.rules >= RULES && self.request.said.knows(&a.id)) {
            return Some(Flaw::NotAdopted);
        }
        // Each model that the version was ever said to be of: one of another project makes it another's.
        let here = |model: &String| projects_of(case.said, model).any(|(s, p)| p == self.request.project && self.in_request(s));
        if !self.content.models.iter().all(here) {
            return Some(Flaw::OtherProject);
        }
        if let Some(what) = self.wrongly_frozen() {
            return Some(Flaw::Frozen(what));
        }
        let approvals: Vec<&Said> = out
            .signed
            .iter()
            .filter(|s| s.ruling == Ruling::Approved && s.discounted.is_none())
            .filter_map(|s| self.said_of(&s.id))
            .collect();
        let known = |s: &Said| self.in_request(s) || approvals.iter().any(|a| a.knows(&s.id));
        let held = self.class(&|s| self.in_request(s)).class.unwrap_or(RiskClass::High);
        if self.frozen.class < held {
            return Some(Flaw::ClassTooLow { frozen: self.frozen.class, held, project: self.request.project.to_string() });
        }
        for project in self.other_projects() {
            if let Some(class) = self.class_in(project, &known).class
                && self.frozen.class < class
            {
                return Some(Flaw::ClassTooLow { frozen: self.frozen.class, held: class, project: project.to_string() });
            }
        }
        if let Some((subject, id)) =
            self.deletions(&out.signed).into_iter().find(|(_, s)| known(s)).map(|(subject, s)| (subject, s.id.clone()))
        {
            return Some(Flaw::Deleted(subject, id));
        }
        let unanswered = out.earlier.iter().find(|e| {
            let known = decisions(case.said).find(|d| d.signoff == e.signoff).is_some_and(|d| self.in_request(d.said));
            e.blocks && known && e.answer.is_none()
        });
        unanswered.map(|e| Flaw::Unanswered(e.signoff.clone()))
    }

    /// Other projects in which the same content stands.
    fn other_projects(&self) -> Vec<&ProjectId> {
        let said = self.case.said;
        let mut found: Vec<&ProjectId> = Vec::new();
        let versions = said.iter().filter_map(|s| match &s.op {
            Op::ModelVersionAdded { version, .. } | Op::ModelVersionRegistered { version, .. } => Some(version),
            _ => None,
        });
        for version in versions {
            let Some(theirs) = content(said, version) else { continue };
            if !theirs.same(self.content) {
                continue;
            }
            let of = |m: &str| theirs.models.contains(m);
            for s in said {
                let project = match &s.op {
                    Op::ModelCreated { model: m, project, .. } if of(m.as_str()) => project,
                    Op::ModelLinked { model: m, project: Some(project) } if of(m.as_str()) => project,
                    Op::ReleaseRequested { version: v, project, .. } | Op::ReleaseSubmitted { version: v, project, .. } if v == version => {
                        project
                    }
                    _ => continue,
                };
                if project != self.request.project && !found.contains(&project) {
                    found.push(project);
                }
            }
        }
        found
    }

    /// What the release rests on and is deleted now, with the operation that did it. It also rests on the runs that the
    /// approvals that count say to have been measured.
    fn deletions(&self, signed: &[Signed]) -> Vec<(Subject, &Said)> {
        let yes = signed.iter().filter(|s| s.ruling == Ruling::Approved && s.discounted.is_none());
        let measured: BTreeSet<&RunId> = yes.flat_map(|s| s.measured.iter().filter_map(|m| m.run.as_ref())).collect();
        let experiments: BTreeSet<String> = self
            .case
            .said
            .iter()
            .filter_map(|s| match &s.op {
                Op::RunCreated { run, experiment, .. } if self.content.runs.contains(run) || measured.contains(run) => {
                    Some(experiment.to_string())
                }
                _ => None,
            })
            .collect();
        let rests = |subject: &Subject| match subject.kind {
            Kind::Project => subject.id == self.request.project.as_str(),
            Kind::ModelVersion => subject.id == self.request.version.as_str(),
            Kind::Model => self.content.models.contains(&subject.id),
            Kind::Run => self.content.runs.iter().copied().chain(measured.iter().copied()).any(|r| r.as_str() == subject.id),
            Kind::Experiment => experiments.contains(&subject.id),
            Kind::LoggedModel => self.content.logged_models.iter().any(|m| m.as_str() == subject.id),
            _ => false,
        };
        let mut found: Vec<(Subject, &Said)> = Vec::new();
        for s in self.case.said {
            let Op::RecordDeleted { subject } = &s.op else { continue };
            // A restoration in knowledge of it takes it back; so it does not matter who has the faster clock.
            let back = |r: &Said| matches!(&r.op, Op::RecordRestored { subject: other } if other == subject) && r.knows(&s.id);
            if rests(subject) && !self.case.said.iter().any(back) {
                found.push((subject.clone(), s));
            }
        }
        found
    }

    /// Taken back by its requester before it was decided: what they knew was no approval by all who were needed.
    fn withdrawn(&self, out: &Standing) -> bool {
        self.withdrawals().any(|w| {
            let known: Vec<&Signed> =
                out.signed.iter().filter(|s| s.ruling == Ruling::Approved && s.discounted.is_none() && w.knows(&s.id)).collect();
            w.by == self.request.said.by && !unfilled(&out.needed, &known).is_empty()
        })
    }

    fn withdrawals(&self) -> impl Iterator<Item = &Said> {
        self.case.said.iter().filter(|s| matches!(&s.op, Op::ReleaseWithdrawn { release } if release == self.case.release))
    }

    fn cancellations(&self) -> impl Iterator<Item = &Said> {
        let project = self.request.project;
        let said = self.case.said;
        said.iter().filter(move |s| {
            let cancels = matches!(&s.op, Op::ProjectEnded { project: p, ending: Ending::Cancelled } if p == project);
            let over = |r: &Said| {
                let lifts = matches!(&r.op, Op::ProjectResumed { project: p } if p == project)
                    || matches!(&r.op, Op::ProjectEnded { project: p, ending: Ending::Completed } if p == project);
                lifts && r.knows(&s.id)
            };
            cancels && !said.iter().any(over)
        })
    }

    /// Open findings of high severity, each with the operation that makes it so.
    fn findings(&self) -> Vec<(crate::id::FindingId, &Said)> {
        let said = self.case.said;
        let mut found = Vec::new();
        for s in said {
            let Op::FindingRaised { finding, project, severity, .. } = &s.op else { continue };
            if project != self.request.project {
                continue;
            }
            // Of gradings that did not know of each other the higher holds.
            let grades: Vec<(&Said, Severity)> = said
                .iter()
                .filter_map(|g| match &g.op {
                    Op::FindingGraded { finding: f, severity } if f == finding && !self.builders.contains_key(&g.by) => {
                        Some((g, *severity))
                    }
                    _ => None,
                })
                .collect();
            let last: Vec<&(&Said, Severity)> = grades.iter().filter(|(g, _)| !grades.iter().any(|(h, _)| h.knows(&g.id))).collect();
            let (by, grade) = last.iter().max_by_key(|(_, x)| *x).map_or((s, *severity), |(g, x)| (*g, *x));
            // Whoever built it settles nothing about it; a reopening in knowledge of it opens it again.
            let settled = said.iter().any(|x| {
                matches!(&x.op, Op::FindingSettled { finding: f, .. } if f == finding)
                    && self.independent(&x.by)
                    && !said.iter().any(|r| matches!(&r.op, Op::FindingReopened { finding: f } if f == finding) && r.knows(&x.id))
            });
            if grade == Severity::High && !settled {
                found.push((finding.clone(), by));
            }
        }
        found
    }

    /// Independence cannot be had and is not asked for.
    fn forgiven(&self) -> bool {
        self.rule.independence == Independence::SaidInSmallTeams && is_small(self.case.acl, &self.request.said.id)
    }

    /// The moves of the project in the request's own cycle, each with whether it went back from where its author knew it to be.
    fn moves(&self) -> Vec<(&Said, Stage, bool)> {
        let all: Vec<(&Said, Stage)> = self
            .case
            .said
            .iter()
            .filter_map(|s| match &s.op {
                Op::ProjectStageEntered { project, stage, cycle, .. } if project == self.request.project && *cycle == self.frozen.cycle => {
                    Some((s, *stage))
                }
                _ => None,
            })
            .collect();
        all.iter().map(|(s, stage)| (*s, *stage, all.iter().any(|(m, from)| from > stage && s.knows(&m.id)))).collect()
    }

    /// How far the project came; who decides here can move it back, and only moving on in knowledge of that takes it on again.
    fn stage(&self) -> Stage {
        let moves = self.moves();
        let held = moves.iter().filter(|(s, _, back)| *back && self.blocks_by(s));
        let held = held.filter(|(s, ..)| !moves.iter().any(|(on, to, _)| *to >= Stage::Approval && on.knows(&s.id)));
        let lowest = held.map(|(_, stage, _)| *stage).min();
        lowest.unwrap_or_else(|| moves.iter().map(|(_, stage, _)| *stage).max().unwrap_or(Stage::BusinessProblem))
    }

    fn blocks(&self, out: &Standing) -> Vec<Block> {
        let mut found = Vec::new();
        found.extend(self.cancellations().filter(|s| self.blocks_by(s)).map(|s| Block::Cancelled(s.id.clone())));
        found.extend(
            self.deletions(&out.signed)
                .into_iter()
                .filter(|(_, s)| self.blocks_by(s))
                .map(|(subject, s)| Block::Deleted(subject, s.id.clone())),
        );
        found.extend(self.findings().into_iter().filter(|(_, s)| self.blocks_by(s)).map(|(f, s)| Block::Finding(f, s.id.clone())));
        let approved = |role: Role, of: &str| {
            let Some(no) = decisions(self.case.said).find(|d| d.signoff == of) else { return false };
            out.signed
                .iter()
                .any(|s| s.ruling == Ruling::Approved && s.discounted.is_none() && s.role == role && self.knows_of(&s.id, &no.said.id))
        };
        let earlier = out.earlier.iter().filter(|e| e.blocks && !approved(e.role, &e.signoff));
        found.extend(earlier.map(|e| Block::EarlierRejection(e.signoff.clone())));
        let stage = self.stage();
        if stage < Stage::Approval {
            found.push(Block::Stage(stage));
        }
        found.extend(self.unmet(&out.signed));
        found
    }

    /// Each criterion that an approval does not say to have been passed. An approval of the same role in knowledge of another
    /// takes its place.
    fn unmet(&self, signed: &[Signed]) -> Vec<Block> {
        let yes: Vec<&Signed> = signed.iter().filter(|s| s.ruling == Ruling::Approved && s.discounted.is_none() && s.fresh).collect();
        let replaced = |old: &Signed| yes.iter().any(|new| new.role == old.role && new.id != old.id && self.knows_of(&new.id, &old.id));
        let mut found = Vec::new();
        for approval in yes.iter().filter(|s| !replaced(s)) {
            for (criteria, many) in self.frozen_sets() {
                for place in 0..many {
                    let mut said = approval.measured.iter().filter(|m| m.criteria == criteria && m.place == place).map(|m| m.verdict);
                    let first = said.next().flatten();
                    // Said twice, the worse counts.
                    let verdict = said.find(|v| *v != Some(Verdict::Passed)).unwrap_or(first);
                    if verdict != Some(Verdict::Passed) {
                        let signoff = approval.signoff.clone();
                        found.push(Block::Criterion { signoff, criteria: criteria.clone(), place, verdict });
                    }
                }
            }
        }
        found
    }

    /// The frozen sets of criteria, each with how many criteria it holds: as its digest says, whatever else was written under its
    /// name. One that is not known here counts as one.
    fn frozen_sets(&self) -> Vec<(CriteriaId, u32)> {
        let of = |bound: &Bound| {
            let id = CriteriaId::parse(bound.name.strip_prefix("criteria/").unwrap_or(&bound.name)).ok()?;
            let list = self.case.said.iter().find_map(|s| match &s.op {
                Op::CriteriaWritten { criteria, project, cycle, list, .. }
                    if *criteria == id && criterion::digest(project.as_str(), *cycle, list) == bound.sha256 =>
                {
                    Some(list.len())
                }
                _ => None,
            });
            Some((id, u32::try_from(list.unwrap_or(1).max(1)).unwrap_or(u32::MAX)))
        };
        self.frozen.criteria.iter().filter_map(of).collect()
    }

    fn challenges(&self, class: &Classed, signed: &[Signed]) -> Vec<Challenge> {
        let mut found: Vec<(&Said, Challenged)> = Vec::new();
        found.extend(self.cancellations().filter(|s| !self.blocks_by(s)).map(|s| (s, Challenged::Cancelled)));
        let gone = self.deletions(signed).into_iter().filter(|(_, s)| !self.blocks_by(s));
        found.extend(gone.map(|(subject, s)| (s, Challenged::Deleted(subject))));
        found.extend(self.findings().into_iter().filter(|(_, s)| !self.blocks_by(s)).map(|(f, s)| (s, Challenged::Finding(f))));
        for d in decisions(self.case.said).filter(|d| d.release == self.case.release && d.ruling != Ruling::Approved) {
            if !self.may_block(d.role, d.said) {
                found.push((d.said, Challenged::Objection(d.ruling, d.role)));
            }
        }
        for w in self.withdrawals().filter(|w| w.by != self.request.said.by) {
            found.push((w, Challenged::Withdrawn));
        }
        // A stricter class that does not hold here, or holds by the word of somebody who decides nothing here.
        let stricter = |c: RiskClass| c > self.frozen.class;
        for p in class.proposals.iter().filter(|p| stricter(p.class)) {
            found.extend(self.said_of(&p.id).filter(|s| !self.in_request(s)).map(|s| (s, Challenged::Class(p.class))));
        }
        if class.class.is_some_and(stricter) && !self.class_moved(class) {
            let new = class.by.iter().filter_map(|id| self.said_of(id)).filter(|s| !self.in_request(s));
            found.extend(new.filter_map(|s| Some((s, Challenged::Class(class.class?)))));
        }
        for project in self.other_projects() {
            let there = self.class_in(project, &|_| true);
            if let Some(held) = there.class.filter(|c| stricter(*c)) {
                found.extend(there.by.iter().filter_map(|id| self.said_of(id)).map(|s| (s, Challenged::Class(held))));
            }
        }
        for (s, stage, _) in self.moves().into_iter().filter(|(s, stage, back)| *back && *stage < Stage::Approval && !self.blocks_by(s)) {
            if !self.moves().iter().any(|(on, to, _)| *to >= Stage::Approval && on.knows(&s.id)) {
                found.push((s, Challenged::Stage(stage)));
            }
        }
        for (criteria, s) in self.unsigned_criteria() {
            found.push((s, Challenged::Criteria(criteria.to_string())));
        }
        let mut out: Vec<Challenge> = found
            .into_iter()
            .map(|(s, what)| Challenge { id: s.id.clone(), by: s.by.clone(), answered: self.answered(&[&s.id], &s.id, signed), what })
            .collect();
        out.extend(self.case.concerns.iter().filter_map(|c| self.concern(c, signed)));
        out.sort_by(|a, b| a.id.cmp(&b.id));
        out.dedup_by(|a, b| a.id == b.id && a.what == b.what);
        out
    }

    /// What was reported, once however often: open from the first report that no answer knew of, so that nobody moves the day by
    /// reporting again; answered where an answer knew of all.
    fn concern(&self, concern: &Concern, signed: &[Signed]) -> Option<Challenge> {
        let names: Vec<&OpId> = concern.said.iter().map(|s| &s.id).collect();
        let open: Vec<&Said> = concern.said.iter().filter(|s| !self.answered(&names, &s.id, signed)).collect();
        let earliest = |all: &[&Said]| {
            let first = all.iter().filter(|s| !all.iter().any(|other| s.knows(&other.id) && other.id != s.id));
            first.min_by(|a, b| a.id.cmp(&b.id)).map(|s| (s.id.clone(), s.by.clone()))
        };
        let all: Vec<&Said> = concern.said.iter().collect();
        let (id, by) = earliest(if open.is_empty() { &all } else { &open })?;
        Some(Challenge { id, by, answered: open.is_empty(), what: concern.what.clone() })
    }

    /// Sets of this cycle that were written since and that nobody who may has signed.
    fn unsigned_criteria(&self) -> Vec<(&CriteriaId, &Said)> {
        let said = self.case.said;
        let signed = |id: &CriteriaId| said.iter().any(|s| matches!(&s.op, Op::CriteriaSigned { criteria, .. } if criteria == id));
        said.iter()
            .filter_map(|s| match &s.op {
                Op::CriteriaWritten { criteria, project, cycle, .. }
                    if project == self.request.project && *cycle == self.frozen.cycle && !self.in_request(s) && !signed(criteria) =>
                {
                    Some((criteria, s))
                }
                _ => None,
            })
            .collect()
    }

    /// Somebody who decides here said how it was dealt with, or approved in knowledge of it so that it counts: the page names
    /// each challenge. An answer names the challenge by one of its operations.
    fn answered(&self, names: &[&OpId], challenge: &OpId, signed: &[Signed]) -> bool {
        self.case.said.iter().any(|s| match &s.op {
            Op::ReleaseAnswered { release, challenge: c, role } => {
                release == self.case.release
                    && names.contains(&c)
                    && s.knows(challenge)
                    && self.independent(&s.by)
                    && self.may_block(*role, s)
            }
            Op::ReleaseDecided { release, decision: Ruling::Approved, .. } => {
                let counts = |x: &&Signed| x.id == s.id && x.discounted.is_none();
                release == self.case.release && s.knows(challenge) && signed.iter().any(|x| counts(&x))
            }
            _ => false,
        })
    }

    /// Had no hand in it, or the team is too small to ask for that.
    fn independent(&self, who: &MemberId) -> bool {
        self.forgiven() || (!self.builders.contains_key(who) && *who != self.request.said.by)
    }

    /// What the request froze otherwise than its author could know it to stand.
    fn wrongly_frozen(&self) -> Option<&'static str> {
        let known = || self.case.said.iter().filter(|s| self.in_request(s));
        let project = self.request.project;
        let cycle = known().filter_map(|s| match &s.op {
            Op::ProjectStageEntered { project: p, cycle, .. } if p == project => Some(*cycle),
            _ => None,
        });
        if self.frozen.cycle != cycle.max().unwrap_or(1) {
            return Some("cycle");
        }
        let lifecycles: Vec<(&Said, &str)> = known()
            .filter_map(|s| match &s.op {
                Op::ProjectCreated { project: p, template, .. } | Op::ProjectTemplateSet { project: p, template } if p == project => {
                    Some((s, template.as_str()))
                }
                _ => None,
            })
            .collect();
        let last = |s: &Said| !lifecycles.iter().any(|(later, _)| later.knows(&s.id));
        if !lifecycles.is_empty() && !lifecycles.iter().any(|(s, id)| last(s) && *id == self.frozen.lifecycle) {
            return Some("lifecycle");
        }
        (self.signed_criteria() != self.frozen.criteria).then_some("criteria")
    }

    /// The sets of the frozen cycle that somebody who may had signed, as the requester could know, and that no other such set
    /// replaces.
    fn signed_criteria(&self) -> Vec<Bound> {
        let known = || self.case.said.iter().filter(|s| self.in_request(s));
        let mut sets: Vec<(Bound, &[CriteriaId])> = Vec::new();
        for s in known() {
            let Op::CriteriaWritten { criteria, project, cycle, list, replaces } = &s.op else { continue };
            if project != self.request.project || *cycle != self.frozen.cycle {
                continue;
            }
            let digest = criterion::digest(project.as_str(), *cycle, list);
            let signed = known().any(|x| {
                matches!(&x.op, Op::CriteriaSigned { criteria: c, role, statement, .. }
                    if c == criteria && signs(*role) && criterion::read(statement).is_ok_and(|says| says.sha256 == digest.as_str()))
            });
            if signed {
                sets.push((Bound { name: format!("criteria/{criteria}"), sha256: digest }, replaces));
            }
        }
        let gone: BTreeSet<String> = sets.iter().flat_map(|(_, r)| r.iter().map(|id| format!("criteria/{id}"))).collect();
        let mut left: Vec<Bound> = sets.into_iter().map(|(b, _)| b).filter(|b| !gone.contains(&b.name)).collect();
        left.sort_by(|a, b| a.name.cmp(&b.name));
        left.dedup();
        left
    }
}

/// Whether an operation means that there are data or work to judge in a project.
pub fn is_data(said: &[Said], project: &ProjectId, s: &Said) -> bool {
    match &s.op {
        Op::DatasetCreated { project: p, .. } | Op::ModelCreated { project: p, .. } | Op::ReleaseSubmitted { project: p, .. } => {
            p == project
        }
        Op::ModelLinked { project: Some(p), .. } | Op::ExperimentLinked { project: Some(p), .. } => p == project,
        Op::ExperimentCreated { project: Some(p), .. } => p == project,
        Op::CriteriaSigned { criteria, .. } => {
            said.iter().any(|w| matches!(&w.op, Op::CriteriaWritten { criteria: c, project: p, .. } if c == criteria && p == project))
        }
        _ => false,
    }
}

/// The roles that no sign-off fills; each person fills one.
pub(super) fn unfilled(roles: &[Role], signed: &[&Signed]) -> Vec<Role> {
    fn fill(roles: &[Role], signed: &[&Signed], used: &mut Vec<MemberId>) -> Vec<Role> {
        let Some((role, rest)) = roles.split_first() else { return Vec::new() };
        let mut best: Option<Vec<Role>> = None;
        for s in signed.iter().filter(|s| s.role == *role) {
            if used.contains(&s.by) {
                continue;
            }
            used.push(s.by.clone());
            let open = fill(rest, signed, used);
            used.pop();
            if best.as_ref().is_none_or(|b| open.len() < b.len()) {
                best = Some(open);
            }
        }
        let mut without = vec![*role];
        without.extend(fill(rest, signed, used));
        match best {
            Some(open) if open.len() <= without.len() => open,
            _ => without,
        }
    }
    fill(roles, signed, &mut Vec::new())
}
