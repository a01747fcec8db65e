//! `buildproxy env`: the variables that clients get.

use std::io::{self, Write, stdout};

use super::{Context, Failure, Status};
use crate::{cli::EnvArgs, trust::TABLE};

pub(super) fn run(args: &EnvArgs) -> Result<Status, Failure> {
    let print = if args.list { table } else { names };
    print(&mut stdout().lock()).context("failed to print the variables")?;
    Ok(Status::Done)
}

fn names(to: &mut impl Write) -> io::Result<()> {
    TABLE
        .iter()
        .try_for_each(|line| writeln!(to, "{}", line.name))
}

/// In columns: the name, what it is set to, and who reads it.
fn table(to: &mut impl Write) -> io::Result<()> {
    let names = TABLE.iter().map(|line| line.name.len()).max();
    let values = TABLE.iter().map(|line| line.value.to_string().len()).max();
    let (names, values) = (names.unwrap_or(0), values.unwrap_or(0));
    TABLE.iter().try_for_each(|line| {
        let (name, value, clients) = (line.name, line.value, line.clients);
        writeln!(to, "{name:names$}  {value:values$}  {clients}")
    })
}
