//! What a signer is shown, as one page that needs nothing else: the same page is signed, kept by its digest, and can be
//! opened again as it was. Nothing here may depend on when it is looked at, only on what the records say.

use super::case::{Judged, state_of};
use super::measure::Outcome;
use super::{Words, case, reason_of, results, words};
use crate::host::{Host, Workspace};
use crate::notes::report::{Detail, plain, ready, write_parts};
use crate::people::person;
use crate::{ApiError, cards};
use cairn_core::canonical::sha256;
use cairn_core::criterion::Verdict;
use cairn_core::decision::{Measured, Standing};
use cairn_core::id::Digest;
use cairn_core::op::{Kind, Severity};
use cairn_core::release::Bound;
use cairn_core::role::Role;
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use ts_rs::TS;

/// The largest page that is kept; it travels with the history whatever the team's limit for files is.
pub const PAGE_MAX: usize = 1024 * 1024;

/// The page of a release as it is now, for whoever looks.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReleasePage {
    /// What is named when it is signed.
    pub sha256: String,
    pub html: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct KeptPageRef {
    pub signoff: String,
}

/// A page as its signer saw it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct KeptPage {
    pub sha256: String,
    /// None where it has not arrived on this computer.
    pub html: Option<String>,
}

/// A page that was rendered, with what it says.
pub(crate) struct Shown {
    pub html: String,
    pub sha256: String,
    pub current: Vec<Bound>,
    pub standing: Standing,
    /// What the frozen criteria came to, as the page says it.
    pub measured: Vec<Measured>,
}

pub fn get(host: &Host, request: super::ReleaseRef) -> Result<ReleasePage, ApiError> {
    let workspace = host.workspace()?;
    let shown = render(&workspace, &request.release)?;
    Ok(ReleasePage { sha256: shown.sha256, html: shown.html })
}

/// What somebody was shown when they signed.
pub fn kept(host: &Host, request: KeptPageRef) -> Result<KeptPage, ApiError> {
    let workspace = host.workspace()?;
    let page = workspace.read(|r| Ok::<_, ApiError>(r.require(Kind::Signoff, &request.signoff)?.json("page")))?;
    let digest = page["digest"].as_str().ok_or_else(|| {
        ApiError::not_found("A page of this signature")
            .hint("Signatures by earlier programs kept no page; they bind the card by its digest.")
    })?;
    let digest = Digest::parse(digest.to_owned()).map_err(|e| ApiError::new("internal", e.to_string()))?;
    let html = workspace.store.blob(&digest)?.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(KeptPage { sha256: digest.to_string(), html })
}

