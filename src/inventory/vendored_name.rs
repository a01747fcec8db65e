//! Names of the files that vendored bodies are kept in: `HASH-NAME`.
//!
//! HASH is the first 160 bits of the body's SHA-256 in Nix's base 32, as in a store path: two bodies of the
//! same name would take some 2^80 tries. Earlier versions wrote 48 bits in base 16, which take seconds; such
//! names go on meaning what they did.

use super::{Sri, StoreName};

/// How many digits of base 16 earlier versions wrote.
const EARLIER_DIGITS: usize = 12;

/// The name of the file for a body with this SHA-256, which the URL gives this name.
#[must_use]
pub fn vendored_name(hash: &Sri, name: &StoreName) -> StoreName {
    name.after(&hash.to_short_nix32())
}

/// The name that earlier versions gave such a file.
#[must_use]
pub fn earlier_vendored_name(hash: &Sri, name: &StoreName) -> String {
    format!("{}-{name}", &hash.to_hex()[..EARLIER_DIGITS])
}

/// Whether a file of this name is to have the bytes of this SHA-256; `None` where its name tells of none.
#[must_use]
pub fn says_hash(file_name: &str, hash: &Sri) -> Option<bool> {
    let (said, _) = file_name.split_once('-')?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let short = hash.to_short_nix32();
    if said.len() == short.len() && said.bytes().all(Sri::is_nix32_digit) {
        Some(said == short)
    } else if said.len() == EARLIER_DIGITS && said.bytes().all(is_hex) {
        Some(hash.to_hex().starts_with(said))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_160_bits_of_its_hash() {
        let hash = Sri::sha256_of(b"hello");
        let name = vendored_name(&hash, &"a.json".parse().unwrap());
        // `nix-hash --type sha1 --to-base32` of the first 40 digits of `printf hello | sha256sum`.
        assert_eq!(name.as_str(), "bhg1c6wywawwaaivx0k0x8xhbyx4vwic-a.json");
        assert_eq!(says_hash(name.as_str(), &hash), Some(true));
        assert_eq!(
            says_hash(name.as_str(), &Sri::sha256_of(b"hallo")),
            Some(false)
        );
    }

    #[test]
    fn names_of_earlier_versions_still_tell_of_their_hash() {
        let hash = Sri::sha256_of(b"hello");
        let earlier = earlier_vendored_name(&hash, &"a".parse().unwrap());
        assert_eq!(earlier, "2cf24dba5fb0-a");
        assert_eq!(says_hash(&earlier, &hash), Some(true));
        assert_eq!(says_hash("2cf24dba5fb1-a", &hash), Some(false));
        for other in ["a", "readme-1.0", "2cf24dba5fb-a", "2cf24dba5fbg-a", "-a"] {
            assert_eq!(says_hash(other, &hash), None, "{other}");
        }
    }

    #[test]
    fn a_long_name_is_one_for_the_store() {
        let long: StoreName = "x".repeat(211).parse().unwrap();
        let name = vendored_name(&Sri::sha256_of(b""), &long);
        assert_eq!(name.as_str().parse().as_ref(), Ok(&name));
        assert_eq!(name.as_str().len(), 211);
    }
}
