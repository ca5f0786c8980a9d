//! Metric points of many runs in files beside the log: signed, fetched when somebody looks, pruned.

use crate::seat::{Seat, Team, git};
use cairn_api::tracking::runs::{self, Batch, NewRun};
use cairn_api::tracking::{Point, RunStatus, experiments};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A run with a long metric, as many points as asked, some of them no numbers; finished or not.
pub(crate) fn long_run(seat: &Seat, points: i64, finished: bool) -> String {
    let w = seat.host.workspace().unwrap();
    let number = experiments::create(&w, "long", BTreeMap::new()).unwrap();
    let run = runs::create(&w, NewRun { experiment: number.to_string(), user: "dan".into(), ..NewRun::default() }).unwrap().id;
    log(seat, &run, 0..points);
    if finished {
        runs::update(&w, &run, Some(RunStatus::Finished), Some(2_000), None).unwrap();
    }
    run
}

fn log(seat: &Seat, run: &str, steps: std::ops::Range<i64>) {
    let w = seat.host.workspace().unwrap();
    let value = |step: i64| if step % 97 == 0 { f64::NAN } else { 1.0 / (step as f64 + 1.0) };
    let metrics = steps.map(|step| ("loss".to_owned(), Point { step, ts: 1_000 + step, value: value(step) })).collect::<Vec<_>>();
    for chunk in metrics.chunks(1_000) {
        runs::log_batch(&w, run, Batch { metrics: chunk.to_vec(), ..Batch::default() }).unwrap();
    }
}

fn points(seat: &Seat, run: &str) -> (Vec<(i64, i64, u64)>, bool) {
    let w = seat.host.workspace().unwrap();
    let (points, complete) = w.store.read(|r| r.points(run, "loss")).unwrap();
    (points.iter().map(|p| (p.step, p.ts, p.value.to_bits())).collect(), complete)
}

fn chart(seat: &Seat, run: &str) -> Value {
    seat.must("chart.draw", json!({ "spec": { "metrics": ["loss"] }, "of": { "runs": [run] }, "width": 600, "height": 300 }))
}

#[test]
fn a_chart_is_drawn_before_the_points_arrive_and_from_all_of_them_afterwards() {
    let team = Team::new();
    let run = long_run(&team.dan, 3_000, true);
    team.settle();
    let before = chart(&team.ana, &run);
    assert_eq!((&before["complete"], &before["points"], before["drawn"].as_u64().unwrap() <= 256), (&json!(false), &json!(3_000), true));
    let got = team.ana.must("run.fetch_points", json!({ "run": run }));
    assert_eq!(got, json!({ "points": 3_000, "gone": 0 }));
    let after = chart(&team.ana, &run);
    assert_eq!(after["complete"], true);
    assert_eq!(points(&team.ana, &run), points(&team.dan, &run), "every bit of every point");
    assert_eq!(team.ana.must("run.fetch_points", json!({ "run": run })), json!({ "points": 0, "gone": 0 }), "only once");
    let count = |seat: &Seat| seat.must("run.get", json!({ "run": run }))["metrics"][0]["count"].clone();
    assert_eq!((count(&team.ana), count(&team.dan)), (json!(3_000), json!(3_000)));
    assert_eq!(team.ana.digest(), team.dan.digest(), "fetched points are no part of the views");
    assert_eq!(team.ana.must("log.verify", json!({}))["problems"], json!([]));
}

#[test]
fn a_metric_whose_outline_holds_every_point_needs_no_file() {
    let team = Team::new();
    let run = long_run(&team.dan, 200, true);
    team.settle();
    assert_eq!(points(&team.ana, &run), points(&team.dan, &run));
    assert!(points(&team.ana, &run).1);
    assert!(!git(&["-C", team.remote.to_str().unwrap(), "for-each-ref"]).contains("/seg/"));
}

#[test]
fn points_that_come_late_and_out_of_order_travel_too() {
    let team = Team::new();
    let run = long_run(&team.dan, 0, false);
    log(&team.dan, &run, 500..2_000);
    let w = team.dan.host.workspace().unwrap();
    runs::update(&w, &run, Some(RunStatus::Finished), None, None).unwrap();
    team.settle();
    // Earlier steps after later ones went into a file, and one that is there already.
    log(&team.dan, &run, 0..501);
    team.settle();
    log(&team.dan, &run, 2_000..2_300);
    team.settle();
    team.ana.must("run.fetch_points", json!({ "run": run }));
    assert_eq!(points(&team.ana, &run).0.len(), 2_300);
    assert_eq!(points(&team.ana, &run), points(&team.dan, &run));
}

#[test]
fn a_run_that_still_trains_sends_its_points_in_large_pieces_only() {
    let team = Team::new();
    let run = long_run(&team.dan, 9_000, false);
    team.settle();
    assert_eq!(team.ana.must("run.fetch_points", json!({ "run": run })), json!({ "points": 0, "gone": 0 }));
    log(&team.dan, &run, 9_000..11_000);
    team.settle();
    assert_eq!(team.ana.must("run.fetch_points", json!({ "run": run }))["points"], 11_000);
}

