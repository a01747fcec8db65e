//! The headers of an answer that are worth keeping.
//!
//! Names are in lower case and sorted, so that the same answer is always written the same way.
//! Values are texts that a response can hold; anything else is refused here, once, so that
//! neither the printer nor the responder has to look again.
//!
//! Sources: RFC 9110 §5 (fields), §7.6.1 (what is for one connection only).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::HeaderName;
use thiserror::Error;

/// Whether a header, its name given in lower case, is for one connection only.
pub(crate) fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

/// What concerns one connection, not the answer (RFC 9110 §7.6.1), and is made anew by whoever
/// sends it.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What the names of headers have in them that tell of the bytes of a body. nix/replace.nix reads the same
/// file.
static OF_THE_BYTES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    // A test reads it, too.
    serde_json::from_str(include_str!("headers_of_the_bytes.json")).unwrap_or_default()
});

/// Why a header is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// Not a token (RFC 9110 §5.1).
    #[error("{name:?} is not a header name")]
    Name {
        /// The name as it was given.
        name: String,
    },
    /// The value has a control character other than tab.
    #[error("the value of the header `{name}` contains a control character")]
    Value {
        /// The name in lower case.
        name: String,
    },
    /// The header concerns a single connection.
    #[error("the header `{name}` is for one connection and cannot be kept")]
    HopByHop {
        /// The name in lower case.
        name: String,
    },
    /// The name is there already.
    #[error("the header `{name}` is given twice")]
    Twice {
        /// The name in lower case.
        name: String,
    },
    /// A header without any value.
    #[error("the header `{name}` has no value")]
    NoValue {
        /// The name in lower case.
        name: String,
    },
}

/// Response headers: lower-case names in sorted order, each with one or more values in the order
/// of their arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Headers {
    /// No list of values is empty.
    fields: BTreeMap<String, Vec<String>>,
}

impl Headers {
    /// No headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value of `name`, which is given in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).first().map(String::as_str)
    }

    /// All values of `name`, which is given in lower case; none where it is not there.
    #[must_use]
    pub fn get_all(&self, name: &str) -> &[String] {
        self.fields.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether there is a header of that name, which is given in lower case.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Sets `name` to a single value. The name's case does not matter.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), HeaderError> {
        let name = checked_name(name)?;
        let value = checked_value(&name, value)?;
        self.fields.insert(name, vec![value]);
        Ok(())
    }

    /// Adds a value to those that `name` has. The name's case does not matter.
    pub fn append(&mut self, name: &str, value: &str) -> Result<(), HeaderError> {
        let name = checked_name(name)?;
        let value = checked_value(&name, value)?;
        self.fields.entry(name).or_default().push(value);
        Ok(())
    }

    /// Takes a header with all its values from a file, where each name stands once.
    pub(super) fn declare<'a>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), HeaderError> {
        let name = valid_name(name)?;
        let values: Vec<String> = values
            .into_iter()
            .map(|value| checked_value(&name, value))
            .collect::<Result<_, _>>()?;
        if values.is_empty() {
            return Err(HeaderError::NoValue { name });
        }
        if self.fields.contains_key(&name) {
            return Err(HeaderError::Twice { name });
        }
        self.fields.insert(name, values);
        Ok(())
    }

    /// Takes away what is for one connection only: other tools write it down, and it says nothing of the answer.
    pub(super) fn keep_end_to_end(&mut self) {
        let values = self.get_all("connection").iter();
        let named: Vec<String> = values
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .collect();
        self.fields
            .retain(|name, _| !is_hop_by_hop(name) && !named.contains(name));
    }

    /// The names of those that tell of the bytes of the body, and that other bytes would not have.
    pub fn of_the_bytes(&self) -> impl Iterator<Item = &str> {
        let names = self.fields.keys().map(String::as_str);
        names.filter(|name| OF_THE_BYTES.iter().any(|part| name.contains(part)))
    }

    /// Takes `name`, given in lower case, and all its values away.
    pub fn remove(&mut self, name: &str) {
        self.fields.remove(name);
    }

    /// Each name with each of its values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields()
            .flat_map(|(name, values)| values.iter().map(move |value| (name, value.as_str())))
    }

    /// Each name once, with all its values, sorted by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.fields
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Number of names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }
}

