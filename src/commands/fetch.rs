//! Fetches many pins at once.

use std::{
    io::{IsTerminal, stderr},
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::{StreamExt, stream};

use super::runtime;
use crate::{
    inventory::{Pin, Sri},
    report::say,
    trust::Roots,
    upstream::{ConnectTo, FetchError, Keep, Upstream, fetch},
};

/// So many are fetched at a time.
const PARALLEL: usize = 8;

/// Fetches pins, and gives what came of each, in their order. A terminal is told how far it is.
pub(super) fn fetch_all(
    pins: &[&Pin],
    rules: &[ConnectTo],
    keep: Keep<'_>,
) -> anyhow::Result<Vec<Result<Sri, FetchError>>> {
    if pins.is_empty() {
        return Ok(Vec::new());
    }
    let upstream = Upstream::new(&Roots::of_platform(), rules);
    let looks = stderr().is_terminal();
    let done = AtomicUsize::new(0);
    let fetched = pins.iter().map(|pin| {
        let (upstream, done) = (&upstream, &done);
        async move {
            let outcome = fetch(upstream, pin, keep).await;
            let number = done.fetch_add(1, Ordering::Relaxed) + 1;
            if looks {
                let all = pins.len();
                say(&format!("fetched {number} of {all}: {}", pin.url));
            }
            outcome
        }
    });
    let outcomes = stream::iter(fetched).buffered(PARALLEL).collect();
    Ok(runtime()?.block_on(outcomes))
}
