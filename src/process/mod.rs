//! The command that is run, and buildproxy itself as a process: signals, shells, the background.

mod child;
mod daemon;
mod limits;
mod shell;
mod watch;

pub use child::{ChildError, Job, Running, Signals, exit_code};
pub use daemon::{Fork, Inherited, fork};
pub use limits::raise_open_files;
pub use shell::Mode;
pub use watch::{alarm, ended};
