//! Two computers and a bare repository between them.

use crate::seat::{Seat, Team, git, sign, to_approval};
use serde_json::{Value, json};
use std::process::Command;

#[test]
fn a_release_is_requested_here_approved_there_and_seen_here() {
    let team = Team::new();
    let c = team.candidate();
    to_approval(&team.ana, &c.project);
    let release = team.dan.must("release.request", json!({ "version": c.version, "reason": "better" }));
    let id = release["id"].as_str().unwrap();
    assert_eq!(release["state"], "waiting");
    team.settle();
    let inbox = team.ana.must("inbox.list", json!({}));
    assert!(inbox.as_array().unwrap().iter().any(|i| i["kind"] == "decide" && i["id"] == id), "it waits for Ana");
    sign(&team.ana, id, "approved").unwrap();
    team.settle();
    assert_eq!(team.dan.must("release.get", json!({ "release": id }))["state"], "approved");
    assert_eq!(team.dan.must("release.gate", json!({ "release": id }))["verdict"], "pass");

    // Editing the card afterwards makes the approval stale, on both computers.
    team.dan.must("card.edit", json!({ "version": c.version, "section": "purpose", "text": "Something else." }));
    let stale = team.dan.must("release.get", json!({ "release": id }));
    assert_eq!(stale["state"], "stale");
    assert!(stale["changed"][0].as_str().unwrap().contains("the model card changed after it was signed (by Dan)"), "{stale}");
    assert_eq!(team.dan.must("release.gate", json!({ "release": id }))["verdict"], "fail");
    team.settle();
    assert_eq!(team.ana.must("release.get", json!({ "release": id }))["state"], "stale");
    assert_eq!(team.ana.digest(), team.dan.digest(), "both computers hold the same state");
    assert!(c.project.len() > 10);
}

#[test]
fn everything_works_with_the_remote_unreachable_and_catches_up_later() {
    let team = Team::new();
    let away = team.path().join("away.git");
    std::fs::rename(&team.remote, &away).unwrap();
    let failed = team.ana.call("sharing.share", json!({})).unwrap_err();
    assert!(failed.hint.is_some(), "a failure says what to do: {failed}");
    let project = team.ana.must("project.create", json!({ "title": "Offline" }));
    team.dan.must("project.create", json!({ "title": "Also offline" }));
    team.ana.call("sharing.share", json!({})).unwrap_err();
    let status = team.ana.must("sharing.status", json!({}));
    assert_eq!(status["waiting"], 1, "the project waits, sealed though it is: {status}");
    assert_eq!(status["last_error"]["code"], "remote_not_found");
    std::fs::rename(&away, &team.remote).unwrap();
    team.settle();
    let titles = |v: Value| v.as_array().unwrap().iter().map(|p| p["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(titles(team.dan.must("project.list", json!({}))).len(), 2);
    assert_eq!(team.ana.digest(), team.dan.digest());
    assert_eq!(team.dan.must("project.get", json!({ "project": project["id"] }))["title"], "Offline");
}

#[test]
fn two_edits_of_one_text_are_both_kept_and_shown() {
    let team = Team::new();
    let project = team.ana.must("project.create", json!({ "title": "P", "problem": "first" }));
    team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "data_engineer" }));
    team.settle();
    let edit = |seat: &Seat, value: &str| {
        let now = seat.must("project.get", json!({ "project": project["id"] }));
        let base = now["fields"].as_array().unwrap().iter().find(|f| f["name"] == "problem").unwrap()["base"].clone();
        seat.must("project.edit", json!({ "project": project["id"], "field": "problem", "value": value, "base": base }));
    };
    edit(&team.ana, "ana's words");
    edit(&team.dan, "dan's words");
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let now = seat.must("project.get", json!({ "project": project["id"] }));
        let field = now["fields"].as_array().unwrap().iter().find(|f| f["name"] == "problem").unwrap().clone();
        assert_eq!(field["versions"].as_array().unwrap().len(), 2, "both texts are there: {field}");
    }
    assert_eq!(team.ana.digest(), team.dan.digest());
}

