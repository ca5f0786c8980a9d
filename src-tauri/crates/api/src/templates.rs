//! The templates in `assets/`: lifecycle, checklists, cards, policies. Versioned data; a record
//! keeps the name of the one it began with.

use cairn_core::canonical::sha256;
use cairn_core::card::CardTemplate;
use cairn_core::checklist::Pack;
use cairn_core::id::Digest;
use cairn_core::lifecycle::Lifecycle;
use cairn_core::release::Policy;
use std::sync::LazyLock;

const LIFECYCLE: &str = include_str!("../../../../assets/lifecycle/standard-1.json");
const CHECKLISTS: &str = include_str!("../../../../assets/checklists/standard-1.json");
const CARD: &str = include_str!("../../../../assets/cards/model-1.json");
const POLICY: &str = include_str!("../../../../assets/policies/standard-1.json");

#[allow(clippy::expect_used)] // the files are compiled in, and a test reads them
fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("the templates in assets/ are well formed")
}

static LIFECYCLES: LazyLock<Lifecycle> = LazyLock::new(|| parse(LIFECYCLE));
static PACKS: LazyLock<Pack> = LazyLock::new(|| parse(CHECKLISTS));
static CARDS: LazyLock<CardTemplate> = LazyLock::new(|| parse(CARD));
static POLICIES: LazyLock<Policy> = LazyLock::new(|| parse(POLICY));

pub fn lifecycle() -> &'static Lifecycle {
    &LIFECYCLES
}
pub fn checklists() -> &'static Pack {
    &PACKS
}
pub fn card() -> &'static CardTemplate {
    &CARDS
}
pub fn policy() -> &'static Policy {
    &POLICIES
}
/// The digest of the policy's exact text: a sign-off binds to it.
pub fn policy_digest() -> Digest {
    sha256(POLICY.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::lifecycle::{Criterion, Stage};

    #[test]
    fn the_templates_fit_together() {
        for stage in Stage::ALL {
            let template = lifecycle().stage(stage).unwrap();
            for requirement in &template.requirements {
                if let Criterion::ChecklistCompleted { gate } = &requirement.criterion {
                    assert!(checklists().template(gate).is_some(), "{gate} has a checklist");
                }
            }
        }
        assert_eq!(checklists().checklists.iter().map(|c| c.items.len()).sum::<usize>(), 54, "G1.1 to G6.8 of the reference");
        assert_eq!(checklists().template("G6").unwrap().items[7].id, "G6.8");
        assert!(card().sections.iter().any(|s| s.required));
        assert!(policy().rule("high").unwrap().signoffs.len() > 1);
    }
}
