//! Has Nix evaluate an inventory that is more than literals: with `let`, say, or interpolation.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::restricted_nix::{self, NixRunError};
use crate::cli::EvalArgs;
use crate::inventory::{
    Algorithm, Body, Declared, FetchOption, Pin, Sri, SriError, StoreName, StoreNameError, Url,
    UrlError,
    manifest::{self, ManifestError},
    mirrors,
};

/// What Nix runs.
const EXPRESSION: &str = include_str!("evaluate.nix");

/// Why an inventory could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// It is not to be evaluated.
    #[error("Nix is not to evaluate it (--no-eval)")]
    Refused,
    /// Nix gave nothing.
    #[error(transparent)]
    Nix(#[from] NixRunError),
    /// What it comes to is not an inventory.
    #[error("it evaluates to what is not an inventory: {0}")]
    Manifest(#[from] ManifestError),
    /// The same, seen before.
    #[error("it evaluates to what is not an inventory: {0}")]
    Json(#[from] serde_json::Error),
    /// A pin with the wrong hash.
    #[error("the pin of {url} is wrong: {error}")]
    Hash {
        /// The URL of the entry.
        url: Url,
        /// What is wrong with its hash.
        error: SriError,
    },
    /// A pin of something else than a URL.
    #[error("the pin of {url} is wrong: {error}")]
    Url {
        /// The URL of the entry.
        url: Url,
        /// What is wrong with the pin's.
        error: UrlError,
    },
    /// A pin whose name no file in the store can have.
    #[error("the pin of {url} is wrong: {error}")]
    Name {
        /// The URL of the entry.
        url: Url,
        /// What is wrong with its name.
        error: StoreNameError,
    },
    /// A pin without a URL, or without a hash.
    #[error("the pin of {url} has no `{attribute}`")]
    Missing {
        /// The URL of the entry.
        url: Url,
        /// What it should have.
        attribute: &'static str,
    },
}

impl EvaluateError {
    /// What the person can do.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused => {
                Some("without --no-eval it is evaluated, with no network and no file but its own")
            }
            Self::Nix(NixRunError::NoNix(_)) => {
                Some("install Nix, or write the file with literals only")
            }
            Self::Nix(NixRunError::Failed(said)) => restricted_nix::hint(said),
            Self::Nix(NixRunError::TooSlow | NixRunError::TooLarge) => {
                Some("write the file with literals only, or use it in Nix, with mkBuildproxy")
            }
            Self::Nix(NixRunError::Io(_))
            | Self::Manifest(_)
            | Self::Json(_)
            | Self::Hash { .. }
            | Self::Url { .. }
            | Self::Name { .. }
            | Self::Missing { .. } => None,
        }
    }
}

/// What evaluate.nix makes of the arguments of a fetchurl.
#[derive(Deserialize)]
struct Fetchurl {
    name: Option<String>,
    /// `pname` and `version`, where both are there.
    versioned: Option<String>,
    urls: Vec<String>,
    /// Empty where it is not known yet.
    hash: Option<String>,
    /// What the hash's name, or what stands beside it, demands.
    algorithm: Option<String>,
    option: Option<String>,
}

/// What evaluate.nix makes of a body.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum File {
    Pin(Fetchurl),
    Path(String),
}

/// The entries that the file at `path`, which is absolute, comes to.
pub(super) fn evaluate(path: &Path, args: &EvalArgs) -> Result<Vec<Declared>, EvaluateError> {
    if args.no_eval {
        return Err(EvaluateError::Refused);
    }
    let output = restricted_nix::evaluate(EXPRESSION, path, &args.allow_path)?;
    // The bodies are taken out, and what remains is as in a manifest.
    let mut list: Vec<Map<String, Value>> = serde_json::from_slice(&output)?;
    let bodies: Vec<Option<Value>> = list.iter_mut().map(|entry| entry.remove("file")).collect();
    let entries = manifest::declared(&serde_json::to_string_pretty(&list)?)?;
    let folder = path.parent().unwrap_or(path);
    let entries = entries.into_iter().zip(bodies).map(|(declared, file)| {
        let file = serde_json::from_value(file.unwrap_or_default())?;
        match file {
            Some(file) => {
                let body = body(&declared.entry.url, file, folder)?;
                Ok(declared.with_body(body))
            }
            None => Ok(declared),
        }
    });
    entries.collect()
}

/// The body of an entry; files are told by their place in `folder`, as in the inventory itself.
fn body(of: &Url, file: File, folder: &Path) -> Result<Body, EvaluateError> {
    let pin = match file {
        File::Path(path) => {
            let path = PathBuf::from(path);
            let relative = path.strip_prefix(folder).map(Path::to_owned);
            return Ok(Body::File(relative.unwrap_or(path)));
        }
        File::Pin(pin) => pin,
    };
    let missing = |attribute| EvaluateError::Missing {
        url: of.clone(),
        attribute,
    };
    let [first, others @ ..] = pin.urls.as_slice() else {
        return Err(missing("url"));
    };
    let wrong = |error| EvaluateError::Url {
        url: of.clone(),
        error,
    };
    let text = pin.hash.ok_or_else(|| missing("hash"))?;
    let algorithm = pin.algorithm.filter(|name| !name.is_empty());
    let algorithm = algorithm.map(|name| name.parse::<Algorithm>());
    let hash = (!text.is_empty()).then(|| match algorithm.transpose()? {
        None => text.parse(),
        Some(algorithm) => Sri::parse_as(algorithm, &text),
    });
    let hash = hash.transpose().map_err(|error| EvaluateError::Hash {
        url: of.clone(),
        error,
    })?;
    let option = FetchOption::ALL
        .into_iter()
        .find(|option| Some(option.attribute()) == pin.option.as_deref());
    let name = StoreName::of_fetchurl(pin.name.as_deref(), pin.versioned.as_deref(), first);
    Ok(Body::Pin(Pin {
        name: name.map_err(|error| EvaluateError::Name {
            url: of.clone(),
            error,
        })?,
        url: Url::parse(first).map_err(wrong)?,
        mirrors: mirrors(others).map_err(wrong)?,
        option,
        hash: hash.filter(|hash| !hash.is_fake()),
    }))
}
