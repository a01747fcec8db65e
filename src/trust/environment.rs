//! The environment that is given to clients.

use std::{borrow::Cow, ffi::OsString, fmt::Write, net::SocketAddr};

use super::{
    Client, File, Files, Git, OTHER_PROXIES, Setting, TABLE, Terms, Value, Variable,
    files::TRUST_STORE_PASSWORD,
};
use crate::report::quoted;

/// How clients get to buildproxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a proxy at this address.
    Proxy(SocketAddr),
    /// Whatever they connect to.
    Transparent,
}

/// What is reached without the proxy: what runs on this machine, which is part of the build, be it
/// captured or replayed, and more hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Direct(pub Vec<String>);

impl Direct {
    /// The hosts, as `NO_PROXY` has them: names, addresses, and names of domains.
    pub(super) fn hosts(&self) -> Vec<&str> {
        let loopback = ["localhost", "127.0.0.1", "::1"].into_iter();
        loopback.chain(self.0.iter().map(String::as_str)).collect()
    }

    /// The hosts, as Java has them: with a bracket around an IPv6 address, and a star where `NO_PROXY` has
    /// a leading dot.
    pub(super) fn java_patterns(&self) -> String {
        let hosts = self.hosts().into_iter();
        let patterns = hosts.map(|host| match host.strip_prefix('.') {
            Some(domain) => format!("*.{domain}"),
            None if host.contains(':') => format!("[{host}]"),
            None => host.to_owned(),
        });
        patterns.collect::<Vec<_>>().join("|")
    }
}

/// The value that buildproxy itself has inherited for a variable.
#[must_use]
pub fn inherited(variable: &str) -> Option<OsString> {
    std::env::var_os(variable)
}

/// Variables and their values, in the order of the table, and those that have to go.
#[derive(Clone, Debug)]
pub struct Environment {
    set: Vec<(Cow<'static, str>, String)>,
    removed: Vec<&'static str>,
}

impl Environment {
    /// For clients that come on these `terms`. What is to be extended is found by the variables that `own`
    /// gives.
    #[must_use]
    pub fn new(terms: &Terms, files: &Files, own: impl Fn(&str) -> Option<OsString>) -> Self {
        let way = terms.way;
        let path = |file| files.path(file).display().to_string();
        let there = |name| {
            let value = own(name).unwrap_or_default();
            value.to_string_lossy().into_owned()
        };
        let value = |line: &Variable| match (line.value, way) {
            (
                Value::Proxy
                | Value::ProxyOf(_)
                | Value::ProxyToo(_)
                | Value::ProxyAddress
                | Value::ProxyHost
                | Value::ProxyPort
                | Value::NoProxy,
                Way::Transparent,
            ) => None,
            (Value::Proxy, Way::Proxy(_)) => Some(terms.proxy()),
            (Value::ProxyOf(client) | Value::ProxyToo(client), Way::Proxy(_)) => {
                Some(terms.proxy_of(client))
            }
            (Value::ProxyAddress, Way::Proxy(proxy)) => Some(proxy.to_string()),
            (Value::ProxyHost, Way::Proxy(proxy)) => Some(proxy.ip().to_string()),
            (Value::ProxyPort, Way::Proxy(proxy)) => Some(proxy.port().to_string()),
            (Value::NoProxy, Way::Proxy(_)) => Some(terms.no_proxy()),
            (Value::File(file) | Value::FileToo(_, file), _) => Some(path(file)),
            (Value::Git(Git::Count), _) => Some((Git::there(&own) + 1).to_string()),
            (Value::Git(Git::Key), _) => Some("include.path".to_owned()),
            (Value::Git(Git::Value), _) => Some(path(File::Gitconfig)),
            (Value::GemFiles, _) => {
                let files = format!("{}:{}", there(line.name), path(File::Gemrc));
                Some(files.trim_start_matches(':').to_owned())
            }
            (Value::Java | Value::JavaToo, _) => {
                let options = java_options(terms, &path(File::TrustStore));
                let options = format!("{} {options}", there(line.name));
                Some(options.trim_start().to_owned())
            }
            // An empty part stands for the folder that PHP was built with.
            (Value::PhpFolders, _) => {
                let folder = path(File::Folder);
                Some(format!("{}:{folder}", there(line.name)))
            }
            (Value::Mode, _) => Some(terms.mode.name().to_owned()),
            (Value::Text(text), _) => Some(text.to_owned()),
        };
        let mut environment = Self {
            set: Vec::new(),
            removed: Vec::new(),
        };
        for line in TABLE {
            let is_set = line.is_set(&terms.settings, &own);
            match value(line) {
                Some(value) if is_set => {
                    environment.set.push((line.name_beside(&own), value));
                }
                Some(_) => {}
                None => environment.removed.push(line.name),
            }
        }
        if way == Way::Transparent {
            environment.removed.extend(OTHER_PROXIES);
        }
        environment
    }

