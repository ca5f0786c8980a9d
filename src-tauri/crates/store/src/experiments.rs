//! The whole numbers of experiments, which MLflow's clients want. They are this computer's own.

use crate::StoreError;
use crate::store::Reader;
use crate::writer::Writer;
use rusqlite::{OptionalExtension, params};

impl Reader<'_> {
    /// This computer's whole number for an experiment.
    pub fn experiment_number(&self, experiment: &str) -> Result<Option<i64>, StoreError> {
        Ok(self
            .prepare_cached("SELECT number FROM experiment_number WHERE experiment = ?1")?
            .query_row([experiment], |row| row.get(0))
            .optional()?)
    }

    /// The experiment of one of this computer's whole numbers.
    pub fn numbered_experiment(&self, number: i64) -> Result<Option<String>, StoreError> {
        Ok(self
            .prepare_cached("SELECT experiment FROM experiment_number WHERE number = ?1")?
            .query_row([number], |row| row.get(0))
            .optional()?)
    }

    /// Experiments that have no number yet: they came from another computer.
    pub fn unnumbered_experiments(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT id FROM record WHERE kind = 'experiment' AND ms IS NOT NULL AND id NOT IN (SELECT experiment FROM experiment_number)
             ORDER BY ms, counter, n",
        )?;
        let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(ids)
    }
}

impl Writer<'_> {
    /// Gives an experiment this computer's next whole number, or the one asked for.
    pub fn number_experiment(&mut self, experiment: &str, number: Option<i64>) -> Result<i64, StoreError> {
        if let Some(number) = self.experiment_number(experiment)? {
            return Ok(number);
        }
        self.prepare_cached(
            "INSERT INTO experiment_number (number, experiment)
             VALUES (coalesce(?2, (SELECT coalesce(max(number), 0) + 1 FROM experiment_number)), ?1)",
        )?
        .execute(params![experiment, number])?;
        Ok(self.last_insert_rowid())
    }
}
