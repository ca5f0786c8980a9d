//! From hand to hand: what is stated, signed before the test, found, asked, handed over and accepted, over several computers.

use crate::seat::{Seat, Team, join};
use cairn_api::tracking::runs::{self, Batch, NewRun};
use cairn_api::tracking::{Point, experiments};
use cairn_core::id::{CommentId, FindingId, ProjectId};
use cairn_core::op::{Kind, Op, Party, RunStatus, Severity, Subject};
use cairn_core::role::Role;
use cairn_core::text::{Body, Title};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// A run that measured things on some data, for one purpose.
pub(crate) fn measured(
    seat: &Seat,
    experiment: &str,
    digest: &str,
    purpose: &str,
    metrics: &[(&str, f64)],
    tags: &[(&str, &str)],
) -> String {
    let w = seat.host.workspace().unwrap();
    let run = runs::create(&w, NewRun { experiment: experiment.into(), name: Some("try".into()), ..NewRun::default() }).unwrap();
    let input = json!({ "dataset": { "name": "split", "digest": digest, "source_type": "local", "source": "x" },
                        "tags": [{ "key": "mlflow.data.context", "value": purpose }] });
    runs::log_inputs(&w, &run.id, &[input], &[]).unwrap();
    let metrics = metrics.iter().map(|(k, v)| ((*k).to_owned(), Point { step: 0, ts: 1_000, value: *v })).collect();
    let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    runs::log_batch(&w, &run.id, Batch { metrics, tags, ..Batch::default() }).unwrap();
    runs::update(&w, &run.id, Some(RunStatus::Finished), Some(2_000), None).unwrap();
    run.id
}

fn experiment(seat: &Seat, project: &str) -> String {
    experiment_of(seat, project, "churn")
}

pub(crate) fn experiment_of(seat: &Seat, project: &str, name: &str) -> String {
    let w = seat.host.workspace().unwrap();
    let number = experiments::create(&w, name, BTreeMap::new()).unwrap().to_string();
    let all = seat.must("experiment.list", json!({}));
    let own = all.as_array().unwrap().iter().find(|e| e["name"] == name).unwrap()["id"].clone();
    seat.must("experiment.link", json!({ "experiment": own, "project": project }));
    number
}

pub(crate) fn criterion(metric: &str, slice: &str, threshold: &str) -> Value {
    json!({ "metric": metric, "slice": slice, "comparator": "at_least", "threshold": threshold, "level": "95", "digest": "d2" })
}

fn standing(seat: &Seat, project: &str) -> Value {
    let page = seat.must("criteria.list", json!({ "project": project }));
    page["sets"].as_array().unwrap().iter().find(|s| s["state"] == "stands").cloned().unwrap_or_default()
}

pub(crate) fn sign_criteria(seat: &Seat, project: &str, role: &str) -> Value {
    let set = standing(seat, project);
    seat.must("criteria.sign", json!({ "criteria": set["id"], "role": role, "digest": set["digest"] }))
}

fn gate(seat: &Seat, project: &str) -> BTreeMap<String, (bool, String)> {
    let found = seat.must("project.get", json!({ "project": project }));
    let one = |g: &Value| (g["id"].as_str().unwrap().to_owned(), (g["met"].as_bool().unwrap(), g["said"].as_str().unwrap().to_owned()));
    found["gate"].as_array().unwrap().iter().map(one).collect()
}

fn with_checks(checks: &[(&str, &str)]) -> String {
    let mut text = "id: checks\nname: Checks\nsummary: all\nstages:\n".to_owned();
    for (i, stage) in ["business_problem", "data", "training", "validation", "approval", "operation"].into_iter().enumerate() {
        text.push_str(&format!("  - {{ stage: {stage}, name: {stage}, purpose: p, requirements: ["));
        for (id, check) in checks.iter().filter(|_| i == 0) {
            text.push_str(&format!("{{ id: {id}, text: t, owner: data_scientist, check: {check} }}, "));
        }
        text.push_str("] }\n");
    }
    text
}

fn project_with(seat: &Seat, checks: &[(&str, &str)]) -> String {
    let own = seat.must("lifecycle.save", json!({ "text": with_checks(checks) }));
    id(&seat.must("project.create", json!({ "title": "Churn", "template": own["id"] })))
}

#[test]
fn answers_are_asked_for_the_risk_follows_from_questions_and_a_lower_class_needs_a_reason() {
    let team = Team::watched();
    let ana = &team.ana;
    let project = project_with(
        ana,
        &[
            ("one", "{ is: answered, question: out_of_scope }"),
            ("all", "{ is: all_answered, questions: [decision, problem] }"),
            ("months", "{ is: answered_at_least, question: log_months, at_least: 6 }"),
            ("risk", "{ is: risk_decided }"),
        ],
    );
    let answer =
        |question: &str, value: &str| ana.call("problem.answer", json!({ "project": project, "question": question, "value": value }));
    let met = || gate(ana, &project).into_iter().filter(|(_, g)| g.0).map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(met(), Vec::<String>::new());
    assert!(gate(ana, &project)["all"].1.contains("Decision to support, Business problem"));
    answer("out_of_scope", "Not for staff").unwrap();
    answer("decision", "whom to call").unwrap();
    answer("problem", "They leave").unwrap();
    assert!(answer("log_months", "half a year").unwrap_err().message.contains("is no number"));
    answer("log_months", "5").unwrap();
    assert_eq!(met(), ["all", "one"]);
    answer("log_months", "12").unwrap();
    assert_eq!(met(), ["all", "months", "one"]);
    for (question, value) in
        [("success_date", "2027-02-30"), ("risk_people", "perhaps"), ("threshold", "1.5"), ("amount_false_positive", "-1"), ("moon", "x")]
    {
        assert!(answer(question, value).is_err(), "{question} {value}");
    }
    let form = |ana: &Seat| ana.must("problem.get", json!({ "project": project }));
    for q in form(ana)["risk"]["questions"].as_array().unwrap() {
        assert!(form(ana)["risk"]["suggested"].is_null(), "nothing is certain before all is answered");
        let name = q["answer"]["name"].as_str().unwrap();
        answer(name, if name == "risk_money" { "yes" } else { "no" }).unwrap();
    }
    assert_eq!(form(ana)["risk"]["suggested"], "medium");
    answer("risk_class", "low").unwrap();
    assert!(form(ana)["risk"]["lower"] == true && !gate(ana, &project)["risk"].0, "{:?}", gate(ana, &project)["risk"]);
    answer("risk_reason", "Each call is decided by a person").unwrap();
    assert!(gate(ana, &project)["risk"].0 && gate(ana, &project)["risk"].1.contains("although the answers say: Medium"));
    answer("risk_people", "yes").unwrap();
    assert_eq!(form(ana)["risk"]["suggested"], "high", "one yes that weighs more is enough");

    // Two people answer one question at once: both answers are there, and one is kept by a click.
    team.settle();
    answer("users", "The front desk").unwrap();
    team.dan.must("problem.answer", json!({ "project": project, "question": "users", "value": "Dispatch" }));
    team.settle();
    let users = |seat: &Seat| {
        let form = form(seat);
        let all = form["groups"].as_array().unwrap().iter().flat_map(|g| g["questions"].as_array().unwrap().clone());
        all.into_iter().find(|q| q["answer"]["name"] == "users").unwrap()["answer"].clone()
    };
    for seat in [&team.ana, &team.dan] {
        assert_eq!(users(seat)["versions"].as_array().unwrap().len(), 2, "nothing is lost");
    }
    team.ana.must("problem.answer", json!({ "project": project, "question": "users", "value": "Both", "base": users(ana)["base"] }));
    team.settle();
    assert_eq!((users(&team.dan)["value"].as_str(), users(&team.dan)["versions"].as_array().unwrap().len()), (Some("Both"), 0));
}

