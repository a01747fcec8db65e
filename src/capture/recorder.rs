//! Keeps the record of a capture while it runs.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::{
    Reason,
    download::DownloadError,
    limits::{MAX_EXCHANGES, MAX_SKIPPED},
};
use crate::{
    bodies::CachedBody,
    inventory::{
        Condition, Headers, Sri, Url, asked_by, query::IgnoredQuery, secrets::has_credentials,
    },
    proxy::{Refusal, RequestError, body_hash},
    report::{chain, say},
    upstream::{FetchError, UpstreamError},
};

/// What of a request can make a difference to the answer.
///
/// Not the order of requests, nor User-Agent, Accept-Language or Accept-Encoding: these vary between
/// two runs of one build.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The URL, as the client asked for it, but without secrets and what does not count.
    pub url: Url,
    /// The parameters that it had and that do not count.
    pub ignore_query: IgnoredQuery,
    /// The method.
    pub method: Method,
    /// Whether credentials were sent, in a header or in the URL. Which, is nobody's business.
    pub authorization: bool,
    /// Accept, where it says more than `*/*`.
    pub accept: Option<String>,
    /// Git-Protocol.
    pub git_protocol: Option<String>,
    /// The hash of the body, where there was one.
    pub body: Option<Sri>,
}

impl Question {
    /// A GET with no header that matters.
    #[must_use]
    pub fn get(url: &Url) -> Self {
        Self::new(url, &Method::GET, &HeaderMap::new(), &Bytes::new())
    }

    /// What a request asks.
    #[must_use]
    pub fn new(url: &Url, method: &Method, headers: &HeaderMap, body: &Bytes) -> Self {
        let text = |name| asked_by(headers, name).map(ToOwned::to_owned);
        let secret = matches!(url.without_secrets(), Cow::Owned(_));
        Self {
            url: url.without_secrets().into_owned(),
            ignore_query: IgnoredQuery::default(),
            method: method.clone(),
            authorization: secret || has_credentials(headers),
            accept: text("accept"),
            git_protocol: text("git-protocol"),
            body: body_hash(headers, body),
        }
    }

    /// The same question, where these parameters do not count.
    #[must_use]
    pub fn ignoring(self, ignored: &IgnoredQuery) -> Self {
        Self {
            ignore_query: ignored.of(&self.url),
            url: ignored.without(&self.url).into_owned(),
            ..self
        }
    }

    /// How well an entry's condition fits: how much it asks for, or `None` where this has not all of it.
    #[must_use]
    pub fn fit(&self, condition: &Condition) -> Option<usize> {
        let header = |name: &str| match name {
            "accept" => self.accept.as_deref(),
            "git-protocol" => self.git_protocol.as_deref(),
            _ => None,
        };
        condition.fit(header, self.authorization, self.body.as_ref())
    }
}

/// What the client got.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked.
    pub question: Question,
    /// The URL that a pin would fetch.
    pub source: Url,
    /// The status, after redirects.
    pub status: StatusCode,
    /// The headers worth recording.
    pub headers: Headers,
    /// The body.
    pub outcome: Outcome,
    /// How many redirects were followed.
    pub redirects: usize,
}

/// What became of the body.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// There was none, because HEAD asked for none; its length in bytes, if upstream said it.
    Head(Option<u64>),
    /// A plain fetch gives bytes of this hash.
    Pinned(Sri),
    /// A plain fetch does not.
    Vendored(CachedBody, Reason),
}

impl Outcome {
    pub(super) fn hash(&self) -> Option<&Sri> {
        match self {
            Self::Head(_) => None,
            Self::Pinned(hash) => Some(hash),
            Self::Vendored(body, _) => Some(&body.hash),
        }
    }
}

