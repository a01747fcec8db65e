//! Printing, reading and merging belong together: what goes in comes out.

use std::os::unix::ffi::OsStringExt as _;

use proptest::prelude::*;

use super::*;
use crate::inventory::nix::Document;
use crate::inventory::{Algorithm, Declared, Sri, StoreName, Url, strategies};

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
        Body::Pin(Pin::new(
            StoreName::of(&url),
            url,
            Some(Sri::sha256_of(b"hello")),
        )),
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
            name: "a".parse().unwrap(),
            text: "\0".to_owned(),
        },
        Body::File("a\0".into()),
        Body::File(std::ffi::OsString::from_vec(vec![0xff]).into()),
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
    let merged = document.merge(
        &[
            empty("https://example.org/a"),
            empty("https://example.org/b"),
        ],
        Changes::Keep,
    );
    assert_eq!(merged.added, [1]);
    assert_eq!(
        merged.changed,
        [(
            Changed {
                captured: 0,
                line: Some(5),
                difference: Difference::Unknown
            },
            Kept::Unasked
        )]
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
        let merged = Document::parse(before).unwrap().merge(&new, Changes::Keep);
        assert!(merged.text.starts_with(head), "{before}\n{}", merged.text);
        assert_eq!(read(&merged.text), new, "{before}");
        // Where the arguments have a name as well, nixfmt joins the lines of `:` and `[` or not
        // depending on what is in the list.
        if !merged.text.contains('@') {
            let formatted = nixfmt(before);
            let merged = Document::parse(&formatted)
                .unwrap()
                .merge(&new, Changes::Keep);
            assert_eq!(nixfmt(&merged.text), merged.text, "{before}");
        }
        // An entry without a pin needs no argument.
        let merged = Document::parse(before)
            .unwrap()
            .merge(&[empty("https://example.org/c")], Changes::Keep);
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
        let merged = Document::parse(&before).unwrap().merge(&new, Changes::Keep);
        assert!(merged.text.ends_with(after), "{before}\n{}", merged.text);
        assert_eq!(read(&merged.text).len(), 2);
    }
}

#[test]
fn a_merge_reaches_into_a_let() {
    let before = "{ fetchurl }:\nlet\n  base = \"https://example.org\";\nin\n[\n  {\n    url = \"${base}/a\";\n  }\n]\n";
    let document =
        Document::evaluated(before, vec![empty("https://example.org/a").into()]).unwrap();
    let merged = document.merge(
        &[
            empty("https://example.org/a"),
            pinned("https://example.org/b"),
        ],
        Changes::Keep,
    );
    assert_eq!((merged.unchanged, merged.added), (vec![0], vec![1]));
    assert!(merged.text.starts_with(before.strip_suffix("]\n").unwrap()));
    assert_eq!(nixfmt(&merged.text), merged.text);
}

#[test]
fn differences_are_told_and_not_touched() {
    let with = |body: Body| Entry::get("https://example.org/a".parse().unwrap(), body);
    let pin = |hash| {
        let url = "https://example.org/a".parse().unwrap();
        with(Body::Pin(Pin::new("a".parse().unwrap(), url, hash)))
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
            with(Body::text("b".parse().unwrap(), "hello").unwrap()),
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
            .merge(std::slice::from_ref(&new), Changes::Keep);
        assert_eq!(merged.text, text);
        assert_eq!(
            merged
                .changed
                .first()
                .map(|(changed, _)| &changed.difference),
            wanted.as_ref()
        );
        assert_eq!(merged.unchanged.is_empty(), wanted.is_some());
    }
}

/// Whether the file answers what was captured. A pin that stays one keeps its URL and its name.
fn agrees(read: &Entry, captured: &Entry) -> bool {
    let same_body = match (&read.body, &captured.body) {
        (Body::Pin(read), Body::Pin(captured)) => read.hash == captured.hash,
        (read, captured) => read == captured,
    };
    read.status == captured.status && same_body
}

