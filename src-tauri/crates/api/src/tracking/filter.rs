//! The filter and ordering grammar: MLflow's own, verdict for verdict (121 recorded ones of a real
//! server), and a wider one for the window and the command line.
//!
//! ```text
//! filter  := [AND] clause {AND clause} [AND]                 MLflow
//! filter  := and {OR and};  and := not {AND not};            wider
//! not     := NOT not | ( filter ) | clause
//! clause  := field op value | field [NOT] IN ( 'a', 'b' ) | field IS [NOT] NULL
//! field   := [type.]key | min(metrics.key) | max(metrics.key)
//! ```

use super::TrackingError;
pub use cairn_store::search::{Compare, Expr, Field, Of, Order, Test};
use std::cmp::Ordering;

/// What is filtered: each has its own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    Run,
    Experiment,
    RegisteredModel,
    ModelVersion,
    LoggedModel,
}

/// Which grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// What MLflow's endpoint takes, and nothing else.
    Mlflow,
    /// With `OR`, `NOT`, parentheses, `IN` on every text, `IS NULL` on everything, `min()` and `max()`
    /// of a metric, `duration` and `experiment`.
    Wide,
}

fn invalid<T>(message: impl Into<String>) -> Result<T, TrackingError> {
    Err(TrackingError::Invalid(message.into()))
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

/// The texts and numbers that an entity is filtered by, beside parameters, tags and metrics.
fn attribute(entity: Entity, dialect: Dialect, key: &str) -> Option<Field> {
    let text = |name| Some(Field::Text(name));
    let number = |name| Some(Field::Number(name));
    match (entity, key) {
        (Entity::Run, "run_id") => text("run_id"),
        (Entity::Run, "run_name" | "run name" | "Run name" | "Run Name") => text("run_name"),
        (Entity::Run, "status") => text("status"),
        (Entity::Run, "user_id") => text("user_id"),
        (Entity::Run, "artifact_uri") => text("artifact_uri"),
        (Entity::Run, "start_time" | "created" | "Created") => number("start_time"),
        (Entity::Run, "end_time") => number("end_time"),
        (Entity::Run, "duration") if dialect == Dialect::Wide => number("duration"),
        (Entity::Run, "experiment") if dialect == Dialect::Wide => text("experiment"),
        (Entity::Experiment | Entity::RegisteredModel | Entity::ModelVersion | Entity::LoggedModel, "name") => text("name"),
        (Entity::Experiment, "experiment_id") => text("experiment_id"),
        (Entity::Experiment, "creation_time") => number("creation_time"),
        (Entity::Experiment, "last_update_time") => number("last_update_time"),
        (Entity::RegisteredModel | Entity::ModelVersion, "timestamp" | "creation_timestamp") => number("creation_timestamp"),
        (Entity::RegisteredModel | Entity::ModelVersion | Entity::LoggedModel, "last_updated_timestamp") => {
            number("last_updated_timestamp")
        }
        (Entity::ModelVersion, "run_id") => text("run_id"),
        (Entity::ModelVersion, "source_path") => text("source_path"),
        (Entity::ModelVersion, "version_number") => number("version_number"),
        (Entity::LoggedModel, "model_id") => text("model_id"),
        (Entity::LoggedModel, "model_type") => text("model_type"),
        (Entity::LoggedModel, "status") => text("status"),
        (Entity::LoggedModel, "source_run_id") => text("source_run_id"),
        (Entity::LoggedModel, "experiment_id") => text("experiment_id"),
        (Entity::LoggedModel, "creation_timestamp" | "creation_time") => number("creation_timestamp"),
        (_, _) => None,
    }
}

/// The attributes of an entity, for messages and completion.
pub fn attributes(entity: Entity, dialect: Dialect) -> Vec<&'static str> {
    const ALL: [&str; 22] = [
        "artifact_uri",
        "created",
        "creation_time",
        "creation_timestamp",
        "duration",
        "end_time",
        "experiment",
        "experiment_id",
        "last_update_time",
        "last_updated_timestamp",
        "model_id",
        "model_type",
        "name",
        "run_id",
        "run_name",
        "source_path",
        "source_run_id",
        "start_time",
        "status",
        "timestamp",
        "user_id",
        "version_number",
    ];
    ALL.into_iter().filter(|key| attribute(entity, dialect, key).is_some()).collect()
}

