//! A real Nix: a store of the test's own, real sandboxes, and the program under test in them.
//!
//! As root, Nix runs as an unprivileged user: without a group of build users, a builder of root's
//! could write to the host's /usr, which its sandbox sees.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::{Origin, Ran, need, run};

/// Who Nix runs as, in root's stead: nobody, by tradition.
pub(super) const NOBODY: u32 = 65534;

/// What of the project Nix is given: a copy, as `path:` takes all that is there, and as the user
/// that Nix runs as may not read the checkout.
const PROJECT: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "default.nix",
    "example",
    "flake.lock",
    "flake.nix",
    "nix",
    "src",
    "tests/bench",
    "tests/golden",
    "tests/nix/stub",
    "tests/suite/main.rs",
];

/// A file or folder of the checkout.
pub(crate) fn checkout(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// As Nix calls this machine.
pub(crate) fn system() -> String {
    format!("{}-{}", env::consts::ARCH, env::consts::OS)
}

/// A Nix that is installed.
pub(crate) struct Nix(PathBuf);

impl Nix {
    /// The one in PATH.
    pub(crate) fn installed() -> Self {
        need("nix", "nix-bin");
        Self("nix".into())
    }

    /// The one of a later release of the distribution (trixie, or `BUILDPROXY_TEST_NIX_SUITE`),
    /// unpacked beside the program under test. It is fetched once, be it asked for by many tests
    /// at a time.
    pub(crate) fn newer() -> Self {
        need("flock", "util-linux");
        let suite = env::var("BUILDPROXY_TEST_NIX_SUITE").unwrap_or("trixie".to_owned());
        let folder = base().join(format!("nix-{suite}"));
        let mut get = Command::new("flock");
        get.arg(folder.with_extension("lock"));
        get.arg(checkout("tests/nix/get-nix.sh"))
            .arg(&suite)
            .arg(&folder);
        let got = run(get.stdin(Stdio::null())).ok();
        Self(got.stdout.trim_end().into())
    }

    /// The program.
    pub(crate) fn program(&self) -> &Path {
        &self.0
    }
}

/// Functions of a module that take a [`Nix`], as tests with the installed one and with the newer one.
macro_rules! with_both {
    ($($test:ident,)*) => {
        mod with_the_installed_nix {
            use crate::support::Nix;
            $(#[test] fn $test() { super::$test(&Nix::installed()); })*
        }
        mod with_a_newer_nix {
            use crate::support::Nix;
            $(#[test] fn $test() { super::$test(&Nix::newer()); })*
        }
    };
}

pub(crate) use with_both;

/// Where this test's folders are: Nix has to be able to enter it.
fn base() -> &'static Path {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(base).unwrap();
    for folder in base.ancestors().filter(|_| is_root()) {
        let mode = fs::metadata(folder).unwrap().mode();
        assert!(
            mode & 0o001 != 0,
            "Nix runs as the user {NOBODY} in this test, who may not enter {}; \
             run the tests as another user than root, or with CARGO_TARGET_DIR elsewhere",
            folder.display()
        );
    }
    base
}

/// The folders of this machine that builds see: programs, and what of them Debian keeps in /etc, which is
/// the choice of a Java and its configuration.
pub(super) fn host_programs() -> String {
    let of_java = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with("java-"));
    let etc = fs::read_dir("/etc").unwrap();
    let java = etc
        .map(Result::unwrap)
        .filter(|entry| of_java(&entry.file_name()));
    let java = java.map(|entry| format!(" {}", entry.path().display()));
    format!(
        "/usr /lib /lib64 /bin /etc/alternatives?{}",
        java.collect::<String>()
    )
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A Nix with a store that is its own and has nothing in it, a copy of the project, and a flake that
/// uses it.
pub(crate) struct NixScene {
    pub(super) nix: PathBuf,
    folder: TempDir,
}

impl NixScene {
    pub(crate) fn new(nix: &Nix) -> Self {
        need("setpriv", "util-linux");
        need("strip", "binutils");
        let folder = TempDir::with_prefix_in("nix-", base()).unwrap();
        let scene = Self {
            nix: nix.0.clone(),
            folder,
        };
        fs::set_permissions(scene.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["home", "home/tmp", "program", "project", "flake"] {
            fs::create_dir(scene.path(name)).unwrap();
        }
        for name in ["home", "home/tmp"].iter().filter(|_| is_root()) {
            chown(scene.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut copy = Command::new("cp");
        copy.args(["-r", "--parents"]).args(PROJECT);
        copy.arg(scene.path("project")).current_dir(checkout(""));
        run(&mut copy).ok();
        // What a debugger reads would be most of what Nix copies.
        let mut strip = Command::new("strip");
        strip.arg("-o").arg(scene.path("program/buildproxy"));
        run(strip.arg(env!("CARGO_BIN_EXE_buildproxy"))).ok();
        scene
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of the flake that uses the project.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path("flake").join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    /// Writes a flake that uses the project, by the attributes that it has. They can name `pkgs`
    /// and what the project's lib has.
    pub(crate) fn write_flake(&self, attributes: &str) {
        let text = r#"{
            inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
            inputs.buildproxy.url = "path:/overridden";
            inputs.buildproxy.inputs.nixpkgs.follows = "nixpkgs";
            outputs =
              { nixpkgs, buildproxy, ... }:
              let
                pkgs = nixpkgs.legacyPackages.SYSTEM;
                inherit (buildproxy.lib.SYSTEM) mkBuildproxy mkBuildproxyShell;
              in
              {
                legacyPackages.SYSTEM = { ATTRIBUTES };
              };
          }"#;
        let text = text.replace("SYSTEM", &system());
        self.write("flake.nix", &text.replace("ATTRIBUTES", attributes));
    }

    /// An attribute of the project's flake.
    pub(crate) fn of_project(&self, attribute: &str) -> String {
        format!("path:{}#{attribute}", self.path("project").display())
    }

    /// An attribute of the flake that uses the project.
    pub(crate) fn of_flake(&self, attribute: &str) -> String {
        format!("path:{}#{attribute}", self.path("flake").display())
    }

    /// The program itself, run by the user whose store it is.
    pub(crate) fn buildproxy(&self) -> Command {
        let mut buildproxy = self.as_user(&self.path("program/buildproxy"));
        let path = env::var_os("PATH").unwrap();
        let tools = self.path("tools");
        if self.nix.is_absolute() && !tools.exists() {
            // What else is beside it belongs to another release of the distribution.
            fs::create_dir(&tools).unwrap();
            symlink(&self.nix, tools.join("nix-store")).unwrap();
        }
        let path = env::join_paths([tools].into_iter().chain(env::split_paths(&path))).unwrap();
        buildproxy.env("PATH", path);
        buildproxy.env("NIX_REMOTE", self.path("home/store"));
        buildproxy
    }

    /// The home of that user.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// A program, run by the user whose store it is.
    pub(super) fn as_user(&self, program: &Path) -> Command {
        let mut command = if is_root() {
            let mut setpriv = Command::new("setpriv");
            setpriv.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
            setpriv.arg("--clear-groups").arg(program);
            setpriv
        } else {
            Command::new(program)
        };
        let home = self.path("home");
        command.env_clear().current_dir(&home).stdin(Stdio::null());
        command
            .env("PATH", env::var_os("PATH").unwrap())
            .env("HOME", &home)
            .env("TMPDIR", home.join("tmp"));
        command
    }

    /// Has the user whose store it is read what Nix is given.
    pub(super) fn make_readable(&self) {
        let mut readable = Command::new("chmod");
        readable.args(["-R", "a+rX"]);
        for name in ["program", "project", "flake"] {
            readable.arg(self.path(name));
        }
        run(&mut readable).ok();
    }

    /// A command of Nix for one of the two flakes; what is added to it are operands. Nothing is
    /// substituted, nothing that evaluates may wait for a build, and only downloads with a hash see the
    /// machine's network.
    pub(crate) fn nix(&self, command: &[&str], installable: &str) -> Command {
        self.make_readable();
        let mut nix = self.as_user(&self.nix);
        let home = self.path("home");
        nix.args(["--extra-experimental-features", "nix-command flakes"]);
        nix.args(command).arg("--store").arg(home.join("store"));
        for (option, value) in [
            ("sandbox", "true"),
            ("sandbox-fallback", "false"),
            ("build-users-group", ""),
            ("allow-import-from-derivation", "false"),
            ("substituters", ""),
            ("sandbox-paths", &host_programs()),
        ] {
            nix.args(["--option", option, value]);
        }
        let path = |name| format!("path:{}", self.path(name).display());
        let mut inputs = vec![
            ("nixpkgs", path("project/tests/nix/stub")),
            ("nixpkgs/prebuilt", path("program")),
        ];
        if installable.starts_with(&path("flake")) {
            inputs.push(("buildproxy", path("project")));
        }
        for (input, source) in inputs {
            nix.args(["--override-input", input, &source]);
        }
        nix.args(["--no-write-lock-file", installable]);
        nix
    }

    /// Builds, and gives the output by the path that it has on this machine.
    #[track_caller]
    pub(crate) fn build(&self, origin: &Origin, installable: &str) -> PathBuf {
        let command = ["build", "--no-link", "--json", "--print-build-logs"];
        let said = run(reach(&mut self.nix(&command, installable), origin)).ok();
        let results: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let output = results[0]["outputs"]["out"].as_str().unwrap();
        self.path("home/store")
            .join(output.strip_prefix('/').unwrap())
    }

    /// Fails to build, and gives what was said.
    #[track_caller]
    pub(crate) fn fail_to_build(&self, installable: &str) -> Ran {
        let command = ["build", "--no-link", "--print-build-logs"];
        run(&mut self.nix(&command, installable)).ends_with(1)
    }
}

impl Drop for NixScene {
    fn drop(&mut self) {
        // Folders of a store are read-only, also for who wants to remove them.
        let mut writable = Command::new("chmod");
        let _ = writable
            .args(["-R", "u+w"])
            .arg(self.folder.path())
            .status();
    }
}

/// The same command with no network at all.
pub(crate) fn cut_off(command: &Command) -> Command {
    need("unshare", "util-linux");
    let mut offline = Command::new("unshare");
    if !is_root() {
        offline.args(["--user", "--map-current-user"]);
    }
    offline.args(["--net", "--"]);
    run_by(offline, command)
}

/// A command, as the last arguments of another, which gets its environment and its folder.
pub(super) fn run_by(mut outer: Command, command: &Command) -> Command {
    outer.arg(command.get_program()).args(command.get_args());
    outer.env_clear().stdin(Stdio::null());
    outer.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        outer.env(name, value.unwrap());
    }
    outer
}

/// Has downloads of Nix find `origin`, whatever their URL says.
pub(crate) fn reach<'a>(nix: &'a mut Command, origin: &Origin) -> &'a mut Command {
    nix.env("NIX_CURL_FLAGS", origin.connect_to().join(" "))
}
