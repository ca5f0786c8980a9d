//! The rules judged: every order of a few people's operations, with a release in the middle.
//!
//! The search knows nothing of `judge`: after each history it says in its own, much shorter words what an approval takes, and
//! that nothing else is approved. What differs in arrival only must not differ at all.

use super::*;
use crate::authority::{Acl, History, Line, Verdict};
use crate::canonical::sha256;
use crate::criterion;
use crate::id::{CriteriaId, DeviceId, ExperimentId, FindingId, ModelId, ModelVersionId, OpId, ProjectId, RunId};
use crate::op::{Admission, Ending, Kind, Num, ProjectField, PublicKey, Severity};
use crate::release::release_id;
use crate::text::{Body, Title};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let rule = |risk_class, signoffs: &[Role], independence| Rule {
        risk_class,
        signoffs: signoffs.to_vec(),
        may_block: vec![Role::Validator],
        independence,
        challenge_days: 7,
        knowledge_hours: 24,
    };
    Policy {
        id: "test/1".to_owned(),
        rules: vec![
            rule(RiskClass::Low, &[Role::BusinessOwner], Independence::SaidInSmallTeams),
            rule(RiskClass::Medium, &[Role::BusinessOwner], Independence::Required),
            rule(RiskClass::High, &[Role::Validator, Role::BusinessOwner], Independence::Required),
        ],
    }
});

fn digest() -> Digest {
    sha256(b"policy")
}
fn policy_of(d: &Digest) -> Option<&'static Policy> {
    (*d == digest()).then_some(&*POLICY)
}
fn dev(name: &str) -> DeviceId {
    DeviceId::parse(name).unwrap()
}
fn who(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}
fn project() -> ProjectId {
    ProjectId::parse("p").unwrap()
}
fn version() -> ModelVersionId {
    ModelVersionId::parse("v").unwrap()
}
fn current() -> Vec<Bound> {
    vec![Bound { name: "model".into(), sha256: sha256(b"files") }]
}

fn admission(name: &str, roles: &[Role]) -> Admission {
    Admission {
        member: who(name),
        name: Title::parse(name).unwrap(),
        email: String::new(),
        device: dev(name),
        device_name: Title::parse("laptop").unwrap(),
        key: PublicKey(format!("key of {name}")),
        roles: roles.to_vec(),
        vouch: None,
    }
}

#[derive(Clone)]
struct World {
    said: Vec<(DeviceId, u64, Past, Op)>,
}

impl World {
    /// Olga runs the workspace and decides; val validates; dan built a version of a project of this class, which stands before
    /// its approval. Everybody knows that.
    fn of(class: RiskClass, more: &[(&str, &[Role])]) -> Self {
        let mut w = Self { said: Vec::new() };
        w.say(
            "olga",
            Op::WorkspaceCreated { name: Title::parse("W").unwrap(), first: admission("olga", &[Role::Owner, Role::BusinessOwner]) },
        );
        w.say("olga", Op::RulesAdopted { rules: RULES });
        w.say("olga", Op::MemberAdmitted(admission("dan", &[Role::DataScientist])));
        w.say("olga", Op::MemberAdmitted(admission("val", &[Role::Validator])));
        for (name, roles) in more {
            w.say("olga", Op::MemberAdmitted(admission(name, roles)));
        }
        w.say("olga", Op::ProjectCreated { project: project(), title: Title::parse("P").unwrap(), template: "light/1".into() });
        w.say("olga", Op::ProjectClassSet { project: project(), class, role: Role::BusinessOwner });
        w.say("olga", Op::ProjectStageEntered { project: project(), stage: Stage::Approval, cycle: 1, waived: Vec::new() });
        let experiment = ExperimentId::parse("e").unwrap();
        let run = RunId::parse("r").unwrap();
        w.say("dan", Op::ExperimentCreated { experiment: experiment.clone(), name: Title::parse("E").unwrap(), project: Some(project()) });
        w.say("dan", Op::RunCreated { run: run.clone(), experiment, user: String::new(), start_ms: 0, tags: BTreeMap::new() });
        let model = ModelId::parse("m").unwrap();
        w.say("dan", Op::ModelCreated { model: model.clone(), project: project(), name: Title::parse("M").unwrap() });
        let files = [("model.bin".to_owned(), sha256(b"bytes"))].into();
        w.say("dan", Op::ModelVersionAdded { version: version(), model, number: 1, run, files, datasets: Vec::new() });
        w
    }
    fn all(&self) -> Past {
        self.said.iter().map(|(d, ..)| (d.clone(), self.count(d))).collect()
    }
    fn count(&self, device: &DeviceId) -> u64 {
        self.said.iter().filter(|(d, ..)| d == device).count() as u64
    }
    fn say(&mut self, by: &str, op: Op) -> OpId {
        let past = self.all();
        self.say_at(by, past, op)
    }
    fn say_at(&mut self, by: &str, mut past: Past, op: Op) -> OpId {
        let device = dev(by);
        past.remove(&device);
        let n = self.count(&device) + 1;
        self.said.push((device.clone(), n, past, op));
        OpId { device, n }
    }
    /// The request that dan would write next.
    fn ask(&self, class: RiskClass) -> (Op, ReleaseId) {
        let device = dev("dan");
        let release = release_id(&device, self.count(&device) + 1);
        let frozen = frozen(class);
        (
            Op::ReleaseSubmitted { release: release.clone(), project: project(), version: version(), frozen, answers: BTreeMap::new() },
            release,
        )
    }

