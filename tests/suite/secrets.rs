//! What is a secret goes upstream, and nowhere else.

use std::{fs, os::unix::ffi::OsStrExt, path::Path};

use crate::support::{Asked, Origin, Scene, answer, need, run, text};

/// The secrets that are planted all begin so.
const MARK: &str = "hush7e9";

/// A host and port where nobody listens.
const DEAD: &str = "dead.example.org:1:127.0.0.1:1";

/// Where a client, or upstream, puts them.
const SCRIPT: &str = r#"
    get() { curl -sS -o /dev/null "$@"; }
    get -H 'Authorization: Bearer hush7e9-bearer' https://a.example.org/bearer
    get -u me:hush7e9-basic https://a.example.org/basic
    get https://me:hush7e9-userinfo@a.example.org/userinfo
    get http://me:hush7e9-plain-userinfo@a.example.org/userinfo
    get -b session=hush7e9-cookie https://a.example.org/cookie
    get --proxy-header 'Proxy-Authorization: Basic hush7e9-proxy' -H 'Proxy-Authorization: Basic hush7e9-hop' http://a.example.org/proxy
    get -H 'Private-Token: hush7e9-header' https://a.example.org/redirect/away
    for parameter in X-Amz-Signature X-Amz-Credential X-Amz-Security-Token X-Goog-Signature sig Signature \
        token access_token api_key apikey password secret auth jwt private_token; do
      get "https://a.example.org/query/$parameter?v=1&$parameter=hush7e9-query-$parameter"
    done
    get 'https://a.example.org/?token=hush7e9-root'
    get 'https://a.example.org/post?token=hush7e9-post' -d 'password=hush7e9-form'
    get -I 'https://a.example.org/head?token=hush7e9-head'
    get https://a.example.org/redirect/query https://a.example.org/redirect/userinfo
    get https://a.example.org/redirect/bad https://a.example.org/redirect/worse || true
    get "https://a.example.org/redirect/dead"
    get "http://dead.example.org:1/refused?token=hush7e9-refused"
    get "http://me:hush7e9-dead-userinfo@dead.example.org:1/refused"
    get "https://a.example.org/broken?token=hush7e9-broken" || true
    get https://a.example.org/headers
    get -H 'Upgrade: websocket' -H 'Connection: upgrade' --http1.1 'https://a.example.org/ws?token=hush7e9-socket'
    curl -sS --request-target '/?token=hush7e9-target' "$http_proxy/"
    find "$TMPDIR" >tree; cat $(find "$TMPDIR" -type f) >>tree
"#;

fn origin() -> Origin {
    Origin::start(|asked| {
        let uri = http::Uri::try_from(&asked.url).unwrap();
        match uri.path() {
            "/redirect/away" => redirect("https://b.example.org/away"),
            "/redirect/query" => redirect("https://b.example.org/x?v=2&token=hush7e9-to-query"),
            "/redirect/userinfo" => redirect("https://me:hush7e9-to-userinfo@b.example.org/x"),
            "/redirect/bad" => {
                redirect("ftp://me:hush7e9-to-ftp@b.example.org/?token=hush7e9-to-ftp")
            }
            "/redirect/worse" => redirect("https://me:hush7e9/x@b:99999/?token=hush7e9-to-port"),
            "/redirect/dead" => {
                redirect("http://dead.example.org:1/?v=3&X-Amz-Signature=hush7e9-to-dead")
            }
            "/broken" => {
                let pieces = futures_util::stream::iter([
                    Ok("half".into()),
                    Err(std::io::Error::other("on purpose")),
                ]);
                http::Response::new(buildproxy::proxy::stream(pieces))
            }
            "/headers" => answer(
                200,
                &[
                    ("set-cookie", "session=hush7e9-set"),
                    ("x-auth-token", "hush7e9-response-token"),
                    (
                        "location",
                        "https://me:hush7e9-location@a.example.org/?token=hush7e9-location",
                    ),
                    ("content-location", "/x?sig=hush7e9-content-location&se=1"),
                    (
                        "link",
                        "<https://a.example.org/?page=2&access_token=hush7e9-link>; rel=\"next\"",
                    ),
                    (
                        "refresh",
                        "5; url=https://a.example.org/?jwt=hush7e9-refresh",
                    ),
                    ("x-elsewhere", "https://hush7e9-elsewhere@b.example.org/"),
                ],
                "headers\n",
            ),
            _ => text("a text\n"),
        }
    })
}