#[test]
fn criteria_that_were_signed_before_the_test_are_proven_to_be_and_later_ones_are_marked_for_ever() {
    let team = Team::watched();
    let vera = join(&team.ana, team.path(), "Vera", "eeeeee", &["validator"]);
    let checks = [
        ("signed", "{ is: criteria_signed, by: [business_owner, validator] }"),
        ("before", "{ is: criteria_before_test }"),
        ("met", "{ is: criteria_met }"),
    ];
    let project = project_with(&team.ana, &checks);
    let now = |seat: &Seat, id: &str| gate(seat, &project)[id].clone();
    assert!(!now(&team.ana, "signed").0 && !now(&team.ana, "before").0);
    let wrong = team.ana.call("criteria.write", json!({ "project": project, "criteria": [criterion("recall", "old people", "0.7")] }));
    assert!(wrong.unwrap_err().message.contains("column:value"));
    let mut unsure = criterion("recall", "", "0.7");
    unsure["level"] = json!("100");
    assert!(team.ana.call("criteria.write", json!({ "project": project, "criteria": [unsure] })).is_err(), "100 % confidence is none");
    team.ana.must(
        "criteria.write",
        json!({ "project": project, "criteria": [criterion("recall", "", "0.7"), criterion("recall", "age:old", "0.7")] }),
    );
    assert_eq!(standing(&team.ana, &project)["proof"], "unsigned");
    sign_criteria(&team.ana, &project, "business_owner");
    let twice = standing(&team.ana, &project);
    assert!(
        team.ana.call("criteria.sign", json!({ "criteria": twice["id"], "role": "business_owner", "digest": twice["digest"] })).is_err()
    );
    assert!(
        team.ana.call("criteria.sign", json!({ "criteria": twice["id"], "role": "validator", "digest": twice["digest"] })).is_err(),
        "Ana is no validator"
    );
    assert!(now(&team.ana, "signed").1.contains("validator"), "{:?}", now(&team.ana, "signed"));
    team.settle();
    vera.share();
    let inbox = vera.must("inbox.list", json!({}));
    assert!(inbox.to_string().contains("\"kind\":\"criteria\""), "who must sign is told: {inbox}");
    let shown = standing(&vera, &project);
    let other = vera.call("criteria.sign", json!({ "criteria": shown["id"], "role": "validator", "digest": "0".repeat(64) })).unwrap_err();
    assert_eq!(other.code, "changed", "you sign what you saw");
    sign_criteria(&vera, &project, "validator");
    vera.share();
    team.settle();
    assert!(now(&team.dan, "signed").0 && !now(&team.dan, "before").0, "nobody has looked yet: {:?}", now(&team.dan, "before"));
    assert_eq!(standing(&team.dan, &project)["proof"], "untested");

    // Dan looks after the signatures have reached him: proven.
    let place = experiment(&team.dan, &project);
    let metrics = [("recall", 0.77), ("recall_n", 200.0), ("recall/age:old", 0.77), ("recall_n/age:old", 40.0)];
    let run = measured(&team.dan, &place, "d2", "test", &metrics, &[]);
    assert_eq!(standing(&team.dan, &project)["proof"], "before");
    assert!(now(&team.dan, "before").0 && !now(&team.dan, "met").0);
    let w = team.dan.host.workspace().unwrap();
    cairn_api::tracking::files::put_artifact(&w, cairn_api::tracking::RecordKind::Run, &run, "model/MLmodel", b"flavors: {}").unwrap();
    let version = id(&team.dan.must("model.register", json!({ "project": project, "model": "churn", "run": run, "datasets": [] })));
    let set = standing(&team.dan, &project);
    assert_eq!((&set["criteria"][0]["verdict"], &set["criteria"][1]["verdict"]), (&json!("passed"), &json!("inconclusive")));
    assert!(
        now(&team.dan, "met").1.contains("recall for age:old") && now(&team.dan, "met").1.contains("inconclusive"),
        "{:?}",
        now(&team.dan, "met")
    );
    let better = [("recall", 0.8), ("recall_n", 900.0), ("recall/age:old", 0.8), ("recall_n/age:old", 400.0)];
    measured(&team.dan, &place, "d2", "test", &better, &[("model_version", &version)]);
    assert!(now(&team.dan, "met").0, "a later evaluation of the same version with more cases: {:?}", now(&team.dan, "met"));
    team.settle();
    assert_eq!(standing(&team.ana, &project)["proof"], "before", "every computer proves it");

    // Another signature that comes late, in a role that nobody asked for, spoils nothing.
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "compliance" }));
    sign_criteria(&team.ana, &project, "compliance");
    assert_eq!(standing(&team.ana, &project)["proof"], "before", "the earliest signature of each role that must sign counts");

    // Written and signed afterwards: marked, whatever clocks say.
    let old = standing(&team.ana, &project);
    team.ana.set_clock(1_600_000_000_000);
    team.ana.must("criteria.write", json!({ "project": project, "criteria": [criterion("recall", "", "0.75")], "replaces": [old["id"]] }));
    sign_criteria(&team.ana, &project, "business_owner");
    assert_eq!(standing(&team.ana, &project)["proof"], "after");
    assert!(!now(&team.ana, "before").0 && now(&team.ana, "before").1.contains("This mark stays"));
    team.settle();
    let page = team.dan.must("criteria.list", json!({ "project": project }));
    assert_eq!(page["sets"][1]["proof"], "before", "what was replaced keeps its signatures and its proof");

    // A run that says later that it only trained on the data has looked all the same.
    let w = team.dan.host.workspace().unwrap();
    let input = json!({ "dataset": { "name": "split", "digest": "d2", "source_type": "local", "source": "x" },
                        "tags": [{ "key": "mlflow.data.context", "value": "training" }] });
    let again = cairn_core::id::RunId::parse(run.clone()).unwrap();
    w.append(Op::RunInputsLogged { run: again, inputs: [("split@d2".to_owned(), input)].into() }).unwrap();
    assert_eq!(standing(&team.dan, &project)["proof"], "after", "each time that somebody said it counts");

    // Neither knew of the other: not proven.
    let apart = project_with(&team.ana, &checks);
    team.settle();
    let mut third = criterion("auc", "", "0.7");
    third["digest"] = json!("d3");
    team.ana.must("criteria.write", json!({ "project": apart, "criteria": [third] }));
    sign_criteria(&team.ana, &apart, "business_owner");
    let w = team.dan.host.workspace().unwrap();
    let number = experiments::create(&w, "apart", BTreeMap::new()).unwrap().to_string();
    measured(&team.dan, &number, "d3", "holdout", &[("auc", 0.9)], &[]);
    team.settle();
    for seat in [&team.ana, &team.dan] {
        assert_eq!(standing(seat, &apart)["proof"], "unproven", "an experiment of no project counts too: the data was looked at");
    }

    // Two people write a set each at once: both stand, and a gate says so.
    let mine = standing(&team.ana, &apart)["id"].clone();
    for seat in [&team.ana, &team.dan] {
        seat.must("criteria.write", json!({ "project": apart, "criteria": [criterion("auc", "", "0.8")], "replaces": [mine] }));
    }
    team.settle();
    assert!(gate(&team.ana, &apart)["signed"].1.contains("2 sets of criteria stand beside each other"));
    assert!(
        team.ana.call("record.delete", json!({ "subject": { "kind": "criteria", "id": mine } })).is_err()
            || standing(&team.ana, &apart)["id"].is_string()
    );
}