    fn lines(&self) -> Vec<Line<'_>> {
        self.said.iter().map(|(device, n, past, op)| Line { device, n: *n, past, op, why: Some("because") }).collect()
    }

    /// The accepted operations, with authority by all of them.
    fn accepted(&self) -> (Vec<Said>, Acl) {
        let verdicts = crate::authority::judge(&self.lines());
        let mut history = History::default();
        let mut order: Vec<usize> = (0..self.said.len()).collect();
        order.sort_by_key(|i| (self.said[*i].2.values().sum::<u64>() + self.said[*i].1, self.said[*i].0.clone(), self.said[*i].1));
        for i in order {
            drop(history.take(&self.lines()[i]));
        }
        let acl = history.now();
        let said = self
            .said
            .iter()
            .zip(verdicts)
            .filter(|(_, v)| *v == Verdict::Accepted)
            .map(|((device, n, past, op), _)| {
                let mut past = past.clone();
                if *n > 1 {
                    past.insert(device.clone(), n - 1);
                }
                Said {
                    id: OpId { device: device.clone(), n: *n },
                    by: who(device.as_str()),
                    past: Arc::new(past),
                    at_ms: 0,
                    why: Some("because".into()),
                    op: op.clone(),
                }
            })
            .collect();
        (said, acl)
    }

    fn standing(&self, release: &ReleaseId) -> Standing {
        self.standing_beside(release, &[])
    }

    /// The same, with what runs and monitors reported: each by operations of this world.
    fn standing_beside(&self, release: &ReleaseId, reported: &[(Challenged, &[OpId])]) -> Standing {
        let (said, acl) = self.accepted();
        let of = |ids: &[OpId]| said.iter().filter(|s| ids.contains(&s.id)).cloned().collect();
        let concerns: Vec<Concern> = reported.iter().map(|(what, ids)| Concern { what: what.clone(), said: of(ids) }).collect();
        let case = |said: &[Said]| {
            let (current, concerns) = (&current(), &concerns[..]);
            judge(&Case { release, said, acl: &acl, policy: policy_of, older: |_| None, current, concerns, newer_authority: false })
        };
        let forward = case(&said);
        let backward: Vec<Said> = said.iter().rev().cloned().collect();
        assert_eq!(forward, case(&backward), "the order of arrival must not matter");
        forward
    }
}

fn frozen(class: RiskClass) -> Frozen {
    Frozen {
        class,
        policy: "test/1".into(),
        policy_digest: digest(),
        lifecycle: "light/1".into(),
        lifecycle_digest: digest(),
        cycle: 1,
        criteria: Vec::new(),
    }
}

/// What is decided on.
#[derive(Clone, Copy)]
struct Asked<'a> {
    release: &'a ReleaseId,
    request: &'a OpId,
    class: RiskClass,
}

fn decide(by: &str, role: Role, decision: Ruling, asked: Asked<'_>, earlier: &[String], tag: usize) -> Op {
    let shown = Shown { sha256: digest(), size: 1 };
    let text = statement(&StatementParts {
        release: asked.release,
        request: asked.request,
        frozen: &frozen(asked.class),
        decision,
        role,
        name: by,
        member: &who(by),
        fingerprint: "",
        reason: "read",
        signed_at: "",
        subjects: &current(),
        shown: &shown,
        earlier,
        measured: &[],
        independent: true,
    });
    Op::ReleaseDecided {
        release: asked.release.clone(),
        signoff: format!("{by}{tag}"),
        decision,
        role,
        statement: text,
        signature: String::new(),
        page: digest(),
        page_size: 1,
    }
}

// ---- scenes ----

#[test]
fn a_stale_page_or_another_frozen_rule_in_the_statement_counts_for_nothing() {
    let mut w = World::of(RiskClass::Low, &[]);
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    w.say(
        "olga",
        decide(
            "olga",
            Role::BusinessOwner,
            Ruling::Approved,
            Asked { release: &release, request: &request, class: RiskClass::High },
            &[],
            1,
        ),
    );
    let s = w.standing(&release);
    assert_eq!(s.signed[0].discounted, Some(Discounted::OtherRequest));
    w.say(
        "olga",
        decide(
            "olga",
            Role::BusinessOwner,
            Ruling::Approved,
            Asked { release: &release, request: &request, class: RiskClass::Low },
            &[],
            2,
        ),
    );
    assert!(w.standing(&release).stands());
}

#[test]
fn an_approval_needs_the_frozen_rule_and_no_other() {
    let mut w = World::of(RiskClass::High, &[]);
    let (ask, release) = w.ask(RiskClass::High);
    let request = w.say("dan", ask);
    w.say(
        "olga",
        decide(
            "olga",
            Role::BusinessOwner,
            Ruling::Approved,
            Asked { release: &release, request: &request, class: RiskClass::High },
            &[],
            1,
        ),
    );
    assert_eq!(w.standing(&release).state, State::Waiting(vec![Role::Validator]));
    w.say(
        "val",
        decide("val", Role::Validator, Ruling::Approved, Asked { release: &release, request: &request, class: RiskClass::High }, &[], 1),
    );
    assert!(w.standing(&release).stands());
}

#[test]
fn a_request_for_a_lower_class_than_holds_is_void_for_every_receiver() {
    let mut w = World::of(RiskClass::High, &[]);
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    w.say(
        "olga",
        decide(
            "olga",
            Role::BusinessOwner,
            Ruling::Approved,
            Asked { release: &release, request: &request, class: RiskClass::Low },
            &[],
            1,
        ),
    );
    assert!(matches!(w.standing(&release).state, State::Void(Flaw::ClassTooLow { .. })));
}

#[test]
fn a_signer_is_named_by_another_signer_and_by_nobody_else() {
    let mut w = World::of(RiskClass::Low, &[("bob", &[Role::BusinessOwner]), ("ida", &[Role::BusinessOwner])]);
    let name = |member: &str| Op::ProjectMemberAdded { project: project(), member: who(member), role: Role::BusinessOwner };
    // Dan cannot choose who decides on his work, and bob does not name himself.
    w.say("dan", name("bob"));
    w.say("bob", name("bob"));
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    let yes = |by: &str, n| {
        decide(by, Role::BusinessOwner, Ruling::Approved, Asked { release: &release, request: &request, class: RiskClass::Low }, &[], n)
    };
    let mut open = w.clone();
    open.say("ida", yes("ida", 1));
    assert!(open.standing(&release).stands(), "nobody is named, so whoever holds the role decides");
    w.say("olga", name("ida"));
    w.say("bob", yes("bob", 1));
    assert_eq!(w.standing(&release).signed[0].discounted, Some(Discounted::NotNamed));
    w.say("ida", yes("ida", 1));
    assert!(w.standing(&release).stands());
}

#[test]
fn people_taken_away_make_a_team_no_smaller() {
    let many: &[(&str, &[Role])] = &[("bob", &[Role::BusinessOwner]), ("ida", &[Role::BusinessOwner])];
    let mut w = World::of(RiskClass::Low, many);
    w.say("olga", Op::RoleGranted { member: who("dan"), role: Role::BusinessOwner });
    for gone in ["bob", "ida", "val"] {
        let role = if gone == "val" { Role::Validator } else { Role::BusinessOwner };
        w.say("olga", Op::RoleRevoked { member: who(gone), role, cuts: BTreeMap::new() });
    }
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    w.say(
        "dan",
        decide("dan", Role::BusinessOwner, Ruling::Approved, Asked { release: &release, request: &request, class: RiskClass::Low }, &[], 1),
    );
    assert_eq!(w.standing(&release).signed[0].discounted, Some(Discounted::Builder), "four people could sign once");
}

