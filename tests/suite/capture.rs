//! What a capture records, and what it leaves.

use std::{fs, process::Stdio, time::Duration};

use buildproxy::inventory::Sri;
use bytes::Bytes;
use http::Response;

use crate::support::{Asked, Origin, Scene, answer, finish, need, run, text, wait_for};

const HELLO: &[(&str, &str)] = &[("/hello", "hello\n"), ("/other", "other\n")];

#[test]
fn what_was_captured_is_replayed_without_a_network() {
    need("curl", "curl");
    let script = "curl -sSf https://files.example.org/hello http://files.example.org/other";
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let captured = scene.capture_script(&origin, script).ok();
    assert_eq!(captured.stdout, "hello\nother\n");
    captured.says("2 downloads captured (2 new, 2 pinned, 0 vendored, 0 by redirects)");
    drop(origin);
    let replayed = scene.replay_script(script).ok();
    assert_eq!(replayed.stdout, "hello\nother\n");
    assert_eq!(replayed.stderr, "buildproxy: 2 requests were answered\n");
}

#[test]
fn the_inventory_is_as_the_readme_shows_it() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    scene
        .capture_script(&origin, "curl -sSf https://files.example.org/hello")
        .ok();
    assert_eq!(
        scene.read("proxy_content.nix"),
        r#"{ fetchurl }:
[
  {
    url = "https://files.example.org/hello";
    file = fetchurl {
      name = "hello";
      url = "https://files.example.org/hello";
      hash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=";
    };
    status_code = 200;
    headers = {
      "content-type" = "text/plain";
    };
  }
]
"#
    );
}

#[test]
fn redirects_end_in_an_entry_for_the_first_url() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "http://start.example.org/a" => {
            answer(301, &[("location", "https://start.example.org/b")], "moved")
        }
        "https://start.example.org/b" => answer(302, &[("location", "../c?token=x")], "moved"),
        "https://start.example.org/c?token=x" => {
            answer(307, &[("location", "https://end.example.com/d#part")], "")
        }
        "https://end.example.com/d" => {
            answer(200, &[("content-type", "application/gzip")], "arrived\n")
        }
        other => panic!("{other}"),
    });
    let script = "curl -sSf -u user:password http://start.example.org/a";
    let captured = scene.capture_script(&origin, script).ok();
    assert_eq!(captured.stdout, "arrived\n");
    let inventory = scene.read("proxy_content.nix");
    assert_eq!(inventory.matches("\n    url = ").count(), 1, "{inventory}");
    assert!(
        inventory.contains("url = \"http://start.example.org/a\";"),
        "{inventory}"
    );
    let credentials = |asked: &Asked| asked.header("authorization").is_some();
    let sent: Vec<_> = origin.asked().iter().map(credentials).collect();
    // The first hop leaves the origin http://start.example.org, so nothing beyond it gets them; nor does
    // the second download, by which it is seen that it is given without.
    assert_eq!(sent.len(), 8);
    assert_eq!(sent.iter().position(|sent| *sent), Some(0));
    assert_eq!(sent.iter().filter(|sent| **sent).count(), 1);
    assert!(!inventory.contains("password"));
    drop(origin);
    assert_eq!(scene.replay_script(script).ok().stdout, "arrived\n");
}

#[test]
fn head_and_get_are_one_entry_with_a_body() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script = "curl -sSfI https://a.example.org/hello; curl -sSf https://a.example.org/hello";
    scene.capture_script(&origin, script).ok();
    let inventory = scene.read("proxy_content.nix");
    assert_eq!(inventory.matches("\n    url = ").count(), 1, "{inventory}");
    assert!(!inventory.contains("method"), "{inventory}");
    let replayed = scene.replay_script(script).ok();
    assert!(
        replayed
            .stdout
            .to_lowercase()
            .contains("content-length: 6\r\n"),
        "{}",
        replayed.stdout
    );
    assert!(replayed.stdout.ends_with("\r\nhello\n"));
}

#[test]
fn head_alone_keeps_its_length_and_downloads_nothing() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| {
        assert_eq!(asked.method, "HEAD");
        answer(
            200,
            &[("content-length", "123456789012"), ("etag", "\"1\"")],
            "",
        )
    });
    let script = "curl -sSfI https://a.example.org/huge";
    scene.capture_script(&origin, script).ok();
    let replayed = scene.replay_script(script).ok();
    let head = replayed.stdout.to_lowercase();
    assert!(head.contains("content-length: 123456789012\r\n"), "{head}");
    assert!(head.contains("etag: \"1\"\r\n"), "{head}");
}

