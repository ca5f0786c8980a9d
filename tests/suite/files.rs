//! Files wherever they are: by content, by reference, in git or in the team's object store; and views and
//! settings that a team shares.

use crate::seat::{Seat, Team};
use crate::tracking::model_run;
use cairn_api::tracking::files::{artifacts, put_artifact};
use cairn_api::tracking::{RecordKind, files};
use serde_json::{Value, json};

fn store_of(team: &Team) -> String {
    let folder = team.path().join("bucket");
    std::fs::create_dir_all(&folder).unwrap();
    format!("file://{}", folder.display())
}

fn view(seat: &Seat, run: &str, path: &str, fetch: bool) -> Value {
    seat.must("file.view", json!({ "owner": { "kind": "run", "id": run }, "path": path, "fetch": fetch }))
}

fn put(seat: &Seat, run: &str, path: &str, bytes: &[u8]) {
    put_artifact(&seat.host.workspace().unwrap(), RecordKind::Run, run, path, bytes).unwrap();
}

#[test]
fn a_file_that_is_too_large_for_git_goes_through_the_object_store() {
    let team = Team::new();
    let run = model_run(&team.dan);
    let large = vec![b'x'; 300_000];
    put(&team.dan, &run, "large.txt", &large);
    team.settle();
    let there = view(&team.ana, &run, "large.txt", true);
    assert_eq!(there["view"]["kind"], "elsewhere", "without a store it stays where it is");
    assert_eq!(view(&team.ana, &run, "model/MLmodel", false)["view"]["text"], "flavors: {}", "what is small came with the log");

    team.ana.must("setting.change", json!({ "setting": "object_store", "value": store_of(&team) }));
    assert_eq!(team.ana.must("setting.try_store", json!({}))["answers"], true);
    team.settle();
    let here = view(&team.ana, &run, "large.txt", true);
    assert_eq!((&here["view"]["kind"], &here["view"]["cut"]), (&json!("text"), &json!(true)));
    let saved = team.path().join("saved.txt");
    team.ana.must("file.save", json!({ "owner": { "kind": "run", "id": run }, "of": "large.txt", "path": saved }));
    assert_eq!(std::fs::read(&saved).unwrap(), large);
    assert!(team.ana.call("file.save", json!({ "digest": here["digest"], "path": saved })).is_err(), "nothing is written over");
}

#[test]
fn a_store_that_gives_another_content_is_not_believed() {
    let team = Team::new();
    team.ana.must("setting.change", json!({ "setting": "object_store", "value": store_of(&team) }));
    team.settle();
    let run = model_run(&team.dan);
    put(&team.dan, &run, "large.txt", &vec![b'x'; 300_000]);
    team.settle();
    let mut forged = 0;
    for folder in std::fs::read_dir(team.path().join("bucket")).unwrap().flatten().filter(|e| e.path().is_dir()) {
        for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
            std::fs::write(file.path(), vec![b'y'; 300_000]).unwrap();
            forged += 1;
        }
    }
    assert_eq!(forged, 1);
    let shown = view(&team.ana, &run, "large.txt", true);
    assert!(shown["view"]["why"].as_str().unwrap().contains("another content"), "{shown}");
}

#[test]
fn the_limit_for_git_is_a_setting_and_old_envelopes_are_made_again_under_their_own() {
    let team = Team::new();
    let run = model_run(&team.dan);
    put(&team.dan, &run, "before.txt", &vec![b'a'; 200_000]);
    team.dan.share();
    team.ana.must("setting.change", json!({ "setting": "shared_file_max", "value": "100" }));
    team.settle();
    put(&team.dan, &run, "after.txt", &vec![b'b'; 200_000]);
    team.settle();
    assert_eq!(view(&team.ana, &run, "before.txt", true)["view"]["kind"], "text");
    assert_eq!(view(&team.ana, &run, "after.txt", true)["view"]["kind"], "elsewhere");
    // The git store is lost; it is made again from the workspace file, commit by commit.
    team.dan.close();
    std::fs::remove_dir_all(team.dan.dir.join("git")).unwrap();
    team.dan.reopen();
    team.settle();
    assert_eq!(team.ana.digest(), team.dan.digest());
    let bad = team.ana.call("setting.change", json!({ "setting": "shared_file_max", "value": "99999999999" })).unwrap_err();
    assert!(bad.hint.unwrap().contains("at most"));
    let denied = team.dan.call("setting.change", json!({ "setting": "shared_file_max", "value": "5" })).unwrap_err();
    assert_eq!(denied.code, "denied", "only who manages the workspace sets its limits");
}