#[test]
fn an_evaluation_in_nobodys_project_turns_a_gate_that_was_met() {
    let team = Team::watched();
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "data_scientist" }));
    measured(&team.dan, "0", "d0", "training", &[("recall", 0.9)], &[]);
    team.settle();
    let project = project_with(&team.ana, &[("before", "{ is: criteria_before_test }")]);
    team.ana.must("criteria.write", json!({ "project": project, "criteria": [criterion("recall", "", "0.8")] }));
    sign_criteria(&team.ana, &project, "business_owner");
    let next = || {
        let all = team.ana.must("portfolio.list", json!({}));
        all.as_array().unwrap().iter().find(|p| p["id"] == project.as_str()).unwrap()["next"].as_str().unwrap().to_owned()
    };
    let own = experiment(&team.ana, &project);
    measured(&team.ana, &own, "d2", "test", &[("recall", 0.9)], &[]);
    assert_eq!(next(), "", "signed before the only look");
    // Dan knows nothing of it yet, and looks at the test data for himself.
    measured(&team.dan, "0", "d2", "test", &[("recall", 0.9)], &[]);
    team.dan.share();
    team.ana.share();
    assert_eq!(next(), "t", "which came first is not proven any more");
}

#[test]
fn a_question_that_arrives_before_what_it_is_about_finds_its_project_when_that_comes() {
    let team = Team::watched();
    let project = id(&team.ana.must("project.create", json!({ "title": "Churn" })));
    let workspace = team.ana.host.workspace().unwrap();
    let body = |text: &str| Body::parse(text.to_owned()).unwrap();
    let finding = FindingId::parse("f9").unwrap();
    let asked = Op::CommentWritten {
        comment: CommentId::parse("c9").unwrap(),
        about: Subject { kind: Kind::Finding, id: finding.to_string() },
        anchor: String::new(),
        text: body("Why?"),
        reply_to: None,
        asks: Some(Party::Role(Role::Validator)),
    };
    workspace.append(asked).unwrap();
    let of = || team.ana.must("inbox.elsewhere", json!({}))["asked"][0]["project"].clone();
    assert!(of().is_null(), "nobody knows yet what it is about");
    let raised = Op::FindingRaised {
        finding,
        project: ProjectId::parse(project.clone()).unwrap(),
        title: Title::parse("Too few").unwrap(),
        text: body("few"),
        severity: Severity::Low,
        about: None,
    };
    workspace.append(raised).unwrap();
    assert_eq!(of(), project.as_str());
}

#[test]
fn a_model_from_a_run_of_nobodys_project_is_judged_again_when_that_run_changes() {
    let team = Team::watched();
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "data_scientist" }));
    let project = project_with(&team.ana, &[("bom", "{ is: file_kept, ending: bom.json }")]);
    let run = crate::tracking::model_run(&team.ana);
    team.ana.must("model.register", json!({ "project": project, "model": "churn", "run": run, "datasets": [] }));
    let next = || {
        let all = team.ana.must("portfolio.list", json!({}));
        all.as_array().unwrap().iter().find(|p| p["id"] == project.as_str()).unwrap()["next"].as_str().unwrap().to_owned()
    };
    assert_eq!(next(), "t");
    let workspace = team.ana.host.workspace().unwrap();
    cairn_api::tracking::files::put_artifact(&workspace, Kind::Run, &run, "model.bom.json", b"{}").unwrap();
    assert_eq!(next(), "", "the file was logged to a run of an experiment without a project");
}

