//! buildproxy makes builds hermetic that insist on downloading.

pub mod bodies;
pub mod capture;
pub mod cli;
pub mod commands;
pub mod emit;
pub mod inventory;
pub mod process;
pub mod proxy;
pub mod replay;
pub mod report;
pub mod trust;
