//! Which bodies name other things relative to their own URL.
//!
//! A client resolves such a reference against the URL that gave the body at the end of all redirects
//! (RFC 3986, section 5.1.3). So it has to know that URL, and gets the redirect. Where nothing in a body
//! is resolved against its URL, the redirect is followed for the client, and what it leads to may expire.
//!
//! The rules are data: one line for each kind of body, with the reason. Where none fits, the redirect is
//! kept, which is always right for the client.

use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet};
use http::{HeaderMap, header::CONTENT_TYPE};

use crate::inventory::Url;

/// What becomes of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The client gets it.
    Kept,
    /// The client gets what it leads to.
    Followed,
}

use Fate::{Followed, Kept};

/// A glob for what the body is called, the fate of a redirect to it, and why.
type Rule = (&'static str, Fate, &'static str);

/// By file name, whatever the media type. Servers call these XML or JSON, or nothing in particular.
const NAMES: &[Rule] = &[(
    "{*.pom,*.module,maven-metadata*.xml}",
    Followed,
    "Maven's and Gradle's places follow from a library's coordinates",
)];

/// Media types that say nothing of what the body is: then its file name does, if it can.
const VAGUE: &str = "{,text/plain,*/octet-stream,*/x-octet-stream,\
                     application/{binary,unknown,download,x-download,force-download},\
                     video/{mp2t,vnd.dlna.mpeg-tts}}";

/// By file name, where the media type is vague. That of the last URL goes first, as that is what the
/// server calls it; then that of the first, as a signed URL often has a number for a name.
const VAGUE_NAMES: &[Rule] = &[
    (
        "*.{js,mjs,cjs,jsx,ts,mts,cts,tsx,wasm}",
        Kept,
        "modules import others by relative paths",
    ),
    (
        "*.{css,scss,sass,less}",
        Kept,
        "style sheets have url() and @import",
    ),
    ("*.{html,htm,xhtml,md,rst}", Kept, "pages have links"),
    (
        "*.{m3u,m3u8,pls,mpd,xspf,ism}",
        Kept,
        "playlists and manifests of streams have relative entries",
    ),
    (
        "*.{json,jsonc,json5,jsonl,map,webmanifest,yaml,yml,toml}",
        Kept,
        "manifests, schemas and source maps name files beside them",
    ),
    (
        "*.{xml,xsd,xsl,xslt,rng,dtd,wsdl,rss,atom,svg,rdf,ttl,owl,meta4,metalink}",
        Kept,
        "feeds, schemas and imports have relative references",
    ),
    (
        "*.{gz,tgz,bz2,tbz,tbz2,xz,txz,lzma,lz,lz4,zst,tzst,br,z,zip,7z,rar,tar,cpio,cab,xar}",
        Followed,
        "an archive is unpacked, and nothing in it is resolved against its URL",
    ),
    (
        "*.{whl,egg,gem,crate,nupkg,jar,war,ear,aar,klib,phar,conda,vsix,hex}",
        Followed,
        "a package is unpacked, and nothing in it is resolved against its URL",
    ),
    (
        "*.{deb,udeb,rpm,apk,pkg,dmg,msi,exe,appimage,snap,flatpak,run}",
        Followed,
        "a package is installed, and nothing in it is resolved against its URL",
    ),
    (
        "*.{bin,img,iso,qcow2,vmdk,box,so,dll,dylib,a,lib,o,node,class,pdb,pack,idx,dat,db,sqlite}",
        Followed,
        "a binary has no references",
    ),
    (
        "*.{parquet,npy,npz,h5,pt,pth,pkl,onnx,safetensors,gguf,ckpt,tflite}",
        Followed,
        "models and tables of data have no references",
    ),
    (
        "*.{png,jpg,jpeg,gif,webp,avif,bmp,ico,tif,tiff,mp3,mp4,m4a,mkv,mov,ogg,opus,wav,webm,flac}",
        Followed,
        "pictures, sound and films have no references",
    ),
    (
        "*.{ttf,otf,woff,woff2,eot,pdf,ps}",
        Followed,
        "fonts and print have no references",
    ),
    (
        "*.{md5,sha1,sha256,sha512,sha256sum,sha512sum,asc,sig,sign,minisig,gpg,pem,crt,cer,der}",
        Followed,
        "checksums, signatures and keys have no references",
    ),
];

