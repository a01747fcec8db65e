//! What narrows an entry where one URL has several answers: the attribute `request` of the file.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName};
use thiserror::Error;

use super::headers::is_field_value;
use super::query::{IgnoredQuery, Parameter, ParameterError};
use super::secrets::is_secret_header;
use super::sri::Sri;

/// Why a condition is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConditionError {
    /// Not a header name in lower case.
    #[error("{name:?} is not a header name in lower case")]
    Name {
        /// The name as it was given.
        name: String,
    },
    /// The value has a control character other than tab.
    #[error("the value of the request header `{name}` contains a control character")]
    Value {
        /// The name.
        name: String,
    },
    /// The header's value is a secret, and never recorded.
    #[error("the request header `{name}` holds a secret, which is never recorded")]
    Secret {
        /// The name.
        name: String,
    },
    /// Not the name of a query parameter.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The parameter is there already.
    #[error("the query parameter `{name}` is given twice")]
    TwiceIgnored {
        /// The name.
        name: Parameter,
    },
    /// The name is there already.
    #[error("the request header `{name}` is given twice")]
    Twice {
        /// The name.
        name: String,
    },
}

/// The headers by which a capture tells the answers of one URL apart.
pub(crate) const TELLING: [&str; 2] = ["accept", "git-protocol"];

/// What a request asks for by one of these; `None` where it leaves that to the server.
pub(crate) fn asked_by<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    (name != "accept" || value != "*/*").then_some(value)
}

/// What a request must have, besides method and URL, to get an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// Lower-case names, and the values that the request has under them.
    pub headers: BTreeMap<String, String>,
    /// Whether the request carries credentials, in a header such as Authorization or in its URL,
    /// whatever they are.
    pub authorization: bool,
    /// Hash of the request's (normalised) body.
    pub body: Option<Sri>,
    /// The parameters of the URL that do not count.
    pub ignore_query: IgnoredQuery,
}

impl Condition {
    /// Whether every request with the method and exactly the URL will do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.asks_nothing() && self.ignore_query.is_empty()
    }

    /// Whether every request with the method and the URL, so far as that counts, will do.
    #[must_use]
    pub fn asks_nothing(&self) -> bool {
        self.headers.is_empty() && !self.authorization && self.body.is_none()
    }

    /// How much this asks for of a request with these headers (by their lower-case names), with
    /// credentials or without, and with a body of this hash; `None` where it does not have all of it.
    #[must_use]
    pub fn fit<'a>(
        &self,
        header: impl Fn(&str) -> Option<&'a str>,
        authorized: bool,
        body: Option<&Sri>,
    ) -> Option<usize> {
        let mut headers = self.headers.iter();
        let fits = headers.all(|(name, value)| header(name) == Some(value.as_str()))
            && (authorized || !self.authorization)
            && (self.body.is_none() || self.body.as_ref() == body);
        let others = usize::from(self.authorization) + usize::from(self.body.is_some());
        fits.then_some(self.headers.len() + others)
    }

    /// Takes a parameter that does not count from a file, where each name stands once.
    pub(super) fn declare_ignored(&mut self, name: Parameter) -> Result<(), ConditionError> {
        if self.ignore_query.insert(name.clone()) {
            Ok(())
        } else {
            Err(ConditionError::TwiceIgnored { name })
        }
    }

    /// Takes a header from a file, where each name stands once. The name's case does not matter.
    pub(super) fn declare(&mut self, name: &str, value: &str) -> Result<(), ConditionError> {
        let name = name.to_ascii_lowercase();
        if self.headers.contains_key(&name) {
            return Err(ConditionError::Twice { name });
        }
        check_header(&name, value)?;
        self.headers.insert(name, value.to_owned());
        Ok(())
    }

    /// Whether all headers are such as a request can have, and none holds a secret.
    pub(super) fn check(&self) -> Result<(), ConditionError> {
        self.headers
            .iter()
            .try_for_each(|(name, value)| check_header(name, value))
    }
}

fn check_header(name: &str, value: &str) -> Result<(), ConditionError> {
    if HeaderName::from_lowercase(name.as_bytes()).is_err() {
        return Err(ConditionError::Name {
            name: name.to_owned(),
        });
    }
    if is_secret_header(name) {
        return Err(ConditionError::Secret {
            name: name.to_owned(),
        });
    }
    if !is_field_value(value) {
        return Err(ConditionError::Value {
            name: name.to_owned(),
        });
    }
    Ok(())
}
