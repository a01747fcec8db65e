//! Adding entries to a file that people have edited.
//!
//! Their text is never printed again: it stays byte for byte, with its comments, its order and its
//! `let`, and new entries are put in before the bracket that closes the list. Where the person asks
//! for it, what was captured anew is put in the place of what it differs from, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Mending;
use super::edit::{Edit, Style, apply, is_blank, moved};
use super::update::{Kept, update};
use super::{indented, lines_of, needs_fetchurl, print};
use crate::inventory::nix::{Document, Function, Located};
use crate::inventory::{Body, Entry, Id, Sri};

/// What becomes of entries that the file answers with something else than what was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// They stay, and are told of.
    Keep,
    /// They are replaced in place.
    Update,
}

/// What came of adding captured entries to a file. The numbers are places in the list of captured
/// entries, from 0; each is in exactly one of the four.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The file's new text; the old one where nothing was added.
    pub text: String,
    /// Entries that were added.
    pub added: Vec<usize>,
    /// Entries that the file answers with something else. The file's stay, for the reason given.
    pub changed: Vec<(Changed, Kept)>,
    /// Entries that the file answered with something else, and that were replaced in it.
    pub updated: Vec<Changed>,
    /// Entries that the file has as they are, but perhaps for their headers, which it keeps.
    pub unchanged: Vec<usize>,
    /// What was mended of the file's entries that are in the last two.
    pub mended: Mending,
}

impl Merged {
    /// A new file, with all of the captured entries.
    #[must_use]
    pub fn fresh(captured: &[Entry]) -> Self {
        Self {
            text: print(captured),
            added: (0..captured.len()).collect(),
            changed: Vec::new(),
            updated: Vec::new(),
            unchanged: Vec::new(),
            mended: Mending::default(),
        }
    }
}

/// A captured entry that the file answers with something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its place in the list of captured entries, from 0.
    pub captured: usize,
    /// The line of the file's entry in the new text, from 1; `None` where it is another captured one, just added.
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
    /// Those that it has stay, or are replaced in place, as `mode` says. Where nothing is new the
    /// text is unchanged.
    #[must_use]
    pub fn merge(&self, captured: &[Entry], mode: Changes) -> Merged {
        self.merge_and_mend(captured, mode, &Mending::default())
    }

    /// The same, with what can be mended of entries that were captured again, but for those that are kept
    /// though they changed.
    #[must_use]
    pub fn merge_and_mend(&self, captured: &[Entry], mode: Changes, mending: &Mending) -> Merged {
        let style = Style::of(self);
        let entries = self.entries().iter().enumerate();
        let mut known: BTreeMap<Id, Known> = entries
            .map(|(place, located)| {
                let known = (&located.entry, Some((place, located)));
                (located.entry.id(), known)
            })
            .collect();
        let mut merged = Merged::fresh(&[]);
        let mut new = Vec::new();
        let mut updates = Vec::new();
        let mut seen = BTreeSet::new();
        let mut updated_at = Vec::new();
        let mut kept_at = Vec::new();
        for (index, entry) in captured.iter().enumerate() {
            let Some((old, there)) = known.get(&entry.id()).copied() else {
                known.insert(entry.id(), (entry, None));
                merged.added.push(index);
                new.push(entry);
                continue;
            };
            let located = there.map(|(_, located)| located);
            let Some(difference) = difference(old, entry) else {
                merged.unchanged.push(index);
                if let Some((place, _)) = there.filter(|(place, _)| seen.insert(*place)) {
                    merged.mended.extend(mending.beside(place, &[]));
                }
                continue;
            };
            let changed = Changed {
                captured: index,
                line: located.map(|located| located.line),
                difference,
            };
            let replaced = match (mode, there) {
                (Changes::Keep, _) => Err(Kept::Unasked),
                (Changes::Update, None) => Err(Kept::Captured),
                (Changes::Update, Some((place, located))) => {
                    let edits = update(self.text(), &style, located, entry);
                    edits.map(|edits| (place, located, edits))
                }
            };
            match replaced {
                Ok((place, located, edits)) => {
                    if seen.insert(place) {
                        merged.mended.extend(mending.beside(place, &edits));
                    }
                    updated_at.push(start_of(located));
                    updates.push((entry, edits));
                    merged.updated.push(changed);
                    known.insert(entry.id(), (entry, None));
                }
                Err(kept) => {
                    kept_at.push(located.map_or(0, start_of));
                    merged.changed.push((changed, kept));
                }
            }
        }

        let mut edits = Vec::new();
        let printed = new.iter().chain(updates.iter().map(|(entry, _)| entry));
        if printed.copied().any(needs_fetchurl) {
            edits.extend(self.fetchurl_added(style.end_of_line));
        }
        edits.extend(updates.into_iter().flat_map(|(_, edits)| edits));
        edits.extend(merged.mended.edits());
        if !new.is_empty() {
            edits.extend(self.added(&new, &style));
        }
        edits.sort_by_key(|edit| edit.start);
        let text = self.text();
        let kept = merged.changed.iter_mut().map(|(kept, _)| kept);
        let kept = kept.zip(kept_at);
        for (changed, at) in kept.chain(merged.updated.iter_mut().zip(updated_at)) {
            changed.line = changed.line.map(|line| moved(text, &edits, at, line));
        }
        merged.text = apply(text, &edits);
        merged
    }

    /// The edits that put these entries in.
    fn added(&self, new: &[&Entry], style: &Style) -> Vec<Edit> {
        let text = self.text();
        let place = self.place();
        let mut edits = Vec::new();
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
        edits
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

/// An entry that answers a request, and where in the file it stands, if it does: its place in the list, from 0.
type Known<'a> = (&'a Entry, Option<(usize, &'a Located)>);

/// Where an entry starts in the text; the start of it all where only Nix knows.
fn start_of(located: &Located) -> usize {
    let spans = located.spans.as_ref();
    spans.map_or(0, |spans| spans.set.start)
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
