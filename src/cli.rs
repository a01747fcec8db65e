//! The command line.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    Arg, ArgAction, Args, Parser, Subcommand, ValueEnum,
    builder::{OsStringValueParser, PathBufValueParser, TypedValueParser},
};
use clap_complete::Shell;
use globset::Glob;

use crate::{
    capture::{Proof, Size},
    inventory::query::Parameter,
    upstream::ConnectTo,
};

/// The inventory that is meant where none is named.
pub const INVENTORY: &str = "proxy_content.nix";

/// Makes builds hermetic that insist on downloading.
///
/// `buildproxy capture` runs a build behind an intercepting proxy and writes an inventory: each URL with
/// the hash of what came back. `buildproxy replay` answers the same requests from the inventory, in the
/// Nix sandbox or wherever else there is no network.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Say more of what happens; twice, still more.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// What buildproxy can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a command, or a shell, and record what it downloads.
    Capture(CaptureArgs),
    /// Run a command, or a shell, and answer its downloads from an inventory, without a network.
    Replay(ReplayArgs),
    /// Say what is wrong with an inventory.
    Check(CheckArgs),
    /// Pin URLs without a build.
    Add(AddArgs),
    /// Fetch pins again, and write their new hashes into the inventory.
    Update(UpdateArgs),
    /// Take the lock of another tool over into an inventory.
    Import(ImportArgs),
    /// Print an inventory as the lock of another tool.
    Export(ExportArgs),
    /// Name the variables that the command is given, one a line.
    Env(EnvArgs),
    /// Print what completes the command line in a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Write the man pages, one a verb.
    Man {
        /// The folder to write them into. It is made where there is none.
        folder: PathBuf,
    },
    /// Become a command, in namespaces: what `--transparent` runs buildproxy as.
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    BecomeCommand {
        /// The command and its arguments.
        #[arg(last = true)]
        command: Vec<OsString>,
    },
}

/// `buildproxy capture`.
#[derive(Debug, Args)]
pub struct CaptureArgs {
    /// The inventory to write. What it has already is kept.
    #[arg(short, long, value_name = "FILE", default_value = INVENTORY)]
    pub output: PathBuf,
    /// What becomes of what the inventory has.
    #[command(flatten)]
    pub merge: MergeArgs,
    /// Do not put what is pinned into the Nix store, where the next `nix build` looks for it.
    #[arg(long)]
    pub no_prefill: bool,
    /// What is pinned.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Give redirects of these URLs to the client, whatever they lead to.
    ///
    /// Without it, those are given to the client that it asks for with HEAD, that say something which what
    /// they lead to does not, or that lead to what may name other things relative to itself: pages, modules,
    /// style sheets, manifests, and what is not known. All others are followed for the client.
    #[arg(long, value_name = "GLOB")]
    pub keep_redirects: Vec<Glob>,
    /// Follow redirects of these URLs for the client, but for those that --keep-redirects matches.
    #[arg(long, value_name = "GLOB")]
    pub follow_redirects: Vec<Glob>,
    /// Reach these hosts without the proxy, as well as those of this machine: names, addresses, or
    /// domains with a leading dot.
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        conflicts_with = "transparent"
    )]
    pub no_proxy: Vec<String>,
    /// Do not record bodies above SIZE, such as 500MB or 2GiB; the command gets them all the same.
    ///
    /// Without this option, bodies are as large as the disk. Always, a request's body is at most 64 MiB,
    /// a head at most 384 KiB and 256 headers, and a capture at most 100,000 exchanges.
    #[arg(long, value_name = "SIZE")]
    pub max_body: Option<Size>,
    /// How the real servers are asked.
    #[command(flatten)]
    pub upstream: UpstreamArgs,
    /// How an inventory is evaluated.
    #[command(flatten)]
    pub evaluation: EvalArgs,
    /// What capture and replay have.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `buildproxy replay`.
