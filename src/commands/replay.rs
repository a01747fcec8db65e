//! `buildproxy replay`: runs a command, a shell, or whoever gets the environment, behind an inventory.

use std::{
    collections::BTreeMap,
    io::{Write, stdout},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::process::Pid;

use super::{
    Context, Failure, Status,
    bundle::write_bundle,
    fetch::fetch_all,
    front::Front,
    inventory::{self, Inventory},
    routes::warn_of_unreached,
    runtime,
};
use crate::{
    bodies::BodyCache,
    cli::{ReplayArgs, UpstreamArgs},
    inventory::{Body, Entry},
    process::{Fork, Inherited, Job, Mode, Signals, ended, exit_code, fork},
    proxy::{Authority, FrontDoor},
    replay::{Matcher, Replay, ShelfError, shelve},
    report::{chain, say},
    trust::{Direct, Environment, Files, Roots, Settings, Terms, inherited},
    upstream::Keep,
};

/// So many bodies that are missing are named.
const NAMED: usize = 10;

pub(super) fn run(args: &ReplayArgs) -> Result<Status, Failure> {
    let not_ours = Inherited::of_start();
    let matcher = matcher(args)?;
    let authority = Authority::new()?;
    let front = Front::open(&args.common)?;
    let way = front.way()?;
    let terms = Terms {
        mode: Mode::Replay,
        way,
        direct: Direct::default(),
        settings: Settings::read(inherited),
    };
    warn_of_unreached(&terms);
    // Nothing but the authority is trusted: nothing else can be reached.
    let files = Files::make(authority.certificate(), &Roots::none(), &terms, inherited)?;
    write_bundle(&files, args.common.bundle.as_deref())?;
    let environment = Environment::new(&terms, &files, inherited);
    let watched = args.watch_pid.and_then(Pid::from_raw);
    let alarmed = watched.filter(|_| args.strict);
    let replay = Replay::new(matcher, edited(&args.inventory), alarmed);
    let replay = Arc::new(replay);
    let door = FrontDoor::new(Arc::new(authority), Arc::clone(&replay));

    if args.daemon {
        // The background gets the files, which go with it, and so does all the rest.
        let forked = fork(not_ours).context("failed to go into the background")?;
        if let Fork::Foreground(background) = forked {
            std::mem::forget(files);
            print_exports(&environment, background)?;
            // The system takes the memory back faster than we would, in one piece.
            std::mem::forget((replay, door));
            return Ok(Status::Done);
        }
        runtime()?.block_on(async {
            let mut signals = Signals::take()?;
            front.serve(door)?;
            tokio::select! {
                () = until(watched) => {}
                _ = signals.next() => {}
            }
            Ok::<_, Failure>(())
        })?;
        return Ok(Status::Done);
    }

    let mut job = Job::new(&args.common.command, Mode::Replay).context("failed to make a shell")?;
    job.envs(environment.iter());
    job.envs_remove(environment.removed());
    let status = runtime()?.block_on(async {
        let mut signals = Signals::take()?;
        front.run(door, job, &files, &mut signals).await
    })?;
    let summary = replay.summary();
    say(&summary.to_string());
    if args.strict && summary.unanswered() > 0 {
        return Ok(Status::Missed);
    }
    Ok(Status::Command(exit_code(status)))
}

/// Waits for the end of a process; of none, for ever.
async fn until(watched: Option<Pid>) {
    match watched {
        Some(process) => ended(process).await,
        None => std::future::pending().await,
    }
}

fn print_exports(environment: &Environment, background: Pid) -> Result<(), Failure> {
    let exports = environment.to_exports();
    let pid = background.as_raw_nonzero();
    writeln!(stdout(), "{exports}export BUILDPROXY_PID='{pid}'")
        .context("failed to print the environment")
}

/// The file that a person adds to. A manifest was made from one, of which the name is not known.
fn edited(inventory: &Path) -> PathBuf {
    if inventory.extension().is_some_and(|ending| ending == "nix") {
        inventory.to_owned()
    } else {
        "proxy_content.nix".into()
    }
}

/// Everything that the inventory answers, ready to be given.
fn matcher(args: &ReplayArgs) -> Result<Matcher, Failure> {
    let path = std::path::absolute(&args.inventory)?;
    let entries = match inventory::open(&path, &args.evaluation)? {
        Inventory::Entries(entries) => entries,
        Inventory::Index(index) => return Ok(Matcher::indexed(index)),
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    if args.fetch {
        let cache = args.common.cache.open()?;
        fetch_missing(&path, &entries, &cache, &args.upstream)?;
    }
    let cache = args.common.cache.open().ok();
    match shelve(entries, folder, cache.as_ref()) {
        Ok(answers) => Ok(Matcher::new(answers)),
        Err(missing) => Err(Unanswered { path, missing }.into()),
    }
}

/// Entries that cannot be answered.
#[derive(Debug, thiserror::Error)]
#[error("{}", describe(path, missing.iter().map(|error| chain(error))))]
pub(super) struct Unanswered {
    path: PathBuf,
    missing: Vec<ShelfError>,
}

impl Unanswered {
    /// The exit status: that of a wrong inventory, unless it is this machine that does not have all.
    pub(super) fn status(&self) -> Status {
        let is_wrong = self.missing.iter().any(|error| match error {
            ShelfError::NoHash { .. } | ShelfError::File { .. } | ShelfError::Entry(_) => true,
            ShelfError::NotCached { .. } | ShelfError::NoCache { .. } => false,
        });
        if is_wrong {
            Status::Wrong
        } else {
            Status::Failed
        }
    }

    /// What the person can do.
    pub(super) fn hint(&self) -> Option<&'static str> {
        let mut hints = self.missing.iter().filter_map(|error| match error {
            ShelfError::NotCached { .. } => {
                Some("`--fetch` downloads what is not in the body cache")
            }
            ShelfError::NoHash { .. } => Some("`buildproxy update` writes hashes that are missing"),
            ShelfError::Entry(_) | ShelfError::File { .. } | ShelfError::NoCache { .. } => None,
        });
        hints.next()
    }
}

/// Downloads the pins that are not in the body cache, or are damaged there.
fn fetch_missing(
    inventory: &Path,
    entries: &[Entry],
    cache: &BodyCache,
    upstream: &UpstreamArgs,
) -> Result<(), Failure> {
    let mut missing = BTreeMap::new();
    for entry in entries {
        if let Body::Pin(pin) = &entry.body
            && let Some(hash) = &pin.hash
        {
            missing.entry(hash).or_insert(pin);
        }
    }
    let all: Vec<_> = missing.keys().copied().collect();
    for (hash, damage) in all.iter().zip(cache.check(&all)) {
        if let Some(error) = damage {
            say(&chain(&error));
        } else if cache.get(hash).is_some() {
            missing.remove(hash);
        }
    }
    let wanted: Vec<_> = missing
        .iter()
        .map(|(hash, pin)| (*pin, hash.algorithm()))
        .collect();
    let outcomes = fetch_all(&wanted, upstream, Keep::In(cache))?;
    let failed: Vec<String> = outcomes
        .iter()
        .zip(missing)
        .filter_map(|(outcome, (expected, pin))| {
            let url = &pin.url;
            match outcome.as_ref() {
                Ok(got) if got.hash == *expected => None,
                Ok(got) => Some(format!(
                    "{url} gives other bytes now: expected {expected}, got {}",
                    got.hash
                )),
                Err(error) => Some(format!("{url} cannot be fetched: {}", chain(error))),
            }
        })
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Said(describe(inventory, failed.into_iter())))
}

fn describe(path: &Path, wrong: impl ExactSizeIterator<Item = String>) -> String {
    let mut lines = vec![format!("failed to replay '{}'", path.display())];
    let all = wrong.len();
    lines.extend(wrong.take(NAMED).map(|error| format!("  {error}")));
    if all > NAMED {
        lines.push(format!("  and {} more", all - NAMED));
    }
    lines.join("\n")
}
