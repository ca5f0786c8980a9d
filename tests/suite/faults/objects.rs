//! Faults 12 and 13: whatever a signed member, or somebody who is none, puts on a branch. It is refused
//! with one row, changes nothing, and the others are shared in the same round.

use crate::seat::{Team, git, join};
use cairn_core::canonical::sha256;
use cairn_core::envelope::Header;
use cairn_core::id::Digest;
use cairn_sync::keys;
use git2::{ObjectType, Oid, Repository};
use serde_json::json;

/// The raw bytes of a tree.
fn tree(entries: &[(&str, &[u8], Oid)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (mode, name, oid) in entries {
        bytes.extend(format!("{mode} ").bytes());
        bytes.extend(*name);
        bytes.push(0);
        bytes.extend(oid.as_bytes());
    }
    bytes
}

const GOOD: &str =
    r#"{"hlc":"01a1ef000000.00000000","tz":0,"t":"project.created","d":{"project":"evil","title":"Evil","template":"standard/1"}}"#;

struct Place<'a> {
    repo: &'a Repository,
    tip: Oid,
}

/// What is put on the branch: the tree, the text of the log, and what else is strange.
struct Trick {
    what: &'static str,
    ops: Vec<u8>,
    entries: fn(&Place<'_>, Oid) -> Vec<u8>,
    parents: usize,
    padding: usize,
}

fn plain(_: &Place<'_>, ops: Oid) -> Vec<u8> {
    tree(&[("100644", b"ops.jsonl", ops)])
}

fn trick(what: &'static str, ops: impl Into<Vec<u8>>, entries: fn(&Place<'_>, Oid) -> Vec<u8>) -> Trick {
    Trick { what, ops: ops.into(), entries, parents: 1, padding: 0 }
}

