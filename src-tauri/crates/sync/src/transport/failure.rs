//! Why the remote could not be reached or refused, told apart by what a person can do.

/// Why the remote could not be reached or refused. The text is what the program that failed said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    #[error("the shared place could not be reached")]
    Unreachable(String),
    #[error("there is nothing at this address that can be shared through")]
    NotFound(String),
    #[error("the shared place asks for a sign-in that this computer does not have")]
    Credentials(String),
    #[error("the identity of the server changed or is not known yet")]
    HostKey(String),
    #[error("the server's certificate is not trusted")]
    Certificate(String),
    #[error("the proxy of this network asks for a sign-in")]
    Proxy(String),
    #[error("something else than the shared place answered, such as the sign-in page of a public network")]
    NotGit(String),
    #[error("the shared place refused what was sent")]
    Rejected(String),
    #[error("the shared place is full, or a limit of its owner is reached")]
    Full(String),
    #[error("this computer's disk is full")]
    DiskFull(String),
    #[error("the shared place sent something that git itself refuses")]
    BadObjects(String),
    #[error("somebody else writes under this computer's name")]
    Forked(String),
    #[error("the shared place did not answer in time")]
    Timeout,
    #[error("sharing was stopped")]
    Cancelled,
    #[error("sharing failed")]
    Other(String),
}

impl TransportError {
    /// A short word that clients may branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::NotFound(_) => "remote_not_found",
            Self::Credentials(_) => "credentials",
            Self::HostKey(_) => "host_key",
            Self::Certificate(_) => "certificate",
            Self::Proxy(_) => "proxy",
            Self::NotGit(_) => "not_git",
            Self::Rejected(_) => "rejected",
            Self::Full(_) => "remote_full",
            Self::DiskFull(_) => "disk_full",
            Self::BadObjects(_) => "bad_objects",
            Self::Forked(_) => "forked",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Other(_) => "transport",
        }
    }

    /// What the person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::Timeout => "Your work is saved here. Sharing goes on by itself when the network is back.",
            Self::NotFound(_) => "Check the address, and that the place exists and is empty or already holds this workspace.",
            Self::Credentials(_) => {
                "Enter a name and a token under Sharing and settings, or sign in once with your usual git program or key."
            }
            Self::HostKey(_) => "Connect once from a terminal to check and accept the server's key; do not accept it blindly.",
            Self::Certificate(_) => "Ask whoever runs the server; do not switch the check off.",
            Self::Proxy(_) => "Ask whoever runs the network for the proxy's sign-in, and set it in git's http.proxy.",
            Self::NotGit(_) => "Open a web page to sign in to the network, or check the address. Your work is saved here.",
            Self::Rejected(_) => {
                "A rule of the server stands in the way; its words are in the details. Ask whoever runs it to allow branches named cairn/log/…"
            }
            Self::Full(_) => "Ask whoever runs the server for more room. Your work is saved here and is sent when there is room.",
            Self::DiskFull(_) => "Free some space and share again. Nothing was lost.",
            Self::BadObjects(_) => "The branch that holds it is left out; the others are shared. The details say which.",
            Self::Forked(_) => {
                "This happens when a folder was copied or restored from a backup. Cairn gives this computer a new name; nothing is lost."
            }
            Self::Cancelled => "Your work is saved here. Share again when you like.",
            Self::Other(_) => "The details say more. Your work is saved here.",
        }
    }

    /// What the program that failed said.
    pub fn details(&self) -> &str {
        match self {
            Self::Unreachable(t)
            | Self::NotFound(t)
            | Self::Credentials(t)
            | Self::HostKey(t)
            | Self::Certificate(t)
            | Self::Proxy(t)
            | Self::NotGit(t)
            | Self::Rejected(t)
            | Self::Full(t)
            | Self::DiskFull(t)
            | Self::BadObjects(t)
            | Self::Forked(t)
            | Self::Other(t) => t,
            Self::Timeout | Self::Cancelled => "",
        }
    }
}

type Kind = fn(String) -> TransportError;

