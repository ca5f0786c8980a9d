//! Hundreds of projects with thousands of handoffs and tens of thousands of notes: what the person's first page, the page of
//! all projects and a search cost then.

use crate::seat::{Seat, Team, sign};
use cairn_api::ApiError;
use cairn_api::tracking::Point;
use cairn_api::tracking::runs::{self, Batch, NewRun};
use cairn_core::canonical::sha256;
use cairn_core::id::{ChecklistId, CommentId, ExperimentId, FindingId, MemberId, ModelId, ModelVersionId, NoteId, ProjectId, RunId};
use cairn_core::lifecycle::Stage;
use cairn_core::op::{Day, Kind, Op, Party, ProjectField, Severity, Subject};
use cairn_core::role::Role;
use cairn_core::text::{Body, Title};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PROJECTS: usize = 500;
const CHECKLISTS: usize = 10;
const NOTES: usize = 100;
/// Each in another project; every second one is approved.
const RELEASES: usize = 200;
const ANSWERS: [&str; 12] = [
    "decision",
    "users",
    "affected",
    "value_measured",
    "success_business",
    "success_model",
    "success_economic",
    "must_never",
    "out_of_scope",
    "legal_basis",
    "log_months",
    "oversight",
];
const WORDS: [&str; 40] = [
    "recall",
    "precision",
    "drift",
    "threshold",
    "customer",
    "patient",
    "appointment",
    "feature",
    "label",
    "noise",
    "baseline",
    "forest",
    "network",
    "learning",
    "rate",
    "cost",
    "alarm",
    "miss",
    "group",
    "overlap",
    "calibration",
    "season",
    "holiday",
    "region",
    "model",
    "version",
    "release",
    "approval",
    "monitor",
    "incident",
    "meeting",
    "decision",
    "hypothesis",
    "evidence",
    "sample",
    "outlier",
    "missing",
    "value",
    "error",
    "analysis",
];

/// The same words in the same order each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
    fn words(&mut self, n: usize) -> String {
        (0..n).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }
}

fn body(text: String) -> Body {
    Body::parse(text).unwrap()
}

pub(crate) fn guide() {
    let team = Team::new();
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "data_engineer" }));
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "validator" }));
    let began = Instant::now();
    let dan = MemberId::parse(team.dan.me()).unwrap();
    let me = MemberId::parse(team.ana.me()).unwrap();
    team.settle();
    let mut dice = Dice(7);
    for i in 0..PROJECTS {
        // Half of them come from another computer.
        let (seat, holder) = if i % 2 == 0 { (&team.ana, &me) } else { (&team.dan, &dan) };
        seat.host.workspace().unwrap().write(|w| project(w, i, holder, &me, &mut dice)).unwrap();
    }
    releases(&team);
    println!(
        "guide: {PROJECTS} projects, {} handoffs, {} notes, {} questions, {} findings, {RELEASES} requests and half as many approvals made and shared in {:.0} s",
        PROJECTS * CHECKLISTS,
        PROJECTS * NOTES,
        PROJECTS * 2,
        PROJECTS * 3,
        began.elapsed().as_secs_f64()
    );
    for (what, command, request) in [
        ("inbox", "inbox.list", json!({})),
        ("asked and changed", "inbox.elsewhere", json!({})),
        ("all projects", "portfolio.list", json!({})),
        ("lead times", "portfolio.lead_times", json!({ "width": 900, "dark": false })),
        ("search, one word in every tenth note", "search.find", json!({ "words": "recall" })),
        ("search, three words", "search.find", json!({ "words": "recall drift thres" })),
        ("search, in one project", "search.find", json!({ "words": "in:number-77 calibration" })),
        ("search, nothing found", "search.find", json!({ "words": "zeppelin" })),
        ("releases of one project", "release.list", json!({ "project": "p100" })),
        ("one project", "project.get", json!({ "project": "p100" })),
        ("its handoffs", "checklist.list", json!({ "project": "p100" })),
        ("its notes", "note.list", json!({ "about": { "kind": "project", "id": "p100" } })),
        ("its graph", "graph.around", json!({ "subject": { "kind": "project", "id": "p100" } })),
    ] {
        let (first, rest, found) = measured(&team.ana, command, &request);
        println!("guide: {what}: first {:.1} ms, then p50 {:.1} ms ({found})", super::ms(first), super::median(rest));
    }
    after_changes(&team.ana);
}

/// Dan builds a model for each of many projects and asks to release it; Ana approves every second one.
fn releases(team: &Team) {
    team.settle();
    let mut asked = Vec::new();
    for i in 0..RELEASES {
        team.dan.host.workspace().unwrap().write(|w| version(w, i)).unwrap();
        let request = json!({ "version": format!("v{i}"), "reason": "better than what is there" });
        asked.push(team.dan.must("release.request", request)["id"].as_str().unwrap().to_owned());
    }
    team.settle();
    for release in asked.iter().step_by(2) {
        sign(&team.ana, release, "approved").unwrap();
    }
    team.settle();
}

