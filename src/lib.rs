//! buildproxy makes builds hermetic that insist on downloading.

pub mod emit;
pub mod inventory;
