//! Notices query parameters that seem not to count: URLs that differ in nothing else gave the same bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use http::{Method, StatusCode};

use crate::inventory::{
    Body, Entry, Sri, Url,
    query::{FEW, IgnoredQuery, differing},
};

/// The parameters that may be ignored, by what stands before the query: where an entry that was captured now
/// differs in their values alone from another one, captured now or `there` already, and all that so differ have
/// the same bytes.
#[must_use]
pub fn ignorable(captured: &[Entry], there: &[Entry]) -> BTreeMap<String, IgnoredQuery> {
    let mut pages: HashMap<Vec<&str>, Vec<Answered>> = HashMap::new();
    let now = captured.iter().map(|entry| (entry, true));
    for (entry, is_new) in now.chain(there.iter().map(|entry| (entry, false))) {
        if let Some(answered) = Answered::of(entry, is_new) {
            pages.entry(shape(&entry.url)).or_default().push(answered);
        }
    }
    let mut found = BTreeMap::new();
    for answered in pages.into_values() {
        for names in candidates(&answered) {
            if is_same(&answered, &names) {
                found.insert(answered[0].url.page().to_owned(), names);
                break;
            }
        }
    }
    found
}

/// The answer to a plain GET with a query, all of which counts so far.
struct Answered<'a> {
    url: &'a Url,
    bytes: String,
    is_new: bool,
}

impl<'a> Answered<'a> {
    fn of(entry: &'a Entry, is_new: bool) -> Option<Self> {
        let is_plain = entry.method == Method::GET
            && entry.status == StatusCode::OK
            && entry.condition.is_empty();
        let bytes = match &entry.body {
            Body::Pin(pin) => pin.hash.as_ref()?.to_string(),
            Body::Text { text, .. } => Sri::sha256_of(text.as_bytes()).to_string(),
            // Its name has its hash.
            Body::File(path) => path.to_string_lossy().into_owned(),
            Body::Empty => return None,
        };
        let url = &entry.url;
        (is_plain && url.parameters().next().is_some()).then_some(Self { url, bytes, is_new })
    }
}

/// What URLs have in common that can differ in values alone: the page, and the names in their order.
fn shape(url: &Url) -> Vec<&str> {
    let names = url.parameters().map(|(name, _)| name);
    std::iter::once(url.page()).chain(names).collect()
}

/// The sets of few parameters in which URLs of the same bytes differ, one of them new.
fn candidates(answered: &[Answered]) -> BTreeSet<IgnoredQuery> {
    let mut first: HashMap<&str, &Answered> = HashMap::new();
    let mut candidates = BTreeSet::new();
    for one in answered {
        let other = *first.entry(&one.bytes).or_insert(one);
        let names = differing(one.url, other.url);
        if (one.is_new || other.is_new) && (1..=FEW).contains(&names.len()) {
            candidates.insert(names);
        }
    }
    candidates
}

/// Whether all URLs that are the same without these parameters have the same bytes.
fn is_same(answered: &[Answered], names: &IgnoredQuery) -> bool {
    let mut bytes = HashMap::new();
    answered.iter().all(|one| {
        let counted = names.without(one.url).into_owned();
        *bytes.entry(counted).or_insert(&one.bytes) == &one.bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(target: &str, text: &str) -> Entry {
        let url = format!("https://example.org{target}").parse().unwrap();
        Entry::get(url, Body::text("a".parse().unwrap(), text).unwrap())
    }

    fn found(captured: &[Entry], there: &[Entry]) -> Vec<String> {
        let found = ignorable(captured, there);
        let names = |names: IgnoredQuery| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            names.join(",")
        };
        let told = found
            .into_iter()
            .map(|(page, of)| format!("{page} {}", names(of)));
        told.collect()
    }

    #[test]
    fn a_parameter_that_changes_nothing_is_noticed() {
        let told = ["https://example.org/a _"];
        let one = entry("/a?v=1&_=1", "same");
        let two = entry("/a?v=1&_=2", "same");
        assert_eq!(found(&[one.clone(), two.clone()], &[]), told);
        assert_eq!(
            found(std::slice::from_ref(&two), std::slice::from_ref(&one)),
            told
        );
        let another = entry("/a?v=2&_=3", "another");
        assert_eq!(
            found(&[two.clone(), another], std::slice::from_ref(&one)),
            told
        );
        assert!(found(&[], &[one, two]).is_empty());
    }

    #[test]
    fn a_parameter_that_changes_something_is_none() {
        let one = entry("/a?id=1", "same");
        let two = entry("/a?id=2", "same");
        let third = entry("/a?id=3", "another");
        assert!(found(&[one.clone(), two.clone(), third.clone()], &[]).is_empty());
        assert!(found(std::slice::from_ref(&two), &[one.clone(), third]).is_empty());
        assert!(found(&[entry("/a?1", "same"), entry("/a?2", "same")], &[]).is_empty());
        assert!(found(&[one.clone(), entry("/b?id=2", "same")], &[]).is_empty());
        let mut ignores = two;
        ignores.condition.ignore_query.insert("id".parse().unwrap());
        assert!(found(&[one, ignores], &[]).is_empty());
    }
}
