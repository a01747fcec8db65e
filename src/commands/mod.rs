//! One file a verb: what the command line asks for, done with the rest of the crate.

mod add;
mod bundle;
mod capture;
mod check;
mod completions;
mod env;
mod evaluate;
mod export;
mod failure;
mod fetch;
mod front;
mod import;
mod inventory;
mod man;
mod output;
mod prefill;
mod replay;
mod restricted_nix;
mod routes;
mod status;
mod summary;
mod trusted_path;
mod update;

use std::{io, net::TcpListener, num::NonZero, thread};

pub use evaluate::EvaluateError;
use failure::{Context, Failure};
use globset::{Glob, GlobSet};
pub use import::ImportError;
pub use inventory::InventoryError;
pub use status::Status;
use tokio::runtime::{Builder, Runtime};

use crate::{
    bodies::BodyCache,
    capture::{Policy, Proof},
    cli::{CacheArgs, Cli, CommonArgs, PolicyArgs, Verb},
    inventory::query::IgnoredQuery,
    process::raise_open_files,
};

/// Does what the command line asks for, or tells the person what keeps it from being done.
#[must_use]
pub fn run(cli: &Cli) -> Status {
    verb(cli).unwrap_or_else(|failure| {
        failure.tell();
        failure.status()
    })
}

fn verb(cli: &Cli) -> Result<Status, Failure> {
    match &cli.verb {
        Verb::Capture(args) => capture::run(args),
        Verb::Replay(args) => replay::run(args),
        Verb::Check(args) => check::run(args),
        Verb::Add(args) => add::run(args),
        Verb::Update(args) => update::run(args),
        Verb::Import(args) => import::run(args),
        Verb::Export(args) => export::run(args),
        Verb::Env(args) => env::run(args),
        Verb::Completions { shell } => completions::run(*shell),
        Verb::Man { folder } => man::run(folder),
        #[cfg(target_os = "linux")]
        Verb::BecomeCommand { command } => {
            crate::transparent::become_command(command);
            Ok(Status::Failed)
        }
    }
}

impl CommonArgs {
    /// Listens where the command line says.
    fn bind(&self) -> Result<TcpListener, Failure> {
        let address = self.listen;
        let failed = || format!("failed to listen on {address}");
        if !address.ip().is_loopback() {
            return Err(Failure::Said(format!(
                "{}: others could use the proxy, it has to be a loopback address",
                failed()
            )));
        }
        let bind = || -> io::Result<TcpListener> {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        bind().with_context(failed)
    }
}

impl CacheArgs {
    /// The body cache that the command line says, or the user's.
    fn open(&self) -> Result<BodyCache, Failure> {
        match &self.body_cache {
            Some(folder) => Ok(BodyCache::at(std::path::absolute(folder)?)),
            None => Ok(BodyCache::of_user()?),
        }
    }
}

impl PolicyArgs {
    /// What is pinned.
    fn open(&self) -> Result<Policy, Failure> {
        let proof = if self.no_verify {
            Proof::None
        } else {
            self.verify
        };
        Ok(Policy::new(proof, set(&self.pin)?, set(&self.vendor)?))
    }

    /// What does not count.
    fn ignored(&self) -> IgnoredQuery {
        self.ignore_query.iter().cloned().collect()
    }
}

fn set(globs: &[Glob]) -> Result<GlobSet, Failure> {
    let mut set = GlobSet::builder();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build().context("failed to use a glob")
}

/// The most threads that a proxy is served on. Each takes a moment to start, and four serve several GB/s.
const THREADS: usize = 4;

/// The runtime on which a proxy is served. Where there is one core, it has one thread, which has less to do without
/// another one to wake.
fn runtime() -> Result<Runtime, Failure> {
    raise_open_files();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut builder = if cores == 1 {
        Builder::new_current_thread()
    } else {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(cores.min(THREADS));
        builder
    };
    builder
        .enable_all()
        .build()
        .context("failed to start the runtime")
}
