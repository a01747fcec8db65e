//! Talk with the person: error chains, hints, and the summary of a capture.

use std::{
    error::Error,
    fmt,
    io::{Write, stderr},
    path::Path,
};

#[cfg(target_os = "linux")]
use crate::transparent::TransparentError;
use crate::{
    capture::{Recording, Skipped, Vendored},
    commands::InventoryError,
    emit::{Changed, Merged},
    inventory::{Body, Url},
};

/// The exit status of whatever has none of its own.
const FAILED: u8 = 1;

/// The exit status of an inventory that cannot be used.
const WRONG_INVENTORY: u8 = 3;

/// A vendored body above this many bytes is warned of, as a repository is no place for it.
const LARGE: u64 = 1 << 20;

/// The same, for all of them together.
const LARGE_IN_ALL: u64 = 10 << 20;

/// An error and what lies behind it, in one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Some errors repeat their source in their own message.
        if !line.ends_with(&cause) {
            line.push_str(": ");
            line.push_str(&cause);
        }
        source = error.source();
    }
    line
}

/// Says something to the person, in one piece, so that nothing that the command says gets into it.
pub fn say(text: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = stderr().write_all(format!("buildproxy: {text}\n").as_bytes());
}

/// Tells a person what went wrong and what to do, and gives the exit status for it.
#[must_use]
pub fn failure(error: &anyhow::Error) -> u8 {
    say(&chain(error.as_ref()));
    #[cfg(target_os = "linux")]
    if let Some(error) = error.downcast_ref::<TransparentError>()
        && let Some(hint) = error.hint()
    {
        eprintln!("hint: {hint}");
    }
    let Some(inventory) = error.downcast_ref::<InventoryError>() else {
        return FAILED;
    };
    if let Some(hint) = inventory.hint() {
        eprintln!("hint: {hint}");
    }
    WRONG_INVENTORY
}

/// What a capture came to. Displayed, it is what a person reads at the end.
#[derive(Debug)]
pub struct Summary<'a> {
    /// The inventory.
    pub path: &'a Path,
    /// What was captured.
    pub recording: &'a Recording,
    /// What of it the inventory did not have.
    pub merged: &'a Merged,
    /// What could not be recorded.
    pub skipped: &'a [Skipped],
    /// What answered twice, and differently.
    pub unstable: &'a [Url],
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            recording, merged, ..
        } = self;
        let pins = recording
            .entries
            .iter()
            .filter(|entry| matches!(entry.body, Body::Pin(_)));
        writeln!(
            f,
            "buildproxy: {}: {} captured ({} new, {} pinned, {} vendored, {} by redirects)",
            self.path.display(),
            count(recording.entries.len(), "download"),
            merged.added.len(),
            pins.count(),
            recording.vendored.len(),
            recording.redirected,
        )?;
        for Vendored {
            url,
            reason,
            length,
            ..
        } in &recording.vendored
        {
            let large = if *length > LARGE { " (large)" } else { "" };
            writeln!(f, "  vendored: {url} ({}): {reason}{large}", size(*length))?;
        }
        for changed in &merged.changed {
            let Changed {
                captured,
                line,
                difference,
            } = changed;
            let url = &recording.entries[*captured].url;
            write!(f, "  changed: {url}")?;
            if let Some(line) = line {
                write!(f, " (line {line})")?;
            }
            writeln!(f, ": {difference}; the inventory keeps what it has")?;
        }
        for url in self.unstable {
            writeln!(
                f,
                "  unstable: {url}: gave different bodies, the last one is recorded"
            )?;
        }
        for (url, error) in &recording.refused {
            writeln!(f, "  skipped: {url}: {error}")?;
        }
        for skipped in self.skipped {
            writeln!(f, "  skipped: {}", chain(skipped))?;
        }
        let vendored: u64 = recording
            .vendored
            .iter()
            .map(|vendored| vendored.length)
            .sum();
        if vendored > LARGE_IN_ALL || recording.vendored.iter().any(|one| one.length > LARGE) {
            let all = size(vendored);
            writeln!(
                f,
                "warning: the vendored bodies have {all} in all, and your repository gets them"
            )?;
            writeln!(
                f,
                "hint: `--pin GLOB` pins what a plain download gives after all"
            )?;
        }
        if !merged.changed.is_empty() {
            writeln!(
                f,
                "hint: `--replace` starts afresh, with what was captured now"
            )?;
        }
        Ok(())
    }
}

/// A number of things.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let amount = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", amount / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", amount / 1_048_576.0),
        _ => format!("{:.1} GiB", amount / 1_073_741_824.0),
    }
}
