//! URLs, as entries are looked up by them.
//!
//! Scheme and host are brought into one spelling, since clients differ there and servers do not
//! care. Path and query stay exactly as the client sent them, because a server may care for each
//! byte: `%2F` is not `/`, `//` is not `/`, and `?` with nothing after it is not nothing. Only what
//! HTTP libraries do not send is percent-encoded ([`sendable`]). So we split by ourselves; the `url`
//! crate follows the WHATWG, which rewrites paths, and is only asked to normalise hosts.
//!
//! A URL may hold secrets (see [`secrets`]). [`Url::as_str`] gives all of it; shown to
//! people, by `{}` as well as by `{:?}`, it has none, so that no message can give one away.
//!
//! Sources: RFC 3986 §3 (parts), §5.2 (references); RFC 9110 §4.2.3 (an empty path is `/`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::secrets::{self, presentable};
use super::target::{encode_unsendable, is_dots, sendable, without_dot_segments};

/// The scheme of a URL that can be proxied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `http`, default port 80.
    Http,
    /// `https`, default port 443.
    Https,
}

impl Scheme {
    /// The scheme's name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL that names none.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a URL of ours.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UrlError {
    /// There is no `scheme://` in front.
    #[error("`{text}` is not an absolute URL such as `https://example.org/a`")]
    NotAbsolute {
        /// The text as it was given.
        text: String,
    },
    /// A scheme that is not HTTP.
    #[error("`{text}` is neither http nor https but {scheme}")]
    OtherScheme {
        /// The scheme in lower case.
        scheme: String,
        /// The text as it was given.
        text: String,
    },
    /// A space or a control character, which no request line can hold.
    #[error("{text:?} contains white space or a control character")]
    Whitespace {
        /// The text as it was given.
        text: String,
    },
    /// A user name or password. The text is not repeated: it is a secret.
    #[error("a URL on `{host}` contains a user name or password, which is never recorded")]
    Userinfo {
        /// What follows the `@`.
        host: String,
    },
    /// The host is empty, or no host name or address.
    #[error("`{text}` has no valid host")]
    Host {
        /// The text as it was given.
        text: String,
    },
    /// The port is not a number up to 65535.
    #[error("`{text}` has no valid port")]
    Port {
        /// The text as it was given.
        text: String,
    },
}

/// An absolute `http` or `https` URL without userinfo, fragment and default port.
///
/// ```
/// use buildproxy::inventory::Url;
///
/// let url: Url = "HTTPS://Example.ORG:443//a%2Fb?#top".parse()?;
/// assert_eq!(url.as_str(), "https://example.org//a%2Fb?");
/// # Ok::<(), buildproxy::inventory::UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Url {
    /// All of it. First, so that URLs order as their texts do.
    text: String,
    scheme: Scheme,
    port: u16,
    /// Where in `text` the host ends.
    host_end: usize,
    /// Where in `text` the path starts.
    path_start: usize,
}