#[test]
fn a_role_that_somebody_gave_themself_does_not_decide_on_their_own_work() {
    let mut w = World::of(RiskClass::Low, &[]);
    w.say("olga", Op::RoleGranted { member: who("dan"), role: Role::Administrator });
    w.say("dan", Op::RoleGranted { member: who("dan"), role: Role::BusinessOwner });
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    w.say(
        "dan",
        decide("dan", Role::BusinessOwner, Ruling::Approved, Asked { release: &release, request: &request, class: RiskClass::Low }, &[], 1),
    );
    assert_eq!(w.standing(&release).signed[0].discounted, Some(Discounted::OwnRole));
}

#[test]
fn somebody_who_leaves_later_reopens_nothing_and_a_compromised_key_does() {
    use crate::op::Removal;
    let mut w = World::of(RiskClass::Low, &[("bob", &[Role::BusinessOwner])]);
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    let signed = w.say(
        "bob",
        decide("bob", Role::BusinessOwner, Ruling::Approved, Asked { release: &release, request: &request, class: RiskClass::Low }, &[], 1),
    );
    assert!(w.standing(&release).stands());
    let mut left = w.clone();
    left.say("olga", Op::RoleRevoked { member: who("bob"), role: Role::BusinessOwner, cuts: [(dev("bob"), signed.n)].into() });
    left.say("olga", Op::DeviceRevoked { device: dev("bob"), last: signed.n, removal: Removal::Retired });
    assert!(left.standing(&release).stands());
    w.say("olga", Op::DeviceRevoked { device: dev("bob"), last: 0, removal: Removal::Compromised });
    assert_eq!(w.standing(&release).state, State::Waiting(vec![Role::BusinessOwner]));
}

#[test]
fn a_later_cycle_closes_nothing_and_a_step_back_in_its_own_does() {
    let mut w = World::of(RiskClass::Low, &[]);
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    w.say(
        "olga",
        decide(
            "olga",
            Role::BusinessOwner,
            Ruling::Approved,
            Asked { release: &release, request: &request, class: RiskClass::Low },
            &[],
            1,
        ),
    );
    w.say("olga", Op::ProjectStageEntered { project: project(), stage: Stage::BusinessProblem, cycle: 2, waived: Vec::new() });
    assert!(w.standing(&release).stands());
    w.say("olga", Op::ProjectStageEntered { project: project(), stage: Stage::Training, cycle: 1, waived: Vec::new() });
    assert_eq!(w.standing(&release).blocks, [Block::Stage(Stage::Training)]);
}

#[test]
fn a_later_arrival_from_before_a_settlement_is_a_proposal() {
    let mut w = World::of(RiskClass::Medium, &[("bob", &[Role::BusinessOwner])]);
    let before = w.all();
    let set = |class, role| Op::ProjectClassSet { project: project(), class, role };
    w.say_at("val", before.clone(), set(RiskClass::High, Role::Validator));
    w.say_at("olga", before.clone(), set(RiskClass::Medium, Role::BusinessOwner));
    let class = |w: &World| {
        let (said, acl) = w.accepted();
        crate::risk::class_of(&project(), &said, &acl.adopted, &|_| true, &|_, d| is_data(&said, &project(), d))
    };
    assert_eq!((class(&w).class, class(&w).contested), (Some(RiskClass::High), true));
    w.say("val", set(RiskClass::High, Role::Validator));
    assert_eq!((class(&w).class, class(&w).contested), (Some(RiskClass::High), false), "settled");
    // Settled lower by two people; a stricter word of somebody who had not heard of it is a proposal, not the class.
    let lower = w.say("olga", set(RiskClass::Medium, Role::BusinessOwner));
    assert_eq!(class(&w).class, Some(RiskClass::High), "there are data: a second person must agree");
    w.say("val", Op::ProjectClassAgreed { project: project(), proposal: lower, role: Role::Validator });
    assert_eq!(class(&w).class, Some(RiskClass::Medium));
    let mut apart = World::of(RiskClass::Medium, &[("bob", &[Role::BusinessOwner])]);
    let before = apart.all();
    apart.say_at("val", before.clone(), set(RiskClass::High, Role::Validator));
    apart.say_at("olga", before.clone(), set(RiskClass::Medium, Role::BusinessOwner));
    let lower = apart.say("olga", set(RiskClass::Medium, Role::BusinessOwner));
    apart.say("val", Op::ProjectClassAgreed { project: project(), proposal: lower, role: Role::Validator });
    apart.say_at("bob", before, set(RiskClass::High, Role::BusinessOwner));
    let now = class(&apart);
    assert_eq!((now.class, now.proposals.len()), (Some(RiskClass::Medium), 1), "{now:?}");
}

#[test]
fn a_lower_class_takes_another_person_in_another_role() {
    let class = |w: &World| {
        let (said, acl) = w.accepted();
        crate::risk::class_of(&project(), &said, &acl.adopted, &|_| true, &|_, d| is_data(&said, &project(), d)).class
    };
    let agree = |by: &str, role: Role, bob: &[Role]| {
        let mut w = World::of(RiskClass::High, &[("bob", bob)]);
        w.say("olga", Op::RoleGranted { member: who("olga"), role: Role::Validator });
        let proposal = w.say("olga", Op::ProjectClassSet { project: project(), class: RiskClass::Low, role: Role::BusinessOwner });
        w.say(by, Op::ProjectClassAgreed { project: project(), proposal, role });
        class(&w)
    };
    assert_eq!(agree("olga", Role::Validator, &[]), Some(RiskClass::High), "with herself, in another role of hers");
    assert_eq!(agree("bob", Role::BusinessOwner, &[Role::BusinessOwner]), Some(RiskClass::High), "another person in the same role");
    assert_eq!(agree("bob", Role::Compliance, &[Role::Compliance]), Some(RiskClass::Low));
}

