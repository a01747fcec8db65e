//! The environment that is given to clients.

use std::{fmt::Write, net::SocketAddr, path::Path};

use super::{TABLE, Value};

/// Whether anything is to be reached without the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What runs on this machine is; it is part of the build.
    Loopback,
    /// Nothing is.
    Nothing,
}

/// Variables and their values, in the order of the table.
#[derive(Clone, Debug)]
pub struct Environment(Vec<(&'static str, String)>);

impl Environment {
    /// For a proxy at `address`, with the certificates in `bundle`.
    #[must_use]
    pub fn new(address: SocketAddr, bundle: &Path, reach: Reach) -> Self {
        let value = |value| match value {
            Value::Proxy => format!("http://{address}"),
            Value::NoProxy => match reach {
                Reach::Loopback => "localhost,127.0.0.1,::1".to_owned(),
                Reach::Nothing => String::new(),
            },
            Value::Bundle => bundle.display().to_string(),
            Value::Text(text) => text.to_owned(),
        };
        Self(
            TABLE
                .iter()
                .map(|line| (line.name, value(line.value)))
                .collect(),
        )
    }

    /// All of it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// `export` lines for a POSIX shell.
    #[must_use]
    pub fn to_exports(&self) -> String {
        let mut lines = String::new();
        for (name, value) in self.iter() {
            let quoted = value.replace('\'', r"'\''");
            // Writing to a string does not fail.
            let _ = writeln!(lines, "export {name}='{quoted}'");
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(reach: Reach) -> Environment {
        Environment::new(
            "127.0.0.1:1234".parse().unwrap(),
            Path::new("/tmp/it's/ca.crt"),
            reach,
        )
    }

    #[test]
    fn proxies_have_their_scheme_in_both_cases() {
        let environment = environment(Reach::Nothing);
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"] {
            let (_, value) = environment.iter().find(|(n, _)| *n == name).unwrap();
            assert_eq!(value, "http://127.0.0.1:1234");
        }
        let (_, no_proxy) = environment.iter().find(|(n, _)| *n == "no_proxy").unwrap();
        assert_eq!(no_proxy, "");
    }

    #[test]
    fn exports_are_quoted_for_a_shell() {
        let exports = environment(Reach::Loopback).to_exports();
        assert!(
            exports.contains("export SSL_CERT_FILE='/tmp/it'\\''s/ca.crt'\n"),
            "{exports}"
        );
    }

    #[test]
    fn no_variable_is_there_twice() {
        let mut names: Vec<_> = TABLE.iter().map(|line| line.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
