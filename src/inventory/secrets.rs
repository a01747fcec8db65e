//! What is never written down, and how it is taken out of URLs and of texts that hold URLs.
//!
//! A URL is often a credential: whoever has a presigned link can fetch what is behind it, and whoever
//! has a link with `?token=` in it can do more. An inventory is committed, a log is pasted into an
//! issue. So what the tables below name goes nowhere but upstream. With a signature goes what changes
//! together with it, such as its expiry, for the rest is what two captures of one build have in common.
//!
//! What is found is what stands in a query, in a fragment, or before an `@`. A secret that is a part
//! of a path looks like any other path, and stays.
//!
//! Sources: AWS Signature Version 4 "query parameters"; Google Cloud Storage "signed URLs"; Azure
//! Storage "service SAS"; `CloudFront` "signed URLs using a custom policy"; RFC 6750 §2.3 (the
//! parameter `access_token`); RFC 3986 §3.2.1 (userinfo); the documentation of each service that a rule names.

use std::borrow::Cow;

use Kind::{Random, Secret, With};

/// When a parameter is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Always.
    Secret,
    /// Where its value looks as if it was made by chance: the name has other meanings as well.
    Random,
    /// Where one of these is there too: it changes with it, or describes it.
    With(&'static [&'static str]),
}

/// The query parameters that are secrets, in lower case, and why. One that has another name, but
/// begins as a [`TOKENS`], is a secret too.
const PARAMETERS: &[(&str, Kind, &str)] = &[
    ("x-amz-signature", Secret, "S3: the signature"),
    ("x-amz-credential", Secret, "S3: who signed"),
    ("x-amz-security-token", Secret, "S3: a session's token"),
    ("x-amz-s3session-token", Secret, "S3: a session's token"),
    ("x-amz-algorithm", With(AMZ), "S3: how it is signed"),
    ("x-amz-date", With(AMZ), "S3: when it was signed"),
    ("x-amz-expires", With(AMZ), "S3: for how long"),
    ("x-amz-signedheaders", With(AMZ), "S3: what is signed"),
    ("x-goog-signature", Secret, "Google: the signature"),
    ("x-goog-credential", Secret, "Google: who signed"),
    ("x-goog-security-token", Secret, "Google: a session's token"),
    ("x-goog-algorithm", With(GOOG), "Google: how it is signed"),
    ("x-goog-date", With(GOOG), "Google: when it was signed"),
    ("x-goog-expires", With(GOOG), "Google: for how long"),
    ("x-goog-signedheaders", With(GOOG), "Google: what is signed"),
    ("x-oss-signature", Secret, "Alibaba: the signature"),
    ("x-oss-credential", Secret, "Alibaba: who signed"),
    ("x-oss-security-token", Secret, "Alibaba: a session's token"),
    (
        "x-oss-signature-version",
        With(OSS),
        "Alibaba: how it is signed",
    ),
    ("x-oss-date", With(OSS), "Alibaba: when it was signed"),
    ("x-oss-expires", With(OSS), "Alibaba: for how long"),
    ("ossaccesskeyid", Secret, "Alibaba: who signed"),
    ("security-token", Secret, "Alibaba: a session's token"),
    ("x-obs-security-token", Secret, "Huawei: a session's token"),
    ("x-cos-security-token", Secret, "Tencent: a session's token"),
    ("q-signature", Secret, "Tencent: the signature"),
    ("q-ak", Secret, "Tencent: who signed"),
    ("q-sign-algorithm", With(COS), "Tencent: how it is signed"),
    ("q-sign-time", With(COS), "Tencent: for how long"),
    ("q-key-time", With(COS), "Tencent: for how long"),
    ("q-header-list", With(COS), "Tencent: what is signed"),
    ("q-url-param-list", With(COS), "Tencent: what is signed"),
    (
        "signature",
        Secret,
        "CloudFront, S3 and Google, version 2: the signature",
    ),
    ("awsaccesskeyid", Secret, "S3, version 2: who signed"),
    ("accesskeyid", Secret, "Huawei: who signed"),
    (
        "googleaccessid",
        With(SIGNED),
        "Google, version 2: who signed",
    ),
    ("key-pair-id", With(SIGNED), "CloudFront: who signed"),
    ("policy", With(SIGNED), "CloudFront: what is allowed"),
    (
        "hash-algorithm",
        With(SIGNED),
        "CloudFront: how it is signed",
    ),
    (
        "expires",
        With(EXPIRING),
        "until when a signature or token is good",
    ),
    ("sig", Secret, "Azure: the signature"),
    ("se", With(SAS), "Azure: until when"),
    ("st", With(SAS), "Azure: from when"),
    ("sp", With(SAS), "Azure: what is allowed"),
    ("sv", With(SAS), "Azure: the version of the rules"),
    ("sr", With(SAS), "Azure: the kind of resource"),
    ("ss", With(SAS), "Azure: the services"),
    ("srt", With(SAS), "Azure: the kinds of resource"),
    ("spr", With(SAS), "Azure: the protocols"),
    ("sip", With(SAS), "Azure: for which addresses"),
    ("si", With(SAS), "Azure: a stored policy"),
    ("sdd", With(SAS), "Azure: the depth of a folder"),
    ("skoid", With(SAS), "Azure: whose key it is"),
    ("sktid", With(SAS), "Azure: whose key it is"),
    ("skt", With(SAS), "Azure: since when the key is good"),
    ("ske", With(SAS), "Azure: until when the key is good"),
    ("sks", With(SAS), "Azure: the key's service"),
    ("skv", With(SAS), "Azure: the key's version"),
    ("saoid", With(SAS), "Azure: who asks"),
    ("suoid", With(SAS), "Azure: who asks"),
    ("scid", With(SAS), "Azure: an id for the logs"),
    ("hdnea", Secret, "Akamai: a token"),
    ("hdnts", Secret, "Akamai: a token"),
    ("hdntl", Secret, "Akamai: a token"),
    ("__token__", Secret, "Akamai: a token"),
    ("__gda__", Secret, "Akamai: a token"),
    ("bcdn_token", Secret, "Bunny: a token"),
    ("hmac", Secret, "a signature"),
    ("token", Secret, "a token, as of GitHub's raw files"),
    ("access_token", Secret, "OAuth 2, in the query"),
    ("accesstoken", Secret, "the same, in another spelling"),
    ("access-token", Secret, "the same, in another spelling"),
    ("refresh_token", Secret, "OAuth 2"),
    ("id_token", Secret, "OpenID Connect"),
    ("oauth_token", Secret, "OAuth 1"),
    ("oauth_signature", Secret, "OAuth 1"),
    ("oauth_consumer_key", Secret, "OAuth 1"),
    ("client_secret", Secret, "OAuth 2"),
    ("client_assertion", Secret, "OAuth 2"),
    ("assertion", Secret, "OAuth 2"),
    ("bearer_token", Secret, "a token"),
    ("auth_token", Secret, "a token"),
    ("authtoken", Secret, "a token"),
    ("auth-token", Secret, "a token"),
    ("x-auth-token", Secret, "a token"),
    ("x-access-token", Secret, "a token"),
    ("session_token", Secret, "a token"),
    ("deploy_token", Secret, "GitLab: a project's token"),
    ("private_token", Secret, "GitLab: a person's token"),
    ("private-token", Secret, "GitLab: a person's token"),
    ("personal_access_token", Secret, "a person's token"),
    ("job_token", Secret, "GitLab: a job's token"),
    ("ci_job_token", Secret, "GitLab: a job's token"),
    ("jwt", Secret, "a JSON web token"),
    ("api_key", Secret, "a service's key"),
    ("apikey", Secret, "the same, in another spelling"),
    ("api-key", Secret, "the same, in another spelling"),
    ("x-api-key", Secret, "the same, in another spelling"),
    ("app_key", Secret, "a service's key"),
    ("appkey", Secret, "the same, in another spelling"),
    ("access_key", Secret, "a service's key"),
    ("accesskey", Secret, "the same, in another spelling"),
    ("secret_key", Secret, "a service's key"),
    ("secretkey", Secret, "the same, in another spelling"),
    ("secret_access_key", Secret, "a service's key"),
    ("subscription-key", Secret, "Azure: a service's key"),
    (
        "license_key",
        Secret,
        "MaxMind, and others who sell downloads",
    ),
    ("licensekey", Secret, "the same, in another spelling"),
    (
        "key",
        Random,
        "Google: a service's key; elsewhere often only a name",
    ),
    ("auth", Secret, "credentials"),
    ("authorization", Secret, "Backblaze: a token"),
    ("credential", Secret, "credentials"),
    ("credentials", Secret, "credentials"),
    ("password", Secret, "a password"),
    ("passwd", Secret, "a password"),
    ("passphrase", Secret, "a password"),
    ("pass", Secret, "a password"),
    ("pwd", Secret, "a password"),
    ("secret", Secret, "a secret"),
    ("sessionid", Secret, "a session"),
    ("session_id", Secret, "a session"),
    ("jsessionid", Secret, "Java: a session"),
    ("phpsessid", Secret, "PHP: a session"),
];

