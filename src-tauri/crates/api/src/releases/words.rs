//! What a standing means, in sentences that an owner can read. The only place that turns reasons into words.

use super::case::Judged;
use super::measure;
use crate::checklists::title_of;
use crate::people::person;
use crate::{ApiError, edge};
use cairn_core::authority::Acl;
use cairn_core::criterion::Verdict;
use cairn_core::decision::{Block, Challenge, Challenged, Discounted, Flaw, Made, Moved, State, Unclear};
use cairn_core::id::{MemberId, OpId};
use cairn_core::op::{Kind, Op, RiskClass, Ruling, Subject};
use cairn_core::role::Role;
use cairn_store::Reader;

/// Speaks about one release.
pub(crate) struct Words<'a, 'r> {
    pub r: &'a Reader<'r>,
    pub acl: &'a Acl,
    pub judged: &'a Judged,
}

pub(crate) fn roles(roles: &[Role]) -> String {
    roles.iter().map(|r| r.label()).collect::<Vec<_>>().join(" and ")
}

/// The subject of a signature, as people say it.
pub(crate) fn subject(name: &str) -> String {
    match name.split_once('/') {
        _ if name == "card" => "the model card".to_owned(),
        _ if name == "model" => "the model's files".to_owned(),
        Some(("dataset", data)) => format!("the dataset {data}"),
        Some(("criteria", _)) => "the acceptance criteria".to_owned(),
        _ => format!("the {name}"),
    }
}

fn class(found: Option<RiskClass>) -> &'static str {
    found.map_or("not set", RiskClass::as_str)
}

impl Words<'_, '_> {
    pub(crate) fn name(&self, id: &MemberId) -> String {
        person(self.acl, id.as_str()).name
    }

    fn by(&self, id: &OpId) -> String {
        self.judged.said_of(id).map_or_else(|| "somebody".to_owned(), |s| self.name(&s.by))
    }

    fn why(&self, id: &OpId) -> String {
        let why = self.judged.said_of(id).and_then(|s| s.why.clone()).filter(|w| !w.trim().is_empty());
        why.map_or_else(|| ", without a reason".to_owned(), |w| format!(": \u{201c}{w}\u{201d}"))
    }

    fn title(&self, subject: &Subject) -> Result<String, ApiError> {
        let what = match subject.kind {
            Kind::ModelVersion => "the model version",
            Kind::Model => "the model",
            Kind::Run => "the run",
            Kind::Experiment => "the experiment",
            Kind::Project => "the project",
            Kind::LoggedModel => "the logged model",
            _ => "the record",
        };
        Ok(format!("{what} \u{201c}{}\u{201d}", title_of(self.r, subject)?))
    }

    fn project(&self, id: &str) -> Result<String, ApiError> {
        title_of(self.r, &Subject { kind: Kind::Project, id: id.to_owned() })
    }

    fn finding(&self, id: &str) -> Result<String, ApiError> {
        title_of(self.r, &Subject { kind: Kind::Finding, id: id.to_owned() })
    }

    /// Who is behind a role in the frozen rule, for the sentence of what is missing.
    pub(crate) fn state(&self) -> Result<String, ApiError> {
        let standing = &self.judged.standing;
        Ok(match &standing.state {
            State::Undetermined(Unclear::NewerAuthority) => {
                "Undetermined: somebody changed who may do what, or the rules, with a newer Cairn. Update this one to see whether it is approved."
                    .to_owned()
            }
            State::Undetermined(Unclear::UnknownPolicy) => {
                "Undetermined: this Cairn does not know the policy that the request froze. Update it.".to_owned()
            }
            State::Undetermined(Unclear::Incomplete) => "Undetermined: not all of it has arrived on this computer yet. Share now.".to_owned(),
            State::Void(flaw) => format!("The request does not hold: {} A new request is the way on.", self.flaw(flaw)?),
            State::Withdrawn => "The request was withdrawn.".to_owned(),
            State::Rejected => "The release was rejected. A new request, which answers what was said, is the way on.".to_owned(),
            State::TakenBack => {
                let taken = standing.signed.iter().filter(|s| s.ruling == Ruling::TakenBack && s.discounted.is_none());
                let names: Vec<String> = taken.map(|s| self.name(&s.by)).collect();
                format!("{} took the approval back. It may not go live until that role approves again.", names.join(" and "))
            }
            State::SentBack => "Sent back: something should change before it is decided.".to_owned(),
            State::Stale(moved) => {
                let all = moved.iter().map(|m| self.moved(m)).collect::<Vec<_>>();
                format!("Stale: {}. It must be decided anew.", all.join("; "))
            }
            State::Waiting(missing) => format!("Waits for the decision of: {}.", roles(missing)),
            State::Approved if !standing.blocks.is_empty() => "Approved, and held up: see below.".to_owned(),
            State::Approved if standing.older => "Approved, under the rules of an earlier Cairn.".to_owned(),
            State::Approved => "Approved. It may go live.".to_owned(),
        })
    }