#[test]
fn what_a_plain_fetch_would_not_give_is_vendored() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/negotiated" if asked.header("accept") == Some("text/css") => {
            text("css\n")
        }
        "https://a.example.org/negotiated" => text("html\n"),
        "https://a.example.org/same" => text("same\n"),
        "https://a.example.org/private" => match asked.header("authorization") {
            None => answer(401, &[("www-authenticate", "Basic")], "who?\n"),
            Some(_) => text("for you\n"),
        },
        "https://a.example.org/form" => {
            let mut response = text("");
            *response.body_mut() = buildproxy::proxy::full(Bytes::from(vec![b'x'; 5000]));
            response
        }
        _ => answer(404, &[], "gone\n"),
    });
    let script = "
        curl -sSf -H 'Accept: text/css' https://a.example.org/negotiated
        curl -sSf -H 'Accept: text/css' https://a.example.org/same
        curl -sS https://a.example.org/private
        curl -sSf -u user:secret https://a.example.org/private
        curl -sSf -d question https://a.example.org/form
        curl -sS https://a.example.org/none";
    let captured = scene.capture_script(&origin, script).ok();
    let captured =
        captured.says("6 downloads captured (6 new, 1 pinned, 5 vendored, 0 by redirects)");
    let inventory = scene.read("proxy_content.nix");
    assert_eq!(inventory.matches("fetchurl {").count(), 1, "{inventory}");
    assert!(!inventory.contains("secret"), "{inventory}");
    let folder = fs::read_dir(scene.path("proxy_content")).unwrap();
    assert_eq!(
        folder.count(),
        1,
        "the small texts are in the inventory itself"
    );
    drop(origin);
    let replayed = scene.replay_script(script).ok();
    assert_eq!(replayed.stdout, captured.stdout);
    assert!(
        replayed
            .stdout
            .starts_with("css\nsame\nwho?\nfor you\nxxxx")
    );
    assert!(replayed.stdout.ends_with("xgone\n"));
}

#[test]
fn a_later_success_stands_in_place_of_a_failure() {
    let scene = Scene::new();
    let tries = std::sync::atomic::AtomicU32::new(0);
    let origin =
        Origin::start(
            move |_| match tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0 => answer(503, &[], "later\n"),
                _ => text("now\n"),
            },
        );
    scene
        .capture_script(
            &origin,
            "curl -sSf --retry 2 --retry-delay 0 https://a.example.org/x",
        )
        .ok();
    let inventory = scene.read("proxy_content.nix");
    assert_eq!(inventory.matches("status_code").count(), 1);
    assert!(inventory.contains("status_code = 200;"), "{inventory}");
}

#[test]
fn a_body_that_breaks_off_is_not_recorded_and_the_client_sees_it() {
    let scene = Scene::new();
    let origin = Origin::start(|_| broken(1000));
    let script = "curl -sS -o file https://a.example.org/x && exit 99; wc -c <file";
    let captured = scene.capture_script(&origin, script).ok();
    assert_eq!(captured.stdout, "500\n");
    captured.says("skipped: https://a.example.org/x is not recorded");
    assert!(!scene.read("proxy_content.nix").contains("url"));
}

/// Says `length` bytes, and gives half of them.
fn broken(length: u64) -> Response<buildproxy::proxy::Body> {
    let half = Bytes::from(vec![b'x'; usize::try_from(length / 2).unwrap()]);
    let pieces = futures_util::stream::try_unfold(Some(half), |half| async {
        if half.is_none() {
            // So that what was given is on its way before.
            tokio::time::sleep(Duration::from_millis(200)).await;
            return Err(std::io::Error::other("on purpose"));
        }
        Ok(half.map(|half| (half, None)))
    });
    let mut response = Response::new(buildproxy::proxy::stream(pieces));
    response
        .headers_mut()
        .insert("content-length", length.into());
    response
}

