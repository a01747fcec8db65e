//! `buildproxy add`: pins URLs without a build.
//!
//! Each is fetched as fetchurl does, and goes the way of a capture from there on: what is pinned, what
//! is vendored and why, and where it goes in the inventory.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{
    Failure, Status,
    fetch::PARALLEL,
    output::{Nothing, Output},
    prefill::prefill,
    runtime,
    summary::Summary,
};
use crate::{
    capture::{Bounds, Capture, Progress, Question, Recorder, RedirectPolicy},
    cli::{AddArgs, MergeArgs},
    inventory::{Body, Entry, Pin, Url, nix::Located},
    report::{chain, say},
    trust::Roots,
    upstream::Upstream,
};

/// Why a header of the command line is refused. It is not repeated, as it may be a secret.
#[derive(Debug, thiserror::Error)]
#[error("a header is NAME:VALUE, such as 'accept: application/json'")]
pub(super) struct HeaderError;

pub(super) fn run(args: &AddArgs) -> Result<Status, Failure> {
    // Not by clap, which repeats what it cannot read, with all the secrets that are in it.
    let urls: Result<Vec<Url>, _> = args.urls.iter().map(|url| url.parse()).collect();
    let urls = urls?;
    if let Some(url) = urls.iter().find(|url| url.has_dot_segments()) {
        let fetched = url.without_dot_segments();
        say(&format!(
            "{url} cannot be pinned: fetchurl takes `.` and `..` out of its path, and fetches another URL\n\
             hint: write {fetched}, if that is what you want"
        ));
        return Ok(Status::Usage);
    }
    let headers = args.header.iter().map(|text| header(text));
    let headers = headers.collect::<Result<HeaderMap, _>>()?;
    let output = Output::open(&args.file, &MergeArgs::default(), &args.evaluation)?;
    let there = output.there()?;
    let there = there.as_ref().map_or(&[][..], |there| there.entries());
    let ignored = args.policy.ignored();
    let mut new = Vec::new();
    for url in &urls {
        let question = Question::new(url, &Method::GET, &headers, &Bytes::new());
        let question = question.ignoring(&ignored);
        match there.iter().find(|located| answers(located, &question)) {
            Some(located) => say(&already(located, args)),
            None => new.push(url),
        }
    }
    if new.is_empty() {
        return Ok(Status::Done);
    }

    let cache = args.cache.open()?;
    cache.prepare()?;
    let recorder = Arc::new(Recorder::new(Progress::Quiet));
    let capture = Capture::new(
        Upstream::new(&Roots::of_platform(), &args.upstream.connect_to),
        cache.clone(),
        Arc::clone(&recorder),
        args.policy.open()?,
        RedirectPolicy::default(),
        ignored,
        Bounds {
            stall: args.upstream.stall(),
            max_body: None,
        },
    );
    runtime()?.block_on(async {
        let fetches = stream::iter(&new);
        fetches
            .for_each_concurrent(PARALLEL, |url| capture.fetch(url, &headers))
            .await;
        capture.finish().await;
    });

    let mut record = recorder.take();
    if record.exchanges.is_empty() {
        for skipped in &record.skipped {
            say(&chain(skipped));
        }
        return Ok(Status::Failed);
    }
    let exchanges = std::mem::take(&mut record.exchanges);
    let written = output.write(exchanges.into_values().collect(), &cache, Nothing::Write)?;
    let summary = Summary {
        path: output.path(),
        verb: "added",
        written: &written,
        record: &record,
    };
    say(summary.to_string().trim_end());
    if !args.no_prefill {
        prefill(&written.recording.entries, &cache);
    }
    let complete = record.skipped.is_empty() && written.recording.refused.is_empty();
    Ok(Status::done_if(complete))
}

/// A header of the command line.
fn header(text: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let read = || {
        let (name, value) = text.split_once(':')?;
        let name = name.trim().parse().ok()?;
        Some((name, HeaderValue::try_from(value.trim()).ok()?))
    };
    read().ok_or(HeaderError)
}

/// Whether this entry answers the question, and whatever else is not to count in it.
fn answers(located: &Located, question: &Question) -> bool {
    let Entry {
        url,
        method,
        condition,
        ..
    } = &located.entry;
    let ignored = &condition.ignore_query;
    *method == question.method
        && ignored.without(url) == ignored.without(&question.url)
        && ignored.has_all_of(&question.ignore_query)
        && question.fit(condition).is_some()
}

/// Word of an entry that is there already.
fn already(located: &Located, args: &AddArgs) -> String {
    let (file, line, url) = (args.file.display(), located.line, &located.entry.url);
    let said = format!("{file}:{line}: {url} is there already, and stays as it is");
    match &located.entry.body {
        Body::Pin(Pin { hash: None, .. }) => {
            format!("{said}\nhint: `buildproxy update` writes its hash")
        }
        _ => said,
    }
}
