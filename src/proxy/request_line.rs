//! Request lines as clients write them, made such as hyper takes.
//!
//! Servers take more in the target of a request than hyper does: `"` and `<`, the backtick, bytes that are no
//! UTF-8. curl sends all of them as they stand on its command line. hyper answers 400 and closes the connection. So
//! they are percent-encoded before hyper sees them ([`sendable`]). A target that means nothing even then is kept back,
//! so that it can be answered with the reason.
//!
//! This looks at the first line of a request, and at nothing else. Where one begins is known without reading
//! what is between: on a new connection, after a request without a body, and when a body has been read.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use http::{Method, Request, Uri, Version};
use http_body::Body;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::{
    MAX_HEAD, RequestError,
    resets::{HTTP_1_1_REQUIRED, Resets},
};
use crate::inventory::{secrets::presentable, sendable};

/// What is known of the request lines of a connection.
#[derive(Clone, Debug)]
pub(super) struct RequestLines(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// Whether what comes next is the head of a request.
    head_is_next: AtomicBool,
    /// Why the target of the request means nothing that hyper has now.
    refused: Mutex<Option<RequestError>>,
}

impl RequestLines {
    /// Those of a new connection.
    pub(super) fn new() -> Self {
        Self(Arc::new(Known {
            head_is_next: AtomicBool::new(true),
            refused: Mutex::default(),
        }))
    }

    /// hyper has read the head of `request`, and not asked for what comes after it.
    pub(super) fn begun<B: Body>(&self, request: &Request<B>) {
        let others_follow =
            request.version() <= Version::HTTP_11 && request.method() != Method::CONNECT;
        self.expect_head(others_follow && request.body().is_end_stream());
    }

    /// All of the body of a request has been read.
    pub(super) fn body_was_read(&self) {
        self.expect_head(true);
    }

    /// Why the request that hyper has now is not to be taken.
    pub(super) fn refused(&self) -> Option<RequestError> {
        let mut refused = self
            .0
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refused.take()
    }

    fn expect_head(&self, is_next: bool) {
        self.0.head_is_next.store(is_next, Ordering::Release);
    }

    fn head_is_next(&self) -> bool {
        self.0.head_is_next.load(Ordering::Acquire)
    }

    /// A request line, such as hyper takes.
    fn mended(&self, line: Vec<u8>) -> Vec<u8> {
        let Some((method, target, version)) = parts(&line) else {
            return line;
        };
        let target = target_for_hyper(target).unwrap_or_else(|refused| {
            let mut place = self
                .0
                .refused
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *place = Some(refused);
            b"/".to_vec()
        });
        [method, &target, version].join(&b' ')
    }
}

/// Method, target and the rest, if that is a request line.
fn parts(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let first = line.iter().position(|byte| *byte == b' ')?;
    let last = line.windows(6).rposition(|part| part == b" HTTP/")?;
    let target = line.get(first + 1..last)?;
    let method = &line[..first];
    let is_method = method
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
    (is_method && !target.is_empty()).then_some((method, target, &line[last + 1..]))
}

fn target_for_hyper(target: &[u8]) -> Result<Vec<u8>, RequestError> {
    let path = match target.windows(3).position(|part| part == b"://") {
        Some(scheme) if !target.starts_with(b"/") => {
            let host = scheme + 3;
            let path = target[host..].iter().position(|byte| b"/?#".contains(byte));
            path.map_or(target.len(), |path| host + path)
        }
        // `CONNECT host:port`, or a target without a host.
        _ => target
            .iter()
            .position(|byte| b"/?#".contains(byte))
            .unwrap_or(target.len()),
    };
    let (server, path) = target.split_at(path);
    let target = [server, sendable(path).as_bytes()].concat();
    match Uri::try_from(&target[..]) {
        Ok(_) => Ok(target),
        Err(source) => Err(RequestError::Target {
            text: presentable(&String::from_utf8_lossy(&target)),
            source,
        }),
    }
}

