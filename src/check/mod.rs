//! What is wrong with an inventory, or will be.
//!
//! The reader says what it cannot read. Here is what it reads, and what is still worth a word: a pin
//! that moves, a file that is not there. Each is a [`Finding`] with its line.

mod entries;
mod finding;
mod folder;
mod lengths;
mod repeats;

pub use entries::{examine, fetched};
pub use finding::{Finding, Severity};
pub use folder::{FolderError, altered, damaged, missing, unused};
pub use lengths::{known_length, lengths, wrong_length};
pub use repeats::repeats;
