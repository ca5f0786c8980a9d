//! What may stand next in a filter, for whoever is writing one.

use super::TrackingError;
use crate::host::Workspace;

/// How many suggestions there are at most.
const MOST: usize = 12;

/// One thing that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub text: String,
    /// What it is, in a word or two.
    pub about: &'static str,
}

/// Suggestions, and which part of the text they would take the place of (in characters).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestions {
    pub from: usize,
    pub to: usize,
    pub all: Vec<Suggestion>,
}

/// What the grammar allows at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expects {
    Name,
    Operator { name: String },
    Value { name: String },
    Join,
}

/// A piece of a filter: where it begins, its text, and whether it is quoted.
struct Piece {
    from: usize,
    text: String,
    ended: bool,
}

/// Cuts what is before the cursor into words, quoted texts, operators and parentheses. A quote inside a
/// name (`params.`a b``) belongs to it.
fn pieces(text: &[char]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let from = at;
        let c = text[at];
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        if "()=!<>,".contains(c) {
            at += 1;
            if "=!<>".contains(c) && text.get(at).is_some_and(|n| *n == '=') {
                at += 1;
            }
            out.push(Piece { from, text: text[from..at].iter().collect(), ended: true });
            continue;
        }
        let mut quote = None;
        while at < text.len() {
            let c = text[at];
            match quote {
                Some(q) if c == q => quote = None,
                Some(_) => {}
                None if "'\"`".contains(c) => quote = Some(c),
                None if c.is_whitespace() || "()=!<>,".contains(c) => break,
                None => {}
            }
            at += 1;
        }
        let closed = quote.is_none() && "'\"`".contains(text[at - 1]);
        out.push(Piece { from, text: text[from..at].iter().collect(), ended: quote.is_none() && (at < text.len() || closed) });
    }
    out
}

fn next(expects: Expects, piece: &str) -> Expects {
    let upper = piece.to_ascii_uppercase();
    match expects {
        Expects::Name if piece == "(" || upper == "NOT" => Expects::Name,
        Expects::Name => Expects::Operator { name: piece.to_owned() },
        Expects::Operator { name } if upper == "NOT" => Expects::Operator { name },
        Expects::Operator { name } => Expects::Value { name },
        Expects::Value { name } if piece == "(" || piece == "," || (upper == "NOT") => Expects::Value { name },
        Expects::Value { .. } => Expects::Join,
        Expects::Join if piece == ")" => Expects::Join,
        // In a list more values may follow.
        Expects::Join if piece == "," => Expects::Value { name: String::new() },
        Expects::Join => Expects::Name,
    }
}

/// The field before the first dot in MLflow's words, and the key behind it without its quotes.
fn split(name: &str) -> (&'static str, String) {
    let (field, key) = name.split_once('.').unwrap_or(("", name));
    let key = key.trim_matches(['`', '"', '\'']).to_owned();
    match field.to_ascii_lowercase().as_str() {
        "metrics" | "metric" | "min(metrics" | "max(metrics" => ("metric", key),
        "params" | "param" | "parameter" | "parameters" => ("param", key),
        "tags" | "tag" => ("tag", key),
        _ => ("", name.to_owned()),
    }
}

const ATTRIBUTES: [&str; 8] = ["run_name", "status", "start_time", "end_time", "duration", "experiment", "user_id", "run_id"];
const STATUSES: [&str; 5] = ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"];

fn written(field: &str, key: &str) -> String {
    let plain = key.chars().all(|c| c.is_alphanumeric() || "_.".contains(c));
    if plain { format!("{field}.{key}") } else { format!("{field}.`{key}`") }
}

/// A text as a value of a filter; one with both kinds of quotes cannot be written.
pub(crate) fn quoted(text: &str) -> Option<String> {
    match (text.contains('\''), text.contains('"')) {
        (false, _) => Some(format!("'{text}'")),
        (true, false) => Some(format!("\"{text}\"")),
        (true, true) => None,
    }
}

