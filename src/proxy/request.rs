//! A request with the absolute URL that it is for.

use bytes::Bytes;
use http::{HeaderMap, Method, header::HeaderValue, uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

use super::door::Origin;
use crate::inventory::{Scheme, Url, UrlError};

/// The largest request body that is taken, in bytes. It is held in memory, because it must be
/// known whole before it can be matched, or sent again after a redirect.
const MAX_REQUEST_BODY: usize = 64 << 20;

/// Why a request has no meaning for a proxy.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Origin form on the proxy's own port.
    #[error("this is a proxy, not a web server: the request target '{0}' is not an absolute URL")]
    NotForAProxy(String),
    /// A target that is no http or https URL.
    #[error("the request target cannot be understood")]
    Url(#[from] UrlError),
    /// A body above the limit.
    #[error("the request body is larger than {MAX_REQUEST_BODY} bytes")]
    BodyTooLarge,
    /// The client went away, or broke its own framing.
    #[error("the request body ended early")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A request as a handler sees it.
#[derive(Debug)]
pub struct Request {
    /// What it is for.
    pub url: Url,
    /// How.
    pub method: Method,
    /// As the client sent them, hop-by-hop ones included.
    pub headers: HeaderMap,
    body: Incoming,
}

impl Request {
    pub(super) fn new(
        origin: &Origin,
        request: http::Request<Incoming>,
    ) -> Result<Self, RequestError> {
        let (parts, body) = request.into_parts();
        let url = target(origin, &parts.uri)?;
        Ok(Self {
            url,
            method: parts.method,
            headers: parts.headers,
            body,
        })
    }

    /// The value of a header, where it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value| HeaderValue::to_str(value).ok())
    }

    /// The whole body.
    ///
    /// # Errors
    ///
    /// Where it is too large, or does not arrive whole.
    pub async fn body(&mut self) -> Result<Bytes, RequestError> {
        match Limited::new(&mut self.body, MAX_REQUEST_BODY)
            .collect()
            .await
        {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(RequestError::BodyTooLarge),
            Err(error) => Err(RequestError::Body(error)),
        }
    }
}

/// The absolute URL of a request target.
///
/// The target is what counts, and in a tunnel the target of `CONNECT`: the Host header may lack
/// (HTTP/1.0), or lack the port (Java's `HttpURLConnection`).
fn target(origin: &Origin, uri: &uri::Uri) -> Result<Url, RequestError> {
    let path = uri.path_and_query().map_or("/", uri::PathAndQuery::as_str);
    let url = match (origin, uri.scheme_str(), uri.authority()) {
        (Origin::Tunnel { host, port, scheme }, _, _) => {
            let scheme = match scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
            };
            format!("{scheme}://{host}:{port}{path}")
        }
        (Origin::Proxy { .. }, Some(scheme), Some(authority)) => {
            // Userinfo is for the Authorization header, which clients set from it.
            let authority = authority.as_str();
            let authority = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            format!("{scheme}://{authority}{path}")
        }
        (Origin::Proxy { .. }, _, _) => return Err(RequestError::NotForAProxy(path.to_owned())),
    };
    Ok(Url::parse(&url)?)
}
