//! Conditions as sets of runs: each clause is answered by one index, or asked of the few that are left.

use super::order::Key;
use super::{Compare, Expr, Field, Of, Test};
use crate::StoreError;
use crate::records::{HEAD, head, text_of};
use crate::store::Reader;
use cairn_core::op::Kind;
use roaring::RoaringBitmap;
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, params, params_from_iter};
use std::collections::HashMap;

/// Up to this many candidates each is asked; beyond it an index is read.
pub(super) const FEW: u64 = 3_000;
/// Whether the index holds only the beginning of a text.
pub(super) fn is_cut(start: &str) -> bool {
    start.len() >= HEAD && start.chars().count() >= HEAD
}

pub(super) fn small(run: i64) -> u32 {
    // A workspace has far fewer than four thousand million records.
    u32::try_from(run).unwrap_or(u32::MAX)
}

impl Reader<'_> {
    /// The runs of which a condition holds; `within` narrows it where that saves work, no more.
    pub(super) fn find(&self, expr: &Expr, within: Option<&RoaringBitmap>) -> Result<RoaringBitmap, StoreError> {
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

    pub(super) fn set(&self, sql: &str, args: &[Sql]) -> Result<RoaringBitmap, StoreError> {
        let mut found = RoaringBitmap::new();
        let mut statement = self.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(args))?;
        while let Some(row) = rows.next()? {
            found.insert(small(row.get(0)?));
        }
        Ok(found)
    }

    pub(super) fn metric_key(&self, key: &str) -> Result<Option<i64>, StoreError> {
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

    pub(super) fn text_name(&self, field: &str, key: &str) -> Result<Option<i64>, StoreError> {
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
    pub(super) fn key_of(&self, run: i64, field: &Field) -> Result<Key, StoreError> {
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
    pub(super) fn keys(&self, field: &Field) -> Result<HashMap<i64, Key>, StoreError> {
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
        // Times are what somebody claimed: a difference beyond 64 bits is cut, not an error of the search.
        "duration" => Ok("CAST(end_ms - start_ms AS INTEGER)"),
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
pub(super) const NARROW: u8 = 2;

/// Which clause to ask first: those that mostly find little.
pub(super) fn breadth(expr: &Expr) -> u8 {
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
