//! Which URLs a person may have meant.

use std::borrow::Cow;

use crate::inventory::Url;

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
