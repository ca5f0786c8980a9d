//! The pictures themselves: a change of one is seen, looked at, and kept on purpose (`INSTA_UPDATE=always cargo test -p cairn-chart`).
#![allow(clippy::unwrap_used)]

use cairn_chart::axis::{Axis, Measure, Scale};
use cairn_chart::frame::Frame;
use cairn_chart::line::{Line, layers};
use cairn_chart::look::{Look, assign};
use cairn_chart::marks::{Bar, Dot, Spread, bars, columns, dots, spreads};
use cairn_chart::theme::Theme;
use cairn_chart::{grid, parallel, picture};

fn frame(x: Axis, y: Axis) -> Frame {
    Frame::new(360, 200, Theme::Light.palette(), x, y).unwrap()
}

fn number(label: &str, from: f64, to: f64) -> Axis {
    Axis { label: label.to_owned(), measure: Measure::Number, scale: Scale::Linear, from, to }
}

fn check(name: &str, frame: &Frame, layers: &[String]) {
    let svg = frame.finish(name, "A sentence.", layers).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.matches("<g ").count() == svg.matches("</g>").count());
    assert_eq!(picture::png(&svg, 1.0, Theme::Light.palette().ground).unwrap()[1..4], *b"PNG", "what is drawn can be shown");
    insta::assert_snapshot!(name, svg);
}

#[test]
fn lines_with_gaps_bands_and_what_has_no_place() {
    let f = frame(number("step", 0.0, 10.0), number("loss", 0.0, 2.0));
    let looks = assign(&["a", "b"]);
    let line = |look, points: &[(f64, f64)]| Line { look, points: points.to_vec(), ..Line::default() };
    let mut first = line(looks[0], &[(0.0, 2.0), (2.0, 1.0), (3.0, f64::NAN), (4.0, 0.8), (20.0, 0.5)]);
    first.no_number = vec![3.0];
    first.infinite = vec![(5.0, true), (6.0, false)];
    let mut second = line(Look { colour: 2, dash: 1 }, &[(0.0, 1.0), (10.0, 0.2)]);
    second.band = vec![(0.0, 0.8, 1.2), (5.0, 0.4, 0.8), (10.0, 0.1, 0.3)];
    second.raw = vec![(0.0, 1.1), (5.0, 0.3), (10.0, 0.25)];
    let one = line(Look { colour: 3, dash: 0 }, &[(7.0, 1.5)]);
    check("lines", &f, &layers(&f, &[first, second, one]).unwrap());
}

#[test]
fn axes_of_time_and_of_powers() {
    let x = Axis { label: "time (UTC)".into(), measure: Measure::Time, scale: Scale::Linear, from: 1.795e12, to: 1.795e12 + 5.4e6 };
    let y = Axis { label: "rate".into(), measure: Measure::Number, scale: Scale::Log, from: 1e-4, to: 10.0 };
    let f = frame(x, y);
    let line = Line { points: vec![(1.795e12, 1e-4), (1.795e12 + 5.4e6, 10.0)], ..Line::default() };
    check("axes", &f, &layers(&f, &[line]).unwrap());
}

#[test]
fn bars_boxes_violins_and_columns() {
    let names = vec!["a rather long name of a group of runs".to_owned(), "b & <c>".to_owned()];
    let f = frame(number("accuracy", 0.0, 1.0), Axis::named("", names));
    let two = [
        Bar { value: 0.9, interval: Some((0.85, 0.95)), look: Look::default() },
        Bar { value: 0.4, interval: None, look: Look { colour: 1, dash: 0 } },
    ];
    check("bars", &f, &bars(&f, &two).unwrap());
    let spread =
        |density: Vec<(f64, f64)>| Spread { look: Look::default(), five: [0.1, 0.3, 0.4, 0.6, 0.9], outliers: vec![0.98], density };
    check("boxes", &f, &spreads(&f, &[spread(Vec::new()), spread(vec![(0.0, 0.0), (0.4, 2.0), (1.0, 0.0)])]).unwrap());
    let f = frame(number("loss", 0.0, 3.0), number("runs", 0.0, 6.0));
    check("columns", &f, &columns(&f, &[0.0, 1.0, 2.0, 3.0], &[1, 5, 0]).unwrap());
}

#[test]
fn points_cells_and_matrices() {
    let f = frame(number("latency", 0.0, 10.0), number("accuracy", 0.0, 1.0));
    let dot = |x, y, dash, front| Dot { x, y, radius: 5.0, look: Look { colour: dash, dash }, shade: None, front };
    let all = [dot(1.0, 0.5, 0, true), dot(5.0, 0.8, 1, true), dot(6.0, 0.7, 2, false), dot(7.0, 0.2, 3, false)];
    check("dots", &f, &dots(&f, &all).unwrap());
    check("cells", &f, &[grid::shades(&f, 3, &[0.0, 0.5, 1.0, f64::NAN, 0.5, 0.5]).unwrap()]);
    let two = || vec!["0".to_owned(), "1".to_owned()];
    let f = frame(Axis::named("said", two()), Axis::named("true", two()));
    let row = |a: f64, b: f64| vec![(a, "1,050".to_owned()), (b, "3".to_owned())];
    check("matrix", &f, &[grid::matrix(&f, &[row(0.9, 0.1), row(0.2, 0.8)]).unwrap()]);
}

#[test]
fn parallel_coordinates() {
    let columns = [
        parallel::Column { axis: number("lr", 0.0, 1.0), values: vec![0.1, 0.9, f64::NAN] },
        parallel::Column { axis: Axis::named("model", vec!["forest".into(), "net".into()]), values: vec![0.0, 1.0, 1.0] },
        parallel::Column { axis: number("loss", 0.2, 0.4), values: vec![0.25, 0.35, 0.3] },
    ];
    let f = parallel::frame(360, 200, Theme::Dark.palette(), &columns).unwrap();
    check("parallel", &f, &parallel::layers(&f, &columns, &[0.1, 1.0, f64::NAN]).unwrap());
}
