//! One URL with several answers.

use buildproxy::inventory::Entry;

use super::{case, compare};
use crate::support::{ok, reply};

#[test]
fn negotiation() {
    compare(vec![
        case("by Accept")
            .serve("/x", |heard| match heard.header("accept") {
                Some("application/json") => ok("{}").with("content-type", "application/json"),
                Some("text/html") => ok("<p>").with("content-type", "text/html"),
                _ => ok("text").with("content-type", "text/plain"),
            })
            .curl("-H 'Accept: application/json' https://ONE/x")
            .curl("-H 'Accept: text/html' https://ONE/x")
            .curl("https://ONE/x")
            .curl("-H 'Accept:' https://ONE/x")
            .records(|entries| {
                assert_eq!(entries.len(), 3);
                assert_eq!(conditional(entries), 2);
            }),
        case("by Accept, and there is one answer")
            .at("/x", ok("text"))
            .curl("-H 'Accept: application/json' https://ONE/x")
            .curl("-H 'Accept: text/html' https://ONE/x")
            .curl("https://ONE/x")
            .records(|entries| assert_eq!((entries.len(), conditional(entries)), (1, 0))),
        case("by Accept, asked for once")
            .serve("/x", |heard| ok(heard.header("accept").unwrap_or_default().to_owned()))
            .curl("-H 'Accept: application/json' https://ONE/x")
            .records(|entries| assert_eq!((entries.len(), conditional(entries)), (1, 0))),
        case("by the status alone")
            .serve("/x", |heard| match heard.header("accept") {
                Some("text/css") => reply(406, ""),
                _ => reply(404, ""),
            })
            .curl("-H 'Accept: text/css' https://ONE/x")
            .curl("https://ONE/x"),
        case("by headers alone: the content type")
            .serve("/x", |heard| match heard.header("accept") {
                Some("application/json") => ok("{}").with("content-type", "application/json"),
                _ => ok("{}").with("content-type", "text/plain"),
            })
            .curl("-H 'Accept: application/json' https://ONE/x")
            .curl("https://ONE/x"),
        case("by credentials")
            .serve("/x", |heard| match heard.header("authorization") {
                Some(_) => ok("for you\n"),
                None => reply(401, "who?\n").with("www-authenticate", "Basic realm=\"x\""),
            })
            .curl("https://ONE/x")
            .curl("-u user:password https://ONE/x")
            .curl("--anyauth -u user:password https://ONE/x")
            .curl("https://ONE/x")
            .records(|entries| assert_eq!((entries.len(), conditional(entries)), (2, 1))),
        case("by credentials, always there")
            .serve("/x", |heard| match heard.header("authorization") {
                Some(_) => ok("for you\n"),
                None => reply(401, "who?\n"),
            })
            .curl("-H 'Authorization: Bearer one' https://ONE/x")
            .curl("-H 'Authorization: Bearer two' https://ONE/x")
            .records(|entries| assert_eq!((entries.len(), conditional(entries)), (1, 0))),
        case("by Git-Protocol")
            .serve("/x.git/info/refs?service=git-upload-pack", |heard| {
                ok(heard.header("git-protocol").unwrap_or("0").to_owned())
                    .with("content-type", "application/x-git-upload-pack-advertisement")
            })
            .curl("'https://ONE/x.git/info/refs?service=git-upload-pack'")
            .curl("-H 'Git-Protocol: version=2' 'https://ONE/x.git/info/refs?service=git-upload-pack'")
            .curl("-H 'Git-Protocol: version=1' 'https://ONE/x.git/info/refs?service=git-upload-pack'")
            .records(|entries| assert_eq!((entries.len(), conditional(entries)), (3, 2))),
        case("by Accept and by credentials")
            .serve("/x", |heard| {
                let accept = heard.header("accept").unwrap_or_default();
                ok(format!("{accept} {}", heard.header("authorization").is_some()))
            })
            .curl("-H 'Accept: a/b' https://ONE/x")
            .curl("-H 'Accept: a/b' -u user:password https://ONE/x")
            .curl("-u user:password https://ONE/x")
            .curl("https://ONE/x"),
        case("HEAD is negotiated as GET is")
            .serve("/x", |heard| match heard.header("accept") {
                Some("text/html") => ok("<p>").with("content-type", "text/html"),
                _ => ok("text").with("content-type", "text/plain"),
            })
            .curl("-H 'Accept: text/html' https://ONE/x")
            .curl("https://ONE/x")
            .curl("-I -H 'Accept: text/html' https://ONE/x")
            .curl("-I https://ONE/x"),
        case("HEAD alone is negotiated")
            .serve("/x", |heard| match heard.header("accept") {
                Some("text/html") => ok("<p>").with("content-type", "text/html"),
                _ => ok("text").with("content-type", "text/plain"),
            })
            .curl("-I -H 'Accept: text/html' https://ONE/x")
            .curl("-I https://ONE/x"),
        case("HEAD of one, GET of the other")
            .serve("/x", |heard| match heard.header("accept") {
                Some("text/html") => ok("<p>").with("content-type", "text/html"),
                _ => ok("text").with("content-type", "text/plain"),
            })
            .curl("-I -H 'Accept: text/html' https://ONE/x")
            .curl("https://ONE/x"),
        case("not by what varies from run to run")
            .at("/x", ok("text"))
            .curl("-A 'agent $WAY' -H \"X-Request-Id: $$\" -H 'Accept-Language: de' https://ONE/x")
            .records(|entries| assert_eq!((entries.len(), conditional(entries)), (1, 0))),
    ]);
}

/// How many entries have a condition.
fn conditional(entries: &[Entry]) -> usize {
    let conditional = entries.iter().filter(|entry| !entry.condition.is_empty());
    conditional.count()
}
