//! Comments and questions about any record, or at a place in it: threads that end when somebody says so.
//!
//! Nothing is overwritten: an edit keeps what it replaced, a resolved thread stays, and two people who answer at once both
//! have answered.

use crate::ApiError;
use crate::error::body;
use crate::host::{Host, Workspace};
use crate::notes::SubjectRef;
use crate::people::{PartyName, PartyRef, Person, known_party, party_in, person_at};
use crate::projects::{Version, base_of, bases};
use cairn_core::authority::Acl;
use cairn_core::fold::subject_key;
use cairn_core::id::CommentId;
use cairn_core::op::{Kind, Op, Subject};
use cairn_core::role::{Act, permits};
use cairn_report::markdown::to_html;
use cairn_store::Reader;
use cairn_store::order::Orders;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

/// The longest name of a place in a record.
const ANCHOR_MAX: usize = 500;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Thread {
    /// Of its first comment.
    pub id: String,
    pub about: SubjectRef,
    /// A place in the record, such as an item or a section; empty: all of it.
    pub anchor: String,
    /// An objection by somebody who decides stays open until they resolve it themselves, whoever else says that it is dealt with.
    pub resolved: bool,
    pub resolved_by: Option<Person>,
    /// Who is asked, where it is a question.
    pub asks: Option<PartyName>,
    /// Somebody else than the asker replied.
    pub answered: bool,
    pub comments: Vec<Comment>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Comment {
    pub id: String,
    pub by: Person,
    pub mine: bool,
    pub at_ms: i64,
    /// None: never changed.
    pub edited_ms: Option<i64>,
    pub text: String,
    pub html: String,
    pub base: String,
    pub versions: Vec<Version>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CommentsAbout {
    pub about: SubjectRef,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct WriteComment {
    pub about: SubjectRef,
    #[serde(default)]
    pub anchor: String,
    pub text: String,
    /// A comment of the thread that it belongs to.
    #[serde(default)]
    #[ts(optional)]
    pub reply_to: Option<String>,
    /// Makes it a question.
    #[serde(default)]
    #[ts(optional)]
    pub asks: Option<PartyRef>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EditComment {
    pub comment: String,
    pub text: String,
    pub base: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ResolveThread {
    /// The thread's first comment.
    pub comment: String,
    pub resolved: bool,
}

pub fn list(host: &Host, request: CommentsAbout) -> Result<Vec<Thread>, ApiError> {
    let about = request.about.parse()?;
    let workspace = host.workspace()?;
    workspace.read(|r| threads(&workspace, r, &subject_key(&about), &request.about))
}

/// The threads about a record, the oldest first.
pub(crate) fn threads(workspace: &Workspace, r: &Reader<'_>, parent: &str, about: &SubjectRef) -> Result<Vec<Thread>, ApiError> {
    let acl = r.acl()?;
    let me = workspace.me(r)?;
    let all = r.records(Kind::Comment, Some(parent))?;
    let mut replies: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for reply in all.iter().filter(|c| !c.deleted()) {
        if let Some(root) = reply.get("reply_to") {
            replies.entry(root.to_owned()).or_default().push(reply);
        }
    }
    let mut out = Vec::new();
    for root in all.iter().filter(|c| c.get("reply_to").is_none()) {
        let following = replies.remove(&root.id).unwrap_or_default();
        if root.deleted() && following.is_empty() {
            continue;
        }
        let asker = person_at(&acl, &root.device).id;
        let shown = std::iter::once(root).filter(|c| !c.deleted()).chain(following.iter().copied());
        let comments = shown.map(|c| comment(workspace, r, c)).collect::<Result<Vec<_>, ApiError>>()?;
        let resolved = root.cell("resolved");
        out.push(Thread {
            id: root.id.clone(),
            about: about.clone(),
            anchor: root.text("anchor"),
            resolved: resolved.is_some_and(|_| !objection_stands(r, &acl, root)),
            resolved_by: resolved.map(|c| person_at(&acl, c.device())),
            asks: party_in(&acl, me.as_ref(), root.get("asks")),
            answered: following.iter().any(|c| person_at(&acl, &c.device).id != asker),
            comments,
        });
    }
    // A reply whose beginning has not arrived yet is shown all the same.
    for (root, lost) in replies {
        if all.iter().any(|c| c.id == root) {
            continue;
        }
        let comments = lost.into_iter().map(|c| comment(workspace, r, c)).collect::<Result<Vec<_>, ApiError>>()?;
        out.push(Thread {
            id: root,
            about: about.clone(),
            anchor: String::new(),
            resolved: false,
            resolved_by: None,
            asks: None,
            answered: false,
            comments,
        });
    }
    Ok(out)
}

fn comment(workspace: &Workspace, r: &Reader<'_>, record: &Record) -> Result<Comment, ApiError> {
    let acl = r.acl()?;
    let me = workspace.me(r)?;
    let by = person_at(&acl, &record.device);
    // Nobody puts words into another's mouth: edits of others are kept in the history and shown nowhere.
    let mut heads = r.history(Kind::Comment, &record.id, "text", "")?;
    heads.retain(|h| person_at(&acl, &h.device).id == by.id);
    let replaced: BTreeSet<String> = heads.iter().flat_map(|h| h.base.iter().cloned()).collect();
    heads.retain(|h| !replaced.contains(&h.op));
    let base = base_of(&heads).unwrap_or_default();
    let edited_ms = heads.first().filter(|h| !h.base.is_empty()).map(|h| h.at_ms);
    let several = heads.len() > 1;
    let text = heads.first().map_or_else(|| record.text("text"), |h| h.value.clone());
    Ok(Comment {
        id: record.id.clone(),
        mine: me.is_some_and(|m| m.as_str() == by.id),
        by,
        at_ms: record.at_ms,
        edited_ms,
        html: to_html(&text),
        text,
        base,
        versions: heads
            .into_iter()
            .filter(|_| several)
            .map(|h| Version { by: person_at(&acl, &h.device), op: h.op, value: h.value, at_ms: h.at_ms })
            .collect(),
    })
}

pub fn write(host: &Host, request: WriteComment) -> Result<Vec<Thread>, ApiError> {
    let workspace = host.workspace()?;
    let about = request.about.parse()?;
    let text = body("The comment", request.text.trim())?;
    if text.as_str().is_empty() {
        return Err(ApiError::invalid("A comment says something"));
    }
    if request.anchor.chars().count() > ANCHOR_MAX {
        return Err(ApiError::invalid(format!("The name of the place has more than {ANCHOR_MAX} characters")));
    }
    let asks = request.asks.as_ref().map(PartyRef::parse).transpose()?;
    let comment = CommentId::parse(workspace.edge.new_id())?;
    workspace.write(|w| {
        w.require(about.kind, &about.id)?;
        if let Some(who) = &asks {
            known_party(&*w.acl()?, who)?;
        }
        let reply_to = match request.reply_to {
            None => None,
            Some(id) => {
                let answered = w.require(Kind::Comment, &id)?;
                if answered.parent.as_deref() != Some(&subject_key(&about)) {
                    return Err(ApiError::conflict("The comment that it answers is about something else"));
                }
                // Threads have one level: a reply to a reply belongs to the first comment.
                Some(CommentId::parse(answered.get("reply_to").unwrap_or(&id))?)
            }
        };
        w.append(Op::CommentWritten { comment, about, anchor: request.anchor, text, reply_to, asks }).map_err(ApiError::from)
    })?;
    list(host, CommentsAbout { about: request.about })
}

pub fn edit(host: &Host, request: EditComment) -> Result<Vec<Thread>, ApiError> {
    let workspace = host.workspace()?;
    let comment = CommentId::parse(request.comment)?;
    let text = body("The comment", request.text.trim())?;
    if text.as_str().is_empty() {
        return Err(ApiError::invalid("A comment says something").hint("To take it back, delete it."));
    }
    let base = bases(Some(&request.base))?;
    let about = workspace.write(|w| {
        let record = w.require(Kind::Comment, comment.as_str())?;
        let acl = w.acl()?;
        if workspace.me(w)?.is_none_or(|me| me.as_str() != person_at(&acl, &record.device).id) {
            return Err(ApiError::conflict("Only whoever wrote a comment changes it").hint("Write a reply."));
        }
        w.append(Op::CommentEdited { comment, text, base })?;
        Ok::<_, ApiError>(about_of(&record))
    })?;
    list(host, CommentsAbout { about })
}

/// Whether a thread is an objection to what is decided on, by somebody who held a deciding role, that another person than they
/// resolved: then it stands.
fn objection_stands(r: &Reader<'_>, acl: &Acl, root: &Record) -> bool {
    let Some(resolved) = root.cell("resolved") else { return false };
    let author = person_at(acl, &root.device).id;
    if person_at(acl, resolved.device()).id == author {
        return false;
    }
    is_objection(r, acl, root)
}

/// Kinds that somebody decides on.
fn is_objection(r: &Reader<'_>, acl: &Acl, root: &Record) -> bool {
    let about = about_of(root);
    if !["release", "model_version", "finding", "criteria"].contains(&about.kind.as_str()) {
        return false;
    }
    let subject = Subject { kind: Kind::Comment, id: root.id.clone() };
    let Ok(said) = r.said_about(&Orders::new(r), &subject, &["comment.written"]) else { return true };
    said.iter().any(|s| acl.roles_for(&s.id.device, s.id.n, &s.past).into_iter().any(|role| permits(role, Act::SignRelease)))
}

pub fn resolve(host: &Host, request: ResolveThread) -> Result<Vec<Thread>, ApiError> {
    let workspace = host.workspace()?;
    let comment = CommentId::parse(request.comment)?;
    let about = workspace.write(|w| {
        let record = w.require(Kind::Comment, comment.as_str())?;
        if record.get("reply_to").is_some() {
            return Err(ApiError::conflict("A thread is resolved by its first comment"));
        }
        let acl = w.acl()?;
        let mine = workspace.me(w)?.is_some_and(|me| me.as_str() == person_at(&acl, &record.device).id);
        if request.resolved && !mine && is_objection(w, &acl, &record) {
            return Err(ApiError::conflict("An objection is resolved by whoever raised it")
                .hint("Reply with what was done; they say whether that settles it."));
        }
        w.append(if request.resolved { Op::CommentResolved { comment } } else { Op::CommentReopened { comment } })?;
        Ok::<_, ApiError>(about_of(&record))
    })?;
    list(host, CommentsAbout { about })
}

/// What a comment is about.
pub(crate) fn about_of(comment: &Record) -> SubjectRef {
    let (kind, id) = comment.parent.as_deref().and_then(|p| p.split_once('/')).unwrap_or_default();
    SubjectRef { kind: kind.to_owned(), id: id.to_owned() }
}
