//! How a command gets to buildproxy: by a proxy, or by a network in which there is nothing else.

use std::{net::TcpListener, process::ExitStatus};

use anyhow::Context;

use crate::{
    cli::CommonArgs,
    process::{Job, Signals},
    proxy::{FrontDoor, Handler},
    trust::{Files, Way},
};

/// The front of buildproxy.
pub(super) enum Front {
    /// A proxy, which listens already.
    Proxy(TcpListener),
    /// A network of the command's own, which is made when it starts.
    Transparent,
}

impl Front {
    /// What the command line asks for.
    pub(super) fn open(args: &CommonArgs) -> anyhow::Result<Self> {
        if !args.transparent {
            return Ok(Self::Proxy(args.bind()?));
        }
        if cfg!(target_os = "linux") {
            Ok(Self::Transparent)
        } else {
            anyhow::bail!("--transparent needs namespaces, which are a feature of Linux")
        }
    }

    /// What clients need to know.
    pub(super) fn way(&self) -> anyhow::Result<Way> {
        match self {
            Self::Proxy(listener) => {
                let address = listener.local_addr();
                Ok(Way::Proxy(address.context("failed to find out the port")?))
            }
            Self::Transparent => Ok(Way::Transparent),
        }
    }

    /// Serves whoever knows the address, in the background of the runtime.
    pub(super) fn serve(self, door: FrontDoor<impl Handler>) -> anyhow::Result<()> {
        if let Self::Proxy(listener) = self {
            tokio::spawn(door.serve(tokio::net::TcpListener::from_std(listener)?));
        }
        Ok(())
    }

    /// Runs a command to its end.
    pub(super) async fn run(
        self,
        door: FrontDoor<impl Handler>,
        job: Job,
        files: &Files,
        signals: &mut Signals,
    ) -> anyhow::Result<ExitStatus> {
        if let Self::Transparent = self {
            return transparently(door, job, files, signals).await;
        }
        self.serve(door.clone())?;
        let status = job.start()?.wait(signals).await?;
        door.settle().await;
        Ok(status)
    }
}

#[cfg(target_os = "linux")]
async fn transparently(
    door: FrontDoor<impl Handler>,
    job: Job,
    files: &Files,
    signals: &mut Signals,
) -> anyhow::Result<ExitStatus> {
    use crate::{report::say, transparent::Enclosure, trust::File};

    let enclosure = Enclosure::prepare(&files.path(File::Bundle), &files.path(File::Authority))?;
    let mut enclosed = enclosure.start(job)?;
    if let Some(why) = &enclosed.only_two {
        say(&format!(
            "only connections to the ports 80 and 443 lead here, as nftables cannot be used: {why}"
        ));
    }
    let name_of = enclosed.answer_names()?;
    for listener in enclosed.connections {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(door.clone().serve_transparently(listener, name_of.clone()));
    }
    let status = enclosed.running.wait(signals).await?;
    door.settle().await;
    Ok(status)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unused_async, reason = "it is where there are namespaces")]
async fn transparently(
    _: FrontDoor<impl Handler>,
    _: Job,
    _: &Files,
    _: &mut Signals,
) -> anyhow::Result<ExitStatus> {
    anyhow::bail!("--transparent needs namespaces, which are a feature of Linux")
}
