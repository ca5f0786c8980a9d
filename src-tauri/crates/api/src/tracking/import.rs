//! Takes in what a source says: many events in one transaction, nothing twice.

use super::files::artifacts_of;
use super::validate::{PARAM_VALUE_MAX, TAG_VALUE_MAX, artifact_path, name as checked_name, shorten};
use super::{TrackingError, experiments};
use crate::host::Workspace;
use cairn_core::id::{Digest, ExperimentId, RunId};
use cairn_core::op::{Kind, Op, RunStatus, Subject};
use cairn_core::source::RunSource;
use cairn_core::text::Title;
use cairn_ingest::source::{Content, Dataset, Event, Run, Status, Stop};
use cairn_store::Writer;
use cairn_store::metrics::Point;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::Path;

/// How much is taken into one transaction.
const EVENTS: usize = 2_000;
const POINTS: usize = 100_000;

/// What to do with the files of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Copied, up to this size each; larger ones are counted.
    UpTo(u64),
    Leave,
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub runs: BTreeSet<String>,
    pub points: u64,
    pub files: u64,
    /// Files that were larger than what is copied.
    pub large: u64,
    /// Values that could not be taken, each with why, at most a hundred.
    pub refused: Vec<String>,
}

pub(crate) struct Importer<'w> {
    workspace: &'w Workspace,
    files: Files,
    waiting: Vec<Event>,
    points: usize,
    /// Told between transactions how many points were taken; says whether to go on.
    go_on: &'w dyn Fn(u64) -> bool,
    pub(crate) taken: Taken,
}

impl<'w> Importer<'w> {
    pub(crate) fn new(workspace: &'w Workspace, files: Files, go_on: &'w dyn Fn(u64) -> bool) -> Self {
        Self { workspace, files, waiting: Vec::new(), points: 0, go_on, taken: Taken::default() }
    }

    pub(crate) fn take(&mut self, event: Event) -> Result<(), Stop> {
        if let Event::Points { points, .. } = &event {
            self.points += points.len();
        }
        self.waiting.push(event);
        if self.waiting.len() >= EVENTS || self.points >= POINTS {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        if !(self.go_on)(self.taken.points) {
            return Err(Stop("It was stopped; what was read so far is kept.".to_owned()));
        }
        let events = std::mem::take(&mut self.waiting);
        self.points = 0;
        // Files first, outside the transaction: they may be large.
        let mut ready = Vec::with_capacity(events.len());
        for event in events {
            ready.push(match event {
                Event::File { run, path, content } => match self.store(&path, &content)? {
                    Some((digest, size)) => Ready::File { run, path, digest, size },
                    None => continue,
                },
                Event::Source { run, mut source, changes, packages } => {
                    self.origin(&mut source, &changes, &packages)?;
                    Ready::Event(Event::Source { run, source, changes: Vec::new(), packages: Vec::new() })
                }
                other => Ready::Event(other),
            });
        }
        let taken = &mut self.taken;
        let workspace = self.workspace;
        workspace
            .write(|w| {
                let mut known: BTreeMap<String, ExperimentId> = BTreeMap::new();
                for event in ready {
                    match event {
                        Ready::Event(event) => one(workspace, w, event, &mut known, taken)?,
                        Ready::File { run, path, digest, size } => file(w, run, path, digest, size, taken)?,
                    }
                }
                Ok::<_, TrackingError>(())
            })
            .map_err(|error| Stop(error.message().to_owned()))
    }

    /// Keeps the files that a source speaks of, and what of it looks like a secret out.
    fn origin(&self, source: &mut RunSource, changes: &[u8], packages: &[u8]) -> Result<(), Stop> {
        source.command = cairn_os::process::without_secrets(&source.command);
        let keep = |bytes: &[u8]| self.workspace.store.put_blob(bytes).map_err(|e| Stop(e.to_string()));
        if let Some(code) = &mut source.code {
            code.remote = code.remote.take().map(|r| cairn_os::process::without_login(&r));
            if !changes.is_empty() {
                code.changes = Some(keep(changes)?);
                code.changes_bytes = changes.len() as u64;
            }
        }
        if let (Some(environment), false) = (&mut source.environment, packages.is_empty()) {
            environment.packages = Some(keep(packages)?);
            environment.packages_bytes = packages.len() as u64;
        }
        Ok(())
    }

    fn store(&mut self, path: &str, content: &Content) -> Result<Option<(Digest, u64)>, Stop> {
        let Files::UpTo(most) = self.files else { return Ok(None) };
        if artifact_path(path).is_err() {
            refuse(&mut self.taken, format!("the file \"{path}\" has a name that cannot be kept"));
            return Ok(None);
        }
        let stop = |e: &dyn std::fmt::Display| Stop(e.to_string());
        match content {
            Content::Bytes(bytes) => {
                let digest = self.workspace.store.put_blob(bytes).map_err(|e| stop(&e))?;
                Ok(Some((digest, bytes.len() as u64)))
            }
            Content::At(from) => match copied(self.workspace, from, most) {
                Ok(Some(found)) => Ok(Some(found)),
                Ok(None) => {
                    self.taken.large += 1;
                    Ok(None)
                }
                Err(error) => {
                    refuse(&mut self.taken, format!("{} could not be read: {error}", from.display()));
                    Ok(None)
                }
            },
        }
    }
}

fn copied(workspace: &Workspace, from: &Path, most: u64) -> std::io::Result<Option<(Digest, u64)>> {
    let mut file = std::fs::File::open(from)?;
    if file.metadata()?.len() > most {
        return Ok(None);
    }
    let mut incoming = workspace.store.incoming().map_err(std::io::Error::other)?;
    let mut buffer = vec![0_u8; 1 << 18];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        incoming.write_all(&buffer[..read])?;
    }
    workspace.store.keep_incoming(incoming).map(Some).map_err(std::io::Error::other)
}

