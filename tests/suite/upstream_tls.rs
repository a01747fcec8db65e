//! What servers do in TLS that they should not, or not any more.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::support::{Scene, need, run};

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
