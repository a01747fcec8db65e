//! What must hold of whatever is read: the very checks that the test suite makes of `tests/corpus`.

#[path = "../../tests/readers.rs"]
mod readers;

/// A `proxy_content.nix`.
pub fn document(text: &str) {
    readers::document(text);
}

/// A manifest.
pub fn manifest(text: &str) {
    readers::manifest(text);
}

/// A lock of mitm-cache, or of nixpkgs' gradle.
pub fn lock(text: &str) {
    readers::lock(text);
}

/// A URL, or a text with URLs in it.
pub fn url(text: &str) {
    readers::url(text);
}
