//! Which code, command and environment made a run: looked at while the program that makes it still runs,
//! beside the call that began the run, never in it.

use super::TrackingError;
use crate::host::{Host, Workspace};
use cairn_core::id::{Digest, RunId};
use cairn_core::op::{Kind, Op};
use cairn_core::source::{Code, Environment, RunSource};
use cairn_ingest::{checkout, python};
use cairn_os::machine;
use cairn_os::process::{self, Process};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The setting of this computer that turns it off.
const LOCAL: &str = "source_recording";
/// Programs that are remembered: a sweep of a thousand runs by one program looks once.
const REMEMBERED: usize = 64;

/// A connection that some program of this computer made to us over loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// Its own since this program began: ports are used again.
    number: u64,
    peer: u16,
    here: u16,
}

impl Connection {
    /// A connection that was just accepted, by the port it came from and ours.
    pub fn accepted(peer: u16, here: u16) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), peer, here }
    }
}

/// A run that just began, and the connection that said so.
struct Begun {
    workspace: Arc<Workspace>,
    run: RunId,
    connection: Connection,
}

/// Hands runs to the thread that looks.
#[derive(Default)]
pub struct Recorder {
    send: Mutex<Option<Sender<Begun>>>,
}

/// Takes note of who began a run, soon.
pub fn record_soon(host: &Host, run: &str, connection: Connection) {
    let (Some(workspace), Ok(run)) = (host.current(), RunId::parse(run)) else { return };
    let begun = Begun { workspace, run, connection };
    let mut send = host.origins.send.lock().unwrap_or_else(PoisonError::into_inner);
    let sender = send.get_or_insert_with(|| {
        let (send, receive) = channel();
        std::thread::spawn(move || keep_recording(&receive));
        send
    });
    // Without the thread a run simply knows less of itself.
    if sender.send(begun).is_err() {
        *send = None;
    }
}

/// What waits to be written, and how long it may wait for others: one transaction for many runs.
const TOGETHER: Duration = Duration::from_millis(500);
const MANY: usize = 200;

fn keep_recording(receive: &Receiver<Begun>) {
    let mut known = Known::default();
    let mut waiting: Vec<(Arc<Workspace>, RunId, Map<String, Value>)> = Vec::new();
    loop {
        let next =
            if waiting.is_empty() { receive.recv().map_err(|_| RecvTimeoutError::Disconnected) } else { receive.recv_timeout(TOGETHER) };
        let ended = matches!(next, Err(RecvTimeoutError::Disconnected));
        let quiet = next.is_err();
        if let Ok(begun) = next {
            // Looked at now: a short script may be gone soon.
            match is_on(&begun.workspace) {
                Ok(true) => {
                    if let Some(source) = known.source(&begun.workspace, begun.connection) {
                        waiting.push((begun.workspace, begun.run, source));
                    }
                }
                Ok(false) => {}
                Err(error) => tracing::info!("where runs come from is not noted: {}", error.message()),
            }
        }
        if quiet || waiting.len() >= MANY {
            for same in waiting.chunk_by(|a, b| Arc::ptr_eq(&a.0, &b.0)) {
                if let Err(error) = write(same) {
                    tracing::info!("where runs come from could not be written: {}", error.message());
                }
            }
            waiting.clear();
        }
        if ended {
            return;
        }
    }
}

fn write(found: &[(Arc<Workspace>, RunId, Map<String, Value>)]) -> Result<(), TrackingError> {
    let Some((workspace, ..)) = found.first() else { return Ok(()) };
    workspace.write(|w| {
        for (_, run, source) in found {
            if w.record(Kind::Run, run.as_str())?.is_some_and(|r| r.get("source").is_none()) {
                w.append(Op::RunSourceRecorded { run: run.clone(), source: source.clone() })?;
            }
        }
        Ok(())
    })
}

/// How long what a notebook's kernel runs is taken for what it was.
const KERNEL_LOOK: Duration = Duration::from_secs(5);
/// Programs that carry the calls of others, from other computers or containers: they made no run.
const CARRIERS: [&str; 12] =
    ["ssh", "sshd", "kubectl", "socat", "nginx", "haproxy", "docker-proxy", "rootlessport", "cloudflared", "ngrok", "autossh", "envoy"];

fn passes_on(process: &Process) -> bool {
    let name = process.command.first().and_then(|p| p.rsplit('/').next()).unwrap_or_default();
    CARRIERS.contains(&name.trim_end_matches(':')) || name.starts_with("sshd:")
}

/// What was found out of programs: by their number and start, and by their connections.
#[derive(Default)]
struct Known {
    sources: BTreeMap<(u32, u64), Seen>,
    holders: BTreeMap<u64, (u32, u64)>,
}

/// What a program ran when it was looked at.
struct Seen {
    looked: Instant,
    /// It runs what its user types.
    kernel: bool,
    source: Map<String, Value>,
}

