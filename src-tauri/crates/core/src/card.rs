//! Model cards: the sections that a template asks for, completeness, and the digest that a
//! signature binds to.

use crate::canonical::{canonical, sha256};
use crate::id::Digest;
use crate::role::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// One section of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub id: String,
    pub title: String,
    /// The question that it answers, in plain words.
    pub question: String,
    pub required: bool,
    /// Filled from the run when the version is made; people may correct it.
    pub from_run: bool,
    /// Who is asked to fill it.
    pub owner: Role,
    /// Where the field asks for it (Mitchell et al., Annex IV and so on).
    pub source: String,
}

/// A card template: data with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardTemplate {
    pub id: String,
    pub sections: Vec<Section>,
}

/// The text of every section that has one.
pub type Sections = BTreeMap<String, String>;

/// The digest of a card: of its canonical JSON, so that any changed letter changes it.
pub fn digest(model: &str, version: u32, sections: &Sections) -> Digest {
    let text = canonical_text(model, version, sections);
    sha256(text.as_bytes())
}

/// The exact bytes that [`digest`] is taken over.
///
/// # Panics
/// Never: a card holds text and one small integer, and both have a canonical form.
#[allow(clippy::expect_used)]
pub fn canonical_text(model: &str, version: u32, sections: &Sections) -> String {
    let filled: Sections = sections.iter().filter(|(_, t)| !t.trim().is_empty()).map(|(k, v)| (k.clone(), v.clone())).collect();
    canonical(&json!({ "format": "cairn-model-card/1", "model": model, "version": version, "sections": filled }))
        .expect("a card holds text and one small integer")
}

/// The required sections that are empty.
pub fn missing<'a>(template: &'a CardTemplate, sections: &Sections) -> Vec<&'a Section> {
    template.sections.iter().filter(|s| s.required && sections.get(&s.id).is_none_or(|text| text.trim().is_empty())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_letter_changes_the_digest() {
        let card = |text: &str| -> Sections { [("purpose".to_owned(), text.to_owned())].into() };
        let one = digest("m", 1, &card("Finds churn"));
        assert_eq!(one, digest("m", 1, &card("Finds churn")));
        assert_ne!(one, digest("m", 1, &card("Finds churn.")));
        assert_ne!(one, digest("m", 2, &card("Finds churn")));
    }

    #[test]
    fn an_empty_section_is_as_good_as_none() {
        let mut card = Sections::new();
        let empty = digest("m", 1, &card);
        card.insert("limits".into(), "  \n".into());
        assert_eq!(empty, digest("m", 1, &card), "clearing a section returns the card to what it was");
    }
}
