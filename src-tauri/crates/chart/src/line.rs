//! Line charts of metrics over steps.

use crate::reduce::{bounds, stretches};
use crate::theme::Theme;
use plotters::prelude::*;

/// Everything is drawn ten times too large and scaled back by `viewBox`: plotters rounds to whole pixels.
const SCALE: u32 = 10;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Names the picture for those who cannot see it.
    pub title: &'a str,
    pub x_label: &'a str,
    pub y_label: &'a str,
    /// CSS pixels, 120 to 4,000 each.
    pub width: u32,
    pub height: u32,
    pub theme: Theme,
    pub series: &'a [Series],
}

/// The picture, and where in it the plot lies: the window lays its crosshair over that.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    pub svg: String,
    /// One sentence that says what the picture shows.
    pub summary: String,
    /// Left, top, right, bottom of the plot area in CSS pixels.
    pub area: [f64; 4],
    /// Least and greatest value of each axis.
    pub x_range: [f64; 2],
    pub y_range: [f64; 2],
    /// How many points there are, and how many of them are drawn.
    pub points: usize,
    pub drawn: usize,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error("a chart is 120 to 4000 pixels wide and high")]
    Size,
    #[error("the chart could not be drawn: {0}")]
    Draw(String),
}

/// Draws one or more metrics over their steps.
pub fn draw(request: &Request<'_>) -> Result<Drawn, ChartError> {
    let sizes = 120..=4_000;
    if !sizes.contains(&request.width) || !sizes.contains(&request.height) {
        return Err(ChartError::Size);
    }
    let palette = request.theme.palette();
    let lines: Vec<Vec<Vec<(f64, f64)>>> = request.series.iter().map(|s| stretches(&s.points, request.width as usize)).collect();
    let every = || lines.iter().flatten().flatten();
    let x_range = bounds(every().map(|p| p.0));
    let x_range = if x_range.0 < x_range.1 { x_range } else { (x_range.0 - 0.5, x_range.1 + 0.5) };
    let unit = unit(bounds(every().map(|p| p.1)));
    let y_range = padded(bounds(every().map(|p| p.1 / unit)));

    let failed = |e: &dyn std::fmt::Display| ChartError::Draw(e.to_string());
    let mut body = String::new();
    let mut area = [0.0; 4];
    {
        let root = SVGBackend::with_string(&mut body, (request.width * SCALE, request.height * SCALE)).into_drawing_area();
        let font = |size: u32| ("sans-serif", size * SCALE).into_font().color(&palette.text);
        let mut chart = ChartBuilder::on(&root)
            .margin_top(8 * SCALE)
            .margin_right(14 * SCALE)
            .x_label_area_size(34 * SCALE)
            .y_label_area_size(52 * SCALE)
            .build_cartesian_2d(x_range.0..x_range.1, y_range.0..y_range.1)
            .map_err(|e| failed(&e))?;
        chart
            .configure_mesh()
            .max_light_lines(0)
            .disable_x_mesh()
            .bold_line_style(palette.grid.stroke_width(SCALE))
            .axis_style(palette.axis.stroke_width(SCALE))
            .x_labels((request.width / 90).clamp(2, 12) as usize)
            .y_labels((request.height / 44).clamp(2, 10) as usize)
            .x_label_formatter(&|v| number(*v))
            .y_label_formatter(&|v| number(*v * unit))
            .label_style(font(12))
            .axis_desc_style(font(12))
            .x_desc(request.x_label)
            .y_desc(request.y_label)
            .set_all_tick_mark_size(3 * SCALE)
            .draw()
            .map_err(|e| failed(&e))?;
        for (i, line) in lines.iter().enumerate() {
            let style = palette.lines[i % palette.lines.len()].stroke_width(18);
            for stretch in line {
                let stretch: Vec<(f64, f64)> = stretch.iter().map(|p| (p.0, p.1 / unit)).collect();
                if let [only] = stretch.as_slice() {
                    // A line of one point is nothing to see.
                    chart.draw_series([Circle::new(*only, 3 * SCALE, style.filled())]).map_err(|e| failed(&e))?;
                } else {
                    chart.draw_series(LineSeries::new(stretch, style)).map_err(|e| failed(&e))?;
                }
            }
        }
        let (xs, ys) = chart.plotting_area().get_pixel_range();
        for (slot, pixel) in area.iter_mut().zip([xs.start, ys.start, xs.end, ys.end]) {
            *slot = f64::from(pixel) / f64::from(SCALE);
        }
        root.present().map_err(|e| failed(&e))?;
    }
    let summary = summarise(request);
    let svg = finish(&body, request, &summary);
    Ok(Drawn {
        svg,
        summary,
        area,
        x_range: [x_range.0, x_range.1],
        y_range: [y_range.0 * unit, y_range.1 * unit],
        points: request.series.iter().map(|s| s.points.len()).sum(),
        drawn: every().count(),
    })
}

