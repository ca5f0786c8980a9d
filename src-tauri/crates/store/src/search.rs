//! Finding runs: a filter as a set of whole numbers, an order as a walk along an index.
//!
//! Each clause is answered by one index as a bitmap of runs; `AND`, `OR` and `NOT` are set operations.
//! The cost follows what the clauses find, never the number of runs times the number of clauses.

use crate::StoreError;
use crate::metrics::{Point, Summary};
use crate::records::{HEAD, head, text_of};
use crate::store::Reader;
use cairn_core::op::Kind;
use roaring::RoaringBitmap;
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, params, params_from_iter};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

/// A condition over records.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Expr {
    #[default]
    All,
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Is(Field, Test),
}

/// What a condition or an order is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    Metric(String, Of),
    Param(String),
    Tag(String),
    /// Of runs: `run_id`, `run_name`, `status`, `user_id`, `artifact_uri`, `experiment`.
    Text(&'static str),
    /// Of runs: `start_time`, `end_time`, `duration`.
    Number(&'static str),
    /// `name`, `digest` or `context` of an input; one input that fits is enough.
    Dataset(&'static str),
}

/// Which value of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    Last,
    Min,
    Max,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    More,
}

impl Compare {
    fn sql(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }

    pub fn holds<T: PartialOrd>(self, a: &T, b: &T) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::AtLeast => a >= b,
            Self::More => a > b,
        }
    }
}

/// What must hold of a field. None but [`Test::Null`] holds where the field is missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Number(Compare, f64),
    Text(Compare, String),
    /// `%` any stretch, `_` any one character; case counts.
    Like(String),
    Ilike(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Null,
    NotNull,
}

impl Test {
    /// Does it hold of a text that is there?
    pub fn of_text(&self, text: &str) -> bool {
        match self {
            Self::Text(compare, wanted) => compare.holds(&text, &wanted.as_str()),
            Self::Like(pattern) => like(text, pattern),
            Self::Ilike(pattern) => like(&text.to_lowercase(), &pattern.to_lowercase()),
            Self::In(list) => list.iter().any(|x| x == text),
            Self::NotIn(list) => list.iter().all(|x| x != text),
            Self::NotNull => true,
            Self::Null => false,
            Self::Number(compare, wanted) => text.parse::<f64>().is_ok_and(|v| compare.holds(&v, wanted)),
        }
    }

    /// Does it hold of a number that is there? A NaN is unequal to everything and nothing else.
    pub fn of_number(&self, number: f64) -> bool {
        match self {
            Self::Number(compare, wanted) => compare.holds(&number, wanted),
            Self::NotNull => true,
            Self::Null | Self::Text(..) | Self::Like(_) | Self::Ilike(_) | Self::In(_) | Self::NotIn(_) => false,
        }
    }
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

/// One key to order by. What has no value comes last, what is no number just before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub field: Field,
    pub descending: bool,
}

/// Which runs by their life cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    #[default]
    Active,
    Deleted,
    All,
}

/// What to look for. Ties are broken by start (newest first), then by id.
#[derive(Debug, Clone, Default)]
pub struct RunSearch {
    /// Only of these experiments; none: of all.
    pub experiments: Option<Vec<String>>,
    pub view: View,
    pub filter: Expr,
    pub order: Vec<Order>,
    pub offset: usize,
    pub limit: usize,
}

/// A page of runs, by this file's numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunPage {
    pub runs: Vec<i64>,
    /// Whether more follow.
    pub more: bool,
}

/// A run as searches show it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    pub id: String,
    pub experiment: String,
    pub status: String,
    pub start_ms: i64,
    pub end_ms: Option<i64>,
    pub user: String,
    pub deleted: bool,
    pub device: String,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// The inputs as they were logged, by key.
    pub inputs: BTreeMap<String, String>,
    pub outputs: Vec<(String, String)>,
    pub metrics: Vec<Summary>,
}

/// Up to this many candidates each is asked; beyond it an index is read.
const FEW: u64 = 3_000;
/// How many runs may be looked at in vain before the runs of the experiments are gathered first.
const PATIENCE: usize = 4_000;

/// Whether the index holds only the beginning of a text.
fn is_cut(start: &str) -> bool {
    start.len() >= HEAD && start.chars().count() >= HEAD
}

fn small(run: i64) -> u32 {
    // A workspace has far fewer than four thousand million records.
    u32::try_from(run).unwrap_or(u32::MAX)
}

