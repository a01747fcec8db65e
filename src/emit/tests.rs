//! Printing, reading and merging belong together: what goes in comes out.

use std::os::unix::ffi::OsStringExt as _;

use proptest::prelude::*;

use super::*;
use crate::inventory::nix::Document;
use crate::inventory::{Sri, Url, strategies};

fn read(text: &str) -> Vec<Entry> {
    match Document::parse(text) {
        Ok(document) => document
            .entries()
            .iter()
            .map(|located| located.entry.clone())
            .collect(),
        Err(error) => panic!("line {}: {error}\n{text}", error.line()),
    }
}

fn nixfmt(text: &str) -> String {
    match nixfmt_rs::format(text) {
        Ok(formatted) => formatted,
        Err(error) => panic!("{}\n{text}", nixfmt_rs::format_error(text, None, &error)),
    }
}

fn pinned(url: &str) -> Entry {
    let url: Url = url.parse().unwrap();
    let mut entry = Entry::get(
        url.clone(),
        Body::Pin(Pin {
            name: url.file_name(),
            url,
            hash: Some(Sri::sha256_of(b"hello")),
        }),
    );
    entry
        .headers
        .insert("content-type", "application/gzip")
        .unwrap();
    entry
}

fn empty(url: &str) -> Entry {
    Entry::get(url.parse().unwrap(), Body::Empty)
}

#[test]
fn the_file_looks_as_the_documentation_says() {
    assert_eq!(print(&[]), "{ }:\n[ ]\n");
    assert_eq!(
        print(&[pinned("https://example.org/releases/a-1.0.tar.gz")]),
        r#"{ fetchurl }:
[
  {
    url = "https://example.org/releases/a-1.0.tar.gz";
    file = fetchurl {
      name = "a-1.0.tar.gz";
      url = "https://example.org/releases/a-1.0.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = {
      "content-type" = "application/gzip";
    };
  }
]
"#
    );
}

#[test]
fn what_has_its_default_is_left_out() {
    assert_eq!(
        print(&[empty("https://example.org/a")]),
        "{ }:\n[\n  {\n    url = \"https://example.org/a\";\n    file = null;\n    status_code = 200;\n    headers = { };\n  }\n]\n"
    );
}

#[test]
fn what_nix_cannot_say_fails_when_it_is_evaluated() {
    let url: Url = "https://example.org/a".parse().unwrap();
    for body in [
        Body::Text {
            name: "a".to_owned(),
            text: "\0".to_owned(),
        },
        Body::File("a\0".into()),
        Body::File(std::ffi::OsString::from_vec(vec![0xff]).into()),
        Body::Pin(Pin {
            name: "\0".to_owned(),
            url: url.clone(),
            hash: None,
        }),
    ] {
        let text = print(&[Entry::get(url.clone(), body)]);
        assert!(text.contains("file = throw \""), "{text}");
        assert!(!text.contains('\0'));
        assert_eq!(nixfmt(&text), text);
    }
}

#[test]
fn a_merge_keeps_what_is_there() {
    let before = "\
# Ours.
{ fetchurl }:
[
  # Patched.
  {
    url = \"https://example.org/a\";
    file = ./a;
  }

  # The end.
]
";
    let document = Document::parse(before).unwrap();
    let merged = document.merge(&[
        empty("https://example.org/a"),
        empty("https://example.org/b"),
    ]);
    assert_eq!(merged.added, [1]);
    assert_eq!(
        merged.changed,
        [Changed {
            captured: 0,
            line: Some(5),
            difference: Difference::Unknown
        }]
    );
    assert_eq!(
        merged.text,
        before.replace(
            "  # The end.\n",
            "  # The end.\n  {\n    url = \"https://example.org/b\";\n    file = null;\n    status_code = 200;\n    headers = { };\n  }\n"
        )
    );
    assert_eq!(nixfmt(&merged.text), merged.text);
}

#[test]
fn fetchurl_is_let_in_where_a_pin_needs_it() {
    let new = [pinned("https://example.org/b")];
    for (before, head) in [
        ("[ ]", "{ fetchurl }:\n["),
        ("# c\n[ ]", "# c\n{ fetchurl }:\n["),
        ("{ }:\n[ ]", "{ fetchurl }:\n["),
        ("{}: []", "{ fetchurl }: ["),
        ("{ # c\n}: []", "{ fetchurl # c\n}: ["),
        ("{ ... }:\n[ ]", "{ fetchurl, ... }:\n["),
        ("{lib}: [ ]", "{fetchurl, lib}: ["),
        ("{ lib, ... }@args:\n[ ]", "{ fetchurl, lib, ... }@args:\n["),
        ("args@{ lib }:\n[ ]", "args@{ fetchurl, lib }:\n["),
        (
            "{\n  lib,\n  stdenv,\n}:\n[ ]",
            "{\n  fetchurl,\n  lib,\n  stdenv,\n}:\n[",
        ),
        ("{ # c\n  lib }: [ ]", "{ # c\n  fetchurl,\n  lib }: ["),
        ("args:\n[ ]", "args@{ fetchurl, ... }:\n["),
        ("{ fetchurl }:\n[ ]", "{ fetchurl }:\n["),
        ("{ lib, fetchurl }:\n[ ]", "{ lib, fetchurl }:\n["),
    ] {
        let merged = Document::parse(before).unwrap().merge(&new);
        assert!(merged.text.starts_with(head), "{before}\n{}", merged.text);
        assert_eq!(read(&merged.text), new, "{before}");
        // Where the arguments have a name as well, nixfmt joins the lines of `:` and `[` or not
        // depending on what is in the list.
        if !merged.text.contains('@') {
            let formatted = nixfmt(before);
            let merged = Document::parse(&formatted).unwrap().merge(&new);
            assert_eq!(nixfmt(&merged.text), merged.text, "{before}");
        }
        // An entry without a pin needs no argument.
        let merged = Document::parse(before)
            .unwrap()
            .merge(&[empty("https://example.org/c")]);
        let head = &before[..before.rfind('[').unwrap()];
        assert!(merged.text.starts_with(head), "{}", merged.text);
    }
}

