//! Finds the answer to a request among those that there are.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    path::Path,
    sync::OnceLock,
};

use http::Method;

use super::{Answer, Key, ShelfError, shelf::shelve_one};
use crate::inventory::{
    Url,
    manifest::Index,
    query::{ByCounted, IgnoredQuery},
};

/// All answers, by URL.
#[derive(Debug)]
pub struct Matcher {
    answers: Answers,
    /// The URLs of those that ignore parameters.
    ignoring: ByCounted<Url>,
}

#[derive(Debug)]
enum Answers {
    Whole(HashMap<Url, Vec<Answer>>),
    Indexed {
        index: Index,
        /// Those of each URL that were asked for, at the place of the first of them.
        made: Box<[OnceLock<Box<[Answer]>>]>,
    },
}

impl Matcher {
    /// Finds among `answers`.
    #[must_use]
    pub fn new(answers: Vec<Answer>) -> Self {
        let mut by_url: HashMap<Url, Vec<Answer>> = HashMap::with_capacity(answers.len());
        let ignored = |answer: &Answer| answer.condition.ignore_query.clone();
        let ignoring = answers.iter().map(|answer| (&answer.url, ignored(answer)));
        let ignoring = by_counted(ignoring.filter(|(_, ignored)| !ignored.is_empty()));
        for answer in answers {
            by_url.entry(answer.url.clone()).or_default().push(answer);
        }
        Self {
            answers: Answers::Whole(by_url),
            ignoring,
        }
    }

    /// Finds among the entries of a manifest, which are read when they are asked for.
    #[must_use]
    pub fn indexed(index: Index) -> Self {
        let made = std::iter::repeat_with(OnceLock::new).take(index.len());
        let made = made.collect();
        let ignoring = index.ignoring();
        let ignoring = by_counted(ignoring.map(|(url, ignored)| (url, ignored.clone())));
        Self {
            answers: Answers::Indexed { index, made },
            ignoring,
        }
    }

    /// The answer that fits best: of the request's method, with the condition that asks for most of
    /// what the request has. HEAD is also answered from GET.
    ///
    /// # Errors
    ///
    /// Where an entry, read now, is wrong.
    pub fn find(&self, key: &Key<'_>) -> Result<Option<&Answer>, ShelfError> {
        Ok(best(key, &self.of_url(key.url)?.iter()))
    }

