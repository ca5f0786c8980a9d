//! Charts, pages of charts, remarks at curves and reports, over the commands that the window uses.

use crate::seat::{Seat, Team};
use cairn_api::tracking::files::put_artifact;
use cairn_api::tracking::runs::{self, Batch, NewRun};
use cairn_api::tracking::{Point, RecordKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn run(seat: &Seat, name: &str, params: &[(&str, &str)], metrics: &[(&str, &[f64])]) -> String {
    let w = seat.host.workspace().unwrap();
    let made =
        runs::create(&w, NewRun { experiment: "0".into(), name: Some(name.into()), start_ms: 1_795_000_000_000, ..NewRun::default() })
            .unwrap();
    let points = metrics.iter().flat_map(|(key, values)| {
        values
            .iter()
            .enumerate()
            .map(|(i, v)| ((*key).to_owned(), Point { step: i as i64, ts: 1_795_000_000_000 + i as i64 * 1_000, value: *v }))
    });
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    runs::log_batch(&w, &made.id, Batch { metrics: points.collect(), params, ..Batch::default() }).unwrap();
    made.id
}

fn draw(seat: &Seat, spec: &Value, of: &Value) -> Value {
    seat.must("chart.draw", json!({ "spec": spec, "of": of, "width": 600, "height": 300 }))
}

fn refused(seat: &Seat, spec: &Value) -> String {
    seat.call("chart.draw", json!({ "spec": spec, "of": {}, "width": 600, "height": 300 })).unwrap_err().message
}

/// Twelve runs: two models, two rates, three seeds.
fn twelve(seat: &Seat) -> Vec<String> {
    let mut all = Vec::new();
    for (m, model) in ["forest", "net"].into_iter().enumerate() {
        for (l, lr) in ["0.001", "0.1"].into_iter().enumerate() {
            for seed in 0..3 {
                let base = 0.6 + 0.1 * m as f64 + 0.05 * l as f64 + 0.003 * f64::from((seed * 7 + m as i32 * 3 + l as i32 * 5) % 4);
                let curve: Vec<f64> = (0..40).map(|i| base * (1.0 - (-f64::from(i) / 10.0).exp())).collect();
                let end = *curve.last().unwrap();
                all.push(run(
                    seat,
                    &format!("{model}-{lr}-{seed}"),
                    &[("model", model), ("lr", lr), ("seed", &seed.to_string())],
                    &[("val/accuracy", &curve), ("latency_ms", &[10.0 * (m + 1) as f64 - end])],
                ));
            }
        }
    }
    all
}

#[test]
fn every_kind_of_chart_is_drawn_and_explains_itself() {
    let team = Team::new();
    let all = twelve(&team.dan);
    let w = team.dan.host.workspace().unwrap();
    let put = |path: &str, text: &str| put_artifact(&w, RecordKind::Run, &all[0], path, text.as_bytes()).unwrap();
    put("predictions.csv", "y_true,y_score,y_pred\n1,0.9,1\n0,0.2,0\n1,0.4,0\n0,0.1,0\n1,0.8,1\n0,0.7,1\n");
    put(
        "histograms/dense/steps-0-1.jsonl",
        "{\"step\":0,\"edges\":[0,1,2],\"counts\":[1,3]}\n{\"step\":1,\"edges\":[0,1,2],\"counts\":[3,1]}\nbent\n",
    );
    put("images/val/step-5.png", "not looked into");
    let one = json!({ "runs": [all[0]] });
    let every = json!({});
    let accuracy = "metrics.val/accuracy";
    for (spec, of, said) in [
        (json!({ "metrics": ["val/accuracy"] }), &every, "ends highest, which is best"),
        (json!({ "metrics": ["val/accuracy"], "group": ["params.model"] }), &every, "model net (6 runs) ends highest"),
        (json!({ "metrics": ["val/accuracy"], "x": "relative", "smoothing": "exponential", "amount": 0.9 }), &one, "went from"),
        (json!({ "metrics": ["val/accuracy"], "x": "metrics.latency_ms" }), &one, "was measured once"),
        (json!({ "kind": "bars", "metrics": ["val/accuracy"], "group": ["params.model"] }), &every, "95 % intervals"),
        (json!({ "kind": "box", "metrics": ["val/accuracy"], "group": ["params.lr"] }), &every, "median val/accuracy"),
        (json!({ "kind": "violin", "metrics": ["val/accuracy"] }), &every, "Half of all runs"),
        (json!({ "kind": "histogram", "x": accuracy }), &every, "lies between"),
        (json!({ "kind": "scatter", "x": "metrics.latency_ms", "y": accuracy }), &every, "nobody beats"),
        (json!({ "kind": "contour", "x": "params.lr", "y": "params.seed", "shade": accuracy }), &every, "The best val/accuracy of 12 runs"),
        (json!({ "kind": "parallel", "columns": ["params.model", "params.lr", accuracy] }), &every, "has model net, lr 0.1"),
        (json!({ "kind": "bars", "metrics": ["val/accuracy"], "log_x": true, "baseline": all[0] }), &every, "ends highest, which is best"),
        (json!({ "kind": "histogram", "x": accuracy, "log_x": true }), &every, "lies between"),
        (json!({ "kind": "correlation", "columns": ["params.lr", "params.seed", accuracy] }), &every, "goes most with"),
        (json!({ "kind": "correlation" }), &every, "it clearly rises"),
        (json!({ "kind": "importance", "metrics": ["val/accuracy"] }), &every, "model explains most"),
        (json!({ "kind": "distribution" }), &one, "the median of dense went from"),
        (json!({ "kind": "confusion" }), &one, "4 of 6 rows are right"),
        (json!({ "kind": "roc" }), &one, "ranks a positive row above a negative one in 88.9 %"),
        (json!({ "kind": "precision_recall" }), &one, "average precision"),
        (json!({ "kind": "calibration" }), &one, "Brier score"),
        (json!({ "kind": "residuals", "said": "y_score" }), &one, "root mean square"),
    ] {
        let chart = draw(&team.dan, &spec, of);
        let (svg, summary) = (chart["svg"].as_str().unwrap(), chart["summary"].as_str().unwrap());
        assert!(summary.contains(said), "{spec}: {summary}");
        assert!(svg.contains("<title>") && svg.contains("<desc>") && svg.contains("class=\"area\""), "{spec}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{spec}: no place in a picture is no number");
        let values = team.dan.must("chart.values", json!({ "spec": spec, "of": of, "width": 600, "height": 300 }));
        assert!(!values["table"]["rows"].as_array().unwrap().is_empty(), "{spec} has its data as a table");
    }
    let dense = draw(&team.dan, &json!({ "kind": "distribution" }), &one);
    assert!(dense["notes"].to_string().contains("1 lines of the files are no histograms"), "{}", dense["notes"]);
    let pictures = team.dan.must("chart.values", json!({ "spec": { "kind": "images" }, "of": one, "width": 600, "height": 300 }));
    assert_eq!(pictures["table"]["rows"], json!([["forest-0.001-0", all[0], "val", "5", "images/val/step-5.png"]]));
}

#[test]
fn what_a_chart_cannot_show_is_said_and_the_rest_is_shown() {
    let team = Team::new();
    let odd = run(&team.dan, "odd", &[], &[("loss", &[1.0, f64::NAN, 0.5, f64::INFINITY, -1e308, 1e308, 0.0])]);
    let lost = run(&team.dan, "lost", &[], &[("loss", &[f64::NAN, f64::NAN])]);
    let chart = draw(&team.dan, &json!({ "metrics": ["loss"], "log_y": true }), &json!({ "runs": [odd, lost] }));
    let notes = chart["notes"].to_string();
    for said in ["no number (NaN)", "infinite", "at or below zero"] {
        assert!(notes.contains(said), "{notes}");
    }
    assert!(chart["svg"].as_str().unwrap().contains("<polyline"), "what can be drawn is drawn");
    for (name, gain) in [("up", 3.0), ("down", -3.0), ("none", 0.0)] {
        run(&team.dan, name, &[], &[("gain", &[gain])]);
    }
    for kind in ["bars", "box", "histogram"] {
        let chart = draw(
            &team.dan,
            &json!({ "kind": kind, "metrics": ["gain"], "x": if kind == "histogram" { "metrics.gain" } else { "" }, "log_x": true }),
            &json!({}),
        );
        assert!(chart["notes"].to_string().contains("2 values at or below zero"), "{kind}: {}", chart["notes"]);
    }
    let only = draw(&team.dan, &json!({ "metrics": ["loss"] }), &json!({ "runs": [lost] }));
    assert_eq!(only["summary"], "loss has no number that could be drawn.");
    for (spec, said) in [
        (json!({ "metrics": ["nope"] }), "No run has a metric called \"nope\""),
        (json!({ "metrics": [] }), "needs a metric"),
        (json!({ "metrics": ["loss"], "x": "params.lr" }), "cannot run along"),
        (json!({ "metrics": vec!["loss"; 25] }), "at most 24 metrics"),
        (json!({ "kind": "scatter", "x": "metrics.loss" }), "A column is missing"),
        (json!({ "kind": "parallel", "columns": ["metrics.loss"] }), "2 to 16 columns"),
        (json!({ "kind": "importance", "metrics": ["loss"] }), "nothing can be said"),
        (json!({ "kind": "roc" }), "no table of predictions"),
        (json!({ "kind": "histogram", "x": "params.nope" }), "No run has a number"),
    ] {
        let message = refused(&team.dan, &spec);
        assert!(message.contains(said), "{spec}: {message}");
    }
}

#[test]
fn a_zoom_shows_the_points_themselves_and_smoothing_knows_what_came_before() {
    let team = Team::new();
    let values: Vec<f64> = (0..9_000).map(|i| if i == 4_321 { 50.0 } else { f64::from(i % 7) }).collect();
    let id = run(&team.dan, "long", &[], &[("loss", &values)]);
    let of = json!({ "runs": [id] });
    let look = |view: Value, extra: Value| {
        let mut request = json!({ "spec": { "metrics": ["loss"] }, "of": of, "width": 600, "height": 300, "view": view });
        for (key, value) in extra.as_object().unwrap() {
            request["spec"][key] = value.clone();
        }
        team.dan.must("chart.values", request)["series"][0].clone()
    };
    let all = look(Value::Null, json!({}));
    let highest = all["high"].as_array().unwrap().iter().filter_map(Value::as_f64).fold(0.0, f64::max);
    assert_eq!(highest, 50.0, "a single spike among nine thousand points stays visible");
    assert!(all["x"].as_array().unwrap().len() <= 600, "no more pieces than pixels");
    let near = look(json!([4_300.0, 4_340.0]), json!({}));
    let steps: Vec<i64> = near["x"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as i64).collect();
    assert_eq!(steps, (4_299..=4_341).collect::<Vec<i64>>(), "each point, and one on each side so that the line goes on");
    let smoothed = |view: Value| look(view, json!({ "smoothing": "exponential", "amount": 0.999 }))["y"][0].as_f64().unwrap();
    assert!((smoothed(json!([8_000.0, 8_020.0])) - 3.0).abs() < 0.2, "the mean of what came before, not the first point in sight");
    let by_time = look(json!([1_795_000_000_000.0_f64 + 4_300_000.0, 1_795_000_000_000.0_f64 + 4_340_000.0]), json!({ "x": "time" }));
    assert_eq!(by_time["x"].as_array().unwrap().len(), 43, "the same over time");
}

#[test]
fn the_same_run_has_the_same_colour_in_every_chart() {
    let team = Team::new();
    let all = twelve(&team.dan);
    let colours = |metric: &str, runs: &[String]| -> BTreeMap<String, (String, String)> {
        let chart = draw(&team.dan, &json!({ "metrics": [metric] }), &json!({ "runs": runs }));
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        chart["series"].as_array().unwrap().iter().map(|s| (text(&s["runs"][0]), (text(&s["colour"]), text(&s["dash"])))).collect()
    };
    let first = colours("val/accuracy", &all);
    let mut turned = all.clone();
    turned.reverse();
    assert_eq!(first, colours("latency_ms", &turned));
    let looks: std::collections::BTreeSet<_> = first.values().collect();
    assert_eq!(looks.len(), 12, "twelve lines, twelve looks: beyond eight a dash tells them apart");
}

#[test]
fn an_export_has_every_point_and_writes_over_nothing() {
    let team = Team::new();
    let values: Vec<f64> = (0..5_000).map(f64::from).collect();
    let id = run(&team.dan, "long", &[], &[("loss", &values)]);
    let chart = json!({ "spec": { "metrics": ["loss"] }, "of": { "runs": [id] }, "width": 400, "height": 200 });
    let save =
        |format: &str, name: &str| team.dan.call("chart.export", json!({ "chart": chart, "format": format, "to": team.path().join(name) }));
    save("csv", "a.csv").unwrap();
    let text = std::fs::read_to_string(team.path().join("a.csv")).unwrap();
    assert_eq!(text.lines().count(), 5_001, "exports are never thinned out");
    assert_eq!(text.lines().nth(1), Some(format!("{id},long,loss,0,1795000000000,0").as_str()));
    save("svg", "a.svg").unwrap();
    save("png", "a.png").unwrap();
    assert_eq!(std::fs::read(team.path().join("a.png")).unwrap()[1..4], *b"PNG");
    assert!(save("png", "a.png").unwrap_err().message.contains("is there already"));
}

#[test]
fn a_zoomed_curve_is_smoothed_and_summed_up_as_the_whole_one_is() {
    let team = Team::new();
    let values: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 11)).collect();
    let id = run(&team.dan, "r", &[], &[("loss", &values)]);
    let of = json!({ "runs": [id] });
    for (smoothing, amount) in [("exponential", 0.9), ("mean", 7.0)] {
        let spec = json!({ "metrics": ["loss"], "smoothing": smoothing, "amount": amount });
        let at = |view: Value| {
            let values = team.dan.must("chart.values", json!({ "spec": spec, "of": of, "width": 600, "height": 300, "view": view }));
            let of = |name: &str| values["series"][0][name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<f64>>();
            of("x").into_iter().zip(of("y")).collect::<Vec<_>>()
        };
        let (whole, part) = (at(Value::Null), at(json!([30.0, 40.0])));
        assert_eq!(part.first().map(|p| p.0), Some(29.0), "one before the view");
        for (x, y) in part {
            let wanted = whole[x as usize].1;
            assert!((y - wanted).abs() < 1e-9, "{smoothing} at {x}: {y}, in the whole curve {wanted}");
        }
    }
    let looked = team
        .dan
        .must("chart.draw", json!({ "spec": { "metrics": ["loss"] }, "of": of, "width": 600, "height": 300, "view": [30.0, 40.0] }));
    assert_eq!(looked["series"][0]["last"], values[40].to_string(), "the last one in sight, not its neighbour");
    let said = looked["summary"].as_str().unwrap();
    assert!(said.starts_with(&format!("loss went from {} to {} over 11 points", values[30], values[40])), "{said}");
}