/// By media type.
const TYPES: &[Rule] = &[
    (
        "application/x-git-*-advertisement",
        Kept,
        "git asks the same place again for all that follows",
    ),
    (
        "application/vnd.pypi.simple.*",
        Kept,
        "an index of Python packages names files relative to itself",
    ),
    (
        "application/vnd.{oci,docker}.*",
        Followed,
        "what is in a registry of images is named by digest",
    ),
    (
        "image/svg+xml",
        Kept,
        "a picture of this kind refers to others",
    ),
    (
        "audio/{mpegurl,x-mpegurl,x-scpls}",
        Kept,
        "playlists have relative entries",
    ),
    (
        "{image,audio,video,font}/*",
        Followed,
        "pictures, sound, films and fonts have no references",
    ),
    (
        "application/{gzip,x-gzip,zip,x-zip,x-zip-compressed,zstd,x-zstd,x-bzip,x-bzip2,x-xz,x-lzma,x-lz4,x-brotli,\
         x-compress,x-compressed,x-compressed-tar,x-tar,x-gtar,x-tgz,x-gtar-compressed,x-7z-compressed,x-rar,\
         x-rar-compressed,vnd.rar,x-cpio,vnd.ms-cab-compressed}",
        Followed,
        "an archive is unpacked, and nothing in it is resolved against its URL",
    ),
    (
        "application/{java-archive,x-java-archive,vnd.debian.binary-package,x-debian-package,x-deb,x-rpm,\
         x-redhat-package-manager,vnd.android.package-archive,x-apple-diskimage,x-msi,x-msdownload,x-msdos-program,\
         x-dosexec,x-executable,x-sharedlib,x-elf,x-mach-binary,vnd.microsoft.portable-executable,\
         x-iso9660-image,x-wheel+zip,x-ruby-gem}",
        Followed,
        "a package or program is installed, and nothing in it is resolved against its URL",
    ),
    (
        "application/{pdf,postscript,font-*,x-font-*,vnd.ms-fontobject}",
        Followed,
        "fonts and print have no references",
    ),
    (
        "application/{pgp-*,pkix-*,pkcs*,x-pkcs*,x-x509-*,x-pem-file}",
        Followed,
        "signatures and keys have no references",
    ),
    (
        "{*/octet-stream,*/x-octet-stream,application/{binary,unknown,download,x-download,force-download}}",
        Followed,
        "bytes that the server has no other word for are saved as a file",
    ),
    (
        "{text/html,application/xhtml+xml}",
        Kept,
        "pages have links",
    ),
    (
        "{text,application}/{javascript,x-javascript,ecmascript,x-ecmascript,jscript,typescript,x-typescript,jsx,tsx,node}",
        Kept,
        "modules import others by relative paths",
    ),
    (
        "application/wasm",
        Kept,
        "modules of this kind import others by relative paths as well",
    ),
    ("text/css", Kept, "style sheets have url() and @import"),
    (
        "application/{vnd.apple.mpegurl,x-mpegurl,mpegurl,xspf+xml,dash+xml}",
        Kept,
        "playlists and manifests of streams have relative entries",
    ),
    (
        "*/{json,*+json,x-ndjson,yaml,x-yaml,*+yaml,toml}",
        Kept,
        "manifests, schemas and source maps name files beside them",
    ),
    (
        "*/{xml,*+xml,xml-dtd,metalink,metalink4}",
        Kept,
        "feeds, schemas and imports have relative references",
    ),
    ("text/*", Kept, "text may name what is beside it"),
];

/// What is said of a body that no rule knows.
const UNKNOWN: &str = "it is not known whether anything in it is resolved against its URL";

/// The rules, ready to be used.
static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    names: Table::new(NAMES),
    vague: set(&[VAGUE]),
    vague_names: Table::new(VAGUE_NAMES),
    types: Table::new(TYPES),
});

struct Tables {
    names: Table,
    vague: GlobSet,
    vague_names: Table,
    types: Table,
}

struct Table {
    rules: &'static [Rule],
    globs: GlobSet,
}

impl Table {
    fn new(rules: &'static [Rule]) -> Self {
        let globs: Vec<&str> = rules.iter().map(|(glob, ..)| *glob).collect();
        Self {
            rules,
            globs: set(&globs),
        }
    }

    /// The first rule that matches.
    fn rule(&self, text: &str) -> Option<&'static Rule> {
        let first = self.globs.matches(text).into_iter().min()?;
        self.rules.get(first)
    }
}

#[expect(clippy::expect_used, reason = "the globs are constants, and tested")]
fn set(globs: &[&str]) -> GlobSet {
    let mut set = GlobSet::builder();
    for glob in globs {
        let glob = GlobBuilder::new(glob)
            .case_insensitive(true)
            .literal_separator(true)
            .empty_alternates(true)
            .build();
        set.add(glob.expect("a glob of a table is one"));
    }
    set.build().expect("the globs of a table are a set")
}

/// What becomes of the redirect of `asked` that led to `last`, which has a body with these headers; and
/// why.
pub(super) fn fate(asked: &Url, last: &Url, headers: &HeaderMap) -> (Fate, &'static str) {
    let names = [last, asked].map(file_name);
    let media_type = media_type(headers);
    let by_name = |table: &Table| names.iter().find_map(|name| table.rule(name));
    let vague = TABLES.vague.is_match(&media_type);
    let rule = by_name(&TABLES.names)
        .or_else(|| by_name(&TABLES.vague_names).filter(|_| vague))
        .or_else(|| TABLES.types.rule(&media_type));
    rule.map_or((Kept, UNKNOWN), |(_, fate, why)| (*fate, why))
}

