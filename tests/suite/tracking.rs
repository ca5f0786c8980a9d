//! Logging through the tracking rules.

use crate::seat::{Seat, Team};
use cairn_api::tracking::runs::{self, Batch, NewRun};
use cairn_api::tracking::{Point, RecordKind, RunStatus, TrackingError, experiments};
use serde_json::json;
use std::collections::BTreeMap;

/// A finished run with a model, as a training script would leave it.
pub(crate) fn model_run(seat: &Seat) -> String {
    let w = seat.host.workspace().unwrap();
    let number = experiments::create(&w, "churn", BTreeMap::new()).unwrap();
    let run =
        runs::create(&w, NewRun { experiment: number.to_string(), user: "dan".into(), name: Some("first".into()), ..NewRun::default() })
            .unwrap();
    let at = |step: i64, value| ("loss".to_owned(), Point { step, ts: 1_000 + step, value });
    runs::log_batch(
        &w,
        &run.id,
        Batch {
            metrics: vec![at(0, 1.0), at(1, f64::NAN), at(2, 0.5)],
            params: vec![("lr".into(), "0.1".into())],
            tags: vec![("team".into(), "red".into())],
            ..Batch::default()
        },
    )
    .unwrap();
    for (file, text) in [("model/MLmodel", "flavors: {}"), ("model/model.pkl", "weights")] {
        cairn_api::tracking::files::put_artifact(&w, RecordKind::Run, &run.id, file, text.as_bytes()).unwrap();
    }
    runs::update(&w, &run.id, Some(RunStatus::Finished), Some(2_000), None).unwrap();
    run.id
}

#[test]
fn a_batch_with_one_bad_parameter_writes_nothing() {
    let team = Team::new();
    let run = model_run(&team.dan);
    let w = team.dan.host.workspace().unwrap();
    let refused = runs::log_batch(
        &w,
        &run,
        Batch {
            metrics: vec![("new".into(), Point { step: 0, ts: 1, value: 1.0 })],
            params: vec![("lr".into(), "0.2".into())],
            ..Batch::default()
        },
    );
    assert!(matches!(refused, Err(TrackingError::Invalid(m)) if m.starts_with("Changing param values is not allowed")));
    assert!(runs::get(&w, &run).unwrap().metrics.iter().all(|m| m.key != "new"), "the metric of the refused batch is not there");
}

#[test]
fn whoever_may_not_log_is_told_so_with_403_and_nothing_is_written() {
    let team = Team::new();
    let run = model_run(&team.dan);
    team.settle();
    let w = team.ana.host.workspace().unwrap();
    let refused = runs::log_metric(&w, &run, "loss", Point { step: 9, ts: 9, value: 9.0 });
    assert!(matches!(refused, Err(TrackingError::Denied(_))));
}

#[test]
fn a_run_is_seen_on_the_other_computer_with_its_curve() {
    let team = Team::new();
    let run = model_run(&team.dan);
    team.settle();
    let seen = team.ana.must("run.get", json!({ "run": run }));
    assert_eq!(seen["run"]["metrics"]["loss"], "0.5");
    assert_eq!(seen["run"]["params"]["lr"], "0.1");
    let chart =
        team.ana.must("chart.draw", json!({ "spec": { "metrics": ["loss"] }, "of": { "runs": [run] }, "width": 400, "height": 200 }));
    assert_eq!(chart["points"], 3, "the signed outline holds all points of a short curve, NaN included");
    let files = seen["artifacts"].as_array().unwrap();
    assert!(files.iter().all(|f| f["here"] == true), "small files travel with the log");
}

#[test]
fn an_experiment_keeps_its_number_and_default_is_zero() {
    let team = Team::new();
    let w = team.dan.host.workspace().unwrap();
    assert_eq!(experiments::by_name(&w, "Default").unwrap().number, 0);
    let first = experiments::create(&w, "a", BTreeMap::new()).unwrap();
    assert!(matches!(experiments::create(&w, "a", BTreeMap::new()), Err(TrackingError::AlreadyExists(_))));
    assert_eq!(experiments::by_name(&w, "a").unwrap().number, first);
}

/// A workspace with nothing in it but what a test logs.
fn one_run(seat: &Seat, name: &str) -> String {
    let w = seat.host.workspace().unwrap();
    runs::create(&w, NewRun { experiment: "0".into(), user: "dan".into(), name: Some(name.into()), ..NewRun::default() }).unwrap().id
}

