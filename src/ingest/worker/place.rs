//! Where a record stands in its file: line and offset, from its place in a chunk.

use lightsout_formats::encoding::Encoding;
use lightsout_formats::frame::Chunk;

/// Places within a chunk, in rising order: lines are counted only as far as rejects ask, offsets of
/// text that is stored in another encoding only as far as records do.
pub(super) struct Place {
    line_at: usize,
    line: u64,
    offset_at: usize,
    offset: u64,
}

impl Place {
    pub(super) fn start(chunk: &Chunk) -> Self {
        Self { line_at: 0, line: chunk.first_line, offset_at: 0, offset: chunk.offset }
    }

    pub(super) fn line_of(&mut self, chunk: &Chunk, at: usize) -> u64 {
        if at > self.line_at {
            self.line += memchr::memchr_iter(b'\n', &chunk.bytes[self.line_at..at]).count() as u64;
            self.line_at = at;
        }
        self.line
    }

    pub(super) fn offset_of(&mut self, chunk: &Chunk, at: usize) -> u64 {
        if chunk.encoding == Encoding::Utf8 {
            return chunk.offset + at as u64;
        }
        if at > self.offset_at {
            self.offset += chunk.encoding.len_of(&chunk.bytes[self.offset_at..at]) as u64;
            self.offset_at = at;
        }
        self.offset
    }
}
