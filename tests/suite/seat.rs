//! A person at a computer, with a fixed clock and a keyring in memory.

use cairn_api::{ApiError, Host, commands::dispatch};
use cairn_core::edge::Edge;
use cairn_os::secrets::{SecretError, SecretStore};
use cairn_sync::DeviceKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Every look at the clock is a second later; ids count up.
pub(crate) struct FixedEdge {
    now: AtomicI64,
    next: AtomicU64,
    name: String,
}

impl Edge for FixedEdge {
    fn now_ms(&self) -> i64 {
        self.now.fetch_add(1_000, Ordering::Relaxed)
    }
    fn tz_minutes(&self) -> i16 {
        60
    }
    fn new_id(&self) -> String {
        // Runs and logged models are named by an id without its dashes, in hexadecimal.
        let name: String = self.name.bytes().map(|b| format!("{b:02x}")).collect();
        format!("{name:0<20}{:012x}", self.next.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Default)]
pub(crate) struct MemoryKeyring(Mutex<BTreeMap<String, String>>, Mutex<Option<PathBuf>>);

impl SecretStore for MemoryKeyring {
    fn set(&self, name: &str, secret: &str) -> Result<(), SecretError> {
        let mut all = self.0.lock().unwrap();
        all.insert(name.to_owned(), secret.to_owned());
        if let Some(path) = self.1.lock().unwrap().as_ref() {
            std::fs::write(path, json!(*all).to_string()).unwrap();
        }
        Ok(())
    }
    fn get(&self, name: &str) -> Result<String, SecretError> {
        self.0.lock().unwrap().get(name).cloned().ok_or(SecretError::Missing)
    }
    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }
}

pub(crate) struct Seat {
    pub(crate) host: Host,
    pub(crate) dir: PathBuf,
    keyring: Arc<MemoryKeyring>,
    edge: Arc<FixedEdge>,
    /// A program on the same folder that keeps nothing between its looks.
    forgetful: OnceLock<Host>,
}

/// What programs keep between looks, and bring up to date after a change.
const KEPT: [&str; 3] = ["inbox.list", "inbox.elsewhere", "portfolio.list"];

