//! Ranges: what is asked for is a part, what is recorded is the whole.

use super::{Case, case, compare};
use crate::support::{Framing, Heard, Reply, ok, reply};

const WHOLE: &str = "abcdefghijklmnopqrstuvwxyz";
const MODIFIED: &str = "Sat, 01 Jan 2022 00:00:00 GMT";

#[test]
fn ranges() {
    let mut cases: Vec<Case> = [
        ("the first byte", "0-0", 0, 1),
        ("the first", "0-4", 0, 5),
        ("the middle", "5-9", 5, 10),
        ("the last", "25-25", 25, 26),
        ("open", "20-", 20, 26),
        ("a suffix", "-3", 23, 26),
        ("a suffix that is longer than the whole", "-100", 0, 26),
        ("beyond the end", "20-1000", 20, 26),
        ("all", "0-25", 0, 26),
        ("all, open", "0-", 0, 26),
    ]
    .into_iter()
    .map(|(name, range, start, end)| {
        case(name)
            .serve("/x", move |heard| match heard.header("range") {
                Some(asked) if asked == format!("bytes={range}") => part(start, end),
                Some(other) => reply(400, other.to_owned()),
                None => whole(),
            })
            .curl(&format!("-r {range} https://ONE/x"))
            .curl(&format!("--http1.1 -r {range} https://ONE/x"))
            .curl("https://ONE/x")
            .asks(|heard| assert!(heard.iter().all(|heard| heard.header("range").is_none())))
            .records(|entries| {
                assert_eq!(entries.len(), 1);
                assert_eq!(entries[0].status.as_u16(), 200);
            })
    })
    .collect();
    cases.extend([
        case("only a part is asked for, and the whole recorded")
            .serve("/x", ranged("bytes=2-3", || part(2, 4)))
            .curl("-r 2-3 https://ONE/x")
            .records(|entries| assert_eq!(entries[0].status.as_u16(), 200)),
        case("of a body without a length")
            .serve("/x", |heard| match heard.header("range") {
                Some(_) => part(0, 5),
                None => whole().framed(Framing::Chunked),
            })
            .curl("-r 0-4 https://ONE/x"),
        case("beyond the end altogether")
            .serve("/x", ranged("bytes=26-", unsatisfiable))
            .curl("-r 26- https://ONE/x")
            .curl("-f -r 26- https://ONE/x"),
        case("of nothing")
            .serve("/x", |heard| match heard.header("range") {
                Some(_) => reply(416, "").with("content-range", "bytes */0"),
                None => ok(""),
            })
            .curl("-r 0-0 https://ONE/x"),
        case("the last no bytes")
            .serve("/x", ranged("bytes=-0", unsatisfiable))
            .curl("-H 'Range: bytes=-0' https://ONE/x"),
        case("not a range at all")
            .at("/x", whole())
            .curl("-H 'Range: bytes=5-2' https://ONE/x")
            .curl("-H 'Range: bytes=a-b' https://ONE/x")
            .curl("-H 'Range: lines=0-1' https://ONE/x")
            .curl("-H 'Range: bytes' https://ONE/x"),
        case("HEAD knows no range")
            .at("/x", whole())
            .curl("-I -H 'Range: bytes=0-4' https://ONE/x"),
        case("of a redirected file")
            .at("/x", crate::support::redirect(302, "/y"))
            .serve("/y", ranged("bytes=0-4", || part(0, 5)))
            .curl("-L -r 0-4 https://ONE/x"),
        case("of what is not there")
            .at("/x", reply(404, "none\n"))
            .curl("-r 0-1 https://ONE/x"),
        case("several")
            .serve(
                "/x",
                ranged("bytes=0-1,5-6,-2", || several(&[(0, 2), (5, 7), (24, 26)])),
            )
            .curl("-r 0-1,5-6,-2 https://ONE/x")
            .curl("--http1.1 -H 'Range: bytes=0-1, 5-6, -2' https://ONE/y")
            .serve(
                "/y",
                ranged("bytes=0-1, 5-6, -2", || {
                    several(&[(0, 2), (5, 7), (24, 26)])
                }),
            ),
        case("several, one of which can be given")
            .serve("/x", ranged("bytes=100-,2-3", || part(2, 4)))
            .curl("-r 100-,2-3 https://ONE/x"),
        case("several, none of which can be given")
            .serve("/x", ranged("bytes=100-,200-", unsatisfiable))
            .curl("-r 100-,200- https://ONE/x"),
        case("several that overlap are one")
            .serve("/x", ranged("bytes=3-6,0-4", || part(0, 7)))
            .curl("-r 3-6,0-4 https://ONE/x"),
        case("several, one of which overlaps another")
            .serve(
                "/x",
                ranged("bytes=8-9,3-6,0-4", || several(&[(0, 7), (8, 10)])),
            )
            .curl("-r 8-9,3-6,0-4 https://ONE/x"),
        case("several, that touch or go backwards")
            .serve(
                "/x",
                ranged("bytes=5-9,0-4", || several(&[(5, 10), (0, 5)])),
            )
            .curl("-r 5-9,0-4 https://ONE/x"),
        case("resumed")
            .serve("/x", ranged("bytes=5-", || part(5, 26)))
            .resumed("abcde", "-C - https://ONE/x")
            .resumed("abcde", "--http1.1 -C - https://ONE/x"),
        case("resumed where nothing is missing")
            .serve("/x", ranged("bytes=26-", unsatisfiable))
            .resumed(WHOLE, "-C - https://ONE/x"),
    ]);
    let last = [
        ("the same etag", "\"1\"", true),
        ("another etag", "\"2\"", false),
        ("a weak etag", "W/\"1\"", false),
        ("the same date", MODIFIED, true),
        ("an earlier date", "Fri, 31 Dec 2021 00:00:00 GMT", false),
        ("a later date", "Sun, 02 Jan 2022 00:00:00 GMT", false),
        ("neither", "nonsense", false),
    ];
    cases.extend(last.into_iter().map(|(name, value, same)| {
        case(name)
            .serve("/x", move |heard| match heard.header("if-range") {
                Some(asked) if asked == value && same => part(0, 5),
                _ => whole(),
            })
            .curl(&format!("-r 0-4 -H 'If-Range: {value}' https://ONE/x"))
            .curl(&format!("-H 'If-Range: {value}' https://ONE/x"))
            .serve("/y", |_| whole())
            .curl("https://ONE/y")
    }));
    // Without a range, If-Range means nothing, and the origins above do not know.
    for case in cases.iter_mut().rev().take(last.len()) {
        case.steps.remove(1);
    }
    compare(cases);
}

