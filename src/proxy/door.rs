//! Accepts connections, finds out what is spoken on them, and hands each request to a [`Handler`].

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use http::{Method, Version};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::LazyConfigAcceptor;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::{
    Authority, AuthorityError, Peers, Response, empty,
    peer::Admission,
    plain,
    request::{Request, RequestError},
    request_line::{Mending, RequestLines},
    socket::{Files, Socket},
};
use crate::{
    inventory::{Scheme, secrets::presentable},
    report::chain,
};

/// The first byte of a TLS connection: the content type of a handshake record (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// The most bytes that the head of a request or response may have.
pub(crate) const MAX_HEAD: u32 = 384 << 10;

/// The most headers that it may have.
pub(crate) const MAX_HEADERS: usize = 256;

/// How long a tunnel may stay silent, or what leads to a server. A protocol in which the server speaks
/// first would wait for ever.
const SILENCE: Duration = Duration::from_secs(10);

/// How long the last words of clients are waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. Whatever goes wrong is an answer as well.
    fn handle(&self, request: Request) -> impl Future<Output = Response> + Send;

    /// Takes note of a connection on which no request could be understood.
    fn refused(&self, refusal: Refusal);

    /// What whoever asks the proxy itself, as if it were a server, for `/` is answered, if anything.
    fn asked_itself(&self) -> Option<Response> {
        None
    }
}

/// Why a connection came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The client did not go through with the TLS handshake; most often it does not know the authority.
    #[error(
        "a TLS connection to '{host}' failed, so the client may not trust buildproxy's certificate"
    )]
    Tls {
        /// The host that the client asked for.
        host: String,
        /// What the handshake ended with.
        #[source]
        source: io::Error,
    },
    /// A request that means nothing to a proxy.
    #[error("a request was refused")]
    Request(#[source] RequestError),
    /// Something other than HTTP.
    #[error("a connection to '{target}' spoke neither HTTP nor TLS, and was closed")]
    NotHttp {
        /// `host:port` of the tunnel or the server, or the proxy's own address.
        target: String,
    },
    /// A head larger than what is taken.
    #[error(
        "a request to '{target}' was answered with 431: its head has more than {MAX_HEAD} bytes or {MAX_HEADERS} headers"
    )]
    TooLarge {
        /// `host:port` of the tunnel, or the proxy's own address.
        target: String,
    },
    /// A user who has no business here.
    #[error("connections of the user {uid} are refused, as the proxy is not theirs")]
    OtherUser {
        /// The user's number.
        uid: u32,
    },
    /// A host for which there can be no certificate.
    #[error("a TLS connection to '{host}' had to be closed")]
    Certificate {
        /// The host that the client asked for.
        host: String,
        /// Why.
        #[source]
        source: AuthorityError,
    },
}

/// Where the bytes of a connection are headed.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// To the proxy itself, at this address: targets are absolute.
    Proxy { address: IpAddr },
    /// Through a `CONNECT` tunnel to `host` (an IPv6 address stands in brackets).
    Tunnel {
        host: String,
        port: u16,
        scheme: Scheme,
    },
    /// Straight to a server, as the client thinks.
    Server {
        /// What it connected to.
        address: SocketAddr,
        /// The name that it means, as far as is known.
        name: Option<String>,
        scheme: Scheme,
    },
}

impl Origin {
    /// The host that a client means when its TLS greeting names none, as with IP addresses.
    fn host(&self) -> String {
        match self {
            Self::Proxy { address } => address.to_string(),
            Self::Tunnel { host, .. } => host.trim_matches(['[', ']']).to_owned(),
            Self::Server { address, name, .. } => match name {
                Some(name) => name.clone(),
                None => address.ip().to_string(),
            },
        }
    }

    /// The same, inside TLS, whose greeting named `server`.
    fn over_tls(self, server: Option<String>) -> Self {
        match self {
            Self::Tunnel { host, port, .. } => Self::Tunnel {
                host,
                port,
                scheme: Scheme::Https,
            },
            Self::Server { address, name, .. } => Self::Server {
                address,
                name: server.or(name),
                scheme: Scheme::Https,
            },
            proxy @ Self::Proxy { .. } => proxy,
        }
    }

    fn target(&self) -> String {
        match self {
            Self::Proxy { address } => format!("the proxy, {address}"),
            Self::Tunnel { host, port, .. } => format!("{host}:{port}"),
            Self::Server {
                address,
                name: Some(name),
                ..
            } => format!("{name}:{}", address.port()),
            Self::Server { address, .. } => address.to_string(),
        }
    }
}

