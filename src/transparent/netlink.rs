//! Messages to the kernel about networks (RFC 3549), as far as a namespace of our own needs them.
//!
//! By hand, as it is a handful of messages, and as `ip` and `nft` are not there in a sandbox. The layouts
//! are those of `linux/netlink.h` and `linux/rtnetlink.h`.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::OwnedFd,
    time::Duration,
};

use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto,
    socket_with, sockopt,
};

const NLMSG_ERROR: u16 = 2;
/// A request that is to be acknowledged, and makes what is not there.
pub(super) const CREATE: u16 = 0x001 | 0x004 | 0x400;
/// The same, at the end of what is there.
pub(super) const APPEND: u16 = CREATE | 0x800;
/// A request of which nothing is heard.
pub(super) const SILENT: u16 = 0x001;
const WANTS_ACK: u16 = 0x004;
const NESTED: u16 = 0x8000;

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;

/// The kernel answers at once; so long to wait for it is an error.
const PATIENCE: Duration = Duration::from_secs(5);

/// The loopback interface, which is always the first.
const LOOPBACK: u32 = 1;

/// One message: a header, what its kind begins with, and attributes.
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn new(kind: u16, flags: u16, start: &[u8]) -> Self {
        let mut bytes = vec![0; 16];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes.extend(start);
        Self(bytes)
    }

    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        put(&mut self.0, kind, value);
        self
    }

    fn wants_ack(&self) -> bool {
        u16::from_ne_bytes([self.0[6], self.0[7]]) & WANTS_ACK != 0
    }
}

/// Attributes inside of an attribute.
pub(super) struct Nested(Vec<u8>);

impl Nested {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        put(&mut self.0, kind, value);
        self
    }

    /// With a number, which netfilter wants in network order.
    pub(super) fn number(self, kind: u16, value: u32) -> Self {
        self.with(kind, &value.to_be_bytes())
    }

    pub(super) fn nested(self, kind: u16, inner: &Self) -> Self {
        self.with(kind | NESTED, &inner.0)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn kind(kind: u16) -> u16 {
        kind | NESTED
    }
}

/// Adds an attribute: its length, its kind, and its value, up to the next multiple of four.
fn put(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// A conversation with one part of the kernel.
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    /// `None` is the part that does routes and addresses, whose number is 0.
    pub(super) fn open(part: Option<Protocol>) -> io::Result<Self> {
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        let socket = socket_with(family, SocketType::RAW, flags, part)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
        Ok(Self(socket))
    }

    /// Sends messages in one piece, and waits until all that are to be acknowledged are.
    pub(super) fn send(&self, messages: Vec<Message>) -> io::Result<()> {
        let mut outstanding = messages.iter().filter(|one| one.wants_ack()).count();
        let mut bytes = Vec::new();
        for (number, Message(mut message)) in (1u32..).zip(messages) {
            message.resize(message.len().next_multiple_of(4), 0);
            let length = u32::try_from(message.len()).map_err(io::Error::other)?;
            message[..4].copy_from_slice(&length.to_ne_bytes());
            message[8..12].copy_from_slice(&number.to_ne_bytes());
            bytes.extend(message);
        }
        let kernel = netlink::SocketAddrNetlink::new(0, 0);
        sendto(&self.0, &bytes, SendFlags::empty(), &kernel)?;
        let mut answer = vec![0; 1 << 15];
        while outstanding > 0 {
            let (length, _) = recv(&self.0, &mut answer[..], RecvFlags::empty())?;
            let mut rest = &answer[..length];
            while let Some(head) = rest.first_chunk::<20>() {
                let length = u32::from_ne_bytes([head[0], head[1], head[2], head[3]]) as usize;
                let kind = u16::from_ne_bytes([head[4], head[5]]);
                let status = i32::from_ne_bytes([head[16], head[17], head[18], head[19]]);
                if kind == NLMSG_ERROR {
                    if status != 0 {
                        return Err(io::Error::from_raw_os_error(-status));
                    }
                    outstanding = outstanding.saturating_sub(1);
                }
                let next = length.next_multiple_of(4).max(20);
                rest = rest.get(next..).unwrap_or_default();
            }
        }
        Ok(())
    }
}

/// Brings loopback up, and has every address lead to it. `v4` is an address besides 127.0.0.1, as
/// `getaddrinfo` with `AI_ADDRCONFIG` gives no addresses to who has but that one.
pub(super) fn everything_is_here(v4: Ipv4Addr) -> io::Result<()> {
    let up = [1u32.to_ne_bytes(), 1u32.to_ne_bytes()].concat();
    let start = [&[0; 4], &LOOPBACK.to_ne_bytes(), &up[..]].concat();
    let up = Message::new(RTM_NEWLINK, CREATE, &start);
    let route = Netlink::open(None)?;
    route.send(vec![up])?;
    route.send(vec![address(v4.into()), local_default(AddressFamily::INET)])
}

/// The same for IPv6, which not every kernel has.
pub(super) fn everything_is_here_v6(v6: Ipv6Addr) -> io::Result<()> {
    let messages = vec![address(v6.into()), local_default(AddressFamily::INET6)];
    Netlink::open(None)?.send(messages)
}

/// `ip address add ADDRESS dev lo`
fn address(address: IpAddr) -> Message {
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    // Nobody else is there who could have it, and so it is there at once.
    const NO_DETECTION: u8 = 0x02;
    let (family, prefix, bytes) = match address {
        IpAddr::V4(v4) => (AddressFamily::INET, 32, v4.octets().to_vec()),
        IpAddr::V6(v6) => (AddressFamily::INET6, 128, v6.octets().to_vec()),
    };
    let start = [
        &[byte(family), prefix, NO_DETECTION, 0],
        &LOOPBACK.to_ne_bytes()[..],
    ]
    .concat();
    let message = Message::new(RTM_NEWADDR, CREATE, &start);
    message
        .attribute(IFA_LOCAL, &bytes)
        .attribute(IFA_ADDRESS, &bytes)
}

/// `ip route add local default dev lo`
fn local_default(family: AddressFamily) -> Message {
    const RTA_OIF: u16 = 4;
    const TABLE_LOCAL: u8 = 255;
    const BY_BOOT: u8 = 3;
    const TYPE_LOCAL: u8 = 2;
    let scope = if family == AddressFamily::INET {
        254
    } else {
        0
    };
    let start = [
        [byte(family), 0, 0, 0],
        [TABLE_LOCAL, BY_BOOT, scope, TYPE_LOCAL],
        [0; 4],
    ];
    Message::new(RTM_NEWROUTE, CREATE, &start.concat()).attribute(RTA_OIF, &LOOPBACK.to_ne_bytes())
}

fn byte(family: AddressFamily) -> u8 {
    u8::try_from(family.as_raw()).unwrap_or_default()
}
