//! Faults 2 and 4: bytes that changed or went missing on disk, in the workspace file and in the git store.

use crate::seat::{Seat, Team, git};
use serde_json::json;
use std::path::{Path, PathBuf};

fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_str().unwrap().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn mended(seat: &Seat) -> String {
    seat.must("sharing.status", json!({}))["mended"][0]["sentence"].as_str().unwrap_or_default().to_owned()
}

fn overwrite(path: &Path, bytes: &[u8]) {
    // Objects are read-only files.
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A team with history, and work of Dan's that is not shared yet.
fn with_unshared_work() -> (Team, String) {
    let team = Team::new();
    team.candidate();
    crate::segments::long_run(&team.dan, 400, true);
    team.settle();
    team.dan.must("project.create", json!({ "title": "Not shared yet" }));
    let digest = team.ana.digest();
    (team, digest)
}

fn comes_back(team: &Team) {
    team.settle();
    assert_eq!(team.ana.digest(), team.dan.digest());
    assert_eq!(team.dan.must("log.verify", json!({}))["problems"], json!([]));
    let titles = team.ana.must("project.list", json!({})).to_string();
    assert!(titles.contains("Not shared yet"), "what only Dan's computer had is there: {titles}");
}

#[test]
fn fault_4_a_workspace_file_with_rotten_pages_is_made_again() {
    let (team, _) = with_unshared_work();
    let points = |seat: &Seat| {
        let runs = seat.must("run.list", json!({}));
        runs.as_array().unwrap().iter().map(|r| r["metrics"].to_string()).collect::<Vec<_>>()
    };
    let before = points(&team.dan);
    team.dan.close();
    let file = team.dan.dir.join("cairn.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // Pages in the middle: an index here, a table there.
    for page in [9, 23, 31] {
        bytes[page * 4096 + 5..page * 4096 + 300].fill(0x5a);
    }
    std::fs::write(&file, &bytes).unwrap();
    team.dan.reopen();
    assert!(mended(&team.dan).starts_with("The workspace file was damaged. It was made again from the log"), "{}", mended(&team.dan));
    comes_back(&team);
    assert_eq!(points(&team.dan), before, "its points are all there");
    assert_eq!(files(&team.dan.dir, "damaged").len(), 0);
    let aside =
        std::fs::read_dir(&team.dan.dir).unwrap().filter(|e| e.as_ref().unwrap().file_name().to_str().unwrap().starts_with("damaged-"));
    assert_eq!(aside.count(), 1, "the damaged file is kept");
}

#[test]
fn fault_4_a_workspace_file_that_is_gone_or_rubbish_is_made_again_from_git_alone() {
    for rubbish in [None, Some(vec![0_u8; 40_000]), Some(b"SQLite format 3\0 and then nothing".to_vec())] {
        let team = Team::new();
        team.candidate();
        team.settle();
        team.dan.close();
        let file = team.dan.dir.join("cairn.db");
        std::fs::remove_file(&file).unwrap();
        if let Some(bytes) = rubbish {
            std::fs::write(&file, bytes).unwrap();
        }
        team.dan.reopen();
        assert!(!mended(&team.dan).is_empty());
        team.settle();
        assert_eq!(team.ana.digest(), team.dan.digest());
        team.dan.must("project.create", json!({ "title": "Goes on" }));
        team.settle();
        assert_eq!(team.ana.digest(), team.dan.digest());
        assert_eq!(team.dan.must("log.verify", json!({}))["problems"], json!([]));
    }
}

#[test]
fn fault_2_a_git_store_with_missing_empty_or_bent_objects_is_made_again() {
    for damage in ["missing", "empty", "zeros", "bent"] {
        let (team, _) = with_unshared_work();
        let store = team.dan.dir.join("git");
        for path in files(&store.join("objects"), "").into_iter().step_by(3) {
            let mut bytes = std::fs::read(&path).unwrap();
            match damage {
                "missing" => std::fs::remove_file(&path).unwrap(),
                "empty" => overwrite(&path, b""),
                "zeros" => overwrite(&path, &vec![0; bytes.len()]),
                _ => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 0x55;
                    overwrite(&path, &bytes);
                }
            }
        }
        // A first try may see nothing of it; whatever it does, nothing is lost.
        let _ = team.dan.call("sharing.share", json!({}));
        let found = team.dan.must("log.verify", json!({}));
        if found["problems"] != json!([]) {
            team.dan.must("log.repair", json!({}));
        }
        comes_back(&team);
        assert!(mended(&team.dan).starts_with("The copy of the log that git keeps was damaged"), "{damage}: {}", mended(&team.dan));
        git(&["-C", store.to_str().unwrap(), "fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn fault_2_a_reference_that_lost_its_object_or_a_lock_that_was_left_stops_nobody() {
    let (team, _) = with_unshared_work();
    let store = team.dan.dir.join("git");
    let reference = store.join(format!("refs/heads/cairn/log/{}", team.dan.device()));
    std::fs::write(&reference, [0_u8; 41]).unwrap();
    std::fs::write(store.join("refs/heads/cairn/log").join(format!("{}.lock", team.ana.device())), b"").unwrap();
    let _ = team.dan.call("sharing.share", json!({}));
    comes_back(&team);
}

#[test]
fn fault_2_a_git_store_that_is_gone_is_made_again_with_the_same_commits() {
    let (team, _) = with_unshared_work();
    let name = format!("refs/heads/cairn/log/{}", team.dan.device());
    let tip = git(&["-C", team.remote.to_str().unwrap(), "rev-parse", &name]);
    std::fs::remove_dir_all(team.dan.dir.join("git")).unwrap();
    comes_back(&team);
    let now = git(&["-C", team.remote.to_str().unwrap(), "log", "--format=%H", &name]);
    assert!(now.contains(&tip), "the branch goes on from what it was");
    assert_eq!(team.dan.must("sharing.status", json!({}))["refused"], json!([]));
}
