//! Which entries of the trail somebody wants to see: by person, role, record, project, time, meaning, or what does not count.

use super::project_of;
use crate::ApiError;
use crate::notes::SubjectRef;
use cairn_core::authority::{Acl, History};
use cairn_core::id::{DeviceId, MemberId};
use cairn_core::op::Day;
use cairn_core::role::Role;
use cairn_report::audit::{Filter, words};
use cairn_store::Reader;
use cairn_store::log::TrailFilter;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is absent leaves nothing out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct TrailPick {
    /// A member's id, or the name of one: what they did on any of their computers.
    #[serde(default)]
    #[ts(optional)]
    pub person: Option<String>,
    /// A role that its author held when it was written.
    #[serde(default)]
    #[ts(optional)]
    pub role: Option<String>,
    /// `<kind>/<id>`.
    #[serde(default)]
    #[ts(optional)]
    pub record: Option<String>,
    /// A project's id: it and all that belongs to it.
    #[serde(default)]
    #[ts(optional)]
    pub project: Option<String>,
    /// The first day, such as 2026-11-25, by UTC and the authors' own clocks.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// The last day.
    #[serde(default)]
    #[ts(optional)]
    pub until: Option<String>,
    /// Such as `decisions`.
    #[serde(default)]
    #[ts(optional)]
    pub meaning: Option<String>,
    /// Only what does not count: refused, held, not understood.
    #[serde(default)]
    #[ts(optional)]
    pub not_counted: Option<bool>,
}

const DAY_MS: i64 = 86_400_000;

/// The filter of an extract.
pub(super) fn filter(r: &Reader<'_>, pick: &TrailPick) -> Result<Filter, ApiError> {
    let acl = r.acl()?;
    let given = |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let role = match given(&pick.role) {
        Some(role) if Role::parse(&role).is_none() => return Err(ApiError::invalid(format!("\"{role}\" is no role")).hint(roles_hint())),
        role => role,
    };
    let record = match given(&pick.record) {
        Some(record) => {
            let (kind, id) = record.split_once('/').ok_or_else(|| {
                ApiError::invalid(format!("\"{record}\" names no record"))
                    .hint("A record is named by its kind and id, such as release/5f0c….")
            })?;
            SubjectRef { kind: kind.to_owned(), id: id.to_owned() }.parse()?;
            Some(record)
        }
        None => None,
    };
    let meaning = match given(&pick.meaning) {
        Some(meaning) if words::meanings().iter().all(|(id, _)| *id != meaning) => {
            let all: Vec<&str> = words::meanings().into_iter().map(|(id, _)| id).collect();
            return Err(ApiError::invalid(format!("\"{meaning}\" is no meaning")).hint(format!("One of: {}.", all.join(", "))));
        }
        meaning => meaning,
    };
    Ok(Filter {
        person: given(&pick.person).map(|who| member(&acl, &who)).transpose()?,
        role,
        record,
        project: given(&pick.project),
        meaning,
        since_ms: given(&pick.since).map(|day| day_ms(&day)).transpose()?,
        until_ms: given(&pick.until).map(|day| Ok::<_, ApiError>(day_ms(&day)? + DAY_MS)).transpose()?,
        not_counted: pick.not_counted.unwrap_or(false),
    })
}

fn roles_hint() -> String {
    format!("One of: {}.", Role::ALL.map(Role::as_str).join(", "))
}

/// The beginning of a day by UTC.
fn day_ms(text: &str) -> Result<i64, ApiError> {
    let day = Day::parse(text).map_err(|e| ApiError::invalid(e).hint("A day is written like 2026-11-25."))?;
    let at: jiff::Timestamp = format!("{}T00:00:00Z", day.as_str()).parse().map_err(|e: jiff::Error| ApiError::invalid(e.to_string()))?;
    Ok(at.as_millisecond())
}

