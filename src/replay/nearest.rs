//! Which URLs a person may have meant.

use std::borrow::Cow;

use crate::inventory::{
    Url,
    query::{FEW, IgnoredQuery, differing},
};

/// How many are shown.
const SHOWN: usize = 3;

/// Below this similarity (Sørensen and Dice, over pairs of characters, 0 to 1) two URLs have nothing to do
/// with each other.
const ENOUGH: f64 = 0.5;

/// Those of `urls` that are most like `wanted`, the nearest first. One that differs in scheme or
/// query alone is nearer than any other.
pub(super) fn nearest<'a>(
    wanted: &Url,
    urls: impl Iterator<Item = Cow<'a, Url>>,
) -> Vec<Cow<'a, Url>> {
    let mut scored: Vec<(f64, Cow<Url>)> = urls
        .map(|url| (similarity(wanted, &url), url))
        .filter(|(score, _)| *score >= ENOUGH)
        .collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    scored.truncate(SHOWN);
    scored.into_iter().map(|(_, url)| url).collect()
}

/// The parameters in whose values alone `wanted` differs from one of `urls`; of the one where these are the
/// fewest. None where they are many: then it is another request.
pub(super) fn ignorable<'a>(
    wanted: &Url,
    urls: impl Iterator<Item = Cow<'a, Url>>,
) -> Option<IgnoredQuery> {
    wanted.parameters().next()?;
    let differences = urls.map(|url| differing(wanted, &url));
    let few = differences.filter(|names| (1..=FEW).contains(&names.len()));
    few.min_by_key(IgnoredQuery::len)
}

fn similarity(wanted: &Url, url: &Url) -> f64 {
    if same_page(wanted) == same_page(url) {
        return 1.0;
    }
    strsim::sorensen_dice(wanted.as_str(), url.as_str())
}

/// Host and path.
fn same_page(url: &Url) -> (&str, &str) {
    let path = url.path_and_query();
    (
        url.host(),
        path.split_once('?').map_or(path, |(path, _)| path),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_few_values_may_be_the_same() {
        let url = |target: &str| Url::parse(&format!("https://example.org{target}")).unwrap();
        let urls = [
            url("/a?_=1&v=2"),
            url("/a?_=1&v=3"),
            url("/b?1"),
            url("/c?a=1&b=1&c=1"),
        ];
        let names = |target: &str| {
            let found = ignorable(&url(target), urls.iter().map(Cow::Borrowed))?;
            Some(found.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(names("/a?_=2&v=2").unwrap(), ["_"]);
        assert_eq!(names("/a?_=2&v=4").unwrap(), ["_", "v"]);
        for other in ["/a", "/a?_=1", "/b?2", "/c?a=2&b=2&c=2"] {
            assert_eq!(names(other), None, "{other}");
        }
    }

    #[test]
    fn a_typo_finds_the_right_one_first() {
        let urls: Vec<Url> = [
            "https://example.org/a-1.0.tar.gz",
            "https://example.org/a-1.1.tar.gz?token",
            "https://elsewhere.example/x",
        ]
        .iter()
        .map(|url| Url::parse(url).unwrap())
        .collect();
        let wanted = Url::parse("http://example.org/a-1.1.tar.gz").unwrap();
        let found = nearest(&wanted, urls.iter().map(Cow::Borrowed));
        assert_eq!(found, [urls[1].clone(), urls[0].clone()].map(Cow::Owned));
    }
}
