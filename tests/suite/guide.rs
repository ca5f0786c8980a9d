//! The guided way: lifecycles that teams change, gates that look at the records, handoffs.

use crate::seat::{Seat, Team, join, sign};
use cairn_api::tracking::files::put_artifact;
use cairn_api::tracking::runs::{self, Batch, NewRun};
use cairn_api::tracking::{Point, RecordKind};
use cairn_core::id::RunId;
use cairn_core::op::{Op, RunStatus};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const LIGHT: &str = include_str!("../../assets/lifecycle/light-1.yaml");

/// Every check that needs nothing but records, each as a requirement of the first stage.
const CHECKS: [(&str, &str); 20] = [
    ("field", "{ is: field_filled, field: hypothesis }"),
    ("member", "{ is: member_named, role: validator }"),
    ("apart", "{ is: roles_apart, roles: [data_scientist, validator], apart: validator, from: [data_scientist] }"),
    ("inventory", "{ is: in_inventory }"),
    ("data", "{ is: dataset_registered }"),
    ("described", "{ is: data_described }"),
    ("test_apart", "{ is: test_data_apart }"),
    ("lineage", "{ is: lineage_known }"),
    ("finished", "{ is: run_finished }"),
    ("tagged", "{ is: run_tagged, tag: data_validation, value: passed }"),
    ("search", "{ is: search_recorded }"),
    ("baseline", "{ is: baseline_compared }"),
    ("kept", "{ is: test_runs_kept }"),
    ("version", "{ is: model_version_registered }"),
    ("reproducible", "{ is: reproducible }"),
    ("recomputed", "{ is: recomputed_by_other }"),
    ("file", "{ is: file_kept, ending: bom.json }"),
    ("card", "{ is: card_complete }"),
    ("released", "{ is: release_approved }"),
    ("as_approved", "{ is: deployed_as_approved }"),
];

fn with_checks(more: &[(&str, &str)]) -> String {
    let mut text = "id: checks\nname: Checks\nsummary: all\nstages:\n".to_owned();
    for (i, stage) in ["business_problem", "data", "training", "validation", "approval", "operation"].into_iter().enumerate() {
        text.push_str(&format!("  - {{ stage: {stage}, name: {stage}, purpose: p, requirements: ["));
        if i == 0 {
            for (id, check) in CHECKS.iter().chain(more) {
                text.push_str(&format!("{{ id: {id}, text: t, owner: data_scientist, check: {check} }}, "));
            }
        }
        text.push_str("] }\n");
    }
    text
}

/// What each check says of a project.
fn gate(seat: &Seat, project: &str) -> BTreeMap<String, (bool, String)> {
    let found = seat.must("project.get", json!({ "project": project }));
    let one = |g: &Value| (g["id"].as_str().unwrap().to_owned(), (g["met"].as_bool().unwrap(), g["said"].as_str().unwrap().to_owned()));
    found["gate"].as_array().unwrap().iter().map(one).collect()
}

fn met(seat: &Seat, project: &str) -> Vec<String> {
    gate(seat, project).into_iter().filter(|(_, (met, _))| *met).map(|(id, _)| id).collect()
}

fn input(name: &str, digest: &str, purpose: &str) -> Value {
    json!({ "dataset": { "name": name, "digest": digest, "source_type": "local", "source": name },
            "tags": [{ "key": "mlflow.data.context", "value": purpose }] })
}

struct Plan<'a> {
    name: &'a str,
    lr: &'a str,
    tags: &'a [(&'a str, &'a str)],
    inputs: &'a [Value],
    accuracy: f64,
}

fn run(seat: &Seat, experiment: &str, plan: &Plan<'_>) -> String {
    let w = seat.host.workspace().unwrap();
    let made = runs::create(&w, NewRun { experiment: experiment.into(), name: Some(plan.name.into()), ..NewRun::default() }).unwrap();
    let tags = plan.tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let metrics = vec![("accuracy".to_owned(), Point { step: 0, ts: 1_000, value: plan.accuracy })];
    runs::log_batch(&w, &made.id, Batch { metrics, params: vec![("lr".into(), plan.lr.into())], tags, ..Batch::default() }).unwrap();
    runs::log_inputs(&w, &made.id, plan.inputs, &[]).unwrap();
    runs::update(&w, &made.id, Some(RunStatus::Finished), Some(2_000), None).unwrap();
    made.id
}