enum Ready {
    Event(Event),
    File { run: String, path: String, digest: Digest, size: u64 },
}

fn refuse(taken: &mut Taken, why: String) {
    if taken.refused.len() < 100 {
        taken.refused.push(why);
    }
}

fn one(
    workspace: &Workspace,
    w: &mut Writer<'_>,
    event: Event,
    known: &mut BTreeMap<String, ExperimentId>,
    taken: &mut Taken,
) -> Result<(), TrackingError> {
    match event {
        Event::Run(run) => begin(workspace, w, run, known, taken),
        Event::Params { run, pairs } => {
            let run = RunId::parse(run)?;
            let before = w.record(Kind::Run, run.as_str())?.map(|r| r.pairs("param")).unwrap_or_default();
            let mut new = BTreeMap::new();
            for (key, value) in pairs {
                match (checked_name("key", &key), before.get(&key)) {
                    (Err(error), _) => refuse(taken, error.message().to_owned()),
                    (Ok(()), Some(old)) if *old != shorten(&value, PARAM_VALUE_MAX) => {
                        refuse(taken, format!("the parameter {key} of run {run} is \"{old}\" here; a parameter does not change"));
                    }
                    (Ok(()), Some(_)) => {}
                    (Ok(()), None) => drop(new.insert(key, shorten(&value, PARAM_VALUE_MAX))),
                }
            }
            for params in super::runs::chunks(new) {
                w.append(Op::RunParamsLogged { run: run.clone(), params })?;
            }
            Ok(())
        }
        Event::Tags { run, pairs } => {
            let run = RunId::parse(run)?;
            let before = w.record(Kind::Run, run.as_str())?.map(|r| r.pairs("tag")).unwrap_or_default();
            let mut new = BTreeMap::new();
            for (key, value) in pairs {
                let value = shorten(&value, TAG_VALUE_MAX);
                if before.get(&key) != Some(&value) {
                    new.insert(key, value);
                }
            }
            for set in super::runs::chunks(new) {
                w.append(Op::RunTagged { run: run.clone(), set, removed: Vec::new() })?;
            }
            Ok(())
        }
        Event::Points { run, key, points } => {
            if let Err(error) = checked_name("key", &key) {
                refuse(taken, error.message().to_owned());
                return Ok(());
            }
            let run = RunId::parse(run)?;
            let points: Vec<Point> = points.into_iter().map(|(step, ts, value)| super::runs::clamped(Point { step, ts, value })).collect();
            let points = unless_others_have_them(workspace, w, &run, &key, points, taken)?;
            taken.points += points.len() as u64;
            Ok(w.log_points(&run, points.into_iter().map(|p| (key.as_str(), p)))?)
        }
        Event::Input { run, dataset } => input(w, run, dataset),
        Event::Ended { run, status, end_ms } => {
            let run = RunId::parse(run)?;
            let status = match status {
                Status::Finished => RunStatus::Finished,
                Status::Failed => RunStatus::Failed,
                Status::Killed => RunStatus::Killed,
            };
            let found = w.record(Kind::Run, run.as_str())?;
            let same = found.is_some_and(|r| r.get("status") == Some(status.as_str()) && r.int("end_ms") == end_ms);
            if !same {
                w.append(Op::RunUpdated { run: run.clone(), status, end_ms })?;
            }
            w.summarise(Some(&run))?;
            w.settle(&run)?;
            Ok(w.freshen_run(&run)?)
        }
        Event::Source { run, source, .. } => {
            let run = RunId::parse(run)?;
            if w.record(Kind::Run, run.as_str())?.is_some_and(|r| r.get("source").is_none()) {
                w.append(Op::RunSourceRecorded { run, source: source.to_map() })?;
            }
            Ok(())
        }
        Event::Reference { run, path, address, size, version } => {
            if artifact_path(&path).is_err() {
                refuse(taken, format!("the file \"{path}\" has a name that cannot be kept"));
                return Ok(());
            }
            let known = w.record(Kind::Run, &run)?.map(|r| artifacts_of(&r)).unwrap_or_default();
            let same = |a: &super::files::Artifact| {
                a.path == path && a.reference.as_ref().is_some_and(|r| r.address == address && r.version == version)
            };
            if !known.iter().any(same) {
                let owner = Subject { kind: Kind::Run, id: run };
                w.append(Op::ArtifactReferenced { owner, path, address, digest: None, size, version })?;
            }
            Ok(())
        }
        Event::File { .. } => Ok(()),
    }
}