#[test]
fn what_was_taken_back_counts_again_only_by_a_new_word() {
    let mut w = World::of(RiskClass::Low, &[]);
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    let say = |ruling, n| {
        decide("olga", Role::BusinessOwner, ruling, Asked { release: &release, request: &request, class: RiskClass::Low }, &[], n)
    };
    w.say("olga", say(Ruling::Approved, 1));
    w.say("olga", say(Ruling::TakenBack, 2));
    let s = w.standing(&release);
    assert_eq!((&s.state, s.signed[0].discounted), (&State::TakenBack, Some(Discounted::TakenBack)));
    w.say("olga", say(Ruling::Approved, 3));
    assert!(w.standing(&release).stands());
}

#[test]
fn a_request_by_somebody_who_had_not_heard_of_the_rules_is_void() {
    let mut w = World::of(RiskClass::Low, &[]);
    let mut past = w.all();
    // Dan knows that he was let in, and nothing of what olga said after: crafted parents, as a lying program makes them.
    past.insert(dev("olga"), 1);
    let (ask, release) = w.ask(RiskClass::Low);
    w.say_at("dan", past, ask);
    let (said, _) = w.accepted();
    assert!(said.iter().all(|s| !matches!(s.op, Op::ReleaseSubmitted { .. })), "before he was let in he asks for nothing");
    let mut late = World::of(RiskClass::Low, &[]);
    late.said.retain(|(_, _, _, op)| !matches!(op, Op::RulesAdopted { .. }));
    let mut renumbered = World { said: Vec::new() };
    for (device, _, _, op) in late.said {
        renumbered.say(device.as_str(), op);
    }
    let (ask, release_2) = renumbered.ask(RiskClass::Low);
    renumbered.say("dan", ask);
    renumbered.say("olga", Op::RulesAdopted { rules: RULES });
    assert_eq!(renumbered.standing(&release_2).state, State::Void(Flaw::NotAdopted));
    assert_ne!(release, ReleaseId::parse("x").unwrap());
}

#[test]
fn only_the_requester_withdraws_and_only_before_the_decision() {
    let mut w = World::of(RiskClass::Low, &[("mia", &[Role::DataScientist])]);
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    let withdraw = || Op::ReleaseWithdrawn { release: release.clone() };
    w.say("mia", withdraw());
    let s = w.standing(&release);
    assert_eq!(s.state, State::Waiting(vec![Role::BusinessOwner]));
    assert!(s.challenges.iter().any(|c| c.what == Challenged::Withdrawn), "it is named");
    let mut early = w.clone();
    early.say("dan", withdraw());
    assert_eq!(early.standing(&release).state, State::Withdrawn);
    w.say(
        "olga",
        decide(
            "olga",
            Role::BusinessOwner,
            Ruling::Approved,
            Asked { release: &release, request: &request, class: RiskClass::Low },
            &[],
            1,
        ),
    );
    w.say("dan", withdraw());
    assert_eq!(w.standing(&release).state, State::Approved);
}

#[test]
fn who_decides_nothing_here_challenges_and_who_decides_blocks() {
    let mut w = World::of(RiskClass::Low, &[]);
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    w.say(
        "olga",
        decide(
            "olga",
            Role::BusinessOwner,
            Ruling::Approved,
            Asked { release: &release, request: &request, class: RiskClass::Low },
            &[],
            1,
        ),
    );
    let gone = Subject { kind: Kind::ModelVersion, id: "v".into() };
    let deleted = w.say("dan", Op::RecordDeleted { subject: gone.clone() });
    let s = w.standing(&release);
    assert!(s.stands() && s.challenges[0].what == Challenged::Deleted(gone.clone()) && !s.challenges[0].answered, "{s:?}");
    let mut answered = w.clone();
    answered.say("olga", Op::ReleaseAnswered { release: release.clone(), challenge: deleted, role: Role::BusinessOwner });
    assert!(answered.standing(&release).challenges[0].answered);
    w.say("olga", Op::ProjectEnded { project: project(), ending: Ending::Cancelled });
    assert!(matches!(w.standing(&release).blocks[..], [Block::Cancelled(_)]));
    // What was deleted before it was asked for is not asked for.
    let mut early = World::of(RiskClass::Low, &[]);
    early.say("dan", Op::RecordDeleted { subject: gone });
    let (ask, release) = early.ask(RiskClass::Low);
    early.say("dan", ask);
    assert!(matches!(early.standing(&release).state, State::Void(Flaw::Deleted(..))));
}

#[test]
fn an_earlier_rejection_is_answered_and_named_in_what_is_signed() {
    let mut w = World::of(RiskClass::Low, &[]);
    let (ask, first) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    w.say(
        "val",
        decide("val", Role::Validator, Ruling::Rejected, Asked { release: &first, request: &request, class: RiskClass::Low }, &[], 7),
    );
    assert_eq!(w.standing(&first).state, State::Rejected);
    let (ask, again) = w.ask(RiskClass::Low);
    let mut silent = w.clone();
    silent.say("dan", ask.clone());
    assert_eq!(silent.standing(&again).state, State::Void(Flaw::Unanswered("val7".into())));
    let Op::ReleaseSubmitted { release, project, version, frozen, .. } = ask else { unreachable!() };
    let answers = [("val7".to_owned(), "older people were added".to_owned())].into();
    let request = w.say("dan", Op::ReleaseSubmitted { release, project, version, frozen, answers });
    let yes = |by: &str, role, earlier: &[String], n| {
        decide(by, role, Ruling::Approved, Asked { release: &again, request: &request, class: RiskClass::Low }, earlier, n)
    };
    let mut passed_over = w.clone();
    passed_over.say("olga", yes("olga", Role::BusinessOwner, &[], 1));
    assert_eq!(passed_over.standing(&again).signed[0].discounted, Some(Discounted::SilentOnEarlier));
    let named = ["val7".to_owned()];
    w.say("olga", yes("olga", Role::BusinessOwner, &named, 1));
    assert_eq!(w.standing(&again).state, State::Waiting(vec![Role::Validator]), "who said no before must say yes");
    w.say("val", yes("val", Role::Validator, &named, 2));
    assert!(w.standing(&again).stands());
}