fn field(entity: Entity, dialect: Dialect, parts: &[String], ordering: bool) -> Result<Field, TrackingError> {
    let (kind, key) = match parts {
        [] => return invalid("Invalid clause(s) in filter string"),
        [key] => ("attribute", key.clone()),
        [kind, rest @ ..] => (kind.as_str(), rest.join(".")),
    };
    let logs = matches!(entity, Entity::Run | Entity::LoggedModel);
    match kind {
        "metric" | "metrics" if logs => Ok(Field::Metric(key, Of::Last)),
        "param" | "params" | "parameter" | "parameters" if logs => Ok(Field::Param(key)),
        "tag" | "tags" if !ordering || logs => Ok(Field::Tag(key)),
        "attribute" | "attributes" | "attr" | "run" => attribute(entity, dialect, &key).ok_or_else(|| {
            let known: Vec<String> = attributes(entity, dialect).iter().map(|k| format!("'{k}'")).collect();
            TrackingError::Invalid(format!("Invalid attribute key '{key}' specified. Valid keys are '{{{}}}'", known.join(", ")))
        }),
        "dataset" | "datasets" if entity == Entity::Run => match key.as_str() {
            _ if ordering => invalid("Invalid identifier type 'dataset'"),
            "name" => Ok(Field::Dataset("name")),
            "digest" => Ok(Field::Dataset("digest")),
            "context" => Ok(Field::Dataset("context")),
            other => invalid(format!("Invalid dataset key '{other}' specified. Valid keys are '{{'context', 'digest', 'name'}}'")),
        },
        other => {
            let valid = match entity {
                Entity::Run => "['metric', 'parameter', 'tag', 'attribute', 'dataset']",
                Entity::LoggedModel => "['metric', 'parameter', 'tag', 'attribute']",
                Entity::Experiment | Entity::RegisteredModel | Entity::ModelVersion => "['tag', 'attribute']",
            };
            invalid(format!("Invalid entity type '{other}'. Valid values are {valid}"))
        }
    }
}

/// What a field is called in MLflow's messages.
fn described(field: &Field) -> String {
    match field {
        Field::Metric(..) => "metric".to_owned(),
        Field::Param(_) => "parameter".to_owned(),
        Field::Tag(_) => "tag".to_owned(),
        Field::Text(name) => format!("attribute: {name}"),
        Field::Number(name) => format!("numeric attribute: {name}"),
        Field::Dataset(name) => format!("dataset {name}"),
    }
}

fn word(token: Option<&(usize, Token)>) -> Option<&str> {
    match token {
        Some((_, Token::Ident(parts))) if parts.len() == 1 => Some(&parts[0]),
        _ => None,
    }
}

/// Parses a filter; an empty one matches everything.
pub fn parse(entity: Entity, dialect: Dialect, text: &str) -> Result<Expr, TrackingError> {
    if text.contains(';') && !text.contains(['\'', '"']) {
        return invalid(format!("Search filter contained multiple expression '{text}'. Provide AND-ed expression list."));
    }
    let parser = Parser { entity, dialect, text, all: tokens(text)?, at: 0, depth: 0 };
    match dialect {
        Dialect::Mlflow => parser.list(),
        Dialect::Wide => parser.whole(),
    }
}

/// How deep parentheses and `NOT` may stand in each other.
const DEPTH_MAX: u32 = 64;

