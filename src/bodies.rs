//! The body cache: captured bodies, each under the hash of its bytes.
//!
//! It lets a capture be replayed without Nix and without a second download. A body is a file
//! `ALGORITHM/HEX` below the cache's folder, for its user alone, read-only, and complete from the moment
//! that it has this name: what is still arriving, or broke off, is a temporary file that goes away by
//! itself.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy, choose_base_strategy};
use tempfile::NamedTempFile;

use crate::inventory::{Algorithm, Hasher, Sri};

mod checked;

pub(crate) use checked::hash_of;
pub use checked::{CheckedBody, OpenError, open};

/// Up to this many bytes of a body are held in memory until it is whole or there are more. Written together, they
/// take half of the time that they take one record of TLS after the other.
const IN_MEMORY: usize = 128 << 10;

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

    /// The folder that it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// The file with the body of this hash, where it is here. An empty file is none, unless the body is empty:
    /// such is left where a disk was full. Whether the bytes of others are right, [`CheckedBody`] tells.
    #[must_use]
    pub fn get(&self, hash: &Sri) -> Option<PathBuf> {
        let path = self.path(hash);
        let file = path.metadata().ok().filter(fs::Metadata::is_file)?;
        let is_empty = || Hasher::new(hash.algorithm()).finish() == *hash;
        (file.len() > 0 || is_empty()).then_some(path)
    }

    /// Makes sure that captured bodies can be kept here.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written.
    pub fn prepare(&self) -> Result<(), CacheError> {
        self.temporary(Algorithm::Sha256).map(drop)
    }

    /// Begins a body that is to be found under its hash by `algorithm`.
    #[must_use]
    pub fn begin(&self, algorithm: Algorithm) -> PartialBody {
        PartialBody {
            cache: self.clone(),
            algorithm,
            held: Vec::new(),
            file: None,
            hasher: Hasher::new(algorithm),
            length: 0,
        }
    }

    fn folder_of(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join(algorithm.to_string())
    }

    /// A file that goes away by itself, beside those that stay. The folder is made where it is not there.
    fn temporary(&self, algorithm: Algorithm) -> Result<NamedTempFile, CacheError> {
        let folder = self.folder_of(algorithm);
        let open = || {
            tempfile::Builder::new()
                .prefix(".partial-")
                .permissions(Permissions::from_mode(0o400))
                .tempfile_in(&folder)
        };
        let opened = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Some of what a build gets is for its user alone.
                let mut private = fs::DirBuilder::new();
                private.recursive(true).mode(0o700);
                private.create(&folder).and_then(|()| open())
            }
            opened => opened,
        };
        opened.map_err(CacheError::io(&folder))
    }

    fn path(&self, hash: &Sri) -> PathBuf {
        self.folder_of(hash.algorithm()).join(hash.to_hex())
    }
}

