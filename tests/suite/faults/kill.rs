//! Fault 1: the program is killed between any two steps of sharing. The next start mends itself and
//! nothing that was acknowledged is lost.

use crate::seat::{Seat, Team, git};
use serde_json::{Value, json};
use std::process::{Command, Output};

/// Not a test of its own: the program that is killed, started by the tests below with a failpoint set.
#[test]
#[ignore = "started by the tests of fault 1"]
fn child() {
    let Ok(dir) = std::env::var("CAIRN_CHILD_DIR") else { return };
    let seat = Seat::again(dir.into(), "777777", &std::env::var("CAIRN_CHILD_KEYS").unwrap());
    let request = serde_json::from_str(&std::env::var("CAIRN_CHILD_REQUEST").unwrap()).unwrap();
    let done = seat.call(&std::env::var("CAIRN_CHILD_COMMAND").unwrap(), request);
    println!(
        "RESULT {}",
        match done {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": error }),
        }
    );
}

/// Runs a command as another process, with an environment of its own.
pub(crate) fn elsewhere(seat: &Seat, env: &[(&str, &str)], command: &str, request: &Value) -> Output {
    let keys = seat.dir.join("../child-keys.json");
    std::fs::write(&keys, seat.keys()).unwrap();
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::kill::child", "--ignored", "--nocapture", "--test-threads", "1"])
        .envs(env.iter().copied())
        .env("CAIRN_CHILD_DIR", &seat.dir)
        .env("CAIRN_CHILD_KEYS", &keys)
        .env("CAIRN_CHILD_COMMAND", command)
        .env("CAIRN_CHILD_REQUEST", request.to_string())
        .output()
        .unwrap();
    seat.learn(&std::fs::read_to_string(&keys).unwrap());
    out
}

/// What a command elsewhere answered.
pub(crate) fn answer(out: &Output) -> Value {
    let text = String::from_utf8_lossy(&out.stdout);
    let line = text
        .lines()
        .find_map(|l| l.split_once("RESULT "))
        .unwrap_or_else(|| panic!("no answer: {text} {}", String::from_utf8_lossy(&out.stderr)));
    serde_json::from_str(line.1).unwrap()
}

/// Runs a command as another process that dies at `point`. Keys that it made are handed back.
fn killed(seat: &Seat, point: &str, command: &str, request: &Value) {
    let out = elsewhere(seat, &[("CAIRN_FAILPOINT", point)], command, request);
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(!out.status.success() && !text.contains("panicked"), "it must be killed at {point}: {text}");
    assert!(!text.contains("RESULT"), "it never came to {point}");
    seat.reopen();
}

fn titles(seat: &Seat) -> Vec<String> {
    let mut all: Vec<String> =
        seat.must("project.list", json!({})).as_array().unwrap().iter().map(|p| p["title"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

fn whole(team: &Team, seats: &[&Seat]) {
    for seat in seats {
        assert_eq!(seat.must("log.verify", json!({}))["problems"], json!([]));
        assert_eq!(seat.must("log.rebuild", json!({}))["same"], true, "what was folded as it came is what a rebuild makes");
        assert_eq!(
            git(&["-C", seat.dir.join("git").to_str().unwrap(), "fsck", "--strict"]).lines().filter(|l| !l.starts_with("dangling")).count(),
            0
        );
    }
    assert_eq!(git(&["-C", team.remote.to_str().unwrap(), "fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn fault_1_killed_between_any_two_steps_of_a_round() {
    for point in
        ["seal.made", "seal.kept", "seal.done", "fetched", "accept.checked", "accept.kept", "pushed", "segment.packed", "segment.pushed"]
    {
        let team = Team::new();
        team.ana.must("project.create", json!({ "title": "Ana's" }));
        team.ana.share();
        team.dan.must("project.create", json!({ "title": "Dan's" }));
        crate::segments::long_run(&team.dan, 600, true);
        killed(&team.dan, point, "sharing.share", &json!({}));
        team.dan.must("project.create", json!({ "title": "After" }));
        team.settle();
        assert_eq!(titles(&team.ana), ["After", "Ana's", "Dan's"], "{point}");
        assert_eq!(team.ana.digest(), team.dan.digest(), "{point}");
        whole(&team, &[&team.ana, &team.dan]);
    }
}

#[test]
fn fault_1_killed_while_a_copied_computer_gets_its_new_name() {
    for point in ["fork.set_aside", "rotate.said", "fork.handed_over", "fork.written_again"] {
        let team = Team::new();
        team.settle();
        let copy = team.dan.copy(team.path().join("copy"), true);
        copy.must("project.create", json!({ "title": "By the copy" }));
        team.dan.must("project.create", json!({ "title": "By the original" }));
        team.dan.share();
        killed(&copy, point, "sharing.share", &json!({}));
        copy.share();
        team.ana.share();
        copy.share();
        assert_eq!(titles(&team.ana), ["By the copy", "By the original"], "{point}");
        assert_eq!(copy.digest(), team.ana.digest(), "{point}");
        whole(&team, &[&team.ana, &copy]);
    }
}

#[test]
fn fault_1_killed_while_a_computer_changes_its_key() {
    let team = Team::new();
    team.settle();
    let name = team.dan.device();
    killed(&team.dan, "rotate.said", "device.rotate", &json!({}));
    team.dan.must("project.create", json!({ "title": "After" }));
    team.dan.share();
    team.settle();
    assert_ne!(team.dan.device(), name, "the change that was said is carried out");
    assert_eq!(titles(&team.ana), ["After"]);
    whole(&team, &[&team.ana, &team.dan]);
}
