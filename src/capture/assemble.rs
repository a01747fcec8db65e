//! Makes entries of a record.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    error::Error,
    fs, io,
    path::PathBuf,
};

use http::{Method, StatusCode};

use super::{Exchange, Outcome, Question, Reason, VendorFolder};
use crate::{
    bodies::CachedBody,
    emit::Changes,
    inventory::{Body, Condition, Entry, EntryError, Pin, Sri, StoreName, Url, query::ByCounted},
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
    /// What could not be made an entry, and why: an inventory cannot hold it, or its body is gone.
    pub refused: Vec<(Url, Box<dyn Error>)>,
    /// How many exchanges came about by redirects.
    pub redirected: usize,
    /// URLs whose parameters were not to count, and do: there were different bodies.
    pub unstable: BTreeSet<Url>,
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

/// Makes entries of what was exchanged. Vendored bodies are to be kept in `folder`, and `there` is what the
/// inventory answers already, of which changes are to be kept or updated.
#[must_use]
pub fn assemble(
    mut exchanges: Vec<Exchange>,
    folder: &VendorFolder,
    there: &[Entry],
    changes: Changes,
) -> Recording {
    let mut ignoring = ByCounted::default();
    for entry in there {
        let ignored = &entry.condition.ignore_query;
        if !ignored.is_empty() {
            ignoring.insert(&entry.url, ignored, entry);
        }
    }
    let mut by_counted: HashMap<_, Vec<_>> = HashMap::new();
    for entry in there {
        let url = entry.condition.ignore_query.without(&entry.url);
        let of_url = by_counted.entry((url, &entry.method)).or_default();
        of_url.push(entry);
    }
    let there = by_counted;
    for Exchange { question, .. } in &mut exchanges {
        let exact = there.get(&(Cow::Borrowed(&question.url), &question.method));
        let is_answered = exact.is_some_and(|exact| question.is_answered(exact));
        if is_answered || !question.ignore_query.is_empty() {
            continue;
        }
        // As the inventory says already.
        let ignored = {
            let mut ignored = ignoring.of(&question.url);
            let found = ignored.find(|(_, entries)| question.is_answered(entries));
            found.map(|(ignored, _)| ignored.clone())
        };
        if let Some(ignored) = ignored {
            question.url = ignored.without(&question.url).into_owned();
            question.ignore_query = ignored;
        }
    }
    // In an order of their own, so that the same exchanges always make the same entries.
    exchanges.sort_by(|a, b| a.question.order().cmp(&b.question.order()));
    let mut recording = Recording::default();
    let of_get = |url: &Url| {
        let place = (url, Method::GET.as_str());
        let start = exchanges.partition_point(|exchange| exchange.question.place() < place);
        let rest = &exchanges[start..];
        &rest[..rest.partition_point(|exchange| exchange.question.place() == place)]
    };
    let groups = exchanges.chunk_by(|a, b| a.question.place() == b.question.place());
    for exchanges in groups {
        let Question { url, method, .. } = &exchanges[0].question;
        if method == Method::HEAD
            && let of_get = of_get(url)
            && exchanges
                .iter()
                .all(|head| of_get.iter().any(|get| seen(get) == seen(head)))
        {
            // GET's entry says the same, and has the length.
            continue;
        }
        for (exchange, condition) in narrowed(exchanges) {
            let known = there.get(&(Cow::Borrowed(url), method));
            let known = known.map_or(&[][..], Vec::as_slice);
            let adopted = exchange.question.answered_by(known).cloned();
            let condition = adopted.unwrap_or(condition);
            // Where another body got another answer in an earlier capture, that entry is to stay as it is;
            // but for an update, which takes it for the same question.
            let earlier = match changes {
                Changes::Keep => known.iter().find(|entry| entry.condition.is_empty()),
                Changes::Update => None,
            };
            recording.add(exchange, condition, folder, known, earlier.copied());
        }
    }
    recording.entries.sort_by(|a, b| a.id().cmp(&b.id()));
    let unstable = &mut recording.unstable;
    recording.entries.dedup_by(|b, a| {
        let is_same = a.id() == b.id();
        if is_same && !same_bytes(&a.body, &b.body) {
            unstable.insert(a.url.clone());
        }
        is_same
    });
    recording
}

impl Question {
    /// What the exchanges of a group have in common.
    fn place(&self) -> (&Url, &str) {
        (&self.url, self.method.as_str())
    }

    /// What exchanges are ordered by: first by group.
    fn order(&self) -> impl Ord + use<'_> {
        (
            self.place(),
            self.authorization,
            &self.accept,
            &self.git_protocol,
            &self.body,
        )
    }

    /// Whether one of these entries, which are for the same URL, answers this.
    fn is_answered(&self, entries: &[&Entry]) -> bool {
        let answers =
            |entry: &&Entry| entry.method == self.method && self.fit(&entry.condition).is_some();
        entries.iter().any(answers)
    }

    /// The condition of the entry that answers this already, of those for the same URL and method. If
    /// the answer changed, it is that entry that did.
    fn answered_by<'a>(&self, entries: &[&'a Entry]) -> Option<&'a Condition> {
        let same = |entry: &&&Entry| entry.condition.ignore_query.has_all_of(&self.ignore_query);
        let fitting = entries.iter().filter(same).filter_map(|entry| {
            let condition = &entry.condition;
            Some((self.fit(condition)?, condition))
        });
        // A condition that says nothing is none to adopt.
        let narrow = fitting.filter(|(_, condition)| !condition.is_empty());
        narrow
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, condition)| condition)
    }
}

