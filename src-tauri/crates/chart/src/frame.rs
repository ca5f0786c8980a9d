//! The frame of a chart: axes, grid, labels, and layers that are clipped to the plot.
//!
//! Each series is a group of its own in the SVG, so that the window can hide and light it without drawing anew.

use crate::ChartError;
use crate::axis::{Axis, Measure};
use crate::look::{DASHES, Look};
use crate::text::{cut, escape};
use crate::theme::{FONT, Palette, hex};
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::*;
use std::ops::Range;

/// Everything is drawn ten times too large and scaled back by `viewBox`: plotters rounds to whole pixels.
pub const SCALE: u32 = 10;

/// The chart that layers draw on: both axes go from 0 to 1.
pub type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Unit, Unit>>;

/// From 0 to 1, with ticks that were chosen before.
#[derive(Debug, Clone)]
pub struct Unit(Vec<f64>);

impl Ranged for Unit {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (value * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.0.clone() }
    }

    fn range(&self) -> Range<f64> {
        0.0..1.0
    }
}

/// A chart before anything is in it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// CSS pixels.
    pub width: u32,
    pub height: u32,
    pub palette: Palette,
    pub x: Axis,
    pub y: Axis,
    /// Room for the labels of the y axis and below, in CSS pixels.
    pub left: u32,
    pub bottom: u32,
    /// Whether lines go across at the ticks of y.
    pub grid: bool,
}

/// An axis whose texts XML can hold.
fn plain(mut axis: Axis) -> Axis {
    let clean = |t: &mut String| t.retain(|c| !c.is_control());
    clean(&mut axis.label);
    if let Measure::Names(names) = &mut axis.measure {
        names.iter_mut().for_each(clean);
    }
    axis
}

/// How many ticks the y axis has room for; names need less than numbers, as each stands for itself.
fn rows(y: &Axis, height: u32) -> usize {
    if matches!(y.measure, Measure::Names(_)) { (height as usize / 17).max(2) } else { (height as usize / 44).clamp(2, 12) }
}

/// Above the plot, beside it to the right, and before the name of the y axis.
const TOP: u32 = 10;
const RIGHT: u32 = 16;
const EDGE: u32 = 4;

impl Frame {
    pub fn new(width: u32, height: u32, palette: Palette, x: Axis, y: Axis) -> Result<Self, ChartError> {
        let sizes = 120..=4_000;
        if !sizes.contains(&width) || !sizes.contains(&height) {
            return Err(ChartError::Size);
        }
        let (x, y) = (plain(x), plain(y));
        let longest = y.ticks(rows(&y, height)).iter().map(|t| t.1.chars().count()).max().unwrap_or(0);
        let left = (longest.min(40) as u32 * 7 + 14 + if y.label.is_empty() { 0 } else { 18 }).clamp(36, width * 2 / 5);
        let bottom = if x.label.is_empty() { 24 } else { 38 };
        Ok(Self { width, height, palette, x, y, left, bottom, grid: true })
    }

    /// Left, top, right, bottom of the plot in CSS pixels.
    pub fn area(&self) -> [f64; 4] {
        [self.left, TOP, self.width - RIGHT, self.height - self.bottom].map(f64::from)
    }

    /// Where a value lies, in CSS pixels; may lie outside.
    pub fn pixel(&self, x: f64, y: f64) -> [f64; 2] {
        let [left, top, right, bottom] = self.area();
        [left + self.x.at(x) * (right - left), bottom - self.y.at(y) * (bottom - top)]
    }

