//! What the inventory keeps of an exchange.

use std::borrow::Cow;

use http::{Method, StatusCode};
use thiserror::Error;

use super::body::{Body, BodyError};
use super::condition::{Condition, ConditionError};
use super::headers::Headers;
use super::url::Url;

/// The header with the length of a body.
pub(crate) const CONTENT_LENGTH: &str = "content-length";

/// Why an entry is refused though each of its parts is fine.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// A method in lower case, which is another method, and surely not meant.
    #[error("the method `{method}` is not in upper case")]
    Method {
        /// The method as it was given.
        method: Method,
    },
    /// An interim status (RFC 9110 §15.2), after which another answer follows.
    #[error("the status {status} is not a final one")]
    Status {
        /// The status as it was given.
        status: StatusCode,
    },
    /// The length of a body is that of its file.
    #[error(
        "the header `content-length` is the file's, and stands only by HEAD with an empty body"
    )]
    ContentLength,
    /// A captured URL that would not look in the file like what it is.
    #[error("the URL has characters that cannot be seen")]
    HiddenUrl,
    /// The body cannot be said in Nix.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The condition cannot be met, or holds a secret.
    #[error(transparent)]
    Condition(#[from] ConditionError),
}

/// A request, and the answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was asked for.
    pub url: Url,
    /// How it was asked for.
    pub method: Method,
    /// The final answer's status.
    pub status: StatusCode,
    /// The answer's headers that are worth keeping. `content-length` is among them only by HEAD
    /// with an empty body, where there is no other way to say the length.
    pub headers: Headers,
    /// The answer's body, and where it comes from.
    pub body: Body,
    /// What else a request must have to get this answer.
    pub condition: Condition,
}

impl Entry {
    /// A GET that was answered with 200, without headers and condition.
    #[must_use]
    pub fn get(url: Url, body: Body) -> Self {
        Self {
            url,
            method: Method::GET,
            status: StatusCode::OK,
            headers: Headers::new(),
            body,
            condition: Condition::default(),
        }
    }

    /// What tells this entry from all others in an inventory.
    #[must_use]
    pub fn id(&self) -> Id<'_> {
        Id {
            url: self.condition.ignore_query.without(&self.url),
            method: self.method.as_str(),
            condition: &self.condition,
        }
    }

    /// Whether the parts fit together, and can be written down. Both readers call this; whoever
    /// makes entries does too, before they are written.
    pub fn check(&self) -> Result<(), EntryError> {
        if self
            .method
            .as_str()
            .contains(|c: char| c.is_ascii_lowercase())
        {
            return Err(EntryError::Method {
                method: self.method.clone(),
            });
        }
        if self.status.is_informational() {
            return Err(EntryError::Status {
                status: self.status,
            });
        }
        if self.headers.contains(CONTENT_LENGTH) && !self.may_have_length() {
            return Err(EntryError::ContentLength);
        }
        self.body.check()?;
        self.condition.check()?;
        Ok(())
    }

    /// Whether there is no other way to say how long the body is.
    fn may_have_length(&self) -> bool {
        self.method == Method::HEAD && self.body == Body::Empty
    }

    /// Takes out a length that is the body's to say. Several values are one list (RFC 9110 §8.6).
    fn take_length(&mut self) -> Option<String> {
        if self.may_have_length() || !self.headers.contains(CONTENT_LENGTH) {
            return None;
        }
        let said = self.headers.get_all(CONTENT_LENGTH).join(", ");
        self.headers.remove(CONTENT_LENGTH);
        Some(said)
    }
}

/// An entry as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The entry.
    pub entry: Entry,
    /// What the file says of the length of its body, which is never used: the body has its own.
    pub length: Option<String>,
}

impl Declared {
    /// Takes what is not used out of an entry that was read, and checks the rest.
    ///
    /// # Errors
    ///
    /// As [`Entry::check`].
    pub(super) fn new(mut entry: Entry) -> Result<Self, EntryError> {
        entry.headers.keep_end_to_end();
        let length = entry.take_length();
        entry.check()?;
        Ok(Self { entry, length })
    }

    /// The same with another body.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Self {
        self.entry.body = body;
        let length = self.entry.take_length();
        Self {
            length: self.length.or(length),
            ..self
        }
    }
}

impl From<Entry> for Declared {
    /// Of an entry that no file says more of.
    fn from(entry: Entry) -> Self {
        Self {
            entry,
            length: None,
        }
    }
}

/// URL, method and condition: of entries that have the same, the first one answers. Ordered in that
/// order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<'a> {
    /// What is asked for, so far as it counts.
    pub url: Cow<'a, Url>,
    /// How it is asked for.
    pub method: &'a str,
    /// What else the request must have.
    pub condition: &'a Condition,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        Entry::get(text.parse().unwrap(), Body::Empty)
    }

    #[test]
    fn identities_order_by_url_then_method_then_condition() {
        let a = entry("https://example.org/a");
        let mut a_post = a.clone();
        a_post.method = Method::POST;
        let mut a_accept = a.clone();
        a_accept
            .condition
            .headers
            .insert("accept".to_owned(), "x".to_owned());
        let b = entry("https://example.org/b");
        assert!(a.id() < a_accept.id());
        assert!(a_accept.id() < a_post.id());
        assert!(a_post.id() < b.id());
    }

    #[test]
    fn a_length_stands_by_an_empty_head_only() {
        let mut entry = entry("https://example.org/a");
        entry.headers.insert("Content-Length", "3").unwrap();
        assert_eq!(entry.check(), Err(EntryError::ContentLength));
        entry.method = Method::HEAD;
        assert_eq!(entry.check(), Ok(()));
        entry.body = Body::text("a".parse().unwrap(), "abc").unwrap();
        assert_eq!(entry.check(), Err(EntryError::ContentLength));
    }

    #[test]
    fn a_length_that_another_tool_wrote_is_taken_out() {
        let mut entry = entry("https://example.org/a");
        entry.headers.insert("Content-Length", "3").unwrap();
        let declared = Declared::new(entry.clone()).unwrap();
        assert_eq!(declared.length.as_deref(), Some("3"));
        assert!(declared.entry.headers.is_empty());

        entry.method = Method::HEAD;
        let declared = Declared::new(entry.clone()).unwrap();
        assert_eq!((declared.length.as_ref(), &declared.entry), (None, &entry));
        // As it is where Nix has evaluated it, whose body comes later.
        let declared = declared.with_body(Body::text("a".parse().unwrap(), "abc").unwrap());
        assert_eq!(declared.length.as_deref(), Some("3"));
        assert_eq!(declared.entry.check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let good = entry("https://example.org/a");
        let mut entry = good.clone();
        entry.method = Method::from_bytes(b"get").unwrap();
        assert!(matches!(entry.check(), Err(EntryError::Method { .. })));
        let mut entry = good.clone();
        entry.status = StatusCode::CONTINUE;
        assert!(matches!(entry.check(), Err(EntryError::Status { .. })));
        let mut entry = good;
        entry
            .condition
            .headers
            .insert("authorization".to_owned(), "Basic x".to_owned());
        assert!(matches!(entry.check(), Err(EntryError::Condition(_))));
        assert!(Body::text("a".parse().unwrap(), "\0").is_err());
    }
}