    pub(crate) fn moved(&self, moved: &Moved) -> String {
        match moved {
            Moved::Subject(name) => {
                let last = self.last_change(name).map(|id| format!(" (by {})", self.by(&id))).unwrap_or_default();
                format!("{} changed after it was signed{last}", subject(name))
            }
            Moved::Class { now, by } => {
                let who: Vec<String> = by.iter().map(|id| format!("{} set it{}", self.by(id), self.why(id))).collect();
                let frozen = self.judged.standing.frozen.as_ref().map(|f| f.class);
                format!("the risk class is {} now and was {} when it was requested; {}", class(*now), class(frozen), who.join("; "))
            }
        }
    }

    /// The newest operation that changed a subject.
    fn last_change(&self, name: &str) -> Option<OpId> {
        let fits = |op: &Op| match op {
            Op::CardEdited { .. } => name == "card",
            Op::CriteriaSigned { .. } => name.starts_with("criteria/"),
            _ => false,
        };
        self.judged.said.iter().filter(|s| fits(&s.op)).max_by_key(|s| s.at_ms).map(|s| s.id.clone())
    }

    fn flaw(&self, flaw: &Flaw) -> Result<String, ApiError> {
        Ok(match flaw {
            Flaw::ClassTooLow { frozen, held, project } => format!(
                "it was made for the risk class {}, and {} holds in \u{201c}{}\u{201d}.",
                frozen.as_str(),
                held.as_str(),
                self.project(project)?
            ),
            Flaw::OtherProject => "its model version belongs to another project.".to_owned(),
            Flaw::Deleted(subject, id) => format!("{} was deleted by {}{}.", self.title(subject)?, self.by(id), self.why(id)),
            Flaw::Unanswered(signoff) => {
                let who = self.judged.standing.earlier.iter().find(|e| e.signoff == *signoff);
                let name = who.map_or_else(|| "somebody".to_owned(), |e| self.name(&e.by));
                format!("it does not answer the rejection by {name}.")
            }
            Flaw::Frozen(what) => format!("it froze another {what} than its author could know to stand."),
            Flaw::NotAdopted => "it was made on a computer that did not know that the owners adopted these rules.".to_owned(),
        })
    }

    pub(crate) fn block(&self, block: &Block) -> Result<(&'static str, String), ApiError> {
        Ok(match block {
            Block::Cancelled(id) => ("project_cancelled", format!("{} cancelled the project{}.", self.by(id), self.why(id))),
            Block::Deleted(subject, id) => ("deleted", format!("{} deleted {}{}.", self.by(id), self.title(subject)?, self.why(id))),
            Block::Finding(finding, id) => (
                "finding",
                format!("A finding of high severity is open: \u{201c}{}\u{201d} (by {}).", self.finding(finding.as_str())?, self.by(id)),
            ),
            Block::EarlierRejection(signoff) => {
                let found = self.judged.standing.earlier.iter().find(|e| e.signoff == *signoff);
                let who = match found {
                    Some(e) => format!("{} as {}", self.name(&e.by), e.role.label().to_lowercase()),
                    None => "somebody".to_owned(),
                };
                ("rejected_before", format!("The same model was rejected by {who}; that role has not approved it since."))
            }
            Block::Criterion { signoff, criteria, place, verdict } => {
                let by = self.judged.standing.signed.iter().find(|s| s.signoff == *signoff);
                let who =
                    by.map_or_else(|| "somebody".to_owned(), |s| format!("{} as {}", self.name(&s.by), s.role.label().to_lowercase()));
                let words = measure::words_of(self.r, criteria, *place)?;
                let came = verdict.map_or("not evaluated", Verdict::as_str);
                ("criteria", format!("{words}: {came} when {who} approved."))
            }
            Block::Stage(stage) => {
                ("stage", format!("The project stands in the stage \u{201c}{}\u{201d}, before approval.", stage.as_str().replace('_', " ")))
            }
        })
    }