impl Url {
    /// Reads an absolute URL. A fragment is dropped: it is never sent.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if let Some(url) = Self::as_it_stands(text) {
            return Ok(url);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(UrlError::NotAbsolute {
                text: presentable(text),
            });
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other if is_scheme(other) => {
                return Err(UrlError::OtherScheme {
                    scheme: other.to_owned(),
                    text: presentable(text),
                });
            }
            _ => {
                return Err(UrlError::NotAbsolute {
                    text: presentable(text),
                });
            }
        };
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if let Some((_, host)) = authority.rsplit_once('@') {
            return Err(UrlError::Userinfo {
                host: host.to_owned(),
            });
        }
        if text.contains(|c: char| c.is_ascii_whitespace() || c.is_control()) {
            return Err(UrlError::Whitespace {
                text: presentable(text),
            });
        }
        let (host, port) = split_port(authority);
        let host = ::url::Host::parse(host).map_err(|_| UrlError::Host {
            text: presentable(text),
        })?;
        let port = match port {
            "" => scheme.default_port(),
            digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().map_err(|_| UrlError::Port {
                    text: presentable(text),
                })?
            }
            _ => {
                return Err(UrlError::Port {
                    text: presentable(text),
                });
            }
        };
        let path_and_query = sendable(tail.split('#').next().unwrap_or_default().as_bytes());
        Ok(Self::assemble(
            scheme,
            &host.to_string(),
            port,
            &path_and_query,
        ))
    }

    /// The URL of a target at a server that is known.
    pub fn of_parts(
        scheme: Scheme,
        host: &str,
        port: u16,
        path_and_query: &str,
    ) -> Result<Self, UrlError> {
        if is_plain_host(host) && is_plain_target(path_and_query) {
            return Ok(Self::assemble(scheme, host, port, path_and_query));
        }
        Self::parse(&format!("{scheme}://{host}:{port}{path_and_query}"))
    }

    /// The URL that `text` is, where there is nothing to change about it, and its host is a name without
    /// peculiarities. Most are so, and then this takes a tenth of the time.
    fn as_it_stands(text: &str) -> Option<Self> {
        let (scheme, path_start) = plain_parts(text)?;
        Some(Self {
            text: text.to_owned(),
            scheme,
            port: scheme.default_port(),
            host_end: path_start,
            path_start,
        })
    }

    /// Of a text that is known to be a URL that [`as_str`](Self::as_str) would give as it is, what stands before the
    /// path.
    pub(super) fn plain_server(text: &str) -> Option<&str> {
        let (_, path_start) = plain_parts(text)?;
        Some(&text[..path_start])
    }

    /// Whether that and `rest` are such a URL.
    pub(super) fn is_plain_rest(rest: &str) -> bool {
        is_plain_target(rest)
    }

    fn assemble(scheme: Scheme, host: &str, port: u16, path_and_query: &str) -> Self {
        let mut text = String::with_capacity(16 + host.len() + path_and_query.len());
        text.push_str(scheme.name());
        text.push_str("://");
        text.push_str(host);
        let host_end = text.len();
        if port != scheme.default_port() {
            text.push(':');
            text.push_str(&port.to_string());
        }
        let path_start = text.len();
        if !path_and_query.starts_with('/') {
            text.push('/');
        }
        text.push_str(path_and_query);
        Self {
            text,
            scheme,
            port,
            host_end,
            path_start,
        }
    }

    /// The whole URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in lower case; an IPv6 address with its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.text[self.host_start()..self.host_end]
    }

    /// The port, the scheme's default where the URL names none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host` or `host:port`, without the scheme's default port: the value of a Host header.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.text[self.host_start()..self.path_start]
    }

    /// Path and query as they were given, starting with `/`: the target of a request line.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.text[self.path_start..]
    }

    /// The path as it was given, starting with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path_and_query().split('?').next().unwrap_or("/")
    }

    /// All of it but the query.
    #[must_use]
    pub fn page(&self) -> &str {
        self.text.split('?').next().unwrap_or_default()
    }

    /// The parameters of the query as they were given, in their order: the name, and what stands behind the
    /// `=`, where there is one.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let (_, query) = self.text.split_once('?').unzip();
        let parameters = query.into_iter().flat_map(|query| query.split('&'));
        parameters.map(|parameter| match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        })
    }

    /// The same without some parameters, told by their names as they stand there; borrowed where it has none
    /// of them. Where no parameter is left, there is no `?` either.
    #[must_use]
    pub(super) fn without_parameters(&self, goes: impl Fn(&str) -> bool) -> Cow<'_, Self> {
        let goes = |(name, _): &(&str, Option<&str>)| goes(name);
        if !self.parameters().any(|parameter| goes(&parameter)) {
            return Cow::Borrowed(self);
        }
        let mut text = self.page().to_owned();
        let mut separator = '?';
        for (name, value) in self.parameters().filter(|parameter| !goes(parameter)) {
            text.push(separator);
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
            separator = '&';
        }
        Cow::Owned(Self {
            text,
            ..self.clone()
        })
    }

    /// Resolves a reference, such as the value of a Location header, against this URL (RFC 3986
    /// §5.2). Fragment and userinfo are dropped; characters that no request line can hold are
    /// percent-encoded, as browsers and curl do.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        let reference = encode_unsendable(reference.trim());
        let reference = reference.split('#').next().unwrap_or_default();
        if let Some((scheme, rest)) = reference.split_once(':')
            && is_scheme(scheme)
        {
            let Some(rest) = rest.strip_prefix("//") else {
                return Err(UrlError::NotAbsolute {
                    text: presentable(reference),
                });
            };
            return Self::resolved(scheme, rest);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::resolved(self.scheme.name(), rest);
        }
        let path_and_query = if reference.is_empty() {
            self.path_and_query().to_owned()
        } else if reference.starts_with('?') {
            format!("{}{reference}", self.path())
        } else if reference.starts_with('/') {
            without_dot_segments(reference)
        } else {
            let folder = self.path().rfind('/').unwrap_or_default();
            without_dot_segments(&format!("{}/{reference}", &self.path()[..folder]))
        };
        Ok(Self::assemble(
            self.scheme,
            self.host(),
            self.port,
            &sendable(path_and_query.as_bytes()),
        ))
    }

    /// An absolute reference, `rest` being what follows `scheme://`.
    fn resolved(scheme: &str, rest: &str) -> Result<Self, UrlError> {
        let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        Self::parse(&format!("{scheme}://{host}{}", without_dot_segments(tail)))
    }

    /// Whether the path has a segment `.` or `..`, or one that says so by `%2e`. fetchurl's curl takes them out before
    /// it asks, and so do most clients, but not all of them; those with `%2e` curl takes out since version 8.14.
    #[must_use]
    pub fn has_dot_segments(&self) -> bool {
        self.path().split('/').any(is_dots)
    }

    /// The same without such segments: what fetchurl asks for.
    ///
    /// ```
    /// # use buildproxy::inventory::Url;
    /// let url = Url::parse("https://example.org/a/../b/%2e/c?d=/../e")?;
    /// assert_eq!(url.without_dot_segments().as_str(), "https://example.org/b/c?d=/../e");
    /// # Ok::<(), buildproxy::inventory::UrlError>(())
    /// ```
    #[must_use]
    pub fn without_dot_segments(&self) -> Cow<'_, Self> {
        if !self.has_dot_segments() {
            return Cow::Borrowed(self);
        }
        let target = without_dot_segments(self.path_and_query());
        Cow::Owned(Self::assemble(self.scheme, self.host(), self.port, &target))
    }

    /// The same without secrets in path and query; borrowed where it has none. It is what an
    /// inventory has, and what is looked up in one where this is not found.
    ///
    /// ```
    /// # use buildproxy::inventory::Url;
    /// let url = Url::parse("https://example.org/a?v=1&token=abc")?;
    /// assert_eq!(url.without_secrets().as_str(), "https://example.org/a?v=1");
    /// assert_eq!(url.to_string(), "https://example.org/a?v=1");
    /// # Ok::<(), buildproxy::inventory::UrlError>(())
    /// ```
    #[must_use]
    pub fn without_secrets(&self) -> Cow<'_, Self> {
        match secrets::of_target(self.path_and_query()) {
            Some(target) => {
                Cow::Owned(Self::assemble(self.scheme, self.host(), self.port, &target))
            }
            None => Cow::Borrowed(self),
        }
    }

    fn host_start(&self) -> usize {
        self.scheme.name().len() + "://".len()
    }
}

