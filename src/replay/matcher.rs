//! Finds the answer to a request among those that there are.

use std::{borrow::Cow, collections::HashMap, path::Path, sync::OnceLock};

use http::Method;

use super::{Answer, Key, ShelfError, shelf::shelve_one};
use crate::inventory::{Url, manifest::Index};

/// All answers, by URL.
#[derive(Debug)]
pub struct Matcher(Answers);

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
        for answer in answers {
            by_url.entry(answer.url.clone()).or_default().push(answer);
        }
        Self(Answers::Whole(by_url))
    }

    /// Finds among the entries of a manifest, which are read when they are asked for.
    #[must_use]
    pub fn indexed(index: Index) -> Self {
        let made = std::iter::repeat_with(OnceLock::new).take(index.len());
        let made = made.collect();
        Self(Answers::Indexed { index, made })
    }

    /// The answer that fits best: of the request's method, with the condition that asks for most of
    /// what the request has. HEAD is also answered from GET.
    ///
    /// # Errors
    ///
    /// Where an entry, read now, is wrong.
    pub fn find(&self, key: &Key<'_>) -> Result<Option<&Answer>, ShelfError> {
        let of_url = self.of_url(key.url)?;
        let best = |method: &Method| {
            let of_method = of_url.iter().filter(|answer| answer.method == *method);
            let fitting =
                of_method.filter_map(|answer| Some((key.fit(&answer.condition)?, answer)));
            // The first one of equals, as in the file.
            fitting
                .rev()
                .max_by_key(|(fit, _)| *fit)
                .map(|(_, answer)| answer)
        };
        let found = best(key.method);
        Ok(found.or_else(|| (key.method == Method::HEAD).then(|| best(&Method::GET))?))
    }

    /// All answers for a URL.
    ///
    /// # Errors
    ///
    /// Where an entry, read now, is wrong.
    pub fn of_url(&self, url: &Url) -> Result<&[Answer], ShelfError> {
        match &self.0 {
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
        match &self.0 {
            Answers::Whole(answers) => Box::new(answers.keys().map(Cow::Borrowed)),
            Answers::Indexed { index, .. } => {
                // All of them are URLs: see `Index::of`.
                let urls = index.urls().filter_map(|url| Url::parse(url).ok());
                Box::new(urls.map(Cow::Owned))
            }
        }
    }
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