#[test]
fn whoever_asks_does_not_approve_and_whoever_built_settles_no_finding() {
    // A big team: nothing is forgiven.
    let many: &[(&str, &[Role])] = &[("bob", &[Role::BusinessOwner, Role::MlEngineer]), ("ida", &[Role::BusinessOwner])];
    let mut w = World::of(RiskClass::Low, many);
    let device = dev("bob");
    let release = release_id(&device, w.count(&device) + 1);
    let ask = Op::ReleaseSubmitted {
        release: release.clone(),
        project: project(),
        version: version(),
        frozen: frozen(RiskClass::Low),
        answers: BTreeMap::new(),
    };
    let request = w.say("bob", ask);
    let yes = |by: &str, n| {
        decide(by, Role::BusinessOwner, Ruling::Approved, Asked { release: &release, request: &request, class: RiskClass::Low }, &[], n)
    };
    w.say("bob", yes("bob", 1));
    assert_eq!(w.standing(&release).signed[0].discounted, Some(Discounted::Requester));
    w.say("olga", Op::RoleGranted { member: who("dan"), role: Role::Validator });
    let finding = FindingId::parse("f").unwrap();
    let (title, text) = (Title::parse("F").unwrap(), Body::parse("x").unwrap());
    w.say("val", Op::FindingRaised { finding: finding.clone(), project: project(), title, text, severity: Severity::High, about: None });
    w.say("olga", yes("olga", 2));
    let settled = |outcome| Op::FindingSettled { finding: finding.clone(), outcome };
    w.say("dan", settled(crate::op::Outcome::NoProblem));
    assert!(matches!(w.standing(&release).blocks[..], [Block::Finding(..)]), "not by whoever built it");
    w.say("val", settled(crate::op::Outcome::Fixed));
    assert!(w.standing(&release).stands());
}

#[test]
fn a_version_that_is_added_twice_hides_neither_its_builder_nor_what_was_rejected() {
    let mut w = World::of(RiskClass::Low, &[("bob", &[Role::BusinessOwner]), ("ida", &[Role::BusinessOwner])]);
    w.say("olga", Op::RoleGranted { member: who("dan"), role: Role::BusinessOwner });
    // Somebody adds the same version again, made by another run: dan still made the first.
    let files = [("model.bin".to_owned(), sha256(b"others"))].into();
    let (model, run) = (ModelId::parse("m").unwrap(), RunId::parse("other").unwrap());
    w.say("dan", Op::ModelVersionAdded { version: version(), model, number: 1, run, files, datasets: Vec::new() });
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    let asked = Asked { release: &release, request: &request, class: RiskClass::Low };
    w.say("dan", decide("dan", Role::BusinessOwner, Ruling::Approved, asked, &[], 1));
    let s = w.standing(&release);
    assert_eq!(s.signed[0].discounted, Some(Discounted::Builder));
    assert!(s.builders[&who("dan")].contains(&Made::Run), "{:?}", s.builders);
}

#[test]
fn adopting_the_rules_again_brings_nothing_more_under_the_older_ones() {
    let mut w = World::of(RiskClass::Medium, &[]);
    let value = Body::parse("low").unwrap();
    w.say("dan", Op::ProjectEdited { project: project(), field: ProjectField::RiskClass, value, base: Vec::new() });
    w.say("olga", Op::RulesAdopted { rules: RULES });
    w.say("olga", Op::RulesAdopted { rules: 1 });
    let (said, acl) = w.accepted();
    let class = crate::risk::class_of(&project(), &said, &acl.adopted, &|_| true, &|_, _| false);
    assert_eq!(class.class, Some(RiskClass::Medium), "the edit came after the first adoption");
}

#[test]
fn a_request_freezes_the_cycle_the_lifecycle_and_the_criteria_that_stand() {
    let mut w = World::of(RiskClass::Low, &[]);
    w.say("olga", Op::ProjectStageEntered { project: project(), stage: Stage::Training, cycle: 2, waived: Vec::new() });
    let (ask, release) = w.ask(RiskClass::Low);
    w.say("dan", ask);
    assert_eq!(w.standing(&release).state, State::Void(Flaw::Frozen("cycle")), "not the cycle that is over");
    let mut other = World::of(RiskClass::Low, &[]);
    let (ask, release) = other.ask(RiskClass::Low);
    let Op::ReleaseSubmitted { release: id, project: p, version, mut frozen, answers } = ask else { unreachable!() };
    frozen.lifecycle = "none/1".into();
    other.say("dan", Op::ReleaseSubmitted { release: id, project: p, version, frozen, answers });
    assert_eq!(other.standing(&release).state, State::Void(Flaw::Frozen("lifecycle")));
    let mut made_up = World::of(RiskClass::Low, &[]);
    let (ask, release) = made_up.ask(RiskClass::Low);
    let Op::ReleaseSubmitted { release: id, project: p, version, mut frozen, answers } = ask else { unreachable!() };
    frozen.criteria = vec![Bound { name: "criteria/c".into(), sha256: digest() }];
    made_up.say("dan", Op::ReleaseSubmitted { release: id, project: p, version, frozen, answers });
    assert_eq!(made_up.standing(&release).state, State::Void(Flaw::Frozen("criteria")));
}

/// A world whose request froze one criterion, signed by olga; with the request.
fn with_a_criterion() -> (World, ReleaseId, OpId, Frozen) {
    let mut w = World::of(RiskClass::Low, &[("ida", &[Role::BusinessOwner])]);
    let criteria = CriteriaId::parse("c").unwrap();
    let list = vec![criterion::Criterion {
        metric: "recall".into(),
        slice: String::new(),
        comparator: criterion::Comparator::AtLeast,
        threshold: Num(0.7),
        level: Num(0.95),
        data: "test".into(),
        digest: "d".into(),
    }];
    let written =
        Op::CriteriaWritten { criteria: criteria.clone(), project: project(), cycle: 1, list: list.clone(), replaces: Vec::new() };
    w.say("val", written);
    let statement = criterion::statement(&criterion::Parts {
        criteria: &criteria,
        project: "p",
        cycle: 1,
        list: &list,
        role: Role::BusinessOwner,
        name: "olga",
        member: &who("olga"),
        fingerprint: "",
        signed_at: "",
    });
    let (signoff, signature) = ("s".into(), String::new());
    w.say("olga", Op::CriteriaSigned { criteria, signoff, role: Role::BusinessOwner, statement, signature });
    let (ask, release) = w.ask(RiskClass::Low);
    let Op::ReleaseSubmitted { release: id, project: p, version, mut frozen, answers } = ask else { unreachable!() };
    frozen.criteria = vec![Bound { name: "criteria/c".into(), sha256: criterion::digest("p", 1, &list) }];
    let request = w.say("dan", Op::ReleaseSubmitted { release: id, project: p, version, frozen: frozen.clone(), answers });
    (w, release, request, frozen)
}

