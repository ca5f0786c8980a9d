//! Jupyter notebooks to look at: cells, and the outputs that are stored with them. Nothing is run.
//!
//! Form: nbformat 4, <https://nbformat.readthedocs.io>. Read leniently: what a cell lacks is empty.

use serde_json::Value;

/// Cells that are shown.
const CELLS_MAX: usize = 2_000;

/// One piece of a notebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Markdown(String),
    Code {
        source: String,
        count: Option<u64>,
    },
    Text(String),
    Error(String),
    Html(String),
    /// Base64 and media type.
    Picture {
        media: &'static str,
        data: String,
    },
    /// An output in a form that is not shown.
    Other(String),
}

/// A notebook's language and pieces, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notebook {
    pub language: String,
    pub pieces: Vec<Piece>,
    /// Cells beyond those that are shown.
    pub more: usize,
}

/// Why a notebook cannot be shown.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadNotebook(String);

/// Texts are lists of lines, or one text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// Reads a notebook.
pub fn read(bytes: &[u8]) -> Result<Notebook, BadNotebook> {
    let whole: Value = serde_json::from_slice(bytes).map_err(|e| BadNotebook(format!("this is no notebook: {e}")))?;
    if whole["nbformat"].as_u64().is_some_and(|v| v < 4) {
        return Err(BadNotebook(format!("this notebook has the old format {}; open and save it in a current Jupyter", whole["nbformat"])));
    }
    let cells = whole["cells"].as_array().ok_or_else(|| BadNotebook("this is no notebook: it has no cells".to_owned()))?;
    let language = whole["metadata"]["language_info"]["name"].as_str().unwrap_or("python").to_owned();
    let mut out = Notebook { language, pieces: Vec::new(), more: cells.len().saturating_sub(CELLS_MAX) };
    for cell in cells.iter().take(CELLS_MAX) {
        let source = text(&cell["source"]);
        match cell["cell_type"].as_str() {
            Some("markdown") => out.pieces.push(Piece::Markdown(source)),
            Some("code") => {
                out.pieces.push(Piece::Code { source, count: cell["execution_count"].as_u64() });
                for output in cell["outputs"].as_array().into_iter().flatten() {
                    out.pieces.extend(piece(output));
                }
            }
            Some(_) | None => out.pieces.push(Piece::Text(source)),
        }
    }
    Ok(out)
}

fn piece(output: &Value) -> Option<Piece> {
    match output["output_type"].as_str()? {
        "stream" => Some(Piece::Text(without_colours(&text(&output["text"])))),
        "error" => {
            let trace: Vec<String> = output["traceback"].as_array().into_iter().flatten().map(text).collect();
            let short = format!("{}: {}", text(&output["ename"]), text(&output["evalue"]));
            Some(Piece::Error(if trace.is_empty() { short } else { without_colours(&trace.join("\n")) }))
        }
        "execute_result" | "display_data" => {
            let data = output["data"].as_object()?;
            let of = |media: &str| data.get(media).map(text).filter(|t| !t.is_empty());
            let picture = |media: &'static str| of(media).map(|data| Piece::Picture { media, data: data.split_whitespace().collect() });
            picture("image/png")
                .or_else(|| picture("image/jpeg"))
                .or_else(|| of("text/html").map(Piece::Html))
                .or_else(|| of("text/markdown").map(Piece::Markdown))
                .or_else(|| of("text/plain").map(Piece::Text))
                .or_else(|| Some(Piece::Other(data.keys().next()?.clone())))
        }
        _ => None,
    }
}

/// Text without the codes that colour it in a terminal (`ESC [ … letter`).
fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.peek() == Some(&'[') {
            for c in chars.by_ref().skip(1) {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_outputs_come_in_their_order() {
        let raw = serde_json::json!({ "nbformat": 4, "metadata": {}, "cells": [
            { "cell_type": "markdown", "source": ["# Hi\n", "there"] },
            { "cell_type": "code", "source": "1/0", "execution_count": 3, "outputs": [
                { "output_type": "stream", "name": "stdout", "text": ["\u{1b}[31mred\u{1b}[0m\n"] },
                { "output_type": "display_data", "data": { "image/png": "aGk=\n", "text/plain": "<Figure>" } },
                { "output_type": "error", "ename": "ZeroDivisionError", "evalue": "division by zero", "traceback": [] }] },
            { "cell_type": "raw" }
        ]});
        let read = read(raw.to_string().as_bytes()).unwrap();
        assert_eq!(
            read.pieces,
            [
                Piece::Markdown("# Hi\nthere".into()),
                Piece::Code { source: "1/0".into(), count: Some(3) },
                Piece::Text("red\n".into()),
                Piece::Picture { media: "image/png", data: "aGk=".into() },
                Piece::Error("ZeroDivisionError: division by zero".into()),
                Piece::Text(String::new()),
            ]
        );
    }

    #[test]
    fn what_is_no_notebook_says_so() {
        assert!(read_err(b"[1]").contains("no cells"));
        assert!(read_err(b"{").contains("no notebook"));
        assert!(read_err(br#"{"nbformat": 3, "worksheets": []}"#).contains("old format 3"));
    }

    fn read_err(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }
}
