//! The one list of commands. Dispatch, the TypeScript types, the loopback door and `cairn call` all
//! come from it.

use crate::templates::manage as lifecycles;
use crate::{
    ApiError, Host, artifacts, audit, cards, charts, checklists, comments, compare, criteria, cycles, datasets, deletion, deployments,
    find, findings, gate, graph, inbox, lead_times, lineage, maintenance, maturity, members, models, monitors, notes, overview, panels,
    pins, problem, projects, recovery, releases, repair, reproduce, risk, rules, run_table, runs, settings, sharing, sources, test_score,
    views, workspaces,
};
use serde_json::Value;
use std::any::TypeId;
use std::collections::BTreeMap;
use ts_rs::{Config, TS, TypeVisitor};

/// Whether a command changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Query,
    Mutation,
}

/// One command.
pub struct Command {
    pub name: &'static str,
    pub kind: Kind,
    /// For a query: the cache tags whose change makes its answer old. `*`: any.
    pub tags: &'static [&'static str],
    call: fn(&Host, Value) -> Result<Value, ApiError>,
    types: fn(&mut Types),
}

macro_rules! commands {
    ($($name:literal $kind:ident $handler:path : $req:ty => $res:ty, [$($tag:literal),*];)*) => {
        /// All of them.
        pub const COMMANDS: &[Command] = &[$(Command {
            name: $name,
            kind: Kind::$kind,
            tags: &[$($tag),*],
            call: |host, value| {
                let request: $req = read_request($name, value)?;
                let response: $res = $handler(host, request)?;
                Ok(serde_json::to_value(response)?)
            },
            types: |types| types.command::<$req, $res>($name, Kind::$kind, &[$($tag),*]),
        }),*];
    };
}