/// A body that is arriving. Dropped, it is forgotten.
///
/// There is no file before there are more than `IN_MEMORY` bytes: most bodies of a build are small, and
/// nobody waits for their file then but the record.
#[derive(Debug)]
pub struct PartialBody {
    cache: BodyCache,
    algorithm: Algorithm,
    /// The last of it, which is not in the file.
    held: Vec<u8>,
    /// All that came before.
    file: Option<NamedTempFile>,
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
        if self.held.len() + piece.len() <= IN_MEMORY {
            self.held.extend_from_slice(piece);
            return Ok(());
        }
        let mut file = self.take_file()?;
        let written = if piece.len() < IN_MEMORY {
            self.held.extend_from_slice(piece);
            Ok(())
        } else {
            let written = file.as_file_mut().write_all(piece);
            written.map_err(CacheError::io(file.path()))
        };
        self.file = Some(file);
        written
    }

    /// Bytes so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of them that [`Self::reader`] can read.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.length - self.held.len() as u64
    }

    /// The hash of the bytes so far.
    #[must_use]
    pub fn hash(&self) -> Sri {
        self.hasher.clone().finish()
    }

    /// A second handle, to read what has been written, where there is a file. It stays valid whatever becomes
    /// of the body.
    ///
    /// # Errors
    ///
    /// Where there are too many open files.
    pub fn reader(&self) -> Result<Option<File>, CacheError> {
        let reader = |file: &NamedTempFile| {
            let path = file.path();
            File::open(path).map_err(CacheError::io(path))
        };
        self.file.as_ref().map(reader).transpose()
    }

    /// The body is whole: gives it its name.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written.
    pub fn finish(mut self) -> Result<CachedBody, CacheError> {
        let file = self.take_file()?;
        let hash = self.hasher.finish();
        let path = self.cache.path(&hash);
        let named = file.persist(&path);
        named.map_err(|error| CacheError::io(&path)(error.error))?;
        Ok(CachedBody {
            hash,
            length: self.length,
            path,
        })
    }

    /// The file with all that came so far.
    fn take_file(&mut self) -> Result<NamedTempFile, CacheError> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.cache.temporary(self.algorithm)?,
        };
        let written = file.as_file_mut().write_all(&self.held);
        written.map_err(CacheError::io(file.path()))?;
        self.held.clear();
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_body_is_found_by_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().join("cache"));
        let mut partial = cache.begin(Algorithm::Sha256);
        partial.write(b"he").unwrap();
        partial.write(b"llo").unwrap();
        let body = partial.finish().unwrap();
        assert_eq!(body.hash, Sri::sha256_of(b"hello"));
        assert_eq!(body.length, 5);
        let found = cache.get(&body.hash).unwrap();
        assert_eq!(fs::read(found).unwrap(), b"hello");
    }

    #[test]
    fn an_emptied_file_is_no_body() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().to_owned());
        for (bytes, is_kept) in [(&b"hello"[..], false), (b"", true)] {
            for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
                let mut partial = cache.begin(algorithm);
                partial.write(bytes).unwrap();
                let body = partial.finish().unwrap();
                assert!(cache.get(&body.hash).is_some());
                fs::remove_file(&body.path).unwrap();
                fs::write(&body.path, "").unwrap();
                assert_eq!(cache.get(&body.hash).is_some(), is_kept);
            }
        }
    }

    #[test]
    fn a_body_is_found_by_the_algorithm_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().to_owned());
        let mut partial = cache.begin(Algorithm::Sha512);
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
        let mut partial = cache.begin(Algorithm::Sha256);
        let half = vec![b'x'; IN_MEMORY + 1];
        partial.write(&half).unwrap();
        let files = || fs::read_dir(folder.path().join("sha256")).unwrap().count();
        assert_eq!(files(), 1);
        drop(partial);
        assert_eq!(files(), 0);
        assert_eq!(cache.get(&Sri::sha256_of(&half)), None);
    }

    #[test]
    fn a_body_gets_a_file_when_it_is_large_or_whole() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().to_owned());
        let all = vec![b'x'; IN_MEMORY + 2];
        let mut partial = cache.begin(Algorithm::Sha256);
        partial.write(&all[..IN_MEMORY]).unwrap();
        assert!(partial.reader().unwrap().is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        for piece in all[IN_MEMORY..].chunks(1) {
            partial.write(piece).unwrap();
            let mut reader = partial.reader().unwrap().unwrap();
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            assert!(read.len() as u64 == partial.written() && all.starts_with(&read));
        }
        let body = partial.finish().unwrap();
        assert_eq!(fs::read(cache.get(&body.hash).unwrap()).unwrap(), all);
        assert_eq!(body.hash, Sri::sha256_of(&all));
    }

    #[test]
    fn a_body_of_pieces_of_all_sizes_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().to_owned());
        let all: Vec<u8> = (0..=250).cycle().take(5 * IN_MEMORY).collect();
        for size in [
            1000,
            16 << 10,
            IN_MEMORY - 1,
            IN_MEMORY,
            IN_MEMORY + 1,
            3 * IN_MEMORY,
        ] {
            let mut partial = cache.begin(Algorithm::Sha256);
            for piece in all.chunks(size) {
                partial.write(piece).unwrap();
                // Not more than that waits in memory.
                assert!(partial.length() - partial.written() <= IN_MEMORY as u64);
            }
            let body = partial.finish().unwrap();
            assert!(fs::read(body.path).unwrap() == all, "{size}");
        }
    }
}