#[test]
fn a_client_that_hangs_up_leaves_no_hole() {
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        let mut response = text("");
        *response.body_mut() = buildproxy::proxy::full(Bytes::from(vec![b'\n'; 20 << 20]));
        response
    });
    let script = "curl -sS https://a.example.org/x | head -c 5 | wc -c";
    let captured = scene.capture_script(&origin, script).ok();
    assert_eq!(captured.stdout, "5\n");
    let whole = "curl -sSf https://a.example.org/x | wc -c";
    assert_eq!(scene.replay_script(whole).ok().stdout, "20971520\n");
}

#[test]
fn headers_from_upstream_are_never_nix_code() {
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        let evil = r#"a"; x = ${builtins.abort "no"}; y = "\"#;
        answer(
            200,
            &[("x-evil", evil), ("content-type", "text/plain")],
            "fine\n",
        )
    });
    let url = r#"https://a.example.org/a"b%22$%7Bc%7D"#;
    let script = format!("curl -sSfg '{url}'");
    scene.capture_script(&origin, &script).ok();
    let inventory = scene.read("proxy_content.nix");
    assert!(
        inventory.contains(r#""a\"; x = \${builtins.abort \"no\"}; y = \"\\""#),
        "{inventory}"
    );
    let replayed = scene.replay_script(&format!("{script} -D -")).ok();
    assert!(
        replayed
            .stdout
            .contains(r#"a"; x = ${builtins.abort "no"}; y = "\"#)
    );
}

#[test]
fn the_second_capture_keeps_what_is_there() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    scene
        .capture_script(&origin, "curl -sSf https://a.example.org/other")
        .ok();
    let edited = scene
        .read("proxy_content.nix")
        .replace("[\n", "[\n  # by hand\n");
    scene.write("proxy_content.nix", &edited);
    let second = "curl -sSf https://a.example.org/other https://a.example.org/hello";
    scene.capture_script(&origin, second).ok().says("(1 new, ");
    let merged = scene.read("proxy_content.nix");
    let kept = edited.strip_suffix("]\n").unwrap();
    assert!(merged.starts_with(kept), "{merged}");
    assert!(merged.contains("https://a.example.org/hello"));
    let again = scene.capture_script(&origin, second).ok();
    again.says("(0 new, ");
    assert_eq!(scene.read("proxy_content.nix"), merged);
    let afresh = [
        "--replace",
        "--",
        "curl",
        "-sSf",
        "https://a.example.org/hello",
    ];
    run(&mut scene.capture(&origin, &afresh)).ok();
    assert!(!scene.read("proxy_content.nix").contains("by hand"));
}

#[test]
fn a_changed_pin_is_reported_and_left() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/a", "one")]);
    scene
        .capture_script(&origin, "curl -sSf https://a.example.org/a")
        .ok();
    let first = scene.read("proxy_content.nix");
    let origin = Origin::with_texts(&[("/a", "two")]);
    scene
        .capture_script(&origin, "curl -sSf https://a.example.org/a")
        .ok()
        .says("changed: https://a.example.org/a");
    assert_eq!(scene.read("proxy_content.nix"), first);
}

#[test]
fn a_changed_pin_is_updated_in_place_where_that_is_asked_for() {
    let scene = Scene::new();
    let fetch = "curl -sSf https://a.example.org/a; curl -sS https://a.example.org/gone";
    let origin = Origin::with_texts(&[("/a", "one")]);
    scene.capture_script(&origin, fetch).ok();
    let first = scene.read("proxy_content.nix");
    let edited = first.replace("hash = ", "hash /* of one */ = ");
    scene.write("proxy_content.nix", &edited);

    // The kind and the status of the second change as well.
    let origin = Origin::with_texts(&[("/a", "two"), ("/gone", "back")]);
    let update = ["--update", "--", "sh", "-ec", fetch];
    let updated = run(&mut scene.capture(&origin, &update)).ok();
    let updated = updated
        .says("updated: https://a.example.org/a (line 3): it gave other bytes now")
        .says("updated: https://a.example.org/gone (line 15): it gave other bytes now");
    assert!(!updated.stderr.contains("hint"), "{}", updated.stderr);
    let merged = scene.read("proxy_content.nix");
    let hash = |text: &str| Sri::sha256_of(text.as_bytes()).to_string();
    let mut wanted = edited.replace(&hash("one"), &hash("two"));
    let pin = format!(
        "file = fetchurl {{
      name = \"gone\";
      url = \"https://a.example.org/gone\";
      hash = \"{}\";
    }};",
        hash("back")
    );
    wanted = wanted.replace("file = builtins.toFile \"gone\" \"not here\\n\";", &pin);
    wanted = wanted.replace("status_code = 404;", "status_code = 200;");
    let end = wanted.replace(
        "headers = { };",
        "headers = {\n      \"content-type\" = \"text/plain\";\n    };",
    );
    assert_eq!(merged, end);
    drop(origin);
    assert_eq!(scene.replay_script(fetch).ok().stdout, "twoback");

    let both = ["--update", "--replace", "--", "true"];
    run(scene.buildproxy(&["capture"]).args(both)).ends_with(2);
}

