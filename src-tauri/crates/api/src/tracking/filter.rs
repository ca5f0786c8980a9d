//! MLflow's filter and ordering grammar for runs (reference: 121 recorded verdicts of a real server).

use super::TrackingError;
use super::runs::Run;
use std::cmp::Ordering;

/// A parsed filter: all clauses must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    clauses: Vec<Clause>,
}

/// One key to order by.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    field: Field,
    descending: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Metric(String),
    Param(String),
    Tag(String),
    Text(&'static str),
    Number(&'static str),
    Dataset(&'static str),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Number(Compare, f64),
    Text(Compare, String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Null,
    NotNull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    More,
    Like,
    Ilike,
}

#[derive(Debug, Clone, PartialEq)]
struct Clause {
    field: Field,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A bare word, with quoted parts already taken apart: `metrics`, `.`, `acc`.
    Ident(Vec<String>),
    Text(String),
    Number(f64),
    Op(String),
    Open,
    Close,
    Comma,
}

fn invalid<T>(message: impl Into<String>) -> Result<T, TrackingError> {
    Err(TrackingError::Invalid(message.into()))
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, TrackingError> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(&c) = chars.get(i) {
        let start = i;
        let token = match c {
            c if c.is_whitespace() => {
                i += 1;
                continue;
            }
            '(' | ')' | ',' => {
                i += 1;
                match c {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Comma,
                }
            }
            '<' | '>' | '=' | '!' => {
                while chars.get(i).is_some_and(|c| "<>=!".contains(*c)) {
                    i += 1;
                }
                Token::Op(chars[start..i].iter().collect())
            }
            '\'' | '"' => Token::Text(quoted(&chars, &mut i, text)?),
            c if c.is_ascii_digit()
                || ((c == '.' || c == '-' || c == '+') && chars.get(i + 1).is_some_and(|d| d.is_ascii_digit() || *d == '.')) =>
            {
                i += 1;
                while chars
                    .get(i)
                    .is_some_and(|d| d.is_ascii_alphanumeric() || *d == '.' || ("+-".contains(*d) && matches!(chars[i - 1], 'e' | 'E')))
                {
                    i += 1;
                }
                let word: String = chars[start..i].iter().collect();
                match word.parse() {
                    Ok(number) => Token::Number(number),
                    Err(_) => return invalid(format!("Invalid clause(s) in filter string: '{word}' at position {}", start + 1)),
                }
            }
            c if c.is_alphanumeric() || c == '_' || c == '`' => Token::Ident(ident(&chars, &mut i, text)?),
            other => return invalid(format!("Invalid clause(s) in filter string: '{other}' at position {} in '{text}'", start + 1)),
        };
        out.push((start + 1, token));
    }
    Ok(out)
}

fn quoted(chars: &[char], i: &mut usize, text: &str) -> Result<String, TrackingError> {
    let quote = chars[*i];
    let start = *i;
    *i += 1;
    let mut out = String::new();
    loop {
        match chars.get(*i) {
            // MLflow keeps doubled and escaped quotes as they stand, so they match nothing sensible;
            // what matters is that they do not end the text.
            Some(&c) if c == quote && chars.get(*i + 1) == Some(&quote) => {
                out.extend([quote, quote]);
                *i += 2;
            }
            Some('\\') if chars.get(*i + 1) == Some(&quote) => {
                out.extend(['\\', quote]);
                *i += 2;
            }
            Some(&c) if c == quote => {
                *i += 1;
                return Ok(out);
            }
            Some(&c) => {
                out.push(c);
                *i += 1;
            }
            None => {
                return invalid(format!(
                    "Invalid clause(s) in filter string: the quote at position {} is not closed in '{text}'",
                    start + 1
                ));
            }
        }
    }
}

/// A dotted name; only what follows the first dot may be quoted by `'` or `"`.
fn ident(chars: &[char], i: &mut usize, text: &str) -> Result<Vec<String>, TrackingError> {
    let mut parts = Vec::new();
    loop {
        match chars.get(*i) {
            Some('`') => parts.push(quoted(chars, i, text)?),
            Some('\'' | '"') if !parts.is_empty() => parts.push(quoted(chars, i, text)?),
            _ => {
                let start = *i;
                while chars.get(*i).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    *i += 1;
                }
                parts.push(chars[start..*i].iter().collect());
            }
        }
        if chars.get(*i) == Some(&'.') {
            *i += 1;
        } else {
            return Ok(parts);
        }
    }
}

fn field(parts: &[String], ordering: bool) -> Result<Field, TrackingError> {
    let (kind, key) = match parts {
        [] => return invalid("Invalid clause(s) in filter string"),
        [key] => ("attribute", key.clone()),
        [kind, rest @ ..] => (kind.as_str(), rest.join(".")),
    };
    match kind {
        "metric" | "metrics" => Ok(Field::Metric(key)),
        "param" | "params" | "parameter" | "parameters" => Ok(Field::Param(key)),
        "tag" | "tags" => Ok(Field::Tag(key)),
        "attribute" | "attributes" | "attr" | "run" => match key.as_str() {
            "run_id" => Ok(Field::Text("run_id")),
            "run_name" | "run name" | "Run name" | "Run Name" => Ok(Field::Text("run_name")),
            "status" => Ok(Field::Text("status")),
            "user_id" => Ok(Field::Text("user_id")),
            "artifact_uri" => Ok(Field::Text("artifact_uri")),
            "start_time" | "created" | "Created" => Ok(Field::Number("start_time")),
            "end_time" => Ok(Field::Number("end_time")),
            other => invalid(format!(
                "Invalid attribute key '{other}' specified. Valid keys are '{{'artifact_uri', 'created', 'end_time', 'run_id', 'run_name', 'start_time', 'status', 'user_id'}}'"
            )),
        },
        "dataset" | "datasets" if ordering => invalid("Invalid identifier type 'dataset'"),
        "dataset" | "datasets" => match key.as_str() {
            "name" => Ok(Field::Dataset("name")),
            "digest" => Ok(Field::Dataset("digest")),
            "context" => Ok(Field::Dataset("context")),
            other => invalid(format!("Invalid dataset key '{other}' specified. Valid keys are '{{'context', 'digest', 'name'}}'")),
        },
        other => invalid(format!("Invalid entity type '{other}'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']")),
    }
}

fn word(token: Option<&(usize, Token)>) -> Option<&str> {
    match token {
        Some((_, Token::Ident(parts))) if parts.len() == 1 => Some(&parts[0]),
        _ => None,
    }
}

fn is_word(token: Option<&(usize, Token)>, wanted: &str) -> bool {
    word(token).is_some_and(|w| w.eq_ignore_ascii_case(wanted))
}

/// Parses a filter; an empty one matches everything.
pub fn parse(text: &str) -> Result<Filter, TrackingError> {
    if text.contains(';') && !text.contains(['\'', '"']) {
        return invalid(format!("Search filter contained multiple expression '{text}'. Provide AND-ed expression list."));
    }
    let all = tokens(text)?;
    let mut clauses = Vec::new();
    let mut i = 0;
    while i < all.len() {
        if is_word(all.get(i), "and") {
            i += 1;
            continue;
        }
        let (clause, next) = clause(&all, i, text)?;
        clauses.push(clause);
        i = next;
        // Two clauses need an AND between them.
        if i < all.len() && !is_word(all.get(i), "and") {
            return invalid(format!("Invalid clause(s) in filter string: unexpected text at position {} in '{text}'", all[i].0));
        }
    }
    Ok(Filter { clauses })
}

fn clause(all: &[(usize, Token)], at: usize, text: &str) -> Result<(Clause, usize), TrackingError> {
    let here = all[at].0;
    let bad = || TrackingError::Invalid(format!("Invalid clause(s) in filter string: near position {here} in '{text}'"));
    let Token::Ident(parts) = &all[at].1 else {
        return invalid(format!("Invalid comparison clause. Expected 'Identifier' at position {here} in '{text}'"));
    };
    let mut i = at + 1;
    // Keywords cannot stand where a name must.
    if parts.len() == 1 && ["or", "not", "between"].iter().any(|k| parts[0].eq_ignore_ascii_case(k)) {
        return invalid(format!("Invalid clause(s) in filter string: '{}'", parts[0]));
    }
    let field = field(parts, false)?;
    if is_word(all.get(i), "is") {
        let not = is_word(all.get(i + 1), "not");
        i += if not { 2 } else { 1 };
        if !is_word(all.get(i), "null") {
            return Err(bad());
        }
        if !matches!(field, Field::Param(_) | Field::Tag(_)) {
            return invalid("IS NULL / IS NOT NULL is only supported for tags and params");
        }
        return Ok((Clause { field, test: if not { Test::NotNull } else { Test::Null } }, i + 1));
    }
    let not = is_word(all.get(i), "not");
    if is_word(all.get(i + usize::from(not)), "in") {
        i += 1 + usize::from(not);
        let (list, next) = list(all, i).ok_or_else(bad)?;
        if !matches!(field, Field::Text("run_id") | Field::Dataset(_)) {
            return invalid("Only ['run_id'] attributes support comparison with a list of quoted string values.");
        }
        return Ok((Clause { field, test: if not { Test::NotIn(list) } else { Test::In(list) } }, next));
    }
    let operator = match all.get(i) {
        Some((_, Token::Op(op))) => op.clone(),
        other => word(other).map(str::to_ascii_uppercase).ok_or_else(bad)?,
    };
    let compare = match operator.as_str() {
        "<" => Compare::Less,
        "<=" => Compare::AtMost,
        "=" => Compare::Equal,
        "!=" => Compare::NotEqual,
        ">=" => Compare::AtLeast,
        ">" => Compare::More,
        "LIKE" => Compare::Like,
        "ILIKE" => Compare::Ilike,
        other => return invalid(format!("Invalid comparator '{other}' not one of '=', '!=', '<', '<=', '>', '>=', 'LIKE', 'ILIKE'")),
    };
    let numeric = matches!(field, Field::Metric(_) | Field::Number(_));
    let test = match (all.get(i + 1), numeric) {
        (Some((_, Token::Number(value))), true) if !matches!(compare, Compare::Like | Compare::Ilike) => Test::Number(compare, *value),
        (Some((_, Token::Text(value))), false)
            if matches!(compare, Compare::Equal | Compare::NotEqual | Compare::Like | Compare::Ilike) =>
        {
            Test::Text(compare, value.clone())
        }
        (Some((_, Token::Text(_))), false) => {
            return invalid(format!("Invalid comparator '{operator}' not one of '=', '!=', 'LIKE', 'ILIKE'"));
        }
        (Some(_), true) => return invalid(format!("Expected numeric value type at position {here} in '{text}'")),
        (Some(_), false) => return invalid(format!("Expected a quoted string value (e.g. 'my-value') at position {here} in '{text}'")),
        (None, _) => return Err(bad()),
    };
    Ok((Clause { field, test }, i + 2))
}

fn list(all: &[(usize, Token)], mut i: usize) -> Option<(Vec<String>, usize)> {
    let mut out = Vec::new();
    if all.get(i)?.1 != Token::Open {
        return None;
    }
    loop {
        let Token::Text(text) = &all.get(i + 1)?.1 else { return None };
        out.push(text.clone());
        i += 2;
        match all.get(i)?.1 {
            Token::Comma => {}
            Token::Close => return Some((out, i + 1)),
            _ => return None,
        }
    }
}

/// Parses one `order_by` entry.
pub fn parse_order(text: &str) -> Result<Order, TrackingError> {
    let bad = || TrackingError::Invalid(format!("Invalid order_by clause '{text}'. Could not be parsed."));
    let all = tokens(text).map_err(|_| bad())?;
    let Some((_, Token::Ident(parts))) = all.first() else { return Err(bad()) };
    let descending = match (all.len(), word(all.get(1)).map(str::to_ascii_lowercase).as_deref()) {
        (1, _) | (2, Some("asc")) => false,
        (2, Some("desc")) => true,
        (2, Some(_)) => return invalid(format!("Invalid ordering key in order_by clause '{text}'.")),
        _ => return Err(bad()),
    };
    Ok(Order { field: field(parts, true)?, descending })
}

fn like(text: &str, pattern: &str) -> bool {
    // The classic two-pointer match: '%' any stretch, '_' any one character.
    let (t, p): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut i, mut j, mut star) = (0, 0, None);
    while i < t.len() {
        if j < p.len() && p[j] == '%' {
            star = Some((j, i));
            j += 1;
        } else if j < p.len() && (p[j] == '_' || p[j] == t[i]) {
            i += 1;
            j += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            i = from + 1;
            j = at + 1;
        } else {
            return false;
        }
    }
    p[j..].iter().all(|c| *c == '%')
}

impl Field {
    fn text(&self, run: &Run) -> Option<String> {
        match self {
            Self::Param(key) => run.params.get(key).cloned(),
            Self::Tag(key) => run.tags.get(key).cloned(),
            Self::Text(name) => Some(match *name {
                "run_id" => run.id.clone(),
                "run_name" => run.name().to_owned(),
                "status" => run.status.clone(),
                "user_id" => run.user.clone(),
                _ => format!("mlflow-artifacts:/{}/{}/artifacts", run.experiment, run.id),
            }),
            Self::Metric(_) | Self::Number(_) | Self::Dataset(_) => None,
        }
    }

    fn number(&self, run: &Run) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // times stay below 2^53
        match self {
            Self::Metric(key) => run.metrics.iter().find(|m| &m.key == key).map(|m| m.last.value),
            Self::Number("start_time") => Some(run.start_ms as f64),
            Self::Number(_) => run.end_ms.map(|ms| ms as f64),
            Self::Param(_) | Self::Tag(_) | Self::Text(_) | Self::Dataset(_) => None,
        }
    }

    /// Dataset fields may have several values; one that matches is enough.
    fn dataset(&self, run: &Run) -> Vec<String> {
        let Self::Dataset(name) = self else { return Vec::new() };
        let text = |v: &serde_json::Value| v.as_str().map(str::to_owned);
        run.inputs
            .iter()
            .filter_map(|input| match *name {
                "context" => input["tags"].as_array()?.iter().find(|t| t["key"] == "mlflow.data.context").and_then(|t| text(&t["value"])),
                field => text(&input["dataset"][field]),
            })
            .collect()
    }
}

