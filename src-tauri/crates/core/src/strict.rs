//! A strict look at a JSON line before anything is built from it.
//!
//! Two parsers must never read one signed line in two ways, so duplicate keys are refused here:
//! most languages keep the last, some the first.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// The deepest nesting of an operation.
pub const DEPTH_MAX: usize = 16;
/// The longest operation line in bytes. A note or card section may hold 48 KiB; escapes can double it.
pub const LINE_MAX: usize = 256 * 1024;

/// Checks that `line` is one JSON value without duplicate keys, no deeper than [`DEPTH_MAX`].
pub fn check(line: &str) -> Result<(), String> {
    if line.len() > LINE_MAX {
        return Err(format!("the line has {} bytes; {LINE_MAX} are allowed", line.len()));
    }
    let mut reader = serde_json::Deserializer::from_str(line);
    Node { depth: 0 }.deserialize(&mut reader).map_err(|e| e.to_string())?;
    reader.end().map_err(|e| e.to_string())
}

struct Node {
    depth: usize,
}

impl Node {
    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.inner()?)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(self.inner()?)?;
            if !seen.insert(key.clone()) {
                return Err(serde::de::Error::custom(format!("the key \"{key}\" stands twice")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_two_parsers_could_read_differently_is_refused() {
        assert!(check(r#"{"a":1,"b":{"c":[1,2]}}"#).is_ok());
        assert!(check(r#"{"a":1,"a":2}"#).is_err());
        assert!(check(r#"{"x":{"a":1,"a":1}}"#).is_err());
        assert!(check(r#"{"a":NaN}"#).is_err());
        assert!(check(r#"{"a":1} {"b":2}"#).is_err());
        assert!(check(&("[".repeat(40) + &"]".repeat(40))).is_err());
    }
}