#[test]
fn a_zoom_far_into_a_long_curve_is_smoothed_by_the_points_before_it() {
    let team = Team::new();
    let mut state = 1_u64;
    let mut noise = || {
        state = state * 48_271 % 2_147_483_647;
        state as f64 / 2_147_483_647.0
    };
    let values: Vec<f64> = (0..30_000).map(|_| noise()).collect();
    let id = run(&team.dan, "r", &[], &[("loss", &values)]);
    let at = |smoothing: &str, amount: f64| {
        let spec = json!({ "metrics": ["loss"], "smoothing": smoothing, "amount": amount });
        let request = json!({ "spec": spec, "of": { "runs": [id] }, "width": 600, "height": 300, "view": [20_000.0, 20_020.0] });
        team.dan.must("chart.values", request)["series"][0]["y"][1].as_f64().unwrap()
    };
    let mean = |n: usize| values[20_001 - n..=20_000].iter().sum::<f64>() / n as f64;
    for n in [7, 150, 1_900] {
        assert!((at("mean", n as f64) - mean(n)).abs() < 1e-9, "the mean of the last {n}: {} and {}", at("mean", n as f64), mean(n));
    }
    let (mut last, mut bias) = (0.0, 1.0);
    for v in &values[..=20_000] {
        (last, bias) = (last * 0.99 + 0.01 * v, bias * 0.99);
    }
    assert!((at("exponential", 0.99) - last / (1.0 - bias)).abs() < 1e-6);
}

