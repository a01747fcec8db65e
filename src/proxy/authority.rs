//! The certificate authority of one run.
//!
//! It is made when buildproxy starts and forgotten when it ends. Its key lives in memory alone: who
//! finds the certificate in a log or in a store path can do nothing with it.
//!
//! The profile is what the strictest of the measured clients asks for (Python 3.13, go): critical
//! basic constraints, key usage, subject and authority key identifiers, and the host as a subject
//! alternative name, a DNS name or an IP address as the case may be (RFC 5280).

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::ServerSessionMemoryCache,
};

/// Sessions that clients may resume, over all hosts.
const RESUMABLE_SESSIONS: usize = 1024;

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The key or the certificate of the authority itself.
    #[error("failed to make a certificate authority")]
    Create(#[source] rcgen::Error),
    /// A certificate for one host.
    #[error("failed to make a certificate for '{host}'")]
    Leaf {
        /// The host, as the client named it.
        host: String,
        /// What rcgen has against it.
        #[source]
        source: rcgen::Error,
    },
    /// A certificate that rustls does not take.
    #[error("failed to use the certificate for '{host}'")]
    Config {
        /// The host, as the client named it.
        host: String,
        /// What rustls has against it.
        #[source]
        source: rustls::Error,
    },
}

/// Makes certificates for the hosts that clients ask for.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
    /// One key for all hosts: making a key costs more than signing a certificate.
    leaf_key: KeyPair,
    sessions: Arc<ServerSessionMemoryCache>,
    configs: RwLock<HashMap<String, Arc<ServerConfig>>>,
}

impl Authority {
    /// A new authority with a new P-256 key.
    ///
    /// # Errors
    ///
    /// Where the system has no randomness to give.
    pub fn new() -> Result<Self, AuthorityError> {
        let create = || {
            let key = KeyPair::generate()?;
            let leaf_key = KeyPair::generate()?;
            let mut params = dated_params();
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params
                .distinguished_name
                .push(DnType::CommonName, "buildproxy, for this run only");
            let certificate = params.self_signed(&key)?;
            Ok(Self {
                issuer: Issuer::new(params, key),
                certificate,
                leaf_key,
                sessions: ServerSessionMemoryCache::new(RESUMABLE_SESSIONS),
                configs: RwLock::default(),
            })
        };
        create().map_err(AuthorityError::Create)
    }

    /// The authority's certificate, which clients are to trust.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        self.certificate.der()
    }

    /// The TLS configuration of a server that is `host`, a DNS name or an IP address without brackets.
    ///
    /// # Errors
    ///
    /// Where `host` cannot stand in a certificate.
    pub fn server_config(&self, host: &str) -> Result<Arc<ServerConfig>, AuthorityError> {
        let known = self.configs.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = known.get(host) {
            return Ok(Arc::clone(config));
        }
        drop(known);
        let config = Arc::new(self.make_config(host)?);
        self.configs
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(host.to_owned(), Arc::clone(&config));
        Ok(config)
    }

    fn make_config(&self, host: &str) -> Result<ServerConfig, AuthorityError> {
        let leaf = self.leaf(host).map_err(|source| AuthorityError::Leaf {
            host: host.to_owned(),
            source,
        })?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(
            self.leaf_key.serialized_der().to_vec(),
        ));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![leaf], key)
            })
            .map_err(|source| AuthorityError::Config {
                host: host.to_owned(),
                source,
            })?;
        config.alpn_protocols = [&b"h2"[..], b"http/1.1", b"http/1.0"]
            .map(<[u8]>::to_vec)
            .to_vec();
        config.session_storage = Arc::clone(&self.sessions) as _;
        Ok(config)
    }

    fn leaf(&self, host: &str) -> Result<CertificateDer<'static>, rcgen::Error> {
        let mut params = dated_params();
        params.subject_alt_names = vec![match host.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(host.try_into()?),
        }];
        // A common name holds 64 characters at most, and nobody reads it any more.
        params
            .distinguished_name
            .push(DnType::CommonName, "buildproxy");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(params
            .signed_by(&self.leaf_key, &self.issuer)?
            .der()
            .clone())
    }
}

/// Valid whenever a build thinks that it is: some run under a clock that stands at the epoch, or at
/// the date of the source.
fn dated_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = date_time_ymd(1970, 1, 1);
    params.not_after = date_time_ymd(2099, 12, 31);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_host_gets_a_certificate() {
        let authority = Authority::new().unwrap();
        let long = format!("{}.example.org", "a".repeat(63));
        for host in ["example.org", "127.0.0.1", "::1", "*.example.org", &long] {
            authority.server_config(host).unwrap();
        }
    }

    #[test]
    fn a_host_is_certified_once() {
        let authority = Authority::new().unwrap();
        let first = authority.server_config("example.org").unwrap();
        let second = authority.server_config("example.org").unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn two_authorities_have_nothing_in_common() {
        let [one, two] = [Authority::new().unwrap(), Authority::new().unwrap()];
        assert_ne!(one.certificate(), two.certificate());
    }
}
