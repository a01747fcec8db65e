//! What a request is looked up by.

use http::{HeaderMap, Method};

use crate::inventory::{Condition, Sri, Url, secrets::has_credentials};

/// Whether a request came with a secret that its URL has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The URL is as the client asked for it.
    None,
    /// The URL had one, which stands for an Authorization header.
    InUrl,
}

/// Method and URL, and what a [`Condition`] may ask for.
#[derive(Debug)]
pub struct Key<'a> {
    /// The URL.
    pub url: &'a Url,
    /// The method.
    pub method: &'a Method,
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// What the URL had.
    pub secret: Secret,
    /// The hash of the request's body, where it has one.
    pub body: Option<Sri>,
}

impl Key<'_> {
    /// How well a condition fits: how much it asks for, or `None` where the request does not have it.
    #[must_use]
    pub fn fit(&self, condition: &Condition) -> Option<usize> {
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        let authorized = condition.authorization
            && match self.secret {
                Secret::InUrl => true,
                Secret::None => has_credentials(self.headers),
            };
        condition.fit(header, authorized, self.body.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_condition_fits_by_what_it_asks_for() {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json"));
        let key = Key {
            url: &Url::parse("https://example.org/").unwrap(),
            method: &Method::POST,
            headers: &headers,
            secret: Secret::None,
            body: Some(Sri::sha256_of(b"body")),
        };
        let mut condition = Condition::default();
        assert_eq!(key.fit(&condition), Some(0));
        condition.body = Some(Sri::sha256_of(b"body"));
        assert_eq!(key.fit(&condition), Some(1));
        condition
            .headers
            .insert("accept".to_owned(), "application/json".to_owned());
        assert_eq!(key.fit(&condition), Some(2));
        condition.authorization = true;
        assert_eq!(key.fit(&condition), None);
        let in_url = Key {
            secret: Secret::InUrl,
            body: key.body.clone(),
            ..key
        };
        assert_eq!(in_url.fit(&condition), Some(3));
        condition.authorization = false;
        condition.body = Some(Sri::sha256_of(b"another"));
        assert_eq!(key.fit(&condition), None);
    }
}