impl Reader<'_> {
    /// Whether searches would see old values of metrics; then call `Writer::freshen` first.
    pub fn is_stale(&self) -> Result<bool, StoreError> {
        Ok(self.prepare_cached("SELECT 1 FROM metric_stale LIMIT 1")?.exists([])?)
    }

    /// The runs that a search finds, in its order.
    pub fn search_runs(&self, search: &RunSearch) -> Result<RunPage, StoreError> {
        let scope = Scope { reader: self, search };
        // What mostly finds much is asked of each run on the way, while that leads to a page soon.
        if let ([Order { field, descending }], Expr::And(all)) = (search.order.as_slice(), &search.filter)
            && let Some(index) = scope.index(field)?
        {
            let (narrow, wide): (Vec<&Expr>, Vec<&Expr>) = all.iter().partition(|e| breadth(e) <= NARROW);
            if !narrow.is_empty() && !wide.is_empty() {
                let narrow = Expr::And(narrow.into_iter().cloned().collect());
                let set = self.find(&narrow, None)?;
                if let Some(found) = scope.walk(Some(&set), &index, *descending, &wide)? {
                    return Ok(scope.page(found));
                }
            }
        }
        let set = match &search.filter {
            Expr::All => None,
            filter => Some(self.find(filter, None)?),
        };
        let found = match search.order.as_slice() {
            [] | [Order { field: Field::Number("start_time"), descending: true }] => scope.walk_start(set)?,
            [Order { field, descending }] => {
                let walked = match scope.index(field)? {
                    Some(index) => scope.walk(set.as_ref(), &index, *descending, &[])?,
                    None => None,
                };
                match walked {
                    Some(found) => found,
                    None => scope.sorted(set)?,
                }
            }
            _ => scope.sorted(set)?,
        };
        Ok(scope.page(found))
    }

    /// Whether a condition holds of one run.
    fn holds_all(&self, run: i64, conditions: &[&Expr]) -> Result<bool, StoreError> {
        let one: RoaringBitmap = [small(run)].into_iter().collect();
        for condition in conditions {
            if !self.find(condition, Some(&one))?.contains(small(run)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many runs of an experiment there are that nobody deleted, and how many of them are running.
    pub fn runs_of(&self, experiment: &str) -> Result<(u32, u32), StoreError> {
        let of = |sql: &str| self.prepare_cached(sql)?.query_row([experiment], |row| row.get(0)).map_err(StoreError::from);
        Ok((
            of("SELECT count(*) FROM run WHERE experiment = ?1 AND deleted = 0")?,
            of("SELECT count(*) FROM run WHERE status = 'RUNNING' AND experiment = ?1 AND deleted = 0")?,
        ))
    }

    /// How many runs of an experiment finished and were not deleted.
    pub fn finished_runs_of(&self, experiment: &str) -> Result<u32, StoreError> {
        Ok(self
            .prepare_cached("SELECT count(*) FROM run WHERE status = 'FINISHED' AND experiment = ?1 AND deleted = 0")?
            .query_row([experiment], |row| row.get(0))?)
    }

    /// Whether a run is deleted, by itself or with its experiment.
    pub fn run_is_deleted(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self
            .prepare_cached("SELECT deleted FROM run WHERE num = (SELECT num FROM record WHERE kind = 'run' AND id = ?1)")?
            .query_row([id], |row| row.get(0))
            .optional()?
            .unwrap_or(false))
    }

    /// The runs of an experiment that somebody deleted by themselves.
    pub fn deleted_runs_of(&self, experiment: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self.prepare_cached("SELECT id FROM run WHERE experiment = ?1 AND own_deleted = 1")?;
        let found = statement.query_map([experiment], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// Name, digest and context of the datasets that an experiment's runs took in.
    pub fn datasets_of(&self, experiment: &str) -> Result<Vec<(String, String, String)>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT DISTINCT d.name, d.digest, d.context FROM run u JOIN run_dataset d ON d.run = u.num
             WHERE u.experiment = ?1 AND u.deleted = 0 ORDER BY 1, 2, 3 LIMIT 1000",
        )?;
        let found = statement.query_map([experiment], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// How many runs a search finds.
    pub fn count_runs(&self, search: &RunSearch) -> Result<u64, StoreError> {
        let base = Scope { reader: self, search }.base()?;
        Ok(match &search.filter {
            Expr::All => base.len(),
            filter => self.find(filter, Some(&base))?.intersection_len(&base),
        })
    }

    /// The runs of which a condition holds; `within` narrows it where that saves work, no more.
    fn find(&self, expr: &Expr, within: Option<&RoaringBitmap>) -> Result<RoaringBitmap, StoreError> {
        match expr {
            Expr::All => self.everything(),
            Expr::And(all) => {
                let mut order: Vec<&Expr> = all.iter().collect();
                order.sort_by_key(|e| breadth(e));
                let mut found: Option<RoaringBitmap> = None;
                for e in order {
                    let next = self.find(e, found.as_ref().or(within))?;
                    found = Some(match found {
                        Some(before) => before & next,
                        None => next,
                    });
                    if found.as_ref().is_some_and(RoaringBitmap::is_empty) {
                        break;
                    }
                }
                found.map_or_else(|| self.everything(), Ok)
            }
            Expr::Or(any) => any.iter().try_fold(RoaringBitmap::new(), |found, e| Ok(found | self.find(e, within)?)),
            Expr::Not(inner) => Ok(self.everything()? - self.find(inner, None)?),
            Expr::Is(field, test) => match within.filter(|w| w.len() <= FEW) {
                Some(few) => few
                    .iter()
                    .filter_map(|run| match self.holds(i64::from(run), field, test) {
                        Ok(true) => Some(Ok(run)),
                        Ok(false) => None,
                        Err(error) => Some(Err(error)),
                    })
                    .collect(),
                None => self.scan(field, test),
            },
        }
    }

    fn everything(&self) -> Result<RoaringBitmap, StoreError> {
        self.set("SELECT num FROM run WHERE experiment IS NOT NULL", &[])
    }

    fn set(&self, sql: &str, args: &[Sql]) -> Result<RoaringBitmap, StoreError> {
        let mut found = RoaringBitmap::new();
        let mut statement = self.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(args))?;
        while let Some(row) = rows.next()? {
            found.insert(small(row.get(0)?));
        }
        Ok(found)
    }

    fn metric_key(&self, key: &str) -> Result<Option<i64>, StoreError> {
        Ok(self.prepare_cached("SELECT num FROM metric_name WHERE text = ?1")?.query_row([key], |row| row.get(0)).optional()?)
    }

    /// One clause over all runs.
    fn scan(&self, field: &Field, test: &Test) -> Result<RoaringBitmap, StoreError> {
        if *test == Test::Null {
            return Ok(self.everything()? - self.scan(field, &Test::NotNull)?);
        }
        match field {
            Field::Metric(key, of) => {
                let Some(key) = self.metric_key(key)? else { return Ok(RoaringBitmap::new()) };
                let column = of.column();
                match test {
                    Test::Number(Compare::NotEqual, wanted) => self.set(
                        &format!("SELECT run FROM run_metric WHERE key = ?1 AND ({column} <> ?2 OR {column} IS NULL)"),
                        &[Sql::Integer(key), Sql::Real(*wanted)],
                    ),
                    Test::Number(compare, wanted) => self.set(
                        &format!("SELECT run FROM run_metric WHERE key = ?1 AND {column} {} ?2", compare.sql()),
                        &[Sql::Integer(key), Sql::Real(*wanted)],
                    ),
                    Test::NotNull => self.set("SELECT run FROM run_metric WHERE key = ?1", &[Sql::Integer(key)]),
                    Test::Null | Test::Text(..) | Test::Like(_) | Test::Ilike(_) | Test::In(_) | Test::NotIn(_) => Ok(RoaringBitmap::new()),
                }
            }
            Field::Param(key) => self.scan_texts("param", key, test),
            Field::Tag(key) => self.scan_texts("tag", key, test),
            Field::Text("run_id") => match test {
                Test::Text(Compare::Equal, id) => Ok(self.number_of(Kind::Run, id)?.map(small).into_iter().collect()),
                Test::In(ids) => {
                    let mut found = RoaringBitmap::new();
                    for id in ids {
                        found.extend(self.number_of(Kind::Run, id)?.map(small));
                    }
                    Ok(found)
                }
                test => self.scan_column("id", test),
            },
            Field::Text("status") => match test {
                Test::Text(Compare::Equal, status) => self.set("SELECT num FROM run WHERE status = ?1", &[Sql::Text(status.clone())]),
                test => self.scan_column("status", test),
            },
            Field::Text("run_name") => self.scan_column("coalesce(name, id)", test),
            Field::Text("user_id") => self.scan_column("user", test),
            Field::Text("experiment") => self.scan_column(EXPERIMENT_NAME, test),
            Field::Text("artifact_uri") => self.scan_column(ARTIFACT_URI, test),
            Field::Number(name) => {
                let column = time_column(name)?;
                let mut found = RoaringBitmap::new();
                let mut statement = self.prepare_cached(&format!("SELECT num, {column} FROM run WHERE {column} IS NOT NULL"))?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    #[allow(clippy::cast_precision_loss)] // times stay below 2^53
                    if test.of_number(row.get::<_, i64>(1)? as f64) {
                        found.insert(small(row.get(0)?));
                    }
                }
                Ok(found)
            }
            Field::Dataset(part) => {
                let column = dataset_column(part)?;
                let mut found = RoaringBitmap::new();
                let mut statement = self.prepare_cached(&format!("SELECT run, {column} FROM run_dataset"))?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    if test.of_text(row.get_ref(1)?.as_str()?) {
                        found.insert(small(row.get(0)?));
                    }
                }
                Ok(found)
            }
            Field::Text(other) => Err(StoreError::NotFound((*other).to_owned())),
        }
    }

    fn scan_column(&self, column: &str, test: &Test) -> Result<RoaringBitmap, StoreError> {
        let mut found = RoaringBitmap::new();
        let mut statement = self.prepare_cached(&format!("SELECT num, {column} FROM run"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if row.get_ref(1)?.as_str_or_null()?.is_some_and(|text| test.of_text(text)) {
                found.insert(small(row.get(0)?));
            }
        }
        Ok(found)
    }

    fn text_name(&self, field: &str, key: &str) -> Result<Option<i64>, StoreError> {
        Ok(self
            .prepare_cached("SELECT num FROM text_name WHERE field = ?1 AND key = ?2")?
            .query_row([field, key], |row| row.get(0))
            .optional()?)
    }

    /// Parameters and tags: the index knows their first 64 characters, which mostly is all.
    fn scan_texts(&self, field: &str, key: &str, test: &Test) -> Result<RoaringBitmap, StoreError> {
        let mut found = RoaringBitmap::new();
        let Some(name) = self.text_name(field, key)? else { return Ok(found) };
        // One value stands for all its runs in a row.
        let mut last: Option<(String, bool)> = None;
        let mut take = |rows: &mut rusqlite::Rows<'_>| -> Result<(), StoreError> {
            while let Some(row) = rows.next()? {
                let start = row.get_ref(1)?.as_str()?;
                let run: i64 = row.get(0)?;
                let good = match &last {
                    Some((text, good)) if text == start => *good,
                    Some(_) | None if !is_cut(start) => {
                        let good = test.of_text(start);
                        last = Some((start.to_owned(), good));
                        good
                    }
                    Some(_) | None => text_of(self.conn, run, field, key)?.is_some_and(|text| test.of_text(&text)),
                };
                if good {
                    found.insert(small(run));
                }
            }
            Ok(())
        };
        match test {
            Test::Text(Compare::Equal, wanted) => {
                let mut statement = self.prepare_cached("SELECT run, head FROM run_text WHERE name = ?1 AND head = ?2")?;
                take(&mut statement.query(params![name, head(wanted)])?)?;
            }
            _ => {
                let mut statement = self.prepare_cached("SELECT run, head FROM run_text WHERE name = ?1")?;
                take(&mut statement.query([name])?)?;
            }
        }
        Ok(found)
    }

    /// One clause of one run.
    fn holds(&self, run: i64, field: &Field, test: &Test) -> Result<bool, StoreError> {
        if let Field::Dataset(part) = field {
            let mut statement = self.prepare_cached(&format!("SELECT {} FROM run_dataset WHERE run = ?1", dataset_column(part)?))?;
            let mut rows = statement.query([run])?;
            let mut any = false;
            while let Some(row) = rows.next()? {
                any |= test.of_text(row.get_ref(0)?.as_str()?);
            }
            return Ok(any);
        }
        Ok(match self.key_of(run, field)? {
            Key::Missing => *test == Test::Null,
            Key::Nan => test.of_number(f64::NAN),
            Key::Number(number) => test.of_number(number),
            Key::Text(text) => test.of_text(&text),
        })
    }

    /// The value of a field of a run, to compare and to order by.
    fn key_of(&self, run: i64, field: &Field) -> Result<Key, StoreError> {
        let text = |found: Option<String>| found.map_or(Key::Missing, Key::Text);
        Ok(match field {
            Field::Metric(key, of) => {
                let Some(key) = self.metric_key(key)? else { return Ok(Key::Missing) };
                self.prepare_cached(&format!("SELECT {} FROM run_metric WHERE run = ?1 AND key = ?2", of.column()))?
                    .query_row([run, key], |row| row.get::<_, Option<f64>>(0))
                    .optional()?
                    .map_or(Key::Missing, |v| v.map_or(Key::Nan, Key::Number))
            }
            Field::Param(key) => text(text_of(self.conn, run, "param", key)?),
            Field::Tag(key) => text(text_of(self.conn, run, "tag", key)?),
            Field::Text(name) => {
                let column = text_column(name)?;
                text(
                    self.prepare_cached(&format!("SELECT {column} FROM run WHERE num = ?1"))?
                        .query_row([run], |row| row.get(0))
                        .optional()?
                        .flatten(),
                )
            }
            Field::Number(name) => {
                let column = time_column(name)?;
                let found: Option<i64> = self
                    .prepare_cached(&format!("SELECT {column} FROM run WHERE num = ?1"))?
                    .query_row([run], |row| row.get(0))
                    .optional()?
                    .flatten();
                #[allow(clippy::cast_precision_loss)] // times stay below 2^53
                found.map_or(Key::Missing, |ms| Key::Number(ms as f64))
            }
            Field::Dataset(part) => {
                let column = dataset_column(part)?;
                text(
                    self.prepare_cached(&format!("SELECT min({column}) FROM run_dataset WHERE run = ?1"))?
                        .query_row([run], |row| row.get(0))
                        .optional()?
                        .flatten(),
                )
            }
        })
    }

    /// The values of a field of all runs.
    fn keys(&self, field: &Field) -> Result<HashMap<i64, Key>, StoreError> {
        let mut found = HashMap::new();
        let mut take = |sql: &str, args: &[Sql], number: bool| -> Result<(), StoreError> {
            let mut statement = self.prepare_cached(sql)?;
            let mut rows = statement.query(params_from_iter(args))?;
            while let Some(row) = rows.next()? {
                let key = match row.get::<_, Sql>(1)? {
                    Sql::Real(v) => Key::Number(v),
                    #[allow(clippy::cast_precision_loss)] // times stay below 2^53
                    Sql::Integer(v) => Key::Number(v as f64),
                    Sql::Text(text) => Key::Text(text),
                    Sql::Null if number => Key::Nan,
                    Sql::Null | Sql::Blob(_) => continue,
                };
                found.insert(row.get(0)?, key);
            }
            Ok(())
        };
        match field {
            Field::Metric(key, of) => {
                if let Some(key) = self.metric_key(key)? {
                    take(&format!("SELECT run, {} FROM run_metric WHERE key = ?1", of.column()), &[Sql::Integer(key)], true)?;
                }
            }
            Field::Param(key) | Field::Tag(key) => {
                let field = if matches!(field, Field::Param(_)) { "param" } else { "tag" };
                take(
                    "SELECT t.run, CASE WHEN length(t.head) < 64 THEN t.head
                       ELSE (SELECT value FROM cell WHERE record = t.run AND field = ?1 AND key = ?2) END
                     FROM run_text t WHERE t.name = (SELECT num FROM text_name WHERE field = ?1 AND key = ?2)",
                    &[Sql::Text(field.to_owned()), Sql::Text(key.clone())],
                    false,
                )?;
            }
            Field::Text(name) => take(&format!("SELECT num, {} FROM run", text_column(name)?), &[], false)?,
            Field::Number(name) => take(&format!("SELECT num, {} FROM run", time_column(name)?), &[], false)?,
            Field::Dataset(part) => take(&format!("SELECT run, min({}) FROM run_dataset GROUP BY run", dataset_column(part)?), &[], false)?,
        }
        Ok(found)
    }

    /// Runs as searches show them, in the order asked for.
    pub fn run_views(&self, runs: &[i64]) -> Result<Vec<RunView>, StoreError> {
        runs.iter().map(|run| self.run_view(*run)).filter_map(Result::transpose).collect()
    }

    fn run_view(&self, num: i64) -> Result<Option<RunView>, StoreError> {
        let found = self
            .prepare_cached(
                "SELECT u.id, u.experiment, u.status, u.start_ms, u.end_ms, u.user, u.deleted, d.id FROM run u
                 JOIN record r ON r.num = u.num JOIN device_name d ON d.num = r.device WHERE u.num = ?1 AND u.experiment IS NOT NULL",
            )?
            .query_row([num], |row| {
                Ok(RunView {
                    id: row.get(0)?,
                    experiment: row.get(1)?,
                    status: row.get(2)?,
                    start_ms: row.get(3)?,
                    end_ms: row.get(4)?,
                    user: row.get(5)?,
                    deleted: row.get(6)?,
                    device: row.get(7)?,
                    params: BTreeMap::new(),
                    tags: BTreeMap::new(),
                    inputs: BTreeMap::new(),
                    outputs: Vec::new(),
                    metrics: Vec::new(),
                })
            })
            .optional()?;
        let Some(mut view) = found else { return Ok(None) };
        let mut cells = self.prepare_cached(
            "SELECT field, key, value FROM cell WHERE record = ?1 AND field IN ('input', 'output', 'param', 'tag') AND value IS NOT NULL",
        )?;
        let mut rows = cells.query([num])?;
        while let Some(row) = rows.next()? {
            match row.get_ref(0)?.as_str()? {
                "param" => drop(view.params.insert(row.get(1)?, row.get(2)?)),
                "tag" => drop(view.tags.insert(row.get(1)?, row.get(2)?)),
                "input" => drop(view.inputs.insert(row.get(1)?, row.get(2)?)),
                _ => view.outputs.push((row.get(1)?, row.get(2)?)),
            }
        }
        let mut metrics = self.prepare_cached(
            "SELECT k.text, m.value, m.step, m.ts, m.count, m.min, m.max FROM run_metric m JOIN metric_name k ON k.num = m.key
             WHERE m.run = ?1 ORDER BY k.text",
        )?;
        let mut rows = metrics.query([num])?;
        while let Some(row) = rows.next()? {
            let last = Point { step: row.get(2)?, ts: row.get(3)?, value: row.get::<_, Option<f64>>(1)?.unwrap_or(f64::NAN) };
            view.metrics.push(Summary { key: row.get(0)?, count: row.get(4)?, last, min: row.get(5)?, max: row.get(6)? });
        }
        Ok(Some(view))
    }
}

