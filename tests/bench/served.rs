//! The benchmark: `tests/bench/run`, or `cargo bench --bench served -- --quick`.

mod harness;

use std::io::{Write, stdout};

use clap::Parser;
use harness::{Options, measure};

fn main() -> anyhow::Result<()> {
    let report = measure(&Options::parse())?;
    stdout().write_all(report.as_bytes())?;
    Ok(())
}
