//! Adding entries to a file that people have edited.
//!
//! Their text is never printed again: it stays byte for byte, with its comments, its order and its
//! `let`, and new entries are put in before the bracket that closes the list.

use std::collections::BTreeMap;
use std::fmt;

use super::{indented, lines_of, needs_fetchurl, print};
use crate::inventory::nix::{Document, Function};
use crate::inventory::{Body, Entry, Id, Sri};

/// What came of adding captured entries to a file. The numbers are places in the list of captured
/// entries, from 0; each is in exactly one of the three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The file's new text; the old one where nothing was added.
    pub text: String,
    /// Entries that were added.
    pub added: Vec<usize>,
    /// Entries that the file answers with something else. The file's stay.
    pub changed: Vec<Changed>,
    /// Entries that the file has as they are, but perhaps for their headers, which it keeps.
    pub unchanged: Vec<usize>,
}

impl Merged {
    /// A new file, with all of the captured entries.
    #[must_use]
    pub fn fresh(captured: &[Entry]) -> Self {
        Self {
            text: print(captured),
            added: (0..captured.len()).collect(),
            changed: Vec::new(),
            unchanged: Vec::new(),
        }
    }
}

/// A captured entry that the file answers with something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its place in the list of captured entries, from 0.
    pub captured: usize,
    /// The line of the file's entry, from 1; `None` where it is another captured one, just added.
    pub line: Option<usize>,
    /// In what they differ.
    pub difference: Difference,
}

/// In what two entries for the same request differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The bytes have another hash.
    Bytes {
        /// The hash in the file; `None` where a person emptied it.
        old: Option<Sri>,
        /// The hash of what was captured.
        new: Option<Sri>,
    },
    /// One has a body, the other has none.
    Presence,
    /// One of the bodies is a file, which only the caller can read; or neither has a hash.
    Unknown,
    /// The bodies are the same, but not the statuses.
    Status,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes { old: None, .. } => "its pin has no hash yet",
            Self::Bytes { .. } => "it gave other bytes now",
            Self::Presence => "only one of the two has a body",
            Self::Unknown => "it gave another body now",
            Self::Status => "it gave another status now",
        })
    }
}

impl Document {
    /// Adds the entries of a capture that the file does not have, told apart by [`Entry::id`].
    ///
    /// Entries of the file are never touched, and where nothing is new the text is unchanged.
    #[must_use]
    pub fn merge(&self, captured: &[Entry]) -> Merged {
        let mut known: BTreeMap<Id, (&Entry, Option<usize>)> = self
            .entries()
            .iter()
            .map(|located| (located.entry.id(), (&located.entry, Some(located.line))))
            .collect();
        let mut merged = Merged {
            text: String::new(),
            added: Vec::new(),
            changed: Vec::new(),
            unchanged: Vec::new(),
        };
        let mut new = Vec::new();
        for (index, entry) in captured.iter().enumerate() {
            let Some((old, line)) = known.get(&entry.id()) else {
                known.insert(entry.id(), (entry, None));
                merged.added.push(index);
                new.push(entry);
                continue;
            };
            match difference(old, entry) {
                None => merged.unchanged.push(index),
                Some(difference) => merged.changed.push(Changed {
                    captured: index,
                    line: *line,
                    difference,
                }),
            }
        }
        merged.text = if new.is_empty() {
            self.text().to_owned()
        } else {
            self.with(&new)
        };
        merged
    }

    /// The text with these entries put in.
    fn with(&self, new: &[&Entry]) -> String {
        let text = self.text();
        let place = self.place();
        let style = Style::of(self);
        let mut edits = Vec::new();
        if new.iter().any(|entry| needs_fetchurl(entry)) {
            edits.extend(self.fetchurl_added(style.end_of_line));
        }

        let block: String = new
            .iter()
            .map(|entry| {
                indented(
                    &lines_of(entry),
                    &style.base,
                    &style.unit,
                    style.end_of_line,
                )
            })
            .collect();
        let close = place.list.end - 1;
        let line_start = text[..close].rfind('\n').map_or(0, |at| at + 1);
        if line_start > place.list.start && text[line_start..close].trim().is_empty() {
            // The bracket has a line of its own.
            edits.push(Edit::insert(line_start, block));
        } else {
            // What stands on the bracket's line goes on lines of its own.
            let open = place.list.start + 1;
            let first = place.items.first().map_or(close, |item| item.start);
            if first < close && is_blank(&text[open..first]) {
                edits.push(Edit {
                    start: open,
                    end: first,
                    text: format!("{}{}", style.end_of_line, style.base),
                });
            }
            let end = text[..close].trim_end_matches([' ', '\t']).len();
            edits.push(Edit {
                start: end,
                end: close,
                text: format!("{}{block}{}", style.end_of_line, style.list),
            });
        }
        apply(text, edits)
    }

