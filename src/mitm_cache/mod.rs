//! The locks of mitm-cache, which stands behind nixpkgs' `gradle.fetchDeps`.
//!
//! A lock says of each URL what a GET of it gives: bytes of some hash, a text, or a redirect. It has no
//! headers, no other statuses and methods, and no queries. There are two forms:
//!
//! - the plain one, `{ "!version": 1, URL: { "hash": SRI } | { "text": … } | { "redirect": URL } }`, which
//!   mitm-cache writes; and
//! - the compressed one that nixpkgs keeps, in which URLs are cut to pieces and `maven-metadata.xml` is left
//!   to be made up (`gradle`, `maven`).
//!
//! Sources: nixpkgs, `pkgs/by-name/mi/mitm-cache/fetch.nix`; the manual of its gradle hook, "Lockfile
//! Format"; mitm-cache's own output.

mod error;
mod gradle;
mod maven;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};

pub use error::{LockError, Wrong};
pub use read::read;
pub use write::{Unsaid, lock_of, write};

use crate::inventory::{Sri, Url};

/// What is read of a lock. URLs are without secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// What a GET of each URL gives.
    pub pages: BTreeMap<Url, Page>,
    /// URLs that it also has answers to POST of, which mitm-cache records and never gives.
    pub posts: BTreeSet<Url>,
}

/// What a GET gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Bytes of this hash, which a plain download gives.
    Hash(Sri),
    /// This text.
    Text(String),
    /// A redirect.
    Redirect(Url),
}
