//! `buildproxy capture`: runs a command, or a shell, and writes an inventory of what it downloads.

use std::{
    fs::{self, Permissions},
    io::{self, IsTerminal, Write, stderr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use globset::{Glob, GlobSet};
use tempfile::NamedTempFile;

use super::{front::Front, inventory, runtime};
use crate::{
    capture::{
        Bounds, Capture, Policy, Progress, Proof, Record, Recorder, Recording, Upstream, assemble,
    },
    cli::CaptureArgs,
    emit::{Changes, Merged},
    inventory::{Body, nix::Document},
    process::{Job, Mode, Signals, exit_code},
    proxy::{Authority, FrontDoor},
    report::{Summary, count, say},
    trust::{Environment, Files, Reach, Roots, inherited},
};

/// So long a person is not told why nothing happens when the command has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why an inventory cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the inventory '{}'", path.display())]
struct WriteError {
    path: PathBuf,
    source: io::Error,
}

pub(super) fn run(args: &CaptureArgs) -> anyhow::Result<u8> {
    // Whatever would keep the record from being written is better known before hours of build.
    let changes = if args.update {
        Changes::Update
    } else {
        Changes::Keep
    };
    let output = Output::open(&args.output, args.replace, changes)?;
    let cache = args.common.cache()?;
    drop(cache.begin()?);

    let roots = Roots::of_platform();
    let authority = Authority::new()?;
    let front = Front::open(&args.common)?;
    let way = front.way()?;
    let files = Files::make(authority.certificate(), &roots, way, inherited)?;
    let reach = Reach::LoopbackAnd(args.no_proxy.clone());
    let environment = Environment::new(way, &files, &reach, inherited);
    let mut job =
        Job::new(&args.common.command, Mode::Capture).context("failed to make a shell")?;
    job.envs(environment.iter());
    job.envs_remove(environment.removed());

    // A person looks at a terminal; in a shell, it is theirs.
    let looks = stderr().is_terminal() && !args.common.command.is_empty();
    let recorder = Arc::new(Recorder::new(if looks {
        Progress::Lines
    } else {
        Progress::Quiet
    }));
    let policy = Policy {
        proof: if args.no_verify {
            Proof::Skip
        } else {
            Proof::Fetch
        },
        pin: set(&args.pin)?,
        vendor: set(&args.vendor)?,
    };
    let upstream = Upstream::new(&roots, &args.connect_to);
    let capture = Capture::new(
        upstream,
        cache,
        Arc::clone(&recorder),
        policy,
        set(&args.keep_redirects)?,
        Bounds {
            stall: Duration::from_secs(args.stall_timeout),
            max_body: args.max_body,
        },
    );
    let capture = Arc::new(capture);
    let door = FrontDoor::new(Arc::new(authority), Arc::clone(&capture));

    let (status, record) = runtime()?.block_on(async {
        let mut signals = Signals::take()?;
        let status: ExitStatus = front.run(door, job, &files, &mut signals).await?;
        let patience = tokio::time::sleep(PATIENCE);
        let all = capture.finish();
        tokio::pin!(all, patience);
        loop {
            tokio::select! {
                () = &mut all => break,
                // The command has ended, so this is for buildproxy.
                _ = signals.next() => break,
                () = &mut patience, if !patience.is_elapsed() => {
                    let arriving = count(recorder.still_arriving(), "download");
                    say(&format!("waiting for the end of {arriving}; interrupt to give up"));
                }
            }
        }
        anyhow::Ok((status, recorder.take()))
    })?;
    say(output.write(record)?.trim_end());
    Ok(exit_code(status))
}

fn set(globs: &[Glob]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSet::builder();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build().context("failed to use a glob")
}

/// The inventory that is to be written.
struct Output {
    path: PathBuf,
    /// What it holds already.
    there: Option<Document>,
    /// What becomes of entries in it that changed.
    changes: Changes,
}

impl Output {
    /// Makes sure that `path` can be written, and reads what is there.
    fn open(path: &Path, replace: bool, changes: Changes) -> anyhow::Result<Self> {
        let path = std::path::absolute(path)?;
        // A link is followed, so that it stays one.
        let path = path.canonicalize().unwrap_or(path);
        let there = path
            .try_exists()
            .map_err(|source| write_error(&path, source))?;
        if path.is_dir() {
            Err(write_error(&path, io::ErrorKind::IsADirectory.into()))?;
        }
        temporary(&path)?;
        let there = (there && !replace)
            .then(|| inventory::read_document(&path))
            .transpose()?;
        Ok(Self {
            path,
            there,
            changes,
        })
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// Writes vendored bodies first and then the inventory, which is whole at any time.
    fn write(&self, record: Record) -> anyhow::Result<String> {
        let vendored = PathBuf::from(self.path.file_stem().unwrap_or_default());
        let exchanges = record.exchanges.into_values().collect();
        let recording = assemble(exchanges, &vendored).context("failed to read the body cache")?;
        let merged = match &self.there {
            Some(document) => document.merge(&recording.entries, self.changes),
            None => Merged::fresh(&recording.entries),
        };
        let written = self
            .write_bodies(&recording, &merged)
            .and_then(|()| self.write_text(&merged.text));
        if let Err(error) = written {
            let rescued = rescue(&merged.text);
            return Err(match rescued {
                Ok(rescued) => anyhow::Error::from(error).context(format!(
                    "what was captured is in '{}' and the body cache",
                    rescued.display()
                )),
                Err(_) => error.into(),
            });
        }
        Ok(Summary {
            path: &self.path,
            recording: &recording,
            merged: &merged,
            skipped: &record.skipped,
            beyond: record.beyond,
            unstable: &record.unstable,
        }
        .to_string())
    }

    /// Copies the vendored bodies of new and updated entries from the body cache. Their names have their hashes, so
    /// that what is there already is right.
    fn write_bodies(&self, recording: &Recording, merged: &Merged) -> Result<(), WriteError> {
        for vendored in &recording.vendored {
            let Some((source, target)) = &vendored.copy else {
                continue;
            };
            let is_new =
                |&index: &usize| recording.entries[index].body == Body::File(target.clone());
            let updated = merged.updated.iter().map(|changed| &changed.captured);
            if !merged.added.iter().chain(updated).any(is_new) {
                continue;
            }
            let target = self.folder().join(target);
            let failed = |source| write_error(&target, source);
            // A link in its place is not followed, but replaced.
            if target
                .symlink_metadata()
                .is_ok_and(|there| there.is_file() && there.len() == vendored.length)
            {
                continue;
            }
            fs::create_dir_all(target.parent().unwrap_or(self.folder())).map_err(failed)?;
            let mut file = temporary(&target)?;
            let mut source = fs::File::open(source).map_err(failed)?;
            io::copy(&mut source, &mut file).map_err(failed)?;
            file.persist(&target).map_err(|error| failed(error.error))?;
        }
        Ok(())
    }

    fn write_text(&self, text: &str) -> Result<(), WriteError> {
        if self
            .there
            .as_ref()
            .is_some_and(|there| there.text() == text)
        {
            return Ok(());
        }
        let failed = |source| write_error(&self.path, source);
        let mut file = temporary(&self.path)?;
        if let Ok(there) = self.path.metadata() {
            file.as_file()
                .set_permissions(there.permissions())
                .map_err(failed)?;
        }
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&self.path)
            .map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// Puts what would be lost where it can be found.
fn rescue(text: &str) -> io::Result<PathBuf> {
    let mut file = tempfile::Builder::new()
        .prefix("proxy_content-")
        .suffix(".nix")
        .tempfile()?;
    file.write_all(text.as_bytes())?;
    let (_, path) = file.keep()?;
    Ok(path)
}

fn write_error(path: &Path, source: io::Error) -> WriteError {
    WriteError {
        path: path.to_owned(),
        source,
    }
}

/// A file beside `path`, to be put in its place.
fn temporary(path: &Path) -> Result<NamedTempFile, WriteError> {
    tempfile::Builder::new()
        .prefix(".proxy_content-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(path.parent().unwrap_or(Path::new("/")))
        .map_err(|source| write_error(path, source))
}
