//! Names of people, so that nobody passes for another: the profile of Unicode TR39 for what may be entered, and skeletons that
//! tell which names look alike.
//!
//! Only for entry and display. Whether an operation is valid never depends on it: tables of Unicode differ between versions,
//! and two replicas must agree.

use unicode_security::confusable_detection::skeleton as confusable_skeleton;
use unicode_security::{GeneralSecurityProfile, MixedScript};

/// Why a name cannot be entered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("it holds a character that cannot be seen or that turns the direction of writing (U+{0:04X})")]
    Invisible(u32),
    #[error("the character \u{201c}{0}\u{201d} is not used in names")]
    Unusual(char),
    #[error("it mixes letters of several scripts, as look-alikes do")]
    MixedScripts,
}

/// Signs that stand in people's names beside letters.
const SIGNS: [char; 9] = [' ', '-', '\'', '’', '.', ',', '(', ')', '·'];

/// Whether a name can be entered: letters, marks and digits of one script, whichever, and the signs that names have.
pub fn check(name: &str) -> Result<(), BadName> {
    for c in name.chars() {
        if is_hidden(c) {
            return Err(BadName::Invisible(u32::from(c)));
        }
        if !SIGNS.contains(&c) && !c.identifier_allowed() {
            return Err(BadName::Unusual(c));
        }
    }
    if name.is_single_script() { Ok(()) } else { Err(BadName::MixedScripts) }
}

/// A character that shows nothing, or that changes the direction in which others are read.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What a name looks like: two names of one skeleton cannot be told apart by eye.
pub fn looks(name: &str) -> String {
    let seen: String = name.chars().filter(|c| !is_hidden(*c)).collect::<String>().to_lowercase();
    let skeleton: String = confusable_skeleton(&seen).collect();
    // Once more in lower case: a capital may look like another letter's small form.
    confusable_skeleton(&skeleton.to_lowercase()).filter(|c| !c.is_whitespace() && !SIGNS.contains(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_one_script_passes_whichever_it_is() {
        for name in [
            "Ana Berg",
            "José Núñez",
            "O'Neil",
            "Jean-Luc",
            "Анна Иванова",
            "Ελένη",
            "김민수",
            "山田太郎",
            "たなか",
            "محمد",
            "ดวง",
            "Dan 2",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_seen_and_what_looks_like_another_is_refused_at_entry() {
        assert!(matches!(check("An\u{200b}a"), Err(BadName::Invisible(0x200b))));
        assert!(matches!(check("\u{202e}anA"), Err(BadName::Invisible(0x202e))));
        assert_eq!(check("Аna"), Err(BadName::MixedScripts), "a Cyrillic capital before Latin letters");
        assert!(matches!(check("Ana<b>"), Err(BadName::Unusual('<'))));
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        assert_eq!(looks("Ana"), looks("Аnа"));
        assert_eq!(looks("Ana  Berg"), looks("ana berg"));
        assert_eq!(looks("An\u{200b}a"), looks("Ana"));
        assert_eq!(looks("paypal"), looks("раураl"));
        assert_ne!(looks("Ana"), looks("Anna"));
    }
}
