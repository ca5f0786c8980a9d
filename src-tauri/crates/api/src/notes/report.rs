//! Notes with charts and tables of runs in them, and what they showed at a time, kept as evidence.

use super::attach::is_notebook;
use super::{Note, view};
use crate::ApiError;
use crate::artifacts::{data_url, media_of};
use crate::charts::spec::{ChartKind, ChartSpec, RunSet};
use crate::charts::{DrawChart, Kept, ValueTable, keep_in};
use crate::content::file_of;
use crate::host::{Host, Workspace};
use crate::tracking::experiments;
use crate::tracking::files::artifacts_of;
use cairn_core::id::NoteId;
use cairn_core::op::{Kind, Op};
use cairn_core::setting::Setting;
use cairn_report::markdown::{Block, blocks};
use cairn_store::Reader;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use ts_rs::TS;

/// A part of a note.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NotePart {
    Html {
        html: String,
    },
    Chart {
        spec: Box<ChartSpec>,
        of: RunSet,
    },
    /// A picture that belongs to the record, by the digest of its file.
    Picture {
        digest: String,
        words: String,
    },
    /// A notebook that belongs to the record, by the digest of its file.
    Notebook {
        digest: String,
        name: String,
    },
    /// A chart that cannot be read, with the place.
    Broken {
        line: u32,
        why: String,
    },
}

/// The word after the fence of a chart; a table of runs is a chart of the kind `table`.
const FENCE: &str = "chart";

/// A text in parts: what is read, and what is drawn.
pub(crate) fn parts(text: &str) -> Vec<NotePart> {
    blocks(text, &[FENCE])
        .into_iter()
        .map(|block| match block {
            Block::Html(html) => NotePart::Html { html },
            Block::Picture { digest, words } if is_notebook(&words) => NotePart::Notebook { digest, name: words },
            Block::Picture { digest, words } => NotePart::Picture { digest, words },
            Block::Fenced { body, line, .. } => match described(&body) {
                Ok((spec, of)) => NotePart::Chart { spec: Box::new(spec), of },
                Err(why) => NotePart::Broken { line: u32::try_from(line).unwrap_or(u32::MAX), why },
            },
        })
        .collect()
}

/// A chart as somebody writes it, in YAML (or JSON, which is YAML): the fields of a chart, and `runs`, `experiment`,
/// `project` and `filter` for which runs.
fn described(body: &str) -> Result<(ChartSpec, RunSet), String> {
    let value: Value = serde_saphyr::from_str(body).map_err(|e| e.to_string())?;
    let Value::Object(fields) = value else { return Err("a chart is described by lines such as \"metrics: [loss]\"".to_owned()) };
    let ours = ["runs", "project", "experiment", "filter", "order_by"];
    let (of, spec): (serde_json::Map<_, _>, serde_json::Map<_, _>) =
        fields.into_iter().partition(|(name, _)| ours.contains(&name.as_str()));
    let known = serde_json::to_value(ChartSpec::default()).unwrap_or_default();
    if let Some(strange) = spec.keys().find(|k| known.get(k.as_str()).is_none()) {
        return Err(format!("a chart has no \"{strange}\""));
    }
    // An id of digits only would be a number, and no longer the id.
    let quoted = of.get("runs").and_then(Value::as_array).is_none_or(|runs| runs.iter().all(Value::is_string));
    if !quoted {
        return Err("the ids of runs stand in quotes, as in runs: [\"…\"]".to_owned());
    }
    let spec = serde_json::from_value(Value::Object(spec)).map_err(|e| e.to_string())?;
    let of = serde_json::from_value(Value::Object(of)).map_err(|e| e.to_string())?;
    Ok((spec, of))
}

