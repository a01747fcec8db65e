//! Query parameters that do not count: `request.ignoreQuery` of the file.
//!
//! Some clients send a parameter that is another one each time: the time of day against caches on the way, or
//! a nonce. Two URLs are the same request where they are equal without these. Names are compared as they stand
//! in the URL, encoded or not.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::url::Url;

/// What no parameter of a URL is called.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not the name of a query parameter")]
pub struct ParameterError(String);

/// The name of a query parameter, as it stands in a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Parameter(String);

impl Parameter {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Parameter {
    type Error = ParameterError;

    fn try_from(name: String) -> Result<Self, ParameterError> {
        let ends = |c: char| "&=#".contains(c) || c.is_whitespace() || c.is_control();
        if name.is_empty() || name.contains(ends) {
            return Err(ParameterError(name));
        }
        Ok(Self(name))
    }
}

impl FromStr for Parameter {
    type Err = ParameterError;

    fn from_str(name: &str) -> Result<Self, ParameterError> {
        name.to_owned().try_into()
    }
}

impl From<Parameter> for String {
    fn from(name: Parameter) -> Self {
        name.0
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parameters that do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IgnoredQuery(BTreeSet<Parameter>);

impl IgnoredQuery {
    /// Whether all of a URL counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds one; `false` where it is there already.
    pub fn insert(&mut self, name: Parameter) -> bool {
        self.0.insert(name)
    }

    /// Their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.0.iter()
    }

    /// Those of them that a URL has.
    #[must_use]
    pub fn of(&self, url: &Url) -> Self {
        if self.is_empty() {
            return Self::default();
        }
        let has = |name: &&Parameter| url.parameters().any(|(given, _)| given == name.as_str());
        self.0.iter().filter(has).cloned().collect()
    }

    /// Whether all of the others are among these.
    #[must_use]
    pub fn has_all_of(&self, others: &Self) -> bool {
        others.0.is_subset(&self.0)
    }

    /// What of a URL counts; borrowed where that is all of it.
    #[must_use]
    pub fn without<'a>(&self, url: &'a Url) -> Cow<'a, Url> {
        if self.is_empty() {
            return Cow::Borrowed(url);
        }
        url.without_parameters(|given| self.0.iter().any(|name| name.as_str() == given))
    }
}

/// Things by URLs of which not all counts.
#[derive(Debug)]
pub struct ByCounted<T>(BTreeMap<(usize, IgnoredQuery), HashMap<Url, Vec<T>>>);

impl<T> Default for ByCounted<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> ByCounted<T> {
    /// Adds something under what counts of a URL.
    pub fn insert(&mut self, url: &Url, ignored: &IgnoredQuery, value: T) {
        let by_url = self.0.entry((ignored.len(), ignored.clone())).or_default();
        let counted = ignored.without(url).into_owned();
        by_url.entry(counted).or_default().push(value);
    }

    /// What stands under a URL, so far as it counts: for each set of parameters that do not, the smallest first.
    pub fn of(&self, url: &Url) -> impl Iterator<Item = (&IgnoredQuery, &[T])> {
        self.0.iter().filter_map(|((_, ignored), by_url)| {
            let found = by_url.get(ignored.without(url).as_ref())?;
            Some((ignored, found.as_slice()))
        })
    }
}

impl FromIterator<Parameter> for IgnoredQuery {
    fn from_iter<T: IntoIterator<Item = Parameter>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}

/// In more parameters than these, URLs that differ are hardly the same request.
pub(crate) const FEW: usize = 2;

/// The parameters in whose values alone two URLs differ, so far as they could be ignored. None where the URLs
/// are equal, or differ in more.
#[must_use]
pub fn differing(one: &Url, other: &Url) -> IgnoredQuery {
    if one.page() != other.page() {
        return IgnoredQuery::default();
    }
    let (mut of_one, mut of_other) = (one.parameters(), other.parameters());
    let mut names = BTreeSet::new();
    loop {
        match (of_one.next(), of_other.next()) {
            (None, None) => return IgnoredQuery(names),
            (Some((name, value)), Some((same, another))) if name == same => {
                if value != another {
                    match name.parse() {
                        Ok(name) => names.insert(name),
                        Err(_) => return IgnoredQuery::default(),
                    };
                }
            }
            _ => return IgnoredQuery::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(target: &str) -> Url {
        Url::parse(&format!("https://example.org{target}")).unwrap()
    }

    fn names(names: &[&str]) -> IgnoredQuery {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn what_does_not_count_is_left_out() {
        let ignored = names(&["_", "nonce"]);
        for (target, without) in [
            ("/a?_=1", "/a"),
            ("/a?_=1&b=2", "/a?b=2"),
            ("/a?b=2&_=1", "/a?b=2"),
            ("/a?b=2&_=1&c&nonce&_", "/a?b=2&c"),
            ("/a?_=?&b=/?", "/a?b=/?"),
            ("/a?", "/a?"),
            ("/a", "/a"),
            ("/a?b=_&__=1", "/a?b=_&__=1"),
            ("/_=1&_=2?b", "/_=1&_=2?b"),
        ] {
            assert_eq!(
                ignored.without(&url(target)).as_ref(),
                &url(without),
                "{target}"
            );
        }
        assert_eq!(ignored.of(&url("/a?b&_=1")), names(&["_"]));
        assert!(ignored.of(&url("/a?b")).is_empty());
        assert!(matches!(ignored.without(&url("/a?b")), Cow::Borrowed(_)));
    }

    #[test]
    fn things_are_found_by_what_counts() {
        let mut things = ByCounted::default();
        things.insert(&url("/a?_=1&b=2"), &names(&["_"]), "one");
        things.insert(&url("/a?n=1&_=1"), &names(&["_", "n"]), "two");
        let found = |target: &str| -> Vec<&str> {
            let url = url(target);
            let found = things.of(&url).flat_map(|(_, found)| found.iter().copied());
            found.collect()
        };
        assert_eq!(found("/a?b=2&_=7"), ["one"]);
        assert_eq!(found("/a?_=7"), ["two"]);
        assert_eq!(found("/a"), ["two"]);
        assert_eq!(found("/a?n=7&b=2"), [""; 0]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "a=b", "a&b", "#", "a b", "\n"] {
            assert!(name.parse::<Parameter>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn urls_differ_in_values_or_in_more() {
        let one = url("/a?_=1&b=2");
        assert_eq!(differing(&one, &url("/a?_=3&b=2")), names(&["_"]));
        assert_eq!(differing(&one, &url("/a?_=3&b=4")), names(&["_", "b"]));
        for other in [
            "/a?_=1&b=2",
            "/a?b=2&_=1",
            "/a?_=2",
            "/a",
            "/b?_=2&b=2",
            "/a?_=2&c=2",
        ] {
            assert!(differing(&one, &url(other)).is_empty(), "{other}");
        }
        let elsewhere = Url::parse("https://example.com/a?_=2&b=2").unwrap();
        assert!(differing(&one, &elsewhere).is_empty());
    }
}
