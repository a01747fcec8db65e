//! The command that is run, and buildproxy itself as a process: signals, shells, the background.

mod child;
mod daemon;
mod shell;
mod watch;

pub use child::{ChildError, Job, Running, Signals, exit_code};
pub use daemon::{Fork, fork};
pub use shell::Mode;
pub use watch::ended;
