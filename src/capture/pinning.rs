//! Decides whether a body can be a pin.
//!
//! nixpkgs' fetchurl makes a plain GET, follows redirects, and sends no header that means anything.
//! An entry is a pin where this gives the bytes that the client got. For most exchanges that follows
//! from the request; where a header could have changed the answer, only a second, plain fetch tells:
//! servers negotiate without saying so in Vary. The same where the answer looks made for the one request.

use std::{
    collections::HashSet,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clap::ValueEnum;
use globset::GlobSet;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, PRAGMA, USER_AGENT},
};
use tokio::sync::Semaphore;

use super::{Outcome, document, drift, fleeting::is_fleeting};
use crate::{
    bodies::CachedBody,
    inventory::{Url, secrets::is_secret_header},
    report::chain,
    upstream::{FetchError, Keep, Limits, Upstream, fetch},
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
    /// fetchurl's curl takes segments out of the path, and what it then fetches is something else.
    DotSegments,
    /// The URL holds a secret, and without it gives something else, or nothing.
    SecretUrl,
    /// Another tool's lock has all of it.
    Imported,
    /// The capture was ended before it was fetched again.
    Unproven,
    /// Nothing says that it is whole, and a plain GET gives other bytes, or nothing.
    Abrupt,
    /// A plain GET gives other bytes.
    Negotiated,
    /// A second plain GET gave other bytes than the first.
    Changes,
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
            Self::DotSegments => f.write_str(
                "its path has `.` or `..` in it, which fetchurl takes out, and what it fetches is something else",
            ),
            Self::SecretUrl => f.write_str("its URL holds a secret"),
            Self::Imported => f.write_str("its lock has it as text"),
            Self::Unproven => f.write_str("the capture was ended before a plain GET was tried"),
            Self::Abrupt => f.write_str(
                "the server ended the TLS connection without close_notify, so it may be a part, \
                 and a plain GET does not give the same",
            ),
            Self::Negotiated => f.write_str("a plain GET gives other bytes"),
            Self::Changes => f.write_str("it is not the same twice: a second GET gave other bytes"),
            Self::Unfetchable(why) => write!(f, "a plain GET fails: {why}"),
        }
    }
}

/// Which pins are fetched a second time, to see that they can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Proof {
    /// None of them: that they can be is taken for granted.
    None,
    /// Those about which the request or the answer gives a doubt.
    Uncertain,
    /// All of them.
    All,
}

/// So many bodies are fetched a second time at once.
const PROOFS: usize = 8;

/// How it is decided what is pinned.
#[derive(Debug)]
pub struct Policy {
    proof: Proof,
    pin: GlobSet,
    vendor: GlobSet,
    permits: Semaphore,
    /// Servers, and the User-Agents that have been seen to make no difference there.
    harmless_agents: Mutex<HashSet<Agent>>,
}

/// The server of a URL, and a User-Agent.
type Agent = (String, HeaderValue);

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
    /// Whether its connection ended in a way that may have cut it.
    pub(super) abrupt: bool,
    /// The length that upstream said.
    pub(super) length: Option<u64>,
}

/// What can be said of a body from its exchange alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// A plain GET was made, and gave it.
    Pin,
    /// A plain GET may give something else.
    Doubt(Doubt),
    /// A plain GET does not give it, now or soon.
    Vendor(Reason),
}

/// Why a plain GET may give something else.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// There is something that speaks against it, and is the reason to vendor it unless a second fetch gives the
    /// same: credentials, a secret in the URL, an end that may have come too early.
    Grave(Reason),
    /// There was something else that servers may go by.
    Request,
    /// Nothing but a User-Agent that this server has not been tried with.
    Agent(Agent),
    /// A plain GET was made, and its answer may have been made for it; or the person has doubts.
    Answer,
}

/// Headers that no download depends on.
const HARMLESS: [HeaderName; 3] = [ACCEPT_ENCODING, CACHE_CONTROL, PRAGMA];

impl Policy {
    /// A GET of a URL that matches `pin` is pinned, whatever speaks against it; a URL that matches
    /// `vendor` is vendored in any case.
    #[must_use]
    pub fn new(proof: Proof, pin: GlobSet, vendor: GlobSet) -> Self {
        Self {
            proof,
            pin,
            vendor,
            permits: Semaphore::new(PROOFS),
            harmless_agents: Mutex::default(),
        }
    }