fn redirect(to: &str) -> http::Response<buildproxy::proxy::Body> {
    answer(302, &[("location", to)], "")
}

/// Fails where a secret is in the names or the files below `folder`.
fn search(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(!has(path.as_os_str().as_bytes()), "{}", path.display());
        if path.is_dir() {
            search(&path);
        } else {
            let bytes = fs::read(&path).unwrap();
            assert!(
                !has(&bytes),
                "{}:\n{}",
                path.display(),
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

fn has(bytes: &[u8]) -> bool {
    bytes
        .windows(MARK.len())
        .any(|window| window == MARK.as_bytes())
}

#[test]
fn no_secret_is_written_or_said() {
    need("curl", "curl");
    let scene = Scene::new();
    let origin = origin();
    let arguments = ["-vvv", "--connect-to", DEAD, "--", "sh", "-uc", SCRIPT];
    let mut capture = scene.capture(&origin, &arguments);
    let captured = run(&mut capture).ok();
    assert!(!has(captured.stderr.as_bytes()), "{}", captured.stderr);
    assert!(!has(captured.stdout.as_bytes()), "{}", captured.stdout);
    search(scene.root());
    // All was sent to where it was meant for, and not further.
    let asked = origin.asked();
    let sent = |secret: &str| {
        let having = |asked: &&Asked| format!("{asked:?}").contains(secret);
        asked.iter().filter(having).count()
    };
    for secret in [
        "bearer",
        "cookie",
        "query-sig",
        "query-jwt",
        "root",
        "to-query",
        "head",
    ] {
        assert!(sent(&format!("{MARK}-{secret}")) > 0, "{secret}");
    }
    assert_eq!(sent("hush7e9-header"), 1, "not after the redirect");
    assert_eq!(sent("hush7e9-proxy") + sent("hush7e9-hop"), 0);
    for said in [
        "failed to fetch http://dead.example.org:1/refused: ",
        "failed to fetch http://dead.example.org:1/?v=3: ",
        "Connection refused",
        "https://a.example.org/broken",
        "https://a.example.org/ws was asked for as a WebSocket",
    ] {
        assert!(
            captured.stderr.contains(said),
            "{said} is not in:\n{}",
            captured.stderr
        );
    }
    let inventory = scene.read("proxy_content.nix");
    for kept in [
        "\"https://a.example.org/query/sig?v=1\"",
        "\"https://a.example.org/\"",
        "\"location\" = \"https://a.example.org/\"",
        "\"location\" = \"ftp://b.example.org/\"",
        "\"location\" = \"https://b:99999/\"",
        "\"content-location\" = \"/x\"",
        "<https://a.example.org/?page=2>; rel=",
        "\"refresh\" = \"5; url=https://a.example.org/\"",
    ] {
        assert!(inventory.contains(kept), "{kept} is not in:\n{inventory}");
    }
    drop(origin);

    // What is missed is said without secrets, too.
    scene.write("proxy_content.nix", "{ }:\n[ ]\n");
    let mut replay = scene.offline(env!("CARGO_BIN_EXE_buildproxy"));
    let script = SCRIPT.replace("-o /dev/null", "");
    replay.args([
        "replay",
        "-vvv",
        "proxy_content.nix",
        "--",
        "sh",
        "-uc",
        &script,
    ]);
    let replayed = run(&mut replay).ok();
    assert!(!has(replayed.stderr.as_bytes()), "{}", replayed.stderr);
    assert!(!has(replayed.stdout.as_bytes()), "{}", replayed.stdout);
    assert!(
        replayed
            .stdout
            .contains("miss: GET https://a.example.org/query/sig?v=1")
    );
    search(scene.root());
}

#[test]
fn a_terminal_is_told_no_secrets_either() {
    need("script", "bsdutils");
    let scene = Scene::new();
    let origin = origin();
    let capture = scene.capture(
        &origin,
        &[&["--connect-to", DEAD][..], &["--", "sh", "-uc", SCRIPT]].concat(),
    );
    let line: Vec<_> = std::iter::once(capture.get_program())
        .chain(capture.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''")))
        .collect();
    let mut terminal = scene.command("script");
    terminal.args(["-qec", &line.join(" "), "/dev/null"]);
    terminal.envs(
        capture
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let captured = run(&mut terminal).ok();
    assert!(
        captured
            .stdout
            .contains("GET https://a.example.org/query/sig?v=1 200"),
        "{captured:?}"
    );
    assert!(!has(captured.stdout.as_bytes()), "{}", captured.stdout);
}

#[test]
fn a_url_is_found_again_with_any_secret_or_none() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/open?v=1&token=one" | "https://a.example.org/open?v=1" => {
            text("open\n")
        }
        "https://a.example.org/closed?token=one" => text("closed\n"),
        "https://a.example.org/closed" => answer(403, &[], "who are you?\n"),
        other => panic!("{other}"),
    });
    let script = "curl -sSf 'https://a.example.org/open?v=1&token=one' 'https://a.example.org/closed?token=one'";
    let captured = scene.capture_script(&origin, script).ok();
    captured
        .says("2 downloads captured (2 new, 1 pinned, 1 vendored, 0 by redirects)")
        .says("vendored: https://a.example.org/closed (7 B): its URL holds a secret");
    let inventory = scene.read("proxy_content.nix");
    assert!(
        inventory.contains("      url = \"https://a.example.org/open?v=1\";"),
        "{inventory}"
    );
    for script in [
        script,
        "curl -sSf 'https://a.example.org/open?token=two&v=1' 'https://a.example.org/closed?token=two'",
        "curl -sSf 'https://a.example.org/open?v=1' 'https://a.example.org/closed'",
    ] {
        assert_eq!(scene.replay_script(script).ok().stdout, "open\nclosed\n");
    }
}

#[test]
fn without_verification_a_url_with_a_secret_is_no_pin() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/a", "one\n")]);
    let arguments = [
        "--no-verify",
        "--",
        "curl",
        "-sSf",
        "https://a.example.org/a?token=x",
    ];
    let captured = run(&mut scene.capture(&origin, &arguments)).ok();
    captured.says("its URL holds a secret");
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn who_asks_with_a_secret_and_who_without_get_their_own() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| {
        if asked.url.contains("token=") {
            text("for you\n")
        } else {
            answer(403, &[], "who are you?\n")
        }
    });
    let script = "for query in '?token=a' '' '?token=b'; do curl -sS \"https://a.example.org/a$query\"; done";
    let captured = scene.capture_script(&origin, script).ok();
    assert!(
        scene
            .read("proxy_content.nix")
            .contains("authorization = true;")
    );
    assert_eq!(scene.replay_script(script).ok().stdout, captured.stdout);
}

