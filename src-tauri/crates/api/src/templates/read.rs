//! Reads a lifecycle that people wrote, and names what is wrong with its place.

use cairn_core::checklist::{Checklist, Item, ItemKind};
use cairn_core::lifecycle::{Check, Lifecycle, Requirement, Stage, StageTemplate};
use cairn_core::op::ProjectField;
use cairn_core::role::{Act, Role, permits};
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Problem {
    /// Counted from 1; 0: of the whole text.
    pub line: u32,
    pub message: String,
}

/// Bytes of a template; what is longer nobody follows.
pub(crate) const TEMPLATE_MAX: usize = 256 * 1024;
const RISKS: [&str; 3] = ["low", "medium", "high"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: Spanned<String>,
    name: Spanned<String>,
    summary: String,
    #[serde(default)]
    risk: Vec<Spanned<String>>,
    stages: Vec<RawStage>,
    #[serde(default)]
    checklists: Vec<RawChecklist>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStage {
    stage: Spanned<Stage>,
    name: Spanned<String>,
    purpose: String,
    #[serde(default)]
    requirements: Vec<RawRequirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequirement {
    id: Spanned<String>,
    text: Spanned<String>,
    owner: Role,
    check: Check,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChecklist {
    gate: Spanned<String>,
    title: Spanned<String>,
    from: Role,
    to: Role,
    #[serde(default)]
    after: Vec<Spanned<String>>,
    #[serde(default)]
    items: Vec<RawItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    id: Spanned<String>,
    text: Spanned<String>,
    role: Role,
    kind: Spanned<ItemKind>,
    blocks: bool,
    #[serde(default)]
    source: String,
    #[serde(default)]
    check: Option<Check>,
}

/// Reads a template; or all that is wrong with it.
pub(crate) fn read(text: &str) -> Result<Lifecycle, Vec<Problem>> {
    if text.len() > TEMPLATE_MAX {
        return Err(vec![Problem { line: 0, message: format!("A template has at most {} kB", TEMPLATE_MAX / 1024) }]);
    }
    let raw: Raw = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(0, |l| u32::try_from(l.line()).unwrap_or(0));
        let said = error.without_snippet().to_string();
        // The first line says it; the place is told beside.
        let first = said.lines().next().unwrap_or_default();
        let message = first.rsplit_once(" at line ").map_or(first, |(m, _)| m);
        vec![Problem { line, message: plainly(message) }]
    })?;
    let mut problems = Problems::default();
    judge(&raw, &mut problems);
    if problems.0.is_empty() {
        return Ok(made(raw));
    }
    let mut all = problems.0;
    all.sort_by_key(|p| p.line);
    Err(all)
}

/// What the reader says, in words that a person who never saw a parser understands.
fn plainly(said: &str) -> String {
    for (begin, join) in
        [("unknown variant `", "` is not known here; there are: "), ("unknown field `", "` has no place here; there are: ")]
    {
        if let Some((name, rest)) = said.find(begin).and_then(|at| said[at + begin.len()..].split_once('`')) {
            let choices = rest.trim_start_matches(", expected ").trim_start_matches("one of ").replace('`', "");
            return format!("`{name}{join}{choices}");
        }
    }
    said.to_owned()
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn at<T>(&mut self, place: &Spanned<T>, message: String) {
        self.0.push(Problem { line: u32::try_from(place.referenced.line()).unwrap_or(0), message });
    }
    fn whole(&mut self, message: String) {
        self.0.push(Problem { line: 0, message });
    }
    fn filled(&mut self, text: &Spanned<String>, what: &str) {
        if text.value.trim().is_empty() {
            self.at(text, format!("{what} is empty"));
        }
        if text.value.chars().count() > 500 {
            self.at(text, format!("{what} has more than 500 characters"));
        }
    }
}

fn judge(raw: &Raw, problems: &mut Problems) {
    problems.filled(&raw.id, "The id");
    problems.filled(&raw.name, "The name");
    for risk in raw.risk.iter().filter(|r| !RISKS.contains(&r.value.as_str())) {
        problems.at(risk, format!("\"{}\" is no risk class; there are {}", risk.value, RISKS.join(", ")));
    }
    for (i, stage) in raw.stages.iter().enumerate() {
        problems.filled(&stage.name, "The name of the stage");
        if Stage::ALL.get(i) != Some(&stage.stage.value) {
            let order = Stage::ALL.map(Stage::as_str).join(", ");
            problems.at(&stage.stage, format!("The stages are, in this order and each once: {order}"));
        }
    }
    if raw.stages.len() < Stage::ALL.len() {
        let missing: Vec<&str> =
            Stage::ALL.into_iter().filter(|s| raw.stages.iter().all(|r| r.stage.value != *s)).map(Stage::as_str).collect();
        problems.whole(format!("Stages are missing: {}", missing.join(", ")));
    }
    let gates: BTreeMap<&str, &RawChecklist> = raw.checklists.iter().map(|c| (c.gate.value.as_str(), c)).collect();
    let mut ids = BTreeSet::new();
    let mut once = |place: &Spanned<String>, problems: &mut Problems| {
        problems.filled(place, "The id");
        if !ids.insert(place.value.clone()) {
            problems.at(place, format!("The id \"{}\" is there twice", place.value));
        }
    };
    let mut asked = BTreeSet::new();
    for requirement in raw.stages.iter().flat_map(|s| &s.requirements) {
        once(&requirement.id, problems);
        problems.filled(&requirement.text, "The text");
        if let Check::ChecklistCompleted { gate } = &requirement.check {
            asked.insert(gate.as_str());
            if !gates.contains_key(gate.as_str()) {
                problems.at(&requirement.id, format!("There is no checklist {gate}"));
            }
        }
        judge_check(&requirement.id, &requirement.check, problems);
    }
    let mut items = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for list in &raw.checklists {
        problems.filled(&list.title, "The title");
        if !seen.insert(list.gate.value.as_str()) {
            problems.at(&list.gate, format!("The checklist {} is there twice", list.gate.value));
        }
        if !asked.contains(list.gate.value.as_str()) {
            problems
                .at(&list.gate, format!("No stage asks for the checklist {}: add a requirement with checklist_completed", list.gate.value));
        }
        if list.items.is_empty() {
            problems.at(&list.gate, format!("The checklist {} has no items", list.gate.value));
        }
        for before in list.after.iter().filter(|g| !gates.contains_key(g.value.as_str())) {
            problems.at(before, format!("There is no checklist {}", before.value));
        }
        for item in &list.items {
            problems.filled(&item.id, "The id");
            problems.filled(&item.text, "The text");
            if !items.insert(item.id.value.as_str()) {
                problems.at(&item.id, format!("The id \"{}\" is there twice", item.id.value));
            }
            match (&item.kind.value, &item.check) {
                (ItemKind::Records, None) => problems.at(&item.kind, "An item of the kind records needs a check".to_owned()),
                (ItemKind::Statement | ItemKind::Tick, Some(_)) => {
                    problems.at(&item.kind, "Only an item of the kind records has a check".to_owned());
                }
                (ItemKind::Records, Some(Check::ChecklistCompleted { .. })) => {
                    problems.at(&item.kind, "A checklist cannot wait for itself or another from inside; say so with \"after\"".to_owned());
                }
                (ItemKind::Records, Some(check)) => judge_check(&item.id, check, problems),
                (ItemKind::Statement | ItemKind::Tick, None) => {}
            }
        }
    }
    for list in &raw.checklists {
        if let Some(way) = circle(&list.gate.value, &gates) {
            problems.at(&list.gate, format!("These checklists wait for each other for ever: {}", way.join(" → ")));
            break;
        }
    }
}

fn judge_check(place: &Spanned<String>, check: &Check, problems: &mut Problems) {
    match check {
        Check::FieldFilled { field } if !ProjectField::ALL.into_iter().any(|f| f.as_str() == field) => {
            let known = ProjectField::ALL.map(ProjectField::as_str).join(", ");
            problems.at(place, format!("A project has no field \"{field}\"; there are {known}"));
        }
        Check::Answered { question } | Check::AnsweredAtLeast { question, .. } if !crate::problem::known(question) => {
            problems.at(place, format!("There is no question \"{question}\" about a project"));
        }
        Check::AllAnswered { questions } => {
            if questions.is_empty() {
                problems.at(place, "Say which questions must be answered".to_owned());
            }
            for question in questions.iter().filter(|q| !crate::problem::known(q)) {
                problems.at(place, format!("There is no question \"{question}\" about a project"));
            }
        }
        Check::MonitorsLive { watch } if watch.is_empty() => {
            problems.at(place, "Say what must be watched".to_owned());
        }
        Check::CriteriaSigned { by } if by.is_empty() => {
            problems.at(place, "Say which roles must sign the criteria".to_owned());
        }
        Check::CriteriaSigned { by } => {
            for role in by.iter().filter(|r| !permits(**r, Act::SignRelease)) {
                problems.at(place, format!("{} carries no sign-off, so nobody could sign as one", role.label()));
            }
        }
        Check::RolesApart { roles, from, .. } if roles.is_empty() || from.is_empty() => {
            problems.at(place, "Say which roles must be named, and from which the one apart is kept".to_owned());
        }
        Check::RolesApart { apart, from, .. } if from.contains(apart) => {
            problems.at(place, format!("{} cannot be kept apart from itself", apart.label()));
        }
        Check::RunTagged { tag, value } if tag.trim().is_empty() || value.trim().is_empty() => {
            problems.at(place, "A tag and its value must be said".to_owned());
        }
        Check::FileKept { ending } if ending.trim().is_empty() => {
            problems.at(place, "The ending of the file's path must be said".to_owned());
        }
        _ => {}
    }
}

/// The way from a checklist back to itself, if it waits for itself.
fn circle(start: &str, gates: &BTreeMap<&str, &RawChecklist>) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let list = way.last().and_then(|last| gates.get(last.as_str()));
        for next in list.into_iter().flat_map(|l| &l.after) {
            let longer = [way.clone(), vec![next.value.clone()]].concat();
            if next.value == start {
                return Some(longer);
            }
            if seen.insert(next.value.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}

fn made(raw: Raw) -> Lifecycle {
    Lifecycle {
        id: raw.id.value,
        name: raw.name.value,
        summary: raw.summary,
        risk: raw.risk.into_iter().map(|r| r.value).collect(),
        stages: raw
            .stages
            .into_iter()
            .map(|s| StageTemplate {
                stage: s.stage.value,
                name: s.name.value,
                purpose: s.purpose,
                requirements: s
                    .requirements
                    .into_iter()
                    .map(|r| Requirement { id: r.id.value, text: r.text.value, owner: r.owner, check: r.check })
                    .collect(),
            })
            .collect(),
        checklists: raw
            .checklists
            .into_iter()
            .map(|c| Checklist {
                gate: c.gate.value,
                title: c.title.value,
                from: c.from,
                to: c.to,
                after: c.after.into_iter().map(|a| a.value).collect(),
                items: c
                    .items
                    .into_iter()
                    .map(|i| Item {
                        id: i.id.value,
                        text: i.text.value,
                        role: i.role,
                        kind: i.kind.value,
                        blocks: i.blocks,
                        source: i.source,
                        check: i.check,
                    })
                    .collect(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: &str = include_str!("../../../../../assets/lifecycle/light-1.yaml");

    fn problems(text: &str) -> Vec<(u32, String)> {
        read(text).map_or_else(|all| all.into_iter().map(|p| (p.line, p.message)).collect(), |_| Vec::new())
    }
    fn line(text: &str, part: &str) -> u32 {
        u32::try_from(text.lines().position(|l| l.contains(part)).unwrap() + 1).unwrap()
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        assert_eq!(problems(LIGHT), [], "the light template is whole");
        for (from, to, said) in [
            ("  - stage: data\n", "  - stage: training\n", "in this order and each once"),
            ("owner: data_engineer", "owner: wizard", "`wizard` is not known here; there are: owner,"),
            ("check: { is: dataset_registered }", "check: { is: moon_full }", "`moon_full` is not known here"),
            ("gate: G2 }", "gate: G9 }", "There is no checklist G9"),
            ("field: problem }", "field: dream }", "no field \"dream\""),
            ("      - id: hypothesis\n", "      - id: problem\n", "\"problem\" is there twice"),
            ("risk: [low]", "risk: [none]", "no risk class"),
            ("    after: [G1]", "    after: [G3]", "wait for each other for ever: G2 → G3 → G2"),
            ("      - id: G1.1\n", "      - id: G1.2\n", "\"G1.2\" is there twice"),
        ] {
            assert!(LIGHT.contains(from), "{from}");
            let text = LIGHT.replacen(from, to, 1);
            let found = problems(&text);
            assert!(found.iter().any(|(_, m)| m.contains(said)), "{to}: {found:?}");
            assert!(found.iter().any(|(l, _)| *l > 0), "{to}: {found:?}");
        }
        let text = LIGHT.replacen("owner: data_engineer", "owner: wizard", 1);
        assert_eq!(problems(&text)[0].0, line(&text, "wizard"), "the very line");
        let text = LIGHT.replacen("kind: statement", "kind: records", 1);
        assert_eq!(problems(&text), [(line(&text, "kind: records"), "An item of the kind records needs a check".to_owned())]);
        assert!(problems("stages: [").iter().any(|(l, _)| *l > 0), "broken YAML");
        assert!(problems("").len() == 1 && problems(&"x".repeat(TEMPLATE_MAX + 1))[0].1.contains("at most"));
    }
}
