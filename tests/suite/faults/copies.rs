//! Fault 7: a folder that was copied, a disk that was cloned, a backup that was restored.

use crate::seat::{Team, copy_folder};
use serde_json::{Value, json};

fn titles(list: &Value) -> Vec<String> {
    let mut all: Vec<String> = list.as_array().unwrap().iter().map(|p| p["title"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

#[test]
fn fault_7_a_copied_folder_gets_a_name_of_its_own_and_nothing_is_lost() {
    let team = Team::new();
    let project = team.ana.must("project.create", json!({ "title": "P" }));
    team.settle();
    let copy = team.dan.copy(team.path().join("copy"), true);
    let name = team.dan.device();
    // Both go on under one name, and neither knows of the other.
    copy.must("project.create", json!({ "title": "By the copy" }));
    let note = |text: &str| json!({ "about": { "kind": "project", "id": project["id"] }, "title": "n", "text": text });
    copy.must("note.save", note("from the copy"));
    team.dan.must("project.create", json!({ "title": "By the original" }));
    team.dan.share();
    let round = copy.must("sharing.share", json!({}));
    assert_eq!(round["renamed"], true);
    assert_ne!(copy.device(), name);
    team.ana.share();
    assert_eq!(titles(&team.ana.must("project.list", json!({}))), ["By the copy", "By the original", "P"]);
    let notes = team.ana.must("note.list", json!({ "about": { "kind": "project", "id": project["id"] } }));
    assert_eq!(notes[0]["text"], "from the copy");
    // The original finds its name handed over, and asks with the word of its old key.
    team.dan.must("project.create", json!({ "title": "Later" }));
    team.dan.share();
    assert_ne!(team.dan.device(), name);
    team.ana.share();
    let asks = team.ana.must("member.list", json!({}))["requests"][0].clone();
    assert_eq!(asks["of"], "Dan", "it is known whose computer that is: {asks}");
    team.ana.must("member.admit", json!({ "device": asks["device"], "roles": [] }));
    team.ana.share();
    team.dan.share();
    team.ana.share();
    copy.share();
    assert_eq!(titles(&team.ana.must("project.list", json!({}))), ["By the copy", "By the original", "Later", "P"]);
    team.settle();
    copy.share();
    for seat in [&team.dan, &copy] {
        assert_eq!(seat.digest(), team.ana.digest());
        assert_eq!(seat.must("log.verify", json!({}))["problems"], json!([]));
    }
}

#[test]
fn fault_7_a_restored_backup_takes_its_own_later_work_back_and_goes_on() {
    let team = Team::new();
    team.settle();
    let backup = team.path().join("backup");
    copy_folder(&team.dan.dir, &backup);
    team.dan.must("project.create", json!({ "title": "After the backup" }));
    team.dan.share();
    team.ana.share();
    // The disk dies; the folder comes back as it was. What was shared comes back with the first contact.
    std::fs::remove_dir_all(&team.dan.dir).unwrap();
    copy_folder(&backup, &team.dan.dir);
    team.dan.reopen();
    assert_eq!(titles(&team.dan.must("project.list", json!({}))), Vec::<String>::new());
    team.dan.must("project.create", json!({ "title": "After the restore" }));
    team.dan.share();
    team.settle();
    assert_eq!(titles(&team.ana.must("project.list", json!({}))), ["After the backup", "After the restore"]);
    assert_eq!(team.dan.digest(), team.ana.digest());
    let dan = team.ana.must("member.list", json!({}));
    let ended = dan["members"].as_array().unwrap().iter().flat_map(|m| m["devices"].as_array().unwrap()).find(|d| d["ended"] == "rotated");
    assert!(ended.is_some(), "everybody sees that the computer goes on under a new name: {dan}");
}

#[test]
fn fault_7_a_copy_without_the_keyring_cannot_write_as_the_original() {
    let team = Team::new();
    team.settle();
    let copy = team.dan.copy(team.path().join("copy"), false);
    copy.must("project.create", json!({ "title": "Stolen" }));
    assert!(copy.call("sharing.share", json!({})).is_err(), "without the key nothing can be signed");
    team.settle();
    assert_eq!(titles(&team.ana.must("project.list", json!({}))), Vec::<String>::new());
}
