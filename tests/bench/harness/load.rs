//! The client: cheap enough that it is the server which is measured. One thread, requests made beforehand, of
//! answers nothing looked at but status and length, and no certificate verified.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use futures_util::future::try_join_all;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::site::HOST;

/// Bytes that are read at once, of large bodies.
const LARGE_BUFFER: usize = 256 << 10;

/// The same where the whole answer is small.
const SMALL_BUFFER: usize = 8 << 10;

/// How a server is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) address: SocketAddr,
    pub(super) tls: bool,
    /// Whether it is a proxy, and not the server that is meant.
    pub(super) proxy: bool,
}

/// What a number of requests came to.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// How long each took.
    pub(super) latencies: Vec<Duration>,
    pub(super) elapsed: Duration,
}

impl Load {
    /// A second.
    pub(super) fn rate(&self) -> f64 {
        count(self.latencies.len()) / self.elapsed.as_secs_f64()
    }

    /// What 99 of 100 do not exceed, in seconds.
    pub(super) fn p99(&self) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        let at = (sorted.len() * 99).div_ceil(100).saturating_sub(1);
        sorted.get(at).map_or(0.0, Duration::as_secs_f64)
    }

    fn of(parts: Vec<Vec<Duration>>, since: Instant) -> Self {
        Self {
            latencies: parts.into_iter().flatten().collect(),
            elapsed: since.elapsed(),
        }
    }
}

/// A number that is not too large for a float.
pub(super) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// Several connections that stay open.
pub(super) struct Connections {
    open: Vec<Connection>,
    requests: Vec<Vec<u8>>,
    length: u64,
}

impl Connections {
    /// Opens so many, to ask for the files `names`, each of `length` bytes.
    pub(super) async fn open(
        route: Route,
        connections: usize,
        names: impl Iterator<Item = String>,
        length: u64,
    ) -> anyhow::Result<Self> {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Connection::open(route, SMALL_BUFFER).await?);
        }
        let requests = names.map(|name| route.request(&name, "")).collect();
        Ok(Self {
            open,
            requests,
            length,
        })
    }

    /// Asks on all of them at once, one request after the other, the files in no order.
    pub(super) async fn ask(&mut self, time: Duration) -> anyhow::Result<Load> {
        /// A prime, so that all files have their turn.
        const STEP: usize = 7919;
        let since = Instant::now();
        let (requests, length) = (&self.requests, self.length);
        let numbered = self.open.iter_mut().enumerate();
        let each = numbered.map(async |(number, connection)| {
            let mut next = number * STEP;
            let once = async || {
                next = (next + STEP) % requests.len();
                let got = connection.ask(&requests[next]).await?;
                ensure!(got == length, "{got} bytes instead of {length}");
                Ok(())
            };
            repeat(since, time, once).await
        });
        let parts = try_join_all(each).await?;
        Ok(Load::of(parts, since))
    }
}

/// Does something over and over until so much time has passed; how long it took each time.
async fn repeat(
    since: Instant,
    time: Duration,
    mut once: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut now = Instant::now();
    while now - since < time {
        once().await?;
        let after = Instant::now();
        latencies.push(after - now);
        now = after;
    }
    Ok(latencies)
}

/// Opens connections, `at_once` of them, each for one request.
pub(super) async fn connect(
    route: Route,
    at_once: usize,
    name: &str,
    time: Duration,
) -> anyhow::Result<Load> {
    let since = Instant::now();
    let request = &route.request(name, "");
    let once = async || {
        let mut connection = Connection::open(route, SMALL_BUFFER).await?;
        connection.ask(request).await?;
        Ok(())
    };
    let each = (0..at_once).map(|_| repeat(since, time, once));
    let parts = try_join_all(each).await?;
    Ok(Load::of(parts, since))
}

