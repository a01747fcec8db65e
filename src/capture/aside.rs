//! A range of a body, asked for beside the download of the whole.
//!
//! Some clients read the end of a file first: pip and uv, the directory of a zip. Out of the download they
//! would get it when all else had come, and with a large file or a slow server give up before. So upstream
//! is asked for the range, too, and the client gets it at once. The whole is what is recorded; when it has
//! come, the range is held against it.

use std::{io, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{TryStreamExt, stream::try_unfold};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_RANGE, ETAG, IF_RANGE, LAST_MODIFIED, RANGE},
};
use http_body_util::{BodyExt, BodyStream};
use hyper::body::Incoming;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use super::download::Arriving;
use crate::{
    inventory::{Algorithm, Hasher, Sri},
    proxy::{Body, Representation, only_range, stream},
    upstream::{Outgoing, Redirects, Upstream},
};

/// What begins within so many bytes is waited for: that takes no longer than to ask once more.
const NEAR: u64 = 256 << 10;

/// So many ranges are asked for at once. Who comes later waits, for them or for the download.
const AT_ONCE: usize = 8;

/// Asks for ranges.
pub(super) struct Asides {
    upstream: Upstream,
    permits: Arc<Semaphore>,
    /// How long upstream may be silent.
    stall: Duration,
}

/// A range that is to be asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The header by which.
    header: HeaderValue,
    /// The range and the length of the whole, where that is known.
    known: Option<(Range<u64>, u64)>,
}

/// A range that upstream gives.
pub(super) struct Aside {
    pub(super) range: Range<u64>,
    /// The length of the whole, as upstream says.
    pub(super) total: u64,
    body: Incoming,
    _permit: OwnedSemaphorePermit,
    stall: Duration,
}

/// What was given of a range before the whole had come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    range: Range<u64>,
    total: u64,
    hash: Sri,
}

impl Wanted {
    /// What a client of `whole` is to get before it has come, if anything is.
    pub(super) fn of(
        method: &Method,
        request: &HeaderMap,
        whole: &Representation<()>,
    ) -> Option<Self> {
        if let Some(length) = whole.length {
            let range = only_range(method, request, whole)?;
            let header = format!("bytes={}-{}", range.start, range.end - 1);
            return (range.start > NEAR).then_some(Self {
                header: HeaderValue::try_from(header).ok()?,
                known: Some((range, length)),
            });
        }
        // Where its end is not known, all of it has to come before any range can be told.
        only_range(method, request, &of_length(whole, u64::MAX))?;
        let header = request.get(RANGE)?;
        let several = header.as_bytes().contains(&b',');
        (!several).then(|| Self {
            header: header.clone(),
            known: None,
        })
    }

    /// The byte of the whole with which there is no need to ask any more.
    fn start(&self) -> u64 {
        self.known
            .as_ref()
            .map_or(u64::MAX, |(range, _)| range.start)
    }

    /// The range that upstream's answer has, and the length of the whole, if it is the one that was asked
    /// for, of the same whole.
    fn answered_by(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        client: (&Method, &HeaderMap),
        whole: &Representation<()>,
    ) -> Option<(Range<u64>, u64)> {
        let same = |name| {
            headers
                .get(&name)
                .is_none_or(|own| whole.headers.get(name) == Some(own))
        };
        if status != StatusCode::PARTIAL_CONTENT
            || ![ETAG, LAST_MODIFIED, CONTENT_ENCODING]
                .into_iter()
                .all(same)
        {
            return None;
        }
        let (range, total) = content_range(headers)?;
        let wanted = if let Some(known) = &self.known {
            known.clone()
        } else {
            let (method, request) = client;
            let whole = of_length(whole, total);
            (only_range(method, request, &whole)?, total)
        };
        (wanted == (range, total)).then_some(wanted)
    }
}

impl Asides {
    pub(super) fn new(upstream: Upstream, stall: Duration) -> Self {
        Self {
            upstream,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            stall,
        }
    }

    /// Asks for `wanted` as `whole` was asked for with `asked`. There is nothing where upstream gives
    /// something else, or the download is there first.
    pub(super) async fn ask(
        &self,
        wanted: Wanted,
        asked: Outgoing,
        client: (&Method, &HeaderMap),
        whole: &Representation<()>,
        mut arriving: Arriving,
    ) -> Option<Aside> {
        let start = wanted.start();
        tokio::select! {
            biased;
            () = arriving.reached(start) => None,
            aside = self.given(wanted, asked, client, whole) => aside,
        }
    }

