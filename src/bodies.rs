//! The body cache: captured bodies, each under the hash of its bytes.
//!
//! It lets a capture be replayed without Nix and without a second download. A body is a file
//! `ALGORITHM/HEX` below the cache's folder, read-only, and complete from the moment that it has this
//! name: what is still arriving, or broke off, is a temporary file that goes away by itself.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy, choose_base_strategy};
use tempfile::NamedTempFile;

use crate::inventory::{Algorithm, Hasher, Sri};

/// Why the body cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no home folder to put it in.
    #[error("failed to find a folder for the body cache: neither XDG_CACHE_HOME nor HOME is set")]
    NoHome(#[source] etcetera::HomeDirError),
    /// The file system says no.
    #[error("failed to use the body cache '{}'", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl CacheError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// A folder of bodies.
#[derive(Clone, Debug)]
pub struct BodyCache {
    root: PathBuf,
}

/// A body that is whole.
#[derive(Clone, Debug)]
pub struct CachedBody {
    /// Its hash: sha256, unless another algorithm was asked for.
    pub hash: Sri,
    /// Its length in bytes.
    pub length: u64,
    /// Where it is.
    pub path: PathBuf,
}

impl BodyCache {
    /// The cache in `root`, which need not exist yet.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The cache of this user: `$XDG_CACHE_HOME/buildproxy`, or `~/.cache/buildproxy`.
    ///
    /// # Errors
    ///
    /// Where there is no home folder.
    pub fn of_user() -> Result<Self, CacheError> {
        let base = choose_base_strategy().map_err(CacheError::NoHome)?;
        Ok(Self::at(base.cache_dir().join("buildproxy")))
    }

    /// The file with the body of this hash, where it is here.
    #[must_use]
    pub fn get(&self, hash: &Sri) -> Option<PathBuf> {
        let path = self.path(hash);
        path.is_file().then_some(path)
    }

    /// Begins a body that is to be found under its sha256.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written.
    pub fn begin(&self) -> Result<PartialBody, CacheError> {
        self.begin_as(Algorithm::Sha256)
    }

    /// Begins a body that is to be found under its hash by another algorithm.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written.
    pub fn begin_as(&self, algorithm: Algorithm) -> Result<PartialBody, CacheError> {
        let folder = self.root.join(algorithm.to_string());
        let fail = || CacheError::io(&folder);
        fs::create_dir_all(&folder).map_err(fail())?;
        let file = tempfile::Builder::new()
            .prefix(".partial-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(&folder)
            .map_err(fail())?;
        Ok(PartialBody {
            cache: self.clone(),
            file,
            hasher: Hasher::new(algorithm),
            length: 0,
        })
    }

    fn path(&self, hash: &Sri) -> PathBuf {
        self.root
            .join(hash.algorithm().to_string())
            .join(hash.to_hex())
    }
}

/// A body that is arriving. Dropped, it is forgotten.
#[derive(Debug)]
pub struct PartialBody {
    cache: BodyCache,
    file: NamedTempFile,
    hasher: Hasher,
    length: u64,
}

impl PartialBody {
    /// Appends to the body.
    ///
    /// # Errors
    ///
    /// Where the disk is full, say.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), CacheError> {
        self.hasher.update(piece);
        self.length += piece.len() as u64;
        let written = self.file.as_file_mut().write_all(piece);
        written.map_err(CacheError::io(self.file.path()))
    }

    /// Bytes so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The hash of the bytes so far.
    #[must_use]
    pub fn hash(&self) -> Sri {
        self.hasher.clone().finish()
    }

    /// A second handle, to read what has been written. It stays valid whatever becomes of the body.
    ///
    /// # Errors
    ///
    /// Where there are too many open files.
    pub fn reader(&self) -> Result<File, CacheError> {
        self.file.reopen().map_err(CacheError::io(self.file.path()))
    }

    /// The body is whole: gives it its name.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written.
    pub fn finish(self) -> Result<CachedBody, CacheError> {
        let hash = self.hasher.finish();
        let path = self.cache.path(&hash);
        let fail = || CacheError::io(&path);
        let readable = Permissions::from_mode(0o444);
        self.file
            .as_file()
            .set_permissions(readable)
            .map_err(fail())?;
        self.file
            .persist(&path)
            .map_err(|error| fail()(error.error))?;
        Ok(CachedBody {
            hash,
            length: self.length,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_found_by_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().join("cache"));
        let mut partial = cache.begin().unwrap();
        partial.write(b"he").unwrap();
        partial.write(b"llo").unwrap();
        let body = partial.finish().unwrap();
        assert_eq!(body.hash, Sri::sha256_of(b"hello"));
        assert_eq!(body.length, 5);
        let found = cache.get(&body.hash).unwrap();
        assert_eq!(fs::read(found).unwrap(), b"hello");
    }

    #[test]
    fn a_body_is_found_by_the_algorithm_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().to_owned());
        let mut partial = cache.begin_as(Algorithm::Sha512).unwrap();
        partial.write(b"hello").unwrap();
        let hash = partial.hash();
        let body = partial.finish().unwrap();
        assert_eq!(
            (body.hash.algorithm(), &body.hash),
            (Algorithm::Sha512, &hash)
        );
        assert_eq!(fs::read(cache.get(&hash).unwrap()).unwrap(), b"hello");
        assert_eq!(cache.get(&Sri::sha256_of(b"hello")), None);
    }

    #[test]
    fn a_body_that_breaks_off_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().to_owned());
        let mut partial = cache.begin().unwrap();
        partial.write(b"half").unwrap();
        drop(partial);
        assert_eq!(
            fs::read_dir(folder.path().join("sha256")).unwrap().count(),
            0
        );
        assert_eq!(cache.get(&Sri::sha256_of(b"half")), None);
    }
}