#[test]
fn each_check_fails_until_the_records_show_what_it_asks_for() {
    let team = Team::watched();
    let vera = join(&team.ana, team.path(), "Vera", "eeeeee", &["validator"]);
    let max = join(&team.ana, team.path(), "Max", "ffffff", &["ml_engineer"]);
    let own = team.ana.must("lifecycle.save", json!({ "text": with_checks(&[]) }));
    let project = team.ana.must("project.create", json!({ "title": "Churn", "template": own["id"] }));
    let project = project["id"].as_str().unwrap().to_owned();
    assert_eq!(project_template(&team.ana, &project), "Checks");
    assert_eq!(met(&team.ana, &project), Vec::<String>::new(), "an empty project meets nothing");
    let now = |seat: &Seat, id: &str| gate(seat, &project)[id].clone();

    team.ana.must("project.edit", json!({ "project": project, "field": "hypothesis", "value": "We call, they stay" }));
    assert!(now(&team.ana, "field").0);
    let member = |seat: &Seat, who: &Seat, role: &str, belongs: bool| {
        seat.must("project.set_member", json!({ "project": project, "member": who.me(), "role": role, "belongs": belongs }))
    };
    member(&team.ana, &vera, "validator", true);
    assert!(now(&team.ana, "member").0 && now(&team.ana, "apart").1.contains("data scientist"), "{:?}", now(&team.ana, "apart"));
    member(&team.ana, &team.dan, "data_scientist", true);
    assert!(now(&team.ana, "apart").0);
    assert!(!now(&team.ana, "inventory").0);
    for (field, value) in [("problem", "They leave"), ("value_metric", "kept customers"), ("risk_class", "low")] {
        team.ana.must("project.edit", json!({ "project": project, "field": field, "value": value }));
    }
    assert!(now(&team.ana, "inventory").1.contains("a business owner"));
    member(&team.ana, &team.ana, "business_owner", true);
    assert!(now(&team.ana, "inventory").0);
    team.settle();
    for seat in [&vera, &max] {
        seat.share();
    }

    let dan = &team.dan;
    let csv = team.path().join("loans.csv");
    std::fs::write(&csv, "age,loan\n30,1\n41,0\n").unwrap();
    dan.must("dataset.import_csv", json!({ "project": project, "path": csv, "name": "loans" }));
    assert!(now(dan, "data").0 && !now(dan, "described").0, "a table alone says nothing of its splits");
    let w = dan.host.workspace().unwrap();
    let number = cairn_api::tracking::experiments::create(&w, "churn", BTreeMap::new()).unwrap().to_string();
    let experiment =
        dan.must("experiment.list", json!({})).as_array().unwrap().iter().find(|e| e["name"] == "churn").unwrap()["id"].clone();
    dan.must("experiment.link", json!({ "experiment": experiment, "project": project }));
    let silent = run(dan, &number, &Plan { name: "silent", lr: "0.1", tags: &[], inputs: &[], accuracy: 0.5 });
    assert!(now(dan, "finished").0 && !now(dan, "lineage").0, "{:?}", now(dan, "lineage"));
    dan.must("record.delete", json!({ "subject": { "kind": "run", "id": silent } }));
    let both = [input("train", "d1", "training"), input("test", "d2", "test")];
    let first = run(dan, &number, &Plan { name: "a", lr: "0.1", tags: &[], inputs: &both, accuracy: 0.8 });
    for id in ["described", "test_apart", "lineage", "kept"] {
        assert!(now(dan, id).0, "{id}: {:?}", now(dan, id));
    }
    assert!(!now(dan, "search").0, "one try is no search");
    let cheat =
        run(dan, &number, &Plan { name: "cheat", lr: "0.2", tags: &[], inputs: &[input("test", "d2", "training")], accuracy: 0.99 });
    assert!(now(dan, "search").0 && now(dan, "search").1.contains("lr"));
    assert!(!now(dan, "test_apart").0, "who trains on test data is named: {:?}", now(dan, "test_apart"));
    dan.must("record.delete", json!({ "subject": { "kind": "run", "id": cheat } }));
    assert!(now(dan, "test_apart").0);
    dan.must("record.delete", json!({ "subject": { "kind": "run", "id": first } }));
    assert!(now(dan, "kept").1.contains("deleted"), "a try on the test data cannot be made to vanish: {:?}", now(dan, "kept"));
    dan.must("record.delete", json!({ "subject": { "kind": "run", "id": first }, "restore": true }));
    assert!(now(dan, "kept").0 && !now(dan, "tagged").0 && !now(dan, "baseline").0);
    for (name, tag) in [("b1", ("baseline", "yes")), ("b2", ("baseline", "yes")), ("c", ("data_validation", "Passed"))] {
        run(dan, &number, &Plan { name, lr: "0.3", tags: &[tag], inputs: &both, accuracy: 0.7 });
    }
    assert!(now(dan, "tagged").0 && now(dan, "baseline").0, "{:?}", now(dan, "baseline"));

    assert!(!now(dan, "version").0 && now(dan, "card").1.contains("no model version"));
    put_artifact(&w, RecordKind::Run, &first, "model/MLmodel", b"flavors: {}").unwrap();
    let version = dan.must("model.register", json!({ "project": project, "model": "churn", "run": first, "datasets": [] }));
    let version = version["id"].as_str().unwrap().to_owned();
    assert!(now(dan, "version").0 && !now(dan, "card").0 && !now(dan, "file").0);
    assert!(now(dan, "reproducible").1.contains("the commit, the packages"), "{:?}", now(dan, "reproducible"));
    let packages = "a".repeat(64);
    let source = json!({ "code": { "root": "/c", "commit": "abc", "changed": 0 }, "environment": { "packages": packages, "packages_count": 1, "packages_bytes": 3 } });
    w.append(Op::RunSourceRecorded { run: RunId::parse(first.clone()).unwrap(), source: source.as_object().unwrap().clone() }).unwrap();
    assert!(now(dan, "reproducible").0, "{:?}", now(dan, "reproducible"));
    put_artifact(&w, RecordKind::Run, &first, "sbom/BOM.json", b"{}").unwrap();
    assert!(now(dan, "file").0);
    for section in ["purpose", "out_of_scope", "performance", "errors", "training_data", "training_procedure", "limitations", "oversight"] {
        dan.must("card.edit", json!({ "version": version, "section": section, "text": "About." }));
    }
    assert!(now(dan, "card").0, "{:?}", now(dan, "card"));
    assert!(!now(dan, "recomputed").0, "the author's own runs prove nothing");
    team.settle();
    vera.share();
    let again = cairn_api::tracking::experiments::by_name(&vera.host.workspace().unwrap(), "churn").unwrap();
    run(&vera, &again.number.to_string(), &Plan { name: "again", lr: "0.1", tags: &[], inputs: &both, accuracy: 0.8 });
    assert!(now(&vera, "recomputed").1.starts_with("Vera measured accuracy again"), "{:?}", now(&vera, "recomputed"));

    assert!(!now(dan, "released").0 && !now(dan, "as_approved").0);
    let release = dan.must("release.request", json!({ "version": version, "reason": "better" }))["id"].as_str().unwrap().to_owned();
    team.settle();
    sign(&team.ana, &release, "approved").unwrap();
    assert!(now(&team.ana, "released").0);
    team.settle();
    max.share();
    deployed(&max, &project, &version, &release);
    assert!(now(&max, "as_approved").0);
    max.share();
    vera.share();
    team.settle();
    vera.share();
    max.share();
    team.settle();
    for seat in [&team.ana, &team.dan, &vera, &max] {
        seat.share();
        assert_eq!(gate(seat, &project).values().filter(|(met, _)| *met).count(), CHECKS.len(), "{:?}", gate(seat, &project));
    }
    dan.must("card.edit", json!({ "version": version, "section": "purpose", "text": "Something else." }));
    assert!(!now(dan, "released").0 && !now(dan, "as_approved").0, "what was signed has changed: gates are judged anew");
}

