//! What a replay answers.

use std::fs;

use buildproxy::inventory::Sri;

use crate::support::{Origin, Scene, need, run, text};

const MANIFEST: &str = r#"[
  {"url": "https://a.example.org/releases/a-1.0.tar.gz", "file": "FILE", "headers": {"content-type": "application/gzip", "etag": "\"1\""}},
  {"url": "https://a.example.org/releases/a-1.1.tar.gz", "file": "FILE"},
  {"url": "https://a.example.org/list", "headers": {"link": ["<a>", "<b>"]}, "file": "FILE"},
  {"url": "https://a.example.org/only-posted", "method": "POST", "file": "FILE"}
]"#;

fn scene() -> Scene {
    let scene = Scene::new();
    scene.write("body", "0123456789");
    let manifest = MANIFEST.replace("FILE", scene.path("body").to_str().unwrap());
    scene.write("m.json", &manifest);
    scene
}

#[test]
fn a_miss_is_403_at_once_and_names_the_nearest() {
    let scene = scene();
    let script = "curl -sS -i --retry 5 https://a.example.org/releases/a-2.0.tar.gz";
    let replayed = run(scene
        .buildproxy(&["replay", "m.json", "--", "sh", "-ec", script])
        .arg("x"))
    .ok();
    let answer = &replayed.stdout;
    assert!(answer.contains("HTTP/2 403"), "{answer}");
    assert!(answer.contains("x-buildproxy: miss"), "{answer}");
    for said in [answer, &replayed.stderr] {
        assert!(
            said.contains(
                "miss: GET https://a.example.org/releases/a-2.0.tar.gz is not in the inventory"
            ),
            "{said}"
        );
        let nearest = said.lines().find(|line| line.contains("nearest:")).unwrap();
        assert!(
            nearest.contains("https://a.example.org/releases/a-1.0.tar.gz"),
            "{said}"
        );
    }
    replayed
        .says("buildproxy: no request was answered; these were not")
        .says("  GET https://a.example.org/releases/a-2.0.tar.gz\n")
        .says("hint: to add all that is missing, run the build under `buildproxy capture -o ");
}

#[test]
fn a_miss_by_method_says_which_there_is() {
    let scene = scene();
    let mut replay = scene.buildproxy(&["replay", "m.json", "--"]);
    let missed = run(replay.args(["curl", "-sS", "https://a.example.org/only-posted"])).ok();
    assert!(
        missed
            .stdout
            .contains("there: POST https://a.example.org/only-posted"),
        "{missed:?}"
    );
}

#[test]
fn what_the_summary_says_captures_what_was_missed() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/a", "a"), ("/it's", "it's"), ("/b", "b")]);
    let into = ["-o", "kept.nix"];
    let fetch = |path: &str| format!("curl -sS https://a.example.org{path}");
    let script = fetch("/a");
    let mut capture = scene.capture(&origin, &into);
    run(capture.args(["--", "sh", "-ec", &script])).ok();

    let script = [fetch("/a"), fetch("/b"), fetch(r"/it\'s"), fetch("/b")].join("\n");
    let replay = || {
        let mut replay = scene.buildproxy(&["replay", "kept.nix", "--strict", "--"]);
        run(replay.args(["sh", "-ec", &script]))
    };
    let missed = replay().ends_with(4);
    let missed = missed
        .says("buildproxy: 1 request was answered; these were not")
        .says("  GET https://a.example.org/b (2 times)\n")
        .says("  GET https://a.example.org/it's\n")
        .says("run the build under `buildproxy capture -o kept.nix`\n");
    let commands = missed.stderr.lines().map(str::trim_start);
    let commands: Vec<_> = commands
        .filter(|line| line.starts_with("buildproxy add kept.nix "))
        .collect();
    let script = format!(
        "buildproxy() {{ {} \"$@\" --no-prefill {}; }}\n{}",
        env!("CARGO_BIN_EXE_buildproxy"),
        origin.connect_to().join(" "),
        commands.join("\n")
    );
    let mut shell = scene.command("sh");
    shell
        .args(["-ec", &script])
        .env("SSL_CERT_FILE", origin.ca());
    run(&mut shell).ok();
    replay().ok().says("buildproxy: 4 requests were answered\n");
}

