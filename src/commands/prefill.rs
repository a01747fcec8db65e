//! Puts captured bodies into the Nix store, under the very paths that the pins have, so that the next
//! `nix build` downloads none of them.
//!
//! The path of a fixed output depends on its name and its hash alone (Nix manual, "Store path
//! calculation"), and `nix-store --add-fixed` takes the name from the file.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    bodies::BodyCache,
    inventory::{Algorithm, Body, Entry, StoreName},
    report::{chain, say},
};

/// So many files are given to one run of nix-store: one by one they take fifty times as long.
const BATCH: usize = 500;

/// Why bodies could not be put into the store.
#[derive(Debug, thiserror::Error)]
enum PrefillError {
    /// The files could not be given their names.
    #[error("failed to prepare files in '{}'", folder.display())]
    Prepare {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nix could not be run.
    #[error("failed to run nix-store")]
    Run(#[source] io::Error),
    /// Nix did not want them.
    #[error("nix-store failed: {0}")]
    Nix(String),
}

/// Puts the bodies of all pins that are in `cache` into the store, or says why not. Where there is no
/// Nix, nothing happens.
pub(super) fn prefill(entries: &[Entry], cache: &BodyCache) {
    if let Err(error) = add(entries, cache) {
        let why = chain(&error);
        say(&format!(
            "the Nix store does not have the bodies yet, and Nix will download them: {why}"
        ));
    }
}

fn add(entries: &[Entry], cache: &BodyCache) -> Result<(), PrefillError> {
    let bodies: BTreeSet<(&StoreName, PathBuf)> = entries
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::Pin(pin) => {
                let hash = pin.hash.as_ref();
                let hash = hash.filter(|hash| hash.algorithm() == Algorithm::Sha256)?;
                Some((&pin.name, cache.get(hash)?))
            }
            Body::Empty | Body::File(_) | Body::Text { .. } => None,
        })
        .collect();
    if bodies.is_empty() || !has_nix() {
        return Ok(());
    }
    let folder = cache.folder();
    let failed = |source| PrefillError::Prepare {
        folder: folder.to_owned(),
        source,
    };
    let named = tempfile::Builder::new()
        .prefix(".named-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder);
    let named = named.map_err(failed)?;
    let mut files = Vec::with_capacity(bodies.len());
    for (number, (name, body)) in bodies.iter().enumerate() {
        // Two bodies may have one name.
        let folder = named.path().join(number.to_string());
        let file = folder.join(name);
        let linked = fs::create_dir(&folder).and_then(|()| link(body, &file));
        linked.map_err(failed)?;
        files.push(file);
    }
    for batch in files.chunks(BATCH) {
        let mut nix = Command::new("nix-store");
        nix.args(["--add-fixed", "sha256"]).args(batch);
        let output = nix.output().map_err(PrefillError::Run)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(PrefillError::Nix(said.trim().to_owned()));
        }
    }
    Ok(())
}

fn has_nix() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("nix-store").is_file())
}

/// The same file under another name; a copy, where the file system has no such thing. What is there
/// already is left alone, and an error.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| {
        let mut copy = File::create_new(to)?;
        io::copy(&mut File::open(from)?, &mut copy).map(drop)
    })
}
