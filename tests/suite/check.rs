//! What a check finds.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use buildproxy::inventory::Sri;

use crate::support::{Origin, Ran, Scene, answer, need, run, text};

/// Each `NAME.nix` in the folder is a case; `NAME.txt` is what is found in it. Errors are status 3.
#[test]
fn findings_are_those_of_the_golden_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/check");
    let mut cases = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "nix") {
            continue;
        }
        let scene = Scene::new();
        scene.write("proxy_content.nix", &fs::read_to_string(&path).unwrap());
        let checked = run(&mut scene.buildproxy(&["check"]));
        let wanted = path.with_extension("txt");
        let wanted = fs::read_to_string(&wanted).unwrap_or_default();
        let (stdout, case) = (&checked.stdout, path.display());
        assert_eq!(*stdout, wanted, "{case} has these findings:\n{stdout}");
        assert!(!stdout.contains("topsecret") && !checked.stderr.contains("topsecret"));
        checked.ends_with(if wanted.contains(": error: ") { 3 } else { 0 });
        cases += 1;
    }
    assert!(cases > 5, "{}", folder.display());
}

#[test]
fn the_summary_counts() {
    let scene = Scene::new();
    scene.write("a.nix", "[ { url = \"https://example.org/\"; } ]");
    let checked = run(&mut scene.buildproxy(&["check", "a.nix"])).ok();
    assert_eq!(checked.stdout, "");
    assert_eq!(
        checked.stderr,
        "buildproxy: a.nix: 1 entry, nothing wrong\n"
    );
    scene.write(
        "a.nix",
        "[ { url = \"https://example.org/\"; a = 1; } { } ]",
    );
    let checked = run(&mut scene.buildproxy(&["check", "a.nix"])).ends_with(3);
    assert_eq!(
        checked.stderr,
        "buildproxy: a.nix: 0 entries, 2 errors, 0 warnings\n"
    );
    let none = run(&mut scene.buildproxy(&["check"])).ends_with(3);
    none.says("failed to read the inventory '");
}

#[test]
fn files_that_no_entry_uses_are_named() {
    let scene = Scene::new();
    scene.write("proxy_content/used", "");
    scene.write("proxy_content/old", "");
    scene.write("proxy_content/deep/old", "");
    scene.write("proxy_content/.gitattributes", "");
    let inventory = "[ { url = \"https://example.org/\"; file = ./proxy_content/used; } ]";
    scene.write("proxy_content.nix", inventory);
    let checked = run(&mut scene.buildproxy(&["check"])).ok();
    assert_eq!(
        checked.stdout,
        "proxy_content.nix: warning: no entry uses the file 'proxy_content/deep/old'
  hint: delete it
proxy_content.nix: warning: no entry uses the file 'proxy_content/old'
  hint: delete it
"
    );
    // What an unreadable entry uses is not known.
    let broken = inventory.replace("url =", "urls =");
    scene.write("proxy_content.nix", &broken);
    let checked = run(&mut scene.buildproxy(&["check"])).ends_with(3);
    assert!(!checked.stdout.contains("warning"), "{}", checked.stdout);
}

#[test]
fn a_manifest_is_checked_too() {
    let scene = Scene::new();
    let body = scene.path("body").to_str().unwrap().to_owned();
    let manifest = format!(
        "[\n  {{\"url\": \"https://example.org/a\", \"file\": null}},\n  \
         {{\n    \"url\": \"https://example.org/b\",\n    \"file\": \"{body}\"\n  }}\n]"
    );
    scene.write("m.json", &manifest);
    let checked = run(&mut scene.buildproxy(&["check", "m.json"])).ends_with(3);
    let wanted =
        format!("m.json:3: error: the body of https://example.org/b, '{body}', is not there\n");
    assert_eq!(checked.stdout, wanted);
    scene.write("body", "");
    run(&mut scene.buildproxy(&["check", "m.json"])).ok();
    scene.write("m.json", &manifest.replace("null", "1"));
    let checked = run(&mut scene.buildproxy(&["check", "m.json"])).ends_with(3);
    assert!(
        checked
            .stdout
            .starts_with("m.json:2: error: entry 0 for `https://example.org/a`: "),
        "{}",
        checked.stdout
    );
}

