//! The inventory that is written.
//!
//! It is whole at any time: files are written beside their place, and put there when they are.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::fs::{FlockOperation, flock};
use tempfile::NamedTempFile;

use super::{Failure, inventory, trusted_path::resolve};
use crate::{
    bodies::BodyCache,
    capture::{Exchange, Placed, Recording, VendorFolder, Vendored, assemble, ignorable},
    check::{known_length, wrong_length},
    cli::{EvalArgs, MergeArgs},
    emit::{Changes, Mending, Merged},
    inventory::{Body, Entry, Id, nix::Document, query::IgnoredQuery},
};

/// How long one buildproxy waits for another to have written. Somebody else may hold such a lock for longer.
const TURN: Duration = Duration::from_secs(10);

/// Why an inventory cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the inventory '{}'", path.display())]
pub(super) struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// A file that is written as a whole, or not at all.
pub(super) struct Target {
    path: PathBuf,
}

impl Target {
    /// The file at `path`, and where that is a link, the one that it leads to, so that it stays one.
    pub(super) fn new(path: &Path) -> Result<Self, WriteError> {
        let path = resolve(path).map_err(|source| write_error(path, source))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until no other buildproxy writes in this folder, and lets none do so until what this gives is
    /// dropped: what is read meanwhile is all that there is. Where there are no such locks, nobody waits.
    ///
    /// It is the folder that is locked, as the file is another each time that it is written.
    pub(super) fn turn(&self) -> Option<fs::File> {
        let folder = fs::File::open(self.path.parent()?).ok()?;
        let start = Instant::now();
        loop {
            match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Some(folder),
                Err(rustix::io::Errno::WOULDBLOCK) if start.elapsed() < TURN => {
                    sleep(Duration::from_millis(10));
                }
                Err(_) => return None,
            }
        }
    }

    /// Puts this text in its place. Permissions stay as they are.
    pub(super) fn write(&self, text: &str) -> Result<(), WriteError> {
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

/// The inventory that is to be written.
pub(super) struct Output<'a> {
    target: Target,
    /// Whether what it holds already goes.
    replace: Replace,
    /// What becomes of entries in it that changed.
    changes: Changes,
    /// How it is read where it is more than literals.
    evaluation: &'a EvalArgs,
    /// What it holds, where its text says it all: the same text need not be read again. Of 10,000 entries that
    /// takes a quarter of a second.
    read: Option<Document>,
}

/// What becomes of an inventory that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replace {
    /// It is started afresh.
    Yes,
    /// It is added to.
    No,
}

/// What becomes of a recording in which there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// It is written: nothing is what was to be recorded.
    Write,
    /// It is left: an inventory without entries would look as if nothing were needed.
    Leave,
}

impl MergeArgs {
    /// What becomes of an inventory that is there.
    fn replace(&self) -> Replace {
        if self.replace {
            Replace::Yes
        } else {
            Replace::No
        }
    }

    /// What becomes of entries in it that changed.
    fn changes(&self) -> Changes {
        if self.update {
            Changes::Update
        } else {
            Changes::Keep
        }
    }
}

impl<'a> Output<'a> {
    /// Makes sure that `path` can be written, and reads what is there.
    pub(super) fn open(
        path: &Path,
        merge: &MergeArgs,
        evaluation: &'a EvalArgs,
    ) -> Result<Self, Failure> {
        let (replace, changes) = (merge.replace(), merge.changes());
        let target = Target::new(path)?;
        let path = target.path();
        if path.is_dir() {
            Err(write_error(path, io::ErrorKind::IsADirectory.into()))?;
        }
        if path.extension().is_none() {
            // The folder of vendored bodies has the name without the extension.
            let why = "its name has no extension, such as .nix";
            Err(write_error(
                path,
                io::Error::new(io::ErrorKind::InvalidInput, why),
            ))?;
        }
        VendorFolder::beside(path).check()?;
        temporary(path)?;
        let read = match replace {
            Replace::Yes => None,
            // So that a mistake is known before the command runs.
            Replace::No => read(path, evaluation)?,
        };
        let is_literal = |document: &Document| {
            let mut entries = document.entries().iter();
            entries.all(|located| located.spans.is_some())
        };
        Ok(Self {
            target,
            replace,
            changes,
            evaluation,
            read: read.filter(is_literal),
        })
    }

    /// What the inventory holds; `None` where there is none yet.
    pub(super) fn there(&self) -> Result<Option<Document>, Failure> {
        read(self.path(), self.evaluation)
    }

    /// What was read when it was opened, if that is what is there now.
    fn unchanged(&self) -> Option<&Document> {
        let read = self.read.as_ref()?;
        let text = fs::read_to_string(self.path()).ok()?;
        (read.text() == text).then_some(read)
    }