#[test]
fn an_update_of_a_vendored_body_brings_its_file() {
    let scene = Scene::new();
    let fetch = "curl -sSf -d x https://a.example.org/a -o got";
    let origin = |byte: u8| {
        Origin::start(move |_| {
            let mut response = text("");
            *response.body_mut() = buildproxy::proxy::full(Bytes::from(vec![byte; 5000]));
            response
        })
    };
    scene.capture_script(&origin(b'a'), fetch).ok();
    let update = ["--update", "--", "sh", "-ec", fetch];
    run(&mut scene.capture(&origin(b'b'), &update))
        .ok()
        .says("updated: https://a.example.org/a (line 3): it gave another body now");
    scene.replay_script(fetch).ok();
    assert_eq!(scene.read("got"), "b".repeat(5000));
}

#[test]
fn a_new_pin_that_moves_is_told_of() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/o/r/raw/main/a", "a")]);
    let captured = scene.capture_script(&origin, "curl -sSf https://a.example.org/o/r/raw/main/a");
    captured
        .ok()
        .says("moving: https://a.example.org/o/r/raw/main/a: it names the branch `main`");
}

#[test]
fn what_was_captured_is_written_when_the_command_fails() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script = "curl -sSf https://a.example.org/hello; exit 7";
    scene.capture_script(&origin, script).ends_with(7);
    assert!(scene.read("proxy_content.nix").contains("/hello"));
    let script = "curl -sSf https://a.example.org/other; kill -KILL $$";
    scene.capture_script(&origin, script).ends_with(137);
    assert!(scene.read("proxy_content.nix").contains("/other"));
}

#[test]
fn a_capture_that_fails_with_nothing_captured_leaves_no_empty_inventory() {
    let scene = Scene::new();
    // Nobody listens on this port.
    let nobody = ["--connect-to", ":443:127.0.0.1:1", "--replace"];
    let fetch = |option: &[&str], script: &str| {
        let mut capture = scene.buildproxy(&["capture", "--no-prefill"]);
        run(capture.args(option).args(["--", "sh", "-ec", script]))
    };
    let failing = "curl -sSf https://a.example.org/hello";
    let failed = fetch(&nobody, failing).ends_with(22);
    failed
        .says("proxy_content.nix: 0 downloads captured (")
        .says("skipped: failed to fetch https://a.example.org/hello: ")
        .says("warning: nothing was captured and the command failed, so no inventory is written\n");
    assert!(!scene.path("proxy_content.nix").exists());

    // Nor does it take the place of one that is there.
    let origin = Origin::with_texts(HELLO);
    scene.capture_script(&origin, failing).ok();
    let captured = scene.read("proxy_content.nix");
    fetch(&nobody, failing).ends_with(22);
    assert_eq!(scene.read("proxy_content.nix"), captured);

    // A command that ends well may have needed nothing, or have had it already.
    fetch(&["-o", "none.nix"], "true")
        .ok()
        .says("none.nix: 0 downloads captured (")
        .says("warning: nothing was captured\nhint: what a client has already it does not ask for");
    let text = scene.read("none.nix");
    assert!(text.ends_with("[ ]\n"), "{text}");
}

#[test]
fn what_was_captured_is_written_on_a_signal() {
    for (signal, status) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let scene = Scene::new();
        let origin = Origin::with_texts(HELLO);
        let script = "curl -sSf https://a.example.org/hello; echo ready >ready; exec sleep 60";
        let mut capture = scene.capture(&origin, &["--", "sh", "-ec", script]);
        // Not in the foreground of whatever terminal the tests run in.
        std::os::unix::process::CommandExt::process_group(&mut capture, 0);
        let child = capture
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for(|| scene.path("ready").exists());
        run(scene
            .command("kill")
            .args([&format!("-{signal}"), &child.id().to_string()]))
        .ok();
        let ended = finish(child).ends_with(status);
        ended.says("1 download captured");
        assert!(scene.read("proxy_content.nix").contains("/hello"));
    }
}

