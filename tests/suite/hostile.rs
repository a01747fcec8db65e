//! What comes from outside commands neither a terminal, nor a file system, nor a reader's eyes.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::symlink,
    thread,
};

use crate::support::{Origin, Scene, answer, run, text, wait_for};

/// Red, a bell, a line that reads backwards, and no width.
const HOSTILE: [char; 5] = ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{200b}'];

fn assert_harmless(said: &str) {
    assert!(!said.contains(HOSTILE), "{said:?}");
}

/// Says `lines` to whatever listens at `address` (`http://host:port`), and gives what it answers.
const TALK: &str = r#"
    talk() { python3 -c '
import os, socket, sys
host, port = os.environ["http_proxy"].removeprefix("http://").split(":")
with socket.create_connection((host, int(port))) as s:
    s.sendall(sys.argv[1].encode().decode("unicode_escape").encode("latin-1"))
    s.shutdown(socket.SHUT_WR)
    sys.stdout.buffer.write(s.makefile("rb").read())
' "$1"; }
"#;

#[test]
fn what_is_said_of_hostile_requests_is_harmless() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[]);
    // The bytes of HOSTILE in UTF-8, where a request has room for them.
    let evil = r"\x1b[31m\x07\xc2\x9b2J\xe2\x80\xae\xe2\x80\x8b";
    let evil_visible = r"\xe2\x80\xae\xe2\x80\x8b";
    let script = format!(
        r"{TALK}
        talk 'GET http://a.example.org/{evil} HTTP/1.1\r\nHost: a\r\n\r\n' || true
        talk 'GET http://a.example.org/{evil_visible} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' || true
        talk 'GET http://a.example.org:1/{evil_visible} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' || true
        talk 'CONNECT a.example.org:443{evil} HTTP/1.1\r\n\r\n' || true
        talk 'CONNECT {evil_visible}:443 HTTP/1.1\r\n\r\n' || true
        talk 'CONNECT a.example.org:443 HTTP/1.1\r\n\r\n{evil}' || true
        talk '/{evil} {evil}' || true
        talk 'GET /{evil_visible} HTTP/1.1\r\nConnection: close\r\n\r\n' || true
        "
    );
    let mut capture = scene.capture(&origin, &["-vvv", "--", "sh", "-c", &script]);
    let captured = run(&mut capture).ok();
    assert_harmless(&captured.stderr);
    assert_harmless(&captured.stdout);
    assert_harmless(&scene.read("proxy_content.nix"));
    let mut replay = scene.offline(env!("CARGO_BIN_EXE_buildproxy"));
    replay.args([
        "replay",
        "proxy_content.nix",
        "-vvv",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    let replayed = run(&mut replay).ok();
    assert_harmless(&replayed.stderr);
    assert_harmless(&replayed.stdout);
    replayed.says(r"/\u{202e}\u{200b}");
}

#[test]
fn headers_that_cannot_be_seen_are_not_recorded() {
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        let mut response = text("fine\n");
        for (name, value) in [("x-c1", "\u{9b}31m"), ("x-bidi", "a\u{202e}b")] {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            response.headers_mut().insert(name, value);
        }
        response
    });
    let script = "curl -sSf https://a.example.org/a";
    assert_eq!(scene.capture_script(&origin, script).ok().stdout, "fine\n");
    let inventory = scene.read("proxy_content.nix");
    assert!(
        !inventory.contains("x-c1") && !inventory.contains("x-bidi"),
        "{inventory}"
    );
}

#[test]
fn a_text_that_reads_backwards_is_not_inlined() {
    let scene = Scene::new();
    let origin = Origin::start(|_| answer(404, &[], "a\u{202e}b\n"));
    scene
        .capture_script(&origin, "curl -sS https://a.example.org/a")
        .ok();
    let inventory = scene.read("proxy_content.nix");
    assert_harmless(&inventory);
    assert!(inventory.contains("file = ./proxy_content/"), "{inventory}");
}