#[test]
fn of_thousands_of_misses_the_first_have_the_command_that_adds_them() {
    let scene = scene();
    let script = "curl -sS -o /dev/null 'https://a.example.org/none/[1000-2999]?token=s3cr3t'";
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "sh", "-ec", script]);
    let missed = run(&mut replay).ok();
    assert!(!missed.stderr.contains("s3cr3t"));
    let (log, summary) = missed.stderr.split_once("no request was answered").unwrap();
    assert!(log.contains("miss: GET https://a.example.org/none/2999 is not"));
    let lines: Vec<_> = summary.lines().collect();
    assert_eq!(lines[1], "  GET https://a.example.org/none/1000");
    let command = "    buildproxy add proxy_content.nix https://a.example.org/none/1019";
    assert_eq!(lines[40], command);
    assert_eq!(lines[41], "  GET https://a.example.org/none/1020");
    assert_eq!(lines[42], "  GET https://a.example.org/none/1021");
    assert!(lines[2021].starts_with("hint: "), "{summary}");
    assert_eq!(lines.len(), 2022);
}

#[test]
fn who_asks_the_proxy_itself_is_told_what_was_answered() {
    let scene = scene();
    let script = "
        curl -sSf https://a.example.org/list
        curl -sS -o miss https://a.example.org/none
        curl -sSf -D head $http_proxy
        tr -d '\\r' <head | grep '^x-buildproxy-misses: 1$'
        curl -sS $http_proxy/other";
    let asked = run(scene
        .buildproxy(&["replay", "m.json", "--", "sh", "-ec", script])
        .arg("x"))
    .ok();
    for said in [
        "0123456789buildproxy: 1 request was answered; these were not, as the inventory does not have \
         them:\n  GET https://a.example.org/none\n    buildproxy add proxy_content.nix \
         https://a.example.org/none\n",
        "this is a proxy, not a web server: the request target '/other' is not an absolute URL",
    ] {
        assert!(asked.stdout.contains(said), "{}", asked.stdout);
    }
}

#[test]
fn strict_makes_a_miss_the_exit_status() {
    let scene = scene();
    let script = "curl -sS https://a.example.org/none; exit 0";
    let replay = |option: &[&str]| {
        let mut replay = scene.buildproxy(&["replay", "m.json"]);
        run(replay.args(option).args(["--", "sh", "-c", script]))
    };
    replay(&[]).ok();
    replay(&["--strict"]).ends_with(4);
}

#[test]
fn parts_and_conditions_are_answered_from_the_whole() {
    let scene = scene();
    let url = "https://a.example.org/releases/a-1.0.tar.gz";
    let script = format!(
        "curl -sSf -r 2-4 {url}; echo
         curl -sSf -r -3 -w ' %{{http_code}}\\n' {url}
         curl -sS -r 10- -o body.416 -w '%{{http_code}}\\n' {url}
         curl -sS -H 'If-None-Match: \"1\"' -w '%{{http_code}}\\n' {url}
         printf 01234 >part; curl -sSf -C - -o part {url}; cat part"
    );
    let replayed = run(scene
        .buildproxy(&["replay", "m.json", "--", "sh", "-ec", &script])
        .arg("x"))
    .ok();
    assert_eq!(replayed.stdout, "234\n789 206\n416\n304\n0123456789");
}

#[test]
fn headers_come_as_they_were() {
    let scene = scene();
    let mut replay =
        scene.buildproxy(&["replay", "m.json", "--", "curl", "-sS", "--http1.1", "-i"]);
    let head = run(replay.args(["https://a.example.org/list", "-o", "-"]))
        .ok()
        .stdout;
    assert!(head.contains("link: <a>\r\nlink: <b>\r\n"), "{head}");
    assert!(head.contains("content-length: 10\r\n"), "{head}");
}

#[test]
fn a_body_that_went_missing_is_an_error_that_names_it() {
    let scene = scene();
    fs::remove_file(scene.path("body")).unwrap();
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "curl", "-sS"]);
    let replayed = run(replay.args(["-w", "%{http_code}", "https://a.example.org/list"])).ok();
    assert!(replayed.stdout.ends_with("500"), "{replayed:?}");
    replayed
        .says("failed to read the body of https://a.example.org/list")
        .says("buildproxy: no request was answered, and 1 could not be, as the log above says\n");
}

