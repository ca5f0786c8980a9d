//! What the trail of a bundle says of each kind of operation: one table, which `verify.py` holds word for word.
//!
//! Nothing here may ask the views or the clock: whoever verifies must come to the same words from the signed lines alone.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The table as it is written, for the test that `verify.py` has the same.
pub const TEXT: &str = include_str!("../../../../../assets/audit/words.json");

/// How one type is told.
#[derive(Debug, Clone, Deserialize)]
struct Word {
    say: String,
    meaning: String,
    /// Where the record's title stands, if it says one.
    title: Option<String>,
    /// Where the text stands that was written; else all fields are shown.
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Words {
    meanings: BTreeMap<String, String>,
    types: BTreeMap<String, Word>,
}

#[allow(clippy::expect_used)]
static WORDS: LazyLock<Words> = LazyLock::new(|| serde_json::from_str(TEXT).expect("the table in assets/ is well formed"));

/// How people and computers are called now.
pub trait Names {
    fn person(&self, member: &str) -> Option<String>;
    fn owner_of(&self, device: &str) -> Option<String>;
}

/// The meaning of what no table tells.
pub const OTHER: &str = "other";

/// What a type is about, such as `decisions`.
pub fn meaning(kind: &str) -> &'static str {
    WORDS.types.get(kind).map_or(OTHER, |w| w.meaning.as_str())
}

/// The closed set of meanings, with the words that people read.
pub fn meanings() -> Vec<(&'static str, &'static str)> {
    WORDS.meanings.iter().map(|(id, label)| (id.as_str(), label.as_str())).collect()
}

/// All types that the table tells.
pub fn types() -> impl Iterator<Item = &'static str> {
    WORDS.types.keys().map(String::as_str)
}

/// What somebody did, to stand after their name.
pub fn say(kind: &str, d: &Value, names: &dyn Names) -> String {
    let Some(word) = WORDS.types.get(kind) else { return format!("wrote {kind}") };
    let mut out = String::new();
    let mut rest = word.say.as_str();
    while let Some(at) = rest.find(['[', '{']) {
        out.push_str(&rest[..at]);
        let close = if rest[at..].starts_with('[') { ']' } else { '}' };
        let end = rest[at..].find(close).map_or(rest.len(), |e| at + e);
        let inner = &rest[at + 1..end];
        if close == '}' {
            out.push_str(&tell(inner, d, names));
        } else if let Some(part) = part(inner, d, names) {
            out.push_str(&part);
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// A part in brackets: left out where one of its fields is empty.
fn part(template: &str, d: &Value, names: &dyn Names) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, behind) = after.split_once('}')?;
        let told = Some(tell(inner, d, names)).filter(|t| !t.is_empty())?;
        out.push_str(before);
        out.push_str(&told);
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

fn tell(inner: &str, d: &Value, names: &dyn Names) -> String {
    let (path, how) = inner.split_once('|').unwrap_or((inner, ""));
    let Some(value) = field(d, path) else { return String::new() };
    if how == "count" {
        return match value {
            Value::Array(all) => all.len().to_string(),
            Value::Object(all) => all.len().to_string(),
            _ => String::new(),
        };
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Number(n) if n.is_i64() || n.is_u64() => n.to_string(),
        _ => String::new(),
    };
    match how {
        "words" => text.replace('_', " "),
        "person" if !text.is_empty() => names.person(&text).unwrap_or_else(|| "somebody".to_owned()),
        "computer" if !text.is_empty() => match names.owner_of(&text) {
            Some(name) => format!("{name}'s computer {text}"),
            None => format!("the computer {text}"),
        },
        _ => text,
    }
}

/// A field by its path; a name may hold dots itself.
fn field<'a>(d: &'a Value, path: &str) -> Option<&'a Value> {
    let found = match d.get(path) {
        Some(found) => Some(found),
        None => {
            let (name, rest) = path.split_once('.')?;
            field(d.get(name)?, rest)
        }
    };
    found.filter(|v| !v.is_null())
}

