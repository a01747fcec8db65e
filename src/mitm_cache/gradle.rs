//! The compressed form: URLs that were cut to pieces.
//!
//! `{ A: { B: { C: … } } }` is the URL `A/B.C`, however many keys there are before the last. A `#` in it
//! stands for folders that can be told from what follows the last one, `#NAME/VERSION`, maybe with
//! `/SNAPSHOT` and `/CLASSIFIER`: these are `/NAME/BASE/`, and the file in it is
//! `NAME-VERSION-CLASSIFIER`. The base is the version, but for a snapshot the version without time and
//! number, and `-SNAPSHOT` in their place.

use serde_json::{Map, Value};

use super::{
    Wrong,
    read::{Reading, object},
};
use crate::inventory::secrets::presentable;

/// What tells the parts of a `maven-metadata.xml` from further parts of a URL.
const METADATA: &str = "groupId";

/// Reads all that is inside of the keys that are being looked at.
pub(super) fn expand(reading: &mut Reading, pages: &Map<String, Value>) -> Result<(), Wrong> {
    for (key, value) in pages {
        reading.within(key, |reading| {
            if let Some(hash) = value.as_str() {
                let url = url(reading.place())?;
                return reading.pin(&url, hash);
            }
            let more = object(&format!("`{}`", presentable(key)), value)?;
            if more.contains_key(METADATA) {
                let url = url(reading.place())?;
                return reading.metadata(&url, more);
            }
            expand(reading, more)
        })?;
    }
    Ok(())
}

/// Puts a URL together.
fn url(keys: &[String]) -> Result<String, Wrong> {
    let Some((extension, pieces)) = keys.split_last() else {
        return Ok(String::new());
    };
    let whole = pieces.join("/");
    let Some((folders, file)) = whole.rsplit_once('#') else {
        return Ok(format!("{whole}.{extension}"));
    };
    let (folder, file) = maven_file(file).ok_or_else(|| Wrong::Pieces(presentable(&whole)))?;
    let folders = folders.replace('#', &folder);
    Ok(format!("{folders}{folder}{file}.{extension}"))
}

/// The folder of a file, between slashes, and its name.
fn maven_file(text: &str) -> Option<(String, String)> {
    let mut parts = text.splitn(3, '/');
    let (name, version) = (parts.next()?, parts.next()?);
    let (snapshot, classifier) = match parts.next() {
        None => (false, None),
        Some("SNAPSHOT") => (true, None),
        Some(rest) => match rest.strip_prefix("SNAPSHOT/") {
            Some(classifier) => (true, Some(classifier)),
            None => (false, Some(rest)),
        },
    };
    if name.is_empty() || version.is_empty() {
        return None;
    }
    let base = if snapshot && !version.ends_with("-SNAPSHOT") {
        // After the version proper come the time and the number of the snapshot.
        let mut parts = version.rsplitn(3, '-');
        let proper = parts.nth(2)?;
        format!("{proper}-SNAPSHOT")
    } else {
        version.to_owned()
    };
    let classifier = classifier.map(|classifier| format!("-{classifier}"));
    let classifier = classifier.unwrap_or_default();
    let file = format!("{name}-{version}{classifier}");
    Some((format!("/{name}/{base}/"), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_put_together() {
        for (pieces, whole) in [
            (&["https://a/m", "x/y", "jar"][..], "https://a/m/x/y.jar"),
            (&["https://a/m/x/y", "tar.gz"], "https://a/m/x/y.tar.gz"),
            (
                &["https://a/m", "org#b-c/1.2", "pom"],
                "https://a/m/org/b-c/1.2/b-c-1.2.pom",
            ),
            (
                &["https://a/m", "org#b/1.2/sources", "jar"],
                "https://a/m/org/b/1.2/b-1.2-sources.jar",
            ),
            (
                &["https://a/m", "org#b/1.2-20231021.200112-6/SNAPSHOT", "jar"],
                "https://a/m/org/b/1.2-SNAPSHOT/b-1.2-20231021.200112-6.jar",
            ),
            (
                &["https://a", "b#b/1-SNAPSHOT/SNAPSHOT/tests", "jar"],
                "https://a/b/b/1-SNAPSHOT/b-1-SNAPSHOT-tests.jar",
            ),
            // The same folders twice.
            (
                &["https://a", "m#n#b/1", "jar"],
                "https://a/m/b/1/n/b/1/b-1.jar",
            ),
        ] {
            let pieces: Vec<_> = pieces.iter().map(ToString::to_string).collect();
            assert_eq!(url(&pieces).unwrap(), whole);
        }
        for pieces in ["#a", "#/1", "#a/", "#a/1-2/SNAPSHOT", "b#"] {
            let keys = ["https://a".to_owned(), pieces.to_owned(), "jar".to_owned()];
            assert!(matches!(url(&keys), Err(Wrong::Pieces(_))), "{pieces}");
        }
    }
}