#[test]
fn groups_benchmarks_findings_and_triggers_are_seen_when_they_are_recorded() {
    let team = Team::watched();
    let vera = join(&team.ana, team.path(), "Vera", "eeeeee", &["validator"]);
    let project = project_with(
        &team.ana,
        &[
            ("slices", "{ is: slices_reported }"),
            ("benchmark", "{ is: benchmark_compared }"),
            ("findings", "{ is: findings_settled }"),
            ("trigger", "{ is: trigger_recorded }"),
        ],
    );
    team.settle();
    vera.share();
    let dan = &team.dan;
    let now = |seat: &Seat, id: &str| gate(seat, &project)[id].clone();
    assert!(!now(dan, "slices").0 && !now(dan, "benchmark").0 && now(dan, "findings").0 && !now(dan, "trigger").0);

    let place = experiment(dan, &project);
    let run = measured(dan, &place, "d2", "test", &[("recall", 0.8), ("recall/age:old", 0.7)], &[]);
    let w = dan.host.workspace().unwrap();
    cairn_api::tracking::files::put_artifact(&w, cairn_api::tracking::RecordKind::Run, &run, "model/MLmodel", b"flavors: {}").unwrap();
    let version = id(&dan.must("model.register", json!({ "project": project, "model": "churn", "run": run, "datasets": [] })));
    assert!(now(dan, "slices").1.contains("how many cases"), "{:?}", now(dan, "slices"));
    let of = [("model_version", version.as_str())];
    measured(
        dan,
        &place,
        "d2",
        "test",
        &[("recall/age:old", 0.7), ("recall_n/age:old", 20.0), ("recall/sex:f", 0.8), ("recall_n/sex:f", 90.0)],
        &of,
    );
    assert!(!now(dan, "slices").0, "overlaps are asked for: {:?}", now(dan, "slices"));
    let all = [
        ("recall/age:old", 0.7),
        ("recall_n/age:old", 20.0),
        ("recall/sex:f", 0.8),
        ("recall_n/sex:f", 90.0),
        ("recall/age:old/sex:f", 0.6),
        ("recall_n/age:old/sex:f", 9.0),
    ];
    measured(dan, &place, "d2", "test", &all, &of);
    assert!(now(dan, "slices").0 && now(dan, "slices").1.contains("fewer than 30 cases in age:old"), "{:?}", now(dan, "slices"));

    measured(dan, &place, "d9", "test", &[("recall", 0.5)], &[("benchmark", "yes")]);
    assert!(!now(dan, "benchmark").0, "on other data nothing is compared");
    measured(dan, &place, "d2", "test", &[("recall", 0.5)], &[("benchmark", "yes")]);
    assert!(now(dan, "benchmark").0, "{:?}", now(dan, "benchmark"));

    let finding = dan.must("finding.save", json!({ "project": project, "title": "Misses the old", "severity": "high" }));
    assert!(now(dan, "findings").1.contains("1 finding of high severity is open"));
    let smaller = json!({ "project": project, "finding": finding["id"], "title": "Misses the old", "severity": "low", "reason": "not so bad", "base": finding["base"] });
    assert!(dan.call("finding.save", smaller).unwrap_err().message.contains("may not"), "nobody makes a finding in their own work smaller");
    let denied = dan.call("finding.settle", json!({ "finding": finding["id"], "outcome": "fixed", "reason": "done" })).unwrap_err();
    assert!(denied.message.contains("may not"), "nobody settles what was found in their own work: {}", denied.message);
    team.settle();
    vera.share();
    vera.must("finding.settle", json!({ "finding": finding["id"], "outcome": "fixed", "reason": "more data" }));
    let accepted = json!({ "finding": finding["id"], "outcome": "accepted", "reason": "we live with it" });
    vera.must("finding.settle", json!({ "finding": finding["id"], "reason": "it came back" }));
    assert!(vera.call("finding.settle", accepted.clone()).is_err(), "living with it is a waiver, and not the validator's");
    vera.share();
    team.settle();
    team.ana.must("finding.settle", accepted);
    assert!(now(&team.ana, "findings").0);
    let low = team.ana.must("finding.save", json!({ "project": project, "title": "Slow", "severity": "low" }));
    assert!(now(&team.ana, "findings").1.contains("nobody or no day"));
    assert!(team.ana.call("finding.assign", json!({ "finding": low["id"], "due": "tomorrow" })).unwrap_err().message.contains("is no day"));
    team.ana.must("finding.assign", json!({ "finding": low["id"], "to": { "kind": "member", "id": dan.me() }, "due": "2026-12-24" }));
    assert!(now(&team.ana, "findings").0);
    team.settle();
    let waits = dan.must("inbox.list", json!({}));
    assert!(waits.as_array().unwrap().iter().any(|i| i["kind"] == "finding" && i["due"] == "2026-12-24"), "{waits}");

    assert!(team.ana.must("finding.recurrent", json!({})).as_array().unwrap().is_empty(), "once is no habit");
    let other = id(&team.ana.must("project.create", json!({ "title": "Prices", "template": "light/1" })));
    team.ana.must("finding.save", json!({ "project": other, "title": "It misses the old again", "severity": "medium" }));
    let again = team.ana.must("finding.recurrent", json!({}));
    assert_eq!(
        (&again[0]["title"], &again[0]["severity"], again[0]["projects"].as_array().unwrap().len()),
        (&json!("Misses the old"), &json!("high"), 2)
    );
    team.ana.must("project.trigger", json!({ "project": project, "trigger": "monitor", "reason": "recall fell" }));
    assert!(!now(&team.ana, "trigger").0, "without evidence it is a rumour");
    let evidence = json!([{ "kind": "finding", "id": low["id"] }]);
    team.ana.must("project.trigger", json!({ "project": project, "trigger": "monitor", "reason": "recall fell", "evidence": evidence }));
    assert!(now(&team.ana, "trigger").0, "{:?}", now(&team.ana, "trigger"));
}

#[test]
fn a_handoff_goes_from_hand_to_hand_with_questions_answers_and_days() {
    let team = Team::watched();
    let max = join(&team.ana, team.path(), "Max", "ffffff", &["data_engineer"]);
    let project = id(&team.ana.must("project.create", json!({ "title": "Churn", "template": "light/1" })));
    let list = id(&team.ana.must("checklist.start", json!({ "project": project, "gate": "G1" })));
    let at = |seat: &Seat| seat.must("checklist.get", json!({ "checklist": list }));
    assert!(team.ana.call("checklist.assign", json!({ "checklist": list, "item": "G9.9" })).is_err());
    let to_dan = json!({ "checklist": list, "item": "G1.3", "to": { "kind": "member", "id": team.dan.me() } });
    assert!(team.ana.call("checklist.assign", to_dan).unwrap_err().message.contains("statement of the business owner"));
    team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "business_owner" }));
    team.ana.must("checklist.assign", json!({ "checklist": list, "item": "G1.3", "to": { "kind": "member", "id": team.dan.me() } }));
    team.ana.must("checklist.set_due", json!({ "checklist": list, "item": "G1.3", "due": "2020-01-01" }));
    team.ana.must("checklist.pick_up", json!({ "checklist": list }));
    assert!(team.ana.call("checklist.block", json!({ "checklist": list, "reason": " " })).is_err(), "a block says what it waits for");
    team.ana.must("checklist.block", json!({ "checklist": list, "reason": "Legal has not answered" }));
    team.settle();
    max.share();
    let inbox = team.dan.must("inbox.list", json!({}));
    let mine = inbox.as_array().unwrap().iter().find(|i| i["kind"] == "item").cloned().unwrap();
    assert!(mine["overdue"] == true && mine["title"].as_str().unwrap().starts_with("G1.3"), "{inbox}");
    assert!(team.dan.must("portfolio.list", json!({}))[0]["blocked"] == true);
    team.dan.must("checklist.item_done", json!({ "checklist": list, "item": "G1.3", "comment": "low, as a person decides" }));
    let over = max.call("checklist.item_done", json!({ "checklist": list, "item": "G1.1", "comment": "x" })).unwrap_err();
    assert_eq!(over.code, "not_your_role", "a statement is said by its role");
    team.settle();
    team.ana.must("checklist.block", json!({ "checklist": list }));
    for item in ["G1.1", "G1.2"] {
        team.ana.must("checklist.item_done", json!({ "checklist": list, "item": item, "comment": "said" }));
    }
    assert!(max.call("checklist.receive", json!({ "checklist": list })).is_err(), "nothing was handed over yet");
    team.ana.must("checklist.complete", json!({ "checklist": list }));
    team.settle();
    max.share();
    assert!(max.must("inbox.list", json!({})).to_string().contains("G1 was handed to you"));
    let asked = team.ana.must("inbox.elsewhere", json!({}));
    assert!(asked["asked"].to_string().contains("No data engineer has taken it yet"), "{asked}");
    assert!(team.dan.call("checklist.receive", json!({ "checklist": list })).unwrap_err().message.contains("data engineer"));
    max.must("checklist.receive", json!({ "checklist": list }));
    let about = json!({ "kind": "checklist", "id": list });
    let ask = json!({ "about": about, "anchor": "G1.1", "text": "Also new customers?", "asks": { "kind": "member", "id": team.ana.me() } });
    let threads = max.must("comment.write", ask);
    let early = max.call("checklist.accept", json!({ "checklist": list })).unwrap_err();
    assert!(early.message.contains("not answered yet"), "{}", early.message);
    max.share();
    team.settle();
    let question = team.ana.must("inbox.list", json!({}));
    let question = question.as_array().unwrap().iter().find(|i| i["kind"] == "question").cloned().unwrap();
    assert_eq!(question["id"], format!("checklist/{list}"));
    team.ana.must("comment.write", json!({ "about": about, "text": "No, only old ones.", "reply_to": threads[0]["id"] }));
    team.settle();
    max.share();
    max.must("checklist.accept", json!({ "checklist": list }));
    max.share();
    team.settle();
    assert_eq!(at(&team.ana)["state"], "accepted");
    assert!(gate(&team.ana, &project)["G1"].0, "accepted is completed too");
    assert!(team.ana.call("checklist.hand_back", json!({ "checklist": list, "reason": "x" })).is_err());
    let seen = team.dan.must("inbox.elsewhere", json!({}));
    assert!(seen["changed"].to_string().contains("accepted a handoff") && !seen["digest"].as_array().unwrap().is_empty(), "{seen}");
    assert!(team.dan.must("inbox.looked", json!({}))["changed"].as_array().unwrap().is_empty());
    let trail = team.ana.must("audit.list", json!({ "subject": about, "tracking": false, "problems": false, "offset": 0 })).to_string();
    for said in [
        "said that a handoff is blocked",
        "Legal has not answered",
        "took a handoff to look at it",
        "accepted a handoff",
        "set item G1.3 due",
    ] {
        assert!(trail.contains(said), "{said}");
    }
}

