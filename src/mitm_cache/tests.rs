//! What is read and written, and that the one is the reverse of the other.

use std::{io, path::Path};

use proptest::prelude::*;

use super::*;
use crate::inventory::{Body, Entry, Headers, Pin, strategies};

fn lock(text: &str) -> Lock {
    read(text).unwrap_or_else(|error| panic!("{:?}: {error}\n{text}", error.line))
}

/// The hash of nothing.
const SRI: &str = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

#[test]
fn both_forms_say_the_same() {
    let plain = format!(
        r#"{{
 "!version": 1,
 "https://example.org/m/org/a/1.0/a-1.0.jar": {{ "hash": "{SRI}" }},
 "https://example.org/m/org/a/1.0/a-1.0-tests.jar": {{ "hash": "{SRI}" }}
}}"#
    );
    let compressed = format!(
        r#"{{
 "!comment": "words",
 "!version": 1,
 "https://example.org": {{
  "m/org#a/1.0": {{ "jar": "{SRI}" }},
  "m/org#a/1.0/tests": {{ "jar": "{SRI}" }}
 }}
}}"#
    );
    assert_eq!(lock(&compressed), lock(&plain));
    // As mitm-cache wrote it once.
    let bare = SRI.trim_start_matches("sha256-");
    let old = plain.replace(SRI, bare).replace("hash", "sha256");
    assert_eq!(lock(&old), lock(&plain));
}

#[test]
fn metadata_is_made_up_of_the_files_beside_it() {
    let compressed = format!(
        r#"{{
 "https://example.org/m": {{
  "org/x#a/1.10": {{ "jar": "{SRI}", "pom": "{SRI}" }},
  "org/x#a/1.9": {{ "pom": "{SRI}" }},
  "org/x#a/2.0-20231021.200112-6/SNAPSHOT": {{ "pom": "{SRI}" }},
  "org/x#a/2.0-20231021.200112-6/SNAPSHOT/tests": {{ "jar": "{SRI}" }},
  "org/x#a-more/9": {{ "jar": "{SRI}" }},
  "org/x/a/maven-metadata": {{ "xml": {{ "groupId": "org.x", "release": "1.11", "lastUpdated": "20240102030405" }} }},
  "org/x/a/2.0-SNAPSHOT/maven-metadata": {{ "xml": {{ "groupId": "org.x" }} }}
 }}
}}"#
    );
    let lock = lock(&compressed);
    let text = |url: &str| match &lock.pages[&url.parse().unwrap()] {
        Page::Text(text) => text.clone(),
        page => panic!("{page:?}"),
    };
    assert_eq!(
        text("https://example.org/m/org/x/a/maven-metadata.xml"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<metadata modelVersion=\"1.1.0\">
  <groupId>org.x</groupId>
  <artifactId>a</artifactId>
  <versioning>
    <latest>1.11</latest>
    <release>1.11</release>
    <versions>
      <version>1.9</version>
      <version>1.10</version>
      <version>1.11</version>
      <version>2.0-SNAPSHOT</version>
    </versions>
    <lastUpdated>20240102030405</lastUpdated>
  </versioning>
</metadata>
"
    );
    assert_eq!(
        text("https://example.org/m/org/x/a/2.0-SNAPSHOT/maven-metadata.xml"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<metadata modelVersion=\"1.1.0\">
  <groupId>org.x</groupId>
  <artifactId>a</artifactId>
  <version>2.0-SNAPSHOT</version>
  <versioning>
    <snapshot>
      <timestamp>20231021.200112</timestamp>
      <buildNumber>6</buildNumber>
    </snapshot>
    <lastUpdated>20231021200112</lastUpdated>
    <snapshotVersions>
      <snapshotVersion>
        <classifier>tests</classifier>
        <extension>jar</extension>
        <value>2.0-20231021.200112-6</value>
        <updated>20231021200112</updated>
      </snapshotVersion>
      <snapshotVersion>
        <extension>pom</extension>
        <value>2.0-20231021.200112-6</value>
        <updated>20231021200112</updated>
      </snapshotVersion>
    </snapshotVersions>
  </versioning>
</metadata>
"
    );
}

/// A version is a part of a URL, and what is kept of the metadata is any text.
#[test]
fn metadata_is_xml_whatever_the_lock_says() {
    let compressed = format!(
        r#"{{
 "https://example.org/m": {{
  "org/x#a/1&b'": {{ "pom": "{SRI}" }},
  "org/x/a/maven-metadata": {{ "xml": {{ "groupId": "org.x", "latest": "a&b<c", "release": "]]>\"" }} }}
 }}
}}"#
    );
    let lock = lock(&compressed);
    let url = "https://example.org/m/org/x/a/maven-metadata.xml";
    let Page::Text(text) = &lock.pages[&url.parse().unwrap()] else {
        panic!("{lock:?}");
    };
    let versions = "    <latest>a&amp;b&lt;c</latest>
    <release>]]&gt;&quot;</release>
    <versions>
      <version>]]&gt;&quot;</version>
      <version>a&amp;b&lt;c</version>
      <version>1&amp;b&apos;</version>
    </versions>
