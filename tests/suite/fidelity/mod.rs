//! What the client sees is what it would have seen: directly, captured and replayed.
//!
//! One table of cases, a file for each part of it. A case says what an origin answers, and what a
//! client asks; [`compare`] lets the client ask the origin itself, then through a capture, then
//! through a replay when the origin is gone, and holds the three against each other. To add a case is
//! to add an entry to one of the tables.

#![expect(clippy::too_many_lines, reason = "a table is as long as it is")]

mod bodies;
mod case;
mod compare;
mod conditions;
mod connections;
mod failures;
mod methods;
mod negotiation;
mod ranges;
mod redirects;
mod urls;

use case::{Case, case};
use compare::{compare, compare_with};
