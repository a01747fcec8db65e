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

/// An inventory with all that `--fix` deletes, between `«` and `»`, and all that it does not.
const UNTIDY: &str = "\
{ fetchurl }: [
  # the first
  {
    url = \"https://a.example.org/hello\";
    file = fetchurl { url = \"https://a.example.org/hello\"; hash = \"HASH\"; };
    headers = {
      \"content-type\" = \"text/plain\";
«      \"content-length\" = \"6\";
»    };
  }
  # the same
«  {
    url = \"https://a.example.org/hello\";
    headers.content-type = \"text/plain\";
    status_code = 200;
    file = fetchurl { url = \"https://a.example.org/hello\"; hash = \"HASH\"; };
  }
»  # another
  { url = \"https://a.example.org/hello\"; status_code = 404; }
  { url = \"https://a.example.org/text\"; file = builtins.toFile \"a\" \"text\";« headers.content-length = \"5\";» }« ( { url = \"https://a.example.org/text\"; file = builtins.toFile \"a\" \"text\"; } )» # kept
  { url = \"https://a.example.org/file\"; file = ./file; headers = {« Content-Length = [ \"3\" \"3\" ];» }; }
  { url = \"https://a.example.org/right\"; file = ./file; headers = { content-length = \"3\"; }; }
  { url = \"https://a.example.org/none\"; headers.content-length = \"7\"; status_code = 304; }
]
";

/// The same, before and after.
fn untidy() -> (String, String) {
    let text = UNTIDY.replace("HASH", &Sri::sha256_of(b"hello").to_string());
    let pieces = text.split('«').map(|piece| piece.split_once('»'));
    let kept = pieces.map(|piece| piece.map_or("", |(_, kept)| kept));
    let first = text.split('«').next().unwrap();
    let after = format!("{first}{}", kept.collect::<String>());
    (text.replace(['«', '»'], ""), after)
}

#[test]
fn repeats_and_lengths_of_another_tool_are_told_of_and_deleted() {
    let scene = Scene::new();
    let (before, after) = untidy();
    scene.write("proxy_content.nix", &before);
    scene.write("file", "abc");
    let origin = Origin::start(|_| text("hello"));
    // So that the body cache has it.
    let script = "curl -sSf https://a.example.org/hello";
    run(&mut scene.capture(&origin, &["-o", "other.nix", "--", "sh", "-ec", script])).ok();

    let checked = run(&mut scene.buildproxy(&["check"])).ok();
    let told: Vec<_> = checked
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("proxy_content.nix:"))
        .collect();
    assert_eq!(
        told,
        [
            "8: warning: the `content-length` of https://a.example.org/hello is \"6\", and that of its body 5",
            "12: warning: GET https://a.example.org/hello is answered on line 3 already, by the same",
            "19: warning: GET https://a.example.org/hello is answered on line 3 already, and never by this entry",
            "20: warning: GET https://a.example.org/text is answered on line 20 already, by the same",
            "20: warning: the `content-length` of https://a.example.org/text is \"5\", and that of its body 4",
            "21: warning: the `content-length` of https://a.example.org/file is \"3, 3\", and that of its body 3",
        ]
    );
    assert_eq!(scene.read("proxy_content.nix"), before);

    let fixed = run(&mut scene.buildproxy(&["check", "--fix"])).ok();
    assert_eq!(scene.read("proxy_content.nix"), after);
    assert_eq!(
        fixed.stdout,
        "proxy_content.nix:12: warning: GET https://a.example.org/hello is answered on line 3 already, and never by this entry
  hint: delete one of them, or tell them apart with `request = { … };`
"
    );
    fixed.says("buildproxy: proxy_content.nix: deleted 2 exact repeats and 3 wrong lengths\n");
    let again = run(&mut scene.buildproxy(&["check", "--fix"])).ok();
    assert!(!again.stderr.contains("deleted"), "{}", again.stderr);
    assert_eq!(scene.read("proxy_content.nix"), after);
}

#[test]
fn comments_in_what_is_deleted_stay() {
    let scene = Scene::new();
    scene.write(
        "proxy_content.nix",
        "[
  { url = \"https://a.example.org/\"; }
  {
    # Why it is there.
    url = \"https://a.example.org/\"; # and this
    /* and that */
  }
  { url = \"https://b.example.org/\"; headers = { content-length /* why */ = \"9\"; # here
  }; } { url = \"https://b.example.org/\"; /* too */ } # end
]
",
    );
    run(&mut scene.buildproxy(&["check", "--fix"]))
        .ok()
        .says("deleted 2 exact repeats and 1 wrong length");
    assert_eq!(
        scene.read("proxy_content.nix"),
        "[
  { url = \"https://a.example.org/\"; }
  # Why it is there.
  # and this
  /* and that */
  { url = \"https://b.example.org/\"; headers = { /* why */
   # here
  }; } /* too */
   # end
]
"
    );
    run(&mut scene.buildproxy(&["check"]))
        .ok()
        .says("nothing wrong");
}

#[test]
fn nothing_is_deleted_where_it_cannot_be_told() {
    let scene = Scene::new();
    let entry = "{ url = \"https://a.example.org/\"; }";
    let broken = format!("[ {entry} {entry} {{ ulr = \"\"; }} ]");
    scene.write("broken.nix", &broken);
    run(&mut scene.buildproxy(&["check", "--fix", "broken.nix"]))
        .ends_with(3)
        .says("broken.nix: nothing is deleted while there are errors");
    assert_eq!(scene.read("broken.nix"), broken);

    let manifest = r#"[{"url": "https://a.example.org/", "headers": {"content-length": "1"}},
{"url": "https://a.example.org/"}]"#;
    scene.write("m.json", manifest);
    let checked = run(&mut scene.buildproxy(&["check", "m.json"])).ok();
    assert_eq!(
        checked.stdout,
        "m.json:1: warning: the `content-length` of https://a.example.org/ is \"1\", and that of its body 0
  hint: it is not used; delete it
m.json:2: warning: GET https://a.example.org/ is answered on line 1 already, by the same
  hint: delete one of them
"
    );
    run(&mut scene.buildproxy(&["check", "--fix", "m.json"]))
        .ends_with(3)
        .says("m.json' is a manifest");
    assert_eq!(scene.read("m.json"), manifest);
}

/// With `let`, and with a body that only the Nix store has.
#[test]
fn repeats_and_lengths_are_found_with_nix() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    scene.write("hello", "hello");
    scene.write("text", "text");
    let with_nix = |program: &str, arguments: &[&str]| {
        let mut command = scene.command(program);
        let state = scene.root().join("nix");
        command
            .args(arguments)
            .env("NIX_STORE_DIR", state.join("store"))
            .env("NIX_STATE_DIR", state.join("var"));
        run(&mut command)
    };
    with_nix("nix-store", &["--add-fixed", "sha256", "hello"]).ok();
    let inventory = "{ fetchurl }:
let
  pin = url: {
    inherit url;
    file = fetchurl { inherit url; hash = \"HASH\"; };
    headers = { \"content-length\" = \"6\"; connection = \"close\"; };
  };
in
[
  (pin \"https://a.example.org/hello\")
  (pin \"https://a.example.org/hello\")
  { url = \"https://a.example.org/text\"; file = ./text; headers = { content-length = \"5\"; }; }
  { url = \"https://a.example.org/text\"; file = ./text; }
]
";
    let inventory = inventory.replace("HASH", &Sri::sha256_of(b"hello").to_string());
    scene.write("proxy_content.nix", &inventory);
    let buildproxy = env!("CARGO_BIN_EXE_buildproxy");
    let checked = with_nix(buildproxy, &["check", "--fix"]).ok();
    assert_eq!(
        checked.stdout,
        "proxy_content.nix:9: warning: GET https://a.example.org/hello is answered on line 9 already, by the same
  hint: delete one of them
proxy_content.nix:9: warning: the `content-length` of https://a.example.org/hello is \"6\", and that of its body 5
  hint: it is not used; delete it
"
    );
    checked.says("deleted 1 exact repeat and 1 wrong length");
    let start = inventory
        .find("  { url = \"https://a.example.org/text\"")
        .unwrap();
    let wanted = format!(
        "{}  {{ url = \"https://a.example.org/text\"; file = ./text; headers = {{ }}; }}\n]\n",
        &inventory[..start]
    );
    assert_eq!(scene.read("proxy_content.nix"), wanted);
}
