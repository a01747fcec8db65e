//! A body on its way from upstream into the body cache, which clients can read while it grows.
//!
//! Upstream and client are not tied to each other: a client that hangs up does not end the
//! download, so the record has no hole; one that reads slowly does not hold it up; and one that asks
//! for a range gets it out of the whole. Memory stays constant, because what waits, waits on disk.
//!
//! A client that keeps up gets each piece from memory, before it is hashed and written, and the end of the
//! body before the file has its name. That took 1,000 downloads of 4 KiB, a connection each, from 2.2 to
//! 1.5 times of what they take without a proxy.

use std::{collections::VecDeque, fs::File, io, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream::try_unfold;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{sync::watch, task::yield_now, time::timeout};

use super::limits::Size;
use crate::{
    bodies::{BodyCache, CacheError, CachedBody, PartialBody},
    inventory::Algorithm,
    proxy::{Body, read_piece, stream},
    report::chain,
};

/// What is waited for, and what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long upstream may be silent in the middle of a body, or when it is asked a second time. It bounds
    /// what is waited for when the client has hung up, or the capture ends.
    pub stall: Duration,
    /// Bodies above this are passed on, but not recorded.
    pub max_body: Option<Size>,
}

/// Why a body did not become whole.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Upstream broke off, or said a length that was not true.
    #[error("the body broke off after {length} bytes")]
    Upstream {
        /// Bytes that had arrived.
        length: u64,
        /// Why.
        #[source]
        source: hyper::Error,
    },
    /// Upstream went silent.
    #[error("the body broke off after {length} bytes: nothing came for {} s", silence.as_secs())]
    Stalled {
        /// Bytes that had arrived.
        length: u64,
        /// How long was waited.
        silence: Duration,
    },
    /// It is too large to be kept.
    #[error("its body has {length} bytes or more, and --max-body allows {limit}")]
    TooLarge {
        /// Its length, so far as it has arrived.
        length: u64,
        /// The limit.
        limit: Size,
    },
    /// It could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// So many of the last bytes are held in memory, for clients that keep up; the others read from the file.
const LATEST: u64 = 64 << 10;

/// How far a body is.
#[derive(Debug, Default)]
struct Progress {
    /// So many bytes can be read.
    length: u64,
    /// The last of them, in the pieces that they came in, each with the number of bytes before it. What
    /// came before all of these is in the file.
    latest: VecDeque<(u64, Bytes)>,
    /// Where there is one.
    file: Option<Arc<File>>,
    /// So many of its bytes are there.
    written: u64,
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    /// More is to come.
    #[default]
    Arriving,
    /// That was all.
    Whole,
    /// It will never be whole: this is why.
    Broken(String),
}

/// The writing side: what has to be run for the body to arrive.
pub(super) struct Download {
    upstream: Incoming,
    bounds: Bounds,
    partial: PartialBody,
    progress: watch::Sender<Progress>,
}

/// The reading side.
#[derive(Clone, Debug)]
pub(super) struct Arriving {
    progress: watch::Receiver<Progress>,
}

/// A body that is to come from `upstream`. One above the limit is passed on, but not kept: it is
/// forgotten with the last client that reads it.
pub(super) fn download(
    cache: &BodyCache,
    upstream: Incoming,
    bounds: Bounds,
) -> (Download, Arriving) {
    let (sender, progress) = watch::channel(Progress::default());
    let download = Download {
        upstream,
        bounds,
        partial: cache.begin(Algorithm::Sha256),
        progress: sender,
    };
    (download, Arriving { progress })
}

impl Download {
    /// Runs the download to its end.
    pub(super) async fn run(mut self) -> Result<CachedBody, DownloadError> {
        let received = self.receive().await;
        let length = self.partial.length();
        self.progress.send_modify(|progress| match &received {
            Ok(()) => {
                progress.state = State::Whole;
                // The client may read as slowly as it likes from now on.
                progress.let_go(0);
            }
            Err(error) => progress.state = State::Broken(chain(error)),
        });
        received?;
        // The client goes first.
        yield_now().await;
        match self.bounds.max_body {
            Some(limit) if length > limit.bytes() => Err(DownloadError::TooLarge { length, limit }),
            _ => Ok(self.partial.finish()?),
        }
    }