#[test]
fn a_metric_over_another_is_drawn_by_the_width_of_the_picture() {
    let team = Team::new();
    let n = 30_000;
    let loss: Vec<f64> = (0..n).map(|i| if i == 12_345 { 99.0 } else { f64::from(i % 5) }).collect();
    let epoch: Vec<f64> = (0..n).map(|i| f64::from(i) / 1_000.0).collect();
    let id = run(&team.dan, "r", &[], &[("loss", &loss), ("epoch", &epoch)]);
    let spec = json!({ "metrics": ["loss"], "x": "metrics.epoch" });
    let chart = draw(&team.dan, &spec, &json!({ "runs": [id] }));
    assert!(chart["drawn"].as_u64().unwrap() < 1_500, "{}", chart["drawn"]);
    assert!(chart["summary"].as_str().unwrap().contains("over 30,000 points (lowest 0, highest 99)"), "{}", chart["summary"]);
}

#[test]
fn a_gap_that_all_runs_of_a_group_share_stays_a_gap() {
    let team = Team::new();
    for seed in ["1", "2"] {
        let values: Vec<f64> = (0..20).map(|i| if (8..12).contains(&i) { f64::NAN } else { 1.0 }).collect();
        run(&team.dan, seed, &[("seed", seed), ("lr", "0.1")], &[("loss", &values)]);
    }
    let spec = json!({ "metrics": ["loss"], "group": ["params.lr"] });
    let values = team.dan.must("chart.values", json!({ "spec": spec, "of": {}, "width": 600, "height": 300 }));
    let y = values["series"][0]["y"].as_array().unwrap();
    assert_eq!(y.iter().filter(|v| v.is_null()).count(), 4, "{y:?}");
}

