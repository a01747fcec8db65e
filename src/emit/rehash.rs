//! Replacing the hashes of pins, and nothing else.

use super::edit::{Edit, apply};
use super::update::hash_edit;
use crate::inventory::Sri;
use crate::inventory::nix::Document;

impl Document {
    /// The text with other hashes: each for the pin of the entry at this place in the list, from 0.
    ///
    /// A hash is written as SRI, whatever it was written as before: the name that it stands under takes
    /// both. The second part names the entries that keep theirs: the hash is computed, or its name
    /// demands another algorithm.
    #[must_use]
    pub fn rehash(&self, hashes: &[(usize, Sri)]) -> (String, Vec<usize>) {
        let mut edits = Vec::new();
        let mut kept = Vec::new();
        for (place, hash) in hashes {
            match self.hash_edit(*place, hash) {
                Some(edit) => edits.push(edit),
                None => kept.push(*place),
            }
        }
        // Where Nix has put the list together, its order need not be that of the text.
        edits.sort_by_key(|edit| edit.start);
        (apply(self.text(), &edits), kept)
    }

    fn hash_edit(&self, place: usize, hash: &Sri) -> Option<Edit> {
        let spans = self.entries().get(place)?.spans.as_ref()?;
        hash_edit(spans, Some(hash))
    }
}
