//! Looking at a run's files: text and small pictures in the window.

use crate::ApiError;
use crate::host::Host;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_core::id::Digest;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The most text that is shown.
const TEXT_MAX: usize = 256 * 1024;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FileRef {
    pub digest: String,
    pub path: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FileView {
    /// `text`, `image`, `binary` or `elsewhere`.
    pub kind: String,
    pub text: String,
    /// A `data:` address for pictures.
    pub data_url: Option<String>,
    pub size: u64,
    pub cut: bool,
}

pub fn view(host: &Host, request: FileRef) -> Result<FileView, ApiError> {
    let digest = Digest::parse(request.digest).map_err(|e| ApiError::invalid(e.to_string()))?;
    let empty = |kind: &str, size| FileView { kind: kind.to_owned(), text: String::new(), data_url: None, size, cut: false };
    let Some(bytes) = host.workspace()?.store.blob(&digest)? else { return Ok(empty("elsewhere", 0)) };
    let size = bytes.len() as u64;
    let ending = request.path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let picture = match ending.as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "gif" => Some("image/gif"),
        _ => None,
    };
    if let Some(media) = picture {
        return Ok(FileView { data_url: Some(format!("data:{media};base64,{}", STANDARD.encode(&bytes))), ..empty("image", size) });
    }
    let cut = bytes.len() > TEXT_MAX;
    let head = &bytes[..bytes.len().min(TEXT_MAX)];
    match std::str::from_utf8(head) {
        Ok(text) if !text.contains('\0') => Ok(FileView { text: text.to_owned(), cut, ..empty("text", size) }),
        // Cut in the middle of a character.
        Err(e) if cut && e.valid_up_to() + 4 > head.len() => {
            Ok(FileView { text: String::from_utf8_lossy(&head[..e.valid_up_to()]).into_owned(), cut, ..empty("text", size) })
        }
        Ok(_) | Err(_) => Ok(empty("binary", size)),
    }
}
