//! What the records of the workspace say to a statement about how the team works.
//!
//! It is a hint beside the team's own answer, and no verdict: a team may do well what Cairn does not see.

use crate::ApiError;
use crate::releases;
use crate::reproduce::origin_of;
use cairn_core::decision::State;
use cairn_core::op::{Environment, Kind};
use cairn_store::Reader;
use cairn_store::records::{Cell, Record};
use cairn_store::search::{RunSearch, View};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use ts_rs::TS;

/// What can be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Look {
    RunsTracked,
    CodeKnown,
    DataKnown,
    DataChecked,
    PipelineTested,
    Canary,
    VersionsRegistered,
    HandedOver,
    DeployedAsApproved,
    WayBack,
    Triggered,
    FindingsSettled,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Seen {
    /// `yes`, `partly` or `no`; none: there is nothing yet to judge by.
    pub met: Option<String>,
    pub said: String,
}

/// Finished runs that are looked at, and among how many of the newest they are looked for.
const RUNS: usize = 300;
const AMONG: usize = 3_000;

pub(super) struct Looker<'r, 'c> {
    r: &'r Reader<'c>,
    runs: Vec<Record>,
}

/// Most of them: yes; some: partly.
fn share(n: usize, of: usize, said: impl Fn(usize, usize) -> String, nothing: &str) -> Seen {
    let met = match (n, of) {
        (_, 0) => return Seen { met: None, said: nothing.to_owned() },
        (0, _) => "no",
        (n, of) if n * 10 >= of * 9 => "yes",
        _ => "partly",
    };
    Seen { met: Some(met.to_owned()), said: said(n, of) }
}

fn some(n: usize, said: String, nothing: &str) -> Seen {
    if n == 0 { Seen { met: None, said: nothing.to_owned() } } else { Seen { met: Some("yes".to_owned()), said } }
}

impl<'r, 'c> Looker<'r, 'c> {
    pub(super) fn new(r: &'r Reader<'c>) -> Result<Self, ApiError> {
        let search = RunSearch { view: View::Active, limit: AMONG, ..RunSearch::default() };
        let ids = crate::tracking::runs::views(r, &r.search_runs(&search)?.runs, Some(&[]))?;
        let mut runs = Vec::new();
        for run in ids.into_iter().filter(|run| run.status == "FINISHED").take(RUNS) {
            runs.extend(r.record(Kind::Run, &run.id)?);
        }
        Ok(Self { r, runs })
    }

    pub(super) fn look(&self, what: Look) -> Result<Seen, ApiError> {
        const NO_RUN: &str = "No run has finished yet.";
        Ok(match what {
            Look::RunsTracked => {
                let computers: BTreeSet<&str> = self.runs.iter().map(|r| r.device.as_str()).collect();
                some(
                    self.runs.len(),
                    format!("The newest {} finished runs came from {} computers.", self.runs.len(), computers.len()),
                    NO_RUN,
                )
            }
            Look::CodeKnown => {
                let known = self.runs.iter().filter(|r| origin_of(r).code.is_some_and(|c| c.commit.is_some_and(|c| !c.is_empty()))).count();
                self.of_runs(known, "name their commit")
            }
            Look::DataKnown => {
                let digest = |c: &Cell| {
                    serde_json::from_str::<serde_json::Value>(&c.value)
                        .is_ok_and(|v| v["dataset"]["digest"].as_str().is_some_and(|d| !d.is_empty()))
                };
                let names = |r: &&Record| r.cells.of("input").any(|(_, c)| digest(c));
                self.of_runs(self.runs.iter().filter(names).count(), "name their data by fingerprint")
            }
            Look::DataChecked => self.tagged("data_validation"),
            Look::PipelineTested => self.tagged("pipeline_test"),
            Look::Canary => self.tagged("canary"),
            Look::VersionsRegistered => {
                let all = self.r.records(Kind::ModelVersion, None)?;
                let with = all.iter().filter(|v| !v.deleted() && v.cells.of("card").next().is_some()).count();
                let live = all.iter().filter(|v| !v.deleted()).count();
                share(with, live, |n, of| format!("{n} of {of} model versions have a card."), "No model version is registered yet.")
            }
            Look::HandedOver => {
                let all = self.r.records_with(Kind::Checklist, None, Some(&["state", "deleted"]))?;
                let state =
                    |wanted: &[&str]| all.iter().filter(|c| !c.deleted() && wanted.contains(&c.get("state").unwrap_or_default())).count();
                let (accepted, sent) = (state(&["accepted"]), state(&["completed", "received", "accepted"]));
                share(accepted, sent, |n, of| format!("{n} of {of} finished handoffs were accepted."), "No handoff is finished yet.")
            }
            Look::DeployedAsApproved => self.approved()?,
            Look::WayBack => self.way_back()?,
            Look::Triggered => {
                let begun = self.r.records_with(Kind::Project, None, Some(&["trigger", "deleted"]))?;
                let n: usize = begun.iter().filter(|p| !p.deleted()).map(|p| p.cells.of("trigger").count()).sum();
                some(n, format!("{n} new cycles began with a recorded trigger."), "No new cycle has begun yet.")
            }
            Look::FindingsSettled => {
                let all = self.r.records_with(Kind::Finding, None, Some(&["outcome"]))?;
                let settled = all.iter().filter(|f| f.get("outcome").is_some()).count();
                share(settled, all.len(), |n, of| format!("{n} of {of} findings are settled."), "No finding was raised yet.")
            }
        })
    }

