//! Pins without a build.

use std::{
    fs,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::support::{Origin, Scene, answer, finish, need, run, text};

fn origin() -> Origin {
    Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/hello-1.0.txt" => answer(
            200,
            &[
                ("content-type", "text/plain"),
                ("etag", "\"1\""),
                ("date", "now"),
            ],
            "hello\n",
        ),
        "https://a.example.org/start" => answer(302, &[("location", "/page")], ""),
        "https://a.example.org/circle" => answer(302, &[("location", "/circle")], ""),
        // Which a client would be sent to: its links are relative.
        "https://a.example.org/page" => answer(200, &[("content-type", "text/html")], "<p>"),
        "https://a.example.org/o/r/archive/main.tar.gz" => text("main"),
        "https://a.example.org/simple/six/" => text("index\n"),
        "https://a.example.org/secret" | "https://a.example.org/secret?token=s3cr3t" => {
            text("open\n")
        }
        "https://a.example.org/closed?token=s3cr3t" => text("closed\n"),
        _ => answer(404, &[], "none\n"),
    })
}

/// `add` to `proxy_content.nix`, with this origin as all the world.
fn add(scene: &Scene, origin: &Origin, arguments: &[&str]) -> Command {
    let mut add = scene.buildproxy(&["add", "--no-prefill", "proxy_content.nix"]);
    add.args(origin.connect_to()).args(arguments);
    add.env("SSL_CERT_FILE", origin.ca());
    add
}

#[test]
fn what_is_added_is_written_as_a_capture_writes_it() {
    need("curl", "curl");
    let urls = [
        "https://a.example.org/simple/six/",
        "https://a.example.org/o/r/archive/main.tar.gz",
        "https://a.example.org/hello-1.0.txt",
        "https://a.example.org/secret?token=s3cr3t",
        "https://a.example.org/closed?token=s3cr3t",
    ];
    let origin = origin();
    let captured = Scene::new();
    let said = captured.capture_script(&origin, &format!("curl -sSf {}", urls.join(" ")));
    let said = said.ok().stderr;
    let added = Scene::new();
    let said_too = run(&mut add(&added, &origin, &urls)).ok();
    assert_eq!(said_too.stdout, "");
    let name = "proxy_content.nix";
    assert_eq!(added.read(name), captured.read(name));
    assert_eq!(added.read(name).matches("fetchurl {").count(), 3);
    // Drifting, moving, secret: all that the person is told is the same.
    let summary = said.split_once("downloads captured").unwrap().1;
    let summary_too = said_too.stderr.split_once("downloads added").unwrap().1;
    assert_eq!(summary_too, summary);
    for word in ["it drifts: ", "moving: ", "its URL holds a secret"] {
        assert!(summary.contains(word), "{word}: {summary}");
    }
    assert!(!said_too.stderr.contains("s3cr3t"));

    // And so it goes on.
    let more = "https://a.example.org/start";
    let script = format!("curl -sSfL {more}");
    captured.capture_script(&origin, &script).ok();
    run(&mut add(&added, &origin, &[more]))
        .ok()
        .says("1 download added (1 new, 1 pinned, 0 vendored, 1 by redirects)");
    let inventory = added.read(name);
    let (start, end) = inventory.split_once("https://a.example.org/start").unwrap();
    assert!(captured.read(name).starts_with(start));
    // What fetchurl gets is the page, and that is what is pinned.
    assert!(end.contains("url = \"https://a.example.org/start\";"));
    drop(origin);
    let replayed = added.replay_script(&format!("curl -sSf {} {more}", urls[2]));
    assert_eq!(replayed.ok().stdout, "hello\n<p>");
}

#[test]
fn options_overrule_as_they_do_in_a_capture() {
    let scene = Scene::new();
    let origin = origin();
    let options = ["--pin", "*/simple/*", "--vendor", "*.txt"];
    let urls = [
        "https://a.example.org/simple/six/",
        "https://a.example.org/hello-1.0.txt",
    ];
    run(&mut add(&scene, &origin, &[&options[..], &urls].concat()))
        .ok()
        .says("2 downloads added (2 new, 1 pinned, 1 vendored, 0 by redirects)")
        .says("vendored: https://a.example.org/hello-1.0.txt (6 B): as --vendor says");
}

