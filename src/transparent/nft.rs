//! The one rule of the packet filter: whoever opens a connection, to whatever address and port, gets us.
//!
//! What `nft` would make of
//!
//! ```text
//! table ip buildproxy { chain all { type filter hook prerouting priority mangle;
//!   ip daddr != 127.0.0.0/8 ip daddr != OWN
//!   meta l4proto tcp tcp flags & (syn|ack) == syn tcp dport != 53 tproxy to OWN:PORT } }
//! ```
//!
//! The kernel then gives the connection to the socket that listens at `OWN:PORT`, and the accepted socket
//! has the address that was meant as its own. Questions for names find their own socket. The layouts are those of `linux/netfilter/nf_tables.h`.

use std::{io, net::IpAddr};

use rustix::net::netlink;

use super::netlink::{APPEND, CREATE, Message, Nested, Netlink, SILENT};

const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;

/// The name of the table, and of the chain in it, as the kernel has it.
const NAME: &[u8] = b"buildproxy\0";

const PREROUTING: u32 = 0;
/// `mangle`, after the packets are put together.
const PRIORITY: i32 = -150;

const REGISTER: u32 = 1;
const SECOND_REGISTER: u32 = 2;

/// Where `offset` counts from.
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;

const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;

const TCP: u8 = 6;

/// Gives every TCP connection to the socket at `own` and `port`, but those to loopback and to `own`.
///
/// # Errors
///
/// Where the kernel has no nftables, or no transparent proxying, or does not let us.
pub(super) fn catch(own: IpAddr, port: u16) -> io::Result<()> {
    let (family, rule) = match own {
        IpAddr::V4(v4) => {
            let loopback = Expressions::default()
                .payload(NETWORK, 16, 4)
                .mask(&[255, 0, 0, 0])
                .compare(NOT_EQUAL, &[127, 0, 0, 0]);
            let rule = loopback
                .payload(NETWORK, 16, 4)
                .compare(NOT_EQUAL, &v4.octets());
            (2u8, rule.opens().tproxy(2, &v4.octets(), port))
        }
        IpAddr::V6(v6) => {
            let loopback = std::net::Ipv6Addr::LOCALHOST.octets();
            let rule = Expressions::default()
                .payload(NETWORK, 24, 16)
                .compare(NOT_EQUAL, &loopback)
                .compare(NOT_EQUAL, &v6.octets());
            (10, rule.opens().tproxy(10, &v6.octets(), port))
        }
    };
    let start = [family, 0, 0, 0];
    // The family of a batch is none; its last two bytes name the subsystem, in network order.
    let batch = [&[0, 0], &SUBSYSTEM.to_be_bytes()[..]].concat();
    let hook = Nested::new()
        .number(1, PREROUTING)
        .with(2, &PRIORITY.to_be_bytes());
    Netlink::open(Some(netlink::NETFILTER))?.send(vec![
        Message::new(BATCH_BEGIN, SILENT, &batch),
        Message::new(NEW_TABLE, CREATE, &start).attribute(1, NAME),
        Message::new(NEW_CHAIN, CREATE, &start)
            .attribute(1, NAME)
            .attribute(3, NAME)
            .attribute(Nested::kind(4), hook.bytes())
            .attribute(7, b"filter\0"),
        Message::new(NEW_RULE, APPEND, &start)
            .attribute(1, NAME)
            .attribute(2, NAME)
            .attribute(Nested::kind(4), rule.0.bytes()),
        Message::new(BATCH_END, SILENT, &batch),
    ])
}

/// What a rule consists of: each step goes on only where it matches.
struct Expressions(Nested);

impl Default for Expressions {
    fn default() -> Self {
        Self(Nested::new())
    }
}

impl Expressions {
    fn step(self, name: &[u8], data: &Nested) -> Self {
        let expression = Nested::new().with(1, name).nested(2, data);
        Self(self.0.nested(1, &expression))
    }

    /// Takes bytes of a packet.
    fn payload(self, base: u32, offset: u32, length: u32) -> Self {
        let data = Nested::new().number(1, REGISTER).number(2, base);
        let data = data.number(3, offset).number(4, length);
        self.step(b"payload\0", &data)
    }

    /// Keeps some bits of what was taken.
    fn mask(self, mask: &[u8]) -> Self {
        let length = u32::try_from(mask.len()).unwrap_or_default();
        let data = Nested::new().number(1, REGISTER).number(2, REGISTER);
        let data = data.number(3, length).nested(4, &value(mask));
        let nothing = vec![0; mask.len()];
        self.step(b"bitwise\0", &data.nested(5, &value(&nothing)))
    }

    fn compare(self, how: u32, with: &[u8]) -> Self {
        let data = Nested::new().number(1, REGISTER).number(2, how);
        self.step(b"cmp\0", &data.nested(3, &value(with)))
    }

    fn immediate(self, register: u32, bytes: &[u8]) -> Self {
        let data = Nested::new().number(1, register).nested(2, &value(bytes));
        self.step(b"immediate\0", &data)
    }

    /// The packet is TCP, and the first of a connection. All others find their socket by themselves.
    fn opens(self) -> Self {
        const L4PROTO: u32 = 16;
        const SYN: u8 = 0x02;
        const ACK: u8 = 0x10;
        const DNS: u16 = 53;
        let protocol = Nested::new().number(1, REGISTER).number(2, L4PROTO);
        self.step(b"meta\0", &protocol)
            .compare(EQUAL, &[TCP])
            .payload(TRANSPORT, 13, 1)
            .mask(&[SYN | ACK])
            .compare(EQUAL, &[SYN])
            .payload(TRANSPORT, 2, 2)
            .compare(NOT_EQUAL, &DNS.to_be_bytes())
    }

    fn tproxy(self, family: u32, address: &[u8], port: u16) -> Self {
        let data = Nested::new().number(1, family).number(2, REGISTER);
        self.immediate(REGISTER, address)
            .immediate(SECOND_REGISTER, &port.to_be_bytes())
            .step(b"tproxy\0", &data.number(3, SECOND_REGISTER))
    }
}

fn value(bytes: &[u8]) -> Nested {
    Nested::new().with(1, bytes)
}
