//! `maven-metadata.xml`, made up of what the compressed form keeps of it and of the files beside it.
//!
//! The one in the folder of an artifact lists its versions; the one in the folder of a snapshot version
//! lists the files of it.
//!
//! Sources: Maven, "Repository Metadata"; Nix manual, `builtins.compareVersions`, by which nixpkgs sorts.

use std::{cmp::Ordering, fmt::Write};

use serde_json::{Map, Value};

use super::{Wrong, read::string};
use crate::inventory::{Url, secrets::presentable};

const NAME: &str = "/maven-metadata.xml";
const SNAPSHOT: &str = "-SNAPSHOT";

/// The time where none is known.
const SOME_DAY: &str = "20240101123456";

/// What is kept of it.
pub(super) struct Metadata {
    group: String,
    release: Option<String>,
    latest: Option<String>,
    updated: Option<String>,
}

impl Metadata {
    pub(super) fn read(url: &str, value: &Map<String, Value>) -> Result<Self, Wrong> {
        let mut read = Self {
            group: String::new(),
            release: None,
            latest: None,
            updated: None,
        };
        for (key, value) in value {
            let text = string(key, value)?;
            // Whoever wrote the lock has no say in what else is in the file.
            if text.is_empty() || text.contains(['<', '>', '&', '"', '\'']) {
                return Err(impossible(
                    url,
                    "it has a value that is no group, version or time",
                ));
            }
            let text = text.to_owned();
            match key.as_str() {
                "groupId" => read.group = text,
                "release" => read.release = Some(text),
                "latest" => read.latest = Some(text),
                "lastUpdated" => read.updated = Some(text),
                _ => {
                    return Err(impossible(
                        url,
                        "it has more than groupId, release, latest and lastUpdated",
                    ));
                }
            }
        }
        Ok(read)
    }
}

fn impossible(page: &str, why: &'static str) -> Wrong {
    Wrong::Metadata {
        page: presentable(page),
        why,
    }
}

/// A file of an artifact.
struct File<'a> {
    /// The folder: the version, or that of a snapshot without its time.
    base: &'a str,
    version: String,
    /// The time and the number of a snapshot.
    build: Option<(&'a str, &'a str)>,
    classifier: Option<&'a str>,
    extension: &'a str,
}

impl<'a> File<'a> {
    /// The file `name` of an artifact in the folder `base`.
    fn read(artifact: &str, base: &'a str, name: &'a str) -> Option<Self> {
        let rest = name.strip_prefix(artifact)?.strip_prefix('-')?;
        if let Some(rest) = rest.strip_prefix(base) {
            let (classifier, extension) = ending(rest)?;
            return Some(Self {
                base,
                version: base.to_owned(),
                build: None,
                classifier,
                extension,
            });
        }
        // A snapshot with its time and number.
        let proper = base.strip_suffix(SNAPSHOT)?;
        let rest = rest.strip_prefix(proper)?.strip_prefix('-')?;
        let (time, rest) = rest.split_once('-')?;
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, rest) = rest.split_at(end);
        let (classifier, extension) = ending(rest)?;
        Some(Self {
            base,
            version: format!("{proper}-{time}-{number}"),
            build: Some((time, number)),
            classifier,
            extension,
        })
    }
}

/// `-CLASSIFIER.EXTENSION`, or `.EXTENSION`.
fn ending(text: &str) -> Option<(Option<&str>, &str)> {
    if let Some(extension) = text.strip_prefix('.') {
        return Some((None, extension));
    }
    let (classifier, extension) = text.strip_prefix('-')?.split_once('.')?;
    Some((Some(classifier), extension))
}

/// The file that `url` gives, where these are the URLs of the lock.
pub(super) fn text<'a>(
    url: &Url,
    metadata: &Metadata,
    all: impl Iterator<Item = &'a Url>,
) -> Result<String, Wrong> {
    let wrong = |why| impossible(url.as_str(), why);
    let folder = url
        .as_str()
        .strip_suffix(NAME)
        .ok_or_else(|| wrong("its URL does not end in /maven-metadata.xml"))?;
    let group = metadata.group.replace('.', "/");
    let is_snapshot = folder.ends_with(SNAPSHOT);
    let (artifact_folder, base) = match folder.rsplit_once('/') {
        Some((artifact_folder, base)) if is_snapshot => (artifact_folder, Some(base)),
        _ => (folder, None),
    };
    let artifact = artifact_folder
        .rsplit_once('/')
        .and_then(|(before, artifact)| before.ends_with(&group).then_some(artifact))
        .ok_or_else(|| wrong("its groupId is not in its URL"))?;
    let mut files: Vec<File> = all
        .filter_map(|file| {
            let rest = file.as_str().strip_prefix(artifact_folder)?;
            let (folder, name) = rest.strip_prefix('/')?.split_once('/')?;
            File::read(artifact, folder, name)
        })
        .filter(|file| base.is_none_or(|base| file.base == base))
        .collect();
    files.sort_by(|a, b| compare(&a.version, &b.version));
    let body = match base {
        Some(base) => of_snapshot(base, metadata, &files),
        None => of_artifact(metadata, &files),
    };
    let body = body.ok_or_else(|| wrong("no version of it is in the lock"))?;
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <metadata modelVersion=\"1.1.0\">\n  \
         <groupId>{}</groupId>\n  \
         <artifactId>{artifact}</artifactId>\n\
         {body}</metadata>\n",
        metadata.group
    ))
}

