//! How connections over TLS end.
//!
//! Whoever has no more to say over TLS says so, by `close_notify`, so that nobody on the way can pass off a
//! part as the whole (RFC 8446, section 6.1). Many servers do not. Where the framing of a message tells its
//! length, that is enough to know whether it is whole; a body that lasts until its connection ends may have
//! been cut. Clients take it nonetheless, and so does this: such an end is an end, but it is noted.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use futures_util::future::{FutureExt, Map};
use http::{
    Response, Uri, Version,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower_service::Service;

/// Whether the connection of an answer ended without `close_notify`. It is known when the body has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending(Arc<AtomicBool>);

impl Ending {
    /// The ending of an answer whose body lasts as long as its connection (RFC 9112, section 6.3); the framing
    /// of any other tells whether it is whole.
    pub(crate) fn of<B>(response: &Response<B>) -> Option<Self> {
        let headers = response.headers();
        let framed = response.version() > Version::HTTP_11
            || headers.contains_key(CONTENT_LENGTH)
            || headers.contains_key(TRANSFER_ENCODING);
        let ending = response.extensions().get::<Self>();
        ending.filter(|_| !framed).cloned()
    }

    /// Whether it ended so.
    pub(crate) fn is_abrupt(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A connector whose connections have an [`Ending`], which their answers have as an extension.
#[derive(Clone)]
pub(super) struct NotingEnds<C>(pub(super) C);

/// A connection of it.
pub(super) struct Noted<S> {
    stream: S,
    ending: Ending,
}

impl<C: Service<Uri>> Service<Uri> for NotingEnds<C> {
    type Response = Noted<C::Response>;
    type Error = C::Error;
    type Future =
        Map<C::Future, fn(Result<C::Response, C::Error>) -> Result<Self::Response, C::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        self.0.call(uri).map(|connected| {
            connected.map(|stream| Noted {
                stream,
                ending: Ending::default(),
            })
        })
    }
}

impl<S: Connection> Connection for Noted<S> {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.ending.clone())
    }
}

impl<S: Read + Unpin> Read for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.stream).poll_read(cx, buffer)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.ending.0.store(true, Ordering::Release);
                Poll::Ready(Ok(()))
            }
            read => Poll::Ready(read),
        }
    }
}

impl<S: Write + Unpin> Write for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
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
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }
}
