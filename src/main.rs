//! The `buildproxy` command.

use std::process::ExitCode;

use buildproxy::{cli::Cli, commands, report};
use clap::Parser;
use tracing::level_filters::LevelFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let level = match cli.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .init();
    let status = commands::run(&cli).unwrap_or_else(|error| report::failure(&error));
    ExitCode::from(status)
}