#[test]
fn vendored_names_stay_in_their_folder() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| {
        let mut response = answer(404, &[], "");
        let body = format!("{}\n", asked.url).repeat(200);
        *response.body_mut() = buildproxy::proxy::full(body);
        response
    });
    let script = r#"
        for path in .. a/.. ../../etc/passwd ..%2f..%2fetc%2fpasswd %2fetc%2fpasswd . .hidden '$HOME' '`id`' 'a;b' x.drv \
            '${x}' %00 '~' -rf a%20b '\' '*' %0a; do
          curl -sS -g --path-as-is -o /dev/null "https://a.example.org/$path" || true
        done"#;
    scene.capture_script(&origin, script).ok();
    let mut count = 0;
    for entry in fs::read_dir(scene.path("proxy_content")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(entry.file_type().unwrap().is_file());
        let (hash, rest) = name.split_once('-').unwrap();
        assert!(
            hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_alphanumeric()),
            "{name}"
        );
        assert!(
            rest.chars()
                .all(|c| c.is_ascii_alphanumeric() || "+._?=-".contains(c)),
            "{name}"
        );
        count += 1;
    }
    assert!(count >= 12, "{count}");
    let work: Vec<_> = fs::read_dir(scene.path(""))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(work.len(), 2, "{work:?}");
}

#[test]
fn a_link_in_place_of_a_vendored_body_is_replaced() {
    let scene = Scene::new();
    let body = "x".repeat(5000);
    let origin = Origin::start(move |_| {
        let mut response = answer(404, &[], "");
        *response.body_mut() = buildproxy::proxy::full(body.clone());
        response
    });
    let script = "curl -sS -o /dev/null https://a.example.org/a";
    scene.capture_script(&origin, script).ok();
    let vendored = fs::read_dir(scene.path("proxy_content"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    // As long as what is to be written, so that nothing but the link tells.
    let elsewhere = scene.root().join("elsewhere");
    for there in ["y".repeat(5000), "short".to_owned()] {
        fs::write(&elsewhere, &there).unwrap();
        fs::remove_file(&vendored).unwrap();
        symlink(&elsewhere, &vendored).unwrap();
        fs::remove_file(scene.path("proxy_content.nix")).unwrap();
        scene.capture_script(&origin, script).ok();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), there);
        assert!(vendored.symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read_to_string(&vendored).unwrap(), "x".repeat(5000));
    }
}

#[test]
fn a_larger_body_than_allowed_is_given_and_not_recorded() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| {
        let mut response = text("");
        let large = vec![b'x'; 100_000];
        *response.body_mut() = match asked.url.as_str() {
            "https://a.example.org/said" => buildproxy::proxy::full(large),
            "https://a.example.org/unsaid" => {
                let pieces = large.chunks(1000).map(|piece| Ok(piece.to_vec().into()));
                let pieces: Vec<_> = pieces.collect();
                buildproxy::proxy::stream(futures_util::stream::iter(pieces))
            }
            _ => buildproxy::proxy::full(vec![b'x'; 65536]),
        };
        response
    });
    let script =
        "for name in said unsaid small; do curl -sSf https://a.example.org/$name | wc -c; done
        curl -sSf -r 99990- https://a.example.org/unsaid";
    let arguments = ["--max-body", "64KiB", "--", "sh", "-ec", script];
    let captured = run(&mut scene.capture(&origin, &arguments)).ok();
    assert_eq!(captured.stdout, "100000\n100000\n65536\nxxxxxxxxxx");
    let captured = captured.says("1 download captured");
    let why = "is not recorded: its body has 100000 bytes or more, and --max-body allows 64KiB";
    for name in ["said", "unsaid"] {
        assert!(
            captured.stderr.contains(&format!("{name} {why}")),
            "{}",
            captured.stderr
        );
    }
    let cached = scene.root().join("home/.cache/buildproxy/sha256");
    assert_eq!(fs::read_dir(cached).unwrap().count(), 1);
    let wrong = run(&mut scene.capture(&origin, &["--max-body", "much", "--", "true"]));
    wrong
        .ends_with(2)
        .says("'much' is not a size such as 500MB");
}

