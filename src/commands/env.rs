//! `buildproxy env`: the variables that clients get.

use std::{
    borrow::Cow,
    io::{self, Write, stdout},
};

use super::{Context, Failure, Status};

use crate::{
    cli::EnvArgs,
    trust::{Settings, TABLE, Variable, inherited},
};

pub(super) fn run(args: &EnvArgs) -> Result<Status, Failure> {
    let settings = Settings::read(inherited);
    let lines: Vec<_> = TABLE
        .iter()
        .filter(|line| line.is_set(&settings, inherited))
        .map(|line| (line.name_beside(inherited), line))
        .collect();
    let print = if args.list { table } else { names };
    print(&mut stdout().lock(), &lines).context("failed to print the variables")?;
    Ok(Status::Done)
}

type Line<'a> = (Cow<'static, str>, &'a Variable);

fn names(to: &mut dyn Write, lines: &[Line<'_>]) -> io::Result<()> {
    lines
        .iter()
        .try_for_each(|(name, _)| writeln!(to, "{name}"))
}

/// In columns: the name, what it is set to, and who reads it.
fn table(to: &mut dyn Write, lines: &[Line<'_>]) -> io::Result<()> {
    let names = lines.iter().map(|(name, _)| name.len()).max();
    let values = lines.iter().map(|(_, line)| line.value.to_string().len());
    let (names, values) = (names.unwrap_or(0), values.max().unwrap_or(0));
    lines.iter().try_for_each(|(name, line)| {
        let (value, clients) = (line.value, line.clients);
        writeln!(to, "{name:names$}  {value:values$}  {clients}")
    })
}
