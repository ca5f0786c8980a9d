//! Findings: what somebody found wrong or doubtful, how much it matters, who deals with it until when, and how it ended.

use crate::ApiError;
use crate::checklists::{EvidenceLink, title_of};
use crate::error::{body, title};
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::people::{PartyName, PartyRef, Person, known_party, party_in, person_at};
use crate::projects::{ProjectRef, Version, base_of, bases};
use cairn_core::authority::Acl;
use cairn_core::id::{FindingId, ProjectId};
use cairn_core::op::{Day, Kind, Op, Outcome, Severity};
use cairn_core::role::{Act, permits};
use cairn_report::markdown::to_html;
use cairn_store::Reader;
use cairn_store::records::{Head, Record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Finding {
    pub id: String,
    pub project: String,
    pub title: String,
    pub text: String,
    /// The text as it is read.
    pub html: String,
    pub base: String,
    pub versions: Vec<Version>,
    /// What somebody else wrote over it, in earlier programs; the author's words stand.
    pub rewritten: Vec<Version>,
    /// I raised it, so I may change what it says.
    pub i_may_reword: bool,
    /// `low`, `medium` or `high`.
    pub severity: String,
    pub about: Option<EvidenceLink>,
    pub by: Person,
    pub at_ms: i64,
    pub assigned: Option<PartyName>,
    /// A day, `2026-11-25`.
    pub due: Option<String>,
    /// `fixed`, `accepted` or `no_problem`; none: open.
    pub outcome: Option<String>,
    pub settled_by: Option<Person>,
    pub settled_ms: Option<i64>,
    pub settled_why: Option<String>,
    pub i_may_settle: bool,
    pub i_may_accept: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveFinding {
    pub project: String,
    /// None: a new one.
    #[serde(default)]
    #[ts(optional)]
    pub finding: Option<String>,
    pub title: String,
    #[serde(default)]
    pub text: String,
    pub severity: String,
    /// Of a change of the severity: why. Else it is not needed.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub about: Option<SubjectRef>,
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AssignFinding {
    pub finding: String,
    /// None: nobody.
    #[serde(default)]
    #[ts(optional)]
    pub to: Option<PartyRef>,
    /// A day, `2026-11-25`; none: no day.
    #[serde(default)]
    #[ts(optional)]
    pub due: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SettleFinding {
    pub finding: String,
    /// `fixed`, `accepted` or `no_problem`; none: open again.
    #[serde(default)]
    #[ts(optional)]
    pub outcome: Option<String>,
    pub reason: String,
}

pub fn list(host: &Host, request: ProjectRef) -> Result<Vec<Finding>, ApiError> {
    let workspace = host.workspace()?;
    workspace.read(|r| {
        let mut all: Vec<Finding> = Vec::new();
        for record in r.records(Kind::Finding, Some(&request.project))? {
            all.push(view(&workspace, r, &record)?);
        }
        // What is open and matters most comes first; then the newest.
        let rank = |f: &Finding| (f.outcome.is_some(), std::cmp::Reverse(Severity::parse(&f.severity)), std::cmp::Reverse(f.at_ms));
        all.sort_by_key(rank);
        Ok(all)
    })
}

pub fn save(host: &Host, request: SaveFinding) -> Result<Finding, ApiError> {
    let workspace = host.workspace()?;
    let heading = title("Title of the finding", &request.title)?;
    let text = body("Text of the finding", &request.text)?;
    let severity = Severity::parse(&request.severity).ok_or_else(|| ApiError::invalid("A severity is low, medium or high"))?;
    let project = ProjectId::parse(request.project)?;
    let about = request.about.as_ref().map(SubjectRef::parse).transpose()?;
    let id = match request.finding {
        None => {
            let finding = FindingId::parse(workspace.edge.new_id())?;
            workspace.write(|w| {
                w.require(Kind::Project, project.as_str())?;
                if let Some(about) = &about {
                    w.require(about.kind, &about.id)?;
                }
                w.append(Op::FindingRaised { finding: finding.clone(), project, title: heading, text, severity, about })
                    .map_err(ApiError::from)
            })?;
            finding
        }
        Some(id) => {
            let finding = FindingId::parse(id)?;
            let base = bases(request.base.as_deref())?;
            workspace.write(|w| {
                let record = w.require(Kind::Finding, finding.as_str())?;
                let acl = w.acl()?;
                let now = words_of(w, &acl, &record)?;
                if now.heads.len() > 1 || now.title != heading.as_str() || now.text != text.as_str() {
                    if person_at(&acl, &record.device).id != person_at(&acl, w.device()?.as_str()).id {
                        return Err(ApiError::new("not_yours", "A finding keeps its author's words").hint(
                            "Answer it in a comment, grade it, or settle it with a reason; whoever raised it can change what it says.",
                        ));
                    }
                    w.append(Op::FindingEdited { finding: finding.clone(), title: heading, text, base })?;
                }
                if record.get("severity") != Some(severity.as_str()) {
                    let why = request.reason.as_deref().map(str::trim).filter(|t| !t.is_empty()).ok_or_else(|| {
                        ApiError::invalid("Another severity needs a reason")
                            .hint("Say in a sentence what is known now that was not known before.")
                    })?;
                    w.append_why(Op::FindingGraded { finding: finding.clone(), severity }, Some(why))?;
                }
                Ok::<_, ApiError>(())
            })?;
            finding
        }
    };
    get(&workspace, &id)
}

pub fn assign(host: &Host, request: AssignFinding) -> Result<Finding, ApiError> {
    let workspace = host.workspace()?;
    let finding = FindingId::parse(request.finding)?;
    let to = request.to.as_ref().map(PartyRef::parse).transpose()?;
    let due = day(request.due.as_deref())?;
    workspace.write(|w| {
        w.require(Kind::Finding, finding.as_str())?;
        if let Some(to) = &to {
            known_party(&*w.acl()?, to)?;
        }
        w.append(Op::FindingAssigned { finding: finding.clone(), to, due }).map_err(ApiError::from)
    })?;
    get(&workspace, &finding)
}

/// A day from a request; empty is none.
pub(crate) fn day(text: Option<&str>) -> Result<Option<Day>, ApiError> {
    let text = text.map(str::trim).filter(|t| !t.is_empty());
    text.map(Day::parse).transpose().map_err(|e| ApiError::invalid(e).hint("Write a day as year-month-day, such as 2026-11-25."))
}

pub fn settle(host: &Host, request: SettleFinding) -> Result<Finding, ApiError> {
    let workspace = host.workspace()?;
    let finding = FindingId::parse(request.finding)?;
    let reason = request.reason.trim();
    if reason.is_empty() {
        return Err(ApiError::invalid("Say why").hint("A sentence is enough: what was done, or why it can stay as it is."));
    }
    let outcome = request
        .outcome
        .as_deref()
        .map(|o| Outcome::parse(o).ok_or_else(|| ApiError::invalid("A finding ends as fixed, accepted or no_problem")))
        .transpose()?;
    workspace.write(|w| {
        let record = w.require(Kind::Finding, finding.as_str())?;
        let op = match outcome {
            Some(_) if record.get("outcome").is_some() => return Err(ApiError::conflict("This finding is settled already")),
            Some(outcome) => Op::FindingSettled { finding: finding.clone(), outcome },
            None if record.get("outcome").is_none() => return Err(ApiError::conflict("This finding is open")),
            None => Op::FindingReopened { finding: finding.clone() },
        };
        w.append_why(op, Some(reason)).map_err(ApiError::from)
    })?;
    get(&workspace, &finding)
}

/// Something that was found in several projects.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Recurrent {
    /// As it was said first.
    pub title: String,
    pub projects: Vec<String>,
    pub findings: u32,
    /// The highest that it was given.
    pub severity: String,
    /// How an item of a lifecycle's checklist could say it, in YAML.
    pub item: String,
}

/// The newest findings that are compared.
const COMPARED: usize = 1_000;

/// What was found in more than one project, so that a lifecycle could ask for it: titles that share half of their words.
pub fn recurrent(host: &Host, _: crate::workspaces::Nothing) -> Result<Vec<Recurrent>, ApiError> {
    host.workspace()?.read(|r| {
        let all = r.records_with(Kind::Finding, None, Some(&["content", "severity"]))?;
        let mut groups: Vec<(BTreeSet<String>, Vec<&Record>)> = Vec::new();
        for finding in all.iter().skip(all.len().saturating_sub(COMPARED)) {
            let words = significant(finding.json("content")["title"].as_str().unwrap_or_default());
            if words.is_empty() {
                continue;
            }
            match groups.iter_mut().find(|(known, _)| alike(known, &words)) {
                Some((_, members)) => members.push(finding),
                None => groups.push((words, vec![finding])),
            }
        }
        let mut out = Vec::new();
        for (_, members) in groups {
            let projects: BTreeSet<&str> = members.iter().filter_map(|f| f.parent.as_deref()).collect();
            if projects.len() < 2 {
                continue;
            }
            let title = members[0].json("content")["title"].as_str().unwrap_or_default().to_owned();
            let severity = members.iter().filter_map(|f| Severity::parse(f.get("severity")?)).max().unwrap_or(Severity::Low);
            let named = projects.iter().map(|id| Ok(r.record(Kind::Project, id)?.map(|p| p.text("title")).unwrap_or_default()));
            let projects = named.collect::<Result<Vec<_>, ApiError>>()?;
            let text = serde_json::to_string(&format!("Show that this does not happen again: {title}"))?;
            out.push(Recurrent {
                item: format!(
                    "      - id: G3.{}\n        text: {text}\n        role: data_scientist\n        kind: tick\n        blocks: {}\n        source: Findings of {} projects\n",
                    9 + out.len(),
                    severity == Severity::High,
                    projects.len()
                ),
                findings: u32::try_from(members.len()).unwrap_or(u32::MAX),
                severity: severity.as_str().to_owned(),
                title,
                projects,
            });
        }
        out.sort_by(|a, b| b.projects.len().cmp(&a.projects.len()).then_with(|| a.title.cmp(&b.title)));
        Ok(out)
    })
}

/// The words of a title that say something.
fn significant(title: &str) -> BTreeSet<String> {
    let words = title.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|w| w.chars().count() > 3).collect()
}

/// Half of the words of both are shared.
fn alike(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let shared = a.intersection(b).count();
    shared * 2 >= a.union(b).count()
}

/// What a finding says: its author's words. Others answer, grade and settle; what they wrote over it, in earlier programs,
/// stands beside it and never in its place.
pub(crate) struct FindingWords {
    pub title: String,
    pub text: String,
    /// The author's own current versions; more than one: they wrote at two computers at once.
    pub heads: Vec<Head>,
    /// What somebody else wrote over it.
    pub others: Vec<Head>,
}

pub(crate) fn words_of(r: &Reader<'_>, acl: &Acl, record: &Record) -> Result<FindingWords, ApiError> {
    let author = person_at(acl, &record.device).id;
    let own = |h: &Head| person_at(acl, &h.device).id == author;
    let all = r.history(Kind::Finding, &record.id, "content", "")?;
    let (mine, others): (Vec<Head>, Vec<Head>) = all.into_iter().partition(own);
    let replaced: BTreeSet<String> = mine.iter().flat_map(|e| e.base.iter().cloned()).collect();
    let heads: Vec<Head> = mine.into_iter().filter(|h| !replaced.contains(&h.op)).collect();
    let content: serde_json::Value = heads.first().map(|h| serde_json::from_str(&h.value)).transpose()?.unwrap_or_default();
    let text = |key: &str| content[key].as_str().unwrap_or_default().to_owned();
    Ok(FindingWords { title: text("title"), text: text("text"), heads, others })
}

/// The author's title, for lists of many: the history is read only where somebody else wrote last.
pub(crate) fn title_in(r: &Reader<'_>, acl: &Acl, record: &Record) -> Result<String, ApiError> {
    let last = record.cell("content").map(|c| c.device().to_owned()).unwrap_or_default();
    if last == record.device || person_at(acl, &last).id == person_at(acl, &record.device).id {
        return Ok(record.json("content")["title"].as_str().unwrap_or_default().to_owned());
    }
    Ok(words_of(r, acl, record)?.title)
}

fn get(workspace: &Workspace, finding: &FindingId) -> Result<Finding, ApiError> {
    workspace.read(|r| view(workspace, r, &r.require(Kind::Finding, finding.as_str())?))
}

fn view(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Finding, ApiError> {
    let acl = r.acl()?;
    let me = workspace.me(r)?;
    let FindingWords { title, text, heads, others } = words_of(r, &acl, record)?;
    let text_of = |value: &serde_json::Value| value["text"].as_str().unwrap_or_default().to_owned();
    let base = base_of(&heads).unwrap_or_default();
    let several = heads.len() > 1;
    let about = match record.get("about").and_then(|a| a.split_once('/')) {
        Some((kind, id)) => {
            let subject = SubjectRef { kind: kind.to_owned(), id: id.to_owned() };
            let title = title_of(r, &subject.parse()?)?;
            Some(EvidenceLink { kind: subject.kind, id: subject.id, title })
        }
        None => None,
    };
    let ended = record.cell("outcome");
    let may = |act: Act| me.as_ref().and_then(|id| acl.members.get(id)).is_some_and(|m| m.roles.iter().any(|role| permits(*role, act)));
    let version = |h: Head| Version {
        value: text_of(&serde_json::from_str(&h.value).unwrap_or_default()),
        by: person_at(&acl, &h.device),
        at_ms: h.at_ms,
        op: h.op,
    };
    Ok(Finding {
        id: record.id.clone(),
        project: record.parent.clone().unwrap_or_default(),
        title,
        html: to_html(&text),
        text,
        base,
        versions: if several { heads.into_iter().map(version).collect() } else { Vec::new() },
        rewritten: others.into_iter().map(version).collect(),
        i_may_reword: me.as_ref().is_some_and(|m| m.as_str() == person_at(&acl, &record.device).id),
        severity: record.text("severity"),
        about,
        by: person_at(&acl, &record.device),
        at_ms: record.at_ms,
        assigned: party_in(&acl, me.as_ref(), record.get("assigned")),
        due: record.get("due").map(str::to_owned),
        outcome: ended.map(|c| c.value.clone()),
        settled_by: ended.map(|c| person_at(&acl, c.device())),
        settled_ms: ended.map(|c| c.at_ms),
        settled_why: match ended {
            Some(cell) => r.why(&cell.op())?,
            None => None,
        },
        i_may_settle: may(Act::SettleFinding),
        i_may_accept: may(Act::WaiveGate),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_that_share_half_of_their_words_are_one_finding() {
        let same = |a: &str, b: &str| alike(&significant(a), &significant(b));
        assert!(same("Misses the old patients", "misses old patients again"));
        assert!(!same("Misses the old patients", "Labels of old data are noisy"));
        assert!(significant("It is so").is_empty(), "small words say nothing");
    }
}
