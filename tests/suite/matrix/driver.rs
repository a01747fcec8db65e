//! Captures what a client does, and replays it, each time in a folder of its own with nothing cached.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::client::{Answers, Client, Explicit, Need, Source};
use crate::support::{Origin, Scene, folder, need, of_this_machine, own_clients, run};

/// How a client is brought to buildproxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// By its environment.
    Explicit,
    /// By `--transparent`: it has no way around.
    Transparent,
}

/// All of them, in the order of the README's columns.
pub(super) const MODES: &[Mode] = &[Mode::Explicit, Mode::Transparent];

impl Mode {
    /// As the README calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Transparent => "transparent",
        }
    }

    /// The options of both verbs.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Explicit => &[],
            Self::Transparent => &["--transparent"],
        }
    }

    /// Whether the client, in the version that is installed, works this way.
    fn serves(self, client: &Client, scene: &Scene) -> bool {
        match (self, client.explicit) {
            (Self::Transparent, _) | (Self::Explicit, Explicit::Yes) => true,
            (Self::Explicit, Explicit::No(_)) => false,
            (Self::Explicit, Explicit::From { is_it, .. }) => ends_well(scene, is_it),
        }
    }
}

fn ends_well(scene: &Scene, script: &str) -> bool {
    run(scene.command("sh").args(["-ec", script])).status == 0
}

/// Fails where something is not installed.
fn check(scene: &Scene, needs: &[Need]) {
    for one in needs {
        match one {
            Need::Program(program, package) => need(program, package),
            Need::Part(script, package) => assert!(
                ends_well(scene, script),
                "this test needs {package}; install it with: apt-get install {package}"
            ),
            Need::Own(path) => {
                let path = own_clients().join(path);
                let there = path.exists();
                assert!(
                    there,
                    "this test needs {}; tests/run installs it",
                    path.display()
                );
            }
        }
    }
}

/// Captures a client and replays it. Of a client that is said not to heed the environment, shows that
/// it does not.
pub(super) fn round(client: &Client, mode: Mode) {
    let scene = Scene::new();
    check(&scene, client.needs);
    let origin = serve(&scene, client.source);

    let mut capture = command(&scene, client, "capture", env!("CARGO_BIN_EXE_buildproxy"));
    capture.args(["capture", "--no-prefill", "-o", "../proxy_content.nix"]);
    reach(&mut capture, origin.as_ref());
    capture.args(mode.options());
    let captured = run(capture.args(["--", "sh", "-euc", client.script]));
    if !mode.serves(client, &scene) {
        let heeds = captured.status == 0 || !captured.stderr.contains(" 0 downloads captured");
        assert!(
            !heeds,
            "{} does heed the environment; say so\n{captured:#?}",
            client.name
        );
        return;
    }
    let captured = captured.ok();
    let inventory = scene.read("proxy_content.nix");
    // What is served in another way than a folder is not given to everybody who comes for it.
    let is_pinned = inventory.contains("fetchurl {") || matches!(client.source, Source::Served(..));
    assert!(is_pinned, "{captured:#?}\n{inventory}");

    let mut check = command(&scene, client, "check", env!("CARGO_BIN_EXE_buildproxy"));
    check.args(["check", "--fetch"]);
    reach(&mut check, origin.as_ref());
    // Every pin fetches again. What is served here has names that move, and is fetched by http.
    let checked = run(check.arg("../proxy_content.nix")).ok();
    let may_warn = origin.is_some();
    assert!(may_warn || checked.stdout.is_empty(), "{checked:#?}");

    drop(origin);
    let mut replay = command(&scene, client, "replay", "unshare");
    replay.args(["--user", "--map-root-user", "--net", "--", "sh", "-ec"]);
    replay.arg(r#"ip link set lo up; exec "$0" replay --strict "$@""#);
    replay.arg(env!("CARGO_BIN_EXE_buildproxy"));
    replay.arg("../proxy_content.nix").args(mode.options());
    let replayed = run(replay.args(["--", "sh", "-euc", client.script])).ok();

    for result in client.results {
        let read = |folder: &str| {
            let path = find(&scene.path(folder), result);
            let path = path.unwrap_or_else(|| {
                panic!("there is no {result} after the {folder}\n{captured:#?}\n{replayed:#?}")
            });
            fs::read(path).unwrap()
        };
        let captured = read("capture");
        assert!(!captured.is_empty(), "{result}");
        assert!(
            captured == read("replay"),
            "{result} differs: {}",
            replayed.stderr
        );
    }
}

/// Has buildproxy find the origin under all names.
fn reach(buildproxy: &mut Command, origin: Option<&Origin>) {
    if let Some(origin) = origin {
        buildproxy.args(origin.connect_to());
        buildproxy.env("SSL_CERT_FILE", origin.ca());
    }
}

/// A server of what the client is to download.
fn serve(scene: &Scene, source: Source) -> Option<Origin> {
    let (script, answers) = match source {
        Source::Folder(script) => (script, folder::answer as Answers),
        Source::Served(script, answers) => (script, answers),
        Source::Registry => return None,
    };
    let served = scene.path("served");
    fs::create_dir_all(&served).unwrap();
    let mut prepare = scene.command("sh");
    run(prepare.args(["-euc", script]).current_dir(&served)).ok();
    Some(Origin::start(move |asked| answers(asked, &served)))
}

/// A program in an empty folder.
fn command(scene: &Scene, client: &Client, name: &str, program: &str) -> Command {
    let folder = scene.path(name);
    fs::create_dir_all(&folder).unwrap();
    let mut command = match client.source {
        Source::Folder(_) | Source::Served(..) => {
            let mut command = scene.command(program);
            command.env("HOME", &folder);
            command
        }
        Source::Registry => of_this_machine(program, &folder),
    };
    command.current_dir(&folder);
    command.env("BUILDPROXY_CACHE", scene.path("bodies"));
    command.env("CLIENTS", own_clients());
    command
}

/// The path below `folder` that ends in `result`.
fn find(folder: &Path, result: &str) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().is_some_and(|path| path.ends_with(result)) {
                return Some(path);
            }
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            }
        }
    }
    None
}
