//! Metric segments: packed before a round, sent beside the log, fetched when somebody looks, pruned by policy.

use super::round::{lock, point, repo};
use super::transport;
use crate::ApiError;
use crate::host::{Host, Workspace};
use cairn_core::canonical::sha256;
use cairn_store::metrics::Point;
use cairn_store::segments::SegmentRef;
use cairn_sync::segment::{POINTS_MAX, SegmentPoint, decode, encode};
use cairn_sync::{Errand, Remote, Repo, TransportError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FetchPoints {
    pub run: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Fetched {
    /// Points that came now.
    pub points: u64,
    /// Files that the shared place no longer holds; the outline stays.
    pub gone: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Prune {
    /// Points of runs that were stored longer ago than this.
    pub older_than_days: u32,
    /// Take this computer's old files out of the shared place too, not only those of others from here.
    #[serde(default)]
    pub shared: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Pruned {
    /// Points of other computers that were forgotten here.
    pub points: u64,
    /// Branches taken out of the shared place.
    pub branches: u64,
}

/// Puts own points that are in no segment yet into some, and says so in the log. Own points stay here.
pub(super) fn pack(workspace: &Workspace) -> Result<(), ApiError> {
    loop {
        let unpacked = workspace.read(|r| r.unpacked(POINTS_MAX))?;
        if unpacked.series.is_empty() {
            return Ok(());
        }
        let points: Vec<SegmentPoint> = unpacked
            .series
            .iter()
            .flat_map(|s| {
                s.points.iter().map(|p| SegmentPoint {
                    run: s.run.to_string(),
                    metric: s.key.clone(),
                    step: p.step,
                    time_ms: p.ts,
                    value: p.value,
                })
            })
            .collect();
        let bytes = encode(&points)?;
        workspace.write(|w| w.packed(&sha256(&bytes), &bytes, &unpacked))?;
        point("segment.packed");
    }
}

/// Sends own segments that others cannot get yet.
pub(super) fn push(workspace: &Workspace, repo: &Repo, remote: &dyn Remote, errand: &Errand) -> Result<(), ApiError> {
    let waiting = workspace.read(|r| r.unshared_segments())?;
    let mut volumes: BTreeSet<(String, u32)> = BTreeSet::new();
    for segment in waiting {
        let key = workspace.kept_key(&cairn_core::id::DeviceId::parse(segment.device.clone())?)?;
        repo.add_segment(&key, segment.volume, &segment.digest, &segment.bytes, workspace.edge.now_ms())?;
        volumes.insert((segment.device, segment.volume));
    }
    for (device, volume) in volumes {
        errand.at("Sending metric points", 0, None);
        remote.push(repo, &Repo::segments_ref(&device, volume), errand)?;
        point("segment.pushed");
        workspace.write(|w| w.segments_shared(&device, volume))?;
    }
    Ok(())
}

/// Gets the points of a run that other computers logged.
pub fn fetch_points(host: &Host, request: FetchPoints) -> Result<Fetched, ApiError> {
    let workspace = host.workspace()?;
    let wanted: Vec<SegmentRef> = workspace.read(|r| r.segments_of(&request.run))?.into_iter().filter(|s| !s.here).collect();
    let mut done = Fetched { points: 0, gone: 0 };
    if wanted.is_empty() {
        return Ok(done);
    }
    let remote = transport(host, &workspace)?;
    let _one = lock(&workspace)?;
    let repo = repo(&workspace)?;
    let errand = Arc::new(Errand::default());
    host.set_errand(Some(Arc::clone(&errand)));
    let mut asked: BTreeSet<(String, u32)> = BTreeSet::new();
    let all = wanted.len() as u64;
    let result = wanted.iter().enumerate().try_for_each(|(i, segment)| {
        errand.at("Getting metric points", i as u64, Some(all));
        let (device, name) = (segment.device.to_string(), Repo::segments_ref(segment.device.as_str(), segment.volume));
        let mut found = repo.segment(&device, segment.volume, &segment.digest, segment.bytes)?;
        if found.is_none() && asked.insert((device.clone(), segment.volume)) {
            match remote.fetch_ref(&repo, &name, &name, &errand) {
                Ok(()) => found = repo.segment(&device, segment.volume, &segment.digest, segment.bytes)?,
                Err(TransportError::NotFound(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        match found {
            Some(bytes) => done.points += take(&workspace, segment, &bytes)?,
            None => done.gone += 1,
        }
        Ok::<_, ApiError>(())
    });
    host.set_errand(None);
    result.map(|()| done)
}

fn take(workspace: &Workspace, segment: &SegmentRef, bytes: &[u8]) -> Result<u64, ApiError> {
    let points = decode(bytes)?;
    let rows = points.iter().map(|p| (p.run.as_str(), p.metric.as_str(), Point { step: p.step, ts: p.time_ms, value: p.value }));
    workspace.write(|w| w.take_segment(segment, rows))?;
    Ok(points.len() as u64)
}

/// Forgets old points: those of others here, and on request this computer's own files in the shared
/// place. What was signed about them stays, and so do the own points on this computer.
pub fn prune(host: &Host, request: Prune) -> Result<Pruned, ApiError> {
    let workspace = host.workspace()?;
    let moment = workspace.edge.now_ms() - i64::from(request.older_than_days) * 86_400_000;
    let points = workspace.write(|w| w.forget_fetched(moment))?;
    let mut done = Pruned { points, branches: 0 };
    if !request.shared {
        return Ok(done);
    }
    let remote = transport(host, &workspace)?;
    let _one = lock(&workspace)?;
    let repo = repo(&workspace)?;
    let device = workspace.device();
    for volume in workspace.read(|r| r.volumes_before(&device, moment))? {
        let name = Repo::segments_ref(device.as_str(), volume);
        match remote.delete(&repo, &name, &Errand::default()) {
            Ok(()) => done.branches += 1,
            // Gone already.
            Err(TransportError::NotFound(_)) => {}
            Err(other) => return Err(other.into()),
        }
        repo.delete_ref(&name)?;
    }
    Ok(done)
}
