//! Redirects that the client has not seen, and what failed for that.
//!
//! A client that gets what a redirect leads to takes the URL that it asked for as the base of what the
//! body names. Where such a reference fails, and the same one, resolved against where the redirect led,
//! is there, the client should have got the redirect.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::time::timeout;

use crate::{
    inventory::{Scheme, Url},
    upstream::{Outgoing, Redirects, Upstream, plain_headers},
};

/// So many redirects are remembered; no more memory is spent on what is only a hint.
const MAX_REDIRECTS: usize = 10_000;

/// For a failure, so many redirects are thought of: those whose URLs have most in common with it.
const MAX_BASES: usize = 2;

/// So many failures of a capture are looked into. Each costs up to two small requests a redirect.
const MAX_FAILURES: usize = 100;

/// The redirects that were followed for the client.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// By the server that was asked: what was asked for, and where that led.
    followed: Mutex<HashMap<Server, Vec<(Url, Url)>>>,
    remembered: AtomicUsize,
    failures: AtomicUsize,
}

type Server = (Scheme, String);

/// What a failed request may have been meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meant {
    /// What was redirected, which the client did not see.
    pub(super) redirected: Url,
    /// The reference, resolved against where that led.
    pub(super) meant: Url,
}

impl Unseen {
    /// Takes note that `asked` led to `last`, without the client's knowledge.
    pub(super) fn follow(&self, asked: &Url, last: &Url) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let of_server = followed.entry(server(asked)).or_default();
        if let Some((_, known)) = of_server.iter_mut().find(|(known, _)| known == asked) {
            known.clone_from(last);
        } else if self.remembered.fetch_add(1, Ordering::Relaxed) < MAX_REDIRECTS {
            of_server.push((asked.clone(), last.clone()));
        }
    }

    /// What `failed`, which was answered by `answered_by` with `status`, may have been meant for: what its
    /// URL has most in common with goes first.
    pub(super) fn meant(&self, failed: &Url, answered_by: &Url, status: StatusCode) -> Vec<Meant> {
        let missing = status.is_client_error() || status.is_server_error();
        if !missing || status == StatusCode::UNAUTHORIZED {
            return Vec::new();
        }
        let mut bases = self.bases(failed);
        bases.sort_by_key(|(asked, _)| std::cmp::Reverse(in_common(asked, failed)));
        let meant = bases.into_iter().take(MAX_BASES).flat_map(|(asked, last)| {
            let references = references(&asked, failed);
            references.into_iter().filter_map(move |reference| {
                let meant = last.join(&reference).ok()?;
                let redirected = asked.clone();
                Some(Meant { redirected, meant })
            })
        });
        let mut meant: Vec<Meant> = meant
            .filter(|Meant { meant, .. }| meant != failed && meant != answered_by)
            .collect();
        meant.dedup();
        if !meant.is_empty() && self.failures.fetch_add(1, Ordering::Relaxed) >= MAX_FAILURES {
            meant.clear();
        }
        meant
    }

    /// The redirects of the server that `failed`.
    fn bases(&self, failed: &Url) -> Vec<(Url, Url)> {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let of_server = followed.get(&server(failed)).into_iter().flatten();
        of_server
            .filter(|(asked, _)| asked != failed)
            .cloned()
            .collect()
    }
}

impl Meant {
    /// Whether upstream has it.
    pub(super) async fn is_there(&self, upstream: &Upstream, stall: Duration) -> bool {
        let answer = upstream.send(Outgoing {
            method: Method::GET,
            url: self.meant.clone(),
            headers: plain_headers(),
            body: Bytes::new(),
            redirects: Redirects::Follow,
        });
        let answer = timeout(stall, answer).await;
        answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.response.status().is_success()))
    }
}

fn server(url: &Url) -> Server {
    (url.scheme(), url.authority().to_owned())
}

/// How many folders two paths have in common.
fn in_common(one: &Url, other: &Url) -> usize {
    let segments = one.path().split('/').zip(other.path().split('/'));
    segments.take_while(|(one, other)| one == other).count()
}

