//! Where a hash stands in a file that only Nix can evaluate.

use std::ops::Range;

use rnix::{Root, ast};
use rowan::ast::AstNode as _;

use super::nesting;
use super::source::Source;
use crate::inventory::Sri;

/// The strings that are this hash, with its algorithm in front: nothing else can be made of them.
pub(crate) fn places_of(hash: &Sri, text: &str) -> Vec<Range<usize>> {
    if nesting::too_deep(text).is_some() {
        return Vec::new();
    }
    let source = Source::new(text);
    let is_hash = |string: &ast::Str| {
        let text = source.decoded(string);
        text.is_ok_and(|text| text.parse().as_ref() == Ok(hash))
    };
    let tree = Root::parse(text).tree();
    let strings = tree.syntax().descendants().filter_map(ast::Str::cast);
    strings
        .filter(is_hash)
        .map(|string| string.syntax().text_range().into())
        .collect()
}
