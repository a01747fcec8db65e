//! The `buildproxy` command.

use std::process::ExitCode;

use buildproxy::{cli::Cli, commands, report};
use clap::Parser;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, fmt, prelude::*};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let level = match cli.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // Ours alone: whether others show headers and URLs as they are changes with their versions.
    tracing_subscriber::registry()
        .with(fmt::layer().with_ansi(false).with_writer(|| report::Log))
        .with(Targets::new().with_target("buildproxy", level))
        .init();
    commands::run(&cli).into()
}