#[test]
fn everything_is_measured_by_the_baseline() {
    let team = Team::new();
    let (a, b) = (run(&team.dan, "a", &[], &[("acc", &[0.2, 0.5])]), run(&team.dan, "b", &[], &[("acc", &[0.2, 0.75])]));
    let series =
        |kind: &str, runs: Value| draw(&team.dan, &json!({ "kind": kind, "metrics": ["acc"], "baseline": a }), &json!({ "runs": runs }));
    for kind in ["lines", "bars"] {
        let chart = series(kind, json!([a, b]));
        let all = chart["series"].as_array().unwrap();
        let of = |id: &str| all.iter().find(|s| s["runs"][0] == id).unwrap();
        assert_eq!((&of(&b)["delta"], &of(&a)["baseline"], &of(&a)["delta"]), (&json!("+0.25"), &json!(true), &json!("")), "{kind}");
        assert_eq!(series(kind, json!([b]))["series"][0]["delta"], "+0.25", "{kind}: also where the baseline is not drawn");
    }
    let gone = draw(&team.dan, &json!({ "metrics": ["acc"], "baseline": "nobody" }), &json!({}));
    assert!(gone["notes"].to_string().contains("is not here"), "{}", gone["notes"]);
}

#[test]
fn who_moves_a_chart_and_who_changes_it_both_get_their_way_and_what_a_later_program_said_is_kept() {
    let team = Team::new();
    let spec = json!({ "metrics": ["loss"], "sparkle": 3 });
    let first = team.ana.must("panel.save", json!({ "spec": spec, "place": 1.0 }));
    assert_eq!(first["spec"]["sparkle"], 3);
    team.settle();
    let change = |seat: &Seat, spec: &Value, place: f64| {
        seat.must("panel.save", json!({ "panel": first["id"], "spec": spec, "place": place, "base": first["base"] }))
    };
    change(&team.ana, &first["spec"], 9.0);
    let mut titled = first["spec"].clone();
    titled["title"] = json!("Loss of all");
    change(&team.dan, &titled, 1.0);
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let page = seat.must("panel.list", json!({}));
        assert_eq!(page.as_array().unwrap().len(), 1);
        let one = &page[0];
        assert_eq!((&one["spec"]["title"], &one["place"], &one["both_changed"]), (&json!("Loss of all"), &json!(9.0), &json!(false)));
        assert_eq!(one["spec"]["sparkle"], 3, "nobody who does not know it takes it away");
    }
}

