//! Whether the vendored bodies are there, and nothing else is.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::{Finding, Severity};
use crate::{
    bodies::{BodyCache, hash_of},
    inventory::{Algorithm, Body, NIX_STORE, Sri, nix::Located, says_hash},
    regular_file::{Links, open_regular},
    report::chain,
};

/// Why the folder of vendored bodies cannot be looked through.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the folder '{}'", path.display())]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// Vendored bodies that are not there. Their paths are relative to `folder`.
#[must_use]
pub fn missing(entries: &[Located], folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for located in entries {
        let Body::File(path) = &located.entry.body else {
            continue;
        };
        let whole = folder.join(path);
        // What is in the store may come before it is built.
        if whole.starts_with(NIX_STORE) || whole.is_file() {
            continue;
        }
        let what = match whole.metadata() {
            Ok(_) => "is not a file".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "is not there".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        let (url, path) = (&located.entry.url, path.display());
        findings.push(Finding::error(
            located.body_line(),
            format!("the body of {url}, '{path}', {what}"),
        ));
    }
    findings
}

/// Vendored bodies that have other bytes than their names say. Their paths are relative to `folder`.
#[must_use]
pub fn altered(entries: &[Located], folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for located in entries {
        let Body::File(path) = &located.entry.body else {
            continue;
        };
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        // What cannot be read is told of as missing.
        let hashed = open_regular(&folder.join(path), Links::Follow)
            .and_then(|file| hash_of(&file, Algorithm::Sha256));
        if hashed.is_ok_and(|hash| says_hash(name, &hash) == Some(false)) {
            let (url, path) = (&located.entry.url, path.display());
            let message =
                format!("the body of {url}, '{path}', has other bytes than its name says");
            let finding = Finding::warning(located.body_line(), message);
            findings.push(finding.hint(
                "if they are meant, give the file another name; if not, capture the URL again",
            ));
        }
    }
    findings
}

/// Pins whose body in the cache has other bytes. That there is none is fine.
#[must_use]
pub fn damaged(entries: &[Located], cache: &BodyCache) -> Vec<Finding> {
    let pinned = |located: &'_ Located| match &located.entry.body {
        Body::Pin(pin) => pin.hash.clone(),
        Body::Empty | Body::File(_) | Body::Text { .. } => None,
    };
    let pinned = entries
        .iter()
        .filter_map(|located| Some((located, pinned(located)?)));
    let (located, hashes): (Vec<_>, Vec<Sri>) = pinned.unzip();
    let damage = cache.check(&hashes.iter().collect::<Vec<_>>());
    let found = located.into_iter().zip(damage);
    let findings = found.filter_map(|(located, damage)| {
        let damage = damage?;
        let url = &located.entry.url;
        let message = format!("the body of {url}: {}", chain(&damage));
        let finding = Finding::error(located.hash_line(), message);
        Some(match damage.hint() {
            Some(hint) => finding.hint(hint),
            None => finding,
        })
    });
    findings.collect()
}

/// Files in `folder`/`vendored` that no entry names.
///
/// # Errors
///
/// Where a folder cannot be read. That there is none is fine.
pub fn unused(
    entries: &[Located],
    folder: &Path,
    vendored: &Path,
) -> Result<Vec<Finding>, FolderError> {
    let used: BTreeSet<PathBuf> = entries
        .iter()
        .filter_map(|located| match &located.entry.body {
            Body::File(path) => Some(folder.join(path)),
            _ => None,
        })
        .collect();
    let mut files = Vec::new();
    collect(&folder.join(vendored), &mut files)?;
    files.retain(|file| !used.contains(file));
    files.sort();
    let finding = |file: &PathBuf| {
        let file = file.strip_prefix(folder).unwrap_or(file).display();
        Finding {
            line: None,
            severity: Severity::Warning,
            message: format!("no entry uses the file '{file}'"),
            hint: Some("delete it".to_owned()),
        }
    };
    Ok(files.iter().map(finding).collect())
}

/// All files below a folder but hidden ones, such as those of git.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FolderError> {
    let failed = |source| FolderError {
        path: folder.to_owned(),
        source,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
