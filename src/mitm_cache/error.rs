//! What can be wrong with a lock.

use thiserror::Error;

use crate::inventory::{SriError, Url, UrlError};

/// Why a lock cannot be read.
#[derive(Debug, Error)]
#[error("{wrong}")]
pub struct LockError {
    /// The line that it is on, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong with a lock. Keys are shown without secrets.
#[derive(Debug, Error)]
pub enum Wrong {
    /// Not JSON.
    #[error("{0}")]
    Syntax(serde_json::Error),
    /// Another type than was expected.
    #[error("{what} is {found}, not {wanted}")]
    Type {
        /// The key.
        what: String,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// Made by a mitm-cache, or a nixpkgs, that is newer than this.
    #[error("it is of version {0}, and only version 1 is known")]
    Version(String),
    /// A key that means nothing.
    #[error("`{0}` is neither a URL, nor `!version` or `!comment`")]
    Key(String),
    /// Not a URL of ours.
    #[error("{0}")]
    Url(UrlError),
    /// A page says nothing of itself, or too much.
    #[error("`{page}` has {number} of `hash`, `text` and `redirect`, and should have one")]
    Contents {
        /// The URL.
        page: String,
        /// How many it has.
        number: usize,
    },
    /// An attribute of a page that means nothing.
    #[error("`{page}` has `{name}`, which is none of `hash`, `text` and `redirect`")]
    Unknown {
        /// The URL.
        page: String,
        /// The attribute.
        name: String,
    },
    /// Not a hash.
    #[error("of `{page}`: {error}")]
    Hash {
        /// The URL.
        page: String,
        /// What is wrong.
        error: SriError,
    },
    /// A hash of zeros.
    #[error("the hash of `{page}` is a placeholder")]
    Placeholder {
        /// The URL.
        page: String,
    },
    /// Where it leads is no URL of ours.
    #[error("`{page}` redirects to what is no URL: {error}")]
    Redirect {
        /// The URL.
        page: String,
        /// What is wrong.
        error: UrlError,
    },
    /// A URL that was cut to pieces cannot be put together.
    #[error("`{0}`: what follows `#` is not `NAME/VERSION`, `/SNAPSHOT`, and `/CLASSIFIER`")]
    Pieces(String),
    /// A `maven-metadata.xml` that cannot be made up.
    #[error("`{page}` cannot be made up: {why}")]
    Metadata {
        /// The URL.
        page: String,
        /// Why.
        why: &'static str,
    },
    /// One URL says two things.
    #[error("{0} is there twice, and differs")]
    Twice(Url),
}
