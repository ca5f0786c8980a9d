//! Who may do what, on several computers.

use crate::seat::{Seat, Team, join, sign, to_approval};
use serde_json::{Value, json};

fn device_row(seat: &Seat, device: &str) -> Value {
    let team = seat.must("member.list", json!({}));
    let all = team["members"].as_array().unwrap().iter().flat_map(|m| m["devices"].as_array().unwrap().clone());
    all.into_iter().find(|d| d["id"] == device).unwrap_or(Value::Null)
}

#[test]
fn an_approval_from_a_stolen_computer_falls_when_it_is_removed_as_compromised_and_the_gate_closes() {
    let team = Team::new();
    let bea = join(&team.ana, team.path(), "Bea", "bbbbbb", &["business_owner"]);
    let c = team.candidate();
    to_approval(&team.ana, &c.project);
    let release = team.dan.must("release.request", json!({ "version": c.version, "reason": "better" }))["id"].as_str().unwrap().to_owned();
    team.settle();
    bea.share();
    let now = 1_795_000_000_000_i64;
    sign(&bea, &release, "approved").unwrap();
    bea.share();
    team.settle();
    let gate = |seat: &Seat| seat.must("release.gate", json!({ "release": release }))["verdict"].clone();
    assert_eq!(gate(&team.ana), "pass");
    team.ana.must("device.remove", json!({ "device": bea.device(), "reason": "stolen", "compromised_since_ms": now }));
    assert_eq!(gate(&team.ana), "fail", "here at once");
    team.settle();
    assert_eq!(gate(&team.dan), "fail", "and everywhere else");
    assert_eq!(team.ana.digest(), team.dan.digest());
    assert!(device_row(&team.ana, &bea.device())["held"].as_u64().unwrap() > 0, "what is held is shown");
    // It turns out that the laptop only lay under the seat.
    team.ana.must("device.readmit", json!({ "device": bea.device(), "reason": "found, nobody had it" }));
    assert_eq!(gate(&team.ana), "pass");
    team.settle();
    assert_eq!(gate(&team.dan), "pass");
    assert_eq!(team.ana.must("log.rebuild", json!({}))["same"], true);
    assert_eq!(team.dan.must("log.verify", json!({}))["problems"], json!([]));
}

#[test]
fn what_a_demoted_member_signs_offline_is_held() {
    let team = Team::new();
    let bea = join(&team.ana, team.path(), "Bea", "bbbbbb", &["business_owner"]);
    let c = team.candidate();
    let release = team.dan.must("release.request", json!({ "version": c.version, "reason": "better" }))["id"].as_str().unwrap().to_owned();
    team.settle();
    bea.share();
    team.ana.must("member.revoke", json!({ "member": bea.me(), "role": "business_owner", "reason": "moved on" }));
    team.ana.share();
    sign(&bea, &release, "approved").unwrap();
    bea.share();
    team.settle();
    assert_eq!(team.dan.must("release.gate", json!({ "release": release }))["verdict"], "fail");
    assert_eq!(team.ana.digest(), team.dan.digest());
    assert_eq!(bea.must("release.gate", json!({ "release": release }))["verdict"], "fail", "her own program says so, too");
}

#[test]
fn two_owners_decide_together_and_one_alone_does_not() {
    let team = Team::new();
    team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "owner" }));
    team.settle();
    let owners = |seat: &Seat| {
        let team = seat.must("member.list", json!({}));
        let all = team["members"].as_array().unwrap();
        all.iter().filter(|m| m["roles"].as_array().unwrap().iter().any(|r| r["id"] == "owner")).count()
    };
    assert_eq!(owners(&team.dan), 2, "a sole owner decides alone");
    team.ana.must("member.revoke", json!({ "member": team.dan.me(), "role": "owner", "reason": "moved on" }));
    team.settle();
    assert_eq!(owners(&team.dan), 2, "of two both must agree");
    let asked =
        team.dan.must("member.list", json!({}))["proposals"].as_array().unwrap().iter().find(|p| p["decided"] == false).unwrap().clone();
    assert_eq!(asked["sentence"], "take the owner's role from Dan");
    team.dan.must("owner.second", json!({ "id": asked["id"] }));
    team.settle();
    assert_eq!((owners(&team.ana), owners(&team.dan)), (1, 1));
    assert_eq!(team.ana.digest(), team.dan.digest());
}

