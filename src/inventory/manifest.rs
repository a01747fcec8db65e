//! The inventory as JSON: what replay is given inside of the sandbox.
//!
//! It is the list that `builtins.toJSON` makes of the evaluated `proxy_content.nix`: the same
//! attributes with the same defaults, and `file` being an absolute path or null.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use http::{Method, StatusCode};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::body::Body;
use super::condition::Condition;
use super::entry::{Declared, Entry};
use super::headers::Headers;
use super::listing::Listing;
use super::nix::Located;
use super::query::{IgnoredQuery, Parameter};
use super::sri::Sri;
use super::url::Url;

mod index;

pub use index::Index;

/// Why a manifest cannot be read or written.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// The text is not JSON, or not a list.
    #[error("line {line}: {error}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong, with the column.
        error: serde_json::Error,
    },
    /// An entry is wrong.
    #[error("line {line}: entry {index}{}: {error}", for_url(url.as_deref()))]
    Entry {
        /// The entry's place in the list, from 0.
        index: usize,
        /// The entry's URL as it stands in the text, where there is one.
        url: Option<String>,
        /// The line, from 1.
        line: usize,
        /// What is wrong, with the column.
        error: serde_json::Error,
    },
    /// An entry whose body is not a file yet.
    #[error("the body of `{url}` is {what}, where a manifest has an absolute path")]
    Body {
        /// The entry's URL.
        url: Url,
        /// What the body is.
        what: &'static str,
    },
    /// A path that JSON cannot hold.
    #[error("the path {path:?} for `{url}` is not UTF-8")]
    Path {
        /// The entry's URL.
        url: Url,
        /// The path.
        path: PathBuf,
    },
}

impl ManifestError {
    /// The line that the error is on, from 1, where it is on one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Syntax { line, .. } | Self::Entry { line, .. } => Some(*line),
            Self::Body { .. } | Self::Path { .. } => None,
        }
    }
}

fn for_url(url: Option<&str>) -> String {
    url.map(|url| format!(" for `{url}`")).unwrap_or_default()
}

/// Reads a manifest. Entries come in the order of the list, without those that come too late to answer
/// anything.
pub fn read(text: &str) -> Result<Vec<Entry>, ManifestError> {
    let Listing { entries, .. } = list(text)?;
    Ok(entries.into_iter().map(|located| located.entry).collect())
}

/// Reads a manifest, each entry with its line.
pub fn list(text: &str) -> Result<Listing, ManifestError> {
    let entries = declared(text)?.into_iter().zip(lines(text));
    let located = entries.map(|(declared, line)| Located::at(line, declared));
    Ok(Listing::of(located.collect()))
}

/// Reads all of a manifest, in its order.
pub(crate) fn declared(text: &str) -> Result<Vec<Declared>, ManifestError> {
    let index = Cell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    List { index: &index }
        .deserialize(&mut json)
        .and_then(|entries| {
            index.set(None);
            json.end().map(|()| entries)
        })
        .map_err(|error| {
            let line = error.line();
            match index.get() {
                Some(index) if error.is_data() => ManifestError::Entry {
                    index,
                    url: url_of(text, index),
                    line,
                    error,
                },
                _ => ManifestError::Syntax { line, error },
            }
        })
}

