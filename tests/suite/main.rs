//! The tests that need more than the library: one binary, because each costs a link.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod emit_in_nix;
