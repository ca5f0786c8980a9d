//! Where all projects stand: read in a few goes and kept, so that hundreds of projects and thousands of handoffs are told at once.

mod loaded;

pub(crate) use loaded::Loaded;

use crate::ApiError;
use crate::checks::{Looker, Shared, handed_over, template_of};
use crate::host::{Host, Workspace};
use crate::people::{PartyName, RoleName, party};
use crate::problem::answer_of;
use crate::projects::{is_turn_of, members_of, stage_of};
use crate::releases::{self, Judged};
use crate::workspaces::Nothing;
use cairn_core::authority::Acl;
use cairn_core::id::MemberId;
use cairn_core::lifecycle::{Lifecycle, Requirement, Stage};
use cairn_core::op::{Environment, Party, Severity};
use cairn_core::role::Role;
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use ts_rs::TS;

/// A project in a line: for the owner what it is worth and what must be decided, for the team whose turn it is.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PortfolioRow {
    pub id: String,
    pub title: String,
    pub cycle: u32,
    pub stage: String,
    pub stage_name: String,
    /// 1 to 6.
    pub stage_number: u32,
    /// Since when it is in its stage.
    pub since_ms: i64,
    /// `low`, `medium`, `high`, or empty.
    pub risk: String,
    pub hypothesis: String,
    pub value_metric: String,
    /// The day on which it is decided whether it was a success.
    pub success_date: Option<String>,
    /// What is missing next, in words; empty: it can move on.
    pub next: String,
    /// Whose turn it is.
    pub turn: Option<RoleName>,
    /// The person who has it in hand, where one has.
    pub with: Option<PartyName>,
    pub my_turn: bool,
    /// I am named in it, or I began it.
    pub mine: bool,
    pub blocked: bool,
    /// Handoffs and findings whose day is over.
    pub overdue: u32,
    pub open_findings: u32,
    pub high_findings: u32,
    /// The newest release's state.
    pub release: Option<String>,
    /// Something of it runs in production.
    pub live: bool,
    /// `completed` or `cancelled`.
    pub ended: Option<String>,
}

/// All projects as somebody looks at them.
pub(crate) struct Overview<'r, 'c> {
    workspace: &'r Workspace,
    pub r: &'r Reader<'c>,
    pub acl: Arc<Acl>,
    pub me: Option<MemberId>,
    loaded: Arc<Loaded>,
    /// By this computer's calendar.
    pub today: String,
}

impl Deref for Overview<'_, '_> {
    type Target = Loaded;
    fn deref(&self) -> &Loaded {
        &self.loaded
    }
}

/// Where a project stands, judged as far as its first missing requirement.
pub(crate) struct Standing {
    pub template: Arc<Lifecycle>,
    pub stage: Stage,
    pub cycle: u32,
    pub missing: Option<Requirement>,
    /// Records of other projects were looked at for it.
    pub wide: bool,
    /// Its releases, by id.
    pub releases: BTreeMap<String, Arc<Judged>>,
}

impl<'r, 'c> Overview<'r, 'c> {
    pub(crate) fn new(workspace: &'r Workspace, r: &'r Reader<'c>) -> Result<Self, ApiError> {
        let loaded = Loaded::now(workspace, r)?;
        Ok(Self { workspace, r, acl: r.acl()?, me: workspace.me(r)?, loaded, today: today(workspace) })
    }

    /// Where a project stands; of all it is found out at once, and kept with them.
    pub(crate) fn standing(&self, project: &Record) -> Result<Arc<Standing>, ApiError> {
        let known = self.loaded.standings(self.workspace)?.get(&project.id).cloned();
        known.map_or_else(|| Ok(Arc::new(judged(self.r, &self.shared, project)?)), Ok)
    }

    /// A release of a project, judged.
    pub(crate) fn release(&self, project: &Record, release: &Record) -> Result<Arc<Judged>, ApiError> {
        let known = self.standing(project)?.releases.get(&release.id).cloned();
        known.map_or_else(|| Ok(Arc::new(releases::state_of(self.r, release)?)), Ok)
    }

    /// Whether I hold a role.
    pub(crate) fn i_am(&self, role: Role) -> bool {
        self.me.as_ref().and_then(|m| self.acl.members.get(m)).is_some_and(|m| m.roles.contains(&role))
    }

    /// Whether a project is one of mine: I am named in it, or I began it.
    pub(crate) fn is_mine(&self, project: &Record) -> bool {
        let Some(me) = &self.me else { return false };
        members_of(project).iter().any(|(m, _)| m == me.as_str()) || crate::people::person_at(&self.acl, &project.device).id == me.as_str()
    }

    pub(crate) fn checklists(&self, project: &str) -> &[Record] {
        self.shared.checklists.get(project).map(Vec::as_slice).unwrap_or_default()
    }

