//! `buildproxy man`: the man pages. What they say of verbs and options is what `--help` says; the rest is
//! written by hand, in man.roff.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::{Context, Failure, Status};
use crate::cli::Cli;

/// The sections that are about all verbs, of the page of buildproxy itself: roff, by the macros of man(7).
const SECTIONS: &str = include_str!("man.roff");

/// What the page of a verb ends with.
const SEE_ALSO: &str = ".SH \"SEE ALSO\"\n.BR buildproxy (1)\n";

pub(super) fn run(folder: &Path) -> Result<Status, Failure> {
    write(folder)
        .with_context(|| format!("failed to write man pages into '{}'", folder.display()))?;
    Ok(Status::Done)
}

/// `buildproxy.1`, and `buildproxy-VERB.1` of each verb that is shown to people.
fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut buildproxy = Cli::command()
        .disable_help_subcommand(true)
        .subcommand_help_heading("VERBS")
        .subcommand_value_name("verb");
    buildproxy.build();

    let verbs = buildproxy.get_subcommands();
    for verb in verbs.filter(|verb| !verb.is_hide_set()) {
        let (page, mut file) = start(verb, folder)?;
        page.render(&mut file)?;
        file.write_all(SEE_ALSO.as_bytes())?;
        file.flush()?;
    }

    let (page, mut file) = start(&buildproxy, folder)?;
    page.render_title(&mut file)?;
    page.render_name_section(&mut file)?;
    page.render_synopsis_section(&mut file)?;
    page.render_description_section(&mut file)?;
    page.render_subcommands_section(&mut file)?;
    page.render_options_section(&mut file)?;
    file.write_all(SECTIONS.as_bytes())?;
    file.flush()
}

/// The page of a command, and its file, with nothing in it yet.
fn start(command: &Command, folder: &Path) -> io::Result<(Man, BufWriter<File>)> {
    // As `--help` has it: made of the options, it would be all of them, and not say what `--` ends.
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let page = Man::new(command.clone().override_usage(usage))
        .source(concat!("buildproxy ", env!("CARGO_PKG_VERSION")))
        .manual("buildproxy");
    let file = File::create(folder.join(page.get_filename()))?;
    Ok((page, BufWriter::new(file)))
}