/// An approval by a business owner that says what the criterion came to.
fn measured_yes(
    by: &str,
    (release, request, frozen): (&ReleaseId, &OpId, &Frozen),
    verdicts: &[Option<criterion::Verdict>],
    tag: usize,
) -> Op {
    let measured: Vec<Measured> = verdicts
        .iter()
        .map(|verdict| Measured {
            criteria: CriteriaId::parse("c").unwrap(),
            place: 0,
            verdict: *verdict,
            value: None,
            low: None,
            high: None,
            run: Some(RunId::parse("tested").unwrap()),
        })
        .collect();
    let asked = Asked { release, request, class: RiskClass::Low };
    let Op::ReleaseDecided { release, signoff, decision, role, signature, page, page_size, .. } =
        decide(by, Role::BusinessOwner, Ruling::Approved, asked, &[], tag)
    else {
        unreachable!()
    };
    let text = statement(&StatementParts {
        release: &release,
        request,
        frozen,
        decision,
        role,
        name: by,
        member: &who(by),
        fingerprint: "",
        reason: "read",
        signed_at: "",
        subjects: &current(),
        shown: &Shown { sha256: page.clone(), size: page_size },
        earlier: &[],
        measured: &measured,
        independent: true,
    });
    Op::ReleaseDecided { release, signoff, decision, role, statement: text, signature, page, page_size }
}

#[test]
fn an_approval_says_what_the_criteria_came_to_and_silence_is_not_passed() {
    use criterion::Verdict::{Failed, Inconclusive, Passed};
    // The same name written again by somebody whose name comes first, with more in it: the frozen digest says what was asked.
    let (mut again, release, request, frozen) = with_a_criterion();
    let of = |op: &Op| if let Op::CriteriaWritten { list, .. } = op { Some(list.clone()) } else { None };
    let mut list = again.said.iter().find_map(|(.., op)| of(op)).unwrap();
    list.extend(list.clone());
    let criteria = CriteriaId::parse("c").unwrap();
    again.say("dan", Op::CriteriaWritten { criteria, project: project(), cycle: 1, list, replaces: Vec::new() });
    again.say("olga", measured_yes("olga", (&release, &request, &frozen), &[Some(Passed)], 1));
    assert!(again.standing(&release).blocks.is_empty(), "{:?}", again.standing(&release).blocks);
    for verdicts in [&[][..], &[None], &[Some(Failed)], &[Some(Inconclusive)], &[Some(Passed), Some(Failed)]] {
        let (mut w, release, request, frozen) = with_a_criterion();
        w.say("olga", measured_yes("olga", (&release, &request, &frozen), verdicts, 1));
        let s = w.standing(&release);
        assert_eq!(s.state, State::Approved);
        assert!(matches!(&s.blocks[..], [Block::Criterion { place: 0, .. }]), "{verdicts:?}: {s:?}");
        // The same role approves again, in knowledge of it, by a better measurement; unknown to each other both stand.
        let mut apart = w.clone();
        let before = apart.all().into_iter().filter(|(d, _)| *d != dev("olga")).chain([(dev("olga"), w.count(&dev("olga")) - 1)]).collect();
        apart.say_at("ida", before, measured_yes("ida", (&release, &request, &frozen), &[Some(Passed)], 2));
        assert!(!apart.standing(&release).stands(), "who did not know of it replaces nothing");
        w.say("ida", measured_yes("ida", (&release, &request, &frozen), &[Some(Passed)], 2));
        assert!(w.standing(&release).stands(), "{:?}", w.standing(&release));
    }
}

#[test]
fn what_is_measured_or_alarms_later_is_a_challenge_until_it_is_answered() {
    let (mut w, release, request, frozen) = with_a_criterion();
    w.say("olga", measured_yes("olga", (&release, &request, &frozen), &[Some(criterion::Verdict::Passed)], 1));
    let run = RunId::parse("worse").unwrap();
    let experiment = ExperimentId::parse("e").unwrap();
    let created = Op::RunCreated { run: run.clone(), experiment, user: String::new(), start_ms: 0, tags: BTreeMap::new() };
    let first = w.say("dan", created);
    let tagged = |n: usize| Op::RunTagged { run: run.clone(), set: [("k".into(), n.to_string())].into(), removed: Vec::new() };
    let second = w.say("dan", tagged(1));
    let what = Challenged::Evaluation {
        run: run.clone(),
        criteria: CriteriaId::parse("c").unwrap(),
        place: 0,
        verdict: Some(criterion::Verdict::Failed),
    };
    let s = w.standing_beside(&release, &[(what.clone(), &[second.clone(), first.clone()])]);
    assert!(s.stands(), "a script closes no gate");
    assert!(!s.challenges[0].answered && s.challenges[0].id == first, "reporting again moves no day: {s:?}");
    let answer = Op::ReleaseAnswered { release: release.clone(), challenge: first.clone(), role: Role::BusinessOwner };
    w.say("olga", answer);
    let s = w.standing_beside(&release, &[(what.clone(), &[first.clone(), second])]);
    assert!(s.challenges[0].answered, "one answer, in knowledge of both reports: {s:?}");
    // What comes after it is open again.
    let third = w.say("dan", tagged(2));
    let s = w.standing_beside(&release, &[(what, &[first, third.clone()])]);
    assert!(!s.challenges[0].answered && s.challenges[0].id == third, "{s:?}");
}

#[test]
fn a_run_that_an_approval_rests_on_is_not_deleted_in_silence() {
    let (mut w, release, request, frozen) = with_a_criterion();
    w.say("olga", measured_yes("olga", (&release, &request, &frozen), &[Some(criterion::Verdict::Passed)], 1));
    let tested = Subject { kind: Kind::Run, id: "tested".into() };
    let mut by_colleague = w.clone();
    by_colleague.say("dan", Op::RecordDeleted { subject: tested.clone() });
    assert_eq!(by_colleague.standing(&release).challenges[0].what, Challenged::Deleted(tested.clone()));
    w.say("val", Op::RecordDeleted { subject: tested });
    assert!(matches!(&w.standing(&release).blocks[..], [Block::Deleted(..)]), "whom the rule names says no");
}

