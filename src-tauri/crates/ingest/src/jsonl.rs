//! JSON lines: what any language writes with a print statement.
//!
//! Each line is an object. `run`, `experiment`, `step`, `time` (seconds since 1970, or milliseconds
//! when above 10^11), `params`, `tags`, `metrics`, `status` and `name` have a meaning; every other key
//! with a number is a metric. Without `run` the file is one run.

use crate::source::{Event, Held, Outcome, Run, SourceError, Status, Take, modified_ms, plain_name, run_id};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The longest line that is read.
const LINE_MAX: usize = 8 * 1024 * 1024;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    bytes: u64,
    line: u64,
    /// Runs by name, and the step that the next line without one gets.
    runs: BTreeMap<String, (String, i64)>,
    /// What was there at the beginning: a new file of the same name has another.
    head: String,
}

/// Lines that come one by one, from a program that is still running. What they say without naming a run is
/// said of one that is there already.
pub struct Lines {
    at: Position,
    name: String,
    held: Held,
    /// What could not be read so far.
    pub outcome: Outcome,
}

impl Lines {
    /// Lines about the run of this id.
    pub fn about(run: &str) -> Self {
        let mut at = Position::default();
        at.runs.insert(run.to_owned(), (run.to_owned(), 0));
        Self { at, name: run.to_owned(), held: Held::default(), outcome: Outcome::default() }
    }

    /// Takes one line. `false`: it is no JSON object, and says nothing.
    ///
    /// # Errors
    /// Only what `take` answers.
    pub fn line(&mut self, text: &[u8], now_ms: i64, take: Take<'_>) -> Result<bool, SourceError> {
        self.at.line += 1;
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(text.trim_ascii()) else { return Ok(false) };
        let path = Path::new("standard input");
        one_line(&object, &mut self.at, (&self.name, path, now_ms), &mut self.held, take, &mut self.outcome)?;
        Ok(true)
    }

    /// Hands over the points that wait.
    ///
    /// # Errors
    /// Only what `take` answers.
    pub fn flush(&mut self, take: Take<'_>) -> Result<(), SourceError> {
        self.held.flush(take)
    }
}

pub(crate) fn read(path: &Path, position: &Value, take: Take<'_>) -> Result<Outcome, SourceError> {
    let mut at: Position = serde_json::from_value(position.clone()).unwrap_or_default();
    let mut outcome = Outcome::default();
    let io = |e| SourceError::Io(path.to_owned(), e);
    let file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut head = String::new();
    reader.by_ref_take(200, &mut head).map_err(io)?;
    if size < at.bytes || !head.starts_with(&at.head) {
        // A log that was rotated away: the file of this name is another one now.
        at = Position::default();
    }
    at.head = head;
    reader.seek(SeekFrom::Start(at.bytes)).map_err(io)?;
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let mut held = Held::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        // No more of a line than is read is ever in memory.
        let mut read = Read::by_ref(&mut reader).take(LINE_MAX as u64 + 1).read_until(b'\n', &mut line).map_err(io)? as u64;
        let long = line.len() > LINE_MAX;
        let ended = line.last() == Some(&b'\n');
        if long && !ended {
            match skip_line(&mut reader).map_err(io)? {
                Some(rest) => read += rest,
                None => break,
            }
        } else if !ended {
            // A line without its end is still being written.
            break;
        }
        at.bytes += read;
        at.line += 1;
        if long {
            outcome.problem(path, format!("line {}", at.line), "the line is longer than 8 MiB; it was left out");
            continue;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let object: Map<String, Value> = match serde_json::from_slice(text) {
            Ok(object) => object,
            Err(error) => {
                outcome.problem(path, format!("line {}", at.line), format!("no JSON object: {error}"));
                continue;
            }
        };
        let fallback_ms = modified_ms(path);
        one_line(&object, &mut at, (&stem, path, fallback_ms), &mut held, take, &mut outcome)?;
        if held.count > 50_000 {
            held.flush(take)?;
        }
    }
    held.flush(take)?;
    outcome.position = serde_json::to_value(&at).unwrap_or_default();
    Ok(outcome)
}