/// What was asked for and is not in the record.
#[derive(Debug, thiserror::Error)]
pub enum Skipped {
    /// Upstream gave no answer.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// Upstream gave an answer that fetchurl takes for a failure, or that could not be kept.
    #[error("{url} cannot be fetched")]
    Fetch {
        /// What was asked for.
        url: Url,
        /// Why.
        #[source]
        source: FetchError,
    },
    /// Upstream's answer broke off.
    #[error("{url} is not recorded")]
    Download {
        /// What was asked for.
        url: Url,
        /// Why.
        #[source]
        source: DownloadError,
    },
    /// The client's request was not whole.
    #[error("a request for {url} is not recorded")]
    Request {
        /// What was asked for.
        url: Url,
        /// Why.
        #[source]
        source: RequestError,
    },
    /// A WebSocket cannot be recorded.
    #[error("{0} was asked for as a WebSocket, which cannot be recorded")]
    WebSocket(Url),
    /// No request was understood.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The client did not wait for the answer.
    #[error("{0} is not recorded: the client hung up before there was an answer")]
    HungUp(Url),
    /// The capture was ended before the body had arrived.
    #[error("{0} is not recorded: it was still arriving when the capture was ended")]
    Abandoned(Url),
}

impl Skipped {
    /// What could not be fetched as fetchurl does.
    pub(super) fn fetch(url: &Url, error: FetchError) -> Self {
        match error {
            // It names the URL already.
            FetchError::Upstream(error) => Self::Upstream(error),
            source => Self::Fetch {
                url: url.clone(),
                source,
            },
        }
    }
}

/// Whether each exchange is told of at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// One line each, on stderr.
    Lines,
    /// Only the summary, at the end.
    Quiet,
}

/// The record.
#[derive(Debug)]
pub struct Recorder {
    progress: Progress,
    record: Mutex<Record>,
}

/// What a capture has seen.
#[derive(Debug, Default)]
pub struct Record {
    /// The exchanges, one for each question.
    pub exchanges: HashMap<Question, Exchange>,
    /// What is not among them.
    pub skipped: Vec<Skipped>,
    /// URLs that answered the same question with another body later on; the record has the later.
    pub unstable: BTreeSet<Url>,
    /// URLs of which a range had other bytes than the whole, which came later and is recorded.
    pub differing_ranges: BTreeSet<Url>,
    /// What was not there because the client did not see a redirect, by the URL that was redirected.
    pub astray: BTreeMap<Url, Astray>,
    /// How many exchanges there were beyond those, which were too many to be recorded.
    pub beyond: u64,
    /// URLs whose answers are still arriving, once for each.
    arriving: Vec<Url>,
}

/// A request that failed because of a redirect that was followed for the client: the client took the URL
/// that was redirected for the base of what it read there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Astray {
    /// What the client asked for.
    pub asked: Url,
    /// What it would have asked for.
    pub meant: Url,
    /// What matches the URL that was redirected.
    pub glob: String,
}

/// An answer that is arriving. Dropped before it is settled, it was given up.
#[derive(Debug)]
pub(super) struct Arrival {
    recorder: Arc<Recorder>,
    url: Url,
    settled: bool,
}

impl Arrival {
    /// It is recorded, or told of otherwise.
    pub(super) fn settle(mut self) {
        self.settled = true;
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut record = self.recorder.lock();
        let index = record.arriving.iter().position(|url| *url == self.url);
        // It is not there any more when the record was taken away, and this told of there.
        let Some(index) = index else { return };
        record.arriving.swap_remove(index);
        drop(record);
        if !self.settled {
            self.recorder.skip(Skipped::HungUp(self.url.clone()));
        }
    }
}

impl Recorder {
    /// An empty record.
    #[must_use]
    pub fn new(progress: Progress) -> Self {
        Self {
            progress,
            record: Mutex::default(),
        }
    }

