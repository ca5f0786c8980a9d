//! Note text that two people may edit at the same time: a Loro document, behind two functions.
//!
//! Every edit travels as the update that it made and the plain text that its author saw after it. So
//! the audit reads without Loro, and a bad update spoils nothing: the plain texts are all there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_core::text::BODY_MAX;
use loro::{ExportMode, LoroDoc, UpdateOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The largest update of one edit, in bytes before base64.
pub const UPDATE_MAX: usize = 128 * 1024;
/// The name of the text inside the document.
const TEXT: &str = "text";

/// Why texts could not be brought together. Then both are shown, side by side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the edits cannot be brought together: {0}")]
pub struct NoMerge(pub String);

fn bad(error: impl std::fmt::Display) -> NoMerge {
    NoMerge(error.to_string())
}

/// A panic of the library must not reach anybody: it is given what strangers wrote.
fn guarded<T>(work: impl FnOnce() -> Result<T, NoMerge>) -> Result<T, NoMerge> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(NoMerge("an update is malformed".to_owned())))
}

fn document(updates: &[String]) -> Result<LoroDoc, NoMerge> {
    let doc = LoroDoc::new();
    let mut all = Vec::with_capacity(updates.len());
    for update in updates {
        if update.len() > UPDATE_MAX * 4 / 3 + 4 {
            return Err(NoMerge("an update is too long".to_owned()));
        }
        all.push(STANDARD.decode(update).map_err(bad)?);
    }
    if !all.is_empty() && doc.import_batch(&all).map_err(bad)?.pending.is_some() {
        return Err(NoMerge("an update builds on one that is not here".to_owned()));
    }
    Ok(doc)
}

fn text_of(doc: &LoroDoc) -> Result<String, NoMerge> {
    let text = doc.get_text(TEXT).to_string();
    if text.len() > BODY_MAX { Err(NoMerge("the text became too long".to_owned())) } else { Ok(text) }
}

/// The text that several people's updates make together, whatever their order.
pub fn merge(updates: &[String]) -> Result<String, NoMerge> {
    guarded(|| text_of(&document(updates)?))
}

/// The update that turns the text of `updates` into `text`, in base64. `seed` is of this edit alone, so
/// that no two computers, nor two copies of one, ever write as the same peer.
pub fn edit(updates: &[String], text: &str, seed: &str) -> Result<String, NoMerge> {
    guarded(|| {
        let doc = document(updates)?;
        let before = doc.oplog_vv();
        let digest = cairn_core::canonical::sha256(seed.as_bytes());
        let peer = u64::from_str_radix(&digest.as_str()[..16], 16).map_err(bad)?;
        // The greatest number stands for "none" inside Loro.
        doc.set_peer_id(peer & (u64::MAX >> 1)).map_err(bad)?;
        doc.get_text(TEXT).update(text, UpdateOptions::default()).map_err(|e| NoMerge(format!("{e:?}")))?;
        doc.commit();
        let bytes = doc.export(ExportMode::updates(&before)).map_err(bad)?;
        if bytes.len() > UPDATE_MAX {
            return Err(NoMerge("the edit is too large".to_owned()));
        }
        Ok(STANDARD.encode(bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_edits_that_did_not_know_of_each_other_both_survive() {
        let first = edit(&[], "The data is old.\nThe model is new.\n", "ana 1").unwrap();
        let ana = edit(std::slice::from_ref(&first), "The data is very old.\nThe model is new.\n", "ana 2").unwrap();
        let dan = edit(std::slice::from_ref(&first), "The data is old.\nThe model is new.\nShip it.\n", "dan 1").unwrap();
        let both = merge(&[first.clone(), ana.clone(), dan.clone()]).unwrap();
        assert_eq!(both, "The data is very old.\nThe model is new.\nShip it.\n");
        assert_eq!(merge(&[first, dan, ana]).unwrap(), both, "whatever the order");
    }

    #[test]
    fn letters_beyond_the_basic_plane_are_letters() {
        let first = edit(&[], "\u{1f600} a\u{301}", "ana 1").unwrap();
        let second = edit(std::slice::from_ref(&first), "\u{1f600} b a\u{301}", "dan 1").unwrap();
        assert_eq!(merge(&[first, second]).unwrap(), "\u{1f600} b a\u{301}");
    }

    #[test]
    fn a_bad_update_is_an_error_and_nothing_else() {
        let first = edit(&[], "text", "ana 1").unwrap();
        let raw = STANDARD.decode(&first).unwrap();
        assert!(merge(&["no base64!".to_owned()]).is_err());
        for cut in 0..raw.len() {
            let _ = merge(&[STANDARD.encode(&raw[..cut])]);
        }
        for at in 0..raw.len() {
            let mut bent = raw.clone();
            bent[at] ^= 0x20;
            // Loro has a checksum of its own; a few bytes of the head are of no account.
            assert!(merge(&[STANDARD.encode(&bent)]).map_or(true, |text| text == "text"));
        }
        let second = edit(&[first], "text and more", "dan 1").unwrap();
        assert!(merge(&[second]).is_err(), "it builds on one that is not here");
    }
}
