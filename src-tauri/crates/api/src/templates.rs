//! The templates: lifecycles, cards, policies. Versioned data in `assets/`, and lifecycles of the team's own; a record keeps
//! the version that it began with.

pub mod manage;
pub mod read;

use crate::ApiError;
use cairn_core::canonical::sha256;
use cairn_core::card::CardTemplate;
use cairn_core::decision::Policy;
use cairn_core::id::Digest;
use cairn_core::lifecycle::Lifecycle;
use cairn_core::op::Kind;
use cairn_core::release;
use cairn_store::Reader;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Every lifecycle that comes with the program, the first being what a project begins with unless somebody says otherwise.
const LIFECYCLES: [&str; 8] = [
    include_str!("../../../../assets/lifecycle/standard-4.yaml"),
    include_str!("../../../../assets/lifecycle/light-1.yaml"),
    include_str!("../../../../assets/lifecycle/regulated-3.yaml"),
    // Projects began with these, and keep to them until somebody moves them.
    include_str!("../../../../assets/lifecycle/standard-3.yaml"),
    include_str!("../../../../assets/lifecycle/regulated-2.yaml"),
    include_str!("../../../../assets/lifecycle/standard-2.yaml"),
    include_str!("../../../../assets/lifecycle/regulated-1.yaml"),
    include_str!("../../../../assets/lifecycle/standard-1.yaml"),
];
/// How many of them, from the first, new projects are offered.
const CURRENT: usize = 3;
const CARD: &str = include_str!("../../../../assets/cards/model-1.json");
const POLICY: &str = include_str!("../../../../assets/policies/standard-2.json");
/// By which earlier programs asked; requests of theirs are judged by it for ever.
const OLDER_POLICY: &str = include_str!("../../../../assets/policies/standard-1.json");

#[allow(clippy::expect_used)] // the files are compiled in, and a test reads them
fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("the templates in assets/ are well formed")
}

#[allow(clippy::expect_used)]
static BUILT_IN: LazyLock<Vec<(Arc<Lifecycle>, &'static str)>> =
    LazyLock::new(|| LIFECYCLES.map(|text| (Arc::new(read::read(text).expect("the templates in assets/ are well formed")), text)).to_vec());
static CARDS: LazyLock<CardTemplate> = LazyLock::new(|| parse(CARD));
static POLICIES: LazyLock<Policy> = LazyLock::new(|| parse(POLICY));
static OLDER: LazyLock<release::Policy> = LazyLock::new(|| parse(OLDER_POLICY));

/// The lifecycles that come with the program, with their texts.
pub(crate) fn built_in() -> &'static [(Arc<Lifecycle>, &'static str)] {
    &BUILT_IN
}

/// A lifecycle's name as people tell it from others: an earlier version says which it is.
pub(crate) fn shown_name(lifecycle: &Lifecycle) -> String {
    match lifecycle.id.rsplit_once('/') {
        Some((_, version)) if is_earlier(&lifecycle.id) && !lifecycle.name.contains('(') => format!("{} ({version})", lifecycle.name),
        _ => lifecycle.name.clone(),
    }
}

/// Whether a lifecycle that comes with the program is an earlier version, for projects that began with it.
pub(crate) fn is_earlier(id: &str) -> bool {
    built_in().iter().skip(CURRENT).any(|(t, _)| t.id == id)
}

pub fn card() -> &'static CardTemplate {
    &CARDS
}
pub fn policy() -> &'static Policy {
    &POLICIES
}
/// The digest of the policy's exact text: a request freezes it.
pub fn policy_digest() -> Digest {
    sha256(POLICY.as_bytes())
}
/// The policy of a digest, if it is one of this program's.
pub(crate) fn policy_of(digest: &Digest) -> Option<&'static Policy> {
    (*digest == policy_digest()).then(policy)
}
pub(crate) fn older_policy_of(digest: &Digest) -> Option<&'static release::Policy> {
    (*digest == sha256(OLDER_POLICY.as_bytes())).then_some(&*OLDER)
}

/// What is said where a lifecycle is made for lower classes than a project has.
pub(crate) fn too_light(lifecycle: &Lifecycle, class: Option<&str>) -> Option<String> {
    let class = cairn_core::op::RiskClass::parse(class?)?;
    let made_for = lifecycle.risk.iter().filter_map(|r| cairn_core::op::RiskClass::parse(r)).max()?;
    (class > made_for).then(|| {
        format!(
            "The lifecycle \u{201c}{}\u{201d} is made for {} risk, and this project has {} risk: it may ask for too little.",
            shown_name(lifecycle),
            made_for.as_str(),
            class.as_str()
        )
    })
}

/// The release policies that come with the program, with their exact texts.
pub(crate) fn policies() -> Vec<(&'static str, &'static str)> {
    vec![(policy().id.as_str(), POLICY), (OLDER.id.as_str(), OLDER_POLICY)]
}

/// How a project names a version of a template of the team's own: `team/<template>/<fingerprint of its text>`.
pub(crate) fn team_id(template: &str, text: &str) -> String {
    format!("{TEAM}{template}/{}", sha256(text.as_bytes()))
}
const TEAM: &str = "team/";

/// Templates of teams that were read before; a text never changes, so neither does what it says.
static READ: Mutex<BTreeMap<String, Arc<Lifecycle>>> = Mutex::new(BTreeMap::new());
/// Beyond it the memory begins anew.
const READ_MAX: usize = 200;

