//! Whether a body in the cache is still what it was kept as.
//!
//! The cache is a folder like any other: disks fill up, and people clean up. The name of a body is the hash of
//! its bytes, and so they are compared before the first of them is used. What was found is kept in memory for as
//! long as the file has neither been changed nor replaced, by what the file system says of it; nothing is kept
//! on disk, where it could be as wrong as the body. A body of 2 GiB takes a second or two, once.

use std::{
    fs::{File, Metadata},
    io,
    num::NonZero,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::task::spawn_blocking;

use super::BodyCache;
use crate::{
    inventory::{Algorithm, Hasher, Sri},
    regular_file::{Links, open_regular},
};

/// So many bytes are hashed at a time.
const PIECE: usize = 128 << 10;

/// A body up to this many bytes is hashed where it is asked for: a thread to do it takes longer to wake.
const SMALL: u64 = 256 << 10;

/// Why a body cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("failed to read '{}'", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has other bytes than it was kept with.
    #[error("'{}' in the body cache is damaged: it should have the hash {expected}, and has {found}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it is kept under.
        expected: Sri,
        /// What its bytes have.
        found: Sri,
    },
}

impl OpenError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Damaged { .. } => {
                Some("`buildproxy replay --fetch` downloads it anew, as does another capture")
            }
            Self::Io { .. } => None,
        }
    }
}

/// Opens a body, and gives its length in bytes.
///
/// # Errors
///
/// Where it cannot be read, or is no regular file.
pub fn open(path: &Path) -> Result<(File, u64), OpenError> {
    let (file, metadata) = look(path)?;
    Ok((file, metadata.len()))
}

fn look(path: &Path) -> Result<(File, Metadata), OpenError> {
    let open = || {
        let file = open_regular(path, Links::Follow)?;
        let metadata = file.metadata()?;
        Ok((file, metadata))
    };
    open().map_err(OpenError::io(path))
}

/// A body in the cache, of which no byte is given before all of them have been compared with its hash.
#[derive(Debug)]
pub struct CheckedBody {
    path: PathBuf,
    hash: Sri,
    /// What was found last, and of which state of the file.
    known: Mutex<Option<(Stamp, Arc<Sri>)>>,
    /// Who hashes it. The others wait for what comes of it.
    turn: tokio::sync::Mutex<()>,
}

/// What a file system says of a file. It says something else when its bytes have been changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl CheckedBody {
    /// The body of this hash, in this file of the cache.
    #[must_use]
    pub fn new(path: PathBuf, hash: Sri) -> Self {
        Self {
            path,
            hash,
            known: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Opens it, once its bytes are known to be right, and gives its length.
    ///
    /// # Errors
    ///
    /// Where they are not, or cannot be read.
    pub async fn open(&self) -> Result<(File, u64), OpenError> {
        let (file, metadata) = look(&self.path)?;
        let stamp = Stamp::of(&metadata);
        let found = match self.known(stamp) {
            Some(found) => found,
            None => self.find(&file, stamp).await?,
        };
        if *found == self.hash {
            return Ok((file, stamp.length));
        }
        Err(OpenError::Damaged {
            path: self.path.clone(),
            expected: self.hash.clone(),
            found: Sri::clone(&found),
        })
    }

    fn known(&self, stamp: Stamp) -> Option<Arc<Sri>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|(of, _)| *of == stamp);
        known.map(|(_, found)| Arc::clone(found))
    }

    async fn find(&self, file: &File, stamp: Stamp) -> Result<Arc<Sri>, OpenError> {
        let _turn = self.turn.lock().await;
        if let Some(found) = self.known(stamp) {
            return Ok(found);
        }
        let failed = OpenError::io(&self.path);
        let algorithm = self.hash.algorithm();
        let found = if stamp.length <= SMALL {
            hash_of(file, algorithm)
        } else {
            let file = file.try_clone().map_err(&failed)?;
            let hashed = spawn_blocking(move || hash_of(&file, algorithm)).await;
            hashed.unwrap_or_else(|error| Err(io::Error::other(error)))
        };
        let found = Arc::new(found.map_err(failed)?);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((stamp, Arc::clone(&found)));
        Ok(found)
    }
}

