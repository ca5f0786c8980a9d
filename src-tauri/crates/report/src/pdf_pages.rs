//! The pages of a PDF as pictures: they can be looked at, and nothing in them runs.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};

/// A page is drawn about so many pixels wide.
const WIDTH: f32 = 1_100.0;
/// No page is drawn larger in either direction.
const SIDE_MAX: f32 = 3_000.0;

/// Some pages, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// Each a PNG file.
    pub pictures: Vec<Vec<u8>>,
    pub total: usize,
}

/// Why a PDF is not shown.
#[derive(Debug, thiserror::Error)]
#[error("this PDF cannot be drawn: {0}")]
pub struct BadPdf(&'static str);

/// Draws the first pages.
pub fn draw(bytes: Vec<u8>, most: usize) -> Result<Pages, BadPdf> {
    // Files of strangers: whatever their reader does not expect ends here, not in the program.
    std::panic::catch_unwind(|| pages(bytes, most)).unwrap_or(Err(BadPdf("it is damaged")))
}

fn pages(bytes: Vec<u8>, most: usize) -> Result<Pages, BadPdf> {
    let pdf = Pdf::new(bytes).map_err(|_| BadPdf("it is damaged, or protected by a password"))?;
    let cache = RenderCache::new();
    let settings = InterpreterSettings::default();
    let mut pictures = Vec::new();
    for page in pdf.pages().iter().take(most) {
        let (width, height) = page.render_dimensions();
        if !(width > 0.0 && height > 0.0) {
            continue;
        }
        let scale = (WIDTH / width).min(SIDE_MAX / height).min(SIDE_MAX / width);
        let onto = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
        let drawn = render(page, &cache, &settings, &RenderSettings::default(), &onto);
        pictures
            .push(png(drawn.width().into(), drawn.height().into(), drawn.data_as_u8_slice()).map_err(|_| BadPdf("a page is too large"))?);
    }
    Ok(Pages { pictures, total: pdf.pages().len() })
}

/// Drawn on white, every pixel is opaque: what is premultiplied is what is not.
fn png(width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(rgba)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_drawn_and_damage_is_said() {
        let words: Vec<String> = ["stone"; 24].map(str::to_owned).to_vec();
        let sheet = crate::recovery::Sheet { workspace: "Lab", words: &words, phrase: "a b c d", day: "today", address: "/srv/x" };
        let sheet = crate::recovery::pdf(&sheet).unwrap();
        let pages = draw(sheet.clone(), 3).unwrap();
        assert_eq!((pages.total, pages.pictures.len()), (1, 1));
        assert!(pages.pictures[0].starts_with(b"\x89PNG"));
        assert!(draw(b"no pdf".to_vec(), 3).is_err());
        for at in (0..sheet.len()).step_by(sheet.len() / 12) {
            let mut bent = sheet.clone();
            bent[at] = bent[at].wrapping_add(13);
            let _ = draw(bent, 1);
        }
    }
}