/// What the `git` program says (asked for in English) and what that means. The first line that fits decides.
const WORDS: &[(&[&str], Kind)] = &[
    (&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"], TransportError::HostKey),
    (&["Proxy CONNECT aborted", "returned error: 407", "response 407", "Received HTTP code 407"], TransportError::Proxy),
    (&["SSL certificate problem", "certificate verification failed", "server certificate"], TransportError::Certificate),
    (
        &[
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "Permission denied (",
            "terminal prompts disabled",
            "returned error: 401",
            "returned error: 403",
            "Access denied",
        ],
        TransportError::Credentials,
    ),
    (
        &[
            "Could not resolve host",
            "Connection refused",
            "Connection timed out",
            "Network is unreachable",
            "Failed to connect",
            "Couldn't connect",
            "No route to host",
            "Connection reset",
            "early EOF",
            "hung up unexpectedly",
            "unexpected disconnect",
            "Empty reply from server",
            "transfer closed",
        ],
        TransportError::Unreachable,
    ),
    (
        &["valid: is this a git repository", "invalid server response", "protocol error: bad line length", "no DAV locking support"],
        TransportError::NotGit,
    ),
    (
        &["remote: fatal: write error", "remote: error: file write error", "quota", "remote unpack failed", "unpacker error"],
        TransportError::Full,
    ),
    (&["No space left on device", "Disk quota exceeded", "File size limit exceeded"], TransportError::DiskFull),
    (&["fsck error", "error in object", "contains '.git'", "fullPathname", "duplicateEntries", "hasDot"], TransportError::BadObjects),
    (&["non-fast-forward", "fetch first", "cannot push non-fastforwardable", "stale info"], TransportError::Forked),
    (&["[remote rejected]", "hook declined", "protected branch"], TransportError::Rejected),
    (
        &[
            "does not appear to be a git repository",
            "repository not found",
            "not found",
            "does not exist",
            "No such file",
            "couldn't find remote ref",
        ],
        TransportError::NotFound,
    ),
];

pub(super) fn from_words(words: &str) -> TransportError {
    let text = words.trim().to_owned();
    let kind =
        WORDS.iter().find(|(needles, _)| needles.iter().any(|n| text.contains(n))).map_or(TransportError::Other as Kind, |(_, kind)| *kind);
    kind(text)
}

pub(super) fn from_git2(error: &git2::Error) -> TransportError {
    let text = error.message().to_owned();
    match error.code() {
        git2::ErrorCode::Auth => TransportError::Credentials(text),
        git2::ErrorCode::NotFound => TransportError::NotFound(text),
        git2::ErrorCode::NotFastForward => TransportError::Forked(text),
        git2::ErrorCode::Certificate => TransportError::Certificate(text),
        _ if error.class() == git2::ErrorClass::Net => TransportError::Unreachable(text),
        _ => from_words(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_what_a_person_can_do() {
        for (words, code) in [
            ("fatal: could not read Username for 'http://x': terminal prompts disabled", "credentials"),
            ("git@x: Permission denied (publickey).", "credentials"),
            ("ssh: connect to host x port 22: Connection refused", "unreachable"),
            ("fatal: '/x' does not appear to be a git repository", "remote_not_found"),
            ("! [remote rejected] a -> a (pre-receive hook declined)", "rejected"),
            ("! [rejected] a -> a (fetch first)", "forked"),
            ("Host key verification failed.", "host_key"),
            ("fatal: unable to access 'https://x/': Received HTTP code 407 from proxy after CONNECT", "proxy"),
            ("fatal: https://x/info/refs not valid: is this a git repository?", "not_git"),
            ("fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate", "certificate"),
            ("error: unable to write file: No space left on device", "disk_full"),
            ("remote: fatal: write error: No space left on device\n ! [remote rejected] a -> a (unpacker error)", "remote_full"),
            ("error: object 1f: hasDotdot: contains '..'\nfatal: fsck error in packed object", "bad_objects"),
        ] {
            assert_eq!(from_words(words).code(), code, "{words}");
        }
    }
}
