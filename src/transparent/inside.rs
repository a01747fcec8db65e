//! What the process does that becomes the command: it moves into namespaces of its own, arranges them,
//! hands the sockets of the new network out, gives up every capability, and executes the command.
//!
//! It is this program, started again: between `fork` and `exec` of a program with threads, next to
//! nothing may be done.

use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, stdin},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::Command,
};

use rustix::{
    mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change},
    net::{
        AddressFamily, SocketFlags, SocketType, bind, ipproto, listen, socket_with,
        sockopt::set_ipv6_v6only,
    },
    process::{getgid, getuid},
    thread::{
        CapabilitySet, CapabilitySets, UnshareFlags, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, unshare_unsafe,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    channel,
    etc::Plan,
    names::{OWN_V4, OWN_V6},
    netlink, nft,
};

/// Where connections to all ports end up: of the address that is ours alone, so that it is in nobody's way.
const PORT: u16 = 1;

const HTTP: u16 = 80;
const HTTPS: u16 = 443;
const DNS: u16 = 53;

const BACKLOG: i32 = 1024;

/// What a step was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    Namespaces,
    Users,
    Network,
    Sockets,
    Mounts,
    Capabilities,
    Execute,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespaces => "make namespaces for the command",
            Self::Users => "keep the user in a user namespace",
            Self::Network => "make a network for the command",
            Self::Sockets => "listen in the network of the command",
            Self::Mounts => "put certificates and settings in the place of the system's",
            Self::Capabilities => "give up capabilities",
            Self::Execute => "run the command",
        })
    }
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Use {
    /// Connections of any kind.
    Connections,
    /// Questions for names, over UDP.
    NamesUdp,
    /// The same, over TCP.
    NamesTcp,
}

/// What is told to buildproxy. With `Ready` come as many sockets as it has uses.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    Ready {
        uses: Vec<Use>,
        ipv6: bool,
        /// Why connections to only two ports can be caught, if it is so.
        only_two: Option<String>,
    },
    Failed {
        step: Step,
        /// The system's number, if it is an error of the system.
        number: Option<i32>,
        text: String,
    },
}

/// Becomes `command`, in namespaces. Standard input is the channel to buildproxy; the command's own comes
/// with the first message. Returns only where it fails, and then buildproxy has been told.
pub fn become_command(command: &[OsString]) {
    let Ok(channel) = stdin().as_fd().try_clone_to_owned() else {
        return;
    };
    let Err((step, error)) = try_become(&channel, command);
    let told = Told::Failed {
        step,
        number: error.raw_os_error(),
        text: error.to_string(),
    };
    // Where nobody listens any more, there is nobody to tell.
    let _ = channel::send(&channel, &told, &[]);
}

/// What cannot be: the process is another program then.
enum Never {}

fn try_become(channel: &OwnedFd, command: &[OsString]) -> Result<Never, (Step, io::Error)> {
    let at = |step| move |error: io::Error| (step, error);
    let failed = io::Error::from(io::ErrorKind::InvalidInput);
    let [program, arguments @ ..] = command else {
        return Err((Step::Execute, failed));
    };
    let received = channel::receive::<Plan>(channel).map_err(at(Step::Namespaces))?;
    let Some((plan, mut descriptors)) = received else {
        return Err((Step::Namespaces, failed));
    };
    enter()?;
    let network = Network::make().map_err(at(Step::Network))?;
    let (told, sockets) = network
        .listen(&plan.nameservers)
        .map_err(at(Step::Sockets))?;
    put_in_place(&plan).map_err(at(Step::Mounts))?;
    let borrowed: Vec<BorrowedFd<'_>> = sockets.iter().map(AsFd::as_fd).collect();
    channel::send(channel, &told, &borrowed).map_err(at(Step::Sockets))?;
    drop(sockets);
    give_up_capabilities().map_err(at(Step::Capabilities))?;
    if let Some(own) = descriptors.pop() {
        rustix::stdio::dup2_stdin(&own).map_err(|error| (Step::Execute, error.into()))?;
    }
    // The channel closes as the command starts, which tells buildproxy that it did.
    Err((Step::Execute, Command::new(program).args(arguments).exec()))
}

/// Moves into new namespaces, as the user that one is.
fn enter() -> Result<(), (Step, io::Error)> {
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    let all = UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWNS;
    #[expect(
        unsafe_code,
        reason = "it is unsafe for tables of descriptors that threads share"
    )]
    // SAFETY: it is not asked for that, and there is but one thread.
    unsafe { unshare_unsafe(all) }.map_err(|error| (Step::Namespaces, error.into()))?;
    let map = || {
        // Without this, an unprivileged user may map no group (user_namespaces(7)).
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
    };
    map().map_err(|error| (Step::Users, error))
}

/// A network in which every address is of this machine.
struct Network {
    ipv6: bool,
}

impl Network {
    fn make() -> io::Result<Self> {
        netlink::everything_is_here(OWN_V4)?;
        let ipv6 = netlink::everything_is_here_v6(OWN_V6).is_ok();
        Ok(Self { ipv6 })
    }

