//! What a file lists: entries, and others that come too late to answer anything.
//!
//! Of entries for the same request, the first one answers. That the later ones are there is no error: other
//! tools write an entry each time that something is asked for.

use std::collections::{HashMap, hash_map::Entry as Slot};

use super::nix::Located;

/// The entries of a file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that answer. No two have the same [`Entry::id`](super::Entry::id).
    pub entries: Vec<Located>,
    /// Those that never do.
    pub repeats: Vec<Repeat>,
}

/// An entry for what an earlier one answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The entry.
    pub located: Located,
    /// The place of the earlier one among those that answer, from 0.
    pub first: usize,
}

impl Listing {
    /// Tells first ones from later ones.
    #[must_use]
    pub fn of(all: Vec<Located>) -> Self {
        let mut places = HashMap::with_capacity(all.len());
        let earlier: Vec<Option<usize>> = all
            .iter()
            .map(|located| {
                let place = places.len();
                match places.entry(located.entry.id()) {
                    Slot::Occupied(first) => Some(*first.get()),
                    Slot::Vacant(slot) => {
                        slot.insert(place);
                        None
                    }
                }
            })
            .collect();
        let mut listing = Self {
            entries: Vec::with_capacity(places.len()),
            repeats: Vec::new(),
        };
        for (located, earlier) in all.into_iter().zip(earlier) {
            match earlier {
                None => listing.entries.push(located),
                Some(first) => listing.repeats.push(Repeat { located, first }),
            }
        }
        listing
    }

    /// Whether a repeat says the very same as the first one.
    #[must_use]
    pub fn is_exact(&self, repeat: &Repeat) -> bool {
        self.entries[repeat.first].entry == repeat.located.entry
    }
}