impl Seat {
    fn new(dir: PathBuf, name: &str) -> Self {
        let edge = Arc::new(FixedEdge { now: AtomicI64::new(1_795_000_000_000), next: AtomicU64::new(1), name: name.to_owned() });
        let keyring = Arc::new(MemoryKeyring::default());
        let secrets: Arc<dyn SecretStore> = keyring.clone();
        Self { host: Host::new(edge.clone(), secrets, dir.join("../home")), dir, keyring, edge, forgetful: OnceLock::new() }
    }
    /// A program that starts on a folder that is there; `keys` is a file of [`Self::keys`], which it
    /// keeps up to date.
    pub(crate) fn again(dir: PathBuf, name: &str, keys: &str) -> Self {
        let seat = Self::new(dir, name);
        if let Ok(text) = std::fs::read_to_string(keys) {
            seat.learn(&text);
            *seat.keyring.1.lock().unwrap() = Some(PathBuf::from(keys));
        }
        seat.host.open(&seat.dir).unwrap();
        seat
    }
    /// Everything in the keyring.
    pub(crate) fn keys(&self) -> String {
        json!(*self.keyring.0.lock().unwrap()).to_string()
    }
    pub(crate) fn learn(&self, keys: &str) {
        let more: BTreeMap<String, String> = serde_json::from_str(keys).unwrap();
        self.keyring.0.lock().unwrap().extend(more);
    }
    /// The program ends: no file is open any more.
    pub(crate) fn close(&self) {
        self.host.close();
    }
    pub(crate) fn set_clock(&self, now_ms: i64) {
        self.edge.now.store(now_ms, Ordering::Relaxed);
    }
    /// A computer that knows nothing yet.
    pub(crate) fn fresh(dir: PathBuf, name: &str) -> Self {
        Self::new(dir, name)
    }
    /// The same computer after its program was closed: everything that was only in memory is gone.
    pub(crate) fn reopen(&self) {
        self.host.open(&self.dir).unwrap();
    }
    /// Another computer with a copy of this one's folder, and of its keyring or not.
    pub(crate) fn copy(&self, to: PathBuf, with_keyring: bool) -> Self {
        copy_folder(&self.dir, &to);
        let copy = Self::new(to, "cccccc");
        if with_keyring {
            *copy.keyring.0.lock().unwrap() = self.keyring.0.lock().unwrap().clone();
        }
        copy.host.open(&copy.dir).unwrap();
        copy
    }
    pub(crate) fn call(&self, name: &str, request: Value) -> Result<Value, ApiError> {
        let answer = dispatch(&self.host, name, request);
        if let Some(forgetful) = self.forgetful.get() {
            self.compare(forgetful, name);
        }
        answer
    }
    /// From now on, after each call, what is kept must be what is read anew.
    pub(crate) fn watch(&self) {
        let secrets: Arc<dyn SecretStore> = self.keyring.clone();
        let now = AtomicI64::new(self.edge.now.load(Ordering::Relaxed));
        let edge = Arc::new(FixedEdge { now, next: AtomicU64::new(1), name: "ffffff".to_owned() });
        drop(self.forgetful.set(Host::new(edge, secrets, self.dir.join("../home"))));
    }
    fn compare(&self, forgetful: &Host, after: &str) {
        for kept in KEPT {
            forgetful.open(&self.dir).unwrap();
            let anew = dispatch(forgetful, kept, json!({})).unwrap();
            assert_eq!(dispatch(&self.host, kept, json!({})).unwrap(), anew, "{kept} after {after}, as kept and as read anew");
        }
    }
    pub(crate) fn must(&self, name: &str, request: Value) -> Value {
        self.call(name, request).unwrap_or_else(|e| panic!("{name}: {e} {:?}", e.details))
    }
    pub(crate) fn share(&self) -> Value {
        self.must("sharing.share", json!({}))
    }
    pub(crate) fn device(&self) -> String {
        self.host.workspace().unwrap().device().to_string()
    }
    pub(crate) fn me(&self) -> String {
        self.must("app.status", json!({}))["workspace"]["me"]["id"].as_str().unwrap().to_owned()
    }
    pub(crate) fn key(&self) -> DeviceKey {
        DeviceKey::from_text(&self.keyring.get(&self.device()).unwrap(), None).unwrap()
    }
    pub(crate) fn digest(&self) -> String {
        self.host.workspace().unwrap().read(|r| r.view_digest()).unwrap()
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A workspace with an owner and others who joined, through a bare repository.
pub(crate) struct Team {
    pub(crate) remote: PathBuf,
    pub(crate) ana: Seat,
    pub(crate) dan: Seat,
    _dir: tempfile::TempDir,
}

pub(crate) fn git(args: &[&str]) -> String {
    let out = Command::new("git").args(args).env("LC_ALL", "C").output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

impl Team {
    /// Ana owns the workspace and decides; Dan is a data scientist who joined by invitation.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let remote = dir.path().join("shared.git");
        git(&["init", "--quiet", "--bare", remote.to_str().unwrap()]);
        let ana = Seat::new(dir.path().join("ana"), "aaaaaa");
        ana.must(
            "workspace.create",
            json!({
                "name": "Acme", "person": "Ana", "roles": ["business_owner"], "remote": remote, "dir": ana.dir,
            }),
        );
        ana.share();
        let dan = join(&ana, dir.path(), "Dan", "dddddd", &["data_scientist"]);
        Self { remote, ana, dan, _dir: dir }
    }

    /// Both programs keep nothing that is not so, see [`Seat::watch`].
    pub(crate) fn watched() -> Self {
        let team = Self::new();
        team.ana.watch();
        team.dan.watch();
        team
    }

    pub(crate) fn path(&self) -> &Path {
        self._dir.path()
    }

    /// Both send and get until nothing moves.
    pub(crate) fn settle(&self) {
        for _ in 0..2 {
            self.ana.share();
            self.dan.share();
        }
        self.ana.share();
    }

    /// A project of Ana's with a model version of Dan's whose card is complete.
    pub(crate) fn candidate(&self) -> Candidate {
        self.candidate_of("low")
    }

    pub(crate) fn candidate_of(&self, class: &str) -> Candidate {
        let project = self
            .ana
            .must("project.create", json!({ "title": "Churn", "problem": "Customers leave", "risk_class": class, "template": "light/1" }));
        let project = project["id"].as_str().unwrap().to_owned();
        self.settle();
        let run = crate::tracking::model_run(&self.dan);
        let csv = self.path().join("loans.csv");
        std::fs::write(&csv, "age,loan\n30,1\n41,0\n").unwrap();
        let data = self.dan.must("dataset.import_csv", json!({ "project": project, "path": csv, "name": "loans" }));
        let version = self
            .dan
            .must("model.register", json!({ "project": project, "model": "churn", "run": run, "datasets": [data["versions"][0]["id"]] }));
        let version = version["id"].as_str().unwrap().to_owned();
        for section in
            ["purpose", "out_of_scope", "performance", "errors", "training_data", "training_procedure", "limitations", "oversight"]
        {
            let text = format!("About {section}.");
            self.dan.must("card.edit", json!({ "version": version, "section": section, "text": text }));
        }
        self.settle();
        Candidate { project, version, run }
    }
}

pub(crate) struct Candidate {
    pub(crate) project: String,
    pub(crate) version: String,
    pub(crate) run: String,
}

pub(crate) fn join(owner: &Seat, dir: &Path, name: &str, ids: &str, roles: &[&str]) -> Seat {
    let invitation = owner.must("app.status", json!({}))["workspace"]["invitation"].as_str().unwrap().to_owned();
    let seat = Seat::new(dir.join(name.to_lowercase()), ids);
    let asked = seat.must("workspace.join", json!({ "address": invitation, "person": name, "dir": seat.dir }));
    assert!(asked["workspace"]["me"].is_null(), "asking is not being in");
    owner.share();
    let team = owner.must("member.list", json!({}));
    assert_eq!(team["requests"][0]["phrase"], asked["workspace"]["phrase"], "both people see the same words");
    owner.must("member.admit", json!({ "device": asked["workspace"]["device"], "roles": roles }));
    owner.share();
    seat.share();
    seat
}

/// Signs what stands now as a business owner, as the window does.
pub(crate) fn sign(seat: &Seat, release: &str, decision: &str) -> Result<Value, ApiError> {
    sign_as(seat, release, decision, "business_owner")
}

pub(crate) fn sign_as(seat: &Seat, release: &str, decision: &str, role: &str) -> Result<Value, ApiError> {
    let page = seat.must("release.page", json!({ "release": release }))["sha256"].clone();
    seat.call("release.sign", json!({ "release": release, "decision": decision, "role": role, "reason": "read it", "page": page }))
}

/// Moves a project to the stage of approval, past whatever its gates ask for.
pub(crate) fn to_approval(owner: &Seat, project: &str) {
    for stage in ["data", "training", "validation", "approval"] {
        owner.must("project.enter_stage", json!({ "project": project, "stage": stage, "reason": "for this test" }));
    }
}