#[test]
fn the_ml_test_score_counts_what_the_records_show_once_and_what_people_ticked_half() {
    let team = Team::watched();
    let project = id(&team.ana.must("project.create", json!({ "title": "Churn" })));
    let score = || team.ana.must("project.test_score", json!({ "project": project }));
    let of = |test: &str| {
        let all = score()["sections"].as_array().unwrap().iter().flat_map(|s| s["tests"].as_array().unwrap().clone()).collect::<Vec<_>>();
        all.into_iter().find(|t| t["id"] == test).unwrap()
    };
    assert_eq!((score()["score"].as_f64(), score()["sections"].as_array().unwrap().len()), (Some(0.0), 4));
    let list = id(&team.ana.must("checklist.start", json!({ "project": project, "gate": "G1" })));
    team.ana.must("checklist.pick_up", json!({ "checklist": list }));
    team.ana.must("checklist.item_done", json!({ "checklist": list, "item": "G1.4", "comment": "a rule is not better" }));
    assert_eq!((of("M5")["score"].as_f64(), of("M5")["item"].as_str()), (Some(0.5), Some("G1.4")), "{}", of("M5"));
    assert_eq!(of("D6")["item"], Value::Null, "what the lifecycle does not ask for is said to be so");
    team.settle();
    let place = experiment(&team.dan, &project);
    measured(&team.dan, &place, "d1", "training", &[("recall", 0.8)], &[("data_validation", "passed")]);
    team.settle();
    assert_eq!(of("D1")["score"].as_f64(), Some(1.0), "{}", of("D1"));
    assert_eq!(score()["trend"][0]["cycle"], 1);
}

#[test]
fn monitors_count_when_they_have_said_something_in_this_cycle() {
    let team = Team::watched();
    let check = "{ is: monitors_live, watch: [drift, quality] }";
    let project = project_with(&team.ana, &[("watched", check)]);
    let now = || gate(&team.ana, &project)["watched"].clone();
    let plan = |seat: &Seat, watch: &str, metric: &str, threshold: &str, also: Value| {
        let mut plan = json!({ "project": project, "watch": watch, "metric": metric, "comparator": "at_least", "threshold": threshold,
            "owner": { "kind": "role", "id": "ml_engineer" }, "route": "#alarms", "every_days": 7 });
        plan.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
        seat.call("monitor.save", plan)
    };
    assert_eq!(now(), (false, "Not watched: drift, quality.".to_owned()));
    for (also, why) in [
        (json!({ "route": " " }), "Nobody would hear"),
        (json!({ "threshold": "much" }), "The threshold"),
        (json!({ "every_days": 0 }), "every 1 to 366 days"),
        (json!({ "watch": "moon" }), "nothing that can be watched"),
        (json!({ "owner": { "kind": "member", "id": "nobody" } }), "member"),
    ] {
        let said = plan(&team.ana, "drift", "PSI", "0.2", also).unwrap_err().message;
        assert!(said.contains(why), "{said}");
    }
    let drift = plan(&team.ana, "drift", "PSI", "0.2", json!({ "comparator": "at_most" })).unwrap()[0]["id"].clone();
    plan(&team.ana, "quality", "recall", "0.8", json!({})).unwrap();
    assert_eq!(now(), (false, "No value has been reported yet of: PSI, recall.".to_owned()));
    let all = team.ana.must("monitor.report", json!({ "monitor": drift, "value": "0.1", "source": "nightly job" }));
    assert_eq!((&all[0]["state"], &all[1]["state"]), (&json!("good"), &json!("silent")));
    assert!(team.ana.call("monitor.report", json!({ "monitor": drift, "value": "0.1", "at_ms": i64::MAX })).is_err(), "not in the future");
    let quality = all[1]["id"].clone();
    team.settle();
    // Dan reports and changes the plan while Ana changes it, too: both plans are kept, and the value counts.
    let all = team.dan.must("monitor.report", json!({ "monitor": quality, "value": "0.7" }));
    assert_eq!(all[1]["state"], "alarm");
    let told = |seat: &Seat| seat.must("inbox.list", json!({})).as_array().unwrap().iter().filter(|i| i["kind"] == "alarm").count();
    assert_eq!(told(&team.dan), 0, "Dan is no ML engineer");
    team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "ml_engineer" }));
    team.settle();
    assert_eq!(told(&team.dan), 1, "who answers for a monitor is told of a value beyond its threshold");
    team.ana.must("project.end", json!({ "project": project, "ending": "completed", "reason": "it runs" }));
    team.settle();
    assert_eq!(told(&team.dan), 1, "what was completed may run all the same");
    team.ana.must("project.end", json!({ "project": project, "reason": "not yet" }));
    team.settle();
    plan(&team.dan, "quality", "recall", "0.6", json!({ "monitor": quality, "base": all[1]["base"] })).unwrap();
    plan(&team.ana, "quality", "recall", "0.9", json!({ "monitor": quality, "base": all[1]["base"] })).unwrap();
    team.settle();
    assert_eq!(now(), (true, "2 monitors report values, each with a threshold, an owner and a route.".to_owned()));
    let both = team.ana.must("monitor.list", json!({ "project": project }))[1].clone();
    assert_eq!((both["versions"].as_array().unwrap().len(), both["choices"].as_array().unwrap().len()), (2, 2));
    let kept = both["choices"].as_array().unwrap().iter().find(|c| c["threshold"] == "0.6").unwrap().clone();
    let one = team.ana.must("monitor.save", kept)[1].clone();
    assert_eq!((one["state"].as_str(), one["versions"].as_array().unwrap().len()), (Some("good"), 0));
    team.settle();
    assert_eq!(team.ana.digest(), team.dan.digest());
    // A new cycle begins: what was said before says nothing of it.
    for stage in ["data", "training", "validation", "approval", "operation", "business_problem"] {
        team.ana.must("project.enter_stage", json!({ "project": project, "stage": stage, "reason": "as an example" }));
    }
    assert_eq!(now(), (false, "No value has been reported yet of: PSI, recall.".to_owned()));
    for monitor in [&drift, &quality] {
        team.ana.must("monitor.report", json!({ "monitor": monitor, "value": "0.1" }));
    }
    assert!(now().0);
    team.ana.must("record.delete", json!({ "subject": { "kind": "monitor", "id": drift } }));
    assert_eq!(now().1, "Not watched: drift.");
}

