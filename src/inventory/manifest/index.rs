//! A manifest whose entries are read when they are asked for.
//!
//! To read all of a manifest and keep it takes eight microseconds an entry: 750 ms where there are 100,000, of
//! which a build asks for few. One pass over the text that finds where each entry stands, and what its URL
//! is, takes a thirtieth of that.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    ops::Range,
    str,
};

use bytes::Bytes;
use hashbrown::HashTable;

use super::{Item, ManifestError};
use crate::inventory::{Entry, Url, query::IgnoredQuery};

/// Where the entries of a manifest stand, by their URLs.
///
/// What is checked at once: that the text is a list of objects, that their attributes are known and have an
/// end each, and that each has a valid `url`. What the other attributes say is checked where an entry is read;
/// entries that ignore parameters are read at once, as they answer other URLs than their own.
#[derive(Debug)]
pub struct Index {
    text: Bytes,
    places: Vec<Place>,
    /// URLs that are not in the text as they are looked up: of these entries.
    respelled: HashMap<u32, Url>,
    by_url: HashTable<Group>,
    /// What entries have that ignore parameters: their URL, and which.
    ignoring: Vec<(Url, IgnoredQuery)>,
    hasher: RandomState,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    end: u32,
    url_start: u32,
    url_end: u32,
    /// The next entry with the same URL; this one where it is the last.
    next: u32,
}

/// The entries of one URL.
#[derive(Clone, Copy, Debug)]
struct Group {
    first: u32,
    last: u32,
}

impl Index {
    /// Finds the entries of a manifest; `None` where its text is not as was expected. [`read`](super::read) then
    /// says what is wrong, or reads it all the same.
    #[must_use]
    pub fn of(text: &Bytes) -> Option<Self> {
        // All places fit.
        u32::try_from(text.len()).ok()?;
        // Most entries have more bytes.
        let expected = text.len() / 160;
        let mut index = Self {
            places: Vec::with_capacity(expected),
            respelled: HashMap::new(),
            by_url: HashTable::with_capacity(expected),
            ignoring: Vec::new(),
            hasher: RandomState::new(),
            text: text.clone(),
        };
        let mut ignoring = Vec::new();
        let mut scanner = Scanner { text, at: 0 };
        let mut server = "\0";
        scanner.expect(b'[')?;
        let mut goes_on = !scanner.next_is(b']');
        scanner.at += usize::from(!goes_on);
        while goes_on {
            let (place, ignores) = scanner.entry(u32::try_from(index.places.len()).ok()?)?;
            if ignores == Ignores::Perhaps {
                ignoring.push(place.next);
            }
            let url = str::from_utf8(&text[place.url()]).ok()?;
            // Most URLs are of the same server as the one before.
            match url.strip_prefix(server) {
                Some(rest) if Url::is_plain_rest(rest) => {}
                _ => match Url::plain_server(url) {
                    Some(plain) => server = plain,
                    None => drop(index.respelled.insert(place.next, Url::parse(url).ok()?)),
                },
            }
            index.push(place);
            goes_on = scanner.goes_on(b']')?;
        }
        scanner.skip_white();
        for number in ignoring {
            let entry = index.entry(number as usize).ok()?;
            if !entry.condition.ignore_query.is_empty() {
                let ignored = (entry.url, entry.condition.ignore_query);
                index.ignoring.push(ignored);
            }
        }
        (scanner.at == text.len()).then_some(index)
    }

    /// The URLs of entries that ignore parameters, and which.
    pub fn ignoring(&self) -> impl Iterator<Item = (&Url, &IgnoredQuery)> {
        self.ignoring.iter().map(|(url, ignored)| (url, ignored))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Reads all entries, and keeps none.
    ///
    /// # Errors
    ///
    /// Of the first entry that is wrong.
    pub fn check(&self) -> Result<(), ManifestError> {
        (0..self.len()).try_for_each(|index| self.entry(index).map(drop))
    }

    /// The entries for a URL, by their places in the list.
    pub fn of_url(&self, url: &str) -> impl Iterator<Item = usize> {
        let hash = self.hasher.hash_one(url);
        let found = self.by_url.find(hash, |group| self.url(group.first) == url);
        self.group(found.map(|group| group.first))
    }

    /// All URLs, each once, in no order.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.by_url.iter().map(|group| self.url(group.first))
    }

    /// Reads the entry at a place in the list.
    ///
    /// # Errors
    ///
    /// Where it is wrong.
    pub fn entry(&self, index: usize) -> Result<Entry, ManifestError> {
        let range = self.places.get(index).map_or(0..0, Place::range);
        let read = serde_json::from_slice::<Item>(&self.text[range.clone()]);
        read.map(|Item(declared)| declared.entry).map_err(|error| {
            // Once more, with as much in front of it as there is, so that the error has line and column.
            let before = &self.text[..range.start];
            let lines = before.split(|byte| *byte == b'\n').count() - 1;
            let columns = before.iter().rev().take_while(|byte| **byte != b'\n');
            let mut padded = vec![b'\n'; lines];
            padded.resize(lines + columns.count(), b' ');
            padded.extend_from_slice(&self.text[range]);
            let again = serde_json::from_slice::<Item>(&padded);
            let error = again.err().unwrap_or(error);
            let number = u32::try_from(index).ok();
            let url = number.and_then(|number| Url::parse(self.url(number)).ok());
            ManifestError::Entry {
                index,
                url: url.map(|url| url.to_string()),
                line: error.line(),
                error,
            }
        })
    }

