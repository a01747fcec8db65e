//! Methods and statuses.

use std::io::Write;

use buildproxy::inventory::{Body, Entry};
use flate2::{Compression, write::GzEncoder};

use super::{Case, case, compare};
use crate::support::{Framing, Heard, Reply, ok, redirect, reply};

#[test]
fn methods() {
    compare(vec![
        case("GET")
            .at("/x", ok("hello\n").with("content-type", "text/plain"))
            .curl("https://ONE/x"),
        case("GET over http")
            .at("/x", ok("hello\n"))
            .curl("http://ONE/x"),
        case("GET over HTTP/1.1")
            .at("/x", ok("hello\n"))
            .curl("--http1.1 https://ONE/x"),
        case("GET from a server of HTTP/2")
            .at("/x", ok("hello\n").with("etag", "\"2\""))
            .curl("https://H2/x"),
        case("GET twice")
            .at("/x", ok("hello\n"))
            .curl("https://ONE/x")
            .curl("https://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 1)),
        case("HEAD, then GET")
            .at("/x", file("hello\n"))
            .curl("-I https://ONE/x")
            .curl("https://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 1)),
        case("GET, then HEAD")
            .at("/x", file("hello\n"))
            .curl("https://ONE/x")
            .curl("-I https://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 1)),
        case("HEAD without GET, of something huge")
            .at("/x", file("").framed(Framing::Claimed(123_456_789_012)))
            .curl("-I https://ONE/x")
            .asks(|heard| assert!(heard.iter().all(|heard| heard.method == "HEAD"))),
        case("HEAD without a length")
            .at("/x", file("hello\n").framed(Framing::Chunked))
            .curl("-I https://ONE/x"),
        case("HEAD of nothing")
            .at("/x", file(""))
            .curl("-I https://ONE/x"),
        case("HEAD is not allowed, GET is")
            .serve("/x", |heard| match heard.method.as_str() {
                "HEAD" => reply(405, ""),
                _ => ok("hello\n"),
            })
            .curl("-I https://ONE/x")
            .curl("https://ONE/x"),
        case("HEAD of what is not there, and of what is")
            .at("/none", reply(404, "none\n"))
            .at("/x", ok("hello\n"))
            .curl("-I https://ONE/none")
            .curl("-I https://ONE/x"),
        case("POST of two bodies to one URL")
            .serve("/x", echo)
            .curl("-d one https://ONE/x")
            .curl("-d two https://ONE/x")
            .curl("-d one https://ONE/x")
            .records(|entries| {
                assert_eq!(entries.len(), 2);
                assert!(entries.iter().all(|entry| entry.condition.body.is_some()));
                let pinned = |entry: &Entry| matches!(entry.body, Body::Pin(_));
                assert!(!entries.iter().any(pinned), "no plain fetch gives them");
            }),
        case("POST of two bodies that get one answer")
            .at("/x", ok("thanks\n"))
            .curl("-d one https://ONE/x")
            .curl("-d two https://ONE/x")
            .records(|entries| {
                assert_eq!(entries.len(), 1);
                assert!(entries[0].condition.is_empty());
            }),
        case("POST in chunks is the same POST")
            .serve("/x", echo)
            .curl("--http1.1 -H 'Transfer-Encoding: chunked' -d one https://ONE/x")
            .curl("-d one https://ONE/x")
            .curl("-d two https://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 2)),
        case("POST that waits for 100")
            .serve("/x", echo)
            .curl("--http1.1 -H 'Expect: 100-continue' -d one https://ONE/x")
            .curl("--http1.1 -H 'Expect: 100-continue' -d one http://ONE/x"),
        case("POST of a compressed body is POST of the body")
            .serve("/x", |heard| ok(if heard.header("content-encoding").is_some() {
                gunzipped(&heard.body)
            } else {
                heard.body.to_vec()
            }))
            .curl("-d question https://ONE/x")
            .curl("-d other https://ONE/x")
            .curl(&format!("{} https://ONE/x", gzipped("question")))
            .curl(&format!("{} https://ONE/y", gzipped("question")))
            .serve("/y", |heard| ok(gunzipped(&heard.body))),
        case("POST of nothing")
            .serve("/x", |heard| ok(heard.header("content-length").unwrap_or("-").to_owned()))
            .curl("-X POST https://ONE/x")
            .curl("-d '' https://ONE/x")
            .differs("body", "a POST without a length is given one, 0, as RFC 9110 (8.6) would have it"),
        case("PUT, PATCH, DELETE and OPTIONS of one URL")
            .serve("/x", |heard| ok(format!("{} {}\n", heard.method, heard.body.len())))
            .curl("-X PUT -d 1 https://ONE/x")
            .curl("-X PATCH -d 22 https://ONE/x")
            .curl("-X DELETE https://ONE/x")
            .curl("-X DELETE -d 333 https://ONE/x")
            .curl("-X OPTIONS https://ONE/x")
            .curl("-X PROPFIND -d 4444 https://ONE/x")
            .curl("https://ONE/x"),
        case("an upload, in chunks over http")
            .serve("/x", |heard| reply(201, heard.body.clone()).with("location", "/x/1"))
            .curl("-T proxy.txt http://ONE/x $(printf text >proxy.txt)")
            .curl("-T - http://ONE/x <replayed.sh"),
        case("a large upload, which waits for 100")
            .serve("/x", |heard| ok(heard.body.len().to_string()))
            .curl("--http1.1 -T large.in https://ONE/x $(head -c 3000000 /dev/zero >large.in)")
            .curl("-T large.in https://ONE/x")
            .curl("-T large.in http://ONE/x"),
        case("GET with a body")
            .serve("/x", echo)
            .curl("-X GET -d one https://ONE/x")
            .curl("-X GET -d two https://ONE/x")
            .curl("-X GET -H 'Content-Type:' -d three https://ONE/x")
            .curl("https://ONE/x"),
        case("GET with a body only, and nothing that says what it is")
            .serve("/x", echo)
            .curl("-X GET -H 'Content-Type:' -d one https://ONE/x"),
        case("a body may be asked for in JSON, with a condition of its own")
            .serve("/x", echo)
            .curl("-H 'Content-Type: application/json' -H 'Accept: application/json' -d '{}' https://ONE/x")
            .curl("-H 'Content-Type: application/json' -H 'Accept: application/json' -d '[]' https://ONE/x"),
        case("PUT keeps its precondition")
            .serve("/x", |heard| match heard.header("if-match") {
                Some("\"1\"") => reply(204, ""),
                _ => reply(412, "no\n"),
            })
            .curl("-X PUT -H 'If-Match: \"1\"' -d one https://ONE/x")
            .curl("-X PUT -H 'If-Match: \"2\"' -d two https://ONE/x"),
    ]);
}

#[test]
fn statuses() {
    let mut cases: Vec<Case> = [
        ("201", 201),
        ("202", 202),
        ("203", 203),
        ("400", 400),
        ("401", 401),
        ("402", 402),
        ("403", 403),
        ("404", 404),
        ("406", 406),
        ("409", 409),
        ("410", 410),
        ("418", 418),
        ("422", 422),
        ("429", 429),
        ("451", 451),
        ("500", 500),
        ("501", 501),
        ("502", 502),
        ("503", 503),
        ("599", 599),
        ("799, which nobody knows", 799),
    ]
    .into_iter()
    .map(|(name, status)| {
        let body = format!("{{\"status\": {status}}}\n");
        let answer = reply(status, body)
            .with("content-type", "application/json")
            .with("www-authenticate", "Bearer realm=\"a\", Basic realm=\"b\"")
            .with("retry-after", "0");
        case(name)
            .at("/x", answer)
            .curl("https://ONE/x")
            .curl("-I https://ONE/x")
            .curl("-f https://ONE/x")
            .records(|entries| assert_eq!(entries.len(), 1))
    })
    .collect();
    cases.extend([
        case("204")
            .at("/x", reply(204, "").with("etag", "\"1\""))
            .curl("https://ONE/x")
            .curl("--http1.1 https://ONE/x"),
        case("205")
            .at("/x", reply(205, ""))
            .curl("--http1.1 https://ONE/x"),
        case("206 that nobody asked for")
            .at("/x", reply(206, "ab").with("content-range", "bytes 0-1/3"))
            .curl("https://ONE/x"),
        case("206 to a POST")
            .at("/x", reply(206, "ab").with("content-range", "bytes 0-1/3"))
            .curl("-r 0-1 -d x https://ONE/x"),
        case("300 with alternatives")
            .at(
                "/x",
                reply(300, "choose\n").with("link", "</a>; rel=alternate"),
            )
            .curl("-L https://ONE/x"),
        case("302 without Location")
            .at("/x", reply(302, "where to?\n"))
            .curl("https://ONE/x")
            .curl("-L https://ONE/x"),
        case("304 that nobody asked for")
            .at("/x", reply(304, "").with("etag", "\"1\""))
            .curl("https://ONE/x"),
        case("305 is not followed by anyone")
            .at("/x", redirect(305, "https://ONE/y"))
            .curl("https://ONE/x"),
        case("503 that a retry turned into 200")
            .serve("/x", |heard| match heard.earlier {
                0 => reply(503, "later\n").with("retry-after", "0"),
                _ => ok("now\n"),
            })
            .curl("-f --retry 2 --retry-delay 1 https://ONE/x")
            .records(only(200)),
        case("429 that a retry turned into 200")
            .serve("/x", |heard| match heard.earlier {
                0 => reply(429, "later\n").with("retry-after", "0"),
                _ => ok("now\n"),
            })
            .curl("-f --retry 2 --retry-delay 1 https://ONE/x")
            .records(only(200)),
        case("404 for what was there a moment ago")
            .serve("/x", |heard| match heard.earlier {
                0 => ok("here\n"),
                _ => reply(404, "gone\n"),
            })
            .curl("https://ONE/x")
            .curl("https://ONE/x")
            .differs(
                "status",
                "one question has one answer, and that is the one with which a build goes on",
            )
            .differs("body", "the same")
            .records(only(200)),
        case("two challenges in two lines")
            .at(
                "/x",
                reply(401, "who?\n")
                    .with("www-authenticate", "Bearer realm=\"https://a/?x=1\"")
                    .with("www-authenticate", "Basic realm=\"b\""),
            )
            .curl("https://ONE/x"),
    ]);
    compare(cases);
}

fn only(status: u16) -> impl Fn(&[Entry]) + Send + Sync {
    move |entries| {
        let statuses: Vec<u16> = entries.iter().map(|entry| entry.status.as_u16()).collect();
        assert_eq!(statuses, [status]);
    }
}

/// A file as most servers give it.
fn file(body: &'static str) -> Reply {
    ok(body)
        .with("content-type", "application/octet-stream")
        .with("etag", "\"1\"")
        .with("last-modified", "Sat, 01 Jan 2022 00:00:00 GMT")
}

fn echo(heard: &Heard) -> Reply {
    ok(heard.body.clone()).with("content-type", "text/plain")
}

fn gunzipped(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(body);
    std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
    plain
}

/// The options by which curl posts `text` compressed.
fn gzipped(text: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let octal: Vec<String> = encoder
        .finish()
        .unwrap()
        .iter()
        .map(|byte| format!("\\{byte:03o}"))
        .collect();
    let octal = octal.concat();
    format!(
        "-H 'Content-Encoding: gzip' --data-binary @question.gz $(printf '{octal}' >question.gz)"
    )
}
