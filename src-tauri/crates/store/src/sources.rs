//! Files and folders of other tools that runs are taken from. This computer's own, never shared.

use crate::StoreError;
use crate::store::Reader;
use crate::writer::Writer;
use rusqlite::{Row, params};

/// One source, as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub id: i64,
    pub path: String,
    pub format: String,
    pub watched: bool,
    /// Where reading goes on, as the reader left it.
    pub position: String,
    pub looked_ms: Option<i64>,
    pub runs: u64,
    pub points: u64,
    pub findings: String,
    pub trouble: Option<String>,
}

const ROW: &str = "SELECT id, path, format, watched, position, looked_ms, runs, points, findings, trouble FROM source";

fn row(row: &Row<'_>) -> rusqlite::Result<Source> {
    Ok(Source {
        id: row.get(0)?,
        path: row.get(1)?,
        format: row.get(2)?,
        watched: row.get(3)?,
        position: row.get(4)?,
        looked_ms: row.get(5)?,
        runs: row.get(6)?,
        points: row.get(7)?,
        findings: row.get(8)?,
        trouble: row.get(9)?,
    })
}

impl Reader<'_> {
    pub fn sources(&self) -> Result<Vec<Source>, StoreError> {
        let mut statement = self.prepare_cached(&format!("{ROW} ORDER BY path"))?;
        let found = statement.query_map([], row)?.collect::<Result<_, _>>()?;
        Ok(found)
    }
}

impl Writer<'_> {
    /// Takes note of a source; one that is known keeps its place.
    pub fn add_source(&mut self, path: &str, format: &str, watched: bool) -> Result<Source, StoreError> {
        self.execute(
            "INSERT INTO source (path, format, watched) VALUES (?1, ?2, ?3)
             ON CONFLICT (path) DO UPDATE SET watched = max(watched, excluded.watched),
               position = CASE WHEN format = excluded.format THEN position ELSE 'null' END, format = excluded.format",
            params![path, format, watched],
        )?;
        self.touch("source");
        Ok(self.query_row(&format!("{ROW} WHERE path = ?1"), [path], row)?)
    }

    /// Keeps where reading goes on, and what came of it.
    pub fn looked_at_source(&mut self, source: &Source) -> Result<(), StoreError> {
        self.execute(
            "UPDATE source SET position = ?2, looked_ms = ?3, runs = ?4, points = ?5, findings = ?6, trouble = ?7 WHERE id = ?1",
            params![source.id, source.position, source.looked_ms, source.runs, source.points, source.findings, source.trouble],
        )?;
        self.touch("source");
        Ok(())
    }

    pub fn forget_source(&mut self, id: i64) -> Result<bool, StoreError> {
        self.touch("source");
        Ok(self.execute("DELETE FROM source WHERE id = ?1", [id])? > 0)
    }
}
