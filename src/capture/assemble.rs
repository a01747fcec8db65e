//! Makes entries of a record.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use http::{Method, StatusCode};

use super::{Exchange, Outcome, Question, Reason};
use crate::{
    bodies::CachedBody,
    inventory::{Body, Condition, Entry, EntryError, Pin, Url},
    visible::is_hidden,
};

/// A vendored text up to this many bytes is written into the inventory itself.
const INLINE: u64 = 2 << 10;

/// The entries of a capture, in order of their URLs, and the files that belong to them.
#[derive(Debug, Default)]
pub struct Recording {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The bodies that no plain fetch gives again.
    pub vendored: Vec<Vendored>,
    /// What an inventory cannot hold, and why.
    pub refused: Vec<(Url, EntryError)>,
    /// How many exchanges came about by redirects.
    pub redirected: usize,
}

/// A body that is kept with the inventory.
#[derive(Debug)]
pub struct Vendored {
    /// The URL that it answers.
    pub url: Url,
    /// Why.
    pub reason: Reason,
    /// Its length in bytes.
    pub length: u64,
    /// The file in the body cache, and the file that it is to be, relative to the inventory's folder;
    /// `None` where the body stands in the inventory itself.
    pub copy: Option<(PathBuf, PathBuf)>,
}

/// Makes entries of what was exchanged. Vendored bodies are to lie in `folder`.
///
/// # Errors
///
/// Where a body in the cache cannot be read.
pub fn assemble(exchanges: Vec<Exchange>, folder: &Path) -> io::Result<Recording> {
    let mut recording = Recording::default();
    let mut groups: BTreeMap<(Url, String), Vec<Exchange>> = BTreeMap::new();
    for exchange in exchanges {
        let Question { url, method, .. } = &exchange.question;
        let group = (url.clone(), method.to_string());
        groups.entry(group).or_default().push(exchange);
    }
    for ((url, method), exchanges) in &groups {
        if method == "HEAD"
            && let Some(of_get) = groups.get(&(url.clone(), Method::GET.to_string()))
            && exchanges
                .iter()
                .all(|head| of_get.iter().any(|get| seen(get) == seen(head)))
        {
            // GET's entry says the same, and has the length.
            continue;
        }
        for (exchange, condition) in narrowed(exchanges) {
            recording.add(exchange, condition, folder)?;
        }
    }
    recording.entries.sort_by(|a, b| a.id().cmp(&b.id()));
    Ok(recording)
}

impl Recording {
    fn add(&mut self, exchange: &Exchange, condition: Condition, folder: &Path) -> io::Result<()> {
        let Question { url, method, .. } = &exchange.question;
        let mut headers = exchange.headers.clone();
        let body = match &exchange.outcome {
            Outcome::Head(length) => {
                if let Some(length) = length {
                    // There is no other way to say it; digits are a valid value.
                    let _ = headers.insert("content-length", &length.to_string());
                }
                Body::Empty
            }
            Outcome::Pinned(body) | Outcome::Vendored(body, _) if body.length == 0 => Body::Empty,
            Outcome::Pinned(body) => Body::Pin(Pin {
                name: exchange.source.file_name(),
                url: exchange.source.clone(),
                hash: Some(body.hash.clone()),
            }),
            Outcome::Vendored(body, reason) => self.vendor(url, body, reason, folder)?,
        };
        self.redirected += usize::from(exchange.redirects > 0);
        let entry = Entry {
            url: url.clone(),
            method: method.clone(),
            status: exchange.status,
            headers,
            body,
            condition,
        };
        let shown = if entry.url.as_str().contains(is_hidden) {
            Err(EntryError::HiddenUrl)
        } else {
            entry.check()
        };
        match shown {
            Ok(()) => self.entries.push(entry),
            Err(error) => self.refused.push((entry.url, error)),
        }
        Ok(())
    }

    fn vendor(
        &mut self,
        url: &Url,
        body: &CachedBody,
        reason: &Reason,
        folder: &Path,
    ) -> io::Result<Body> {
        let name = url.file_name();
        let text = inline(body)?;
        let file = {
            let hash = body.hash.to_hex();
            folder.join(format!("{}-{name}", &hash[..12]))
        };
        self.vendored.push(Vendored {
            url: url.clone(),
            reason: reason.clone(),
            length: body.length,
            copy: text.is_none().then(|| (body.path.clone(), file.clone())),
        });
        Ok(text.map_or(Body::File(file), |text| Body::Text { name, text }))
    }
}

/// What tells one answer from another, whether or not there is a body. Not the other headers, which may
/// change with each answer.
fn seen(exchange: &Exchange) -> (StatusCode, Vec<String>) {
    let described = ["content-type", "content-encoding", "location"]
        .into_iter()
        .flat_map(|name| exchange.headers.get_all(name))
        .map(ToString::to_string);
    (exchange.status, described.collect())
}

/// The exchanges of one URL and method, each with the condition that tells it from the others. Where
/// there is only one answer there is none.
fn narrowed(exchanges: &[Exchange]) -> Vec<(&Exchange, Condition)> {
    let answer = |exchange: &Exchange| {
        let length = match exchange.outcome {
            Outcome::Head(length) => length,
            Outcome::Pinned(_) | Outcome::Vendored(..) => None,
        };
        (seen(exchange), exchange.outcome.hash().cloned(), length)
    };
    let Some(first) = exchanges.first() else {
        return Vec::new();
    };
    if exchanges
        .iter()
        .all(|exchange| answer(exchange) == answer(first))
    {
        return vec![(first, Condition::default())];
    }
    let differ = |part: fn(&Question) -> Option<String>| {
        exchanges
            .iter()
            .any(|exchange| part(&exchange.question) != part(&first.question))
    };
    let by_authorization = differ(|question| question.authorization.then(String::new));
    let by_accept = differ(|question| question.accept.clone());
    let by_protocol = differ(|question| question.git_protocol.clone());
    let by_body = differ(|question| question.body.as_ref().map(ToString::to_string));
    let narrowed = exchanges.iter().map(|exchange| {
        let Exchange { question, .. } = exchange;
        let mut condition = Condition {
            authorization: by_authorization && question.authorization,
            body: question.body.clone().filter(|_| by_body),
            ..Condition::default()
        };
        for (name, value, differs) in [
            ("accept", &question.accept, by_accept),
            ("git-protocol", &question.git_protocol, by_protocol),
        ] {
            if let Some(value) = value.as_ref().filter(|_| differs) {
                condition.headers.insert(name.to_owned(), value.clone());
            }
        }
        (exchange, condition)
    });
    narrowed.collect()
}

/// The body as text, where it is small and a person can read it.
fn inline(body: &CachedBody) -> io::Result<Option<String>> {
    if body.length > INLINE {
        return Ok(None);
    }
    let text = String::from_utf8(fs::read(&body.path)?).ok();
    Ok(text.filter(|text| {
        text.chars()
            .all(|c| !is_hidden(c) || matches!(c, '\n' | '\t'))
    }))
}