    /// What becomes of a body, and the doubt where only a second fetch can tell. Until then it is
    /// vendored.
    pub(super) fn decide(&self, evidence: &Evidence, body: CachedBody) -> (Outcome, Option<Doubt>) {
        let mut judgement = self.judge(evidence);
        let Evidence { url, received, .. } = evidence;
        if !matches!(judgement, Judgement::Vendor(_))
            && !self.pin.is_match(url.as_str())
            && let Some(why) = document::reason(url, received, &body.path)
        {
            judgement = Judgement::Vendor(Reason::Drifts(why));
        }
        match (judgement, self.proof) {
            (Judgement::Vendor(reason), _)
            | (Judgement::Doubt(Doubt::Grave(reason)), Proof::None) => {
                (Outcome::Vendored(body, reason), None)
            }
            (Judgement::Pin, _) | (Judgement::Doubt(_), Proof::None) => {
                (Outcome::Pinned(body.hash), None)
            }
            (Judgement::Doubt(doubt), Proof::Uncertain | Proof::All) => {
                (Outcome::Vendored(body, Reason::Unproven), Some(doubt))
            }
        }
    }

    /// Settles a doubt: fetches the body again as fetchurl does.
    pub(super) async fn prove(
        &self,
        upstream: &Upstream,
        evidence: &Evidence,
        doubt: Doubt,
        body: CachedBody,
        stall: Duration,
    ) -> Outcome {
        // It is never closed.
        let _permit = self.permits.acquire().await;
        match (prove(upstream, &evidence.source, &body, stall).await, doubt) {
            (Ok(()), doubt) => {
                if let Doubt::Agent(agent) = doubt {
                    self.agents().insert(agent);
                }
                Outcome::Pinned(body.hash)
            }
            (Err(Reason::Negotiated), Doubt::Answer) => Outcome::Vendored(body, Reason::Changes),
            (Err(_), Doubt::Grave(reason))
            | (Err(reason), Doubt::Request | Doubt::Agent(_) | Doubt::Answer) => {
                Outcome::Vendored(body, reason)
            }
        }
    }

    fn agents(&self) -> MutexGuard<'_, HashSet<Agent>> {
        self.harmless_agents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
            abrupt,
            length,
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
        let has_dots = url.has_dot_segments();
        if self.pin.is_match(url.as_str()) && !has_dots {
            return Judgement::Pin;
        }
        if let Some(why) = drift::reason(url, sent, received) {
            return Judgement::Vendor(Reason::Drifts(why));
        }
        if has_dots {
            return Judgement::Doubt(Doubt::Grave(Reason::DotSegments));
        }
        if *secret {
            return Judgement::Doubt(Doubt::Grave(Reason::SecretUrl));
        }
        if *abrupt {
            return Judgement::Doubt(Doubt::Grave(Reason::Abrupt));
        }
        if sent.keys().any(|name| is_secret_header(name.as_str())) {
            return Judgement::Doubt(Doubt::Grave(Reason::Credentials));
        }
        let harmless = |(name, value): (&HeaderName, &HeaderValue)| {
            HARMLESS.contains(name) || name == USER_AGENT || (name == ACCEPT && value == "*/*")
        };
        if source != url || *has_body || !sent.iter().all(harmless) {
            return Judgement::Doubt(Doubt::Request);
        }
        // fetchurl is a curl.
        let another = sent.get(USER_AGENT);
        let another = another.filter(|agent| !agent.as_bytes().starts_with(b"curl/"));
        if let Some(agent) = another {
            let agent = (url.authority().to_owned(), agent.clone());
            if !self.agents().contains(&agent) {
                return Judgement::Doubt(Doubt::Agent(agent));
            }
        }
        if self.proof == Proof::All || is_fleeting(received, *length) {
            return Judgement::Doubt(Doubt::Answer);
        }
        Judgement::Pin
    }
}

