//! Other users of the machine, who can reach what listens on loopback.

use crate::support::{Origin, Scene, need, run};

const HELLO: &[(&str, &str)] = &[("/hello", "hello\n")];

/// An unprivileged user, who is not the one that runs the tests.
const OTHER: &str = "65534";

/// Only root can be somebody else. As any other user, the tests show that one may use one's own proxy.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What another user does to have `/hello` by the proxy at this address.
fn as_other_user(scene: &Scene, address: &str) -> std::process::Command {
    need("setpriv", "util-linux");
    need("curl", "curl");
    let mut curl = scene.command("setpriv");
    if is_root() {
        let user = [format!("--reuid={OTHER}"), format!("--regid={OTHER}")];
        curl.args(user).arg("--clear-groups");
    }
    curl.args(["--", "curl", "-sS", "--noproxy", "", "--proxy"]);
    curl.args([&format!("http://{address}"), "http://a.example.org/hello"]);
    curl
}

#[test]
fn a_replay_is_closed_to_other_users_and_says_so_once() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script = "curl -sSf http://a.example.org/hello";
    scene.capture_script(&origin, script).ok();
    let replay = scene.daemon("proxy_content.nix", &[]);
    for _ in 0..3 {
        let asked = run(&mut as_other_user(&scene, replay.address()));
        if is_root() {
            assert_eq!(asked.stdout, "");
            // An empty reply, or a reset.
            assert!([52, 56].contains(&asked.status), "{asked:?}");
        } else {
            assert_eq!(asked.ok().stdout, "hello\n");
        }
    }
    let mut own = scene.command("curl");
    own.args(["-sS", "--proxy", &format!("http://{}", replay.address())]);
    let answered = run(own.arg("http://a.example.org/hello")).ok();
    assert_eq!(answered.stdout, "hello\n");
    let log = replay.log();
    let said = format!("connections of the user {OTHER} are refused");
    let times = usize::from(is_root());
    assert_eq!(log.matches(&said).count(), times, "{log}");
}

#[test]
fn a_capture_records_nothing_of_other_users() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    // The command waits while a process that it did not start asks.
    let script = "echo \"$http_proxy\" >address.part; mv address.part address; until [ -e asked ]; do sleep 0.05; done";
    let mut capture = scene.capture(&origin, &["--", "sh", "-ec", script]);
    capture.stderr(std::process::Stdio::piped());
    let capture = capture.spawn().unwrap();
    crate::support::wait_for(|| scene.path("address").exists());
    let address = scene.read("address");
    let address = address
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let asked = run(&mut as_other_user(&scene, address));
    scene.write("asked", "");
    let captured = crate::support::finish(capture).ok();
    if is_root() {
        assert_eq!(asked.stdout, "");
        captured.says(&format!(
            "skipped: connections of the user {OTHER} are refused"
        ));
        assert!(!scene.read("proxy_content.nix").contains("/hello"));
        assert_eq!(origin.asked().len(), 0);
    } else {
        assert_eq!(asked.ok().stdout, "hello\n");
    }
}

#[test]
fn who_is_allowed_and_what_the_command_becomes_may_use_the_proxy() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    scene
        .capture_script(&origin, "curl -sSf http://a.example.org/hello")
        .ok();
    for user in [OTHER, "nobody"] {
        let replay = scene.daemon("proxy_content.nix", &["--allow-user", user]);
        let asked = run(&mut as_other_user(&scene, replay.address())).ok();
        assert_eq!(asked.stdout, "hello\n");
    }
    let none = [
        "replay",
        "proxy_content.nix",
        "--allow-user",
        "no-such-user",
        "--",
        "true",
    ];
    let refused = run(&mut scene.buildproxy(&none)).ends_with(1);
    refused.says("there is no user 'no-such-user'; name one, or give its number");

    // As apt does, which root starts and which downloads as a user of its own.
    let become_other = format!("setpriv --reuid={OTHER} --regid={OTHER} --clear-groups");
    let script = format!(
        "{} curl -sSf http://a.example.org/hello",
        if is_root() { &become_other } else { "" }
    );
    let captured = scene.capture_script(&origin, &script).ok();
    assert_eq!(captured.stdout, "hello\n");
}
