//! Text that people type: parsed once at the edge, trusted below it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest title, in characters.
pub const TITLE_MAX: usize = 500;
/// The longest body of a note or card section, in bytes. An operation line may hold 64 KiB.
pub const BODY_MAX: usize = 48 * 1024;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error("it is empty")]
    Blank,
    #[error("it is longer than {0} characters")]
    TooLong(usize),
    #[error("it contains a control character")]
    Control,
    #[error("it has spaces around it")]
    Spaces,
}

/// A name or heading: not blank, one line, at most 500 characters, outer spaces removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Title(String);

impl Title {
    /// The title of what came from elsewhere without a good name.
    pub fn imported() -> Self {
        Self("Imported".to_owned())
    }

    pub fn parse(raw: impl AsRef<str>) -> Result<Self, BadText> {
        let text = raw.as_ref().trim();
        if text.is_empty() {
            return Err(BadText::Blank);
        }
        if text.chars().count() > TITLE_MAX {
            return Err(BadText::TooLong(TITLE_MAX));
        }
        if text.chars().any(char::is_control) {
            return Err(BadText::Control);
        }
        Ok(Self(text.to_owned()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl TryFrom<String> for Title {
    type Error = BadText;
    /// On the wire a title has one form: spaces around it would give it two.
    fn try_from(raw: String) -> Result<Self, BadText> {
        let title = Self::parse(&raw)?;
        if title.0 == raw { Ok(title) } else { Err(BadText::Spaces) }
    }
}
impl From<Title> for String {
    fn from(title: Title) -> String {
        title.0
    }
}
impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Markdown of a note, a card section or an answer: may be empty, at most 48 KiB.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Body(String);

impl Body {
    pub fn parse(raw: impl Into<String>) -> Result<Self, BadText> {
        let raw = raw.into();
        if raw.len() > BODY_MAX {
            return Err(BadText::TooLong(BODY_MAX));
        }
        if raw.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(BadText::Control);
        }
        Ok(Self(raw))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl TryFrom<String> for Body {
    type Error = BadText;
    fn try_from(raw: String) -> Result<Self, BadText> {
        Self::parse(raw)
    }
}
impl From<Body> for String {
    fn from(body: Body) -> String {
        body.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_that_says_something() {
        assert_eq!(Title::parse("  Churn \n").map(String::from), Ok("Churn".to_owned()));
        assert_eq!(Title::parse(" \t"), Err(BadText::Blank));
        assert_eq!(Title::parse("a\nb"), Err(BadText::Control));
        assert_eq!(Title::parse("x".repeat(501)), Err(BadText::TooLong(500)));
    }
}
