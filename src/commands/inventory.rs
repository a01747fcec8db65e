//! Reads an inventory from disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::evaluate::{EvaluateError, evaluate};
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
    #[error("{}:{}: {error}", path.display(), error.line())]
    Nix {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: NixError,
    },
    /// It is more than literals, and Nix could not help.
    #[error("{}:{}: {why}, and {error}", path.display(), why.line())]
    Evaluate {
        /// The file.
        path: PathBuf,
        /// Where it is more than literals.
        why: Box<NixError>,
        /// What Nix said.
        #[source]
        error: Box<EvaluateError>,
    },
    /// It is wrong, as a manifest.
    #[error("{}: {error}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: ManifestError,
    },
}

impl InventoryError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Nix { error, .. } => error.hint(),
            Self::Evaluate { error, .. } => matches!(**error, EvaluateError::NoNix(_))
                .then(|| "install Nix, or write the file with literals only".to_owned()),
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
        return manifest::read(&text).map_err(|error| InventoryError::Manifest { path, error });
    }
    let document = parse(path, &text)?;
    let entries = document.entries().iter();
    Ok(entries.map(|located| located.entry.clone()).collect())
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

/// Reads literals ourselves, and lets Nix evaluate whatever is more than that.
fn parse(path: &Path, text: &str) -> Result<Document, InventoryError> {
    let wrong = |error| InventoryError::Nix {
        path: path.to_owned(),
        error,
    };
    match Document::parse(text) {
        Err(why @ NixError::NotLiteral { .. }) => {
            let entries = evaluate(path).map_err(|error| InventoryError::Evaluate {
                path: path.to_owned(),
                why: Box::new(why),
                error: Box::new(error),
            })?;
            Document::evaluated(text, entries).map_err(wrong)
        }
        read => read.map_err(wrong),
    }
}
