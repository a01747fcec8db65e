//! Targets of requests that few clients send: with characters that have no business there.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::support::Scene;

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