/// Points of a run that another computer of the team logged are its points, and would count twice as ours.
fn unless_others_have_them(
    workspace: &Workspace,
    w: &Writer<'_>,
    run: &RunId,
    key: &str,
    points: Vec<Point>,
    taken: &mut Taken,
) -> Result<Vec<Point>, TrackingError> {
    let ours = w.record(Kind::Run, run.as_str())?.is_none_or(|r| r.device == workspace.device().as_str());
    if ours {
        return Ok(points);
    }
    let (known, complete) = w.points(run.as_str(), key)?;
    if !complete {
        refuse(taken, format!("points of {key} of run {run}: another computer logged the run, and not all its points are here to compare"));
        return Ok(Vec::new());
    }
    let name = |p: &Point| (p.step, p.ts, p.value.to_bits());
    let known: BTreeSet<_> = known.iter().map(name).collect();
    Ok(points.into_iter().filter(|p| !known.contains(&name(p))).collect())
}

fn begin(
    workspace: &Workspace,
    w: &mut Writer<'_>,
    new: Run,
    known: &mut BTreeMap<String, ExperimentId>,
    taken: &mut Taken,
) -> Result<(), TrackingError> {
    taken.runs.insert(new.id.clone());
    let run = RunId::parse(new.id)?;
    if w.record(Kind::Run, run.as_str())?.is_some() {
        return Ok(());
    }
    let experiment = match known.get(&new.experiment) {
        Some(found) => found.clone(),
        None => {
            let id = experiments::named_or_new(workspace, w, &new.experiment)?;
            known.insert(new.experiment, id.clone());
            id
        }
    };
    let mut tags = BTreeMap::new();
    tags.insert("mlflow.runName".to_owned(), new.name.map_or_else(|| run.to_string(), |n| shorten(&n, TAG_VALUE_MAX)));
    if let Some(parent) = new.parent {
        tags.insert("mlflow.parentRunId".to_owned(), parent);
    }
    w.append(Op::RunCreated { run, experiment, user: new.user, start_ms: new.start_ms, tags })?;
    Ok(())
}

fn input(w: &mut Writer<'_>, run: String, dataset: Dataset) -> Result<(), TrackingError> {
    let run = RunId::parse(run)?;
    let key = format!("{}@{}", dataset.name, dataset.digest);
    if w.record(Kind::Run, run.as_str())?.is_some_and(|r| r.get_key("input", &key).is_some()) {
        return Ok(());
    }
    let mut about = serde_json::Map::new();
    for (field, value) in [
        ("name", dataset.name),
        ("digest", dataset.digest),
        ("source_type", dataset.source_type),
        ("source", dataset.source),
        ("schema", dataset.schema),
        // A profile may have megabytes; what does not fit into a line of the log is left out.
        ("profile", Some(dataset.profile).filter(|p| p.len() < 32 * 1024).unwrap_or_default()),
    ] {
        if !value.is_empty() {
            about.insert(field.to_owned(), value.into());
        }
    }
    let tags = serde_json::json!([{ "key": "mlflow.data.context", "value": dataset.context }]);
    let value = if dataset.context.is_empty() {
        serde_json::json!({ "dataset": about })
    } else {
        serde_json::json!({ "dataset": about, "tags": tags })
    };
    w.append(Op::RunInputsLogged { run, inputs: [(key, value)].into() })?;
    Ok(())
}

fn file(w: &mut Writer<'_>, run: String, path: String, digest: Digest, size: u64, taken: &mut Taken) -> Result<(), TrackingError> {
    let Some(record) = w.record(Kind::Run, &run)? else { return Ok(()) };
    taken.files += 1;
    if artifacts_of(&record).iter().any(|a| a.path == path && a.stored() == Some(&digest)) {
        return Ok(());
    }
    w.append(Op::ArtifactLogged { owner: Subject { kind: Kind::Run, id: run }, path, digest, size })?;
    Ok(())
}

/// A name of somebody else as a title: without control characters, and not too long.
pub(crate) fn title(name: &str) -> Title {
    let short: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    Title::parse(short.trim()).unwrap_or_else(|_| Title::imported())
}
