//! Replacing parts of a text, with all else byte for byte as it was.

use std::ops::Range;

use crate::inventory::nix::Document;

/// Text put in the place of a range of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

impl Edit {
    pub(super) fn insert(at: usize, text: String) -> Self {
        Self::replace(&(at..at), text)
    }

    pub(super) fn replace(range: &Range<usize>, text: String) -> Self {
        Self {
            start: range.start,
            end: range.end,
            text,
        }
    }
}

/// Makes edits that do not overlap and stand in order.
pub(super) fn apply(text: &str, edits: &[Edit]) -> String {
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

/// The line, from 1, that `line` becomes where it starts at or after none but the edits before `at`.
pub(super) fn moved(text: &str, edits: &[Edit], at: usize, line: usize) -> usize {
    let breaks = |text: &str| text.matches('\n').count();
    let before = edits.iter().filter(|edit| edit.end <= at);
    before.fold(line, |line, edit| {
        line + breaks(&edit.text) - breaks(&text[edit.start..edit.end])
    })
}

/// How a file is laid out.
pub(super) struct Style<'a> {
    /// What stands before the line that the list starts on.
    pub(super) list: &'a str,
    /// What stands before an item.
    pub(super) base: String,
    /// What is added with each level.
    pub(super) unit: String,
    pub(super) end_of_line: &'static str,
}

impl<'a> Style<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
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
pub(super) fn blank_at_line_start(text: &str, offset: usize) -> &str {
    let line = &text[text[..offset].rfind('\n').map_or(0, |at| at + 1)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || c == '\t')
}