";
    assert!(text.contains(versions), "{text}");
    let control = compressed.replace("a&b<c", "a\\u0001");
    let error = read(&control).unwrap_err().to_string();
    assert!(error.contains("no group, version or time"), "{error}");
}

#[test]
fn mistakes_are_named_with_their_line() {
    let metadata = |value: &str| {
        format!("{{\"https://example.org/g\":\n{{\"a/maven-metadata\":\n{{\"xml\": {value}}}}}}}")
    };
    let page = |page: &str| format!("{{\n\n\"https://example.org/a\":\n{page}}}");
    for (text, line, message) in [
        ("{\n\n]".to_owned(), Some(3), "line 3 column 1"),
        ("[]".to_owned(), None, "the lock is a list, not an object"),
        ("{\n\"!version\": 2}".to_owned(), Some(2), "of version 2"),
        ("{\n\"!x\": 2}".to_owned(), Some(2), "`!x` is neither a URL"),
        (
            "{\n\"ftp://a/b\": {\"hash\": \"\"}}".to_owned(),
            Some(2),
            "neither http nor https but ftp",
        ),
        (
            "{\n\"https://me:s3cr3t@a/b\": {\"text\": \"\"}}".to_owned(),
            Some(2),
            "a user name or password",
        ),
        (
            page("1"),
            Some(3),
            "`https://example.org/a` is a number, not an object",
        ),
        (page("{}"), Some(3), "has 0 of `hash`"),
        (
            page("{\"hash\":\n1}"),
            Some(4),
            "`hash` is a number, not a string",
        ),
        (page("{\n\"hash\": \"x\"}"), Some(5), "`x` is not a hash"),
        (
            page("{\n\"hahs\": \"x\"}"),
            Some(5),
            "has `hahs`, which is none of",
        ),
        (
            page(&format!("{{\"hash\": \"{SRI}\", \"text\": \"\"}}")),
            Some(3),
            "has 2 of `hash`",
        ),
        (
            page(&format!("{{\"hash\": \"sha256-{}=\"}}", "A".repeat(43))),
            Some(4),
            "is a placeholder",
        ),
        (
            page("{\"redirect\": \"ftp://x/\"}"),
            Some(4),
            "redirects to what is no URL",
        ),
        (
            "{\"https://example.org/a\": {\"text\": \"1\"},\n\"https://EXAMPLE.org/a\": {\"text\": \"2\"}}"
                .to_owned(),
            // In the order of the keys, capitals come first.
            Some(1),
            "https://example.org/a is there twice, and differs",
        ),
        (
            format!("{{\"https://example.org\":\n{{\"g#a\":\n{{\"jar\": \"{SRI}\"}}}}}}"),
            Some(3),
            "`https://example.org/g#a`: what follows `#` is not",
        ),
        (
            "{\"https://example.org\":\n{\"g#a/1\":\n{\"jar\": 1}}}".to_owned(),
            Some(3),
            "`jar` is a number, not an object",
        ),
        (
            metadata("{\"groupId\": \"g\"}"),
            Some(3),
            "no version of it is in the lock",
        ),
        (
            metadata("{\"groupId\": \"h\", \"release\": \"1\"}"),
            Some(3),
            "its groupId is not in its URL",
        ),
        (
            metadata("{\"groupId\": \"g\", \"release\": \"\\u0001\"}"),
            Some(3),
            "a value that is no group",
        ),
        (
            metadata("{\"groupId\": \"g\", \"x\": \"1\"}"),
            Some(3),
            "it has more than groupId",
        ),
        (
            metadata("{\"groupId\": \"g\"}").replace("maven-metadata", "other"),
            Some(3),
            "does not end in /maven-metadata.xml",
        ),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert!(!error.to_string().contains("s3cr3t"));
        assert_eq!(error.line, line, "{text}: {error}");
    }
}

#[test]
fn answers_to_post_are_told_of() {
    let text = r#"{
 "https://example.org/a": { "post": { "body": { "text": "x" } } },
 "https://example.org/b": { "post": {}, "text": "y" }
}"#;
    let lock = lock(text);
    let urls = |paths: &[&str]| -> Vec<Url> {
        let url = |path: &&str| format!("https://example.org/{path}").parse().unwrap();
        paths.iter().map(url).collect()
    };
    assert_eq!(
        lock.posts.into_iter().collect::<Vec<_>>(),
        urls(&["a", "b"])
    );
    assert_eq!(lock.pages.into_keys().collect::<Vec<_>>(), urls(&["b"]));
}