const EXPERIMENT_NAME: &str = "(SELECT c.value FROM record r JOIN cell c ON c.record = r.num AND c.field = 'name' AND c.key = ''
    WHERE r.kind = 'experiment' AND r.id = run.experiment)";
const ARTIFACT_URI: &str =
    "'mlflow-artifacts:/' || (SELECT number FROM experiment_number e WHERE e.experiment = run.experiment) || '/' || id || '/artifacts'";

fn text_column(name: &str) -> Result<&'static str, StoreError> {
    match name {
        "run_id" => Ok("id"),
        "run_name" => Ok("coalesce(name, id)"),
        "status" => Ok("status"),
        "user_id" => Ok("user"),
        "experiment" => Ok(EXPERIMENT_NAME),
        "artifact_uri" => Ok(ARTIFACT_URI),
        other => Err(StoreError::NotFound(other.to_owned())),
    }
}

fn time_column(name: &str) -> Result<&'static str, StoreError> {
    match name {
        "start_time" => Ok("start_ms"),
        "end_time" => Ok("end_ms"),
        "duration" => Ok("(end_ms - start_ms)"),
        other => Err(StoreError::NotFound(other.to_owned())),
    }
}

fn dataset_column(part: &str) -> Result<&'static str, StoreError> {
    match part {
        "name" => Ok("name"),
        "digest" => Ok("digest"),
        "context" => Ok("context"),
        other => Err(StoreError::NotFound(other.to_owned())),
    }
}

