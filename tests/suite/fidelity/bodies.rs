//! Bodies: how they are framed, coded, and described.

use std::io::Write;

use buildproxy::inventory::Body;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use super::{case, compare};
use crate::support::{End, Framing, Heard, Reply, ok, reply};

/// Why a length may be there where the origin gave none.
const FRAMING: &str = "how a body is framed is between neighbours (RFC 9112, 6): a recorded body \
                       has a length, and one that is arriving may have none";

/// Why a body may come without the coding that the client offered to understand.
const CODING: &str = "compression is the origin's choice (RFC 9110, 12.5.3): upstream is asked for \
                      none, so that the bytes are those that fetchurl gets";

#[test]
fn bodies() {
    compare(vec![
        case("in chunks")
            .at("/x", ok(letters()).framed(Framing::Chunked))
            .curl("https://ONE/x")
            .curl("--http1.1 https://ONE/x")
            .differs("content-length", FRAMING),
        case("in chunks, and with a length that counts for nothing")
            .at("/x", ok(letters()).with("content-length", "3").framed(Framing::Chunked))
            .curl("https://ONE/x")
            .curl("--http1.1 https://ONE/x")
            .curl("-r 0-9 https://TWO/x")
            .differs("content-length", FRAMING)
            .differs("status", "ranges are an offer of ours, whether the origin makes it or not")
            .differs("content-range", "the same")
            .differs("body", "the same"),
        case("until the connection ends")
            .at("/x", ok(letters()).framed(Framing::Close))
            .curl("https://ONE/x")
            .curl("http://ONE/x")
            .differs("content-length", FRAMING),
        case("until the connection ends, which is not said in TLS")
            .at("/x", ok(letters()).framed(Framing::Close).ending(End::Abrupt))
            .curl("https://ONE/x")
            .curl("-r 3-5 https://TWO/x")
            .differs("content-length", FRAMING)
            .differs("status", "ranges are an offer of ours, whether the origin makes it or not")
            .differs("content-range", "the same")
            .differs("body", "the same")
            .records(|entries| {
                assert!(matches!(entries[0].body, Body::Pin(_)), "{entries:?}");
            }),
        case("the same in HTTP/1.0, of nothing")
            .at("/x", ok("").framed(Framing::Old).ending(End::Abrupt))
            .curl("https://ONE/x")
            .differs("content-length", FRAMING),
        case("in HTTP/1.0")
            .at("/x", ok(letters()).framed(Framing::Old))
            .curl("https://ONE/x")
            .curl("-0 http://ONE/x")
            .differs("content-length", FRAMING),
        case("empty")
            .at("/x", ok(""))
            .curl("https://ONE/x")
            .curl("--http1.1 https://ONE/x")
            .curl("-0 http://ONE/x"),
        case("empty, in chunks")
            .at("/x", ok("").framed(Framing::Chunked))
            .curl("--http1.1 https://ONE/x")
            .differs("content-length", FRAMING),
        case("empty, until the connection ends")
            .at("/x", ok("").framed(Framing::Old))
            .curl("https://ONE/x")
            .differs("content-length", FRAMING),
        case("one byte")
            .at("/x", ok("\0"))
            .curl("https://ONE/x"),
        case("binary, of every byte, small")
            .at("/x", ok((0..=255).collect::<Vec<u8>>()))
            .curl("https://ONE/x")
            .curl("-X PUT https://ONE/x"),
        case("text that Nix would have to be told of")
            .at("/x", reply(404, "''${a} \"${b}\" \\ ''\\n \t \u{fc}\u{1f600}\r\n"))
            .at("/y", reply(404, "'' ${a} \"${b}\" \\ $${c} \t \u{fc}\n"))
            .curl("https://ONE/x")
            .curl("https://ONE/y"),
        case("large")
            .at("/x", ok(large()).with("content-type", "application/octet-stream"))
            .curl("https://ONE/x")
            .curl("--http1.1 https://ONE/x"),
        case("large, in chunks")
            .at("/x", ok(large()).framed(Framing::Chunked))
            .curl("https://ONE/x")
            .differs("content-length", FRAMING),
        case("large, from a server of HTTP/2")
            .at("/x", ok(large()))
            .curl("https://H2/x"),
        case("large, the answer to a POST")
            .at("/x", ok(large()))
            .curl("-d x https://ONE/x"),
        case("compressed where that is asked for")
            .serve("/x", |heard| coded(heard).with("etag", "\"1\""))
            .curl("--compressed https://ONE/x")
            .curl("https://ONE/x")
            .differs("content-encoding", CODING)
            .differs("content-length", CODING),
        case("compressed though nobody asked")
            .at("/x", ok(gzip(&letters())).with("content-encoding", "gzip"))
            .curl("https://ONE/x")
            .curl("--compressed https://ONE/x")
            .curl("-I https://ONE/x")
            .records(|entries| {
                assert_eq!(entries[0].headers.get("content-encoding"), Some("gzip"));
            }),
        case("compressed in chunks though nobody asked")
            .at(
                "/x",
                ok(gzip(&letters()))
                    .with("content-encoding", "gzip")
                    .framed(Framing::Chunked),
            )
            .curl("--compressed https://ONE/x")
            .differs("content-length", FRAMING),
        case("an archive that is gzip by itself")
            .at("/x.tar.gz", ok(gzip(&letters())).with("content-type", "application/gzip"))
            .curl("https://ONE/x.tar.gz")
            .curl("--compressed https://ONE/x.tar.gz"),
        case("an archive that is said to be coded")
            .at(
                "/x.tar.gz",
                ok(gzip(&letters()))
                    .with("content-type", "application/x-tar")
                    .with("content-encoding", "x-gzip"),
            )
            .curl("https://ONE/x.tar.gz")
            .curl("--compressed https://ONE/x.tar.gz"),
        case("an unknown coding")
            .at("/x", ok("tluser").with("content-encoding", "reverse"))
            .curl("https://ONE/x"),
        case("interim answers come before")
            .at(
                "/x",
                ok("hello\n").after("HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"),
            )
            .at(
                "/y",
                ok("hello\n").after("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
            )
            .curl("https://ONE/x")
            .curl("https://ONE/y"),
        case("every header that a client may go by")
            .at(
                "/x",
                ok("hello\n")
                    .with("Content-Type", "application/json; charset=\"utf-8\"")
                    .with("Content-Disposition", "attachment; filename=\"a\\\"b.txt\"; filename*=UTF-8''%c3%bc")
                    .with("ETag", "W/\"a,b $\"")
                    .with("Last-Modified", "Sat, 01 Jan 2022 00:00:00 GMT")
                    .with("Link", "<https://a/?page=2>; rel=\"next\", <b>; rel=last")
                    .with("Link", "<c>; rel=up")
                    .with("Location", "https://elsewhere/")
                    .with("WWW-Authenticate", "Negotiate"),
            )
            .curl("https://ONE/x")
            .curl("-I https://ONE/x"),
        case("headers that are long, and many")
            .serve("/long", |_| ok("x").with("link", "<a>, ".repeat(8000)))
            .serve("/many", |_| {
                (0..150).fold(ok("x"), |reply, n| reply.with("link", format!("<{n}>")))
            })
            .curl("--http1.1 https://ONE/long")
            .curl("https://ONE/long")
            .curl("https://H2/long")
            .curl("--http1.1 https://ONE/many")
            .curl("https://H2/many"),
        case("headers of a request that are long, and many")
            .at("/x", ok("hello\n"))
            .asks(|heard| {
                let long = |heard: &&Heard| heard.headers.contains_key("x-long");
                let many = |heard: &&Heard| heard.headers.len() > 150;
                assert_eq!(heard.iter().filter(long).count(), 2);
                assert_eq!(heard.iter().filter(many).count(), 2);
            })
            .curl("-H \"X-Long: $(printf %040000d 0)\" https://ONE/x")
            .curl("--http1.1 -H \"X-Long: $(printf %040000d 0)\" https://ONE/x")
            .curl("$(n=100; while [ $n -lt 250 ]; do printf -- '-H X-%s:1 ' $n; n=$((n + 1)); done) https://ONE/x")
            .curl("--http1.1 $(n=100; while [ $n -lt 250 ]; do printf -- '-H X-%s:1 ' $n; n=$((n + 1)); done) https://ONE/x"),
        case("headers that are empty, or not there")
            .at("/x", ok("hello\n").with("content-type", "").with("etag", ""))
            .curl("https://ONE/x")
            .curl("-I https://ONE/x"),
        case("headers in UTF-8")
            .at("/x", ok("x").with("content-disposition", "attachment; filename=\"\u{fc}\""))
            .curl("https://ONE/x"),
        case("headers in Latin-1")
            .at("/x", ok("x").with("content-disposition", b"attachment; filename=\"\xfc\""))
            .curl("https://ONE/x")
            .differs(
                "content-disposition",
                "an inventory is text: what is in no encoding that anybody could know comes in UTF-8",
            ),
        case("headers with quotes, dollars and braces")
            .at("/x", ok("x").with("etag", "\"${a}''\\\"").with("link", "<${builtins.abort \"\"}>"))
            .curl("https://ONE/x"),
        case("a connection that ends without a word, again and again")
            .serve("/x", |heard| ok(heard.method.clone()).ending(End::Cut))
            .curl("-f --fail-early $(yes https://ONE/x | head -n 40)")
            .curl("-f --fail-early -d one $(yes https://ONE/x | head -n 40)")
            .curl("-f --fail-early -X PUT -d two $(yes http://ONE/x | head -n 40)"),
        case("an offer to go on in HTTP/2")
            .at("/x", ok("hello\n"))
            .curl("--http2 http://ONE/x"),
        case("headers of a connection stay there")
            .at(
                "/x",
                ok("hello\n")
                    .with("connection", "keep-alive, link")
                    .with("keep-alive", "timeout=5")
                    .with("link", "<only-for-the-neighbour>"),
            )
            .curl("--http1.1 https://ONE/x")
            .differs("link", "named in Connection, it ends at the proxy (RFC 9110, 7.6.1)"),
    ]);
}

fn letters() -> Bytes {
    Bytes::from("abcdefghijklmnopqrstuvwxyz\n".repeat(100))
}

/// 8 MiB that do not repeat.
fn large() -> Bytes {
    let mut state = 1_u64;
    let words = (0..1 << 20).flat_map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()
    });
    words.collect::<Vec<u8>>().into()
}

fn gzip(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap().into()
}

fn coded(heard: &Heard) -> Reply {
    let gzips = heard
        .header("accept-encoding")
        .is_some_and(|codings| codings.contains("gzip"));
    if gzips {
        ok(gzip(&letters())).with("content-encoding", "gzip")
    } else {
        ok(letters())
    }
}
