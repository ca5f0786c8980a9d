//! Runs that a search finds, counted by what they have in common; and the names and values that there are,
//! for whoever is writing a filter.

use super::find::small;
use super::{Expr, RunSearch, order::Scope};
use crate::StoreError;
use crate::store::Reader;
use roaring::RoaringBitmap;
use rusqlite::{OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};

/// What runs may have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    Param(String),
    Tag(String),
    Experiment,
    Status,
    User,
}

/// Runs with one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// None: they have none. Of a long text its beginning.
    pub value: Option<String>,
    pub runs: u64,
    /// Over the finite last values of a metric, of the runs that have one.
    pub measured: u64,
    pub lowest: f64,
    pub highest: f64,
    pub mean: f64,
}

#[derive(Default)]
struct Sum {
    runs: u64,
    values: Vec<f64>,
}

impl Reader<'_> {
    /// The runs of a search by a value, the largest groups first, at most so many; and how many groups there are.
    pub fn group_runs(
        &self,
        search: &RunSearch,
        by: &GroupBy,
        metric: Option<&str>,
        most: usize,
    ) -> Result<(Vec<Group>, usize), StoreError> {
        let base = Scope { reader: self, search }.base()?;
        let set = match &search.filter {
            Expr::All => base,
            filter => self.find(filter, Some(&base))? & base,
        };
        let measured = match metric {
            Some(metric) => self.last_values(metric, &set)?,
            None => HashMap::new(),
        };
        let mut groups: BTreeMap<Option<String>, Sum> = BTreeMap::new();
        let mut rest = set.clone();
        let mut add = |value: Option<String>, run: u32| {
            let sum = groups.entry(value).or_default();
            sum.runs += 1;
            sum.values.extend(measured.get(&run));
        };
        let mut each = |sql: &str, args: &[&dyn rusqlite::ToSql]| -> Result<(), StoreError> {
            let mut statement = self.prepare_cached(sql)?;
            let mut rows = statement.query(args)?;
            while let Some(row) = rows.next()? {
                let run = small(row.get(1)?);
                if rest.remove(run) {
                    add(row.get::<_, Option<String>>(0)?.filter(|v| !v.is_empty()), run);
                }
            }
            Ok(())
        };
        match by {
            GroupBy::Param(key) | GroupBy::Tag(key) => {
                let field = if matches!(by, GroupBy::Param(_)) { "param" } else { "tag" };
                each(
                    "SELECT head, run FROM run_text WHERE name = (SELECT num FROM text_name WHERE field = ?1 AND key = ?2)",
                    &[&field, key],
                )?;
            }
            GroupBy::Experiment => each("SELECT experiment, num FROM run", &[])?,
            GroupBy::Status => each("SELECT status, num FROM run", &[])?,
            GroupBy::User => each("SELECT user, num FROM run", &[])?,
        }
        for run in &rest {
            add(None, run);
        }
        let total = groups.len();
        let mut all: Vec<Group> = groups.into_iter().map(|(value, sum)| group(value, &sum)).collect();
        all.sort_by(|a, b| b.runs.cmp(&a.runs).then_with(|| a.value.cmp(&b.value)));
        all.truncate(most);
        Ok((all, total))
    }

    fn last_values(&self, metric: &str, set: &RoaringBitmap) -> Result<HashMap<u32, f64>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT run, value FROM run_metric INDEXED BY run_metric_value
             WHERE key = (SELECT num FROM metric_name WHERE text = ?1) AND value IS NOT NULL",
        )?;
        let mut rows = statement.query([metric])?;
        let mut found = HashMap::new();
        while let Some(row) = rows.next()? {
            let (run, value): (i64, f64) = (row.get(0)?, row.get(1)?);
            if set.contains(small(run)) && value.is_finite() {
                found.insert(small(run), value);
            }
        }
        Ok(found)
    }

    /// The names of metrics that begin with a text, in any case, in their order.
    pub fn metric_names(&self, begin: &str, most: usize) -> Result<Vec<String>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT text FROM metric_name WHERE instr(lower(text), lower(?1)) > 0 ORDER BY instr(lower(text), lower(?1)), text LIMIT ?2",
        )?;
        let found = statement.query_map(params![begin, most], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// The names of parameters or tags (`param`, `tag`) that hold a text, in any case; those that begin with it first.
    pub fn text_names(&self, field: &str, begin: &str, most: usize) -> Result<Vec<String>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT key FROM text_name WHERE field = ?1 AND instr(lower(key), lower(?2)) > 0 ORDER BY instr(lower(key), lower(?2)), key LIMIT ?3",
        )?;
        let found = statement.query_map(params![field, begin, most], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// Values of a parameter or tag that begin with a text, in their order.
    pub fn text_values(&self, field: &str, key: &str, begin: &str, most: usize) -> Result<Vec<String>, StoreError> {
        let name: Option<i64> = self
            .prepare_cached("SELECT num FROM text_name WHERE field = ?1 AND key = ?2")?
            .query_row([field, key], |row| row.get(0))
            .optional()?;
        let Some(name) = name else { return Ok(Vec::new()) };
        // From one value to the next along the index: a value that a hundred thousand runs share costs one step.
        let mut next = self.prepare_cached("SELECT min(head) FROM run_text WHERE name = ?1 AND head > ?2")?;
        let mut first = self.prepare_cached("SELECT min(head) FROM run_text WHERE name = ?1 AND head >= ?2")?;
        let mut found: Vec<String> = Vec::new();
        let mut at: Option<String> = first.query_row(params![name, begin], |row| row.get(0))?;
        while let Some(value) = at.filter(|v| v.starts_with(begin)) {
            at = next.query_row(params![name, value], |row| row.get(0))?;
            found.push(value);
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }
}

#[allow(clippy::cast_precision_loss)] // counts of runs
fn group(value: Option<String>, sum: &Sum) -> Group {
    let n = sum.values.len() as u64;
    Group {
        value,
        runs: sum.runs,
        measured: n,
        lowest: sum.values.iter().copied().fold(f64::INFINITY, f64::min),
        highest: sum.values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        // Divided first: the sum of large numbers may be none.
        mean: sum.values.iter().map(|v| v / n as f64).sum(),
    }
}
