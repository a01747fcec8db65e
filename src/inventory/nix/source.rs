//! The text of a file, and its lines.

use std::ops::Range;

use rnix::SyntaxKind::{
    self, TOKEN_ASSIGN, TOKEN_AT, TOKEN_COLON, TOKEN_COMMA, TOKEN_DOT, TOKEN_ELLIPSIS, TOKEN_ELSE,
    TOKEN_IDENT, TOKEN_IN, TOKEN_INTERPOL_END, TOKEN_INTERPOL_START, TOKEN_L_BRACE, TOKEN_L_BRACK,
    TOKEN_L_PAREN, TOKEN_R_BRACE, TOKEN_R_BRACK, TOKEN_R_PAREN, TOKEN_REC, TOKEN_SEMICOLON,
    TOKEN_STRING_CONTENT, TOKEN_STRING_END, TOKEN_STRING_START, TOKEN_THEN,
};
use rnix::{ParseError, TextRange};

use super::error::NixError;

/// Where in a text which line starts.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    /// Offset of each line's first byte.
    starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    /// The line of an offset, from 1.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// The line that a node starts on, from 1.
    pub(super) fn line(&self, node: &impl rowan::ast::AstNode) -> usize {
        self.line_at(node.syntax().text_range().start().into())
    }

    /// The character of an offset in its line, from 1.
    fn column_at(&self, offset: usize) -> usize {
        let start = self.starts[self.line_at(offset) - 1];
        self.text
            .get(start..offset)
            .map_or(1, |before| before.chars().count() + 1)
    }

    pub(super) fn syntax_error(&self, error: &ParseError) -> NixError {
        let end = self.text.trim_end().len();
        let (offset, what) = match error {
            ParseError::Unexpected(range) | ParseError::UnexpectedExtra(range) => {
                (start(*range), format!("unexpected {}", self.quote(*range)))
            }
            ParseError::UnexpectedWanted(_, range, wanted) => (
                start(*range),
                format!(
                    "unexpected {}, expected {}",
                    self.quote(*range),
                    any_of(wanted)
                ),
            ),
            ParseError::UnexpectedDoubleBind(range) => {
                (start(*range), "the arguments are named twice".to_owned())
            }
            ParseError::DuplicatedArgs(range, name) => (
                start(*range),
                format!("the argument `{name}` is given twice"),
            ),
            ParseError::UnexpectedEOFWanted(wanted) => (
                end,
                format!("the file ends where {} is expected", any_of(wanted)),
            ),
            ParseError::UnexpectedEOF => (end, "the file ends too early".to_owned()),
            other => (end, other.to_string()),
        };
        NixError::Syntax {
            line: self.line_at(offset),
            column: self.column_at(offset),
            what,
        }
    }

    /// The first line of what stands there, shortened.
    fn quote(&self, range: TextRange) -> String {
        let range: Range<usize> = range.into();
        let text = self.text.get(range).unwrap_or_default();
        let first: String = text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(40)
            .collect();
        if first.is_empty() {
            "end of line".to_owned()
        } else {
            format!("`{first}`")
        }
    }
}

fn start(range: TextRange) -> usize {
    range.start().into()
}

fn any_of(wanted: &[SyntaxKind]) -> String {
    let mut names: Vec<_> = wanted.iter().map(|kind| name_of(*kind)).collect();
    names.dedup();
    names.join(" or ")
}

fn name_of(kind: SyntaxKind) -> String {
    let name = match kind {
        TOKEN_SEMICOLON => "`;`",
        TOKEN_ASSIGN => "`=`",
        TOKEN_COLON => "`:`",
        TOKEN_COMMA => "`,`",
        TOKEN_DOT => "`.`",
        TOKEN_AT => "`@`",
        TOKEN_ELLIPSIS => "`...`",
        TOKEN_L_BRACE => "`{`",
        TOKEN_R_BRACE | TOKEN_INTERPOL_END => "`}`",
        TOKEN_L_BRACK => "`[`",
        TOKEN_R_BRACK => "`]`",
        TOKEN_L_PAREN => "`(`",
        TOKEN_R_PAREN => "`)`",
        TOKEN_STRING_START => "a string",
        TOKEN_STRING_END | TOKEN_STRING_CONTENT => "the end of the string",
        TOKEN_INTERPOL_START => "`${`",
        TOKEN_IDENT => "a name",
        TOKEN_REC => "`rec`",
        TOKEN_THEN => "`then`",
        TOKEN_ELSE => "`else`",
        TOKEN_IN => "`in`",
        other => return format!("{other:?}"),
    };
    name.to_owned()
}