/// An intercepting proxy's front door.
pub struct FrontDoor<H> {
    authority: Arc<Authority>,
    handler: Arc<H>,
    /// The TLS handshakes that are under way.
    handshakes: TaskTracker,
}

impl<H> Clone for FrontDoor<H> {
    fn clone(&self) -> Self {
        Self {
            authority: Arc::clone(&self.authority),
            handler: Arc::clone(&self.handler),
            handshakes: self.handshakes.clone(),
        }
    }
}

impl<H: Handler> FrontDoor<H> {
    /// A door behind which `handler` answers, with certificates from `authority`.
    pub fn new(authority: Arc<Authority>, handler: Arc<H>) -> Self {
        Self {
            authority,
            handler,
            handshakes: TaskTracker::new(),
        }
    }

    /// A door of the same house, behind which another handler answers.
    #[must_use]
    pub fn with<O: Handler>(&self, handler: Arc<O>) -> FrontDoor<O> {
        FrontDoor {
            authority: Arc::clone(&self.authority),
            handler,
            handshakes: self.handshakes.clone(),
        }
    }

    /// Waits a moment for the end of what clients have left that have ended by now: one that does not trust the
    /// authority says so with its last words.
    pub async fn settle(&self) {
        self.handshakes.close();
        // It is not their fault if another client is slow.
        let _ = timeout(LAST_WORDS, self.handshakes.wait()).await;
    }

    /// Serves those of `peers` who connect to the proxy at `listener`, until the future is dropped.
    pub async fn serve(self, listener: TcpListener, peers: Peers) {
        let handler = Arc::clone(&self.handler);
        let origin_of = |peer, address: SocketAddr| match peers.admit(peer, address) {
            Admission::Admitted => Some(Origin::Proxy {
                address: address.ip(),
            }),
            Admission::Closed => None,
            Admission::Stranger(uid) => {
                handler.refused(Refusal::OtherUser { uid });
                None
            }
        };
        self.accept(listener, origin_of).await;
    }

    /// The same for clients that connect to servers, where all addresses lead to `listener`. The address
    /// of an accepted connection is that which was meant; `name_of` knows for what name it was given.
    pub async fn serve_transparently(
        self,
        listener: TcpListener,
        name_of: impl Fn(IpAddr) -> Option<String>,
    ) {
        self.accept(listener, |_, address| {
            Some(Origin::Server {
                address,
                name: name_of(address.ip()),
                scheme: Scheme::Http,
            })
        })
        .await;
    }

