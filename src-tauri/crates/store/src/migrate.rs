//! Forward-only migrations, counted in `user_version`.

use crate::StoreError;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, TransactionBehavior};

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The file version that this program writes.
#[allow(clippy::cast_possible_truncation)]
pub(crate) const KNOWN: u32 = MIGRATIONS.len() as u32;

pub(crate) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let version = |c: &Connection| c.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0));
    let found = version(conn)?;
    if found > KNOWN {
        return Err(StoreError::Newer { found, known: KNOWN });
    }
    if found == KNOWN {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated while this one waited for the lock.
    let found = version(&tx)?;
    // A point as its 24 bytes, for files that kept each in a row.
    tx.create_scalar_function("point_bytes", 3, FunctionFlags::SQLITE_DETERMINISTIC, |ctx| {
        let mut bytes = Vec::with_capacity(24);
        for i in 0..3 {
            bytes.extend(ctx.get::<i64>(i)?.to_le_bytes());
        }
        Ok(bytes)
    })?;
    for (_, sql) in MIGRATIONS.iter().skip(found as usize) {
        tx.execute_batch(sql)?;
    }
    tx.pragma_update(None, "user_version", KNOWN)?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_in_the_folder_is_compiled_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations");
        let on_disk = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(MIGRATIONS.len(), on_disk, "a migration that is not compiled in never runs");
        for (i, (name, _)) in MIGRATIONS.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", i + 1)), "{name} must be number {}", i + 1);
        }
    }

    #[test]
    fn a_file_of_a_newer_program_is_left_alone() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.pragma_update(None, "user_version", KNOWN + 1).unwrap();
        assert!(matches!(migrate(&mut conn), Err(StoreError::Newer { .. })));
    }

    #[test]
    fn the_points_of_an_older_file_are_there_to_the_bit() {
        let mut conn = Connection::open_in_memory().unwrap();
        for (_, sql) in &MIGRATIONS[..5] {
            conn.execute_batch(sql).unwrap();
        }
        conn.pragma_update(None, "user_version", 5).unwrap();
        conn.execute_batch(
            "INSERT INTO metric_series (id, run, key, device, count, last_step, last_ts, last_bits, summarised, packed)
               VALUES (7, 'r1', 'loss', '', 3, 2, 20, 5, 2, 0), (8, 'r1', 'loss', 'abc', 1, 0, 9, 9, 0, 0);
             INSERT INTO metric_point VALUES (7, 2, 20, 5), (7, 0, 10, -1), (7, 1, 10, 9221120237041090560), (8, 0, 9, 9);",
        )
        .unwrap();
        migrate(&mut conn).unwrap();
        let mut points = Vec::new();
        let mut statement = conn.prepare("SELECT points FROM metric_part WHERE series = 7 ORDER BY seq").unwrap();
        for bytes in statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap() {
            crate::chunk::read_plain(&bytes.unwrap(), &mut points).unwrap();
        }
        let read: Vec<_> = points.iter().map(crate::chunk::place).collect();
        assert_eq!(read, [(0, 10, -1), (1, 10, 9_221_120_237_041_090_560), (2, 20, 5)]);
        let row = "SELECT r.id, k.text, d.id, s.count, s.top_step, s.summarised FROM metric_series s JOIN record r ON r.num = s.run
             JOIN metric_name k ON k.num = s.key JOIN device_name d ON d.num = s.device WHERE s.id = 7 AND s.device = 0";
        let row: (String, String, String, u64, i64, u64) =
            conn.query_row(row, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))).unwrap();
        assert_eq!(row, ("r1".into(), "loss".into(), String::new(), 3, 2, 2));
    }
}