#[test]
fn two_people_keep_charts_on_one_page_at_the_same_time() {
    let team = Team::new();
    let keep = |seat: &Seat, metric: &str, place: f64| {
        seat.must("panel.save", json!({ "spec": { "metrics": [metric] }, "section": "Losses", "place": place }))
    };
    let first = keep(&team.ana, "loss", 1.0);
    team.settle();
    keep(&team.ana, "ana", 2.0);
    keep(&team.dan, "dan", 2.0);
    let change = |seat: &Seat, title: &str| {
        seat.must(
            "panel.save",
            json!({ "panel": first["id"], "spec": { "metrics": ["loss"], "title": title }, "section": "Losses", "place": 1.0, "base": first["base"] }),
        )
    };
    change(&team.ana, "Ana's");
    change(&team.dan, "Dan's");
    team.settle();
    let page = |seat: &Seat| seat.must("panel.list", json!({}));
    assert_eq!(page(&team.ana), page(&team.dan), "both see one page");
    let page = page(&team.ana);
    let of = |metric: &str| page.as_array().unwrap().iter().filter(|p| p["spec"]["metrics"][0] == metric).count();
    assert_eq!((of("ana"), of("dan"), of("loss")), (1, 1, 2), "what both changed stands side by side, nothing is lost");
    let mine = page.as_array().unwrap().iter().find(|p| p["spec"]["title"] == "Ana's").unwrap();
    team.ana
        .must("panel.save", json!({ "panel": mine["id"], "spec": mine["spec"], "section": "Losses", "place": 1.0, "base": mine["base"] }));
    team.settle();
    let after = team.dan.must("panel.list", json!({}));
    assert_eq!(after.as_array().unwrap().iter().filter(|p| p["both_changed"] == true).count(), 0, "keeping one settles it");
    team.dan.must("record.delete", json!({ "subject": { "kind": "panel", "id": first["id"] } }));
    assert_eq!(team.dan.must("panel.list", json!({})).as_array().unwrap().len(), 2);
    let other = json!({ "about": { "kind": "run", "id": "x" }, "spec": {}, "place": 1.0 });
    assert!(team.ana.call("panel.save", other).is_err(), "a page belongs to an experiment, a project or all runs");
}

