//! Colours from `assets/tokens.json`, so that a chart and the window around it cannot differ.

use plotters::style::RGBColor;

const TOKENS: &str = include_str!("../../../../assets/tokens.json");

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
    pub lines: Vec<RGBColor>,
}

impl Theme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn palette(self) -> Palette {
        let tokens: serde_json::Value = serde_json::from_str(TOKENS).unwrap_or_default();
        let look = &tokens[self.as_str()];
        let lines = tokens["chart"][self.as_str()].as_array().cloned().unwrap_or_default();
        Palette {
            text: colour(&look["text-2"]),
            grid: colour(&look["chart-grid"]),
            axis: colour(&look["chart-axis"]),
            lines: lines.iter().map(colour).collect(),
        }
    }
}

fn colour(value: &serde_json::Value) -> RGBColor {
    let hex = value.as_str().and_then(|t| t.strip_prefix('#')).unwrap_or("808080");
    let part = |at: usize| hex.get(at..at + 2).and_then(|p| u8::from_str_radix(p, 16).ok()).unwrap_or(128);
    RGBColor(part(0), part(2), part(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }
    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
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
