//! Bodies on their way to the client.

use std::{
    cell::RefCell,
    fs::File,
    io,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use rustix::{buffer::spare_capacity, io::retry_on_intr};

use super::Response;
use crate::visible::visible;

/// What ends a body before its end. The client then sees its connection break off.
pub type BodyError = io::Error;

/// The body of a [`Response`].
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A file is read in pieces of this many bytes.
const PIECE: usize = 128 << 10;

/// What has no more bytes than this is read at once, before its head is sent.
const SMALL: usize = 64 << 10;

/// So many buffers of [`PIECE`] bytes are kept by a thread for the next pieces.
const MAX_SPARE: usize = 8;

/// No body.
#[must_use]
pub fn empty() -> Body {
    full(Bytes::new())
}

/// A body that is in memory.
#[must_use]
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// What buildproxy itself has to say, in place of an answer.
#[must_use]
pub fn plain(status: StatusCode, text: &str) -> Response {
    let text = visible(&format!("buildproxy: {text}\n")).into_owned();
    let length = HeaderValue::from(text.len());
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// A body that comes piece by piece.
pub fn stream(pieces: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> Body {
    use futures_util::TryStreamExt;
    StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync()
}

/// A range of a file's bytes.
#[must_use]
pub fn file(file: Arc<File>, range: Range<u64>) -> Body {
    if range.end.saturating_sub(range.start) <= SMALL as u64
        && let Ok(piece) = read_piece(&file, &range)
        && range.start + piece.len() as u64 == range.end
    {
        return full(piece);
    }
    FileBody { file, range }.boxed_unsync()
}

/// Reads where it is polled: a store path or a cached body is in the page cache or on a local disk,
/// and a hand-over to a thread and back takes longer than most of these reads.
struct FileBody {
    file: Arc<File>,
    range: Range<u64>,
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.range.is_empty() {
            return Poll::Ready(None);
        }
        let piece = read_piece(&self.file, &self.range);
        if let Ok(piece) = &piece {
            self.range.start += piece.len() as u64;
        }
        Poll::Ready(Some(piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.range.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.range.end.saturating_sub(self.range.start))
    }
}

/// The first piece of `range`.
pub(crate) fn read_piece(file: &File, range: &Range<u64>) -> io::Result<Bytes> {
    let wanted = range.end.saturating_sub(range.start);
    let wanted = usize::try_from(wanted).unwrap_or(PIECE).min(PIECE);
    if wanted <= SMALL {
        let mut piece = Vec::with_capacity(wanted.max(1));
        read_at(file, range.start, wanted, &mut piece)?;
        return Ok(Bytes::from(piece));
    }
    let mut piece = Piece::new();
    read_at(file, range.start, wanted, &mut piece.0)?;
    Ok(Bytes::from_owner(piece))
}

/// Reads what is there, up to `wanted` bytes, into the capacity of `piece`.
fn read_at(file: &File, offset: u64, wanted: usize, piece: &mut Vec<u8>) -> io::Result<()> {
    retry_on_intr(|| rustix::io::pread(file, spare_capacity(piece), offset))?;
    piece.truncate(wanted);
    if piece.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the file is shorter than it was when it was opened",
        ));
    }
    Ok(())
}

/// A large piece of a file. Its memory is neither cleared before it is read into, nor given back before the next
/// one: what is read stays in the processor's cache until it is sent.
struct Piece(Vec<u8>);

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Piece {
    fn new() -> Self {
        let spare = SPARE.with_borrow_mut(Vec::pop);
        Self(spare.unwrap_or_else(|| Vec::with_capacity(PIECE)))
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut memory = std::mem::take(&mut self.0);
        memory.clear();
        // There is no such list any more where a thread ends.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MAX_SPARE {
                spare.push(memory);
            }
        });
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
