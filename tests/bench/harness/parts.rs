//! What the work of a large capture is made of, each part by itself, and with what buildproxy does it with: no capture
//! can take less than their sum.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
};
use sha2::{Digest, Sha256};

use super::{
    process::{Core, pinned, timed},
    site::Site,
};

/// Bytes of a record of TLS.
const RECORD: usize = 16 << 10;

/// So many bytes at a time: they stay in the cache.
const PIECE: usize = 16 * RECORD;

/// The time on a core that each part takes.
#[derive(Debug)]
pub(super) struct Parts {
    decryption: Duration,
    hash: Duration,
    encryption: Duration,
    file: Duration,
    receiving: Duration,
    sending: Duration,
}

impl Parts {
    /// Measures them for as many bytes as the large file has.
    pub(super) fn measure(site: &Site) -> anyhow::Result<Self> {
        let pieces = usize::try_from(site.scale.large)? / PIECE;
        let (encryption, decryption) = on(site, Core::Server, || cipher(pieces))?;
        let (sending, receiving) = sockets(site, pieces)?;
        Ok(Self {
            decryption,
            hash: on(site, Core::Server, || hash(pieces))?,
            encryption,
            file: on(site, Core::Server, || file(site, pieces))?,
            receiving,
            sending,
        })
    }

    /// Each with its name.
    pub(super) fn named(&self) -> [(&'static str, Duration); 6] {
        [
            ("decryption alone", self.decryption),
            ("SHA-256 alone", self.hash),
            ("encryption alone", self.encryption),
            ("writing the file alone", self.file),
            ("receiving alone", self.receiving),
            ("sending alone", self.sending),
        ]
    }

    pub(super) fn sum(&self) -> Duration {
        self.named().map(|(_, time)| time).into_iter().sum()
    }
}

fn on<T>(site: &Site, core: Core, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    if site.scale.pinned {
        pinned(core, work)?
    } else {
        work()
    }
}

fn hash(pieces: usize) -> anyhow::Result<Duration> {
    let piece = vec![1; PIECE];
    let mut hasher = Sha256::new();
    let (time, ()) = timed(|| {
        for _ in 0..pieces {
            hasher.update(&piece);
        }
        Ok(())
    })?;
    // So that it is not left out.
    std::hint::black_box(hasher.finalize());
    Ok(time)
}

fn file(site: &Site, pieces: usize) -> anyhow::Result<Duration> {
    let piece = vec![1; PIECE];
    let mut file = tempfile::tempfile_in(site.path(""))?;
    let (time, ()) = timed(|| {
        for _ in 0..pieces {
            file.write_all(&piece)?;
        }
        Ok(())
    })?;
    Ok(time)
}

/// Encrypts and decrypts, as TLS 1.3 does between buildproxy and nginx.
fn cipher(pieces: usize) -> anyhow::Result<(Duration, Duration)> {
    let failed = |_| anyhow!("AES-GCM failed");
    let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).map_err(failed)?;
    let key = LessSafeKey::new(key);
    let nonce = || Nonce::assume_unique_for_key([7; 12]);
    let mut records: Vec<Vec<u8>> = vec![vec![1; RECORD]; PIECE / RECORD];
    let mut each = |work: &dyn Fn(&mut Vec<u8>) -> Result<(), Unspecified>| {
        timed(|| {
            for _ in 0..pieces {
                records.iter_mut().try_for_each(work).map_err(failed)?;
            }
            Ok(())
        })
    };
    let seal = |record: &mut Vec<u8>| {
        record.truncate(RECORD);
        key.seal_in_place_append_tag(nonce(), Aad::empty(), record)
    };
    let (encryption, ()) = each(&seal)?;
    let (both, ()) = each(&|record| {
        seal(record)?;
        key.open_in_place(nonce(), Aad::empty(), record).map(|_| ())
    })?;
    Ok((encryption, both.saturating_sub(encryption)))
}

/// Sends, and receives, over loopback, with the other end on the other core.
fn sockets(site: &Site, pieces: usize) -> anyhow::Result<(Duration, Duration)> {
    let send = |mut socket: TcpStream| {
        let piece = vec![1; PIECE];
        timed(|| {
            for _ in 0..pieces {
                socket.write_all(&piece)?;
            }
            Ok(())
        })
    };
    let receive = |mut socket: TcpStream| {
        // It begins where the kernel copies to fastest, as a part of it would.
        let mut memory = vec![0; PIECE + 64];
        let start = memory.as_ptr().align_offset(64);
        let piece = memory[start..].get_mut(..PIECE).context("no memory")?;
        timed(|| {
            while socket.read(piece)? > 0 {}
            Ok(())
        })
    };
    let (here, there) = pair()?;
    let (sending, ()) = beside(site, || receive(there).map(drop), || send(here))?;
    let (here, there) = pair()?;
    let (receiving, ()) = beside(site, || send(there).map(drop), || receive(here))?;
    Ok((sending, receiving))
}

/// Does one thing on the server's core, and the other meanwhile on the client's.
fn beside<T>(
    site: &Site,
    client: impl FnOnce() -> anyhow::Result<()> + Send,
    server: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    thread::scope(|scope| {
        let client = scope.spawn(|| on(site, Core::Client, client));
        let done = on(site, Core::Server, server);
        client.join().map_err(|_| anyhow!("a thread panicked"))??;
        done
    })
}

fn pair() -> anyhow::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let (other, _) = listener.accept()?;
    for socket in [&one, &other] {
        socket.set_nodelay(true)?;
    }
    Ok((one, other))
}