#[test]
fn captures_run_side_by_side() {
    let scenes = [Scene::new(), Scene::new()];
    let origin = Origin::with_texts(HELLO);
    // Each waits for the other inside of its capture.
    let children: Vec<_> = (0..2)
        .map(|index| {
            let [mine, theirs] = [&scenes[index], &scenes[1 - index]].map(|scene| scene.path("here"));
            let script = format!(
                "touch {}; timeout 60 sh -c 'until [ -e {} ]; do sleep 0.05; done'; curl -sSf https://a.example.org/hello",
                mine.display(),
                theirs.display()
            );
            let mut capture = scenes[index].capture(&origin, &["--", "sh", "-ec", &script]);
            capture.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for (child, scene) in children.into_iter().zip(&scenes) {
        finish(child).ok();
        assert!(scene.read("proxy_content.nix").contains("/hello"));
    }
}

#[test]
fn upstream_that_cannot_be_verified_is_a_failure() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let mut capture = scene.capture(
        &origin,
        &["--", "curl", "-sS", "https://a.example.org/hello"],
    );
    capture.env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt");
    let captured = run(&mut capture).ok();
    assert!(
        captured
            .stdout
            .contains("failed to fetch https://a.example.org/hello"),
        "{captured:?}"
    );
    assert!(captured.stdout.contains("certificate"), "{captured:?}");
    captured.says("skipped: failed to fetch https://a.example.org/hello");
    assert!(!scene.read("proxy_content.nix").contains("url"));
}

#[test]
fn what_drifts_is_vendored_and_options_overrule() {
    let origin = || {
        Origin::start(|asked| {
            let path = asked.url.split_once("a.example.org").unwrap().1;
            match path {
                "/metered" => answer(200, &[("cache-control", "no-store")], "metered\n"),
                _ => text("text\n"),
            }
        })
    };
    let script = "curl -sSf https://a.example.org/simple/six/ https://a.example.org/metered \
                  https://a.example.org/six-1.0.tar.gz";
    let of = |options: &[&str]| {
        let scene = Scene::new();
        let origin = origin();
        let mut capture = scene.capture(&origin, options);
        run(capture.args(["--", "sh", "-ec", script])).ok().stderr
    };
    let plain = of(&[]);
    assert!(plain.contains("(3 new, 1 pinned, 2 vendored,"), "{plain}");
    assert!(
        plain.contains("/simple/six/ (5 B): it drifts: an index of Python packages"),
        "{plain}"
    );
    assert!(
        plain.contains("/metered (8 B): it drifts: the server says"),
        "{plain}"
    );
    let pinned = of(&[
        "--pin",
        "https://a.example.org/simple/**",
        "--pin",
        "*metered",
    ]);
    assert!(pinned.contains("(3 new, 3 pinned, 0 vendored,"), "{pinned}");
    let vendored = of(&["--vendor", "*.tar.gz"]);
    assert!(
        vendored.contains("(3 new, 0 pinned, 3 vendored,"),
        "{vendored}"
    );
    assert!(vendored.contains("as --vendor says"), "{vendored}");
}

#[test]
fn what_is_given_without_credentials_as_well_is_pinned() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script = "curl -sSf -u user:secret -b session=secret https://a.example.org/hello";
    scene
        .capture_script(&origin, script)
        .ok()
        .says("1 pinned, 0 vendored");
    let sent: Vec<_> = origin
        .asked()
        .iter()
        .map(|asked| asked.headers.contains_key("cookie"))
        .collect();
    assert_eq!(sent, [true, false], "the proof has no credentials");
}