    fn row(&self, project: &Record) -> Result<PortfolioRow, ApiError> {
        let ended = project.get("ended").map(str::to_owned);
        let standing = self.standing(project)?;
        let (template, stage, cycle) = (&standing.template, standing.stage, standing.cycle);
        let missing = standing.missing.as_ref().filter(|_| ended.is_none());
        let members = members_of(project);
        let findings = self.findings.get(&project.id).map(Vec::as_slice).unwrap_or_default();
        let open: Vec<&Record> = findings.iter().filter(|f| f.get("outcome").is_none()).collect();
        let lists: Vec<&Record> = self.checklists(&project.id).iter().filter(|c| c.int("cycle") == Some(i64::from(cycle))).collect();
        let running: Vec<&&Record> = lists.iter().filter(|c| c.get("state") != Some("accepted")).collect();
        let over = |x: &&Record| x.get("due").is_some_and(|d| d < self.today.as_str());
        // Whoever has the handoff in hand that is missing.
        let with = missing.and_then(|m| {
            let cairn_core::lifecycle::Check::ChecklistCompleted { gate } = &m.check else { return None };
            let list = lists.iter().find(|c| c.get("gate") == Some(gate))?;
            let holder = list.get("holder").and_then(|h| MemberId::parse(h).ok()).map(Party::Member);
            let given = list.get("assigned").and_then(|a| serde_json::from_str::<Party>(a).ok());
            Some(party(&self.acl, self.me.as_ref(), &holder.or(given)?))
        });
        let release = match self.releases.get(&project.id).and_then(|all| all.last()) {
            Some(newest) => Some(self.release(project, newest)?.standing.state.as_str().to_owned()),
            None => None,
        };
        let live = self
            .deployments
            .get(&project.id)
            .is_some_and(|all| all.iter().any(|d| d.get("environment") == Some(Environment::Production.as_str())));
        let turn = missing.map(|m| m.owner);
        Ok(PortfolioRow {
            id: project.id.clone(),
            title: project.text("title"),
            cycle,
            stage: stage.as_str().to_owned(),
            stage_name: template.stage(stage).map_or_else(String::new, |s| s.name.clone()),
            stage_number: Stage::ALL.iter().position(|s| *s == stage).map_or(1, |i| u32::try_from(i + 1).unwrap_or(1)),
            since_ms: project.cell("stage").map_or(project.at_ms, |c| c.at_ms),
            risk: crate::risk::class_word(self.r, &project.id)?,
            hypothesis: project.text("hypothesis"),
            value_metric: project.text("value_metric"),
            success_date: answer_of(project, "success_date").map(str::to_owned),
            next: missing.map(|m| m.text.clone()).unwrap_or_default(),
            my_turn: turn.is_some_and(|role| is_turn_of(&self.acl, self.me.as_ref(), &members, role)),
            turn: turn.map(RoleName::from),
            with,
            mine: self.is_mine(project),
            blocked: running.iter().any(|c| c.get("blocked").is_some()),
            overdue: u32::try_from(running.iter().filter(|c| !handed_over(c) && over(c)).count() + open.iter().filter(|f| over(f)).count())
                .unwrap_or(0),
            open_findings: u32::try_from(open.len()).unwrap_or(0),
            high_findings: u32::try_from(open.iter().filter(|f| f.get("severity") == Some(Severity::High.as_str())).count()).unwrap_or(0),
            release,
            live,
            ended,
        })
    }
}

fn judged(r: &Reader<'_>, shared: &Shared, project: &Record) -> Result<Standing, ApiError> {
    let (stage, cycle) = stage_of(project);
    let (template, _) = template_of(r, project)?;
    let looker = Looker::new(r, project, cycle, template.clone()).with(shared);
    let mut missing = None;
    for requirement in template.stage(stage).map(|s| s.requirements.as_slice()).unwrap_or_default() {
        if !looker.look(&requirement.check)?.met {
            missing = Some(requirement.clone());
            break;
        }
    }
    let releases = looker.releases()?.iter().map(|(release, judged)| (release.id.clone(), Arc::clone(judged))).collect();
    let wide = looker.looked_wide();
    Ok(Standing { template, stage, cycle, missing, wide, releases })
}

/// The day that it is here: days are of the calendar on the wall.
pub(crate) fn today(workspace: &Workspace) -> String {
    let local = workspace.edge.now_ms() + i64::from(workspace.edge.tz_minutes()) * 60_000;
    crate::edge::rfc3339(local).chars().take(10).collect()
}

/// All projects, the oldest first.
pub fn portfolio(host: &Host, _: Nothing) -> Result<Vec<PortfolioRow>, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let all = Overview::new(&workspace, r)?;
        all.projects.iter().map(|p| all.row(p)).collect()
    })
}