/// A member by id or by name.
fn member(acl: &Acl, who: &str) -> Result<String, ApiError> {
    if let Some(id) = MemberId::parse(who).ok().filter(|id| acl.members.contains_key(id)) {
        return Ok(id.to_string());
    }
    let named: Vec<&MemberId> = acl.members.iter().filter(|(_, m)| m.name.to_lowercase() == who.to_lowercase()).map(|(id, _)| id).collect();
    match named.as_slice() {
        [id] => Ok(id.to_string()),
        [] if DeviceId::parse(who).is_ok_and(|d| acl.is_recovery_key(&d)) => Ok(who.to_owned()),
        [] => Err(ApiError::not_found(&format!("A member called {who}")).hint("`cairn call member.list` shows the names.")),
        _ => {
            Err(ApiError::conflict(format!("More than one member is called {who}")).hint("Name the id instead: `cairn call member.list`."))
        }
    }
}

/// The same filter as questions to the log.
pub(super) fn ask(r: &Reader<'_>, filter: &Filter, into: &mut TrailFilter) -> Result<(), ApiError> {
    if let Some(record) = &filter.record {
        into.subject = record.split_once('/').map(|(kind, id)| (kind.to_owned(), id.to_owned()));
    }
    if let Some(person) = &filter.person {
        into.devices = Some(computers_of(r, person)?);
    }
    if let Some(role) = filter.role.as_deref().and_then(Role::parse) {
        into.ranges = Some(in_role(r, role)?);
    }
    if let Some(project) = &filter.project {
        let mut records = Vec::new();
        for (kind, id) in r.recorded()? {
            let subject = SubjectRef { kind, id };
            if project_of(r, &subject)?.as_ref() == Some(project) {
                records.push(format!("{}/{}", subject.kind, subject.id));
            }
        }
        into.records = Some(records);
    }
    if let Some(meaning) = &filter.meaning {
        into.types = Some(r.types()?.into_iter().filter(|t| words::meaning(t) == meaning).collect());
    }
    (into.since_ms, into.until_ms) = (filter.since_ms, filter.until_ms);
    into.only_problems |= filter.not_counted;
    Ok(())
}

/// All computers that a person ever wrote from, those that left included; a recovery key is itself.
fn computers_of(r: &Reader<'_>, member: &str) -> Result<Vec<String>, ApiError> {
    let acl = r.acl()?;
    let mut found: Vec<String> = acl.devices.iter().filter(|(_, d)| d.member.as_str() == member).map(|(id, _)| id.to_string()).collect();
    if DeviceId::parse(member).is_ok_and(|d| acl.is_recovery_key(&d)) {
        found.push(member.to_owned());
    }
    Ok(found)
}

/// The computers of everybody whose name holds a text: who searches for a person means what they did.
pub(super) fn computers_named(r: &Reader<'_>, text: &str) -> Result<Vec<String>, ApiError> {
    let (acl, text) = (r.acl()?, text.trim().to_lowercase());
    let named = |id: &MemberId| acl.members.get(id).is_some_and(|m| m.name.to_lowercase().contains(&text));
    Ok(acl.devices.iter().filter(|(_, d)| named(&d.member)).map(|(id, _)| id.to_string()).collect())
}

/// The stretches of operations whose author held a role when they wrote.
fn in_role(r: &Reader<'_>, role: Role) -> Result<Vec<(String, u64, u64)>, ApiError> {
    let mut history = History::new(r.entries()?);
    let mut found: Vec<(String, u64, u64)> = Vec::new();
    let mut take = |history: &mut History, device: &DeviceId, first: u64, last: u64, past: &cairn_core::authority::Past| {
        for n in first..=last {
            let held = history.seen_before(device, n, past).member_of(device).is_some_and(|(_, m)| m.roles.contains(&role));
            match found.last_mut() {
                _ if !held => {}
                Some((d, _, end)) if d == device.as_str() && *end + 1 == n => *end = n,
                _ => found.push((device.to_string(), n, n)),
            }
        }
    };
    for branch in r.branches()? {
        for oid in r.envelope_order(Some((&branch.device, 0)))? {
            let e = r.envelope(&oid)?;
            take(&mut history, &e.device, e.first, e.first + e.count - 1, &e.past);
        }
    }
    // What is not sealed yet was written in knowledge of everything that is here.
    let (own, frontier) = (r.device()?, r.frontier()?);
    let sealed = r.branch(&own)?.map_or(0, |b| b.n);
    let last = frontier.get(&own).copied().unwrap_or(0);
    take(&mut history, &own, sealed + 1, last, &frontier);
    Ok(found)
}