/// Fetches `url` again as fetchurl does, and compares with the hash of what the client got.
async fn prove(
    upstream: &Upstream,
    url: &Url,
    expected: &CachedBody,
    stall: Duration,
) -> Result<(), Reason> {
    let limits = Limits {
        stall,
        // With more bytes, they are others.
        longest: Some(expected.length),
    };
    let algorithm = expected.hash.algorithm();
    match fetch(upstream, url, algorithm, Keep::No, limits).await {
        Ok(got) if got.hash == expected.hash => Ok(()),
        Ok(_) | Err(FetchError::TooLong { .. }) => Err(Reason::Negotiated),
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
            abrupt: false,
            length: Some(1),
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
        let [pin, vendor] = [pin, vendor].map(|globs| set(globs).build().unwrap());
        Policy::new(Proof::Uncertain, pin, vendor)
    }

    #[test]
    fn a_plain_get_is_a_pin() {
        let plain = [
            ("accept", "*/*"),
            ("user-agent", "curl/8.0"),
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
    fn fetchurl_gets_something_else_for_dots_or_does_not() {
        for dotted in ["https://example.org/a/../b", "https://example.org/%2e/b"] {
            let mut evidence = evidence(&[]);
            evidence.url = Url::parse(dotted).unwrap();
            evidence.source = evidence.url.without_dot_segments().into_owned();
            let doubt = Judgement::Doubt(Doubt::Grave(Reason::DotSegments));
            assert_eq!(policy(&["*"], &[]).judge(&evidence), doubt);
        }
    }

    #[test]
    fn a_header_that_may_matter_is_a_doubt() {
        for (header, doubt) in [
            (("accept", "application/json"), Doubt::Request),
            (("accept-language", "de"), Doubt::Request),
            (("referer", "https://example.org/"), Doubt::Request),
            (("x-api", "2"), Doubt::Request),
            (
                ("authorization", "Bearer secret"),
                Doubt::Grave(Reason::Credentials),
            ),
            (("cookie", "a=b"), Doubt::Grave(Reason::Credentials)),
            (("x-api-key", "secret"), Doubt::Grave(Reason::Credentials)),
        ] {
            assert_eq!(
                policy(&[], &[]).judge(&evidence(&[header])),
                Judgement::Doubt(doubt)
            );
        }
        let mut secret = evidence(&[]);
        secret.secret = true;
        let doubt = Judgement::Doubt(Doubt::Grave(Reason::SecretUrl));
        assert_eq!(policy(&[], &[]).judge(&secret), doubt);
        let mut cut = evidence(&[]);
        cut.abrupt = true;
        let doubt = Judgement::Doubt(Doubt::Grave(Reason::Abrupt));
        assert_eq!(policy(&[], &[]).judge(&cut), doubt);
        let mut redirected = evidence(&[]);
        redirected.source = Url::parse("https://example.org/latest").unwrap();
        let doubt = Judgement::Doubt(Doubt::Request);
        assert_eq!(policy(&[], &[]).judge(&redirected), doubt);
    }

    #[test]
    fn a_server_is_tried_once_with_another_user_agent() {
        let policy = policy(&[], &[]);
        let evidence = evidence(&[("user-agent", "pip/24")]);
        let Judgement::Doubt(Doubt::Agent(agent)) = policy.judge(&evidence) else {
            panic!("it is not known yet");
        };
        policy.agents().insert(agent);
        assert_eq!(policy.judge(&evidence), Judgement::Pin);
        let mut elsewhere = evidence.clone();
        elsewhere.url = Url::parse("https://example.com/a-1.0.tar.gz").unwrap();
        elsewhere.source = elsewhere.url.clone();
        assert!(matches!(policy.judge(&elsewhere), Judgement::Doubt(_)));
    }

    #[test]
    fn an_answer_that_may_be_made_anew_is_a_doubt() {
        let policy = policy(&["*/pinned"], &[]);
        let mut evidence = evidence(&[]);
        evidence.length = None;
        assert_eq!(policy.judge(&evidence), Judgement::Doubt(Doubt::Answer));
        evidence.url = Url::parse("https://example.org/pinned").unwrap();
        assert_eq!(policy.judge(&evidence), Judgement::Pin);
    }

    #[test]
    fn all_pins_are_doubted_where_that_is_asked_for() {
        let all = Policy::new(Proof::All, GlobSet::empty(), GlobSet::empty());
        assert_eq!(all.judge(&evidence(&[])), Judgement::Doubt(Doubt::Answer));
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
