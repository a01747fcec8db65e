//! Answers clients with what upstream says, and records it.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{
    HeaderMap, Method, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_LENGTH, RANGE},
    response::Parts,
};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::{
    Astray, Exchange, Outcome, Policy, Question, Recorder, RedirectPolicy, Skipped,
    aside::{Aside, Asides, Wanted},
    download::{Arriving, Bounds, Download, download},
    headers,
    pinning::Evidence,
    recorder::Arrival,
    unseen::{Unseen, glob},
};
use crate::{
    bodies::BodyCache,
    inventory::{Url, query::IgnoredQuery},
    proxy::{Body, Handler, Refusal, Representation, Request, Response, answer, empty, plain},
    report::chain,
    upstream::{Answer, Ending, Outgoing, Upstream, get, plain_headers},
};

/// The handler of `buildproxy capture`.
pub struct Capture {
    upstream: Upstream,
    cache: BodyCache,
    recorder: Arc<Recorder>,
    policy: Arc<Policy>,
    redirects: Arc<RedirectPolicy>,
    unseen: Arc<Unseen>,
    asides: Asides,
    /// Parameters that do not count.
    ignore_query: IgnoredQuery,
    /// Targets of redirects that were kept, and the URLs that led there first: what a pin can fetch,
    /// when the target itself has expired.
    sources: Arc<Mutex<HashMap<Url, Url>>>,
    bounds: Bounds,
    /// Downloads and proofs, which go on when their client has gone.
    tasks: TaskTracker,
}

/// The head of upstream's answer, with what it was asked.
struct Head {
    question: Question,
    /// What the client asked for, without secrets.
    url: Url,
    /// What a pin would fetch, without secrets.
    source: Url,
    /// Whether it had any.
    secret: bool,
    status: StatusCode,
    headers: HeaderMap,
    /// Its length, where upstream said it.
    length: Option<u64>,
    redirects: usize,
    /// How its body ends, where that tells nothing by itself.
    ending: Option<Ending>,
}

impl Capture {
    /// Records in `recorder` what `upstream` answers; bodies go to `cache`, within `bounds`.
    pub fn new(
        upstream: Upstream,
        cache: BodyCache,
        recorder: Arc<Recorder>,
        policy: Policy,
        redirects: RedirectPolicy,
        ignore_query: IgnoredQuery,
        bounds: Bounds,
    ) -> Self {
        Self {
            asides: Asides::new(upstream.clone(), bounds.stall),
            upstream,
            cache,
            recorder,
            policy: Arc::new(policy),
            redirects: Arc::new(redirects),
            ignore_query,
            unseen: Arc::default(),
            sources: Arc::default(),
            bounds,
            tasks: TaskTracker::new(),
        }
    }

    /// The same capture by another way to the servers. What either records, both have.
    #[must_use]
    pub fn by(&self, upstream: Upstream) -> Self {
        Self {
            asides: Asides::new(upstream.clone(), self.bounds.stall),
            upstream,
            cache: self.cache.clone(),
            recorder: Arc::clone(&self.recorder),
            policy: Arc::clone(&self.policy),
            redirects: Arc::clone(&self.redirects),
            ignore_query: self.ignore_query.clone(),
            unseen: Arc::clone(&self.unseen),
            sources: Arc::clone(&self.sources),
            bounds: self.bounds,
            tasks: self.tasks.clone(),
        }
    }

    /// How many bodies are still arriving, or being fetched a second time.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until all bodies have arrived, and all proofs are made.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Fetches a URL as fetchurl does, but with these headers, and records that. Where fetchurl would fail, that
    /// is recorded as skipped.
    pub async fn fetch(&self, url: &Url, headers: &HeaderMap) {
        let arrival = self.recorder.arriving(&url.without_secrets());
        if let Err(skipped) = self.fetched(url, headers, arrival).await {
            self.recorder.skip(skipped);
        }
    }

    async fn fetched(
        &self,
        url: &Url,
        headers: &HeaderMap,
        arrival: Arrival,
    ) -> Result<(), Skipped> {
        let mut sent = plain_headers();
        sent.extend(headers.clone());
        let answer = match get(&self.upstream, url, &sent, self.bounds.stall).await {
            Ok(answer) => answer,
            Err(error) => {
                arrival.settle();
                return Err(Skipped::fetch(url, error));
            }
        };
        let question = Question::new(url, &Method::GET, &sent, &Bytes::new());
        let redirects = answer.redirects();
        let ending = Ending::of(&answer.response);
        let (response, body) = answer.response.into_parts();
        let (download, _) = download(&self.cache, body, self.bounds);
        let head = self.head(question, url, &response, redirects, ending);
        // It has nothing to give but that it has ended.
        let _ = self.record(head, download, sent, arrival).await;
        Ok(())
    }

