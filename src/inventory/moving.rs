//! URLs that name a moving target: a branch, the latest release, a nightly build.
//!
//! A pin of such a URL is right until somebody pushes. Forges say in the shape of their URLs what a
//! part of it names, so one table of shapes tells; where a name could be a branch or a tag, commits
//! and names with a number in them are taken for fixed.
//!
//! Sources: the documentation of GitHub, GitLab, Gitea, Bitbucket, sourcehut, Gitiles and cgit on
//! links to archives and raw files; Maven's naming of snapshots.

use std::fmt;
use std::ops::Range;

use super::url::Url;

/// What moves, and what could be written instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    /// What moves: ``the branch `main` ``, say.
    pub what: String,
    /// The URL that would stay, with placeholders such as `<commit>`; `None` where it is not known.
    pub instead: Option<String>,
}

impl fmt::Display for Moving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// What a URL of some shape says.
enum Verdict {
    /// It names something that stays.
    Fixed,
    /// It names this, which moves.
    Always(&'static str),
    /// The bracketed part is the name of a branch.
    Branch,
    /// The bracketed part is the name of a branch, a tag, or a commit.
    Ref,
    /// The same, and what comes before it in the file's name may have dashes too: only a branch that
    /// is known by its name is one.
    KnownBranch,
    /// It names this, which moves, unless there is a date in the URL.
    Undated(&'static str),
}

/// A shape of URLs.
struct Rule {
    /// The host, if it matters.
    host: Option<&'static str>,
    /// The path. Between slashes there is a name, `*` for any name, `...` for one or more of them,
    /// `**` for none or more. A name may begin with `*-`, which is anything that ends in `-`, `_` or
    /// `.`, or with `*@`, which is anything before an `@`; and it may end with `.EXT`, which is what
    /// archives end in, or `~`, which is anything. What stands between brackets moves.
    path: &'static str,
    verdict: Verdict,
    /// What stays, in place of the bracketed part.
    instead: Option<&'static str>,
}

const fn on(
    host: &'static str,
    path: &'static str,
    verdict: Verdict,
    instead: Option<&'static str>,
) -> Rule {
    Rule {
        host: Some(host),
        path,
        verdict,
        instead,
    }
}

const fn any(path: &'static str, verdict: Verdict, instead: Option<&'static str>) -> Rule {
    Rule {
        host: None,
        path,
        verdict,
        instead,
    }
}

use Verdict::{Always, Branch, Fixed, KnownBranch, Ref, Undated};

const COMMIT: Option<&str> = Some("<commit>");

/// The first rule that fits decides.
const RULES: &[Rule] = &[
    // A tag by its full name, whatever it looks like.
    any("**/refs/tags/**", Fixed, None),
    // Releases of a forge.
    any(
        "**/releases/[latest/download]/...",
        Always("the latest release"),
        Some("download/<tag>"),
    ),
    any(
        "**/-/releases/[permalink/latest]/**",
        Always("the latest release"),
        Some("<tag>"),
    ),
    // GitHub.
    on(
        "raw.githubusercontent.com",
        "*/*/[refs/heads/*]/**",
        Branch,
        COMMIT,
    ),
    on("raw.githubusercontent.com", "*/*/[*]/...", Ref, COMMIT),
    on(
        "codeload.github.com",
        "*/*/*/[refs/heads/...]",
        Branch,
        COMMIT,
    ),
    on("codeload.github.com", "*/*/*/[...]", Ref, COMMIT),
    on("api.github.com", "repos/*/*/tarball/[...]", Ref, COMMIT),
    on("api.github.com", "repos/*/*/zipball/[...]", Ref, COMMIT),
    on(
        "api.github.com",
        "repos/*/*/[tarball]",
        Always("the default branch"),
        Some("tarball/<commit>"),
    ),
    on(
        "api.github.com",
        "repos/*/*/[zipball]",
        Always("the default branch"),
        Some("zipball/<commit>"),
    ),
    on("github.com", "*/*/tarball/[...]", Ref, COMMIT),
    on("github.com", "*/*/zipball/[...]", Ref, COMMIT),
    // jsDelivr's copy of GitHub.
    on("cdn.jsdelivr.net", "gh/*/*@[*]/...", Ref, COMMIT),
    // GitLab.
    any("**/-/archive/[*]/*", Ref, COMMIT),
    any("**/-/archive/[*].EXT", Ref, COMMIT),
    any("**/-/raw/[*]/...", Ref, COMMIT),
    any("**/-/jobs/artifacts/[*]/**", Ref, None),
    // Bitbucket.
    on("bitbucket.org", "*/*/get/[...].EXT", Ref, COMMIT),
    // Gitea and Forgejo.
    any("**/raw/commit/**", Fixed, None),
    any("**/raw/tag/**", Fixed, None),
    any("**/raw/[branch/*]/...", Branch, Some("commit/<commit>")),
    // Gitiles.
    any("**/+archive/[refs/heads/...].EXT", Branch, COMMIT),
    any("**/+archive/[*].EXT", Ref, COMMIT),
    any("**/+archive/[*]/...", Ref, COMMIT),
    any("**/+/[refs/heads/*]/**", Branch, COMMIT),
    // What GitHub began, and Gitea, sourcehut and others took over.
    any("*/*/archive/[refs/heads/...].EXT", Branch, COMMIT),
    any("*/*/archive/[...].EXT", Ref, COMMIT),
    any("*/*/raw/[refs/heads/*]/...", Branch, COMMIT),
    any("*/*/raw/[*]/...", Ref, COMMIT),
    any("*/*/blob/[*]/...", Ref, COMMIT),
    // cgit.
    any("**/snapshot/*-[*].EXT", KnownBranch, COMMIT),
    any("**/snapshot/[*].EXT", KnownBranch, COMMIT),
    // Maven: without the time in its name, it is the last of many.
    any(
        "**/*-[SNAPSHOT]~",
        Always("a snapshot"),
        Some("<time of the snapshot>"),
    ),
    // Names that mean the same everywhere.
    any("**/[HEAD]/**", Always("`HEAD`"), COMMIT),
    any("**/*-[HEAD].EXT", Always("`HEAD`"), COMMIT),
    any(
        "**/[latest]/**",
        Always("the latest version"),
        Some("<version>"),
    ),
    any(
        "**/[latest].EXT",
        Always("the latest version"),
        Some("<version>"),
    ),
    any(
        "**/*-[latest].EXT",
        Always("the latest version"),
        Some("<version>"),
    ),
    any(
        "**/*@[latest]/**",
        Always("the latest version"),
        Some("<version>"),
    ),
    any("**/[nightly]/**", Undated("a nightly build"), None),
    any("**/*-[nightly].EXT", Undated("a nightly build"), None),
    any("**/[snapshot]/**", Undated("a snapshot"), None),
    any("**/[snapshots]/....EXT", Undated("a snapshot"), None),
    any("**/*-[snapshot].EXT", Undated("a snapshot"), None),
    any("**/*-[master].EXT", Branch, None),
];

/// Branches that are known by their names.
const BRANCHES: &[&str] = &[
    "HEAD", "dev", "devel", "develop", "main", "master", "nightly", "staging", "trunk", "unstable",
];

/// What archives end in; the longer ones first.
const ARCHIVES: &[&str] = &[
    ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.lz", ".tgz", ".tbz2", ".txz", ".tar",
    ".zip", ".7z", ".jar", ".bundle",
];

/// What of a URL moves, if anything does.
#[must_use]
pub fn moving(url: &Url) -> Option<Moving> {
    let path = url.path();
    let names: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    RULES
        .iter()
        .filter(|rule| rule.host.is_none_or(|host| host == url.host()))
        .find_map(|rule| {
            let shape: Vec<Token> = rule.path.split('/').map(Token::read).collect();
            fit(&shape, &names, 1).map(|found| (rule, found))
        })
        .and_then(|(rule, found)| told(rule, url, &found))
}

/// What a rule says of a URL that it fits.
fn told(rule: &Rule, url: &Url, found: &Found) -> Option<Moving> {
    let found = found.start.unwrap_or(0)..found.end.unwrap_or(0);
    let path = url.path();
    let part = path.get(found.clone()).unwrap_or_default();
    let name = ["refs/heads/", "branch/"]
        .iter()
        .find_map(|prefix| part.strip_prefix(prefix))
        .unwrap_or(part);
    let what = match rule.verdict {
        Fixed => return None,
        Ref if is_fixed(name) => return None,
        KnownBranch if !BRANCHES.contains(&name) => return None,
        Undated(_) if path.split('/').any(has_date) => return None,
        Always(what) | Undated(what) => what.to_owned(),
        Branch | Ref | KnownBranch if name == "HEAD" => "`HEAD`".to_owned(),
        Branch | Ref | KnownBranch => format!("the branch `{name}`"),
    };
    let instead = rule.instead.map(|instead| {
        let text = url.as_str();
        // The path begins where the rest of the URL ends.
        let offset = text.len() - url.path_and_query().len();
        let (before, after) = (&text[..offset + found.start], &text[offset + found.end..]);
        format!("{before}{instead}{after}")
    });
    Some(Moving { what, instead })
}

/// Whether a name that could be a branch's is rather a commit's or a version's.
fn is_fixed(name: &str) -> bool {
    let commit = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let last = name.rsplit(['.', '-']).next();
    let series = last == Some("x");
    commit || (name.contains(|c: char| c.is_ascii_digit()) && !series)
}

/// Whether there is a date such as `20240131` or `2024-01-31` in a name.
fn has_date(name: &str) -> bool {
    let digits: String = name.chars().filter(|c| !"-_.".contains(*c)).collect();
    let is_day = |day: &[u8]| day.starts_with(b"20") && day.iter().all(u8::is_ascii_digit);
    digits.as_bytes().windows(8).any(is_day)
}

/// A part of a shape.
#[derive(Clone, Copy)]
struct Token<'a> {
    /// The characters, of which one ends what is in front.
    separators: &'static str,
    opens: bool,
    core: &'a str,
    closes: bool,
    tail: Tail,
}

/// What a name may end with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    Nothing,
    Archive,
    Anything,
}