#[test]
fn an_update_replaces_the_hash_and_nothing_else() {
    let hash = |bytes: &[u8]| Sri::sha256_of(bytes);
    let mut now = pinned("https://example.org/a");
    now.headers.insert("etag", "\"2\"").unwrap();
    let new = hash(b"hello");
    for (name, old) in [
        ("hash", format!("\"{}\"", hash(b"old"))),
        ("sha256", format!("\"{}\"", hash(b"old").to_hex())),
        (
            "outputHash",
            format!("\"sha256:{}\"", hash(b"old").to_nix32()),
        ),
        ("hash", "''''".to_owned()),
    ] {
        let text = |hash: &str, etag: &str| {
            format!(
                "{{ fetchurl }}: [ /* a */ {{ url = \"https://example.org/a\"; # b\n  \
                 file = fetchurl {{ curlOpts = \"-k\"; {name} = ( {hash} ); # ours\n\
                 url = \"https://mirror.example/a\"; }};\n\
                 headers.etag = {etag}; headers.x-mine = \"1\"; }} ]\n"
            )
        };
        let document = Document::parse(&text(&old, "\"1\"")).unwrap();
        let merged = document.merge(std::slice::from_ref(&now), Changes::Update);
        let wanted = text(&format!("\"{new}\""), r#""\"2\"""#);
        assert_eq!(merged.text, wanted);
        assert_eq!(merged.updated.len(), 1);
        assert_eq!(merged.updated[0].line, Some(1));
        let document = Document::parse(&merged.text).unwrap();
        let again = document.merge(std::slice::from_ref(&now), Changes::Update);
        assert_eq!((again.text, again.unchanged), (wanted, vec![0]));
    }
}

#[test]
fn an_update_of_the_kind_replaces_values_and_keeps_comments() {
    let before = "\
# head
{ lib }:
[
  # one
  {
    url = \"https://example.org/a\"; # url
    file = builtins.toFile \"a\" \"text\"; # file
    # status
    status_code = 404;
  }
  { url = \"https://example.org/b\"; /* b */ }
]
";
    let mut b = pinned("https://example.org/b");
    b.status = http::StatusCode::PARTIAL_CONTENT;
    let captured = [pinned("https://example.org/a"), b];
    let document = Document::parse(before).unwrap();
    let merged = document.merge(&captured, Changes::Update);
    assert_eq!(
        merged.text,
        "\
# head
{ fetchurl, lib }:
[
  # one
  {
    url = \"https://example.org/a\"; # url
    file = fetchurl {
      name = \"a\";
      url = \"https://example.org/a\";
      hash = \"sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\";
    }; # file
    # status
    status_code = 200;
    headers = {
      \"content-type\" = \"application/gzip\";
    };
  }
  { url = \"https://example.org/b\"; /* b */ file = fetchurl {
    name = \"b\";
    url = \"https://example.org/b\";
    hash = \"sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\";
  };
  status_code = 206;
  headers = {
    \"content-type\" = \"application/gzip\";
  }; }
]
"
    );
    assert_eq!(read(&merged.text), captured);
    let lines: Vec<_> = merged.updated.iter().map(|updated| updated.line).collect();
    assert_eq!(lines, [Some(5), Some(18)], "as they are in the new text");
}

#[test]
fn a_hash_is_not_written_where_it_would_be_wrong() {
    let pin = "file = fetchurl { url = \"https://example.org/a\"; sha512 = \"\"; };";
    let text = format!(
        "{{ fetchurl }}: [ {{ url = \"https://example.org/a\"; {pin} }} {{ url = \"https://example.org/b\"; }} ]"
    );
    let document = Document::parse(&text).unwrap();
    let hash = Sri::sha256_of(b"hello");
    let hashes = [0, 1, 2].map(|place| (place, hash.clone()));
    assert_eq!(
        document.rehash(&hashes, &Mending::default()),
        (text, vec![0, 1, 2])
    );
}

#[test]
fn a_computed_hash_is_replaced_where_it_can_be_told() {
    let old = Sri::sha256_of(b"hello");
    let new = Sri::sha256_of(b"new");
    let others = [
        pinned("https://example.org/a"),
        pinned("https://example.org/b"),
    ];
    let rehashed = |text: &str, entries: &[Entry], places: &[usize]| {
        let entries = entries.iter().cloned().map(Declared::from);
        let document = Document::evaluated(text, entries.collect()).unwrap();
        let hashes: Vec<_> = places.iter().map(|place| (*place, new.clone())).collect();
        let (text, kept) = document.rehash(&hashes, &Mending::default());
        // What stays is kept, and nothing else is.
        assert_eq!(kept.is_empty(), text != document.text());
        kept.is_empty().then_some(text)
    };
    let text = format!(
        "{{ fetchurl }}: let h = \"{old}\"; /* {old} */ in [ (pin \"a\" h) (pin \"b\" h) ]"
    );
    let wanted = text.replacen(&old.to_string(), &new.to_string(), 1);
    assert_eq!(rehashed(&text, &others, &[0, 1]), Some(wanted.clone()));
    assert_eq!(rehashed(&text, &others[..1], &[0]), Some(wanted.clone()));
    let colon = text.replace(&old.to_string(), &format!("sha256:{}", old.to_hex()));
    assert!(rehashed(&colon, &others, &[0, 1]).is_some());
    // Another pin has it too, and keeps it.
    assert_eq!(rehashed(&text, &others, &[1]), None);
    // It may mean something else as well.
    let twice = text.replace("in [", &format!("in assert h == \"{old}\"; ["));
    assert_eq!(rehashed(&twice, &others, &[0, 1]), None);
    // It is put together of parts.
    let bare = text.replace(&old.to_string(), &old.to_hex());
    assert_eq!(rehashed(&bare, &others, &[0, 1]), None);
    let parts = text.replace("\"sha256-", "\"sha256-${x}");
    assert_eq!(rehashed(&parts, &others, &[0, 1]), None);
    // Beside a literal with the same hash.
    let literal = format!(
        "{{ url = \"https://example.org/b\"; headers.content-type = \"application/gzip\"; \
         file = fetchurl {{ url = \"https://example.org/b\"; hash = \"{old}\"; }}; }}"
    );
    let beside = text.replace("(pin \"b\" h)", &literal);
    let wanted = wanted.replace("(pin \"b\" h)", &literal);
    assert_eq!(rehashed(&beside, &others, &[0]), Some(wanted));
    let both = beside.replace(&format!("\"{old}\""), &format!("\"{new}\""));
    assert_eq!(rehashed(&beside, &others, &[1, 0]), Some(both));
}

#[test]
fn what_cannot_be_updated_says_why() {
    let new = [pinned("https://example.org/a")];
    let kept = |document: &Document| {
        let merged = document.merge(&new, Changes::Update);
        assert_eq!(merged.text, document.text());
        assert_eq!(merged.updated, []);
        merged.changed[0].1
    };
    let computed = "let x = 1; in [ { url = \"https://example.org/${x}\"; } ]";
    let document =
        Document::evaluated(computed, vec![empty("https://example.org/a").into()]).unwrap();
    assert_eq!(kept(&document), Kept::Computed);
    let scattered = "[ { url = \"https://example.org/a\"; headers.etag = \"1\"; } ]";
    assert_eq!(kept(&Document::parse(scattered).unwrap()), Kept::Scattered);
    let sha512 = format!(
        "{{ fetchurl }}: [ {{ url = \"https://example.org/a\"; \
         file = fetchurl {{ url = \"https://example.org/a\"; sha512 = \"{}\"; }}; }} ]",
        "1".repeat(128)
    );
    assert_eq!(kept(&Document::parse(&sha512).unwrap()), Kept::Algorithm);
    // But a hash that is only a placeholder gives way.
    let placeholder = sha512.replace(&"1".repeat(128), "");
    let document = Document::parse(&placeholder).unwrap();
    let merged = document.merge(&new, Changes::Update);
    assert_eq!(read(&merged.text), new);
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
        let merged = Document::parse(&text).unwrap().merge(&entries, Changes::Keep);
        prop_assert_eq!(&merged.text, &text);
        prop_assert!(merged.added.is_empty());
    }

    #[test]
    fn an_update_with_itself_changes_no_byte(entries in strategies::entries()) {
        let text = print(&entries);
        let document = Document::parse(&text).unwrap();
        let merged = document.merge(&entries, Changes::Update);
        prop_assert_eq!(&merged.text, &text);
        prop_assert!(merged.added.is_empty() && merged.changed.is_empty());
    }

    #[test]
    fn mending_takes_out_exact_repeats_and_nothing_else(
        (entries, again) in strategies::entries().prop_flat_map(|entries| {
            let any = proptest::sample::subsequence(entries.clone(), 0..=entries.len());
            (Just(entries), any)
        })
    ) {
        let twice = print(&[&entries[..], &again[..]].concat());
        let document = Document::parse(&twice).unwrap();
        prop_assert_eq!(document.listing().repeats.len(), again.len());
        let mending = document.mending(|_| true, |_, _| true);
        let mended = document.mended(&mending);
        prop_assert_eq!(&read(&mended), &entries);
        // Without entries there is another way to print the list.
        if !entries.is_empty() {
            prop_assert_eq!(mended, print(&entries));
        }
        // A merge does it only where it may.
        let merged = document.merge(&entries, Changes::Update);
        prop_assert_eq!(merged.text, twice);
    }

    #[test]
    fn an_update_of_hashes_touches_nothing_else(
        old in strategies::entries(),
        hashes in prop::collection::vec(any::<[u8; 32]>(), 6),
    ) {
        let mut new = old.clone();
        for (entry, digest) in new.iter_mut().zip(hashes) {
            if let Body::Pin(pin) = &mut entry.body
                && pin.hash.as_ref().is_none_or(|hash| hash.algorithm() == Algorithm::Sha256)
                && digest != [0; 32]
            {
                pin.hash = Some(Sri::new_sha256(digest));
            }
        }
        // Whatever is on a line is followed by a comment.
        let commented = |entries: &[Entry]| print(entries).replace('\n', " # \\\" ''${\n");
        let document = Document::parse(&commented(&old)).unwrap();
        let merged = document.merge(&new, Changes::Update);
        prop_assert_eq!(merged.text, commented(&new));
        prop_assert_eq!(document.merge(&new, Changes::Keep).text, commented(&old));
        let hashes = |entries: &[Entry]| -> Vec<_> {
            let hash = |entry: &Entry| match &entry.body {
                Body::Pin(pin) => pin.hash.clone(),
                _ => None,
            };
            let hashes = entries.iter().map(hash).enumerate();
            hashes.filter_map(|(place, hash)| Some((place, hash?))).collect()
        };
        prop_assert_eq!(document.rehash(&hashes(&new), &Mending::default()), (commented(&new), Vec::new()));
    }

    #[test]
    fn an_update_gives_what_was_captured(
        old in strategies::entries(),
        new in prop::collection::vec(strategies::entry(), 6),
    ) {
        // The same requests, with other answers.
        let new: Vec<_> = old
            .iter()
            .zip(new)
            .map(|(old, new)| Entry {
                url: old.url.clone(),
                method: old.method.clone(),
                condition: old.condition.clone(),
                ..new
            })
            .filter(|entry| entry.check().is_ok())
            .collect();
        let document = Document::parse(&print(&old)).unwrap();
        let merged = document.merge(&new, Changes::Update);
        let there = read(&merged.text);
        prop_assert_eq!(there.len(), old.len());
        prop_assert!(merged.added.is_empty());
        for updated in &merged.updated {
            let captured = &new[updated.captured];
            let found = there.iter().find(|entry| entry.id() == captured.id()).unwrap();
            prop_assert!(agrees(found, captured), "{found:?}\n{captured:?}");
        }
        for old in &old {
            let id = old.id();
            let updated = merged.updated.iter().any(|updated| new[updated.captured].id() == id);
            prop_assert!(updated || there.contains(old), "{old:?}");
        }
        for (changed, kept) in &merged.changed {
            prop_assert_eq!(*kept, Kept::Algorithm, "{:?}", changed);
        }
    }

    #[test]
    fn a_merge_gives_the_union(
        old in strategies::entries(),
        new in strategies::entries(),
    ) {
        let merged = Document::parse(&print(&old)).unwrap().merge(&new, Changes::Keep);
        let wanted = strategies::without_duplicates([old, new.clone()].concat());
        prop_assert_eq!(&read(&merged.text), &wanted);
        prop_assert_eq!(nixfmt(&merged.text), merged.text);
        prop_assert_eq!(
            merged.added.len() + merged.changed.len() + merged.unchanged.len(),
            new.len()
        );
    }
}
