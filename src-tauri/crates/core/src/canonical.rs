//! Canonical JSON and digests: the same record gives the same bytes on every computer.
//!
//! A subset of RFC 8785: keys sorted by their bytes, no spaces, and no floating-point numbers at all,
//! because two languages may print one number in two ways. Numbers that are measured travel as text.

use crate::id::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A value that has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} has no canonical form: write measured numbers as text, and integers within ±2^53")]
pub struct NotCanonical(pub String);

const EXACT: i64 = 1 << 53;

/// The canonical text of a value.
pub fn canonical(value: &Value) -> Result<String, NotCanonical> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => match number.as_i64() {
            Some(int) if (-EXACT..=EXACT).contains(&int) => out.push_str(&int.to_string()),
            _ => return Err(NotCanonical(number.to_string())),
        },
        Value::String(text) => quote(text, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                quote(key, out);
                out.push(':');
                write(&map[key], out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    // serde_json escapes exactly what RFC 8785 asks for: quote, backslash and control characters.
    out.push_str(&Value::from(text).to_string());
}

/// A sha256 over what comes piece by piece.
#[derive(Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    pub fn digest(self) -> Digest {
        Digest::from_bytes(&self.0.finalize().into())
    }
}

/// sha256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::from_bytes(&Sha256::digest(bytes).into())
}

/// The digest of a set of files, by the rule of the model-signing format: paths sorted, root =
/// sha256 over the concatenated raw sha256 digests. Paths are part of the manifest that is shown,
/// and a renamed file changes the order or the set.
pub fn manifest_digest(files: &[(String, Digest)]) -> Digest {
    let mut sorted: Vec<&(String, Digest)> = files.iter().collect();
    sorted.sort();
    let mut hash = Sha256::new();
    for (_, digest) in sorted {
        for pair in digest.as_str().as_bytes().chunks(2) {
            let byte = std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok());
            hash.update([byte.unwrap_or(0)]);
        }
    }
    Digest::from_bytes(&hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_in_which_keys_were_written_does_not_matter() {
        let a = canonical(&json!({"b": 1, "a": ["x", null, true]})).unwrap();
        assert_eq!(a, r#"{"a":["x",null,true],"b":1}"#);
    }

    #[test]
    fn numbers_that_would_round_are_refused() {
        assert!(canonical(&json!(0.1)).is_err(), "floats print differently in different languages");
        assert!(canonical(&json!(9_007_199_254_740_993_u64)).is_err(), "beyond 2^53 two values share a text");
    }

    #[test]
    fn a_changed_file_changes_the_manifest() {
        let files = |x: &[u8]| vec![("b".to_owned(), sha256(x)), ("a".to_owned(), sha256(b"1"))];
        assert_ne!(manifest_digest(&files(b"2")), manifest_digest(&files(b"3")));
        let mut reversed = files(b"2");
        reversed.reverse();
        assert_eq!(manifest_digest(&reversed), manifest_digest(&files(b"2")));
    }
}