/// A template's name as people read it in a sentence; of a team's own version the beginning of its fingerprint.
pub(crate) fn spoken(id: &str) -> String {
    if let Some((found, _)) = built_in().iter().find(|(t, _)| t.id == id) {
        return shown_name(found);
    }
    let version = id.rsplit('/').next().unwrap_or_default();
    format!("of the team ({})", version.get(..10).unwrap_or(version))
}

/// The text of a template by the name that a project has of it; none where this computer has not received it.
pub(crate) fn text_of(r: &Reader<'_>, id: &str) -> Result<Option<String>, ApiError> {
    if let Some((_, text)) = built_in().iter().find(|(t, _)| t.id == id) {
        return Ok(Some((*text).to_owned()));
    }
    let Some((template, digest)) = id.strip_prefix(TEAM).and_then(|rest| rest.split_once('/')) else { return Ok(None) };
    let all = r.history(Kind::Template, template, "text", "")?;
    Ok(all.into_iter().map(|h| h.value).find(|text| sha256(text.as_bytes()).as_str() == digest))
}

/// A lifecycle by the name that a project has of it; none where this computer has not received it, or a later program
/// wrote it.
pub(crate) fn lifecycle(r: &Reader<'_>, id: &str) -> Result<Option<Arc<Lifecycle>>, ApiError> {
    if let Some((built_in, _)) = built_in().iter().find(|(t, _)| t.id == id) {
        return Ok(Some(built_in.clone()));
    }
    if let Some(known) = READ.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
        return Ok(Some(known.clone()));
    }
    let Some(found) = text_of(r, id)?.and_then(|text| read::read(&text).ok()) else { return Ok(None) };
    let found = Arc::new(Lifecycle { id: id.to_owned(), ..found });
    let mut all = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= READ_MAX {
        all.clear();
    }
    all.insert(id.to_owned(), found.clone());
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::checklist::ItemKind;

    #[test]
    fn the_templates_fit_together() {
        let ids: Vec<&str> = built_in().iter().map(|(t, _)| t.id.as_str()).collect();
        assert_eq!(ids, ["standard/4", "light/1", "regulated/3", "standard/3", "regulated/2", "standard/2", "regulated/1", "standard/1"]);
        for (template, _) in built_in().iter().filter(|(t, _)| t.id != "light/1") {
            assert_eq!(
                template.checklists.iter().map(|c| c.items.len()).sum::<usize>(),
                54,
                "{}: G1.1 to G6.8 of the reference",
                template.id
            );
            assert_eq!(template.checklist("G6").unwrap().items[7].id, "G6.8");
        }
        let risks: Vec<&String> = built_in()[..CURRENT].iter().flat_map(|(t, _)| &t.risk).collect();
        assert_eq!(risks, ["medium", "low", "high"], "one for each risk class");
        assert!(card().sections.iter().any(|s| s.required));
        assert!(policy().rule(cairn_core::op::RiskClass::High).unwrap().signoffs.len() > 1);
    }

    #[test]
    fn a_policy_that_requests_froze_never_changes() {
        assert_eq!(sha256(OLDER_POLICY.as_bytes()).as_str(), "9191b82214b307602807705542eb8f7691c4e4e1a8476c29af7de7ea30d96fd0");
        assert_eq!(
            policy_digest().as_str(),
            "48550dd40828ba4f1678fad08bc40549864bb6e67b9f6e3c41c39db4bbf74320",
            "another text is another version, in a file of its own"
        );
        assert!(cairn_core::op::RiskClass::ALL.iter().all(|c| policy().rule(*c).is_some()), "a rule for each class");
    }

    #[test]
    fn earlier_lifecycles_never_change() {
        for (id, digest) in [
            ("standard/1", "a597e16988d0a8f53ecbe52381b6fc43261b32e113596e445ea6f413d9343424"),
            ("standard/2", "b696bf7576aa08dbb02478e06df897dc0c93f4f2f1b0b5ef4761b96917c2c016"),
            ("standard/3", "a5476f638b8d09a4e2da972113e6ff21be96755f4f34e15e2887f679e0676c8d"),
            ("regulated/2", "5d169fa81691d197e3b4222a99283a8de24168c81ccf0eea5d0469bd135b4c88"),
            ("regulated/1", "b64b45d6f802b809cda22a40d307bac1f83b597982c064cc63186bf1ade97e4a"),
            ("light/1", "a6ebb7dba2786f6a3dd7b629374e433f8fecb627eae26c2b228308bbb12f3064"),
        ] {
            let (_, text) = built_in().iter().find(|(t, _)| t.id == id).unwrap();
            assert_eq!(sha256(text.as_bytes()).as_str(), digest, "projects began with {id}");
        }
    }

    #[test]
    fn what_the_reference_says_cairn_checks_it_checks() {
        let (standard, _) = &built_in()[0];
        let checked: Vec<&str> =
            standard.checklists.iter().flat_map(|c| &c.items).filter(|i| i.kind == ItemKind::Records).map(|i| i.id.as_str()).collect();
        assert_eq!(
            checked,
            [
                "G1.7", "G1.8", "G2.1", "G2.2", "G2.3", "G2.8", "G2.9", "G3.1", "G3.3", "G3.4", "G3.6", "G3.7", "G4.2", "G4.3", "G4.4",
                "G4.7", "G4.8", "G4.10", "G5.1", "G5.2", "G5.3", "G5.5", "G5.7", "G6.1", "G6.3"
            ],
            "what the field's lists call checkable from records"
        );
    }
}
