//! How to talk with a person: in one piece, visibly, with all that lies behind an error.

use std::{
    error::Error,
    io::{self, Write, stderr},
};

use crate::visible::visible;

/// Standard error, with what came from outside made [`visible`].
#[derive(Debug)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let shown = String::from_utf8_lossy(text);
        // Nobody is left to be told that standard error is closed.
        let _ = stderr().write_all(visible(&shown).as_bytes());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

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

/// Says something to the person, in one piece, so that nothing that the command says gets into it, and
/// [`visible`], so that nothing that came from outside can command a terminal. All talk goes through here.
pub fn say(text: &str) {
    let _ = Log.write_all(format!("buildproxy: {text}\n").as_bytes());
}

/// A word in quotes, as a POSIX shell reads it.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The same, in quotes only where it needs them.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// An option for each value, as a POSIX shell reads it, with a space before it.
pub(crate) fn options(name: &str, values: impl Iterator<Item = impl ToString>) -> String {
    let option = |value| format!(" {name} {}", shell_word(&ToString::to_string(&value)));
    values.map(option).collect()
}

/// A number of things.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}