    /// The edit that lets `fetchurl` in, where it is not.
    fn fetchurl_added(&self, end_of_line: &str) -> Option<Edit> {
        let text = self.text();
        match self.place().function {
            Function::Fetchurl => None,
            Function::None(start) => {
                Some(Edit::insert(start, format!("{{ fetchurl }}:{end_of_line}")))
            }
            Function::Name(end) => Some(Edit::insert(end, "@{ fetchurl, ... }".to_owned())),
            Function::Pattern {
                open,
                first: Some(first),
            } => {
                let before = &text[open..first];
                let blank = &before[before.trim_end().len()..];
                let blank = if blank.is_empty() { " " } else { blank };
                Some(Edit::insert(first, format!("fetchurl,{blank}")))
            }
            Function::Pattern { open, first: None } => {
                let blank = text[open..].len() - text[open..].trim_start().len();
                let is_empty = text[open + blank..].starts_with('}');
                Some(Edit {
                    start: open,
                    end: if is_empty { open + blank } else { open },
                    text: if is_empty { " fetchurl " } else { " fetchurl" }.to_owned(),
                })
            }
        }
    }
}

/// How a file is laid out.
struct Style<'a> {
    /// What stands before the line that the list starts on.
    list: &'a str,
    /// What stands before an item.
    base: String,
    /// What is added with each level.
    unit: String,
    end_of_line: &'static str,
}

impl<'a> Style<'a> {
    fn of(document: &'a Document) -> Self {
        let text = document.text();
        let place = document.place();
        let list = blank_at_line_start(text, place.list.start);
        let mut style = Self {
            list,
            base: format!("{list}  "),
            unit: "  ".to_owned(),
            end_of_line: if text.contains("\r\n") { "\r\n" } else { "\n" },
        };
        let on_own_line = |offset: usize| {
            let blank = blank_at_line_start(text, offset);
            text[..offset].ends_with(blank)
                && matches!(text[..offset - blank.len()].chars().next_back(), Some('\n'))
                && offset > place.list.start
        };
        // The last item is what the new ones stand below.
        if let Some(item) = place
            .items
            .iter()
            .rev()
            .find(|item| on_own_line(item.start))
        {
            let base = blank_at_line_start(text, item.start);
            base.clone_into(&mut style.base);
            let inside = &text[item.start..item.end];
            if let Some(unit) = inside
                .lines()
                .nth(1)
                .filter(|_| inside.starts_with('{'))
                .and_then(|line| line[..line.len() - line.trim_start().len()].strip_prefix(base))
                .filter(|unit| !unit.is_empty())
            {
                unit.clone_into(&mut style.unit);
            }
        }
        style
    }
}

/// The white space that the line of an offset starts with.
fn blank_at_line_start(text: &str, offset: usize) -> &str {
    let line = &text[text[..offset].rfind('\n').map_or(0, |at| at + 1)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || c == '\t')
}

/// Text put in the place of a range of bytes.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Edit {
    fn insert(at: usize, text: String) -> Self {
        Self {
            start: at,
            end: at,
            text,
        }
    }
}

/// Makes edits that do not overlap and stand in order.
fn apply(text: &str, edits: Vec<Edit>) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        edited.push_str(&text[done..edit.start]);
        edited.push_str(&edit.text);
        done = edit.end;
    }
    edited.push_str(&text[done..]);
    edited
}

/// In what two entries differ, but for the headers; `None` where they do not.
fn difference(old: &Entry, new: &Entry) -> Option<Difference> {
    let body = match (&old.body, &new.body) {
        // The same place, however often it was written to.
        (Body::File(old), Body::File(new)) if old == new => None,
        (Body::File(_), _) | (_, Body::File(_)) => Some(Difference::Unknown),
        (Body::Empty, Body::Empty) => None,
        (Body::Empty, _) | (_, Body::Empty) => Some(Difference::Presence),
        (old, new) => match (hash_of(old), hash_of(new)) {
            (None, None) => Some(Difference::Unknown),
            (old, new) if same_bytes(old.as_ref(), new.as_ref()) => None,
            (Some(old), Some(new)) if old.algorithm() != new.algorithm() => {
                Some(Difference::Unknown)
            }
            (old, new) => Some(Difference::Bytes { old, new }),
        },
    };
    body.or((old.status != new.status).then_some(Difference::Status))
}

fn same_bytes(old: Option<&Sri>, new: Option<&Sri>) -> bool {
    old.is_some() && old == new
}

/// The hash of a body's bytes, as far as it says.
fn hash_of(body: &Body) -> Option<Sri> {
    match body {
        Body::Pin(pin) => pin.hash.clone(),
        Body::Text { text, .. } => Some(Sri::sha256_of(text.as_bytes())),
        Body::Empty => Some(Sri::sha256_of(b"")),
        Body::File(_) => None,
    }
}
