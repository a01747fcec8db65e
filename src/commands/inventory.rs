//! Reads an inventory from disk.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    str,
    sync::Once,
};

use bytes::Bytes;
use memmap2::Mmap;

use super::evaluate::{EvaluateError, evaluate};
use crate::{
    check::Finding,
    cli::EvalArgs,
    inventory::{
        Entry, Listing, NIX_STORE,
        manifest::{self, Index, ManifestError},
        nix::{Document, Inspected, NixError},
    },
    report::say,
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
    /// It is a manifest, where only the other format will do.
    #[error("'{}' is a manifest, which Nix has made", path.display())]
    IsManifest {
        /// The file.
        path: PathBuf,
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
            Self::Evaluate { error, .. } => error.hint().map(str::to_owned),
            Self::IsManifest { .. } => {
                Some("name the proxy_content.nix that it was made of".to_owned())
            }
            Self::Read { .. } | Self::Manifest { .. } => None,
        }
    }
}

/// The two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A `proxy_content.nix`.
    Nix,
    /// A manifest.
    Json,
}

impl Format {
    /// What is called `.json` is a manifest, or begins like one.
    fn of(path: &Path, text: &str) -> Self {
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        if is_json || text.trim_start().starts_with("[{\"") {
            Self::Json
        } else {
            Self::Nix
        }
    }
}

/// The size in bytes above which the entries of a manifest are read when they are asked for. What is smaller,
/// some 5,000 entries, is read within milliseconds, and all mistakes are told when buildproxy starts.
const LARGE: usize = 1 << 20;

/// An inventory to replay.
pub(super) enum Inventory {
    Entries(Vec<Entry>),
    Index(Index),
}

/// Reads an inventory of either format, or as much of it as is needed now.
pub(super) fn open(path: &Path, evaluation: &EvalArgs) -> Result<Inventory, InventoryError> {
    if let Some(index) = map(path).and_then(|text| Index::of(&text)) {
        return Ok(Inventory::Index(index));
    }
    let text = read_text(path)?;
    let format = Format::of(path, &text);
    let is_small = text.len() < LARGE;
    let text = Bytes::from(text);
    match (format, Index::of(&text)) {
        (Format::Json, Some(index)) => {
            // To read an entry twice takes less than to keep it.
            let checked = if is_small { index.check() } else { Ok(()) };
            checked.map_err(wrong_manifest(path))?;
            Ok(Inventory::Index(index))
        }
        (Format::Nix, _) | (Format::Json, None) => {
            let text = str::from_utf8(&text).unwrap_or_default();
            read_as(format, path, text, evaluation).map(Inventory::Entries)
        }
    }
}

/// A large manifest, mapped, if it is in the Nix store, where files are never changed. Of any other file, whoever
/// owns it can change or cut off what is mapped, whatever its permissions say. To read 20 MiB into memory of our
/// own takes 10 ms, a third of what a start with 100,000 entries does.
fn map(path: &Path) -> Option<Bytes> {
    // Links lead to where the file is.
    let path = path.canonicalize().ok()?;
    if !path.starts_with(NIX_STORE) {
        return None;
    }
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() < LARGE as u64 {
        return None;
    }
    #[expect(unsafe_code, reason = "a map is of a file that others may change")]
    // SAFETY: the file is in the Nix store, where Nix lets nobody change a file.
    let mapped = unsafe { Mmap::map(&file) }.ok()?;
    let begins = mapped.get(..3) == Some(b"[{\"");
    begins.then(|| Bytes::from_owner(mapped))
}

fn wrong_manifest(path: &Path) -> impl Fn(ManifestError) -> InventoryError {
    |error| InventoryError::Manifest {
        path: path.to_owned(),
        error,
    }
}

fn read_as(
    format: Format,
    path: &Path,
    text: &str,
    evaluation: &EvalArgs,
) -> Result<Vec<Entry>, InventoryError> {
    match format {
        Format::Json => manifest::read(text).map_err(wrong_manifest(path)),
        Format::Nix => {
            let document = parse(path, text, evaluation)?;
            let entries = document.entries().iter();
            Ok(entries.map(|located| located.entry.clone()).collect())
        }
    }
}

