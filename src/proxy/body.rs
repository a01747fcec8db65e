//! Bodies on their way to the client.

use std::{
    cell::RefCell,
    fs::File,
    io,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use rustix::io::retry_on_intr;

use super::{Response, socket::Files};
use crate::{aligned::Aligned, visible::visible};

/// What ends a body before its end. The client then sees its connection break off.
pub type BodyError = io::Error;

/// The body of a [`Response`].
#[derive(Debug)]
pub struct Body(Source);

/// Where its bytes are.
#[derive(Debug)]
enum Source {
    Memory(Full<Bytes>),
    File(FileBody),
    Stream(UnsyncBoxBody<Bytes, BodyError>),
}

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
    Body(Source::Memory(Full::new(bytes.into())))
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
    let pieces = StreamBody::new(pieces.map_ok(Frame::data));
    Body(Source::Stream(pieces.boxed_unsync()))
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
    Body(Source::File(FileBody {
        file,
        range,
        sent_by: None,
    }))
}

impl Body {
    /// The same for a client at the other end of a socket, with nothing between: what is a file goes past
    /// hyper, by `files`.
    pub(super) fn sent_by(mut self, files: &Files) -> Self {
        if let Source::File(file) = &mut self.0 {
            file.sent_by = Some(files.clone());
        }
        self
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Source::Memory(body) => {
                let Ok(frame) = ready!(Pin::new(body).poll_frame(cx)).transpose();
                Poll::Ready(frame.map(Ok))
            }
            Source::File(body) => Poll::Ready(body.next().map(|piece| piece.map(Frame::data))),
            Source::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Memory(body) => body.is_end_stream(),
            Source::File(body) => body.range.is_empty(),
            Source::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Memory(body) => body.size_hint(),
            Source::File(body) => SizeHint::with_exact(body.left()),
            Source::Stream(body) => body.size_hint(),
        }
    }
}

/// Reads where it is polled: a store path or a cached body is in the page cache or on a local disk,
/// and a hand-over to a thread and back takes longer than most of these reads.
#[derive(Debug)]
struct FileBody {
    file: Arc<File>,
    range: Range<u64>,
    /// What sends it, if it need not be read.
    sent_by: Option<Files>,
}

impl FileBody {
    fn left(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.range.is_empty() {
            return None;
        }
        let piece = match &self.sent_by {
            Some(files) => Ok(files.send(&self.file, &self.range)),
            None => read_piece(&self.file, &self.range),
        };
        if let Ok(piece) = &piece {
            self.range.start += piece.len() as u64;
        }
        Some(piece)
    }
}

/// The first piece of `range`.
pub(crate) fn read_piece(file: &File, range: &Range<u64>) -> io::Result<Bytes> {
    let wanted = range.end.saturating_sub(range.start);
    let wanted = usize::try_from(wanted).unwrap_or(PIECE).min(PIECE);
    let mut memory = if wanted > SMALL {
        spare()
    } else {
        Aligned::new(wanted)
    };
    let length = retry_on_intr(|| rustix::io::pread(file, &mut memory[..wanted], range.start))?;
    if length == 0 {
        return Err(too_short());
    }
    Ok(Bytes::from_owner(Piece { memory, length }))
}

/// Why there is nothing where something was.
pub(super) fn too_short() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the file is shorter than it was when it was opened",
    )
}

/// A piece of a file.
struct Piece {
    memory: Aligned,
    length: usize,
}

thread_local! {
    /// Memory of large pieces is not given back before the next one: what is read stays in the processor's cache
    /// until it is sent.
    static SPARE: RefCell<Vec<Aligned>> = const { RefCell::new(Vec::new()) };
}

/// Memory for [`PIECE`] bytes.
fn spare() -> Aligned {
    let spare = SPARE.with_borrow_mut(Vec::pop);
    spare.unwrap_or_else(|| Aligned::new(PIECE))
}

impl Drop for Piece {
    fn drop(&mut self) {
        if self.memory.len() < PIECE {
            return;
        }
        let memory = std::mem::replace(&mut self.memory, Aligned::new(0));
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
        &self.memory[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// The memory that an allocator gives begins 16 bytes after such an address, often.
    #[test]
    fn pieces_begin_where_the_kernel_copies_to_fast() {
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * PIECE).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        for length in [1, 4096, SMALL, SMALL + 1, PIECE, 2 * PIECE] {
            let range = 1..1 + length as u64;
            let pieces = [(); 3].map(|()| read_piece(&file, &range).unwrap());
            for piece in pieces {
                assert_eq!(piece.as_ptr().addr() % 64, 0, "{length}");
                assert_eq!(piece, bytes[1..=length.min(PIECE)], "{length}");
            }
        }
    }
}