#[test]
fn a_reference_says_when_the_file_is_not_what_the_run_saw() {
    let team = Team::new();
    let run = model_run(&team.dan);
    let folder = team.path().join("data set");
    std::fs::create_dir_all(folder.join("deep")).unwrap();
    std::fs::write(folder.join("a.csv"), "x,y\n1,2\n").unwrap();
    std::fs::write(folder.join("deep/b.md"), "# Hello").unwrap();
    let files = team.dan.must("file.refer", json!({ "run": run, "path": "data", "address": folder }));
    assert_eq!(files["files"], 2);
    let table = view(&team.dan, &run, "data/a.csv", false);
    assert_eq!((&table["view"]["columns"], &table["view"]["total"]), (&json!(["x", "y"]), &json!(1)));
    assert!(view(&team.dan, &run, "data/deep/b.md", false)["view"]["html"].as_str().unwrap().contains("<h3>Hello</h3>"));
    std::fs::write(folder.join("a.csv"), "x,y\n1,3\n").unwrap();
    let changed = view(&team.dan, &run, "data/a.csv", false);
    assert!(changed["view"]["why"].as_str().unwrap().contains("not what the run saw"), "{changed}");
    let w = team.dan.host.workspace().unwrap();
    for (path, address) in [("../x", folder.to_str().unwrap()), ("x", "/no/such/file"), ("x", "ftp://host/x")] {
        assert!(files::refer(&w, RecordKind::Run, &run, path, address).is_err(), "{path} {address}");
    }
    // Again changes nothing but what changed.
    assert_eq!(files::refer(&w, RecordKind::Run, &run, "data", folder.to_str().unwrap()).unwrap(), 2);
    team.settle();
    let known = team.ana.host.workspace().unwrap().read(|r| artifacts(r, RecordKind::Run, &run)).unwrap();
    assert_eq!(known.iter().filter(|a| a.reference.is_some()).count(), 2, "the others know where it lies, and its fingerprint");
    assert!(known.iter().filter(|a| a.reference.is_some()).all(|a| a.digest.is_some()));
}

#[test]
fn a_reference_of_a_colleague_opens_no_file_that_they_do_not_know() {
    use cairn_core::id::Digest;
    use cairn_core::op::{Kind, Op, Subject};
    let team = Team::new();
    let run = model_run(&team.dan);
    let secret = team.path().join("secret.txt");
    std::fs::write(&secret, "only Ana may read this").unwrap();
    let w = team.dan.host.workspace().unwrap();
    let name = |path: &str, digest: Option<&str>, version: Option<&str>| {
        let owner = Subject { kind: Kind::Run, id: run.clone() };
        let digest = digest.map(|d| Digest::parse(d).unwrap());
        let address = format!("file://{}", secret.display());
        w.append(Op::ArtifactReferenced { owner, path: path.into(), address, digest, size: Some(22), version: version.map(str::to_owned) })
            .unwrap();
    };
    name("a", None, None);
    name("b", Some(&"0".repeat(64)), None);
    name("c", None, Some("md5:00000000000000000000000000000000"));
    team.settle();
    for path in ["a", "b", "c"] {
        let shown = view(&team.ana, &run, path, true);
        assert_eq!(shown["view"]["kind"], "elsewhere", "{path}: {shown}");
        assert!(!shown.to_string().contains("only Ana"), "{shown}");
    }
}

#[test]
fn a_path_that_leads_out_is_never_written_to() {
    use cairn_core::op::{Kind, Op, Subject};
    let team = Team::new();
    let run = model_run(&team.dan);
    put(&team.dan, &run, "good.txt", b"good");
    let w = team.dan.host.workspace().unwrap();
    let outside = team.path().join("outside.txt");
    let digest = w.store.put_blob(b"from a modified program").unwrap();
    for path in [outside.to_str().unwrap(), "../../../outside.txt", "a/../../outside.txt"] {
        let owner = Subject { kind: Kind::Run, id: run.clone() };
        w.append(Op::ArtifactLogged { owner, path: path.into(), digest: digest.clone(), size: 23 }).unwrap();
    }
    let models = [("..-x".replace('-', "/"), 0)].into();
    w.append(Op::RunOutputsLogged { run: cairn_core::id::RunId::parse(run.as_str()).unwrap(), models }).unwrap();
    team.settle();
    let out = team.path().join("out");
    let done = team.ana.must("run.export_mlflow", json!({ "dir": out }));
    assert_eq!((&done["runs"], outside.exists()), (&json!(1), false));
    assert!(done["left_out"].to_string().contains("../x"), "{done}");
    assert!(team.ana.must("run.get", json!({ "run": run }))["artifacts"].to_string().contains("good.txt"));
}

