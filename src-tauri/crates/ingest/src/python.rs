//! The Python that a program ran in: its version and its packages, read from its folders without starting it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A Python environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonEnvironment {
    /// Such as `3.11.7`; `3.11` where no more can be told.
    pub version: String,
    /// A requirement a line, as pip takes it, sorted by name.
    pub requirements: Vec<String>,
}

/// The environment that the interpreter at `program` belongs to. Links are followed only where the
/// environment itself says so.
pub fn look(program: &Path) -> Option<PythonEnvironment> {
    let name = program.file_name()?.to_str()?;
    if !name.starts_with("python") && !name.starts_with("pypy") {
        return None;
    }
    let prefix = program.parent()?.parent()?;
    let settings = std::fs::read_to_string(prefix.join("pyvenv.cfg")).unwrap_or_default();
    let setting = |wanted: &str| {
        settings.lines().find_map(|l| l.split_once('=').filter(|(n, _)| n.trim() == wanted).map(|(_, v)| v.trim().to_owned()))
    };
    let real = std::fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    // Outside of an environment the interpreter may be a link into its own folder.
    let base = real.parent().and_then(Path::parent).unwrap_or(prefix);
    let mut folders = site_packages(prefix);
    let shared = settings.is_empty() || setting("include-system-site-packages").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    if shared && base != prefix {
        folders.extend(site_packages(base));
    }
    let version = setting("version").or_else(|| setting("version_info").map(|v| v.split('.').take(3).collect::<Vec<_>>().join(".")));
    let version = version.or_else(|| patch_level(base)).or_else(|| {
        let folder = folders.first()?.parent()?.file_name()?.to_str()?;
        folder.strip_prefix("python").map(str::to_owned)
    })?;
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for folder in &folders {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            if let Some((name, line)) = requirement(&entry.path(), &file) {
                // The environment's own packages hide those that it shares.
                found.entry(name).or_insert(line);
            }
        }
    }
    Some(PythonEnvironment { version, requirements: found.into_values().collect() })
}

fn site_packages(prefix: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for lib in ["lib", "lib64"] {
        for entry in std::fs::read_dir(prefix.join(lib)).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("python") {
                for name in ["site-packages", "dist-packages"] {
                    let folder = entry.path().join(name);
                    // lib64 is often a link to lib.
                    let same = |f: &PathBuf| f.canonicalize().ok() == folder.canonicalize().ok();
                    if folder.is_dir() && !found.iter().any(same) {
                        found.push(folder);
                    }
                }
            }
        }
    }
    found.sort();
    found
}

/// `<name>-<version>.dist-info`, by the specification of recorded projects; an address where it was installed from one.
fn requirement(folder: &Path, file: &str) -> Option<(String, String)> {
    let stem = file.strip_suffix(".dist-info").or_else(|| file.strip_suffix(".egg-info"))?;
    let (name, version) = stem.split_once('-')?;
    let version = version.split("-py").next().unwrap_or(version);
    let plain = name.to_ascii_lowercase().replace(['_', '.'], "-");
    let direct = std::fs::read(folder.join("direct_url.json")).ok();
    let address = direct.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok()).and_then(|v| {
        let url = v["url"].as_str()?;
        let vcs = &v["vcs_info"];
        Some(match (vcs["vcs"].as_str(), vcs["commit_id"].as_str()) {
            (Some(vcs), Some(commit)) => format!("{plain} @ {vcs}+{url}@{commit}"),
            _ => format!("{plain} @ {url}"),
        })
    });
    Some((plain.clone(), address.unwrap_or_else(|| format!("{plain}=={version}"))))
}

/// The full version stands in a header that comes with the interpreter.
fn patch_level(base: &Path) -> Option<String> {
    for entry in std::fs::read_dir(base.join("include")).ok()?.flatten() {
        let text = std::fs::read_to_string(entry.path().join("patchlevel.h")).unwrap_or_default();
        if let Some(version) = text.lines().find_map(|l| l.strip_prefix("#define PY_VERSION")) {
            return Some(version.trim().trim_matches('"').to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_a_virtual_environment_are_read_without_starting_it() {
        let dir = tempfile::tempdir().unwrap();
        let site = dir.path().join("lib/python3.11/site-packages");
        for package in ["numpy-2.1.0", "Scikit_Learn-1.9.1", "own-0.1"] {
            std::fs::create_dir_all(site.join(format!("{package}.dist-info"))).unwrap();
        }
        let from = r#"{"url": "https://host.invalid/own.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}"#;
        std::fs::write(site.join("own-0.1.dist-info/direct_url.json"), from).unwrap();
        std::fs::create_dir_all(dir.path().join("bin")).unwrap();
        std::fs::write(dir.path().join("bin/python"), "").unwrap();
        std::fs::write(dir.path().join("pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.7\n").unwrap();
        let found = look(&dir.path().join("bin/python")).unwrap();
        assert_eq!(found.version, "3.11.7");
        assert_eq!(found.requirements, ["numpy==2.1.0", "own @ git+https://host.invalid/own.git@abc", "scikit-learn==1.9.1"]);
        assert_eq!(look(Path::new("/bin/sh")), None);
    }
}