    async fn exchange(&self, mut request: Request) -> Result<Response, Skipped> {
        let url = request.url.clone();
        if is_websocket(&request) {
            return Err(Skipped::WebSocket(url));
        }
        let body = request.body().await.map_err(|source| Skipped::Request {
            url: url.clone(),
            source,
        })?;
        let arrival = self.recorder.arriving(&url.without_secrets());
        let sent = headers::upstream(&request.method, &request.headers);
        let answered = self.upstream.send(Outgoing {
            method: request.method.clone(),
            url: url.clone(),
            headers: sent.clone(),
            body: body.clone(),
            redirects: self.redirects.redirects(&request.method, &url),
        });
        let answered = match answered.await {
            Ok(answered) => self.redirects.select(&url, answered),
            Err(error) => {
                arrival.settle();
                return Err(error.into());
            }
        };
        self.base(&request.method, &url, &answered);
        let redirects = answered.redirects();
        let source = self.source(&url, answered.target);
        let ending = Ending::of(&answered.response);
        let (response, upstream_body) = answered.response.into_parts();
        let question = Question::new(&url, &request.method, &request.headers, &body);
        let head = self.head(question, &source, &response, redirects, ending);
        let mut whole = Representation {
            status: head.status,
            headers: head.headers.clone(),
            length: head.length,
            body: (),
        };
        if request.method == Method::HEAD {
            let outcome = Outcome::Head(head.length);
            self.recorder.add(head.exchange(outcome));
            arrival.settle();
            return Ok(answer(
                &request.method,
                &request.headers,
                whole.with_body(|_| empty()),
            ));
        }
        let (download, mut arriving) = download(&self.cache, upstream_body, self.bounds);
        self.record(head, download, sent, arrival);
        let client = (&request.method, &request.headers);
        let wanted = Wanted::of(client.0, client.1, &whole).filter(|_| gives_ranges(&response));
        let aside = match wanted {
            Some(wanted) => {
                let arriving = arriving.clone();
                let asked = answered.request;
                let aside = self.asides.ask(wanted, asked, client, &whole, arriving);
                aside.await
            }
            None => None,
        };
        if let Some(aside) = &aside {
            whole.length = Some(aside.total);
        } else if request.headers.contains_key(RANGE) && whole.length.is_none() {
            // A range can only be told from a length. A body that breaks off is told of elsewhere.
            whole.length = arriving.whole().await.ok();
        }
        // It is the only range that is given.
        let aside = aside.map(|aside| self.checked(aside, &url, arriving.clone()));
        let aside = RefCell::new(aside);
        let body = move |range: Range<u64>| match aside.take() {
            Some(aside) => aside,
            None => arriving.clone().body(range),
        };
        Ok(answer(
            &request.method,
            &request.headers,
            whole.with_body(body),
        ))
    }

    /// The body of a range that came by itself. It is held against the whole, where that is to be kept.
    fn checked(&self, aside: Aside, url: &Url, arriving: Arriving) -> Body {
        let limit = self.bounds.max_body;
        let kept = limit.is_none_or(|limit| aside.total <= limit.bytes());
        let (body, given) = aside.body(arriving.clone());
        if kept {
            let recorder = Arc::clone(&self.recorder);
            let url = url.clone();
            self.tasks.spawn(async move {
                if let Ok(given) = given.await
                    && given.differs_from(arriving).await
                {
                    recorder.range_differs(&url);
                }
            });
        }
        body
    }

    /// Takes note of what the client will take for the base of what it got, and looks into what failed
    /// because that was wrong.
    fn base(&self, method: &Method, url: &Url, answered: &Answer) {
        let status = answered.response.status();
        let last = &answered.request.url;
        if answered.followed.is_some() && status.is_success() {
            self.unseen.follow(url, last);
        }
        let meant = self.unseen.meant(url, last, status);
        if meant.is_empty() || !matches!(*method, Method::GET | Method::HEAD) {
            return;
        }
        let recorder = Arc::clone(&self.recorder);
        let upstream = self.upstream.clone();
        let stall = self.bounds.stall;
        let asked = url.without_secrets().into_owned();
        self.tasks.spawn(async move {
            for one in meant {
                if one.is_there(&upstream, stall).await {
                    let glob = glob(&one.redirected);
                    let meant = one.meant.without_secrets().into_owned();
                    return recorder.went_astray(&one.redirected, Astray { asked, meant, glob });
                }
            }
        });
    }

