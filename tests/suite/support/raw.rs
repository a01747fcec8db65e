//! An origin that is legal and awkward: it writes its answers byte by byte, as no library would.
//!
//! Over http and https, for any host name and for its own address. A host whose name begins with
//! `h2` speaks HTTP/2, by hyper; all others speak HTTP/1, by hand. One whose name begins with `wrong`
//! has a certificate for another.

use std::{
    convert::Infallible,
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use buildproxy::proxy::Authority;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::LazyConfigAcceptor;

use super::listening::Listening;
use super::reply::{End, Framing, Reply};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) scheme: &'static str,
    /// The Host header, or the authority of HTTP/2.
    pub(crate) host: String,
    pub(crate) method: String,
    /// The target of the request line, verbatim.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How many requests for the same host and target there were before.
    pub(crate) earlier: usize,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Answers = dyn Fn(&Heard) -> Reply + Send + Sync;

/// The server. It stops when this is dropped.
pub(crate) struct RawOrigin {
    pub(crate) http: u16,
    pub(crate) https: u16,
    listening: Listening,
    log: Arc<Mutex<Vec<Heard>>>,
}

impl RawOrigin {
    pub(crate) fn start(answers: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
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
        Self {
            http: listening.http,
            https: listening.https,
            listening,
            log,
        }
    }

    /// The certificate that it is to be trusted by.
    pub(crate) fn ca(&self) -> PathBuf {
        self.listening.ca()
    }

    /// The options by which all hosts are reached here, curl's and buildproxy's alike.
    pub(crate) fn connect_to(&self) -> [String; 6] {
        let option = || "--connect-to".to_owned();
        [
            option(),
            format!(":443:127.0.0.1:{}", self.https),
            option(),
            format!(":80:127.0.0.1:{}", self.http),
            option(),
            format!(":8080:127.0.0.1:{}", self.http),
        ]
    }

    /// What was heard since this was asked last.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

#[derive(Clone)]
struct Server {
    authority: Arc<Authority>,
    answers: Arc<Answers>,
    log: Arc<Mutex<Vec<Heard>>>,
}

/// What becomes of a connection after an answer.
enum Next {
    Request,
    Close,
    Drop,
    Reset,
}

impl Server {
    async fn accept(self, listener: TcpListener, tls: bool) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let reset = stream_handle(&stream);
            let server = self.clone();
            tokio::spawn(async move {
                // A connection that breaks off is what some tests are about.
                let _ = if tls {
                    server.tls(stream, reset).await
                } else {
                    server.http1(stream, "http", reset).await
                };
            });
        }
    }

    async fn tls(self, stream: TcpStream, reset: std::os::fd::OwnedFd) -> io::Result<()> {
        let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let greeted = acceptor.await?;
        let name = greeted.client_hello().server_name().map(str::to_owned);
        let name = name.unwrap_or_else(|| "127.0.0.1".to_owned());
        let certified = if name.starts_with("wrong") {
            "other.example.org"
        } else {
            &name
        };
        let mut config = (*self.authority.server_config(certified).unwrap()).clone();
        let h2 = name.starts_with("h2");
        config.alpn_protocols = vec![if h2 {
            b"h2".to_vec()
        } else {
            b"http/1.1".to_vec()
        }];

        let stream = greeted.into_stream(Arc::new(config)).await?;
        if !h2 {
            return self.http1(stream, "https", reset).await;
        }
        let service = service_fn(move |request| {
            let server = self.clone();
            async move { Ok::<_, Infallible>(server.http2(request).await) }
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
        Ok(())
    }

    async fn http2(&self, request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let reply = self.reply(Heard {
            scheme: "https",
            host: head.uri.authority().unwrap().to_string(),
            method: head.method.to_string(),
            target: head.uri.path_and_query().unwrap().to_string(),
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
            earlier: 0,
        });
        let mut response = http::Response::new(Full::new(reply.body.clone()));
        *response.status_mut() = http::StatusCode::from_u16(reply.status).unwrap();
        for (name, value) in &reply.headers {
            let value = HeaderValue::from_bytes(value).unwrap();
            response.headers_mut().append(*name, value);
        }
        response
    }

    async fn http1<S>(
        self,
        stream: S,
        scheme: &'static str,
        reset: std::os::fd::OwnedFd,
    ) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = BufReader::new(stream);
        loop {
            let Some(heard) = hear(&mut stream, scheme).await? else {
                return Ok(());
            };
            let method = heard.method.clone();
            let reply = self.reply(heard);
            match write(&mut stream, &method, &reply).await? {
                Next::Request => {}
                Next::Close => return stream.shutdown().await,
                // Whoever drops TLS without a shutdown does not say that it ends.
                Next::Drop => return Ok(()),
                Next::Reset => {
                    let now = Some(std::time::Duration::ZERO);
                    rustix::net::sockopt::set_socket_linger(&reset, now)?;
                    return Ok(());
                }
            }
        }
    }

    fn reply(&self, mut heard: Heard) -> Reply {
        let mut log = self.log.lock().unwrap();
        let same = |other: &&Heard| other.host == heard.host && other.target == heard.target;
        heard.earlier = log.iter().filter(same).count();
        log.push(heard.clone());
        drop(log);
        (self.answers)(&heard)
    }
}