    /// Writes vendored bodies first and then the inventory, which is whole at any time.
    ///
    /// A person, or another capture, may have written it meanwhile: what is there now is what counts.
    pub(super) fn write(
        &self,
        exchanges: Vec<Exchange>,
        cache: &BodyCache,
        nothing: Nothing,
    ) -> Result<Written, Failure> {
        let folder = VendorFolder::beside(self.path());
        let _turn = self.target.turn();
        let read_now;
        let there = match (self.replace, self.unchanged()) {
            (Replace::Yes, _) => None,
            (Replace::No, Some(known)) => Some(known),
            (Replace::No, None) => match read(self.path(), self.evaluation) {
                Ok(there) => {
                    read_now = there;
                    read_now.as_ref()
                }
                Err(error) => {
                    let text =
                        Merged::fresh(&assemble(exchanges, &folder, &[], self.changes).entries)
                            .text;
                    return Err(rescued(error, &text));
                }
            },
        };
        let known: Vec<Entry> = there
            .into_iter()
            .flat_map(Document::entries)
            .map(|one| one.entry.clone())
            .collect();
        let recording = assemble(exchanges, &folder, &known, self.changes);
        let merged = match there {
            Some(document) => {
                let mending = self.mending(document, &recording, cache);
                document.merge_and_mend(&recording.entries, self.changes, &mending)
            }
            None => Merged::fresh(&recording.entries),
        };
        let is_written = there.is_some_and(|there| there.text() == merged.text);
        let is_left = nothing == Nothing::Leave && recording.entries.is_empty();
        let written = write_bodies(&folder, &recording, &merged);
        let written = written.and_then(|replaced| {
            if !is_written && !is_left {
                self.target.write(&merged.text)?;
            }
            Ok(replaced)
        });
        match written {
            Ok(replaced) => Ok(Written {
                ignorable: ignorable(&recording.entries, &known),
                recording,
                merged,
                replaced,
            }),
            Err(error) => Err(rescued(error.into(), &merged.text)),
        }
    }

    /// What is mended of the entries that were captured again, where they are to be replaced.
    fn mending(&self, there: &Document, recording: &Recording, cache: &BodyCache) -> Mending {
        if self.changes == Changes::Keep {
            return Mending::default();
        }
        let captured = recording.entries.iter();
        let captured: HashMap<Id, &Body> =
            captured.map(|entry| (entry.id(), &entry.body)).collect();
        let body = |place: usize| captured.get(&there.entries()[place].entry.id()).copied();
        there.mending(
            |place| body(place).is_some(),
            |place, located| {
                let length = body(place).and_then(|body| self.length(body, recording, cache));
                length.is_some_and(|length| wrong_length(located, length).is_some())
            },
        )
    }

    /// How long a captured body is, which may not have been written yet.
    fn length(&self, body: &Body, recording: &Recording, cache: &BodyCache) -> Option<u64> {
        let is_it = |vendored: &&Vendored| match (&vendored.copy, body) {
            (Some((_, target)), Body::File(file)) => target == file,
            _ => false,
        };
        let folder = self.path().parent().unwrap_or(Path::new("/"));
        let vendored = recording.vendored.iter().find(is_it);
        let length = vendored.map(|vendored| vendored.length);
        length.or_else(|| known_length(body, folder, Some(cache)))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.target.path()
    }
}

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    /// What was captured.
    pub(super) recording: Recording,
    /// What of it the inventory did not have.
    pub(super) merged: Merged,
    /// Files of vendored bodies, relative to the inventory's folder, that had other bytes.
    pub(super) replaced: Vec<PathBuf>,
    /// Query parameters that seem not to count, by what stands before the query.
    pub(super) ignorable: BTreeMap<String, IgnoredQuery>,
}

/// Copies the vendored bodies of entries that the inventory now has from the body cache, and gives those
/// files that had other bytes.
fn write_bodies(
    folder: &VendorFolder,
    recording: &Recording,
    merged: &Merged,
) -> Result<Vec<PathBuf>, WriteError> {
    let updated = merged.updated.iter().map(|changed| &changed.captured);
    let added = merged.added.iter().chain(updated);
    // What was there before may have lost its file.
    let all = added.chain(&merged.unchanged);
    let all: HashSet<&Path> = all
        .filter_map(|&index| match &recording.entries[index].body {
            Body::File(file) => Some(file.as_path()),
            Body::Empty | Body::Pin(_) | Body::Text { .. } => None,
        })
        .collect();
    let mut replaced = Vec::new();
    for vendored in &recording.vendored {
        let Some((body, file)) = &vendored.copy else {
            continue;
        };
        if !all.contains(file.as_path()) {
            continue;
        }
        let placed = folder.place(body, file);
        match placed.map_err(|source| write_error(&folder.absolute(file), source))? {
            Placed::Already | Placed::New => {}
            Placed::Replaced => replaced.push(file.clone()),
        }
    }
    Ok(replaced)
}

/// What the inventory holds already; `None` where there is none.
fn read(path: &Path, evaluation: &EvalArgs) -> Result<Option<Document>, Failure> {
    let there = path.try_exists();
    let there = there.map_err(|source| write_error(path, source))?;
    Ok(there
        .then(|| inventory::read_document(path, evaluation))
        .transpose()?)
}

/// The error, with where what would be lost is now.
fn rescued(error: Failure, text: &str) -> Failure {
    match rescue(text) {
        Ok(path) => Failure::During {
            what: format!(
                "what was captured is in '{}' and the body cache",
                path.display()
            ),
            source: Box::new(error),
        },
        Err(_) => error,
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
