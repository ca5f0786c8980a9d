//! `cairn demo`: the sample workspace, built by the program's own commands from a recorded training.
//!
//! Three people on three computers share one place: Ana decides, Dan builds, Mia checks and deploys.
//! One project is in operation, one waits for Ana's approval, one has just begun.

use cairn_api::tracking::files;
use cairn_api::tracking::runs::{self, Batch, NewRun};
use cairn_api::tracking::{Point, RecordKind, RunStatus, experiments};
use cairn_api::{ApiError, Host, commands::dispatch};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

const RECORDING: &str = include_str!("../../../../assets/sample/recording.json");
const DATA: [(&str, &[u8]); 2] = [
    ("breast_cancer", include_bytes!("../../../../assets/sample/breast_cancer.csv")),
    ("wine", include_bytes!("../../../../assets/sample/wine.csv")),
];
const MODELS: [(&str, &str, &[u8]); 4] = [
    ("logistic-tumo-C1", "MLmodel", include_bytes!("../../../../assets/sample/models/logistic-tumo-C1/MLmodel")),
    ("logistic-tumo-C1", "model.pkl", include_bytes!("../../../../assets/sample/models/logistic-tumo-C1/model.pkl")),
    ("logistic-wine-C1", "MLmodel", include_bytes!("../../../../assets/sample/models/logistic-wine-C1/MLmodel")),
    ("logistic-wine-C1", "model.pkl", include_bytes!("../../../../assets/sample/models/logistic-wine-C1/model.pkl")),
];

/// One person at one computer.
struct Seat {
    host: Host,
    id: String,
}