    pub(crate) fn challenge(&self, c: &Challenge) -> Result<String, ApiError> {
        let name = self.name(&c.by);
        let why = self.why(&c.id);
        Ok(match &c.what {
            Challenged::Cancelled => format!("{name} cancelled the project{why}."),
            Challenged::Deleted(subject) => format!("{name} deleted {}{why}.", self.title(subject)?),
            Challenged::Finding(finding) => {
                format!("{name} raised a finding of high severity: \u{201c}{}\u{201d}.", self.finding(finding.as_str())?)
            }
            Challenged::Objection(ruling, role) => {
                format!("{name}, {}, {}{why}; this rule does not ask for that role here.", role.label().to_lowercase(), ruling.did())
            }
            Challenged::Class(class) => format!("{name} holds the risk class to be {}{why}.", class.as_str()),
            Challenged::Criteria(_) => format!("{name} wrote other acceptance criteria, which nobody who may has signed."),
            Challenged::Stage(stage) => {
                format!("{name} moved the project back to \u{201c}{}\u{201d}{why}.", stage.as_str().replace('_', " "))
            }
            Challenged::Evaluation { run, criteria, place, verdict } => {
                let words = measure::words_of(self.r, criteria, *place)?;
                let came = verdict.map_or("not evaluated", Verdict::as_str);
                let run = title_of(self.r, &Subject { kind: Kind::Run, id: run.to_string() })?;
                format!("The run \u{201c}{run}\u{201d} by {name} says since: {words}: {came}.")
            }
            Challenged::Alarm(monitor) => {
                let what = title_of(self.r, &Subject { kind: Kind::Monitor, id: monitor.to_string() })?;
                format!("A monitor is beyond its threshold: \u{201c}{what}\u{201d} (reported by {name}).")
            }
            Challenged::Withdrawn => format!("{name}, who did not ask for the release, withdrew the request{why}."),
        })
    }

    pub(crate) fn discounted(&self, why: Discounted) -> String {
        match why {
            Discounted::RoleNotAsked => "The rule of this release does not ask for that role.",
            Discounted::NotNamed => "The project names somebody else for that role.",
            Discounted::Builder => "Whoever built the version does not decide on it.",
            Discounted::Requester => "Whoever asked for the release does not approve it.",
            Discounted::OwnRole => "The role is theirs by their own word only.",
            Discounted::OtherRequest => "The signed statement is about something else than this request.",
            Discounted::SilentOnEarlier => "It passes over an earlier rejection that its signer could know of.",
            Discounted::TakenBack => "It was taken back.",
            Discounted::OlderRules => "It was made by an earlier Cairn after newer rules were adopted.",
        }
        .to_owned()
    }

    /// What a signature by somebody who built it means.
    pub(crate) fn independence(&self) -> Option<String> {
        let s = &self.judged.standing;
        let who: Vec<String> = s
            .signed
            .iter()
            .filter(|x| x.ruling == Ruling::Approved && x.discounted.is_none() && x.not_independent)
            .map(|x| self.name(&x.by))
            .collect();
        (!who.is_empty()).then(|| {
            format!(
                "Independence not met: {} built or requested it and approved it. The team is too small for another way.",
                who.join(" and ")
            )
        })
    }

    /// What the signers' clocks claim that cannot be: a signature before its request.
    pub(crate) fn clock(&self, signed: &OpId) -> Option<String> {
        let signed = self.judged.said_of(signed)?;
        let at = signed.at_ms;
        let request = self.judged.said.iter().find(|s| {
            matches!(&s.op, Op::ReleaseSubmitted { .. } | Op::ReleaseRequested { .. })
                && signed.knows(&s.id)
                && about(&s.op) == about(&signed.op)
        })?;
        (at < request.at_ms).then(|| {
            format!(
                "The signer's clock says {}, which is before the request ({}): that clock was wrong.",
                edge::rfc3339(at),
                edge::rfc3339(request.at_ms)
            )
        })
    }
}

fn about(op: &Op) -> Option<String> {
    match op {
        Op::ReleaseSubmitted { release, .. }
        | Op::ReleaseRequested { release, .. }
        | Op::ReleaseDecided { release, .. }
        | Op::ReleaseSigned { release, .. } => Some(release.to_string()),
        _ => None,
    }
}

pub(crate) fn made(all: &[Made]) -> Vec<String> {
    all.iter()
        .map(|m| {
            match m {
                Made::Run => "made the run",
                Made::Files => "logged its files",
                Made::Version => "registered the version",
                Made::Card => "wrote on the card",
                Made::Criteria => "wrote the acceptance criteria",
            }
            .to_owned()
        })
        .collect()
}