/// Whether there is nothing to mend about a line, which most often there is not.
fn is_plain(line: &[u8]) -> bool {
    let plain = |byte: &u8| matches!(byte, b'!'..=b'~') && !b"\"<>`".contains(byte);
    parts(line).is_some_and(|(_, target, _)| {
        let is_path = target.starts_with(b"/") && target.len() < usize::from(u16::MAX);
        target.iter().all(plain) && (is_path || Uri::try_from(target).is_ok())
    })
}

/// The first line of what a client of HTTP/2 says (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Whether a line without its end so far may be the start of a request line.
fn may_go_on(start: &[u8]) -> bool {
    start.len() <= MAX_HEAD as usize && start.first().is_some_and(u8::is_ascii_alphabetic)
}

/// A connection whose request lines are mended.
#[derive(Debug)]
pub(super) struct Mending<S> {
    stream: S,
    lines: RequestLines,
    /// Of a line that was not plain, what has arrived, or what is still to be given.
    line: Vec<u8>,
    /// So much of it is given already; `None` while it arrives.
    given: Option<usize>,
    /// Where HTTP/2 is spoken.
    resets: Option<Resets>,
}

impl<S> Mending<S> {
    pub(super) fn new(stream: S, lines: RequestLines) -> Self {
        Self {
            stream,
            lines,
            line: Vec::new(),
            given: None,
            resets: None,
        }
    }

    /// Takes the line as whole.
    fn complete(&mut self) {
        let line = std::mem::take(&mut self.line);
        let blank = line.iter().all(u8::is_ascii_whitespace);
        // Blank lines may come before a request (RFC 9112, section 2.2).
        self.lines.expect_head(blank && !line.is_empty());
        if line == PREFACE {
            self.resets = Some(Resets::default());
        }
        self.line = self.lines.mended(line);
        self.given = Some(0);
    }
}