commands! {
    "app.status" Query workspaces::status: workspaces::Nothing => workspaces::AppStatus, ["member", "settings", "sharing"];
    "workspace.create" Mutation workspaces::create: workspaces::CreateWorkspace => workspaces::AppStatus, [];
    "workspace.join" Mutation workspaces::join: workspaces::JoinWorkspace => workspaces::AppStatus, [];
    "workspace.open" Mutation workspaces::open: workspaces::OpenWorkspace => workspaces::AppStatus, [];
    "workspace.unlock" Mutation workspaces::unlock: workspaces::Unlock => workspaces::AppStatus, [];
    "member.list" Query members::list: workspaces::Nothing => members::Members, ["member"];
    "member.admit" Mutation members::admit: members::Admit => members::Members, [];
    "member.grant" Mutation members::grant: members::MemberRole => members::Members, [];
    "member.role_rests" Query members::role_rests: members::MemberRole => members::RoleRests, ["*"];
    "member.decline" Mutation members::decline: members::DeclineRequest => members::Members, [];
    "member.revoke" Mutation members::revoke: members::RevokeRole => members::Members, [];
    "device.remove" Mutation members::remove_device: members::RemoveDevice => members::Members, [];
    "device.readmit" Mutation members::readmit_device: members::ReadmitDevice => members::Members, [];
    "device.rotate" Mutation members::rotate: workspaces::Nothing => members::Members, [];
    "device.seal" Mutation members::seal: members::SealDevice => members::Members, [];
    "owner.second" Mutation members::second: members::ProposalRef => members::Members, [];
    "maturity.get" Query maturity::get: maturity::MaturityQuery => maturity::Maturity, ["*"];
    "maturity.assess" Mutation maturity::assess: maturity::Assess => maturity::Assessed, [];
    "inbox.list" Query inbox::list: workspaces::Nothing => Vec<inbox::InboxItem>, ["*"];
    "inbox.elsewhere" Query inbox::elsewhere: workspaces::Nothing => inbox::Elsewhere, ["*"];
    "inbox.notices" Query inbox::notices: workspaces::Nothing => inbox::Notices, ["settings"];
    "inbox.set_notices" Mutation inbox::set_notices: inbox::SetNotices => inbox::Notices, [];
    "inbox.looked" Mutation inbox::looked: workspaces::Nothing => inbox::Elsewhere, [];
    "search.find" Query find::find: find::FindQuery => Vec<find::Found>, ["*"];
    "graph.around" Query graph::around: graph::AroundQuery => graph::Around, ["*"];
    "portfolio.list" Query overview::portfolio: workspaces::Nothing => Vec<overview::PortfolioRow>, ["*"];
    "portfolio.lead_times" Query lead_times::lead_times: lead_times::LeadTimesQuery => lead_times::LeadTimes, ["project"];
    "project.list" Query projects::list: workspaces::Nothing => Vec<projects::Project>, ["*"];
    "project.get" Query projects::get: projects::ProjectRef => projects::Project, ["*"];
    "project.create" Mutation projects::create: projects::CreateProject => projects::Project, [];
    "project.edit" Mutation projects::edit: projects::EditProject => projects::Project, [];
    "project.set_member" Mutation projects::set_member: projects::SetProjectMember => projects::Project, [];
    "project.enter_stage" Mutation projects::enter_stage: projects::EnterStage => projects::Project, [];
    "project.set_template" Mutation projects::set_template: projects::SetTemplate => projects::Project, [];
    "project.way" Query cycles::way: projects::ProjectRef => cycles::Way, ["project", "template", "member"];
    "project.trigger" Mutation cycles::trigger: cycles::TriggerCycle => projects::Project, [];
    "project.end" Mutation cycles::end: cycles::EndProject => projects::Project, [];
    "project.test_score" Query test_score::score: projects::ProjectRef => test_score::TestScore, ["*"];
    "problem.get" Query problem::get: projects::ProjectRef => problem::ProblemForm, ["project", "member"];
    "problem.answer" Mutation problem::answer: problem::AnswerProblem => problem::ProblemForm, [];
    "criteria.list" Query criteria::list: projects::ProjectRef => criteria::CriteriaPage, ["*"];
    "criteria.write" Mutation criteria::write: criteria::WriteCriteria => criteria::CriteriaPage, [];
    "criteria.sign" Mutation criteria::sign: criteria::SignCriteria => criteria::CriteriaPage, [];
    "finding.list" Query findings::list: projects::ProjectRef => Vec<findings::Finding>, ["finding", "member"];
    "finding.recurrent" Query findings::recurrent: workspaces::Nothing => Vec<findings::Recurrent>, ["finding", "project"];
    "monitor.list" Query monitors::list: projects::ProjectRef => Vec<monitors::Monitor>, ["*"];
    "monitor.save" Mutation monitors::save: monitors::SaveMonitor => Vec<monitors::Monitor>, [];
    "monitor.report" Mutation monitors::report: monitors::ReportValue => Vec<monitors::Monitor>, [];
    "finding.save" Mutation findings::save: findings::SaveFinding => findings::Finding, [];
    "finding.assign" Mutation findings::assign: findings::AssignFinding => findings::Finding, [];
    "finding.settle" Mutation findings::settle: findings::SettleFinding => findings::Finding, [];
    "comment.list" Query comments::list: comments::CommentsAbout => Vec<comments::Thread>, ["comment", "member"];
    "comment.write" Mutation comments::write: comments::WriteComment => Vec<comments::Thread>, [];
    "comment.edit" Mutation comments::edit: comments::EditComment => Vec<comments::Thread>, [];
    "comment.resolve" Mutation comments::resolve: comments::ResolveThread => Vec<comments::Thread>, [];
    "lifecycle.list" Query lifecycles::list: workspaces::Nothing => Vec<lifecycles::LifecycleRow>, ["template", "project", "member"];
    "lifecycle.get" Query lifecycles::get: lifecycles::LifecycleRef => lifecycles::LifecycleView, ["template", "member"];
    "lifecycle.check" Query lifecycles::check: lifecycles::LifecycleText => lifecycles::LifecycleCheck, ["template", "member"];
    "lifecycle.difference" Query lifecycles::difference: lifecycles::LifecyclePair => lifecycles::LifecycleDifference, ["template"];
    "lifecycle.save" Mutation lifecycles::save: lifecycles::SaveLifecycle => lifecycles::LifecycleRow, [];
    "experiment.list" Query runs::experiments: workspaces::Nothing => Vec<runs::Experiment>, ["experiment", "run"];
    "experiment.link" Mutation runs::link: runs::LinkExperiment => Vec<runs::Experiment>, [];
    "run.list" Query runs::list: runs::RunQuery => Vec<runs::RunRow>, ["run", "metric", "experiment"];
    "run.page" Query runs::page: runs::RunPageQuery => runs::RunPage, ["run", "metric", "experiment"];
    "run.groups" Query run_table::groups: run_table::GroupQuery => run_table::RunGroups, ["run", "metric", "experiment"];
    "run.complete" Query run_table::complete: run_table::CompleteFilter => run_table::Completions, ["run", "metric", "experiment"];
    "run.stretches" Query runs::stretches: runs::StretchQuery => Vec<runs::StretchView>, ["metric"];
    "run.get" Query runs::get: runs::RunRef => runs::RunDetail, ["run", "metric", "logged_model"];
    "run.lineage" Query lineage::run: runs::RunRef => lineage::Lineage, ["run", "logged_model", "model_version"];
    "run.source" Query reproduce::source: runs::RunRef => reproduce::OriginView, ["run"];
    "run.reproduce" Query reproduce::script: reproduce::Reproduce => reproduce::Script, ["run"];
    "run.recording" Query reproduce::recording: workspaces::Nothing => reproduce::Recording, ["settings"];
    "run.set_source_recording" Mutation reproduce::set_recording: reproduce::SetRecording => reproduce::Recording, [];
    "view.list" Query views::list: views::ViewQuery => Vec<views::View>, ["view", "member"];
    "view.save" Mutation views::save: views::SaveView => views::View, [];
    "setting.get" Query settings::get: workspaces::Nothing => settings::Settings, ["setting"];
    "setting.store_sign_in" Mutation settings::store_sign_in: settings::StoreSignIn => settings::StoreAnswer, [];
    "setting.try_store" Query settings::try_store: workspaces::Nothing => settings::StoreAnswer, [];
    "setting.change" Mutation settings::change: settings::ChangeSetting => settings::Settings, [];
    "chart.draw" Query charts::draw: charts::DrawChart => charts::Chart, ["run", "metric"];
    "chart.values" Query charts::values: charts::DrawChart => charts::ChartValues, ["run", "metric"];
    "chart.browse" Query charts::browse::browse: charts::browse::BrowseCharts => charts::browse::Drawable, ["run", "metric"];
    "run.compare" Query compare::compare: compare::CompareRuns => compare::Comparison, ["run", "metric"];
    "run.code_difference" Query compare::code::difference: compare::code::TwoRuns => compare::code::CodeDifference, ["run"];
    "chart.export" Mutation charts::export::export: charts::export::ExportChart => charts::export::ExportedChart, [];
    "file.view" Query artifacts::view: artifacts::FileRef => artifacts::FileShown, [];
    "file.save" Mutation artifacts::save: artifacts::SaveFile => artifacts::SavedFile, [];
    "file.refer" Mutation runs::refer: runs::ReferFile => runs::Referred, [];
    "run.tag" Mutation runs::tag: runs::TagRuns => runs::TaggedRuns, [];
    "dataset.list" Query datasets::list: projects::ProjectRef => Vec<datasets::Dataset>, ["dataset", "dataset_version"];
    "dataset.import_csv" Mutation datasets::import_csv: datasets::ImportCsv => datasets::Dataset, [];
    "source.list" Query sources::list: workspaces::Nothing => Vec<sources::SourceView>, ["source"];
    "source.import" Mutation sources::import: sources::ImportSource => sources::Imported, [];
    "run.export_mlflow" Mutation sources::export_mlflow: sources::ExportMlflow => sources::ExportedRuns, [];
    "source.progress" Query sources::progress: workspaces::Nothing => Option<sharing::Progress>, [];
    "source.cancel" Mutation sources::cancel: workspaces::Nothing => bool, [];
    "source.look" Mutation sources::look_now: workspaces::Nothing => Vec<sources::SourceView>, [];
    "source.remove" Mutation sources::remove: sources::SourceRef => Vec<sources::SourceView>, [];
    "model.list" Query models::list: projects::ProjectRef => Vec<models::Model>, ["*"];
    "model.loose" Query models::loose: workspaces::Nothing => Vec<models::Model>, ["*"];
    "model.link" Mutation models::link: models::LinkModel => models::Model, [];
    "model.version" Query models::version: cards::VersionRef => models::ModelVersion, ["*"];
    "model.register" Mutation models::register: models::RegisterVersion => models::ModelVersion, [];
    "model.set_alias" Mutation models::set_alias: models::SetAlias => models::Model, [];
    "card.get" Query cards::get: cards::VersionRef => cards::Card, ["model_version", "model", "member"];
    "card.edit" Mutation cards::edit: cards::EditCard => cards::Card, [];
    "markdown.render" Query cards::render: cards::RenderMarkdown => cards::Rendered, [];
    "note.list" Query notes::list: notes::NotesAbout => Vec<notes::Note>, ["note", "member"];
    "note.preview" Query notes::report::preview: notes::report::PreviewNote => Vec<notes::report::NotePart>, ["run", "metric"];
    "note.freeze" Mutation notes::report::freeze: notes::report::FreezeNote => notes::Note, [];
    "note.attach" Mutation notes::attach::attach: notes::attach::AttachFile => notes::attach::Attached, [];
    "notebook.list" Query notes::notebooks::list: notes::notebooks::NotebooksOf => Vec<notes::notebooks::NotebookRow>, ["*"];
    "notebook.compare" Query notes::notebooks::compare: notes::notebooks::CompareNotebooks => notes::notebooks::NotebookDifference, [];
    "note.history" Query notes::history::history: notes::history::NoteRef => Vec<notes::history::NoteVersion>, ["note", "member"];
    "record.card" Query notes::attach::card: notes::SubjectRef => notes::attach::RecordCard, ["*"];
    "panel.list" Query panels::list: panels::PanelQuery => Vec<panels::Panel>, ["panel", "member"];
    "panel.save" Mutation panels::save: panels::SavePanel => panels::Panel, [];
    "pin.list" Query pins::list: pins::PinQuery => Vec<pins::PinView>, ["pin", "member"];
    "pin.save" Mutation pins::save: pins::SavePin => pins::PinView, [];
    "note.save" Mutation notes::save: notes::SaveNote => notes::Note, [];
    "record.delete" Mutation deletion::delete: deletion::DeleteRecord => notes::SubjectRef, [];
    "record.resting" Query deletion::resting: notes::SubjectRef => deletion::Resting, ["*"];
    "checklist.list" Query checklists::list: projects::ProjectRef => Vec<checklists::Checklist>, ["*"];
    "checklist.get" Query checklists::get: checklists::ChecklistRef => checklists::Checklist, ["*"];
    "checklist.start" Mutation checklists::work::start: checklists::work::StartChecklist => checklists::Checklist, [];
    "checklist.pick_up" Mutation checklists::work::pick_up: checklists::ChecklistRef => checklists::Checklist, [];
    "checklist.item_done" Mutation checklists::work::item_done: checklists::work::ItemDone => checklists::Checklist, [];
    "checklist.item_reopen" Mutation checklists::work::item_reopen: checklists::work::ItemRef => checklists::Checklist, [];
    "checklist.hand_back" Mutation checklists::work::hand_back: checklists::work::HandBack => checklists::Checklist, [];
    "checklist.complete" Mutation checklists::work::complete: checklists::ChecklistRef => checklists::Checklist, [];
    "checklist.assign" Mutation checklists::work::assign: checklists::work::AssignChecklist => checklists::Checklist, [];
    "checklist.set_due" Mutation checklists::work::set_due: checklists::work::DateChecklist => checklists::Checklist, [];
    "checklist.block" Mutation checklists::work::block: checklists::work::BlockChecklist => checklists::Checklist, [];
    "checklist.receive" Mutation checklists::work::receive: checklists::ChecklistRef => checklists::Checklist, [];
    "checklist.accept" Mutation checklists::work::accept: checklists::ChecklistRef => checklists::Checklist, [];
    "release.list" Query releases::list: projects::ProjectRef => Vec<releases::Release>, ["*"];
    "release.get" Query releases::get: releases::ReleaseRef => releases::Release, ["*"];
    "release.request" Mutation releases::request: releases::RequestRelease => releases::Release, [];
    "release.earlier" Query releases::earlier: releases::VersionAsked => Vec<releases::EarlierView>, ["*"];
    "release.page" Query releases::page::get: releases::ReleaseRef => releases::page::ReleasePage, ["*"];
    "release.kept_page" Query releases::page::kept: releases::page::KeptPageRef => releases::page::KeptPage, ["signoff"];
    "release.sign" Mutation releases::sign: releases::SignRelease => releases::Release, [];
    "release.answer" Mutation releases::answer: releases::AnswerChallenge => releases::Release, [];
    "release.withdraw" Mutation releases::withdraw: releases::WithdrawRelease => releases::Release, [];
    "risk.get" Query risk::get: projects::ProjectRef => risk::RiskView, ["*"];
    "risk.set" Mutation risk::set: risk::SetClass => risk::RiskView, [];
    "risk.agree" Mutation risk::agree: risk::AgreeClass => risk::RiskView, [];
    "rules.get" Query rules::get: workspaces::Nothing => rules::Rules, ["*"];
    "rules.adopt" Mutation rules::adopt: workspaces::Nothing => rules::Rules, [];
    "release.gate" Query gate::check: releases::ReleaseRef => gate::GateAnswer, ["*"];
    "deployment.list" Query deployments::list: projects::ProjectRef => Vec<deployments::Deployment>, ["deployment", "member"];
    "deployment.record" Mutation deployments::record: deployments::RecordDeployment => Vec<deployments::Deployment>, [];
    "run.fetch_points" Mutation sharing::fetch_points: sharing::FetchPoints => sharing::Fetched, [];
    "sharing.prune" Mutation sharing::prune: sharing::Prune => sharing::Pruned, [];
    "sharing.status" Query sharing::status: workspaces::Nothing => sharing::SharingStatus, ["sharing", "member", "settings"];
    "recovery.create" Mutation recovery::create: workspaces::Nothing => recovery::Printed, [];
    "recovery.sheet" Mutation recovery::sheet: recovery::SaveSheet => recovery::SavedSheet, [];
    "recovery.seen" Mutation recovery::seen: workspaces::Nothing => bool, [];
    "recovery.use" Mutation recovery::use_it: recovery::UseRecovery => members::Members, [];
    "sharing.set_automatic" Mutation sharing::set_automatic: sharing::SetAutomatic => sharing::SharingStatus, [];
    "sharing.share" Mutation sharing::share: workspaces::Nothing => sharing::Round, [];
    "sharing.progress" Query sharing::progress: workspaces::Nothing => Option<sharing::Progress>, [];
    "sharing.cancel" Mutation sharing::cancel: workspaces::Nothing => bool, [];
    "sharing.sign_in" Mutation sharing::sign_in: sharing::SignIn => sharing::SharingStatus, [];
    "sharing.probe" Mutation sharing::probe: workspaces::Nothing => sharing::Probed, [];
    "sharing.restore" Mutation sharing::restore: sharing::Restore => sharing::SharingStatus, [];
    "sharing.set_remote" Mutation sharing::set_remote: sharing::SetRemote => sharing::SharingStatus, [];
    "audit.witnesses" Query audit::witnesses: audit::OperationRef => Vec<audit::Witness>, ["sharing"];
    "audit.meanings" Query audit::meanings: workspaces::Nothing => Vec<audit::Meaning>, [];
    "audit.list" Query audit::list: audit::TrailQuery => audit::Trail, ["*"];
    "audit.export" Mutation audit::export: audit::ExportAudit => audit::Exported, [];
    "log.views" Query maintenance::views: workspaces::Nothing => maintenance::Views, ["*"];
    "log.verify" Mutation sharing::verify: workspaces::Nothing => sharing::Verified, [];
    "log.repair" Mutation repair::repair: workspaces::Nothing => Vec<repair::Mended>, [];
    "log.rebuild" Mutation maintenance::rebuild: workspaces::Nothing => maintenance::Rebuilt, [];
    "app.clean" Mutation maintenance::clean: maintenance::Clean => maintenance::Room, [];
    "app.doctor" Query maintenance::doctor: workspaces::Nothing => Vec<maintenance::Symptom>, [];
}

