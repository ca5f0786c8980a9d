//! Operations with what their authors could know: what `core::decision` judges by.

use crate::StoreError;
use crate::log::TrailRow;
use crate::order::Orders;
use crate::store::Reader;
use cairn_core::authority::Past;
use cairn_core::decision::{Said, content_keys};
use cairn_core::id::{DeviceId, Digest, OpId};
use cairn_core::op::{Kind, Subject};
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Which releases and versions there are of the same content; made once until another version or request comes.
#[derive(Debug, Default)]
pub struct Contents {
    keys: HashMap<String, BTreeSet<String>>,
    by_key: HashMap<String, Vec<String>>,
    releases: HashMap<String, Vec<String>>,
}

impl Contents {
    /// The versions of the same content as this one, itself among them.
    pub fn like(&self, version: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::from([version.to_owned()]);
        for key in self.keys.get(version).into_iter().flatten() {
            found.extend(self.by_key.get(key).into_iter().flatten().cloned());
        }
        found
    }

    /// The requests to release a version.
    pub fn releases_of(&self, version: &str) -> &[String] {
        self.releases.get(version).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Which versions and requests the contents were made from.
pub(crate) type ContentsVersion = (i64, i64, i64, i64, i64);

impl Reader<'_> {
    /// The accepted operations about a record, with what their authors could know; of some types only, if any are named. An
    /// operation of somebody who is nobody now (a computer that counts no more) is not among them.
    pub fn said_about(&self, orders: &Orders<'_, '_>, subject: &Subject, types: &[&str]) -> Result<Vec<Said>, StoreError> {
        let types = (!types.is_empty()).then(|| serde_json::json!(types).to_string());
        let mut statement = self.prepare_cached(
            "SELECT device, n, at_ms, line FROM op WHERE kind = ?1 AND record = ?2 AND state = 'accepted'
             AND (?3 IS NULL OR type IN (SELECT value FROM json_each(?3))) ORDER BY device, n",
        )?;
        let rows = statement
            .query_map(params![subject.kind.as_str(), subject.id, types], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::with_capacity(rows.len());
        for (device, n, at_ms, line) in rows {
            found.extend(self.said(orders, &device, n, at_ms, &line)?);
        }
        Ok(found)
    }

    /// Who put files to a record: the first such operation of each computer stands for all.
    pub fn said_of_files(&self, orders: &Orders<'_, '_>, subject: &Subject) -> Result<Vec<Said>, StoreError> {
        let mut statement = self.prepare_cached(
            "SELECT device, min(n), at_ms, line FROM op WHERE kind = ?1 AND record = ?2 AND state = 'accepted'
             AND type IN ('artifact.logged', 'artifact.referenced') GROUP BY device",
        )?;
        let rows = statement
            .query_map(params![subject.kind.as_str(), subject.id], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::new();
        for (device, n, at_ms, line) in rows {
            found.extend(self.said(orders, &device, n, at_ms, &line)?);
        }
        Ok(found)
    }

    fn said(&self, orders: &Orders<'_, '_>, device: &str, n: u64, at_ms: i64, line: &str) -> Result<Option<Said>, StoreError> {
        let Some(line) = TrailRow::read(line) else { return Ok(None) };
        let id = OpId { device: DeviceId::parse(device).map_err(|e| StoreError::Line(e.to_string()))?, n };
        let acl = self.acl()?;
        let Some((by, _)) = acl.member_of(&id.device) else { return Ok(None) };
        let mut past: Past = (*orders.past(&id)?).clone();
        past.remove(&id.device);
        if n > 1 {
            past.insert(id.device.clone(), n - 1);
        }
        Ok(Some(Said { by: by.clone(), id, past: Arc::new(past), at_ms, why: line.why, op: line.op }))
    }

    /// When an operation of another computer arrived here, by this computer's clock.
    pub fn received_ms(&self, id: &OpId) -> Result<Option<i64>, StoreError> {
        let mut statement = self.prepare_cached("SELECT received_ms FROM op WHERE device = ?1 AND n = ?2")?;
        let mut rows = statement.query(params![id.device.as_str(), id.n])?;
        Ok(match rows.next()? {
            Some(row) => row.get(0)?,
            None => None,
        })
    }

    /// The ids of the records of a kind that belong to one.
    pub fn ids_below(&self, kind: Kind, parent: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self.prepare_cached("SELECT id FROM record WHERE kind = ?1 AND parent = ?2 AND ms IS NOT NULL ORDER BY id")?;
        Ok(statement.query_map([kind.as_str(), parent], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Which versions are of the same content, and who asked to release them.
    pub fn contents(&self) -> Result<Arc<Contents>, StoreError> {
        let version: ContentsVersion = self
            .prepare_cached(
                // The sums tell a record that came after another was rolled back from that other.
                "SELECT v.many, v.sum, r.many, r.sum, coalesce((SELECT CAST(value AS INTEGER) FROM local WHERE key = 'judged_anew'), 0)
                 FROM (SELECT count(*) many, coalesce(sum(ms + n), 0) sum FROM record WHERE kind = 'model_version' AND ms IS NOT NULL) v,
                   (SELECT count(*) many, coalesce(sum(ms + n), 0) sum FROM record WHERE kind = 'release' AND ms IS NOT NULL) r",
            )?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        self.store.cached_contents(version, || {
            let mut made = Contents::default();
            for v in self.records_with(Kind::ModelVersion, None, Some(&["run", "logged_model", "files"]))? {
                let files: Option<BTreeMap<String, Digest>> = v.get("files").and_then(|t| serde_json::from_str(t).ok());
                let filled = |f: &str| v.get(f).filter(|t| !t.is_empty());
                let keys = content_keys(filled("run"), filled("logged_model"), files.as_ref());
                for key in &keys {
                    made.by_key.entry(key.clone()).or_default().push(v.id.clone());
                }
                made.keys.insert(v.id, keys);
            }
            for release in self.records_with(Kind::Release, None, Some(&["version"]))? {
                made.releases.entry(release.text("version")).or_default().push(release.id);
            }
            Ok(made)
        })
    }
}
