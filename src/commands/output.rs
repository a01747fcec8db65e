//! The inventory that a capture writes.
//!
//! It is whole at any time: files are written beside their place, and put there when they are.

use std::{
    collections::HashSet,
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::NamedTempFile;

use super::inventory;
use crate::{
    capture::{Exchange, Recording, assemble},
    emit::{Changes, Merged},
    inventory::{Body, nix::Document},
};

/// Why an inventory cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the inventory '{}'", path.display())]
struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// The inventory that is to be written.
pub(super) struct Output {
    path: PathBuf,
    /// What it holds already.
    there: Option<Document>,
    /// What becomes of entries in it that changed.
    changes: Changes,
}

impl Output {
    /// Makes sure that `path` can be written, and reads what is there.
    pub(super) fn open(path: &Path, replace: bool, changes: Changes) -> anyhow::Result<Self> {
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
    pub(super) fn write(&self, exchanges: Vec<Exchange>) -> anyhow::Result<Written> {
        let vendored = PathBuf::from(self.path.file_stem().unwrap_or_default());
        let recording = assemble(exchanges, &vendored).context("failed to read the body cache")?;
        let merged = match &self.there {
            Some(document) => document.merge(&recording.entries, self.changes),
            None => Merged::fresh(&recording.entries),
        };
        let written = self
            .write_bodies(&recording, &merged)
            .and_then(|()| self.write_text(&merged.text));
        if let Err(error) = written {
            return Err(match rescue(&merged.text) {
                Ok(rescued) => anyhow::Error::from(error).context(format!(
                    "what was captured is in '{}' and the body cache",
                    rescued.display()
                )),
                Err(_) => error.into(),
            });
        }
        Ok(Written { recording, merged })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Copies the vendored bodies of new and updated entries from the body cache. Their names have their
    /// hashes, so that what is there already is right.
    fn write_bodies(&self, recording: &Recording, merged: &Merged) -> Result<(), WriteError> {
        let updated = merged.updated.iter().map(|changed| &changed.captured);
        let new = merged.added.iter().chain(updated);
        let new: HashSet<&Path> = new
            .filter_map(|&index| match &recording.entries[index].body {
                Body::File(file) => Some(file.as_path()),
                Body::Empty | Body::Pin(_) | Body::Text { .. } => None,
            })
            .collect();
        for vendored in &recording.vendored {
            let Some((source, target)) = &vendored.copy else {
                continue;
            };
            if !new.contains(target.as_path()) {
                continue;
            }
            let target = self.folder().join(target);
            // A link in its place is not followed, but replaced.
            let there = target.symlink_metadata();
            if there.is_ok_and(|there| there.is_file() && there.len() == vendored.length) {
                continue;
            }
            let failed = |source| write_error(&target, source);
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

/// What was written.
pub(super) struct Written {
    /// What was captured.
    pub(super) recording: Recording,
    /// What of it the inventory did not have.
    pub(super) merged: Merged,
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
