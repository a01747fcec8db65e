//! The inventory: the ordered collection of entries that a build's downloads are answered from.
//!
//! Everything here is pure. Text comes in, values go out, and the reverse; whoever calls reads
//! and writes the files. On disk an inventory is either `proxy_content.nix` ([`nix`]) or a JSON
//! manifest ([`manifest`]); both are lists of [`Entry`].

mod body;
mod condition;
mod entry;
mod hasher;
mod headers;
mod listing;
pub mod manifest;
pub mod moving;
pub mod nix;
pub mod query;
pub mod secrets;
mod sri;
mod store_name;
#[cfg(test)]
pub(crate) mod strategies;
mod target;
mod url;
mod vendored_name;

pub use body::{Body, BodyError, FetchOption, Pin};
pub use condition::{Condition, ConditionError};
pub(crate) use condition::{TELLING, asked_by};
pub(crate) use entry::CONTENT_LENGTH;
pub use entry::{Declared, Entry, EntryError, Id};
pub use hasher::Hasher;
pub(crate) use headers::is_hop_by_hop;
pub use headers::{HeaderError, Headers};
pub use listing::{Listing, Repeat};
pub use sri::{Algorithm, Sri, SriError};
pub use store_name::{StoreName, StoreNameError};
pub(crate) use target::sendable;
pub(crate) use url::mirrors;
pub use url::{Scheme, Url, UrlError};
pub use vendored_name::{earlier_vendored_name, says_hash, vendored_name};

/// Where Nix keeps what it builds, which nobody changes.
pub(crate) const NIX_STORE: &str = "/nix/store";