impl Of {
    fn column(self) -> &'static str {
        match self {
            Self::Last => "value",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// Up to this breadth an index finds few runs.
const NARROW: u8 = 2;

/// Which clause to ask first: those that mostly find little.
fn breadth(expr: &Expr) -> u8 {
    match expr {
        Expr::Is(Field::Text("run_id"), _) => 0,
        Expr::Is(Field::Param(_) | Field::Tag(_) | Field::Dataset(_), Test::Text(Compare::Equal, _)) => 1,
        Expr::Is(Field::Metric(..), Test::Number(Compare::Equal, _)) => 2,
        Expr::Is(Field::Metric(..), _) => 3,
        Expr::Is(Field::Param(_) | Field::Tag(_) | Field::Dataset(_), _) => 4,
        Expr::Is(Field::Text(_) | Field::Number(_), _) => 5,
        Expr::And(_) | Expr::Or(_) => 6,
        Expr::Not(_) | Expr::All => 7,
    }
}

/// A value to order by.
#[derive(Debug, Clone, PartialEq)]
enum Key {
    Number(f64),
    Text(String),
    Nan,
    Missing,
}

impl Key {
    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) | Self::Text(_) => 0,
            Self::Nan => 1,
            Self::Missing => 2,
        }
    }

    fn order(&self, other: &Self, descending: bool) -> Ordering {
        let present = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => return a.rank().cmp(&b.rank()),
        };
        if descending { present.reverse() } else { present }
    }
}

