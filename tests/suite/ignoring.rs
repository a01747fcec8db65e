//! Query parameters that are others each time.

use crate::support::{Origin, Scene, answer, need, run, text};

/// What is there under every value of `_`.
fn origin() -> Origin {
    Origin::start(|asked| match asked.url.split(['?', '&']).next() {
        Some("https://a.example.org/data") if asked.url.contains("v=2") => text("two\n"),
        Some("https://a.example.org/data") => text("one\n"),
        _ => answer(404, &[], "none\n"),
    })
}

fn capture(scene: &Scene, origin: &Origin, options: &[&str], script: &str) -> crate::support::Ran {
    let arguments = [options, &["--", "sh", "-ec", script]].concat();
    run(&mut scene.capture(origin, &arguments)).ok()
}

const IGNORING: [&str; 2] = ["--ignore-query", "_"];

#[test]
fn a_parameter_that_is_another_each_time_is_replayed_with_any_value() {
    let scene = Scene::new();
    let origin = origin();
    let script = "curl -sSf 'https://a.example.org/data?v=1&_=1700000000' \
        'https://a.example.org/data?v=1&_=1700000001' 'https://a.example.org/data?v=2&_=1'";
    capture(&scene, &origin, &IGNORING, script).says("2 downloads captured (2 new, 2 pinned, ");
    let captured = scene.read("proxy_content.nix");
    let ignoring = "    request = {\n      ignoreQuery = [ \"_\" ];\n    };\n";
    assert_eq!(captured.matches(ignoring).count(), 2, "{captured}");

    // Another value changes nothing, whether or not the option is given again.
    let again = "curl -sSf 'https://a.example.org/data?v=1&_=1700000002'";
    capture(&scene, &origin, &[], again).says("1 download captured (0 new, ");
    capture(&scene, &origin, &IGNORING, again).says("1 download captured (0 new, ");
    assert_eq!(scene.read("proxy_content.nix"), captured);

    drop(origin);
    let replayed = scene.replay_script(
        "curl -sSf 'https://a.example.org/data?v=1&_=1800000000' 'https://a.example.org/data?v=2' \
         'https://a.example.org/data?v=2&_=&token=s3cr3t'",
    );
    assert_eq!(replayed.ok().stdout, "one\ntwo\ntwo\n");
    let missed = scene
        .replay_script("curl -sS 'https://a.example.org/data?v=3&_=1'")
        .ok();
    missed.says("miss: GET https://a.example.org/data?v=3&_=1 is not in the inventory");
}

#[test]
fn a_second_capture_notices_a_parameter_that_changes_nothing() {
    let scene = Scene::new();
    let origin = origin();
    let hint = "hint: https://a.example.org/data gave the same bytes with another `_`; if that is another each \
                time, take `--ignore-query _`";
    let one = "curl -sSf 'https://a.example.org/data?v=1&_=1'";
    let first = capture(&scene, &origin, &[], one);
    assert!(!first.stderr.contains("--ignore-query"), "{first:?}");
    let two = "curl -sSf 'https://a.example.org/data?v=1&_=2'";
    capture(&scene, &origin, &[], two).says(hint);

    let other = Scene::new();
    let both = format!("{one}\n{two}\ncurl -sSf 'https://a.example.org/data?v=2&_=3'");
    capture(&other, &origin, &[], &both).says(hint);
}

#[test]
fn bodies_that_differ_by_a_parameter_that_was_not_to_count_are_told_of() {
    let scene = Scene::new();
    let origin = origin();
    let script = "curl -sSf 'https://a.example.org/data?v=1' 'https://a.example.org/data?v=2'";
    capture(&scene, &origin, &["--ignore-query", "v"], script)
        .says("1 download captured")
        .says("unstable: https://a.example.org/data: gave different bodies");
}

