//! A look at the tokens before they are parsed, so that no file can exhaust the stack.
//!
//! rnix parses by recursion, and bounds it only partly: a megabyte of `[` or of `1 ++ 1 ++ …`
//! overflows the stack, which ends the process. Nothing that anybody would write comes near.

use rnix::SyntaxKind::{
    self, TOKEN_ASSERT, TOKEN_COMMA, TOKEN_COMMENT, TOKEN_DOT, TOKEN_ELSE, TOKEN_FLOAT,
    TOKEN_IDENT, TOKEN_IF, TOKEN_IN, TOKEN_INTEGER, TOKEN_INTERPOL_END, TOKEN_INTERPOL_START,
    TOKEN_L_BRACE, TOKEN_L_BRACK, TOKEN_L_PAREN, TOKEN_LET, TOKEN_PATH_ABS, TOKEN_PATH_HOME,
    TOKEN_PATH_REL, TOKEN_PATH_SEARCH, TOKEN_R_BRACE, TOKEN_R_BRACK, TOKEN_R_PAREN, TOKEN_REC,
    TOKEN_SEMICOLON, TOKEN_STRING_CONTENT, TOKEN_STRING_END, TOKEN_STRING_START, TOKEN_THEN,
    TOKEN_URI, TOKEN_WHITESPACE, TOKEN_WITH,
};

/// Deepest nesting that is parsed. An entry's header value is six deep.
const LIMIT: usize = 200;

/// An open bracket, and how far what stands in it can make the parser recurse.
struct Frame {
    closer: Option<SyntaxKind>,
    /// Tokens since the last `;` or `,` that may each nest the tree by one.
    chain: usize,
    /// `let`, `with` and the like, which go on after the `;`.
    keywords: usize,
}

/// The offset of the first token that is nested too deeply.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let mut frames = vec![Frame::new(None)];
    let mut depth = 1;
    let mut offset = 0;
    for (kind, token) in rnix::tokenize(text) {
        let closes = frames.last().and_then(|frame| frame.closer) == Some(kind);
        if closes && let Some(frame) = frames.pop() {
            depth -= frame.depth();
        } else if let Some(frame) = frames.last_mut() {
            depth -= frame.depth();
            frame.count(kind);
            depth += frame.depth();
            if let Some(closer) = closer_of(kind) {
                frames.push(Frame::new(Some(closer)));
                depth += 1;
            }
        }
        if depth > LIMIT {
            return Some(offset);
        }
        offset += token.len();
    }
    None
}

impl Frame {
    fn new(closer: Option<SyntaxKind>) -> Self {
        Self {
            closer,
            chain: 0,
            keywords: 0,
        }
    }

    fn depth(&self) -> usize {
        1 + self.chain + self.keywords
    }

    fn count(&mut self, kind: SyntaxKind) {
        match kind {
            TOKEN_COMMENT | TOKEN_WHITESPACE | TOKEN_STRING_CONTENT => {}
            TOKEN_SEMICOLON | TOKEN_COMMA => self.chain = 0,
            TOKEN_LET | TOKEN_WITH | TOKEN_ASSERT | TOKEN_IF | TOKEN_THEN | TOKEN_ELSE
            | TOKEN_IN => self.keywords += 1,
            // The items of a list stand side by side, however many they are.
            _ if self.closer == Some(TOKEN_R_BRACK) && is_item(kind) => {}
            _ => self.chain += 1,
        }
    }
}

/// Whether a token is a term, or part of one.
fn is_item(kind: SyntaxKind) -> bool {
    closer_of(kind).is_some()
        || matches!(
            kind,
            TOKEN_IDENT
                | TOKEN_DOT
                | TOKEN_INTEGER
                | TOKEN_FLOAT
                | TOKEN_URI
                | TOKEN_PATH_ABS
                | TOKEN_PATH_REL
                | TOKEN_PATH_HOME
                | TOKEN_PATH_SEARCH
                | TOKEN_REC
        )
}

fn closer_of(kind: SyntaxKind) -> Option<SyntaxKind> {
    match kind {
        TOKEN_L_BRACE => Some(TOKEN_R_BRACE),
        TOKEN_L_BRACK => Some(TOKEN_R_BRACK),
        TOKEN_L_PAREN => Some(TOKEN_R_PAREN),
        TOKEN_STRING_START => Some(TOKEN_STRING_END),
        TOKEN_INTERPOL_START => Some(TOKEN_INTERPOL_END),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_is_not_deep() {
        let entry =
            "{ url = \"https://example.org\"; headers = { x = [ \"a\" ]; }; file = f { }; }\n";
        assert_eq!(
            too_deep(&format!("{{ f }}: [ {} ]", entry.repeat(1000))),
            None
        );
        assert_eq!(
            too_deep(&format!("[ {} ]", "\"a\" b.c ./d 1 ".repeat(1000))),
            None
        );
    }

    #[test]
    fn what_would_exhaust_the_stack_is_found() {
        for part in [
            "[",
            "(",
            "{ a = ",
            "{ a = [",
            "a: ",
            "-",
            "!",
            "1 ++ ",
            "1 + ",
            "a // ",
            "a -> ",
            "[ ( ",
            "\"${",
            "a.b or ",
            "let a = 1; in ",
            "with a; ",
            "f ",
            "if a then b else ",
            "a@{ }: ",
            "{ a ? ",
            "''${",
            "{ }: ",
            "assert a; ",
            "a ? b ",
            "[ a.b or ",
            "a |> ",
            "a <| ",
            "{ ${",
            "a or ",
            "let {",
            "{ inherit (",
            "[ - ",
            "[ a: ",
            "( ] ",
            "{ ) ",
        ] {
            let text = part.repeat(100_000);
            assert!(too_deep(&text).is_some(), "{part}");
        }
    }
}
