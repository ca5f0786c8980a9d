//! What is needed of many records at once, kept between looks: of nobody in particular, and after a change only what that
//! change touched is read and judged again.
//!
//! It must say the same as reading everything anew; `tests/suite/hands.rs` compares the two after every kind of change.

use super::{Standing, judged};
use crate::audit::project_of;
use crate::charts::each;
use crate::checks::Shared;
use crate::host::Workspace;
use crate::notes::SubjectRef;
use crate::{ApiError, comments};
use cairn_core::authority::Acl;
use cairn_core::op::Kind;
use cairn_store::Reader;
use cairn_store::records::Record;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

/// Records of one kind by what they belong to, each group in the order of creation.
type Groups = BTreeMap<String, Vec<Record>>;

#[derive(Clone)]
pub(crate) struct Loaded {
    /// The oldest first.
    pub projects: Vec<Record>,
    pub shared: Shared,
    pub findings: Groups,
    /// By the record that they are about, with what makes them a question.
    pub comments: Groups,
    pub criteria: Groups,
    pub releases: Groups,
    pub deployments: Groups,
    pub monitors: Groups,
    /// The project that each record with a question belongs to.
    homes: HashMap<String, String>,
    /// Who might do what when the projects were judged.
    acl: Arc<Acl>,
    /// By project, of those that nothing has touched since.
    judged: HashMap<String, Arc<Standing>>,
    /// By project, of all.
    standings: OnceLock<HashMap<String, Arc<Standing>>>,
}

/// What a list of handoffs shows of each; the answers to items are read where they are needed.
const CHECKLIST: [&str; 11] =
    ["gate", "template", "cycle", "state", "holder", "receiver", "assigned", "due", "blocked", "deleted", "handed_back"];
const FINDING: [&str; 6] = ["content", "severity", "assigned", "due", "outcome", "deleted"];
/// The fields of a comment that say whether it is a question that waits.
const COMMENT: [&str; 5] = ["asks", "reply_to", "resolved", "deleted", "text"];

/// What is read of the records of a kind; none: all of it.
fn fields_of(kind: Kind) -> Option<&'static [&'static str]> {
    match kind {
        Kind::Checklist => Some(&CHECKLIST),
        Kind::Finding => Some(&FINDING),
        Kind::Comment => Some(&COMMENT),
        _ => None,
    }
}

fn live(r: &Reader<'_>, kind: Kind, parent: Option<&str>) -> Result<Vec<Record>, ApiError> {
    Ok(r.records_with(kind, parent, fields_of(kind))?.into_iter().filter(|x| !x.deleted()).collect())
}

fn grouped(r: &Reader<'_>, kind: Kind) -> Result<Groups, ApiError> {
    let mut out = Groups::new();
    for record in live(r, kind, None)? {
        out.entry(record.parent.clone().unwrap_or_default()).or_default().push(record);
    }
    Ok(out)
}

/// What one thread reads while others read the rest, with the change that it saw last.
type Part<T> = Result<(i64, T), ApiError>;

impl Loaded {
    /// What is kept, brought up to what the reader sees.
    pub(super) fn now(workspace: &Workspace, r: &Reader<'_>) -> Result<Arc<Self>, ApiError> {
        let seq = r.change()?;
        // Held meanwhile: who asks at the same time wants the same, and waits for less time than it would work.
        let mut kept = workspace.overview();
        let loaded = match kept.take() {
            Some((at, loaded)) if at == seq => loaded,
            Some((at, loaded)) if at > seq => {
                // Somebody with a newer look was here first, and what is kept is right for all who come.
                *kept = Some((at, loaded));
                return Ok(Arc::new(Self::alone(r)?));
            }
            before => match Self::brought(r, before)? {
                Some(loaded) => Arc::new(loaded),
                None => match Self::together(workspace, r)? {
                    Some((at, loaded)) if at == seq => Arc::new(loaded),
                    _ => Arc::new(Self::alone(r)?),
                },
            },
        };
        *kept = Some((seq, Arc::clone(&loaded)));
        Ok(loaded)
    }