/// The lines that the entries of a manifest start on, from 1, in their order. The text has to be one
/// that [`read`] reads.
#[must_use]
fn lines(text: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let (mut line, mut depth) = (1, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            b'\n' => line += 1,
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                if depth == 1 {
                    lines.push(line);
                }
                depth += 1;
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    lines
}

/// Writes a manifest: indented JSON with a newline at its end. Only empty bodies and files with an
/// absolute path can be written.
pub fn write(entries: &[Entry]) -> Result<String, ManifestError> {
    let written = entries
        .iter()
        .map(Written::of)
        .collect::<Result<Vec<_>, _>>()?;
    // Strings, integers and maps of them: nothing that serde_json could refuse.
    let mut text = serde_json::to_string_pretty(&written).unwrap_or_default();
    text.push('\n');
    Ok(text)
}

/// The URL of an entry of a manifest that could not be read, for the message.
fn url_of(text: &str, index: usize) -> Option<String> {
    let list: serde_json::Value = serde_json::from_str(text).ok()?;
    let url = list.get(index)?.get("url")?.as_str()?;
    // Not repeated before it is known to hold no password; and without other secrets.
    Url::parse(url).ok().map(|url| url.to_string())
}

/// The list, counting its entries so that an error can say which one it is in.
struct List<'a> {
    index: &'a Cell<Option<usize>>,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Vec<Declared>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<Declared>, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Vec<Declared>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Declared>, A::Error> {
        let mut entries = Vec::new();
        loop {
            self.index.set(Some(entries.len()));
            match list.next_element::<Item>()? {
                Some(Item(declared)) => entries.push(declared),
                None => return Ok(entries),
            }
        }
    }
}

/// An entry of the list. It is checked while the map is being read, so that an error has the line
/// of the entry and not that of the list's end.
struct Item(Declared);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entry")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
                let read = Read::deserialize(de::value::MapAccessDeserializer::new(map))?;
                read.into_declared().map(Item).map_err(de::Error::custom)
            }
        }
        json.deserialize_map(Map)
    }
}

/// An entry as it stands in the text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    url: Url,
    method: Option<String>,
    status_code: Option<u16>,
    #[serde(default)]
    headers: ReadHeaders,
    file: Option<PathBuf>,
    #[serde(default)]
    request: ReadCondition,
}

impl Read {
    fn into_declared(self) -> Result<Declared, String> {
        let method = match self.method {
            None => Method::GET,
            Some(name) => Method::from_bytes(name.as_bytes())
                .map_err(|_| format!("{name:?} is not a method"))?,
        };
        let status = match self.status_code {
            None => StatusCode::OK,
            Some(number) => StatusCode::from_u16(number)
                .map_err(|_| format!("{number} is not a status code"))?,
        };
        let body = match self.file {
            None => Body::Empty,
            Some(path) if path.is_absolute() => Body::File(path),
            Some(path) => {
                return Err(format!(
                    "the file `{}` is not an absolute path",
                    path.display()
                ));
            }
        };
        let entry = Entry {
            url: self.url,
            method,
            status,
            headers: self.headers.0,
            body,
            condition: self.request.into_condition()?,
        };
        Declared::new(entry).map_err(|error| error.to_string())
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadCondition {
    #[serde(default)]
    headers: ReadHeaders,
    #[serde(default)]
    authorization: bool,
    body: Option<Sri>,
    #[serde(default, rename = "ignoreQuery")]
    ignore_query: Vec<Parameter>,
}

impl ReadCondition {
    fn into_condition(self) -> Result<Condition, String> {
        let mut condition = Condition {
            headers: BTreeMap::new(),
            authorization: self.authorization,
            body: self.body,
            ignore_query: IgnoredQuery::default(),
        };
        for name in self.ignore_query {
            condition
                .declare_ignored(name)
                .map_err(|error| error.to_string())?;
        }
        for (name, values) in self.headers.0.fields() {
            let [value] = values else {
                return Err(format!("the request header `{name}` is not a string"));
            };
            condition
                .declare(name, value)
                .map_err(|error| error.to_string())?;
        }
        Ok(condition)
    }
}

#[derive(Default)]
struct ReadHeaders(Headers);

impl<'de> Deserialize<'de> for ReadHeaders {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = ReadHeaders;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers, each a string or a list of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ReadHeaders, A::Error> {
                let mut headers = Headers::new();
                while let Some((name, values)) = map.next_entry::<String, Values>()? {
                    headers
                        .declare(&name, values.as_slice().iter().map(String::as_str))
                        .map_err(de::Error::custom)?;
                }
                Ok(ReadHeaders(headers))
            }
        }
        json.deserialize_map(Fields)
    }
}

/// One value or several; several only where there are several.
#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