#[derive(Debug, Args)]
#[command(mut_args(upstream_only_with_fetch))]
pub struct ReplayArgs {
    /// A `proxy_content.nix`, or a manifest (JSON).
    #[arg(value_name = "INVENTORY")]
    pub inventory: PathBuf,
    /// Exit with status 4 where a request was not answered.
    ///
    /// With --daemon, the process of --watch-pid gets the signal USR2 whenever a request is not answered,
    /// before its client hears of it.
    #[arg(long)]
    pub strict: bool,
    /// Download pins that are not in the body cache, or damaged there, before the command runs.
    #[arg(long)]
    pub fetch: bool,
    /// With --fetch, how the real servers are asked.
    #[command(flatten)]
    pub upstream: UpstreamArgs,
    /// Go on in the background, and print the environment as `export` lines.
    #[arg(long, conflicts_with_all = ["command", "transparent"])]
    pub daemon: bool,
    /// End when the process PID ends.
    #[arg(long, value_name = "PID", requires = "daemon", required_if_eq_all = [("daemon", "true"), ("strict", "true")], value_parser = clap::value_parser!(i32).range(1..))]
    pub watch_pid: Option<i32>,
    /// How an inventory is evaluated.
    #[command(flatten)]
    pub evaluation: EvalArgs,
    /// What capture and replay have.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `buildproxy env`.
#[derive(Debug, Args)]
pub struct EnvArgs {
    /// Also say what each is set to, and who reads it.
    #[arg(long)]
    pub list: bool,
}

/// `buildproxy check`.
#[derive(Debug, Args)]
#[command(mut_args(upstream_only_with_fetch))]
pub struct CheckArgs {
    /// A `proxy_content.nix`, or a manifest (JSON).
    #[arg(value_name = "FILE", default_value = INVENTORY)]
    pub file: PathBuf,
    /// Delete entries that repeat an earlier one exactly, and each `content-length` that is not the body's.
    #[arg(long)]
    pub fix: bool,
    /// Download every pin, and compare it with its hash.
    #[arg(long)]
    pub fetch: bool,
    /// With --fetch, how the real servers are asked.
    #[command(flatten)]
    pub upstream: UpstreamArgs,
    /// Where bodies are kept.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// How an inventory is evaluated.
    #[command(flatten)]
    pub evaluation: EvalArgs,
}

/// What becomes of what an inventory has already. Without either, it is kept.
#[derive(Debug, Default, Args)]
pub struct MergeArgs {
    /// Start afresh, without what the inventory has already.
    #[arg(long)]
    pub replace: bool,
    /// Replace changed pins in place, instead of reporting them.
    #[arg(long, conflicts_with = "replace")]
    pub update: bool,
}

/// `buildproxy import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The lock: mitm-cache's own, or the compressed one that nixpkgs' gradle has.
    #[arg(value_name = "LOCK")]
    pub lock: PathBuf,
    /// The inventory to write. What it has already is kept.
    #[arg(short, long, value_name = "FILE", default_value = INVENTORY)]
    pub output: PathBuf,
    /// What becomes of what the inventory has.
    #[command(flatten)]
    pub merge: MergeArgs,
    /// Where bodies are kept.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// How an inventory is evaluated.
    #[command(flatten)]
    pub evaluation: EvalArgs,
}

/// `buildproxy export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A `proxy_content.nix`.
    #[arg(value_name = "FILE", default_value = INVENTORY)]
    pub file: PathBuf,
    /// What to print.
    #[arg(long, value_name = "FORMAT")]
    pub format: LockFormat,
    /// How an inventory is evaluated.
    #[command(flatten)]
    pub evaluation: EvalArgs,
}

/// The lock of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LockFormat {
    /// mitm-cache's, uncompressed.
    MitmCache,
}

/// What is pinned, whatever speaks for or against it.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// Pin what a GET of these URLs gave, whatever speaks against it.
    #[arg(long, value_name = "GLOB")]
    pub pin: Vec<Glob>,
    /// Vendor the bodies of these URLs in any case.
    #[arg(long, value_name = "GLOB")]
    pub vendor: Vec<Glob>,
    /// Fetch these pins a second time, to see that a plain download gives the same.
    #[arg(long, value_name = "WHICH", default_value = "uncertain")]
    pub verify: Proof,
    /// The same as `--verify none`.
    #[arg(long, conflicts_with = "verify")]
    pub no_verify: bool,
    /// Query parameters that do not count, such as `_` in `?_=1700000000`: in a replay, they may have any value.
    #[arg(long, value_name = "NAME")]
    pub ignore_query: Vec<Parameter>,
}

/// `buildproxy add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The inventory to write. What it has already is kept.
    #[arg(value_name = "FILE", value_parser = file())]
    pub file: PathBuf,
    /// What is to be fetched.
    #[arg(value_name = "URL", required = true)]
    pub urls: Vec<String>,
    /// Ask with this header, such as `accept: application/json`, as the build does.
    #[arg(long, value_name = "NAME:VALUE")]
    pub header: Vec<String>,
    /// What is pinned.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Do not put what is pinned into the Nix store, where the next `nix build` looks for it.
    #[arg(long)]
    pub no_prefill: bool,
    /// How the real servers are asked.
    #[command(flatten)]
    pub upstream: UpstreamArgs,
    /// Where bodies are kept.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// How an inventory is evaluated.
    #[command(flatten)]
    pub evaluation: EvalArgs,
}

