//! Writing a lock, in the plain form.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::Path,
};

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json, ser::PrettyFormatter};

use super::{Lock, Page};
use crate::inventory::{Body, Entry, Url};

/// Why an entry is not in a lock.
#[derive(Debug)]
pub enum Unsaid {
    /// Its method is not GET.
    Method(Method),
    /// Its status is none that a lock has.
    Status(StatusCode),
    /// It answers only some requests for its URL.
    Condition,
    /// Its URL, or where it redirects to, has a query, or it answers URLs that have one.
    Query,
    /// Its URL names a folder.
    Folder,
    /// Its URL would have to be a folder, because of another one.
    Above(Url),
    /// Its pin fetches another URL.
    OtherUrl(Url),
    /// Its pin has no hash.
    NoHash,
    /// Its body is no text.
    Binary,
    /// Its body cannot be read.
    File(io::Error),
    /// It is a redirect that leads nowhere.
    Nowhere,
}

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(method) => write!(f, "it answers {method}"),
            Self::Status(status) => write!(f, "its status is {}", status.as_u16()),
            Self::Condition => f.write_str("it answers only certain requests"),
            Self::Query => f.write_str("mitm-cache drops the query of a URL"),
            Self::Folder => f.write_str("mitm-cache takes its URL for a folder"),
            Self::Above(url) => {
                write!(f, "mitm-cache takes its URL for a folder, with {url} in it")
            }
            Self::OtherUrl(url) => write!(f, "its pin fetches another URL, {url}"),
            Self::NoHash => f.write_str("its pin has no hash yet"),
            Self::Binary => f.write_str("its body is vendored, and no text"),
            Self::File(error) => write!(f, "its body cannot be read: {error}"),
            Self::Nowhere => f.write_str("it redirects to nothing that could be asked for"),
        }
    }
}

/// What a lock can say of entries, and the places in the list, from 0, of those that it cannot have.
/// Headers are left out. `body` reads a vendored file.
pub fn lock_of<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    body: impl Fn(&Path) -> io::Result<Vec<u8>>,
) -> (Lock, Vec<(usize, Unsaid)>) {
    let mut pages = BTreeMap::new();
    let mut places = BTreeMap::new();
    let mut left = Vec::new();
    for (place, entry) in entries.into_iter().enumerate() {
        match page(entry, &body) {
            Ok(page) => {
                places.insert(entry.url.clone(), place);
                pages.insert(entry.url.clone(), page);
            }
            Err(unsaid) => left.push((place, unsaid)),
        }
    }
    let above: Vec<(Url, Url)> = pages
        .keys()
        .filter_map(|url| Some((url.clone(), below(url, &pages)?.clone())))
        .collect();
    for (url, other) in above {
        pages.remove(&url);
        left.extend(places.get(&url).map(|place| (*place, Unsaid::Above(other))));
    }
    left.sort_by_key(|(place, _)| *place);
    let lock = Lock {
        pages,
        posts: BTreeSet::new(),
    };
    (lock, left)
}

/// Another URL that is a file in the folder which this one names.
fn below<'a>(url: &Url, pages: &'a BTreeMap<Url, Page>) -> Option<&'a Url> {
    let folder = format!("{url}/").parse().ok()?;
    let (first, _) = pages.range::<Url, _>(&folder..).next()?;
    first.as_str().starts_with(folder.as_str()).then_some(first)
}

fn page(entry: &Entry, body: impl Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Page, Unsaid> {
    let Entry { url, status, .. } = entry;
    if entry.method != Method::GET {
        return Err(Unsaid::Method(entry.method.clone()));
    }
    if !entry.condition.asks_nothing() {
        return Err(Unsaid::Condition);
    }
    let has_query = |url: &Url| url.path_and_query().contains('?');
    if has_query(url) || !entry.condition.ignore_query.is_empty() {
        return Err(Unsaid::Query);
    }
    if url.path().ends_with('/') {
        return Err(Unsaid::Folder);
    }
    match status.as_u16() {
        200 => content(entry, body),
        301 | 302 | 303 | 307 | 308 => {
            let [location] = entry.headers.get_all("location") else {
                return Err(Unsaid::Nowhere);
            };
            match url.join(location) {
                Ok(target) if has_query(&target) => Err(Unsaid::Query),
                Ok(target) => Ok(Page::Redirect(target)),
                Err(_) => Err(Unsaid::Nowhere),
            }
        }
        _ => Err(Unsaid::Status(*status)),
    }
}

fn content(entry: &Entry, body: impl Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Page, Unsaid> {
    match &entry.body {
        Body::Empty => Ok(Page::Text(String::new())),
        Body::Text { text, .. } => Ok(Page::Text(text.clone())),
        Body::File(path) => {
            let bytes = body(path).map_err(Unsaid::File)?;
            let text = String::from_utf8(bytes).map_err(|_| Unsaid::Binary)?;
            // Nix has no way to say it.
            if text.contains('\0') {
                return Err(Unsaid::Binary);
            }
            Ok(Page::Text(text))
        }
        Body::Pin(pin) if pin.url != entry.url => Err(Unsaid::OtherUrl(pin.url.clone())),
        Body::Pin(pin) => pin.hash.clone().map(Page::Hash).ok_or(Unsaid::NoHash),
    }
}

/// Writes a lock as mitm-cache does: sorted, indented by one space. Ends in a newline.
#[must_use]
pub fn write(lock: &Lock) -> String {
    let mut map = Map::new();
    map.insert("!version".to_owned(), Value::from(1));
    for (url, page) in &lock.pages {
        let page = match page {
            Page::Hash(hash) => json!({ "hash": hash.to_string() }),
            Page::Text(text) => json!({ "text": text }),
            Page::Redirect(target) => json!({ "redirect": target.as_str() }),
        };
        map.insert(url.as_str().to_owned(), page);
    }
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(b" ");
    let mut json = serde_json::Serializer::with_formatter(&mut text, formatter);
    // Maps and strings: nothing that serde_json could refuse.
    let _ = map.serialize(&mut json);
    text.push(b'\n');
    String::from_utf8(text).unwrap_or_default()
}
