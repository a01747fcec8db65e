//! The client that asks the real servers.

use std::{error::Error, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{COOKIE, LOCATION, PROXY_AUTHORIZATION},
    uri::InvalidUri,
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::{
        legacy::{Client, connect::HttpConnector},
        proxy::matcher::Matcher,
    },
    rt::TokioExecutor,
};
use rustls::{ClientConfig, crypto::ring};

use super::connect_to::ConnectTo;
use super::connector::Connector;
use super::cookies::Cookies;
use super::ending::NotingEnds;
use crate::{
    inventory::{Url, secrets::is_secret_header},
    proxy::{MAX_HEAD, MAX_HEADERS},
    trust::{Roots, Route},
};

/// As many as curl follows in nixpkgs' fetchurl.
const MAX_REDIRECTS: usize = 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no answer from upstream.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No connection, or one that broke off before the answer.
    #[error("failed to fetch {url}")]
    Request {
        /// What was asked for.
        url: Url,
        /// Why.
        #[source]
        source: hyper_util::client::legacy::Error,
    },
    /// No connection, because the server's TLS is older than what is spoken here.
    #[error(
        "failed to fetch {url}: {lack}, and older ones are not spoken here; the way is another server that has it, or http://"
    )]
    OldTls {
        /// What was asked for.
        url: Url,
        /// What the server does not have.
        lack: &'static str,
        /// Why.
        #[source]
        source: hyper_util::client::legacy::Error,
    },
    /// A URL that is none for HTTP.
    #[error("failed to fetch {url}")]
    Uri {
        /// What was asked for.
        url: Url,
        /// Why.
        #[source]
        source: InvalidUri,
    },
}

/// A request to upstream. It can be sent again, where it is redirected.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) redirects: Redirects,
}

/// What becomes of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// It is followed, if the request was a GET or HEAD.
    Follow,
    /// It is the answer.
    Keep,
}

impl Outgoing {
    /// The same request to where it is redirected. What is secret stays with the origin that it was for:
    /// credentials with the one that redirects, the client's cookies with the one of `asked`.
    fn redirected(&self, asked: &Self, location: &str, cookies: &Cookies) -> Option<Self> {
        let url = self.url.join(location).ok()?;
        let mut headers = self.headers.clone();
        if !same_origin(&self.url, &url) {
            without_credentials(&mut headers);
        }
        headers.remove(COOKIE);
        let of_client = asked
            .headers
            .get(COOKIE)
            .filter(|_| same_origin(&asked.url, &url));
        let of_client = of_client.and_then(|cookie| cookie.to_str().ok());
        if let Some(cookie) = cookies.give(&url, of_client)
            && let Ok(cookie) = HeaderValue::try_from(cookie)
        {
            headers.insert(COOKIE, cookie);
        }
        Some(Self {
            url,
            headers,
            ..self.clone()
        })
    }
}

fn same_origin(one: &Url, other: &Url) -> bool {
    (one.scheme(), one.authority()) == (other.scheme(), other.authority())
}

/// An answer, at the end of all redirects that were followed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: http::Response<Incoming>,
    /// What it answers: the last request, where redirects were followed.
    pub(crate) request: Outgoing,
    /// The redirects that led to it.
    pub(crate) followed: Option<Followed>,
    /// Where it leads itself, if it is a redirect.
    pub(crate) target: Option<Url>,
}

/// Redirects that were followed.
#[derive(Debug)]
pub(crate) struct Followed {
    /// The headers of each.
    pub(crate) headers: Vec<HeaderMap>,
    first: Box<Answer>,
}

impl Answer {
    /// An answer that is a redirect to `target`.
    fn redirect(
        response: http::Response<Incoming>,
        request: Outgoing,
        target: Option<Url>,
    ) -> Self {
        Self {
            response,
            request,
            followed: None,
            target,
        }
    }

    /// How many redirects were followed.
    pub(crate) fn redirects(&self) -> usize {
        let followed = self.followed.as_ref();
        followed.map_or(0, |followed| followed.headers.len())
    }

    /// The same, as if the first redirect had not been followed: then it is the answer.
    pub(crate) fn unfollowed(self) -> Self {
        match self.followed {
            Some(followed) => *followed.first,
            None => self,
        }
    }
}

/// The real servers.
#[derive(Clone)]
pub struct Upstream {
    /// Uses connections that are open already.
    kept_alive: HttpClient,
    /// Opens one for each request.
    fresh: HttpClient,
    connector: Connector,
}

type HttpClient = Client<NotingEnds<HttpsConnector<Connector>>, Full<Bytes>>;

impl Upstream {
    /// A client that trusts `roots`, goes where `rules` say, and by the proxies that the environment names:
    /// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, also in upper case, as curl understands them.
    #[must_use]
    pub fn new(roots: &Roots, rules: &[ConnectTo]) -> Self {
        Self::by(roots, rules, Matcher::from_env())
    }

    /// The same by the proxies of `route` alone.
    #[must_use]
    pub fn by_route(roots: &Roots, rules: &[ConnectTo], route: &Route) -> Self {
        let proxy = |named: &Option<String>| named.clone().unwrap_or_default();
        let proxies = Matcher::builder()
            .http(proxy(&route.http))
            .https(proxy(&route.https))
            .no(route.no_proxy.clone());
        Self::by(roots, rules, proxies.build())
    }

