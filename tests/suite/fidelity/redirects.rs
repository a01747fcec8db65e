//! Redirects, as a client sees them that follows.

use super::{case, compare};
use crate::support::{Heard, ok, redirect, reply};

/// Why a client that does not follow gets what is at the end.
const FOLLOWED: &str = "redirects are followed for the client, because what they lead to expires; it is \
                        --keep-redirects that leaves them to it";

#[test]
fn redirects() {
    let mut cases: Vec<_> = [301, 302, 303, 307, 308]
        .into_iter()
        .map(|status| {
            case("a redirect")
                .at("/x", redirect(status, "/y"))
                .at("/y", ok("arrived\n").with("content-type", "text/plain"))
                .curl("-L https://ONE/x")
                .curl("-L http://ONE/x")
                .curl("-LI https://ONE/x")
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
                .at(to, ok("arrived\n"))
                // As curl spells the last one.
                .at("/%c3%bc", ok("arrived\n"))
                .curl(&format!("-L 'https://ONE{from}'"))
        }),
    );
    cases.extend([
        case("a redirect in Latin-1")
            .at("/x", reply(302, "").with("location", b"/\xfc"))
            .at("/%FC", ok("arrived\n"))
            .at("/%fc", ok("arrived\n"))
            .curl("-L https://ONE/x"),
        case("a redirect to nowhere in particular")
            .at("/x", reply(302, "stay\n").with("location", ""))
            .curl("-L --max-redirs 3 https://ONE/x"),
        case("to another host, without a scheme")
            .serve("/x", |heard| redirect(301, &heard.other("//", "/y")))
            .at("/y", ok("arrived\n"))
            .curl("-L https://ONE/x")
            .curl("-L http://ONE/x"),
        case("from http to https")
            .serve("/x", |heard| redirect(301, &heard.same("https://", "/y")))
            .at("/y", ok("arrived\n"))
            .curl("-L http://ONE/x"),
        case("from https to http")
            .serve("/x", |heard| redirect(301, &heard.same("http://", "/y")))
            .at("/y", ok("arrived\n"))
            .curl("-L https://ONE/x"),
        case("over several hosts")
            .serve("/x", |heard| redirect(301, &heard.other("https://", "/y")))
            .serve("/y", |heard| redirect(302, &heard.other("http://", "/z")))
            .at("/z", redirect(307, "w"))
            .at("/w", ok("arrived\n").with("etag", "\"w\""))
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
                Some(_) => ok("arrived\n"),
            })
            .curl("-L -c $WAY/CASE.jar -b $WAY/CASE.jar https://ONE/x"),
        case("with a cookie that the target asks for")
            .serve("/a/x", |_| {
                redirect(302, "/y").with("set-cookie", "seen=1; Path=/")
            })
            .serve("/y", |heard| match heard.header("cookie") {
                Some("seen=1") => ok("arrived\n"),
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
            .at("/y?signature=1", ok("arrived\n"))
            .curl("https://ONE/x")
            .differs("status", FOLLOWED)
            .differs("body", FOLLOWED)
            .differs("content-length", FOLLOWED)
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
            .at("/y?t=1", ok("arrived\n"))
            .at("/y?t=2", ok("arrived\n"))
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

/// Whether a secret came along.
fn secrets(heard: &Heard) -> crate::support::Reply {
    let [authorization, cookie] =
        ["authorization", "cookie"].map(|name| heard.header(name).is_some());
    ok(format!("{authorization:5} {cookie:5}\n"))
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
