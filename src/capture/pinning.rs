//! Decides whether a body can be a pin.
//!
//! nixpkgs' fetchurl makes a plain GET, follows redirects, and sends no header that means anything.
//! An entry is a pin where this gives the bytes that the client got. For most exchanges that follows
//! from the request; where a header could have changed the answer, only a second, plain fetch tells:
//! servers negotiate without saying so in Vary.

use std::fmt;

use globset::GlobSet;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, COOKIE, PRAGMA, REFERER, USER_AGENT,
    },
};

use super::{Outcome, Upstream, drift, fetch::fetch_hash};
use crate::{
    bodies::CachedBody,
    inventory::{Sri, Url},
    report::chain,
};

/// Why a body is vendored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The person wants it.
    Asked,
    /// Asked for with another method than GET.
    Method(Method),
    /// Not an answer of status 200, which fetchurl takes for a failure.
    Status(u16),
    /// Asked for with credentials, and not given without.
    Credentials,
    /// It will be another one soon.
    Drifts(&'static str),
    /// The URL holds a secret, and without it gives something else, or nothing.
    SecretUrl,
    /// A plain GET gives other bytes.
    Negotiated,
    /// A plain GET gives nothing.
    Unfetchable(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("as --vendor says"),
            Self::Method(method) => write!(f, "the answer to a {method}"),
            Self::Status(status) => write!(f, "an answer with status {status}"),
            Self::Credentials => f.write_str("not given without credentials"),
            Self::Drifts(why) => write!(f, "it drifts: {why}"),
            Self::SecretUrl => f.write_str("its URL holds a secret"),
            Self::Negotiated => f.write_str("a plain GET gives other bytes"),
            Self::Unfetchable(why) => write!(f, "a plain GET fails: {why}"),
        }
    }
}

/// Whether a doubtful pin is fetched a second time, to see that it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is.
    Fetch,
    /// It is taken for granted.
    Skip,
}

/// How it is decided what is pinned.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What becomes of doubts.
    pub proof: Proof,
    /// URLs that are pinned, if a GET gave them, whatever speaks against it.
    pub pin: GlobSet,
    /// URLs that are vendored in any case.
    pub vendor: GlobSet,
}

/// An exchange, so far as it matters here.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) method: Method,
    /// What the client asked for.
    pub(super) url: Url,
    /// What a pin would fetch: the same, or the URL that redirected there; without secrets.
    pub(super) source: Url,
    /// Whether there were secrets in it.
    pub(super) secret: bool,
    /// The headers that went upstream.
    pub(super) sent: HeaderMap,
    /// Whether a body went there as well.
    pub(super) has_body: bool,
    pub(super) status: StatusCode,
    /// The headers that came back.
    pub(super) received: HeaderMap,
}

/// What can be said of a body from its exchange alone.
#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    /// A plain GET was made, and gave it.
    Pin,
    /// A plain GET may give something else; this would be why.
    Doubt(Reason),
    /// A plain GET does not give it, now or soon.
    Vendor(Reason),
}

/// Headers that no download depends on.
const HARMLESS: [HeaderName; 5] = [USER_AGENT, ACCEPT_ENCODING, CACHE_CONTROL, PRAGMA, REFERER];

impl Policy {
    /// What becomes of a body. Where there is a doubt, it is fetched again.
    pub(super) async fn decide(
        &self,
        upstream: &Upstream,
        evidence: &Evidence,
        body: CachedBody,
    ) -> Outcome {
        match self.judge(evidence) {
            Judgement::Pin => Outcome::Pinned(body),
            Judgement::Vendor(reason) => Outcome::Vendored(body, reason),
            Judgement::Doubt(doubt @ (Reason::Credentials | Reason::SecretUrl))
                if self.proof == Proof::Skip =>
            {
                Outcome::Vendored(body, doubt)
            }
            Judgement::Doubt(_) if self.proof == Proof::Skip => Outcome::Pinned(body),
            Judgement::Doubt(doubt) => match prove(upstream, &evidence.source, &body.hash).await {
                Ok(()) => Outcome::Pinned(body),
                Err(_) if matches!(doubt, Reason::Credentials | Reason::SecretUrl) => {
                    Outcome::Vendored(body, doubt)
                }
                Err(reason) => Outcome::Vendored(body, reason),
            },
        }
    }