impl Known {
    fn source(&mut self, workspace: &Workspace, connection: Connection) -> Option<Map<String, Value>> {
        if self.holders.len() >= REMEMBERED {
            self.holders.clear();
        }
        // A connection is one program's for as long as it stands: what was found for it holds without another look
        // (the kernel takes milliseconds to list its connections),
        // but for a notebook's kernel, which lives for days while its code changes.
        let fresh = |k: &Seen| !k.kernel || k.looked.elapsed() < KERNEL_LOOK;
        if let Some(seen) = self.holders.get(&connection.number).and_then(|name| self.sources.get(name)).filter(|k| fresh(k)) {
            return Some(seen.source.clone());
        }
        let process = process::look(process::holder(process::other_end(connection.peer, connection.here)?)?)?;
        if passes_on(&process) {
            return None;
        }
        let name = (process.id, process.began);
        self.holders.insert(connection.number, name);
        if let Some(seen) = self.sources.get(&name).filter(|k| fresh(k)) {
            return Some(seen.source.clone());
        }
        let kernel = process.variables.contains_key("JPY_SESSION_NAME") || process.command.iter().any(|w| w.contains("ipykernel"));
        let source = look(workspace, &process).to_map();
        if self.sources.len() >= REMEMBERED {
            self.sources.clear();
        }
        self.sources.insert(name, Seen { looked: Instant::now(), kernel, source: source.clone() });
        Some(source)
    }
}

/// Whether this computer writes down where runs come from.
pub fn is_on(workspace: &Workspace) -> Result<bool, TrackingError> {
    workspace.read(|r| Ok(r.local(LOCAL)?.as_deref() != Some("off")))
}

pub fn set(workspace: &Workspace, on: bool) -> Result<(), TrackingError> {
    workspace.write(|w| Ok(w.set_local(LOCAL, if on { "on" } else { "off" })?))
}

/// Says where a run comes from that this very command logs.
pub fn record_now(workspace: &Workspace, run: &str, process: &Process) -> Result<(), TrackingError> {
    if !is_on(workspace)? {
        return Ok(());
    }
    let source = look(workspace, process).to_map();
    let run = RunId::parse(run)?;
    workspace.write(|w| {
        w.append(Op::RunSourceRecorded { run, source })?;
        Ok(())
    })
}

fn look(workspace: &Workspace, process: &Process) -> RunSource {
    let folder = process.folder.as_deref();
    let script = process.command.iter().skip(1).find(|word| {
        let ending = Path::new(word.as_str()).extension().and_then(|e| e.to_str()).unwrap_or_default();
        matches!(ending, "py" | "ipynb" | "R" | "r" | "jl" | "sh" | "js") && !word.starts_with('-')
    });
    let below = |path: &Path| folder.and_then(|f| path.strip_prefix(f).ok()).unwrap_or(path).to_string_lossy().into_owned();
    RunSource {
        folder: folder.map(|f| f.to_string_lossy().into_owned()),
        command: process::without_secrets(&process.command),
        script: script.map(|s| below(Path::new(s))),
        // Jupyter names the notebook to its kernel.
        notebook: process.variables.get("JPY_SESSION_NAME").map(|n| below(Path::new(n))),
        code: folder.and_then(|f| code(workspace, f, script.map(Path::new))),
        environment: Some(environment(workspace, process)),
    }
}

fn code(workspace: &Workspace, folder: &Path, script: Option<&Path>) -> Option<Code> {
    // A script may be started from outside of its repository.
    let beside = || folder.join(script?).parent().and_then(checkout::look);
    let mut found = checkout::look(folder).or_else(beside)?;
    let changes = stored(workspace, &std::mem::take(&mut found.changes));
    Some(Code {
        commit: found.commit,
        branch: found.branch,
        remote: found.remote.map(|r| process::without_login(&r)),
        root: found.root.to_string_lossy().into_owned(),
        below: found.below.to_string_lossy().into_owned(),
        changed: found.changed,
        changes_bytes: changes.as_ref().map_or(0, |(_, n)| *n),
        changes: changes.map(|(d, _)| d),
        left_out: found.left_out,
    })
}

fn environment(workspace: &Workspace, process: &Process) -> Environment {
    let machine = machine::look();
    let in_environment = || process.variables.get("VIRTUAL_ENV").map(|v| Path::new(v).join("bin/python"));
    let python = process.program().as_deref().and_then(python::look).or_else(|| in_environment().as_deref().and_then(python::look));
    let line = |r: &String| match r.split_once(" @ ") {
        // An address may hold a login.
        Some((name, address)) => format!("{name} @ {}\n", process::without_login(address)),
        None => format!("{r}\n"),
    };
    let requirements = python.as_ref().map(|p| p.requirements.iter().map(line).collect::<String>()).unwrap_or_default();
    let packages = stored(workspace, requirements.as_bytes());
    Environment {
        packages_count: python.as_ref().map_or(0, |p| p.requirements.len() as u64),
        python: python.map(|p| p.version),
        packages_bytes: packages.as_ref().map_or(0, |(_, n)| *n),
        packages: packages.map(|(d, _)| d),
        system: machine.system,
        cpu: machine.cpu,
        cores: machine.cores,
        memory_bytes: machine.memory_bytes,
        gpus: machine.gpus,
    }
}

/// Keeps some bytes by their digest; none where there is nothing.
fn stored(workspace: &Workspace, bytes: &[u8]) -> Option<(Digest, u64)> {
    if bytes.is_empty() {
        return None;
    }
    match workspace.store.put_blob(bytes) {
        Ok(digest) => Some((digest, bytes.len() as u64)),
        Err(error) => {
            tracing::info!("the state of a run's code could not be kept: {error}");
            None
        }
    }
}
