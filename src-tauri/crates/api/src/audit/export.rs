//! The bundle that an outsider verifies: the signed history, and what follows from it in a form that people read.
//!
//! Everything in `trail.*`, `statements/` and `allowed_signers` must follow from the signed lines alone: `verify.py` works
//! it out again and compares byte for byte. So nothing that only this computer knows may be written there.

use super::pick::{self, TrailPick};
use super::project_of;
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::releases::page::PAGE_MAX;
use crate::{ApiError, edge, sharing, templates};
use cairn_core::authority::{Acl, History, Past};
use cairn_core::canonical::sha256;
use cairn_core::id::{DeviceId, MemberId};
use cairn_core::op::{Change, Needs, Op, OpLine};
use cairn_report::audit::{
    Cover, Entry, Export, Exporter, FORMAT, Filter, Signed, Signer, Tip, VERIFY_PY, allowed_signers, csv, jsonl, reason, verify_page, words,
};
use cairn_store::Reader;
use cairn_store::log::TrailRow;
use cairn_sync::transport::run_git;
use cairn_sync::{Errand, Repo};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExportAudit {
    /// A folder that does not exist yet, or is empty.
    pub dir: String,
    /// An extract: only these entries in the readable trail. The signed history is always whole.
    #[serde(default)]
    #[ts(optional)]
    pub only: Option<TrailPick>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Exported {
    pub dir: String,
    pub entries: u64,
    /// How many there are without the filter.
    pub entries_in_all: u64,
    pub commits: u64,
    pub signoffs: u64,
    pub missing: Vec<String>,
    /// What whoever verifies must be told by another way.
    pub fingerprint: String,
}

/// All that the bundle says beside the history itself.
struct Collected {
    entries: Vec<Entry>,
    signers: Vec<Signer>,
    /// Name, member, statement, signature.
    statements: BTreeMap<String, (String, String, String)>,
    /// By sha256: what it is, and its text.
    texts: BTreeMap<String, (String, String)>,
    texts_missing: BTreeSet<String>,
    /// The pages that signers were shown, by sha256.
    pages: BTreeMap<String, Vec<u8>>,
    pages_missing: BTreeSet<String>,
    missing: Vec<String>,
    workspace: String,
    fingerprint: String,
    exporter: Exporter,
    tips: BTreeMap<String, Tip>,
}

/// Writes the bundle.
pub fn export(host: &Host, request: ExportAudit) -> Result<Exported, ApiError> {
    let workspace = host.workspace()?;
    let dir = PathBuf::from(request.dir.trim());
    if std::fs::read_dir(&dir).is_ok_and(|mut d| d.next().is_some()) {
        return Err(ApiError::conflict(format!("The folder {} is not empty", dir.display())).hint("Choose a new folder for the export."));
    }
    // Asked first: a locked key must not leave half a bundle.
    let key = workspace.key()?;
    // Everything that was written here belongs into the signed history first.
    sharing::seal(&workspace)?;
    let filter = match &request.only {
        Some(only) => workspace.read(|r| pick::filter(r, only))?,
        None => Filter::default(),
    };
    write(&dir.join("verify.py"), VERIFY_PY.as_bytes())?;
    // What arrives meanwhile would be in the history and not in the trail; then it is written once more.
    let mut found = workspace.read(|r| collect(&workspace, r))?;
    let mut commits = bundle(&workspace, &dir)?;
    for _ in 0..5 {
        if workspace.read(tips)? == found.tips {
            break;
        }
        found = workspace.read(|r| collect(&workspace, r))?;
        commits = bundle(&workspace, &dir)?;
    }
    let all = found.entries.len();
    found.entries.retain(|entry| filter.fits(entry));
    let internal = |e: String| ApiError::new("internal", e);
    write(&dir.join("trail.jsonl"), jsonl(&found.entries).map_err(internal)?.as_bytes())?;
    write(&dir.join("trail.csv"), csv(&found.entries).map_err(internal)?.as_bytes())?;
    write(&dir.join("allowed_signers"), allowed_signers(&found.signers).as_bytes())?;
    let mut signed = Vec::new();
    for (id, (member, statement, signature)) in &found.statements {
        write(&dir.join(format!("statements/{id}.json")), statement.as_bytes())?;
        write(&dir.join(format!("statements/{id}.json.sig")), signature.as_bytes())?;
        signed.push(Signed { name: id.clone(), member: member.clone() });
    }
    for (digest, (_, text)) in &found.texts {
        write(&dir.join("policy").join(digest), text.as_bytes())?;
    }
    for (digest, page) in &found.pages {
        write(&dir.join(format!("pages/{digest}.html")), page)?;
    }
    let made_at = edge::rfc3339(workspace.edge.now_ms());
    let program = format!("Cairn {}", env!("CARGO_PKG_VERSION"));
    let filter_text = (filter != Filter::default()).then(|| serde_json::to_string(&filter)).transpose()?;
    let cover = Cover {
        workspace: &found.workspace,
        made_at: &made_at,
        program: &program,
        exporter: &found.exporter.name,
        device: &found.exporter.device,
        filter: filter_text.as_deref(),
        entries: found.entries.len(),
        all,
        commits,
        missing: &found.missing,
        pages: found.pages.len(),
    };
    write(&dir.join("VERIFY.md"), verify_page(&cover, &signed).as_bytes())?;
    let export = Export {
        format: FORMAT,
        workspace: found.workspace,
        fingerprint: found.fingerprint.clone(),
        made_at,
        program,
        exporter: found.exporter,
        filter,
        entries: found.entries.len(),
        entries_in_all: all,
        commits,
        tips: found.tips,
        texts: found.texts.into_iter().map(|(digest, (what, _))| (digest, what)).collect(),
        texts_missing: found.texts_missing.into_iter().collect(),
        pages_missing: found.pages_missing.into_iter().collect(),
        missing: found.missing.clone(),
    };
    let text = serde_json::to_string_pretty(&export).map_err(|e| internal(e.to_string()))?;
    write(&dir.join("bundle.json"), format!("{text}\n").as_bytes())?;
    let manifest = manifest(&dir)?;
    let signature = key.sign("bundle@cairn", manifest.as_bytes()).map_err(|e| internal(e.to_string()))?;
    write(&dir.join("manifest.sha256"), manifest.as_bytes())?;
    // One form only, so that no byte of it can change unnoticed.
    write(&dir.join("manifest.sha256.sig"), format!("{}\n", signature.trim_end().replace("\r\n", "\n")).as_bytes())?;
    Ok(Exported {
        dir: dir.display().to_string(),
        entries: found.entries.len() as u64,
        entries_in_all: all as u64,
        commits: commits as u64,
        signoffs: signed.len() as u64,
        missing: found.missing,
        fingerprint: found.fingerprint,
    })
}

fn tips(r: &Reader<'_>) -> Result<BTreeMap<String, Tip>, ApiError> {
    Ok(r.branches()?.into_iter().map(|b| (b.device.to_string(), Tip { commit: b.tip, seq: b.seq, last: b.n })).collect())
}

/// Names as they are now, for the words of the trail.
struct Now<'a>(&'a Acl);

