//! Bodies on their way to the client.

use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};

/// What ends a body before its end. The client then sees its connection break off.
pub type BodyError = io::Error;

/// The body of a [`Response`](super::Response).
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A file is read in pieces of this many bytes.
const PIECE: usize = 128 << 10;

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

/// A body that comes piece by piece.
pub fn stream(pieces: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> Body {
    use futures_util::TryStreamExt;
    StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync()
}

/// A range of a file's bytes.
#[must_use]
pub fn file(file: Arc<File>, range: Range<u64>) -> Body {
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
    let mut piece = BytesMut::zeroed(wanted);
    let read = file.read_at(&mut piece, range.start)?;
    if read == 0 {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the file is shorter than it was when it was opened",
        ));
    }
    piece.truncate(read);
    Ok(piece.freeze())
}
