//! Streams of HTTP/2 that are reset because h2 does not take what they ask for.
//!
//! What [`request_line`](super::request_line) mends in HTTP/1 cannot be mended in HTTP/2, whose heads are compressed. h2
//! resets such a stream with `PROTOCOL_ERROR`, and the client fails. With `HTTP_1_1_REQUIRED` in its place (RFC 9113,
//! section 7), curl asks again in HTTP/1, and it is curl that sends such targets. So that is what is written.

/// The length of a frame's head (RFC 9113, section 4.1).
const HEAD: usize = 9;

/// The type of the frame that ends a stream; its payload is the error code, in four bytes (section 6.4).
const RST_STREAM: u8 = 3;

/// The last byte of the code that h2 writes; the others are zero.
const PROTOCOL_ERROR: u8 = 0x1;

/// The last byte of the code that is written.
pub(super) const HTTP_1_1_REQUIRED: u8 = 0xd;

/// How far the frames of a server are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Resets {
    /// The head of the frame that is written, as far as that goes.
    head: [u8; HEAD],
    /// So much of it is written.
    filled: usize,
    /// So much of its payload is still to come.
    payload: usize,
}

impl Resets {
    /// Where in `bytes`, which are to be written next, a code is to be replaced by [`HTTP_1_1_REQUIRED`].
    pub(super) fn find(mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.is_last_of_reset() && bytes[at] == PROTOCOL_ERROR {
                return Some(at);
            }
            at += self.step(&bytes[at..]);
        }
        None
    }

    /// Takes note that `bytes` have been written.
    pub(super) fn written(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[self.step(bytes)..];
        }
    }

    fn is_last_of_reset(&self) -> bool {
        self.filled == HEAD && self.head[3] == RST_STREAM && self.payload == 1
    }

    /// Goes on by some of `bytes`, and tells by how many; never beyond the last byte of a reset.
    fn step(&mut self, bytes: &[u8]) -> usize {
        if self.filled < HEAD {
            let length = bytes.len().min(HEAD - self.filled);
            self.head[self.filled..][..length].copy_from_slice(&bytes[..length]);
            self.filled += length;
            let [a, b, c, ..] = self.head;
            self.payload = u32::from_be_bytes([0, a, b, c]) as usize;
            self.end_of_frame();
            return length;
        }
        let before_last = self.payload > 1 && self.head[3] == RST_STREAM;
        let length = bytes.len().min(self.payload - usize::from(before_last));
        self.payload -= length;
        self.end_of_frame();
        length
    }

    fn end_of_frame(&mut self) {
        if self.filled == HEAD && self.payload == 0 {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, 0, 0, 0, 0, 7]);
        frame.extend(payload);
        frame
    }

    /// What is written of `bytes` where they come in pieces of these lengths.
    fn written(bytes: &[u8], pieces: &[usize]) -> Vec<u8> {
        let mut resets = Resets::default();
        let mut out = Vec::new();
        let mut rest = bytes;
        let mut pieces = pieces.iter().cycle();
        while !rest.is_empty() {
            let piece = &rest[..rest.len().min(*pieces.next().unwrap())];
            let (taken, code) = match resets.find(piece) {
                Some(0) => (&piece[..1], Some(HTTP_1_1_REQUIRED)),
                Some(at) => (&piece[..at], None),
                None => (piece, None),
            };
            resets.written(taken);
            match code {
                Some(code) => out.push(code),
                None => out.extend(taken),
            }
            rest = &rest[taken.len()..];
        }
        out
    }

    proptest! {
        #[test]
        fn only_the_codes_of_resets_are_replaced(
            frames in prop::collection::vec((0_u8..10, prop::collection::vec(0_u8..4, 0..20)), 0..8),
            pieces in prop::collection::vec(1_usize..30, 1..5),
        ) {
            let mut plain = Vec::new();
            let mut wanted = Vec::new();
            for (kind, mut payload) in frames {
                if kind == RST_STREAM {
                    payload = vec![0, 0, 0, payload.first().copied().unwrap_or(1)];
                }
                plain.extend(frame(kind, &payload));
                if kind == RST_STREAM && payload[3] == PROTOCOL_ERROR {
                    payload[3] = HTTP_1_1_REQUIRED;
                }
                wanted.extend(frame(kind, &payload));
            }
            prop_assert_eq!(written(&plain, &pieces), wanted);
        }
    }
}
