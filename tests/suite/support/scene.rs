//! A folder to run programs in, with an environment that has nothing of this machine.

use std::{
    collections::HashMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::Origin;

/// A home, a folder for temporary files and a work folder, all empty.
pub(crate) struct Scene {
    folder: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        // What nearly every script of a test runs: one that waits for it would wait for ever.
        need("curl", "curl");
        need("ip", "iproute2");
        need("python3", "python3");
        need("unshare", "util-linux");
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "tmp", "work"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    /// All of it.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the work folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join("work").join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program, to be run in the work folder.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path("")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.root().join("home"));
        command.env("TMPDIR", self.root().join("tmp"));
        command.env("LC_ALL", "C");
        command.stdin(Stdio::null());
        command
    }

    /// buildproxy.
    pub(crate) fn buildproxy(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_buildproxy"));
        command.args(arguments);
        command
    }

    /// `buildproxy capture`, with `origin` as all the world.
    pub(crate) fn capture(&self, origin: &Origin, arguments: &[&str]) -> Command {
        // The store of this machine is nobody's in a test.
        let mut command = self.buildproxy(&["capture", "--no-prefill"]);
        command.args(origin.connect_to()).args(arguments);
        command.env("SSL_CERT_FILE", origin.ca());
        command
    }

    /// `buildproxy capture` of a shell script.
    pub(crate) fn capture_script(&self, origin: &Origin, script: &str) -> Ran {
        run(&mut self.capture(origin, &["--", "sh", "-ec", script]))
    }

    /// `buildproxy replay` of a shell script, in a network namespace with nothing but loopback.
    pub(crate) fn replay_script(&self, script: &str) -> Ran {
        let mut command = self.offline(env!("CARGO_BIN_EXE_buildproxy"));
        run(command.args(["replay", "proxy_content.nix", "--", "sh", "-ec", script]))
    }

    /// A program in a network namespace with nothing but loopback.
    pub(crate) fn offline(&self, program: &str) -> Command {
        let mut command = self.command("unshare");
        command.args(["--user", "--map-root-user", "--net", "--", "sh", "-ec"]);
        command.args([r#"ip link set lo up; exec "$0" "$@""#, program]);
        command
    }

    /// `buildproxy replay --daemon`, and the environment that it prints.
    pub(crate) fn daemon(&self, inventory: &str, arguments: &[&str]) -> Background {
        let watch = std::process::id().to_string();
        let mut command = self.buildproxy(&["replay", inventory, "--daemon"]);
        command.args(arguments);
        if !arguments.contains(&"--watch-pid") {
            command.args(["--watch-pid", &watch]);
        }
        // Its standard error stays open in the background.
        let log = self.root().join("daemon.log");
        command.stderr(fs::File::create(&log).unwrap());
        let output = command.output().unwrap();
        let exports = String::from_utf8(output.stdout).unwrap();
        let said = fs::read_to_string(&log).unwrap();
        assert!(output.status.success(), "{}\n{said}", output.status);
        let variables = exports.lines().map(|line| {
            let line = line.strip_prefix("export ").unwrap();
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.trim_matches('\'').to_owned())
        });
        Background {
            variables: variables.collect(),
            log,
        }
    }
}

/// A replay in the background. It ends when this is dropped.
pub(crate) struct Background {
    variables: HashMap<String, String>,
    log: PathBuf,
}

impl Background {
    pub(crate) fn variable(&self, name: &str) -> &str {
        &self.variables[name]
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        self.variable("http_proxy").strip_prefix("http://").unwrap()
    }

    pub(crate) fn pid(&self) -> &str {
        self.variable("BUILDPROXY_PID")
    }

    /// What it said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .arg(self.pid())
            .stderr(Stdio::null())
            .status();
    }
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status;
        Self {
            status: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap()),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, if it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ends_with(0)
    }

    /// The same, if it ended with `status`.
    #[track_caller]
    pub(crate) fn ends_with(self, status: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.status, status, "stdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    /// The same, if it said so.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "{text:?} is not in:\n{}",
            self.stderr
        );
        self
    }
}

/// A program with the environment of this machine, by which its clients reach their registries, but with no proxy
/// and nothing cached. Its folder and that for caches is `folder`.
pub(crate) fn of_this_machine(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    for (variable, name) in [
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
    ] {
        command.env(variable, folder.join(name));
    }
    command
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    match command.output() {
        Ok(output) => Ran::of(&output),
        Err(error) => panic!("failed to run {command:?}: {error}"),
    }
}

/// What `tests/run` gets for the tests alone, beside the program under test.
pub(crate) fn own_clients() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_buildproxy"));
    let target = program.ancestors().nth(2).unwrap();
    target.join("clients")
}

/// Fails, and says what to install, where a program is not there.
#[track_caller]
pub(crate) fn need(program: &str, package: &str) {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .any(|folder| folder.join(program).is_file());
    assert!(
        found,
        "this test needs {program}; install it with: apt-get install {package}"
    );
}

/// Reads all that a child says on standard error, and waits for it.
pub(crate) fn finish(mut child: Child) -> Ran {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut stdout).unwrap();
    }
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_end(&mut stderr).unwrap();
    }
    let status = child.wait().unwrap();
    Ran::of(&Output {
        status,
        stdout,
        stderr,
    })
}

/// Waits until something has happened that nobody tells of.
#[track_caller]
pub(crate) fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not happen within 30 s");
        thread::sleep(Duration::from_millis(20));
    }
}
