//! Files that are not what they were when they were written.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use buildproxy::inventory::Sri;

use crate::support::{Origin, Ran, Scene, run};

const SCRIPT: &str = "curl -sS https://a.example.org/a";

/// A scene in which a body has been captured, and where that is.
fn captured(origin: &Origin) -> (Scene, PathBuf) {
    let scene = Scene::new();
    scene.capture_script(origin, SCRIPT).ok();
    let hash = Sri::sha256_of(b"hello\n").to_hex();
    let body = scene
        .root()
        .join("home/.cache/buildproxy/sha256")
        .join(hash);
    fs::set_permissions(&body, Permissions::from_mode(0o600)).unwrap();
    (scene, body)
}

fn replay(scene: &Scene) -> Ran {
    let mut replay = scene.buildproxy(&["replay", "proxy_content.nix", "--strict"]);
    run(replay.args(["--", "sh", "-ec", SCRIPT]))
}

/// The same with `--fetch`.
fn fetched(scene: &Scene, origin: &Origin) -> Ran {
    let mut replay = scene.buildproxy(&["replay", "proxy_content.nix", "--strict", "--fetch"]);
    replay.args(origin.connect_to());
    replay.env("SSL_CERT_FILE", origin.ca());
    run(replay.args(["--", "sh", "-ec", SCRIPT]))
}

#[test]
fn a_cached_body_with_junk_at_its_end_is_not_served() {
    let origin = Origin::with_texts(&[("/a", "hello\n")]);
    let (scene, body) = captured(&origin);
    assert_eq!(replay(&scene).ok().stdout, "hello\n");
    let checked = run(&mut scene.buildproxy(&["check"])).ok();
    assert_eq!(checked.stdout, "");

    let mut file = OpenOptions::new().append(true).open(&body).unwrap();
    file.write_all(b"junk").unwrap();
    let damaged = replay(&scene).ends_with(4);
    assert!(!damaged.stdout.contains("junk"), "{damaged:?}");
    let expected = Sri::sha256_of(b"hello\n");
    damaged
        .says(&format!(
            "failed to read the body of https://a.example.org/a: '{}' in the body cache is damaged: it should \
             have the hash {expected}, and has ",
            body.display()
        ))
        .says("hint: `buildproxy replay --fetch` downloads it anew")
        .says("no request was answered, and 1 could not be");
    let checked = run(&mut scene.buildproxy(&["check"])).ends_with(3);
    let line = "proxy_content.nix:8: error: the body of https://a.example.org/a: ";
    assert!(checked.stdout.starts_with(line), "{checked:?}");

    let mended = fetched(&scene, &origin).ok();
    assert_eq!(mended.stdout, "hello\n");
    mended.says("in the body cache is damaged");
    drop(origin);
    assert_eq!(replay(&scene).ok().stdout, "hello\n");
}

#[test]
fn a_cached_body_that_was_emptied_is_known_before_the_command_runs() {
    let origin = Origin::with_texts(&[("/a", "hello\n")]);
    let (scene, body) = captured(&origin);
    fs::write(&body, "").unwrap();
    let refused = replay(&scene).ends_with(1);
    refused
        .says("the body of https://a.example.org/a (sha256-")
        .says("hint: `--fetch` downloads what is not in the body cache");
    assert_eq!(fetched(&scene, &origin).ok().stdout, "hello\n");
}

/// A body is looked at again when its file has changed, also while a replay runs.
#[test]
fn a_cached_body_that_is_damaged_while_a_replay_runs_is_not_served() {
    let origin = Origin::with_texts(&[("/a", "hello\n")]);
    let (scene, body) = captured(&origin);
    let body = body.display();
    let script = format!(
        "{SCRIPT}; {SCRIPT}; printf HELLO | dd of={body} conv=notrunc status=none; {SCRIPT}"
    );
    let mut replay = scene.buildproxy(&["replay", "proxy_content.nix", "--strict", "--"]);
    let damaged = run(replay.args(["sh", "-ec", &script])).ends_with(4);
    assert!(
        damaged
            .stdout
            .starts_with("hello\nhello\nbuildproxy: failed"),
        "{damaged:?}"
    );
    assert!(!damaged.stdout.contains("HELLO"));
    damaged.says("2 requests were answered, and 1 could not be");
}

/// Whatever its permissions say, its owner can cut off what is mapped, and then reading it ends the program.
#[test]
fn a_large_manifest_that_is_cut_off_while_it_is_replayed_ends_nothing() {
    let scene = Scene::new();
    let entry = |number: u32| {
        format!(
            r#"{{"url":"http://a.example.org/{number}/{}"}},"#,
            "a".repeat(100)
        )
    };
    let entries: String = (0..20_000).map(entry).collect();
    scene.write(
        "m.json",
        &format!("[{entries}{{\"url\":\"http://a.example.org/last\"}}]"),
    );
    let manifest = scene.path("m.json");
    fs::set_permissions(&manifest, Permissions::from_mode(0o444)).unwrap();
    let daemon = scene.daemon("m.json", &[]);
    fs::set_permissions(&manifest, Permissions::from_mode(0o644)).unwrap();
    fs::write(&manifest, "").unwrap();
    let mut curl = scene.command("curl");
    curl.args(["-sS", "-w", "%{http_code}", "--proxy", daemon.address()]);
    let asked = run(curl.arg("http://a.example.org/last")).ok();
    assert_eq!(asked.stdout, "200");
}