/// Renders the page; where it would be too large, first without the tables under its charts, then without the drawings.
pub(crate) fn render(workspace: &Workspace, release: &str) -> Result<Shown, ApiError> {
    for detail in [Detail::Full, Detail::Drawn, Detail::Named] {
        let (html, judged, measured) = write(workspace, release, detail)?;
        if html.len() <= PAGE_MAX {
            let sha256 = sha256(html.as_bytes()).to_string();
            return Ok(Shown { html, sha256, current: judged.current, standing: judged.standing, measured });
        }
    }
    Err(ApiError::conflict("The page of this release is larger than can be kept with a signature")
        .hint("Shorten the model card, or put its largest tables into a file of the run."))
}

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\n<style>\
:root{color-scheme:light dark}body{font:15px/1.55 system-ui,sans-serif;max-width:820px;margin:0 auto;padding:16px;color:CanvasText;background:Canvas}\
h1{font-size:24px}h2{font-size:18px;margin-top:32px;border-top:1px solid color-mix(in srgb,CanvasText 20%,Canvas);padding-top:16px}h3{font-size:15px}\
table{border-collapse:collapse;max-width:100%;display:block;overflow-x:auto}td,th{border:1px solid color-mix(in srgb,CanvasText 25%,Canvas);padding:4px 8px;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
figure{margin:16px 0;background:#fff;color:#1d2322;padding:8px;overflow-x:auto}figcaption{font-size:13px}svg{max-width:100%;height:auto}\
code{font-size:12px;overflow-wrap:anywhere}.no{border-left:4px solid #b3261e;padding-left:12px}.note{border-left:4px solid #a15c00;padding-left:12px}.small{font-size:13px}img{max-width:100%}</style>";

fn write(workspace: &Workspace, release: &str, detail: Detail) -> Result<(String, Judged, Vec<Measured>), ApiError> {
    let (mut out, tail, card, judged, measured) = workspace.read(|r| {
        let record = r.require(Kind::Release, release)?;
        let judged = state_of(r, &record)?;
        let card = cards::view(r, &record.text("version"))?;
        let results = measured(r, &record, &judged)?;
        let out = facts(r, &record, &judged, &card, &results)?;
        let tail = signatures(workspace, r, &judged)?;
        let measured = results.into_iter().map(|x| x.measured).collect();
        Ok::<_, ApiError>((out, tail, card, judged, measured))
    })?;
    if detail != Detail::Full {
        let left = if detail == Detail::Drawn { "the numbers under its charts" } else { "its charts and their numbers" };
        let _ =
            writeln!(out, "<p class=\"note\">This page would be larger than can be kept: {left} are left out. The records hold them.</p>");
    }
    out.push_str("<h2>The model card</h2>\n");
    for section in card.sections {
        let _ = writeln!(out, "<h3>{}</h3>", plain(&section.title));
        if section.text.trim().is_empty() {
            out.push_str("<p><em>Nothing is written here.</em></p>\n");
        }
        if section.versions.len() > 1 {
            let _ = writeln!(
                out,
                "<p class=\"note\">{} people wrote this at the same time; nobody has settled it.</p>",
                section.versions.len()
            );
        }
        write_parts(workspace, &ready(workspace, section.parts), detail, &mut out)?;
    }
    out.push_str(&tail);
    out.push_str("\n</body>\n</html>\n");
    Ok((out, judged, measured))
}

/// What the version reaches of the criteria that its request froze.
fn measured(r: &Reader<'_>, record: &Record, judged: &Judged) -> Result<Vec<Outcome>, ApiError> {
    let Some(frozen) = &judged.standing.frozen else { return Ok(Vec::new()) };
    results(r, record, &r.require(Kind::ModelVersion, &record.text("version"))?, frozen)
}

/// What comes before the card: what is asked, and what speaks against it.
fn facts(r: &Reader<'_>, record: &Record, judged: &Judged, card: &cards::Card, results: &[Outcome]) -> Result<String, ApiError> {
    let acl = r.acl()?;
    let s = &judged.standing;
    let words = Words { r, acl: &acl, judged };
    let project = r.require(Kind::Project, record.parent.as_deref().unwrap_or_default())?;
    let title = format!("May {} version {} go live?", card.model, card.number);
    let mut out = format!("{HEAD}<title>{0}</title></head>\n<body>\n<h1>{0}</h1>\n", plain(&title));
    let _ = writeln!(out, "<p>{}</p>", plain(&words.state()?));
    for block in &s.blocks {
        let _ = writeln!(out, "<p class=\"no\"><strong>Holds it up:</strong> {}</p>", plain(&words.block(block)?.1));
    }
    if let Some(said) = words.independence() {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", plain(&said));
    }
    out.push_str("<h2>What is asked</h2>\n");
    let asks = s.requester.as_ref().map(|m| words.name(m)).unwrap_or_default();
    let why = s.request.as_ref().and_then(|id| judged.said_of(id)).and_then(|x| x.why.clone()).unwrap_or_default();
    let _ = writeln!(
        out,
        "<p><strong>{}</strong> asks for \u{201c}{}\u{201d}: \u{201c}{}\u{201d}</p>",
        plain(&asks),
        plain(&project.text("title")),
        plain(&why)
    );
    if let Some(f) = &s.frozen {
        let _ = writeln!(
            out,
            "<p>Judged as <strong>{} risk</strong> by the policy {} and the lifecycle {}, cycle {}. It needs the approval of: {}. \
             Whatever changes later is for later requests; if the class changes, this decision has to be made anew.</p>",
            f.class.as_str(),
            plain(&f.policy),
            plain(&crate::templates::spoken(&f.lifecycle)),
            f.cycle,
            plain(&words::roles(&s.needed))
        );
    }
    if let Some(word) = s.frozen.as_ref().and_then(|f| {
        crate::templates::lifecycle(r, &f.lifecycle).ok().flatten().and_then(|l| crate::templates::too_light(&l, Some(f.class.as_str())))
    }) {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", plain(&word));
    }
    for (heading, text) in [("The problem", project.text("problem")), ("What it is worth", project.text("value_metric"))] {
        if !text.trim().is_empty() {
            let _ = writeln!(out, "<p><strong>{heading}:</strong> {}</p>", plain(&text));
        }
    }
    earlier(r, &words, judged, &mut out)?;
    findings(r, record, &mut out)?;
    if !s.challenges.is_empty() {
        out.push_str("<h2>What colleagues brought up</h2>\n<ul>\n");
        for c in &s.challenges {
            let state = if c.answered { " (answered)" } else { "" };
            let _ = writeln!(out, "<li>{}{state}</li>", plain(&words.challenge(c)?));
        }
        out.push_str("</ul>\n<p class=\"small\">Whoever approves says that they have read this.</p>\n");
    }
    criteria(results, &judged.current, &mut out);
    Ok(out)
}

/// What comes after the card: who built it, who signed, and to what a signature binds.
fn signatures(workspace: &Workspace, r: &Reader<'_>, judged: &Judged) -> Result<String, ApiError> {
    let acl = r.acl()?;
    let s = &judged.standing;
    let words = Words { r, acl: &acl, judged };
    let mut out = String::new();
    out.push_str("<h2>Who built it</h2>\n<ul>\n");
    for (member, made) in &s.builders {
        let _ = writeln!(out, "<li>{} {}</li>", plain(&words.name(member)), plain(&words::made(made).join(", ")));
    }
    out.push_str("</ul>\n");
    out.push_str("<h2>Signatures so far</h2>\n");
    if s.signed.is_empty() {
        out.push_str("<p>Nobody has decided yet.</p>\n");
    }
    for x in &s.signed {
        let signed = r.record(Kind::Signoff, &x.signoff)?;
        let counts = x.discounted.map(|d| format!(" Does not count: {}", words.discounted(d))).unwrap_or_default();
        let stale = if x.fresh { "" } else { " Something it binds to has changed since." };
        let _ = writeln!(
            out,
            "<p>{} as {} {}: \u{201c}{}\u{201d}{}{stale}</p>",
            plain(&words.name(&x.by)),
            plain(&x.role.label().to_lowercase()),
            x.ruling.did(),
            plain(&signed.as_ref().map(reason_of).unwrap_or_default()),
            plain(&counts)
        );
    }
    out.push_str("<h2>What a signature binds to</h2>\n<table><tr><th>What</th><th>Fingerprint (sha256)</th></tr>\n");
    for b in &judged.current {
        let _ = writeln!(out, "<tr><td>{}</td><td><code>{}</code></td></tr>", plain(&words::subject(&b.name)), b.sha256);
    }
    out.push_str("</table>\n");
    let me = workspace.me(r)?;
    if let Some(me) = me.as_ref() {
        let who = person(&acl, me.as_str());
        let held: Vec<Role> = acl.members.get(me).map(|m| case::signing(&m.roles)).unwrap_or_default();
        let _ = writeln!(out, "<p class=\"small\">Shown to {} ({}).</p>", plain(&who.name), plain(&words::roles(&held)));
    }
    Ok(out)
}

fn earlier(r: &Reader<'_>, words: &Words<'_, '_>, judged: &Judged, out: &mut String) -> Result<(), ApiError> {
    let all = &judged.standing.earlier;
    if all.is_empty() {
        return Ok(());
    }
    out.push_str("<h2>Other decisions on the same model</h2>\n");
    for e in all {
        let reason = r.record(Kind::Signoff, &e.signoff)?.as_ref().map(reason_of).unwrap_or_default();
        let home = r.record(Kind::Project, &e.project)?.map(|p| p.text("title")).unwrap_or_default();
        let _ = writeln!(
            out,
            "<p class=\"{}\"><strong>{} as {} {}</strong> in \u{201c}{}\u{201d}: \u{201c}{}\u{201d}</p>",
            if e.blocks { "no" } else { "note" },
            plain(&words.name(&e.by)),
            plain(&e.role.label().to_lowercase()),
            e.ruling.did(),
            plain(&home),
            plain(&reason)
        );
        match &e.answer {
            Some(answer) => {
                let _ = writeln!(out, "<p>Answer: \u{201c}{}\u{201d}</p>", plain(answer));
            }
            None if e.blocks => out.push_str("<p><strong>Not answered.</strong></p>\n"),
            None => {}
        }
    }
    Ok(())
}

fn findings(r: &Reader<'_>, record: &Record, out: &mut String) -> Result<(), ApiError> {
    let all = r.records(Kind::Finding, record.parent.as_deref())?;
    let open: Vec<&Record> = all.iter().filter(|f| f.get("outcome").is_none()).collect();
    let _ = writeln!(out, "<h2>Findings</h2>\n<p>{} open, {} settled.</p>", open.len(), all.len() - open.len());
    let rank = |f: &&&Record| std::cmp::Reverse(f.get("severity").and_then(Severity::parse));
    let mut open: Vec<&&Record> = open.iter().collect();
    open.sort_by_key(|f| (rank(f), f.id.clone()));
    let acl = r.acl()?;
    for f in open {
        let content = crate::findings::words_of(r, &acl, f)?;
        let _ = writeln!(
            out,
            "<p><strong>{} severity: {}</strong> ({})<br>{}</p>",
            plain(&f.text("severity")),
            plain(&content.title),
            plain(&crate::people::person_at(&acl, &f.device).name),
            plain(&content.text)
        );
    }
    Ok(())
}

/// The signed criteria, each with what the version reaches of it now: with these numbers they are signed.
fn criteria(results: &[Outcome], current: &[Bound], out: &mut String) {
    out.push_str("<h2>Acceptance criteria</h2>\n");
    if !current.iter().any(|b| b.name.starts_with("criteria/")) {
        out.push_str("<p>No signed acceptance criteria.</p>\n");
        return;
    }
    if results.is_empty() {
        out.push_str("<p class=\"note\">There are signed acceptance criteria; what they come to cannot be said on this computer.</p>\n");
        return;
    }
    out.push_str("<table><tr><th>What was asked</th><th>Reached</th><th>Interval</th><th>Verdict</th><th>What it rests on</th></tr>\n");
    for Outcome { criterion, reached, .. } in results {
        let verdict = reached.verdict.map_or("not evaluated", Verdict::as_str);
        let interval = match (reached.low, reached.high) {
            (Some(low), Some(high)) => format!("{} to {}", rounded(low), rounded(high)),
            (_, _) => "\u{2013}".to_owned(),
        };
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{interval}</td><td><strong>{verdict}</strong></td><td>{}</td></tr>",
            plain(&criterion.words()),
            reached.value.map_or_else(|| "\u{2013}".to_owned(), rounded),
            plain(&reached.said)
        );
    }
    out.push_str("</table>\n<p class=\"small\">These numbers are signed with a decision. What is measured later is named beside it.</p>\n");
}

/// For people to read: four digits; the statement holds every digit.
fn rounded(x: f64) -> String {
    format!("{}", (x * 1e4).round() / 1e4)
}