/// A deployment, as the operation says it: these projects stand at their beginning, where the gate for deployments is closed.
fn deployed(seat: &Seat, project: &str, version: &str, release: &str) {
    let op = Op::DeploymentRecorded {
        deployment: cairn_core::id::DeploymentId::parse(format!("d{version}")[..30].to_owned()).unwrap(),
        project: cairn_core::id::ProjectId::parse(project).unwrap(),
        version: cairn_core::id::ModelVersionId::parse(version).unwrap(),
        release: Some(cairn_core::id::ReleaseId::parse(release).unwrap()),
        environment: cairn_core::op::Environment::Production,
    };
    seat.host.workspace().unwrap().append(op).unwrap();
}

fn project_template(seat: &Seat, project: &str) -> String {
    seat.must("project.get", json!({ "project": project }))["template"]["name"].as_str().unwrap().to_owned()
}

#[test]
fn a_stale_approval_and_a_version_to_go_back_to_are_seen() {
    let team = Team::watched();
    let max = join(&team.ana, team.path(), "Max", "ffffff", &["ml_engineer"]);
    let c = team.candidate();
    let text = with_checks(&[
        ("fresh", "{ is: approvals_fresh }"),
        ("back", "{ is: previous_restorable }"),
        ("live", "{ is: deployed_to_production }"),
    ]);
    let own = team.ana.must("lifecycle.save", json!({ "text": text }));
    let moved = json!({ "project": c.project, "template": own["id"], "reason": "to see" });
    assert_eq!(team.dan.call("project.set_template", moved.clone()).unwrap_err().code, "not_found", "it has not arrived at Dan's");
    team.settle();
    let refused = team.dan.call("project.set_template", moved.clone()).unwrap_err();
    assert!(refused.code == "denied" || refused.message.contains("may not"), "a lighter lifecycle would be a waiver: {refused:?}");
    assert!(team.ana.call("project.set_template", json!({ "project": c.project, "template": own["id"], "reason": " " })).is_err());
    team.ana.must("project.set_template", moved);
    let now = |seat: &Seat, id: &str| gate(seat, &c.project)[id].clone();
    assert!(now(&team.ana, "fresh").0 && !now(&team.ana, "back").0 && !now(&team.ana, "live").0);
    let release = team.dan.must("release.request", json!({ "version": c.version, "reason": "better" }))["id"].as_str().unwrap().to_owned();
    team.settle();
    sign(&team.ana, &release, "approved").unwrap();
    team.settle();
    max.share();
    deployed(&max, &c.project, &c.version, &release);
    assert!(now(&max, "live").0 && now(&max, "back").1.contains("no earlier version"), "{:?}", now(&max, "back"));
    max.share();
    team.settle();
    team.dan.must("card.edit", json!({ "version": c.version, "section": "purpose", "text": "Something else." }));
    assert!(!now(&team.dan, "fresh").0, "{:?}", now(&team.dan, "fresh"));
    let trail = team.ana.must(
        "audit.list",
        json!({ "subject": { "kind": "project", "id": c.project }, "tracking": false, "problems": false, "offset": 0 }),
    );
    assert!(trail.to_string().contains("moved the project to the lifecycle of the team"), "the trail shows it");
}

