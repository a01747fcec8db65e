//! The cookies that redirects set, for as long as one chain of redirects lasts.
//!
//! Some servers set a cookie where they redirect, and refuse or go in circles where it does not come
//! back. nixpkgs' fetchurl keeps cookies on its way, as wget and browsers do; so what is fetched here is
//! what it will fetch. Nothing of this is recorded, and nothing outlives the request.
//!
//! Source: RFC 6265, sections 5.1 to 5.4. Expiry is left out, but for what is expired at once: a chain
//! takes seconds.

use http::{HeaderMap, header::SET_COOKIE};

use crate::inventory::{Scheme, Url};

/// What was set so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    /// What tells it from others.
    id: Id,
    value: String,
    only_https: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Id {
    name: String,
    domain: String,
    /// Hosts below `domain` get it, too.
    below: bool,
    path: String,
}

impl Cookies {
    /// Takes what the answer from `url` sets.
    pub(super) fn take(&mut self, url: &Url, headers: &HeaderMap) {
        let lines = headers.get_all(SET_COOKIE).iter();
        for line in lines.filter_map(|line| line.to_str().ok()) {
            let Some((cookie, expired)) = read(url, line) else {
                continue;
            };
            self.0.retain(|other| other.id != cookie.id);
            if !expired {
                self.0.push(cookie);
            }
        }
    }

    /// The value of the Cookie header for `url`, if there is any. What the client itself has to give, `of_client`,
    /// gives way to what was set later.
    pub(super) fn give(&self, url: &Url, of_client: Option<&str>) -> Option<String> {
        let set: Vec<&Cookie> = self.0.iter().filter(|cookie| cookie.is_for(url)).collect();
        let stays = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or(pair);
            set.iter().all(|cookie| cookie.id.name != name)
        };
        let of_client = of_client.into_iter().flat_map(|pairs| pairs.split("; "));
        let pairs: Vec<String> = of_client
            .filter(stays)
            .map(str::to_owned)
            .chain(
                set.iter()
                    .map(|cookie| format!("{}={}", cookie.id.name, cookie.value)),
            )
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Cookie {
    fn is_for(&self, url: &Url) -> bool {
        let Id {
            domain,
            below,
            path,
            ..
        } = &self.id;
        let of_host = url.host() == domain || (*below && is_below(url.host(), domain));
        let of_path = url
            .path()
            .strip_prefix(path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || path.ends_with('/'));
        of_host && of_path && (!self.only_https || url.scheme() == Scheme::Https)
    }
}

/// Reads a Set-Cookie line, and whether it takes the cookie back.
fn read(url: &Url, line: &str) -> Option<(Cookie, bool)> {
    let mut parts = line.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let folder = url.path().rfind('/').unwrap_or_default().max(1);
    let mut cookie = Cookie {
        id: Id {
            name: name.trim().to_owned(),
            domain: url.host().to_owned(),
            below: false,
            path: url.path()[..folder].to_owned(),
        },
        value: value.trim().to_owned(),
        only_https: false,
    };
    let mut expired = false;
    for attribute in parts {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "domain" => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                if domain != url.host() && !is_below(url.host(), &domain) {
                    return None;
                }
                cookie.id.domain = domain;
                cookie.id.below = true;
            }
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.id.path),
            "secure" => cookie.only_https = true,
            "max-age" => expired = value.starts_with('-') || value == "0",
            _ => {}
        }
    }
    (!cookie.id.name.is_empty()).then_some((cookie, expired))
}

/// Whether `host` is a name below `domain`, which must be more than a top-level domain.
fn is_below(host: &str, domain: &str) -> bool {
    let is_name = host.parse::<std::net::IpAddr>().is_err();
    let above = host.strip_suffix(domain);
    is_name && domain.contains('.') && above.is_some_and(|above| above.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn given(lines: &[&'static str], url: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SET_COOKIE, HeaderValue::from_static(line));
        }
        let mut cookies = Cookies::default();
        let from = Url::parse("https://www.example.org/a/b").unwrap();
        cookies.take(&from, &headers);
        cookies.give(&Url::parse(url).unwrap(), None)
    }

    #[test]
    fn a_cookie_goes_where_it_belongs() {
        for (line, url, expected) in [
            ("a=1", "https://www.example.org/a/c", Some("a=1")),
            ("a=1", "https://www.example.org/a", Some("a=1")),
            ("a=1", "https://www.example.org/ab", None),
            ("a=1; Path=/", "https://www.example.org/", Some("a=1")),
            ("a=1; Path=/", "https://example.org/", None),
            ("a=1; Path=/", "https://elsewhere.example/", None),
            (
                "a=1; path=/; domain=.Example.org",
                "https://dl.example.org/",
                Some("a=1"),
            ),
            ("a=1; path=/; domain=org", "https://www.example.org/", None),
            (
                "a=1; path=/; domain=other.org",
                "https://www.example.org/",
                None,
            ),
            (
                "a=1; path=/; domain=ple.org",
                "https://www.example.org/",
                None,
            ),
            ("a=1; path=/; Secure", "http://www.example.org/", None),
            ("a=1; path=/; Max-Age=0", "https://www.example.org/", None),
            ("no cookie", "https://www.example.org/a/c", None),
        ] {
            assert_eq!(given(&[line], url).as_deref(), expected, "{line} to {url}");
        }
    }

    #[test]
    fn a_cookie_takes_the_place_of_the_one_before() {
        let given = given(&["a=1", "b=2", "a=3"], "https://www.example.org/a/c");
        assert_eq!(given.as_deref(), Some("b=2; a=3"));
    }

    #[test]
    fn what_the_client_has_gives_way() {
        let url = Url::parse("https://www.example.org/").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(SET_COOKIE, HeaderValue::from_static("a=2"));
        let mut cookies = Cookies::default();
        assert_eq!(
            cookies.give(&url, Some("a=1; b=1")).as_deref(),
            Some("a=1; b=1")
        );
        cookies.take(&url, &headers);
        assert_eq!(
            cookies.give(&url, Some("a=1; b=1")).as_deref(),
            Some("b=1; a=2")
        );
        assert_eq!(cookies.give(&url, None).as_deref(), Some("a=2"));
    }
}
