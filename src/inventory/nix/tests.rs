//! What the reader takes, what it refuses, and that nothing makes it panic.

use http::{Method, StatusCode};
use proptest::prelude::*;

use super::*;
use crate::emit::Changes;
use crate::inventory::strategies;
use crate::inventory::{Algorithm, Body, Declared, Entry, FetchOption, Pin, Sri};

const FIRST: &str = include_str!("../../../tests/golden/first-generation.nix");
const SECOND: &str = include_str!("../../../tests/golden/second-generation.nix");
const BY_HAND: &str = include_str!("../../../tests/golden/by-hand.nix");

fn entries(text: &str) -> Vec<Entry> {
    match Document::parse(text) {
        Ok(document) => document
            .entries()
            .iter()
            .map(|located| located.entry.clone())
            .collect(),
        Err(error) => panic!("line {}: {error}\n{text}", error.line()),
    }
}

fn error(text: &str) -> NixError {
    match Document::parse(text) {
        Ok(document) => panic!("{:?}\n{text}", document.entries()),
        Err(error) => error,
    }
}

fn pin(name: &str, url: &str, hash: Option<Sri>) -> Body {
    Body::Pin(Pin::new(name.parse().unwrap(), url.parse().unwrap(), hash))
}

#[test]
fn the_first_generation_of_nix_buildproxy_is_read() {
    let hello = Sri::sha256_of(b"hello");
    let a = "https://example.org/dist/a-1.0.tar.gz";
    let wanted = [
        Entry::get(
            a.parse().unwrap(),
            pin("a-1.0.tar.gz", a, Some(hello.clone())),
        ),
        Entry::get(
            "https://example.org/files/b.zip?raw=true".parse().unwrap(),
            pin("b.zip", "https://mirror.example.org/b.zip", Some(hello)),
        ),
    ];
    assert_eq!(entries(FIRST), wanted);
    let document = Document::parse(FIRST).unwrap();
    let lines: Vec<_> = document.entries().iter().map(|e| e.line).collect();
    assert_eq!(lines, [3, 10]);
}

#[test]
fn the_second_generation_of_nix_buildproxy_is_read() {
    let entries = entries(SECOND);
    assert_eq!(entries[0].status, StatusCode::OK);
    assert_eq!(
        entries[0].headers.get("content-type"),
        Some("application/gzip")
    );
    assert_eq!(entries[1].status, StatusCode::FOUND);
    assert_eq!(entries[1].body, Body::Empty);
}

#[test]
fn a_file_edited_by_hand_is_read() {
    let entries = entries(BY_HAND);
    assert_eq!(entries[0].url.as_str(), "https://example.org/a.txt");
    assert_eq!(entries[0].body, Body::File("proxy_content/a.txt".into()));
    assert_eq!(entries[0].headers.get("etag"), Some("\"1\""));
    assert_eq!(entries[0].headers.get("x-note"), Some("a ${b}"));
    assert_eq!(entries[1].method, Method::POST);
    assert_eq!(entries[1].status, StatusCode::CREATED);
    assert_eq!(entries[1].headers.get_all("link"), ["<a>", "<b>"]);
    assert_eq!(entries[1].headers.get("x-more"), Some("c"));
    assert_eq!(
        entries[1].body,
        Body::text("b".parse().unwrap(), "text\n").unwrap()
    );
    assert!(entries[1].condition.authorization);
    assert_eq!(entries[1].condition.headers["accept"], "text/plain");
    assert_eq!(entries[1].condition.body, Some(Sri::sha256_of(b"hello")));
    let Body::Pin(wanted) = pin("c?d=e", "https://example.org/c?d=e", None) else {
        panic!("a pin is one");
    };
    let wanted = Pin {
        mirrors: vec!["https://mirror.example.org/c".parse().unwrap()],
        option: Some(FetchOption::CurlOptsList),
        ..wanted
    };
    assert_eq!(entries[2].body, Body::Pin(wanted));
    assert_eq!(entries[3].body, Body::File("proxy content/d".into()));
    assert_eq!(entries[4].body, Body::File("/nix/store/0000-e".into()));
}

