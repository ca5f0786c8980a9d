//! Colours from `assets/tokens.json`, so that a chart and the window around it cannot differ.

use plotters::style::RGBColor;

const TOKENS: &str = include_str!("../../../../assets/tokens.json");

/// What stands in the picture in place of plotters' family; a viewer without Inter falls back.
pub const FONT: &str = "font-family=\"Inter Variable, Inter, DejaVu Sans, sans-serif\"";

/// Which of the two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    Light,
    Dark,
}

/// The colours that a chart needs.
#[derive(Debug, Clone)]
pub struct Palette {
    pub text: RGBColor,
    pub grid: RGBColor,
    pub axis: RGBColor,
    /// What the chart stands on.
    pub ground: RGBColor,
    pub bad: RGBColor,
    pub lines: Vec<RGBColor>,
    /// From little to much.
    pub ramp: Vec<RGBColor>,
}

impl Palette {
    pub fn line(&self, n: usize) -> RGBColor {
        self.lines.get(n % self.lines.len().max(1)).copied().unwrap_or(self.text)
    }

    /// A colour of the ramp, 0 to 1.
    pub fn shade(&self, at: f64) -> RGBColor {
        let last = self.ramp.len().saturating_sub(1);
        let place = at.clamp(0.0, 1.0) * last as f64;
        let (low, part) = (place.floor() as usize, place.fract());
        let colour = |i: usize| self.ramp.get(i.min(last)).copied().unwrap_or(self.text);
        let (a, b) = (colour(low), colour(low + 1));
        let mix = |a: u8, b: u8| (f64::from(a) * (1.0 - part) + f64::from(b) * part).round() as u8;
        RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
    }

    /// Black or white, whichever can be read on a shade.
    pub fn ink_on(&self, at: f64) -> RGBColor {
        let ground = self.shade(at);
        let light = luminance(ground);
        if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 { RGBColor(255, 255, 255) } else { RGBColor(0, 0, 0) }
    }
}

/// Relative luminance (WCAG 2.2).
fn luminance(c: RGBColor) -> f64 {
    let channel = |v: u8| {
        let c = f64::from(v) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(c.0) + 0.7152 * channel(c.1) + 0.0722 * channel(c.2)
}

impl Theme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn palette(self) -> Palette {
        static BOTH: std::sync::OnceLock<[Palette; 2]> = std::sync::OnceLock::new();
        let both = BOTH.get_or_init(|| [Self::Light.read(), Self::Dark.read()]);
        both[usize::from(self == Self::Dark)].clone()
    }

    fn read(self) -> Palette {
        let tokens: serde_json::Value = serde_json::from_str(TOKENS).unwrap_or_default();
        let look = &tokens[self.as_str()];
        let all = |name: &str| -> Vec<RGBColor> {
            tokens[name][self.as_str()].as_array().map(|all| all.iter().map(colour).collect()).unwrap_or_default()
        };
        Palette {
            text: colour(&look["text-2"]),
            grid: colour(&look["chart-grid"]),
            axis: colour(&look["chart-axis"]),
            ground: colour(&look["surface"]),
            bad: colour(&look["bad"]),
            lines: all("chart"),
            ramp: all("ramp"),
        }
    }
}

/// A colour as `#rrggbb`.
pub fn hex(c: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", c.0, c.1, c.2)
}

fn colour(value: &serde_json::Value) -> RGBColor {
    let hex = value.as_str().and_then(|t| t.strip_prefix('#')).unwrap_or("808080");
    let part = |at: usize| hex.get(at..at + 2).and_then(|p| u8::from_str_radix(p, 16).ok()).unwrap_or(128);
    RGBColor(part(0), part(2), part(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: &str, b: &str) -> f64 {
        let light = |hex: &str| luminance(colour(&hex.into()));
        let (a, b) = (light(a), light(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_controls_can_be_read_in_both_looks() {
        let tokens: serde_json::Value = serde_json::from_str(TOKENS).unwrap();
        for look in ["light", "dark"] {
            let c = |name: &str| tokens[look][name].as_str().unwrap();
            for surface in ["bg", "surface", "surface-2", "sunken"] {
                for text in ["text", "text-2"] {
                    assert!(contrast(c(text), c(surface)) >= 4.5, "{look}: {text} on {surface} (WCAG 1.4.3)");
                }
            }
            for (text, ground) in [
                ("on-accent", "accent"),
                ("good", "good-soft"),
                ("warn", "warn-soft"),
                ("bad", "bad-soft"),
                ("info", "info-soft"),
                ("accent", "accent-soft"),
                ("accent", "surface"),
            ] {
                assert!(contrast(c(text), c(ground)) >= 4.5, "{look}: {text} on {ground}: {}", contrast(c(text), c(ground)));
            }
            for surface in ["bg", "surface", "surface-2"] {
                assert!(contrast(c("control-border"), c(surface)) >= 3.0, "{look}: edges of controls on {surface} (WCAG 1.4.11)");
                assert!(contrast(c("focus"), c(surface)) >= 3.0);
            }
            for line in tokens["chart"][look].as_array().unwrap() {
                assert!(contrast(line.as_str().unwrap(), c("surface")) >= 3.0, "{look}: {line} as a line");
            }
        }
    }
}