    async fn receive(&mut self) -> Result<(), DownloadError> {
        loop {
            let length = self.partial.length();
            let frame = timeout(self.bounds.stall, self.upstream.frame());
            let frame = frame.await.map_err(|_| DownloadError::Stalled {
                length,
                silence: self.bounds.stall,
            })?;
            let Some(frame) = frame else {
                return Ok(());
            };
            let frame = frame.map_err(|source| DownloadError::Upstream { length, source })?;
            if let Some(limit) = self.bounds.max_body
                && length > limit.bytes()
                && self.progress.is_closed()
            {
                // It is not to be kept, and nobody reads it any more.
                return Err(DownloadError::TooLarge { length, limit });
            }
            // Anything but data is trailers.
            if let Ok(piece) = frame.into_data() {
                self.keep(&piece)?;
            }
        }
    }

    /// Hands a piece to clients, and then keeps it: who waits for it does not wait for the disk.
    fn keep(&mut self, piece: &Bytes) -> Result<(), CacheError> {
        self.progress
            .send_modify(|progress| progress.push(piece.clone()));
        self.partial.write(piece)?;
        let new = match self.progress.borrow().file {
            Some(_) => None,
            None => self.partial.reader()?,
        };
        let written = self.partial.written();
        self.progress.send_if_modified(|progress| {
            progress.written(new, written);
            // Nobody waits for that.
            false
        });
        Ok(())
    }
}

impl Progress {
    /// Takes a piece in.
    fn push(&mut self, piece: Bytes) {
        let start = self.length;
        self.length += piece.len() as u64;
        self.latest.push_back((start, piece));
    }

    /// So much is in the file, if there is one, which may be `new`.
    fn written(&mut self, new: Option<File>, length: u64) {
        if let Some(new) = new {
            self.file = Some(Arc::new(new));
        }
        self.written = length;
        self.let_go(LATEST);
    }

    /// Holds no more than so many bytes, or a piece more, of those that are in a file.
    fn let_go(&mut self, but: u64) {
        while self.file.is_some()
            && let Some((start, first)) = self.latest.front()
            && let end = start + first.len() as u64
            && end <= self.written
            && self.length - end >= but
        {
            self.latest.pop_front();
        }
    }

    /// Where the bytes at `start` are, which have arrived.
    fn place(&self, start: u64) -> Option<Place> {
        let held = self.latest.iter().rev();
        let mut held = held.skip_while(|(of_piece, _)| *of_piece > start);
        if let Some((of_piece, piece)) = held.next() {
            let skip = usize::try_from(start - of_piece).ok()?;
            return Some(Place::Memory(piece.slice(skip..)));
        }
        let end = self.latest.front().map_or(self.length, |(first, _)| *first);
        let file = self.file.clone()?;
        Some(Place::File(file, start..end))
    }
}

/// Where bytes can be had.
enum Place {
    /// In a piece that is held, whose first byte is the one wanted.
    Memory(Bytes),
    /// In the file, as far as the range goes.
    File(Arc<File>, Range<u64>),
}

impl Arriving {
    /// Waits until the body is whole, and gives its length.
    pub(super) async fn whole(&mut self) -> io::Result<u64> {
        let done = |progress: &Progress| progress.state != State::Arriving;
        let progress = self.progress.wait_for(done).await;
        let progress = progress.map_err(|_| given_up())?;
        match &progress.state {
            State::Whole => Ok(progress.length),
            State::Broken(why) => Err(io::Error::other(why.clone())),
            State::Arriving => Err(given_up()),
        }
    }

    /// Waits until the byte at `position` is there, or it is known that it will not come.
    pub(super) async fn reached(&mut self, position: u64) {
        // Given up, it will not come either.
        let _ = self.until_reached(position).await;
    }