/// The name in lower case, if it is one.
fn valid_name(name: &str) -> Result<String, HeaderError> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::Name {
        name: name.to_owned(),
    })?;
    Ok(parsed.as_str().to_owned())
}

/// The name in lower case, if it is one that may be kept.
fn checked_name(name: &str) -> Result<String, HeaderError> {
    let name = valid_name(name)?;
    if is_hop_by_hop(&name) {
        return Err(HeaderError::HopByHop { name });
    }
    Ok(name)
}

fn checked_value(name: &str, value: &str) -> Result<String, HeaderError> {
    if is_field_value(value) {
        Ok(value.to_owned())
    } else {
        Err(HeaderError::Value {
            name: name.to_owned(),
        })
    }
}

/// Whether a header can have this value. Bytes above 127 are allowed, as `http::HeaderValue`
/// allows them.
pub(super) fn is_field_value(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_sorted() {
        let mut headers = Headers::new();
        headers.insert("X-B", "2").unwrap();
        headers.append("Link", "<a>").unwrap();
        headers.append("link", "<b>").unwrap();
        headers.insert("ETag", "\"x\"").unwrap();
        let pairs: Vec<_> = headers.iter().collect();
        assert_eq!(
            pairs,
            [
                ("etag", "\"x\""),
                ("link", "<a>"),
                ("link", "<b>"),
                ("x-b", "2")
            ]
        );
        assert_eq!(headers.get("link"), Some("<a>"));
        assert_eq!(headers.get_all("link"), ["<a>", "<b>"]);
        assert_eq!(headers.len(), 3);
    }

    #[test]
    fn what_no_answer_can_hold_is_refused() {
        let mut headers = Headers::new();
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a:", "x"),
            ("ü", "x"),
            ("x", "a\r\nSet-Cookie: b"),
            ("x", "\0"),
            ("x", "\u{7f}"),
            ("Transfer-Encoding", "chunked"),
            ("connection", "close"),
        ] {
            assert!(headers.insert(name, value).is_err(), "{name:?}: {value:?}");
            assert!(headers.append(name, value).is_err(), "{name:?}: {value:?}");
        }
        assert!(headers.is_empty());
        headers.insert("x", "tab\t and ü \"${x}\"").unwrap();
    }

    #[test]
    fn the_table_of_headers_of_the_bytes_is_read() {
        let mut headers = Headers::new();
        for name in [
            "content-disposition",
            "content-encoding",
            "content-type",
            "ETag",
            "Last-Modified",
            "link",
            "x-amz-meta-sha384",
            "x-goog-stored-content-length",
        ] {
            headers.insert(name, "a").unwrap();
        }
        let of_the_bytes: Vec<_> = headers.of_the_bytes().collect();
        let wanted = [
            "content-encoding",
            "etag",
            "last-modified",
            "x-amz-meta-sha384",
            "x-goog-stored-content-length",
        ];
        assert_eq!(of_the_bytes, wanted);
    }

    #[test]
    fn what_another_tool_wrote_of_its_connection_is_left_out() {
        let mut headers = Headers::new();
        for name in ["Connection", "keep-alive", "Transfer-Encoding", "X-One"] {
            headers.declare(name, ["x-one, X-Two", "close"]).unwrap();
        }
        headers.declare("upgrade", ["\0"]).unwrap_err();
        headers.declare("etag", ["a"]).unwrap();
        headers.keep_end_to_end();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("etag", "a")]);
    }

    #[test]
    fn every_value_that_is_kept_can_be_sent() {
        for byte in 0..=127_u8 {
            let value = char::from(byte).to_string();
            assert_eq!(
                is_field_value(&value),
                http::HeaderValue::from_bytes(value.as_bytes()).is_ok(),
                "{byte}"
            );
        }
    }
}