#[test]
fn a_remark_at_a_curve_reaches_the_others_and_both_changes_are_kept() {
    let team = Team::new();
    let id = run(&team.dan, "r", &[], &[("loss", &[1.0, 0.5])]);
    team.settle();
    let pin = team.dan.must("pin.save", json!({ "run": id, "metric": "loss", "step": 1, "text": "halved the rate" }));
    team.settle();
    let list = |seat: &Seat| seat.must("pin.list", json!({ "runs": [id] }));
    assert_eq!(list(&team.ana)[0]["text"], "halved the rate");
    for (seat, text) in [(&team.ana, "by ana"), (&team.dan, "by dan")] {
        seat.must("pin.save", json!({ "pin": pin["id"], "run": id, "metric": "loss", "step": 1, "text": text, "base": pin["base"] }));
    }
    team.settle();
    let text = list(&team.ana)[0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("by ana") && text.contains("by dan"), "{text}");
    assert!(team.ana.call("pin.save", json!({ "run": id, "metric": "loss", "step": 1, "text": " " })).is_err());
}

#[test]
fn a_report_is_kept_as_evidence_that_later_points_do_not_change() {
    let team = Team::new();
    let id = run(&team.dan, "r", &[("lr", "0.1")], &[("loss", &[1.0, 0.5])]);
    let about = json!({ "kind": "run", "id": id });
    let text = format!(
        "# Found\n\n```chart\nmetrics: [loss]\nruns: [\"{id}\"]\n```\n\n```chart\nkind: table\ncolumns: [params.lr]\n```\n\n```chart\nkind: pie\n```\n"
    );
    let note = team.dan.must("note.save", json!({ "about": about, "title": "Report <1>", "text": text }));
    let kinds: Vec<&str> = note["parts"].as_array().unwrap().iter().map(|p| p["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["html", "chart", "chart", "broken"]);
    assert_eq!(note["parts"][3]["line"], 13, "the place of the mistake");
    let frozen = team.dan.must("note.freeze", json!({ "note": note["id"] }));
    let digest = frozen["frozen"][0]["digest"].as_str().unwrap().to_owned();
    let again = team.dan.must("note.freeze", json!({ "note": note["id"] }));
    assert_eq!(again["frozen"].as_array().unwrap().len(), 1, "the same content is one piece of evidence");
    let w = team.dan.host.workspace().unwrap();
    runs::log_metric(&w, &id, "loss", Point { step: 2, ts: 1_795_000_009_000, value: 0.1 }).unwrap();
    let later = team.dan.must("note.freeze", json!({ "note": note["id"] }));
    assert_eq!(later["frozen"].as_array().unwrap().len(), 2, "a curve that went on is another one");
    team.settle();
    let seen = team.ana.must("note.list", json!({ "about": about }));
    assert_eq!(seen[0]["frozen"].as_array().unwrap().iter().filter(|f| f["here"] == true).count(), 2, "evidence travels with the log");
    let page = std::fs::read_to_string(team.ana.host.workspace().unwrap().store.blob_path(&cairn_core::id::Digest::parse(digest).unwrap()))
        .unwrap();
    for part in
        ["Report &lt;1&gt;", "<svg", "loss went from 1 to 0.5", "<td>0.1</td>", "line 13 cannot be read", "The numbers as a table", &id]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script"));
}

#[test]
fn a_kept_chart_of_any_kind_names_its_runs() {
    let team = Team::new();
    let all = twelve(&team.dan);
    let about = json!({ "kind": "run", "id": all[0] });
    for (kind, more) in [("histogram", "x: metrics.val/accuracy"), ("importance", "metrics: [val/accuracy]"), ("correlation", "")] {
        let text = format!("```chart\nkind: {kind}\n{more}\n```\n");
        let note = team.dan.must("note.save", json!({ "about": about, "title": "=1+1", "text": text }));
        let frozen = team.dan.must("note.freeze", json!({ "note": note["id"] }));
        let digest = cairn_core::id::Digest::parse(frozen["frozen"][0]["digest"].as_str().unwrap()).unwrap();
        let page = std::fs::read_to_string(team.dan.host.workspace().unwrap().store.blob_path(&digest)).unwrap();
        assert!(all.iter().all(|id| page.contains(id.as_str())), "{kind} is evidence only with its runs");
    }
}

#[test]
fn runs_side_by_side_show_what_differs_and_say_how_sure_it_is() {
    let team = Team::new();
    let all = twelve(&team.dan);
    let found = team.dan.must("run.compare", json!({ "of": { "runs": all } }));
    assert_eq!(found["metric"], "val/accuracy");
    assert!(
        found["verdict"].as_str().unwrap().starts_with("lr 0.1, model net is best of 4 settings on val/accuracy"),
        "{}",
        found["verdict"]
    );
    assert!(found["certainty"].as_str().unwrap().contains("allowing for 3 comparisons"), "{}", found["certainty"]);
    let two = team.dan.must("run.compare", json!({ "of": { "runs": [all[0], all[11]] }, "baseline": all[11] }));
    assert_eq!(two["runs"][0]["id"], json!(all[11]), "the baseline stands first");
    assert!(two["certainty"].as_str().unwrap().contains("run only once"), "never certain from one run");
    let differ: Vec<&str> =
        two["params"].as_array().unwrap().iter().filter(|r| r["differs"] == true).map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(differ, ["lr", "model", "seed"]);
    let accuracy = two["metrics"].as_array().unwrap().iter().find(|m| m["name"] == "val/accuracy").unwrap();
    assert_eq!((&accuracy["better"], &accuracy["winners"]), (&json!("higher"), &json!([0])));
    assert!(accuracy["delta"][1].as_f64().unwrap() < 0.0);
    assert!(team.dan.call("run.compare", json!({ "of": { "runs": all }, "baseline": "nobody" })).is_err());
}