    /// Takes note of a whole exchange.
    ///
    /// What went well stands in place of the failure before it, and not the other way round: in a replay
    /// there is one answer, and a build that got both went on with the good one.
    pub fn add(&self, exchange: Exchange) {
        if self.progress == Progress::Lines {
            let Question { url, method, .. } = &exchange.question;
            say(&format!("{method} {url} {}", exchange.status.as_u16()));
        }
        let mut record = self.lock();
        if let Some(earlier) = record.exchanges.get(&exchange.question) {
            if failure(exchange.status) > failure(earlier.status) {
                return;
            }
            let both_well = earlier.status.is_success() && exchange.status.is_success();
            if both_well && earlier.outcome.hash() != exchange.outcome.hash() {
                record.unstable.insert(exchange.question.url.clone());
            }
        } else if record.exchanges.len() == MAX_EXCHANGES {
            record.beyond += 1;
            return;
        }
        record.exchanges.insert(exchange.question.clone(), exchange);
    }

    /// Takes note of what became of a body that was recorded before.
    pub(super) fn settle(&self, question: &Question, outcome: Outcome) {
        if let Some(exchange) = self.lock().exchanges.get_mut(question)
            && exchange.outcome.hash() == outcome.hash()
        {
            exchange.outcome = outcome;
        }
    }

    /// Takes note that a client got other bytes of a range than the whole has.
    pub(super) fn range_differs(&self, url: &Url) {
        let url = url.without_secrets().into_owned();
        self.lock().differing_ranges.insert(url);
    }

    /// Takes note of what was not there because the client did not see that `redirected` is a redirect;
    /// the first is enough.
    pub(super) fn went_astray(&self, redirected: &Url, astray: Astray) {
        let redirected = redirected.without_secrets().into_owned();
        self.lock().astray.entry(redirected).or_insert(astray);
    }

    /// Takes note of what cannot be recorded.
    pub fn skip(&self, skipped: Skipped) {
        if self.progress == Progress::Lines {
            say(&chain(&skipped));
        }
        let mut record = self.lock();
        if record.skipped.len() == MAX_SKIPPED {
            record.beyond += 1;
        } else {
            record.skipped.push(skipped);
        }
    }

    /// Takes note that an answer was asked for.
    pub(super) fn arriving(self: &Arc<Self>, url: &Url) -> Arrival {
        self.lock().arriving.push(url.clone());
        Arrival {
            recorder: Arc::clone(self),
            url: url.clone(),
            settled: false,
        }
    }

    /// Gives the record away; a new one begins. What is still arriving is given up.
    pub fn take(&self) -> Record {
        let mut record = std::mem::take(&mut *self.lock());
        let abandoned = record.arriving.drain(..).map(Skipped::Abandoned);
        record.skipped.extend(abandoned);
        record
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much of a failure a status is.
fn failure(status: StatusCode) -> u8 {
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        // A client would try again.
        2
    } else {
        u8::from(status.is_client_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(url: &str) -> Exchange {
        let url = Url::parse(url).unwrap();
        Exchange {
            question: Question::new(&url, &Method::HEAD, &HeaderMap::new(), &Bytes::new()),
            source: url.without_secrets().into_owned(),
            status: StatusCode::OK,
            headers: Headers::new(),
            outcome: Outcome::Head(None),
            redirects: 0,
        }
    }

    #[test]
    fn there_is_an_end_to_what_is_recorded() {
        let recorder = Recorder::new(Progress::Quiet);
        for number in 0..MAX_EXCHANGES + 3 {
            recorder.add(exchange(&format!("https://example.org/{number}")));
        }
        recorder.add(exchange("https://example.org/0"));
        let url = Url::parse("https://example.org/").unwrap();
        for _ in 0..MAX_SKIPPED + 2 {
            recorder.skip(Skipped::WebSocket(url.clone()));
        }
        let record = recorder.take();
        assert_eq!(record.exchanges.len(), MAX_EXCHANGES);
        assert_eq!(record.skipped.len(), MAX_SKIPPED);
        assert_eq!(record.beyond, 5);
    }

    #[test]
    fn urls_that_differ_in_secrets_are_one_question() {
        let question = |url| exchange(url).question;
        let one = question("https://example.org/a?token=1");
        assert_eq!(one, question("https://example.org/a?token=2"));
        assert!(one.authorization);
        assert_ne!(one, question("https://example.org/a"));
        assert_eq!(one.url.as_str(), "https://example.org/a");
    }
}
