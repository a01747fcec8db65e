//! Fetches many pins at once.

use std::{
    collections::HashMap,
    io::{IsTerminal, stderr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, stream};

use super::{Failure, runtime};
use crate::{
    cli::UpstreamArgs,
    inventory::{Algorithm, Pin},
    report::say,
    trust::Roots,
    upstream::{Keep, Limits, PinError, Received, Upstream, fetch_pin},
};

/// So many are fetched at a time.
pub(super) const PARALLEL: usize = 8;

/// Fetches pins, each once however many entries have it, and gives what came of them, in their order. A
/// terminal is told how far it is.
pub(super) fn fetch_all<'a>(
    wanted: &[(&'a Pin, Algorithm)],
    args: &UpstreamArgs,
    keep: Keep<'_>,
) -> Result<Vec<Arc<Result<Received, PinError>>>, Failure> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut places = HashMap::new();
    let mut distinct = Vec::new();
    let source =
        |&(pin, algorithm): &(&'a Pin, Algorithm)| (&pin.url, &pin.mirrors, pin.option, algorithm);
    for one in wanted {
        places.entry(source(one)).or_insert_with(|| {
            distinct.push(one);
            distinct.len() - 1
        });
    }
    let upstream = Upstream::new(&Roots::of_platform(), &args.connect_to);
    let limits = Limits {
        stall: args.stall(),
        longest: None,
    };
    let looks = stderr().is_terminal();
    let done = AtomicUsize::new(0);
    let fetched = distinct.iter().map(|&&(pin, algorithm)| {
        let (upstream, done, all) = (&upstream, &done, distinct.len());
        async move {
            let outcome = fetch_pin(upstream, pin, algorithm, keep, limits).await;
            let number = done.fetch_add(1, Ordering::Relaxed) + 1;
            if looks {
                say(&format!("fetched {number} of {all}: {}", pin.url));
            }
            Arc::new(outcome)
        }
    });
    let outcomes = stream::iter(fetched).buffered(PARALLEL).collect();
    let outcomes: Vec<_> = runtime()?.block_on(outcomes);
    let of = |one| Arc::clone(&outcomes[places[&source(one)]]);
    Ok(wanted.iter().map(of).collect())
}