/// A build that goes on after such an error has not got what it asked for.
#[test]
fn what_the_inventory_has_and_cannot_give_is_not_strict() {
    let scene = scene();
    fs::remove_file(scene.path("body")).unwrap();
    fs::create_dir(scene.path("body")).unwrap();
    let script = "
        curl -sS -o error https://a.example.org/list
        curl -sS -o miss https://a.example.org/none
        curl -sS -D- -o /dev/null $http_proxy | tr -d '\\r' | grep '^x-buildproxy-misses: 2$'";
    let mut replay = scene.buildproxy(&["replay", "m.json", "--strict", "--", "sh", "-ec", script]);
    run(&mut replay).ends_with(4).says(
        "no request was answered, and 1 could not be, as the log above says; these were not, as",
    );
}

/// A manifest of more than a MiB, `last` being its last entry.
fn large_manifest(scene: &Scene, last: &str) {
    let file = scene.path("body");
    let entry = |number: u32| {
        let url = format!("https://a.example.org/releases/{number}/a-1.0.tar.gz");
        format!(
            r#"{{"file":"{}","headers":{{"content-type":"application/gzip"}},"url":"{url}"}},"#,
            file.display()
        )
    };
    let entries: String = (0..10_000).map(entry).collect();
    scene.write("m.json", &format!("[{entries}\n{last}]"));
}

#[test]
fn entries_of_a_large_manifest_are_read_when_they_are_asked_for() {
    let scene = scene();
    let last = r#"{"status_code":"two hundred","url":"https://a.example.org/wrong"}"#;
    large_manifest(&scene, last);
    let script = r#"
        curl -sSf https://a.example.org/releases/9999/a-1.0.tar.gz; echo
        curl -sS https://a.example.org/wrong -w '%{http_code}\n'
        curl -sS "https://a.example.org/releases/7/a-1.0.tar.gz?token=secret"; echo
        curl -sS https://a.example.org/releases/7/b-1.0.tar.gz"#;
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "sh", "-ec", script]);
    let replayed = run(&mut replay).ok();
    let lines: Vec<&str> = replayed.stdout.lines().collect();
    assert_eq!(lines[0], "0123456789");
    let wrong = "buildproxy: line 2: entry 10000 for `https://a.example.org/wrong`: ";
    assert!(lines[1].starts_with(wrong), "{}", lines[1]);
    assert_eq!(lines[2..4], ["500", "0123456789"]);
    let nearest = "  nearest: https://a.example.org/releases/7/a-1.0.tar.gz";
    assert!(lines.contains(&nearest), "{lines:?}");
    replayed.says(wrong);
}

#[test]
fn a_large_manifest_with_an_unknown_attribute_is_refused_at_once() {
    let scene = scene();
    large_manifest(
        &scene,
        r#"{"colour":"red","url":"https://a.example.org/wrong"}"#,
    );
    let refused = run(&mut scene.buildproxy(&["replay", "m.json", "--", "true"])).ends_with(3);
    refused.says("line 2: entry 10000 for `https://a.example.org/wrong`: unknown field `colour`");
}

#[test]
fn pins_that_are_not_in_the_body_cache_are_named() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/a", "a"), ("/b", "b")]);
    scene
        .capture_script(
            &origin,
            "curl -sSf https://a.example.org/a https://a.example.org/b",
        )
        .ok();
    let mut replay = scene.buildproxy(&[
        "replay",
        "proxy_content.nix",
        "--body-cache",
        "elsewhere",
        "--",
        "touch",
        "ran",
    ]);
    let replayed = run(&mut replay).ends_with(1);
    let replayed = replayed.says("the body of https://a.example.org/a (sha256-");
    replayed.says("the body of https://a.example.org/b (sha256-");
    assert!(!scene.path("ran").exists());
}

#[test]
fn pins_that_are_not_in_the_body_cache_are_fetched_where_that_is_asked_for() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/a", "hello"), ("/b", "hello")]);
    // `printf hello | sha512sum`.
    let inventory = r#"{ fetchurl }:
[
  {
    url = "https://a.example.org/a";
    file = fetchurl {
      url = "https://a.example.org/a";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
  }
  {
    url = "https://a.example.org/b";
    file = fetchurl {
      url = "https://a.example.org/b";
      sha512 = "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043";
    };
  }
]
"#;
    scene.write("proxy_content.nix", inventory);
    let script = "curl -sSf https://a.example.org/a https://a.example.org/b";
    let without = scene.replay_script(script).ends_with(1);
    without.says("hint: `--fetch` downloads what is not in the body cache");
    let mut replay = scene.buildproxy(&["replay", "proxy_content.nix", "--fetch"]);
    replay
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca());
    let replayed = run(replay.args(["--", "sh", "-ec", script])).ok();
    assert_eq!(replayed.stdout, "hellohello");
    assert_eq!(origin.asked().len(), 2);
    drop(origin);
    // They are kept, and nothing is asked for again.
    assert_eq!(scene.replay_script(script).ok().stdout, "hellohello");

    let other = Origin::with_texts(&[("/a", "other")]);
    let mut replay = scene.buildproxy(&["replay", "proxy_content.nix", "--fetch"]);
    replay
        .args(["--body-cache", "elsewhere"])
        .args(other.connect_to());
    replay.env("SSL_CERT_FILE", other.ca());
    let refused = run(replay.args(["--", "touch", "ran"])).ends_with(1);
    refused
        .says(
            "https://a.example.org/a gives other bytes now: \
             expected sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=, \
             got sha256-2SmKENGwc1g33EvYXaxkGw887yekfl1TpU8vP1svz/o=",
        )
        .says("https://a.example.org/b cannot be fetched: status 404 Not Found");
    assert!(!scene.path("ran").exists());
    let kept = fs::read_dir(scene.path("elsewhere/sha256")).unwrap();
    let kept: Vec<_> = kept.map(|file| file.unwrap().file_name()).collect();
    let hash = Sri::sha256_of(b"other").to_hex();
    assert_eq!(
        kept,
        [hash.as_str()],
        "other bytes are only under their own hash"
    );
}

#[test]
fn a_daemon_fetches_before_it_goes_into_the_background() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/a", "hello")]);
    let script = "curl -sSf https://a.example.org/a";
    scene.capture_script(&origin, script).ok();
    fs::remove_dir_all(scene.root().join("home/.cache")).unwrap();
    let [first, second, third, fourth] = origin.connect_to();
    // The certificate is not for the daemon's clients, and so in a place of its own.
    let ca = origin.ca();
    let exports = format!(
        "exports=$(SSL_CERT_FILE={} {} replay proxy_content.nix --fetch {first} {second} {third} {fourth} \
         --daemon --watch-pid $$ 2>log); eval \"$exports\"; {script}",
        ca.display(),
        env!("CARGO_BIN_EXE_buildproxy"),
    );
    let replayed = run(scene.command("sh").args(["-ec", &exports])).ok();
    assert_eq!(replayed.stdout, "hello");
}

#[test]
fn a_pin_in_another_spelling_is_read() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/hello", "hello\n")]);
    let script = "curl -sSf https://a.example.org/hello";
    scene.capture_script(&origin, script).ok();
    let written = scene.read("proxy_content.nix");
    let sri = "hash = \"sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=\"";
    assert!(written.contains(sri));
    for spelling in [
        "sha256 = \"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\"",
        "hash = \"sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\"",
    ] {
        scene.write("proxy_content.nix", &written.replace(sri, spelling));
        let replayed = scene.replay_script(script);
        assert_eq!(replayed.ok().stdout, "hello\n", "{spelling}");
    }
}

/// As a person writes it who has more than one file of a release.
const BY_HAND: &str = r#"{ fetchurl }:
let
  base = "https://a.example.org";
  pin = path: hash: {
    url = base + path;
    file = fetchurl {
      url = base + path;
      inherit hash;
    };
  };
in
[
  (pin "/hello" "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=")
  {
    url = "${base}/file";
    file = ./file;
    headers.etag = "1";
  }
]
"#;