#[test]
fn leaving_a_name_out_of_ones_own_past_makes_nobody_a_signer() {
    let mut w = World::of(RiskClass::Low, &[("bob", &[Role::BusinessOwner]), ("ida", &[Role::BusinessOwner])]);
    let before = w.all();
    w.say("olga", Op::ProjectMemberAdded { project: project(), member: who("ida"), role: Role::BusinessOwner });
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say_at("dan", before.clone(), ask);
    let mut past = before;
    past.insert(dev("dan"), request.n);
    let asked = Asked { release: &release, request: &request, class: RiskClass::Low };
    w.say_at("bob", past, decide("bob", Role::BusinessOwner, Ruling::Approved, asked, &[], 1));
    assert_eq!(w.standing(&release).signed[0].discounted, Some(Discounted::NotNamed));
}

#[test]
fn a_colleague_moves_no_project_back_under_an_approval() {
    let mut w = World::of(RiskClass::Low, &[]);
    let (ask, release) = w.ask(RiskClass::Low);
    let request = w.say("dan", ask);
    let asked = Asked { release: &release, request: &request, class: RiskClass::Low };
    w.say("olga", decide("olga", Role::BusinessOwner, Ruling::Approved, asked, &[], 1));
    w.say("dan", Op::ProjectStageEntered { project: project(), stage: Stage::Data, cycle: 1, waived: Vec::new() });
    let s = w.standing(&release);
    assert!(s.stands() && s.challenges.iter().any(|c| c.what == Challenged::Stage(Stage::Data)), "{s:?}");
}

#[test]
fn a_raise_that_a_proposal_did_not_know_of_is_not_undone_by_agreeing_to_it() {
    let mut w = World::of(RiskClass::Medium, &[("kim", &[Role::Compliance])]);
    let before = w.all();
    let set = |class, role| Op::ProjectClassSet { project: project(), class, role };
    let proposal = w.say_at("olga", before, set(RiskClass::Low, Role::BusinessOwner));
    w.say("kim", set(RiskClass::High, Role::Compliance));
    w.say("val", Op::ProjectClassAgreed { project: project(), proposal, role: Role::Validator });
    let (said, acl) = w.accepted();
    let class = crate::risk::class_of(&project(), &said, &acl.adopted, &|_| true, &|_, d| is_data(&said, &project(), d));
    assert_eq!((class.class, class.contested), (Some(RiskClass::High), true));
}

// ---- every history of a small workspace ----

/// What anybody may try next.
fn moves(w: &World, author: &str, past: &Past, release: Option<(&ReleaseId, &OpId, RiskClass)>) -> Vec<Op> {
    let mut ops = Vec::new();
    let set = |class, role| Op::ProjectClassSet { project: project(), class, role };
    match author {
        "dan" => {
            if release.is_none() {
                ops.extend([w.ask(RiskClass::Low).0, w.ask(RiskClass::High).0]);
            }
            let value = Body::parse("low").unwrap();
            ops.push(Op::ProjectEdited { project: project(), field: ProjectField::RiskClass, value, base: Vec::new() });
            ops.push(Op::RecordDeleted { subject: Subject { kind: Kind::ModelVersion, id: "v".into() } });
            ops.push(Op::ProjectMemberAdded { project: project(), member: who("eve"), role: Role::BusinessOwner });
            ops.push(Op::ProjectEnded { project: project(), ending: Ending::Cancelled });
        }
        "olga" => {
            ops.extend([set(RiskClass::Low, Role::BusinessOwner), set(RiskClass::High, Role::BusinessOwner)]);
            ops.push(Op::RoleGranted { member: who("dan"), role: Role::Validator });
            ops.push(Op::ProjectEnded { project: project(), ending: Ending::Cancelled });
        }
        "val" => {
            ops.push(set(RiskClass::High, Role::Validator));
            for (device, n, _, op) in &w.said {
                if matches!(op, Op::ProjectClassSet { class: RiskClass::Low, .. }) && knows(past, device, *n) {
                    let proposal = OpId { device: device.clone(), n: *n };
                    ops.push(Op::ProjectClassAgreed { project: project(), proposal, role: Role::Validator });
                }
            }
            let finding = FindingId::parse(format!("f{}", w.count(&dev("val")))).unwrap();
            let title = Title::parse("F").unwrap();
            let text = Body::parse("x").unwrap();
            ops.push(Op::FindingRaised { finding, project: project(), title, text, severity: Severity::High, about: None });
        }
        _ => {}
    }
    let Some((release, request, class)) = release.filter(|(_, r, _)| knows(past, &r.device, r.n)) else { return ops };
    let n = w.said.len();
    let decide = |role, ruling| decide(author, role, ruling, Asked { release, request, class }, &[], n);
    match author {
        "olga" => {
            ops.extend([Ruling::Approved, Ruling::Rejected, Ruling::TakenBack].map(|r| decide(Role::BusinessOwner, r)));
        }
        "val" => ops.extend([Ruling::Approved, Ruling::Rejected].map(|r| decide(Role::Validator, r))),
        "dan" => {
            ops.extend([decide(Role::Validator, Ruling::Approved), decide(Role::BusinessOwner, Ruling::Approved)]);
            ops.push(Op::ReleaseWithdrawn { release: release.clone() });
        }
        "eve" => ops.push(decide(Role::BusinessOwner, Ruling::Approved)),
        _ => {}
    }
    ops
}

/// Every causally closed past that an author may have beyond what everybody knows.
fn pasts(w: &World, base: &Past, author: &str) -> Vec<Past> {
    let mut found = vec![base.clone()];
    for (device, count) in w.all() {
        let from = base.get(&device).copied().unwrap_or(0);
        let choices: Vec<u64> = if device.as_str() == author { vec![count] } else { (from..=count).collect() };
        let with = |past: &Past, n: u64| past.iter().map(|(d, m)| (d.clone(), *m)).chain([(device.clone(), n)]).collect::<Past>();
        found = found.iter().flat_map(|past| choices.iter().map(|n| with(past, *n))).collect();
    }
    found.retain(|past| {
        w.said.iter().all(|(device, n, theirs, _)| !knows(past, device, *n) || theirs.iter().all(|(d, m)| *m == 0 || knows(past, d, *m)))
    });
    found
}

