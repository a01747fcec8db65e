//! Taking out what a file says in vain: entries that repeat an earlier one, and lengths that are not those of
//! the bodies. All else stays byte for byte, comments in what is taken out among it.

use std::fmt;
use std::ops::Range;

use super::edit::{Edit, Style, apply, blank_at_line_start, is_blank};
use crate::inventory::{
    CONTENT_LENGTH,
    nix::{Document, Located, comments_in},
};
use crate::report::count;

/// What can be taken out of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mending(Vec<Removal>);

/// One thing that can be taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Removal {
    kind: Kind,
    /// The place of the entry that it is about.
    place: usize,
    edit: Edit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An entry that repeats that one.
    Repeat,
    /// Its length.
    Length,
}

impl Mending {
    /// Whether there is nothing to take out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is about the entry at this place, and does not reach into `edits`, which are made of it as well.
    pub(super) fn beside(&self, place: usize, edits: &[Edit]) -> Self {
        let apart = |one: &Edit| {
            let mut edits = edits.iter();
            edits.all(|edit| edit.end <= one.start || one.end <= edit.start)
        };
        let of_place = self.0.iter().filter(|removal| removal.place == place);
        let removals = of_place.filter(|removal| apart(&removal.edit));
        Self(removals.cloned().collect())
    }

    /// This as well.
    pub(super) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub(super) fn edits(&self) -> impl Iterator<Item = Edit> {
        self.0.iter().map(|removal| removal.edit.clone())
    }

    fn number(&self, kind: Kind) -> usize {
        let of_kind = self.0.iter().filter(|removal| removal.kind == kind);
        of_kind.count()
    }

    fn push(&mut self, kind: Kind, place: usize, edit: Edit) {
        self.0.push(Removal { kind, place, edit });
    }
}

impl fmt::Display for Mending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (repeats, lengths) = (self.number(Kind::Repeat), self.number(Kind::Length));
        let of_repeats = count(repeats, "exact repeat");
        let of_lengths = count(lengths, "wrong length");
        match (repeats, lengths) {
            (_, 0) => f.write_str(&of_repeats),
            (0, _) => f.write_str(&of_lengths),
            (_, _) => write!(f, "{of_repeats} and {of_lengths}"),
        }
    }
}

impl Document {
    /// What can be mended of the entries at these places: those that repeat them exactly, and their length
    /// where `is_wrong` says so. What is computed stays.
    #[must_use]
    pub fn mending(
        &self,
        places: impl Fn(usize) -> bool,
        is_wrong: impl Fn(usize, &Located) -> bool,
    ) -> Mending {
        let style = Style::of(self);
        let listing = self.listing();
        let mut mending = Mending::default();
        for repeat in &listing.repeats {
            let place = repeat.first;
            let spans = repeat.located.spans.as_ref();
            if let Some(spans) = spans.filter(|_| places(place) && listing.is_exact(repeat)) {
                let edit = removal(self.text(), &style, &spans.item);
                mending.push(Kind::Repeat, place, edit);
            }
        }
        for (place, located) in self.entries().iter().enumerate() {
            let Some(spans) = &located.spans else {
                continue;
            };
            if located.length.is_none() || !places(place) || !is_wrong(place, located) {
                continue;
            }
            let headers = spans.headers.values.iter();
            let lengths = headers.filter(|header| header.name == CONTENT_LENGTH);
            for length in lengths {
                let edit = removal(self.text(), &style, &length.definition);
                mending.push(Kind::Length, place, edit);
            }
        }
        mending
    }

    /// The text, mended.
    #[must_use]
    pub fn mended(&self, mending: &Mending) -> String {
        let mut edits: Vec<Edit> = mending.edits().collect();
        edits.sort_by_key(|edit| edit.start);
        apply(self.text(), &edits)
    }
}

/// Takes out what stands in a range, with the lines that it has for itself. Comments in it stay, on lines of
/// their own.
fn removal(text: &str, style: &Style, range: &Range<usize>) -> Edit {
    let line_start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[range.end..].find('\n');
    let line_end = line_end.map_or(text.len(), |at| range.end + at + 1);
    let begins_line = is_blank(&text[line_start..range.start]);
    let ends_line = text[range.end..line_end].trim().is_empty();
    let base = blank_at_line_start(text, range.start);
    let comments = comments_in(&text[range.clone()]);
    let comments = comments.iter().map(|comment| comment.trim_end());
    if begins_line && ends_line {
        let lines = comments.map(|comment| format!("{base}{comment}{}", style.end_of_line));
        return Edit {
            start: line_start,
            end: line_end,
            text: lines.collect(),
        };
    }
    let lines: String = comments
        .flat_map(|comment| [comment, style.end_of_line, base])
        .collect();
    let before = text[..range.start].trim_end_matches([' ', '\t']).len();
    let after = text[range.end..].trim_start_matches([' ', '\t']);
    match (lines.is_empty(), begins_line) {
        (true, true) => Edit {
            start: range.start,
            end: text.len() - after.len(),
            text: lines,
        },
        (true, false) => Edit {
            start: before,
            end: range.end,
            text: lines,
        },
        (false, _) => Edit::replace(range, lines),
    }
}