    /// A place for drawing: 0 to 1 inside. What lies outside keeps its place as far as pixels can be counted, so that a
    /// line towards it has its true slope.
    pub fn place(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.at(x).clamp(-10_000.0, 10_000.0), self.y.at(y).clamp(-10_000.0, 10_000.0))
    }

    fn draw(&self, with: impl FnOnce(&mut Plot<'_, '_>) -> Result<(), ChartError>) -> Result<String, ChartError> {
        let mut body = String::new();
        {
            let size = (self.width * SCALE, self.height * SCALE);
            let root = SVGBackend::with_string(&mut body, size).into_drawing_area();
            let ticks = |axis: &Axis, n: usize| axis.ticks(n).into_iter().map(|t| t.0).collect::<Vec<f64>>();
            let (nx, ny) = self.counts();
            let mut plot = ChartBuilder::on(&root)
                .margin_top(TOP * SCALE)
                .margin_right(RIGHT * SCALE)
                .margin_left(EDGE * SCALE)
                .x_label_area_size(self.bottom * SCALE)
                .y_label_area_size((self.left - EDGE) * SCALE)
                .build_cartesian_2d(Unit(ticks(&self.x, nx)), Unit(ticks(&self.y, ny)))
                .map_err(failed)?;
            with(&mut plot)?;
            root.present().map_err(failed)?;
        }
        let inner = body.find('>').map_or("", |at| &body[at + 1..]);
        Ok(inner.trim_end().trim_end_matches("</svg>").to_owned())
    }

    fn counts(&self) -> (usize, usize) {
        ((self.width as usize / 84).clamp(2, 14), rows(&self.y, self.height))
    }

    /// Grid, axes and labels.
    pub fn mesh(&self) -> Result<String, ChartError> {
        let (nx, ny) = self.counts();
        let (x_ticks, y_ticks) = (self.x.ticks(nx), self.y.ticks(ny));
        let named = |ticks: &[(f64, String)], at: f64, most: usize| -> String {
            let near = ticks.iter().min_by(|a, b| (a.0 - at).abs().total_cmp(&(b.0 - at).abs()));
            near.map(|t| cut(&t.1, most)).unwrap_or_default()
        };
        // Names of neighbours must not run into each other.
        let x_most = (self.width as usize / x_ticks.len().max(1) / 7).max(5);
        self.draw(|plot| {
            let font = |size: u32| ("sans-serif", size * SCALE).into_font().color(&self.palette.text);
            let mut mesh = plot.configure_mesh();
            mesh.disable_x_mesh().max_light_lines(0);
            if !self.grid {
                mesh.disable_y_mesh();
            }
            mesh.bold_line_style(self.palette.grid.stroke_width(SCALE))
                .axis_style(self.palette.axis.stroke_width(SCALE))
                .x_label_formatter(&|v| named(&x_ticks, *v, x_most))
                .y_label_formatter(&|v| named(&y_ticks, *v, (self.left as usize - 8) / 7))
                .label_style(font(12))
                .axis_desc_style(font(12))
                .x_desc(self.x.label.as_str())
                .y_desc(cut(&self.y.label, (self.height as usize / 8).max(8)))
                .set_all_tick_mark_size(3 * SCALE)
                .draw()
                .map_err(failed)
        })
    }

    /// Something inside the plot, as a group with a number and a look.
    pub fn layer(
        &self,
        class: &str,
        index: Option<usize>,
        look: Look,
        with: impl FnOnce(&mut Plot<'_, '_>) -> Result<(), ChartError>,
    ) -> Result<String, ChartError> {
        let inner = self.draw(with)?;
        let dashes: Vec<String> = DASHES[look.dash % DASHES.len()].iter().map(|d| (d * SCALE).to_string()).collect();
        let dash = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", dashes.join(" ")) };
        let number = index.map(|i| format!(" data-i=\"{i}\"")).unwrap_or_default();
        let more = match class {
            // Neighbouring cells must not let the ground through.
            "cells" => " shape-rendering=\"crispEdges\"".to_owned(),
            // Texts over lines have an edge of the ground's colour.
            "axes" => format!(" stroke=\"{}\" stroke-width=\"{}\" paint-order=\"stroke\"", hex(self.palette.ground), 4 * SCALE),
            _ => String::new(),
        };
        Ok(format!("<g class=\"{class}\"{number}{dash}{more}>{inner}</g>\n"))
    }

    /// The whole picture: the frame, then the layers, clipped to the plot.
    pub fn finish(&self, title: &str, summary: &str, layers: &[String]) -> Result<String, ChartError> {
        let [left, top, right, bottom] = self.area().map(|v| v * f64::from(SCALE));
        let (w, h) = (right - left, bottom - top);
        Ok(self.wrap(
            title,
            summary,
            &format!(
                "{}<svg class=\"area\" x=\"{left}\" y=\"{top}\" width=\"{w}\" height=\"{h}\" viewBox=\"{left} {top} {w} {h}\">\n{}</svg>",
                self.mesh()?,
                layers.concat()
            ),
        ))
    }

    /// Names the picture for those who cannot see it.
    pub fn wrap(&self, title: &str, summary: &str, body: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {sw} {sh}\" stroke-linejoin=\"bevel\">\n<title>{}</title>\n<desc>{}</desc>{}\n</svg>\n",
            escape(title),
            escape(summary),
            body.replace("font-family=\"sans-serif\"", FONT),
            w = self.width,
            h = self.height,
            sw = self.width * SCALE,
            sh = self.height * SCALE,
        )
    }
}

/// What plotters says of a failure.
pub fn failed(e: impl std::fmt::Display) -> ChartError {
    ChartError::Draw(e.to_string())
}
