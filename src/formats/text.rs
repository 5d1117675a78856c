//! The text of a file, inflated and as UTF-8, whatever it came from.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::encoding::Encoding;
use super::plain::Plain;

/// A file's text, to be read once.
pub struct Text {
    pub reader: Box<dyn Read + Send>,
    /// Whether an error of the reader means that a compressed stream is broken.
    pub compressed: bool,
    encoding: Encoding,
    /// What the byte order mark took.
    pub mark_bytes: u64,
    /// What was read so far is of Windows-1252.
    is_windows_1252: Arc<AtomicBool>,
}

impl Text {
    /// From a reader of UTF-8; `encoding` is how the file itself has it. Without a byte order mark, bytes that are no
    /// UTF-8 may show it to be Windows-1252.
    pub fn new(
        reader: impl Read + Send + 'static,
        compressed: bool,
        encoding: Encoding,
        mark_bytes: u64,
    ) -> Self {
        let is_windows_1252 = Arc::new(AtomicBool::new(false));
        let told = (encoding == Encoding::Utf8 && mark_bytes == 0).then(|| Arc::clone(&is_windows_1252));
        Self { reader: Box::new(Plain::new(reader, told)), compressed, encoding, mark_bytes, is_windows_1252 }
    }

    /// Whether it has nothing but blanks.
    ///
    /// # Errors
    /// Fails if it can't be read.
    pub fn is_blank(self) -> io::Result<bool> {
        for byte in BufReader::new(self.reader).bytes() {
            if !byte?.is_ascii_whitespace() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How the file's text is encoded, as far as it was read.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        if self.is_windows_1252.load(Ordering::Relaxed) { Encoding::Windows1252 } else { self.encoding }
    }
}
