//! What stands in a text, whatever it means: hashes, in a file that only Nix can evaluate, and comments.

use std::collections::HashMap;
use std::ops::Range;

use rnix::{Root, SyntaxKind, ast};
use rowan::ast::AstNode as _;

use super::nesting;
use super::source::Source;
use crate::inventory::Sri;

/// The strings that are hashes, each with its algorithm in front: nothing else can be made of them.
pub(crate) fn hashes_in(text: &str) -> HashMap<Sri, Vec<Range<usize>>> {
    let mut found: HashMap<Sri, Vec<_>> = HashMap::new();
    if nesting::too_deep(text).is_some() {
        return found;
    }
    let source = Source::new(text);
    let tree = Root::parse(text).tree();
    for string in tree.syntax().descendants().filter_map(ast::Str::cast) {
        let hash = source.decoded(&string).ok();
        if let Some(hash) = hash.and_then(|text| text.parse().ok()) {
            let range = string.syntax().text_range().into();
            found.entry(hash).or_default().push(range);
        }
    }
    found
}

/// The comments in a text that begins and ends between two tokens.
pub(crate) fn comments_in(text: &str) -> Vec<&str> {
    rnix::tokenize(text)
        .filter(|(kind, _)| *kind == SyntaxKind::TOKEN_COMMENT)
        .map(|(_, comment)| comment)
        .collect()
}
