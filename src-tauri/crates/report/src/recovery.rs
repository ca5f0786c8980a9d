//! The sheet with the recovery key, to be printed and put in a safe.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};

/// What stands on the sheet.
#[derive(Debug, Clone)]
pub struct Sheet<'a> {
    pub workspace: &'a str,
    /// The 24 words.
    pub words: &'a [String],
    /// The four words that stand for the key's public half: they tell which print is in force.
    pub phrase: &'a str,
    /// The day, as people write it.
    pub day: &'a str,
    pub address: &'a str,
}

/// Why there is no sheet.
#[derive(Debug, thiserror::Error)]
#[error("the sheet could not be made: {0}")]
pub struct NoSheet(String);

const FONT: &[u8] = include_bytes!("../../../../assets/fonts/DejaVuSans.ttf");
/// A4, in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const LEFT: f32 = 64.0;

/// The sheet as PDF. The same sheet gives the same bytes.
pub fn pdf(sheet: &Sheet<'_>) -> Result<Vec<u8>, NoSheet> {
    let bad = |what: &str| NoSheet(what.to_owned());
    let font = Font::new(FONT.to_vec().into(), 0).ok_or_else(|| bad("the font does not load"))?;
    let mut document = Document::new();
    document.set_metadata(Metadata::new().title(format!("Recovery key of {}", sheet.workspace)).language("en".to_owned()));
    let mut page = document.start_page_with(PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| bad("the page has no size"))?);
    let mut surface = page.surface();
    surface.set_fill(Some(Fill { paint: rgb::Color::new(0, 0, 0).into(), ..Fill::default() }));
    let mut text = |x: f32, y: f32, size: f32, words: &str| {
        surface.draw_text(Point::from_xy(x, y), font.clone(), size, words, false, TextDirection::Auto);
    };
    text(LEFT, 96.0, 24.0, "Recovery key");
    text(LEFT, 124.0, 13.0, &short(sheet.workspace, 60));
    text(LEFT, 146.0, 10.0, &format!("Printed {} \u{b7} in force while Cairn shows: {}", sheet.day, sheet.phrase));
    let mut y = 182.0;
    for line in [
        "If no owner of the workspace can act any more, because computers were lost or people left,",
        "whoever holds this sheet can make a new owner. Everybody will see that it was used.",
        "Keep it on paper, in a safe. Do not photograph it. Whoever has it can take over the workspace.",
        "When a new key is printed, destroy this one.",
    ] {
        text(LEFT, y, 9.5, line);
        y += 15.0;
    }
    y += 22.0;
    for (i, word) in sheet.words.iter().enumerate() {
        let column = i / 8;
        #[allow(clippy::cast_precision_loss)] // 24 words
        let (x, row) = (LEFT + column as f32 * 155.0, y + (i % 8) as f32 * 24.0);
        text(x, row, 9.0, &format!("{}", i + 1));
        text(x + 22.0, row, 14.0, word);
    }
    y += 8.0 * 24.0 + 16.0;
    let code = qrcode::QrCode::new(sheet.words.join(" ")).map_err(|e| NoSheet(e.to_string()))?;
    let size = 200.0;
    squares(&mut surface, &code, LEFT, y, size);
    let mut text = |x: f32, y: f32, size: f32, words: &str| {
        surface.draw_text(Point::from_xy(x, y), font.clone(), size, words, false, TextDirection::Auto);
    };
    text(LEFT + size + 24.0, y + 20.0, 11.0, "To use it");
    for (i, line) in [
        "1. Install Cairn on a computer.",
        "2. Join the workspace with its address:",
        &format!("    {}", short(sheet.address, 44)),
        "3. On the page that says you wait to be let in,",
        "    choose \u{201c}I have the recovery key\u{201d}.",
        "4. Type the words, or scan the code.",
        "5. Print a new key at once.",
    ]
    .iter()
    .enumerate()
    {
        #[allow(clippy::cast_precision_loss)] // seven lines
        text(LEFT + size + 24.0, y + 44.0 + i as f32 * 16.0, 9.5, line);
    }
    surface.finish();
    page.finish();
    document.finish().map_err(|e| NoSheet(format!("{e:?}")))
}

fn squares(surface: &mut Surface<'_>, code: &qrcode::QrCode, left: f32, top: f32, size: f32) {
    let width = code.width();
    #[allow(clippy::cast_precision_loss)] // a code has at most 177 modules
    let side = size / width as f32;
    let mut path = PathBuilder::new();
    for (i, dark) in code.to_colors().into_iter().enumerate().filter(|(_, c)| *c == qrcode::Color::Dark) {
        let _ = dark;
        #[allow(clippy::cast_precision_loss)]
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        if let Some(square) = Rect::from_xywh(left + x * side, top + y * side, side, side) {
            path.push_rect(square);
        }
    }
    if let Some(path) = path.finish() {
        surface.set_fill(Some(Fill { rule: FillRule::NonZero, paint: rgb::Color::new(0, 0, 0).into(), ..Fill::default() }));
        surface.draw_path(&path);
    }
}

fn short(text: &str, max: usize) -> String {
    if text.chars().count() <= max { text.to_owned() } else { text.chars().take(max - 1).chain(['\u{2026}']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_sheet_gives_the_same_file() {
        let words: Vec<String> = (0..24).map(|i| format!("word{i}")).collect();
        let sheet =
            Sheet { workspace: "Acme \u{416}", words: &words, phrase: "a-b-c-d", day: "21 November 2026", address: "file:///srv/team.git" };
        let first = pdf(&sheet).unwrap();
        assert!(first.starts_with(b"%PDF-") && first.len() > 5_000);
        assert_eq!(pdf(&sheet).unwrap(), first);
    }
}