#[test]
fn a_run_that_two_computers_logged_to_shows_the_points_of_both() {
    let team = Team::new();
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "data_scientist" }));
    let run = long_run(&team.dan, 1_000, true);
    team.settle();
    log(&team.ana, &run, 1_000..1_400);
    team.settle();
    team.dan.must("run.fetch_points", json!({ "run": run }));
    team.ana.must("run.fetch_points", json!({ "run": run }));
    assert_eq!(points(&team.dan, &run).0.len(), 1_400);
    assert_eq!(points(&team.dan, &run), points(&team.ana, &run));
    let count = |seat: &Seat| seat.must("run.get", json!({ "run": run }))["metrics"][0]["count"].clone();
    assert_eq!((count(&team.ana), count(&team.dan)), (json!(1_400), json!(1_400)));
}

#[test]
fn fault_14_files_that_are_gone_or_bent_leave_the_chart_to_the_outline() {
    let team = Team::new();
    let run = long_run(&team.dan, 2_000, true);
    team.settle();
    let remote = team.remote.to_str().unwrap();
    let name = format!("refs/heads/cairn/seg/{}/1", team.dan.device());
    // Somebody puts another file under the name that was signed.
    let real = git(&["-C", remote, "rev-parse", &name]);
    let file = git(&["-C", remote, "ls-tree", "--name-only", &name]);
    let forged = git(&["-C", remote, "hash-object", "-w", "--stdin"]);
    let tree = team.path().join("tree");
    std::fs::write(&tree, format!("100644 blob {forged}\t{file}\n")).unwrap();
    let sh = |line: &str| {
        let out = std::process::Command::new("sh").args(["-c", line]).output().unwrap();
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    let tree = sh(&format!("git -C {remote} mktree < {}", tree.display()));
    let commit = sh(&format!("git -C {remote} -c user.name=x -c user.email=x@x commit-tree -m x {tree}"));
    git(&["-C", remote, "update-ref", &name, &commit]);
    let bad = team.ana.call("run.fetch_points", json!({ "run": run })).unwrap_err();
    assert!(bad.message.contains("segment"), "{bad}");
    assert_eq!(chart(&team.ana, &run)["complete"], false);
    // Pruned: nothing to get, and no error.
    git(&["-C", remote, "update-ref", "-d", &name]);
    team.ana.must("sharing.status", json!({}));
    let ana_git = team.ana.dir.join("git");
    git(&["-C", ana_git.to_str().unwrap(), "update-ref", "-d", &name]);
    assert_eq!(team.ana.must("run.fetch_points", json!({ "run": run })), json!({ "points": 0, "gone": 1 }));
    assert_eq!(chart(&team.ana, &run)["complete"], false);
    // Put back, it can be got.
    git(&["-C", remote, "update-ref", &name, &real]);
    assert_eq!(team.ana.must("run.fetch_points", json!({ "run": run }))["points"], 2_000);
}

#[test]
fn old_points_are_pruned_here_and_in_the_shared_place_and_the_chain_stays_whole() {
    let team = Team::new();
    let run = long_run(&team.dan, 2_000, true);
    team.settle();
    team.ana.must("run.fetch_points", json!({ "run": run }));
    let digest = team.ana.digest();
    let gone = team.ana.must("sharing.prune", json!({ "older_than_days": 0 }));
    assert_eq!(gone["points"], 2_000);
    assert_eq!(chart(&team.ana, &run)["complete"], false);
    assert_eq!(team.ana.must("run.fetch_points", json!({ "run": run }))["points"], 2_000, "they can be got again");
    let gone = team.dan.must("sharing.prune", json!({ "older_than_days": 0, "shared": true }));
    assert_eq!(gone, json!({ "points": 0, "branches": 1 }));
    assert!(!git(&["-C", team.remote.to_str().unwrap(), "for-each-ref"]).contains("/seg/"));
    assert_eq!(points(&team.dan, &run).0.len(), 2_000, "own points stay");
    team.settle();
    assert_eq!(team.ana.digest(), digest);
    assert_eq!(team.dan.must("log.verify", json!({}))["problems"], json!([]));
}

#[test]
fn the_files_are_parquet_that_others_can_verify_with_stock_tools() {
    let team = Team::new();
    long_run(&team.dan, 2_000, true);
    team.settle();
    let remote = team.remote.to_str().unwrap();
    let name = format!("refs/heads/cairn/seg/{}/1", team.dan.device());
    let file = git(&["-C", remote, "ls-tree", "--name-only", &name]);
    let out = std::process::Command::new("git").args(["-C", remote, "cat-file", "blob", &format!("{name}:{file}")]).output().unwrap();
    assert!(out.stdout.starts_with(b"PAR1") && out.stdout.ends_with(b"PAR1"));
    assert_eq!(file, format!("{}.parquet", cairn_core::canonical::sha256(&out.stdout)));
    let signers = team.path().join("signers");
    let key = team.dan.key().public();
    std::fs::write(&signers, format!("*@cairn.invalid namespaces=\"git\" {key}\n")).unwrap();
    git(&["-C", remote, "-c", &format!("gpg.ssh.allowedSignersFile={}", signers.display()), "verify-commit", &name]);
    assert_eq!(git(&["-C", remote, "fsck", "--strict"]), "");
}