impl Filter {
    pub fn matches(&self, run: &Run) -> bool {
        self.clauses.iter().all(|c| c.matches(run))
    }
}

impl Clause {
    fn matches(&self, run: &Run) -> bool {
        let values =
            if matches!(self.field, Field::Dataset(_)) { self.field.dataset(run) } else { self.field.text(run).into_iter().collect() };
        match &self.test {
            Test::Number(compare, wanted) => self.field.number(run).is_some_and(|v| match compare {
                Compare::Less => v < *wanted,
                Compare::AtMost => v <= *wanted,
                Compare::Equal => v == *wanted,
                Compare::NotEqual => v != *wanted,
                Compare::AtLeast => v >= *wanted,
                Compare::More => v > *wanted,
                Compare::Like | Compare::Ilike => false,
            }),
            Test::Text(compare, wanted) => values.iter().any(|v| match compare {
                Compare::Equal => v == wanted,
                Compare::NotEqual => v != wanted,
                Compare::Like => like(v, wanted),
                Compare::Ilike => like(&v.to_lowercase(), &wanted.to_lowercase()),
                Compare::Less | Compare::AtMost | Compare::AtLeast | Compare::More => false,
            }),
            Test::In(list) => values.iter().any(|v| list.contains(v)),
            Test::NotIn(list) => !values.is_empty() && values.iter().all(|v| !list.contains(v)),
            Test::Null => values.is_empty(),
            Test::NotNull => !values.is_empty(),
        }
    }
}