    /// What was kept, with what changed since; none where that is not known.
    fn brought(r: &Reader<'_>, kept: Option<(i64, Arc<Self>)>) -> Result<Option<Self>, ApiError> {
        let Some((at, loaded)) = kept else { return Ok(None) };
        let Some(touched) = r.records_changed_after(at)? else { return Ok(None) };
        let mut loaded = Arc::unwrap_or_clone(loaded);
        loaded.follow(r, &touched)?;
        Ok(Some(loaded))
    }

    /// Reads everything at once, on several processors; none where somebody changed something meanwhile, so that the parts
    /// would not belong together.
    fn together(workspace: &Workspace, r: &Reader<'_>) -> Result<Option<(i64, Self)>, ApiError> {
        let (lists, talk): (Part<Groups>, Part<_>) = std::thread::scope(|scope| {
            let lists = scope.spawn(|| workspace.read(|r| Ok((r.change()?, grouped(r, Kind::Checklist)?))));
            let talk = workspace.read(|r| {
                let comments = grouped(r, Kind::Comment)?;
                let homes = homes(r, &comments, HashMap::new())?;
                Ok((r.change()?, (comments, homes, grouped(r, Kind::Finding)?, live(r, Kind::Project, None)?)))
            });
            (lists.join().unwrap_or_else(|_| Err(ApiError::new("internal", "The handoffs could not be read"))), talk)
        });
        let ((a, checklists), (b, (comments, homes, findings, projects))) = (lists?, talk?);
        if a != b || a != r.change()? {
            return Ok(None);
        }
        Ok(Some((a, Self::with(r, checklists, comments, homes, findings, projects)?)))
    }

    /// Reads everything in one look.
    fn alone(r: &Reader<'_>) -> Result<Self, ApiError> {
        let comments = grouped(r, Kind::Comment)?;
        let homes = homes(r, &comments, HashMap::new())?;
        let (checklists, findings, projects) = (grouped(r, Kind::Checklist)?, grouped(r, Kind::Finding)?, live(r, Kind::Project, None)?);
        Self::with(r, checklists, comments, homes, findings, projects)
    }