impl Seat {
    fn call(&self, name: &str, request: Value) -> Result<Value, ApiError> {
        dispatch(&self.host, name, request)
    }
    fn share(&self) -> Result<(), ApiError> {
        self.call("sharing.share", Value::Null).map(drop)
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn io(error: &std::io::Error) -> ApiError {
    ApiError::new("io", error.to_string())
}

/// Builds the sample in `dir`, with the other two computers and the shared place in `dir/team`.
pub(crate) fn build(dir: &Path, remote: Option<&str>) -> Result<Value, ApiError> {
    let team = dir.join("team");
    if std::fs::read_dir(dir).is_ok_and(|mut d| d.next().is_some()) {
        return Err(ApiError::conflict(format!("The folder {} is not empty", dir.display())).hint("Choose a new folder for the sample."));
    }
    let phrase = super::passphrase();
    let ana = Seat { host: Host::system(), id: String::new() };
    let made = ana.call(
        "workspace.create",
        json!({
            "name": "Northwind Health", "person": "Ana Berg", "email": "ana@northwind.example", "dir": dir, "passphrase": phrase,
            "roles": ["business_owner", "data_scientist"],
        }),
    )?;
    let ana = Seat { id: text(&made["workspace"]["me"], "id"), ..ana };
    std::fs::create_dir_all(&team).map_err(|e| io(&e))?;
    let place = match remote {
        Some(place) => place.to_owned(),
        None => {
            let path = std::path::absolute(team.join("shared.git")).map_err(|e| io(&e))?;
            let made = Command::new("git").args(["init", "--quiet", "--bare"]).arg(&path).stdout(Stdio::null()).status();
            if !made.is_ok_and(|s| s.success()) {
                return Err(ApiError::new("no_git", "The sample's shared place could not be made")
                    .hint("Install git, or name a shared place with --remote."));
            }
            path.display().to_string()
        }
    };
    ana.call("sharing.set_remote", json!({ "address": place }))?;
    ana.share()?;
    let dan = join(&ana, &team.join("dan"), "Dan Okafor", "dan@northwind.example", &["data_scientist", "data_engineer"])?;
    let mia = join(&ana, &team.join("mia"), "Mia Chen", "mia@northwind.example", &["ml_engineer", "validator", "compliance"])?;
    let people = [&ana, &dan, &mia];

    let recording: Value = serde_json::from_str(RECORDING)?;
    let screening = project(
        &people,
        "Find tumours earlier",
        "medium",
        [
            "Radiologists read 40 biopsies a day and reach the urgent ones late. We want the likely malignant ones read first.",
            "If likely malignant samples are read first, the median wait for an urgent result falls from five days to two.",
            "Median days from biopsy to urgent result",
            "A harmless sample is read first: ten minutes of a radiologist's time.",
            "A malignant sample waits longer than today. It must never be left out: every sample is still read.",
        ],
    )?;
    let run = train(&dan, &recording, "tumour-screening", &screening, "logistic-tumo-C1")?;
    let data = dataset(&dan, &screening, "Breast cancer, diagnostic", 0, &team)?;
    let version = model(&dan, &screening, "tumour-ranking", &run, &data)?;
    card(
        &dan,
        &version,
        [
            (
                "purpose",
                "Puts biopsies in the order in which radiologists read them. It never decides a diagnosis, and every sample is still read by a person.",
            ),
            (
                "out_of_scope",
                "Not for deciding a diagnosis, not for other organs, and not for images: it reads measured cell features only.",
            ),
            (
                "errors",
                "A harmless sample read first costs ten minutes. A malignant one that is ranked low waits as long as it does today.",
            ),
            ("limitations", "Trained on 569 samples."),
            (
                "oversight",
                "The head of radiology watches the waiting times every week and can switch the ranking off; samples are then read in the order of arrival.",
            ),
            ("contact", "Dan Okafor, data science"),
        ],
    )?;
    share(&people)?;
    walk(&ana, &dan, &mia, &screening, "G1", &ana)?;
    walk(&ana, &dan, &mia, &screening, "G2", &dan)?;
    walk(&ana, &dan, &mia, &screening, "G3", &dan)?;
    walk(&ana, &dan, &mia, &screening, "G4", &mia)?;
    let asks = "Right on 167 of 171 test samples, and it ranks them almost perfectly (ROC AUC 0.999).";
    let first = dan.call("release.request", json!({ "version": version, "reason": asks }))?;
    share(&people)?;
    // Mia says no, and what she asks for is answered: the second request stands beside her words for ever.
    let shown = mia.call("release.page", json!({ "release": first["id"] }))?;
    mia.call(
        "release.sign",
        json!({
            "release": first["id"], "decision": "rejected", "role": "validator", "page": shown["sha256"],
            "reason": "The card does not say that all samples come from one hospital. Another laboratory would trust the ranking blindly.",
        }),
    )?;
    share(&people)?;
    let limits =
        "Trained on 569 samples of one hospital from 1995. Other laboratories measure differently; check the ranking there before use.";
    card(&dan, &version, [("limitations", limits)])?;
    let said = dan.call("release.earlier", json!({ "version": version }))?;
    let answers = json!({ text(&said[0], "signoff"): "The card now says where the samples come from, and that the ranking must be checked elsewhere before use." });
    let release = dan.call("release.request", json!({ "version": version, "reason": asks, "answers": answers }))?;
    share(&people)?;
    sign(&mia, &release, "validator", "The limits are said where a reader looks for them, and I measured the ranking again.")?;
    share(&people)?;
    sign(&ana, &release, "business_owner", "Two days instead of five for urgent patients, and every sample is still read by a person.")?;
    share(&people)?;
    mia.call("deployment.record", json!({ "version": version, "environment": "test" }))?;
    mia.call("deployment.record", json!({ "version": version, "environment": "production" }))?;
    mia.call("project.enter_stage", json!({ "project": screening, "stage": "operation" }))?;
    mia.call("note.save", json!({
        "about": { "kind": "project", "id": screening }, "title": "First week in production",
        "text": "The ranking runs since Monday.\n\n- median wait: **2.1 days** (was 5.0)\n- switched off: never\n- next look: in four weeks",
    }))?;

    let wine = project(
        &people,
        "Sort wine at the intake",
        "low",
        [
            "Bottles arrive unlabelled from three growers and are sorted by hand, which takes a day per delivery.",
            "If a quick lab measurement tells the grower, sorting a delivery takes an hour.",
            "Hours to sort a delivery",
            "A bottle goes to the wrong shelf and is found at the next check.",
            "The same: growers mix up, and a customer may notice.",
        ],
    )?;
    let run = train(&dan, &recording, "wine-sorting", &wine, "logistic-wine-C1")?;
    let data = dataset(&dan, &wine, "Wine recognition", 1, &team)?;
    let version = model(&dan, &wine, "grower-recognition", &run, &data)?;
    card(
        &dan,
        &version,
        [
            (
                "purpose",
                "Tells from thirteen lab values which of three growers a bottle comes from, so that deliveries are sorted in an hour.",
            ),
            ("out_of_scope", "Not for judging quality or price, and not for growers that it has never seen."),
            ("errors", "A bottle on the wrong shelf. It is found at the next check and costs a few minutes."),
            ("limitations", "Only 178 bottles of one region and one year. A fourth grower would be sorted wrongly without any warning."),
            ("oversight", "The shift lead checks ten bottles of each delivery and goes back to sorting by hand if two are wrong."),
            ("contact", "Dan Okafor, data science"),
        ],
    )?;
    share(&people)?;
    walk(&ana, &dan, &mia, &wine, "G1", &ana)?;
    walk(&ana, &dan, &mia, &wine, "G2", &dan)?;
    walk(&ana, &dan, &mia, &wine, "G3", &dan)?;
    walk(&ana, &dan, &mia, &wine, "G4", &mia)?;
    dan.call(
        "release.request",
        json!({ "version": version, "reason": "52 of 54 bottles of the test were sorted right. Ready for the Tuesday delivery." }),
    )?;

    let no_shows = ana.call(
        "project.create",
        json!({
            "title": "Fewer missed appointments",
            "problem": "One in eight patients does not come, and nobody can use the free hour at short notice.",
        }),
    )?;
    ana.call("checklist.start", json!({ "project": text(&no_shows, "id"), "gate": "G1" }))?;
    share(&people)?;
    share(&people)?;
    ana.host.workspace()?.write(|w| w.set_local("demo", "1"))?;
    ana.call("app.status", Value::Null)
}

/// Everybody sends and gets the latest.
fn share(people: &[&Seat]) -> Result<(), ApiError> {
    people.iter().chain(people).try_for_each(|seat| seat.share())
}

fn join(ana: &Seat, dir: &Path, name: &str, email: &str, roles: &[&str]) -> Result<Seat, ApiError> {
    let invitation = text(&ana.call("app.status", Value::Null)?["workspace"], "invitation");
    let seat = Seat { host: Host::system(), id: String::new() };
    let asked = seat.call(
        "workspace.join",
        json!({ "address": invitation, "person": name, "email": email, "dir": dir, "passphrase": super::passphrase() }),
    )?;
    ana.share()?;
    ana.call("member.admit", json!({ "device": asked["workspace"]["device"], "roles": roles }))?;
    ana.share()?;
    seat.share()?;
    let me = seat.call("app.status", Value::Null)?;
    Ok(Seat { id: text(&me["workspace"]["me"], "id"), ..seat })
}

fn project(people: &[&Seat; 3], title: &str, risk: &str, texts: [&str; 5]) -> Result<String, ApiError> {
    let [ana, dan, mia] = people;
    let [problem, hypothesis, metric, false_positive, false_negative] = texts;
    let made = ana.call(
        "project.create",
        // Its recorded runs know neither commit nor splits, which later lifecycles look for.
        json!({
            "title": title, "problem": problem, "hypothesis": hypothesis, "value_metric": metric, "risk_class": risk,
            "template": "standard/1",
        }),
    )?;
    let id = text(&made, "id");
    for (field, value) in [("cost_false_positive", false_positive), ("cost_false_negative", false_negative)] {
        ana.call("project.edit", json!({ "project": id, "field": field, "value": value }))?;
    }
    for (member, role) in [
        (&ana.id, "business_owner"),
        (&dan.id, "data_scientist"),
        (&dan.id, "data_engineer"),
        (&mia.id, "validator"),
        (&mia.id, "ml_engineer"),
        (&mia.id, "compliance"),
    ] {
        ana.call("project.set_member", json!({ "project": id, "member": member, "role": role, "belongs": true }))?;
    }
    share(people)?;
    Ok(id)
}

/// Replays the recorded runs of an experiment through the tracking rules; returns the id of `wanted`.
fn train(dan: &Seat, recording: &Value, experiment: &str, project: &str, wanted: &str) -> Result<String, ApiError> {
    let workspace = dan.host.workspace()?;
    let number = experiments::create(&workspace, experiment, std::collections::BTreeMap::new())?;
    let mut found = String::new();
    let all = recording["runs"].as_array().cloned().unwrap_or_default();
    for recorded in all.iter().filter(|r| r["experiment"] == experiment) {
        let name = text(recorded, "name");
        let pairs = |key: &str| -> Vec<(String, String)> {
            recorded[key].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect()
        };
        let start = workspace.edge.now_ms();
        let run = runs::create(
            &workspace,
            NewRun {
                experiment: number.to_string(),
                user: "dan".to_owned(),
                name: Some(name.clone()),
                start_ms: start,
                tags: pairs("tags").into_iter().collect(),
            },
        )?;
        let mut metrics = Vec::new();
        for (key, points) in recorded["series"].as_object().into_iter().flatten() {
            for p in points.as_array().into_iter().flatten() {
                metrics.push((
                    key.clone(),
                    Point {
                        step: p[0].as_i64().unwrap_or(0),
                        ts: start + p[0].as_i64().unwrap_or(0),
                        value: p[1].as_f64().unwrap_or(f64::NAN),
                    },
                ));
            }
        }
        for (key, value) in recorded["final"].as_object().into_iter().flatten() {
            metrics.push((key.clone(), Point { step: 0, ts: start, value: value.as_f64().unwrap_or(f64::NAN) }));
        }
        runs::log_batch(&workspace, &run.id, Batch { metrics, params: pairs("params"), ..Batch::default() })?;
        for (_, file, bytes) in MODELS.iter().filter(|(owner, _, _)| *owner == name) {
            files::put_artifact(&workspace, RecordKind::Run, &run.id, &format!("model/{file}"), bytes)?;
        }
        runs::update(&workspace, &run.id, Some(RunStatus::Finished), Some(workspace.edge.now_ms()), None)?;
        if name == wanted {
            found = run.id;
        }
    }
    let listed = dan.call("experiment.list", Value::Null)?;
    let id = listed.as_array().and_then(|l| l.iter().find(|e| e["name"] == experiment)).map(|e| text(e, "id")).unwrap_or_default();
    dan.call("experiment.link", json!({ "experiment": id, "project": project }))?;
    Ok(found)
}

fn dataset(dan: &Seat, project: &str, name: &str, which: usize, team: &Path) -> Result<String, ApiError> {
    let (file, bytes) = DATA[which];
    let path = team.join(format!("{file}.csv"));
    std::fs::write(&path, bytes).map_err(|e| io(&e))?;
    let made = dan.call("dataset.import_csv", json!({ "project": project, "path": path, "name": name }))?;
    Ok(text(&made["versions"][0], "id"))
}

fn model(dan: &Seat, project: &str, name: &str, run: &str, data: &str) -> Result<String, ApiError> {
    let made = dan.call("model.register", json!({ "project": project, "model": name, "run": run, "datasets": [data] }))?;
    dan.call("model.set_alias", json!({ "model": made["model"], "alias": "champion", "version": made["id"] }))?;
    Ok(text(&made, "id"))
}

fn card<const N: usize>(dan: &Seat, version: &str, sections: [(&str, &str); N]) -> Result<(), ApiError> {
    for (section, text) in sections {
        dan.call("card.edit", json!({ "version": version, "section": section, "text": text }))?;
    }
    Ok(())
}

/// Works through a handoff's blocking items and moves the project on.
fn walk(ana: &Seat, dan: &Seat, mia: &Seat, project: &str, gate: &str, worker: &Seat) -> Result<(), ApiError> {
    let started = worker.call("checklist.start", json!({ "project": project, "gate": gate }))?;
    let checklist = text(&started, "id");
    worker.call("checklist.pick_up", json!({ "checklist": checklist }))?;
    let seats = [ana, dan, mia];
    share(&seats)?;
    for item in started["items"].as_array().into_iter().flatten().filter(|i| i["blocks"] == true && i["kind"] != "records") {
        // A statement is said by somebody who holds its role; whoever works on the list ticks the others.
        let says = match (text(item, "kind").as_str(), text(&item["role"], "id").as_str()) {
            ("statement", "business_owner") => ana,
            ("statement", "data_scientist" | "data_engineer") => dan,
            ("statement", _) => mia,
            _ => worker,
        };
        says.call(
            "checklist.item_done",
            json!({
                "checklist": checklist, "item": item["id"], "comment": "Done and looked through with the team.",
                "evidence": [{ "kind": "project", "id": project }],
            }),
        )?;
    }
    share(&seats)?;
    worker.call("checklist.complete", json!({ "checklist": checklist }))?;
    share(&[ana, dan, mia])?;
    let now = worker.call("project.get", json!({ "project": project }))?;
    let stages = now["stages"].as_array().cloned().unwrap_or_default();
    let here = stages.iter().position(|s| s["state"] == "here").unwrap_or(0);
    worker.call("project.enter_stage", json!({ "project": project, "stage": stages[here + 1]["id"] }))?;
    share(&[ana, dan, mia])
}

fn sign(who: &Seat, release: &Value, role: &str, reason: &str) -> Result<(), ApiError> {
    let shown = who.call("release.page", json!({ "release": release["id"] }))?;
    who.call(
        "release.sign",
        json!({ "release": release["id"], "decision": "approved", "role": role, "reason": reason, "page": shown["sha256"] }),
    )
    .map(drop)
}
