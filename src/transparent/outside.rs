//! Starts a command in the namespaces, and serves what comes out of them.

use std::{
    io,
    net::{IpAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Names, Resolver, TransparentError, channel,
    etc::Etc,
    inside::{Sockets, Step, Told},
};
use crate::process::{ChildError, Job, Running};

/// The word by which this program knows that it is to become a command in namespaces.
pub const VERB: &str = "become-command";

/// What is needed to run a command in namespaces of its own.
#[derive(Debug)]
pub struct Enclosure {
    etc: Etc,
    program: PathBuf,
}

/// A command that runs in namespaces, and the sockets that its connections come from.
#[derive(Debug)]
pub struct Enclosed {
    /// The command.
    pub running: Running,
    /// Where connections arrive; the address of an accepted one is that which was meant.
    pub connections: Vec<TcpListener>,
    /// Why only connections to the ports 80 and 443 arrive there, if it is so.
    pub only_two: Option<String>,
    names_udp: Vec<UdpSocket>,
    names_tcp: Vec<TcpListener>,
    resolver: Resolver,
    _etc: Etc,
}

impl Enclosure {
    /// `bundle` is the file with the certificates that clients are to trust, `authority` that with the
    /// authority's alone.
    ///
    /// # Errors
    ///
    /// Where the folder for temporary files cannot be written.
    pub fn prepare(bundle: &Path, authority: &Path) -> Result<Self, TransparentError> {
        let etc = Etc::make(bundle, authority).map_err(TransparentError::Prepare)?;
        let program = std::env::current_exe().map_err(TransparentError::Prepare)?;
        Ok(Self { etc, program })
    }

    /// Starts a command. It waits for nothing: what it connects to, it connects to at once.
    ///
    /// # Errors
    ///
    /// Where the kernel does not allow it, and where there is no such command.
    pub fn start(self, mut job: Job) -> Result<Enclosed, TransparentError> {
        let talk = TransparentError::Talk;
        let (ours, theirs) = channel::pair().map_err(talk)?;
        let stdin = rustix::stdio::stdin();
        let command = job.program();
        job.run_by(&self.program, VERB, theirs);
        let running = job.start()?;
        channel::send(&ours, self.etc.plan(), &[stdin]).map_err(talk)?;
        let told = channel::receive::<Told>(&ours).map_err(talk)?;
        let (uses, ipv6, only_two, sockets) = match told {
            Some((
                Told::Ready {
                    uses,
                    ipv6,
                    only_two,
                },
                sockets,
            )) => (uses, ipv6, only_two, sockets),
            Some((Told::Failed { step, number, text }, _)) => {
                return Err(failed(step, number, text));
            }
            None => return Err(talk(io::ErrorKind::UnexpectedEof.into())),
        };
        // The channel closes as the command starts.
        if let Some((Told::Failed { step, number, text }, _)) =
            channel::receive(&ours).map_err(talk)?
        {
            if step != Step::Execute {
                return Err(failed(step, number, text));
            }
            let source =
                number.map_or_else(|| io::Error::other(text), io::Error::from_raw_os_error);
            let program = command;
            return Err(ChildError::Spawn { program, source }.into());
        }
        let sockets = Sockets::sort(&uses, sockets).map_err(talk)?;
        Ok(Enclosed {
            running,
            connections: sockets.connections,
            only_two,
            names_udp: sockets.names_udp,
            names_tcp: sockets.names_tcp,
            resolver: Resolver {
                names: Arc::new(Names::default()),
                ipv6,
            },
            _etc: self.etc,
        })
    }
}

impl Enclosed {
    /// Answers questions for names, in the background of the runtime. What is returned finds the name
    /// that an address was given for.
    ///
    /// # Errors
    ///
    /// Where the runtime does not take the sockets.
    pub fn answer_names(
        &mut self,
    ) -> io::Result<impl Fn(IpAddr) -> Option<String> + Clone + Send + Sync + use<>> {
        for socket in self.names_udp.drain(..) {
            let socket = tokio::net::UdpSocket::from_std(socket)?;
            tokio::spawn(self.resolver.clone().serve_udp(socket));
        }
        for listener in self.names_tcp.drain(..) {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::spawn(self.resolver.clone().serve_tcp(listener));
        }
        let names = Arc::clone(&self.resolver.names);
        Ok(move |address| names.name(address))
    }
}

fn failed(step: Step, number: Option<i32>, text: String) -> TransparentError {
    let source = match number {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::other(text),
    };
    let what = step.to_string();
    match step {
        Step::Namespaces | Step::Users => TransparentError::Forbidden { what, source },
        Step::Network | Step::Sockets | Step::Mounts | Step::Capabilities | Step::Execute => {
            TransparentError::Arrange { what, source }
        }
    }
}
