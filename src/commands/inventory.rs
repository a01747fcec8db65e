//! Reads an inventory from disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::inventory::{
    Entry,
    manifest::{self, ManifestError},
    nix::{Document, NixError},
};

/// Why an inventory cannot be used: exit status 3.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It cannot be read.
    #[error("failed to read the inventory '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is wrong, as a Nix file.
    #[error("{}:{}: {source}", path.display(), source.line())]
    Nix {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: NixError,
    },
    /// It is wrong, as a manifest.
    #[error("{}: {source}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ManifestError,
    },
}

impl InventoryError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Nix { source, .. } => source.hint(),
            Self::Read { .. } | Self::Manifest { .. } => None,
        }
    }
}

/// Reads a `proxy_content.nix`, or a manifest: what is called `.json` is one, or begins like one.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, InventoryError> {
    let text = read_text(path)?;
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    if is_json || text.trim_start().starts_with("[{\"") {
        let path = path.to_owned();
        return manifest::read(&text).map_err(|source| InventoryError::Manifest { path, source });
    }
    let document = parse(path, &text)?;
    Ok(document
        .entries()
        .iter()
        .map(|located| located.entry.clone())
        .collect())
}

/// Reads a `proxy_content.nix` that is to be merged into.
pub(super) fn read_document(path: &Path) -> Result<Document, InventoryError> {
    parse(path, &read_text(path)?)
}

fn read_text(path: &Path) -> Result<String, InventoryError> {
    fs::read_to_string(path).map_err(|source| InventoryError::Read {
        path: path.to_owned(),
        source,
    })
}

fn parse(path: &Path, text: &str) -> Result<Document, InventoryError> {
    Document::parse(text).map_err(|source| InventoryError::Nix {
        path: path.to_owned(),
        source,
    })
}
