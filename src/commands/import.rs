//! `buildproxy import`: takes another tool's lock over into an inventory.
//!
//! What the lock says becomes exchanges, as if a capture had seen them, and goes the same way from there
//! on. Nothing is downloaded.

use std::{fs, path::PathBuf};

use http::StatusCode;

use super::{
    Failure, Status,
    output::{Nothing, Output},
    summary::Summary,
};
use crate::{
    bodies::{BodyCache, CacheError, CachedBody},
    capture::{Exchange, Outcome, Question, Reason, Record},
    cli::ImportArgs,
    inventory::{Algorithm, Headers, Url},
    mitm_cache::{self, Lock, LockError, Page},
    report::say,
};

/// Why a lock cannot be imported: exit status 3.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("failed to read the lock '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is wrong.
    #[error("{}{}: {error}", path.display(), error.line.map(|line| format!(":{line}")).unwrap_or_default())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: LockError,
    },
}

pub(super) fn run(args: &ImportArgs) -> Result<Status, Failure> {
    let path = &args.lock;
    let text = fs::read_to_string(path).map_err(|source| ImportError::Read {
        path: path.clone(),
        source,
    })?;
    let lock = mitm_cache::read(&text).map_err(|error| ImportError::Wrong {
        path: path.clone(),
        error,
    })?;
    let output = Output::open(&args.output, &args.merge, &args.evaluation)?;
    let cache = args.cache.open()?;
    let exchanges = lock
        .pages
        .iter()
        .map(|(url, page)| exchange(url, page, &cache));
    let written = output.write(exchanges.collect::<Result<_, _>>()?, &cache, Nothing::Write)?;
    let summary = Summary {
        path: output.path(),
        verb: "imported",
        written: &written,
        record: &Record::default(),
    };
    say(summary.to_string().trim_end());
    tell(&lock);
    let complete = lock.posts.is_empty() && written.recording.refused.is_empty();
    Ok(Status::done_if(complete))
}

/// Tells of what is in the lock and not in the inventory, and of what is in neither.
fn tell(lock: &Lock) {
    for url in &lock.posts {
        say(&format!(
            "the answers to POST {url} are not imported: mitm-cache itself never gives them"
        ));
    }
    for (url, page) in &lock.pages {
        if let Page::Redirect(target) = page
            && !lock.pages.contains_key(target)
        {
            say(&format!(
                "warning: {url} redirects to {target}, which is not in the lock"
            ));
        }
    }
}

/// The exchange that a capture would have seen.
fn exchange(url: &Url, page: &Page, cache: &BodyCache) -> Result<Exchange, CacheError> {
    let mut headers = Headers::new();
    let mut status = StatusCode::OK;
    let outcome = match page {
        Page::Hash(hash) => Outcome::Pinned(hash.clone()),
        Page::Text(text) => Outcome::Vendored(keep(cache, text)?, Reason::Imported),
        Page::Redirect(target) => {
            status = StatusCode::FOUND;
            // A URL is a valid value.
            let _ = headers.insert("location", target.as_str());
            Outcome::Vendored(keep(cache, "")?, Reason::Imported)
        }
    };
    let question = Question::get(url);
    Ok(Exchange {
        source: question.url.clone(),
        question,
        status,
        headers,
        outcome,
        redirects: 0,
    })
}

fn keep(cache: &BodyCache, text: &str) -> Result<CachedBody, CacheError> {
    let mut body = cache.begin(Algorithm::Sha256);
    body.write(text.as_bytes())?;
    body.finish()
}
