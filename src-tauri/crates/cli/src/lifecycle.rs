//! `cairn lifecycle`: what stages ask for, as text that a team keeps and changes.

use crate::print;
use cairn_api::ApiError;
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(crate) enum Lifecycle {
    /// All lifecycles, with the projects that keep to them.
    List,
    /// Print one as the text that a team can change.
    Show {
        /// Such as standard/2, or a name that `list` prints.
        id: String,
    },
    /// Say what is wrong with a file, line by line, or what it would change.
    Check {
        file: PathBuf,
        /// Compare it with this one.
        #[arg(long)]
        from: Option<String>,
    },
    /// Keep a file as a lifecycle of the team.
    Save {
        file: PathBuf,
        /// The team's lifecycle that it is a new version of, as `list --json` calls its `template`.
        #[arg(long)]
        template: Option<String>,
    },
    /// Move a project to another lifecycle, or another version.
    Move {
        /// The project's id or title.
        project: String,
        id: String,
        #[arg(long)]
        reason: String,
    },
}

fn read(file: &Path) -> Result<String, ApiError> {
    std::fs::read_to_string(file).map_err(|e| ApiError::new("io", format!("{} could not be read: {e}", file.display())))
}

fn text<'v>(v: &'v Value, name: &str) -> &'v str {
    v[name].as_str().unwrap_or_default()
}

fn rows(v: &Value) -> impl Iterator<Item = &Value> {
    v.as_array().into_iter().flatten()
}

/// A row of the list by its id, or by its name where only one has it.
fn named(all: &Value, wanted: &str) -> Result<String, ApiError> {
    // An id is an id, also of an older version that no list shows.
    if wanted.contains('/') {
        return Ok(wanted.to_owned());
    }
    let found: Vec<&str> = rows(all).filter(|r| text(r, "id") == wanted || text(r, "name") == wanted).map(|r| text(r, "id")).collect();
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(ApiError::not_found(&format!("The lifecycle \"{wanted}\"")).hint("`cairn lifecycle list` prints all.")),
        _ => Err(ApiError::invalid(format!("Several lifecycles are called \"{wanted}\"")).hint("Name one by its id.")),
    }
}

impl Lifecycle {
    pub(crate) fn run(&self, as_json: bool, call: &dyn Fn(&str, Value) -> Result<Value, ApiError>) -> Result<(), ApiError> {
        let list = || call("lifecycle.list", json!({}));
        match self {
            Self::List => print::record(as_json, &list()?, |v| {
                rows(v)
                    .map(|r| format!("{} ({} projects): {}\n    {}", text(r, "name"), r["projects"], text(r, "summary"), text(r, "id")))
                    .collect::<Vec<_>>()
                    .join("\n")
            }),
            Self::Show { id } => {
                print::record(as_json, &call("lifecycle.get", json!({ "id": named(&list()?, id)? }))?, |v| {
                    text(v, "text").trim_end().to_owned()
                });
            }
            Self::Check { file, from } => {
                let from = from.as_deref().map(|id| named(&list()?, id)).transpose()?;
                let found = call("lifecycle.check", json!({ "text": read(file)?, "from": from }))?;
                let problems: Vec<String> =
                    rows(&found["problems"]).map(|p| format!("{}:{}: {}", file.display(), p["line"], text(p, "message"))).collect();
                if !problems.is_empty() {
                    if as_json {
                        print::record(true, &found, |_| String::new());
                    }
                    return Err(ApiError::invalid(problems.join("\n")));
                }
                print::record(as_json, &found, |v| {
                    let part = |name: &str, sign: &str| {
                        rows(&v["difference"][name])
                            .map(|c| {
                                format!("{sign} {}: {}", text(c, "id"), c["after"].as_str().or(c["before"].as_str()).unwrap_or_default())
                            })
                            .collect::<Vec<_>>()
                    };
                    let all = [vec!["It can be used.".to_owned()], part("removed", "-"), part("added", "+"), part("changed", "~")];
                    all.concat().join("\n")
                });
            }
            Self::Save { file, template } => {
                let all = list()?;
                let row = template.as_deref().and_then(|t| rows(&all).find(|r| text(r, "template") == t).cloned());
                if let (Some(t), None) = (template, &row) {
                    return Err(ApiError::not_found(&format!("A lifecycle of the team called {t}")));
                }
                let base = row.as_ref().and_then(|r| r["base"].as_str());
                let saved = call("lifecycle.save", json!({ "template": template, "text": read(file)?, "base": base }))?;
                print::record(as_json, &saved, |v| text(v, "id").to_owned());
            }
            Self::Move { project, id, reason } => {
                let projects = call("project.list", json!({}))?;
                let fits = |p: &&Value| text(p, "id") == project || text(p, "title") == project;
                let found: Vec<&str> = rows(&projects).filter(fits).map(|p| text(p, "id")).collect();
                let project = match found.as_slice() {
                    [one] => (*one).to_owned(),
                    [] => return Err(ApiError::not_found(&format!("The project \"{project}\""))),
                    _ => return Err(ApiError::invalid(format!("Several projects are called \"{project}\"")).hint("Name it by its id.")),
                };
                let moved =
                    call("project.set_template", json!({ "project": project, "template": named(&list()?, id)?, "reason": reason }))?;
                print::record(as_json, &moved, |v| format!("{} keeps to {} now.", text(v, "title"), text(&v["template"], "name")));
            }
        }
        Ok(())
    }
}
