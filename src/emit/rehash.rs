//! Replacing the hashes of pins, and nothing else.

use std::collections::HashMap;
use std::ops::Range;

use super::Mending;
use super::edit::{Edit, apply};
use super::quote::quoted;
use super::update::hash_edit;
use crate::inventory::nix::{Document, hashes_in};
use crate::inventory::{Body, Sri};

impl Document {
    /// The text with other hashes: each for the pin of the entry at this place in the list, from 0.
    ///
    /// A hash is written as SRI, whatever it was written as before: the name that it stands under takes
    /// both. Where an entry is computed, its hash is replaced if it is found in the text, once, and means
    /// no other pin. The second part names the entries that keep theirs: it is not found, or its name
    /// demands another algorithm. `mending` is done as well.
    #[must_use]
    pub fn rehash(&self, hashes: &[(usize, Sri)], mending: &Mending) -> (String, Vec<usize>) {
        let mut edits = Vec::new();
        let mut kept = Vec::new();
        let mut computed = Vec::new();
        for (place, hash) in hashes {
            match self.entries().get(*place).map(|located| &located.spans) {
                Some(Some(spans)) => match hash_edit(spans, Some(hash)) {
                    Some(edit) => edits.push(edit),
                    None => kept.push(*place),
                },
                Some(None) => computed.push((*place, hash)),
                None => kept.push(*place),
            }
        }
        if !computed.is_empty() {
            let told = self.computed_hashes(hashes);
            for (place, hash) in computed {
                match self.hash_of(place).and_then(|old| told.get(old)) {
                    Some(range) => edits.push(Edit::replace(range, quoted(&hash.to_string()))),
                    None => kept.push(place),
                }
            }
        }
        // Where Nix has put the list together, its order need not be that of the text, and several entries
        // may have a hash from one place.
        edits.sort_by_key(|edit| edit.start);
        edits.dedup_by_key(|edit| edit.start);
        edits.extend(mending.edits());
        edits.sort_by_key(|edit| edit.start);
        (apply(self.text(), &edits), kept)
    }

    /// Where the hashes of computed entries stand, so far as it can be told, and all that have the same get
    /// the same new one.
    fn computed_hashes(&self, new: &[(usize, Sri)]) -> HashMap<Sri, Range<usize>> {
        let mut found = hashes_in(self.text());
        let new: HashMap<usize, &Sri> = new.iter().map(|(place, hash)| (*place, hash)).collect();
        let mut agreed: HashMap<&Sri, Option<&Sri>> = HashMap::new();
        for (place, located) in self.entries().iter().enumerate() {
            let Some(old) = self.hash_of(place) else {
                continue;
            };
            if let Some(pin) = located.spans.as_ref().and_then(|spans| spans.pin.as_ref()) {
                // That one is a literal's.
                if let Some(ranges) = found.get_mut(old) {
                    ranges.retain(|range| *range != pin.hash.range);
                }
                continue;
            }
            let new = new.get(&place).copied();
            let all = agreed.entry(old).or_insert(new);
            if *all != new {
                *all = None;
            }
        }
        let told = |(hash, ranges): (Sri, Vec<_>)| match ranges.as_slice() {
            [range] if agreed.get(&hash).is_some_and(Option::is_some) => {
                Some((hash, Range::clone(range)))
            }
            _ => None,
        };
        found.into_iter().filter_map(told).collect()
    }

    fn hash_of(&self, place: usize) -> Option<&Sri> {
        match &self.entries().get(place)?.entry.body {
            Body::Pin(pin) => pin.hash.as_ref(),
            _ => None,
        }
    }
}
