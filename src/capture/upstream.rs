//! The client that asks the real servers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header::LOCATION, uri::InvalidUri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, crypto::ring};

use super::connect_to::{ConnectTo, Connector};
use crate::{
    inventory::{Url, UrlError, secrets::is_secret_header},
    proxy::{MAX_HEAD, MAX_HEADERS},
    trust::Roots,
};

/// As many as curl follows in nixpkgs' fetchurl.
const MAX_REDIRECTS: u32 = 20;

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
    /// A URL that is none for HTTP.
    #[error("failed to fetch {url}")]
    Uri {
        /// What was asked for.
        url: Url,
        /// Why.
        #[source]
        source: InvalidUri,
    },
    /// A redirect that leads nowhere.
    #[error("{url} redirects to what is not a URL")]
    Location {
        /// What was asked for.
        url: Url,
        /// What is wrong with it.
        #[source]
        source: UrlError,
    },
    /// A loop, most likely.
    #[error("{url} redirects more than {MAX_REDIRECTS} times")]
    TooManyRedirects {
        /// What was asked for.
        url: Url,
    },
}

/// A request to upstream. It can be sent again, where it is redirected.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) redirects: Redirects,
}

/// What becomes of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirects {
    /// It is followed, if the request was a GET or HEAD.
    Follow,
    /// It is the answer.
    Keep,
}

/// An answer, at the end of all redirects.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: http::Response<Incoming>,
    /// How many redirects led to it.
    pub(super) redirects: u32,
    /// Where it leads itself, if it is a redirect that was kept.
    pub(super) target: Option<Url>,
}

/// The real servers.
#[derive(Clone)]
pub struct Upstream {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
}

impl Upstream {
    /// A client that trusts `roots`.
    ///
    /// # Panics
    ///
    /// Never: rustls' own provider has the protocol versions that it calls safe.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the provider and the versions are constants"
    )]
    pub fn new(roots: &Roots, rules: &[ConnectTo]) -> Self {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions")
            .with_root_certificates(roots.to_store())
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Connector::new(tcp, rules));
        let client = Client::builder(TokioExecutor::new())
            .http2_adaptive_window(true)
            .http1_max_headers(MAX_HEADERS)
            .http1_max_buf_size(MAX_HEAD as usize)
            .http2_max_header_list_size(MAX_HEAD)
            .build(connector);
        Self { client }
    }

    /// Sends a request, and its redirects where they are to be followed.
    pub(super) async fn send(&self, mut request: Outgoing) -> Result<Answer, UpstreamError> {
        let asked = request.url.clone();
        for redirects in 0..=MAX_REDIRECTS {
            let response = self.send_once(&request).await?;
            let target = match redirect(&request, &response)? {
                Some(target) if request.redirects == Redirects::Follow => target,
                target => {
                    return Ok(Answer {
                        response,
                        redirects,
                        target,
                    });
                }
            };
            let from = (request.url.scheme(), request.url.authority());
            if from != (target.scheme(), target.authority()) {
                without_credentials(&mut request.headers);
            }
            request.url = target;
        }
        Err(UpstreamError::TooManyRedirects { url: asked })
    }

    async fn send_once(
        &self,
        request: &Outgoing,
    ) -> Result<http::Response<Incoming>, UpstreamError> {
        let url = &request.url;
        let uri: Uri = url.as_str().parse().map_err(|source| UpstreamError::Uri {
            url: url.clone(),
            source,
        })?;
        let mut outgoing = http::Request::new(Full::new(request.body.clone()));
        *outgoing.method_mut() = request.method.clone();
        *outgoing.uri_mut() = uri;
        outgoing.headers_mut().clone_from(&request.headers);
        let response = self.client.request(outgoing).await;
        response.map_err(|source| UpstreamError::Request {
            url: url.clone(),
            source,
        })
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
fn redirect(
    request: &Outgoing,
    response: &http::Response<Incoming>,
) -> Result<Option<Url>, UpstreamError> {
    let follows = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !follows || !matches!(request.method, Method::GET | Method::HEAD) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else {
        return Ok(None);
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    let target = request.url.join(&location);
    target.map(Some).map_err(|source| UpstreamError::Location {
        url: request.url.clone(),
        source,
    })
}
