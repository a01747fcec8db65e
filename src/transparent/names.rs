//! An address of ours for each name that is asked for, and the other way round.
//!
//! So a connection tells what name was meant, also where nothing that is said on it does.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

/// The addresses of names: those for benchmarks (RFC 2544), which nobody is reached at.
const V4: u32 = u32::from_be_bytes([198, 18, 0, 0]);

/// A unique local prefix (RFC 4193).
const V6: u128 = 0xfd62_7072_6f78_7900 << 64;

/// So many addresses at the start are not given to names.
const RESERVED: u32 = 256;

/// So many names there can be.
const MOST: u32 = (1 << 17) - 2 * RESERVED;

/// The address that the namespace itself has, besides loopback.
pub(super) const OWN_V4: Ipv4Addr = Ipv4Addr::from_bits(V4 + 1);

/// The same.
pub(super) const OWN_V6: Ipv6Addr = Ipv6Addr::from_bits(V6 + 1);

/// Names and their numbers.
#[derive(Debug, Default)]
pub struct Names(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Known {
    fn add(&mut self, name: &str) -> Option<u32> {
        let number = u32::try_from(self.names.len()).ok();
        let number = number.filter(|number| *number < MOST)?;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        Some(number)
    }
}

impl Names {
    /// The addresses of a name, in lower case. `None` where there are too many names.
    pub(super) fn addresses(&self, name: &str) -> Option<(Ipv4Addr, Ipv6Addr)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known_number = known.numbers.get(name).copied();
        let number = match known_number {
            Some(number) => number,
            None => known.add(name)?,
        };
        let number = number + RESERVED;
        let v6 = Ipv6Addr::from_bits(V6 + u128::from(number));
        Some((Ipv4Addr::from_bits(V4 + number), v6))
    }

    /// The name that an address was given for.
    #[must_use]
    pub fn name(&self, address: IpAddr) -> Option<String> {
        let number = match address {
            IpAddr::V4(v4) => v4.to_bits().checked_sub(V4)?,
            IpAddr::V6(v6) => u32::try_from(v6.to_bits().checked_sub(V6)?).ok()?,
        };
        let number = usize::try_from(number.checked_sub(RESERVED)?).ok()?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.names.get(number).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_name() {
        let names = Names::default();
        let (v4, v6) = names.addresses("example.org").unwrap();
        assert_eq!(names.addresses("example.org"), Some((v4, v6)));
        assert_ne!(names.addresses("example.com"), Some((v4, v6)));
        assert_eq!(names.name(v4.into()).as_deref(), Some("example.org"));
        assert_eq!(names.name(v6.into()).as_deref(), Some("example.org"));
        for other in [
            "127.0.0.1",
            "::1",
            "198.18.0.1",
            "198.18.1.9",
            "255.255.255.255",
        ] {
            assert_eq!(names.name(other.parse().unwrap()), None, "{other}");
        }
    }
}