/// Reads a request. A field that there is not does nothing at all: a word at the wrong place must not pass for one that was
/// heard (`"compromised": true` once merely retired a computer).
fn read_request<T: serde::de::DeserializeOwned>(name: &str, value: Value) -> Result<T, ApiError> {
    let mut strange: Vec<String> = Vec::new();
    let request = serde_ignored::deserialize(value, |path| strange.push(path.to_string()))
        .map_err(|e| ApiError::invalid(format!("The request of {name} does not fit: {e}")))?;
    if strange.is_empty() {
        return Ok(request);
    }
    Err(ApiError::invalid(format!("{name} knows no field \"{}\"; nothing was done", strange.join("\", \"")))
        .hint("Correct its name or leave it out. The fields of each command stand in ui/src/host/commands.gen.ts."))
}

/// Runs a command by name.
pub fn dispatch(host: &Host, name: &str, request: Value) -> Result<Value, ApiError> {
    let Some(command) = COMMANDS.iter().find(|c| c.name == name) else {
        return Err(
            ApiError::new("unknown_command", format!("There is no command \"{name}\"")).hint("`cairn call` without arguments lists them.")
        );
    };
    let request = if request.is_null() { Value::Object(serde_json::Map::new()) } else { request };
    let started = std::time::Instant::now();
    let result = (command.call)(host, request);
    tracing::debug!(command = name, ms = started.elapsed().as_millis(), ok = result.is_ok(), "command");
    result
}

