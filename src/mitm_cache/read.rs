//! Reading a lock, of either form.

use serde_json::{Map, Value};

use super::{
    Lock, LockError, Page, Wrong, gradle,
    maven::{self, Metadata},
};
use crate::inventory::{Algorithm, Sri, SriError, Url, secrets::presentable};

/// The only version of either form.
const VERSION: u64 = 1;

/// Reads a lock.
///
/// # Errors
///
/// The first thing that is wrong, with its line where it can be told.
pub fn read(text: &str) -> Result<Lock, LockError> {
    let value: Value = serde_json::from_str(text).map_err(|error| LockError {
        line: Some(error.line()),
        wrong: Wrong::Syntax(error),
    })?;
    let mut reading = Reading::default();
    match reading.lock(&value) {
        Ok(()) => Ok(reading.lock),
        Err(wrong) => Err(LockError {
            line: line_of(text, &reading.place),
            wrong,
        }),
    }
}

/// The line that the last of these keys is on, each being inside of the one before.
fn line_of(text: &str, place: &[String]) -> Option<usize> {
    let mut offset = 0;
    for key in place {
        let quoted = Value::from(key.as_str()).to_string();
        offset += text.get(offset..)?.find(&quoted)?;
    }
    let before = text.get(..offset)?;
    (offset > 0).then(|| before.matches('\n').count() + 1)
}

/// A lock in the making.
#[derive(Default)]
pub(super) struct Reading {
    lock: Lock,
    /// What is to be made up, when all else is known.
    metadata: Vec<(Vec<String>, Url, Metadata)>,
    /// The keys that are being looked at.
    place: Vec<String>,
}

impl Reading {
    fn lock(&mut self, value: &Value) -> Result<(), Wrong> {
        for (key, value) in object("the lock", value)? {
            self.place = vec![key.clone()];
            match key.as_str() {
                "!comment" => {}
                "!version" if value.as_u64() == Some(VERSION) => {}
                "!version" => return Err(Wrong::Version(value.to_string())),
                _ if !key.contains(':') => return Err(Wrong::Key(presentable(key))),
                _ => {
                    let pages = object(&quoted(key), value)?;
                    if is_page(pages) {
                        self.page(key, pages)?;
                    } else {
                        gradle::expand(self, pages)?;
                    }
                }
            }
        }
        for (place, url, metadata) in std::mem::take(&mut self.metadata) {
            self.place = place;
            let text = maven::text(&url, &metadata, self.lock.pages.keys())?;
            self.add(url, Page::Text(text))?;
        }
        Ok(())
    }

    fn page(&mut self, key: &str, page: &Map<String, Value>) -> Result<(), Wrong> {
        let url = url(key)?;
        let name = || presentable(key);
        let mut found = Vec::new();
        for (kind, value) in page {
            self.place.push(kind.clone());
            match kind.as_str() {
                "post" => {
                    self.lock.posts.insert(url.clone());
                }
                "hash" => found.push(hash(key, string(kind, value)?, str::parse)?),
                // As mitm-cache wrote it once.
                "sha256" => {
                    let parse = |text: &str| Sri::parse_as(Algorithm::Sha256, text);
                    found.push(hash(key, string(kind, value)?, parse)?);
                }
                "text" => found.push(Page::Text(string(kind, value)?.to_owned())),
                "redirect" => {
                    let target = url.join(string(kind, value)?);
                    let target = target.map_err(|error| Wrong::Redirect {
                        page: name(),
                        error,
                    })?;
                    found.push(Page::Redirect(target.without_secrets().into_owned()));
                }
                _ => {
                    return Err(Wrong::Unknown {
                        page: name(),
                        name: kind.clone(),
                    });
                }
            }
            self.place.pop();
        }
        match found.pop() {
            Some(page) if found.is_empty() => self.add(url, page),
            None if self.lock.posts.contains(&url) => Ok(()),
            last => Err(Wrong::Contents {
                page: name(),
                number: found.len() + usize::from(last.is_some()),
            }),
        }
    }

    /// A hash of the compressed form.
    pub(super) fn pin(&mut self, url: &str, text: &str) -> Result<(), Wrong> {
        let page = hash(url, text, str::parse)?;
        self.add(self::url(url)?, page)
    }

    /// A `maven-metadata.xml` of the compressed form.
    pub(super) fn metadata(&mut self, url: &str, value: &Map<String, Value>) -> Result<(), Wrong> {
        let metadata = Metadata::read(url, value)?;
        let place = self.place.clone();
        self.metadata.push((place, self::url(url)?, metadata));
        Ok(())
    }

    /// Does something with a key inside of the one that is being looked at.
    pub(super) fn within(
        &mut self,
        key: &str,
        look: impl FnOnce(&mut Self) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.place.push(key.to_owned());
        look(self)?;
        self.place.pop();
        Ok(())
    }

    /// The keys that are being looked at, from the outermost.
    pub(super) fn place(&self) -> &[String] {
        &self.place
    }

    fn add(&mut self, url: Url, page: Page) -> Result<(), Wrong> {
        match self.lock.pages.get(&url) {
            Some(there) if *there != page => Err(Wrong::Twice(url)),
            _ => {
                self.lock.pages.insert(url, page);
                Ok(())
            }
        }
    }
}

/// Whether this is a page of the plain form, and not a part of a URL with more to come.
fn is_page(value: &Map<String, Value>) -> bool {
    value.is_empty() || value.contains_key("post") || value.values().any(|value| !value.is_object())
}

/// A URL as it can be written down.
fn url(text: &str) -> Result<Url, Wrong> {
    let url: Url = text.parse().map_err(Wrong::Url)?;
    Ok(url.without_secrets().into_owned())
}

fn hash(
    page: &str,
    text: &str,
    parse: impl Fn(&str) -> Result<Sri, SriError>,
) -> Result<Page, Wrong> {
    let page = || presentable(page);
    match parse(text) {
        Ok(hash) if hash.is_fake() => Err(Wrong::Placeholder { page: page() }),
        Ok(hash) => Ok(Page::Hash(hash)),
        Err(error) => Err(Wrong::Hash {
            page: page(),
            error,
        }),
    }
}

pub(super) fn object<'a>(what: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Wrong> {
    value.as_object().ok_or_else(|| Wrong::Type {
        what: what.to_owned(),
        wanted: "an object",
        found: kind(value),
    })
}

pub(super) fn string<'a>(key: &str, value: &'a Value) -> Result<&'a str, Wrong> {
    value.as_str().ok_or_else(|| Wrong::Type {
        what: quoted(key),
        wanted: "a string",
        found: kind(value),
    })
}

fn quoted(key: &str) -> String {
    format!("`{}`", presentable(key))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