struct Parser<'t> {
    entity: Entity,
    dialect: Dialect,
    text: &'t str,
    all: Vec<(usize, Token)>,
    at: usize,
    depth: u32,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&(usize, Token)> {
        self.all.get(self.at)
    }

    fn is_word(&self, ahead: usize, wanted: &str) -> bool {
        word(self.all.get(self.at + ahead)).is_some_and(|w| w.eq_ignore_ascii_case(wanted))
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = self.is_word(0, wanted);
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek().is_some_and(|(_, t)| t == wanted);
        self.at += usize::from(found);
        found
    }

    fn position(&self) -> usize {
        self.peek().map_or_else(|| self.text.chars().count() + 1, |(at, _)| *at)
    }

    fn bad<T>(&self, what: &str) -> Result<T, TrackingError> {
        invalid(format!("Invalid clause(s) in filter string: {what} at position {} in '{}'", self.position(), self.text))
    }

    /// MLflow's: clauses joined by AND, which may also lead and trail.
    fn list(mut self) -> Result<Expr, TrackingError> {
        let mut clauses = Vec::new();
        while self.peek().is_some() {
            if self.take_word("and") {
                continue;
            }
            for keyword in ["or", "not", "between"] {
                if self.is_word(0, keyword) {
                    return self.bad(&format!("'{}' is not part of this grammar,", keyword.to_uppercase()));
                }
            }
            if self.peek().is_some_and(|(_, t)| *t == Token::Open) {
                return self.bad("parentheses are not part of this grammar,");
            }
            clauses.push(self.clause()?);
            if self.peek().is_some() && !self.is_word(0, "and") {
                return self.bad("unexpected text");
            }
        }
        Ok(match clauses.len() {
            0 => Expr::All,
            1 => clauses.remove(0),
            _ => Expr::And(clauses),
        })
    }

    fn whole(mut self) -> Result<Expr, TrackingError> {
        while self.take_word("and") {}
        if self.peek().is_none() {
            return Ok(Expr::All);
        }
        let expr = self.any()?;
        if self.peek().is_some() { self.bad("unexpected text") } else { Ok(expr) }
    }

    fn any(&mut self) -> Result<Expr, TrackingError> {
        let mut all = vec![self.every()?];
        while self.take_word("or") {
            all.push(self.every()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::Or(all) })
    }

    fn every(&mut self) -> Result<Expr, TrackingError> {
        let mut all = vec![self.negation()?];
        while self.take_word("and") {
            // A trailing AND, as MLflow allows.
            if self.peek().is_none() {
                break;
            }
            all.push(self.negation()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::And(all) })
    }

    fn negation(&mut self) -> Result<Expr, TrackingError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.bad("too many parentheses");
        }
        let expr = if self.take_word("not") {
            Expr::Not(Box::new(self.negation()?))
        } else if self.take(&Token::Open) {
            let inner = self.any()?;
            if !self.take(&Token::Close) {
                return self.bad("a closing parenthesis is missing");
            }
            inner
        } else {
            self.clause()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn field(&mut self) -> Result<Field, TrackingError> {
        let here = self.position();
        let Some((_, Token::Ident(parts))) = self.peek() else {
            return invalid(format!("Invalid comparison clause. Expected 'Identifier' at position {here} in '{}'", self.text));
        };
        let parts = parts.clone();
        self.at += 1;
        let of = match parts.as_slice() {
            [name] if self.dialect == Dialect::Wide && self.take(&Token::Open) => match name.to_ascii_lowercase().as_str() {
                "min" => Of::Min,
                "max" => Of::Max,
                "last" => Of::Last,
                other => {
                    return invalid(format!(
                        "'{other}' at position {here} is no function; there are min, max and last, as in min(metrics.loss)"
                    ));
                }
            },
            parts => return field(self.entity, self.dialect, parts, false),
        };
        let inner = self.field()?;
        match inner {
            Field::Metric(key, Of::Last) if self.take(&Token::Close) => Ok(Field::Metric(key, of)),
            _ => self.bad("a metric in parentheses is expected, as in min(metrics.loss),"),
        }
    }

    fn clause(&mut self) -> Result<Expr, TrackingError> {
        let here = self.position();
        let field = self.field()?;
        let wide = self.dialect == Dialect::Wide;
        if self.take_word("is") {
            let not = self.take_word("not");
            if !self.take_word("null") {
                return self.bad("NULL or NOT NULL is expected");
            }
            if !wide && !matches!(field, Field::Param(_) | Field::Tag(_)) {
                return invalid(format!("IS NULL / IS NOT NULL is only supported for tags and params, not for '{}'", described(&field)));
            }
            return Ok(Expr::Is(field, if not { Test::NotNull } else { Test::Null }));
        }
        let not = self.is_word(0, "not") && self.is_word(1, "in");
        self.at += usize::from(not);
        if self.take_word("in") {
            let list = self.texts()?;
            self.may_be_in_list(&field, not)?;
            return Ok(Expr::Is(field, if not { Test::NotIn(list) } else { Test::In(list) }));
        }
        let operator = match self.peek() {
            Some((_, Token::Op(op))) => op.clone(),
            other => match word(other) {
                Some(word) => word.to_ascii_uppercase(),
                None => return self.bad("an operator such as = or > is expected"),
            },
        };
        self.at += 1;
        let value = self.peek().map(|(_, t)| t.clone());
        let test = self.test(here, &field, &operator, value.as_ref())?;
        self.at += 1;
        Ok(Expr::Is(field, test))
    }

    fn may_be_in_list(&self, field: &Field, not: bool) -> Result<(), TrackingError> {
        let text = !matches!(field, Field::Metric(..) | Field::Number(_));
        let good = match (self.dialect, self.entity, field) {
            (Dialect::Wide, _, _) => text,
            (_, Entity::Run, Field::Text("run_id") | Field::Dataset(_)) => true,
            (_, Entity::LoggedModel, Field::Text(_)) => true,
            (_, Entity::RegisteredModel | Entity::ModelVersion, Field::Text("name" | "run_id")) => !not,
            (_, _, _) => false,
        };
        match self.entity {
            _ if good => Ok(()),
            Entity::Run if !text || self.dialect == Dialect::Wide => {
                invalid("Only texts can be compared with a list; use >= and <= for numbers.")
            }
            Entity::Run | Entity::Experiment | Entity::RegisteredModel | Entity::ModelVersion | Entity::LoggedModel => {
                invalid("Only ['run_id'] attributes support comparison with a list of quoted string values.")
            }
        }
    }

    fn test(&self, here: usize, field: &Field, operator: &str, value: Option<&Token>) -> Result<Test, TrackingError> {
        let text = self.text;
        let numeric = matches!(field, Field::Metric(..) | Field::Number(_));
        let Some(value) = value else { return self.bad("a value is missing") };
        let compare = match operator {
            "<" => Some(Compare::Less),
            "<=" => Some(Compare::AtMost),
            "=" => Some(Compare::Equal),
            "!=" => Some(Compare::NotEqual),
            ">=" => Some(Compare::AtLeast),
            ">" => Some(Compare::More),
            _ => None,
        };
        match (numeric, value) {
            (true, Token::Number(number)) => match compare {
                Some(compare) => Ok(Test::Number(compare, *number)),
                None => invalid(format!("Invalid comparator '{operator}' not one of '{{'=', '!=', '<', '<=', '>', '>='}}'")),
            },
            (true, _) => invalid(format!("Expected numeric value type for {}, at position {here} in '{text}'", described(field))),
            (false, Token::Text(wanted)) => match (operator, compare) {
                (_, Some(compare @ (Compare::Equal | Compare::NotEqual))) => Ok(Test::Text(compare, wanted.clone())),
                ("LIKE", _) => Ok(Test::Like(wanted.clone())),
                ("ILIKE", _) => Ok(Test::Ilike(wanted.clone())),
                (_, _) => invalid(format!("Invalid comparator '{operator}' not one of '{{'=', '!=', 'LIKE', 'ILIKE'}}'")),
            },
            (false, _) => {
                invalid(format!("Expected a quoted string value for {} (e.g. 'my-value') at position {here} in '{text}'", described(field)))
            }
        }
    }

    fn texts(&mut self) -> Result<Vec<String>, TrackingError> {
        let mut out = Vec::new();
        if !self.take(&Token::Open) {
            return self.bad("a list such as ('a', 'b') is expected");
        }
        loop {
            let Some((_, Token::Text(text))) = self.peek() else { return self.bad("a quoted text is expected") };
            out.push(text.clone());
            self.at += 1;
            if self.take(&Token::Close) {
                return Ok(out);
            }
            if !self.take(&Token::Comma) {
                return self.bad("a comma or a closing parenthesis is expected");
            }
        }
    }
}

