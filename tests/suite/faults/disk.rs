//! Fault 3: no room. Everything that was acknowledged stays, the person is told, and it goes on when there is room.

use crate::seat::{Seat, Team, copy_folder};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk of its own, where the system lets us have one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(at: PathBuf, kib: u32) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let made = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "cairn-test"]).arg(&at).output().ok()?;
        if made.status.success() { Some(Self(at)) } else { None }
    }
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filling");
        let mut file = std::fs::File::create(&path).unwrap();
        while std::io::Write::write_all(&mut file, &[0_u8; 4096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn moved(team: &Team, to: &Path) -> Seat {
    team.dan.close();
    copy_folder(&team.dan.dir, to);
    let seat = Seat::again(to.to_owned(), "888888", "");
    seat.learn(&team.dan.keys());
    seat
}

#[test]
fn fault_3_a_full_disk_loses_nothing_and_sharing_goes_on_when_there_is_room() {
    let team = Team::new();
    team.settle();
    let Some(disk) = SmallDisk::new(team.path().join("disk"), 6_000) else {
        // Mounting needs rights that not every computer gives; the test of the other end below does not.
        return;
    };
    let dan = moved(&team, &disk.0.join("dan"));
    dan.must("project.create", json!({ "title": "Before" }));
    let filling = disk.fill();
    let mut acknowledged = vec!["Before".to_owned()];
    let mut told = None;
    for i in 0..200 {
        let title = format!("P{i}");
        match dan.call("project.create", json!({ "title": title })) {
            Ok(_) => acknowledged.push(title),
            Err(error) => told = Some(error),
        }
    }
    let told = told.expect("the disk is full");
    assert!(told.message.contains("disk is full") && told.hint.is_some(), "{told}");
    team.ana.must("project.create", json!({ "title": "Ana's" }));
    team.ana.share();
    let failed = dan.call("sharing.share", json!({}));
    assert!(failed.is_err(), "there is no room for a commit either");
    std::fs::remove_file(filling).unwrap();
    for _ in 0..2 {
        dan.share();
        team.ana.share();
    }
    let titles = team.ana.must("project.list", json!({})).to_string();
    for title in &acknowledged {
        assert!(titles.contains(&format!("\"{title}\"")), "{title} was acknowledged");
    }
    assert_eq!(dan.digest(), team.ana.digest());
    assert_eq!(dan.must("log.verify", json!({}))["problems"], json!([]));
}

#[test]
fn fault_3_a_full_shared_place_is_told_apart_and_the_work_waits() {
    let team = Team::new();
    team.settle();
    // What a server with a quota says.
    let hook = team.remote.join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\necho 'fatal: disk quota of this repository exceeded' >&2\nexit 1\n").unwrap();
    Command::new("chmod").arg("+x").arg(&hook).status().unwrap();
    team.dan.must("project.create", json!({ "title": "Waits" }));
    let refused = team.dan.call("sharing.share", json!({})).unwrap_err();
    assert_eq!(refused.code, "remote_full", "{refused} {:?}", refused.details);
    assert!(team.dan.must("sharing.status", json!({}))["waiting"].as_u64().unwrap() > 0);
    std::fs::remove_file(&hook).unwrap();
    team.settle();
    assert_eq!(team.ana.must("project.list", json!({}))[0]["title"], "Waits");
}