const AMZ: &[&str] = &["x-amz-signature"];
const GOOG: &[&str] = &["x-goog-signature"];
const OSS: &[&str] = &["x-oss-signature"];
const COS: &[&str] = &["q-signature"];
const SAS: &[&str] = &["sig"];
const SIGNED: &[&str] = &["signature"];
const EXPIRING: &[&str] = &["signature", "sig", "hmac", "token", "auth"];

/// How tokens begin that can be told from anything else, and whose they are.
const TOKENS: &[(&str, &str)] = &[
    ("ghp_", "GitHub: a person's"),
    ("gho_", "GitHub: an application's"),
    ("ghu_", "GitHub: an application's"),
    ("ghs_", "GitHub: a job's"),
    ("ghr_", "GitHub: to get others with"),
    ("github_pat_", "GitHub: a person's"),
    ("glpat-", "GitLab: a person's"),
    ("gldt-", "GitLab: a project's"),
    ("glcbt-", "GitLab: a job's"),
    ("npm_", "npm"),
    ("pypi-", "PyPI"),
    ("xoxb-", "Slack"),
    ("AIza", "Google: a service's key"),
    ("eyJ", "a JSON web token"),
];

/// URLs are looked for so deep within URLs.
const NESTING: u8 = 3;

/// A value of fewer characters is no token.
const TOKEN_LENGTH: usize = 20;