/// Parses one `order_by` entry.
pub fn parse_order(entity: Entity, dialect: Dialect, text: &str) -> Result<Order, TrackingError> {
    let bad = || TrackingError::Invalid(format!("Invalid order_by clause '{text}'. Could not be parsed."));
    let all = tokens(text).map_err(|_| bad())?;
    let mut parser = Parser { entity, dialect, text, all, at: 0, depth: 0 };
    let Some((_, Token::Ident(parts))) = parser.peek() else { return Err(bad()) };
    let (parts, rest) = (parts.clone(), parser.all.get(1).map(|(_, t)| t.clone()));
    let field = match rest {
        Some(Token::Open) if dialect == Dialect::Wide => parser.field()?,
        _ => {
            parser.at = 1;
            let direction = word(parser.peek()).map(str::to_ascii_lowercase);
            match (parser.all.len(), direction.as_deref()) {
                (1, _) | (2, Some("asc" | "desc")) => {}
                (2, Some(_)) => return invalid(format!("Invalid ordering key in order_by clause '{text}'.")),
                _ => return Err(bad()),
            }
            field(entity, dialect, &parts, true)?
        }
    };
    let descending = parser.take_word("desc");
    if !descending {
        parser.take_word("asc");
    }
    if parser.peek().is_some() { Err(bad()) } else { Ok(Order { field, descending }) }
}

/// A record that is filtered and ordered in memory, because there are few of its kind.
pub trait Fields {
    fn text(&self, field: &Field) -> Option<String>;
    fn number(&self, field: &Field) -> Option<f64>;
}

/// Does a condition hold of a record?
pub fn holds(expr: &Expr, item: &impl Fields) -> bool {
    match expr {
        Expr::All => true,
        Expr::And(all) => all.iter().all(|e| holds(e, item)),
        Expr::Or(any) => any.iter().any(|e| holds(e, item)),
        Expr::Not(inner) => !holds(inner, item),
        Expr::Is(field @ (Field::Metric(..) | Field::Number(_)), test) => match item.number(field) {
            Some(number) => test.of_number(number),
            None => *test == Test::Null,
        },
        Expr::Is(field, test) => match item.text(field) {
            Some(text) => test.of_text(&text),
            None => *test == Test::Null || is_hidden_prompt_clause(field, test),
        },
    }
}