/// `buildproxy update`.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// A `proxy_content.nix`; but with `*` or `://` in it, it is the first glob, and the file is
    /// `proxy_content.nix`, as it is without arguments.
    #[arg(value_name = "FILE", value_parser = file_or_glob())]
    pub first: Option<FileOrGlob>,
    /// Only pins of these URLs: the entry's, or the one that its fetchurl has.
    #[arg(value_name = "URL-GLOB")]
    pub globs: Vec<Glob>,
    /// Write nothing, but say what has changed; that makes the exit status 1.
    #[arg(long)]
    pub check: bool,
    /// Do not put what was fetched into the Nix store, where the next `nix build` looks for it.
    #[arg(long)]
    pub no_prefill: bool,
    /// How the real servers are asked.
    #[command(flatten)]
    pub upstream: UpstreamArgs,
    /// Where bodies are kept.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// How an inventory is evaluated.
    #[command(flatten)]
    pub evaluation: EvalArgs,
}

/// An argument that may be left out.
#[derive(Clone, Debug)]
pub enum FileOrGlob {
    /// A file.
    File(PathBuf),
    /// What can only be a glob for URLs.
    Glob(Glob),
}

fn file_or_glob() -> impl TypedValueParser<Value = FileOrGlob> {
    OsStringValueParser::new().try_map(|argument| match argument.to_str() {
        Some(text) if text.contains('*') || text.contains("://") => {
            Glob::new(text).map(FileOrGlob::Glob)
        }
        _ => Ok(FileOrGlob::File(argument.into())),
    })
}

fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.to_string_lossy().contains("://") {
            Err("a FILE such as proxy_content.nix comes before the URLs")
        } else {
            Ok(path)
        }
    })
}

/// What all have that ask the real servers.
#[derive(Debug, Args)]
pub struct UpstreamArgs {
    /// Connect to HOST2:PORT2 where a URL says HOST1:PORT1, as curl's option of that name.
    #[arg(long, value_name = "HOST1:PORT1:HOST2:PORT2")]
    pub connect_to: Vec<ConnectTo>,
    /// Give a download up when nothing of it has come for so long.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub stall_timeout: u64,
}

impl UpstreamArgs {
    /// How long a server may be silent.
    #[must_use]
    pub fn stall(&self) -> Duration {
        Duration::from_secs(self.stall_timeout)
    }
}

/// Of a verb that asks the real servers only where it is told to.
fn upstream_only_with_fetch(option: Arg) -> Arg {
    match option.get_id().as_str() {
        "connect_to" | "stall_timeout" => option.requires("fetch").help_heading("With --fetch"),
        _ => option,
    }
}

/// How an inventory is read that is more than literals, which Nix has to evaluate.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Evaluation")]
pub struct EvalArgs {
    /// Refuse an inventory that Nix would have to evaluate, because it is more than literals.
    #[arg(long)]
    pub no_eval: bool,
    /// Let Nix read PATH when it evaluates an inventory, as well as the inventory's own folder; with NAME, it
    /// is what `<NAME>` means.
    #[arg(long, value_name = "[NAME=]PATH", conflicts_with = "no_eval")]
    pub allow_path: Vec<OsString>,
}

/// What all have that keep bodies.
#[derive(Debug, Args)]
pub struct CacheArgs {
    /// The folder for the bodies of captured downloads [default: buildproxy in the user's cache folder].
    #[arg(
        long,
        value_name = "FOLDER",
        env = "BUILDPROXY_CACHE",
        hide_env_values = true
    )]
    pub body_cache: Option<PathBuf>,
}

/// What capture and replay have.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// The address to listen on. Only loopback addresses are allowed.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:0",
        hide_default_value = true
    )]
    pub listen: SocketAddr,
    /// Let this user of the machine use the proxy too, as well as you and root: a name or a number.
    #[arg(long, value_name = "USER", conflicts_with = "transparent")]
    pub allow_user: Vec<String>,
    /// Write the certificates that clients are to trust to FILE as well (PEM), for clients that are not
    /// started by buildproxy. It stays there.
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Give the command a network of its own, in which all addresses lead to buildproxy, also for
    /// programs that know nothing of proxies (Linux).
    #[arg(long, conflicts_with = "listen")]
    pub transparent: bool,
    /// Where bodies are kept.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// The command and its arguments. Without one, a shell.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