#[test]
fn answers_that_differ_by_the_secret_alone_are_reported() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| {
        text(if asked.url.ends_with("=a") {
            "for a\n"
        } else {
            "for b\n"
        })
    });
    let script = "curl -sSf 'https://a.example.org/me?token=a' 'https://a.example.org/me?token=b'";
    let captured = scene.capture_script(&origin, script).ok();
    captured.says("unstable: https://a.example.org/me: gave different bodies");
}

#[test]
fn a_redirect_that_is_kept_leads_to_an_entry_without_secrets() {
    let scene = Scene::new();
    let origin =
        Origin::start(
            |asked| match asked.url.strip_prefix("https://a.example.org").unwrap() {
                "/latest" => redirect("https://a.example.org/blob?v=1&se=9&sig=hush7e9"),
                "/blob?v=1&se=9&sig=hush7e9" => text("a blob\n"),
                _ => answer(403, &[], "no signature\n"),
            },
        );
    let script = "curl -sSfL https://a.example.org/latest";
    let arguments = ["--keep-redirects", "*", "--", "sh", "-ec", script];
    let captured = run(&mut scene.capture(&origin, &arguments)).ok();
    assert_eq!(captured.stdout, "a blob\n");
    captured.says("2 downloads captured (2 new, 1 pinned, ");
    let inventory = scene.read("proxy_content.nix");
    assert!(!has(inventory.as_bytes()), "{inventory}");
    for line in [
        "\n    url = \"https://a.example.org/blob?v=1\";",
        "\n      url = \"https://a.example.org/latest\";",
        "\"location\" = \"https://a.example.org/blob?v=1\";",
    ] {
        assert!(inventory.contains(line), "{line} is not in:\n{inventory}");
    }
    drop(origin);
    assert_eq!(scene.replay_script(script).ok().stdout, "a blob\n");
}
