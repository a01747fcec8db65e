//! `maven-metadata.xml`, made up of what the compressed form keeps of it and of the files beside it.
//!
//! The one in the folder of an artifact lists its versions; the one in the folder of a snapshot version
//! lists the files of it.
//!
//! Sources: Maven, "Repository Metadata"; Nix manual, `builtins.compareVersions`, by which nixpkgs sorts.

use std::{cmp::Ordering, io};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
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
            if text.is_empty() || !text.chars().all(is_of_xml) {
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

/// Whether a text of XML can have this, be it escaped (XML 1.0, section 2.2); and no line ends.
fn is_of_xml(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
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
    let mut elements = body.ok_or_else(|| wrong("no version of it is in the lock"))?;
    let head = [
        Element::text("groupId", &metadata.group),
        Element::text("artifactId", artifact),
    ];
    elements.splice(..0, head);
    // Nothing that is written to memory fails.
    Ok(document(&elements).unwrap_or_default())
}

/// The versions of an artifact.
fn of_artifact(metadata: &Metadata, files: &[File]) -> Option<Vec<Element>> {
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
    let updated = metadata.updated.as_deref().unwrap_or(SOME_DAY);
    let mut versioning = vec![Element::text("latest", latest)];
    versioning.extend(release.map(|release| Element::text("release", release)));
    let versions = versions.iter();
    let versions = versions.map(|version| Element::text("version", version));
    versioning.push(Element::of("versions", versions.collect()));
    versioning.push(Element::text("lastUpdated", updated));
    Some(vec![Element::of("versioning", versioning)])
}

/// The files of a snapshot version.
fn of_snapshot(base: &str, metadata: &Metadata, files: &[File]) -> Option<Vec<Element>> {
    let wanted = metadata.latest.as_deref().or(metadata.release.as_deref());
    let is_wanted = |file: &&File| wanted.is_none_or(|wanted| file.version == wanted);
    let latest = files.iter().rfind(is_wanted).or(files.last())?;
    let updated = match (&metadata.updated, latest.build) {
        (Some(updated), _) => updated.clone(),
        (None, Some((time, _))) => time.replace('.', ""),
        (None, None) => SOME_DAY.to_owned(),
    };
    let mut versioning = Vec::new();
    if let Some((time, number)) = latest.build {
        let snapshot = vec![
            Element::text("timestamp", time),
            Element::text("buildNumber", number),
        ];
        versioning.push(Element::of("snapshot", snapshot));
    }
    versioning.push(Element::text("lastUpdated", &updated));
    let of_file = |file: &File| {
        let classifier = file.classifier;
        let mut version = Vec::new();
        version.extend(classifier.map(|classifier| Element::text("classifier", classifier)));
        version.push(Element::text("extension", file.extension));
        version.push(Element::text("value", &file.version));
        let time = file.build.map(|(time, _)| time.replace('.', ""));
        version.push(Element::text(
            "updated",
            time.as_deref().unwrap_or(&updated),
        ));
        Element::of("snapshotVersion", version)
    };
    let files = files.iter().map(of_file).collect();
    versioning.push(Element::of("snapshotVersions", files));
    let version = Element::text("version", base);
    Some(vec![version, Element::of("versioning", versioning)])
}

/// An element of the file.
struct Element {
    name: &'static str,
    content: Content,
}

enum Content {
    Text(String),
    Elements(Vec<Element>),
}

impl Element {
    fn text(name: &'static str, text: &str) -> Self {
        let content = Content::Text(text.to_owned());
        Self { name, content }
    }

    fn of(name: &'static str, elements: Vec<Self>) -> Self {
        let content = Content::Elements(elements);
        Self { name, content }
    }

    fn write(&self, to: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let element = to.create_element(self.name);
        match &self.content {
            Content::Text(text) => element.write_text_content(BytesText::new(text))?,
            Content::Elements(elements) => element.write_inner_content(|to| {
                elements.iter().try_for_each(|element| element.write(to))
            })?,
        };
        Ok(())
    }
}

/// The whole file, each element on a line of its own.
fn document(elements: &[Element]) -> io::Result<String> {
    let mut to = Writer::new_with_indent(Vec::new(), b' ', 2);
    to.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    to.create_element("metadata")
        .with_attribute(("modelVersion", "1.1.0"))
        .write_inner_content(|to| elements.iter().try_for_each(|element| element.write(to)))?;
    let mut text = to.into_inner();
    text.push(b'\n');
    String::from_utf8(text).map_err(io::Error::other)
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