impl words::Names for Now<'_> {
    fn person(&self, member: &str) -> Option<String> {
        let member = MemberId::parse(member).ok()?;
        self.0.members.get(&member).map(|m| m.name.clone())
    }
    fn owner_of(&self, device: &str) -> Option<String> {
        let device = DeviceId::parse(device).ok()?;
        self.0.member_of(&device).map(|(_, m)| m.name.clone())
    }
}

/// Name and member of whoever sits at a computer.
fn person(acl: &Acl, device: &DeviceId) -> (String, String) {
    match acl.devices.get(device) {
        Some(found) => (acl.members.get(&found.member).map(|m| m.name.clone()).unwrap_or_default(), found.member.to_string()),
        None if acl.is_recovery_key(device) => ("The recovery key".to_owned(), device.to_string()),
        None => ("A computer that is not let in".to_owned(), String::new()),
    }
}

/// One line of the log, read once.
struct Read {
    row: TrailRow,
    device: DeviceId,
    line: Option<OpLine>,
    /// As it was signed.
    raw: Value,
}

fn collect(workspace: &Workspace, r: &Reader<'_>) -> Result<Collected, ApiError> {
    let acl = r.acl()?;
    let fingerprint = r.genesis()?.ok_or_else(|| {
        ApiError::conflict("This workspace has no history yet").hint("Export once an administrator has let this computer in.")
    })?;
    let mut lines = Vec::new();
    for row in r.all_lines()? {
        // What is not in a commit cannot be checked by anybody.
        if row.envelope.is_none() {
            continue;
        }
        let device = DeviceId::parse(row.device.clone())?;
        let raw = serde_json::from_str(&row.line).map_err(|e| ApiError::new("internal", e.to_string()))?;
        lines.push(Read { line: row.op(), device, raw, row });
    }
    let (entries, texts, texts_missing) = (entries(r, &acl, &lines)?, texts(r, &lines)?, named_texts(&lines));
    let texts_missing: BTreeSet<String> = texts_missing.into_iter().filter(|digest| !texts.contains_key(digest)).collect();
    let exporter = person(&acl, &workspace.device());
    let (pages, pages_missing) = pages(workspace, &lines)?;
    Ok(Collected {
        missing: missing(workspace, r, &lines, &acl, texts_missing.len(), pages_missing.len())?,
        signers: signers(r, &acl)?,
        statements: statements(&acl, &lines),
        entries,
        texts,
        texts_missing,
        pages,
        pages_missing,
        workspace: acl.workspace.clone().unwrap_or_default(),
        fingerprint: fingerprint.to_string(),
        exporter: Exporter { device: workspace.device().to_string(), member: exporter.1, name: exporter.0 },
        tips: tips(r)?,
    })
}

