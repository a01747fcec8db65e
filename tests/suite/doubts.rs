//! Answers to a plain GET that may be others each time.

use std::sync::atomic::{AtomicUsize, Ordering};

use buildproxy::proxy::{Body, full};
use http::Response;

use crate::support::{Origin, Ran, Scene, answer, run};

/// Another body each time, but from archives.
fn origin() -> Origin {
    let number = AtomicUsize::new(0);
    Origin::start(move |asked| {
        let number = number.fetch_add(1, Ordering::SeqCst);
        let counted = |headers: &[(&'static str, &str)]| -> Response<Body> {
            let mut response = answer(200, headers, "");
            *response.body_mut() = full(format!("answer {number}\n"));
            response
        };
        let archive = [("content-type", "application/gzip"), ("etag", "\"1\"")];
        match asked.url.as_str() {
            "https://a.example.org/page" => counted(&[("content-type", "text/html")]),
            "https://a.example.org/private" => counted(&[("cache-control", "private")]),
            "https://a.example.org/file.txt" => counted(&[("content-type", "text/plain")]),
            "https://a.example.org/a.tar.gz" => answer(200, &archive, "archive\n"),
            "https://a.example.org/same" => answer(200, &[("content-type", "text/html")], "same\n"),
            _ => answer(404, &[], "none\n"),
        }
    })
}

fn capture(scene: &Scene, origin: &Origin, options: &[&str], paths: &[&str]) -> Ran {
    let urls = paths
        .iter()
        .map(|path| format!("https://a.example.org/{path}"));
    let mut capture = scene.capture(origin, options);
    capture.args(["--", "curl", "-sSf"]).args(urls);
    run(&mut capture).ok()
}

#[test]
fn a_plain_answer_that_is_another_each_time_is_vendored() {
    let scene = Scene::new();
    let origin = origin();
    let paths = ["page", "private", "same"];
    let captured = capture(&scene, &origin, &[], &paths);
    let changes = "it is not the same twice: a second GET gave other bytes";
    let got = captured.stdout.clone();
    captured
        .says("3 downloads captured (3 new, 1 pinned, 2 vendored, ")
        .says(&format!(
            "vendored: https://a.example.org/page (9 B): {changes}\n"
        ))
        .says(&format!(
            "vendored: https://a.example.org/private (9 B): {changes}\n"
        ));
    drop(origin);
    let urls = paths.map(|path| format!("https://a.example.org/{path}"));
    let replayed = scene.replay_script(&format!("curl -sSf {}", urls.join(" ")));
    assert_eq!(replayed.ok().stdout, got);
}

#[test]
fn an_archive_with_a_tag_is_downloaded_once() {
    let scene = Scene::new();
    let origin = origin();
    capture(&scene, &origin, &[], &["a.tar.gz"]).says("1 pinned, 0 vendored");
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn the_person_says_how_much_is_verified() {
    for (options, pinned, asked) in [
        (&["--verify", "all"][..], 1, 4),
        (&["--verify", "uncertain"], 2, 2),
        (&[], 2, 2),
    ] {
        let scene = Scene::new();
        let origin = origin();
        let captured = capture(&scene, &origin, options, &["a.tar.gz", "file.txt"]);
        let wanted = format!("{pinned} pinned, {} vendored", 2 - pinned);
        assert!(
            captured.stderr.contains(&wanted),
            "{options:?} {captured:?}"
        );
        assert_eq!(origin.asked().len(), asked, "{options:?}");
    }
    for options in [&["--verify", "none"][..], &["--no-verify"]] {
        let scene = Scene::new();
        let origin = origin();
        capture(&scene, &origin, options, &["page"]).says("1 pinned, 0 vendored");
        assert_eq!(origin.asked().len(), 1, "{options:?}");
    }
}