#[test]
fn any_function_or_none_may_stand_around_the_list() {
    for head in [
        "",
        "{ fetchurl }:",
        "{ fetchurl, ... }:",
        "{ fetchurl ? throw \"\", lib }@args:",
        "args@{ ... }:",
        "{ }:",
        "{}:",
        "args:",
        "# comment\n",
        "/* comment */ { ... }:",
    ] {
        for list in ["[ ]", "[]", "([ ])", "((\n[\n]))", "[ /* none */ ]"] {
            assert_eq!(entries(&format!("{head} {list}")), [], "{head} {list}");
        }
        let entry = "[ { url = \"http://example.org\"; } ]";
        assert_eq!(entries(&format!("({head} {entry})")).len(), 1);
    }
}

#[test]
fn strings_are_decoded() {
    for (literal, value) in [
        (r#""""#, ""),
        (r#""a\nb\tc\\d\"e\${f}\x""#, "a\nb\tc\\d\"e${f}x"),
        (r#""$${a} $ $$ $""#, "$${a} $ $$ $"),
        ("\"#{}[]()''''\"", "#{}[]()''''"),
        ("''a'' ", "a"),
        ("''\n  a\n    b\n  ''", "a\n  b\n"),
        ("''\n  a\n\n  b''", "a\n\nb"),
        ("'' ''$ ''${ ''\\n ''\\t $${ ''' ''", "$ ${ \n \t $${ '' "),
        ("''\n\ta''", "\ta"),
    ] {
        let text = format!(
            "[ {{ url = \"http://example.org\"; file = builtins.toFile \"n\" {literal}; }} ]"
        );
        let Body::Text { text, .. } = entries(&text).remove(0).body else {
            panic!("{literal}");
        };
        assert_eq!(text, value, "{literal}");
    }
}

#[test]
fn paths_are_resolved_by_name() {
    for (literal, path) in [
        ("./a", "a"),
        ("a/b", "a/b"),
        ("./a/../b/./c", "b/c"),
        ("../a", "../a"),
        ("./../a", "../a"),
        ("/a/../../b", "/b"),
        ("./. + \"/a b\"", "a b"),
        ("./a + \"/b\"", "a/b"),
        ("(./. + (\"/\" + \"b\"))", ""),
        ("./. + \"/../a b\"", "../a b"),
        ("/. + \"/a@b\"", "/a@b"),
        ("\"/a/./b\"", "/a/b"),
    ] {
        let text = format!("[ {{ url = \"http://example.org\"; file = {literal}; }} ]");
        if path.is_empty() {
            assert!(
                matches!(error(&text), NixError::NotLiteral { .. }),
                "{literal}"
            );
        } else {
            assert_eq!(entries(&text)[0].body, Body::File(path.into()), "{literal}");
        }
    }
}

#[test]
fn hashes_in_every_spelling_are_the_same() {
    let hello = Sri::sha256_of(b"hello");
    for hash in [
        format!("hash = \"{hello}\";"),
        format!("hash = \"sha256:{}\";", hello.to_nix32()),
        format!("sha256 = \"{}\";", hello.to_hex()),
        format!("sha256 = \"{}\";", hello.to_nix32()),
        format!("sha256 = \"{hello}\";"),
        format!(
            "outputHash = \"{}\"; outputHashAlgo = \"sha256\";",
            hello.to_hex()
        ),
        format!("outputHash = \"{hello}\"; outputHashAlgo = null;"),
        format!("outputHash = \"{hello}\"; outputHashMode = \"flat\";"),
    ] {
        let text = format!(
            "{{ fetchurl }}: [ {{ url = \"http://example.org/a\"; file = fetchurl {{ url = \"http://example.org/a\"; {hash} }}; }} ]"
        );
        assert_eq!(
            entries(&text)[0].body,
            pin("a", "http://example.org/a", Some(hello.clone())),
            "{hash}"
        );
    }
}

#[test]
fn emptied_and_fake_hashes_are_none() {
    for hash in [
        "hash = \"\";".to_owned(),
        "sha256 = \"\";".to_owned(),
        format!("hash = \"{}\";", Sri::new_sha256([0; 32])),
        format!("sha256 = \"{}\";", "0".repeat(52)),
        format!("sha512 = \"{}\";", "0".repeat(128)),
    ] {
        let text = format!(
            "{{ fetchurl }}: [ {{ url = \"http://example.org/a\"; file = fetchurl {{ url = \"http://example.org/a\"; {hash} }}; }} ]"
        );
        assert_eq!(
            entries(&text)[0].body,
            pin("a", "http://example.org/a", None),
            "{hash}"
        );
    }
}

#[test]
fn what_only_nix_can_say_is_left_to_nix() {
    let in_file = [
        "let a = 1; in [ ]",
        "with { }; [ ]",
        "[ ] ++ [ ]",
        "map (a: a) [ ]",
        "import ./a.nix",
        "{ a }: let b = 1; in [ ]",
        "if true then [ ] else [ ]",
        "{ null }: [ ]",
        "builtins: [ ]",
        "[ a ]",
        "[ ({ } // { }) ]",
        "[ (f { }) ]",
        "[ (rec { url = \"http://example.org\"; }) ]",
        "[ { inherit url; } ]",
        "[ { ${a} = 1; } ]",
    ];
    let in_entry = [
        "status_code = 100 + 100;",
        "status_code = ok;",
        "headers = with a; { };",
        "headers.a = b;",
        "headers.${a} = \"b\";",
        "headers.a = \"${b}\";",
        "headers.a = [ b ];",
        "method = \"G\" + \"ET\";",
        "request.authorization = a == b;",
        "file = a;",
        "file = lib.a;",
        "file = ./${a};",
        "file = ~/a;",
        "file = <a>;",
        "file = ./a + b;",
        "file = ./a + \"b\";",
        "file = ./. + \"/${b}\";",
        "file = \"${./a}\";",
        "file = throw \"a\";",
        "file = toFile \"a\" \"b\";",
        "file = builtins.toFile a \"b\";",
        "file = builtins.toFile \"a\" (b c);",
        "file = builtins.fetchurl { url = \"http://example.org\"; };",
        "file = fetchurl a;",
        "file = fetchurl \"http://example.org/a\";",
        "file = fetchurl { inherit a; };",
        "file = fetchurl { url = \"mirror://gnu/a\"; hash = \"\"; };",
        "file = fetchurl { url = \"http://example.org/a\"; hash = lib.hash; };",
        "file = fetchurl { url = \"http://example.org/a\"; sha1 = \"\"; };",
        "file = fetchurl { url = \"http://example.org/a\"; hash = \"md5-1B2M2Y8AsgTpgAmY7PhCfg==\"; };",
        "file = fetchurl { url = \"http://example.org/a\"; hash = \"\"; postFetch = \"x\"; };",
        "file = fetchurl { url = \"http://example.org/a\"; hash = \"\"; executable = true; };",
        "file = fetchurl { url = \"http://example.org/a\"; hash = \"\"; recursiveHash = true; };",
        "file = fetchurl { url = \"http://example.org/a\"; hash = \"\"; downloadToTemp = a; };",
        "file = \"a\r\nb\";",
    ];
    for text in in_file {
        assert!(
            matches!(error(text), NixError::NotLiteral { .. }),
            "{text}: {:?}",
            error(text)
        );
    }
    for attribute in in_entry {
        let text =
            format!("{{ fetchurl }}:\n[\n{{ url = \"http://example.org\";\n{attribute} }} ]");
        let error = error(&text);
        assert!(
            matches!(error, NixError::NotLiteral { .. }),
            "{attribute}: {error:?}"
        );
        assert_eq!(error.line(), 4, "{attribute}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes_are_named_with_their_line() {
    for (attribute, message, hint) in [
        (
            "urll = \"a\";",
            "unknown attribute `urll` in an entry",
            "did you mean `url`?",
        ),
        (
            "status = 200;",
            "unknown attribute `status`",
            "did you mean `status_code`?",
        ),
        ("xyzzy = 1;", "unknown attribute `xyzzy`", ""),
        (
            "request.bodyy = 1;",
            "unknown attribute `bodyy` in `request`",
            "did you mean `body`?",
        ),
        (
            "url = \"http://example.org/b\";",
            "the attribute `url` is given twice, first on line 3",
            "",
        ),
        (
            "headers.a = \"1\"; headers.a = \"2\";",
            "the attribute `a` is given twice",
            "",
        ),
        (
            "headers.a = \"1\"; headers.A = \"2\";",
            "the header `a` is given twice",
            "",
        ),
        (
            "status_code = \"200\";",
            "`status_code` is a string, not a number",
            "",
        ),
        (
            "status_code = -1;",
            "`status_code` is a negative number",
            "",
        ),
        ("status_code = 1000;", "1000 is not a status code", ""),
        (
            "status_code.a = 1;",
            "`status_code` is a set, not a number",
            "",
        ),
        ("method = 1;", "`method` is a number, not a string", ""),
        ("method = \"G T\";", "\"G T\" is not a method", ""),
        ("headers = [ ];", "`headers` is a list, not a set", ""),
        ("headers.a = 1;", "`a` is a number, not a string", ""),
        ("headers.a = [ 1 ];", "`a` is a number, not a string", ""),
        ("headers.a = [ ];", "the header `a` has no value", ""),
        ("headers.a = { b = 1; };", "`a` is a set, not a string", ""),
        (
            "headers.\"a b\" = \"c\";",
            "\"a b\" is not a header name",
            "",
        ),
        (
            "request.headers.authorization = \"Basic x\";",
            "holds a secret",
            "request.authorization = true",
        ),
        (
            "request.authorization = \"yes\";",
            "`authorization` is a string, not a boolean",
            "",
        ),
        ("request.body = \"x\";", "`x` is not a hash", ""),
        ("file = 1;", "`file` is a number, not a file", ""),
        ("file = { };", "`file` is a set, not a file", ""),
        ("file = \"a\";", "is the text \"a\"", "`./a`"),
        ("file = \"./a\";", "is the text \"./a\"", "`./a`"),
        (
            "file = fetchurl { hash = \"\"; };",
            "`fetchurl` has no `url`",
            "",
        ),
        (
            "file = fetchurl { url = \"http://example.org\"; };",
            "`fetchurl` has no `hash`",
            "buildproxy update",
        ),
        (
            "file = fetchurl { url = \"http://example.org\"; hahs = \"\"; };",
            "unknown attribute `hahs` in `fetchurl`",
            "did you mean `hash`?",
        ),
        (
            "file = fetchurl { url = \"http://example.org\"; hash = \"\"; sha256 = \"\"; };",
            "the attribute `hash` is given twice",
            "",
        ),
        (
            "file = fetchurl { url = \"http://example.org\"; sha256 = \"x\"; };",
            "`x` is not a sha256 digest",
            "",
        ),
        (
            "file = fetchurl { url = \"example.org\"; hash = \"\"; };",
            "not an absolute URL",
            "",
        ),
    ] {
        let text =
            format!("{{ fetchurl }}:\n[\n{{ url = \"http://example.org\";\n{attribute} }} ]");
        let error = error(&text);
        assert!(error.to_string().contains(message), "{attribute}: {error}");
        assert_eq!(error.line(), 4, "{attribute}: {error}");
        let given = error.hint().unwrap_or_default();
        assert!(
            given.contains(hint) && given.is_empty() == hint.is_empty(),
            "{attribute}: {given}"
        );
    }
}

#[test]
fn mistakes_of_an_entry_have_the_entrys_line() {
    for (entry, message, hint) in [
        ("{ }", "an entry has no `url`", ""),
        ("{ status_code = 200; }", "an entry has no `url`", ""),
        (
            "{ ulr = \"\"; }",
            "unknown attribute `ulr`",
            "did you mean `url`?",
        ),
        (
            "\"http://example.org\"",
            "an item of the list is a string, not a set",
            "",
        ),
        (
            "{ url = \"http://a:hunter2@example.org\"; }",
            "user name or password",
            "before the `@`",
        ),
        ("{ url = \"example.org\"; }", "not an absolute URL", ""),
        (
            "{ url = \"http://example.org\"; method = \"get\"; }",
            "`get` is not in upper case",
            "\"GET\"",
        ),
        (
            "{ url = \"http://example.org\"; file = fetchurl { }; }",
            "`fetchurl` is not defined",
            "`{ fetchurl }:`",
        ),
    ] {
        let error = error(&format!("{{ }}: [\n# comment\n{entry}\n]"));
        assert!(error.to_string().contains(message), "{entry}: {error}");
        assert_eq!(error.line(), 3, "{entry}");
        let given = error.hint().unwrap_or_default();
        assert!(
            given.contains(hint) && given.is_empty() == hint.is_empty(),
            "{entry}: {given}"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn of_two_answers_to_one_request_the_first_counts() {
    let text = "[\n{ url = \"http://example.org\"; }\n{ url = \"http://EXAMPLE.org:80/\"; }\n{ url = \"http://example.org\"; status_code = 404; }\n]";
    let document = Document::parse(text).unwrap();
    let listing = document.listing();
    assert_eq!(document.entries(), listing.entries);
    let entries_of = listing.entries.iter().map(|located| located.line);
    assert_eq!(entries_of.collect::<Vec<_>>(), [2]);
    let repeats = listing.repeats.iter();
    let repeats = repeats.map(|one| (one.located.line, one.first, listing.is_exact(one)));
    assert_eq!(repeats.collect::<Vec<_>>(), [(3, 0, true), (4, 0, false)]);
    let told_apart = text.replacen("; }", "; request.headers.accept = \"a\"; }", 1);
    assert_eq!(entries(&told_apart).len(), 2);
}

#[test]
fn a_length_and_what_is_for_one_connection_are_not_used() {
    let text = "[ { url = \"http://example.org\"; headers = { Content-Length = \"1\"; connection = \"close\"; }; headers.etag = \"a\"; } ]";
    let document = Document::parse(text).unwrap();
    let located = &document.entries()[0];
    assert_eq!(located.length.as_deref(), Some("1"));
    let headers: Vec<_> = located.entry.headers.iter().collect();
    assert_eq!(headers, [("etag", "a")]);
    // The one way to say the length of what has no body.
    let head = text.replace("; headers = {", "; method = \"HEAD\"; headers = {");
    let document = Document::parse(&head).unwrap();
    let located = &document.entries()[0];
    assert_eq!(located.length, None);
    assert_eq!(located.entry.headers.get("content-length"), Some("1"));
}

#[test]
fn syntax_errors_have_line_and_column() {
    for (text, line, column, message) in [
        ("", 1, 1, "the file"),
        ("# nothing", 1, 10, "the file"),
        (
            "[\n  { url = \"a\" }\n]",
            2,
            15,
            "unexpected `}`, expected `;`",
        ),
        ("[\n  { url \"a\"; }\n]", 2, 9, "expected `=`"),
        (
            "[ { url = \"a; } ]\n\n",
            1,
            12,
            "expected the end of the string",
        ),
        ("[ ] ]", 1, 5, "unexpected `]`"),
    ] {
        let error = error(text);
        let NixError::Syntax {
            line: l,
            column: c,
            what,
        } = &error
        else {
            panic!("{text:?}: {error:?}");
        };
        assert!(what.contains(message), "{text:?}: {what}");
        assert_eq!((*l, *c), (line, column), "{text:?}: {what}");
    }
}

#[test]
fn a_file_that_is_no_list_is_refused() {
    for text in [
        "{ }",
        "{ fetchurl }: { }",
        "\"a\"",
        "1",
        "null",
        "{ }: { }: [ ]",
        "./a",
    ] {
        assert!(
            matches!(error(text), NixError::NotList { line: 1, .. }),
            "{text}: {:?}",
            error(text)
        );
    }
}

#[test]
fn nothing_overflows_the_stack() {
    for part in [
        "[", "(", "{ a = ", "[ {a=", "a: ", "-", "1 ++ ", "1 + ", "f ", "a.b or ", "\"${", "( ] ",
    ] {
        let _ = Document::parse(&part.repeat(200_000));
        // As deep as it gets without being refused beforehand.
        for depth in [100, 150, 198, 199, 200] {
            let _ = Document::parse(&part.repeat(depth));
            let _ = Document::parse(&format!("[ {} ]", part.repeat(depth)));
        }
    }
}

#[test]
fn a_list_in_evaluated_nix_is_found() {
    let one = Entry::get("http://example.org".parse().unwrap(), Body::Empty);
    let one = vec![Declared::from(one)];
    for text in [
        "{ fetchurl }: let a = 1; in [ ]",
        "{ fetchurl }: with a; ([ a ])",
        "{ lib }: lib.a ++ [ b ]",
        "{ lib }: [ b ] ++ lib.a",
        "{ lib }: assert lib; [ b ] ++ (lib.a b)",
    ] {
        let document = Document::evaluated(text, one.clone()).unwrap();
        assert_eq!(document.entries()[0].entry, one[0].entry, "{text}");
        assert_eq!(document.text(), text);
    }
    for text in ["map a b", "{ }", "let a = [ ]; in a"] {
        assert!(Document::evaluated(text, one.clone()).is_err(), "{text}");
    }
}

#[test]
fn literals_in_evaluated_nix_have_their_places() {
    let text = "{ fetchurl }:
let u = \"https://example.org/u\"; in
[
  { url = \"https://example.org/a\"; }
  { url = \"https://example.org/b\"; }
  { url = u; }
] ++ u";
    let mut entries: Vec<_> = ["a", "b", "u"]
        .iter()
        .map(|name| format!("https://example.org/{name}").parse().unwrap())
        .map(|url| Entry::get(url, Body::Empty))
        .collect();
    // It came to something else than what seems to stand there.
    entries[1].body = Body::File("b".into());
    let entries = entries.into_iter().map(Declared::from);
    let document = Document::evaluated(text, entries.collect()).unwrap();
    let known = |located: &Located| (located.line, located.spans.is_some());
    let known: Vec<_> = document.entries().iter().map(known).collect();
    assert_eq!(known, [(4, true), (3, false), (3, false)]);
}

/// Of those that stand in the text, none need be the first one.
#[test]
fn what_stands_there_may_come_too_late() {
    let a = Declared::from(Entry::get(
        "https://example.org/a".parse().unwrap(),
        Body::Empty,
    ));
    let literal = "{ url = \"https://example.org/a\"; }";
    for (text, known) in [
        (format!("let l = a; in [ {literal} {literal} ]"), true),
        (format!("let l = a; in l ++ [ {literal} ]"), false),
    ] {
        let document = Document::evaluated(&text, vec![a.clone(), a.clone()]).unwrap();
        let listing = document.listing();
        assert_eq!(listing.entries[0].spans.is_some(), known, "{text}");
        assert_eq!(listing.repeats[0].located.spans.is_some(), known, "{text}");
        let both = [&listing.entries[0], &listing.repeats[0].located];
        let both = both.map(|one| one.spans.as_ref().map(|spans| spans.item.start));
        assert!(!known || both[0] < both[1], "{text}");
    }
}

#[test]
fn the_placeholders_of_nixpkgs_are_no_hash_yet() {
    let entry = |hash: &str| {
        let text = format!(
            "{{ fetchurl, lib }}: [ {{ url = \"https://example.org/\"; \
             file = fetchurl {{ url = \"https://example.org/\"; {hash}; }}; }} ]"
        );
        Document::parse(&text).map(|document| document.entries()[0].clone())
    };
    for (hash, algorithm) in [
        ("hash = lib.fakeHash", None),
        ("hash = (lib.fakeHash)", None),
        ("sha256 = lib.fakeSha256", Some(Algorithm::Sha256)),
        ("sha512 = lib.fakeSha512", Some(Algorithm::Sha512)),
    ] {
        let located = entry(hash).unwrap();
        let Body::Pin(pin) = &located.entry.body else {
            panic!("{hash}");
        };
        assert_eq!((&pin.hash, located.hash_algorithm()), (&None, algorithm));
    }
    for hash in [
        "hash = lib.fakeHash or 1",
        "hash = fakeHash",
        "hash = lib.x",
    ] {
        let error = entry(hash).unwrap_err();
        assert!(matches!(error, NixError::NotLiteral { .. }), "{hash}");
    }
}

/// Files that are nearly right: one with a piece put in, taken out or doubled.
fn nearly() -> impl Strategy<Value = String> {
    let file = prop_oneof![
        Just(FIRST.to_owned()),
        Just(SECOND.to_owned()),
        Just(BY_HAND.to_owned()),
        strategies::entries().prop_map(|entries| crate::emit::print(&entries)),
    ];
    let piece = prop_oneof![
        any::<String>(),
        "[\\[\\]{}();:=,.@?\"'$/#+ \n-]{1,4}",
        prop::sample::select(vec![
            "''", "${", "\"", "inherit", "rec", "let", "with", "or", "null", "\0", "\r\n", "\\",
            "++", "//", "."
        ])
        .prop_map(str::to_owned),
    ];
    (
        file,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        piece,
    )
        .prop_map(|(file, from, to, piece)| {
            let mut bounds: Vec<_> = file.char_indices().map(|(at, _)| at).collect();
            bounds.push(file.len());
            let from = *from.get(&bounds);
            // Mostly short pieces, sometimes half of the file.
            let to = (from..=file.len().min(from + to.index(40)))
                .rev()
                .find(|at| file.is_char_boundary(*at))
                .unwrap_or(from);
            format!("{}{piece}{}", &file[..from], &file[to..])
        })
}

fn read_without_panic(text: &str) -> Result<(), TestCaseError> {
    match Document::parse(text) {
        Ok(document) => {
            prop_assert_eq!(document.text(), text);
            let merged = document.merge(&strategies::one_of_each(), Changes::Update);
            Document::parse(&merged.text)
                .map_err(|error| TestCaseError::fail(format!("{error}: {}", merged.text)))?;
        }
        Err(error) => {
            prop_assert!(error.line() >= 1);
            prop_assert!(error.line() <= text.matches('\n').count() + 1);
            let _ = (error.to_string(), error.hint());
        }
    }
    if let Ok(document) = Document::evaluated(text, Vec::new()) {
        let _ = document.merge(&strategies::one_of_each(), Changes::Update);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        read_without_panic(&text)?;
    }

    #[test]
    fn any_tokens_are_read_or_refused(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", "(", ")", "\"", "''", "${", "a", "url", "file", "=", ";", ".",
                ":", ",", "fetchurl", "builtins.toFile", "./a", "/b", "1", "null", "inherit", "rec",
                "let", "in", "with", "if", "or", "+", "-", "@", "?", "...", "#", "\n", " ", "\\",
                "http://example.org", "$", "'", "é", "<", ">", "~/",
            ]),
            0..40,
        ),
    ) {
        read_without_panic(&tokens.concat())?;
        read_without_panic(&tokens.join(" "))?;
    }

    #[test]
    fn files_that_are_nearly_right_are_read_or_refused(text in nearly()) {
        read_without_panic(&text)?;
    }
}
