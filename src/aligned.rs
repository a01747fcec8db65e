//! Memory that the kernel copies into fast.
//!
//! Some processors take four times as long for a copy that does not begin at a multiple of 32 bytes. Allocators
//! promise 16, and glibc's gives each large buffer 16 bytes after the start of a page.

use std::ops::{Deref, DerefMut};

/// A multiple of this is an address to copy to: a line of the cache.
const LINE: usize = 64;

/// Bytes that begin at such an address; at first zeros.
pub(crate) struct Aligned {
    memory: Box<[u8]>,
    start: usize,
    length: usize,
}

impl Aligned {
    /// So many bytes.
    pub(crate) fn new(length: usize) -> Self {
        let memory = vec![0; length + LINE - 1].into_boxed_slice();
        let start = memory.as_ptr().align_offset(LINE).min(LINE - 1);
        Self {
            memory,
            start,
            length,
        }
    }
}

impl Deref for Aligned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..][..self.length]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..][..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_begin_at_a_line_of_the_cache() {
        for length in (0..300).chain([4096, 65536, 131_072, 1 << 20]) {
            let mut buffer = Aligned::new(length);
            assert_eq!(buffer.len(), length);
            assert_eq!(buffer.as_ptr().addr() % LINE, 0, "{length}");
            buffer.fill(1);
        }
    }
}