/// The versions of an artifact.
fn of_artifact(metadata: &Metadata, files: &[File]) -> Option<String> {
    let mut versions: Vec<&str> = files.iter().map(|file| file.base).collect();
    // The latest may be known though nobody wanted it.
    let known = [&metadata.release, &metadata.latest];
    versions.extend(known.into_iter().flatten().map(String::as_str));
    versions.sort_by(|a, b| compare(a, b).then_with(|| a.cmp(b)));
    versions.dedup();
    let is_release = |version: &&&str| !version.ends_with(SNAPSHOT);
    let release = metadata.release.as_deref();
    let release = release.or(versions.iter().rfind(is_release).copied());
    let latest = metadata.latest.as_deref().or(metadata.release.as_deref());
    let latest = latest.or(versions.last().copied())?;
    let mut text = String::from("  <versioning>\n");
    element(&mut text, 4, "latest", latest);
    if let Some(release) = release {
        element(&mut text, 4, "release", release);
    }
    text.push_str("    <versions>\n");
    for version in versions {
        element(&mut text, 6, "version", version);
    }
    text.push_str("    </versions>\n");
    let updated = metadata.updated.as_deref().unwrap_or(SOME_DAY);
    element(&mut text, 4, "lastUpdated", updated);
    text.push_str("  </versioning>\n");
    Some(text)
}

/// The files of a snapshot version.
fn of_snapshot(base: &str, metadata: &Metadata, files: &[File]) -> Option<String> {
    let wanted = metadata.latest.as_deref().or(metadata.release.as_deref());
    let is_wanted = |file: &&File| wanted.is_none_or(|wanted| file.version == wanted);
    let latest = files.iter().rfind(is_wanted).or(files.last())?;
    let updated = match (&metadata.updated, latest.build) {
        (Some(updated), _) => updated.clone(),
        (None, Some((time, _))) => time.replace('.', ""),
        (None, None) => SOME_DAY.to_owned(),
    };
    let mut text = String::new();
    element(&mut text, 2, "version", base);
    text.push_str("  <versioning>\n");
    if let Some((time, number)) = latest.build {
        text.push_str("    <snapshot>\n");
        element(&mut text, 6, "timestamp", time);
        element(&mut text, 6, "buildNumber", number);
        text.push_str("    </snapshot>\n");
    }
    element(&mut text, 4, "lastUpdated", &updated);
    text.push_str("    <snapshotVersions>\n");
    for file in files {
        text.push_str("      <snapshotVersion>\n");
        if let Some(classifier) = file.classifier {
            element(&mut text, 8, "classifier", classifier);
        }
        element(&mut text, 8, "extension", file.extension);
        element(&mut text, 8, "value", &file.version);
        let time = file.build.map(|(time, _)| time.replace('.', ""));
        element(&mut text, 8, "updated", time.as_deref().unwrap_or(&updated));
        text.push_str("      </snapshotVersion>\n");
    }
    text.push_str("    </snapshotVersions>\n  </versioning>\n");
    Some(text)
}

/// `<NAME>TEXT</NAME>` on a line of its own, so deep.
fn element(to: &mut String, depth: usize, name: &str, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(to, "{:depth$}<{name}>{text}</{name}>", "");
}

/// Orders versions as Nix does.
fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() || !b.is_empty() {
        let (one, other);
        (one, a) = component(a);
        (other, b) = component(b);
        let order = compare_components(one, other);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// The first component of a version, all digits or no digits, and what follows.
fn component(version: &str) -> (&str, &str) {
    let version = version.trim_start_matches(['.', '-']);
    let digits = version.starts_with(|c: char| c.is_ascii_digit());
    let end = version.find(|c: char| c == '.' || c == '-' || c.is_ascii_digit() != digits);
    version.split_at(end.unwrap_or(version.len()))
}

fn compare_components(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.parse::<u64>().ok();
    let rank = |text: &str| match text {
        "pre" => 0,
        "" => 1,
        text if number(text).is_some() => 3,
        _ => 2,
    };
    let same = match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.cmp(b),
    };
    rank(a).cmp(&rank(b)).then(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_nix_does() {
        // `nix-instantiate --eval -E 'builtins.compareVersions A B'` gives -1 for each of these.
        for (less, more) in [
            ("1.0", "1.1"),
            ("1.9", "1.10"),
            ("1.0", "1.0-rc1"),
            ("1.0-alpha", "1.0-beta"),
            ("1.0pre", "1.0"),
            ("1.0pre", "1.0a"),
            ("1.0", "1.0.1"),
            ("2.3a", "2.3c"),
            ("2", "2-SNAPSHOT"),
        ] {
            assert_eq!(compare(less, more), Ordering::Less, "{less} {more}");
            assert_eq!(compare(more, less), Ordering::Greater, "{less} {more}");
        }
        assert_eq!(compare("1.0", "1-0"), Ordering::Equal);
        assert_eq!(compare("1", "1."), Ordering::Equal);
    }
}