/// What values are divided by before they are drawn: plotters looks for tick marks for ever when the
/// span of an axis overflows.
fn unit((low, high): (f64, f64)) -> f64 {
    let size = low.abs().max(high.abs());
    if size > 1e100 { size } else { 1.0 }
}

fn padded((low, high): (f64, f64)) -> (f64, f64) {
    let room = (high - low) * 0.06;
    if room.is_finite() && room > 0.0 {
        (low - room, high + room)
    } else {
        // One value only.
        let room = (low.abs() * 0.1).max(1e-9);
        (low - room, high + room)
    }
}

/// A number as an axis shows it: at most four significant digits, thousands as `12k`.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e9).contains(&size) {
        return format!("{value:.1e}");
    }
    let (value, unit) = match size {
        s if s >= 1e6 => (value / 1e6, "M"),
        s if s >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

fn summarise(request: &Request<'_>) -> String {
    let last = |s: &Series| s.points.iter().rev().map(|p| p.1).find(|v| v.is_finite());
    match request.series {
        [] => "There is nothing to draw yet.".to_owned(),
        [one] => {
            let (low, high) = bounds(one.points.iter().map(|p| p.1));
            match (one.points.iter().map(|p| p.1).find(|v| v.is_finite()), last(one)) {
                (Some(first), Some(end)) => format!(
                    "{} went from {} to {} over {} points (lowest {}, highest {}).",
                    one.name,
                    number(first),
                    number(end),
                    one.points.len(),
                    number(low),
                    number(high)
                ),
                _ => format!("{} has no number that could be drawn.", one.name),
            }
        }
        many => {
            let ends: Vec<f64> = many.iter().filter_map(last).collect();
            let (low, high) = bounds(ends.into_iter());
            format!("{} lines; their last values lie between {} and {}.", many.len(), number(low), number(high))
        }
    }
}

fn finish(body: &str, request: &Request<'_>, summary: &str) -> String {
    let inner = body.find('>').map_or("", |at| &body[at + 1..]);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {sw} {sh}\">\n<title>{}</title>\n<desc>{}</desc>{inner}",
        escape(request.title),
        escape(summary),
        w = request.width,
        h = request.height,
        sw = request.width * SCALE,
        sh = request.height * SCALE,
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(series: &[Series]) -> Drawn {
        draw(&Request { title: "loss <of> run", x_label: "step", y_label: "loss", width: 640, height: 320, theme: Theme::Light, series })
            .unwrap()
    }
    fn one(points: &[(f64, f64)]) -> Vec<Series> {
        vec![Series { name: "loss".into(), points: points.to_vec() }]
    }

    #[test]
    fn a_chart_names_and_explains_itself() {
        let d = check(&one(&[(0.0, 1.0), (1.0, 0.5), (2.0, 0.25)]));
        assert!(d.svg.contains("<title>loss &lt;of&gt; run</title>"));
        assert!(d.svg.contains("<desc>loss went from 1 to 0.25 over 3 points (lowest 0.25, highest 1).</desc>"));
        assert!(d.svg.contains("<polyline"));
        assert!(d.svg.trim_end().ends_with("</svg>"));
        assert!(d.area[0] > 40.0 && d.area[2] <= 640.0 && d.area[1] < d.area[3]);
    }

    #[test]
    fn what_cannot_be_drawn_does_not_keep_the_rest_from_it() {
        assert!(check(&[]).summary.contains("nothing"));
        assert!(check(&one(&[(0.0, f64::NAN)])).summary.contains("no number"));
        assert!(check(&one(&[(5.0, 2.0)])).svg.contains("<circle"));
        check(&one(&[(0.0, 3.0), (1.0, 3.0)]));
        check(&one(&[(0.0, -1e308), (1.0, 1e308), (2.0, f64::INFINITY)]));
    }

    #[test]
    fn numbers_on_an_axis_are_short() {
        for (value, text) in
            [(0.0, "0"), (0.25, "0.25"), (12_500.0, "12.5k"), (2e6, "2M"), (1e-7, "1.0e-7"), (100.0, "100"), (-0.5, "-0.5")]
        {
            assert_eq!(number(value), text);
        }
    }
}
