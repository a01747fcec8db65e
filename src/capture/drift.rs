//! What is known to change at its URL: indexes, listings, whatever says "latest".
//!
//! A pin of such a thing would fetch today and fail in a month, when it helps nobody to know why. No
//! header tells for sure, so the rules are data: one line for each kind, with the reason that a person is
//! given. `--pin` and `--vendor` overrule them.

use std::{path::Path, sync::LazyLock};

use globset::{GlobBuilder, GlobMatcher};
use http::{
    HeaderMap, HeaderName,
    header::{ACCEPT, AsHeaderName, CACHE_CONTROL, CONTENT_TYPE, USER_AGENT},
};

use crate::inventory::Url;

/// How a kind is told.
enum Sign {
    /// The path, without the query, matches this glob; `*` stops at a slash, `**` does not.
    Path(&'static str),
    /// The path has this shape.
    Shape(fn(&str) -> bool),
    /// The query has a parameter that begins so.
    Query(&'static str),
    /// The path, the request and the response are like this.
    Exchange(fn(&str, &HeaderMap, &HeaderMap) -> bool),
    /// The request asks for this media type.
    Asked(&'static str),
    /// The response has this in a header.
    Said(HeaderName, &'static str),
    /// It is a page about a folder.
    Listing,
}

/// The table.
const RULES: &[(Sign, &str)] = &[
    (
        Sign::Said(CACHE_CONTROL, "no-store"),
        "the server says that it is not to be kept",
    ),
    (
        Sign::Asked("application/vnd.pypi.simple."),
        "an index of Python packages",
    ),
    (Sign::Path("/**/simple/*/"), "an index of Python packages"),
    (
        Sign::Exchange(is_npm_index),
        "an index of a package's versions",
    ),
    (
        Sign::Shape(is_cargo_index),
        "an index of a crate's versions",
    ),
    (Sign::Path("/**/@v/list"), "a list of a module's versions"),
    (Sign::Path("/**/@latest"), "a module's latest version"),
    (Sign::Query("go-get=1"), "a page about a module"),
    (
        Sign::Path("/**/sumdb/*/latest"),
        "the state of a checksum database",
    ),
    (
        Sign::Path("/**/maven-metadata.xml*"),
        "an index of an artifact's versions",
    ),
    (
        Sign::Path("/**/*-SNAPSHOT/**"),
        "a snapshot, which is replaced in place",
    ),
    (Sign::Path("/{versions,info/*}"), "an index of gems"),
    (
        Sign::Path("/**/{specs,latest_specs,prerelease_specs}.4.8*"),
        "an index of gems",
    ),
    (Sign::Path("/**/packages.json"), "an index of PHP packages"),
    (
        Sign::Path("/**/p2/*/*.json"),
        "an index of a PHP package's versions",
    ),
    (
        Sign::Path("/**/{InRelease,Release,Release.gpg}"),
        "an index of a distribution",
    ),
    (
        Sign::Path("/**/dists/**/{Packages,Sources}*"),
        "an index of a distribution",
    ),
    // As apt asks for a repository that has no distributions.
    (
        Sign::Path("/**/./{Packages,Sources}*"),
        "an index of a distribution",
    ),
    (
        Sign::Path("/**/repodata/repomd.xml*"),
        "an index of RPM packages",
    ),
    (
        Sign::Path("/**/{core,extra,multilib}.{db,files}*"),
        "an index of pacman packages",
    ),
    (
        Sign::Path("/**/APKINDEX.tar.gz"),
        "an index of Alpine packages",
    ),
    (
        Sign::Path("/**/{repodata,current_repodata}.json*"),
        "an index of conda packages",
    ),
    (
        Sign::Path("/**/PACKAGES{,.gz,.rds}"),
        "an index of R packages",
    ),
    (
        Sign::Path("/**/{01-index.tar.gz,timestamp.json,snapshot.json}"),
        "an index of Haskell packages",
    ),
    (
        Sign::Path("/**/v3-flatcontainer/*/index.json"),
        "a list of a NuGet package's versions",
    ),
    (
        Sign::Query("scope=repository"),
        "a token for a registry of images",
    ),
    (Sign::Path("/v2/**/tags/list"), "a list of an image's tags"),
    (
        Sign::Shape(is_image_tag),
        "an image's tag, which can be moved",
    ),
    (
        Sign::Path("/**/info/refs"),
        "a list of a git repository's refs",
    ),
    (
        Sign::Path("/repos/*/*/{releases,tags,branches,commits}{,/**}"),
        "a list of a repository's releases or commits",
    ),
    (Sign::Listing, "a listing"),
];

/// Why the answer to a request will not stay what it is, where that is known.
pub(super) fn reason(url: &Url, asked: &HeaderMap, said: &HeaderMap) -> Option<&'static str> {
    let (path, query) = match url.path_and_query().split_once('?') {
        Some((path, query)) => (path, query),
        None => (url.path_and_query(), ""),
    };
    let rule = RULES
        .iter()
        .zip(GLOBS.iter())
        .find(|((sign, _), glob)| match sign {
            Sign::Path(_) => glob.as_ref().is_some_and(|glob| glob.is_match(path)),
            Sign::Shape(has_it) => has_it(path),
            Sign::Query(parameter) => query.split('&').any(|given| given.starts_with(parameter)),
            Sign::Exchange(is_it) => is_it(path, asked, said),
            Sign::Asked(part) => has(asked, ACCEPT, part),
            Sign::Said(name, part) => has(said, name, part),
            Sign::Listing => path.ends_with('/') && has(said, &CONTENT_TYPE, "text/html"),
        });
    rule.map(|((_, reason), _)| *reason)
}

pub(super) fn has(headers: &HeaderMap, name: impl AsHeaderName, part: &str) -> bool {
    let mut values = headers.get_all(name).iter();
    values.any(|value| value.to_str().is_ok_and(|value| value.contains(part)))
}

/// The globs of the table, each at its rule's place.
static GLOBS: LazyLock<Vec<Option<GlobMatcher>>> = LazyLock::new(|| {
    let compile = |(sign, _): &(Sign, &str)| match sign {
        Sign::Path(glob) => {
            let glob = GlobBuilder::new(glob).literal_separator(true).build();
            Some(glob.ok()?.compile_matcher())
        }
        _ => None,
    };
    RULES.iter().map(compile).collect()
});

/// `/ca/rg/cargo`, and for short names `/3/r/rnd`, `/2/md` and `/1/a`.
fn is_cargo_index(path: &str) -> bool {
    let mut segments = path.rsplit('/');
    let name = segments.next().unwrap_or_default();
    let mut is_next = |folder: Option<&str>| folder.is_some() && segments.next() == folder;
    match name.len() {
        0 => false,
        1 => is_next(Some("1")),
        2 => is_next(Some("2")),
        3 => is_next(name.get(..1)) && is_next(Some("3")),
        _ => is_next(name.get(2..4)) && is_next(name.get(..2)),
    }
}

/// `/NAME` or `/@SCOPE%2fNAME`, asked for by one of npm's family.
fn is_npm_index(path: &str, asked: &HeaderMap, said: &HeaderMap) -> bool {
    // pnpm and yarn 1 ask for it by its media type, and for archives as well.
    let by_type = has(asked, ACCEPT, "application/vnd.npm.install-v1+json");
    let by_npm = has(asked, "pacote-req-type", "packument");
    // yarn 4 has no more than the name of the library that it downloads with.
    let by_yarn = has(asked, USER_AGENT, "got (")
        && has(said, CONTENT_TYPE, "json")
        && (path.starts_with("/@") || path.matches('/').count() == 1);
    let is_archive = Path::new(path).extension() == Some("tgz".as_ref());
    !is_archive && (by_type || by_npm || by_yarn)
}

/// `/v2/NAME/manifests/TAG`, where TAG is not a digest.
fn is_image_tag(path: &str) -> bool {
    let mut segments = path.rsplit('/');
    let tag = segments.next().unwrap_or_default();
    path.starts_with("/v2/") && segments.next() == Some("manifests") && !tag.contains(':')
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn drifts(path: &str) -> bool {
        let url = Url::parse(&format!("https://example.org{path}")).unwrap();
        reason(&url, &HeaderMap::new(), &HeaderMap::new()).is_some()
    }

    #[test]
    fn every_glob_of_the_table_is_one() {
        for ((sign, reason), glob) in RULES.iter().zip(GLOBS.iter()) {
            assert_eq!(matches!(sign, Sign::Path(_)), glob.is_some(), "{reason}");
        }
    }

    #[test]
    fn indexes_drift() {
        for path in [
            "/simple/six/",
            "/mirror/simple/six/",
            "/ca/rg/cargo",
            "/index/3/r/rnd",
            "/2/md",
            "/1/a",
            "/example.org/m/@v/list",
            "/m?go-get=1",
            "/maven2/org/a/maven-metadata.xml",
            "/maven2/org/a/maven-metadata.xml.sha1",
            "/maven2/org/a/1.0-SNAPSHOT/a-1.0-20260101.jar",
            "/versions",
            "/info/rake",
            "/specs.4.8.gz",
            "/packages.json",
            "/p2/symfony/console.json",
            "/debian/dists/trixie/InRelease",
            "/debian/dists/trixie/main/binary-amd64/Packages.xz",
            "/./Release",
            "/flat/./Packages.gz",
            "/fedora/repodata/repomd.xml",
            "/archlinux/core/os/x86_64/core.db",
            "/v2/library/debian/manifests/latest",
            "/v2/library/debian/tags/list",
            "/token?service=registry&scope=repository%3Alibrary%2Fdebian%3Apull",
            "/owner/repository.git/info/refs?service=git-upload-pack",
            "/repos/owner/name/releases/latest",
        ] {
            assert!(drifts(path), "{path}");
        }
    }

    #[test]
    fn what_has_a_version_or_a_hash_does_not() {
        for path in [
            "/packages/six-1.16.0-py2.py3-none-any.whl",
            "/is-number/-/is-number-7.0.0.tgz",
            "/crates/itoa/1.0.15/download",
            "/example.org/m/@v/v1.0.0.zip",
            "/maven2/org/a/1.0/a-1.0.jar",
            "/gems/rake-13.0.gem",
            "/debian/pool/main/h/hello/hello_2.10.deb",
            "/debian/dists/trixie/main/binary-amd64/by-hash/SHA256/abc",
            "/v2/library/debian/manifests/sha256:abc",
            "/ab/cd/other",
            "/",
            "/a",
        ] {
            assert!(!drifts(path), "{path}");
        }
    }

    #[test]
    fn headers_tell_as_well() {
        let url = Url::parse("https://example.org/folder/").unwrap();
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            headers
        };
        let none = HeaderMap::new();
        assert!(reason(&url, &none, &with("cache-control", "private, no-store")).is_some());
        assert!(
            reason(
                &url,
                &none,
                &with("content-type", "text/html; charset=utf-8")
            )
            .is_some()
        );
        assert!(reason(&url, &none, &with("content-type", "text/plain")).is_none());
    }

    #[test]
    fn indexes_of_npm_are_told_by_who_asks() {
        let none = HeaderMap::new();
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            headers
        };
        let drifts = |path: &str, asked: &HeaderMap, said: &HeaderMap| {
            let url = Url::parse(&format!("https://example.org{path}")).unwrap();
            reason(&url, asked, said).is_some()
        };
        let json = with("content-type", "application/json");
        let pnpm = with("accept", "application/vnd.npm.install-v1+json; q=1.0, */*");
        let npm = with("pacote-req-type", "packument");
        let yarn = with("user-agent", "got (https://github.com/sindresorhus/got)");
        for asked in [&pnpm, &npm, &yarn] {
            assert!(drifts("/is-number", asked, &json));
            assert!(drifts("/@scope%2fname", asked, &json));
            assert!(!drifts("/is-number/-/is-number-7.0.0.tgz", asked, &json));
        }
        assert!(!drifts("/is-number", &none, &json));
        assert!(!drifts(
            "/tool.zip",
            &yarn,
            &with("content-type", "application/zip")
        ));
    }
}
