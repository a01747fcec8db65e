//! URLs: verbatim, and told apart.

use super::{case, compare};
use crate::support::{Heard, Reply, ok, redirect};

#[test]
fn urls() {
    let mut cases = vec![
        case("queries are told apart")
            .at("/x", ok("none"))
            .at("/x?", ok("empty"))
            .at("/x?a=1", ok("1"))
            .at("/x?a=2", ok("2"))
            .at("/x?a=1&b=2", ok("1 2"))
            .at("/x?b=2&a=1", ok("2 1"))
            .curl("https://ONE/x")
            .curl("'https://ONE/x?'")
            .curl("'https://ONE/x?a=1'")
            .curl("'https://ONE/x?a=2'")
            .curl("'https://ONE/x?a=1&b=2'")
            .curl("'https://ONE/x?b=2&a=1'")
            .records(|entries| assert_eq!(entries.len(), 6)),
        case("a query without a path")
            .serve("/?a=1", target)
            .curl("'https://ONE?a=1'")
            .curl("'http://ONE?a=1'"),
        case("no path")
            .serve("/", target)
            .curl("https://ONE")
            .curl("https://ONE/")
            .records(|entries| assert_eq!(entries.len(), 1)),
        case("a file and a folder with one name")
            .at("/a", ok("a"))
            .at("/a/", ok("a/"))
            .at("/a/b", ok("a/b"))
            .at("/a/b/c", ok("a/b/c"))
            .curl("https://ONE/a/b/c")
            .curl("https://ONE/a")
            .curl("https://ONE/a/")
            .curl("https://ONE/a/b"),
        case("case counts in paths, and not in hosts")
            .at("/a", ok("a"))
            .at("/A", ok("A"))
            .curl("https://ONE/a")
            .curl("https://ONE/A")
            .curl("https://LOUD/a")
            .curl("HTTP://LOUD/a")
            .records(|entries| assert_eq!(entries.len(), 3)),
        case("two hosts, and two schemes")
            .serve("/x", |heard| {
                ok(format!("{} {}", heard.scheme, &heard.host[..3]))
            })
            .curl("https://ONE/x")
            .curl("https://TWO/x")
            .curl("http://ONE/x")
            .curl("http://TWO/x")
            .records(|entries| assert_eq!(entries.len(), 4)),
        case("ports that need not be said")
            .serve("/x", target)
            .curl("https://ONE:443/x")
            .curl("https://ONE/x")
            .curl("http://ONE:80/x")
            .curl("http://ONE:/x")
            .records(|entries| assert_eq!(entries.len(), 2)),
        case("a port that must be")
            .serve("/x", |heard| ok(heard.host.clone()))
            .curl("http://ONE:8080/x")
            .curl("http://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 2)),
        case("an address")
            .serve("/x", |heard| ok(heard.scheme))
            .curl("http://HTTP_IP/CASE/x")
            .curl("https://HTTPS_IP/CASE/x")
            .curl("--http1.1 https://HTTPS_IP/CASE/x"),
        case("an address of version 6")
            .serve("/x", |heard| ok(heard.host.clone()))
            .curl("-g 'http://[2001:db8::1]/CASE/x'")
            .curl("-g 'http://[2001:DB8:0:0::1]:80/CASE/x'"),
        case("userinfo is for the Authorization header")
            .serve("/x", |heard| {
                ok(heard.header("authorization").is_some().to_string())
            })
            .curl("https://user:password@ONE/x")
            .records(|entries| assert!(!entries[0].url.as_str().contains("password"))),
        case("a fragment is nobody's business")
            .serve("/x", target)
            .curl("https://ONE/x#top")
            .curl("https://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 1)),
        case("a key of the host with a dot at its end")
            .serve("/x", target)
            .curl("http://ONE./x"),
        // Of http, curl itself encodes some of it, and none where there is a proxy.
        case("not ASCII")
            .serve("/\u{fc}/\u{1f600}?\u{e9}", target)
            .curl("'https://ONE/\u{fc}/\u{1f600}?\u{e9}'")
            .curl("--http1.1 'https://ONE/\u{fc}/\u{1f600}?\u{e9}'"),
        case("a query that is longer than most")
            .serve(LONG, target)
            .curl(&format!("'https://ONE{LONG}'")),
        case("a redirect between spellings of one URL")
            .at("/a//b", redirect(301, "/a/b"))
            .serve("/a/b", target)
            .curl("-L https://ONE/a//b"),
    ];
    cases.extend(
        [
            // What is asked for, and what is sent of it through the proxy, whose HTTP library sends no more.
            ("/a<b>c", "/a%3Cb%3Ec"),
            ("/a`b", "/a%60b"),
            ("/a?b=\"c\"", "/a?b=%22c%22"),
            ("/a?<b>", "/a?%3Cb%3E"),
        ]
        .into_iter()
        .map(|(raw, encoded)| {
            case("what servers take, encoded as browsers do")
                .at(raw, ok("here"))
                .at(encoded, ok("here"))
                .curl(&format!("-g 'https://ONE{raw}'"))
                .curl(&format!("-g --http1.1 'https://ONE{raw}'"))
                .curl(&format!("-g 'https://ONE{encoded}'"))
                .curl(&format!("-g 'http://TWO{raw}'"))
                .records(move |entries| {
                    let urls = entries.iter().map(|entry| entry.url.path_and_query());
                    assert_eq!(urls.collect::<Vec<_>>(), [encoded, encoded]);
                })
        }),
    );
    cases.extend(
        [
            "/a%2Fb",
            "/a%2fb",
            "/a//b",
            "//a",
            "/a/",
            "/a/.",
            "/a/../b",
            "/../../etc/passwd",
            "/%2e%2e/b",
            "/a/./b",
            "/~a/;b=1,c/@v/!d",
            "/a+b%20c?d+e%20f",
            "/%41",
            "/a\"b",
            "/a$b${c}",
            "/{a}/[b]?c[]=d|e",
            "/a\\b^c",
            "/a?b?c",
            "/a?b/../c",
            "/a?b=https://c/d?e",
            "/a%",
            "/a%zz",
            "/''${a}",
            "/.hidden",
            "/a:b",
            "/*",
        ]
        .into_iter()
        .map(|path| {
            let quoted = path.replace('\'', r"'\''");
            case("verbatim")
                .serve(path, target)
                .curl(&format!("-g --path-as-is 'https://ONE{quoted}'"))
                .curl(&format!("-g --path-as-is 'http://ONE{quoted}'"))
        }),
    );
    compare(cases);
}

const LONG: &str = concat!(
    "/x?",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
);

fn target(heard: &Heard) -> Reply {
    ok(heard.target.clone())
}
