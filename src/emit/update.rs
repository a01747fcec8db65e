//! Replacing an entry in place by what was captured anew.
//!
//! As little as possible is replaced. Of a pin that stays one, it is the hash's string, under
//! whatever name it stands, and the values of headers that came with the new bytes: an `etag` or a
//! digest of the old ones would be wrong. Where the kind of body or the status is another one, it is
//! the values of `file`, `status_code` and `headers`, so far as they differ. Names, order and
//! comments beside them stay.

use std::fmt;

use super::edit::{Edit, Style, blank_at_line_start};
use super::quote::quoted;
use super::{Page, indented};
use crate::inventory::nix::{Located, Spans, Whole};
use crate::inventory::{Body, Entry, Headers, Sri};

/// Why an entry that changed stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nobody asked for anything else.
    Unasked,
    /// The file is more than literals: what to replace does not stand there as such.
    Computed,
    /// The headers are written as `headers.name = …`, in several places.
    Scattered,
    /// The pin has a hash that cannot be compared with that of a capture.
    Algorithm,
    /// What differs is not in the file, but was captured as well.
    Captured,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unasked => "the inventory keeps what it has",
            Self::Computed => "it is computed, and so cannot be replaced in place",
            Self::Scattered => {
                "its headers are not written as one set, and so cannot be replaced in place"
            }
            Self::Algorithm => {
                "its pin has a hash of another kind, which `buildproxy update` fetches again"
            }
            Self::Captured => "the first answer stays",
        })
    }
}

/// The edits that make an entry of the file the captured one.
pub(super) fn update(
    text: &str,
    style: &Style,
    located: &Located,
    captured: &Entry,
) -> Result<Vec<Edit>, Kept> {
    let spans = located.spans.as_ref().ok_or(Kept::Computed)?;
    let old = &located.entry;
    if old.status == captured.status
        && let (Body::Pin(before), Body::Pin(now)) = (&old.body, &captured.body)
    {
        if let (Some(before), Some(now)) = (&before.hash, &now.hash)
            && before.algorithm() != now.algorithm()
        {
            return Err(Kept::Algorithm);
        }
        if let Some(hash) = hash_edit(spans, now.hash.as_ref()) {
            let mut edits = header_values(spans, &old.headers, &captured.headers);
            edits.push(hash);
            return Ok(edits);
        }
    }
    values(text, style, spans, old, captured)
}

/// The edit of a pin's hash, where its name allows the new one.
pub(super) fn hash_edit(spans: &Spans, hash: Option<&Sri>) -> Option<Edit> {
    let spans = spans.pin.as_ref()?;
    let fits = |hash: &Sri| {
        let only = spans.only;
        only.is_none_or(|algorithm| algorithm == hash.algorithm())
    };
    let text = hash.map(ToString::to_string).unwrap_or_default();
    hash.is_none_or(fits)
        .then(|| Edit::replace(&spans.hash.range, quoted(&text)))
}

/// The edits of header values that both have and that differ.
fn header_values(spans: &Spans, old: &Headers, new: &Headers) -> Vec<Edit> {
    let mut edits = Vec::new();
    for header in &spans.headers.values {
        let values = new.get_all(&header.name);
        if values.is_empty() || values == old.get_all(&header.name) {
            continue;
        }
        let text = match values {
            [value] => quoted(value),
            values => {
                let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                format!("[ {} ]", values.join(" "))
            }
        };
        edits.push(Edit::replace(&header.value.range, text));
    }
    edits
}

/// The edits of `file`, `status_code` and `headers`, so far as they differ.
fn values(
    text: &str,
    style: &Style,
    spans: &Spans,
    old: &Entry,
    new: &Entry,
) -> Result<Vec<Edit>, Kept> {
    let mut edits = Vec::new();
    let mut missing = Vec::new();
    if old.body != new.body {
        let mut page = Page::default();
        page.body(&new.body);
        match &spans.file {
            Some(span) => edits.push(value(text, style, &span.range, "file =", &page)),
            None => missing.push(page),
        }
    }
    if old.status != new.status {
        let mut page = Page::default();
        page.status(new.status);
        match &spans.status {
            Some(span) => edits.push(value(text, style, &span.range, "status_code =", &page)),
            None => missing.push(page),
        }
    }
    if old.headers != new.headers {
        let mut page = Page::default();
        page.all_headers(&new.headers);
        match &spans.headers.whole {
            Whole::Set(span) => edits.push(value(text, style, &span.range, "headers =", &page)),
            Whole::Absent => missing.push(page),
            Whole::Scattered => return Err(Kept::Scattered),
        }
    }
    if !missing.is_empty() {
        edits.push(insert(text, style, spans, &missing));
    }
    Ok(edits)
}

/// The edit of a value. The page has all of the attribute, from `head` on.
fn value(
    text: &str,
    style: &Style,
    range: &std::ops::Range<usize>,
    head: &str,
    page: &Page,
) -> Edit {
    let base = blank_at_line_start(text, range.start);
    let whole = indented(&page.lines, base, &style.unit, style.end_of_line);
    let whole = whole.trim();
    let value = whole.strip_prefix(head).unwrap_or(whole).trim_start();
    let value = value.strip_suffix(';').unwrap_or(value);
    Edit::replace(range, value.to_owned())
}

/// The edit that puts in attributes that have not been written so far.
fn insert(text: &str, style: &Style, spans: &Spans, missing: &[Page]) -> Edit {
    let close = spans.set.end - 1;
    let line_start = text[..close].rfind('\n').map_or(0, |at| at + 1);
    let own_line = line_start > spans.set.start && text[line_start..close].trim().is_empty();
    let base = if own_line {
        blank_at_line_start(text, spans.url.range.start)
    } else {
        blank_at_line_start(text, spans.set.start)
    };
    let block: String = missing
        .iter()
        .map(|page| indented(&page.lines, base, &style.unit, style.end_of_line))
        .collect();
    if own_line {
        return Edit::insert(line_start, block);
    }
    let end = text[..close].trim_end_matches([' ', '\t']).len();
    Edit::insert(end, format!(" {}", block.trim()))
}