    /// # Panics
    ///
    /// Never: rustls' own provider has the protocol versions that it calls safe.
    #[expect(
        clippy::expect_used,
        reason = "the provider and the versions are constants"
    )]
    fn by(roots: &Roots, rules: &[ConnectTo], proxies: Matcher) -> Self {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions")
            .with_root_certificates(roots.to_store())
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = Connector::new(tcp, rules, proxies);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(connector.clone());
        let https = NotingEnds(https);
        let mut client = Client::builder(TokioExecutor::new());
        client
            .http2_adaptive_window(true)
            .http1_max_headers(MAX_HEADERS)
            .http1_max_buf_size(MAX_HEAD as usize)
            .http2_max_header_list_size(MAX_HEAD);
        Self {
            kept_alive: client.build(https.clone()),
            fresh: client.pool_max_idle_per_host(0).build(https),
            connector,
        }
    }

    /// Sends a request, and its redirects where they are to be followed.
    ///
    /// A redirect that does not lead to an answer is the answer: a circle, too many of them, or a
    /// target that is none for HTTP. The client then does with it what it would have done.
    pub(crate) async fn send(&self, asked: Outgoing) -> Result<Answer, UpstreamError> {
        let mut request = asked.clone();
        let mut followed: Option<Followed> = None;
        let mut visited = Vec::new();
        let mut cookies = Cookies::default();
        loop {
            let response = self.send_once(&request).await?;
            let Some(location) = redirect(&request.method, &response) else {
                return Ok(Answer {
                    response,
                    request,
                    followed,
                    target: None,
                });
            };
            if asked.redirects == Redirects::Keep {
                let target = request.url.join(&location).ok();
                return Ok(Answer::redirect(response, request, target));
            }
            cookies.take(&request.url, response.headers());
            visited.push((request.url.clone(), request.headers.get(COOKIE).cloned()));
            let next = request.redirected(&asked, &location, &cookies);
            let leads_on = |next: &Outgoing| {
                let place = (next.url.clone(), next.headers.get(COOKIE).cloned());
                visited.len() <= MAX_REDIRECTS && !visited.contains(&place)
            };
            let Some(next) = next.filter(leads_on) else {
                if let Some(followed) = followed {
                    return Ok(*followed.first);
                }
                let target = request.url.clone();
                return Ok(Answer::redirect(response, request, Some(target)));
            };
            let headers = response.headers().clone();
            let mut so_far = followed.unwrap_or_else(|| {
                let target = next.url.clone();
                Followed {
                    headers: Vec::new(),
                    first: Box::new(Answer::redirect(response, request, Some(target))),
                }
            });
            so_far.headers.push(headers);
            followed = Some(so_far);
            request = next;
        }
    }

    /// Servers close connections that have been idle, and a request may cross with that. It is sent once
    /// more then, on a connection of its own. A request that may change something is not to be repeated
    /// (RFC 9110, section 9.2.2), and so has a connection of its own from the start.
    async fn send_once(
        &self,
        request: &Outgoing,
    ) -> Result<http::Response<Incoming>, UpstreamError> {
        if matches!(request.method, Method::GET | Method::HEAD) {
            match self.try_once(&self.kept_alive, request).await {
                Err(UpstreamError::Request { source, .. }) if is_stale(&source) => {}
                answered => return answered,
            }
        }
        self.try_once(&self.fresh, request).await
    }

    async fn try_once(
        &self,
        client: &HttpClient,
        request: &Outgoing,
    ) -> Result<http::Response<Incoming>, UpstreamError> {
        let url = &request.url;
        let uri: Uri = url.as_str().parse().map_err(|source| UpstreamError::Uri {
            url: url.clone(),
            source,
        })?;
        let mut outgoing = http::Request::new(Full::new(request.body.clone()));
        *outgoing.method_mut() = request.method.clone();
        outgoing.headers_mut().clone_from(&request.headers);
        if let Some(authorization) = self.connector.authorization(&uri) {
            let headers = outgoing.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        *outgoing.uri_mut() = uri;
        let response = client.request(outgoing).await;
        response.map_err(|source| {
            let url = url.clone();
            match of_tls(&source).and_then(lacking) {
                Some(lack) => UpstreamError::OldTls { url, lack, source },
                None => UpstreamError::Request { url, source },
            }
        })
    }
}

/// Whether a connection was closed before the head of an answer had come.
fn is_stale(error: &hyper_util::client::legacy::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_incomplete_message() || error.is_closed() || error.is_canceled();
        }
        source = error.source();
    }
    false
}

/// What went wrong in TLS, if anything did.
fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(error) = error.downcast_ref() {
        return Some(error);
    }
    // One that is wrapped in an io::Error is not its source.
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    let source = match wrapped {
        Some(wrapped) => wrapped as &(dyn Error + 'static),
        None => error.source()?,
    };
    of_tls(source)
}

/// What a server lacks that is spoken here, as far as the end of the handshake tells.
fn lacking(error: &rustls::Error) -> Option<&'static str> {
    use rustls::{AlertDescription, PeerIncompatible};
    match error {
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => Some("the server speaks no version of TLS from 1.2 on"),
        rustls::Error::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        ) => Some(
            "the server most likely has none of the ciphers of TLS 1.2 with ECDHE and GCM or ChaCha20",
        ),
        _ => None,
    }
}

/// Takes away what is meant for one origin alone.
fn without_credentials(headers: &mut HeaderMap) {
    let names = headers
        .keys()
        .filter(|name| is_secret_header(name.as_str()));
    for name in names.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

/// Where a response leads, if it is a redirect of a request that can be followed without asking.
fn redirect(method: &Method, response: &http::Response<Incoming>) -> Option<String> {
    let follows = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !follows || !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.as_bytes();
    let bytewise = |byte: &u8| match byte {
        b'\0'..=b'\x7f' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let location = match std::str::from_utf8(location) {
        Ok(text) => text.to_owned(),
        // No text, but still the bytes that the server wants to be asked for.
        Err(_) => location.iter().map(bytewise).collect(),
    };
    Some(location)
}
