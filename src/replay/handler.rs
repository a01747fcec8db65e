//! Answers clients from the inventory, or says that it cannot.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    fmt,
    fs::File,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rustix::process::Pid;

use super::{
    Answer, Content, Key, Matcher, Secret, ShelfError, Summary,
    nearest::{ignorable, nearest},
    summary::only_values,
};
use crate::{
    bodies::{OpenError, open},
    inventory::{TELLING, Url, asked_by, query::IgnoredQuery},
    process::alarm,
    proxy::{
        Handler, Refusal, Representation, Request, Response, answer, body_hash, empty, file, full,
        plain,
    },
    report::{chain, say},
};

/// So many misses are told apart. A client that makes up URLs could go on for ever.
const MAX_MISSES: usize = 100_000;

/// A request that the inventory does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Miss {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: Url,
    /// The headers that may have made a difference, and what they said.
    pub headers: Vec<(&'static str, String)>,
}

impl Miss {
    fn of(key: &Key<'_>) -> Self {
        let said = |name| Some((name, asked_by(key.headers, name)?.to_owned()));
        Self {
            method: key.method.clone(),
            url: key.url.without_secrets().into_owned(),
            headers: TELLING.into_iter().filter_map(said).collect(),
        }
    }
}

/// What is known of a miss.
#[derive(Clone, Debug, Default)]
pub struct Missed {
    /// How often it was asked for.
    pub times: u32,
    /// The parameters in whose values alone it differs from an entry, where they are few.
    pub ignorable: Option<IgnoredQuery>,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// The handler of `buildproxy replay`.
#[derive(Debug)]
pub struct Replay {
    matcher: Matcher,
    /// How many requests were answered.
    answered: AtomicU64,
    /// How many could not be, though the inventory has them.
    failed: AtomicU64,
    misses: Mutex<HashMap<Miss, Missed>>,
    file: PathBuf,
    /// Who is told at once of what is not answered.
    alarmed: Option<Pid>,
}

impl Replay {
    /// Answers what `matcher` finds, to which a person adds in `file`. Before a client hears that something
    /// is not answered, the process `alarmed` does, see [`alarm`].
    #[must_use]
    pub fn new(matcher: Matcher, file: PathBuf, alarmed: Option<Pid>) -> Self {
        Self {
            matcher,
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            misses: Mutex::default(),
            file,
            alarmed,
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut misses: Vec<_> = misses
            .iter()
            .map(|(miss, missed)| (miss.clone(), missed.clone()))
            .collect();
        misses.sort_by(|(a, _), (b, _)| {
            a.url
                .cmp(&b.url)
                .then(a.method.as_str().cmp(b.method.as_str()))
                .then(a.headers.cmp(&b.headers))
        });
        Summary {
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            misses,
            file: self.file.clone(),
        }
    }

    /// The answer under the URL as it is, or else under the one that capture wrote down for it.
    fn find(&self, key: &Key<'_>) -> Result<Option<&Answer>, ShelfError> {
        if let Some(found) = self.matcher.find(key)? {
            return Ok(Some(found));
        }
        let Cow::Owned(url) = key.url.without_secrets() else {
            return self.matcher.find_ignoring(key);
        };
        let plain = Key {
            url: &url,
            secret: Secret::InUrl,
            body: key.body.clone(),
            ..*key
        };
        if let Some(found) = self.matcher.find(&plain)? {
            return Ok(Some(found));
        }
        match self.matcher.find_ignoring(key)? {
            Some(found) => Ok(Some(found)),
            None => self.matcher.find_ignoring(&plain),
        }
    }

    /// 403: of all statuses the one at which every client stops at once, without retry or fallback.
    fn miss(&self, key: &Key<'_>) -> Response {
        let miss = Miss::of(key);
        let ignorable = ignorable(&miss.url, self.matcher.urls());
        let text = self.explain(&miss, ignorable.as_ref());
        self.alarm();
        let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        let known = misses.len();
        let of_miss = match misses.entry(miss) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(_) if known == MAX_MISSES => return refused(&text),
            Entry::Vacant(new) => new.insert(Missed {
                times: 0,
                ignorable,
            }),
        };
        of_miss.times += 1;
        if of_miss.times == 1 {
            say(&text);
        }
        refused(&text)
    }

