//! Hashes, as Nix writes them.
//!
//! Nix knows three spellings of a digest: base16, its own base 32 (`nix32`), and base64, the last
//! mostly inside of a W3C Subresource Integrity string. We write SRI and read all of them, because
//! people copy hashes from wherever they find them. Reading is strict: a digest has exactly one
//! spelling in each, so that two equal hashes are also equal texts.
//!
//! Sources: W3C Subresource Integrity §3.5; Nix manual, "nix hash"; `libutil/hash.cc` for the order
//! of nix32's digits, which is the reverse of everybody else's.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Nix's digits: the lower-case letters without `e`, `o`, `t` and `u`.
const NIX32: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// A hash function that an inventory may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, 32 bytes: what we write.
    Sha256,
    /// SHA-512, 64 bytes: read only.
    Sha512,
}

impl Algorithm {
    /// The name that both SRI and Nix use: `sha256` or `sha512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of a digest in bytes.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = SriError;

    fn from_str(name: &str) -> Result<Self, SriError> {
        match name {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(SriError::Algorithm {
                name: name.to_owned(),
            }),
        }
    }
}

/// Why a text is not a hash.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SriError {
    /// Neither `algorithm-…` nor `algorithm:…`.
    #[error("`{text}` is not a hash such as `sha256-…`")]
    Shape {
        /// The text as it was given.
        text: String,
    },
    /// A hash function that we do not know, or that is broken (MD5, SHA-1).
    #[error("the hash algorithm `{name}` is not supported, only sha256 and sha512")]
    Algorithm {
        /// The algorithm's name.
        name: String,
    },
    /// The digest has the wrong length, or is not the one spelling of its bytes.
    #[error("`{text}` is not a {algorithm} digest in base64, base16 or nix32")]
    Digest {
        /// What it should have been a digest of.
        algorithm: Algorithm,
        /// The text as it was given.
        text: String,
    },
    /// A whole SRI where another algorithm was asked for.
    #[error("`{text}` is not a {wanted} hash")]
    OtherAlgorithm {
        /// What was asked for.
        wanted: Algorithm,
        /// The text as it was given.
        text: String,
    },
}

/// A digest together with its algorithm. Displayed, and serialised, as SRI: `sha256-<base64>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sri {
    algorithm: Algorithm,
    /// `algorithm.length()` bytes.
    digest: Vec<u8>,
}

impl Sri {
    /// The hash with this SHA-256 digest.
    #[must_use]
    pub fn new_sha256(digest: [u8; 32]) -> Self {
        Self {
            algorithm: Algorithm::Sha256,
            digest: digest.to_vec(),
        }
    }

    /// The hash with this SHA-512 digest.
    #[must_use]
    pub fn new_sha512(digest: [u8; 64]) -> Self {
        Self {
            algorithm: Algorithm::Sha512,
            digest: digest.to_vec(),
        }
    }

    /// The SHA-256 hash of `bytes`.
    #[must_use]
    pub fn sha256_of(bytes: &[u8]) -> Self {
        Self::new_sha256(Sha256::digest(bytes).into())
    }

    /// Reads what Nix takes for an attribute such as `sha256 = "…"`: a bare digest in base16,
    /// nix32 or base64, or a whole hash with this algorithm's name in front.
    pub fn parse_as(algorithm: Algorithm, text: &str) -> Result<Self, SriError> {
        if text.contains(['-', ':']) {
            let hash: Self = text.parse()?;
            return if hash.algorithm == algorithm {
                Ok(hash)
            } else {
                Err(SriError::OtherAlgorithm {
                    wanted: algorithm,
                    text: text.to_owned(),
                })
            };
        }
        // The three spellings differ in length, so there is nothing to guess.
        let length = algorithm.length();
        let digest = if text.len() == 2 * length {
            HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
        } else if text.len() == nix32_length(length) {
            nix32_decode(text, length)
        } else {
            BASE64.decode(text.as_bytes()).ok()
        };
        Self::checked(algorithm, digest, text)
    }