fn log(seat: &Seat, run: &str, points: &[Point]) {
    let w = seat.host.workspace().unwrap();
    let metrics = points.iter().map(|p| ("m".to_owned(), *p)).collect();
    runs::log_batch(&w, run, Batch { metrics, ..Batch::default() }).unwrap();
}

fn key(p: &Point) -> (i64, i64, u64) {
    (p.step, p.ts, p.value.to_bits())
}

#[test]
fn points_come_back_to_the_bit_whatever_order_they_came_in() {
    let team = Team::new();
    let mut seed = 42_u64;
    let mut next = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for (name, span, batches) in [("forwards", 0, 40), ("shuffled", 9_000, 60), ("repeated", 30, 40)] {
        let run = one_run(&team.dan, name);
        let mut wanted: BTreeMap<(i64, i64, i64), Point> = BTreeMap::new();
        let mut step = 0;
        for _ in 0..batches {
            let points: Vec<Point> = (0..1 + next(400))
                .map(|_| {
                    step = if span == 0 { step + 1 } else { i64::try_from(next(span)).unwrap() };
                    let value = match next(50) {
                        0 => f64::NAN,
                        1 => -0.0,
                        _ => next(1_000) as f64 / 8.0,
                    };
                    Point { step, ts: 1_000 + step / 3, value }
                })
                .collect();
            wanted.extend(points.iter().map(|p| ((p.step, p.ts, p.value.to_bits().cast_signed()), *p)));
            log(&team.dan, &run, &points);
        }
        let w = team.dan.host.workspace().unwrap();
        let (got, complete) = w.store.read(|r| r.points(&run, "m")).unwrap();
        assert!(complete);
        let expected: Vec<_> = wanted.values().map(key).collect();
        assert_eq!(got.iter().map(key).collect::<Vec<_>>(), expected, "{name}");
        let sum = w.store.read(|r| r.summaries(&run)).unwrap().remove(0);
        assert_eq!(sum.count, expected.len() as u64, "{name}: a repeated point counts once");
        runs::update(&w, &run, Some(RunStatus::Finished), Some(2_000), None).unwrap();
        let (got, _) = w.store.read(|r| r.points(&run, "m")).unwrap();
        assert_eq!(got.iter().map(key).collect::<Vec<_>>(), expected, "{name}, after the run ended");
        stretches_are_those_of_the_points(&w, &run, &got);
    }
}

/// The pyramid says what the points say, for any range and any number of stretches.
fn stretches_are_those_of_the_points(w: &cairn_api::Workspace, run: &str, points: &[Point]) {
    let (low, high) = (points[0].step, points[points.len() - 1].step);
    for (from, to) in [(low, high), (low + 5, high - 7), (low - 100, low + 100), (high, high), (i64::MIN, i64::MAX)] {
        for n in [1, 7, 320] {
            let got = w.store.read(|r| r.stretches(run, "m", Some((from, to)), n)).unwrap();
            let span = i128::from(to) - i128::from(from) + 1;
            let bucket = |p: &Point| (i128::from(p.step) - i128::from(from)) * n as i128 / span;
            let inside: Vec<Point> = points.iter().filter(|p| from <= p.step && p.step <= to).copied().collect();
            let wanted: Vec<_> = inside.chunk_by(|a, b| bucket(a) == bucket(b)).collect();
            assert_eq!(got.len(), wanted.len(), "{from}..{to} in {n}");
            for (got, wanted) in got.iter().zip(wanted) {
                let finite = || wanted.iter().map(|p| p.value).filter(|v| v.is_finite());
                assert_eq!(got.count, wanted.len() as u64);
                assert_eq!((got.first_step, got.last_step), (wanted[0].step, wanted[wanted.len() - 1].step));
                assert_eq!(got.min, finite().fold(f64::INFINITY, f64::min));
                assert_eq!(got.max, finite().fold(f64::NEG_INFINITY, f64::max));
                assert_eq!(got.nan, wanted.iter().any(|p| p.value.is_nan()));
                assert_eq!(got.last.to_bits(), wanted[wanted.len() - 1].value.to_bits());
            }
        }
    }
}

mod searching {
    //! The indexes find what looking at every run finds.

