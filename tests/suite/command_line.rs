//! Messages, exit statuses, and what is left when something is wrong.

use std::{fs, net::TcpListener, path::Path};

use crate::support::{Origin, Scene, need, run};

#[test]
fn a_command_that_does_not_exist_leaves_nothing() {
    let scene = Scene::new();
    let captured = run(&mut scene.buildproxy(&["capture", "--", "no-such-program"])).ends_with(1);
    captured.says("failed to run 'no-such-program'");
    assert_eq!(files(&scene.path("")), [] as [String; 0]);
    scene.write("m.json", "[]");
    let replayed = run(&mut scene.buildproxy(&["replay", "m.json", "--", "no-such-program"]));
    replayed
        .ends_with(1)
        .says("failed to run 'no-such-program'");
}

#[test]
fn an_output_that_cannot_be_written_is_known_before_the_command_runs() {
    let scene = Scene::new();
    fs::create_dir(scene.path("folder")).unwrap();
    for output in ["no/such/folder/a.nix", "/proc/a.nix", "folder"] {
        let captured = run(&mut scene.buildproxy(&["capture", "-o", output, "--", "touch", "ran"]));
        captured
            .ends_with(1)
            .says("failed to write the inventory '")
            .says(output);
    }
    assert_eq!(files(&scene.path("")), ["folder"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for verb in [&["capture"][..], &["replay", "m.json"]] {
        let mut buildproxy = scene.buildproxy(verb);
        buildproxy.args(["--listen", &address, "--", "touch", "ran"]);
        let failed = run(&mut buildproxy).ends_with(1);
        failed.says(&format!(
            "failed to listen on {address}: Address already in use"
        ));
    }
    assert_eq!(files(&scene.path("")), ["m.json"]);
}

#[test]
fn only_loopback_is_listened_on() {
    let scene = Scene::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let failed =
            run(&mut scene.buildproxy(&["capture", "--listen", address, "--", "touch", "ran"]));
        failed.ends_with(1).says("it has to be a loopback address");
    }
    assert_eq!(files(&scene.path("")), [] as [String; 0]);
    // And so does the default, as the kernel sees it.
    let script = r#"printf ':%04X ' "${http_proxy##*:}"; cat /proc/net/tcp /proc/net/tcp6"#;
    let shown = run(&mut scene.buildproxy(&["capture", "--", "bash", "-ec", script]))
        .ok()
        .stdout;
    let (port, table) = shown.split_once(' ').unwrap();
    // Local address, then remote address; state 0A is listening.
    let locals = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listening =
        locals.filter(|columns| columns.get(3) == Some(&"0A") && columns[1].ends_with(port));
    let listening: Vec<_> = listening.map(|columns| columns[1].to_owned()).collect();
    assert_eq!(listening, [format!("0100007F{port}")]);
}

#[test]
fn a_wrong_inventory_is_named_with_its_line_and_left_untouched() {
    let scene = Scene::new();
    let wrong = "{ fetchurl }:\n[\n  {\n    url = \"https://a.example.org/\";\n    statuscode = 200;\n  }\n]\n";
    scene.write("proxy_content.nix", wrong);
    for verb in [&["capture"][..], &["replay", "proxy_content.nix"]] {
        let failed = run(scene.buildproxy(verb).args(["--", "touch", "ran"])).ends_with(3);
        failed
            .says("proxy_content.nix:5: ")
            .says("statuscode")
            .says("hint: ");
    }
    assert_eq!(scene.read("proxy_content.nix"), wrong);
    let failed = run(&mut scene.buildproxy(&["replay", "none.nix", "--", "touch", "ran"]));
    failed.ends_with(3).says("failed to read the inventory '");
    assert_eq!(files(&scene.path("")), ["proxy_content.nix"]);
}

#[test]
fn wrong_usage_is_status_2() {
    let scene = Scene::new();
    for arguments in [
        &["capture", "--no-such-option"][..],
        &["replay"],
        &["no-such-verb"],
        &[],
    ] {
        run(&mut scene.buildproxy(arguments)).ends_with(2);
    }
    let twice = ["replay", "m.json", "--daemon", "--", "true"];
    run(&mut scene.buildproxy(&twice)).ends_with(2);
}

#[test]
fn a_body_cache_that_cannot_be_written_is_known_before_the_command_runs() {
    let scene = Scene::new();
    let failed =
        run(&mut scene.buildproxy(&["capture", "--body-cache", "/proc/no", "--", "touch", "ran"]));
    failed
        .ends_with(1)
        .says("failed to use the body cache '/proc/no");
    assert_eq!(files(&scene.path("")), [] as [String; 0]);
}

/// Every file that buildproxy has open or has written while it runs, and all that it leaves.
#[test]
fn the_key_of_the_authority_is_nowhere_on_disk() {
    need("strace", "strace");
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/hello", "hello\n")]);
    let trace = scene.root().join("trace");
    let script = r#"
        curl -sSf https://a.example.org/hello
        for file in $(find "$TMPDIR" "$HOME" . -type f); do cp "$file" "$KEPT"; done"#;
    let kept = scene.root().join("kept");
    fs::create_dir(&kept).unwrap();
    let mut strace = scene.command("strace");
    strace
        .args(["-f", "-qq", "-e", "trace=openat,open,creat", "-o"])
        .arg(&trace);
    strace
        .args([env!("CARGO_BIN_EXE_buildproxy"), "capture", "--no-prefill"])
        .args(origin.connect_to());
    strace.env("SSL_CERT_FILE", origin.ca()).env("KEPT", &kept);
    run(strace.args(["--", "sh", "-ec", script])).ok();

    // What was written at all: what clients are to read, the body, the inventory.
    let trace = fs::read_to_string(trace).unwrap();
    let own = trace
        .lines()
        .next()
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let written = trace
        .lines()
        .filter(|line| line.starts_with(&own) && line.contains("O_CREAT"));
    let names: Vec<_> = written.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(
        names.iter().any(|name| name.ends_with("/ca-bundle.crt")),
        "{trace}"
    );
    for name in &names {
        let known = [
            "/authority.crt",
            "/ca-bundle.crt",
            "/trust-store.p12",
            "/wgetrc",
            "/wget2rc",
            "/apt.conf",
            "/apt-main.conf",
            "/gitconfig",
            "/.curlrc",
            "/gemrc",
            "/Renviron",
            "/gradle/",
            "/buildproxy.ini",
            "/.partial-",
            "/.proxy_content-",
        ];
        assert!(known.iter().any(|part| name.contains(part)), "{name}");
    }

    let mut searched = 0;
    for folder in [
        &kept,
        &scene.root().join("tmp"),
        &scene.root().join("home"),
        &scene.path(""),
    ] {
        for name in files(folder) {
            let bytes = fs::read(folder.join(&name)).unwrap_or_default();
            // A PEM key, and the identifier of an elliptic curve key in DER (RFC 5208 and RFC 5480).
            let key: &[u8] = &[
                0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
            ];
            let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!holds(b"PRIVATE KEY") && !holds(key), "{name}");
            searched += 1;
        }
    }
    assert!(
        searched >= 4,
        "the bundle, the body and the inventory are among {searched}"
    );
    assert_eq!(files(&scene.root().join("tmp")), [] as [String; 0]);
}

/// The names of the files and folders in a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
