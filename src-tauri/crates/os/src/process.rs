//! Which program of this computer is at the other end of a loopback connection, and what it runs.
//!
//! Linux tells it in `/proc`, of the own user's programs only. Elsewhere nothing is found, and a run
//! knows no more of itself than what its script says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The variables of a program's environment that are looked at; any other may hold a secret.
const LOOKED_AT: [&str; 6] = ["VIRTUAL_ENV", "CONDA_PREFIX", "PATH", "JPY_SESSION_NAME", "PYTHONPATH", "CUDA_VISIBLE_DEVICES"];

/// A running program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    pub id: u32,
    /// When it began, in ticks since the computer did: with `id` the name of one program for ever.
    pub began: u64,
    pub folder: Option<PathBuf>,
    pub command: Vec<String>,
    /// Some variables of its environment.
    pub variables: BTreeMap<String, String>,
}

/// The kernel's number for the other end of a connection: `peer` is its port, `here` ours, both on
/// 127.0.0.1. It is that connection's alone for as long as it stands.
pub fn other_end(peer: u16, here: u16) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    table.lines().skip(1).find_map(|line| inode_of(line, peer, here))
}

/// The program that holds a connection by that number.
pub fn holder(inode: u64) -> Option<u32> {
    let wanted = format!("socket:[{inode}]");
    let holds = |pid: &str| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        open.flatten().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str())).then_some(())
    };
    let mut pids: Vec<u32> =
        std::fs::read_dir("/proc").ok()?.flatten().filter_map(|e| e.file_name().to_str().and_then(|n| n.parse().ok())).collect();
    // Whoever just connected is often among the youngest.
    pids.sort_unstable_by(|a, b| b.cmp(a));
    pids.into_iter().find(|pid| holds(&pid.to_string()).is_some())
}

/// The inode of a line of `/proc/net/tcp` whose local port is `peer` and whose remote port is `here`.
fn inode_of(line: &str, peer: u16, here: u16) -> Option<u64> {
    let mut words = line.split_whitespace().skip(1);
    let port = |word: &str| word.rsplit_once(':').and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
    let (local, remote) = (port(words.next()?)?, port(words.next()?)?);
    (local == peer && remote == here).then(|| words.nth(6)?.parse().ok())?
}

/// What a program runs, as far as this user may know it.
pub fn look(id: u32) -> Option<Process> {
    let folder = PathBuf::from(format!("/proc/{id}"));
    let lines = |name: &str| -> Vec<String> {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        bytes.split(|b| *b == 0).filter(|w| !w.is_empty()).map(|w| String::from_utf8_lossy(w).into_owned()).collect()
    };
    let command = lines("cmdline");
    if command.is_empty() {
        return None;
    }
    let mut variables = BTreeMap::new();
    for pair in lines("environ") {
        if let Some((name, value)) = pair.split_once('=')
            && LOOKED_AT.contains(&name)
        {
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    let stat = std::fs::read_to_string(folder.join("stat")).unwrap_or_default();
    // The name in parentheses may hold spaces; the start is the 20th word after it.
    let began = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19)?.parse().ok()).unwrap_or(0);
    Some(Process { id, began, folder: std::fs::read_link(folder.join("cwd")).ok(), command, variables })
}

impl Process {
    /// What the own program's shell runs: for a run that is logged by hand.
    pub fn own() -> Self {
        let variables = LOOKED_AT.into_iter().filter_map(|n| Some((n.to_owned(), std::env::var(n).ok()?))).collect();
        Self { id: std::process::id(), began: 0, folder: std::env::current_dir().ok(), command: Vec::new(), variables }
    }

    /// The file of its program, found as its shell found it: links are not followed, so that a virtual
    /// environment is still recognised.
    pub fn program(&self) -> Option<PathBuf> {
        let name = Path::new(self.command.first()?);
        if name.components().count() > 1 {
            return Some(self.folder.as_deref().unwrap_or(Path::new("/")).join(name));
        }
        let path = OsString::from_vec(self.variables.get("PATH")?.clone().into_bytes());
        std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
    }
}

/// Words of a command whose value nobody may see.
const SECRET: [&str; 9] = ["password", "passwd", "secret", "token", "api-key", "api_key", "apikey", "credential", "access-key"];

/// A command without what looks like a secret, also inside a line that a shell is given as one word.
pub fn without_secrets(command: &[String]) -> Vec<String> {
    let plain = hidden(command);
    plain
        .into_iter()
        .map(|word| {
            if !word.contains(char::is_whitespace) {
                return word;
            }
            let parts: Vec<String> = word.split(' ').map(str::to_owned).collect();
            hidden(&parts).join(" ")
        })
        .collect()
}

fn hidden(command: &[String]) -> Vec<String> {
    let names_one = |word: &str| {
        let word = word.to_ascii_lowercase();
        SECRET.iter().any(|s| word.contains(s))
    };
    let mut out = Vec::with_capacity(command.len());
    let mut hide = false;
    for word in command {
        if std::mem::take(&mut hide) && !word.starts_with("--") {
            out.push("***".to_owned());
            continue;
        }
        match word.split_once('=') {
            Some((name, _)) if names_one(name) => out.push(format!("{name}=***")),
            _ => {
                hide = word.starts_with('-') && names_one(word);
                out.push(without_login(word));
            }
        }
    }
    out
}

/// An address without the name and secret before its host.
pub fn without_login(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.=".contains(&b)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            match host.rsplit_once('@') {
                // `git@host` in an ssh address is how to reach it, and no secret.
                Some((login, _)) if scheme == "ssh" && !login.contains(':') => text.to_owned(),
                Some((_, host)) => format!("{scheme}://{host}{path}"),
                None => text.to_owned(),
            }
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_program_at_the_other_end_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap().port();
        let out = TcpStream::connect(("127.0.0.1", here)).unwrap();
        let (_in, peer) = listener.accept().unwrap();
        assert_eq!(other_end(peer.port(), here).and_then(holder), Some(std::process::id()));
        drop(out);
        let me = look(std::process::id()).unwrap();
        assert_eq!(me.folder, std::env::current_dir().ok());
        assert_eq!(me.command.first(), std::env::args().next().as_ref());
    }

    #[test]
    fn secrets_of_a_command_are_not_kept() {
        let hidden = |line: &str| without_secrets(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).join(" ");
        for (line, wanted) in [
            ("train.py --lr 0.1", "train.py --lr 0.1"),
            ("train.py --api-key abc --lr 1", "train.py --api-key *** --lr 1"),
            ("train.py --token=abc x", "train.py --token=*** x"),
            ("train.py db=postgres://ann:pw@host/db", "train.py db=postgres://host/db"),
            ("train.py --token --verbose", "train.py --token --verbose"),
            ("MY_SECRET=1 train.py", "MY_SECRET=*** train.py"),
            ("git clone ssh://git@host/x", "git clone ssh://git@host/x"),
        ] {
            assert_eq!(hidden(line), wanted);
        }
        let shell = ["sh".to_owned(), "-c".to_owned(), "LR=1 python t.py --api-key abc && echo done".to_owned()];
        assert_eq!(without_secrets(&shell)[2], "LR=1 python t.py --api-key *** && echo done");
    }
}