/// Collects the types of all commands in one walk.
struct Types {
    config: Config,
    seen: Vec<TypeId>,
    declared: BTreeMap<String, String>,
    rows: Vec<String>,
    tags: Vec<String>,
}

impl Types {
    fn command<Req: TS + 'static, Res: TS + 'static>(&mut self, name: &str, kind: Kind, tags: &[&str]) {
        self.visit::<Req>();
        self.visit::<Res>();
        self.rows.push(format!("  \"{name}\": {{ request: {}; response: {} }};", Req::name(&self.config), Res::name(&self.config)));
        if kind == Kind::Query {
            let list: Vec<String> = tags.iter().map(|t| format!("\"{t}\"")).collect();
            self.tags.push(format!("  \"{name}\": [{}],", list.join(", ")));
        }
    }
}

impl TypeVisitor for Types {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if self.seen.contains(&TypeId::of::<T>()) {
            return;
        }
        self.seen.push(TypeId::of::<T>());
        if T::output_path().is_some() {
            let (name, text) = (T::ident(&self.config), T::decl(&self.config));
            let before = self.declared.insert(name.clone(), text.clone());
            assert!(before.is_none_or(|b| b == text), "two types are called {name}");
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

/// The TypeScript of all commands: `ui/src/host/commands.gen.ts`.
pub fn typescript() -> String {
    let mut types = Types {
        config: Config::new().with_large_int("number"),
        seen: Vec::new(),
        declared: BTreeMap::new(),
        rows: Vec::new(),
        tags: Vec::new(),
    };
    for command in COMMANDS {
        (command.types)(&mut types);
    }
    types.visit::<ApiError>();
    let mut out = String::from("// Made from the list of commands in src-tauri/crates/api. Do not edit: run `make types`.\n\n");
    for declaration in types.declared.values() {
        out.push_str("export ");
        out.push_str(declaration);
        out.push('\n');
    }
    out.push_str("\nexport interface Commands {\n");
    out.push_str(&types.rows.join("\n"));
    out.push_str("\n}\n\n/** The cache tags that make the answer of a query old. */\nexport const queryTags = {\n");
    out.push_str(&types.tags.join("\n"));
    out.push_str("\n} as const satisfies Partial<Record<keyof Commands, readonly string[]>>;\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_noun_and_verb() {
        let mut names: Vec<_> = COMMANDS.iter().map(|c| c.name).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
        assert!(names.iter().all(|n| n.split('.').count() == 2));
    }

    #[test]
    fn the_typescript_in_the_window_is_that_of_this_list() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../ui/src/host/commands.gen.ts");
        let text = typescript();
        if std::env::var_os("CAIRN_WRITE_TYPES").is_some() {
            std::fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
            std::fs::write(path, &text).unwrap();
        }
        // Not assert_eq: it would print both files.
        assert!(std::fs::read_to_string(path).unwrap_or_default() == text, "run `make types`");
    }
}