    /// All that is set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set
            .iter()
            .map(|(name, value)| (&**name, value.as_str()))
    }

    /// What would lead clients elsewhere.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.removed.iter().copied()
    }

    /// `export` lines for a POSIX shell.
    #[must_use]
    pub fn to_exports(&self) -> String {
        let mut lines = String::new();
        for (name, value) in self.iter() {
            // Writing to a string does not fail.
            let _ = writeln!(lines, "export {name}={}", quoted(value));
        }
        lines
    }
}

/// Java knows no proxy variables; these are its properties (java.base, "Networking Properties").
fn java_options(terms: &Terms, trust_store: &str) -> String {
    let trust = format!(
        "-Djavax.net.ssl.trustStore={trust_store} -Djavax.net.ssl.trustStoreType=PKCS12 \
         -Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD}"
    );
    let own = terms.settings.of_client(Client::Java).next();
    let proxy = match (terms.way, own) {
        (Way::Proxy(usual), own) => own.and_then(Setting::door).unwrap_or(usual),
        // An empty host is none.
        (Way::Transparent, Some(_)) => {
            return format!("-Dhttp.proxyHost= -Dhttps.proxyHost= {trust}");
        }
        (Way::Transparent, None) => return trust,
    };
    let (host, port) = (proxy.ip(), proxy.port());
    [
        format!("-Dhttp.proxyHost={host} -Dhttp.proxyPort={port}"),
        format!("-Dhttps.proxyHost={host} -Dhttps.proxyPort={port}"),
        format!("-Dhttp.nonProxyHosts={}", terms.direct.java_patterns()),
        trust,
    ]
    .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        process::Mode,
        proxy::Authority,
        trust::{Roots, Settings},
    };

    fn environment(direct: &Direct, own: &[(&str, &str)]) -> Environment {
        let authority = Authority::new().unwrap();
        let terms = Terms {
            mode: Mode::Replay,
            way: Way::Proxy("127.0.0.1:1234".parse().unwrap()),
            direct: direct.clone(),
            settings: Settings::default(),
        };
        let own = |name: &str| {
            let found = own.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let files = Files::make(authority.certificate(), &Roots::none(), &terms, own).unwrap();
        Environment::new(&terms, &files, own)
    }

    fn value<'a>(environment: &'a Environment, name: &str) -> &'a str {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.unwrap().1
    }

    #[test]
    fn proxies_have_their_scheme_in_both_cases() {
        let environment = environment(&Direct::default(), &[]);
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"] {
            assert_eq!(value(&environment, name), "http://127.0.0.1:1234");
        }
        assert_eq!(value(&environment, "no_proxy"), "localhost,127.0.0.1,::1");
    }

    #[test]
    fn what_is_there_is_extended() {
        let own = [
            ("JAVA_TOOL_OPTIONS", "-Xmx1g"),
            ("PHP_INI_SCAN_DIR", "/etc/mine"),
        ];
        let direct = Direct(vec![".example.org".to_owned()]);
        let environment = environment(&direct, &own);
        let java = value(&environment, "JAVA_TOOL_OPTIONS");
        assert!(
            java.starts_with("-Xmx1g -Dhttp.proxyHost=127.0.0.1 "),
            "{java}"
        );
        assert!(
            java.contains("nonProxyHosts=localhost|127.0.0.1|[::1]|*.example.org "),
            "{java}"
        );
        assert!(value(&environment, "PHP_INI_SCAN_DIR").starts_with("/etc/mine:/"));
        assert_eq!(
            value(&environment, "NO_PROXY"),
            "localhost,127.0.0.1,::1,.example.org"
        );
    }

    #[test]
    fn exports_are_quoted_for_a_shell() {
        let environment = Environment {
            set: vec![("NAME".into(), "it's".to_owned())],
            removed: Vec::new(),
        };
        assert_eq!(environment.to_exports(), "export NAME='it'\\''s'\n");
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