    /// The hash function.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest, `algorithm().length()` bytes.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// Whether every byte is zero: the placeholder that nixpkgs calls `lib.fakeHash`.
    #[must_use]
    pub fn is_fake(&self) -> bool {
        self.digest.iter().all(|byte| *byte == 0)
    }

    /// The digest in lower-case base16.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.digest)
    }

    /// The digest in Nix's base 32.
    #[must_use]
    pub fn to_nix32(&self) -> String {
        nix32_encode(&self.digest)
    }

    /// The first 160 bits of the digest in Nix's base 32: 32 digits, as many as a store path has.
    #[must_use]
    pub fn to_short_nix32(&self) -> String {
        nix32_encode(&self.digest[..20])
    }

    /// Whether Nix's base 32 has this digit.
    pub(super) fn is_nix32_digit(byte: u8) -> bool {
        NIX32.contains(&byte)
    }

    fn checked(
        algorithm: Algorithm,
        digest: Option<Vec<u8>>,
        text: &str,
    ) -> Result<Self, SriError> {
        match digest {
            Some(digest) if digest.len() == algorithm.length() => Ok(Self { algorithm, digest }),
            _ => Err(SriError::Digest {
                algorithm,
                text: text.to_owned(),
            }),
        }
    }
}

/// Number of nix32 digits for so many bytes.
fn nix32_length(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// Bytes in Nix's base 32.
pub(super) fn nix32_encode(bytes: &[u8]) -> String {
    let digit = |n: usize| {
        let bit = n * 5;
        let low = u16::from(bytes[bit / 8]);
        let high = u16::from(bytes.get(bit / 8 + 1).copied().unwrap_or(0));
        char::from(NIX32[usize::from(((high << 8 | low) >> (bit % 8)) & 0x1f)])
    };
    (0..nix32_length(bytes.len())).rev().map(digit).collect()
}

/// The bytes that `text` spells; `None` for a foreign digit, or bits beyond the last byte.
fn nix32_decode(text: &str, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0_u8; length];
    for (n, character) in text.bytes().rev().enumerate() {
        let digit = NIX32.iter().position(|known| *known == character)?;
        let bit = n * 5;
        let [low, high] = (u16::try_from(digit).ok()? << (bit % 8)).to_le_bytes();
        *bytes.get_mut(bit / 8)? |= low;
        match bytes.get_mut(bit / 8 + 1) {
            Some(byte) => *byte |= high,
            None if high == 0 => {}
            None => return None,
        }
    }
    Some(bytes)
}

impl FromStr for Sri {
    type Err = SriError;

    fn from_str(text: &str) -> Result<Self, SriError> {
        let Some(at) = text.find(['-', ':']) else {
            return Err(SriError::Shape {
                text: text.to_owned(),
            });
        };
        let algorithm: Algorithm = text[..at].parse()?;
        let digest = &text[at + 1..];
        if text[at..].starts_with(':') {
            if digest.contains(['-', ':']) {
                return Err(SriError::Digest {
                    algorithm,
                    text: text.to_owned(),
                });
            }
            Self::parse_as(algorithm, digest)
        } else {
            Self::checked(algorithm, BASE64.decode(digest.as_bytes()).ok(), text)
        }
    }
}

impl TryFrom<String> for Sri {
    type Error = SriError;

    fn try_from(text: String) -> Result<Self, SriError> {
        text.parse()
    }
}

impl From<Sri> for String {
    fn from(hash: Sri) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for Sri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.algorithm, BASE64.encode(&self.digest))
    }
}

