//! Decides whether the client gets a redirect, or what it leads to.
//!
//! What it leads to is better to record, as it may be at another URL each time, and at none tomorrow. But
//! some clients need the redirect itself: those that resolve what the body names against its URL (see
//! `relative`), those that ask with HEAD where something is, and those that read what the redirect alone
//! says, such as the hash of a large file before a content network gives it.

use globset::GlobSet;
use http::{
    HeaderMap, HeaderName, Method,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
        CONTENT_TYPE, LOCATION, PRAGMA, RETRY_AFTER, VARY,
    },
};

use super::{
    headers::is_noise,
    relative::{Fate, fate},
};
use crate::{
    inventory::{Url, is_hop_by_hop, secrets::is_secret_header},
    upstream::{Answer, Redirects},
};

/// Headers that say where a redirect leads, or something of itself.
const OF_REDIRECT: [HeaderName; 10] = [
    ACCEPT_RANGES,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    LOCATION,
    PRAGMA,
    RETRY_AFTER,
    VARY,
];

/// The same, by the start of the name: what forges, registries and their front ends give with any answer.
const OF_SERVER: [&str; 19] = [
    "akamai-",
    "docker-",
    "gitlab-",
    "ratelimit-",
    "x-akamai-",
    "x-amzn-",
    "x-artifactory-",
    "x-download-options",
    "x-gitlab-",
    "x-goog-",
    "x-guploader",
    "x-jfrog-",
    "x-ms-",
    "x-permitted-cross-domain-policies",
    "x-rate-limit-",
    "x-robots-tag",
    "x-trace-id",
    "x-ua-compatible",
    "x-varnish",
];

/// What a person wants to become of redirects, by the URLs that were asked for. What neither matches is
/// decided here.
#[derive(Debug, Default)]
pub struct RedirectPolicy {
    /// These are given to the client. They go before the others, as that is always right for it.
    pub keep: GlobSet,
    /// These are followed for the client.
    pub follow: GlobSet,
}

impl RedirectPolicy {
    /// What upstream's client is to do with a redirect of `url`.
    pub(super) fn redirects(&self, method: &Method, url: &Url) -> Redirects {
        if self.keep.is_match(url.as_str()) {
            Redirects::Keep
        } else if self.follow.is_match(url.as_str()) || method != Method::HEAD {
            Redirects::Follow
        } else {
            Redirects::Keep
        }
    }

    /// What the client gets of an answer to a request for `url`: the answer, or the redirect that led to
    /// it.
    pub(super) fn select(&self, url: &Url, answer: Answer) -> Answer {
        let Some(followed) = &answer.followed else {
            return answer;
        };
        if self.follow.is_match(url.as_str()) || !answer.response.status().is_success() {
            return answer;
        }
        let headers = answer.response.headers();
        let (fate, why) = match followed.headers.iter().find_map(|own| told(own, headers)) {
            Some(name) => (Fate::Kept, name.as_str()),
            None => fate(url, &answer.request.url, headers),
        };
        tracing::debug!("the redirect of {url} is {fate:?}: {why}");
        match fate {
            Fate::Kept => answer.unfollowed(),
            Fate::Followed => answer,
        }
    }
}

/// A header by which a redirect says something of what it leads to, that this itself does not say.
fn told<'a>(redirect: &'a HeaderMap, last: &HeaderMap) -> Option<&'a HeaderName> {
    redirect.keys().find(|name| {
        let text = name.as_str();
        let of_any = OF_REDIRECT.contains(name)
            || OF_SERVER.iter().any(|start| text.starts_with(start))
            || is_hop_by_hop(text)
            || is_noise(name)
            || is_secret_header(text);
        !of_any && !last.contains_key(*name)
    })
}

#[cfg(test)]
mod tests {
    use globset::Glob;
    use http::HeaderValue;

    use super::*;

    fn set(glob: &str) -> GlobSet {
        let mut set = GlobSet::builder();
        set.add(Glob::new(glob).unwrap());
        set.build().unwrap()
    }

    #[test]
    fn keeping_goes_before_following() {
        let policy = RedirectPolicy {
            keep: set("https://hub.example.org/*"),
            follow: set("https://*.example.org/*"),
        };
        let url = |host| Url::parse(&format!("https://{host}.example.org/x")).unwrap();
        for (host, method, redirects) in [
            ("hub", Method::GET, Redirects::Keep),
            ("hub", Method::HEAD, Redirects::Keep),
            ("cdn", Method::GET, Redirects::Follow),
            ("cdn", Method::HEAD, Redirects::Follow),
        ] {
            assert_eq!(policy.redirects(&method, &url(host)), redirects, "{host}");
        }
        let policy = RedirectPolicy::default();
        let redirects = |method| policy.redirects(&method, &url("cdn"));
        assert_eq!(redirects(Method::HEAD), Redirects::Keep);
        assert_eq!(redirects(Method::GET), Redirects::Follow);
    }

    #[test]
    fn what_a_redirect_alone_says_is_told_from_what_all_say() {
        let map = |names: &[&'static str]| {
            let pairs = names
                .iter()
                .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1")));
            pairs.collect::<HeaderMap>()
        };
        let last = map(&["etag", "content-type", "last-modified"]);
        for (own, found) in [
            (&["location", "x-linked-etag"][..], Some("x-linked-etag")),
            (&["location", "link", "date"], Some("link")),
            (&["location", "etag"], None),
            (
                &[
                    "location",
                    "vary",
                    "server",
                    "x-github-request-id",
                    "set-cookie",
                ],
                None,
            ),
            (&["location", "ratelimit-limit", "x-frame-options"], None),
            (&["location", "docker-distribution-api-version"], None),
        ] {
            let own = map(own);
            let told = told(&own, &last).map(HeaderName::as_str);
            assert_eq!(told, found, "{own:?}");
        }
    }
}