    /// The URL of an entry, as it is looked up.
    fn url(&self, number: u32) -> &str {
        if let Some(url) = self.respelled.get(&number) {
            return url.as_str();
        }
        let place = self.places.get(number as usize);
        let url = place.map(|place| str::from_utf8(&self.text[place.url()]));
        // It was text when it was found.
        url.unwrap_or(Ok("")).unwrap_or_default()
    }

    /// The first entry of a group, and all that come after it.
    fn group(&self, first: Option<u32>) -> impl Iterator<Item = usize> {
        let after = |number: &u32| {
            let next = self.places.get(*number as usize)?.next;
            (next != *number).then_some(next)
        };
        std::iter::successors(first, after).map(|number| number as usize)
    }

    /// Adds an entry.
    fn push(&mut self, place: Place) {
        let number = place.next;
        self.places.push(place);
        let url = self.url(number);
        let hash = self.hasher.hash_one(url);
        let found = self.by_url.find(hash, |group| self.url(group.first) == url);
        let Some(Group { first, last }) = found.copied() else {
            let new = Group {
                first: number,
                last: number,
            };
            let mut by_url = std::mem::take(&mut self.by_url);
            let rehash = |group: &Group| self.hasher.hash_one(self.url(group.first));
            by_url.insert_unique(hash, new, rehash);
            self.by_url = by_url;
            return;
        };
        if let Some(last) = self.places.get_mut(last as usize) {
            last.next = number;
        }
        if let Some(group) = self.by_url.find_mut(hash, |group| group.first == first) {
            group.last = number;
        }
    }
}

impl Place {
    fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    fn url(&self) -> Range<usize> {
        self.url_start as usize..self.url_end as usize
    }
}

/// Goes through JSON without reading it. It finds its way where the text is right; where it is not, it stops, or goes
/// on to where reading will.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_white(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Whether a character comes next, after white space.
    fn next_is(&mut self, byte: u8) -> bool {
        self.skip_white();
        self.peek() == Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.next_is(byte).then(|| self.at += 1)
    }

    /// After a member: whether there is another one, or the end.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        let goes_on = self.next_is(b',');
        (goes_on || self.peek() == Some(end)).then(|| self.at += 1)?;
        Some(goes_on)
    }

    /// A string without an escape: where it stands, without its quotes.
    fn plain_string(&mut self) -> Option<Range<usize>> {
        self.expect(b'"')?;
        let start = self.at;
        let end = self.quote_or_backslash()?;
        self.at = end + 1;
        (self.text[end] == b'"').then_some(start..end)
    }

    /// Where the next of the two is. Most strings are short, so that eight bytes at a time, without a
    /// call, take half the time that `memchr` does.
    fn quote_or_backslash(&self) -> Option<usize> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let mut at = self.at;
        while let Some((eight, _)) = self.text.get(at..)?.split_first_chunk::<8>() {
            let eight = u64::from_le_bytes(*eight);
            // The lowest bit that is set belongs to the first byte that is zero.
            let zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
            let found = zero(eight ^ (ONES * 0x22)) | zero(eight ^ (ONES * 0x5c));
            if found != 0 {
                return Some(at + found.trailing_zeros() as usize / 8);
            }
            at += 8;
        }
        let rest = self.text.get(at..)?.iter();
        let mut rest = rest.enumerate();
        let found = rest.find(|(_, byte)| matches!(byte, b'"' | b'\\'))?;
        Some(at + found.0)
    }

    /// What follows an opening quote.
    fn skip_string(&mut self) -> Option<()> {
        loop {
            let found = self.quote_or_backslash()?;
            if self.text[found] == b'"' {
                self.at = found + 1;
                return Some(());
            }
            self.at = found + 2;
        }
    }

    fn skip_value(&mut self) -> Option<()> {
        self.skip_white();
        let mut depth = 0_usize;
        loop {
            let byte = self.peek()?;
            match byte {
                b',' | b']' | b'}' if depth == 0 => return Some(()),
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if byte == b'"' {
                self.skip_string()?;
            }
        }
    }

    /// An entry, which is one by its attributes.
    fn entry(&mut self, number: u32) -> Option<(Place, Ignores)> {
        self.expect(b'{')?;
        let start = self.at - 1;
        let mut url = None;
        let mut ignores = Ignores::No;
        loop {
            let name = self.plain_string()?;
            let name = &self.text[name];
            self.expect(b':')?;
            match name {
                b"url" if url.is_none() => url = Some(self.plain_string()?),
                b"file" | b"headers" | b"method" | b"status_code" => self.skip_value()?,
                b"request" => {
                    let start = self.at;
                    self.skip_value()?;
                    ignores = Ignores::of(&self.text[start..self.at]);
                }
                _ => return None,
            }
            if !self.goes_on(b'}')? {
                break;
            }
        }
        let url = url?;
        let narrow = |at: usize| u32::try_from(at).ok();
        let place = Place {
            start: narrow(start)?,
            end: narrow(self.at)?,
            url_start: narrow(url.start)?,
            url_end: narrow(url.end)?,
            next: number,
        };
        Some((place, ignores))
    }
}

