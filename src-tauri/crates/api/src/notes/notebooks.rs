//! Notebooks of a project, and two of them side by side, cell by cell. Nothing in them runs.

use super::SubjectRef;
use super::attach::is_notebook;
use super::history::{LineChange, changes};
use crate::artifacts::{FileRef, NotebookPiece, notebook_piece, read_whole};
use crate::checklists::title_of;
use crate::host::Host;
use crate::people::{Person, person_at};
use crate::tracking::files::artifacts_of;
use crate::tracking::runs as tracked;
use crate::{ApiError, audit};
use cairn_core::op::{Kind, Subject};
use cairn_ingest::notebook::{self, Cell, Pair};
use cairn_store::Reader;
use cairn_store::records::Record;
use cairn_store::search::RunSearch;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Bytes of a cell whose differences are found line by line.
const LINES_MAX: usize = 64 * 1024;

/// Runs whose files are looked through, the newest first.
const RUNS: usize = 500;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct NotebooksOf {
    pub about: SubjectRef,
}

/// A notebook somewhere in a project.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct NotebookRow {
    pub file: FileRef,
    pub name: String,
    /// The run that logged it, or the record whose notes hold it.
    pub place: String,
    pub by: Person,
    pub at_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CompareNotebooks {
    pub left: FileRef,
    pub right: FileRef,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct NotebookDifference {
    /// In the order of reading.
    pub cells: Vec<CellPair>,
    /// In words: how many cells were changed, added, removed.
    pub summary: String,
}

/// A cell as it was and as it is.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CellPair {
    /// `same`, `outputs` (only they differ), `changed`, `removed` or `added`.
    pub change: String,
    pub left: Option<CellView>,
    pub right: Option<CellView>,
    /// What the edit changed in the text of the cell.
    pub lines: Vec<LineChange>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CellView {
    /// Its place, from 1.
    pub number: u32,
    pub pieces: Vec<NotebookPiece>,
}

/// The notebooks of the project that a record belongs to: in notes, and logged by runs; the newest first.
pub fn list(host: &Host, request: NotebooksOf) -> Result<Vec<NotebookRow>, ApiError> {
    let about = request.about.parse()?;
    host.workspace()?.read(|r| {
        let mut out = Vec::new();
        of_record(r, about.kind, &r.require(about.kind, &about.id)?, &mut out)?;
        if let Some(project) = audit::project_of(r, &request.about)? {
            if about.kind != Kind::Project {
                of_record(r, Kind::Project, &r.require(Kind::Project, &project)?, &mut out)?;
            }
            let experiments = r.records(Kind::Experiment, None)?.into_iter().filter(|e| e.get("project") == Some(&project));
            let search = RunSearch { experiments: Some(experiments.map(|e| e.id).collect()), limit: RUNS, ..RunSearch::default() };
            let runs = tracked::views(r, &r.search_runs(&search)?.runs, Some(&[]))?;
            for run in runs.into_iter().filter(|run| about.kind != Kind::Run || run.id != about.id) {
                of_record(r, Kind::Run, &r.require(Kind::Run, &run.id)?, &mut out)?;
            }
        }
        out.sort_by(|a, b| b.at_ms.cmp(&a.at_ms).then_with(|| a.name.cmp(&b.name)));
        Ok(out)
    })
}

fn of_record(r: &Reader<'_>, kind: Kind, record: &Record, out: &mut Vec<NotebookRow>) -> Result<(), ApiError> {
    let acl = r.acl()?;
    let place = title_of(r, &Subject { kind, id: record.id.clone() })?;
    for (digest, cell) in record.cells.of("attachment") {
        let value: serde_json::Value = serde_json::from_str(&cell.value).unwrap_or_default();
        let name = value["name"].as_str().unwrap_or_default();
        if is_notebook(name) {
            let file = FileRef { owner: None, digest: Some(digest.to_owned()), path: name.to_owned(), fetch: false };
            let by = person_at(&acl, cell.device());
            out.push(NotebookRow { file, name: name.to_owned(), place: place.clone(), by, at_ms: cell.at_ms });
        }
    }
    if !matches!(kind, Kind::Run | Kind::LoggedModel) {
        return Ok(());
    }
    for artifact in artifacts_of(record).into_iter().filter(|a| is_notebook(&a.path)) {
        let owner = SubjectRef { kind: kind.as_str().to_owned(), id: record.id.clone() };
        let cell = record.cell_of("artifact", &artifact.path);
        out.push(NotebookRow {
            file: FileRef { owner: Some(owner), digest: None, path: artifact.path.clone(), fetch: false },
            name: artifact.path,
            place: place.clone(),
            by: person_at(&acl, cell.map_or(&record.device, |c| c.device())),
            at_ms: cell.map_or(record.at_ms, |c| c.at_ms),
        });
    }
    Ok(())
}

pub fn compare(host: &Host, request: CompareNotebooks) -> Result<NotebookDifference, ApiError> {
    let workspace = host.workspace()?;
    let read = |file: &FileRef| -> Result<Vec<Cell>, ApiError> {
        let bytes = read_whole(&workspace, file)?;
        let found = notebook::read(&bytes).map_err(|e| ApiError::invalid(format!("{}: {e}", file.path)))?;
        if found.more > 0 {
            return Err(ApiError::invalid(format!("{} has {} cells too many to be compared", file.path, found.more)));
        }
        Ok(found.cells)
    };
    Ok(difference(&read(&request.left)?, &read(&request.right)?))
}

fn difference(left: &[Cell], right: &[Cell]) -> NotebookDifference {
    let aligned = notebook::compare(left, right);
    let count = |which: Pair| aligned.iter().filter(|(pair, _, _)| *pair == which).count();
    let counts = [
        (count(Pair::Changed), "changed"),
        (count(Pair::Added), "added"),
        (count(Pair::Removed), "removed"),
        (count(Pair::OtherOutputs), "with other outputs only"),
    ];
    let said: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let total = aligned.len();
    let cells = if total == 1 { "cell" } else { "cells" };
    let summary =
        if said.is_empty() { "The two are equal, cell by cell.".to_owned() } else { format!("Of {total} {cells}: {}.", said.join(", ")) };
    let view = |all: &[Cell], at: Option<usize>| {
        let at = at?;
        let cell = all.get(at)?.clone();
        Some(CellView {
            number: u32::try_from(at + 1).unwrap_or(u32::MAX),
            pieces: cell.into_pieces().into_iter().map(notebook_piece).collect(),
        })
    };
    let pair = |(pair, l, r): (Pair, Option<usize>, Option<usize>)| CellPair {
        change: word(pair).to_owned(),
        lines: match (pair, l.and_then(|l| left.get(l)), r.and_then(|r| right.get(r))) {
            // Longer ones are shown whole on both sides: finding their differences may take for ever.
            (Pair::Changed, Some(before), Some(after)) if before.source.len().max(after.source.len()) <= LINES_MAX => {
                changes(&before.source, &after.source)
            }
            _ => Vec::new(),
        },
        // What is equal is sent once.
        left: view(left, l.filter(|_| pair != Pair::Same)),
        right: view(right, r),
    };
    NotebookDifference { cells: aligned.into_iter().map(pair).collect(), summary }
}

fn word(pair: Pair) -> &'static str {
    match pair {
        Pair::Same => "same",
        Pair::OtherOutputs => "outputs",
        Pair::Changed => "changed",
        Pair::Removed => "removed",
        Pair::Added => "added",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_counted_and_shown_line_by_line_and_no_script_comes_through() {
        let read = |source: &str, html: &str| {
            let raw = serde_json::json!({ "nbformat": 4, "cells": [
                { "cell_type": "code", "id": "a", "source": source, "outputs": [
                    { "output_type": "display_data", "data": { "text/html": html } }] },
                { "cell_type": "markdown", "source": "# the end" }] });
            notebook::read(raw.to_string().as_bytes()).unwrap().cells
        };
        let (before, after) = (read("x = 1", "<b>1</b>"), read("x = 2", "<script>run()</script><b onclick=run()>2</b>"));
        let found = difference(&before, &after);
        assert_eq!(found.summary, "Of 2 cells: 1 changed.");
        let lines: Vec<String> = found.cells[0].lines.iter().map(|c| format!("{} {}", c.what, c.line)).collect();
        assert_eq!(lines, ["removed x = 1", "added x = 2"]);
        let shown = serde_json::to_string(&found).unwrap();
        assert!(!shown.contains("script") && !shown.contains("onclick"), "{shown}");
        assert_eq!(difference(&before, &before).summary, "The two are equal, cell by cell.");
    }
}
