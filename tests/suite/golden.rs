//! A shared place as every released format left it, with what must be read from it for ever.

use crate::seat::{Seat, Team, git, join, sign};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn views(seat: &Seat) -> Value {
    seat.must("log.views", json!({}))
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
        assert_eq!(reader.must("sharing.status", json!({}))["refused"], json!([]));
        assert_eq!(reader.must("log.verify", json!({}))["problems"], json!([]));
        found += 1;
    }
    assert!(found >= 1);
}

/// Writes the example of the present format: once, when a format is released. Never again afterwards.
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