/// The URLs that fetchurl tries after its first, but for those that only nixpkgs understands, such as
/// `mirror://…`.
pub(crate) fn mirrors(urls: &[String]) -> Result<Vec<Url>, UrlError> {
    let known = |url: &String| match Url::parse(url) {
        Err(UrlError::OtherScheme { .. }) => None,
        read => Some(read),
    };
    urls.iter().filter_map(known).collect()
}

/// The scheme of a URL with which there is nothing peculiar, and where its path starts.
fn plain_parts(text: &str) -> Option<(Scheme, usize)> {
    let (scheme, rest) = match text.strip_prefix("https://") {
        Some(rest) => (Scheme::Https, rest),
        None => (Scheme::Http, text.strip_prefix("http://")?),
    };
    let (host, target) = rest.split_at(rest.find('/')?);
    let plain = is_plain_host(host) && is_plain_target(target);
    plain.then_some((scheme, text.len() - target.len()))
}

/// Whether a host is a name in the one spelling that there is of it: neither an address, nor to be decoded.
fn is_plain_host(host: &str) -> bool {
    let of_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let (_, last) = host.rsplit_once('.').unwrap_or(("", host));
    host.bytes().all(of_name)
        && last.starts_with(|first: char| first.is_ascii_lowercase())
        && !host.contains("xn--")
}