/// The hash of a file's bytes.
pub(crate) fn hash_of(file: &File, algorithm: Algorithm) -> io::Result<Sri> {
    let mut hasher = Hasher::new(algorithm);
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    loop {
        match file.read_at(&mut piece, at) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => {
                hasher.update(&piece[..read]);
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl BodyCache {
    /// Hashes the bodies of these hashes that are here, on all processors, and gives what is wrong with each,
    /// in their order.
    #[must_use]
    pub fn check(&self, hashes: &[&Sri]) -> Vec<Option<OpenError>> {
        let next = AtomicUsize::new(0);
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let work = || {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(hash) = hashes.get(place) else {
                    return done;
                };
                done.push((place, self.check_one(hash)));
            }
        };
        let mut errors: Vec<_> = thread::scope(|scope| {
            let workers = (0..threads.min(hashes.len())).map(|_| scope.spawn(work));
            let workers: Vec<_> = workers.collect();
            let joined = workers.into_iter().flat_map(thread::ScopedJoinHandle::join);
            joined.flatten().collect()
        });
        errors.sort_by_key(|(place, _)| *place);
        errors.into_iter().map(|(_, error)| error).collect()
    }

    fn check_one(&self, expected: &Sri) -> Option<OpenError> {
        let path = self.get(expected)?;
        let found = look(&path).and_then(|(file, _)| {
            hash_of(&file, expected.algorithm()).map_err(OpenError::io(&path))
        });
        match found {
            Ok(found) if found == *expected => None,
            Ok(found) => Some(OpenError::Damaged {
                path,
                expected: expected.clone(),
                found,
            }),
            Err(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn kept(bytes: &[u8]) -> (tempfile::TempDir, BodyCache, PathBuf, Sri) {
        let folder = tempfile::tempdir().unwrap();
        let cache = BodyCache::at(folder.path().to_owned());
        let mut partial = cache.begin(Algorithm::Sha256);
        partial.write(bytes).unwrap();
        let body = partial.finish().unwrap();
        fs::set_permissions(&body.path, fs::Permissions::from_mode(0o600)).unwrap();
        (folder, cache, body.path, body.hash)
    }

    #[tokio::test]
    async fn a_body_is_given_only_while_it_has_its_hash() {
        for bytes in [b"hello".repeat(2), b"hello".repeat(100_000)] {
            let (_folder, cache, path, hash) = kept(&bytes);
            let body = CheckedBody::new(path.clone(), hash.clone());
            for _ in 0..2 {
                assert_eq!(body.open().await.unwrap().1, bytes.len() as u64);
            }
            let mut other = bytes.clone();
            other[3] = b'x';
            fs::write(&path, &other).unwrap();
            for _ in 0..2 {
                let error = body.open().await.unwrap_err();
                assert!(
                    matches!(&error, OpenError::Damaged { found, .. } if *found == Sri::sha256_of(&other))
                );
                assert!(error.hint().is_some());
            }
            assert!(matches!(
                cache.check(&[&hash])[..],
                [Some(OpenError::Damaged { .. })]
            ));
            fs::write(&path, &bytes).unwrap();
            body.open().await.unwrap();
            assert!(matches!(cache.check(&[&hash])[..], [None]));
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_order() {
        let (folder, cache, path, good) = kept(b"good");
        let missing = Sri::sha256_of(b"missing");
        let damaged = Sri::sha256_of(b"damaged");
        fs::write(path.with_file_name(damaged.to_hex()), "other").unwrap();
        let hashes = [&damaged, &good, &missing, &damaged];
        let found = cache.check(&hashes);
        let found: Vec<bool> = found.iter().map(Option::is_some).collect();
        assert_eq!(found, [true, false, false, true]);
        assert!(cache.check(&[]).is_empty());
        drop(folder);
    }
}
