//! `--bundle`: clients that buildproxy did not start.

use std::{
    fs,
    os::unix::{self, fs::PermissionsExt},
};

use crate::support::{Origin, Scene, run, wait_for};

const HELLO: &[(&str, &str)] = &[("/hello", "hello\n")];

#[test]
fn a_client_started_elsewhere_is_answered_by_address_and_bundle() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    // With nothing of buildproxy's environment but what a person would tell it.
    let script = r#"env -i PATH="$PATH" \
        curl -sSf --proxy "$https_proxy" --cacert ca.pem https://a.example.org/hello"#;
    let mut capture = scene.capture(&origin, &["--bundle", "ca.pem", "--", "sh", "-ec", script]);
    let captured = run(&mut capture).ok();
    assert_eq!(captured.stdout, "hello\n");
    drop(origin);
    fs::remove_file(scene.path("ca.pem")).unwrap();

    let arguments = ["--listen", "127.0.0.1:0", "--bundle", "ca.pem"];
    let replay = scene.daemon("proxy_content.nix", &arguments);
    let proxy = format!("http://{}", replay.address());
    let mut curl = scene.command("curl");
    curl.args(["-sSf", "--proxy", &proxy, "--cacert", "ca.pem"]);
    let replayed = run(curl.arg("https://a.example.org/hello")).ok();
    assert_eq!(replayed.stdout, captured.stdout);
    // It stays when the run is over.
    let files = replay.variable("SSL_CERT_FILE").to_owned();
    drop(replay);
    wait_for(|| !fs::exists(&files).unwrap());
    assert!(scene.path("ca.pem").is_file());
}

#[test]
fn the_bundle_has_certificates_and_no_key_and_is_for_everybody() {
    let scene = Scene::new();
    let origin = Origin::with_texts(&[]);
    scene.write("m.json", "[]");
    let script =
        r#"cmp ca.pem "$SSL_CERT_FILE"; grep -c 'BEGIN CERTIFICATE' ca.pem; ! grep KEY ca.pem"#;
    let bundled = ["--bundle", "ca.pem", "--", "sh", "-ec", script];
    let roots = fs::read_to_string(origin.ca()).unwrap();
    let mut capture = scene.capture(&origin, &bundled);
    // The authority's, and that which upstream is verified with.
    assert_eq!(run(&mut capture).ok().stdout, "2\n");
    assert!(
        scene
            .read("ca.pem")
            .replace('\n', "")
            .contains(&roots.replace('\n', ""))
    );

    let mut replay = scene.command("sh");
    let replaying = r#"umask 077; exec "$0" replay m.json "$@""#;
    replay.args(["-ec", replaying, env!("CARGO_BIN_EXE_buildproxy")]);
    assert_eq!(run(replay.args(bundled)).ok().stdout, "1\n");
    let mode = fs::metadata(scene.path("ca.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o644);
    let left = fs::read_dir(scene.path("")).unwrap();
    assert_eq!(left.count(), 3, "m.json, proxy_content.nix and ca.pem");
}

#[test]
fn a_link_to_the_bundle_stays_one() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    fs::create_dir(scene.path("folder")).unwrap();
    scene.write("folder/ca.pem", "of the last run\n");
    unix::fs::symlink("folder/ca.pem", scene.path("link")).unwrap();
    run(&mut scene.buildproxy(&["replay", "m.json", "--bundle", "link", "--", "true"])).ok();
    assert!(scene.path("link").is_symlink());
    assert!(
        scene
            .read("folder/ca.pem")
            .starts_with("-----BEGIN CERTIFICATE-----\n")
    );
}

#[test]
fn a_bundle_that_cannot_be_written_is_known_before_the_command_runs() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    fs::create_dir(scene.path("folder")).unwrap();
    for bundle in [
        "no/such/folder/ca.pem",
        "folder",
        "/dev/null",
        "/proc/ca.pem",
    ] {
        for verb in [&["capture"][..], &["replay", "m.json"]] {
            let mut buildproxy = scene.buildproxy(verb);
            let failed = run(buildproxy.args(["--bundle", bundle, "--", "touch", "ran"]));
            failed
                .ends_with(1)
                .says(&format!("failed to write the bundle '{bundle}': "));
        }
    }
    assert!(!scene.path("ran").exists());
}