#[test]
fn a_file_with_more_than_literals_is_evaluated_with_nix() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/hello", "hello\n"), ("/new", "new\n")]);
    let hello = "curl -sSf https://a.example.org/hello";
    scene.capture_script(&origin, hello).ok();
    scene.write("proxy_content.nix", BY_HAND);
    scene.write("file", "file\n");
    // Nix has a store of its own, which nobody else uses.
    let with_nix = |arguments: &[&str]| {
        let mut buildproxy = scene.buildproxy(arguments);
        let state = scene.root().join("nix");
        buildproxy
            .env("NIX_STORE_DIR", state.join("store"))
            .env("NIX_STATE_DIR", state.join("var"));
        buildproxy
    };
    let script = format!("{hello} https://a.example.org/file");
    let mut replay = with_nix(&["replay", "proxy_content.nix", "--", "sh", "-ec", &script]);
    assert_eq!(run(&mut replay).ok().stdout, "hello\nfile\n");

    // What it has already is known.
    let mut again = with_nix(&["capture", "--no-prefill", "--vendor", "*/file"]);
    again
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca());
    let said = run(again.args(["--", "sh", "-ec", hello])).ok();
    assert!(
        said.stderr.contains("(0 new, ") && !said.stderr.contains("changed"),
        "{said:?}"
    );

    // And a capture adds to its list.
    let mut capture = with_nix(&["capture"]);
    capture
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca());
    let script = format!("{hello} https://a.example.org/new");
    run(capture.args(["--", "sh", "-ec", &script]))
        .ok()
        .says("(1 new, ");
    let merged = scene.read("proxy_content.nix");
    assert!(
        merged.starts_with(BY_HAND.strip_suffix("]\n").unwrap()),
        "{merged}"
    );
    assert!(merged.contains("https://a.example.org/new"), "{merged}");

    let mut alone = scene.buildproxy(&["replay", "proxy_content.nix", "--", "touch", "ran"]);
    let refused = run(alone.env("PATH", "")).ends_with(3);
    refused
        .says("proxy_content.nix:2: ")
        .says("hint: install Nix");
    assert!(!scene.path("ran").exists());
}

/// A build may talk to servers of its own, captured or replayed.
#[test]
fn servers_of_the_build_itself_are_reached() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    scene.write("served/file", "mine\n");
    let script = "
        rm -f log
        python3 -m http.server -d served --bind 127.0.0.1 0 >log 2>&1 &
        until port=$(grep -o 'port [0-9]*' log); do kill -0 $!; sleep 0.1; done
        curl -sSf http://127.0.0.1:${port#port }/file http://localhost:${port#port }/file
        kill $!";
    for verb in [&["capture"][..], &["replay", "m.json"]] {
        let mut buildproxy = scene.buildproxy(verb);
        let script = script.replace("python3", "PYTHONUNBUFFERED=1 python3");
        let said = run(buildproxy.args(["--", "sh", "-ec", &script]))
            .ok()
            .stdout;
        assert_eq!(said, "mine\nmine\n", "{verb:?}");
    }
}

#[test]
fn a_pin_without_a_hash_is_a_wrong_inventory() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/hello", "hello\n")]);
    scene
        .capture_script(&origin, "curl -sSf https://a.example.org/hello")
        .ok();
    let emptied = scene.read("proxy_content.nix");
    let (before, after) = emptied.split_once("sha256-").unwrap();
    let (_, after) = after.split_once('"').unwrap();
    scene.write("proxy_content.nix", &format!("{before}\"{after}"));
    let refused = scene.replay_script("touch ran").ends_with(3);
    refused
        .says("the pin of https://a.example.org/hello has no hash yet")
        .says("hint: `buildproxy update` writes hashes that are missing");
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_hundred_downloads_at_once_need_no_limit_raised() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/hello", "hello\n")]);
    let script = "curl -sSf --parallel --parallel-immediate --parallel-max 100 \
                  'https://a.example.org/hello?[1-100]'";
    let capture = scene.capture(&origin, &["--", "sh", "-ec", script]);
    let mut limited = scene.command("sh");
    limited.args(["-ec", "ulimit -S -n 256; exec \"$@\"", "sh"]);
    limited.arg(capture.get_program()).args(capture.get_args());
    limited.env("SSL_CERT_FILE", origin.ca());
    assert_eq!(run(&mut limited).ok().stdout, "hello\n".repeat(100));
}