#[test]
fn maturity_is_said_by_people_beside_what_the_records_show_and_every_assessment_stays() {
    let team = Team::watched();
    let shown = |seat: &Seat| seat.must("maturity.get", json!({ "scale": "google/1", "width": 900, "dark": false }));
    let of = |page: &Value, id: &str| {
        let mut all = page["levels"].as_array().unwrap().iter().flat_map(|l| l["statements"].as_array().unwrap());
        all.find(|s| s["id"] == id).cloned().unwrap()
    };
    assert!(shown(&team.ana)["level"].is_null());
    assert_eq!(of(&shown(&team.ana), "g1.metadata")["seen"], json!({ "met": null, "said": "No run has finished yet." }));
    for (digest, tag) in [("d1", "passed"), ("d2", "failed")] {
        measured(&team.dan, "0", digest, "training", &[("recall", 0.9)], &[("data_validation", tag)]);
    }
    let run = runs::create(&team.dan.host.workspace().unwrap(), NewRun { experiment: "0".into(), ..NewRun::default() }).unwrap();
    runs::update(&team.dan.host.workspace().unwrap(), &run.id, Some(RunStatus::Finished), Some(9), None).unwrap();
    let seen = shown(&team.dan);
    assert_eq!(of(&seen, "g1.metadata")["seen"]["said"], "2 of the newest 3 finished runs name their data by fingerprint.");
    assert_eq!((&of(&seen, "g1.metadata")["seen"]["met"], &of(&seen, "g1.pipeline")["seen"]["met"]), (&json!("partly"), &json!("no")));
    assert_eq!(of(&seen, "g1.data")["seen"]["met"], "partly", "one run that was checked says little of the others");
    let first = ["g1.pipeline", "g1.data", "g1.model", "g1.metadata", "g1.trigger", "g1.monitor"];
    let note = format!("as [the run](cairn:run/{}) shows", run.id);
    let answers = |met: &str| {
        let one = |id: &&str| ((*id).to_owned(), json!({ "met": met, "note": note }));
        first.iter().map(one).collect::<serde_json::Map<String, Value>>()
    };
    for (seat, met, level) in [(&team.ana, "partly", 0), (&team.dan, "yes", 1)] {
        let done = seat.must("maturity.assess", json!({ "scale": "google/1", "answers": answers(met) }));
        assert_eq!(done["level"], level);
    }
    let wrong = |answers: Value| team.ana.call("maturity.assess", json!({ "scale": "google/1", "answers": answers })).unwrap_err().message;
    assert!(wrong(json!({ "g9.x": { "met": "yes" } })).contains("no statement g9.x"));
    assert!(wrong(json!({ "g1.data": { "met": "maybe" } })).contains("no answer to g1.data"));
    assert!(wrong(json!({})).contains("Nothing was answered"));
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let page = shown(seat);
        assert_eq!(page["assessments"].as_array().unwrap().len(), 2, "two people at once: both stay");
        assert!(page["svg"].as_str().unwrap().contains("<title>Maturity over time"), "{page}");
        assert_eq!(of(&page, "g1.data")["evidence"][0]["id"], run.id.as_str(), "what the note links to is the evidence");
    }
    assert_eq!(common(&shown(&team.ana)), common(&shown(&team.dan)));
}

#[test]
fn two_claims_at_once_end_in_the_later_one_and_both_know() {
    let team = Team::watched();
    let bo = team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "business_owner" }));
    assert!(bo.is_object());
    let project = id(&team.ana.must("project.create", json!({ "title": "Churn", "template": "light/1" })));
    let list = id(&team.ana.must("checklist.start", json!({ "project": project, "gate": "G1" })));
    team.settle();
    team.ana.set_clock(1_795_100_000_000);
    team.dan.set_clock(1_795_200_000_000);
    for (seat, item) in [(&team.ana, "G1.1"), (&team.dan, "G1.2")] {
        seat.must("checklist.pick_up", json!({ "checklist": list }));
        seat.must("checklist.item_done", json!({ "checklist": list, "item": item, "comment": "done" }));
    }
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let found = seat.must("checklist.get", json!({ "checklist": list }));
        assert_eq!(found["holder"]["name"], "Dan", "the later claim stands everywhere");
        assert_eq!(found["also_claimed"][0]["name"], "Ana");
        let done: Vec<bool> = found["items"].as_array().unwrap().iter().map(|i| i["done"].as_bool().unwrap()).collect();
        assert_eq!(done, [true, true, false], "no tick is lost");
    }
}

