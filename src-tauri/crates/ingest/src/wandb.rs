//! Runs that W&B logged without a network: `offline-run-…/run-<id>.wandb`, and the files beside it.
//!
//! The file is a log in blocks of 32 KiB, as LevelDB has it, after a head of seven bytes; each record is a
//! `Record` of W&B's `wandb_internal.proto`, as far as it is read. Its form may change with W&B; what is not
//! known is left out and counted.

use crate::mlflow_db::files_below;
use crate::source::{Content, Event, Held, Outcome, Run, SourceError, Status, Take, as_number, as_text, flat, plain_name, run_id};
use cairn_core::source::{Code, Environment, RunSource};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const BLOCK: u64 = 32 * 1024;
const HEAD: [u8; 4] = *b":W&B";
/// A record in pieces is no longer than this.
const RECORD_MAX: usize = 64 * 1024 * 1024;

/// The messages, as far as they are read. Source: W&B's `wandb_internal.proto`, seen in version 0.31.
mod message {
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Record {
        #[prost(message, optional, tag = "2")]
        pub history: Option<History>,
        #[prost(message, optional, tag = "3")]
        pub summary: Option<Items>,
        #[prost(message, optional, tag = "5")]
        pub config: Option<Items>,
        #[prost(message, optional, tag = "7")]
        pub stats: Option<Stats>,
        #[prost(message, optional, tag = "13")]
        pub output: Option<Output>,
        #[prost(message, optional, tag = "17")]
        pub run: Option<Run>,
        #[prost(message, optional, tag = "18")]
        pub exit: Option<Exit>,
        #[prost(message, optional, tag = "26")]
        pub environment: Option<Environment>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Time {
        #[prost(int64, tag = "1")]
        pub seconds: i64,
        #[prost(int32, tag = "2")]
        pub nanos: i32,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Run {
        #[prost(string, tag = "1")]
        pub run_id: String,
        #[prost(string, tag = "3")]
        pub project: String,
        #[prost(message, optional, tag = "4")]
        pub config: Option<Items>,
        #[prost(string, tag = "6")]
        pub group: String,
        #[prost(string, tag = "7")]
        pub job_type: String,
        #[prost(string, tag = "8")]
        pub display_name: String,
        #[prost(string, tag = "9")]
        pub notes: String,
        #[prost(string, repeated, tag = "10")]
        pub tags: Vec<String>,
        #[prost(message, optional, tag = "17")]
        pub start: Option<Time>,
        #[prost(message, optional, tag = "21")]
        pub git: Option<Git>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Git {
        #[prost(string, tag = "1")]
        pub remote: String,
        #[prost(string, tag = "2")]
        pub commit: String,
    }

    /// Of a configuration, a summary, or the system's measurements.
    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Items {
        #[prost(message, repeated, tag = "1")]
        pub update: Vec<Item>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Item {
        #[prost(string, tag = "1")]
        pub key: String,
        #[prost(string, repeated, tag = "2")]
        pub nested: Vec<String>,
        #[prost(bool, optional, tag = "4")]
        pub boolean: Option<bool>,
        #[prost(sint64, optional, tag = "5")]
        pub integer: Option<i64>,
        #[prost(double, optional, tag = "6")]
        pub number: Option<f64>,
        #[prost(string, tag = "16")]
        pub json: String,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct History {
        #[prost(message, repeated, tag = "1")]
        pub item: Vec<Item>,
        #[prost(message, optional, tag = "2")]
        pub step: Option<Step>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Step {
        #[prost(int64, tag = "1")]
        pub num: i64,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Stats {
        #[prost(message, optional, tag = "2")]
        pub at: Option<Time>,
        #[prost(message, repeated, tag = "3")]
        pub item: Vec<Item>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Output {
        #[prost(string, tag = "3")]
        pub line: String,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Exit {
        #[prost(int32, tag = "1")]
        pub code: i32,
        #[prost(int32, tag = "2")]
        pub runtime: i32,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Environment {
        #[prost(string, tag = "1")]
        pub os: String,
        #[prost(string, tag = "2")]
        pub python: String,
        #[prost(string, repeated, tag = "5")]
        pub args: Vec<String>,
        #[prost(string, tag = "6")]
        pub program: String,
        #[prost(string, tag = "8")]
        pub code_path: String,
        #[prost(message, optional, tag = "9")]
        pub git: Option<Git>,
        #[prost(string, tag = "11")]
        pub root: String,
        #[prost(string, tag = "13")]
        pub user: String,
        #[prost(string, tag = "14")]
        pub executable: String,
        #[prost(uint32, tag = "16")]
        pub cpus: u32,
        #[prost(string, tag = "18")]
        pub gpu: String,
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// By the file's path below the source.
    files: BTreeMap<String, Known>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Known {
    bytes: u64,
    run: Option<String>,
    start_ms: i64,
    ended: bool,
    /// What was found of the run's source so far; it is told once, when the run has ended.
    #[serde(default)]
    source: RunSource,
}

/// The logs below a folder.
fn logs(root: &Path) -> Vec<(String, PathBuf)> {
    if root.is_file() {
        let name = root.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        return vec![(name, root.to_owned())];
    }
    let mut found = Vec::new();
    // wandb/offline-run-…/run-….wandb, seen from the folder itself, from `wandb`, or from the run's folder.
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < 2 => folders.push((path, depth + 1)),
                Ok(kind) if kind.is_file() && path.extension().is_some_and(|e| e == "wandb") => {
                    let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                    found.push((name, path));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    found.sort();
    found
}

/// A script that was killed wrote no end.
pub(crate) fn quiet_runs(root: &Path, position: &Value, now_ms: i64, patience_ms: i64) -> Vec<(String, i64)> {
    let position: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let mut quiet = Vec::new();
    for (name, path) in logs(root) {
        let last = crate::source::modified_ms(&path);
        let open = position.files.get(&name).filter(|k| !k.ended).and_then(|k| k.run.clone());
        quiet.extend(open.filter(|_| now_ms - last > patience_ms).map(|run| (run, last)));
    }
    quiet
}

/// Whether there are runs of W&B in a folder.
pub(crate) fn has_runs(path: &Path) -> bool {
    !logs(path).is_empty()
}

pub(crate) fn read(root: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let mut position: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let mut outcome = Outcome::default();
    for (name, path) in logs(root) {
        let known = position.files.remove(&name).unwrap_or_default();
        let mut one = OneLog { path: &path, known, held: Held::default(), output: String::new() };
        let failed = one.read(take, &mut outcome);
        position.files.insert(name, one.known);
        failed?;
    }
    outcome.position = serde_json::to_value(&position).unwrap_or_default();
    Ok(outcome)
}

struct OneLog<'p> {
    path: &'p Path,
    known: Known,
    held: Held,
    output: String,
}

/// What comes after a piece of a log.
enum Next {
    Record(Vec<u8>),
    /// The rest is still being written.
    Wait,
    /// A piece is damaged; the log goes on with the next block.
    Damaged(u64),
}

struct Log {
    reader: BufReader<File>,
    at: u64,
    size: u64,
}

impl Log {
    /// The next whole record.
    fn next(&mut self) -> std::io::Result<Next> {
        let mut record = Vec::new();
        loop {
            let left = BLOCK - self.at % BLOCK;
            if left < 7 {
                self.skip(left)?;
                continue;
            }
            if self.at + 7 > self.size {
                return Ok(Next::Wait);
            }
            let mut head = [0_u8; 7];
            self.reader.read_exact(&mut head)?;
            let length = u64::from(u16::from_le_bytes([head[4], head[5]]));
            if self.at + 7 + length > self.size {
                return Ok(Next::Wait);
            }
            let mut piece = vec![0_u8; usize::try_from(length).unwrap_or(0)];
            let begin = self.at;
            self.at += 7;
            if 7 + length > left {
                return self.damaged(begin);
            }
            self.reader.read_exact(&mut piece)?;
            self.at += length;
            let mut check = crc32fast::Hasher::new();
            check.update(&head[6..]);
            check.update(&piece);
            if check.finalize() != u32::from_le_bytes([head[0], head[1], head[2], head[3]]) || record.len() + piece.len() > RECORD_MAX {
                return self.damaged(begin);
            }
            record.extend_from_slice(&piece);
            match head[6] {
                // Whole, or the last piece.
                1 | 4 => return Ok(Next::Record(record)),
                2 | 3 => {}
                _ => return self.damaged(begin),
            }
        }
    }

    fn damaged(&mut self, at: u64) -> std::io::Result<Next> {
        let next = (at / BLOCK + 1) * BLOCK;
        self.at = next.min(self.size);
        self.reader.seek(SeekFrom::Start(self.at))?;
        Ok(Next::Damaged(at))
    }

    fn skip(&mut self, bytes: u64) -> std::io::Result<()> {
        self.at += bytes;
        self.reader.seek(SeekFrom::Start(self.at)).map(drop)
    }
}

fn ms(time: Option<&message::Time>) -> Option<i64> {
    time.map(|t| t.seconds.saturating_mul(1000).saturating_add(i64::from(t.nanos) / 1_000_000))
}

/// JSON as W&B writes it: NaN and infinities stand bare.
fn json(text: &str) -> Value {
    match text.trim() {
        word @ ("NaN" | "Infinity" | "-Infinity") => Value::from(word),
        text => serde_json::from_str(text).unwrap_or(Value::Null),
    }
}

impl message::Item {
    fn name(&self) -> String {
        if self.nested.is_empty() { self.key.clone() } else { self.nested.join(".") }
    }
    fn value(&self) -> Value {
        if let Some(truth) = self.boolean {
            return truth.into();
        }
        if let Some(number) = self.integer {
            return number.into();
        }
        match self.number {
            Some(number) if number.is_nan() => "NaN".into(),
            Some(number) if number.is_infinite() => if number > 0.0 { "Infinity" } else { "-Infinity" }.into(),
            Some(number) => number.into(),
            None => json(&self.json),
        }
    }
}

impl OneLog<'_> {
    fn read(&mut self, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
        let io = |e| SourceError::Io(self.path.to_owned(), e);
        let file = File::open(self.path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        if size == self.known.bytes {
            return Ok(());
        }
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let mut head = [0_u8; 7];
        if size < 7 {
            return Ok(());
        }
        reader.read_exact(&mut head).map_err(io)?;
        if head[..4] != HEAD {
            outcome.problem(self.path, "byte 0", "this is no log of W&B");
            self.known.bytes = size;
            return Ok(());
        }
        let begin = if self.known.bytes > size { 7 } else { self.known.bytes.max(7) };
        reader.seek(SeekFrom::Start(begin)).map_err(io)?;
        let mut log = Log { reader, at: begin, size };
        loop {
            match log.next().map_err(|e| SourceError::Io(self.path.to_owned(), e))? {
                Next::Wait => break,
                Next::Damaged(at) => {
                    outcome.problem(self.path, format!("byte {at}"), "the log is damaged here; it was read on from its next block");
                    self.known.bytes = log.at;
                }
                Next::Record(bytes) => {
                    match message::Record::decode(bytes.as_slice()) {
                        Ok(record) => self.record(record, take, outcome)?,
                        Err(_) => outcome.left_out("records in a form that is not read"),
                    }
                    self.known.bytes = log.at;
                }
            }
        }
        self.held.flush(take)?;
        self.keep_output(take)
    }

    fn record(&mut self, record: message::Record, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
        if let Some(run) = record.run {
            self.begin(run, take)?;
        }
        let Some(run) = self.known.run.clone() else { return Ok(()) };
        if let Some(config) = record.config {
            self.params(&run, &config, take)?;
        }
        if let Some(history) = record.history {
            self.history(&run, &history, outcome);
        }
        if let Some(summary) = record.summary {
            // The last values are the metrics' own; what was only summarised is a metric of one point.
            for item in summary.update {
                let name = item.name();
                if item.nested.is_empty() && !name.starts_with('_') {
                    match as_number(&item.value()) {
                        Some(value) => self.held.push(run.clone(), plain_name(&name), (0, self.known.start_ms, value)),
                        None => outcome.left_out("values that are no numbers"),
                    }
                }
            }
        }
        if let Some(stats) = record.stats {
            let at = ms(stats.at.as_ref()).unwrap_or(self.known.start_ms);
            let step = (at - self.known.start_ms) / 1000;
            for item in stats.item {
                if let Some(value) = as_number(&item.value()) {
                    self.held.push(run.clone(), plain_name(&format!("system/{}", item.name())), (step, at, value));
                }
            }
        }
        if let Some(output) = record.output {
            self.output.push_str(&output.line);
        }
        if let Some(environment) = record.environment {
            self.environment(&environment);
        }
        if self.held.count > 10_000 {
            self.held.flush(take)?;
        }
        if let Some(exit) = record.exit {
            self.held.flush(take)?;
            self.keep_output(take)?;
            self.files(&run, take)?;
            let status = if exit.code == 0 { Status::Finished } else { Status::Failed };
            let end_ms = Some(self.known.start_ms + i64::from(exit.runtime) * 1000);
            take(Event::Ended { run, status, end_ms })?;
            self.known.ended = true;
        }
        Ok(())
    }

    fn begin(&mut self, run: message::Run, take: Take<'_>) -> Result<(), SourceError> {
        if self.known.run.is_none() {
            let start_ms = ms(run.start.as_ref()).unwrap_or_else(|| crate::source::modified_ms(self.path));
            let id = run_id(&["wandb", &run.project, &run.run_id, &start_ms.to_string()]);
            let experiment = if run.project.is_empty() { "W&B".to_owned() } else { run.project.clone() };
            let name = if run.display_name.is_empty() { run.run_id.clone() } else { run.display_name.clone() };
            take(Event::Run(Run { id: id.clone(), experiment, name: Some(name), start_ms, ..Run::default() }))?;
            let mut pairs = vec![("cairn.source".to_owned(), format!("wandb:{}", self.path.display()))];
            let mut add = |key: &str, value: String| {
                if !value.is_empty() {
                    pairs.push((key.to_owned(), value));
                }
            };
            add("wandb.id", run.run_id.clone());
            add("wandb.group", run.group.clone());
            add("wandb.job_type", run.job_type.clone());
            add("wandb.tags", run.tags.join(", "));
            add("mlflow.note.content", run.notes.clone());
            take(Event::Tags { run: id.clone(), pairs })?;
            self.known.run = Some(id);
            self.known.start_ms = start_ms;
        }
        if let Some(git) = run.git.filter(|g| !g.commit.is_empty()) {
            self.code(git);
        }
        match (self.known.run.clone(), run.config) {
            (Some(run), Some(config)) => self.params(&run, &config, take),
            _ => Ok(()),
        }
    }

    fn code(&mut self, git: message::Git) {
        let code = self.known.source.code.get_or_insert_with(Code::default);
        code.commit = Some(git.commit).filter(|c| !c.is_empty());
        code.remote = Some(git.remote).filter(|r| !r.is_empty());
    }

    fn params(&mut self, run: &str, config: &message::Items, take: Take<'_>) -> Result<(), SourceError> {
        let mut pairs = Vec::new();
        for item in config.update.iter().filter(|i| !i.name().starts_with('_')) {
            flat(&item.name(), &item.value(), &mut pairs);
        }
        let pairs: Vec<_> = pairs.into_iter().map(|(k, v)| (plain_name(&k), as_text(&v))).collect();
        if pairs.is_empty() { Ok(()) } else { Ok(take(Event::Params { run: run.to_owned(), pairs })?) }
    }

    #[allow(clippy::cast_possible_truncation)] // seconds since 1970; what is absurd is cut to the ends
    fn history(&mut self, run: &str, history: &message::History, outcome: &mut Outcome) {
        let of = |wanted: &str| history.item.iter().find(|i| i.name() == wanted).and_then(|i| as_number(&i.value()));
        let step = history.step.as_ref().map_or_else(|| of("_step").map_or(0, |s| s as i64), |s| s.num);
        let at = of("_timestamp").filter(|t| t.is_finite()).map_or(self.known.start_ms, |t| (t * 1e3).round() as i64);
        for item in history.item.iter().filter(|i| !i.name().starts_with('_')) {
            let mut pairs = Vec::new();
            flat(&item.name(), &item.value(), &mut pairs);
            for (key, value) in pairs {
                match as_number(&value) {
                    Some(value) => self.held.push(run.to_owned(), plain_name(&key), (step, at, value)),
                    None => outcome.left_out("values that are no numbers (tables, pictures, histograms)"),
                }
            }
        }
    }

    fn environment(&mut self, found: &message::Environment) {
        let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
        if let Some(git) = found.git.clone().filter(|g| !g.commit.is_empty()) {
            self.code(git);
        }
        if !found.program.is_empty() {
            self.known.source.script = some(&found.code_path).or_else(|| some(&found.program));
            self.known.source.folder = some(&found.root);
            let python = some(&found.executable).unwrap_or_else(|| "python".to_owned());
            self.known.source.command = [python, found.program.clone()].into_iter().chain(found.args.clone()).collect();
        }
        let environment = self.known.source.environment.get_or_insert_with(Environment::default);
        environment.system = some(&found.os).or(environment.system.take());
        environment.python = found.python.split(' ').next_back().and_then(some).or(environment.python.take());
        environment.cores = environment.cores.max(u64::from(found.cpus));
        if environment.gpus.is_empty() {
            environment.gpus.extend(some(&found.gpu));
        }
    }

    /// What the script printed; the log goes on as a new file where it was read in parts.
    fn keep_output(&mut self, take: Take<'_>) -> Result<(), SourceError> {
        let text = std::mem::take(&mut self.output);
        let whole = self.path.parent().map(|p| p.join("files/output.log"));
        match self.known.run.clone() {
            Some(run) if !text.is_empty() && !whole.is_some_and(|w| w.is_file()) => {
                Ok(take(Event::File { run, path: format!("output/{}.log", self.known.bytes), content: Content::Bytes(text.into_bytes()) })?)
            }
            _ => Ok(()),
        }
    }

    /// The files that W&B keeps beside the log, once the run has ended; packages and differences become its source.
    fn files(&mut self, run: &str, take: Take<'_>) -> Result<(), SourceError> {
        let Some(folder) = self.path.parent().map(|p| p.join("files")) else { return Ok(()) };
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap_or_default();
        let (packages, changes) = (read("requirements.txt"), read("diff.patch"));
        let mut source = std::mem::take(&mut self.known.source);
        if !packages.is_empty() {
            let environment = source.environment.get_or_insert_with(Environment::default);
            environment.packages_count = packages.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count() as u64;
        }
        if source != RunSource::default() {
            source.command = source.command.iter().map(|w| w.chars().take(4_000).collect()).collect();
            take(Event::Source { run: run.to_owned(), source: Box::new(source), changes, packages })?;
        }
        for (path, from) in files_below(&folder) {
            if !matches!(path.as_str(), "requirements.txt" | "diff.patch" | "wandb-summary.json" | "wandb-metadata.json" | "config.yaml") {
                take(Event::File { run: run.to_owned(), path, content: Content::At(from) })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log as W&B writes it: pieces that fit into blocks.
    fn log(records: &[message::Record]) -> Vec<u8> {
        let mut out = [&HEAD[..], &[0xe1, 0xbe, 0]].concat();
        for record in records {
            let data = record.encode_to_vec();
            let mut rest = data.as_slice();
            let mut first = true;
            loop {
                let left = usize::try_from(BLOCK).unwrap() - out.len() % usize::try_from(BLOCK).unwrap();
                if left < 7 {
                    out.extend(vec![0; left]);
                    continue;
                }
                let (piece, more) = rest.split_at(rest.len().min(left - 7));
                let kind: u8 = match (first, more.is_empty()) {
                    (true, true) => 1,
                    (true, false) => 2,
                    (false, false) => 3,
                    (false, true) => 4,
                };
                let mut check = crc32fast::Hasher::new();
                check.update(&[kind]);
                check.update(piece);
                out.extend(check.finalize().to_le_bytes());
                out.extend(u16::try_from(piece.len()).unwrap().to_le_bytes());
                out.push(kind);
                out.extend(piece);
                (rest, first) = (more, false);
                if rest.is_empty() {
                    break;
                }
            }
        }
        out
    }

    fn item(key: &str, json: &str) -> message::Item {
        message::Item { nested: vec![key.to_owned()], json: json.to_owned(), ..Default::default() }
    }

    fn records(steps: i64) -> Vec<message::Record> {
        let run = message::Run {
            run_id: "abc".into(),
            project: "churn".into(),
            start: Some(message::Time { seconds: 1_700_000_000, nanos: 0 }),
            ..Default::default()
        };
        let mut all = vec![message::Record { run: Some(run), ..Default::default() }];
        for step in 0..steps {
            let value = if step == 2 { "NaN".to_owned() } else { (step * 2).to_string() };
            let history = message::History {
                item: vec![item("loss", &value), item("_timestamp", "1700000001.5")],
                step: Some(message::Step { num: step }),
            };
            all.push(message::Record { history: Some(history), ..Default::default() });
        }
        all
    }

    fn all(path: &Path, position: &Value) -> (Vec<Event>, Outcome) {
        let mut events = Vec::new();
        let outcome = read(path, position, &mut |e| {
            events.push(e);
            Ok(())
        })
        .unwrap();
        (events, outcome)
    }

    fn points(events: &[Event]) -> usize {
        events.iter().map(|e| if let Event::Points { points, .. } = e { points.len() } else { 0 }).sum()
    }

    #[test]
    fn a_log_that_grows_over_blocks_is_read_on_and_nothing_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run-abc.wandb");
        let whole = log(&records(3_000));
        assert!(whole.len() > 100_000, "several blocks");
        let (mut seen, mut position) = (0, Value::Null);
        for cut in [5, 7, 3_000, 32_768, 32_775, 70_001, whole.len()] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (events, outcome) = all(&path, &position);
            assert_eq!(outcome.problems, [], "what is still being written is no damage");
            seen += points(&events);
            position = outcome.position;
        }
        assert_eq!(seen, 3_000);
        assert_eq!(all(&path, &position).0, []);
    }

    #[test]
    fn damage_costs_a_block_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run-abc.wandb");
        let mut bytes = log(&records(3_000));
        bytes[40_000] ^= 0xff;
        std::fs::write(&path, &bytes).unwrap();
        let (events, outcome) = all(&path, &Value::Null);
        assert_eq!(outcome.problems.len(), 1);
        assert!((1_500..3_000).contains(&points(&events)), "{}", points(&events));
        for at in (0..bytes.len()).step_by(211) {
            let mut bad = bytes.clone();
            bad[at] = bad[at].wrapping_add(77);
            std::fs::write(&path, &bad).unwrap();
            all(&path, &Value::Null);
        }
    }
}
