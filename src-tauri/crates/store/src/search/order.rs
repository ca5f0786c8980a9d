//! Orders: a walk along the index that has it, else all candidates with their keys.

use super::find::{FEW, is_cut, small};
use super::{Expr, Field, Of, RunPage, RunSearch, View};
use crate::StoreError;
use crate::store::Reader;
use roaring::RoaringBitmap;
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, params};
use std::cmp::Ordering;

/// How many runs may be looked at in vain before the runs of the experiments are gathered first.
const PATIENCE: usize = 4_000;
/// How many runs may be asked in vain before reading the indexes is the shorter way.
const ASKED_IN_VAIN: usize = 1_000;

/// A value to order by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
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
pub(super) struct Scope<'r> {
    pub(super) reader: &'r Reader<'r>,
    pub(super) search: &'r RunSearch,
}

impl Scope<'_> {
    pub(super) fn page(&self, mut found: Vec<i64>) -> RunPage {
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
    pub(super) fn base(&self) -> Result<RoaringBitmap, StoreError> {
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
    pub(super) fn walk_start(&self, set: Option<RoaringBitmap>) -> Result<Vec<i64>, StoreError> {
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
    pub(super) fn walk(
        &self,
        set: Option<&RoaringBitmap>,
        index: &Index,
        descending: bool,
        asked: &[&Expr],
    ) -> Result<Option<Vec<i64>>, StoreError> {
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
                    if vain > ASKED_IN_VAIN {
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
    pub(super) fn index(&self, field: &Field) -> Result<Option<Index>, StoreError> {
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
    pub(super) fn sorted(&self, set: Option<RoaringBitmap>) -> Result<Vec<i64>, StoreError> {
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
pub(super) enum Index {
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
