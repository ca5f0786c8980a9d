//! `cairn log`: runs from a shell script, at once, step by step, from JSON lines, or around a command.

use cairn_api::tracking::files::{put_artifact, refer};
use cairn_api::tracking::runs::{self, Batch, NewRun};
use cairn_api::tracking::stream::Stream;
use cairn_api::tracking::{Point, Process, RecordKind, RunStatus, TrackingError, experiments, origin};
use cairn_api::{ApiError, Workspace};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How much of a command's output is kept with its run.
const OUTPUT_MAX: usize = 8 * 1024 * 1024;
/// What comes within such a time is written at once.
const TOGETHER: Duration = Duration::from_millis(200);

#[derive(Args)]
pub(crate) struct Log {
    /// Go on with this run instead of beginning one.
    #[arg(long, conflicts_with_all = ["experiment", "name"])]
    run: Option<String>,
    #[arg(long, default_value = "Default")]
    experiment: String,
    #[arg(long)]
    name: Option<String>,
    /// key=value; may stand several times.
    #[arg(long = "param")]
    params: Vec<String>,
    /// key=value or key=value@step; may stand several times.
    #[arg(long = "metric")]
    metrics: Vec<String>,
    /// key=value; may stand several times.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// A file to keep with the run; may stand several times.
    #[arg(long = "file")]
    files: Vec<PathBuf>,
    /// path=address of a file that stays where it is (a path, s3://, gs://, az://, https://); may stand several times.
    #[arg(long = "reference")]
    references: Vec<String>,
    /// Leave the run open; go on with --run and the id that is printed.
    #[arg(long)]
    begin: bool,
    /// How a run that was left open ended: finished, failed or killed.
    #[arg(long, requires = "run", value_name = "STATE")]
    end: Option<String>,
    /// Read JSON lines from standard input until it ends, and log them as they come.
    #[arg(long, conflicts_with = "command")]
    lines: bool,
    /// After `--`: run this command. Lines of its output that are JSON objects are logged as they come, its
    /// exit code becomes the run's state and is passed on, and its output is kept with the run.
    #[arg(last = true)]
    command: Vec<String>,
}

/// What `cairn log` did.
pub(crate) struct Logged {
    pub(crate) record: Value,
    /// The exit code of the command that ran.
    pub(crate) code: Option<u8>,
}

fn pair(text: &str) -> Result<(String, String), ApiError> {
    let (key, value) = text.split_once('=').ok_or_else(|| ApiError::invalid(format!("\"{text}\" is not of the form key=value")))?;
    Ok((key.to_owned(), value.to_owned()))
}

fn pairs(texts: &[String]) -> Result<Vec<(String, String)>, ApiError> {
    texts.iter().map(|t| pair(t)).collect()
}

impl Log {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<Logged, ApiError> {
        let batch = self.batch(workspace.edge.now_ms())?;
        let references = pairs(&self.references)?;
        let end = self.end.as_deref().map(end_state).transpose()?;
        let id = match &self.run {
            Some(run) => runs::get(workspace, run)?.id,
            None => self.start(workspace)?,
        };
        let mut code = None;
        let logged = (|| {
            runs::log_batch(workspace, &id, batch)?;
            for path in &self.files {
                let bytes =
                    std::fs::read(path).map_err(|e| TrackingError::Invalid(format!("{} could not be read: {e}", path.display())))?;
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                put_artifact(workspace, RecordKind::Run, &id, &name, &bytes)?;
            }
            for (path, address) in &references {
                refer(workspace, RecordKind::Run, &id, path, address)?;
            }
            if self.lines {
                read_lines(workspace, &id)?;
            } else if !self.command.is_empty() {
                code = Some(self.around(workspace, &id)?);
            }
            Ok::<_, TrackingError>(())
        })();
        let ended = match (&logged, code, end) {
            (_, _, Some(state)) => Some(state),
            // A run that was begun here is ended either way, so that nothing seems to run for ever.
            (Err(_), _, _) if self.run.is_none() => Some(RunStatus::Failed),
            (_, Some(0), _) => Some(RunStatus::Finished),
            (_, Some(code), _) if code > 128 => Some(RunStatus::Killed),
            (_, Some(_), _) => Some(RunStatus::Failed),
            (_, None, None) if !self.begin && self.run.is_none() => Some(RunStatus::Finished),
            (_, None, None) => None,
        };
        if let Some(status) = ended {
            runs::update(workspace, &id, Some(status), Some(workspace.edge.now_ms()), None)?;
        }
        logged?;
        let run = runs::get(workspace, &id)?;
        Ok(Logged { record: json!({ "run_id": run.id, "name": run.name(), "status": run.status }), code })
    }