#[test]
fn a_project_keeps_its_lifecycle_until_somebody_moves_it_and_both_changes_of_a_lifecycle_stay() {
    let team = Team::watched();
    let own = team.ana.must("lifecycle.save", json!({ "text": LIGHT.replace("name: Light", "name: Ours") }));
    let project = team.ana.must("project.create", json!({ "title": "Churn", "template": own["id"] }));
    let project = project["id"].as_str().unwrap().to_owned();
    team.settle();
    let shorter = LIGHT.replace("name: Light", "name: Ours").replace("      - id: hypothesis\n        text: State the hypothesis of value\n        owner: business_owner\n        check: { is: field_filled, field: hypothesis }\n", "");
    let change =
        |seat: &Seat, text: String| seat.must("lifecycle.save", json!({ "template": own["template"], "text": text, "base": own["base"] }));
    let new = change(&team.ana, shorter);
    assert!(gate(&team.ana, &project).contains_key("hypothesis"), "the project keeps the version that it began with");
    assert_eq!((&new["projects"], &new["behind"]), (&json!(0), &json!(1)));
    let told = team.ana.must("lifecycle.difference", json!({ "from": own["id"], "to": new["id"] }));
    assert_eq!(told["removed"][0]["before"], "State the hypothesis of value (field_filled, field hypothesis): Business owner");
    change(&team.dan, LIGHT.replace("name: Light", "name: Dan's"));
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let all = seat.must("lifecycle.list", json!({}));
        let ours: Vec<&Value> = all.as_array().unwrap().iter().filter(|l| l["template"] == own["template"]).collect();
        assert_eq!(ours.len(), 2, "nothing of either is lost");
        assert!(ours.iter().all(|l| l["both_changed"] == true));
    }
    team.ana.must("project.set_template", json!({ "project": project, "template": new["id"], "reason": "shorter" }));
    assert!(!gate(&team.ana, &project).contains_key("hypothesis"));
    let wrong = team.ana.call("lifecycle.save", json!({ "text": LIGHT.replacen("role: data_engineer", "role: wizard", 1) })).unwrap_err();
    assert!(wrong.message.contains("line ") && wrong.message.contains("wizard"), "{}", wrong.message);
    let looked = team.ana.must("lifecycle.check", json!({ "text": "id: x\nstages: []" }));
    assert!(looked["view"].is_null() && !looked["problems"].as_array().unwrap().is_empty());
    assert_eq!(team.ana.call("project.create", json!({ "title": "X", "template": "moon/1" })).unwrap_err().code, "not_found");

    // A handoff by a lifecycle that nobody here has must not hide the others.
    let w = team.ana.host.workspace().unwrap();
    let id = |text: &str| cairn_core::id::ChecklistId::parse(text).unwrap();
    let strange = Op::ChecklistStarted {
        checklist: id("strange"),
        project: cairn_core::id::ProjectId::parse(project.clone()).unwrap(),
        gate: "G1".into(),
        template: "later/9".into(),
        cycle: 1,
    };
    w.append(strange).unwrap();
    team.ana.must("checklist.start", json!({ "project": project, "gate": "G1" }));
    assert_eq!(team.ana.must("checklist.list", json!({ "project": project })).as_array().unwrap().len(), 1);
    team.ana.must("inbox.list", json!({}));
}

