//! A pipeline of DVC as it was last run: each stage of `dvc.lock` is a run, with its command, parameters,
//! the data that went in and came out by their fingerprints, and the metrics that it wrote.
//!
//! Form: DVC's documentation of `dvc.yaml` and `dvc.lock` (schema 2.0).

use crate::checkout;
use crate::source::{Dataset, Event, Outcome, Run, SourceError, Status, Take, as_number, as_text, flat, modified_ms, plain_name, run_id};
use cairn_core::source::{Code, RunSource};
use md5::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// Runs that were taken.
    runs: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Lock {
    #[serde(default)]
    schema: Option<Value>,
    #[serde(default)]
    stages: BTreeMap<String, Stage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stage {
    cmd: Value,
    deps: Vec<Item>,
    outs: Vec<Item>,
    params: BTreeMap<String, Value>,
}

/// A file or folder by its fingerprint, in a stage or in a `.dvc` file.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Item {
    pub path: String,
    pub hash: Option<String>,
    pub md5: Option<String>,
    pub etag: Option<String>,
    pub size: Option<u64>,
    pub nfiles: Option<u64>,
}

impl Item {
    fn fingerprint(&self) -> String {
        self.md5.clone().or_else(|| self.etag.clone()).unwrap_or_default()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pointer {
    outs: Vec<Item>,
}

pub(crate) fn read(root: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let file = if root.is_dir() { root.join("dvc.lock") } else { root.to_owned() };
    let mut at: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let mut outcome = Outcome::default();
    let text = std::fs::read_to_string(&file).map_err(|e| SourceError::Io(file.clone(), e))?;
    let lock: Lock = serde_saphyr::from_str(&text).map_err(|e| SourceError::Foreign { file: file.clone(), what: e.to_string() })?;
    if lock.schema.is_none() && lock.stages.is_empty() {
        return Err(SourceError::Foreign { file, what: "it names no stages, so DVC did not write it".to_owned() });
    }
    let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
    let experiment = folder.file_name().map_or_else(|| "DVC".to_owned(), |n| n.to_string_lossy().into_owned());
    let at_ms = modified_ms(&file);
    let code = checkout::look(&folder);
    for (name, stage) in lock.stages {
        let mut parts: Vec<String> = vec!["dvc".to_owned(), experiment.clone(), name.clone(), as_text(&stage.cmd)];
        parts.extend(stage.deps.iter().chain(&stage.outs).map(|i| format!("{} {}", i.path, i.fingerprint())));
        parts.extend(stage.params.iter().map(|(k, v)| format!("{k} {v}")));
        // The same stage with the same ingredients and results is the same run.
        let id = run_id(&parts.iter().map(String::as_str).collect::<Vec<_>>());
        if at.runs.contains(&id) {
            continue;
        }
        let run = Run { id: id.clone(), experiment: experiment.clone(), name: Some(name.clone()), start_ms: at_ms, ..Run::default() };
        take(Event::Run(run))?;
        let pairs = vec![("cairn.source".to_owned(), format!("dvc:{}", file.display())), ("dvc.stage".to_owned(), name.clone())];
        take(Event::Tags { run: id.clone(), pairs })?;
        params(&id, &stage, take)?;
        for item in &stage.deps {
            take(Event::Input { run: id.clone(), dataset: dataset(&folder, item) })?;
        }
        for item in &stage.outs {
            // Said with DVC's own word for the content; the file stays where DVC keeps it.
            let path = folder.join(&item.path);
            let address = url::Url::from_file_path(&path).map(|u| u.to_string()).unwrap_or_default();
            let version = item.md5.as_ref().map(|m| format!("md5:{m}"));
            let one_file = item.nfiles.is_none();
            if one_file && plain_name(&item.path) == item.path {
                take(Event::Reference { run: id.clone(), path: item.path.clone(), address, size: item.size, version })?;
            } else {
                let text = format!("{} {}", item.fingerprint(), item.nfiles.map(|n| format!("{n} files")).unwrap_or_default());
                take(Event::Tags { run: id.clone(), pairs: vec![(plain_name(&format!("dvc.out.{}", item.path)), text)] })?;
            }
            metrics(&id, &path, item, at_ms, take, &mut outcome)?;
        }
        source(&id, &folder, &stage, code.as_ref(), take)?;
        take(Event::Ended { run: id.clone(), status: Status::Finished, end_ms: Some(at_ms) })?;
        at.runs.push(id);
    }
    outcome.position = serde_json::to_value(&at).unwrap_or_default();
    Ok(outcome)
}

fn params(run: &str, stage: &Stage, take: Take<'_>) -> Result<(), SourceError> {
    let mut pairs = Vec::new();
    for (file, values) in &stage.params {
        let mut found = Vec::new();
        flat("", values, &mut found);
        for (key, value) in found {
            // The usual file needs no name.
            let key = if file == "params.yaml" { key } else { format!("{file}:{key}") };
            pairs.push((plain_name(&key), as_text(&value)));
        }
    }
    if pairs.is_empty() { Ok(()) } else { Ok(take(Event::Params { run: run.to_owned(), pairs })?) }
}

fn dataset(folder: &Path, item: &Item) -> Dataset {
    let profile = serde_json::json!({ "size": item.size, "files": item.nfiles });
    let source = serde_json::json!({ "uri": format!("file://{}", folder.join(&item.path).display()) });
    Dataset {
        name: item.path.clone(),
        digest: item.fingerprint(),
        context: "dependency".to_owned(),
        source_type: "dvc".to_owned(),
        source: source.to_string(),
        schema: String::new(),
        profile: profile.to_string(),
    }
}

/// Numbers of a result in JSON or YAML, if the file is still the one that the lock speaks of.
fn metrics(run: &str, path: &Path, item: &Item, at_ms: i64, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !matches!(ending, "json" | "yaml" | "yml") || item.size.is_none_or(|n| n > 1_000_000) {
        return Ok(());
    }
    let Ok(bytes) = std::fs::read(path) else { return Ok(()) };
    if item.md5.as_deref() != Some(md5_of(&bytes).as_str()) {
        outcome.problem(path, "the file", "it is not the one that dvc.lock speaks of; its numbers were left out");
        return Ok(());
    }
    let text = String::from_utf8_lossy(&bytes);
    let value: Option<Value> = if ending == "json" { serde_json::from_str(&text).ok() } else { serde_saphyr::from_str(&text).ok() };
    let mut found = Vec::new();
    flat("", &value.unwrap_or_default(), &mut found);
    for (key, value) in found {
        if let Some(number) = as_number(&value).filter(|_| !key.is_empty()) {
            take(Event::Points { run: run.to_owned(), key: plain_name(&key), points: vec![(0, at_ms, number)] })?;
        }
    }
    Ok(())
}

/// The md5 of a file, as DVC writes it.
///
/// # Errors
/// When the file cannot be read.
pub fn md5_of_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?;
    let mut hash = md5::Md5::new();
    let mut buffer = vec![0_u8; 1 << 18];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect());
        }
        hash.update(&buffer[..read]);
    }
}

