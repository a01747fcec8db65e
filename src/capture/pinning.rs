//! Decides whether a body can be a pin.
//!
//! nixpkgs' fetchurl makes a plain GET, follows redirects, and sends no header that means anything.
//! An entry is a pin where this gives the bytes that the client got. For most exchanges that follows
//! from the request; where a header could have changed the answer, only a second, plain fetch tells:
//! servers negotiate without saying so in Vary.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, COOKIE, PRAGMA, REFERER, USER_AGENT,
    },
};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

use super::upstream::{Answer, Outgoing, Upstream};
use crate::{
    inventory::{Sri, Url},
    report::chain,
};

/// Why a body is vendored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Asked for with another method than GET.
    Method(Method),
    /// Not an answer of status 200, which fetchurl takes for a failure.
    Status(u16),
    /// Asked for with credentials, which fetchurl does not have.
    Credentials,
    /// A plain GET gives other bytes.
    Negotiated,
    /// A plain GET gives nothing.
    Unfetchable(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(method) => write!(f, "the answer to a {method}"),
            Self::Status(status) => write!(f, "an answer with status {status}"),
            Self::Credentials => f.write_str("asked for with credentials"),
            Self::Negotiated => f.write_str("a plain GET gives other bytes"),
            Self::Unfetchable(why) => write!(f, "a plain GET fails: {why}"),
        }
    }
}

/// What can be said of a body from its exchange alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// A plain GET was made, and gave it.
    Pin,
    /// A header of the request may have changed the answer.
    Doubt,
    /// A plain GET does not give it.
    Vendor(Reason),
}

/// Headers that no download depends on.
const HARMLESS: [HeaderName; 5] = [USER_AGENT, ACCEPT_ENCODING, CACHE_CONTROL, PRAGMA, REFERER];

pub(super) fn judge(method: &Method, sent: &HeaderMap, status: StatusCode) -> Judgement {
    if method != Method::GET {
        return Judgement::Vendor(Reason::Method(method.clone()));
    }
    if status != StatusCode::OK {
        return Judgement::Vendor(Reason::Status(status.as_u16()));
    }
    if sent.contains_key(AUTHORIZATION) || sent.contains_key(COOKIE) {
        return Judgement::Vendor(Reason::Credentials);
    }
    let harmless = |(name, value): (&HeaderName, &HeaderValue)| {
        HARMLESS.contains(name) || (name == ACCEPT && value == "*/*")
    };
    if sent.iter().all(harmless) {
        Judgement::Pin
    } else {
        Judgement::Doubt
    }
}

/// Fetches `url` again as fetchurl does, and compares with the hash of what the client got.
pub(super) async fn prove(upstream: &Upstream, url: &Url, expected: &Sri) -> Result<(), Reason> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static("curl/8 Nixpkgs"));
    let request = Outgoing {
        method: Method::GET,
        url: url.clone(),
        headers,
        body: bytes::Bytes::new(),
    };
    let unfetchable = |error: &(dyn std::error::Error + 'static)| Reason::Unfetchable(chain(error));
    let answer = upstream.send(request).await;
    let Answer { response, .. } = answer.map_err(|error| unfetchable(&error))?;
    if response.status() != StatusCode::OK {
        return Err(Reason::Unfetchable(format!("status {}", response.status())));
    }
    let mut hasher = Sha256::new();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unfetchable(&error))?;
        if let Ok(piece) = frame.into_data() {
            hasher.update(&piece);
        }
    }
    if Sri::new_sha256(hasher.finalize().into()) == *expected {
        Ok(())
    } else {
        Err(Reason::Negotiated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(method: &Method, headers: &[(&'static str, &'static str)], status: u16) -> Judgement {
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            sent.insert(*name, HeaderValue::from_static(value));
        }
        judge(method, &sent, StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn a_plain_get_is_a_pin() {
        let plain = [
            ("accept", "*/*"),
            ("user-agent", "a"),
            ("accept-encoding", "identity"),
        ];
        assert_eq!(judged(&Method::GET, &plain, 200), Judgement::Pin);
    }

    #[test]
    fn what_fetchurl_would_not_get_is_vendored() {
        let vendored = |method, headers: &[_], status| {
            matches!(judged(method, headers, status), Judgement::Vendor(_))
        };
        assert!(vendored(&Method::POST, &[], 200));
        assert!(vendored(&Method::GET, &[], 404));
        assert!(vendored(
            &Method::GET,
            &[("authorization", "Bearer secret")],
            200
        ));
        assert!(vendored(&Method::GET, &[("cookie", "a=b")], 200));
    }

    #[test]
    fn a_header_that_may_matter_is_a_doubt() {
        for header in [
            ("accept", "application/json"),
            ("accept-language", "de"),
            ("x-api", "2"),
        ] {
            assert_eq!(judged(&Method::GET, &[header], 200), Judgement::Doubt);
        }
    }
}