/// A vendored file.
fn file(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("none") => Err(io::ErrorKind::NotFound.into()),
        Some("latin-1") => Ok(b"\xff".to_vec()),
        Some("nul") => Ok(b"\0".to_vec()),
        _ => Ok(b"vendored\n".to_vec()),
    }
}

#[test]
fn what_a_lock_cannot_have_is_told() {
    let url = |path: &str| -> Url { format!("https://example.org/{path}").parse().unwrap() };
    let entry = |path: &str| Entry::get(url(path), Body::Empty);
    let with = |path: &str, change: &dyn Fn(&mut Entry)| {
        let mut entry = entry(path);
        change(&mut entry);
        entry
    };
    let pin =
        |of: &str, hash: Option<Sri>| Body::Pin(Pin::new("a".parse().unwrap(), url(of), hash));
    let redirect = |entry: &mut Entry, to: &str| {
        entry.status = http::StatusCode::FOUND;
        entry.headers = Headers::new();
        entry.headers.insert("location", to).unwrap();
    };
    let entries = [
        entry("empty"),
        with("redirect", &|entry| redirect(entry, "empty")),
        with("file", &|entry| {
            entry.body = Body::File("x".into());
        }),
        with("pin", &|entry| {
            entry.body = pin("pin", Some(Sri::sha256_of(b"")));
        }),
        with("method", &|entry| entry.method = http::Method::HEAD),
        with("status", &|entry| {
            entry.status = http::StatusCode::NOT_FOUND;
        }),
        with("condition", &|entry| entry.condition.authorization = true),
        entry("query?"),
        entry("folder/"),
        with("other", &|entry| {
            entry.body = pin("pin", Some(Sri::sha256_of(b"")));
        }),
        with("none", &|entry| entry.body = pin("none", None)),
        with("nowhere", &|entry| redirect(entry, "ftp://example.org/")),
        with("with-query", &|entry| redirect(entry, "empty?a")),
        entry("a"),
        entry("a/b"),
        entry("a-c"),
    ];
    let (lock, left) = lock_of(&entries, file);
    let left: Vec<_> = left
        .iter()
        .map(|(place, why)| format!("{place} {why}"))
        .collect();
    assert_eq!(
        left,
        [
            "4 it answers HEAD",
            "5 its status is 404",
            "6 it answers only certain requests",
            "7 mitm-cache drops the query of a URL",
            "8 mitm-cache takes its URL for a folder",
            "9 its pin fetches another URL, https://example.org/pin",
            "10 its pin has no hash yet",
            "11 it redirects to nothing that could be asked for",
            "12 mitm-cache drops the query of a URL",
            "13 mitm-cache takes its URL for a folder, with https://example.org/a/b in it",
        ]
    );
    assert_eq!(
        write(&lock),
        format!(
            r#"{{
 "!version": 1,
 "https://example.org/a-c": {{
  "text": ""
 }},
 "https://example.org/a/b": {{
  "text": ""
 }},
 "https://example.org/empty": {{
  "text": ""
 }},
 "https://example.org/file": {{
  "text": "vendored\n"
 }},
 "https://example.org/pin": {{
  "hash": "{SRI}"
 }},
 "https://example.org/redirect": {{
  "redirect": "https://example.org/empty"
 }}
}}
"#
        )
    );
}

#[test]
fn a_body_that_is_no_text_is_told_of() {
    let why = |path: &str| {
        let url = "https://example.org/".parse::<Url>().unwrap();
        let entry = Entry::get(url.join(path).unwrap(), Body::File(path.into()));
        let (lock, mut left) = lock_of([&entry], file);
        assert_eq!(lock, Lock::default());
        left.remove(0).1
    };
    assert!(matches!(why("none"), Unsaid::File(_)));
    assert!(matches!(why("latin-1"), Unsaid::Binary));
    assert!(matches!(why("nul"), Unsaid::Binary));
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(entries in strategies::entries()) {
        let (lock, left) = lock_of(&entries, file);
        prop_assert_eq!(lock.pages.len() + left.len(), entries.len());
        let text = write(&lock);
        prop_assert_eq!(read(&text).map_err(|error| error.to_string()), Ok(lock));
    }

    #[test]
    fn nothing_makes_the_reader_panic(text in "[{}\\[\\]\":,!#/a-c0-2 \n-]{0,60}") {
        let _ = read(&text);
        let _ = read(&format!("{{\"https://a\": {{{text}}}}}"));
    }
}