#[test]
fn a_cycle_closes_with_a_reason_the_next_begins_and_what_stays_true_is_carried_over() {
    let team = Team::watched();
    let project = id(&team.ana.must("project.create", json!({ "title": "Churn", "template": "light/1", "problem": "They leave" })));
    team.ana.must("criteria.write", json!({ "project": project, "criteria": [criterion("recall", "", "0.7")] }));
    sign_criteria(&team.ana, &project, "business_owner");
    let go =
        |stage: &str, reason: &str| team.ana.must("project.enter_stage", json!({ "project": project, "stage": stage, "reason": reason }));
    assert_eq!(team.ana.call("project.enter_stage", json!({ "project": project, "stage": "data" })).unwrap_err().code, "gate_closed");
    for stage in ["data", "training", "validation", "approval", "operation"] {
        go(stage, "a trial");
    }
    go("training", "the data was wrong");
    for stage in ["validation", "approval", "operation"] {
        go(stage, "again");
    }
    team.ana.must("project.trigger", json!({ "project": project, "trigger": "change", "reason": "a new tariff" }));
    let next = go("business_problem", "enough");
    assert_eq!((next["cycle"].as_u64(), next["stage"].as_str()), (Some(2), Some("business_problem")));
    let form = team.ana.must("problem.get", json!({ "project": project }));
    assert_eq!(form["groups"][0]["questions"][0]["answer"]["value"], "They leave", "answers stay");
    let page = team.ana.must("criteria.list", json!({ "project": project }));
    assert_eq!(page["sets"][0]["state"], "past", "criteria begin anew");
    let own =
        team.ana.must("lifecycle.save", json!({ "text": with_checks(&[("signed", "{ is: criteria_signed, by: [business_owner] }")]) }));
    team.ana.must("project.set_template", json!({ "project": project, "template": own["id"], "reason": "to see" }));
    assert!(gate(&team.ana, &project)["signed"].1.contains("for this cycle"), "those of the cycle before count for nothing in this one");
    let way = team.ana.must("project.way", json!({ "project": project }));
    assert_eq!(way["cycles"].as_array().unwrap().len(), 2);
    assert_eq!(way["cycles"][1]["trigger"]["why"], "a new tariff");
    assert_eq!(way["cycles"][0]["steps"][6]["back"], true);
    assert!(way["cycles"][0]["steps"][1]["waived"].to_string().contains("scientist"), "a waiver stays visible: {way}");
    assert!(team.ana.call("project.end", json!({ "project": project, "ending": "cancelled", "reason": "" })).is_err());
    team.ana.must("project.end", json!({ "project": project, "ending": "cancelled", "reason": "not worth it" }));
    assert!(team.ana.call("project.enter_stage", json!({ "project": project, "stage": "data", "reason": "x" })).is_err());
    assert!(!team.ana.must("inbox.list", json!({})).to_string().contains("Churn"), "nothing waits for what has ended");
    team.settle();
    assert_eq!(team.dan.must("portfolio.list", json!({}))[0]["ended"], "cancelled");
    team.ana.must("project.end", json!({ "project": project, "reason": "it is" }));
    assert!(team.ana.must("project.get", json!({ "project": project }))["ended"].is_null());
    let times = team.ana.must("portfolio.lead_times", json!({ "width": 800, "dark": false }));
    assert!(times["svg"].as_str().unwrap().contains("<svg") && times["stages"][2]["ended"] == 2, "{}", times["stages"]);
}

