//! Records for people: plain lines and small tables.

use serde_json::Value;

/// As JSON, or in words.
pub(crate) fn record(json: bool, value: &Value, words: impl FnOnce(&Value) -> String) {
    line(&if json { format!("{value:#}") } else { words(value) });
}

/// Prints a line. Whoever reads may stop early (`| head`), and that is no error.
pub(crate) fn line(text: &str) {
    use std::io::Write;
    if writeln!(std::io::stdout().lock(), "{text}").is_err() {
        std::process::exit(0);
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn status(v: &Value) -> String {
    let w = &v["app"]["workspace"];
    let me = if w["me"].is_null() { "not let in yet".to_owned() } else { text(&w["me"], "name").to_owned() };
    let remote = w["remote"].as_str().filter(|r| !r.is_empty()).unwrap_or("nobody yet");
    let invite = w["invitation"].as_str().map(|i| format!("\nInvitation: {i}")).unwrap_or_default();
    let fingerprint = v["fingerprint"].as_str().map(|f| format!("\nFingerprint: {f}")).unwrap_or_default();
    format!(
        "{} ({})\nYou: {me}\nShared with: {remote}\nChanges to share: {}{invite}{fingerprint}",
        text(w, "name"),
        text(w, "dir"),
        v["sharing"]["waiting"]
    )
}

/// Runs side by side: the verdict, then what differs.
pub(crate) fn comparison(v: &Value) -> String {
    let names: Vec<&str> = rows(&v["runs"]).map(|r| text(r, "name")).collect();
    let mut out = vec![text(v, "verdict").to_owned()];
    out.extend(Some(text(v, "certainty")).filter(|c| !c.is_empty()).map(str::to_owned));
    out.push(format!("\n{:32}{}", "", names.join("  ")));
    let cells = |all: &Value| rows(all).map(|c| c.as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>().join("  ");
    for m in rows(&v["metrics"]).filter(|m| m["differs"] == true) {
        out.push(format!("{:32}{}", text(m, "name"), cells(&m["last"])));
    }
    for part in ["params", "tags", "code", "environment", "packages", "data", "files"] {
        let differ: Vec<&Value> = rows(&v[part]).filter(|r| r["differs"] == true).collect();
        if !differ.is_empty() {
            out.push(format!("\n{part}"));
            out.extend(differ.into_iter().map(|r| format!("  {:30}{}", text(r, "name"), cells(&r["values"]))));
        }
    }
    out.extend(rows(&v["notes"]).filter_map(Value::as_str).map(|note| format!("\n{note}")));
    out.join("\n")
}

pub(crate) fn findings(v: &Value) -> String {
    let line = |f: &Value| {
        let mend = f["mend"].as_str().map(|m| format!("\n    {m}")).unwrap_or_default();
        format!("{} {}{mend}", if f["good"] == true { "ok  " } else { "MEND" }, text(f, "what"))
    };
    rows(v).map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn exported(v: &Value) -> String {
    let mut out = vec![
        format!(
            "{} runs of {} experiments with {} points and {} files, and {} registered models, are in {}.",
            v["runs"],
            v["experiments"],
            v["points"],
            v["files"],
            v["models"],
            text(v, "dir")
        ),
        format!("Open it with: MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {}", text(v, "dir")),
    ];
    out.extend(rows(&v["left_out"]).map(|l| format!("Not in it: {}", l.as_str().unwrap_or_default())));
    out.join("\n")
}

pub(crate) fn run(v: &Value) -> String {
    let (run, source) = (&v["run"], &v["source"]);
    let mut out = vec![
        format!("{}  {}", text(run, "id"), text(run, "name")),
        format!("experiment {}, {}, by {}", text(run, "experiment_name"), text(run, "status").to_lowercase(), text(&run["by"], "name")),
    ];
    let mut say = |what: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            out.push(format!("{what:<12} {value}"));
        }
    };
    say("command", source["command"].as_str());
    say("folder", source["folder"].as_str());
    let commit = source["commit"].as_str().map(|c| match source["changed"].as_u64() {
        Some(n) if n > 0 => format!("{c} and {n} files that differ"),
        _ => c.to_owned(),
    });
    say("commit", commit.as_deref());
    say("branch", source["branch"].as_str());
    say("from", source["remote"].as_str());
    say("python", source["python"].as_str());
    say("system", source["system"].as_str());
    for input in rows(&v["inputs"]) {
        say("data", Some(&format!("{} {}", text(input, "name"), text(input, "digest"))));
    }
    for (kind, field) in [("parameter", "params"), ("tag", "tags")] {
        for (key, value) in run[field].as_object().into_iter().flatten() {
            say(kind, Some(&format!("{key} = {}", value.as_str().unwrap_or_default())));
        }
    }
    for m in rows(&v["metrics"]) {
        say("metric", Some(&format!("{} = {} ({} points)", text(m, "key"), text(m, "last"), m["count"])));
    }
    for a in rows(&v["artifacts"]) {
        say("file", a["path"].as_str());
    }
    out.join("\n")
}

pub(crate) fn runs(v: &Value) -> String {
    let line = |r: &Value| {
        let metrics: Vec<String> = r["metrics"]
            .as_object()
            .into_iter()
            .flatten()
            .take(6)
            .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
            .collect();
        format!("{}  {:<28} {:<9} {}", text(r, "id"), text(r, "name"), text(r, "status").to_lowercase(), metrics.join(" "))
    };
    let lines: Vec<String> = rows(v).map(line).collect();
    if lines.is_empty() { "There are no runs that fit.".to_owned() } else { lines.join("\n") }
}

pub(crate) fn dataset(v: &Value) -> String {
    let newest = &v["versions"][0];
    format!(
        "{} version {}: {} rows, {} columns, sha256 {}",
        text(v, "name"),
        newest["number"],
        newest["rows"],
        newest["columns"].as_array().map_or(0, Vec::len),
        text(newest, "digest")
    )
}

pub(crate) fn trail(v: &Value) -> String {
    let line = |e: &Value| {
        let why = e["why"].as_str().map(|w| format!(" ({w})")).unwrap_or_default();
        let state =
            if text(e, "state") == "accepted" { String::new() } else { format!(" [{}: {}]", text(e, "state"), text(e, "state_reason")) };
        format!("{}  {} {}{why}{state}", e["at_ms"], text(&e["by"], "name"), text(e, "sentence"))
    };
    rows(&v["entries"]).map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn verified(v: &Value) -> String {
    let problems: Vec<&str> = rows(&v["problems"]).filter_map(Value::as_str).collect();
    let head =
        format!("{} commits with {} operations checked; {} operations are not sealed yet.", v["commits"], v["operations"], v["waiting"]);
    if problems.is_empty() { format!("{head}\nEverything is as it was signed.") } else { format!("{head}\n{}", problems.join("\n")) }
}

fn many(count: &Value, what: &str) -> String {
    if *count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

pub(crate) fn imported(v: &Value) -> String {
    let source = &v["source"];
    let mut out = format!(
        "{} of {}: {} with news, {}, {}",
        text(source, "label"),
        text(source, "path"),
        many(&v["runs"], "run"),
        many(&v["points"], "point"),
        many(&v["files"], "file")
    );
    for (what, count) in v["left_out"].as_object().into_iter().flatten() {
        out.push_str(&format!("\nLeft out: {count} {what}"));
    }
    for finding in rows(&source["findings"]) {
        out.push_str(&format!("\nCould not be read: {}", finding.as_str().unwrap_or_default()));
    }
    if source["watched"] == true {
        out.push_str("\nWhat is written there from now on is taken while `cairn serve` or the window runs.");
    }
    out
}

pub(crate) fn room(v: &Value) -> String {
    let mb = |key: &str| format!("{:.1} MB", v[key].as_f64().unwrap_or(0.0) / 1e6);
    let what = format!(
        "{} files that nothing has ({}), {} points of {} deleted runs ({}), {} free inside the workspace file",
        v["files"],
        mb("file_bytes"),
        v["points"],
        v["runs"],
        mb("point_bytes"),
        mb("slack")
    );
    if v["done"] == true { format!("Freed: {what}.") } else { format!("Could be freed: {what}.\nWith --now it is.") }
}

/// What waits, in lines that can be read in a minute.
pub(crate) fn inbox(all: &Value) -> String {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let item = |i: &Value| {
        let due = i["due"].as_str().map(|d| format!(" (due {d})")).unwrap_or_default();
        let project = i["project_title"].as_str().map(|p| format!("  [{p}]")).unwrap_or_default();
        format!("  {}{due}: {}{project}", text(&i["title"]), text(&i["text"]))
    };
    let list = |v: &Value| v.as_array().into_iter().flatten().map(item).collect::<Vec<_>>();
    let mut out = vec!["Waiting for you".to_owned()];
    let waiting = list(&all["waiting"]);
    out.extend(if waiting.is_empty() { vec!["  Nothing.".to_owned()] } else { waiting });
    let asked = list(&all["elsewhere"]["asked"]);
    if !asked.is_empty() {
        out.push("You asked for".to_owned());
        out.extend(asked);
    }
    let digest: Vec<String> = all["elsewhere"]["digest"].as_array().into_iter().flatten().map(|d| format!("  {}", text(d))).collect();
    if !digest.is_empty() {
        out.push("Changed since you looked".to_owned());
        out.extend(digest);
    }
    out.join("\n")
}

/// What was found, a line each.
pub(crate) fn found(all: &Value) -> String {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let line = |f: &Value| {
        let project = f["project_title"].as_str().map(|p| format!("  [{p}]")).unwrap_or_default();
        let snippet = if f["snippet"] == "" { String::new() } else { format!("\n    {}", text(&f["snippet"])) };
        format!("{} {}: {}{project}{snippet}", text(&f["kind"]), text(&f["id"]), text(&f["title"]))
    };
    let lines: Vec<String> = all.as_array().into_iter().flatten().map(line).collect();
    if lines.is_empty() { "Nothing fits these words.".to_owned() } else { lines.join("\n") }
}

/// What the gate says, and everything that it found.
pub(crate) fn gate(v: &Value) -> String {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let yes = v["verdict"] == "pass";
    let mut out = format!("{}: {} version {}. {}\n", if yes { "Yes" } else { "No" }, text(&v["model"]), v["version"], text(&v["sentence"]));
    for reason in v["reasons"].as_array().into_iter().flatten() {
        let mark = if reason["blocks"] == true { "no " } else { "note" };
        let due = reason["due"].as_str().map(|d| format!(" To be answered by {d}.")).unwrap_or_default();
        out.push_str(&format!("  {mark}  {}{due}\n", text(&reason["sentence"])));
    }
    out.push_str(&format!("As of {}.", v["as_of"].as_str().unwrap_or("never")));
    out
}
