//! `buildproxy replay --daemon`.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::support::{Scene, need, run, wait_for};

fn scene() -> Scene {
    let scene = Scene::new();
    scene.write("body", "hello\n");
    let file = scene.path("body");
    let manifest = format!(
        r#"[{{"url":"https://a.example.org/hello","file":"{}"}}]"#,
        file.display()
    );
    scene.write("m.json", &manifest);
    scene
}

#[test]
fn it_answers_as_soon_as_it_has_printed_the_environment() {
    let scene = scene();
    let script = r#"
        set -eu
        exports=$("$0" replay m.json --daemon --watch-pid $$)
        eval "$exports"
        curl -sSf https://a.example.org/hello"#;
    let mut shell = scene.offline("sh");
    let asked = run(shell.args(["-c", script, env!("CARGO_BIN_EXE_buildproxy")])).ok();
    assert_eq!(asked.stdout, "hello\n");
}

#[test]
fn it_ends_with_the_process_that_it_watches_and_leaves_nothing() {
    let scene = scene();
    let mut watched = Command::new("sleep")
        .arg("60")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let replay = scene.daemon("m.json", &["--watch-pid", &watched.id().to_string()]);
    let process = format!("/proc/{}/exe", replay.pid());
    assert!(fs::read_link(&process).is_ok(), "it runs");
    assert!(fs::metadata(replay.variable("SSL_CERT_FILE")).is_ok());
    watched.kill().unwrap();
    watched.wait().unwrap();
    wait_for(|| fs::read_link(&process).is_err());
    assert_eq!(fs::read_dir(scene.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn it_holds_neither_standard_output_nor_the_folder() {
    let scene = scene();
    // `$(…)` waits until nobody has the pipe any more.
    let replay = scene.daemon("m.json", &[]);
    let link = |name: &str| {
        let link = fs::read_link(format!("/proc/{}/{name}", replay.pid()));
        link.unwrap().to_str().unwrap().to_owned()
    };
    // It lets go while it goes into the background.
    wait_for(|| link("cwd") == "/" && link("fd/0") == "/dev/null" && link("fd/1") == "/dev/null");
}

#[test]
fn it_holds_nothing_that_it_inherited() {
    need("flock", "util-linux");
    let scene = scene();
    // The inventory is such a pipe itself, of which bash has the number 63.
    let script = r#"
        set -eu
        exec 9> >(cat >piped; echo end >>piped)
        exec 7>lock
        flock 7
        exports=$("$0" replay <(cat m.json) --daemon --watch-pid $$)
        exec 7>&- 9>&-
        flock --nonblock lock true
        until grep -qx end piped; do sleep 0.1; done
        eval "$exports"
        curl -sSf https://a.example.org/hello"#;
    let mut shell = scene.offline("timeout");
    let program = env!("CARGO_BIN_EXE_buildproxy");
    let asked = run(shell.args(["60", "bash", "-c", script, program])).ok();
    assert_eq!(asked.stdout, "hello\n");
}

#[test]
fn what_keeps_it_from_starting_is_an_exit_status() {
    let scene = Scene::new();
    scene.write(
        "m.json",
        r#"[{"url": "https://a.example.org/", "status_code": "two hundred"}]"#,
    );
    let failed = run(&mut scene.buildproxy(&["replay", "m.json", "--daemon"])).ends_with(3);
    assert_eq!(failed.stdout, "");
    failed.says("m.json: line 1: entry 0 for `https://a.example.org/`");
}

/// Before the client has its answer: what it does with that is no matter.
#[test]
fn where_it_is_strict_the_process_that_it_watches_is_told_of_each_miss() {
    need("bash", "bash");
    let scene = scene();
    let script = r#"
        set -eu
        trap 'echo told; exit 4' USR2
        exports=$("$0" replay m.json --daemon --strict --watch-pid $$)
        eval "$exports"
        curl -sSf https://a.example.org/hello
        curl -sSf https://a.example.org/miss || :
        echo not here"#;
    let mut shell = scene.offline("bash");
    let asked = run(shell.args(["-c", script, env!("CARGO_BIN_EXE_buildproxy")])).ends_with(4);
    assert_eq!(asked.stdout, "hello\ntold\n");
    let untold = ["replay", "m.json", "--daemon", "--strict"];
    run(&mut scene.buildproxy(&untold))
        .ends_with(2)
        .says("--watch-pid");
}
