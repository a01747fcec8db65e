//! Entries that come too late to answer anything.

use super::Finding;
use crate::inventory::{Listing, Repeat};

/// Names the entries for what an earlier one answers.
#[must_use]
pub fn repeats(listing: &Listing) -> Vec<Finding> {
    let finding = |repeat: &Repeat| {
        let entry = &repeat.located.entry;
        let (method, url) = (&entry.method, &entry.url);
        let first = listing.entries[repeat.first].line;
        let line = repeat.located.line;
        if listing.is_exact(repeat) {
            let message =
                format!("{method} {url} is answered on line {first} already, by the same");
            let cure = if repeat.located.is_literal() {
                "`buildproxy check --fix` deletes the later one"
            } else {
                "delete one of them"
            };
            return Finding::warning(line, message).hint(cure);
        }
        let message =
            format!("{method} {url} is answered on line {first} already, and never by this entry");
        Finding::warning(line, message)
            .hint("delete one of them, or tell them apart with `request = { … };`")
    };
    listing.repeats.iter().map(finding).collect()
}
