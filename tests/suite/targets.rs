//! Targets of requests that few clients send: with characters that have no business there, with dots.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::support::{Origin, Scene, answer, need, run, text};

fn any_path() -> Origin {
    Origin::start(|_| text("hello\n"))
}

/// What the proxy at `address` answers.
fn answer_to(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn bytes_that_are_no_text_are_asked_for_as_they_are() {
    let scene = Scene::new();
    scene.write(
        "m.json",
        r#"[{"url":"http://a.example.org/%FC?%22","status_code":204}]"#,
    );
    let replay = scene.daemon("m.json", &[]);
    let request =
        b"GET http://a.example.org/\xfc?\" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = answer_to(replay.address(), request);
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[test]
fn a_target_that_means_nothing_is_answered_with_the_reason() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let replay = scene.daemon("m.json", &[]);
    for target in ["http://a<b/x", "http://a^b/x", "http://a b/x", "x\"y"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = answer_to(replay.address(), request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400"), "{target}: {answer}");
        assert!(
            answer.contains("the request target '"),
            "{target}: {answer}"
        );
        assert!(
            answer.contains("cannot be understood: invalid"),
            "{target}: {answer}"
        );
    }
    assert_eq!(
        replay.log().matches("a request was refused: ").count(),
        4,
        "{}",
        replay.log()
    );
}

#[test]
fn a_url_with_dots_is_vendored_because_fetchurl_would_fetch_another() {
    need("curl", "curl");
    let scene = Scene::new();
    // Where the server takes them out as well, what fetchurl fetches is the same.
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/b" => text("other\n"),
        "https://a.example.org/c" => answer(404, &[], "none\n"),
        _ => text("hello\n"),
    });
    let script = "curl -sSf --path-as-is https://a.example.org/a/../b https://a.example.org/%2e/c \
                  https://a.example.org/./d";
    let captured = scene.capture_script(&origin, script).ok();
    let reason = "its path has `.` or `..` in it, which fetchurl takes out, and what it fetches is something else";
    captured
        .says("(3 new, 1 pinned, 2 vendored, 0 by redirects)")
        .says(&format!(
            "vendored: https://a.example.org/a/../b (6 B): {reason}"
        ))
        .says(&format!(
            "vendored: https://a.example.org/%2e/c (6 B): {reason}"
        ));
    let inventory = scene.read("proxy_content.nix");
    assert!(
        inventory.contains("url = \"https://a.example.org/./d\";")
            && inventory.contains("url = \"https://a.example.org/d\";"),
        "{inventory}"
    );
    drop(origin);
    assert_eq!(
        scene.replay_script(script).ok().stdout,
        "hello\nhello\nhello\n"
    );
}

#[test]
fn a_url_with_dots_is_not_added() {
    let scene = Scene::new();
    let arguments = ["add", "a.nix", "https://a.example.org/a/../b"];
    run(&mut scene.buildproxy(&arguments))
        .ends_with(2)
        .says("https://a.example.org/a/../b cannot be pinned: fetchurl takes `.` and `..` out")
        .says("hint: write https://a.example.org/b, if");
    assert!(!scene.path("a.nix").exists());
}

/// What fetchurl fetches is what is checked and written, whatever the URL says.
#[test]
fn a_pin_with_dots_is_checked_by_what_fetchurl_fetches() {
    let scene = Scene::new();
    let origin = any_path();
    scene.write(
        "a.nix",
        r#"{ fetchurl }: [
  {
    url = "https://a.example.org/a/../b";
    file = fetchurl {
      url = "https://a.example.org/a/../b";
      hash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=";
    };
  }
]"#,
    );
    let mut check = scene.buildproxy(&["check", "a.nix", "--fetch"]);
    check
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca());
    let checked = run(&mut check).ok();
    assert!(
        checked
            .stdout
            .contains("a.nix:5: warning: the pin of https://a.example.org/a/../b"),
        "{}",
        checked.stdout
    );
    let asked: Vec<String> = origin.asked().into_iter().map(|asked| asked.url).collect();
    assert_eq!(asked, ["https://a.example.org/b"]);
}
