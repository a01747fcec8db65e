//! What a capture takes in before it says that it is enough.
//!
//! A limit is for what would otherwise fill a disk or the memory without anybody's noticing. None of them
//! changes what the client gets: what goes beyond is passed on, and reported as not recorded.

use std::{fmt, str::FromStr};

/// So many exchanges are recorded. Each takes some hundred bytes of memory, and a line of thought of
/// whoever reviews the inventory.
pub(super) const MAX_EXCHANGES: usize = 100_000;

/// So many requests that could not be recorded are told of.
pub(super) const MAX_SKIPPED: usize = 10_000;

/// The units, and how many bytes they are.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// A number of bytes, as people write it: `2GiB`, `500 MB`, `4096`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

/// What is wrong with a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a size such as 500MB, 2GiB, or a number of bytes")]
pub struct SizeError(String);

impl Size {
    /// In bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let fail = || SizeError(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit());
        let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
        let unit = unit.trim_start();
        let bytes = if digits.is_none() {
            1
        } else {
            let known = UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit));
            known.ok_or_else(fail)?.1
        };
        let number: u64 = number.parse().map_err(|_| fail())?;
        number.checked_mul(bytes).map(Self).ok_or_else(fail)
    }
}

/// In the largest unit of 1024s that keeps it whole.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS[..4]
            .iter()
            .find(|(_, bytes)| self.0 != 0 && self.0.is_multiple_of(*bytes));
        let (name, bytes) = unit.copied().unwrap_or(("B", 1));
        write!(f, "{}{name}", self.0 / bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("1B", 1),
            ("2GiB", 2 << 30),
            ("2 gib", 2 << 30),
            ("500MB", 500_000_000),
            ("1kB", 1000),
            ("16TiB", 16 << 40),
        ] {
            assert_eq!(text.parse::<Size>().unwrap().bytes(), bytes, "{text}");
        }
        for text in [
            "",
            "GiB",
            "-1",
            "1.5GiB",
            "2G",
            "2GiBs",
            "1 2",
            " 1",
            "99999999TiB",
            "1 ",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_size_reads_back() {
        for text in ["0B", "1B", "1023B", "1KiB", "1025B", "2GiB", "3072GiB"] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
        }
        assert_eq!("2048MiB".parse::<Size>().unwrap().to_string(), "2GiB");
    }
}
