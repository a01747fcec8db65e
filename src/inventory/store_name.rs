//! Names of files in the Nix store.
//!
//! A [`StoreName`] is the only text of an inventory that becomes a file name, here and in the store. It
//! holds no slash and does not begin with a dot, so it never leads out of the folder that it is joined to.
//! Source: Nix manual, "Store path"; `checkName` of Nix.

use std::{fmt, path::Path, str::FromStr};

use thiserror::Error;

use super::url::Url;

/// The most characters that a name in the store has.
const MAX_LENGTH: usize = 211;

/// The most characters that nixpkgs gives a name, and that one made here has: it leaves room for `.drv`.
const MAX_MADE: usize = 207;

/// Not a name that the Nix store takes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name:?} is not a valid name for a file in the Nix store")]
pub struct StoreNameError {
    /// The name as it was given.
    pub name: String,
}

/// A name that the Nix store takes: 1 to 211 characters of `A-Za-z0-9+._?=-`, with no dot in front.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreName(String);

impl StoreName {
    /// Checks a name.
    ///
    /// ```
    /// # use buildproxy::inventory::StoreName;
    /// assert!(StoreName::parse("a-1.0.tar.gz").is_ok());
    /// assert!(StoreName::parse("../../.bashrc").is_err());
    /// ```
    pub fn parse(name: &str) -> Result<Self, StoreNameError> {
        let is_valid = (1..=MAX_LENGTH).contains(&name.len())
            && !name.starts_with('.')
            && name.chars().all(is_allowed);
        if is_valid {
            Ok(Self(name.to_owned()))
        } else {
            Err(StoreNameError {
                name: name.to_owned(),
            })
        }
    }

