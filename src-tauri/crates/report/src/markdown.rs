//! Markdown to HTML that is safe to show: no scripts, no styles, nothing fetched from elsewhere.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, html};
use std::collections::HashSet;

/// Renders Markdown. Raw HTML in it is cleaned, images are left out: a remote picture would tell
/// its server who reads.
pub fn to_html(text: &str) -> String {
    let mut raw = String::new();
    html::push_html(&mut raw, Parser::new_ext(text, options()));
    clean(&raw)
}

/// A part of a text: what is read, or what is drawn in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Html(String),
    /// A fenced piece of one of the wanted kinds, with the line that it begins at, from 1.
    Fenced {
        kind: String,
        body: String,
        line: usize,
    },
}

/// Renders Markdown in parts: fenced pieces of some kinds, such as ```` ```chart ````, are left to whoever draws them.
pub fn blocks(text: &str, kinds: &[&str]) -> Vec<Block> {
    let mut out = Vec::new();
    let mut waiting: Vec<Event<'_>> = Vec::new();
    let mut inside: Option<(String, String, usize)> = None;
    let flush = |waiting: &mut Vec<Event<'_>>, out: &mut Vec<Block>| {
        let mut raw = String::new();
        html::push_html(&mut raw, waiting.drain(..));
        if !raw.trim().is_empty() {
            out.push(Block::Html(clean(&raw)));
        }
    };
    let mut depth = 0_usize;
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        match (&event, &mut inside) {
            (Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))), None) if depth == 0 && kinds.contains(&info.trim()) => {
                flush(&mut waiting, &mut out);
                let line = text.get(..range.start).map_or(0, |before| before.matches('\n').count()) + 1;
                inside = Some((info.trim().to_owned(), String::new(), line));
            }
            (Event::Text(part), Some((_, body, _))) => body.push_str(part),
            (Event::End(TagEnd::CodeBlock), Some(_)) => {
                if let Some((kind, body, line)) = inside.take() {
                    out.push(Block::Fenced { kind, body, line });
                }
            }
            (_, Some(_)) => {}
            (_, None) => {
                match &event {
                    Event::Start(_) => depth += 1,
                    Event::End(_) => depth = depth.saturating_sub(1),
                    _ => {}
                }
                waiting.push(event);
            }
        }
    }
    flush(&mut waiting, &mut out);
    out
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES
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

    #[test]
    fn charts_stand_between_the_parts_that_are_read() {
        let text = "# A\n\n```chart\nmetrics: [loss]\n```\n\nb\n\n```python\nx\n```\n\n- c\n  ```chart\n  d\n  ```\n";
        let found = blocks(text, &["chart"]);
        assert_eq!(found[0], Block::Html("<h1>A</h1>\n".into()));
        assert_eq!(found[1], Block::Fenced { kind: "chart".into(), body: "metrics: [loss]\n".into(), line: 3 });
        assert!(matches!(&found[2], Block::Html(h) if h.contains("<code>x") && h.contains("<li>") && h.contains('d')), "{found:?}");
        assert_eq!(found.len(), 3, "inside of a list it stays what it is: text");
        assert!(blocks("", &["chart"]).is_empty());
    }
}
