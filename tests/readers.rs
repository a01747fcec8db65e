//! What must hold of whatever is read, be it an inventory or a URL. `fuzz/` makes up what to read, and
//! what it found worth keeping is in `tests/corpus`, a folder for each reader.

use buildproxy::{
    emit::{Changes, print},
    inventory::{
        Body, Entry, Pin, StoreName, Url, manifest, nix::Document, secrets::without_secrets,
    },
    mitm_cache,
};

/// A `proxy_content.nix`: printing and reading it is stable, and merging it with itself changes nothing.
///
/// # Panics
///
/// Where that is not so; as do the others.
pub(crate) fn document(text: &str) {
    let Ok(document) = Document::parse(text) else {
        return;
    };
    let entries = entries(&document);
    for mode in [Changes::Keep, Changes::Update] {
        let merged = document.merge(&entries, mode);
        assert_eq!(merged.text, text, "merging with itself");
        assert!(merged.added.is_empty());
        for (changed, _) in &merged.changed {
            // A pin without a hash may be anything.
            let Body::Pin(Pin { hash: None, .. }) = &entries[changed.captured].body else {
                panic!("{changed:?}");
            };
        }
    }
    let printed = print(&entries);
    let Ok(read) = Document::parse(&printed) else {
        panic!("what was printed cannot be read:\n{printed}");
    };
    assert_eq!(print(&self::entries(&read)), printed, "printing again");
    // All of it, added to what has none of it.
    if let Ok(empty) = Document::parse("# a\n{ }: [ ]") {
        let filled = empty.merge(&entries, Changes::Keep).text;
        let Ok(filled) = Document::parse(&filled) else {
            panic!("what was merged cannot be read:\n{filled}");
        };
        assert_eq!(
            print(&self::entries(&filled)),
            printed,
            "merging into nothing"
        );
    }
}

fn entries(document: &Document) -> Vec<Entry> {
    let entries = document.entries().iter();
    entries.map(|located| located.entry.clone()).collect()
}

/// A manifest: writing gives back what was read.
pub(crate) fn manifest(text: &str) {
    let Ok(entries) = manifest::read(text) else {
        return;
    };
    let Ok(written) = manifest::write(&entries) else {
        panic!("what was read cannot be written");
    };
    match manifest::read(&written) {
        Ok(read) => assert_eq!(read, entries),
        Err(error) => panic!("what was written cannot be read: {error}\n{written}"),
    }
}

/// A lock: writing gives back what was read, but for answers to POST.
pub(crate) fn lock(text: &str) {
    let Ok(lock) = mitm_cache::read(text) else {
        return;
    };
    let written = mitm_cache::write(&lock);
    match mitm_cache::read(&written) {
        Ok(read) => assert_eq!(read.pages, lock.pages),
        Err(error) => panic!("what was written cannot be read: {error}\n{written}"),
    }
}

/// A URL: it has one spelling, a name that Nix takes, and no secrets once they are taken out.
pub(crate) fn url(text: &str) {
    let redacted = without_secrets(text);
    assert_eq!(without_secrets(&redacted), redacted, "no secrets, twice");
    let base = Url::parse("https://example.org/a/b?c");
    for url in [Url::parse(text), base.and_then(|base| base.join(text))] {
        let Ok(url) = url else {
            continue;
        };
        assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url), "one spelling");
        let without = url.without_secrets();
        assert_eq!(without.without_secrets(), without, "no secrets, twice");
        assert_eq!(url.to_string(), without.as_str());
        assert_eq!(Url::parse(without.as_str()).as_ref(), Ok(&*without));
        let name = StoreName::of(&url);
        assert_eq!(name.as_str().parse().as_ref(), Ok(&name));
    }
}

#[test]
fn all_that_fuzzing_found_is_read_or_refused() {
    type Check = fn(&str);
    let checks: [(&str, Check); 4] = [
        ("document", document),
        ("lock", lock),
        ("manifest", manifest),
        ("url", url),
    ];
    for (name, check) in checks {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/corpus")
            .join(name);
        let mut count = 0;
        for file in std::fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            // As libFuzzer reads it: what is no text is not for these readers.
            if let Ok(text) = String::from_utf8(std::fs::read(&path).unwrap()) {
                check(&text);
                count += 1;
            }
        }
        assert!(count >= 10, "{}: {count}", folder.display());
    }
}