#[test]
fn a_miss_that_differs_in_such_a_parameter_says_how_to_ignore_it() {
    let scene = Scene::new();
    let origin = origin();
    capture(
        &scene,
        &origin,
        &[],
        "curl -sSf 'https://a.example.org/data?v=1&_=1'",
    );
    let script = "curl -sS 'https://a.example.org/data?v=1&_=2'";
    let missed = scene.replay_script(script).ok();
    let hint = "hint: an entry differs in the value of `_` alone; if that says nothing, `--ignore-query _` lets any do\n";
    assert!(missed.stdout.contains(hint), "{missed:?}");
    let (log, summary) = missed.stderr.split_once("no request was answered").unwrap();
    assert!(log.contains(hint) && summary.contains(hint), "{missed:?}");
    // As it says.
    let mut add = scene.buildproxy(&["add", "--no-prefill", "proxy_content.nix"]);
    add.args(IGNORING).args(origin.connect_to());
    add.env("SSL_CERT_FILE", origin.ca());
    run(add.arg("https://a.example.org/data?v=1&_=2"))
        .ok()
        .says("(1 new, ");
    drop(origin);
    let third = "curl -sSf 'https://a.example.org/data?v=1&_=3'";
    assert_eq!(scene.replay_script(third).ok().stdout, "one\n");
}

/// A manifest of more than a MiB, of which entries are read when they are asked for.
#[test]
fn a_large_manifest_ignores_parameters_as_well() {
    let scene = Scene::new();
    let entry = |number: u32| {
        format!(
            r#"{{"url":"https://a.example.org/releases/{number}/{}"}},"#,
            "a".repeat(100)
        )
    };
    let entries: String = (0..10_000).map(entry).collect();
    let body = scene.path("body");
    scene.write("body", "0123456789");
    let last = format!(
        r#"{{"file":"{}","request":{{"ignoreQuery":["_"]}},"url":"https://a.example.org/data?_=1"}}"#,
        body.display()
    );
    scene.write("m.json", &format!("[{entries}\n{last}]"));
    let script = "curl -sSf 'https://a.example.org/data?_=2' https://a.example.org/data";
    let mut replay = scene.buildproxy(&["replay", "m.json", "--strict", "--", "sh", "-ec", script]);
    assert_eq!(run(&mut replay).ok().stdout, "0123456789".repeat(2));
}

#[test]
fn parameters_are_ignored_in_a_file_that_nix_evaluates() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    scene.write("body", "hello\n");
    let inventory = "let names = [ \"_\" ]; in\n[\n  {\n    url = \"https://a.example.org/data?_=1\";\n    \
                     file = ./body;\n    request.ignoreQuery = names;\n  }\n]\n";
    scene.write("proxy_content.nix", inventory);
    let script = "curl -sSf 'https://a.example.org/data?_=2'";
    let mut replay = scene.buildproxy(&["replay", "proxy_content.nix", "--", "sh", "-ec", script]);
    let state = scene.root().join("nix");
    replay
        .env("NIX_STORE_DIR", state.join("store"))
        .env("NIX_STATE_DIR", state.join("var"));
    assert_eq!(run(&mut replay).ok().stdout, "hello\n");
}

#[test]
fn what_is_wrong_with_ignored_parameters_is_said_with_its_line() {
    let scene = Scene::new();
    for (value, said) in [
        (
            "\"_\"",
            ":4: error: `ignoreQuery` is a string, not a list of strings",
        ),
        (
            "[ \"_\" \"_\" ]",
            ":4: error: the query parameter `_` is given twice",
        ),
        (
            "[ \"a=b\" ]",
            ":4: error: \"a=b\" is not the name of a query parameter",
        ),
    ] {
        let entry = format!(
            "[\n  {{\n    url = \"https://a.example.org/data?_=1\";\n    request.ignoreQuery = {value};\n  }}\n]\n"
        );
        scene.write("proxy_content.nix", &entry);
        let checked = run(&mut scene.buildproxy(&["check"])).ends_with(3);
        assert!(checked.stdout.contains(said), "{checked:?}");
    }
}