    async fn given(
        &self,
        wanted: Wanted,
        asked: Outgoing,
        client: (&Method, &HeaderMap),
        whole: &Representation<()>,
    ) -> Option<Aside> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let url = asked.url.clone();
        let mut request = Outgoing {
            redirects: Redirects::Keep,
            ..asked
        };
        request.headers.insert(RANGE, wanted.header.clone());
        if let Some(validator) = strong_validator(&whole.headers) {
            request.headers.insert(IF_RANGE, validator.clone());
        }
        let answer = timeout(self.stall, self.upstream.send(request)).await;
        let (head, body) = answer.ok()?.ok()?.response.into_parts();
        let Some((range, total)) = wanted.answered_by(head.status, &head.headers, client, whole)
        else {
            tracing::debug!(
                "{url} does not give a range by itself: status {}",
                head.status
            );
            return None;
        };
        Some(Aside {
            range,
            total,
            body,
            _permit: permit,
            stall: self.stall,
        })
    }
}

impl Aside {
    /// The bytes of the range, as upstream gives them; and those of the download as soon as that has got
    /// so far, or where upstream breaks off. In the end there is word of what was given so.
    pub(super) fn body(self, arriving: Arriving) -> (Body, oneshot::Receiver<Given>) {
        let (report, given) = oneshot::channel();
        let tally = Tally {
            given: self.range.start..self.range.start,
            total: self.total,
            hasher: Hasher::new(Algorithm::Sha256),
            report: Some(report),
        };
        let passing = Passing {
            range: self.range.clone(),
            beside: Some((self, tally)),
            arriving,
        };
        let body = stream(try_unfold(passing, |mut passing| async move {
            let piece = passing.next().await?;
            Ok(piece.map(|piece| (piece, passing)))
        }));
        (body, given)
    }

    /// The next of its bytes; nothing where upstream has no more, breaks off or falls silent.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let frame = timeout(self.stall, self.body.frame()).await;
            // Anything but data is trailers.
            if let Ok(piece) = frame.ok()??.ok()?.into_data() {
                return Some(piece);
            }
        }
    }
}

/// A range on its way to the client.
struct Passing {
    /// What is still to be given.
    range: Range<u64>,
    /// From where, as long as the download is not so far.
    beside: Option<(Aside, Tally)>,
    arriving: Arriving,
}

impl Passing {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let piece = match self.beside().await {
            Some(piece) => Some(piece),
            None => self.arriving.next(&self.range).await?,
        };
        self.range.start += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Ok(piece)
    }

    async fn beside(&mut self) -> Option<Bytes> {
        let (aside, tally) = self.beside.as_mut().filter(|_| !self.range.is_empty())?;
        let piece = tokio::select! {
            biased;
            () = self.arriving.reached(self.range.start) => None,
            piece = aside.next() => piece,
        };
        let Some(mut piece) = piece else {
            self.beside = None;
            return None;
        };
        let left = self.range.end - self.range.start;
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        tally.take(&piece);
        Some(piece)
    }
}

/// Takes note of what is given, and gives word of it when there is no more.
struct Tally {
    given: Range<u64>,
    total: u64,
    hasher: Hasher,
    report: Option<oneshot::Sender<Given>>,
}

impl Tally {
    fn take(&mut self, piece: &[u8]) {
        self.given.end += piece.len() as u64;
        self.hasher.update(piece);
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if let Some(report) = self.report.take() {
            // Nobody minds where the body is not to be kept.
            let _ = report.send(Given {
                range: self.given.clone(),
                total: self.total,
                hash: self.hasher.clone().finish(),
            });
        }
    }
}

impl Given {
    /// Whether the whole, when it has come, has something else there. Of one that breaks off nothing is
    /// known, and nothing recorded.
    pub(super) async fn differs_from(self, mut arriving: Arriving) -> bool {
        let Ok(length) = arriving.whole().await else {
            return false;
        };
        if length != self.total {
            return true;
        }
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut body = BodyStream::new(arriving.body(self.range));
        while let Ok(Some(frame)) = body.try_next().await {
            if let Ok(piece) = frame.into_data() {
                hasher.update(&piece);
            }
        }
        hasher.finish() != self.hash
    }
}

/// The same, with another length.
fn of_length(whole: &Representation<()>, length: u64) -> Representation<()> {
    Representation {
        status: whole.status,
        headers: whole.headers.clone(),
        length: Some(length),
        body: (),
    }
}

/// What tells this version of the whole from any other (RFC 9110, section 13.1.5).
fn strong_validator(headers: &HeaderMap) -> Option<&HeaderValue> {
    let tag = headers.get(ETAG);
    tag.filter(|tag| !tag.as_bytes().starts_with(b"W/"))
        .or_else(|| headers.get(LAST_MODIFIED))
}

