//! Targets of requests, path and query: which of their characters are sent as they are, and what the dots in
//! them mean.
//!
//! Sources: RFC 3986 §5.2.4 (dot segments); the WHATWG's URL standard (what browsers encode); curl, which takes
//! `%2e` for a dot since version 8.14.

use std::borrow::Cow;

use data_encoding::HEXUPPER;

/// A target with what HTTP libraries do not send percent-encoded, as browsers do, so that it is the same wherever it
/// comes from. That is what can stand in no request line, what is no UTF-8, and in a path `<`, `>` and the
/// backtick, in a query `<`, `>` and `"`. A fragment does not count.
pub(crate) fn sendable(target: &[u8]) -> Cow<'_, str> {
    let query = target.iter().position(|byte| *byte == b'?');
    let query = query.unwrap_or(target.len());
    let is_sendable = |(at, byte): (usize, u8)| match byte {
        b'<' | b'>' | b'\0'..=b' ' | 0x7f => false,
        b'`' => at > query,
        b'"' => at < query,
        _ => true,
    };
    let all = target.iter().copied().enumerate().all(is_sendable);
    if all && let Ok(target) = std::str::from_utf8(target) {
        return Cow::Borrowed(target);
    }
    let mut encoded = String::with_capacity(target.len() + 16);
    let mut at = 0;
    for chunk in target.utf8_chunks() {
        for (offset, character) in chunk.valid().char_indices() {
            match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() && !is_sendable((at + offset, byte)) => {
                    encode(&mut encoded, byte);
                }
                _ => encoded.push(character),
            }
        }
        for byte in chunk.invalid() {
            encode(&mut encoded, *byte);
        }
        at += chunk.valid().len() + chunk.invalid().len();
    }
    Cow::Owned(encoded)
}

fn encode(text: &mut String, byte: u8) {
    text.push('%');
    text.push_str(&HEXUPPER.encode(&[byte]));
}

/// Percent-encodes white space, control characters and all that is not ASCII.
pub(super) fn encode_unsendable(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() {
            encoded.push(char::from(byte));
        } else {
            encode(&mut encoded, byte);
        }
    }
    encoded
}

/// Whether a segment of a path is `.` or `..`, or says so by `%2e`.
pub(super) fn is_dots(segment: &str) -> bool {
    dots(segment).is_some()
}

/// How many dots a segment of a path consists of, where that means something: one or two.
fn dots(segment: &str) -> Option<usize> {
    let mut rest = segment;
    let mut dots = 0;
    while !rest.is_empty() {
        let dot = [".", "%2e", "%2E"]
            .into_iter()
            .find(|dot| rest.starts_with(dot))?;
        rest = &rest[dot.len()..];
        dots += 1;
    }
    (1..=2).contains(&dots).then_some(dots)
}

/// RFC 3986 §5.2.4 for the path; what follows a `?` stays.
pub(super) fn without_dot_segments(path_and_query: &str) -> String {
    let (path, query) =
        path_and_query.split_at(path_and_query.find('?').unwrap_or(path_and_query.len()));
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match dots(segment) {
            Some(1) => {}
            Some(_) => {
                kept.pop();
            }
            None => {
                kept.push(segment);
                continue;
            }
        }
        // A dot segment at the end names a folder.
        if last {
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_encoded() {
        assert_eq!(sendable(b"/\xfc <\x01?\xfc\" "), "/%FC%20%3C%01?%FC%22%20");
        assert_eq!(sendable("/ü".as_bytes()), "/ü");
    }
}