    /// Accepts connections, each with where it is headed by the addresses of its other end and of this one; or
    /// `None` where it is closed.
    async fn accept(
        self,
        listener: TcpListener,
        origin_of: impl Fn(SocketAddr, SocketAddr) -> Option<Origin>,
    ) {
        loop {
            let accepted = listener.accept().await.and_then(|(stream, peer)| {
                stream.set_nodelay(true)?;
                Ok((origin_of(peer, stream.local_addr()?), stream))
            });
            match accepted {
                Ok((Some(origin), stream)) => {
                    let socket = Socket::new(stream);
                    let files = socket.files();
                    drop(tokio::spawn(self.clone().stream(
                        socket,
                        origin,
                        Some(files),
                    )));
                }
                Ok((None, _)) => {}
                Err(error) => {
                    // Out of file descriptors, or a client that was gone at once: both pass.
                    debug!(error = chain(&error), "failed to accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    /// Serves one stream of bytes: an accepted connection, or the inside of a tunnel. `files` go by the socket
    /// beneath, where nothing lies between.
    ///
    /// It is boxed because a tunnel is opened by a request on a stream.
    fn stream<S>(
        self,
        stream: S,
        origin: Origin,
        files: Option<Files>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Box::pin(async move {
            let mut stream = BufReader::new(stream);
            let first = match &origin {
                Origin::Proxy { .. } => stream.fill_buf().await,
                Origin::Tunnel { .. } | Origin::Server { .. } => {
                    match timeout(SILENCE, stream.fill_buf()).await {
                        Ok(read) => read,
                        Err(_) => return self.not_http(&origin),
                    }
                }
            };
            match (first.unwrap_or_default(), &origin) {
                ([], _) => {}
                ([TLS_HANDSHAKE, ..], _) => self.tls(stream, origin).await,
                (start, Origin::Tunnel { .. } | Origin::Server { .. }) if !may_be_http(start) => {
                    self.not_http(&origin);
                }
                _ => self.http(stream, origin, files).await,
            }
        })
    }

    async fn tls<S>(self, stream: S, origin: Origin)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let under_way = self.handshakes.token();
        let mut host = origin.host();
        let mut named = None;
        let handshake = async {
            let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
            let greeted = acceptor.await?;
            if let Some(name) = greeted.client_hello().server_name() {
                name.clone_into(&mut host);
                named = Some(name.to_owned());
            }
            let config = match self.authority.server_config(&host) {
                Ok(config) => config,
                Err(error) => return Ok(Err(error)),
            };
            greeted.into_stream(config).await.map(Ok)
        };
        match handshake.await {
            Ok(Ok(stream)) => {
                drop(under_way);
                self.http(stream, origin.over_tls(named), None).await;
            }
            Ok(Err(source)) => self.handler.refused(Refusal::Certificate { host, source }),
            Err(source) => self.handler.refused(Refusal::Tls { host, source }),
        }
    }

    async fn http<S>(self, stream: S, origin: Origin, files: Option<Files>)
    where
        S: AsyncBufRead + AsyncWrite + Unpin + Send + 'static,
    {
        let door = self.clone();
        let origin = Arc::new(origin);
        let from = Arc::clone(&origin);
        let lines = RequestLines::new();
        let stream = Mending::new(stream, lines.clone());
        let service = service_fn(move |request| {
            lines.begun(&request);
            let (door, origin, lines) = (door.clone(), Arc::clone(&from), lines.clone());
            // HTTP/2 packs what it sends into frames.
            let files = files
                .clone()
                .filter(|_| request.version() < Version::HTTP_2);
            async move {
                let response = door.request(&origin, lines, request, files.clone()).await;
                Ok::<_, Infallible>(match &files {
                    Some(files) => response.map(|body| body.sent_by(files)),
                    None => response,
                })
            }
        });
        let mut server = auto::Builder::new(TokioExecutor::new());
        // Some clients close their side when they have sent a request, and wait for the answer.
        server
            .http1()
            .half_close(true)
            .max_buf_size(MAX_HEAD as usize)
            .max_headers(MAX_HEADERS);
        server.http2().max_header_list_size(MAX_HEAD);
        let ended = server
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .await;
        if let Err(error) = ended {
            match error.downcast_ref::<hyper::Error>() {
                Some(error) if error.is_parse_too_large() => {
                    let target = origin.target();
                    self.handler.refused(Refusal::TooLarge { target });
                }
                Some(error) if error.is_parse() => self.not_http(&origin),
                _ => debug!(error = chain(&*error), "a connection broke off"),
            }
        }
    }

    async fn request(
        self,
        origin: &Origin,
        lines: RequestLines,
        request: http::Request<Incoming>,
        files: Option<Files>,
    ) -> Response {
        if let Some(error) = lines.refused() {
            return self.bad_request(error);
        }
        if request.method() == Method::CONNECT {
            return self.connect(request, files);
        }
        if let Origin::Proxy { .. } = origin
            && request.method() == Method::GET
            && request.uri() == "/"
            && let Some(response) = self.handler.asked_itself()
        {
            return response;
        }
        match Request::new(origin, request, lines) {
            Ok(request) => self.handler.handle(request).await,
            Err(error) => self.bad_request(error),
        }
    }

    /// Opens a tunnel, whose other end is here.
    fn connect(self, request: http::Request<Incoming>, files: Option<Files>) -> Response {
        let target = request.uri().authority();
        let Some((host, port)) =
            target.and_then(|target| Some((target.host(), target.port_u16()?)))
        else {
            let target = presentable(&request.uri().to_string());
            return self.bad_request(RequestError::NotForAProxy(target));
        };
        let origin = Origin::Tunnel {
            host: host.to_owned(),
            port,
            scheme: Scheme::Http,
        };
        tokio::spawn(async move {
            match hyper::upgrade::on(request).await {
                Ok(tunnel) => self.stream(TokioIo::new(tunnel), origin, files).await,
                Err(error) => debug!(error = chain(&error), "a tunnel broke off"),
            }
        });
        Response::new(empty())
    }

    fn bad_request(&self, error: RequestError) -> Response {
        let response = plain(error.status(), &chain(&error));
        self.handler.refused(Refusal::Request(error));
        response
    }

    fn not_http(&self, origin: &Origin) {
        let target = origin.target();
        self.handler.refused(Refusal::NotHttp { target });
    }
}

/// Whether a request line says so, if all of it is there: hyper waits for the rest of what SSH begins with.
fn may_be_http(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    let end = start.iter().position(|byte| *byte == b'\n');
    end.is_none_or(|end| start[..end].windows(6).any(|part| part == b" HTTP/"))
}
