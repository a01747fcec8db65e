//! Texts and paths as Nix literals.

use std::path::Component;

/// `text` as a string of Nix, on one line.
///
/// All that Nix gives a meaning is escaped: `"` and `\`, `${`, and the line ends, which Nix would
/// else make all the same. A NUL character has no escape.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' if characters.peek() == Some(&'{') => quoted.push_str("\\$"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A path of the file system, as Nix can say it.
pub(super) enum Path {
    /// `./a/b` or `/a/b`.
    Literal(String),
    /// `./. + "/a b"`: the two operands.
    Sum(&'static str, String),
    /// Not at all.
    Unprintable,
}

/// `path` for Nix. A relative one is relative to the file that is being printed.
pub(super) fn path(path: &std::path::Path) -> Path {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            Component::ParentDir => names.push(".."),
            Component::Normal(name) => match name.to_str() {
                Some(name) if !name.contains('\0') => names.push(name),
                _ => return Path::Unprintable,
            },
        }
    }
    let joined = names.join("/");
    let plain = |name: &&str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
    };
    if names.is_empty() || !names.iter().all(plain) {
        let base = if path.has_root() { "/." } else { "./." };
        Path::Sum(base, quoted(&format!("/{joined}")))
    } else if path.has_root() {
        Path::Literal(format!("/{joined}"))
    } else if names[0] == ".." {
        Path::Literal(joined)
    } else {
        Path::Literal(format!("./{joined}"))
    }
}
