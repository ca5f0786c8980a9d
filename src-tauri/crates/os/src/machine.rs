//! What this computer is: what a run wants to know of where it ran.

use std::path::Path;

/// A computer, in the words that it uses of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    pub system: Option<String>,
    pub cpu: Option<String>,
    pub cores: u64,
    pub memory_bytes: u64,
    pub gpus: Vec<String>,
}

/// Looks at this computer.
pub fn look() -> Machine {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    Machine {
        system: system(&read("/etc/os-release"), &read("/proc/sys/kernel/osrelease")),
        cpu: value(&read("/proc/cpuinfo"), "model name"),
        cores: std::thread::available_parallelism().map_or(0, |n| n.get() as u64),
        memory_bytes: value(&read("/proc/meminfo"), "MemTotal").and_then(|v| v.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) * 1024,
        gpus: gpus(Path::new("/proc/driver/nvidia")),
    }
}

fn system(release: &str, kernel: &str) -> Option<String> {
    let name = release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).map(|n| n.trim_matches('"').to_owned());
    let kernel = Some(kernel.trim()).filter(|k| !k.is_empty());
    match (name, kernel) {
        (Some(name), Some(kernel)) => Some(format!("{name}, kernel {kernel}")),
        (name, kernel) => name.or_else(|| kernel.map(|k| format!("Linux {k}"))),
    }
}

/// The first value of a name in lines of `name : value`.
fn value(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|l| l.split_once(':').filter(|(n, _)| n.trim() == name).map(|(_, v)| v.trim().to_owned()))
}

/// NVIDIA's driver says what it drives, and its own version.
fn gpus(driver: &Path) -> Vec<String> {
    let version = std::fs::read_to_string(driver.join("version")).unwrap_or_default();
    let version = version.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()) && w.contains('.')).map(str::to_owned);
    let mut found: Vec<String> = std::fs::read_dir(driver.join("gpus"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|gpu| value(&std::fs::read_to_string(gpu.path().join("information")).ok()?, "Model"))
        .map(|model| version.as_ref().map_or_else(|| model.clone(), |v| format!("{model}, driver {v}")))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_says_what_it_is() {
        let found = look();
        assert!(found.cores >= 1);
        assert_eq!(system("NAME=x\nPRETTY_NAME=\"Debian 12\"\n", "6.1\n").as_deref(), Some("Debian 12, kernel 6.1"));
        assert_eq!(value("a\t: 1\nmodel name\t: Fast 9\n", "model name").as_deref(), Some("Fast 9"));
    }

    #[test]
    fn a_graphics_card_is_named_with_its_driver() {
        let dir = tempfile::tempdir().unwrap();
        let gpu = dir.path().join("gpus/0000:01:00.0");
        std::fs::create_dir_all(&gpu).unwrap();
        std::fs::write(gpu.join("information"), "Model: \t\t NVIDIA H200\nIRQ: 1\n").unwrap();
        std::fs::write(dir.path().join("version"), "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue\n").unwrap();
        assert_eq!(gpus(dir.path()), ["NVIDIA H200, driver 550.54.15"]);
    }
}
