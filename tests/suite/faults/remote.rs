//! Faults 5 and 6: a shared place that was rewound, replaced, restored from an old backup, or that
//! shows different people different things.

use crate::seat::{Seat, Team, git, join};
use serde_json::{Value, json};

fn remote(team: &Team) -> &str {
    team.remote.to_str().unwrap()
}

fn log_ref(seat: &Seat) -> String {
    format!("refs/heads/cairn/log/{}", seat.device())
}

fn alarms(seat: &Seat) -> Vec<Value> {
    seat.must("sharing.status", json!({}))["alarms"].as_array().unwrap().clone()
}

fn only_alarm(seat: &Seat) -> String {
    let all = alarms(seat);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0]["sentence"].as_str().unwrap().len() > 20, "in words");
    all[0]["kind"].as_str().unwrap().to_owned()
}

#[test]
fn fault_5_a_rewound_branch_is_noticed_the_accepted_state_kept_and_put_back() {
    let team = Team::new();
    team.candidate();
    let before = team.ana.digest();
    let name = log_ref(&team.dan);
    let tip = git(&["-C", remote(&team), "rev-parse", &name]);
    let first = git(&["-C", remote(&team), "rev-list", "--first-parent", "--reverse", &name]).lines().next().unwrap().to_owned();
    git(&["-C", remote(&team), "update-ref", &name, &first]);
    team.ana.share();
    assert_eq!(team.ana.digest(), before);
    assert_eq!(only_alarm(&team.ana), "rewound");
    team.ana.must("sharing.restore", json!({ "device": team.dan.device() }));
    assert_eq!(git(&["-C", remote(&team), "rev-parse", &name]), tip);
    assert!(alarms(&team.ana).is_empty());
}

#[test]
fn fault_5_a_branch_that_was_written_over_is_kept_as_evidence_and_put_back_when_asked() {
    let team = Team::new();
    team.candidate();
    let before = team.ana.digest();
    let name = log_ref(&team.dan);
    let tip = git(&["-C", remote(&team), "rev-parse", &name]);
    // Somebody with push access puts Ana's branch where Dan's was.
    let other = git(&["-C", remote(&team), "rev-parse", &log_ref(&team.ana)]);
    git(&["-C", remote(&team), "update-ref", &name, &other]);
    team.ana.share();
    assert_eq!(team.ana.digest(), before);
    assert_eq!(only_alarm(&team.ana), "rewritten");
    let evidence = git(&["-C", team.ana.dir.join("git").to_str().unwrap(), "for-each-ref", "refs/cairn/evidence"]);
    assert!(evidence.contains(&other), "{evidence}");
    team.ana.must("sharing.restore", json!({ "device": team.dan.device() }));
    assert_eq!(git(&["-C", remote(&team), "rev-parse", &name]), tip);
    team.settle();
    assert!(alarms(&team.ana).is_empty());
}

#[test]
fn fault_5_a_place_that_was_made_anew_is_filled_again_by_its_people() {
    let team = Team::new();
    team.candidate();
    std::fs::remove_dir_all(&team.remote).unwrap();
    git(&["init", "--quiet", "--bare", remote(&team)]);
    team.ana.must("project.create", json!({ "title": "After" }));
    team.ana.share();
    assert_eq!(only_alarm(&team.ana), "missing");
    team.dan.share();
    team.settle();
    assert!(alarms(&team.ana).is_empty() && alarms(&team.dan).is_empty());
    assert_eq!(team.ana.digest(), team.dan.digest());
}

#[test]
fn fault_5_a_member_who_left_is_put_back_by_another_after_the_place_was_made_anew() {
    let team = Team::new();
    let mia = join(&team.ana, team.path(), "Mia", "eeeeee", &["validator"]);
    mia.must("project.create", json!({ "title": "Mia's" }));
    mia.share();
    team.settle();
    std::fs::remove_dir_all(&team.remote).unwrap();
    git(&["init", "--quiet", "--bare", remote(&team)]);
    team.settle();
    assert_eq!(only_alarm(&team.ana), "missing", "Mia's computer is gone for good");
    team.ana.must("sharing.restore", json!({ "device": mia.device() }));
    assert!(alarms(&team.ana).is_empty());
    assert!(git(&["-C", remote(&team), "for-each-ref"]).contains(&mia.device()));
}

#[test]
fn fault_6_what_the_place_withholds_comes_along_with_the_work_of_those_who_saw_it() {
    let team = Team::new();
    let mia = join(&team.ana, team.path(), "Mia", "eeeeee", &["validator"]);
    team.settle();
    mia.share();
    let frozen = git(&["-C", remote(&team), "rev-parse", &log_ref(&team.dan)]);
    team.dan.must("project.create", json!({ "title": "Hidden" }));
    team.dan.share();
    mia.share();
    mia.must("project.create", json!({ "title": "Seen" }));
    mia.share();
    // The place shows Ana an old state of Dan's branch.
    git(&["-C", remote(&team), "update-ref", &log_ref(&team.dan), &frozen]);
    team.ana.share();
    let titles: Vec<String> =
        team.ana.must("project.list", json!({})).as_array().unwrap().iter().map(|p| p["title"].as_str().unwrap().to_owned()).collect();
    assert!(titles.contains(&"Hidden".to_owned()) && titles.contains(&"Seen".to_owned()), "{titles:?}");
    assert_eq!(only_alarm(&team.ana), "withheld");
}

#[test]
fn fault_6_two_places_that_show_different_things_are_exposed_by_whoever_sees_both() {
    let team = Team::new();
    team.settle();
    let second = team.path().join("second.git");
    git(&["clone", "--quiet", "--mirror", remote(&team), second.to_str().unwrap()]);
    team.dan.must("sharing.set_remote", json!({ "address": second }));
    team.dan.must("project.create", json!({ "title": "Over there" }));
    team.dan.share();
    team.ana.must("project.create", json!({ "title": "Over here" }));
    team.ana.share();
    team.ana.must("sharing.set_remote", json!({ "address": second }));
    team.ana.share();
    team.dan.share();
    assert_eq!(team.ana.digest(), team.dan.digest());
    assert_eq!(team.ana.must("project.list", json!({})).as_array().unwrap().len(), 2);
}