    use super::one_run;
    use crate::seat::{Seat, Team};
    use cairn_api::tracking::filter::{self, Dialect, Entity, Field, Fields, Of};
    use cairn_api::tracking::runs::{self, Batch, Run};
    use cairn_api::tracking::{Point, RunSearch, View};

    impl Fields for Seen {
        fn text(&self, field: &Field) -> Option<String> {
            match field {
                Field::Param(key) => self.0.params.get(key).cloned(),
                Field::Tag(key) => self.0.tags.get(key).cloned(),
                Field::Text("run_name") => Some(self.0.name().to_owned()),
                Field::Text("status") => Some(self.0.status.clone()),
                _ => None,
            }
        }
        fn number(&self, field: &Field) -> Option<f64> {
            match field {
                Field::Metric(key, of) => self.0.metrics.iter().find(|m| &m.key == key).map(|m| match of {
                    Of::Last => m.last.value,
                    Of::Min => m.min.unwrap_or(f64::NAN),
                    Of::Max => m.max.unwrap_or(f64::NAN),
                }),
                Field::Number("start_time") => Some(self.0.start_ms as f64),
                _ => None,
            }
        }
    }
    struct Seen(Run);

    fn fill(seat: &Seat) -> Vec<Run> {
        let w = seat.host.workspace().unwrap();
        for i in 0..60_i64 {
            let run = one_run(seat, &format!("r{}", i % 7));
            let mut metrics = Vec::new();
            if i % 3 != 0 {
                let value = if i % 11 == 0 { f64::NAN } else { (i % 10) as f64 };
                metrics.push(("acc".to_owned(), Point { step: 1, ts: 1, value }));
                metrics.push(("acc".to_owned(), Point { step: 0, ts: 1, value: -1.0 }));
            }
            let params = if i % 4 == 0 { vec![] } else { vec![("lr".to_owned(), format!("0.{}", i % 3))] };
            let long = format!("{}{}", "x".repeat(64), i % 2);
            let tags = vec![("team".to_owned(), if i % 2 == 0 { "Red" } else { "blue" }.to_owned()), ("long".to_owned(), long)];
            runs::log_batch(&w, &run, Batch { metrics, params, tags, ..Batch::default() }).unwrap();
            if i % 13 == 5 {
                runs::set_deleted(&w, &run, true).unwrap();
            }
        }
        all(seat, View::All)
    }

    fn all(seat: &Seat, view: View) -> Vec<Run> {
        let w = seat.host.workspace().unwrap();
        runs::search(&w, &["0".to_owned()], RunSearch { view, limit: 1_000, ..RunSearch::default() }).unwrap().runs
    }

    #[test]
    fn every_filter_finds_what_looking_at_each_run_finds() {
        let team = Team::new();
        let known = fill(&team.dan);
        assert_eq!(known.len(), 60);
        let w = team.dan.host.workspace().unwrap();
        for text in [
            "metrics.acc > 3",
            "metrics.acc != 4",
            "metrics.acc = 4 OR params.lr = '0.1'",
            "NOT metrics.acc >= 2",
            "min(metrics.acc) < 0",
            "max(metrics.acc) > 5 AND tags.team = 'Red'",
            "params.lr != '0.1'",
            "params.lr IS NULL",
            "params.lr LIKE '0.%' AND NOT tags.team ILIKE 'RED'",
            "tags.long LIKE '%1'",
            "tags.long != 'x' AND metrics.acc IS NOT NULL",
            "params.lr IN ('0.1', '0.2') AND run_name NOT IN ('r1')",
            "run_name = 'r2' AND (metrics.acc < 3 OR metrics.acc > 7)",
            "metrics.nothing > 1",
            "status = 'RUNNING' AND start_time > 0",
        ] {
            let wanted = filter::parse(Entity::Run, Dialect::Wide, text).unwrap();
            for order in ["", "metrics.acc DESC", "metrics.acc", "params.lr DESC", "max(metrics.acc)", "run_name"] {
                for view in [View::All, View::Active, View::Deleted] {
                    let orders: Vec<_> = Some(order)
                        .filter(|o| !o.is_empty())
                        .map(|o| filter::parse_order(Entity::Run, Dialect::Wide, o).unwrap())
                        .into_iter()
                        .collect();
                    let lives = |run: &&Run| match view {
                        View::All => true,
                        View::Active => !run.deleted,
                        View::Deleted => run.deleted,
                    };
                    let mut expected: Vec<Seen> =
                        known.iter().filter(lives).cloned().map(Seen).filter(|run| filter::holds(&wanted, run)).collect();
                    expected.sort_by(|a, b| {
                        filter::compare(a, b, &orders).then(b.0.start_ms.cmp(&a.0.start_ms)).then_with(|| a.0.id.cmp(&b.0.id))
                    });
                    let expected: Vec<&str> = expected.iter().map(|run| run.0.id.as_str()).collect();
                    let mut got = Vec::new();
                    loop {
                        let search = RunSearch {
                            filter: wanted.clone(),
                            order: orders.clone(),
                            view,
                            offset: got.len(),
                            limit: 7,
                            ..RunSearch::default()
                        };
                        let page = runs::search(&w, &["0".to_owned()], search).unwrap();
                        got.extend(page.runs.into_iter().map(|run| run.id));
                        if !page.more {
                            break;
                        }
                    }
                    assert_eq!(got, expected, "{text} ordered by {order:?}, {view:?}");
                }
            }
        }
    }

