//! A network for the command in which every address is ours, so that it needs to know of no proxy.
//!
//! ```text
//!  buildproxy ── starts itself again ── user, network and mount namespaces (inside)
//!      │                                  every address is local (netlink)
//!      │                                  TCP to any port leads to one socket (nft)
//!      │  ◄────────── its sockets ──────  certificates, hosts, resolv.conf (etc)
//!      │                                  no capabilities; becomes the command
//!      ├── names: each gets an address (dns, names)
//!      └── connections: proxy::FrontDoor, which sees the address that was meant
//! ```
//!
//! A socket belongs to the network that it was made in, whoever holds it. So buildproxy stays outside,
//! where upstream is, and holds the sockets of the inside. Nothing that is inside reaches farther than
//! those: there is no interface but loopback.
//!
//! It takes no privilege: a user namespace (`user_namespaces(7)`) gives those that are needed, over what is
//! in the namespaces alone, and they are given up before the command starts.

mod channel;
mod dns;
mod etc;
mod inside;
mod names;
mod netlink;
mod nft;
mod outside;

use std::io;

pub use dns::Resolver;
pub use inside::become_command;
pub use names::Names;
pub use outside::{Enclosed, Enclosure, VERB};

use crate::process::ChildError;

/// Why a command does not run in namespaces.
#[derive(Debug, thiserror::Error)]
pub enum TransparentError {
    /// There are no such namespaces, or not for us.
    #[error("failed to {what}")]
    Forbidden {
        /// What was to be done.
        what: String,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// There are, but not all went well in them.
    #[error("failed to {what}")]
    Arrange {
        /// What was to be done.
        what: String,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// Files for the command cannot be written.
    #[error("failed to prepare files for the command")]
    Prepare(#[source] io::Error),
    /// The process in the namespaces is gone, or says what nobody understands.
    #[error("failed to talk to the process in the namespaces")]
    Talk(#[source] io::Error),
    /// The command itself does not run.
    #[error(transparent)]
    Command(#[from] ChildError),
}

impl TransparentError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Forbidden { .. } => Some(
                "transparent mode needs user namespaces, which this kernel, or the container, does not \
                 let you make; see the sysctls user.max_user_namespaces, \
                 kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns, or \
                 go without --transparent",
            ),
            Self::Arrange { .. } | Self::Prepare(_) | Self::Talk(_) | Self::Command(_) => None,
        }
    }
}