#[test]
fn a_handoff_shows_what_the_records_say_and_cannot_be_completed_without() {
    let team = Team::watched();
    let project = team.ana.must("project.create", json!({ "title": "Churn", "risk_class": "medium" }));
    let project = project["id"].as_str().unwrap().to_owned();
    assert_eq!(project_template(&team.ana, &project), "Standard");
    let early = team.ana.call("checklist.start", json!({ "project": project, "gate": "G2" })).unwrap_err();
    assert!(early.message.contains("G2 comes after G1"), "{}", early.message);
    let list = team.ana.must("checklist.start", json!({ "project": project, "gate": "G1" }));
    let id = list["id"].as_str().unwrap().to_owned();
    team.ana.must("checklist.pick_up", json!({ "checklist": id }));
    let ticked = team.ana.call("checklist.item_done", json!({ "checklist": id, "item": "G1.7", "comment": "trust me" })).unwrap_err();
    assert!(ticked.message.contains("nobody ticks it"), "{}", ticked.message);
    for item in ["G1.1", "G1.2", "G1.3"] {
        team.ana.must("checklist.item_done", json!({ "checklist": id, "item": item, "comment": "said" }));
    }
    let closed = team.ana.call("checklist.complete", json!({ "checklist": id })).unwrap_err();
    assert!(closed.message.contains("G1.7"), "{}", closed.message);
    let item = |id: &str| {
        let list = team.ana.must("checklist.list", json!({ "project": project }));
        list[0]["items"].as_array().unwrap().iter().find(|i| i["id"] == id).unwrap().clone()
    };
    assert!(item("G1.7")["said"].as_str().unwrap().contains("Nobody is named yet"), "{}", item("G1.7"));
    assert_eq!(item("G1.5")["nobody"], true, "nobody here holds the role compliance, so nobody can do it");
    let member = |who: &Seat, role: &str, belongs: bool| {
        team.ana.must("project.set_member", json!({ "project": project, "member": who.me(), "role": role, "belongs": belongs }))
    };
    let vera = join(&team.ana, team.path(), "Vera", "eeeeee", &["validator"]);
    member(&team.ana, "business_owner", true);
    member(&team.dan, "data_scientist", true);
    member(&vera, "validator", true);
    assert_eq!(item("G1.7")["done"], true);
    team.ana.must("checklist.complete", json!({ "checklist": id }));
    assert!(gate(&team.ana, &project)["G1"].0);
    member(&vera, "validator", false);
    let (met, said) = gate(&team.ana, &project)["G1"].clone();
    assert!(!met && said.contains("do not show G1.7 any more"), "{said}");
}

