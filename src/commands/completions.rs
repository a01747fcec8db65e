//! `buildproxy completions`: what completes the command line in a shell.

use std::io::{Write, stdout};

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Context, Failure, Status};
use crate::cli::Cli;

pub(super) fn run(shell: Shell) -> Result<Status, Failure> {
    // It would panic where it cannot write.
    let mut script = Vec::new();
    generate(shell, &mut command_line(), "buildproxy", &mut script);
    stdout()
        .write_all(&script)
        .context("failed to print the completions")?;
    Ok(Status::Done)
}

/// The command line as it is shown to people: verbs that are hidden would be offered with the others.
fn command_line() -> Command {
    let all = Cli::command();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set());
    Command::new("buildproxy")
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments())
        .subcommands(verbs)
}
