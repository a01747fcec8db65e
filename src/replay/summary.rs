//! What a replay did, as it is told when it ends.

use std::{fmt, path::PathBuf};

use http::Method;

use super::{Miss, Missed};
use crate::{
    inventory::query::IgnoredQuery,
    report::{options, shell_word},
};

/// So many misses are listed each with the command that adds it. Where there are more, nobody would give
/// them one by one.
const WITH_COMMAND: usize = 20;

/// What a replay did so far.
#[derive(Clone, Debug)]
pub struct Summary {
    /// How many requests were answered.
    pub answered: u64,
    /// How many could not be, though the inventory has them: a body cannot be read, or an entry is wrong.
    pub failed: u64,
    /// What was asked for and not answered, in order of the URLs.
    pub misses: Vec<(Miss, Missed)>,
    /// The `proxy_content.nix` that would have to have them.
    pub(super) file: PathBuf,
}

impl Summary {
    /// How much was asked for and not answered; each miss counts once.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.failed + self.misses.len() as u64
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.answered {
            0 => write!(f, "no request was answered")?,
            1 => write!(f, "1 request was answered")?,
            answered => write!(f, "{answered} requests were answered")?,
        }
        if self.failed > 0 {
            let failed = self.failed;
            write!(f, ", and {failed} could not be, as the log above says")?;
        }
        if self.misses.is_empty() {
            return Ok(());
        }
        let file = shell_word(&self.file.to_string_lossy());
        writeln!(f, "; these were not, as the inventory does not have them:")?;
        for (number, (miss, missed)) in self.misses.iter().enumerate() {
            match missed.times {
                1 => writeln!(f, "  {miss}")?,
                times => writeln!(f, "  {miss} ({times} times)")?,
            }
            // HEAD is answered from GET.
            let can_be_added = miss.method == Method::GET || miss.method == Method::HEAD;
            if number < WITH_COMMAND && can_be_added {
                let url = shell_word(miss.url.without_secrets().as_str());
                let headers = miss.headers.iter();
                let headers = headers.map(|(name, value)| format!("{name}: {value}"));
                let headers = options("--header", headers);
                writeln!(f, "    buildproxy add {file} {url}{headers}")?;
                if let Some(names) = &missed.ignorable {
                    writeln!(f, "    hint: {}", only_values(names))?;
                }
            }
        }
        write!(
            f,
            "hint: to add all that is missing, run the build under `buildproxy capture -o {file}`"
        )
    }
}

/// What can be done about a URL that differs from that of an entry in the values of these parameters alone.
pub(super) fn only_values(names: &IgnoredQuery) -> String {
    let value = if names.len() == 1 { "value" } else { "values" };
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let quoted = quoted.join(" and ");
    let options = options("--ignore-query", names.iter());
    let options = options.trim_start();
    format!(
        "an entry differs in the {value} of {quoted} alone; if that says nothing, `{options}` lets any do"
    )
}
