//! The text of a file, inflated and as UTF-8, whatever it came from.

use std::io::Read;

use super::encoding::Encoding;

/// A file's text, to be read once.
pub struct Text {
    pub reader: Box<dyn Read + Send>,
    /// Whether an error of the reader means that a compressed stream is broken.
    pub compressed: bool,
    pub encoding: Encoding,
    /// What the byte order mark took.
    pub mark_bytes: u64,
}
