//! Goes on in the background.

use std::{
    fs::{self, OpenOptions},
    io,
    os::fd::{FromRawFd, OwnedFd, RawFd},
    path::Path,
};

use rustix::process::{Pid, setsid};

/// The descriptors of this process, by their numbers.
const DESCRIPTORS: &str = "/dev/fd";

/// The descriptors beyond standard error that whoever started this process left open in it: a lock, or the
/// pipe of make's job server.
#[derive(Debug)]
pub struct Inherited(Vec<RawFd>);

impl Inherited {
    /// Those that are open now, where the system can tell. Right only before anything is opened.
    #[must_use]
    pub fn of_start() -> Self {
        let Ok(all) = fs::read_dir(DESCRIPTORS) else {
            return Self(Vec::new());
        };
        let numbers = all.filter_map(|one| one.ok()?.file_name().to_str()?.parse().ok());
        let mut numbers: Vec<RawFd> = numbers.filter(|&number| number > 2).collect();
        // One of them was that of the folder itself.
        numbers.retain(|number| {
            let open = Path::new(DESCRIPTORS).join(number.to_string());
            open.symlink_metadata().is_ok()
        });
        Self(numbers)
    }

    /// Closes them.
    fn close(self) {
        for number in self.0 {
            #[expect(
                unsafe_code,
                reason = "a number need not be that of a descriptor that is open, or may be another's"
            )]
            // SAFETY: it was open when this process had opened nothing, and nothing in it was told of it.
            drop(unsafe { OwnedFd::from_raw_fd(number) });
        }
    }
}

/// Which of the two processes this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The one that was started, and the id of the other.
    Foreground(Pid),
    /// The one that goes on.
    Background,
}

/// Splits this process in two. The one in the background has a session of its own, and reads and
/// writes nothing but standard error: what it has to say belongs in the log of the build. It has nothing of
/// `inherited`: who waits for a lock or for the end of a pipe waits for whoever has it open.
///
/// Whatever can fail is best done before, while somebody waits for the exit status. Sockets that
/// listen do so on both sides, so that a client may connect as soon as the foreground has ended.
///
/// # Errors
///
/// Where the system has no process to give.
pub fn fork(inherited: Inherited) -> io::Result<Fork> {
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
            // So as to hold neither what is not its own nor the folder of a build. Before standard output,
            // whose end tells whoever reads it that this is done.
            inherited.close();
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