fn whole() -> Reply {
    described(ok(WHOLE))
}

fn described(reply: Reply) -> Reply {
    reply
        .with("content-type", "text/plain")
        .with("content-disposition", "attachment")
        .with("etag", "\"1\"")
        .with("last-modified", MODIFIED)
}

fn part(start: usize, end: usize) -> Reply {
    let range = format!("bytes {start}-{}/26", end - 1);
    described(reply(206, &WHOLE[start..end])).with("content-range", range)
}

fn unsatisfiable() -> Reply {
    reply(416, "").with("content-range", "bytes */26")
}

/// As RFC 9110 (14.6) has it; the boundary is ours.
fn several(parts: &[(usize, usize)]) -> Reply {
    use std::fmt::Write;
    let mut body = String::new();
    for &(start, end) in parts {
        let last = end - 1;
        write!(
            body,
            "\r\n--buildproxy-1f0c7e0f5b0a4a6f9d27c3e8a1b45d60\r\nContent-Type: text/plain\r\nContent-Range: bytes {start}-{last}/26\r\n\r\n{}",
            &WHOLE[start..end]
        )
        .unwrap();
    }
    body.push_str("\r\n--buildproxy-1f0c7e0f5b0a4a6f9d27c3e8a1b45d60--\r\n");
    reply(206, body)
        .with(
            "content-type",
            "multipart/byteranges; boundary=buildproxy-1f0c7e0f5b0a4a6f9d27c3e8a1b45d60",
        )
        .with("content-disposition", "attachment")
        .with("etag", "\"1\"")
        .with("last-modified", MODIFIED)
}

/// The whole, and for this range what `part` makes.
fn ranged(range: &'static str, part: fn() -> Reply) -> impl Fn(&Heard) -> Reply {
    move |heard| match heard.header("range") {
        Some(asked) if asked == range => part(),
        Some(other) => reply(400, other.to_owned()),
        None => whole(),
    }
}
