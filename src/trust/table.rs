//! Which variable convinces which client. All that buildproxy sets in a client's environment stands here.
//!
//! Each line was measured with the client it names, or, where no version could be had, is from the
//! client's documentation.

use std::{borrow::Cow, ffi::OsString, fmt};

use super::{Client, File, Settings, files::TRUST_STORE_PASSWORD, settings::names_a_proxy};

/// What a variable is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The proxy's URL. With its scheme: npm, ruby, apt and perl do not take a bare `host:port`.
    Proxy,
    /// Its host and port.
    ProxyAddress,
    /// Its host.
    ProxyHost,
    /// Its port.
    ProxyPort,
    /// The same, of a client that may have settings of its own, with a way of its own behind it.
    ProxyOf(Client),
    /// The same, if the client has any.
    ProxyToo(Client),
    /// The hosts that are reached without the proxy.
    NoProxy,
    /// The path of a file that is made for the run.
    File(File),
    /// The path of one that is made if a client has settings of its own.
    FileToo(Client, File),
    /// One more setting of git's: that of a file to include.
    Git(Git),
    /// The files that gem reads, and one more, if it has settings of its own.
    GemFiles,
    /// Options of a Java virtual machine, after those that are there.
    Java,
    /// The same, if those that are there lead elsewhere.
    JavaToo,
    /// The folders that PHP reads settings from, and one more.
    PhpFolders,
    /// `capture` or `replay`.
    Mode,
    /// This text.
    Text(&'static str),
}

impl fmt::Display for Value {
    /// What it is, to a person.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Proxy | Self::ProxyOf(_) => "the proxy's URL",
            Self::ProxyAddress => "the proxy's host and port",
            Self::ProxyHost => "the proxy's host",
            Self::ProxyPort => "the proxy's port",
            Self::ProxyToo(_) => "the proxy's URL, where you have set one",
            Self::NoProxy => "the hosts that are reached without it",
            Self::File(File::Authority) => "the authority's certificate, as PEM",
            Self::File(File::Bundle) => "certificates, as PEM",
            Self::File(File::TrustStore) => "certificates, as PKCS 12",
            Self::File(
                File::Wgetrc
                | File::Wget2rc
                | File::AptConf
                | File::AptMain
                | File::Gitconfig
                | File::Curlrc
                | File::Gemrc
                | File::Renviron,
            )
            | Self::Git(Git::Value) => "settings, after yours",
            Self::File(File::Folder) => "a folder that can be written to",
            Self::File(File::GradleFolder) => "a folder with settings",
            Self::File(File::PhpSettings) => "settings",
            Self::FileToo(..) | Self::GemFiles => "settings, where yours name a proxy",
            Self::Git(Git::Count) => "one more than yours",
            Self::Git(Git::Key) => "include.path",
            Self::Java => "yours, and options for all of it",
            Self::JavaToo => "the same, where yours name a proxy",
            Self::PhpFolders => "yours, and a folder with settings",
            Self::Mode => "capture, or replay",
            Self::Text(text) => text,
        })
    }
}

/// How git is given a setting by variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Git {
    /// How many settings there are.
    Count,
    /// The key of the last one.
    Key,
    /// Its value.
    Value,
}

impl Git {
    /// How many there are already.
    pub(super) fn there(own: impl Fn(&str) -> Option<OsString>) -> u32 {
        let count = own("GIT_CONFIG_COUNT");
        let count = count.and_then(|count| count.to_str()?.parse().ok());
        count.unwrap_or(0)
    }
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Who reads it.
    pub clients: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is set to.
    pub value: Value,
}

impl Variable {
    /// The name that it has where `own` gives what is there.
    #[must_use]
    pub fn name_beside(&self, own: impl Fn(&str) -> Option<OsString>) -> Cow<'static, str> {
        match self.value {
            Value::Git(Git::Key) => format!("GIT_CONFIG_KEY_{}", Git::there(own)).into(),
            Value::Git(Git::Value) => format!("GIT_CONFIG_VALUE_{}", Git::there(own)).into(),
            _ => self.name.into(),
        }
    }

    /// Whether it is set where clients have these settings, and `own` gives what is there.
    #[must_use]
    pub fn is_set(&self, settings: &Settings, own: impl Fn(&str) -> Option<OsString>) -> bool {
        match self.value {
            Value::ProxyToo(client) | Value::FileToo(client, _) => settings.has(client),
            Value::GemFiles => settings.has(Client::Gem),
            Value::JavaToo => {
                own(self.name).is_some_and(|there| names_a_proxy(&there.to_string_lossy()))
            }
            Value::Proxy
            | Value::ProxyOf(_)
            | Value::ProxyAddress
            | Value::ProxyHost
            | Value::ProxyPort
            | Value::NoProxy
            | Value::Mode
            | Value::File(_)
            | Value::Git(_)
            | Value::Java
            | Value::PhpFolders
            | Value::Text(_) => true,
        }
    }
}

