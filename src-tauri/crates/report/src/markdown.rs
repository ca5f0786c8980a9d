//! Markdown to HTML that is safe to show: no scripts, no styles, nothing fetched from elsewhere.

use pulldown_cmark::{Options, Parser, html};
use std::collections::HashSet;

/// Renders Markdown. Raw HTML in it is cleaned, images are left out: a remote picture would tell
/// its server who reads.
pub fn to_html(text: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    let mut raw = String::new();
    html::push_html(&mut raw, Parser::new_ext(text, options));
    clean(&raw)
}

/// What of a piece of HTML is safe to show inside a page: its text, tables and emphasis.
pub fn clean(raw: &str) -> String {
    ammonia::Builder::default()
        .rm_tags(["img"])
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .link_rel(Some("noopener noreferrer"))
        .clean(raw)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_cannot_run_or_phone_home() {
        let html = to_html(
            "# Hi\n\n<script>run()</script>\n\n<img src=https://e.example/x.png onerror=run()>\n\n![p](https://e.example/y.png) [l](javascript:run()) **b**\n\n|a|b|\n|-|-|\n|1|2|",
        );
        for bad in ["<script", "<img", "javascript:", "onerror", "e.example"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("<h1>Hi</h1>") && html.contains("<strong>b</strong>") && html.contains("<table>"), "{html}");
    }
}