#[test]
fn whoever_has_no_login_at_the_object_store_shares_all_the_same() {
    let team = Team::new();
    team.ana.must("setting.change", json!({ "setting": "object_store", "value": "s3://nobody/here?endpoint=http://127.0.0.1:9" }));
    team.settle();
    let round = team.dan.share();
    assert_eq!(round["files_error"], Value::Null, "there is nothing to send, so nobody is asked");
    let run = model_run(&team.dan);
    put(&team.dan, &run, "large.txt", &vec![b'x'; 300_000]);
    let round = team.dan.share();
    assert!(round["files_error"]["message"].as_str().is_some(), "the large file waits, and says why: {round}");
    team.settle();
    assert_eq!(team.ana.digest(), team.dan.digest(), "everything else was shared");
}

#[test]
fn a_file_that_git_did_not_carry_is_sent_whatever_the_limit_is_later() {
    let team = Team::new();
    let run = model_run(&team.dan);
    put(&team.dan, &run, "large.txt", &vec![b'x'; 300_000]);
    team.dan.share();
    team.ana.must("setting.change", json!({ "setting": "shared_file_max", "value": "8000000" }));
    team.ana.must("setting.change", json!({ "setting": "object_store", "value": store_of(&team) }));
    team.settle();
    assert_eq!(view(&team.ana, &run, "large.txt", true)["view"]["kind"], "text");
}

#[test]
fn a_view_that_two_people_change_at_once_is_kept_twice_until_one_is_chosen() {
    let team = Team::new();
    let made = team.dan.must("view.save", json!({ "name": "Best", "state": { "filter": "metrics.f1 > 0.9" } }));
    team.settle();
    let one = |seat: &Seat| seat.must("view.list", json!({}))[0].clone();
    for (seat, filter) in [(&team.ana, "a = 1"), (&team.dan, "b = 2")] {
        let now = one(seat);
        seat.must("view.save", json!({ "view": made["id"], "name": "Best", "state": { "filter": filter }, "base": now["base"] }));
    }
    team.settle();
    let both = team.ana.must("view.list", json!({}));
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert!(both.as_array().unwrap().iter().all(|v| v["both_changed"] == true));
    let mine = both.as_array().unwrap().iter().find(|v| v["state"]["filter"] == "a = 1").unwrap();
    team.ana.must("view.save", json!({ "view": made["id"], "name": "Best", "state": mine["state"], "base": mine["base"] }));
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let now = seat.must("view.list", json!({}));
        assert_eq!((now.as_array().unwrap().len(), &now[0]["state"]["filter"]), (1, &json!("a = 1")));
    }
    team.dan.must("record.delete", json!({ "subject": { "kind": "view", "id": made["id"] } }));
    assert_eq!(team.dan.must("view.list", json!({})), json!([]));
}

#[test]
fn many_runs_are_tagged_at_once_or_none() {
    let team = Team::new();
    let first = model_run(&team.dan);
    let done =
        team.dan.must("run.tag", json!({ "filter": "params.lr = '0.1'", "set": { "kept": "yes" }, "remove": ["team", "not there"] }));
    assert_eq!(done["runs"], 1);
    assert_eq!(team.dan.must("run.tag", json!({ "runs": [first], "set": { "kept": "yes" } }))["runs"], 0, "the same again changes nothing");
    let bad = team.dan.call("run.tag", json!({ "runs": [first, "0".repeat(32)], "set": { "kept": "no" } }));
    assert_eq!(bad.unwrap_err().code, "not_found");
    let run = team.dan.must("run.get", json!({ "run": first }));
    assert_eq!((&run["run"]["tags"]["kept"], &run["run"]["tags"]["team"]), (&json!("yes"), &Value::Null));
}