fn missing(workspace: &Workspace, r: &Reader<'_>, lines: &[Read], acl: &Acl, texts: usize, pages: usize) -> Result<Vec<String>, ApiError> {
    let mut missing = Vec::new();
    let not_counted = lines.iter().filter(|l| l.row.state != "accepted").count();
    if not_counted > 0 {
        missing.push(format!("{not_counted} entries do not count; the column `state` says which, `state_reason` why."));
    }
    for refusal in r.refusals()? {
        missing.push(format!("Commit {} on the branch of {} was refused: {}.", refusal.oid, refusal.device, refusal.reason));
    }
    if r.unsealed(&workspace.device())? > 0 {
        missing.push("Some of this computer's entries are not sealed yet, and are not in the trail.".to_owned());
    }
    if texts > 0 {
        missing.push(format!("{texts} texts of policies or lifecycles are named in the history and are not on this computer."));
    }
    if pages > 0 {
        missing.push(format!("{pages} pages that signers were shown are named in the history and are not on this computer."));
    }
    if !acl.devices.contains_key(&workspace.device()) {
        missing.push("This computer is not let into the workspace, so its signature on the bundle does not count.".to_owned());
    }
    Ok(missing)
}

fn entries(r: &Reader<'_>, acl: &Acl, lines: &[Read]) -> Result<Vec<Entry>, ApiError> {
    let mut history = History::new(r.entries()?);
    let pasts = pasts(r)?;
    let (titles, witnesses) = (titles(lines), witnesses(r, lines)?);
    let mut projects: HashMap<(String, String), String> = HashMap::new();
    let by_name: HashMap<&str, &Read> = lines.iter().map(|l| (l.row.id.as_str(), l)).collect();
    let mut out = Vec::with_capacity(lines.len());
    for l in lines {
        let d = &l.raw["d"];
        let record = record_of(l);
        let project = match &record {
            None => String::new(),
            Some(key) => match projects.get(key) {
                Some(known) => known.clone(),
                None => {
                    let found = project_of(r, &SubjectRef { kind: key.0.clone(), id: key.1.clone() })?.unwrap_or_default();
                    projects.insert(key.clone(), found.clone());
                    found
                }
            },
        };
        let past = l.row.envelope.as_ref().and_then(|oid| pasts.get(oid));
        let then = history.seen_before(&l.device, l.row.n, past.unwrap_or(&Past::new()));
        let roles = then.member_of(&l.device).map(|(_, m)| m.roles.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(" "));
        let was_in = roles.is_some() || then.is_recovery_key(&l.device);
        let seen = witnesses.get(&l.row.id);
        let (who, member) = person(acl, &l.device);
        let kind = l.row.r#type.as_str();
        let known = l.line.is_some();
        out.push(Entry {
            claimed_at: edge::rfc3339(l.row.at_ms),
            utc_offset_minutes: l.raw["tz"].as_i64().and_then(|tz| i16::try_from(tz).ok()).unwrap_or(0),
            witnessed_at: seen.map(|(ms, _)| edge::rfc3339(*ms)),
            witnessed_in: seen.map(|(_, oid)| oid.clone()),
            who,
            member,
            roles: roles.unwrap_or_default(),
            device: l.row.device.clone(),
            number: l.row.n,
            operation: kind.to_owned(),
            meaning: if known { words::meaning(kind) } else { words::OTHER }.to_owned(),
            what: if known { words::say(kind, d, &Now(acl)) } else { format!("wrote {kind}") },
            title: record.as_ref().and_then(|key| titles.get(key)).cloned().unwrap_or_default(),
            record: record.as_ref().map_or_else(|| "workspace/".to_owned(), |(kind, id)| format!("{kind}/{id}")),
            project,
            why: l.raw["why"].as_str().map(str::to_owned),
            before: before(l, record.as_ref(), &by_name),
            after: written(l),
            needs: l.line.as_ref().map(|line| needs(&line.op)).unwrap_or_default().to_owned(),
            state: l.row.state.clone(),
            state_reason: match l.row.state.as_str() {
                "accepted" => None,
                "held" => Some(reason::HELD),
                "refused" if !was_in => Some(reason::NOT_LET_IN),
                "refused" => Some(reason::REFUSED),
                _ => Some(reason::UNKNOWN),
            }
            .map(str::to_owned),
            commit: l.row.envelope.clone(),
            id: l.row.id.clone(),
            at_ms: l.row.at_ms,
        });
    }
    Ok(out)
}

