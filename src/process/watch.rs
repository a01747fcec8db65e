//! A process that is not a child: its end is waited for, and it can be told of what it waits for in vain.

use std::{io, thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::sync::oneshot;

/// How often a process is looked for, on systems that cannot tell of its end.
const INTERVAL: Duration = Duration::from_millis(500);

/// Signals `process`, a shell, that a build in it is to fail. One that has ended needs no telling.
///
/// A shell with a handler runs it as soon as the command that it waits for has ended, whatever it does with
/// that command's status, and whatever becomes of its other handlers.
pub fn alarm(process: Pid) {
    let _ = kill_process(process, Signal::USR2);
}

/// Waits until `process` has ended. One that is not there has.
pub async fn ended(process: Pid) {
    let (told, ended) = oneshot::channel();
    // A thread of its own, and not one of tokio's, for which the runtime would wait when it ends.
    thread::spawn(move || {
        if wait(process).is_err() {
            while test_kill_process(process) != Err(rustix::io::Errno::SRCH) {
                thread::sleep(INTERVAL);
            }
        }
        told.send(())
    });
    let _ = ended.await;
}

#[cfg(target_os = "linux")]
fn wait(process: Pid) -> io::Result<()> {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::retry_on_intr,
        process::{PidfdFlags, pidfd_open},
    };

    let descriptor = pidfd_open(process, PidfdFlags::empty())?;
    // It becomes readable when the process ends.
    retry_on_intr(|| poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], None))?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn wait(_: Pid) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
