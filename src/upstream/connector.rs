//! Opens connections: to the server itself, by the proxy that the person's environment names or a client's own
//! settings, or where `--connect-to` says.

use std::{
    error::Error,
    io,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::future::{BoxFuture, FutureExt};
use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::{
        legacy::connect::{Connected, Connection, HttpConnector, proxy::Tunnel},
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};
use tower_service::Service;

use super::connect_to::{ConnectTo, reroute};
use crate::aligned::Aligned;

/// So many bytes are read at once. rustls by itself reads 4 KiB at a time.
const AT_ONCE: usize = 64 << 10;

/// What connecting needs to know.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    rules: Arc<[ConnectTo]>,
    proxies: Arc<Matcher>,
}

/// A connection, to a server or to a proxy.
pub(super) struct Stream {
    tcp: TokioIo<TcpStream>,
    read: Aligned,
    /// What was read, and not taken yet.
    left: Range<usize>,
    /// Requests on it name the whole URL.
    is_proxy: bool,
}

impl Stream {
    fn new(tcp: TokioIo<TcpStream>) -> Self {
        Self {
            tcp,
            read: Aligned::new(AT_ONCE),
            left: 0..0,
            is_proxy: false,
        }
    }

    fn to_proxy(tcp: TokioIo<TcpStream>) -> Self {
        Self {
            is_proxy: true,
            ..Self::new(tcp)
        }
    }
}

type Failure = Box<dyn Error + Send + Sync>;

/// Why a proxy is not used.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {0} is not one of http://, and others are not used")]
struct UnknownProxy(Uri);

impl Connector {
    /// Connects by `tcp`, where neither `rules` nor `proxies` say otherwise.
    pub(super) fn new(tcp: HttpConnector, rules: &[ConnectTo], proxies: Matcher) -> Self {
        Self {
            tcp,
            rules: rules.into(),
            proxies: Arc::new(proxies),
        }
    }

    /// The credentials for the proxy that a plain request to `uri` goes to. To others they are given
    /// with CONNECT.
    pub(super) fn authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        let plain = uri.scheme_str() == Some("http");
        let proxy = self.proxy(uri).filter(|_| plain)?;
        proxy.basic_auth().cloned()
    }

    /// The proxy on the way to `uri`. A rule goes past it.
    fn proxy(&self, uri: &Uri) -> Option<Intercept> {
        match reroute(&self.rules, uri) {
            Some(_) => None,
            None => self.proxies.intercept(uri),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Stream, Failure>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(ready!(self.tcp.poll_ready(cx))?))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let proxy = self.proxy(&uri);
        let uri = reroute(&self.rules, &uri).unwrap_or(uri);
        connect(self.tcp.clone(), uri, proxy).boxed()
    }
}

async fn connect(
    mut tcp: HttpConnector,
    uri: Uri,
    proxy: Option<Intercept>,
) -> Result<Stream, Failure> {
    let Some(proxy) = proxy else {
        let tcp = tcp.call(uri).await?;
        return Ok(Stream::new(tcp));
    };
    if proxy.uri().scheme_str() != Some("http") {
        return Err(UnknownProxy(proxy.uri().clone()).into());
    }
    if uri.scheme_str() == Some("http") {
        let tcp = tcp.call(proxy.uri().clone()).await?;
        return Ok(Stream::to_proxy(tcp));
    }
    let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
    if let Some(authorization) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(authorization.clone());
    }
    Ok(Stream::new(tunnel.call(uri).await?))
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.tcp.connected().proxy(self.is_proxy)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            tcp, read, left, ..
        } = &mut *self;
        if Range::is_empty(left) {
            let mut into = ReadBuf::new(read);
            ready!(Pin::new(tcp.inner_mut()).poll_read(cx, &mut into))?;
            *left = 0..into.filled().len();
        }
        let taken = left.len().min(buffer.remaining());
        buffer.put_slice(&read[left.start..][..taken]);
        left.start += taken;
        Poll::Ready(Ok(()))
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bytes)
    }
}
