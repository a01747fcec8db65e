//! Real clients, against the registries that they are configured for on this machine.
//!
//! Each is captured with the network, and replayed in a network namespace with nothing but loopback.
//! The addresses are the clients' business: none stands here.

use std::{fs, path::Path, process::Command};

use crate::support::{Scene, need, run};

/// Captures a command, and replays it, each with caches and results of its own.
struct Client {
    scene: Scene,
}

impl Client {
    fn new(program: &str, package: &str) -> Self {
        need(program, package);
        Self {
            scene: Scene::new(),
        }
    }

    /// The environment of this machine, which says where the registries are, but for caches and proxies.
    fn command(&self, program: &str, run: &str) -> Command {
        let mut command = Command::new(program);
        let fresh = |name: &str| self.scene.path(&format!("{run}/{name}"));
        fs::create_dir_all(fresh("work")).unwrap();
        command.current_dir(fresh("work"));
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.env("BUILDPROXY_CACHE", self.scene.path("bodies"));
        command
            .env("PIP_NO_CACHE_DIR", "1")
            .env("npm_config_cache", fresh("npm"));
        let cargo_home = fresh("cargo");
        fs::create_dir_all(&cargo_home).unwrap();
        let configured = std::env::var_os("CARGO_HOME").map_or_else(
            || Path::new(&std::env::var_os("HOME").unwrap()).join(".cargo"),
            Into::into,
        );
        for name in ["config", "config.toml"] {
            // Most machines have none.
            let _ = fs::copy(configured.join(name), cargo_home.join(name));
        }
        command.env("CARGO_HOME", cargo_home);
        command
    }

    /// Runs it both ways; `prepare` fills the work folder before each, and `result` must then be there.
    fn round(&self, arguments: &[&str], prepare: impl Fn(&Path), result: &str) {
        let buildproxy = env!("CARGO_BIN_EXE_buildproxy");
        let inventory = self.scene.path("proxy_content.nix");

        let mut capture = self.command(buildproxy, "capture");
        prepare(&self.scene.path("capture/work"));
        capture
            .args(["capture", "-o"])
            .arg(&inventory)
            .arg("--")
            .args(arguments);
        let captured = run(&mut capture).ok();
        assert!(self.has("capture", result), "{captured:?}");
        let entries = fs::read_to_string(&inventory).unwrap();
        assert!(entries.contains("fetchurl {"), "{captured:?}\n{entries}");

        let mut check = self.command(buildproxy, "check");
        let checked = run(check.args(["check", "--fetch"]).arg(&inventory)).ok();
        assert_eq!(
            checked.stdout, "",
            "every pin fetches again, and none moves"
        );

        let mut replay = self.command("unshare", "replay");
        prepare(&self.scene.path("replay/work"));
        replay.args(["--user", "--map-root-user", "--net", "--", "sh", "-ec"]);
        replay
            .arg(r#"ip link set lo up; exec "$0" replay --strict "$@""#)
            .arg(buildproxy);
        let replayed = run(replay.arg(&inventory).arg("--").args(arguments)).ok();
        assert!(self.has("replay", result), "{replayed:?}");
    }

    /// Whether there is a path that ends in `result`.
    fn has(&self, run: &str, result: &str) -> bool {
        fn any(folder: &Path, result: &str) -> bool {
            fs::read_dir(folder).unwrap().any(|entry| {
                let path = entry.unwrap().path();
                path.to_str().unwrap().ends_with(result) || (path.is_dir() && any(&path, result))
            })
        }
        any(&self.scene.path(run), result)
    }
}

#[test]
fn pip_downloads() {
    Client::new("pip", "python3-pip").round(
        &["pip", "download", "--no-deps", "six==1.16.0"],
        |_| {},
        "/six-1.16.0-py2.py3-none-any.whl",
    );
}

#[test]
fn npm_installs() {
    Client::new("npm", "npm").round(
        &["npm", "install", "is-number@7.0.0"],
        |folder| fs::write(folder.join("package.json"), "{}").unwrap(),
        "/node_modules/is-number/package.json",
    );
}

#[test]
fn cargo_fetches() {
    let manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
                    [lib]\npath = \"lib.rs\"\n[dependencies]\nitoa = \"=1.0.15\"\n";
    Client::new("cargo", "cargo").round(
        &["cargo", "fetch"],
        |folder| {
            fs::write(folder.join("Cargo.toml"), manifest).unwrap();
            fs::write(folder.join("lib.rs"), "").unwrap();
        },
        "/itoa-1.0.15.crate",
    );
}