    /// Listens for all that there is to hear.
    fn listen(&self, nameservers: &[IpAddr]) -> io::Result<(Told, Vec<OwnedFd>)> {
        let everything = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let everything_v6 = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let mut families = vec![(IpAddr::V4(OWN_V4), everything)];
        if self.ipv6 {
            families.push((IpAddr::V6(OWN_V6), everything_v6));
        }
        let (mut uses, mut sockets) = (Vec::new(), Vec::new());
        let mut only_two = None;
        for (own, everything) in families {
            match catch_all(own) {
                Ok(listener) => {
                    uses.push(Use::Connections);
                    sockets.push(listener);
                }
                Err(error) => {
                    only_two = Some(error.to_string());
                    for port in [HTTP, HTTPS] {
                        uses.push(Use::Connections);
                        sockets.push(listener(SocketAddr::new(everything, port), Reach::Own)?);
                    }
                }
            }
            let names = SocketAddr::new(everything, DNS);
            uses.push(Use::NamesTcp);
            sockets.push(listener(names, Reach::Own)?);
            uses.push(Use::NamesUdp);
            sockets.push(questions(names)?);
        }
        // An answer has to come from the address that was asked, which a socket of all addresses does
        // not see to.
        let usual = IpAddr::V4(Ipv4Addr::LOCALHOST);
        for server in nameservers.iter().filter(|server| **server != usual) {
            // Without IPv6, nobody asks a server that has but that.
            if let Ok(socket) = questions(SocketAddr::new(*server, DNS)) {
                uses.push(Use::NamesUdp);
                sockets.push(socket);
            }
        }
        let ipv6 = self.ipv6;
        let told = Told::Ready {
            uses,
            ipv6,
            only_two,
        };
        Ok((told, sockets))
    }
}

/// A socket that gets the connections to all ports.
fn catch_all(own: IpAddr) -> io::Result<OwnedFd> {
    let listener = listener(SocketAddr::new(own, PORT), Reach::Foreign)?;
    nft::catch(own, PORT)?;
    Ok(listener)
}

/// What addresses a socket's connections may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Its own.
    Own,
    /// Any (`IP_TRANSPARENT`).
    Foreign,
}

fn listener(address: SocketAddr, reach: Reach) -> io::Result<OwnedFd> {
    let socket = unbound(address, SocketType::STREAM)?;
    if reach == Reach::Foreign {
        set_transparent(&socket, address.ip())?;
    }
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

fn questions(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = unbound(address, SocketType::DGRAM)?;
    set_transparent(&socket, address.ip())?;
    bind(&socket, &address)?;
    Ok(socket)
}

fn unbound(address: SocketAddr, kind: SocketType) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let protocol = (kind == SocketType::STREAM).then_some(ipproto::TCP);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, protocol)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, true)?;
    }
    Ok(socket)
}

fn set_transparent(socket: &OwnedFd, address: IpAddr) -> io::Result<()> {
    let (level, name) = match address {
        IpAddr::V4(_) => (libc::SOL_IP, libc::IP_TRANSPARENT),
        IpAddr::V6(_) => (libc::SOL_IPV6, libc::IPV6_TRANSPARENT),
    };
    let on: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of_val(&on)).map_err(io::Error::other)?;
    #[expect(unsafe_code, reason = "rustix does not have this option")]
    // SAFETY: the socket is open, and the value is a number of that length.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const on).cast(),
            length,
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Mounts what was planned. None of it is seen outside.
fn put_in_place(plan: &Plan) -> io::Result<()> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private)?;
    if let Some(layers) = &plan.certificates {
        // Not every kernel lets a user do that; the files below serve most clients anyway.
        let options = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
        let mounted = mount(
            "overlay",
            &layers.target,
            "overlay",
            options,
            &*layers.options,
        );
        if let Err(error) = mounted {
            tracing::info!("the folder of certificates stays as it is: {error}");
        }
    }
    for (source, target) in &plan.binds {
        let bound = mount_bind(source, target);
        bound.map_err(|error| {
            let text = format!("'{}': {error}", target.display());
            io::Error::new(io::Error::from(error).kind(), text)
        })?;
    }
    Ok(())
}

/// Gives up all capabilities, and the ways to get them back, which for root are many.
fn give_up_capabilities() -> io::Result<()> {
    set_no_new_privs(true)?;
    clear_ambient_capability_set()?;
    for number in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        match remove_capability_from_bounding_set(capability) {
            // The kernel has no more than that.
            Err(rustix::io::Errno::INVAL) => break,
            done => done?,
        }
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    Ok(set_capabilities(None, sets)?)
}

/// The sockets, by what they are for.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    pub(super) connections: Vec<TcpListener>,
    pub(super) names_udp: Vec<UdpSocket>,
    pub(super) names_tcp: Vec<TcpListener>,
}

impl Sockets {
    pub(super) fn sort(uses: &[Use], sockets: Vec<OwnedFd>) -> io::Result<Self> {
        let mut sorted = Self::default();
        for (used, socket) in uses.iter().zip(sockets) {
            rustix::io::ioctl_fionbio(&socket, true)?;
            match used {
                Use::Connections => sorted.connections.push(socket.into()),
                Use::NamesUdp => sorted.names_udp.push(socket.into()),
                Use::NamesTcp => sorted.names_tcp.push(socket.into()),
            }
        }
        Ok(sorted)
    }
}
