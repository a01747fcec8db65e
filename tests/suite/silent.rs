//! Servers that go silent, or never come to an end.

use std::{net::TcpListener, process::Command};

use buildproxy::{inventory::Sri, proxy::stream};
use bytes::Bytes;
use futures_util::{StreamExt, stream as streams};
use http::Response;

use crate::support::{Origin, Ran, Scene, run, text};

/// A server of which a body never ends: it goes silent in the middle.
fn silent() -> Origin {
    Origin::start(|_| {
        let half = streams::iter([Ok(Bytes::from_static(b"half"))]);
        Response::new(stream(half.chain(streams::pending())))
    })
}

/// With a time limit of one second, and with one for the test.
fn limited(scene: &Scene, arguments: &[&str], options: &[String], origin: &Origin) -> Ran {
    let mut command = scene.command("timeout");
    command.args(["50", env!("CARGO_BIN_EXE_buildproxy")]);
    command.args(arguments).args(["--stall-timeout", "1"]);
    command.args(options).env("SSL_CERT_FILE", origin.ca());
    run(&mut command)
}

#[test]
fn each_verb_that_fetches_gives_up_when_nothing_comes() {
    let scene = Scene::new();
    let origin = silent();
    // It takes connections, and that is all.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = deaf.local_addr().unwrap().port();
    let to_deaf = ["--connect-to".to_owned(), format!(":80:127.0.0.1:{port}")];
    let body = "https://a.example.org/a-1.0";
    let head = "http://a.example.org/a-1.0";
    let to_origin = origin.connect_to();
    for (url, options) in [(body, &to_origin[..2]), (head, &to_deaf[..])] {
        let hash = Sri::sha256_of(b"hello");
        let pin =
            format!("url = \"{url}\"; file = fetchurl {{ url = \"{url}\"; hash = \"{hash}\"; }};");
        scene.write(
            "proxy_content.nix",
            &format!("{{ fetchurl }}: [ {{ {pin} }} ]"),
        );
        let run = |arguments: &[&str]| limited(&scene, arguments, options, &origin);

        run(&["add", "other.nix", url])
            .ends_with(1)
            .says("nothing came for 1 s");
        for verb in [&["update", "--no-prefill"][..], &["update", "--check"]] {
            run(verb).ends_with(1).says(&format!(
                "the pin of {url} cannot be fetched: nothing came for 1 s"
            ));
        }
        let checked = run(&["check", "--fetch"]).ends_with(3);
        let said = format!("the pin of {url} cannot be fetched: nothing came for 1 s\n");
        assert!(checked.stdout.contains(&said), "{}", checked.stdout);
        run(&["replay", "proxy_content.nix", "--fetch"])
            .ends_with(1)
            .says(&format!("{url} cannot be fetched: nothing came for 1 s"));
    }
}

#[test]
fn a_time_limit_is_for_what_is_fetched() {
    let scene = Scene::new();
    scene.write("proxy_content.nix", "[ ]");
    for verb in [&["check"][..], &["replay", "proxy_content.nix"]] {
        run(scene.buildproxy(verb).args(["--stall-timeout", "1"]))
            .ends_with(2)
            .says("--fetch");
    }
    let none = ["update", "--stall-timeout", "0"];
    run(&mut scene.buildproxy(&none)).ends_with(2);
}

/// What a client got with a header of its own, and what all others get.
fn verified(others: fn() -> Response<buildproxy::proxy::Body>) -> Ran {
    let scene = Scene::new();
    let origin = Origin::start(move |asked| match asked.header("accept") {
        Some("text/css") => text("css\n"),
        _ => others(),
    });
    let script = "curl -sSf -H 'Accept: text/css' https://a.example.org/style";
    let capture = ["--stall-timeout", "1", "--", "sh", "-ec", script];
    let capture = scene.capture(&origin, &capture);
    let mut limited: Command = scene.command("timeout");
    limited.arg("50").arg(capture.get_program());
    limited
        .args(capture.get_args())
        .env("SSL_CERT_FILE", origin.ca());
    run(&mut limited).ok()
}

#[test]
fn a_second_download_gives_up_when_nothing_comes() {
    let silent = || Response::new(stream(streams::pending()));
    verified(silent).says("a plain GET fails: nothing came for 1 s\n");
}

#[test]
fn a_second_download_ends_where_the_first_one_did() {
    let endless = || {
        let piece = Bytes::from(vec![b'x'; 1024]);
        Response::new(stream(streams::repeat_with(move || Ok(piece.clone()))))
    };
    verified(endless).says("a plain GET gives other bytes\n");
}
