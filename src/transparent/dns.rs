//! Answers to questions for names (RFC 1035): every name has an address, and it is ours.
//!
//! But `localhost` is loopback, and what ends in `.invalid` is not there (RFC 6761).

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
};
use tracing::debug;

use super::Names;
use crate::report::chain;

const HEADER: usize = 12;
const IN: u16 = 1;
const A: u16 = 1;
const PTR: u16 = 12;
const AAAA: u16 = 28;

/// How long an answer is good for, in seconds. It does not change as long as the namespace lives.
const TTL: u32 = 3600;

/// The ends of an answer.
#[derive(Clone, Copy)]
enum Status {
    Fine = 0,
    ServerFailure = 2,
    NoSuchName = 3,
    NotImplemented = 4,
}

/// What is known of names, and whether there is IPv6.
#[derive(Clone, Debug)]
pub struct Resolver {
    /// The names.
    pub names: Arc<Names>,
    /// Whether a name has an address of IPv6.
    pub ipv6: bool,
}

impl Resolver {
    /// Answers on a socket, until the future is dropped.
    pub async fn serve_udp(self, socket: UdpSocket) {
        let mut question = [0; 1500];
        loop {
            let asked = socket.recv_from(&mut question).await;
            let Ok((length, client)) = asked else {
                // A client that is gone already is told of here.
                continue;
            };
            if let Some(answer) = self.answer(&question[..length])
                && let Err(error) = socket.send_to(&answer, client).await
            {
                debug!(
                    error = chain(&error),
                    "failed to answer a question for a name"
                );
            }
        }
    }

    /// The same for TCP.
    pub async fn serve_tcp(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(self.clone().converse(stream))),
                Err(error) => {
                    debug!(
                        error = chain(&error),
                        "failed to accept a question for a name"
                    );
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            }
        }
    }

    /// Each message has its length before it (section 4.2.2).
    pub(super) async fn converse(self, mut stream: TcpStream) {
        while let Ok(length) = stream.read_u16().await {
            let mut question = vec![0; length.into()];
            if stream.read_exact(&mut question).await.is_err() {
                return;
            }
            let Some(answer) = self.answer(&question) else {
                return;
            };
            let length = u16::try_from(answer.len()).unwrap_or_default();
            let framed = [&length.to_be_bytes(), &answer[..]].concat();
            if stream.write_all(&framed).await.is_err() {
                return;
            }
        }
    }

    /// `None` for what is no question.
    fn answer(&self, message: &[u8]) -> Option<Vec<u8>> {
        let header = message.first_chunk::<HEADER>()?;
        let is_response = header[2] & 0x80 != 0;
        if is_response {
            return None;
        }
        let opcode = header[2] & 0x78;
        let Some(question) = Question::parse(message).filter(|_| opcode == 0) else {
            return Some(write(header, &[], Status::NotImplemented, None));
        };
        let (status, data) = self.find(&question);
        Some(write(header, question.bytes, status, data.as_deref()))
    }

    fn find(&self, question: &Question<'_>) -> (Status, Option<Vec<u8>>) {
        let name = question.name.as_str();
        let is_under = |top: &str| name == top || name.ends_with(&format!(".{top}"));
        if question.kind == PTR {
            let found = reversed(name).and_then(|address| self.names.name(address));
            let Some(found) = found else {
                return (Status::NoSuchName, None);
            };
            return (Status::Fine, Some(labels(&found)));
        }
        if name.is_empty() || is_under("invalid") {
            return (Status::NoSuchName, None);
        }
        let found = if is_under("localhost") {
            Some((Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST))
        } else {
            self.names.addresses(name)
        };
        let Some((v4, v6)) = found else {
            return (Status::ServerFailure, None);
        };
        let data = match question.kind {
            A => Some(v4.octets().to_vec()),
            AAAA if self.ipv6 => Some(v6.octets().to_vec()),
            // The name is there, and has nothing of that kind.
            _ => None,
        };
        (Status::Fine, data)
    }
}

/// The first question of a message.
struct Question<'a> {
    /// In lower case, without the dot at the end.
    name: String,
    kind: u16,
    /// As it stands in the message.
    bytes: &'a [u8],
}

impl<'a> Question<'a> {
    fn parse(message: &'a [u8]) -> Option<Self> {
        let mut name = String::new();
        let mut at = HEADER;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            match length {
                0 => break,
                1..64 => {}
                // Nothing stands before a question that it could refer to.
                _ => return None,
            }
            let label = message.get(at..at + length)?;
            at += length;
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&str::from_utf8(label).ok()?.to_ascii_lowercase());
        }
        let &[k1, k2, c1, c2] = message.get(at..)?.first_chunk::<4>()?;
        (u16::from_be_bytes([c1, c2]) == IN).then_some(Self {
            name,
            kind: u16::from_be_bytes([k1, k2]),
            bytes: &message[HEADER..at + 4],
        })
    }
}

fn write(header: &[u8; HEADER], question: &[u8], status: Status, data: Option<&[u8]>) -> Vec<u8> {
    const RESPONSE: u8 = 0x80;
    const RECURSION_DESIRED: u8 = 0x01;
    const RECURSION_AVAILABLE: u8 = 0x80;
    let mut answer = header[..2].to_vec();
    answer.push(RESPONSE | header[2] & RECURSION_DESIRED);
    answer.push(RECURSION_AVAILABLE | status as u8);
    let questions = u8::from(!question.is_empty());
    answer.extend([0, questions, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
    answer.extend(question);
    if let Some(data) = data {
        // The name of the question, wherever that stands; then its kind and class.
        answer.extend([0xc0, 12]);
        answer.extend(&question[question.len() - 4..]);
        answer.extend(TTL.to_be_bytes());
        answer.extend(u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
        answer.extend(data);
    }
    answer
}

/// The address of `4.3.2.1.in-addr.arpa` or `….ip6.arpa`.
fn reversed(name: &str) -> Option<IpAddr> {
    if let Some(name) = name.strip_suffix(".in-addr.arpa") {
        let parts: Vec<_> = name.rsplit('.').collect();
        return parts.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let name = name.strip_suffix(".ip6.arpa")?;
    let digits: String = name.rsplit('.').collect();
    let bits = u128::from_str_radix(&digits, 16).ok()?;
    (digits.len() == 32).then_some(IpAddr::V6(Ipv6Addr::from_bits(bits)))
}

/// A name as messages have it.
fn labels(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap_or_default());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
