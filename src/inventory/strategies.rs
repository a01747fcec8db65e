//! Arbitrary entries for property tests, with all that upstream could send to break a file.

use std::path::PathBuf;

use http::{Method, StatusCode};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::query::Parameter;
use super::{Body, Condition, Entry, Headers, Pin, Sri, StoreName, Url};

/// Text that Nix would read as something else if it were not escaped.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            "${",
            "$${",
            "$",
            "$$",
            "\"",
            "''",
            "'",
            "\\",
            "\\n",
            "\\${",
            "}",
            "#",
            "/*",
            "*/",
            ";",
            "builtins.exec",
            "\u{feff}",
            "é",
            "日",
            "\u{2028}",
            "]",
            " ",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,8}",
        "[a-z]{90,110}",
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        nasty(),
        any::<String>().prop_map(|text| text.replace('\0', "")),
        vec(
            prop_oneof![
                nasty(),
                select(vec!["\n", "\r\n", "\r", "\t", "  "]).prop_map(str::to_owned)
            ],
            0..6
        )
        .prop_map(|pieces| pieces.concat()),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![nasty(), "[ -~\t]{0,120}"]
}

fn name() -> impl Strategy<Value = StoreName> {
    "[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,120}".prop_map(|name| name.parse().unwrap())
}

fn url() -> impl Strategy<Value = Url> {
    let host = select(vec![
        "example.org",
        "a_b.example.org:8080",
        "[::1]",
        "127.0.0.1:1",
        "xn--bcher-kva.example",
    ]);
    (select(vec!["http", "https"]), host, nasty()).prop_map(|(scheme, host, tail)| {
        let tail: String = tail.chars().filter(|c| !" #".contains(*c)).collect();
        format!("{scheme}://{host}/{tail}").parse().unwrap()
    })
}

fn hash() -> impl Strategy<Value = Sri> {
    prop_oneof![
        any::<[u8; 32]>().prop_filter("fake", |digest| *digest != [0; 32]).prop_map(Sri::new_sha256),
        Just("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==".parse().unwrap()),
    ]
}

/// Canonical paths, with names that a path literal can hold, and with others.
fn path() -> impl Strategy<Value = PathBuf> {
    let name = prop_oneof!["[A-Za-z0-9._+-]{1,60}", nasty(),].prop_filter("no name", |name| {
        !name.is_empty() && name != "." && name != ".." && !name.contains('/')
    });
    (select(vec!["", "/", "../", "../../"]), vec(name, 1..4))
        .prop_map(|(start, names)| PathBuf::from(format!("{start}{}", names.join("/"))))
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        Just(Body::Empty),
        (name(), url(), vec(url(), 0..3), option::of(hash())).prop_map(
            |(name, url, mirrors, hash)| Body::Pin(Pin {
                mirrors,
                ..Pin::new(name, url, hash)
            })
        ),
        path().prop_map(Body::File),
        (name(), text()).prop_map(|(name, text)| Body::Text { name, text }),
    ]
}

fn header_name() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "content-type",
            "etag",
            "link",
            "x-$$",
            "x-''",
            "'",
            "|",
            "or",
            "rec"
        ])
        .prop_map(str::to_owned),
        "x-[a-z0-9!#$%&'*+.^_`|~-]{1,12}",
    ]
}

fn headers() -> impl Strategy<Value = Headers> {
    btree_map(header_name(), vec(value(), 1..3), 0..4).prop_map(|fields| {
        let mut headers = Headers::new();
        for (name, values) in fields {
            headers
                .declare(&name, values.iter().map(String::as_str))
                .unwrap();
        }
        headers
    })
}

fn parameter() -> impl Strategy<Value = Parameter> {
    prop_oneof![nasty(), "[_a-z]{1,3}", "[a-z]{90,110}"]
        .prop_filter_map("no name", |name| name.parse().ok())
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => Just(Condition::default()),
        1 => (
            btree_map(header_name(), value(), 0..3),
            any::<bool>(),
            option::of(hash()),
            vec(parameter(), 0..3),
        ).prop_map(|(headers, authorization, body, ignored)| Condition {
            headers,
            authorization,
            body,
            ignore_query: ignored.into_iter().collect(),
        }),
    ]
}

/// An entry that passes [`Entry::check`].
pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    let method = select(vec![
        Method::GET,
        Method::GET,
        Method::HEAD,
        Method::POST,
        "X-$".parse().unwrap(),
    ]);
    let status = (200..1000_u16).prop_map(|number| StatusCode::from_u16(number).unwrap());
    (url(), method, status, headers(), body(), condition()).prop_map(
        |(url, method, status, headers, body, condition)| {
            let entry = Entry {
                url,
                method,
                status,
                headers,
                body,
                condition,
            };
            entry.check().unwrap();
            entry
        },
    )
}

/// Entries of which no two answer the same request.
pub(crate) fn entries() -> impl Strategy<Value = Vec<Entry>> {
    vec(entry(), 0..6).prop_map(without_duplicates)
}

pub(crate) fn without_duplicates(entries: Vec<Entry>) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        if !kept.iter().any(|other| other.id() == entry.id()) {
            kept.push(entry);
        }
    }
    kept
}

/// An entry with each kind of body, under URLs that no other test has.
pub(crate) fn one_of_each() -> Vec<Entry> {
    let url: Url = "https://one.example.org/".parse().unwrap();
    let bodies = [
        Body::Empty,
        Body::Pin(Pin::new(
            "a".parse().unwrap(),
            url.clone(),
            Some(Sri::sha256_of(b"a")),
        )),
        Body::File("proxy_content/a".into()),
        Body::text("a".parse().unwrap(), "b\n").unwrap(),
    ];
    bodies
        .into_iter()
        .enumerate()
        .map(|(index, body)| Entry::get(url.join(&index.to_string()).unwrap(), body))
        .collect()
}
