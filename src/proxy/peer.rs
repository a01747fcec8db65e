//! Who is at the other end of a connection.
//!
//! A port on loopback is open to every user of the machine. Whoever else used it would reach out with this user's
//! way out, write into the inventory, or read what a replay answers. So the kernel is asked which user has the
//! other end of each accepted connection: by `sock_diag(7)`, which looks one socket up by its addresses, or where
//! that is missing, in `/proc/net/tcp` (`proc_pid_net(5)`).
//!
//! Other systems do not tell, and there everybody is let in.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::process::geteuid;

/// The users who may use the proxy.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Their numbers.
    allowed: BTreeSet<u32>,
    /// Others who were told of already.
    told: Arc<Mutex<BTreeSet<u32>>>,
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// This user's.
    User {
        uid: u32,
        /// The number of the socket, by which a process that has it is found.
        inode: u64,
    },
    /// Nobody's any more: it was closed.
    Gone,
    /// This system does not tell.
    Unknown,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is served.
    Admitted,
    /// It is closed without a word.
    Closed,
    /// It is closed, and this is the first of this user.
    Stranger(u32),
}

impl Peers {
    /// This user, root, and `others`.
    pub fn new(others: impl IntoIterator<Item = u32>) -> Self {
        let own = [0, geteuid().as_raw()];
        Self {
            allowed: others.into_iter().chain(own).collect(),
            told: Arc::default(),
        }
    }