/// As a download site does: a stable URL, and a target that is another one each time.
#[test]
fn a_redirect_is_kept_for_a_client_that_reads_it() {
    let scene = Scene::new();
    let count = std::sync::atomic::AtomicU32::new(0);
    let origin = Origin::start(move |asked| match asked.url.as_str() {
        "https://a.example.org/release" => {
            let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            answer(
                302,
                &[(
                    "location",
                    &format!("https://cdn.example.org/file?n={number}"),
                )],
                "",
            )
        }
        url if url.starts_with("https://cdn.example.org/file?n=") => text("file\n"),
        other => panic!("{other}"),
    });
    let script =
        "curl -sSf -L -w '%{num_redirects} %{url_effective}\\n' https://a.example.org/release";
    let keep = [
        "--keep-redirects",
        "https://a.example.org/*",
        "--",
        "sh",
        "-ec",
        script,
    ];
    let captured = run(&mut scene.capture(&origin, &keep)).ok();
    assert_eq!(
        captured.stdout,
        "file\n1 https://cdn.example.org/file?n=0\n"
    );
    let inventory = scene.read("proxy_content.nix");
    assert!(
        inventory.contains("\"location\" = \"https://cdn.example.org/file?n=0\";"),
        "{inventory}"
    );
    // The pin of the target begins where it does not expire.
    let pin = "url = \"https://cdn.example.org/file?n=0\";\n    file = fetchurl {\n      \
               name = \"release\";\n      url = \"https://a.example.org/release\";";
    assert!(inventory.contains(pin), "{inventory}");
    drop(origin);
    assert_eq!(scene.replay_script(script).ok().stdout, captured.stdout);
}