fn line(d: &str) -> Vec<u8> {
    format!("{}\n", GOOD.replace(r#"{"project":"evil","title":"Evil","template":"standard/1"}"#, d)).into_bytes()
}

fn tricks() -> Vec<Trick> {
    let good = || format!("{GOOD}\n");
    let mut all = vec![
        trick("a file named ..", good(), |_, ops| tree(&[("100644", b"..", ops), ("100644", b"ops.jsonl", ops)])),
        trick("a folder named .git", good(), |p, ops| {
            let inner = p.repo.odb().unwrap().write(ObjectType::Tree, &tree(&[("100644", b"config", ops)])).unwrap();
            tree(&[("40000", b".git", inner), ("100644", b"ops.jsonl", ops)])
        }),
        trick("a path in a name", good(), |_, ops| tree(&[("100644", b"../../etc/passwd", ops), ("100644", b"ops.jsonl", ops)])),
        trick("a name twice", good(), |_, ops| tree(&[("100644", b"ops.jsonl", ops), ("100644", b"ops.jsonl", ops)])),
        trick("a symbolic link", good(), |_, ops| tree(&[("120000", b"att", ops), ("100644", b"ops.jsonl", ops)])),
        trick("a submodule", good(), |p, ops| tree(&[("160000", b"att", p.tip), ("100644", b"ops.jsonl", ops)])),
        trick("a program", good(), |_, ops| tree(&[("100755", b"ops.jsonl", ops)])),
        trick("a file more", good(), |_, ops| tree(&[("100644", b".gitattributes", ops), ("100644", b"ops.jsonl", ops)])),
        trick("a name that is no text", good(), |_, ops| tree(&[("100644", b"\xff\xfe", ops), ("100644", b"ops.jsonl", ops)])),
        trick("a log of 64 MB of zeros", vec![0; 64 << 20], plain),
        trick("a log of 5,000 lines", good().repeat(5_000), plain),
        trick("an empty log", "", plain),
        trick("a log that does not end", GOOD, plain),
        trick("a log that is no text", b"\xff\xfe\n".to_vec(), plain),
        trick(
            "a line of 300 kB",
            line(&format!(r#"{{"project":"evil","title":"{}","template":"standard/1"}}"#, "x".repeat(300_000))),
            plain,
        ),
        trick("a key twice", line(r#"{"project":"evil","project":"other","title":"Evil","template":"standard/1"}"#), plain),
        trick("a number that is none", line(r#"{"project":"evil","title":NaN,"template":"standard/1"}"#), plain),
        trick("a number of 4,000 digits", line(&format!(r#"{{"project":{},"title":"E","template":"s"}}"#, "9".repeat(4_000))), plain),
        trick("a hundred thousand brackets", format!("{}\n", "[".repeat(100_000)), plain),
        trick("an id that is a path", line(r#"{"project":"../../x","title":"Evil","template":"standard/1"}"#), plain),
        trick("a title with a zero in it", line(r#"{"project":"evil","title":"E\u0000vil","template":"standard/1"}"#), plain),
        trick("half a letter", line(r#"{"project":"evil","title":"E\ud800vil","template":"standard/1"}"#), plain),
    ];
    all.push(Trick { parents: 40, ..trick("forty parents", good(), plain) });
    all.push(Trick { padding: 20_000, ..trick("a commit of 20 kB", good(), plain) });
    all
}

fn forge(team: &Team, trick: &Trick) -> String {
    let w = team.dan.host.workspace().unwrap();
    let (own, genesis): (_, Digest) =
        w.read(|r| Ok::<_, cairn_store::StoreError>((r.branch(&w.device())?.unwrap(), r.genesis()?.unwrap()))).unwrap();
    let repo = Repository::open_bare(&team.remote).unwrap();
    let odb = repo.odb().unwrap();
    let ops = odb.write(ObjectType::Blob, &trick.ops).unwrap();
    let tip = Oid::from_str(&own.tip).unwrap();
    let tree = odb.write(ObjectType::Tree, &(trick.entries)(&Place { repo: &repo, tip }, ops)).unwrap();
    let header = Header {
        device: w.device(),
        seq: own.seq + 1,
        first: own.n + 1,
        count: trick.ops.iter().filter(|b| **b == b'\n').count().max(1) as u64,
        workspace: Some(genesis),
        ops: Some(sha256(&trick.ops)),
        acl: None,
        prev: Some(own.sha256),
    };
    let parents = format!("parent {tip}\n").repeat(trick.parents);
    let padding = "x".repeat(trick.padding);
    let body = format!(
        "tree {tree}\n{parents}author Dan{padding} <d@x> 1795000000 +0000\ncommitter Dan <d@x> 1795000000 +0000\n\n{}",
        header.to_message()
    );
    let signature = team.dan.key().sign(keys::GIT, body.as_bytes()).unwrap();
    let folded = signature.trim_end().replace('\n', "\n ");
    let (head, message) = body.split_once("\n\n").unwrap();
    let oid = odb.write(ObjectType::Commit, format!("{head}\ngpgsig {folded}\n\n{message}").as_bytes()).unwrap();
    let name = format!("refs/heads/cairn/log/{}", team.dan.device());
    repo.reference(&name, oid, true, "forged").unwrap();
    oid.to_string()
}

#[test]
fn fault_12_hostile_objects_are_refused_with_one_row_and_stop_nobody() {
    for trick in tricks() {
        let team = Team::new();
        let mia = join(&team.ana, team.path(), "Mia", "eeeeee", &["validator"]);
        team.settle();
        let dans = team.dan.device();
        let accepted = |seat: &crate::seat::Seat| {
            let w = seat.host.workspace().unwrap();
            w.read(|r| r.branches()).unwrap().into_iter().find(|b| b.device.as_str() == dans).unwrap().n
        };
        let before = accepted(&team.ana);
        forge(&team, &trick);
        mia.must("project.create", json!({ "title": "Mia's work" }));
        mia.share();
        team.ana.share();
        team.ana.share();
        assert_eq!(accepted(&team.ana), before, "{}: nothing of it is accepted", trick.what);
        let projects = team.ana.must("project.list", json!({}));
        assert_eq!(projects.as_array().unwrap().len(), 1, "{}: {projects}", trick.what);
        assert_eq!(projects[0]["title"], "Mia's work", "{}: the others are shared", trick.what);
        let refused = team.ana.must("sharing.status", json!({}))["refused"].clone();
        assert_eq!(refused.as_array().unwrap().len(), 1, "{}: one row: {refused}", trick.what);
        assert_eq!(refused[0]["person"]["name"], "Dan", "{}: it says whose", trick.what);
        assert!(refused[0]["reason"].as_str().unwrap().len() > 10, "{}: it says why", trick.what);
        assert_eq!(team.ana.must("log.verify", json!({}))["problems"], json!([]), "{}", trick.what);
    }
}

#[test]
fn fault_12_names_that_try_to_be_more_than_names_are_only_names() {
    let team = Team::new();
    for title in ["<script>alert(1)</script>", "'); DROP TABLE op; --", "\u{202e}drawkcab", "%s%n{{}}", "\u{feff}x"] {
        let hidden = title.contains(['\u{202e}', '\u{feff}']);
        assert_eq!(team.dan.call("project.create", json!({ "title": title })).is_err(), hidden, "what cannot be seen is not entered");
        if hidden {
            // By a program that does not ask: receivers refuse no name.
            team.dan
                .host
                .workspace()
                .unwrap()
                .append(cairn_core::op::Op::ProjectCreated {
                    project: cairn_core::id::ProjectId::parse(format!("p{}", title.len())).unwrap(),
                    title: cairn_core::text::Title::parse(title).unwrap(),
                    template: "light/1".into(),
                })
                .unwrap();
        }
    }
    team.settle();
    let all = team.ana.must("project.list", json!({})).to_string();
    for title in ["<script>alert(1)</script>", "DROP TABLE op", "\u{202e}drawkcab"] {
        assert!(all.contains(title));
    }
    assert_eq!(team.ana.digest(), team.dan.digest());
}

#[test]
fn fault_13_a_flood_of_strangers_is_looked_at_within_limits_and_stops_nobody() {
    let team = Team::new();
    team.settle();
    // Branches of people who were never let in: names that are none, rubbish, other people's commits.
    let repo = Repository::open_bare(&team.remote).unwrap();
    let blob = repo.blob(b"rubbish").unwrap();
    let mut builder = repo.treebuilder(None).unwrap();
    builder.insert("x", blob, 0o100_644).unwrap();
    let tree = repo.find_tree(builder.write().unwrap()).unwrap();
    let who = git2::Signature::new("x", "x@x", &git2::Time::new(1, 0)).unwrap();
    let rubbish = repo.commit(None, &who, &who, "rubbish", &tree, &[]).unwrap();
    let dans = repo.refname_to_id(&format!("refs/heads/cairn/log/{}", team.dan.device())).unwrap();
    for i in 0..300 {
        let name = format!("{i:0>26}").replace(['0', '1', '8', '9'], "a");
        repo.reference(&format!("refs/heads/cairn/log/{name}{i}"), if i % 2 == 0 { rubbish } else { dans }, true, "flood").unwrap();
    }
    team.dan.must("project.create", json!({ "title": "Through the flood" }));
    team.dan.share();
    team.ana.share();
    assert_eq!(team.ana.must("project.list", json!({}))[0]["title"], "Through the flood");
    assert_eq!(team.ana.must("log.verify", json!({}))["problems"], json!([]));
    git(&["-C", team.ana.dir.join("git").to_str().unwrap(), "fsck", "--no-dangling"]);
}
