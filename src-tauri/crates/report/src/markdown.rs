//! Markdown to HTML that is safe to show: no scripts, no styles, nothing fetched from elsewhere.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser as LatexParser, Storage, push_mathml};
use std::collections::HashSet;

/// Renders Markdown. Raw HTML in it is cleaned, images are left out: a remote picture would tell
/// its server who reads. Its first level of headings becomes the third, below the titles of a page.
pub fn to_html(text: &str) -> String {
    shown(Parser::new_ext(text, options()).collect(), &nonce(text))
}

/// A heading of a text on a page, whose own titles come before it.
fn lowered(level: HeadingLevel) -> HeadingLevel {
    HeadingLevel::try_from((level as usize + 2).min(6)).unwrap_or(HeadingLevel::H6)
}

/// The scheme of pictures that belong to a record: `![words](attachment:<sha256>)`.
const ATTACHED: &str = "attachment:";

/// Events as safe HTML. Formulas are made by us from what was written, and put in after the rest was cleaned: nobody's own
/// MathML ever comes through.
fn shown(events: Vec<Event<'_>>, nonce: &str) -> String {
    let mut formulas: Vec<String> = Vec::new();
    let events = events.into_iter().map(|event| match event {
        Event::InlineMath(tex) => mark(&mut formulas, &tex, DisplayMode::Inline, nonce),
        Event::DisplayMath(tex) => mark(&mut formulas, &tex, DisplayMode::Block, nonce),
        Event::Start(Tag::Heading { level, id, classes, attrs }) => {
            Event::Start(Tag::Heading { level: lowered(level), id, classes, attrs })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lowered(level))),
        other => other,
    });
    let mut raw = String::new();
    html::push_html(&mut raw, events);
    let mut out = clean(&raw);
    for (i, formula) in formulas.iter().enumerate() {
        out = out.replacen(&place(nonce, i), formula, 1);
    }
    out
}

/// What marks the places of formulas: a text would have to hold its own fingerprint to hold one, so that nobody can have a
/// formula put where it does not belong, such as into a link's title.
fn nonce(text: &str) -> String {
    cairn_core::canonical::sha256(text.as_bytes()).as_str()[..40].to_owned()
}

fn place(nonce: &str, i: usize) -> String {
    format!("formula-{nonce}-{i}-")
}

fn mark<'e>(formulas: &mut Vec<String>, tex: &str, display_mode: DisplayMode, nonce: &str) -> Event<'e> {
    let storage = Storage::new();
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    let mut out = String::new();
    let wrong = LatexParser::new(tex, &storage).any(|e| e.is_err());
    let made = !wrong && push_mathml(&mut out, LatexParser::new(tex, &storage), config).is_ok();
    // What cannot be read is shown as it was typed.
    let formula = if made { clean_math(&out) } else { clean(&format!("<code>{}</code>", ammonia::clean_text(tex))) };
    formulas.push(formula);
    Event::Text(place(nonce, formulas.len() - 1).into())
}

/// Of a formula only MathML stays, without links and styles.
fn clean_math(raw: &str) -> String {
    let tags = HashSet::from([
        "math",
        "mi",
        "mn",
        "mo",
        "ms",
        "mrow",
        "msup",
        "msub",
        "msubsup",
        "mfrac",
        "msqrt",
        "mroot",
        "mtext",
        "mspace",
        "mtable",
        "mtr",
        "mtd",
        "mover",
        "munder",
        "munderover",
        "mpadded",
        "mstyle",
        "mphantom",
        "mmultiscripts",
        "mprescripts",
    ]);
    let attributes = HashSet::from([
        "display",
        "mathvariant",
        "stretchy",
        "displaystyle",
        "scriptlevel",
        "columnalign",
        "accent",
        "accentunder",
        "fence",
        "form",
        "largeop",
        "linethickness",
        "lspace",
        "rspace",
        "maxsize",
        "minsize",
        "movablelimits",
        "separator",
        "symmetric",
        "width",
    ]);
    ammonia::Builder::empty().tags(tags).generic_attributes(attributes).clean(raw).to_string()
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
    /// A picture that belongs to the record, by the digest of its file.
    Picture {
        digest: String,
        words: String,
    },
}

