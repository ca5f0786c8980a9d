//! A shared place as every released format left it, with what must be read from it for ever.

use crate::seat::{Candidate, Seat, Team, git, join, sign, sign_as, to_approval};
use cairn_core::id::{Digest, ModelVersionId, ProjectId, ReleaseId};
use cairn_core::op::{Decision, Op};
use cairn_core::release::{NAMESPACE, PREDICATE_TYPE, release_id};
use cairn_core::role::Role;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn views(seat: &Seat) -> Value {
    seat.must("log.views", json!({}))
}

/// Where each release of the records stands, and what is said of its decisions.
fn releases(seat: &Seat, views: &Value) -> Value {
    let ids = views["records"].as_array().unwrap().iter().filter(|r| r["kind"] == "release").map(|r| r["id"].as_str().unwrap());
    let told = |id: &str| {
        let seen = seat.must("release.get", json!({ "release": id }));
        let codes = |what: &Value| what.as_array().unwrap().iter().map(|b| b["code"].clone()).collect::<Vec<_>>();
        let signed = |s: &Value| json!([s["id"], s["role"]["id"], s["decision"], s["fresh"], s["not_counted"].is_null()]);
        let signed: Vec<Value> = seen["signoffs"].as_array().unwrap().iter().map(signed).collect();
        let challenges: Vec<Value> = seen["challenges"].as_array().unwrap().iter().map(|c| json!([c["id"], c["answered"]])).collect();
        json!({
            "state": seen["state"], "older": seen["older"], "class": seen["risk_class"], "blocks": codes(&seen["blocks"]),
            "signoffs": signed, "challenges": challenges,
        })
    };
    ids.map(|id| (id.to_owned(), told(id))).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn every_format_that_was_ever_written_reads_the_same() {
    let mut found = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let format = entry.unwrap().path();
        let dir = tempfile::tempdir().unwrap();
        let remote = dir.path().join("shared.git");
        git(&["clone", "--quiet", "--mirror", format.join("remote.bundle").to_str().unwrap(), remote.to_str().unwrap()]);
        let expected: Value = serde_json::from_str(&std::fs::read_to_string(format.join("views.json")).unwrap()).unwrap();
        let reader = Seat::fresh(dir.path().join("reader"), "999999");
        reader.must("workspace.join", json!({ "address": remote, "person": "Reader", "dir": reader.dir }));
        reader.share();
        let mut now = views(&reader);
        // What the reader wrote: that it asks to join.
        now["operations"].as_object_mut().unwrap().remove(&format!("{}.1", reader.device()));
        for part in ["members", "devices", "operations", "records"] {
            assert_eq!(now[part], expected[part], "{part} of {}", format.display());
        }
        let judged: Value = serde_json::from_str(&std::fs::read_to_string(format.join("releases.json")).unwrap()).unwrap();
        assert_eq!(releases(&reader, &expected), judged, "the releases of {}", format.display());
        assert_eq!(reader.must("sharing.status", json!({}))["refused"], json!([]));
        assert_eq!(reader.must("log.verify", json!({}))["problems"], json!([]));
        found += 1;
    }
    assert!(found >= 2);
}

#[test]
fn an_approval_of_the_first_format_is_still_one_and_says_that_it_is_older() {
    let judged: Value = serde_json::from_str(&std::fs::read_to_string(folder().join("format-1/releases.json")).unwrap()).unwrap();
    let one = judged.as_object().unwrap().values().next().unwrap();
    assert_eq!((&one["state"], &one["older"]), (&json!("approved"), &json!(true)));
    let judged: Value = serde_json::from_str(&std::fs::read_to_string(folder().join("format-1-rules-2/releases.json")).unwrap()).unwrap();
    let older: Vec<&Value> = judged.as_object().unwrap().values().filter(|r| r["older"] == true).collect();
    assert_eq!(older.len(), 1);
    assert_eq!(older[0]["state"], "waiting", "asked for and signed in the older form after the rules were adopted");
    assert_eq!(older[0]["signoffs"][0][4], false);
}