impl<'a> Token<'a> {
    fn read(text: &'a str) -> Self {
        let (separators, text) = match text {
            prefixed if prefixed.starts_with("*-") => ("-_.", &prefixed[2..]),
            prefixed if prefixed.starts_with("*@") => ("@", &prefixed[2..]),
            plain => ("", plain),
        };
        let (tail, text) = match (text.strip_suffix(".EXT"), text.strip_suffix('~')) {
            (Some(text), _) => (Tail::Archive, text),
            (None, Some(text)) => (Tail::Anything, text),
            (None, None) => (Tail::Nothing, text),
        };
        let (opens, text) = text
            .strip_prefix('[')
            .map_or((false, text), |text| (true, text));
        let (closes, core) = text
            .strip_suffix(']')
            .map_or((false, text), |text| (true, text));
        Self {
            separators,
            opens,
            core,
            closes,
            tail,
        }
    }

    /// Where in a name the core is, if the name fits.
    fn fit(&self, name: &str) -> Option<Range<usize>> {
        let any = matches!(self.core, "*" | "...");
        let is_separator = |c: char| self.separators.contains(c);
        let end = match self.tail {
            Tail::Nothing => name.len(),
            Tail::Archive => {
                let mut endings = ARCHIVES.iter();
                let length = endings.find(|ending| name.ends_with(**ending))?.len();
                name.len() - length
            }
            Tail::Anything => name.find(self.core)? + self.core.len(),
        };
        let stem = &name[..end];
        let start = match (self.separators.is_empty(), any) {
            (true, _) => 0,
            (false, true) => stem.rfind(is_separator)? + 1,
            (false, false) => {
                let start = stem.len().checked_sub(self.core.len())?;
                stem.get(..start)?
                    .ends_with(is_separator)
                    .then_some(start)?
            }
        };
        let core = stem.get(start..)?;
        (!core.is_empty() && (any || core == self.core)).then_some(start..end)
    }
}