    /// The answer where there should be one, and `text` says why there is none.
    fn failed(&self, text: &str) -> Response {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.alarm();
        say(text);
        plain(StatusCode::INTERNAL_SERVER_ERROR, text)
    }

    fn alarm(&self) {
        if let Some(process) = self.alarmed {
            alarm(process);
        }
    }

    /// What is said of a miss.
    fn explain(&self, miss: &Miss, ignorable: Option<&IgnoredQuery>) -> String {
        let mut lines = vec![format!("miss: {miss} is not in the inventory")];
        let of_url = self.matcher.of_url(&miss.url).unwrap_or_default();
        if of_url.is_empty() {
            let near = nearest(&miss.url, self.matcher.urls());
            lines.extend(near.iter().map(|url| format!("  nearest: {url}")));
        }
        lines.extend(of_url.iter().map(|answer| {
            let only = if answer.condition.is_empty() {
                ""
            } else {
                ", for other requests"
            };
            format!("  there: {} {}{only}", answer.method, answer.url)
        }));
        lines.extend(ignorable.map(|names| format!("  hint: {}", only_values(names))));
        lines.join("\n")
    }
}

impl Handler for Replay {
    async fn handle(&self, mut request: Request) -> Response {
        let body = match request.body().await {
            Ok(body) => body,
            Err(error) => {
                return plain(error.status(), &chain(&error));
            }
        };
        let key = Key {
            url: &request.url,
            method: &request.method,
            headers: &request.headers,
            secret: Secret::None,
            body: body_hash(&request.headers, &body),
        };
        let found = match self.find(&key) {
            Ok(Some(found)) => found,
            Ok(None) => return self.miss(&key),
            Err(error) => return self.failed(&chain(&error)),
        };
        match give(&request.method, &request.headers, found).await {
            Ok(response) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                response
            }
            Err(error) => {
                let url = &request.url;
                let hint = match error.hint() {
                    Some(hint) => format!("\n  hint: {hint}"),
                    None => String::new(),
                };
                self.failed(&format!(
                    "failed to read the body of {url}: {}{hint}",
                    chain(&error)
                ))
            }
        }
    }

    fn refused(&self, refusal: Refusal) {
        say(&chain(&refusal));
    }

    /// The summary, and for programs the number of what was not answered as a header.
    fn asked_itself(&self) -> Option<Response> {
        let summary = self.summary();
        let misses = HeaderValue::from(summary.unanswered());
        let mut response = plain(StatusCode::OK, &summary.to_string());
        response.headers_mut().insert("x-buildproxy-misses", misses);
        Some(response)
    }
}

/// The answer to a miss, of which `text` tells.
fn refused(text: &str) -> Response {
    let mut response = plain(StatusCode::FORBIDDEN, text);
    response
        .headers_mut()
        .insert("x-buildproxy", HeaderValue::from_static("miss"));
    response
}

/// Gives an answer to a request.
async fn give(method: &Method, request: &HeaderMap, found: &Answer) -> Result<Response, OpenError> {
    let whole = Representation {
        status: found.status,
        headers: found.headers.clone(),
        length: None,
        body: (),
    };
    let response = match &found.content {
        // Of HEAD alone there is no body; the length is among the headers, where upstream said it.
        Content::Text(text) if text.is_empty() && found.method == Method::HEAD => {
            answer(method, request, whole.with_body(|_| empty()))
        }
        Content::Text(text) => {
            let length = text.len() as u64;
            let whole = Representation {
                length: Some(length),
                ..whole
            };
            answer(
                method,
                request,
                whole.with_body(|range| full(slice(text, &range))),
            )
        }
        Content::File(path) => of_file(method, request, whole, open(path)?),
        Content::Cached(body) => of_file(method, request, whole, body.open().await?),
    };
    Ok(response)
}

/// Gives an answer whose body is a file, which has so many bytes.
fn of_file(
    method: &Method,
    request: &HeaderMap,
    whole: Representation<()>,
    (opened, length): (File, u64),
) -> Response {
    let opened = Arc::new(opened);
    let whole = Representation {
        length: Some(length),
        ..whole
    };
    let body = |range| file(Arc::clone(&opened), range);
    answer(method, request, whole.with_body(body))
}

fn slice(text: &Bytes, range: &Range<u64>) -> Bytes {
    let at = |position: u64| usize::try_from(position).map_or(text.len(), |at| at.min(text.len()));
    text.slice(at(range.start)..at(range.end))
}