/// What may stand at a cursor, counted in characters.
pub fn suggest(workspace: &Workspace, text: &str, cursor: usize) -> Result<Suggestions, TrackingError> {
    let before: Vec<char> = text.chars().take(cursor).collect();
    let mut all = pieces(&before);
    let partial = all.pop_if(|p| !p.ended);
    let mut expects = Expects::Name;
    for piece in &all {
        expects = next(expects, &piece.text);
    }
    let (from, word) = partial.map_or((before.len(), String::new()), |p| (p.from, p.text));
    let mut out = Vec::new();
    let mut add = |text: String, about| {
        if out.len() < MOST {
            out.push(Suggestion { text, about });
        }
    };
    let fits = |candidate: &str| candidate.to_lowercase().starts_with(&word.to_lowercase());
    match expects {
        Expects::Name => workspace.read(|r| {
            let (field, key) = split(&word);
            if field.is_empty() {
                for attribute in ATTRIBUTES.into_iter().filter(|a| !word.is_empty() && fits(a)) {
                    add(attribute.to_owned(), "of the run");
                }
            }
            let wanted = if field.is_empty() { word.trim_matches(['`', '"']) } else { &key };
            let each = if word.is_empty() { MOST / 3 } else { MOST };
            if matches!(field, "" | "metric") {
                r.metric_names(wanted, each)?.iter().for_each(|n| add(written("metrics", n), "metric"));
            }
            if matches!(field, "" | "param") {
                r.text_names("param", wanted, each)?.iter().for_each(|n| add(written("params", n), "parameter"));
            }
            if matches!(field, "" | "tag") {
                // MLflow's own tags are many, and wanted by whoever names them.
                let own = |n: &&String| n.starts_with("mlflow.") && !wanted.starts_with("mlf");
                r.text_names("tag", wanted, each + MOST)?
                    .iter()
                    .filter(|n| !own(n))
                    .take(each)
                    .for_each(|n| add(written("tags", n), "tag"));
            }
            Ok::<_, TrackingError>(())
        })?,
        Expects::Operator { name } => {
            let (field, _) = split(&name);
            let number = field == "metric" || matches!(name.as_str(), "start_time" | "end_time" | "duration");
            let known: &[&str] =
                if number { &[">", ">=", "<", "<=", "=", "!="] } else { &["=", "!=", "LIKE", "ILIKE", "IN", "IS NULL", "IS NOT NULL"] };
            known.iter().filter(|o| fits(o)).for_each(|o| add((*o).to_owned(), "comparison"));
        }
        Expects::Value { name } => {
            let (field, key) = split(&name);
            let begin = word.trim_start_matches(['\'', '"']).to_owned();
            let values = match (field, name.as_str()) {
                ("param" | "tag", _) => workspace.read(|r| r.text_values(field, &key, &begin, MOST).map_err(TrackingError::from))?,
                ("", "status") => {
                    STATUSES.iter().filter(|s| s.to_lowercase().starts_with(&begin.to_lowercase())).map(|s| (*s).to_owned()).collect()
                }
                ("", "experiment") => {
                    let all = super::experiments::all(workspace)?;
                    all.into_iter().map(|e| e.name).filter(|n| n.to_lowercase().starts_with(&begin.to_lowercase())).collect()
                }
                _ => Vec::new(),
            };
            values.iter().filter_map(|v| quoted(v)).for_each(|v| add(v, "value"));
        }
        Expects::Join => ["AND", "OR"].iter().filter(|j| fits(j)).for_each(|j| add((*j).to_owned(), "more conditions")),
    }
    Ok(Suggestions { from, to: before.len(), all: out })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_the_end(text: &str) -> (Expects, String) {
        let chars: Vec<char> = text.chars().collect();
        let mut all = pieces(&chars);
        let partial = all.pop_if(|p| !p.ended).map(|p| p.text).unwrap_or_default();
        (all.iter().fold(Expects::Name, |e, p| next(e, &p.text)), partial)
    }

    #[test]
    fn what_may_stand_next_follows_the_grammar() {
        let operator = |name: &str| Expects::Operator { name: name.to_owned() };
        let value = |name: &str| Expects::Value { name: name.to_owned() };
        for (text, wanted, partial) in [
            ("", Expects::Name, ""),
            ("metr", Expects::Name, "metr"),
            ("metrics.`val loss", Expects::Name, "metrics.`val loss"),
            ("metrics.`val loss` ", operator("metrics.`val loss`"), ""),
            ("metrics.loss >", value("metrics.loss"), ""),
            ("metrics.loss > 0.5 ", Expects::Join, ""),
            ("metrics.loss>0.5 an", Expects::Join, "an"),
            ("(metrics.loss > 1 OR ", Expects::Name, ""),
            ("params.a = 'x y", value("params.a"), "'x y"),
            ("params.a = 'x y'", Expects::Join, ""),
            ("params.a NOT IN ('x', ", Expects::Value { name: String::new() }, ""),
            ("NOT tags.team L", operator("tags.team"), "L"),
        ] {
            assert_eq!(at_the_end(text), (wanted, partial.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_value_with_a_quote_is_written_with_the_other_kind() {
        assert_eq!(quoted("it's").as_deref(), Some("\"it's\""));
        assert_eq!(quoted("a").as_deref(), Some("'a'"));
        assert_eq!(quoted("'\""), None);
    }
}
