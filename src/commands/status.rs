//! How buildproxy ends.

use std::process::ExitCode;

/// What a verb came to, for whoever started it. The README lists these under "Exit status".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All was done.
    Done,
    /// Something was not done, or not all of it, or is not as it was to be.
    Failed,
    /// The command line means nothing.
    Usage,
    /// An inventory or a lock is unreadable or wrong.
    Wrong,
    /// Something was missed that was not to be.
    Missed,
    /// The command's own.
    Command(u8),
}

impl Status {
    /// Whether all was done.
    pub(super) fn done_if(all: bool) -> Self {
        if all { Self::Done } else { Self::Failed }
    }

    /// The number that the system is given.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Wrong => 3,
            Self::Missed => 4,
            Self::Command(code) => code,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}
