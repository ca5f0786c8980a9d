//! A chart as pixels.

use crate::ChartError;
use crate::frame::failed;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::{Arc, OnceLock};

/// The only font: the same picture on every computer.
const FONT: &[u8] = include_bytes!("../../../../assets/fonts/DejaVuSans.ttf");

/// An SVG as PNG, enlarged by `zoom` (0.5 to 4), on a ground of some colour (`#rrggbb`).
pub fn png(svg: &str, zoom: f32, ground: plotters::style::RGBColor) -> Result<Vec<u8>, ChartError> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut db = fontdb::Database::new();
        db.load_font_data(FONT.to_vec());
        db.set_sans_serif_family("DejaVu Sans");
        Arc::new(db)
    });
    let options = Options { fontdb: Arc::clone(fonts), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(failed)?;
    let zoom = zoom.clamp(0.5, 4.0);
    let size = tree.size();
    let mut pixels = Pixmap::new((size.width() * zoom).ceil() as u32, (size.height() * zoom).ceil() as u32).ok_or(ChartError::Size)?;
    pixels.fill(resvg::tiny_skia::Color::from_rgba8(ground.0, ground.1, ground.2, 255));
    resvg::render(&tree, Transform::from_scale(zoom, zoom), &mut pixels.as_mut());
    pixels.encode_png().map_err(failed)
}