/// The title that an operation gives its record.
pub fn title<'a>(kind: &str, d: &'a Value) -> Option<&'a str> {
    if kind == "project.edited" {
        return if d["field"] == "title" { d["value"].as_str() } else { None };
    }
    field(d, WORDS.types.get(kind)?.title.as_ref()?)?.as_str()
}

/// What was written: the text itself, or all fields exactly as they were signed.
pub fn written(kind: &str, d: &Value, line: &str) -> String {
    let text = WORDS.types.get(kind).and_then(|w| w.text.as_ref()).and_then(|path| field(d, path)?.as_str());
    text.or_else(|| raw_field(line, "d")).unwrap_or_default().to_owned()
}

/// The text of one field of a JSON object, as it stands in `line`, which is well formed.
fn raw_field<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    let mut at = line.find('{')? + 1;
    loop {
        at = skip(line, at, b" \t\r\n,");
        if line.as_bytes().get(at) != Some(&b'"') {
            return None;
        }
        let end = value_end(line, at)?;
        let name: String = serde_json::from_str(line.get(at..end)?).ok()?;
        at = skip(line, end, b" \t\r\n:");
        let end = value_end(line, at)?;
        if name == wanted {
            return line.get(at..end);
        }
        at = end;
    }
}

fn skip(line: &str, mut at: usize, bytes: &[u8]) -> usize {
    while line.as_bytes().get(at).is_some_and(|b| bytes.contains(b)) {
        at += 1;
    }
    at
}

/// Where the value that begins at `at` ends.
fn value_end(line: &str, mut at: usize) -> Option<usize> {
    let bytes = line.as_bytes();
    let (mut depth, mut in_string) = (0_u32, false);
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            b'\\' if in_string => at += 1,
            b'"' => {
                in_string = !in_string;
                if !in_string && depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Nobody;
    impl Names for Nobody {
        fn person(&self, member: &str) -> Option<String> {
            (member == "m").then(|| "Ana".to_owned())
        }
        fn owner_of(&self, _: &str) -> Option<String> {
            None
        }
    }

    #[test]
    fn a_part_without_its_field_is_left_out() {
        let d = json!({ "stage": "data", "cycle": 2, "waived": [] });
        assert_eq!(say("project.stage_entered", &d, &Nobody), "moved the project to data, cycle 2");
        let d = json!({ "stage": "data", "cycle": 2, "waived": ["G1", "G2"] });
        assert_eq!(say("project.stage_entered", &d, &Nobody), "moved the project to data, cycle 2, waiving G1, G2");
        assert_eq!(say("role.granted", &json!({ "member": "m", "role": "ml_engineer" }), &Nobody), "gave Ana the role ml engineer");
        assert_eq!(say("later.thing", &json!({}), &Nobody), "wrote later.thing");
    }

    #[test]
    fn fields_are_shown_as_they_were_signed() {
        let line = r#"{"hlc":"x","why":"a \"d\": {", "t":"a.b" , "d" : {"n":1.50e3,"t":"}\\"} ,"tz":0}"#;
        assert_eq!(raw_field(line, "d"), Some(r#"{"n":1.50e3,"t":"}\\"}"#));
        assert_eq!(raw_field(line, "tz"), Some("0"));
        assert_eq!(raw_field(line, "none"), None);
    }

    #[test]
    fn every_type_has_its_words() {
        // serde names all variants in the error for one that it does not know.
        let error = serde_json::from_value::<cairn_core::op::Op>(json!({ "t": "?", "d": null })).unwrap_err().to_string();
        let known: std::collections::BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
        assert!(known.contains("run.created") && known.contains("workspace.created"), "{error}");
        assert_eq!(known, types().collect(), "assets/audit/words.json and verify.py tell every type, and no other");
        for kind in types() {
            assert!(meanings().iter().any(|(id, _)| *id == meaning(kind)), "{kind}");
        }
    }

    #[test]
    fn the_verifier_has_the_same_table() {
        assert!(super::super::VERIFY_PY.contains(TEXT), "copy assets/audit/words.json into verify.py");
    }
}
