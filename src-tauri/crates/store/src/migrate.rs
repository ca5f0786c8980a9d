//! Forward-only migrations, counted in `user_version`.

use crate::StoreError;
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
}