#[test]
fn a_computer_gets_a_new_key_and_its_member_goes_on() {
    let team = Team::new();
    let before = team.dan.device();
    team.dan.must("device.rotate", json!({}));
    assert_ne!(team.dan.device(), before);
    team.dan.must("project.create", json!({ "title": "With the new key" }));
    team.settle();
    assert_eq!(team.ana.must("project.list", json!({}))[0]["title"], "With the new key");
    assert_eq!(device_row(&team.ana, &before)["ended"], "rotated");
    assert_eq!(team.ana.digest(), team.dan.digest());
    assert_eq!(team.ana.must("log.verify", json!({}))["problems"], json!([]));
}

#[test]
fn a_sealed_computer_writes_nothing_more() {
    let team = Team::new();
    team.dan.must("device.seal", json!({ "reason": "new laptop" }));
    assert!(team.dan.call("project.create", json!({ "title": "x" })).is_err());
    team.dan.share();
    team.ana.share();
    assert_eq!(device_row(&team.ana, &team.dan.device())["ended"], "sealed");
    let error = team.ana.call("device.seal", json!({ "reason": "x" })).unwrap_err();
    assert!(error.message.contains("owner"), "{error}");
}

#[test]
fn with_the_printed_key_somebody_makes_an_owner_when_no_owner_is_left() {
    let team = Team::new();
    let printed = team.ana.must("recovery.create", json!({}));
    assert_eq!(printed["in_force"], true, "a sole owner has decided by asking");
    let words: Vec<String> = printed["words"].as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect();
    let path = team.path().join("sheet.pdf");
    team.ana.must("recovery.sheet", json!({ "words": words, "path": path }));
    assert!(std::fs::read(&path).unwrap().starts_with(b"%PDF-"));
    let mode = |p: &std::path::Path| std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(p).unwrap().permissions()) & 0o777;
    assert_eq!(mode(&path), 0o600, "the words are for one pair of eyes");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    team.ana.must("recovery.sheet", json!({ "words": words, "path": path }));
    assert_eq!(mode(&path), 0o600, "also where a file with wider rights was there");
    team.settle();
    // Ana's laptop is gone for good. She joins again on a new one; nobody is there to let her in.
    let invitation = team.dan.must("app.status", json!({}))["workspace"]["invitation"].as_str().unwrap().to_owned();
    let new = Seat::fresh(team.path().join("new"), "eeeeee");
    new.must("workspace.join", json!({ "address": invitation, "person": "Ana", "dir": new.dir }));
    let wrong = new.call("recovery.use", json!({ "words": words[..23].join(" ") })).unwrap_err();
    assert!(wrong.message.contains("23 words"), "{wrong}");
    let member = team.ana.me();
    new.must("recovery.use", json!({ "words": words.join(" "), "member": member }));
    assert_eq!(new.me(), member, "she is who she was");
    let lost = team.ana.device();
    new.must("device.remove", json!({ "device": lost, "reason": "lost" }));
    new.share();
    team.dan.share();
    new.share();
    let seen = team.dan.must("member.list", json!({}));
    assert_eq!(seen["recovery"], json!({ "printed": true, "phrase": printed["phrase"], "used": true }), "everybody sees that it was used");
    // Everybody is told where they look first, until they say that they know.
    let told = |seat: &Seat| seat.must("inbox.list", json!({})).as_array().unwrap().iter().filter(|i| i["kind"] == "recovery_used").count();
    assert_eq!(told(&team.dan), 1);
    team.dan.must("recovery.seen", json!({}));
    assert_eq!(told(&team.dan), 0);
    let ana = seen["members"].as_array().unwrap().iter().find(|m| m["id"] == member.as_str()).unwrap().clone();
    assert!(ana["roles"].as_array().unwrap().iter().any(|r| r["id"] == "owner"));
    assert_eq!(ana["devices"].as_array().unwrap().iter().filter(|d| d["removed"] == false).count(), 1);
    new.must("recovery.create", json!({}));
    new.share();
    team.dan.share();
    assert_eq!(new.digest(), team.dan.digest());
    assert_eq!(new.must("log.verify", json!({}))["problems"], json!([]));
    // The old sheet is worth nothing now.
    let other = Seat::fresh(team.path().join("other"), "ffffff");
    other.must("workspace.join", json!({ "address": invitation, "person": "Eve", "dir": other.dir }));
    assert_eq!(other.call("recovery.use", json!({ "words": words.join(" ") })).unwrap_err().code, "conflict");
}
