//! What holds for a whole workspace, and what of it is a good value.

use serde::{Deserialize, Serialize};

/// The settings that everybody shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// The largest file, in bytes, that travels through git with the log.
    SharedFileMax,
    /// Where larger files go: the address of an object store. Empty: they stay where they are.
    ObjectStore,
    /// The largest file, in bytes, that is sent to the object store.
    StoredFileMax,
}

impl Setting {
    pub const ALL: [Self; 3] = [Self::SharedFileMax, Self::ObjectStore, Self::StoredFileMax];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SharedFileMax => "shared_file_max",
            Self::ObjectStore => "object_store",
            Self::StoredFileMax => "stored_file_max",
        }
    }

    /// What holds where nobody said anything, or said something that is no value.
    pub fn default_value(self) -> &'static str {
        match self {
            // 256 KiB: a fetch of a year of a team's work stays small.
            Self::SharedFileMax => "262144",
            Self::ObjectStore => "",
            // 5 GiB: what the common stores take in one piece.
            Self::StoredFileMax => "5368709120",
        }
    }

    /// The default of one that is a number; 0 of any other.
    pub fn default_number(self) -> u64 {
        self.default_value().parse().unwrap_or(0)
    }

    /// Whether a text is a value of it. What another program wrote is checked where it is used, too.
    pub fn accepts(self, value: &str) -> bool {
        let bytes = || value.parse::<u64>().ok();
        match self {
            Self::SharedFileMax => bytes().is_some_and(|n| n <= crate::envelope::ATTACHMENT_MAX),
            Self::StoredFileMax => bytes().is_some(),
            Self::ObjectStore => {
                value.is_empty()
                    || (value.len() <= 1_000
                        && !value.contains(char::is_whitespace)
                        // A login stays in each computer's keyring; this is written into everybody's log.
                        && !value.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().unwrap_or_default().contains('@'))
                        && ["s3://", "gs://", "az://", "http://", "https://", "file:///"].iter().any(|scheme| value.starts_with(scheme)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_a_value() {
        for setting in Setting::ALL {
            assert!(setting.accepts(setting.default_value()), "{}", setting.as_str());
        }
    }

    #[test]
    fn an_address_of_another_kind_is_no_object_store() {
        assert!(Setting::ObjectStore.accepts("s3://bucket/prefix"));
        for bad in ["ftp://x/y", "s3://a b", "bucket", "javascript:alert(1)", "https://ann:pw@dav.host/x"] {
            assert!(!Setting::ObjectStore.accepts(bad), "{bad}");
        }
    }
}
