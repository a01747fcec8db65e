//! A client's connection on which the kernel sends files, by sendfile(2): they need not be copied into memory.
//!
//! hyper knows only bytes in memory. So a range of a file goes through it as a stand-in of the same length, which
//! nobody reads, and past it as what it is, in [`Files`]. [`Socket`] then sends the one where it is told to
//! write the other. That took a third of the processor's time that reading and writing takes, maps of the
//! file and `MSG_ZEROCOPY` included.
//!
//! Bytes that are none must not reach a client, whatever becomes of hyper: a stand-in that does not fit the file
//! that is to be next, or is missing, ends the connection.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, IoSlice},
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use rustix::io::Errno;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

use super::body::{read_piece, too_short};

/// The most bytes that one stand-in stands for.
const LONGEST: usize = 2 << 20;

/// What stand-ins are slices of, each from its start. It is never read, so that it takes no memory.
static STAND_IN: [u8; LONGEST] = [0; LONGEST];

/// The parts of files that a socket is to send, in the order of their stand-ins.
#[derive(Clone, Debug, Default)]
pub(super) struct Files(Arc<Mutex<VecDeque<Part>>>);

/// What a stand-in stands for.
#[derive(Clone, Debug)]
struct Part {
    file: Arc<File>,
    start: u64,
    length: usize,
}

impl Files {
    /// Has the first part of `range` sent, which is not to be empty, where what this gives is written.
    pub(super) fn send(&self, file: &Arc<File>, range: &Range<u64>) -> Bytes {
        let length = range.end.saturating_sub(range.start);
        let length = usize::try_from(length).unwrap_or(LONGEST).min(LONGEST);
        self.parts().push_back(Part {
            file: Arc::clone(file),
            start: range.start,
            length,
        });
        Bytes::from_static(&STAND_IN[..length])
    }

    fn parts(&self) -> std::sync::MutexGuard<'_, VecDeque<Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written first, where that is what `slices` say.
    fn next(&self, slices: &[IoSlice<'_>]) -> io::Result<Next> {
        let stand_in = slices.iter().position(|slice| is_stand_in(slice));
        match (stand_in, self.parts().front()) {
            (None, None) => Ok(Next::Memory(slices.len())),
            (Some(0), Some(part)) => {
                // So much of it was sent before.
                let sent = part.length.checked_sub(slices[0].len());
                match sent {
                    Some(sent) if slices[0].as_ptr() == STAND_IN[sent..].as_ptr() => {
                        Ok(Next::File(Part {
                            file: Arc::clone(&part.file),
                            start: part.start + sent as u64,
                            length: part.length - sent,
                        }))
                    }
                    _ => Err(confused()),
                }
            }
            (Some(before), Some(_)) => Ok(Next::Memory(before)),
            (Some(_), None) | (None, Some(_)) => Err(confused()),
        }
    }
}

/// What is to be written first.
enum Next {
    /// So many slices are what they seem.
    Memory(usize),
    /// The first slice stands for what is left of a part.
    File(Part),
}

fn is_stand_in(slice: &[u8]) -> bool {
    !slice.is_empty() && STAND_IN.as_ptr_range().contains(&slice.as_ptr())
}

fn confused() -> io::Error {
    io::Error::other("the files to be sent are not those that were written")
}

/// A connection to a client.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    files: Files,
}

impl Socket {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            files: Files::default(),
        }
    }

    /// The files that it is to send.
    pub(super) fn files(&self) -> Files {
        self.files.clone()
    }

    fn poll_send(&self, cx: &mut Context<'_>, part: &Part) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.tcp.poll_write_ready(cx))?;
            let sent = self
                .tcp
                .try_io(Interest::WRITABLE, || send(&self.tcp, part));
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }
}

/// Sends what there is room for.
fn send(tcp: &TcpStream, part: &Part) -> io::Result<usize> {
    match rustix::io::retry_on_intr(|| sendfile(tcp, part)) {
        Ok(0) => Err(too_short()),
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS) => {
            let range = part.start..part.start + part.length as u64;
            let piece = read_piece(&part.file, &range)?;
            Ok(rustix::io::retry_on_intr(|| {
                rustix::io::write(tcp, &piece)
            })?)
        }
        sent => Ok(sent?),
    }
}

