//! Jupyter notebooks to look at: cells, and the outputs that are stored with them. Nothing is run.
//!
//! Form: nbformat 4, <https://nbformat.readthedocs.io>. Read leniently: what a cell lacks is empty.

use serde_json::Value;
use std::collections::HashMap;

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

/// A cell with the outputs that are stored with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its name, in notebooks that give cells one; it stays when the cell is edited or moved.
    pub id: Option<String>,
    /// `code`, `markdown` or `raw`.
    pub kind: String,
    pub source: String,
    /// How many cells had been run when this one was; none: never run.
    pub count: Option<u64>,
    pub outputs: Vec<Piece>,
}

impl Cell {
    /// The cell as it is read: what was written, then what came of it.
    pub fn into_pieces(self) -> Vec<Piece> {
        let first = match self.kind.as_str() {
            "markdown" => Piece::Markdown(self.source),
            "code" => Piece::Code { source: self.source, count: self.count },
            _ => Piece::Text(self.source),
        };
        std::iter::once(first).chain(self.outputs).collect()
    }
}

/// A notebook's language and cells, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notebook {
    pub language: String,
    pub cells: Vec<Cell>,
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
    let mut out = Notebook { language, cells: Vec::new(), more: cells.len().saturating_sub(CELLS_MAX) };
    for cell in cells.iter().take(CELLS_MAX) {
        let kind = cell["cell_type"].as_str().unwrap_or("raw");
        let outputs = cell["outputs"].as_array().filter(|_| kind == "code").into_iter().flatten();
        out.cells.push(Cell {
            id: cell["id"].as_str().map(str::to_owned),
            kind: kind.to_owned(),
            source: text(&cell["source"]),
            count: cell["execution_count"].as_u64(),
            outputs: outputs.filter_map(piece).collect(),
        });
    }
    Ok(out)
}

/// How a cell of one notebook stands to a cell of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// Same text, same outputs; counters of runs do not matter.
    Same,
    /// Same text, other outputs.
    OtherOutputs,
    Changed,
    Removed,
    Added,
}

/// Cells of the left and right notebook side by side, by their places, in the order of reading.
pub type Aligned = (Pair, Option<usize>, Option<usize>);

/// Cells that share less of their text than this are two cells, not one that was edited.
const ALIKE: f64 = 0.5;

/// A cell without a name is looked for among so many of the other notebook's.
const AHEAD: usize = 40;

/// Puts two notebooks side by side, cell by cell: first what is equal, then cells of one name, then what is alike.
pub fn compare(left: &[Cell], right: &[Cell]) -> Vec<Aligned> {
    let key = |c: &Cell| (c.kind.clone(), c.source.trim_end().to_owned());
    let (a, b): (Vec<_>, Vec<_>) = (left.iter().map(key).collect(), right.iter().map(key).collect());
    let mut out = Vec::new();
    for op in similar::capture_diff_slices(similar::Algorithm::Myers, &a, &b) {
        if op.tag() == similar::DiffTag::Equal {
            for (l, r) in op.old_range().zip(op.new_range()) {
                let pair = if left[l].outputs == right[r].outputs { Pair::Same } else { Pair::OtherOutputs };
                out.push((pair, Some(l), Some(r)));
            }
        } else {
            edited(left, right, op.old_range(), op.new_range(), &mut out);
        }
    }
    out
}

/// Pairs what is left over between equal cells, in order: a cell of the left with the cell of the right that it became. A name
/// that both have decides; likeness is asked only where there is none.
fn edited(left: &[Cell], right: &[Cell], from: std::ops::Range<usize>, to: std::ops::Range<usize>, out: &mut Vec<Aligned>) {
    let mut next = to.start;
    let letters: Vec<HashMap<[u8; 2], u32>> = to.clone().map(|r| pairs(&right[r].source)).collect();
    for l in from {
        let named = left[l].id.is_some();
        let by_name = (next..to.end).find(|r| named && left[l].id == right[*r].id);
        let like = || {
            let own = pairs(&left[l].source);
            let may = |r: &usize| left[l].kind == right[*r].kind && !(named && right[*r].id.is_some());
            (next..to.end.min(next + AHEAD)).filter(may).find(|r| likeness(&own, &letters[*r - to.start]) >= ALIKE)
        };
        let Some(became) = by_name.or_else(like) else {
            out.push((Pair::Removed, Some(l), None));
            continue;
        };
        out.extend((next..became).map(|r| (Pair::Added, None, Some(r))));
        out.push((Pair::Changed, Some(l), Some(became)));
        next = became + 1;
    }
    out.extend((next..to.end).map(|r| (Pair::Added, None, Some(r))));
}

/// How often each two bytes follow one another, spaces left out.
fn pairs(text: &str) -> HashMap<[u8; 2], u32> {
    let bytes: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let mut out = HashMap::new();
    for two in bytes.windows(2) {
        *out.entry([two[0], two[1]]).or_default() += 1;
    }
    out
}

/// The share of two texts that is common, by Dice's coefficient over [`pairs`]; it takes no longer than reading them.
fn likeness(a: &HashMap<[u8; 2], u32>, b: &HashMap<[u8; 2], u32>) -> f64 {
    let total: u32 = a.values().chain(b.values()).sum();
    let common: u32 = a.iter().map(|(two, n)| n.min(b.get(two).unwrap_or(&0))).sum();
    if total == 0 { 0.0 } else { 2.0 * f64::from(common) / f64::from(total) }
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
            read.cells.into_iter().flat_map(Cell::into_pieces).collect::<Vec<_>>(),
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
    fn two_notebooks_are_compared_cell_by_cell() {
        let cell = |id: &str, source: &str, output: &str| Cell {
            id: (!id.is_empty()).then(|| id.to_owned()),
            kind: "code".into(),
            source: source.into(),
            count: Some(1),
            outputs: vec![Piece::Text(output.into())],
        };
        let found = |left: &[Cell], right: &[Cell]| {
            let of = |at: Option<usize>| at.map_or("-".to_owned(), |at| at.to_string());
            compare(left, right).into_iter().map(|(p, l, r)| format!("{p:?} {} {}", of(l), of(r))).collect::<Vec<_>>()
        };
        let before = [cell("", "import a", ""), cell("", "load()\ntrain(1)\nend()", "0.7"), cell("", "plot()", "x"), cell("", "old()", "")];
        let mut again = before[0].clone();
        again.count = Some(99);
        let after = [again, cell("", "new()", ""), cell("", "load()\ntrain(2)\nend()", "0.8"), cell("", "plot()", "y")];
        assert_eq!(
            found(&before, &after),
            ["Same 0 0", "Added - 1", "Changed 1 2", "OtherOutputs 2 3", "Removed 3 -"],
            "a counter is no change; a cell that was edited stands beside itself"
        );
        assert_eq!(
            found(&[cell("n1", "a", "")], &[cell("n1", "completely other", "")]),
            ["Changed 0 0"],
            "a name tells more than the text"
        );
        assert_eq!(found(&[cell("", "a", "")], &[cell("", "b", "")]), ["Removed 0 -", "Added - 0"]);
        assert!(found(&[], &[]).is_empty());
        assert_eq!(
            found(&[cell("a", "train(1)", "")], &[cell("copy", "train(1) # copy", ""), cell("a", "train(2)", "")]),
            ["Added - 0", "Changed 0 1"],
            "a copy with a name of its own is not the cell that was edited"
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