impl fmt::Debug for Sri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sri({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // `nix hash file --base16|--base32|--sri` of files with these contents.
    const VECTORS: &[(Algorithm, &str, &str, &str)] = &[
        (
            Algorithm::Sha256,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ),
        (
            Algorithm::Sha256,
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "094qif9n4cq4fdg459qzbhg1c6wywawwaaivx0k0x8xhbyx4vwic",
            "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        ),
        (
            Algorithm::Sha256,
            "44f8354494a5ba03ba1792a8d3e9c534c47a9181980fde7a3f44b06ef2ae7c7f",
            "0zvwmvr6xc247xxdw3wqh68pmi1lqplx7a4j2yx07fm5ji23by24",
            "sha256-RPg1RJSlugO6F5Ko0+nFNMR6kYGYD956P0SwbvKufH8=",
        ),
        (
            Algorithm::Sha512,
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
            "0zdl9zrg8r3i9c1g90lgg9ip5ijzv3yhz91i0zzn3r8ap9ws784gkp9dk9j3aglhgf1amqb0pj21mh7h1nxcl18akqvvf7ggqsy30yg",
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        ),
        (
            Algorithm::Sha512,
            "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043",
            "11w1pmwfdpz9pisbhp5qiv38q6dmidq2ipcqykw3p0sb6yrqcij79rwcwcjbxyzwbdal349qbxrncbk7pmd6snljrfpiwv2pljd4wcv",
            "sha512-m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==",
        ),
        (
            Algorithm::Sha512,
            "ae13575c5d98bfa689617bb19f0f55efdd52b39397fd620bcd1fbc03fda979e6b69bfba24698176eafe766d31c48b70273b03198064323082e04cc4eb9126310",
            "08664mr9v608bh84d1hd61in1rh5ds83k9ndrxgdqbrhim2zfdvdrkrm7yh7g0zrl5n5zcpjfrm5pggal7rzcbvc64sdgwqbmf5f4xf",
            "sha512-rhNXXF2Yv6aJYXuxnw9V791Ss5OX/WILzR+8A/2peea2m/uiRpgXbq/nZtMcSLcCc7AxmAZDIwguBMxOuRJjEA==",
        ),
    ];

    #[test]
    fn spellings_agree_with_nix() {
        for (algorithm, hex, nix32, sri) in VECTORS {
            let hash: Sri = sri.parse().unwrap();
            assert_eq!(hash.algorithm(), *algorithm);
            assert_eq!(hash.to_hex(), *hex);
            assert_eq!(hash.to_nix32(), *nix32);
            assert_eq!(hash.to_string(), *sri);
            let base64 = sri.split_once('-').unwrap().1;
            for digest in [hex, nix32, base64] {
                assert_eq!(Sri::parse_as(*algorithm, digest).as_ref(), Ok(&hash));
                let named = format!("{algorithm}:{digest}");
                assert_eq!(named.parse().as_ref(), Ok(&hash), "{named}");
                assert_eq!(Sri::parse_as(*algorithm, &named).as_ref(), Ok(&hash));
            }
            assert_eq!(Sri::parse_as(*algorithm, sri).as_ref(), Ok(&hash));
        }
        assert_eq!(Sri::sha256_of(b"").to_hex(), VECTORS[0].1);
        assert_eq!(Sri::sha256_of(b"hello").to_hex(), VECTORS[1].1);
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for text in [
            "",
            "sha256",
            "sha256-",
            "sha256:",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            "sha256-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= sha256-x",
            "sha512-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "md5-1B2M2Y8AsgTpgAmY7PhCfg==",
            "SHA256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "sha256:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
            // A bit beyond the 256th.
            "sha256:zmdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
            "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c7e",
        ] {
            assert!(text.parse::<Sri>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_attribute_refuses_the_other_algorithm() {
        assert!(matches!(
            Sri::parse_as(Algorithm::Sha512, VECTORS[0].3),
            Err(SriError::OtherAlgorithm { .. })
        ));
    }

    #[test]
    fn zeros_are_the_fake_hash() {
        assert!(Sri::new_sha256([0; 32]).is_fake());
        assert!(!Sri::sha256_of(b"").is_fake());
    }

    proptest! {
        #[test]
        fn every_digest_survives_every_spelling(bytes in any::<[u8; 32]>()) {
            let hash = Sri::new_sha256(bytes);
            prop_assert_eq!(&hash.to_string().parse::<Sri>().unwrap(), &hash);
            for digest in [hash.to_hex(), hash.to_nix32()] {
                prop_assert_eq!(&Sri::parse_as(Algorithm::Sha256, &digest).unwrap(), &hash);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            if let Ok(hash) = text.parse::<Sri>() {
                prop_assert_eq!(hash.to_string().parse::<Sri>().unwrap(), hash);
            }
            let _ = Sri::parse_as(Algorithm::Sha512, &text);
        }
    }
}