    #[test]
    fn a_run_with_absurd_times_does_not_break_the_search_of_others() {
        let team = Team::new();
        let w = team.dan.host.workspace().unwrap();
        for (end_ms, name) in [(i64::MIN, "absurd"), (i64::MAX, "too long")] {
            let run = one_run(&team.dan, name);
            runs::update(&w, &run, None, Some(end_ms), None).unwrap();
        }
        let filter = filter::parse(Entity::Run, Dialect::Wide, "duration > 5").unwrap();
        let found = runs::search(&w, &["0".to_owned()], RunSearch { filter, limit: 10, ..RunSearch::default() }).unwrap();
        assert_eq!(found.runs.iter().map(Run::name).collect::<Vec<_>>(), ["too long"]);
    }

    #[test]
    fn a_search_sees_the_point_that_was_logged_before_it() {
        let team = Team::new();
        let run = one_run(&team.dan, "live");
        let w = team.dan.host.workspace().unwrap();
        for value in [1.0, 2.0, 3.0] {
            runs::log_metric(&w, &run, "acc", Point { step: value as i64, ts: 1, value }).unwrap();
            let filter = filter::parse(Entity::Run, Dialect::Wide, &format!("metrics.acc = {value}")).unwrap();
            let found = runs::search(&w, &["0".to_owned()], RunSearch { filter, limit: 10, ..RunSearch::default() }).unwrap();
            assert_eq!(found.runs.len(), 1);
        }
    }
}

mod clean {
    //! What nothing needs can be freed, and only that.

    use super::{log, model_run, one_run};
    use crate::seat::Team;
    use cairn_api::tracking::files::put_artifact;
    use cairn_api::tracking::runs::set_deleted;
    use cairn_api::tracking::{Point, RecordKind};
    use serde_json::json;
    use std::time::{Duration, SystemTime};

    #[test]
    fn files_and_points_of_deleted_runs_go_and_what_a_version_stands_on_stays() {
        let team = Team::new();
        let w = team.dan.host.workspace().unwrap();
        let kept = model_run(&team.dan);
        let project = team.dan.must("project.create", json!({ "title": "Churn" }));
        let id = project["id"].as_str().unwrap();
        team.dan.must("model.register", json!({ "project": id, "model": "churn", "run": kept, "datasets": [] }));
        let gone = one_run(&team.dan, "gone");
        log(&team.dan, &gone, &(0..3_000).map(|i| Point { step: i, ts: i, value: 0.5 }).collect::<Vec<_>>());
        put_artifact(&w, RecordKind::Run, &gone, "big.bin", b"nobody needs this").unwrap();
        let live = one_run(&team.dan, "live");
        put_artifact(&w, RecordKind::Run, &live, "same.bin", b"two runs have this").unwrap();
        put_artifact(&w, RecordKind::Run, &gone, "same.bin", b"two runs have this").unwrap();
        set_deleted(&w, &gone, true).unwrap();
        set_deleted(&w, &kept, true).unwrap();
        // Fresh files are left alone: their owner may not be written yet.
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(team.dan.must("app.clean", json!({ "days": 0 }))["files"], 0);
        for folder in std::fs::read_dir(team.dan.dir.join("objects")).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                std::fs::File::options().write(true).open(file.unwrap().path()).unwrap().set_modified(old).unwrap();
            }
        }
        let said = team.dan.must("app.clean", json!({ "days": 0 }));
        assert_eq!((&said["files"], &said["runs"], &said["points"], &said["done"]), (&json!(1), &json!(1), &json!(3_000), &json!(false)));
        assert_eq!(w.store.read(|r| r.points(&gone, "m")).unwrap().0.len(), 3_000, "a look frees nothing");
        assert_eq!(team.dan.must("app.clean", json!({ "days": 30 }))["runs"], 0, "what was deleted today is not old");
        team.dan.must("app.clean", json!({ "days": 0, "now": true }));
        assert!(w.store.read(|r| r.points(&gone, "m")).unwrap().0.len() <= 256, "the signed outline stays");
        assert_eq!(w.store.read(|r| r.points(&kept, "loss")).unwrap().0.len(), 3, "a model version came from this run");
        let again = team.dan.must("app.clean", json!({ "days": 0 }));
        assert_eq!((&again["files"], &again["points"]), (&json!(0), &json!(0)));
        assert!(w.store.read(|r| r.view_digest()).is_ok());
    }
}