/// By itself, as serde's own way for such types first reads everything into a type of its own.
impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header that is a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Values, E> {
                Ok(Values::One(value.to_owned()))
            }

            fn visit_string<E: de::Error>(self, value: String) -> Result<Values, E> {
                Ok(Values::One(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Values::Several(values))
            }
        }
        json.deserialize_any(Either)
    }
}

impl Values {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

/// An entry as we write it: what has a default and equals it is left out, but for status and
/// headers, as in `proxy_content.nix`.
#[derive(Serialize)]
struct Written<'a> {
    url: &'a Url,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    file: Option<&'a str>,
    status_code: u16,
    headers: BTreeMap<&'a str, Values>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<WrittenCondition<'a>>,
}

#[derive(Serialize)]
struct WrittenCondition<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    authorization: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Sri>,
    #[serde(rename = "ignoreQuery", skip_serializing_if = "Vec::is_empty")]
    ignore_query: Vec<&'a Parameter>,
}

impl<'a> Written<'a> {
    fn of(entry: &'a Entry) -> Result<Self, ManifestError> {
        let no_file = |what| ManifestError::Body {
            url: entry.url.clone(),
            what,
        };
        let file = match &entry.body {
            Body::Empty => None,
            Body::File(path) if path.is_absolute() => {
                Some(path.to_str().ok_or_else(|| ManifestError::Path {
                    url: entry.url.clone(),
                    path: path.clone(),
                })?)
            }
            Body::File(_) => return Err(no_file("a relative path")),
            Body::Pin(_) => return Err(no_file("a fetchurl")),
            Body::Text { .. } => return Err(no_file("a text")),
        };
        let condition = &entry.condition;
        Ok(Self {
            url: &entry.url,
            method: (entry.method != Method::GET).then(|| entry.method.as_str()),
            file,
            status_code: entry.status.as_u16(),
            headers: entry
                .headers
                .fields()
                .map(|(name, values)| match values {
                    [value] => (name, Values::One(value.clone())),
                    _ => (name, Values::Several(values.to_vec())),
                })
                .collect(),
            request: (!condition.is_empty()).then_some(WrittenCondition {
                headers: &condition.headers,
                authorization: condition.authorization,
                body: condition.body.as_ref(),
                ignore_query: condition.ignore_query.iter().collect(),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"[
  {
    "url": "https://example.org/a",
    "method": "HEAD",
    "file": null,
    "status_code": 404,
    "headers": {
      "content-length": "3",
      "link": [
        "<a>",
        "<b>"
      ]
    },
    "request": {
      "headers": {
        "accept": "text/html"
      },
      "authorization": true,
      "body": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
      "ignoreQuery": [
        "_",
        "nonce"
      ]
    }
  },
  {
    "url": "https://example.org/b",
    "file": "/nix/store/x-b",
    "status_code": 200,
    "headers": {}
  }
]
"#;

    #[test]
    fn entries_are_found_by_line() {
        let text = r#"[{"url": "https://example.org/{\"[", "headers": {"a": ["1", "2"]}},

  {
    "url": "https://example.org/b"}]"#;
        assert_eq!(read(text).unwrap().len(), 2);
        assert_eq!(lines(text), [1, 3]);
    }

    #[test]
    fn writing_gives_back_what_was_read() {
        let entries = read(FULL).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].method, Method::HEAD);
        assert_eq!(entries[0].headers.get_all("link"), ["<a>", "<b>"]);
        assert!(entries[0].condition.authorization);
        assert_eq!(write(&entries).unwrap(), FULL);
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let entries = read(r#"[{"url": "http://example.org"}]"#).unwrap();
        let wanted = Entry::get("http://example.org/".parse().unwrap(), Body::Empty);
        assert_eq!(entries, [wanted]);
        assert_eq!(read("[]").unwrap(), []);
    }

    #[test]
    fn errors_say_where() {
        let text = "[\n {\"url\": \"https://example.org/a\"},\n {\"file\": \"x\",\n\"url\": \"https://example.org/b\"}\n]";
        let error = read(text).unwrap_err();
        let ManifestError::Entry {
            index, url, line, ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(*index, 1);
        assert_eq!(url.as_deref(), Some("https://example.org/b"));
        assert_eq!(*line, 4);
        assert!(
            error.to_string().contains("not an absolute path"),
            "{error}"
        );
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (text, wanted) in [
            ("", "EOF"),
            ("{}", "a list of entries"),
            ("[] x", "trailing"),
            ("[{}]", "missing field `url`"),
            (
                r#"[{"url": "https://example.org/", "ulr": 1}]"#,
                "unknown field `ulr`",
            ),
            (
                r#"[{"url": "https://example.org/", "url": "x"}]"#,
                "duplicate field",
            ),
            (
                r#"[{"url": "ftp://example.org/"}]"#,
                "neither http nor https",
            ),
            (
                r#"[{"url": "https://example.org/", "method": "get"}]"#,
                "upper case",
            ),
            (
                r#"[{"url": "https://example.org/", "method": "a b"}]"#,
                "not a method",
            ),
            (
                r#"[{"url": "https://example.org/", "status_code": 99}]"#,
                "not a status code",
            ),
            (
                r#"[{"url": "https://example.org/", "status_code": "200"}]"#,
                "invalid type",
            ),
            (
                r#"[{"url": "https://example.org/", "headers": {"a": []}}]"#,
                "no value",
            ),
            (
                r#"[{"url": "https://example.org/", "headers": {"a": 1}}]"#,
                "list of strings",
            ),
            (
                r#"[{"url": "https://example.org/", "headers": {"a": "1", "A": "2"}}]"#,
                "given twice",
            ),
            (
                r#"[{"url": "https://example.org/", "headers": {"a": "\u0000"}}]"#,
                "control",
            ),
            (
                r#"[{"url": "https://example.org/", "request": {"headers": {"a": ["1", "2"]}}}]"#,
                "not a string",
            ),
            (
                r#"[{"url": "https://example.org/", "request": {"headers": {"cookie": "1"}}}]"#,
                "secret",
            ),
            (
                r#"[{"url": "https://example.org/", "request": {"body": "x"}}]"#,
                "not a hash",
            ),
            (
                r#"[{"url": "https://example.org/", "request": {"ignoreQuery": ["a&b"]}}]"#,
                "name of a query parameter",
            ),
            (
                r#"[{"url": "https://example.org/", "request": {"ignoreQuery": ["_", "_"]}}]"#,
                "given twice",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn what_another_tool_wrote_is_read_and_not_used() {
        let text = r#"[{"url": "https://example.org/",
            "headers": {"content-length": "1", "Connection": "close", "content-type": "a"}},
            {"url": "https://EXAMPLE.org", "status_code": 404},
            {"url": "https://example.org/b"}]"#;
        let entries = read(text).unwrap();
        let seen: Vec<_> = entries
            .iter()
            .map(|entry| (entry.status.as_u16(), entry.headers.len()))
            .collect();
        assert_eq!(seen, [(200, 1), (200, 0)]);
        let listing = list(text).unwrap();
        assert_eq!(listing.entries[0].length.as_deref(), Some("1"));
        assert_eq!(listing.entries[1].line, 4);
        let repeat = &listing.repeats[0];
        assert_eq!((repeat.first, repeat.located.line), (0, 3));
        assert!(!listing.is_exact(repeat));
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = read(r#"[{"url": "https://a:hunter2@example.org/"}]"#).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn only_files_are_written() {
        let url: Url = "https://example.org/".parse().unwrap();
        for body in [
            Body::File("a".into()),
            Body::text("a".parse().unwrap(), "b").unwrap(),
            Body::Pin(crate::inventory::Pin::new(
                "a".parse().unwrap(),
                url.clone(),
                None,
            )),
        ] {
            let error = write(&[Entry::get(url.clone(), body)]).unwrap_err();
            assert!(error.to_string().contains("https://example.org/"));
        }
    }
}