/// Whether path and query are such as can be sent, and nothing else.
fn is_plain_target(target: &str) -> bool {
    // Without a way out of the loop, sixteen of them are compared at once.
    let unsendable = |byte: u8| !byte.is_ascii_graphic() || b"#\"<>`".contains(&byte);
    let any = target
        .bytes()
        .fold(false, |any, byte| any | unsendable(byte));
    target.starts_with('/') && !any
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Host and port; the port is empty where there is none.
fn split_port(authority: &str) -> (&str, &str) {
    let after_address = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_address..].find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at(after_address + colon);
            (host, &port[1..])
        }
        None => (authority, ""),
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Url {
    type Error = UrlError;

    fn try_from(text: String) -> Result<Self, UrlError> {
        Self::parse(&text)
    }
}

impl From<Url> for String {
    fn from(url: Url) -> Self {
        url.text
    }
}

impl AsRef<str> for Url {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// Without secrets.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.without_secrets().as_str())
    }
}

/// Without secrets.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({:?})", self.without_secrets().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn host_and_scheme_have_one_spelling() {
        for (given, wanted) in [
            ("HTTP://Example.ORG", "http://example.org/"),
            ("https://example.org:443/", "https://example.org/"),
            ("http://example.org:80?q", "http://example.org/?q"),
            ("http://example.org:443/", "http://example.org:443/"),
            ("http://example.org:/", "http://example.org/"),
            ("http://example.org:08080/", "http://example.org:8080/"),
            ("http://[0:0::1]:8080/x", "http://[::1]:8080/x"),
            ("http://[2001:DB8::A]/x", "http://[2001:db8::a]/x"),
            ("http://127.0.0.1/x", "http://127.0.0.1/x"),
            (
                "https://bücher.example/x",
                "https://xn--bcher-kva.example/x",
            ),
            ("https://a_b.example.org/x", "https://a_b.example.org/x"),
            ("https://example.org#frag", "https://example.org/"),
            ("https://example.org/a#frag?x", "https://example.org/a"),
        ] {
            assert_eq!(url(given).as_str(), wanted, "{given}");
        }
    }

    #[test]
    fn path_and_query_stay_verbatim() {
        for tail in [
            "/",
            "//",
            "/a//b",
            "/../x/./y",
            "/%2f%2F%zz",
            "/a?",
            "/a??b=c&d=/../",
            "/${HOME}\"\\''{}[]|^?`^|\\{}[]'",
            "/ünï?ö",
            "/a:b@c",
        ] {
            let text = format!("https://example.org{tail}");
            assert_eq!(url(&text).as_str(), text);
            assert_eq!(url(&text).path_and_query(), tail);
        }
    }

    #[test]
    fn what_libraries_do_not_send_is_encoded() {
        for (tail, wanted) in [
            (
                "/a\"b<c>d`e?f\"g<h>i`j",
                "/a\"b%3Cc%3Ed%60e?f%22g%3Ch%3Ei`j",
            ),
            ("/%3C<?%22\"", "/%3C%3C?%22%22"),
            ("/ü<?é\"", "/ü%3C?é%22"),
        ] {
            let given = url(&format!("https://example.org{tail}"));
            assert_eq!(given.path_and_query(), wanted);
            assert_eq!(
                url("https://example.org/x")
                    .join(&tail.replace(['ü', 'é'], ""))
                    .unwrap()
                    .path_and_query(),
                wanted.replace(['ü', 'é'], "")
            );
        }
    }

    #[test]
    fn dot_segments_are_found_and_taken_out() {
        for (path, wanted) in [
            ("/a/../b", "/b"),
            ("/a/./b", "/a/b"),
            ("/../x", "/x"),
            ("/a/..", "/"),
            ("/a/.", "/a/"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e/b", "/b"),
            ("/a/%2e/b?c=/../d", "/a/b?c=/../d"),
            ("/a//../b", "/a/b"),
        ] {
            let dotted = url(&format!("https://example.org{path}"));
            assert!(dotted.has_dot_segments(), "{path}");
            assert_eq!(
                dotted.without_dot_segments().path_and_query(),
                wanted,
                "{path}"
            );
        }
        for path in [
            "/",
            "/a",
            "/...",
            "/.a",
            "/a..",
            "/%2e%2e%2e",
            "/a?b=/../c",
            "/..%2fa",
        ] {
            let plain = url(&format!("https://example.org{path}"));
            assert!(!plain.has_dot_segments(), "{path}");
            assert!(matches!(plain.without_dot_segments(), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn parts() {
        let url = url("http://[::1]:8080/a/b?c");
        assert_eq!(url.scheme(), Scheme::Http);
        assert_eq!(url.host(), "[::1]");
        assert_eq!(url.port(), 8080);
        assert_eq!(url.authority(), "[::1]:8080");
        assert_eq!(url.path(), "/a/b");
        assert_eq!(url.path_and_query(), "/a/b?c");
    }

    #[test]
    fn what_is_no_url_of_ours_is_refused() {
        type Check = fn(&UrlError) -> bool;
        let cases: &[(&str, Check)] = &[
            ("", |e| matches!(e, UrlError::NotAbsolute { .. })),
            ("/a", |e| matches!(e, UrlError::NotAbsolute { .. })),
            ("example.org/a", |e| {
                matches!(e, UrlError::NotAbsolute { .. })
            }),
            ("ftp://example.org/", |e| {
                matches!(e, UrlError::OtherScheme { .. })
            }),
            ("https://", |e| matches!(e, UrlError::Host { .. })),
            ("https:///a", |e| matches!(e, UrlError::Host { .. })),
            ("https://[::1/a", |e| matches!(e, UrlError::Host { .. })),
            ("https://a\\b/", |e| matches!(e, UrlError::Host { .. })),
            ("https://example.org:x/", |e| {
                matches!(e, UrlError::Port { .. })
            }),
            ("https://example.org:+1/", |e| {
                matches!(e, UrlError::Port { .. })
            }),
            ("https://example.org:65536/", |e| {
                matches!(e, UrlError::Port { .. })
            }),
            ("https://example.org/a b", |e| {
                matches!(e, UrlError::Whitespace { .. })
            }),
            (" https://example.org/", |e| {
                matches!(e, UrlError::NotAbsolute { .. })
            }),
            ("https://example.org/\u{7f}", |e| {
                matches!(e, UrlError::Whitespace { .. })
            }),
            ("https://example.org/\0", |e| {
                matches!(e, UrlError::Whitespace { .. })
            }),
        ];
        for (text, check) in cases {
            let error = Url::parse(text).unwrap_err();
            assert!(check(&error), "{text}: {error:?}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        for text in [
            "https://user:hunter2@example.org/",
            "https://hunter2@example.org",
            "https://user:hunter2 @example.org/",
            "ftp://user:hunter2@example.org/",
            "//user:hunter2@example.org/",
            "https://user:hunter2/3@example.org/",
            "https://a:b/?token=hunter2",
            "https://a\\b/?v=1&sig=hunter2",
            "https://example.org/a b?token=hunter2",
            "/a?token=hunter2",
            "ftp://example.org/?token=hunter2",
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        let error = url("https://example.org/").join("x:a?token=hunter2");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        let secret = url("http://[::1]:8080/a?token=hunter2&b");
        assert_eq!(secret.to_string(), "http://[::1]:8080/a?b");
        assert_eq!(format!("{secret:?}"), "Url(\"http://[::1]:8080/a?b\")");
        assert!(secret.as_str().contains("hunter2"));
        assert_eq!(
            secret.without_secrets().into_owned(),
            url("http://[::1]:8080/a?b")
        );
    }

    #[test]
    fn references_resolve_as_in_rfc_3986() {
        // §5.4, without those that keep a fragment or another scheme.
        let base = url("http://a/b/c/d;p?q");
        for (reference, wanted) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            (
                "https://user:pw@Other.example:443/x//y#z",
                "https://other.example/x//y",
            ),
            ("/a b\"ü", "http://a/a%20b\"%C3%BC"),
            ("/x?u=http://b/", "http://a/x?u=http://b/"),
        ] {
            assert_eq!(
                base.join(reference).unwrap().as_str(),
                wanted,
                "{reference}"
            );
        }
        assert!(base.join("mailto:a@example.org").is_err());
        assert!(base.join("http:g").is_err());
        assert!(base.join("file:///etc/passwd").is_err());
    }

    proptest! {
        #[test]
        fn spellings_of_one_url_are_one_key_and_paths_are_verbatim(
            host in "[a-z][a-z0-9-]{0,8}[a-z0-9](\\.[a-z]{2,4})?",
            paths in prop::collection::vec("(/[a-zA-Z0-9%.~+\"${}-]{0,3}){0,3}(\\?[a-z=&?/]{0,4})?", 2),
        ) {
            let [one, other] = [&paths[0], &paths[1]].map(|path| url(&format!("https://{host}{path}")));
            let loud = url(&format!("HTTPS://{}:443{}#top", host.to_uppercase(), paths[0]));
            prop_assert_eq!(&one, &loud);
            let sent = |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
            prop_assert_eq!(one.path_and_query(), sent(&paths[0]));
            prop_assert_eq!(one == other, sent(&paths[0]) == sent(&paths[1]));
            for elsewhere in ["http://", "https://a."] {
                prop_assert_ne!(&one, &url(&format!("{elsewhere}{host}{}", paths[0])));
            }
            prop_assert_ne!(&one, &url(&format!("https://{host}:80{}", paths[0])));
        }

        #[test]
        fn a_plain_host_is_what_the_whatwg_makes_of_it(host in "[a-z0-9.-]{1,12}|[a-z0-9.-]{60,80}") {
            if is_plain_host(&host) {
                prop_assert_eq!(::url::Host::parse(&host).unwrap().to_string(), host);
            }
        }

        #[test]
        fn parts_are_the_url_of_their_text(
            host in "[a-zA-Z0-9.-]{1,6}|\\[::1\\]",
            port: u16,
            target in "/[a-z#?% é]{0,4}",
        ) {
            let text = format!("https://{host}:{port}{target}");
            prop_assert_eq!(Url::of_parts(Scheme::Https, &host, port, &target), Url::parse(&text));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(https?://)?\\PC*") {
            if let Ok(url) = Url::parse(&text) {
                prop_assert_eq!(&Url::parse(url.as_str()).unwrap(), &url);
                let sent: http::uri::PathAndQuery = url.path_and_query().parse().unwrap();
                prop_assert_eq!(sent.as_str(), url.path_and_query());
            }
        }

        #[test]
        fn any_reference_resolves_or_is_refused(reference in any::<String>()) {
            if let Ok(url) = url("https://example.org/a/b?c").join(&reference) {
                prop_assert_eq!(&Url::parse(url.as_str()).unwrap(), &url);
            }
        }
    }
}