/// Orders runs: missing values last, NaN just before them, in both directions; ties by start, newest
/// first, then by id.
pub fn sort(runs: &mut [Run], orders: &[Order]) {
    runs.sort_by(|a, b| {
        for order in orders {
            let by = match &order.field {
                Field::Metric(_) | Field::Number(_) => numbers(order.field.number(a), order.field.number(b), order.descending),
                Field::Param(_) | Field::Tag(_) | Field::Text(_) | Field::Dataset(_) => match (order.field.text(a), order.field.text(b)) {
                    (Some(x), Some(y)) if order.descending => y.cmp(&x),
                    (Some(x), Some(y)) => x.cmp(&y),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (None, None) => Ordering::Equal,
                },
            };
            if by != Ordering::Equal {
                return by;
            }
        }
        b.start_ms.cmp(&a.start_ms).then_with(|| a.id.cmp(&b.id))
    });
}

fn numbers(a: Option<f64>, b: Option<f64>, descending: bool) -> Ordering {
    let rank = |v: Option<f64>| match v {
        None => 2,
        Some(v) if v.is_nan() => 1,
        Some(_) => 0,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Some(x), Some(y)) if !x.is_nan() && !y.is_nan() => {
            if descending {
                y.total_cmp(&x)
            } else {
                x.total_cmp(&y)
            }
        }
        _ => Ordering::Equal,
    })
}
