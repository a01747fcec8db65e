//! Makes answers of entries: everything that can be looked up, decided or refused is so at start.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::{
    bodies::{BodyCache, CheckedBody},
    inventory::{Body, Condition, Entry, Sri, Url, manifest::ManifestError},
};

/// An entry that is ready to be given to a client.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The URL that it answers.
    pub url: Url,
    /// The method that it answers.
    pub method: Method,
    /// What else it asks of a request.
    pub condition: Condition,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub content: Content,
}

/// Where a body is.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory.
    Text(Bytes),
    /// In a file, which is opened when it is asked for.
    File(PathBuf),
    /// In the body cache.
    Cached(Arc<CheckedBody>),
}

/// Why an entry cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// A pin without a hash.
    #[error("the pin of {url} has no hash yet")]
    NoHash {
        /// The entry.
        url: Url,
    },
    /// A pin whose body is not here.
    #[error("the body of {url} ({hash}) is not in the body cache")]
    NotCached {
        /// The entry.
        url: Url,
        /// Its hash.
        hash: Sri,
    },
    /// A vendored body that is not there.
    #[error("failed to read the body of {url}, '{}'", path.display())]
    File {
        /// The entry.
        url: Url,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An entry that is read when it is asked for, and is wrong.
    #[error(transparent)]
    Entry(#[from] ManifestError),
    /// Pins without Nix, and no cache to look in.
    #[error("the body of {url} is a pin, and there is no body cache to look it up in")]
    NoCache {
        /// The entry.
        url: Url,
    },
}

/// Makes answers of entries. Paths are relative to `folder`, pins are looked up in `cache`.
///
/// # Errors
///
/// All that is missing, not only the first.
pub fn shelve(
    entries: Vec<Entry>,
    folder: &Path,
    cache: Option<&BodyCache>,
) -> Result<Vec<Answer>, Vec<ShelfError>> {
    let mut answers = Vec::with_capacity(entries.len());
    let mut missing = Vec::new();
    for entry in entries {
        match shelve_one(entry, folder, cache) {
            Ok(answer) => answers.push(answer),
            Err(error) => missing.push(error),
        }
    }
    if missing.is_empty() {
        Ok(answers)
    } else {
        Err(missing)
    }
}

/// The same for one entry.
pub(super) fn shelve_one(
    entry: Entry,
    folder: &Path,
    cache: Option<&BodyCache>,
) -> Result<Answer, ShelfError> {
    let content = content(&entry, folder, cache)?;
    Ok(answer(entry, content))
}

fn content(entry: &Entry, folder: &Path, cache: Option<&BodyCache>) -> Result<Content, ShelfError> {
    let url = || entry.url.clone();
    match &entry.body {
        Body::Empty => Ok(Content::Text(Bytes::new())),
        Body::Text { text, .. } => Ok(Content::Text(Bytes::from(text.clone()))),
        // A store path is what Nix made of the file, and is there.
        Body::File(path) if path.is_absolute() => Ok(Content::File(path.clone())),
        Body::File(path) => {
            let path = folder.join(path);
            match path.metadata() {
                Ok(_) => Ok(Content::File(path)),
                Err(source) => Err(ShelfError::File {
                    url: url(),
                    path,
                    source,
                }),
            }
        }
        Body::Pin(pin) => {
            let Some(hash) = &pin.hash else {
                return Err(ShelfError::NoHash { url: url() });
            };
            let cache = cache.ok_or_else(|| ShelfError::NoCache { url: url() })?;
            cache
                .get(hash)
                .map(|path| Content::Cached(Arc::new(CheckedBody::new(path, hash.clone()))))
                .ok_or_else(|| ShelfError::NotCached {
                    url: url(),
                    hash: hash.clone(),
                })
        }
    }
}

fn answer(entry: Entry, content: Content) -> Answer {
    // With room for those that an answer adds.
    let mut headers = HeaderMap::with_capacity(entry.headers.len() + 4);
    for (name, value) in entry.headers.iter() {
        // An entry's headers are valid, so neither of the two is ever left out.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    Answer {
        url: entry.url,
        method: entry.method,
        condition: entry.condition,
        status: entry.status,
        headers,
        content,
    }
}
