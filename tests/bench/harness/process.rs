//! Processes: on which core, and what they took.

use std::{
    fs, io,
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rustix::{
    process::{Pid, Signal, kill_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// Who runs on a core.
#[derive(Clone, Copy, Debug)]
pub(super) enum Core {
    /// The program that is measured.
    Server,
    /// We.
    Client,
}

/// Does something on a core of its own: the first that there is, or the second. What is started by it stays
/// there.
pub(super) fn pinned<T>(core: Core, work: impl FnOnce() -> T) -> io::Result<T> {
    let before = sched_getaffinity(None)?;
    let allowed = (0..CpuSet::MAX_CPU).filter(|cpu| before.is_set(*cpu));
    let chosen = match core {
        Core::Server => allowed.take(1).last(),
        Core::Client => allowed.take(2).last(),
    };
    let mut only = CpuSet::new();
    only.set(chosen.unwrap_or(0));
    sched_setaffinity(None, &only)?;
    let done = work();
    sched_setaffinity(None, &before)?;
    Ok(done)
}

/// Runs a program to its end, and gives what it printed.
pub(super) fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let output = command
        .output()
        .with_context(|| format!("failed to run '{program}'"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("'{program}' ended with {}: {said}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr))
}

/// Does something, and gives the time that this thread was on a core.
pub(super) fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(Duration, T)> {
    let thread = Path::new("/proc/thread-self");
    let before = on_core(thread)?;
    let done = work()?;
    Ok((Duration::from_nanos(on_core(thread)? - before), done))
}

/// The nanoseconds that a thread was on a core, of which `/proc` has this folder.
fn on_core(thread: &Path) -> anyhow::Result<u64> {
    let said = fs::read_to_string(thread.join("schedstat"))?;
    Ok(said.split_whitespace().next().unwrap_or_default().parse()?)
}

/// A process in the background, which is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Background {
    /// The process that does the work.
    worker: Pid,
    /// The process that is told to end.
    master: Pid,
    /// The same, where it is a child of ours.
    child: Option<Child>,
}

impl Background {
    pub(super) fn one(pid: Pid) -> Self {
        Self {
            worker: pid,
            master: pid,
            child: None,
        }
    }

    /// A child of ours.
    pub(super) fn child(child: Child) -> anyhow::Result<Self> {
        let pid = Pid::from_raw(i32::try_from(child.id())?).context("no process")?;
        Ok(Self {
            worker: pid,
            master: pid,
            child: Some(child),
        })
    }

    /// Waits for the end of a child of ours, which is to be a good one.
    pub(super) fn ended(mut self) -> anyhow::Result<()> {
        let child = self.child.as_mut().context("no child of ours")?;
        let status = child.wait()?;
        // There is nothing left to end.
        std::mem::forget(self);
        ensure!(status.success(), "a child ended with {status}");
        Ok(())
    }

    /// A process that has others do its work.
    pub(super) fn with_worker(master: Pid) -> anyhow::Result<Self> {
        let children = format!("/proc/{0}/task/{0}/children", master.as_raw_nonzero());
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            let found = fs::read_to_string(&children)?;
            let first = found.split_whitespace().next();
            if let Some(worker) = first.and_then(|pid| Pid::from_raw(pid.parse().ok()?)) {
                return Ok(Self {
                    worker,
                    master,
                    child: None,
                });
            }
            thread::sleep(Duration::from_millis(1));
        }
        bail!("{children} stays empty");
    }

    /// The time that it has spent on a core, all of its threads together.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        let tasks = format!("/proc/{}/task", self.worker.as_raw_nonzero());
        let mut nanoseconds = 0;
        for task in fs::read_dir(tasks)? {
            nanoseconds += on_core(&task?.path())?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory that it had at one time, in bytes.
    pub(super) fn peak(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.worker.as_raw_nonzero()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: u32 = kib.context("there is no VmHWM in /proc")?.parse()?;
        Ok(f64::from(kib) * 1024.0)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = kill_process(self.master, Signal::TERM);
        if let Some(child) = &mut self.child {
            let _ = child.wait();
            return;
        }
        while is_there(self.master) {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Whether a process still has anything: to give back much memory takes a while.
fn is_there(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    let state = |stat: String| Some(stat.rsplit_once(") ")?.1.starts_with('Z'));
    stat.ok().and_then(state) == Some(false)
}
