//! A request with the absolute URL that it is for.

use std::{io::Read, net::IpAddr};

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::{
    HeaderMap, Method, StatusCode, Version,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue},
    request, uri,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use super::{door::Origin, git, request_line::RequestLines};
use crate::inventory::{Scheme, Sri, Url, UrlError, secrets::presentable};

/// The largest request body that is taken, in bytes. It is held in memory, because it must be
/// known whole before it can be matched, or sent again after a redirect.
const MAX_REQUEST_BODY: usize = 64 << 20;

/// Why a request has no meaning for a proxy.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Origin form on the proxy's own port.
    #[error("this is a proxy, not a web server: the request target '{0}' is not an absolute URL")]
    NotForAProxy(String),
    /// A target of which no URL can be made.
    #[error("the request target '{text}' cannot be understood")]
    Target {
        /// The target, encoded as far as that helps.
        text: String,
        /// Why.
        #[source]
        source: uri::InvalidUri,
    },
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

impl RequestError {
    /// The status that the client gets for it.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotForAProxy(_) | Self::Target { .. } | Self::Url(_) | Self::Body(_) => {
                StatusCode::BAD_REQUEST
            }
        }
    }
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
    /// Those of its connection, which are told when it has been read; of HTTP/1 alone.
    lines: Option<RequestLines>,
}

impl Request {
    pub(super) fn new(
        origin: &Origin,
        request: http::Request<Incoming>,
        lines: RequestLines,
    ) -> Result<Self, RequestError> {
        let (parts, body) = request.into_parts();
        let url = target(origin, &parts)?;
        Ok(Self {
            url,
            method: parts.method,
            headers: parts.headers,
            body,
            lines: (parts.version <= Version::HTTP_11).then_some(lines),
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
        if self.body.is_end_stream() {
            return Ok(Bytes::new());
        }
        match Limited::new(&mut self.body, MAX_REQUEST_BODY)
            .collect()
            .await
        {
            Ok(body) => {
                if let Some(lines) = &self.lines {
                    lines.body_was_read();
                }
                Ok(body.to_bytes())
            }
            Err(error) if error.is::<LengthLimitError>() => Err(RequestError::BodyTooLarge),
            Err(error) => Err(RequestError::Body(error)),
        }
    }
}

/// The hash of a request's body, if there is one, without what varies between two runs of a client: its
/// content coding, and in git's requests the version of git.
#[must_use]
pub fn body_hash(headers: &HeaderMap, body: &Bytes) -> Option<Sri> {
    if body.is_empty() {
        return None;
    }
    let coding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let decoded = match coding.map(<[u8]>::to_ascii_lowercase).as_deref() {
        Some(b"gzip" | b"x-gzip") => decode(MultiGzDecoder::new(body.as_ref())),
        Some(b"deflate") => decode(ZlibDecoder::new(body.as_ref())),
        _ => None,
    };
    let plain = decoded.as_deref().unwrap_or(body);
    let is_git = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value == git::CONTENT_TYPE);
    let normal = is_git.then(|| git::normalize(plain)).flatten();
    Some(Sri::sha256_of(normal.as_deref().unwrap_or(plain)))
}

/// What `decoder` gives; `None` where it is not what it says, or far too large.
fn decode(decoder: impl Read) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let limit = MAX_REQUEST_BODY as u64;
    let length = decoder.take(limit).read_to_end(&mut plain).ok()?;
    (length as u64 != limit).then_some(plain)
}

/// The absolute URL of a request target.
///
/// The target is what counts, and in a tunnel the target of `CONNECT`: the Host header may lack
/// (HTTP/1.0), or lack the port (Java's `HttpURLConnection`). Where nobody told of a proxy, it is the name
/// that the client asked for, in TLS or before it connected; where it connected to an address that it knew,
/// the Host header, or at last the address.
fn target(origin: &Origin, head: &request::Parts) -> Result<Url, RequestError> {
    let uri = &head.uri;
    // A client may have settings of a proxy of its own, which is here as well.
    let for_a_proxy = head.version < Version::HTTP_2 && uri.scheme().is_some();
    let path = uri.path_and_query().map_or("/", uri::PathAndQuery::as_str);
    let url = match (origin, uri.scheme_str(), uri.authority()) {
        (Origin::Tunnel { host, port, scheme }, _, _) => {
            return Ok(Url::of_parts(*scheme, host, *port, path)?);
        }
        (Origin::Server { .. }, Some(scheme), Some(authority)) if for_a_proxy => {
            format!("{scheme}://{}{path}", without_userinfo(authority))
        }
        (
            Origin::Server {
                address,
                name: known,
                scheme,
            },
            _,
            authority,
        ) => {
            let host = match known {
                Some(name) => Some(name.clone()),
                None => said_host(authority, &head.headers),
            };
            let host = host.unwrap_or_else(|| match address.ip() {
                IpAddr::V4(v4) => v4.to_string(),
                IpAddr::V6(v6) => format!("[{v6}]"),
            });
            format!("{}://{host}:{}{path}", name(*scheme), address.port())
        }
        (Origin::Proxy { .. }, Some(scheme), Some(authority)) => {
            format!("{scheme}://{}{path}", without_userinfo(authority))
        }
        (Origin::Proxy { .. }, _, _) => return Err(RequestError::NotForAProxy(presentable(path))),
    };
    Ok(Url::parse(&url)?)
}

fn name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

/// Userinfo is for the Authorization header, which clients set from it.
fn without_userinfo(authority: &uri::Authority) -> &str {
    let authority = authority.as_str();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

/// The host of the target or of the Host header, without its port.
fn said_host(authority: Option<&uri::Authority>, headers: &HeaderMap) -> Option<String> {
    let said = || headers.get(HOST)?.to_str().ok()?.parse().ok();
    let authority = authority.cloned().or_else(said)?;
    Some(authority.host().to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn a_compressed_body_has_the_hash_of_what_it_says() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"question").unwrap();
        let compressed = Bytes::from(encoder.finish().unwrap());
        let mut headers = HeaderMap::new();
        let raw = body_hash(&headers, &compressed);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("GZip"));
        let expected = Some(Sri::sha256_of(b"question"));
        assert_eq!(body_hash(&headers, &compressed), expected);
        assert_ne!(raw, expected);
        // What only says that it is compressed is taken as it is.
        assert_eq!(
            body_hash(&headers, &Bytes::from_static(b"question")),
            expected
        );
        assert_eq!(body_hash(&headers, &Bytes::new()), None);
    }
}