#[test]
fn a_handoff_under_a_lighter_lifecycle_is_no_handoff_under_a_stricter_one_and_a_waiver_closes_nothing_behind_it() {
    let team = Team::watched();
    let project = team.ana.must("project.create", json!({ "title": "Churn", "template": "light/1" }));
    let project = project["id"].as_str().unwrap().to_owned();
    let walk = |items: &[&str]| {
        let list = team.ana.must("checklist.start", json!({ "project": project, "gate": "G1" }));
        let id = list["id"].as_str().unwrap().to_owned();
        team.ana.must("checklist.pick_up", json!({ "checklist": id }));
        for item in items {
            team.ana.must("checklist.item_done", json!({ "checklist": id, "item": item, "comment": "said" }));
        }
        team.ana.call("checklist.complete", json!({ "checklist": id }))
    };
    walk(&["G1.1", "G1.2", "G1.3"]).unwrap();
    assert!(gate(&team.ana, &project)["G1"].0);
    team.ana.must("project.set_template", json!({ "project": project, "template": "regulated/1", "reason": "patients" }));
    let member = |who: &Seat, role: &str| {
        team.ana.must("project.set_member", json!({ "project": project, "member": who.me(), "role": role, "belongs": true }))
    };
    let vera = join(&team.ana, team.path(), "Vera", "eeeeee", &["validator"]);
    for (who, role) in [(&team.ana, "business_owner"), (&team.dan, "data_scientist"), (&vera, "validator")] {
        member(who, role);
    }
    for (field, value) in [("problem", "They leave"), ("value_metric", "kept"), ("risk_class", "high")] {
        team.ana.must("project.edit", json!({ "project": project, "field": field, "value": value }));
    }
    let (met, said) = gate(&team.ana, &project)["G1"].clone();
    assert!(!met && said.contains("asks people for: G1.5, G1.6"), "{said}");
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "compliance" }));
    walk(&["G1.1", "G1.2", "G1.3", "G1.5", "G1.6"]).unwrap();
    assert!(gate(&team.ana, &project)["G1"].0, "the stricter one can begin beside it");
    for stage in ["data", "training"] {
        team.ana.must("project.enter_stage", json!({ "project": project, "stage": stage, "reason": "a pilot" }));
    }
    team.ana.must("checklist.start", json!({ "project": project, "gate": "G3" }));
    assert!(team.ana.call("checklist.start", json!({ "project": project, "gate": "G4" })).is_err(), "G4 still comes after G3");
}
