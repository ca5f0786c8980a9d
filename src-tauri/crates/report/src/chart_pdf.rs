//! A chart as a page of PDF: the same drawing, with its title above and its sentence below.

use krilla::Document;
use krilla::geom::{Point, Size};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::text::{Font, TextDirection};
use krilla_svg::{SurfaceExt, SvgSettings};
use std::sync::{Arc, OnceLock};
use usvg::{Options, Tree, fontdb};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be made: {0}")]
pub struct NoPage(String);

const FONT: &[u8] = include_bytes!("../../../../assets/fonts/DejaVuSans.ttf");
const MARGIN: f32 = 28.0;
const TITLE: f32 = 14.0;
const TEXT: f32 = 9.5;

/// What stands on the page.
#[derive(Debug, Clone)]
pub struct Figure<'a> {
    pub svg: &'a str,
    pub title: &'a str,
    /// Sentences below the drawing.
    pub said: Vec<&'a str>,
}

/// The page as PDF, as large as it must be. The same figure gives the same bytes.
pub fn pdf(figure: &Figure<'_>) -> Result<Vec<u8>, NoPage> {
    let bad = |what: &str| NoPage(what.to_owned());
    let tree = Tree::from_str(figure.svg, &options()).map_err(|e| NoPage(e.to_string()))?;
    let (width, height) = (tree.size().width(), tree.size().height());
    // A letter of this font is about half as wide as it is high.
    let letters = (width / (TEXT * 0.55)) as usize;
    let lines: Vec<String> = figure.said.iter().flat_map(|s| wrapped(s, letters)).collect();
    let below = lines.len() as f32 * TEXT * 1.5;
    let font = Font::new(FONT.to_vec().into(), 0).ok_or_else(|| bad("the font does not load"))?;
    let mut document = Document::new();
    document.set_metadata(Metadata::new().title(figure.title.to_owned()).language("en".to_owned()));
    let settings = PageSettings::from_wh(width + 2.0 * MARGIN, height + below + TITLE * 2.0 + 2.0 * MARGIN);
    let mut page = document.start_page_with(settings.ok_or_else(|| bad("the page has no size"))?);
    let mut surface = page.surface();
    let text = |surface: &mut krilla::surface::Surface<'_>, y: f32, size: f32, words: &str| {
        surface.draw_text(Point::from_xy(MARGIN, y), font.clone(), size, words, false, TextDirection::Auto);
    };
    text(&mut surface, MARGIN + TITLE, TITLE, figure.title);
    surface.push_transform(&krilla::geom::Transform::from_translate(MARGIN, MARGIN + TITLE * 2.0));
    let size = Size::from_wh(width, height).ok_or_else(|| bad("the drawing has no size"))?;
    surface.draw_svg(&tree, size, SvgSettings::default()).ok_or_else(|| bad("the drawing does not fit"))?;
    surface.pop();
    for (i, line) in lines.iter().enumerate() {
        text(&mut surface, MARGIN + TITLE * 2.0 + height + TEXT * 1.5 * (i as f32 + 1.0), TEXT, line);
    }
    surface.finish();
    page.finish();
    document.finish().map_err(|e| NoPage(format!("{e:?}")))
}

/// Only the bundled font: the same page on every computer.
fn options() -> Options<'static> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut db = fontdb::Database::new();
        db.load_font_data(FONT.to_vec());
        db.set_sans_serif_family("DejaVu Sans");
        Arc::new(db)
    });
    Options { fontdb: Arc::clone(fonts), font_family: "DejaVu Sans".to_owned(), ..Options::default() }
}

/// Lines of at most so many letters, broken between words.
fn wrapped(text: &str, letters: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match out.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < letters => {
                line.push(' ');
                line.push_str(word);
            }
            _ => out.push(word.to_owned()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_page_and_the_same_each_time() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100" viewBox="0 0 2000 1000"><text x="10" y="200" font-size="120">loss</text><line x1="0" y1="0" x2="900" y2="900" stroke="#0f6460"/></svg>"##;
        let figure = Figure { svg, title: "loss of 2 runs", said: vec!["It fell."] };
        let one = pdf(&figure).unwrap();
        assert!(one.starts_with(b"%PDF-"));
        assert_eq!(one, pdf(&figure).unwrap());
        assert!(pdf(&Figure { svg: "no drawing", ..figure }).is_err());
        assert_eq!(wrapped("a bb ccc", 5), ["a bb", "ccc"]);
    }
}
