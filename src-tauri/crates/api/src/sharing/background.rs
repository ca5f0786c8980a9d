//! Sharing without anybody asking: when the next round is due, and the thread that keeps to it.
//!
//! Several processes have one workspace open (the window, the loopback service, a command line). Each
//! looks whether a round is due; what decides is kept in the workspace file, so one of them shares and
//! the others see that it was done.

use super::share_once;
use crate::ApiError;
use crate::host::{Host, Workspace};
use cairn_core::canonical::sha256;
use cairn_core::op::Op;
use cairn_store::Reader;
use std::sync::Arc;
use std::time::Duration;

/// A shared place bears so many pushes a minute, whoever they come from: 6 on the strictest host that we know.
const PER_COMPUTER_MS: i64 = 10_000;
const SHORTEST_MS: i64 = 30_000;
/// After failures the pause doubles up to this.
const LONGEST_MS: i64 = 15 * 60_000;
/// A decision or a change of rights is sent at once, but those of one moment go together.
const URGENT_MS: i64 = 2_000;
/// A computer that was seen within this counts as active.
const ACTIVE_MS: i64 = 24 * 3_600_000;
/// Every computer witnesses what it has seen of the others this often, even if its user writes nothing.
const WITNESS_MS: i64 = 24 * 3_600_000;
/// How often a process looks whether something is due.
const LOOK: Duration = Duration::from_secs(2);

/// What decides when the next round is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// When the last round began; none yet.
    pub last_ms: Option<i64>,
    /// Rounds that failed since the last that went well.
    pub failures: u32,
    /// Computers that wrote within a day, this one included.
    pub active: u32,
    /// A decision or a change of rights waits to be sent.
    pub urgent: bool,
    /// A number that differs from computer to computer, so that they do not all come at once.
    pub seed: u64,
}

/// When the next round is due, in milliseconds since 1970: 30 seconds after the last, more with many
/// computers, spread by a fifth; at once for what others wait for; later and later while it fails.
pub fn due_ms(load: &Load) -> i64 {
    let Some(last) = load.last_ms else { return i64::MIN };
    let pace = SHORTEST_MS.max(PER_COMPUTER_MS * i64::from(load.active));
    let pause = if load.failures > 0 {
        (SHORTEST_MS << load.failures.min(10)).clamp(SHORTEST_MS, LONGEST_MS)
    } else if load.urgent {
        return last + URGENT_MS;
    } else {
        pace
    };
    // The same computer is a little early once and a little late the next time.
    let spread = i64::try_from(load.seed.wrapping_add(last.unsigned_abs()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).unwrap_or(0);
    last + pause - pause / 10 + spread % (pause / 5).max(1)
}

fn load(workspace: &Workspace, r: &Reader<'_>) -> Result<Option<Load>, ApiError> {
    let number = |key: &str| Ok::<_, ApiError>(r.local(key)?.and_then(|t| t.parse::<i64>().ok()));
    let remote = r.local("remote")?.is_some_and(|place| !place.is_empty());
    if !remote || r.local("share_by_hand")?.as_deref() == Some("1") {
        return Ok(None);
    }
    let now = workspace.edge.now_ms();
    let me = r.device()?;
    let active = r.branches()?.iter().filter(|b| b.device == me || b.at_ms > now - ACTIVE_MS).count();
    let seed = u64::from_str_radix(&sha256(me.as_str().as_bytes()).as_str()[..16], 16).unwrap_or(0);
    Ok(Some(Load {
        last_ms: number("share_began")?.map(|last| last.min(now)),
        failures: number("share_failures")?.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        active: u32::try_from(active).unwrap_or(u32::MAX).max(1),
        urgent: r.urgent_to_share(&me)?,
        seed,
    }))
}

/// Shares if it is time to; `None`: it is not.
pub fn share_if_due(host: &Host) -> Result<Option<super::Round>, ApiError> {
    let Some(workspace) = host.current() else { return Ok(None) };
    let now = workspace.edge.now_ms();
    let Some(load) = workspace.read(|r| load(&workspace, r))? else { return Ok(None) };
    if due_ms(&load) > now {
        return Ok(None);
    }
    witness(&workspace, now)?;
    share_once(host, &workspace).map(Some)
}

/// Says once a day what this computer has seen of the others, so that nobody can hide it from them later.
fn witness(workspace: &Workspace, now: i64) -> Result<(), ApiError> {
    let due = workspace.read(|r| {
        let me = r.device()?;
        let branches = r.branches()?;
        let Some(own) = branches.iter().find(|b| b.device == me) else { return Ok(false) };
        let news = branches.iter().any(|b| b.device != me && b.at_ms > own.at_ms);
        Ok::<_, ApiError>(news && own.at_ms < now - WITNESS_MS && workspace.me(r)?.is_some())
    })?;
    if due {
        workspace.append(Op::DeviceWitnessed {})?;
    }
    Ok(())
}

/// Keeps sharing in the background for as long as the program runs.
pub fn keep_sharing(host: &Arc<Host>) {
    if std::env::var_os("CAIRN_SHARE_BY_HAND").is_some() {
        return;
    }
    let host = Arc::clone(host);
    std::thread::spawn(move || {
        loop {
            // A failure is kept for the status line; here it only means: later.
            if let Err(error) = share_if_due(&host) {
                tracing::info!("sharing in the background: {error}");
            }
            std::thread::sleep(LOOK);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    fn pause(load: Load) -> i64 {
        due_ms(&Load { last_ms: Some(NOW), ..load }) - NOW
    }

    #[test]
    fn few_computers_share_every_half_minute_many_share_in_turn() {
        for seed in 0..200 {
            let alone = pause(Load { active: 1, seed, ..Load::default() });
            assert!((27_000..=33_000).contains(&alone), "{alone}");
            let many = pause(Load { active: 50, seed, ..Load::default() });
            assert!((450_000..=550_000).contains(&many), "fifty computers stay below six pushes a minute: {many}");
        }
    }

    #[test]
    fn computers_that_started_together_do_not_stay_together() {
        let times: std::collections::BTreeSet<i64> =
            (0..20_u64).map(|i| pause(Load { active: 1, seed: i.wrapping_mul(0x1234_5678_9abc_def1), ..Load::default() })).collect();
        assert!(times.len() > 15, "{times:?}");
    }

    #[test]
    fn a_decision_goes_at_once_unless_the_place_cannot_be_reached() {
        assert_eq!(pause(Load { active: 50, urgent: true, ..Load::default() }), URGENT_MS);
        assert!(pause(Load { active: 1, urgent: true, failures: 3, ..Load::default() }) > 200_000);
    }

    #[test]
    fn failures_make_it_rarer_and_never_rarer_than_a_quarter_of_an_hour() {
        let mut last = 0;
        for failures in 1..40 {
            let now = pause(Load { active: 1, failures, ..Load::default() });
            assert!(now >= last * 8 / 10 && now <= LONGEST_MS * 11 / 10, "{failures}: {now}");
            last = now;
        }
        assert!(last > LONGEST_MS * 8 / 10);
    }
}