#[test]
fn a_file_with_more_than_literals_is_checked_with_nix() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    scene.write("file", "");
    scene.write(
        "proxy_content.nix",
        "{ fetchurl }:
let
  pin = url: {
    inherit url;
    file = fetchurl { inherit url; hash = \"\"; };
  };
in
[
  (pin \"https://example.org/a\")
  { url = \"https://example.org/${\"b\"}\"; file = ./file; }
  { url = \"https://example.org/c\"; file = ./none; }
]
",
    );
    let mut check = scene.buildproxy(&["check"]);
    let state = scene.root().join("nix");
    check
        .env("NIX_STORE_DIR", state.join("store"))
        .env("NIX_STATE_DIR", state.join("var"));
    let checked = run(&mut check).ends_with(3);
    assert_eq!(
        checked.stdout,
        "proxy_content.nix:8: error: the pin of https://example.org/a has no hash yet
  hint: `buildproxy update` writes it
proxy_content.nix:11: error: the body of https://example.org/c, 'none', is not there
"
    );
    let alone = run(scene.buildproxy(&["check"]).env("PATH", "")).ends_with(3);
    assert!(
        alone.stdout.starts_with("proxy_content.nix:2: error: ")
            && alone.stdout.contains("  hint: install Nix"),
        "{}",
        alone.stdout
    );
}

/// An inventory of these pins: path, and hash.
fn pins(pins: &[(&str, &str)]) -> String {
    let entry = |(path, hash): &(&str, &str)| {
        "{
  url = \"https://a.example.orgPATH\";
  file = fetchurl {
    url = \"https://a.example.orgPATH\";
    HASH
  };
}
"
        .replace("PATH", path)
        .replace("HASH", hash)
    };
    let entries: Vec<String> = pins.iter().map(entry).collect();
    format!("{{ fetchurl }}: [\n{}]\n", entries.concat())
}

fn fetched(scene: &Scene, origin: &Origin) -> Ran {
    let mut check = scene.buildproxy(&["check", "--fetch"]);
    run(check
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca()))
}

#[test]
fn fetch_proves_each_pin() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/good" | "https://a.example.org/sha512" => text("hello"),
        "https://a.example.org/start" => answer(302, &[("location", "/good")], ""),
        "https://a.example.org/other" | "https://a.example.org/empty" => text("other"),
        _ => answer(404, &[], "none\n"),
    });
    let hello = format!("hash = \"{}\";", Sri::sha256_of(b"hello"));
    let other = Sri::sha256_of(b"other");
    // `printf hello | sha512sum`.
    let sha512 = "sha512 = \"9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043\";";
    let inventory = pins(&[
        ("/good", &hello),
        ("/start", &hello),
        ("/sha512", sha512),
        ("/other", &hello),
        ("/empty", "hash = \"\";"),
        ("/none", &hello),
    ]);
    scene.write("proxy_content.nix", &inventory);
    let checked = fetched(&scene, &origin).ends_with(3);
    assert_eq!(
        checked.stdout,
        format!(
            "proxy_content.nix:27: error: the pin of https://a.example.org/other gives other bytes now: {other}
  hint: if they are right, `buildproxy update` writes this hash
proxy_content.nix:34: error: the pin of https://a.example.org/empty has no hash yet
  hint: write \"{other}\"
proxy_content.nix:40: error: the pin of https://a.example.org/none cannot be fetched: status 404 Not Found
"
        )
    );
    assert_eq!(
        checked.stderr,
        "buildproxy: proxy_content.nix: 6 entries, 3 errors, 0 warnings\n"
    );
    assert_eq!(scene.read("proxy_content.nix"), inventory);
    for asked in origin.asked() {
        assert_eq!(asked.method, "GET");
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
    }

    scene.write("proxy_content.nix", &pins(&[("/good", &hello)]));
    fetched(&scene, &origin).ok().says("1 entry, nothing wrong");
    drop(origin);
    let gone = Origin::with_texts(&[]);
    let mut check = scene.buildproxy(&["check", "--fetch"]);
    // A server that nobody vouches for.
    let refused = run(check.args(gone.connect_to())).ends_with(3);
    assert!(
        refused
            .stdout
            .contains("the pin of https://a.example.org/good cannot be fetched: "),
        "{}",
        refused.stdout
    );
    run(scene.buildproxy(&["check"]).args(gone.connect_to())).ends_with(2);
}

#[test]
fn at_most_eight_are_fetched_at_once_and_each_once() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        let now = NOW.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        NOW.fetch_sub(1, Ordering::SeqCst);
        text("hello")
    });
    let hello = format!("hash = \"{}\";", Sri::sha256_of(b"hello"));
    let paths: Vec<String> = (0..40).map(|number| format!("/{number}")).collect();
    let all: Vec<_> = paths
        .iter()
        .map(|path| (path.as_str(), hello.as_str()))
        .collect();
    let inventory = pins(&all);
    // Another entry with a pin that is there already.
    let last = "{ url = \"https://a.example.org/again\"; file = fetchurl { url = \"https://a.example.org/0\"; HASH }; }\n]";
    let inventory = inventory.replace("\n]", &format!("\n{}", last.replace("HASH", &hello)));
    scene.write("proxy_content.nix", &inventory);
    fetched(&scene, &origin)
        .ok()
        .says("41 entries, nothing wrong");
    assert_eq!(origin.asked().len(), 40);
    assert!(MOST.load(Ordering::SeqCst) <= 8);
}