/// The client adds ``tag.`mlflow.prompt.is_prompt` != 'true'`` to every search of models; for this one tag
/// `!=` also means "not there".
fn is_hidden_prompt_clause(field: &Field, test: &Test) -> bool {
    matches!(field, Field::Tag(key) if key == "mlflow.prompt.is_prompt") && matches!(test, Test::Text(Compare::NotEqual, _))
}

/// Orders records: missing values last, NaN just before them, in both directions.
pub fn compare(a: &impl Fields, b: &impl Fields, orders: &[Order]) -> Ordering {
    for order in orders {
        let by = match &order.field {
            field @ (Field::Metric(..) | Field::Number(_)) => numbers(a.number(field), b.number(field), order.descending),
            field => match (a.text(field), b.text(field)) {
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
    Ordering::Equal
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

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Result<Expr, TrackingError> {
        parse(Entity::Run, Dialect::Mlflow, text)
    }
    fn wide(text: &str) -> Result<Expr, TrackingError> {
        parse(Entity::Run, Dialect::Wide, text)
    }

    #[test]
    fn what_mlflow_takes_both_grammars_take() {
        for text in
            ["", "metrics.acc > .5", "AND metrics.a < 1 and params.`my param` = 'x' AND", "dataset.name IN ('a','b')", "`Run Name` = 'a'"]
        {
            assert_eq!(run(text).unwrap(), wide(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn the_wider_grammar_has_or_not_and_parentheses() {
        let text =
            "NOT (min(metrics.loss) < 0.1 OR params.lr IN ('1','2')) AND status IN ('FAILED') AND metrics.a IS NULL AND duration > 5";
        assert!(run(text).is_err());
        let Expr::And(all) = wide(text).unwrap() else { panic!() };
        assert_eq!(all.len(), 4);
        assert!(matches!(&all[0], Expr::Not(inner) if matches!(**inner, Expr::Or(_))));
        assert_eq!(all[2], Expr::Is(Field::Metric("a".into(), Of::Last), Test::Null));
        let a_or_b_and_c = wide("status = 'a' OR status = 'b' AND status = 'c'").unwrap();
        assert!(matches!(a_or_b_and_c, Expr::Or(any) if any.len() == 2), "AND binds more tightly than OR");
    }

    #[test]
    fn an_error_says_where() {
        for (text, place) in [
            ("metrics.acc > 0.5 OR params.a = 'b'", "position 19"),
            ("metrics.acc >", "position 14"),
            ("(metrics.acc > 1", "position 1"),
            ("params.x = 5", "position 1"),
            ("params.x = 'a", "position 12"),
        ] {
            let TrackingError::Invalid(message) = run(text).unwrap_err() else { panic!() };
            assert!(message.contains(place), "{text}: {message}");
        }
        let TrackingError::Invalid(message) = wide("(metrics.acc > 1").unwrap_err() else { panic!() };
        assert!(message.contains("position 17"), "{message}");
    }

    #[test]
    fn a_filter_of_a_thousand_parentheses_is_an_error_and_no_crash() {
        assert!(wide(&"(".repeat(100_000)).is_err());
        assert!(wide(&"NOT ".repeat(100_000)).is_err());
    }

    #[test]
    fn each_entity_has_its_own_fields() {
        assert!(parse(Entity::Experiment, Dialect::Mlflow, "name ILIKE 'a%' AND creation_time > 5 AND tags.x IS NULL").is_ok());
        assert!(parse(Entity::Experiment, Dialect::Mlflow, "metrics.a > 5").is_err());
        assert!(parse(Entity::RegisteredModel, Dialect::Mlflow, "name IN ('a')").is_ok());
        assert!(parse(Entity::ModelVersion, Dialect::Mlflow, "run_id = 'a' AND version_number > 1").is_ok());
        assert!(parse(Entity::LoggedModel, Dialect::Mlflow, "name = 'm' AND metrics.a > 1 AND source_run_id IN ('r')").is_ok());
        assert!(parse_order(Entity::RegisteredModel, Dialect::Mlflow, "timestamp DESC").is_ok());
        assert!(parse_order(Entity::Run, Dialect::Wide, "min(metrics.loss) DESC").unwrap().descending);
        assert!(parse_order(Entity::Run, Dialect::Mlflow, "metrics.a, params.b").is_err());
    }
}
