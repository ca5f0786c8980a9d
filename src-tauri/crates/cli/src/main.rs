//! `cairn`: for scripts, pipelines, computers without a screen, and support.
//!
//! Exit codes: 0 done, 1 the answer is no, 2 it could not be done. Errors go to standard error with
//! their hint; records go to standard output, as JSON with `--json`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // this is the program that prints

mod chart;
mod demo;
mod lifecycle;
mod log;
mod print;
mod runs;
mod serve;

use cairn_api::{ApiError, Host, commands::dispatch};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[derive(Parser)]
#[command(name = "cairn", version, about = "Takes a machine-learning project from a business problem to an approved release.")]
struct Cli {
    /// The workspace's folder; else the one opened last.
    #[arg(long, global = true, env = "CAIRN_WORKSPACE", value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print records as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Create a workspace.
    Init {
        dir: PathBuf,
        #[arg(long)]
        name: String,
        /// Your name.
        #[arg(long)]
        person: Option<String>,
        #[arg(long, default_value = "")]
        email: String,
        /// A working role; may stand several times.
        #[arg(long = "role")]
        roles: Vec<String>,
        /// The shared place: an empty git repository that the team reaches.
        #[arg(long)]
        remote: Option<String>,
    },
    /// Open a folder of another user of this computer, now and from now on. What is in it was decided by whoever it belongs to.
    Adopt { dir: PathBuf },
    /// Ask to join a workspace by its invitation.
    Join {
        dir: PathBuf,
        address: String,
        #[arg(long)]
        person: Option<String>,
        #[arg(long, default_value = "")]
        email: String,
    },
    /// What is open, who you are, what waits to be shared.
    Status,
    /// Make the sample workspace.
    Demo {
        dir: PathBuf,
        /// Share it through this place instead of one of its own.
        #[arg(long)]
        remote: Option<String>,
    },
    /// Run the loopback service that training scripts log to; prints its address.
    Serve {
        #[arg(long)]
        port: Option<u16>,
        /// The built pages of the window (`ui/dist`), for a browser.
        #[arg(long, env = "CAIRN_PAGES")]
        pages: Option<PathBuf>,
    },
    /// Send your changes and get the latest.
    Share {
        /// Go on: every half minute, more rarely with many computers, at once for decisions.
        #[arg(long)]
        watch: bool,
    },
    /// Log a run from a shell script.
    Log(log::Log),
    /// Take runs from mlflow.db, mlruns, TensorBoard, DVCLive, dvc.lock, Trackio, W&B offline folders, Neptune
    /// exports or JSON lines; or register a CSV or .dvc file as a dataset version, with --project and --name.
    Import {
        path: PathBuf,
        /// Of a dataset: the project's id or title.
        #[arg(long, requires = "name")]
        project: Option<String>,
        /// Of a dataset: its name.
        #[arg(long, requires = "project")]
        name: Option<String>,
        /// Of runs: go on taking what is written there, while `cairn serve` or the window runs.
        #[arg(long, conflicts_with = "project")]
        watch: bool,
        /// Of runs: leave their files where they are.
        #[arg(long, conflicts_with = "project")]
        without_files: bool,
    },
    /// Write runs and registered models as a folder that stock MLflow opens.
    Export {
        /// MLflow's file store (`mlruns`): the only form there is.
        #[arg(long, required = true)]
        mlflow: bool,
        /// A new or empty folder.
        dir: PathBuf,
        /// Only this experiment; may stand several times.
        #[arg(long = "experiment")]
        experiments: Vec<String>,
    },
    /// List runs; or show one, say how to make it again, tag many.
    Runs(runs::Runs),
    /// Write a file of the workspace by its fingerprint (sha256), wherever the team keeps it.
    File {
        digest: String,
        #[arg(long)]
        out: PathBuf,
    },
    /// Draw a chart of all runs that fit, or of some.
    Chart(Box<chart::ChartArgs>),
    /// The lifecycles that projects keep to: list, read, check, save.
    #[command(subcommand)]
    Lifecycle(lifecycle::Lifecycle),
    /// What waits for you, what you asked for, and what others did since you looked.
    Inbox {
        /// Everything up to now was looked at.
        #[arg(long)]
        seen: bool,
    },
    /// Find records and notes by their words; `type:note` and `in:WORD` narrow it.
    Find { words: Vec<String> },
    /// Exit 0 only if this release may go live, for pipelines. Gets the latest first, if it can be reached.
    Gate {
        #[arg(long)]
        release: String,
        /// Judge by what is known here, without asking the shared place.
        #[arg(long)]
        offline: bool,
        /// Seconds to wait for the shared place.
        #[arg(long, default_value_t = 20)]
        within: u64,
    },
    /// The trail of who did what.
    #[command(subcommand)]
    Audit(Audit),
    /// Check the whole log again, from the first operation.
    Verify,
    /// Make the views again from the log.
    Rebuild,
    /// Say what room nothing needs any more: files without an owner, points of runs deleted long ago.
    Clean {
        /// Only what was deleted at least so many days ago.
        #[arg(long, default_value_t = 30)]
        days: u32,
        /// Free it. What a model version or a release stands on stays.
        #[arg(long)]
        now: bool,
    },
    /// What is wrong with this computer's set-up, and how to mend it.
    Doctor,
    /// Any command of the list, with its request as JSON. Without a name: the list.
    Call { command: Option<String>, request: Option<String> },
}

