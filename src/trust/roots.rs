//! The certificates of the platform.

use rustls::{RootCertStore, pki_types::CertificateDer};

/// The certificates that upstream servers are verified against.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Those of the platform; `SSL_CERT_FILE` and `SSL_CERT_DIR` overrule it. There may be none: then
    /// every `https://` URL fails, and says why.
    #[must_use]
    pub fn of_platform() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!("failed to read the system's root certificates: {error}");
        }
        Self(found.certs)
    }

    /// No certificates.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.0.iter()
    }

    /// What a TLS client verifies with. Certificates that it does not understand are left out.
    #[must_use]
    pub fn to_store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(self.0.iter().cloned());
        store
    }
}