#[test]
fn runs_are_grouped_by_what_they_have_in_common_and_a_group_s_filter_finds_its_runs() {
    let team = Team::new();
    let w = team.dan.host.workspace().unwrap();
    let number = experiments::create(&w, "groups", BTreeMap::new()).unwrap().to_string();
    for (i, model) in ["forest", "forest", "it's", "forest", "\"odd\" 'both'", ""].into_iter().enumerate() {
        let run = runs::create(&w, NewRun { experiment: number.clone(), ..NewRun::default() }).unwrap();
        let params = if model.is_empty() { vec![] } else { vec![("model x".to_owned(), model.to_owned())] };
        let value = if i == 3 { f64::NAN } else { i as f64 };
        let metrics = vec![("f1".to_owned(), Point { step: 0, ts: 1, value })];
        runs::log_batch(&w, &run.id, Batch { params, metrics, ..Batch::default() }).unwrap();
    }
    let found = team.dan.must("run.groups", json!({ "by": "params.model x", "metric": "f1" }));
    assert_eq!(found["total"], 4);
    let first = &found["groups"][0];
    assert_eq!((&first["value"], &first["runs"], &first["measured"]), (&json!("forest"), &json!(3), &json!(2)), "NaN is in no mean");
    assert_eq!((&first["mean"], &first["lowest"], &first["highest"]), (&json!("0.5"), &json!("0"), &json!("1")));
    for group in found["groups"].as_array().unwrap() {
        match group["filter"].as_str() {
            Some(filter) => {
                let page = team.dan.must("run.page", json!({ "filter": filter, "offset": 0 }));
                assert_eq!(page["total"], group["runs"], "{filter}");
            }
            None => assert_eq!(group["value"], "\"odd\" 'both'", "only a value with both quotes cannot be written"),
        }
    }
    let by = |by: &str| team.dan.call("run.groups", json!({ "by": by })).unwrap();
    assert_eq!(by("experiment")["groups"][0]["value"], "groups");
    assert_eq!(by("status")["groups"][0]["value"], "RUNNING");
    assert!(team.dan.call("run.groups", json!({ "by": "moon" })).unwrap_err().hint.unwrap().contains("params.<name>"));
}

#[test]
fn a_filter_is_completed_with_the_names_and_values_that_there_are() {
    let team = Team::new();
    model_run(&team.dan);
    let suggest = |text: &str| -> Vec<String> {
        let found = team.dan.must("run.complete", json!({ "text": text, "cursor": text.chars().count() }));
        found["suggestions"].as_array().unwrap().iter().map(|s| s["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(suggest("lo"), ["metrics.loss"]);
    assert_eq!(suggest("params.l"), ["params.lr"]);
    assert_eq!(suggest("tags.team = "), ["'red'"]);
    assert_eq!(suggest("tags.team = 'r"), ["'red'"]);
    assert_eq!(suggest("tags.team = 'x"), Vec::<String>::new());
    assert_eq!(suggest("status = 'fin"), ["'FINISHED'"]);
    assert_eq!(suggest("experiment = 'c"), ["'churn'"]);
    assert!(suggest("metrics.loss ").contains(&">=".to_owned()));
    assert_eq!(suggest("metrics.loss > 1 a"), ["AND"]);
}
