//! What a replay did, as it is told when it ends.

use std::fmt;

use http::Method;

use super::Miss;
use crate::report::shell_word;

/// What a replay did so far.
#[derive(Clone, Debug)]
pub struct Summary {
    /// How many requests were answered.
    pub answered: u64,
    /// What was asked for and not answered, in order of the URLs, and how often.
    pub misses: Vec<(Miss, u32)>,
    /// What captures into the inventory, as a shell reads it, up to the `--`.
    pub(super) capture: String,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.answered {
            0 => write!(f, "no request was answered")?,
            1 => write!(f, "1 request was answered")?,
            answered => write!(f, "{answered} requests were answered")?,
        }
        if self.misses.is_empty() {
            return Ok(());
        }
        let capture = &self.capture;
        writeln!(f, "; these were not, as the inventory does not have them:")?;
        for (miss, times) in &self.misses {
            match times {
                1 => writeln!(f, "  {miss}")?,
                times => writeln!(f, "  {miss} ({times} times)")?,
            }
            // HEAD is answered from GET.
            if miss.method == Method::GET || miss.method == Method::HEAD {
                let url = shell_word(miss.url.without_secrets().as_str());
                writeln!(f, "    {capture} -- curl -sSfo /dev/null {url}")?;
            }
        }
        write!(
            f,
            "hint: run the build under `{capture}` to add what is missing"
        )
    }
}
