//! Runs a command in the foreground, and passes signals on.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    path::Path,
    process::ExitStatus,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    signal::unix::{self, SignalKind, signal},
};

use super::shell::{Mode, subshell};

/// Why a command did not run.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// There is no such program, or it may not be run.
    #[error("failed to run '{}'", program.display())]
    Spawn {
        /// The program, as it was given.
        program: OsString,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be told how it ended.
    #[error("failed to wait for the command")]
    Wait(#[source] io::Error),
}

/// The signals that ask a program to end. From the moment that this is made they do not end
/// buildproxy itself, which has a record to write.
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    quit: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// Takes the signals.
    ///
    /// # Errors
    ///
    /// Where the system has no signals to give.
    pub fn take() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hangup.recv() => Signal::HUP,
        }
    }
}

/// What is run in the foreground: a command, or a shell.
#[derive(Debug)]
pub struct Job {
    command: Command,
    /// What a shell reads when it starts.
    files: Option<TempDir>,
}

impl Job {
    /// The program and its arguments; without any, the user's shell, whose prompt tells of `mode`.
    ///
    /// # Errors
    ///
    /// Where the folder for temporary files cannot be written.
    pub fn new(command: &[OsString], mode: Mode) -> io::Result<Self> {
        if let [program, arguments @ ..] = command {
            let mut command = Command::new(program);
            command.args(arguments);
            return Ok(Self {
                command,
                files: None,
            });
        }
        let (command, files) = subshell(mode)?;
        Ok(Self {
            command,
            files: Some(files),
        })
    }

    /// Adds to the environment that it inherits.
    pub fn envs<'a>(&mut self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.command.envs(variables);
    }

    /// Takes from the environment that it inherits.
    pub fn envs_remove<'a>(&mut self, variables: impl IntoIterator<Item = &'a str>) {
        for variable in variables {
            self.command.env_remove(variable);
        }
    }

    /// What is run.
    #[must_use]
    pub fn program(&self) -> OsString {
        self.command.as_std().get_program().to_owned()
    }

    /// Has it run by another program, `runner verb -- program argument…`, with `stdin` as standard input.
    pub fn run_by(&mut self, runner: &Path, verb: &str, stdin: OwnedFd) {
        let own = self.command.as_std();
        let mut command = Command::new(runner);
        command.args([verb, "--"]).arg(own.get_program());
        command.args(own.get_args()).stdin(stdin);
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => command.env::<&OsStr, _>(name, value),
                None => command.env_remove(name),
            };
        }
        self.command = command;
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// Where it cannot be run.
    pub fn start(mut self) -> Result<Running, ChildError> {
        let spawned = self.command.spawn();
        let child = spawned.map_err(|source| ChildError::Spawn {
            program: self.program(),
            source,
        })?;
        Ok(Running {
            child,
            _files: self.files,
        })
    }
}

/// A job that was started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    _files: Option<TempDir>,
}

impl Running {
    /// Waits for its end. Signals that arrive meanwhile are the command's.
    ///
    /// # Errors
    ///
    /// Where the system cannot tell.
    pub async fn wait(mut self, signals: &mut Signals) -> Result<ExitStatus, ChildError> {
        let pid = self.child.id();
        let pid = pid.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        loop {
            tokio::select! {
                status = self.child.wait() => return status.map_err(ChildError::Wait),
                signal = signals.next() => {
                    let from_keyboard = matches!(signal, Signal::INT | Signal::QUIT);
                    if let Some(pid) = pid && !(from_keyboard && in_foreground()) {
                        // It may have ended just now.
                        let _ = kill_process(pid, signal);
                    }
                }
            }
        }
    }
}

/// Whether this process belongs to the foreground of a terminal. A key that sends a signal then sends it
/// to the command as well.
fn in_foreground() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else {
        return false;
    };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// The exit status as a shell gives it: the command's own, or 128 and the signal that ended it.
#[must_use]
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