/// The bytes that an answer has, and the length of the whole (RFC 9110, section 14.4).
fn content_range(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    Some((first..last.checked_add(1)?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: u64 = 1 << 20;

    fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn whole(length: Option<u64>) -> Representation<()> {
        Representation {
            status: StatusCode::OK,
            headers: map(&[("etag", "\"1\""), ("last-modified", "then")]),
            length,
            body: (),
        }
    }

    fn wanted(range: &str, length: Option<u64>) -> Option<String> {
        let wanted = Wanted::of(&Method::GET, &map(&[("range", range)]), &whole(length))?;
        Some(wanted.header.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_begins_late_is_asked_for() {
        let far = NEAR + 1;
        for (range, length, asked) in [
            ("bytes=-10", Some(LENGTH), Some("bytes=1048566-1048575")),
            (
                "bytes=1000000-",
                Some(LENGTH),
                Some("bytes=1000000-1048575"),
            ),
            (
                &format!("bytes={far}-{far}"),
                Some(LENGTH),
                Some("bytes=262145-262145"),
            ),
            (&format!("bytes={NEAR}-"), Some(LENGTH), None),
            ("bytes=-1048576", Some(LENGTH), None),
            ("bytes=-10", Some(100), None),
            ("bytes=2000000-", Some(LENGTH), None),
            ("bytes=500000-500001,600000-600001", Some(LENGTH), None),
            ("lines=500000-", Some(LENGTH), None),
            ("bytes=-10", None, Some("bytes=-10")),
            ("bytes=0-9", None, Some("bytes=0-9")),
            ("bytes=0-1,5-6", None, None),
            ("bytes=5-2", None, None),
        ] {
            assert_eq!(
                wanted(range, length).as_deref(),
                asked,
                "{range} {length:?}"
            );
        }
        let asked = map(&[("range", "bytes=-10"), ("if-range", "\"2\"")]);
        assert_eq!(Wanted::of(&Method::GET, &asked, &whole(Some(LENGTH))), None);
        assert_eq!(Wanted::of(&Method::GET, &map(&[]), &whole(None)), None);
        let asked = map(&[("range", "bytes=-10")]);
        assert_eq!(
            Wanted::of(&Method::HEAD, &asked, &whole(Some(LENGTH))),
            None
        );
    }

    #[test]
    fn only_the_range_of_the_same_whole_is_an_answer() {
        let good = ("content-range", "bytes 1048566-1048575/1048576");
        for (length, status, headers, answers) in [
            (Some(LENGTH), 206, &[good][..], true),
            (Some(LENGTH), 206, &[good, ("etag", "\"1\"")], true),
            (None, 206, &[good], true),
            (Some(LENGTH), 200, &[good], false),
            (Some(LENGTH), 206, &[], false),
            (Some(LENGTH), 206, &[good, ("etag", "\"2\"")], false),
            (Some(LENGTH), 206, &[good, ("last-modified", "now")], false),
            (
                Some(LENGTH),
                206,
                &[good, ("content-encoding", "gzip")],
                false,
            ),
            (
                Some(LENGTH),
                206,
                &[("content-range", "bytes 1048566-1048574/1048576")],
                false,
            ),
            (
                Some(LENGTH),
                206,
                &[("content-range", "bytes 1048566-1048575/1048577")],
                false,
            ),
            (
                Some(LENGTH),
                206,
                &[("content-range", "bytes 1048566-1048575/*")],
                false,
            ),
            (
                None,
                206,
                &[("content-range", "bytes 1048566-1048575/*")],
                false,
            ),
            (None, 206, &[("content-range", "bytes 0-9/1048576")], false),
        ] {
            let request = map(&[("range", "bytes=-10")]);
            let whole = whole(length);
            let wanted = Wanted::of(&Method::GET, &request, &whole).unwrap();
            let status = StatusCode::from_u16(status).unwrap();
            let client = (&Method::GET, &request);
            let answered = wanted.answered_by(status, &map(headers), client, &whole);
            let expected = answers.then_some((LENGTH - 10..LENGTH, LENGTH));
            assert_eq!(answered, expected, "{length:?} {status} {headers:?}");
        }
    }

    #[test]
    fn a_weak_tag_is_no_validator() {
        let date = ("last-modified", "then");
        for (headers, validator) in [
            (&[("etag", "\"1\""), date][..], Some("\"1\"")),
            (&[("etag", "W/\"1\""), date], Some("then")),
            (&[("etag", "W/\"1\"")], None),
        ] {
            let headers = map(headers);
            let found = strong_validator(&headers).map(|value| value.to_str().unwrap());
            assert_eq!(found, validator);
        }
    }
}
