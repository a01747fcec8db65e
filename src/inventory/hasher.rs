//! Hashes of bytes that come in pieces.

use sha2::{Digest, Sha256, Sha512};

use super::sri::{Algorithm, Sri};

/// A hash in the making.
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// A hash of nothing so far.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes in more.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            State::Sha256(hasher) => hasher.update(piece),
            State::Sha512(hasher) => hasher.update(piece),
        }
    }

    /// The hash of all that was taken in.
    #[must_use]
    pub fn finish(self) -> Sri {
        match self.0 {
            State::Sha256(hasher) => Sri::new_sha256(hasher.finalize().into()),
            State::Sha512(hasher) => Sri::new_sha512(hasher.finalize().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hash_as_the_whole() {
        // `printf abc | sha512sum`.
        let sha512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                      2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        for (algorithm, wanted) in [
            (Algorithm::Sha256, Sri::sha256_of(b"abc").to_hex()),
            (Algorithm::Sha512, sha512.to_owned()),
        ] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"a");
            hasher.update(b"bc");
            let hash = hasher.finish();
            assert_eq!((hash.algorithm(), hash.to_hex()), (algorithm, wanted));
        }
    }
}