impl Recording {
    fn add(
        &mut self,
        exchange: &Exchange,
        condition: Condition,
        folder: &VendorFolder,
        known: &[&Entry],
        earlier: Option<&Entry>,
    ) {
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
            Outcome::Pinned(hash) if *hash == Sri::sha256_of(b"") => Body::Empty,
            Outcome::Vendored(body, _) if body.length == 0 => Body::Empty,
            Outcome::Pinned(hash) => Body::Pin(Pin::new(
                StoreName::of(&exchange.source),
                exchange.source.clone(),
                Some(hash.clone()),
            )),
            Outcome::Vendored(body, reason) => {
                match self.vendor(url, body, reason, |name| folder.file_for(body, name, known)) {
                    Ok(body) => body,
                    Err(error) => return self.refused.push((url.clone(), Box::new(error))),
                }
            }
        };
        self.redirected += usize::from(exchange.redirects > 0);
        let mut entry = Entry {
            url: url.clone(),
            method: method.clone(),
            status: exchange.status,
            headers,
            body,
            condition,
        };
        let differs = |other: &Entry| (other.status, &other.body) != (entry.status, &entry.body);
        if entry.condition.is_empty() && earlier.is_some_and(differs) {
            entry.condition = by_body(exchange);
        }
        let shown = if entry.url.as_str().contains(is_hidden) {
            Err(EntryError::HiddenUrl)
        } else {
            entry.check()
        };
        match shown {
            Ok(()) => self.entries.push(entry),
            Err(error) => self.refused.push((entry.url, Box::new(error))),
        }
    }

    fn vendor(
        &mut self,
        url: &Url,
        body: &CachedBody,
        reason: &Reason,
        file: impl FnOnce(&StoreName) -> PathBuf,
    ) -> io::Result<Body> {
        let name = StoreName::of(url);
        let text = inline(body)?;
        let file = file(&name);
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
/// there is only one answer there is none: the body of a request, say, may have the time of day in it.
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
        let pinned = |exchange: &&Exchange| matches!(exchange.outcome, Outcome::Pinned(_));
        let best = exchanges.iter().find(pinned).unwrap_or(first);
        return vec![(best, only(best))];
    }
    let differ = |part: fn(&Question) -> Option<String>| {
        exchanges
            .iter()
            .any(|exchange| part(&exchange.question) != part(&first.question))
    };
    let by_authorization = differ(|question| question.authorization.then(String::new));
    let by_accept = differ(|question| question.accept.clone());
    let by_protocol = differ(|question| question.git_protocol.clone());
    let narrowed = exchanges.iter().map(|exchange| {
        let Exchange { question, .. } = exchange;
        let mut condition = Condition {
            authorization: by_authorization && question.authorization,
            ..by_body(exchange)
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

/// Whether two bodies are the same, wherever they come from.
fn same_bytes(one: &Body, other: &Body) -> bool {
    match (one, other) {
        (Body::Pin(one), Body::Pin(other)) => one.hash == other.hash,
        (one, other) => one == other,
    }
}

/// The condition of an only answer: none, but that what git wants is in the body of its request, and
/// another one wants something else.
fn only(exchange: &Exchange) -> Condition {
    let by_body = by_body(exchange);
    if exchange.question.url.path().ends_with("/git-upload-pack") {
        by_body
    } else {
        Condition {
            body: None,
            ..by_body
        }
    }
}

/// The condition that a question has the body that it had, whatever stands in parameters that do not count.
fn by_body(exchange: &Exchange) -> Condition {
    Condition {
        body: exchange.question.body.clone(),
        ignore_query: exchange.question.ignore_query.clone(),
        ..Condition::default()
    }
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
