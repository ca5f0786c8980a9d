//! Checking the whole history again, from the first operation.

use super::content::check_content;
use super::round::{follow, lock, repo};
use crate::host::{Host, Workspace};
use crate::workspaces::Nothing;
use crate::{ApiError, edge};
use cairn_core::authority::{History, Line, Past};
use cairn_core::id::{DeviceId, Digest};
use cairn_core::op::{OpLine, ReadLine};
use cairn_store::judge::{Envelope, data};
use cairn_store::log::TrailRow;
use cairn_sync::envelope::{Inspected, inspect};
use cairn_sync::{Errand, Repo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use ts_rs::TS;

/// The result of checking the whole history again.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Verified {
    pub commits: u64,
    pub operations: u64,
    /// Kept and shown, but without effect; how many of each state.
    pub refused: u64,
    pub held: u64,
    pub unknown: u64,
    /// Everything that is not as it should be, one sentence each.
    pub problems: Vec<String>,
    /// How many problems there are; the list stops at a thousand.
    pub problem_count: u64,
    /// Not sealed into commits yet.
    pub waiting: u64,
    pub at: String,
}

/// Checks every commit again, from the first one: its signature, its place in the chain, that the
/// workspace file holds exactly what was signed, and that every operation has the verdict that
/// follows from the signed history.
pub fn verify(host: &Host, _: Nothing) -> Result<Verified, ApiError> {
    let workspace = host.workspace()?;
    let _one = lock(&workspace)?;
    let repo = repo(&workspace)?;
    follow(&workspace, &repo)?;
    let errand = Arc::new(Errand::default());
    host.set_errand(Some(Arc::clone(&errand)));
    let found = check(&workspace, &repo, &errand);
    host.set_errand(None);
    found
}

struct Check<'a> {
    workspace: &'a Workspace,
    repo: &'a Repo,
    history: History,
    /// The last commit of each device: number, id, sha256, last operation.
    chain: BTreeMap<DeviceId, (u64, String, Digest, u64)>,
    out: Verified,
}

fn check(workspace: &Workspace, repo: &Repo, errand: &Errand) -> Result<Verified, ApiError> {
    let at = edge::rfc3339(workspace.edge.now_ms());
    let (order, waiting) = workspace.read(|r| Ok::<_, ApiError>((r.envelope_order(None)?, r.unsealed(&workspace.device())?)))?;
    let out = Verified { commits: 0, operations: 0, refused: 0, held: 0, unknown: 0, problems: Vec::new(), problem_count: 0, waiting, at };
    let mut check = Check { workspace, repo, history: History::default(), chain: BTreeMap::new(), out };
    // First who may do what, then what was done: a verdict needs all that is known of authority.
    for oid in &order {
        check.authority(oid)?;
    }
    let now = check.history.now();
    for (i, oid) in order.iter().enumerate() {
        if errand.cancelled() {
            return Err(cairn_sync::TransportError::Cancelled.into());
        }
        errand.at("Checking every signature again", i as u64, Some(order.len() as u64));
        check.commit(oid, &now)?;
    }
    for branch in workspace.read(|r| r.branches())? {
        if check.chain.get(&branch.device).is_none_or(|(_, oid, ..)| *oid != branch.tip) {
            check.problem(format!("The branch of {} does not end where the workspace file says.", branch.device));
        }
    }
    Ok(check.out)
}

impl Check<'_> {
    fn problem(&mut self, sentence: String) {
        self.out.problem_count += 1;
        if self.out.problems.len() < 1_000 {
            self.out.problems.push(sentence);
        }
    }

    fn stored(&self, oid: &str) -> Result<(Envelope, Vec<TrailRow>), ApiError> {
        self.workspace.read(|r| {
            let envelope = r.envelope(oid)?;
            let rows = r.lines_in(&envelope)?;
            Ok((envelope, rows))
        })
    }

    fn authority(&mut self, oid: &str) -> Result<(), ApiError> {
        let (envelope, rows) = self.stored(oid)?;
        for row in rows.iter().filter(|row| row.authority) {
            let Ok(ReadLine::Known(line)) = OpLine::read(&row.line) else { continue };
            let judged = Line { device: &envelope.device, n: row.n, past: &envelope.past, op: &line.op, why: line.why.as_deref() };
            let good =
                check_content(&line.op, &self.history.seen_by(&judged), &envelope.device).is_ok() && self.history.take(&judged).is_ok();
            if good == (row.state == "refused") {
                self.problem(format!("{} is kept as {}, which does not follow from the history.", row.id, row.state));
            }
        }
        Ok(())
    }

    fn commit(&mut self, oid: &str, now: &cairn_core::authority::Acl) -> Result<(), ApiError> {
        self.out.commits += 1;
        let (envelope, rows) = self.stored(oid)?;
        let device = envelope.device.clone();
        let found = match inspect(self.repo, oid, &device, now.key_of(&device)) {
            Ok(found) => found,
            Err(fault) => {
                self.problem(format!("Commit {oid} of {device}: {fault}."));
                return Ok(());
            }
        };
        self.place(&envelope, &found)?;
        let same = rows.len() == found.lines.len() && rows.iter().zip(&found.lines).all(|(a, b)| a.line == *b);
        if !same {
            self.problem(format!("The workspace file and the signed commit {oid} do not hold the same operations."));
        }
        self.out.operations += found.header.count;
        self.verdicts(&envelope, &rows, now);
        Ok(())
    }

    fn place(&mut self, envelope: &Envelope, found: &Inspected) -> Result<(), ApiError> {
        let (oid, device, header) = (&envelope.oid, &envelope.device, &found.header);
        let follows = match self.chain.get(device) {
            None => header.seq == 1 && header.first == 1 && header.prev.is_none(),
            Some((seq, before, sha256, last)) => {
                header.seq == seq + 1
                    && header.first == last + 1
                    && header.prev.as_ref() == Some(sha256)
                    && found.parents.first() == Some(before)
            }
        };
        if !follows || header.seq != envelope.seq {
            self.problem(format!("Commit {oid} of {device} does not follow the one before it."));
        }
        let last = header.first + header.count - 1;
        self.chain.insert(device.clone(), (header.seq, oid.clone(), found.sha256.clone(), last));
        let mut pasts: Vec<Past> = Vec::new();
        for parent in &found.parents {
            pasts.extend(self.workspace.read(|r| r.past_of(parent))?);
        }
        let mut past = cairn_store::sharing::union(&pasts);
        past.remove(device);
        if pasts.len() != found.parents.len() || past != envelope.past || found.sha256.as_str() != envelope.sha256 {
            self.problem(format!("The workspace file says something else about commit {oid} than the commit itself."));
        }
        Ok(())
    }

    fn verdicts(&mut self, envelope: &Envelope, rows: &[TrailRow], now: &cairn_core::authority::Acl) {
        let mut then = None;
        for row in rows {
            match row.state.as_str() {
                "refused" => self.out.refused += 1,
                "held" => self.out.held += 1,
                "unknown" => self.out.unknown += 1,
                _ => {}
            }
            let Ok(ReadLine::Known(line)) = OpLine::read(&row.line) else { continue };
            if row.authority {
                continue;
            }
            let judged = Line { device: &envelope.device, n: row.n, past: &envelope.past, op: &line.op, why: line.why.as_deref() };
            let then = then.get_or_insert_with(|| self.history.seen_by(&judged));
            let (state, _) = data(then, now, &judged, &check_content);
            if state.as_str() != row.state {
                self.out.problem_count += 1;
                self.out.problems.push(format!("{} is kept as {}, but {} follows from the history.", row.id, row.state, state.as_str()));
            }
        }
    }
}
