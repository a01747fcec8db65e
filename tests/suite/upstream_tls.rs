//! What servers do in TLS that they should not, or not any more.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::support::{End, Framing, RawOrigin, Scene, need, ok, run};

/// With `origin` as all the world.
fn reaching<'a>(origin: &RawOrigin, command: &'a mut Command) -> &'a mut Command {
    command
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca())
}

/// The origin closes its connection without `close_notify`, and a second fetch gives the same bytes for one URL.
#[test]
fn a_body_that_may_have_been_cut_is_a_pin_if_a_second_fetch_gives_the_same() {
    need("curl", "curl");
    let scene = Scene::new();
    let origin = RawOrigin::start(|heard| {
        let body = match heard.target.as_str() {
            "/same" => "same\n".to_owned(),
            _ => format!("{}\n", heard.earlier),
        };
        ok(body).framed(Framing::Close).ending(End::Abrupt)
    });
    let script = "curl -sSf https://a.example.org/same https://a.example.org/other";
    let arguments = ["capture", "--no-prefill"];
    let captured =
        run(reaching(&origin, &mut scene.buildproxy(&arguments)).args(["--", "sh", "-ec", script]))
            .ok();
    assert_eq!(captured.stdout, "same\n0\n");
    // One of them for the proof.
    let asked: Vec<String> = origin
        .heard()
        .into_iter()
        .map(|heard| heard.target)
        .collect();
    assert_eq!(asked.iter().filter(|target| *target == "/same").count(), 2);
    captured
        .says("(2 new, 1 pinned, 1 vendored, 0 by redirects)")
        .says("vendored: https://a.example.org/other (2 B): the server ended the TLS connection without close_notify");

    // fetchurl's curl takes it as whole.
    run(reaching(
        &origin,
        &mut scene.buildproxy(&["check", "--fetch"]),
    ))
    .ok();
    let arguments = [
        "add",
        "--no-prefill",
        "added.nix",
        "https://b.example.org/same",
    ];
    run(reaching(&origin, &mut scene.buildproxy(&arguments)))
        .ok()
        .says("1 pinned");
    drop(origin);
    assert_eq!(scene.replay_script(script).ok().stdout, "same\n0\n");
}

/// curl would take the half of a head for one. It is none of which a whole answer could be made.
#[test]
fn a_head_that_is_cut_is_a_failure() {
    need("curl", "curl");
    let scene = Scene::new();
    let origin = RawOrigin::start(|_| ok("").framed(Framing::Close).ending(End::AbruptHead));
    let script = "curl -sS -o /dev/null -w '%{http_code}' https://a.example.org/x";
    let arguments = ["capture", "--no-prefill"];
    let captured =
        run(reaching(&origin, &mut scene.buildproxy(&arguments)).args(["--", "sh", "-ec", script]))
            .ok();
    assert_eq!(captured.stdout, "502");
    captured.says("skipped: failed to fetch https://a.example.org/x: client error");
}

/// A server of openssl's, with options that nobody should use any more.
struct OldServer {
    child: Child,
    port: String,
}

impl OldServer {
    fn start(scene: &Scene, options: &[&str]) -> Self {
        let mut server = scene.command("openssl");
        server.args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-www",
            "-cert",
            "old.crt",
        ]);
        server.args(["-key", "old.key"]).args(options);
        server.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = server.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let accepting = lines.find(|line| line.starts_with("ACCEPT")).unwrap();
        let (_, port) = accepting.rsplit_once(':').unwrap();
        Self {
            child,
            port: port.to_owned(),
        }
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const VERSION: &str = "the server speaks no version of TLS from 1.2 on";
const CIPHER: &str = "the server most likely has none of the ciphers of TLS 1.2 with ECDHE";

#[test]
fn a_server_of_old_tls_is_told_of_with_what_it_lacks() {
    need("openssl", "openssl");
    need("curl", "curl");
    let scene = Scene::new();
    let mut certificate = scene.command("openssl");
    certificate.args([
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
    ]);
    certificate.args([
        "-keyout",
        "old.key",
        "-out",
        "old.crt",
        "-subj",
        "/CN=old.example.org",
    ]);
    run(certificate.args(["-addext", "subjectAltName=DNS:old.example.org"])).ok();
    for (options, lack) in [
        (&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"][..], VERSION),
        (&["-tls1", "-cipher", "ALL:@SECLEVEL=0"], VERSION),
        (
            &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256:@SECLEVEL=0"],
            CIPHER,
        ),
        (
            &["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"],
            CIPHER,
        ),
    ] {
        let server = OldServer::start(&scene, options);
        let script = "curl -sS -w '%{http_code}' https://old.example.org/";
        let mut capture = scene.buildproxy(&["capture", "--no-prefill", "--connect-to"]);
        capture.arg(format!("::127.0.0.1:{}", server.port));
        capture.env("SSL_CERT_FILE", scene.path("old.crt"));
        let captured = run(capture.args(["--", "sh", "-ec", script])).ok();
        let said = format!("failed to fetch https://old.example.org/: {lack}");
        assert!(captured.stdout.contains(&said), "{}", captured.stdout);
        assert!(captured.stdout.ends_with("502"), "{}", captured.stdout);
        captured
            .says(&format!("skipped: {said}"))
            .says("or http://");
    }
}
