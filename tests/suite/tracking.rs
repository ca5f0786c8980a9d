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
        },
    )
    .unwrap();
    for (file, text) in [("model/MLmodel", "flavors: {}"), ("model/model.pkl", "weights")] {
        runs::put_artifact(&w, RecordKind::Run, &run.id, file, text.as_bytes()).unwrap();
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
            tags: vec![],
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
    let chart = team.ana.must("run.chart", json!({ "metric": "loss", "runs": [run], "width": 400, "height": 200 }));
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