/// Experiments are written by name; charts know them by id.
fn resolved(workspace: &Workspace, mut of: RunSet) -> RunSet {
    if let Some(name) = &of.experiment
        && let Ok(found) = experiments::by_name(workspace, name)
    {
        of.experiment = Some(found.id);
    }
    of
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Frozen {
    /// The fingerprint of the file.
    pub digest: String,
    #[ts(type = "number")]
    pub size: u64,
    /// Whether this computer holds it.
    pub here: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FreezeNote {
    pub note: String,
}

/// CSS pixels of a chart in a frozen report.
const SIZE: (u32, u32) = (800, 360);

/// Keeps what a note shows now as one file, by its digest.
pub fn freeze(host: &Host, request: FreezeNote) -> Result<Note, ApiError> {
    let workspace = host.workspace()?;
    let id = NoteId::parse(request.note)?;
    let note = workspace.read(|r| view(r, &r.require(Kind::Note, id.as_str())?))?;
    let page = page(&workspace, &note)?;
    let digest = workspace.store.put_blob(page.as_bytes())?;
    workspace.append(Op::NoteFrozen { note: id.clone(), digest, size: page.len() as u64 })?;
    workspace.read(|r| view(r, &r.require(Kind::Note, id.as_str())?))
}

/// The note as a page that needs nothing else: text, pictures and tables as they are now. The same note over the same
/// runs gives the same bytes.
fn page(workspace: &Workspace, note: &Note) -> Result<String, ApiError> {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{0}</title>\n<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:860px;margin:32px auto;padding:0 16px;color:#1d2322}}table{{border-collapse:collapse}}td,th{{border:1px solid #ccc;padding:4px 8px;text-align:left}}figure{{margin:24px 0}}figcaption{{color:#51595a;font-size:13px}}</style></head>\n<body>\n<h1>{0}</h1>\n",
        plain(&note.title)
    );
    write_parts(workspace, &note.parts, Detail::Full, &mut out)?;
    out.push_str("\n</body>\n</html>\n");
    Ok(out)
}

/// Text as it stands in HTML.
pub(crate) fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// How much of its charts a page holds, where there is a limit to its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Drawn, with their numbers as tables.
    Full,
    /// Drawn.
    Drawn,
    /// Named only, with their summary.
    Named,
}

/// Writes parts of a text as they are now: words, pictures, charts drawn from the runs as they are.
pub(crate) fn write_parts(workspace: &Workspace, parts: &[NotePart], detail: Detail, out: &mut String) -> Result<(), ApiError> {
    for part in parts {
        match part {
            NotePart::Html { html } => out.push_str(html),
            NotePart::Picture { digest, words } => {
                let bytes = cairn_core::id::Digest::parse(digest.clone()).ok().and_then(|d| workspace.store.blob(&d).ok().flatten());
                match bytes.and_then(|b| Some((super::attach::picture_of(&b)?, b))) {
                    Some((media, bytes)) if detail != Detail::Named => {
                        let _ = writeln!(out, "<p><img alt=\"{}\" src=\"{}\"></p>", plain(words), data_url(media, &bytes));
                    }
                    Some(_) => {
                        let _ = writeln!(out, "<p>A picture, by its fingerprint <code>{}</code>: {}</p>", plain(digest), plain(words));
                    }
                    None => {
                        let _ = writeln!(out, "<p><em>A picture that is not on this computer: {}</em></p>", plain(words));
                    }
                }
            }
            NotePart::Notebook { digest, name } => {
                let _ = writeln!(out, "<p>The notebook {}, with the fingerprint <code>{}</code></p>", plain(name), plain(digest));
            }
            NotePart::Broken { line, why } => {
                let _ = writeln!(out, "<p><strong>The chart in line {line} cannot be read:</strong> {}</p>", plain(why));
            }
            NotePart::Chart { spec, of } => write_chart(workspace, spec, of, detail, out)?,
        }
    }
    Ok(())
}

fn write_chart(workspace: &Workspace, spec: &ChartSpec, of: &RunSet, detail: Detail, out: &mut String) -> Result<(), ApiError> {
    let of = resolved(workspace, of.clone());
    let request = DrawChart { spec: spec.clone(), of, width: SIZE.0, height: SIZE.1, ..DrawChart::default() };
    let Kept { chart, table: rows, runs } = match keep_in(workspace, &request) {
        Ok(kept) => kept,
        Err(error) => {
            let _ = writeln!(out, "<p><strong>A chart could not be drawn:</strong> {}</p>", plain(&error.message));
            return Ok(());
        }
    };
    let mut notes = chart.notes.iter().map(|n| format!(" {}", plain(n))).collect::<String>();
    if !chart.complete {
        notes.push_str(" Not all points were on the computer that kept this.");
    }
    out.push_str("<figure>");
    if detail != Detail::Named {
        out.push_str(&chart.svg);
    }
    if spec.kind == ChartKind::Images {
        notes.push_str(&plain(&pictures(workspace, &rows, out)?));
    }
    if spec.kind == ChartKind::Table || detail == Detail::Full {
        let numbers = table(&rows, &plain);
        if spec.kind == ChartKind::Table {
            out.push_str(&numbers);
        } else {
            let _ = write!(out, "<details><summary>The numbers as a table</summary>{numbers}</details>");
        }
        if rows.more > 0 {
            let _ = write!(notes, " {} more rows are not in the table.", rows.more);
        }
        out.push_str(&runs_of(&runs, &plain));
    }
    let _ = writeln!(out, "<figcaption><strong>{}</strong> {}{notes}</figcaption></figure>", plain(&chart.title), plain(&chart.summary));
    Ok(())
}

/// The runs that a chart was drawn from, by id: what proves where its numbers come from.
fn runs_of(runs: &[(String, String)], plain: &dyn Fn(&str) -> String) -> String {
    let items: String = runs.iter().map(|(id, name)| format!("<li>{} <code>{}</code></li>", plain(name), plain(id))).collect();
    if items.is_empty() { items } else { format!("<details><summary>The runs ({})</summary><ul>{items}</ul></details>", runs.len()) }
}