/// nix-buildproxy writes the headers of a connection that is long gone, and lengths that a person makes wrong.
#[test]
fn what_another_tool_wrote_of_its_connections_is_not_said_again() {
    let scene = Scene::new();
    let origin = Origin::start(|_| text("hello"));
    scene
        .capture_script(&origin, "curl -sSf https://a.example.org/")
        .ok();
    scene.write("hello", "hello");
    let hello = scene.path("hello").to_str().unwrap().to_owned();
    let headers = r#""content-length": "99", "Connection": "keep-alive", "keep-alive": "timeout=5", "transfer-encoding": "gzip""#;
    let (url, gone) = ("https://example.org/dist/a-1.0.tar.gz", "/nowhere/a");
    // The first one counts.
    let manifest = format!(
        r#"[{{"url": "{url}", "file": "{hello}", "headers": {{{headers}}}}}, {{"url": "{url}", "file": "{gone}"}}]"#
    );
    let golden = |name: &str| {
        let path = format!("{}/tests/golden/check/{name}", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(path).unwrap()
    };
    for (name, inventory) in [
        ("a.nix", golden("after-two-runs.nix")),
        ("b.nix", golden("wrong-length.nix")),
        ("c.json", manifest),
    ] {
        scene.write(name, &inventory);
        let mut replay = scene.buildproxy(&["replay", name, "--strict", "--", "curl", "-sSfi"]);
        let replayed = run(replay.args(["--http1.1", url])).ok().stdout;
        let lower = replayed.to_lowercase();
        assert!(
            lower.contains("content-length: 5\r\n"),
            "{name}: {replayed}"
        );
        for header in ["keep-alive", "transfer-encoding"] {
            assert!(!lower.contains(header), "{name}: {replayed}");
        }
        assert!(replayed.ends_with("\r\n\r\nhello"), "{name}: {replayed}");
    }
}

/// It is sent by the kernel, in parts, and arrives as it would by way of memory: whole or from a byte on, alone or after
/// another on the same connection, and in a tunnel, inside TLS and by HTTP/2.
#[test]
fn a_large_file_is_not_copied_on_its_way_over_plain_http() {
    need("strace", "strace");
    let scene = Scene::new();
    let body: Vec<u8> = (0..=250).cycle().take(5_000_000).collect();
    fs::write(scene.path("large"), &body).unwrap();
    let file = scene.path("large");
    let entry = |scheme| {
        let file = file.display();
        format!(r#"{{"url":"{scheme}://a.example.org/large","file":"{file}"}}"#)
    };
    scene.write("m.json", &format!("[{},{}]", entry("http"), entry("https")));
    let ask = |options: &str| {
        let trace = scene.path("trace");
        let mut strace = scene.command("strace");
        strace.args(["-f", "-qq", "-e", "trace=sendfile", "-o"]);
        strace.arg(&trace).arg(env!("CARGO_BIN_EXE_buildproxy"));
        let script = format!("curl -sSf {options}");
        run(strace.args(["replay", "m.json", "--", "sh", "-ec", &script])).ok();
        scene.read("trace").contains("sendfile(")
    };
    let url = "http://a.example.org/large";
    let two = format!("{url} -o got {url} -o again");
    for (options, by_kernel) in [
        (&*two, true),
        (&format!("-p {url} -o got"), true),
        (&format!("-p --http2-prior-knowledge {url} -o got"), false),
        ("https://a.example.org/large -o got", false),
    ] {
        assert_eq!(ask(options), by_kernel, "{options}");
        assert!(fs::read(scene.path("got")).unwrap() == body, "{options}");
    }
    assert!(fs::read(scene.path("again")).unwrap() == body);
    ask(&format!("-r 1- {url} -o got"));
    assert!(fs::read(scene.path("got")).unwrap() == body[1..]);
    ask(&format!("-r 4097-3000000 {url} -o got"));
    assert!(fs::read(scene.path("got")).unwrap() == body[4097..=3_000_000]);
}