    /// A name for the file behind a URL, of at most 207 characters: the last segment of its path that is
    /// not empty, else the host. Unlike the name that nixpkgs' `fetchurl` makes up, it has no query.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        let segment = url.path().rsplit('/').find(|segment| {
            // Dots alone would leave nothing.
            segment.contains(|c| c != '.')
        });
        let mut name = sanitised(segment.unwrap_or(url.host()));
        let visible = name.trim_start_matches('.').len();
        name.drain(..name.len() - visible);
        // Nix keeps this ending for derivations.
        if let Some(stem) = name.strip_suffix(".drv") {
            name = format!("{stem}-drv");
        }
        if name.is_empty() {
            "unknown".clone_into(&mut name);
        }
        Self(name)
    }

    /// The name that nixpkgs' `fetchurl` gives the file behind a URL: that of its `pname` and `version`,
    /// `versioned`, else its `name`, else the end of the URL.
    ///
    /// Sources: `fetchurl` and `lib.strings.sanitizeDerivationName` of nixpkgs; `baseNameOf` of Nix.
    ///
    /// # Errors
    ///
    /// Where that is no name for the store, as after cutting a long one where a dot stands. A `name` that
    /// is none is not made one.
    pub fn of_fetchurl(
        name: Option<&str>,
        versioned: Option<&str>,
        url: &str,
    ) -> Result<Self, StoreNameError> {
        match (versioned, name) {
            (Some(versioned), _) => Self::of_derivation(versioned),
            (None, Some(name)) if !name.is_empty() => Self::parse(name),
            (None, Some(none)) => Self::of_derivation(none),
            (None, None) => {
                let url = url.strip_suffix('/').unwrap_or(url);
                Self::of_derivation(url.rsplit('/').next().unwrap_or(url))
            }
        }
    }

    /// The name of a derivation that is to be called so.
    fn of_derivation(name: &str) -> Result<Self, StoreNameError> {
        let name = sanitised(name.trim_start_matches('.'));
        if name.is_empty() {
            Self::parse("unknown")
        } else {
            Self::parse(&name)
        }
    }

    /// The name with something in front, a prefix of valid characters, and a `-` between the two. Of a name
    /// that is too long then, the end stays.
    pub(super) fn after(&self, prefix: &str) -> Self {
        let room = MAX_LENGTH.saturating_sub(prefix.len() + 1);
        let end = &self.0[self.0.len().saturating_sub(room)..];
        Self(format!("{prefix}-{end}"))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for StoreName {
    type Err = StoreNameError;

    fn from_str(name: &str) -> Result<Self, StoreNameError> {
        Self::parse(name)
    }
}

impl AsRef<Path> for StoreName {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+._?=-".contains(character)
}

/// `text` with each run of characters that no store path name may hold made one `-`, and of that
/// the last 207 characters.
fn sanitised(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut in_run = false;
    for character in text.chars() {
        let allowed = is_allowed(character);
        if allowed {
            name.push(character);
        } else if !in_run {
            name.push('-');
        }
        in_run = !allowed;
    }
    // All ASCII, so that bytes are characters.
    name.drain(..name.len().saturating_sub(MAX_MADE));
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(url: &str) -> String {
        StoreName::of(&Url::parse(url).unwrap()).to_string()
    }

    #[test]
    fn what_leads_elsewhere_is_no_name() {
        for name in [
            "",
            ".",
            "..",
            "../a",
            "/etc/passwd",
            "a/b",
            ".ssh",
            "a\0",
            "a b",
            "ä",
            "a\\b",
            &"a".repeat(MAX_LENGTH + 1),
        ] {
            let refused = StoreNameError {
                name: name.to_owned(),
            };
            assert_eq!(StoreName::parse(name), Err(refused));
        }
        for name in ["a", "-a", "a..b", "?x=1", &"a".repeat(MAX_LENGTH)] {
            assert_eq!(StoreName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn the_name_of_a_url_is_its_last_segment() {
        for (given, wanted) in [
            ("https://example.org/a-1.0.tar.gz?token=x", "a-1.0.tar.gz"),
            ("https://example.org/a/b/", "b"),
            ("https://example.org", "example.org"),
            ("https://example.org/..//.", "example.org"),
            ("https://example.org/.hidden", "hidden"),
            ("https://example.org/a%20b~1", "a-20b-1"),
            ("https://example.org/@scope%2fname", "-scope-2fname"),
            ("https://example.org/x.drv", "x-drv"),
            ("http://[::1]/", "-1-"),
        ] {
            assert_eq!(of(given), wanted, "{given}");
        }
    }

    #[test]
    fn a_name_left_out_is_the_one_of_nixpkgs() {
        for (given, wanted) in [
            ("https://example.org/a.tar.gz?x=1", "a.tar.gz?x=1"),
            ("https://example.org/a/?b=c&d", "?b=c-d"),
            ("https://example.org/a/", "a"),
            ("https://example.org/a?path=b/c", "c"),
            ("https://example.org/..", "unknown"),
        ] {
            let made = StoreName::of_fetchurl(None, None, given).unwrap();
            assert_eq!(made.as_str(), wanted, "{given}");
        }
        for (name, versioned, wanted) in [
            (Some(""), None, "unknown"),
            (Some("a"), None, "a"),
            (Some("a"), Some("b-1.0"), "b-1.0"),
            (None, Some("b c-1.0"), "b-c-1.0"),
        ] {
            let made = StoreName::of_fetchurl(name, versioned, "https://example.org/x").unwrap();
            assert_eq!(made.as_str(), wanted);
        }
        assert!(StoreName::of_fetchurl(Some("../a"), None, "https://example.org/x").is_err());
    }

    proptest! {
        #[test]
        fn what_is_made_of_a_url_is_a_name(text in "https?://[a-z.]{1,9}/\\PC*|https://a/[.a]{200,300}") {
            if let Ok(url) = Url::parse(&text) {
                let name = of(url.as_str());
                prop_assert!(name.len() <= MAX_MADE);
                prop_assert!(StoreName::parse(&name).is_ok());
            }
        }

        #[test]
        fn a_name_stays_in_its_folder(text in "\\PC*|[./a]{0,4}") {
            if let Ok(name) = StoreName::parse(&text) {
                let joined = Path::new("/folder").join(&name);
                prop_assert_eq!(joined.parent(), Some(Path::new("/folder")));
                prop_assert_eq!(joined.file_name().unwrap().to_str(), Some(text.as_str()));
            }
        }
    }
}