    fn of_runs(&self, n: usize, what: &str) -> Seen {
        share(n, self.runs.len(), |n, of| format!("{n} of the newest {of} finished runs {what}."), "No run has finished yet.")
    }

    fn tagged(&self, tag: &str) -> Seen {
        let passed = |r: &&Record| r.get_key("tag", tag).is_some_and(|v| v.trim().eq_ignore_ascii_case("passed"));
        let n = self.runs.iter().filter(passed).count();
        if self.runs.is_empty() {
            return Seen { met: None, said: "No run has finished yet.".to_owned() };
        }
        // How many should have it nobody knows.
        let met = (n > 0).then(|| "partly".to_owned());
        let seen = |said: String| Seen { met: met.clone(), said };
        if n == 0 {
            return seen(format!("No run has the tag {tag} = passed."));
        }
        seen(format!("{n} of the newest finished runs have the tag {tag} = passed."))
    }

    fn production(&self) -> Result<Vec<Record>, ApiError> {
        let all = self.r.records(Kind::Deployment, None)?;
        Ok(all.into_iter().filter(|d| d.get("environment") == Some(Environment::Production.as_str())).collect())
    }

    fn approved(&self) -> Result<Seen, ApiError> {
        let all = self.production()?;
        let mut good = 0;
        for deployment in &all {
            let release = deployment.get("release").map(|id| self.r.record(Kind::Release, id)).transpose()?.flatten();
            if let Some(release) = release {
                let state = releases::state_of(self.r, &release)?.standing.state;
                if matches!(state, State::Undetermined(_)) {
                    return Ok(Seen {
                        met: None,
                        said: "Somebody changed who may do what with a newer Cairn; update this one first.".to_owned(),
                    });
                }
                good += usize::from(state == State::Approved && release.get("version") == deployment.get("version"));
            }
        }
        let said = |n, of| format!("{n} of {of} deployments to production name a release of that version whose approval stands.");
        Ok(share(good, all.len(), said, "Nothing is in production yet."))
    }

    fn way_back(&self) -> Result<Seen, ApiError> {
        let all = self.production()?;
        let mut versions: BTreeSet<(String, &str)> = BTreeSet::new();
        for deployment in &all {
            let version = deployment.get("version").unwrap_or_default();
            versions.insert((self.r.parent_of(Kind::ModelVersion, version)?.unwrap_or_default(), version));
        }
        let models: BTreeSet<&str> = versions.iter().map(|v| v.0.as_str()).collect();
        let with = models.iter().filter(|m| versions.iter().filter(|v| v.0 == **m).count() > 1).count();
        let said =
            |n, of| format!("{n} of {of} models in production have a version before to go back to; whether that was tried only you know.");
        Ok(share(with, models.len(), said, "Nothing is in production yet."))
    }
}
