//! Which variable convinces which client. All that buildproxy sets in a client's environment stands here.
//!
//! Each line was measured with the client it names, or, where no version could be had, is from the
//! client's documentation.

use std::fmt;

use super::{File, files::TRUST_STORE_PASSWORD};

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
    /// The hosts that are reached without the proxy.
    NoProxy,
    /// The path of a file that is made for the run.
    File(File),
    /// Options of a Java virtual machine, after those that are there.
    Java,
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
            Self::Proxy => "the proxy's URL",
            Self::ProxyAddress => "the proxy's host and port",
            Self::ProxyHost => "the proxy's host",
            Self::ProxyPort => "the proxy's port",
            Self::NoProxy => "the hosts that are reached without it",
            Self::File(File::Authority) => "the authority's certificate, as PEM",
            Self::File(File::Bundle) => "certificates, as PEM",
            Self::File(File::TrustStore) => "certificates, as PKCS 12",
            Self::File(File::Wgetrc | File::Wget2rc | File::AptConf) => "settings, after yours",
            Self::File(File::Folder) => "a folder that can be written to",
            Self::File(File::PhpSettings) => "settings",
            Self::Java => "yours, and options for all of it",
            Self::PhpFolders => "yours, and a folder with settings",
            Self::Mode => "capture, or replay",
            Self::Text(text) => text,
        })
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

/// Variables by which clients are told of a proxy, besides those of the table.
pub(super) const OTHER_PROXIES: [&str; 3] = ["PIP_PROXY", "ftp_proxy", "npm_config_noproxy"];

const GRADLE_HOOK: &str = "nixpkgs' gradle";

const BUNDLE: Value = Value::File(File::Bundle);

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
    variable("YARN_HTTP_PROXY", Value::Proxy, "yarn 4"),
    variable("YARN_HTTPS_PROXY", Value::Proxy, "yarn 4"),
    // Settings of their own would beat the variables above.
    variable("npm_config_proxy", Value::Proxy, "npm, pnpm, yarn 1"),
    variable("npm_config_https_proxy", Value::Proxy, "npm, pnpm, yarn 1"),
    variable("CARGO_HTTP_PROXY", Value::Proxy, "cargo"),
    variable(
        "NODE_USE_ENV_PROXY",
        Value::Text("1"),
        "node from 22.21 and 24.5",
    ),
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
