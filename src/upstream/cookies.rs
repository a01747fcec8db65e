//! The cookies that redirects set, for as long as one chain of redirects lasts.
//!
//! Some servers set a cookie where they redirect, and refuse or go in circles where it does not come
//! back. nixpkgs' fetchurl keeps cookies on its way, as wget and browsers do; so what is fetched here is
//! what it will fetch. Nothing of this is recorded, and nothing outlives the request.
//!
//! Which cookies a server may set, and who gets them, is in RFC 6265 and the list of public suffixes, under
//! which anybody can register a name: a cookie for all of `co.uk` is nobody's.

use cookie_store::{CookieStore, RawCookie};
use http::{HeaderMap, header::SET_COOKIE};

use crate::inventory::Url;

/// What was set so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Cookies(CookieStore);

impl Cookies {
    /// Takes what the answer from `url` sets.
    pub(super) fn take(&mut self, url: &Url, headers: &HeaderMap) {
        let Ok(from) = url.as_str().parse() else {
            return;
        };
        let lines = headers.get_all(SET_COOKIE).iter();
        let lines = lines.filter_map(|line| line.to_str().ok());
        for cookie in lines.filter_map(|line| within_bounds(RawCookie::parse(line).ok()?, url)) {
            // What the server may not set is left out.
            let _ = self.0.insert_raw(&cookie, &from);
        }
    }

    /// The value of the Cookie header for `url`, if there is any. What the client itself has to give, `of_client`,
    /// gives way to what was set later.
    pub(super) fn give(&self, url: &Url, of_client: Option<&str>) -> Option<String> {
        let to = url.as_str().parse().ok()?;
        let set: Vec<(&str, &str)> = self.0.get_request_values(&to).collect();
        let stays = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or(pair);
            set.iter().all(|(of_set, _)| *of_set != name)
        };
        let of_client = of_client.into_iter().flat_map(|pairs| pairs.split("; "));
        let pairs: Vec<String> = of_client
            .filter(stays)
            .map(str::to_owned)
            .chain(set.iter().map(|(name, value)| format!("{name}={value}")))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// The cookie as far as it may go: one for a public suffix stays with the host of that name (RFC 6265, section 5.3,
/// step 5).
fn within_bounds<'a>(mut cookie: RawCookie<'a>, url: &Url) -> Option<RawCookie<'a>> {
    let domain = cookie.domain().map(str::to_ascii_lowercase);
    if let Some(domain) = domain.filter(|domain| psl::domain_str(domain).is_none()) {
        if domain != url.host() {
            return None;
        }
        cookie.unset_domain();
    }
    Some(cookie)
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
        assert_eq!(given.as_deref(), Some("a=3; b=2"));
    }

    #[test]
    fn nobody_sets_a_cookie_for_a_public_suffix() {
        for (from, line, to, expected) in [
            ("a.co.uk", "a=1; domain=co.uk", "b.co.uk", None),
            ("a.co.uk", "a=1; domain=.CO.UK", "a.co.uk", None),
            ("a.co.uk", "a=1; domain=a.co.uk", "b.a.co.uk", Some("a=1")),
            ("a.github.io", "a=1; domain=github.io", "b.github.io", None),
            ("github.io", "a=1; domain=github.io", "a.github.io", None),
            (
                "github.io",
                "a=1; domain=github.io",
                "github.io",
                Some("a=1"),
            ),
            (
                "127.0.0.1",
                "a=1; domain=127.0.0.1",
                "127.0.0.1",
                Some("a=1"),
            ),
        ] {
            let [from, to] =
                [from, to].map(|host| Url::parse(&format!("https://{host}/")).unwrap());
            let mut headers = HeaderMap::new();
            headers.insert(SET_COOKIE, HeaderValue::from_static(line));
            let mut cookies = Cookies::default();
            cookies.take(&from, &headers);
            assert_eq!(
                cookies.give(&to, None).as_deref(),
                expected,
                "{line} to {to}"
            );
        }
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