    /// The answer that fits best, of those that have the URL but for parameters that they ignore. Of several,
    /// one that ignores less goes first.
    ///
    /// # Errors
    ///
    /// Where an entry, read now, is wrong.
    pub fn find_ignoring(&self, key: &Key<'_>) -> Result<Option<&Answer>, ShelfError> {
        for (ignored, urls) in self.ignoring.of(key.url) {
            let mut found = Vec::new();
            for url in urls {
                let of_url = self.of_url(url)?.iter();
                found.extend(of_url.filter(|answer| answer.condition.ignore_query == *ignored));
            }
            if let Some(answer) = best(key, &found.into_iter()) {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// All answers for a URL.
    ///
    /// # Errors
    ///
    /// Where an entry, read now, is wrong.
    pub fn of_url(&self, url: &Url) -> Result<&[Answer], ShelfError> {
        match &self.answers {
            Answers::Whole(answers) => Ok(answers.get(url).map_or(&[], Vec::as_slice)),
            Answers::Indexed { index, made } => {
                let mut entries = index.of_url(url.as_str()).peekable();
                let Some(slot) = entries.peek().and_then(|first| made.get(*first)) else {
                    return Ok(&[]);
                };
                if let Some(answers) = slot.get() {
                    return Ok(answers);
                }
                let answer = |place| shelve_one(index.entry(place)?, Path::new("/"), None);
                let answers = entries.map(answer).collect::<Result<_, _>>()?;
                Ok(slot.get_or_init(|| answers))
            }
        }
    }

    /// All URLs, in no order.
    pub fn urls(&self) -> Box<dyn Iterator<Item = Cow<'_, Url>> + '_> {
        match &self.answers {
            Answers::Whole(answers) => Box::new(answers.keys().map(Cow::Borrowed)),
            Answers::Indexed { index, .. } => {
                // All of them are URLs: see `Index::of`.
                let urls = index.urls().filter_map(|url| Url::parse(url).ok());
                Box::new(urls.map(Cow::Owned))
            }
        }
    }
}

/// The URLs of entries that ignore parameters, each once, in their order.
fn by_counted<'a>(entries: impl Iterator<Item = (&'a Url, IgnoredQuery)>) -> ByCounted<Url> {
    let mut ignoring = ByCounted::default();
    let mut seen = HashSet::new();
    for (url, ignored) in entries {
        if seen.insert((url, ignored.clone())) {
            ignoring.insert(url, &ignored, url.clone());
        }
    }
    ignoring
}

/// The one of some answers that fits best.
fn best<'a>(
    key: &Key<'_>,
    answers: &(impl DoubleEndedIterator<Item = &'a Answer> + Clone),
) -> Option<&'a Answer> {
    let best = |method: &Method| {
        let of_method = answers.clone().filter(|answer| answer.method == *method);
        let fitting = of_method.filter_map(|answer| Some((key.fit(&answer.condition)?, answer)));
        // The first one of equals, as in the file.
        fitting
            .rev()
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, answer)| answer)
    };
    let found = best(key.method);
    found.or_else(|| (key.method == Method::HEAD).then(|| best(&Method::GET))?)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::{
        inventory::Condition,
        replay::{Content, Secret},
    };

    fn answer(method: Method, accept: Option<&str>, text: &'static str) -> Answer {
        let mut condition = Condition::default();
        if let Some(accept) = accept {
            condition
                .headers
                .insert("accept".to_owned(), accept.to_owned());
        }
        Answer {
            url: Url::parse("https://example.org/a").unwrap(),
            method,
            condition,
            status: http::StatusCode::OK,
            headers: HeaderMap::new(),
            content: Content::Text(text.into()),
        }
    }

    fn found(matcher: &Matcher, method: &Method, accept: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static(accept));
        let key = Key {
            url: &Url::parse("https://example.org/a").unwrap(),
            method,
            headers: &headers,
            secret: Secret::None,
            body: None,
        };
        match &matcher.find(&key).unwrap()?.content {
            Content::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
            Content::File(path) => panic!("{path:?}"),
            Content::Cached(body) => panic!("{body:?}"),
        }
    }

    #[test]
    fn the_entry_that_asks_for_most_answers() {
        let matcher = Matcher::new(vec![
            answer(Method::GET, None, "any"),
            answer(Method::GET, Some("text/html"), "html"),
            answer(Method::GET, None, "shadowed"),
        ]);
        assert_eq!(found(&matcher, &Method::GET, "text/html").unwrap(), "html");
        assert_eq!(found(&matcher, &Method::GET, "*/*").unwrap(), "any");
        assert_eq!(found(&matcher, &Method::POST, "*/*"), None);
    }

    #[test]
    fn head_is_answered_from_get_unless_it_has_its_own() {
        let get = answer(Method::GET, None, "get");
        let head = answer(Method::HEAD, None, "head");
        let matcher = Matcher::new(vec![get.clone()]);
        assert_eq!(found(&matcher, &Method::HEAD, "*/*").unwrap(), "get");
        let matcher = Matcher::new(vec![get, head]);
        assert_eq!(found(&matcher, &Method::HEAD, "*/*").unwrap(), "head");
    }

    #[test]
    fn a_parameter_that_does_not_count_has_any_value() {
        let text = r#"[{"url":"https://example.org/a?_=1","request":{"ignoreQuery":["_"]}},
            {"url":"https://example.org/a?_=1&b","request":{"ignoreQuery":["_"]},"method":"POST"},
            {"url":"https://example.org/a?_=3"},
            {"url":"https://example.org/a","request":{"ignoreQuery":["n","_"]}}]"#;
        let folder = Path::new("/");
        let entries = crate::inventory::manifest::read(text).unwrap();
        let answers = crate::replay::shelve(entries, folder, None).unwrap();
        for matcher in [
            Matcher::new(answers),
            Matcher::indexed(Index::of(&text.into()).unwrap()),
        ] {
            let found = |method: &Method, target: &str| {
                let url = Url::parse(&format!("https://example.org{target}")).unwrap();
                let key = Key {
                    url: &url,
                    method,
                    headers: &HeaderMap::new(),
                    secret: Secret::None,
                    body: None,
                };
                let exact = matcher.find(&key).unwrap();
                let found = exact.or_else(|| matcher.find_ignoring(&key).unwrap())?;
                Some(found.url.path_and_query().to_owned())
            };
            for (target, wanted) in [
                ("/a?_=1", Some("/a?_=1")),
                ("/a?_=2", Some("/a?_=1")),
                ("/a?_=3", Some("/a?_=3")),
                ("/a", Some("/a")),
                ("/a?n=1&_=2", Some("/a")),
                ("/a?n=1", Some("/a")),
                ("/a?b&_=7", None),
                ("/b?_=1", None),
            ] {
                assert_eq!(found(&Method::GET, target).as_deref(), wanted, "{target}");
            }
            assert_eq!(found(&Method::HEAD, "/a?_=2").as_deref(), Some("/a?_=1"));
            assert_eq!(
                found(&Method::POST, "/a?b&_=7").as_deref(),
                Some("/a?_=1&b")
            );
            assert_eq!(found(&Method::POST, "/a?_=7"), None);
        }
    }

    #[test]
    fn an_indexed_manifest_is_read_entry_by_entry() {
        let text = r#"[{"url":"https://example.org/b","status_code":"x"},
            {"url":"https://example.org/a","request":{"headers":{"accept":"text/html"}}},
            {"url":"https://example.org/a","method":"POST"}]"#;
        let matcher = Matcher::indexed(Index::of(&text.into()).unwrap());
        assert_eq!(found(&matcher, &Method::GET, "text/html").unwrap(), "");
        assert_eq!(found(&matcher, &Method::GET, "*/*"), None);
        assert_eq!(found(&matcher, &Method::POST, "*/*").unwrap(), "");
        let mut urls: Vec<String> = matcher.urls().map(|url| url.to_string()).collect();
        urls.sort();
        assert_eq!(urls, ["https://example.org/a", "https://example.org/b"]);
        let elsewhere = Url::parse("https://example.org/c").unwrap();
        assert!(matcher.of_url(&elsewhere).unwrap().is_empty());
        let error = matcher.of_url(&Url::parse("https://example.org/b").unwrap());
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("line 1: entry 0 for `https://example.org/b`: "),
            "{error}"
        );
    }
}
