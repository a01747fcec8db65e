//! Everything that a user sees, through the program itself, with real clients and a real Nix.
//!
//! One binary, because each costs a link.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

mod add;
mod aside;
mod behind_proxy;
mod bench;
mod bundle;
mod capture;
mod check;
mod command_line;
mod daemon;
mod damaged;
mod develop;
mod doubts;
mod emit_in_nix;
mod fidelity;
mod foreign;
mod git;
mod hostile;
mod hudsucker;
mod ignoring;
mod locks;
mod matrix;
mod memory;
mod neighbours;
mod nix;
mod nixpkgs;
mod own_settings;
mod packaged;
mod proxying;
mod readme;
mod relative;
mod replay;
mod secrets;
mod showcase;
mod silent;
mod targets;
mod terminal;
mod transparent;
mod trusting;
mod update;
mod upstream_tls;
mod vendored;
