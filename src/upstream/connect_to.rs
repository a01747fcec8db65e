//! `--connect-to`: connections that go elsewhere than a URL says.

use std::str::FromStr;

use http::{Uri, uri::Authority};

/// Connects somewhere else than a URL says, as curl's option of the same name: `HOST1:PORT1:HOST2:PORT2`.
/// An empty HOST1 or PORT1 stands for any, an empty HOST2 or PORT2 for the one of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    host: Option<String>,
    port: Option<u16>,
    to_host: Option<String>,
    to_port: Option<u16>,
}

/// What is wrong with a `--connect-to`.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not HOST1:PORT1:HOST2:PORT2")]
pub struct ConnectToError(String);

impl FromStr for ConnectTo {
    type Err = ConnectToError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ConnectToError(text.to_owned());
        // Colons inside of brackets belong to an IPv6 address.
        let mut depth = 0;
        let parts: Vec<&str> = text
            .split(|c| {
                depth += i32::from(c == '[') - i32::from(c == ']');
                c == ':' && depth == 0
            })
            .collect();
        let [host, port, to_host, to_port] = parts[..] else {
            return Err(fail());
        };
        let name = |part: &str| (!part.is_empty()).then(|| part.to_ascii_lowercase());
        let number = |part: &str| match part {
            "" => Ok(None),
            port => port.parse().map(Some).map_err(|_| fail()),
        };
        Ok(Self {
            host: name(host),
            port: number(port)?,
            to_host: name(to_host),
            to_port: number(to_port)?,
        })
    }
}

/// Where the first rule that fits leads a connection for `uri`; `None` where none does.
pub(super) fn reroute(rules: &[ConnectTo], uri: &Uri) -> Option<Uri> {
    let host = uri.host()?;
    let default = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    let port = uri.port_u16().unwrap_or(default);
    let rule = rules.iter().find(|rule| {
        rule.host.as_deref().is_none_or(|of_rule| of_rule == host)
            && rule.port.is_none_or(|of_rule| of_rule == port)
    })?;
    let host = rule.to_host.as_deref().unwrap_or(host);
    let port = rule.to_port.unwrap_or(port);
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(format!("{host}:{port}").parse::<Authority>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rerouted(rule: &str, uri: &str) -> Option<String> {
        let uri = reroute(&[rule.parse().unwrap()], &uri.parse().unwrap())?;
        Some(uri.to_string())
    }

    #[test]
    fn connections_go_where_the_rule_says() {
        let rule = "example.org:443:127.0.0.1:8443";
        let there = Some("https://127.0.0.1:8443/a".to_owned());
        assert_eq!(rerouted(rule, "https://example.org/a"), there);
        assert_eq!(rerouted(rule, "http://example.org/a"), None);
        assert_eq!(rerouted(rule, "https://example.com/a"), None);
        let there = Some("https://[::1]:443/a".to_owned());
        assert_eq!(rerouted("::[::1]:", "https://example.com/a"), there);
    }

    #[test]
    fn a_rule_has_four_parts() {
        for rule in ["", "a:1", "a:1:b", "a:1:b:x", "a:1:b:2:c", "a:99999:b:2"] {
            assert!(rule.parse::<ConnectTo>().is_err(), "{rule}");
        }
    }
}