    fn batch(&self, now: i64) -> Result<Batch, ApiError> {
        let mut metrics = Vec::new();
        for text in &self.metrics {
            let (key, value) = pair(text)?;
            let (value, step) = value.split_once('@').unwrap_or((&value, "0"));
            let bad = || ApiError::invalid(format!("\"{text}\" is not of the form key=number or key=number@step"));
            metrics.push((key, Point { step: step.parse().map_err(|_| bad())?, ts: now, value: value.parse().map_err(|_| bad())? }));
        }
        Ok(Batch { metrics, params: pairs(&self.params)?, tags: pairs(&self.tags)?, ..Batch::default() })
    }

    fn start(&self, workspace: &Workspace) -> Result<String, ApiError> {
        let number = match experiments::by_name(workspace, &self.experiment) {
            Ok(found) => found.number,
            Err(TrackingError::NotFound(_)) => experiments::create(workspace, &self.experiment, BTreeMap::new())?,
            Err(error) => return Err(error.into()),
        };
        let user = std::env::var("USER").unwrap_or_default();
        let start_ms = workspace.edge.now_ms();
        let run = runs::create(
            workspace,
            NewRun { experiment: number.to_string(), user, name: self.name.clone(), start_ms, ..NewRun::default() },
        )?;
        let process = Process { command: self.command.clone(), ..Process::own() };
        origin::record_now(workspace, &run.id, &process)?;
        Ok(run.id)
    }

    /// Runs the command; its exit code, 128 and more for a signal.
    fn around(&self, workspace: &Workspace, run: &str) -> Result<u8, TrackingError> {
        let (program, args) = self.command.split_first().ok_or_else(|| TrackingError::Invalid("There is no command".to_owned()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|e| TrackingError::Internal(e.to_string()))?;
        let mut child = Command::new(program)
            .args(args)
            .env("CAIRN_RUN_ID", run)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| TrackingError::Invalid(format!("{program} could not be started: {e}")))?;
        let pid = child.id();
        // Ctrl+C reaches the command by itself. This program outlives it, to write down how it ended.
        runtime.spawn(async move {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else { return };
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {
                        if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
                            // It may have ended just now.
                            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
                        }
                    }
                }
            }
        });
        let (send, receive) = channel();
        pass_on(child.stdout.take(), Output::Standard, send.clone());
        pass_on(child.stderr.take(), Output::Error, send);
        let mut kept = Kept::default();
        let mut stream = Stream::into_run(workspace, run);
        let mut waiting: Vec<Vec<u8>> = Vec::new();
        // What cannot be logged must not end the command: it is told when the command has ended.
        let mut trouble = None;
        let mut quiet = 0;
        loop {
            let came = receive.recv_timeout(TOGETHER);
            if let Ok((from, line)) = &came {
                kept.add(line);
                if matches!(from, Output::Standard) && line.trim_ascii().starts_with(b"{") {
                    waiting.push(line.clone());
                }
            }
            let done = matches!(came, Err(RecvTimeoutError::Disconnected));
            if !waiting.is_empty() && (came.is_err() || waiting.len() >= 1_000) {
                let lines: Vec<&[u8]> = waiting.iter().map(Vec::as_slice).collect();
                if let Err(error) = stream.take(&lines) {
                    trouble.get_or_insert(error);
                }
                waiting.clear();
            }
            // Something that the command left running may hold its output open for ever.
            quiet = if came.is_err() && matches!(child.try_wait(), Ok(Some(_))) { quiet + 1 } else { 0 };
            if done || quiet > 5 {
                break;
            }
        }
        let status = child.wait().map_err(|e| TrackingError::Internal(e.to_string()))?;
        if !kept.is_empty() {
            put_artifact(workspace, RecordKind::Run, run, "output.log", &kept.text())?;
        }
        say(&stream.problems());
        if let Some(error) = trouble {
            return Err(error);
        }
        let signal = || std::os::unix::process::ExitStatusExt::signal(&status).map_or(1, |s| 128 + s);
        Ok(u8::try_from(status.code().unwrap_or_else(signal)).unwrap_or(255))
    }
}

