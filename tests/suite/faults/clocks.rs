//! Fault 8: clocks that are wrong by hours or years, stand still, or jump. Sharing never stops for it.

use crate::seat::{Seat, Team};
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;
const YEAR: i64 = 365 * 24 * HOUR;

fn edit(seat: &Seat, project: &Value, value: &str) {
    let now = seat.must("project.get", json!({ "project": project }));
    let base = now["fields"].as_array().unwrap().iter().find(|f| f["name"] == "problem").unwrap()["base"].clone();
    seat.must("project.edit", json!({ "project": project, "field": "problem", "value": value, "base": base }));
}

fn problem(seat: &Seat, project: &Value) -> String {
    let now = seat.must("project.get", json!({ "project": project }));
    now["fields"].as_array().unwrap().iter().find(|f| f["name"] == "problem").unwrap()["value"].as_str().unwrap().to_owned()
}

#[test]
fn fault_8_whatever_the_clocks_say_the_later_edit_in_knowledge_of_the_earlier_wins() {
    for offset in [HOUR, -HOUR, 10 * YEAR, -10 * YEAR, i64::MIN / 4, 400 * YEAR] {
        let team = Team::new();
        let project = team.ana.must("project.create", json!({ "title": "P", "problem": "first" }))["id"].clone();
        team.settle();
        team.dan.set_clock(1_795_000_000_000_i64.saturating_add(offset));
        edit(&team.dan, &project, "second, by a wrong clock");
        team.settle();
        edit(&team.ana, &project, "third");
        team.settle();
        edit(&team.dan, &project, "fourth");
        team.settle();
        for seat in [&team.ana, &team.dan] {
            assert_eq!(problem(seat, &project), "fourth", "offset {offset}");
        }
        assert_eq!(team.ana.digest(), team.dan.digest());
        assert_eq!(team.ana.must("sharing.status", json!({}))["refused"], json!([]));
        assert_eq!(team.ana.must("log.verify", json!({}))["problems"], json!([]));
    }
}

#[test]
fn fault_8_a_clock_that_stands_still_or_jumps_back_in_the_middle_of_a_batch() {
    let team = Team::new();
    let project = team.ana.must("project.create", json!({ "title": "P", "problem": "0" }))["id"].clone();
    team.settle();
    for i in 1..40 {
        team.dan.set_clock(1_795_000_000_000 - (i % 7) * YEAR);
        edit(&team.dan, &project, &i.to_string());
    }
    team.settle();
    assert_eq!(problem(&team.ana, &project), "39");
    assert_eq!(team.ana.digest(), team.dan.digest());
}

#[test]
fn fault_8_the_trail_shows_what_a_clock_claimed_beside_when_it_was_seen() {
    let team = Team::new();
    team.settle();
    team.dan.set_clock(1_795_000_000_000 - 10 * YEAR);
    team.dan.must("project.create", json!({ "title": "Backdated" }));
    team.settle();
    let trail = team.ana.must("audit.list", json!({ "limit": 50 }));
    let entry = trail["entries"].as_array().unwrap().iter().find(|e| e["operation"] == "project.created").unwrap().clone();
    let (claimed, seen) = (entry["at_ms"].as_i64().unwrap(), entry["received_ms"].as_i64().unwrap());
    assert!(seen - claimed > 9 * YEAR, "{entry}");
    // Ana writes in knowledge of it: her word for when it was there at the latest.
    team.ana.must("project.create", json!({ "title": "Later" }));
    team.settle();
    let seen_by = team.dan.must("audit.witnesses", json!({ "operation": entry["id"] }));
    assert_eq!(
        (&seen_by[0]["person"]["name"], seen_by[0]["at_ms"].as_i64().unwrap() - claimed > 9 * YEAR),
        (&json!("Ana"), true),
        "{seen_by}"
    );
}
