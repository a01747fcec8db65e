//! Runs Nix on a file that somebody else may have written.
//!
//! Evaluation alone can read every file of the user and send it away: `builtins.fetchurl` takes any URL, and
//! `builtins.readFile` any path. So it is restricted (`restrict-eval` of nix.conf): no network, nothing built,
//! nothing of the environment, and no file but those of the inventory's own folder and what the person allows.
//! Both its time and its memory are bounded.

use std::{
    env,
    ffi::OsString,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long an evaluation may take. One of 100,000 entries takes half of that.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How many bytes of memory it may have. One of 100,000 entries takes a third of that.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 4 << 30;

/// How many bytes it may come to. One of 100,000 entries comes to a tenth of that.
const LARGEST_RESULT: u64 = 512 << 20;

/// What of the environment Nix itself needs, to find its store and its settings.
const KEPT: &[&str] = &[
    "HOME",
    "PATH",
    "TMPDIR",
    "USER",
    "LD_LIBRARY_PATH",
    "NIX_CONFIG",
    "NIX_CONF_DIR",
    "NIX_DATA_DIR",
    "NIX_LOCALSTATE_DIR",
    "NIX_LOG_DIR",
    "NIX_REMOTE",
    "NIX_STATE_DIR",
    "NIX_STORE_DIR",
    "NIX_USER_CONF_FILES",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
];

/// Why Nix gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum NixRunError {
    /// There is no Nix.
    #[error("failed to run nix-instantiate")]
    NoNix(#[source] io::Error),
    /// It could not be spoken with.
    #[error("failed to hear from nix-instantiate")]
    Io(#[from] io::Error),
    /// It does not like what it was given.
    #[error("Nix cannot evaluate it: {0}")]
    Failed(String),
    /// It took too long.
    #[error("Nix was ended, as it took more than {} s", TIMEOUT.as_secs())]
    TooSlow,
    /// It came to too much.
    #[error("Nix was ended, as it came to more than {} MiB", LARGEST_RESULT >> 20)]
    TooLarge,
}

/// What an evaluation may read, but for the inventory's own folder: as Nix's option `-I` takes it, PATH or
/// NAME=PATH.
pub(super) type AllowedPaths = [OsString];

/// What `expression`, a function, makes of the file at `path`, which is absolute: JSON.
pub(super) fn evaluate(
    expression: &str,
    path: &Path,
    allowed: &AllowedPaths,
) -> Result<Vec<u8>, NixRunError> {
    let mut nix = Command::new("nix-instantiate");
    nix.args(["--eval", "--strict", "--json"]);
    for (name, value) in [
        ("restrict-eval", "true"),
        ("allow-import-from-derivation", "false"),
        ("allowed-uris", ""),
        // Nor is a store path fetched that it names.
        ("substituters", ""),
    ] {
        nix.args(["--option", name, value]);
    }
    for own in own_paths(path, home().as_deref()) {
        nix.arg("-I").arg(own);
    }
    for more in allowed {
        nix.arg("-I").arg(more);
    }
    nix.args(["--expr", expression, "--argstr", "file"])
        .arg(path);
    nix.env_clear();
    nix.envs(
        KEPT.iter()
            .filter_map(|name| Some((name, env::var_os(name)?))),
    );
    nix.stdin(Stdio::null());
    nix.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = nix.spawn().map_err(NixRunError::NoNix)?;
    limit_memory(&child);
    let result = listen(&mut child);
    // It has ended, or is to.
    let _ = child.kill();
    let _ = child.wait();
    result
}

/// What the inventory is made of: its folder. Where that is the home folder, or one above, everything of the user
/// would be in there, and so it is the file and the folder of vendored bodies alone.
fn own_paths(path: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    // Nix looks at where links lead.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(path);
    if home.is_some_and(|home| home.starts_with(folder)) {
        vec![path.to_owned(), path.with_extension("")]
    } else {
        vec![folder.to_owned()]
    }
}

fn home() -> Option<PathBuf> {
    let home = PathBuf::from(env::var_os("HOME")?);
    Some(home.canonicalize().unwrap_or(home))
}

#[cfg(target_os = "linux")]
fn limit_memory(child: &Child) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let limit = Rlimit {
        current: Some(MEMORY),
        maximum: Some(MEMORY),
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // It can have ended already.
    let _ = prlimit(pid, Resource::As, limit);
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_: &Child) {}

/// What it says on standard output, if it ends well and in time.
fn listen(child: &mut Child) -> Result<Vec<u8>, NixRunError> {
    let (sender, heard) = mpsc::channel();
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    thread::spawn(move || sender.send(read(output, LARGEST_RESULT + 1)));
    // What went wrong is at the end of it, but nobody reads a mebibyte.
    let errors = thread::spawn(move || read(errors, 1 << 20));
    let output = match heard.recv_timeout(TIMEOUT) {
        Ok(output) => output?,
        Err(_) => return Err(NixRunError::TooSlow),
    };
    if output.len() as u64 > LARGEST_RESULT {
        return Err(NixRunError::TooLarge);
    }
    if child.wait()?.success() {
        return Ok(output);
    }
    let errors = errors.join().unwrap_or_else(|_| Ok(Vec::new()))?;
    let said = String::from_utf8_lossy(&errors);
    let why = said.trim().trim_start_matches("error:").trim();
    Err(NixRunError::Failed(why.to_owned()))
}

fn read(from: Option<impl Read>, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What Nix says of a file that it may not read, as a hint for who may allow it.
pub(super) fn hint(said: &str) -> Option<&'static str> {
    let forbidden = ["in restricted mode", "is forbidden", "Nix search path"];
    forbidden.iter().any(|part| said.contains(part)).then_some(
        "the file is evaluated without network, environment, and what is outside of its folder; `--allow-path PATH` lets it read there, and `--allow-path nixpkgs=PATH` is what `<nixpkgs>` means",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_the_home_folder_does_not_open_all_of_it() {
        let home = Some(Path::new("/home/me"));
        let own = |path: &str| own_paths(Path::new(path), home);
        assert_eq!(own("/home/me/src/a.nix"), [Path::new("/home/me/src")]);
        for folder in ["/home/me", "/home", "/"] {
            let file = Path::new(folder).join("a.nix");
            let bodies = Path::new(folder).join("a");
            assert_eq!(own(file.to_str().unwrap()), [file, bodies]);
        }
    }
}