#[cfg(target_os = "linux")]
fn sendfile(tcp: &TcpStream, part: &Part) -> Result<usize, Errno> {
    rustix::fs::sendfile(tcp, &part.file, Some(&mut part.start.clone()), part.length)
}

#[cfg(not(target_os = "linux"))]
fn sendfile(_: &TcpStream, _: &Part) -> Result<usize, Errno> {
    Err(Errno::NOSYS)
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.files.next(slices)? {
            Next::Memory(count) => {
                Pin::new(&mut self.tcp).poll_write_vectored(cx, &slices[..count])
            }
            Next::File(part) => {
                let sent = ready!(self.poll_send(cx, &part))?;
                if sent == part.length {
                    self.files.parts().pop_front();
                }
                Poll::Ready(Ok(sent))
            }
        }
    }

    /// hyper then leaves what it writes where it is.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (Socket::new(server), client)
    }

    fn file(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(file)
    }

    /// Writes all of what is in memory and what stands for files, as hyper does.
    async fn write(socket: &mut Socket, pieces: &[Bytes]) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            let written = socket.write_vectored(left).await?;
            IoSlice::advance_slices(&mut left, written);
        }
        Ok(())
    }

    #[tokio::test]
    async fn files_are_sent_where_their_stand_ins_are_written() {
        let (mut socket, mut client) = pair().await;
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * LONGEST).collect();
        let (one, other) = (file(&bytes), file(b"other"));
        let files = socket.files();
        let start = files.send(&one, &(1..bytes.len() as u64));
        assert_eq!(start.len(), LONGEST);
        let rest = files.send(&one, &(1 + LONGEST as u64..2 * LONGEST as u64));
        let pieces = [
            Bytes::from_static(b"head"),
            start,
            rest,
            Bytes::from_static(b"between"),
            files.send(&other, &(1..3)),
            files.send(&other, &(0..5)),
        ];
        let expected = [b"head", &bytes[1..2 * LONGEST], b"between", b"th", b"other"].concat();
        let mut got = vec![0; expected.len()];
        let (sent, read) = tokio::join!(write(&mut socket, &pieces), client.read_exact(&mut got));
        sent.unwrap();
        read.unwrap();
        assert!(got == expected);
        assert!(files.parts().is_empty());
    }

    #[tokio::test]
    async fn what_does_not_fit_is_not_sent() {
        let (mut socket, _client) = pair().await;
        let confused = |written: io::Result<()>| {
            let error = written.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Other, "{error}");
        };
        let stand_in = socket.files().send(&file(b"0123456789"), &(0..10));
        // hyper has made a copy of it.
        let copy = Bytes::copy_from_slice(&stand_in);
        confused(write(&mut socket, &[copy]).await);
        // It has left out the end.
        confused(write(&mut socket, &[stand_in.slice(..5)]).await);
        write(&mut socket, std::slice::from_ref(&stand_in))
            .await
            .unwrap();
        // It has written it twice.
        confused(write(&mut socket, &[stand_in]).await);
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_breaks_off() {
        let (mut socket, mut client) = pair().await;
        let stand_in = socket.files().send(&file(b"half"), &(0..8));
        let error = write(&mut socket, &[stand_in]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        drop(socket);
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"half");
    }

    /// The command line of this process is such a file.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_file_that_the_kernel_does_not_send_is_read() {
        let (mut socket, mut client) = pair().await;
        let bytes = std::fs::read("/proc/self/cmdline").unwrap();
        let file = Arc::new(File::open("/proc/self/cmdline").unwrap());
        let part = Part {
            file: Arc::clone(&file),
            start: 0,
            length: bytes.len(),
        };
        assert_eq!(sendfile(&socket.tcp, &part), Err(Errno::INVAL));
        let stand_in = socket.files().send(&file, &(1..bytes.len() as u64));
        write(&mut socket, &[stand_in]).await.unwrap();
        drop(socket);
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, bytes[1..]);
    }
}