/// An inventory that may be wrong.
pub(super) struct Inspection {
    pub(super) format: Format,
    /// What can be read of it.
    pub(super) listing: Listing,
    /// What is wrong with the rest.
    pub(super) findings: Vec<Finding>,
}

/// Reads as much of an inventory as can be read.
pub(super) fn inspect(path: &Path, evaluation: &EvalArgs) -> Result<Inspection, InventoryError> {
    let text = read_text(path)?;
    let format = Format::of(path, &text);
    let (listing, findings) = match format {
        Format::Json => inspect_manifest(&text),
        Format::Nix => inspect_nix(path, &text, evaluation),
    };
    Ok(Inspection {
        format,
        listing,
        findings,
    })
}

fn inspect_manifest(text: &str) -> (Listing, Vec<Finding>) {
    match manifest::list(text) {
        Ok(listing) => (listing, Vec::new()),
        Err(error) => {
            let message = error.to_string();
            let line = error.line();
            let known = line.map(|line| format!("line {line}: "));
            let message = message.strip_prefix(known.as_deref().unwrap_or_default());
            let finding = Finding {
                line,
                ..Finding::error(1, message.unwrap_or_default().to_owned())
            };
            (Listing::default(), vec![finding])
        }
    }
}

fn inspect_nix(path: &Path, text: &str, evaluation: &EvalArgs) -> (Listing, Vec<Finding>) {
    let Inspected { listing, errors } = Document::inspect(text);
    let wrong: Vec<Finding> = errors
        .iter()
        .filter(|error| !matches!(error, NixError::NotLiteral { .. }))
        .map(Finding::from)
        .collect();
    if errors.is_empty() || !wrong.is_empty() {
        return (listing, wrong);
    }
    // All that stands in the way is for Nix to evaluate.
    match parse(path, text, evaluation) {
        Ok(document) => (document.listing().clone(), Vec::new()),
        Err(error) => (listing, vec![not_evaluated(&error)]),
    }
}

/// What is wrong, where Nix could not help or disliked what it came to.
fn not_evaluated(error: &InventoryError) -> Finding {
    let (line, message) = match error {
        InventoryError::Evaluate { why, error, .. } => (why.line(), format!("{why}, and {error}")),
        InventoryError::Nix { error, .. } => (error.line(), error.to_string()),
        InventoryError::Read { .. }
        | InventoryError::IsManifest { .. }
        | InventoryError::Manifest { .. } => (1, error.to_string()),
    };
    Finding {
        hint: error.hint(),
        ..Finding::error(line, message)
    }
}

/// Reads a `proxy_content.nix` that is to be changed.
pub(super) fn read_document(
    path: &Path,
    evaluation: &EvalArgs,
) -> Result<Document, InventoryError> {
    let text = read_text(path)?;
    match Format::of(path, &text) {
        Format::Nix => parse(path, &text, evaluation),
        Format::Json => Err(InventoryError::IsManifest {
            path: path.to_owned(),
        }),
    }
}

fn read_text(path: &Path) -> Result<String, InventoryError> {
    fs::read_to_string(path).map_err(|source| InventoryError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Says that a file is evaluated, which is more than to read it. It may be read again, but that is said once.
fn say_once(path: &Path, why: &NixError) {
    static SAID: Once = Once::new();
    let (file, line) = (path.display(), why.line());
    SAID.call_once(|| {
        say(&format!(
            "{file}:{line}: {why}; it has no network then, and may read no other files"
        ));
    });
}

/// Reads literals ourselves, and lets Nix evaluate whatever is more than that.
fn parse(path: &Path, text: &str, evaluation: &EvalArgs) -> Result<Document, InventoryError> {
    let wrong = |error| InventoryError::Nix {
        path: path.to_owned(),
        error,
    };
    match Document::parse(text) {
        Err(why @ NixError::NotLiteral { .. }) => {
            say_once(path, &why);
            let entries = evaluate(path, evaluation).map_err(|error| InventoryError::Evaluate {
                path: path.to_owned(),
                why: Box::new(why),
                error: Box::new(error),
            })?;
            Document::evaluated(text, entries).map_err(wrong)
        }
        read => read.map_err(wrong),
    }
}
