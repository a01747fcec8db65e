//! Which headers go upstream, which come back to the client, and which are recorded.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        self, ACCEPT_ENCODING, ACCEPT_RANGES, ALT_SVC, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE,
        HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
    },
};

use crate::{
    inventory::{
        Headers, is_hop_by_hop,
        secrets::{is_secret_header, without_secrets},
    },
    visible::is_hidden,
};

/// Those that say nothing of the body, and would change with each capture: dates, traces, caches on
/// the way, secrets, and what only browsers read.
const NOISE: [&str; 37] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "alt-svc",
    "content-security-policy",
    "content-security-policy-report-only",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "expires",
    "nel",
    "origin-trial",
    "permissions-policy",
    "priority",
    "referrer-policy",
    "report-to",
    "reporting-endpoints",
    "server",
    "server-timing",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "timing-allow-origin",
    "traceparent",
    "tracestate",
    "via",
    "warning",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-powered-by",
    "x-xss-protection",
];

/// The same, by the start of the name.
const NOISE_PREFIXES: [&str; 15] = [
    "cf-",
    "fastly-",
    "x-amz-",
    "x-azure-",
    "x-b3-",
    "x-cache",
    "x-correlation-id",
    "x-envoy-",
    "x-fastly-",
    "x-github-request-id",
    "x-ratelimit-",
    "x-request-id",
    "x-runtime",
    "x-served-by",
    "x-timer",
];

/// The headers that are sent upstream for a client's request.
///
/// The whole is asked for, without conditions and without compression: what of it the client gets is
/// decided here (see [`crate::proxy::answer`]).
pub(super) fn upstream(method: &Method, of_client: &HeaderMap) -> HeaderMap {
    let mut headers = end_to_end(of_client);
    headers.remove(HOST);
    headers.remove(CONTENT_LENGTH);
    headers.remove(header::EXPECT);
    if matches!(*method, Method::GET | Method::HEAD) {
        for condition in [
            IF_MATCH,
            IF_NONE_MATCH,
            IF_MODIFIED_SINCE,
            IF_UNMODIFIED_SINCE,
            IF_RANGE,
            RANGE,
        ] {
            headers.remove(condition);
        }
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

/// The headers that the client gets of upstream's response.
pub(super) fn client(status: StatusCode, of_upstream: &HeaderMap) -> HeaderMap {
    let mut headers = end_to_end(of_upstream);
    // An alternative service would be a way around the proxy.
    for name in [CONTENT_LENGTH, ACCEPT_RANGES, ALT_SVC] {
        headers.remove(name);
    }
    // Parts of a whole are made here; a part that nobody asked for stays one.
    if status == StatusCode::OK {
        headers.remove(CONTENT_RANGE);
    }
    headers
}

/// The headers that are recorded of what the client got, without secrets. A value that is not UTF-8 is
/// Latin-1, as it once was by standard (RFC 9110, section 5.5); as text it is given in UTF-8 from then
/// on. Text that cannot be seen is left out.
pub(super) fn recorded(of_client: &HeaderMap) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in of_client {
        if is_noise(name) || is_secret_header(name.as_str()) {
            continue;
        }
        let text = match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => text.to_owned(),
            Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
        };
        if text.contains(|c| is_hidden(c) && c != '\t') {
            tracing::debug!("the header '{name}' is not recorded: it has hidden characters");
            continue;
        }
        if let Err(error) = headers.append(name.as_str(), &without_secrets(&text)) {
            tracing::debug!("the header '{name}' is not recorded: {error}");
        }
    }
    headers
}

/// Whether a header would change with each capture, and says nothing of the body.
pub(super) fn is_noise(name: &HeaderName) -> bool {
    let name = name.as_str();
    NOISE.contains(&name) || NOISE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named = headers.get_all(CONNECTION).iter();
    let named: Vec<String> = named
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let of_hop = is_hop_by_hop(name.as_str()) || named.iter().any(|n| n == name.as_str());
        if !of_hop {
            kept.append(name, value.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn what_is_between_neighbours_stays_there() {
        let headers = map(&[
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("proxy-authorization", "Basic c2VjcmV0"),
            ("accept", "*/*"),
            ("range", "bytes=0-1"),
            ("if-none-match", "\"a\""),
            ("accept-encoding", "gzip"),
        ]);
        let expected = map(&[("accept", "*/*"), ("accept-encoding", "identity")]);
        assert_eq!(upstream(&Method::GET, &headers), expected);
    }

    #[test]
    fn a_put_keeps_its_condition() {
        let headers = upstream(&Method::PUT, &map(&[("if-match", "\"a\"")]));
        assert!(headers.contains_key("if-match"));
    }

    #[test]
    fn noise_and_cookies_are_not_recorded() {
        let headers = recorded(&map(&[
            ("content-type", "text/plain"),
            ("set-cookie", "session=secret"),
            ("date", "now"),
            ("x-auth-token", "s3cr3t"),
            ("location", "https://me:s3cr3t@a/?b=1&token=s3cr3t"),
            ("x-cache-hits", "1"),
            ("link", "<a>; rel=next"),
            ("link", "<b>; rel=last"),
        ]));
        let recorded: Vec<_> = headers.iter().collect();
        assert_eq!(
            recorded,
            [
                ("content-type", "text/plain"),
                ("link", "<a>; rel=next"),
                ("link", "<b>; rel=last"),
                ("location", "https://a/?b=1"),
            ]
        );
    }

    #[test]
    fn what_cannot_be_seen_is_not_recorded() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-c1", "\u{9b}31m"),
            ("x-bidi", "\u{202e}"),
            ("x-tab", "a\tb"),
        ] {
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let recorded = recorded(&headers);
        assert_eq!(recorded.iter().collect::<Vec<_>>(), [("x-tab", "a\tb")]);
    }
}
