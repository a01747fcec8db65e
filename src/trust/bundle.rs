//! The file of certificates that clients are to trust, for as long as the run takes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the certificate bundle '{}'", path.display())]
pub struct BundleError {
    path: PathBuf,
    source: io::Error,
}

/// A bundle in a temporary folder of its own. It goes when this is dropped.
///
/// There are certificates in it and no key.
#[derive(Debug)]
pub struct Bundle {
    folder: TempDir,
}

impl Bundle {
    /// Writes `certificates`, each as PEM.
    ///
    /// # Errors
    ///
    /// Where the folder for temporary files cannot be written.
    pub fn write(certificates: &[&str]) -> Result<Self, BundleError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            |source| BundleError { path, source }
        };
        let folder = tempfile::Builder::new().prefix("buildproxy-").tempdir();
        let folder = folder.map_err(fail(&std::env::temp_dir()))?;
        let bundle = Self { folder };
        let path = bundle.path();
        fs::write(&path, certificates.concat()).map_err(fail(&path))?;
        Ok(bundle)
    }

    /// Where it is, absolute.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("ca-bundle.crt")
    }
}
