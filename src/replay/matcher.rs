//! Finds the answer to a request among those that there are.

use std::collections::HashMap;

use http::Method;

use super::{Answer, Key};
use crate::inventory::Url;

/// All answers, by URL.
#[derive(Debug, Default)]
pub struct Matcher {
    answers: HashMap<Url, Vec<Answer>>,
}

impl Matcher {
    /// Finds among `answers`.
    #[must_use]
    pub fn new(answers: Vec<Answer>) -> Self {
        let mut by_url: HashMap<Url, Vec<Answer>> = HashMap::with_capacity(answers.len());
        for answer in answers {
            by_url.entry(answer.url.clone()).or_default().push(answer);
        }
        Self { answers: by_url }
    }

    /// The answer that fits best: of the request's method, with the condition that asks for most of
    /// what the request has. HEAD is also answered from GET.
    #[must_use]
    pub fn find(&self, key: &Key<'_>) -> Option<&Answer> {
        let of_url = self.answers.get(key.url)?;
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
        best(key.method).or_else(|| (key.method == Method::HEAD).then(|| best(&Method::GET))?)
    }

    /// All answers for a URL.
    #[must_use]
    pub fn of_url(&self, url: &Url) -> &[Answer] {
        self.answers.get(url).map_or(&[], Vec::as_slice)
    }

    /// All URLs, in no order.
    pub fn urls(&self) -> impl Iterator<Item = &Url> {
        self.answers.keys()
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
        match &matcher.find(&key)?.content {
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
}