impl<S: AsyncBufRead + Unpin> AsyncRead for Mending<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if let Some(given) = this.given {
                let rest = &this.line[given..];
                let piece = &rest[..rest.len().min(buffer.remaining())];
                buffer.put_slice(piece);
                this.given = Some(given + piece.len());
                if piece.len() == rest.len() {
                    this.given = None;
                    this.line.clear();
                }
                return Poll::Ready(Ok(()));
            }
            if !this.lines.head_is_next() {
                return Pin::new(&mut this.stream).poll_read(cx, buffer);
            }
            let arrived = ready!(Pin::new(&mut this.stream).poll_fill_buf(cx))?;
            let end = arrived.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(arrived.len(), |end| end + 1);
            let line = &arrived[..length];
            if arrived.is_empty() && this.line.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if this.line.is_empty() && end.is_some() && is_plain(line) {
                this.lines.expect_head(false);
                if line == PREFACE {
                    this.resets = Some(Resets::default());
                }
                continue;
            }
            this.line.extend_from_slice(line);
            let at_end = end.is_some() || arrived.is_empty();
            Pin::new(&mut this.stream).consume(length);
            if at_end || !may_go_on(&this.line) {
                this.complete();
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Mending<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let stream = Pin::new(&mut this.stream);
        let Some(resets) = &mut this.resets else {
            return stream.poll_write(cx, bytes);
        };
        let written = match resets.find(bytes) {
            None => stream.poll_write(cx, bytes),
            Some(0) => stream.poll_write(cx, &[HTTP_1_1_REQUIRED]),
            Some(at) => stream.poll_write(cx, &bytes[..at]),
        };
        if let Poll::Ready(Ok(length)) = written {
            resets.written(&bytes[..length]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let Some(resets) = &mut this.resets else {
            return Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        };
        let mut ahead = *resets;
        for piece in bytes {
            if ahead.find(piece).is_some() {
                // Piece by piece, then.
                let first = bytes.iter().find(|piece| !piece.is_empty());
                return self.poll_write(cx, first.map_or(&[], |first| first));
            }
            ahead.written(piece);
        }
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        if let Poll::Ready(Ok(mut length)) = written {
            for piece in bytes {
                let of_piece = length.min(piece.len());
                resets.written(&piece[..of_piece]);
                length -= of_piece;
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, BufReader};

    use super::*;

    /// What hyper gets of `sent`, which arrives in pieces of `piece` bytes, and whether it is to be refused.
    async fn given(sent: &[u8], piece: usize) -> (Vec<u8>, bool) {
        let lines = RequestLines::new();
        let stream = BufReader::with_capacity(piece, sent);
        let mut given = Vec::new();
        let mut mending = Mending::new(stream, lines.clone());
        mending.read_to_end(&mut given).await.unwrap();
        (given, lines.refused().is_some())
    }

    #[tokio::test]
    async fn a_target_is_mended_and_nothing_else() {
        let body = b"X: GET /<a> HTTP/1.1\r\n\r\nGET /\"<\xff HTTP/1.1\r\n";
        for (line, wanted) in [
            (&b"GET /a HTTP/1.1\r\n"[..], &b"GET /a HTTP/1.1\r\n"[..]),
            (
                b"GET /<a>`?\"b\" HTTP/1.1\r\n",
                b"GET /%3Ca%3E%60?%22b%22 HTTP/1.1\r\n",
            ),
            (b"GET /a b HTTP/1.0\n", b"GET /a%20b HTTP/1.0\n"),
            (
                b"\r\n\r\nGET /\xfc\xc3\xbc HTTP/1.1\r\n",
                b"\r\n\r\nGET /%FC\xc3\xbc HTTP/1.1\r\n",
            ),
            (
                b"POST http://a.b:1/<>?<> HTTP/1.1\r\n",
                b"POST http://a.b:1/%3C%3E?%3C%3E HTTP/1.1\r\n",
            ),
            (
                b"CONNECT a.b:443 HTTP/1.1\r\n",
                b"CONNECT a.b:443 HTTP/1.1\r\n",
            ),
            (b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n"),
            (b"SSH-2.0-x \"y\"\r\n", b"SSH-2.0-x \"y\"\r\n"),
            (b"\x01\x02", b"\x01\x02"),
        ] {
            for piece in [1, 7, 8192] {
                let (given, refused) = given(&[line, body].concat(), piece).await;
                let wanted = [wanted, body].concat();
                assert_eq!(
                    given.escape_ascii().to_string(),
                    wanted.escape_ascii().to_string()
                );
                assert!(!refused);
            }
        }
    }

    #[tokio::test]
    async fn a_target_that_means_nothing_is_kept_back() {
        let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(70_000));
        for line in [
            &b"GET http://a<b/ HTTP/1.1\r\n"[..],
            b"GET <a> HTTP/1.1\r\n",
            long.as_bytes(),
        ] {
            let (given, refused) = given(line, 8192).await;
            assert_eq!(given, b"GET / HTTP/1.1\r\n");
            assert!(refused);
        }
    }

    #[tokio::test]
    async fn the_next_request_is_mended_as_well() {
        let lines = RequestLines::new();
        let stream = BufReader::new(&b"GET /<1> HTTP/1.1\r\n\r\n"[..]);
        let mut mending = Mending::new(stream, lines.clone());
        let mut given = Vec::new();
        mending.read_to_end(&mut given).await.unwrap();
        lines.body_was_read();
        mending.stream = BufReader::new(&b"GET /<2> HTTP/1.1\r\n\r\n"[..]);
        mending.read_to_end(&mut given).await.unwrap();
        assert_eq!(
            given,
            b"GET /%3C1%3E HTTP/1.1\r\n\r\nGET /%3C2%3E HTTP/1.1\r\n\r\n"
        );
    }
}