/// What an approval takes, said again in the shortest words: broken, somebody approved what its frozen rule does not approve.
fn holds(w: &World, release: &ReleaseId, class: RiskClass) -> bool {
    let s = w.standing(release);
    if s.state != State::Approved {
        return false;
    }
    let (said, acl) = w.accepted();
    let story = || w.said.iter().map(|(d, n, past, op)| format!("{d} {n} {past:?} {op:?}\n")).collect::<String>();
    let on = |ruling: Ruling| -> Vec<(&Said, Role)> {
        said.iter()
            .filter_map(|x| match &x.op {
                Op::ReleaseDecided { release: r, decision, role, .. } if r == release && *decision == ruling => Some((x, *role)),
                _ => None,
            })
            .collect()
    };
    let rule = POLICY.rule(class).unwrap();
    for role in &rule.signoffs {
        let by: BTreeSet<&MemberId> = on(Ruling::Approved).iter().filter(|(_, r)| r == role).map(|(x, _)| &x.by).collect();
        assert!(by.iter().any(|m| m.as_str() != "dan"), "{role:?} is approved by somebody who did not build it\n{}", story());
    }
    // Eve is let in by nobody's leave; whoever counted held the role when they signed.
    for (x, role) in on(Ruling::Approved) {
        assert!(acl.roles_for(&x.id.device, x.id.n, &x.past).contains(&role), "{}", story());
    }
    let people: BTreeSet<&str> = on(Ruling::Approved).iter().map(|(x, _)| x.by.as_str()).collect();
    assert!(people.len() >= rule.signoffs.len(), "each role is another person\n{}", story());
    assert!(on(Ruling::Rejected).is_empty(), "a no of olga or val stands\n{}", story());
    for (t, role) in on(Ruling::TakenBack) {
        assert!(on(Ruling::Approved).iter().any(|(yes, r)| *r == role && yes.knows(&t.id)), "taken back\n{}", story());
    }
    // Whoever may said high, and it was not settled: then nothing that was asked as low is approved.
    let highs: Vec<&Said> = said.iter().filter(|x| matches!(&x.op, Op::ProjectClassSet { class: RiskClass::High, .. })).collect();
    let settled = |h: &Said| {
        said.iter().any(|x| {
            let lower = match &x.op {
                Op::ProjectClassSet { class, .. } => *class < RiskClass::High,
                Op::ProjectClassAgreed { .. } => true,
                _ => false,
            };
            lower && (x.knows(&h.id) || !h.knows(&x.id))
        })
    };
    if class < RiskClass::High {
        assert!(highs.iter().all(|h| settled(h)), "a class that holds is not passed by\n{}", story());
    }
    if s.stands() {
        let open = |op: &dyn Fn(&Op) -> bool, by: &[&str]| said.iter().any(|x| op(&x.op) && by.contains(&x.by.as_str()));
        assert!(!open(&|o| matches!(o, Op::ProjectEnded { ending: Ending::Cancelled, .. }), &["olga"]), "cancelled\n{}", story());
        assert!(!open(&|o| matches!(o, Op::FindingRaised { .. }), &["val"]), "a finding is open\n{}", story());
    }
    true
}

struct Search {
    base: Past,
    people: Vec<&'static str>,
    seen: u64,
    approved: u64,
}

impl Search {
    fn go(&mut self, w: &World, history: &History, left: usize, release: Option<(ReleaseId, OpId, RiskClass)>) {
        self.seen += 1;
        if let Some((release, _, class)) = &release {
            self.approved += u64::from(holds(w, release, *class));
        }
        if left == 0 {
            return;
        }
        let begun = w.said.len() as u64 > self.base.values().sum::<u64>();
        let place = |past: &Past, device: &DeviceId, n: u64| (past.values().sum::<u64>() + n, device.to_string(), n);
        let last = w.said.last().map(|(d, n, past, _)| place(past, d, *n));
        for author in self.people.clone() {
            let device = dev(author);
            let n = w.count(&device) + 1;
            for past in pasts(w, &self.base, author) {
                let mut others = past.clone();
                others.remove(&device);
                // Each partial order once: in the order that respects causality.
                if begun && last.as_ref().is_some_and(|l| place(&others, &device, n) < *l) {
                    continue;
                }
                for op in moves(w, author, &past, release.as_ref().map(|(r, q, c)| (r, q, *c))) {
                    let mut grown = History::new(history.entries().to_vec());
                    if grown.take(&Line { device: &device, n, past: &others, op: &op, why: Some("because") }).is_err() {
                        continue;
                    }
                    let mut next = w.clone();
                    let id = next.say_at(author, others.clone(), op.clone());
                    let release = match &op {
                        Op::ReleaseSubmitted { release, frozen, .. } => Some((release.clone(), id, frozen.class)),
                        _ => release.clone(),
                    };
                    self.go(&next, &grown, left - 1, release);
                }
            }
        }
    }
}

/// All histories of so many operations after the beginning, of four people; returns how many, and how many were approved.
fn exhaust(class: RiskClass, asked: Option<RiskClass>, depth: usize) -> (u64, u64) {
    let mut w = World::of(class, &[("eve", &[Role::BusinessOwner])]);
    let mut release = None;
    if let Some(asked) = asked {
        let (ask, id) = w.ask(asked);
        let request = w.say("dan", ask);
        release = Some((id, request, asked));
    }
    let mut history = History::default();
    for line in w.lines() {
        history.take(&line).unwrap();
    }
    let mut search = Search { base: w.all(), people: vec!["dan", "olga", "val", "eve"], seen: 0, approved: 0 };
    search.go(&w, &history, depth, release);
    (search.seen, search.approved)
}

#[test]
fn no_two_operations_after_a_request_approve_what_its_rule_does_not() {
    for (class, asked) in [(RiskClass::Low, RiskClass::Low), (RiskClass::High, RiskClass::High), (RiskClass::High, RiskClass::Low)] {
        let (seen, _) = exhaust(class, Some(asked), 2);
        assert!(seen > 300, "the search must not shrink unnoticed: {seen}");
    }
}

#[test]
#[ignore = "a minute: make test runs it"]
fn exhaustive_no_order_of_four_people_s_operations_approves_what_the_frozen_rule_does_not() {
    let (seen, approved) = exhaust(RiskClass::Low, Some(RiskClass::Low), 3);
    assert!(seen > 5_000 && approved > 100, "the search must not shrink unnoticed: {seen}, {approved}");
    let (seen, approved) = exhaust(RiskClass::High, Some(RiskClass::High), 3);
    assert!(seen > 5_000 && approved > 10, "{seen}, {approved}");
    let (seen, approved) = exhaust(RiskClass::High, Some(RiskClass::Low), 3);
    assert!(seen > 5_000 && approved == 0, "a request for a lower class never is: {seen}, {approved}");
    let (seen, _) = exhaust(RiskClass::High, None, 3);
    assert!(seen > 4_000, "{seen}");
}