fn file_name(url: &Url) -> &str {
    url.path().rsplit('/').next().unwrap_or_default()
}

/// In lower case, without parameters; empty where there is none.
fn media_type(headers: &HeaderMap) -> String {
    let content_type = headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|content_type| content_type.to_str().ok());
    let essence = content_type.and_then(|content_type| content_type.split(';').next());
    essence.unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn fate_of(asked: &str, last: &str, content_type: &'static str) -> Fate {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let url = |path| Url::parse(&format!("https://example.org{path}")).unwrap();
        fate(&url(asked), &url(last), &headers).0
    }

    #[test]
    fn a_redirect_is_kept_where_references_are_relative() {
        for (asked, last, content_type) in [
            ("/x", "/y/", "text/html; charset=utf-8"),
            ("/mod", "/mod@1/index", "application/javascript"),
            ("/mod", "/mod@1/index", "Text/JavaScript"),
            ("/mod", "/mod@1/mod.ts", "video/mp2t"),
            ("/mod.ts", "/cdn/1f2e", "application/octet-stream"),
            ("/x", "/mod.mjs?sig=1", "text/plain"),
            ("/x", "/app.wasm", "application/wasm"),
            ("/x", "/style", "text/css"),
            ("/x", "/list", "audio/x-mpegurl"),
            ("/x", "/list", "application/vnd.apple.mpegurl"),
            ("/x", "/list", "application/dash+xml"),
            ("/x", "/feed", "application/rss+xml"),
            ("/x", "/LIST.M3U8", "binary/octet-stream"),
            ("/x", "/x.json", ""),
            ("/x", "/x", "application/json"),
            ("/x", "/x", "application/vnd.api+json"),
            ("/x", "/x", "image/svg+xml"),
            ("/x", "/x", "application/vnd.pypi.simple.v1+json"),
            ("/x", "/x", "application/x-git-upload-pack-advertisement"),
            // In doubt.
            ("/x", "/y", "text/plain"),
            ("/x", "/y", ""),
            ("/x", "/y", "application/x-never-heard-of"),
        ] {
            let fate = fate_of(asked, last, content_type);
            assert_eq!(fate, Kept, "{asked} {last} {content_type}");
        }
    }

    #[test]
    fn a_redirect_is_followed_where_there_are_no_references() {
        for (asked, last, content_type) in [
            (
                "/a-1.0.tar.gz",
                "/cdn/1f2e?sig=1",
                "application/octet-stream",
            ),
            ("/a-1.0.tar.gz", "/cdn/1f2e?sig=1", ""),
            (
                "/tool-linux-amd64",
                "/cdn/1f2e?sig=1",
                "application/octet-stream",
            ),
            ("/x", "/y", "application/gzip"),
            ("/x", "/a.whl", "binary/octet-stream"),
            ("/x", "/a.jar", "application/java-archive"),
            ("/x", "/a.png", "image/png"),
            ("/a.tar.gz.sha256", "/y", "text/plain"),
            ("/a/1/a-1.pom", "/y", "text/xml"),
            ("/a/1/a-1.pom.sha1", "/y", "text/plain"),
            ("/a/1/a-1.module", "/y", "application/json"),
            ("/a/maven-metadata.xml", "/y", "application/xml"),
            (
                "/v2/a/manifests/1",
                "/y",
                "application/vnd.oci.image.index.v1+json",
            ),
            ("/v2/a/blobs/1", "/y", "application/octet-stream"),
        ] {
            let fate = fate_of(asked, last, content_type);
            assert_eq!(fate, Followed, "{asked} {last} {content_type}");
        }
    }

    /// Each alternative of a glob with one level of braces or none.
    fn alternatives(glob: &str) -> Vec<String> {
        let Some((before, rest)) = glob.split_once('{') else {
            return vec![glob.to_owned()];
        };
        let mut depth = 1;
        let end = rest.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0
        });
        let (inside, after) = rest.split_at(end.unwrap().0);
        let mut parts = vec![String::new()];
        for c in inside.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if c == ',' && depth == 0 {
                parts.push(String::new());
            } else {
                parts.last_mut().unwrap().push(c);
            }
        }
        let parts = parts
            .iter()
            .map(|part| format!("{before}{part}{}", &after[1..]));
        parts.flat_map(|part| alternatives(&part)).collect()
    }

    /// A rule that another one hides would be a rule that somebody believes in.
    #[test]
    fn each_part_of_each_rule_is_reached() {
        for rules in [NAMES, VAGUE_NAMES, TYPES] {
            let table = Table::new(rules);
            for (glob, ..) in rules {
                for sample in alternatives(glob) {
                    let sample = sample.replace('*', "a");
                    let (found, ..) = table.rule(&sample).unwrap();
                    assert_eq!(found, glob, "{sample}");
                }
            }
        }
    }
}