#[test]
fn anything_is_found_by_its_words_and_links_lead_both_ways() {
    let team = Team::watched();
    let c = team.candidate();
    let about = json!({ "kind": "project", "id": c.project });
    let note = |title: &str, text: String| id(&team.ana.must("note.save", json!({ "about": about, "title": title, "text": text })));
    let first = note(
        "Error analysis",
        format!("Recall fell for [the model](cairn:model_version/{}), ask [@Dan](cairn:member/{})", c.version, team.dan.me()),
    );
    note("Minutes", "Nothing of note about naïve rules".to_owned());
    team.ana.must("finding.save", json!({ "project": c.project, "title": "Recall is low for the old", "severity": "high" }));
    let found = |seat: &Seat, words: &str| {
        let all = seat.must("search.find", json!({ "words": words }));
        all.as_array()
            .unwrap()
            .iter()
            .map(|f| (f["kind"].as_str().unwrap().to_owned(), f["title"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(&team.ana, "recall")[0], ("finding".to_owned(), "Recall is low for the old".to_owned()), "a title weighs more");
    assert_eq!(found(&team.ana, "reca fel").len(), 0, "only the last word may be unfinished");
    assert_eq!(found(&team.ana, "recall fel").len(), 1);
    assert_eq!(found(&team.ana, "naive")[0].1, "Minutes", "accents do not matter");
    assert_eq!(found(&team.ana, "type:note recall"), [("note".to_owned(), "Error analysis".to_owned())]);
    assert!(found(&team.ana, "in:other recall").is_empty() && found(&team.ana, "in:churn recall").len() == 2);
    assert!(found(&team.ana, "\" OR ( NEAR ) *").is_empty(), "nothing that is typed is a command");
    team.ana.must("record.delete", json!({ "subject": { "kind": "note", "id": first } }));
    assert!(found(&team.ana, "type:note recall").is_empty());
    team.ana.must("record.delete", json!({ "subject": { "kind": "note", "id": first }, "restore": true }));
    team.settle();
    assert_eq!(found(&team.dan, "recall").len(), 2);
    let told = |seat: &Seat| seat.must("inbox.list", json!({})).as_array().unwrap().iter().filter(|i| i["kind"] == "mention").count();
    assert_eq!((told(&team.dan), told(&team.ana)), (1, 0), "who is named in a text is told, once");
    team.dan.must("inbox.looked", json!({}));
    assert_eq!(told(&team.dan), 0);
    let noted = team.ana.must("note.list", json!({ "about": about }));
    let noted = noted.as_array().unwrap().iter().find(|n| n["title"] == "Error analysis").unwrap();
    let longer = format!("{}\n\nand more", noted["text"].as_str().unwrap());
    team.ana.must("note.save", json!({ "note": first, "about": about, "title": "Error analysis", "text": longer, "base": noted["base"] }));
    team.settle();
    assert_eq!(told(&team.dan), 0, "who only adds to a text that names somebody does not name them");
    let name = format!("[@Dan](cairn:member/{}) knows", team.dan.me());
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "data_scientist" }));
    team.ana.must("card.edit", json!({ "version": c.version, "section": "contact", "text": name }));
    team.ana.must("problem.answer", json!({ "project": c.project, "question": "decision", "value": name }));
    team.settle();
    assert_eq!(told(&team.dan), 2, "cards and answers name people, too");
    let around = team.dan.must("graph.around", json!({ "subject": { "kind": "model_version", "id": c.version } }));
    let names = |side: &str| around[side].as_array().unwrap().iter().map(|e| e["how"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names("from"), ["version of", "made by", "learned from"]);
    assert_eq!(names("to"), ["mentioned in"]);
    let before = team.dan.must("search.find", json!({ "words": "recall" }));
    team.dan.must("log.rebuild", json!({}));
    assert_eq!(team.dan.must("search.find", json!({ "words": "recall" })), before, "made anew it finds the same");
}

#[test]
fn pictures_and_notebooks_travel_with_notes_nothing_else_is_taken_and_a_comment_is_its_writers() {
    let team = Team::watched();
    let project = id(&team.ana.must("project.create", json!({ "title": "Churn" })));
    let about = json!({ "kind": "project", "id": project });
    // The smallest PNG there is, base64.
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let picture = |content: &str| team.ana.call("note.attach", json!({ "subject": about, "name": "a [curve]", "content": content }));
    assert!(picture("PHN2ZyBvbmxvYWQ9cnVuKCk+").unwrap_err().message.contains("neither a picture"), "a drawing could carry a script");
    assert!(picture("***").unwrap_err().message.contains("not arrive whole"));
    let done = picture(png).unwrap();
    assert!(done["markdown"].as_str().unwrap().starts_with("![a curve](attachment:"), "{done}");
    let text = format!("See\n\n{}\n\nabove", done["markdown"].as_str().unwrap());
    team.ana.must("note.save", json!({ "about": about, "title": "Curve", "text": text }));
    let threads = team.ana.must("comment.write", json!({ "about": about, "text": "Mine" }));
    team.settle();
    let notes = team.dan.must("note.list", json!({ "about": about }));
    assert_eq!(notes[0]["parts"][1]["kind"], "picture");
    let shown = team.dan.must("file.view", json!({ "digest": done["digest"], "path": "picture.png" }));
    assert!(shown["view"]["data_url"].as_str().unwrap().starts_with("data:image/png;base64,"), "the picture has travelled: {shown}");
    let notebook = |source: &str| {
        use base64::Engine;
        let raw = json!({ "nbformat": 4, "cells": [{ "cell_type": "code", "source": source, "outputs": [] }] }).to_string();
        let content = base64::engine::general_purpose::STANDARD.encode(raw);
        team.ana.must("note.attach", json!({ "subject": about, "name": "try.ipynb", "content": content }))
    };
    let broken = team.ana.call("note.attach", json!({ "subject": about, "name": "try.ipynb", "content": "e30=" })).unwrap_err();
    assert!(broken.message.contains("this is no notebook"), "{broken}");
    let (old, new) = (notebook("train(depth=1)"), notebook("train(depth=2)"));
    team.ana.must("note.save", json!({ "about": about, "title": "Tries", "text": new["markdown"] }));
    team.settle();
    let all = team.dan.must("notebook.list", json!({ "about": about }));
    assert_eq!(all.as_array().unwrap().len(), 2, "two notebooks of one name are both kept: {all}");
    let file = |n: &Value| json!({ "digest": n["digest"], "path": "try.ipynb" });
    let found = team.dan.must("notebook.compare", json!({ "left": file(&old), "right": file(&new) }));
    assert_eq!((&found["summary"], &found["cells"][0]["change"]), (&json!("Of 1 cell: 1 changed."), &json!("changed")));
    let shown = team.dan.must("note.list", json!({ "about": about }));
    assert_eq!(shown[0]["parts"][0]["kind"], "notebook");
    let comment = json!({ "subject": { "kind": "comment", "id": threads[0]["id"] } });
    assert!(team.dan.call("record.delete", comment.clone()).is_err(), "nobody takes back what another said");
    team.ana.must("record.delete", comment);
    let history = team.dan.must("note.history", json!({ "note": notes[0]["id"] }));
    assert_eq!(history[0]["changes"][0]["what"], "added");
}

/// What everybody sees alike: without what is of the person who looks.
fn common(value: &Value) -> Value {
    match value {
        Value::Object(all) => {
            let own = [
                "my_turn",
                "mine",
                "receiving",
                "i_may_receive",
                "i_may_do",
                "i_may_settle",
                "i_may_accept",
                "i_may_sign_as",
                "i_may_reword",
            ];
            all.iter()
                .filter(|(k, _)| !own.contains(&k.as_str()))
                .map(|(k, v)| (k.clone(), common(v)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(all) => all.iter().map(common).collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever two people claim, tick, hand over, hand back, accept, ask, find and move in whatever order, with sharing at
    /// any moment: both see the same gates, stages and handoffs; the state is that of the latest operation by the clock;
    /// and an item that nobody reopened stays ticked.
    #[test]
    fn gates_and_handoffs_are_the_same_everywhere_and_no_tick_is_lost(steps in proptest::collection::vec((0u8..3, 0u8..12, 0u8..3), 8..28)) {
        let team = Team::watched();
        team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "business_owner" }));
        team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "data_engineer" }));
        team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "data_engineer" }));
        let project = id(&team.ana.must("project.create", json!({ "title": "P", "template": "light/1" })));
        let list = id(&team.ana.must("checklist.start", json!({ "project": project, "gate": "G1" })));
        team.settle();
        let mut ticked = std::collections::BTreeSet::new();
        for (who, what, which) in steps {
            let seat = match who { 0 => &team.ana, 1 => &team.dan, _ => { if which == 0 { team.ana.share(); } else { team.dan.share(); } continue } };
            let item = format!("G1.{}", which + 1);
            let me = json!({ "checklist": list });
            // Some are refused, as they should be; what is not refused must hold everywhere.
            let done = match what {
                0 | 1 => seat.call("checklist.pick_up", me),
                2..=4 => {
                    let done = seat.call("checklist.item_done", json!({ "checklist": list, "item": item, "comment": "x" }));
                    if done.is_ok() { ticked.insert(item); }
                    done
                }
                5 => seat.call("checklist.hand_back", json!({ "checklist": list, "reason": "no" })),
                6 => seat.call("checklist.complete", me),
                7 => seat.call("checklist.receive", me),
                8 => seat.call("checklist.accept", me),
                9 => seat.call("problem.answer", json!({ "project": project, "question": "decision", "value": format!("{which}") })),
                10 => seat.call("finding.save", json!({ "project": project, "title": format!("f{which}"), "severity": "low" })),
                _ => seat.call("project.enter_stage", json!({ "project": project, "stage": if which == 0 { "data" } else { "business_problem" }, "reason": "r" })),
            };
            drop(done);
        }
        team.settle();
        prop_assert_eq!(team.ana.digest(), team.dan.digest());
        for (command, request) in [
            ("project.get", json!({ "project": project })),
            ("checklist.list", json!({ "project": project })),
            ("finding.list", json!({ "project": project })),
            ("problem.get", json!({ "project": project })),
            ("project.way", json!({ "project": project })),
            ("portfolio.list", json!({})),
        ] {
            let (a, d) = (team.ana.must(command, request.clone()), team.dan.must(command, request));
            prop_assert_eq!(common(&a), common(&d), "{}", command);
        }
        let found = team.ana.must("checklist.get", json!({ "checklist": list }));
        for item in found["items"].as_array().unwrap() {
            prop_assert_eq!(item["done"].as_bool().unwrap(), ticked.contains(item["id"].as_str().unwrap()), "{}", item);
        }
        let about = json!({ "subject": { "kind": "checklist", "id": list }, "tracking": true, "problems": false, "offset": 0, "limit": 1000 });
        let trail = team.dan.must("audit.list", about);
        let states = [("checklist.started", "open"), ("checklist.picked_up", "picked_up"), ("checklist.handed_back", "handed_back"),
            ("checklist.completed", "completed"), ("checklist.received", "received"), ("checklist.accepted", "accepted")];
        let newest = trail["entries"].as_array().unwrap().iter().find_map(|e| states.iter().find(|(op, _)| e["operation"] == *op)).unwrap();
        prop_assert_eq!(found["state"].as_str().unwrap(), newest.1, "the latest by the clock stands");
    }
}
