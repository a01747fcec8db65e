//! Everything that a user sees, through the program itself, with real clients and a real Nix.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

mod capture;
mod command_line;
mod daemon;
mod nix;
mod proxying;
mod replay;
