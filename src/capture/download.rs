//! A body on its way from upstream into the body cache, which clients can read while it grows.
//!
//! Upstream and client are not tied to each other: a client that hangs up does not end the
//! download, so the record has no hole; one that reads slowly does not hold it up; and one that asks
//! for a range gets it out of the whole. Memory stays constant, because what waits, waits on disk.

use std::{fs::File, io, ops::Range, sync::Arc, time::Duration};

use futures_util::stream::try_unfold;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{sync::watch, time::timeout};

use super::limits::Size;
use crate::{
    bodies::{BodyCache, CacheError, CachedBody, PartialBody},
    proxy::{Body, read_piece, stream},
    report::chain,
};

/// What is waited for, and what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long upstream may be silent in the middle of a body. It bounds what is waited for when the
    /// client has hung up, or the capture ends.
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
    /// It is whole, but too large to be kept.
    #[error("its body has {length} bytes, and --max-body allows {limit}")]
    TooLarge {
        /// Its length.
        length: u64,
        /// The limit.
        limit: Size,
    },
    /// It could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// How far a body is.
#[derive(Clone, Debug)]
enum Progress {
    /// So many bytes can be read.
    Arrived(u64),
    /// All of it can: so many bytes.
    Whole(u64),
    /// It will never be whole; so many bytes can be read, and then the reason is given, as text.
    Broken(u64, String),
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
    file: Arc<File>,
    progress: watch::Receiver<Progress>,
}

/// A body that is to come from `upstream`. One above the limit is passed on, but not kept: it is
/// forgotten with the last client that reads it.
pub(super) fn download(
    cache: &BodyCache,
    upstream: Incoming,
    bounds: Bounds,
) -> Result<(Download, Arriving), CacheError> {
    let partial = cache.begin()?;
    let file = Arc::new(partial.reader()?);
    let (sender, progress) = watch::channel(Progress::Arrived(0));
    let download = Download {
        upstream,
        bounds,
        partial,
        progress: sender,
    };
    Ok((download, Arriving { file, progress }))
}

impl Download {
    /// Runs the download to its end.
    pub(super) async fn run(mut self) -> Result<CachedBody, DownloadError> {
        let received = self.receive().await;
        let length = self.partial.length();
        let body = match (received, self.bounds.max_body) {
            (Ok(()), Some(limit)) if length > limit.bytes() => {
                Err(DownloadError::TooLarge { length, limit })
            }
            (Ok(()), _) => self.partial.finish().map_err(DownloadError::Cache),
            (Err(error), _) => Err(error),
        };
        self.progress.send_replace(match &body {
            Ok(_) | Err(DownloadError::TooLarge { .. }) => Progress::Whole(length),
            Err(error) => Progress::Broken(length, chain(error)),
        });
        body
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
            // Anything but data is trailers.
            if let Ok(piece) = frame.into_data() {
                self.partial.write(&piece)?;
                let arrived = Progress::Arrived(self.partial.length());
                self.progress.send_replace(arrived);
            }
        }
    }
}

impl Arriving {
    /// Waits until the body is whole, and gives its length.
    pub(super) async fn whole(&mut self) -> io::Result<u64> {
        let done = |progress: &Progress| !matches!(progress, Progress::Arrived(_));
        let progress = self.progress.wait_for(done).await;
        match progress.as_deref() {
            Ok(Progress::Whole(length)) => Ok(*length),
            Ok(Progress::Broken(_, why)) => Err(io::Error::other(why.clone())),
            Ok(Progress::Arrived(_)) | Err(_) => Err(given_up()),
        }
    }

    /// The bytes of `range`, as they arrive; a range may go beyond the end.
    pub(super) fn body(self, range: Range<u64>) -> Body {
        stream(try_unfold(
            (self, range),
            |(mut arriving, mut range)| async move {
                let available = arriving.beyond(range.start).await?;
                let readable = range.start..range.end.min(available);
                if readable.is_empty() {
                    return Ok(None);
                }
                let piece = read_piece(&arriving.file, &readable)?;
                range.start += piece.len() as u64;
                Ok(Some((piece, (arriving, range))))
            },
        ))
    }

    /// Waits until there is something at `start`, or the body is whole, and gives the bytes there are.
    async fn beyond(&mut self, start: u64) -> io::Result<u64> {
        let progress = self.progress.wait_for(|progress| match progress {
            Progress::Arrived(length) => *length > start,
            Progress::Whole(_) | Progress::Broken(..) => true,
        });
        match progress.await.as_deref() {
            Ok(Progress::Arrived(length) | Progress::Whole(length)) => Ok(*length),
            // A client that reads slowly gets all that came, as it would have.
            Ok(Progress::Broken(length, _)) if *length > start => Ok(*length),
            Ok(Progress::Broken(_, why)) => Err(io::Error::other(why.clone())),
            Err(_) => Err(given_up()),
        }
    }
}

fn given_up() -> io::Error {
    io::Error::other("the download was given up, because the capture ended")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn what_came_before_a_body_broke_off_is_given() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"half").unwrap();
        let broken = Progress::Broken(4, "on purpose".to_owned());
        let (_sender, progress) = watch::channel(broken);
        let file = Arc::new(file);
        let mut body = Arriving { file, progress }.body(0..u64::MAX);
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(piece, "half");
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "on purpose");
    }
}
