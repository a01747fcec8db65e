//! What we print and read, held against what a real Nix makes of it.

use std::path::Path;
use std::process::Command;

use buildproxy::emit;
use buildproxy::inventory::nix::Document;
use buildproxy::inventory::{Body, Entry, Pin, Sri, Url};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// What Nix evaluates an expression to. Nothing is written to a store.
fn evaluate(expression: &str) -> Value {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("nix-instantiate")
        .args([
            "--eval", "--strict", "--json", "--store", "dummy://", "-E", expression,
        ])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .output()
        .expect("nix-instantiate is needed: install Nix (Debian's nix-bin will do)");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The values of a file. Each `file` becomes a set that says what it was.
fn values(path: &Path) -> Value {
    evaluate(&format!(
        r"let
          file = builtins.scopedImport {{
            builtins = builtins // {{ toFile = name: text: {{ inherit name text; }}; }};
          }} {};
          hashes = a: builtins.filter (h: h != null) [ (a.hash or null) (a.sha256 or null) ];
          arguments.fetchurl = a: {{
            name = a.name or null;
            url = a.url or (builtins.head a.urls);
            hash = builtins.head (hashes a);
          }};
          entries = file (
            if builtins.functionArgs file ? fetchurl then arguments else {{ }}
          );
          said = f: if builtins.isPath f then {{ path = toString f; }} else f;
        in map (e: e // {{ file = said (e.file or null); }}) entries",
        path.display()
    ))
}

/// The values that [`values`] is to give for entries in a folder.
fn wanted(entries: &[Entry], folder: &Path) -> Value {
    let entry = |entry: &Entry| {
        let file = match &entry.body {
            Body::Empty => Value::Null,
            Body::Pin(pin) => json!({
                "name": pin.name.as_str(),
                "url": pin.url,
                "hash": pin.hash.as_ref().map(ToString::to_string).unwrap_or_default(),
            }),
            Body::File(path) => json!({ "path": folder.join(path) }),
            Body::Text { name, text } => json!({ "name": name.as_str(), "text": text }),
        };
        let headers: serde_json::Map<_, _> = entry
            .headers
            .fields()
            .map(|(name, values)| match values {
                [value] => (name.to_owned(), json!(value)),
                _ => (name.to_owned(), json!(values)),
            })
            .collect();
        let mut value = json!({
            "url": entry.url,
            "status_code": entry.status.as_u16(),
            "headers": headers,
            "file": file,
        });
        if entry.method != Method::GET {
            value["method"] = json!(entry.method.as_str());
        }
        if !entry.condition.is_empty() {
            value["request"] = json!({
                "headers": entry.condition.headers,
                "authorization": entry.condition.authorization,
                "body": entry.condition.body,
            });
        }
        value
    };
    Value::Array(entries.iter().map(entry).collect())
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

/// One entry of each kind, with upstream doing its worst.
fn nasty() -> Vec<Entry> {
    let mut pinned = Entry::get(
        url("https://example.org/${builtins.abort}\"+''/a;?#x"),
        Body::Pin(Pin::new(
            "a.tar.gz".parse().unwrap(),
            url("https://example.org/${x}\\$${y}\"#"),
            Some(Sri::sha256_of(b"hello")),
        )),
    );
    for (name, value) in [
        ("etag", "\"W/${throw \"pwned\"}\""),
        ("x-$$", "$${a} $$$${b} \\${c} \\\\${d} $"),
        ("x-quote", "\"; } ] ++ [ { x = \""),
        ("x-multi''", "''${a}'' ''' ''\\n"),
        ("x-long", &"long ".repeat(40)),
        ("x-tab", "a\tb"),
        ("rec", "é日\u{2028}"),
    ] {
        pinned.headers.insert(name, value).unwrap();
    }
    pinned.headers.append("link", "<a>; rel=\"${x}\"").unwrap();
    pinned.headers.append("link", "<b>").unwrap();

    let mut posted = Entry::get(
        url("https://example.org/post"),
        Body::text(
            "answer.json".parse().unwrap(),
            "{\n\t\"a\": \"${b}\"\r\n}\n\u{1}\u{7f}",
        )
        .unwrap(),
    );
    posted.method = Method::POST;
    posted.status = StatusCode::CREATED;
    posted.condition.authorization = true;
    posted.condition.body = Some(Sri::sha256_of(b""));
    posted
        .condition
        .headers
        .insert("accept".to_owned(), "${x}".to_owned());

    let mut moved = Entry::get(url("http://[::1]:8080/"), Body::Empty);
    moved.status = StatusCode::FOUND;

    let emptied = Entry::get(
        url("https://example.org/emptied"),
        Body::Pin(Pin::new(
            "emptied".parse().unwrap(),
            url("https://example.org/emptied"),
            None,
        )),
    );
    let files = [
        "proxy_content/a-1.0+b_c",
        "proxy content/${a}\"$",
        "../sibling",
        "/absolute/a",
        "/absolute/a@b",
        "...",
        "-",
        "a~b",
        "1.2/3",
    ];
    let files = files.iter().enumerate().map(|(index, path)| {
        Entry::get(
            url(&format!("https://example.org/file/{index}")),
            Body::File(path.into()),
        )
    });
    [pinned, posted, moved, emptied]
        .into_iter()
        .chain(files)
        .collect()
}

#[test]
fn a_printed_file_evaluates_to_what_was_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("below/proxy_content.nix");
    std::fs::create_dir(folder.path().join("below")).unwrap();
    let entries = nasty();
    std::fs::write(&path, emit::print(&entries)).unwrap();
    let mut wanted = wanted(&entries, &folder.path().join("below"));
    // Nix resolves this one by name.
    let sibling = folder.path().join("sibling");
    for entry in wanted.as_array_mut().unwrap() {
        if entry["file"]["path"] == json!(folder.path().join("below/../sibling")) {
            entry["file"]["path"] = json!(sibling);
        }
    }
    // Attributes of `request` that have their default are not printed.
    assert_eq!(values(&path), wanted);
}

#[test]
fn every_text_is_itself_again() {
    let pieces = [
        "${", "$", "\"", "\\", "''", "'", "{", "}", "\n", "\r", "\t", "#", "a", " ",
    ];
    let mut entries = Vec::new();
    for a in pieces {
        for b in pieces {
            for c in pieces {
                entries.push(Entry::get(
                    url(&format!("https://example.org/{}", entries.len())),
                    Body::text("a".parse().unwrap(), &format!("{a}{b}{c}")).unwrap(),
                ));
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy_content.nix");
    std::fs::write(&path, emit::print(&entries)).unwrap();
    assert_eq!(values(&path), wanted(&entries, folder.path()));
}

#[test]
fn strings_are_read_as_nix_reads_them() {
    let pieces = ["'", "$", "{", "\\", "\n", " ", "a", "\"", "\t"];
    let mut literals = Vec::new();
    let mut texts = Vec::new();
    for quote in ["\"", "''"] {
        for index in 0..pieces.len().pow(5) {
            let body: String = (0..5)
                .map(|place| pieces[index / pieces.len().pow(place) % pieces.len()])
                .collect();
            let literal = format!("{quote}{body}{quote}");
            let file = format!(
                "[ {{ url = \"http://example.org\"; file = builtins.toFile \"a\" {literal}; }} ]"
            );
            if let Ok(document) = Document::parse(&file)
                && let Body::Text { text, .. } = &document.entries()[0].entry.body
            {
                texts.push(text.clone());
                literals.push(literal);
            }
        }
    }
    assert!(texts.len() > 10_000, "{}", texts.len());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("strings.nix");
    std::fs::write(&path, format!("[\n{}\n]\n", literals.join("\n"))).unwrap();
    let values = evaluate(&format!("import {}", path.display()));
    for ((value, text), literal) in values.as_array().unwrap().iter().zip(&texts).zip(&literals) {
        assert_eq!(value, text, "{literal:?}");
    }
}

/// The loader of nix-buildproxy, which asks for exactly four attributes.
#[test]
fn what_is_printed_loads_in_nix_buildproxy() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "a").unwrap();
    let path = folder.path().join("proxy_content.nix");
    let mut entries = nasty();
    entries.retain(|entry| !matches!(entry.body, Body::File(_)));
    entries.push(Entry::get(
        url("https://example.org/vendored"),
        Body::File("a".into()),
    ));
    std::fs::write(&path, emit::print(&entries)).unwrap();
    let loaded = evaluate(&format!(
        r#"let
          fetchurl = a: derivation {{
            inherit (a) name;
            system = "x";
            builder = "x";
            outputHash = if a.hash == "" then "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" else a.hash;
          }};
          entries = import {} {{ inherit fetchurl; }};
          load = f: {{
            inherit (f) url status_code headers;
            file = if builtins.isNull f.file then null else "${{f.file}}";
          }};
        in map load entries"#,
        path.display()
    ));
    let loaded = loaded.as_array().unwrap();
    assert_eq!(loaded.len(), entries.len());
    for (loaded, entry) in loaded.iter().zip(&entries) {
        assert_eq!(loaded["url"], entry.url.as_str());
        assert_eq!(loaded["status_code"], entry.status.as_u16());
        match &entry.body {
            Body::Empty => assert_eq!(loaded["file"], Value::Null),
            Body::Pin(Pin { name, .. }) | Body::Text { name, .. } => {
                let file = loaded["file"].as_str().unwrap();
                assert!(file.starts_with("/nix/store/"), "{file}");
                assert!(file.ends_with(&format!("-{name}")), "{file}");
            }
            Body::File(_) => {
                let file = loaded["file"].as_str().unwrap();
                assert!(
                    file.starts_with("/nix/store/") && file.ends_with("-a"),
                    "{file}"
                );
            }
        }
    }
}

#[test]
fn files_of_others_are_read_as_nix_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for name in [
        "first-generation.nix",
        "second-generation.nix",
        "by-hand.nix",
    ] {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let document = Document::parse(&text).unwrap();
        let values = values(&path);
        let values = values.as_array().unwrap();
        assert_eq!(document.entries().len(), values.len(), "{name}");
        for (located, value) in document.entries().iter().zip(values) {
            let entry = &located.entry;
            assert_eq!(url(value["url"].as_str().unwrap()), entry.url);
            let file = &value["file"];
            match &entry.body {
                Body::Empty => assert!(file.is_null()),
                Body::Pin(pin) => {
                    assert_eq!(file["url"], pin.url.as_str());
                    assert!(file["name"].is_null() || file["name"] == pin.name.as_str());
                }
                Body::File(path) => {
                    let given = file["path"].as_str().or(file.as_str()).unwrap();
                    assert_eq!(Path::new(given), folder.join(path));
                }
                Body::Text { name, text } => {
                    assert_eq!(*file, json!({ "name": name.as_str(), "text": text }));
                }
            }
            for (name, values) in entry.headers.fields() {
                let headers = value["headers"].as_object().unwrap();
                let (_, given) = headers
                    .iter()
                    .find(|(given, _)| given.eq_ignore_ascii_case(name))
                    .unwrap();
                match values {
                    [single] => assert_eq!(given, single),
                    several => assert_eq!(*given, json!(several)),
                }
            }
        }
    }
}