fn md5_of(bytes: &[u8]) -> String {
    md5::Md5::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn source(run: &str, folder: &Path, stage: &Stage, code: Option<&checkout::Checkout>, take: Take<'_>) -> Result<(), SourceError> {
    let command = match &stage.cmd {
        Value::Array(all) => all.iter().map(as_text).collect::<Vec<_>>().join(" && "),
        other => as_text(other),
    };
    let code_state = code.map(|c| Code {
        commit: c.commit.clone(),
        branch: c.branch.clone(),
        remote: c.remote.clone(),
        root: c.root.to_string_lossy().into_owned(),
        below: c.below.to_string_lossy().into_owned(),
        changed: c.changed,
        left_out: c.left_out.clone(),
        ..Code::default()
    });
    let source = RunSource {
        folder: Some(folder.to_string_lossy().into_owned()),
        // DVC runs a stage by the shell.
        command: vec!["sh".to_owned(), "-c".to_owned(), command],
        code: code_state,
        ..RunSource::default()
    };
    let changes = code.map(|c| c.changes.clone()).unwrap_or_default();
    Ok(take(Event::Source { run: run.to_owned(), source: Box::new(source), changes, packages: Vec::new() })?)
}

/// Why the data behind a `.dvc` file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoData(String);

/// The file that a `.dvc` file stands for: beside it, or in DVC's cache. Its fingerprint is compared.
pub fn data_of(pointer: &Path) -> Result<PathBuf, NoData> {
    let text = std::fs::read_to_string(pointer).map_err(|e| NoData(format!("{} cannot be read: {e}", pointer.display())))?;
    let found: Pointer = serde_saphyr::from_str(&text).map_err(|e| NoData(format!("{} is no .dvc file: {e}", pointer.display())))?;
    let item = match found.outs.as_slice() {
        [one] => one,
        others => return Err(NoData(format!("{} names {} files; one is needed", pointer.display(), others.len()))),
    };
    let md5 = item.md5.clone().filter(|m| m.len() == 32 && m.bytes().all(|b| b.is_ascii_hexdigit()));
    let md5 = md5.ok_or_else(|| NoData(format!("{} names no single file by its md5 (a folder, or data elsewhere)", pointer.display())))?;
    let folder = pointer.parent().unwrap_or(Path::new("."));
    let mut candidates = vec![folder.join(&item.path)];
    let (head, tail) = md5.split_at(2);
    for up in folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).ancestors() {
        candidates.push(up.join(".dvc/cache/files/md5").join(head).join(tail));
        candidates.push(up.join(".dvc/cache").join(head).join(tail));
    }
    let mut other = false;
    for path in candidates.into_iter().filter(|p| p.is_file()) {
        let bytes = std::fs::read(&path).map_err(|e| NoData(format!("{} cannot be read: {e}", path.display())))?;
        if md5_of(&bytes) == md5 {
            return Ok(path);
        }
        other = true;
    }
    Err(NoData(if other {
        format!("the file beside {} is another version than the one that it names; run `dvc checkout`", pointer.display())
    } else {
        format!("the data of {} is not on this computer; run `dvc pull`", pointer.display())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    deps:\n    - path: data.csv\n      hash: md5\n      md5: e5ebd4c02cefbe7955977c67ada242b7\n      size: 8\n    params:\n      params.yaml:\n        lr: 0.1\n        model.depth: 3\n    outs:\n    - path: metrics.json\n      hash: md5\n      md5: 3e06ebed73295fba5d44f530023cba00\n      size: 35\n";

    fn all(path: &Path, position: &Value) -> Result<(Vec<Event>, Outcome), SourceError> {
        let mut events = Vec::new();
        let outcome = read(path, position, &mut |e| {
            events.push(e);
            Ok(())
        })?;
        Ok((events, outcome))
    }

    #[test]
    fn a_stage_is_a_run_and_numbers_of_another_run_are_not_its_own() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("dvc.lock"), LOCK).unwrap();
        std::fs::write(dir.path().join("metrics.json"), r#"{"acc": 0.9, "nested": {"f1": 0.5}}"#).unwrap();
        let (events, outcome) = all(dir.path(), &Value::Null).unwrap();
        let keys: Vec<&str> =
            events.iter().filter_map(|e| if let Event::Points { key, .. } = e { Some(key.as_str()) } else { None }).collect();
        assert_eq!(keys, ["acc", "nested.f1"]);
        assert!(events.contains(&Event::Params {
            run: match &events[0] {
                Event::Run(run) => run.id.clone(),
                other => panic!("{other:?}"),
            },
            pairs: vec![("lr".into(), "0.1".into()), ("model.depth".into(), "3".into())],
        }));
        assert_eq!(all(dir.path(), &outcome.position).unwrap().0, [], "the same stage again is no new run");
        std::fs::write(dir.path().join("metrics.json"), r#"{"acc": 0.1, "nested": {"f1": 0.5}}"#).unwrap();
        let (events, outcome) = all(dir.path(), &Value::Null).unwrap();
        assert!(!events.iter().any(|e| matches!(e, Event::Points { .. })));
        assert_eq!(outcome.problems.len(), 1, "{:?}", outcome.problems);
        std::fs::write(dir.path().join("dvc.lock"), "a: [").unwrap();
        assert!(matches!(all(dir.path(), &Value::Null), Err(SourceError::Foreign { .. })));
    }

    #[test]
    fn the_data_behind_a_pointer_is_compared() {
        let dir = tempfile::tempdir().unwrap();
        let pointer = dir.path().join("data.csv.dvc");
        std::fs::write(&pointer, "outs:\n- md5: e5ebd4c02cefbe7955977c67ada242b7\n  size: 8\n  hash: md5\n  path: data.csv\n").unwrap();
        assert!(data_of(&pointer).unwrap_err().to_string().contains("dvc pull"));
        std::fs::write(dir.path().join("data.csv"), "a,b\n1,3\n").unwrap();
        assert!(data_of(&pointer).unwrap_err().to_string().contains("another version"));
        std::fs::write(dir.path().join("data.csv"), "a,b\n1,2\n").unwrap();
        assert_eq!(data_of(&pointer).unwrap(), dir.path().join("data.csv"));
        std::fs::remove_file(dir.path().join("data.csv")).unwrap();
        let cached = dir.path().join(".dvc/cache/files/md5/e5");
        std::fs::create_dir_all(&cached).unwrap();
        std::fs::write(cached.join("ebd4c02cefbe7955977c67ada242b7"), "a,b\n1,2\n").unwrap();
        assert!(data_of(&pointer).is_ok());
    }
}