/// Headers whose values are secrets, in lower case: of requests, and what a server answers to them.
const HEADERS: &[&str] = &[
    "api-key",
    "authentication-info",
    "authorization",
    "cookie",
    "cookie2",
    "job-token",
    "private-token",
    "proxy-authentication-info",
    "proxy-authorization",
    "set-cookie",
    "set-cookie2",
    "x-access-token",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-goog-api-key",
    "x-jfrog-art-api",
    "x-session-id",
    "x-session-token",
    "x-subject-token",
    "x-vault-token",
    "x-xsrf-token",
];

/// Whether a header, its name given in lower case, holds a secret.
#[must_use]
pub fn is_secret_header(name: &str) -> bool {
    HEADERS.contains(&name)
}

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
pub(super) fn of_target(path_and_query: &str) -> Option<String> {
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
        let ends = |c: char| "/?#&<>\"".contains(c) || c.is_whitespace();
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
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
        let end = rest.find(separates).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        in_query = match separator {
            Some('?' | '#') => true,
            Some('&' | ';') | None => in_query,
            Some(_) => false,
        };
        // Some write `/download&token=…`.
        let name = (in_query || separator == Some('&'))
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

/// Whether a parameter is a secret, among others of these `names`.
fn is_secret(name: &str, value: &str, names: &[&str], nesting: u8) -> bool {
    if value.is_empty() {
        return false;
    }
    let rule = PARAMETERS.iter().find(|(known, ..)| *known == name);
    let by_name = rule.is_some_and(|(_, kind, _)| match kind {
        Secret => true,
        Random => is_random(value),
        With(others) => others.iter().any(|other| names.contains(other)),
    });
    by_name || is_token(value) || holds_secret(value, nesting)
}

fn is_token(value: &str) -> bool {
    value.len() >= TOKEN_LENGTH && TOKENS.iter().any(|(start, _)| value.starts_with(start))
}

/// Whether a value has all of what chance would give it, as a name or the fingerprint of a key has not.
fn is_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    value.len() >= TOKEN_LENGTH
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
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
            "/a?to=git+ssh://git@example.org/x",
            "/web/https://example.org/@scope/a",
            "/a?tokens=1&mytoken=2",
            "/a?b=100%",
        ] {
            assert_eq!(of_target(given), None, "{given}");
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

    #[test]
    fn the_tables_are_in_lower_case_and_name_each_thing_once() {
        for (index, (name, kind, why)) in PARAMETERS.iter().enumerate() {
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(!why.is_empty());
            assert!(
                PARAMETERS[..index].iter().all(|(other, ..)| other != name),
                "{name}"
            );
            if let With(others) = kind {
                for other in *others {
                    let there = PARAMETERS.iter().find(|(known, ..)| known == other);
                    assert!(there.is_some_and(|(_, kind, _)| *kind == Secret), "{other}");
                }
            }
        }
        assert!(HEADERS.is_sorted());
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
