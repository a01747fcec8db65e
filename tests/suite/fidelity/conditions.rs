//! Conditional requests, which are answered from what was recorded.

use super::{Case, case, compare};
use crate::support::{Reply, ok, reply};

const MODIFIED: &str = "Sat, 01 Jan 2022 00:00:00 GMT";
const EARLIER: &str = "Fri, 31 Dec 2021 23:59:59 GMT";
const LATER: &str = "Sat, 01 Jan 2022 00:00:01 GMT";

/// What a condition comes to.
#[derive(Clone, Copy)]
enum Comes {
    Fresh,
    Changed,
    Failed,
}
use Comes::{Changed, Failed, Fresh};

#[test]
fn conditions() {
    let mut cases: Vec<Case> = [
        ("If-None-Match: \"1\"", Fresh),
        ("If-None-Match: W/\"1\"", Fresh),
        ("If-None-Match: \"2\"", Changed),
        ("If-None-Match: \"0\", \"1\"", Fresh),
        ("If-None-Match: \"0\",W/\"1\" , \"2\"", Fresh),
        ("If-None-Match: \"a,b\", \"c\"", Changed),
        ("If-None-Match: *", Fresh),
        ("If-Modified-Since: Sat, 01 Jan 2022 00:00:00 GMT", Fresh),
        ("If-Modified-Since: Sat, 01 Jan 2022 00:00:01 GMT", Fresh),
        ("If-Modified-Since: Fri, 31 Dec 2021 23:59:59 GMT", Changed),
        ("If-Modified-Since: nonsense", Changed),
        ("If-Match: \"1\"", Changed),
        ("If-Match: \"2\"", Failed),
        ("If-Match: \"0\", \"1\"", Changed),
        ("If-Match: W/\"1\"", Failed),
        ("If-Match: *", Changed),
        (
            "If-Unmodified-Since: Sat, 01 Jan 2022 00:00:00 GMT",
            Changed,
        ),
        (
            "If-Unmodified-Since: Sat, 01 Jan 2022 00:00:01 GMT",
            Changed,
        ),
        ("If-Unmodified-Since: Fri, 31 Dec 2021 23:59:59 GMT", Failed),
        ("If-Unmodified-Since: nonsense", Changed),
    ]
    .into_iter()
    .map(|(condition, comes)| conditional(condition, condition, comes))
    .collect();
    // Of two, the tag counts (RFC 9110, 13.2.2).
    for (name, first, second, comes) in [
        (
            "another etag, no change since",
            "If-None-Match: \"2\"",
            format!("If-Modified-Since: {LATER}"),
            Changed,
        ),
        (
            "the same etag, a change since",
            "If-None-Match: \"1\"",
            format!("If-Modified-Since: {EARLIER}"),
            Fresh,
        ),
        (
            "the same etag to match, a change since",
            "If-Match: \"1\"",
            format!("If-Unmodified-Since: {EARLIER}"),
            Changed,
        ),
        (
            "the same etag to match, and not to match",
            "If-Match: \"1\"",
            "If-None-Match: \"1\"".to_owned(),
            Fresh,
        ),
        (
            "a precondition before a range",
            "If-Match: \"2\"",
            "Range: bytes=0-1".to_owned(),
            Failed,
        ),
        (
            "a match before a range",
            "If-None-Match: \"1\"",
            "Range: bytes=0-1".to_owned(),
            Fresh,
        ),
    ] {
        cases.push(conditional(name, &format!("{first}' -H '{second}"), comes));
    }
    cases.extend([
        case("a condition alone is recorded as the whole")
            .serve("/x", |heard| {
                answer(heard.header("if-none-match").is_some(), Fresh)
            })
            .curl("-H 'If-None-Match: \"1\"' https://ONE/x")
            .records(|entries| {
                assert_eq!(entries.len(), 1);
                assert_eq!(entries[0].status.as_u16(), 200);
            })
            .asks(|heard| assert!(heard.iter().all(|h| h.header("if-none-match").is_none()))),
        case("HEAD has conditions too")
            .serve("/x", |heard| {
                answer(heard.header("if-none-match").is_some(), Fresh)
            })
            .curl("-I -H 'If-None-Match: \"1\"' https://ONE/x")
            .curl("-I https://ONE/x"),
        case("any, where there is no etag")
            .serve("/x", |heard| match heard.header("if-none-match") {
                Some(_) => reply(304, ""),
                None => ok("hello\n"),
            })
            .serve("/y", |_| ok("hello\n"))
            .curl("-H 'If-None-Match: *' https://ONE/x")
            .curl("-H 'If-Match: *' https://ONE/y"),
        case("an etag, where there is none")
            .serve("/x", |_| ok("hello\n"))
            .serve("/y", |heard| match heard.header("if-match") {
                Some(_) => reply(412, ""),
                None => ok("hello\n"),
            })
            .curl("-H 'If-None-Match: \"1\"' https://ONE/x")
            .curl("-H 'If-Match: \"1\"' https://ONE/y"),
        case("a weak etag")
            .serve("/x", |heard| match heard.header("if-none-match") {
                Some(_) => reply(304, "").with("etag", "W/\"1\""),
                None => ok("hello\n").with("etag", "W/\"1\""),
            })
            .serve("/y", |heard| match heard.header("if-match") {
                Some(_) => reply(412, ""),
                None => ok("hello\n").with("etag", "W/\"1\""),
            })
            .curl("-H 'If-None-Match: W/\"1\"' https://ONE/x")
            .curl("-H 'If-None-Match: \"1\"' https://ONE/x")
            .curl("-H 'If-Match: W/\"1\"' https://ONE/y"),
        case("an etag without quotes, as some servers send it")
            .serve("/x", |heard| match heard.header("if-none-match") {
                Some("abc") => reply(304, "").with("etag", "abc"),
                _ => ok("hello\n").with("etag", "abc"),
            })
            .curl("-H 'If-None-Match: abc' https://ONE/x")
            .curl("-H 'If-None-Match: ab' https://ONE/x"),
        case("since a date, where there is none")
            .at("/x", ok("hello\n"))
            .curl(&format!("-H 'If-Modified-Since: {LATER}' https://ONE/x"))
            .curl(&format!(
                "-H 'If-Unmodified-Since: {EARLIER}' https://ONE/x"
            )),
        case("a condition on what is not there")
            .at("/x", reply(404, "none\n").with("etag", "\"1\""))
            .curl("-H 'If-None-Match: \"1\"' https://ONE/x")
            .curl("-H 'If-Match: \"2\"' https://ONE/x"),
        case("a file that is there, with its date")
            .serve("/x", |heard| {
                answer(heard.header("if-modified-since").is_some(), Fresh)
            })
            .curl("-z 'Sat, 01 Jan 2022 00:00:00 GMT' https://ONE/x")
            .curl("-R https://ONE/x"),
        case("etags kept by curl itself")
            .serve("/x", |heard| {
                answer(heard.header("if-none-match") == Some("\"1\""), Fresh)
            })
            .curl("--etag-save $WAY/CASE.etag https://ONE/x")
            .curl("--etag-compare $WAY/CASE.etag https://ONE/x"),
    ]);
    compare(cases);
}

fn conditional(name: &'static str, condition: &str, comes: Comes) -> Case {
    case(name)
        .serve("/x", move |heard| {
            let asked = heard
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("if-"));
            answer(asked, comes)
        })
        .curl(&format!("-H '{condition}' https://ONE/x"))
        .curl("https://ONE/x")
        .records(|entries| assert_eq!(entries.len(), 1))
}

/// The whole, or what the condition comes to.
fn answer(asked: bool, comes: Comes) -> Reply {
    let answer = match comes {
        Fresh if asked => reply(304, ""),
        // An error is not what there is, and has none of its headers.
        Failed if asked => return reply(412, ""),
        _ => ok("hello\n").with("content-type", "text/plain"),
    };
    answer.with("etag", "\"1\"").with("last-modified", MODIFIED)
}