/// Where in the path the bracketed part is.
#[derive(Clone, Copy, Default)]
struct Found {
    start: Option<usize>,
    end: Option<usize>,
}

/// Fits a shape to the names of a path, of which the first starts at byte `at`.
fn fit(shape: &[Token], names: &[&str], at: usize) -> Option<Found> {
    let Some((token, later)) = shape.split_first() else {
        return names.is_empty().then(Found::default);
    };
    let longest = match token.core {
        "**" => return fit_any(later, names, at),
        "..." => names.len(),
        _ => names.len().min(1),
    };
    let mut last = at;
    for count in 1..=longest {
        let name = names[count - 1];
        if let Some(core) = token.fit(name)
            && let Some(found) = fit(later, &names[count..], last + name.len() + 1)
        {
            let start = if count == 1 { at + core.start } else { at };
            return Some(Found {
                start: token.opens.then_some(start).or(found.start),
                end: token.closes.then_some(last + core.end).or(found.end),
            });
        }
        last += name.len() + 1;
    }
    None
}

/// Fits a shape to the names from some on.
fn fit_any(shape: &[Token], names: &[&str], mut at: usize) -> Option<Found> {
    for skipped in 0..=names.len() {
        if let Some(found) = fit(shape, &names[skipped..], at) {
            return Some(found);
        }
        at += names.get(skipped).map_or(0, |name| name.len() + 1);
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::inventory::strategies;

    /// URL, what moves, what to write instead.
    const MOVING: &[(&str, &str, &str)] = &[
        (
            "https://github.com/o/r/archive/refs/heads/main.tar.gz",
            "the branch `main`",
            "https://github.com/o/r/archive/<commit>.tar.gz",
        ),
        (
            "https://github.com/o/r/archive/refs/heads/feature/7.zip",
            "the branch `feature/7`",
            "https://github.com/o/r/archive/<commit>.zip",
        ),
        (
            "https://github.com/o/r/archive/master.tar.gz?x=1",
            "the branch `master`",
            "https://github.com/o/r/archive/<commit>.tar.gz?x=1",
        ),
        (
            "https://github.com/o/r/archive/HEAD.tar.gz",
            "`HEAD`",
            "https://github.com/o/r/archive/<commit>.tar.gz",
        ),
        (
            "https://github.com/o/r/releases/latest/download/a.tar.gz",
            "the latest release",
            "https://github.com/o/r/releases/download/<tag>/a.tar.gz",
        ),
        (
            "https://github.com/o/r/raw/main/a/b.txt",
            "the branch `main`",
            "https://github.com/o/r/raw/<commit>/a/b.txt",
        ),
        (
            "https://github.com/o/r/raw/refs/heads/main/a",
            "the branch `main`",
            "https://github.com/o/r/raw/<commit>/a",
        ),
        (
            "https://raw.githubusercontent.com/o/r/master/a",
            "the branch `master`",
            "https://raw.githubusercontent.com/o/r/<commit>/a",
        ),
        (
            "https://raw.githubusercontent.com/o/r/refs/heads/dev/a",
            "the branch `dev`",
            "https://raw.githubusercontent.com/o/r/<commit>/a",
        ),
        (
            "https://codeload.github.com/o/r/tar.gz/refs/heads/main",
            "the branch `main`",
            "https://codeload.github.com/o/r/tar.gz/<commit>",
        ),
        (
            "https://api.github.com/repos/o/r/tarball",
            "the default branch",
            "https://api.github.com/repos/o/r/tarball/<commit>",
        ),
        (
            "https://cdn.jsdelivr.net/gh/o/r@my-branch/a.js",
            "the branch `my-branch`",
            "https://cdn.jsdelivr.net/gh/o/r@<commit>/a.js",
        ),
        (
            "https://gitlab.example.org/g/s/p/-/archive/main/p-main.tar.gz",
            "the branch `main`",
            "https://gitlab.example.org/g/s/p/-/archive/<commit>/p-main.tar.gz",
        ),
        (
            "https://gitlab.example.org/g/p/-/raw/develop/a",
            "the branch `develop`",
            "https://gitlab.example.org/g/p/-/raw/<commit>/a",
        ),
        (
            "https://gitlab.example.org/g/p/-/releases/permalink/latest/downloads/a",
            "the latest release",
            "https://gitlab.example.org/g/p/-/releases/<tag>/downloads/a",
        ),
        (
            "https://gitlab.example.org/g/p/-/jobs/artifacts/main/raw/a",
            "the branch `main`",
            "",
        ),
        (
            "https://bitbucket.org/o/r/get/default.tar.gz",
            "the branch `default`",
            "https://bitbucket.org/o/r/get/<commit>.tar.gz",
        ),
        (
            "https://forge.example.org/o/r/raw/branch/v12/forgejo/a",
            "the branch `v12`",
            "https://forge.example.org/o/r/raw/commit/<commit>/forgejo/a",
        ),
        (
            "https://git.example.org/~o/r/archive/trunk.tar.gz",
            "the branch `trunk`",
            "https://git.example.org/~o/r/archive/<commit>.tar.gz",
        ),
        (
            "https://git.example.org/r/+archive/refs/heads/main.tar.gz",
            "the branch `main`",
            "https://git.example.org/r/+archive/<commit>.tar.gz",
        ),
        (
            "https://git.example.org/cgit/r.git/snapshot/r-master.tar.gz",
            "the branch `master`",
            "https://git.example.org/cgit/r.git/snapshot/r-<commit>.tar.gz",
        ),
        (
            "https://repo.example.org/snapshots/g/a/1.0-SNAPSHOT/a-1.0-SNAPSHOT.jar",
            "a snapshot",
            "https://repo.example.org/snapshots/g/a/1.0-SNAPSHOT/a-1.0-<time of the snapshot>.jar",
        ),
        (
            "https://example.org/dl/latest/tool.tar.gz",
            "the latest version",
            "https://example.org/dl/<version>/tool.tar.gz",
        ),
        (
            "https://example.org/wordpress-latest.zip",
            "the latest version",
            "https://example.org/wordpress-<version>.zip",
        ),
        (
            "https://example.org/nightly/tool.tar.gz",
            "a nightly build",
            "",
        ),
        (
            "https://example.org/tool-nightly.tar.xz",
            "a nightly build",
            "",
        ),
        (
            "https://example.org/r/HEAD/a",
            "`HEAD`",
            "https://example.org/r/<commit>/a",
        ),
    ];

    const FIXED: &[&str] = &[
        "https://example.org/",
        "https://example.org/a-1.0.tar.gz",
        "https://example.org/main/master.txt",
        "https://github.com/o/r/archive/refs/tags/main.tar.gz",
        "https://github.com/o/r/archive/v1.0.tar.gz",
        "https://github.com/o/r/archive/deadbeef.tar.gz",
        "https://github.com/o/r/archive/0123456789abcdef0123456789abcdef01234567.zip",
        "https://github.com/o/r/releases/download/v1/a-main.bin",
        "https://raw.githubusercontent.com/o/r/v1.2/master/a",
        "https://raw.githubusercontent.com/o/r/refs/tags/stable/a",
        "https://codeload.github.com/o/r/tar.gz/v1",
        "https://gitlab.example.org/g/p/-/archive/v1/p-v1.tar.gz",
        "https://forge.example.org/o/r/raw/tag/stable/a",
        "https://forge.example.org/o/r/raw/commit/deadbee/a",
        "https://git.example.org/r.git/snapshot/r-6.1.tar.gz",
        "https://git.example.org/r.git/snapshot/r-rc.tar.gz",
        "https://snapshot.example.org/archive/20240101T000000Z/a.deb",
        "https://example.org/nightly/2024-01-31/tool.tar.gz",
        "https://example.org/dist/tool-nightly-20240131.tar.gz",
        "https://repo.example.org/g/a/1.0-SNAPSHOT/a-1.0-20240131.120000-1.jar",
        "https://example.org/latest.html",
        "https://example.org/python-main.js",
    ];

    #[test]
    fn what_moves_is_named() {
        for (url, what, instead) in MOVING {
            let moving = moving(&url.parse().unwrap());
            let wanted = Moving {
                what: (*what).to_owned(),
                instead: (!instead.is_empty()).then(|| (*instead).to_owned()),
            };
            assert_eq!(moving, Some(wanted), "{url}");
        }
    }

    #[test]
    fn what_stays_is_left_alone() {
        for url in FIXED {
            assert_eq!(moving(&url.parse().unwrap()), None, "{url}");
        }
    }

    #[test]
    fn what_to_write_instead_stays() {
        for (_, _, instead) in MOVING {
            let fixed = instead
                .replace("<commit>", "0123456789abcdef0123456789abcdef01234567")
                .replace("<tag>", "v1.0")
                .replace("<version>", "1.0")
                .replace("<time of the snapshot>", "20240131.120000-1");
            if let Ok(url) = fixed.parse() {
                assert_eq!(moving(&url), None, "{url}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_url_is_judged(entry in strategies::entry()) {
            let _ = moving(&entry.url);
        }
    }
}