/// A second handle of a connection, by which it can be told how to end.
fn stream_handle(stream: &TcpStream) -> std::os::fd::OwnedFd {
    std::os::fd::AsFd::as_fd(stream)
        .try_clone_to_owned()
        .unwrap()
}

/// Reads a request; `None` where the client has no more of them.
async fn hear<S>(stream: &mut BufReader<S>, scheme: &'static str) -> io::Result<Option<Heard>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(line) = line(stream).await? else {
        return Ok(None);
    };
    let mut parts = line.splitn(3, ' ').map(str::to_owned);
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else {
        return Ok(None);
    };
    let mut headers = HeaderMap::new();
    while let Some(line) = line_of_head(stream).await? {
        let (name, value) = line.split_once(':').unwrap();
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.trim().as_bytes()).unwrap(),
        );
    }
    if headers.contains_key("expect") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        stream.flush().await?;
    }
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length") {
        body.resize(length.to_str().unwrap().parse().unwrap(), 0);
        stream.read_exact(&mut body).await?;
    } else if headers.contains_key("transfer-encoding") {
        loop {
            let size = line_of_head(stream).await?.unwrap_or_default();
            let size = usize::from_str_radix(&size, 16).unwrap();
            let start = body.len();
            body.resize(start + size, 0);
            stream.read_exact(&mut body[start..]).await?;
            line_of_head(stream).await?;
            if size == 0 {
                break;
            }
        }
    }
    let host = headers.get("host").map(|host| host.to_str().unwrap());
    Ok(Some(Heard {
        scheme,
        host: host.unwrap_or_default().to_owned(),
        method,
        target,
        headers,
        body: body.into(),
        earlier: 0,
    }))
}

/// A line without its end; bytes that are no UTF-8 are read as Latin-1.
async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8(line)
        .unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect());
    Ok(Some(line.trim_end().to_owned()))
}

/// A line of a head; `None` is the empty line at its end.
async fn line_of_head<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
) -> io::Result<Option<String>> {
    Ok(line(stream).await?.filter(|line| !line.is_empty()))
}

async fn write<S>(stream: &mut BufReader<S>, method: &str, reply: &Reply) -> io::Result<Next>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if reply.end == End::Silence {
        return Ok(Next::Close);
    }
    let version = match reply.framing {
        Framing::Old => "1.0",
        _ => "1.1",
    };
    let mut head = Vec::new();
    head.extend_from_slice(reply.interim.as_bytes());
    // The reason is left out, as RFC 9112 (section 4) allows.
    head.extend_from_slice(format!("HTTP/{version} {} \r\n", reply.status).as_bytes());
    for (name, value) in &reply.headers {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    let framing = match reply.framing {
        Framing::Length => format!("Content-Length: {}\r\n", reply.body.len()),
        Framing::Claimed(length) => format!("content-length: {length}\r\n"),
        Framing::Chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
        Framing::Close => "Connection: close\r\n".to_owned(),
        Framing::None | Framing::Old => String::new(),
    };
    head.extend_from_slice(framing.as_bytes());
    if reply.end == End::AbruptHead {
        stream.write_all(&head).await?;
        stream.flush().await?;
        return Ok(Next::Drop);
    }
    head.extend_from_slice(b"\r\n");
    stream.write_all(&head).await?;
    if method != "HEAD" {
        write_body(stream, reply).await?;
    }
    stream.flush().await?;
    match (reply.end, reply.framing) {
        (End::Reset, _) => Ok(Next::Reset),
        (End::Abrupt | End::AbruptHead, _) => Ok(Next::Drop),
        (End::Stall, _) => std::future::pending().await,
        (End::Whole, Framing::Length | Framing::Chunked | Framing::None) => Ok(Next::Request),
        (End::Cut | End::Silence, _)
        | (End::Whole, Framing::Claimed(_) | Framing::Close | Framing::Old) => Ok(Next::Close),
    }
}

async fn write_body<S>(stream: &mut BufReader<S>, reply: &Reply) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if reply.framing != Framing::Chunked {
        return stream.write_all(&reply.body).await;
    }
    for chunk in reply.body.chunks(reply.body.len() / 3 + 1) {
        // Chunk extensions are legal, and mean nothing.
        let size = format!("{:x};name=\"value\"\r\n", chunk.len());
        stream.write_all(size.as_bytes()).await?;
        stream.write_all(chunk).await?;
        stream.write_all(b"\r\n").await?;
    }
    if reply.end == End::Whole {
        stream.write_all(b"0\r\nx-trailer: 1\r\n\r\n").await?;
    }
    Ok(())
}