fn version(w: &mut cairn_store::Writer<'_>, i: usize) -> Result<(), ApiError> {
    let project = ProjectId::parse(format!("p{i}")).unwrap();
    let (experiment, run) = (ExperimentId::parse(format!("e{i}")).unwrap(), RunId::parse(format!("r{i}")).unwrap());
    let (model, version) = (ModelId::parse(format!("m{i}")).unwrap(), ModelVersionId::parse(format!("v{i}")).unwrap());
    let name = Title::parse(format!("model {i}")).unwrap();
    w.append(Op::ExperimentCreated { experiment: experiment.clone(), name: name.clone(), project: Some(project.clone()) })?;
    w.append(Op::RunCreated { run: run.clone(), experiment, user: "dan".into(), start_ms: 1, tags: [].into() })?;
    w.append(Op::ModelCreated { model: model.clone(), project, name })?;
    let files = [("model.pkl".to_owned(), sha256(format!("model {i}").as_bytes()))].into();
    w.append(Op::ModelVersionAdded { version: version.clone(), model, number: 1, run, files, datasets: Vec::new() })?;
    for section in ["purpose", "out_of_scope", "performance", "errors", "training_data", "training_procedure", "limitations", "oversight"] {
        let text = body(format!("About {section} of {i}."));
        w.append(Op::CardEdited { version: version.clone(), section: section.to_owned(), text, base: Vec::new() })?;
    }
    Ok(())
}

/// Does something, for the so-manieth time.
type Change<'a> = Box<dyn Fn(usize) + 'a>;