    /// The rest, of which there is little.
    fn with(
        r: &Reader<'_>,
        checklists: Groups,
        comments: Groups,
        homes: HashMap<String, String>,
        findings: Groups,
        projects: Vec<Record>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            projects,
            shared: Shared { checklists },
            findings,
            comments,
            homes,
            criteria: grouped(r, Kind::Criteria)?,
            releases: grouped(r, Kind::Release)?,
            deployments: grouped(r, Kind::Deployment)?,
            monitors: grouped(r, Kind::Monitor)?,
            acl: r.acl()?,
            judged: HashMap::new(),
            standings: OnceLock::new(),
        })
    }

    /// Reads again what changed, and forgets the verdicts that may have turned.
    fn follow(&mut self, r: &Reader<'_>, touched: &BTreeSet<(String, String)>) -> Result<(), ApiError> {
        if let Some(all) = self.standings.take() {
            self.judged = all;
        }
        let acl = r.acl()?;
        if !Arc::ptr_eq(&acl, &self.acl) {
            self.judged.clear();
            self.acl = acl;
        }
        let mut stale: BTreeSet<(Kind, String)> = BTreeSet::new();
        let mut moved = false;
        for (kind, id) in touched {
            let subject = SubjectRef { kind: kind.clone(), id: id.clone() };
            let Ok(parsed) = subject.parse() else { continue };
            match parsed.kind {
                Kind::Project => self.reread(r, id)?,
                kind @ (Kind::Checklist
                | Kind::Finding
                | Kind::Comment
                | Kind::Criteria
                | Kind::Release
                | Kind::Deployment
                | Kind::Monitor) => {
                    if let Some(parent) = r.parent_of(kind, id)? {
                        stale.insert((kind, parent));
                    }
                    if kind == Kind::Release
                        && let Some(version) = r.record(kind, id)?.and_then(|release| release.get("version").map(str::to_owned))
                    {
                        self.forget_alike(r, &version)?;
                    }
                }
                // What belongs to another project now, and what many projects may rest on.
                Kind::Experiment | Kind::Model | Kind::Dataset | Kind::DatasetVersion | Kind::Template => {
                    moved = true;
                    self.judged.clear();
                }
                Kind::ModelVersion => self.forget_alike(r, id)?,
                Kind::Signoff => {
                    let release = r.parent_of(Kind::Signoff, id)?.map(|parent| r.record(Kind::Release, &parent)).transpose()?.flatten();
                    if let Some(version) = release.as_ref().and_then(|release| release.get("version")) {
                        self.forget_alike(r, version)?;
                    }
                }
                Kind::Run | Kind::LoggedModel => {}
                // What gates do not look at.
                Kind::Note | Kind::Segment | Kind::View | Kind::Setting | Kind::Panel | Kind::Pin | Kind::Assessment => continue,
            }
            if parsed.kind == Kind::Comment {
                continue;
            }
            // Evaluations are found wherever they were made, and a release may rest on what is elsewhere.
            self.judged.retain(|_, standing| !standing.wide && !standing.releases.values().any(|x| x.rests.contains(&parsed)));
            if let Some(project) = project_of(r, &subject)? {
                self.judged.remove(&project);
            }
        }
        for (kind, parent) in stale {
            let group = live(r, kind, Some(&parent))?;
            let Some(groups) = self.groups(kind) else { continue };
            if group.is_empty() {
                groups.remove(&parent);
            } else {
                groups.insert(parent, group);
            }
        }
        let known = if moved { HashMap::new() } else { std::mem::take(&mut self.homes) };
        self.homes = homes(r, &self.comments, known)?;
        Ok(())
    }

    /// Forgets the verdicts over projects that ask to release the same model as this version is.
    fn forget_alike(&mut self, r: &Reader<'_>, version: &str) -> Result<(), ApiError> {
        let contents = r.contents()?;
        for alike in contents.like(version) {
            for release in contents.releases_of(&alike) {
                if let Some(project) = r.parent_of(Kind::Release, release)? {
                    self.judged.remove(&project);
                }
            }
        }
        Ok(())
    }

    fn groups(&mut self, kind: Kind) -> Option<&mut Groups> {
        match kind {
            Kind::Checklist => Some(&mut self.shared.checklists),
            Kind::Finding => Some(&mut self.findings),
            Kind::Comment => Some(&mut self.comments),
            Kind::Criteria => Some(&mut self.criteria),
            Kind::Release => Some(&mut self.releases),
            Kind::Deployment => Some(&mut self.deployments),
            Kind::Monitor => Some(&mut self.monitors),
            _ => None,
        }
    }

    fn reread(&mut self, r: &Reader<'_>, id: &str) -> Result<(), ApiError> {
        let found = r.record(Kind::Project, id)?.filter(|p| !p.deleted());
        match (self.projects.iter().position(|p| p.id == id), found) {
            (Some(at), Some(project)) => self.projects[at] = project,
            (Some(at), None) => drop(self.projects.remove(at)),
            // Where it belongs among the others the file knows.
            (None, Some(_)) => self.projects = live(r, Kind::Project, None)?,
            (None, None) => {}
        }
        Ok(())
    }

    /// Where all projects stand; found out for those of which it is not known, on several processors.
    pub(super) fn standings(&self, workspace: &Workspace) -> Result<&HashMap<String, Arc<Standing>>, ApiError> {
        if let Some(all) = self.standings.get() {
            return Ok(all);
        }
        let open: Vec<&Record> = self.projects.iter().filter(|p| !self.judged.contains_key(&p.id)).collect();
        let found = each(workspace, &open, |r, p| Ok((p.id.clone(), Arc::new(judged(r, &self.shared, p)?))))?;
        let all = self.judged.iter().map(|(id, s)| (id.clone(), Arc::clone(s))).chain(found).collect();
        // Another thread may have been first; it found the same.
        Ok(self.standings.get_or_init(|| all))
    }

    /// The project of the record that a question is about.
    pub(crate) fn home_of(&self, comment: &Record) -> Option<&str> {
        self.homes.get(comment.parent.as_deref()?).map(String::as_str)
    }
}

/// The project of each record that somebody asked about. One that is not found is looked for again the next time: a question
/// may arrive before what it is about.
fn homes(r: &Reader<'_>, comments: &Groups, mut known: HashMap<String, String>) -> Result<HashMap<String, String>, ApiError> {
    for (about, group) in comments {
        if !known.contains_key(about)
            && let Some(question) = group.iter().find(|c| c.get("asks").is_some())
            && let Some(project) = project_of(r, &comments::about_of(question))?
        {
            known.insert(about.clone(), project);
        }
    }
    Ok(known)
}
