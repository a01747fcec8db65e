//! Fetches as nixpkgs' fetchurl does: a plain GET, redirects followed, no header that means anything.
//!
//! What comes back is hashed, and kept where it is wanted.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, RETRY_AFTER, USER_AGENT},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};

use super::{Answer, Outgoing, Redirects, Upstream, UpstreamError};
use crate::{
    bodies::{BodyCache, CacheError},
    inventory::{Algorithm, FetchOption, Hasher, Pin, Sri, Url},
    report::chain,
};

/// What fetchurl's curl waits between its tries, where the server does not say.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// The longest that is waited, even where the server says more.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a URL gives nothing, or nothing that is wanted.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// An answer that fetchurl takes for a failure.
    #[error("status {status}{}", if status.is_redirection() { ", which leads to nothing that can be fetched" } else { "" })]
    Status {
        /// The status.
        status: StatusCode,
    },
    /// An answer that broke off.
    #[error("the body broke off")]
    Body(#[source] hyper::Error),
    /// An answer that does not come to an end.
    #[error("nothing came for {} s", silence.as_secs())]
    Stalled {
        /// How long was waited.
        silence: Duration,
    },
    /// An answer that is longer than it can be.
    #[error("the body has more than {limit} bytes")]
    TooLong {
        /// How long it can be.
        limit: u64,
    },
    /// It could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long upstream may be silent.
    pub stall: Duration,
    /// How many bytes a body may have, where that is known.
    pub longest: Option<u64>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The hash of the bytes.
    pub hash: Sri,
    /// How many there are.
    pub length: u64,
}

/// Why a pin gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// Its only URL does not.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// None of its URLs does.
    #[error("{}", each(failed))]
    All {
        /// The URLs, and why.
        failed: Vec<(Url, FetchError)>,
    },
    /// What fetchurl would send is for Nix alone.
    #[error("it has `{}`, which buildproxy does not know how to follow; Nix does", option.attribute())]
    Option {
        /// What it has.
        option: FetchOption,
    },
}

fn each(failed: &[(Url, FetchError)]) -> String {
    let each = failed.iter().map(|(url, error)| {
        let why = chain(error);
        // Some name the URL already.
        let known = format!("failed to fetch {url}: ");
        format!("{url}: {}", why.strip_prefix(&known).unwrap_or(&why))
    });
    each.collect::<Vec<_>>().join("; ")
}

/// Whether fetched bytes are kept.
#[derive(Clone, Copy, Debug)]
pub enum Keep<'a> {
    /// They are not.
    No,
    /// In this cache, under their hash.
    In(&'a BodyCache),
}

/// Fetches a pin from the first of its URLs that gives anything, and says what that is.
///
/// # Errors
///
/// Where fetchurl would fail as well, or would do more than to ask for a URL, or the bytes cannot be kept.
pub async fn fetch_pin(
    upstream: &Upstream,
    pin: &Pin,
    algorithm: Algorithm,
    keep: Keep<'_>,
    limits: Limits,
) -> Result<Received, PinError> {
    if let Some(option) = pin.option {
        return Err(PinError::Option { option });
    }
    let mut failed = Vec::new();
    for url in pin.urls() {
        match fetch(upstream, url, algorithm, keep, limits).await {
            Ok(received) => return Ok(received),
            Err(error) if pin.mirrors.is_empty() => return Err(error.into()),
            Err(error) => failed.push((url.clone(), error)),
        }
    }
    Err(PinError::All { failed })
}

/// Fetches a URL, and gives the hash of its bytes, and how many they are.
///
/// # Errors
///
/// Where fetchurl would fail as well, or the bytes cannot be kept.
pub async fn fetch(
    upstream: &Upstream,
    url: &Url,
    algorithm: Algorithm,
    keep: Keep<'_>,
    limits: Limits,
) -> Result<Received, FetchError> {
    let answer = get(upstream, url, &plain_headers(), limits.stall).await?;
    let body = answer.response.into_body();
    match keep {
        Keep::No => {
            let mut hasher = Hasher::new(algorithm);
            let length = receive(body, limits, |piece| {
                hasher.update(piece);
                Ok(())
            });
            let length = length.await?;
            let hash = hasher.finish();
            Ok(Received { hash, length })
        }
        Keep::In(cache) => {
            let mut partial = cache.begin(algorithm);
            let length = receive(body, limits, |piece| Ok(partial.write(piece)?)).await?;
            let hash = partial.finish()?.hash;
            Ok(Received { hash, length })
        }
    }
}

/// What a URL gives, of status 200. A server that is busy is asked again.
pub(crate) async fn get(
    upstream: &Upstream,
    url: &Url,
    headers: &HeaderMap,
    stall: Duration,
) -> Result<Answer, FetchError> {
    let url = &*url.without_dot_segments();
    let mut pauses = PAUSES.into_iter();
    loop {
        let answer = get_once(upstream, url, headers, stall).await?;
        let status = answer.response.status();
        if status == StatusCode::OK {
            return Ok(answer);
        }
        let Some(pause) = pauses.next().filter(|_| is_transient(status)) else {
            return Err(FetchError::Status { status });
        };
        let wanted = answer.response.headers().get(RETRY_AFTER);
        let wanted = wanted.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let wanted = wanted.map(Duration::from_secs);
        sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
    }
}

/// The statuses after which curl tries again.
fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The headers that are sent: those of fetchurl's curl.
pub(crate) fn plain_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static("curl/8 Nixpkgs"));
    headers
}

async fn get_once(
    upstream: &Upstream,
    url: &Url,
    headers: &HeaderMap,
    stall: Duration,
) -> Result<Answer, FetchError> {
    let answer = upstream.send(Outgoing {
        method: Method::GET,
        url: url.clone(),
        headers: headers.clone(),
        body: Bytes::new(),
        redirects: Redirects::Follow,
    });
    let answer = timeout(stall, answer).await;
    Ok(answer.map_err(|_| FetchError::Stalled { silence: stall })??)
}

/// Hands on all pieces of a body, and gives its length.
async fn receive(
    mut body: Incoming,
    limits: Limits,
    mut take: impl FnMut(&[u8]) -> Result<(), FetchError>,
) -> Result<u64, FetchError> {
    let silence = limits.stall;
    let mut length = 0;
    loop {
        let frame = timeout(silence, body.frame()).await;
        let Some(frame) = frame.map_err(|_| FetchError::Stalled { silence })? else {
            return Ok(length);
        };
        // Anything but data is trailers.
        if let Ok(piece) = frame.map_err(FetchError::Body)?.into_data() {
            length += piece.len() as u64;
            if let Some(limit) = limits.longest.filter(|limit| length > *limit) {
                return Err(FetchError::TooLong { limit });
            }
            take(&piece)?;
        }
    }
}