/// Whether an entry ignores parameters, as far as can be told without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ignores {
    No,
    Perhaps,
}

impl Ignores {
    /// Of the value of `request`. A name may be spelled with escapes.
    fn of(request: &[u8]) -> Self {
        let name = b"ignoreQuery";
        if request.contains(&b'\\') || request.windows(name.len()).any(|part| part == name) {
            Self::Perhaps
        } else {
            Self::No
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::manifest::{read, write};

    fn found(index: &Index, url: &str) -> Vec<usize> {
        index.of_url(url).collect()
    }

    #[test]
    fn entries_are_found_by_their_urls_and_read_as_they_are() {
        let text = r#" [ {"url" : "https://example.org/a", "headers": {"x": ["}", "\"]"]}},
            {"file": "/nix/store/b\\", "url":"HTTPS://Example.org:443/b"},
            {"url":"https://example.org/a","method":"POST","status_code":404 } ] "#;
        let index = Index::of(&Bytes::copy_from_slice(text.as_bytes())).unwrap();
        let entries = read(text).unwrap();
        assert_eq!(found(&index, "https://example.org/a"), [0, 2]);
        assert_eq!(found(&index, "https://example.org/b"), [1]);
        assert_eq!(found(&index, "https://example.org/c"), [0_usize; 0]);
        assert_eq!(index.len(), 3);
        let mut urls: Vec<_> = index.urls().collect();
        urls.sort_unstable();
        assert_eq!(urls, ["https://example.org/a", "https://example.org/b"]);
        index.check().unwrap();
        for (number, entry) in entries.iter().enumerate() {
            assert_eq!(index.entry(number).unwrap(), *entry);
        }
        assert!(Index::of(&Bytes::from_static(b"[]")).unwrap().is_empty());
        assert!(Index::of(&write(&entries).unwrap().into()).is_some());
    }

    #[test]
    fn what_comes_too_late_is_no_reason_to_read_it_all() {
        let a = r#"{"url":"https://example.org/a"}"#;
        let index = Index::of(&format!("[{a},{a}]").into()).unwrap();
        assert_eq!(found(&index, "https://example.org/a"), [0, 1]);
    }

    #[test]
    fn entries_that_ignore_parameters_are_known_at_once() {
        let text = r#"[{"url":"https://example.org/a?_=1","request":{"ignoreQuery":["_"]}},
            {"url":"https://example.org/b?_=1","request":{"ignoreQuery":[]}},
            {"url":"https://example.org/c?_=1","request":{"ignore\u0051uery":["_"]}},
            {"url":"https://example.org/ignoreQuery"}]"#;
        let index = Index::of(&Bytes::copy_from_slice(text.as_bytes())).unwrap();
        let ignoring: Vec<_> = index.ignoring().map(|(url, _)| url.as_str()).collect();
        assert_eq!(
            ignoring,
            ["https://example.org/a?_=1", "https://example.org/c?_=1"]
        );
    }

    #[test]
    fn what_is_wrong_with_the_list_is_left_to_the_reader() {
        let a = r#"{"url":"https://example.org/a"}"#;
        for text in [
            String::new(),
            "{}".to_owned(),
            "[".to_owned(),
            "[{}]".to_owned(),
            format!("[{a},]"),
            format!("[{a}"),
            format!("[{a}] more"),
            r#"[{"url":"https://example.org/","request":{"ignoreQuery":"_"}}]"#.to_owned(),
            r#"[{"url":"ftp://example.org/"}]"#.to_owned(),
            r#"[{"url":"https://example.org/","url":"https://example.org/"}]"#.to_owned(),
            r#"[{"url":"https://example.org/","colour":"red"}]"#.to_owned(),
            r#"[{"url":"https://example.org/","file":"/a}]"#.to_owned(),
            r#"[{"url":"https://example.org/","file":{]"#.to_owned(),
        ] {
            assert!(read(&text).is_err(), "{text}");
            assert!(Index::of(&text.clone().into()).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_entry_has_its_line_and_column() {
        let text = "[{\"url\":\"https://example.org/a\"},\n  \
            {\"url\":\"https://example.org/b?token=secret\",\n   \"status_code\":\"x\"}]";
        let index = Index::of(&Bytes::copy_from_slice(text.as_bytes())).unwrap();
        assert!(index.entry(0).is_ok());
        let error = index.entry(1).unwrap_err();
        assert_eq!(index.check().unwrap_err().to_string(), error.to_string());
        assert_eq!(error.line(), Some(3));
        assert_eq!(error.to_string(), read(text).unwrap_err().to_string());
    }
}