    fn judge(&self, evidence: &Evidence) -> Judgement {
        let Evidence {
            method,
            url,
            source,
            secret,
            sent,
            has_body,
            status,
            received,
        } = evidence;
        if method != Method::GET {
            return Judgement::Vendor(Reason::Method(method.clone()));
        }
        if *status != StatusCode::OK {
            return Judgement::Vendor(Reason::Status(status.as_u16()));
        }
        if self.vendor.is_match(url.as_str()) {
            return Judgement::Vendor(Reason::Asked);
        }
        if self.pin.is_match(url.as_str()) {
            return Judgement::Pin;
        }
        if let Some(why) = drift::reason(url, sent, received) {
            return Judgement::Vendor(Reason::Drifts(why));
        }
        if *secret {
            return Judgement::Doubt(Reason::SecretUrl);
        }
        if sent.contains_key(AUTHORIZATION) || sent.contains_key(COOKIE) {
            return Judgement::Doubt(Reason::Credentials);
        }
        let harmless = |(name, value): (&HeaderName, &HeaderValue)| {
            HARMLESS.contains(name) || (name == ACCEPT && value == "*/*")
        };
        if source == url && !has_body && sent.iter().all(harmless) {
            Judgement::Pin
        } else {
            Judgement::Doubt(Reason::Negotiated)
        }
    }
}

/// Fetches `url` again as fetchurl does, and compares with the hash of what the client got.
async fn prove(upstream: &Upstream, url: &Url, expected: &Sri) -> Result<(), Reason> {
    match fetch_hash(upstream, url, expected.algorithm()).await {
        Ok(got) if got == *expected => Ok(()),
        Ok(_) => Err(Reason::Negotiated),
        Err(error) => Err(Reason::Unfetchable(chain(&error))),
    }
}

#[cfg(test)]
mod tests {
    use globset::Glob;

    use super::*;

    fn evidence(headers: &[(&'static str, &'static str)]) -> Evidence {
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            sent.insert(*name, HeaderValue::from_static(value));
        }
        let url = Url::parse("https://example.org/a-1.0.tar.gz").unwrap();
        Evidence {
            method: Method::GET,
            source: url.clone(),
            url,
            secret: false,
            sent,
            has_body: false,
            status: StatusCode::OK,
            received: HeaderMap::new(),
        }
    }

    fn policy(pin: &[&str], vendor: &[&str]) -> Policy {
        let set = |globs: &[&str]| {
            let globs = globs.iter().map(|glob| Glob::new(glob).unwrap());
            globs.fold(GlobSet::builder(), |mut set, glob| {
                set.add(glob);
                set
            })
        };
        Policy {
            proof: Proof::Fetch,
            pin: set(pin).build().unwrap(),
            vendor: set(vendor).build().unwrap(),
        }
    }

    #[test]
    fn a_plain_get_is_a_pin() {
        let plain = [
            ("accept", "*/*"),
            ("user-agent", "a"),
            ("accept-encoding", "identity"),
        ];
        assert_eq!(policy(&[], &[]).judge(&evidence(&plain)), Judgement::Pin);
    }

    #[test]
    fn what_fetchurl_would_not_get_is_vendored() {
        let policy = policy(&["*"], &[]);
        let mut post = evidence(&[]);
        post.method = Method::POST;
        assert_eq!(
            policy.judge(&post),
            Judgement::Vendor(Reason::Method(Method::POST))
        );
        let mut missing = evidence(&[]);
        missing.status = StatusCode::NOT_FOUND;
        assert_eq!(
            policy.judge(&missing),
            Judgement::Vendor(Reason::Status(404))
        );
    }

    #[test]
    fn a_header_that_may_matter_is_a_doubt() {
        for (header, doubt) in [
            (("accept", "application/json"), Reason::Negotiated),
            (("accept-language", "de"), Reason::Negotiated),
            (("x-api", "2"), Reason::Negotiated),
            (("authorization", "Bearer secret"), Reason::Credentials),
            (("cookie", "a=b"), Reason::Credentials),
        ] {
            assert_eq!(
                policy(&[], &[]).judge(&evidence(&[header])),
                Judgement::Doubt(doubt)
            );
        }
        let mut secret = evidence(&[]);
        secret.secret = true;
        let doubt = Judgement::Doubt(Reason::SecretUrl);
        assert_eq!(policy(&[], &[]).judge(&secret), doubt);
        let mut redirected = evidence(&[]);
        redirected.source = Url::parse("https://example.org/latest").unwrap();
        let doubt = Judgement::Doubt(Reason::Negotiated);
        assert_eq!(policy(&[], &[]).judge(&redirected), doubt);
    }

    #[test]
    fn the_person_overrules() {
        let mut index = evidence(&[]);
        index.url = Url::parse("https://example.org/simple/six/").unwrap();
        let globs = ["https://example.org/simple/*"];
        let drifts = Judgement::Vendor(Reason::Drifts("an index of Python packages"));
        assert_eq!(policy(&[], &[]).judge(&index), drifts);
        assert_eq!(policy(&globs, &[]).judge(&index), Judgement::Pin);
        assert_eq!(
            policy(&globs, &globs).judge(&index),
            Judgement::Vendor(Reason::Asked)
        );
    }
}
