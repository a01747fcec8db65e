//! `buildproxy export`: prints an inventory as another tool's lock.

use std::{
    io::{Read, Write, stdout},
    path::Path,
};

use super::{Context, Failure, Status, inventory};
use crate::{
    cli::{ExportArgs, LockFormat},
    mitm_cache,
    regular_file::{Links, open_regular},
    report::{count, say},
};

pub(super) fn run(args: &ExportArgs) -> Result<Status, Failure> {
    let path = std::path::absolute(&args.file)?;
    let document = inventory::read_document(&path, &args.evaluation)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let entries = document.entries();
    let LockFormat::MitmCache = args.format;
    let (lock, left) = mitm_cache::lock_of(entries.iter().map(|located| &located.entry), |body| {
        let mut bytes = Vec::new();
        open_regular(&folder.join(body), Links::Follow)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    stdout()
        .write_all(mitm_cache::write(&lock).as_bytes())
        .context("failed to print the lock")?;
    let file = args.file.display();
    for (place, why) in &left {
        let located = &entries[*place];
        let (line, url) = (located.line, &located.entry.url);
        say(&format!("{file}:{line}: {url} is left out: {why}"));
    }
    say(&format!(
        "{file}: {} exported, {} left out",
        count(lock.pages.len(), "URL"),
        left.len(),
    ));
    // The lock may not say all.
    Ok(Status::done_if(left.is_empty()))
}
