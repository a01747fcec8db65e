//! Redirects, as a client sees them that follows.

use buildproxy::inventory::{Body, Entry, Url};

use super::{case, compare, compare_with};
use crate::support::{Heard, Reply, ok, redirect, reply};

/// Why a client that does not follow gets what is at the end.
const FOLLOWED: &str = "redirects to what has no references are followed for the client, because what they lead to \
                        expires; it is --keep-redirects that leaves them to it";

#[test]
fn redirects() {
    let mut cases: Vec<_> = [301, 302, 303, 307, 308]
        .into_iter()
        .map(|status| {
            case("a redirect")
                .at("/x", redirect(status, "/y"))
                .at("/y", arrived())
                .curl("-L https://ONE/x")
                .curl("-L http://ONE/x")
                .records(|entries| assert_eq!(entries.len(), 2))
        })
        .collect();
    cases.extend(
        [
            ("/a/b/x", "y", "/a/b/y"),
            ("/a/b/x", "./y", "/a/b/y"),
            ("/a/b/x", "../y", "/a/y"),
            ("/a/b/x", "../../../y", "/y"),
            ("/a/b/x", "../y/.", "/a/y/"),
            ("/a/b/x", "..", "/a/"),
            ("/a/b/x", "?q=1", "/a/b/x?q=1"),
            ("/a/b/x?p=1", "?q=1", "/a/b/x?q=1"),
            ("/a/b/x?p=1", "y", "/a/b/y"),
            ("/a/b/x", "/y#fragment", "/y"),
            ("/a/b/x", "/y%2Fz?a=%20b", "/y%2Fz?a=%20b"),
            ("/a/b/x", "/y z", "/y%20z"),
            ("/a/b/x", "/\u{fc}", "/%C3%BC"),
        ]
        .into_iter()
        .map(|(from, location, to)| {
            case("a relative redirect")
                .serve(from, move |_| redirect(302, location))
                .at(to, arrived())
                // As curl spells the last one.
                .at("/%c3%bc", arrived())
                .curl(&format!("-L 'https://ONE{from}'"))
        }),
    );
    cases.extend([
        case("a redirect in Latin-1")
            .at("/x", reply(302, "").with("location", b"/\xfc"))
            .at("/%FC", arrived())
            .at("/%fc", arrived())
            .curl("-L https://ONE/x"),
        case("a redirect to nowhere in particular")
            .at("/x", reply(302, "stay\n").with("location", ""))
            .curl("-L --max-redirs 3 https://ONE/x"),
        case("to another host, without a scheme")
            .serve("/x", |heard| redirect(301, &heard.other("//", "/y")))
            .at("/y", arrived())
            .curl("-L https://ONE/x")
            .curl("-L http://ONE/x"),
        case("from http to https")
            .serve("/x", |heard| redirect(301, &heard.same("https://", "/y")))
            .at("/y", arrived())
            .curl("-L http://ONE/x"),
        case("from https to http")
            .serve("/x", |heard| redirect(301, &heard.same("http://", "/y")))
            .at("/y", arrived())
            .curl("-L https://ONE/x"),
        case("over several hosts")
            .serve("/x", |heard| redirect(301, &heard.other("https://", "/y")))
            .serve("/y", |heard| redirect(302, &heard.other("http://", "/z")))
            .at("/z", redirect(307, "w"))
            .at("/w", arrived().with("etag", "\"w\""))
            .curl("-L https://ONE/x")
            .records(|entries| {
                assert_eq!(entries.len(), 1);
                assert_eq!(entries[0].status.as_u16(), 200);
                assert!(entries[0].url.as_str().ends_with("/x"));
            })
            .asks(|heard| assert_eq!(heard.len(), 4, "nothing is downloaded twice")),
        case("to an error")
            .at("/x", redirect(302, "/y"))
            .at(
                "/y",
                reply(404, "gone\n").with("content-type", "text/plain"),
            )
            .curl("-L https://ONE/x")
            .curl("-fL https://ONE/x"),
        case("in a circle")
            .at("/x", redirect(302, "/y"))
            .at("/y", redirect(302, "/x"))
            .curl("-L --max-redirs 5 https://ONE/x"),
        case("to itself")
            .at("/x", redirect(302, "/x"))
            .curl("-L --max-redirs 5 https://ONE/x")
            .curl("-L https://ONE/x"),
        case("to itself until there is a cookie")
            .serve("/x", |heard| match heard.header("cookie") {
                None => redirect(302, "/x").with("set-cookie", "seen=1; Path=/"),
                Some(_) => arrived(),
            })
            .curl("-L -c $WAY/CASE.jar -b $WAY/CASE.jar https://ONE/x"),
        case("with a cookie that the target asks for")
            .serve("/a/x", |_| {
                redirect(302, "/y").with("set-cookie", "seen=1; Path=/")
            })
            .serve("/y", |heard| match heard.header("cookie") {
                Some("seen=1") => arrived(),
                _ => reply(403, "you must take our cookie\n"),
            })
            .curl("-L -b '' https://ONE/a/x")
            .curl("-L -b 'seen=0; mine=1' -b '' https://TWO/a/x")
            .records(|entries| {
                let written = format!("{entries:?}");
                assert!(!written.contains("seen=1"), "{written}");
            }),
        case("to a page, whose links are relative to it")
            .at("/simple/x", redirect(301, "/simple/x/"))
            .at(
                "/simple/x/",
                ok("<a href=\"../../x.whl\">").with("content-type", "text/html; charset=utf-8"),
            )
            .curl("https://ONE/simple/x")
            .curl("-L https://ONE/simple/x")
            .curl("-LI https://ONE/simple/x")
            .records(|entries| assert_eq!(entries.len(), 2)),
        case("to a repository, which git asks again by its new name")
            .at(
                "/old.git/info/refs?service=git-upload-pack",
                redirect(301, "/new.git/info/refs?service=git-upload-pack"),
            )
            .at(
                "/new.git/info/refs?service=git-upload-pack",
                ok("001e# service=git-upload-pack\n0000").with(
                    "content-type",
                    "application/x-git-upload-pack-advertisement",
                ),
            )
            .curl("'https://ONE/old.git/info/refs?service=git-upload-pack'")
            .curl("-L 'https://ONE/old.git/info/refs?service=git-upload-pack'"),
        case("for a client that does not follow")
            .at("/x", redirect(302, "/y?signature=1"))
            .at("/y?signature=1", arrived())
            .curl("https://ONE/x")
            .differs("status", FOLLOWED)
            .differs("body", FOLLOWED)
            .differs("content-length", FOLLOWED)
            .differs("content-type", FOLLOWED)
            .differs("location", FOLLOWED),
        case("without end")
            .serve("/x?1", |_| redirect(302, "/x?1.1"))
            .serve("/x?1.1", |_| redirect(302, "/x?1"))
            .curl("-L https://ONE/x?1"),
        case("to what is no URL of the web")
            .at("/x", redirect(302, "x-other://elsewhere/y"))
            .curl("-L https://ONE/x"),
        case("a POST that is redirected")
            .at("/x", redirect(302, "/y"))
            .at("/z", redirect(307, "/y"))
            .serve("/y", |heard| {
                ok(format!("{} {}\n", heard.method, heard.body.len()))
            })
            .curl("-d body https://ONE/x")
            .curl("-L -d body https://ONE/x")
            .curl("-L -d body https://ONE/z"),
        case("credentials and cookies stay where they belong")
            .serve("/x", |heard| redirect(302, &heard.other("https://", "/y")))
            .serve("/y", secrets)
            .curl("-L -u user:password -b a=b https://ONE/x")
            .curl("-L -u user:password -b a=b https://ONE/y")
            .differs(
                "body",
                "a cookie by -b without a jar has no host, and curl sends it to all",
            )
            .asks(|heard| {
                for heard in heard.iter().filter(|heard| heard.host.starts_with("two")) {
                    assert_eq!(heard.header("authorization"), None);
                    assert_eq!(heard.header("cookie"), None);
                }
            }),
        case("credentials go along on the same host")
            .at("/x", redirect(302, "/y"))
            .serve("/y", secrets)
            .curl("-L -u user:password https://ONE/x"),
        case("a redirect to a signed URL that is another each time")
            .serve("/x", |heard| {
                redirect(
                    302,
                    if heard.earlier == 0 {
                        "/y?t=1"
                    } else {
                        "/y?t=2"
                    },
                )
            })
            .at("/y?t=1", arrived())
            .at("/y?t=2", arrived())
            .curl("-L https://ONE/x")
            .curl("-L https://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 1)),
        case("to an archive, with its headers")
            .at("/x", redirect(302, "/y"))
            .at(
                "/y",
                ok(b"\x1f\x8b\x08".as_slice())
                    .with("content-type", "application/gzip")
                    .with(
                        "content-disposition",
                        "attachment; filename=\"a-1.0.tar.gz\"",
                    )
                    .with("last-modified", "Sat, 01 Jan 2022 00:00:00 GMT"),
            )
            .curl("-L https://ONE/x")
            .curl("-LOJ https://ONE/x"),
    ]);
    compare(cases);
}

/// Where what a redirect leads to may name other things relative to itself, a client sees the redirect,
/// whether or not it follows.
#[test]
fn redirects_to_what_has_relative_references() {
    let mut cases: Vec<_> = [
        ("text/html", "/y"),
        ("text/javascript; charset=utf-8", "/y"),
        ("application/typescript", "/y"),
        ("application/octet-stream", "/y/mod.ts"),
        ("video/mp2t", "/y/mod.mts"),
        ("text/css", "/y"),
        ("application/json", "/y"),
        ("application/rss+xml", "/y"),
        ("application/dash+xml", "/y"),
        ("application/vnd.apple.mpegurl", "/y"),
        ("text/plain", "/y/live.m3u8"),
        ("text/plain", "/y"),
        ("", "/y"),
    ]
    .into_iter()
    .map(|(content_type, target)| {
        let body = ok("import './part'\n");
        let body = match content_type {
            "" => body,
            content_type => body.with("content-type", content_type),
        };
        case("to a body with references")
            .at("/x", redirect(302, target))
            .at(target, body)
            .curl("https://ONE/x")
            .curl("-L https://ONE/x")
            .curl("-LI https://ONE/x")
            .records(move |entries| {
                assert_eq!(entries.len(), 2, "{content_type}");
                assert_eq!(pinned(entries), [(target.to_owned(), "/x".to_owned())]);
            })
    })
    .collect();
    cases.extend([
        case("over two of them, the second of which is another each time")
            .at("/x", redirect(302, "/y"))
            .serve("/y", |heard| {
                redirect(302, if heard.earlier == 0 { "/z?1" } else { "/z?2" })
            })
            .at("/z?1", ok("{}").with("content-type", "application/json"))
            .at("/z?2", ok("{}").with("content-type", "application/json"))
            .curl("-L https://ONE/x")
            .records(|entries| {
                assert_eq!(entries.len(), 3);
                // Over both, the pin begins with the first URL.
                assert_eq!(pinned(entries), [("/z?2".to_owned(), "/x".to_owned())]);
            }),
    ]);
    compare(cases);
}

/// The hub's redirect says what the storage does not know.
#[test]
fn redirects_that_say_something() {
    let hub = |name| {
        case(name)
            .at(
                "/resolve/x.bin",
                redirect(302, "/storage/1f2e")
                    .with("x-repo-commit", "0a1b")
                    .with("x-linked-size", "8")
                    .with("x-linked-etag", "\"1f2e\"")
                    .with("etag", "\"redirect\""),
            )
            .at("/storage/1f2e", arrived().with("etag", "\"storage\""))
    };
    compare(vec![
        hub("asked with HEAD, and not followed").curl("-I https://ONE/resolve/x.bin"),
        hub("asked with HEAD first, which is followed by hand")
            .curl("-I https://ONE/resolve/x.bin")
            .curl("-I https://ONE/storage/1f2e")
            .curl("https://ONE/storage/1f2e")
            .records(|entries| {
                let pins = pinned(entries);
                assert_eq!(
                    pins,
                    [("/storage/1f2e".to_owned(), "/resolve/x.bin".to_owned())]
                );
            }),
        hub("asked with GET at once")
            .curl("https://ONE/resolve/x.bin")
            .curl("-L https://ONE/resolve/x.bin"),
        case("asked with HEAD, of what is followed with GET")
            .at("/x", redirect(302, "/y?1"))
            .at("/y?1", arrived())
            .curl("-I https://ONE/x")
            .curl("-LI https://ONE/x")
            .curl("-L https://ONE/x")
            .curl("'https://ONE/y?1'")
            .records(|entries| {
                let pins = [("/x", "/x"), ("/y?1", "/x")];
                let pins = pins.map(|(url, pin)| (url.to_owned(), pin.to_owned()));
                assert_eq!(pinned(entries), pins);
            }),
        case("asked with HEAD over several")
            .at("/x", redirect(302, "/y"))
            .at("/y", redirect(307, "/z"))
            .at("/z", arrived())
            .curl("-LI https://ONE/x")
            .curl("-L https://ONE/z")
            .records(|entries| {
                assert_eq!(pinned(entries), [("/z".to_owned(), "/x".to_owned())]);
            }),
        case("with a link that the target has not")
            .at(
                "/x",
                redirect(302, "/y").with("link", "</z>; rel=\"describedby\""),
            )
            .at("/y", arrived())
            .curl("https://ONE/x")
            .curl("-L https://ONE/x"),
        case("with no more than a server says of anything")
            .at(
                "/x",
                redirect(302, "/y")
                    .with("vary", "accept")
                    .with("cache-control", "no-cache")
                    .with("x-frame-options", "deny")
                    .with("ratelimit-remaining", "5")
                    .with("x-request-id", "1"),
            )
            .at("/y", arrived())
            .curl("-L https://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 1)),
    ]);
}

/// What is followed by `--follow-redirects` is not seen, but for what `--keep-redirects` names.
#[test]
fn redirects_that_a_person_decides_about() {
    const ASKED: &str = "--follow-redirects says so";
    let page = || ok("<a href=\"z\">").with("content-type", "text/html");
    compare_with(
        vec![
            case("followed")
                .at("/x", redirect(302, "/y"))
                .at("/y", page())
                .curl("https://ONE/x")
                .curl("-LI https://ONE/x")
                .differs("status", ASKED)
                .differs("body", ASKED)
                .differs("content-type", ASKED)
                .differs("content-length", ASKED)
                .differs("location", ASKED)
                .records(|entries| assert_eq!(entries.len(), 1)),
            case("kept")
                .at("/kept", redirect(302, "/y"))
                .at("/y", arrived())
                .curl("https://ONE/kept")
                .curl("-L https://ONE/kept")
                .records(|entries| {
                    assert_eq!(pinned(entries), [("/y".to_owned(), "/kept".to_owned())]);
                }),
        ],
        &["--follow-redirects", "*", "--keep-redirects", "*/kept"],
    );
}

/// The paths of what is pinned, each with that of what its pin fetches.
fn pinned(entries: &[Entry]) -> Vec<(String, String)> {
    let path = |url: &Url| url.path_and_query().to_owned();
    let pins = entries.iter().filter_map(|entry| match &entry.body {
        Body::Pin(pin) => Some((path(&entry.url), path(&pin.url))),
        _ => None,
    });
    pins.collect()
}

/// Whether a secret came along.
fn secrets(heard: &Heard) -> Reply {
    let [authorization, cookie] =
        ["authorization", "cookie"].map(|name| heard.header(name).is_some());
    ok(format!("{authorization:5} {cookie:5}\n")).with("content-type", BYTES)
}

/// What is for a file, and refers to nothing.
const BYTES: &str = "application/octet-stream";

fn arrived() -> Reply {
    ok("arrived\n").with("content-type", BYTES)
}

impl Heard {
    /// A URL on the host that was asked.
    fn same(&self, scheme: &str, target: &str) -> String {
        format!("{scheme}{}{target}", self.host)
    }

    /// A URL on the other one of the two hosts.
    fn other(&self, scheme: &str, target: &str) -> String {
        let host = match self.host.strip_prefix("one.") {
            Some(rest) => format!("two.{rest}"),
            None => self.host.replacen("two.", "one.", 1),
        };
        format!("{scheme}{host}{target}")
    }
}