/// A client that takes the URL it asked for as the base of what it read there, as it knows of no other.
#[test]
fn what_fails_because_a_redirect_was_followed_is_told_of() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/list/all" => {
            answer(302, &[("location", "https://cdn.example.org/1.0/all")], "")
        }
        "https://cdn.example.org/1.0/all" => text("part\n"),
        "https://cdn.example.org/1.0/part" => text("a part\n"),
        _ => answer(404, &[], "not here\n"),
    });
    let script = "base=$(curl -sSfL -o list -w '%{url_effective}' https://a.example.org/list/all)
        curl -sS ${base%/*}/$(cat list)
        curl -sS https://a.example.org/list/elsewhere";
    let captured = |options: &[&str]| {
        fs::remove_file(scene.path("proxy_content.nix")).ok();
        let mut capture = scene.capture(&origin, options);
        run(capture.args(["--", "sh", "-ec", script])).ok()
    };
    let follow = ["--follow-redirects", "*"];
    let astray = captured(&follow);
    assert_eq!(astray.stdout, "not here\nnot here\n");
    let astray = astray
        .says(
            "  astray: https://a.example.org/list/part failed, but relative to where \
             https://a.example.org/list/all leads it is https://cdn.example.org/1.0/part, which is there\n",
        )
        .says("hint: `--keep-redirects https://a.example.org/list/all` gives these redirects to the client");
    // It was not there, either.
    assert!(
        !astray
            .stderr
            .contains("astray: https://a.example.org/list/elsewhere"),
        "{}",
        astray.stderr
    );
    let keep = [
        "--follow-redirects",
        "*",
        "--keep-redirects",
        "https://a.example.org/list/all",
    ];
    for options in [&keep[..], &[]] {
        let captured = captured(options);
        assert_eq!(captured.stdout, "a part\nnot here\n");
        assert!(!captured.stderr.contains("astray"), "{}", captured.stderr);
    }
    drop(origin);
    assert_eq!(
        scene.replay_script(script).ok().stdout,
        "a part\nnot here\n"
    );
}

#[test]
fn large_vendored_bodies_are_warned_of() {
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        let mut response = text("");
        *response.body_mut() = buildproxy::proxy::full(Bytes::from(vec![b'x'; 2 << 20]));
        response
    });
    let script = "for n in 1 2 3 4 5 6; do curl -sSf -d $n https://a.example.org/$n; done | wc -c";
    let captured = scene.capture_script(&origin, script).ok();
    assert_eq!(captured.stdout, "12582912\n");
    let captured = captured.says("https://a.example.org/1 (2.0 MiB): the answer to a POST (large)");
    captured.says("warning: the vendored bodies have 12.0 MiB in all");
}

#[test]
fn a_download_that_goes_on_can_be_given_up() {
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        let pieces = futures_util::stream::unfold(0, |piece| async move {
            if piece > 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Some((Ok(Bytes::from_static(&[0; 1000])), piece + 1))
        });
        Response::new(buildproxy::proxy::stream(pieces))
    });
    let script = "curl -sS https://a.example.org/endless | head -c 5 | wc -c";
    let mut capture = scene.capture(&origin, &["--", "sh", "-ec", script]);
    std::os::unix::process::CommandExt::process_group(&mut capture, 0);
    let log = scene.root().join("log");
    let child = capture
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let said = || fs::read_to_string(&log).unwrap();
    wait_for(|| said().contains("waiting for the end of 1 download; interrupt to give up"));
    run(scene
        .command("kill")
        .args(["-INT", &child.id().to_string()]))
    .ok();
    finish(child).ok();
    let said = said();
    assert!(
        said.contains("https://a.example.org/endless is not recorded: it was still arriving"),
        "{said}"
    );
    assert!(!scene.read("proxy_content.nix").contains("endless"));
}

#[test]
fn a_url_that_answers_differently_is_reported() {
    let scene = Scene::new();
    let count = std::sync::atomic::AtomicUsize::new(0);
    let origin = Origin::start(move |_| {
        text(["one\n", "two\n"][count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 2])
    });
    let script = "curl -sSf https://a.example.org/x; curl -sSf https://a.example.org/x";
    let captured = scene.capture_script(&origin, script).ok();
    captured.says("unstable: https://a.example.org/x: gave different bodies");
}

/// The second capture asks other questions than the first; both are to be answered from then on.
#[test]
fn captures_add_up_to_all_the_questions_that_were_asked() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| {
        let accept = asked.header("accept").unwrap().to_owned();
        let answer = format!("{} {accept}\n", String::from_utf8_lossy(&asked.body));
        let mut response = text("");
        *response.body_mut() = buildproxy::proxy::full(answer);
        response
    });
    let ask = |body: &str| format!("curl -sSf -d {body} https://a.example.org/x");
    let accept = |what: &str| format!("curl -sSf -H 'Accept: {what}' https://a.example.org/y");
    let first = [ask("one"), accept("text/a"), accept("text/b")].join("\n");
    let second = [ask("two"), accept("text/a")].join("\n");
    let one = scene.capture_script(&origin, &first).ok();
    let two = scene.capture_script(&origin, &second).ok();
    assert!(!two.stderr.contains("changed"), "{}", two.stderr);
    drop(origin);
    assert_eq!(scene.replay_script(&first).ok().stdout, one.stdout);
    assert_eq!(scene.replay_script(&second).ok().stdout, two.stdout);
}

#[test]
fn what_is_written_into_the_file_meanwhile_stays() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    scene
        .capture_script(&origin, "curl -sSf https://a.example.org/other")
        .ok();
    let script = "curl -sSf https://a.example.org/hello
        sed -i '2s/$/\\n  # by hand/' proxy_content.nix";
    scene.capture_script(&origin, script).ok().says("(1 new, ");
    let inventory = scene.read("proxy_content.nix");
    assert!(inventory.contains("[\n  # by hand\n"), "{inventory}");
    assert!(inventory.contains("/hello") && inventory.contains("/other"));
    // What is broken meanwhile is left, and nothing is lost.
    let script = "curl -sSf https://a.example.org/new; echo '[' >proxy_content.nix";
    let origin = Origin::with_texts(&[("/new", "new\n")]);
    let failed = scene.capture_script(&origin, script).ends_with(3);
    let failed = failed
        .says("what was captured is in '")
        .says("proxy_content.nix:");
    assert_eq!(scene.read("proxy_content.nix"), "[\n");
    let rescued = failed.stderr.split('\'').nth(1).unwrap();
    assert!(
        fs::read_to_string(rescued)
            .unwrap()
            .contains("https://a.example.org/new")
    );
}

#[test]
fn a_vendored_file_that_went_missing_is_put_back() {
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        let mut response = text("");
        *response.body_mut() = buildproxy::proxy::full(Bytes::from(vec![b'x'; 5000]));
        response
    });
    let script = "curl -sSf -d x https://a.example.org/x";
    scene.capture_script(&origin, script).ok();
    fs::remove_dir_all(scene.path("proxy_content")).unwrap();
    scene.capture_script(&origin, script).ok().says("(0 new, ");
    run(&mut scene.buildproxy(&["check"])).ok();
}

#[test]
fn the_same_exchanges_make_the_same_file() {
    let written = || {
        let scene = Scene::new();
        let origin = Origin::start(|asked| {
            let agent = asked.header("accept").unwrap().to_owned();
            answer(200, &[("x-asked", &agent)], "same\n")
        });
        let script = "for accept in a/a b/b c/c '*/*'; do
            curl -sSf -H \"Accept: $accept\" https://a.example.org/x; done";
        scene.capture_script(&origin, script).ok();
        scene.read("proxy_content.nix")
    };
    let first = written();
    assert!((0..5).all(|_| written() == first));
}