/// What a client may have read that gave `wanted` for the base `asked`, of the same server: a path
/// relative to the base's folder, or one from the root.
fn references(asked: &Url, wanted: &Url) -> Vec<String> {
    let parse = |url: &Url| url::Url::parse(url.as_str());
    let relative = match (parse(asked), parse(wanted)) {
        (Ok(asked), Ok(wanted)) => asked.make_relative(&wanted),
        _ => None,
    };
    let of_root = wanted.path_and_query().to_owned();
    relative.into_iter().chain([of_root]).collect()
}

/// The glob that matches `url`, whatever secrets there were in it.
pub(super) fn glob(url: &Url) -> String {
    let path = url.as_str().split('?').next().unwrap_or_default();
    if path == url.as_str() {
        globset::escape(path)
    } else {
        format!("{}*", globset::escape(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn meant(unseen: &Unseen, failed: &str, status: u16) -> Vec<String> {
        let failed = url(failed);
        let meant = unseen.meant(&failed, &failed, StatusCode::from_u16(status).unwrap());
        let meant = meant.into_iter().map(|meant| meant.meant.to_string());
        meant.collect()
    }

    #[test]
    fn a_reference_is_resolved_against_where_the_redirect_led() {
        let unseen = Unseen::default();
        let to = "https://cdn.example.org/p/1.0/list";
        unseen.follow(&url("https://a.example.org/p/list"), &url(to));
        for (failed, found) in [
            (
                "https://a.example.org/p/one",
                "https://cdn.example.org/p/1.0/one",
            ),
            (
                "https://a.example.org/p/x/one?q=1",
                "https://cdn.example.org/p/1.0/x/one?q=1",
            ),
            ("https://a.example.org/one", "https://cdn.example.org/p/one"),
            ("https://a.example.org/one", "https://cdn.example.org/one"),
        ] {
            let meant = meant(&unseen, failed, 404);
            assert!(
                meant.iter().any(|meant| meant == found),
                "{failed}: {meant:?}"
            );
        }
    }

    #[test]
    fn what_has_nothing_to_do_with_a_redirect_is_left_alone() {
        let unseen = Unseen::default();
        let list = url("https://a.example.org/p/list");
        unseen.follow(&list, &url("https://a.example.org/p/list.1"));
        // It is the same, resolved against either.
        assert_eq!(meant(&unseen, "https://a.example.org/p/one", 404), [""; 0]);
        assert_eq!(meant(&unseen, "https://b.example.org/p/one", 404), [""; 0]);
        unseen.follow(&list, &url("https://a.example.org/q/list"));
        assert_eq!(meant(&unseen, "https://a.example.org/p/one", 200), [""; 0]);
        assert_eq!(meant(&unseen, "https://a.example.org/p/one", 401), [""; 0]);
        let found = ["https://a.example.org/q/one"];
        assert_eq!(meant(&unseen, "https://a.example.org/p/one", 500), found);
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered_and_looked_into() {
        let unseen = Unseen::default();
        let to = url("https://b.example.org/q/list");
        for number in 0..MAX_REDIRECTS + 5 {
            unseen.follow(&url(&format!("https://a.example.org/{number}/x")), &to);
        }
        assert_eq!(unseen.bases(&to).len(), 0);
        assert_eq!(
            unseen.bases(&url("https://a.example.org/y")).len(),
            MAX_REDIRECTS
        );
        for _ in 0..MAX_FAILURES {
            assert_ne!(meant(&unseen, "https://a.example.org/1/y", 404), [""; 0]);
        }
        assert_eq!(meant(&unseen, "https://a.example.org/1/y", 404), [""; 0]);
    }

    #[test]
    fn the_glob_matches_the_url_and_no_other() {
        for (text, other) in [
            (
                "https://a.example.org/[x]/{y}*",
                "https://a.example.org/x/yz",
            ),
            ("https://a.example.org/x", "https://a.example.org/x/y"),
            (
                "https://a.example.org/x?a=1&token=2",
                "https://a.example.org/y?a=1",
            ),
        ] {
            let glob = globset::Glob::new(&glob(&url(text)))
                .unwrap()
                .compile_matcher();
            assert!(glob.is_match(url(text).as_str()), "{}", glob.glob());
            assert!(!glob.is_match(other), "{}", glob.glob());
        }
    }
}