/// Variables by which clients are told of a proxy, besides those of the table.
pub(super) const OTHER_PROXIES: [&str; 1] = ["ftp_proxy"];

const GRADLE_HOOK: &str = "nixpkgs' gradle";

const BUNDLE: Value = Value::File(File::Bundle);
const NPM: Value = Value::ProxyOf(Client::Npm);

const fn variable(name: &'static str, value: Value, clients: &'static str) -> Variable {
    Variable {
        clients,
        name,
        value,
    }
}

/// The table.
pub const TABLE: &[Variable] = &[
    // Both cases: curl, git, wget, cargo and others read only the lower case for http, some of the rest
    // only the upper.
    variable("http_proxy", Value::Proxy, "most"),
    variable("HTTP_PROXY", Value::Proxy, "most"),
    variable("https_proxy", Value::Proxy, "most"),
    variable("HTTPS_PROXY", Value::Proxy, "most"),
    variable("all_proxy", Value::Proxy, "curl, httpx, uv"),
    variable("ALL_PROXY", Value::Proxy, "curl, httpx, uv"),
    variable("no_proxy", Value::NoProxy, "most"),
    variable("NO_PROXY", Value::NoProxy, "most"),
    variable("YARN_HTTP_PROXY", Value::ProxyOf(Client::Yarn), "yarn 4"),
    variable(
        "YARN_HTTPS_PROXY",
        Value::ProxyOf(Client::Yarn),
        "yarn 4, yarn 1",
    ),
    // Settings of their own would beat the variables above.
    variable("npm_config_proxy", NPM, "npm, pnpm, yarn 1"),
    variable("npm_config_https_proxy", NPM, "npm, pnpm, yarn 1"),
    variable("npm_config_noproxy", Value::NoProxy, "npm, pnpm"),
    variable("CARGO_HTTP_PROXY", Value::ProxyOf(Client::Cargo), "cargo"),
    variable("GIT_CONFIG_COUNT", Value::Git(Git::Count), "git from 2.31"),
    variable("GIT_CONFIG_KEY_0", Value::Git(Git::Key), "git from 2.31"),
    variable(
        "GIT_CONFIG_VALUE_0",
        Value::Git(Git::Value),
        "git from 2.31",
    ),
    // These change what they do for hosts of this machine as well, or what a build can do with other
    // variables, and so are there only where they have to be.
    variable("PIP_PROXY", Value::ProxyToo(Client::Pip), "pip"),
    variable(
        "CURL_HOME",
        Value::FileToo(Client::Curl, File::Folder),
        "curl",
    ),
    variable("GEMRC", Value::GemFiles, "gem, bundler"),
    variable(
        "R_ENVIRON_USER",
        Value::FileToo(Client::R, File::Renviron),
        "R",
    ),
    variable(
        "GRADLE_USER_HOME",
        Value::FileToo(Client::Gradle, File::GradleFolder),
        "Gradle",
    ),
    // Of all options of a Java virtual machine, JAVA_TOOL_OPTIONS goes last.
    variable("_JAVA_OPTIONS", Value::JavaToo, "Java"),
    variable("JDK_JAVA_OPTIONS", Value::JavaToo, "Java from 9"),
    variable("JAVA_OPTS", Value::JavaToo, "scripts that start Java"),
    variable("MAVEN_OPTS", Value::JavaToo, "Maven"),
    variable("GRADLE_OPTS", Value::JavaToo, "Gradle"),
    variable("SBT_OPTS", Value::JavaToo, "sbt"),
    variable("ANT_OPTS", Value::JavaToo, "Ant"),
    variable("LEIN_JVM_OPTS", Value::JavaToo, "Leiningen"),
    // A switch of their own for the variables above.
    variable(
        "NODE_USE_ENV_PROXY",
        Value::Text("1"),
        "node from 22.21 and 24.5",
    ),
    variable(
        "ELECTRON_GET_USE_PROXY",
        Value::Text("true"),
        "@electron/get",
    ),
    variable("GLOBAL_AGENT_HTTP_PROXY", Value::Proxy, "global-agent"),
    variable("GLOBAL_AGENT_HTTPS_PROXY", Value::Proxy, "global-agent"),
    variable("GLOBAL_AGENT_NO_PROXY", Value::NoProxy, "global-agent"),
    // nixpkgs' openssl prefers NIX_SSL_CERT_FILE to SSL_CERT_FILE.
    variable(
        "NIX_SSL_CERT_FILE",
        BUNDLE,
        "whatever uses nixpkgs' openssl",
    ),
    variable(
        "SSL_CERT_FILE",
        BUNDLE,
        "openssl, python, httpx, go, skopeo, ruby, uv, cmake",
    ),
    variable("CURL_CA_BUNDLE", BUNDLE, "curl, R, requests"),
    variable("REQUESTS_CA_BUNDLE", BUNDLE, "requests"),
    variable("PIP_CERT", BUNDLE, "pip"),
    variable("NODE_EXTRA_CA_CERTS", BUNDLE, "node, npm, pnpm, yarn"),
    // An npmrc with `cafile` would beat NODE_EXTRA_CA_CERTS.
    variable("npm_config_cafile", BUNDLE, "npm, pnpm, yarn 1"),
    variable("YARN_HTTPS_CA_FILE_PATH", BUNDLE, "yarn 4"),
    variable("GIT_SSL_CAINFO", BUNDLE, "git"),
    variable("CARGO_HTTP_CAINFO", BUNDLE, "cargo"),
    variable("COMPOSER_CAFILE", BUNDLE, "composer"),
    variable("PERL_LWP_SSL_CA_FILE", BUNDLE, "LWP"),
    variable("AWS_CA_BUNDLE", BUNDLE, "aws"),
    variable("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", BUNDLE, "gcloud"),
    variable("DENO_CERT", BUNDLE, "deno"),
    variable("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", BUNDLE, "grpc"),
    variable("HEX_CACERTS_PATH", BUNDLE, "hex"),
    variable("HTTPLIB2_CA_CERTS", BUNDLE, "httplib2"),
    variable("SYSTEM_CERTIFICATE_PATH", BUNDLE, "Haskell's programs"),
    variable("JULIA_SSL_CA_ROOTS_PATH", BUNDLE, "julia"),
    variable("WGETRC", Value::File(File::Wgetrc), "wget"),
    variable("WGET2RC", Value::File(File::Wget2rc), "wget2"),
    variable("APT_CONFIG", Value::File(File::AptConf), "apt"),
    variable("PHP_INI_SCAN_DIR", Value::PhpFolders, "PHP"),
    variable("JAVA_TOOL_OPTIONS", Value::Java, "Java, Maven, Gradle"),
    // Requests that only drift, and that no build depends on.
    variable("PIP_DISABLE_PIP_VERSION_CHECK", Value::Text("1"), "pip"),
    variable("NPM_CONFIG_UPDATE_NOTIFIER", Value::Text("false"), "npm"),
    variable("NPM_CONFIG_AUDIT", Value::Text("false"), "npm"),
    variable("NPM_CONFIG_FUND", Value::Text("false"), "npm"),
    variable("YARN_ENABLE_TELEMETRY", Value::Text("0"), "yarn 4"),
    // The setup hook of nixpkgs' gradle has Gradle work offline where there is no certificate, and else takes
    // the proxy and the trust store from the variables that mitm-cache's sets: which in turn starts nothing
    // where there is a folder.
    variable("MITM_CACHE_CA", Value::File(File::Authority), GRADLE_HOOK),
    variable(
        "MITM_CACHE_CERT_DIR",
        Value::File(File::Folder),
        GRADLE_HOOK,
    ),
    variable(
        "MITM_CACHE_KEYSTORE",
        Value::File(File::TrustStore),
        GRADLE_HOOK,
    ),
    variable(
        "MITM_CACHE_KS_PWD",
        Value::Text(TRUST_STORE_PASSWORD),
        GRADLE_HOOK,
    ),
    variable("MITM_CACHE_ADDRESS", Value::ProxyAddress, GRADLE_HOOK),
    variable("MITM_CACHE_HOST", Value::ProxyHost, GRADLE_HOOK),
    variable("MITM_CACHE_PORT", Value::ProxyPort, GRADLE_HOOK),
    // A phase that sources it must not take the build from under a capture.
    variable("BUILDPROXY_MODE", Value::Mode, "mkBuildproxy's script"),
];
