//! Faults 14 to 17 and 20 over real transports: nginx with git's http-backend and a password, sshd with
//! keys, servers that are something else, connections that are cut, rules of hosts.

use crate::faults::kill::{answer, elsewhere};
use crate::seat::{Seat, Team, git};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A program that ends with the test.
struct Server(Vec<Child>);

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(what: &str, ready: impl Fn() -> bool) {
    for _ in 0..400 {
        if ready() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("{what} did not start");
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn quiet(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// nginx before git's http-backend, with a name and a password.
fn http(team: &Team) -> (Server, String) {
    let dir = team.path().join("http");
    std::fs::create_dir_all(&dir).unwrap();
    // The workers of a server started by root are another user.
    std::fs::set_permissions(team.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    git(&["-C", team.remote.to_str().unwrap(), "config", "http.receivepack", "true"]);
    let (port, socket) = (free_port(), dir.join("fcgi"));
    std::fs::write(dir.join("users"), "dan:{PLAIN}open sesame\n").unwrap();
    let backend = format!("{}/git-http-backend", git(&["--exec-path"]));
    let user = if rustix_is_root() { "user root;" } else { "" };
    let conf = format!(
        "{user} daemon off; pid {d}/pid; error_log {d}/error; events {{}}
         http {{ access_log off; client_body_temp_path {d}/a; proxy_temp_path {d}/b; fastcgi_temp_path {d}/c; uwsgi_temp_path {d}/e; scgi_temp_path {d}/f;
           client_max_body_size 100m;
           server {{ listen 127.0.0.1:{port};
             location / {{ auth_basic \"cairn\"; auth_basic_user_file {d}/users;
               fastcgi_pass unix:{s}; fastcgi_param SCRIPT_FILENAME {backend}; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
               fastcgi_param GIT_PROJECT_ROOT {root}; fastcgi_param PATH_INFO $uri; fastcgi_param REMOTE_USER $remote_user;
               fastcgi_param REQUEST_METHOD $request_method; fastcgi_param QUERY_STRING $query_string;
               fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
               fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding; }} }} }}",
        d = dir.display(),
        s = socket.display(),
        root = team.path().display()
    );
    std::fs::write(dir.join("conf"), conf).unwrap();
    let fcgi = quiet(Command::new("fcgiwrap").args(["-s", &format!("unix:{}", socket.display())]));
    wait_for("fcgiwrap", || socket.exists());
    let nginx =
        quiet(Command::new("/usr/sbin/nginx").args(["-c", dir.join("conf").to_str().unwrap(), "-e", dir.join("error").to_str().unwrap()]));
    wait_for("nginx", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    (Server(vec![nginx, fcgi]), format!("http://127.0.0.1:{port}/shared.git"))
}

fn rustix_is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0"))
}

fn use_place(seat: &Seat, address: &str) {
    seat.must("sharing.set_remote", json!({ "address": address }));
}

fn code(seat: &Seat) -> String {
    seat.call("sharing.share", json!({})).unwrap_err().code
}

#[test]
fn fault_16_http_with_a_password_works_with_it_and_is_told_apart_without() {
    let mut team = Team::new();
    team.settle();
    let (_server, url) = http(&team);
    // What asks the keyring in the product.
    let ask = team.path().join("ask");
    script(&ask, "#!/bin/sh\ncase \"$1\" in Username*) echo \"$CAIRN_ASKPASS_USER\";; *) cat \"$(dirname \"$0\")/secret\";; esac\n");
    std::fs::write(team.path().join("secret"), "open sesame").unwrap();
    team.dan.host.askpass = Some(ask);
    use_place(&team.dan, &url);
    assert_eq!(code(&team.dan), "credentials", "nobody asks on a terminal that is not there");
    team.dan.must("sharing.sign_in", json!({ "user": "dan", "secret": "open sesame" }));
    team.dan.must("project.create", json!({ "title": "Over http" }));
    team.dan.share();
    team.ana.share();
    assert_eq!(team.ana.must("project.list", json!({}))[0]["title"], "Over http");
    assert_eq!(team.dan.must("sharing.probe", json!({}))["good"], true);
    // A token that was taken back.
    std::fs::write(team.path().join("secret"), "an old one").unwrap();
    team.dan.must("project.create", json!({ "title": "Waits" }));
    let failed = team.dan.call("sharing.share", json!({})).unwrap_err();
    assert_eq!(failed.code, "credentials");
    assert!(!format!("{failed:?}").contains("an old one"), "no secret in an error");
    std::fs::write(team.path().join("secret"), "open sesame").unwrap();
    team.dan.share();
    team.settle();
    assert_eq!(team.ana.digest(), team.dan.digest());
}

/// An sshd for one user with one key.
fn ssh(team: &Team) -> (Server, String, String) {
    let dir = team.path().join("ssh");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::create_dir_all("/run/sshd").unwrap_or_default();
    let keygen = |name: &str| {
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(dir.join(name)).status().unwrap();
    };
    for name in ["host", "other_host", "mine", "stranger"] {
        keygen(name);
    }
    std::fs::copy(dir.join("mine.pub"), dir.join("authorized")).unwrap();
    let port = free_port();
    let conf = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {d}/host\nAuthorizedKeysFile {d}/authorized\nPidFile {d}/pid\nUsePAM no\nStrictModes no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
        d = dir.display()
    );
    std::fs::write(dir.join("conf"), conf).unwrap();
    let sshd = quiet(Command::new("/usr/sbin/sshd").args(["-D", "-f", dir.join("conf").to_str().unwrap()]));
    wait_for("sshd", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let known = |host: &str| {
        let key = std::fs::read_to_string(dir.join(format!("{host}.pub"))).unwrap();
        std::fs::write(dir.join(format!("known_{host}")), format!("[127.0.0.1]:{port} {key}")).unwrap();
    };
    known("host");
    known("other_host");
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    (Server(vec![sshd]), format!("ssh://{}@127.0.0.1:{port}{}", user.trim(), team.remote.display()), dir.display().to_string())
}

#[test]
fn fault_16_ssh_with_keys_and_what_stands_in_its_way() {
    let team = Team::new();
    team.settle();
    let (_server, url, dir) = ssh(&team);
    use_place(&team.dan, &url);
    let share = |key: &str, known: &str| {
        let with = format!(
            "ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -i {dir}/{key} -o StrictHostKeyChecking=yes -o UserKnownHostsFile={dir}/{known}"
        );
        answer(&elsewhere(&team.dan, &[("GIT_SSH_COMMAND", &with)], "sharing.share", &json!({})))
    };
    team.dan.must("project.create", json!({ "title": "Over ssh" }));
    assert_eq!(share("stranger", "known_host")["error"]["code"], "credentials");
    assert_eq!(share("mine", "known_other_host")["error"]["code"], "host_key", "another server answers");
    assert_eq!(share("mine", "nothing")["error"]["code"], "host_key", "nobody has seen this server");
    let done = share("mine", "known_host");
    assert!(done["ok"]["sent"].as_u64().unwrap() >= 1, "{done}");
    team.ana.share();
    assert_eq!(team.ana.must("project.list", json!({}))[0]["title"], "Over ssh");
}

/// A server that answers every request the same, whatever it is asked.
fn always(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn fault_16_captive_portals_proxies_and_dead_servers_are_told_apart() {
    let team = Team::new();
    team.settle();
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 45\r\nConnection: close\r\n\r\n<html><body>Please sign in here</body></html>";
    let portal = always(page);
    use_place(&team.dan, &format!("http://127.0.0.1:{portal}/team.git"));
    let portal = team.dan.call("sharing.share", json!({})).unwrap_err();
    assert_eq!(portal.code, "not_git", "{:?}", portal.details);
    let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let proxy = format!("http://127.0.0.1:{}", always(refusal));
    use_place(&team.dan, "http://team.invalid/team.git");
    let done = answer(&elsewhere(&team.dan, &[("http_proxy", &proxy), ("no_proxy", "")], "sharing.share", &json!({})));
    assert_eq!(done["error"]["code"], "proxy", "{done}");
    use_place(&team.dan, &format!("http://127.0.0.1:{}/team.git", free_port()));
    assert_eq!(code(&team.dan), "unreachable");
    for address in ["http://127.0.0.1:1/x", "/nowhere/at/all", "ssh://nobody@127.0.0.1:1/x"] {
        use_place(&team.dan, address);
        let failed = team.dan.call("sharing.share", json!({})).unwrap_err();
        assert!(failed.hint.is_some() && failed.code != "internal", "{address}: {failed}");
    }
}

/// Passes everything on to a port and cuts the connection after so many bytes of the answer.
fn cutting(to: u16, after: &Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let after = Arc::clone(after);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", to))) else { return };
            let left = after.load(Ordering::SeqCst);
            let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut up, &mut down));
            std::thread::spawn(move || {
                let (mut from, mut to) = (server.take(left as u64), client);
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    port
}

#[test]
fn fault_14_a_connection_that_is_cut_anywhere_leaves_nothing_half() {
    let mut team = Team::new();
    team.candidate();
    let (_server, url) = http(&team);
    let ask = team.path().join("ask");
    script(&ask, "#!/bin/sh\ncase \"$1\" in Username*) echo dan;; *) echo 'open sesame';; esac\n");
    team.dan.host.askpass = Some(ask);
    let port: u16 = url.split(':').nth(2).unwrap().split('/').next().unwrap().parse().unwrap();
    let after = Arc::new(AtomicUsize::new(0));
    let cut = cutting(port, &after);
    use_place(&team.dan, &format!("http://127.0.0.1:{cut}/shared.git"));
    team.dan.must("sharing.sign_in", json!({ "user": "dan", "secret": "x" }));
    for i in 0..12 {
        team.ana.must("project.create", json!({ "title": format!("{i} {}", "x".repeat(400)) }));
        team.ana.share();
    }
    let mut failed = 0;
    for bytes in [0, 50, 300, 700, 1_500, 3_000, 4_096, 6_000] {
        after.store(bytes, Ordering::SeqCst);
        failed += u32::from(team.dan.call("sharing.share", json!({})).is_err());
        assert_eq!(team.dan.must("log.verify", json!({}))["problems"], json!([]), "cut after {bytes}");
        assert_eq!(team.dan.must("log.rebuild", json!({}))["same"], true);
    }
    assert!(failed >= 4, "only {failed} were cut");
    after.store(usize::MAX / 2, Ordering::SeqCst);
    team.dan.share();
    team.ana.share();
    assert_eq!(team.ana.digest(), team.dan.digest());
}

fn hook(team: &Team, text: &str) {
    script(&team.remote.join("hooks/pre-receive"), text);
}

#[test]
fn fault_15_and_20_the_rules_of_a_host_are_named_and_the_work_waits() {
    let team = Team::new();
    team.settle();
    hook(&team, "#!/bin/sh\necho 'GH013: Repository rule violations found: branch names must match team/*' >&2\nexit 1\n");
    let refused = team.dan.call("sharing.probe", json!({})).unwrap_err();
    assert_eq!(refused.code, "rejected");
    assert!(refused.details.unwrap().contains("branch names must match team/*"), "in the host's own words");
    team.dan.must("project.create", json!({ "title": "Waits" }));
    let refused = team.dan.call("sharing.share", json!({})).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.hint.is_some()), ("rejected", true));
    team.ana.must("project.list", json!({}));
    // A rule against deleting: good for a log, and said so.
    hook(&team, "#!/bin/sh\nwhile read old new ref; do case $new in 000000*) echo 'deletion prohibited' >&2; exit 1;; esac; done\n");
    let probed = team.dan.must("sharing.probe", json!({}));
    assert_eq!(probed["good"], true);
    assert!(probed["sentence"].as_str().unwrap().contains("keeps them from being deleted"), "{probed}");
    team.settle();
    assert_eq!(team.ana.must("project.list", json!({}))[0]["title"], "Waits");
    assert_eq!(team.ana.must("sharing.status", json!({}))["refused"], json!([]), "the test branch that stayed bothers nobody");
}

#[test]
fn fault_15_two_processes_of_one_computer_share_at_the_same_time() {
    let team = Team::new();
    team.settle();
    let workers: Vec<_> = (0..3)
        .map(|i| {
            let (dir, keys) = (team.dan.dir.clone(), team.dan.keys());
            std::thread::spawn(move || {
                let seat = Seat::again(dir, &format!("{:06x}", 0x50_0000 + i), "");
                seat.learn(&keys);
                for j in 0..5 {
                    seat.must("project.create", json!({ "title": format!("P{i}{j}") }));
                    seat.share();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    team.settle();
    let all: Value = team.ana.must("project.list", json!({}));
    assert_eq!(all.as_array().unwrap().len(), 15, "every one of them arrived");
    assert_eq!(team.ana.digest(), team.dan.digest());
    assert_eq!(team.ana.must("sharing.status", json!({}))["refused"], json!([]));
    assert_eq!(team.dan.must("log.verify", json!({}))["problems"], json!([]));
}

#[test]
fn fault_16_a_server_that_never_answers_can_be_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let team = Team::new();
    team.settle();
    use_place(&team.dan, &format!("http://{}/team.git", listener.local_addr().unwrap()));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| team.dan.call("sharing.share", json!({})).unwrap_err());
        // Once it has connected it waits for an answer that never comes.
        let _held = listener.accept().unwrap();
        assert!(team.dan.must("sharing.progress", json!({}))["what"].is_string());
        team.dan.must("sharing.cancel", json!({}));
        assert_eq!(waiting.join().unwrap().code, "cancelled");
    });
}

#[test]
fn fault_17_a_keyring_that_lost_the_key_is_said_and_nothing_is_written_in_plain() {
    let team = Team::new();
    team.settle();
    let copy = team.dan.copy(team.path().join("copy"), false);
    copy.must("project.create", json!({ "title": "Kept" }));
    let failed = copy.call("sharing.share", json!({})).unwrap_err();
    assert!(failed.hint.is_some(), "{failed}");
    let doctor = copy.must("app.doctor", json!({}));
    assert!(doctor.as_array().unwrap().iter().any(|f| f["good"] == false && f["mend"].is_string()), "{doctor}");
    for entry in std::fs::read_dir(&copy.dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(19).any(|w| w == b"OPENSSH PRIVATE KEY"), "{}", path.display());
        }
    }
}

#[test]
fn without_a_git_program_a_shared_folder_still_works() {
    let team = Team::new();
    team.dan.must("project.create", json!({ "title": "By git2" }));
    let done = answer(&elsewhere(&team.dan, &[("CAIRN_WITHOUT_GIT", "1")], "sharing.share", &json!({})));
    assert!(done["ok"]["sent"].as_u64().unwrap() >= 1, "{done}");
    team.ana.share();
    assert_eq!(team.ana.must("project.list", json!({}))[0]["title"], "By git2");
    team.ana.must("project.create", json!({ "title": "Back" }));
    team.ana.share();
    let done = answer(&elsewhere(&team.dan, &[("CAIRN_WITHOUT_GIT", "1")], "sharing.share", &json!({})));
    assert!(done["ok"]["received"].as_u64().unwrap() >= 1, "{done}");
}
