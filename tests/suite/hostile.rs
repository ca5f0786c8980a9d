//! Whoever can push to the shared place gains no power by it.

use crate::seat::{Seat, Team, git};
use cairn_api::tracking::experiments;
use cairn_core::envelope::Header;
use cairn_core::hlc::Hlc;
use cairn_core::id::{Digest, ReleaseId};
use cairn_core::op::{Kind, Op, OpLine, Ruling};
use cairn_core::role::Role;
use cairn_core::{decision, release};
use cairn_sync::envelope::{Draft, make};
use cairn_sync::{DeviceKey, Repo, keys};
use git2::{Oid, Repository, Signature, Time};
use serde_json::{Value, json};

/// Where Dan's branch stands, for somebody who writes on it past the program.
struct Branch {
    repo: Repository,
    tip: String,
    seq: u64,
    n: u64,
    sha256: Digest,
    genesis: Digest,
}

fn branch(seat: &Seat) -> Branch {
    let w = seat.host.workspace().unwrap();
    let (own, genesis) = w.read(|r| Ok::<_, cairn_store::StoreError>((r.branch(&w.device())?.unwrap(), r.genesis()?.unwrap()))).unwrap();
    Branch { repo: Repository::open_bare(seat.dir.join("git")).unwrap(), tip: own.tip, seq: own.seq, n: own.n, sha256: own.sha256, genesis }
}

fn line(op: Op) -> String {
    OpLine { hlc: Hlc { ms: 1_795_000_900_000, counter: 0 }, at: None, tz: 0, why: Some("because".into()), op }.to_text()
}

fn project_line() -> String {
    line(Op::ProjectCreated {
        project: cairn_core::id::ProjectId::parse("evil").unwrap(),
        title: cairn_core::text::Title::parse("Evil").unwrap(),
        template: "standard/1".into(),
    })
}

/// A commit on Dan's branch that is signed by `signer`, or by nobody.
fn forge(seat: &Seat, signer: Option<&DeviceKey>, text: &str) -> String {
    let b = branch(seat);
    let body = format!("{text}\n");
    let mut tree = b.repo.treebuilder(None).unwrap();
    tree.insert("ops.jsonl", b.repo.blob(body.as_bytes()).unwrap(), 0o100_644).unwrap();
    let tree = b.repo.find_tree(tree.write().unwrap()).unwrap();
    let header = Header {
        device: seat.key().id(),
        seq: b.seq + 1,
        first: b.n + 1,
        count: 1,
        workspace: Some(b.genesis.clone()),
        ops: Some(cairn_core::canonical::sha256(body.as_bytes())),
        acl: None,
        prev: Some(b.sha256.clone()),
    };
    let who = Signature::new("Dan", "dan@example", &Time::new(1_795_000_000, 0)).unwrap();
    let parent = b.repo.find_commit(Oid::from_str(&b.tip).unwrap()).unwrap();
    let oid = match signer {
        None => b.repo.commit(None, &who, &who, &header.to_message(), &tree, &[&parent]).unwrap(),
        Some(key) => {
            let buffer = b.repo.commit_create_buffer(&who, &who, &header.to_message(), &tree, &[&parent]).unwrap();
            let text = std::str::from_utf8(&buffer).unwrap().to_owned();
            let signature = key.sign(keys::GIT, text.as_bytes()).unwrap();
            b.repo.commit_signed(&text, signature.trim_end(), Some("gpgsig")).unwrap()
        }
    };
    oid.to_string()
}

fn push(team: &Team, seat: &Seat, oid: &str) {
    let device = seat.device();
    let spec = format!("{oid}:refs/heads/cairn/log/{device}");
    git(&["--git-dir", seat.dir.join("git").to_str().unwrap(), "push", "--quiet", team.remote.to_str().unwrap(), &spec]);
}

fn refusals(seat: &Seat) -> Vec<Value> {
    seat.must("sharing.status", json!({}))["refused"].as_array().unwrap().clone()
}

fn changes_nothing(team: &Team, oid: &str, code: &str) {
    let before = team.ana.digest();
    push(team, &team.dan, oid);
    team.ana.share();
    assert_eq!(team.ana.digest(), before, "nothing changed on the other side");
    let refused = refusals(&team.ana);
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0]["commit"].as_str(), refused[0]["code"].as_str()), (Some(oid), Some(code)), "{refused:?}");
    assert!(refused[0]["reason"].as_str().unwrap().len() > 10, "the reason is a sentence");
    team.ana.share();
    assert_eq!(refusals(&team.ana).len(), 1, "the same commit is listed once");
}

