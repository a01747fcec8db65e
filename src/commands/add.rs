//! `buildproxy add`: pins URLs without a build.
//!
//! Each is fetched as fetchurl does, and goes the way of a capture from there on: what is pinned, what
//! is vendored and why, and where it goes in the inventory.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use http::Method;

use super::{
    Failure, Status,
    fetch::PARALLEL,
    output::{Nothing, Output},
    prefill::prefill,
    runtime,
    summary::Summary,
};
use crate::{
    capture::{Bounds, Capture, Progress, Proof, Recorder, RedirectPolicy},
    cli::{AddArgs, MergeArgs},
    inventory::{Body, Pin, Url, nix::Located},
    report::{chain, say},
    trust::Roots,
    upstream::Upstream,
};

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
    let output = Output::open(&args.file, &MergeArgs::default())?;
    let there = output.there()?;
    let there = there.as_ref().map_or(&[][..], |there| there.entries());
    let mut new = Vec::new();
    for url in &urls {
        match there.iter().find(|located| answers(located, url)) {
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
        args.policy.open(Proof::Fetch)?,
        RedirectPolicy::default(),
        Bounds {
            stall: args.upstream.stall(),
            max_body: None,
        },
    );
    runtime()?.block_on(async {
        let fetches = stream::iter(&new);
        fetches
            .for_each_concurrent(PARALLEL, |url| capture.fetch(url))
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

/// Whether this entry answers a plain GET of the URL.
fn answers(located: &Located, url: &Url) -> bool {
    let entry = &located.entry;
    entry.method == Method::GET && entry.url == *url.without_secrets() && entry.condition.is_empty()
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
