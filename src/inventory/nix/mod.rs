//! `proxy_content.nix`, read without Nix.
//!
//! Nearly every such file is nothing but literals, since we write it so, and people who edit it
//! change a URL or a hash. Those files are read here, losslessly, in milliseconds and where there
//! is no Nix. What is more than literals is recognised and left to Nix ([`NixError::NotLiteral`]).
//!
//! Sources: Nix manual, "Nix language"; `libexpr/lexer.l` for strings and paths; nixpkgs
//! `fetchurl` for what its attributes mean.

mod attrs;
mod document;
mod entry;
mod error;
mod fetchurl;
mod literal;
mod nesting;
mod search;
mod source;
mod spans;

pub use document::{Document, Inspected, Located};
pub use error::NixError;

pub(crate) use document::Function;
pub(crate) use search::{comments_in, hashes_in};
pub(crate) use spans::{Spans, Whole};

#[cfg(test)]
mod tests;
