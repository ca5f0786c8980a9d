//! TensorBoard's event files, as TensorFlow, PyTorch and tensorboardX write them.
//!
//! Each folder with event files is a run. A file is a sequence of records: length (u64), masked CRC-32C
//! of it, an `Event` message, masked CRC-32C of that. A last record that is not complete is still being
//! written. Read from the stream; no more of a file than one record is in memory.

use crate::source::{Content, Event, Measured, Outcome, Run, SourceError, Status, Take, modified_ms, plain_name, run_id};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// No record of a sane writer is larger; images are a few megabytes.
const RECORD_MAX: u64 = 256 * 1024 * 1024;
/// Points of a metric that are handed over at once.
const POINTS: usize = 4_096;
/// Pictures and sounds that are kept of one run.
const IMAGES_MAX: u64 = 1_000;
/// No more of histograms is in memory at once.
const HISTOGRAM_BYTES: usize = 8 * 1024 * 1024;
/// Steps of a histogram that go into one file.
const HISTOGRAMS: usize = 5_000;

/// The messages, as far as they are read. Source: tensorflow/core/util/event.proto and
/// tensorflow/core/framework/summary.proto, tensorboard/plugins/hparams/plugin_data.proto.
mod message {
    use prost::Message;
    use std::collections::HashMap;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Event {
        #[prost(double, tag = "1")]
        pub wall_time: f64,
        #[prost(int64, tag = "2")]
        pub step: i64,
        #[prost(message, optional, tag = "5")]
        pub summary: Option<Summary>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Summary {
        #[prost(message, repeated, tag = "1")]
        pub value: Vec<Value>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Value {
        #[prost(string, tag = "1")]
        pub tag: String,
        #[prost(float, optional, tag = "2")]
        pub simple_value: Option<f32>,
        #[prost(message, optional, tag = "4")]
        pub image: Option<Image>,
        #[prost(message, optional, tag = "5")]
        pub histo: Option<Histogram>,
        #[prost(message, optional, tag = "6")]
        pub audio: Option<Audio>,
        #[prost(message, optional, tag = "8")]
        pub tensor: Option<Tensor>,
        #[prost(message, optional, tag = "9")]
        pub metadata: Option<Metadata>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Histogram {
        #[prost(double, tag = "1")]
        pub min: f64,
        /// The upper edge of each bucket.
        #[prost(double, repeated, tag = "6")]
        pub limits: Vec<f64>,
        #[prost(double, repeated, tag = "7")]
        pub counts: Vec<f64>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Audio {
        #[prost(bytes = "vec", tag = "4")]
        pub encoded: Vec<u8>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Image {
        #[prost(bytes = "vec", tag = "4")]
        pub encoded: Vec<u8>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Tensor {
        #[prost(int32, tag = "1")]
        pub dtype: i32,
        #[prost(bytes = "vec", tag = "4")]
        pub content: Vec<u8>,
        #[prost(float, repeated, tag = "5")]
        pub float_val: Vec<f32>,
        #[prost(double, repeated, tag = "6")]
        pub double_val: Vec<f64>,
        #[prost(bytes = "vec", repeated, tag = "8")]
        pub string_val: Vec<Vec<u8>>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Metadata {
        #[prost(message, optional, tag = "1")]
        pub plugin: Option<Plugin>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Plugin {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(bytes = "vec", tag = "2")]
        pub content: Vec<u8>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Hparams {
        #[prost(message, optional, tag = "3")]
        pub start: Option<Start>,
        #[prost(message, optional, tag = "4")]
        pub end: Option<End>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Start {
        #[prost(map = "string, message", tag = "1")]
        pub hparams: HashMap<String, Hparam>,
    }

    /// `google.protobuf.Value`.
    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Hparam {
        #[prost(double, optional, tag = "2")]
        pub number: Option<f64>,
        #[prost(string, optional, tag = "3")]
        pub text: Option<String>,
        #[prost(bool, optional, tag = "4")]
        pub truth: Option<bool>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct End {
        /// 1 success, 2 failure
        #[prost(int32, tag = "1")]
        pub status: i32,
        #[prost(double, tag = "2")]
        pub end_time_secs: f64,
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// Bytes read of each file, by its path below the source.
    files: BTreeMap<String, u64>,
    /// Runs by folder.
    runs: BTreeMap<String, Known>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Known {
    id: String,
    /// The time of the newest event.
    last_ms: i64,
    images: u64,
    ended: bool,
}

fn is_events(name: &str) -> bool {
    name.contains("tfevents") && !name.ends_with(".profile-empty")
}

/// Whether there are event files somewhere below a folder, not too deep.
pub(crate) fn has_events(dir: &Path) -> bool {
    fn below(dir: &Path, depth: u32) -> bool {
        let Ok(entries) = std::fs::read_dir(dir) else { return false };
        entries.flatten().any(|e| {
            let path = e.path();
            if path.is_dir() { depth > 0 && below(&path, depth - 1) } else { is_events(&e.file_name().to_string_lossy()) }
        })
    }
    below(dir, 4)
}

/// The event files below a folder, by folder and name: that is the order in which they were written.
fn files(root: &Path) -> Result<Vec<PathBuf>, SourceError> {
    if root.is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let mut found = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).map_err(|e| SourceError::Io(dir.clone(), e))?.flatten() {
            let path = entry.path();
            // A link could lead in a circle.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => dirs.push(path),
                Ok(kind) if kind.is_file() && is_events(&entry.file_name().to_string_lossy()) => found.push(path),
                Ok(_) | Err(_) => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn read(root: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let mut position: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let mut outcome = Outcome::default();
    let base = if root.is_file() { root.parent().unwrap_or(root) } else { root };
    let experiment = base.file_name().map_or_else(|| "TensorBoard".to_owned(), |n| n.to_string_lossy().into_owned());
    for path in files(root)? {
        let name = path.strip_prefix(base).unwrap_or(&path).to_string_lossy().into_owned();
        let folder = name.rsplit_once('/').map_or(String::new(), |(dir, _)| dir.to_owned());
        let offset = position.files.get(&name).copied().unwrap_or(0);
        let known = position.runs.get(&folder).cloned();
        let mut one = OneFile {
            path: &path,
            folder: &folder,
            experiment: &experiment,
            run: known,
            points: BTreeMap::new(),
            histograms: BTreeMap::new(),
            held: 0,
            at: offset,
            now: offset,
        };
        let read = one.read(offset, take, &mut outcome)?;
        if let Some(run) = one.run {
            position.runs.insert(folder, run);
        }
        position.files.insert(name, read);
    }
    outcome.position = serde_json::to_value(&position).unwrap_or_default();
    Ok(outcome)
}

struct OneFile<'p> {
    path: &'p Path,
    folder: &'p str,
    experiment: &'p str,
    run: Option<Known>,
    points: BTreeMap<String, Vec<Measured>>,
    /// Histograms as JSON lines, with their steps.
    histograms: BTreeMap<String, Vec<(i64, String)>>,
    /// Bytes of histograms that are held.
    held: usize,
    /// Where in the file the histograms begin that are held, and where reading is.
    at: u64,
    now: u64,
}

impl OneFile<'_> {
    /// Reads complete records from `offset`; returns where they end.
    fn read(&mut self, mut offset: u64, take: Take<'_>, outcome: &mut Outcome) -> Result<u64, SourceError> {
        let io = |e| SourceError::Io(self.path.to_owned(), e);
        let file = File::open(self.path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        if size < offset {
            outcome.problem(self.path, format!("byte {size}"), "the file is shorter than it was; it is read again from its beginning");
            offset = 0;
        }
        let mut reader = BufReader::with_capacity(1 << 20, file);
        reader.seek(SeekFrom::Start(offset)).map_err(io)?;
        let mut record = Vec::new();
        while size - offset >= 16 {
            let mut head = [0_u8; 12];
            reader.read_exact(&mut head).map_err(io)?;
            let (length, check) = head.split_at(8);
            let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
            if masked(&head[..8]) != u32::from_le_bytes(check.try_into().unwrap_or_default()) || length > RECORD_MAX {
                // Nobody can say where the next record begins.
                outcome.problem(self.path, format!("byte {offset}"), "the file is damaged here; what is before it was read");
                offset = size;
                break;
            }
            if size - offset < 16 + length {
                break;
            }
            record.resize(usize::try_from(length).unwrap_or(0), 0);
            reader.read_exact(&mut record).map_err(io)?;
            let mut check = [0_u8; 4];
            reader.read_exact(&mut check).map_err(io)?;
            let event = <message::Event as prost::Message>::decode(record.as_slice());
            match event {
                Ok(event) if masked(&record) == u32::from_le_bytes(check) => self.event(event, take, outcome)?,
                Ok(_) | Err(_) => outcome.problem(self.path, format!("byte {offset}"), "a record is damaged; it was left out"),
            }
            offset += 16 + length;
            self.now = offset;
        }
        self.flush(take)?;
        Ok(offset)
    }

    fn run(&mut self, at_ms: i64, take: Take<'_>) -> Result<String, SourceError> {
        if let Some(run) = &mut self.run {
            run.last_ms = run.last_ms.max(at_ms);
            return Ok(run.id.clone());
        }
        // The first file's name holds the time, the computer and the process that wrote it.
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        let id = run_id(&["tensorboard", self.folder, &file]);
        let name = if self.folder.is_empty() { self.experiment } else { self.folder };
        take(Event::Run(Run {
            id: id.clone(),
            experiment: self.experiment.to_owned(),
            name: Some(name.to_owned()),
            start_ms: at_ms,
            ..Run::default()
        }))?;
        let folder = self.path.parent().unwrap_or(self.path).display().to_string();
        let pairs =
            vec![("mlflow.source.type".to_owned(), "LOCAL".to_owned()), ("cairn.source".to_owned(), format!("tensorboard:{folder}"))];
        take(Event::Tags { run: id.clone(), pairs })?;
        self.run = Some(Known { id: id.clone(), last_ms: at_ms, images: 0, ended: false });
        Ok(id)
    }

    fn event(&mut self, event: message::Event, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
        let Some(summary) = event.summary else { return Ok(()) };
        #[allow(clippy::cast_possible_truncation)] // seconds since 1970; what is absurd is cut to the ends
        let at_ms = (event.wall_time * 1e3).round() as i64;
        for value in summary.value {
            let plugin = value.metadata.as_ref().and_then(|m| m.plugin.as_ref());
            let kind = plugin.map_or("", |p| p.name.as_str());
            let key = plain_name(&value.tag);
            match (kind, &value) {
                ("hparams", _) => self.hparams(&plugin.map(|p| p.content.clone()).unwrap_or_default(), at_ms, take, outcome)?,
                (_, message::Value { simple_value: Some(v), .. }) => self.point(key, event.step, at_ms, f64::from(*v), take)?,
                ("text", message::Value { tensor: Some(tensor), .. }) => {
                    let text = tensor.string_val.iter().map(|b| String::from_utf8_lossy(b)).collect::<Vec<_>>().join("\n\n");
                    let run = self.run(at_ms, take)?;
                    // PyTorch's writers put it under "name/text_summary".
                    let key = key.strip_suffix("/text_summary").unwrap_or(&key);
                    let path = format!("text/{key}/step-{}.md", event.step);
                    take(Event::File { run, path, content: Content::Bytes(text.into_bytes()) })?;
                }
                (_, message::Value { image: Some(image), .. }) => {
                    self.image(&key, event.step, at_ms, image.encoded.clone(), take, outcome)?;
                }
                ("images", message::Value { tensor: Some(tensor), .. }) => {
                    // Width and height come first.
                    for (i, bytes) in tensor.string_val.iter().skip(2).enumerate() {
                        self.image(&format!("{key}/{i}"), event.step, at_ms, bytes.clone(), take, outcome)?;
                    }
                }
                ("scalars", message::Value { tensor: Some(tensor), .. }) => match scalar(tensor) {
                    Some(v) => self.point(key, event.step, at_ms, v, take)?,
                    None => outcome.left_out("scalars in a form that is not read"),
                },
                (_, message::Value { histo: Some(histogram), .. }) => {
                    let mut edges = vec![histogram.min];
                    edges.extend(&histogram.limits);
                    self.histogram(key, event.step, at_ms, &edges, &histogram.counts, take)?;
                }
                ("histograms", message::Value { tensor: Some(tensor), .. }) => {
                    // Rows of left edge, right edge, count.
                    let rows = doubles(tensor);
                    let mut edges: Vec<f64> = rows.first().copied().into_iter().collect();
                    edges.extend(rows.iter().skip(1).step_by(3));
                    let counts: Vec<f64> = rows.iter().skip(2).step_by(3).copied().collect();
                    self.histogram(key, event.step, at_ms, &edges, &counts, take)?;
                }
                (_, message::Value { audio: Some(audio), .. }) => {
                    self.image(&key, event.step, at_ms, audio.encoded.clone(), take, outcome)?;
                }
                ("audio", message::Value { tensor: Some(tensor), .. }) => {
                    // Each sound is followed by its label.
                    for (i, bytes) in tensor.string_val.iter().step_by(2).enumerate() {
                        self.image(&format!("{key}/{i}"), event.step, at_ms, bytes.clone(), take, outcome)?;
                    }
                }
                (other, _) => outcome.left_out(if other.is_empty() { "values of an unknown kind" } else { other }),
            }
        }
        Ok(())
    }

    fn point(&mut self, key: String, step: i64, at_ms: i64, value: f64, take: Take<'_>) -> Result<(), SourceError> {
        let run = self.run(at_ms, take)?;
        let points = self.points.entry(key.clone()).or_default();
        points.push((step, at_ms, value));
        if points.len() >= POINTS {
            let points = std::mem::take(points);
            take(Event::Points { run, key, points })?;
        }
        Ok(())
    }

    fn image(
        &mut self,
        key: &str,
        step: i64,
        at_ms: i64,
        bytes: Vec<u8>,
        take: Take<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), SourceError> {
        let run = self.run(at_ms, take)?;
        let ending = match bytes.get(..4) {
            Some([0x89, b'P', b'N', b'G']) => "png",
            Some([0xff, 0xd8, ..]) => "jpg",
            Some([b'G', b'I', b'F', ..]) => "gif",
            Some([b'R', b'I', b'F', b'F']) => "wav",
            _ => {
                outcome.left_out("pictures or sounds of an unknown kind");
                return Ok(());
            }
        };
        match &mut self.run {
            Some(run) if run.images < IMAGES_MAX => run.images += 1,
            Some(_) | None => {
                outcome.left_out("pictures and sounds beyond the first thousand of a run");
                return Ok(());
            }
        }
        let folder = if ending == "wav" { "audio" } else { "images" };
        take(Event::File { run, path: format!("{folder}/{key}/step-{step}.{ending}"), content: Content::Bytes(bytes) })?;
        Ok(())
    }

    fn hparams(&mut self, content: &[u8], at_ms: i64, take: Take<'_>, outcome: &mut Outcome) -> Result<(), SourceError> {
        let Ok(data) = <message::Hparams as prost::Message>::decode(content) else {
            outcome.left_out("hyper-parameters in a form that is not read");
            return Ok(());
        };
        let run = self.run(at_ms, take)?;
        if let Some(start) = data.start {
            let text = |p: message::Hparam| match p {
                message::Hparam { text: Some(text), .. } => text,
                message::Hparam { truth: Some(truth), .. } => truth.to_string(),
                message::Hparam { number: Some(number), .. } => number.to_string(),
                message::Hparam { .. } => String::new(),
            };
            let mut pairs: Vec<(String, String)> = start.hparams.into_iter().map(|(k, v)| (plain_name(&k), text(v))).collect();
            pairs.sort();
            take(Event::Params { run: run.clone(), pairs })?;
        }
        if let Some(end) = data.end {
            let status = if end.status == 2 { Status::Failed } else { Status::Finished };
            #[allow(clippy::cast_possible_truncation)] // seconds since 1970
            let end_ms = if end.end_time_secs > 0.0 { (end.end_time_secs * 1e3) as i64 } else { at_ms };
            self.flush(take)?;
            take(Event::Ended { run, status, end_ms: Some(end_ms) })?;
            if let Some(run) = &mut self.run {
                run.ended = true;
            }
        }
        Ok(())
    }

    /// `edges` has one more than `counts`; an edge or count that is no number is left as text.
    fn histogram(&mut self, key: String, step: i64, at_ms: i64, edges: &[f64], counts: &[f64], take: Take<'_>) -> Result<(), SourceError> {
        let run = self.run(at_ms, take)?;
        let number = |v: &f64| if v.is_finite() { Value::from(*v) } else { Value::from(v.to_string()) };
        let list = |all: &[f64]| all.iter().map(number).collect::<Vec<Value>>();
        let line = serde_json::json!({ "step": step, "time": at_ms, "edges": list(edges), "counts": list(counts) });
        let line = line.to_string();
        self.held += line.len();
        let lines = self.histograms.entry(key).or_default();
        lines.push((step, line));
        if lines.len() >= HISTOGRAMS || self.held >= HISTOGRAM_BYTES {
            self.keep_histograms(&run, take)?;
        }
        Ok(())
    }

    /// Files that are only ever added: one for the steps that were read at once, named by their steps and, but
    /// for the first, by their place in the log, so that none takes the place of another.
    fn keep_histograms(&mut self, run: &str, take: Take<'_>) -> Result<(), SourceError> {
        for (key, lines) in std::mem::take(&mut self.histograms) {
            let (Some((first, _)), Some((last, _))) = (lines.first(), lines.last()) else { continue };
            let text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
            let place = if self.at == 0 { String::new() } else { format!("-from-{}", self.at) };
            let path = format!("histograms/{key}/steps-{first}-{last}{place}.jsonl");
            take(Event::File { run: run.to_owned(), path, content: Content::Bytes(text.into_bytes()) })?;
        }
        self.held = 0;
        self.at = self.now;
        Ok(())
    }

    fn flush(&mut self, take: Take<'_>) -> Result<(), SourceError> {
        let Some(run) = self.run.as_ref().map(|r| r.id.clone()) else { return Ok(()) };
        self.keep_histograms(&run, take)?;
        for (key, points) in std::mem::take(&mut self.points) {
            if !points.is_empty() {
                take(Event::Points { run: run.clone(), key, points })?;
            }
        }
        Ok(())
    }
}

/// The values of a tensor of 64-bit numbers.
fn doubles(tensor: &message::Tensor) -> Vec<f64> {
    if !tensor.double_val.is_empty() {
        return tensor.double_val.clone();
    }
    tensor.content.chunks_exact(8).filter_map(|b| Some(f64::from_le_bytes(b.try_into().ok()?))).collect()
}

fn scalar(tensor: &message::Tensor) -> Option<f64> {
    const FLOAT: i32 = 1;
    const DOUBLE: i32 = 2;
    if let Some(v) = tensor.float_val.first() {
        return Some(f64::from(*v));
    }
    if let Some(v) = tensor.double_val.first() {
        return Some(*v);
    }
    match tensor.dtype {
        FLOAT => Some(f64::from(f32::from_le_bytes(tensor.content.get(..4)?.try_into().ok()?))),
        DOUBLE => Some(f64::from_le_bytes(tensor.content.get(..8)?.try_into().ok()?)),
        _ => None,
    }
}

/// The check that TFRecord files use: CRC-32C, rotated and shifted.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The runs that have not ended and whose files nobody touched for so long that they must have: ids
/// and the time of their last event.
pub(crate) fn quiet_runs(root: &Path, position: &Value, now_ms: i64, patience_ms: i64) -> Vec<(String, i64)> {
    let position: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let base = if root.is_file() { root.parent().unwrap_or(root) } else { root };
    let newest = |folder: &str| {
        let of = |name: &&String| name.rsplit_once('/').map_or("", |(dir, _)| dir) == folder;
        position.files.keys().filter(of).map(|name| modified_ms(&base.join(name))).max().unwrap_or(0)
    };
    let quiet =
        |(folder, run): (&String, &Known)| (!run.ended && now_ms - newest(folder) > patience_ms).then(|| (run.id.clone(), run.last_ms));
    position.runs.iter().filter_map(quiet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    fn record(event: &message::Event) -> Vec<u8> {
        let data = event.encode_to_vec();
        let length = (data.len() as u64).to_le_bytes();
        [&length[..], &masked(&length).to_le_bytes(), &data, &masked(&data).to_le_bytes()].concat()
    }

    fn scalar_event(step: i64, value: f32) -> message::Event {
        let value = message::Value { tag: "loss/train".into(), simple_value: Some(value), ..Default::default() };
        message::Event { wall_time: 1_700_000_000.0 + step as f64, step, summary: Some(message::Summary { value: vec![value] }) }
    }

    fn all(root: &Path, position: &Value) -> (Vec<Event>, Outcome) {
        let mut events = Vec::new();
        let outcome = read(root, position, &mut |e| {
            events.push(e);
            Ok(())
        })
        .unwrap();
        (events, outcome)
    }

    fn points(events: &[Event]) -> Vec<(i64, f64)> {
        let of = |e: &Event| if let Event::Points { points, .. } = e { points.clone() } else { vec![] };
        events.iter().flat_map(of).map(|(step, _, v)| (step, v)).collect()
    }

    #[test]
    fn a_file_that_grows_is_read_on_and_nothing_twice() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a/events.out.tfevents.1.host");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let whole: Vec<u8> = (0..5).flat_map(|i| record(&scalar_event(i, i as f32))).collect();
        // Cut in the middle of the fourth record, as a writer leaves it for a moment.
        std::fs::write(&file, &whole[..whole.len() - whole.len() / 5 - 7]).unwrap();
        let (events, outcome) = all(dir.path(), &Value::Null);
        assert_eq!(points(&events), [(0, 0.0), (1, 1.0), (2, 2.0)]);
        assert!(outcome.problems.is_empty(), "a record that is still being written is no damage");
        std::fs::write(&file, &whole).unwrap();
        let (more, outcome) = all(dir.path(), &outcome.position);
        assert_eq!(points(&more), [(3, 3.0), (4, 4.0)]);
        let none = all(dir.path(), &outcome.position).0;
        assert!(none.is_empty());
        assert!(matches!(&events[0], Event::Run(run) if run.name.as_deref() == Some("a") && run.start_ms == 1_700_000_000_000));
    }

    #[test]
    fn damage_is_named_with_its_place_and_the_rest_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("events.out.tfevents.1.host");
        let one = record(&scalar_event(0, 0.5)).len();
        let mut bytes: Vec<u8> = (0..4).flat_map(|i| record(&scalar_event(i, i as f32))).collect();
        bytes[one + 20] ^= 0xff;
        std::fs::write(&file, &bytes).unwrap();
        let (events, outcome) = all(dir.path(), &Value::Null);
        assert_eq!(points(&events).len(), 3, "one record is damaged, the others are read");
        assert_eq!(outcome.problems[0].place, format!("byte {one}"));
        let third = one + record(&scalar_event(1, 1.0)).len();
        bytes[third] ^= 0xff;
        std::fs::write(&file, &bytes).unwrap();
        let (events, outcome) = all(dir.path(), &Value::Null);
        assert_eq!(points(&events).len(), 1, "a damaged length ends the file");
        assert_eq!(outcome.problems.len(), 2);
    }

    #[test]
    fn any_bytes_are_an_answer_and_never_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("events.out.tfevents.1.host");
        let good: Vec<u8> = (0..3).flat_map(|i| record(&scalar_event(i, i as f32))).collect();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] = bad[at].wrapping_add(101);
            std::fs::write(&file, &bad[..bad.len() - at % 5]).unwrap();
            let _ = all(dir.path(), &Value::Null);
        }
    }
}