#[test]
fn stock_git_verifies_every_commit_and_the_export_verifies_itself() {
    let team = Team::new();
    let c = team.candidate();
    let release = team.dan.must("release.request", json!({ "version": c.version, "reason": "better" }));
    team.settle();
    sign(&team.ana, release["id"].as_str().unwrap(), "approved").unwrap();
    team.settle();
    let out = team.path().join("audit");
    let exported = team.ana.must("audit.export", json!({ "dir": out }));
    assert_eq!(exported["missing"], json!([]));
    assert_eq!(exported["signoffs"], 1);

    let remote = team.remote.to_str().unwrap();
    let signers = format!("gpg.ssh.allowedSignersFile={}", out.join("allowed_signers").display());
    let commits = git(&["-C", remote, "rev-list", "--all"]);
    assert!(commits.lines().count() >= 4);
    for commit in commits.lines() {
        git(&["-C", remote, "-c", &signers, "verify-commit", commit]);
    }
    assert_eq!(git(&["-C", remote, "fsck", "--strict"]), "");

    // Every shell line of VERIFY.md, as somebody would paste it.
    let page = std::fs::read_to_string(out.join("VERIFY.md")).unwrap();
    let script: String = page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(script.contains("sha256sum") && script.contains("verify-commit") && script.contains("ssh-keygen -Y verify"));
    assert!(!script.contains("exit"), "pasted lines leave the shell open");
    let run = |text: &str| Command::new("bash").args(["-e", "-c", text]).current_dir(&out).output().unwrap();
    let good = run(&script);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));

    // What the bundle brings along says the same, from the fingerprint on.
    let fingerprint = team.ana.must("app.status", json!({}))["workspace"]["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(exported["fingerprint"], fingerprint.as_str());
    let verify = || {
        let done = Command::new("python3").arg(out.join("verify.py")).arg(&fingerprint).current_dir("/").output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (good, said) = verify();
    assert!(good && said.starts_with("VERIFIED "), "{said}");

    // One changed byte in a statement, and the same lines fail.
    let statement = std::fs::read_dir(out.join("statements"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "json"))
        .unwrap();
    let forged = std::fs::read_to_string(&statement).unwrap().replace("approved", "rejected");
    std::fs::write(&statement, forged).unwrap();
    assert!(!run("sha256sum --check --quiet manifest.sha256").status.success());
    let signoffs = page.split("```sh\n").last().unwrap().split("```").next().unwrap();
    assert!(!run(signoffs).status.success(), "a forged statement does not verify");
    let (good, said) = verify();
    assert!(!good && said.starts_with("NOT VERIFIED: "), "{said}");
}

#[test]
fn verify_finds_a_workspace_file_that_was_bent() {
    let team = Team::new();
    team.settle();
    let good = team.ana.must("log.verify", json!({}));
    assert_eq!(good["problems"], json!([]));
    let db = bend_file(&team.ana.dir.join("cairn.db"));
    assert!(db.success(), "sqlite through python");
    let bad = team.ana.must("log.verify", json!({}));
    assert_eq!(bad["problems"].as_array().unwrap().len(), 1, "{bad}");
}

/// Changes a stored line behind the program's back, as somebody with the file could.
fn bend_file(path: &std::path::Path) -> std::process::ExitStatus {
    let script = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(\"UPDATE op SET line = replace(line, 'Dan', 'Eve') WHERE type='member.admitted'\"); c.commit()";
    Command::new("python3").args(["-c", script]).arg(path).status().unwrap()
}

#[test]
fn a_place_without_a_workspace_or_with_another_one_is_refused_with_a_hint() {
    let team = Team::new();
    let empty = team.path().join("empty.git");
    git(&["init", "--quiet", "--bare", empty.to_str().unwrap()]);
    let eve = Team::new();
    let request = |address: String, dir: &str| {
        eve.dan.call("workspace.join", json!({ "address": address, "person": "Eve", "dir": team.path().join(dir) })).unwrap_err()
    };
    assert_eq!(request(empty.display().to_string(), "e1").code, "empty_remote");
    assert_eq!(request(format!("{}#{}", team.remote.display(), "0".repeat(64)), "e2").code, "other_workspace");
    assert_eq!(request("/nowhere/at/all.git".into(), "e3").code, "remote_not_found");
    for dir in ["e1", "e2", "e3"] {
        assert!(!team.path().join(dir).exists(), "a failed try leaves nothing behind");
    }
}
