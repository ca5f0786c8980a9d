//! Looking at files in the window: text, tables, pictures, pages, notebooks, sound. Nothing in them runs.

use crate::ApiError;
use crate::content;
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::tracking::files::{Artifact, artifacts_of};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_core::id::Digest;
use cairn_core::op::Kind;
use cairn_ingest::notebook::{self, Piece};
use cairn_ingest::table::{self, Head};
use cairn_report::{markdown, pdf_pages};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// The most text that is shown.
const TEXT_MAX: usize = 256 * 1024;
/// Rows of a table that are shown.
const ROWS: usize = 200;
/// Files above this are shown by their beginning, or not at all.
const WHOLE_MAX: u64 = 32 * 1024 * 1024;
/// What is fetched from elsewhere without being asked.
const FETCH_MAX: u64 = 8 * 1024 * 1024;
/// Pages of a PDF that are drawn.
const PAGES: usize = 12;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FileRef {
    /// The run or logged model that has it; needed for files that stay where they are.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SubjectRef>,
    /// Of content that the workspace holds.
    #[serde(default)]
    #[ts(optional)]
    pub digest: Option<String>,
    pub path: String,
    /// Get it from elsewhere whatever its size.
    #[serde(default)]
    #[ts(optional, type = "boolean")]
    pub fetch: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveFile {
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SubjectRef>,
    #[serde(default)]
    #[ts(optional)]
    pub digest: Option<String>,
    /// The artifact's path, where an owner is named.
    #[serde(default)]
    #[ts(optional)]
    pub of: Option<String>,
    /// Where it is written on this computer.
    pub path: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SavedFile {
    pub path: String,
    #[ts(type = "number")]
    pub size: u64,
}

/// How a file is shown.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FileView {
    Text {
        text: String,
        cut: bool,
    },
    /// Markdown, as safe HTML.
    Markdown {
        html: String,
        cut: bool,
    },
    /// A page of somebody's; to be shown in a frame that runs nothing and fetches nothing.
    Html {
        source: String,
        cut: bool,
    },
    Table {
        columns: Vec<String>,
        types: Vec<String>,
        rows: Vec<Vec<String>>,
        #[ts(type = "number | null")]
        total: Option<u64>,
        #[ts(type = "number")]
        more_columns: u64,
    },
    /// A `data:` address.
    Image {
        data_url: String,
    },
    Audio {
        data_url: String,
    },
    /// The first pages of a PDF as pictures.
    Pages {
        pictures: Vec<String>,
        #[ts(type = "number")]
        total: u64,
    },
    Notebook {
        language: String,
        pieces: Vec<NotebookPiece>,
        #[ts(type = "number")]
        more: u64,
    },
    /// Of no kind that is shown.
    Binary {},
    /// Of a kind that is shown, but not readable as one: why.
    Broken {
        why: String,
    },
    /// The content is not on this computer: why, and whether it can be got.
    Elsewhere {
        why: String,
        hint: Option<String>,
        can_fetch: bool,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NotebookPiece {
    /// Safe HTML: of Markdown, or of an output.
    Html {
        html: String,
    },
    Code {
        source: String,
        count: Option<u32>,
    },
    Text {
        text: String,
    },
    Error {
        text: String,
    },
    Picture {
        data_url: String,
    },
    Other {
        media: String,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FileShown {
    pub view: FileView,
    #[ts(type = "number | null")]
    pub size: Option<u64>,
    pub digest: Option<String>,
    /// Where a file lies that was referred to.
    pub address: Option<String>,
}

/// The whole content of a file that is here or can be had without asking.
pub(crate) fn read_whole(workspace: &Workspace, file: &FileRef) -> Result<Vec<u8>, ApiError> {
    let artifact = artifact(workspace, file.owner.as_ref(), file.digest.as_deref(), &file.path)?;
    if let Some(reference) = artifact.reference.as_ref().filter(|r| !r.address.starts_with("file:") && !file.fetch) {
        return Err(ApiError::new("elsewhere", format!("{} lies at {}", file.path, reference.address))
            .hint("Look at the file first, which gets it."));
    }
    let path = content::file_of(workspace, &artifact, FETCH_MAX)?;
    if std::fs::metadata(&path).is_ok_and(|m| m.len() > WHOLE_MAX) {
        return Err(ApiError::invalid(format!("{} is too large to be read here", file.path)));
    }
    whole(&path)
}

fn artifact(workspace: &Workspace, owner: Option<&SubjectRef>, digest: Option<&str>, path: &str) -> Result<Artifact, ApiError> {
    if let Some(owner) = owner {
        let owner = owner.parse()?;
        if !matches!(owner.kind, Kind::Run | Kind::LoggedModel) {
            return Err(ApiError::invalid("Only runs and logged models have files"));
        }
        let all = workspace.read(|r| Ok::<_, ApiError>(artifacts_of(&r.require(owner.kind, &owner.id)?)))?;
        return all.into_iter().find(|a| a.path == path).ok_or_else(|| ApiError::not_found(&format!("The file {path}")));
    }
    let digest = digest.ok_or_else(|| ApiError::invalid("A file is named by its owner or its fingerprint"))?;
    let digest = Digest::parse(digest).map_err(|e| ApiError::invalid(e.to_string()))?;
    Ok(Artifact { path: path.to_owned(), digest: Some(digest), size: None, reference: None })
}

pub fn view(host: &Host, request: FileRef) -> Result<FileShown, ApiError> {
    let workspace = host.workspace()?;
    let artifact = artifact(&workspace, request.owner.as_ref(), request.digest.as_deref(), &request.path)?;
    let most = if request.fetch { u64::MAX } else { FETCH_MAX };
    // What lies elsewhere is asked for by a click: its keeper hears who asks.
    if let Some(reference) = artifact.reference.as_ref().filter(|r| !r.address.starts_with("file:") && !request.fetch) {
        let view = FileView::Elsewhere { why: format!("It lies at {}.", reference.address), hint: None, can_fetch: true };
        return Ok(FileShown {
            view,
            size: artifact.size,
            digest: artifact.digest.as_ref().map(ToString::to_string),
            address: Some(reference.address.clone()),
        });
    }
    let (size, view) = match content::file_of(&workspace, &artifact, most) {
        Ok(file) => {
            let size = std::fs::metadata(&file).map(|m| m.len()).ok();
            (size, shown(&file, &request.path, size.unwrap_or(0))?)
        }
        Err(error) if error.code == "object_store" && artifact.size.is_some_and(|n| n > most) => (
            artifact.size,
            FileView::Elsewhere { why: "It is large, and not on this computer yet.".to_owned(), hint: None, can_fetch: true },
        ),
        Err(error) => (artifact.size, FileView::Elsewhere { why: error.message, hint: error.hint, can_fetch: error.code == "offline" }),
    };
    Ok(FileShown {
        view,
        size,
        digest: artifact.digest.as_ref().map(ToString::to_string),
        address: artifact.reference.as_ref().map(|r| r.address.clone()),
    })
}

/// Writes a file where somebody wants it.
pub fn save(host: &Host, request: SaveFile) -> Result<SavedFile, ApiError> {
    let workspace = host.workspace()?;
    let artifact = artifact(&workspace, request.owner.as_ref(), request.digest.as_deref(), request.of.as_deref().unwrap_or_default())?;
    let from = content::file_of(&workspace, &artifact, u64::MAX)?;
    let to = PathBuf::from(&request.path);
    let failed = |e: std::io::Error| ApiError::new("io", format!("{} could not be written: {e}", to.display()));
    if to.exists() {
        return Err(ApiError::conflict(format!("{} is there already", to.display())).hint("Choose another name; nothing was written over."));
    }
    let size = std::fs::copy(&from, &to).map_err(failed)?;
    Ok(SavedFile { path: to.display().to_string(), size })
}

pub(crate) fn data_url(media: &str, bytes: &[u8]) -> String {
    format!("data:{media};base64,{}", STANDARD.encode(bytes))
}

fn whole(file: &Path) -> Result<Vec<u8>, ApiError> {
    std::fs::read(file).map_err(|e| ApiError::new("io", e.to_string()))
}

/// What pictures and sounds are called, by the ending of their name.
pub(crate) fn media_of(ending: &str) -> Option<&'static str> {
    match ending {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "gif" => Some("image/gif"),
        // As a picture, an SVG runs no script and fetches nothing.
        "svg" => Some("image/svg+xml"),
        "wav" => Some("audio/wav"),
        "mp3" => Some("audio/mpeg"),
        "ogg" | "oga" => Some("audio/ogg"),
        "flac" => Some("audio/flac"),
        _ => None,
    }
}

fn shown(file: &Path, name: &str, size: u64) -> Result<FileView, ApiError> {
    let plain = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let ending = plain.rsplit_once('.').map_or("", |(_, e)| e);
    let media = media_of(ending);
    let table = |head: Result<Head, table::BadTable>| match head {
        Ok(Head { columns, types, rows, total, more_columns }) => {
            FileView::Table { columns, types, rows, total, more_columns: more_columns as u64 }
        }
        Err(error) => FileView::Broken { why: error.to_string() },
    };
    match (ending, media) {
        ("csv" | "tsv", _) => return Ok(table(table::separated(file, ROWS))),
        ("parquet", _) => return Ok(table(table::parquet(file, ROWS))),
        ("pdf" | "ipynb", _) | (_, Some(_)) if size > WHOLE_MAX => {
            return Ok(FileView::Broken { why: "It is too large to be shown here; save it to look at it.".to_owned() });
        }
        ("pdf", _) => {
            return Ok(match pdf_pages::draw(whole(file)?, PAGES) {
                Ok(pages) => FileView::Pages {
                    pictures: pages.pictures.iter().map(|p| data_url("image/png", p)).collect(),
                    total: pages.total as u64,
                },
                Err(error) => FileView::Broken { why: error.to_string() },
            });
        }
        ("ipynb", _) => {
            return Ok(match notebook::read(&whole(file)?) {
                Ok(found) => notebook_view(found),
                Err(error) => FileView::Broken { why: error.to_string() },
            });
        }
        (_, Some(media)) if media.starts_with("image/") => return Ok(FileView::Image { data_url: data_url(media, &whole(file)?) }),
        (_, Some(media)) => return Ok(FileView::Audio { data_url: data_url(media, &whole(file)?) }),
        (_, None) => {}
    }
    let Some((text, cut)) = beginning(file)? else { return Ok(FileView::Binary {}) };
    Ok(match ending {
        "md" | "markdown" => FileView::Markdown { html: markdown::to_html(&text), cut },
        "html" | "htm" => FileView::Html { source: text, cut },
        "json" if !cut => match serde_json::from_str::<serde_json::Value>(&text) {
            // One line of a megabyte is nothing to read.
            Ok(value) => FileView::Text { text: format!("{value:#}"), cut },
            Err(_) => FileView::Text { text, cut },
        },
        _ => FileView::Text { text, cut },
    })
}

/// The beginning of a text, and whether there is more. None: it is no text.
fn beginning(file: &Path) -> Result<Option<(String, bool)>, ApiError> {
    let io = |e: std::io::Error| ApiError::new("io", e.to_string());
    let mut head = Vec::new();
    std::fs::File::open(file).map_err(io)?.take(TEXT_MAX as u64 + 1).read_to_end(&mut head).map_err(io)?;
    let cut = head.len() > TEXT_MAX;
    head.truncate(TEXT_MAX);
    Ok(match std::str::from_utf8(&head) {
        Ok(text) if !text.contains('\0') => Some((text.to_owned(), cut)),
        // Cut in the middle of a character.
        Err(e) if cut && e.valid_up_to() + 4 > head.len() => Some((String::from_utf8_lossy(&head[..e.valid_up_to()]).into_owned(), cut)),
        Ok(_) | Err(_) => None,
    })
}

fn notebook_view(found: notebook::Notebook) -> FileView {
    let pieces = found.cells.into_iter().flat_map(notebook::Cell::into_pieces).map(notebook_piece).collect();
    FileView::Notebook { language: found.language, pieces, more: found.more as u64 }
}

/// A piece of a notebook as it is safe to show.
pub(crate) fn notebook_piece(piece: Piece) -> NotebookPiece {
    match piece {
        Piece::Markdown(text) => NotebookPiece::Html { html: markdown::to_html(&text) },
        Piece::Html(raw) => NotebookPiece::Html { html: markdown::clean(&raw) },
        Piece::Code { source, count } => NotebookPiece::Code { source, count: count.and_then(|n| u32::try_from(n).ok()) },
        Piece::Text(text) => NotebookPiece::Text { text },
        Piece::Error(text) => NotebookPiece::Error { text },
        // Only what is base64 gets into an address.
        Piece::Picture { media, data } if data.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)) => {
            NotebookPiece::Picture { data_url: format!("data:{media};base64,{data}") }
        }
        Piece::Picture { media, .. } => NotebookPiece::Other { media: media.to_owned() },
        Piece::Other(media) => NotebookPiece::Other { media },
    }
}
