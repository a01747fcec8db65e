//! A machine that has Nix, as its user sees it: the store is /nix, nixpkgs is where flakes and
//! `<nixpkgs>` look for it, and buildproxy is where the README has it from.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Nix, NixScene, Origin, Ran, checkout,
    nix::{NOBODY, host_programs, is_root, run_by},
    run,
};

/// The address that stands for wherever buildproxy is had from.
const REPOSITORY: &str = "https://example.org/buildproxy";

/// For flakes nixpkgs is the stub, whatever they say. This is all that a user does not type.
const SHIM: &str = r#"#!/bin/sh
verb=$1
shift
if [ "$verb" = profile ]; then
  verb="profile $1"
  shift
fi
exec NIX $verb --override-input nixpkgs path:STUB --override-input nixpkgs/prebuilt path:PROGRAM "$@"
"#;

/// The same for `<nixpkgs>`.
const NIXPKGS: &str = r"{
  overlays ? [ ],
}:
import STUB {
  system = builtins.currentSystem;
  prebuilt = PROGRAM;
  inherit overlays;
}
";

/// The folder of the user's project is empty, at first.
pub(crate) struct Machine {
    scene: NixScene,
    proxy: String,
}

impl Machine {
    /// With `origin` as all the world, by the proxy of this network.
    pub(crate) fn new(nix: &Nix, origin: &Origin) -> Self {
        let scene = NixScene::new(nix);
        let path = |name: &str| scene.path(name);
        // Where there is no state of Nix, a newer one takes a store below the home.
        for name in ["nix/var/nix", "root", "bin", "home/work", "home/nixpkgs"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        let found = which(&scene.nix);
        let fill = |text: &str| {
            let stub = path("project/tests/nix/stub");
            let text = text.replace("NIX", found.to_str().unwrap());
            let text = text.replace("STUB", stub.to_str().unwrap());
            text.replace("PROGRAM", path("program").to_str().unwrap())
        };
        fs::write(path("bin/nix"), fill(SHIM)).unwrap();
        fs::set_permissions(path("bin/nix"), fs::Permissions::from_mode(0o755)).unwrap();
        // What else is in PATH may belong to another Nix.
        for name in ["nix-build", "nix-instantiate", "nix-shell", "nix-store"] {
            symlink(&found, path("bin").join(name)).unwrap();
        }
        fs::write(path("home/nixpkgs/default.nix"), fill(NIXPKGS)).unwrap();

        let repository = path("home/buildproxy");
        let mut copy = Command::new("cp");
        run(copy.arg("-r").arg(path("project")).arg(&repository)).ok();
        let gitconfig = format!(
            "[url \"file://{}\"]\n  insteadOf = {REPOSITORY}\n\
             [init]\n  defaultBranch = master\n\
             [user]\n  name = example\n  email = user@example.org\n",
            repository.display()
        );
        fs::write(path("home/.gitconfig"), gitconfig).unwrap();
        fs::copy(origin.ca(), path("home/ca.crt")).unwrap();
        scene.make_readable();
        let machine = Self {
            scene,
            proxy: origin.as_proxy(),
        };
        machine.hand_over(&["nix", "home"]);
        let commit = "git init --quiet && git add . && git commit --quiet -m it";
        machine.shell(&format!("cd ../buildproxy && {commit}")).ok();
        machine
    }

    /// Gives folders to the user.
    fn hand_over(&self, names: &[&str]) {
        if is_root() {
            let mut chown = Command::new("chown");
            chown.args(["-R", &format!("{NOBODY}:{NOBODY}")]);
            run(chown.args(names.iter().map(|name| self.scene.path(name)))).ok();
        }
    }

    /// A file of the user's project.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scene.path("home/work").join(name)
    }

    /// Writes a file of the user's project.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self.hand_over(&["home/work"]);
    }

    /// Runs what the user types, in the folder of the project. What it says is all on standard output.
    pub(crate) fn shell(&self, command: &str) -> Ran {
        let path = |name: &str| self.scene.path(name);
        let mut bash = self.scene.as_user(Path::new("bash"));
        bash.args(["-c", &format!("exec 2>&1\n{command}")]);
        bash.current_dir(path("home/work"));
        let search = env::var_os("PATH").unwrap();
        let search = [path("bin")].into_iter().chain(env::split_paths(&search));
        bash.env("PATH", env::join_paths(search).unwrap());
        bash.env(
            "NIX_PATH",
            format!("nixpkgs={}", path("home/nixpkgs").display()),
        );
        let settings = [
            "experimental-features = nix-command flakes",
            "sandbox = true",
            "sandbox-fallback = false",
            &format!("sandbox-paths = {}", host_programs()),
            "build-users-group =",
            "substituters =",
            "flake-registry =",
        ];
        bash.env("NIX_CONFIG", settings.join("\n"));
        for variable in ["http_proxy", "https_proxy"] {
            bash.env(variable, &self.proxy);
        }
        bash.env("SSL_CERT_FILE", path("home/ca.crt"));

        let mut outer = Command::new("unshare");
        let as_self = [
            format!("--map-user={}", rustix::process::geteuid().as_raw()),
            format!("--map-group={}", rustix::process::getegid().as_raw()),
        ];
        if !is_root() {
            outer.args(["--user", "--map-root-user"]);
        }
        outer.args(["--mount", "--"]);
        outer.arg(checkout("tests/nix/with-nix-folder.sh"));
        outer.args([path("nix"), path("root")]);
        if !is_root() {
            outer.args(["unshare", "--user"]).args(as_self).arg("--");
        }
        run(&mut run_by(outer, &bash))
    }
}

/// A program, where PATH has it.
fn which(program: &Path) -> PathBuf {
    let path = env::var_os("PATH").unwrap();
    let mut found = env::split_paths(&path).map(|folder| folder.join(program));
    found.find(|path| path.is_file()).unwrap()
}