/// What the lists cost right after something changed: only what it touched is read and judged again.
fn after_changes(seat: &Seat) {
    let workspace = seat.host.workspace().unwrap();
    let run = runs::create(&workspace, NewRun { experiment: "0".into(), ..NewRun::default() }).unwrap().id;
    let said = |command: &'static str, request: Value| move |_: usize| drop(seat.must(command, request.clone()));
    let log = |step: usize| {
        let point = Point { step: i64::try_from(step).unwrap(), ts: 1, value: 0.5 };
        runs::log_batch(&workspace, &run, Batch { metrics: vec![("loss".into(), point)], ..Batch::default() }).unwrap();
    };
    let changes: [(&str, Change<'_>); 5] = [
        ("an answer", Box::new(said("problem.answer", json!({ "project": "p100", "question": "decision", "value": "whom to call" })))),
        ("a finding", Box::new(said("finding.save", json!({ "project": "p101", "title": "Too few", "severity": "low" })))),
        ("a question", {
            let asks = json!({ "kind": "member", "id": seat.me() });
            let about = json!({ "kind": "project", "id": "p100" });
            Box::new(said("comment.write", json!({ "about": about, "text": "why?", "asks": asks })))
        }),
        ("a day for a handoff", Box::new(said("checklist.set_due", json!({ "checklist": "c4-9", "due": "2026-12-01" })))),
        ("a point of a run", Box::new(log)),
    ];
    for (what, change) in changes {
        for (list, command) in [("inbox", "inbox.list"), ("asked and changed", "inbox.elsewhere"), ("all projects", "portfolio.list")] {
            let mut tries = Vec::new();
            for step in 0..11 {
                change(step);
                let start = Instant::now();
                seat.must(command, json!({}));
                tries.push(start.elapsed());
            }
            println!("guide: {list} after {what}: p50 {:.1} ms", super::median(tries));
        }
    }
}

fn measured(seat: &Seat, command: &str, request: &Value) -> (Duration, Vec<Duration>, String) {
    // As a program that has just begun: no statement is prepared, nothing is remembered.
    seat.reopen();
    let mut tries = Vec::new();
    let mut answer = Value::Null;
    for _ in 0..11 {
        let start = Instant::now();
        answer = seat.must(command, request.clone());
        tries.push(start.elapsed());
    }
    let found = match &answer {
        Value::Array(all) => format!("{} found", all.len()),
        other => format!("{} kB", other.to_string().len() / 1000),
    };
    let first = tries.remove(0);
    (first, tries, found)
}

fn project(w: &mut cairn_store::Writer<'_>, i: usize, holder: &MemberId, me: &MemberId, dice: &mut Dice) -> Result<(), ApiError> {
    let project = ProjectId::parse(format!("p{i}")).unwrap();
    let about = Subject { kind: Kind::Project, id: project.to_string() };
    let title = Title::parse(format!("Project number-{i} {}", dice.words(2))).unwrap();
    w.append(Op::ProjectCreated { project: project.clone(), title, template: "standard/3".into() })?;
    for field in [
        ProjectField::Problem,
        ProjectField::Hypothesis,
        ProjectField::ValueMetric,
        ProjectField::CostFalsePositive,
        ProjectField::CostFalseNegative,
    ] {
        w.append(Op::ProjectEdited { project: project.clone(), field, value: body(dice.words(20)), base: Vec::new() })?;
    }
    let risk = body(["low", "medium", "high"][i % 3].to_owned());
    w.append(Op::ProjectEdited { project: project.clone(), field: ProjectField::RiskClass, value: risk, base: Vec::new() })?;
    // Most have answered all, some are in the middle.
    for question in ANSWERS.iter().take(if i.is_multiple_of(5) { 4 } else { 12 }) {
        let value = body(if *question == "log_months" { "12".to_owned() } else { dice.words(12) });
        w.append(Op::ProjectAnswered { project: project.clone(), question: (*question).to_owned(), value, base: Vec::new() })?;
    }
    for (question, value) in [
        ("risk_people", if i % 3 == 2 { "yes" } else { "no" }),
        ("risk_safety", "no"),
        ("risk_banned", "no"),
        ("risk_automatic", "no"),
        ("risk_money", if i % 3 == 1 { "yes" } else { "no" }),
        ("risk_personal", "no"),
        ("risk_hidden", "no"),
    ] {
        w.append(Op::ProjectAnswered {
            project: project.clone(),
            question: question.to_owned(),
            value: body(value.to_owned()),
            base: Vec::new(),
        })?;
    }
    for role in [Role::BusinessOwner, Role::DataScientist] {
        w.append(Op::ProjectMemberAdded { project: project.clone(), member: holder.clone(), role })?;
    }
    // Two cycles for half of them, each in another stage.
    let cycle = if i.is_multiple_of(2) { 2 } else { 1 };
    for (c, last) in [(1, if cycle == 2 { 5 } else { i % 6 }), (2, i % 6)] {
        if c > cycle {
            break;
        }
        for stage in Stage::ALL.into_iter().take(last + 1).skip(usize::from(c == 1)) {
            w.append(Op::ProjectStageEntered { project: project.clone(), stage, cycle: c, waived: Vec::new() })?;
        }
    }
    for n in 0..CHECKLISTS {
        let checklist = ChecklistId::parse(format!("c{i}-{n}")).unwrap();
        let (gate, of) = (format!("G{}", n % 5 + 1), if n < 5 { 1 } else { cycle });
        w.append(Op::ChecklistStarted {
            checklist: checklist.clone(),
            project: project.clone(),
            gate: gate.clone(),
            template: "standard/3".into(),
            cycle: of,
        })?;
        w.append(Op::ChecklistPickedUp { checklist: checklist.clone(), member: holder.clone() })?;
        for item in 1..6 {
            let (item, comment) = (format!("{gate}.{item}"), dice.words(8));
            w.append(Op::ChecklistItemDone { checklist: checklist.clone(), item, comment, evidence: vec![about.clone()] })?;
        }
        if of < cycle || n % 5 < i % 6 {
            w.append(Op::ChecklistCompleted { checklist: checklist.clone() })?;
            if n % 2 == 0 {
                w.append(Op::ChecklistReceived { checklist: checklist.clone(), member: me.clone() })?;
                w.append(Op::ChecklistAccepted { checklist })?;
            }
        } else if n == 9 {
            w.append(Op::ChecklistDueSet { checklist, item: String::new(), due: Some(Day::parse("2026-11-01").unwrap()) })?;
        }
    }
    for n in 0..3 {
        let finding = FindingId::parse(format!("f{i}-{n}")).unwrap();
        let title = Title::parse(dice.words(5)).unwrap();
        let severity = [Severity::Low, Severity::Medium, Severity::High][n];
        w.append(Op::FindingRaised {
            finding: finding.clone(),
            project: project.clone(),
            title,
            text: body(dice.words(30)),
            severity,
            about: None,
        })?;
        let to = Some(Party::Member(if n == 0 { me.clone() } else { holder.clone() }));
        w.append(Op::FindingAssigned { finding, to, due: Some(Day::parse("2026-12-24").unwrap()) })?;
    }
    for n in 0..2 {
        let comment = CommentId::parse(format!("k{i}-{n}")).unwrap();
        // One in twenty is for the person who looks.
        let asks = Some(Party::Member(if i % 20 == 1 { me.clone() } else { holder.clone() }));
        w.append(Op::CommentWritten {
            comment,
            about: about.clone(),
            anchor: String::new(),
            text: body(dice.words(15)),
            reply_to: None,
            asks,
        })?;
    }
    for n in 0..NOTES {
        let note = NoteId::parse(format!("n{i}-{n}")).unwrap();
        let title = Title::parse(dice.words(4)).unwrap();
        // A word that is in every tenth note only would be too easy: each holds sixty of forty.
        w.append(Op::NoteCreated { note, about: about.clone(), title, text: body(dice.words(60)), update: None })?;
    }
    Ok(())
}