#[test]
fn an_unsigned_commit_changes_nothing_and_is_listed() {
    let team = Team::new();
    team.settle();
    let oid = forge(&team.dan, None, &project_line());
    changes_nothing(&team, &oid, "unsigned");
}

#[test]
fn a_commit_signed_by_an_unknown_key_changes_nothing_and_is_listed() {
    let team = Team::new();
    team.settle();
    let eve = DeviceKey::from_seed(&[66; 32]).unwrap();
    let oid = forge(&team.dan, Some(&eve), &project_line());
    changes_nothing(&team, &oid, "wrong-key");
}

#[test]
fn a_bad_branch_does_not_stop_the_others() {
    let team = Team::new();
    let mia = crate::seat::join(&team.ana, team.path(), "Mia", "eeeeee", &["validator"]);
    team.settle();
    push(&team, &team.dan, &forge(&team.dan, None, &project_line()));
    mia.must("project.create", json!({ "title": "Honest" }));
    mia.share();
    team.ana.share();
    let titles = team.ana.must("project.list", json!({}));
    assert_eq!(titles[0]["title"], "Honest");
}

#[test]
fn an_approval_without_the_role_changes_nothing_and_is_listed_as_refused() {
    let team = Team::new();
    let c = team.candidate();
    let release = team.dan.must("release.request", json!({ "version": c.version, "reason": "better" }));
    let id = release["id"].as_str().unwrap().to_owned();
    team.settle();
    // Dan holds a good key and is a member, but no business owner. He writes past the program.
    let shown = team.dan.must("release.get", json!({ "release": id }));
    let subjects: Vec<release::Bound> = shown["binds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| release::Bound {
            name: b["name"].as_str().unwrap().to_owned(),
            sha256: Digest::parse(b["sha256"].as_str().unwrap()).unwrap(),
        })
        .collect();
    let key = team.dan.key();
    let me = cairn_core::id::MemberId::parse(team.dan.me()).unwrap();
    let release = ReleaseId::parse(id.clone()).unwrap();
    let workspace = team.dan.host.workspace().unwrap();
    let frozen: decision::Frozen = workspace
        .read(|r| Ok::<_, cairn_store::StoreError>(serde_json::from_str(r.require(Kind::Release, &id)?.get("frozen").unwrap()).unwrap()))
        .unwrap();
    let shown = decision::Shown { sha256: Digest::from_bytes(&[0; 32]), size: 1 };
    let statement = decision::statement(&decision::StatementParts {
        release: &release,
        request: &cairn_core::id::OpId { device: workspace.device(), n: 1 },
        frozen: &frozen,
        decision: Ruling::Approved,
        role: Role::BusinessOwner,
        name: "Dan",
        member: &me,
        fingerprint: &key.fingerprint(),
        reason: "trust me",
        signed_at: "2026-11-20T12:00:00+01:00",
        subjects: &subjects,
        shown: &shown,
        earlier: &[],
        measured: &[],
        independent: true,
    });
    let signature = key.sign(release::NAMESPACE, statement.as_bytes()).unwrap();
    let forged = line(Op::ReleaseDecided {
        release,
        signoff: cairn_api::sharing::signoff_id(&signature),
        decision: Ruling::Approved,
        role: Role::BusinessOwner,
        statement,
        signature,
        page: shown.sha256,
        page_size: shown.size,
    });
    let b = branch(&team.dan);
    let repo = Repo::open(&team.dan.dir.join("git")).unwrap();
    let made = make(
        &repo,
        &key,
        &Draft {
            seq: b.seq + 1,
            first: b.n + 1,
            acl: &[],
            ops: &[forged],
            attachments: &[],
            workspace: Some(b.genesis.clone()),
            previous: Some((b.tip.clone(), b.sha256.clone())),
            others: &[],
            author: "Dan",
            now_ms: 1_795_000_900_000,
            tz_minutes: 0,
        },
    )
    .unwrap();
    push(&team, &team.dan, &made.oid);
    team.ana.share();
    assert_eq!(team.ana.must("release.get", json!({ "release": id }))["state"], "waiting", "the forged approval does not count");
    assert_eq!(team.ana.must("release.gate", json!({ "release": id }))["verdict"], "fail");
    let status = team.ana.must("sharing.status", json!({}));
    let listed = &status["not_counted"][0];
    assert_eq!((listed["operation"].as_str(), listed["state"].as_str()), (Some("release.decided"), Some("refused")));
    assert_eq!(listed["reason"], "Dan does not hold the role Business owner");
}

