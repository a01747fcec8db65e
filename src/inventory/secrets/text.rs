//! Finds what is a secret in URLs and texts, and takes it out.

use std::borrow::Cow;

use super::rules::{TOKEN_LENGTH, begins_with_session, is_secret_parameter};

/// URLs are looked for so deep within URLs.
const NESTING: u8 = 3;

/// A text that may hold URLs, such as a header's value, without their secrets. It is borrowed where
/// there are none.
///
/// ```
/// use buildproxy::inventory::secrets::without_secrets;
///
/// let link = "<https://me:pw@example.org/?page=2&token=abc>; rel=next";
/// assert_eq!(without_secrets(link), "<https://example.org/?page=2>; rel=next");
/// ```
#[must_use]
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let text = without_userinfo(text, |_| true);
    match without_parameters(&text, NESTING) {
        Some(without) => Cow::Owned(without),
        None => text,
    }
}

/// A text that was to be a URL and is none, fit for an error message. As it cannot be told what is
/// what in it, nothing is left that stands before an `@`.
pub(crate) fn presentable(text: &str) -> String {
    let text = match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    };
    without_parameters(&text, NESTING).unwrap_or(text)
}

/// Path and query of a URL without their secrets; `None` where there are none.
pub(in crate::inventory) fn of_target(path_and_query: &str) -> Option<String> {
    of_nested(path_and_query, NESTING)
}

fn of_nested(path_and_query: &str, nesting: u8) -> Option<String> {
    // A name alone, such as `git@`, says how to fetch something.
    let is_password = |userinfo: &str| userinfo.contains(':') || userinfo.len() >= TOKEN_LENGTH;
    let text = without_userinfo(path_and_query, is_password);
    match (without_parameters(&text, nesting), text) {
        (Some(without), _) => Some(without),
        (None, Cow::Owned(text)) => Some(text),
        (None, Cow::Borrowed(_)) => None,
    }
}

/// `text` without what stands before the `@` of an authority, where that `is_secret`.
fn without_userinfo(text: &str, is_secret: impl Fn(&str) -> bool) -> Cow<'_, str> {
    let mut kept = String::new();
    let mut rest = text;
    // A reference may have no scheme.
    let mut from = if text.trim_start().starts_with("//") {
        text.find("//")
    } else {
        text.find("://").map(|at| at + 1)
    };
    while let Some(start) = from.map(|at| at + 2) {
        let after = &rest[start..];
        let authority = authority_of(after);
        kept.push_str(&rest[..start]);
        rest = match authority.rsplit_once('@') {
            Some((userinfo, _)) if is_secret(userinfo) => &after[userinfo.len() + 1..],
            _ => after,
        };
        from = rest.find("://").map(|at| at + 1);
    }
    if kept.len() + rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// What of a text, which begins behind `//`, is an authority.
///
/// Some write a password with a slash in it, and so what is no port: then the authority is taken to go on
/// up to the `@`.
fn authority_of(text: &str) -> &str {
    let up_to = |ends: &str| {
        let ends = |c: char| ends.contains(c) || c.is_whitespace();
        &text[..text.find(ends).unwrap_or(text.len())]
    };
    let authority = up_to("/?#&<>\"");
    let no_port = |port: &str| port.contains(|c: char| !c.is_ascii_digit());
    let host = authority
        .rsplit_once(']')
        .map_or(authority, |(_, port)| port);
    let is_broken = host.split_once(':').is_some_and(|(_, port)| no_port(port));
    if is_broken && !authority.contains('@') && up_to("?#&<>\"").contains('@') {
        return up_to("?#&<>\"");
    }
    authority
}

/// A piece of a text between two separators, and the one before it; none before the first.
struct Piece<'a> {
    separator: Option<char>,
    text: &'a str,
    /// The name, where this is a parameter.
    name: Option<String>,
}

impl Piece<'_> {
    fn value(&self) -> &str {
        self.text.split_once('=').map_or("", |(_, value)| value)
    }
}

