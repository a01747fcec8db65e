//! Replacing the hashes of pins, and nothing else.

use std::ops::Range;

use super::edit::{Edit, apply};
use super::quote::quoted;
use super::update::hash_edit;
use crate::inventory::nix::{Document, places_of};
use crate::inventory::{Body, Sri};

impl Document {
    /// The text with other hashes: each for the pin of the entry at this place in the list, from 0.
    ///
    /// A hash is written as SRI, whatever it was written as before: the name that it stands under takes
    /// both. Where an entry is computed, its hash is replaced if it is found in the text, once, and means
    /// no other pin. The second part names the entries that keep theirs: it is not found, or its name
    /// demands another algorithm.
    #[must_use]
    pub fn rehash(&self, hashes: &[(usize, Sri)]) -> (String, Vec<usize>) {
        let mut edits = Vec::new();
        let mut kept = Vec::new();
        for (place, hash) in hashes {
            match self.hash_edit(*place, hash, hashes) {
                Some(edit) => edits.push(edit),
                None => kept.push(*place),
            }
        }
        // Where Nix has put the list together, its order need not be that of the text, and several entries
        // may have a hash from one place.
        edits.sort_by_key(|edit| edit.start);
        edits.dedup_by_key(|edit| edit.start);
        (apply(self.text(), &edits), kept)
    }

    fn hash_edit(&self, place: usize, hash: &Sri, all: &[(usize, Sri)]) -> Option<Edit> {
        if let Some(spans) = &self.entries().get(place)?.spans {
            return hash_edit(spans, Some(hash));
        }
        let range = self.computed_hash(place, hash, all)?;
        Some(Edit::replace(&range, quoted(&hash.to_string())))
    }

    /// Where the hash of a computed entry stands, if it can be told, and if all that have it get `new`.
    fn computed_hash(&self, place: usize, new: &Sri, all: &[(usize, Sri)]) -> Option<Range<usize>> {
        let old = self.hash_of(place)?;
        let mut elsewhere = Vec::new();
        for (other, located) in self.entries().iter().enumerate() {
            if self.hash_of(other) != Some(old) {
                continue;
            }
            match located.spans.as_ref().and_then(|spans| spans.pin.as_ref()) {
                Some(pin) => elsewhere.push(&pin.hash.range),
                None if all.contains(&(other, new.clone())) => {}
                None => return None,
            }
        }
        let mut found = places_of(old, self.text());
        found.retain(|range| !elsewhere.contains(&range));
        match &found[..] {
            [range] => Some(range.clone()),
            _ => None,
        }
    }

    fn hash_of(&self, place: usize) -> Option<&Sri> {
        match &self.entries().get(place)?.entry.body {
            Body::Pin(pin) => pin.hash.as_ref(),
            _ => None,
        }
    }
}