/// Downloads files one after the other, each of `length` bytes and on a new connection. How long it took.
pub(super) async fn one_by_one(
    route: Route,
    names: impl Iterator<Item = String>,
    length: u64,
) -> anyhow::Result<Duration> {
    let since = Instant::now();
    for name in names {
        let mut connection = Connection::open(route, SMALL_BUFFER).await?;
        let got = connection.ask(&route.request(&name, "")).await?;
        ensure!(got == length, "{got} bytes instead of {length}");
    }
    Ok(since.elapsed())
}

/// Downloads a file on a connection of its own, `headers` being more lines of the head. The number of bytes,
/// and how long it took from request to end.
pub(super) async fn download(
    route: Route,
    name: &str,
    headers: &str,
) -> anyhow::Result<(u64, Duration)> {
    let mut connection = Connection::open(route, LARGE_BUFFER).await?;
    let since = Instant::now();
    let length = connection.ask(&route.request(name, headers)).await?;
    Ok((length, since.elapsed()))
}

impl Route {
    fn request(&self, name: &str, headers: &str) -> Vec<u8> {
        let server = match self {
            Self {
                tls: false,
                proxy: true,
                ..
            } => format!("http://{HOST}"),
            _ => String::new(),
        };
        let head = format!("GET {server}/files/{name} HTTP/1.1\r\nHost: {HOST}\r\n");
        (head + "User-Agent: bench\r\nAccept: */*\r\n" + headers + "\r\n").into_bytes()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

struct Connection {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(route: Route, buffer: usize) -> anyhow::Result<Self> {
        let failed = || format!("failed to connect to {}", route.address);
        let stream = TcpStream::connect(route.address)
            .await
            .with_context(failed)?;
        stream.set_nodelay(true)?;
        let mut connection = Self {
            stream: Box::new(stream),
            buffer: vec![0; buffer],
        };
        if !route.tls {
            return Ok(connection);
        }
        if route.proxy {
            let host = format!("{HOST}:443");
            let request = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            connection.ask(request.as_bytes()).await?;
        }
        // rustls by itself reads 4 KiB at a time.
        let stream = BufReader::with_capacity(buffer, connection.stream);
        let host = ServerName::try_from(HOST)?;
        let stream = connector()?
            .connect(host, stream)
            .await
            .with_context(failed)?;
        connection.stream = Box::new(stream);
        Ok(connection)
    }

    /// Sends a request, and takes its answer: the length of the body.
    async fn ask(&mut self, request: &[u8]) -> anyhow::Result<u64> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        let mut filled = 0;
        let head = loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            ensure!(read > 0, "the connection ended, or a head is too large");
            // An end of the head may lie across two reads.
            let from = filled.saturating_sub(3);
            filled += read;
            let end = self.buffer[from..filled]
                .windows(4)
                .position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break from + end + 4;
            }
        };
        let length = length(&self.buffer[..head])?;
        let mut missing = length
            .checked_sub((filled - head) as u64)
            .context("more than was said")?;
        while missing > 0 {
            let read = self.stream.read(&mut self.buffer).await?;
            ensure!(read > 0, "the connection ended {missing} bytes early");
            missing = missing
                .checked_sub(read as u64)
                .context("more than was said")?;
        }
        Ok(length)
    }
}

/// The length of the body that follows a head.
fn length(head: &[u8]) -> anyhow::Result<u64> {
    const NAME: &[u8] = b"content-length:";
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines.next().unwrap_or_default();
    if !status.starts_with(b"HTTP/1.1 2") {
        bail!("the answer is {}", String::from_utf8_lossy(status));
    }
    let found = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then(|| value.trim_ascii())
    });
    let Some(digits) = found else {
        return Ok(0);
    };
    Ok(std::str::from_utf8(digits)?.parse()?)
}

fn connector() -> anyhow::Result<TlsConnector> {
    thread_local! {
        static MADE: std::cell::OnceCell<TlsConnector> = const { std::cell::OnceCell::new() };
    }
    MADE.with(|made| {
        if let Some(made) = made.get() {
            return Ok(made.clone());
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(made.get_or_init(|| connector).clone())
    })
}

/// Takes any certificate.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PKCS1_SHA256,
        ]
    }
}