    /// Whether the connection from `peer` to `local`, its addresses as they are here, is served.
    pub(super) fn admit(&self, peer: SocketAddr, local: SocketAddr) -> Admission {
        match system::owner(peer, local) {
            Owner::Unknown => Admission::Admitted,
            Owner::Gone => Admission::Closed,
            Owner::User { uid, .. } if self.allowed.contains(&uid) => Admission::Admitted,
            // A build may change its user, as apt does when root starts it. Of others, only root can tell.
            Owner::User { inode, .. }
                if geteuid().is_root() && system::is_of_our_children(inode) =>
            {
                Admission::Admitted
            }
            Owner::User { uid, .. } => {
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                if told.insert(uid) {
                    Admission::Stranger(uid)
                } else {
                    Admission::Closed
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Owner, SocketAddr};

    pub(super) fn owner(_: SocketAddr, _: SocketAddr) -> Owner {
        Owner::Unknown
    }

    pub(super) fn is_of_our_children(_: u64) -> bool {
        false
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::{
        fs, io,
        net::{IpAddr, SocketAddr},
        os::fd::OwnedFd,
        path::Path,
    };

    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto,
        socket_with,
    };

    use super::Owner;

    /// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
    const BY_FAMILY: u16 = 20;
    /// `NLM_F_REQUEST` of `linux/netlink.h`.
    const REQUEST: u16 = 1;
    /// `TCP_LISTEN` of `net/tcp_states.h`.
    const LISTEN: u8 = 10;
    const IPPROTO_TCP: u8 = 6;
    /// The length of `nlmsghdr`.
    const HEADER: usize = 16;
    /// The length of the head and `inet_diag_msg`.
    const ANSWER: usize = HEADER + 72;

    /// Who has the socket that is bound to `peer` and connected to `local`.
    pub(super) fn owner(peer: SocketAddr, local: SocketAddr) -> Owner {
        match ask(peer, local) {
            Ok(Some(owner)) => owner,
            // There is no such socket, or the kernel lacks this part.
            Ok(None) | Err(_) => look_up(peer, local),
        }
    }

    fn ask(peer: SocketAddr, local: SocketAddr) -> io::Result<Option<Owner>> {
        let socket = diag_socket()?;
        let kernel = netlink::SocketAddrNetlink::new(0, 0);
        sendto(&socket, &request(peer, local), SendFlags::empty(), &kernel)?;
        let mut answer = [0; 512];
        let (length, _) = recv(&socket, answer.as_mut_slice(), RecvFlags::DONTWAIT)?;
        Ok(read(&answer[..length]))
    }

    fn diag_socket() -> io::Result<OwnedFd> {
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        let part = Some(netlink::SOCK_DIAG);
        Ok(socket_with(family, SocketType::RAW, flags, part)?)
    }

    /// `nlmsghdr` and `inet_diag_req_v2` (`linux/inet_diag.h`).
    fn request(peer: SocketAddr, local: SocketAddr) -> Vec<u8> {
        let family = match peer {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
        bytes[6..8].copy_from_slice(&REQUEST.to_ne_bytes());
        let family = u8::try_from(family.as_raw()).unwrap_or_default();
        bytes.extend([family, IPPROTO_TCP, 0, 0]);
        // All states.
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(peer.port().to_be_bytes());
        bytes.extend(local.port().to_be_bytes());
        for address in [peer.ip(), local.ip()] {
            let mut octets = [0; 16];
            match address {
                IpAddr::V4(address) => octets[..4].copy_from_slice(&address.octets()),
                IpAddr::V6(address) => octets = address.octets(),
            }
            bytes.extend(octets);
        }
        // Any interface; and no cookie, as we have not seen this socket before.
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend([0xff; 8]);
        let length = u32::try_from(bytes.len()).unwrap_or_default();
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes
    }

    /// `nlmsghdr` and `inet_diag_msg`; `None` where it is an error.
    fn read(answer: &[u8]) -> Option<Owner> {
        let number = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        if kind != BY_FAMILY || answer.len() < ANSWER {
            return None;
        }
        // Where there is no such connection, the kernel finds what listens at this port.
        if answer[HEADER + 1] == LISTEN {
            return None;
        }
        Some(owned(number(ANSWER - 8)?, number(ANSWER - 4)?.into()))
    }

    /// A socket that was closed has no inode, and is root's.
    fn owned(uid: u32, inode: u64) -> Owner {
        if inode == 0 {
            Owner::Gone
        } else {
            Owner::User { uid, inode }
        }
    }

    fn look_up(peer: SocketAddr, local: SocketAddr) -> Owner {
        let file = match peer {
            SocketAddr::V4(_) => "/proc/self/net/tcp",
            SocketAddr::V6(_) => "/proc/self/net/tcp6",
        };
        match fs::read_to_string(file) {
            Ok(table) => find(&table, peer, local).unwrap_or(Owner::Gone),
            Err(_) => Owner::Unknown,
        }
    }

    /// The line of a socket in such a file: `sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode`.
    fn find(table: &str, peer: SocketAddr, local: SocketAddr) -> Option<Owner> {
        let (peer, local) = (written(peer), written(local));
        table.lines().skip(1).find_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let is_it = fields.nth(1)? == peer && fields.next()? == local;
            if !is_it {
                return None;
            }
            let uid = fields.nth(4)?.parse().ok()?;
            Some(owned(uid, fields.nth(1)?.parse().ok()?))
        })
    }

    /// An address as it stands there: its words as the machine has them in memory, and the port.
    fn written(address: SocketAddr) -> String {
        let octets = match address.ip() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let words = octets.chunks_exact(4).map(|word| {
            let word = word.try_into().map_or(0, u32::from_ne_bytes);
            format!("{word:08X}")
        });
        format!("{}:{:04X}", words.collect::<String>(), address.port())
    }

    /// Whether a process that has this socket was started by this one, or by one that was.
    pub(super) fn is_of_our_children(inode: u64) -> bool {
        let Ok(processes) = fs::read_dir("/proc") else {
            return false;
        };
        let numbers = processes.filter_map(|one| one.ok()?.file_name().to_str()?.parse().ok());
        let link = format!("socket:[{inode}]");
        numbers
            .filter(|pid: &u32| has(*pid, &link))
            .any(is_below_us)
    }

    fn has(pid: u32, link: &str) -> bool {
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        let mut links = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        links.any(|target| target == Path::new(link))
    }

    fn is_below_us(mut pid: u32) -> bool {
        while pid > 1 {
            if pid == std::process::id() {
                return true;
            }
            let Some(parent) = parent(pid) else {
                return false;
            };
            pid = parent;
        }
        false
    }

    fn parent(pid: u32) -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program, in brackets, may have any character.
        let (_, rest) = stat.rsplit_once(')')?;
        rest.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use std::net::{TcpListener, TcpStream};

        use rustix::process::geteuid;

        use super::*;

        fn connection(to: &str) -> (TcpStream, TcpStream) {
            let listener = TcpListener::bind(to).unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (client, listener.accept().unwrap().0)
        }

        #[test]
        fn both_ways_find_the_user_of_a_connection() {
            for to in ["127.0.0.1:0", "[::1]:0"] {
                let (client, server) = connection(to);
                let peer = server.peer_addr().unwrap();
                let local = server.local_addr().unwrap();
                let looked_up = look_up(peer, local);
                let Owner::User { uid, inode } = looked_up else {
                    panic!("{looked_up:?}");
                };
                assert_eq!(uid, geteuid().as_raw());
                if let Ok(Some(asked)) = ask(peer, local) {
                    assert_eq!(asked, looked_up);
                }
                assert!(is_of_our_children(inode));
                drop(client);
                assert_eq!(owner(peer, local), Owner::Gone);
            }
        }

        #[test]
        fn what_listens_at_the_port_is_not_the_client() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let peer = listener.local_addr().unwrap();
            let local = "127.0.0.1:1".parse().unwrap();
            assert_eq!(owner(peer, local), Owner::Gone);
        }

        #[test]
        fn addresses_stand_in_the_table_as_the_kernel_writes_them() {
            let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                         0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000000000000000 20 4 30 10 -1\n";
            let found = find(
                table,
                "127.0.0.1:8080".parse().unwrap(),
                "127.0.0.1:50000".parse().unwrap(),
            );
            if cfg!(target_endian = "little") {
                let user = Owner::User {
                    uid: 1000,
                    inode: 4242,
                };
                assert_eq!(found, Some(user));
            }
        }
    }
}