/// Writes the example of the first format: once, when a format is released. Never again afterwards.
#[test]
#[ignore = "writes into tests/golden"]
fn make_the_golden_example() {
    let team = Team::new();
    let c = team.candidate();
    let mia = join(&team.ana, team.path(), "Mia", "eeeeee", &["administrator", "validator"]);
    crate::segments::long_run(&team.dan, 400, true);
    team.ana.must("recovery.create", json!({}));
    let about = json!({ "kind": "project", "id": c.project });
    team.ana.must("note.save", json!({ "about": about, "title": "Plan \u{1f600}", "text": "One.\nTwo.\n" }));
    let release = team.dan.must("release.request", json!({ "version": c.version, "reason": "better" }));
    team.settle();
    sign(&team.ana, release["id"].as_str().unwrap(), "approved").unwrap();
    for seat in [&team.ana, &team.dan] {
        let note = seat.must("note.list", json!({ "about": about }))[0].clone();
        let text = format!("{}{}\n", note["text"].as_str().unwrap(), seat.me());
        seat.must("note.save", json!({ "note": note["id"], "about": about, "title": "Plan", "text": text, "base": note["base"] }));
    }
    team.settle();
    mia.share();
    mia.must("member.grant", json!({ "member": team.dan.me(), "role": "data_engineer" }));
    team.ana.must("member.revoke", json!({ "member": mia.me(), "role": "administrator", "reason": "moved on" }));
    mia.share();
    team.settle();
    team.dan.must("device.rotate", json!({}));
    team.dan.must("project.create", json!({ "title": "After the new key" }));
    team.settle();
    team.ana.must("device.remove", json!({ "device": mia.device(), "reason": "lost" }));
    mia.must("project.create", json!({ "title": "Too late" }));
    mia.share();
    team.settle();
    let format = folder().join("format-1");
    std::fs::create_dir_all(&format).unwrap();
    let bundle = format.join("remote.bundle");
    git(&["-C", team.remote.to_str().unwrap(), "bundle", "create", "--quiet", bundle.to_str().unwrap(), "--all"]);
    std::fs::write(format.join("views.json"), serde_json::to_string_pretty(&views(&team.ana)).unwrap()).unwrap();
}

/// A request and an approval in the form of the first rules, as an earlier program would write them.
fn older_release(team: &Team, c: &Candidate) {
    let w = team.dan.host.workspace().unwrap();
    let release = w
        .write(|w| {
            let id = w.next_id()?;
            let release = release_id(&id.device, id.n);
            let op = Op::ReleaseRequested {
                release: release.clone(),
                project: ProjectId::parse(c.project.clone()).unwrap(),
                version: ModelVersionId::parse(c.version.clone()).unwrap(),
                policy: "standard/1".to_owned(),
                policy_digest: Digest::parse("9191b82214b307602807705542eb8f7691c4e4e1a8476c29af7de7ea30d96fd0".to_owned()).unwrap(),
            };
            w.append_why(op, Some("as ever"))?;
            Ok::<_, cairn_api::ApiError>(release)
        })
        .unwrap();
    team.settle();
    older_approval(&team.ana, &release);
    team.settle();
}

fn older_approval(ana: &Seat, release: &ReleaseId) {
    let seen = ana.must("release.get", json!({ "release": release }));
    let subject = |b: &Value| json!({ "name": b["name"], "digest": { "sha256": b["sha256"] } });
    let subjects: Vec<Value> = seen["binds"].as_array().unwrap().iter().map(subject).collect();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": PREDICATE_TYPE,
        "predicate": {
            "release": release, "decision": "approved", "role": "business_owner", "signer": { "principal": ana.me() },
            "reason": "as ever", "claimedAt": "2026-11-18T12:00:00+01:00",
        },
    })
    .to_string();
    let signature = ana.key().sign(NAMESPACE, statement.as_bytes()).unwrap();
    let op = Op::ReleaseSigned {
        release: release.clone(),
        signoff: cairn_core::canonical::sha256(signature.as_bytes()).as_str()[..32].to_owned(),
        decision: Decision::Approved,
        role: Role::BusinessOwner,
        statement,
        signature,
    };
    ana.host.workspace().unwrap().append(op).unwrap();
}