/// What the parents of each commit stand for.
fn pasts(r: &Reader<'_>) -> Result<HashMap<String, Past>, ApiError> {
    r.envelope_order(None)?.into_iter().map(|oid| Ok((oid.clone(), r.envelope(&oid)?.past))).collect()
}

fn record_of(l: &Read) -> Option<(String, String)> {
    l.line.as_ref()?;
    Some((l.row.kind.clone()?, l.row.record.clone()?))
}

fn written(l: &Read) -> String {
    let kind = if l.line.is_some() { l.row.r#type.as_str() } else { "" };
    words::written(kind, &l.raw["d"], &l.row.line)
}

/// What an edit replaced: the text of the first operation that it was based on.
fn before(l: &Read, record: Option<&(String, String)>, by_name: &HashMap<&str, &Read>) -> Option<String> {
    l.line.as_ref()?;
    let base = by_name.get(l.raw["d"]["base"].get(0)?.as_str()?)?;
    (base.row.state == "accepted" && record_of(base).as_ref() == record).then(|| written(base))
}

fn needs(op: &Op) -> &'static str {
    match op.needs() {
        Needs::Standing => "",
        Needs::Permission(act) | Needs::AsRole(act, _) => act.as_str(),
    }
}

/// How each record is called, by the last operation that counts and says so.
fn titles(lines: &[Read]) -> HashMap<(String, String), String> {
    let mut counting: Vec<(&OpLine, &Read)> =
        lines.iter().filter(|l| l.row.state == "accepted" && !l.row.authority).filter_map(|l| Some((l.line.as_ref()?, l))).collect();
    counting.sort_by_key(|(line, l)| (line.hlc.ms, line.hlc.counter, l.row.device.clone(), l.row.n));
    let mut found = HashMap::new();
    for (_, l) in counting {
        if let (Some(record), Some(title)) = (record_of(l), words::title(&l.row.r#type, &l.raw["d"])) {
            found.insert(record, title.to_owned());
        }
    }
    found
}

/// For each operation: of the commits of other computers that know it and whose computer did not know it before, the one
/// that claims the earliest time.
fn witnesses(r: &Reader<'_>, lines: &[Read]) -> Result<HashMap<String, (i64, String)>, ApiError> {
    let first: HashMap<(&str, u64), i64> = lines.iter().map(|l| ((l.row.device.as_str(), l.row.n), l.row.at_ms)).collect();
    let mut known: HashMap<DeviceId, Past> = HashMap::new();
    let mut found: HashMap<String, (i64, String)> = HashMap::new();
    for oid in r.envelope_order(None)? {
        let envelope = r.envelope(&oid)?;
        let Some(ms) = first.get(&(envelope.device.as_str(), envelope.first)) else { continue };
        let word = (*ms, oid);
        let known = known.entry(envelope.device.clone()).or_default();
        for (device, last) in envelope.past.iter().filter(|(device, _)| **device != envelope.device) {
            let before = known.get(device).copied().unwrap_or(0);
            for n in before + 1..=*last {
                let name = format!("{device}.{n}");
                if found.get(&name).is_none_or(|w| word < *w) {
                    found.insert(name, word.clone());
                }
            }
            known.insert(device.clone(), before.max(*last));
        }
    }
    Ok(found)
}

/// The keys that valid operations brought along: also those of recovery, of computers that went, and of those that only asked.
fn signers(r: &Reader<'_>, acl: &Acl) -> Result<Vec<Signer>, ApiError> {
    let mut keys: BTreeMap<DeviceId, String> = BTreeMap::new();
    for entry in r.entries()? {
        let (device, key) = match entry.op {
            Op::WorkspaceCreated { first: a, .. } | Op::MemberAdmitted(a) => (a.device, a.key),
            Op::DeviceRequested { key, .. } => (entry.device, key),
            Op::DeviceRotated { device, key, .. } | Op::QuorumProposed { change: Change::SetRecovery { device, key } } => (device, key),
            _ => continue,
        };
        keys.insert(device, key.0);
    }
    let signer = |(device, key): (DeviceId, String)| Signer {
        member: acl.devices.get(&device).map(|d| d.member.to_string()),
        device: device.to_string(),
        key,
    };
    Ok(keys.into_iter().map(signer).collect())
}

/// Every sign-off that counts, of whatever type: what holds a statement and its signature is one.
fn statements(acl: &Acl, lines: &[Read]) -> BTreeMap<String, (String, String, String)> {
    let mut found = BTreeMap::new();
    for l in lines.iter().filter(|l| l.row.state == "accepted" && !l.row.authority) {
        let text = |name: &str| l.raw["d"][name].as_str().map(str::to_owned);
        if let (Some(id), Some(statement), Some(signature)) = (text("signoff"), text("statement"), text("signature")) {
            found.insert(id, (person(acl, &l.device).1, statement, signature));
        }
    }
    found
}

/// Pages by their sha256, and the digests of those that are not here.
type Pages = (BTreeMap<String, Vec<u8>>, BTreeSet<String>);

/// What signers were shown, for every sign-off that counts and names a page.
fn pages(workspace: &Workspace, lines: &[Read]) -> Result<Pages, ApiError> {
    let (mut found, mut missing) = (BTreeMap::new(), BTreeSet::new());
    for l in lines.iter().filter(|l| l.row.state == "accepted") {
        let Some(Op::ReleaseDecided { page, .. }) = l.line.as_ref().map(|line| &line.op) else { continue };
        // Whoever signs says which file it is: one that is no page is not read.
        let small = std::fs::metadata(workspace.store.blob_path(page)).is_ok_and(|m| m.len() <= PAGE_MAX as u64);
        let bytes = if small { workspace.store.blob(page)? } else { None };
        match bytes.filter(|bytes| sha256(bytes) == *page) {
            Some(bytes) => drop(found.insert(page.to_string(), bytes)),
            None => drop(missing.insert(page.to_string())),
        }
    }
    Ok((found, missing))
}

/// The release policies of this program, and every lifecycle that a project or a request named.
fn texts(r: &Reader<'_>, lines: &[Read]) -> Result<BTreeMap<String, (String, String)>, ApiError> {
    let mut found = BTreeMap::new();
    let mut add = |what: String, text: String| found.insert(sha256(text.as_bytes()).to_string(), (what, text));
    for (id, text) in templates::policies() {
        add(format!("policy {id}"), text.to_owned());
    }
    let mut named: BTreeSet<&str> = counting_projects(lines).filter_map(|l| l.raw["d"]["template"].as_str()).collect();
    let requests = lines.iter().filter(|l| l.row.state == "accepted" && l.row.r#type == "release.submitted");
    named.extend(requests.filter_map(|l| l.raw["d"]["frozen"]["lifecycle"].as_str()));
    for id in named {
        if let Some(text) = templates::text_of(r, id)? {
            add(format!("lifecycle {id}"), text);
        }
    }
    Ok(found)
}

fn counting_projects(lines: &[Read]) -> impl Iterator<Item = &Read> {
    lines.iter().filter(|l| l.row.state == "accepted" && l.row.r#type.starts_with("project."))
}

/// The digests of policies and lifecycles that operations name that count.
fn named_texts(lines: &[Read]) -> BTreeSet<String> {
    let is_digest = |text: &&str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let counting = lines.iter().filter(|l| l.row.state == "accepted" && !l.row.authority);
    let policies = counting.clone().filter_map(|l| l.raw["d"]["policy_digest"].as_str());
    let frozen = |name: &'static str| counting.clone().filter_map(move |l| l.raw["d"]["frozen"][name].as_str());
    let lifecycles = counting_projects(lines)
        .filter_map(|l| l.raw["d"]["template"].as_str())
        .filter_map(|id| id.strip_prefix("team/"))
        .filter_map(|id| id.rsplit('/').next());
    policies
        .chain(lifecycles)
        .chain(frozen("policy_digest"))
        .chain(frozen("lifecycle_digest"))
        .filter(is_digest)
        .map(str::to_owned)
        .collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ApiError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(cairn_store::StoreError::from)?;
    }
    std::fs::write(path, bytes).map_err(cairn_store::StoreError::from)?;
    Ok(())
}

/// The signed history as a git bundle; returns how many commits it holds.
fn bundle(workspace: &Workspace, dir: &Path) -> Result<usize, ApiError> {
    let failed = |details: String| {
        ApiError::new("git", "The signed history could not be written").hint("The git program is needed for an export.").details(details)
    };
    let repo = Repo::open(&workspace.dir().join("git"))?;
    let git = |args: &[&str]| run_git(&repo, args, &Errand::default()).map_err(|e| failed(e.to_string()));
    let target = std::path::absolute(dir.join("repo.bundle")).map_err(cairn_store::StoreError::from)?;
    git(&["bundle", "create", "--progress", "--version=2", &target.to_string_lossy(), "--glob=refs/heads/cairn/log/*"])?;
    Ok(git(&["rev-list", "--count", "--glob=refs/heads/cairn/log/*"])?.trim().parse().unwrap_or(0))
}

/// The digest of every file, in the form of sha256sum.
fn manifest(dir: &Path) -> Result<String, ApiError> {
    let mut names = Vec::new();
    let io = cairn_store::StoreError::from;
    for place in ["", "statements", "policy", "pages"] {
        let Ok(entries) = std::fs::read_dir(dir.join(place)) else { continue };
        for file in entries {
            let file = file.map_err(io)?;
            if file.file_type().map_err(io)?.is_file() {
                let name = file.file_name().to_string_lossy().into_owned();
                names.push(if place.is_empty() { name } else { format!("{place}/{name}") });
            }
        }
    }
    names.sort();
    let mut text = String::new();
    for name in names {
        let bytes = std::fs::read(dir.join(&name)).map_err(io)?;
        text.push_str(&format!("{}  {name}\n", sha256(&bytes)));
    }
    Ok(text)
}