#[test]
fn what_a_removed_computer_writes_later_is_held_and_its_past_stays() {
    let team = Team::new();
    team.candidate();
    team.ana.must("device.remove", json!({ "device": team.dan.device(), "reason": "lost on the train" }));
    team.ana.share();
    // Dan's computer does not know yet, and goes on.
    let run = cairn_api::tracking::runs::create(
        &team.dan.host.workspace().unwrap(),
        cairn_api::tracking::runs::NewRun { experiment: "0".into(), name: Some("late".into()), ..Default::default() },
    )
    .unwrap();
    team.dan.share();
    team.ana.share();
    assert_eq!(team.ana.call("run.get", json!({ "run": run.id })).unwrap_err().code, "not_found", "held: kept, without effect");
    let held = team.ana.must("sharing.status", json!({}));
    assert!(held["not_counted"].as_array().unwrap().iter().any(|x| x["state"] == "held"), "{held}");
    assert!(!team.ana.must("run.list", json!({})).as_array().unwrap().is_empty(), "what he did before stays");
    assert!(team.dan.call("project.create", json!({ "title": "x" })).is_err(), "and his own program says so, too");
}

#[test]
fn a_prepared_folder_runs_no_command_and_its_git_looks_nowhere_else() {
    let team = Team::new();
    team.settle();
    let git = team.dan.dir.join("git");
    let mark = team.path().join("ran");
    let run = format!("touch {}; false", mark.display());
    let theirs = team.path().join("theirs.git");
    crate::seat::git(&["init", "-q", "--bare", theirs.to_str().unwrap()]);
    let config = format!(
        "[core]\n\tbare = true\n\talternateRefsCommand = \"{run}\"\n\tsshCommand = \"{run}\"\n\tfsmonitor = \"{run}\"\n\thooksPath = {hooks}\n\
         [remote \"{url}\"]\n\turl = {url}\n\tuploadpack = \"{run}; git-upload-pack\"\n\treceivepack = \"{run}; git-receive-pack\"\n\
         [url \"ext::sh -c touch% {mark}% %S\"]\n\tinsteadOf = {url}\n[protocol \"ext\"]\n\tallow = always\n[extensions]\n\tworktreeConfig = true\n",
        hooks = git.join("hooks").display(),
        url = format!("file://{}", team.remote.display()),
        mark = mark.display(),
    );
    for write in ["fetch", "push", "export"] {
        std::fs::write(git.join("config"), &config).unwrap();
        std::fs::write(git.join("config.worktree"), &config).unwrap();
        std::fs::create_dir_all(git.join("objects/info")).unwrap();
        std::fs::write(git.join("objects/info/alternates"), format!("{}\n", theirs.join("objects").display())).unwrap();
        std::fs::create_dir_all(git.join("hooks")).unwrap();
        for hook in ["pre-push", "reference-transaction", "post-update"] {
            let path = git.join("hooks").join(hook);
            std::fs::write(&path, format!("#!/bin/sh\n{run}\n")).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        match write {
            "push" => drop(experiments::create(&team.dan.host.workspace().unwrap(), "more", [].into()).unwrap()),
            "export" => drop(team.dan.must("audit.export", json!({ "dir": team.path().join("export") }))),
            _ => {}
        }
        team.dan.share();
        assert!(!mark.exists(), "{write} ran a command that the folder named");
        assert!(!git.join("objects/info/alternates").exists());
    }
    team.ana.share();
    assert_eq!(team.ana.digest(), team.dan.digest(), "and everything is shared as ever");
}

/// Points a ref of the shared place at something, as anybody with push access can.
fn put_ref(team: &Team, name: &str, oid: &str) {
    git(&["--git-dir", team.remote.to_str().unwrap(), "update-ref", name, oid]);
}

/// A commit in the shared place that is nobody's: no key, no batch.
fn junk(team: &Team, parent: Option<&str>, entry: &str) -> String {
    let repo = Repository::open_bare(&team.remote).unwrap();
    let odb = repo.odb().unwrap();
    let blob = odb.write(git2::ObjectType::Blob, b"x").unwrap();
    let tree = [format!("100644 {entry}\0").as_bytes(), blob.as_bytes()].concat();
    let tree = odb.write(git2::ObjectType::Tree, &tree).unwrap();
    let parent = parent.map(|p| format!("parent {p}\n")).unwrap_or_default();
    let commit = format!("tree {tree}\n{parent}author x <x@y> 1 +0000\ncommitter x <x@y> 1 +0000\n\njunk\n");
    odb.write(git2::ObjectType::Commit, commit.as_bytes()).unwrap().to_string()
}

fn knows_experiment(seat: &Seat, name: &str) -> bool {
    seat.must("experiment.list", json!({})).as_array().unwrap().iter().any(|e| e["name"] == name)
}

fn begin(seat: &Seat, name: &str) {
    experiments::create(&seat.host.workspace().unwrap(), name, [].into()).unwrap();
}

#[test]
fn a_nested_name_stands_for_nobody() {
    let team = Team::new();
    team.settle();
    let oid = junk(&team, None, "x");
    for folder in ["a", "0/0", "zz"] {
        put_ref(&team, &format!("refs/heads/cairn/log/{folder}/{}", team.ana.device()), &oid);
    }
    put_ref(&team, &format!("refs/heads/cairn/log/b/{}", team.dan.device()), &oid);
    begin(&team.dan, "after");
    team.dan.share();
    team.ana.share();
    assert!(knows_experiment(&team.ana, "after"));
    for seat in [&team.ana, &team.dan] {
        let status = seat.must("sharing.status", json!({}));
        assert_eq!((&status["alarms"], &status["refused"]), (&json!([]), &json!([])), "{status}");
    }
}

#[test]
fn one_bad_object_silences_nobody_for_longer_than_it_stands_there() {
    let team = Team::new();
    let mia = crate::seat::join(&team.ana, team.path(), "Mia", "eeeeee", &["data_scientist"]);
    team.settle();
    mia.share();
    let name = format!("refs/heads/cairn/log/{}", team.dan.device());
    let good = branch(&team.dan).tip;
    put_ref(&team, &name, &junk(&team, Some(&good), ".git"));
    begin(&mia, "of Mia");
    mia.share();
    team.ana.share();
    assert!(knows_experiment(&team.ana, "of Mia"), "the others go on");
    let status = team.ana.must("sharing.status", json!({}));
    assert_eq!(
        (status["alarms"][0]["kind"].as_str(), status["refused"][0]["code"].as_str()),
        (Some("bad_objects"), Some("objects")),
        "{status}"
    );
    team.ana.share();
    assert_eq!(refusals(&team.ana).len(), 1, "the same commit is listed once");
    // Whoever sees it puts the branch back, and Dan goes on as if nothing had been.
    team.ana.must("sharing.restore", json!({ "device": team.dan.device() }));
    begin(&team.dan, "of Dan");
    team.dan.share();
    team.ana.share();
    assert!(knows_experiment(&team.ana, "of Dan"));
    assert_eq!(team.ana.must("sharing.status", json!({}))["alarms"], json!([]));
}

#[test]
fn five_thousand_names_hide_nobody_who_is_known_and_are_counted() {
    let team = Team::new();
    team.settle();
    let oid = junk(&team, None, "x");
    let letters: Vec<char> = ('2'..='7').chain('a'..='z').collect();
    let name = |i: usize| format!("{}{}{}{}", "2".repeat(23), letters[i / 1024 % 32], letters[i / 32 % 32], letters[i % 32]);
    let refs: String = (0..5_000).map(|i| format!("{oid} refs/heads/cairn/log/{}\n", name(i))).collect();
    std::fs::write(team.remote.join("packed-refs"), format!("# pack-refs with: peeled fully-peeled sorted\n{refs}")).unwrap();
    begin(&team.dan, "hello");
    team.dan.share();
    team.ana.share();
    assert!(knows_experiment(&team.ana, "hello"));
    assert_eq!(team.ana.must("sharing.status", json!({}))["strangers_left"], 4_500);
    // Whoever comes new among them is found in a few rounds.
    let nia = Seat::fresh(team.path().join("nia"), "ffffff");
    let invitation = team.ana.must("app.status", json!({}))["workspace"]["invitation"].clone();
    nia.must("workspace.join", json!({ "address": invitation, "person": "Nia", "dir": nia.dir }));
    let asked = (0..12).any(|_| {
        team.ana.share();
        team.ana.must("member.list", json!({}))["requests"].as_array().unwrap().iter().any(|r| r["name"] == "Nia")
    });
    assert!(asked, "in turn everybody is looked at");
}
