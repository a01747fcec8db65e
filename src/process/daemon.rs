//! Goes on in the background.

use std::{fs::OpenOptions, io, path::Path};

use rustix::process::{Pid, setsid};

/// Which of the two processes this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The one that was started, and the id of the other.
    Foreground(Pid),
    /// The one that goes on.
    Background,
}

/// Splits this process in two. The one in the background has a session of its own, and reads and
/// writes nothing but standard error: what it has to say belongs in the log of the build.
///
/// Whatever can fail is best done before, while somebody waits for the exit status. Sockets that
/// listen do so on both sides, so that a client may connect as soon as the foreground has ended.
///
/// # Errors
///
/// Where the system has no process to give.
pub fn fork() -> io::Result<Fork> {
    #[expect(
        unsafe_code,
        reason = "to fork is unsafe where there are threads; there are none by then"
    )]
    // SAFETY: the command line is parsed and the inventory read on the only thread there is; where
    // pins were fetched, that runtime has ended, and waited for its threads.
    let id = unsafe { libc::fork() };
    match id {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            setsid()?;
            let null = OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/null")?;
            // So as not to hold the folder of a build. Before standard output, whose end tells whoever
            // reads it that this is done.
            std::env::set_current_dir(Path::new("/"))?;
            rustix::stdio::dup2_stdin(&null)?;
            rustix::stdio::dup2_stdout(&null)?;
            Ok(Fork::Background)
        }
        id => {
            let other =
                Pid::from_raw(id).ok_or_else(|| io::Error::other("fork gave no process id"))?;
            Ok(Fork::Foreground(other))
        }
    }
}
