//! Answers clients with what upstream says, and records it.

use std::{ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, RANGE},
};
use tokio_util::task::TaskTracker;

use super::{
    Exchange, Outcome, Question, Recorder, Skipped, Upstream,
    download::{Download, download},
    headers,
    pinning::{Judgement, judge, prove},
    upstream::Outgoing,
};
use crate::{
    bodies::BodyCache,
    proxy::{Handler, Refusal, Representation, Request, Response, answer, empty, full},
    report::chain,
};

/// Whether a doubtful pin is fetched a second time, to see that it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is.
    Fetch,
    /// It is taken for granted.
    Skip,
}

/// The handler of `buildproxy capture`.
pub struct Capture {
    upstream: Upstream,
    cache: BodyCache,
    recorder: Arc<Recorder>,
    proof: Proof,
    /// How long upstream may be silent in the middle of a body.
    stall: Duration,
    /// Downloads and proofs, which go on when their client has gone.
    tasks: TaskTracker,
}

/// The head of upstream's answer, with what it was asked.
struct Head {
    question: Question,
    status: StatusCode,
    headers: HeaderMap,
    redirects: u32,
}

impl Capture {
    /// Records in `recorder` what `upstream` answers; bodies go to `cache`, and are given up when
    /// nothing has come for the time of `stall`.
    pub fn new(
        upstream: Upstream,
        cache: BodyCache,
        recorder: Arc<Recorder>,
        proof: Proof,
        stall: Duration,
    ) -> Self {
        Self {
            upstream,
            cache,
            recorder,
            proof,
            stall,
            tasks: TaskTracker::new(),
        }
    }

    /// Waits until all bodies have arrived, and all proofs are made.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
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
        let sent = headers::upstream(&request.method, &request.headers);
        let answered = self.upstream.send(Outgoing {
            method: request.method.clone(),
            url: url.clone(),
            headers: sent.clone(),
            body: body.clone(),
        });
        let answered = answered.await?;
        let (response, upstream_body) = answered.response.into_parts();
        let length = content_length(&response.headers);
        let head = Head {
            question: Question::new(&url, &request.method, &request.headers, &body),
            status: response.status,
            headers: headers::client(response.status, &response.headers),
            redirects: answered.redirects,
        };
        let mut whole = Representation {
            status: head.status,
            headers: head.headers.clone(),
            length,
            body: (),
        };
        if request.method == Method::HEAD {
            self.recorder.add(head.exchange(Outcome::Head(length)));
            return Ok(answer(
                &request.method,
                &request.headers,
                whole.with_body(|_| empty()),
            ));
        }
        let (download, mut arriving) = download(&self.cache, upstream_body, self.stall)
            .map_err(|source| Skipped::Cache { url, source })?;
        self.record(head, download, sent);
        if request.headers.contains_key(RANGE) && whole.length.is_none() {
            // A range can only be told from a length. A body that breaks off is told of elsewhere.
            whole.length = arriving.whole().await.ok();
        }
        let body = move |range: Range<u64>| arriving.clone().body(range);
        Ok(answer(
            &request.method,
            &request.headers,
            whole.with_body(body),
        ))
    }

    /// Sees the download through, and records the exchange.
    fn record(&self, head: Head, download: Download, sent: HeaderMap) {
        let recorder = Arc::clone(&self.recorder);
        let upstream = self.upstream.clone();
        let proof = self.proof;
        let arrival = recorder.arriving(&head.question.url);
        self.tasks.spawn(async move {
            let url = head.question.url.clone();
            let body = match download.run().await {
                Ok(body) => body,
                Err(source) => return recorder.skip(Skipped::Download { url, source }),
            };
            let judged = match judge(&head.question.method, &sent, head.status) {
                // What a GET says in its body may have made the answer.
                Judgement::Pin if head.question.body.is_some() => Judgement::Doubt,
                judged => judged,
            };
            let outcome = match (judged, proof) {
                (Judgement::Vendor(reason), _) => Outcome::Vendored(body, reason),
                (Judgement::Pin, _) | (Judgement::Doubt, Proof::Skip) => Outcome::Pinned(body),
                (Judgement::Doubt, Proof::Fetch) => {
                    match prove(&upstream, &url, &body.hash).await {
                        Ok(()) => Outcome::Pinned(body),
                        Err(reason) => Outcome::Vendored(body, reason),
                    }
                }
            };
            recorder.add(head.exchange(outcome));
            drop(arrival);
        });
    }
}

impl Head {
    fn exchange(self, outcome: Outcome) -> Exchange {
        Exchange {
            question: self.question,
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
        Skipped::Request { .. } => StatusCode::BAD_REQUEST,
        Skipped::Cache { .. } => StatusCode::INSUFFICIENT_STORAGE,
        Skipped::Upstream(_)
        | Skipped::Download { .. }
        | Skipped::Refused(_)
        | Skipped::Abandoned(_) => StatusCode::BAD_GATEWAY,
    };
    let mut response = Response::new(full(Bytes::from(format!(
        "buildproxy: {}\n",
        chain(skipped)
    ))));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn is_websocket(request: &Request) -> bool {
    request
        .header("upgrade")
        .is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
