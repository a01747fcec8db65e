//! Pins that are fetched again.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::Command,
};

use buildproxy::inventory::Sri;

use crate::support::{Origin, Ran, Scene, answer, need, run, text};

/// The origin's texts: `/same` has not changed, `/other` has.
fn origin() -> Origin {
    Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/same" => text("hello"),
        "https://a.example.org/start" => answer(302, &[("location", "/other")], ""),
        "https://a.example.org/other" => text("other"),
        _ => answer(404, &[], "none\n"),
    })
}

fn hash(body: &str) -> Sri {
    Sri::sha256_of(body.as_bytes())
}

/// `printf other | sha512sum`, as SRI.
const OTHER_512: &str = "sha512-4lrDhF+MvhKAGi36WonUxV3EeQDztu3Jqe5ZDzwrkxL2ZdADnJOCi3tY8zlQvIF6CVWpxQAKjT4oBWnwh0XKaA==";

/// `update` of what there is, with this origin as all the world.
fn update(scene: &Scene, origin: &Origin, arguments: &[&str]) -> Command {
    let mut update = scene.buildproxy(&["update", "--no-prefill"]);
    update.args(origin.connect_to()).args(arguments);
    update.env("SSL_CERT_FILE", origin.ca());
    update
}

/// One of each way to write a pin. What is between `«` and `»` is a hash.
const PINS: &str = "\
# by hand
{ fetchurl, lib }:
[
  {
    url = \"https://a.example.org/same\"; # stays
    file = fetchurl { url = \"https://a.example.org/same\"; hash = \"«same»\"; };
  }
  {\turl = \"https://a.example.org/other\";
    file = fetchurl {
      url = \"https://a.example.org/other\";
      hash /* of old */ = ( «old» ) ; # ours
    };
    headers.etag = \"\\\"1\\\"\"; headers.content-type = \"text/plain\";
  }
  # Another entry with the same pin.
  { url = \"https://b.example.org/\"; file = fetchurl { url = \"https://a.example.org/other\"; sha256 = «hex»; }; }
  { url = \"https://c.example.org/\"; file = fetchurl { urls = [ \"https://a.example.org/start\" ]; hash = «empty»; }; }
  { url = \"https://d.example.org/\"; file = fetchurl { url = \"https://a.example.org/other\"; sha512 = «empty512»; }; }
  { url = \"https://e.example.org/\"; file = fetchurl { url = \"https://a.example.org/other\"; hash = «fake»; }; }
  { url = \"https://f.example.org/\"; file = fetchurl { url = \"https://a.example.org/none\"; hash = «none»; }; }
  { url = \"https://g.example.org/\"; file = builtins.toFile \"a\" \"text\"; }
]
";

/// The same with these hashes.
fn pins(hashes: &[(&str, &str)]) -> String {
    let mut text = PINS.replace("«same»", &hash("hello").to_string());
    for (name, hash) in hashes {
        text = text.replace(&format!("«{name}»"), hash);
    }
    assert!(!text.contains('«'), "{text}");
    text
}

fn before() -> String {
    pins(&[
        ("old", &format!("\"{}\"", hash("old"))),
        ("hex", &format!("\"{}\"", hash("old").to_hex())),
        ("empty", "''''"),
        ("empty512", "\"\""),
        ("fake", "lib.fakeHash"),
        ("none", &format!("\"{}\"", hash("gone"))),
    ])
}

fn after() -> String {
    let new = format!("\"{}\"", hash("other"));
    pins(&[
        ("old", &new),
        ("hex", &new),
        ("empty", &new),
        ("empty512", &format!("\"{OTHER_512}\"")),
        ("fake", &new),
        ("none", &format!("\"{}\"", hash("gone"))),
    ])
}

/// What is printed of the changes.
fn changes() -> String {
    let (old, new) = (hash("old"), hash("other"));
    let other = "https://a.example.org/other";
    format!(
        "{other} {old} {new}\n{other} {old} {new}\nhttps://a.example.org/start - {new}\n\
         {other} - {OTHER_512}\n{other} - {new}\n"
    )
}

#[test]
fn hashes_are_written_in_place_and_nothing_else_is() {
    let scene = Scene::new();
    let origin = origin();
    scene.write("proxy_content.nix", &before());
    let updated = run(&mut update(&scene, &origin, &[])).ends_with(1);
    assert_eq!(scene.read("proxy_content.nix"), after());
    assert_eq!(updated.stdout, changes());
    assert_eq!(
        updated.stderr,
        "buildproxy: proxy_content.nix:20: error: the pin of https://a.example.org/none cannot be fetched: status 404 Not Found
buildproxy: proxy_content.nix:8: warning: of https://a.example.org/other, these headers may be those of other bytes: etag
  hint: delete them, or let `buildproxy capture --update` write them
buildproxy: proxy_content.nix: 7 pins, 5 updated, 1 failed
"
    );
    // Each as fetchurl does, and the same only once, but for another algorithm.
    let mut asked: Vec<_> = origin.asked().into_iter().map(|asked| asked.url).collect();
    asked.sort();
    let paths = ["none", "other", "other", "other", "same", "start"];
    assert_eq!(
        asked,
        paths.map(|path| format!("https://a.example.org/{path}"))
    );

    // There is no more to do, but for what cannot be fetched.
    let again = run(&mut update(&scene, &origin, &[])).ends_with(1);
    assert_eq!(again.stdout, "");
    again.says("7 pins, 0 updated, 1 failed");
    let most = ["https://a.example.org/{same,other,start}"];
    run(&mut update(&scene, &origin, &most)).ok();
    assert_eq!(scene.read("proxy_content.nix"), after());

    // The bodies are in the cache.
    let without = after().replace("https://a.example.org/none", "https://a.example.org/other");
    let without = without.replace(&hash("gone").to_string(), &hash("other").to_string());
    scene.write("proxy_content.nix", &without);
    drop(origin);
    let fetch = "curl -sSf https://a.example.org/same https://b.example.org https://d.example.org";
    assert_eq!(scene.replay_script(fetch).ok().stdout, "hellootherother");
}

#[test]
fn check_says_what_has_drifted_and_writes_nothing() {
    let scene = Scene::new();
    let origin = origin();
    scene.write("proxy_content.nix", &before());
    let checked = run(&mut update(&scene, &origin, &["--check"])).ends_with(1);
    assert_eq!(checked.stdout, changes());
    checked.says("proxy_content.nix: 7 pins, 5 drifted, 1 failed\n");
    assert_eq!(scene.read("proxy_content.nix"), before());
    let cache = scene.root().join("home/.cache");
    assert!(!cache.exists(), "nothing is kept either");

    scene.write("proxy_content.nix", &after());
    let glob = "https://[b-e].example.org/*";
    let fine = run(&mut update(&scene, &origin, &["--check", glob])).ok();
    assert_eq!(fine.stdout, "");
    assert_eq!(
        fine.stderr,
        "buildproxy: proxy_content.nix: 4 pins, 0 drifted, 0 failed\n"
    );
}

#[test]
fn globs_choose_pins_by_the_url_of_the_entry_or_of_the_pin() {
    let scene = Scene::new();
    let origin = origin();
    scene.write("a.nix", &before());
    let glob = ["a.nix", "https://[be].example.org/*"];
    let updated = run(&mut update(&scene, &origin, &glob)).ok();
    assert_eq!(updated.stdout.lines().count(), 2, "{}", updated.stdout);
    let of_the_pin = ["a.nix", "*/start", "*/same"];
    let updated = run(&mut update(&scene, &origin, &of_the_pin)).ok();
    updated.says("a.nix: 2 pins, 1 updated, 0 failed");
    let untouched = before();
    let lines = scene.read("a.nix");
    let lines = lines.lines().zip(untouched.lines()).enumerate();
    let changed: Vec<_> = lines
        .filter(|(_, (new, old))| new != old)
        .map(|(index, _)| index + 1)
        .collect();
    assert_eq!(changed, [16, 17, 19]);

    // One that means nothing is a slip of the pen.
    let slip = ["a.nix", "*/start", "https://g.example.org/"];
    let before = scene.read("a.nix");
    let refused = run(&mut update(&scene, &origin, &slip)).ends_with(1);
    refused.says("no pin in 'a.nix' has a URL like 'https://g.example.org/'");
    assert_eq!(scene.read("a.nix"), before);
    let asked = origin.asked().len();
    // A first argument that looks like a glob is one.
    let refused = run(&mut update(&scene, &origin, &["*/start"])).ends_with(3);
    refused.says("proxy_content.nix'");
    run(&mut update(&scene, &origin, &["https://[a"])).ends_with(2);
    assert_eq!(origin.asked().len(), asked);
}

#[test]
fn the_file_keeps_its_mode_and_a_link_stays_one() {
    let scene = Scene::new();
    let origin = origin();
    scene.write("elsewhere/real.nix", &before());
    let real = scene.path("elsewhere/real.nix");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("elsewhere/real.nix", scene.path("proxy_content.nix")).unwrap();
    run(&mut update(&scene, &origin, &["proxy_content.nix"])).ends_with(1);
    assert_eq!(scene.read("elsewhere/real.nix"), after());
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(scene.path("proxy_content.nix").is_symlink());
    let names = fs::read_dir(scene.path("elsewhere")).unwrap();
    assert_eq!(names.count(), 1, "nothing is left beside it");
}

/// An update during which a person does this to the file.
fn edited_meanwhile(scene: &Scene, edit: fn(String) -> String) -> Ran {
    let path: PathBuf = scene.path("proxy_content.nix");
    let inventory = "{ fetchurl }: [
  { url = \"https://a.example.org/one\"; file = fetchurl { url = \"https://a.example.org/one\"; hash = \"\"; }; }
  { url = \"https://a.example.org/two\"; file = fetchurl { url = \"https://a.example.org/two\"; hash = \"\"; }; }
]
";
    scene.write("proxy_content.nix", inventory);
    let origin = Origin::start(move |asked| {
        if asked.url.ends_with("/two") {
            let there = fs::read_to_string(&path).unwrap();
            fs::write(&path, edit(there)).unwrap();
        }
        text("hello")
    });
    run(&mut update(scene, &origin, &[]))
}

#[test]
fn what_a_person_edits_meanwhile_stays() {
    let scene = Scene::new();
    // Lines before and after, and another entry.
    let updated = edited_meanwhile(&scene, |text| {
        let new = "  { url = \"https://a.example.org/new\"; }\n]\n# the end\n";
        format!("# the start\n\n{}", text.replace("]\n", new))
    });
    assert_eq!(updated.ok().stdout.lines().count(), 2);
    let inventory = scene.read("proxy_content.nix");
    assert!(inventory.starts_with("# the start\n\n{ fetchurl }"));
    assert!(inventory.ends_with("new\"; }\n]\n# the end\n"));
    let hello = hash("hello").to_string();
    assert_eq!(inventory.matches(&hello).count(), 2, "{inventory}");

    // The very pin.
    let updated = edited_meanwhile(&scene, |text| {
        text.replace("org/two\"; hash = \"", "org/three\"; hash = \"")
    });
    let updated = updated.ends_with(1);
    let line = "proxy_content.nix:3: the hash of https://a.example.org/two was edited meanwhile, and stays as it is";
    assert_eq!(updated.stdout.lines().count(), 1);
    updated.says(line).says("2 pins, 1 updated, 1 failed");
    let inventory = scene.read("proxy_content.nix");
    assert_eq!(inventory.matches(&hello).count(), 1, "{inventory}");
    assert!(inventory.contains("org/three\"; hash = \"\""));

    // In the middle of a change, it cannot be read.
    let refused = edited_meanwhile(&scene, |_| "{ fetchurl }: [".to_owned());
    let refused = refused.ends_with(3);
    assert_eq!(refused.stdout, "");
    refused
        .says("nothing is written, because the inventory was changed meanwhile: ")
        .says("proxy_content.nix:1: ");
    assert_eq!(scene.read("proxy_content.nix"), "{ fetchurl }: [");
}

/// `update` with a Nix whose store is the scene's.
fn with_nix(scene: &Scene, origin: &Origin, arguments: &[&str]) -> Command {
    own_store(scene, update(scene, origin, arguments))
}

fn own_store(scene: &Scene, mut command: Command) -> Command {
    let state = scene.root().join("nix");
    command
        .env("NIX_STORE_DIR", state.join("store"))
        .env("NIX_STATE_DIR", state.join("var"));
    command
}

#[test]
fn an_empty_hash_of_an_algorithm_is_written_in_a_file_that_nix_evaluates() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    let origin = origin();
    let inventory = "{ fetchurl }:
let
  url = \"https://a.example.org/other\";
in
[
  { inherit url; file = fetchurl { url = \"https://a.example.org/other\"; sha256 = \"\"; postFetch = \"\"; }; }
  { url = \"https://b.example.org/\"; file = fetchurl { url = \"https://a.example.org/other\"; sha256 = \"\"; }; }
]
";
    scene.write("proxy_content.nix", inventory);
    let checked = run(&mut with_nix(&scene, &origin, &["--check"])).ends_with(1);
    checked.says("2 pins, 2 drifted, 0 failed");
    run(&mut with_nix(&scene, &origin, &["https://b.example.org/"])).ok();
    let wanted = format!("sha256 = \"{}\"; }}", hash("other"));
    let wanted = inventory.replace("sha256 = \"\"; }", &wanted);
    assert_eq!(scene.read("proxy_content.nix"), wanted);
}

/// The hash of what a script made of a download cannot be written by who does not run the script.
#[test]
fn a_fetchurl_that_changes_what_it_fetched_is_refused() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    let origin = origin();
    for (attribute, name) in [
        ("postFetch = \"strip $out\";", "postFetch"),
        ("executable = true;", "executable"),
    ] {
        let url = "url = \"https://a.example.org/other\";";
        let pin = format!("{url} hash = \"{}\"; {attribute}", hash("changed"));
        let inventory = format!("{{ fetchurl }}: [ {{ {url} file = fetchurl {{ {pin} }}; }} ]");
        scene.write("proxy_content.nix", &inventory);
        run(&mut with_nix(&scene, &origin, &[]))
            .ends_with(3)
            .says(&format!(
                "the fetchurl of https://a.example.org/other has `{name}`, and gives other bytes"
            ));
        assert_eq!(scene.read("proxy_content.nix"), inventory);
    }
}

#[test]
fn what_is_computed_is_told_and_literals_beside_it_are_written() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    let origin = origin();
    let inventory = "{ fetchurl }:
let
  pin = url: hash: {
    inherit url;
    file = fetchurl { inherit url hash; };
  };
in
[
  (pin \"https://a.example.org/same\" \"\")
  (pin \"https://a.example.org/start\" \"sha256-2SmKENGwc1g33EvYXaxkGw887yekfl1TpU8vP1svz/A=\")
  { url = \"https://a.example.org/other\"; file = fetchurl { url = \"https://a.example.org/other\"; hash = \"\"; }; }
]
";
    scene.write("proxy_content.nix", inventory);
    run(&mut with_nix(&scene, &origin, &["--check"]))
        .ends_with(1)
        .says("3 pins, 3 drifted, 0 failed");
    let (hello, other) = (hash("hello"), hash("other"));
    let updated = run(&mut with_nix(&scene, &origin, &[])).ends_with(1);
    let old = "sha256-2SmKENGwc1g33EvYXaxkGw887yekfl1TpU8vP1svz/A=";
    assert_eq!(
        updated.stdout,
        format!(
            "https://a.example.org/start {old} {other}\nhttps://a.example.org/other - {other}\n"
        )
    );
    updated
        .says(&format!(
            "proxy_content.nix:8: the hash of https://a.example.org/same is computed, and not found in the file; it should be: {hello}"
        ))
        .says("3 pins, 2 updated, 1 failed");
    let wanted = inventory.replace(old, &other.to_string());
    let wanted = wanted.replace("other\"; hash = \"", &format!("other\"; hash = \"{other}"));
    assert_eq!(scene.read("proxy_content.nix"), wanted);

    let alone = run(update(&scene, &origin, &[]).env("PATH", "")).ends_with(3);
    alone.says("hint: install Nix");
}

#[test]
fn what_is_no_inventory_to_update_is_refused() {
    let scene = Scene::new();
    let origin = origin();
    scene.write("m.json", "[{\"url\": \"https://a.example.org/same\"}]");
    let refused = run(&mut update(&scene, &origin, &["m.json"])).ends_with(3);
    refused
        .says("m.json' is a manifest")
        .says("hint: name the proxy_content.nix");
    let wrong = "{ fetchurl }: [ { url = \"https://a.example.org/\"; file = fetchurl { url = \"https://a.example.org/\"; }; } ]";
    scene.write("proxy_content.nix", wrong);
    let refused = run(&mut update(&scene, &origin, &[])).ends_with(3);
    refused
        .says("proxy_content.nix:1: `fetchurl` has no `hash`")
        .says("hint: write `hash = \"\";`");
    run(&mut update(&scene, &origin, &["none.nix"])).ends_with(3);
    assert!(origin.asked().is_empty());
}

#[test]
fn what_was_fetched_is_in_the_store() {
    need("nix-store", "nix-bin");
    let scene = Scene::new();
    let origin = origin();
    let store = scene.root().join("nix/store");
    let stored = |options: &[&str]| {
        scene.write("proxy_content.nix", &before());
        let mut update = scene.buildproxy(&["update"]);
        update.args(origin.connect_to()).args(options);
        update.env("SSL_CERT_FILE", origin.ca());
        update
            .env("NIX_STORE_DIR", &store)
            .env("NIX_STATE_DIR", scene.root().join("nix/var"));
        let said = run(&mut update).ends_with(1);
        assert!(!said.stderr.contains("Nix store"), "{}", said.stderr);
        let Ok(there) = fs::read_dir(&store) else {
            return Vec::new();
        };
        let names = there.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names
            .filter_map(|name| Some(name.get(33..)?.to_owned()))
            .filter(|name| ["other", "start"].contains(&name.as_str()))
            .collect();
        names.sort();
        names
    };
    assert_eq!(stored(&["--no-prefill"]), [""; 0]);
    assert_eq!(stored(&[]), ["other", "start"]);
}

/// What other tools write in vain: `«` and `»` are around what goes.
#[test]
fn repeats_and_lengths_of_what_was_fetched_are_deleted() {
    let scene = Scene::new();
    let origin = origin();
    let text = "\
{ fetchurl }: [
  { url = \"https://a.example.org/other\"; file = fetchurl { url = \"https://a.example.org/other\"; hash = \"OLD\"; };« headers.content-length = \"3\";» }
«  { url = \"https://a.example.org/other\"; file = fetchurl { url = \"https://a.example.org/other\"; hash = \"OLD\"; }; }
»  # Never given.
  { url = \"https://a.example.org/other\"; file = fetchurl { url = \"https://a.example.org/none\"; hash = \"OLD\"; }; headers.content-length = \"1\"; }
  { url = \"https://a.example.org/same\"; file = fetchurl { url = \"https://a.example.org/same\"; hash = \"SAME\"; }; headers = {« content-length = \"3\";» }; }
  { url = \"https://a.example.org/start\"; file = fetchurl { url = \"https://a.example.org/start\"; hash = \"NEW\"; }; headers = { content-length = \"5\"; }; }
  { url = \"https://a.example.org/none\"; file = fetchurl { url = \"https://a.example.org/none\"; hash = \"OLD\"; }; headers = { content-length = \"1\"; }; }
  { url = \"https://a.example.org/none\"; file = fetchurl { url = \"https://a.example.org/none\"; hash = \"OLD\"; }; headers = { content-length = \"1\"; }; }
]
";
    let (old, same, new) = (hash("old"), hash("hello"), hash("other"));
    let text = text
        .replace("SAME", &same.to_string())
        .replace("NEW", &new.to_string());
    let before = text
        .replace(['«', '»'], "")
        .replace("OLD", &old.to_string());
    let pieces = text.split('«');
    let kept = pieces.map(|piece| piece.split_once('»').map_or(piece, |(_, kept)| kept));
    let after = kept.collect::<String>();
    let after = after.replacen("OLD", &new.to_string(), 1);
    let after = after.replace("OLD", &old.to_string());

    scene.write("proxy_content.nix", &before);
    run(&mut update(&scene, &origin, &["--check"])).ends_with(1);
    run(&mut update(&scene, &origin, &["*/start"])).ok();
    assert_eq!(scene.read("proxy_content.nix"), before);
    let updated = run(&mut update(&scene, &origin, &[])).ends_with(1);
    assert_eq!(scene.read("proxy_content.nix"), after);
    updated
        .says("proxy_content.nix: deleted 1 exact repeat and 2 wrong lengths\n")
        .says("4 pins, 1 updated, 1 failed");
}

/// Those with which fetchurl would do more than to ask for a URL; the others go on.
#[test]
fn what_only_nix_can_fetch_is_named_and_left() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    let origin = origin();
    let pin = |url: &str, more: &str| {
        let of = format!("https://{url}.example.org/");
        format!(
            "{{ url = \"{of}\"; file = fetchurl {{ url = \"https://a.example.org/other\"; hash = \"\"; {more} }}; }}\n"
        )
    };
    let pins = [
        pin(
            "a",
            "curlOpts = \"\"; curlOptsList = [ ]; netrcPhase = null;",
        ),
        pin("b", "curlOpts = \"--header x:y\";"),
        pin("c", "curlOptsList = [ \"--user\" \"a:b\" ];"),
        pin("d", "netrcPhase = \"echo >netrc\";"),
    ];
    for head in ["", "let lib = null; in "] {
        let inventory = format!("{{ fetchurl }}: {head}[\n{}]\n", pins.concat());
        scene.write("proxy_content.nix", &inventory);
        let checked = run(&mut own_store(&scene, scene.buildproxy(&["check"]))).ends_with(3);
        let updated = run(&mut with_nix(&scene, &origin, &[])).ends_with(1);
        for (line, attribute) in [(3, "curlOpts"), (4, "curlOptsList"), (5, "netrcPhase")] {
            let warned = format!(
                "proxy_content.nix:{line}: warning: the pin of https://a.example.org/other has `{attribute}`, "
            );
            assert!(checked.stdout.contains(&warned), "{}", checked.stdout);
            let told = format!(
                "proxy_content.nix:{line}: error: the pin of https://a.example.org/other cannot be fetched: \
                 it has `{attribute}`, "
            );
            assert!(updated.stderr.contains(&told), "{}", updated.stderr);
        }
        let updated = updated.says("4 pins, 1 updated, 3 failed");
        assert_eq!(updated.stdout.lines().count(), 1, "{}", updated.stdout);
        let (first, rest) = inventory.split_once("hash = \"\"").unwrap();
        let wanted = format!("{first}hash = \"{}\"{rest}", hash("other"));
        assert_eq!(scene.read("proxy_content.nix"), wanted);
    }
}

/// In their order, until one gives something, as fetchurl does; be the file literals or evaluated.
#[test]
fn all_urls_of_a_pin_are_tried() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    let origin = origin();
    for head in ["", "let lib = null; in "] {
        let pin = |urls: &str, hash: &str| {
            format!(
                "{{ fetchurl }}: {head}[\n{{ url = \"https://a.example.org/pinned\";\nfile = fetchurl {{ \
                 urls = [ {urls} ]; hash = \"{hash}\"; }}; }} ]\n"
            )
        };
        let gone = "\"https://a.example.org/gone\"";
        let urls = format!(
            "{gone} \"mirror://gnu/a\" \"https://a.example.org/other\" \"https://a.example.org/same\""
        );
        scene.write("proxy_content.nix", &pin(&urls, ""));
        run(&mut with_nix(&scene, &origin, &[])).ok();
        let wanted = pin(&urls, &hash("other").to_string());
        assert_eq!(scene.read("proxy_content.nix"), wanted);
        // By a glob of any of them.
        run(&mut with_nix(&scene, &origin, &["*/same"])).ok();

        let fetched = |verb: &[&str]| {
            let mut fetched = own_store(&scene, scene.buildproxy(verb));
            fetched.env("SSL_CERT_FILE", origin.ca());
            run(&mut fetched)
        };
        let [first, to, second, too] = origin.connect_to();
        let connect = [first.as_str(), &to, &second, &too];
        fetched(&[&["check", "--fetch"][..], &connect].concat()).ok();
        let cache = scene.root().join("cache");
        let _ = fs::remove_dir_all(&cache);
        let replay = ["replay", "proxy_content.nix", "--fetch", "--body-cache"];
        let replay = [&replay[..], &[cache.to_str().unwrap()], &connect];
        let command = ["--", "curl", "-sSf", "https://a.example.org/pinned"];
        let said = fetched(&[&replay.concat()[..], &command].concat()).ok();
        assert_eq!(said.stdout, "other");

        let none = format!("{gone} \"https://a.example.org/none\"");
        scene.write("proxy_content.nix", &pin(&none, ""));
        let said = fetched(&[&["check", "--fetch"][..], &connect].concat()).ends_with(3);
        let told = "the pin of https://a.example.org/gone cannot be fetched: \
             https://a.example.org/gone: status 404 Not Found; https://a.example.org/none: status 404 Not Found";
        assert!(said.stdout.contains(told), "{}", said.stdout);
    }
}