/// Goes to the end of a line; returns how many bytes that was, none if the file ends before.
fn skip_line(reader: &mut impl BufRead) -> std::io::Result<Option<u64>> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let (here, found) = match buffer.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        reader.consume(here);
        skipped += here as u64;
        if found {
            return Ok(Some(skipped));
        }
    }
}

/// A number, or one of the words that JSON has no number for.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" | "nan" => Some(f64::NAN),
            "Infinity" | "inf" => Some(f64::INFINITY),
            "-Infinity" | "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[allow(clippy::cast_possible_truncation)] // times and steps; what is absurd is cut to the ends
fn one_line(
    object: &Map<String, Value>,
    at: &mut Position,
    (stem, path, fallback_ms): (&str, &Path, i64),
    held: &mut Held,
    take: Take<'_>,
    outcome: &mut Outcome,
) -> Result<(), SourceError> {
    let place = || format!("line {}", at.line);
    let time = object.get("time").and_then(number).filter(|t| t.is_finite());
    let at_ms = time.map_or(fallback_ms, |t| if t.abs() > 1e11 { t as i64 } else { (t * 1e3).round() as i64 });
    let name = object.get("run").map_or_else(|| stem.to_owned(), text);
    let (place, line) = (place(), at.line);
    let (run, next_step) = match at.runs.get(&name) {
        Some((id, step)) => (id.clone(), *step),
        None => {
            // A name that is a run's id is that run.
            let is_id = name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit());
            let id = if is_id { name.to_lowercase() } else { run_id(&["jsonl", &path.to_string_lossy(), &at.head, &name]) };
            let shown = object.get("name").map_or_else(|| name.clone(), text);
            let experiment = object.get("experiment").map_or_else(|| stem.to_owned(), text);
            take(Event::Run(Run { id: id.clone(), experiment, name: Some(shown), start_ms: at_ms, ..Run::default() }))?;
            let source = vec![("cairn.source".to_owned(), format!("jsonl:{}", path.display()))];
            take(Event::Tags { run: id.clone(), pairs: source })?;
            (id, 0)
        }
    };
    let step = match object.get("step") {
        None => next_step,
        Some(value) => match value.as_i64().or_else(|| number(value).filter(|s| s.fract() == 0.0).map(|s| s as i64)) {
            Some(step) => step,
            None => {
                outcome.problem(path, place.clone(), format!("step is {value}, which is no whole number; the line was left out"));
                return Ok(());
            }
        },
    };
    let mut measured = Vec::new();
    let mut pairs = |field: &str| -> Vec<(String, String)> {
        match object.get(field) {
            Some(Value::Object(map)) => map.iter().map(|(k, v)| (plain_name(k), text(v))).collect(),
            Some(other) => {
                outcome.problem(path, place.clone(), format!("{field} is no object but {other}"));
                Vec::new()
            }
            None => Vec::new(),
        }
    };
    let (params, tags) = (pairs("params"), pairs("tags"));
    let nested = object.get("metrics").and_then(Value::as_object).into_iter().flatten();
    const RESERVED: [&str; 9] = ["run", "name", "experiment", "step", "time", "params", "tags", "metrics", "status"];
    let flat = object.iter().filter(|(key, _)| !RESERVED.contains(&key.as_str()));
    for (key, value) in nested.chain(flat) {
        match number(value) {
            Some(v) => measured.push((plain_name(key), v)),
            None => outcome.left_out("values that are no numbers"),
        }
    }
    if !params.is_empty() {
        take(Event::Params { run: run.clone(), pairs: params })?;
    }
    if !tags.is_empty() {
        take(Event::Tags { run: run.clone(), pairs: tags })?;
    }
    let count = measured.len();
    for (key, value) in measured {
        held.push(run.clone(), key, (step, at_ms, value));
    }
    let after = if count > 0 { step.saturating_add(1) } else { next_step };
    at.runs.insert(name, (run.clone(), after));
    if let Some(status) = object.get("status") {
        let status = match text(status).to_ascii_lowercase().as_str() {
            "finished" | "completed" | "done" | "success" => Some(Status::Finished),
            "failed" | "crashed" | "error" => Some(Status::Failed),
            "killed" | "stopped" => Some(Status::Killed),
            "running" => None,
            other => {
                outcome.problem(
                    path,
                    format!("line {line}"),
                    format!("the status \"{other}\" is not known; there are running, finished, failed and killed"),
                );
                None
            }
        };
        if let Some(status) = status {
            held.flush(take)?;
            take(Event::Ended { run, status, end_ms: Some(at_ms) })?;
        }
    }
    Ok(())
}

