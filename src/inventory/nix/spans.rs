//! Where in the text the parts of an entry stand, so that one of them can be replaced and all else
//! stays byte for byte.

use std::ops::Range;

use rowan::ast::AstNode;

use super::source::Source;
use crate::inventory::Algorithm;

/// A value in the text: what stands after the `=`, without parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its bytes.
    pub(crate) range: Range<usize>,
    /// The line that it starts on, from 1.
    pub(crate) line: usize,
}

/// The parts of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spans {
    /// The whole item of the list, with the parentheses around it.
    pub(crate) item: Range<usize>,
    /// The whole set, its braces included.
    pub(crate) set: Range<usize>,
    /// `url`.
    pub(crate) url: Span,
    /// `status_code`, where it is written.
    pub(crate) status: Option<Span>,
    /// `file`, where it is written.
    pub(crate) file: Option<Span>,
    /// The arguments of its `fetchurl`, where it is one.
    pub(crate) pin: Option<PinSpans>,
    /// `headers`.
    pub(crate) headers: HeaderSpans,
}

/// The parts of a `fetchurl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PinSpans {
    /// Its `url`, or `urls`.
    pub(crate) url: Span,
    /// Its hash, under whatever name.
    pub(crate) hash: Span,
    /// The algorithm that the hash's name demands.
    pub(crate) only: Option<Algorithm>,
}

/// The headers of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderSpans {
    /// All of them.
    pub(crate) whole: Whole,
    /// Each of them.
    pub(crate) values: Vec<HeaderSpan>,
}

/// One header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderSpan {
    /// Its name, in lower case.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: Span,
    /// All of `name = value;`.
    pub(crate) definition: Range<usize>,
}

/// How headers are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Not at all.
    #[default]
    Absent,
    /// As one set.
    Set(Span),
    /// As `headers.name = …`, in one or more places.
    Scattered,
}

impl Source<'_> {
    pub(super) fn span(&self, node: &impl AstNode) -> Span {
        let range: Range<usize> = node.syntax().text_range().into();
        Span {
            line: self.line_at(range.start),
            range,
        }
    }
}
