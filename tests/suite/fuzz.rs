//! Every fuzz target over its corpus, and over copies of it that are cut and bent the same way each time.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::Path;

fn each(name: &str, target: fn(&[u8]), tries: u64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3, "{} holds examples", folder.display());
    let all: Vec<Vec<u8>> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
    for (i, bytes) in all.iter().enumerate() {
        target(bytes);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(i as u64 + 1);
        let mut roll = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 11).unwrap() % below.max(1)
        };
        for _ in 0..tries {
            let mut bent = bytes.clone();
            for _ in 0..=roll(4) {
                match roll(5) {
                    0 => bent.truncate(roll(bent.len() + 1)),
                    1 if !bent.is_empty() => {
                        let at = roll(bent.len());
                        bent[at] ^= 1 << roll(8);
                    }
                    2 if !bent.is_empty() => {
                        let at = roll(bent.len());
                        bent[at] = *[0, 0xff, b'"', b'{', 0x80].get(roll(5)).unwrap();
                    }
                    3 => {
                        // A piece of another example in the middle.
                        let other = &all[roll(all.len())];
                        let (from, at) = (roll(other.len() + 1), roll(bent.len() + 1));
                        let to = (from + roll(64)).min(other.len());
                        bent.splice(at..at, other[from..to].iter().copied());
                    }
                    _ if !bent.is_empty() => {
                        let (from, at) = (roll(bent.len()), roll(bent.len()));
                        let to = (from + roll(32)).min(bent.len());
                        let piece = bent[from..to].to_vec();
                        bent.splice(at..at, piece);
                    }
                    _ => {}
                }
            }
            target(&bent);
        }
    }
}

#[test]
fn no_commit_message_breaks_the_reader() {
    each("envelope", targets::envelope, 3_000);
}

#[test]
fn no_line_breaks_the_reader() {
    each("operation", targets::operation, 3_000);
}

#[test]
fn no_segment_breaks_the_reader() {
    each("points", targets::points, 1_500);
}

#[test]
fn no_update_of_a_note_breaks_the_reader() {
    each("loro", targets::loro, 1_500);
}

/// Makes the corpora again, after a change of the format (lines about releases and their rules are those of the golden history
/// of the second rules): `cargo test -p cairn-tests corpora -- --ignored`.
#[test]
#[ignore = "writes into the corpora"]
fn make_the_corpora() {
    let team = crate::seat::Team::new();
    team.candidate();
    crate::segments::long_run(&team.dan, 600, true);
    let about = serde_json::json!({ "kind": "run", "id": "r" });
    let _ = team.dan.call("note.save", serde_json::json!({ "about": about, "title": "n", "text": "t" }));
    team.settle();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let put = |name: &str, file: String, bytes: &[u8]| {
        std::fs::create_dir_all(root.join(name)).unwrap();
        std::fs::write(root.join(name).join(file), bytes).unwrap();
    };
    let rows = team.ana.host.workspace().unwrap().read(|r| r.all_lines()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        if seen.insert(row.r#type.clone()) {
            put("operation", format!("{}.json", row.r#type), row.line.as_bytes());
        }
    }
    let git = git2::Repository::open_bare(&team.remote).unwrap();
    for (i, reference) in git.references_glob("refs/heads/cairn/*/*").unwrap().enumerate() {
        let commit = reference.unwrap().peel_to_commit().unwrap();
        put("envelope", format!("{i}.txt"), commit.message_raw().unwrap().as_bytes());
        if let Some(parent) = commit.parents().next() {
            put("envelope", format!("{i}-parent.txt"), parent.message_raw().unwrap().as_bytes());
        }
    }
    let point = |metric: &str, step: i64, value: f64| cairn_sync::segment::SegmentPoint {
        run: "r1".into(),
        metric: metric.into(),
        step,
        time_ms: 1_795_000_000_000 + step,
        value,
    };
    let some: Vec<_> = (0..40).map(|i| point("loss", i, 1.0 / (i as f64 + 1.0))).collect();
    put("points", "empty.parquet".into(), &cairn_sync::segment::encode(&[]).unwrap());
    put("points", "some.parquet".into(), &cairn_sync::segment::encode(&some).unwrap());
    put("points", "odd.parquet".into(), &cairn_sync::segment::encode(&[point("a", i64::MIN / 2, f64::NAN), point("b", 1, -0.0)]).unwrap());
    let decode = |text: &str| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    };
    let framed = |updates: &[String]| {
        let mut out = Vec::new();
        for update in updates {
            let bytes = decode(update);
            out.extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
            out.extend(bytes);
        }
        out
    };
    let first = cairn_sync::note::edit(&[], "One.\nTwo.\n", "1").unwrap();
    let second = cairn_sync::note::edit(std::slice::from_ref(&first), "One!\nTwo.\n", "2").unwrap();
    let third = cairn_sync::note::edit(std::slice::from_ref(&first), "One.\nTwo.\nThree \u{1f600}.\n", "3").unwrap();
    put("loro", "one.bin".into(), &framed(std::slice::from_ref(&first)));
    put("loro", "two.bin".into(), &framed(&[first.clone(), second.clone()]));
    put("loro", "three.bin".into(), &framed(&[first, second.clone(), third]));
    put("loro", "orphan.bin".into(), &framed(&[second]));
}
