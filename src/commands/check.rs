//! `buildproxy check`: says what is wrong with an inventory.

use std::{
    io::{Write, stdout},
    path::Path,
};

use super::{
    Context, Failure, InventoryError, Status,
    fetch::fetch_all,
    inventory::{self, Format, Inspection},
    output::Target,
};
use crate::{
    bodies::BodyCache,
    check::{
        Finding, Severity, altered, damaged, examine, fetched, known_length, lengths, missing,
        repeats, unused, wrong_length,
    },
    cli::{CheckArgs, UpstreamArgs},
    inventory::{Body, Pin, nix::Located},
    report::{count, say},
    upstream::Keep,
};

pub(super) fn run(args: &CheckArgs) -> Result<Status, Failure> {
    let path = std::path::absolute(&args.file)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Without one, less is known.
    let cache = args.cache.open().ok();
    if args.fix {
        fix(args, cache.as_ref())?;
    }
    let Inspection {
        format,
        listing,
        mut findings,
    } = inventory::inspect(&path, &args.evaluation)?;
    let entries = &listing.entries;
    // What an entry uses that cannot be read is not known.
    if format == Format::Nix && findings.is_empty() {
        let vendored = path.file_stem().unwrap_or_default();
        findings.extend(unused(entries, folder, Path::new(vendored))?);
    }
    findings.extend(missing(entries, folder));
    findings.extend(altered(entries, folder));
    if let Some(cache) = &cache {
        findings.extend(damaged(entries, cache));
    }
    findings.extend(repeats(&listing));
    findings.extend(lengths(entries, |body| {
        known_length(body, folder, cache.as_ref())
    }));
    let examined = examine(entries);
    if args.fetch {
        findings.extend(prove(entries, &args.upstream)?);
        // That a hash is missing is said by the proof, with the hash.
        let warnings = examined.into_iter();
        findings.extend(warnings.filter(|finding| finding.severity == Severity::Warning));
    } else {
        findings.extend(examined);
    }
    findings.sort_by_key(|finding| (finding.line.is_none(), finding.line));

    let text: String = findings
        .iter()
        .map(|finding| finding.text(&args.file))
        .collect();
    let printed = stdout().write_all(text.as_bytes());
    printed.context("failed to print what was found")?;
    say(&summary(&args.file, entries.len(), &findings));
    let wrong = findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    Ok(if wrong { Status::Wrong } else { Status::Done })
}

/// Takes out of the file what is there in vain, as far as that can be told without asking.
fn fix(args: &CheckArgs, cache: Option<&BodyCache>) -> Result<(), Failure> {
    let target = Target::new(&args.file)?;
    let _turn = target.turn();
    // Its folder is that of the link to it.
    let path = std::path::absolute(&args.file)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let file = args.file.display();
    let document = match inventory::read_document(target.path(), &args.evaluation) {
        Err(InventoryError::Nix { .. }) => {
            say(&format!(
                "{file}: nothing is deleted while there are errors"
            ));
            return Ok(());
        }
        read => read?,
    };
    let mending = document.mending(
        |_| true,
        |_, located| {
            let length = known_length(&located.entry.body, folder, cache);
            length.is_some_and(|length| wrong_length(located, length).is_some())
        },
    );
    if !mending.is_empty() {
        target.write(&document.mended(&mending))?;
        say(&format!("{file}: deleted {mending}"));
    }
    Ok(())
}

fn summary(file: &Path, entries: usize, findings: &[Finding]) -> String {
    let number = |severity| {
        let of = findings
            .iter()
            .filter(|finding| finding.severity == severity);
        of.count()
    };
    let entries = match entries {
        1 => "1 entry".to_owned(),
        number => format!("{number} entries"),
    };
    let found = match (number(Severity::Error), number(Severity::Warning)) {
        (0, 0) => "nothing wrong".to_owned(),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    format!("{}: {entries}, {found}", file.display())
}

/// Fetches every pin.
fn prove(entries: &[Located], upstream: &UpstreamArgs) -> Result<Vec<Finding>, Failure> {
    let used: Vec<(&Located, &Pin)> = entries
        .iter()
        .filter_map(|located| match &located.entry.body {
            // That only Nix can fetch one is said already.
            Body::Pin(pin) if pin.option.is_none() => Some((located, pin)),
            _ => None,
        })
        .collect();
    let wanted: Vec<_> = used
        .iter()
        .map(|(_, pin)| (*pin, pin.algorithm()))
        .collect();
    let outcomes = fetch_all(&wanted, upstream, Keep::No)?;
    let outcomes = used.iter().zip(&outcomes);
    let findings = outcomes.filter_map(|((located, pin), outcome)| fetched(located, pin, outcome));
    Ok(findings.collect())
}
