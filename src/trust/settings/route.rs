//! Where a client is set to go.

use std::fmt::Write as _;

/// The proxies that a client's own settings name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Route {
    /// The proxy for http, a URL.
    pub http: Option<String>,
    /// The proxy for https, a URL.
    pub https: Option<String>,
    /// What is reached without them, as `NO_PROXY` has it.
    pub no_proxy: String,
}

impl Route {
    /// The same proxy for everything.
    pub(super) fn all(proxy: Option<String>) -> Self {
        Self {
            http: proxy.clone(),
            https: proxy,
            no_proxy: String::new(),
        }
    }

    /// What the environment names.
    pub(super) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| variable(&name.to_uppercase()).or_else(|| variable(name));
        let all = either("all_proxy");
        let named = |name| proxy(&either(name).or_else(|| all.clone()).unwrap_or_default());
        Self {
            http: named("http_proxy"),
            https: named("https_proxy"),
            no_proxy: either("no_proxy").unwrap_or_default(),
        }
    }

    /// What options of a Java virtual machine name (java.base, "Networking Properties").
    pub(super) fn of_java(property: impl Fn(&str) -> Option<String>) -> Self {
        let of_scheme = |scheme: &str| {
            let host = property(&format!("{scheme}.proxyHost")).filter(|host| !host.is_empty())?;
            let port = property(&format!("{scheme}.proxyPort"));
            let port = port.unwrap_or_else(|| {
                let usual = if scheme == "https" { "443" } else { "80" };
                usual.to_owned()
            });
            let credential = |name| property(&format!("{scheme}.{name}"));
            let url = format!("http://{host}:{port}");
            Some(with_credentials(
                &url,
                credential("proxyUser").as_deref(),
                credential("proxyPassword").as_deref(),
            ))
        };
        let patterns = property("http.nonProxyHosts").unwrap_or_default();
        let patterns = patterns.split('|').map(|pattern| pattern.trim_matches('*'));
        let patterns: Vec<_> = patterns.collect();
        Self {
            http: of_scheme("http"),
            https: of_scheme("https"),
            no_proxy: patterns.join(","),
        }
    }

    /// Whether it leads to other proxies than `other`.
    pub(super) fn leads_elsewhere(&self, other: &Self) -> bool {
        (&self.http, &self.https) != (&other.http, &other.https)
    }
}

/// A proxy as clients write it, as a URL. None is what says that there is none.
pub(super) fn proxy(value: &str) -> Option<String> {
    let value = value.trim().trim_end_matches('/');
    if ["", "false", "null", "none", "off", ":no_proxy"].contains(&value) {
        return None;
    }
    Some(if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    })
}

/// A proxy's URL with a user and a password, if it has none yet.
pub(super) fn with_credentials(url: &str, user: Option<&str>, password: Option<&str>) -> String {
    match (url.split_once("://"), user) {
        (Some((scheme, rest)), Some(user)) if !rest.contains('@') => {
            let user = encoded(user);
            let password = encoded(password.unwrap_or_default());
            format!("{scheme}://{user}:{password}@{rest}")
        }
        _ => url.to_owned(),
    }
}

/// Percent-encoded, but for what never means anything in a URL (RFC 3986, section 2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                // Writing to a string does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_urls() {
        assert_eq!(proxy("proxy:8080/").as_deref(), Some("http://proxy:8080"));
        let socks = "socks5://proxy:1080";
        assert_eq!(proxy(socks).as_deref(), Some(socks));
        assert_eq!(proxy(" false "), None);
        assert_eq!(proxy(""), None);
    }

    #[test]
    fn credentials_go_into_the_url_once() {
        let url = "http://proxy:8080";
        let with = with_credentials(url, Some("a@b"), Some("p:w"));
        assert_eq!(with, "http://a%40b:p%3Aw@proxy:8080");
        assert_eq!(with_credentials(&with, Some("c"), None), with);
        assert_eq!(with_credentials(url, None, Some("p")), url);
    }

    #[test]
    fn java_names_a_proxy_in_pieces() {
        let properties = [
            ("http.proxyHost", "proxy"),
            ("https.proxyHost", "secure"),
            ("https.proxyPort", "3128"),
            ("https.proxyUser", "user"),
            ("https.proxyPassword", "word"),
            ("http.nonProxyHosts", "localhost|*.example.org"),
        ];
        let route = Route::of_java(|name| {
            let found = properties.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(route.http.as_deref(), Some("http://proxy:80"));
        let expected = "http://user:word@secure:3128";
        assert_eq!(route.https.as_deref(), Some(expected));
        assert_eq!(route.no_proxy, "localhost,.example.org");
    }
}
