//! The least proxy that hudsucker makes, to measure buildproxy by, and to show where it would not do.
//!
//! `buildproxy-hudsucker replay MANIFEST CERTIFICATE` answers from a manifest, of which it knows the URLs, the headers
//! and the files. `buildproxy-hudsucker capture UPSTREAM CERTIFICATE` passes on what the server at that address
//! answers, whatever the name, and looks at nothing; it trusts the certificate of `SSL_CERT_FILE`. Both
//! write the certificate of their authority, print the address that they listen on, and go on until they are
//! ended.

use std::{
    collections::HashMap,
    env,
    fs::{self, File},
    io::{Write, stdout},
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use anyhow::{Context as _, bail};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use hudsucker::{
    Body, HttpContext, HttpHandler, Proxy, RequestOrResponse,
    certificate_authority::RcgenAuthority,
    rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair},
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject},
    },
};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::io::ReaderStream;

/// Files are read in pieces of this many bytes.
const PIECE: usize = 128 << 10;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [verb, what, certificate] = arguments.as_slice() else {
        bail!(
            "usage: buildproxy-hudsucker replay MANIFEST CERTIFICATE, or capture UPSTREAM CERTIFICATE"
        );
    };
    let (authority, pem) = authority()?;
    fs::write(certificate, pem)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let builder = Proxy::builder().with_listener(listener).with_ca(authority);
    let say = || writeln!(stdout(), "{address}").and_then(|()| stdout().flush());
    match verb.as_str() {
        "replay" => {
            let proxy = builder
                .with_rustls_connector(ring::default_provider())
                .with_http_handler(Replay::read(what)?)
                .build()?;
            say()?;
            proxy.start().await?;
        }
        "capture" => {
            let proxy = builder
                .with_http_connector(upstream(what.parse()?)?)
                .build()?;
            say()?;
            proxy.start().await?;
        }
        _ => bail!("it is replay or capture, and not '{verb}'"),
    }
    Ok(())
}

/// An authority, and its certificate as PEM.
fn authority() -> anyhow::Result<(RcgenAuthority, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "hudsucker");
    let pem = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    Ok((
        RcgenAuthority::new(issuer, 1_000, ring::default_provider()),
        pem,
    ))
}

/// Answers from files.
#[derive(Clone)]
struct Replay(Arc<HashMap<String, Entry>>);

/// What is under a URL.
struct Entry {
    headers: HeaderMap,
    file: PathBuf,
}

/// The same, as a manifest has it.
#[derive(Deserialize)]
struct Written {
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    file: PathBuf,
}

impl Replay {
    fn read(manifest: &str) -> anyhow::Result<Self> {
        let written: Vec<Written> = serde_json::from_slice(&fs::read(manifest)?)?;
        let entry = |entry: Written| {
            let headers = entry.headers.iter().map(|(name, value)| {
                Ok((name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?))
            });
            let headers = headers.collect::<anyhow::Result<HeaderMap>>()?;
            let file = entry.file;
            Ok((entry.url, Entry { headers, file }))
        };
        let entries = written.into_iter().map(entry);
        Ok(Self(Arc::new(entries.collect::<anyhow::Result<_>>()?)))
    }

    fn answer(&self, request: &Request<Body>) -> anyhow::Result<Response<Body>> {
        // A tunnel's URLs have its port.
        let url = request.uri().to_string();
        let url = url.replacen(":443/", "/", 1);
        let Some(entry) = self.0.get(&url) else {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::FORBIDDEN;
            return Ok(response);
        };
        let length = fs::metadata(&entry.file)?.len();
        let body = if length <= PIECE as u64 {
            Body::from(http_body_util::Full::from(fs::read(&entry.file)?))
        } else {
            let file = tokio::fs::File::from_std(File::open(&entry.file)?);
            Body::from_stream(ReaderStream::with_capacity(file, PIECE))
        };
        let mut response = Response::new(body);
        response.headers_mut().clone_from(&entry.headers);
        response
            .headers_mut()
            .insert("content-length", length.into());
        Ok(response)
    }
}

impl HttpHandler for Replay {
    async fn handle_request(
        &mut self,
        _: &HttpContext,
        request: Request<Body>,
    ) -> RequestOrResponse {
        if request.method() == http::Method::CONNECT {
            return request.into();
        }
        match self.answer(&request) {
            Ok(response) => response.into(),
            Err(_) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response.into()
            }
        }
    }
}

/// Leads to one server, whatever the name.
#[derive(Clone)]
struct ConnectTo(SocketAddr);

impl tower_service::Service<Uri> for ConnectTo {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let address = self.0;
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

fn upstream(address: SocketAddr) -> anyhow::Result<hyper_rustls::HttpsConnector<ConnectTo>> {
    let trusted = env::var_os("SSL_CERT_FILE").context("SSL_CERT_FILE is not set")?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted)?)?;
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(ConnectTo(address)))
}
