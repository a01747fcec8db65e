//! What a person reads at the end of a capture.

use std::{fmt, path::Path};

use super::output::Written;
use crate::{
    capture::{Astray, Record, Vendored},
    emit::{Changed, Kept},
    inventory::{Body, moving::moving},
    report::{chain, count, options},
};

/// A vendored body above this many bytes is warned of, as a repository is no place for it.
const LARGE: u64 = 1 << 20;

/// The same, for all of them together.
const LARGE_IN_ALL: u64 = 10 << 20;

/// What a capture came to. Displayed, it is what a person reads at the end.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    /// The inventory.
    pub(super) path: &'a Path,
    /// What was done with the downloads: `captured`, say.
    pub(super) verb: &'static str,
    /// What was written.
    pub(super) written: &'a Written,
    /// What could not be recorded, or not surely.
    pub(super) record: &'a Record,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written {
            recording,
            merged,
            replaced,
            ..
        } = self.written;
        let pins = recording
            .entries
            .iter()
            .filter(|entry| matches!(entry.body, Body::Pin(_)));
        writeln!(
            f,
            "{}: {} {} ({} new, {} pinned, {} vendored, {} by redirects)",
            self.path.display(),
            count(recording.entries.len(), "download"),
            self.verb,
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
        for file in replaced {
            writeln!(
                f,
                "  restored: {}: it had other bytes than were captured",
                file.display()
            )?;
        }
        for (changed, kept) in &merged.changed {
            self.changed(f, "changed", changed)?;
            writeln!(f, "; {kept}")?;
        }
        for updated in &merged.updated {
            self.changed(f, "updated", updated)?;
            writeln!(f)?;
        }
        if !merged.mended.is_empty() {
            writeln!(f, "  deleted: {}", merged.mended)?;
        }
        for &new in &merged.added {
            let Body::Pin(pin) = &recording.entries[new].body else {
                continue;
            };
            if let Some(moving) = moving(&pin.url) {
                writeln!(f, "  moving: {}: it names {moving}", pin.url)?;
            }
        }
        self.unsettled(f)?;
        self.hints(f)
    }
}

impl Summary<'_> {
    /// What could not be recorded, or not surely.
    fn unsettled(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for url in self.record.unstable.union(&self.written.recording.unstable) {
            writeln!(
                f,
                "  unstable: {url}: gave different bodies, the last one is recorded"
            )?;
        }
        for url in &self.record.differing_ranges {
            writeln!(
                f,
                "  unstable: {url}: a range had other bytes than the whole, which is recorded"
            )?;
        }
        for (redirected, Astray { asked, meant, .. }) in &self.record.astray {
            writeln!(
                f,
                "  astray: {asked} failed, but relative to where {redirected} leads it is {meant}, which is there"
            )?;
        }
        for (url, error) in &self.written.recording.refused {
            writeln!(f, "  skipped: {url}: {error}")?;
        }
        for skipped in &self.record.skipped {
            writeln!(f, "  skipped: {}", chain(skipped))?;
        }
        let number = self.record.beyond;
        if number > 0 {
            writeln!(
                f,
                "  skipped: {number} more, beyond what a capture can hold"
            )?;
        }
        Ok(())
    }

    /// What a person may want to do about it.
    fn hints(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written {
            recording,
            merged,
            ignorable,
            ..
        } = self.written;
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
        for (page, names) in ignorable {
            let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let quoted = quoted.join(" and ");
            let options = options("--ignore-query", names.iter());
            writeln!(
                f,
                "hint: {page} gave the same bytes with another {quoted}; if that is another each time, take \
                 `{}`, so that a replay answers any",
                options.trim_start()
            )?;
        }
        let globs = self.record.astray.values().map(|astray| &astray.glob);
        let globs = options("--keep-redirects", globs);
        if !globs.is_empty() {
            writeln!(
                f,
                "hint: `{}` gives these redirects to the client",
                globs.trim_start()
            )?;
        }
        if merged
            .changed
            .iter()
            .any(|(_, kept)| *kept == Kept::Unasked)
        {
            writeln!(
                f,
                "hint: `--update` replaces what changed, `--replace` starts afresh"
            )?;
        }
        Ok(())
    }

    /// An entry of the inventory that is answered otherwise now; without the end of the line.
    fn changed(&self, f: &mut fmt::Formatter<'_>, word: &str, changed: &Changed) -> fmt::Result {
        let Changed {
            captured,
            line,
            difference,
        } = changed;
        let url = &self.written.recording.entries[*captured].url;
        write!(f, "  {word}: {url}")?;
        if let Some(line) = line {
            write!(f, " (line {line})")?;
        }
        write!(f, ": {difference}")
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