/// A run on its way to the page.
struct Candidate {
    num: i64,
    start_ms: i64,
    id: String,
}

impl Candidate {
    fn tie(&self, other: &Self) -> Ordering {
        other.start_ms.cmp(&self.start_ms).then_with(|| self.id.cmp(&other.id))
    }
}

/// A search's experiments and life cycle.
struct Scope<'r> {
    reader: &'r Reader<'r>,
    search: &'r RunSearch,
}

impl Scope<'_> {
    fn page(&self, mut found: Vec<i64>) -> RunPage {
        let end = self.search.offset.saturating_add(self.search.limit);
        let more = found.len() > end;
        found.truncate(end);
        found.drain(..self.search.offset.min(found.len()));
        RunPage { runs: found, more }
    }

    /// One more than the page needs says whether more follow.
    fn wanted(&self) -> usize {
        self.search.offset.saturating_add(self.search.limit).saturating_add(1)
    }

    fn deleted(&self) -> &'static str {
        match self.search.view {
            View::Active => "deleted = 0",
            View::Deleted => "deleted = 1",
            View::All => "deleted IN (0, 1)",
        }
    }

    /// The runs of the experiments.
    fn base(&self) -> Result<RoaringBitmap, StoreError> {
        let Some(experiments) = &self.search.experiments else {
            return self.reader.set(&format!("SELECT num FROM run WHERE experiment IS NOT NULL AND {}", self.deleted()), &[]);
        };
        let mut all = RoaringBitmap::new();
        for experiment in experiments {
            let sql = format!("SELECT num FROM run WHERE experiment = ?1 AND {}", self.deleted());
            all |= self.reader.set(&sql, &[Sql::Text(experiment.clone())])?;
        }
        Ok(all)
    }

    /// The run if it is within the scope.
    fn candidate(&self, num: i64) -> Result<Option<Candidate>, StoreError> {
        let found = self
            .reader
            .prepare_cached("SELECT experiment, deleted, start_ms, id FROM run WHERE num = ?1 AND experiment IS NOT NULL")?
            .query_row([num], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, Candidate { num, start_ms: row.get(2)?, id: row.get(3)? }))
            })
            .optional()?;
        let good = |experiment: &String, deleted: bool| {
            let lives = match self.search.view {
                View::Active => !deleted,
                View::Deleted => deleted,
                View::All => true,
            };
            lives && self.search.experiments.as_ref().is_none_or(|all| all.contains(experiment))
        };
        Ok(found.filter(|(experiment, deleted, _)| good(experiment, *deleted)).map(|(_, _, candidate)| candidate))
    }

    /// Newest first. One experiment's runs lie in this order in the index.
    fn walk_start(&self, set: Option<RoaringBitmap>) -> Result<Vec<i64>, StoreError> {
        let all: Vec<String>;
        let experiments = match &self.search.experiments {
            Some(experiments) => experiments,
            None => {
                let mut statement = self.reader.prepare_cached("SELECT DISTINCT experiment FROM run WHERE experiment IS NOT NULL")?;
                all = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                &all
            }
        };
        let lives: &[i64] = match self.search.view {
            View::Active => &[0],
            View::Deleted => &[1],
            View::All => &[0, 1],
        };
        // Each stretch of the index gives its first ones; together they hold the first of all.
        let mut found: Vec<Candidate> = Vec::new();
        for experiment in experiments {
            for deleted in lives {
                let mut statement = self.reader.prepare_cached(
                    "SELECT num, start_ms, id FROM run WHERE experiment = ?1 AND deleted = ?2 ORDER BY start_ms DESC, id",
                )?;
                let mut rows = statement.query(params![experiment, deleted])?;
                let mut left = self.wanted();
                while left > 0
                    && let Some(row) = rows.next()?
                {
                    let num: i64 = row.get(0)?;
                    if set.as_ref().is_none_or(|set| set.contains(small(num))) {
                        found.push(Candidate { num, start_ms: row.get(1)?, id: row.get(2)? });
                        left -= 1;
                    }
                }
            }
        }
        found.sort_by(Candidate::tie);
        found.truncate(self.wanted());
        Ok(found.into_iter().map(|c| c.num).collect())
    }

    /// Along an index: the runs with a value in its order, then those without. `asked` is asked of each
    /// run. None: the index holds only the beginnings of the values, or the asking leads nowhere.
    fn walk(&self, set: Option<&RoaringBitmap>, index: &Index, descending: bool, asked: &[&Expr]) -> Result<Option<Vec<i64>>, StoreError> {
        let mut out: Vec<i64> = Vec::new();
        let mut seen = RoaringBitmap::new();
        let mut set = set.cloned();
        let (mut vain, mut gathered) = (0, self.search.experiments.is_none());
        for sql in index.walks(descending) {
            let mut statement = self.reader.prepare_cached(&sql)?;
            let mut rows = statement.query([index.number()])?;
            let mut group: Vec<Candidate> = Vec::new();
            let mut value: Option<Sql> = None;
            while let Some(row) = rows.next()? {
                let num: i64 = row.get(0)?;
                if set.as_ref().is_some_and(|set| !set.contains(small(num))) {
                    continue;
                }
                let Some(candidate) = self.candidate(num)? else {
                    vain += 1;
                    if vain > PATIENCE && !gathered {
                        gathered = true;
                        let base = self.base()?;
                        set = Some(set.map_or_else(|| base.clone(), |set| set & &base));
                    }
                    continue;
                };
                if !asked.is_empty() && !self.reader.holds_all(num, asked)? {
                    vain += 1;
                    if vain > PATIENCE {
                        return Ok(None);
                    }
                    continue;
                }
                seen.insert(small(num));
                let next: Sql = row.get(1)?;
                if matches!(&next, Sql::Text(text) if is_cut(text)) {
                    return Ok(None);
                }
                if value.as_ref() != Some(&next) {
                    flush(&mut group, &mut out);
                    value = Some(next);
                    if out.len() >= self.wanted() {
                        break;
                    }
                }
                group.push(candidate);
            }
            flush(&mut group, &mut out);
            if out.len() >= self.wanted() {
                out.truncate(self.wanted());
                return Ok(Some(out));
            }
        }
        if !asked.is_empty() {
            // Those without a value come last, and would have to be asked each.
            return Ok(None);
        }
        let base = self.base()?;
        let mut rest = set.map_or_else(|| base.clone(), |set| set & &base);
        rest -= seen;
        out.extend(self.in_order(&rest)?.into_iter().map(|c| c.num));
        Ok(Some(out))
    }

    /// The index that has the order of a field, if there is one.
    fn index(&self, field: &Field) -> Result<Option<Index>, StoreError> {
        Ok(match field {
            Field::Metric(key, Of::Last) => self.reader.metric_key(key)?.map(Index::Metric),
            Field::Param(key) => self.reader.text_name("param", key)?.map(Index::Text),
            Field::Tag(key) => self.reader.text_name("tag", key)?.map(Index::Text),
            Field::Metric(_, Of::Min | Of::Max) | Field::Text(_) | Field::Number(_) | Field::Dataset(_) => None,
        })
    }

    fn in_order(&self, set: &RoaringBitmap) -> Result<Vec<Candidate>, StoreError> {
        let mut found = Vec::new();
        if set.len() <= FEW {
            for num in set {
                found.extend(self.candidate(i64::from(num))?);
            }
        } else {
            let mut statement = self.reader.prepare_cached(
                "SELECT num, start_ms, id FROM run WHERE experiment IS NOT NULL ORDER BY experiment, deleted, start_ms DESC, id",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let num: i64 = row.get(0)?;
                if set.contains(small(num)) {
                    found.push(Candidate { num, start_ms: row.get(1)?, id: row.get(2)? });
                }
            }
        }
        found.sort_by(Candidate::tie);
        Ok(found)
    }

    /// Any order: all candidates with their keys.
    fn sorted(&self, set: Option<RoaringBitmap>) -> Result<Vec<i64>, StoreError> {
        let base = self.base()?;
        let set = set.map_or_else(|| base.clone(), |set| set & &base);
        let mut candidates: Vec<(Vec<Key>, Candidate)> =
            self.in_order(&set)?.into_iter().map(|c| (Vec::with_capacity(self.search.order.len()), c)).collect();
        for order in &self.search.order {
            if set.len() <= FEW {
                for (keys, candidate) in &mut candidates {
                    keys.push(self.reader.key_of(candidate.num, &order.field)?);
                }
            } else {
                let mut all = self.reader.keys(&order.field)?;
                for (keys, candidate) in &mut candidates {
                    keys.push(all.remove(&candidate.num).unwrap_or(Key::Missing));
                }
            }
        }
        // Stable: what is equal stays by start and id.
        candidates.sort_by(|a, b| {
            let keys = a.0.iter().zip(&b.0).zip(&self.search.order);
            keys.map(|((x, y), order)| x.order(y, order.descending)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        });
        Ok(candidates.into_iter().map(|(_, c)| c.num).collect())
    }
}

/// An index that lies in the order of values.
enum Index {
    /// The latest values of a metric, by the number of its name.
    Metric(i64),
    /// A parameter or tag, by the number of its name.
    Text(i64),
}

impl Index {
    fn number(&self) -> i64 {
        match self {
            Self::Metric(number) | Self::Text(number) => *number,
        }
    }

    /// Run and value, in order; what is no number comes after the numbers.
    fn walks(&self, descending: bool) -> Vec<String> {
        let direction = if descending { "DESC" } else { "ASC" };
        match self {
            Self::Metric(_) => vec![
                format!("SELECT run, value FROM run_metric WHERE key = ?1 AND value IS NOT NULL ORDER BY value {direction}"),
                "SELECT run, value FROM run_metric WHERE key = ?1 AND value IS NULL".to_owned(),
            ],
            Self::Text(_) => vec![format!("SELECT run, head FROM run_text WHERE name = ?1 ORDER BY head {direction}")],
        }
    }
}

fn flush(group: &mut Vec<Candidate>, out: &mut Vec<i64>) {
    group.sort_by(Candidate::tie);
    out.extend(group.drain(..).map(|c| c.num));
}
