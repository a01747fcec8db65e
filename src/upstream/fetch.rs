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
    inventory::{Algorithm, Hasher, Sri, Url},
};

/// How long upstream may be silent.
const STALL: Duration = Duration::from_secs(60);

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
    #[error("nothing came for {} s", STALL.as_secs())]
    Stalled,
    /// It could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Whether fetched bytes are kept.
#[derive(Clone, Copy, Debug)]
pub enum Keep<'a> {
    /// They are not.
    No,
    /// In this cache, under their hash.
    In(&'a BodyCache),
}

/// Fetches a URL, and gives the hash of its bytes.
///
/// # Errors
///
/// Where fetchurl would fail as well, or the bytes cannot be kept.
pub async fn fetch(
    upstream: &Upstream,
    url: &Url,
    algorithm: Algorithm,
    keep: Keep<'_>,
) -> Result<Sri, FetchError> {
    let body = get(upstream, url).await?.response.into_body();
    match keep {
        Keep::No => hash(body, algorithm).await,
        Keep::In(cache) => {
            let mut partial = cache.begin(algorithm);
            receive(body, |piece| Ok(partial.write(piece)?)).await?;
            Ok(partial.finish()?.hash)
        }
    }
}

async fn hash(body: Incoming, algorithm: Algorithm) -> Result<Sri, FetchError> {
    let mut hasher = Hasher::new(algorithm);
    receive(body, |piece| {
        hasher.update(piece);
        Ok(())
    })
    .await?;
    Ok(hasher.finish())
}

/// What a URL gives, of status 200. A server that is busy is asked again.
pub(crate) async fn get(upstream: &Upstream, url: &Url) -> Result<Answer, FetchError> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let answer = get_once(upstream, url).await?;
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

async fn get_once(upstream: &Upstream, url: &Url) -> Result<Answer, FetchError> {
    let answer = upstream.send(Outgoing {
        method: Method::GET,
        url: url.clone(),
        headers: plain_headers(),
        body: Bytes::new(),
        redirects: Redirects::FollowAlways,
    });
    let answer = timeout(STALL, answer).await;
    Ok(answer.map_err(|_| FetchError::Stalled)??)
}

/// Hands on all pieces of a body.
async fn receive(
    mut body: Incoming,
    mut take: impl FnMut(&[u8]) -> Result<(), FetchError>,
) -> Result<(), FetchError> {
    loop {
        let frame = timeout(STALL, body.frame()).await;
        let Some(frame) = frame.map_err(|_| FetchError::Stalled)? else {
            return Ok(());
        };
        // Anything but data is trailers.
        if let Ok(piece) = frame.map_err(FetchError::Body)?.into_data() {
            take(&piece)?;
        }
    }
}