/// Writes the example of the second rules: once, when they are released. Never again afterwards.
#[test]
#[ignore = "writes into tests/golden"]
fn make_the_golden_example_of_the_second_rules() {
    let team = Team::new();
    let val = join(&team.ana, team.path(), "Val", "eeeeee", &["validator"]);
    let cy = join(&team.ana, team.path(), "Cy", "abcdef", &["compliance"]);
    let all = || {
        for _ in 0..2 {
            team.settle();
            val.share();
            cy.share();
        }
        team.settle();
    };
    let stranger = Seat::fresh(team.path().join("stranger"), "bbbbbb");
    let invitation = team.ana.must("app.status", json!({}))["workspace"]["invitation"].clone();
    let asked = stranger.must("workspace.join", json!({ "address": invitation, "person": "Stranger", "dir": stranger.dir }));
    all();
    team.ana.must("member.decline", json!({ "device": asked["workspace"]["device"], "reason": "nobody knows them" }));
    // High, lowered by two; a rejection that is answered; an approval that is taken back and given again.
    let c = team.candidate_of("high");
    to_approval(&team.ana, &c.project);
    all();
    let stated = team.ana.must("risk.set", json!({ "project": c.project, "class": "medium", "reason": "a person reads every case" }));
    all();
    let proposal = stated["proposals"][0]["id"].clone();
    cy.must("risk.agree", json!({ "project": c.project, "proposal": proposal, "reason": "so it is" }));
    all();
    let ask = |answers: Value| {
        let asked = team.dan.must("release.request", json!({ "version": c.version, "reason": "better", "answers": answers }));
        all();
        asked["id"].as_str().unwrap().to_owned()
    };
    let first = ask(json!({}));
    sign_as(&val, &first, "rejected", "validator").unwrap();
    all();
    let earlier = team.dan.must("release.earlier", json!({ "version": c.version }));
    let mut answers = serde_json::Map::new();
    answers.insert(earlier[0]["signoff"].as_str().unwrap().to_owned(), json!("measured again"));
    let answers = Value::Object(answers);
    let second = ask(answers.clone());
    sign_as(&val, &second, "approved", "validator").unwrap();
    all();
    for decision in ["approved", "taken_back", "approved"] {
        sign(&team.ana, &second, decision).unwrap();
        all();
    }
    team.dan.must("finding.save", json!({ "project": c.project, "title": "Old people", "text": "Fewer are found.", "severity": "high" }));
    all();
    let seen = val.must("release.get", json!({ "release": second }));
    let challenge = seen["challenges"][0]["id"].clone();
    val.must("release.answer", json!({ "release": second, "challenge": challenge, "reason": "looked at; they are as many" }));
    all();
    // The same model again: its card changes after an approval; what an earlier program asks for and signs now; a class that waits.
    let again = team.dan.must("model.register", json!({ "project": c.project, "model": "churn", "run": c.run, "datasets": [] }));
    let again = Candidate { project: c.project.clone(), version: again["id"].as_str().unwrap().to_owned(), run: c.run.clone() };
    for section in ["purpose", "out_of_scope", "performance", "errors", "training_data", "training_procedure", "limitations", "oversight"] {
        team.dan.must("card.edit", json!({ "version": again.version, "section": section, "text": format!("On {section}.") }));
    }
    all();
    let asked = json!({ "version": again.version, "reason": "as good", "answers": answers });
    let third = team.dan.must("release.request", asked)["id"].as_str().unwrap().to_owned();
    all();
    sign(&team.ana, &third, "approved").unwrap();
    all();
    team.dan.must("card.edit", json!({ "version": again.version, "section": "limitations", "text": "Others." }));
    team.ana.must("risk.set", json!({ "project": c.project, "class": "low", "reason": "only a hint" }));
    all();
    older_release(&team, &again);
    all();
    let format = folder().join("format-1-rules-2");
    std::fs::create_dir_all(&format).unwrap();
    let bundle = format.join("remote.bundle");
    git(&["-C", team.remote.to_str().unwrap(), "bundle", "create", "--quiet", bundle.to_str().unwrap(), "--all"]);
    let views = views(&team.ana);
    std::fs::write(format.join("releases.json"), serde_json::to_string_pretty(&releases(&team.ana, &views)).unwrap()).unwrap();
    std::fs::write(format.join("views.json"), serde_json::to_string_pretty(&views).unwrap()).unwrap();
}
