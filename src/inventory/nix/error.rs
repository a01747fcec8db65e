//! What can be wrong with a `proxy_content.nix`, and what to do about it.

use thiserror::Error;

use crate::inventory::{
    ConditionError, EntryError, HeaderError, SriError, StoreNameError, Url, UrlError,
};

/// Why a `proxy_content.nix` cannot be read. Each has a line; the text names neither file nor
/// line, for whoever reports it puts `FILE:LINE: ` in front.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NixError {
    /// Not Nix at all.
    #[error("{what} (column {column})")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What was found, and what was expected.
        what: String,
    },
    /// Nix that has to be evaluated.
    #[error("{what} is more than a literal, and needs Nix to evaluate it")]
    NotLiteral {
        /// The line, from 1.
        line: usize,
        /// What it is.
        what: String,
    },
    /// The file is a literal, but no list.
    #[error("the file is {found}, not a list of entries")]
    NotList {
        /// The line, from 1.
        line: usize,
        /// What it is instead.
        found: &'static str,
    },
    /// An item of the list that is no set, or an attribute of another type.
    #[error("{what} is {found}, not {wanted}")]
    WrongType {
        /// The line, from 1.
        line: usize,
        /// The attribute.
        what: String,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// An attribute that means nothing here.
    #[error("unknown attribute `{name}` in {within}")]
    Unknown {
        /// The line, from 1.
        line: usize,
        /// The attribute.
        name: String,
        /// What it stands in.
        within: &'static str,
        /// The known attribute that it resembles most.
        nearest: Option<&'static str>,
    },
    /// An attribute that stands twice in one set.
    #[error("the attribute `{name}` is given twice, first on line {first}")]
    Twice {
        /// The later one's line, from 1.
        line: usize,
        /// The attribute.
        name: String,
        /// The earlier one's line, from 1.
        first: usize,
    },
    /// An attribute that must be there.
    #[error("{within} has no `{name}`")]
    Missing {
        /// The line of the set, from 1.
        line: usize,
        /// The attribute.
        name: &'static str,
        /// What it should stand in.
        within: &'static str,
    },
    /// A relative path in quotes, which to Nix is only a text.
    #[error("`file` is the text {text:?}, which is not an absolute path")]
    RelativeText {
        /// The line, from 1.
        line: usize,
        /// The text.
        text: String,
    },
    /// `fetchurl` is used where no argument of that name comes in.
    #[error("`fetchurl` is not defined here")]
    NoFetchurl {
        /// The line, from 1.
        line: usize,
    },
    /// Not a method.
    #[error("{text:?} is not a method such as \"GET\"")]
    Method {
        /// The line, from 1.
        line: usize,
        /// The text.
        text: String,
    },
    /// Not a status code.
    #[error("{number} is not a status code such as 200")]
    Status {
        /// The line, from 1.
        line: usize,
        /// The number.
        number: i64,
    },
    /// Not a URL of ours.
    #[error("{error}")]
    Url {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: UrlError,
    },
    /// Not a hash.
    #[error("{error}")]
    Hash {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: SriError,
    },
    /// Not a name for a file in the store.
    #[error("{error}")]
    StoreName {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: StoreNameError,
    },
    /// A header that no answer can have.
    #[error("{error}")]
    Header {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: HeaderError,
    },
    /// A condition that no request can meet, or that holds a secret.
    #[error("{error}")]
    Condition {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: ConditionError,
    },
    /// An entry whose parts do not fit together.
    #[error("the entry for `{url}` is wrong: {error}")]
    Entry {
        /// The entry's first line, from 1.
        line: usize,
        /// The entry's URL.
        url: Url,
        /// What is wrong.
        error: EntryError,
    },
}

impl NixError {
    /// The line that the error is on, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            Self::Syntax { line, .. }
            | Self::NotLiteral { line, .. }
            | Self::NotList { line, .. }
            | Self::WrongType { line, .. }
            | Self::Unknown { line, .. }
            | Self::Twice { line, .. }
            | Self::Missing { line, .. }
            | Self::RelativeText { line, .. }
            | Self::NoFetchurl { line }
            | Self::Method { line, .. }
            | Self::Status { line, .. }
            | Self::Url { line, .. }
            | Self::Hash { line, .. }
            | Self::StoreName { line, .. }
            | Self::Header { line, .. }
            | Self::Condition { line, .. }
            | Self::Entry { line, .. } => *line,
        }
    }

    /// What the user can do about it, where there is more to say than what is wrong.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { nearest, .. } => {
                nearest.map(|known| format!("did you mean `{known}`?"))
            }
            Self::Missing { name: "hash", .. } => Some(
                "write `hash = \"\";`, and `buildproxy update` writes the right one".to_owned(),
            ),
            Self::RelativeText { text, .. } => Some(format!(
                "without the quotes, as `./{}`, it is a path",
                text.trim_start_matches("./")
            )),
            Self::NoFetchurl { .. } => {
                Some("name it among the function's arguments: `{ fetchurl }:`".to_owned())
            }
            Self::Method { text, .. } => {
                let upper = text.to_ascii_uppercase();
                (upper != *text).then(|| format!("did you mean \"{upper}\"?"))
            }
            Self::Entry {
                error: EntryError::Method { method },
                ..
            } => Some(format!(
                "did you mean \"{}\"?",
                method.as_str().to_ascii_uppercase()
            )),
            Self::Condition {
                error: ConditionError::Secret { name },
                ..
            } if name == "authorization" => {
                Some("write `request.authorization = true;` instead".to_owned())
            }
            Self::Url {
                error: UrlError::Userinfo { .. },
                ..
            } => Some("delete what stands before the `@`".to_owned()),
            Self::Syntax { .. }
            | Self::NotLiteral { .. }
            | Self::NotList { .. }
            | Self::WrongType { .. }
            | Self::Twice { .. }
            | Self::Missing { .. }
            | Self::Status { .. }
            | Self::Url { .. }
            | Self::Hash { .. }
            | Self::StoreName { .. }
            | Self::Header { .. }
            | Self::Condition { .. }
            | Self::Entry { .. } => None,
        }
    }
}
