//! Replay: answers clients from an inventory, and from nothing else.
//!
//! The way of a request: `key` is what it is looked up by, `matcher` picks the entry that fits
//! best, [`Replay`] opens the body and answers. Nothing in here, nor in what it depends on, can open
//! a connection: there is no client to do it with.

mod handler;
mod key;
mod matcher;
mod nearest;
mod shelf;
mod summary;

pub use handler::{Miss, Missed, Replay};
pub use key::{Key, Secret};
pub use matcher::Matcher;
pub use shelf::{Answer, Content, ShelfError, shelve};
pub use summary::Summary;
