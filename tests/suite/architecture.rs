//! Who may import whom, read from `cargo metadata`.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// The one table: crate → which of ours it may depend on.
const MAY: &[(&str, &[&str])] = &[
    ("cairn-core", &[]),
    ("cairn-stats", &[]),
    ("cairn-store", &["cairn-core"]),
    ("cairn-sync", &["cairn-core"]),
    ("cairn-ingest", &["cairn-core", "cairn-stats"]),
    ("cairn-chart", &["cairn-core", "cairn-stats"]),
    ("cairn-report", &["cairn-core", "cairn-stats"]),
    ("cairn-os", &[]),
    ("cairn-objects", &[]),
    (
        "cairn-api",
        &[
            "cairn-core",
            "cairn-stats",
            "cairn-store",
            "cairn-sync",
            "cairn-ingest",
            "cairn-chart",
            "cairn-report",
            "cairn-os",
            "cairn-objects",
        ],
    ),
    ("cairn-mlflow", &["cairn-api"]),
    ("cairn-http", &["cairn-api", "cairn-mlflow"]),
    ("cairn-cli", &["cairn-api", "cairn-http"]),
    ("cairn-desktop", &["cairn-api", "cairn-http"]),
];

fn metadata() -> Value {
    let out = Command::new(env!("CARGO")).args(["metadata", "--format-version=1", "--no-deps", "--offline"]).output().unwrap();
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn crates_depend_only_downwards() {
    let metadata = metadata();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if name == "cairn-tests" {
            continue;
        }
        let (_, may) = MAY.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("{name} stands in no line of the table"));
        seen.insert(name.to_owned());
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let build_only = dependency["kind"] == "dev";
            assert!(!other.starts_with("cairn-") || build_only || may.contains(&other), "{name} may not depend on {other}");
        }
    }
    assert_eq!(seen.len(), MAY.len(), "every crate of the table exists");
}

#[test]
fn the_core_touches_neither_files_nor_clocks_nor_sql() {
    let metadata = metadata();
    let core = metadata["packages"].as_array().unwrap().iter().find(|p| p["name"] == "cairn-core").unwrap().clone();
    let names: Vec<_> = core["dependencies"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["serde", "serde_json", "sha2", "thiserror", "unicode-security"],
        "a new dependency of the core is a decision: write it into ARCHITECTURE.md"
    );
}

#[test]
fn the_shell_stays_small() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/src");
    let lines: usize = std::fs::read_dir(root).unwrap().map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap().lines().count()).sum();
    assert!(lines < 1_200, "the shell has {lines} lines; what it grew by belongs into a crate");
}
