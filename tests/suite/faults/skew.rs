//! Fault 18: an older program meets what a newer one wrote.

use crate::seat::{Seat, Team, join, sign, to_approval};
use cairn_core::id::Digest;
use cairn_sync::Repo;
use cairn_sync::envelope::{Draft, make};
use serde_json::json;

/// Writes lines on a seat's branch past the program, as a newer one would.
fn newer(team: &Team, seat: &Seat, acl: &[String], ops: &[String]) {
    let w = seat.host.workspace().unwrap();
    let (all, genesis): (Vec<_>, Digest) = w.read(|r| Ok::<_, cairn_store::StoreError>((r.branches()?, r.genesis()?.unwrap()))).unwrap();
    let (mine, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|b| b.device == w.device());
    let own = mine.into_iter().next().unwrap();
    let others: Vec<String> = others.into_iter().map(|b| b.tip).collect();
    let repo = Repo::open(&seat.dir.join("git")).unwrap();
    let draft = Draft {
        seq: own.seq + 1,
        first: own.n + 1,
        acl,
        ops,
        attachments: &[],
        workspace: Some(genesis),
        previous: Some((own.tip, own.sha256)),
        others: &others,
        author: "Newer",
        now_ms: 1_795_000_500_000,
        tz_minutes: 0,
    };
    let made = make(&repo, &seat.key(), &draft).unwrap();
    let spec = format!("{}:refs/heads/cairn/log/{}", made.oid, seat.device());
    crate::seat::git(&["-C", seat.dir.join("git").to_str().unwrap(), "push", "--quiet", team.remote.to_str().unwrap(), &spec]);
}

fn line(name: &str) -> String {
    format!(r#"{{"hlc":"000001a1ef000000.00000000","tz":0,"t":"{name}","d":{{"x":1}}}}"#).replace("000001a1ef000000", "01a1ef000000")
}

#[test]
fn fault_18_an_unknown_operation_is_kept_counts_for_nothing_and_stops_nobody() {
    let team = Team::new();
    team.settle();
    newer(&team, &team.dan, &[], &[line("run.dreamed")]);
    team.ana.share();
    let trail = team.ana.must("audit.list", json!({ "problems": true, "limit": 10 }));
    assert_eq!((&trail["entries"][0]["operation"], &trail["entries"][0]["state"]), (&json!("run.dreamed"), &json!("unknown")));
    assert_eq!(team.ana.must("log.verify", json!({}))["problems"], json!([]));
    team.ana.must("project.create", json!({ "title": "Goes on" }));
    assert_eq!(team.ana.must("log.rebuild", json!({}))["same"], true);
}

#[test]
fn fault_18_an_unknown_operation_of_authority_leaves_approvals_undetermined() {
    let team = Team::new();
    let c = team.candidate();
    to_approval(&team.ana, &c.project);
    let release = team.dan.must("release.request", json!({ "version": c.version, "reason": "better" }));
    let id = release["id"].as_str().unwrap().to_owned();
    team.settle();
    sign(&team.ana, &id, "approved").unwrap();
    team.settle();
    assert_eq!(team.ana.must("release.gate", json!({ "release": id }))["verdict"], "pass");
    // Of somebody who may not manage who is in it binds nobody.
    newer(&team, &team.dan, &[line("role.delegated")], &[]);
    team.ana.share();
    assert_eq!(team.ana.must("release.gate", json!({ "release": id }))["verdict"], "pass");
    let trail = team.ana.must("audit.list", json!({ "problems": true, "limit": 10 }));
    assert_eq!(
        (&trail["entries"][0]["operation"], &trail["entries"][0]["state"]),
        (&json!("role.delegated"), &json!("refused")),
        "{trail}"
    );
    let adam = join(&team.ana, team.path(), "Adam", "dddddd", &["administrator"]);
    newer(&team, &adam, &[line("role.delegated")], &[]);
    team.ana.share();
    let now = team.ana.must("release.get", json!({ "release": id }));
    assert_eq!(now["state"], "undetermined", "nobody can say here who may sign");
    assert!(now["sentence"].as_str().unwrap().contains("newer Cairn"), "{now}");
    assert_eq!(team.ana.must("release.gate", json!({ "release": id }))["verdict"], "fail", "it fails closed");
    let refused = team.ana.call("member.grant", json!({ "member": team.dan.me(), "role": "validator" })).unwrap_err();
    assert!(refused.message.contains("newer Cairn"), "{refused}");
    assert_eq!(team.ana.must("log.rebuild", json!({}))["same"], true);
    // Somebody of a higher rank cuts it off with its computer, and everything is known again.
    team.ana.must("device.remove", json!({ "device": adam.device(), "reason": "not ours", "compromised_since_ms": 1_700_000_000_000_i64 }));
    assert_eq!(team.ana.must("release.gate", json!({ "release": id }))["verdict"], "pass");
    team.ana.must("member.grant", json!({ "member": team.dan.me(), "role": "validator" }));
    assert_eq!(team.ana.must("log.rebuild", json!({}))["same"], true);
    team.settle();
    assert_eq!(team.ana.digest(), team.dan.digest());
}

#[test]
fn fault_18_a_file_of_a_newer_program_is_left_alone_with_clear_words() {
    let team = Team::new();
    team.dan.close();
    let script = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version = 999'); c.commit()";
    std::process::Command::new("python3").args(["-c", script]).arg(team.dan.dir.join("cairn.db")).status().unwrap();
    let refused = team.dan.host.open(&team.dan.dir).err().unwrap();
    assert!(refused.message.contains("newer Cairn") && refused.hint.is_some(), "{refused}");
}