/// Pictures that a report holds; together with the rest they fit into a file that travels with the history, or the evidence
/// would stay on this computer.
const PICTURES: usize = 48;

/// The last picture of each series, inside of the page; what could not be shown is said.
fn pictures(workspace: &Workspace, rows: &ValueTable, out: &mut String) -> Result<String, ApiError> {
    let mut last: BTreeMap<(&str, &str), &[String]> = BTreeMap::new();
    for row in &rows.rows {
        if let [_, run, key, _, _] = row.as_slice() {
            last.insert((run, key), row);
        }
    }
    // As text a picture takes a third more.
    let most = workspace.read(|r| crate::settings::number(r, Setting::SharedFileMax))?;
    let room = most.saturating_sub(out.len() as u64 + 8_192) * 3 / 4;
    let (mut left, mut missing) = (room, last.len().saturating_sub(PICTURES));
    for row in last.into_values().take(PICTURES) {
        let [name, run, key, step, path] = row else { continue };
        let files = workspace.read(|r| Ok::<_, ApiError>(artifacts_of(&r.require(Kind::Run, run)?)))?;
        let bytes = files.iter().find(|f| f.path == *path).and_then(|f| std::fs::read(file_of(workspace, f, left).ok()?).ok());
        match bytes.filter(|b| b.len() as u64 <= left) {
            Some(bytes) => {
                left -= bytes.len() as u64;
                let label = format!("{name}, {key}, step {step}");
                let label = label.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
                let picture =
                    data_url(media_of(&path.rsplit('.').next().unwrap_or_default().to_lowercase()).unwrap_or("image/png"), &bytes);
                let _ = write!(out, "<p><img alt=\"{label}\" src=\"{picture}\"><br>{label}</p>");
            }
            None => missing += 1,
        }
    }
    Ok(if missing > 0 {
        format!(" {missing} pictures are not in this report: they are not on this computer, or there are more than can travel with it.")
    } else {
        String::new()
    })
}

fn table(table: &ValueTable, plain: &dyn Fn(&str) -> String) -> String {
    let row = |cells: &[String], tag: &str| -> String {
        let cells: String = cells.iter().map(|c| format!("<{tag}>{}</{tag}>", plain(c))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let body: String = table.rows.iter().map(|r| row(r, "td")).collect();
    format!("<table>{}{body}</table>", row(&table.head, "th"))
}

/// What was kept of a note, by fingerprint.
pub(super) fn frozen(r: &Reader<'_>, note: &str) -> Result<Vec<Frozen>, ApiError> {
    let Some(record) = r.record(Kind::Note, note)? else { return Ok(Vec::new()) };
    Ok(record
        .pairs("frozen")
        .into_iter()
        .map(|(digest, value)| Frozen {
            size: serde_json::from_str::<Value>(&value).ok().and_then(|v| v["size"].as_u64()).unwrap_or(0),
            here: cairn_core::id::Digest::parse(digest.clone()).is_ok_and(|d| r.has_blob(&d)),
            digest,
        })
        .collect())
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PreviewNote {
    pub text: String,
}

/// A text as it will look.
pub fn preview(host: &Host, request: PreviewNote) -> Result<Vec<NotePart>, ApiError> {
    let workspace = host.workspace()?;
    Ok(ready(&workspace, parts(&request.text)))
}

/// Parts whose charts can be drawn as they are.
pub(crate) fn ready(workspace: &Workspace, parts: Vec<NotePart>) -> Vec<NotePart> {
    parts
        .into_iter()
        .map(|part| match part {
            NotePart::Chart { spec, of } => NotePart::Chart { spec, of: resolved(workspace, of) },
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_written_in_a_few_lines_and_a_mistake_is_named_with_its_place() {
        let found = parts(
            "Hi\n\n```chart\nmetrics: [loss]\nfilter: params.lr = '0.1'\nsmoothing: exponential\namount: 0.9\n```\n\n```chart\nkind: lines\ncolour: red\n```\n",
        );
        assert!(
            matches!(&found[1], NotePart::Chart { spec, of } if spec.metrics == ["loss"] && of.filter.as_deref() == Some("params.lr = '0.1'")),
            "{found:?}"
        );
        assert!(matches!(&found[2], NotePart::Broken { line: 10, why } if why.contains("no \"colour\"")), "{found:?}");
        assert!(matches!(&parts("```chart\n- a\n```")[0], NotePart::Broken { line: 1, .. }));
        assert!(matches!(&parts("```chart\nkind: pie\n```")[0], NotePart::Broken { why, .. } if why.contains("pie")));
    }
}