#[test]
fn a_body_cache_that_goes_away_loses_no_more_than_it_had() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script = "curl -sSf https://a.example.org/hello; curl -sSf -d x https://a.example.org/other
        rm -rf \"$HOME/.cache/buildproxy\"";
    let captured = scene.capture_script(&origin, script).ok();
    captured.says("skipped: https://a.example.org/other: ");
    assert!(scene.read("proxy_content.nix").contains("/hello"));
}

#[test]
fn a_server_that_closes_connections_is_asked_again() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // One answer a connection, without a word that it is the last.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok_and(|length| length > 0) {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi\n");
            }
        }
    });
    let scene = Scene::new();
    let rule = format!("a.example.org:80:127.0.0.1:{port}");
    let script = "for n in 1 2 3 4 5 6 7 8; do curl -sSf http://a.example.org/$n; done";
    let arguments = [
        "capture",
        "--no-prefill",
        "--connect-to",
        &rule,
        "--",
        "sh",
        "-ec",
        script,
    ];
    let captured = run(&mut scene.buildproxy(&arguments)).ok();
    assert_eq!(captured.stdout, "hi\n".repeat(8));
}

#[test]
fn a_client_that_does_not_wait_for_an_answer_is_told_of() {
    let scene = Scene::new();
    let origin = Origin::start(|_| {
        std::thread::sleep(Duration::from_secs(3));
        text("late\n")
    });
    let script = "curl -sS -m 1 https://a.example.org/x || true; sleep 0.5";
    let captured = scene.capture_script(&origin, script).ok();
    captured.says("https://a.example.org/x is not recorded: the client hung up");
}

#[test]
fn an_inventory_without_an_extension_is_refused_at_once() {
    let scene = Scene::new();
    let mut capture = scene.buildproxy(&["capture", "-o", "content", "--", "touch", "ran"]);
    run(&mut capture)
        .ends_with(1)
        .says("its name has no extension, such as .nix");
    assert!(!scene.path("ran").exists());
}

/// A file as nix-buildproxy writes it, which may have each entry several times, and says the length of each body.
#[test]
fn a_capture_into_another_tools_file_mends_it_where_it_may() {
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/other" => text("other than before\n"),
        _ => text("hello"),
    });
    let entry = |name: &str, length: &str| {
        format!(
            "  {{
    url = \"https://a.example.org/{name}\";
    file = fetchurl {{
      url = \"https://a.example.org/{name}\";
      hash = \"{}\";
    }};
    status_code = 200;
    headers = {{
{length}      \"content-type\" = \"text/plain\";
    }};
  }}
",
            Sri::sha256_of(b"hello")
        )
    };
    let length = |length: &str| format!("      \"content-length\" = \"{length}\";\n");
    let file = |entries: &[String]| format!("{{ fetchurl }}: [\n{}]\n", entries.concat());
    let before = file(&[
        entry("other", &length("5")),
        entry("wrong", &length("6")),
        entry("right", &length("5")),
        entry("elsewhere", &length("6")),
        entry("other", ""),
        entry("elsewhere", ""),
        entry("right", &length("7")),
    ]);
    scene.write("proxy_content.nix", &before);
    let script = "for name in other wrong right; do curl -sSf https://a.example.org/$name; done";
    scene
        .capture_script(&origin, script)
        .ok()
        .says("(0 new, ")
        .says("changed: https://a.example.org/other (line 2): it gave other bytes now");
    assert_eq!(scene.read("proxy_content.nix"), before);

    let update = ["--update", "--", "sh", "-ec", script];
    run(&mut scene.capture(&origin, &update))
        .ok()
        .says("updated: https://a.example.org/other (line 2): it gave other bytes now")
        .says("  deleted: 2 exact repeats and 2 wrong lengths\n");
    let new = Sri::sha256_of(b"other than before\n").to_string();
    let old = Sri::sha256_of(b"hello").to_string();
    let after = file(&[
        entry("other", "").replace(&old, &new),
        entry("wrong", ""),
        entry("right", &length("5")),
        entry("elsewhere", &length("6")),
        entry("elsewhere", ""),
    ]);
    assert_eq!(scene.read("proxy_content.nix"), after);
}
