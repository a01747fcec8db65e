//! `--bundle`: a copy of the run's certificates where a person wants it, for clients that buildproxy did
//! not start.
//!
//! It is there, whole, before the first connection is accepted, and it stays: it is the person's file, and
//! whoever was pointed to it may look at it when buildproxy has ended. Nothing is lost by that: there is
//! no key in it, and the authority's key is gone with the run.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::trusted_path::resolve;
use crate::trust::{File, Files};

/// Why the bundle cannot be written where it is wanted.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the bundle '{}'", path.display())]
pub(super) struct BundleError {
    path: PathBuf,
    source: io::Error,
}

/// Writes what clients are to trust to `path`, if one is given. Everybody may read it, as the one that our
/// own clients get. A link in its place is followed,
/// unless another user put it there.
pub(super) fn write_bundle(files: &Files, path: Option<&Path>) -> Result<(), BundleError> {
    let Some(path) = path else { return Ok(()) };
    let write = || {
        let target = resolve(path)?;
        if target.exists() && !target.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let certificates = fs::read(files.path(File::Bundle))?;
        let mut bundle = tempfile::Builder::new()
            .prefix(".bundle-")
            .tempfile_in(target.parent().unwrap_or(&target))?;
        bundle.write_all(&certificates)?;
        // Whatever the umask says.
        let readable = Permissions::from_mode(0o644);
        bundle.as_file().set_permissions(readable)?;
        bundle.persist(&target)?;
        Ok(())
    };
    write().map_err(|source| BundleError {
        path: path.to_owned(),
        source,
    })
}
