//! Figures of the log, printed: sharing beside bare git, size, no-op, a cold start, growth, many
//! computers. `make bench` runs all; a name as argument runs one.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod guide;
#[path = "../suite/seat.rs"]
#[allow(dead_code)]
mod seat;
#[path = "../suite/tracking.rs"]
#[allow(dead_code, unused_imports)]
mod tracking;

use cairn_core::id::RunId;
use cairn_core::op::Op;
use seat::{Seat, Team, git, join};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let all: [(&str, fn()); 6] =
        [("share", share), ("no-op", no_op), ("cold", cold), ("growth", growth), ("devices", devices), ("guide", guide::guide)];
    if wanted.iter().any(|w| w == "a-stranger") {
        return stranger();
    }
    for (name, bench) in all {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            bench();
        }
    }
}

/// Parameters, tags and states of runs, as training scripts leave them.
fn write(seat: &Seat, from: u64, count: u64) {
    let workspace = seat.host.workspace().unwrap();
    let mut n = from;
    while n < from + count {
        let end = (n + 1_000).min(from + count);
        workspace
            .write(|w| {
                for i in n..end {
                    let run = RunId::parse(format!("{:032x}", 0x9e37_79b9_7f4a_7c15_u128.wrapping_mul(u128::from(i / 20 + 1)))).unwrap();
                    let pair = |k: &str, v: String| [(k.to_owned(), v)].into();
                    w.append(match i % 4 {
                        0 => Op::RunParamsLogged { run, params: pair("learning_rate", format!("0.{:05}", i * 7_919 % 99_991)) },
                        1 => Op::RunTagged { run, set: pair("stage", format!("try {}", i % 17)), removed: vec![] },
                        2 => Op::RunTagged { run, set: pair("host", format!("node-{:02}", i * 31 % 64)), removed: vec![] },
                        _ => Op::RunParamsLogged { run, params: pair("batch_size", (1 << (i % 9)).to_string()) },
                    })?;
                }
                Ok::<_, cairn_api::ApiError>(())
            })
            .unwrap();
        n = end;
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn bare(path: &Path) -> &str {
    let text = path.to_str().unwrap();
    git(&["init", "--quiet", "--bare", text]);
    text
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}

/// The median of some tries.
fn median(mut tries: Vec<Duration>) -> f64 {
    tries.sort();
    ms(tries[tries.len() / 2])
}

/// What this process holds and what it held at most, in MB.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
    peak.unwrap_or(0.0) / 1024.0
}

fn share() {
    const OPS: u64 = 50_000;
    let team = Team::new();
    team.settle();
    write(&team.dan, 0, OPS);
    let sending = timed(|| drop(team.dan.share()));
    let getting = timed(|| drop(team.ana.share()));
    // The same objects with nothing but git: no signature made or checked, nothing folded.
    let store = team.dan.dir.join("git");
    let name = format!("refs/heads/cairn/log/{}", team.dan.device());
    let spec = format!("{name}:{name}");
    let place = team.path().join("bare.git");
    let place = bare(&place);
    let push = timed(|| drop(git(&["-C", store.to_str().unwrap(), "push", "--quiet", &format!("file://{place}"), &spec])));
    let other = team.path().join("other.git");
    let other = bare(&other);
    let fetch = timed(|| drop(git(&["-C", other, "fetch", "--quiet", &format!("file://{place}"), &spec])));
    println!(
        "share {OPS} operations: send {:.0} ms, get {:.0} ms; bare git push {:.0} ms, fetch {:.0} ms; ratio {:.2} (at most 2)",
        ms(sending),
        ms(getting),
        ms(push),
        ms(fetch),
        (sending + getting).as_secs_f64() / (push + fetch).as_secs_f64()
    );
    let remote = team.remote.to_str().unwrap();
    let before = count_kib(remote);
    git(&["-C", remote, "gc", "--quiet"]);
    let packed = count_kib(remote);
    println!(
        "size: {:.1} bytes an operation in the packed remote (at most 60), {:.1} as pushed",
        packed * 1024.0 / OPS as f64,
        before * 1024.0 / OPS as f64
    );
    // Points, as a training run leaves them: 32-bit losses with noise.
    let workspace = team.dan.host.workspace().unwrap();
    let run = tracking::model_run(&team.dan);
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let points: Vec<_> = (0..1_000_000_i64)
        .map(|i| {
            let value = f64::from((2.0 * (-(i as f64) / 3e5).exp() + 0.1 * noise()) as f32);
            ("train/loss", cairn_store::metrics::Point { step: i, ts: 1_795_000_000_000 + i * 100 + (noise() * 10.0) as i64, value })
        })
        .collect();
    let id = RunId::parse(run).unwrap();
    for chunk in points.chunks(10_000) {
        workspace.write(|w| w.log_points(&id, chunk.iter().copied()).map_err(cairn_api::ApiError::from)).unwrap();
    }
    let sending = timed(|| drop(team.dan.share()));
    git(&["-C", remote, "gc", "--quiet"]);
    let points = (count_kib(remote) - packed) * 1024.0 / 1e6;
    println!("size: {points:.2} bytes a metric point (at most 6); one million points packed and sent in {:.0} ms", ms(sending));
    let getting = timed(|| drop(team.ana.share()));
    let fetching = timed(|| drop(team.ana.must("run.fetch_points", json!({ "run": id.as_str() }))));
    println!("points: the log got in {:.0} ms, one million points when somebody looks in {:.0} ms", ms(getting), ms(fetching));
}

fn count_kib(remote: &str) -> f64 {
    let out = git(&["-C", remote, "count-objects", "-v"]);
    let of = |key: &str| out.lines().find_map(|l| l.strip_prefix(key)).and_then(|v| v.trim().parse::<f64>().ok()).unwrap_or(0.0);
    of("size:") + of("size-pack:")
}

fn no_op() {
    let team = Team::new();
    team.candidate();
    let tries = (0..21).map(|_| timed(|| drop(team.dan.share()))).collect();
    let store = team.dan.dir.join("git");
    let url = format!("file://{}", team.remote.display());
    let git_only = (0..21)
        .map(|_| timed(|| drop(git(&["-C", store.to_str().unwrap(), "fetch", "--quiet", &url, "+refs/heads/cairn/log/*:refs/cairn/in/*"]))))
        .collect();
    let (ours, theirs) = (median(tries), median(git_only));
    println!("no-op share over file://: {ours:.0} ms (under 150); bare git fetch {theirs:.0} ms; ratio {:.2}", ours / theirs);
}

fn cold() {
    let ops: u64 = std::env::var("OPS").ok().and_then(|o| o.parse().ok()).unwrap_or(1_000_000);
    let team = Team::new();
    team.settle();
    let writing = timed(|| write(&team.dan, 0, ops));
    let sending = timed(|| drop(team.dan.share()));
    println!("{ops} operations: written in {:.1} s, first share {:.1} s", writing.as_secs_f64(), sending.as_secs_f64());
    team.ana.share();
    // Cold: a process of its own that knows nothing yet, so that the time and the memory are its own.
    let invitation = team.ana.must("app.status", json!({}))["workspace"]["invitation"].as_str().unwrap().to_owned();
    let dir = team.path().join("cold");
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .arg("a-stranger")
        .env("COLD_ADDRESS", invitation)
        .env("COLD_DIR", &dir)
        .output()
        .unwrap();
    print!("{}", String::from_utf8_lossy(&child.stdout));
    // What stock git needs for the objects alone.
    let clone = team.path().join("clone.git");
    let clone =
        timed(|| drop(git(&["clone", "--quiet", "--mirror", &format!("file://{}", team.remote.display()), clone.to_str().unwrap()])));
    println!("bare git clones the same in {:.1} s", clone.as_secs_f64());
}

/// Joins a workspace that it has never seen: fetches, verifies and folds everything; then checks it all again.
fn stranger() {
    let seat = Seat::fresh(std::env::var("COLD_DIR").unwrap().into(), "eeeeee");
    let address = std::env::var("COLD_ADDRESS").unwrap();
    let joined = timed(|| drop(seat.must("workspace.join", json!({ "address": address, "person": "Mia", "dir": seat.dir }))));
    println!("cold: fetched, verified and folded in {:.1} s (under 60), peak {:.0} MB (under 500)", joined.as_secs_f64(), memory());
    let verified = timed(|| assert_eq!(seat.must("log.verify", json!({}))["problems"], json!([])));
    let rebuilt = timed(|| assert_eq!(seat.must("log.rebuild", json!({}))["same"], true));
    println!("cold: verified again in {:.1} s, rebuilt in {:.1} s, peak {:.0} MB", verified.as_secs_f64(), rebuilt.as_secs_f64(), memory());
}

fn growth() {
    let mut results = Vec::new();
    for history in [10_000_u64, 1_000_000] {
        let team = Team::new();
        write(&team.dan, 0, history);
        team.settle();
        let tries = (0..7)
            .map(|i| {
                write(&team.dan, history + i * 1_000, 1_000);
                timed(|| {
                    team.dan.share();
                    team.ana.share();
                })
            })
            .collect();
        let took = median(tries);
        println!("growth: sharing 1,000 new operations, sent and got, on a history of {history}: {took:.0} ms");
        results.push(took);
    }
    println!("growth: ratio {:.2} (at most 1.5)", results[1] / results[0]);
}

fn devices() {
    let count: usize = std::env::var("COUNT").ok().and_then(|o| o.parse().ok()).unwrap_or(150);
    let team = Team::new();
    let start = Instant::now();
    let mut seats = Vec::new();
    for i in 0..count - 2 {
        seats.push(join(&team.ana, team.path(), &format!("P{i}"), &format!("{:06x}", 0x10_0000 + i), &["data_scientist"]));
    }
    println!("{count} computers: joined in {:.1} s", start.elapsed().as_secs_f64());
    team.settle();
    for (i, seat) in seats.iter().enumerate() {
        write(seat, i as u64 * 1_000, 50);
    }
    let sending: Vec<Duration> = seats.iter().map(|s| timed(|| drop(s.share()))).collect();
    println!("{count} computers: each shares 50 operations in {:.0} ms (median, first contact with the others included)", median(sending));
    let getting = timed(|| drop(team.dan.share()));
    let other = team.path().join("other.git");
    let other = bare(&other);
    let url = format!("file://{}", team.remote.display());
    let fetch = timed(|| drop(git(&["-C", other, "fetch", "--quiet", &url, "+refs/heads/cairn/log/*:refs/cairn/in/*"])));
    println!("{count} computers: one gets the news of all in {:.0} ms; bare git clones all of it in {:.0} ms", ms(getting), ms(fetch));
    let tries = (0..11).map(|_| timed(|| drop(team.dan.share()))).collect();
    println!("{count} computers: no-op share {:.0} ms", median(tries));
}