/// `text` without the parameters that are secrets; `None` where there are none.
fn without_parameters(text: &str, nesting: u8) -> Option<String> {
    if !text.contains('=') {
        return None;
    }
    let pieces = pieces(text);
    let names: Vec<&str> = pieces.iter().filter_map(|p| p.name.as_deref()).collect();
    let secret: Vec<bool> = pieces
        .iter()
        .map(|piece| {
            let name = piece.name.as_deref();
            name.is_some_and(|name| is_secret(name, piece.value(), &names, nesting))
        })
        .collect();
    if !secret.contains(&true) {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    // What a query begins with, where its first parameters are gone.
    let mut opening = None;
    for (piece, secret) in pieces.iter().zip(secret) {
        if secret {
            opening = opening.or(piece.separator.filter(|c| "?#".contains(*c)));
            continue;
        }
        let separator = match (opening.take(), piece.separator) {
            (Some(opening), Some('&' | ';')) => Some(opening),
            (_, separator) => separator,
        };
        kept.extend(separator);
        kept.push_str(piece.text);
    }
    Some(kept)
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let separates = |c: char| "?&;#<>\"".contains(c) || c.is_whitespace();
    let mut pieces = Vec::new();
    let mut separator: Option<char> = None;
    let mut rest = text;
    let mut in_query = false;
    loop {
        in_query = match separator {
            Some('?' | '#') => true,
            Some('&' | ';') | None => in_query,
            Some(_) => false,
        };
        // `/a;jsessionid=…/b`: a parameter of a segment of the path (RFC 3986 §3.3) ends with the segment.
        let of_path = separator == Some(';') && !in_query && begins_with_session(rest);
        let ends = |c: char| separates(c) || of_path && c == '/';
        let (piece, tail) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        // Some write `/download&token=…`.
        let name = (in_query || of_path || separator == Some('&'))
            .then(|| piece.split_once('='))
            .flatten()
            .map(|(name, _)| decoded(name).to_ascii_lowercase());
        pieces.push(Piece {
            separator,
            text: piece,
            name,
        });
        let mut characters = tail.chars();
        separator = characters.next();
        rest = characters.as_str();
        if separator.is_none() {
            return pieces;
        }
    }
}

/// Whether a parameter is a secret, or holds one, among others of these `names`.
fn is_secret(name: &str, value: &str, names: &[&str], nesting: u8) -> bool {
    !value.is_empty() && (is_secret_parameter(name, value, names) || holds_secret(value, nesting))
}

/// Whether a value is a URL that holds a secret, encoded up to `nesting` times. What is not encoded has
/// been seen as a piece of its own.
fn holds_secret(value: &str, nesting: u8) -> bool {
    let Some(nesting) = nesting.checked_sub(1) else {
        return false;
    };
    let Cow::Owned(plain) = decoded(value) else {
        return false;
    };
    let is_url = plain.contains("://");
    is_url && of_nested(&plain, nesting).is_some() || holds_secret(&plain, nesting)
}

/// `text` with its percent-encoding undone.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        if first == b'%'
            && let (Some(high), Some(low)) = (digit(0), digit(1))
            && let Ok(byte) = u8::try_from(high * 16 + low)
        {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays_as_it_was() {
        for (given, wanted) in [
            ("/a?token=s3cr3t", "/a"),
            ("/a?token=s3cr3t&b=2", "/a?b=2"),
            ("/a?b=2&token=s3cr3t", "/a?b=2"),
            ("/a?b=2;token=s3cr3t;c", "/a?b=2;c"),
            ("/a?b=%2F&&c=&token=s3cr3t&d?", "/a?b=%2F&&c=&d?"),
            ("/a?TOKEN=s3cr3t", "/a"),
            ("/a?%74oken=s3cr3t", "/a"),
            ("/a?b=1?token=s3cr3t", "/a?b=1"),
            ("/a&token=s3cr3t", "/a"),
            ("/a#access_token=s3cr3t", "/a"),
            ("/a;jsessionid=0A1B/b?c=1", "/a/b?c=1"),
            ("/a;v=2;JSESSIONID=0A1B.node1", "/a;v=2"),
            ("/a;PHPSESSID=0a1b;v=2/b;jsessionid=c", "/a;v=2/b"),
            ("/a?b=1&to=https%3A%2F%2Fc%2F%3Fsig%3Ds3cr3t", "/a?b=1"),
            ("/a?to=https%253A%252F%252Fc%252F%253Fsig%253Ds3cr3t", "/a"),
            ("/a?to=https://me:s3cr3t@b/", "/a?to=https://b/"),
            ("/a?x=ghp_0123456789abcdefghij", "/a"),
            ("/a?x=eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.abc", "/a"),
            ("/a?key=AIzaSyA0123456789abcdefghijklmnopqrst", "/a"),
        ] {
            assert_eq!(of_target(given).as_deref(), Some(wanted), "{given}");
        }
    }

    #[test]
    fn with_a_signature_goes_what_changes_with_it() {
        for (given, wanted) in [
            (
                "/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101&X-Amz-Date=20260101T000000Z\
                 &X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature=abc&versionId=7",
                "/o?versionId=7",
            ),
            (
                "/o?X-Goog-Date=1&X-Goog-Expires=2&X-Goog-Signature=abc",
                "/o",
            ),
            (
                "/o?sp=r&sv=2018-11-09&sr=b&se=2026&rscd=attachment&sig=a%3D&skt=1&jwt=e",
                "/o?rscd=attachment",
            ),
            ("/o?Expires=1&Signature=a&Key-Pair-Id=K&v=3", "/o?v=3"),
            ("/o?Policy=a&Signature=a&Key-Pair-Id=K", "/o"),
            ("/o?AWSAccessKeyId=A&Signature=a&Expires=1", "/o"),
        ] {
            assert_eq!(of_target(given).as_deref(), Some(wanted), "{given}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() {
        for given in [
            "/a?policy=1&expires=2&se=3&sv=4",
            "/a?x-amz-date=1",
            "/a?token",
            "/a?token=",
            "/a?key=name",
            "/a?key=0123456789ABCDEF0123456789ABCDEF01234567",
            "/token=abc",
            "/a;token=abc",
            "/a;jsessionid/b",
            "/jsessionid=a",
            "/a?to=git+ssh://git@example.org/x",
            "/web/https://example.org/@scope/a",
            "/a?tokens=1&mytoken=2",
            "/a?b=100%",
        ] {
            assert_eq!(of_target(given), None, "{given}");
        }
    }

    #[test]
    fn a_password_may_have_a_slash_in_it() {
        for (given, wanted) in [
            ("https://me:s3/cr3t@b:99999/x", "https://b:99999/x"),
            ("ftp://me:s3cr3t@b/x", "ftp://b/x"),
            ("https://b:80/x@y", "https://b:80/x@y"),
            ("https://[::1]:80/x@y", "https://[::1]:80/x@y"),
            ("https://b/x:y@z", "https://b/x:y@z"),
        ] {
            assert_eq!(without_secrets(given), wanted);
        }
    }

    #[test]
    fn headers_lose_the_secrets_of_their_urls() {
        for (given, wanted) in [
            ("https://me:s3cr3t@a/b", "https://a/b"),
            ("https://s3cr3t@a/b", "https://a/b"),
            ("//me:s3cr3t@a/b", "//a/b"),
            ("/b?token=s3cr3t", "/b"),
            (
                "<https://a/?page=2&token=s3cr3t>; rel=\"next\", <https://me:s3cr3t@a/?page=9>; rel=\"last\"",
                "<https://a/?page=2>; rel=\"next\", <https://a/?page=9>; rel=\"last\"",
            ),
            (
                "5; url=https://a/?sig=s3cr3t&se=1&b=2",
                "5; url=https://a/?b=2",
            ),
        ] {
            assert_eq!(without_secrets(given), wanted, "{given}");
        }
        for given in [
            "text/plain; charset=utf-8",
            "Bearer realm=\"https://a/token\",service=\"a\",scope=\"b\"",
            "attachment; filename=a@b; token=\"x\"",
            "https://a//@scope/b",
        ] {
            assert_eq!(without_secrets(given), given);
        }
    }

    proptest! {
        #[test]
        fn no_secret_is_left_and_twice_is_once(
            text in "(https://[a-z:@]{0,8})?(/|\\?|&|;|#|=|%3F|%3D|token=s3cr3t|sig=s3cr3t|se=1|[a-z<>\" ]){0,12}",
        ) {
            let once = without_secrets(&text).into_owned();
            prop_assert_eq!(without_secrets(&once), once.as_str());
            if let Some(once) = of_target(&text) {
                prop_assert_eq!(of_target(&once), None);
            }
        }

        #[test]
        fn any_text_is_a_text(text in any::<String>()) {
            let _ = without_secrets(&text);
            let _ = presentable(&text);
        }
    }
}