trait Head {
    fn by_ref_take(&mut self, most: u64, into: &mut String) -> std::io::Result<()>;
}

impl<R: BufRead> Head for R {
    /// The first line, or as much of it.
    fn by_ref_take(&mut self, most: u64, into: &mut String) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        self.by_ref().take(most).read_until(b'\n', &mut bytes)?;
        // A first line that is not complete yet says nothing.
        if bytes.last() == Some(&b'\n') || bytes.len() as u64 == most {
            into.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn all(path: &Path, position: &Value) -> (Vec<Event>, Outcome) {
        let mut events = Vec::new();
        let outcome = read(path, position, &mut |e| {
            events.push(e);
            Ok(())
        })
        .unwrap();
        (events, outcome)
    }

    fn points(events: &[Event]) -> Vec<(String, i64, f64)> {
        let of = |e: &Event| match e {
            Event::Points { key, points, .. } => points.iter().map(|(s, _, v)| (key.clone(), *s, *v)).collect(),
            _ => vec![],
        };
        events.iter().flat_map(of).collect()
    }

    #[test]
    fn a_print_statement_is_enough() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("train.jsonl");
        std::fs::write(&path, "{\"loss\": 0.5}\n{\"loss\": 0.25, \"acc\": \"NaN\"}\n{\"loss\": 0.1").unwrap();
        let (events, outcome) = all(&path, &Value::Null);
        assert_eq!(points(&events).iter().filter(|p| p.0 == "loss").map(|p| (p.1, p.2)).collect::<Vec<_>>(), [(0, 0.5), (1, 0.25)]);
        assert!(points(&events).iter().any(|p| p.0 == "acc" && p.2.is_nan()));
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"}\n{\"status\": \"finished\"}\n").unwrap();
        let (events, outcome) = all(&path, &outcome.position);
        assert_eq!(points(&events), [("loss".into(), 2, 0.1)]);
        assert!(matches!(events.last(), Some(Event::Ended { status: Status::Finished, .. })));
        assert!(all(&path, &outcome.position).0.is_empty(), "nothing is taken twice");
    }

    #[test]
    fn a_bad_line_is_named_and_the_others_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        std::fs::write(&path, "{\"a\":1}\nnot json\n[1]\n{\"a\":2,\"step\":\"x\"}\n{\"a\":3,\"step\":7,\"note\":\"text\"}\n").unwrap();
        let (events, outcome) = all(&path, &Value::Null);
        assert_eq!(points(&events).iter().map(|p| (p.1, p.2)).collect::<Vec<_>>(), [(0, 1.0), (7, 3.0)]);
        assert_eq!(outcome.problems.iter().map(|p| p.place.as_str()).collect::<Vec<_>>(), ["line 2", "line 3", "line 4"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_named_and_the_next_one_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        let long = format!("{{\"note\": \"{}\"}}\n", "x".repeat(LINE_MAX + 5));
        std::fs::write(&path, format!("{{\"a\":1}}\n{long}{{\"a\":2}}\n")).unwrap();
        let (events, outcome) = all(&path, &Value::Null);
        assert_eq!(points(&events).iter().map(|p| p.2).collect::<Vec<_>>(), [1.0, 2.0]);
        assert_eq!(outcome.problems.iter().map(|p| p.place.as_str()).collect::<Vec<_>>(), ["line 2"]);
        assert!(all(&path, &outcome.position).0.is_empty());
    }

    #[test]
    fn a_rotated_file_begins_a_new_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        std::fs::write(&path, "{\"loss\":1,\"time\":1700000000}\n{\"loss\":2}\n").unwrap();
        let (first, outcome) = all(&path, &Value::Null);
        std::fs::write(&path, "{\"loss\":5,\"time\":1700009999}\n").unwrap();
        let (second, _) = all(&path, &outcome.position);
        let id = |events: &[Event]| match &events[0] {
            Event::Run(run) => run.id.clone(),
            other => panic!("{other:?}"),
        };
        assert_ne!(id(&first), id(&second));
        assert_eq!(points(&second), [("loss".into(), 0, 5.0)]);
    }
}