#[test]
fn new_entries_are_indented_as_the_others_are() {
    let new = [empty("https://example.org/b")];
    let body = "url = \"https://example.org/a\";";
    for (before, after) in [
        (
            format!("[\n    {{\n        {body}\n    }}\n]"),
            "\n    {\n        url = \"https://example.org/b\";\n        file = null;\n        status_code = 200;\n        headers = { };\n    }\n]",
        ),
        (
            format!("[\n\t{{\n\t\t{body}\n\t}}\n]\n"),
            "\n\t{\n\t\turl = \"https://example.org/b\";\n\t\tfile = null;\n\t\tstatus_code = 200;\n\t\theaders = { };\n\t}\n]\n",
        ),
        (
            format!("[\r\n  {{\r\n    {body}\r\n  }}\r\n]\r\n"),
            "\r\n  {\r\n    url = \"https://example.org/b\";\r\n    file = null;\r\n    status_code = 200;\r\n    headers = { };\r\n  }\r\n]\r\n",
        ),
        (
            format!("  [ {{ {body} }} ]"),
            "  [\n    { url = \"https://example.org/a\"; }\n    {\n      url = \"https://example.org/b\";\n      file = null;\n      status_code = 200;\n      headers = { };\n    }\n  ]",
        ),
    ] {
        let merged = Document::parse(&before).unwrap().merge(&new);
        assert!(merged.text.ends_with(after), "{before}\n{}", merged.text);
        assert_eq!(read(&merged.text).len(), 2);
    }
}

#[test]
fn a_merge_reaches_into_a_let() {
    let before = "{ fetchurl }:\nlet\n  base = \"https://example.org\";\nin\n[\n  {\n    url = \"${base}/a\";\n  }\n]\n";
    let document = Document::evaluated(before, vec![empty("https://example.org/a")]).unwrap();
    let merged = document.merge(&[
        empty("https://example.org/a"),
        pinned("https://example.org/b"),
    ]);
    assert_eq!((merged.unchanged, merged.added), (vec![0], vec![1]));
    assert!(merged.text.starts_with(before.strip_suffix("]\n").unwrap()));
    assert_eq!(nixfmt(&merged.text), merged.text);
}

#[test]
fn differences_are_told_and_not_touched() {
    let with = |body: Body| Entry::get("https://example.org/a".parse().unwrap(), body);
    let pin = |hash| {
        with(Body::Pin(Pin {
            name: "a".to_owned(),
            url: "https://example.org/a".parse().unwrap(),
            hash,
        }))
    };
    let hello = Sri::sha256_of(b"hello");
    let other = Sri::sha256_of(b"other");
    let mut missing = pin(Some(hello.clone()));
    missing.status = http::StatusCode::NOT_FOUND;
    for (old, new, wanted) in [
        (pin(Some(hello.clone())), pin(Some(hello.clone())), None),
        (
            pin(Some(hello.clone())),
            pin(Some(other.clone())),
            Some(Difference::Bytes {
                old: Some(hello.clone()),
                new: Some(other.clone()),
            }),
        ),
        (
            pin(None),
            pin(Some(other.clone())),
            Some(Difference::Bytes {
                old: None,
                new: Some(other),
            }),
        ),
        (
            with(Body::text("b", "hello").unwrap()),
            pin(Some(hello.clone())),
            None,
        ),
        (
            with(Body::Empty),
            pin(Some(hello.clone())),
            Some(Difference::Presence),
        ),
        (
            with(Body::File("a".into())),
            with(Body::File("a".into())),
            None,
        ),
        (
            with(Body::File("a".into())),
            pin(Some(hello.clone())),
            Some(Difference::Unknown),
        ),
        (pin(Some(hello)), missing, Some(Difference::Status)),
    ] {
        let text = print(std::slice::from_ref(&old));
        let merged = Document::parse(&text)
            .unwrap()
            .merge(std::slice::from_ref(&new));
        assert_eq!(merged.text, text);
        assert_eq!(
            merged.changed.first().map(|changed| &changed.difference),
            wanted.as_ref()
        );
        assert_eq!(merged.unchanged.is_empty(), wanted.is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_printed_reads_the_same(entries in strategies::entries()) {
        let text = print(&entries);
        prop_assert_eq!(&read(&text), &entries);
        prop_assert_eq!(print(&read(&text)), text);
    }

    #[test]
    fn nixfmt_changes_nothing(entries in strategies::entries()) {
        let text = print(&entries);
        prop_assert_eq!(nixfmt(&text), text);
    }

    #[test]
    fn a_merge_with_itself_changes_no_byte(entries in strategies::entries()) {
        let text = print(&entries);
        let merged = Document::parse(&text).unwrap().merge(&entries);
        prop_assert_eq!(&merged.text, &text);
        prop_assert!(merged.added.is_empty());
    }

    #[test]
    fn a_merge_gives_the_union(
        old in strategies::entries(),
        new in strategies::entries(),
    ) {
        let merged = Document::parse(&print(&old)).unwrap().merge(&new);
        let wanted = strategies::without_duplicates([old, new.clone()].concat());
        prop_assert_eq!(&read(&merged.text), &wanted);
        prop_assert_eq!(nixfmt(&merged.text), merged.text);
        prop_assert_eq!(
            merged.added.len() + merged.changed.len() + merged.unchanged.len(),
            new.len()
        );
    }
}