#[test]
fn a_url_that_is_there_is_left_with_a_word() {
    let scene = Scene::new();
    let origin = origin();
    let by_hand = "{ fetchurl }:
[ # by hand
  { url = \"https://a.example.org/hello-1.0.txt\"; }
  { url = \"https://a.example.org/start\"; file = fetchurl { url = \"https://a.example.org/page\"; hash = \"\"; }; }
  { url = \"https://a.example.org/page\"; method = \"HEAD\"; }
]
";
    scene.write("proxy_content.nix", by_hand);
    let there = [
        "HTTPS://A.example.org:443/hello-1.0.txt?token=x#top",
        "https://a.example.org/start",
    ];
    let left = run(&mut add(&scene, &origin, &there)).ok();
    assert_eq!(
        left.stderr,
        "buildproxy: proxy_content.nix:3: https://a.example.org/hello-1.0.txt is there already, and stays as it is
buildproxy: proxy_content.nix:4: https://a.example.org/start is there already, and stays as it is
hint: `buildproxy update` writes its hash
"
    );
    assert!(origin.asked().is_empty());
    assert_eq!(scene.read("proxy_content.nix"), by_hand);

    let more = [there[0], "https://a.example.org/page"];
    run(&mut add(&scene, &origin, &more))
        .ok()
        .says("(1 new, 1 pinned");
    let (before, _) = by_hand.split_once("]\n").unwrap();
    let inventory = scene.read("proxy_content.nix");
    assert!(inventory.starts_with(before) && inventory.ends_with("  }\n]\n"));
}

#[test]
fn what_is_added_at_the_same_time_is_all_there() {
    const NUMBER: usize = 6;
    let scene = Scene::new();
    let origin = Origin::start(|_| text("hello"));
    let adding: Vec<_> = (0..NUMBER)
        .map(|number| {
            let url = format!("https://a.example.org/{number}");
            add(&scene, &origin, &[&url])
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for one in adding {
        finish(one).ok();
    }
    let inventory = scene.read("proxy_content.nix");
    assert_eq!(inventory.matches("hash = ").count(), NUMBER, "{inventory}");
}

#[test]
fn failures_are_named_and_the_rest_is_added() {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    let scene = Scene::new();
    let first = origin();
    let none = ["https://a.example.org/none", "https://a.example.org/none/2"];
    let failed = run(&mut add(&scene, &first, &none)).ends_with(1);
    for url in none {
        let said = format!("{url} cannot be fetched: status 404 Not Found\n");
        assert!(failed.stderr.contains(&said), "{}", failed.stderr);
    }
    assert!(!scene.path("proxy_content.nix").exists());
    let both = [none[0], "https://a.example.org/hello-1.0.txt"];
    run(&mut add(&scene, &first, &both))
        .ends_with(1)
        .says("1 download added (1 new, ")
        .says("  skipped: https://a.example.org/none cannot be fetched: status 404 Not Found\n");
    let before = scene.read("proxy_content.nix");
    assert!(before.contains("hello-1.0.txt") && !before.contains("none"));

    let circle = ["https://a.example.org/circle"];
    run(&mut add(&scene, &first, &circle)).ends_with(1).says(
        "/circle cannot be fetched: status 302 Found, which leads to nothing that can be fetched\n",
    );

    // A server that nobody vouches for; one that breaks off; one that is busy.
    let refused = run(add(&scene, &first, &none[..1]).env("SSL_CERT_FILE", "/dev/null"));
    refused
        .ends_with(1)
        .says("failed to fetch https://a.example.org/none: ");
    let awkward = Origin::start(|asked| {
        if asked.url.ends_with("/broken") {
            return answer(200, &[("content-length", "9")], "half");
        }
        match TRIES.fetch_add(1, Ordering::SeqCst) {
            0 => answer(503, &[("retry-after", "0")], "busy\n"),
            _ => text("at last\n"),
        }
    });
    let both = ["https://a.example.org/broken", "https://a.example.org/busy"];
    let added = run(&mut add(&scene, &awkward, &both)).ends_with(1);
    added
        .says("skipped: https://a.example.org/broken is not recorded: the body broke off")
        .says("(1 new, 1 pinned");
    let after = scene.read("proxy_content.nix");
    assert!(after.contains("/busy") && !after.contains("/broken"));
}

/// Whoever asks: nothing in a plain GET says that it is npm that wants it.
#[test]
fn an_index_of_npm_is_vendored_by_what_it_says() {
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        let index =
            r#"{"name":"is-number","dist-tags":{"latest":"7.0.0"},"versions":{"7.0.0":{}}}"#;
        let headers = [("content-type", "application/json"), ("etag", "\"1\"")];
        answer(200, &headers, index)
    });
    let index = "https://a.example.org/npm/is-number";
    let drifts = format!("vendored: {index} (75 B): it drifts: an index of a package's versions\n");
    run(&mut add(&scene, &origin, &[index])).ok().says(&drifts);
    let pinned = ["--pin", "*", "https://a.example.org/is-number"];
    run(&mut add(&scene, &origin, &pinned))
        .ok()
        .says("1 pinned");
}

#[test]
fn the_command_of_a_miss_answers_the_request_that_missed() {
    need("curl", "curl");
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.header("accept") {
        Some("application/it's+json") => {
            answer(200, &[("content-type", "application/json")], "{}\n")
        }
        _ => text("plain\n"),
    });
    let plain = "https://a.example.org/plain";
    run(&mut add(&scene, &origin, &[plain])).ok();
    let script = "curl -sS -H \"Accept: application/it's+json\" -H 'Authorization: Bearer s3cr3t' \
                  https://a.example.org/negotiated";
    let missed = scene.replay_script(script).ok();
    assert!(!missed.stderr.contains("s3cr3t"), "{missed:?}");
    let command = missed.stderr.lines().map(str::trim_start);
    let command = command.filter(|line| line.starts_with("buildproxy add "));
    let command: Vec<_> = command.collect();
    assert_eq!(
        command,
        [
            r"buildproxy add proxy_content.nix https://a.example.org/negotiated --header 'accept: application/it'\''s+json'"
        ]
    );
    let shell = format!(
        "buildproxy() {{ {} \"$@\" --no-prefill {}; }}\n{}",
        env!("CARGO_BIN_EXE_buildproxy"),
        origin.connect_to().join(" "),
        command[0]
    );
    let mut added = scene.command("sh");
    added
        .args(["-ec", &shell])
        .env("SSL_CERT_FILE", origin.ca());
    run(&mut added)
        .ok()
        .says("vendored: https://a.example.org/negotiated (3 B): a plain GET gives other bytes");
    let again = run(&mut added).ok();
    again.says("https://a.example.org/negotiated is there already");
    drop(origin);
    assert_eq!(scene.replay_script(script).ok().stdout, "{}\n");
}

#[test]
fn a_header_that_is_none_is_refused_without_repeating_it() {
    let scene = Scene::new();
    for header in ["s3cr3t", "authorization: s3cr3t\u{1}", "a b: s3cr3t"] {
        let url = "https://a.example.org/";
        let mut add = scene.buildproxy(&["add", "a.nix", url, "--header", header]);
        let refused = run(&mut add).ends_with(2);
        assert!(!refused.stderr.contains("s3cr3t"), "{refused:?}");
    }
}

#[test]
fn what_is_no_url_is_refused_without_repeating_secrets() {
    let scene = Scene::new();
    let refused = |arguments: &[&str]| run(scene.buildproxy(&["add"]).args(arguments)).ends_with(2);
    let said = refused(&["a.nix", "https://me:s3cr3t@example.org/a"]);
    assert!(!said.stderr.contains("s3cr3t"), "{}", said.stderr);
    said.says("a URL on `example.org` contains a user name or password");
    refused(&["a.nix", "ftp://example.org/"]).says("neither http nor https but ftp");
    refused(&["a.nix"]).says("<URL>");
    refused(&["https://example.org/a", "https://example.org/b"])
        .says("a FILE such as proxy_content.nix comes before the URLs");
    scene.write("broken.nix", "[");
    let broken = ["add", "broken.nix", "https://example.org/"];
    run(&mut scene.buildproxy(&broken))
        .ends_with(3)
        .says("broken.nix:1: ");
    let names = fs::read_dir(scene.path("")).unwrap();
    assert_eq!(names.count(), 1);
}

#[test]
fn what_was_added_is_in_the_store() {
    need("nix-store", "nix-bin");
    let scene = Scene::new();
    let origin = origin();
    let store = scene.root().join("nix/store");
    let mut add = scene.buildproxy(&["add", "proxy_content.nix"]);
    add.args(origin.connect_to())
        .arg("https://a.example.org/hello-1.0.txt");
    add.env("SSL_CERT_FILE", origin.ca())
        .env("NIX_STORE_DIR", &store)
        .env("NIX_STATE_DIR", scene.root().join("nix/var"));
    run(&mut add).ok();
    let mut there = fs::read_dir(store).unwrap();
    assert!(there.any(|file| {
        let name = file.unwrap().file_name();
        name.to_str().unwrap().ends_with("-hello-1.0.txt")
    }));
}