    /// What a plain fetch of `url` should begin with, and of the `target` that it redirects to.
    fn source(&self, url: &Url, target: Option<Url>) -> Url {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let source = sources.get(url).unwrap_or(url).clone();
        if let Some(target) = target {
            sources.insert(target, source.clone());
        }
        source
    }

    /// The head of an answer to a question, all of whose URL counts so far.
    fn head(
        &self,
        question: Question,
        source: &Url,
        response: &Parts,
        redirects: usize,
        ending: Option<Ending>,
    ) -> Head {
        let plain = source.without_secrets();
        Head {
            url: question.url.clone(),
            question: question.ignoring(&self.ignore_query),
            secret: matches!(plain, Cow::Owned(_)),
            // What fetchurl would ask for.
            source: plain.without_dot_segments().into_owned(),
            status: response.status,
            headers: headers::client(response.status, &response.headers),
            length: content_length(&response.headers),
            redirects,
            ending,
        }
    }

    /// Sees the download through, records the exchange, and settles what doubt there is.
    fn record(
        &self,
        head: Head,
        download: Download,
        sent: HeaderMap,
        arrival: Arrival,
    ) -> JoinHandle<()> {
        let recorder = Arc::clone(&self.recorder);
        let upstream = self.upstream.clone();
        let policy = Arc::clone(&self.policy);
        let stall = self.bounds.stall;
        let mut evidence = Evidence {
            method: head.question.method.clone(),
            url: head.url.clone(),
            source: head.source.clone(),
            secret: head.secret,
            sent,
            has_body: head.question.body.is_some(),
            status: head.status,
            received: head.headers.clone(),
            abrupt: false,
            length: head.length,
        };
        self.tasks.spawn(async move {
            let body = match download.run().await {
                Ok(body) => body,
                Err(source) => {
                    arrival.settle();
                    let url = evidence.url;
                    return recorder.skip(Skipped::Download { url, source });
                }
            };
            evidence.abrupt = head.ending.as_ref().is_some_and(Ending::is_abrupt);
            let question = head.question.clone();
            let (outcome, doubt) = policy.decide(&evidence, body.clone());
            recorder.add(head.exchange(outcome));
            arrival.settle();
            if let Some(doubt) = doubt {
                let proof = policy.prove(&upstream, &evidence, doubt, body, stall);
                let outcome = proof.await;
                recorder.settle(&question, outcome);
            }
        })
    }
}

impl Head {
    fn exchange(self, outcome: Outcome) -> Exchange {
        Exchange {
            question: self.question,
            source: self.source,
            status: self.status,
            headers: headers::recorded(&self.headers),
            outcome,
            redirects: self.redirects,
        }
    }
}

impl Handler for Capture {
    async fn handle(&self, request: Request) -> Response {
        match self.exchange(request).await {
            Ok(response) => response,
            Err(skipped) => {
                let response = failure(&skipped);
                self.recorder.skip(skipped);
                response
            }
        }
    }

    fn refused(&self, refusal: Refusal) {
        self.recorder.skip(Skipped::Refused(refusal));
    }
}

/// What a client gets in place of an answer.
fn failure(skipped: &Skipped) -> Response {
    let status = match skipped {
        Skipped::WebSocket(_) => StatusCode::NOT_IMPLEMENTED,
        Skipped::Request { source, .. } => source.status(),
        Skipped::Upstream(_)
        | Skipped::Fetch { .. }
        | Skipped::Download { .. }
        | Skipped::Refused(_)
        | Skipped::HungUp(_)
        | Skipped::Abandoned(_) => StatusCode::BAD_GATEWAY,
    };
    plain(status, &chain(skipped))
}

fn is_websocket(request: &Request) -> bool {
    request
        .header("upgrade")
        .is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Whether upstream has not said that it gives no ranges.
fn gives_ranges(response: &Parts) -> bool {
    let ranges = response.headers.get(ACCEPT_RANGES);
    ranges.is_none_or(|ranges| ranges != "none")
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
