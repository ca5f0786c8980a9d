//! Tables that people open in spreadsheets.

use std::borrow::Cow;

/// A text that spreadsheets would take for a formula is told apart by an apostrophe (OWASP, "CSV Injection"); numbers stay
/// what they are.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_formula_and_a_number_stays_one() {
        for (text, wanted) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-0.5", "-0.5"),
            ("-cmd|calc", "'-cmd|calc"),
            ("run 1", "run 1"),
            ("+inf", "+inf"),
        ] {
            assert_eq!(harmless(text), wanted);
        }
    }
}
