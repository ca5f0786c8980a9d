//! MLflow's limits (`mlflow/utils/validation.py`, 3.18): a name that Cairn takes, MLflow takes too.

use super::TrackingError;

pub const KEY_MAX: usize = 250;
pub const PARAM_VALUE_MAX: usize = 6_000;
pub const TAG_VALUE_MAX: usize = 8_000;
pub const METRICS_MAX: usize = 1_000;
pub const PARAMS_MAX: usize = 100;
pub const TAGS_MAX: usize = 100;

/// A metric, parameter or tag name: letters, digits, `_-. :/`, at most 250 characters, and not a
/// path that would leave its folder.
pub fn name(what: &str, key: &str) -> Result<(), TrackingError> {
    let quoted = serde_json::Value::from(key);
    if key.chars().count() > KEY_MAX {
        return Err(TrackingError::Invalid(format!("'{what}' exceeds the maximum length of {KEY_MAX} characters: {quoted}")));
    }
    let good = |c: char| c.is_alphanumeric() || "_-. :/".contains(c);
    if key.is_empty() || !key.chars().all(good) {
        return Err(TrackingError::Invalid(format!(
            "Invalid value {quoted} for parameter '{what}' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colons(:) and slashes (/)."
        )));
    }
    if !is_plain_path(key) {
        return Err(TrackingError::Invalid(format!(
            "Invalid value {quoted} for parameter '{what}' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such."
        )));
    }
    Ok(())
}

fn is_plain_path(key: &str) -> bool {
    !key.starts_with('/') && !key.ends_with('/') && key.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// A path of an artifact: relative, and inside.
pub fn artifact_path(path: &str) -> Result<(), TrackingError> {
    let lower = path.to_ascii_lowercase();
    let hidden = ["%2e", "%2f", "%5c", "%00", "%25"].iter().any(|x| lower.contains(x));
    let good = !path.is_empty() && !hidden && !path.contains(['\\', '\0']) && is_plain_path(path) && path.len() <= 1_000;
    if good { Ok(()) } else { Err(TrackingError::Invalid("Invalid path".to_owned())) }
}

/// MLflow shortens values instead of refusing them.
pub fn shorten(value: &str, max: usize) -> String {
    value.chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_a_way_out_is_refused() {
        for bad in ["", "../x", "/x", "a//b", "a/../b", "x/", "a\nb", "a#b"] {
            assert!(name("key", bad).is_err(), "{bad:?}");
        }
        for good in ["loss", "val/loss", "a b:c-d_e.f", "später"] {
            assert!(name("key", good).is_ok(), "{good:?}");
        }
        for bad in ["", "..", "a/../../b", "/etc/passwd", "a%2e%2e/b", "a\\b"] {
            assert!(artifact_path(bad).is_err(), "{bad:?}");
        }
        assert!(artifact_path("model/MLmodel").is_ok());
    }
}
