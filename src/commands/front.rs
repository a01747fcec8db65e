//! How a command gets to buildproxy: by a proxy, or by a network in which there is nothing else.

use std::{
    net::TcpListener,
    process::{Command, ExitStatus},
};

use super::{Context, Failure};
use crate::{
    cli::CommonArgs,
    process::{Job, Signals},
    proxy::{FrontDoor, Handler, Peers},
    trust::{Files, Way},
};

/// What is said elsewhere than on Linux.
const NO_NAMESPACES: &str = "--transparent needs namespaces, which are a feature of Linux";

/// The front of buildproxy.
pub(super) enum Front {
    /// A proxy, which listens already, and who may use it.
    Proxy(TcpListener, Peers),
    /// A network of the command's own, which is made when it starts.
    Transparent,
}

impl Front {
    /// What the command line asks for.
    pub(super) fn open(args: &CommonArgs) -> Result<Self, Failure> {
        if !args.transparent {
            let others = args.allow_user.iter().map(|user| user_id(user));
            let peers = Peers::new(others.collect::<Result<Vec<_>, _>>()?);
            return Ok(Self::Proxy(args.bind()?, peers));
        }
        if cfg!(target_os = "linux") {
            Ok(Self::Transparent)
        } else {
            Err(Failure::Said(NO_NAMESPACES.to_owned()))
        }
    }

    /// What clients need to know.
    pub(super) fn way(&self) -> Result<Way, Failure> {
        match self {
            Self::Proxy(listener, _) => {
                let address = listener.local_addr();
                Ok(Way::Proxy(address.context("failed to find out the port")?))
            }
            Self::Transparent => Ok(Way::Transparent),
        }
    }

    /// Serves whoever knows the address, in the background of the runtime.
    pub(super) fn serve(self, door: FrontDoor<impl Handler>) -> Result<(), Failure> {
        if let Self::Proxy(listener, peers) = self {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::spawn(door.serve(listener, peers));
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
    ) -> Result<ExitStatus, Failure> {
        if let Self::Transparent = self {
            return transparently(door, job, files, signals).await;
        }
        self.serve(door.clone())?;
        let status = job.start()?.wait(signals).await?;
        door.settle().await;
        Ok(status)
    }
}

/// The number of a user. Names may come from anywhere that this system has them from, so `id` looks them up.
fn user_id(user: &str) -> Result<u32, Failure> {
    if let Ok(number) = user.parse() {
        return Ok(number);
    }
    let output = Command::new("id").args(["-u", "--", user]).output();
    let output = output.with_context(|| format!("failed to look up the user '{user}'"))?;
    let number = str::from_utf8(&output.stdout).unwrap_or_default();
    let number = number.trim().parse();
    let unknown = || format!("there is no user '{user}'; name one, or give its number");
    number.map_err(|_| Failure::Said(unknown()))
}

#[cfg(target_os = "linux")]
async fn transparently(
    door: FrontDoor<impl Handler>,
    job: Job,
    files: &Files,
    signals: &mut Signals,
) -> Result<ExitStatus, Failure> {
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
) -> Result<ExitStatus, Failure> {
    Err(Failure::Said(NO_NAMESPACES.to_owned()))
}