/// Renders Markdown in parts: fenced pieces of some kinds, such as ```` ```chart ````, are left to whoever draws them.
pub fn blocks(text: &str, kinds: &[&str]) -> Vec<Block> {
    let mut out = Vec::new();
    let mut waiting: Vec<Event<'_>> = Vec::new();
    let mut inside: Option<(String, String, usize)> = None;
    let nonce = nonce(text);
    let mut picture: Option<(String, String)> = None;
    let flush = |waiting: &mut Vec<Event<'_>>, out: &mut Vec<Block>| {
        let html = shown(std::mem::take(waiting), &nonce);
        if !html.trim().is_empty() && html.trim() != "<p></p>" {
            out.push(Block::Html(html));
        }
    };
    let mut depth = 0_usize;
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        // A picture that belongs to the record stands between the paragraphs.
        match (&event, &mut picture) {
            (Event::Start(Tag::Image { dest_url, .. }), None) if depth == 1 && dest_url.starts_with(ATTACHED) => {
                picture = Some((dest_url[ATTACHED.len()..].to_owned(), String::new()));
                continue;
            }
            (Event::Text(part), Some((_, words))) => {
                words.push_str(part);
                continue;
            }
            (Event::End(TagEnd::Image), Some(_)) => {
                if let Some((digest, words)) = picture.take() {
                    waiting.push(Event::End(TagEnd::Paragraph));
                    flush(&mut waiting, &mut out);
                    out.push(Block::Picture { digest, words });
                    waiting.push(Event::Start(Tag::Paragraph));
                }
                continue;
            }
            (_, _) => {}
        }
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
    Options::ENABLE_MATH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES
}

/// What of a piece of HTML is safe to show inside a page: its text, tables and emphasis.
pub fn clean(raw: &str) -> String {
    ammonia::Builder::default()
        .rm_tags(["img"])
        // Links to records and people are followed inside of the program.
        .url_schemes(HashSet::from(["http", "https", "mailto", "cairn"]))
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
        assert!(html.contains("<h3>Hi</h3>") && html.contains("<strong>b</strong>") && html.contains("<table>"), "{html}");
    }

    #[test]
    fn formulas_become_mathml_and_nothing_else_does() {
        let html = to_html(
            "Recall is $\\frac{TP}{TP + FN}$.\n\n$$\\sum_{i=1}^n x_i$$\n\n<math><mtext><img src=x onerror=run()></mtext></math> $5 and $6",
        );
        assert!(html.contains("<mfrac>") && html.contains("display=\"block\""), "{html}");
        assert!(!html.contains("<mtext>") && !html.contains("onerror"), "{html}");
        for bad in ["$\\text{<img src=x onerror=run()>}$", "$\\url{javascript:run()}$", "$\\frac{$", "$<script>run()</script>$"] {
            let html = to_html(bad);
            assert!(!html.contains("<img") && !html.contains("<script") && !html.contains("href"), "{bad}: {html}");
        }
        let html = to_html("[a](https://x.example \"formula-0-0-\") $\\nosuch \" onmouseover=run() x=\"$");
        assert!(html.contains("title=\"formula-0-0-\"") && !html.contains("<a href=\"https://x.example\" title=\"<"), "{html}");
    }

    #[test]
    fn a_picture_of_the_record_stands_between_paragraphs_and_others_are_left_out() {
        let digest = "a".repeat(64);
        let found = blocks(&format!("Before ![the curve](attachment:{digest}) after\n\n![x](https://e.example/y.png)"), &[]);
        assert_eq!(found[0], Block::Html("<p>Before </p>\n".into()));
        assert_eq!(found[1], Block::Picture { digest, words: "the curve".into() });
        assert!(matches!(&found[2], Block::Html(h) if h.contains("after") && !h.contains("e.example")), "{found:?}");
        assert!(to_html("[Ana](cairn:member/m1)").contains("href=\"cairn:member/m1\""));
    }

    #[test]
    fn charts_stand_between_the_parts_that_are_read() {
        let text = "# A\n\n```chart\nmetrics: [loss]\n```\n\nb\n\n```python\nx\n```\n\n- c\n  ```chart\n  d\n  ```\n";
        let found = blocks(text, &["chart"]);
        assert_eq!(found[0], Block::Html("<h3>A</h3>\n".into()));
        assert_eq!(found[1], Block::Fenced { kind: "chart".into(), body: "metrics: [loss]\n".into(), line: 3 });
        assert!(matches!(&found[2], Block::Html(h) if h.contains("<code>x") && h.contains("<li>") && h.contains('d')), "{found:?}");
        assert_eq!(found.len(), 3, "inside of a list it stays what it is: text");
        assert!(blocks("", &["chart"]).is_empty());
    }
}
