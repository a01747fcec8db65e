//! Capture: fetches what clients ask for from upstream, and keeps a record of it.
//!
//! The way of a request: [`Capture`] sends it on through [`crate::upstream`], which follows redirects, and
//! `redirects` says whether the client gets what they lead to; the body arrives as a `download`, which goes
//! to the body cache at its own pace while the client reads it from there at its own, or gets a range that
//! comes late from `aside`; when it is whole, `pinning` decides whether a plain `fetchurl` would get the
//! same, and the `recorder` takes note. `assemble` makes entries of the record.

mod aside;
mod assemble;
mod document;
mod download;
mod drift;
mod fleeting;
mod handler;
mod headers;
mod ignorable;
mod limits;
mod pinning;
mod recorder;
mod redirects;
mod relative;
mod unseen;
mod vendor_folder;

pub use assemble::{Recording, Vendored, assemble};
pub use download::Bounds;
pub use handler::Capture;
pub use ignorable::ignorable;
pub use limits::{Size, SizeError};
pub use pinning::{Policy, Proof, Reason};
pub use recorder::{Astray, Exchange, Outcome, Progress, Question, Record, Recorder, Skipped};
pub use redirects::RedirectPolicy;
pub use vendor_folder::{LeadsOut, Placed, VendorFolder};
