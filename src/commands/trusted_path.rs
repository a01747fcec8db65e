//! Where a path that is to be written leads, so far as no other user decides it.
//!
//! In a folder like `/tmp`, anybody can put a link where somebody else is about to write. Linux refuses to follow
//! such links in some calls (`fs.protected_symlinks`); these are its rules, for the links that we follow
//! ourselves.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::{fs::Mode, process::geteuid};

/// As many links are followed as Linux follows.
const MOST_LINKS: usize = 40;

/// The absolute path of what `path` leads to, which need not exist. Links are followed.
///
/// # Errors
///
/// Where a link is another user's, in a folder in which everybody may write.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..MOST_LINKS {
        let Some((link, folder)) = first_link(&path) else {
            // No link is left that could lead elsewhere; but for `..`, this is the path as it is.
            return Ok(
                match (path.parent().map(Path::canonicalize), path.file_name()) {
                    (Some(Ok(folder)), Some(name)) => folder.join(name),
                    _ => path,
                },
            );
        };
        if !may_follow(&link.symlink_metadata()?, &folder.metadata()?) {
            let why = format!(
                "'{}' is a link of another user, in a folder where everybody may write",
                link.display()
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let rest = path.strip_prefix(link).unwrap_or(Path::new(""));
        let target = folder.join(link.read_link()?);
        path = if rest.as_os_str().is_empty() {
            target
        } else {
            target.join(rest)
        };
    }
    Err(io::Error::other("there are too many links"))
}

/// The first part of a path that is a link, and the folder that it is in.
fn first_link(path: &Path) -> Option<(&Path, &Path)> {
    let mut parts: Vec<&Path> = path.ancestors().collect();
    parts.reverse();
    let is_link = |part: &&Path| part.symlink_metadata().is_ok_and(|it| it.is_symlink());
    let link = parts.into_iter().find(is_link)?;
    Some((link, link.parent()?))
}

fn may_follow(link: &Metadata, folder: &Metadata) -> bool {
    let shared = Mode::WOTH.bits() | Mode::SVTX.bits();
    let is_shared = folder.mode() & shared == shared;
    !is_shared || link.uid() == geteuid().as_raw() || link.uid() == folder.uid()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn links_of_ones_own_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("a/b", root.join("folder")).unwrap();
        symlink("../../c.nix", root.join("a/b/file")).unwrap();
        symlink("gone/d.nix", root.join("dangling")).unwrap();
        for (path, leads_to) in [
            ("a/b/../e.nix", "a/e.nix"),
            ("folder/e.nix", "a/b/e.nix"),
            ("folder/../e.nix", "a/e.nix"),
            ("folder/file", "c.nix"),
            ("dangling", "gone/d.nix"),
            ("none/e.nix", "none/e.nix"),
        ] {
            assert_eq!(
                resolve(&root.join(path)).unwrap(),
                root.join(leads_to),
                "{path}"
            );
        }
        symlink("circle", root.join("circle")).unwrap();
        assert!(resolve(&root.join("circle")).is_err());
    }
}