    async fn until_reached(
        &mut self,
        position: u64,
    ) -> Result<watch::Ref<'_, Progress>, watch::error::RecvError> {
        let done =
            |progress: &Progress| progress.length > position || progress.state != State::Arriving;
        self.progress.wait_for(done).await
    }

    /// The bytes of `range`, as they arrive; a range may go beyond the end.
    pub(super) fn body(self, range: Range<u64>) -> Body {
        stream(try_unfold(
            (self, range),
            |(mut arriving, mut range)| async move {
                let Some(piece) = arriving.next(&range).await? else {
                    return Ok(None);
                };
                range.start += piece.len() as u64;
                Ok(Some((piece, (arriving, range))))
            },
        ))
    }

    /// Waits until something of `range` is there, and gives it; `None` where there will be no more.
    pub(super) async fn next(&mut self, range: &Range<u64>) -> io::Result<Option<Bytes>> {
        if range.is_empty() {
            return Ok(None);
        }
        let progress = self.until_reached(range.start);
        let place = {
            let progress = progress.await.map_err(|_| given_up())?;
            // A client that reads slowly gets all that came, as it would have.
            if progress.length > range.start {
                progress.place(range.start)
            } else {
                return match &progress.state {
                    State::Broken(why) => Err(io::Error::other(why.clone())),
                    State::Whole | State::Arriving => Ok(None),
                };
            }
        };
        match place {
            Some(Place::Memory(mut piece)) => {
                let wanted = range.end - range.start;
                piece.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
                Ok(Some(piece))
            }
            Some(Place::File(file, written)) => {
                let wanted = written.start..written.end.min(range.end);
                read_piece(&file, &wanted).map(Some)
            }
            // What is not held is in the file.
            None => Err(given_up()),
        }
    }
}

fn given_up() -> io::Error {
    io::Error::other("the download was given up, because the capture ended")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http_body_util::BodyExt;

    use super::*;

    async fn next(body: &mut Body) -> io::Result<Bytes> {
        let frame = body.frame().await.unwrap()?;
        Ok(frame.into_data().unwrap())
    }

    #[tokio::test]
    async fn what_came_before_a_body_broke_off_is_given() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"half").unwrap();
        let (_sender, progress) = watch::channel(Progress {
            length: 4,
            file: Some(Arc::new(file)),
            written: 4,
            state: State::Broken("on purpose".to_owned()),
            ..Progress::default()
        });
        let mut body = Arriving { progress }.body(0..u64::MAX);
        assert_eq!(next(&mut body).await.unwrap(), "half");
        let error = next(&mut body).await.unwrap_err();
        assert_eq!(error.to_string(), "on purpose");
    }

    /// Every range of a body whose start is in the file alone, whose middle is in both, and whose end is
    /// not written yet.
    #[tokio::test]
    async fn bytes_come_from_the_file_or_from_memory() {
        let whole: Vec<u8> = (0..=u8::MAX).cycle().take(3 * 256 + 7).collect();
        let mut file = tempfile::tempfile().unwrap();
        let mut progress = Progress::default();
        for piece in whole[..600].chunks(100) {
            file.write_all(piece).unwrap();
            progress.push(Bytes::copy_from_slice(piece));
        }
        progress.file = Some(Arc::new(file));
        // What is not in the file stays in memory.
        progress.written = 250;
        progress.let_go(150);
        assert_eq!(progress.latest.front().unwrap().0, 200);
        progress.written = 600;
        progress.let_go(150);
        assert_eq!(progress.latest.front().unwrap().0, 400);
        progress.push(Bytes::copy_from_slice(&whole[600..]));
        progress.state = State::Whole;
        let (_sender, progress) = watch::channel(progress);
        for start in (0..whole.len()).step_by(50) {
            for end in (start..=whole.len()).step_by(50).chain([whole.len()]) {
                let arriving = Arriving {
                    progress: progress.clone(),
                };
                let body = arriving.body(start as u64..end as u64);
                let got = body.collect().await.unwrap().to_bytes();
                assert_eq!(got, whole[start..end], "{start}..{end}");
            }
        }
    }

    #[test]
    fn nothing_is_let_go_of_without_a_file() {
        let mut progress = Progress::default();
        for _ in 0..3 {
            progress.push(Bytes::from_static(b"piece"));
            progress.written(None, 0);
        }
        progress.let_go(0);
        assert_eq!(progress.latest.len(), 3);
        progress.written(Some(tempfile::tempfile().unwrap()), 15);
        assert_eq!(progress.latest.len(), 3);
        progress.let_go(6);
        assert_eq!(progress.latest.front().unwrap().0, 5);
        progress.let_go(0);
        assert_eq!(progress.latest.len(), 0);
    }
}