#[derive(Subcommand)]
enum Audit {
    List {
        #[arg(long, default_value_t = 100)]
        limit: u32,
        #[command(flatten)]
        pick: Box<Pick>,
    },
    /// Write a bundle that anyone verifies: `python3 DIR/verify.py FINGERPRINT`. With filters, an extract.
    Export {
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        pick: Box<Pick>,
    },
    Verify,
}

/// Which entries of the trail.
#[derive(Args, Serialize)]
struct Pick {
    /// What this member did, on any of their computers: a name or an id.
    #[arg(long)]
    person: Option<String>,
    /// What was done by holders of this role, as they held it then.
    #[arg(long)]
    role: Option<String>,
    /// About this record: KIND/ID.
    #[arg(long)]
    record: Option<String>,
    /// About this project and all that belongs to it: an id or a title.
    #[arg(long)]
    project: Option<String>,
    /// From this day on, such as 2026-11-25, by UTC.
    #[arg(long)]
    since: Option<String>,
    /// Up to this day.
    #[arg(long)]
    until: Option<String>,
    /// Of one meaning, such as decisions, people, data, models, tracking, discussion.
    #[arg(long)]
    meaning: Option<String>,
    /// Only what does not count: refused attempts and what is held.
    #[arg(long)]
    not_counted: bool,
}

impl Pick {
    /// The request, with the project by its id.
    fn request(&self, call: &dyn Fn(&str, Value) -> Result<Value, ApiError>) -> Result<Value, ApiError> {
        let mut pick = json!(self);
        if let Some(project) = &self.project {
            pick["project"] = project_id(project, call)?;
        }
        Ok(pick)
    }
}

fn project_id(project: &str, call: &dyn Fn(&str, Value) -> Result<Value, ApiError>) -> Result<Value, ApiError> {
    let projects = call("project.list", Value::Null)?;
    let found = projects.as_array().and_then(|all| all.iter().find(|p| p["id"] == project || p["title"] == project));
    found.map(|p| p["id"].clone()).ok_or_else(|| ApiError::not_found(&format!("The project {project}")))
}

/// Done, or the answer is no, or what a command that ran inside said.
enum Outcome {
    Done,
    No,
    Code(u8),
}

fn main() -> ExitCode {
    if let Some(answer) = cairn_api::sharing::answer_askpass() {
        // git asks this very program for the sign-in, see `sharing::askpass`.
        println!("{answer}");
        return ExitCode::SUCCESS;
    }
    let filter = tracing_subscriber::EnvFilter::try_from_env("CAIRN_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let cli = Cli::parse();
    let host = Arc::new(Host::system());
    match run(&cli, &host) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(1),
        Ok(Outcome::Code(code)) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{}", error.message);
            if let Some(hint) = &error.hint {
                eprintln!("Hint: {hint}");
            }
            if let Some(details) = &error.details {
                eprintln!("Details: {details}");
            }
            ExitCode::from(2)
        }
    }
}

fn open(cli: &Cli, host: &Host) -> Result<(), ApiError> {
    let dir = cli.workspace.clone().or_else(cairn_api::workspaces::last).ok_or_else(|| {
        ApiError::new("no_workspace", "No workspace is named").hint("Name its folder with --workspace DIR or CAIRN_WORKSPACE.")
    })?;
    host.open(&dir).map(drop)
}

fn person(given: Option<&String>) -> String {
    given.cloned().or_else(|| std::env::var("USER").ok()).filter(|n| !n.is_empty()).unwrap_or_else(|| "Owner".to_owned())
}

fn passphrase() -> Option<String> {
    std::env::var("CAIRN_PASSPHRASE").ok().filter(|p| !p.is_empty())
}

