//! Finding runs: a filter as a set of whole numbers, an order as a walk along an index.
//!
//! Each clause is answered by one index as a bitmap of runs; `AND`, `OR` and `NOT` are set operations.
//! The cost follows what the clauses find, never the number of runs times the number of clauses.

mod find;
pub mod groups;
mod order;
mod view;

use crate::StoreError;
use crate::metrics::Summary;
use crate::store::Reader;
use find::{NARROW, breadth, small};
use order::Scope;
use roaring::RoaringBitmap;
use rusqlite::OptionalExtension;
use std::collections::BTreeMap;

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
}
