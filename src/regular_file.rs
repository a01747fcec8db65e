//! Opening files that others may have put there.
//!
//! A FIFO would hold up whoever opens or reads it for as long as nobody writes to it, and a device for as
//! long as it likes. So files are opened without waiting, and what was opened is looked at, not the path.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Whether a link in the place of the file is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// It is.
    Follow,
    /// It is an error.
    Refuse,
}

/// Opens a regular file to read it.
///
/// # Errors
///
/// Where it cannot be opened, or is no regular file.
pub fn open_regular(path: &Path, links: Links) -> io::Result<File> {
    let no_follow = match links {
        Links::Follow => 0,
        Links::Refuse => libc::O_NOFOLLOW,
    };
    let mut options = OpenOptions::new();
    options.read(true);
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | no_follow);
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ))
    }
}

/// Whether two files have the same bytes.
///
/// # Errors
///
/// Where one of them cannot be read.
pub fn same_bytes(mut one: File, mut other: File) -> io::Result<bool> {
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut buffers = [vec![0; PIECE], vec![0; PIECE]];
    loop {
        let [first, second] = &mut buffers;
        let length = one.read(first)?;
        if length == 0 {
            // As long as each other, unless somebody is writing.
            return Ok(other.read(second)? == 0);
        }
        match other.read_exact(&mut second[..length]) {
            Ok(()) if first[..length] == second[..length] => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// How many bytes are compared at a time.
const PIECE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_fifo_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        for path in [fifo.as_path(), Path::new("/dev/zero"), folder.path()] {
            let refused = open_regular(path, Links::Follow).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
    }

    #[test]
    fn a_link_is_followed_only_where_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        let mut text = String::new();
        let mut followed = open_regular(&link, Links::Follow).unwrap();
        followed.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        assert!(open_regular(&link, Links::Refuse).is_err());
        assert!(open_regular(&file, Links::Refuse).is_ok());
    }

    #[test]
    fn files_that_differ_in_their_last_byte_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            File::open(path).unwrap()
        };
        let long = vec![7; PIECE + 1];
        let mut other = long.clone();
        other[PIECE] = 8;
        for (second, same) in [(&long, true), (&other, false), (&vec![7; PIECE], false)] {
            let compared = same_bytes(file("one", &long), file("two", second));
            assert_eq!(compared.unwrap(), same);
        }
    }
}