#[test]
fn a_head_that_is_too_large_is_told_of() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| {
        let mut response = text("fine\n");
        let number = asked.url.rsplit('/').next().unwrap().parse().unwrap();
        for index in 0..number {
            let name: http::HeaderName = format!("x-{index}").parse().unwrap();
            response
                .headers_mut()
                .insert(name, "x".repeat(1000).parse().unwrap());
        }
        response
    });
    let script = "
        for scheme in http https; do
          curl -sS --http1.1 $scheme://a.example.org/150 || true
          curl -sS --http1.1 $scheme://a.example.org/400 || true
        done
        for count in 150 300; do
          for number in $(seq $count); do echo \"x-$number: a\"; done >headers
          curl -sS --http1.1 -o /dev/null -w '%{http_code}\\n' -H @headers https://a.example.org/0
        done";
    let captured = scene.capture_script(&origin, script).ok();
    assert_eq!(captured.stdout.matches("fine\n").count(), 2, "{captured:?}");
    for scheme in ["http", "https"] {
        let failure = format!("buildproxy: failed to fetch {scheme}://a.example.org/400: ");
        assert!(captured.stdout.contains(&failure), "{captured:?}");
    }
    assert!(captured.stdout.ends_with("200\n431\n"), "{captured:?}");
    captured
        .says("skipped: a request to 'a.example.org:443' was answered with 431: its head has more than")
        .says("skipped: failed to fetch http://a.example.org/400: ")
        .says("message head is too large");
}

#[test]
fn an_upstream_that_is_no_web_server_says_nothing_to_the_terminal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        for answer in [
            &b"\x1b[31mnot http\x07\r\n\r\n"[..],
            b"HTTP/1.1 200 \x1b[31m\xe2\x80\xae\r\ncontent-length: 2\r\n\r\nok",
            b"HTTP/1.1 302 Found\r\nlocation: x:\xc2\x9b31m\xe2\x80\xae\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nlocation: http://a\x1bb/\r\ncontent-length: 0\r\n\r\n",
        ] {
            let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer).unwrap();
        }
    });
    let scene = Scene::new();
    let script = "for n in 1 2 3 4; do curl -sS http://a.example.org/$n || true; done";
    let rule = format!("a.example.org:80:127.0.0.1:{port}");
    let arguments = [
        "capture",
        "--no-prefill",
        "-vvv",
        "--connect-to",
        &rule,
        "--",
        "sh",
        "-c",
        script,
    ];
    let mut capture = scene.buildproxy(&arguments);
    let captured = run(&mut capture).ok();
    // All of them were asked for.
    wait_for(|| server.is_finished());
    server.join().unwrap();
    assert_harmless(&captured.stderr);
    assert_harmless(&captured.stdout);
    assert_harmless(&scene.read("proxy_content.nix"));
    captured.says("skipped: ");
}

#[test]
fn a_request_that_is_too_large_is_told_of() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[]);
    let script = "head -c 67108865 /dev/zero >body
        for protocol in --http1.1 --http2; do
          curl -sS $protocol --data-binary @body -w '%{http_code}\\n' https://a.example.org/a || true
        done; rm body";
    let captured = scene.capture_script(&origin, script).ok();
    let why = "a request for https://a.example.org/a is not recorded: the request body is larger than 67108864 bytes";
    let expected = format!("buildproxy: {why}\n413\n").repeat(2);
    assert_eq!(captured.stdout, expected, "{}", captured.stderr);
    captured.says(&format!("skipped: {why}"));
    assert_eq!(origin.asked().len(), 0);
}
