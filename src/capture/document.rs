//! What is known to drift by what it says, whoever asked for it.
//!
//! Clients of npm's family name what they want in headers (see [`super::drift`]), but a person who adds a URL
//! does not, nor does a client that nobody has seen yet.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::Path};

use http::{HeaderMap, header::CONTENT_TYPE};
use serde::{Deserialize, de::IgnoredAny};

use super::drift::has;
use crate::inventory::Url;

/// What npm's registries say of a package: with all versions that there are, and what is the latest.
#[derive(Deserialize)]
struct Packument {
    name: String,
    #[serde(rename = "dist-tags")]
    _tags: BTreeMap<String, String>,
    #[serde(rename = "versions")]
    _versions: IgnoredAny,
}

/// Why an answer will not stay what it is, where its body tells.
pub(super) fn reason(url: &Url, said: &HeaderMap, body: &Path) -> Option<&'static str> {
    let is_index = has(said, CONTENT_TYPE, "json") && is_packument(url, body);
    is_index.then_some("an index of a package's versions")
}

/// Whether this is npm's index of the package that the URL ends with: `/NAME` or `/@SCOPE%2fNAME`.
fn is_packument(url: &Url, body: &Path) -> bool {
    let path = url.path().replace("%2f", "/").replace("%2F", "/");
    let path = path.replace("%40", "@");
    let Ok(body) = File::open(body) else {
        return false;
    };
    let read: Result<Packument, _> = serde_json::from_reader(BufReader::new(body));
    read.is_ok_and(|Packument { name, .. }| {
        let before = path.strip_suffix(&name);
        !name.is_empty() && before.is_some_and(|before| before.ends_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use http::HeaderValue;

    use super::*;

    #[test]
    fn an_index_of_npm_is_told_by_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let written = |text: &str| -> PathBuf {
            let path = folder.path().join("body");
            fs::write(&path, text).unwrap();
            path
        };
        let json = |media_type: &'static str| {
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))])
        };
        let index = r#"{"_id":"NAME","name":"NAME","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{}}}"#;
        let version = r#"{"_id":"a@1.0.0","name":"a","version":"1.0.0","dist":{}}"#;
        for (path, name, drifts) in [
            ("/a", "a", true),
            ("/registry/npm/a", "a", true),
            ("/@s%2fa", "@s/a", true),
            ("/%40s%2Fa", "@s/a", true),
            ("/@s/a", "@s/a", true),
            ("/a", "b", false),
            ("/ba", "a", false),
            ("/a/1.0.0", "a", false),
        ] {
            let url = Url::parse(&format!("https://example.org{path}")).unwrap();
            let body = written(&index.replace("NAME", name));
            let is_index = reason(&url, &json("application/json; charset=utf-8"), &body);
            assert_eq!(is_index.is_some(), drifts, "{path} {name}");
            assert!(reason(&url, &json("text/plain"), &body).is_none());
        }
        let url = Url::parse("https://example.org/a").unwrap();
        for text in [version, "", "[]", "{\"name\":\"a\"}", &index[..40]] {
            let body = written(text);
            assert!(
                reason(&url, &json("application/json"), &body).is_none(),
                "{text}"
            );
        }
    }
}
