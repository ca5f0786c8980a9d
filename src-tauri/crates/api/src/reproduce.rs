//! Which code and data made a run, and the commands that make it again.

use crate::ApiError;
use crate::host::Host;
use crate::runs::RunRef;
use crate::tracking::{origin, runs as tracked};
use crate::workspaces::Nothing;
use cairn_core::id::Digest;
use cairn_core::op::Kind;
use cairn_core::source::RunSource;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use ts_rs::TS;

/// What a run knows of its origin. What was not found out is absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct OriginView {
    /// Whether anything is known.
    pub known: bool,
    /// Why something that people would look for is not there, in plain words.
    pub missing: Vec<String>,
    pub folder: Option<String>,
    /// The command as a shell takes it.
    pub command: Option<String>,
    pub script: Option<String>,
    pub notebook: Option<String>,
    pub commit: Option<String>,
    pub branch: Option<String>,
    pub remote: Option<String>,
    /// How many files differed from the commit.
    #[ts(type = "number")]
    pub changed: u64,
    /// The differences, as a file to look at.
    pub changes: Option<SourceFile>,
    /// Files that differed and were not kept.
    pub left_out: Vec<String>,
    pub python: Option<String>,
    #[ts(type = "number")]
    pub packages_count: u64,
    pub packages: Option<SourceFile>,
    pub system: Option<String>,
    pub cpu: Option<String>,
    #[ts(type = "number")]
    pub cores: u64,
    #[ts(type = "number")]
    pub memory_bytes: u64,
    pub gpus: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SourceFile {
    pub digest: String,
    #[ts(type = "number")]
    pub size: u64,
    /// Whether this computer holds the content.
    pub here: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetRecording {
    /// Whether this computer notes which code makes its runs.
    pub on: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Recording {
    pub on: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Reproduce {
    pub run: String,
    /// Leave the packages as they are on the computer that repeats it.
    #[serde(default)]
    #[ts(optional, type = "boolean")]
    pub without_environment: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Script {
    /// Lines for a POSIX shell, to be run in an empty folder.
    pub script: String,
    /// What stands in the way of making exactly the same again.
    pub caveats: Vec<String>,
}

/// Whether this computer notes which code makes its runs.
pub fn recording(host: &Host, _: Nothing) -> Result<Recording, ApiError> {
    Ok(Recording { on: origin::is_on(&*host.workspace()?)? })
}

pub fn set_recording(host: &Host, request: SetRecording) -> Result<Recording, ApiError> {
    let workspace = host.workspace()?;
    origin::set(&workspace, request.on)?;
    Ok(Recording { on: request.on })
}

/// The recorded origin of a run; what its script said of itself where nothing was recorded.
pub(crate) fn origin_of(run: &Record) -> RunSource {
    let recorded = run.json("source");
    let mut source = recorded.as_object().map(RunSource::read).unwrap_or_default();
    let tag = |name: &str| run.get_key("tag", name).map(str::to_owned).filter(|v| !v.is_empty());
    if source.script.is_none() && source.notebook.is_none() {
        source.script = tag("mlflow.source.name");
    }
    // A script that has GitPython says its commit itself; it looked when it began.
    if let Some(commit) = tag("mlflow.source.git.commit") {
        let code = source.code.get_or_insert_default();
        if code.commit.is_none() {
            code.commit = Some(commit);
            code.branch = tag("mlflow.source.git.branch");
            code.remote = tag("mlflow.source.git.repoURL");
        }
    }
    source
}

pub fn source(host: &Host, request: RunRef) -> Result<OriginView, ApiError> {
    let workspace = host.workspace()?;
    let run = workspace.read(|r| r.require(Kind::Run, &request.run))?;
    let file = |digest: Option<Digest>, size: u64| {
        digest.map(|d| SourceFile { here: workspace.store.blob_path(&d).is_file(), digest: d.to_string(), size })
    };
    let origin = origin_of(&run);
    let mut missing = Vec::new();
    let recorded = run.get("source").is_some();
    if !recorded {
        missing.push(if run.get_key("tag", "cairn.source").is_some() {
            "The run was taken from another tool's files, which say no more of where it came from.".to_owned()
        } else {
            "The script ended before Cairn could look, or ran on another computer, or looking is turned off there.".to_owned()
        });
    } else if origin.code.is_none() {
        missing.push("The script ran outside of a git repository, so its code was not kept.".to_owned());
    }
    let known = recorded || origin != RunSource::default();
    let command = (!origin.command.is_empty()).then(|| shell(&origin.command));
    let code = origin.code.unwrap_or_default();
    let environment = origin.environment.unwrap_or_default();
    Ok(OriginView {
        known,
        missing,
        folder: origin.folder,
        command,
        script: origin.script,
        notebook: origin.notebook,
        commit: code.commit,
        branch: code.branch,
        remote: code.remote,
        changed: code.changed,
        changes: file(code.changes, code.changes_bytes),
        left_out: code.left_out,
        python: environment.python,
        packages_count: environment.packages_count,
        packages: file(environment.packages, environment.packages_bytes),
        system: environment.system,
        cpu: environment.cpu,
        cores: environment.cores,
        memory_bytes: environment.memory_bytes,
        gpus: environment.gpus,
    })
}

/// Words as one line that a POSIX shell reads back as the same words.
fn shell(words: &[String]) -> String {
    words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

pub fn script(host: &Host, request: Reproduce) -> Result<Script, ApiError> {
    let workspace = host.workspace()?;
    let (run, inputs) = workspace.read(|r| {
        let record = r.require(Kind::Run, &request.run)?;
        let inputs = tracked::view(r, &record).map_err(ApiError::from)?.inputs;
        Ok::<_, ApiError>((record, inputs))
    })?;
    let origin = origin_of(&run);
    let mut caveats = Vec::new();
    let dir = workspace.dir().display().to_string();
    let fetch = |digest: &Digest, name: &str| format!("cairn --workspace {} file {digest} --out {name}\n", quoted(&dir));
    let mut out = format!("# {}: run {}\nset -e\n", run.get_key("tag", "mlflow.runName").unwrap_or_default().replace('\n', " "), run.id);
    match &origin.code {
        Some(code) => checkout(&mut out, code, &mut caveats, &fetch),
        None => caveats.push("Which code made it is not known: the script ran outside of a git repository, or nobody looked.".to_owned()),
    }
    let environment = origin.environment.clone().unwrap_or_default();
    if let (Some(packages), false) = (&environment.packages, request.without_environment) {
        // What a colleague's computer recorded is their text: nothing of it may become another command.
        let python: String = environment.python.iter().flat_map(|p| p.chars()).filter(|c| c.is_ascii_digit() || *c == '.').collect();
        let short: Vec<&str> = python.split('.').take(2).collect();
        let _ = writeln!(out, "\n# Python {python} with {} packages", environment.packages_count);
        let _ = writeln!(out, "python{} -m venv ../environment", short.join("."));
        out.push_str(&fetch(packages, "../requirements.txt"));
        out.push_str("../environment/bin/pip install --no-deps -r ../requirements.txt\nPATH=\"$PWD/../environment/bin:$PATH\"\n");
    }
    for input in &inputs {
        let text = |name: &str| input["dataset"][name].as_str().unwrap_or_default().replace('\n', " ");
        let _ = writeln!(out, "\n# Data: {} with the fingerprint {}\n#   from {}", text("name"), text("digest"), text("source"));
    }
    if origin.command.is_empty() {
        caveats.push("Its command line is not known.".to_owned());
    } else {
        let code = origin.code.as_ref();
        if let Some(below) = code.map(|c| c.below.as_str()).filter(|b| !b.is_empty()) {
            let _ = writeln!(out, "\ncd {}", quoted(below));
        }
        let mut command = origin.command.clone();
        // The interpreter of that computer's environment is here the first on the path.
        if let Some(first) = command.first_mut() {
            let name = first.rsplit('/').next().unwrap_or_default().to_owned();
            if name.starts_with("python") && environment.python.is_some() {
                *first = if request.without_environment { name } else { "python".to_owned() };
            }
        }
        // An absolute path below the work tree is the same file in the new one.
        if let Some(code) = code {
            let up = "../".repeat(code.below.split('/').filter(|p| !p.is_empty()).count());
            for word in command.iter_mut().skip(1) {
                if let Some(rest) = word.strip_prefix(&format!("{}/", code.root)) {
                    *word = format!("{up}{rest}");
                }
            }
        }
        let _ = writeln!(out, "\n{}", shell(&command));
        if command.iter().any(|w| w.contains("***")) {
            caveats.push("A secret of the command line was not kept; put yours where *** stands.".to_owned());
        }
    }
    if out.lines().count() <= 2 {
        return Err(ApiError::not_found("Where this run came from").hint(caveats.join(" ")));
    }
    Ok(Script { script: out, caveats })
}

fn checkout(out: &mut String, code: &cairn_core::source::Code, caveats: &mut Vec<String>, fetch: &dyn Fn(&Digest, &str) -> String) {
    let from = code.remote.as_deref().unwrap_or(&code.root);
    if code.remote.is_none() {
        caveats.push(format!("The repository had no remote; it is at {} on the computer that made the run.", code.root));
    }
    match &code.commit {
        Some(commit) => {
            let commit: String = commit.chars().filter(char::is_ascii_hexdigit).collect();
            let _ = writeln!(out, "\ngit clone -- {} code\ncd code\ngit checkout --detach {commit}", quoted(from));
        }
        None => out.push_str("\ngit init code\ncd code\n"),
    }
    if let Some(changes) = &code.changes {
        let _ = writeln!(out, "# {} files differed from the commit", code.changed);
        out.push_str(&fetch(changes, "../changes.patch"));
        out.push_str("git apply ../changes.patch\n");
    }
    if !code.left_out.is_empty() {
        caveats.push(format!("Files that differed and were too large or no text were not kept: {}.", code.left_out.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_command_back_as_it_was() {
        let words: Vec<String> = ["python", "train.py", "--name", "it's a \"test\"", "", "$HOME", "a=b"].map(str::to_owned).to_vec();
        let done = std::process::Command::new("sh").arg("-c").arg(format!("printf '%s\\n' {}", shell(&words))).output().unwrap();
        assert_eq!(String::from_utf8(done.stdout).unwrap(), words.join("\n") + "\n");
    }
}
