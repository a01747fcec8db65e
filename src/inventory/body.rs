//! What an entry answers with.

use std::path::PathBuf;

use thiserror::Error;

use super::sri::{Algorithm, Sri, nix32_encode};
use super::store_name::StoreName;
use super::url::Url;

/// Why a body is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    /// Nix has no way to say this text.
    #[error("the text of `{name}` contains a NUL character, which Nix strings cannot hold")]
    Nul {
        /// The text's name.
        name: StoreName,
    },
    /// Nix has no way to say this path.
    #[error("the path {path:?} is empty, not UTF-8, or contains a NUL character")]
    Path {
        /// The path as it was given.
        path: PathBuf,
    },
}

/// A body, and where Nix gets it from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// No bytes: `file = null`.
    Empty,
    /// What a URL gives, fixed by its hash: `file = fetchurl { … }`.
    Pin(Pin),
    /// A file, absolute or relative to the inventory's folder: `file = ./proxy_content/…`.
    File(PathBuf),
    /// A short text inside of the inventory: `file = builtins.toFile "name" "text"`.
    Text {
        /// The store path's name.
        name: StoreName,
        /// The body, in UTF-8. Nix strings cannot hold a NUL character.
        text: String,
    },
}

impl Body {
    /// A text to inline, if Nix can hold it.
    pub fn text(name: StoreName, text: &str) -> Result<Self, BodyError> {
        let body = Self::Text {
            name,
            text: text.to_owned(),
        };
        body.check()?;
        Ok(body)
    }

    /// Whether Nix can say this.
    pub(super) fn check(&self) -> Result<(), BodyError> {
        match self {
            Self::Empty | Self::Pin(_) => Ok(()),
            Self::File(path) => match path.to_str() {
                Some(text) if !text.is_empty() && !text.contains('\0') => Ok(()),
                _ => Err(BodyError::Path { path: path.clone() }),
            },
            Self::Text { name, text } => {
                if text.contains('\0') {
                    return Err(BodyError::Nul { name: name.clone() });
                }
                Ok(())
            }
        }
    }
}

/// A body that can be fetched again: a `fetchurl` of nixpkgs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pin {
    /// The store path's name.
    pub name: StoreName,
    /// Where the bytes come from; not always the entry's own URL.
    pub url: Url,
    /// Where else they come from, tried in this order.
    pub mirrors: Vec<Url>,
    /// What has fetchurl do more than to ask for a URL.
    pub option: Option<FetchOption>,
    /// What the bytes hash to; `None` where a person emptied it, to let Nix say the right one.
    pub hash: Option<Sri>,
}

impl Pin {
    /// A pin of what one URL gives.
    #[must_use]
    pub fn new(name: StoreName, url: Url, hash: Option<Sri>) -> Self {
        Self {
            name,
            url,
            mirrors: Vec::new(),
            option: None,
            hash,
        }
    }

    /// All that it may come from, in the order in which it is tried.
    pub fn urls(&self) -> impl Iterator<Item = &Url> {
        std::iter::once(&self.url).chain(&self.mirrors)
    }

    /// The algorithm that its bytes are hashed with; sha256 where it has no hash.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.hash.as_ref().map_or(Algorithm::Sha256, Sri::algorithm)
    }

    /// The path that its bytes have in the Nix store `store`; `None` while it has no hash.
    ///
    /// Source: Nix manual, "Store path calculation", of fixed outputs.
    #[must_use]
    pub fn store_path(&self, store: &str) -> Option<PathBuf> {
        let hash = self.hash.as_ref()?;
        let (algorithm, digest) = (hash.algorithm(), hash.to_hex());
        let inner = Sri::sha256_of(format!("fixed:out:{algorithm}:{digest}:").as_bytes());
        let (inner, name) = (inner.to_hex(), &self.name);
        let outer = Sri::sha256_of(format!("output:out:sha256:{inner}:{store}:{name}").as_bytes());
        let mut folded = [0; 20];
        for (place, byte) in outer.digest().iter().enumerate() {
            folded[place % 20] ^= byte;
        }
        let digest = nix32_encode(&folded);
        Some(PathBuf::from(format!("{store}/{digest}-{name}")))
    }
}

/// An attribute of fetchurl that makes its requests other than plain ones. What comes of it is known to Nix alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchOption {
    /// `curlOpts`.
    CurlOpts,
    /// `curlOptsList`.
    CurlOptsList,
    /// `netrcPhase`.
    NetrcPhase,
}

impl FetchOption {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CurlOpts, Self::CurlOptsList, Self::NetrcPhase];

    /// The attribute's name.
    #[must_use]
    pub fn attribute(self) -> &'static str {
        match self {
            Self::CurlOpts => "curlOpts",
            Self::CurlOptsList => "curlOptsList",
            Self::NetrcPhase => "netrcPhase",
        }
    }
}
