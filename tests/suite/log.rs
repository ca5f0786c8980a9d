//! The log as a whole: views are a function of the accepted set.

use crate::seat::{Seat, Team};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn rebuilding_gives_the_same_views_byte_for_byte() {
    let team = Team::new();
    team.candidate();
    for seat in [&team.ana, &team.dan] {
        let before = seat.digest();
        let rebuilt = seat.must("log.rebuild", json!({}));
        assert_eq!(rebuilt["same"], true);
        assert_eq!(seat.digest(), before);
    }
}

fn act(seat: &Seat, step: u8, project: &str) {
    let text = format!("text {step}");
    let done = match step % 4 {
        0 => seat.call("project.edit", json!({ "project": project, "field": "problem", "value": text })),
        1 => seat.call("note.save", json!({ "about": { "kind": "project", "id": project }, "title": text, "text": "t" })),
        2 => seat.call("project.edit", json!({ "project": project, "field": "title", "value": text })),
        _ => seat.call("project.create", json!({ "title": text })),
    };
    done.unwrap_or_else(|e| panic!("step {step}: {e}"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever two people do in whatever order, with sharing at any moment, both end up the same,
    /// and the same as from the beginning.
    #[test]
    fn any_interleaving_converges(steps in proptest::collection::vec((0u8..3, 0u8..64), 4..16)) {
        let team = Team::new();
        team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "data_engineer" }));
        let project = team.ana.must("project.create", json!({ "title": "P" }));
        let project = project["id"].as_str().unwrap().to_owned();
        team.settle();
        for (who, step) in steps {
            match who {
                0 => act(&team.ana, step, &project),
                1 => act(&team.dan, step, &project),
                _ => { if step % 2 == 0 { team.ana.share(); } else { team.dan.share(); } }
            }
        }
        team.settle();
        prop_assert_eq!(team.ana.digest(), team.dan.digest());
        prop_assert_eq!(&team.ana.must("log.rebuild", json!({}))["same"], &json!(true));
        prop_assert_eq!(&team.dan.must("log.verify", json!({}))["problems"], &json!([]));
    }
}