/// Asks the shared place for news, for at most so long. What cannot be had is said; the gate says how old its knowledge is.
fn get_latest(host: &Arc<Host>, within: Duration) {
    let shared = host.workspace().and_then(|w| Ok(w.read(|r| r.local("remote"))?));
    if shared.is_ok_and(|r| r.is_none_or(|r| r.is_empty())) {
        return;
    }
    let (done, wait) = std::sync::mpsc::channel();
    let worker = Arc::clone(host);
    let round = std::thread::spawn(move || {
        let result = dispatch(&worker, "sharing.share", Value::Null);
        done.send(()).ok();
        result
    });
    if wait.recv_timeout(within).is_err() {
        drop(dispatch(host, "sharing.cancel", Value::Null));
    }
    if let Ok(Err(error)) = round.join() {
        eprintln!("The latest could not be had: {error}");
    }
}

fn run(cli: &Cli, host: &Arc<Host>) -> Result<Outcome, ApiError> {
    match &cli.verb {
        Verb::Init { dir, name, person: who, email, roles, remote } => {
            let solo = ["business_owner", "data_scientist", "data_engineer", "ml_engineer"].map(str::to_owned).to_vec();
            let roles = if roles.is_empty() { solo } else { roles.clone() };
            let made = dispatch(
                host,
                "workspace.create",
                json!({
                    "name": name, "person": person(who.as_ref()), "email": email, "roles": roles, "remote": remote, "dir": dir, "passphrase": passphrase(),
                }),
            )?;
            print::record(cli.json, &made, |v| {
                format!("The workspace {} is in {}.", v["workspace"]["name"].as_str().unwrap_or_default(), dir.display())
            });
            return Ok(Outcome::Done);
        }
        Verb::Adopt { dir } => {
            dispatch(host, "workspace.open", json!({ "dir": dir, "adopt": true }))?;
            println!("{} is opened from now on.", dir.display());
            return Ok(Outcome::Done);
        }
        Verb::Join { dir, address, person: who, email } => {
            let joined = dispatch(
                host,
                "workspace.join",
                json!({
                    "address": address, "person": person(who.as_ref()), "email": email, "dir": dir, "passphrase": passphrase(),
                }),
            )?;
            print::record(cli.json, &joined, |v| {
                let phrase = v["workspace"]["phrase"].as_str().unwrap_or_default();
                format!("You asked to join. Tell an administrator these words, and run `cairn share` once you are let in:\n{phrase}")
            });
            return Ok(Outcome::Done);
        }
        Verb::Demo { dir, remote } => {
            let made = demo::build(dir, remote.as_deref())?;
            print::record(cli.json, &made, |_| {
                format!("The sample workspace is in {}. Open it with: cairn --workspace {} serve", dir.display(), dir.display())
            });
            return Ok(Outcome::Done);
        }
        Verb::Call { command: None, .. } => {
            for command in cairn_api::commands::COMMANDS {
                print::line(command.name);
            }
            return Ok(Outcome::Done);
        }
        Verb::Doctor => {
            if let Err(error) = open(cli, host) {
                eprintln!("{}", error.message);
            }
            let found = dispatch(host, "app.doctor", Value::Null)?;
            let all_good = found.as_array().is_some_and(|f| f.iter().all(|x| x["good"] == true));
            print::record(cli.json, &found, print::findings);
            return Ok(if all_good { Outcome::Done } else { Outcome::No });
        }
        _ => {}
    }
    open(cli, host)?;
    let call = |name: &str, request: Value| dispatch(host, name, request);
    match &cli.verb {
        Verb::Status => {
            let app = call("app.status", Value::Null)?;
            let fingerprint = app["workspace"]["fingerprint"].clone();
            let said = json!({ "app": app, "sharing": call("sharing.status", Value::Null)?, "fingerprint": fingerprint });
            print::record(cli.json, &said, print::status);
        }
        Verb::Serve { port, pages } => serve::run(host, *port, pages.clone(), cli.json)?,
        Verb::Share { watch } => {
            let tell = |done: &Value| {
                print::record(cli.json, done, |v| format!("Sent {}, received {}, refused {}.", v["sent"], v["received"], v["refused"]));
            };
            tell(&call("sharing.share", Value::Null)?);
            if !*watch {
                return Ok(Outcome::Done);
            }
            loop {
                std::thread::sleep(Duration::from_secs(2));
                match cairn_api::sharing::share_if_due(host) {
                    Ok(Some(round)) => tell(&json!(round)),
                    Ok(None) => {}
                    Err(error) => eprintln!("{}", error.message),
                }
            }
        }
        Verb::Log(log) => {
            let logged = log.run(&*host.workspace()?)?;
            if let Some(code) = logged.code {
                // The command's own output is what a script wants to see.
                return Ok(Outcome::Code(code));
            }
            print::record(cli.json, &logged.record, |v| v["run_id"].as_str().unwrap_or_default().to_owned());
        }
        Verb::Import { path, project: None, watch, without_files, .. } => {
            let request = json!({ "path": path, "watch": watch, "without_files": without_files });
            print::record(cli.json, &call("source.import", request)?, print::imported);
        }
        Verb::Import { path, project: Some(project), name, .. } => {
            let id = project_id(project, &call)?;
            let path = std::path::absolute(path).map_err(|e| ApiError::invalid(e.to_string()))?;
            print::record(cli.json, &call("dataset.import_csv", json!({ "project": id, "path": path, "name": name }))?, print::dataset);
        }
        Verb::Export { mlflow: _, dir, experiments } => {
            let wanted = (!experiments.is_empty()).then_some(experiments);
            print::record(cli.json, &call("run.export_mlflow", json!({ "dir": dir, "experiments": wanted }))?, print::exported);
        }
        Verb::Runs(runs) => runs.run(cli.json, &call)?,
        Verb::File { digest, out } => {
            let path = std::path::absolute(out).map_err(|e| ApiError::invalid(e.to_string()))?;
            print::record(cli.json, &call("file.save", json!({ "digest": digest, "path": path }))?, |v| {
                format!("{} bytes are in {}.", v["size"], out.display())
            });
        }
        Verb::Chart(chart) => chart.run(cli.json, &call)?,
        Verb::Lifecycle(lifecycle) => lifecycle.run(cli.json, &call)?,
        Verb::Inbox { seen } => {
            let waiting = call("inbox.list", json!({}))?;
            let elsewhere = call(if *seen { "inbox.looked" } else { "inbox.elsewhere" }, json!({}))?;
            print::record(cli.json, &json!({ "waiting": waiting, "elsewhere": elsewhere }), print::inbox);
        }
        Verb::Find { words } => {
            print::record(cli.json, &call("search.find", json!({ "words": words.join(" ") }))?, print::found);
        }
        Verb::Gate { release, offline, within } => {
            if !offline {
                get_latest(host, Duration::from_secs(*within));
            }
            let answer = call("release.gate", json!({ "release": release }))?;
            print::record(cli.json, &answer, print::gate);
            return Ok(if answer["verdict"] == "pass" { Outcome::Done } else { Outcome::No });
        }
        Verb::Audit(Audit::List { limit, pick }) => {
            let only = pick.request(&call)?;
            print::record(cli.json, &call("audit.list", json!({ "limit": limit, "tracking": true, "only": only }))?, print::trail);
        }
        Verb::Audit(Audit::Export { out, pick }) => {
            let only = pick.request(&call)?;
            print::record(cli.json, &call("audit.export", json!({ "dir": out, "only": only }))?, |v| {
                format!(
                    "{} entries and {} sign-offs are in {}. VERIFY.md says how to check them.",
                    v["entries"],
                    v["signoffs"],
                    out.display()
                )
            });
        }
        Verb::Clean { days, now } => {
            print::record(cli.json, &call("app.clean", json!({ "days": days, "now": now }))?, print::room);
        }
        Verb::Audit(Audit::Verify) | Verb::Verify => {
            let found = call("log.verify", Value::Null)?;
            let good = found["problems"].as_array().is_some_and(Vec::is_empty);
            print::record(cli.json, &found, print::verified);
            return Ok(if good { Outcome::Done } else { Outcome::No });
        }
        Verb::Rebuild => {
            let done = call("log.rebuild", Value::Null)?;
            let same = done["same"] == true;
            print::record(cli.json, &done, |v| {
                format!(
                    "{} operations folded. The views are {}.",
                    v["operations"],
                    if same { "the same as before" } else { "different from before: they were damaged, and are mended" }
                )
            });
        }
        Verb::Call { command, request } => {
            let request = match request.as_deref() {
                None => Value::Null,
                Some(text) => serde_json::from_str(text).map_err(|e| ApiError::invalid(format!("The request is no JSON: {e}")))?,
            };
            print::line(&format!("{:#}", call(command.as_deref().unwrap_or_default(), request)?));
        }
        Verb::Init { .. } | Verb::Adopt { .. } | Verb::Join { .. } | Verb::Demo { .. } | Verb::Doctor => {}
    }
    Ok(Outcome::Done)
}