fn end_state(text: &str) -> Result<RunStatus, ApiError> {
    match text.to_ascii_lowercase().as_str() {
        "finished" => Ok(RunStatus::Finished),
        "failed" => Ok(RunStatus::Failed),
        "killed" => Ok(RunStatus::Killed),
        other => Err(ApiError::invalid(format!("A run does not end as \"{other}\"")).hint("There are finished, failed and killed.")),
    }
}

fn say(problems: &[String]) {
    for problem in problems {
        eprintln!("Not logged: {problem}");
    }
}

#[derive(Clone, Copy)]
enum Output {
    Standard,
    Error,
}

/// Passes on what a command says, at once, and tells of each line.
fn pass_on(from: Option<impl Read + Send + 'static>, output: Output, send: Sender<(Output, Vec<u8>)>) {
    let Some(from) = from else { return };
    std::thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        while let Ok(came) = reader.fill_buf() {
            if came.is_empty() {
                break;
            }
            // Passed on as it comes: a question has no end of line, and neither has a bar that grows.
            // Whoever reads may stop early; the command goes on.
            let _ = match output {
                Output::Standard => std::io::stdout().write_all(came).and_then(|()| std::io::stdout().flush()),
                Output::Error => std::io::stderr().write_all(came),
            };
            let count = came.len();
            for piece in came.split_inclusive(|b| *b == b'\n') {
                line.extend_from_slice(piece);
                // A line without end is cut, so that it does not fill the memory.
                let whole = line.ends_with(b"\n") || line.len() >= 1 << 20;
                if whole && send.send((output, std::mem::take(&mut line))).is_err() {
                    return;
                }
            }
            reader.consume(count);
        }
        if !line.is_empty() {
            // The one who listens is gone only when the command is.
            let _ = send.send((output, line));
        }
    });
}

/// The beginning and the end of an output.
#[derive(Default)]
struct Kept {
    head: Vec<u8>,
    tail: std::collections::VecDeque<u8>,
    cut: usize,
}

impl Kept {
    fn add(&mut self, bytes: &[u8]) {
        let room = (OUTPUT_MAX / 2).saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend(&bytes[room..]);
        let over = self.tail.len().saturating_sub(OUTPUT_MAX / 2);
        self.tail.drain(..over);
        self.cut += over;
    }

    fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    fn text(&self) -> Vec<u8> {
        let mut out = self.head.clone();
        if self.cut > 0 {
            out.extend_from_slice(format!("\n… {} bytes left out …\n", self.cut).as_bytes());
        }
        out.extend(&self.tail);
        out
    }
}

/// Logs JSON lines from standard input as they come.
fn read_lines(workspace: &Workspace, run: &str) -> Result<(), TrackingError> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n').map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    let mut stream = Stream::into_run(workspace, run);
    let mut number = 0_u64;
    let mut bad = Vec::new();
    while let Ok(first) = receive.recv() {
        let mut lines = vec![first];
        while let Ok(more) = receive.recv_timeout(TOGETHER) {
            lines.push(more);
            if lines.len() >= 10_000 {
                break;
            }
        }
        let texts: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let other = stream.take(&texts)?;
        for (at, text) in texts.iter().enumerate() {
            if !text.trim_ascii().is_empty() && other.iter().any(|o| std::ptr::eq(*o, *text)) && bad.len() < 100 {
                bad.push(format!("line {}: no JSON object", number + at as u64 + 1));
            }
        }
        number += lines.len() as u64;
    }
    say(&bad);
    say(&stream.problems());
    Ok(())
}
