//! What git asks over smart HTTP, without what varies from run to run.
//!
//! A request is a sequence of pkt-lines (gitprotocol-common): four hex digits of length, then the line;
//! `0000` to `0003` are marks without a line. Three capabilities say nothing of what is wanted: which git
//! asks, in which session, and whether it shows progress, which it does at a terminal only.

/// The content type of such a request.
pub(super) const CONTENT_TYPE: &[u8] = b"application/x-git-upload-pack-request";

const VOLATILE: [&[u8]; 3] = [b"agent=", b"session-id=", b"no-progress"];

/// The request without its volatile capabilities; `None` where it is no sequence of pkt-lines.
pub(super) fn normalize(request: &[u8]) -> Option<Vec<u8>> {
    let mut normal = Vec::with_capacity(request.len());
    let mut rest = request;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at_checked(4)?;
        let length = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if length < 4 {
            normal.extend_from_slice(digits);
            rest = after;
            continue;
        }
        let (line, after) = after.split_at_checked(length - 4)?;
        rest = after;
        // Version 2 has a line for each capability; versions 0 and 1 have them all in the first line.
        let words = line.split(|byte| *byte == b' ');
        let kept: Vec<&[u8]> = words.filter(|word| !is_volatile(word)).collect();
        if kept.is_empty() {
            continue;
        }
        normal.extend_from_slice(b"line ");
        normal.extend_from_slice(kept.join(&b' ').trim_ascii_end());
        normal.push(b'\n');
    }
    Some(normal)
}

fn is_volatile(word: &[u8]) -> bool {
    VOLATILE.iter().any(|volatile| word.starts_with(volatile))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request of these lines; an empty one is a delimiter.
    fn request(lines: &[&str]) -> Vec<u8> {
        let packets = lines.iter().map(|line| match line.len() {
            0 => "0001".to_owned(),
            length => format!("{:04x}{line}", length + 4),
        });
        (packets.collect::<String>() + "0000").into_bytes()
    }

    #[test]
    fn another_git_asks_the_same() {
        let one = request(&[
            "command=fetch",
            "agent=git/2.39.5",
            "object-format=sha1",
            "",
            "thin-pack",
            "no-progress",
            "want 1234\n",
            "done\n",
        ]);
        let other = request(&[
            "command=fetch",
            "agent=git/2.47.0-Linux",
            "session-id=5",
            "object-format=sha1",
            "",
            "thin-pack",
            "want 1234\n",
            "done\n",
        ]);
        assert_eq!(normalize(&one).unwrap(), normalize(&other).unwrap());
        let another = request(&[
            "command=fetch",
            "agent=git/2.39.5",
            "object-format=sha1",
            "",
            "thin-pack",
            "want 5678\n",
            "done\n",
        ]);
        assert_ne!(normalize(&one).unwrap(), normalize(&another).unwrap());
    }

    #[test]
    fn capabilities_in_the_first_line_are_the_same_thing() {
        let one = request(&["want 1234 ofs-delta agent=git/2.39.5\n", "done\n"]);
        let other = request(&[
            "want 1234 no-progress ofs-delta agent=git/2.47.0\n",
            "done\n",
        ]);
        assert_eq!(normalize(&one).unwrap(), normalize(&other).unwrap());
    }

    #[test]
    fn what_is_no_sequence_of_lines_is_left() {
        for bytes in [&b"00"[..], b"zzzz", b"0009abc", b"\xff\xff\xff\xff"] {
            assert_eq!(normalize(bytes), None);
        }
        assert_eq!(normalize(b"").unwrap(), b"");
    }
}
