//! A web server on loopback, over http and https, for any host name. It can also be asked as a proxy is,
//! which leads to itself.

use std::{
    convert::Infallible,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex},
};

use buildproxy::proxy::{Authority, Body, empty, full};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::LazyConfigAcceptor;

use super::listening::Listening;

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `https://host/path`, by what the client said.
    pub(crate) url: String,
    pub(crate) method: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Answers = dyn Fn(&Asked) -> Response<Body> + Send + Sync;

/// The server. It stops when this is dropped.
pub(crate) struct Origin {
    listening: Listening,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Origin {
    pub(crate) fn start(
        answers: impl Fn(&Asked) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        let answers = Arc::new(answers);
        let listening = Listening::start(|http, https, authority| async {
            let server = Server {
                authority,
                answers,
                log: kept,
            };
            tokio::join!(
                server.clone().accept(http, false),
                server.accept(https, true)
            );
        });
        Self { listening, log }
    }

    /// An origin that has one text for each path, and 404 for the rest.
    pub(crate) fn with_texts(texts: &'static [(&'static str, &'static str)]) -> Self {
        Self::start(move |asked| {
            let path = http::Uri::try_from(&asked.url).unwrap().path().to_owned();
            match texts.iter().find(|(known, _)| *known == path) {
                Some((_, found)) => text(found),
                None => answer(404, &[], "not here\n"),
            }
        })
    }

    /// The certificate that it is to be trusted by.
    pub(crate) fn ca(&self) -> PathBuf {
        self.listening.ca()
    }

    pub(crate) fn https_port(&self) -> u16 {
        self.listening.https
    }

    /// The proxy by which all hosts are reached here.
    pub(crate) fn as_proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.listening.http)
    }

    /// The options by which all hosts are reached here.
    pub(crate) fn connect_to(&self) -> [String; 4] {
        let option = || "--connect-to".to_owned();
        [
            option(),
            format!(":443:127.0.0.1:{}", self.listening.https),
            option(),
            format!(":80:127.0.0.1:{}", self.listening.http),
        ]
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Server {
    authority: Arc<Authority>,
    answers: Arc<Answers>,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    async fn accept(self, listener: TcpListener, tls: bool) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let server = self.clone();
            tokio::spawn(async move {
                if tls {
                    server.secure(stream).await;
                } else {
                    server.serve(stream, "http").await;
                }
            });
        }
    }

    async fn secure<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let Ok(greeted) = acceptor.await else { return };
        let name = greeted
            .client_hello()
            .server_name()
            .unwrap_or("127.0.0.1")
            .to_owned();
        let config = self.authority.server_config(&name).unwrap();
        if let Ok(stream) = greeted.into_stream(config).await {
            self.serve(stream, "https").await;
        }
    }

    /// What comes through a tunnel that a client asked for. Boxed, as there can be tunnels in it.
    fn tunnel(self, request: Request<Incoming>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if let Ok(stream) = hyper::upgrade::on(request).await {
                self.secure(TokioIo::new(stream)).await;
            }
        })
    }

    async fn serve<S>(self, stream: S, scheme: &'static str)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request: Request<Incoming>| {
            let server = self.clone();
            async move {
                if request.method() == Method::CONNECT {
                    tokio::spawn(server.tunnel(request));
                    return Ok::<_, Infallible>(Response::new(empty()));
                }
                Ok(server.answer(scheme, request).await)
            }
        });
        let server = auto::Builder::new(TokioExecutor::new());
        // A connection that breaks off is what some tests are about.
        let _ = server
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, scheme: &str, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let host = match head.headers.get("host") {
            Some(host) => host.to_str().unwrap().to_owned(),
            None => head.uri.authority().unwrap().to_string(),
        };
        let asked = Asked {
            url: format!("{scheme}://{host}{}", head.uri.path_and_query().unwrap()),
            method: head.method.to_string(),
            headers: head.headers,
            body,
        };
        let response = (self.answers)(&asked);
        self.log.lock().unwrap().push(asked);
        response
    }
}

/// A response.
pub(crate) fn answer(
    status: u16,
    headers: &[(&'static str, &str)],
    body: &'static str,
) -> Response<Body> {
    let body = if body.is_empty() { empty() } else { full(body) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

/// A text that is there.
pub(crate) fn text(body: &'static str) -> Response<Body> {
    answer(200, &[("content-type", "text/plain")], body)
}
