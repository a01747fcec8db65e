//! What the figures were measured on.

use std::{fmt, fs, thread};

use super::peer::Peer;

/// The machine, and the versions of the peers.
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    versions: Vec<String>,
}

impl Machine {
    pub(super) fn look(peers: &[Peer]) -> anyhow::Result<Self> {
        let cpus = fs::read_to_string("/proc/cpuinfo")?;
        let model = cpus.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "model name").then(|| value.trim().to_owned())
        });
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        Ok(Self {
            cpu: model.unwrap_or_else(|| "an unknown CPU".to_owned()),
            cores: thread::available_parallelism()?.get(),
            kernel: kernel.trim().to_owned(),
            versions: peers.iter().map(Peer::version).collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cpu,
            cores,
            kernel,
            versions,
        } = self;
        write!(
            f,
            "{cpu}, {cores} cores; Linux {kernel}; {}. The server has one core, the client another.",
            versions.join(", ")
        )
    }
}
