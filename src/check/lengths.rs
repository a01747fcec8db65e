//! What files say of the length of bodies. It is never used, as a body has its own; but where the two
//! differ, the entry may not be what it seems.

use std::{env, path::Path};

use http::StatusCode;

use super::Finding;
use crate::{
    bodies::BodyCache,
    inventory::{Body, NIX_STORE, nix::Located},
};

/// Names each length that is not that of the body, as far as `known` knows that.
#[must_use]
pub fn lengths(entries: &[Located], known: impl Fn(&Body) -> Option<u64>) -> Vec<Finding> {
    let finding = |located: &Located| {
        let length = known(&located.entry.body)?;
        let said = wrong_length(located, length)?;
        let url = &located.entry.url;
        let message =
            format!("the `content-length` of {url} is \"{said}\", and that of its body {length}");
        let cure = if located.is_literal() {
            "it is not used, and `buildproxy check --fix` deletes it"
        } else {
            "it is not used; delete it"
        };
        Some(Finding::warning(located.length_line(), message).hint(cure))
    };
    entries.iter().filter_map(finding).collect()
}

/// What is said of a body's length, if that is wrong.
#[must_use]
pub fn wrong_length(located: &Located, length: u64) -> Option<&str> {
    let said = located.length.as_deref()?;
    // Of these statuses, it is of a body that is not there (RFC 9110 §8.6).
    let of_another = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
    let is_right = said.parse() == Ok(length) || of_another.contains(&located.entry.status);
    (!is_right).then_some(said)
}

/// How long a body is, if it is here: in the inventory, in a file relative to `folder`, in the body cache, or
/// in the Nix store.
#[must_use]
pub fn known_length(body: &Body, folder: &Path, cache: Option<&BodyCache>) -> Option<u64> {
    let length = |path: &Path| {
        let metadata = path.metadata().ok()?;
        metadata.is_file().then_some(metadata.len())
    };
    match body {
        Body::Empty => Some(0),
        Body::Text { text, .. } => Some(text.len() as u64),
        Body::File(path) => length(&folder.join(path)),
        Body::Pin(pin) => {
            let cached = cache.and_then(|cache| cache.get(pin.hash.as_ref()?));
            let store = env::var("NIX_STORE_DIR");
            let store = store.as_deref().unwrap_or(NIX_STORE);
            cached
                .and_then(|path| length(&path))
                .or_else(|| length(&pin.store_path(store)?))
        }
    }
}
